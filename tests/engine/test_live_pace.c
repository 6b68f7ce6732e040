/* Writers and compaction in step.
 *
 * Plan
 *   pause_*    who writes many rows waits the longer the more there are, and
 *              never below 50,000 rows a second
 *   starved_*  a compaction that gets no core is done all the same: once it is
 *              urgent, and else once it should have been done
 *   rushed_*   a layer that was written anew less often is as any other later
 */
#include "tests/engine/live_writer.h"

#include <stdatomic.h>

#include "data/base/cancel.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"

/* Longer than anything here takes on any machine. */
#define LONGEST_S 300.0

static void pause_grows_to_fifty_thousand_rows_a_second(void **state)
{
    (void)state;
    const size_t compact_rows = 1000, rows = 700;
    double before_s = 0;
    for (uint64_t n = 0; n < 100 * compact_rows; n += 37) {
        const double s = om__live_pause_s(n, compact_rows, rows);
        assert_true(s >= before_s);
        assert_true(s * 50000 <= (double)rows * 1.000001);
        // As long as compaction keeps up, nobody waits.
        if (om__live_pause_s(n, compact_rows, 1) > 0)
            assert_true(n > 4 * compact_rows);
        before_s = s;
    }
    assert_true(before_s * 50000 >= (double)rows * 0.999999);
}

/* ---- a city ---- */

static struct fixture f;

static void begin_city(size_t rows, size_t compact_rows)
{
    const struct om_live_options options = {.compact_rows = compact_rows};
    live_city(folder, rows);
    f = begin(&options);
}

static void end_and_verify(void)
{
    end(&f);
    assert_int_equal(om_city_open(folder, &f.city, NULL), OM_OK);
    struct om_snapshot *s = om_city_snapshot(f.city);
    assert_int_equal(om_snapshot_verify(s, live_no_fault, NULL), OM_OK);
    om_snapshot_unref(s);
    om_city_close(f.city);
    om__live_die = NULL;
}

/* Rows r<first> ... of "spot", n = their number. */
static void write_rows(size_t first, size_t upto)
{
    struct live_batch b = {0};
    char id[32];
    for (size_t i = first; i < upto; i++) {
        snprintf(id, sizeof id, "r%zu", i);
        live_row(&b, id, (uint32_t)(i * 7907 % LIVE_SPAN),
                 (uint32_t)(i * 104723 % LIVE_SPAN), (int64_t)i);
    }
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_INSERT, .batch = live_batch(&b)};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    live_batch_free(&b);
}

static void wait_for_compactions(uint64_t count)
{
    const double until_s = om_seconds() + LONGEST_S;
    while (om_live_stats(f.live).compactions < count) {
        if (om_seconds() > until_s)
            fail_msg("%d of %d compactions",
                     (int)om_live_stats(f.live).compactions, (int)count);
        usleep(1000);
    }
}

static size_t files_of_spot(void)
{
    struct om_snapshot *s = om_city_snapshot(f.city);
    const size_t files = om_snapshot_layer(s, "spot")->meta->parts;
    om_snapshot_unref(s);
    return files;
}

static void assert_rows(size_t base, size_t written)
{
    struct om_snapshot *s = om_city_snapshot(f.city);
    uint64_t rows;
    int64_t sum;
    live_sum(s, "spot", &rows, &sum);
    assert_int_equal(rows, base + written);
    assert_int_equal(sum, (base * (base - 1) + written * (written - 1)) / 2);
    om_snapshot_unref(s);
}

/* ---- no core to be had ---- */

static atomic_bool waiting;
static atomic_int patient;

/* As if others had all cores: the one that works nicely does not come to it. */
static void get_no_core(const char *step)
{
    if (strcmp(step, "patient")) return;
    atomic_fetch_add(&patient, 1);
    atomic_store(&waiting, true);
    while (!om_cancelled()) usleep(500);
    atomic_store(&waiting, false);
}

static void wait_until_waiting(void)
{
    const double until_s = om_seconds() + LONGEST_S;
    while (!atomic_load(&waiting)) {
        if (om_seconds() > until_s) fail_msg("no compaction began");
        usleep(1000);
    }
}

static void starved_and_urgent_is_done_all_the_same(void **state)
{
    (void)state;
    om__live_die = get_no_core;
    begin_city(1000, 2000);
    write_rows(0, 2000);
    wait_until_waiting();
    assert_false(om__live_is_urgent(f.live));
    write_rows(2000, 9000);
    assert_true(om__live_is_urgent(f.live) ||
                om_live_stats(f.live).compactions > 0);
    wait_for_compactions(1);
    assert_rows(1000, 9000);
    end_and_verify();
}

static void starved_without_haste_is_done_all_the_same(void **state)
{
    (void)state;
    om__live_die = get_no_core;
    begin_city(1000, 200);
    write_rows(0, 300);
    wait_for_compactions(1);
    assert_int_equal(atomic_load(&patient) > 0, 1);
    assert_rows(1000, 300);
    assert_int_equal(files_of_spot(), 1);
    end_and_verify();
}

static void starved_gives_way_to_the_end(void **state)
{
    (void)state;
    om__live_die = get_no_core;
    begin_city(1000, 200);
    write_rows(0, 300);
    wait_until_waiting();
    end_and_verify();
}

static void rushed_layer_gets_one_file_when_there_is_time(void **state)
{
    (void)state;
    begin_city(1000, 100);
    // Urgent at once, and less than the layer has.
    write_rows(0, 450);
    wait_for_compactions(2);
    assert_int_equal(files_of_spot(), 1);
    assert_rows(1000, 450);
    end_and_verify();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pause_grows_to_fifty_thousand_rows_a_second),
        LIVE_TEST(starved_and_urgent_is_done_all_the_same),
        LIVE_TEST(starved_without_haste_is_done_all_the_same),
        LIVE_TEST(starved_gives_way_to_the_end),
        LIVE_TEST(rushed_layer_gets_one_file_when_there_is_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
