/* tile_routes.c - the tiles of any name: who makes them, and what is kept.
 *
 * DESIGN
 * What a tile shows is said by its name and extension; each way of making
 * one (struct om__tile_maker) only reads its parameters and draws. Reading
 * ends in a key that two questions share if they mean the same tile: under it
 * finished tiles are looked up and kept here, for all makers alike.
 *
 * Most tiles show the rows in and around them and nothing else but figures that
 * all tiles of the map share. Of those the change map says whether they are as
 * they were: their ETag is named before they are drawn, and who has the tile
 * is told so without its being drawn. Of choropleths it is known what class
 * each unit in the tile has, once units are counted: that is their ETag. Others
 * (shapes, whose boxes are larger than they are; the base map) are drawn when
 * something changes in what they depend on, and their ETag is a hash of the
 * bytes: it stays if they do.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/hash.h"
#include "web/server/flights.h"
#include "web/server/handlers.h"
#include "web/server/needs.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"

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
    if (!strcmp(extension, "days"))
        return is_heat(name) ? &om__days_maker : &om__dots_maker;
    if (!strcmp(extension, "units")) return &om__cover_maker;
    return NULL;
}

/* Has it pixels, and so a finer form? */
static bool has_scales(const struct om__tile_maker *maker)
{
    return maker != &om__vector_maker && maker != &om__days_maker;
}

struct om_box om__tile_box(const struct om_tile_address *tile)
{
    const unsigned shift = 32 - tile->z;
    const uint32_t side = shift == 32 ? UINT32_MAX : (UINT32_C(1) << shift) - 1;
    const uint32_t x0 = shift == 32 ? 0 : tile->x << shift;
    const uint32_t y0 = shift == 32 ? 0 : tile->y << shift;
    return (struct om_box){x0, y0, x0 + side, y0 + side};
}

/* A new one where the same data make other tiles: all ETags are new then. */
#define DRAWING 2
/* Snapshots that a tile is tried with while the city is written to. */
#define TRIES 8

/* The key begins with what no maker can forget. What is before `same` makes
 * other bytes of the same tile. */
struct same {
    uint32_t z, x, y, scale, drawing;
    int32_t zone_s;
    uint64_t city;
};

static om_status add_key(const struct om__request *r,
                         const struct om__tile_maker *maker,
                         const struct om_tile_address *tile, const char *name,
                         struct om_buf *key, size_t *same_at)
{
    const struct om_manifest *city = r->snapshot->manifest;
    const struct same same = {.z = tile->z,
                              .x = tile->x,
                              .y = tile->y,
                              .scale = tile->scale,
                              .drawing = DRAWING,
                              .zone_s = city->zone_s,
                              .city = city->id};
    om_buf_add_byte(key, maker->head->compress && r->gzip);
    om_buf_add_byte(key, r->versioned);
    om_buf_add_byte(key, r->who->asked);
    *same_at = key->len;
    om_buf_add(key, &r->snapshot->rights, sizeof r->snapshot->rights);
    om_buf_add(key, &same, sizeof same);
    om_buf_add(key, maker->kind, strlen(maker->kind) + 1);
    return om_buf_add(key, name, strlen(name) + 1);
}

/* A tile on its way. */
struct making {
    const struct om__tile_maker *maker;
    const struct om_tile_address *tile;
    void *ask;
    struct om_buf key;
    size_t same_at;
    struct om__tile_roots roots;
    struct om__head head;
    bool last;   // no newer snapshot is looked for any more
    bool older;  // the snapshot is older than the newest change
};

/* The ETag of a tile that nothing but its surroundings and its look make: it
 * names the question, the newest change there and the look. Weak, because
 * the same rows in other files may be drawn in another order. What is drawn
 * without the newest change has a name that nobody who has it may keep. */
static void name_local(struct om__request *r, struct making *m)
{
    const uint64_t changed = om__needs_changed(r->server, &r->needs);
    const bool behind = changed > r->snapshot->sequence;
    m->older = behind && !m->last;
    const uint64_t from[] = {m->roots.whole ? 0 : changed, m->roots.look};
    const uint64_t question =
        om_hash64(m->key.bytes + m->same_at, m->key.len - m->same_at, 0);
    m->head.weak = true;
    m->head.hash = om_hash64(from, sizeof from, question);
    if (behind)
        m->head.hash = om_hash64(&r->snapshot->sequence,
                                 sizeof r->snapshot->sequence, m->head.hash);
}

/* What is kept of a local tile is current if it has the ETag that the tile has
 * now: then it is so for longer than was known. */
