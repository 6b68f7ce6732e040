/* Units of a level.
 *
 * Plan
 *   read_*     every unit once, by id; centroid, area and inside against GEOS
 *   rows_*     the unit of a row is the one that holds its position
 *   parents_*  a cell of a fine mesh lies in the cell of the coarse one
 *   error_*    no such level, and what it says
 *   fault_*    an allocation fails: a status comes back, nothing leaks
 */
#include "tests/engine/city_sample.h"

#include <geos_c.h>
#include <math.h>

#include "data/base/alloc.h"

/* Two levels: a mesh of 8 x 6 and one of 2 x 2 over it, and points. */
#define COLS 8
#define ROWS 6
static struct city_sample city;
static struct mesh fine, coarse;

static struct mesh_plan plan_of(size_t cols, size_t rows, double step)
{
    return (struct mesh_plan){.cols = cols,
                              .rows = rows,
                              .bends = cols == COLS ? 7 : 0,
                              .x = 3.4e9 + 0.7,
                              .y = 1.8e9 + 0.2,
                              .step = step,
                              .seed = 11};
}

/* A unit in two parts with a hole in the larger. */
static void add_odd_unit(struct mesh *m)
{
    const double x = 3.4e9 - 9e6, y = 1.8e9, s = 1e6;
    const double square[] = {x,         y,         x + 4 * s, y,
                             x + 4 * s, y + 4 * s, x,         y + 4 * s};
    const double hole[] = {x + s,     y + s,     x + s,     y + 3 * s,
                           x + 3 * s, y + 3 * s, x + 3 * s, y + s};
    const double other[] = {x + 5 * s, y, x + 6 * s, y, x + 5 * s, y + s};
    for (int i = 0; i < 4; i++)
        mesh_vertex(m, square[2 * i], square[2 * i + 1]);
    mesh_end_ring(m);
    for (int i = 0; i < 4; i++) mesh_vertex(m, hole[2 * i], hole[2 * i + 1]);
    mesh_end_ring(m);
    mesh_end_part(m);
    for (int i = 0; i < 3; i++) mesh_vertex(m, other[2 * i], other[2 * i + 1]);
    mesh_end_ring(m);
    mesh_end_part(m);
    mesh_end_shape(m);
}

static int make_city(void **state)
{
    (void)state;
    const struct mesh_plan small = plan_of(COLS, ROWS, 1e6);
    const struct mesh_plan large = plan_of(2, 2, 4e6);
    mesh_init(&fine, 20000);
    mesh_init(&coarse, 2000);
    mesh_partition(&fine, &small);
    add_odd_unit(&fine);
    mesh_partition(&coarse, &large);
    city_begin(&city);
    city_add_units(&city, "grid", &fine, "G");
    city_add_units(&city, "town", &coarse, "T");
    struct om_pos pos[500];
    uint64_t seed = 3;
    for (size_t i = 0; i < 500; i++)
        pos[i] =
            (struct om_pos){(uint32_t)(3.4e9 + mesh_between(&seed, -1e6, 9e6)),
                            (uint32_t)(1.8e9 + mesh_between(&seed, -1e6, 9e6))};
    city_add_places(&city, "place", pos, 500);
    return 0;
}

static int drop_city(void **state)
{
    (void)state;
    city_end(&city);
    mesh_deinit(&fine);
    mesh_deinit(&coarse);
    return 0;
}

/* A unit's rings as a GEOS polygon. */
static GEOSGeometry *geos_of(const struct om_rings *rings, size_t shape)
{
    GEOSGeometry *part[8];
    unsigned parts = 0;
    for (uint32_t p = rings->shape_part[shape];
         p < rings->shape_part[shape + 1]; p++) {
        GEOSGeometry *ring[8] = {0};
        unsigned n = 0;
        for (uint32_t r = rings->part_ring[p]; r < rings->part_ring[p + 1];
             r++) {
            const uint32_t from = rings->ring_vertex[r];
            const unsigned v = rings->ring_vertex[r + 1] - from;
            GEOSCoordSequence *s = GEOSCoordSeq_create(v + 1, 2);
            for (unsigned i = 0; i <= v; i++)
                GEOSCoordSeq_setXY(s, i, rings->vertex[from + i % v].x,
                                   rings->vertex[from + i % v].y);
            ring[n++] = GEOSGeom_createLinearRing(s);
        }
        part[parts++] = GEOSGeom_createPolygon(ring[0], ring + 1, n - 1);
    }
    return GEOSGeom_createCollection(GEOS_MULTIPOLYGON, part, parts);
}

static void silent(const char *format, ...)
{
    (void)format;
}

static void read_gives_each_unit_once_by_id(void **state)
{
    (void)state;
    struct om_units units;
    assert_int_equal(om_units_read(&city.snapshot, "grid", &units, NULL),
                     OM_OK);
    assert_int_equal(units.count, COLS * ROWS + 1);
    assert_string_equal(units.level, "grid");
    for (size_t i = 0; i < units.count; i++) {
        char id[32], name[32];
        snprintf(id, sizeof id, "G%03zu", i);
        snprintf(name, sizeof name, "Unit %zu", i);
        assert_string_equal(units.unit[i].id, id);
        assert_string_equal(units.unit[i].name, name);
        assert_int_equal(om_units_find(&units, id, strlen(id)), i);
    }
    assert_true(om_units_find(&units, "G", 1) == SIZE_MAX);
    assert_true(om_units_find(&units, "G0000", 5) == SIZE_MAX);
    assert_true(om_units_find(&units, "H", 1) == SIZE_MAX);
    assert_true(om_units_find(&units, "", 0) == SIZE_MAX);
    om_units_deinit(&units);
}

