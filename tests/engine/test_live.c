/* The writer of a city.
 *
 * Plan
 *   write_*     each kind of write, what it refuses, and with which words
 *   key_*       a request that comes twice is answered twice and done once
 *   reopen_*    after closing or dying the city is what it was
 *   model_*     random writes, compactions and reopenings against an array
 *   crash_*     dying at any step of a compaction or of a group, and killed at
 *               any moment (1,000 times in make test-long)
 *   commit_*    another process imports while the city is written to
 *   overlay_*   rows that stand beside the journal
 *   copy_*      a copy made under load is a city, and whole
 *   lock_*      one writer; any readers, also in another process
 *   many_*      threads write and read: every snapshot is consistent
 */
#include "tests/engine/live_sample.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "data/base/alloc.h"
#include "engine/live/changes.h"
#include "engine/live/live_internal.h"
#include "engine/live/replay_internal.h"
#include "engine/verify.h"
#include "tests/folder.h"
#include "tests/rounds.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    // Where there is memory for it: thousands of groups are synced.
    return test_memory_folder("onemap-live", folder, sizeof folder) ? 0 : -1;
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

/* The same, its journal having been looked through beside the opening. */
static struct fixture begin_ahead(struct om_live_options options,
                                  struct om_live_ahead *ahead)
{
    options.ahead = ahead;
    const struct fixture f = begin(&options);
    om_live_ahead_end(ahead);
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

/* ---- a plain array ---- */

#define IDS 300

static uint64_t seed;

static uint32_t dice(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

/* value[i] is n of row "bI", or -1; it lies at pos[i]. */
struct model {
    int64_t value[IDS];
    struct om_pos pos[IDS];
};

/* Every place that a write has changed, in order. */
static struct {
    const char *layer;
    struct om_pos cell;  // of level 18
    uint64_t sequence;
} changed_at[20000];
static size_t changes_made;

static void note_change(const char *layer, struct om_pos pos, uint64_t sequence)
{
    assert_true(changes_made < sizeof changed_at / sizeof *changed_at);
    changed_at[changes_made].layer = layer;
    changed_at[changes_made].cell = (struct om_pos){pos.x >> 14, pos.y >> 14};
    changed_at[changes_made++].sequence = sequence;
}

/* The map of changes against the list, for some boxes and tiles. */
static void compare_changes(struct om_city *city)
{
    for (int i = 0; i < 30; i++) {
        const char *layer = dice(2) ? "spot" : "other";
        const unsigned shift = 10 + dice(17);
        struct om_box box = {LIVE_WEST + dice(LIVE_SPAN),
                             LIVE_NORTH + dice(LIVE_SPAN), 0, 0};
        if (dice(2)) {
            box.x0 = box.x0 >> shift << shift;
            box.y0 = box.y0 >> shift << shift;
        }
        box.x1 = box.x0 + (1u << shift) - 1;
        box.y1 = box.y0 + (1u << shift) - 1;
        uint64_t newest = 1;
        for (size_t k = 0; k < changes_made; k++) {
            const struct om_pos c = changed_at[k].cell;
            if (!strcmp(changed_at[k].layer, layer) && c.x >= box.x0 >> 14 &&
                c.x <= box.x1 >> 14 && c.y >= box.y0 >> 14 &&
                c.y <= box.y1 >> 14 && changed_at[k].sequence > newest)
                newest = changed_at[k].sequence;
        }
        assert_int_equal(om_city_changed(city, layer, box), newest);
    }
}

static void compare(struct om_city *city, const char *layer,
                    const struct model *m)
{
    uint64_t rows = 0, have_rows;
    int64_t sum = 0, have_sum;
    char id[32];
    struct om_snapshot *s = om_city_snapshot(city);
    for (int i = 0; i < IDS; i++) {
        if (m->value[i] < 0) continue;
        rows++;
        sum += m->value[i];
    }
    live_sum(s, layer, &have_rows, &have_sum);
    om_snapshot_unref(s);
    assert_int_equal(have_rows, rows);
    assert_int_equal(have_sum, sum);
    for (int i = 0; i < IDS; i += 7) {
        snprintf(id, sizeof id, "b%d", i);
        assert_int_equal(live_n(city, layer, id),
                         m->value[i] < 0 ? INT64_MIN : m->value[i]);
    }
}

static size_t made_ready;  // writes

/* Random rows to write. Half of the writes are looked up before others of the
 * same rows come in between, and compactions. */
static void write_some(struct om_live *live, const char *layer, struct model *m,
                       uint32_t most)
{
    struct live_batch b = {0};
    struct om_pos moved[2 * 200], place[200];
    uint32_t which[200];
    int64_t n[200];
    size_t moves = 0;
    char id[32];
    const enum om_write_kind kind = dice(3) ? OM_WRITE_PUT : OM_WRITE_DELETE;
    const uint32_t rows = 1 + dice(most);
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t x = dice(LIVE_SPAN), y = dice(LIVE_SPAN);
        place[i] = (struct om_pos){LIVE_WEST + x, LIVE_NORTH + y};
        which[i] = dice(IDS);
        n[i] = dice(1000000);
        snprintf(id, sizeof id, "b%u", which[i]);
        live_row(&b, id, x, y, n[i]);
    }
    struct om_write w = {
        .layer = layer, .kind = kind, .batch = live_batch(&b), .partial = true};
    if (dice(2)) {
        struct om_err err = {0};
        om_live_look(live, &w);
        assert_non_null(w.look);
        made_ready += w.bulk != NULL;
        if (dice(2)) write_some(live, layer, m, most);
        if (dice(20) == 0 && om_live_compact(live, &err))
            fail_msg("%s", err.text);
    }
    struct model after = *m;
    size_t taken = 0;
    for (uint32_t i = 0; i < rows; i++) {
        const bool there = after.value[which[i]] >= 0;
        if (kind == OM_WRITE_PUT || there) {
            taken++;
            struct om_pos *at = &after.pos[which[i]];
            moved[moves++] = there ? *at : place[i];
            moved[moves++] = kind == OM_WRITE_PUT ? place[i] : *at;
            *at = place[i];
        }
        after.value[which[i]] = kind == OM_WRITE_PUT ? n[i] : -1;
    }
    assert_int_equal(om_live_write_wait(live, &w), OM_OK);
    assert_null(w.look);
    assert_null(w.bulk);
    assert_int_equal(w.taken, taken);
    assert_int_equal(w.refused, rows - taken);
    for (size_t i = 0; i < moves; i++)
        note_change(layer, moved[i], w.first + i / 2);
    *m = after;
    live_batch_free(&b);
}

static void begin_model(struct model *spot, struct model *other)
{
    for (int i = 0; i < IDS; i++) {
        spot->value[i] = i < 100 ? i : -1;
        spot->pos[i] =
            (struct om_pos){LIVE_WEST + (uint32_t)i * 7919 % LIVE_SPAN,
                            LIVE_NORTH + (uint32_t)i * 104729 % LIVE_SPAN};
        other->value[i] = -1;
    }
}

static void model_agrees_whatever_happens(void **state)
{
    (void)state;
    struct model spot, other;
    const struct om_live_options options = {.compact_rows = 150,
                                            .no_compaction = true,
                                            .keep_entries = 500,
                                            .bulk_rows = 3};
    const size_t whole_round = om__replay_round_rows;
    live_city(folder, 100);
    begin_model(&spot, &other);
    made_ready = 0;
    struct fixture f = begin(&options);
    struct om_city *reader = NULL;
    assert_int_equal(om_city_open(folder, &reader, NULL), OM_OK);
    seed = 7;
    for (int round = 0; round < 250; round++) {
        const bool first = dice(2);
        write_some(f.live, first ? "spot" : "other", first ? &spot : &other,
                   dice(8) ? 12 : 150);
        struct om_err err = {0};
        if (dice(12) == 0 && om_live_compact(f.live, &err))
            fail_msg("%s", err.text);
        if (dice(25) == 0) {
            // Sometimes looked through before more comes, or files change.
            struct om_live_ahead *ahead =
                dice(2) ? om_live_ahead(folder) : NULL;
            if (ahead && dice(2)) write_some(f.live, "spot", &spot, 12);
            if (ahead && dice(3) == 0 && om_live_compact(f.live, &err))
                fail_msg("%s", err.text);
            end(&f);
            // What is replayed comes in many rounds, or in one.
            om__replay_round_rows =
                round % 3 ? 1 + (size_t)round % 37 : whole_round;
            if (!ahead && dice(2)) ahead = om_live_ahead(folder);
            f = begin_ahead(options, ahead);
        }
        if (dice(6) == 0) {
            if (om_city_refresh(reader, NULL, &err)) fail_msg("%s", err.text);
            compare(reader, "spot", &spot);
            compare(reader, "other", &other);
        }
        compare(f.city, "spot", &spot);
        compare(f.city, "other", &other);
        compare_changes(f.city);
    }
    assert_true(made_ready > 20);
    om__replay_round_rows = whole_round;
    om_city_close(reader);
    end(&f);
}

/* ---- dying ---- */

/* What the child was told, in memory that both have. */
struct shared {
    struct model spot;
    int64_t doing[IDS];  // what is under way; -2: nothing
    int compactions, bulks;
};

static const char *die_at;
static int die_after;

static void maybe_die(const char *step)
{
    if (!strcmp(step, die_at) && die_after-- == 0) _exit(9);
}

/* Many rows at once, made ready and written ahead. */
#define AT_ONCE 40
static void write_at_once(struct om_live *live, struct shared *shared)
{
    struct live_batch b = {0};
    char id[32];
    const uint32_t from = dice(IDS - AT_ONCE);
    const int64_t n = dice(1000000);
    for (uint32_t i = from; i < from + AT_ONCE; i++) {
        snprintf(id, sizeof id, "b%u", i);
        live_row(&b, id, dice(LIVE_SPAN), dice(LIVE_SPAN), n);
        shared->doing[i] = n;
    }
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    om_live_look(live, &w);
    if (!w.bulk) _exit(4);
    if (om_live_write_wait(live, &w)) _exit(5);
    for (uint32_t i = from; i < from + AT_ONCE; i++) {
        shared->spot.value[i] = n;
        shared->doing[i] = -2;
    }
    shared->bulks++;
    live_batch_free(&b);
}

static void live_until_death(struct shared *shared)
{
    const struct om_live_options options = {.no_compaction = true,
                                            .bulk_rows = AT_ONCE};
    struct fixture f = {0};
    if (om_city_open(folder, &f.city, NULL) ||
        om_live_open(f.city, &options, &f.live, NULL))
        _exit(1);
    char id[32];
    for (int i = 0; i < 400; i++) {
        struct live_batch b = {0};
        const uint32_t which = dice(IDS);
        const int64_t n = dice(1000000);
        snprintf(id, sizeof id, "b%u", which);
        live_row(&b, id, dice(LIVE_SPAN), dice(LIVE_SPAN), n);
        const bool put = dice(3);
        struct om_write w = {.layer = "spot",
                             .kind = put ? OM_WRITE_PUT : OM_WRITE_DELETE,
                             .batch = live_batch(&b),
                             .partial = true};
        shared->doing[which] = put ? n : -1;
        if (om_live_write_wait(f.live, &w)) _exit(2);
        shared->spot.value[which] = put ? n : -1;
        shared->doing[which] = -2;
        live_batch_free(&b);
        if (i % 4 == 3) write_at_once(f.live, shared);
        if (i % 30 == 29) {
            if (om_live_compact(f.live, NULL)) _exit(3);
            shared->compactions++;
        }
    }
    _exit(0);
}

static void no_fault(void *ctx, const struct om_layer_verify *found)
{
    (void)ctx;
    if (found->first_fault[0]) fail_msg("%s", found->first_fault);
}

static void crash_at_any_step_loses_nothing(void **state)
{
    (void)state;
    const char *step[] = {"begin", "part",    "dead",    "commit", "in",
                          "end",   "durable", "visible", "staged", "ahead"};
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    struct model other;
    live_city(folder, 100);
    begin_model(&shared->spot, &other);
    for (size_t round = 0; round < 30; round++) {
        for (int i = 0; i < IDS; i++) shared->doing[i] = -2;
        die_at = step[round % 10];
        die_after = (int)(round / 10) * (round % 10 < 6   ? 2
                                         : round % 10 < 9 ? 60
                                                          : 15) +
                    1;
        seed = 1000 + round;
        const pid_t pid = fork();
        if (pid == 0) {
            om__live_die = maybe_die;
            live_until_death(shared);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 9);
        struct om_city *city = NULL;
        struct om_err err = {0};
        if (om_city_open(folder, &city, &err))
            fail_msg("%s: %s", die_at, err.text);
        // The one write that was not answered may be there or not, as a whole.
        char id[32];
        int asked = 0, done = 0;
        for (int i = 0; i < IDS; i++) {
            if (shared->doing[i] == -2) continue;
            snprintf(id, sizeof id, "b%d", i);
            const int64_t n = live_n(city, "spot", id);
            const int64_t have = n == INT64_MIN ? -1 : n;
            assert_true(have == shared->spot.value[i] ||
                        have == shared->doing[i]);
            if (shared->doing[i] != shared->spot.value[i]) {
                asked++;
                done += have == shared->doing[i];
            }
            shared->spot.value[i] = have;
        }
        assert_true(done == 0 || done == asked);
        compare(city, "spot", &shared->spot);
        struct om_snapshot *s = om_city_snapshot(city);
        assert_int_equal(om_snapshot_verify(s, no_fault, NULL), OM_OK);
        om_snapshot_unref(s);
        om_city_close(city);
    }
    assert_true(shared->compactions > 0);
    assert_true(shared->bulks > 0);
    // What the dead have left goes with the next compaction.
    struct fixture f = begin(NULL);
    assert_int_equal(om_live_compact(f.live, NULL), OM_OK);
    compare(f.city, "spot", &shared->spot);
    end(&f);
    char command[256];
    snprintf(command, sizeof command, "test $(ls '%s/layers' | wc -l) -le 3",
             folder);
    assert_int_equal(system(command), 0);
    munmap(shared, sizeof *shared);
}

/* Killed at any moment, with several writers and a compaction under way. */
#define DOOMED 4
#define DOOMED_IDS 64

/* n of row "d-T-I" as it was acknowledged, and as it was asked for; -1: gone.
 */
struct doom {
    _Atomic int64_t have[DOOMED][DOOMED_IDS], asked[DOOMED][DOOMED_IDS];
    atomic_uint_fast64_t seed;
    atomic_size_t acknowledged;
};

static struct doom *doom;

static void *doomed_writes(void *arg)
{
    const int me = *(const int *)arg;
    uint64_t mine = atomic_load(&doom->seed) * 31 + (uint64_t)me;
    for (;;) {
        struct live_batch b = {0};
        char id[32];
        const bool put = mine % 4 != 0;
        const int rows = 1 + (int)((mine >> 20) % 5);
        int which[5];
        for (int i = 0; i < rows; i++) {
            mine = mine * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
            which[i] = (int)((mine >> 33) % (DOOMED_IDS / 5)) * 5 + i;
            if (which[i] >= DOOMED_IDS) which[i] = i;
            const int64_t n = (int64_t)(mine >> 40);
            snprintf(id, sizeof id, "d-%d-%d", me, which[i]);
            live_row(&b, id, (uint32_t)((mine >> 20) % LIVE_SPAN),
                     (uint32_t)((mine >> 30) % LIVE_SPAN), n);
            atomic_store(&doom->asked[me][which[i]], put ? n : -1);
        }
        struct om_write w = {.layer = "spot",
                             .kind = put ? OM_WRITE_PUT : OM_WRITE_DELETE,
                             .batch = live_batch(&b),
                             .partial = true};
        if (mine >> 12 & 1) om_live_look(party.f.live, &w);
        if (om_live_write_wait(party.f.live, &w)) _exit(2);
        for (int i = 0; i < rows; i++)
            atomic_store(&doom->have[me][which[i]],
                         atomic_load(&doom->asked[me][which[i]]));
        atomic_fetch_add(&doom->acknowledged, 1);
        live_batch_free(&b);
    }
    return NULL;
}

static void live_until_killed(void)
{
    pthread_t thread;
    static int number[DOOMED];
    struct om_err err = {0};
    const struct om_live_options options = {.bulk_rows = 2};
    if (om_city_open(folder, &party.f.city, NULL) ||
        om_live_open(party.f.city, &options, &party.f.live, NULL))
        _exit(1);
    for (int i = 0; i < DOOMED; i++) {
        number[i] = i;
        if (pthread_create(&thread, NULL, doomed_writes, &number[i])) _exit(3);
    }
    for (;;)
        if (om_live_compact(party.f.live, &err)) _exit(4);
}

static void crash_at_any_moment_loses_nothing(void **state)
{
    (void)state;
    doom = mmap(NULL, sizeof *doom, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(doom, MAP_FAILED);
    live_city(folder, 100);
    for (int t = 0; t < DOOMED; t++)
        for (int i = 0; i < DOOMED_IDS; i++) doom->have[t][i] = -1;
    seed = 4711;
    const size_t rounds = test_rounds(test_long() ? 1000 : 30);
    for (size_t round = 0; round < rounds; round++) {
        for (int t = 0; t < DOOMED; t++)
            for (int i = 0; i < DOOMED_IDS; i++)
                doom->asked[t][i] = atomic_load(&doom->have[t][i]);
        atomic_store(&doom->seed, round);
        const size_t before = atomic_load(&doom->acknowledged);
        const pid_t pid = fork();
        if (pid == 0) live_until_killed();
        while (atomic_load(&doom->acknowledged) < before + 1) usleep(200);
        usleep(dice(30000));
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        struct om_city *city = NULL;
        struct om_err err = {0};
        if (om_city_open(folder, &city, &err))
            fail_msg("round %zu: %s", round, err.text);
        uint64_t rows = 0, have_rows;
        int64_t sum;
        for (int t = 0; t < DOOMED; t++)
            for (int i = 0; i < DOOMED_IDS; i++) {
                char id[32];
                snprintf(id, sizeof id, "d-%d-%d", t, i);
                const int64_t found = live_n(city, "spot", id);
                const int64_t n = found == INT64_MIN ? -1 : found;
                if (n != atomic_load(&doom->have[t][i]) &&
                    n != atomic_load(&doom->asked[t][i]))
                    fail_msg("round %zu: %s is %lld", round, id, (long long)n);
                atomic_store(&doom->have[t][i], n);
                rows += n >= 0;
            }
        struct om_snapshot *s = om_city_snapshot(city);
        live_sum(s, "spot", &have_rows, &sum);
        assert_int_equal(have_rows, rows + 100);
        if (round % 8 == 0)
            assert_int_equal(om_snapshot_verify(s, no_fault, NULL), OM_OK);
        om_snapshot_unref(s);
        om_city_close(city);
    }
    munmap(doom, sizeof *doom);
}

/* ---- the commits of others ---- */

static void commit_of_another_process_comes_below_what_is_newer(void **state)
{
    (void)state;
    live_city(folder, 50);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    char text[2048];
    bool changed;
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b1", 1000, NULL), OM_OK);
    struct om_snapshot *s = om_city_snapshot(f.city);
    const uint64_t applied = s->sequence;
    om_snapshot_unref(s);
    // An import --replace that knew the first write but not the next two.
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b2", 2000, NULL), OM_OK);
    assert_int_equal(write_one(f.live, OM_WRITE_DELETE, "b3", 0, NULL), OM_OK);
    for (int i = 0; i < 10; i++) {
        char id[32];
        snprintf(id, sizeof id, "b%d", i);
        live_row(&b, id, (uint32_t)i, 5, 70 + i);
    }
    live_segment(folder, "layers/spot-2.seg", live_batch(&b));
    live_batch_clear(&b);
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":2,\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":2,\"applied\":%llu,\"parts\":[{\"file\":"
             "\"layers/spot-2.seg\",\"rows\":10}]},"
             "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
             (unsigned long long)applied);
    live_commit(folder, text);
    const struct om_box far = {0, 0, 1000, 1000};
    const uint64_t before = om_city_changed(f.city, "other", far);
    struct om_err err = {0};
    for (int round = 0; round < 3; round++) {
        if (om_live_refresh(f.live, &changed, &err)) fail_msg("%s", err.text);
        assert_true(changed == (round == 0));
        assert_int_equal(live_n(f.city, "spot", "b1"), 71);
        assert_int_equal(live_n(f.city, "spot", "b2"), 2000);
        assert_int_equal(live_n(f.city, "spot", "b3"), INT64_MIN);
        assert_int_equal(live_n(f.city, "spot", "b40"), INT64_MIN);
        s = om_city_snapshot(f.city);
        assert_int_equal(om_city_changed(f.city, "spot", far),
                         om_snapshot_layer(s, "spot")->changed);
        assert_true(om_snapshot_layer(s, "spot")->changed > applied + 2);
        assert_int_equal(om_city_changed(f.city, "other", far), before);
        om_snapshot_unref(s);
        if (round == 1) {  // and so it stays
            end(&f);
            f = begin(NULL);
        }
    }
    // An append, among it a row whose id has been written meanwhile.
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "a1", 3000, NULL), OM_OK);
    live_row(&b, "a1", 1, 1, 1);
    live_row(&b, "a2", 1, 1, 2);
    live_segment(folder, "layers/spot-3.seg", live_batch(&b));
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":3,\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":3,\"applied\":%llu,\"parts\":[{\"file\":"
             "\"layers/spot-2.seg\",\"rows\":10},{\"file\":"
             "\"layers/spot-3.seg\",\"rows\":2}]},"
             "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
             (unsigned long long)applied);
    live_commit(folder, text);
    if (om_live_refresh(f.live, &changed, &err)) fail_msg("%s", err.text);
    assert_true(changed);
    assert_int_equal(live_n(f.city, "spot", "a1"), 3000);
    assert_int_equal(live_n(f.city, "spot", "a2"), 2);
    assert_int_equal(live_n(f.city, "spot", "b2"), 2000);
    assert_int_equal(live_n(f.city, "spot", "b3"), INT64_MIN);
    if (om_live_compact(f.live, &err)) fail_msg("%s", err.text);
    end(&f);
    // A commit while nobody wrote is noted by the next writer.
    f = begin(NULL);
    assert_int_equal(live_n(f.city, "spot", "a1"), 3000);
    live_batch_free(&b);
    end(&f);
}

