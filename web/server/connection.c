/* connection.c - between the HTTP library and the routes.
 *
 * DESIGN
 * A request is made when its first line has been read (the only moment at
 * which the library shows the raw target) and freed when it reports the
 * request completed. In between the library calls om__access: once with the
 * headers, once for each piece of the body if there is one, once when the body
 * is through, and once more after a worker or the committer has resumed the
 * connection.
 *
 * What can be refused by the head alone is refused then. Unless the client
 * waits to be asked for its body (Expect) or it is huge, the body is read and
 * forgotten, so that the client, which is still writing, gets to read the
 * answer; else the answer goes out at once and the connection ends.
 *
 * The library's timeout is one of inactivity: a client that drips a byte a
 * second would stay for ever. So every connection has an entry in a list with
 * the time at which its present state began, and a sweep once a second shuts
 * the sockets that are past their deadline. A body may take half a minute, and
 * as much longer as its bytes take at OM__SLOW_BODY.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "web/server/bounds.h"
#include "web/server/connection.h"
#include "web/server/jobs.h"
#include "web/server/media.h"
#include "web/server/metrics.h"
#include "web/server/needs.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"
#include "web/server/worlds.h"

struct om__watch {
    struct om__watch *next, *previous;
    struct om__watch *peer_next, *peer_previous;  // of one slot of addresses
    uint64_t address;                             // hash of the client's
    int fd;
    bool cut;                 // shut, and not yet told to be closed
    atomic_bool waiting;      // for the client: its head or body
    atomic_bool answering;    // the head is read, the answer not yet sent
    _Atomic double since_s;   // when that began, or the wait for a head
    _Atomic double answer_s;  // that the answer may take
    _Atomic uint64_t who;     // id of who is answered; 0: has no token
};

static struct om__watch *watch_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void watch_turn(struct MHD_Connection *connection, bool answering,
                       double now_s)
{
    struct om__watch *watch = watch_of(connection);
    if (!watch) return;
    atomic_store_explicit(&watch->since_s, now_s, memory_order_relaxed);
    atomic_store_explicit(&watch->answer_s, OM__ANSWER_S, memory_order_relaxed);
    atomic_store_explicit(&watch->answering, answering, memory_order_release);
}

static void watch_who(struct MHD_Connection *connection,
                      const struct om__who *who)
{
    struct om__watch *watch = watch_of(connection);
    if (watch)
        atomic_store_explicit(&watch->who, who ? who->id : 0,
                              memory_order_relaxed);
}

void om__answer_allow(struct om__request *request, uint64_t bytes)
{
    struct om__watch *watch = watch_of(request->connection);
    if (watch)
        atomic_store_explicit(&watch->answer_s,
                              OM__ANSWER_S + (double)bytes / OM__SLOW_LINE,
                              memory_order_relaxed);
}

/* The body has come so far. */
static void watch_body(struct om__request *request)
{
    struct om__watch *watch = watch_of(request->connection);
    if (!watch) return;
    const double answer_s =
        OM__HEAD_S + (double)request->body_bytes / OM__SLOW_BODY;
    atomic_store_explicit(&watch->answer_s, answer_s, memory_order_relaxed);
}

static void watch_waits(struct MHD_Connection *connection, bool waiting)
{
    struct om__watch *watch = watch_of(connection);
    if (watch)
        atomic_store_explicit(&watch->waiting, waiting, memory_order_relaxed);
}

/* The body is there: from here on it is the answer's time. */
static void watch_answer(struct om__request *request)
{
    watch_waits(request->connection, false);
    if (request->route && request->route->take)
        watch_turn(request->connection, true, om_seconds());
}

static struct om__watch **slot_of(struct om_server *server, uint64_t address)
{
    return &server->peers[address % OM__PEER_SLOTS];
}

static void cut(struct om_server *server, struct om__watch *watch)
{
    if (watch->fd < 0) return;
    watch->cut = true;
    shutdown(watch->fd, SHUT_RDWR);
    atomic_fetch_add(&server->cut, 1);
}

