// tile_heat.c - tiles of a heat map, on the command line.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/cli/tile.h"

/* A tile where surely nothing is, high in the arctic sea: what is equal to it
 * is empty. */
#define NOWHERE_ZOOM 22

struct heat {
    struct om__heat city;
    struct om_heat_view view;
    enum om_palette palette;
    unsigned side_px;
    double reach_m;       // of the widest kernel
    struct om_buf empty;  // the tile of nothing
    char title[OM_LIMIT_NAME_BYTES * 3];
};

static om_status draw_at(struct heat *h, unsigned z, uint32_t x, uint32_t y,
                         struct om_arena *arena, struct om_buf *out)
{
    const struct om_field_window window = {
        .z = z, .x = x, .y = y, .side_px = h->side_px};
    return om_risk_png(h->city.fields, &h->view.bound->risk, &window,
                       &h->view.painted[h->palette], arena, out);
}

static int read_look(struct heat *h, const struct om__tile_words *w)
{
    if (w->properties || w->by)
        return om__verb_usage(w->verb, "--%s is not for heat tiles",
                              w->by ? "by" : "properties");
    if (w->palette && !om_palette_from_name(w->palette, &h->palette))
        return om__verb_usage(w->verb, "--palette: '%s' is not dark or light",
                              w->palette);
    h->side_px = om__tile_side(w);
    return h->side_px ? OM_EXIT_DONE : OM_EXIT_USAGE;
}

static om_status make_ready(struct heat *h, struct om_risk_bound *bound)
{
    struct om_arena arena = {0};
    om_status st =
        om_heat_view_init(&h->city.world, bound, NULL, &h->view, &h->city.err);
    if (st) return st;
    const struct om_risk *risk = &h->view.bound->risk;
    for (size_t i = 0; i < risk->terms; i++)
        if (risk->term[i].spec.bandwidth_m > h->reach_m)
            h->reach_m = risk->term[i].spec.bandwidth_m;
    for (size_t i = 0; i < risk->exposures; i++)
        if (risk->exposure[i].spec.bandwidth_m > h->reach_m)
            h->reach_m = risk->exposure[i].spec.bandwidth_m;
    st = draw_at(h, NOWHERE_ZOOM, 0, 0, &arena, &h->empty);
    om_arena_deinit(&arena);
    return st;
}

static int heat_open(const struct om__tile_words *w, void **self)
{
    struct heat *h = om_calloc(1, sizeof *h);
    struct om_risk_bound *bound = NULL;
    struct om_risk_ask ask = w->ask;
    *self = h;
    if (!h)
        return om__verb_fail(w->verb, &(struct om_err){.code = OM_E_MEMORY});
    h->city.verb = w->verb;
    h->city.city_path = w->city;
    ask.name = w->name + strlen(OM__TILE_HEAT);
    int status = read_look(h, w);
    if (!status) status = om__heat_open(&h->city);
    if (!status) status = om__heat_bind(&h->city, &ask, &bound);
    if (status) return status;
    const om_status st = make_ready(h, bound);
    return st ? om__heat_fail(&h->city, st) : OM_EXIT_DONE;
}

/* Only where something is exposed is there a risk; only rows make a field. */
static bool heat_may_hold(void *self, unsigned z, uint32_t x, uint32_t y)
{
    struct heat *h = self;
    const struct om_risk *risk = &h->view.bound->risk;
    const struct om_risk_part *part =
        risk->exposures ? risk->exposure : risk->term;
    const size_t n = risk->exposures ? risk->exposures : risk->terms;
    for (size_t i = 0; i < n; i++)
        if (om__tile_has_rows(h->city.world.snapshot, part[i].spec.layer, z, x,
                              y, h->reach_m))
            return true;
    return false;
}

static om_status heat_draw(void *self, unsigned z, uint32_t x, uint32_t y,
                           struct om_arena *arena, struct om_buf *out)
{
    struct heat *h = self;
    const size_t before = out->len;
    OM_TRY(draw_at(h, z, x, y, arena, out));
    if (out->len - before == h->empty.len &&
        !memcmp(out->bytes + before, h->empty.bytes, h->empty.len))
        out->len = before;
    return OM_OK;
}

static om_status heat_nothing(void *self, struct om_buf *out)
{
    const struct heat *h = self;
    return om_buf_add(out, h->empty.bytes, h->empty.len);
}

static void heat_about(void *self, struct om__tile_about *out)
{
    struct heat *h = self;
    const struct om_risk_bound *bound = h->view.bound;
    const struct om_layer *layer = bound->risk.exposures
                                       ? bound->risk.exposure[0].spec.layer
                                       : bound->layer;
    om_layer_bounds(layer, out->bounds);
    snprintf(h->title, sizeof h->title, "%s %s, %s", bound->name, bound->period,
             bound->unit_en);
    out->title = h->title;
    out->layers = "";
}

static int heat_fail(void *self, om_status status)
{
    struct heat *h = self;
    return om__heat_fail(&h->city, status);
}

static void heat_close(void *self)
{
    struct heat *h = self;
    if (!h) return;
    om_buf_deinit(&h->empty);
    om_heat_view_deinit(&h->view);
    om__heat_close(&h->city);
    om_free(h);
}

const struct om__tile_kind om__tile_heat = {
    .format = "png",
    .open = heat_open,
    .may_hold = heat_may_hold,
    .draw = heat_draw,
    .nothing = heat_nothing,
    .about = heat_about,
    .fail = heat_fail,
    .close = heat_close,
};
