// reach_routes.c - /reach: how far one gets from a place in so many minutes.
#include "web/features_internal.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/ways.h"

#define MINUTES_DEFAULT 10.0
/* Above it a mesh of the lattice is larger than a block of houses. */
#define MINUTES_MOST 60.0

static om_status write_feature(const struct om__ways *ways,
                               const struct om_isochrone *iso, double minutes,
                               struct om_buf *out)
{
    om_buf_add_text(out, "{\"type\":\"Feature\",\"geometry\":");
    OM_TRY(om__shape_json(out, &iso->rings, 0, true));
    om_buf_add_text(out, ",\"properties\":{");
    om__ways_members(ways, out);
    om_buf_addf(out, ",\"minutes\":%g,\"area_km2\":", minutes);
    om_buf_add_fixed(out, iso->area_km2, 4);
    om_buf_addf(out, ",\"off\":%s}}\n", iso->off ? "true" : "false");
    return out->status;
}

om_status om__get_reach(struct om__request *r)
{
    double minutes = MINUTES_DEFAULT;
    struct om_pos at = {0};
    struct om__ways *ways = NULL;
    struct om_isochrone iso = {0};
    struct om_buf out = {0};
    OM_TRY(om__param_lonlat(r, &at));
    OM_TRY(om__param_real(r, "minutes", 1, MINUTES_MOST, &minutes));
    OM_TRY(om__ways_get(r, &ways));
    if (r->later) return OM_OK;
    om__ways_needs(r, ways);
    om_buf_init(&out, OM__ANSWER_BYTES);
    om_status st = om__ways_isochrone(ways, at, minutes, &iso);
    if (!st) st = write_feature(ways, &iso, minutes, &out);
    if (!st) st = om__reply_kept(r, &out, &om__head_geojson, NULL, 0);
    om_buf_deinit(&out);
    om_isochrone_deinit(&iso);
    om__ways_unref(ways);
    return st;
}
