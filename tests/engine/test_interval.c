/* Intervals of shares and counts.
 *
 * Plan
 *   share_brute   Wilson's ends are where the score test's p is 5 %, found by
 *                 walking over all shares
 *   share_ends    nothing, none of some, all of some
 *   count_brute   a Poisson of the ends has 2.5 % at and beyond the count,
 *                 summed in logarithms, from 0 to some thousands
 *   count_grows   ends rise with the count, also where the formula changes
 */
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/stat/interval.h"

/* P(X <= count) of a Poisson, term by term in logarithms. */
static double at_most(uint64_t count, double mean)
{
    double sum = 0;
    for (uint64_t k = 0; k <= count; k++)
        sum += exp((double)k * log(mean) - mean - lgamma((double)k + 1));
    return sum;
}

static void share_brute(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 60; n += 1 + n / 7)
        for (uint64_t k = 0; k <= n; k++) {
            const double share = (double)k / (double)n;
            double low = 1, high = 0;
            for (int i = 0; i <= 100000; i++) {
                const double p = i / 100000.0;
                const double se = sqrt(p * (1 - p) / (double)n);
                if (fabs(share - p) > 1.959963984540054 * se + 1e-12) continue;
                low = fmin(low, p);
                high = fmax(high, p);
            }
            const struct om_bounds got = om_interval_share(k, n);
            assert_true(fabs(got.low - low) < 2e-5);
            assert_true(fabs(got.high - high) < 2e-5);
            assert_true(got.low <= share && share <= got.high);
        }
}

static void share_ends(void **state)
{
    (void)state;
    assert_true(isnan(om_interval_share(0, 0).low));
    assert_true(isnan(om_interval_share(2, 1).high));
    assert_true(om_interval_share(0, 1000).low == 0);
    assert_true(om_interval_share(1000, 1000).high == 1);
    assert_true(om_interval_share(0, 1000).high > 0);
}

static void count_brute(void **state)
{
    (void)state;
    assert_true(om_interval_count(0).low == 0);
    for (uint64_t n = 0; n < 4000; n += 1 + n / 9) {
        const struct om_bounds got = om_interval_count(n);
        // Byar's is an approximation: its tails are not quite 2.5 %.
        const double slack = n > 64 ? 4e-4 : 1e-9;
        assert_true(fabs(at_most(n, got.high) - 0.025) < slack);
        if (n) assert_true(fabs(1 - at_most(n - 1, got.low) - 0.025) < slack);
    }
}

static void count_grows(void **state)
{
    (void)state;
    struct om_bounds before = om_interval_count(0);
    for (uint64_t n = 1; n < 200; n++) {
        const struct om_bounds now = om_interval_count(n);
        assert_true(now.low > before.low && now.high > before.high);
        assert_true(now.low < (double)n && now.high > (double)n);
        before = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_brute),
        cmocka_unit_test(share_ends),
        cmocka_unit_test(count_brute),
        cmocka_unit_test(count_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
