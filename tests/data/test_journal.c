/* The journal, on a disk that works. One that does not: test_journal_faults.c.
 *
 * Plan
 *   round_*    what was written is read again, also after opening anew
 *   group_*    all of a group or nothing
 *   reader_*   others read while one writes
 *   trim_*     old entries go, their cells stay
 *   key_*      idempotency keys
 *   lock_*     one writer, across processes
 *   copy_*     a copy is a journal
 *   error_*    damage and later versions have their sentences
 *   fault_*    an allocation fails: a status comes back, nothing leaks
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "data/base/alloc.h"
#include "tests/data/journal_sample.h"

#define IDS 50
#define FIRST 41

static struct om_journal *open_it(const char *folder, enum om_journal_mode mode)
{
    struct om_journal *j = NULL;
    struct om_err err = {0};
    const om_status st = om_journal_open(folder, mode, FIRST, &j, &err);
    if (st) fail_msg("%s", err.text);
    return j;
}

static void group(struct om_journal *j, unsigned count)
{
    struct om_err err = {0};
    if (sample_group(j, count, IDS, &err)) fail_msg("%s", err.text);
}

static struct sample_count count(struct om_journal *j, uint64_t after,
                                 uint64_t limit, bool rows)
{
    struct om_err err = {0};
    struct sample_count c = {.ids = IDS, .rows = rows};
    if (om_journal_each(j, after, limit, rows, sample_check, &c, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.wrong, 0);
    return c;
}

static void round_trip_of_every_entry(void **state)
{
    (void)state;
    char *folder = folder_make();
    assert_false(om_journal_exists(folder));
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    assert_true(om_journal_exists(folder));
    assert_int_equal(om_journal_last(j), FIRST - 1);
    assert_int_equal(om_journal_floor(j), FIRST - 1);
    for (unsigned i = 0; i < 40; i++) {
        group(j, 1 + i % 9);
        if (i % 10 == 9) {
            om_journal_close(j);
            j = open_it(folder, OM_JOURNAL_WRITE);
        }
    }
    const uint64_t last = om_journal_last(j);
    assert_true(last > FIRST + 150);
    for (int rows = 0; rows < 2; rows++) {
        assert_int_equal(count(j, 0, 0, rows).seen, last - FIRST + 1);
        assert_int_equal(count(j, last - 7, 0, rows).seen, 7);
        const struct sample_count some = count(j, FIRST + 10, 5, rows);
        assert_int_equal(some.seen, 5);
        assert_int_equal(some.last, FIRST + 15);
        assert_int_equal(count(j, last, 0, rows).seen, 0);
    }
    assert_int_equal(om_journal_verify(j, NULL), OM_OK);
    om_journal_close(j);
    folder_remove(folder);
}

static void round_trip_of_clock_and_commits(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(om_journal_commit_noted(j), 0);
    assert_int_equal(om_journal_clock(j), 0);
    struct om_entry e = {.kind = OM_ENTRY_COMMIT,
                         .layer = "",
                         .old_cell = OM_NO_CELL,
                         .new_cell = OM_NO_CELL,
                         .clock_s = 1687795200,
                         .commit = 17};
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_add(j, &e, NULL), OM_OK);
    // Of a group that is not there yet nobody knows.
    assert_int_equal(om_journal_commit_noted(j), 0);
    assert_int_equal(om_journal_last(j), FIRST - 1);
    assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(om_journal_commit_noted(j), 17);
        assert_int_equal(om_journal_clock(j), 1687795200);
        om_journal_close(j);
        j = open_it(folder, i ? OM_JOURNAL_READ : OM_JOURNAL_WRITE);
    }
    assert_int_equal(om_journal_commit_noted(j), 17);
    assert_int_equal(om_journal_clock(j), 1687795200);
    om_journal_close(j);
    folder_remove(folder);
}

static void group_is_all_or_nothing(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    struct om_journal *reader = open_it(folder, OM_JOURNAL_READ);
    group(j, 5);
    const uint64_t last = om_journal_last(j);
    for (int end = 0; end < 2; end++) {
        assert_int_equal(om_journal_begin(j, NULL), OM_OK);
        for (unsigned i = 0; i < 100; i++) {
            struct sample s;
            sample_fill(&s, last + 1 + i, IDS);
            assert_int_equal(om_journal_add(j, &s.entry, NULL), OM_OK);
            assert_int_equal(s.entry.sequence, last + 1 + i);
            assert_int_equal(om_journal_last(reader), last);
        }
        if (end)
            assert_int_equal(om_journal_commit(j, NULL), OM_OK);
        else
            om_journal_rollback(j);
        assert_int_equal(om_journal_last(j), last + (end ? 100 : 0));
        assert_int_equal(om_journal_last(reader), last + (end ? 100 : 0));
        assert_int_equal(count(reader, 0, 0, true).last, om_journal_last(j));
    }
    // Closed in the middle: as if it had not begun. A layer that only this
    // group knew is not known either.
    struct sample s;
    sample_fill(&s, 1, IDS);
    s.entry.layer = "never";
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_add(j, &s.entry, NULL), OM_OK);
    om_journal_close(j);
    j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(om_journal_last(j), last + 100);
    group(j, 3);
    assert_int_equal(count(j, 0, 0, true).seen, 108);
    om_journal_close(j);
    om_journal_close(reader);
    folder_remove(folder);
}

static void group_is_asked_for(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    struct sample s;
    sample_fill(&s, 1, IDS);
    assert_int_equal(om_journal_add(j, &s.entry, NULL), OM_E_INTERNAL);
    assert_int_equal(om_journal_commit(j, NULL), OM_E_INTERNAL);
    om_journal_rollback(j);
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_begin(j, NULL), OM_E_INTERNAL);
    om_journal_close(j);
    j = open_it(folder, OM_JOURNAL_READ);
    assert_int_equal(om_journal_begin(j, NULL), OM_E_INTERNAL);
    om_journal_close(j);
    folder_remove(folder);
}

static void reader_has_one_moment_in_a_view(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    group(j, 30);
    struct om_journal *reader = open_it(folder, OM_JOURNAL_READ);
    const uint64_t last = om_journal_last(j);
    bool more;
    assert_int_equal(om_journal_view(reader, NULL), OM_OK);
    group(j, 10);
    assert_int_equal(om_journal_trim(j, last - 3, 0, &more, NULL), OM_OK);
    assert_int_equal(om_journal_checkpoint(j, NULL), OM_OK);
    assert_int_equal(om_journal_last(reader), last);
    assert_int_equal(om_journal_floor(reader), FIRST - 1);
    assert_int_equal(count(reader, 0, 0, true).seen, 30);
    om_journal_view_end(reader);
    assert_int_equal(om_journal_last(reader), last + 10);
    assert_int_equal(om_journal_floor(reader), last - 3);
    assert_int_equal(count(reader, 0, 0, true).seen, 13);
    om_journal_close(reader);
    om_journal_close(j);
    folder_remove(folder);
}

/* Another process reads all the time, opening anew, while this one writes,
 * checkpoints and trims: it never sees half a group, nor a number go back. */
