// values.h - columns whose values tell of rows, one by one.
#ifndef OM_ENGINE_POLICY_VALUES_H
#define OM_ENGINE_POLICY_VALUES_H

#include "engine/snapshot.h"

/** Values up to which a column is one of kinds. */
#define OM_KINDS_MOST 1000

/**
 * Does a list of a column's values tell of rows as a list of rows does?
 *
 * It does of ids, of texts and of times; of a category with more values than
 * kinds, or with more than half as many as there are rows; of whole numbers
 * that reach over more than so many. It does not of units, of true and false,
 * and of all else. Of the whole layer, whichever rows are asked for: lists of
 * few are put together.
 *
 * returns  OM_E_DAMAGED
 * cost     a look at each block of rows, of numbers
 * test     tests/web/rights_values.test.mjs
 */
om_status om_column_lists(const struct om_layer *layer, size_t column,
                          bool *out) OM_MUST_USE;

#endif
