// reverse_routes.c - /reverse: what is at a place.
#include <string.h>

#include "web/search.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/params.h"
#include "web/server/positions.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"

/* Addresses that are looked at for one in the building around the place: first
 * a few, then as many as a tower beside it may have. */
#define NEAR_ADDRESSES 64
#define NEAR_ADDRESSES_MOST 8192
/* How far the nearest address may be. */
#define NEAR_M 2000.0
/* Workers of one unit that are named. */
#define WORKERS_MOST 20
/* As for /nearest: who was last seen longer ago is not on duty there. */
#define DEGREE_DIGITS 7

static const struct om__head HEAD = {
    .type = "application/json", .cache = "no-cache", .compress = true};

/* A place, and what has been found there so far. */
struct reversing {
    struct om__request *request;
    struct om_arena *arena;
    struct om_pos pos;
    struct om_text_reader reader;
    struct om_buf out, hidden;
    // what is looked at
    const struct om_layer *layer;
    struct om_hit hit;
    bool found;
    size_t column;     // that must say `want`
    const char *want;  // NULL: anything
    bool wanted;       // such a row has been found
    om_status status;
};

static const char *text_of(struct reversing *v, const struct om_hit *hit,
                           size_t column)
{
    const char *text = NULL;
    size_t len;
    if (column == OM_NO_FIELD || v->status) return NULL;
    v->status = om_segment_text(v->layer->part[hit->part].segment, column,
                                hit->row, &v->reader, &text, &len);
    if (v->status || !text) return NULL;
    const char *copy = om_arena_text(v->arena, text, len);
    if (!copy) v->status = OM_E_MEMORY;
    return copy;
}

static void put_text(struct reversing *v, const char *key, const char *text)
{
    om_buf_addf(&v->out, "\"%s\":", key);
    if (text)
        om_buf_add_json_text(&v->out, text, strlen(text));
    else
        om_buf_add_text(&v->out, "null");
}

/* May it be told of the layer? Else it is noted as hidden. */
static bool may_tell(struct reversing *v, const struct om_layer *layer,
                     const char *as)
{
    if (!layer) return false;
    if (!om__crowds_only(v->request, layer)) return true;
    om_buf_addf(&v->hidden, "%s\"%s\"", v->hidden.len ? "," : "", as);
    return false;
}

// ---- shapes around the place ----

static bool take_container(void *ctx, const struct om_hit *hit)
{
    struct reversing *v = ctx;
    struct om_rings rings;
    v->status = om_segment_rings(v->layer->part[hit->part].segment, hit->row,
                                 hit->row + 1, &rings);
    if (v->status) return false;
    v->found = om_rings_contain(&rings, hit->row, v->pos);
    if (v->found) v->hit = *hit;
    return !v->found;
}

/* The polygon of a layer that holds the place; border points are in one. */
static om_status find_container(struct reversing *v,
                                const struct om_layer *layer)
{
    const struct om_query query = {
        .snapshot = v->request->snapshot,
        .layer = layer,
        .place = {.kind = OM_PLACE_BOX,
                  .box = {v->pos.x, v->pos.y, v->pos.x, v->pos.y}}};
    v->layer = layer;
    v->found = false;
    if (layer->schema.geometry != OM_GEOMETRY_POLYGON) return OM_OK;
    OM_TRY(om_query_each(&query, take_container, v));
    return v->status;
}

// ---- the address ----

static bool take_nearest(void *ctx, const struct om_hit *hit)
{
    struct reversing *v = ctx;
    if (hit->distance_m > NEAR_M) return false;
    if (!v->found) v->hit = *hit;
    v->found = true;
    if (!v->want) return false;
    const char *group = text_of(v, hit, v->column);
    if (!group || strcmp(group, v->want) != 0) return !v->status;
    v->hit = *hit;
    v->wanted = true;
    return false;
}

static om_status find_address(struct reversing *v, const struct om_layer *layer,
                              size_t nearest)
{
    const struct om_query query = {
        .snapshot = v->request->snapshot,
        .layer = layer,
        .place = {.kind = OM_PLACE_NEAREST, .pos = v->pos, .nearest = nearest}};
    v->found = v->wanted = false;
    OM_TRY(om_query_each(&query, take_nearest, v));
    return v->status;
}

/* The nearest address; of those near by rather one of the building around. */
static om_status put_address(struct reversing *v,
                             const struct om_search_source *source,
                             const struct om_layer *layer, const char *building)
{
    v->layer = layer;
    v->want = building;
    v->column = om_schema_find(&layer->schema, source->group);
    OM_TRY(find_address(v, layer, NEAR_ADDRESSES));
    if (building && v->found && !v->wanted)
        OM_TRY(find_address(v, layer, NEAR_ADDRESSES_MOST));
    if (!v->found) {
        om_buf_add_text(&v->out, "\"address\":null");
        return OM_OK;
    }
    om_buf_add_text(&v->out, "\"address\":{");
    put_text(v, "id", text_of(v, &v->hit, layer->schema.id_field));
    om_buf_add_text(&v->out, ",");
    put_text(
        v, "text",
        text_of(v, &v->hit, om_schema_find(&layer->schema, source->column)));
    if (source->group[0]) {
        om_buf_add_text(&v->out, ",");
        put_text(v, source->group, text_of(v, &v->hit, v->column));
    }
    om_buf_add_text(&v->out, ",\"distance_m\":");
    om_buf_add_fixed(&v->out, v->hit.distance_m, 1);
    om_buf_add_text(&v->out, "}");
    return v->status;
}

