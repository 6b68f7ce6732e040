/* Rows in memory: the same thing as rows in a file, and back again.
 *
 * Plan
 *   memory_*   a run answers every call as the same rows in a file do
 *   extract_*  batch -> segment -> batch -> segment is the same segment, for
 *              any schema; some rows, without the dead
 *   merge_*    living rows of several parts are one segment of all of them
 *   units_*    unit columns say what the shapes say, in memory as in files
 *   tree_*     what is kept of a large layer does not go for small runs
 *   error_*    an id twice, a shape that cannot be used, another schema
 *   fault_*    every allocation fails once
 */
#include "tests/engine/city_sample.h"

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/live/run.h"
#include "engine/query/query.h"
#include "engine/query/trees.h"
#include "tests/engine/layer_read.h"

static struct sample_row *make_rows(uint64_t seed, size_t n)
{
    struct sample_row *row = om_alloc_array(n, sizeof *row);
    assert_non_null(row);
    for (size_t i = 0; i < n; i++) row[i] = sample_row(seed, i);
    return row;
}

static struct om_segment *run_of(const struct om_schema *schema,
                                 const struct om_batch *batch)
{
    struct om_segment *s = NULL;
    struct om_err err = {0};
    if (om_run_new(schema, &batch, 1, NULL, &s, &err)) fail_msg("%s", err.text);
    return s;
}

static struct om_segment *file_of(const struct om_schema *schema,
                                  const struct om_batch *batch)
{
    char path[256];
    struct om_builder *b;
    struct om_segment *s = NULL;
    sample_path(path, "file");
    assert_int_equal(om_builder_new(schema, &b), OM_OK);
    assert_int_equal(om_builder_add(b, batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    om_builder_free(b);
    assert_int_equal(om_segment_open(path, NULL, &s, NULL), OM_OK);
    sample_remove(path);
    return s;
}

static void check_same(const struct om_segment *a, const struct om_segment *b)
{
    uint64_t x = 0, y = 1;
    struct om_verify verify;
    struct om_err err = {0};
    assert_int_equal(layer_read(a, &x), OM_OK);
    assert_int_equal(layer_read(b, &y), OM_OK);
    assert_true(x == y);
    assert_true(om_segment_serial(a) != om_segment_serial(b));
    assert_int_equal(om_segment_verify(a, &verify, &err), OM_OK);
    assert_int_equal(om_segment_verify(b, &verify, &err), OM_OK);
    assert_int_equal(verify.rows, om_segment_rows(b));
}

static void memory_answers_as_a_file_does(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 63, 64, 129, 4096, 4097, 20011};
    const struct om_schema schema = sample_schema();
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct sample_row *row = make_rows(k, sizes[k]);
        struct om_batch batch;
        assert_int_equal(sample_batch(row, sizes[k], &batch), OM_OK);
        struct om_segment *file = file_of(&schema, &batch);
        struct om_segment *run = run_of(&schema, &batch);
        check_same(file, run);
        om_segment_drop_pages(run);  // there is nothing to read it from again
        check_same(file, run);
        om_segment_unref(file);
        om_segment_unref(run);
        om_arena_deinit(&batch.arena);
        om_free(row);
    }
}

static void memory_takes_several_batches(void **state)
{
    (void)state;
    enum { N = 3000, STEP = 700 };
    const struct om_schema schema = sample_schema();
    struct sample_row *row = make_rows(5, N);
    struct om_batch whole, part[N / STEP + 1];
    const struct om_batch *list[N / STEP + 1];
    size_t parts = 0;
    assert_int_equal(sample_batch(row, N, &whole), OM_OK);
    for (size_t from = 0; from < N; from += STEP, parts++) {
        const size_t n = N - from < STEP ? N - from : STEP;
        assert_int_equal(sample_batch(row + from, n, &part[parts]), OM_OK);
        list[parts] = &part[parts];
    }
    struct om_segment *a = run_of(&schema, &whole), *b = NULL;
    assert_int_equal(om_run_new(&schema, list, parts, NULL, &b, NULL), OM_OK);
    check_same(a, b);
    om_segment_unref(a);
    om_segment_unref(b);
    for (size_t i = 0; i < parts; i++) om_arena_deinit(&part[i].arena);
    om_arena_deinit(&whole.arena);
    om_free(row);
}

/* ---- any schema, any rows ---- */

