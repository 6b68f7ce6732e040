/* Heat tiles: legends, colours, pictures.
 *
 * Plan
 *   legend_*  breaks rise, opacity rises, one for all zooms, scaled by a
 *             filter's share
 *   picture_* every pixel has the colour of its value's step; 256 and 512
 *   lines_*   run where values pass a line's break, and nowhere else; a cone
 * has rings empty_*   nothing to show is a transparent picture fault_*   no
 * memory
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "data/base/thread.h"
#include "tests/engine/field_sample.h"
#include "tests/tiles/read_png.h"
#include "tiles/heat.h"

#define ROWS 30000
static struct om_fields *fields;
static struct field_layer city;

static int set_up(void **state)
{
    (void)state;
    struct field_row *row = calloc(ROWS, sizeof *row);
    uint64_t seed = 4;
    for (size_t i = 0; i < ROWS; i++) {
        const double r = field_uniform(&seed) * field_uniform(&seed);
        row[i].pos.x = (uint32_t)(3466000000.0 + 2e6 * r);
        row[i].pos.y = (uint32_t)(1863000000.0 + 2e6 * field_uniform(&seed));
        row[i].people = (int64_t)(i % 4);
        row[i].kind = (int)(i % 10);
    }
    int st = (int)field_layer_add(&city, row, ROWS);
    free(row);
    if (!st) st = (int)om_fields_new((size_t)1 << 28, &fields);
    return st;
}

static int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    field_layer_free(&city);
    return 0;
}

static bool every_fourth(const struct om_segment *s, size_t row)
{
    (void)s;
    return row % 4 == 0;
}

static struct om_field_spec spec_of(const struct om_selection *selection)
{
    return (struct om_field_spec){.layer = &city.layer,
                                  .selection = selection,
                                  .bandwidth_m = 400.0,
                                  .weight = OM_WEIGHT_ONE};
}

static void legend_rises_in_value_and_opacity(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    const struct om_field_spec spec = spec_of(&all);
    double most, sum;
    assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
    for (int p = 0; p < 2; p++) {
        struct om_legend l;
        assert_int_equal(
            om_heat_legend(fields, &spec, NULL, (enum om_palette)p, &l), OM_OK);
        assert_string_equal(l.unit, "per km2");
        assert_int_equal(l.rgba[0][3], 0);
        assert_true(l.from[0] > 0.0f);
        assert_true((double)l.from[OM_LEGEND_STEPS - 1] < most);
        for (unsigned i = 1; i < OM_LEGEND_STEPS; i++) {
            assert_true(l.from[i] > l.from[i - 1]);
            assert_true(l.rgba[i + 1][3] > l.rgba[i][3]);
        }
    }
}

static void legend_of_a_filter_is_scaled_by_its_share(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    struct om_selection *some = field_select(&city.layer, every_fourth);
    const struct om_field_spec spec = spec_of(&all), part = spec_of(some);
    struct om_legend whole, scaled;
    assert_int_equal(
        om_heat_legend(fields, &spec, NULL, OM_PALETTE_DARK, &whole), OM_OK);
    assert_int_equal(
        om_heat_legend(fields, &part, NULL, OM_PALETTE_DARK, &scaled), OM_OK);
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        assert_float_equal(scaled.from[i], whole.from[i] / 4.0f,
                           1e-4f * whole.from[i]);
    field_select_free(some);
}

static void legend_palettes_have_names(void **state)
{
    (void)state;
    enum om_palette p;
    assert_true(om_palette_from_name("dark", &p) && p == OM_PALETTE_DARK);
    assert_true(om_palette_from_name("light", &p) && p == OM_PALETTE_LIGHT);
    assert_false(om_palette_from_name("Dark", &p));
    assert_false(om_palette_from_name("", &p));
}

static const uint8_t *colour_of(const struct om_legend *l, float value)
{
    unsigned step = 0;
    while (step < OM_LEGEND_STEPS && value >= l->from[step]) step++;
    return l->rgba[step];
}

static void picture_shows_each_value_in_its_colour(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    const struct om_field_spec spec = spec_of(&all);
    struct om_legend legend;
    assert_int_equal(
        om_heat_legend(fields, &spec, NULL, OM_PALETTE_LIGHT, &legend), OM_OK);
    static float value[512 * 512];
    for (unsigned z = 6; z <= 18; z += 2)
        for (unsigned side = 256; side <= 512; side *= 2) {
            const struct om_field_window w = {
                .z = z,
                .x = (uint32_t)(3466300000u >> (32 - z)),
                .y = (uint32_t)(1864000000u >> (32 - z)),
                .side_px = side};
            struct om_arena arena = {0};
            struct om_buf png = {0};
            assert_int_equal(
                om_heat_tile(fields, &spec, &w, &legend, &arena, &png), OM_OK);
            assert_int_equal(om_field_window(fields, &spec, &w, &arena, value),
                             OM_OK);
            unsigned width = 0, height = 0;
            uint8_t *pixels = read_png(&png, &width, &height);
            assert_non_null(pixels);
            assert_int_equal(width, side);
            assert_int_equal(height, side);
            for (size_t i = 0; i < (size_t)side * side; i++)
                assert_memory_equal(pixels + 4 * i,
                                    colour_of(&legend, value[i]), 4);
            free(pixels);
            om_arena_deinit(&arena);
            om_buf_deinit(&png);
        }
}

static void picture_of_any_values_holds(void **state)
{
    (void)state;
    struct om_legend legend = {0};
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++) {
        legend.from[i] = (float)(i + 1);
        for (unsigned k = 0; k < 4; k++)
            legend.rgba[i + 1][k] = (uint8_t)(17 * i + k);
    }
    static float value[256 * 256];
    uint64_t seed = 8;
    for (size_t i = 0; i < 256 * 256; i++)
        value[i] = (float)(field_uniform(&seed) * 20.0 - 2.0);
    value[0] = -__builtin_inff();
    value[1] = __builtin_inff();
    value[2] = __builtin_nanf("");
    struct om_arena arena = {0};
    struct om_buf png = {0};
    assert_int_equal(om_heat_png(value, 256, &legend, &arena, &png), OM_OK);
    unsigned width, height;
    uint8_t *pixels = read_png(&png, &width, &height);
    assert_non_null(pixels);
    for (size_t i = 0; i < 256 * 256; i++)
        assert_memory_equal(pixels + 4 * i, colour_of(&legend, value[i]), 4);
    free(pixels);
    om_buf_clear(&png);
    assert_int_equal(om_heat_png(value, 300, &legend, &arena, &png),
                     OM_E_RANGE);
    om_arena_deinit(&arena);
    om_buf_deinit(&png);
}

/* The line that a value lies within. */
static unsigned within(const struct om_legend *legend, float value)
{
    unsigned line = 0;
    for (unsigned k = OM_LEGEND_LINE_EVERY; k <= OM_LEGEND_STEPS;
         k += OM_LEGEND_LINE_EVERY)
        line += value >= legend->from[k - 1];
    return line;
}

