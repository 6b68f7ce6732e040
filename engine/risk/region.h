// region.h - what belongs to the city: the units of its coarsest level.
#ifndef OM_ENGINE_RISK_REGION_H
#define OM_ENGINE_RISK_REGION_H

#include "engine/shape/shape.h"
#include "engine/snapshot.h"

/**
 * The city's area, for om_risk_sweep: all units of the coarsest level that has
 * any. NULL where the city has no units.
 *
 * owns     *out: om_partition_free; keeps nothing of the snapshot
 * cost     linear in the vertices: 33 towns in a few milliseconds
 */
om_status om_risk_region_new(const struct om_snapshot *snapshot,
                             struct om_partition **out) OM_MUST_USE;

#endif