static const char *const letters[] = {"a",  "Z",  "0",  "9", " ",
                                      "东", "é", "\"", ",", "\n"};

/* A text in the manner of its column: numbered, few, many, long, of one
 * length, with a NUL inside. */
static size_t random_text(uint64_t *s, unsigned manner, char out[600])
{
    const uint64_t r = sample_random(s);
    size_t len = 0;
    switch (manner) {
        case 0:
            return (size_t)sprintf(out, "N-%06u", (unsigned)(r % 1000000));
        case 1:
            return (size_t)sprintf(out, "few %u", (unsigned)(r % 5));
        case 2:
            for (size_t i = 0; i < r % 12; i++) {
                const char *l = letters[sample_random(s) % 10];
                memcpy(out + len, l, strlen(l));
                len += strlen(l);
            }
            return len;
        case 3:
            for (; len < r % 500; len++)
                out[len] = (char)('a' + sample_random(s) % 26);
            return len;
        case 4:
            return (size_t)sprintf(out, "%018llu",
                                   (unsigned long long)(r % 1000000000000));
        default:
            memcpy(out, "x\0y", 3);
            out[3] = (char)('0' + r % 10);
            return 4;
    }
}

static int64_t random_integer(uint64_t *s, unsigned manner)
{
    const uint64_t r = sample_random(s);
    switch (manner) {
        case 0:
            return (int64_t)(r % 2);
        case 1:
            return (int64_t)(r % 50000) - 25000;
        case 2:
            return (int64_t)r;
        case 3:
            return 7;
        default:
            return r % 3 ? (int64_t)(r % 100) : r % 2 ? INT64_MIN : INT64_MAX;
    }
}

static struct om_schema random_schema(uint64_t *s, enum om_geometry geometry)
{
    struct om_schema schema = {.geometry = geometry,
                               .count = 1 + sample_random(s) % 12,
                               .time_field = OM_NO_FIELD};
    schema.id_field = sample_random(s) % schema.count;
    for (size_t i = 0; i < schema.count; i++) {
        snprintf(schema.field[i].name, sizeof schema.field[i].name, "c%zu", i);
        schema.field[i].type = (enum om_type)(sample_random(s) % 6);
        if (i == schema.id_field) schema.field[i].type = OM_TYPE_TEXT;
        if (schema.field[i].type == OM_TYPE_TIME) schema.time_field = i;
    }
    return schema;
}

static void random_column(uint64_t *s, const struct om_field *field, bool is_id,
                          size_t n, struct om_arena *arena,
                          struct om_batch_column *out)
{
    const bool text =
        field->type == OM_TYPE_TEXT || field->type == OM_TYPE_CATEGORY;
    const unsigned manner = (unsigned)(sample_random(s) % 6);
    const uint64_t nulls = sample_random(s) % 4;  // 0: none, 3: all
    uint64_t *valid = om_arena_calloc(arena, n / 64 + 1, sizeof *valid);
    int64_t *integer = om_arena_calloc(arena, n + 1, sizeof *integer);
    double *real = om_arena_calloc(arena, n + 1, sizeof *real);
    uint32_t *offset = om_arena_calloc(arena, n + 1, sizeof *offset);
    char *bytes = om_arena_calloc(arena, n + 1, text ? 600 : 1);
    assert_non_null(valid);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        const bool has =
            is_id || nulls == 0 ||
            (nulls < 3 && sample_random(s) % (nulls == 1 ? 10 : 2) != 0);
        if (text) offset[i + 1] = offset[i];
        if (!has) continue;
        om_bit_set(valid, i);
        if (is_id)
            offset[i + 1] += (uint32_t)sprintf(
                bytes + offset[i], manner % 2 ? "R%07zu" : "%zu/%zu",
                (i * 7919) % (n + 1), i);
        else if (text)
            offset[i + 1] +=
                (uint32_t)random_text(s, manner, bytes + offset[i]);
        else if (field->type == OM_TYPE_BOOLEAN)
            integer[i] = (int64_t)(sample_random(s) % 2);
        else
            integer[i] = random_integer(s, manner % 5);
        real[i] = (double)random_integer(s, manner % 5) / 3;
    }
    *out = (struct om_batch_column){.valid = is_id || nulls == 0 ? NULL : valid,
                                    .integer = integer,
                                    .real = real,
                                    .offset = offset,
                                    .bytes = bytes};
}

