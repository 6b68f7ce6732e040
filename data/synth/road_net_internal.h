// road_net_internal.h - what the files that plan the roads share.
#ifndef OM_DATA_SYNTH_ROAD_NET_INTERNAL_H
#define OM_DATA_SYNTH_ROAD_NET_INTERNAL_H

#include "data/synth/road_net.h"

/* While the net is made: at each corner of the mesh the borders that leave
 * it, and how many roads pass. */
struct om__junction {
    uint32_t to[3], chain[3];
    uint8_t n, roads;
};
struct om__net_work {
    const struct om__city *city;
    struct om__road_net *net;
    struct om__junction *junction;  // [2 * cells]
    uint32_t *piece;                // [2 * cells] union-find over corners
};

/** The piece that a corner belongs to. */
uint32_t om__piece_of(struct om__net_work *work, uint32_t corner);
/** Join two pieces; false if they are one. */
bool om__piece_join(struct om__net_work *work, uint32_t a, uint32_t b);

/** Lengthen every street to the borders of its quarter, and see that one of
 *  these carries a road. */
om_status om__net_streets(struct om__net_work *work) OM_MUST_USE;
/** Bridges: every so often, and where they join what is not joined. */
om_status om__net_bridges(struct om__net_work *work) OM_MUST_USE;
/** Put a road on a chain. */
void om__net_open(struct om__net_work *work, uint32_t chain);

#endif
