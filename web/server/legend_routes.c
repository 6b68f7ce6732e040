// legend_routes.c - the legend of a heat map, as data and as swatches.
#include <math.h>
#include <string.h>

#include "data/model/time.h"
#include "web/server/handlers.h"
#include "web/server/heat_ask.h"
#include "web/server/pictures.h"
#include "web/server/reply.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
#include "web/server/views.h"

static void add_text(struct om_buf *out, const char *label, const char *text)
{
    om_buf_add_text(out, label);
    om_buf_add_json_text(out, text, strlen(text));
}

static void add_real(struct om_buf *out, const char *label, double value)
{
    om_buf_add_text(out, label);
    om_buf_add_json_real(out, value);
}

static void add_colour(struct om_buf *out, const uint8_t rgba[4])
{
    om_buf_addf(out, "\"color\":\"#%02x%02x%02x\",\"opacity\":", rgba[0],
                rgba[1], rgba[2]);
    om_buf_add_fixed(out, rgba[3] / 255.0, 3);
}

/* Which map it is of: the first term's field, where there are more. */
static void add_field(const struct om_risk_bound *bound, struct om_buf *out)
{
    const struct om_field_spec *spec = &bound->risk.term[0].spec;
    const size_t weight = spec->weight.column;
    om_buf_addf(out, "{\"name\":\"heat:%s\",\"model\":", bound->name);
    if (bound->model) {
        om_buf_addf(out, "{\"version\":%lld", (long long)bound->model->version);
        if (bound->model->title)
            add_text(out, ",\"title\":", bound->model->title);
        if (bound->model->title_en)
            add_text(out, ",\"title_en\":", bound->model->title_en);
        om_buf_add_text(out, "}");
    } else {
        om_buf_add_text(out, "null");
    }
    om_buf_addf(out, ",\"kernel\":\"%s\",\"bandwidth_m\":",
                om_kernel_name(spec->kernel));
    om_buf_add_json_real(out, spec->bandwidth_m);
    om_buf_add_text(out, ",\"weight\":");
    if (weight == OM_NO_FIELD)
        om_buf_add_text(out, "null");
    else
        add_text(out, "", spec->layer->schema.field[weight].name);
    add_text(out, ",\"unit\":", bound->unit_en);
    add_text(out, ",\"unit_zh\":", bound->unit);
}

static void add_version(const struct om__request *r,
                        const struct om_heat_view *view, struct om_buf *out)
{
    const struct om_legend_data *d = &view->figures.legend;
    char at[OM_TIME_TEXT_BYTES];
    om_buf_addf(out, ",\"kind\":\"%s\",\"version\":%lld,\"period\":\"%s\"",
                d->relative ? "relative" : "density", (long long)d->version,
                d->period);
    if (d->as_of_s) {
        om_time_format(d->as_of_s, r->snapshot->manifest->zone_s, at);
        add_text(out, ",\"as_of\":", at);
    }
    om_buf_addf(out, ",\"stored\":%s", d->stored ? "true" : "false");
    add_real(out, ",\"scale\":", view->figures.scale);
    add_real(out, ",\"focus\":", view->figures.focus);
    add_real(out, d->relative ? ",\"mean\":" : ",\"most\":",
             (d->relative ? d->mean : d->most) * view->figures.scale);
}

static void add_steps(const struct om_legend *legend, bool relative,
                      struct om_buf *out)
{
    om_buf_add_text(out, ",\"steps\":[");
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++) {
        add_real(out,
                 i ? ",{\"from\":" : "{\"from\":", (double)legend->from[i]);
        if (relative)
            add_real(out, ",\"relative\":", om_legend_relative_from(i));
        om_buf_add_text(out, ",");
        add_colour(out, legend->rgba[i + 1]);
        if (legend->lines && (i + 1) % OM_LEGEND_LINE_EVERY == 0)
            om_buf_add_text(out, ",\"line\":true");
        om_buf_add_text(out, "}");
    }
    om_buf_add_text(out, "]");
    if (!relative) return;
    om_buf_add_text(out, ",\"grades\":[");
    for (size_t i = 0; i < OM_LEGEND_GRADES; i++) {
        const struct om_legend_grade *g = &om_legend_grade[i];
        om_buf_addf(out,
                    "%s{\"name\":\"%s\",\"title\":\"%s\",\"colour\":\"%s\","
                    "\"relative\":%g,\"step\":%u}",
                    i ? "," : "", g->name, g->title, g->colour, g->relative,
                    g->step);
    }
    om_buf_add_text(out, "]");
}

