/* Writes that wait for the committer.
 *
 * Plan
 *   order_*  any arrivals and departures: each write leaves once, those of many
 *            rows in their order and those of few in theirs
 *   few_*    who has few rows waits for one group of many at most
 *   many_*   a group of many rows is bounded, and has every second turn
 *   paused_* only those of few rows go, and what the others took is counted
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/live/live_internal.h"

#define WRITES 4000

static uint64_t state_of_dice = 7;
static uint32_t dice(uint32_t sides)
{
    state_of_dice = state_of_dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state_of_dice >> 33) % sides;
}

static struct om_batch batch[WRITES];
static struct om_write all[WRITES];

static void make(size_t i, size_t rows)
{
    batch[i] = (struct om_batch){.rows = rows};
    all[i] = (struct om_write){.batch = &batch[i]};
}

static size_t rows_of(const struct om_write *list)
{
    size_t rows = 0;
    for (; list; list = list->next) rows += list->batch->rows;
    return rows;
}

static bool has_many(const struct om_write *list)
{
    for (; list; list = list->next)
        if (list->batch->rows > 1) return true;
    return false;
}

static void order_is_kept(void **state)
{
    (void)state;
    struct om__queue queue = {0};
    bool gone[WRITES] = {false};
    size_t in = 0, out = 0, last_few = 0, last_many = 0;
    for (size_t i = 0; i < WRITES; i++)
        make(i, dice(3) ? 1 : 65 + dice(dice(2) ? 2000 : 60000));
    while (out < WRITES) {
        for (size_t n = dice(12); n > 0 && in < WRITES; n--)
            om__queue_add(&queue, &all[in++]);
        const size_t waiting = om__queue_writes(&queue);
        assert_int_equal(waiting, in - out);
        size_t writes = 0, found = 0;
        struct om_write *group = om__queue_take(&queue, &writes);
        assert_int_equal(!group, !waiting);
        for (struct om_write *w = group; w; w = w->next, found++) {
            const size_t i = (size_t)(w - all);
            size_t *last = w->batch->rows == 1 ? &last_few : &last_many;
            assert_false(gone[i]);
            assert_true(i >= *last);
            gone[i] = true;
            *last = i;
        }
        assert_int_equal(found, writes);
        out += found;
        assert_int_equal(om__queue_writes(&queue), in - out);
    }
    assert_int_equal(om__queue_rows(&queue), 0);
}

static void few_wait_for_one_group_of_many(void **state)
{
    (void)state;
    struct om__queue queue = {0};
    size_t in = 0, writes;
    for (int i = 0; i < 20; i++, in++) {
        make(in, 2000);
        om__queue_add(&queue, &all[in]);
    }
    for (int round = 0; round < 10; round++) {
        struct om_write *group = om__queue_take(&queue, &writes);
        assert_true(has_many(group));
        // These come while that group is written.
        for (int i = 0; i < 5; i++, in++) {
            make(in, 1);
            om__queue_add(&queue, &all[in]);
        }
        assert_true(om__queue_is_pressing(&queue));
        assert_true(om__queue_is_full(&queue));  // so nobody waits for more
        group = om__queue_take(&queue, &writes);
        assert_false(has_many(group));
        assert_int_equal(writes, 5);
        assert_false(om__queue_is_pressing(&queue));
    }
}

static void many_are_bounded_and_not_starved(void **state)
{
    (void)state;
    struct om__queue queue = {0};
    size_t in = 0, writes, with_many = 0, groups = 0, most = 0;
    for (int i = 0; i < 100; i++, in++) {
        make(in, 1000);
        om__queue_add(&queue, &all[in]);
    }
    make(in, 60000);
    om__queue_add(&queue, &all[in++]);
    while (om__queue_rows(&queue) > 60000 + 3) {
        for (int i = 0; i < 3; i++, in++) {
            make(in, 1);
            om__queue_add(&queue, &all[in]);
        }
        struct om_write *group = om__queue_take(&queue, &writes);
        const size_t rows = rows_of(group);
        if (rows > most && rows < 60000) most = rows;
        with_many += has_many(group);
        groups++;
    }
    assert_true(most >= 1000 && most <= 4000);
    assert_true(2 * with_many >= groups);
    // The large one goes alone.
    struct om_write *group = NULL;
    do group = om__queue_take(&queue, &writes);
    while (group && rows_of(group) < 60000);
    assert_non_null(group);
    assert_int_equal(writes, 1);
}

static void paused_lets_few_go_and_counts_many(void **state)
{
    (void)state;
    struct om__queue queue = {0};
    size_t in = 0, writes, rows = 0;
    for (int i = 0; i < 30; i++, in++) {
        make(in, i % 3 ? 1 : 500);
        om__queue_add(&queue, &all[in]);
    }
    queue.paused = true;
    assert_int_equal(om__queue_ready(&queue), 20);
    assert_false(om__queue_is_full(&queue));  // of what goes there may be more
    struct om_write *group = om__queue_take(&queue, &writes);
    assert_int_equal(writes, 20);
    assert_int_equal(rows_of(group), 20);
    assert_int_equal(om__queue_ready(&queue), 0);
    assert_null(om__queue_take(&queue, &writes));
    assert_int_equal(om__queue_many_taken(&queue), 0);
    assert_int_equal(om__queue_rows(&queue), 5000);
    queue.paused = false;
    assert_int_equal(om__queue_ready(&queue), 10);
    while ((group = om__queue_take(&queue, &writes))) {
        rows += rows_of(group);
        assert_int_equal(om__queue_many_taken(&queue), rows_of(group));
    }
    assert_int_equal(rows, 5000);
    assert_int_equal(om__queue_many_taken(&queue), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(few_wait_for_one_group_of_many),
        cmocka_unit_test(many_are_bounded_and_not_starved),
        cmocka_unit_test(paused_lets_few_go_and_counts_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
