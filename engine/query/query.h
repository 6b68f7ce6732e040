// query.h - which rows, how many, how much, by what: the questions.
#ifndef OM_ENGINE_QUERY_QUERY_H
#define OM_ENGINE_QUERY_QUERY_H

#include "engine/filter/filter.h"
#include "engine/shape/shape.h"

enum om_place_kind {
    OM_PLACE_ALL,
    OM_PLACE_BOX,      // box
    OM_PLACE_WITHIN,   // rings, shape 0
    OM_PLACE_RADIUS,   // pos, radius_m, true ground metres
    OM_PLACE_NEAREST,  // pos, nearest
    OM_PLACE_ID,       // id, id_len
};

/* Where. A point matches if it lies there; a shape if it meets the place. */
struct om_place {
    enum om_place_kind kind;
    struct om_box box;
    const struct om_rings *rings;
    struct om_pos pos;
    double radius_m;
    size_t nearest;
    const char *id;
    size_t id_len;
};

/* A row that matched. distance_m only for RADIUS and NEAREST. */
struct om_hit {
    size_t part, row;
    double distance_m;
};

/** Columns that one order may have. */
#define OM_SORT_KEYS 4

/* Where a row stands in an order, told without part or number, so that a later
 * snapshot can go on behind it, whether the row is still there or not. */
struct om_behind {
    uint64_t code;  // Morton
    const char *id;
    size_t id_len;
    // In the order of columns (sorted.h): what the row has in them
    size_t keys;
    struct om_behind_key {
        bool null, is_text;
        uint64_t number;   // compares as the value does
        const char *text;  // not terminated
        size_t len;
    } key[OM_SORT_KEYS];
};

/* A question to one layer. Zero-initialised it means: all rows. */
struct om_query {
    const struct om_snapshot *snapshot;
    const struct om_layer *layer;
    struct om_selections *cache;  // may be NULL
    struct om_place place;
    const struct om_filter *filter;
    struct om_window window;
    size_t limit;  // rows that om_query_each visits; 0: all
    // om_query_each goes on behind this hit, in the same snapshot; not for
    // NEAREST. NULL: from the start.
    const struct om_hit *after;
    // The same by where a row stood, in any snapshot; one of the two
    const struct om_behind *behind;
};

/** How many rows match. cost: box of 1,000 rows under 5 us. */
om_status om_query_count(const struct om_query *query,
                         uint64_t *out) OM_MUST_USE;
/** Exact sum of an integer column (NULLs left out); OM_E_TYPE else. Reals are
 *  summed in double, compensated, into *real; integers into *integer. */
om_status om_query_sum(const struct om_query *query, size_t column,
                       om_wide *integer, double *real) OM_MUST_USE;
/** Does the sum of any of `rows` values of an integer column fit 64 bits? Then
 *  differences of its cumulative sums may be trusted. */
bool om_sums_fit(const struct om_column *column, size_t rows);
/**
 * Visit the matching rows: in Morton order; by distance (then id) for
 * NEAREST. `each` returning false stops. A snapshot must stay held.
 */
om_status om_query_each(const struct om_query *query,
                        bool (*each)(void *ctx, const struct om_hit *hit),
                        void *ctx) OM_MUST_USE;

enum om_step { OM_STEP_NONE, OM_STEP_HOUR, OM_STEP_DAY, OM_STEP_MONTH };

/* One group of a grouped count: id is the category, unit id, or start of the
 * time step (ISO 8601); empty and null set for rows without a value. */
struct om_group {
    const char *id;
    size_t len;
    bool null;
    uint64_t count;
    om_wide sum;      // of an integer column
    double real_sum;  // of a real column
};
struct om_groups {
    size_t count;
    const struct om_group *group;  // by id, bytewise; NULL last
    struct om_arena arena;
};
/**
 * Count (and sum `sum_column`, OM_NO_FIELD: none) by a column's values or by
 * steps of the time column in the city's zone. Every unit is listed, empty
 * ones too. OM_E_COST above 1 M groups.
 * owns     om_groups_deinit
 */
om_status om_query_group(const struct om_query *query, size_t by_column,
                         enum om_step step, int32_t zone_s, size_t sum_column,
                         struct om_groups *out) OM_MUST_USE;
void om_groups_deinit(struct om_groups *groups);

/**
 * A place from degrees as users write them. A box reaches as far as the grid
 * does (latitudes beyond it are cut), all four sides belong to it.
 *
 * returns  OM_E_COORD  not finite, not on earth, west of the date line to east
 *          OM_E_RANGE  south above north, west beyond east, radius < 0
 */
om_status om_place_box(double west_deg, double south_deg, double east_deg,
                       double north_deg, struct om_place *out) OM_MUST_USE;
/** Forget the trees over shapes that queries have built (tests; they are
 *  built again when needed). threads: any. */
void om_query_forget(void);

#endif
