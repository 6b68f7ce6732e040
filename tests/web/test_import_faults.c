/* Imports on a disk that is full, fails, or writes a part: the city is as it
 * was, or has all of it.
 *
 * Plan
 *   fault_*   every write, sync and rename of an import fails once
 *   short_*   half of every write is written, and it goes on
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/file.h"
#include "data/base/log.h"
#include "engine/verify.h"
#include "tests/folder.h"
#include "web/import.h"

#define OLD_ROWS 300
#define NEW_ROWS 700

static char folder[64], city[96], old_file[96], new_file[96], units_file[96];

static void write_rows(const char *path, int rows, int weight)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "lon,lat,id,kind,weight\n");
    for (int i = 0; i < rows; i++)
        fprintf(f, "%.6f,%.6f,P%d,%s,%d\n", 113.5 + i % 37 / 100.0,
                22.7 + i % 41 / 100.0, i, i % 3 ? "shop" : "home", weight);
    assert_int_equal(fclose(f), 0);
}

static om_status import(const char *layer, const char *path,
                        enum om_import_mode mode, struct om_err *err)
{
    struct om_import_job job = {
        .layer = layer, .source = {.path = path, .id = "id"}, .mode = mode};
    if (strcmp(layer, "square") == 0)
        job.unit_level = "square";
    else
        job.source.x = "lon", job.source.y = "lat";
    return om_import_run(city, NULL, &job, 1, NULL, NULL, err);
}

static int make_city(void **state)
{
    (void)state;
    if (!test_memory_folder("onemap-import", folder, sizeof folder)) return -1;
    snprintf(city, sizeof city, "%s/city", folder);
    snprintf(old_file, sizeof old_file, "%s/old.csv", folder);
    snprintf(new_file, sizeof new_file, "%s/new.csv", folder);
    snprintf(units_file, sizeof units_file, "%s/units.geojson", folder);
    write_rows(old_file, OLD_ROWS, 1);
    write_rows(new_file, NEW_ROWS, 2);
    FILE *f = fopen(units_file, "wb");
    fprintf(f,
            "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":"
            "\"Feature\",\"properties\":{\"id\":\"U\"},\"geometry\":{"
            "\"type\":\"Polygon\",\"coordinates\":[[[113,22],[115,22],"
            "[115,24],[113,24],[113,22]]]}}]}");
    fclose(f);
    om_progress_quiet(true);
    return import("square", units_file, OM_IMPORT_NEW, NULL) ||
                   import("place", old_file, OM_IMPORT_NEW, NULL)
               ? -1
               : 0;
}

static int remove_city(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void ignore(void *ctx, const struct om_layer_verify *found)
{
    (void)ctx;
    (void)found;
}

/* Rows of the layer, in a city that is sound. */
static uint64_t rows_of_a_sound_city(void)
{
    struct om_city *c = NULL;
    struct om_err err = {0};
    if (om_city_open(city, &c, &err)) fail_msg("%s", err.text);
    struct om_snapshot *s = om_city_snapshot(c);
    assert_int_equal(om_snapshot_verify(s, ignore, NULL), OM_OK);
    const uint64_t rows = om_snapshot_layer(s, "place")->rows;
    om_snapshot_unref(s);
    om_city_close(c);
    return rows;
}

static void read_manifest(struct om_buf *out)
{
    char path[128];
    snprintf(path, sizeof path, "%s/city.json", city);
    om_buf_clear(out);
    assert_int_equal(om_file_read(path, 1 << 24, out, NULL), OM_OK);
}

static const struct {
    enum om_file_call call;
    int error;
    const char *word;
} FAULT[] = {{OM_FILE_WRITE, ENOSPC, "No space left"},
             {OM_FILE_WRITE, EIO, "Input/output"},
             {OM_FILE_SYNC, EIO, "Input/output"},
             {OM_FILE_RENAME, EROFS, "Read-only"}};

static void fault_leaves_the_city_as_it_was(void **state)
{
    (void)state;
    struct om_buf before = {0}, after = {0};
    size_t failed = 0;
    for (size_t f = 0; f < sizeof FAULT / sizeof *FAULT; f++) {
        for (int append = 0; append < 2; append++) {
            om_status st = OM_E_IO;
            for (size_t n = 1; st; n++) {
                struct om_err err = {0};
                assert_int_equal(
                    import("place", old_file, OM_IMPORT_REPLACE, NULL), OM_OK);
                read_manifest(&before);
                om_file_fail_after(FAULT[f].call, n, FAULT[f].error, false);
                st =
                    import("place", new_file,
                           append ? OM_IMPORT_APPEND : OM_IMPORT_REPLACE, &err);
                om_file_fail_after(FAULT[f].call, 0, 0, false);
                read_manifest(&after);
                const bool same =
                    before.len == after.len &&
                    memcmp(before.bytes, after.bytes, after.len) == 0;
                if (!st) break;
                failed++;
                assert_int_equal(st, OM_E_IO);
                if (!strstr(err.text, FAULT[f].word) ||
                    !strstr(err.text, folder))
                    fail_msg("call %zu: %s", n, err.text);
                // Only the sync after the rename comes too late to be as if
                // nothing had been: then all of it is there.
                if (FAULT[f].call != OM_FILE_SYNC) assert_true(same);
                assert_int_equal(rows_of_a_sound_city(),
                                 same ? OLD_ROWS : NEW_ROWS);
            }
            assert_int_equal(rows_of_a_sound_city(), NEW_ROWS);
        }
    }
    assert_true(failed > 20);
    om_buf_deinit(&before);
    om_buf_deinit(&after);
}

static void short_writes_are_gone_on_with(void **state)
{
    (void)state;
    om_file_fail_after(OM_FILE_WRITE, 1, 0, true);
    assert_int_equal(import("place", new_file, OM_IMPORT_REPLACE, NULL), OM_OK);
    om_file_fail_after(OM_FILE_WRITE, 0, 0, false);
    assert_int_equal(rows_of_a_sound_city(), NEW_ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_leaves_the_city_as_it_was),
        cmocka_unit_test(short_writes_are_gone_on_with),
    };
    return cmocka_run_group_tests(tests, make_city, remove_city);
}