/* Two halves of the square as units PREFIX0 (west) and PREFIX1, cut at `cut`
 * cells from its western side. */
static void write_units(const char *file, char prefix, double cut)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POLYGON,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    const double west = LIVE_WEST - 10.0, east = west + LIVE_SPAN + 20.0;
    const double north = LIVE_NORTH - 10.0, south = north + LIVE_SPAN + 20.0;
    const double middle = west + cut;
    const double x[] = {west, middle, middle, west, middle, east, east, middle};
    const double y[] = {north, north, south, south, north, north, south, south};
    const uint32_t one[] = {0, 1, 2}, vertex[] = {0, 4, 8},
                   offset[] = {0, 2, 4};
    const char ids[] = {prefix, '0', prefix, '1'};
    const uint64_t row[] = {1, 2};
    const struct om_batch_column column = {.offset = offset, .bytes = ids};
    const struct om_batch batch = {.rows = 2,
                                   .source_row = row,
                                   .shapes = {.count = 2,
                                              .shape_part = one,
                                              .part_ring = one,
                                              .ring_vertex = vertex,
                                              .x = x,
                                              .y = y},
                                   .column = &column};
    struct om_builder *builder = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(om_builder_new(&schema, &builder), OM_OK);
    om_builder_set_shared(builder, true);
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    assert_int_equal(om_builder_write(builder, path, NULL, NULL), OM_OK);
    om_builder_free(builder);
}

