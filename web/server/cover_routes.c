// cover_routes.c - tiles of units: which of them lies in which pixels.
#include "tiles/picture/cover.h"

#include <string.h>

#include "data/base/hash.h"
#include "web/server/bounds.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/pictures.h"
#include "web/server/reply.h"
#include "web/server/tile_maker.h"

static const struct om__head head_cover = {
    .type = "application/vnd.onemap.units",
    .cache = OM__CACHE_DATA,
    .compress = true,
    .none_204 = true};

struct cover_ask {
    struct om_picture_bound bound;
    unsigned side_px;
};

static om_status read_cover(struct om__request *r, const char *name,
                            const struct om_tile_address *tile, void *ask)
{
    struct cover_ask *c = ask;
    const char *size;
    (void)tile;
    OM_TRY(om__param_word(r, "size", "256 512", "256", &size));
    c->side_px = !strcmp(size, "512") ? 512 : 256;
    OM_TRY(om__picture_bind(r, name, &c->bound));
    if (c->bound.kind == OM_PICTURE_UNITS && c->bound.outline) return OM_OK;
    r->error_status = MHD_HTTP_NOT_FOUND;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "%s is not a level of units, and has no tiles of them",
                   name);
}

static om_status add_key(struct om__request *r, const void *ask,
                         struct om_buf *key)
{
    const struct cover_ask *c = ask;
    // Units outside somebody's area are not there.
    om_buf_add(key, &r->snapshot->rights, sizeof r->snapshot->rights);
    om_buf_add(key, &c->side_px, sizeof c->side_px);
    return om_buf_add(key, c->bound.level, strlen(c->bound.level));
}

static om_status find_roots(struct om__request *r, const void *ask,
                            const struct om_tile_address *tile,
                            struct om__tile_roots *out)
{
    const struct cover_ask *c = ask;
    const struct om_layer *units =
        om_snapshot_units(r->snapshot, c->bound.level);
    (void)tile;
    om__picture_needs(r, &c->bound);
    out->whole = units != NULL;
    if (!units) return OM_OK;
    const uint64_t changed =
        om_city_changed(r->server->city, units->name, OM__EVERYWHERE);
    out->look = om_hash64(&changed, sizeof changed, 0);
    return OM_OK;
}

static om_status draw(struct om__request *r, void *ask,
                      const struct om_tile_address *tile, struct om_buf *out)
{
    const struct cover_ask *c = ask;
    struct om_picture *picture;
    if (!r->on_worker) {
        r->later = true;
        return OM_OK;
    }
    OM_TRY(om__picture_get(r, &c->bound, &picture));
    if (!picture) return OM_OK;
    const struct om_view view = om_view_tile(
        tile->z, tile->x, tile->y, c->side_px * tile->scale, tile->scale);
    const om_status st =
        om_cover_write(picture->level, &view, &om__lane(r->server)->arena, out);
    om_picture_unref(picture);
    return st;
}

static void forget(void *ask)
{
    struct cover_ask *c = ask;
    om_picture_bound_deinit(&c->bound);
}

const struct om__tile_maker om__cover_maker = {
    .kind = "units",
    .params = "size",
    .head = &head_cover,
    .ask_bytes = sizeof(struct cover_ask),
    .read = read_cover,
    .key = add_key,
    .roots = find_roots,
    .draw = draw,
    .forget = forget,
};
