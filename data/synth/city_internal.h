// city_internal.h - the made-up city in memory, shared by the files that
// make it and those that write it.
#ifndef OM_DATA_SYNTH_CITY_INTERNAL_H
#define OM_DATA_SYNTH_CITY_INTERNAL_H

#include "data/base/status.h"
#include "data/synth/dice.h"
#include "data/synth/facts.h"
#include "data/synth/mesh.h"
#include "data/synth/synth.h"

/* The clock of the data: 2023-06-26T24:00+08:00. Events end before it and
 * begin with the year. UTC seconds. */
#define OM__CLOCK_S INT64_C(1687795200)
#define OM__YEAR_S INT64_C(1672502400)
#define OM__DAY_S 86400
#define OM__DAYS 177  // from the first of January to the clock
#define OM__MONTHS 6

#define OM__NAME_BYTES 64
#define OM__CODE_BYTES 20

struct om__town {
    const struct om__town_fact *fact;
    uint32_t first_village, villages;
    struct om__xy core;  // its busiest cell
    uint32_t lots, first_house, houses, addresses, residents, rentals;
    double tall;  // how high it is built, 1 is usual
};

struct om__village {
    char code[OM__CODE_BYTES], name[OM__NAME_BYTES];
    char text[3 * OM__NAME_BYTES];  // how its addresses begin
    uint32_t town, first_grid, grids;
    struct om__xy core;
    double reach_m;      // radius of a disc of its area
    uint32_t base_name;  // number from which its streets are named
};

struct om__grid {
    char code[OM__CODE_BYTES + 4];
    uint32_t village, number;  // number within the village, from 1
    struct om__xy middle;      // a cell well inside
    uint32_t first_quarter, quarters;
    uint32_t first_house, houses;
    uint32_t first_worker, workers;
    uint32_t first_premises, premises;
    double weight;  // people, roughly
    float walk;     // how much its workers walk, 1 is usual
};

enum om__kind {
    OM__KIND_WATER,
    OM__KIND_HILL,
    OM__KIND_FARM,
    OM__KIND_VILLAGE,  // urban village, self-built
    OM__KIND_FACTORY,
    OM__KIND_TOWER,
    OM__KIND_CENTRE,
    OM__KIND_PUBLIC,
    OM__KINDS
};

struct om__quarter {
    uint32_t grid;
    uint8_t kind;
    struct om__xy middle;
    double reach_m;  // no cell is farther from the middle
    double turn[2];  // cosine and sine of its streets
    float settled;   // how soon an urban village grows there
    uint32_t lots;   // where a building may stand
    uint32_t first_house, houses;
    uint32_t first_street, streets;
};

enum om__use {
    OM__USE_RESIDENTIAL,
    OM__USE_MIXED,
    OM__USE_COMMERCIAL,
    OM__USE_INDUSTRIAL,
    OM__USE_PUBLIC,
    OM__USE_FARM,
    OM__USES
};
extern const char *const OM__USE_NAME[OM__USES];

enum om__shape { OM__SHAPE_BOX, OM__SHAPE_L, OM__SHAPE_COURT };

/* A building. Kept small: there are millions. */
struct om__house {
    struct om__xy at;          // middle
    float width_m, depth_m;    // along the street and away from it
    uint32_t quarter, street;  // street: within the city
    uint32_t first_address, addresses;
    uint32_t residents;
    uint32_t rental;         // its number, or OM__NO_ROW
    uint16_t number, built;  // house number; year
    uint8_t use, floors, shape;
    int8_t front;  // which side the street is: 1 or -1
};
#define OM__NO_ROW UINT32_MAX

/* A residential street: a straight line in a quarter. */
struct om__street {
    struct om__xy from, to;
    uint32_t quarter;
    uint16_t row;  // ordinal in the quarter
    uint8_t used;  // has a building
};

struct om__hotspot {
    struct om__xy at;
    double radius_m;
    int64_t from_s, to_s;
    double share;     // of the reports while it lasts
    unsigned object;  // what is reported there
    bool emerging;
    uint32_t *house, houses;  // candidates near it
};
#define OM__HOTSPOTS_STEADY 12
#define OM__HOTSPOTS (OM__HOTSPOTS_STEADY + 2)

