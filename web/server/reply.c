// reply.c - what an answer's head says, and how errors are told.
#include <libdeflate.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/model/time.h"
#include "web/server/bounds.h"
#include "web/server/media.h"
#include "web/server/reply.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"

/* Bodies below this are sent as they are: a packet is a packet. */
#define GZIP_MIN_BYTES 600
/* libdeflate's levels 1 to 12: 4 halves the time of 6 for 3 % more bytes. */
#define GZIP_LEVEL 4
/* 7 MB/s: for what is packed at the start and sent often. */
#define GZIP_ONCE_LEVEL 10

const struct om__head om__head_json = {
    .type = "application/json", .cache = OM__CACHE_DATA, .compress = true};
const struct om__head om__head_geojson = {
    .type = "application/geo+json", .cache = OM__CACHE_DATA, .compress = true};
const struct om__head om__head_png = {.type = "image/png",
                                      .cache = OM__CACHE_DATA};
const struct om__head om__head_mvt = {
    .type = "application/vnd.mapbox-vector-tile",
    .cache = OM__CACHE_DATA,
    .compress = true,
    .none_204 = true};

/* om_status in the words of HTTP. What is not here is our own fault: 500. */
static const struct {
    om_status status;
    unsigned http;
} HTTP_OF[] = {
    {OM_E_RANGE, MHD_HTTP_BAD_REQUEST},
    {OM_E_COORD, MHD_HTTP_BAD_REQUEST},
    {OM_E_FORMAT, MHD_HTTP_BAD_REQUEST},
    {OM_E_TYPE, MHD_HTTP_BAD_REQUEST},
    {OM_E_CRS, MHD_HTTP_BAD_REQUEST},
    {OM_E_GEOMETRY, MHD_HTTP_BAD_REQUEST},
    {OM_E_UNSUPPORTED, MHD_HTTP_BAD_REQUEST},
    {OM_E_NOTFOUND, MHD_HTTP_NOT_FOUND},
    {OM_E_LIMIT, MHD_HTTP_CONTENT_TOO_LARGE},
    {OM_E_COST, MHD_HTTP_UNPROCESSABLE_CONTENT},
    {OM_E_RATE, MHD_HTTP_TOO_MANY_REQUESTS},
    {OM_E_EXISTS, MHD_HTTP_CONFLICT},
    {OM_E_BUSY, MHD_HTTP_SERVICE_UNAVAILABLE},
    {OM_E_STOPPED, MHD_HTTP_SERVICE_UNAVAILABLE},
    {OM_E_MEMORY, MHD_HTTP_SERVICE_UNAVAILABLE},
    {OM_E_WITHHELD, MHD_HTTP_SERVICE_UNAVAILABLE},
};

unsigned om__http_of(om_status status)
{
    for (size_t i = 0; i < sizeof HTTP_OF / sizeof *HTTP_OF; i++)
        if (HTTP_OF[i].status == status) return HTTP_OF[i].http;
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

om_status om__gzip(struct om__lane *lane, const struct om_buf *from,
                   struct om_buf *out)
{
    if (!lane->gzip) lane->gzip = libdeflate_alloc_compressor(GZIP_LEVEL);
    if (!lane->gzip) return OM_E_MEMORY;
    OM_TRY(om_buf_reserve(out, from->len));
    out->len = libdeflate_gzip_compress(lane->gzip, from->bytes, from->len,
                                        out->bytes, from->len);
    return out->len ? OM_OK : OM_E_LIMIT;
}

om_status om__gzip_once(const struct om_buf *from, struct om_buf *out)
{
    struct libdeflate_compressor *gzip =
        libdeflate_alloc_compressor(GZIP_ONCE_LEVEL);
    if (!gzip) return OM_E_MEMORY;
    const om_status st = om_buf_reserve(out, from->len);
    if (!st)
        out->len = libdeflate_gzip_compress(gzip, from->bytes, from->len,
                                            out->bytes, from->len);
    libdeflate_free_compressor(gzip);
    return st ? st : out->len ? OM_OK : OM_E_LIMIT;
}

/* All of them or none: a head that lacks a line would be a wrong one. */
struct lines {
    struct MHD_Response *response;
    bool failed;
};

static void add(struct lines *lines, const char *name, const char *value)
{
    if (MHD_add_response_header(lines->response, name, value) != MHD_YES)
        lines->failed = true;
}

/* Whatever is answered to a token, scripts of other sites that have it may
 * read: no browser sends it for them. Where one is let in for being on this
 * machine they may not (site.c). */
static void add_always(struct lines *lines, const struct om__request *r)
{
    if (!om__site_closed(r)) {
        add(lines, "Access-Control-Allow-Origin", "*");
        add(lines, "Access-Control-Expose-Headers",
            "ETag, Link, Content-Crs, Content-Disposition, Content-Range, "
            "Accept-Ranges, OGC-NumberMatched, OGC-NumberReturned, "
            "Data-Sequence, Data-As-Of");
    }
    add(lines, "X-Content-Type-Options", "nosniff");
}

/* When what the answer is about was true; of several layers, the newest. */
static int64_t as_of(const struct om__request *r)
{
    if (r->layer) return om_snapshot_as_of(r->snapshot, r->layer);
    int64_t newest = 0;
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        const int64_t at =
            om_snapshot_as_of(r->snapshot, &r->snapshot->layer[i]);
        if (at > newest) newest = at;
    }
    return newest;
}