static void reader_of_another_process_sees_whole_groups(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    group(j, 10);
    const pid_t child = fork();
    if (child == 0) {
        uint64_t before = 0;
        for (;;) {
            struct om_journal *r = NULL;
            if (om_journal_open(folder, OM_JOURNAL_READ, 0, &r, NULL))
                _exit(10);
            for (int i = 0; i < 5; i++) {
                struct sample_count c = {.ids = IDS, .rows = true};
                if (om_journal_view(r, NULL)) _exit(11);
                const uint64_t last = om_journal_last(r);
                if (last < before || (last - FIRST + 1) % 10) _exit(12);
                if (om_journal_each(r, om_journal_floor(r), 0, true,
                                    sample_check, &c, NULL))
                    _exit(13);
                if (c.wrong || (c.seen && c.last != last)) _exit(14);
                om_journal_view_end(r);
                before = last;
            }
            if (om_journal_missing(r)) _exit(15);
            om_journal_close(r);
            if (before == FIRST - 1 + 10 * 301) _exit(0);
        }
    }
    for (unsigned i = 0; i < 300; i++) {
        bool more;
        group(j, 10);
        if (i % 20 == 0)
            assert_int_equal(om_journal_checkpoint(j, NULL), OM_OK);
        if (i % 30 == 0)
            assert_int_equal(
                om_journal_trim(j, om_journal_last(j) - 50, 0, &more, NULL),
                OM_OK);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    om_journal_close(j);
    folder_remove(folder);
}

/* Trimming in one go or in many, with what is left counted by hand. */
#define CELLS_MAX 100000
struct cells {
    size_t count;
    struct {
        char layer[16];
        unsigned level;
        uint64_t cell, sequence;
    } at[CELLS_MAX];
};
static bool cell_put(void *ctx, const char *layer, unsigned level,
                     uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    struct cells *c = ctx;
    assert_int_equal(at_ms, (int64_t)(1700000000000 + sequence));
    size_t i = 0;
    for (; i < c->count; i++)
        if (strcmp(c->at[i].layer, layer) == 0 && c->at[i].level == level &&
            c->at[i].cell == cell)
            break;
    if (i == c->count) c->count++;
    snprintf(c->at[i].layer, sizeof c->at[i].layer, "%s", layer);
    c->at[i].level = level;
    c->at[i].cell = cell;
    c->at[i].sequence = sequence;
    return true;
}

static bool cells_of_entry(void *ctx, const struct om_entry *e)
{
    if (e->old_cell != OM_NO_CELL)
        cell_put(ctx, e->layer, 18, e->old_cell, e->sequence, e->at_ms);
    if (e->new_cell == OM_NO_CELL) return true;
    if (!e->new_box.x1) {
        cell_put(ctx, e->layer, 18, e->new_cell, e->sequence, e->at_ms);
        return true;
    }
    for (uint32_t y = e->new_box.y0; y <= e->new_box.y1; y++)
        for (uint32_t x = e->new_box.x0; x <= e->new_box.x1; x++)
            cell_put(ctx, e->layer, 18, om_morton((struct om_pos){x, y}),
                     e->sequence, e->at_ms);
    return true;
}

static void trim_keeps_the_cells(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    struct cells *expected = calloc(1, sizeof *expected);
    struct cells *got = calloc(1, sizeof *got);
    for (unsigned i = 0; i < 30; i++) group(j, 20);
    const uint64_t last = om_journal_last(j);
    const int64_t clock = om_journal_clock(j);
    bool more;
    for (uint64_t to = FIRST + 50; to < last; to += 101)
        assert_int_equal(om_journal_trim(j, to, 0, &more, NULL), OM_OK);
    struct om_journal *source = open_it(folder, OM_JOURNAL_READ);
    // The history again, from its beginning, up to where it was cut.
    const uint64_t floor = om_journal_floor(j);
    for (uint64_t n = FIRST; n <= floor; n++) {
        struct sample s;
        sample_fill(&s, n, IDS);
        s.entry.sequence = n;
        cells_of_entry(expected, &s.entry);
    }
    assert_int_equal(om_journal_each_cell(source, cell_put, got, NULL), OM_OK);
    assert_int_equal(got->count, expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        size_t k = 0;
        while (k < got->count &&
               (strcmp(got->at[k].layer, expected->at[i].layer) != 0 ||
                got->at[k].cell != expected->at[i].cell))
            k++;
        assert_true(k < got->count);
        assert_int_equal(got->at[k].sequence, expected->at[i].sequence);
        assert_int_equal(got->at[k].level, 18);
    }
    assert_int_equal(count(j, 0, 0, true).seen, last - floor);
    // All of it: numbers go on, the clock stays.
    assert_int_equal(om_journal_trim(j, UINT64_MAX, 0, &more, NULL), OM_OK);
    assert_false(more);
    om_journal_close(source);
    om_journal_close(j);
    j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(om_journal_last(j), last);
    assert_int_equal(om_journal_floor(j), last);
    assert_int_equal(om_journal_clock(j), clock);
    group(j, 1);
    assert_int_equal(om_journal_last(j), last + 1);
    assert_int_equal(om_journal_verify(j, NULL), OM_OK);
    om_journal_close(j);
    free(expected);
    free(got);
    folder_remove(folder);
}

static void trim_is_bounded_work(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    for (int i = 0; i < 5; i++) group(j, 5000);
    const uint64_t last = om_journal_last(j);
    bool more = true;
    int calls = 0;
    uint64_t floor = om_journal_floor(j);
    while (more) {
        assert_int_equal(om_journal_trim(j, last, 0, &more, NULL), OM_OK);
        assert_true(om_journal_floor(j) > floor);
        floor = om_journal_floor(j);
        calls++;
    }
    assert_true(calls > 1);
    assert_int_equal(floor, last);
    om_journal_close(j);
    folder_remove(folder);
}

struct whole {
    unsigned boxes, whole, far;
};
static bool count_levels(void *ctx, const char *layer, unsigned level,
                         uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    struct whole *w = ctx;
    (void)sequence;
    (void)at_ms;
    if (level == 0) {
        assert_string_equal(layer, "road");
        assert_int_equal(cell, 0);
        w->whole++;
    } else if (level < 18) {
        w->far++;
    } else {
        w->boxes++;
    }
    return true;
}

static void trim_folds_far_shapes_and_commits(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    struct om_entry e = {.kind = OM_ENTRY_INSERT,
                         .layer = "road",
                         .id = "a",
                         .id_len = 1,
                         .old_cell = OM_NO_CELL,
                         .new_cell = 77,
                         .new_box = {1000, 2000, 3000, 2100}};
    bool more;
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_add(j, &e, NULL), OM_OK);
    e = (struct om_entry){.kind = OM_ENTRY_COMMIT,
                          .layer = "road",
                          .old_cell = OM_NO_CELL,
                          .new_cell = OM_NO_CELL,
                          .commit = 5};
    assert_int_equal(om_journal_add(j, &e, NULL), OM_OK);
    assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    assert_int_equal(om_journal_trim(j, UINT64_MAX, 0, &more, NULL), OM_OK);
    struct whole w = {0};
    assert_int_equal(om_journal_each_cell(j, count_levels, &w, NULL), OM_OK);
    assert_int_equal(w.whole, 1);
    assert_int_equal(w.boxes, 0);
    assert_in_range(w.far, 1, 64);
    assert_int_equal(om_journal_commit_noted(j), 5);
    om_journal_close(j);
    folder_remove(folder);
}

