/* Rows of a journal that are packed.
 *
 * Plan
 *   same_*    a journal with packs is, for whoever reads, trims or copies it,
 *             the one in which each row is an entry
 *   ahead_*   what is written ahead is not there until it is added, and goes
 *             when it never is
 *   error_*   what is no pack, and every kind of damage
 *   mend_*    of a damaged pack nothing else is lost
 *   older_*   a journal of the version before packs
 *   fault_*   an allocation fails
 *
 * What a dying disk does to them: test_journal_faults.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "data/base/alloc.h"

#define GROUP 40
#define SAMPLE_PACK GROUP
#include "tests/data/journal_sample.h"

#define IDS 50

static struct om_journal *open_it(const char *folder, enum om_journal_mode mode)
{
    struct om_journal *j = NULL;
    struct om_err err = {0};
    if (om_journal_open(folder, mode, 1, &j, &err)) fail_msg("%s", err.text);
    return j;
}

/* The same history, packed where it is to be, or entry by entry. */
static void write_on(struct om_journal *j, unsigned groups, bool packed)
{
    for (unsigned g = 0; g < groups; g++) {
        if (packed) {
            assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
            continue;
        }
        const uint64_t next = om_journal_last(j) + 1;
        assert_int_equal(om_journal_begin(j, NULL), OM_OK);
        for (unsigned i = 0; i < GROUP; i++) {
            struct sample s;
            sample_fill(&s, next + i, IDS);
            assert_int_equal(om_journal_add(j, &s.entry, NULL), OM_OK);
        }
        assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    }
}

/* ---- the same ---- */

static struct sample_count count(struct om_journal *j, uint64_t after,
                                 uint64_t limit, bool rows)
{
    struct sample_count c = {.ids = IDS, .rows = rows};
    struct om_err err = {0};
    if (om_journal_each(j, after, limit, rows, sample_check, &c, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.wrong, 0);
    return c;
}

struct cells {
    size_t count;
    uint64_t hash;
};
static bool add_cell(void *ctx, const char *layer, unsigned level,
                     uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    struct cells *c = ctx;
    const uint64_t all = (uint64_t)layer[0] ^ cell * 31 ^ level * 77 ^
                         sequence << 20 ^ (uint64_t)at_ms << 40;
    c->count++;
    c->hash += all * UINT64_C(0x9e3779b97f4a7c15);
    return true;
}
static struct cells cells_of(struct om_journal *j)
{
    struct cells c = {0};
    assert_int_equal(om_journal_each_cell(j, add_cell, &c, NULL), OM_OK);
    return c;
}

static void compare(struct om_journal *a, struct om_journal *b)
{
    const uint64_t last = om_journal_last(a), floor = om_journal_floor(a);
    assert_int_equal(om_journal_last(b), last);
    assert_int_equal(om_journal_clock(a), om_journal_clock(b));
    for (uint64_t after = floor; after <= last; after += 1 + after % 7)
        for (int i = 0; i < 4; i++) {
            const uint64_t limit[] = {0, 1, GROUP, 2 * GROUP + 3};
            uint64_t most = last - after;
            if (limit[i] && limit[i] < most) most = limit[i];
            const struct sample_count c = count(a, after, limit[i], i % 2);
            assert_int_equal(c.seen, most);
            assert_true(!most || c.last == after + most);
        }
    assert_int_equal(om_journal_verify(a, NULL), OM_OK);
}

static void same_as_entry_by_entry(void **state)
{
    (void)state;
    char *folder[2] = {folder_make(), folder_make()};
    struct om_journal *j[2], *reader;
    for (int i = 0; i < 2; i++) j[i] = open_it(folder[i], OM_JOURNAL_WRITE);
    reader = open_it(folder[0], OM_JOURNAL_READ);
    for (unsigned round = 0; round < 5; round++) {
        for (int i = 0; i < 2; i++) write_on(j[i], 7, i == 0);
        compare(j[0], j[1]);
        compare(reader, j[1]);
        // Somewhere: what is packed goes as a whole, so a little less may go.
        bool more;
        const uint64_t to = om_journal_floor(j[0]) + 3 * GROUP + 17;
        assert_int_equal(om_journal_trim(j[0], to, 0, &more, NULL), OM_OK);
        const uint64_t floor = om_journal_floor(j[0]);
        assert_in_range(floor, to - GROUP + 1, to);
        assert_true(floor == to || sample_pack_of(floor + 1) == floor + 1);
        assert_int_equal(om_journal_trim(j[1], floor, 0, &more, NULL), OM_OK);
        const struct cells a = cells_of(j[0]), b = cells_of(j[1]);
        assert_int_equal(a.count, b.count);
        assert_int_equal(a.hash, b.hash);
        if (round % 2) {
            om_journal_close(j[0]);
            j[0] = open_it(folder[0], OM_JOURNAL_WRITE);
        }
        compare(j[0], j[1]);
    }
    om_journal_close(reader);
    for (int i = 0; i < 2; i++) {
        om_journal_close(j[i]);
        folder_remove(folder[i]);
    }
}

static void same_in_a_copy(void **state)
{
    (void)state;
    char *folder = folder_make(), *other = folder_make(), path[512];
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE), *r, *copy;
    write_on(j, 9, true);
    r = open_it(folder, OM_JOURNAL_READ);
    snprintf(path, sizeof path, "%s/journal.db", other);
    assert_int_equal(om_journal_copy(r, path, NULL), OM_OK);
    copy = open_it(other, OM_JOURNAL_READ);
    compare(copy, j);
    om_journal_close(copy);
    om_journal_close(r);
    om_journal_close(j);
    folder_remove(other);
    folder_remove(folder);
}

