/* Records: one row as bytes.
 *
 * Plan
 *   round_*   what is written is read again: every type, NULLs, geometry
 *   same_*    there is one record of a row: read and written it is the same
 *   error_*   bytes that are no record, or of another schema, add nothing
 *   fault_*   an allocation fails: a status comes back, nothing leaks
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/city/record.h"
#include "tests/data/record_sample.h"

#define ROWS 300

static bool has(const struct om_batch_column *c, size_t row)
{
    return !c->valid || om_bit(c->valid, row);
}

static void same_shape(const struct om_shapes *a, const struct om_shapes *b,
                       size_t i)
{
    const uint32_t pa = a->shape_part[i], pb = b->shape_part[i];
    const uint32_t parts = a->shape_part[i + 1] - pa;
    assert_int_equal(b->shape_part[i + 1] - pb, parts);
    for (uint32_t p = 0; p < parts; p++) {
        const uint32_t ra = a->part_ring[pa + p], rb = b->part_ring[pb + p];
        const uint32_t rings = a->part_ring[pa + p + 1] - ra;
        assert_int_equal(b->part_ring[pb + p + 1] - rb, rings);
        for (uint32_t r = 0; r < rings; r++) {
            const uint32_t va = a->ring_vertex[ra + r];
            const uint32_t vb = b->ring_vertex[rb + r];
            const uint32_t n = a->ring_vertex[ra + r + 1] - va;
            assert_int_equal(b->ring_vertex[rb + r + 1] - vb, n);
            assert_memory_equal(a->x + va, b->x + vb, n * sizeof(double));
            assert_memory_equal(a->y + va, b->y + vb, n * sizeof(double));
        }
    }
}

static void same_value(enum om_type type, const struct om_batch_column *a,
                       const struct om_batch_column *b, size_t ia, size_t ib)
{
    assert_int_equal(has(a, ia), has(b, ib));
    if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY) {
        const uint32_t len = a->offset[ia + 1] - a->offset[ia];
        assert_int_equal(b->offset[ib + 1] - b->offset[ib], len);
        assert_memory_equal(a->bytes + a->offset[ia], b->bytes + b->offset[ib],
                            len);
    } else if (type == OM_TYPE_REAL) {
        assert_memory_equal(&a->real[ia], &b->real[ib], sizeof(double));
    } else {
        assert_true(a->integer[ia] == b->integer[ib]);
    }
}

static void same_row(const struct om_schema *schema, const struct om_batch *a,
                     size_t ia, const struct om_batch *b, size_t ib)
{
    if (schema->geometry == OM_GEOMETRY_POINT)
        assert_memory_equal(&a->pos[ia], &b->pos[ib], sizeof(struct om_pos));
    for (size_t i = 0; i < schema->count; i++)
        same_value(schema->field[i].type, &a->column[i], &b->column[i], ia, ib);
}

static void round_trip(enum om_geometry geometry, bool nulls)
{
    const struct om_schema schema = record_schema(geometry);
    struct om_batch batch = record_batch(&schema, ROWS, nulls, 7);
    struct om_record_reader *reader = NULL;
    assert_int_equal(om_record_reader_new(&schema, &reader), OM_OK);
    for (int round = 0; round < 2; round++) {
        struct om_buf record = {0}, again = {0};
        for (size_t i = 0; i < ROWS; i++) {
            om_buf_clear(&record);
            assert_int_equal(om_record_add(&schema, &batch, i, &record), OM_OK);
            assert_int_equal(om_record_read(reader, record.bytes, record.len),
                             OM_OK);
            const struct om_batch *out;
            assert_int_equal(om_record_batch(reader, &out), OM_OK);
            om_buf_clear(&again);
            assert_int_equal(om_record_add(&schema, out, i, &again), OM_OK);
            assert_int_equal(again.len, record.len);
            assert_memory_equal(again.bytes, record.bytes, record.len);
        }
        const struct om_batch *out;
        assert_int_equal(om_record_batch(reader, &out), OM_OK);
        assert_int_equal(om_record_rows(reader), ROWS);
        assert_int_equal(out->rows, ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            assert_true(out->source_row[i] == i + 1);
            same_row(&schema, &batch, i, out, i);
            if (geometry != OM_GEOMETRY_POINT)
                same_shape(&batch.shapes, &out->shapes, i);
        }
        om_buf_deinit(&record);
        om_buf_deinit(&again);
        om_record_reader_reset(reader);
        assert_int_equal(om_record_rows(reader), 0);
    }
    om_record_reader_free(reader);
    om_arena_deinit(&batch.arena);
}

static void round_and_same_points(void **state)
{
    (void)state;
    round_trip(OM_GEOMETRY_POINT, false);
    round_trip(OM_GEOMETRY_POINT, true);
}

static void round_and_same_lines(void **state)
{
    (void)state;
    round_trip(OM_GEOMETRY_LINE, true);
}

static void round_and_same_polygons(void **state)
{
    (void)state;
    round_trip(OM_GEOMETRY_POLYGON, false);
    round_trip(OM_GEOMETRY_POLYGON, true);
}

/* Every record cut at every byte, and with a byte too many; good rows between
 * the bad ones stay what they are. */
