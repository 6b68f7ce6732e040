// search_routes.c - /search: what somebody typed.
#include <string.h>

#include "web/search.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/searcher.h"
#include "web/server/server_internal.h"

#define LIMIT_DEFAULT 10

static const struct om__head HEAD = {
    .type = "application/json", .cache = "no-cache", .compress = true};

static bool may_see(void *ctx, const struct om_layer *layer)
{
    return !om__crowds_only(ctx, layer);
}

/* layers=A,B: only these, each a layer of the city. */
static om_status read_layers(struct om__request *r, struct om_search_ask *ask)
{
    const char *text = om__param_text(r, "layers");
    if (!text) return OM_OK;
    struct om_arena *arena = &om__lane(r->server)->arena;
    const char **list =
        om_arena_calloc(arena, r->snapshot->layers + 1, sizeof *list);
    if (!list) return OM_E_MEMORY;
    while (*text) {
        const size_t len = strcspn(text, ",");
        const char *name = om_arena_text(arena, text, len);
        if (!name) return OM_E_MEMORY;
        if (om_snapshot_lacks(r->snapshot, name, &r->err) == OM_E_WITHHELD)
            return OM_E_WITHHELD;
        if (!om_snapshot_layer(r->snapshot, name) ||
            ask->layers == r->snapshot->layers)
            return om__param_bad(r, "layers", OM_E_FORMAT,
                                 "layers: the city has no layer '%.60s'", name);
        list[ask->layers++] = name;
        text += len + (text[len] == ',');
    }
    ask->layer = list;
    return OM_OK;
}

static om_status read_place(struct om__request *r, struct om_search_ask *ask)
{
    double lon = 0, lat = 0;
    const bool has_lon = om__param_text(r, "lon") != NULL;
    if (has_lon != (om__param_text(r, "lat") != NULL))
        return om__param_bad(r, has_lon ? "lat" : "lon", OM_E_FORMAT,
                             "a place is lon and lat, in degrees");
    OM_TRY(om__param_real(r, "lon", -180, 180, &lon));
    OM_TRY(om__param_real(r, "lat", -90, 90, &lat));
    ask->near = has_lon;
    if (has_lon && om_pos_from_lonlat(lon, lat, &ask->at))
        return om__param_bad(r, "lat", OM_E_COORD,
                             "lat lies beyond the square of the map");
    struct om_place place = {0};
    OM_TRY(om__param_bbox(r, &place));
    ask->boxed = place.kind == OM_PLACE_BOX;
    ask->box = place.box;
    return OM_OK;
}

static om_status read_ask(struct om__request *r, struct om_search_ask *ask)
{
    const struct om_param *q = om_address_param(&r->address, "q");
    uint64_t limit = LIMIT_DEFAULT;
    if (!q)
        return om__param_bad(r, "q", OM_E_FORMAT,
                             "q is missing: what is searched for");
    if (q->len > OM_SEARCH_BYTES)
        return om__param_bad(r, "q", OM_E_RANGE, "q is longer than %d bytes",
                             OM_SEARCH_BYTES);
    OM_TRY(om__param_count(r, "limit", 1, OM_SEARCH_LIMIT, &limit));
    ask->text = q->value;
    ask->len = q->len;
    ask->limit = (size_t)limit;
    ask->cache = r->server->selections;
    ask->may = may_see;
    ask->ctx = r;
    OM_TRY(read_layers(r, ask));
    return read_place(r, ask);
}

/* Rows that are told: not units, nor streets and other groups, nor kinds. */
static uint64_t count_rows(const struct om_search_answer *answer)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < answer->count; i++) {
        const struct om_search_hit *hit = &answer->hit[i];
        rows += hit->id && !hit->group && !om__rows_open(hit->layer);
    }
    return rows;
}

om_status om__get_search(struct om__request *r)
{
    struct om_search_ask ask = {0};
    struct om_search_answer answer;
    struct om_buf out = {0};
    OM_TRY(read_ask(r, &ask));
    OM_TRY(om_search_run(om__searcher_search(r->server->searcher), r->snapshot,
                         &ask, &om__lane(r->server)->arena, &answer, &r->err));
    if (!answer.complete) om__searcher_wake(r->server->searcher);
    om_buf_init(&out, OM__ANSWER_BYTES);
    om_status st = om__rows_spend(r, count_rows(&answer));
    if (!st) st = om_search_json(r->snapshot, &answer, &out);
    if (!st) st = om__reply(r, &out, &HEAD);
    om_buf_deinit(&out);
    return st;
}