/* Rectangles, some with a hole, some of two parts; or zigzags. */
static struct om_shapes random_shapes(uint64_t *s, bool polygon, size_t n,
                                      struct om_arena *arena)
{
    uint32_t *part = om_arena_calloc(arena, n + 1, sizeof *part);
    uint32_t *ring = om_arena_calloc(arena, 2 * n + 1, sizeof *ring);
    uint32_t *vertex = om_arena_calloc(arena, 4 * n + 1, sizeof *vertex);
    double *x = om_arena_calloc(arena, 24 * n + 1, sizeof *x);
    double *y = om_arena_calloc(arena, 24 * n + 1, sizeof *y);
    assert_non_null(y);
    uint32_t parts = 0, rings = 0, v = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t pieces = 1 + sample_random(s) % 2;
        const double x0 = 3.5e9 + (double)(sample_random(s) % 1000000) + 0.3;
        const double y0 = 1.8e9 + (double)(sample_random(s) % 1000000) + 0.7;
        const double w = 40 + (double)(sample_random(s) % 900);
        for (size_t p = 0; p < pieces; p++) {
            const double at = x0 + (double)p * 3 * w;
            const bool hole = polygon && sample_random(s) % 3 == 0;
            const double dx[] = {0, 0, w, w}, dy[] = {0, w, w, 0};
            for (size_t k = 0; k < 4; k++) {
                x[v] = at + dx[k];
                y[v++] = y0 + (polygon ? dy[k] : (double)(k % 2) * w);
            }
            vertex[++rings] = v;
            for (size_t k = 0; k < 4 && hole; k++) {
                x[v] = at + w / 4 + dy[k] / 2;
                y[v++] = y0 + w / 4 + dx[k] / 2;
            }
            if (hole) vertex[++rings] = v;
            ring[++parts] = rings;
        }
        part[i + 1] = parts;
    }
    return (struct om_shapes){n, part, ring, vertex, x, y};
}

static void random_batch(uint64_t *s, const struct om_schema *schema, size_t n,
                         struct om_batch *out)
{
    *out = (struct om_batch){.rows = n};
    struct om_batch_column *column =
        om_arena_calloc(&out->arena, schema->count, sizeof *column);
    uint64_t *source = om_arena_calloc(&out->arena, n + 1, sizeof *source);
    struct om_pos *pos = om_arena_calloc(&out->arena, n + 1, sizeof *pos);
    for (size_t i = 0; i < schema->count; i++)
        random_column(s, &schema->field[i], i == schema->id_field, n,
                      &out->arena, &column[i]);
    for (size_t i = 0; i < n; i++) {
        source[i] = i + 1;
        pos[i] =
            (struct om_pos){(uint32_t)(3500000000 + sample_random(s) % 300),
                            (uint32_t)(1800000000 + sample_random(s) % 300)};
    }
    out->source_row = source;
    out->column = column;
    if (schema->geometry == OM_GEOMETRY_POINT)
        out->pos = pos;
    else
        out->shapes =
            random_shapes(s, schema->geometry == OM_GEOMETRY_POLYGON, n,
                          &out->arena);
}

static void extract_gives_what_makes_the_same_segment(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 150; round++) {
        uint64_t s = round;
        const struct om_schema schema =
            random_schema(&s, (enum om_geometry)(round % 3));
        const size_t n = sample_random(&s) % (round % 7 ? 200 : 6000);
        struct om_batch batch, back;
        random_batch(&s, &schema, n, &batch);
        struct om_segment *file = file_of(&schema, &batch);
        struct om_segment *run = run_of(&schema, &batch);
        check_same(file, run);
        assert_int_equal(
            om_segment_extract(file, &schema, 0, n, NULL, NULL, 0, &back),
            OM_OK);
        assert_int_equal(back.rows, n);
        struct om_segment *again = run_of(&schema, &back);
        check_same(run, again);
        om_arena_deinit(&back.arena);
        om_arena_deinit(&batch.arena);
        om_segment_unref(file);
        om_segment_unref(run);
        om_segment_unref(again);
    }
}

/* Rows of a sample, sorted as a segment has them, less those marked. */
static struct om_segment *run_without(struct sample_row *row, size_t n,
                                      const bool *gone)
{
    const struct om_schema schema = sample_schema();
    struct sample_row *kept = om_alloc_array(n, sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!gone[i]) kept[count++] = row[i];
    struct om_batch batch;
    assert_int_equal(sample_batch(kept, count, &batch), OM_OK);
    struct om_segment *run = run_of(&schema, &batch);
    om_arena_deinit(&batch.arena);
    om_free(kept);
    return run;
}

