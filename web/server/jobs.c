/* jobs.c - the queues beside the connection threads.
 *
 * DESIGN
 * A request that takes long leaves its connection suspended and waits here, so
 * that tiles of others are not held up. There are three queues. Most work takes
 * milliseconds and is done by several workers; what may take up to a second
 * (om__wait_heavy) has a queue and a single worker of its own, so that however
 * much of it is asked for, quick questions find a worker; and so have files to
 * be taken away (om__wait_filing), which may take minutes. A request that turns
 * out to be such on the way is put back, into another queue.
 *
 * A suspended connection cannot notice that its client has gone; so a worker
 * looks at the socket before it begins, and now and then while it works
 * (data/base/cancel.h): work nobody waits for is dropped.
 * Who waits for heavy work gets a turn as turns.h says: questions of one token
 * or address do not stand before those of all others.
 * The queues are short: who would wait long is told at once to come back. When
 * the heavy one is full, those whose clients have left make room.
 */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "web/server/bounds.h"
#include "web/server/flights.h"
#include "web/server/jobs.h"
#include "web/server/reply.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"
#include "web/server/turns.h"

#define WORKERS_MAX 64

struct queue {
    struct om__jobs *jobs;
    struct om__turns turns;
    pthread_cond_t some;
    size_t room;
    bool heavy, filing;
};

struct om__jobs {
    struct om_server *server;
    pthread_mutex_t lock;
    struct queue quick, heavy, filing;
    bool stop;
    atomic_size_t running;
    atomic_uint_least64_t given_up;
    unsigned workers;
    pthread_t worker[WORKERS_MAX];
    bool heavy_worker_made, filing_worker_made;
    pthread_t heavy_worker, filing_worker;
};

bool om__client_gone(const struct om__request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info) return false;
    struct pollfd fd = {.fd = info->connect_fd, .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLRDHUP);
}

static uint64_t address_of(struct MHD_Connection *connection, bool *loopback)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *at = info ? info->client_addr : NULL;
    *loopback = false;
    if (!at) return 0;
    if (at->sa_family == AF_INET) {
        const struct in_addr *four =
            &((const struct sockaddr_in *)(const void *)at)->sin_addr;
        *loopback = ntohl(four->s_addr) >> 24 == 127;
        return om_hash64(four, sizeof *four, 0) | 1;
    }
    if (at->sa_family != AF_INET6) return 0;
    const struct in6_addr *six =
        &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr;
    *loopback = IN6_IS_ADDR_LOOPBACK(six);
    // One customer has a whole /64.
    return om_hash64(six, 8, 0) | 1;
}

uint64_t om__address_of(struct MHD_Connection *connection)
{
    bool loopback;
    return address_of(connection, &loopback);
}

/* The proxy before us adds the address that it was asked from at the end of
 * the line; what stands before that anybody may have written. */
static uint64_t relayed_of(const struct om__request *request)
{
    const char *text = request->server->url ? request->forwarded_for : NULL;
    const char *comma = text ? strrchr(text, ',') : NULL;
    if (comma) text = comma + 1;
    if (!text) return 0;
    text += strspn(text, " \t");
    const size_t len = strcspn(text, " \t");
    return len ? om_hash64(text, len, 0) | 1 : 0;
}

uint64_t om__client_of(const struct om__request *request)
{
    bool loopback;
    const uint64_t address = address_of(request->connection, &loopback);
    return loopback ? relayed_of(request) : address;
}

/* Who asks, as far as it is known: a token, or an address. */
static uint64_t asker_of(const struct om__request *request)
{
    const bool known = request->who && request->who->asked;
    return known ? request->who->id : om__client_of(request);
}

static void push(struct queue *q, struct om__request *request)
{
    om__turns_add(&q->turns, request);
    pthread_cond_signal(&q->some);
}

/* Requests whose clients have left go to the quick workers, who drop them. */
static void weed(struct om__jobs *jobs)
{
    om__turns_weed(&jobs->heavy.turns, om__client_gone, &jobs->quick.turns);
    pthread_cond_broadcast(&jobs->quick.some);
}

/* Under the lock. */
static bool has_room(struct om__jobs *jobs, const struct queue *q,
                     const struct om__request *request)
{
    if (jobs->stop) return false;
    if (q->turns.waiting >= q->room) return request->admitted;
    return !q->heavy || !request->client ||
           om__turns_of(&q->turns, request->client) < OM__QUEUE_CLIENT;
}

om_status om__jobs_add(struct om__jobs *jobs, struct om__request *request)
{
    if (request->flight && om__flight_park(request)) return OM_OK;
    if (request->heavy) request->client = asker_of(request);
    pthread_mutex_lock(&jobs->lock);
    struct queue *q = request->filing  ? &jobs->filing
                      : request->heavy ? &jobs->heavy
                                       : &jobs->quick;
    bool room = has_room(jobs, q, request);
    if (!room && q->heavy && !jobs->stop) {
        weed(jobs);
        room = has_room(jobs, q, request);
    }
    if (room) push(q, request);
    pthread_mutex_unlock(&jobs->lock);
    if (room) return OM_OK;
    return om_fail(&request->err, OM_E_BUSY, 0,
                   request->heavy
                       ? "too many questions that take long are waiting"
                       : "too many questions are waiting");
}

