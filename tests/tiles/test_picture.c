/* Pictures of a small city: base map, units, rows. Whether tiles continue each
 * other test_seam.c looks at, names test_labels.c.
 *
 * Plan
 *   rows_*    dots where rows are; stored cells give what rows give
 *   units_*   no seams, every class in its place
 *   base_*    city.json: what it may say, and what it must not
 *   fault_*   no memory
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "tests/tiles/pictures.h"
#include "tiles/picture/base_internal.h"

/* ---- rows ---- */

static void rows_are_dots_where_they_lie(void **state)
{
    (void)state;
    const struct om_layer *layer = layer_of("report");
    const struct om_segment *s = layer->part[0].segment;
    const uint64_t *key;
    assert_int_equal(om_segment_keys(s, 0, PIC_REPORTS, &key), OM_OK);
    for (size_t row = 0; row < PIC_REPORTS; row += 997) {
        const struct om_pos pos = om_morton_pos(key[row]);
        const struct om_view tile =
            om_view_tile(18, pos.x >> 14, pos.y >> 14, 256, 1);
        uint8_t *pixels = pixels_of(picture[GRADES], &tile);
        const size_t x = pos.x >> 6 & 255, y = pos.y >> 6 & 255;
        assert_int_equal(pixels[(y * 256 + x) * 4 + 3], 255);
        free(pixels);
    }
}

/* Counting cells and counting rows must paint the same. */
static void rows_read_from_cells_are_those_read_one_by_one(void **state)
{
    (void)state;
    const struct om_layer *layer = layer_of("report");
    struct om_selection *all = all_rows("report");
    uint64_t word[PIC_REPORTS / 64 + 1];
    uint32_t rank[PIC_REPORTS / 512 + 2];
    for (size_t i = 0; i < PIC_REPORTS / 64 + 1; i++) word[i] = UINT64_MAX;
    word[PIC_REPORTS / 64] >>= 64 - PIC_REPORTS % 64;
    for (size_t i = 0; i < PIC_REPORTS / 512 + 2; i++)
        rank[i] = (uint32_t)(i * 512 < PIC_REPORTS ? i * 512 : PIC_REPORTS);
    struct om_bitmap bitmap = {PIC_REPORTS, PIC_REPORTS, word, rank};
    const struct om_selection listed = {
        .count = PIC_REPORTS, .parts = 1, .part = &bitmap};
    struct om_classes one = {
        .column = OM_NO_FIELD, .count = 1, .box = om_layer_box(layer)};
    one.class[0].colour[0] = om_colour_of(0xFF8800);
    struct om_arena arena = {0};
    unsigned dense = 0;
    for (unsigned z = 4; z <= 13; z++) {
        const struct om_view view = tile_at(0.5, 0.5, z, 256, 1);
        struct om_canvas a, b;
        const struct om_rows_spec sa = {layer, all, &one, OM_PALETTE_DARK};
        const struct om_rows_spec sb = {layer, &listed, &one, OM_PALETTE_DARK};
        assert_int_equal(om_canvas_init(&a, &view, &arena), OM_OK);
        assert_int_equal(om_canvas_init(&b, &view, &arena), OM_OK);
        assert_int_equal(om_rows_draw(&sa, &a, &arena), OM_OK);
        assert_int_equal(om_rows_draw(&sb, &b, &arena), OM_OK);
        assert_memory_equal(a.pixel[0], b.pixel[0], 256 * 256 * 4);
        dense += om_rows_dot(&sa, &view) == 0;
        om_arena_reset(&arena);
    }
    assert_true(dense >= 4);
    om_arena_deinit(&arena);
    om_selection_unref(all);
}

/* A view of a few pixels beside the pixels x0..x1, y0..y1 of the world, `away`
 * pixels from them on one of four sides. */
