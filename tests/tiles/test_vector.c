/* Vector tiles of points: all rows or honest counts.
 *
 * Plan
 *   sum_*        over all tiles of a zoom the rows are the register, by
 *                category and in sums, whatever is selected
 *   cell_*       box, place and expansion_zoom of every cell against its rows
 *   row_*        properties, types, ids, chosen columns
 *   limit_*      no tile above the limit; stacks that never come apart
 *   meta_*       total, shown, suppressed, as of
 *   same_*       threads, caches and their size change nothing
 *   error_*      what is refused
 *   fault_*      no memory: told, nothing leaks, the buffer as it was
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/hash.h"
#include "data/base/thread.h"
#include "tests/engine/field_sample.h"
#include "tests/rounds.h"
#include "tests/tiles/read_mvt.h"
#include "tiles/vector/vector_internal.h"

/* Enough for tallies and finer cells to be used. */
#define ROWS 140000
#define MORE_ROWS 9000

static struct om_vectors *vectors;
static struct field_layer city;
static uint32_t dead[1000];

/* Clusters of stacks, and some noise far away. */
static void fill(struct field_row *row, size_t n, uint64_t seed)
{
    double x = 0, y = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 400 == 0) {
            x = 3466000000.0 + 9e6 * field_uniform(&seed);
            y = 1863000000.0 + 5e6 * field_uniform(&seed);
        }
        const double r = 60000 * field_uniform(&seed) * field_uniform(&seed);
        const double angle = 6.283 * field_uniform(&seed);
        struct om_pos pos = {(uint32_t)(x + r * cos(angle)),
                             (uint32_t)(y + r * sin(angle))};
        if (i % 3 && i) pos = row[i - 1].pos;
        if (i % 5000 == 1)
            pos = (struct om_pos){(uint32_t)field_random(&seed),
                                  (uint32_t)field_random(&seed)};
        row[i] = (struct field_row){.pos = pos,
                                    .people = (int64_t)(i % 7) - 1,
                                    .score = (double)i / 8,
                                    .kind = (int)(field_random(&seed) % 10)};
    }
}

static int set_up(void **state)
{
    (void)state;
    struct field_row *row = calloc(ROWS, sizeof *row);
    fill(row, ROWS, 4);
    om_status st = field_layer_add(&city, row, ROWS);
    fill(row, MORE_ROWS, 8);
    if (!st) st = field_layer_add(&city, row, MORE_ROWS);
    free(row);
    for (size_t i = 0; i < 1000; i++) dead[i] = (uint32_t)(i * 131 + 7);
    city.part[0].dead = dead;
    city.part[0].dead_count = 1000;
    city.layer.rows -= 1000;
    snprintf(city.layer.name, sizeof city.layer.name, "place");
    if (!st) st = om_vectors_new((size_t)1 << 28, &vectors);
    return (int)st;
}

static int tear_down(void **state)
{
    (void)state;
    om_vectors_free(vectors);
    field_layer_free(&city);
    return 0;
}

/* ---- what is asked, and its rows by brute force ---- */

struct row_copy {
    uint64_t key;
    size_t part, row;
    int kind;
    int64_t people;
};
struct asked {
    struct om_vector_spec spec;
    struct om_selection *selection;
    size_t rows;
    struct row_copy *row;  // selected ones, by key
};

