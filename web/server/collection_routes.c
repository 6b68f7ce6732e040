// collection_routes.c - layers as OGC API collections, and their rows.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"
#include "web/features.h"
#include "web/server/server_internal.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 100000
/* Pages of more rows are written by the worker of heavy work. */
#define LIMIT_LIGHT 20000
#define CRS84 "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

static const struct om__head HEAD_CSV = {
    .type = "text/csv; charset=utf-8; header=present",
    .cache = "public, max-age=10, stale-while-revalidate=60",
    .compress = true};

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

/* A link to `path` below the layer's own address. */
static void add_link(const struct om__request *r, const char *rel,
                     const char *type, const char *layer, const char *path,
                     struct om_buf *out)
{
    struct om_buf url = {0};
    om__add_base_url(r, &url);
    om_buf_add_text(&url, "/collections");
    if (layer) om_buf_addf(&url, "/%s", layer);
    om_buf_add_text(&url, path);
    om_buf_addf(out, "{\"rel\":\"%s\",\"type\":\"%s\",\"href\":", rel, type);
    om_buf_add_json_text(out, (const char *)url.bytes, url.len);
    om_buf_add_text(out, "}");
    if (url.status) out->status = url.status;
    om_buf_deinit(&url);
}

static void add_extent(const struct om_layer *layer, struct om_buf *out)
{
    double b[4];
    if (!om_layer_bounds(layer, b)) return;
    om_buf_addf(out,
                ",\"extent\":{\"spatial\":{\"crs\":\"" CRS84
                "\",\"bbox\":[[%.7f,%.7f,%.7f,%.7f]]}}",
                b[0], b[1], b[2], b[3]);
}

static void add_columns(const struct om_layer *layer, struct om_buf *out)
{
    const struct om_schema *s = &layer->schema;
    om_buf_addf(out, ",\"geometry\":\"%s\",\"id_column\":",
                om_geometry_name(s->geometry));
    add_text(out, s->field[s->id_field].name);
    om_buf_add_text(out, ",\"time_column\":");
    if (s->time_field == OM_NO_FIELD)
        om_buf_add_text(out, "null");
    else
        add_text(out, s->field[s->time_field].name);
    om_buf_add_text(out, ",\"columns\":[");
    for (size_t i = 0; i < s->count; i++) {
        om_buf_add_text(out, i ? ",{\"name\":" : "{\"name\":");
        add_text(out, s->field[i].name);
        om_buf_addf(
            out, ",\"type\":\"%s\"%s}", om_type_name(s->field[i].type),
            i + layer->unit_columns >= s->count ? ",\"unit\":true" : "");
    }
    om_buf_add_text(out, "]");
}

static void add_meta(const struct om__request *r, const struct om_layer *layer,
                     struct om_buf *out)
{
    const struct om_manifest_layer *meta = layer->meta;
    om_buf_add_text(out, ",\"title\":");
    add_text(out, meta && meta->title[0] ? meta->title : layer->name);
    if (!meta) return;
    if (meta->title_en[0]) {
        om_buf_add_text(out, ",\"title_en\":");
        add_text(out, meta->title_en);
    }
    if (meta->department[0]) {
        om_buf_add_text(out, ",\"department\":");
        add_text(out, meta->department);
    }
    if (meta->base[0]) {
        om_buf_add_text(out, ",\"base\":");
        add_text(out, meta->base);
    }
    if (meta->unit_level[0]) {
        om_buf_add_text(out, ",\"unit_level\":");
        add_text(out, meta->unit_level);
    }
    const int64_t as_of = om_manifest_as_of(r->snapshot->manifest, meta);
    if (as_of) {
        char text[OM_TIME_TEXT_BYTES];
        om_time_format(as_of, r->snapshot->manifest->zone_s, text);
        om_buf_addf(out, ",\"as_of\":\"%s\"", text);
    }
}

static void add_collection(const struct om__request *r,
                           const struct om_layer *layer, struct om_buf *out)
{
    om_buf_add_text(out, "{\"id\":");
    add_text(out, layer->name);
    add_meta(r, layer, out);
    om_buf_addf(
        out, ",\"itemType\":\"feature\",\"crs\":[\"" CRS84 "\"],\"rows\":%llu",
        (unsigned long long)layer->rows);
    add_extent(layer, out);
    add_columns(layer, out);
    om_buf_add_text(out, ",\"links\":[");
    add_link(r, "self", "application/json", layer->name, "", out);
    om_buf_add_text(out, ",");
    add_link(r, "items", "application/geo+json", layer->name, "/items", out);
    om_buf_add_text(out, ",");
    add_link(r, "items", "text/csv", layer->name, "/items?f=csv", out);
    om_buf_add_text(out, "]}");
}

static om_status only_json(struct om__request *r)
{
    const char *format;
    return om__param_word(r, "f", "json", "json", &format);
}

