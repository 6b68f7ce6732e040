// intersect.c - do two shapes share a point? Edges first, then containment.
#include "engine/shape/exact.h"
#include "engine/shape/shape.h"

/* DESIGN
 * If no two edges meet, each ring of one lies wholly inside or wholly outside
 * the other, so one vertex speaks for it; and that vertex lies on no edge, so
 * it does not matter that om_rings_contain looks beside the position. */

struct reach {
    uint32_t first, end;  // rings
};

static struct reach rings_of(const struct om_rings *rings, size_t shape)
{
    return (struct reach){rings->part_ring[rings->shape_part[shape]],
                          rings->part_ring[rings->shape_part[shape + 1]]};
}

/* Does the edge c-d meet one of the shape's? */
static bool meets_edges(const struct om_rings *rings, size_t shape, bool closed,
                        struct om_pos c, struct om_pos d)
{
    const struct reach reach = rings_of(rings, shape);
    for (uint32_t r = reach.first; r < reach.end; r++) {
        const uint32_t from = rings->ring_vertex[r];
        const uint32_t end = rings->ring_vertex[r + 1];
        for (uint32_t i = from; i < end; i++) {
            if (!closed && i + 1 == end) break;
            const struct om_pos b = rings->vertex[i + 1 < end ? i + 1 : from];
            if (om__edges_meet(rings->vertex[i], b, c, d)) return true;
        }
    }
    return false;
}

/* Is the first vertex of any part of `a` inside polygon `b`? */
static bool part_inside(const struct om_rings *ra, size_t a,
                        const struct om_rings *rb, size_t b)
{
    for (uint32_t p = ra->shape_part[a]; p < ra->shape_part[a + 1]; p++)
        for (uint32_t r = ra->part_ring[p]; r < ra->part_ring[p + 1]; r++)
            if (ra->ring_vertex[r] < ra->ring_vertex[r + 1] &&
                om_rings_contain(rb, b, ra->vertex[ra->ring_vertex[r]]))
                return true;
    return false;
}

bool om_rings_intersect(const struct om_rings *ra, size_t a,
                        enum om_geometry geometry, const struct om_rings *rb,
                        size_t b)
{
    if (!om__boxes_meet(ra->box[a], rb->box[b])) return false;
    const bool closed = geometry == OM_GEOMETRY_POLYGON;
    const struct reach reach = rings_of(rb, b);
    for (uint32_t r = reach.first; r < reach.end; r++) {
        const uint32_t from = rb->ring_vertex[r], end = rb->ring_vertex[r + 1];
        for (uint32_t i = from; i < end; i++) {
            const struct om_pos c = rb->vertex[i];
            const struct om_pos d = rb->vertex[i + 1 < end ? i + 1 : from];
            if (om__boxes_meet(om__edge_box(c, d), ra->box[a]) &&
                meets_edges(ra, a, closed, c, d))
                return true;
        }
    }
    return part_inside(ra, a, rb, b) || (closed && part_inside(rb, b, ra, a));
}
