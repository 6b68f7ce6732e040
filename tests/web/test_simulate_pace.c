// What a register has come to, as the pace of a city that goes on.
//
// Plan
//   shape_*  shares never fall with age, a later step is never ahead of an
//            earlier one, an age and its share are each other's inverse
//   oracle_* of waits that are known, shares are as they must be; whoever draws
//            by them makes the register again
//   empty    no rows, few rows
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/cli/simulate_pace.h"

#define ROWS 200000
#define STEPS 3
#define DAY_S 86400.0
#define REACH_S (100 * DAY_S)
/* Of all rows, those that make no last step. */
#define NEVER 0.1

static uint64_t dice = 1;

static double chance(void)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return ((double)(dice >> 11) + 0.5) * 0x1p-53;
}

/* Step k is made after a mean of a tenth of a day, a day, ten days. */
static double truth(size_t k, double age_s)
{
    const double share = 1 - exp(-age_s / (0.1 * pow(10, (double)k) * DAY_S));
    return k + 1 < STEPS ? share : (1 - NEVER) * share;
}

static void fill(struct om__pace *pace)
{
    pace->steps = STEPS;
    for (int i = 0; i < ROWS; i++) {
        // The young ones are many, as bins are where they are.
        const double age_s = REACH_S * pow(chance(), 3), stands = chance();
        size_t made = 0;
        while (made < STEPS && stands <= truth(made, age_s)) made++;
        om__pace_add(pace, (int64_t)age_s, made);
    }
    om__pace_fit(pace);
}

static void shape_is_monotone_and_inverse(void **unused)
{
    static struct om__pace pace;
    (void)unused;
    pace = (struct om__pace){0};
    fill(&pace);
    double before[STEPS] = {0};
    for (double age_s = 60; age_s < REACH_S; age_s *= 1.07)
        for (size_t k = 0; k < STEPS; k++) {
            const double share = om__pace_share(&pace, k, age_s);
            assert_true(share >= before[k] && share <= 1);
            if (k) assert_true(share <= om__pace_share(&pace, k - 1, age_s));
            before[k] = share;
            const double again_s = om__pace_age(&pace, k, share);
            const double back = om__pace_share(&pace, k, again_s);
            assert_true(fabs(back - share) < 1e-9);
        }
    assert_true(isinf(om__pace_age(&pace, STEPS - 1, 1 - NEVER / 4)));
}

static void oracle_known_waits(void **unused)
{
    static struct om__pace pace;
    (void)unused;
    pace = (struct om__pace){0};
    fill(&pace);
    for (double age_s = DAY_S; age_s < REACH_S; age_s *= 1.3)
        for (size_t k = 0; k < STEPS; k++)
            assert_true(
                fabs(om__pace_share(&pace, k, age_s) - truth(k, age_s)) < 0.05);
}

static void oracle_draws_make_the_register_again(void **unused)
{
    static struct om__pace pace;
    const double at_s[] = {DAY_S, 5 * DAY_S, 20 * DAY_S, 60 * DAY_S};
    size_t made[4][STEPS] = {{0}};
    (void)unused;
    pace = (struct om__pace){0};
    fill(&pace);
    for (int i = 0; i < ROWS; i++) {
        const double stands = chance();
        double before_s = 0;
        for (size_t k = 0; k < STEPS; k++) {
            const double age_s = om__pace_age(&pace, k, stands);
            assert_true(age_s >= before_s);
            before_s = age_s;
            for (size_t a = 0; a < 4; a++) made[a][k] += age_s <= at_s[a];
        }
    }
    for (size_t a = 0; a < 4; a++)
        for (size_t k = 0; k < STEPS; k++)
            assert_true(fabs((double)made[a][k] / ROWS -
                             om__pace_share(&pace, k, at_s[a])) < 0.015);
}

static void empty_and_few(void **unused)
{
    static struct om__pace pace;
    (void)unused;
    pace = (struct om__pace){.steps = 1};
    om__pace_fit(&pace);
    assert_true(om__pace_share(&pace, 0, DAY_S) == 0);
    assert_true(isinf(om__pace_age(&pace, 0, 0.5)));
    pace = (struct om__pace){.steps = 1};
    om__pace_add(&pace, 0, 1);
    om__pace_add(&pace, (int64_t)REACH_S, 1);
    om__pace_add(&pace, INT64_MAX, 0);
    om__pace_fit(&pace);
    const double share = om__pace_share(&pace, 0, 1e19);
    assert_true(share > 0.6 && share < 0.7);
    assert_true(isfinite(om__pace_age(&pace, 0, share)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_is_monotone_and_inverse),
        cmocka_unit_test(oracle_known_waits),
        cmocka_unit_test(oracle_draws_make_the_register_again),
        cmocka_unit_test(empty_and_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
