/* Positions on the 2^32 grid.
 *
 * Plan
 *   grid_*    against PROJ's web mercator, tiles and corners
 *   back_*    a position returns to its own cell
 *   morton_*  codes are interleaved bits, and invert
 *   error_*   what is not on the map
 */
#include <math.h>
#include <proj.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/model/pos.h"

static void grid_is_web_mercator_as_proj_has_it(void **state)
{
    (void)state;
    PJ_CONTEXT *context = proj_context_create();
    PJ *raw = proj_create_crs_to_crs(context, "OGC:CRS84", "EPSG:3857", NULL);
    PJ *pj = proj_normalize_for_visualization(context, raw);
    for (double lon = -180; lon <= 180; lon += 7.3)
        for (double lat = -85; lat <= 85; lat += 3.1) {
            double x, y;
            assert_int_equal(om_pos_world(lon, lat, &x, &y), OM_OK);
            const PJ_COORD in = {.xy = {lon, lat}};
            const PJ_COORD m = proj_trans(pj, PJ_FWD, in);
            const double half_m = OM_MERCATOR_SIDE_M / 2;
            // A micrometre: a ten-thousandth of a cell.
            assert_true(fabs(x * OM_POS_CELL_M - half_m - m.xy.x) < 1e-6);
            assert_true(fabs(half_m - y * OM_POS_CELL_M - m.xy.y) < 1e-6);
        }
    proj_destroy(pj);
    proj_destroy(raw);
    proj_context_destroy(context);
}

static void grid_has_its_corners(void **state)
{
    (void)state;
    const double top_deg = atan(sinh(OM_PI)) * OM_DEG_PER_RAD;
    struct om_pos pos;
    assert_int_equal(om_pos_from_lonlat(-180, top_deg - 1e-9, &pos), OM_OK);
    assert_true(pos.x == 0 && pos.y == 0);
    assert_int_equal(om_pos_from_lonlat(180, -top_deg + 1e-9, &pos), OM_OK);
    assert_true(pos.x == UINT32_MAX && pos.y == UINT32_MAX);
    assert_int_equal(om_pos_from_lonlat(0, 0, &pos), OM_OK);
    assert_true(pos.x == 1u << 31 && pos.y == 1u << 31);
    // Dongguan's tile at z10: x = floor((113.75 + 180) / 360 * 1024).
    assert_int_equal(om_pos_from_lonlat(113.75, 23.02, &pos), OM_OK);
    assert_int_equal(pos.x >> 22, 835);
    assert_int_equal(pos.y >> 22, 444);
}

static void back_is_the_same_cell(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (int i = 0; i < 100000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const struct om_pos pos = {(uint32_t)(seed >> 32), (uint32_t)seed};
        double lon, lat;
        struct om_pos again;
        om_pos_to_lonlat(pos, &lon, &lat);
        assert_int_equal(om_pos_from_lonlat(lon, lat, &again), OM_OK);
        assert_true(again.x == pos.x && again.y == pos.y);
    }
}

static void morton_interleaves_and_inverts(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int i = 0; i < 10000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const struct om_pos pos = {(uint32_t)(seed >> 32), (uint32_t)seed};
        uint64_t code = 0;
        for (unsigned bit = 0; bit < 32; bit++) {
            code |= (uint64_t)(pos.x >> bit & 1) << (2 * bit);
            code |= (uint64_t)(pos.y >> bit & 1) << (2 * bit + 1);
        }
        assert_true(om_morton(pos) == code);
        const struct om_pos back = om_morton_pos(code);
        assert_true(back.x == pos.x && back.y == pos.y);
    }
}

static void error_is_what_is_not_on_the_map(void **state)
{
    (void)state;
    static const double BAD[][2] = {
        {NAN, 0}, {0, NAN}, {INFINITY, 0}, {181, 0},   {-180.1, 0},
        {0, 86},  {0, -90}, {0, 90},       {0, 1e300}, {1e300, 0}};
    struct om_pos pos = {7, 7};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(om_pos_from_lonlat(BAD[i][0], BAD[i][1], &pos),
                         OM_E_COORD);
    assert_true(pos.x == 7 && pos.y == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_is_web_mercator_as_proj_has_it),
        cmocka_unit_test(grid_has_its_corners),
        cmocka_unit_test(back_is_the_same_cell),
        cmocka_unit_test(morton_interleaves_and_inverts),
        cmocka_unit_test(error_is_what_is_not_on_the_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
