/* item_routes.c - rows of a layer: pages, files, and single ones.
 *
 * A page (GeoJSON; CSV with a limit) is written into memory. Everything as one
 * file (CSV, FlatGeobuf, GeoPackage without a limit, and items.FORM) goes
 * through a temporary file, see exports.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/model/time.h"
#include "engine/policy/policy.h"
#include "web/server/bounds.h"
#include "web/server/documents.h"
#include "web/server/exports.h"
#include "web/server/handlers.h"
#include "web/server/item_ask.h"
#include "web/server/jobs.h"
#include "web/server/media.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/writes.h"

/* Pages of more rows are written by the worker of heavy work. */
#define LIMIT_LIGHT 20000
/* Seconds that writing a file may take; a row, and each of its columns:
 * measured with the full city, twice that for slower machines. By
 * om_features_format; a GeoPackage has an index. */
#define FILE_S 240.0
static const struct {
    double row_s, column_s;
} COST[] = {{1e-6, 5e-7}, {1e-6, 3e-7}, {2e-6, 4e-7}, {2.5e-5, 5e-7}};

static om_status take(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

/* ---- pages */

/* The address of this page with another `next`. */
static om_status add_next_url(struct om__request *r,
                              const struct om__item_ask *ask,
                              const struct om_hit *last, struct om_buf *url)
{
    const char *query = strchr(r->target, '?');
    om__add_base_url(r, url);
    om_buf_addf(url, "/collections/%s/items?", r->layer->name);
    while (query && *++query) {
        const size_t len = strcspn(query, "&");
        if (len && strncmp(query, "next=", 5) != 0) {
            om_buf_add(url, query, len);
            om_buf_add_text(url, "&");
        }
        query += len;
        if (!*query) break;
    }
    om_buf_add_text(url, "next=");
    return om__next_write(r, ask, last, url);
}

/* A page being written. */
struct page {
    struct om__request *request;
    struct om_features *features;
    struct om_hit last;
    uint64_t matched;
    om_status status;
    struct om_buf next;  // URL of the next page; empty: none
};

static bool write_row(void *ctx, const struct om_hit *hit)
{
    struct page *page = ctx;
    page->last = *hit;
    page->status = om_features_add(page->features, hit);
    return !page->status;
}

#define MOMENT "1970-01-01T00:00:00Z"
#define BEHIND_MOMENT "\"}\n"

static void add_page_link(struct om_buf *out, const char *rel,
                          const struct om_buf *url)
{
    om_buf_addf(out,
                "{\"rel\":\"%s\",\"type\":\"application/geo+json\","
                "\"href\":",
                rel);
    om_buf_add_json_text(out, (const char *)url->bytes, url->len);
    om_buf_add_byte(out, '}');
}

/* What stands behind the features. The moment comes last, so that it can be
 * written after all else has been hashed. */
static om_status write_members(struct page *page, struct om_buf *out)
{
    const struct om__request *r = page->request;
    struct om_buf members = {0}, self = {0};
    om__add_base_url(r, &self);
    om_buf_add(&self, r->target, r->target_len);
    om_buf_addf(&members,
                "\"numberMatched\":%llu,\"numberReturned\":%llu,"
                "\"links\":[",
                (unsigned long long)page->matched,
                (unsigned long long)om_features_count(page->features));
    add_page_link(&members, "self", &self);
    if (page->next.len) {
        om_buf_add_byte(&members, ',');
        add_page_link(&members, "next", &page->next);
    }
    om_buf_add_text(&members, "],\"timeStamp\":\"" MOMENT "\"");
    om_buf_add_byte(&members, '\0');
    om_status st = members.status ? members.status : self.status;
    if (!st) st = om_features_end(page->features, (const char *)members.bytes);
    om_buf_deinit(&members);
    om_buf_deinit(&self);
    return st ? st : out->status;
}

static om_status write_page(struct page *page, const struct om__item_ask *ask,
                            struct om_buf *out)
{
    struct om__request *r = page->request;
    struct om_features_options options = om__item_ask_options(r, ask);
    options.format =
        om__form_is(r, "csv") ? OM_FEATURES_CSV : OM_FEATURES_GEOJSON;
    OM_TRY(om_features_begin(r->layer, &options, take, out, &page->features));
    OM_TRY(ask->keys ? om_query_sorted(&ask->query, ask->key, ask->keys,
                                       write_row, page)
                     : om_query_each(&ask->query, write_row, page));
    OM_TRY(page->status);
    const uint64_t rows = om_features_count(page->features);
    // Page after page is a file.
    if (rows == ask->query.limit && rows < page->matched &&
        r->who->role->export)
        OM_TRY(add_next_url(r, ask, &page->last, &page->next));
    return write_members(page, out);
}

/* The page as an answer: its ETag speaks of all but the moment. */
static om_status send_page(struct page *page, const struct om__item_ask *ask,
                           struct om_buf *out)
{
    struct om__request *r = page->request;
    const bool csv = om__form_is(r, "csv");
    char crs[128], matched[24], returned[24];
    struct om_buf link = {0};
    snprintf(crs, sizeof crs, "<%s>", om_project_system(ask->project)->uri);
    snprintf(matched, sizeof matched, "%llu",
             (unsigned long long)page->matched);
    snprintf(returned, sizeof returned, "%llu",
             (unsigned long long)om_features_count(page->features));
    if (page->next.len) {
        om_buf_add_byte(&link, '<');
        om_buf_add(&link, page->next.bytes, page->next.len);
        om_buf_add_text(&link, ">; rel=\"next\"");
        om_buf_add_byte(&link, '\0');
    }
    struct om__head head = {
        .type = csv ? om__media_type("csv", 3) : om__media_type("geojson", 7),
        .cache = OM__CACHE_DATA,
        .compress = true,
        .more = {"Content-Crs", crs, "OGC-NumberMatched", matched,
                 "OGC-NumberReturned", returned, link.len ? "Link" : NULL,
                 (const char *)link.bytes}};
    if (!csv) {
        const size_t at =
            out->len - (sizeof BEHIND_MOMENT - 1) - (sizeof MOMENT - 1);
        head.weak = true;
        head.hash = om_hash64(out->bytes, out->len, 0);
        char moment[OM_TIME_TEXT_BYTES];
        om_time_format((int64_t)time(NULL), 0, moment);
        memcpy(out->bytes + at, moment, sizeof MOMENT - 1);
    }
    om_status st = link.status;
    if (!st) st = om__reply(r, out, &head);
    om_buf_deinit(&link);
    return st;
}

static om_status get_page(struct om__request *r, const struct om__item_ask *ask)
{
    struct page page = {.request = r};
    struct om_buf out = {0};
    struct om_query all = ask->query;  // matched: whatever the page
    all.limit = 0;
    all.behind = NULL;
    const bool reads = om_filter_scan_s(ask->query.filter) > OM__HEAVY_S;
    if (reads && om__wait_heavy(r)) return OM_OK;
    OM_TRY(om_query_count(&all, &page.matched));
    OM_TRY(om__item_ask_afford(r, ask, page.matched));
    const uint64_t told =
        page.matched < ask->query.limit ? page.matched : ask->query.limit;
    OM_TRY(om__rows_spend(r, om__rows_open(r->layer) ? 0 : told));
    const bool heavy =
        ask->query.limit > LIMIT_LIGHT ||
        (ask->keys && om_sort_cost_s(r->layer, ask->key, ask->keys,
                                     page.matched) > OM__HEAVY_S);
    if (heavy && om__wait_heavy(r)) return OM_OK;
    om_buf_init(&out, OM__ANSWER_BYTES);
    om_status st = write_page(&page, ask, &out);
    if (!st) st = send_page(&page, ask, &out);
    om_features_free(page.features);
    om_buf_deinit(&page.next);
    om_buf_deinit(&out);
    return st;
}

/* ---- files */

static bool give_up(void *ctx)
{
    struct om__request *r = ctx;
    return atomic_load(&r->server->stopping) || om__client_gone(r);
}

/* What a file of so many rows would cost, before it is begun. */
static om_status afford_file(struct om__request *r,
                             const struct om__item_ask *ask,
                             enum om_features_format format, uint64_t rows)
{
    OM_TRY(om__item_ask_afford(r, ask, rows));
    const size_t columns = ask->chosen ? ask->columns : r->layer->schema.count;
    const double row_s =
        COST[format].row_s + COST[format].column_s * (double)columns;
    const double limit = FILE_S / row_s;
    const char *by = om__param_text(r, "f") ? "f" : NULL;
    if ((double)rows > limit)
        return om__param_bad(r, by, OM_E_COST,
                             "a file of %llu rows would take about %.0f s to "
                             "write; the limit is %.0f rows of this format: "
                             "ask for fewer, or for fgb or csv",
                             (unsigned long long)rows, (double)rows * row_s,
                             limit);
    if (ask->keys && rows > OM_SORT_ROWS)
        return om__param_bad(r, "sortby", OM_E_COST,
                             "a sorted file has at most %d rows, not %llu: ask "
                             "for fewer, or without sortby",
                             OM_SORT_ROWS, (unsigned long long)rows);
    return OM_OK;
}

static om_status write_file(struct om__request *r, struct om__item_ask *ask,
                            enum om_features_format format,
                            const struct om_buf *key)
{
    char path[600], form[16];
    uint64_t written = 0;
    struct om_features_options options = om__item_ask_options(r, ask);
    options.format = format;
    options.give_up = give_up;
    options.give_up_ctx = r;
    options.max_bytes = om__export_room(r->server);
    snprintf(form, sizeof form, "%.*s", (int)r->form_len, r->form);
    OM_TRY(om__export_path(r, form, path, sizeof path));
    om_status st =
        om_features_save(&ask->query, &options, path, &written, &r->err);
    if (st == OM_E_LIMIT) {
        r->error_status = MHD_HTTP_UNPROCESSABLE_CONTENT;
        return st;
    }
    // Paths of this machine are for the log only.
    if (st) {
        r->err = (struct om_err){0};
        return st == OM_E_STOPPED
                   ? st
                   : om_fail(&r->err, st, 0, "the file was not written");
    }
    return om__export_keep(r, key, path, written);
}

static om_status send_file(struct om__request *r, struct om__item_ask *ask,
                           enum om_features_format format,
                           const struct om_buf *key)
{
    char name[OM_LIMIT_NAME_BYTES + 32], crs[128];
    struct om_query all = ask->query;
    struct om__export about = {
        .form = r->form, .name = name, .content_crs = crs};
    const bool part = ask->filter || all.window.set || ask->limited ||
                      all.place.kind != OM_PLACE_ALL;
    all.limit = 0;
    all.behind = NULL;
    snprintf(crs, sizeof crs, "<%s>", om_project_system(ask->project)->uri);
    snprintf(name, sizeof name, "%s%s.%.*s", r->layer->name,
             part ? "-selection" : "", (int)r->form_len, r->form);
    OM_TRY(om_query_count(&all, &about.matched));
    if (om__export_reply(r, key, &about)) return OM_OK;
    const uint64_t rows = ask->limited && ask->query.limit < about.matched
                              ? ask->query.limit
                              : about.matched;
    OM_TRY(afford_file(r, ask, format, rows));
    if (om__wait_filing(r)) return OM_OK;
    OM_TRY(write_file(r, ask, format, key));
    return om__export_reply(r, key, &about) ? OM_OK : OM_E_BUSY;
}

static om_status get_file(struct om__request *r, struct om__item_ask *ask)
{
    enum om_features_format format = OM_FEATURES_GEOJSON;
    char form[16];
    struct om_buf key = {0};
    snprintf(form, sizeof form, "%.*s", (int)r->form_len, r->form);
    if (!om_features_format_from_name(form, &format)) return OM_E_INTERNAL;
    if (!ask->limited) ask->query.limit = ask->keys ? OM_SORT_ROWS : 0;
    om_status st = om__item_ask_key(r, ask, &key);
    if (!st) st = send_file(r, ask, format, &key);
    om_buf_deinit(&key);
    return st;
}

/* Files, tables, and page after page, are for roles that may take rows away;
 * others see some of what they ask for. */
static om_status check_export(struct om__request *r)
{
    if (r->who->role->export) return OM_OK;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "there are no files to take away here");
}

