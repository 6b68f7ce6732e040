/* Vector tiles of lines and polygons: whole cities of them, tile by tile.
 *
 * Plan
 *   sum_*     distinct ids and counts are the register at every zoom
 *   written_* the same for layers that rows were written to; nothing that is
 *             kept of the others is made again
 *   cell_*    a cell ranked by itself is as all shapes together have it
 *   plain_*   the same for layers too large to be simplified
 *   all_*     a zoom draws a shape in all tiles that it touches or in none
 *   lines_*   roads keep their ends and do not jump over places
 *   limit_*   no tile above the limit
 *   lean_*    many units leave out their names, unless they are asked for
 *   same_*    threads and caches change nothing
 *   fault_*   no memory
 */
#include "data/base/thread.h"
#include "engine/live/run.h"
#include "tests/rounds.h"
#include "tests/tiles/vector_city.h"

/* ---- sums ---- */

struct ids {
    uint64_t *id;
    size_t count, room;
};

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void ids_add(struct ids *ids, uint64_t id)
{
    if (ids->count == ids->room) {
        ids->room = ids->room ? 2 * ids->room : 1024;
        ids->id = realloc(ids->id, ids->room * sizeof *ids->id);
    }
    ids->id[ids->count++] = id;
}

static size_t ids_distinct(struct ids *ids)
{
    size_t n = 0;
    if (ids->count) qsort(ids->id, ids->count, sizeof *ids->id, by_number);
    for (size_t i = 0; i < ids->count; i++)
        n += !i || ids->id[i] != ids->id[i - 1];
    return n;
}

static void check_sum(const struct om_vector_spec *spec, unsigned z)
{
    const struct range t = tiles_of(z);
    struct om_arena arena = {0};
    struct ids ids = {0};
    uint64_t counted = 0, total = 0;
    bool every_tile_told = true;
    for (uint32_t y = t.y0; y <= t.y1; y++)
        for (uint32_t x = t.x0; x <= t.x1; x++) {
            struct om_buf buf = make(spec, z, x, y);
            struct mvt_tile tile = tile_of(&buf);
            const struct mvt_layer *l = mvt_layer(&tile, spec->name);
            const struct mvt_layer *cells = mvt_layer(&tile, "cells");
            const struct mvt_layer *meta = mvt_layer(&tile, "meta");
            for (size_t i = 0; l && i < l->features; i++)
                ids_add(&ids, l->feature[i].id);
            uint64_t here = 0;
            for (size_t i = 0; cells && i < cells->features; i++)
                here += (uint64_t)mvt_get(cells, &cells->feature[i], "count")
                            .integer;
            counted += here;
            assert_true((cells != NULL) == (meta != NULL));
            if (meta) {
                const struct mvt_feature *f = &meta->feature[0];
                total += (uint64_t)mvt_get(meta, f, "total").integer;
                assert_int_equal(mvt_get(meta, f, "suppressed").integer, here);
            } else {
                every_tile_told = false;
            }
            if (spec->layer->schema.geometry == OM_GEOMETRY_POLYGON && z < 13)
                check_polygons(l, &arena);
            om_arena_reset(&arena);
            mvt_free(&tile);
            om_buf_deinit(&buf);
        }
    assert_int_equal(ids_distinct(&ids) + counted, spec->selection->count);
    if (every_tile_told) assert_int_equal(total, spec->selection->count);
    free(ids.id);
    om_arena_deinit(&arena);
}

static void sum_of_every_zoom_is_the_register(void **state)
{
    (void)state;
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}, {road, &all_roads}};
    const unsigned step = test_rounds(13) < 13 ? 4 : 1;
    for (size_t k = 0; k < 3; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        for (unsigned z = 0; z <= 13; z += step) check_sum(&spec, z);
    }
}

static void sum_of_a_filter_is_what_it_takes(void **state)
{
    (void)state;
    struct om_filter *filter;
    struct om_selection *some;
    const char *text = "kind IN ('p','r') AND floors > 4";
    assert_int_equal(
        om_filter_parse(text, strlen(text), house, 0, &filter, NULL), OM_OK);
    assert_int_equal(
        om_select(NULL, house, filter, (struct om_window){0}, &some), OM_OK);
    const struct om_vector_spec spec = spec_of(house, some);
    for (unsigned z = 3; z <= 12; z += 3) check_sum(&spec, z);
    om_selection_unref(some);
    om_filter_free(filter);
}

