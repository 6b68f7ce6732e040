/* Large pictures, their legends, and the colours of palettes.
 *
 * Plan
 *   wall_*   the same pixels as one canvas; bezels; legends on top; giving up
 *   seam_*   no letter and no panel at the edge of a screen; what is named
 *            behind a bezel is named beside it
 *   fit_*    boxes and centres; scale bars
 *   key_*    items of legends; a panel is as large as it says
 *   quant_*  nearest colours, against looking at all of them
 *   fault_*  no memory, too large
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/query/ground.h"
#include "tests/tiles/picture_city.h"
#include "tests/tiles/read_png.h"
#include "tiles/picture/wall_internal.h"

static struct pic_city city;
static struct om_font *font;
static struct om_base *base;
static struct om_picture *map, *mute, *dots;  // mute: without labels

static int set_up(void **state)
{
    (void)state;
    struct om_classes classes;
    struct om_selection *selection;
    pic_city_init(&city);
    const struct om_layer *layer = om_snapshot_layer(city.snapshot, "report");
    assert_int_equal(om_font_open(NULL, &font, NULL), OM_OK);
    assert_int_equal(
        om_base_new(city.snapshot, font, OM_LANGUAGE_ZH, &base, NULL), OM_OK);
    assert_int_equal(om_picture_base(base, OM_PALETTE_DARK, true, true, &map),
                     OM_OK);
    assert_int_equal(om_picture_base(base, OM_PALETTE_DARK, true, false, &mute),
                     OM_OK);
    assert_int_equal(
        om_select(NULL, layer, NULL, (struct om_window){0}, &selection), OM_OK);
    assert_int_equal(
        om_classes_of(city.snapshot, layer, OM_NO_FIELD, &classes, NULL),
        OM_OK);
    assert_int_equal(om_picture_rows_take(city.snapshot, layer, selection,
                                          &classes, OM_PALETTE_DARK, &dots),
                     OM_OK);
    om_selection_unref(selection);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    om_picture_unref(map);
    om_picture_unref(mute);
    om_picture_unref(dots);
    om_base_unref(base);
    om_font_close(font);
    pic_city_deinit(&city);
    return 0;
}

static struct om_wall wall_of(unsigned width, unsigned height)
{
    return (struct om_wall){.width = width,
                            .height = height,
                            .columns = 1,
                            .rows = 1,
                            .ground = om_colour_of(0xFFFFFF),
                            .pictures = 2,
                            .picture = {map, dots},
                            .style = {.font = font, .ratio = 1}};
}

static void centre(struct om_wall *wall, double zoom)
{
    assert_int_equal(om_wall_centre(wall, PIC_X + PIC_SIDE / 2,
                                    PIC_Y + PIC_SIDE / 2, zoom, 1),
                     OM_OK);
}

static uint8_t *draw(const struct om_wall *wall)
{
    struct om_buf png = {0};
    unsigned width, height;
    assert_int_equal(om_wall_png(wall, NULL, NULL, &png), OM_OK);
    uint8_t *pixels = read_png(&png, &width, &height);
    assert_non_null(pixels);
    assert_int_equal(width, wall->width);
    assert_int_equal(height, wall->height);
    om_buf_deinit(&png);
    return pixels;
}

static void wall_in_strips_is_one_canvas(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct om_wall wall = wall_of(1500, 700);
        centre(&wall, 11.0 + i * 0.8);
        uint8_t *got = draw(&wall);
        struct om_arena arena = {0};
        struct om_canvas canvas;
        assert_int_equal(om_canvas_init(&canvas, &wall.view, &arena), OM_OK);
        assert_int_equal(om_picture_draw(map, true, false, &canvas, &arena),
                         OM_OK);
        assert_int_equal(om_picture_draw(dots, true, false, &canvas, &arena),
                         OM_OK);
        assert_int_equal(om_picture_draw(map, false, true, &canvas, &arena),
                         OM_OK);
        assert_memory_equal(got, canvas.pixel[0], 1500 * 700 * 4);
        om_arena_deinit(&arena);
        free(got);
    }
}

static void wall_does_not_depend_on_threads(void **state)
{
    (void)state;
    struct om_wall wall = wall_of(1200, 600);
    centre(&wall, 12.3);
    om_threads_set(1);
    uint8_t *one = draw(&wall);
    om_threads_set(4);
    uint8_t *four = draw(&wall);
    om_threads_set(0);
    assert_memory_equal(one, four, 1200 * 600 * 4);
    free(one);
    free(four);
}

static void wall_goes_on_behind_its_bezels(void **state)
{
    (void)state;
    // 3 x 2 screens of 300 x 200 pixels; gaps of 40 and 30.
    struct om_wall whole = wall_of(900 + 2 * 40, 400 + 30);
    centre(&whole, 12);
    whole.pictures = 1;
    whole.picture[0] = mute;
    struct om_wall parted = wall_of(900, 400);
    parted.pictures = 1;
    parted.picture[0] = mute;
    parted.columns = 3;
    parted.rows = 2;
    parted.gap_x = 40;
    parted.gap_y = 30;
    centre(&parted, 12);
    assert_int_equal(parted.view.width, whole.width);
    assert_int_equal(parted.view.x, whole.view.x);
    uint8_t *a = draw(&whole), *b = draw(&parted);
    for (unsigned y = 0; y < 400; y++)
        for (unsigned c = 0; c < 3; c++) {
            const unsigned from_y = y + y / 200 * 30;
            assert_memory_equal(
                b + ((size_t)y * 900 + c * 300) * 4,
                a + ((size_t)from_y * whole.width + c * 340) * 4, 300 * 4);
        }
    free(a);
    free(b);
}

static void wall_has_its_legend_on_top(void **state)
{
    (void)state;
    struct om_wall plain = wall_of(800, 500);
    centre(&plain, 12);
    struct om_wall wall = plain;
    om_key_of(dots, OM_LANGUAGE_ZH, NULL, &wall.key[0]);
    wall.keys = 1;
    struct om_key_note note = {.as_of = "数据截至 2023-06-27 00:00",
                               .mark = "合成数据"};
    om_key_scale_of(om_view_px_per_m(&wall.view), 1, OM_LANGUAGE_ZH,
                    &note.scale);
    wall.note = &note;
    uint8_t *a = draw(&plain), *b = draw(&wall);
    // Only the two lower corners differ, and they do.
    size_t left = 0, right = 0, elsewhere = 0;
    for (unsigned y = 0; y < 500; y++)
        for (unsigned x = 0; x < 800; x++) {
            const size_t at = ((size_t)y * 800 + x) * 4;
            if (!memcmp(a + at, b + at, 4)) continue;
            if (y > 250 && x < 250)
                left++;
            else if (y > 350 && x > 550)
                right++;
            else
                elsewhere++;
        }
    assert_true(left > 2000);
    assert_true(right > 2000);
    assert_int_equal(elsewhere, 0);
    free(a);
    free(b);
}

/* ---- seams ---- */