om_status om__get_items(struct om__request *r)
{
    struct om__item_ask ask;
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    om_status st = om__item_ask_read(r, &ask);
    const bool shown = om__form_is(r, "geojson") || om__form_is(r, "json");
    const bool page = shown || (om__form_is(r, "csv") && ask.limited);
    if (!st && (!shown || om__param_text(r, "next"))) st = check_export(r);
    if (!r->who->role->export && ask.query.limit > OM__LOOK_ROWS)
        ask.query.limit = OM__LOOK_ROWS;
    if (!st) st = page ? get_page(r, &ask) : get_file(r, &ask);
    om__item_ask_deinit(&ask);
    return st;
}

om_status om__get_download(struct om__request *r)
{
    struct om__item_ask ask;
    enum om_features_format format;
    r->form = r->address.segment[2] + strlen("items.");
    r->form_len = strlen(r->form);
    if (!om_features_format_from_name(r->form, &format))
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "files are items.geojson, items.csv, items.fgb and "
                       "items.gpkg");
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    OM_TRY(check_export(r));
    om_status st = om__item_ask_read(r, &ask);
    if (!st) st = get_file(r, &ask);
    om__item_ask_deinit(&ask);
    return st;
}

/* ---- one row */

struct one {
    const struct om__request *request;
    struct om_project *project;
    struct om_buf *out;
    bool found;
    om_status status;
};

