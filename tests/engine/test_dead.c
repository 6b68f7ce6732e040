/* Dead rows in a file beside their segment.
 *
 * Plan
 *   round_*    what is written comes back
 *   city_*     a city counts its living rows; its serial follows its dead
 *   error_*    out of order, of another segment, a flipped byte anywhere
 *   fault_*    every allocation fails once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "engine/layer/dead.h"
#include "engine/snapshot.h"
#include "tests/engine/layer_sample.h"
#include "tests/folder.h"

#define ROWS 5000

static char folder[64];
static struct om_segment *segment, *other;

static const char *file(const char *name)
{
    static char path[4][128];
    static unsigned turn;
    char *out = path[turn++ % 4];
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void build(uint64_t seed, const char *name, struct om_segment **out)
{
    const struct om_schema schema = sample_schema();
    struct om_builder *b;
    static struct sample_row row[ROWS];
    for (size_t i = 0; i < ROWS; i++) row[i] = sample_row(seed, i);
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    assert_int_equal(sample_add(b, row, ROWS, ROWS), OM_OK);
    assert_int_equal(om_builder_write(b, file(name), NULL, NULL), OM_OK);
    om_builder_free(b);
    assert_int_equal(om_segment_open(file(name), NULL, out, NULL), OM_OK);
}

static int begin(void **state)
{
    (void)state;
    if (!test_folder("onemap-dead", folder, sizeof folder)) return -1;
    build(1, "a.seg", &segment);
    build(2, "b.seg", &other);
    return 0;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    om_segment_unref(segment);
    om_segment_unref(other);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static size_t some_rows(uint64_t seed, uint64_t share, uint32_t out[ROWS])
{
    size_t n = 0;
    for (uint32_t i = 0; i < ROWS; i++)
        if (sample_random(&seed) % share == 0) out[n++] = i;
    return n;
}

static void round_trip_gives_the_rows_back(void **state)
{
    (void)state;
    const uint64_t share[] = {1, 2, 50, 10000000};
    for (size_t k = 0; k < 4; k++) {
        uint32_t row[ROWS];
        const uint32_t *back;
        size_t count;
        struct om_arena arena = {0};
        const size_t n = some_rows(k, share[k], row);
        assert_int_equal(om_dead_write(file("d"), segment, row, n, NULL),
                         OM_OK);
        assert_int_equal(
            om_dead_read(file("d"), segment, &arena, &back, &count, NULL),
            OM_OK);
        assert_int_equal(count, n);
        assert_memory_equal(back, row, n * sizeof *row);
        om_arena_deinit(&arena);
    }
}

static void put_city(size_t dead)
{
    char text[4096], columns[2048] = "";
    const struct om_schema schema = sample_schema();
    for (size_t i = 0; i < schema.count; i++)
        sprintf(columns + strlen(columns),
                "%s{\"name\":\"%s\",\"type\":\"%s\"}", i ? "," : "",
                schema.field[i].name, om_type_name(schema.field[i].type));
    snprintf(text, sizeof text,
             "{\"onemap\":2,\"sequence\":1,\"layers\":[{\"name\":\"a\","
             "\"columns\":[%s],\"parts\":[{\"file\":\"a.seg\",\"rows\":%d,"
             "\"dead\":\"d\",\"dead_rows\":%zu}]}]}",
             columns, ROWS, dead);
    assert_int_equal(
        om_file_write_whole(file("city.json"), text, strlen(text), NULL),
        OM_OK);
}

static void city_counts_its_living_rows(void **state)
{
    (void)state;
    uint32_t row[ROWS];
    uint64_t serial[2];
    for (size_t k = 0; k < 2; k++) {
        struct om_city *city;
        const size_t n = some_rows(7 + k, 9, row);
        assert_int_equal(om_dead_write(file("d"), segment, row, n, NULL),
                         OM_OK);
        put_city(n);
        assert_int_equal(om_city_open(folder, &city, NULL), OM_OK);
        struct om_snapshot *s = om_city_snapshot(city);
        assert_int_equal(s->layer[0].rows, ROWS - n);
        assert_int_equal(s->layer[0].part[0].dead_count, n);
        serial[k] = s->layer[0].serial;
        om_snapshot_unref(s);
        om_city_close(city);
        struct om_err err = {0};
        put_city(n + 1);
        assert_int_equal(om_city_open(folder, &city, &err), OM_E_DAMAGED);
        assert_non_null(strstr(err.text, "city.json says"));
    }
    assert_true(serial[0] != serial[1]);
}

static void error_rows_that_cannot_be(void **state)
{
    (void)state;
    const uint32_t falling[] = {3, 2}, twice[] = {3, 3}, far[] = {ROWS};
    unlink(file("d"));
    assert_int_equal(om_dead_write(file("d"), segment, falling, 2, NULL),
                     OM_E_RANGE);
    assert_int_equal(om_dead_write(file("d"), segment, twice, 2, NULL),
                     OM_E_RANGE);
    assert_int_equal(om_dead_write(file("d"), segment, far, 1, NULL),
                     OM_E_RANGE);
    assert_false(om_file_exists(file("d")));
}

static void error_another_segment_or_kind_of_file(void **state)
{
    (void)state;
    const uint32_t row[] = {5, 9};
    const uint32_t *back;
    size_t count;
    struct om_arena arena = {0};
    struct om_err err = {0};
    assert_int_equal(om_dead_write(file("d"), segment, row, 2, NULL), OM_OK);
    assert_int_equal(
        om_dead_read(file("d"), other, &arena, &back, &count, &err),
        OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "b.seg"));
    assert_int_equal(
        om_dead_read(file("b.seg"), other, &arena, &back, &count, &err),
        OM_E_DAMAGED);
    assert_int_equal(
        om_dead_read(file("none"), other, &arena, &back, &count, &err),
        OM_E_NOTFOUND);
    om_arena_deinit(&arena);
}

static void error_a_flipped_or_missing_byte_anywhere(void **state)
{
    (void)state;
    uint32_t row[ROWS];
    const size_t n = some_rows(3, 400, row);
    struct om_buf bytes = {0};
    assert_int_equal(om_dead_write(file("d"), segment, row, n, NULL), OM_OK);
    assert_int_equal(om_file_read(file("d"), 1 << 20, &bytes, NULL), OM_OK);
    for (size_t at = 0; at < bytes.len; at += 1 + at % 13) {
        const uint32_t *back;
        size_t count;
        struct om_arena arena = {0};
        bytes.bytes[at] ^= 0x10;
        FILE *out = fopen(file("e"), "wb");
        assert_non_null(out);
        const size_t len = at % 2 ? bytes.len : at;
        assert_int_equal(fwrite(bytes.bytes, 1, len, out), len);
        assert_int_equal(fclose(out), 0);
        bytes.bytes[at] ^= 0x10;
        const om_status st =
            om_dead_read(file("e"), segment, &arena, &back, &count, NULL);
        assert_true(st == OM_E_DAMAGED || st == OM_E_VERSION);
        assert_int_equal(count, 0);
        om_arena_deinit(&arena);
    }
    om_buf_deinit(&bytes);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    uint32_t row[ROWS];
    const size_t n = some_rows(3, 4, row), live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t k = 1; st; k++) {
        const uint32_t *back;
        size_t count = 0;
        struct om_arena arena = {0};
        om_alloc_fail_after(k, false);
        st = om_dead_write(file("d"), segment, row, n, NULL);
        if (!st)
            st = om_dead_read(file("d"), segment, &arena, &back, &count, NULL);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_gives_the_rows_back),
        cmocka_unit_test(city_counts_its_living_rows),
        cmocka_unit_test(error_rows_that_cannot_be),
        cmocka_unit_test(error_another_segment_or_kind_of_file),
        cmocka_unit_test(error_a_flipped_or_missing_byte_anywhere),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
