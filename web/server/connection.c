/* connection.c - between the HTTP library and the routes.
 *
 * DESIGN
 * A request is made when its first line has been read (the only moment at
 * which the library shows the raw target) and freed when it reports the
 * request completed. In between the library calls om__access: once with the
 * headers, once when the body (there is none) is through, and once more after
 * a worker has resumed the connection.
 *
 * The library's timeout is one of inactivity: a client that drips a byte a
 * second would stay for ever. So every connection has an entry in a list with
 * the time at which its present state began, and a sweep once a second shuts
 * the sockets that are past their deadline.
 */
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "web/server/server_internal.h"

struct om__watch {
    struct om__watch *next, *previous;
    int fd;
    atomic_bool answering;    // the head is read, the answer not yet sent
    _Atomic double since_s;   // when that began, or the wait for a head
    _Atomic double answer_s;  // that the answer may take
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

void om__answer_allow(struct om__request *request, uint64_t bytes)
{
    struct om__watch *watch = watch_of(request->connection);
    if (watch)
        atomic_store_explicit(&watch->answer_s,
                              OM__ANSWER_S + (double)bytes / OM__SLOW_LINE,
                              memory_order_relaxed);
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
        pthread_mutex_lock(&server->watch_lock);
        watch->next = server->watches;
        if (watch->next) watch->next->previous = watch;
        server->watches = watch;
        pthread_mutex_unlock(&server->watch_lock);
    } else if (*context) {
        struct om__watch *watch = *context;
        pthread_mutex_lock(&server->watch_lock);
        if (watch->next) watch->next->previous = watch->previous;
        *(watch->previous ? &watch->previous->next : &server->watches) =
            watch->next;
        pthread_mutex_unlock(&server->watch_lock);
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
        if (age_s > (answering ? answer_s : OM__HEAD_S) && w->fd >= 0)
            shutdown(w->fd, SHUT_RDWR);
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
                                    .begun_s = om_seconds()};
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
    om__metrics_add(server->metrics, request->route, request->status,
                    now_s - request->begun_s);
    if (request->shared)
        om__answer_unref(request->shared);
    else if (request->response)
        MHD_destroy_response(request->response);
    om__world_unref(request->world);
    om_snapshot_unref(request->snapshot);
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

static enum MHD_Result see_header(void *ctx, enum MHD_ValueKind kind,
                                  const char *name, const char *value)
{
    (void)kind;
    struct om__request *request = ctx;
    if (!value) value = "";
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
    } else if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
               (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) &&
                strcmp(value, "0") != 0)) {
        request->body = true;
    }
    return MHD_YES;
}

static enum MHD_Result send_answer(struct om__request *request)
{
    if (!request->response) return MHD_NO;  // no memory even for an error
    return MHD_queue_response(request->connection, request->status,
                              request->response);
}

static enum MHD_Result refuse(struct om__request *request, unsigned status,
                              const char *text)
{
    request->error_status = status;
    om_fail(&request->err, OM_E_FORMAT, 0, "%s", text);
    om__reply_problem(request, OM_E_FORMAT);
    return send_answer(request);
}

/* What is wrong with the head of a request, whatever it asks for. */
static enum MHD_Result check_head(struct om__request *request,
                                  const char *method, bool *done)
{
    *done = true;
    if (atomic_load(&request->server->stopping))
        return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "the server is stopping");
    if (!strcmp(method, MHD_HTTP_METHOD_OPTIONS)) {
        om__reply_options(request);
        return send_answer(request);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED,
                      "only GET, HEAD and OPTIONS are answered here");
    if (request->body)
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE,
                      "a request of this method has no body");
    if (request->twice)
        return refuse(request, MHD_HTTP_BAD_REQUEST,
                      "a header is given twice that may be given once");
    if (request->host && !om_host_valid(request->host))
        return refuse(request, MHD_HTTP_BAD_REQUEST,
                      "the Host header is not a host");
    if (request->target_len > OM_ADDRESS_BYTES)
        return refuse(request, MHD_HTTP_URI_TOO_LONG,
                      "the address is too long");
    *done = false;
    return MHD_YES;
}

/* Answered before: nothing is parsed, nothing is allocated. */
static bool answer_from_cache(struct om__request *request)
{
    uint8_t room[1024];
    struct om_buf key = {
        .bytes = room, .room = sizeof room, .max = sizeof room};
    struct om_server *server = request->server;
    if (om__request_key(request, server->sequence, &key)) return false;
    struct om__answer *answer =
        om__cache_get(server->cache, key.bytes, key.len);
    if (!answer) return false;
    // Whoever does not take everything may want another form of it.
    const char *accept = request->accept;
    if (answer->route->forms && accept && !strstr(accept, "*/*")) {
        om__answer_unref(answer);
        return false;
    }
    om__reply_answer_take(request, answer);
    return true;
}

enum MHD_Result om__access(void *ctx, struct MHD_Connection *connection,
                           const char *url, const char *method,
                           const char *version, const char *upload,
                           size_t *upload_len, void **context)
{
    (void)ctx, (void)url, (void)version, (void)upload;
    struct om__request *request = *context;
    if (!request) return MHD_NO;  // no memory when the first line was read
    if (!request->head_seen) {
        request->head_seen = true;
        watch_turn(connection, true, request->begun_s);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, see_header,
                                  request);
        request->in_charge = om__charge_holds(request->server->charge,
                                              request->authorization);
        bool done;
        const enum MHD_Result result = check_head(request, method, &done);
        return done ? result : MHD_YES;
    }
    *upload_len = 0;
    if (request->response) return send_answer(request);  // from a worker

    if (answer_from_cache(request)) return send_answer(request);
    char *scratch = (char *)(request + 1) + request->target_len + 1;
    const om_status st =
        om_address_parse(request->target, request->target_len, scratch,
                         &request->address, &request->err);
    if (st) {
        om__reply_problem(request, OM_E_FORMAT);
        return send_answer(request);
    }
    request->route = om__route_find(&request->address);
    request->later = request->route && request->route->queued;
    if (!request->later) om__request_answer(request);
    if (!request->later) return send_answer(request);

    // From the moment it is queued a worker may resume it.
    MHD_suspend_connection(connection);
    if (om__jobs_add(request->server->jobs, request)) {
        om__reply_problem(request, OM_E_BUSY);
        MHD_resume_connection(connection);
    }
    return MHD_YES;
}
