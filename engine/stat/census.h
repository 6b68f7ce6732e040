// census.h - counts and sums of a layer's rows by area, slice of time and kind,
// in one pass.
#ifndef OM_ENGINE_STAT_CENSUS_H
#define OM_ENGINE_STAT_CENSUS_H

#include "engine/stat/zones.h"

/** Numbers in a tally (areas x slices x kinds). More are OM_E_COST. */
#define OM_CENSUS_MOST ((size_t)1 << 26)
/** Kinds that one tally tells apart. */
#define OM_CENSUS_KINDS_MOST 64

struct om_census_ask {
    const struct om_layer *layer;
    const struct om_selection *selection;  // of it
    const struct om_zones *areas;
    size_t weight_column;  // OM_NO_FIELD: every row weighs 1; NULL weighs 0
    // Slice t holds times in [bound[t], bound[t + 1]); rising. 0 slices: one
    // for all rows, with or without a time.
    size_t slices;
    const int64_t *bound;
    // A text column whose values are kinds; OM_NO_FIELD: one kind.
    size_t kind_column;
};

/* count and sum are [kinds][slices][areas]. Without weights sum is count. */
struct om_census {
    size_t kinds, slices, areas;
    double *count, *sum;
    const char **kind;  // [kinds] sorted bytewise; NULL without a column
    uint64_t rows;      // that were selected and lie in a slice
    uint64_t outside;   // of them, in no area
    struct om_arena arena;
};

/**
 * Count.
 *
 * returns  OM_E_NOTFOUND (no unit column of the level, or no time column),
 *          OM_E_TYPE (weight is no number, kind no text), OM_E_COST,
 *          OM_E_DAMAGED, OM_E_MEMORY
 * owns     om_census_deinit
 * threads  parallel where sums are of whole numbers; sums of reals are made
 *          in the order of the rows by one thread
 * cost     some 3 ns a row and thread; hexagons 15
 * test     tests/engine/test_census.c
 */
om_status om_census_make(const struct om_census_ask *ask,
                         struct om_census *out) OM_MUST_USE;
void om_census_deinit(struct om_census *tally);

static inline const double *om_census_counts(const struct om_census *t,
                                             size_t kind, size_t slice)
{
    return t->count + (kind * t->slices + slice) * t->areas;
}
static inline const double *om_census_sums(const struct om_census *t,
                                           size_t kind, size_t slice)
{
    return t->sum + (kind * t->slices + slice) * t->areas;
}

/** Smallest and largest time of the selected rows; false if none has one. */
om_status om_census_times(const struct om_layer *layer,
                          const struct om_selection *selection, int64_t *least,
                          int64_t *most, bool *any) OM_MUST_USE;

#endif
