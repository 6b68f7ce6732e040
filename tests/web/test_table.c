/* Tables of results.
 *
 * Plan
 *   json_*   parsed by jansson: every value of every kind, members, shapes
 *   csv_*    quoted, null is nothing, times in the city's zone
 *   file_*   there whole or not at all
 *   error_*  what `take` says comes out at the end
 *   fault_*  the n-th allocation fails
 */
#include "tests/folder.h"
#include "web/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>

#include "data/base/alloc.h"
#include "data/base/file.h"

static const struct om_table_column COLUMN[] = {
    {"id", OM_TYPE_TEXT},   {"count", OM_TYPE_INTEGER}, {"z", OM_TYPE_REAL},
    {"at", OM_TYPE_TIME},   {"hot", OM_TYPE_BOOLEAN},   {"why", OM_TYPE_TEXT},
    {"list", OM_TYPE_TEXT},
};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)
#define ROWS 3000

static om_status gather(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static om_status refuse(void *ctx, const void *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return OM_E_STOPPED;
}

/* A square of 2 x 2 cells, clockwise on the map. */
static const struct om_pos SQUARE[] = {{3500000000u, 1900000000u},
                                       {3500000002u, 1900000000u},
                                       {3500000002u, 1900000002u},
                                       {3500000000u, 1900000002u}};
static const uint32_t ZERO_ONE[] = {0, 1}, ZERO_FOUR[] = {0, 4};
static const struct om_box BOX = {3500000000u, 1900000000u, 3500000002u,
                                  1900000002u};
static const struct om_rings RINGS = {1,         ZERO_ONE, ZERO_ONE,
                                      ZERO_FOUR, SQUARE,   &BOX};

static void put_row(struct om_table *t, size_t i)
{
    char id[32];
    snprintf(id, sizeof id, "虎门,\"%zu\"", i);
    if (i % 3 == 0) om_table_at(t, 3500000000.5, 1900000000.5);
    if (i % 3 == 1) om_table_shape(t, &RINGS, 0);
    om_table_word(t, id);
    om_table_integer(t, (int64_t)i - 5);
    om_table_real(t, i % 7 ? (double)i / 3 : NAN);
    om_table_time(t, 1687795200);
    om_table_truth(t, i % 2);
    if (i % 5)
        om_table_word(t, "two\nlines");
    else
        om_table_null(t);
    om_table_json(t, "[1,2]", 5);
}

static om_status write_table(enum om_table_format format, size_t rows,
                             om_features_take_fn *take, void *ctx)
{
    struct om_table *t = NULL;
    om_status st = om_table_begin(format, COLUMN, COLUMNS, 8 * 3600,
                                  "\"stat\":\"gistar\"", take, ctx, &t);
    if (st) return st;
    for (size_t i = 0; i < rows; i++) put_row(t, i);
    if (!st) assert_int_equal(om_table_rows(t), rows);
    st = om_table_end(t, "\"total\":7");
    om_table_free(t);
    return st;
}

static void check_values(const json_t *row, size_t i)
{
    char id[32];
    snprintf(id, sizeof id, "虎门,\"%zu\"", i);
    assert_string_equal(json_string_value(json_object_get(row, "id")), id);
    assert_int_equal(json_integer_value(json_object_get(row, "count")),
                     (int64_t)i - 5);
    const json_t *z = json_object_get(row, "z");
    if (i % 7)
        assert_true(json_number_value(z) == (double)i / 3);
    else
        assert_true(json_is_null(z));
    assert_string_equal(json_string_value(json_object_get(row, "at")),
                        "2023-06-27T00:00:00+08:00");
    assert_int_equal(json_is_true(json_object_get(row, "hot")), i % 2);
    const json_t *why = json_object_get(row, "why");
    if (i % 5)
        assert_string_equal(json_string_value(why), "two\nlines");
    else
        assert_true(json_is_null(why));
    assert_int_equal(json_array_size(json_object_get(row, "list")), 2);
    assert_int_equal(json_object_size(row), COLUMNS);
}

static json_t *parse(enum om_table_format format, size_t rows)
{
    struct om_buf out = {0};
    assert_int_equal(write_table(format, rows, gather, &out), OM_OK);
    json_t *all = json_loadb((const char *)out.bytes, out.len,
                             JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    om_buf_deinit(&out);
    assert_string_equal(json_string_value(json_object_get(all, "stat")),
                        "gistar");
    assert_int_equal(json_integer_value(json_object_get(all, "total")), 7);
    return all;
}

static void json_gives_every_value_back(void **state)
{
    (void)state;
    json_t *all = parse(OM_TABLE_JSON, ROWS);
    const json_t *rows = json_object_get(all, "rows");
    assert_int_equal(json_array_size(rows), ROWS);
    for (size_t i = 0; i < ROWS; i++) check_values(json_array_get(rows, i), i);
    json_decref(all);
    all = parse(OM_TABLE_JSON, 0);
    assert_int_equal(json_array_size(json_object_get(all, "rows")), 0);
    json_decref(all);
}

static void json_of_features_has_their_places(void **state)
{
    (void)state;
    json_t *all = parse(OM_TABLE_GEOJSON, 300);
    const json_t *features = json_object_get(all, "features");
    assert_int_equal(json_array_size(features), 300);
    for (size_t i = 0; i < 300; i++) {
        const json_t *f = json_array_get(features, i);
        const json_t *g = json_object_get(f, "geometry");
        check_values(json_object_get(f, "properties"), i);
        if (i % 3 == 2) {
            assert_true(json_is_null(g));
            continue;
        }
        const char *type = json_string_value(json_object_get(g, "type"));
        assert_string_equal(type, i % 3 ? "Polygon" : "Point");
        const json_t *at = json_object_get(g, "coordinates");
        if (i % 3) at = json_array_get(json_array_get(at, 0), 0);
        double lon, lat;
        om_world_to_lonlat(3500000000.5, 1900000000.5, &lon, &lat);
        assert_true(fabs(json_number_value(json_array_get(at, 0)) - lon) <
                    1e-6);
        assert_true(fabs(json_number_value(json_array_get(at, 1)) - lat) <
                    1e-6);
    }
    json_decref(all);
}

static void csv_is_quoted_and_null_is_nothing(void **state)
{
    (void)state;
    struct om_buf out = {0};
    assert_int_equal(write_table(OM_TABLE_CSV, 2, gather, &out), OM_OK);
    om_buf_add_byte(&out, 0);
    assert_string_equal(
        (const char *)out.bytes,
        "\xEF\xBB\xBFid,count,z,at,hot,why,list\r\n"
        "\"虎门,\"\"0\"\"\",-5,,2023-06-27T00:00:00+08:00,false,,\"[1,2]\"\r\n"
        "\"虎门,\"\"1\"\"\",-4,0.3333333333333333,2023-06-27T00:00:00+08:00,"
        "true,\"two\nlines\",\"[1,2]\"\r\n");
    om_buf_deinit(&out);
}

static void file_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    char folder[64], path[96], command[128];
    struct om_table_file *file = NULL;
    struct om_err err = {0};
    struct om_buf old = {0};
    assert_true(test_folder("onemap-table", folder, sizeof folder));
    snprintf(path, sizeof path, "%s/out.csv", folder);
    assert_int_equal(om_file_write_whole(path, "old", 3, NULL), OM_OK);
    // Given up: the old file stays, and nothing else.
    assert_int_equal(om_table_file_new(path, &file, &err), OM_OK);
    assert_int_equal(om_table_file_take(file, "new", 3), OM_OK);
    om_table_file_free(file);
    assert_int_equal(om_file_read(path, 100, &old, NULL), OM_OK);
    assert_memory_equal(old.bytes, "old", 3);
    om_buf_deinit(&old);
    assert_int_equal(om_table_file_new(path, &file, &err), OM_OK);
    assert_int_equal(om_table_file_take(file, "newer", 5), OM_OK);
    assert_int_equal(om_table_file_commit(file, &err), OM_OK);
    om_table_file_free(file);
    assert_int_equal(om_file_read(path, 100, &old, NULL), OM_OK);
    assert_memory_equal(old.bytes, "newer", 5);
    om_buf_deinit(&old);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0644);
    snprintf(command, sizeof command, "test $(ls %s | wc -l) = 1", folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(om_table_file_new("/nowhere/out.csv", &file, &err),
                     OM_E_IO);
    assert_non_null(strstr(err.text, "/nowhere/out.csv"));
}

static void error_of_taking_comes_out_at_the_end(void **state)
{
    (void)state;
    for (int format = 0; format < 3; format++) {
        assert_int_equal(
            write_table((enum om_table_format)format, 1, refuse, NULL),
            OM_E_STOPPED);
        assert_int_equal(
            write_table((enum om_table_format)format, ROWS, refuse, NULL),
            OM_E_STOPPED);
    }
}

static void fault_comes_out_at_the_end(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_buf out = {0};
        om_alloc_fail_after(n, false);
        const om_status st = write_table(OM_TABLE_GEOJSON, 40, gather, &out);
        om_alloc_fail_after(0, false);
        om_buf_deinit(&out);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_gives_every_value_back),
        cmocka_unit_test(json_of_features_has_their_places),
        cmocka_unit_test(csv_is_quoted_and_null_is_nothing),
        cmocka_unit_test(file_is_there_whole_or_not_at_all),
        cmocka_unit_test(error_of_taking_comes_out_at_the_end),
        cmocka_unit_test(fault_comes_out_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
