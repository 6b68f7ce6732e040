// value_routes.c - the number under a pixel, and what makes it.
#include <math.h>
#include <string.h>

#include "engine/layer/build.h"
#include "engine/shape/shape.h"
#include "web/explain.h"
#include "web/server/handlers.h"
#include "web/server/heat_ask.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/views.h"
#include "web/server/worlds.h"

/* Zoom of the pixel that /value speaks of when none is named: 0.6 m wide. */
#define VALUE_ZOOM_DEFAULT 18

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

/* Looking for the unit that holds a position. */
struct holder {
    struct om__request *request;
    const struct om_layer *layer;
    struct om_pos pos;
    struct om_hit hit;
    bool found;
    om_status status;
};

static bool test_unit(void *ctx, const struct om_hit *hit)
{
    struct holder *h = ctx;
    struct om_rings rings;
    h->status = om_segment_rings(h->layer->part[hit->part].segment, hit->row,
                                 hit->row + 1, &rings);
    if (h->status) return false;
    if (!om_rings_contain(&rings, hit->row, h->pos)) return true;
    h->found = true;
    h->hit = *hit;
    return false;
}

static om_status add_unit(struct holder *h, struct om_buf *out)
{
    struct om_text_reader reader = {0};
    const size_t name = om_schema_find(&h->layer->schema, "name");
    const size_t column[] = {h->layer->schema.id_field, name};
    static const char *const label[] = {"{\"id\":", ",\"name\":"};
    om_status st = OM_OK;
    for (int i = 0; i < 2 && !st; i++) {
        const char *text = NULL;
        size_t len = 0;
        om_buf_add_text(out, label[i]);
        if (column[i] != OM_NO_FIELD)
            st = om_segment_text(h->layer->part[h->hit.part].segment, column[i],
                                 h->hit.row, &reader, &text, &len);
        if (text)
            om_buf_add_json_text(out, text, len);
        else
            om_buf_add_text(out, "null");
    }
    om_buf_add_text(out, "}");
    om_text_reader_deinit(&reader);
    return st;
}

/* The unit of each level at a position; null where there is none. */
static om_status add_units(struct om__request *r, struct om_pos pos,
                           struct om_buf *out)
{
    bool first = true;
    om_buf_add_text(out, ",\"units\":{");
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        const struct om_layer *layer = &r->snapshot->layer[i];
        if (!layer->meta || !layer->meta->unit_level[0] ||
            layer->schema.geometry != OM_GEOMETRY_POLYGON)
            continue;
        struct holder h = {.request = r, .layer = layer, .pos = pos};
        const struct om_query query = {
            .snapshot = r->snapshot,
            .layer = layer,
            .place = {.kind = OM_PLACE_BOX,
                      .box = {pos.x, pos.y, pos.x, pos.y}}};
        OM_TRY(om_query_each(&query, test_unit, &h));
        OM_TRY(h.status);
        if (!first) om_buf_add_text(out, ",");
        first = false;
        add_text(out, layer->meta->unit_level);
        om_buf_add_text(out, ":");
        if (h.found)
            OM_TRY(add_unit(&h, out));
        else
            om_buf_add_text(out, "null");
    }
    return om_buf_add_text(out, "}");
}

/* Which field it is: the first term's, where there are more. */
static void add_field(const struct om_risk_bound *bound, struct om_buf *out)
{
    const struct om_field_spec *spec = &bound->risk.term[0].spec;
    const size_t weight = spec->weight.column;
    om_buf_addf(out, "{\"name\":\"heat:%s\",\"kernel\":\"%s\",\"bandwidth_m\":",
                bound->name, om_kernel_name(spec->kernel));
    om_buf_add_json_real(out, spec->bandwidth_m);
    om_buf_add_text(out, ",\"weight\":");
    if (weight == OM_NO_FIELD)
        om_buf_add_text(out, "null");
    else
        add_text(out, spec->layer->schema.field[weight].name);
    om_buf_add_text(out, ",");
}

/* Rows of all terms that reach the place. */
static void add_within(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk *risk = &e->view->bound->risk;
    uint64_t rows = 0;
    double most = 0;
    for (size_t i = 0; i < risk->terms; i++) {
        rows += e->reached[i];
        most = fmax(most, risk->term[i].spec.bandwidth_m);
    }
    if (e->coarse) return;
    om_buf_addf(out, ",\"within\":{\"radius_m\":%.17g,\"count\":%llu}", most,
                (unsigned long long)rows);
}

static void add_legend(const struct om_heat_view *view, struct om_buf *out)
{
    om_buf_addf(out, ",\"legend\":{\"version\":%lld,\"period\":\"%s\"}",
                (long long)view->figures.legend.version,
                view->figures.legend.period);
}

static om_status write_value(struct om__request *r, struct om__view *view,
                             double lon_deg, double lat_deg, unsigned z,
                             struct om_buf *out)
{
    struct om_pos pos;
    struct om_heat_world world;
    struct om_explanation e;
    OM_TRY(om__world_heat(r->world, r, &world));
    OM_TRY(om_pos_from_lonlat(lon_deg, lat_deg, &pos));
    OM_TRY(om_explain(&world, &view->heat, lon_deg, lat_deg, z,
                      &om__lane(r->server)->arena, &e));
    if (om__heat_personal(view->heat.bound)) om_explain_coarsen(&e);
    r->told_rows = e.coarse ? 0 : e.rows;
    add_field(view->heat.bound, out);
    OM_TRY(om_explain_json(&e, out));
    add_within(&e, out);
    add_legend(&view->heat, out);
    OM_TRY(add_units(r, pos, out));
    return om_buf_add_text(out, "}\n");
}

om_status om__get_value(struct om__request *r)
{
    const char *name = om__param_text(r, "name");
    double lon_deg = NAN, lat_deg = NAN;
    uint64_t z = VALUE_ZOOM_DEFAULT;
    struct om_risk_bound *bound = NULL;
    struct om__view *view = NULL;
    struct om_buf out = {0};
    if (!name) return om__param_bad(r, "name", OM_E_FORMAT, "name is missing");
    OM_TRY(om__param_real(r, "lon", -180, 180, &lon_deg));
    OM_TRY(om__param_real(r, "lat", -85, 85, &lat_deg));
    OM_TRY(om__param_count(r, "z", 0, OM_TILE_ZOOM_MAX, &z));
    if (isnan(lon_deg))
        return om__param_bad(r, "lon", OM_E_FORMAT, "lon is missing");
    if (isnan(lat_deg))
        return om__param_bad(r, "lat", OM_E_FORMAT, "lat is missing");
    OM_TRY(om__request_heat(r, name, &bound));
    // Ranks among all places, which are of the beat, and names of units are of
    // the whole city.
    om__view_needs(r, bound, NULL);
    om__needs_beat(r);
    om__needs_units(r);
    om_status st = om__view_get(r, bound, &view);
    if (st || !view) goto done;
    if (!om__view_spread(r, view, &st) || st) goto done;
    st = write_value(r, view, lon_deg, lat_deg, (unsigned)z, &out);
    if (!st) st = om__reply_kept(r, &out, &om__head_json, NULL, 0);
    if (!st) st = om__answer_spend(r);
done:
    om_buf_deinit(&out);  // empty once it was sent
    om__view_unref(view);
    om_risk_bound_free(bound);
    return st;
}