static void read_agrees_with_geos(void **state)
{
    (void)state;
    struct om_units units;
    assert_int_equal(om_units_read(&city.snapshot, "grid", &units, NULL),
                     OM_OK);
    initGEOS(silent, silent);
    for (size_t i = 0; i < units.count; i++) {
        const struct om_unit *u = &units.unit[i];
        GEOSGeometry *polygon = geos_of(&units.rings, u->row);
        GEOSGeometry *centre = GEOSGetCentroid(polygon);
        double x, y, cells;
        GEOSGeomGetX(centre, &x);
        GEOSGeomGetY(centre, &y);
        GEOSArea(polygon, &cells);
        assert_true(fabs(u->x - x) < 0.01 && fabs(u->y - y) < 0.01);
        // Cells to km2 by the scale at its middle; the units are small.
        const double m = om_world_ground_m(u->y);
        assert_true(fabs(u->area_km2 / (cells * m * m * 1e-6) - 1) < 0.01);
        GEOSGeometry *at =
            GEOSGeom_createPointFromXY(u->inside.x + 0.5, u->inside.y + 0.5);
        assert_int_equal(GEOSContains(polygon, at), 1);
        GEOSGeom_destroy(at);
        GEOSGeom_destroy(centre);
        GEOSGeom_destroy(polygon);
    }
    finishGEOS();
    om_units_deinit(&units);
}

static void rows_lie_in_the_unit_that_holds_them(void **state)
{
    (void)state;
    struct om_units units;
    struct om_arena arena = {0};
    struct om_unit_rows rows;
    const struct om_layer *place = om_snapshot_layer(&city.snapshot, "place");
    const uint64_t *key;
    size_t none = 0, some = 0;
    assert_int_equal(om_units_read(&city.snapshot, "grid", &units, NULL),
                     OM_OK);
    assert_int_equal(om_units_rows(&units, place, 0, &arena, &rows), OM_OK);
    assert_int_equal(om_segment_keys(place->part[0].segment, 0, 500, &key),
                     OM_OK);
    for (size_t r = 0; r < 500; r++) {
        const uint32_t u = om_unit_of_row(&rows, r);
        uint32_t want = OM_NO_UNIT;
        for (uint32_t i = 0; i < units.count; i++)
            if (om_rings_contain(&units.rings, units.unit[i].row,
                                 om_morton_pos(key[r])))
                want = i;
        assert_int_equal(u, want);
        if (u == OM_NO_UNIT)
            none++;
        else
            some++;
    }
    assert_true(none > 50 && some > 100);
    assert_int_equal(
        om_units_rows(&units, om_snapshot_layer(&city.snapshot, "town"), 0,
                      &arena, &rows),
        OM_E_NOTFOUND);
    om_arena_deinit(&arena);
    om_units_deinit(&units);
}

static void parents_hold_their_units(void **state)
{
    (void)state;
    struct om_units grids, towns;
    assert_int_equal(om_units_read(&city.snapshot, "grid", &grids, NULL),
                     OM_OK);
    assert_int_equal(om_units_read(&city.snapshot, "town", &towns, NULL),
                     OM_OK);
    uint32_t parent[COLS * ROWS + 1];
    assert_int_equal(om_units_parents(&grids, &towns, parent), OM_OK);
    for (size_t i = 0; i < grids.count; i++) {
        uint32_t want = OM_NO_UNIT;
        for (uint32_t t = 0; t < towns.count; t++)
            if (om_rings_contain(&towns.rings, towns.unit[t].row,
                                 grids.unit[i].inside))
                want = t;
        assert_int_equal(parent[i], want);
    }
    // Well inside the four, and the odd one outside.
    assert_string_equal(towns.unit[parent[0]].id, "T000");
    assert_string_equal(towns.unit[parent[COLS - 1]].id, "T001");
    assert_int_equal(parent[COLS * ROWS], OM_NO_UNIT);
    om_units_deinit(&grids);
    om_units_deinit(&towns);
}

static void error_names_the_levels_there_are(void **state)
{
    (void)state;
    struct om_units units;
    struct om_err err = {0};
    assert_int_equal(om_units_read(&city.snapshot, "ward", &units, &err),
                     OM_E_NOTFOUND);
    assert_non_null(strstr(err.text, "'ward'"));
    assert_non_null(strstr(err.text, "grid, town"));
    // Layers of rows have no level, and an empty name is none.
    assert_int_equal(om_units_read(&city.snapshot, "", &units, &err),
                     OM_E_NOTFOUND);
    assert_int_equal(om_units_read(&city.snapshot, "place", &units, &err),
                     OM_E_NOTFOUND);
}

static void fault_leaves_nothing(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_units units = {0}, towns = {0};
        uint32_t parent[COLS * ROWS + 1];
        om_alloc_fail_after(n, false);
        om_status st = om_units_read(&city.snapshot, "grid", &units, NULL);
        if (!st) st = om_units_read(&city.snapshot, "town", &towns, NULL);
        if (!st) st = om_units_parents(&units, &towns, parent);
        om_alloc_fail_after(0, false);
        om_units_deinit(&units);
        om_units_deinit(&towns);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_gives_each_unit_once_by_id),
        cmocka_unit_test(read_agrees_with_geos),
        cmocka_unit_test(rows_lie_in_the_unit_that_holds_them),
        cmocka_unit_test(parents_hold_their_units),
        cmocka_unit_test(error_names_the_levels_there_are),
        cmocka_unit_test(fault_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
