/* The writer of a city when things fail.
 *
 * Plan
 *   disk_*     a disk that is full, or fails, under the journal
 *   files_*    the same under a compaction
 *   rot_*      a byte of a layer's file is another: the layer is right or is
 *              withheld, others live, and nothing is let go of until it is well
 *   memory_*   the n-th allocation fails: a status, nothing lost, no leak
 *   bulk_*     the same under writes of very many rows, and others beside them
 *   trim_*     what is let go of the journal is not missed
 *   queue_*    more than it holds is refused
 *   clock_*    the city's own clock moves with what is written; nothing is as
 *              of the machine's, also when another commits what has rows here
 */
#include "tests/engine/live_sample.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "engine/live/changes.h"
#include "engine/live/live_internal.h"
#include "tests/data/fault_vfs.h"
#include "tests/folder.h"

static char folder[64];
static struct om_city *city;
static struct om_live *live;

static int make_folder(void **state)
{
    (void)state;
    return test_memory_folder("onemap-faults", folder, sizeof folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void begin(const struct om_live_options *options)
{
    struct om_err err = {0};
    if (om_city_open(folder, &city, &err)) fail_msg("%s", err.text);
    if (om_live_open(city, options, &live, &err)) fail_msg("%s", err.text);
}

static void end(void)
{
    om_live_close(live);
    om_city_close(city);
}

static om_status put(const char *id, int64_t n)
{
    struct live_batch b = {0};
    live_row(&b, id, (uint32_t)(n * 1237 % LIVE_SPAN), (uint32_t)(n % 9973), n);
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    const om_status st = om_live_write_wait(live, &w);
    live_batch_free(&b);
    return st;
}

static om_status tidy(struct om_live *l, void *ctx, struct om_err *err)
{
    (void)ctx;
    (void)err;
    l->kept_s = 0;
    l->unsettled_bytes = UINT64_MAX / 2;
    om__live_tidy(l);
    return OM_OK;
}

/* The disk fails from call number `at` of its kind on; 0: it is well. Set on
 * the thread that uses it. */
struct arming {
    enum fault_kind kind;
    int code;
    unsigned at;
};

static om_status set_fault(struct om_live *l, void *ctx, struct om_err *err)
{
    const struct arming *a = ctx;
    (void)err;
    // Nobody looks whether it is well again but who is told to (tidy).
    l->kept_s = om_seconds() + 3600;
    fault.code[a->kind] = a->code;
    fault.sticky = true;
    fault.at[a->kind] = a->at ? fault.calls[a->kind] + a->at : 0;
    return OM_OK;
}

static void arm(enum fault_kind kind, int code, unsigned at)
{
    struct arming a = {kind, code, at};
    assert_int_equal(om__live_run(live, set_fault, &a, NULL), OM_OK);
}

static void disk_that_is_full_takes_rows_again_later(void **state)
{
    (void)state;
    live_city(folder, 10);
    fault_begin();
    begin(NULL);
    assert_int_equal(put("a", 1), OM_OK);
    arm(FAULT_WRITE, SQLITE_FULL, 1);
    assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
    assert_int_not_equal(put("b", 2), OM_OK);
    assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
    assert_int_not_equal(put("c", 3), OM_OK);
    assert_true(om_live_stats(live).failing);
    assert_int_equal(live_n(city, "spot", "a"), 1);
    assert_int_equal(live_n(city, "spot", "b"), INT64_MIN);
    assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
    assert_true(om_live_stats(live).failing);
    arm(FAULT_WRITE, 0, 0);
    // It is seen that there is room again, though nobody writes.
    assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
    assert_false(om_live_stats(live).failing);
    assert_int_equal(put("d", 4), OM_OK);
    end();
    begin(NULL);
    assert_int_equal(live_n(city, "spot", "a"), 1);
    assert_int_equal(live_n(city, "spot", "b"), INT64_MIN);
    assert_int_equal(live_n(city, "spot", "d"), 4);
    end();
    fault_end();
}

static void disk_that_fails_is_refused_and_taken_back(void **state)
{
    (void)state;
    live_city(folder, 10);
    fault_begin();
    begin(NULL);
    char id[32];
    int64_t n = 0;
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
        for (unsigned at = 1; at <= 3; at++) {
            snprintf(id, sizeof id, "before-%lld", (long long)++n);
            assert_int_equal(put(id, n), OM_OK);
            arm(kind,
                kind == FAULT_SYNC ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE,
                at);
            int64_t refused = 0;
            for (int i = 0; i < 20 && !refused; i++) {
                const int64_t next = ++n;
                snprintf(id, sizeof id, "some-%lld", (long long)next);
                const om_status st = put(id, next);
                if (st) {
                    assert_int_equal(st, OM_E_IO);
                    refused = next;
                }
            }
            if (!refused) {  // it needs fewer calls
                arm(kind, 0, 0);
                continue;
            }
            assert_true(om_live_stats(live).failing);
            assert_int_equal(put("not-now", 5), OM_E_IO);
            // What can be read is read.
            assert_int_equal(live_n(city, "spot", "b3"), 3);
            arm(kind, 0, 0);
            assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
            assert_false(om_live_stats(live).failing);
            snprintf(id, sizeof id, "after-%lld", (long long)++n);
            assert_int_equal(put(id, n), OM_OK);
            assert_int_equal(live_n(city, "spot", id), n);
        }
    // The same after opening: what was acknowledged, and of what was not either
    // all or nothing.
    struct om_snapshot *s = om_city_snapshot(city);
    uint64_t rows, again;
    int64_t sum, sum_again;
    live_sum(s, "spot", &rows, &sum);
    om_snapshot_unref(s);
    end();
    begin(NULL);
    s = om_city_snapshot(city);
    live_sum(s, "spot", &again, &sum_again);
    om_snapshot_unref(s);
    assert_int_equal(again, rows);
    assert_int_equal(sum_again, sum);
    assert_int_equal(live_n(city, "spot", "before-1"), 1);
    end();
    fault_end();
}

static void files_that_fail_leave_the_city_as_it_was(void **state)
{
    (void)state;
    live_city(folder, 200);
    const struct om_live_options options = {.no_compaction = true};
    begin(&options);
    char id[32];
    int64_t sum_wanted = 199 * 200 / 2;
    size_t failed = 0;
    for (enum om_file_call call = OM_FILE_WRITE; call <= OM_FILE_RENAME;
         call++) {
        om_status st = OM_E_IO;
        for (size_t at = 1; st; at++) {
            snprintf(id, sizeof id, "f%d-%zu", (int)call, at);
            assert_int_equal(put(id, 7), OM_OK);
            // A row of the base dies as well.
            snprintf(id, sizeof id, "b%zu", at % 200);
            const int64_t was = live_n(city, "spot", id);
            assert_int_equal(put(id, was + 1), OM_OK);
            sum_wanted += 8;
            struct om_err err = {0};
            om_file_fail_after(call, at, ENOSPC, false);
            st = om_live_compact(live, &err);
            om_file_fail_after(call, 0, 0, false);
            if (st) {
                failed++;
                assert_true(err.text[0] != '\0');
                assert_true(at < 100);
                // What failed after the commit is seen as another's.
                assert_int_equal(om_live_refresh(live, NULL, &err), OM_OK);
            }
            struct om_snapshot *s = om_city_snapshot(city);
            uint64_t rows;
            int64_t sum;
            live_sum(s, "spot", &rows, &sum);
            om_snapshot_unref(s);
            assert_int_equal(sum, sum_wanted);
            struct om_city *other = NULL;
            assert_int_equal(om_city_open(folder, &other, NULL), OM_OK);
            s = om_city_snapshot(other);
            live_sum(s, "spot", &rows, &sum);
            om_snapshot_unref(s);
            om_city_close(other);
            assert_int_equal(sum, sum_wanted);
        }
    }
    assert_true(failed > 5);
    end();
}

static void flip(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    const int c = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fputc(c ^ 0x10, f), c ^ 0x10);
    assert_int_equal(fclose(f), 0);
}

static long size_of(const char *path)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    return (long)about.st_size;
}

