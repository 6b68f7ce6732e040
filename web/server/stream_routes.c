/* stream_routes.c - /changes: what has changed, told as it happens.
 *
 * DESIGN
 * The thread of the connection reads the question and looks up what the
 * listener has missed in the hub's memory; what is older a worker looks up in
 * the journal. No queue is in the way of a thousand who come back at once:
 * browsers do not come back after an error. Then the connection is suspended,
 * which hands the socket of the suspended connection to the hub (hub.c), which
 * writes head and events to it. The body has no length and ends with the
 * connection. When the listener has gone the connection is resumed with an
 * answer that nobody reads, so that the library ends it like any other. A
 * request under way that is a listener holds no snapshot: it may last for days.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/live/audience.h"
#include "engine/policy/policy.h"
#include "web/server/bounds.h"
#include "web/server/connection.h"
#include "web/server/handlers.h"
#include "web/server/jobs.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/stream.h"
#include "web/server/writes.h"

/* Milliseconds after which a browser comes back when it has lost us. */
#define RETRY_MS 2000
/* Entries that are looked up for one who comes back; who missed more is told
 * to begin anew, which costs both less. */
#define REPLAY 200000
#define LAYERS_BYTES 8000

static const struct om__head HEAD_JSON = {
    .type = "application/json", .cache = "no-store", .compress = true};
static const struct om__head HEAD_STREAM = {.type = "text/event-stream",
                                            .cache = "no-store"};

static int64_t city_as_of(const struct om_snapshot *snapshot)
{
    int64_t newest = 0;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const int64_t at = om_snapshot_as_of(snapshot, &snapshot->layer[i]);
        if (at > newest) newest = at;
    }
    return newest;
}

/* What every event says: as of when the city's data is. */
static void say(void *ctx, struct om_buf *out)
{
    struct om_server *server = ctx;
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    if (!snapshot) return;
    char text[OM_TIME_TEXT_BYTES];
    const int64_t at_s = city_as_of(snapshot);
    if (at_s) {
        om_time_format(at_s, snapshot->manifest->zone_s, text);
        om_buf_addf(out, ",\"as_of\":\"%s\"", text);
    }
    om_snapshot_unref(snapshot);
}

/* Where somebody was and is now is not told by what changed. */
static bool hidden(void *ctx, const char *name)
{
    struct om_server *server = ctx;
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    const struct om_layer *layer =
        snapshot ? om_snapshot_layer(snapshot, name) : NULL;
    const bool personal = layer && om_layer_personal(snapshot->manifest, name);
    om_snapshot_unref(snapshot);
    return personal;
}

static void heard(void *ctx, const char *layer, uint64_t audience,
                  struct om_heard *out)
{
    struct om_server *server = ctx;
    om_city_heard(server->city, layer, audience, OM__EVERYWHERE, out);
}

static void touch(void *ctx, struct om__told *told)
{
    om__told_touch(ctx, told);
}

om_status om__stream_new(struct om_server *server, struct om__hub **out)
{
    const struct om__hub_options options = {.listeners = OM__LISTENERS,
                                            .per_client = OM__LISTENERS_CLIENT,
                                            .buffer_bytes = OM__LISTENER_BYTES,
                                            .tick_ms = 250,
                                            .beat_ms = 10000,
                                            .slow_ms = 30000,
                                            .sequence = server->sequence,
                                            .say = say,
                                            .hidden = hidden,
                                            .touch = touch,
                                            .heard = heard,
                                            .ctx = server};
    return om__hub_new(&options, out);
}

void om__stream_commit(struct om_server *server,
                       const struct om_snapshot *before,
                       const struct om_snapshot *after)
{
    const uint64_t sequence = after->sequence;
    for (size_t i = 0; i < after->layers; i++) {
        const struct om_layer *now = &after->layer[i];
        const struct om_layer *then = om_snapshot_layer(before, now->name);
        if (then && then->serial == now->serial) continue;
        const struct om_live_change change = {.sequence = sequence,
                                              .layer = now->name,
                                              .cell = OM_NO_CELL,
                                              .other_cell = OM_NO_CELL,
                                              .kind = OM_ENTRY_COMMIT};
        const struct om_live_news news = {sequence, sequence, 1, &change};
        om__hub_news(server->hub, &news);
    }
    // Layers that went, or a manifest with other words: a new id at least.
    const struct om_live_news last = {sequence, sequence, 0, NULL};
    om__hub_news(server->hub, &last);
}

/* The newest of the journal's changes, for the hub. */
struct recalling {
    struct om_server *server;
    struct om_live_change *change;
    char (*name)[OM_LIMIT_NAME_BYTES];
    size_t count, names;
    bool hide[OM__TOLD_LAYERS];
};

