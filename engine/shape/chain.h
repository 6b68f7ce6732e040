// chain.h - the edges that are left when borders that agree cancel out.
#ifndef OM_ENGINE_SHAPE_CHAIN_H
#define OM_ENGINE_SHAPE_CHAIN_H

#include "engine/shape/repair.h"

/* A sum of directed borders. An edge lies with its ends in order; `net` is how
 * often it is walked from a to b, less how often from b to a. */
struct om__chain_edge {
    struct om_pos a, b;
    int32_t net;
};
/* Zero is a valid empty one. */
struct om__chain {
    struct om__chain_edge *edge;
    size_t count, room;
};

void om__chain_deinit(struct om__chain *chain);
/** Add the border of a shape, `times` times (-1: backwards). OM_E_MEMORY. */
om_status om__chain_add(struct om__chain *chain, const struct om_rings *rings,
                        size_t shape, int32_t times) OM_MUST_USE;
/** Cancel what agrees: one entry an edge, none with net 0; sorted. */
void om__chain_cancel(struct om__chain *chain);

/* The faces into which a chain cuts the plane, as single polygons: face i is
 * part i of `set`. cover[i] is how often the shapes cover it (those taken
 * backwards count -1). The unbounded face is not among them. */
struct om__faces {
    struct om__ringset set;  // cells of the grid
    int32_t *cover;
    size_t count, room;
};
void om__faces_deinit(struct om__faces *faces);
/**
 * Cut the plane along a cancelled chain.
 *
 * Edges may cross and overlap; crossings are rounded to doubles, all other
 * vertices are the positions they were.
 *
 * returns  OM_E_MEMORY, OM_E_LIMIT, OM_E_INTERNAL (geos->message)
 * cost     O(n log n) in the edges left, and each face looks at the edges
 *          near its height
 */
om_status om__chain_faces(const struct om__chain *chain, struct om__geos *geos,
                          struct om__faces *out) OM_MUST_USE;

#endif
