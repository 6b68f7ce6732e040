/* told_area.c - did something change in a unit?
 *
 * Who has an area is told that a layer changed there and not where, and nothing
 * of changes elsewhere. Cells are as wide as they are told (level 18: 150 m),
 * so that one across the border counts; what is told as a whole (an import)
 * counts everywhere. Of layers about persons cells are gathered for this alone.
 */
#include <string.h>

#include "engine/live/changes.h"
#include "engine/query/query.h"
#include "web/server/server_internal.h"
#include "web/server/told.h"

struct looked_for {
    const struct om_layer *units;
    struct om_box box;  // of the unit
    struct om_hit hit;
    bool found;
};

static bool take_unit(void *ctx, const struct om_hit *hit)
{
    struct looked_for *f = ctx;
    struct om_rings rings;
    if (om_segment_rings(f->units->part[hit->part].segment, hit->row,
                         hit->row + 1, &rings))
        return false;
    f->box = rings.box[hit->row];
    f->hit = *hit;
    f->found = true;
    return false;
}

static bool is_unit(void *ctx, const struct om_hit *hit)
{
    struct looked_for *f = ctx;
    f->found = hit->part == f->hit.part && hit->row == f->hit.row;
    return !f->found;
}

static struct om_box cell_box(uint64_t code, unsigned level)
{
    const struct om_pos low = om_morton_pos(code << (64 - 2 * level));
    const uint32_t side = UINT32_MAX >> level;
    return (struct om_box){low.x, low.y, low.x + side, low.y + side};
}

static bool meets(const struct om_snapshot *snapshot, struct looked_for *f,
                  struct om_box cell)
{
    const struct om_query query = {
        .snapshot = snapshot,
        .layer = f->units,
        .place = {.kind = OM_PLACE_BOX, .box = cell}};
    if (cell.x0 > f->box.x1 || cell.x1 < f->box.x0 || cell.y0 > f->box.y1 ||
        cell.y1 < f->box.y0)
        return false;
    f->found = false;
    return om_query_each(&query, is_unit, f) != OM_OK || f->found;
}

bool om__told_in_unit(void *ctx, const char *level, const char *unit,
                      const struct om__told_layer *told)
{
    struct om_server *server = ctx;
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    struct looked_for f = {
        .units = snapshot ? om_snapshot_units(snapshot, level) : NULL};
    bool in = !told->level || !f.units;
    if (!in) {
        const struct om_query query = {
            .snapshot = snapshot,
            .layer = f.units,
            .place = {.kind = OM_PLACE_ID, .id = unit, .id_len = strlen(unit)}};
        uint64_t code[OM__TOLD_CELLS];
        const size_t n = om__told_cells(told, OM_CHANGE_LEVEL, code);
        const om_status st = om_query_each(&query, take_unit, &f);
        const bool there = !st && f.found;
        // A unit that is not there has nothing in it.
        in = st && st != OM_E_NOTFOUND;
        for (size_t i = 0; i < n && there && !in; i++)
            in = meets(snapshot, &f, cell_box(code[i], told->level));
    }
    om_snapshot_unref(snapshot);
    return in;
}
