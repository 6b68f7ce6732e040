/* Buckets of tokens.
 *
 * Plan
 *   never_*   in any stretch of time no more than a burst and the rate
 *   after_*   whoever waits as long as told gets one
 *   others_*  a greedy client takes nothing from a modest one
 *   fault_*   the n-th allocation fails
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "web/server/rates.h"

#define PER_S 50.0

static void never_more_than_a_burst_and_the_rate(void **state)
{
    (void)state;
    struct om_rates *rates;
    assert_int_equal(om_rates_new(0, PER_S, &rates), OM_OK);
    double now_s = 1000;
    unsigned taken = 0;
    for (int i = 0; i < 100000; i++) {
        now_s += 0.0001;
        taken += om_rates_take(rates, 7, now_s) == 0;
    }
    const double most = PER_S * (10 + OM_RATES_BURST_S);
    assert_in_range(taken, (unsigned)most - 1, (unsigned)most + 1);
    om_rates_free(rates);
}

static void never_more_when_many_are_taken_at_once(void **state)
{
    (void)state;
    struct om_rates *rates;
    assert_int_equal(om_rates_new(0, PER_S, &rates), OM_OK);
    om_rates_hold(rates, 10);
    double now_s = 1000, taken = 0;
    for (int i = 0; i < 100000; i++) {
        now_s += 0.001;
        const double n = 1 + i % 97;
        if (om_rates_spend(rates, 7, n, now_s) <= 0) taken += n;
        // What is owed is waited for, and no longer.
        const double wait_s = om_rates_spend(rates, 9, 1000, now_s);
        if (wait_s > 0 && i % 1000 == 0) {
            assert_true(om_rates_spend(rates, 9, 1, now_s + wait_s * 0.99) > 0);
            now_s += wait_s + 0.001;
            assert_true(om_rates_spend(rates, 9, 1, now_s) <= 0);
        }
    }
    assert_true(taken <= PER_S * (now_s - 1000 + 10) + 97);
    assert_true(taken >= PER_S * 100);
    om_rates_free(rates);
}

static void after_the_wait_that_is_told_there_is_one(void **state)
{
    (void)state;
    struct om_rates *rates;
    assert_int_equal(om_rates_new(PER_S, PER_S / 10, &rates), OM_OK);
    double now_s = 5;
    for (int i = 0; i < 1000; i++) {
        const double wait_s =
            om_rates_take(rates, 1 + (uint64_t)(i % 3), now_s);
        if (wait_s == 0) continue;
        assert_true(wait_s <= 10 / PER_S + 1e-9);
        now_s += wait_s + 1e-9;
        assert_true(om_rates_take(rates, 1 + (uint64_t)(i % 3), now_s) == 0);
    }
    // A clock that goes back gives nothing and takes nothing.
    while (om_rates_take(rates, 1, now_s) == 0) continue;
    assert_true(om_rates_take(rates, 1, now_s - 1000) > 0);
    om_rates_free(rates);
}

static void others_have_buckets_of_their_own(void **state)
{
    (void)state;
    struct om_rates *rates;
    assert_int_equal(om_rates_new(0, 1, &rates), OM_OK);
    for (int i = 0; i < 1000; i++) {
        (void)om_rates_take(rates, 12345, 1 + i * 0.001);
        // More clients than there is room for: each is let in.
        assert_true(om_rates_take(rates, (uint64_t)i * 1024 + 1, 1 + i * 10) ==
                    0);
    }
    om_rates_set(rates, 0, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(om_rates_take(rates, 12345, 2) == 0);
    om_rates_free(rates);
}

static void fault_of_memory_is_told(void **state)
{
    (void)state;
    struct om_rates *rates = NULL;
    om_alloc_fail_after(1, false);
    assert_int_equal(om_rates_new(1, 1, &rates), OM_E_MEMORY);
    om_alloc_fail_after(0, false);
    om_rates_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_than_a_burst_and_the_rate),
        cmocka_unit_test(never_more_when_many_are_taken_at_once),
        cmocka_unit_test(after_the_wait_that_is_told_there_is_one),
        cmocka_unit_test(others_have_buckets_of_their_own),
        cmocka_unit_test(fault_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
