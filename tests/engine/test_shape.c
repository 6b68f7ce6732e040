// test_shape.c - shapes against each other, their area, and shapes from text.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <geodesic.h>
#include <geos_c.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "engine/shape/shape.h"
#include "tests/engine/mesh.h"

/* Plan
 *   intersect_*   GEOS on random integer polygons and lines; touching counts
 *   area_*        geodesic polygons (PROJ's geodesic.h)
 *   parse_*       WKT and GeoJSON: what is taken, what is refused and why
 *   check_*       clean partitions have no fault; planted faults are found
 *   fault_*       failing allocations
 */

struct world {
    struct mesh mesh;
    struct om_arena arena;
    struct om_rings rings;
};

static void settle(struct world *w, enum om_geometry geometry, bool shared)
{
    struct om_shape_note *note = calloc(w->mesh.count + 1, sizeof *note);
    const struct om_shapes view = mesh_view(&w->mesh);
    assert_int_equal(
        om_shapes_settle(&view, geometry, shared, &w->arena, &w->rings, note),
        OM_OK);
    free(note);
}

static void world_free(struct world *w)
{
    mesh_deinit(&w->mesh);
    om_arena_deinit(&w->arena);
}

static struct world random_world(double side, size_t count,
                                 enum om_geometry geometry, uint64_t seed)
{
    struct world w = {0};
    mesh_init(&w.mesh, 20000);
    for (size_t i = 0; i < count; i++) {
        const size_t n = 3 + mesh_random(&seed) % 5;
        const double x = mesh_between(&seed, 0, side);
        const double y = mesh_between(&seed, 0, side);
        const double size = side * mesh_between(&seed, 0.05, 0.8);
        for (size_t k = 0; k < n; k++)
            mesh_vertex(&w.mesh, 3e9 + x + mesh_between(&seed, 0, size),
                        1e9 + y + mesh_between(&seed, 0, size));
        mesh_end_ring(&w.mesh);
        mesh_end_part(&w.mesh);
        mesh_end_shape(&w.mesh);
    }
    settle(&w, geometry, false);
    return w;
}

/* --- intersect --------------------------------------------------------- */

static GEOSCoordSequence *sequence(const struct om_rings *r, size_t ring,
                                   bool closed)
{
    const size_t first = r->ring_vertex[ring];
    const size_t n = r->ring_vertex[ring + 1] - first;
    GEOSCoordSequence *seq = GEOSCoordSeq_create((unsigned)(n + closed), 2);
    for (size_t i = 0; i < n + closed; i++)
        GEOSCoordSeq_setXY(seq, (unsigned)i, r->vertex[first + i % n].x,
                           r->vertex[first + i % n].y);
    return seq;
}

static GEOSGeometry *geos_shape(const struct om_rings *r, size_t shape,
                                enum om_geometry geometry)
{
    GEOSGeometry *part[64], *hole[64];
    unsigned parts = 0;
    const bool closed = geometry == OM_GEOMETRY_POLYGON;
    for (size_t p = r->shape_part[shape]; p < r->shape_part[shape + 1]; p++) {
        unsigned holes = 0;
        const size_t outer = r->part_ring[p];
        if (!closed) {
            part[parts++] =
                GEOSGeom_createLineString(sequence(r, outer, false));
            continue;
        }
        for (size_t h = outer + 1; h < r->part_ring[p + 1]; h++)
            hole[holes++] = GEOSGeom_createLinearRing(sequence(r, h, true));
        part[parts++] = GEOSGeom_createPolygon(
            GEOSGeom_createLinearRing(sequence(r, outer, true)), hole, holes);
    }
    return GEOSGeom_createCollection(
        closed ? GEOS_MULTIPOLYGON : GEOS_MULTILINESTRING, part, parts);
}

static void compare_all(struct world *wa, enum om_geometry geometry,
                        struct world *wb)
{
    size_t meets = 0, apart = 0;
    for (size_t a = 0; a < wa->rings.count; a++) {
        if (wa->rings.box[a].x0 > wa->rings.box[a].x1) continue;
        GEOSGeometry *ga = geos_shape(&wa->rings, a, geometry);
        for (size_t b = 0; b < wb->rings.count; b++) {
            if (wb->rings.box[b].x0 > wb->rings.box[b].x1) continue;
            GEOSGeometry *gb = geos_shape(&wb->rings, b, OM_GEOMETRY_POLYGON);
            const bool wanted = GEOSIntersects(ga, gb) == 1;
            assert_int_equal(
                om_rings_intersect(&wa->rings, a, geometry, &wb->rings, b),
                wanted);
            meets += wanted;
            apart += !wanted;
            GEOSGeom_destroy(gb);
        }
        GEOSGeom_destroy(ga);
    }
    assert_true(meets > 50 && apart > 50);
}