/* ---- ahead ---- */

static int64_t ask(const char *folder, const char *text)
{
    char path[512];
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    snprintf(path, sizeof path, "%s/journal.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
    const int64_t value =
        sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;
    sqlite3_finalize(row);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

/* One pack of `rows`, in a group of its own. */
static uint64_t pack_ahead(struct om_journal *j, unsigned rows,
                           struct om_buf *was)
{
    struct om_buf pack = {0};
    uint64_t id = 0;
    for (unsigned i = 0; i < rows; i++) {
        struct sample s;
        sample_fill(&s, 2 * GROUP + 1 + i, IDS);  // that is packed
        assert_int_equal(om_pack_add(&pack, &s.entry), OM_OK);
        assert_int_equal(om_pack_add_was(was, &s.entry), OM_OK);
    }
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_pack(j, &pack, &id, NULL), OM_OK);
    assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    om_buf_deinit(&pack);
    return id;
}

static void ahead_is_not_there(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_buf was = {0};
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    struct om_journal *reader = open_it(folder, OM_JOURNAL_READ);
    write_on(j, 2, true);
    uint64_t id[3];
    for (int i = 0; i < 3; i++) {
        om_buf_clear(&was);
        id[i] = pack_ahead(j, GROUP, &was);
    }
    struct sample s;
    for (int i = 0; i < 2; i++) {
        struct om_journal *at = i ? reader : j;
        assert_int_equal(om_journal_last(at), 2 * GROUP);
        assert_int_equal(count(at, 0, 0, true).seen, 2 * GROUP);
        assert_int_equal(om_journal_verify(at, NULL), OM_OK);
    }
    // One is dropped; one is added, and taken back.
    assert_int_equal(om_journal_drop_packs(j, id, 1, NULL), OM_OK);
    assert_int_equal(ask(folder, "SELECT count(*) FROM pack"), 2);
    sample_fill(&s, 3 * GROUP, IDS);
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_add_pack(j, &s.entry, id[1], GROUP, &was, NULL),
                     OM_OK);
    assert_int_equal(s.entry.sequence, 2 * GROUP + 1);
    om_journal_rollback(j);
    assert_int_equal(om_journal_last(j), 2 * GROUP);
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    assert_int_equal(om_journal_add_pack(j, &s.entry, id[1], GROUP, &was, NULL),
                     OM_OK);
    assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    assert_int_equal(count(reader, 0, 0, true).seen, 3 * GROUP);
    // The third never is: whoever writes next removes it, and no other.
    om_journal_close(j);
    assert_int_equal(ask(folder, "SELECT count(*) FROM pack"), 2);
    j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(ask(folder, "SELECT count(*) FROM pack"), 1);
    assert_int_equal(count(j, 0, 0, true).seen, 3 * GROUP);
    // When the rows are let go the pack goes, too.
    bool more;
    assert_int_equal(om_journal_trim(j, UINT64_MAX, 0, &more, NULL), OM_OK);
    assert_false(more);
    assert_int_equal(om_journal_floor(j), 3 * GROUP);
    assert_int_equal(ask(folder, "SELECT count(*) FROM pack"), 0);
    om_journal_close(reader);
    om_journal_close(j);
    om_buf_deinit(&was);
    folder_remove(folder);
}

/* ---- what is wrong ---- */