#define BESIDE_PX 24
static struct om_view view_beside(struct om_view scale, const int64_t px[4],
                                  unsigned side, int64_t away)
{
    const bool across = side & 1, before = side & 2;
    const int64_t low = px[across ? 1 : 0], high = px[across ? 3 : 2];
    const int64_t at = before ? low - away - BESIDE_PX + 1 : high + away;
    const int64_t middle =
        (px[across ? 0 : 1] + px[across ? 2 : 3]) / 2 - BESIDE_PX / 2;
    const int64_t half = (px[across ? 2 : 3] - px[across ? 0 : 1]) / 2;
    // All along what lies beside it.
    const int64_t first = middle - half, length = BESIDE_PX + 2 * half;
    scale.x = across ? first : at;
    scale.y = across ? at : first;
    scale.width = across ? (unsigned)length : BESIDE_PX;
    scale.height = across ? BESIDE_PX : (unsigned)length;
    return scale;
}

/* All rows of a layer but one, as a selection that counts them all. */
struct all_but_one {
    struct om_selection all, but;
    struct om_bitmap bitmap[2];
    uint64_t *word[2];
};
static void all_but_init(struct all_but_one *a, const char *layer)
{
    const size_t n = (size_t)layer_of(layer)->rows, words = n / 64 + 1;
    for (int i = 0; i < 2; i++) {
        a->word[i] = calloc(words, sizeof **a->word);
        for (size_t row = 0; row < n; row++)
            a->word[i][row / 64] |= UINT64_C(1) << row % 64;
        a->bitmap[i] = (struct om_bitmap){n, n, a->word[i], NULL};
    }
    a->all =
        (struct om_selection){.count = n, .parts = 1, .part = &a->bitmap[0]};
    a->but =
        (struct om_selection){.count = n, .parts = 1, .part = &a->bitmap[1]};
}
static void all_but_free(struct all_but_one *a)
{
    free(a->word[0]);
    free(a->word[1]);
}

/* Pixels of the world that the row's place or box covers. */
static void pixels_of_row(const struct om_layer *layer, size_t row,
                          const struct om_view *scale, int64_t px[4])
{
    struct om_box box;
    if (layer->schema.geometry == OM_GEOMETRY_POINT) {
        const uint64_t *key;
        assert_int_equal(
            om_segment_keys(layer->part[0].segment, row, row + 1, &key), OM_OK);
        const struct om_pos at = om_morton_pos(key[row]);
        box = (struct om_box){at.x, at.y, at.x, at.y};
    } else {
        struct om_rings rings;
        assert_int_equal(
            om_segment_rings(layer->part[0].segment, row, row + 1, &rings),
            OM_OK);
        box = rings.box[row];
    }
    px[0] = om_view_scale(scale->world, box.x0) >> 8;
    px[1] = om_view_scale(scale->world, box.y0) >> 8;
    px[2] = om_view_scale(scale->world, box.x1) >> 8;
    px[3] = om_view_scale(scale->world, box.y1) >> 8;
}

static bool drawn_alike(const struct om_rows_spec *a,
                        const struct om_rows_spec *b,
                        const struct om_view *view)
{
    struct om_arena arena = {0};
    struct om_canvas one, other;
    assert_int_equal(om_canvas_init(&one, view, &arena), OM_OK);
    assert_int_equal(om_canvas_init(&other, view, &arena), OM_OK);
    assert_int_equal(om_rows_draw(a, &one, &arena), OM_OK);
    assert_int_equal(om_rows_draw(b, &other, &arena), OM_OK);
    const bool alike = !memcmp(one.pixel[0], other.pixel[0],
                               (size_t)view->width * view->height * 4);
    om_arena_deinit(&arena);
    return alike;
}

/* A row changes a view if and only if it is within reach of it; where other
 * rows may hide it, and at the softened edges of shapes, only if. */
