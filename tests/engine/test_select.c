/* Selections and their cache.
 *
 * Plan
 *   all_*     no condition, no bitmaps
 *   window_*  times are half open, rows without one are left out
 *   dead_*    rows that are gone are taken off, ranks and counts stay right
 *   cache_*   the same is computed once, also by threads at once; the least
 *             recently used goes first; who began it may leave
 *   fault_*   no allocation that fails leaves anything behind
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/cancel.h"
#include "data/base/thread.h"
#include "engine/filter/filter.h"
#include "filter_sample.h"

static struct sample sample;
static const struct om_window always = {0};

static struct om_filter *parse(const char *text)
{
    struct om_filter *filter;
    struct om_err err = {0};
    if (om_filter_parse(text, strlen(text), &sample.layer, 0, &filter, &err))
        fail_msg("%s: %s", text, err.text);
    return filter;
}

static struct om_selection *select_rows(struct om_selections *cache,
                                        const struct om_layer *layer,
                                        const struct om_filter *filter,
                                        struct om_window window)
{
    struct om_selection *s;
    assert_int_equal(om_select(cache, layer, filter, window, &s), OM_OK);
    return s;
}

static void check_counts(const struct om_selection *s)
{
    size_t before = 0;
    for (size_t i = 0; i < sample.rows; i++) {
        if (i % 61 == 0) {
            assert_int_equal(om_selection_count(s, 0, 0, i), before);
            const size_t to = i + 1000 < sample.rows ? i + 1000 : sample.rows;
            assert_int_equal(om_selection_count(s, 0, i, to),
                             om_selection_count(s, 0, 0, to) - before);
        }
        before += om_selection_has(s, 0, i);
    }
    assert_int_equal(om_selection_count(s, 0, 0, sample.rows), before);
    assert_int_equal(om_selection_count(s, 0, 5, 5), 0);
    assert_int_equal(s->count, before);
}

static void all_rows_need_no_bitmap(void **state)
{
    (void)state;
    struct om_filter *yes = parse("TRUE OR severity=1");
    const struct om_filter *filters[] = {NULL, yes};
    for (int i = 0; i < 2; i++) {
        struct om_selection *s =
            select_rows(NULL, &sample.layer, filters[i], always);
        assert_true(s->all);
        assert_null(s->part);
        assert_int_equal(s->count, sample.rows);
        assert_int_equal(om_selection_count(s, 0, 10, 30), 20);
        om_selection_unref(s);
    }
    om_filter_free(yes);
}

static void window_takes_its_start_and_not_its_end(void **state)
{
    (void)state;
    struct om_filter *filter = parse("kind='fire'");
    const int64_t mid = sample.row[5].integer[REPORTED];
    const struct om_window windows[] = {
        {true, INT64_MIN, INT64_MAX}, {true, mid, mid + 1},
        {true, mid - 1000000, mid},   {true, mid, INT64_MAX},
        {true, INT64_MIN, mid},       {true, mid, mid},
        {true, mid, mid - 1},         {true, INT64_MAX, INT64_MAX}};
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        for (int with = 0; with < 2; with++) {
            struct om_selection *s = select_rows(
                NULL, &sample.layer, with ? filter : NULL, windows[w]);
            for (size_t i = 0; i < sample.rows; i++) {
                const struct sample_row *r = &sample.row[i];
                const int64_t t = r->integer[REPORTED];
                bool in =
                    !r->null[REPORTED] && t >= windows[w].from_s &&
                    (t < windows[w].to_s || (windows[w].to_s == INT64_MAX &&
                                             windows[w].from_s < INT64_MAX));
                in &= !with || !strcmp(r->text[KIND], "fire");
                if (om_selection_has(s, 0, i) != in)
                    fail_msg("window %zu row %zu", w, i);
            }
            check_counts(s);
            om_selection_unref(s);
        }
    }
    om_filter_free(filter);
}

static void window_without_a_time_is_refused(void **state)
{
    (void)state;
    struct om_layer layer = sample.layer;
    layer.schema.time_field = OM_NO_FIELD;
    struct om_selection *s;
    assert_int_equal(
        om_select(NULL, &layer, NULL, (struct om_window){true, 0, 1}, &s),
        OM_E_NOTFOUND);
    assert_null(s);
}

/* The layer with every n-th row gone, and some at both ends. */
static struct om_layer layer_without(struct om_part *part, uint32_t *dead,
                                     size_t every)
{
    size_t n = 0;
    for (size_t i = 0; i < sample.rows; i++)
        if (i < 3 || i + 2 > sample.rows || i % every == 0)
            dead[n++] = (uint32_t)i;
    *part = (struct om_part){sample.segment, dead, n};
    struct om_layer layer = sample.layer;
    layer.part = part;
    layer.serial = sample.layer.serial * 1000 + every;
    layer.rows = sample.rows - n;
    return layer;
}

