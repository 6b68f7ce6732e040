// warmer.c - road networks, and where people step onto them, before they are
// asked for.
#include "web/server/warmer.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/log.h"
#include "web/server/ways.h"
#include "web/service_plan.h"

#define NICE 10
/* People of whom it takes less than a moment. */
#define FEW 1000000

struct om__warmer {
    struct om_server *server;
    atomic_bool stopping;
    pthread_t thread;
};

static bool is_stopping(void *ctx)
{
    return atomic_load(&((struct om__warmer *)ctx)->stopping);
}

/* As /coverage/service without parameters. */
static om_status prepare(struct om_coverage *q)
{
    struct om__service s = {0};
    om_status st = om__service_read(q, &s);
    if (!st && s.people->rows > FEW) st = om__service_prepare(q, &s);
    om__service_deinit(&s);
    return st;
}

static void *run(void *ctx)
{
    struct om__warmer *w = ctx;
    struct om_cancel cancel = {.given_up = is_stopping, .ctx = w};
    struct om_snapshot *snapshot = om_city_snapshot(w->server->city);
    struct om__lent lent;
    (void)!setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    om_cancel_swap(&cancel);
    if (!snapshot) return NULL;
    om__lent_init(&lent, w->server);
    struct om_coverage q = {.snapshot = snapshot,
                            .selections = w->server->selections,
                            .lender = &lent.lender};
    const om_status st = prepare(&q);
    // A city need not have services.
    if (st) om_log(OM_LOG_DEBUG, "ways", "none are made ready: %s", q.err.text);
    om__lent_deinit(&lent);
    om_snapshot_unref(snapshot);
    return NULL;
}

struct om__warmer *om__warmer_new(struct om_server *server)
{
    struct om__warmer *w = om_calloc(1, sizeof *w);
    if (!w) return NULL;
    w->server = server;
    if (!pthread_create(&w->thread, NULL, run, w)) return w;
    om_free(w);
    return NULL;
}

void om__warmer_free(struct om__warmer *w)
{
    if (!w) return;
    atomic_store(&w->stopping, true);
    pthread_join(w->thread, NULL);
    om_free(w);
}
