// persons.h - columns whose values are single persons.
#ifndef OM_ENGINE_POLICY_PERSONS_H
#define OM_ENGINE_POLICY_PERSONS_H

#include "engine/snapshot.h"

/**
 * Are a column's values single persons, and not kinds that many share? Then to
 * count by it tells of each of them, however large the groups are.
 *
 * They are where it is a text; where it is called like a layer about persons;
 * and of a category where a value is an id of such a layer, or where there are
 * more values than kinds. Other numbers and times are shared.
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