static bool is_dead(size_t i, size_t every)
{
    return i < 3 || i + 2 > sample.rows || i % every == 0;
}

static void dead_rows_are_taken_off(void **state)
{
    (void)state;
    uint32_t *dead = malloc(sample.rows * sizeof *dead);
    struct om_filter *filter = parse("severity<=4");
    for (size_t every = 1; every < 2000; every = every * 3 + 1) {
        struct om_part part;
        const struct om_layer layer = layer_without(&part, dead, every);
        for (int with = 0; with < 2; with++) {
            struct om_selection *s =
                select_rows(NULL, &layer, with ? filter : NULL, always);
            assert_false(s->all);
            for (size_t i = 0; i < sample.rows; i++) {
                const struct sample_row *r = &sample.row[i];
                const bool takes =
                    !with || (!r->null[SEVERITY] && r->integer[SEVERITY] <= 4);
                assert_int_equal(om_selection_has(s, 0, i),
                                 takes && !is_dead(i, every));
            }
            check_counts(s);
            om_selection_unref(s);
        }
    }
    om_filter_free(filter);
    free(dead);
}

static void dead_rows_leave_the_base_in_the_cache(void **state)
{
    (void)state;
    uint32_t *dead = malloc(sample.rows * sizeof *dead);
    struct om_selections *cache;
    struct om_filter *filter = parse("severity<=4");
    struct om_filter *other = parse("severity<=3");
    struct om_part part;
    const struct om_layer layer = layer_without(&part, dead, 10);
    assert_int_equal(om_selections_new((size_t)1 << 30, &cache), OM_OK);
    struct om_selection *before =
        select_rows(cache, &sample.layer, filter, always);
    struct om_selection *beside =
        select_rows(cache, &sample.layer, other, always);
    struct om_selection *after = select_rows(cache, &layer, filter, always);
    assert_ptr_not_equal(before, after);
    assert_true(after->serial != before->serial);
    assert_true(after->count < before->count);
    check_counts(before);
    check_counts(after);
    // The newest of either condition, and a base of each: nobody asks for what
    // was before.
    assert_int_equal(om_selections_stats(cache).entries, 4);
    // Who does all the same gets what he got, out of the base.
    struct om_selection *again =
        select_rows(cache, &sample.layer, filter, always);
    assert_int_equal(again->count, before->count);
    assert_ptr_equal(again->base[0].bitmap, before->base[0].bitmap);
    assert_int_equal(om_selections_stats(cache).entries, 4);
    struct om_selection *still =
        select_rows(cache, &sample.layer, other, always);
    assert_ptr_equal(still, beside);
    om_selection_unref(before);
    om_selection_unref(beside);
    om_selection_unref(after);
    om_selection_unref(again);
    om_selection_unref(still);
    om_selections_free(cache);
    om_filter_free(filter);
    om_filter_free(other);
    free(dead);
}

static void cache_does_not_grow_with_writes(void **state)
{
    (void)state;
    uint32_t *dead = malloc(sample.rows * sizeof *dead);
    struct om_selections *cache;
    struct om_filter *filter = parse("severity<=4");
    size_t bytes = 0;
    assert_int_equal(om_selections_new((size_t)1 << 30, &cache), OM_OK);
    for (size_t step = 10; step < 40; step++) {
        struct om_part part;
        const struct om_layer layer = layer_without(&part, dead, step);
        struct om_selection *s = select_rows(cache, &layer, filter, always);
        check_counts(s);
        om_selection_unref(s);
        const struct om_cache_stats stats = om_selections_stats(cache);
        assert_int_equal(stats.entries, 2);
        if (bytes) assert_int_equal(stats.bytes, bytes);
        bytes = stats.bytes;
    }
    om_selections_free(cache);
    om_filter_free(filter);
    free(dead);
}