static om_status put_other(const char *id, int64_t n)
{
    struct live_batch b = {0};
    live_row(&b, id, 1, 1, n);
    struct om_write w = {
        .layer = "other", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    const om_status st = om_live_write_wait(live, &w);
    live_batch_free(&b);
    return st;
}

static void rot_in_a_layer_is_that_layers_only(void **state)
{
    (void)state;
    enum { ROWS = 3000, STEPS = 97 };
    const struct om_live_options options = {
        .no_compaction = true, .compact_rows = 1, .keep_entries = 1};
    char path[128], id[32];
    live_city(folder, ROWS);
    begin(&options);
    // A city none of whose files can be read does not open.
    assert_int_equal(put_other("first", 1), OM_OK);
    assert_int_equal(om_live_compact(live, NULL), OM_OK);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "b%d", i * 71);
        assert_int_equal(put(id, 100000 + i), OM_OK);
    }
    end();
    snprintf(path, sizeof path, "%s/layers/spot-1.seg", folder);
    const long size = size_of(path);
    size_t withheld = 0;
    for (int step = 0; step < STEPS; step++) {
        const long at = size / STEPS * step;
        flip(path, at);
        begin(&options);
        snprintf(id, sizeof id, "o%d", step);
        assert_int_equal(put_other(id, step), OM_OK);
        assert_int_equal(live_n(city, "other", id), step);
        struct om_snapshot *s = om_city_snapshot(city);
        withheld += s->withheld;
        if (s->withheld) {
            struct om_err err = {0};
            assert_int_equal(om_snapshot_lacks(s, "spot", &err), OM_E_WITHHELD);
            assert_int_equal(put("b1", 1), OM_E_WITHHELD);
        } else {
            assert_int_equal(om_snapshot_layer(s, "spot")->rows, ROWS);
        }
        om_snapshot_unref(s);
        // Entries are let go of that are in files; those of the layer are not.
        assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
        end();
        flip(path, at);
    }
    assert_true(withheld > STEPS / 20 && withheld < STEPS);
    begin(&options);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "b%d", i * 71);
        assert_int_equal(live_n(city, "spot", id), 100000 + i);
    }
    for (int step = 0; step < STEPS; step++) {
        snprintf(id, sizeof id, "o%d", step);
        assert_int_equal(live_n(city, "other", id), step);
    }
    end();
}

