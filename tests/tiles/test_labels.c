/* Names on the base map of a small city.
 *
 * Plan
 *   label_*   labels do not collide, stay in their square, are the same for
 *             whoever asks; a square border cuts none; they are painted, and
 *             in the letters that they should be
 *   label_in_english_*  both names where there are two, else the one; where
 *             city.json has terms, what has no English name is spelled
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ft2build.h>
#include FT_FREETYPE_H

#include "tests/tiles/pictures.h"
#include "tiles/picture/base_internal.h"

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

/* A base of the city as city.json would be with more members. */
static om_status base_with(const char *members, struct om_city **opened,
                           struct om_snapshot **snapshot, struct om_base **out,
                           struct om_err *err)
{
    pic_write_manifest_with(&city.files, PIC_LOOKS_ROAD, members);
    assert_int_equal(om_city_open(city.files.folder, opened, NULL), OM_OK);
    *snapshot = om_city_snapshot(*opened);
    return om_base_new(*snapshot, font, OM_LANGUAGE_EN, out, err);
}

static void label_in_english_is_spelled_by_the_citys_terms(void **state)
{
    (void)state;
    static const char *const wrong[] = {"\"english\": [\"Town\"], ",
                                        "\"english\": {\"村\": 3}, ",
                                        "\"english\": {\"村\": \"\"}, "};
    struct om_city *opened;
    struct om_snapshot *snapshot;
    struct om_base *other;
    struct om_err err = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(base_with(wrong[i], &opened, &snapshot, &other, &err),
                         OM_E_FORMAT);
        assert_non_null(strstr(err.text, "city.json: english"));
        om_snapshot_unref(snapshot);
        om_city_close(opened);
    }
    assert_int_equal(base_with("\"english\": {\"江\": \"kong\"}, ", &opened,
                               &snapshot, &other, &err),
                     OM_OK);
    size_t seen[OM__INKS] = {0};
    for (unsigned z = 10; z <= 15; z++) {
        const struct om_view tile = tile_at(0.5, 0.45, z, 256, 1);
        const int64_t side = OM_LABEL_SQUARE_PX;
        struct om_base_square *square;
        assert_int_equal(om_base_square(other, tile.world, 1, tile.x / side,
                                        tile.y / side, &square),
                         OM_OK);
        const struct om_labels *l = om_base_square_labels(square);
        for (size_t i = 0; i < l->count; i++) {
            char text[256];
            snprintf(text, sizeof text, "%.*s", (int)l->label[i].len,
                     l->label[i].text);
            const enum om__base_ink ink = l->label[i].ink;
            const char *chinese =
                strchr(text, ink == OM__INK_ROAD ? ' ' : '\n');
            seen[ink]++;
            assert_non_null(chinese);
            // Its own column comes first.
            if (ink == OM__INK_TOWN) assert_non_null(strstr(text, " Town "));
            if (ink == OM__INK_WATER) assert_non_null(strstr(text, "kong "));
            if (ink == OM__INK_PLACE)
                assert_non_null(strstr(text, "cunshequ "));
            for (const char *at = text; ink != OM__INK_ROAD && at < chinese;
                 at++)
                assert_true((unsigned char)*at < 0x80);
        }
        om_base_square_unref(square);
    }
    assert_true(seen[OM__INK_TOWN] && seen[OM__INK_WATER] &&
                seen[OM__INK_PLACE] && seen[OM__INK_ROAD]);
    om_base_unref(other);
    om_snapshot_unref(snapshot);
    om_city_close(opened);
    pic_write_manifest(&city.files, PIC_LOOKS_ROAD);
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

/* How many pixels the labels of a base map paint. */
static size_t painted(struct om_base *of, unsigned z, bool over)
{
    const struct om_view view = tile_at(0.5, 0.45, z, 512, 1);
    struct om_arena arena = {0};
    struct om_canvas canvas;
    size_t n = 0;
    assert_int_equal(om_canvas_init(&canvas, &view, &arena), OM_OK);
    assert_int_equal(
        om_base_labels_draw(of, OM_PALETTE_LIGHT, over, &canvas, &arena),
        OM_OK);
    for (size_t i = 0; i < (size_t)512 * 512; i++) n += canvas.pixel[i][3] != 0;
    om_arena_deinit(&arena);
    return n;
}

static void label_of_lanes_gives_way_to_an_answer(void **state)
{
    (void)state;
    static const char five[] =
        "\"base\": \"road\", \"base_by\": \"kind\", \"base_label\": "
        "\"name\", \"base_classes\": [\"highway\", \"main\", \"none\", "
        "\"nothing\", \"street\"]";
    struct om_city *opened;
    struct om_base *lanes;
    pic_write_manifest(&city.files, five);
    assert_int_equal(om_city_open(city.files.folder, &opened, NULL), OM_OK);
    struct om_snapshot *snapshot = om_city_snapshot(opened);
    assert_int_equal(om_base_new(snapshot, font, OM_LANGUAGE_ZH, &lanes, NULL),
                     OM_OK);
    // Where they are many and near they are named on the map alone.
    assert_true(painted(lanes, 15, true) < painted(lanes, 15, false));
    assert_true(painted(lanes, 18, false) > 0);
    assert_int_equal(painted(lanes, 18, true), painted(lanes, 18, false));
    // All else is named over an answer, too.
    for (unsigned z = 10; z <= 18; z++)
        assert_int_equal(painted(base, z, true), painted(base, z, false));
    om_base_unref(lanes);
    om_snapshot_unref(snapshot);
    om_city_close(opened);
    pic_write_manifest(&city.files, PIC_LOOKS_ROAD);
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
        cmocka_unit_test(label_of_lanes_gives_way_to_an_answer),
        cmocka_unit_test(label_in_english_has_both_names),
        cmocka_unit_test(label_in_english_is_spelled_by_the_citys_terms),
    };
    return cmocka_run_group_tests(tests, pictures_set_up, pictures_tear_down);
}
