/* server.c - start, the ticker, and a graceful stop.
 *
 * DESIGN
 * Threads: a pool of the library's, each with its own epoll and connections;
 * workers for what takes longer (jobs.c); one ticker that looks once a second
 * whether another process has committed and whether a connection is past its
 * deadline. A request takes the snapshot that is newest when it begins and
 * keeps it to its end; a commit therefore disturbs nobody.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libdeflate.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/audit.h"
#include "data/city/owner.h"
#include "engine/policy/still_file.h"
#include "web/server/bounds.h"
#include "web/server/connection.h"
#include "web/server/exports.h"
#include "web/server/files.h"
#include "web/server/flights.h"
#include "web/server/jobs.h"
#include "web/server/looks.h"
#include "web/server/made.h"
#include "web/server/metrics.h"
#include "web/server/names.h"
#include "web/server/pictures.h"
#include "web/server/positions.h"
#include "web/server/rates.h"
#include "web/server/refusals.h"
#include "web/server/rights.h"
#include "web/server/searcher.h"
#include "web/server/stream.h"
#include "web/server/tallies.h"
#include "web/server/views.h"
#include "web/server/warmer.h"
#include "web/server/ways.h"
#include "web/server/worlds.h"
#include "web/server/writes.h"

#define THREADS_DEFAULT 2
#define THREADS_MAX 64
#define WORKERS_DEFAULT 2
#define CACHE_BYTES_DEFAULT ((size_t)256 << 20)
/* Bitmaps of filters: 12 M rows are 1.5 MB each. */
#define SELECTIONS_BYTES ((size_t)128 << 20)
#define FIELDS_BYTES ((size_t)256 << 20)
#define VECTORS_BYTES ((size_t)192 << 20)
#define BACKLOG 4096
/* Connections of one address where others than ourselves may reach us: more
 * than any browser or proxy pool opens. */
#define PER_ADDRESS 256
#define MEMORY_PER_CONNECTION ((size_t)32 << 10)
#define STOP_S 20.0
/* Without a request for so long, a server that is to stop does. */
#define QUIET_S 0.1
#define TICK_MS 250
#define BEAT_S_DEFAULT 60
#define PERSONS_S_DEFAULT 300

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void lane_free(void *ptr)
{
    struct om__lane *lane = ptr;
    om_arena_deinit(&lane->arena);
    libdeflate_free_compressor(lane->gzip);
    for (size_t i = 0; i < OM__SYSTEMS; i++) om_project_close(lane->project[i]);
    om_free(lane);
}

struct om__lane *om__lane(struct om_server *server)
{
    struct om__lane *lane = pthread_getspecific(server->lane_key);
    if (lane) return lane;
    lane = om_calloc(1, sizeof *lane);
    if (lane && pthread_setspecific(server->lane_key, lane)) {
        om_free(lane);
        return NULL;
    }
    return lane;
}

/* Take another process' commit if there is one. It may have changed anything,
 * what city.json says of colours and titles too, and so everything is dropped.
 * (Rows that are written, by whom ever, need no such thing: needs.c.) */
static void refresh(struct om_server *server)
{
    bool changed = false;
    struct om_err err = {0};
    struct om_snapshot *before = om_city_snapshot(server->city);
    if (!before) return;
    if (om__writes_refresh(server->writes, &changed, &err)) {
        om_snapshot_unref(before);
        return;
    }
    struct om_snapshot *snapshot =
        changed ? om_city_snapshot(server->city) : NULL;
    if (!snapshot) {
        om_snapshot_unref(before);
        return;
    }
    server->sequence = snapshot->sequence;
    server->release = snapshot->manifest->release;
    om__guard_publish(server->guard, snapshot);
    if (before->manifest != snapshot->manifest) {
        om__views_clear(server->views);
        om__pictures_clear(server->pictures);
        om__cache_clear(server->cache);
    }
    // Who writes is told by the committer.
    if (om__writes_reads_only(server->writes))
        om__stream_commit(server, before, snapshot);
    om_snapshot_unref(snapshot);
    om_snapshot_unref(before);
}