static void extract_takes_some_rows_and_leaves_the_dead(void **state)
{
    (void)state;
    enum { N = 2500 };
    const struct om_schema schema = sample_schema();
    for (uint64_t round = 0; round < 20; round++) {
        uint64_t s = round;
        struct sample_row *row = make_rows(round, N);
        qsort(row, N, sizeof *row, sample_compare);
        bool none[N] = {0}, gone[N] = {0};
        uint32_t dead[N], list[N];
        size_t deads = 0, listed = 0;
        const size_t from = sample_random(&s) % N;
        const size_t to = from + sample_random(&s) % (N - from + 1);
        const uint64_t share = 1 + sample_random(&s) % 20;
        struct om_segment *all = run_without(row, N, none);
        for (uint32_t i = 0; i < N; i++) {
            if (sample_random(&s) % share == 0) dead[deads++] = i;
            const bool is_dead = deads > 0 && dead[deads - 1] == i;
            if (round % 2) {
                gone[i] = sample_random(&s) % 5 != 0;
                if (!gone[i]) list[listed++] = i;
                gone[i] |= is_dead;
            } else {
                gone[i] = is_dead || i < from || i >= to;
            }
        }
        struct om_batch batch;
        assert_int_equal(
            om_segment_extract(all, &schema, from, round % 2 ? listed : to,
                               round % 2 ? list : NULL, dead, deads, &batch),
            OM_OK);
        struct om_segment *some = run_of(&schema, &batch);
        struct om_segment *want = run_without(row, N, gone);
        check_same(want, some);
        om_arena_deinit(&batch.arena);
        om_segment_unref(all);
        om_segment_unref(some);
        om_segment_unref(want);
        om_free(row);
    }
}

static void merge_is_one_segment_of_the_living(void **state)
{
    (void)state;
    enum { N = 9000, PARTS = 4 };
    const struct om_schema schema = sample_schema();
    struct sample_row *row = make_rows(31, N);
    static bool gone[N];
    static uint32_t dead[PARTS][N];
    struct om_part part[PARTS] = {{0}};
    uint64_t s = 8;
    for (size_t p = 0; p < PARTS; p++) {
        const size_t from = p * p * N / (PARTS * PARTS);
        const size_t n = (p + 1) * (p + 1) * N / (PARTS * PARTS) - from;
        qsort(row + from, n, sizeof *row, sample_compare);
        struct om_batch batch;
        assert_int_equal(sample_batch(row + from, n, &batch), OM_OK);
        part[p].segment = p % 2 ? run_of(&schema, &batch)
                                : file_of(&schema, &batch);
        part[p].dead = dead[p];
        for (size_t i = 0; i < n; i++) {
            gone[from + i] = p > 0 && sample_random(&s) % 6 == 0;
            if (gone[from + i])
                dead[p][part[p].dead_count++] = (uint32_t)i;
        }
        om_arena_deinit(&batch.arena);
    }
    struct om_segment *want = run_without(row, N, gone), *run = NULL,
                      *file = NULL;
    char path[256];
    sample_path(path, "merged");
    assert_int_equal(
        om_run_merge(&schema, part, PARTS, NULL, NULL, NULL, &run, NULL),
        OM_OK);
    assert_int_equal(
        om_run_merge(&schema, part, PARTS, NULL, path, NULL, &file, NULL),
        OM_OK);
    check_same(want, run);
    check_same(want, file);
    om_segment_unref(want);
    om_segment_unref(run);
    om_segment_unref(file);
    sample_remove(path);
    for (size_t p = 0; p < PARTS; p++) om_segment_unref(part[p].segment);
    om_free(row);
}

/* ---- units ---- */

static struct city_sample city;
static struct mesh fine, coarse;

static void make_city(void)
{
    const struct mesh_plan small = {.cols = 8,
                                    .rows = 6,
                                    .bends = 7,
                                    .x = 3.4e9 + 0.7,
                                    .y = 1.8e9 + 0.2,
                                    .step = 1e6,
                                    .seed = 11};
    struct mesh_plan large = small;
    large.cols = large.rows = 2;
    large.step = 4e6;
    mesh_init(&fine, 20000);
    mesh_init(&coarse, 2000);
    mesh_partition(&fine, &small);
    mesh_partition(&coarse, &large);
    city_begin(&city);
    city_add_units(&city, "grid", &fine, "G");
    city_add_units(&city, "town", &coarse, "T");
}