/* Walls of several screens: pixels, screens, gaps, pixels of design. */
static const struct {
    unsigned width, height, columns, rows, gap_x, gap_y, ratio;
} walls[] = {
    {900, 400, 3, 2, 40, 30, 1},  {1200, 300, 4, 1, 0, 0, 1},
    {400, 1200, 1, 4, 0, 64, 1},  {1000, 1000, 5, 5, 7, 12, 1},
    {1600, 1200, 2, 2, 90, 0, 2}, {4200, 500, 2, 1, 24, 0, 1},
    {1020, 340, 3, 1, 511, 0, 1},
};
#define WALLS (sizeof walls / sizeof *walls)

static struct om_wall screens_of(size_t i, double zoom)
{
    struct om_wall wall = wall_of(walls[i].width, walls[i].height);
    wall.columns = walls[i].columns;
    wall.rows = walls[i].rows;
    wall.gap_x = walls[i].gap_x;
    wall.gap_y = walls[i].gap_y;
    wall.style.ratio = walls[i].ratio;
    wall.pictures = 1;
    assert_int_equal(om_wall_centre(&wall, PIC_X + PIC_SIDE / 2,
                                    PIC_Y + PIC_SIDE / 2, zoom, walls[i].ratio),
                     OM_OK);
    return wall;
}