static void parts_are_selected_one_by_one(void **state)
{
    (void)state;
    const uint32_t dead[] = {7};
    struct om_part part[3] = {{sample.segment, NULL, 0},
                              {sample.segment, dead, 1},
                              {sample.segment, NULL, 0}};
    struct om_layer layer = sample.layer;
    struct om_filter *filter = parse("kind IS NOT NULL");
    layer.parts = 3;
    layer.part = part;
    layer.serial = 77;
    struct om_selection *s = select_rows(NULL, &layer, filter, always);
    assert_int_equal(s->parts, 3);
    assert_int_equal(s->part[0].count, s->part[2].count);
    assert_int_equal(s->part[0].count - s->part[1].count,
                     !sample.row[7].null[KIND]);
    assert_int_equal(s->count,
                     s->part[0].count + s->part[1].count + s->part[2].count);
    om_selection_unref(s);
    om_filter_free(filter);
}

static void cache_computes_the_same_once(void **state)
{
    (void)state;
    struct om_selections *cache;
    struct om_filter *a = parse("kind='fire' AND severity=1");
    struct om_filter *b = parse("severity = 1.0 and NOT kind <> 'fire'");
    assert_int_equal(om_selections_new((size_t)1 << 30, &cache), OM_OK);
    struct om_selection *x = select_rows(cache, &sample.layer, a, always);
    struct om_selection *y = select_rows(cache, &sample.layer, b, always);
    assert_ptr_equal(x, y);
    struct om_selection *z =
        select_rows(cache, &sample.layer, a, (struct om_window){true, 0, 1});
    assert_ptr_not_equal(x, z);
    struct om_cache_stats stats = om_selections_stats(cache);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 2);
    assert_int_equal(stats.entries, 4);
    assert_true(stats.bytes > 2 * sample.rows / 8);
    om_selections_clear(cache);
    stats = om_selections_stats(cache);
    assert_int_equal(stats.entries, 0);
    assert_int_equal(stats.bytes, 0);
    check_counts(x);  // what was handed out stays
    om_selection_unref(x);
    om_selection_unref(y);
    om_selection_unref(z);
    om_selections_free(cache);
    om_filter_free(a);
    om_filter_free(b);
}

static void cache_forgets_the_least_recently_used(void **state)
{
    (void)state;
    struct om_selections *cache;
    struct om_filter *filter[10];
    assert_int_equal(om_selections_new(5 * (sample.rows / 8 + 2000), &cache),
                     OM_OK);
    for (int i = 0; i < 10; i++) {
        char text[40];
        snprintf(text, sizeof text, "severity=%d", i);
        filter[i] = parse(text);
    }
    for (int i = 0; i < 10; i++) {
        om_selection_unref(
            select_rows(cache, &sample.layer, filter[i], always));
        om_selection_unref(
            select_rows(cache, &sample.layer, filter[0], always));
        const struct om_cache_stats stats = om_selections_stats(cache);
        assert_true(stats.bytes <= 5 * (sample.rows / 8 + 2000));
    }
    // The first was used all the time, the second is long gone.
    assert_int_equal(om_selections_stats(cache).misses, 10);
    om_selection_unref(select_rows(cache, &sample.layer, filter[0], always));
    assert_int_equal(om_selections_stats(cache).misses, 10);
    om_selection_unref(select_rows(cache, &sample.layer, filter[1], always));
    assert_int_equal(om_selections_stats(cache).misses, 11);
    for (int i = 0; i < 10; i++) om_filter_free(filter[i]);
    om_selections_free(cache);
}

/* What is made of a base outlives the rows that die, and another filter or
 * the forgetting of it changes what it is called by as it should. */