/* Two of an address's connections that wait, the first of them and the next. */
struct waiting {
    size_t all, count;
    struct om__watch *oldest[2];
    double since_s[2];
};

static void find_waiting(const struct om_server *server, uint64_t address,
                         struct waiting *out)
{
    *out = (struct waiting){0};
    for (struct om__watch *w = server->peers[address % OM__PEER_SLOTS]; w;
         w = w->peer_next) {
        if (w->address != address || w->cut) continue;
        out->all++;
        if (!atomic_load_explicit(&w->waiting, memory_order_relaxed)) continue;
        out->count++;
        const double since_s =
            atomic_load_explicit(&w->since_s, memory_order_relaxed);
        const size_t at = !out->oldest[0] || since_s < out->since_s[0] ? 0 : 1;
        if (at && out->oldest[1] && since_s >= out->since_s[1]) continue;
        if (!at) {
            out->oldest[1] = out->oldest[0];
            out->since_s[1] = out->since_s[0];
        }
        out->oldest[at] = w;
        out->since_s[at] = since_s;
    }
}

/* One address does not take all places: of its connections that say nothing
 * yet, or no more, those that have waited longest make room for the next, two
 * for each that comes; of those that are being answered the last goes. A
 * thousand that come at once and say what they want are let in: only who has
 * been waited for counts, or where they have half of all places. Under the
 * lock. */
static void make_room(struct om_server *server, struct om__watch *fresh)
{
    const size_t places = server->connections;
    const double late_s = om_seconds() - OM__WAITING_S;
    struct waiting w;
    find_waiting(server, fresh->address, &w);
    if (w.count > places / 2) {
        cut(server, w.oldest[0]);
    } else if (w.count > places / OM__WAITING_PART) {
        for (size_t i = 0; i < 2; i++)
            if (w.oldest[i] && w.since_s[i] <= late_s) cut(server, w.oldest[i]);
    } else if (w.all > places / 4 * 3) {
        cut(server, fresh);
    }
}

static void watch_add(struct om_server *server, struct om__watch *watch)
{
    struct om__watch **slot = slot_of(server, watch->address);
    pthread_mutex_lock(&server->watch_lock);
    watch->next = server->watches;
    if (watch->next) watch->next->previous = watch;
    server->watches = watch;
    watch->peer_next = *slot;
    if (watch->peer_next) watch->peer_next->peer_previous = watch;
    *slot = watch;
    make_room(server, watch);
    pthread_mutex_unlock(&server->watch_lock);
}

static void watch_remove(struct om_server *server, struct om__watch *watch)
{
    struct om__watch **slot = slot_of(server, watch->address);
    pthread_mutex_lock(&server->watch_lock);
    if (watch->next) watch->next->previous = watch->previous;
    *(watch->previous ? &watch->previous->next : &server->watches) =
        watch->next;
    if (watch->peer_next)
        watch->peer_next->peer_previous = watch->peer_previous;
    *(watch->peer_previous ? &watch->peer_previous->peer_next : slot) =
        watch->peer_next;
    pthread_mutex_unlock(&server->watch_lock);
}

void om__connection_changed(void *ctx, struct MHD_Connection *connection,
                            void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct om_server *server = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(
            connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct om__watch *watch = om_calloc(1, sizeof *watch);
        *context = watch;
        if (!watch) return;
        watch->fd = info ? info->connect_fd : -1;
        watch->since_s = om_seconds();
        watch->waiting = true;
        watch->address = om__address_of(connection);
        watch_add(server, watch);
    } else if (*context) {
        struct om__watch *watch = *context;
        watch_remove(server, watch);
        om_free(watch);
        *context = NULL;
    }
}