static void sweep_lenses(struct om_server *server)
{
    struct om_snapshot *newest = om_city_snapshot(server->city);
    if (newest) om__lenses_sweep(server->lenses, newest);
    om_snapshot_unref(newest);
}

static bool knows(void *guard, uint64_t who)
{
    return om__guard_knows(guard, who);
}

static void *tick(void *ctx)
{
    struct om_server *server = ctx;
    for (unsigned i = 1; !server->stopping; i++) {
        pause_ms(TICK_MS);
        om__guard_refresh(server->guard);
        if (i % (1000 / TICK_MS)) continue;
        refresh(server);
        sweep_lenses(server);
        om__hub_cut(server->hub, knows, server->guard);
        om__watch_sweep(server);
        om__tallies_write(server, false);
        om__refusals_write(server, false);
        om__views_sweep(server->views);
        om__pictures_sweep(server->pictures);
        om__looks_tell(server->looks, server);
    }
    return NULL;
}

/* "HOST:PORT" or "[HOST]:PORT" into its two parts. */
static om_status split_listen(const char *listen, char host[64], char port[8],
                              struct om_err *err)
{
    const char *colon = strrchr(listen, ':');
    uint64_t number;
    if (!colon || !om_digits_read(colon + 1, strlen(colon + 1), 65535, &number))
        return om_fail(err, OM_E_FORMAT, 0,
                       "--listen %s: not an address and a port, as in "
                       "127.0.0.1:8080",
                       listen);
    const bool bracket = listen[0] == '[' && colon > listen && colon[-1] == ']';
    const size_t len = (size_t)(colon - listen) - (bracket ? 2 : 0);
    if (!len || len >= 64)
        return om_fail(err, OM_E_FORMAT, 0, "--listen %s: no address", listen);
    memcpy(host, listen + bracket, len);
    host[len] = '\0';
    snprintf(port, 8, "%llu", (unsigned long long)number);
    return OM_OK;
}

static om_status open_socket(const char *listen_at, int *out, bool *loopback,
                             struct om_err *err)
{
    char host[64], port[8];
    OM_TRY(split_listen(listen_at, host, port, err));
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) || !found)
        return om_fail(err, OM_E_FORMAT, 0, "--listen %s: no such address",
                       listen_at);
    const int fd =
        socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1;
    const bool bound =
        fd >= 0 &&
        !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) &&
        !bind(fd, found->ai_addr, found->ai_addrlen) && !listen(fd, BACKLOG);
    const int why = errno;
    const struct sockaddr *address = found->ai_addr;
    *loopback = found->ai_family == AF_INET
                    ? ntohl(((const struct sockaddr_in *)(const void *)address)
                                ->sin_addr.s_addr) >>
                              24 ==
                          127
                    : IN6_IS_ADDR_LOOPBACK(
                          &((const struct sockaddr_in6 *)(const void *)address)
                               ->sin6_addr);
    freeaddrinfo(found);
    if (!bound) {
        if (fd >= 0) close(fd);
        return om_fail(err, OM_E_IO, 0, "--listen %s: %s", listen_at,
                       strerror(why));
    }
    *out = fd;
    return OM_OK;
}

static om_status name_address(struct om_server *server, int fd,
                              struct om_err *err)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&at, &len) ||
        getnameinfo((struct sockaddr *)&at, len, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
        return om_fail(err, OM_E_IO, 0, "where the server listens is unknown");
    const bool six = strchr(host, ':') != NULL;
    const int n = snprintf(server->address, sizeof server->address,
                           "http://%s%.64s%s:%s/", six ? "[" : "", host,
                           six ? "]" : "", port);
    return n > 0 && (size_t)n < sizeof server->address ? OM_OK : OM_E_LIMIT;
}

/* Room for all connections where the system lets us. */
static unsigned connection_limit(void)
{
    struct rlimit limit;
    const rlim_t want = OM__CONNECTIONS + 512;  // layers, pages, epoll
    if (getrlimit(RLIMIT_NOFILE, &limit)) return 512;
    if (limit.rlim_cur < want) {
        limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= want) return OM__CONNECTIONS;
    return limit.rlim_cur > 256 ? (unsigned)limit.rlim_cur / 2 : 64;
}