/* A pixel is of a line if next to it, within the line's width, is less. */
static void lines_run_where_values_pass_a_break(void **state)
{
    (void)state;
    static float value[512 * 512];
    for (unsigned side = 256; side <= 512; side *= 2) {
        struct om_legend fill, legend;
        om_legend_density(100.0, OM_PALETTE_LIGHT, &fill);
        om_legend_lines(&fill, OM_PALETTE_LIGHT, &legend);
        assert_true(legend.lines);
        const float middle = (float)side / 2.0f;
        for (unsigned y = 0; y < side; y++)
            for (unsigned x = 0; x < side; x++)
                value[y * side + x] =
                    110.0f *
                    (1.0f -
                     hypotf((float)x - middle, (float)y - middle) / middle);
        value[side * side / 2 + side / 2] = __builtin_nanf("");
        struct om_arena arena = {0};
        struct om_buf png = {0};
        assert_int_equal(om_heat_png(value, side, &legend, &arena, &png),
                         OM_OK);
        unsigned width, height, seen = 0;
        uint8_t *pixels = read_png(&png, &width, &height);
        assert_non_null(pixels);
        for (unsigned y = 1; y + 1 < side; y++)
            for (unsigned x = 1; x + 1 < side; x++) {
                const size_t i = (size_t)y * side + x;
                const unsigned here = within(&legend, value[i]);
                const unsigned least =
                    side == 256                                      ? 1
                    : x > 1 && y > 1 && x + 2 < side && y + 2 < side ? 2
                                                                     : 1;
                bool edge = false;
                for (unsigned d = 1; d <= least; d++)
                    edge |= within(&legend, value[i - d]) < here ||
                            within(&legend, value[i + d]) < here ||
                            within(&legend, value[i - d * side]) < here ||
                            within(&legend, value[i + d * side]) < here;
                if (pixels[4 * i + 3] == 0) {
                    assert_false(edge);
                    continue;
                }
                assert_true(edge || least < side / 256);
                assert_memory_equal(pixels + 4 * i,
                                    legend.rgba[here * OM_LEGEND_LINE_EVERY],
                                    4);
                seen |= 1u << here;
            }
        assert_int_equal(seen, 0x3e);  // five lines
        free(pixels);
        om_arena_deinit(&arena);
        om_buf_deinit(&png);
    }
}