static void check_reach(const char *name, size_t step, unsigned ratio,
                        unsigned first_zoom, unsigned last_zoom)
{
    const struct om_layer *layer = layer_of(name);
    struct all_but_one rows;
    struct om_classes one = {
        .column = OM_NO_FIELD, .count = 1, .box = om_layer_box(layer)};
    one.class[0].colour[0] = om_colour_of(0xFF8800);
    const bool points = layer->schema.geometry == OM_GEOMETRY_POINT;
    // Streets, and houses, as is usual for them.
    one.shape_cells = layer->schema.geometry == OM_GEOMETRY_LINE ? 30e3 : 1700;
    all_but_init(&rows, name);
    const struct om_rows_spec with = {layer, &rows.all, &one, OM_PALETTE_DARK};
    const struct om_rows_spec less = {layer, &rows.but, &one, OM_PALETTE_DARK};
    for (unsigned z = first_zoom; z <= last_zoom; z++) {
        const struct om_view scale = om_view_tile(z, 0, 0, 256 * ratio, ratio);
        const unsigned reach = om_rows_reach_px(&with, &scale);
        size_t at_reach = 0, seen = 0;
        for (size_t row = 0; row < layer->rows; row += step) {
            int64_t px[4];
            pixels_of_row(layer, row, &scale, px);
            rows.word[1][row / 64] ^= UINT64_C(1) << row % 64;
            for (unsigned side = 0; side < 4; side++)
                for (int64_t away = 0; away <= reach + 2; away++) {
                    const struct om_view view =
                        view_beside(scale, px, side, away);
                    const bool alike = drawn_alike(&with, &less, &view);
                    if (!alike && away > reach)
                        fail_msg(
                            "%s %zu at zoom %u @%ux is seen %d pixels "
                            "away, not %u",
                            name, row, z, ratio, (int)away, reach);
                    at_reach += !alike && away == reach;
                    seen += !alike;
                }
            rows.word[1][row / 64] ^= UINT64_C(1) << row % 64;
        }
        // The reach is the one that is drawn, not a larger one. A shape that is
        // a pixel lies anywhere in its box.
        if (!at_reach && (points || reach))
            fail_msg(
                "%s at zoom %u @%ux: nothing is seen %u pixels away "
                "(%zu views show a row)",
                name, z, ratio, reach, seen);
    }
    all_but_free(&rows);
}

static void rows_reach_as_far_as_they_are_drawn(void **state)
{
    (void)state;
    for (unsigned ratio = 1; ratio <= 2; ratio++) {
        check_reach("report", 997, ratio, 9, 19);
        check_reach("road", 23, ratio, 11, 15);
        check_reach("building", 331, ratio, 10, 17);
    }
}

static void rows_of_what_the_city_colours_have_those_colours(void **state)
{
    (void)state;
    const struct om_classes *c = &picture[GRADES]->classes;
    assert_int_equal(c->count, 4);  // no others
    assert_string_equal(c->class[3].text, "4");
    assert_int_equal(c->class[3].colour[OM_PALETTE_DARK].r, 0xE5);
    // Categories by name.
    const struct om_classes *k = &picture[KINDS]->classes;
    assert_int_equal(k->count, 4);
    for (size_t i = 1; i < k->count; i++)
        assert_true(strcmp(k->class[i - 1].text, k->class[i].text) < 0);
    // Reals in steps with as many rows in each.
    const struct om_classes *s = &picture[PLAIN]->classes;
    assert_int_equal(s->steps, OM_CLASSES_STEPS);
    for (size_t i = 1; i < s->steps; i++)
        assert_true(fabs(s->from[i] - 100.0 * (double)i / 7) < 3.0);
}

/* ---- units ---- */

static void units_of_one_class_have_no_seams(void **state)
{
    (void)state;
    struct om_level *level;
    assert_int_equal(om_base_level(base, "village", &level, NULL), OM_OK);
    const size_t n = level->units.count;
    struct om_unit_classes classes = {.units = n, .classes = 1};
    classes.class[0].colour[0] = om_colour_of(0x4080C0);
    classes.of = om_alloc(n);
    memset(classes.of, 0, n);
    struct om_arena arena = {0};
    // At this zoom villages are too small for borders.
    for (unsigned z = 3; z <= 9; z++) {
        struct om_view view = tile_at(0.5, 0.5, z, 256, 1);
        view.x = (om_view_scale(view.world, (uint32_t)PIC_X) >> 8) - 20;
        view.y = (om_view_scale(view.world, (uint32_t)PIC_Y) >> 8) - 20;
        struct om_canvas c;
        assert_int_equal(om_canvas_init(&c, &view, &arena), OM_OK);
        assert_int_equal(
            om_choropleth_draw(level, &classes, OM_PALETTE_DARK, &c, &arena),
            OM_OK);
        const uint8_t full = om_choropleth_fill(&classes, 0, 0).a;
        const double px = PIC_SIDE * (double)view.world / 256.0 / 4294967296.0;
        size_t inside = 0;
        for (unsigned y = 0; y < 256; y++)
            for (unsigned x = 0; x < 256; x++) {
                // Away from the bent outer border.
                const double fx = (x + 0.5 - 20) / px, fy = (y + 0.5 - 20) / px;
                const double rim = 0.03 + 1.5 / px;
                if (fmin(fx, fy) < rim || fmax(fx, fy) > 1.0 - rim) continue;
                assert_int_equal(c.pixel[y * 256 + x][3], full);
                inside++;
            }
        if (z > 6) assert_true(inside > 100);
        om_arena_reset(&arena);
    }
    om_arena_deinit(&arena);
    om_unit_classes_deinit(&classes);
    om_level_unref(level);
}

