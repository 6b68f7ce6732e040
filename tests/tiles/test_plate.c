/* Pictures in degrees made of pictures in web mercator, and PNG read back.
 *
 * Plan
 *   rows_*   every row holds the latitude of its centre; beyond: none
 *   tile_*   pixels are those of their rows; few colours and many
 *   read_*   what is written is read back; what is no PNG is told
 *   fault_*  the n-th allocation fails
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/model/earth.h"
#include "tiles/plate.h"
#include "tiles/png.h"

#define SIDE 256

/* Latitude of the northern edge of mercator row k of n. */
static double edge_deg(double k, double n)
{
    return atan(sinh(OM_PI * (1 - 2 * k / n))) * OM_DEG_PER_RAD;
}

static void check_rows(unsigned z, uint32_t row, unsigned side)
{
    static uint32_t out[2 * SIDE];
    const double n = ldexp(side, (int)z), limit = edge_deg(0, 1);
    om_plate_rows(z, row, side, out);
    for (unsigned i = 0; i < side; i++) {
        const double lat = 90 - (row + (i + 0.5) / side) * ldexp(360, -(int)z);
        if (fabs(lat) > limit) {
            assert_int_equal(out[i], OM_PLATE_NONE);
            continue;
        }
        // A thousandth of a pixel: two ways to the same edge.
        const double slack = 1e-3 * 180 / n;
        assert_true(out[i] < n);
        assert_true(lat <= edge_deg(out[i], n) + slack);
        assert_true(lat >= edge_deg(out[i] + 1.0, n) - slack);
        if (i && out[i - 1] != OM_PLATE_NONE) assert_true(out[i] >= out[i - 1]);
    }
}

static void rows_hold_the_latitude_of_their_centre(void **state)
{
    (void)state;
    for (unsigned z = 1; z <= 22; z++) {
        const uint32_t rows = UINT32_C(1) << (z - 1);
        for (unsigned k = 0; k <= 40; k++) {
            check_rows(z, (uint32_t)((uint64_t)(rows - 1) * k / 40), SIDE);
            check_rows(z, (uint32_t)((uint64_t)(rows - 1) * k / 40), 2 * SIDE);
        }
    }
}

/* A mercator tile whose pixels say which row and column they are. */
static void paint(uint32_t row, unsigned shades, struct om_buf *png)
{
    static uint8_t rgba[SIDE * SIDE * 4];
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++) {
            uint8_t *p = rgba + 4 * (y * SIDE + x);
            p[0] = (uint8_t)(y % shades);
            p[1] = (uint8_t)(x % shades);
            p[2] = (uint8_t)(row & 1);
            p[3] = (uint8_t)(row & 1 ? 255 : 128);
        }
    assert_int_equal(om_png_rgba(rgba, SIDE, SIDE, png), OM_OK);
}

static void check_tile(unsigned z, uint32_t row, unsigned shades)
{
    static uint8_t got[SIDE * SIDE * 4];
    uint32_t from[SIDE];
    struct om_buf part_png[8] = {0}, png = {0};
    struct om_plate_part part[8];
    struct om_arena arena = {0};
    size_t parts = 0;
    om_plate_rows(z, row, SIDE, from);
    for (unsigned i = 0; i < SIDE; i++) {
        const uint32_t tile = from[i] / SIDE;
        if (from[i] == OM_PLATE_NONE || (parts && part[parts - 1].row == tile))
            continue;
        assert_true(parts < 8);
        paint(tile, shades, &part_png[parts]);
        part[parts] = (struct om_plate_part){tile, part_png[parts].bytes,
                                             part_png[parts].len};
        parts++;
    }
    assert_int_equal(om_plate_tile(z, row, SIDE, part, parts, &arena, &png),
                     OM_OK);
    assert_int_equal(om_png_read(png.bytes, png.len, SIDE, SIDE, got), OM_OK);
    // Colour type 3 has a palette, 6 has none.
    assert_int_equal(png.bytes[25], shades * shades * 2 < 256 ? 3 : 6);
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++) {
            const uint8_t *p = got + 4 * (y * SIDE + x);
            if (from[y] == OM_PLATE_NONE) {
                assert_int_equal(p[3], 0);
                continue;
            }
            const uint32_t tile = from[y] / SIDE;
            assert_int_equal(p[0], from[y] % SIDE % shades);
            assert_int_equal(p[1], x % shades);
            assert_int_equal(p[2], tile & 1);
            assert_int_equal(p[3], tile & 1 ? 255 : 128);
        }
    for (size_t i = 0; i < parts; i++) om_buf_deinit(&part_png[i]);
    om_buf_deinit(&png);
    om_arena_deinit(&arena);
}