static bool write_one(void *ctx, const struct om_hit *hit)
{
    struct one *one = ctx;
    const struct om_features_options options = {
        .zone_s = one->request->snapshot->manifest->zone_s,
        .project = one->project};
    one->found = true;
    one->status = om_features_one(one->request->layer, &options, hit, one->out);
    return false;
}

/* A Feature with the links that OGC API wants behind its members. */
static void add_links(const struct om__request *r, struct om_buf *out)
{
    char path[OM_LIMIT_NAME_BYTES + 32];
    struct om_buf self = {0};
    snprintf(path, sizeof path, "/collections/%s", r->layer->name);
    const struct om__link link = {"collection", "application/json", NULL, path,
                                  false};
    if (!out->len || out->status) return;
    out->len--;  // the closing brace
    om__add_base_url(r, &self);
    om_buf_add(&self, r->target, r->target_len);
    om_buf_add_text(out, ",\"links\":[");
    add_page_link(out, "self", &self);
    om_buf_add_byte(out, ',');
    om__link_add(r, &link, out);
    om_buf_add_text(out, "]}\n");
    om_buf_deinit(&self);
}

/* Is there such a row for whoever asks? What is elsewhere is looked for in the
 * same way as what is nowhere, and nothing else is done with either: no answer
 * comes earlier. */