static void error_of_what_is_no_pack(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_buf was = {0};
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    uint64_t id = pack_ahead(j, GROUP, &was);
    struct sample s;
    sample_fill(&s, 1, IDS);
    assert_int_equal(om_journal_add_pack(j, &s.entry, id, GROUP, &was, NULL),
                     OM_E_INTERNAL);  // no group
    for (int i = 0; i < 4; i++) {
        const uint64_t number[] = {id + 1, id - 1, id, id};
        const size_t rows[] = {GROUP, GROUP, 0, OM_PACK_ROWS + 1};
        assert_int_equal(om_journal_begin(j, NULL), OM_OK);
        assert_int_equal(
            om_journal_add_pack(j, &s.entry, number[i], rows[i], &was, NULL),
            OM_E_INTERNAL);
        om_journal_rollback(j);
    }
    // One of before it was opened again is gone.
    om_journal_close(j);
    j = open_it(folder, OM_JOURNAL_WRITE);
    (void)pack_ahead(j, GROUP, &was);
    om_journal_close(j);
    om_buf_deinit(&was);
    folder_remove(folder);
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

static void error_damage_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool open;  // whether who opens it for writing says so
    } CASE[] = {
        {"UPDATE pack SET mark=mark+1 WHERE id=1", false},
        {"UPDATE pack SET bytes=x'00' WHERE id=1", false},
        {"UPDATE pack SET bytes=bytes||x'00' WHERE id=1", false},
        {"UPDATE pack SET bytes=(SELECT bytes FROM pack WHERE id=2) WHERE id=1",
         false},
        {"UPDATE pack SET id=9 WHERE id=1", false},
        {"UPDATE entry SET noted=2 WHERE sequence=81", false},
        {"UPDATE entry SET has=39 WHERE sequence=81", false},
        {"UPDATE entry SET has=41 WHERE sequence=81", false},
        {"UPDATE entry SET has=0 WHERE sequence=81", false},
        {"UPDATE entry SET reach=x'00' WHERE sequence=81", false},
        {"UPDATE entry SET reach=NULL WHERE sequence=81", false},
        {"UPDATE entry SET at_ms=at_ms+1 WHERE sequence=81", false},
        {"UPDATE entry SET who='x' WHERE sequence=81", false},
        {"UPDATE entry SET kind=1 WHERE sequence=81", false},
        // The last one says how far numbers go.
        {"UPDATE entry SET has=41 WHERE sequence=201", true},
        {"UPDATE entry SET has=39 WHERE sequence=201", true},
        {"UPDATE entry SET clock_s=5 WHERE sequence=201", true},
        {"DELETE FROM entry WHERE sequence=201", true},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char *folder = folder_make();
        struct om_err err = {0};
        struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
        write_on(j, 6, true);  // 81 to 120 and 201 to 240 are packed
        om_journal_close(j);
        assert_int_equal(ask(folder, "SELECT count(*) FROM pack"), 2);
        sql(folder, CASE[i].sql);
        for (int mode = 0; mode < 2; mode++) {
            j = NULL;
            om_status st = om_journal_open(folder, (enum om_journal_mode)mode,
                                           1, &j, &err);
            if (mode == OM_JOURNAL_WRITE)
                assert_int_equal(st, CASE[i].open ? OM_E_DAMAGED : OM_OK);
            if (!st) st = om_journal_verify(j, &err);
            if (st != OM_E_DAMAGED)
                fail_msg("%s: %d %s", CASE[i].sql, st, err.text);
            assert_non_null(strstr(err.text, "journal.db"));
            // What comes before it can be read.
            struct sample_count c = {.ids = IDS, .rows = true};
            if (j && !CASE[i].open)
                assert_int_equal(
                    om_journal_each(j, 0, 0, true, sample_check, &c, NULL),
                    OM_E_DAMAGED);
            if (j && !CASE[i].open) assert_int_equal(c.seen, 2 * GROUP);
            assert_int_equal(c.wrong, 0);
            om_journal_close(j);
        }
        folder_remove(folder);
    }
}

static void note_lost(void *ctx, uint64_t sequence, const char *layer,
                      const char *id, size_t id_len)
{
    (void)layer;
    (void)id;
    (void)id_len;
    assert_in_range(sequence, 2 * GROUP + 1, 3 * GROUP);
    ++*(size_t *)ctx;
}

static bool check_mended(void *ctx, const struct om_entry *e)
{
    const bool lost = e->sequence > 2 * GROUP && e->sequence <= 3 * GROUP;
    if (lost || e->sequence > 6 * GROUP)
        assert_int_equal(e->kind, OM_ENTRY_COMMIT);
    else
        assert_true(sample_same(e, e->sequence, IDS, true));
    ++*(size_t *)ctx;
    return true;
}