/* Where addresses are: the first source of points whose rows share a group,
 * else the one that is called address. */
static const struct om_search_source *address_source(
    const struct om_snapshot *snapshot, const struct om_search_source *source,
    size_t sources)
{
    for (size_t i = 0; i < sources; i++) {
        const struct om_layer *layer =
            om_snapshot_layer(snapshot, source[i].layer);
        if (source[i].group[0] && layer->schema.geometry == OM_GEOMETRY_POINT)
            return &source[i];
    }
    for (size_t i = 0; i < sources; i++)
        if (!strcmp(source[i].layer, "address")) return &source[i];
    return NULL;
}

static om_status put_places(struct reversing *v)
{
    const struct om_snapshot *snapshot = v->request->snapshot;
    struct om_search_source *source =
        om_arena_calloc(v->arena, OM_SEARCH_LAYERS, sizeof *source);
    size_t sources;
    if (!source) return OM_E_MEMORY;
    OM_TRY(om_search_sources(snapshot, source, &sources, &v->request->err));
    const struct om_search_source *address =
        address_source(snapshot, source, sources);
    const struct om_layer *layer =
        address ? om_snapshot_layer(snapshot, address->layer) : NULL;
    const struct om_layer *around =
        address ? om_snapshot_layer(snapshot, address->group_layer) : NULL;
    const char *building = NULL;
    if (may_tell(v, around, "building")) {
        OM_TRY(find_container(v, around));
        if (v->found) building = text_of(v, &v->hit, around->schema.id_field);
    }
    if (may_tell(v, layer, "address"))
        OM_TRY(put_address(v, address, layer, building));
    else
        om_buf_add_text(&v->out, "\"address\":null");
    om_buf_add_text(&v->out, ",\"building\":");
    if (building) {
        om_buf_add_text(&v->out, "{");
        put_text(v, "id", building);
        om_buf_add_text(&v->out, "}");
    } else {
        om_buf_add_text(&v->out, "null");
    }
    return v->status;
}

// ---- units ----

static om_status put_units(struct reversing *v, struct om_search_unit *unit)
{
    const struct om_snapshot *snapshot = v->request->snapshot;
    for (size_t l = 0; l < snapshot->manifest->levels; l++) {
        const struct om_layer *layer =
            om_snapshot_units(snapshot, snapshot->manifest->level[l]);
        if (!may_tell(v, layer, snapshot->manifest->level[l])) continue;
        OM_TRY(find_container(v, layer));
        if (!v->found) continue;
        unit[l].id = text_of(v, &v->hit, layer->schema.id_field);
        unit[l].name =
            text_of(v, &v->hit, om_schema_find(&layer->schema, "name"));
        if (!unit[l].name) unit[l].name = "";
    }
    OM_TRY(v->status);
    return om_search_json_units(snapshot, unit, &v->out);
}

// ---- who is on duty ----

struct duty {
    const struct om_layer *layer;
    size_t unit, seen;  // columns
    const char *want;
    size_t count;
    struct om_hit hit[WORKERS_MOST];
    int64_t seen_s[WORKERS_MOST];
};

static int64_t seen_at(struct reversing *v, const struct om_hit *hit,
                       size_t column)
{
    const struct om_column *c;
    if (column == OM_NO_FIELD) return INT64_MIN;
    v->status = om_segment_column(v->layer->part[hit->part].segment, column,
                                  hit->row, hit->row + 1, &c);
    if (v->status || !om_column_valid(c, hit->row)) return INT64_MIN;
    return om_column_integer(c, hit->row);
}

struct looking {
    struct reversing *v;
    struct duty *duty;
};

/* Keep those that were seen last, newest first. */
static bool take_worker(void *ctx, const struct om_hit *hit)
{
    struct looking *l = ctx;
    struct duty *d = l->duty;
    const char *text = NULL;
    size_t len = 0;
    l->v->status = om_segment_text(d->layer->part[hit->part].segment, d->unit,
                                   hit->row, &l->v->reader, &text, &len);
    if (l->v->status) return false;
    if (!text || len != strlen(d->want) || memcmp(text, d->want, len) != 0)
        return true;
    const int64_t seen_s = seen_at(l->v, hit, d->seen);
    size_t at = d->count < WORKERS_MOST ? d->count++ : WORKERS_MOST - 1;
    for (; at > 0 && d->seen_s[at - 1] < seen_s; at--) {
        d->seen_s[at] = d->seen_s[at - 1];
        d->hit[at] = d->hit[at - 1];
    }
    d->seen_s[at] = seen_s;
    d->hit[at] = *hit;
    return !l->v->status;
}

