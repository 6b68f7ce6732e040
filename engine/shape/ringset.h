// ringset.h - rings of many shapes while they are still being worked on.
#ifndef OM_ENGINE_SHAPE_RINGSET_H
#define OM_ENGINE_SHAPE_RINGSET_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/* In cells of the grid, as in batch.h; whole numbers once rounded. */
struct om__xy {
    double x, y;
};

/* Ragged as om_shapes, but growing: ring i ends before vertex ring_end[i] and
 * begins where the one before it ends; parts and shapes likewise. Zero is a
 * valid empty one. */
struct om__ringset {
    struct om__xy *vertex;
    uint32_t *ring_end, *part_end, *shape_end;
    size_t vertices, rings, parts, shapes;
    size_t vertex_room, ring_room, part_room, shape_room;
};

/* How long a ringset was at some moment. */
struct om__mark {
    size_t vertices, rings, parts;
};

void om__ringset_deinit(struct om__ringset *set);
void om__ringset_clear(struct om__ringset *set);
/** All returns: OM_E_MEMORY; OM_E_LIMIT beyond 2^32 - 1 of anything. */
om_status om__ringset_add(struct om__ringset *set,
                          struct om__xy vertex) OM_MUST_USE;
om_status om__ringset_end_ring(struct om__ringset *set) OM_MUST_USE;
om_status om__ringset_end_part(struct om__ringset *set) OM_MUST_USE;
om_status om__ringset_end_shape(struct om__ringset *set) OM_MUST_USE;

static inline struct om__mark om__ringset_mark(const struct om__ringset *set)
{
    return (struct om__mark){set->vertices, set->rings, set->parts};
}
/** Forget what was added since `mark`. */
static inline void om__ringset_cut(struct om__ringset *set,
                                   struct om__mark mark)
{
    set->vertices = mark.vertices;
    set->rings = mark.rings;
    set->parts = mark.parts;
}
static inline size_t om__ring_first(const struct om__ringset *set, size_t ring)
{
    return ring ? set->ring_end[ring - 1] : 0;
}
static inline size_t om__part_first(const struct om__ringset *set, size_t part)
{
    return part ? set->part_end[part - 1] : 0;
}
static inline size_t om__shape_first(const struct om__ringset *set,
                                     size_t shape)
{
    return shape ? set->shape_end[shape - 1] : 0;
}

#endif
