/* The writer of a city.
 *
 * Plan
 *   write_*     each kind of write, what it refuses, and with which words
 *   key_*       a request that comes twice is answered twice and done once
 *   reopen_*    after closing or dying the city is what it was
 *   overlay_*   rows that stand beside the journal
 *   lock_*      one writer; any readers, also in another process
 */
#include "tests/engine/live_writer.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

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

static void count_done(void *ctx, struct om_write *write)
{
    (void)write;
    atomic_fetch_add((atomic_size_t *)ctx, 1);
}

/* Holds the committer up, so that what is queued becomes one group. */
static atomic_bool hold;
static void wait_here(void *ctx, const struct om_live_news *news)
{
    (void)ctx;
    (void)news;
    while (atomic_load(&hold)) usleep(1000);
}

static void write_of_as_many_rows_as_a_batch_has(void **state)
{
    (void)state;
    live_city(folder, 10);
    struct fixture f = begin(NULL);
    struct live_batch one = {0}, many = {0};
    char id[32];
    live_row(&one, "one", 1, 1, 1);
    for (uint32_t i = 0; i < OM_LIMIT_BATCH_ROWS; i++) {
        snprintf(id, sizeof id, "m%u", i);
        live_row(&many, id, i, i * 7, i);
    }
    struct om_write w[3] = {{.batch = live_batch(&one)},
                            {.batch = live_batch(&many)},
                            {.batch = live_batch(&many)}};
    // Together they are more than one batch; the last says it again.
    atomic_size_t done = 0;
    struct live_batch first = {0};
    live_row(&first, "first", 1, 1, 1);
    struct om_write before = {.layer = "spot",
                              .kind = OM_WRITE_PUT,
                              .batch = live_batch(&first),
                              .done = count_done,
                              .ctx = &done};
    atomic_store(&hold, true);
    om_live_listen(f.live, wait_here, NULL);
    assert_int_equal(om_live_write(f.live, &before), OM_OK);
    for (int i = 0; i < 3; i++) {
        w[i].layer = "other";
        w[i].kind = OM_WRITE_PUT;
        w[i].done = count_done;
        w[i].ctx = &done;
        assert_int_equal(om_live_write(f.live, &w[i]), OM_OK);
    }
    atomic_store(&hold, false);
    while (atomic_load(&done) < 4) usleep(1000);
    for (int i = 0; i < 3; i++) assert_int_equal(w[i].status, OM_OK);
    for (int round = 0; round < 2; round++) {
        struct om_snapshot *s = om_city_snapshot(f.city);
        assert_int_equal(om_snapshot_layer(s, "other")->rows,
                         OM_LIMIT_BATCH_ROWS + 1);
        om_snapshot_unref(s);
        assert_int_equal(live_n(f.city, "other", "m65535"), 65535);
        end(&f);
        f = begin(NULL);
    }
    live_batch_free(&first);
    live_batch_free(&one);
    live_batch_free(&many);
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

/* How many of two keys the journal has. */
static int keys_kept(const char *const *key)
{
    struct om_journal *j = NULL;
    int kept = 0;
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_READ, 0, &j, NULL),
                     OM_OK);
    for (int i = 0; i < 2; i++) {
        struct om_journal_key found_key;
        bool found = false;
        assert_int_equal(
            om_journal_key_find(j, key[i], &found_key, &found, NULL), OM_OK);
        kept += found ? 1 << i : 0;
        if (found) assert_int_equal(found_key.created, 1);
    }
    om_journal_close(j);
    return kept;
}

/* Also in a city whose journal keeps all that was ever written. */
static void key_is_forgotten_after_a_day(void **state)
{
    (void)state;
    live_city(folder, 100);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    live_row(&b, "k1", 1, 1, 500);
    struct om_write w = {.layer = "spot",
                         .kind = OM_WRITE_PUT,
                         .batch = live_batch(&b),
                         .key = "spot/new",
                         .request_hash = 42};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    assert_int_equal(w.created, 1);
    end(&f);
    struct om_journal *j = NULL;
    struct om_journal_key old = {
        .key = "spot/old", .request_hash = 1, .taken = 1, .created = 1};
    old.at_ms = ((int64_t)time(NULL) - 2 * 86400) * 1000;
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_WRITE, 0, &j, NULL),
                     OM_OK);
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_key_add(j, &old, NULL), OM_OK);
    assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    om_journal_close(j);
    static const char *const KEY[] = {"spot/old", "spot/new"};
    assert_int_equal(keys_kept(KEY), 3);
    f = begin(NULL);
    while (keys_kept(KEY) & 1) usleep(20000);
    assert_int_equal(keys_kept(KEY), 2);
    assert_int_equal(om_live_write_wait(f.live, &w), OM_OK);
    assert_true(w.repeated);
    assert_int_equal(w.created, 1);
    end(&f);
    live_batch_free(&b);
}