static bool recall(void *ctx, const struct om_live_change *change)
{
    struct recalling *r = ctx;
    size_t n = 0;
    while (n < r->names && strcmp(r->name[n], change->layer) != 0) n++;
    if (n == OM__TOLD_LAYERS || r->count == OM__HUB_MEMORY) return false;
    if (n == r->names) {
        snprintf(r->name[n], OM_LIMIT_NAME_BYTES, "%s", change->layer);
        r->hide[r->names++] = hidden(r->server, change->layer);
    }
    struct om_live_change *kept = &r->change[r->count++];
    *kept = *change;
    kept->layer = r->name[n];
    kept->moved = kept->moved && r->hide[n];
    if (r->hide[n]) om__told_hide(kept);
    return true;
}

static bool nothing(void *ctx, const struct om_live_change *change)
{
    (void)ctx, (void)change;
    return false;
}

void om__stream_recall(struct om_server *server)
{
    const uint64_t last = server->sequence;
    struct recalling r = {
        .server = server,
        .change = om_alloc_array(OM__HUB_MEMORY, sizeof *r.change),
        .name = om_calloc(OM__TOLD_LAYERS, sizeof *r.name)};
    // As far back as there is room for, or as the journal reaches.
    uint64_t low = last > OM__HUB_MEMORY - 1 ? last - (OM__HUB_MEMORY - 1) : 0;
    uint64_t high = last;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (om__writes_changes(server->writes, middle, 1, nothing, NULL, NULL))
            low = middle + 1;
        else
            high = middle;
    }
    const bool room = r.change && r.name && low < last;
    if (room && !om__writes_changes(server->writes, low, OM__HUB_MEMORY, recall,
                                    &r, NULL))
        om__hub_remember(server->hub, low, r.change, r.count);
    om_free(r.change);
    om_free(r.name);
}

/* ---- what was missed */

struct question {
    struct om__request *request;
    char layers[LAYERS_BYTES];  // "" for all
    char wall[OM__WALL_BYTES];  // that listens; "": none
    bool given;
    uint64_t since;
};

struct journal {
    struct om_server *server;
    struct om__told *told;
    uint64_t upto;
    size_t count;
    char layer[OM_LIMIT_NAME_BYTES];  // of the change before
    bool hide;                        // it
};

static bool take_change(void *ctx, const struct om_live_change *change)
{
    struct journal *j = ctx;
    if (change->sequence > j->upto) return false;
    struct om_live_change told = *change;
    if (strcmp(j->layer, change->layer) != 0) {
        snprintf(j->layer, sizeof j->layer, "%s", change->layer);
        j->hide = hidden(j->server, change->layer);
    }
    told.moved = told.moved && j->hide;
    if (j->hide) om__told_hide(&told);
    j->count++;
    om__told_add(j->told, &told);
    return true;
}

/* What was written after `after`, up to `upto`. OM_E_NOTFOUND: nobody knows any
 * more. */
static om_status gather_written(struct om__request *r, uint64_t after,
                                uint64_t upto, struct om__told *told)
{
    if (after > upto) return OM_E_NOTFOUND;  // of another city, or a later one
    if (!om__hub_recall(r->server->hub, after, upto, told)) return OM_OK;
    om__told_clear(told);
    om__hub_recall_moved(r->server->hub, after, told);
    struct journal j = {.server = r->server, .told = told, .upto = upto};
    const om_status st = om__writes_changes(r->server->writes, after, REPLAY,
                                            take_change, &j, &r->err);
    // As many as were asked for: there may be more.
    if (!st) return j.count < REPLAY ? OM_OK : OM_E_NOTFOUND;
    if (st != OM_E_STOPPED) return st;
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        const char *name = r->snapshot->layer[i].name;
        const uint64_t changed =
            om_city_changed(r->server->city, name, OM__EVERYWHERE);
        const struct om_live_change change = {.sequence = changed,
                                              .layer = name,
                                              .cell = OM_NO_CELL,
                                              .other_cell = OM_NO_CELL,
                                              .kind = OM_ENTRY_COMMIT};
        if (changed > after) om__told_add(told, &change);
    }
    return OM_OK;
}

/* The same, and what changed with it. */
static om_status gather(struct om__request *r, uint64_t after, uint64_t upto,
                        struct om__told *told)
{
    OM_TRY(gather_written(r, after, upto, told));
    told->after = after;
    om__told_touch(r->server, told);
    return OM_OK;
}

/* ---- the question */