/* Pixels that differ between two walls; at the edge of a screen none may. */
static size_t differs_inside_screens(const struct om_wall *wall,
                                     const uint8_t *a, const uint8_t *b)
{
    const unsigned w = wall->width / wall->columns;
    const unsigned h = wall->height / wall->rows;
    size_t n = 0;
    for (unsigned y = 0; y < wall->height; y++)
        for (unsigned x = 0; x < wall->width; x++) {
            const size_t at = ((size_t)y * wall->width + x) * 4;
            if (!memcmp(a + at, b + at, 4)) continue;
            const bool edge =
                x % w == 0 || x % w == w - 1 || y % h == 0 || y % h == h - 1;
            if (edge) fail_msg("ink at the edge of a screen: %u, %u", x, y);
            n++;
        }
    return n;
}

static void seam_cuts_no_label(void **state)
{
    (void)state;
    for (size_t i = 0; i < WALLS; i++)
        for (double zoom = 10; zoom < 15.5; zoom += 1.3) {
            struct om_wall wall = screens_of(i, zoom);
            wall.picture[0] = map;
            uint8_t *named = draw(&wall);
            wall.picture[0] = mute;
            uint8_t *plain = draw(&wall);
            assert_true(differs_inside_screens(&wall, named, plain) > 500);
            free(named);
            free(plain);
        }
}

static bool holds(const struct om_label_box *outer,
                  const struct om_label_box *inner)
{
    return outer->x0 <= inner->x0 && outer->y0 <= inner->y0 &&
           outer->x1 >= inner->x1 && outer->y1 >= inner->y1;
}

static void seam_cuts_no_panel(void **state)
{
    (void)state;
    for (size_t i = 0; i < WALLS; i++) {
        struct om_wall wall = screens_of(i, 12);
        struct om_key_note note = {.as_of = "数据截至 2023-06-27",
                                   .mark = "合成数据"};
        om_key_scale_of(om_view_px_per_m(&wall.view), wall.style.ratio,
                        OM_LANGUAGE_ZH, &note.scale);
        wall.picture[0] = mute;
        uint8_t *plain = draw(&wall);
        om_key_of(dots, OM_LANGUAGE_ZH, NULL, &wall.key[0]);
        wall.keys = 1;
        wall.note = &note;
        uint8_t *got = draw(&wall);
        struct om__panel panel[OM__PANELS];
        struct om_arena arena = {0};
        size_t panels, on_one = 0, pixels = 0;
        assert_int_equal(om__wall_panels(&wall, &arena, panel, &panels), OM_OK);
        assert_int_equal(panels, 2);
        for (size_t k = 0; k < panels; k++) {
            const struct om_label_box *b = &panel[k].box;
            for (unsigned s = 0; s < wall.columns * wall.rows; s++) {
                const struct om_label_box screen =
                    om__wall_screen(&wall, s % wall.columns, s / wall.columns);
                on_one += holds(&screen, b);
            }
            pixels += (size_t)((b->x1 - b->x0) * (b->y1 - b->y0));
        }
        assert_int_equal(on_one, 2);
        // All of both panels is seen, wherever they stand; a few pixels of
        // them happen to be what was there before.
        const size_t ink = differs_inside_screens(&wall, got, plain);
        assert_true(ink <= pixels && ink + pixels / 100 >= pixels);
        om_arena_deinit(&arena);
        free(plain);
        free(got);
    }
}