static void rot_while_it_is_written_is_told(void **state)
{
    (void)state;
    enum { ROWS = 3000, STEPS = 97 };
    const struct om_live_options options = {.no_compaction = true};
    char path[128], id[32];
    size_t refused = 0;
    live_city(folder, ROWS);
    snprintf(path, sizeof path, "%s/layers/spot-1.seg", folder);
    const long size = size_of(path);
    for (int step = 0; step < STEPS; step++) {
        const long at = size / STEPS * step + step % 16;
        begin(&options);
        flip(path, at);
        for (int i = 0; i < 20; i++) {
            snprintf(id, sizeof id, "b%d", (step + i * STEPS) % ROWS);
            const om_status st = put(id, step);
            assert_true(st == OM_OK || st == OM_E_WITHHELD);
            refused += st != OM_OK;
        }
        flip(path, at);
        end();
    }
    assert_true(refused > STEPS);
}

static void memory_that_fails_loses_nothing(void **state)
{
    (void)state;
    live_city(folder, 50);
    const struct om_live_options options = {.no_compaction = true};
    const size_t before = om_alloc_live();
    begin(&options);
    size_t failed = 0;
    int64_t n = 1000;
    om_status st = OM_E_MEMORY;
    for (size_t at = 1; st; at++) {  // a write
        assert_int_equal(live_n(city, "spot", "b1"), at == 1 ? 1 : n);
        om_alloc_fail_after(at, false);
        st = put("b1", n + 1);
        om_alloc_fail_after(0, false);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        if (at == 1) {
            n = live_n(city, "spot", "b1");
            assert_int_equal(n, 1);
        }
        failed++;
    }
    assert_int_equal(live_n(city, "spot", "b1"), n + 1);
    assert_true(failed > 20);
    failed = 0;
    st = OM_E_MEMORY;
    for (size_t at = 1; st; at++) {  // a compaction
        assert_int_equal(put("b2", (int64_t)at), OM_OK);
        struct om_err err = {0};
        om_alloc_fail_after(at, false);
        st = om_live_compact(live, &err);
        om_alloc_fail_after(0, false);
        assert_int_equal(live_n(city, "spot", "b2"), (int64_t)at);
        // If it failed after the commit, the commit is seen as another's.
        assert_int_equal(om_live_refresh(live, NULL, NULL), OM_OK);
        assert_int_equal(live_n(city, "spot", "b2"), (int64_t)at);
        if (!st) break;
        failed++;
    }
    assert_true(failed > 20);
    end();
    assert_int_equal(om_alloc_live(), before);
    failed = 0;
    st = OM_E_MEMORY;
    for (size_t at = 1; st; at++) {  // opening
        om_alloc_fail_after(at, false);
        city = NULL;
        live = NULL;
        st = om_city_open(folder, &city, NULL);
        if (!st) st = om_live_open(city, &options, &live, NULL);
        om_alloc_fail_after(0, false);
        om_live_close(live);
        om_city_close(city);
        assert_int_equal(om_alloc_live(), before);
        if (st) failed++;
    }
    assert_true(failed > 20);
}