static void tile_has_the_pixels_of_its_rows(void **state)
{
    (void)state;
    check_tile(10, 191, 5);
    check_tile(10, 191, 256);
    check_tile(2, 0, 7);  // reaches beyond the square
    check_tile(18, 48901, 3);
}

static void tile_beyond_the_square_is_clear(void **state)
{
    (void)state;
    struct om_buf png = {0};
    struct om_arena arena = {0};
    static uint8_t got[SIDE * SIDE * 4];
    assert_int_equal(om_plate_tile(10, 0, SIDE, NULL, 0, &arena, &png), OM_OK);
    assert_int_equal(om_png_read(png.bytes, png.len, SIDE, SIDE, got), OM_OK);
    for (size_t i = 0; i < sizeof got; i++) assert_int_equal(got[i], 0);
    om_buf_deinit(&png);
    om_arena_deinit(&arena);
}

static void tile_without_a_part_is_refused(void **state)
{
    (void)state;
    struct om_buf png = {0}, made = {0};
    struct om_arena arena = {0};
    paint(445, 4, &made);
    struct om_plate_part part = {445, made.bytes, made.len};
    assert_int_equal(om_plate_tile(10, 191, SIDE, &part, 1, &arena, &png),
                     OM_E_NOTFOUND);
    part.len /= 2;
    assert_int_equal(om_plate_tile(10, 191, SIDE, &part, 1, &arena, &png),
                     OM_E_FORMAT);
    assert_int_equal(png.len, 0);
    om_buf_deinit(&made);
    om_arena_deinit(&arena);
}

static void read_gives_back_what_was_written(void **state)
{
    (void)state;
    static uint8_t index[40 * 30], got[40 * 30 * 4];
    static const uint8_t RGBA[3][4] = {
        {1, 2, 3, 0}, {200, 100, 50, 255}, {9, 9, 9, 77}};
    for (size_t i = 0; i < sizeof index; i++) index[i] = (uint8_t)(i % 3);
    struct om_buf png = {0};
    assert_int_equal(om_png_palette(index, 40, 30, RGBA, 3, &png), OM_OK);
    assert_int_equal(om_png_read(png.bytes, png.len, 40, 30, got), OM_OK);
    for (size_t i = 0; i < sizeof index; i++)
        assert_memory_equal(got + 4 * i, RGBA[index[i]], 4);
    assert_int_equal(om_png_read(png.bytes, png.len, 30, 40, got), OM_E_FORMAT);
    for (size_t cut = 0; cut < png.len - 12; cut += 7)
        assert_int_equal(om_png_read(png.bytes, cut, 40, 30, got), OM_E_FORMAT);
    png.bytes[0] ^= 1;
    assert_int_equal(om_png_read(png.bytes, png.len, 40, 30, got), OM_E_FORMAT);
    assert_int_equal(om_png_rgba(got, 0, 3, &png), OM_E_RANGE);
    om_buf_deinit(&png);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    struct om_buf made[2] = {0};
    paint(445, 256, &made[0]);
    paint(446, 256, &made[1]);
    const struct om_plate_part part[] = {{445, made[0].bytes, made[0].len},
                                         {446, made[1].bytes, made[1].len}};
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_buf png = {0};
        struct om_arena arena = {0};
        om_alloc_fail_after(n, true);
        const om_status st =
            om_plate_tile(10, 191, SIDE, part, 2, &arena, &png);
        om_alloc_fail_after(0, false);
        om_buf_deinit(&png);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_true(st == OM_E_MEMORY || st == OM_E_FORMAT);
        assert_true(n < 1000);
    }
    om_buf_deinit(&made[0]);
    om_buf_deinit(&made[1]);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_the_latitude_of_their_centre),
        cmocka_unit_test(tile_has_the_pixels_of_its_rows),
        cmocka_unit_test(tile_beyond_the_square_is_clear),
        cmocka_unit_test(tile_without_a_part_is_refused),
        cmocka_unit_test(read_gives_back_what_was_written),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