static struct om__answer *revive(struct om__request *r, const struct making *m)
{
    struct om__answer *kept =
        om__cache_get(r->server->cache, m->key.bytes, m->key.len);
    char hash[20];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)m->head.hash);
    if (!kept || !strstr(kept->etag, hash)) {
        om__answer_unref(kept);
        return NULL;
    }
    if (kept->sequence < r->snapshot->sequence)
        kept->sequence = r->snapshot->sequence;
    if (kept->now_s < r->now_s) kept->now_s = r->now_s;
    return kept;
}

/* The tile is ours to make. *drawn: it was, and is kept. */
static om_status make(struct om__request *r, struct making *m, bool *drawn)
{
    struct om__answer *kept = NULL;
    struct om_buf out = {0};
    bool done = false;
    OM_TRY(m->maker->roots(r, m->ask, m->tile, &m->roots));
    if (r->later) return OM_OK;
    if (m->roots.local || m->roots.whole) {
        name_local(r, m);
        if (m->older) return OM_OK;
        // A part of a picture is needed whoever has it.
        if (!r->part) OM_TRY(om__reply_if_unchanged(r, &m->head, &done));
        if (done) atomic_fetch_add(&r->server->unchanged, 1);
        if (!done) kept = revive(r, m);
        if (kept) om__reply_answer_take(r, kept);
        if (done || kept) return OM_OK;
    }
    if (m->roots.by) om__needs_layer(r, m->roots.by, OM__EVERYWHERE);
    om_status st = m->maker->draw(r, m->ask, m->tile, &out);
    *drawn = !st && !r->later;
    if (*drawn)
        st = om__reply_kept(r, &out, &m->head, m->key.bytes, m->key.len);
    om_buf_deinit(&out);
    return st;
}

static om_status find(struct om__request *r, struct making *m)
{
    struct om__answer *answer = NULL;
    uint64_t flight = 0;
    bool drawn = false;
    OM_TRY(m->maker->key(r, m->ask, &m->key));
    om_status st = om__flight_begin(r, &m->key, &answer, &flight);
    if (answer) om__reply_answer_take(r, answer);
    if (!flight) return st;
    st = make(r, m, &drawn);
    om__flight_end(r->server, flight, !st && drawn);
    return st;
}

static om_status try_once(struct om__request *r, const char *name,
                          struct making *m)
{
    const struct om__tile_maker *maker = m->maker;
    om__needs_forget(r);
    m->older = false;
    m->head = *maker->head;
    m->roots = (struct om__tile_roots){0};
    om_buf_clear(&m->key);
    m->ask = om_arena_calloc(&om__lane(r->server)->arena, 1, maker->ask_bytes);
    if (!m->ask) return OM_E_MEMORY;
    om_status st = add_key(r, maker, m->tile, name, &m->key, &m->same_at);
    if (!st) st = maker->read(r, name, m->tile, m->ask);
    if (!st) st = find(r, m);
    maker->forget(m->ask);
    return st;
}

om_status om__tile_answer(struct om__request *r, const char *name,
                          const struct om_tile_address *tile)
{
    const struct om__tile_maker *maker = find_maker(name, tile->extension);
    if (!maker) {
        r->error_status = MHD_HTTP_BAD_REQUEST;
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "a tile ends in .mvt, .pbf, .png, @2x.png, .days or "
                       ".units");
    }
    if (tile->scale != 1 && !has_scales(maker)) {
        r->error_status = MHD_HTTP_BAD_REQUEST;
        return om_fail(&r->err, OM_E_FORMAT, 0, "only pictures come as @2x");
    }
    OM_TRY(om__params_check(r, maker->params));
    struct making m = {.maker = maker, .tile = tile};
    om_status st = try_once(r, name, &m);
    for (int tries = 1; !st && m.older; tries++) {
        m.last = tries == TRIES;
        st = om__request_renew(r);
        if (!st) st = try_once(r, name, &m);
    }
    om_buf_deinit(&m.key);
    return st ? st : om__answer_spend(r);
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
                   "a tile is Z/X/Y.mvt, Z/X/Y.png, Z/X/Y@2x.png or Z/X/Y.days "
                   "with Z from 0 to %d and X, Y below 2^Z",
                   OM_TILE_ZOOM_MAX);
}

om_status om__request_tile_layer(struct om__request *r, const char *name)
{
    r->layer = om_snapshot_layer(r->snapshot, name);
    if (!r->layer) r->layer = om_snapshot_units(r->snapshot, name);
    if (!r->layer &&
        om_snapshot_lacks(r->snapshot, name, &r->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    return r->layer ? OM_OK
                    : om_fail(&r->err, OM_E_NOTFOUND, 0,
                              "there is no layer or unit of that name");
}