static void units_have_the_colour_of_their_class(void **state)
{
    (void)state;
    const struct om_picture *p = picture[TOWNS];
    const struct om_units *units = &p->level->units;
    for (size_t i = 0; i < units->count; i++) {
        const struct om_pos at = units->unit[i].inside;
        const struct om_view tile =
            om_view_tile(14, at.x >> 18, at.y >> 18, 256, 1);
        uint8_t *pixels = pixels_of(p, &tile);
        const uint8_t *got =
            pixels + ((at.y >> 10 & 255) * 256 + (at.x >> 10 & 255)) * 4;
        const uint8_t of = p->units.of[i];
        if (of < p->units.classes) {
            const struct om_colour want =
                om_choropleth_fill(&p->units, of, p->palette);
            assert_int_equal(got[3], want.a);
            assert_true(abs(got[0] - want.r) <= 2);
        }
        free(pixels);
    }
    assert_true(p->units.zero);
    assert_true(p->units.unknown);
}

static void units_lowest_class_says_what_it_holds(void **state)
{
    (void)state;
    double all[] = {100, 200, 300, 400, 500, 600, 700, 800};
    double some[] = {0, 3, 20, 30, 60, 60, 70, 85};
    const struct om_unit_numbers scale = {all, 8, true}, now = {some, 8, true};
    struct om_unit_classes c;
    assert_int_equal(om_unit_classes_of(&now, &scale, 0.1, &c), OM_OK);
    assert_int_equal(c.of[0], OM_UNIT_ZERO);
    assert_int_equal(c.of[1], 0);
    assert_memory_equal(c.class[0].text, "1–", strlen("1–"));
    om_unit_classes_deinit(&c);
    some[1] = 10;  // nothing is below: the scale's own words stay
    assert_int_equal(om_unit_classes_of(&now, &scale, 0.1, &c), OM_OK);
    assert_memory_equal(c.class[0].text, "10–", strlen("10–"));
    om_unit_classes_deinit(&c);
    const struct om_unit_numbers real = {all, 8, false}, low = {some, 8, false};
    some[1] = 0.5;
    assert_int_equal(om_unit_classes_of(&low, &real, 0.1, &c), OM_OK);
    assert_memory_equal(c.class[0].text, "0.5–", strlen("0.5–"));
    om_unit_classes_deinit(&c);
}

static void units_breaks_rise_and_share_units_evenly(void **state)
{
    (void)state;
    double value[700], from[OM_CLASSES_STEPS];
    for (size_t i = 0; i < 700; i++) value[i] = (double)((i * 37) % 700 + 1);
    const size_t n = om_class_breaks(value, 700, OM_CLASSES_STEPS, true, from);
    assert_int_equal(n, OM_CLASSES_STEPS);
    for (size_t i = 1; i < n; i++)
        assert_true(fabs(from[i] - 100.0 * (double)i) < 5.0);
    // All alike: one class.
    for (size_t i = 0; i < 700; i++) value[i] = 5;
    assert_int_equal(om_class_breaks(value, 700, 7, true, from), 1);
    assert_int_equal(om_class_breaks(value, 0, 7, true, from), 0);
    char text[32];
    const double breaks[] = {1, 2, 10};
    om_class_range(breaks, 0, 3, true, text, sizeof text);
    assert_string_equal(text, "1");
    om_class_range(breaks, 1, 3, true, text, sizeof text);
    assert_string_equal(text, "2\u20139");
    om_class_range(breaks, 2, 3, true, text, sizeof text);
    assert_string_equal(text, "\u226510");
}