static void dead_rows_are_in_the_base(void **state)
{
    (void)state;
    uint32_t *dead = malloc(sample.rows * sizeof *dead);
    struct om_selections *cache;
    struct om_filter *filter = parse("severity<=4"),
                     *other = parse("severity<4");
    struct om_part part;
    const struct om_layer layer = layer_without(&part, dead, 10);
    assert_int_equal(om_selections_new((size_t)1 << 30, &cache), OM_OK);
    struct om_selection *before =
        select_rows(cache, &sample.layer, filter, always);
    struct om_selection *after = select_rows(cache, &layer, filter, always);
    struct om_selection *apart = select_rows(cache, &layer, other, always);
    struct om_selection *alive = select_rows(cache, &layer, NULL, always);
    struct om_selection *all = select_rows(cache, &sample.layer, NULL, always);
    const uint64_t serial = om_selection_base_serial(before, 0);
    assert_true(serial != 0);
    assert_true(om_selection_base_serial(after, 0) == serial);
    assert_true(om_selection_base_serial(apart, 0) != serial);
    assert_true(alive->living && !alive->all && !before->living);
    assert_true(om_selection_base_serial(alive, 0) == 0);
    assert_true(om_selection_base_serial(all, 0) == 0);
    for (size_t i = 0; i < sample.rows; i++) {
        assert_int_equal(om_selection_base_has(after, 0, i),
                         om_selection_has(before, 0, i));
        assert_int_equal(om_selection_has(after, 0, i),
                         om_selection_has(before, 0, i) && !is_dead(i, 10));
        assert_true(om_selection_base_has(alive, 0, i));
        assert_int_equal(om_selection_has(alive, 0, i), !is_dead(i, 10));
    }
    om_selection_unref(before);
    om_selections_clear(cache);
    before = select_rows(cache, &sample.layer, filter, always);
    assert_true(om_selection_base_serial(before, 0) == serial);
    om_selection_unref(before);
    om_selection_unref(after);
    om_selection_unref(apart);
    om_selection_unref(alive);
    om_selection_unref(all);
    om_selections_free(cache);
    om_filter_free(filter);
    om_filter_free(other);
    free(dead);
}

static void cache_of_small_things_has_an_end(void **state)
{
    (void)state;
    struct om_selections *cache;
    assert_int_equal(om_selections_new((size_t)1 << 40, &cache), OM_OK);
    for (int i = 0; i < 6000; i++) {
        char text[60];
        snprintf(text, sizeof text, "severity=%d", i);
        struct om_filter *filter = parse(text);
        // No rows: entries of a few bytes.
        struct om_layer layer = sample.layer;
        layer.serial += (uint64_t)i;
        layer.parts = 0;
        om_selection_unref(select_rows(cache, &layer, filter, always));
        layer.serial += 1u << 30;
        om_selection_unref(select_rows(cache, &layer, filter, always));
        om_filter_free(filter);
    }
    assert_int_equal(om_selections_stats(cache).misses, 12000);
    assert_true(om_selections_stats(cache).entries <= 8192);
    om_selections_free(cache);
}

static bool always_gone(void *ctx)
{
    (void)ctx;
    return true;
}

static void cache_makes_what_others_wait_for_whoever_leaves(void **state)
{
    (void)state;
    struct om_selections *cache;
    struct om_filter *filter = parse("severity > 1");
    struct om_cancel cancel = {.given_up = always_gone};
    assert_int_equal(om_selections_new((size_t)1 << 30, &cache), OM_OK);
    om_cancel_swap(&cancel);
    assert_true(om_cancelled());
    struct om_selection *s = select_rows(cache, &sample.layer, filter, always);
    assert_ptr_equal(om_cancel_swap(NULL), &cancel);
    assert_true(s->count > 0 && s->count < sample.layer.rows);
    om_selection_unref(s);
    om_filter_free(filter);
    om_selections_free(cache);
}

static void cache_of_no_bytes_keeps_nothing(void **state)
{
    (void)state;
    struct om_selections *cache;
    struct om_filter *filter = parse("severity=3");
    assert_int_equal(om_selections_new(1, &cache), OM_OK);
    for (int i = 0; i < 3; i++) {
        struct om_selection *s =
            select_rows(cache, &sample.layer, filter, always);
        check_counts(s);
        om_selection_unref(s);
    }
    assert_int_equal(om_selections_stats(cache).entries, 0);
    assert_int_equal(om_selections_stats(cache).misses, 3);
    om_selections_free(cache);
    om_filter_free(filter);
}

struct work {
    struct om_selections *cache;
    struct om_filter **filter;
    size_t *count;
    unsigned seed;
    bool failed;
};

static void *select_many(void *arg)
{
    struct work *w = arg;
    for (int i = 0; i < 200; i++) {
        w->seed = w->seed * 1103515245 + 12345;
        const unsigned k = (w->seed >> 16) % 10;
        struct om_selection *s;
        if (om_select(w->cache, &sample.layer, w->filter[k], always, &s)) {
            w->failed = true;
            return NULL;
        }
        w->failed |= s->count != w->count[k];
        om_selection_unref(om_selection_ref(s));
        om_selection_unref(s);
        if (i % 50 == 49) om_selections_clear(w->cache);
    }
    return NULL;
}