static om_status read_wall(struct question *q)
{
    const char *text = om__param_text(q->request, "wall");
    if (!text || !*text) return OM_OK;
    if (!om__wall_name_ok(text))
        return om__param_bad(q->request, "wall", OM_E_FORMAT,
                             "a wall is called by 4 to 16 letters and digits");
    snprintf(q->wall, sizeof q->wall, "%s", text);
    return OM_OK;
}

static om_status read_layers(struct question *q)
{
    struct om__request *r = q->request;
    const char *text = om__param_text(r, "layers");
    if (!text || !*text) return OM_OK;
    if (strlen(text) >= sizeof q->layers / 2)
        return om__param_bad(r, "layers", OM_E_LIMIT, "layers is too long");
    for (const char *at = text; *at;) {
        char name[OM_LIMIT_NAME_BYTES] = "";
        const size_t len = strcspn(at, ",");
        if (len < sizeof name) memcpy(name, at, len);
        const bool there = om_snapshot_layer(r->snapshot, name);
        if (!there &&
            om_snapshot_lacks(r->snapshot, name, &r->err) == OM_E_WITHHELD)
            return OM_E_WITHHELD;
        if (!there)
            return om__param_bad(r, "layers", OM_E_FORMAT,
                                 "layers: there is no layer '%.60s'", name);
        at += len + (at[len] == ',');
    }
    return OM_OK;
}

/* Name a layer, and as who whoever asks is told of it. */
static om_status add_layer(struct question *q, const struct om_layer *layer,
                           bool first)
{
    const uint64_t audience = om__rights_audience(q->request, layer);
    const size_t at = strlen(q->layers), room = sizeof q->layers - at;
    const int n = audience ? snprintf(q->layers + at, room, "%s%s%c%016llx",
                                      first ? "" : ",", layer->name,
                                      OM__TOLD_AS, (unsigned long long)audience)
                           : snprintf(q->layers + at, room, "%s%s",
                                      first ? "" : ",", layer->name);
    return n > 0 && (size_t)n < room ? OM_OK : OM_E_LIMIT;
}

/* Who does not see all layers, or all of each, asks for what it sees; who has
 * an area is told that something changed there, and not where in it. */
static om_status choose_layers(struct question *q)
{
    const struct om__request *r = q->request;
    const char *text = om__param_text(r, "layers");
    const bool all = !text || !*text;
    const bool area = r->who->token.level[0];
    const bool veiled = om__rights_veil(r);
    size_t begun = 0;  // of the names
    if (all && !area && !veiled && !r->snapshot->rights) return OM_OK;
    if (veiled) q->layers[begun++] = OM__TOLD_VEILED;
    if (area) q->layers[begun++] = OM__TOLD_COARSE;
    // In the city's order, each once: equal questions are equal texts.
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        const char *name = r->snapshot->layer[i].name;
        if (!all && !om__told_wanted(text, name)) continue;
        OM_TRY(add_layer(q, &r->snapshot->layer[i], !q->layers[begun]));
    }
    // Of no layers is not of all.
    if (!q->layers[begun]) strcat(q->layers, ",");
    return OM_OK;
}

static bool wants_json(const struct om__request *r, bool given)
{
    const char *f = om__param_text(r, "f");
    const char *accept = r->accept;
    if (f) return !strcmp(f, "json");
    if (accept && strstr(accept, "text/event-stream")) return false;
    if (accept && strstr(accept, "application/json")) return true;
    return given;
}

static om_status read_question(struct question *q)
{
    struct om__request *r = q->request;
    const char *f;
    OM_TRY(om__param_word(r, "f", "sse json", "sse", &f));
    OM_TRY(om__param_count(r, "since", 0, INT64_MAX, &q->since));
    q->given = om__param_text(r, "since") != NULL;
    OM_TRY(read_wall(q));
    OM_TRY(read_layers(q));
    return choose_layers(q);
}

/* ---- for pollers */

static om_status answer_json(struct question *q)
{
    struct om__request *r = q->request;
    const uint64_t upto = r->snapshot->sequence;
    struct om__told told = {0};
    struct om_buf out = {0};
    om_status st = OM_OK;
    if (!q->given) q->since = upto;
    st = gather(r, q->since, upto, &told);
    const bool reset = st == OM_E_NOTFOUND || told.everything;
    if (st && !reset) goto done;
    om_buf_addf(&out, "{\"sequence\":%llu,\"next\":%llu,\"reset\":%s",
                (unsigned long long)upto, (unsigned long long)upto,
                reset ? "true" : "false");
    say(r->server, &out);
    om_buf_add_text(&out, ",\"layers\":{");
    if (!reset) om__told_write(&told, q->layers, heard, r->server, &out);
    om_buf_add_text(&out, "}}\n");
    st = om__reply(r, &out, &HEAD_JSON);
done:
    om_buf_deinit(&out);
    om__told_deinit(&told);
    return st;
}

