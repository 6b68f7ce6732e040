/* A damaged journal made anew, and the one that city.json knows.
 *
 * Plan
 *   mend_*    of any damage all that is sound stays, with its number; the rest
 *             is told, and no number is given twice
 *   known_*   gone, another, older: found out
 *   fault_*   without memory nothing is lost, and the next call does it
 */
#include "data/city/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/db.h"
#include "tests/data/journal_sample.h"

#define FIRST 11
#define LAST 110
#define FLOOR 45
#define IDS 20

static void clear(const char *folder)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void file_in(const char *folder, const char *name, char out[600])
{
    snprintf(out, 600, "%s/%s", folder, name);
}

static void write_manifest(const char *folder, const struct om_manifest *m)
{
    assert_int_equal(om_manifest_write(folder, m, NULL), OM_OK);
}

static void run_sql(const char *folder, const char *text)
{
    char path[600];
    struct om_db *db = NULL;
    file_in(folder, "journal.db", path);
    assert_int_equal(om_db_open(path, OM_DB_WRITE, &db, NULL), OM_OK);
    assert_int_equal(om_db_run(db, text, NULL), OM_OK);
    om_db_close(db);
}

/* A city with entries FIRST to LAST, of which those up to FLOOR have gone, and
 * a key. city.json knows of them. */
static char *make_city(void)
{
    char *folder = folder_make();
    struct om_manifest m = {.sequence = 3};
    struct om_journal *j = NULL;
    bool more;
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_WRITE, FIRST, &j, NULL),
                     OM_OK);
    assert_int_equal(om_journal_begin(j, NULL), OM_OK);
    for (uint64_t n = FIRST; n <= LAST; n++) {
        struct sample s;
        sample_fill(&s, n, IDS);
        assert_int_equal(om_journal_add(j, &s.entry, NULL), OM_OK);
    }
    const struct om_journal_key key = {
        .key = "k", .request_hash = 5, .taken = 2, .created = 1};
    assert_int_equal(om_journal_key_add(j, &key, NULL), OM_OK);
    assert_int_equal(om_journal_commit(j, NULL), OM_OK);
    assert_int_equal(om_journal_trim(j, FLOOR, 0, &more, NULL), OM_OK);
    om_journal_remember(j, &m);
    assert_int_equal(m.journal_last, LAST);
    om_journal_close(j);
    write_manifest(folder, &m);
    return folder;
}

struct lost {
    size_t count, named;
    bool is[200];
};

static void note_lost(void *ctx, uint64_t sequence, const char *layer,
                      const char *id, size_t id_len)
{
    struct lost *l = ctx;
    assert_in_range(sequence, FIRST, 199);
    assert_false(l->is[sequence]);
    l->is[sequence] = true;
    l->count++;
    if (!layer) return;
    struct sample s;
    sample_fill(&s, sequence, IDS);
    assert_string_equal(layer, s.entry.layer);
    assert_int_equal(id_len, s.entry.id_len);
    assert_memory_equal(id, s.entry.id, id_len);
    l->named++;
}

struct checking {
    const struct lost *lost;
    uint64_t kept, last;
};

/* What was kept is what was written; a note says that all may have changed. */
static bool check_entry(void *ctx, const struct om_entry *e)
{
    struct checking *c = ctx;
    c->last = e->sequence;
    const bool note = e->kind == OM_ENTRY_COMMIT && e->layer[0] == '\0';
    if (e->sequence <= LAST && !c->lost->is[e->sequence]) {
        assert_true(sample_same(e, e->sequence, IDS, true));
        c->kept++;
    } else {
        assert_true(note);
    }
    return true;
}

static void check_mended(const char *folder, const struct lost *lost,
                         const struct om_journal_mended *mended)
{
    struct om_manifest m = {0};
    struct om_journal *j = NULL;
    struct om_err err = {0};
    struct checking c = {.lost = lost};
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_READ, 0, &j, &err),
                     OM_OK);
    if (om_journal_verify(j, &err)) fail_msg("%s", err.text);
    assert_int_equal(om_journal_check(folder, &m, j, &err), OM_OK);
    assert_int_equal(om_journal_each(j, 0, 0, true, check_entry, &c, &err),
                     OM_OK);
    assert_int_equal(c.kept, mended->kept);
    assert_int_equal(c.last, mended->last);
    assert_true(mended->last > LAST);
    assert_int_equal(lost->count, mended->lost);
    om_journal_close(j);
    om_manifest_deinit(&m);
}