static void cache_serves_threads_at_once(void **state)
{
    (void)state;
    struct om_selections *cache;
    struct om_filter *filter[10];
    size_t count[10];
    for (int i = 0; i < 10; i++) {
        char text[40];
        snprintf(text, sizeof text, "severity<%d", i + 1);
        filter[i] = parse(text);
        struct om_selection *s =
            select_rows(NULL, &sample.layer, filter[i], always);
        count[i] = s->count;
        om_selection_unref(s);
    }
    assert_int_equal(om_selections_new(6 * (sample.rows / 8 + 2000), &cache),
                     OM_OK);
    pthread_t thread[4];
    struct work work[4];
    for (unsigned i = 0; i < 4; i++) {
        work[i] = (struct work){cache, filter, count, i, false};
        assert_int_equal(
            pthread_create(&thread[i], NULL, select_many, &work[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        assert_false(work[i].failed);
    }
    om_selections_free(cache);
    for (int i = 0; i < 10; i++) om_filter_free(filter[i]);
}

static void *select_one(void *arg)
{
    struct work *w = arg;
    struct om_selection *s = NULL;
    w->failed =
        om_select(w->cache, &sample.layer, w->filter[0], always, &s) != OM_OK;
    om_selection_unref(s);
    return NULL;
}

static void cache_lets_one_thread_compute_for_all(void **state)
{
    (void)state;
    struct om_selections *cache;
    struct om_filter *filter =
        parse("note LIKE '%7%' OR CASEI(note) LIKE '%x'");
    assert_int_equal(om_selections_new((size_t)1 << 30, &cache), OM_OK);
    pthread_t thread[6];
    struct work work[6];
    for (int i = 0; i < 6; i++) {
        work[i] = (struct work){.cache = cache, .filter = &filter};
        assert_int_equal(pthread_create(&thread[i], NULL, select_one, &work[i]),
                         0);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(thread[i], NULL);
        assert_false(work[i].failed);
    }
    assert_int_equal(om_selections_stats(cache).misses, 1);
    assert_int_equal(om_selections_stats(cache).hits, 5);
    om_selections_free(cache);
    om_filter_free(filter);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    uint32_t *dead = malloc(sample.rows * sizeof *dead);
    struct om_part part;
    const struct om_layer layer = layer_without(&part, dead, 10);
    struct om_filter *filter = parse("severity=3 AND kind='fire'");
    om_threads_set(1);
    const size_t live = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_selections *cache = NULL;
        struct om_selection *s = NULL;
        om_alloc_fail_after(n, false);
        om_status st = om_selections_new((size_t)1 << 30, &cache);
        if (!st)
            st = om_select(cache, &layer, filter,
                           (struct om_window){true, 0, INT64_MAX}, &s);
        om_alloc_fail_after(0, false);
        if (!st) check_counts(s);
        om_selection_unref(s);
        om_selections_free(cache);
        assert_int_equal(om_alloc_live(), live);
        if (st) assert_int_equal(st, OM_E_MEMORY);
        // Some allocations are only for remembering: enough that all succeed.
        if (n > 100) break;
    }
    om_threads_set(0);
    om_filter_free(filter);
    free(dead);
}

static int open_sample(void **state)
{
    (void)state;
    return sample_open(&sample, 70001) != OM_OK;
}

static int close_sample(void **state)
{
    (void)state;
    sample_close(&sample);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_need_no_bitmap),
        cmocka_unit_test(window_takes_its_start_and_not_its_end),
        cmocka_unit_test(window_without_a_time_is_refused),
        cmocka_unit_test(dead_rows_are_taken_off),
        cmocka_unit_test(dead_rows_leave_the_base_in_the_cache),
        cmocka_unit_test(cache_does_not_grow_with_writes),
        cmocka_unit_test(dead_rows_are_in_the_base),
        cmocka_unit_test(cache_of_small_things_has_an_end),
        cmocka_unit_test(parts_are_selected_one_by_one),
        cmocka_unit_test(cache_computes_the_same_once),
        cmocka_unit_test(cache_forgets_the_least_recently_used),
        cmocka_unit_test(cache_makes_what_others_wait_for_whoever_leaves),
        cmocka_unit_test(cache_of_no_bytes_keeps_nothing),
        cmocka_unit_test(cache_serves_threads_at_once),
        cmocka_unit_test(cache_lets_one_thread_compute_for_all),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, open_sample, close_sample);
}