static void key_is_remembered_with_its_group(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    struct om_journal_key key = {.key = "hazard/7f",
                                 .request_hash = UINT64_MAX - 3,
                                 .first = 41,
                                 .last = 43,
                                 .taken = 3,
                                 .refused = 1,
                                 .at_ms = 1000};
    struct om_journal_key got;
    bool found, more;
    assert_int_equal(om_journal_key_find(j, key.key, &got, &found, NULL),
                     OM_OK);
    assert_false(found);
    assert_int_equal(om_journal_key_add(j, &key, NULL), OM_E_INTERNAL);
    for (int commit = 0; commit < 2; commit++) {
        assert_int_equal(om_journal_begin(j, NULL), OM_OK);
        assert_int_equal(om_journal_key_add(j, &key, NULL), OM_OK);
        if (commit)
            assert_int_equal(om_journal_commit(j, NULL), OM_OK);
        else
            om_journal_rollback(j);
        assert_int_equal(om_journal_key_find(j, key.key, &got, &found, NULL),
                         OM_OK);
        assert_int_equal(found, commit);
    }
    om_journal_close(j);
    j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(om_journal_key_find(j, key.key, &got, &found, NULL),
                     OM_OK);
    assert_true(found);
    assert_string_equal(got.key, key.key);
    assert_true(got.request_hash == key.request_hash);
    assert_int_equal(got.first, 41);
    assert_int_equal(got.last, 43);
    assert_int_equal(got.taken, 3);
    assert_int_equal(got.refused, 1);
    assert_int_equal(got.at_ms, 1000);
    assert_int_equal(om_journal_trim(j, 0, 1000, &more, NULL), OM_OK);
    assert_int_equal(om_journal_key_find(j, key.key, &got, &found, NULL),
                     OM_OK);
    assert_true(found);
    assert_int_equal(om_journal_trim(j, 0, 1001, &more, NULL), OM_OK);
    assert_int_equal(om_journal_key_find(j, key.key, &got, &found, NULL),
                     OM_OK);
    assert_false(found);
    om_journal_close(j);
    folder_remove(folder);
}

