/* density_routes.c - /density/{name}.tif: a field as a file for a GIS.
 *
 * The same values as the tiles of heat:{name} paint, as float32, made by the
 * worker of files and kept like other files that are taken away (exports.c).
 */
#include <stdio.h>
#include <string.h>

#include "web/density.h"
#include "web/server/exports.h"
#include "web/server/handlers.h"
#include "web/server/heat_ask.h"
#include "web/server/jobs.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
#include "web/server/views.h"

#define ENDING ".tif"
/* Cells of one file: 128 MB before they are packed, which takes some ten
 * seconds. */
#define CELLS_MOST 32e6
#define CELL_LEAST_M 1.0
#define CELL_MOST_M 10000.0

static om_status read_shape(struct om__request *r, struct om_density_shape *out)
{
    struct om_place place = {.kind = OM_PLACE_ALL};
    *out = (struct om_density_shape){.cells_most = CELLS_MOST,
                                     .where = om__param_text(r, "filter")};
    OM_TRY(om__param_real(r, "cell", CELL_LEAST_M, CELL_MOST_M, &out->cell_m));
    OM_TRY(om__param_bbox(r, &place));
    if (place.kind == OM_PLACE_WITHIN)
        return om__param_bad(r, "bbox", OM_E_RANGE,
                             "a raster has its west in the west: bbox is "
                             "W,S,E,N with W <= E and S <= N");
    out->boxed = place.kind == OM_PLACE_BOX;
    out->box = place.box;
    return OM_OK;
}

/* All that the file depends on: asks that mean the same have the same. */
static om_status add_key(struct om__request *r,
                         const struct om_risk_bound *bound,
                         const struct om_density_shape *shape,
                         struct om_buf *key)
{
    const struct om_risk *risk = &bound->risk;
    om_buf_add_text(key, "density ");
    OM_TRY(om__view_key(r, bound, key));
    for (size_t i = 0; i < risk->terms + risk->exposures; i++)
        om_buf_add(key,
                   i < risk->terms
                       ? &risk->term[i].spec.layer->serial
                       : &risk->exposure[i - risk->terms].spec.layer->serial,
                   sizeof(uint64_t));
    om_buf_add(key, &shape->cell_m, sizeof shape->cell_m);
    om_buf_add(key, &shape->boxed, sizeof shape->boxed);
    if (shape->boxed) om_buf_add(key, &shape->box, sizeof shape->box);
    // Means that small numbers are shrunk to are of the beat.
    if (om__view_moves(bound)) om_buf_add(key, &r->now_s, sizeof r->now_s);
    // The file notes the filter as it was typed.
    return om_buf_add_text(key, shape->where ? shape->where : "");
}

static om_status write_file(struct om__request *r,
                            const struct om_risk_bound *bound,
                            const struct om_density_shape *shape,
                            const struct om_buf *key)
{
    char path[600];
    struct om__view *view = NULL;
    struct om_err err = {0};
    OM_TRY(om__view_get(r, bound, &view));
    if (!view) return OM_OK;  // later
    om_status st = om__export_path(r, "tif", path, sizeof path);
    if (!st)
        st = om_density_write(r->server->fields, r->snapshot, view->heat.bound,
                              shape, path, &err);
    om__view_unref(view);
    if (st == OM_E_COST || st == OM_E_LIMIT)
        return om__param_bad(r, "cell", OM_E_COST, "%s",
                             err.text[0] ? err.text : om_status_text(st));
    // Paths of this machine are for the log only.
    if (st) return om_fail(&r->err, st, 0, "the file was not written");
    return om__export_keep(r, key, path, 0);
}

static om_status send_file(struct om__request *r, const char *name,
                           const struct om_risk_bound *bound,
                           const struct om_density_shape *shape,
                           const struct om_buf *key)
{
    char file[OM_LIMIT_NAME_BYTES + 32];
    snprintf(file, sizeof file, "%s-density%s", name, ENDING);
    const struct om__export about = {.form = "tif", .name = file};
    if (om__export_reply(r, key, &about)) return OM_OK;
    if (om__wait_filing(r)) return OM_OK;
    OM_TRY(write_file(r, bound, shape, key));
    if (r->later) return OM_OK;
    return om__export_reply(r, key, &about) ? OM_OK : OM_E_BUSY;
}

om_status om__get_density(struct om__request *r)
{
    const char *segment = r->address.segment[1];
    const size_t len = strlen(segment) - strlen(ENDING);
    char heat[sizeof OM__HEAT + OM_LIMIT_NAME_BYTES];
    struct om_risk_bound *bound = NULL;
    struct om_density_shape shape;
    struct om_buf key = {0};
    if (!r->who->role->export || len >= OM_LIMIT_NAME_BYTES)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there are no files to take away here");
    snprintf(heat, sizeof heat, OM__HEAT "%.*s", (int)len, segment);
    OM_TRY(read_shape(r, &shape));
    OM_TRY(om__request_heat(r, heat, &bound));
    om_status st = om__heat_personal(bound)
                       ? om__rows_refused(r, "the map's values")
                       : add_key(r, bound, &shape, &key);
    if (!st) st = send_file(r, heat + strlen(OM__HEAT), bound, &shape, &key);
    om_buf_deinit(&key);
    om_risk_bound_free(bound);
    return st;
}
