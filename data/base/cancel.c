// cancel.c - tokens of threads.
#include "data/base/cancel.h"

#include <time.h>

/* Milliseconds between two questions: below what anybody notices, far above
 * what a question costs. */
#define PAUSE_MS 4

static _Thread_local struct om_cancel *current;

struct om_cancel *om_cancel_swap(struct om_cancel *cancel)
{
    struct om_cancel *before = current;
    current = cancel;
    return before;
}

struct om_cancel *om_cancel_get(void)
{
    return current;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool om_cancelled(void)
{
    struct om_cancel *c = current;
    if (!c) return false;
    if (atomic_load(&c->stopped)) return true;
    int64_t next = atomic_load(&c->next_ms);
    const int64_t now = now_ms();
    // One of the threads asks.
    if (now < next ||
        !atomic_compare_exchange_strong(&c->next_ms, &next, now + PAUSE_MS))
        return false;
    if (!c->given_up(c->ctx)) return false;
    atomic_store(&c->stopped, true);
    return true;
}