/* ---- writes of very many rows ---- */

/* Rows "m0" to "m59" with n, which half of the time are new. *ready: it was
 * made ready. */
#define MANY 60
static om_status put_many(int64_t n, bool *ready)
{
    struct live_batch b = {0};
    char id[32];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "m%u", i);
        live_row(&b, id, i * 1000003u % LIVE_SPAN, i * 7919u, n);
    }
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    om_live_look(live, &w);
    *ready = w.bulk != NULL;
    const om_status st = om_live_write_wait(live, &w);
    if (!st) assert_int_equal(w.taken, MANY);
    if (st == OM_E_IO) om_live_look_end(&w);  // it may not have been taken
    assert_null(w.look);
    assert_null(w.bulk);
    live_batch_free(&b);
    return st;
}

/* All rows have one n: which? INT64_MIN: none is there. */
static int64_t n_of_many(void)
{
    char id[32];
    const int64_t first = live_n(city, "spot", "m0");
    for (int i = 1; i < MANY; i++) {
        snprintf(id, sizeof id, "m%d", i);
        assert_int_equal(live_n(city, "spot", id), first);
    }
    return first;
}

static void bulk_without_memory_is_whole(void **state)
{
    (void)state;
    live_city(folder, 50);
    const struct om_live_options options = {.no_compaction = true,
                                            .bulk_rows = MANY};
    const size_t before = om_alloc_live();
    begin(&options);
    size_t failed = 0, other_way = 0;
    int64_t have = INT64_MIN;
    bool ready = false;
    om_status st = OM_E_MEMORY;
    for (size_t at = 1; st || !ready; at++) {
        assert_int_equal(n_of_many(), have);
        om_alloc_fail_after(at, false);
        st = put_many((int64_t)at, &ready);
        om_alloc_fail_after(0, false);
        if (st) assert_int_equal(st, OM_E_MEMORY);
        failed += st != OM_OK;
        other_way += !st && !ready;
        if (!st) have = (int64_t)at;
        assert_true(at < 5000);
    }
    assert_int_equal(n_of_many(), have);
    assert_true(failed > 5 && other_way > 20);
    end();
    assert_int_equal(om_alloc_live(), before);
}

static void bulk_on_a_failing_disk_is_whole(void **state)
{
    (void)state;
    live_city(folder, 10);
    const struct om_live_options options = {.no_compaction = true,
                                            .bulk_rows = MANY};
    fault_begin();
    begin(&options);
    bool ready;
    size_t refused = 0;
    int64_t n = 1;
    assert_int_equal(put_many(n, &ready), OM_OK);
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
        for (unsigned at = 1; at <= 14; at++) {
            const bool full = kind == FAULT_WRITE && at % 2;
            arm(kind,
                full                 ? SQLITE_FULL
                : kind == FAULT_SYNC ? SQLITE_IOERR_FSYNC
                                     : SQLITE_IOERR_WRITE,
                at);
            const om_status st = put_many(n + 1, &ready);
            assert_true(ready);
            arm(kind, 0, 0);
            if (st) {
                refused++;
                assert_int_equal(st, OM_E_IO);
                assert_int_equal(n_of_many(), n);
                assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
                assert_false(om_live_stats(live).failing);
                // What failed with the disk may be there all the same.
                n = n_of_many() == n ? n : n + 1;
            } else {
                n++;
            }
            assert_int_equal(put_many(++n, &ready), OM_OK);
            assert_int_equal(n_of_many(), n);
        }
    assert_true(refused > 6);
    end();
    begin(&options);
    assert_int_equal(n_of_many(), n);
    assert_int_equal(om_journal_verify(live->journal, NULL), OM_OK);
    end();
    fault_end();
}

