// thread.c - a parallel loop over plain pthreads: stretches from one counter.
#include "data/base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "data/base/cancel.h"
#include "data/base/limits.h"

static atomic_size_t threads_wanted;
static atomic_long cores_found;

/* Asking is some system calls: too much for a loop over a few rows. */
static long cores_online(void)
{
    long cores = atomic_load_explicit(&cores_found, memory_order_relaxed);
    if (cores == 0) {
        cores = sysconf(_SC_NPROCESSORS_ONLN);
        if (cores < 1) cores = 1;
        atomic_store_explicit(&cores_found, cores, memory_order_relaxed);
    }
    return cores;
}

size_t om_threads(void)
{
    size_t n = atomic_load(&threads_wanted);
    if (n == 0) {
        const char *text = getenv("ONEMAP_THREADS");
        const long given = text ? strtol(text, NULL, 10) : 0;
        n = (size_t)(given > 0 ? given : cores_online());
    }
    return n > OM_LIMIT_THREADS ? OM_LIMIT_THREADS : n;
}

void om_threads_set(size_t n)
{
    atomic_store(&threads_wanted, n);
}

/* The shortest turn that Linux gives; those of others are some milliseconds. */
#define PROMPT_NS 100000

void om_thread_prompt(void)
{
#if defined __linux__ && defined SYS_sched_setattr && defined SYS_sched_getattr
    // struct sched_attr, of which not every C library has a declaration.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } turn = {0};
    // Whoever runs us by another policy knows why.
    if (syscall(SYS_sched_getattr, 0, &turn, (unsigned)sizeof turn, 0U) ||
        turn.policy != 0)
        return;
    turn.size = sizeof turn;
    turn.runtime_ns = PROMPT_NS;
    (void)!syscall(SYS_sched_setattr, 0, &turn, 0U);
#endif
}

struct job {
    struct om_cancel *cancel;  // of the thread that began it
    om_range_fn *fn;
    void *ctx;
    size_t n, grain;
    atomic_size_t next;
    pthread_mutex_t lock;  // guards the two below
    size_t failed_at;
    om_status status;
};

struct lane {
    struct job *job;
    size_t number;
};

static void *run_lane(void *arg)
{
    const struct lane *lane = arg;
    struct job *job = lane->job;
    om_cancel_swap(job->cancel);
    for (;;) {
        const size_t first = atomic_fetch_add(&job->next, job->grain);
        if (first >= job->n) return NULL;
        const size_t left = job->n - first;
        const size_t end = first + (left < job->grain ? left : job->grain);
        const om_status st = om_cancelled()
                                 ? OM_E_STOPPED
                                 : job->fn(job->ctx, first, end, lane->number);
        if (!st) continue;
        pthread_mutex_lock(&job->lock);
        if (first < job->failed_at) {
            job->failed_at = first;
            job->status = st;
        }
        pthread_mutex_unlock(&job->lock);
        atomic_store(&job->next, job->n);
        return NULL;
    }
}

om_status om_parallel(size_t n, size_t grain, om_range_fn *fn, void *ctx)
{
    if (n == 0) return OM_OK;
    if (grain == 0) grain = 1;
    const size_t stretches = (n - 1) / grain + 1;
    size_t lanes = stretches > 1 ? om_threads() : 1;
    if (lanes > stretches) lanes = stretches;
    struct job job = {.cancel = om_cancel_get(),
                      .fn = fn,
                      .ctx = ctx,
                      .n = n,
                      .grain = grain,
                      .failed_at = SIZE_MAX};
    pthread_mutex_init(&job.lock, NULL);
    struct lane lane[OM_LIMIT_THREADS];
    pthread_t thread[OM_LIMIT_THREADS];
    size_t started = 0;
    for (size_t i = 0; i < lanes; i++) lane[i] = (struct lane){&job, i};
    // A thread that cannot be started is no failure: the others do its part.
    for (size_t i = 1; i < lanes; i++, started++)
        if (pthread_create(&thread[i], NULL, run_lane, &lane[i])) break;
    run_lane(&lane[0]);
    for (size_t i = 1; i <= started; i++) pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&job.lock);
    return job.status;
}
