/* touched.c - what is drawn otherwise because of what was written beside it.
 *
 * DESIGN
 * In vector tiles shapes are simplified together with those around them
 * (tiles/vector/border.c), so that one that is written may move vertices of
 * others in the same cells of level 14. ETags know that, since a tile is drawn
 * again where it may be so; whoever refreshes what /changes names must be told.
 * It is found out when it is told, of what was gathered until then and for the
 * rows that live now: not by the thread that writes, and once for many. What
 * lived then and does not now was told when it went. Rejected: comparing ranks
 * before and after, which is exact and costs a millisecond a cell.
 */
#include "engine/live/changes.h"
#include "web/server/server_internal.h"

/* Shapes that one telling looks at; for more the layer is told as a whole. */
#define SHAPES_MOST 4096

static om_status add(void *ctx, struct om_box box)
{
    om__told_add_box(ctx, box);
    return OM_OK;
}

/* Cells are taken as they were before any was added. */
static void touch_layer(struct om_server *server, const struct om_layer *layer,
                        struct om__told_layer *told)
{
    uint64_t code[OM__TOLD_CELLS];
    size_t most = SHAPES_MOST;
    const unsigned level =
        told->level < OM_VECTOR_CELL_LEVEL ? told->level : OM_VECTOR_CELL_LEVEL;
    const size_t n = om__told_cells(told, OM_VECTOR_CELL_LEVEL, code);
    om_status st = OM_OK;
    for (size_t i = 0; i < n && !st; i++) {
        const struct om_pos low = om_morton_pos(code[i] << (64 - 2 * level));
        const uint32_t side = UINT32_MAX >> level;
        const struct om_box box = {low.x, low.y, low.x + side, low.y + side};
        st = om_vector_touched(server->vectors, layer, box, &most, add, told);
    }
    if (st) om__told_add_world(told);
}

void om__told_touch(struct om_server *server, struct om__told *told)
{
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    for (size_t i = 0; i < told->layers && snapshot; i++) {
        struct om__told_layer *t = &told->layer[i];
        const struct om_layer *layer = om_snapshot_layer(snapshot, t->name);
        if (layer && layer->schema.geometry != OM_GEOMETRY_POINT && t->level)
            touch_layer(server, layer, t);
    }
    om_snapshot_unref(snapshot);
}