void om__watch_sweep(struct om_server *server)
{
    const double now_s = om_seconds();
    // Under the lock a socket of the list is still open: the library closes
    // it only after it has told us.
    pthread_mutex_lock(&server->watch_lock);
    for (struct om__watch *w = server->watches; w; w = w->next) {
        const bool answering =
            atomic_load_explicit(&w->answering, memory_order_acquire);
        const double age_s =
            now_s - atomic_load_explicit(&w->since_s, memory_order_relaxed);
        const double answer_s =
            atomic_load_explicit(&w->answer_s, memory_order_relaxed);
        const uint64_t who =
            atomic_load_explicit(&w->who, memory_order_relaxed);
        const bool late = age_s > (answering ? answer_s : OM__HEAD_S);
        // Whoever lost the right to ask is sent no more of an answer, either.
        const bool ended = who && answering && age_s > OM__SWEEP_S &&
                           !om__guard_knows(server->guard, who);
        if ((late || ended) && w->fd >= 0) shutdown(w->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->watch_lock);
}

void *om__uri_seen(void *ctx, const char *uri, struct MHD_Connection *c)
{
    struct om_server *server = ctx;
    const size_t len = strlen(uri);
    // What is longer is refused unread; its text need not be kept.
    const size_t keep = len > OM_ADDRESS_BYTES ? 0 : len;
    struct om__request *request = om_alloc(sizeof *request + 2 * (keep + 1));
    if (!request) return NULL;
    *request = (struct om__request){.server = server,
                                    .connection = c,
                                    .target_len = len,
                                    .begun_s = om_seconds(),
                                    .asked_ms = om_now_ms()};
    char *target = (char *)(request + 1);
    memcpy(target, uri, keep);
    target[keep] = '\0';
    request->target = target;
    atomic_fetch_add(&server->in_flight, 1);
    return request;
}

void om__completed(void *ctx, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct om_server *server = ctx;
    struct om__request *request = *context;
    if (!request) return;
    const double now_s = om_seconds();
    watch_turn(connection, false, now_s);
    watch_waits(connection, true);
    watch_who(connection, NULL);
    om__metrics_add(server->metrics, request->route, request->status,
                    now_s - request->begun_s);
    om__audit_note(request);
    if (request->closing) MHD_destroy_response(request->closing);
    if (request->shared)
        om__answer_unref(request->shared);
    else if (request->response)
        MHD_destroy_response(request->response);
    if (request->upload && request->route && request->route->drop)
        request->route->drop(request);
    om__world_unref(request->world);
    om__rights_drop(request);
    om__guard_part(request);
    om_buf_deinit(&request->problem_more);
    om__given_deinit(&request->given);
    om_free(request);
    *context = NULL;
    atomic_fetch_sub(&server->in_flight, 1);
}

/* A header that must not be there twice. */
static void single(struct om__request *request, const char **slot,
                   const char *value)
{
    if (*slot) request->twice = true;
    *slot = value;
}

/* Of the characters that RFC 9110 section 5.6.2 allows; a blank before the
 * colon is none. The library passes such lines on, and reads no length or
 * coding from them, where another program between may. */
static bool is_name(const char *name)
{
    static const char ALLOWED[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "!#$%&'*+-.^_`|~";
    return *name && !name[strspn(name, ALLOWED)];
}

/* Does a header say that the request came through a proxy, whatever its
 * value is? */
static bool is_relays(const char *name)
{
    static const char *const WHOLE[] = {
        "Forwarded",        "Via",
        "X-Forwarded",      "X-Real-IP",
        "X-Client-IP",      "X-Cluster-Client-IP",
        "X-Original-Host",  "X-Remote-IP",
        "X-Remote-Addr",    "X-Originating-IP",
        "X-ProxyUser-Ip",   "True-Client-IP",
        "Fastly-Client-IP", "Client-IP",
        "Forwarded-For",    "CDN-Loop",
        "X-Original-URL",   "Proxy-Client-IP",
        "X-Host",           "X-Scheme",
        "X-Rewrite-URL",    "X-Cache",
        "Front-End-Https",  "EagleId"};
    static const char *const BEGIN[] = {
        "X-Forward",    "CF-",      "Fly-",     "X-Envoy-",
        "X-Azure-",     "X-Amz",    "X-Nginx-", "X-Varnish",
        "X-Appengine-", "Ali-Cdn-", "WL-Proxy-"};
    for (size_t i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++)
        if (!strcasecmp(name, WHOLE[i])) return true;
    for (size_t i = 0; i < sizeof BEGIN / sizeof *BEGIN; i++)
        if (!strncasecmp(name, BEGIN[i], strlen(BEGIN[i]))) return true;
    return false;
}

/* The end of the body as the head says it. The library takes the first of
 * several, and any coding. */
static void see_length(struct om__request *request, const char *value)
{
    const size_t len = strlen(value);
    const char *fault = NULL;
    if (request->sized)
        fault = "Content-Length is given twice";
    else if (!om_digits_read(value, len, INT64_MAX, &request->length))
        fault = "Content-Length is not a whole number";
    request->sized = true;
    request->body = request->body || request->length > 0;
    if (fault) request->misframed = fault;
}

static void see_coding(struct om__request *request, const char *value)
{
    if (request->chunked)
        request->misframed = "Transfer-Encoding is given twice";
    else if (strcasecmp(value, "chunked") != 0)
        request->misframed = "Transfer-Encoding is not chunked";
    request->body = request->chunked = true;
}

static enum MHD_Result see_header(void *ctx, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    (void)kind;
    struct om__request *request = ctx;
    if (!value) value = "";
    if (!is_name(name)) request->misframed = "a header's name is not a name";
    if (is_relays(name)) request->relayed = true;
    if (!strcasecmp(name, MHD_HTTP_HEADER_HOST)) {
        single(request, &request->host, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_IF_NONE_MATCH)) {
        single(request, &request->if_none_match, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_ACCEPT)) {
        request->accept = value;
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_ACCEPT_ENCODING)) {
        request->gzip = om__coding_wanted(value, "gzip");
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_RANGE)) {
        single(request, &request->range, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_IF_RANGE)) {
        single(request, &request->if_range, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION)) {
        single(request, &request->authorization, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_COOKIE)) {
        single(request, &request->cookie, value);
    } else if (!strcasecmp(name, "City-Clock")) {
        single(request, &request->city_clock, value);
    } else if (!strcasecmp(name, "Last-Event-ID")) {
        single(request, &request->last_event_id, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        see_coding(request, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        see_length(request, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_TYPE)) {
        single(request, &request->content_type, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_ENCODING)) {
        single(request, &request->content_encoding, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_EXPECT)) {
        request->expects = true;
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_IF_MATCH)) {
        single(request, &request->if_match, value);
    } else if (!strcasecmp(name, "Idempotency-Key")) {
        single(request, &request->idempotency_key, value);
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_ORIGIN)) {
        single(request, &request->origin, value);
    } else if (!strcasecmp(name, "Sec-Fetch-Site")) {
        single(request, &request->fetch_site, value);
    } else if (!strcasecmp(name, "Sec-Fetch-Mode")) {
        single(request, &request->fetch_mode, value);
    } else if (!strcasecmp(name, "X-Forwarded-For")) {
        // The last line is the nearest proxy's.
        request->forwarded_for = value;
    }
    return MHD_YES;
}

