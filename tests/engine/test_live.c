/* The writer of a city.
 *
 * Plan
 *   write_*     each kind of write, what it refuses, and with which words
 *   key_*       a request that comes twice is answered twice and done once
 *   reopen_*    after closing or dying the city is what it was
 *   lock_*      one writer; any readers, also in another process
 *   many_*      threads write and read: every snapshot is consistent
 */
#include "tests/engine/live_sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "data/base/alloc.h"
#include "engine/live/changes.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/onemap-live-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

struct fixture {
    struct om_city *city;
    struct om_live *live;
};

static struct fixture begin(const struct om_live_options *options)
{
    struct fixture f = {0};
    struct om_err err = {0};
    if (om_city_open(folder, &f.city, &err)) fail_msg("%s", err.text);
    if (om_live_open(f.city, options, &f.live, &err)) fail_msg("%s", err.text);
    return f;
}

static void end(struct fixture *f)
{
    om_live_close(f->live);
    om_city_close(f->city);
    *f = (struct fixture){0};
}

/* One row, written and waited for. */
static om_status write_one(struct om_live *live, enum om_write_kind kind,
                           const char *id, int64_t n, struct om_write *out)
{
    struct live_batch b = {0};
    live_row(&b, id, (uint32_t)(n * 1237 % LIVE_SPAN), (uint32_t)(n % 9973), n);
    struct om_write w = {
        .layer = "spot", .kind = kind, .batch = live_batch(&b)};
    const bool given[] = {true, true, true};
    w.given = given;
    w.geometry_given = true;
    const om_status st = om_live_write_wait(live, &w);
    if (out) *out = w;
    live_batch_free(&b);
    return st;
}

static void write_of_each_kind(void **state)
{
    (void)state;
    live_city(folder, 100);
    struct fixture f = begin(NULL);
    struct om_write w;
    assert_int_equal(live_n(f.city, "spot", "b7"), 7);
    assert_int_equal(write_one(f.live, OM_WRITE_INSERT, "new", 1000, &w),
                     OM_OK);
    assert_int_equal(w.taken, 1);
    assert_int_equal(w.first, w.last);
    assert_true(w.first > 1);
    uint64_t sequence;
    assert_int_equal(om_live_row_sequence(f.live, "spot", "new", 3, &sequence),
                     OM_OK);
    assert_int_equal(sequence, w.first);
    assert_int_equal(live_n(f.city, "spot", "new"), 1000);
    assert_int_equal(write_one(f.live, OM_WRITE_INSERT, "b7", 1, &w),
                     OM_E_EXISTS);
    assert_non_null(strstr(w.err.text, "row 1: 'b7'"));
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b7", 2000, &w), OM_OK);
    assert_int_equal(live_n(f.city, "spot", "b7"), 2000);
    assert_int_equal(write_one(f.live, OM_WRITE_PATCH, "b7", 3000, NULL),
                     OM_OK);
    assert_int_equal(live_n(f.city, "spot", "b7"), 3000);
    assert_int_equal(write_one(f.live, OM_WRITE_PATCH, "nobody", 1, NULL),
                     OM_E_NOTFOUND);
    assert_int_equal(write_one(f.live, OM_WRITE_DELETE, "b7", 0, NULL), OM_OK);
    assert_int_equal(live_n(f.city, "spot", "b7"), INT64_MIN);
    assert_int_equal(write_one(f.live, OM_WRITE_DELETE, "b7", 0, NULL),
                     OM_E_NOTFOUND);
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b7", 2, &sequence),
                     OM_E_NOTFOUND);
    assert_int_equal(write_one(f.live, OM_WRITE_INSERT, "b7", 5, NULL), OM_OK);
    assert_int_equal(live_n(f.city, "spot", "b7"), 5);
    struct om_snapshot *s = om_city_snapshot(f.city);
    uint64_t rows;
    int64_t sum;
    live_sum(s, "spot", &rows, &sum);
    assert_int_equal(rows, 101);
    assert_int_equal(sum, 99 * 100 / 2 - 7 + 5 + 1000);
    om_snapshot_unref(s);
    end(&f);
}

