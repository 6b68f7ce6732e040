// small.h - which units' counts of persons may be told.
#ifndef OM_WEB_SMALL_H
#define OM_WEB_SMALL_H

#include "engine/query/query.h"
#include "engine/units.h"

/* The units of a level, how many rows lie in each, and which counts are not
 * told. Zero is a valid empty one. */
struct om_small_units {
    struct om_units units;
    uint64_t *count;  // [units.count + 1], owned; the last lie in no unit
    uint64_t *made;   // the same of who makes them: rows that make a sum, or
                      // whose doing rows are (engine/policy/doers.h); NULL:
                      // each row
    bool *hidden;     // [units.count], owned
    bool nowhere_hidden;
};
/**
 * Count the rows of a question by the units of a level and decide, from the
 * coarsest level down, what is hidden: counts of all levels may be told beside
 * each other. Of a layer whose rows are somebody's doing persons are counted,
 * beside rows. `level` is one of the manifest's.
 *
 * returns  OM_E_NOTFOUND: the layer's rows lie in no such units
 * owns     om_small_units_deinit; the snapshot must stay held
 * cost     reading the units of all levels from the coarsest to this
 */
om_status om_small_units_make(const struct om_query *query, const char *level,
                              uint64_t least, struct om_small_units *out,
                              struct om_err *err) OM_MUST_USE;
/** The same of a sum of a column: also hidden is what few of the rows make, or
 *  none of them (it would tell of each). The question has no filter. */
om_status om_small_sums_make(const struct om_query *query, size_t sum,
                             const char *level, uint64_t least,
                             struct om_small_units *out,
                             struct om_err *err) OM_MUST_USE;
/** How many persons are behind a question's `count` rows: those whose doing
 * they are, or as many as rows. */
om_status om_small_doers(const struct om_query *query, uint64_t count,
                         uint64_t *out) OM_MUST_USE;
/** Do few of a question's `count` rows make the sum of a column, or none? */
om_status om_small_sum_few(const struct om_query *query, size_t sum,
                           uint64_t count, bool *few) OM_MUST_USE;
void om_small_units_deinit(struct om_small_units *small);
/** Must the unit's count be hidden? One that is not known is; id NULL: of rows
 *  that lie in none. */
bool om_small_units_hide(const struct om_small_units *small, const char *id,
                         size_t len);

/** A column by its name, also one that is hidden from whoever asks but may be
 *  added up (*veiled); OM_NO_FIELD: none. */
size_t om_small_weight(const struct om_layer *layer, const char *name,
                       bool *veiled);

#endif