static void commit_units(unsigned sequence, const char *file)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":%u,\"levels\":[\"grid\"],\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":%u},"
             "{\"name\":\"other\"," LIVE_COLUMNS
             ",\"base_commit\":1},"
             "{\"name\":\"grid\",\"geometry\":\"polygon\",\"unit_level\":"
             "\"grid\",\"columns\":[{\"name\":\"id\",\"type\":\"text\"}],"
             "\"base_commit\":%u,\"parts\":[{\"file\":\"%s\",\"rows\":2}]}]}",
             sequence, sequence, sequence, file);
    live_commit(folder, text);
}

/* The unit of a row of "spot", from whichever part has it. */
static void assert_unit(struct om_city *city, const char *id, const char *unit)
{
    struct om_snapshot *s = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(s, "spot");
    struct om_text_reader reader = {0};
    bool found = false;
    assert_int_equal(l->unit_columns, 1);
    for (size_t p = 0; p < l->parts; p++) {
        size_t row, len;
        const char *text;
        if (om_segment_find(l->part[p].segment, id, strlen(id), &reader, &row))
            continue;
        if (om__part_is_dead(&l->part[p], row)) continue;
        found = true;
        assert_int_equal(
            om_segment_text(l->part[p].segment, om_layer_unit_field(l, "grid"),
                            row, &reader, &text, &len),
            OM_OK);
        assert_int_equal(len, strlen(unit));
        assert_memory_equal(text, unit, len);
    }
    assert_true(found);
    om_text_reader_deinit(&reader);
    om_snapshot_unref(s);
}

