/* Cover of pixels, strokes, and that neither depends on the window.
 *
 * Plan
 *   cover_*   against counting points inside each pixel; areas are kept
 *   cancel_*  a line and its reverse; neighbours leave no seam
 *   window_*  a part of a picture is the same as that part asked for alone
 *   stroke_*  area of lines, joins, caps, dashes
 *   paint_*   colours over colours, masks cut at every side
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/rounds.h"
#include "tiles/picture/canvas.h"

static void assert_near(double a, double b, double within)
{
    if (fabs(a - b) > within) fail_msg("%g is not %g", a, b);
}

static uint64_t seed = 11;

static uint32_t dice(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static struct om_raster raster_of(unsigned width, unsigned height,
                                  struct om_arena *arena)
{
    struct om_raster r;
    assert_int_equal(om_raster_init(&r, width, height, arena), OM_OK);
    return r;
}

/* A ring around a middle, clockwise on the map, in 1/256 pixel. */
static size_t star(struct om_spot *out, size_t n, double x, double y, double r)
{
    for (size_t i = 0; i < n; i++) {
        const double angle = 2.0 * OM_PI * (double)i / (double)n;
        const double far = r * (0.3 + 0.7 * dice(1000) / 1000.0);
        out[i] = (struct om_spot){llround(256.0 * (x + far * cos(angle))),
                                  llround(256.0 * (y + far * sin(angle)))};
    }
    return n;
}

static void add_ring(struct om_raster *r, const struct om_spot *ring, size_t n)
{
    for (size_t i = 0; i < n; i++)
        om_raster_line(r, ring[i], ring[(i + 1) % n]);
}

/* Twice the area in 1/65536 pixel, positive for rings clockwise on the map. */
static int64_t twice_area(const struct om_spot *ring, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct om_spot a = ring[i], b = ring[(i + 1) % n];
        sum += a.x * b.y - b.x * a.y;
    }
    return sum;
}

static bool inside(const struct om_spot *ring, size_t n, double x, double y)
{
    bool in = false;
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        const double ax = (double)ring[i].x, ay = (double)ring[i].y;
        const double bx = (double)ring[j].x, by = (double)ring[j].y;
        if ((ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax)
            in = !in;
    }
    return in;
}

#define SIDE 24
static uint8_t picture[64][64];

static void keep_cover(void *ctx, unsigned y, unsigned x, unsigned n,
                       const uint8_t *cover)
{
    (void)ctx;
    memcpy(&picture[y][x], cover, n);
}

static void cover_is_the_share_of_points_inside(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct om_arena arena = {0};
        struct om_raster r = raster_of(SIDE, SIDE, &arena);
        struct om_spot ring[12];
        const size_t n = star(ring, 3 + dice(10), 12.3, 11.6, 11.0);
        add_ring(&r, ring, n);
        memset(picture, 0, sizeof picture);
        om_raster_sweep(&r, keep_cover, NULL);
        for (unsigned y = 0; y < SIDE; y++)
            for (unsigned x = 0; x < SIDE; x++) {
                unsigned hits = 0;
                for (unsigned k = 0; k < 32 * 32; k++)
                    hits += inside(ring, n, (x + (k % 32 + 0.5) / 32) * 256,
                                   (y + (k / 32 + 0.5) / 32) * 256);
                assert_near(picture[y][x] / 255.0, hits / 1024.0, 0.03);
            }
        om_arena_deinit(&arena);
    }
}

static void cover_adds_up_to_the_area(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct om_arena arena = {0};
        struct om_raster r = raster_of(64, 64, &arena);
        struct om_spot ring[40];
        const size_t n = star(ring, 3 + dice(37), 32, 32, 31);
        add_ring(&r, ring, n);
        // Cuts are rounded to 1/256 pixel: a little for each row and column.
        const int64_t area = twice_area(ring, n);
        assert_true(llabs(om_raster_total(&r) - area) <
                    (int64_t)n * 64 * 2 * 256);
        assert_true(area > 0);
        om_arena_deinit(&arena);
    }
}

