/* told_area.c - did something change in a unit?
 *
 * Who has an area is told that a layer changed there and not where, and nothing
 * of changes elsewhere. Cells are as wide as they are told (level 18: 150 m),
 * so that one across the border counts; what is told as a whole (an import)
 * counts everywhere. Of layers about persons cells are gathered for this alone.
 */
#include "engine/live/changes.h"
#include "web/server/server_internal.h"
#include "web/server/told.h"
#include "web/server/unit_of.h"

static struct om_box cell_box(uint64_t code, unsigned level)
{
    const struct om_pos low = om_morton_pos(code << (64 - 2 * level));
    const uint32_t side = UINT32_MAX >> level;
    return (struct om_box){low.x, low.y, low.x + side, low.y + side};
}

bool om__told_in_unit(void *ctx, const char *level, const char *unit,
                      const struct om__told_layer *told)
{
    struct om_server *server = ctx;
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    struct om__unit_of u;
    bool in = !told->level || !snapshot || !om_snapshot_units(snapshot, level);
    const om_status st = in ? OM_OK : om__unit_find(snapshot, level, unit, &u);
    // A unit that is not there has nothing in it.
    if (st) in = st != OM_E_NOTFOUND;
    if (!st && !in) {
        uint64_t code[OM__TOLD_CELLS];
        const size_t n = om__told_cells(told, OM_CHANGE_LEVEL, code);
        for (size_t i = 0; i < n && !in; i++)
            in = om__unit_meets(snapshot, &u, cell_box(code[i], told->level));
    }
    om_snapshot_unref(snapshot);
    return in;
}