struct om__city {
    uint64_t seed;
    double scale;
    bool plain;
    const char *out, *only, *towns_file;
    struct om__counts count;  // at this scale
    struct om__mesh mesh;
    uint32_t *town_of, *village_of, *grid_of, *quarter_of;  // [cells] or none
    float *urban;                                           // [cells] 0 to 1
    uint8_t *cover;  // [cells] OM__COVER_... bits
    struct om__town town[OM__TOWNS];
    struct om__village *village;
    uint32_t villages;
    struct om__grid *grid;
    uint32_t grids;
    struct om__quarter *quarter;
    uint32_t quarters;
    struct om__street *street;
    uint32_t streets;
    uint32_t row_stride;  // every so manieth row of lots is looked at
    struct om__house *house;
    uint32_t houses;
    uint32_t *rental_house;  // [rentals] house of each
    uint32_t rentals;
    uint32_t *premises_house;
    uint32_t premises;
    uint32_t workers;
    struct om__hotspot hotspot[OM__HOTSPOTS];
    double *rhythm;      // [hours of the year so far + 1] cumulative
    double *background;  // [grids] cumulative; not of a plain city
    uint32_t *visited;   // [rentals + premises + 1] cumulative; of a plain one
    uint8_t *open;       // [blocks of hazards]
};
enum { OM__COVER_WATER = 1, OM__COVER_ROAD = 2, OM__COVER_SEA = 4 };
#define OM__NONE UINT32_MAX  // cell of no town

/* The stages, in order; each needs those before it. All are the same for the
 * same seed and scale whatever the number of threads. */

/** Counts at a scale; see synth.h for what stays whole. */
void om__city_count(struct om__city *city);
/** Water, highways and how urban each cell is. Allocates the cell arrays. */
om_status om__cover_make(struct om__city *city) OM_MUST_USE;
/** Cells to towns: own outlines, or those of the file. */
om_status om__towns_make(struct om__city *city, struct om_err *err) OM_MUST_USE;
om_status om__towns_read(struct om__city *city, struct om_err *err) OM_MUST_USE;
/** Villages, grids, exclaves, quarters; then borders are smoothed. */
om_status om__units_make(struct om__city *city, struct om_err *err) OM_MUST_USE;
om_status om__quarters_make(struct om__city *city) OM_MUST_USE;
/** Kinds of quarters changed until each town has lots for its people. */
om_status om__settle(struct om__city *city) OM_MUST_USE;
/** Buildings, addresses and residents of each town, exact in sum. Needs the
 *  lots of the quarters. */
om_status om__share_towns(struct om__city *city) OM_MUST_USE;
/** Streets, buildings, addresses, residents, rentals, premises, workers. */
om_status om__houses_make(struct om__city *city) OM_MUST_USE;
om_status om__people_make(struct om__city *city) OM_MUST_USE;
om_status om__hotspots_make(struct om__city *city) OM_MUST_USE;
void om__city_deinit(struct om__city *city);

/** Points of a river or highway as a fine curve. owns: om_free */
om_status om__course_points(const struct om__course *course, double step_m,
                            struct om__xy **out, size_t *count) OM_MUST_USE;
/** Trunk road number i as a fine curve between two town centres; *count 0 if
 *  there is none of that number. owns: om_free */
om_status om__trunk_points(const struct om__city *city, size_t i,
                           struct om__xy **out, size_t *count) OM_MUST_USE;
/** Is p on the seaward side of the coast (also beyond it)? */
bool om__cover_at_sea(const struct om__city *city, struct om__xy p);
/** How many lots a quarter has; with `emit` each is handed out. */
struct om__lot {
    struct om__xy at;
    double width_m, depth_m;
    uint32_t row;     // street row in the quarter, from 0
    uint32_t number;  // house number
    int side;         // of the street: 1 or -1
    double street_y;  // of the street in the quarter's frame
};
typedef void om__lot_fn(void *ctx, const struct om__lot *lot);
uint32_t om__quarter_lots(const struct om__city *city,
                          const struct om__quarter *quarter, double shrink,
                          om__lot_fn *emit, void *ctx);

/** Quarters, and with them houses, stand in the order of their towns. */
uint32_t om__town_of_quarter(const struct om__city *city, uint32_t quarter);

/** How much a worker walks and writes; 1 is usual. */
double om__worker_zeal(const struct om__city *city, uint32_t worker);

/** The grid of a worker. */
uint32_t om__worker_grid(const struct om__city *city, uint32_t worker);
/** Upper end of what items [0, i) of n get of `total`: monotone, with steps
 *  that differ by up to `swing` (below 1) of the mean; exact at i = n. */
uint64_t om__jittered(uint64_t seed, unsigned purpose, uint64_t i, uint64_t n,
                      uint64_t total, double swing);

/* Names. All append to `out` and return the new end; the caller has room. */
char *om__name_road(char *out, uint32_t number);
char *om__name_number(char *out, uint32_t n);  // 十三
char *om__name_estate(char *out, uint32_t number);
char *om__name_company(char *out, uint32_t number, uint32_t kind);
void om__name_villages(struct om__city *city);
/** The name of a street: village road number, row and what it is. */
char *om__name_street(const struct om__city *city, char *out, uint32_t quarter,
                      uint32_t row);

#endif