static void intersect_agrees_with_geos(void **state)
{
    (void)state;
    // Small sides make touching, overlapping edges and shared vertices usual.
    const double sides[] = {8, 25, 1e4, 1e9};
    for (size_t i = 0; i < 4; i++) {
        struct world b = random_world(sides[i], 50, OM_GEOMETRY_POLYGON, 8 + i);
        struct world a =
            random_world(sides[i], 50, OM_GEOMETRY_POLYGON, 80 + i);
        struct world l = random_world(sides[i], 50, OM_GEOMETRY_LINE, 800 + i);
        compare_all(&a, OM_GEOMETRY_POLYGON, &b);
        compare_all(&l, OM_GEOMETRY_LINE, &b);
        world_free(&a);
        world_free(&b);
        world_free(&l);
    }
}

static bool parsed_meet(const char *one, const char *two)
{
    struct om_arena arena = {0};
    struct om_rings a, b;
    assert_int_equal(om_rings_parse(one, strlen(one), &arena, &a, NULL), OM_OK);
    assert_int_equal(om_rings_parse(two, strlen(two), &arena, &b, NULL), OM_OK);
    const bool meet = om_rings_intersect(&a, 0, OM_GEOMETRY_POLYGON, &b, 0);
    assert_int_equal(om_rings_intersect(&b, 0, OM_GEOMETRY_POLYGON, &a, 0),
                     meet);
    om_arena_deinit(&arena);
    return meet;
}

static void intersect_knows_holes_and_touching(void **state)
{
    (void)state;
    const char *ring = "POLYGON((0 0,9 0,9 9,0 9,0 0),(3 3,3 6,6 6,6 3,3 3))";
    assert_false(parsed_meet(ring, "POLYGON((4 4,5 4,5 5,4 5,4 4))"));
    assert_true(parsed_meet(ring, "POLYGON((3 3,5 4,5 5,4 5,3 3))"));
    assert_true(parsed_meet(ring, "POLYGON((1 1,2 1,2 2,1 2,1 1))"));
    assert_true(parsed_meet(ring, "POLYGON((9 9,10 9,10 10,9 10,9 9))"));
    assert_true(parsed_meet(ring,
                            "POLYGON((-1 -1,20 -1,20 20,-1 20,-1 -1),"
                            "(-0.5 -0.5,-0.5 19,19 19,19 -0.5,-0.5 -0.5))") ==
                false);
}

/* --- area -------------------------------------------------------------- */

static double geodesic_km2(const struct om_rings *r, size_t shape)
{
    struct geod_geodesic earth;
    geod_init(&earth, OM_WGS84_A_M, OM_WGS84_F);
    double sum = 0;
    for (size_t i = r->part_ring[r->shape_part[shape]];
         i < r->part_ring[r->shape_part[shape + 1]]; i++) {
        struct geod_polygon polygon;
        geod_polygon_init(&polygon, 0);
        const size_t first = r->ring_vertex[i], end = r->ring_vertex[i + 1];
        for (size_t v = first; v < end; v++) {
            const struct om_pos a = r->vertex[v];
            const struct om_pos b = r->vertex[v + 1 < end ? v + 1 : first];
            // Our edges are straight on the map: many short geodesics.
            for (int k = 0; k < 32; k++) {
                double lon, lat;
                om_world_to_lonlat(a.x + ((double)b.x - a.x) * k / 32,
                                   a.y + ((double)b.y - a.y) * k / 32, &lon,
                                   &lat);
                geod_polygon_addpoint(&earth, &polygon, lat, lon);
            }
        }
        double area;
        geod_polygon_compute(&earth, &polygon, 1, 1, &area, NULL);
        sum += area;  // clockwise rings negative
    }
    return fabs(sum) * 1e-6;
}