static void log_library(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    om_log(OM_LOG_DEBUG, "http", "%s", text);
}

static om_status start_daemon(struct om_server *server, int fd, bool loopback,
                              unsigned threads, struct om_err *err)
{
    const struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    server->connections = connection_limit();
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ITC |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, om__access, server, MHD_OPTION_EXTERNAL_LOGGER,
        log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)server->connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_PER_CONNECTION,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)OM__IDLE_S,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, loopback ? 0u : PER_ADDRESS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, om__uri_seen, server,
        MHD_OPTION_NOTIFY_COMPLETED, om__completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, om__connection_changed, server,
        MHD_OPTION_ARRAY, threads > 1 ? pool : none, MHD_OPTION_END);
    return server->daemon
               ? OM_OK
               : om_fail(err, OM_E_IO, 0, "the HTTP server does not start");
}

static om_status copy_text(const char *text, char **out)
{
    if (!text || !*text) return OM_OK;
    *out = om_strdup(text);
    return *out ? OM_OK : OM_E_MEMORY;
}

static om_status read_url(struct om_server *server, struct om_err *err)
{
    if (!server->url) return OM_OK;
    const char *scheme = strncmp(server->url, "https://", 8) == 0  ? "https://"
                         : strncmp(server->url, "http://", 7) == 0 ? "http://"
                                                                   : NULL;
    size_t len = strlen(server->url);
    if (len && server->url[len - 1] == '/') server->url[len - 1] = '\0';
    if (scheme && om_host_valid(server->url + strlen(scheme))) return OM_OK;
    return om_fail(err, OM_E_FORMAT, 0, "url %.100s: not http(s)://HOST[:PORT]",
                   server->url);
}

static om_status lay(void *ctx, const char *layer, const struct om_batch *rows,
                     const struct om_live_move *move, size_t moves,
                     struct om_err *err)
{
    struct om_server *server = ctx;
    return om__writes_overlay(server->writes, layer, rows, move, moves, err);
}

/* Positions are the business of whoever writes the city. */
static om_status follow(struct om_server *server, struct om_err *err)
{
    if (om__writes_reads_only(server->writes)) return OM_OK;
    struct om__positions *positions = NULL;
    const struct om__positions_options options = {.path = server->city_path,
                                                  .city = server->city,
                                                  .lay = lay,
                                                  .ctx = server};
    OM_TRY(om__positions_new(&options, &positions, err));
    atomic_store(&server->positions, positions);
    return OM_OK;
}