static void put_at(struct om_live *live, const char *id, uint32_t x)
{
    struct live_batch b = {0};
    live_row(&b, id, x, 1000, 1);
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    assert_int_equal(om_live_write_wait(live, &w), OM_OK);
    live_batch_free(&b);
}

static void commit_of_new_units_is_followed(void **state)
{
    (void)state;
    live_city(folder, 1);
    write_units("layers/grid-1.seg", 'G', LIVE_SPAN / 2.0);
    commit_units(1, "layers/grid-1.seg");
    struct fixture f = begin(NULL);
    struct om_err err = {0};
    bool changed;
    put_at(f.live, "a", 100);
    put_at(f.live, "b", LIVE_SPAN - 100);
    put_at(f.live, "c", LIVE_SPAN / 3);
    assert_unit(f.city, "a", "G0");
    assert_unit(f.city, "b", "G1");
    put_at(f.live, "a", LIVE_SPAN - 200);  // it moves
    assert_unit(f.city, "a", "G1");
    assert_unit(f.city, "c", "G0");
    // Units never change row by row.
    struct live_batch b = {0};
    live_row(&b, "G0", 1, 1, 1);
    struct om_write w = {
        .layer = "grid", .kind = OM_WRITE_DELETE, .batch = live_batch(&b)};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_E_UNSUPPORTED);
    live_batch_free(&b);
    // Other units, with the border further west; rows in memory follow.
    write_units("layers/grid-2.seg", 'H', LIVE_SPAN / 4.0);
    commit_units(2, "layers/grid-2.seg");
    if (om_live_refresh(f.live, &changed, &err)) fail_msg("%s", err.text);
    assert_true(changed);
    for (int round = 0; round < 4; round++) {
        assert_unit(f.city, "a", "H1");
        assert_unit(f.city, "b", "H1");
        assert_unit(f.city, "c", "H1");
        struct om_snapshot *s = om_city_snapshot(f.city);
        assert_int_equal(om_snapshot_verify(s, no_fault, NULL), OM_OK);
        om_snapshot_unref(s);
        if (round == 0 || round == 2) {
            end(&f);
            f = begin(NULL);
        }
        if (round == 1 && om_live_compact(f.live, &err))
            fail_msg("%s", err.text);
    }
    put_at(f.live, "d", 200);
    assert_unit(f.city, "d", "H0");
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