bool om__wait_heavy(struct om__request *request)
{
    if (request->on_heavy) return false;
    request->later = request->heavy = true;
    return true;
}

bool om__wait_filing(struct om__request *request)
{
    if (request->on_filing) return false;
    request->later = request->filing = true;
    return true;
}

static bool is_gone(void *ctx)
{
    return om__client_gone(ctx);
}

/* Answer, as long as there is somebody to answer. What changes something is
 * done all the same. */
static void answer(struct om__jobs *jobs, struct om__request *request)
{
    struct om_cancel cancel = {.given_up = is_gone, .ctx = request};
    const bool asks =
        !request->route || !request->route->method || request->route->asks;
    om_cancel_swap(asks ? &cancel : NULL);
    atomic_fetch_add(&jobs->running, 1);
    om__request_answer(request);
    atomic_fetch_sub(&jobs->running, 1);
    om_cancel_swap(NULL);
    if (atomic_load(&cancel.stopped)) atomic_fetch_add(&jobs->given_up, 1);
}

static void run(struct queue *q, struct om__request *request)
{
    struct om__jobs *jobs = q->jobs;
    request->on_worker = true;
    request->on_filing = q->filing;
    // Who writes files may do heavy work on the way.
    request->on_heavy = q->heavy || q->filing;
    if (om__client_gone(request)) {
        request->error_status = MHD_HTTP_SERVICE_UNAVAILABLE;
        atomic_fetch_add(&jobs->given_up, 1);
        om__reply_problem(request, OM_E_STOPPED);
    } else {
        answer(jobs, request);
        if (request->later) {
            // From the moment it is queued it is another thread's.
            if (!om__jobs_add(jobs, request)) return;
            om__reply_problem(request, OM_E_BUSY);
        } else if (request->submit) {
            const om_status st = om__request_submit(request);
            if (!st) return;  // another thread's, too
            om__reply_problem(request, st);
        }
    }
    MHD_resume_connection(request->connection);
}

static void *work(void *ctx)
{
    struct queue *q = ctx;
    struct om__jobs *jobs = q->jobs;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        while (!q->turns.first && !jobs->stop)
            pthread_cond_wait(&q->some, &jobs->lock);
        struct om__request *request = om__turns_take(&q->turns);
        if (!request) break;
        pthread_mutex_unlock(&jobs->lock);
        run(q, request);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

static void queue_init(struct om__jobs *jobs, struct queue *q, size_t room)
{
    *q = (struct queue){.jobs = jobs, .room = room};
    pthread_cond_init(&q->some, NULL);
}

om_status om__jobs_new(struct om_server *server, unsigned workers,
                       struct om__jobs **out)
{
    struct om__jobs *jobs = om_calloc(1, sizeof *jobs);
    if (!jobs) return OM_E_MEMORY;
    jobs->server = server;
    pthread_mutex_init(&jobs->lock, NULL);
    queue_init(jobs, &jobs->quick, OM__QUEUE);
    queue_init(jobs, &jobs->heavy, OM__QUEUE_HEAVY);
    queue_init(jobs, &jobs->filing, OM__QUEUE_FILING);
    jobs->heavy.heavy = true;
    jobs->filing.filing = true;
    if (workers > WORKERS_MAX) workers = WORKERS_MAX;
    while (
        jobs->workers < workers &&
        !pthread_create(&jobs->worker[jobs->workers], NULL, work, &jobs->quick))
        jobs->workers++;
    jobs->heavy_worker_made =
        !pthread_create(&jobs->heavy_worker, NULL, work, &jobs->heavy);
    jobs->filing_worker_made =
        !pthread_create(&jobs->filing_worker, NULL, work, &jobs->filing);
    if (!jobs->workers || !jobs->heavy_worker_made ||
        !jobs->filing_worker_made) {
        om__jobs_free(jobs);
        return OM_E_MEMORY;
    }
    *out = jobs;
    return OM_OK;
}

void om__jobs_free(struct om__jobs *jobs)
{
    if (!jobs) return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stop = true;
    pthread_cond_broadcast(&jobs->quick.some);
    pthread_cond_broadcast(&jobs->heavy.some);
    pthread_cond_broadcast(&jobs->filing.some);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->workers; i++)
        pthread_join(jobs->worker[i], NULL);
    if (jobs->heavy_worker_made) pthread_join(jobs->heavy_worker, NULL);
    if (jobs->filing_worker_made) pthread_join(jobs->filing_worker, NULL);
    pthread_cond_destroy(&jobs->quick.some);
    pthread_cond_destroy(&jobs->heavy.some);
    pthread_cond_destroy(&jobs->filing.some);
    pthread_mutex_destroy(&jobs->lock);
    om_free(jobs);
}

struct om__jobs_stats om__jobs_stats(struct om__jobs *jobs)
{
    return (struct om__jobs_stats){atomic_load(&jobs->running),
                                   atomic_load(&jobs->given_up)};
}

size_t om__jobs_waiting(struct om__jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    const size_t waiting = jobs->quick.turns.waiting +
                           jobs->heavy.turns.waiting +
                           jobs->filing.turns.waiting;
    pthread_mutex_unlock(&jobs->lock);
    return waiting;
}