static void add_data(struct lines *lines, const struct om__request *r)
{
    if (!r->route || !r->route->data || !r->snapshot) return;
    char text[OM_TIME_TEXT_BYTES];
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)(r->told_sequence ? r->told_sequence
                                                   : r->snapshot->sequence));
    add(lines, "Data-Sequence", text);
    const int64_t moment = as_of(r);
    if (!moment) return;
    om_time_format(moment, r->snapshot->manifest->zone_s, text);
    add(lines, "Data-As-Of", text);
}

/* An address that names the sequence it was made for never has another
 * answer. */
#define CACHE_FOREVER "public, max-age=31536000, immutable"

/* A release changes when it is published anew, which may be seen minutes later:
 * that is what a CDN in front of it needs to hold most requests off. */
#define CACHE_RELEASE "public, max-age=300, stale-while-revalidate=86400"

/* What was answered to a token is for nobody else. */
#define CACHE_PRIVATE "private, no-cache"

static const char *cache_of(const struct om__request *r,
                            const struct om__head *head)
{
    const bool named = om__site_named(r);
    const bool good = !head->status || head->status == MHD_HTTP_OK;
    if (r->route && r->route->asks) return "no-store";
    if (r->who && r->who->asked && r->route) return CACHE_PRIVATE;
    if (r->versioned && good) return named ? CACHE_FOREVER : CACHE_PRIVATE;
    if (!r->server->release || !head->cache) return head->cache;
    // Nothing is written to it, so that rows may wait like everything else;
    // pages may not, since they name the files that they go with.
    const bool rows = good && r->route && r->route->data && !head->policy &&
                      !strcmp(head->cache, "no-cache");
    const bool data = !strcmp(head->cache, OM__CACHE_DATA);
    if (!data && !rows) return head->cache;
    return named ? CACHE_RELEASE : CACHE_PRIVATE;
}

static void add_head(struct lines *lines, const struct om__request *r,
                     const struct om__head *head, const char *etag)
{
    const bool vary = head->vary_accept || (r->route && r->route->forms);
    add_always(lines, r);
    add(lines, "Cache-Control", cache_of(r, head));
    if (etag && *etag) add(lines, "ETag", etag);
    if (head->compress || vary)
        add(lines, "Vary",
            vary ? "Accept, Accept-Encoding" : "Accept-Encoding");
    if (head->policy) {
        add(lines, "Content-Security-Policy", head->policy);
        add(lines, "Referrer-Policy", "no-referrer");
    }
    for (const char *const *more = head->more; *more; more += 2)
        add(lines, more[0], more[1]);
    add_data(lines, r);
}

bool om__reply_lines(const struct om__request *r, struct MHD_Response *response,
                     const struct om__head *head, const char *etag)
{
    struct lines lines = {.response = response};
    add(&lines, "Content-Type", head->type);
    add_head(&lines, r, head, etag);
    return !lines.failed;
}

