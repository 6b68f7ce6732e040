/* needs_area.c - where in an area an answer looks.
 *
 * DESIGN
 * Whoever has an area is answered from its rows alone. An answer that depended
 * on a box beside it would have another ETag when a row there changes, and so
 * tell where somebody's house was written to. So a box is cut to the area's,
 * and where it does not meet the area's outline it is nowhere. A box that the
 * outline crosses stays: of a strip along the border it is told that something
 * changed in a tile, not where in it.
 */
#include <string.h>

#include "engine/query/query.h"
#include "web/server/needs.h"

struct unit {
    const struct om_layer *units;
    struct om_hit hit;
    struct om_box box;
    bool found;
};

static bool take_unit(void *ctx, const struct om_hit *hit)
{
    struct unit *u = ctx;
    struct om_rings rings;
    if (om_segment_rings(u->units->part[hit->part].segment, hit->row,
                         hit->row + 1, &rings))
        return false;
    u->hit = *hit;
    u->box = rings.box[hit->row];
    u->found = true;
    return false;
}

static bool is_unit(void *ctx, const struct om_hit *hit)
{
    struct unit *u = ctx;
    u->found = hit->part == u->hit.part && hit->row == u->hit.row;
    return !u->found;
}

static bool find_unit(const struct om_snapshot *city, const char *level,
                      const char *id, struct unit *out)
{
    *out = (struct unit){.units = om_snapshot_units(city, level)};
    const struct om_query query = {
        .snapshot = city,
        .layer = out->units,
        .place = {.kind = OM_PLACE_ID, .id = id, .id_len = strlen(id)}};
    return out->units && !om_query_each(&query, take_unit, out) && out->found;
}

static bool meets(const struct om_snapshot *city, struct unit *u,
                  struct om_box box)
{
    const struct om_query query = {.snapshot = city,
                                   .layer = u->units,
                                   .place = {.kind = OM_PLACE_BOX, .box = box}};
    u->found = false;
    return om_query_each(&query, is_unit, u) != OM_OK || u->found;
}

struct om_box om__needs_in_area(const struct om__request *r, const char *layer,
                                struct om_box box)
{
    const struct om_layer *l = om_snapshot_layer(r->snapshot, layer);
    struct unit unit;
    // Shapes may lie beyond the unit that they are in; who follows people has
    // rows of another kind.
    if (!l || !l->rights.area || l->schema.geometry != OM_GEOMETRY_POINT ||
        l->rights.area_column + l->unit_columns < l->schema.count ||
        l->rights.by_level ||
        !find_unit(r->whole, l->schema.field[l->rights.area_column].name,
                   l->rights.area_unit, &unit))
        return box;
    if (box.x0 < unit.box.x0) box.x0 = unit.box.x0;
    if (box.y0 < unit.box.y0) box.y0 = unit.box.y0;
    if (box.x1 > unit.box.x1) box.x1 = unit.box.x1;
    if (box.y1 > unit.box.y1) box.y1 = unit.box.y1;
    return box.x0 <= box.x1 && box.y0 <= box.y1 && meets(r->whole, &unit, box)
               ? box
               : OM__NOWHERE;
}
