// border_internal.h - a network of borders while it is ranked.
#ifndef OM_TILES_VECTOR_BORDER_INTERNAL_H
#define OM_TILES_VECTOR_BORDER_INTERNAL_H

#include "tiles/vector/vector_internal.h"

#define OM__NO_NODE UINT32_MAX

/* A stretch of vertices that edges join; borrowed. */
struct om__strand {
    const struct om_pos *at;
    size_t n;
    bool closed;
};

struct om__net {
    struct om__borders *b;
    struct om_buf strand;  // struct om__strand
    size_t vertices;       // of all strands
    uint32_t *node;        // [vertices]
    unsigned level;        // om__rank_level
    uint32_t *a, *c;  // of each node: two neighbours, OM__NO_NODE: none yet
    bool *fixed;      // stays
    bool *gone;
};

/** Find the first zoom of every node. returns OM_E_MEMORY */
om_status om__net_rank(struct om__net *net) OM_MUST_USE;

#endif
