// pace.c - writers and compaction in step: how hard it tries, how fast they go.
#include <sys/resource.h>
#include <unistd.h>

#include "data/base/cancel.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * Compaction is patient: its work takes what time of the cores others leave.
 * Where they leave next to nothing rows would come faster than they go into
 * files, memory and journal would grow, and whoever opens the city next would
 * put all of it on top again. So
 *
 *   (1) work that is not done by the time it takes with a tenth of a core, or
 *       while which a layer gets URGENT times the rows of a compaction, is
 *       given up and done again with the share of the cores that all have
 *       (a thread may not become less nice again, only another may be);
 *   (2) a layer that is urgent is written anew less often (compact.c);
 *   (3) from SLOW times the rows of a compaction on, whoever writes many rows
 *       waits a little for each, the more the more there are, though never
 *       longer than SLOWEST_S: 50,000 rows a second always go. Writes of few
 *       rows never wait.
 *
 * Locks that others wait for are only taken by the thread that is not nice: one
 * that is may be kept off the cores while it holds them. */

#define NICE 10
#define URGENT 4
#define SLOW 8
#define SLOWEST_S 20e-6
/* Of a row that is merged by itself: a dozenth of this. */
#define PATIENCE_S 2.0
#define PATIENCE_ROW_S 15e-6
#define LOOK_MS 100

uint64_t om__live_rows_in_memory(const struct om_manifest_layer *meta,
                                 const struct om__stack *stack)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < stack->parts; i++)
        rows += i < stack->files && i < meta->parts
                    ? stack->part[i].dead_count - meta->part[i].dead
                    : om_segment_rows(stack->part[i].segment);
    return rows;
}

void om__live_weigh(struct om_live *live)
{
    const struct om_manifest *m = &live->base->manifest;
    uint64_t most = 0;
    for (size_t i = 0; i < m->layers; i++) {
        const struct om__stack *stack = live->state[i].stack;
        const uint64_t rows =
            stack->fault ? 0 : om__live_rows_in_memory(&m->layer[i], stack);
        if (rows > most) most = rows;
    }
    atomic_store(&live->in_memory, most);
}

bool om__live_is_urgent(struct om_live *live)
{
    return !live->options.no_compaction &&
           atomic_load(&live->in_memory) / URGENT >= live->options.compact_rows;
}

double om__live_pause_s(uint64_t in_memory, size_t compact_rows, size_t rows)
{
    const double over =
        (double)in_memory / ((double)SLOW * (double)compact_rows) - 1;
    const double share = over < 0 ? 0 : over > 2 ? 1 : over / 2;
    return (double)rows * share * SLOWEST_S;
}

/* ---- work with patience ---- */

struct work {
    struct om_live *live;
    om_status (*run)(void *ctx, struct om_err *err);
    void *ctx;
    atomic_bool hurry;
    pthread_mutex_t lock;  // guards the rest
    pthread_cond_t end;
    bool done;
    om_status status;
    struct om_err err;
};

static bool is_given_up(void *ctx)
{
    struct work *w = ctx;
    return atomic_load(&w->hurry) || om__live_given_up(w->live);
}

static void *run_nicely(void *arg)
{
    struct work *w = arg;
    struct om_cancel cancel = {.given_up = is_given_up, .ctx = w};
    struct om_err err = {0};
    // Of this thread only; what it starts inherits it.
    (void)!setpriority(PRIO_PROCESS, (id_t)gettid(),
                       getpriority(PRIO_PROCESS, 0) + NICE);
    om_cancel_swap(&cancel);
    om__live_step("patient");
    const om_status st = w->run(w->ctx, &err);
    pthread_mutex_lock(&w->lock);
    w->status = st;
    w->err = err;
    w->done = true;
    pthread_cond_signal(&w->end);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void wait_for_end(struct work *w, double patience_s)
{
    const double until_s = om_seconds() + patience_s;
    pthread_mutex_lock(&w->lock);
    while (!w->done) {
        const struct timespec at = om__live_in_ms(LOOK_MS);
        pthread_cond_timedwait(&w->end, &w->lock, &at);
        if (om_seconds() > until_s || om__live_is_urgent(w->live))
            atomic_store(&w->hurry, true);
    }
    pthread_mutex_unlock(&w->lock);
}

om_status om__live_patiently(struct om_live *live, uint64_t rows,
                             om_status (*run)(void *ctx, struct om_err *err),
                             void *ctx, struct om_err *err)
{
    struct work w = {.live = live,
                     .run = run,
                     .ctx = ctx,
                     .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t monotonic;
    pthread_t thread;
    if (om__live_is_urgent(live)) return run(ctx, err);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w.end, &monotonic);
    pthread_condattr_destroy(&monotonic);
    const bool beside = !pthread_create(&thread, NULL, run_nicely, &w);
    if (beside) {
        wait_for_end(&w, PATIENCE_S + PATIENCE_ROW_S * (double)rows);
        pthread_join(thread, NULL);
    }
    pthread_cond_destroy(&w.end);
    pthread_mutex_destroy(&w.lock);
    const bool again = w.status == OM_E_STOPPED && atomic_load(&w.hurry) &&
                       !om__live_given_up(live);
    if (!beside || again) return run(ctx, err);
    if (w.status && err) *err = w.err;
    return w.status;
}