static void error_cut_anywhere_adds_nothing(void **state)
{
    (void)state;
    for (int g = OM_GEOMETRY_POINT; g <= OM_GEOMETRY_POLYGON; g++) {
        const struct om_schema schema = record_schema((enum om_geometry)g);
        struct om_batch batch = record_batch(&schema, 70, true, 11);
        struct om_record_reader *reader = NULL;
        struct om_buf record = {0};
        assert_int_equal(om_record_reader_new(&schema, &reader), OM_OK);
        for (size_t i = 0; i < batch.rows; i++) {
            om_buf_clear(&record);
            assert_int_equal(om_record_add(&schema, &batch, i, &record), OM_OK);
            for (size_t len = 0; len < record.len; len++)
                assert_int_equal(om_record_read(reader, record.bytes, len),
                                 OM_E_FORMAT);
            assert_int_equal(om_buf_add_byte(&record, 0), OM_OK);
            assert_int_equal(om_record_read(reader, record.bytes, record.len),
                             OM_E_FORMAT);
            assert_int_equal(om_record_rows(reader), i);
            assert_int_equal(
                om_record_read(reader, record.bytes, record.len - 1), OM_OK);
        }
        const struct om_batch *out;
        assert_int_equal(om_record_batch(reader, &out), OM_OK);
        for (size_t i = 0; i < batch.rows; i++)
            same_row(&schema, &batch, i, out, i);
        om_record_reader_free(reader);
        om_buf_deinit(&record);
        om_arena_deinit(&batch.arena);
    }
}

static void error_other_schemas_are_told_apart(void **state)
{
    (void)state;
    const struct om_schema schema = record_schema(OM_GEOMETRY_POINT);
    struct om_batch batch = record_batch(&schema, 1, false, 3);
    struct om_buf record = {0};
    assert_int_equal(om_record_add(&schema, &batch, 0, &record), OM_OK);
    for (int change = 0; change < 5; change++) {
        struct om_schema other = schema;
        struct om_record_reader *reader = NULL;
        if (change == 0) other.field[1].type = OM_TYPE_TIME;
        if (change == 1) other.field[6].name[0] = 'W';
        if (change == 2) other.count--;
        if (change == 3) other.geometry = OM_GEOMETRY_LINE;
        if (change == 4) {
            other.field[0] = schema.field[1];
            other.field[1] = schema.field[0];
        }
        assert_int_equal(om_record_reader_new(&other, &reader), OM_OK);
        assert_int_equal(om_record_read(reader, record.bytes, record.len),
                         OM_E_FORMAT);
        assert_int_equal(om_record_rows(reader), 0);
        om_record_reader_free(reader);
    }
    record.bytes[0] = 2;  // a version to come
    struct om_record_reader *reader = NULL;
    assert_int_equal(om_record_reader_new(&schema, &reader), OM_OK);
    assert_int_equal(om_record_read(reader, record.bytes, record.len),
                     OM_E_FORMAT);
    om_record_reader_free(reader);
    om_buf_deinit(&record);
    om_arena_deinit(&batch.arena);
}

static void error_a_reader_is_full_at_a_batch(void **state)
{
    (void)state;
    const struct om_schema schema = record_schema(OM_GEOMETRY_POINT);
    struct om_batch batch = record_batch(&schema, 1, false, 3);
    struct om_buf record = {0};
    struct om_record_reader *reader = NULL;
    assert_int_equal(om_record_add(&schema, &batch, 0, &record), OM_OK);
    assert_int_equal(om_record_reader_new(&schema, &reader), OM_OK);
    for (size_t i = 0; i < OM_LIMIT_BATCH_ROWS; i++)
        assert_int_equal(om_record_read(reader, record.bytes, record.len),
                         OM_OK);
    assert_int_equal(om_record_read(reader, record.bytes, record.len),
                     OM_E_LIMIT);
    assert_int_equal(om_record_rows(reader), OM_LIMIT_BATCH_ROWS);
    om_record_reader_free(reader);
    om_buf_deinit(&record);
    om_arena_deinit(&batch.arena);
}

static void fault_no_memory_anywhere(void **state)
{
    (void)state;
    const struct om_schema schema = record_schema(OM_GEOMETRY_POLYGON);
    struct om_batch batch = record_batch(&schema, 100, true, 5);
    const size_t live = om_alloc_live();
    bool finished = false;
    for (size_t n = 1; !finished; n++) {
        struct om_record_reader *reader = NULL;
        struct om_buf record = {0};
        om_alloc_fail_after(n, false);
        om_status st = om_record_reader_new(&schema, &reader);
        size_t rows = 0;
        for (size_t i = 0; !st && i < batch.rows; i++) {
            om_buf_clear(&record);
            st = om_record_add(&schema, &batch, i, &record);
            if (!st) st = om_record_read(reader, record.bytes, record.len);
            if (!st) rows++;
        }
        om_alloc_fail_after(0, false);
        if (st)
            assert_int_equal(st, OM_E_MEMORY);
        else
            finished = true;
        if (reader) {
            // What failed can be done again.
            const struct om_batch *out;
            assert_int_equal(om_record_rows(reader), rows);
            for (size_t i = rows; i < batch.rows; i++) {
                om_buf_clear(&record);
                assert_int_equal(om_record_add(&schema, &batch, i, &record),
                                 OM_OK);
                assert_int_equal(
                    om_record_read(reader, record.bytes, record.len), OM_OK);
            }
            assert_int_equal(om_record_batch(reader, &out), OM_OK);
            for (size_t i = 0; i < batch.rows; i++) {
                same_row(&schema, &batch, i, out, i);
                same_shape(&batch.shapes, &out->shapes, i);
            }
        }
        om_record_reader_free(reader);
        om_buf_deinit(&record);
        assert_int_equal(om_alloc_live(), live);
    }
    om_arena_deinit(&batch.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_and_same_points),
        cmocka_unit_test(round_and_same_lines),
        cmocka_unit_test(round_and_same_polygons),
        cmocka_unit_test(error_cut_anywhere_adds_nothing),
        cmocka_unit_test(error_other_schemas_are_told_apart),
        cmocka_unit_test(error_a_reader_is_full_at_a_batch),
        cmocka_unit_test(fault_no_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