static void drop_city(void)
{
    city_end(&city);
    mesh_deinit(&fine);
    mesh_deinit(&coarse);
}

static void place_rows(struct sample_row *row, size_t n, double spread)
{
    uint64_t s = 77;
    for (size_t i = 0; i < n; i++)
        row[i].pos = (struct om_pos){
            (uint32_t)(3.4e9 + mesh_between(&s, -1e6, spread)),
            (uint32_t)(1.8e9 + mesh_between(&s, -1e6, spread))};
}

/* The unit columns against the shapes themselves. */
static void check_units(const struct om_segment *s, size_t own)
{
    const size_t rows = om_segment_rows(s);
    const uint64_t *key;
    struct om_text_reader reader = {0};
    assert_int_equal(om_segment_schema(s)->count, own + 2);
    assert_int_equal(om_segment_keys(s, 0, rows, &key), OM_OK);
    for (size_t l = 0; l < 2; l++) {
        struct om_units units;
        const char *name = om_segment_schema(s)->field[own + l].name;
        const struct om_column *column;
        assert_int_equal(om_units_read(&city.snapshot, name, &units, NULL),
                         OM_OK);
        assert_int_equal(om_segment_column(s, own + l, 0, rows, &column),
                         OM_OK);
        for (size_t w = 1; w < column->words; w++)
            assert_true(memcmp(column->word_bytes + column->word_offset[w - 1],
                               column->word_bytes + column->word_offset[w],
                               4) < 0);
        for (size_t i = 0; i < rows; i++) {
            const char *text, *want = NULL;
            size_t len;
            for (size_t u = 0; u < units.count && !want; u++)
                if (om_rings_contain(&units.rings, units.unit[u].row,
                                     om_morton_pos(key[i])))
                    want = units.unit[u].id;
            assert_int_equal(
                om_segment_text(s, own + l, i, &reader, &text, &len), OM_OK);
            assert_true((want != NULL) == (text != NULL));
            if (want)
                assert_true(len == strlen(want) && !memcmp(text, want, len));
        }
        om_units_deinit(&units);
    }
    om_text_reader_deinit(&reader);
}

static void units_follow_from_the_place(void **state)
{
    (void)state;
    make_city();
    const struct om_schema schema = sample_schema();
    struct om_joiner *joiner;
    assert_int_equal(om_joiner_new(&city.snapshot, &joiner, NULL), OM_OK);
    assert_int_equal(om_joiner_levels(joiner), 2);
    assert_string_equal(om_joiner_level(joiner, 0), "grid");
    // Few rows name few units, many name all; none is in none.
    const size_t sizes[] = {0, 1, 20, 3000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct sample_row *row = make_rows(k, sizes[k]);
        place_rows(row, sizes[k], k % 2 ? 9e6 : 2e6);
        struct om_batch batch;
        const struct om_batch *list = &batch;
        struct om_segment *run, *file = NULL;
        assert_int_equal(sample_batch(row, sizes[k], &batch), OM_OK);
        assert_int_equal(om_run_new(&schema, &list, 1, joiner, &run, NULL),
                         OM_OK);
        check_units(run, schema.count);
        const struct om_column *column;
        assert_int_equal(
            om_segment_column(run, schema.count, 0, sizes[k], &column), OM_OK);
        assert_true(column->words <= sizes[k] || column->words == 48);
        char path[128], units[128];
        city_path(&city, "merged", "seg", path);
        city_path(&city, "merged", "units", units);
        const struct om_part part = {.segment = run};
        assert_int_equal(om_run_merge(&schema, &part, 1, joiner, path, units,
                                      &file, NULL),
                         OM_OK);
        check_units(file, schema.count);
        om_segment_unref(run);
        om_segment_unref(file);
        om_arena_deinit(&batch.arena);
        om_free(row);
    }
    om_joiner_unref(om_joiner_ref(joiner));
    om_joiner_unref(joiner);
    drop_city();
}

