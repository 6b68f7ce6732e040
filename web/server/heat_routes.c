// heat_routes.c - heat tiles: how the dispatcher of tiles makes one.
#include "web/server/heat_ask.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
#include "web/server/views.h"

/* What a heat tile shows. */
struct heat_ask {
    struct om_risk_bound *bound;
    enum om_palette palette;
    bool lines;
};

static om_status read_heat(struct om__request *r, const char *name,
                           const struct om_tile_address *tile, void *ask)
{
    struct heat_ask *heat = ask;
    (void)tile;
    OM_TRY(om__param_palette(r, &heat->palette));
    OM_TRY(om__param_lines(r, &heat->lines));
    return om__request_heat(r, name, &heat->bound);
}

static om_status add_heat_key(struct om__request *r, const void *ask,
                              struct om_buf *key)
{
    const struct heat_ask *heat = ask;
    om_buf_add_byte(key, (uint8_t)heat->palette);
    om_buf_add_byte(key, heat->lines);
    return om__view_key(r, heat->bound, key);
}

static struct om_field_window window_of(const struct om_tile_address *tile)
{
    return (struct om_field_window){.z = tile->z,
                                    .x = tile->x,
                                    .y = tile->y,
                                    .side_px = OM_TILE_SIDE_PX * tile->scale};
}

static om_status find_roots(struct om__request *r, const void *ask,
                            const struct om_tile_address *tile,
                            struct om__tile_roots *out)
{
    const struct heat_ask *heat = ask;
    const struct om_field_window window = window_of(tile);
    out->local = true;
    om__view_needs(r, heat->bound, &window);
    return om__view_figures(r, heat->bound, &out->look);
}

static om_status draw_heat(struct om__request *r, void *ask,
                           const struct om_tile_address *tile,
                           struct om_buf *out)
{
    struct heat_ask *heat = ask;
    struct om__view *view = NULL;
    om_status st = om__view_get(r, heat->bound, &view);
    if (st || !view) return st;
    const struct om_field_window window = window_of(tile);
    struct om_legend legend = view->heat.painted[heat->palette];
    if (heat->lines) om_legend_lines(&legend, heat->palette, &legend);
    st = om_risk_png(r->server->fields, &view->heat.bound->risk, &window,
                     &legend, &om__lane(r->server)->arena, out);
    om__view_unref(view);
    return st;
}

static void forget_heat(void *ask)
{
    struct heat_ask *heat = ask;
    om_risk_bound_free(heat->bound);
}

const struct om__tile_maker om__heat_maker = {
    .kind = "heat",
    .params = OM__HEAT_PARAMS,
    .head = &om__head_png,
    .ask_bytes = sizeof(struct heat_ask),
    .read = read_heat,
    .key = add_heat_key,
    .roots = find_roots,
    .draw = draw_heat,
    .forget = forget_heat,
};