/* ---- layers that are written to ---- */

/* Some rows die, and come again in memory. owns: part[1].segment */
static struct om_layer written(const struct om_layer *from, size_t step,
                               uint32_t *dead, struct om_part part[2])
{
    static uint64_t serial = 1u << 30;
    const struct om_segment *s = from->part[0].segment;
    struct om_batch batch;
    const struct om_batch *list = &batch;
    size_t n = 0;
    for (size_t row = step / 2; row < from->rows; row += step)
        dead[n++] = (uint32_t)row;
    assert_int_equal(om_segment_extract(s, om_segment_schema(s), 0, n, dead,
                                        NULL, 0, &batch),
                     OM_OK);
    part[0] = (struct om_part){from->part[0].segment, dead, n};
    part[1] = (struct om_part){0};
    assert_int_equal(om_run_new(om_segment_schema(s), &list, 1, NULL,
                                &part[1].segment, NULL),
                     OM_OK);
    om_arena_deinit(&batch.arena);
    struct om_layer layer = *from;
    layer.parts = 2;
    layer.part = part;
    layer.serial = ++serial;
    return layer;
}

/* How much is made when what is kept of the lasting parts is asked for. */
static uint64_t made_of_lasting(const struct om_vector_spec *spec)
{
    const uint64_t before = om_vectors_stats(vectors).misses;
    struct om__kept kept;
    assert_int_equal(om__drawing_get(vectors, spec, false, &kept), OM_OK);
    om__keep_release(vectors, &kept);
    assert_int_equal(om__borders_get(vectors, spec->layer, &kept), OM_OK);
    om__keep_release(vectors, &kept);
    for (unsigned z = 2;
         z <= 13 && spec->layer->schema.geometry == OM_GEOMETRY_POLYGON; z++) {
        assert_int_equal(om__level_get(vectors, spec->layer, z, &kept), OM_OK);
        om__keep_release(vectors, &kept);
    }
    return om_vectors_stats(vectors).misses - before;
}

static void written_layers_add_up_and_make_nothing_anew(void **state)
{
    (void)state;
    const struct om_layer *of[] = {house, road};
    const char *const text[] = {NULL, "floors > 4"};
    static uint32_t dead[4000];
    for (size_t k = 0; k < 4; k++) {
        // Nothing written, then more and more.
        for (size_t step = 100000; step > 1; step /= 40) {
            struct om_part part[2];
            struct om_layer layer = written(of[k / 2], step, dead, part);
            struct om_filter *filter = NULL;
            struct om_selection *some;
            if (text[k % 2])
                assert_int_equal(
                    om_filter_parse(text[k % 2], strlen(text[k % 2]), &layer, 0,
                                    &filter, NULL),
                    OM_OK);
            assert_int_equal(
                om_select(NULL, &layer, filter, (struct om_window){0}, &some),
                OM_OK);
            const struct om_vector_spec spec = spec_of(&layer, some);
            for (unsigned z = 2; z <= 13; z += test_rounds(12) < 12 ? 5 : 3)
                check_sum(&spec, z);
            const uint64_t made = made_of_lasting(&spec);
            if (step < 100000) assert_int_equal(made, 0);
            om_selection_unref(some);
            om_filter_free(filter);
            om_segment_unref(part[1].segment);
        }
    }
}

/* Cells have their nodes along the curve, as the whole layer has. */
static void cell_ranks_are_those_of_the_whole_layer(void **state)
{
    (void)state;
    const struct om_layer *of[] = {house, road, unit};
    for (size_t k = 0; k < 3; k++) {
        struct om__kept kept, one;
        size_t cells = 0, gone = 0;
        assert_int_equal(om__borders_get(vectors, of[k], &kept), OM_OK);
        const struct om__borders *all = kept.value;
        const unsigned level = om__rank_level(of[k]);
        assert_int_equal(level, k < 2 ? OM__RANK_LEVEL : 0);
        for (size_t n = 0, end; n < all->nodes; n = end, cells++) {
            const uint64_t cell = om__rank_cell(all->pos[n], level);
            size_t i = 0;
            assert_int_equal(om__borders_of_cell(vectors, of[k], cell, 0, &one),
                             OM_OK);
            const struct om__borders *b = one.value;
            for (end = n; end < all->nodes &&
                          om__rank_cell(all->pos[end], level) == cell;
                 end++) {
                const struct om_pos p = all->pos[end];
                while (i < b->nodes &&
                       (b->pos[i].x != p.x || b->pos[i].y != p.y))
                    i++;
                assert_true(i < b->nodes);
                assert_int_equal(b->zoom[i], all->zoom[end]);
                gone += b->zoom[i] > 0;
            }
            om__keep_release(vectors, &one);
        }
        assert_true(k == 2 || cells > 100);
        assert_true(gone > all->nodes / 5);
        om__keep_release(vectors, &kept);
    }
}

