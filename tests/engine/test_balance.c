// test_balance.c - Gini and max over mean, against closed forms and R.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "engine/coverage/balance.h"
#include "tests/engine/mesh.h"

/* Plan
 *   closed_*   what can be worked out by hand
 *   law_*      order, scale and copies change nothing
 *   golden_*   tests/golden/balance.txt, from R
 *   fault_*    what is no burden; failing allocations
 */

static struct om_balance balance(const double *x, size_t n)
{
    struct om_balance b;
    assert_int_equal(om_balance_of(x, n, &b), OM_OK);
    return b;
}

static void near(double got, double wanted)
{
    if (fabs(got - wanted) <= 1e-12 * (1 + fabs(wanted))) return;
    print_error("%.17g is not %.17g\n", got, wanted);
    fail();
}

static void closed_forms(void **state)
{
    (void)state;
    const double same[] = {4, 4, 4}, one[] = {0, 0, 0, 0, 5};
    struct om_balance b = balance(same, 3);
    near(b.gini, 0);
    near(b.max_over_mean, 1);
    b = balance(one, 5);
    near(b.gini, 0.8);  // (n - 1) / n
    near(b.max_over_mean, 5);
    assert_int_equal(b.most, 4);
    assert_int_equal(b.least, 0);
    // 1 .. n: (n - 1 / n) / (3 n + 3) = (n - 1) / (3 n)
    double rising[1000];
    for (int i = 0; i < 1000; i++) rising[i] = i + 1;
    b = balance(rising, 1000);
    near(b.gini, 999.0 / 3000.0);
    near(b.mean, 500.5);
}

static void closed_nothing_and_zeros(void **state)
{
    (void)state;
    const double zeros[3] = {0};
    struct om_balance b = balance(NULL, 0);
    assert_true(isnan(b.gini) && isnan(b.mean) && b.n == 0);
    b = balance(zeros, 3);
    assert_true(isnan(b.gini) && isnan(b.max_over_mean));
    near(b.mean, 0);
    b = balance((const double[]){9}, 1);
    near(b.gini, 0);
}

static void law_order_scale_and_copies(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 50; round++) {
        double x[64], y[64], z[128];
        const size_t n = 1 + mesh_random(&seed) % 64;
        for (size_t i = 0; i < n; i++) x[i] = mesh_between(&seed, 0, 100);
        for (size_t i = 0; i < n; i++) {
            y[i] = 7 * x[n - 1 - i];
            z[2 * i] = z[2 * i + 1] = x[i];
        }
        const struct om_balance b = balance(x, n);
        near(balance(y, n).gini, b.gini);
        near(balance(z, 2 * n).gini, b.gini);
        near(balance(y, n).max_over_mean, b.max_over_mean);
        assert_true(b.gini >= 0 && b.gini < 1);
    }
}

static void golden_of_r(void **state)
{
    (void)state;
    char line[8192];
    double x[200];
    size_t n = 0, checked = 0;
    FILE *file = fopen("tests/golden/balance.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        const bool expect = !strncmp(line, "expect ", 7);
        double want[3];
        if (line[0] == '#') continue;
        size_t k = 0;
        char *at = strchr(line, ' ');
        double *into = expect ? want : x;
        for (char *next; k < 200; at = next) {
            const double v = strtod(at, &next);
            if (next == at) break;
            into[k++] = v;
        }
        if (!expect) {
            n = k;
            continue;
        }
        const struct om_balance b = balance(x, n);
        near(b.gini, want[0]);
        near(b.max_over_mean, want[1]);
        near(b.mean, want[2]);
        checked++;
    }
    fclose(file);
    assert_int_equal(checked, 8);
}

static void fault_what_is_no_burden(void **state)
{
    (void)state;
    struct om_balance b;
    assert_int_equal(om_balance_of((const double[]){1, -1}, 2, &b), OM_E_RANGE);
    assert_int_equal(om_balance_of((const double[]){1, NAN}, 2, &b),
                     OM_E_RANGE);
    assert_int_equal(om_balance_of((const double[]){INFINITY}, 1, &b),
                     OM_E_RANGE);
    om_alloc_fail_after(1, false);
    assert_int_equal(om_balance_of((const double[]){1}, 1, &b), OM_E_MEMORY);
    om_alloc_fail_after(0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(closed_nothing_and_zeros),
        cmocka_unit_test(law_order_scale_and_copies),
        cmocka_unit_test(golden_of_r),
        cmocka_unit_test(fault_what_is_no_burden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