static void lock_is_for_one_process(void **state)
{
    (void)state;
    char *folder = folder_make();
    int ready[2], go[2], fd = -1;
    char byte = 0, word[32];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (om_journal_lock(folder, &fd, NULL)) _exit(1);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(2);
        _exit(0);  // as kill -9 would: nothing is given back by hand
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct om_err err = {0};
    assert_int_equal(om_journal_lock(folder, &fd, &err), OM_E_BUSY);
    snprintf(word, sizeof word, "process %ld", (long)child);
    assert_non_null(strstr(err.text, word));
    assert_int_equal(write(go[1], &byte, 1), 1);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(om_journal_lock(folder, &fd, &err), OM_OK);
    close(fd);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
    folder_remove(folder);
}

static void copy_is_a_journal(void **state)
{
    (void)state;
    char *folder = folder_make(), *other = folder_make(), path[512];
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    group(j, 100);
    struct om_journal *reader = open_it(folder, OM_JOURNAL_READ);
    const uint64_t last = om_journal_last(reader);
    snprintf(path, sizeof path, "%s/journal.db", other);
    assert_int_equal(om_journal_copy(reader, path, NULL), OM_OK);
    group(j, 100);
    // No log beside it, and it goes on from where it was.
    snprintf(path, sizeof path, "%s/journal.db-wal", other);
    assert_int_not_equal(access(path, F_OK), 0);
    struct om_journal *copy = open_it(other, OM_JOURNAL_WRITE);
    assert_int_equal(om_journal_last(copy), last);
    assert_int_equal(om_journal_verify(copy, NULL), OM_OK);
    group(copy, 7);
    assert_int_equal(count(copy, 0, 0, true).seen, 107);
    om_journal_close(copy);
    om_journal_close(reader);
    om_journal_close(j);
    folder_remove(folder);
    folder_remove(other);
}

