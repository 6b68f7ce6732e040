// persons.h - columns whose values are single persons.
#ifndef OM_ENGINE_POLICY_PERSONS_H
#define OM_ENGINE_POLICY_PERSONS_H

#include "engine/snapshot.h"

/**
 * May a column's values be single persons, and not kinds that many share? Then
 * to count by it tells of each of them, however large the groups are.
 *
 * They may, unless the city says that they are kinds (om_column_kinds): a number
 * of a file or of a badge looks like any other. A text is never of kinds, nor a
 * category with more values than kinds, or of which one is an id of a layer
 * about persons.
 *
 * whole    the city with all its layers
 * layer    with the column, hidden or not
 * returns  OM_E_DAMAGED
 * cost     a look-up for each value and layer about persons, of 1,000 values
 *          at most
 * test     tests/web/rights_attack.test.mjs
 */
om_status om_column_singles(const struct om_snapshot *whole,
                            const struct om_layer *layer, size_t column,
                            bool *out) OM_MUST_USE;

#endif
