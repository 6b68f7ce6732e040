// place_params.c - which rows by where they are: a box, a polygon, or what is
// near.
#include <string.h>

#include "engine/shape/shape.h"
#include "web/server/params.h"
#include "web/server/server_internal.h"

/* Metres on the ground: a city and its neighbours. */
#define RADIUS_LEAST_M 1.0
#define RADIUS_MOST_M 200e3

om_status om__param_rings(struct om__request *r, const char *text, size_t len,
                          struct om_place *out)
{
    struct om_arena *arena = &om__lane(r->server)->arena;
    struct om_rings *rings = om_arena_calloc(arena, 1, sizeof *rings);
    if (!rings) return OM_E_MEMORY;
    OM_TRY(om_rings_parse(text, len, arena, rings, &r->err));
    out->kind = OM_PLACE_WITHIN;
    out->rings = rings;
    return OM_OK;
}

static om_status read_within(struct om__request *r, struct om_place *out)
{
    const struct om_param *p = om_address_param(&r->address, "within");
    const om_status st = om__param_rings(r, p->value, p->len, out);
    if (st && st != OM_E_MEMORY) r->parameter = "within";
    return st;
}

static om_status read_near(struct om__request *r, struct om_place *out)
{
    const char *text = om__param_text(r, "near");
    double at[2], radius_m = 0;
    if (!om__param_text(r, "radius"))
        return om__param_bad(r, "radius", OM_E_FORMAT,
                             "near needs a radius, metres on the ground");
    OM_TRY(
        om__param_real(r, "radius", RADIUS_LEAST_M, RADIUS_MOST_M, &radius_m));
    if (om__reals_read(text, 2, at) != 2 || at[0] < -180 || at[0] > 180 ||
        om_pos_from_lonlat(at[0], at[1], &out->pos))
        return om__param_bad(r, "near", OM_E_COORD,
                             "near is LON,LAT in degrees");
    out->kind = OM_PLACE_RADIUS;
    out->radius_m = radius_m;
    return OM_OK;
}

om_status om__param_place(struct om__request *r,
                          om_status (*box)(struct om__request *,
                                           struct om_place *),
                          struct om_place *out)
{
    static const char *const one_of[] = {"bbox", "within", "near"};
    const char *given = NULL;
    for (size_t i = 0; i < sizeof one_of / sizeof *one_of; i++) {
        if (!om__param_text(r, one_of[i])) continue;
        if (given)
            return om__param_bad(r, one_of[i], OM_E_FORMAT,
                                 "only one of bbox, within and near");
        given = one_of[i];
    }
    if (om__param_text(r, "radius") && !om__param_text(r, "near"))
        return om__param_bad(r, "radius", OM_E_FORMAT,
                             "radius goes with near=LON,LAT");
    if (given && !strcmp(given, "within")) return read_within(r, out);
    if (given && !strcmp(given, "near")) return read_near(r, out);
    return box(r, out);
}
