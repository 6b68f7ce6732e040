// cover_internal.h - choosing while not all is known.
#ifndef OM_ENGINE_REACH_COVER_INTERNAL_H
#define OM_ENGINE_REACH_COVER_INTERNAL_H

#include "engine/reach/cover.h"

/**
 * om_cover_choose among the sites that have a list; of the others only
 * at_most[s] is known, which goes into the bound.
 *
 * at_most  [sites], NULL: all sites have a list
 * work     what may be spent, as in OM_LIMIT_COVER_WORK; in and out. 0 after
 *          OM_E_COST
 * least    out: what the least of the chosen ones covers alone; 0 if there are
 *          fewer than k
 */
om_status om__cover_choose(const struct om_cover *cover, const int64_t *weight,
                           const int64_t *at_most, size_t k,
                           struct om_choice *out, uint64_t *work,
                           int64_t *least) OM_MUST_USE;

/** No way that is near is longer, straight, than this. */
double om__cover_radius_m(const struct om_travel *travel,
                          struct om_nearness near);

/**
 * What each site can cover at most: the weight of what lies within radius_m
 * straight, and of a little more.
 *
 * shapes   at_most [sites] out
 * cost     O(demands + sites * 40)
 */
om_status om__cover_at_most(const struct om_pos *site, size_t sites,
                            const uint64_t *demand, const int64_t *weight,
                            size_t demands, double radius_m,
                            int64_t *at_most) OM_MUST_USE;

#endif
