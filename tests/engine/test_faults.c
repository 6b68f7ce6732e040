// test_faults.c - gaps, overlaps and contradictions between units, as polygons.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <geos_c.h>

#include "data/base/alloc.h"
#include "data/model/earth.h"
#include "engine/shape/area.h"
#include "engine/shape/faults.h"
#include "tests/engine/mesh.h"
#include "tests/rounds.h"

/* Plan
 *   sound_*     partitions, holes that are filled, islands, exclaves: no fault
 *   planted_*   faults of known place, units and area
 *   random_*    GEOS: all pairs intersected, all united
 *   between_*   units that leave their parents, parents not covered
 *   fault_*     failing allocations
 */

/* Cells; far from the origin, so that doubles must be moved to keep digits. */
#define X 3.4e9
#define Y 1.8e9

struct world {
    struct mesh mesh;
    struct om_arena arena;
    struct om_rings rings;
};

static struct world begin(void)
{
    struct world w = {0};
    mesh_init(&w.mesh, 60000);
    return w;
}

static void settle(struct world *w, bool shared)
{
    struct om_shape_note *note = calloc(w->mesh.count + 1, sizeof *note);
    const struct om_shapes view = mesh_view(&w->mesh);
    assert_int_equal(om_shapes_settle(&view, OM_GEOMETRY_POLYGON, shared,
                                      &w->arena, &w->rings, note),
                     OM_OK);
    free(note);
}

static void end(struct world *w)
{
    mesh_deinit(&w->mesh);
    om_arena_deinit(&w->arena);
}

static void ring(struct world *w, double x0, double y0, double x1, double y1)
{
    mesh_vertex(&w->mesh, X + x0, Y + y0);
    mesh_vertex(&w->mesh, X + x1, Y + y0);
    mesh_vertex(&w->mesh, X + x1, Y + y1);
    mesh_vertex(&w->mesh, X + x0, Y + y1);
    mesh_end_ring(&w->mesh);
}

static void part(struct world *w, double x0, double y0, double x1, double y1)
{
    ring(w, x0, y0, x1, y1);
    mesh_end_part(&w->mesh);
}

static void box(struct world *w, double x0, double y0, double x1, double y1)
{
    part(w, x0, y0, x1, y1);
    mesh_end_shape(&w->mesh);
}

/* Ground area of a box, m2. */
static double box_m2(double x0, double y0, double x1, double y1)
{
    const struct om__xy v[] = {
        {X + x0, Y + y0}, {X + x1, Y + y0}, {X + x1, Y + y1}, {X + x0, Y + y1}};
    return om__ring_area_km2(v, 4) * 1e6;
}

static struct om_faults find(const struct world *w)
{
    struct om_faults f;
    assert_int_equal(om_faults_find(&w->rings, &f), OM_OK);
    return f;
}

static void near(double got, double wanted, double relative)
{
    if (fabs(got - wanted) <= relative * fabs(wanted)) return;
    print_error("%.17g is not %.17g\n", got, wanted);
    fail();
}

static void check_units(const struct om_fault *f, size_t n,
                        const uint32_t *unit)
{
    assert_int_equal(f->units, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(f->unit[i], unit[i]);
}

/* --- sound ------------------------------------------------------------- */

static void sound_partitions_have_no_fault(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        const struct mesh_plan plan = {.cols = 7,
                                       .rows = 6,
                                       .bends = 5,
                                       .x = X,
                                       .y = Y,
                                       .step = 4e4,
                                       .t_junctions = seed % 2 == 0,
                                       .seed = seed};
        struct world w = begin();
        mesh_partition(&w.mesh, &plan);
        settle(&w, true);
        struct om_faults f = find(&w);
        assert_int_equal(f.count, 0);
        om_faults_deinit(&f);
        end(&w);
    }
}

/* A unit with a hole that another fills, one of two parts around a third, and
 * an island: as real towns are. */
