// contain.c - is a position inside a polygon? Crossings of one ray, exactly.
#include "engine/shape/exact.h"
#include "engine/shape/shape.h"

static bool ring_crosses(const struct om_pos *vertex, size_t n,
                         struct om_pos pos)
{
    bool odd = false;
    for (size_t i = 0, last = n - 1; i < n; last = i++)
        odd ^= om__crosses_right(vertex[last], vertex[i], pos);
    return odd;
}

bool om_rings_contain(const struct om_rings *rings, size_t shape,
                      struct om_pos pos)
{
    if (!om__box_has(rings->box[shape], pos)) return false;
    const uint32_t first = rings->part_ring[rings->shape_part[shape]];
    const uint32_t end = rings->part_ring[rings->shape_part[shape + 1]];
    bool inside = false;
    for (uint32_t r = first; r < end; r++) {
        const uint32_t from = rings->ring_vertex[r];
        const uint32_t n = rings->ring_vertex[r + 1] - from;
        if (n) inside ^= ring_crosses(rings->vertex + from, n, pos);
    }
    return inside;
}
