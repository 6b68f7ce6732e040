// roads_water.c - shores, and whether a straight way crosses them.
#include <math.h>

#include "data/base/alloc.h"
#include "engine/reach/roads_internal.h"
#include "engine/shape/exact.h"

#define SQUARE_SHIFT 13
/* A way that ends on a shore does not cross it: both its ends are drawn in by
 * so many cells (3 cm) before it is judged. */
#define DRAWN_IN 3.0

static size_t shores_of(const struct om_rings *rings, size_t row)
{
    const uint32_t first = rings->part_ring[rings->shape_part[row]];
    const uint32_t end = rings->part_ring[rings->shape_part[row + 1]];
    return rings->ring_vertex[end] - rings->ring_vertex[first];
}

static void add_polygon(const struct om_rings *rings, size_t row,
                        struct om_roads *roads)
{
    const uint32_t first = rings->part_ring[rings->shape_part[row]];
    const uint32_t end = rings->part_ring[rings->shape_part[row + 1]];
    for (uint32_t r = first; r < end; r++) {
        const uint32_t v = rings->ring_vertex[r];
        const uint32_t n = rings->ring_vertex[r + 1] - v;
        for (uint32_t i = 0; i < n; i++) {
            roads->shore_of[roads->shores] = (uint32_t)roads->waters;
            roads->shore[roads->shores++] = (struct om__stretch){
                rings->vertex[v + i], rings->vertex[v + (i + 1) % n]};
        }
    }
    roads->shore_end[roads->waters++] = roads->shores;
}

/* Counts with `roads` NULL, else adds; both see the same rows. */
static om_status each_water(const struct om_layer *water,
                            const struct om_selection *wet, size_t *shores,
                            size_t *waters, struct om_roads *roads)
{
    for (size_t p = 0; p < water->parts; p++) {
        struct om_rings rings;
        const size_t rows = om_segment_rows(water->part[p].segment);
        OM_TRY(om_segment_rings(water->part[p].segment, 0, rows, &rings));
        for (size_t row = 0; row < rows; row++) {
            if (wet && !om_selection_has(wet, p, row)) continue;
            if (roads) {
                add_polygon(&rings, row, roads);
            } else {
                *shores += shores_of(&rings, row);
                *waters += 1;
            }
        }
    }
    return OM_OK;
}

om_status om__shores_read(const struct om_layer *water,
                          const struct om_selection *wet,
                          struct om_roads *roads)
{
    size_t shores = 0, waters = 0;
    OM_TRY(each_water(water, wet, &shores, &waters, NULL));
    roads->shore = om_alloc_array(shores + 1, sizeof *roads->shore);
    roads->shore_of = om_alloc_array(shores + 1, sizeof *roads->shore_of);
    roads->shore_end = om_alloc_array(waters + 1, sizeof *roads->shore_end);
    if (!roads->shore || !roads->shore_of || !roads->shore_end)
        return OM_E_MEMORY;
    OM_TRY(each_water(water, wet, NULL, NULL, roads));
    return om__buckets_make(roads->shore, roads->shores, SQUARE_SHIFT,
                            &roads->bank);
}

/* Does the place lie in this water? Every shore of it is looked at: only the
 * few places whose way meets one ask. */
static bool lies_in(const struct om_roads *roads, uint32_t water,
                    struct om_pos at)
{
    bool in = false;
    for (size_t i = water ? roads->shore_end[water - 1] : 0;
         i < roads->shore_end[water]; i++)
        in ^= om__crosses_right(roads->shore[i].a, roads->shore[i].b, at);
    return in;
}

static struct om_pos rounded(double x, double y)
{
    x = fmin(fmax(x + 0.5, 0.0), (double)UINT32_MAX);
    y = fmin(fmax(y + 0.5, 0.0), (double)UINT32_MAX);
    return (struct om_pos){(uint32_t)x, (uint32_t)y};
}

bool om__dry_between(const struct om_roads *roads, struct om_pos from,
                     double to_x, double to_y)
{
    const double dx = to_x - from.x, dy = to_y - from.y;
    const double cells = sqrt(dx * dx + dy * dy);
    if (roads->shores == 0 || cells <= 2 * DRAWN_IN) return true;
    const double in = DRAWN_IN / cells;
    const struct om_pos a = rounded(from.x + in * dx, from.y + in * dy);
    const struct om_pos b = rounded(to_x - in * dx, to_y - in * dy);
    const struct om__squares q =
        om__squares_of(&roads->bank, om__edge_box(a, b));
    for (int64_t row = q.row; row < q.row_end; row++)
        for (int64_t col = q.col; col < q.col_end; col++) {
            const size_t square = (size_t)row * roads->bank.cols + (size_t)col;
            for (uint32_t i = roads->bank.start[square];
                 i < roads->bank.start[square + 1]; i++) {
                const uint32_t s = roads->bank.item[i];
                if (om__edges_meet(a, b, roads->shore[s].a,
                                   roads->shore[s].b) &&
                    !lies_in(roads, roads->shore_of[s], from))
                    return false;
            }
        }
    return true;
}
