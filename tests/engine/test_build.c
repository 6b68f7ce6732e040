/* Building segments: what goes in comes out, sorted; what cannot is told.
 *
 * Plan
 *   round_*      rows of all types come back exactly, in order, found by id
 *   threads_*    the same bytes whatever the number of threads and batches
 *   duplicate_*  the first in the source stays, the others are rejected
 *   figure_*     minima, maxima, sums and codings are what segment.h says
 *   unit_*       unit columns follow; a file of another segment is refused
 *   shape_*      rings come back in the order of their keys
 *   error_*      full or missing folders leave nothing behind
 *   fault_*      every allocation fails once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"
#include "tests/engine/layer_sample.h"

static struct sample_row *make_rows(uint64_t seed, size_t n)
{
    struct sample_row *row = om_alloc_array(n, sizeof *row);
    assert_non_null(row);
    for (size_t i = 0; i < n; i++) row[i] = sample_row(seed, i);
    return row;
}

static om_status write_rows(const char *path, const struct sample_row *row,
                            size_t n, size_t step, size_t block_bytes,
                            struct om_rejects *rejects)
{
    const struct om_schema schema = sample_schema();
    struct om_builder *b;
    OM_TRY(om_builder_new(&schema, &b));
    om__builder_set_block_bytes(b, block_bytes);
    om_status st = sample_add(b, row, n, step);
    if (!st) st = om_builder_write(b, path, rejects, NULL);
    om_builder_free(b);
    return st;
}

static void check_rows(const char *path, struct sample_row *row, size_t n)
{
    struct om_segment *s;
    struct om_text_reader reader = {0};
    struct om_verify verify;
    struct om_err err = {0};
    assert_int_equal(om_segment_open(path, NULL, &s, &err), OM_OK);
    assert_int_equal(om_segment_rows(s), n);
    qsort(row, n, sizeof *row, sample_compare);
    for (size_t i = 0; i < n; i++) {
        size_t found;
        assert_int_equal(sample_row_equal(s, i, &row[i], &reader), OM_OK);
        const char *id = row[i].text[SAMPLE_ID];
        assert_int_equal(om_segment_find(s, id, strlen(id), &reader, &found),
                         OM_OK);
        assert_int_equal(found, i);
    }
    size_t found;
    assert_int_equal(om_segment_find(s, "none", 4, &reader, &found),
                     OM_E_NOTFOUND);
    assert_int_equal(om_segment_verify(s, &verify, &err), OM_OK);
    assert_true(verify.rows == n && verify.bad_blocks == 0);
    om_text_reader_deinit(&reader);
    om_segment_unref(s);
}

static void round_trip_of_all_types_gives_the_rows_back(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 64, 127, 129, 4096, 4097, 20011};
    char path[256];
    sample_path(path, "sample");
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct sample_row *row = make_rows(k, sizes[k]);
        assert_int_equal(write_rows(path, row, sizes[k], 777, 0, NULL), OM_OK);
        check_rows(path, row, sizes[k]);
        om_free(row);
    }
    sample_remove(path);
}

static void threads_and_batches_do_not_change_the_bytes(void **state)
{
    (void)state;
    enum { N = 150000 };
    char path[256];
    struct om_buf first = {0}, other = {0};
    struct sample_row *row = make_rows(11, N);
    sample_path(path, "sample");
    om_threads_set(1);
    assert_int_equal(write_rows(path, row, N, 65536, 0, NULL), OM_OK);
    assert_int_equal(om_file_read(path, SIZE_MAX / 2, &first, NULL), OM_OK);
    om_threads_set(3);
    assert_int_equal(write_rows(path, row, N, 5000, 0, NULL), OM_OK);
    assert_int_equal(om_file_read(path, SIZE_MAX / 2, &other, NULL), OM_OK);
    om_threads_set(0);
    assert_int_equal(first.len, other.len);
    assert_memory_equal(first.bytes, other.bytes, first.len);
    om_buf_deinit(&first);
    om_buf_deinit(&other);
    om_free(row);
    sample_remove(path);
}

static void see_reason(void *ctx, const char *reason, uint64_t count,
                       uint64_t first_row)
{
    (void)first_row;
    uint64_t *seen = ctx;
    if (strcmp(reason, "duplicate id") == 0) *seen += count;
}

static void duplicate_ids_keep_the_first_in_the_source(void **state)
{
    (void)state;
    enum { N = 3000 };
    char path[256];
    sample_path(path, "sample");
    struct sample_row *row = make_rows(4, N), *kept = make_rows(4, N);
    struct om_rejects *rejects;
    assert_int_equal(om_rejects_new(NULL, &rejects, NULL), OM_OK);
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        // Every third row repeats an id; the source numbers run backwards.
        if (i % 3 == 2)
            memcpy(row[i].text[SAMPLE_ID], row[i / 6].text[SAMPLE_ID], 48);
        row[i].source_row = N - i;
    }
    for (size_t i = 0; i < N; i++) {
        bool first = true;
        for (size_t k = i + 1; k < N && first; k++)
            first = strcmp(row[k].text[SAMPLE_ID], row[i].text[SAMPLE_ID]) != 0;
        if (first) kept[n++] = row[i];
    }
    assert_int_equal(write_rows(path, row, N, 100, 0, rejects), OM_OK);
    uint64_t seen = 0;
    om_rejects_each(rejects, see_reason, &seen);
    assert_int_equal(seen, N - n);
    assert_int_equal(om_rejects_close(rejects, NULL), OM_OK);
    check_rows(path, kept, n);
    om_free(row);
    om_free(kept);
    sample_remove(path);
}

static om_status is_in(void *ctx, const char *id, size_t len, bool *taken)
{
    struct om_text_reader reader = {0};
    size_t row;
    const om_status st = om_segment_find(ctx, id, len, &reader, &row);
    om_text_reader_deinit(&reader);
    *taken = st == OM_OK;
    return st == OM_E_NOTFOUND ? OM_OK : st;
}

static void duplicate_of_another_segment_is_rejected(void **state)
{
    (void)state;
    char base[256], path[256];
    sample_path(base, "base");
    sample_path(path, "more");
    struct sample_row *row = make_rows(6, 1000);
    struct om_segment *taken;
    assert_int_equal(write_rows(base, row, 600, 100, 0, NULL), OM_OK);
    assert_int_equal(om_segment_open(base, NULL, &taken, NULL), OM_OK);
    const struct om_schema schema = sample_schema();
    struct om_builder *b;
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    om_builder_taken(b, is_in, taken);
    assert_int_equal(sample_add(b, row, 1000, 300), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    assert_int_equal(om_builder_rows(b), 400);
    om_builder_free(b);
    om_segment_unref(taken);
    check_rows(path, row + 600, 400);
    om_free(row);
    sample_remove(base);
    sample_remove(path);
}

static void figure_codings_and_sums_are_what_was_promised(void **state)
{
    (void)state;
    enum { N = 10000 };
    char path[256];
    sample_path(path, "sample");
    struct sample_row *row = make_rows(2, N);
    struct om_segment *s;
    const struct om_column *c;
    assert_int_equal(write_rows(path, row, N, N, 0, NULL), OM_OK);
    assert_int_equal(om_segment_open(path, NULL, &s, NULL), OM_OK);
    qsort(row, N, sizeof *row, sample_compare);
    const enum om_coding want[SAMPLE_COLUMNS] = {
        OM_CODING_BLOCKS,     OM_CODING_BLOCKS,     OM_CODING_NUMBERED,
        OM_CODING_DICTIONARY, OM_CODING_DICTIONARY, OM_CODING_INTEGER,
        OM_CODING_INTEGER,    OM_CODING_REAL,       OM_CODING_INTEGER,
        OM_CODING_INTEGER,    OM_CODING_DICTIONARY};
    for (size_t i = 0; i < SAMPLE_COLUMNS; i++) {
        assert_int_equal(om_segment_column(s, i, 0, N, &c), OM_OK);
        assert_int_equal(c->coding, want[i]);
        uint64_t nulls = 0;
        for (size_t k = 0; k < N; k++) nulls += !row[k].valid[i];
        assert_int_equal(c->nulls, nulls);
        assert_int_equal(c->valid != NULL, nulls > 0);
    }
    assert_int_equal(om_segment_column(s, SAMPLE_SMALL, 0, N, &c), OM_OK);
    assert_int_equal(c->width, 2);
    int64_t sum = 0;
    for (size_t i = 0; i < N; i++) {
        if (i % OM_SUM_ROWS == 0) assert_true(c->sum[i / OM_SUM_ROWS] == sum);
        sum += row[i].integer[SAMPLE_SMALL];
    }
    assert_true(c->sum[N / OM_SUM_ROWS + 1] == sum);
    assert_int_equal(om_segment_column(s, SAMPLE_TIME, 0, N, &c), OM_OK);
    assert_null(c->sum);
    assert_int_equal(c->width, 4);
    assert_int_equal(om_segment_column(s, SAMPLE_KIND, 0, N, &c), OM_OK);
    assert_int_equal(c->words, 4);
    om_segment_unref(s);
    om_free(row);
    sample_remove(path);
}

static void unit_columns_follow_the_segments_own(void **state)
{
    (void)state;
    enum { N = 5000 };
    char path[256], other[256], units[256];
    sample_path(path, "sample");
    sample_path(other, "other");
    sample_path(units, "units");
    struct sample_row *row = make_rows(3, N);
    struct om_segment *s;
    assert_int_equal(write_rows(path, row, N, N, 0, NULL), OM_OK);
    row[0].integer[SAMPLE_FLAG] ^= 1;
    assert_int_equal(write_rows(other, row, N, N, 0, NULL), OM_OK);
    uint32_t unit[N];
    for (size_t i = 0; i < N; i++)
        unit[i] = i % 7 == 0 ? OM_NO_UNIT : (uint32_t)(i % 3);
    const uint32_t offset[] = {0, 2, 4, 6};
    const struct om_unit_column column = {.name = "grid",
                                          .unit = unit,
                                          .ids = 3,
                                          .id_offset = offset,
                                          .id_bytes = "g1g2g3"};
    assert_int_equal(om_segment_open(path, NULL, &s, NULL), OM_OK);
    assert_int_equal(om_units_write(units, s, &column, 1, NULL), OM_OK);
    om_segment_unref(s);

    assert_int_equal(om_segment_open(path, units, &s, NULL), OM_OK);
    const struct om_schema *schema = om_segment_schema(s);
    assert_int_equal(schema->count, SAMPLE_COLUMNS + 1);
    assert_string_equal(schema->field[SAMPLE_COLUMNS].name, "grid");
    struct om_text_reader reader = {0};
    for (size_t i = 0; i < N; i++) {
        const char *text;
        size_t len;
        assert_int_equal(
            om_segment_text(s, SAMPLE_COLUMNS, i, &reader, &text, &len), OM_OK);
        if (i % 7 == 0) {
            assert_null(text);
        } else {
            assert_int_equal(len, 2);
            assert_int_equal(text[1], '1' + (int)(i % 3));
        }
    }
    om_text_reader_deinit(&reader);
    struct om_verify verify;
    assert_int_equal(om_segment_verify(s, &verify, NULL), OM_OK);
    om_segment_unref(s);
    struct om_err err = {0};
    assert_int_equal(om_segment_open(other, units, &s, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "units"));
    om_free(row);
    sample_remove(path);
    sample_remove(other);
    sample_remove(units);
}

static void error_of_writing_leaves_nothing_behind(void **state)
{
    (void)state;
    struct sample_row *row = make_rows(1, 100);
    struct om_err err = {0};
    const struct om_schema schema = sample_schema();
    struct om_builder *b;
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    assert_int_equal(sample_add(b, row, 100, 100), OM_OK);
    assert_int_equal(om_builder_write(b, "/nonexistent/x", NULL, &err),
                     OM_E_IO);
    assert_non_null(strstr(err.text, "/nonexistent/x"));
    assert_int_equal(err.code, OM_E_IO);
    om_builder_free(b);
    om_free(row);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    enum { N = 1200 };
    char path[256];
    sample_path(path, "sample");
    struct sample_row *row = make_rows(8, N);
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    om_threads_set(1);
    for (size_t n = 1; st; n++) {
        struct om_segment *s = NULL;
        struct om_text_reader reader = {0};
        om_alloc_fail_after(n, false);
        st = write_rows(path, row, N, 500, 4096, NULL);
        if (!st) st = om_segment_open(path, NULL, &s, NULL);
        const char *text;
        size_t len;
        if (!st) st = om_segment_text(s, SAMPLE_NAME, 77, &reader, &text, &len);
        struct om_verify verify;
        if (!st) st = om_segment_verify(s, &verify, NULL);
        om_alloc_fail_after(0, false);
        om_text_reader_deinit(&reader);
        om_segment_unref(s);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
        assert_true(n < 5000);
    }
    om_threads_set(0);
    om_free(row);
    sample_remove(path);
}

/* Rectangles, the last one with a hole; given in an order that is not theirs.
 */