static void units_are_all_listed_by_a_layer_of_a_few_rows(void **state)
{
    (void)state;
    make_city();
    const struct om_schema schema = sample_schema();
    struct om_joiner *joiner;
    struct om_batch batch;
    const struct om_batch *list = &batch;
    struct om_part part = {0};
    struct sample_row *row = make_rows(3, 5);
    place_rows(row, 5, 9e6);
    assert_int_equal(om_joiner_new(&city.snapshot, &joiner, NULL), OM_OK);
    assert_int_equal(sample_batch(row, 5, &batch), OM_OK);
    assert_int_equal(
        om_run_new(&schema, &list, 1, joiner, &part.segment, NULL), OM_OK);
    const struct om_manifest_layer meta = {.name = "few"};
    const struct om_layer layer = {.name = "few",
                                   .schema = *om_segment_schema(part.segment),
                                   .unit_columns = 2,
                                   .parts = 1,
                                   .part = &part,
                                   .rows = 5,
                                   .meta = &meta};
    const struct om_query query = {.snapshot = &city.snapshot, .layer = &layer};
    const size_t units[] = {48, 4};
    for (size_t l = 0; l < 2; l++) {
        struct om_groups groups;
        uint64_t count = 0;
        size_t named = 0;
        assert_int_equal(om_query_group(&query, schema.count + l, OM_STEP_NONE,
                                        0, OM_NO_FIELD, &groups),
                         OM_OK);
        for (size_t i = 0; i < groups.count; i++) {
            named += !groups.group[i].null;
            count += groups.group[i].count;
        }
        assert_int_equal(named, units[l]);
        assert_int_equal(count, 5);
        om_groups_deinit(&groups);
    }
    om_segment_unref(part.segment);
    om_joiner_unref(joiner);
    om_arena_deinit(&batch.arena);
    om_free(row);
    drop_city();
}

static void units_of_several_parts_are_refused(void **state)
{
    (void)state;
    make_city();
    struct om_joiner *joiner;
    struct om_err err = {0};
    const uint32_t dead[] = {3};
    city.part[1].dead = dead;
    city.part[1].dead_count = 1;
    assert_int_equal(om_joiner_new(&city.snapshot, &joiner, &err),
                     OM_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "town"));
    city.part[1].dead_count = 0;
    drop_city();
}

/* ---- what hangs on segments ---- */

static struct om_segment *shapes_in_memory(uint64_t seed, size_t n)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POLYGON,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    struct om_batch batch;
    random_batch(&seed, &schema, n, &batch);
    struct om_segment *run = run_of(&schema, &batch);
    om_arena_deinit(&batch.arena);
    return run;
}

static void tree_of_a_large_layer_outlives_those_of_many_runs(void **state)
{
    (void)state;
    struct om_segment *large = shapes_in_memory(1, 70000);
    struct om__kept_tree *tree, *again;
    assert_int_equal(om__tree_get(large, &tree), OM_OK);
    for (uint64_t i = 0; i < 200; i++) {
        struct om_segment *run = shapes_in_memory(2 + i, 3);
        struct om__kept_tree *small;
        assert_int_equal(om__tree_get(run, &small), OM_OK);
        om__tree_release(small);
        om_segment_unref(run);
    }
    assert_int_equal(om__tree_get(large, &again), OM_OK);
    assert_ptr_equal(tree, again);
    om__tree_release(again);
    om__tree_release(tree);
    om_segment_unref(large);
    om_query_forget();
}

/* ---- errors ---- */

static void error_two_rows_of_one_id(void **state)
{
    (void)state;
    const struct om_schema schema = sample_schema();
    struct sample_row *row = make_rows(1, 40);
    struct om_batch batch[2];
    const struct om_batch *list[] = {&batch[0], &batch[1]};
    struct om_segment *s = NULL;
    struct om_err err = {0};
    memcpy(row[31].text[SAMPLE_ID], row[7].text[SAMPLE_ID], 48);
    assert_int_equal(sample_batch(row, 25, &batch[0]), OM_OK);
    assert_int_equal(sample_batch(row + 25, 15, &batch[1]), OM_OK);
    assert_int_equal(om_run_new(&schema, list, 2, NULL, &s, &err), OM_E_EXISTS);
    assert_null(s);
    assert_int_equal(err.at, 31);
    assert_non_null(strstr(err.text, row[7].text[SAMPLE_ID]));
    om_arena_deinit(&batch[0].arena);
    om_arena_deinit(&batch[1].arena);
    om_free(row);
}