static enum MHD_Result send_answer(struct om__request *request)
{
    if (!request->response) return MHD_NO;  // no memory even for an error
    if (atomic_load(&request->server->draining) || request->misframed)
        om__reply_closing(request);
    return MHD_queue_response(request->connection, request->status,
                              request->response);
}

om_status om__request_address(struct om__request *request)
{
    if (request->address_read) return OM_OK;
    char *scratch = (char *)(request + 1) + request->target_len + 1;
    struct om_address *address = &request->address;
    const om_status st = om_address_parse(request->target, request->target_len,
                                          scratch, address, &request->err);
    if (st && !address->query) return st;
    const struct om__route *route =
        address->query ? om__route_find(request->server, address, NULL) : NULL;
    // A page opens with any query; what else is asked there is refused later.
    if (st && !(route && route->page)) return st;
    request->address_read = true;
    return OM_OK;
}

/* Answer with an error before the body is read. */
static enum MHD_Result refuse_as(struct om__request *request, om_status status)
{
    om__reply_problem(request, status);
    // Where the body ends is unknown: what comes next is not looked at.
    const bool short_body = !request->chunked && !request->expects &&
                            !request->misframed &&
                            request->length <= OM__SWALLOW_BYTES;
    // Without a body the library calls once more, and the answer waits.
    return short_body ? MHD_YES : send_answer(request);
}