/* Values from `low` on, so close and so many times the same. */
static void make_values(uint64_t *seed, double low, double width, bool whole,
                        double *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        const double r = (double)(*seed >> 40) / (double)(1u << 24);
        value[i] = low + width * r * r;
        if (whole) value[i] = round(value[i]);
    }
}

static size_t different(const double *sorted, size_t count)
{
    size_t n = count > 0;
    for (size_t i = 1; i < count; i++) n += sorted[i] > sorted[i - 1];
    return n;
}

/* However close the values are and however many are alike. */
static void breaks_keep_what_differs_apart(void **state)
{
    (void)state;
    uint64_t seed = 7;
    double value[60], from[OM_CLASSES_STEPS];
    for (int k = 0; k < 4000; k++) {
        const size_t count = 1 + (size_t)k % 60;
        const double width = pow(10.0, k % 9 - 5);
        const bool whole = k % 3 == 0;
        make_values(&seed, k % 2 ? 53.9 : 1.0, whole ? width * 10 : width,
                    whole, value, count);
        const size_t n = om_class_breaks(value, count, 7, whole, from);
        const size_t unlike = different(value, count);
        assert_int_equal(n, unlike < 7 ? unlike : 7);
        assert_true(from[0] == value[0]);
        for (size_t i = 1; i < n; i++) assert_true(from[i] > from[i - 1]);
        size_t held[7] = {0};
        for (size_t i = 0; i < count; i++) {
            size_t c = 0;
            while (c + 1 < n && value[i] >= from[c + 1]) c++;
            held[c]++;
        }
        char text[7][64];
        for (size_t i = 0; i < n; i++) {
            assert_true(held[i] > 0);
            om_class_range(from, i, n, whole, text[i], sizeof text[i]);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(text[i], text[j]);
            // What is written is where the class begins, never above.
            const double read = strtod(text[i] + (i + 1 == n ? 3 : 0), NULL);
            if (i)
                assert_true(read == from[i]);
            else
                assert_true(read <= from[0] && read > from[0] * 0.9);
        }
    }
}

static void equal_units_are_said_to_be_equal(void **state)
{
    (void)state;
    struct om_unit_classes c;
    const double same[] = {0.25, 0.25, NAN, 0.25}, one[] = {0.25, 0.25, 0.5, 0};
    const struct om_unit_numbers alike = {same, 4, false};
    assert_int_equal(om_unit_classes_of(&alike, &alike, 1.0, &c), OM_OK);
    assert_int_equal(c.classes, 1);
    assert_string_equal(c.class[0].text, "均为 0.25");
    assert_string_equal(c.class[0].text_en, "all 0.25");
    om_unit_classes_deinit(&c);
    // One that differs is told apart, and nothing is said to be equal.
    const struct om_unit_numbers unlike = {one, 4, false};
    assert_int_equal(om_unit_classes_of(&unlike, &unlike, 1.0, &c), OM_OK);
    assert_int_equal(c.classes, 2);
    assert_string_equal(c.class[1].text, "≥0.5");
    om_unit_classes_deinit(&c);
    // Of a scale that is one value, numbers above it are more.
    const struct om_unit_numbers more = {one, 3, false};
    assert_int_equal(om_unit_classes_of(&more, &alike, 1.0, &c), OM_OK);
    assert_string_equal(c.class[0].text, "≥0.25");
    om_unit_classes_deinit(&c);
}

/* ---- the base map and city.json ---- */

static void base_borders_are_each_drawn_once(void **state)
{
    (void)state;
    struct om_level *level;
    assert_int_equal(om_base_level(base, "village", &level, NULL), OM_OK);
    const struct om_rings *r = &level->units.rings;
    // 14 x 14 cells: each inner side is shared, each side has 8 edges.
    size_t edges = 0;
    for (size_t i = 0; i < level->borders.lines; i++)
        edges += level->borders.first[i + 1] - level->borders.first[i] - 1;
    assert_int_equal(r->count, 14 * 14);
    assert_int_equal(edges, 2 * 14 * 15 * 8);
    om_level_unref(level);
}

