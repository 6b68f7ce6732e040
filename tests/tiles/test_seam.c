/* Tiles continue each other.
 *
 * Plan
 *   block_*  nine tiles are, pixel by pixel, one picture of the same place: at
 *            every zoom, of every kind, in both dresses, 256 and 512 and dense
 *   heat_*   the same of a layer, of a model and of persons; and they are what tiles of
 *            the next zoom out show at twice the side
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tiles/pictures.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ZOOM_STEP 3
#else
#define ZOOM_STEP 1
#endif
#define ZOOM_LAST 20

/* Compare a block of 3 x 3 tiles with the picture of all of them. */
static size_t check_block(const struct om_picture *p, struct om_view middle)
{
    const unsigned side = middle.width;
    struct om_view block = middle;
    block.x -= side;
    block.y -= side;
    block.width = block.height = 3 * side;
    uint8_t *whole = pixels_of(p, &block);
    size_t coloured = 0;
    for (unsigned t = 0; t < 9; t++) {
        struct om_view tile = middle;
        const unsigned dx = t % 3 * side, dy = t / 3 * side;
        tile.x = block.x + dx;
        tile.y = block.y + dy;
        uint8_t *pixels = pixels_of(p, &tile);
        for (unsigned y = 0; y < side; y++)
            if (memcmp(pixels + (size_t)y * side * 4,
                       whole + ((size_t)(dy + y) * 3 * side + dx) * 4,
                       side * 4) != 0)
                fail_msg("tile %u, row %u at world %llx differs", t, y,
                         (unsigned long long)middle.world);
        free(pixels);
    }
    for (size_t i = 1; i < (size_t)9 * side * side; i++)
        coloured += memcmp(whole + 4 * i, whole, 4) != 0;
    free(whole);
    return coloured;
}

/* Every kind at every zoom, somewhere in the middle of the city and at the
 * middle's own corner. */
static void block_of_tiles_is_one_picture_at_every_zoom(void **state)
{
    (void)state;
    for (unsigned z = 1; z <= ZOOM_LAST; z += ZOOM_STEP)
        for (unsigned i = 0; i < PICTURES; i++) {
            const size_t ink = check_block(
                picture[i], i % 2 == z % 2 ? tile_at(0.5, 0.49, z, 256, 1)
                                           : tile_at(0.46, 0.51, z, 256, 1));
            if (z > 8 && z < 16) assert_true(ink > 50);
        }
}

static void block_of_dense_tiles_and_of_512(void **state)
{
    (void)state;
    // Dense ones of 256 are 512 pixels wide; larger ones are not dense.
    for (unsigned z = 5; z <= ZOOM_LAST; z += ZOOM_STEP)
        for (unsigned i = z % 3; i < PICTURES; i += 3)
            check_block(picture[i], tile_at(0.5, 0.49, z, 512, z % 2 ? 2 : 1));
}

/* ---- heat ---- */

/* The middle tile of a block at a zoom. */
struct block {
    unsigned z;
    uint32_t x, y;
};

/* Nine heat tiles, 768 x 768, put together. */
static uint8_t *nine(struct om_fields *fields, const struct pic_risk *r,
                     struct block b, unsigned side)
{
    uint8_t *out = malloc((size_t)9 * side * side * 4);
    for (unsigned t = 0; t < 9; t++) {
        uint8_t *tile = pixels_of_heat(fields, r, b.z, b.x - 1 + t % 3,
                                       b.y - 1 + t / 3, side);
        for (unsigned y = 0; y < side; y++)
            memcpy(out + (((size_t)(t / 3) * side + y) * 3 + t % 3) * side * 4,
                   tile + (size_t)y * side * 4, (size_t)side * 4);
        free(tile);
    }
    return out;
}