static void cover_of_whole_pixels_is_exact(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_raster r = raster_of(SIDE, SIDE, &arena);
    const struct om_spot box[] = {{3 * 256, 4 * 256},
                                  {9 * 256, 4 * 256},
                                  {9 * 256, 7 * 256},
                                  {3 * 256, 7 * 256}};
    add_ring(&r, box, 4);
    assert_int_equal(om_raster_total(&r), 18 * OM_RASTER_FULL);
    memset(picture, 0, sizeof picture);
    om_raster_sweep(&r, keep_cover, NULL);
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++)
            assert_int_equal(picture[y][x],
                             x >= 3 && x < 9 && y >= 4 && y < 7 ? 255 : 0);
    // Swept means empty.
    assert_int_equal(om_raster_total(&r), 0);
    om_arena_deinit(&arena);
}

static void cancel_of_a_line_and_its_reverse(void **state)
{
    (void)state;
    for (int round = 0; round < (int)test_rounds(20000); round++) {
        struct om_arena arena = {0};
        struct om_raster r = raster_of(SIDE, SIDE, &arena);
        const struct om_spot a = {(int64_t)dice(20000) - 7000,
                                  (int64_t)dice(20000) - 7000};
        const struct om_spot b = {(int64_t)dice(20000) - 7000,
                                  (int64_t)dice(20000) - 7000};
        om_raster_line(&r, a, b);
        om_raster_line(&r, b, a);
        for (size_t i = 0; i < SIDE * (SIDE + 2); i++)
            assert_int_equal(r.sum[i], 0);
        om_arena_deinit(&arena);
    }
}

/* Cells of a bent mesh that share their corners. */
#define MESH 7
static struct om_spot corner[MESH + 1][MESH + 1];

static void bend_mesh(void)
{
    for (int y = 0; y <= MESH; y++)
        for (int x = 0; x <= MESH; x++)
            corner[y][x] =
                (struct om_spot){x * 9 * 256 + (int64_t)dice(1200) - 300,
                                 y * 9 * 256 + (int64_t)dice(1200) - 300};
}

static void add_cell(struct om_raster *r, int x, int y)
{
    const struct om_spot ring[] = {corner[y][x], corner[y][x + 1],
                                   corner[y + 1][x + 1], corner[y + 1][x]};
    add_ring(r, ring, 4);
}

static void cancel_of_neighbours_leaves_no_seam(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    bend_mesh();
    struct om_raster whole = raster_of(64, 64, &arena);
    for (int y = 0; y < MESH; y++)
        for (int x = 0; x < MESH; x++) add_cell(&whole, x, y);
    struct om_raster outline = raster_of(64, 64, &arena);
    for (int i = 0; i < MESH; i++) {
        om_raster_line(&outline, corner[0][i], corner[0][i + 1]);
        om_raster_line(&outline, corner[i][MESH], corner[i + 1][MESH]);
        om_raster_line(&outline, corner[MESH][MESH - i],
                       corner[MESH][MESH - i - 1]);
        om_raster_line(&outline, corner[MESH - i][0], corner[MESH - i - 1][0]);
    }
    assert_memory_equal(whole.sum, outline.sum, 64 * 66 * sizeof *whole.sum);
    om_arena_deinit(&arena);
}

/* ---- canvases ---- */

static struct om_canvas canvas_of(const struct om_view *view,
                                  struct om_arena *arena)
{
    struct om_canvas c;
    assert_int_equal(om_canvas_init(&c, view, arena), OM_OK);
    return c;
}

#define PLACE_X 3500000000u
#define PLACE_Y 1860000000u
#define SHAPE_VERTICES 14

struct shapes {
    struct om_pos vertex[SHAPE_VERTICES];
    uint32_t shape_part[2], part_ring[2], ring_vertex[2];
    struct om_box box;
};

static struct om_rings rings_of(struct shapes *s, double cells)
{
    struct om_spot ring[SHAPE_VERTICES];
    star(ring, SHAPE_VERTICES, 0, 0, cells / 256.0);
    for (size_t i = 0; i < SHAPE_VERTICES; i++)
        s->vertex[i] =
            (struct om_pos){(uint32_t)(PLACE_X + (int64_t)ring[i].x),
                            (uint32_t)(PLACE_Y + (int64_t)ring[i].y)};
    s->shape_part[0] = s->part_ring[0] = s->ring_vertex[0] = 0;
    s->shape_part[1] = s->part_ring[1] = 1;
    s->ring_vertex[1] = SHAPE_VERTICES;
    return (struct om_rings){.count = 1,
                             .shape_part = s->shape_part,
                             .part_ring = s->part_ring,
                             .ring_vertex = s->ring_vertex,
                             .vertex = s->vertex,
                             .box = &s->box};
}