static enum MHD_Result refuse(struct om__request *request, unsigned status,
                              const char *text)
{
    request->error_status = status;
    om_fail(&request->err, OM_E_FORMAT, 0, "%s", text);
    return refuse_as(request, OM_E_FORMAT);
}

/* What is wrong with the head of a request, whatever it asks for. NULL:
 * nothing. */
static const char *head_fault(const struct om__request *request,
                              unsigned *status)
{
    *status = MHD_HTTP_SERVICE_UNAVAILABLE;
    if (atomic_load(&request->server->stopping))
        return "the server is stopping";
    *status = MHD_HTTP_BAD_REQUEST;
    if (request->misframed) return request->misframed;
    if (request->twice) return "a header is given twice that may be given once";
    if (request->host && !om_host_valid(request->host))
        return "the Host header is not a host";
    *status = MHD_HTTP_URI_TOO_LONG;
    return request->target_len > OM_ADDRESS_BYTES ? "the address is too long"
                                                  : NULL;
}

/* A method that no route of the address has; the answer says which it has. */
static enum MHD_Result no_method(struct om__request *request)
{
    om__route_methods(request->server, &request->address, request->allow,
                      sizeof request->allow);
    if (!request->allow[0]) {
        om_fail(&request->err, OM_E_NOTFOUND, 0, "there is nothing here");
        return refuse_as(request, OM_E_NOTFOUND);
    }
    char text[128];
    snprintf(text, sizeof text, "only %s are answered here", request->allow);
    return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, text);
}

/* A request that changes something: what can be refused by its head. */
static enum MHD_Result begin_change(struct om__request *request,
                                    const char *method)
{
    om_status st = om__request_address(request);
    if (st) return refuse_as(request, OM_E_FORMAT);
    st = om__guard_admit(request);
    if (st) return refuse_as(request, st);
    request->route = om__route_find(request->server, &request->address, method);
    if (!request->route) return no_method(request);
    if (request->body && !request->route->take)
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
                      "a request of this method has no body");
    if (request->length > request->route->body_max)
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
                      "the body is larger than what is taken at once");
    const om_status begun = om__request_begin(request);
    return begun ? refuse_as(request, begun) : MHD_YES;
}

static enum MHD_Result see_head(struct om__request *request, const char *method)
{
    unsigned status;
    const char *fault = head_fault(request, &status);
    if (fault) return refuse(request, status, fault);
    if (!strcmp(method, MHD_HTTP_METHOD_OPTIONS)) {
        if (!om__request_address(request))
            om__route_methods(request->server, &request->address,
                              request->allow, sizeof request->allow);
        om__reply_options(request);
        return request->body ? send_answer(request) : MHD_YES;
    }
    request->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return begin_change(request, method);
    return request->body ? refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
                                  "a request of this method has no body")
                         : MHD_YES;
}