static void area_is_the_geodesic_one(void **state)
{
    (void)state;
    // Latitudes 0 to 75; sides of metres to kilometres.
    const double rows[] = {0.5, 0.433, 0.4, 0.35, 0.2, 0.8};
    const double steps[] = {600, 2e4, 3e5};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 3; k++) {
            const struct mesh_plan plan = {.cols = 3,
                                           .rows = 3,
                                           .bends = 7,
                                           .seed = i + 1,
                                           .x = 3.5e9,
                                           .y = rows[i] * OM_POS_SIDE,
                                           .step = steps[k]};
            struct world w = {0};
            mesh_init(&w.mesh, 2000);
            mesh_partition(&w.mesh, &plan);
            settle(&w, OM_GEOMETRY_POLYGON, true);
            for (size_t s = 0; s < w.rings.count; s++) {
                const double wanted = geodesic_km2(&w.rings, s);
                const double got = om_rings_area_km2(&w.rings, s);
                // The oracle rounds each of its thousand edges: 10 cm2.
                assert_true(fabs(got - wanted) <= 1e-6 * wanted + 1e-9);
            }
            world_free(&w);
        }
}

static void area_of_the_world_up_to_its_square(void **state)
{
    (void)state;
    const char *text =
        "POLYGON((-180 -85.0511287,180 -85.0511287,"
        "180 85.0511287,-180 85.0511287,-180 -85.0511287))";
    struct om_arena arena = {0};
    struct om_rings r;
    assert_int_equal(om_rings_parse(text, strlen(text), &arena, &r, NULL),
                     OM_OK);
    // Ellipsoid (EPSG 7030) less both caps: 2 pi * 2 * S(85.0511287).
    const double got = om_rings_area_km2(&r, 0);
    assert_true(got > 5.06e8 && got < 5.10065622e8);
    om_arena_deinit(&arena);
}

static void area_leaves_out_holes(void **state)
{
    (void)state;
    const char *text =
        "POLYGON((113 23,114 23,114 24,113 24,113 23),"
        "(113.2 23.2,113.4 23.2,113.4 23.4,113.2 23.2))";
    struct om_arena arena = {0};
    struct om_rings r;
    assert_int_equal(om_rings_parse(text, strlen(text), &arena, &r, NULL),
                     OM_OK);
    assert_true(fabs(om_rings_area_km2(&r, 0) / geodesic_km2(&r, 0) - 1) <
                1e-6);
    om_arena_deinit(&arena);
}

/* --- parse ------------------------------------------------------------- */

static om_status parse(const char *text, struct om_rings *out,
                       struct om_arena *arena)
{
    struct om_err err = {0};
    const om_status st = om_rings_parse(text, strlen(text), arena, out, &err);
    assert_int_equal(err.code, st);
    assert_true(!st == (err.text[0] == '\0'));
    return st;
}

static void parse_takes_wkt_and_geojson_alike(void **state)
{
    (void)state;
    const char *texts[] = {
        "POLYGON((113 23,114 23,114 24,113 24,113 23))",
        " polygon z ( ( 113 23 1 , 114 23 2, 114 24 3,113 24 4,113 23 1) ) \n",
        "MULTIPOLYGON(((113 23,114 23,114 24,113 24,113 23)),EMPTY)",
        "GEOMETRYCOLLECTION(POLYGON EMPTY,POLYGON((113 23,114 23,114 24,"
        "113 24,113 23)))",
        "{\"type\":\"Polygon\",\"coordinates\":[[[113,23],[114,23],[114,24],"
        "[113,24],[113,23]]]}",
        "\xEF\xBB\xBF {\"type\":\"Feature\",\"properties\":{\"a\":[1,{}]},"
        "\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[[[[113,23],"
        "[114,23],[114,24],[113,24],[113,23]]]]}}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"geometry\":null},{\"type\":\"Feature\",\"geometry\":{\"type\":"
        "\"GeometryCollection\",\"geometries\":[{\"type\":\"Polygon\","
        "\"coordinates\":[[[113,23],[114,23],[114,24],[113,24],[113,23]]]}]"
        "}}]}",
    };
    struct om_arena arena = {0};
    struct om_rings first;
    assert_int_equal(parse(texts[0], &first, &arena), OM_OK);
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++) {
        struct om_rings r;
        assert_int_equal(parse(texts[i], &r, &arena), OM_OK);
        assert_int_equal(r.count, 1);
        assert_int_equal(r.ring_vertex[1], 4);
        assert_memory_equal(r.vertex, first.vertex, 4 * sizeof *r.vertex);
    }
    om_arena_deinit(&arena);
}

static void parse_unites_parts_that_overlap(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_rings r;
    assert_int_equal(parse("GEOMETRYCOLLECTION(POLYGON((0 0,2 0,2 2,0 2,0 0)),"
                           "POLYGON((1 1,3 1,3 3,1 3,1 1)))",
                           &r, &arena),
                     OM_OK);
    struct om_pos p;
    assert_int_equal(om_pos_from_lonlat(1.5, 1.5, &p), OM_OK);
    assert_true(om_rings_contain(&r, 0, p));
    assert_int_equal(r.shape_part[1], 1);
    om_arena_deinit(&arena);
}

