// nearest_routes.c - what is nearest to a place, straight or along the roads.
#include <math.h>
#include <string.h>

#include "web/features.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/params.h"
#include "web/server/positions.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/ways.h"

#define NEAREST_DEFAULT 10
#define NEAREST_MAX 1000
/* Ways that take longer are not looked for. */
#define MINUTES_DEFAULT 120.0
/* Whoever was last seen longer ago than this is not where they were. */

static const struct om__head HEAD = {
    .type = "application/geo+json", .cache = "no-cache", .compress = true};

/* What is asked. */
struct nearest {
    struct om_query query;
    struct om_filter *filter;
    size_t *column;
    size_t columns;
    struct om__ways *ways;  // NULL: straight
    double minutes_most;
};

static om_status read_place(struct om__request *r, struct om_place *out)
{
    uint64_t k = NEAREST_DEFAULT;
    OM_TRY(om__param_lonlat(r, &out->pos));
    OM_TRY(om__param_count(r, "k", 1, NEAREST_MAX, &k));
    out->kind = OM_PLACE_NEAREST;
    out->nearest = (size_t)k;
    return OM_OK;
}

static om_status read_columns(struct om__request *r, struct nearest *n)
{
    const char *text = om__param_text(r, "properties");
    const struct om_schema *s = &r->layer->schema;
    if (!text) return OM_OK;
    n->column = om_arena_calloc(&om__lane(r->server)->arena, s->count + 1,
                                sizeof *n->column);
    if (!n->column) return OM_E_MEMORY;
    while (*text) {
        char name[OM_LIMIT_NAME_BYTES] = "";
        const size_t len = strcspn(text, ",");
        if (len < sizeof name) memcpy(name, text, len);
        const size_t f = om_schema_find(s, name);
        if (f == OM_NO_FIELD || n->columns == s->count)
            return om__param_bad(r, "properties", OM_E_FORMAT,
                                 "properties: %s has no column '%.60s'",
                                 r->layer->name, name);
        n->column[n->columns++] = f;
        text += len + (text[len] == ',');
    }
    return OM_OK;
}

static om_status read_ways(struct om__request *r, struct nearest *n)
{
    n->minutes_most = MINUTES_DEFAULT;
    if (!om__param_text(r, "mode")) {
        if (!om__param_text(r, "minutes")) return OM_OK;
        return om__param_bad(r, "minutes", OM_E_FORMAT,
                             "minutes needs mode: on foot or how?");
    }
    OM_TRY(om__param_real(r, "minutes", 0.1, OM__WAYS_MINUTES_MOST,
                          &n->minutes_most));
    return om__ways_get(r, &n->ways);
}

/* Of those whose positions are followed, those who have been seen of late. */
static void only_seen(struct om__request *r, struct om_window *window)
{
    struct om__positions_about about;
    if (window->set || !om__positions_about(r->snapshot, &about) ||
        strcmp(about.layer, r->layer->name) != 0)
        return;
    const int64_t now_s = om_snapshot_now(r->snapshot);
    *window = (struct om_window){
        .set = true, .from_s = now_s - OM__SEEN_S, .to_s = INT64_MAX};
}

struct writing {
    struct om__request *request;
    struct om_features *features;
    struct om_text_reader reader;
    om_status status;
};

/* Where somebody stands is not noted (asked.c), so that of who has a token it
 * is noted which rows were told. */
static om_status note_row(struct writing *w, const struct om_hit *hit)
{
    struct om__request *r = w->request;
    const struct om_segment *segment = r->layer->part[hit->part].segment;
    const uint64_t *key;
    const char *id;
    size_t len;
    if (!r->route->asks || !r->who->asked) return OM_OK;
    OM_TRY(om_segment_keys(segment, hit->row, hit->row + 1, &key));
    OM_TRY(om_segment_text(segment, r->layer->schema.id_field, hit->row,
                           &w->reader, &id, &len));
    const struct om_pos pos = om_morton_pos(key[hit->row]);
    om__given_row(&r->given, id, len, &pos);
    return OM_OK;
}

