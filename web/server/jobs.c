/* jobs.c - the queue beside the connection threads.
 *
 * DESIGN
 * A request that takes long leaves its connection suspended and waits here, so
 * that tiles of others are not held up. A suspended connection cannot notice
 * that its client has gone; so a worker looks at the socket before it begins,
 * and work nobody waits for is dropped. The queue is short: who would wait
 * long is told at once to come back.
 */
#include <poll.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/server/server_internal.h"

#define WORKERS_MAX 64

struct om__jobs {
    struct om_server *server;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct om__request *first, *last;
    size_t waiting;
    bool stop;
    unsigned workers;
    pthread_t worker[WORKERS_MAX];
};

static bool client_gone(struct om__request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info) return false;
    struct pollfd fd = {.fd = info->connect_fd, .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR);
}

static void run(struct om__request *request)
{
    request->on_worker = true;
    if (client_gone(request)) {
        request->error_status = MHD_HTTP_SERVICE_UNAVAILABLE;
        om__reply_problem(request, OM_E_STOPPED);
    } else {
        om__request_answer(request);
    }
    MHD_resume_connection(request->connection);
}

static void *work(void *ctx)
{
    struct om__jobs *jobs = ctx;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        while (!jobs->first && !jobs->stop)
            pthread_cond_wait(&jobs->some, &jobs->lock);
        struct om__request *request = jobs->first;
        if (!request) break;
        jobs->first = request->next;
        if (!jobs->first) jobs->last = NULL;
        jobs->waiting--;
        pthread_mutex_unlock(&jobs->lock);
        run(request);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

om_status om__jobs_new(struct om_server *server, unsigned workers,
                       struct om__jobs **out)
{
    struct om__jobs *jobs = om_calloc(1, sizeof *jobs);
    if (!jobs) return OM_E_MEMORY;
    jobs->server = server;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->some, NULL);
    if (workers > WORKERS_MAX) workers = WORKERS_MAX;
    while (jobs->workers < workers &&
           !pthread_create(&jobs->worker[jobs->workers], NULL, work, jobs))
        jobs->workers++;
    if (!jobs->workers) {
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
    pthread_cond_broadcast(&jobs->some);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->workers; i++)
        pthread_join(jobs->worker[i], NULL);
    pthread_cond_destroy(&jobs->some);
    pthread_mutex_destroy(&jobs->lock);
    om_free(jobs);
}

om_status om__jobs_add(struct om__jobs *jobs, struct om__request *request)
{
    pthread_mutex_lock(&jobs->lock);
    const bool room = jobs->waiting < OM__QUEUE && !jobs->stop;
    if (room) {
        request->next = NULL;
        *(jobs->last ? &jobs->last->next : &jobs->first) = request;
        jobs->last = request;
        jobs->waiting++;
        pthread_cond_signal(&jobs->some);
    }
    pthread_mutex_unlock(&jobs->lock);
    return room ? OM_OK : OM_E_BUSY;
}

size_t om__jobs_waiting(struct om__jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    const size_t waiting = jobs->waiting;
    pthread_mutex_unlock(&jobs->lock);
    return waiting;
}