static void write_changes_only_the_columns_that_are_given(void **state)
{
    (void)state;
    live_city(folder, 100);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    live_row(&b, "b5", 1, 1, 77);
    live_row(&b, "b6", 1, 1, 78);
    live_row(&b, "b5", 1, 1, 79);  // again, over what the batch itself wrote
    const bool given[] = {false, true, true};
    struct om_write w = {.layer = "spot",
                         .kind = OM_WRITE_PATCH,
                         .batch = live_batch(&b),
                         .given = given};
    struct om_snapshot *before = om_city_snapshot(f.city);
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    assert_int_equal(w.taken, 3);
    assert_int_equal(live_n(f.city, "spot", "b5"), 79);
    assert_int_equal(live_n(f.city, "spot", "b6"), 78);
    // The place is the old one.
    struct om_snapshot *s = om_city_snapshot(f.city);
    const struct om_layer *l = om_snapshot_layer(s, "spot");
    const struct om_segment *run = l->part[l->parts - 1].segment;
    struct om_text_reader reader = {0};
    size_t row;
    const uint64_t *key;
    assert_int_equal(om_segment_find(run, "b5", 2, &reader, &row), OM_OK);
    assert_int_equal(om_segment_keys(run, row, row + 1, &key), OM_OK);
    const struct om_pos at = om_morton_pos(key[row]);
    assert_int_equal(at.x, LIVE_WEST + 5 * 7919);
    assert_int_equal(at.y, LIVE_NORTH + 5 * 104729);
    om_text_reader_deinit(&reader);
    om_snapshot_unref(s);
    // Who held the old snapshot still sees what it saw.
    uint64_t rows;
    int64_t sum;
    live_sum(before, "spot", &rows, &sum);
    assert_int_equal(rows, 100);
    assert_int_equal(sum, 99 * 100 / 2);
    om_snapshot_unref(before);
    live_batch_free(&b);
    end(&f);
}

static void write_is_all_or_nothing_unless_partial(void **state)
{
    (void)state;
    live_city(folder, 100);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    live_row(&b, "x1", 1, 1, 1);
    live_row(&b, "b3", 1, 1, 2);  // is there
    live_row(&b, "x1", 1, 1, 3);  // is there by now
    live_row(&b, "", 1, 1, 4);
    live_row(&b, "x2", 1, 1, 5);
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_INSERT, .batch = live_batch(&b)};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_E_EXISTS);
    assert_int_equal(w.taken, 0);
    assert_int_equal(w.refused, 3);
    assert_int_equal(w.faults, 3);
    assert_non_null(strstr(w.err.text, "row 2: 'b3'"));
    assert_int_equal(live_n(f.city, "spot", "x1"), INT64_MIN);
    w.partial = true;
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    assert_int_equal(w.taken, 2);
    assert_int_equal(w.refused, 3);
    assert_int_equal(w.last, w.first + 1);
    assert_int_equal(live_n(f.city, "spot", "x1"), 1);
    assert_int_equal(live_n(f.city, "spot", "x2"), 5);
    assert_int_equal(live_n(f.city, "spot", "b3"), 3);
    w.layer = "nowhere";
    assert_int_equal(om_live_write_wait(f.live, &w), OM_E_NOTFOUND);
    live_batch_free(&b);
    end(&f);
}

static void write_under_a_condition(void **state)
{
    (void)state;
    live_city(folder, 100);
    struct fixture f = begin(NULL);
    uint64_t sequence;
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b1", 2, &sequence),
                     OM_OK);
    struct live_batch b = {0};
    live_row(&b, "b1", 1, 1, 500);
    uint64_t if_sequence[] = {sequence};
    struct om_write w = {.layer = "spot",
                         .kind = OM_WRITE_PUT,
                         .batch = live_batch(&b),
                         .if_sequence = if_sequence};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    assert_int_equal(om_live_write_wait(f.live, &w), OM_E_EXISTS);
    assert_non_null(strstr(w.err.text, "changed meanwhile"));
    if_sequence[0] = w.first = 0;
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    if_sequence[0] = w.last;
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    live_batch_free(&b);
    end(&f);
}

