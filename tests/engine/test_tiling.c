/* Squares and hexagons.
 *
 * Plan
 *   cell_*     every place lies in exactly one cell, the one that GEOS says
 *   area_*     cells of an area are those that meet it (GEOS), of a box those
 *              that meet the box
 *   absolute_* the same cells whatever is asked; ground size
 *   graph_*    neighbours share corners, or sides
 *   odd_*      sizes that cannot be, too many cells, nothing
 *   fault_*    an allocation fails
 */
#include <geos_c.h>
#include <math.h>

#include "data/model/earth.h"
#include "engine/stat/tiling.h"
#include "tests/engine/city_sample.h"
#include "tests/engine/stat_sample.h"

static struct city_sample city;
static struct mesh mesh;
static struct om_units units;
static const enum om_tile_shape SHAPE[] = {OM_SHAPE_SQUARE, OM_SHAPE_HEXAGON};

static void silent(const char *format, ...)
{
    (void)format;
}

static int make_city(void **state)
{
    (void)state;
    const struct mesh_plan plan = {.cols = 4,
                                   .rows = 3,
                                   .bends = 5,
                                   .x = 3.5e9,
                                   .y = 1.86e9,
                                   .step = 3e5,
                                   .seed = 9};
    mesh_init(&mesh, 20000);
    mesh_partition(&mesh, &plan);
    // An exclave with a hole larger than cells, and a needle.
    const double x = 3.5e9 + 1.6e6, y = 1.86e9;
    const double outer[] = {x, y, x + 4e5, y, x + 4e5, y + 4e5, x, y + 4e5};
    const double hole[] = {x + 5e4,   y + 5e4,   x + 5e4,   y + 3.5e5,
                           x + 3.5e5, y + 3.5e5, x + 3.5e5, y + 5e4};
    for (int i = 0; i < 4; i++)
        mesh_vertex(&mesh, outer[2 * i], outer[2 * i + 1]);
    mesh_end_ring(&mesh);
    for (int i = 0; i < 4; i++)
        mesh_vertex(&mesh, hole[2 * i], hole[2 * i + 1]);
    mesh_end_ring(&mesh);
    mesh_end_part(&mesh);
    mesh_end_shape(&mesh);
    const double needle[] = {x,       y + 6e5,       x + 5e5, y + 6e5 + 100,
                             x + 5e5, y + 6e5 + 300, x,       y + 6e5 + 50};
    mesh_polygon(&mesh, 4, needle);
    city_begin(&city);
    city_add_units(&city, "grid", &mesh, "G");
    initGEOS(silent, silent);
    return om_units_read(&city.snapshot, "grid", &units, NULL);
}

static int drop_city(void **state)
{
    (void)state;
    om_units_deinit(&units);
    city_end(&city);
    mesh_deinit(&mesh);
    finishGEOS();
    return 0;
}

static GEOSGeometry *ring_of(const struct om_pos *v, unsigned n)
{
    GEOSCoordSequence *s = GEOSCoordSeq_create(n + 1, 2);
    for (unsigned i = 0; i <= n; i++)
        GEOSCoordSeq_setXY(s, i, v[i % n].x, v[i % n].y);
    return GEOSGeom_createLinearRing(s);
}

static GEOSGeometry *unit_polygon(size_t unit)
{
    const struct om_rings *r = &units.rings;
    GEOSGeometry *ring[4];
    unsigned n = 0;
    const uint32_t first = r->part_ring[r->shape_part[units.unit[unit].row]];
    const uint32_t end = r->part_ring[r->shape_part[units.unit[unit].row] + 1];
    for (uint32_t k = first; k < end; k++)
        ring[n++] = ring_of(r->vertex + r->ring_vertex[k],
                            r->ring_vertex[k + 1] - r->ring_vertex[k]);
    return GEOSGeom_createPolygon(ring[0], ring + 1, n - 1);
}

static GEOSGeometry *cell_polygon(const struct om_tiling *t, int64_t col,
                                  int64_t row)
{
    double x[6], y[6];
    const unsigned n = (unsigned)om_tiling_corners(t, col, row, x, y);
    GEOSCoordSequence *s = GEOSCoordSeq_create(n + 1, 2);
    for (unsigned i = 0; i <= n; i++)
        GEOSCoordSeq_setXY(s, i, x[i % n], y[i % n]);
    return GEOSGeom_createPolygon(GEOSGeom_createLinearRing(s), NULL, 0);
}