/* ---- copies ---- */

static void *write_on(void *arg)
{
    (void)arg;
    struct om_write w;
    for (int64_t i = 0; !atomic_load(&party.end); i++) {
        char id[32];
        snprintf(id, sizeof id, "c%lld", (long long)i);
        if (write_one(party.f.live, OM_WRITE_INSERT, id, i, &w))
            atomic_fetch_add(&party.wrong, 1);
        atomic_store(&party.looked, (size_t)i + 1);
    }
    return NULL;
}

static void copy_under_load_is_whole(void **state)
{
    (void)state;
    live_city(folder, 500);
    const struct om_live_options options = {.compact_rows = 100};
    party = (struct party){.f = begin(&options)};
    pthread_t writer;
    struct om_err err = {0};
    char path[128], id[32];
    assert_int_equal(pthread_create(&writer, NULL, write_on, NULL), 0);
    for (int round = 0; round < 3; round++) {
        while (atomic_load(&party.looked) < (size_t)(round + 1) * 150)
            usleep(1000);
        const size_t before = atomic_load(&party.looked);
        snprintf(path, sizeof path, "%s/copy-%d", folder, round);
        om_status st;
        while ((st = om_live_copy(party.f.live, path, &err)) == OM_E_BUSY)
            usleep(1000);
        if (st) fail_msg("%s", err.text);
        assert_int_equal(om_live_copy(party.f.live, path, &err), OM_E_EXISTS);
        struct om_city *copy = NULL;
        if (om_city_open(path, &copy, &err)) fail_msg("%s", err.text);
        snprintf(id, sizeof id, "c%zu", before - 1);
        assert_int_equal(live_n(copy, "spot", id), (int64_t)before - 1);
        struct om_snapshot *s = om_city_snapshot(copy);
        const uint64_t rows = om_snapshot_layer(s, "spot")->rows;
        assert_true(rows >= 500 + before);
        // A prefix of what was written: nothing is missing in between.
        snprintf(id, sizeof id, "c%zu", (size_t)(rows - 501));
        assert_int_equal(live_n(copy, "spot", id), (int64_t)rows - 501);
        om_snapshot_unref(s);
        om_city_close(copy);
    }
    atomic_store(&party.end, true);
    pthread_join(writer, NULL);
    assert_int_equal(atomic_load(&party.wrong), 0);
    end(&party.f);
}