/* ---- layers that are drawn vertex by vertex ---- */

static void plain_houses_and_roads_add_up_and_are_valid(void **state)
{
    (void)state;
    struct om_vectors *mine = vectors;
    assert_int_equal(om_vectors_new((size_t)1 << 28, &vectors), OM_OK);
    om__borders_limit(vectors, 0);
    const struct om_vector_spec houses = spec_of(house, &all_houses);
    const struct om_vector_spec roads = spec_of(road, &all_roads);
    const struct om_vector_spec units = spec_of(unit, &all_units);
    for (unsigned z = 1; z <= 12; z += test_rounds(12) < 12 ? 5 : 2) {
        check_sum(&houses, z);
        check_sum(&roads, z);
        check_sum(&units, z);
    }
    om_vectors_free(vectors);
    vectors = mine;
}

/* ---- all or none ---- */

static void all_tiles_that_a_house_touches_show_it(void **state)
{
    (void)state;
    const struct om_vector_spec spec = spec_of(house, &all_houses);
    const size_t rows = house->rows;
    struct om_rings rings;
    size_t shown = 0, hidden = 0;
    assert_int_equal(om_segment_rings(house->part[0].segment, 0, rows, &rings),
                     OM_OK);
    for (unsigned z = 9; z <= 12; z += 3) {
        const struct range t = tiles_of(z);
        const uint32_t x = (t.x0 + t.x1) / 2, y = (t.y0 + t.y1) / 2;
        struct om_buf a = make(&spec, z, x, y), b = make(&spec, z, x + 1, y);
        struct mvt_tile ta = tile_of(&a), tb = tile_of(&b);
        const struct mvt_layer *la = mvt_layer(&ta, "house");
        const struct mvt_layer *lb = mvt_layer(&tb, "house");
        struct om_text_reader reader = {0};
        const uint32_t edge = (x + 1) << (32 - z);
        const uint32_t top = y << (32 - z), low = (y + 1) << (32 - z);
        // Houses across the border, well inside from north to south.
        for (size_t row = 0; row < rows; row++) {
            const struct om_box box = rings.box[row];
            const uint32_t unit_side = 1u << (20 - z);
            if (box.x0 + 2 * unit_side > edge ||
                box.x1 < edge + 2 * unit_side || box.y0 < top || box.y1 >= low)
                continue;
            const char *id;
            size_t len;
            assert_int_equal(om_segment_text(house->part[0].segment, 0, row,
                                             &reader, &id, &len),
                             OM_OK);
            bool in_a = false, in_b = false;
            for (size_t i = 0; la && i < la->features; i++) {
                const struct mvt_value v = mvt_get(la, &la->feature[i], "id");
                in_a |= v.len == len && !memcmp(v.text, id, len);
            }
            for (size_t i = 0; lb && i < lb->features; i++) {
                const struct mvt_value v = mvt_get(lb, &lb->feature[i], "id");
                in_b |= v.len == len && !memcmp(v.text, id, len);
            }
            assert_int_equal(in_a, in_b);
            shown += in_a;
            hidden += !in_a;
        }
        om_text_reader_deinit(&reader);
        mvt_free(&ta);
        mvt_free(&tb);
        om_buf_deinit(&a);
        om_buf_deinit(&b);
    }
    assert_true(shown > 3);
    (void)hidden;
}

/* Ids are the number where the text is one. */
static void all_ids_are_numbers_or_hashes(void **state)
{
    (void)state;
    const struct om_vector_spec spec = spec_of(house, &all_houses);
    const struct range t = tiles_of(12);
    struct om_buf buf = make(&spec, 12, (t.x0 + t.x1) / 2, (t.y0 + t.y1) / 2);
    struct mvt_tile tile = tile_of(&buf);
    const struct mvt_layer *l = mvt_layer(&tile, "house");
    size_t numbers = 0;
    for (size_t i = 0; i < l->features; i++) {
        const struct mvt_value v = mvt_get(l, &l->feature[i], "id");
        char text[32];
        snprintf(text, sizeof text, "%.*s", (int)v.len, v.text);
        assert_true(l->feature[i].id < UINT64_C(1) << 53);
        if (text[0] == 'X') continue;
        assert_int_equal(l->feature[i].id, strtoull(text, NULL, 10));
        numbers++;
    }
    assert_true(numbers > 10 && numbers < l->features);
    mvt_free(&tile);
    om_buf_deinit(&buf);
}