static void cell_holds_its_places(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int k = 0; k < 2; k++) {
        struct om_tiling t;
        assert_int_equal(om_tiling_of_units(SHAPE[k], 700, &units, &t), OM_OK);
        for (size_t i = 0; i < test_rounds(3000); i++) {
            const double px = 3.5e9 + mesh_between(&seed, 0, 1e6);
            const double py = 1.86e9 + mesh_between(&seed, 0, 1e6);
            int64_t col, row;
            om_tiling_cell(&t, px, py, &col, &row);
            GEOSCoordSequence *s = GEOSCoordSeq_create(1, 2);
            GEOSCoordSeq_setXY(s, 0, px, py);
            GEOSGeometry *point = GEOSGeom_createPoint(s);
            size_t holders = 0;
            for (int64_t r = row - 1; r <= row + 1; r++)
                for (int64_t c = col - 1; c <= col + 1; c++) {
                    GEOSGeometry *cell = cell_polygon(&t, c, r);
                    if (GEOSIntersects(cell, point)) {
                        holders++;
                        assert_true(c == col && r == row);
                    }
                    GEOSGeom_destroy(cell);
                }
            assert_int_equal(holders, 1);
            GEOSGeom_destroy(point);
        }
        om_tiling_deinit(&t);
    }
}

/* Area of what a cell and the city have in common, and of the cell. */
static void area_is_what_geos_says(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct om_tiling t;
        assert_int_equal(om_tiling_of_units(SHAPE[k], 350, &units, &t), OM_OK);
        size_t inside = 0, listed = 0;
        double most = 0;
        for (size_t u = 0; u < units.count; u++) {
            GEOSGeometry *unit = unit_polygon(u);
            for (size_t at = 0; at < t.cols * t.rows; at++) {
                const int64_t col = t.col0 + (int64_t)(at % t.cols);
                const int64_t row = t.row0 + (int64_t)(at / t.cols);
                double area = 0;
                GEOSGeometry *cell = cell_polygon(&t, col, row);
                if (GEOSIntersects(cell, unit)) {
                    GEOSGeometry *both = GEOSIntersection(cell, unit);
                    GEOSArea(both, &area);
                    GEOSGeom_destroy(both);
                }
                if (area > 1 && om_tiling_at(&t, col, row) == OM_NO_UNIT)
                    fail_msg("cell %lld %lld is missing", (long long)col,
                             (long long)row);
                inside += area > 1;
                most += area;
                GEOSGeom_destroy(cell);
            }
            GEOSGeom_destroy(unit);
        }
        // And none that meets no unit.
        for (size_t i = 0; i < t.count; i++) {
            int64_t col, row;
            om_tiling_place(&t, i, &col, &row);
            assert_int_equal(om_tiling_at(&t, col, row), i);
            GEOSGeometry *cell = cell_polygon(&t, col, row);
            bool meets = false;
            for (size_t u = 0; u < units.count && !meets; u++) {
                GEOSGeometry *unit = unit_polygon(u);
                meets = GEOSIntersects(cell, unit);
                GEOSGeom_destroy(unit);
            }
            assert_true(meets);
            listed++;
            GEOSGeom_destroy(cell);
        }
        assert_true(inside >= listed && listed > 300);
        om_tiling_deinit(&t);
    }
}

static void area_of_a_box(void **state)
{
    (void)state;
    const struct om_box box = {3500000000u, 1860000000u, 3500200000u,
                               1860100000u};
    for (int k = 0; k < 2; k++) {
        struct om_tiling t;
        uint64_t seed = 1;
        assert_int_equal(om_tiling_of_box(SHAPE[k], 100, box, &t), OM_OK);
        for (size_t i = 0; i < 2000; i++) {
            int64_t col, row;
            om_tiling_cell(&t, mesh_between(&seed, box.x0, box.x1),
                           mesh_between(&seed, box.y0, box.y1), &col, &row);
            assert_true(om_tiling_at(&t, col, row) != OM_NO_UNIT);
        }
        const double cells =
            200000.0 * 100000.0 / (t.side * t.side) / (k ? sqrt(3) / 2 : 1);
        assert_true(t.count > cells && (double)t.count < cells * 1.4);
        om_tiling_deinit(&t);
    }
}