static om_status take(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static bool write_row(void *ctx, const struct om_hit *hit)
{
    struct writing *w = ctx;
    w->status = om_features_add(w->features, hit);
    if (!w->status) w->status = note_row(w, hit);
    return !w->status;
}

static void add_fixed(struct om_buf *out, double value, int digits)
{
    if (isnan(value))
        om_buf_add_text(out, "null");
    else
        om_buf_add_fixed(out, value, digits);
}

/* By minutes: each row with its way. */
static om_status write_ways(const struct nearest *n, struct writing *w,
                            struct om_buf *about)
{
    struct om__request *r = w->request;
    struct om_ways ways;
    struct om_buf with = {0};
    om_status st = om__ways_nearest(n->ways, &n->query, n->minutes_most, &ways);
    if (st == OM_E_TYPE)
        return om__param_bad(r, "mode", OM_E_FORMAT,
                             "mode: %s is not a layer of points",
                             r->layer->name);
    OM_TRY(st);
    for (size_t i = 0; i < ways.count && !st; i++) {
        om_buf_clear(&with);
        om_buf_add_text(&with, "\"minutes\":");
        add_fixed(&with, ways.hit[i].minutes, 2);
        om_buf_add_text(&with, ",\"way_m\":");
        add_fixed(&with, ways.hit[i].m, 1);
        om_buf_add_byte(&with, 0);
        st = with.status ? with.status
                         : om_features_add_with(w->features, &ways.hit[i].hit,
                                                (const char *)with.bytes);
        if (!st) st = note_row(w, &ways.hit[i].hit);
    }
    om__ways_members(n->ways, about);
    om_buf_addf(about, ",\"off\":%s,", ways.off ? "true" : "false");
    om_buf_deinit(&with);
    om_ways_deinit(&ways);
    return st;
}

static om_status write_rows(struct om__request *r, const struct nearest *n,
                            struct om_buf *out)
{
    struct writing w = {.request = r};
    struct om_buf members = {0};
    const struct om_features_options options = {
        .zone_s = r->snapshot->manifest->zone_s,
        .column = n->column,
        .columns = n->columns,
        .distance = true};
    om_status st =
        om_features_begin(r->layer, &options, take, out, &w.features);
    if (!st && n->ways) {
        st = write_ways(n, &w, &members);
    } else if (!st) {
        st = om_query_each(&n->query, write_row, &w);
        if (!st) st = w.status;
    }
    if (!st) {
        om_buf_addf(&members, "\"numberReturned\":%llu",
                    (unsigned long long)om_features_count(w.features));
        om_buf_add_byte(&members, 0);
        st = members.status
                 ? members.status
                 : om_features_end(w.features, (const char *)members.bytes);
    }
    if (!st && !om__rows_open(r->layer))
        st = om__rows_spend(r, om_features_count(w.features));
    om_features_free(w.features);
    om_text_reader_deinit(&w.reader);
    om_buf_deinit(&members);
    return st ? st : out->status;
}

om_status om__get_nearest(struct om__request *r)
{
    struct nearest n = {0};
    struct om_buf out = {0};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    n.query = (struct om_query){.snapshot = r->snapshot,
                                .layer = r->layer,
                                .cache = r->server->selections};
    OM_TRY(read_place(r, &n.query.place));
    OM_TRY(om__param_datetime(r, &n.query.window));
    OM_TRY(read_columns(r, &n));
    OM_TRY(read_ways(r, &n));
    if (r->later) return OM_OK;
    only_seen(r, &n.query.window);
    om_status st = om__param_filter(r, &n.filter);
    n.query.filter = n.filter;
    om_buf_init(&out, OM__ANSWER_BYTES);
    if (!st) st = write_rows(r, &n, &out);
    if (!st) st = om__reply(r, &out, &HEAD);
    om_buf_deinit(&out);
    om_filter_free(n.filter);
    om__ways_unref(n.ways);
    return st;
}