/* Against the one picture that /map.png would draw. Premultiplied there. */
static size_t check_heat_picture(struct om_fields *fields,
                                 const struct pic_risk *r, struct block b,
                                 const uint8_t *tiles)
{
    struct om_view view = om_view_tile(b.z, b.x, b.y, 256, 1);
    struct om_arena arena = {0};
    struct om_canvas canvas;
    size_t ink = 0;
    view.x -= 256;
    view.y -= 256;
    view.width = view.height = 768;
    assert_int_equal(om_canvas_init(&canvas, &view, &arena), OM_OK);
    assert_int_equal(
        om_heatmap_draw(fields, &r->risk, &r->legend, &canvas, &arena), OM_OK);
    for (size_t i = 0; i < (size_t)768 * 768; i++) {
        const uint8_t *a = canvas.pixel[i], *t = tiles + 4 * i;
        bool same = a[3] == t[3];
        for (int k = 0; k < 3; k++) same &= a[k] == (t[k] * t[3] + 127) / 255;
        if (!same) fail_msg("zoom %u, pixel %zu, %zu", b.z, i % 768, i / 768);
        ink += t[3] > 0;
    }
    om_arena_deinit(&arena);
    return ink;
}

/* Against tiles of the zoom above with twice the side: their inside crosses
 * every second border between ours. */
static void check_heat_above(struct om_fields *fields, const struct pic_risk *r,
                             struct block b, const uint8_t *tiles)
{
    const uint32_t x0 = (b.x - 1) / 2, y0 = (b.y - 1) / 2;
    for (uint32_t y = y0; y <= (b.y + 1) / 2; y++)
        for (uint32_t x = x0; x <= (b.x + 1) / 2; x++) {
            uint8_t *above = pixels_of_heat(fields, r, b.z - 1, x, y, 512);
            for (unsigned i = 0; i < 512 * 512; i++) {
                const int64_t px =
                    (int64_t)x * 512 + i % 512 - ((int64_t)b.x - 1) * 256;
                const int64_t py =
                    (int64_t)y * 512 + i / 512 - ((int64_t)b.y - 1) * 256;
                if (px < 0 || py < 0 || px >= 768 || py >= 768) continue;
                assert_memory_equal(above + (size_t)i * 4,
                                    tiles + ((size_t)py * 768 + (size_t)px) * 4,
                                    4);
            }
            free(above);
        }
}

static void check_heat(bool rate, double coarse_m)
{
    struct om_fields *fields;
    struct pic_risk r;
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    pic_risk_init(&r, fields, rate, rate ? OM_PALETTE_LIGHT : OM_PALETTE_DARK);
    r.risk.coarse_m = coarse_m;
    for (unsigned z = 3; z <= ZOOM_LAST; z += ZOOM_STEP) {
        const struct om_view tile = tile_at(0.5, 0.49, z, 256, 1);
        const struct block b = {z, (uint32_t)(tile.x / 256),
                                (uint32_t)(tile.y / 256)};
        uint8_t *tiles = nine(fields, &r, b, 256);
        const size_t ink = check_heat_picture(fields, &r, b, tiles);
        if (z >= 9 && z <= 15) assert_true(ink > 1000);
        check_heat_above(fields, &r, b, tiles);
        free(tiles);
    }
    pic_risk_deinit(&r);
    om_fields_free(fields);
}

static void heat_of_a_layer_goes_on_in_the_next_tile(void **state)
{
    (void)state;
    check_heat(false, 0);
}

static void heat_of_a_model_goes_on_in_the_next_tile(void **state)
{
    (void)state;
    check_heat(true, 0);
}

static void heat_of_persons_goes_on_in_the_next_tile(void **state)
{
    (void)state;
    check_heat(true, 450);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_of_tiles_is_one_picture_at_every_zoom),
        cmocka_unit_test(block_of_dense_tiles_and_of_512),
        cmocka_unit_test(heat_of_a_layer_goes_on_in_the_next_tile),
        cmocka_unit_test(heat_of_a_model_goes_on_in_the_next_tile),
        cmocka_unit_test(heat_of_persons_goes_on_in_the_next_tile),
    };
    return cmocka_run_group_tests(tests, pictures_set_up, pictures_tear_down);
}