/* ---- lines ---- */

static void lines_keep_their_ends(void **state)
{
    (void)state;
    struct om__kept kept;
    struct om_rings rings;
    const struct om_segment *s = road->part[0].segment;
    assert_int_equal(om_segment_rings(s, 0, road->rows, &rings), OM_OK);
    assert_int_equal(om__borders_get(vectors, road, &kept), OM_OK);
    const struct om__borders *b = kept.value;
    size_t gone = 0, vertices = 0;
    for (size_t row = 0; row < road->rows; row++) {
        const size_t ring = rings.part_ring[rings.shape_part[row]];
        const uint32_t from = rings.ring_vertex[ring];
        const uint32_t to = rings.ring_vertex[ring + 1];
        assert_int_equal(b->zoom[om__borders_of(b, 0)[from]], 0);
        assert_int_equal(b->zoom[om__borders_of(b, 0)[to - 1]], 0);
        for (uint32_t v = from; v < to; v++, vertices++) {
            const struct om_pos p = b->pos[om__borders_of(b, 0)[v]];
            assert_true(p.x == rings.vertex[v].x && p.y == rings.vertex[v].y);
            gone += b->zoom[om__borders_of(b, 0)[v]] > 8;
        }
    }
    // Of the others some stay where they enter a cell.
    assert_true(gone > vertices / 3);
    om__keep_release(vectors, &kept);
}

/* ---- limits ---- */

static void limit_a_crowd_is_counted(void **state)
{
    (void)state;
    // 30,000 houses of one size on one spot: no class of sizes fits.
    enum { CROWD = 30000 };
    struct mesh m;
    uint64_t seed = 2;
    mesh_init(&m, CROWD * 4);
    for (size_t i = 0; i < CROWD; i++) {
        const double x = WEST + 40000 * mesh_unit(&seed);
        const double y = NORTH + 40000 * mesh_unit(&seed);
        const double xy[] = {x, y, x + 90, y, x + 90, y + 90, x, y + 90};
        mesh_polygon(&m, 4, xy);
    }
    struct om_layer *crowd = add_layer("crowd", OM_GEOMETRY_POLYGON, &m);
    mesh_deinit(&m);
    const struct om_selection all = {.all = true, .count = CROWD};
    const struct om_vector_spec spec = spec_of(crowd, &all);
    for (unsigned z = 12; z <= 18; z += 3) {
        const double side = ldexp(1.0, 32 - (int)z);
        struct om_buf buf = make(&spec, z, (uint32_t)((WEST + 20000) / side),
                                 (uint32_t)((NORTH + 20000) / side));
        assert_true(buf.len > 0);
        om_buf_deinit(&buf);
    }
    for (unsigned z = 8; z <= 17; z += 3) check_sum(&spec, z);
}

/* Names on a tile: those of its units that have one. */
static size_t names_on(const struct om_vector_spec *spec, unsigned z, double x,
                       double y, size_t *units)
{
    const double side = ldexp(1.0, 32 - (int)z);
    struct om_buf buf =
        make(spec, z, (uint32_t)(x / side), (uint32_t)(y / side));
    struct mvt_tile tile = tile_of(&buf);
    const struct mvt_layer *l = mvt_layer(&tile, spec->name);
    size_t names = 0;
    assert_non_null(l);
    *units = l->features;
    for (size_t i = 0; i < l->features; i++) {
        assert_int_equal(mvt_get(l, &l->feature[i], "id").kind, MVT_TEXT);
        names += mvt_get(l, &l->feature[i], "name").kind == MVT_TEXT;
    }
    mvt_free(&tile);
    om_buf_deinit(&buf);
    return names;
}