static om_status check_there(struct om__request *r, const char *id)
{
    bool seen = false;
    OM_TRY(om_id_seen(r->layer, id, strlen(id), &seen, NULL));
    return seen ? om__rows_spend(r, !om__rows_open(r->layer))
                : om_fail(&r->err, OM_E_NOTFOUND, 0,
                          "there is no row of that id");
}

om_status om__get_item(struct om__request *r)
{
    const char *id = r->address.segment[3];
    char crs[128], etag[32] = "";
    struct om_buf out = {0};
    struct one one = {.request = r, .out = &out};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    OM_TRY(om__param_crs(r, "crs", &one.project));
    const struct om_system *system = om_project_system(one.project);
    if (system == om_system_at(0)) one.project = NULL;
    snprintf(crs, sizeof crs, "<%s>", system->uri);
    OM_TRY(check_there(r, id));
    const om_status tagged = om__row_tag(r, id, etag, sizeof etag);
    if (tagged == OM_E_NOTFOUND)
        return om_fail(&r->err, tagged, 0, "there is no row of that id");
    OM_TRY(tagged);
    const struct om_query query = {
        .snapshot = r->snapshot,
        .layer = r->layer,
        .place = {.kind = OM_PLACE_ID, .id = id, .id_len = strlen(id)}};
    const struct om__head head = {.type = "application/geo+json",
                                  .cache = "no-cache",
                                  .etag = etag[0] ? etag : NULL,
                                  .compress = true,
                                  .more = {"Content-Crs", crs}};
    om_status st = om_query_each(&query, write_one, &one);
    if (!st) st = one.status;
    if (!st && !one.found) st = OM_E_NOTFOUND;
    if (st == OM_E_NOTFOUND)
        om_fail(&r->err, st, 0, "there is no row of that id");
    add_links(r, &out);
    if (!st) st = om__reply(r, &out, &head);
    om_buf_deinit(&out);
    return st;
}
