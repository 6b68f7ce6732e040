// cancel.h - is the work that a thread does still wanted?
#ifndef OM_DATA_BASE_CANCEL_H
#define OM_DATA_BASE_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whoever has work done for somebody says how to learn that nobody wants it
 * any more. The token belongs to the thread that works: functions on the way
 * need not hand it down, om_parallel gives it to its threads and ends with
 * OM_E_STOPPED between two stretches, and other long loops ask om_cancelled.
 * Once given up is given up: the question is not asked again. */
struct om_cancel {
    bool (*given_up)(void *ctx);  // may cost a system call; from any thread
    void *ctx;
    atomic_bool stopped;
    atomic_int_least64_t next_ms;  // when it is asked again
};

/** Make `cancel` this thread's token; it stays the caller's and must live until
 *  the thread has another one (NULL: none). Returns the one it had. */
struct om_cancel *om_cancel_swap(struct om_cancel *cancel);
/** The thread's token, NULL: none. */
struct om_cancel *om_cancel_get(void);
/** Should the thread stop what it does? Without a token never. cost: some
 *  20 ns; `given_up` is called at most every few milliseconds. threads: any
 *  number may share a token */
bool om_cancelled(void);

/* What others may be waiting for (a cache that makes things once) is made
 * without a token: whoever began it may leave, they do not.
 *
 *     struct om_cancel *held = om_cancel_swap(NULL);
 *     st = make(...);
 *     om_cancel_swap(held);
 */

#endif
