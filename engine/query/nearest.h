// nearest.h - the K rows nearest to a position.
#ifndef OM_ENGINE_QUERY_NEAREST_H
#define OM_ENGINE_QUERY_NEAREST_H

#include "engine/query/place.h"

/* Hits by distance, then id. Zero is a valid empty list. */
struct om__nearest {
    struct om_hit *hit;  // owned
    size_t count;
};

/**
 * Find the `place->nearest` rows that count nearest to place->pos.
 *
 * returns  OM_E_RANGE (none asked for), OM_E_COST (over OM_LIMIT_NEAREST),
 *          OM_E_MEMORY, OM_E_DAMAGED
 * owns     om__nearest_deinit
 */
om_status om__nearest_find(const struct om_place *place,
                           const struct om_layer *layer,
                           const struct om_selection *selection,
                           struct om__nearest *out) OM_MUST_USE;
void om__nearest_deinit(struct om__nearest *nearest);

#endif