static om_status put_workers(struct reversing *v, const struct duty *d)
{
    const int64_t now_s = om_snapshot_now(v->request->snapshot);
    om_buf_add_text(&v->out, ",\"worker\":");
    if (!d->count) {
        om_buf_add_text(&v->out, "null,\"workers\":[]");
        return OM_OK;
    }
    om_buf_add_text(&v->out, "{");
    put_text(v, "id", text_of(v, &d->hit[0], d->layer->schema.id_field));
    om_buf_addf(&v->out, ",\"on_duty\":%s},\"workers\":[",
                d->seen_s[0] != INT64_MIN && now_s - d->seen_s[0] <= OM__SEEN_S
                    ? "true"
                    : "false");
    for (size_t i = 0; i < d->count; i++) {
        const char *id = text_of(v, &d->hit[i], d->layer->schema.id_field);
        if (i) om_buf_add_text(&v->out, ",");
        om_buf_add_json_text(&v->out, id ? id : "", id ? strlen(id) : 0);
    }
    om_buf_add_text(&v->out, "]");
    return v->status;
}

/* "duty"."workers" of city.json says who is on duty in which unit. */
static om_status put_duty(struct reversing *v,
                          const struct om_search_unit *unit)
{
    const struct om_snapshot *snapshot = v->request->snapshot;
    const struct om_json *about = om_json_get(
        om_json_get(snapshot->manifest->document, "duty"), "workers");
    const struct om_layer *layer = om_snapshot_layer(
        snapshot, om_json_text(om_json_get(about, "layer"), ""));
    const char *level = om_json_text(om_json_get(about, "level"), "");
    struct duty d = {.layer = layer, .seen = OM_NO_FIELD};
    for (size_t l = 0; l < snapshot->manifest->levels; l++)
        if (!strcmp(snapshot->manifest->level[l], level)) d.want = unit[l].id;
    if (!may_tell(v, layer, "worker") || !d.want) {
        om_buf_add_text(&v->out, ",\"worker\":null");
        return OM_OK;
    }
    d.unit = om_schema_find(&layer->schema,
                            om_json_text(om_json_get(about, "unit"), ""));
    struct om__positions_about positions;
    if (om__positions_about(snapshot, &positions))
        d.seen = om_schema_find(&layer->schema, positions.seen);
    v->layer = layer;
    struct looking looking = {v, &d};
    const struct om_query query = {.snapshot = snapshot, .layer = layer};
    if (d.unit != OM_NO_FIELD)
        OM_TRY(om_query_each(&query, take_worker, &looking));
    OM_TRY(v->status);
    return put_workers(v, &d);
}

static om_status read_place(struct om__request *r, double *lon, double *lat,
                            struct om_pos *out)
{
    static const char *const name[] = {"lon", "lat"};
    for (size_t i = 0; i < 2; i++)
        if (!om__param_text(r, name[i]))
            return om__param_bad(r, name[i], OM_E_FORMAT,
                                 "%s is missing: a place is lon and lat, in "
                                 "degrees",
                                 name[i]);
    OM_TRY(om__param_real(r, "lon", -180, 180, lon));
    OM_TRY(om__param_real(r, "lat", -90, 90, lat));
    if (om_pos_from_lonlat(*lon, *lat, out))
        return om__param_bad(r, "lat", OM_E_COORD,
                             "lat lies beyond the square of the map");
    return OM_OK;
}

static om_status write_all(struct reversing *v, double lon, double lat)
{
    struct om_search_unit *unit = om_arena_calloc(
        v->arena, v->request->snapshot->manifest->levels + 1, sizeof *unit);
    if (!unit) return OM_E_MEMORY;
    om_buf_add_text(&v->out, "{\"lon\":");
    om_buf_add_fixed(&v->out, lon, DEGREE_DIGITS);
    om_buf_add_text(&v->out, ",\"lat\":");
    om_buf_add_fixed(&v->out, lat, DEGREE_DIGITS);
    om_buf_add_text(&v->out, ",");
    OM_TRY(put_places(v));
    OM_TRY(put_units(v, unit));
    OM_TRY(put_duty(v, unit));
    om_buf_add_text(&v->out, ",\"hidden\":[");
    om_buf_add(&v->out, v->hidden.bytes, v->hidden.len);
    return om_buf_add_text(&v->out, "]}");
}

om_status om__get_reverse(struct om__request *r)
{
    struct reversing v = {.request = r, .arena = &om__lane(r->server)->arena};
    double lon = 0, lat = 0;
    OM_TRY(read_place(r, &lon, &lat, &v.pos));
    om_buf_init(&v.out, OM__ANSWER_BYTES);
    om_status st = om__rows_spend(r, 1);
    if (!st) st = write_all(&v, lon, lat);
    if (!st) st = om__reply(r, &v.out, &HEAD);
    om_buf_deinit(&v.out);
    om_buf_deinit(&v.hidden);
    om_text_reader_deinit(&v.reader);
    return st;
}
