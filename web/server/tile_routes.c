/* tile_routes.c - the tiles of any name: who makes them, and what is kept.
 *
 * DESIGN
 * What a tile shows is said by its name and extension; each way of making
 * one (struct om__tile_maker) only reads its parameters and draws. Reading
 * ends in a key that two questions share if they mean the same tile: under it
 * finished tiles are looked up and kept here, for all makers alike.
 */
#include <string.h>

#include "web/server/server_internal.h"

static bool is_heat(const char *name)
{
    return !strncmp(name, OM__HEAT, strlen(OM__HEAT));
}

static const struct om__tile_maker *find_maker(const char *name,
                                               const char *extension)
{
    if (!strcmp(extension, "png"))
        return is_heat(name) ? &om__heat_maker : &om__picture_maker;
    if (!strcmp(extension, "mvt") || !strcmp(extension, "pbf"))
        return &om__vector_maker;
    return NULL;
}

/* The key begins with what no maker can forget. */
static om_status add_key(const struct om__request *r,
                         const struct om__tile_maker *maker,
                         const struct om_tile_address *tile, const char *name,
                         struct om_buf *key)
{
    const struct {
        uint64_t sequence;
        uint32_t z, x, y, scale, gzip, versioned, all;
    } numbers = {r->snapshot->sequence,
                 tile->z,
                 tile->x,
                 tile->y,
                 tile->scale,
                 maker->head->compress && r->gzip,
                 r->versioned,
                 OM_POLICY_ALL.all};
    om_buf_add(key, &numbers, sizeof numbers);
    om_buf_add(key, maker->kind, strlen(maker->kind) + 1);
    return om_buf_add(key, name, strlen(name) + 1);
}

static om_status make(struct om__request *r, const struct om__tile_maker *maker,
                      const struct om_tile_address *tile, const char *name,
                      void *ask)
{
    struct om_buf key = {0}, out = {0};
    struct om__answer *answer = NULL;
    uint64_t flight = 0;
    om_status st = add_key(r, maker, tile, name, &key);
    if (!st) st = maker->key(r, ask, &key);
    if (!st) st = om__flight_begin(r, &key, &answer, &flight);
    if (answer) om__reply_answer_take(r, answer);
    if (!flight) goto done;
    st = maker->draw(r, ask, tile, &out);
    if (!st && !r->later)
        st = om__reply_kept(r, &out, maker->head, key.bytes, key.len);
    om__flight_end(r->server, flight, !st && !r->later);
done:
    om_buf_deinit(&out);
    om_buf_deinit(&key);
    return st;
}

om_status om__tile_answer(struct om__request *r, const char *name,
                          const struct om_tile_address *tile)
{
    const struct om__tile_maker *maker = find_maker(name, tile->extension);
    if (!maker) {
        r->error_status = MHD_HTTP_BAD_REQUEST;
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "a tile ends in .mvt, .pbf, .png or @2x.png");
    }
    if (tile->scale != 1 && strcmp(tile->extension, "png") != 0) {
        r->error_status = MHD_HTTP_BAD_REQUEST;
        return om_fail(&r->err, OM_E_FORMAT, 0, "only pictures come as @2x");
    }
    OM_TRY(om__params_check(r, maker->params));
    void *ask =
        om_arena_calloc(&om__lane(r->server)->arena, 1, maker->ask_bytes);
    if (!ask) return OM_E_MEMORY;
    om_status st = maker->read(r, name, tile, ask);
    if (!st) st = make(r, maker, tile, name, ask);
    maker->forget(ask);
    return st;
}

om_status om__tile_check(struct om__request *r, const char *name,
                         const char *extension)
{
    const struct om_tile_address tile = {.scale = 1, .extension = extension};
    const struct om__tile_maker *maker = find_maker(name, extension);
    if (!maker)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there are no tiles of that kind");
    OM_TRY(om__params_check(r, maker->params));
    void *ask =
        om_arena_calloc(&om__lane(r->server)->arena, 1, maker->ask_bytes);
    if (!ask) return OM_E_MEMORY;
    const om_status st = maker->read(r, name, &tile, ask);
    maker->forget(ask);
    return st;
}

om_status om__get_tile(struct om__request *r)
{
    const char *const *segment = r->address.segment;
    struct om_tile_address tile;
    const om_status st =
        om_tile_address_parse(segment[2], segment[3], segment[4], &tile);
    if (!st) return om__tile_answer(r, segment[1], &tile);
    r->error_status =
        st == OM_E_RANGE ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST;
    return om_fail(&r->err, OM_E_FORMAT, 0,
                   "a tile is Z/X/Y.mvt, Z/X/Y.png or Z/X/Y@2x.png with Z "
                   "from 0 to %d and X, Y below 2^Z",
                   OM_TILE_ZOOM_MAX);
}

om_status om__request_tile_layer(struct om__request *r, const char *name)
{
    r->layer = om_snapshot_layer(r->snapshot, name);
    if (!r->layer) r->layer = om_snapshot_units(r->snapshot, name);
    return r->layer ? OM_OK
                    : om_fail(&r->err, OM_E_NOTFOUND, 0,
                              "there is no layer or unit of that name");
}