static void seam_parts_legends_that_are_too_large_together(void **state)
{
    (void)state;
    struct om_wall wall = screens_of(2, 12);  // 400 x 300 a screen
    struct om__panel panel[OM__PANELS];
    struct om_arena arena = {0};
    size_t panels;
    wall.keys = 4;
    for (size_t i = 0; i < wall.keys; i++)
        om_key_of(dots, OM_LANGUAGE_ZH, NULL, &wall.key[i]);
    assert_int_equal(om__wall_panels(&wall, &arena, panel, &panels), OM_OK);
    assert_int_equal(panels, 4);
    for (size_t i = 0; i < panels; i++) {
        assert_int_equal(panel[i].first, i);
        assert_int_equal(panel[i].keys, 1);
        for (size_t k = 0; k < i; k++)
            assert_false(panel[i].box.x0 < panel[k].box.x1 &&
                         panel[k].box.x0 < panel[i].box.x1 &&
                         panel[i].box.y0 < panel[k].box.y1 &&
                         panel[k].box.y0 < panel[i].box.y1);
    }
    // No screen has room for one.
    struct om_buf png = {0};
    wall.height = 320;
    wall.view.height = 320 + 3 * wall.gap_y;
    assert_int_equal(om_wall_png(&wall, NULL, NULL, &png), OM_E_LIMIT);
    assert_int_equal(png.len, 0);
    om_buf_deinit(&png);
    om_arena_deinit(&arena);
}

/* How often a row of screens shows a name. */
static size_t shown(const struct om__screen_labels *labels, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < labels->count; i++) {
        const struct om_labels *l =
            om_base_square_labels(labels->window[i].labels);
        for (size_t k = 0; k < l->count; k++)
            n += l->label[k].len == strlen(name) &&
                 !memcmp(l->label[k].text, name, l->label[k].len);
    }
    return n;
}

static void seam_names_beside_it_what_lies_behind_it(void **state)
{
    (void)state;
    struct om_level *towns;
    assert_int_equal(om_base_level(base, "town", &towns, NULL), OM_OK);
    for (size_t i = 0; i < towns->units.count; i++)
        for (int off = -2; off <= 2; off++) {
            const struct om_unit *u = &towns->units.unit[i];
            struct om_wall wall = wall_of(1200, 400);
            struct om__screen_labels labels = {0};
            wall.columns = 2;
            wall.gap_x = 200;
            wall.pictures = 1;
            wall.picture[0] = map;
            assert_int_equal(
                om_wall_centre(&wall, u->inside.x, u->inside.y, 12, 1), OM_OK);
            wall.view.x += off * 40;
            assert_int_equal(om__screen_labels_make(&wall, 0, NULL, 0, &labels),
                             OM_OK);
            assert_int_equal(shown(&labels, u->name), 1);
            om__screen_labels_deinit(&labels);
        }
    om_level_unref(towns);
}

static bool after_two(void *ctx)
{
    int *left = ctx;
    return (*left)-- <= 0;
}

static void wall_is_given_up_when_nobody_waits(void **state)
{
    (void)state;
    struct om_wall wall = wall_of(400, 1200);
    struct om_buf png = {0};
    int left = 2;
    centre(&wall, 12);
    om_buf_add_text(&png, "kept");
    assert_int_equal(om_wall_png(&wall, after_two, &left, &png), OM_E_STOPPED);
    assert_int_equal(png.len, 4);
    om_buf_deinit(&png);
}

/* ---- where ---- */

static void fit_of_a_tile_is_the_tile(void **state)
{
    (void)state;
    for (unsigned z = 1; z <= 20; z++) {
        const uint32_t side = UINT32_C(1) << (32 - z);
        const uint32_t x = (uint32_t)PIC_X & ~(side - 1);
        const uint32_t y = (uint32_t)PIC_Y & ~(side - 1);
        struct om_wall wall = wall_of(512, 256);
        // Two tiles side by side, from corners as degrees would give them.
        const struct om_box box = {x, y, x + 2 * side - 1 - (z < 15),
                                   y + side - 1};
        if (box.x1 < box.x0) continue;
        assert_int_equal(om_wall_fit(&wall, box, 1), OM_OK);
        assert_true(wall.view.world == (uint64_t)256 << z << 8);
        assert_int_equal(wall.view.x, x / side * 256);
        assert_int_equal(wall.view.y, y / side * 256);
    }
}

