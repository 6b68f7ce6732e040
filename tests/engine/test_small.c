/* Counts that are too small.
 *
 * Plan
 *   family_*   by going through all choices: what is hidden is safe, nothing is
 *              hidden without need, zeros and what is large enough stay
 *   level_*    a hidden family hides its members; families are apart
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/policy/small.h"

#define LEAST 10

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Whoever knows the sum and what is told: how many are hidden, and of how many
 * in all; 0 of nothing is safe. */
static bool safe(const uint64_t *count, const bool *hidden, size_t n)
{
    uint64_t sum = 0;
    size_t some = 0;
    for (size_t i = 0; i < n; i++)
        if (hidden[i] && count[i]) sum += count[i], some++;
    return !some || (some > 1 && sum >= LEAST);
}

static void family_is_safe_and_no_more(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        uint64_t count[6];
        bool hidden[6] = {false};
        const size_t n = 1 + next(&seed) % 6;
        size_t small = 0, shown = 0, large = 0;
        for (size_t i = 0; i < n; i++) {
            count[i] = next(&seed) % 3 ? next(&seed) % 25 : 0;
            small += count[i] && count[i] < LEAST;
        }
        om_small_hide(count, n, LEAST, hidden);
        for (size_t i = 0; i < n; i++) {
            if (count[i] && count[i] < LEAST) assert_true(hidden[i]);
            if (!count[i]) assert_false(hidden[i]);
            if (!small) assert_false(hidden[i]);
            shown += !hidden[i] && count[i];
            large += count[i] >= LEAST && hidden[i];
        }
        // All are hidden, or those that are cannot be told from the sum.
        assert_true(!shown || safe(count, hidden, n));
        // Of the large ones the smallest were taken, and each was needed.
        for (size_t i = 0; i < n && large; i++) {
            if (!hidden[i] || count[i] < LEAST) continue;
            for (size_t k = 0; k < n; k++)
                if (!hidden[k] && count[k]) assert_true(count[k] >= count[i]);
        }
    }
}

static void level_follows_the_one_above(void **state)
{
    (void)state;
    const uint64_t count[] = {30, 4, 12, 11, 50, 60, 3, 20};
    const uint32_t of[] = {0, 0, 0, 1, 1, 2, 9, 9};
    const bool upper[] = {false, false, true};
    const bool want[] = {false, true, true, false, false, true, true, true};
    bool hidden[8] = {false};
    om_small_hide_level(count, of, 8, upper, 3, LEAST, hidden);
    assert_memory_equal(hidden, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(family_is_safe_and_no_more),
        cmocka_unit_test(level_follows_the_one_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
