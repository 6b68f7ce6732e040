// coverage_few.h - what coverage tells those who may only count persons.
#ifndef OM_WEB_COVERAGE_FEW_H
#define OM_WEB_COVERAGE_FEW_H

#include <math.h>

#include "web/coverage_internal.h"

/* What is kept from who asks. Figures of persons, and what follows from
 * columns about them, are then told of units that have many enough, and of
 * whole months that are over, in tens: so that two answers, of two levels, two
 * periods or two moments, never differ by somebody. Zero hides nothing. */
struct om__veil {
    uint64_t least;  // persons below that are not told of; 0: nothing is hidden
    bool persons;    // workers may only be counted
    bool levels;     // what houses are owed tells their level, which is hidden
    const struct om_layer *layer;  // one of those that are hidden
};
/** What is hidden of a duty from whoever asks. */
struct om__veil om__veil_of(const struct om_duty *duty);
/** OM_E_FORMAT, naming the option, unless the window is of whole months before
 *  the running one, judged now. */
om_status om__veil_window(struct om_coverage *question,
                          const struct om__veil *veil, int64_t from_s,
                          int64_t to_s, int64_t at_s) OM_MUST_USE;
/** Is the level no finer than persons are counted by? Where `by` was not given
 * it becomes that. OM_E_NOTFOUND, and question->refused, if it is finer. */
om_status om__veil_level(struct om_coverage *question,
                         const struct om__veil *veil,
                         const char **level) OM_MUST_USE;
/**
 * Which units have too few to be told of, and which others would tell of them:
 * decided from the coarsest level down, as /stats does (web/small.h).
 *
 * shapes   count, hidden [units->count + 1]; the last are in no unit
 * returns  OM_E_MEMORY, OM_E_DAMAGED
 * cost     reading the units of all coarser levels
 */
om_status om__veil_units(const struct om_coverage *question,
                         const struct om__veil *veil,
                         const struct om_units *units, const uint64_t *count,
                         bool *hidden) OM_MUST_USE;
/** Is a figure neither nothing nor many enough? */
static inline bool om__veil_few(const struct om__veil *veil, double figure)
{
    return veil->least && figure > 0 && figure < (double)veil->least;
}
/** The nearest multiple of `least`; as it is where nothing is hidden. */
static inline uint64_t om__veil_round(const struct om__veil *veil, uint64_t n)
{
    return veil->least ? (n + veil->least / 2) / veil->least * veil->least : n;
}

#endif