/* ---- everything at once ---- */

#define CROWD 3
#define CROWD_IDS 4000

static int64_t crowd[CROWD][CROWD_IDS];  // n of row "t-i"; -1: none

static void *crowd_writes(void *arg)
{
    const int me = *(const int *)arg;
    uint64_t mine = (uint64_t)me + 99;
    for (int round = 0; round < 60; round++) {
        struct live_batch b = {0};
        char id[32];
        const bool put = round % 4 != 3;
        const int rows = round % 2 ? 1200 : 20;
        for (int i = 0; i < rows; i++) {
            mine = mine * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
            const int which = (int)((mine >> 33) % CROWD_IDS);
            const int64_t n = (int64_t)(mine >> 40);
            snprintf(id, sizeof id, "%d-%d", me, which);
            live_row(&b, id, (uint32_t)((mine >> 20) % LIVE_SPAN),
                     (uint32_t)((mine >> 30) % LIVE_SPAN), n);
            crowd[me][which] = put ? n : -1;
        }
        struct om_write w = {.layer = "spot",
                             .kind = put ? OM_WRITE_PUT : OM_WRITE_DELETE,
                             .batch = live_batch(&b),
                             .partial = true};
        if (om_live_write_wait(party.f.live, &w))
            atomic_fetch_add(&party.wrong, 1);
        live_batch_free(&b);
    }
    return NULL;
}