static void empty_is_transparent(void **state)
{
    (void)state;
    static const float value[512 * 512];
    struct om_legend legend = {.from = {1.0f}};
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        legend.from[i] = (float)i + 1.0f;
    for (unsigned side = 256; side <= 512; side *= 2) {
        struct om_arena arena = {0};
        struct om_buf png = {0};
        char order[16];
        assert_int_equal(om_heat_png(value, side, &legend, &arena, &png),
                         OM_OK);
        assert_true(png_chunks(&png, order, sizeof order));
        unsigned width, height;
        uint8_t *pixels = read_png(&png, &width, &height);
        assert_non_null(pixels);
        assert_int_equal(width, side);
        assert_int_equal(height, side);
        for (size_t i = 0; i < (size_t)side * side; i++)
            assert_int_equal(pixels[4 * i + 3], 0);
        assert_true(png.len < 500);
        free(pixels);
        om_arena_deinit(&arena);
        om_buf_deinit(&png);
    }
}

static void fault_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    const struct om_field_spec spec = spec_of(&all);
    const struct om_field_window w = {13, 3466300000u >> 19, 1864000000u >> 19,
                                      256};
    om_threads_set(1);
    om_fields_clear(fields);
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t k = 1; st; k++) {
        struct om_legend legend;
        struct om_arena arena = {0};
        struct om_buf png = {0};
        om_fields_clear(fields);
        om_alloc_fail_after(k, false);
        st = om_heat_legend(fields, &spec, NULL, OM_PALETTE_DARK, &legend);
        if (!st) st = om_heat_tile(fields, &spec, &w, &legend, &arena, &png);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        om_arena_deinit(&arena);
        om_buf_deinit(&png);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 2000);
    }
    om_threads_set(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legend_rises_in_value_and_opacity),
        cmocka_unit_test(legend_of_a_filter_is_scaled_by_its_share),
        cmocka_unit_test(legend_palettes_have_names),
        cmocka_unit_test(picture_shows_each_value_in_its_colour),
        cmocka_unit_test(picture_of_any_values_holds),
        cmocka_unit_test(lines_run_where_values_pass_a_break),
        cmocka_unit_test(empty_is_transparent),
        cmocka_unit_test(fault_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
