// road_net.h - which roads there are and where they meet, before writing.
#ifndef OM_DATA_SYNTH_ROAD_NET_H
#define OM_DATA_SYNTH_ROAD_NET_H

#include "data/synth/city_internal.h"

/* A stretch of the border between two quarters, along which a road may run:
 * corners [first, first + n) of the net's pool. */
struct om__chain {
    uint32_t first, n;
    uint32_t left, right;  // a cell on either side
    uint8_t rank;          // 4 towns, 3 villages, 2 grids, 1 quarters
    bool road;
};

/* From bank to bank: road, abutment, abutment, road. */
struct om__bridge {
    struct om__xy at[4];
    uint32_t left;  // a cell on the first side
    bool wide;      // over a river, not a canal
};

/* The net of roads. Chains that share a corner meet there; streets end on a
 * chain that carries a road; where land is one piece, so are its roads; and
 * every water has its bridges. */
struct om__road_net {
    uint32_t *corner;  // pool
    struct om__chain *chain;
    uint32_t chains, corners, room_chains, room_corners;
    struct om__xy (*street)[2];  // [city->streets] lengthened to the borders
    struct om__bridge *bridge;
    uint32_t bridges, room_bridges;
};

/** Decide it all; the same for the same city. owns: om__road_net_deinit */
om_status om__road_net_make(const struct om__city *city,
                            struct om__road_net *out) OM_MUST_USE;
void om__road_net_deinit(struct om__road_net *net);
/** Is there water in the cell at p? Beyond the city: no. */
bool om__wet(const struct om__city *city, struct om__xy p);

#endif