static void *compact_on(void *arg)
{
    (void)arg;
    struct om_err err = {0};
    while (!atomic_load(&party.end)) {
        const om_status st = om_live_compact(party.f.live, &err);
        if (st && st != OM_E_BUSY) atomic_fetch_add(&party.wrong, 1);
        // Of a layer that is not changed nothing is written.
        if (om_live_refresh(party.f.live, NULL, &err))
            atomic_fetch_add(&party.wrong, 1);
    }
    return NULL;
}

/* As another process would: opens, looks again, and closes, whatever files
 * come and go meanwhile. */
static void *open_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&party.end)) {
        struct om_city *city = NULL;
        struct om_err err = {0};
        om_status st = om_city_open(folder, &city, &err);
        uint64_t before = 0;
        for (int i = 0; i < 5 && !st; i++) {
            st = om_city_refresh(city, NULL, &err);
            struct om_snapshot *s = om_city_snapshot(city);
            uint64_t rows;
            int64_t sum;
            live_sum(s, "spot", &rows, &sum);
            if (s->sequence < before) atomic_fetch_add(&party.wrong, 1);
            before = s->sequence;
            om_snapshot_unref(s);
        }
        if (st) {
            print_message("%s\n", err.text);
            atomic_fetch_add(&party.wrong, 1);
        }
        om_city_close(city);
        atomic_fetch_add(&party.looked, 1);
    }
    return NULL;
}