/* RFC 9110 section 13.1.2. */
bool om__etag_listed(const char *list, const char *etag)
{
    if (!strncmp(etag, "W/", 2)) etag += 2;
    const size_t len = strlen(etag);
    while (list && *list) {
        list += strspn(list, " \t,");
        if (*list == '*') return true;
        if (!strncmp(list, "W/", 2)) list += 2;
        if (!strncmp(list, etag, len) &&
            (!list[len] || strchr(" \t,", list[len])))
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

/* A response that owns the buffer's memory, and frees it on failure too. */
static struct MHD_Response *response_of(struct om_buf *take)
{
    struct MHD_Response *response;
    if (take->len) {
        response = MHD_create_response_from_buffer_with_free_callback(
            take->len, take->bytes, om_free);
        if (!response) om_buf_deinit(take);
    } else {
        om_buf_deinit(take);
        response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                                   MHD_RESPMEM_PERSISTENT);
    }
    *take = (struct om_buf){0};
    return response;
}

static void write_etag(const struct om__head *head, uint64_t hash, bool gzipped,
                       char out[OM__ETAG_BYTES])
{
    const char *form = gzipped ? "-g" : "";
    *out = '\0';
    if (head->etag && *head->etag)
        snprintf(out, OM__ETAG_BYTES, "%.*s%s\"", (int)strlen(head->etag) - 1,
                 head->etag, form);
    else if (!head->etag)
        snprintf(out, OM__ETAG_BYTES, "%s\"%016llx%s\"", head->weak ? "W/" : "",
                 (unsigned long long)hash, form);
}

/* An answer that knows what it depends on. */
static struct om__answer *answer_alloc(const struct om__request *r)
{
    const struct om__needs *n = &r->needs;
    const size_t layers = r->needs_known ? n->layers : 0;
    size_t bytes = 0;
    for (size_t i = 0; i < layers; i++) bytes += strlen(n->layer[i]) + 1;
    struct om__answer *answer =
        om_calloc(1, sizeof *answer + layers * sizeof *answer->need + bytes);
    if (!answer) return NULL;
    answer->refs = 1;
    if (!r->snapshot) return answer;
    answer->sequence = n->sequence ? n->sequence : r->snapshot->sequence;
    answer->now_s = n->sequence ? n->now_s : r->now_s;
    answer->city = !r->needs_known || n->city;
    answer->beat = r->needs_known && n->beat;
    answer->layers = layers;
    char *to = (char *)(answer->need + layers);
    answer->layer = to;
    for (size_t i = 0; i < layers; i++) {
        answer->need[i] = (struct om__answer_need){n->box[i], n->audience[i]};
        to = stpcpy(to, n->layer[i]) + 1;
    }
    return answer;
}

om_status om__answer_new(struct om__request *r, struct om_buf *take,
                         const struct om__head *head, bool gzipped,
                         struct om__answer **out)
{
    struct om_buf nothing = {0};
    struct om__answer *answer = answer_alloc(r);
    if (!answer) {
        om_buf_deinit(take);
        return OM_E_MEMORY;
    }
    answer->route = r->route;
    answer->told_rows = r->told_rows;
    answer->bytes = take->len;
    answer->body = take->bytes;
    const bool none = !take->len && head->none_204;
    answer->status = none           ? MHD_HTTP_NO_CONTENT
                     : head->status ? head->status
                                    : MHD_HTTP_OK;
    // A strong ETag names one sequence of bytes: another for the gzipped ones.
    const uint64_t hash =
        head->weak ? head->hash : om_hash64(take->bytes, take->len, 0);
    write_etag(head, hash, gzipped, answer->etag);
    answer->full = response_of(take);
    answer->unchanged = response_of(&nothing);
    if (!answer->full || !answer->unchanged) {
        om__answer_unref(answer);
        return OM_E_MEMORY;
    }
    struct lines full = {.response = answer->full};
    if (!none) add(&full, "Content-Type", head->type);
    if (gzipped) add(&full, "Content-Encoding", "gzip");
    add_head(&full, r, head, answer->etag);
    struct lines unchanged = {.response = answer->unchanged};
    add_head(&unchanged, r, head, answer->etag);
    if (full.failed || unchanged.failed) {
        om__answer_unref(answer);
        return OM_E_MEMORY;
    }
    *out = answer;
    return OM_OK;
}

void om__reply_answer_take(struct om__request *r, struct om__answer *answer)
{
    const bool changes = answer->route && answer->route->method;
    const bool same = !changes && answer->status < 300 && answer->etag[0] &&
                      om__etag_listed(r->if_none_match, answer->etag);
    r->route = answer->route;
    r->status = same ? MHD_HTTP_NOT_MODIFIED : answer->status;
    r->response = same ? answer->unchanged : answer->full;
    r->shared = answer;
}

static om_status make(struct om__request *r, struct om_buf *take,
                      const struct om__head *head, struct om__answer **out)
{
    struct om_buf small = {0};
    om_status st = take->status;
    bool gzipped = false;
    if (!st && head->compress && r->gzip && take->len >= GZIP_MIN_BYTES) {
        struct om__lane *lane = om__lane(r->server);
        gzipped = lane && !om__gzip(lane, take, &small);
    }
    if (st || gzipped) om_buf_deinit(take);
    if (!gzipped) om_buf_deinit(&small);
    if (st) return st;
    return om__answer_new(r, gzipped ? &small : take, head, gzipped, out);
}

om_status om__reply(struct om__request *r, struct om_buf *take,
                    const struct om__head *head)
{
    struct om__answer *answer;
    OM_TRY(make(r, take, head, &answer));
    om__reply_answer_take(r, answer);
    return OM_OK;
}

/* 304 for what a client has already, without it being made. */
static om_status reply_unchanged(struct om__request *r,
                                 const struct om__head *head, const char *etag)
{
    struct om_buf nothing = {0};
    struct lines lines = {.response = response_of(&nothing)};
    if (!lines.response) return OM_E_MEMORY;
    add_head(&lines, r, head, etag);
    if (lines.failed) {
        MHD_destroy_response(lines.response);
        return OM_E_MEMORY;
    }
    r->status = MHD_HTTP_NOT_MODIFIED;
    r->response = lines.response;
    return OM_OK;
}

om_status om__reply_if_unchanged(struct om__request *r,
                                 const struct om__head *head, bool *done)
{
    *done = false;
    if (!r->if_none_match) return OM_OK;
    // A tile that is small or empty goes without gzip: either form will do.
    for (int gzipped = 0; gzipped <= head->compress && !*done; gzipped++) {
        char etag[OM__ETAG_BYTES];
        write_etag(head, head->hash, gzipped, etag);
        if (!om__etag_listed(r->if_none_match, etag)) continue;
        OM_TRY(reply_unchanged(r, head, etag));
        *done = true;
    }
    return OM_OK;
}

om_status om__reply_kept(struct om__request *r, struct om_buf *take,
                         const struct om__head *head, const void *key,
                         size_t key_len)
{
    struct om__answer *answer;
    struct om_buf own = {0};
    OM_TRY(make(r, take, head, &answer));
    if (answer->bytes <= OM__KEEP_BYTES) {
        const bool own_address = !r->part && om__form_is_first(r);
        if (own_address && !om__request_key(r, &own))
            om__cache_put(r->server->cache, own.bytes, own.len, answer);
        if (key) om__cache_put(r->server->cache, key, key_len, answer);
    }
    om_buf_deinit(&own);
    om__reply_answer_take(r, answer);
    return OM_OK;
}

/* Which bodies a route takes: Accept-Post and the like. */
static void add_bodies(struct lines *lines, const struct om__route *route)
{
    char text[256];
    size_t n = 0;
    for (const char *at = route->bodies; *at && n + 2 < sizeof text; at++) {
        if (*at == ' ') text[n++] = ',';
        text[n++] = *at;
    }
    text[n] = '\0';
    add(lines,
        !strcmp(route->method, "PATCH")  ? "Accept-Patch"
        : !strcmp(route->method, "POST") ? "Accept-Post"
                                         : "Accept",
        text);
}

/* Lines of a shared answer into one of the request's own. */
static enum MHD_Result copy_line(void *ctx, enum MHD_ValueKind kind,
                                 const char *name, const char *value)
{
    (void)kind;
    add(ctx, name, value);
    return MHD_YES;
}

void om__reply_closing(struct om__request *r)
{
    if (!r->shared) {
        const char *have = MHD_get_response_header(r->response, "Connection");
        if (!have) MHD_add_response_header(r->response, "Connection", "close");
        return;
    }
    // What others are sent, too, stays as it is; the body is borrowed for as
    // long as the request holds the answer.
    struct om__answer *answer = r->shared;
    const bool full = r->response == answer->full;
    struct lines lines = {.response = MHD_create_response_from_buffer(
                              full ? answer->bytes : 0,
                              (void *)(uintptr_t)(full ? answer->body : NULL),
                              MHD_RESPMEM_PERSISTENT)};
    if (!lines.response) return;
    MHD_get_response_headers(r->response, copy_line, &lines);
    add(&lines, "Connection", "close");
    if (lines.failed)
        MHD_destroy_response(lines.response);
    else
        r->closing = r->response = lines.response;
}

static void send_small(struct om__request *r, unsigned status,
                       struct om_buf *take, const char *type,
                       const char *policy)
{
    struct lines lines = {.response = response_of(take)};
    r->status = status;
    if (!lines.response) return;
    add_always(&lines, r);
    if (type) {
        add(&lines, "Content-Type", type);
        add(&lines, "Cache-Control", "no-store");
    }
    if (policy) {
        add(&lines, "Content-Security-Policy", policy);
        add(&lines, "Referrer-Policy", "no-referrer");
    }
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED || status == MHD_HTTP_NO_CONTENT)
        add(&lines, "Allow", r->allow[0] ? r->allow : "GET, HEAD, OPTIONS");
    if (status == MHD_HTTP_NO_CONTENT && !om__site_closed(r)) {
        add(&lines, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
        // By the Fetch standard all is all but that one.
        add(&lines, "Access-Control-Allow-Headers", "*, Authorization");
        add(&lines, "Access-Control-Max-Age", "86400");
    }
    if (status == MHD_HTTP_UNAUTHORIZED)
        add(&lines, "WWW-Authenticate", "Bearer");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE ||
        status == MHD_HTTP_TOO_MANY_REQUESTS) {
        char after_s[16];
        snprintf(after_s, sizeof after_s, "%u",
                 r->retry_after_s ? r->retry_after_s : 1);
        add(&lines, "Retry-After", after_s);
    }
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        add(&lines, "Connection", "close");
    if (status == MHD_HTTP_UNSUPPORTED_MEDIA_TYPE && r->route &&
        r->route->bodies)
        add_bodies(&lines, r->route);
    add_data(&lines, r);
    r->response = lines.response;
}