/* A piece of the body. One that is refused already is read to its end. */
static enum MHD_Result take_piece(struct om__request *request,
                                  const char *bytes, size_t len)
{
    const struct om__route *route = request->route;
    request->body_bytes += len;
    watch_body(request);
    if (request->response) {
        const uint64_t most = route ? route->body_max : 0;
        return request->body_bytes <= most + OM__SWALLOW_BYTES ? MHD_YES
                                                               : MHD_NO;
    }
    if (!route || !route->take) return MHD_NO;
    if (request->body_bytes > route->body_max) {
        request->error_status = MHD_HTTP_CONTENT_TOO_LARGE;
        om_fail(&request->err, OM_E_LIMIT, 0,
                "the body is larger than what is taken at once");
        om__reply_problem(request, OM_E_LIMIT);
        return MHD_YES;
    }
    const om_status st = route->take(request, bytes, len);
    if (st) om__reply_problem(request, st);
    return MHD_YES;
}

/* Answered before: nothing is parsed, nothing is allocated. */
static bool answer_from_cache(struct om__request *request)
{
    uint8_t room[1024];
    struct om_buf key = {
        .bytes = room, .room = sizeof room, .max = sizeof room};
    struct om_server *server = request->server;
    if (om__request_key(request, &key)) return false;
    struct om__answer *answer = om__answer_find(server, key.bytes, key.len);
    if (!answer) return false;
    // Whoever does not take everything may want another form of it.
    const char *accept = request->accept;
    if (answer->route->forms && accept && !strstr(accept, "*/*")) {
        om__answer_unref(answer);
        return false;
    }
    om__reply_answer_take(request, answer);
    const om_status st = om__answer_spend(request);
    if (st) om__reply_problem(request, st);
    return true;
}

/* A suspended connection: its request goes where it waits. */
static enum MHD_Result put_off(struct om__request *request)
{
    // From the moment it is queued another thread may resume it.
    MHD_suspend_connection(request->connection);
    const om_status st = request->submit
                             ? om__request_submit(request)
                             : om__jobs_add(request->server->jobs, request);
    if (st) {
        om__reply_problem(request, st);
        MHD_resume_connection(request->connection);
    }
    return MHD_YES;
}

/* A question, seen for the first time. False: it is answered. */
static bool begin_question(struct om__request *request)
{
    const bool known = request->who != NULL;
    om_status st = known ? om__guard_admit(request) : OM_OK;
    if (!st && known && answer_from_cache(request)) return false;
    if (!st && om__request_address(request)) {
        om__reply_problem(request, OM_E_FORMAT);
        return false;
    }
    if (!st && om__guard_link(request)) return false;
    if (!st)
        request->route =
            om__route_find(request->server, &request->address, NULL);
    if (!known && !(request->route && request->route->anyone))
        st = om__guard_admit(request);
    if (st) {
        request->route = NULL;
        om__reply_problem(request, st);
    }
    return !st;
}

enum MHD_Result om__access(void *ctx, struct MHD_Connection *connection,
                           const char *url, const char *method,
                           const char *version, const char *upload,
                           size_t *upload_len, void **context)
{
    (void)ctx, (void)url, (void)version;
    struct om__request *request = *context;
    if (!request) return MHD_NO;  // no memory when the first line was read
    if (!request->head_seen) {
        request->head_seen = true;
        watch_turn(connection, true, request->begun_s);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, see_header,
                                  request);
        // Two ends of one body: another program between may see the other.
        if (request->chunked && request->sized && !request->misframed)
            request->misframed =
                "Transfer-Encoding and Content-Length exclude each other";
        watch_waits(connection, request->body);
        om__guard_meet(request);
        watch_who(connection, request->who);
        return see_head(request, method);
    }
    if (*upload_len) {
        const size_t len = *upload_len;
        *upload_len = 0;
        return take_piece(request, upload, len);
    }
    if (request->response) return send_answer(request);  // from a worker
    if (request->finish) {                               // from elsewhere
        om__request_finish(request);
        return send_answer(request);
    }
    watch_answer(request);

    if (!request->begun && !begin_question(request))
        return send_answer(request);
    request->later = request->route && request->route->queued;
    if (!request->later) om__request_answer(request);
    return request->later || request->submit ? put_off(request)
                                             : send_answer(request);
}