/* What the committer does, letter by letter: (a)head, (s)taged, (d)urable,
 * (t)old, (v)isible. At the first it waits for a write of one row. */
static char steps[64];
static atomic_bool begun, one_waits;
static void note_step(const char *step)
{
    const size_t len = strlen(steps);
    if (len + 1 < sizeof steps) steps[len] = *step;
    atomic_store(&begun, true);
    while (len == 0 && !atomic_load(&one_waits)) usleep(100);
}

static void *put_one(void *arg)
{
    struct om_write *w = arg;
    while (!atomic_load(&begun)) usleep(100);
    while (om_live_write(live, w)) usleep(100);
    atomic_store(&one_waits, true);
    return NULL;
}

static void mark_done(void *ctx, struct om_write *write)
{
    (void)write;
    atomic_store((atomic_bool *)ctx, true);
}

static void bulk_lets_others_in_between(void **state)
{
    (void)state;
    live_city(folder, 10);
    const struct om_live_options options = {.no_compaction = true};
    begin(&options);
    enum { ROWS = 50000 };
    struct live_batch b = {0}, one = {0};
    char id[32];
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(id, sizeof id, "row-of-a-large-write-%u", i);
        live_row(&b, id, i * 2654435761u % LIVE_SPAN, i * 7, i);
    }
    live_row(&one, "one", 1, 1, 1);
    atomic_bool done = false;
    struct om_write many = {.layer = "spot",
                            .kind = OM_WRITE_INSERT,
                            .batch = live_batch(&b)},
                    single = {.layer = "spot",
                              .kind = OM_WRITE_PUT,
                              .batch = live_batch(&one),
                              .done = mark_done,
                              .ctx = &done};
    om_live_look(live, &many);
    assert_non_null(many.bulk);
    om__live_die = note_step;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, put_one, &single), 0);
    // The single one is queued when the first piece has been written.
    assert_int_equal(om_live_write_wait(live, &many), OM_OK);
    pthread_join(thread, NULL);
    while (!atomic_load(&done)) usleep(100);
    om__live_die = NULL;
    assert_int_equal(single.status, OM_OK);
    assert_int_equal(many.taken, ROWS);
    assert_int_equal(many.created, ROWS);
    assert_int_equal(many.last - many.first + 1, ROWS);
    if (strncmp(steps, "asdtva", 6)) fail_msg("%s", steps);
    assert_true(single.first < many.first);
    // Said again it is refused as a whole, by the first row.
    om_live_look(live, &many);
    assert_null(many.bulk);
    assert_int_equal(om_live_write_wait(live, &many), OM_E_EXISTS);
    assert_non_null(strstr(many.err.text, "row 1: 'row-of-a-large-write-0'"));
    live_batch_free(&b);
    live_batch_free(&one);
    end();
}

static bool count_change(void *ctx, const struct om_live_change *change)
{
    (void)change;
    ++*(size_t *)ctx;
    return true;
}

static void trim_lets_go_of_what_files_have(void **state)
{
    (void)state;
    live_city(folder, 50);
    const struct om_live_options options = {.no_compaction = true,
                                            .keep_entries = 20};
    begin(&options);
    char id[32];
    struct om_err err = {0};
    for (int64_t i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "t%lld", (long long)i);
        assert_int_equal(put(id, i), OM_OK);
    }
    struct om_snapshot *s = om_city_snapshot(city);
    const uint64_t last = s->sequence;
    om_snapshot_unref(s);
    size_t told = 0;
    // Nothing is in files: nothing goes.
    assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
    assert_int_equal(om_live_changes(live, 1, 0, count_change, &told, &err),
                     OM_OK);
    assert_true(told >= 100);
    const struct om_box box = {LIVE_WEST, LIVE_NORTH, LIVE_WEST + 5000,
                               LIVE_NORTH + 20000};
    const struct om_box far = {0, 0, 1000, 1000};
    const uint64_t changed = om_city_changed(city, "spot", box);
    assert_true(changed > 1);
    if (om_live_compact(live, &err)) fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++)
        assert_int_equal(om__live_run(live, tidy, NULL, NULL), OM_OK);
    assert_int_equal(om_live_changes(live, 1, 0, count_change, &told, &err),
                     OM_E_NOTFOUND);
    told = 0;
    assert_int_equal(
        om_live_changes(live, last - 10, 0, count_change, &told, &err), OM_OK);
    assert_int_equal(told, 10);
    for (int round = 0; round < 2; round++) {
        for (int64_t i = 0; i < 100; i += 9) {
            snprintf(id, sizeof id, "t%lld", (long long)i);
            assert_int_equal(live_n(city, "spot", id), i);
        }
        // Where it changed is still known, and where not.
        assert_int_equal(om_city_changed(city, "spot", box), changed);
        assert_int_equal(om_city_changed(city, "spot", far), 1);
        assert_int_equal(om_city_changed(city, "other", far), 1);
        end();
        begin(&options);
        s = om_city_snapshot(city);
        assert_int_equal(s->sequence, last);
        om_snapshot_unref(s);
    }
    end();
}