static void sound_holes_parts_and_islands(void **state)
{
    (void)state;
    struct world w = begin();
    ring(&w, 0, 0, 9000, 9000);
    ring(&w, 3000, 3000, 6000, 6000);
    mesh_end_part(&w.mesh);
    mesh_end_shape(&w.mesh);
    part(&w, 3000, 3000, 4000, 6000);
    part(&w, 5000, 3000, 6000, 6000);
    mesh_end_shape(&w.mesh);
    box(&w, 4000, 3000, 5000, 6000);
    box(&w, 20000, 0, 21000, 1000);
    settle(&w, true);
    struct om_faults f = find(&w);
    assert_int_equal(f.count, 0);
    om_faults_deinit(&f);
    end(&w);
}

static void sound_nothing_and_one(void **state)
{
    (void)state;
    struct world w = begin();
    settle(&w, true);
    struct om_faults f = find(&w);
    assert_int_equal(f.count, 0);
    om_faults_deinit(&f);
    end(&w);
    w = begin();
    box(&w, 0, 0, 10, 10);
    settle(&w, true);
    f = find(&w);
    assert_int_equal(f.count, 0);
    om_faults_deinit(&f);
    end(&w);
}

/* --- planted ----------------------------------------------------------- */

/* Take a cell out of a partition: what is missing is the gap. */
static void planted_gap_is_the_missing_unit(void **state)
{
    (void)state;
    const struct mesh_plan plan = {.cols = 5,
                                   .rows = 5,
                                   .bends = 4,
                                   .x = X,
                                   .y = Y,
                                   .step = 5e4,
                                   .seed = 11};
    struct world all = begin(), w = begin();
    mesh_partition(&all.mesh, &plan);
    settle(&all, true);
    const size_t missing = 12;  // in the middle
    for (size_t s = 0; s < all.rings.count; s++) {
        const struct om_rings *r = &all.rings;
        if (s == missing) continue;
        const uint32_t k = r->part_ring[r->shape_part[s]];
        for (uint32_t v = r->ring_vertex[k]; v < r->ring_vertex[k + 1]; v++)
            mesh_vertex(&w.mesh, r->vertex[v].x, r->vertex[v].y);
        mesh_end_ring(&w.mesh);
        mesh_end_part(&w.mesh);
        mesh_end_shape(&w.mesh);
    }
    settle(&w, true);
    struct om_faults f = find(&w);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.fault[0].kind, OM_FAULT_GAP);
    near(f.fault[0].area_m2, om_rings_area_km2(&all.rings, missing) * 1e6,
         1e-12);
    const uint32_t around[] = {6, 7, 8, 11, 12, 15, 16, 17};
    check_units(&f.fault[0], 8, around);
    // No vertex has been moved.
    for (uint32_t v = 0; v < f.shapes.ring_vertex[1]; v++) {
        assert_true(f.shapes.x[v] == floor(f.shapes.x[v]));
        assert_true(f.shapes.y[v] == floor(f.shapes.y[v]));
    }
    om_faults_deinit(&f);
    end(&all);
    end(&w);
}

static void planted_overlap_and_sliver(void **state)
{
    (void)state;
    struct world w = begin();
    box(&w, 0, 0, 50000, 30000);
    box(&w, 49997, 0, 90000, 30000);  // 3 cells too far west
    box(&w, 0, 30000, 50000, 60000);
    box(&w, 50000, 29000, 90000, 60000);  // 1000 cells too far north
    settle(&w, false);
    struct om_faults f = find(&w);
    assert_int_equal(f.count, 2);
    near(f.fault[0].area_m2, box_m2(50000, 29000, 90000, 30000), 1e-9);
    check_units(&f.fault[0], 2, (const uint32_t[]){1, 3});
    near(f.fault[1].area_m2, box_m2(49997, 0, 50000, 30000), 1e-9);
    check_units(&f.fault[1], 2, (const uint32_t[]){0, 1});
    const double cell_m = om_world_ground_m(Y);
    near(f.fault[1].width_m, 3 * cell_m, 0.01);
    near(f.fault[1].perimeter_m, 2 * 30003 * cell_m, 0.01);
    om_faults_deinit(&f);
    end(&w);
}

