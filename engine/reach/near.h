// near.h - the nearest of some places for each of many, straight.
#ifndef OM_ENGINE_REACH_NEAR_H
#define OM_ENGINE_REACH_NEAR_H

#include "data/base/status.h"
#include "data/model/pos.h"

struct om_near;

/** A tree over places. owns: *out, om_near_free; keeps nothing of pos.
 *  returns OM_E_MEMORY, OM_E_LIMIT (2^32 - 2 places) */
om_status om_near_new(const struct om_pos *pos, size_t count,
                      struct om_near **out) OM_MUST_USE;
void om_near_free(struct om_near *near);

/** No place: the tree is empty. */
#define OM_NO_PLACE UINT32_MAX

/**
 * The nearest place by geodesic (om_ground_m); of equally near ones the one
 * with the lowest number.
 *
 * shapes   place, m [count] out; where the tree is empty OM_NO_PLACE and
 *          infinity
 * units    key Morton codes, any order (near ones after another are faster);
 *          metres
 * cost     1.7 M positions, 597 places: about 0.3 s on two cores
 * test     tests/engine/test_reach.c   bench  benchmarks/engine/bench_reach.c
 */
om_status om_near_join(const struct om_near *near, const uint64_t *key,
                       size_t count, uint32_t *place, double *m) OM_MUST_USE;

#endif