/* Everything but the daemon. */
static om_status prepare(struct om_server *server,
                         const struct om_server_options *o, struct om_err *err)
{
    pthread_mutex_init(&server->watch_lock, NULL);
    if (pthread_key_create(&server->lane_key, lane_free)) return OM_E_MEMORY;
    server->lane_key_made = true;
    OM_TRY(copy_text(o->url, &server->url));
    OM_TRY(read_url(server, err));
    if (!o->read_only) server->ahead = om_live_ahead(o->city);
    OM_TRY(om_still_open(o->city, &server->told, &server->city, &server->still,
                         err));
    OM_TRY(copy_text(o->city, &server->city_path));
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    if (!snapshot) return OM_E_MEMORY;
    server->sequence = snapshot->sequence;
    server->release = snapshot->manifest->release;
    if (!server->release) om_owner_look(o->city, !o->read_only, "serve");
    const om_status read =
        om__worlds_new(o->city, snapshot, &server->worlds);
    om_snapshot_unref(snapshot);
    OM_TRY(read);
    server->beat_s = o->beat_s ? o->beat_s : BEAT_S_DEFAULT;
    server->persons_s = o->persons_s ? o->persons_s : PERSONS_S_DEFAULT;
    OM_TRY(om_selections_new(SELECTIONS_BYTES, &server->selections));
    OM_TRY(om_fields_new(FIELDS_BYTES, &server->fields));
    OM_TRY(om_vectors_new(VECTORS_BYTES, &server->vectors));
    OM_TRY(om__cache_new(o->cache_bytes ? o->cache_bytes : CACHE_BYTES_DEFAULT,
                         &server->cache));
    OM_TRY(om__flights_new(&server->flights));
    OM_TRY(om__views_new(&server->views));
    OM_TRY(om_legends_new(server->release ? NULL : o->city, &server->legends));
    OM_TRY(om__pictures_new(o->fonts, &server->pictures));
    OM_TRY(om__looks_new(&server->looks));
    OM_TRY(om__names_new(&server->names));
    OM_TRY(om__ways_new(&server->ways));
    OM_TRY(om__snaps_new(&server->snaps));
    OM_TRY(om__metrics_new(&server->metrics));
    OM_TRY(om__files_new(server, o->pages, &server->files, err));
    OM_TRY(om__exports_new(server, &server->exports));
    OM_TRY(om__stream_new(server, &server->hub));
    const struct om__guard_options guard = {.city = o->city,
                                            .charge_file = o->charge_file};
    OM_TRY(om__guard_new(&guard, &server->guard, err));
    OM_TRY(om__lenses_new(server, &server->lenses));
    OM_TRY(om_audit_open(o->city, &server->audit));
    OM_TRY(om__tallies_new(&server->tallies));
    OM_TRY(om__refusals_new(&server->refusals));
    OM_TRY(om__searcher_new(server, !o->read_only && !server->release,
                            &server->searcher));
    OM_TRY(om_rates_new(OM__PUBLIC_PIXELS, OM__PUBLIC_PIXELS_CLIENT,
                        &server->public_pixels));
    om_rates_hold(server->public_pixels, OM__PUBLIC_PIXELS_BURST_S);
    OM_TRY(om__jobs_new(server, o->workers ? o->workers : WORKERS_DEFAULT,
                        &server->jobs));
    snapshot = om_city_snapshot(server->city);
    if (!snapshot) return OM_E_MEMORY;
    om__guard_publish(server->guard, snapshot);
    om_snapshot_unref(snapshot);
    if (om__guard_lost(server->guard))
        om_log(OM_LOG_ERROR, "http", "%.80s: " OM__TOKENS_LOST, o->city);
    // Last: a command line that is wrong must not keep another from writing.
    OM_TRY(om__writes_new(server, o, &server->writes, err));
    om_live_ahead_end(server->ahead);
    server->ahead = NULL;
    om__stream_recall(server);
    OM_TRY(om__lenses_start(server->lenses));
    server->warmer = om__warmer_new(server);
    return follow(server, err);
}

om_status om_server_start(const struct om_server_options *o,
                          struct om_server **out, struct om_err *err)
{
    int fd = -1;
    bool loopback = true;
    unsigned threads = o->threads ? o->threads : THREADS_DEFAULT;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    struct om_server *server = om_calloc(1, sizeof *server);
    if (!server) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    server->started_s = om_seconds();
    om_status st = prepare(server, o, err);
    if (st) goto done;
    st = open_socket(o->listen && *o->listen ? o->listen : "127.0.0.1:8080",
                     &fd, &loopback, err);
    if (st) goto done;
    st = name_address(server, fd, err);
    if (st) goto done;
    om__guard_open(server->guard, loopback && !server->url);
    st = start_daemon(server, fd, loopback, threads, err);
    if (st) goto done;
    fd = -1;  // the daemon's from here on
    server->ticking = !pthread_create(&server->ticker, NULL, tick, server);
    if (!server->ticking) st = OM_E_MEMORY;
done:
    if (fd >= 0) close(fd);
    if (st) {
        om_server_stop(server);
        if (err && !err->text[0]) om_fail(err, st, 0, "%s", om_status_text(st));
    } else {
        *out = server;
    }
    return st;
}