static void base_renewed_has_the_same_levels_and_outlives_the_older(
    void **state)
{
    (void)state;
    struct om_base *older, *renewed;
    struct om_picture *p;
    struct om_level *level[2];
    assert_int_equal(
        om_base_new(city.snapshot, font, OM_LANGUAGE_ZH, &older, NULL), OM_OK);
    assert_int_equal(om_base_renew(older, city.snapshot, font, OM_LANGUAGE_ZH,
                                   &renewed, NULL),
                     OM_OK);
    assert_int_equal(om_base_level(older, "village", &level[0], NULL), OM_OK);
    assert_int_equal(om_base_level(renewed, "village", &level[1], NULL), OM_OK);
    assert_ptr_equal(level[0], level[1]);
    om_level_unref(level[0]);
    om_level_unref(level[1]);
    om_base_unref(older);
    assert_int_equal(om_picture_base(renewed, OM_PALETTE_LIGHT, true, true, &p),
                     OM_OK);
    om_base_unref(renewed);
    const struct om_view view = tile_at(0.5, 0.5, 12, 256, 1);
    uint8_t *a = pixels_of(picture[BASE], &view), *b = pixels_of(p, &view);
    assert_memory_equal(a, b, 256 * 256 * 4);
    free(a);
    free(b);
    om_picture_unref(p);
}

static void base_without_a_font_is_a_map_without_labels(void **state)
{
    (void)state;
    struct om_base *bare;
    struct om_picture *p;
    assert_int_equal(
        om_base_new(city.snapshot, NULL, OM_LANGUAGE_ZH, &bare, NULL), OM_OK);
    assert_int_equal(om_picture_base(bare, OM_PALETTE_LIGHT, true, true, &p),
                     OM_OK);
    struct om_arena arena = {0};
    struct om_canvas a, b;
    const struct om_view view = tile_at(0.5, 0.5, 13, 256, 1);
    assert_int_equal(om_canvas_init(&a, &view, &arena), OM_OK);
    assert_int_equal(om_canvas_init(&b, &view, &arena), OM_OK);
    assert_int_equal(om_picture_draw(p, true, true, &a, &arena), OM_OK);
    assert_int_equal(om_picture_draw(picture[BASE], true, false, &b, &arena),
                     OM_OK);
    assert_memory_equal(a.pixel[0], b.pixel[0], 256 * 256 * 4);
    om_arena_deinit(&arena);
    om_picture_unref(p);
    om_base_unref(bare);
}

static void expect_fault(const char *looks, om_status status, const char *words)
{
    struct om_city *other;
    struct om_err err = {0};
    struct om_base *out;
    pic_write_manifest(&city.files, looks);
    assert_int_equal(om_city_open(city.files.folder, &other, &err), OM_OK);
    struct om_snapshot *snapshot = om_city_snapshot(other);
    assert_int_equal(om_base_new(snapshot, font, OM_LANGUAGE_ZH, &out, &err),
                     status);
    if (status) {
        if (!strstr(err.text, words)) fail_msg("'%s'", err.text);
    } else {
        om_base_unref(out);
    }
    om_snapshot_unref(snapshot);
    om_city_close(other);
}

static void base_says_what_is_wrong_in_city_json(void **state)
{
    (void)state;
    expect_fault("\"base\": \"road\", \"base_by\": \"sort\"", OM_E_NOTFOUND,
                 "city.json: layer road: base_by: there is no column 'sort'");
    expect_fault("\"base\": \"road\", \"base_label\": \"title\"", OM_E_NOTFOUND,
                 "base_label");
    // Without classes all roads are alike; without `base` there are none.
    expect_fault("\"base\": \"road\"", OM_OK, "");
    expect_fault("\"base\": \"nothing\"", OM_OK, "");
    pic_write_manifest(&city.files, PIC_LOOKS_ROAD);
}

/* ---- faults ---- */