static void mend_loses_no_other_row(void **state)
{
    (void)state;
    static const char *const SQL[] = {
        "UPDATE pack SET mark=mark+1 WHERE id=1",
        "DELETE FROM pack WHERE id=1",
        "UPDATE entry SET who='x' WHERE sequence=81",
        "DELETE FROM entry WHERE sequence=81",
    };
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++) {
        char *folder = folder_make();
        struct om_manifest m = {.sequence = 1};
        struct om_journal_mended mended;
        struct om_err err = {0};
        size_t lost = 0, seen = 0;
        struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
        write_on(j, 6, true);
        om_journal_remember(j, &m);
        om_journal_close(j);
        assert_int_equal(om_manifest_write(folder, &m, NULL), OM_OK);
        sql(folder, SQL[i]);
        if (om_journal_mend(folder, note_lost, &lost, &mended, &err))
            fail_msg("%s", err.text);
        assert_int_equal(lost, GROUP);
        assert_int_equal(mended.lost, GROUP);
        assert_int_equal(mended.kept, 5 * GROUP);
        j = open_it(folder, OM_JOURNAL_WRITE);
        assert_int_equal(om_journal_verify(j, NULL), OM_OK);
        assert_int_equal(
            om_journal_each(j, 0, 0, true, check_mended, &seen, NULL), OM_OK);
        assert_true(seen > 6 * GROUP);
        om_journal_close(j);
        char command[600];
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        assert_int_equal(system(command), 0);
        free(folder);
    }
}

/* ---- before there were packs ---- */

static void older_is_read_and_moves_on(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    write_on(j, 2, true);
    om_journal_close(j);
    sql(folder, "DROP INDEX packed;DROP TABLE pack;PRAGMA user_version=1");
    // Who only reads leaves it as it is.
    struct om_journal *reader = open_it(folder, OM_JOURNAL_READ);
    assert_int_equal(count(reader, 0, 0, true).seen, 2 * GROUP);
    assert_int_equal(om_journal_verify(reader, NULL), OM_OK);
    assert_int_equal(ask(folder, "PRAGMA user_version"), 1);
    // Who writes moves it on, beside readers.
    j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(ask(folder, "PRAGMA user_version"), 2);
    write_on(j, 4, true);
    assert_int_equal(count(j, 0, 0, true).seen, 6 * GROUP);
    assert_int_equal(count(reader, 0, 0, true).seen, 6 * GROUP);
    om_journal_close(reader);
    om_journal_close(j);
    // A table that belongs to the later form makes it neither.
    sql(folder, "PRAGMA user_version=1");
    struct om_err err = {0};
    for (int mode = 0; mode < 2; mode++) {
        j = NULL;
        assert_int_equal(
            om_journal_open(folder, (enum om_journal_mode)mode, 1, &j, &err),
            OM_E_DAMAGED);
    }
    folder_remove(folder);
}

static void fault_no_memory_anywhere(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    write_on(j, 2, true);
    om_journal_close(j);
    const size_t live = om_alloc_live();
    bool finished = false;
    for (size_t n = 1; !finished; n++) {
        j = NULL;
        struct sample_count c = {.ids = IDS, .rows = true};
        om_alloc_fail_after(n, false);
        om_status st = om_journal_open(folder, OM_JOURNAL_WRITE, 1, &j, NULL);
        if (!st) st = sample_group(j, GROUP, IDS, NULL);
        if (!st) st = om_journal_each(j, 0, 0, true, sample_check, &c, NULL);
        finished = !st;
        om_alloc_fail_after(0, false);
        if (st) assert_int_equal(st, OM_E_MEMORY);
        assert_int_equal(c.wrong, 0);
        if (j) {
            // All of the group, or nothing: then it can be written again.
            const uint64_t last = om_journal_last(j);
            assert_true(last == 2 * GROUP || last == 3 * GROUP);
            if (last == 2 * GROUP)
                assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
            assert_int_equal(count(j, 0, 0, true).seen, 3 * GROUP);
        }
        om_journal_close(j);
        if (j) {
            sql(folder, "DELETE FROM entry WHERE sequence>80;DELETE FROM pack");
            char path[512];
            snprintf(path, sizeof path, "%s/journal.mark", folder);
            unlink(path);
        }
        assert_int_equal(om_alloc_live(), live);
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_entry_by_entry),
        cmocka_unit_test(same_in_a_copy),
        cmocka_unit_test(ahead_is_not_there),
        cmocka_unit_test(error_of_what_is_no_pack),
        cmocka_unit_test(error_damage_is_found),
        cmocka_unit_test(mend_loses_no_other_row),
        cmocka_unit_test(older_is_read_and_moves_on),
        cmocka_unit_test(fault_no_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