om_status om_server_reload(struct om_server *server,
                           const struct om_server_options *o,
                           struct om_err *err)
{
    struct om_manifest manifest = {0};
    struct om_snapshot *snapshot = NULL;
    // Looked at first, so that nothing is taken over where something is wrong.
    om_status st = om_manifest_read(server->city_path, &manifest, err);
    om_manifest_deinit(&manifest);
    const struct om__guard_options options = {.city = server->city_path,
                                              .charge_file = o->charge_file};
    struct om__guard *guard = NULL;
    if (!st) st = om__guard_new(&options, &guard, err);
    om__guard_free(guard);
    if (!st) st = om__writes_refresh(server->writes, NULL, err);
    if (!st) {
        snapshot = om_city_snapshot(server->city);
        st = snapshot ? om__worlds_reload(server->worlds, snapshot, err)
                      : om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    om_snapshot_unref(snapshot);
    if (!st) st = om__guard_reload(server->guard, o->charge_file, err);
    if (st) return st;
    om__writes_set(server->writes, o);
    om__views_clear(server->views);
    om__pictures_clear(server->pictures);
    om__cache_clear(server->cache);
    return OM_OK;
}

om_status om_server_lend(struct om_server *server, const char *role, char *text,
                         size_t room, struct om_err *err)
{
    char token[OM_TOKEN_TEXT_BYTES];
    OM_TRY(om__guard_lend(server->guard, role, token, err));
    return snprintf(text, room, "%s", token) < (int)room ? OM_OK : OM_E_LIMIT;
}

const char *om_server_address(const struct om_server *server)
{
    return server->address;
}

/* Clients that keep connections open learn from their next answer that it is
 * the last; when none has asked for a while, nobody is left to ask. */
static void drain(struct om_server *server)
{
    const double until_s = om_seconds() + STOP_S;
    double quiet_s = om_seconds();
    atomic_store(&server->draining, true);
    while (om_seconds() < until_s && om_seconds() - quiet_s < QUIET_S) {
        pause_ms(10);
        if (atomic_load(&server->in_flight)) quiet_s = om_seconds();
    }
}

void om_server_stop(struct om_server *server)
{
    if (!server) return;
    if (server->daemon) {
        const MHD_socket fd = MHD_quiesce_daemon(server->daemon);
        if (fd != MHD_INVALID_SOCKET) close(fd);
        om__hub_stop(server->hub);
        drain(server);
    }
    atomic_store(&server->stopping, true);
    if (server->ticking) pthread_join(server->ticker, NULL);
    om__lenses_stop(server->lenses);
    // After workers and committer have ended no connection is suspended any
    // more, as stopping the daemon demands.
    om__jobs_free(server->jobs);
    om__searcher_free(server->searcher);
    om__warmer_free(server->warmer);
    om__positions_stop(atomic_load(&server->positions));
    om__writes_close(server->writes);
    if (server->daemon) MHD_stop_daemon(server->daemon);
    om__positions_free(atomic_load(&server->positions));
    om__files_free(server->files);
    om__exports_free(server->exports);
    om__guard_free(server->guard);
    om__lenses_free(server->lenses);
    om__tallies_write(server, true);
    om__tallies_free(server->tallies);
    om__refusals_write(server, true);
    om__refusals_free(server->refusals);
    om_rates_free(server->public_pixels);
    om_audit_close(server->audit);
    om__hub_free(server->hub);
    om__cache_free(server->cache);
    om__flights_free(server->flights);
    om__views_free(server->views);
    om__worlds_free(server->worlds);
    om_legends_free(server->legends);
    om__pictures_free(server->pictures);
    om__looks_free(server->looks);
    om__made_free(server->names);
    om__made_free(server->ways);
    om__made_free(server->snaps);
    om__metrics_free(server->metrics);
    om_fields_free(server->fields);
    om_vectors_free(server->vectors);
    om_selections_free(server->selections);
    om__writes_free(server->writes);
    om_live_ahead_end(server->ahead);
    om_still_file_free(server->told);
    om_snapshot_unref(server->still);
    om_city_close(server->city);
    if (server->lane_key_made) {
        struct om__lane *lane = pthread_getspecific(server->lane_key);
        if (lane) lane_free(lane);
        pthread_key_delete(server->lane_key);
    }
    pthread_mutex_destroy(&server->watch_lock);
    om_free(server->url);
    om_free(server->city_path);
    om_free(server);
}