static void sql(const char *folder, const char *text)
{
    char path[512];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/journal.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void error_of_opening(const char *folder, om_status st, const char *word)
{
    for (int mode = 0; mode < 2; mode++) {
        struct om_journal *j = NULL;
        struct om_err err = {0};
        assert_int_equal(om_journal_open(folder, (enum om_journal_mode)mode,
                                         FIRST, &j, &err),
                         st);
        if (!strstr(err.text, word)) fail_msg("%s", err.text);
    }
}

static void error_none_or_another_or_a_later_one(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = NULL;
    struct om_err err = {0};
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_READ, 0, &j, &err),
                     OM_E_NOTFOUND);
    assert_int_equal(
        om_journal_open("/nowhere/at/all", OM_JOURNAL_WRITE, 1, &j, &err),
        OM_E_IO);
    j = open_it(folder, OM_JOURNAL_WRITE);
    om_journal_close(j);
    sql(folder, "PRAGMA user_version=3");
    error_of_opening(folder, OM_E_VERSION, "another version");
    sql(folder, "PRAGMA user_version=1;PRAGMA application_id=7");
    error_of_opening(folder, OM_E_DAMAGED, "not a journal");
    char path[512];
    snprintf(path, sizeof path, "%s/journal.db", folder);
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 500; i++) fputs("something else ", file);
    fclose(file);
    error_of_opening(folder, OM_E_DAMAGED, "not a database");
    folder_remove(folder);
}