static void parse_refuses_with_a_reason(void **state)
{
    (void)state;
    const struct {
        const char *text;
        om_status status;
    } cases[] = {
        {"", OM_E_FORMAT},
        {"POINT(1 2)", OM_E_FORMAT},
        {"POLYGON", OM_E_FORMAT},
        {"POLYGON(1 2)", OM_E_FORMAT},
        {"POLYGON((0 0,1 0,1 1,0 0)", OM_E_FORMAT},
        {"POLYGON((0 0,1 0,1 1,0 0))x", OM_E_FORMAT},
        {"POLYGON((0 0,1 0,1 1,0 1))", OM_E_FORMAT},
        {"POLYGON((0 0,1 0,0 0))", OM_E_FORMAT},
        {"POLYGON((0 0,1 0,nan 1,0 0))", OM_E_FORMAT},
        {"POLYGON((0 0,0x1 0,1 1,0 0))", OM_E_FORMAT},
        {"POLYGON((0 0,1e 0,1 1,0 0))", OM_E_FORMAT},
        {"POLYGON((0 0,1 0 0 0 0,1 1,0 0))", OM_E_FORMAT},
        {"POLYGONS((0 0,1 0,1 1,0 0))", OM_E_FORMAT},
        {"{\"type\":\"Polygon\"}", OM_E_FORMAT},
        {"{\"type\":\"Point\",\"coordinates\":[1,2]}", OM_E_FORMAT},
        {"{\"type\":\"Polygon\",\"coordinates\":[[1,2]]}", OM_E_FORMAT},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[\"1\",2]]]}", OM_E_FORMAT},
        {"{\"type\":", OM_E_FORMAT},
        {"POLYGON((0 0,1 0,1 91,0 0))", OM_E_COORD},
        {"POLYGON((0 0,181 0,1 1,0 0))", OM_E_COORD},
        {"POLYGON((0 0,1e999 0,1 1,0 0))", OM_E_COORD},
        {"POLYGON EMPTY", OM_E_GEOMETRY},
        {"{\"type\":\"FeatureCollection\",\"features\":[]}", OM_E_GEOMETRY},
        {"POLYGON((0 0,1 0,2 0,0 0))", OM_E_GEOMETRY},
        {"POLYGON((0 0,1e-9 0,1e-9 1e-9,0 0))", OM_E_GEOMETRY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct om_arena arena = {0};
        struct om_rings r;
        const om_status st = parse(cases[i].text, &r, &arena);
        if (st != cases[i].status) print_message("%s\n", cases[i].text);
        assert_int_equal(st, cases[i].status);
        om_arena_deinit(&arena);
    }
}

static void parse_bounds_vertices_and_nesting(void **state)
{
    (void)state;
    const size_t n = OM_LIMIT_QUERY_VERTICES + 10;
    char *text = malloc(n * 8 + 100);
    size_t len = (size_t)sprintf(text, "POLYGON((");
    for (size_t i = 0; i < n; i++)
        len += (size_t)sprintf(text + len, "%zu %zu,", i % 9, i % 7);
    struct om_arena arena = {0};
    struct om_rings r;
    struct om_err err;
    assert_int_equal(om_rings_parse(text, len, &arena, &r, &err), OM_E_COST);
    len = 0;
    for (size_t i = 0; i < 1000; i++)
        len += (size_t)sprintf(text + len, "GEOMETRYCOLLECTION(");
    assert_int_equal(om_rings_parse(text, len, &arena, &r, &err), OM_E_FORMAT);
    free(text);
    om_arena_deinit(&arena);
}

/* --- check ------------------------------------------------------------- */

static void check_finds_nothing_in_a_clean_partition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const struct mesh_plan plan = {.cols = 8,
                                       .rows = 8,
                                       .bends = 5,
                                       .x = 3.4e9,
                                       .y = 1.8e9,
                                       .step = 5e4,
                                       .t_junctions = seed % 2 == 0,
                                       .seed = seed};
        struct world w = {0};
        mesh_init(&w.mesh, 5000);
        mesh_partition(&w.mesh, &plan);
        settle(&w, OM_GEOMETRY_POLYGON, true);
        struct om_partition_report report;
        assert_int_equal(om_partition_check(&w.rings, &report), OM_OK);
        assert_int_equal(report.overlaps, 0);
        assert_int_equal(report.gaps, 0);
        assert_true(report.overlap_km2 == 0 && report.gap_km2 == 0);
        assert_true(report.shared_edges % 2 == 0);
        if (!plan.t_junctions)
            assert_int_equal(report.edges - report.shared_edges, 4 * 8 * 6);
        world_free(&w);
    }
}

