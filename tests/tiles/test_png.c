/* Palette PNG.
 *
 * Plan
 *   pixels_*  libpng reads back exactly the colours put in, any size, depth
 *   chunks_*  the file is made of the right chunks with the right checksums
 *   error_*   what is refused, and no memory, leave the buffer as it was
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "tests/tiles/read_png.h"
#include "tiles/png.h"

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

static void fill_palette(uint8_t (*rgba)[4], unsigned colours, uint64_t *state)
{
    for (unsigned i = 0; i < colours; i++)
        for (unsigned k = 0; k < 4; k++) rgba[i][k] = (uint8_t)next(state);
}

static void round_trip(unsigned width, unsigned height, unsigned colours,
                       uint64_t seed, bool drawing)
{
    uint8_t rgba[256][4];
    fill_palette(rgba, colours, &seed);
    uint8_t *index = malloc((size_t)width * height);
    uint8_t now = 0;
    for (size_t i = 0; i < (size_t)width * height; i++) {
        // Runs, as pictures have them.
        if (next(&seed) % 5 == 0) now = (uint8_t)(next(&seed) % colours);
        index[i] = now;
    }
    struct om_buf png = {0};
    om_status (*write)(const uint8_t *, unsigned, unsigned, const uint8_t(*)[4],
                       unsigned, struct om_buf *) =
        drawing ? om_png_drawing : om_png_palette;
    assert_int_equal(
        write(index, width, height, (const uint8_t(*)[4])rgba, colours, &png),
        OM_OK);
    char order[16];
    assert_true(png_chunks(&png, order, sizeof order));
    assert_true(!strcmp(order, "IPtII") || !strcmp(order, "IPII"));
    unsigned w = 0, h = 0;
    uint8_t *pixels = read_png(&png, &w, &h);
    assert_non_null(pixels);
    assert_int_equal(w, width);
    assert_int_equal(h, height);
    for (size_t i = 0; i < (size_t)width * height; i++)
        assert_memory_equal(pixels + 4 * i, rgba[index[i]], 4);
    free(pixels);
    free(index);
    om_buf_deinit(&png);
}

static void pixels_come_back_as_they_went_in(void **state)
{
    (void)state;
    static const unsigned sides[] = {1, 2, 3, 7, 64, 255, 256, 512};
    static const unsigned colours[] = {1, 2, 15, 16, 17, 255, 256};
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
        for (size_t c = 0; c < sizeof colours / sizeof *colours; c++)
            round_trip(sides[s], sides[(s * 3 + c) % 8], colours[c], s * 10 + c,
                       (s + c) % 2);
}

static void chunks_need_no_alpha_where_all_is_opaque(void **state)
{
    (void)state;
    static const uint8_t rgba[2][4] = {{1, 2, 3, 255}, {4, 5, 6, 255}};
    static const uint8_t index[4] = {0, 1, 1, 0};
    struct om_buf png = {0};
    char order[16];
    assert_int_equal(om_png_palette(index, 2, 2, rgba, 2, &png), OM_OK);
    assert_true(png_chunks(&png, order, sizeof order));
    assert_string_equal(order, "IPII");
    om_buf_deinit(&png);
}

static void error_of_what_is_out_of_range(void **state)
{
    (void)state;
    static const uint8_t rgba[2][4] = {{0}};
    static const uint8_t index[4] = {0, 1, 2, 0};
    struct om_buf png = {0};
    om_buf_add_text(&png, "kept");
    assert_int_equal(om_png_palette(index, 2, 2, rgba, 2, &png), OM_E_RANGE);
    assert_int_equal(om_png_palette(index, 0, 2, rgba, 2, &png), OM_E_RANGE);
    assert_int_equal(om_png_palette(index, 2, 0, rgba, 2, &png), OM_E_RANGE);
    assert_int_equal(om_png_palette(index, 2, 2, rgba, 0, &png), OM_E_RANGE);
    assert_int_equal(om_png_palette(index, 2, 1, rgba, 257, &png), OM_E_RANGE);
    assert_int_equal(om_png_palette(index, 99999, 2, rgba, 2, &png),
                     OM_E_RANGE);
    assert_int_equal(png.len, 4);
    om_buf_deinit(&png);
    static uint8_t noise[64 * 64];
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = next(&seed) & 1;
    om_buf_init(&png, 300);
    assert_int_equal(om_png_palette(noise, 64, 64, rgba, 2, &png), OM_E_LIMIT);
    assert_int_equal(png.len, 0);
    om_buf_deinit(&png);
}

static void error_of_no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    static const uint8_t rgba[2][4] = {{0}, {9, 9, 9, 9}};
    static uint8_t index[64 * 64];
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t k = 1; st; k++) {
        struct om_buf png = {0};
        om_alloc_fail_after(k, false);
        st = om_png_palette(index, 64, 64, rgba, 2, &png);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_true(st ? png.len == 0 : png.len > 60);
        om_buf_deinit(&png);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_come_back_as_they_went_in),
        cmocka_unit_test(chunks_need_no_alpha_where_all_is_opaque),
        cmocka_unit_test(error_of_what_is_out_of_range),
        cmocka_unit_test(error_of_no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