static void mend_keeps_all_that_is_sound(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        size_t lost, named;
    } CASE[] = {
        {"UPDATE entry SET at_ms=at_ms+1 WHERE sequence=50", 1, 0},
        {"UPDATE entry SET id='x' WHERE sequence IN (60,61,110)", 3, 0},
        {"UPDATE entry SET kind=9 WHERE sequence=46", 1, 0},
        {"UPDATE entry SET layer=77 WHERE sequence=48", 1, 0},
        {"UPDATE entry SET sequence=999999999999 WHERE sequence=70", 1, 0},
        {"UPDATE entry SET sequence=-5 WHERE sequence=70", 1, 0},
        {"DELETE FROM entry WHERE sequence=60", 1, 0},
        {"DELETE FROM entry WHERE sequence>100", 10, 0},
        {"DELETE FROM entry", LAST - FLOOR, 0},
        {"UPDATE row SET new=x'00' WHERE sequence IN (SELECT sequence FROM row "
         "WHERE new IS NOT NULL LIMIT 2)",
         2, 2},
        {"DELETE FROM row WHERE sequence=(SELECT max(sequence) FROM row)", 1,
         1},
        {"DELETE FROM layer", LAST - FLOOR, 0},
        {"UPDATE key SET taken=9", 0, 0},
        {"UPDATE cell SET sequence=sequence+1", 0, 0},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char *folder = make_city();
        struct lost lost = {0};
        struct om_journal_mended mended;
        struct om_err err = {0};
        run_sql(folder, CASE[i].sql);
        if (om_journal_mend(folder, note_lost, &lost, &mended, &err))
            fail_msg("%s: %s", CASE[i].sql, err.text);
        if (lost.count != CASE[i].lost || lost.named != CASE[i].named)
            fail_msg("%s: %zu lost, %zu of them named", CASE[i].sql, lost.count,
                     lost.named);
        assert_true(mended.aside[0] && !mended.gone);
        check_mended(folder, &lost, &mended);
        // A second time there is nothing to do.
        struct om_journal_mended again;
        assert_int_equal(
            om_journal_mend(folder, note_lost, &lost, &again, &err), OM_OK);
        assert_string_equal(again.aside, "");
        clear(folder);
        free(folder);
    }
}

static void mend_keeps_the_key(void **state)
{
    (void)state;
    char *folder = make_city();
    struct lost lost = {0};
    struct om_journal_mended mended;
    struct om_journal *j = NULL;
    struct om_journal_key key;
    bool found;
    run_sql(folder, "DELETE FROM entry WHERE sequence=60");
    assert_int_equal(om_journal_mend(folder, note_lost, &lost, &mended, NULL),
                     OM_OK);
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_READ, 0, &j, NULL),
                     OM_OK);
    assert_int_equal(om_journal_key_find(j, "k", &key, &found, NULL), OM_OK);
    assert_true(found);
    assert_int_equal(key.request_hash, 5);
    assert_int_equal(key.taken, 2);
    assert_int_equal(key.created, 1);
    om_journal_close(j);
    clear(folder);
    free(folder);
}

static void known_is_the_right_one_up_to_its_end(void **state)
{
    (void)state;
    char *folder = make_city(), *other = make_city();
    char path[600], to[600];
    struct om_manifest m = {0};
    struct om_journal *j = NULL, *strange = NULL;
    struct om_err err = {0};
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_int_equal(om_journal_open(folder, OM_JOURNAL_READ, 0, &j, NULL),
                     OM_OK);
    assert_int_equal(om_journal_open(other, OM_JOURNAL_READ, 0, &strange, NULL),
                     OM_OK);
    assert_int_equal(om_journal_check(folder, &m, j, &err), OM_OK);
    assert_int_equal(om_journal_check(folder, &m, NULL, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "is not there"));
    assert_int_equal(om_journal_check(folder, &m, strange, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "is another one"));
    m.journal_last = LAST + 1;
    assert_int_equal(om_journal_check(folder, &m, j, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "older"));
    assert_non_null(strstr(err.text, "--accept-loss"));
    om_journal_close(j);
    om_journal_close(strange);
    // Another one in its place: what is in it is not ours.
    const char *const files[] = {"journal.db", "journal.mark"};
    for (size_t i = 0; i < 2; i++) {
        file_in(other, files[i], path);
        file_in(folder, files[i], to);
        assert_int_equal(rename(path, to), 0);
    }
    struct om_journal_mended mended;
    struct lost lost = {0};
    assert_int_equal(om_journal_mend(folder, note_lost, &lost, &mended, &err),
                     OM_OK);
    assert_true(mended.gone);
    assert_int_equal(mended.kept, 0);
    check_mended(folder, &lost, &mended);
    om_manifest_deinit(&m);
    // A city that never had one has nothing to mend.
    clear(folder);
    assert_int_equal(mkdir(folder, 0777), 0);
    write_manifest(folder, &(struct om_manifest){.sequence = 3});
    assert_int_equal(om_journal_mend(folder, note_lost, &lost, &mended, &err),
                     OM_OK);
    assert_string_equal(mended.aside, "");
    clear(folder);
    clear(other);
    free(folder);
    free(other);
}

static void fault_without_memory_nothing_is_lost(void **state)
{
    (void)state;
    char *folder = make_city();
    run_sql(folder, "DELETE FROM entry WHERE sequence=60");
    const size_t before = om_alloc_live();
    struct om_journal_mended mended;
    struct lost lost;
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        lost = (struct lost){0};
        om_alloc_fail_after(n, false);
        st = om_journal_mend(folder, note_lost, &lost, &mended, NULL);
        om_alloc_fail_after(0, false);
        assert_int_equal(om_alloc_live(), before);
    }
    // It may have been made by the call before, and only put in its place now.
    if (!lost.count) {
        lost.is[60] = true;
        lost.count = mended.lost = 1;
    }
    if (!mended.kept) mended.kept = LAST - FLOOR - 1;
    check_mended(folder, &lost, &mended);
    clear(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mend_keeps_all_that_is_sound),
        cmocka_unit_test(mend_keeps_the_key),
        cmocka_unit_test(known_is_the_right_one_up_to_its_end),
        cmocka_unit_test(fault_without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