om_status om__get_collections(struct om__request *r)
{
    struct om_buf out = {0};
    OM_TRY(only_json(r));
    om_buf_add_text(&out, "{\"links\":[");
    add_link(r, "self", "application/json", NULL, "", &out);
    om_buf_add_text(&out, "],\"collections\":[");
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        om_buf_add_text(&out, i ? ",\n" : "\n");
        add_collection(r, &r->snapshot->layer[i], &out);
    }
    om_buf_add_text(&out, "]}\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

om_status om__get_collection(struct om__request *r)
{
    struct om_buf out = {0};
    OM_TRY(only_json(r));
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    add_collection(r, r->layer, &out);
    om_buf_add_text(&out, "\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

/* column=value: what the filter language says about the column's type. */
static om_status add_equal(struct om__request *r, const struct om_param *p,
                           struct om_buf *text)
{
    const size_t column = om_schema_find(&r->layer->schema, p->name);
    if (column == OM_NO_FIELD)
        return om__param_bad(r, p->name, OM_E_FORMAT,
                             "there is no parameter and no column %.64s here; "
                             "known are %s and the columns of %s",
                             p->name, r->route->params, r->layer->name);
    const enum om_type type = r->layer->schema.field[column].type;
    const bool bare = type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
                      type == OM_TYPE_BOOLEAN;
    if (bare &&
        (!p->len || strspn(p->value, "0123456789+-.eEtrufals") != p->len))
        return om__param_bad(r, p->name, OM_E_FORMAT,
                             "the column %.64s is of type %s", p->name,
                             om_type_name(type));
    if (text->len) om_buf_add_text(text, " AND ");
    om_buf_addf(text, "\"%s\" = %s", p->name, bare ? "" : "'");
    for (const char *c = p->value; *c; c++) {
        if (*c == '\'') om_buf_add_byte(text, '\'');
        om_buf_add_byte(text, (uint8_t)*c);
    }
    return om_buf_add_text(text, bare ? "" : "'");
}

static bool is_own_param(const char *name)
{
    static const char *const own[] = {
        "bbox", "limit", "filter", "datetime", "filter-lang", "f", "next"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcmp(own[i], name)) return true;
    return false;
}

/* filter AND column=value AND ... as one filter. owns: *out */
static om_status read_filter(struct om__request *r, struct om_filter **out)
{
    struct om_buf text = {0};
    *out = NULL;
    om_status st = OM_OK;
    for (size_t i = 0; i < r->address.params && !st; i++)
        if (!is_own_param(r->address.param[i].name))
            st = add_equal(r, &r->address.param[i], &text);
    if (st || !text.len) {
        om_buf_deinit(&text);
        return st ? st : om__param_filter(r, out);
    }
    // The filter alone first, so that its errors point into it.
    st = om__param_filter(r, out);
    if (st) goto done;
    if (*out) om_buf_addf(&text, " AND (%s)", om_filter_canonical(*out));
    om_filter_free(*out);
    *out = NULL;
    st = text.status;
    if (!st)
        st = om_filter_parse((const char *)text.bytes, text.len, r->layer,
                             r->snapshot->manifest->zone_s, out, &r->err);
done:
    om_buf_deinit(&text);
    return st;
}

/* next=SEQUENCE.PART.ROW: behind which row to go on, in which city. */
static om_status read_next(struct om__request *r, struct om_hit *after,
                           bool *given)
{
    const char *text = om__param_text(r, "next");
    uint64_t number[3];
    *given = false;
    if (!text) return OM_OK;
    for (int i = 0; i < 3; i++) {
        const size_t len = strcspn(text, ".");
        if (!om_digits_read(text, len, INT64_MAX, &number[i]) ||
            (i < 2) != (text[len] == '.'))
            return om__param_bad(r, "next", OM_E_FORMAT,
                                 "next is what the link of that name gave");
        text += len + (i < 2);
    }
    if (number[0] != r->snapshot->sequence) {
        r->error_status = MHD_HTTP_GONE;
        return om__param_bad(r, "next", OM_E_NOTFOUND,
                             "the data has changed since; begin again");
    }
    if (number[1] >= r->layer->parts ||
        number[2] >= om_segment_rows(r->layer->part[number[1]].segment))
        return om__param_bad(r, "next", OM_E_RANGE,
                             "next is what the link of that name gave");
    *after =
        (struct om_hit){.part = (size_t)number[1], .row = (size_t)number[2]};
    *given = true;
    return OM_OK;
}

static om_status take(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

/* The address of this page with another `next`. */
static void add_next(const struct om__request *r, const struct om_hit *last,
                     struct om_buf *out)
{
    struct om_buf url = {0};
    const char *query = strchr(r->target, '?');
    om__add_base_url(r, &url);
    om_buf_addf(&url, "/collections/%s/items?", r->layer->name);
    while (query && *++query) {
        const size_t len = strcspn(query, "&");
        if (len && strncmp(query, "next=", 5) != 0) {
            om_buf_add(&url, query, len);
            om_buf_add_text(&url, "&");
        }
        query += len;
        if (!*query) break;
    }
    om_buf_addf(&url, "next=%llu.%zu.%zu",
                (unsigned long long)r->snapshot->sequence, last->part,
                last->row);
    om_buf_add_text(out,
                    "{\"rel\":\"next\",\"type\":\"application/geo+json\","
                    "\"href\":");
    om_buf_add_json_text(out, (const char *)url.bytes, url.len);
    om_buf_add_text(out, "}");
    if (url.status) out->status = url.status;
    om_buf_deinit(&url);
}

struct page {
    struct om_features *features;
    struct om_hit last;
    om_status status;
};

static bool write_row(void *ctx, const struct om_hit *hit)
{
    struct page *page = ctx;
    page->last = *hit;
    page->status = om_features_add(page->features, hit);
    return !page->status;
}

static om_status write_items(struct om__request *r,
                             const struct om_query *query, bool csv,
                             struct om_buf *out)
{
    const struct om_features_options options = {
        .format = csv ? OM_FEATURES_CSV : OM_FEATURES_GEOJSON,
        .zone_s = r->snapshot->manifest->zone_s};
    struct om_query all = *query;  // matched: whatever the page
    struct om_buf members = {0};
    struct page page = {0};
    uint64_t matched;
    all.limit = 0;
    all.after = NULL;
    om_status st = om_query_count(&all, &matched);
    if (st) goto done;
    st = om_features_begin(r->layer, &options, take, out, &page.features);
    if (st) goto done;
    st = om_query_each(query, write_row, &page);
    if (!st) st = page.status;
    if (st) goto done;
    const uint64_t rows = om_features_count(page.features);
    om_buf_addf(&members,
                "\"numberMatched\":%llu,\"numberReturned\":%llu,"
                "\"links\":[",
                (unsigned long long)matched, (unsigned long long)rows);
    if (rows == query->limit && rows < matched)
        add_next(r, &page.last, &members);
    om_buf_add_text(&members, "]");
    om_buf_add_byte(&members, '\0');
    st = members.status;
    if (!st) st = om_features_end(page.features, (const char *)members.bytes);
done:
    om_features_free(page.features);
    om_buf_deinit(&members);
    return st;
}

om_status om__get_items(struct om__request *r)
{
    const char *format;
    uint64_t limit = LIMIT_DEFAULT;
    struct om_filter *filter = NULL;
    struct om_hit after;
    bool given;
    struct om_buf out = {0};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    OM_TRY(om__param_word(r, "f", "geojson json csv", "geojson", &format));
    struct om_query query = {.snapshot = r->snapshot,
                             .layer = r->layer,
                             .policy = &OM_POLICY_ALL,
                             .cache = r->server->selections};
    OM_TRY(om__param_count(r, "limit", 1, LIMIT_MAX, &limit));
    OM_TRY(om__param_bbox(r, &query.place));
    OM_TRY(om__param_datetime(r, &query.window));
    OM_TRY(read_next(r, &after, &given));
    if (limit > LIMIT_LIGHT && om__wait_heavy(r)) return OM_OK;
    OM_TRY(read_filter(r, &filter));
    query.limit = (size_t)limit;
    query.filter = filter;
    query.after = given ? &after : NULL;
    om_buf_init(&out, OM__ANSWER_BYTES);
    const bool csv = !strcmp(format, "csv");
    om_status st = write_items(r, &query, csv, &out);
    if (!st)
        st = om__reply_kept(r, &out, csv ? &HEAD_CSV : &om__head_geojson, NULL,
                            0);
    om_buf_deinit(&out);
    om_filter_free(filter);
    return st;
}

struct one {
    const struct om__request *request;
    struct om_buf *out;
    bool found;
    om_status status;
};

static bool write_one(void *ctx, const struct om_hit *hit)
{
    struct one *one = ctx;
    const struct om_features_options options = {
        .zone_s = one->request->snapshot->manifest->zone_s};
    one->found = true;
    one->status = om_features_one(one->request->layer, &options, hit, one->out);
    return false;
}

om_status om__get_item(struct om__request *r)
{
    const char *id = r->address.segment[3], *format;
    struct om_buf out = {0};
    struct one one = {.request = r, .out = &out};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    OM_TRY(om__param_word(r, "f", "geojson json", "geojson", &format));
    const struct om_query query = {
        .snapshot = r->snapshot,
        .layer = r->layer,
        .policy = &OM_POLICY_ALL,
        .place = {.kind = OM_PLACE_ID, .id = id, .id_len = strlen(id)}};
    om_status st = om_query_each(&query, write_one, &one);
    if (!st) st = one.status;
    if (!st && !one.found) st = OM_E_NOTFOUND;
    if (st == OM_E_NOTFOUND)
        om_fail(&r->err, st, 0, "there is no row of that id");
    if (!st) st = om__reply_kept(r, &out, &om__head_geojson, NULL, 0);
    om_buf_deinit(&out);
    return st;
}