void om__reply_options(struct om__request *r)
{
    struct om_buf none = {0};
    send_small(r, MHD_HTTP_NO_CONTENT, &none, NULL, NULL);
}

static const char *title_of(unsigned status)
{
    const char *title = MHD_get_reason_phrase_for(status);
    return title ? title : "Error";
}

void om__reply_problem(struct om__request *r, om_status status)
{
    const unsigned http = r->error_status && status != OM_E_WITHHELD
                              ? r->error_status
                              : om__http_of(status);
    const char *detail = r->err.text[0] ? r->err.text : om_status_text(status);
    // What went wrong inside is for the log, not for whoever asks.
    if (http == MHD_HTTP_INTERNAL_SERVER_ERROR) detail = om_status_text(status);
    struct om_buf body = {0};
    if (om__problem_page_wanted(r, http)) {
        const char *policy = om__problem_page(r, http, detail, &body);
        if (body.status) om_buf_deinit(&body);
        send_small(r, http, &body, "text/html; charset=utf-8", policy);
        return;
    }
    om_buf_add_text(&body, "{\"type\":\"about:blank\",\"title\":");
    om_buf_add_json_text(&body, title_of(http), strlen(title_of(http)));
    om_buf_addf(&body, ",\"status\":%u,\"detail\":", http);
    om_buf_add_json_text(&body, detail, strlen(detail));
    if (r->parameter) {
        om_buf_add_text(&body, ",\"parameter\":");
        om_buf_add_json_text(&body, r->parameter, strlen(r->parameter));
    }
    if (r->parameter && r->err.at && !strcmp(r->parameter, "filter"))
        om_buf_addf(&body, ",\"at\":%zu", r->err.at);
    if (r->problem_more.len) {
        om_buf_add_byte(&body, ',');
        om_buf_add(&body, r->problem_more.bytes, r->problem_more.len);
    }
    om_buf_add_text(&body, "}\n");
    if (body.status) om_buf_deinit(&body);  // says nothing, but with its status
    send_small(r, http, &body, "application/problem+json", NULL);
}