/* One value of one row of each table is another: it is found, and named. */
static void error_a_changed_value_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool open, verify;  // whether they say so
    } CASE[] = {
        {"UPDATE entry SET at_ms=at_ms+1 WHERE sequence=50", false, true},
        {"UPDATE entry SET id='x' WHERE sequence=60", false, true},
        {"UPDATE entry SET new_cell=8 WHERE sequence=61", false, true},
        {"UPDATE entry SET kind=9 WHERE sequence=61", false, true},
        {"DELETE FROM entry WHERE sequence=60", false, true},
        {"UPDATE meta SET floor=floor+1", true, true},
        {"UPDATE layer SET name='hazarb' WHERE name='hazard'", true, true},
        {"DELETE FROM layer", false, true},
        {"UPDATE row SET new=x'00' WHERE new IS NOT NULL AND sequence="
         "(SELECT max(sequence) FROM row WHERE new IS NOT NULL)",
         false, true},
        {"DELETE FROM row WHERE sequence=(SELECT max(sequence) FROM row)",
         false, true},
        {"UPDATE key SET taken=9", false, true},
        {"UPDATE cell SET sequence=sequence+1", false, true},
        {"DELETE FROM entry WHERE sequence>100", true, true},
        {"DELETE FROM entry", true, true},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char *folder = folder_make();
        bool more;
        struct om_err err = {0};
        struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
        group(j, 100);
        assert_int_equal(om_journal_trim(j, 45, 0, &more, NULL), OM_OK);
        struct om_journal_key key = {.key = "k"};
        assert_int_equal(om_journal_begin(j, NULL), OM_OK);
        assert_int_equal(om_journal_key_add(j, &key, NULL), OM_OK);
        assert_int_equal(om_journal_commit(j, NULL), OM_OK);
        om_journal_close(j);
        sql(folder, CASE[i].sql);
        j = NULL;
        const om_status st =
            om_journal_open(folder, OM_JOURNAL_WRITE, FIRST, &j, &err);
        if (st != (CASE[i].open ? OM_E_DAMAGED : OM_OK))
            fail_msg("%s: %d %s", CASE[i].sql, st, err.text);
        om_journal_close(j);
        j = NULL;
        om_status seen =
            om_journal_open(folder, OM_JOURNAL_READ, FIRST, &j, &err);
        if (!seen) seen = om_journal_verify(j, &err);
        if (seen != (CASE[i].verify ? OM_E_DAMAGED : OM_OK))
            fail_msg("%s: %d %s", CASE[i].sql, seen, err.text);
        assert_non_null(strstr(err.text, "journal.db"));
        om_journal_close(j);
        folder_remove(folder);
    }
}

static void error_what_was_acknowledged_is_missed(void **state)
{
    (void)state;
    char *folder = folder_make(), path[512];
    struct om_err err = {0};
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    group(j, 10);
    om_journal_close(j);
    snprintf(path, sizeof path, "%s/journal.db", folder);
    // Emptied, and gone.
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            assert_int_equal(truncate(path, 0), 0);
        else
            assert_int_equal(unlink(path), 0);
        assert_true(om_journal_exists(folder));
        error_of_opening(folder, OM_E_DAMAGED, "up to number 50");
    }
    // As the sentence says.
    snprintf(path, sizeof path, "%s/journal.mark", folder);
    assert_int_equal(unlink(path), 0);
    j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(om_journal_last(j), FIRST - 1);
    om_journal_close(j);
    folder_remove(folder);
    (void)err;
}

static void fault_no_memory_anywhere(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    group(j, 20);
    om_journal_close(j);
    const size_t live = om_alloc_live();
    bool finished = false;
    for (size_t n = 1; !finished; n++) {
        j = NULL;
        om_alloc_fail_after(n, false);
        om_status st = om_journal_open(folder, OM_JOURNAL_WRITE, 0, &j, NULL);
        const uint64_t last = j ? om_journal_last(j) : 0;
        bool more;
        if (!st) st = sample_group(j, 2000, 100000, NULL);
        if (!st) finished = true;
        om_alloc_fail_after(0, false);
        if (st) assert_int_equal(st, OM_E_MEMORY);
        if (j && st) {
            assert_int_equal(om_journal_last(j), last);
            assert_int_equal(sample_group(j, 3, IDS, NULL), OM_OK);
        }
        if (j)
            assert_int_equal(om_journal_trim(j, UINT64_MAX, 0, &more, NULL),
                             OM_OK);
        om_journal_close(j);
        assert_int_equal(om_alloc_live(), live);
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_of_every_entry),
        cmocka_unit_test(round_trip_of_clock_and_commits),
        cmocka_unit_test(group_is_all_or_nothing),
        cmocka_unit_test(group_is_asked_for),
        cmocka_unit_test(reader_has_one_moment_in_a_view),
        cmocka_unit_test(reader_of_another_process_sees_whole_groups),
        cmocka_unit_test(trim_keeps_the_cells),
        cmocka_unit_test(trim_is_bounded_work),
        cmocka_unit_test(trim_folds_far_shapes_and_commits),
        cmocka_unit_test(key_is_remembered_with_its_group),
        cmocka_unit_test(lock_is_for_one_process),
        cmocka_unit_test(copy_is_a_journal),
        cmocka_unit_test(error_none_or_another_or_a_later_one),
        cmocka_unit_test(error_a_changed_value_is_found),
        cmocka_unit_test(error_what_was_acknowledged_is_missed),
        cmocka_unit_test(fault_no_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
