/* Work that nobody wants any more.
 *
 * Plan
 *   token_*     who has one is asked, seldom, and once it is given up stays so
 *   parallel_*  loops end between stretches, on all threads, and hand the
 *               token to them
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "data/base/cancel.h"
#include "data/base/thread.h"

struct asked {
    atomic_int times;
    int upto;  // so often the answer is no
};

static bool given_up(void *ctx)
{
    struct asked *a = ctx;
    return atomic_fetch_add(&a->times, 1) >= a->upto;
}

static void pause_ms(long ms)
{
    const struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

static void token_is_asked_seldom_and_remembered(void **state)
{
    (void)state;
    struct asked asked = {.upto = INT_MAX};
    struct om_cancel cancel = {.given_up = given_up, .ctx = &asked};
    assert_false(om_cancelled());
    assert_null(om_cancel_swap(&cancel));
    assert_ptr_equal(om_cancel_get(), &cancel);
    // Again if somebody else had the processor for long meanwhile.
    int before, tries = 0;
    do {
        before = atomic_load(&asked.times);
        for (int i = 0; i < 1000; i++) assert_false(om_cancelled());
        assert_true(++tries < 100);
    } while (atomic_load(&asked.times) > before + 2);
    asked.upto = atomic_load(&asked.times);
    while (!om_cancelled()) pause_ms(10);
    assert_int_equal(atomic_load(&asked.times), asked.upto + 1);
    for (int i = 0; i < 1000; i++) assert_true(om_cancelled());
    assert_int_equal(atomic_load(&asked.times), asked.upto + 1);
    // Another piece of work, which is wanted, inside of it.
    assert_ptr_equal(om_cancel_swap(NULL), &cancel);
    assert_false(om_cancelled());
    assert_null(om_cancel_swap(&cancel));
    assert_true(om_cancelled());
    om_cancel_swap(NULL);
}

struct counted {
    atomic_size_t done;
    atomic_size_t with_token;
    bool slow;
};

static om_status count(void *ctx, size_t first, size_t end, size_t lane)
{
    struct counted *c = ctx;
    (void)lane;
    atomic_fetch_add(&c->done, end - first);
    if (om_cancel_get()) atomic_fetch_add(&c->with_token, end - first);
    if (c->slow) pause_ms(10);
    return OM_OK;
}

static void parallel_without_a_token_ends_by_itself(void **state)
{
    (void)state;
    struct counted c = {0};
    assert_int_equal(om_parallel(1000, 3, count, &c), OM_OK);
    assert_int_equal(atomic_load(&c.done), 1000);
    assert_int_equal(atomic_load(&c.with_token), 0);
}

static void parallel_hands_the_token_to_its_threads(void **state)
{
    (void)state;
    struct asked asked = {.upto = INT32_MAX};
    struct om_cancel cancel = {.given_up = given_up, .ctx = &asked};
    struct counted c = {0};
    om_threads_set(4);
    om_cancel_swap(&cancel);
    assert_int_equal(om_parallel(1000, 3, count, &c), OM_OK);
    om_cancel_swap(NULL);
    om_threads_set(0);
    assert_int_equal(atomic_load(&c.done), 1000);
    assert_int_equal(atomic_load(&c.with_token), 1000);
}

static void parallel_stops_between_stretches(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 4; threads += 3) {
        struct asked asked = {.upto = 3};
        struct om_cancel cancel = {.given_up = given_up, .ctx = &asked};
        struct counted c = {.slow = true};
        om_threads_set(threads);
        om_cancel_swap(&cancel);
        assert_int_equal(om_parallel(100000, 1, count, &c), OM_E_STOPPED);
        // What begins afterwards does nothing at all.
        struct counted none = {0};
        assert_int_equal(om_parallel(5, 1, count, &none), OM_E_STOPPED);
        om_cancel_swap(NULL);
        om_threads_set(0);
        assert_true(atomic_load(&c.done) < 10000);
        assert_int_equal(atomic_load(&none.done), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_is_asked_seldom_and_remembered),
        cmocka_unit_test(parallel_without_a_token_ends_by_itself),
        cmocka_unit_test(parallel_hands_the_token_to_its_threads),
        cmocka_unit_test(parallel_stops_between_stretches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
