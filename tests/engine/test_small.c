/* Counts that are too small.
 *
 * Plan
 *   family_*   by going through all choices: what is hidden is safe, nothing is
 *              hidden without need, zeros and what is large enough stay
 *   level_*    a hidden family hides its members; families are apart
 *   sums_*     rows that are there and make nothing are hidden, too
 *   valued_*   with a second sum, of value x count: by going through all counts
 *              that both sums allow, each hidden one could be another
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
    om_small_hide_level(count, NULL, of, 8, upper, 3, LEAST, hidden);
    assert_memory_equal(hidden, want, sizeof want);
}

/* Sums: rows that make nothing are somebody's. */
static void sums_of_nothing_are_hidden_and_safe(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 20000; round++) {
        uint64_t rows[6], made[6], sum = 0;
        bool hidden[6] = {false};
        const size_t n = 1 + next(&seed) % 6;
        size_t shown = 0, away = 0;
        for (size_t i = 0; i < n; i++) {
            rows[i] = next(&seed) % 3 ? next(&seed) % 40 : 0;
            made[i] = rows[i] && next(&seed) % 2 ? next(&seed) % rows[i] : 0;
        }
        om_small_hide_level(made, rows, NULL, n, NULL, 0, LEAST, hidden);
        for (size_t i = 0; i < n; i++) {
            if (rows[i] && made[i] < LEAST) assert_true(hidden[i]);
            if (!rows[i]) assert_false(hidden[i]);
            shown += rows[i] && !hidden[i];
            away += rows[i] && hidden[i];
            sum += hidden[i] ? made[i] : 0;
        }
        assert_true(!shown || !away || (away > 1 && sum >= LEAST));
    }
}

/* All that whoever knows values, both sums and who is few takes for possible.
 */
struct guess {
    uint64_t count[4];  // that are hidden, as they are
    double value[4];
    size_t n;
    uint64_t trial[4];
    bool other[4];  // could be another
};

static void try_all(struct guess *g, size_t at, double rest, double sum)
{
    if (at >= 4 || at == g->n) {
        if (rest != 0 || sum != 0) return;
        for (size_t i = 0; i < g->n; i++)
            g->other[i] = g->other[i] || g->trial[i] != g->count[i];
        return;
    }
    const bool few = g->count[at] < LEAST;
    for (uint64_t c = few ? 1 : LEAST; c <= (few ? LEAST - 1 : 80); c++) {
        if ((double)c > rest) break;
        g->trial[at] = c;
        try_all(g, at + 1, rest - (double)c, sum - (double)c * g->value[at]);
    }
}

static void valued_cannot_be_solved(void **state)
{
    (void)state;
    uint64_t seed = 11;
    size_t open_rounds = 0;
    for (int round = 0; round < 3000; round++) {
        uint64_t count[7];
        double value[7], at = 0;
        bool hidden[7] = {false};
        const size_t n = 1 + next(&seed) % 7;
        size_t small = 0;
        for (size_t i = 0; i < n; i++) {
            at += 1 + (double)(next(&seed) % 3);
            value[i] = at;
            count[i] = next(&seed) % 4 ? 1 + next(&seed) % 35 : 0;
            small += count[i] && count[i] < LEAST;
        }
        const bool open = om_small_hide_valued(count, value, n, LEAST, hidden);
        struct guess g = {0};
        double rest = 0, sum = 0;
        for (size_t i = 0; i < n; i++) {
            if (count[i] && count[i] < LEAST) assert_true(hidden[i]);
            if (!small) assert_false(hidden[i]);
            if (!hidden[i] || !count[i] || g.n == 4) continue;
            g.count[g.n] = count[i];
            g.value[g.n++] = value[i];
            rest += (double)count[i];
            sum += (double)count[i] * value[i];
        }
        if (!open || g.n == 4) continue;
        try_all(&g, 0, rest, sum);
        for (size_t i = 0; i < g.n; i++) assert_true(g.other[i]);
        open_rounds += g.n > 0;
    }
    assert_true(open_rounds > 100);
    // Two that are few, known by count and by sum: 3 of 4 and 5 of 7.
    const uint64_t two[] = {3, 5, 20, 30, 40};
    const double of[] = {4, 7, 1, 2, 3};
    bool hidden[5] = {false};
    assert_true(om_small_hide_valued(two, of, 5, LEAST, hidden));
    assert_true(hidden[0] && hidden[1] && hidden[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(family_is_safe_and_no_more),
        cmocka_unit_test(level_follows_the_one_above),
        cmocka_unit_test(sums_of_nothing_are_hidden_and_safe),
        cmocka_unit_test(valued_cannot_be_solved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