static void fit_holds_the_whole_box(void **state)
{
    (void)state;
    const struct om_box box = {3466000000u, 1863000000u, 3467234567u,
                               1863777777u};
    static const unsigned size[][2] = {{100, 700}, {900, 80}, {333, 333}};
    for (int i = 0; i < 3; i++) {
        struct om_wall wall = wall_of(size[i][0], size[i][1]);
        assert_int_equal(om_wall_fit(&wall, box, 2), OM_OK);
        const struct om_box all = om_view_box(&wall.view, 1);
        assert_true(all.x0 <= box.x0 && all.y0 <= box.y0);
        assert_true(all.x1 >= box.x1 && all.y1 >= box.y1);
    }
    struct om_wall wall = wall_of(100, 100);
    assert_int_equal(om_wall_fit(&wall, OM_BOX_NONE, 1), OM_E_RANGE);
    assert_int_equal(om_wall_fit(&wall, (struct om_box){5, 5, 5, 5}, 1),
                     OM_E_RANGE);
}

static void fit_gives_scale_bars_that_are_true(void **state)
{
    (void)state;
    for (double zoom = 3; zoom < 20; zoom += 0.7) {
        struct om_wall wall = wall_of(800, 400);
        struct om_key_scale scale;
        centre(&wall, zoom);
        om_key_scale_of(om_view_px_per_m(&wall.view), 1, OM_LANGUAGE_EN,
                        &scale);
        assert_true(scale.length_px <= 140 && scale.length_px >= 50);
        // The bar's two ends, measured on the ground.
        const double per = OM_POS_SIDE * 256.0 / (double)wall.view.world;
        const struct om_pos a = {(uint32_t)(PIC_X + PIC_SIDE / 2),
                                 (uint32_t)(PIC_Y + PIC_SIDE / 2)};
        const double b_x = a.x + scale.length_px * per;
        if (b_x >= OM_POS_SIDE) continue;
        const double m = om_ground_m(a, (struct om_pos){(uint32_t)b_x, a.y});
        assert_true(fabs(m / scale.length_m - 1.0) < 0.02);
    }
    struct om_key_scale scale;
    om_key_scale_of(0.05, 1, OM_LANGUAGE_ZH, &scale);
    assert_string_equal(scale.text, "2 公里");
    om_key_scale_of(0.5, 1, OM_LANGUAGE_EN, &scale);
    assert_string_equal(scale.text, "200 m");
}

/* ---- legends ---- */

static void key_of_dots_lists_the_highest_first(void **state)
{
    (void)state;
    struct om_key key;
    om_key_of(dots, OM_LANGUAGE_EN, NULL, &key);
    assert_string_equal(key.title, "Reports");
    assert_int_equal(key.items, 4);
    assert_string_equal(key.item[0].text, "4");
    assert_int_equal(key.item[0].colour.r, 0xE5);
    assert_int_equal(key.item[0].form, OM_KEY_DOT);
    om_key_of(map, OM_LANGUAGE_EN, NULL, &key);
    assert_int_equal(key.items, 0);
}