static void check_measures_planted_faults(void **state)
{
    (void)state;
    struct world w = {0};
    mesh_init(&w.mesh, 100);
    const double x = 3.4e9, y = 1.9e9;
    // Four squares around a hole of 1000 x 1000; the last overlaps the first.
    const double squares[4][4] = {{0, 0, 2000, 1000},
                                  {2000, 0, 3000, 2000},
                                  {1000, 2000, 3000, 3000},
                                  {0, 700, 1000, 3000}};
    for (int i = 0; i < 4; i++) {
        const double *s = squares[i];
        const double ring[] = {x + s[0], y + s[1], x + s[2], y + s[1],
                               x + s[2], y + s[3], x + s[0], y + s[3]};
        mesh_polygon(&w.mesh, 4, ring);
    }
    settle(&w, OM_GEOMETRY_POLYGON, true);
    struct om_partition_report report;
    assert_int_equal(om_partition_check(&w.rings, &report), OM_OK);
    const double km2_per_cell =
        pow(om_world_ground_m(y + 1500), 2) * 1e-6;  // sphere: within 1 %
    assert_int_equal(report.overlaps, 1);
    assert_true(fabs(report.overlap_km2 / (300e3 * km2_per_cell) - 1) < 0.01);
    assert_int_equal(report.gaps, 1);
    assert_true(fabs(report.gap_km2 / (1e6 * km2_per_cell) - 1) < 0.01);
    world_free(&w);
}

static void check_counts_the_same_unit_twice_as_an_overlap(void **state)
{
    (void)state;
    struct world w = {0};
    mesh_init(&w.mesh, 100);
    const double ring[] = {1e9, 1e9, 1e9 + 500, 1e9, 1e9 + 500, 1e9 + 500};
    mesh_polygon(&w.mesh, 3, ring);
    mesh_polygon(&w.mesh, 3, ring);
    mesh_polygon(&w.mesh, 0, ring);
    settle(&w, OM_GEOMETRY_POLYGON, true);
    struct om_partition_report report;
    assert_int_equal(om_partition_check(&w.rings, &report), OM_OK);
    assert_int_equal(report.overlaps, 1);
    assert_int_equal(report.shared_edges, 0);
    assert_true(fabs(report.overlap_km2 / om_rings_area_km2(&w.rings, 0) - 1) <
                1e-9);
    world_free(&w);
}

/* --- faults ------------------------------------------------------------ */

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    const char *texts[] = {
        "MULTIPOLYGON(((0 0,2 2,2 0,0 2,0 0)),((5 5,6 5,6 6,5 5)))",
        "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}"};
    for (size_t i = 0; i < 2; i++) {
        om_status st = OM_E_MEMORY;
        for (size_t n = 1; st; n++) {
            struct om_arena arena = {0};
            struct om_rings r;
            struct om_err err;
            const size_t live = om_alloc_live();
            om_alloc_fail_after(n, false);
            st = om_rings_parse(texts[i], strlen(texts[i]), &arena, &r, &err);
            om_alloc_fail_after(0, false);
            assert_true(!st || st == OM_E_MEMORY);
            om_arena_deinit(&arena);
            assert_int_equal(om_alloc_live(), live);
        }
    }
    struct world w = random_world(1000, 12, OM_GEOMETRY_POLYGON, 4);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_partition_report report;
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_partition_check(&w.rings, &report);
        om_alloc_fail_after(0, false);
        assert_true(!st || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
    }
    world_free(&w);
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

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intersect_agrees_with_geos),
        cmocka_unit_test(intersect_knows_holes_and_touching),
        cmocka_unit_test(area_is_the_geodesic_one),
        cmocka_unit_test(area_of_the_world_up_to_its_square),
        cmocka_unit_test(area_leaves_out_holes),
        cmocka_unit_test(parse_takes_wkt_and_geojson_alike),
        cmocka_unit_test(parse_unites_parts_that_overlap),
        cmocka_unit_test(parse_refuses_with_a_reason),
        cmocka_unit_test(parse_bounds_vertices_and_nesting),
        cmocka_unit_test(check_finds_nothing_in_a_clean_partition),
        cmocka_unit_test(check_measures_planted_faults),
        cmocka_unit_test(check_counts_the_same_unit_twice_as_an_overlap),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_geos, close_geos);
}