static void key_is_answered_twice_and_done_once(void **state)
{
    (void)state;
    live_city(folder, 100);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    live_row(&b, "k1", 1, 1, 500);
    struct om_write w = {.layer = "spot",
                         .kind = OM_WRITE_INSERT,
                         .batch = live_batch(&b),
                         .key = "spot/abc",
                         .request_hash = 42};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    assert_false(w.repeated);
    const uint64_t first = w.first;
    for (int round = 0; round < 2; round++) {
        w.first = 0;
        assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
        assert_true(w.repeated);
        assert_int_equal(w.first, first);
        assert_int_equal(w.taken, 1);
        w.request_hash = 43;
        assert_int_equal(om_live_write_wait(f.live, &w), OM_E_EXISTS);
        assert_false(w.repeated);
        w.request_hash = 42;
        end(&f);
        f = begin(NULL);
    }
    live_batch_free(&b);
    end(&f);
}

static void reopen_finds_what_was_there(void **state)
{
    (void)state;
    live_city(folder, 1000);
    uint64_t rows[2], sequence, changed[2];
    int64_t sum[2];
    const struct om_box cell = {LIVE_WEST, LIVE_NORTH, LIVE_WEST + 20000,
                                LIVE_NORTH + 20000};
    const struct om_box far = {0, 0, 1000, 1000};
    struct fixture f = begin(NULL);
    char id[32];
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, i % 3 ? "r%d" : "b%d", i);
        const enum om_write_kind kind =
            i % 7 == 0 && i % 3 == 0 ? OM_WRITE_DELETE : OM_WRITE_PUT;
        assert_int_equal(write_one(f.live, kind, id, 10000 + i, NULL), OM_OK);
    }
    for (int round = 0; round < 3; round++) {
        struct om_snapshot *s = om_city_snapshot(f.city);
        const int now = round > 0;
        live_sum(s, "spot", &rows[now], &sum[now]);
        if (!now) sequence = s->sequence;
        assert_int_equal(s->sequence, sequence);
        if (round < 2) {
            changed[now] = om_city_changed(f.city, "spot", cell);
            assert_int_equal(om_city_changed(f.city, "spot", far), 1);
            assert_int_equal(changed[now], changed[0]);
        } else {  // who only reads knows no places
            assert_int_equal(om_city_changed(f.city, "spot", far), sequence);
        }
        assert_int_equal(om_city_changed(f.city, "other", cell), 1);
        om_snapshot_unref(s);
        assert_int_equal(rows[now], rows[0]);
        assert_int_equal(sum[now], sum[0]);
        if (round < 2) end(&f);
        if (round == 0) f = begin(NULL);
        if (round == 1)
            assert_int_equal(om_city_open(folder, &f.city, NULL), OM_OK);
    }
    end(&f);
}

static void lock_lets_one_writer_in_and_readers_see_it(void **state)
{
    (void)state;
    live_city(folder, 10);
    struct fixture f = begin(NULL);
    struct om_city *reader = NULL;
    struct om_live *second = NULL;
    struct om_err err = {0};
    bool changed;
    assert_int_equal(om_city_open(folder, &reader, &err), OM_OK);
    assert_int_equal(om_live_open(reader, NULL, &second, &err), OM_E_BUSY);
    assert_true(err.text[0] != '\0');
    assert_int_equal(om_city_refresh(reader, &changed, &err), OM_OK);
    assert_false(changed);
    uint64_t before = 0;
    for (int64_t i = 0; i < 20; i++) {
        assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b1", 100 + i, NULL),
                         OM_OK);
        assert_int_equal(om_city_refresh(reader, &changed, &err), OM_OK);
        assert_true(changed);
        assert_int_equal(live_n(reader, "spot", "b1"), 100 + i);
        struct om_snapshot *s = om_city_snapshot(reader);
        assert_true(s->sequence > before);
        before = s->sequence;
        om_snapshot_unref(s);
    }
    om_city_close(reader);
    // Another process.
    const pid_t pid = fork();
    if (pid == 0) {
        struct om_city *city = NULL;
        struct om_live *live = NULL;
        if (om_city_open(folder, &city, NULL)) _exit(1);
        if (live_n(city, "spot", "b1") != 119) _exit(2);
        if (om_live_open(city, NULL, &live, NULL) != OM_E_BUSY) _exit(3);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    end(&f);
}

/* ---- threads ---- */