static void absolute_whatever_is_asked(void **state)
{
    (void)state;
    const struct om_box a = {3500000000u, 1860000000u, 3500200000u,
                             1860100000u};
    const struct om_box b = {3500050000u, 1860020000u, 3500900000u,
                             1860070000u};
    for (int k = 0; k < 2; k++) {
        struct om_tiling ta, tb;
        assert_int_equal(om_tiling_of_box(SHAPE[k], 120, a, &ta), OM_OK);
        assert_int_equal(om_tiling_of_box(SHAPE[k], 120, b, &tb), OM_OK);
        int64_t col[2], row[2];
        om_tiling_cell(&ta, 3500100000.5, 1860050000.5, &col[0], &row[0]);
        om_tiling_cell(&tb, 3500100000.5, 1860050000.5, &col[1], &row[1]);
        assert_true(col[0] == col[1] && row[0] == row[1]);
        // A cell is as wide on the ground as it says, within 1 %.
        const double wide_m = ta.side * om_world_ground_m(1860050000.0);
        assert_true(fabs(wide_m / 120 - 1) < 0.01);
        assert_true(ta.latitude_deg == 23);
        om_tiling_deinit(&ta);
        om_tiling_deinit(&tb);
    }
}

static void graph_shares_corners_or_sides(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++)
        for (int touch = 0; touch < 2; touch++) {
            struct om_tiling t;
            struct om_graph g;
            assert_int_equal(om_tiling_of_units(SHAPE[k], 500, &units, &t),
                             OM_OK);
            assert_int_equal(om_graph_tiling(&t, (enum om_touch)touch, &g),
                             OM_OK);
            bool *link = matrix_of(&g);
            const double step = t.side;
            for (size_t i = 0; i < t.count; i++)
                for (size_t j = 0; j < t.count; j++) {
                    int64_t c[2], r[2];
                    double x[2], y[2];
                    if (i == j) continue;
                    om_tiling_place(&t, i, &c[0], &r[0]);
                    om_tiling_place(&t, j, &c[1], &r[1]);
                    om_tiling_middle(&t, c[0], r[0], &x[0], &y[0]);
                    om_tiling_middle(&t, c[1], r[1], &x[1], &y[1]);
                    const double d = hypot(x[0] - x[1], y[0] - y[1]) / step;
                    const bool near = d < (k || touch ? 1.1 : 1.5);
                    assert_int_equal(link[i * t.count + j], near);
                }
            free(link);
            om_graph_deinit(&g);
            om_tiling_deinit(&t);
        }
}

static void odd_sizes(void **state)
{
    (void)state;
    static const double BAD[] = {0, -5, NAN, INFINITY, 0.5, 1e9};
    struct om_tiling t;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(
            om_tiling_of_units(OM_SHAPE_HEXAGON, BAD[i], &units, &t),
            OM_E_RANGE);
    assert_int_equal(om_tiling_of_units(OM_SHAPE_SQUARE, 1, &units, &t),
                     OM_E_COST);
    assert_null(t.number);
    // One cell over all.
    assert_int_equal(om_tiling_of_units(OM_SHAPE_SQUARE, 1e5, &units, &t),
                     OM_OK);
    assert_true(t.count >= 1 && t.count <= 4);
    om_tiling_deinit(&t);
    const struct om_units none = {0};
    struct om_graph g;
    assert_int_equal(om_tiling_of_units(OM_SHAPE_SQUARE, 100, &none, &t),
                     OM_OK);
    assert_int_equal(t.count, 0);
    assert_int_equal(om_graph_tiling(&t, OM_TOUCH_SIDE, &g), OM_OK);
    om_graph_deinit(&g);
    om_tiling_deinit(&t);
    assert_int_equal(om_tiling_of_box(OM_SHAPE_HEXAGON, 100, OM_BOX_NONE, &t),
                     OM_OK);
    assert_int_equal(t.count, 0);
    om_tiling_deinit(&t);
    // Corners of the world.
    const struct om_box whole = {0, 0, UINT32_MAX, UINT32_MAX};
    assert_int_equal(om_tiling_of_box(OM_SHAPE_HEXAGON, 1e5, whole, &t), OM_OK);
    assert_true(t.count > 100000);
    om_tiling_deinit(&t);
}

static void fault_memory(void **state)
{
    (void)state;
    const size_t live = om_alloc_live();
    for (size_t k = 1; k < 400; k++) {
        struct om_tiling t = {0};
        struct om_graph g = {0};
        om_alloc_fail_after(k, false);
        om_status st = om_tiling_of_units(OM_SHAPE_HEXAGON, 400, &units, &t);
        if (!st) st = om_graph_tiling(&t, OM_TOUCH_SIDE, &g);
        om_alloc_fail_after(0, false);
        om_graph_deinit(&g);
        om_tiling_deinit(&t);
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail_msg("never enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cell_holds_its_places),
        cmocka_unit_test(area_is_what_geos_says),
        cmocka_unit_test(area_of_a_box),
        cmocka_unit_test(absolute_whatever_is_asked),
        cmocka_unit_test(graph_shares_corners_or_sides),
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(fault_memory),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