/* Holds the committer up. */
static atomic_bool hold;
static void wait_here(void *ctx, const struct om_live_news *news)
{
    (void)ctx;
    (void)news;
    while (atomic_load(&hold)) usleep(1000);
}

static atomic_size_t done;
static void count_done(void *ctx, struct om_write *write)
{
    (void)ctx;
    if (!write->status) atomic_fetch_add(&done, 1);
}

static void queue_that_is_full_refuses(void **state)
{
    (void)state;
    live_city(folder, 10);
    const struct om_live_options options = {.queue_rows = 3};
    begin(&options);
    atomic_store(&hold, true);
    om_live_listen(live, wait_here, NULL);
    struct live_batch b[8] = {0};
    struct om_write w[8] = {0};
    size_t taken = 0, refused = 0;
    for (int i = 0; i < 8; i++) {
        char id[32];
        snprintf(id, sizeof id, "q%d", i);
        live_row(&b[i], id, 1, 1, i);
        w[i] = (struct om_write){.layer = "spot",
                                 .kind = OM_WRITE_PUT,
                                 .batch = live_batch(&b[i]),
                                 .done = count_done};
        const om_status st = om_live_write(live, &w[i]);
        assert_true(st == OM_OK || st == OM_E_BUSY);
        taken += !st;
        refused += st == OM_E_BUSY;
    }
    assert_true(refused > 0);
    assert_true(taken >= 3);
    atomic_store(&hold, false);
    end();  // finishes what is queued
    assert_int_equal(atomic_load(&done), taken);
    assert_int_equal(om_city_open(folder, &city, NULL), OM_OK);
    struct om_snapshot *s = om_city_snapshot(city);
    assert_int_equal(om_snapshot_layer(s, "spot")->rows, 10 + taken);
    om_snapshot_unref(s);
    om_city_close(city);
    for (int i = 0; i < 8; i++) live_batch_free(&b[i]);
}

static void clock_moves_with_what_is_written(void **state)
{
    (void)state;
    live_city(folder, 10);
    live_commit(
        folder,
        "{\"onemap\":1,\"sequence\":1,\"clock\":"
        "\"2023-06-27T00:00:00+08:00\",\"layers\":[{\"name\":"
        "\"spot\"," LIVE_COLUMNS
        ",\"base_commit\":1,\"parts\":[{\"file\":"
        "\"layers/spot-1.seg\",\"rows\":10}]},{\"name\":\"other\"," LIVE_COLUMNS
        ",\"base_commit\":1}]}");
    begin(NULL);
    struct om_snapshot *s = om_city_snapshot(city);
    const int64_t start = om_snapshot_now(s);
    assert_int_equal(start, 1687795200);
    assert_int_equal(om_snapshot_as_of(s, om_snapshot_layer(s, "spot")), start);
    om_snapshot_unref(s);
    struct live_batch b = {0};
    live_row(&b, "b1", 1, 1, 77);
    struct om_write w = {.layer = "spot",
                         .kind = OM_WRITE_PUT,
                         .batch = live_batch(&b),
                         .clock_s = start + 3600};
    assert_int_equal(om_live_write_wait(live, &w), OM_OK);
    assert_int_equal(put("b2", 5), OM_OK);  // says nothing of the clock
    if (om_live_compact(live, NULL)) fail_msg("compact");
    for (int round = 0; round < 2; round++) {
        s = om_city_snapshot(city);
        assert_int_equal(om_snapshot_now(s), start + 3600);
        assert_int_equal(om_snapshot_as_of(s, om_snapshot_layer(s, "spot")),
                         start + 3600);
        assert_int_equal(om_snapshot_as_of(s, om_snapshot_layer(s, "other")),
                         start);
        assert_int_equal(om_snapshot_as_of(s, NULL), start + 3600);
        om_snapshot_unref(s);
        int64_t at_s = 0;
        const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};
        assert_true(om_city_changed_at(city, "spot", world, &at_s) > 1);
        assert_int_equal(at_s, start + 3600);
        end();
        begin(NULL);
    }
    live_batch_free(&b);
    end();
}

