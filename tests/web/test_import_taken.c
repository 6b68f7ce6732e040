/* Ids that rows to be appended must not have.
 *
 * Plan
 *   taken_*  files less dead rows, and what the journal has beyond them,
 *            against a plain array
 *   fault_*  the n-th allocation fails
 */
#include "tests/engine/query_sample.h"

#include <sys/stat.h>

#include "data/city/journal.h"
#include "engine/layer/dead.h"
#include "web/import_taken.h"

enum { ROWS = 2000, APPLIED = 300, ENTRIES = 900 };

static struct {
    struct sample sample;  // its folder is the city
    struct om_manifest_layer layer;
    struct om_manifest_part part;
    bool taken[2 * ROWS];  // by number of id
} city;

static void name(size_t i, char out[48])
{
    if (i < ROWS)
        snprintf(out, 48, "%s", city.sample.truth[0][i].id);
    else
        snprintf(out, 48, "new-%zu", i);
}

static void write_dead(void)
{
    static uint32_t dead[ROWS];
    char path[128];
    size_t n = 0;
    struct om_err err = {0};
    for (uint32_t i = 0; i < ROWS; i++) {
        city.taken[i] = dice(5) != 0;
        if (!city.taken[i]) dead[n++] = i;
    }
    snprintf(path, sizeof path, "%.60s/dead", city.sample.folder);
    if (om_dead_write(path, city.sample.part[0].segment, dead, n, &err))
        fail_msg("%s", err.text);
    strcpy(city.part.dead_file, "dead");
}

static void write_journal(void)
{
    struct om_journal *journal;
    struct om_err err = {0};
    if (om_journal_open(city.sample.folder, OM_JOURNAL_WRITE, 11, &journal,
                        &err))
        fail_msg("%s", err.text);
    assert_int_equal(om_journal_begin(journal, &err), OM_OK);
    for (int i = 0; i < ENTRIES; i++) {
        const size_t id = dice(2 * ROWS);
        const bool other = dice(4) == 0;
        char text[48];
        name(id, text);
        struct om_entry entry = {
            .kind = dice(3) ? OM_ENTRY_INSERT : OM_ENTRY_DELETE,
            .layer = other ? "other" : "sample",
            .id = text,
            .id_len = strlen(text),
            .old_cell = OM_NO_CELL,
            .new_cell = OM_NO_CELL,
            .who = ""};
        if (entry.kind == OM_ENTRY_INSERT) {
            entry.new_row = "row";
            entry.new_len = 3;
            entry.new_cell = 5;
        } else {
            entry.old_row = "row";
            entry.old_len = 3;
            entry.old_cell = 5;
        }
        assert_int_equal(om_journal_add(journal, &entry, &err), OM_OK);
        if (i == APPLIED - 1) city.layer.applied = entry.sequence;
        if (i >= APPLIED && !other) city.taken[id] = true;
    }
    assert_int_equal(om_journal_commit(journal, &err), OM_OK);
    om_journal_close(journal);
}

static void taken_is_what_a_plain_array_says(void **state)
{
    (void)state;
    struct om_taken *taken;
    struct om_err err = {0};
    if (om_taken_new(city.sample.folder, &city.layer, &taken, &err))
        fail_msg("%s", err.text);
    assert_true(om_taken_written(taken));
    for (size_t i = 0; i < 2 * ROWS; i++) {
        char text[48];
        bool has;
        name(i, text);
        assert_int_equal(om_taken_has(taken, text, strlen(text), &has), OM_OK);
        if (has != city.taken[i]) fail_msg("%s: %d", text, has);
    }
    om_taken_free(taken);
    uint64_t last;
    struct om_manifest m = {0};
    assert_int_equal(
        om_import_journal_last("/nonexistent", &m, &last, NULL, &err), OM_OK);
    assert_int_equal(last, 0);
    assert_int_equal(m.journal, 0);
    assert_int_equal(
        om_import_journal_last(city.sample.folder, &m, &last, NULL, &err),
        OM_OK);
    assert_int_equal(last, 10 + ENTRIES);
    assert_int_equal(m.journal_last, last);
    assert_true(m.journal != 0);
    // A city that knows of more, or of one that is not there, goes no further.
    m.journal_last++;
    assert_int_equal(
        om_import_journal_last(city.sample.folder, &m, &last, NULL, &err),
        OM_E_DAMAGED);
    assert_int_equal(
        om_import_journal_last("/nonexistent", &m, &last, NULL, &err),
        OM_E_DAMAGED);
}

static void fault_of_memory_leaks_nothing(void **state)
{
    (void)state;
    om_status st = OM_E_MEMORY;
    const size_t live = om_alloc_live();
    for (size_t n = 1; st && n < 300; n++) {
        struct om_taken *taken = NULL;
        om_alloc_fail_after(n, false);
        st = om_taken_new(city.sample.folder, &city.layer, &taken, NULL);
        om_alloc_fail_after(0, false);
        om_taken_free(taken);
        assert_int_equal(om_alloc_live(), live);
    }
    assert_int_equal(st, OM_OK);
}

static int make(void **state)
{
    (void)state;
    const size_t rows[] = {ROWS};
    sample_make(&city.sample, 1, rows, 0);
    strcpy(city.layer.name, "sample");
    city.layer.parts = 1;
    city.layer.part = &city.part;
    strcpy(city.part.file, "0.seg");
    write_dead();
    write_journal();
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    static const char *const FILES[] = {"dead", "journal.db", "journal.db-wal",
                                        "journal.db-shm"};
    char path[128];
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        snprintf(path, sizeof path, "%.60s/%s", city.sample.folder, FILES[i]);
        unlink(path);
    }
    sample_free(&city.sample);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_is_what_a_plain_array_says),
        cmocka_unit_test(fault_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