#define WRITERS 8
#define PER_WRITER 60

struct party {
    struct fixture f;
    atomic_bool end;
    atomic_size_t wrong, looked;
    int number;
};

static struct party party;

/* Moves a hundred between two rows in one batch, again and again: the sum of
 * all is always the same. */
static void *move_on(void *arg)
{
    const int me = *(const int *)arg;
    char a[32], b[32];
    for (int i = 0; i < PER_WRITER; i++) {
        struct live_batch rows = {0};
        snprintf(a, sizeof a, "m%d-%d", me, i % 5);
        snprintf(b, sizeof b, "m%d-%d", me, 5 + i % 5);
        live_row(&rows, a, (uint32_t)(i * 1000), (uint32_t)me, 1000 + i);
        live_row(&rows, b, (uint32_t)(i * 1000), (uint32_t)me, 1000 - i);
        struct om_write w = {
            .layer = "other", .kind = OM_WRITE_PUT, .batch = live_batch(&rows)};
        if (om_live_write_wait(party.f.live, &w))
            atomic_fetch_add(&party.wrong, 1);
        // What was acknowledged is there.
        if (live_n(party.f.city, "other", a) != 1000 + i)
            atomic_fetch_add(&party.wrong, 1);
        live_batch_free(&rows);
    }
    return NULL;
}

static void *look_on(void *arg)
{
    (void)arg;
    uint64_t before = 0;
    while (!atomic_load(&party.end)) {
        struct om_snapshot *s = om_city_snapshot(party.f.city);
        uint64_t rows;
        int64_t sum;
        live_sum(s, "other", &rows, &sum);
        if (sum != (int64_t)rows * 1000 || rows % 2 || s->sequence < before)
            atomic_fetch_add(&party.wrong, 1);
        before = s->sequence;
        const struct om_box all = {LIVE_WEST, LIVE_NORTH, UINT32_MAX,
                                   UINT32_MAX};
        if (om_city_changed(party.f.city, "other", all) <
            om_snapshot_layer(s, "other")->changed)
            atomic_fetch_add(&party.wrong, 1);
        om_snapshot_unref(s);
        atomic_fetch_add(&party.looked, 1);
    }
    return NULL;
}

static atomic_uint_fast64_t told_last;
static atomic_size_t told_rows, told_wrong;

static void hear(void *ctx, const struct om_live_news *news)
{
    (void)ctx;
    if (news->first <= atomic_load(&told_last) || news->last < news->first)
        atomic_fetch_add(&told_wrong, 1);
    atomic_store(&told_last, news->last);
    atomic_fetch_add(&told_rows, news->count);
}

static void many_threads_see_whole_groups(void **state)
{
    (void)state;
    live_city(folder, 100);
    party = (struct party){.f = begin(NULL)};
    om_live_listen(party.f.live, hear, NULL);
    pthread_t writer[WRITERS], reader[2];
    int number[WRITERS];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, look_on, NULL), 0);
    for (int i = 0; i < WRITERS; i++) {
        number[i] = i;
        assert_int_equal(pthread_create(&writer[i], NULL, move_on, &number[i]),
                         0);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(writer[i], NULL);
    atomic_store(&party.end, true);
    for (int i = 0; i < 2; i++) pthread_join(reader[i], NULL);
    assert_int_equal(atomic_load(&party.wrong), 0);
    assert_true(atomic_load(&party.looked) > 0);
    assert_int_equal(atomic_load(&told_wrong), 0);
    assert_int_equal(atomic_load(&told_rows), WRITERS * PER_WRITER * 2);
    const struct om_live_stats stats = om_live_stats(party.f.live);
    assert_int_equal(stats.written, WRITERS * PER_WRITER * 2);
    assert_true(stats.groups <= WRITERS * PER_WRITER);
    end(&party.f);
}

int main(void)
{
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(write_of_each_kind),
        TEST(write_changes_only_the_columns_that_are_given),
        TEST(write_is_all_or_nothing_unless_partial),
        TEST(write_under_a_condition),
        TEST(key_is_answered_twice_and_done_once),
        TEST(reopen_finds_what_was_there),
        TEST(lock_lets_one_writer_in_and_readers_see_it),
        TEST(many_threads_see_whole_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