static void compare_crowd(struct om_city *city)
{
    char id[32];
    uint64_t rows, have = 100;
    int64_t sum, have_sum = 99 * 100 / 2;
    for (int t = 0; t < CROWD; t++)
        for (int i = 0; i < CROWD_IDS; i++) {
            if (crowd[t][i] < 0) continue;
            have++;
            have_sum += crowd[t][i];
            if (i % 50) continue;
            snprintf(id, sizeof id, "%d-%d", t, i);
            assert_int_equal(live_n(city, "spot", id), crowd[t][i]);
        }
    struct om_snapshot *s = om_city_snapshot(city);
    live_sum(s, "spot", &rows, &sum);
    assert_int_equal(om_snapshot_verify(s, no_fault, NULL), OM_OK);
    om_snapshot_unref(s);
    assert_int_equal(rows, have);
    assert_int_equal(sum, have_sum);
}

static void many_write_while_files_are_written(void **state)
{
    (void)state;
    live_city(folder, 100);
    for (int t = 0; t < CROWD; t++)
        for (int i = 0; i < CROWD_IDS; i++) crowd[t][i] = -1;
    party = (struct party){.f = begin(NULL)};
    pthread_t writer[CROWD], keeper, reader;
    int number[CROWD];
    assert_int_equal(pthread_create(&reader, NULL, open_on, NULL), 0);
    assert_int_equal(pthread_create(&keeper, NULL, compact_on, NULL), 0);
    for (int i = 0; i < CROWD; i++) {
        number[i] = i;
        assert_int_equal(
            pthread_create(&writer[i], NULL, crowd_writes, &number[i]), 0);
    }
    for (int i = 0; i < CROWD; i++) pthread_join(writer[i], NULL);
    atomic_store(&party.end, true);
    pthread_join(keeper, NULL);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&party.wrong), 0);
    assert_true(atomic_load(&party.looked) > 0);
    assert_true(om_live_stats(party.f.live).compactions > 0);
    compare_crowd(party.f.city);
    end(&party.f);
    party.f = begin(NULL);
    compare_crowd(party.f.city);
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
        TEST(write_of_as_many_rows_as_a_batch_has),
        TEST(key_is_answered_twice_and_done_once),
        TEST(key_is_forgotten_after_a_day),
        TEST(reopen_finds_what_was_there),
        TEST(reopen_of_an_older_city_begins_its_journal_when_written_to),
        TEST(model_agrees_whatever_happens),
        TEST(crash_at_any_step_loses_nothing),
        TEST(crash_at_any_moment_loses_nothing),
        TEST(commit_of_another_process_comes_below_what_is_newer),
        TEST(commit_of_new_units_is_followed),
        TEST(overlay_stands_beside_the_journal),
        TEST(copy_under_load_is_whole),
        TEST(lock_lets_one_writer_in_and_readers_see_it),
        TEST(many_threads_see_whole_groups),
        TEST(many_write_while_files_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
