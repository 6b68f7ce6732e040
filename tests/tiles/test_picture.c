/* Pictures of a small city: base map, units, rows. Whether tiles continue each
 * other test_seam.c looks at.
 *
 * Plan
 *   label_*   labels do not collide, stay in their square, are the same for
 *             whoever asks; a square border cuts none; they are painted, and
 *             in the letters that they should be
 *   label_in_english_*  both names where there are two, else the one
 *   rows_*    dots where rows are; stored cells give what rows give; a row is
 *             drawn as far as it is said to reach, and no farther
 *   units_*   no seams, every class in its place
 *   base_*    city.json: what it may say, and what it must not
 *   fault_*   no memory
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ft2build.h>
#include FT_FREETYPE_H

#include "data/base/alloc.h"
#include "tests/tiles/pictures.h"
#include "tiles/picture/base_internal.h"

/* ---- labels ---- */

static bool boxes_meet(const struct om_label_box *a,
                       const struct om_label_box *b)
{
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* All labels of all squares that the city has at a zoom. */
static size_t check_labels(struct om_base *of, unsigned z, unsigned ratio,
                           uint64_t *hash)
{
    const struct om_view tile = om_view_tile(z, 0, 0, 256 * ratio, ratio);
    const int64_t side = OM_LABEL_SQUARE_PX * ratio;
    const int64_t x0 = (om_view_scale(tile.world, (uint32_t)PIC_X) >> 8) / side;
    const int64_t y0 = (om_view_scale(tile.world, (uint32_t)PIC_Y) >> 8) / side;
    const int64_t x1 =
        (om_view_scale(tile.world, (uint32_t)(PIC_X + PIC_SIDE)) >> 8) / side;
    const int64_t y1 =
        (om_view_scale(tile.world, (uint32_t)(PIC_Y + PIC_SIDE)) >> 8) / side;
    size_t count = 0;
    *hash = 1;
    for (int64_t y = y0; y <= y1; y++)
        for (int64_t x = x0; x <= x1; x++) {
            struct om_base_square *square;
            assert_int_equal(
                om_base_square(of, tile.world, ratio, x, y, &square), OM_OK);
            const struct om_labels *l = om_base_square_labels(square);
            for (size_t i = 0; i < l->count; i++) {
                const struct om_label *a = &l->label[i];
                assert_true(a->bounds.x0 >= x * side &&
                            a->bounds.y0 >= y * side &&
                            a->bounds.x1 <= (x + 1) * side &&
                            a->bounds.y1 <= (y + 1) * side);
                *hash = *hash * 31 + (uint64_t)a->bounds.x0 * 7 +
                        (uint64_t)a->bounds.y0 + a->glyphs;
                for (size_t k = 0; k < i; k++)
                    for (size_t p = 0; p < a->boxes; p++)
                        for (size_t q = 0; q < l->label[k].boxes; q++)
                            if (boxes_meet(&a->box[p], &l->label[k].box[q]))
                                fail_msg("'%.*s' and '%.*s' collide at zoom %u",
                                         (int)a->len, a->text,
                                         (int)l->label[k].len, l->label[k].text,
                                         z);
            }
            count += l->count;
            om_base_square_unref(square);
        }
    return count;
}

static void label_boxes_do_not_collide(void **state)
{
    (void)state;
    uint64_t hash;
    size_t most = 0;
    for (unsigned z = 8; z <= 17; z++) {
        const size_t n = check_labels(base, z, 1, &hash);
        if (n > most) most = n;
        if (z == 10) assert_true(n >= 16);  // every town has its name
    }
    assert_true(most > 100);
    check_labels(base, 13, 2, &hash);
}

static void label_sets_are_the_same_whoever_asks(void **state)
{
    (void)state;
    struct om_base *other;
    uint64_t a, b;
    assert_int_equal(
        om_base_new(city.snapshot, font, OM_LANGUAGE_ZH, &other, NULL), OM_OK);
    // The other map has been asked for other squares before.
    check_labels(other, 16, 1, &a);
    for (unsigned z = 14; z >= 9; z--) {
        check_labels(base, z, 1, &a);
        check_labels(other, z, 1, &b);
        assert_true(a == b);
    }
    om_base_unref(other);
}

static void label_stands_whole_across_the_border_of_a_square(void **state)
{
    (void)state;
    // A place right on the border: the label moves to one side of it.
    struct om_arena arena = {0};
    struct om_label_plan *plan;
    struct om_labels labels;
    const uint64_t world = (uint64_t)256 << 12 << 8;
    assert_int_equal(om_label_plan_new(font, world, 1, 5, 7, &arena, &plan),
                     OM_OK);
    const struct om_label_wish wish = {
        .face = {.size_px = 16}, .text = "松山湖", .len = strlen("松山湖")};
    assert_int_equal(
        om_label_plan_point(plan, &wish, (struct om_spot){0, 0}, 60, 8), OM_OK);
    // Too far to move: not shown.
    assert_int_equal(
        om_label_plan_point(plan, &wish, (struct om_spot){0, 256 * 900}, 3, 8),
        OM_OK);
    assert_int_equal(om_label_plan_place(plan, &labels), OM_OK);
    assert_int_equal(labels.count, 1);
    assert_int_equal(labels.label[0].glyphs, 3);
    assert_int_equal(labels.label[0].bounds.x0, 5 * OM_LABEL_SQUARE_PX);
    assert_int_equal(labels.label[0].bounds.y0, 7 * OM_LABEL_SQUARE_PX);
    assert_int_equal(labels.label[0].bounds.x1 - labels.label[0].bounds.x0, 48);
    om_arena_deinit(&arena);
}

static void label_of_more_importance_wins(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_label_plan *plan;
    struct om_labels labels;
    assert_int_equal(
        om_label_plan_new(font, UINT64_C(1) << 30, 1, 0, 0, &arena, &plan),
        OM_OK);
    static const char *const text[] = {"村", "镇", "江", "路"};
    for (unsigned i = 0; i < 4; i++) {
        const struct om_label_wish wish = {.rank = (i + 2) % 4,
                                           .face = {.size_px = 20},
                                           .text = text[i],
                                           .len = strlen(text[i])};
        assert_int_equal(
            om_label_plan_point(
                plan, &wish, (struct om_spot){256 * 500 + i, 256 * 500}, 0, 8),
            OM_OK);
    }
    assert_int_equal(om_label_plan_place(plan, &labels), OM_OK);
    assert_int_equal(labels.count, 1);
    assert_string_equal(labels.label[0].text, "江");
    om_arena_deinit(&arena);
}

static void label_along_a_line_follows_it(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    const uint64_t world = (uint64_t)256 << 14 << 8;
    // 1,000 pixels eastward, bent a little; the same drawn the other way.
    for (int turned = 0; turned < 2; turned++) {
        struct om_label_plan *plan;
        struct om_labels labels;
        struct om_pos line[11];
        for (uint32_t i = 0; i < 11; i++)
            line[turned ? 10 - i : i] = (struct om_pos){
                (600 + 100 * i) << 10, (1000 + (i % 2) * 4) << 10};
        const struct om_label_wish wish = {.face = {.size_px = 14},
                                           .text = "环城大道",
                                           .len = strlen("环城大道")};
        assert_int_equal(om_label_plan_new(font, world, 1, 0, 0, &arena, &plan),
                         OM_OK);
        assert_int_equal(om_label_plan_line(plan, &wish, line, 11, 400), OM_OK);
        assert_int_equal(om_label_plan_place(plan, &labels), OM_OK);
        assert_int_equal(labels.count, 2);
        for (size_t i = 0; i < labels.count; i++) {
            const struct om_label *l = &labels.label[i];
            assert_int_equal(l->glyphs, 4);
            for (size_t k = 0; k < 4; k++) {
                // Left to right, nearly level, on the line.
                const unsigned turn = l->glyph[k].turn;
                assert_true(turn < 8 || turn > 248);
                if (k) assert_true(l->glyph[k].x > l->glyph[k - 1].x);
                assert_true(llabs(l->glyph[k].y - 1008) < 8);
            }
        }
        om_arena_reset(&arena);
    }
    om_arena_deinit(&arena);
}

/* ---- letters ---- */

/* The simplified Chinese face of the font that is found first, opened by
 * FreeType alone. NULL where the machine has another font. */
static FT_Face open_noto(FT_Library library)
{
    static const char path[] =
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
    FT_Face face = NULL;
    for (FT_Long i = 0; !FT_New_Face(library, path, i, &face); i++) {
        if (!strcmp(face->family_name, "Noto Sans CJK SC")) return face;
        FT_Done_Face(face);
    }
    return NULL;
}

/* Letters of three bytes, which Chinese ones are. */
static unsigned letter_of(const char *text, size_t i)
{
    const unsigned char *b = (const unsigned char *)text + 3 * i;
    return (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
}

/* One letter as FreeType draws it, against what was painted: where it covers
 * a pixel whole there is ink, where it does not there is none. */
static size_t check_letter(FT_Face face, unsigned letter, unsigned size_px,
                           const struct om_label_glyph *g,
                           const struct om_canvas *canvas,
                           const struct om_label_ink *ink)
{
    size_t whole = 0;
    assert_int_equal(FT_Set_Pixel_Sizes(face, 0, size_px), 0);
    assert_int_equal(
        FT_Load_Char(face, letter, FT_LOAD_NO_BITMAP | FT_LOAD_TARGET_LIGHT),
        0);
    assert_int_equal(FT_Render_Glyph(face->glyph, FT_RENDER_MODE_NORMAL), 0);
    const FT_Bitmap *b = &face->glyph->bitmap;
    for (unsigned y = 0; y < b->rows; y++)
        for (unsigned x = 0; x < b->width; x++) {
            const int cover = b->buffer[(int)y * b->pitch + (int)x];
            const int64_t px =
                g->x + face->glyph->bitmap_left + x - canvas->view.x;
            const int64_t py =
                g->y - face->glyph->bitmap_top + y - canvas->view.y;
            const uint8_t *at =
                canvas->pixel[(size_t)py * canvas->view.width + (size_t)px];
            const struct om_colour t = ink->text;
            const bool inked = at[0] == t.r && at[1] == t.g && at[2] == t.b;
            if (cover == 255 && !inked)
                fail_msg("U+%04X: no ink at %u, %u", letter, x, y);
            if (cover < 200) assert_false(inked);
            whole += cover == 255;
        }
    return whole;
}

static void label_letters_are_painted_as_the_font_has_them(void **state)
{
    (void)state;
    FT_Library library;
    assert_int_equal(FT_Init_FreeType(&library), 0);
    FT_Face face = open_noto(library);
    assert_non_null(face);
    struct om_arena arena = {0};
    struct om_canvas canvas;
    struct om_base_square *square;
    size_t letters = 0, whole = 0;
    for (unsigned ratio = 1; ratio <= 2; ratio++) {
        const struct om_view tile = om_view_tile(14, 0, 0, 256 * ratio, ratio);
        const int64_t side = OM_LABEL_SQUARE_PX * (int64_t)ratio;
        struct om_view view = tile;
        view.x =
            (om_view_scale(tile.world, (uint32_t)(PIC_X + PIC_SIDE / 2)) >> 8) /
            side * side;
        view.y =
            (om_view_scale(tile.world, (uint32_t)(PIC_Y + PIC_SIDE / 2)) >> 8) /
            side * side;
        view.width = view.height = (unsigned)side;
        assert_int_equal(om_canvas_init(&canvas, &view, &arena), OM_OK);
        assert_int_equal(
            om_picture_draw(picture[LABELS], false, true, &canvas, &arena),
            OM_OK);
        assert_int_equal(om_base_square(base, view.world, ratio, view.x / side,
                                        view.y / side, &square),
                         OM_OK);
        const struct om_labels *l = om_base_square_labels(square);
        for (size_t i = 0; i < l->count; i++) {
            const struct om_label *label = &l->label[i];
            // Names of villages: upright, not bold. "东村社区3"
            if (label->ink != OM__INK_PLACE || label->face.bold) continue;
            for (size_t k = 0; k < 4; k++, letters++)
                whole += check_letter(
                    face, letter_of(label->text, k), label->face.size_px,
                    &label->glyph[k], &canvas,
                    &om__base_styles[OM_PALETTE_DARK].ink[label->ink]);
        }
        om_base_square_unref(square);
        om_arena_reset(&arena);
    }
    assert_true(letters > 100);
    assert_true(whole > 500);
    om_arena_deinit(&arena);
    FT_Done_Face(face);
    FT_Done_FreeType(library);
}

/* What "东大道3" is in English, behind which it stands: "Dong Avenue 3 ". */
static bool both_names(const struct om_label *label, const char *english,
                       const char *chinese, char between)
{
    static const char *const word[] = {"东", "南", "西", "北", "中", "河"};
    static const char *const spelled[] = {"Dong", "Nan",   "Xi",
                                          "Bei",  "Zhong", "He"};
    char wanted[128];
    for (size_t i = 0; i < 6; i++)
        for (int number = 0; number < 7; number++) {
            const int len =
                snprintf(wanted, sizeof wanted, "%s %s %d%c%s%s%d", spelled[i],
                         english, number, between, word[i], chinese, number);
            if ((size_t)len == label->len &&
                !memcmp(wanted, label->text, label->len))
                return true;
        }
    return false;
}

static void label_in_english_has_both_names(void **state)
{
    (void)state;
    struct om_base *other;
    struct om_base_square *square;
    size_t seen[OM__INKS] = {0};
    assert_int_equal(
        om_base_new(city.snapshot, font, OM_LANGUAGE_EN, &other, NULL), OM_OK);
    for (unsigned z = 10; z <= 15; z++) {
        const struct om_view tile = tile_at(0.5, 0.45, z, 256, 1);
        const int64_t side = OM_LABEL_SQUARE_PX;
        assert_int_equal(om_base_square(other, tile.world, 1, tile.x / side,
                                        tile.y / side, &square),
                         OM_OK);
        const struct om_labels *l = om_base_square_labels(square);
        for (size_t i = 0; i < l->count; i++) {
            const struct om_label *label = &l->label[i];
            seen[label->ink]++;
            if (label->ink == OM__INK_TOWN)
                assert_true(both_names(label, "Town", "城镇", '\n'));
            else if (label->ink == OM__INK_ROAD)
                assert_true(both_names(label, "Avenue", "大道", ' '));
            else
                assert_true((unsigned char)label->text[0] > 0x7F);
            // Letters of both, but for what parts them.
            assert_true(label->glyphs > 8 || label->ink > OM__INK_TOWN);
            if (label->ink != OM__INK_TOWN) continue;
            assert_int_equal(label->boxes, 2);
            // 东城镇3 is the lower line, below Dong Town 3 and as far left.
            assert_true(label->box[0].y1 <= label->box[1].y1);
            assert_true(llabs(label->box[0].x0 + label->box[0].x1 -
                              label->box[1].x0 - label->box[1].x1) <= 2);
        }
        om_base_square_unref(square);
    }
    assert_true(seen[OM__INK_TOWN] > 0 && seen[OM__INK_ROAD] > 10);
    assert_true(seen[OM__INK_PLACE] > 0 && seen[OM__INK_WATER] > 0);
    om_base_unref(other);
}

static void label_of_every_kind_is_painted(void **state)
{
    (void)state;
    // Each has its own ink, and all of them are seen at some zoom.
    const struct om_label_ink *ink = om__base_styles[OM_PALETTE_LIGHT].ink;
    size_t seen[OM__INKS] = {0};
    for (unsigned z = 10; z <= 16; z += 2) {
        const struct om_view view = tile_at(0.5, 0.45, z, 1024, 1);
        struct om_view wide = om_view_tile(z, 0, 0, 256, 1);
        wide.x = view.x / 4;
        wide.y = view.y / 4;
        wide.width = wide.height = 1024;
        struct om_arena arena = {0};
        struct om_canvas with, without;
        assert_int_equal(om_canvas_init(&with, &wide, &arena), OM_OK);
        assert_int_equal(om_canvas_init(&without, &wide, &arena), OM_OK);
        assert_int_equal(
            om_picture_draw(picture[BASE], true, true, &with, &arena), OM_OK);
        assert_int_equal(
            om_picture_draw(picture[BASE], true, false, &without, &arena),
            OM_OK);
        for (size_t i = 0; i < (size_t)1024 * 1024; i++)
            for (size_t k = 0; k < OM__INKS; k++) {
                const uint8_t *p = with.pixel[i];
                const struct om_colour t = ink[k].text;
                seen[k] += memcmp(p, without.pixel[i], 4) != 0 && p[0] == t.r &&
                           p[1] == t.g && p[2] == t.b;
            }
        om_arena_deinit(&arena);
    }
    for (size_t k = 0; k < OM__INKS; k++) assert_true(seen[k] > 20);
}

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
        cmocka_unit_test(label_boxes_do_not_collide),
        cmocka_unit_test(label_sets_are_the_same_whoever_asks),
        cmocka_unit_test(label_stands_whole_across_the_border_of_a_square),
        cmocka_unit_test(label_of_more_importance_wins),
        cmocka_unit_test(label_along_a_line_follows_it),
        cmocka_unit_test(label_letters_are_painted_as_the_font_has_them),
        cmocka_unit_test(label_of_every_kind_is_painted),
        cmocka_unit_test(label_in_english_has_both_names),
        cmocka_unit_test(rows_are_dots_where_they_lie),
        cmocka_unit_test(rows_read_from_cells_are_those_read_one_by_one),
        cmocka_unit_test(rows_reach_as_far_as_they_are_drawn),
        cmocka_unit_test(rows_of_what_the_city_colours_have_those_colours),
        cmocka_unit_test(units_of_one_class_have_no_seams),
        cmocka_unit_test(units_have_the_colour_of_their_class),
        cmocka_unit_test(units_lowest_class_says_what_it_holds),
        cmocka_unit_test(units_breaks_rise_and_share_units_evenly),
        cmocka_unit_test(base_borders_are_each_drawn_once),
        cmocka_unit_test(base_without_a_font_is_a_map_without_labels),
        cmocka_unit_test(base_says_what_is_wrong_in_city_json),
        cmocka_unit_test(fault_in_the_base_map),
        cmocka_unit_test(fault_in_fonts),
        cmocka_unit_test(fault_in_rows_and_units),
    };
    return cmocka_run_group_tests(tests, pictures_set_up, pictures_tear_down);
}
