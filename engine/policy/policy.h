// policy.h - a snapshot as somebody may see it: the rule, applied once.
#ifndef OM_ENGINE_POLICY_POLICY_H
#define OM_ENGINE_POLICY_POLICY_H

#include "engine/policy/role.h"
#include "engine/snapshot.h"

/**
 * The snapshot as a role sees it, of a unit if the role has an area: whatever
 * is asked of it afterwards obeys, as what is hidden is not in it.
 *
 * Layers that the role does not see are left out. Of the others, columns that
 * are not shown are hidden (om_schema_find does not find them); rows outside
 * the unit are not selected (om_select), where the layer has a column of the
 * level or is the level's own; of levels above there is the one unit that it
 * lies in; and a layer about single persons says that it
 * may only be counted (rights.crowds). A layer of which nothing is hidden is
 * the same as before, serial and all, and shares all caches.
 *
 * level, unit  "town" and its id; both "" where the role has no area
 * still    what is about persons is told of this one to whoever only counts it
 *          (engine/policy/still.h); NULL: of the snapshot itself
 * returns  OM_E_NOTFOUND: there is no such level
 * owns     *out: om_snapshot_unref; it holds `snapshot`
 * cost     microseconds a layer
 * test     tests/web/rights.test.mjs
 */
om_status om_snapshot_restrict(struct om_snapshot *snapshot,
                               const struct om_role *role, const char *level,
                               const char *unit, struct om_snapshot *still,
                               struct om_snapshot **out,
                               struct om_err *err) OM_MUST_USE;
/**
 * The same snapshot with rows outside the area dead, for what walks over parts
 * instead of asking (coverage): dear, and for one question. The snapshot itself
 * (a reference more) where no layer has an area.
 * cost     4 bytes a row outside
 */
om_status om_snapshot_narrow(struct om_snapshot *snapshot,
                             struct om_snapshot **out) OM_MUST_USE;
/** Is a row in the layer's area? For those few who find rows by other means
 *  than om_select. cost: a look at a column */
om_status om_row_seen(const struct om_layer *layer, size_t part, size_t row,
                      bool *seen) OM_MUST_USE;
/**
 * Is a row of that id in the layer's area? An id that is nowhere costs what one
 * outside does: of each part one id and one unit are read whatever is found,
 * so that the time an answer takes tells nobody which ids there are.
 * *reads: texts that were read, may be NULL
 */
om_status om_id_seen(const struct om_layer *layer, const char *id, size_t len,
                     bool *seen, size_t *reads) OM_MUST_USE;
/** Is a layer about single persons ("personal": true in city.json)? */
bool om_layer_personal(const struct om_manifest *city, const char *layer);
/** The column of a layer that says whose doing its rows are, as city.json names
 *  it ("person"); NULL: it does not (engine/policy/doers.h). */
const char *om_layer_person(const struct om_manifest *city, const char *layer);
/** Is a column about single persons ("personal_columns" of the layer)? */
bool om_column_personal(const struct om_manifest *city, const char *layer,
                        const char *column);
/** Does the city say that a column's values are kinds that many rows share
 *  ("kinds" of the layer; what its rows are coloured by, "picture_by")? */
bool om_column_kinds(const struct om_manifest *city, const char *layer,
                     const char *column);

#endif