static void planted_nested_twice_and_thrice(void **state)
{
    (void)state;
    struct world w = begin();
    box(&w, 0, 0, 9000, 9000);
    box(&w, 1000, 1000, 2000, 2000);  // nested, no hole for it
    box(&w, 5000, 5000, 8000, 8000);  // nested, and
    box(&w, 5000, 5000, 8000, 8000);  // the same once more
    settle(&w, false);
    struct om_faults f = find(&w);
    assert_int_equal(f.count, 4);
    const double large = box_m2(5000, 5000, 8000, 8000);
    const uint32_t pair[][2] = {{0, 2}, {0, 3}, {2, 3}};
    for (int i = 0; i < 3; i++) {
        near(f.fault[i].area_m2, large, 1e-9);
        check_units(&f.fault[i], 2, pair[i]);
    }
    near(f.fault[3].area_m2, box_m2(1000, 1000, 2000, 2000), 1e-9);
    check_units(&f.fault[3], 2, (const uint32_t[]){0, 1});
    om_faults_deinit(&f);
    end(&w);
}

/* A whole tiling over another: no inner edge is left over, and still every
 * unit overlaps. */
static void planted_tiling_over_tiling(void **state)
{
    (void)state;
    struct world w = begin();
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                box(&w, 1000 * i, 1000 * j, 1000 * (i + 1), 1000 * (j + 1));
    settle(&w, true);
    struct om_faults f = find(&w);
    assert_int_equal(f.count, 16);
    double sum = 0;
    for (size_t i = 0; i < f.count; i++) {
        assert_int_equal(f.fault[i].unit[1] - f.fault[i].unit[0], 16);
        sum += f.fault[i].area_m2;
    }
    near(sum, box_m2(0, 0, 4000, 4000), 1e-9);
    om_faults_deinit(&f);
    end(&w);
}

/* --- random ------------------------------------------------------------ */

static GEOSGeometry *geos_of(const struct om_rings *r, size_t shape)
{
    GEOSGeometry *polygon[64], *hole[64];
    unsigned parts = 0;
    for (uint32_t p = r->shape_part[shape]; p < r->shape_part[shape + 1]; p++) {
        GEOSGeometry *shell = NULL;
        unsigned holes = 0;
        for (uint32_t k = r->part_ring[p]; k < r->part_ring[p + 1]; k++) {
            const uint32_t from = r->ring_vertex[k];
            const uint32_t n = r->ring_vertex[k + 1] - from;
            GEOSCoordSequence *seq = GEOSCoordSeq_create(n + 1, 2);
            for (uint32_t i = 0; i <= n; i++)
                GEOSCoordSeq_setXY(seq, i, r->vertex[from + i % n].x - X,
                                   r->vertex[from + i % n].y - Y);
            GEOSGeometry *linear = GEOSGeom_createLinearRing(seq);
            if (k == r->part_ring[p])
                shell = linear;
            else
                hole[holes++] = linear;
        }
        polygon[parts++] = GEOSGeom_createPolygon(shell, hole, holes);
    }
    return GEOSGeom_createCollection(GEOS_MULTIPOLYGON, polygon, parts);
}

/* Areas in cells: what is compared with GEOS, which knows no ellipsoid. */
static double shape_cells(const struct om_shapes *s, size_t shape)
{
    double sum = 0;
    const uint32_t p = s->shape_part[shape];
    for (uint32_t r = s->part_ring[p]; r < s->part_ring[p + 1]; r++) {
        double twice = 0;
        const uint32_t from = s->ring_vertex[r], to = s->ring_vertex[r + 1];
        for (uint32_t i = from, j = to - 1; i < to; j = i++)
            twice +=
                (s->x[j] - X) * (s->y[i] - Y) - (s->x[i] - X) * (s->y[j] - Y);
        sum += (r == s->part_ring[p] ? 1 : -1) * fabs(twice) / 2;
    }
    return sum;
}

/* What the union encloses, be it by parts that touch at a point only, and does
 * not fill: all faces of its border less itself. */
static double hole_cells(const GEOSGeometry *whole)
{
    double all, own;
    GEOSGeometry *border = GEOSBoundary(whole);
    GEOSGeometry *noded = GEOSUnaryUnion(border);
    const GEOSGeometry *const lines[] = {noded};
    GEOSGeometry *faces = GEOSPolygonize(lines, 1);
    GEOSArea(faces, &all);
    GEOSArea(whole, &own);
    GEOSGeom_destroy(faces);
    GEOSGeom_destroy(noded);
    GEOSGeom_destroy(border);
    return all - own;
}