static void fault_in_the_base_map(void **state)
{
    (void)state;
    const struct om_view view = tile_at(0.5, 0.49, 13, 64, 1);
    // What is kept of letters is there from now on.
    free(pixels_of(picture[DARK], &view));
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    size_t rounds = 0;
    for (size_t k = 1; st; k += 1 + k / 12) {
        struct om_base *b = NULL;
        struct om_picture *p = NULL;
        struct om_arena arena = {0};
        struct om_buf png = {0};
        om_alloc_fail_after(k, false);
        st = om_base_new(city.snapshot, font, OM_LANGUAGE_ZH, &b, NULL);
        if (!st) st = om_picture_base(b, OM_PALETTE_DARK, true, true, &p);
        if (!st) st = om_picture_png(p, &view, &arena, &png);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        om_picture_unref(p);
        om_base_unref(b);
        om_buf_deinit(&png);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), live);
        assert_true(++rounds < 1000);
    }
    assert_true(rounds > 20);
}

/* FreeType does without some modules that it has no memory for, so that a
 * success is not the end. */
static void fault_in_fonts(void **state)
{
    (void)state;
    const size_t live = om_alloc_live();
    size_t failed = 0;
    for (size_t k = 1; k < 400; k += 1 + k / 8) {
        struct om_font *f = NULL;
        struct om_arena arena = {0};
        struct om_text text;
        struct om_mask mask;
        const struct om_face face = {.size_px = 13};
        om_alloc_fail_after(k, false);
        om_status st = om_font_open(NULL, &f, NULL);
        if (!st) st = om_text_shape(f, face, "东莞", 6, &arena, &text);
        if (!st)
            st = om_font_glyph(f, face, text.glyph[0].glyph, 9, 24, &arena,
                               &mask);
        om_alloc_fail_after(0, false);
        // What it cannot hold FreeType sometimes calls damaged.
        assert_true(st == OM_OK || st == OM_E_MEMORY || st == OM_E_FORMAT);
        failed += st != OM_OK;
        om_font_close(f);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), live);
    }
    assert_true(failed > 5);
}

static void fault_in_rows_and_units(void **state)
{
    (void)state;
    const struct om_view view = tile_at(0.5, 0.49, 13, 64, 1);
    om_status st = OM_E_MEMORY;
    const size_t live = om_alloc_live();
    for (size_t k = 1; st; k++) {
        struct om_classes classes = {0};
        struct om_picture *p = NULL;
        struct om_selection *selection = NULL;
        struct om_arena arena = {0};
        struct om_buf png = {0};
        om_alloc_fail_after(k, false);
        st = om_select(NULL, layer_of("report"), NULL, (struct om_window){0},
                       &selection);
        if (!st)
            st = om_classes_of(city.snapshot, layer_of("report"), 1, &classes,
                               NULL);
        if (!st)
            st = om_picture_rows_take(city.snapshot, layer_of("report"),
                                      selection, &classes, OM_PALETTE_DARK, &p);
        if (!st) st = om_picture_png(p, &view, &arena, &png);
        if (!st) {
            om_arena_reset(&arena);
            om_buf_clear(&png);
            st = om_picture_png(picture[TOWNS], &view, &arena, &png);
        }
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        om_picture_unref(p);
        om_selection_unref(selection);
        om_buf_deinit(&png);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_dots_where_they_lie),
        cmocka_unit_test(rows_read_from_cells_are_those_read_one_by_one),
        cmocka_unit_test(rows_reach_as_far_as_they_are_drawn),
        cmocka_unit_test(rows_of_what_the_city_colours_have_those_colours),
        cmocka_unit_test(units_of_one_class_have_no_seams),
        cmocka_unit_test(units_have_the_colour_of_their_class),
        cmocka_unit_test(units_lowest_class_says_what_it_holds),
        cmocka_unit_test(units_breaks_rise_and_share_units_evenly),
        cmocka_unit_test(breaks_keep_what_differs_apart),
        cmocka_unit_test(equal_units_are_said_to_be_equal),
        cmocka_unit_test(base_borders_are_each_drawn_once),
        cmocka_unit_test(
            base_renewed_has_the_same_levels_and_outlives_the_older),
        cmocka_unit_test(base_without_a_font_is_a_map_without_labels),
        cmocka_unit_test(base_says_what_is_wrong_in_city_json),
        cmocka_unit_test(fault_in_the_base_map),
        cmocka_unit_test(fault_in_fonts),
        cmocka_unit_test(fault_in_rows_and_units),
    };
    return cmocka_run_group_tests(tests, pictures_set_up, pictures_tear_down);
}
