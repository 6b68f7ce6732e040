// hotspots.h - where something is unusual: statistics of a layer by area.
#ifndef OM_ENGINE_STAT_HOTSPOTS_H
#define OM_ENGINE_STAT_HOTSPOTS_H

#include "engine/query/query.h"
#include "engine/stat/census.h"
#include "engine/stat/gistar.h"
#include "engine/stat/moran.h"
#include "engine/stat/rates.h"
#include "engine/stat/slices.h"

enum om_hotspot_stat {
    OM_STAT_GISTAR,
    OM_STAT_MORAN,
    OM_STAT_EMERGING,
    OM_STAT_EB,
};

/* Which rate Gi* and Moran's I look at, where there is an exposure. */
enum om_rate {
    OM_RATE_STANDARD,  // (r - b) / sqrt(a + b / n): rates.h
    OM_RATE_RAW,       // cases / exposure
    OM_RATE_GLOBAL,    // empirical Bayes
    OM_RATE_LOCAL,     // of neighbours together: Gi* and I of it have no p
};

/* What cases are compared with: rows of a layer, or a sum over them, or the
 * ground. Zero: nothing, counts are looked at. */
struct om_hotspot_exposure {
    bool area;                     // km2
    const struct om_layer *layer;  // else
    const struct om_filter *filter;
    size_t weight_column;  // OM_NO_FIELD: rows
    bool windowed;         // only rows of the cases' period
    double floor;          // areas with less over the period are unknown
    // Where few are not to be told: counted over `cover`, for which it is not
    // windowed, each area's count passed through `told`, and `part` of it
    // taken.
    double (*told)(double count, uint64_t least);  // NULL: as it is
    uint64_t least;
    struct om_window cover;
    double part;
    const bool *few;  // [areas] whose count is that of few; NULL: none's is
};

/** Slices of an emerging hotspot analysis: Esri's least number, and a cap. */
#define OM_SLICES_LEAST 10
#define OM_SLICES_MOST 1000
/** How many steps back a hotspot is followed to say since when it is one. */
#define OM_LOOKS_MOST 8

struct om_hotspots_ask {
    const struct om_snapshot *snapshot;
    const struct om_layer *layer;  // of points
    struct om_selections *cache;   // may be NULL
    const struct om_filter *filter;
    struct om_window window;
    enum om_hotspot_stat stat;
    const struct om_zones *areas;
    const struct om_graph *graph;  // of the areas
    size_t weight_column;          // OM_NO_FIELD: rows are counted
    size_t kind_column;  // every value on its own; OM_NO_FIELD: all together
    struct om_hotspot_exposure exposure;
    enum om_rate rate;
    enum om_moran_moments moments;
    bool stepped;           // `step` was chosen; else the longest of month,
    struct om_stride step;  // week and day with OM_SLICES_LEAST slices
    bool by_slice;          // gistar.h
    int least;              // bin from which on something is significant:
                            // 1, 2, 3 for 90, 95, 99 %
};

/* An area, or an area and a kind. NaN is "does not apply". */
struct om_hotspot {
    uint32_t area, kind;
    double count, sum;  // rows, and their weights (the same without weights)
    double exposure;    // NaN without
    double rate, local_rate;  // empirical Bayes, with an exposure
    double value;             // what was tested
    double expected, ratio;   // by the city's mean; sum / expected
    double z, p, q;           // of an emerging one: of the last slice
    int bin;                  // fdr.h
    uint32_t neighbours;
    struct om_moran_local moran;
    int emerging;  // emerging.h
    double trend_z, trend_p;
    uint32_t hot, cold;  // slices
    // Since when it is significant without a break, as it is now; 0 unknown or
    // not significant. `first`: not before this step; `open`: it may be longer.
    int64_t since_s;
    bool first, open;
};

struct om_hotspots {
    size_t count;            // kinds * areas
    struct om_hotspot *row;  // by kind, then area
    uint32_t *order;         // [count] most significant first
    size_t kinds;
    const char **kind;        // [kinds]; NULL without
    double rows, outside;     // cases; of them in no area
    size_t known;             // rows that could be tested
    struct om_moments cases;  // of sums by area (kind 0)
    struct om_rates rates;    // with an exposure (kind 0)
    struct om_moran moran;    // of what was tested (kind 0)
    double threshold[3];      // largest p at 90, 95, 99 %
    int64_t from_s, to_s;     // period; 0, 0: all, without times
    struct om_stride step;    // of looks and slices
    size_t slices, looks;
    uint64_t early;          // emerging: rows before the first whole slice
    struct om_census tally;  // owns kind
};

/**
 * Count by area and judge.
 *
 * gistar and moran test every area (and kind) and correct for all of them
 * together; eb judges each area's standardised rate by itself; emerging tests
 * every slice of time. Areas without an exposure, or with less
 * than its floor, cannot be judged: their z is NaN and they are nobody's
 * neighbour.
 *
 * A hotspot is `first` where the same question, asked one step (default a
 * week) earlier, did not find it; windows without a beginning only end
 * earlier.
 *
 * returns  OM_E_NOTFOUND (no unit column or no time column where one is
 *          needed), OM_E_RANGE (emerging: fewer than OM_SLICES_LEAST or more
 *          than OM_SLICES_MOST slices; err says how many), OM_E_TYPE (kinds
 *          of a column that is no category), OM_E_COST, OM_E_DAMAGED,
 *          OM_E_MEMORY; err, where something is to be said
 * owns     om_hotspots_deinit
 * threads  parallel; the same bits whatever their number
 * test     tests/engine/test_hotspots.c
 */
om_status om_hotspots_find(const struct om_hotspots_ask *ask,
                           struct om_hotspots *out,
                           struct om_err *err) OM_MUST_USE;
void om_hotspots_deinit(struct om_hotspots *hotspots);

#endif