/* ---- for listeners */

static void add_head(const struct om__request *r, uint64_t sequence,
                     struct om_buf *out)
{
    static const char cors[] =
        "Access-Control-Allow-Origin: *\r\n"
        "Access-Control-Expose-Headers: Data-Sequence\r\n";
    om_buf_addf(out,
                "HTTP/1.1 200 OK\r\n"
                "Content-Type: text/event-stream\r\n"
                "Cache-Control: no-store\r\n"
                "Connection: close\r\n"
                "X-Accel-Buffering: no\r\n"
                "%s"
                "X-Content-Type-Options: nosniff\r\n"
                "Data-Sequence: %llu\r\n\r\n"
                "retry: %d\n\n",
                om__site_closed(r) ? "" : cors, (unsigned long long)sequence,
                RETRY_MS);
}

/* Where the listener goes on: behind the id that its browser has seen, else
 * behind `since`, else from now. An id that is none of ours is later than
 * all: nobody knows what that listener has missed. */
static bool went_on_from(const struct question *q, uint64_t *after)
{
    const char *id = q->request->last_event_id;
    *after = q->since;
    if (!id || !*id) return q->given;
    if (!om_digits_read(id, strlen(id), INT64_MAX, after)) *after = UINT64_MAX;
    return true;
}

static om_status write_missed(const struct question *q, uint64_t told_to,
                              struct om_buf *out)
{
    struct om__hub *hub = q->request->server->hub;
    struct om__told told = {0};
    uint64_t after;
    om_status st = OM_OK;
    if (went_on_from(q, &after)) {
        st = gather(q->request, after, told_to, &told);
        if (st == OM_E_NOTFOUND || told.everything) {
            om__event_write(hub, "reset", told_to, NULL, q->layers, out);
            st = OM_OK;
        } else if (!st) {
            om__event_write(hub, "change", told_to, &told, q->layers, out);
        }
    }
    // A first sign of life, with the sequence from which on all is told.
    om__event_write(hub, "beat", told_to, NULL, q->layers, out);
    om__told_deinit(&told);
    return st ? st : out->status;
}

static void gone(void *ctx)
{
    struct om__request *r = ctx;
    MHD_resume_connection(r->connection);
}

/* The connection is suspended: its socket is the hub's from here on. */
static om_status start(struct om__request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int fd = info ? info->connect_fd : -1, one = 1;
    struct om_buf first = r->stream;
    struct om__listener *listener = r->listener;
    r->stream = (struct om_buf){0};
    r->listener = NULL;
    om__rights_drop(r);
    om__answer_allow(r, UINT64_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // From here on the request is another thread's.
    om__listener_start(listener, fd, &first, gone, r);
    return OM_OK;
}

static om_status listen_to(struct question *q)
{
    struct om__request *r = q->request;
    struct om_buf nothing = {0};
    uint64_t told_to;
    if (r->head) return om__reply(r, &nothing, &HEAD_STREAM);
    om_status st = om__hub_join(r->server->hub, q->layers, om__client_of(r),
                                &r->listener, &told_to);
    if (st == OM_E_RATE)
        return om_fail(&r->err, st, 0, "too many listeners of one client");
    if (st == OM_E_BUSY) return om_fail(&r->err, st, 0, "too many listeners");
    if (st) return st;
    om__listener_name(r->listener, r->who->id);
    om__listener_wall(r->listener, q->wall);
    // What was told is at least as old as the newest snapshot.
    st = om__rights_take(r, om_city_snapshot(r->server->city));
    add_head(r, told_to, &r->stream);
    if (!st) st = write_missed(q, told_to, &r->stream);
    if (!st) {
        r->response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                                      MHD_RESPMEM_PERSISTENT);
        if (!r->response || MHD_add_response_header(r->response, "Connection",
                                                    "close") != MHD_YES)
            st = OM_E_MEMORY;
    }
    if (!st) {
        r->status = MHD_HTTP_OK;
        r->submit = start;
        return OM_OK;
    }
    if (r->response) MHD_destroy_response(r->response);
    r->response = NULL;
    om__listener_drop(r->listener);
    r->listener = NULL;
    om_buf_deinit(&r->stream);
    return st;
}

om_status om__get_changes(struct om__request *r)
{
    struct question q = {.request = r};
    uint64_t after;
    OM_TRY(read_question(&q));
    if (!r->on_worker && went_on_from(&q, &after) &&
        after < om__hub_floor(r->server->hub)) {
        r->later = true;
        return OM_OK;
    }
    return wants_json(r, q.given) ? answer_json(&q) : listen_to(&q);
}