static void error_a_shape_that_cannot_be_used(void **state)
{
    (void)state;
    uint64_t s = 4;
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POLYGON,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    struct om_batch batch;
    random_batch(&s, &schema, 9, &batch);
    const uint32_t ring = batch.shapes.part_ring[batch.shapes.shape_part[5]];
    ((double *)(uintptr_t)
         batch.shapes.x)[batch.shapes.ring_vertex[ring]] = (double)NAN;
    const struct om_batch *list = &batch;
    struct om_segment *run = NULL;
    struct om_err err = {0};
    assert_int_equal(om_run_new(&schema, &list, 1, NULL, &run, &err),
                     OM_E_GEOMETRY);
    assert_int_equal(err.at, 5);
    om_arena_deinit(&batch.arena);
}

static void error_another_schema_or_row(void **state)
{
    (void)state;
    const struct om_schema schema = sample_schema();
    struct sample_row *row = make_rows(1, 10);
    struct om_batch batch, out;
    assert_int_equal(sample_batch(row, 10, &batch), OM_OK);
    struct om_segment *s = run_of(&schema, &batch);
    struct om_schema other = schema;
    other.field[3].type = OM_TYPE_TEXT;
    assert_int_equal(om_segment_extract(s, &other, 0, 10, NULL, NULL, 0, &out),
                     OM_E_TYPE);
    other = schema;
    other.geometry = OM_GEOMETRY_LINE;
    assert_int_equal(om_segment_extract(s, &other, 0, 10, NULL, NULL, 0, &out),
                     OM_E_TYPE);
    assert_int_equal(om_segment_extract(s, &schema, 0, 11, NULL, NULL, 0, &out),
                     OM_E_RANGE);
    const uint32_t far[] = {2, 10};
    assert_int_equal(om_segment_extract(s, &schema, 0, 2, far, NULL, 0, &out),
                     OM_E_RANGE);
    assert_int_equal(out.rows, 0);
    om_segment_unref(s);
    om_arena_deinit(&batch.arena);
    om_free(row);
}

static om_status all_of_it(const struct om_schema *schema,
                           const struct om_batch *batch)
{
    struct om_joiner *joiner = NULL;
    struct om_segment *run = NULL, *merged = NULL;
    om_status st = om_joiner_new(&city.snapshot, &joiner, NULL);
    if (!st) st = om_run_new(schema, &batch, 1, joiner, &run, NULL);
    const struct om_part part = {.segment = run};
    if (!st)
        st = om_run_merge(schema, &part, 1, joiner, NULL, NULL, &merged, NULL);
    om_segment_unref(merged);
    om_segment_unref(run);
    om_joiner_unref(joiner);
    return st;
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    make_city();
    om_threads_set(1);
    uint64_t s = 12;
    for (int k = 0; k < 2; k++) {
        struct om_schema schema = random_schema(
            &s, k ? OM_GEOMETRY_POLYGON : OM_GEOMETRY_POINT);
        schema.count = 3;
        schema.id_field = 0;
        schema.time_field = OM_NO_FIELD;
        schema.field[0].type = OM_TYPE_TEXT;
        struct om_batch batch;
        random_batch(&s, &schema, 30, &batch);
        assert_int_equal(all_of_it(&schema, &batch), OM_OK);  // warm
        const size_t live = om_alloc_live();
        om_status st = OM_E_MEMORY;
        for (size_t n = 1; st; n++) {
            om_alloc_fail_after(n, false);
            st = all_of_it(&schema, &batch);
            om_alloc_fail_after(0, false);
            assert_true(st == OM_OK || st == OM_E_MEMORY);
            assert_int_equal(om_alloc_live(), live);
            assert_true(n < 20000);
        }
        om_arena_deinit(&batch.arena);
    }
    om_threads_set(0);
    drop_city();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_answers_as_a_file_does),
        cmocka_unit_test(memory_takes_several_batches),
        cmocka_unit_test(extract_gives_what_makes_the_same_segment),
        cmocka_unit_test(extract_takes_some_rows_and_leaves_the_dead),
        cmocka_unit_test(merge_is_one_segment_of_the_living),
        cmocka_unit_test(units_follow_from_the_place),
        cmocka_unit_test(units_are_all_listed_by_a_layer_of_a_few_rows),
        cmocka_unit_test(units_of_several_parts_are_refused),
        cmocka_unit_test(tree_of_a_large_layer_outlives_those_of_many_runs),
        cmocka_unit_test(error_two_rows_of_one_id),
        cmocka_unit_test(error_a_shape_that_cannot_be_used),
        cmocka_unit_test(error_another_schema_or_row),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