static void key_panel_is_as_large_as_it_says(void **state)
{
    (void)state;
    struct om_key key[2];
    struct om_arena arena = {0};
    const struct om_key_style style = {.font = font, .ratio = 2};
    om_key_of(dots, OM_LANGUAGE_ZH, NULL, &key[0]);
    struct om_legend legend;
    om_legend_density(120.0, OM_PALETTE_DARK, &legend);
    om_key_of_heat(&legend, "上报密度", "每平方公里", OM_LANGUAGE_ZH, &key[1]);
    unsigned width, height;
    assert_int_equal(om_keys_size(&style, key, 2, &arena, &width, &height),
                     OM_OK);
    const struct om_view view = {.world = 65536,
                                 .x = -50,
                                 .y = -50,
                                 .width = width + 100,
                                 .height = height + 100,
                                 .ratio = 2};
    struct om_canvas canvas;
    assert_int_equal(om_canvas_init(&canvas, &view, &arena), OM_OK);
    assert_int_equal(om_keys_draw(&style, key, 2, &canvas, 0, 0, &arena),
                     OM_OK);
    for (unsigned y = 0; y < view.height; y++)
        for (unsigned x = 0; x < view.width; x++) {
            const bool in =
                x >= 50 && y >= 50 && x < 50 + width && y < 50 + height;
            assert_true((canvas.pixel[y * view.width + x][3] > 0) == in);
        }
    om_arena_deinit(&arena);
}

/* ---- colours ---- */

static void quant_finds_the_nearest_of_all(void **state)
{
    (void)state;
    struct om_quant *q;
    uint64_t seed = 17;
    assert_int_equal(om_quant_new(&q), OM_OK);
    om_quant_add(q, (struct om_colour){0});
    for (int i = 0; i < 20; i++) {
        const uint64_t r = mesh_random(&seed);
        om_quant_ramp(
            q,
            (struct om_colour){(uint8_t)r, (uint8_t)(r >> 8),
                               (uint8_t)(r >> 16), 255},
            (struct om_colour){(uint8_t)(r >> 24), (uint8_t)(r >> 32),
                               (uint8_t)(r >> 40), (uint8_t)(r >> 48)},
            20);
    }
    assert_int_equal(om_quant_count(q), 256);
    for (int i = 0; i < 20000; i++) {
        const uint64_t r = mesh_random(&seed);
        const unsigned a = (unsigned)(r >> 24 & 255);
        const uint8_t pixel[4] = {
            (uint8_t)((r & 255) * a / 255), (uint8_t)((r >> 8 & 255) * a / 255),
            (uint8_t)((r >> 16 & 255) * a / 255), (uint8_t)a};
        const struct om_colour got =
            om_quant_colour(q, om_quant_nearest(q, pixel));
        int best = INT32_MAX, mine = 0;
        for (unsigned k = 0; k < 256; k++) {
            const struct om_colour c = om_quant_colour(q, (uint8_t)k);
            const int d[4] = {(c.r * c.a + 127) / 255 - pixel[0],
                              (c.g * c.a + 127) / 255 - pixel[1],
                              (c.b * c.a + 127) / 255 - pixel[2],
                              c.a - pixel[3]};
            const int far = 3 * d[0] * d[0] + 4 * d[1] * d[1] +
                            2 * d[2] * d[2] + 3 * d[3] * d[3];
            if (far < best) best = far;
            if (!memcmp(&c, &got, sizeof c)) mine = far;
        }
        assert_int_equal(mine, best);
    }
    om_quant_free(q);
}

static void quant_keeps_the_colours_of_a_style(void **state)
{
    (void)state;
    // What is painted whole comes out as it was meant.
    static const uint32_t plain[] = {0x0B111B, 0x141E2C, 0x0C1826,
                                     0x1A2636, 0x3A4C68, 0xC9D4E2};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        const struct om_colour c = om_colour_of(plain[i]);
        const uint8_t pixel[4] = {c.r, c.g, c.b, 255};
        const struct om_colour got =
            om_quant_colour(map->quant, om_quant_nearest(map->quant, pixel));
        assert_memory_equal(&c, &got, sizeof c);
    }
    assert_true(om_quant_count(map->quant) <= 256);
}

/* ---- faults ---- */