static void lean_units_have_names_where_asked_for(void **state)
{
    (void)state;
    enum { ACROSS = 64, COUNT = ACROSS * ACROSS };
    struct city_sample other;
    struct mesh m;
    city_begin(&other);
    mesh_init(&m, 90000);
    const struct mesh_plan plan = {
        ACROSS, ACROSS, 3, WEST, NORTH, SIDE * STEP / ACROSS, true, 77};
    mesh_partition(&m, &plan);
    struct om_layer *many = city_add_units(&other, "grid", &m, "77");
    mesh_deinit(&m);
    many->serial = 4711;
    const struct om_selection all = {.all = true, .count = COUNT};
    struct om_vector_spec spec = spec_of(many, &all);
    const double middle = SIDE * STEP / 2, x = WEST + middle,
                 y = NORTH + middle;
    size_t units;
    // All on one tile: nobody can read 4,096 names there.
    assert_int_equal(names_on(&spec, 7, x, y, &units), 0);
    assert_int_equal(units, COUNT);
    // In a tile that holds few of them, too: a zoom has one rule.
    size_t few;
    assert_int_equal(names_on(&spec, 9, x, NORTH + 1.95 * middle, &few), 0);
    assert_true(few < COUNT / 10);
    // Closer there are few, and each has its name.
    const size_t names = names_on(&spec, 12, x, y, &units);
    assert_int_equal(names, units);
    // Who asks for names gets them.
    bool column[8] = {false};
    const size_t name = om_schema_find(&many->schema, "name");
    column[name] = true;
    spec.column = column;
    assert_int_equal(names_on(&spec, 7, x, y, &units), COUNT);
    column[name] = false;
    assert_int_equal(names_on(&spec, 12, x, y, &units), 0);
    city_end(&other);
}

static void same_bytes_whatever_threads_and_caches(void **state)
{
    (void)state;
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}, {road, &all_roads}};
    struct om_vectors *mine = vectors;
    for (size_t k = 0; k < 3; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        for (unsigned z = 6; z <= 14; z += 4) {
            const struct range t = tiles_of(z);
            const uint32_t x = (t.x0 + t.x1) / 2, y = (t.y0 + t.y1) / 2;
            struct om_buf warm = make(&spec, z, x, y);
            assert_int_equal(om_vectors_new(1, &vectors), OM_OK);
            om_threads_set(1);
            om_query_forget();
            struct om_buf cold = make(&spec, z, x, y);
            om_threads_set(0);
            assert_int_equal(om_vectors_stats(vectors).bytes, 0);
            om_vectors_free(vectors);
            vectors = mine;
            assert_int_equal(warm.len, cold.len);
            assert_memory_equal(warm.bytes, cold.bytes, warm.len);
            om_buf_deinit(&warm);
            om_buf_deinit(&cold);
        }
    }
}

static void fault_no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}, {road, &all_roads}};
    const struct range t = tiles_of(9);
    for (size_t k = 0; k < 3; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        size_t fails = 0;
        for (size_t nth = 1;; nth += 1 + nth / 6) {
            struct om_vectors *fresh;
            struct om_arena arena = {0};
            struct om_buf tile = {0};
            om_query_forget();
            const size_t live = om_alloc_live();
            assert_int_equal(om_vectors_new((size_t)1 << 28, &fresh), OM_OK);
            om_alloc_fail_after(nth, true);
            const om_status st =
                om_vector_tile(fresh, &spec, 9, (t.x0 + t.x1) / 2,
                               (t.y0 + t.y1) / 2, &arena, &tile);
            om_alloc_fail_after(0, false);
            assert_true(st == OM_OK || st == OM_E_MEMORY);
            if (st) assert_int_equal(tile.len, 0);
            om_arena_deinit(&arena);
            om_buf_deinit(&tile);
            om_vectors_free(fresh);
            om_query_forget();
            assert_int_equal(om_alloc_live(), live);
            if (!st) break;
            fails++;
        }
        assert_true(fails > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_of_every_zoom_is_the_register),
        cmocka_unit_test(sum_of_a_filter_is_what_it_takes),
        cmocka_unit_test(written_layers_add_up_and_make_nothing_anew),
        cmocka_unit_test(cell_ranks_are_those_of_the_whole_layer),
        cmocka_unit_test(plain_houses_and_roads_add_up_and_are_valid),
        cmocka_unit_test(all_tiles_that_a_house_touches_show_it),
        cmocka_unit_test(all_ids_are_numbers_or_hashes),
        cmocka_unit_test(lines_keep_their_ends),
        cmocka_unit_test(limit_a_crowd_is_counted),
        cmocka_unit_test(lean_units_have_names_where_asked_for),
        cmocka_unit_test(same_bytes_whatever_threads_and_caches),
        cmocka_unit_test(fault_no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