static struct world random_world(uint64_t seed, size_t count, double side)
{
    struct world w = begin();
    for (size_t i = 0; i < count; i++) {
        const size_t n = 3 + mesh_random(&seed) % 6;
        const double x = mesh_between(&seed, 0, side);
        const double y = mesh_between(&seed, 0, side);
        const double size = side * mesh_between(&seed, 0.05, 0.6);
        for (size_t k = 0; k < n; k++)
            mesh_vertex(&w.mesh, X + x + mesh_between(&seed, 0, size),
                        Y + y + mesh_between(&seed, 0, size));
        mesh_end_ring(&w.mesh);
        mesh_end_part(&w.mesh);
        mesh_end_shape(&w.mesh);
    }
    settle(&w, seed % 2 == 0);
    return w;
}

static void random_agrees_with_geos(void **state)
{
    (void)state;
    const size_t rounds = test_rounds(25);
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        const double side = seed % 3 ? 3000 : 3e6;
        struct world w = random_world(seed, 3 + seed % 9, side);
        const size_t n = w.rings.count;
        GEOSGeometry *shape[16], *copy[16];
        for (size_t i = 0; i < n; i++) {
            shape[i] = geos_of(&w.rings, i);
            copy[i] = GEOSGeom_clone(shape[i]);
        }
        GEOSGeometry *all = GEOSGeom_createCollection(GEOS_GEOMETRYCOLLECTION,
                                                      copy, (unsigned)n);
        GEOSGeometry *whole = GEOSUnaryUnion(all);
        double pairs = 0, area;
        for (size_t i = 0; i < n; i++)
            for (size_t k = i + 1; k < n; k++) {
                GEOSGeometry *both = GEOSIntersection(shape[i], shape[k]);
                GEOSArea(both, &area);
                pairs += area;
                GEOSGeom_destroy(both);
            }
        struct om_faults f = find(&w);
        double gaps = 0, overlaps = 0;
        for (size_t i = 0; i < f.count; i++)
            *(f.fault[i].kind == OM_FAULT_GAP ? &gaps : &overlaps) +=
                shape_cells(&f.shapes, i);
        // What is left out as noise is below a hundredth of a cell each.
        assert_true(fabs(overlaps - pairs) <= 1e-9 * pairs + 0.5);
        const double holes = hole_cells(whole);
        assert_true(fabs(gaps - holes) <= 1e-9 * holes + 0.5);
        om_faults_deinit(&f);
        GEOSGeom_destroy(whole);
        GEOSGeom_destroy(all);
        for (size_t i = 0; i < n; i++) GEOSGeom_destroy(shape[i]);
        end(&w);
    }
}

/* --- between levels ---------------------------------------------------- */

/* Two parents side by side, 10,000 cells each; four children in a row. */
static struct world two_parents(void)
{
    struct world w = begin();
    box(&w, 0, 0, 10000, 5000);
    box(&w, 10000, 0, 20000, 5000);
    settle(&w, true);
    return w;
}

static void between_agrees_where_children_fill_parents(void **state)
{
    (void)state;
    struct world upper = two_parents(), lower = begin();
    for (int i = 0; i < 4; i++) box(&lower, 5000 * i, 0, 5000 * (i + 1), 5000);
    settle(&lower, true);
    const uint32_t parent[] = {0, 0, 1, 1};
    struct om_faults f;
    assert_int_equal(
        om_faults_between(&lower.rings, &upper.rings, parent, 0.02, &f), OM_OK);
    assert_int_equal(f.count, 0);
    om_faults_deinit(&f);
    end(&upper);
    end(&lower);
}

static void between_finds_crossing_and_uncovered(void **state)
{
    (void)state;
    struct world upper = two_parents(), lower = begin();
    box(&lower, 0, 0, 5000, 5000);
    box(&lower, 5000, 0, 10400, 5000);  // 400 into the other parent
    box(&lower, 10400, 0, 15000, 5000);
    box(&lower, 15000, 0, 20000, 4000);  // the last 1000 are in none
    settle(&lower, true);
    const uint32_t parent[] = {0, 0, 1, 1};
    struct om_faults f;
    assert_int_equal(
        om_faults_between(&lower.rings, &upper.rings, parent, 0.02, &f), OM_OK);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.fault[0].kind, OM_FAULT_OUTSIDE);
    near(f.fault[0].area_m2, box_m2(10000, 0, 10400, 5000), 1e-9);
    check_units(&f.fault[0], 2, (const uint32_t[]){1, 0});
    assert_int_equal(f.fault[1].kind, OM_FAULT_UNCOVERED);
    near(f.fault[1].area_m2, box_m2(15000, 4000, 20000, 5000), 1e-9);
    check_units(&f.fault[1], 1, (const uint32_t[]){1});
    om_faults_deinit(&f);
    end(&upper);
    end(&lower);
}