static void reopen_finds_what_was_there(void **state)
{
    (void)state;
    live_city(folder, 1000);
    uint64_t rows[2], sequence, changed[2], written[2];
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
            assert_int_equal(
                om_live_row_sequence(f.live, "spot", "r298", 4, &written[now]),
                OM_OK);
            assert_int_equal(written[now], written[0]);
        } else {  // who only reads knows no places
            assert_int_equal(om_city_changed(f.city, "spot", far), sequence);
        }
        assert_int_equal(om_city_changed(f.city, "other", cell), 1);
        om_snapshot_unref(s);
        assert_int_equal(rows[now], rows[0]);
        assert_int_equal(sum[now], sum[0]);
        if (round < 2) end(&f);
        if (round == 0)
            f = begin_ahead((struct om_live_options){0}, om_live_ahead(folder));
        if (round == 1)
            assert_int_equal(om_city_open(folder, &f.city, NULL), OM_OK);
    }
    end(&f);
}

static void reopen_of_an_older_city_begins_its_journal_when_written_to(
    void **state)
{
    (void)state;
    live_city(folder, 20);
    live_commit(folder,
                "{\"onemap\":1,\"sequence\":7,\"layers\":[{\"name\":"
                "\"spot\"," LIVE_COLUMNS
                ",\"parts\":[{\"file\":\"layers/spot-1.seg\",\"rows\":20}]}]}");
    struct fixture f = begin(NULL);
    const struct om_box far = {0, 0, 1000, 1000};
    struct om_write w;
    uint64_t sequence;
    assert_false(om_journal_exists(folder));
    assert_int_equal(om_city_changed(f.city, "spot", far), 7);
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b1", 2, &sequence),
                     OM_OK);
    assert_int_equal(sequence, 7);
    assert_int_equal(write_one(f.live, OM_WRITE_PATCH, "b1", 99, &w), OM_OK);
    assert_true(om_journal_exists(folder));
    assert_true(w.first > 7);
    // Rows that nobody wrote to are as they were, for validators too.
    assert_int_equal(om_city_changed(f.city, "spot", far), 7);
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b2", 2, &sequence),
                     OM_OK);
    assert_int_equal(sequence, 7);
    end(&f);
    f = begin(NULL);
    assert_int_equal(live_n(f.city, "spot", "b1"), 99);
    assert_int_equal(om_city_changed(f.city, "spot", far), 7);
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b2", 2, &sequence),
                     OM_OK);
    assert_int_equal(sequence, 7);
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

/* ---- overlays ---- */

static void overlay_stands_beside_the_journal(void **state)
{
    (void)state;
    live_city(folder, 50);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    struct om_err err = {0};
    live_row(&b, "b1", 1, 1, 9001);
    live_row(&b, "b2", 1, 1, 9002);
    const struct om_box far = {0, 0, 1000, 1000};
    const uint64_t before = om_city_changed(f.city, "spot", far);
    if (om_live_overlay(f.live, "spot", live_batch(&b), &err))
        fail_msg("%s", err.text);
    // The rows below are as they were: If-Match goes on to hold.
    uint64_t sequence, again;
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b1", 2, &sequence),
                     OM_OK);
    assert_int_equal(sequence, 1);
    assert_true(om_city_changed(f.city, "spot", far) > before);
    assert_int_equal(live_n(f.city, "spot", "b1"), 9001);
    assert_int_equal(live_n(f.city, "spot", "b3"), 3);
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b1", 100, NULL), OM_OK);
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b3", 300, NULL), OM_OK);
    assert_int_equal(live_n(f.city, "spot", "b1"), 9001);
    assert_int_equal(live_n(f.city, "spot", "b3"), 300);
    if (om_live_compact(f.live, &err)) fail_msg("%s", err.text);
    assert_int_equal(live_n(f.city, "spot", "b1"), 9001);
    live_batch_clear(&b);
    live_row(&b, "b2", 1, 1, 9102);
    if (om_live_overlay(f.live, "spot", live_batch(&b), &err))
        fail_msg("%s", err.text);
    assert_int_equal(live_n(f.city, "spot", "b1"), 100);
    assert_int_equal(live_n(f.city, "spot", "b2"), 9102);
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b3", 2, &sequence),
                     OM_OK);
    end(&f);
    f = begin(NULL);
    assert_int_equal(om_live_row_sequence(f.live, "spot", "b3", 2, &again),
                     OM_OK);
    assert_int_equal(again, sequence);
    end(&f);
    assert_int_equal(om_city_open(folder, &f.city, NULL), OM_OK);
    assert_int_equal(live_n(f.city, "spot", "b1"), 100);
    assert_int_equal(live_n(f.city, "spot", "b2"), 2);
    live_batch_free(&b);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(write_of_each_kind),
        LIVE_TEST(write_changes_only_the_columns_that_are_given),
        LIVE_TEST(write_is_all_or_nothing_unless_partial),
        LIVE_TEST(write_under_a_condition),
        LIVE_TEST(write_of_as_many_rows_as_a_batch_has),
        LIVE_TEST(key_is_answered_twice_and_done_once),
        LIVE_TEST(key_is_forgotten_after_a_day),
        LIVE_TEST(reopen_finds_what_was_there),
        LIVE_TEST(reopen_of_an_older_city_begins_its_journal_when_written_to),
        LIVE_TEST(overlay_stands_beside_the_journal),
        LIVE_TEST(lock_lets_one_writer_in_and_readers_see_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