static om_status add_known(const struct om__request *r,
                           const struct om_heat_view *view,
                           const struct om_legend *legend, struct om_buf *out)
{
    const struct om_risk_bound *bound = view->bound;
    om_buf_add_text(out,
                    ",\"unknown\":{\"name\":\"unknown\",\"title\":\"未知\",");
    add_colour(out, legend->unknown);
    add_real(out, ",\"floor\":", bound->risk.floor);
    add_text(out, ",\"per\":", bound->per ? bound->per->name : "area");
    add_real(out, ",\"shrink\":", bound->risk.shrink);
    om_buf_add_text(out, "},\"backtest\":");
    struct om_legend_test test;
    if (om_legends_test_get(r->server->legends, bound, &test))
        return om_legend_test_write(&test, r->snapshot->manifest->zone_s, out);
    return om_buf_add_text(out, "null");
}

static om_status write_legend(const struct om__request *r,
                              const struct om_heat_view *view,
                              enum om_palette palette, bool lines,
                              struct om_buf *out)
{
    struct om_legend painted = view->painted[palette];
    const struct om_legend *legend = &painted;
    if (lines) om_legend_lines(&painted, palette, &painted);
    uint64_t rows = 0;
    for (size_t i = 0; i < view->bound->risk.terms; i++)
        rows += view->bound->term[i].selection->count;
    add_field(view->bound, out);
    add_version(r, view, out);
    om_buf_addf(out, ",\"palette\":\"%s\",\"form\":\"%s\",\"rows\":%llu",
                palette == OM_PALETTE_LIGHT ? "light" : "dark",
                lines ? "lines" : "fill", (unsigned long long)rows);
    add_real(out, ",\"total\":", view->totals.numerator);
    add_steps(legend, view->figures.legend.relative, out);
    OM_TRY(add_known(r, view, legend, out));
    return om_buf_add_text(out, "}\n");
}

/* "heat:NAME.json" without the last `ending` bytes, in the lane's arena. */
static om_status get_view(struct om__request *r, size_t ending,
                          enum om_palette *palette, struct om__view **view)
{
    const char *segment = r->address.segment[1];
    const size_t len = strlen(segment);
    struct om_risk_bound *bound = NULL;
    char *name = om_arena_text(&om__lane(r->server)->arena, segment,
                               len > ending ? len - ending : 0);
    if (!name) return OM_E_MEMORY;
    OM_TRY(om__param_palette(r, palette));
    OM_TRY(om__request_heat(r, name, &bound));
    om__view_needs(r, bound, NULL);
    const om_status st = om__view_get(r, bound, view);
    om_risk_bound_free(bound);
    return st;
}

/* Names of other pictures than heat maps. */
static bool is_picture(const struct om__request *r)
{
    return strncmp(r->address.segment[1], OM__HEAT, strlen(OM__HEAT)) != 0;
}

om_status om__get_legend(struct om__request *r)
{
    if (is_picture(r)) return om__picture_legend(r, false);
    OM_TRY(om__params_check(r, OM__HEAT_PARAMS));
    enum om_palette palette;
    bool lines;
    struct om__view *view = NULL;
    struct om_buf out = {0};
    OM_TRY(om__param_lines(r, &lines));
    OM_TRY(get_view(r, strlen(".json"), &palette, &view));
    if (!view) return OM_OK;
    om_status st = write_legend(r, &view->heat, palette, lines, &out);
    // Not kept: a back-test that comes meanwhile is shown at once.
    if (!st) st = om__reply(r, &out, &om__head_json);
    om_buf_deinit(&out);
    om__view_unref(view);
    return st;
}

om_status om__get_legend_png(struct om__request *r)
{
    if (is_picture(r)) return om__picture_legend(r, true);
    OM_TRY(om__params_check(r, OM__HEAT_PARAMS));
    enum om_palette palette;
    bool lines;
    struct om__view *view = NULL;
    struct om_buf out = {0};
    OM_TRY(om__param_lines(r, &lines));
    OM_TRY(get_view(r, strlen(".png"), &palette, &view));
    if (!view) return OM_OK;
    struct om_legend legend = view->heat.painted[palette];
    if (lines) om_legend_lines(&legend, palette, &legend);
    om_status st = om_legend_png(&legend, &out);
    if (!st) st = om__reply_kept(r, &out, &om__head_png, NULL, 0);
    om_buf_deinit(&out);
    om__view_unref(view);
    return st;
}