static void paint_all(struct om_canvas *c, const struct om_rings *rings)
{
    const struct om_stroke dashed = {
        .width = 700, .dash = 2000, .gap = 900, .cap = OM_CAP_ROUND};
    const struct om_stroke plain = {.width = 300};
    om_canvas_polygon(c, rings, 0);
    om_canvas_fill(c, om_colour_of(0x2040A0));
    om_canvas_polygon(c, rings, 0);
    om_canvas_hatch(c, om_colour_fade(om_colour_of(0xFFFFFF), 90));
    om_canvas_outline(c, rings, 0, true, &dashed);
    om_canvas_fill(c, om_colour_of(0xE02020));
    om_canvas_outline(c, rings, 0, false, &plain);
    om_canvas_fill(c, om_colour_fade(om_colour_of(0x10F010), 128));
}

static void window_shows_what_a_larger_one_shows_there(void **state)
{
    (void)state;
    static const uint64_t odd[] = {0, 12345, 777777};
    for (unsigned z = 3; z <= 22; z++)
        for (size_t k = 0; k < 3; k++) {
            struct om_arena arena = {0};
            struct shapes s;
            const struct om_rings rings =
                rings_of(&s, ldexp(1.0, 32 - (int)z) * 1.1);
            struct om_view all = om_view_tile(z, 0, 0, 256, 1);
            all.world += odd[k];
            all.x = (om_view_scale(all.world, PLACE_X) >> 8) - 300;
            all.y = (om_view_scale(all.world, PLACE_Y) >> 8) - 300;
            all.width = all.height = 600;
            struct om_canvas whole = canvas_of(&all, &arena);
            paint_all(&whole, &rings);
            for (int part = 0; part < 6; part++) {
                struct om_view view = all;
                const unsigned x = dice(400), y = dice(400);
                view.x += x;
                view.y += y;
                view.width = 1 + dice(200);
                view.height = 1 + dice(200);
                struct om_canvas c = canvas_of(&view, &arena);
                paint_all(&c, &rings);
                for (unsigned row = 0; row < view.height; row++)
                    assert_memory_equal(c.pixel[row * view.width],
                                        whole.pixel[(y + row) * 600 + x],
                                        4 * view.width);
            }
            om_arena_deinit(&arena);
        }
}

static void window_of_a_line_far_outside_holds(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_raster r = raster_of(SIDE, SIDE, &arena);
    const int64_t far = INT64_C(1) << 40;
    const struct om_spot ring[] = {
        {-far, -far}, {far, -far}, {far, far}, {-far, far}};
    add_ring(&r, ring, 4);
    memset(picture, 0, sizeof picture);
    om_raster_sweep(&r, keep_cover, NULL);
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++)
            assert_int_equal(picture[y][x], 255);
    const struct om_spot half[] = {{-far, -far}, {far, -far}, {far, far}};
    add_ring(&r, half, 3);
    memset(picture, 0, sizeof picture);
    om_raster_sweep(&r, keep_cover, NULL);
    for (unsigned y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++)
            assert_int_equal(picture[y][x], x > y ? 255 : x < y ? 0 : 128);
    om_arena_deinit(&arena);
}

static int64_t stroke_area(const struct om_pos *vertex, size_t n, bool closed,
                           const struct om_stroke *stroke)
{
    struct om_arena arena = {0};
    struct om_view view = om_view_tile(16, 0, 0, 256, 1);
    view.x = (om_view_scale(view.world, PLACE_X) >> 8) - 100;
    view.y = (om_view_scale(view.world, PLACE_Y) >> 8) - 100;
    view.width = view.height = 600;
    struct om_canvas c = canvas_of(&view, &arena);
    om_canvas_stroke(&c, vertex, n, closed, stroke);
    const int64_t total = om_raster_total(&c.raster);
    om_arena_deinit(&arena);
    return total;
}

/* One pixel at zoom 16 of 256 is 256 positions. */
#define PX 256u

static void stroke_of_a_straight_line_is_length_times_width(void **state)
{
    (void)state;
    const struct om_pos line[] = {{PLACE_X, PLACE_Y},
                                  {PLACE_X + 300 * PX, PLACE_Y + 90 * PX}};
    const double length = hypot(300, 90);
    const struct om_stroke butt = {.width = 5 * 256};
    const struct om_stroke round = {.width = 5 * 256, .cap = OM_CAP_ROUND};
    const double full = OM_RASTER_FULL;
    assert_near((double)stroke_area(line, 2, false, &butt) / full, length * 5,
                3.0);
    // Caps are twelve-sided discs.
    assert_near((double)stroke_area(line, 2, false, &round) / full,
                length * 5 + 12 * 0.5 * 2.5 * 2.5 * sin(OM_PI / 6), 3.0);
}

