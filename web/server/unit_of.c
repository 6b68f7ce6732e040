// unit_of.c - one unit of a level, and what meets it.
#include "web/server/unit_of.h"

#include <string.h>

static bool take_unit(void *ctx, const struct om_hit *hit)
{
    struct om__unit_of *u = ctx;
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
    struct om__unit_of *u = ctx;
    u->found = hit->part == u->hit.part && hit->row == u->hit.row;
    return !u->found;
}

om_status om__unit_find(const struct om_snapshot *city, const char *level,
                        const char *id, struct om__unit_of *out)
{
    *out = (struct om__unit_of){.units = om_snapshot_units(city, level)};
    const struct om_query query = {
        .snapshot = city,
        .layer = out->units,
        .place = {.kind = OM_PLACE_ID, .id = id, .id_len = strlen(id)}};
    if (!out->units) return OM_E_NOTFOUND;
    const om_status st = om_query_each(&query, take_unit, out);
    return !st && !out->found ? OM_E_NOTFOUND : st;
}

bool om__unit_meets(const struct om_snapshot *city, struct om__unit_of *u,
                    struct om_box box)
{
    const struct om_query query = {.snapshot = city,
                                   .layer = u->units,
                                   .place = {.kind = OM_PLACE_BOX, .box = box}};
    if (box.x0 > u->box.x1 || box.x1 < u->box.x0 || box.y0 > u->box.y1 ||
        box.y1 < u->box.y0)
        return false;
    u->found = false;
    return om_query_each(&query, is_unit, u) != OM_OK || u->found;
}
