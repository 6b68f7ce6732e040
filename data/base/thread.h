// thread.h - run a loop on all cores; results never depend on how many.
#ifndef OM_DATA_BASE_THREAD_H
#define OM_DATA_BASE_THREAD_H

#include <stddef.h>

#include "data/base/status.h"

/** Threads that parallel work uses: the cores, or ONEMAP_THREADS, or what
 *  was set; at least 1, at most OM_LIMIT_THREADS. */
size_t om_threads(void);
/** Use `n` threads from now on (0: the cores). For tests and the command
 *  line, before any parallel work starts. */
void om_threads_set(size_t n);

/** One stretch [first, end) of a loop; `lane` < om_threads() tells apart the
 *  threads that run at the same time, e.g. for scratch memory. */
typedef om_status om_range_fn(void *ctx, size_t first, size_t end, size_t lane);

/**
 * Run `fn` over [0, n) in stretches of `grain`, handed to threads in order.
 * returns the error of the lowest failing stretch; later ones may not run.
 *         OM_E_STOPPED if the caller's work was given up on the way (cancel.h)
 * threads: may be called from several threads; not nested from within fn.
 */
om_status om_parallel(size_t n, size_t grain, om_range_fn *fn,
                      void *ctx) OM_MUST_USE;

/**
 * Let this thread have a core soon after it wakes, before others have used up
 * their turn: for one that works for a moment at a time, and for whom many
 * wait. It gets no more of the cores than before. Only a hint; where the system
 * knows none (Linux before 6.12) nothing happens.
 */
void om_thread_prompt(void);

#endif