static void fault_of_what_is_out_of_range(void **state)
{
    (void)state;
    struct om_buf png = {0};
    struct om_wall wall = wall_of(301, 200);
    centre(&wall, 12);
    wall.columns = 2;
    assert_int_equal(om_wall_png(&wall, NULL, NULL, &png), OM_E_RANGE);
    wall.columns = 1;
    wall.width = OM_WALL_SIDE_MAX + 1;
    assert_int_equal(om_wall_png(&wall, NULL, NULL, &png), OM_E_RANGE);
    assert_int_equal(om_wall_centre(&wall, 0, 0, 40, 1), OM_E_RANGE);
    assert_int_equal(om_wall_centre(&wall, 0, 0, -3, 1), OM_E_RANGE);
    assert_int_equal(png.len, 0);
}

static void fault_of_no_memory(void **state)
{
    (void)state;
    struct om_wall wall = wall_of(600, 300);
    wall.columns = 2;
    centre(&wall, 13);
    om_key_of(dots, OM_LANGUAGE_ZH, NULL, &wall.key[0]);
    wall.keys = 1;
    struct om_buf warm = {0};
    assert_int_equal(om_wall_png(&wall, NULL, NULL, &warm), OM_OK);
    om_buf_deinit(&warm);
    om_threads_set(1);
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t k = 1; st; k++) {
        struct om_buf png = {0};
        om_alloc_fail_after(k, false);
        st = om_wall_png(&wall, NULL, NULL, &png);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_true(st ? png.len == 0 : png.len > 1000);
        om_buf_deinit(&png);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 400);
    }
    om_threads_set(0);
}

static void fault_of_fonts_that_are_none(void **state)
{
    (void)state;
    struct om_font *f;
    struct om_err err = {0};
    char path[128], pair[300];
    assert_int_equal(om_font_open("/nowhere/letters.ttf", &f, &err),
                     OM_E_NOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere/letters.ttf"));
    city_path(&city.files, "none", "ttf", path);
    assert_int_equal(om_file_write_whole(path, "no letters here", 15, NULL),
                     OM_OK);
    assert_int_equal(om_font_open(path, &f, &err), OM_E_FORMAT);
    assert_non_null(strstr(err.text, "none.ttf"));
    // A font whose bold one cannot be read is an error too, one that is not
    // there is not.
    snprintf(pair, sizeof pair,
             "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:%s", path);
    assert_int_equal(om_font_open(pair, &f, &err), OM_E_FORMAT);
    snprintf(pair, sizeof pair,
             "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:/none");
    assert_int_equal(om_font_open(pair, &f, &err), OM_OK);
    om_font_close(f);
    memset(pair, 'x', sizeof pair);
    char longer[1200];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(om_font_open(longer, &f, &err), OM_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_in_strips_is_one_canvas),
        cmocka_unit_test(wall_does_not_depend_on_threads),
        cmocka_unit_test(wall_goes_on_behind_its_bezels),
        cmocka_unit_test(wall_has_its_legend_on_top),
        cmocka_unit_test(wall_is_given_up_when_nobody_waits),
        cmocka_unit_test(seam_cuts_no_label),
        cmocka_unit_test(seam_cuts_no_panel),
        cmocka_unit_test(seam_parts_legends_that_are_too_large_together),
        cmocka_unit_test(seam_names_beside_it_what_lies_behind_it),
        cmocka_unit_test(fit_of_a_tile_is_the_tile),
        cmocka_unit_test(fit_holds_the_whole_box),
        cmocka_unit_test(fit_gives_scale_bars_that_are_true),
        cmocka_unit_test(key_of_dots_lists_the_highest_first),
        cmocka_unit_test(key_panel_is_as_large_as_it_says),
        cmocka_unit_test(quant_finds_the_nearest_of_all),
        cmocka_unit_test(quant_keeps_the_colours_of_a_style),
        cmocka_unit_test(fault_of_what_is_out_of_range),
        cmocka_unit_test(fault_of_no_memory),
        cmocka_unit_test(fault_of_fonts_that_are_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