static void shape_rings_come_back_in_the_order_of_their_keys(void **state)
{
    (void)state;
    enum { N = 500 };
    char path[256];
    sample_path(path, "shapes");
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POLYGON,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    static uint64_t source[N];
    static uint32_t part[N + 1], ring[N + 1], vertex[N + 1], offset[N + 1];
    static double x[4 * N], y[4 * N];
    static char ids[8 * N];
    uint64_t s = 1;
    for (uint32_t i = 0; i < N; i++) {
        source[i] = i + 1;
        part[i + 1] = ring[i + 1] = i + 1;
        vertex[i + 1] = 4 * (i + 1);
        const double west = 3.5e9 + (double)(sample_random(&s) % 100000);
        const double north = 1.8e9 + (double)(sample_random(&s) % 100000);
        const double side = 10 + i;
        const double dx[] = {0, 0, side, side}, dy[] = {0, side, side, 0};
        for (uint32_t k = 0; k < 4; k++) {
            x[4 * i + k] = west + dx[k];
            y[4 * i + k] = north + dy[k];
        }
        char id[9];
        snprintf(id, sizeof id, "b%06u", (unsigned)i);
        memcpy(ids + offset[i], id, 7);
        offset[i + 1] = offset[i] + 7;
    }
    const struct om_batch_column id = {.offset = offset, .bytes = ids};
    const struct om_batch batch = {.rows = N,
                                   .source_row = source,
                                   .shapes = {N, part, ring, vertex, x, y},
                                   .column = &id};
    struct om_builder *b;
    struct om_segment *seg;
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    assert_int_equal(om_builder_add(b, &batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    assert_int_equal(om_builder_rows(b), N);
    om_builder_free(b);
    assert_int_equal(om_segment_open(path, NULL, &seg, NULL), OM_OK);
    struct om_rings r;
    assert_int_equal(om_segment_rings(seg, 0, N, &r), OM_OK);
    struct om_text_reader reader = {0};
    for (size_t i = 0; i < N; i++) {
        const char *text;
        size_t len;
        assert_int_equal(om_segment_text(seg, 0, i, &reader, &text, &len),
                         OM_OK);
        const size_t k = (size_t)strtoul(text + 1, NULL, 10);
        assert_int_equal(r.box[i].x1 - r.box[i].x0, 10 + k);
        assert_true(r.box[i].x0 == (uint32_t)x[4 * k]);
        assert_true(r.box[i].y0 == (uint32_t)y[4 * k]);
        assert_int_equal(r.shape_part[i + 1] - r.shape_part[i], 1);
    }
    struct om_verify verify;
    struct om_err err = {0};
    assert_int_equal(om_segment_verify(seg, &verify, &err), OM_OK);
    struct om_cells cells;
    assert_int_equal(om_segment_cells(seg, 0, &cells), OM_OK);
    assert_int_equal(cells.count, 0);
    om_text_reader_deinit(&reader);
    om_segment_unref(seg);
    sample_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_of_all_types_gives_the_rows_back),
        cmocka_unit_test(threads_and_batches_do_not_change_the_bytes),
        cmocka_unit_test(duplicate_ids_keep_the_first_in_the_source),
        cmocka_unit_test(duplicate_of_another_segment_is_rejected),
        cmocka_unit_test(figure_codings_and_sums_are_what_was_promised),
        cmocka_unit_test(unit_columns_follow_the_segments_own),
        cmocka_unit_test(shape_rings_come_back_in_the_order_of_their_keys),
        cmocka_unit_test(error_of_writing_leaves_nothing_behind),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
