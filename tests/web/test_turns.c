/* Requests that wait: whose turn it is.
 *
 * Plan
 *   order_*   equals as they came; a newcomer before the second of another
 *   never_*   the heavy and the last of many get their turn
 *   weed_*    those who left go elsewhere, the others keep their order
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/server/turns.h"

#define MANY 60

static struct om__request pool[4 * MANY];

static struct om__request *make(size_t i, uint64_t client, double weight)
{
    memset(&pool[i], 0, sizeof pool[i]);
    pool[i].client = client;
    pool[i].weight = weight;
    return &pool[i];
}

static void order_of_one_asker_is_that_of_coming(void **state)
{
    (void)state;
    for (uint64_t client = 0; client < 2; client++) {
        struct om__turns turns = {0};
        for (size_t i = 0; i < MANY; i++) {
            om__turns_add(&turns, make(i, client, 0));
            if (i % 3 == 2)
                assert_ptr_equal(om__turns_take(&turns), &pool[i / 3]);
        }
        for (size_t i = MANY / 3; i < MANY; i++)
            assert_ptr_equal(om__turns_take(&turns), &pool[i]);
        assert_null(om__turns_take(&turns));
        assert_int_equal(turns.waiting, 0);
    }
}

static void order_puts_a_newcomer_behind_one_of_a_greedy_asker(void **state)
{
    (void)state;
    struct om__turns turns = {0};
    for (size_t i = 0; i < MANY; i++) om__turns_add(&turns, make(i, 7, 0));
    for (size_t i = 0; i < 5; i++) (void)om__turns_take(&turns);
    om__turns_add(&turns, make(MANY, 8, 0));
    om__turns_add(&turns, make(MANY + 1, 8, 0));
    assert_int_equal(om__turns_of(&turns, 7), MANY - 5);
    assert_int_equal(om__turns_of(&turns, 8), 2);
    static const size_t ORDER[] = {5, MANY, 6, MANY + 1, 7, 8};
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++)
        assert_ptr_equal(om__turns_take(&turns), &pool[ORDER[i]]);
}

static void order_of_strangers_puts_the_light_before_the_heavy(void **state)
{
    (void)state;
    struct om__turns turns = {0};
    for (size_t i = 0; i < 6; i++) om__turns_add(&turns, make(i, 0, 64));
    om__turns_add(&turns, make(6, 0, 0));
    om__turns_add(&turns, make(7, 0, 2));
    static const size_t ORDER[] = {6, 7, 0, 1, 2, 3, 4, 5};
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++)
        assert_ptr_equal(om__turns_take(&turns), &pool[ORDER[i]]);
}

/* Light ones keep coming, one whenever one is taken. */
static void never_is_the_heavy_forgotten(void **state)
{
    (void)state;
    struct om__turns turns = {0};
    om__turns_add(&turns, make(0, 9, 64));
    om__turns_add(&turns, make(1, 0, 0));
    size_t taken = 0;
    for (struct om__request *r; (r = om__turns_take(&turns)) != &pool[0];
         taken++) {
        assert_true(taken < 64);
        om__turns_add(&turns, make(1 + (taken + 1) % 2, 0, 0));
    }
    assert_in_range(taken, 32, 64);
}

static bool is_odd(const struct om__request *r)
{
    return (r - pool) % 2;
}

static void weed_leaves_the_others_in_order(void **state)
{
    (void)state;
    struct om__turns turns = {0}, gone = {0};
    for (size_t i = 0; i < MANY; i++) om__turns_add(&turns, make(i, 7, 0));
    om__turns_weed(&turns, is_odd, &gone);
    assert_int_equal(turns.waiting, MANY / 2);
    assert_int_equal(gone.waiting, MANY / 2);
    for (size_t i = 0; i < MANY; i += 2) {
        assert_ptr_equal(om__turns_take(&turns), &pool[i]);
        assert_ptr_equal(om__turns_take(&gone), &pool[i + 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_one_asker_is_that_of_coming),
        cmocka_unit_test(order_puts_a_newcomer_behind_one_of_a_greedy_asker),
        cmocka_unit_test(order_of_strangers_puts_the_light_before_the_heavy),
        cmocka_unit_test(never_is_the_heavy_forgotten),
        cmocka_unit_test(weed_leaves_the_others_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
