/* searcher.c - the indexes of a served city.
 *
 * DESIGN
 * Small indexes are made by the question that first needs them. Large ones are
 * made by a thread of their own, at low priority: when a server starts that
 * may keep them as files, else when somebody has searched and got an answer
 * without them. Until then answers say that they are incomplete.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/log.h"
#include "engine/search/search.h"
#include "web/server/searcher.h"
#include "web/server/server_internal.h"

#define NICE 10

struct om__searcher {
    struct om_server *server;
    struct om_search *search;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wanted, stopping, running;  // under lock
    pthread_t thread;
};

static bool is_stopping(void *ctx)
{
    struct om__searcher *s = ctx;
    pthread_mutex_lock(&s->lock);
    const bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

static void prepare(struct om__searcher *s)
{
    struct om_err err = {0};
    struct om_snapshot *snapshot = om_city_snapshot(s->server->city);
    if (!snapshot) return;
    const om_status st = om_search_prepare(s->search, snapshot, NULL, &err);
    if (st && st != OM_E_STOPPED)
        om_log(OM_LOG_WARN, "search", "the index cannot be made: %s", err.text);
    om_snapshot_unref(snapshot);
}

static void *run(void *ctx)
{
    struct om__searcher *s = ctx;
    struct om_cancel cancel = {.given_up = is_stopping, .ctx = s};
    (void)!setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    om_cancel_swap(&cancel);
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (!s->wanted) {
            pthread_cond_wait(&s->woken, &s->lock);
            continue;
        }
        s->wanted = false;
        pthread_mutex_unlock(&s->lock);
        prepare(s);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Is there a file so large that nobody should wait for its index? */
static bool is_large(const struct om_snapshot *snapshot)
{
    for (size_t l = 0; l < snapshot->layers; l++)
        for (size_t p = 0; p < snapshot->layer[l].parts; p++)
            if (om_segment_rows(snapshot->layer[l].part[p].segment) >
                OM_SEARCH_SMALL_ROWS)
                return true;
    return false;
}

om_status om__searcher_new(struct om_server *server, bool writable,
                           struct om__searcher **out)
{
    struct om__searcher *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->server = server;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->woken, NULL);
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    s->wanted = snapshot && writable && is_large(snapshot);
    om_snapshot_unref(snapshot);
    om_status st = om_search_new(server->city_path, writable, &s->search);
    if (!st) s->running = !pthread_create(&s->thread, NULL, run, s);
    if (!st && !s->running) st = OM_E_MEMORY;
    if (st)
        om__searcher_free(s);
    else
        *out = s;
    return st;
}

void om__searcher_free(struct om__searcher *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->woken);
    pthread_mutex_unlock(&s->lock);
    if (s->running) pthread_join(s->thread, NULL);
    om_search_free(s->search);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->woken);
    om_free(s);
}

void om__searcher_wake(struct om__searcher *s)
{
    pthread_mutex_lock(&s->lock);
    s->wanted = true;
    pthread_cond_signal(&s->woken);
    pthread_mutex_unlock(&s->lock);
}

struct om_search *om__searcher_search(struct om__searcher *s)
{
    return s->search;
}