static void stroke_of_many_vertices_is_no_fatter(void **state)
{
    (void)state;
    struct om_pos line[301];
    for (unsigned i = 0; i <= 300; i++)
        line[i] = (struct om_pos){PLACE_X + i * PX, PLACE_Y + i * PX / 3};
    const struct om_pos ends[] = {line[0], line[300]};
    const struct om_stroke s = {.width = 400};
    assert_near((double)stroke_area(line, 301, false, &s) / OM_RASTER_FULL,
                (double)stroke_area(ends, 2, false, &s) / OM_RASTER_FULL, 6.0);
}

static void stroke_in_dashes_is_their_share(void **state)
{
    (void)state;
    const struct om_pos line[] = {{PLACE_X, PLACE_Y},
                                  {PLACE_X + 200 * PX, PLACE_Y},
                                  {PLACE_X + 200 * PX, PLACE_Y + 200 * PX}};
    const struct om_stroke s = {.width = 512, .dash = 6 * 256, .gap = 4 * 256};
    assert_near((double)stroke_area(line, 3, false, &s) / OM_RASTER_FULL,
                400 * 2 * 0.6, 6.0);
}

static void paint_of_masks_is_cut_at_every_side(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    const struct om_view view = {.world = 1 << 20,
                                 .x = 100,
                                 .y = 200,
                                 .width = 9,
                                 .height = 7,
                                 .ratio = 1};
    static const uint8_t mask[5 * 4] = {255, 255, 255, 255, 255, 255, 255,
                                        255, 255, 255, 255, 255, 255, 255,
                                        255, 255, 255, 255, 255, 255};
    for (int64_t y = 190; y < 215; y++)
        for (int64_t x = 90; x < 115; x++) {
            struct om_canvas c = canvas_of(&view, &arena);
            om_canvas_mask(&c, x, y, 5, 4, mask, om_colour_of(0xFF8040));
            for (unsigned i = 0; i < 63; i++) {
                const int64_t px = 100 + i % 9, py = 200 + i / 9;
                const bool in = px >= x && px < x + 5 && py >= y && py < y + 4;
                assert_int_equal(c.pixel[i][3], in ? 255 : 0);
                assert_int_equal(c.pixel[i][0], in ? 255 : 0);
            }
            om_arena_reset(&arena);
        }
    om_arena_deinit(&arena);
}

static void paint_over_opaque_stays_opaque(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    const struct om_view view = {
        .world = 1 << 20, .width = 256, .height = 1, .ratio = 1};
    uint8_t mask[256];
    for (unsigned i = 0; i < 256; i++) mask[i] = (uint8_t)i;
    for (unsigned a = 0; a < 256; a++) {
        struct om_canvas c = canvas_of(&view, &arena);
        om_canvas_flood(&c, om_colour_of(0x3366CC));
        om_canvas_mask(&c, 0, 0, 256, 1, mask,
                       om_colour_fade(om_colour_of(0xFFCC00), (uint8_t)a));
        for (unsigned i = 0; i < 256; i++) {
            const double s = a / 255.0 * i / 255.0;
            assert_int_equal(c.pixel[i][3], 255);
            assert_near(c.pixel[i][0], 51 + (255 - 51) * s, 1.1);
            assert_near(c.pixel[i][2], 204 * (1 - s), 1.1);
        }
        om_arena_reset(&arena);
    }
    om_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cover_is_the_share_of_points_inside),
        cmocka_unit_test(cover_adds_up_to_the_area),
        cmocka_unit_test(cover_of_whole_pixels_is_exact),
        cmocka_unit_test(cancel_of_a_line_and_its_reverse),
        cmocka_unit_test(cancel_of_neighbours_leaves_no_seam),
        cmocka_unit_test(window_shows_what_a_larger_one_shows_there),
        cmocka_unit_test(window_of_a_line_far_outside_holds),
        cmocka_unit_test(stroke_of_a_straight_line_is_length_times_width),
        cmocka_unit_test(stroke_of_many_vertices_is_no_fatter),
        cmocka_unit_test(stroke_in_dashes_is_their_share),
        cmocka_unit_test(paint_of_masks_is_cut_at_every_side),
        cmocka_unit_test(paint_over_opaque_stays_opaque),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
