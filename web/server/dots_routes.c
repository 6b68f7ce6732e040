// dots_routes.c - tiles of days of points: a layer's rows by pixel, class, day.
#include "tiles/picture/dots.h"

#include <string.h>

#include "web/server/bounds.h"
#include "web/server/jobs.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/pictures.h"
#include "web/server/tile_maker.h"

struct dots_ask {
    struct om_picture_bound bound;
    unsigned side_px;
};

/* The picture itself may be seen: om__picture_bind has said so. */
static om_status read_dots(struct om__request *r, const char *name,
                           const struct om_tile_address *tile, void *memory)
{
    struct dots_ask *ask = memory;
    const char *size;
    (void)tile;
    OM_TRY(om__param_word(r, "size", "256 512", "256", &size));
    ask->side_px = !strcmp(size, "512") ? 512 : 256;
    OM_TRY(om__picture_bind(r, name, &ask->bound));
    const struct om_layer *layer = ask->bound.layer;
    if (ask->bound.kind != OM_PICTURE_ROWS ||
        layer->schema.geometry != OM_GEOMETRY_POINT)
        return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                       "%s has no tiles of days: heat:LAYER and layers of "
                       "points have",
                       name);
    if (layer->schema.time_field == OM_NO_FIELD) return om__days_none(r, layer);
    return OM_OK;
}

static om_status add_key(struct om__request *r, const void *memory,
                         struct om_buf *key)
{
    const struct dots_ask *ask = memory;
    (void)r;
    om_buf_add(key, &ask->side_px, sizeof ask->side_px);
    return om_buf_add(key, ask->bound.canonical.bytes,
                      ask->bound.canonical.len);
}

/* The tile and its picture; *picture NULL: later.
 * owns: *picture with om_picture_unref */
static om_status find_tile(struct om__request *r, const struct dots_ask *ask,
                           const struct om_tile_address *address,
                           struct om_picture **picture,
                           struct om_dots_tile *out)
{
    const struct om_view view =
        om_view_tile(address->z, address->x, address->y,
                     ask->side_px * address->scale, address->scale);
    OM_TRY(om__picture_get(r, &ask->bound, picture));
    if (!*picture) return OM_OK;
    const om_status st = om_dots_tile_init(*picture, &view, out);
    if (!st) return OM_OK;
    om_picture_unref(*picture);
    *picture = NULL;
    return st;
}

static om_status find_roots(struct om__request *r, const void *memory,
                            const struct om_tile_address *address,
                            struct om__tile_roots *out)
{
    const struct dots_ask *ask = memory;
    struct om_picture *picture = NULL;
    struct om_dots_tile tile;
    OM_TRY(find_tile(r, ask, address, &picture, &tile));
    if (!picture) return OM_OK;
    out->local = true;
    out->look = om_dots_tile_look(&tile);
    om__needs_layer(r, ask->bound.layer->name, tile.box);
    om_picture_unref(picture);
    return OM_OK;
}

static om_status write_tile(struct om__request *r, const struct dots_ask *ask,
                            const struct om_dots_tile *tile, struct om_buf *out)
{
    const struct om_query query = {.snapshot = r->snapshot,
                                   .layer = ask->bound.layer,
                                   .cache = r->server->selections,
                                   .filter = ask->bound.filter,
                                   .window = ask->bound.window};
    struct om_days days;
    bool wait;
    OM_TRY(om__days_wait(r, ask->bound.layer, tile->box, &wait));
    if (wait) return OM_OK;
    om_status st =
        om_dots_tile_count(tile, &query, r->snapshot->manifest->zone_s,
                           &om__lane(r->server)->arena, &days);
    if (st == OM_E_COST) return om__days_too_many(r);
    if (!st) st = om_dots_tile_write(tile, &days, out);
    om_days_deinit(&days);
    return st;
}

static om_status draw(struct om__request *r, void *memory,
                      const struct om_tile_address *address, struct om_buf *out)
{
    const struct dots_ask *ask = memory;
    struct om_picture *picture = NULL;
    struct om_dots_tile tile;
    OM_TRY(find_tile(r, ask, address, &picture, &tile));
    if (!picture) return OM_OK;
    const om_status st = write_tile(r, ask, &tile, out);
    om_picture_unref(picture);
    return st;
}

static void forget(void *memory)
{
    struct dots_ask *ask = memory;
    om_picture_bound_deinit(&ask->bound);
}

const struct om__tile_maker om__dots_maker = {
    .kind = "dots",
    .params = "filter filter-lang datetime by palette size",
    .head = &om__head_days,
    .ask_bytes = sizeof(struct dots_ask),
    .read = read_dots,
    .key = add_key,
    .roots = find_roots,
    .draw = draw,
    .forget = forget,
};