static int by_key(const void *a, const void *b)
{
    const struct row_copy *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static struct asked ask(const char *filter_text)
{
    struct asked a = {.spec = {.layer = &city.layer,
                               .name = "place",
                               .by = FIELD_KIND,
                               .zone_s = 8 * 3600,
                               .as_of_s = 1687795200}};
    struct om_filter *filter = NULL;
    if (filter_text)
        assert_int_equal(om_filter_parse(filter_text, strlen(filter_text),
                                         &city.layer, 0, &filter, NULL),
                         OM_OK);
    assert_int_equal(om_select(NULL, &city.layer, filter, (struct om_window){0},
                               &a.selection),
                     OM_OK);
    om_filter_free(filter);
    a.spec.selection = a.selection;
    a.row = calloc(a.selection->count + 1, sizeof *a.row);
    for (size_t p = 0; p < city.layer.parts; p++) {
        const struct om_segment *s = city.part[p].segment;
        const size_t rows = om_segment_rows(s);
        const uint64_t *key;
        const struct om_column *kind, *people;
        assert_int_equal(om_segment_keys(s, 0, rows, &key), OM_OK);
        assert_int_equal(om_segment_column(s, FIELD_KIND, 0, rows, &kind),
                         OM_OK);
        assert_int_equal(om_segment_column(s, FIELD_PEOPLE, 0, rows, &people),
                         OM_OK);
        for (size_t i = 0; i < rows; i++) {
            if (!om_selection_has(a.selection, p, i)) continue;
            a.row[a.rows++] =
                (struct row_copy){key[i], p, i, (int)om_column_stored(kind, i),
                                  om_column_integer(people, i)};
        }
    }
    assert_int_equal(a.rows, a.selection->count);
    qsort(a.row, a.rows, sizeof *a.row, by_key);
    return a;
}

static void asked_free(struct asked *a)
{
    om_selection_unref(a->selection);
    free(a->row);
}

/* Rows of a cell of a level: [*from, *to) of a->row. */
static void rows_in(const struct asked *a, uint64_t code, unsigned level,
                    size_t *from, size_t *to)
{
    *from = 0;
    size_t high = a->rows;
    while (*from < high) {
        const size_t mid = (*from + high) / 2;
        if (level && a->row[mid].key >> (64 - 2 * level) < code)
            *from = mid + 1;
        else
            high = mid;
    }
    *to = *from;
    while (*to < a->rows &&
           (!level || a->row[*to].key >> (64 - 2 * level) == code))
        ++*to;
}

static struct om_buf make(struct om_vectors *with,
                          const struct om_vector_spec *spec, unsigned z,
                          uint64_t code)
{
    struct om_buf tile = {0};
    struct om_arena arena = {0};
    assert_int_equal(
        om_vector_tile(with, spec, z, om_morton_squeeze(code),
                       om_morton_squeeze(code >> 1), &arena, &tile),
        OM_OK);
    om_arena_deinit(&arena);
    assert_true(tile.len <= OM_VECTOR_BYTES);
    return tile;
}

static struct mvt_tile tile_of(const struct om_buf *buf)
{
    const struct mvt_tile tile = mvt_read(buf->bytes, buf->len);
    if (tile.wrong) fail_msg("%s", tile.wrong);
    return tile;
}

/* ---- sums ---- */

struct totals {
    uint64_t rows, cells, kind[10];
    int64_t people;
};

static void add_rows(const struct mvt_layer *l, struct totals *t)
{
    for (size_t i = 0; l && i < l->features; i++) {
        const struct mvt_feature *f = &l->feature[i];
        assert_int_equal(f->type, 1);
        assert_in_range(f->at[0][0], 0, 4095);
        assert_in_range(f->at[0][1], 0, 4095);
        t->rows++;
        t->kind[mvt_get(l, f, "kind").text[0] - 'a']++;
        t->people += mvt_get(l, f, "people").integer;
    }
}

static void add_cells(const struct mvt_layer *l, struct totals *t)
{
    for (size_t i = 0; l && i < l->features; i++) {
        const struct mvt_feature *f = &l->feature[i];
        assert_int_equal(f->type, 1);
        assert_in_range(f->at[0][0], 0, 4095);
        assert_in_range(f->at[0][1], 0, 4095);
        const int64_t count = mvt_get(l, f, "count").integer;
        int64_t kinds = 0;
        assert_true(count > 1);
        t->cells += (uint64_t)count;
        t->people += mvt_get(l, f, "sum:people").integer;
        for (int k = 0; k < 10; k++) {
            const char name[] = {'k', 'i', 'n', 'd', ':', (char)('a' + k), 0};
            const struct mvt_value v = mvt_get(l, f, name);
            assert_true(v.kind == MVT_NONE || v.integer > 0);
            t->kind[k] += (uint64_t)v.integer;
            kinds += v.integer;
        }
        assert_int_equal(kinds, count);
    }
}

static void check_zoom(const struct asked *a, unsigned z)
{
    struct totals sum = {0}, want = {0};
    for (size_t i = 0; i < a->rows; i++) {
        want.kind[a->row[i].kind]++;
        want.people += a->row[i].people;
    }
    for (size_t i = 0; i < a->rows;) {
        const uint64_t code = z ? a->row[i].key >> (64 - 2 * z) : 0;
        size_t from, to;
        rows_in(a, code, z, &from, &to);
        struct om_buf buf = make(vectors, &a->spec, z, code);
        struct mvt_tile tile = tile_of(&buf);
        const uint64_t before = sum.rows + sum.cells;
        add_rows(mvt_layer(&tile, "place"), &sum);
        add_cells(mvt_layer(&tile, "cells"), &sum);
        assert_int_equal(sum.rows + sum.cells - before, to - from);
        assert_true((mvt_layer(&tile, "cells") != NULL) ==
                    (mvt_layer(&tile, "meta") != NULL));
        mvt_free(&tile);
        om_buf_deinit(&buf);
        i = to;
    }
    assert_int_equal(sum.rows + sum.cells, a->rows);
    assert_int_equal(sum.people, want.people);
    for (int k = 0; k < 10; k++) assert_int_equal(sum.kind[k], want.kind[k]);
}

static void check_zooms(const char *filter, unsigned last)
{
    struct asked a = ask(filter);
    // Fewer under a slow sanitizer, but always the first and the last.
    const unsigned step = test_rounds(18) < 18 ? 6 : 1;
    for (unsigned z = 0; z <= last; z += step) check_zoom(&a, z);
    asked_free(&a);
}

static void sum_of_every_zoom_is_the_register(void **state)
{
    (void)state;
    check_zooms(NULL, 12);
}

static void sum_of_a_filter_is_what_it_takes(void **state)
{
    (void)state;
    check_zooms("people > 0 AND kind <> 'c'", 12);
    check_zooms("kind = 'd' AND people = 5", 18);
}

static void sum_of_nothing_is_an_empty_tile(void **state)
{
    (void)state;
    struct asked a = ask("people > 1000");
    struct om_buf buf = make(vectors, &a.spec, 0, 0);
    assert_int_equal(buf.len, 0);
    om_buf_deinit(&buf);
    asked_free(&a);
}

/* ---- cells ---- */

/* How many features show the rows [from, to) of one cell at a zoom? */
static size_t features_of(const struct asked *a, size_t from, size_t to,
                          unsigned z)
{
    size_t features = 0;
    while (from < to) {
        const uint64_t code = z ? a->row[from].key >> (64 - 2 * z) : 0;
        size_t t0, t1;
        rows_in(a, code, z, &t0, &t1);
        const size_t end = t1 < to ? t1 : to;
        if (t1 - t0 <= om__points_whole(&a->spec)) {
            features += end - from;
        } else {
            for (size_t i = from; i < end; i++)
                features += i == from || (a->row[i].key ^ a->row[i - 1].key) >>
                                             (64 - 2 * (z + 5));
        }
        from = end;
    }
    return features;
}

static void check_cell(const struct asked *a, const struct mvt_layer *l,
                       const struct mvt_feature *f, unsigned z)
{
    const unsigned level = z + OM_VECTOR_CELL_ZOOMS;
    size_t from, to;
    assert_true(f->has_id);
    rows_in(a, f->id, level, &from, &to);
    assert_int_equal(mvt_get(l, f, "count").integer, to - from);

    // The box holds all rows, and is at most a seventh of a cell larger.
    double box[4], w = 180, s = 90, e = -180, n = -90;
    char text[128];
    const struct mvt_value bbox = mvt_get(l, f, "bbox");
    snprintf(text, sizeof text, "%.*s", (int)bbox.len, bbox.text);
    assert_int_equal(
        sscanf(text, "%lf,%lf,%lf,%lf", &box[0], &box[1], &box[2], &box[3]), 4);
    double x = 0, y = 0;
    for (size_t i = from; i < to; i++) {
        const struct om_pos p = om_morton_pos(a->row[i].key);
        double lon, lat;
        om_pos_to_lonlat(p, &lon, &lat);
        w = fmin(w, lon);
        e = fmax(e, lon);
        s = fmin(s, lat);
        n = fmax(n, lat);
        x += p.x;
        y += p.y;
    }
    const double cell_deg = 360.0 / ldexp(1.0, (int)level);
    const double slack = cell_deg / 7;
    assert_true(box[0] <= w && box[1] <= s && box[2] >= e && box[3] >= n);
    assert_true(box[0] >= w - slack && box[2] <= e + slack);
    assert_true(box[1] >= s - slack && box[3] <= n + slack);

    // Near the mean of its rows: within an eighth of a cell of it.
    const double unit = ldexp(1.0, 20 - (int)z);
    const double px = x / (double)(to - from) / unit;
    const double py = y / (double)(to - from) / unit;
    const uint64_t tile = f->id >> (2 * OM_VECTOR_CELL_ZOOMS);
    assert_true(fabs(px - 4096.0 * om_morton_squeeze(tile) - f->at[0][0]) <=
                17);
    assert_true(
        fabs(py - 4096.0 * om_morton_squeeze(tile >> 1) - f->at[0][1]) <= 17);

    // The first zoom at which it is more than one feature.
    const struct mvt_value zoom = mvt_get(l, f, "expansion_zoom");
    unsigned want = z + 1;
    while (want <= 22 && features_of(a, from, to, want) < 2) want++;
    if (want > 22)
        assert_true(zoom.kind == MVT_NONE);
    else
        assert_int_equal(zoom.integer, want);
}

static void cell_box_place_and_expansion_are_of_its_rows(void **state)
{
    (void)state;
    static const char *const filter[] = {NULL, "kind IN ('a','b','e')"};
    size_t cells = 0;
    for (size_t i = 0; i < 2; i++) {
        struct asked a = ask(filter[i]);
        for (unsigned z = 0; z <= 16; z += 2) {
            const size_t rounds = test_rounds(12);
            for (size_t k = 0; k < rounds; k++) {
                const size_t row = (k * 7919 + z * 104729) * 13 % a.rows;
                const uint64_t code = z ? a.row[row].key >> (64 - 2 * z) : 0;
                struct om_buf buf = make(vectors, &a.spec, z, code);
                struct mvt_tile tile = tile_of(&buf);
                const struct mvt_layer *l = mvt_layer(&tile, "cells");
                for (size_t c = 0; l && c < l->features; c++, cells++)
                    check_cell(&a, l, &l->feature[c], z);
                mvt_free(&tile);
                om_buf_deinit(&buf);
            }
        }
        asked_free(&a);
    }
    assert_true(cells > 1000);
}

/* ---- rows ---- */

/* The cells of a tile: how many rows, where, and their box as it is said. */
struct said {
    size_t count;
    int64_t rows[1024];
    int32_t at[1024][2];
    char box[1024][80];
};

static void read_cells(const struct om_layer *layer, unsigned z,
                       struct said *out)
{
    struct om_selection *selection;
    struct om_arena arena = {0};
    struct om_buf bytes = {0};
    assert_int_equal(
        om_select(NULL, layer, NULL, (struct om_window){0}, &selection), OM_OK);
    const struct om_vector_spec spec = {.layer = layer,
                                        .selection = selection,
                                        .name = "place",
                                        .by = OM_NO_FIELD};
    assert_int_equal(om_vector_tile(vectors, &spec, z, 3470000000u >> (32 - z),
                                    1865000000u >> (32 - z), &arena, &bytes),
                     OM_OK);
    struct mvt_tile tile = mvt_read(bytes.bytes, bytes.len);
    const struct mvt_layer *cells = mvt_layer(&tile, "cells");
    *out = (struct said){0};
    for (size_t i = 0; cells && i < cells->features; i++) {
        const struct mvt_value box = mvt_get(cells, &cells->feature[i], "bbox");
        for (int k = 0; k < 2; k++)
            out->at[out->count][k] = (int32_t)cells->feature[i].at[0][k];
        out->rows[out->count] =
            mvt_get(cells, &cells->feature[i], "count").integer;
        snprintf(out->box[out->count++], sizeof *out->box, "%.*s", (int)box.len,
                 box.text);
    }
    mvt_free(&tile);
    om_buf_deinit(&bytes);
    om_arena_deinit(&arena);
    om_selection_unref(selection);
}

static void cell_places_and_boxes_of_parts_are_those_of_the_whole(void **state)
{
    (void)state;
    static struct said whole, parts;
    struct field_layer one = {0}, two = {0};
    struct field_row *row = calloc(ROWS, sizeof *row);
    struct field_row *some = calloc(ROWS, sizeof *some);
    fill(row, ROWS, 21);
    assert_int_equal(field_layer_add(&one, row, ROWS), OM_OK);
    for (size_t k = 0; k < 2; k++) {
        size_t n = 0;
        for (size_t i = 0; i < ROWS; i++)
            if ((i % 10 == 0) == (k == 1)) some[n++] = row[i];
        assert_int_equal(field_layer_add(&two, some, n), OM_OK);
    }
    snprintf(one.layer.name, sizeof one.layer.name, "one");
    snprintf(two.layer.name, sizeof two.layer.name, "two");
    size_t seen = 0;
    for (unsigned z = 5; z <= 11; z++) {
        read_cells(&one.layer, z, &whole);
        read_cells(&two.layer, z, &parts);
        assert_int_equal(whole.count, parts.count);
        for (size_t i = 0; i < whole.count; i++) {
            assert_int_equal(whole.rows[i], parts.rows[i]);
            assert_string_equal(whole.box[i], parts.box[i]);
            assert_int_equal(whole.at[i][0], parts.at[i][0]);
            assert_int_equal(whole.at[i][1], parts.at[i][1]);
        }
        seen += whole.count;
    }
    assert_true(seen > 100);
    field_layer_free(&one);
    field_layer_free(&two);
    free(row);
    free(some);
}

static void row_properties_are_the_columns(void **state)
{
    (void)state;
    struct asked a = ask("kind = 'b'");
    struct om_text_reader reader = {0};
    size_t seen = 0;
    for (size_t i = 0; i < a.rows && seen < 200; i += 37) {
        const uint64_t code = a.row[i].key >> (64 - 2 * 17);
        struct om_buf buf = make(vectors, &a.spec, 17, code);
        struct mvt_tile tile = tile_of(&buf);
        const struct mvt_layer *l = mvt_layer(&tile, "place");
        for (size_t k = 0; l && k < l->features; k++, seen++) {
            const struct mvt_feature *f = &l->feature[k];
            const struct mvt_value id = mvt_get(l, f, "id");
            size_t row = 0, part = 0;
            for (; part < city.layer.parts; part++)
                if (!om_segment_find(city.part[part].segment, id.text, id.len,
                                     &reader, &row))
                    break;
            assert_true(part < city.layer.parts);
            assert_true(om_selection_has(a.selection, part, row));
            const struct om_segment *s = city.part[part].segment;
            const struct om_column *people, *score;
            const uint64_t *key;
            assert_int_equal(om_segment_keys(s, row, row + 1, &key), OM_OK);
            assert_int_equal(
                om_segment_column(s, FIELD_PEOPLE, row, row + 1, &people),
                OM_OK);
            assert_int_equal(
                om_segment_column(s, FIELD_SCORE, row, row + 1, &score), OM_OK);
            assert_true(mvt_text_is(mvt_get(l, f, "kind"), "b"));
            assert_int_equal(mvt_get(l, f, "people").integer,
                             om_column_integer(people, row));
            assert_true(mvt_get(l, f, "score").kind == MVT_REAL);
            assert_true(mvt_get(l, f, "score").real ==
                        ((const double *)score->data)[row]);
            assert_true(f->has_id && f->id < UINT64_C(1) << 53);
            assert_int_equal(f->id, om_hash64(id.text, id.len, 0) >> 11);
            const struct om_pos p = om_morton_pos(key[row]);
            assert_int_equal(f->at[0][0], (p.x >> 3) & 4095);
            assert_int_equal(f->at[0][1], (p.y >> 3) & 4095);
        }
        mvt_free(&tile);
        om_buf_deinit(&buf);
    }
    assert_true(seen > 100);
    om_text_reader_deinit(&reader);
    asked_free(&a);
}

static void row_columns_can_be_chosen(void **state)
{
    (void)state;
    struct asked a = ask(NULL);
    bool column[FIELD_COLUMNS] = {[FIELD_SCORE] = true};
    a.spec.column = column;
    const uint64_t code = a.row[a.rows / 2].key >> (64 - 2 * 20);
    struct om_buf buf = make(vectors, &a.spec, 20, code);
    struct mvt_tile tile = tile_of(&buf);
    const struct mvt_layer *l = mvt_layer(&tile, "place");
    assert_int_equal(l->keys, 2);
    assert_true(mvt_get(l, &l->feature[0], "id").kind == MVT_TEXT);
    assert_true(mvt_get(l, &l->feature[0], "score").kind == MVT_REAL);
    mvt_free(&tile);
    om_buf_deinit(&buf);
    // Fewer columns: more rows before they are counted; no sums.
    struct asked whole = ask(NULL);
    assert_true(om__points_whole(&a.spec) > om__points_whole(&whole.spec));
    buf = make(vectors, &a.spec, 0, 0);
    tile = tile_of(&buf);
    l = mvt_layer(&tile, "cells");
    assert_true(mvt_get(l, &l->feature[0], "sum:people").kind == MVT_NONE);
    mvt_free(&tile);
    om_buf_deinit(&buf);
    asked_free(&whole);
    asked_free(&a);
}

/* ---- limits ---- */

static void limit_a_stack_is_counted_at_every_zoom(void **state)
{
    (void)state;
    enum { STACK = 6000 };
    struct field_layer tower = {0};
    struct field_row *row = calloc(STACK, sizeof *row);
    for (size_t i = 0; i < STACK; i++)
        row[i].pos = (struct om_pos){3466000123u, 1863000321u};
    assert_int_equal(field_layer_add(&tower, row, STACK), OM_OK);
    free(row);
    const struct om_selection all = field_all(&tower.layer);
    const struct om_vector_spec spec = {.layer = &tower.layer,
                                        .selection = &all,
                                        .name = "cells",
                                        .by = OM_NO_FIELD};
    for (unsigned z = 0; z <= 22; z += 11) {
        const uint64_t key =
            om_morton((struct om_pos){3466000123u, 1863000321u});
        struct om_buf buf =
            make(vectors, &spec, z, z ? key >> (64 - 2 * z) : 0);
        struct mvt_tile tile = tile_of(&buf);
        // A layer of that name makes ours cells_.
        assert_null(mvt_layer(&tile, "cells"));
        const struct mvt_layer *l = mvt_layer(&tile, "cells_");
        assert_int_equal(l->features, 1);
        const struct mvt_feature *f = &l->feature[0];
        assert_int_equal(mvt_get(l, f, "count").integer, STACK);
        assert_true(mvt_get(l, f, "expansion_zoom").kind == MVT_NONE);
        assert_true(f->has_id == (z < 22));
        mvt_free(&tile);
        om_buf_deinit(&buf);
    }
    field_layer_free(&tower);
}

/* ---- meta ---- */

static void meta_tells_what_is_counted(void **state)
{
    (void)state;
    struct asked a = ask(NULL);
    struct om_buf buf = make(vectors, &a.spec, 3, a.row[a.rows / 2].key >> 58);
    struct mvt_tile tile = tile_of(&buf);
    const struct mvt_layer *l = mvt_layer(&tile, "meta");
    const struct mvt_layer *rows = mvt_layer(&tile, "place");
    const struct mvt_feature *f = &l->feature[0];
    size_t from, to;
    rows_in(&a, a.row[a.rows / 2].key >> 58, 3, &from, &to);
    assert_int_equal(l->features, 1);
    assert_int_equal(f->type, 3);
    assert_int_equal(mvt_area2(f, 0), 2 * 4096 * 4096);
    assert_int_equal(mvt_get(l, f, "total").integer, to - from);
    assert_int_equal(mvt_get(l, f, "shown").integer, rows ? rows->features : 0);
    assert_int_equal(mvt_get(l, f, "suppressed").integer,
                     to - from - (rows ? rows->features : 0));
    assert_true(mvt_text_is(mvt_get(l, f, "by"), "kind"));
    assert_true(
        mvt_text_is(mvt_get(l, f, "as_of"), "2023-06-27T00:00:00+08:00"));
    mvt_free(&tile);
    om_buf_deinit(&buf);
    asked_free(&a);
}

/* ---- the same whatever is kept ---- */

static void same_bytes_whatever_threads_and_caches(void **state)
{
    (void)state;
    struct asked a = ask("people > 1");
    struct om_vectors *small, *fresh;
    assert_int_equal(om_vectors_new(1, &small), OM_OK);
    for (unsigned z = 0; z <= 18; z += 3) {
        const uint64_t code = z ? a.row[a.rows / 3].key >> (64 - 2 * z) : 0;
        assert_int_equal(om_vectors_new((size_t)1 << 28, &fresh), OM_OK);
        om_threads_set(1);
        struct om_buf one = make(fresh, &a.spec, z, code);
        om_threads_set(4);
        struct om_buf two = make(small, &a.spec, z, code);
        struct om_buf three = make(fresh, &a.spec, z, code);
        om_threads_set(0);
        assert_int_equal(one.len, two.len);
        assert_memory_equal(one.bytes, two.bytes, one.len);
        assert_int_equal(one.len, three.len);
        assert_memory_equal(one.bytes, three.bytes, one.len);
        om_buf_deinit(&one);
        om_buf_deinit(&two);
        om_buf_deinit(&three);
        om_vectors_free(fresh);
    }
    assert_int_equal(om_vectors_stats(small).bytes, 0);
    om_vectors_free(small);
    asked_free(&a);
}

struct many {
    struct asked *asked;
    struct om_vectors *fresh;
};

static om_status make_some(void *ctx, size_t first, size_t end, size_t lane)
{
    struct many *m = ctx;
    (void)lane;
    for (size_t i = first; i < end; i++) {
        const unsigned z = (unsigned)(i % 9);
        const uint64_t code = z ? m->asked->row[i].key >> (64 - 2 * z) : 0;
        struct om_buf buf = make(m->fresh, &m->asked->spec, z, code);
        om_buf_deinit(&buf);
    }
    return OM_OK;
}

static void same_things_are_made_once_by_many_threads(void **state)
{
    (void)state;
    struct asked a = ask("people > 0");
    struct many m = {.asked = &a};
    assert_int_equal(om_vectors_new((size_t)1 << 28, &m.fresh), OM_OK);
    om_threads_set(4);
    assert_int_equal(om_parallel(64, 1, make_some, &m), OM_OK);
    om_threads_set(0);
    const struct om_cache_stats stats = om_vectors_stats(m.fresh);
    assert_int_equal(stats.misses, stats.entries);
    assert_true(stats.hits > stats.misses);
    om_vectors_clear(m.fresh);
    assert_int_equal(om_vectors_stats(m.fresh).entries, 0);
    om_vectors_free(m.fresh);
    asked_free(&a);
}

/* ---- refusals ---- */

static void error_places_that_are_none(void **state)
{
    (void)state;
    struct asked a = ask(NULL);
    struct om_arena arena = {0};
    struct om_buf tile = {0};
    om_buf_add_text(&tile, "before");
    assert_int_equal(om_vector_tile(vectors, &a.spec, 23, 0, 0, &arena, &tile),
                     OM_E_RANGE);
    assert_int_equal(om_vector_tile(vectors, &a.spec, 3, 8, 0, &arena, &tile),
                     OM_E_RANGE);
    assert_int_equal(om_vector_tile(vectors, &a.spec, 0, 0, 1, &arena, &tile),
                     OM_E_RANGE);
    a.spec.by = FIELD_PEOPLE;
    assert_int_equal(om_vector_tile(vectors, &a.spec, 0, 0, 0, &arena, &tile),
                     OM_E_TYPE);
    assert_int_equal(om_vector_by_check(&city.layer, FIELD_KIND), OM_OK);
    assert_int_equal(om_vector_by_check(&city.layer, FIELD_ID), OM_E_TYPE);
    assert_int_equal(om_vector_by_check(&city.layer, 99), OM_E_TYPE);
    assert_int_equal(om_vector_by(&city.layer), FIELD_KIND);
    assert_int_equal(tile.len, 6);
    om_arena_deinit(&arena);
    om_buf_deinit(&tile);
    asked_free(&a);
}

static void fault_no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    struct asked a = ask("people > 1");
    size_t fails = 0;
    // Every allocation of a small tile, a sample of those of a large one.
    for (size_t nth = 1;; nth += 1 + nth / 16) {
        struct om_vectors *fresh;
        struct om_arena arena = {0};
        struct om_buf tile = {0};
        const size_t live = om_alloc_live();
        assert_int_equal(om_vectors_new((size_t)1 << 28, &fresh), OM_OK);
        om_alloc_fail_after(nth, true);
        const om_status st =
            om_vector_tile(fresh, &a.spec, 6, 51, 27, &arena, &tile);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        if (st) assert_int_equal(tile.len, 0);
        om_arena_deinit(&arena);
        om_buf_deinit(&tile);
        om_vectors_free(fresh);
        assert_int_equal(om_alloc_live(), live);
        if (!st) break;
        fails++;
    }
    assert_true(fails > 10);
    asked_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_of_every_zoom_is_the_register),
        cmocka_unit_test(sum_of_a_filter_is_what_it_takes),
        cmocka_unit_test(sum_of_nothing_is_an_empty_tile),
        cmocka_unit_test(cell_box_place_and_expansion_are_of_its_rows),
        cmocka_unit_test(cell_places_and_boxes_of_parts_are_those_of_the_whole),
        cmocka_unit_test(row_properties_are_the_columns),
        cmocka_unit_test(row_columns_can_be_chosen),
        cmocka_unit_test(limit_a_stack_is_counted_at_every_zoom),
        cmocka_unit_test(meta_tells_what_is_counted),
        cmocka_unit_test(same_bytes_whatever_threads_and_caches),
        cmocka_unit_test(same_things_are_made_once_by_many_threads),
        cmocka_unit_test(error_places_that_are_none),
        cmocka_unit_test(fault_no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