/* Levels are rounded on their own: a bend of a cell is no contradiction, a
 * bend of twenty is one. */
static void between_leaves_out_what_is_thinner_than_the_slack(void **state)
{
    (void)state;
    for (int bend = 1; bend <= 20; bend += 19) {
        struct world upper = two_parents(), lower = begin();
        const double left[] = {
            X,        Y,         X + 10000, Y, X + 10000 + bend,
            Y + 2500, X + 10000, Y + 5000,  X, Y + 5000};
        const double right[] = {X + 10000,        Y,        X + 20000, Y,
                                X + 20000,        Y + 5000, X + 10000, Y + 5000,
                                X + 10000 + bend, Y + 2500};
        mesh_polygon(&lower.mesh, 5, left);
        mesh_polygon(&lower.mesh, 5, right);
        settle(&lower, true);
        const uint32_t parent[] = {0, 1};
        struct om_faults f;
        assert_int_equal(
            om_faults_between(&lower.rings, &upper.rings, parent, 0.02, &f),
            OM_OK);
        assert_int_equal(f.count, bend == 1 ? 0 : 1);
        om_faults_deinit(&f);
        end(&upper);
        end(&lower);
    }
}

static void between_orphans_belong_to_no_parent(void **state)
{
    (void)state;
    struct world upper = two_parents(), lower = begin();
    box(&lower, 0, 0, 10000, 5000);
    box(&lower, 30000, 0, 31000, 5000);
    settle(&lower, true);
    const uint32_t parent[] = {0, OM_NO_UNIT};
    struct om_faults f;
    assert_int_equal(
        om_faults_between(&lower.rings, &upper.rings, parent, 0.02, &f), OM_OK);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.fault[0].kind, OM_FAULT_UNCOVERED);
    near(f.fault[0].area_m2, box_m2(10000, 0, 20000, 5000), 1e-9);
    om_faults_deinit(&f);
    end(&upper);
    end(&lower);
}

/* --- faults ------------------------------------------------------------ */

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    struct world w = random_world(3, 9, 3000), upper = two_parents();
    const uint32_t parent[16] = {0};
    for (int between = 0; between < 2; between++) {
        om_status st = OM_E_MEMORY;
        for (size_t n = 1; st; n++) {
            struct om_faults f;
            const size_t live = om_alloc_live();
            om_alloc_fail_after(n, false);
            st = between ? om_faults_between(&w.rings, &upper.rings, parent,
                                             0.02, &f)
                         : om_faults_find(&w.rings, &f);
            om_alloc_fail_after(0, false);
            assert_true(!st || st == OM_E_MEMORY);
            om_faults_deinit(&f);
            assert_int_equal(om_alloc_live(), live);
        }
    }
    end(&w);
    end(&upper);
}

static int open_geos(void **state)
{
    (void)state;
    initGEOS(NULL, NULL);
    return 0;
}
static int close_geos(void **state)
{
    (void)state;
    finishGEOS();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_partitions_have_no_fault),
        cmocka_unit_test(sound_holes_parts_and_islands),
        cmocka_unit_test(sound_nothing_and_one),
        cmocka_unit_test(planted_gap_is_the_missing_unit),
        cmocka_unit_test(planted_overlap_and_sliver),
        cmocka_unit_test(planted_nested_twice_and_thrice),
        cmocka_unit_test(planted_tiling_over_tiling),
        cmocka_unit_test(random_agrees_with_geos),
        cmocka_unit_test(between_agrees_where_children_fill_parents),
        cmocka_unit_test(between_finds_crossing_and_uncovered),
        cmocka_unit_test(between_leaves_out_what_is_thinner_than_the_slack),
        cmocka_unit_test(between_orphans_belong_to_no_parent),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_geos, close_geos);
}