/* What `spot` is as of, where the city's clock is, as the writer and as a
 * reader of the files have it. */
static void check_as_of(int64_t spot_s, int64_t now_s)
{
    struct om_city *reader = NULL;
    assert_int_equal(om_city_open(folder, &reader, NULL), OM_OK);
    struct om_city *both[] = {city, reader};
    uint64_t sequence[2];
    for (int i = 0; i < 2; i++) {
        struct om_snapshot *s = om_city_snapshot(both[i]);
        sequence[i] = s->sequence;
        assert_int_equal(om_snapshot_now(s), now_s);
        assert_int_equal(om_snapshot_as_of(s, om_snapshot_layer(s, "spot")),
                         spot_s);
        assert_int_equal(om_snapshot_as_of(s, NULL), now_s);
        om_snapshot_unref(s);
    }
    assert_int_equal(sequence[0], sequence[1]);
    int64_t at_s = 0;
    const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};
    om_city_changed_at(city, "spot", world, &at_s);
    assert_int_equal(at_s, spot_s);
    om_city_close(reader);
}

static void clock_of_the_city_is_that_of_all_answers(void **state)
{
    (void)state;
    const int64_t start = 1687795200;
    char text[2048];
    live_city(folder, 10);
    for (int commit = 1; commit <= 2; commit++) {
        // The second has new files below what was written: an import of units.
        if (commit == 2) {
            struct live_batch b = {0};
            live_row(&b, "b0", 1, 1, 1);
            live_segment(folder, "layers/spot-2.seg", live_batch(&b));
            live_batch_free(&b);
        }
        snprintf(text, sizeof text,
                 "{\"onemap\":1,\"sequence\":%d,\"clock\":"
                 "\"2023-06-27T00:00:00+08:00\",\"layers\":[{\"name\":"
                 "\"spot\"," LIVE_COLUMNS
                 ",\"base_commit\":%d,\"parts\":[{\"file\":"
                 "\"layers/spot-%d.seg\",\"rows\":%d}]},"
                 "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
                 commit, commit, commit, commit == 1 ? 10 : 1);
        live_commit(folder, text);
        if (commit == 1) {
            begin(NULL);
            assert_int_equal(put("b1", 5), OM_OK);  // says nothing of the clock
        } else {
            bool changed = false;
            assert_int_equal(om_live_refresh(live, &changed, NULL), OM_OK);
            assert_true(changed);
        }
        check_as_of(start, start);
    }
    // The clock goes on with another layer: what was before stays as it was.
    struct live_batch b = {0};
    live_row(&b, "c1", 1, 1, 77);
    struct om_write w = {.layer = "other",
                         .kind = OM_WRITE_PUT,
                         .batch = live_batch(&b),
                         .clock_s = start + 3600};
    assert_int_equal(om_live_write_wait(live, &w), OM_OK);
    live_batch_free(&b);
    check_as_of(start, start + 3600);
    end();
    begin(NULL);
    check_as_of(start, start + 3600);
    end();
}

int main(void)
{
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(disk_that_is_full_takes_rows_again_later),
        TEST(disk_that_fails_is_refused_and_taken_back),
        TEST(files_that_fail_leave_the_city_as_it_was),
        TEST(rot_in_a_layer_is_that_layers_only),
        TEST(rot_while_it_is_written_is_told),
        TEST(memory_that_fails_loses_nothing),
        TEST(bulk_without_memory_is_whole),
        TEST(bulk_on_a_failing_disk_is_whole),
        TEST(bulk_lets_others_in_between),
        TEST(trim_lets_go_of_what_files_have),
        TEST(queue_that_is_full_refuses),
        TEST(clock_moves_with_what_is_written),
        TEST(clock_of_the_city_is_that_of_all_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
