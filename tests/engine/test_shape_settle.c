// test_shape_settle.c - polygons and lines on their way onto the grid.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <geos_c.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "engine/shape/shape.h"
#include "tests/engine/mesh.h"

/* Plan
 *   plain_*    what is fine stays as it is, only rounded
 *   repair_*   what is not is repaired or refused, and said so
 *   shared_*   a partition stays one: every inner edge has its reverse
 *   bounded_*  nobody's shape takes long: refused before GEOS begins; long
 *              shapes that are valid are taken
 *   random_*   garbage in, valid polygons out (GEOS is the judge)
 *   fault_*    failing allocations
 */

#define MIDDLE 2147483648.0

struct settled {
    struct om_arena arena;
    struct om_rings rings;
    struct om_shape_note *note;
};

static struct settled settle(const struct mesh *m, enum om_geometry geometry,
                             bool shared)
{
    struct settled s = {.note = calloc(m->count + 1, sizeof *s.note)};
    const struct om_shapes view = mesh_view(m);
    assert_int_equal(
        om_shapes_settle(&view, geometry, shared, &s.arena, &s.rings, s.note),
        OM_OK);
    assert_int_equal(s.rings.count, m->count);
    return s;
}

static void settled_free(struct settled *s)
{
    free(s->note);
    om_arena_deinit(&s->arena);
}

static size_t vertices_of(const struct om_rings *r, size_t shape)
{
    return r->ring_vertex[r->part_ring[r->shape_part[shape + 1]]] -
           r->ring_vertex[r->part_ring[r->shape_part[shape]]];
}

static double ring_area(const struct om_rings *r, size_t ring)
{
    double sum = 0;
    const size_t first = r->ring_vertex[ring], end = r->ring_vertex[ring + 1];
    const struct om_pos o = r->vertex[first];
    for (size_t i = first, last = end - 1; i < end; last = i++)
        sum +=
            ((double)r->vertex[last].x - o.x) * ((double)r->vertex[i].y - o.y) -
            ((double)r->vertex[i].x - o.x) * ((double)r->vertex[last].y - o.y);
    return sum / 2;
}

static double shape_area(const struct om_rings *r, size_t shape)
{
    double sum = 0;
    for (size_t i = r->part_ring[r->shape_part[shape]];
         i < r->part_ring[r->shape_part[shape + 1]]; i++)
        sum += ring_area(r, i);
    return sum;
}

static GEOSGeometry *geos_ring(const struct om_rings *r, size_t ring)
{
    const size_t first = r->ring_vertex[ring];
    const size_t n = r->ring_vertex[ring + 1] - first;
    GEOSCoordSequence *seq = GEOSCoordSeq_create((unsigned)n + 1, 2);
    for (size_t i = 0; i <= n; i++)
        GEOSCoordSeq_setXY(seq, (unsigned)i, r->vertex[first + i % n].x,
                           r->vertex[first + i % n].y);
    return GEOSGeom_createLinearRing(seq);
}

static GEOSGeometry *geos_shape(const struct om_rings *r, size_t shape)
{
    GEOSGeometry *part[512], *hole[512];
    unsigned parts = 0;
    for (size_t p = r->shape_part[shape]; p < r->shape_part[shape + 1]; p++) {
        unsigned holes = 0;
        for (size_t h = r->part_ring[p] + 1; h < r->part_ring[p + 1]; h++)
            hole[holes++] = geos_ring(r, h);
        part[parts++] =
            GEOSGeom_createPolygon(geos_ring(r, r->part_ring[p]), hole, holes);
    }
    return GEOSGeom_createCollection(GEOS_MULTIPOLYGON, part, parts);
}

static void assert_valid(const struct om_rings *r, size_t shape)
{
    GEOSGeometry *g = geos_shape(r, shape);
    if (GEOSisValid(g) != 1) {
        char *why = GEOSisValidReason(g);
        print_message("shape %zu: %s\n", shape, why);
        GEOSFree(why);
    }
    assert_int_equal(GEOSisValid(g), 1);
    GEOSGeom_destroy(g);
    for (size_t p = r->shape_part[shape]; p < r->shape_part[shape + 1]; p++)
        for (size_t i = r->part_ring[p]; i < r->part_ring[p + 1]; i++)
            assert_true((ring_area(r, i) > 0) == (i == r->part_ring[p]));
}

static void plain_rectangle_is_only_rounded(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 16);
    const double xy[] = {100.7, 200.2, 150.1, 200.9,
                         150.5, 240.0, 100.2, 240.99};
    mesh_polygon(&m, 4, xy);
    struct settled s = settle(&m, OM_GEOMETRY_POLYGON, false);
    assert_int_equal(s.note[0].fate, OM_SHAPE_FINE);
    assert_int_equal(vertices_of(&s.rings, 0), 4);
    assert_true(ring_area(&s.rings, 0) == 50 * 40);
    const struct om_box box = s.rings.box[0];
    assert_true(box.x0 == 100 && box.y0 == 200 && box.x1 == 150 &&
                box.y1 == 240);
    settled_free(&s);
    mesh_deinit(&m);
}

static void plain_courtyard_keeps_its_hole_and_turns(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 32);
    // Outer ring counterclockwise on the map, closed; hole alike.
    const double outer[] = {0, 0, 0, 100, 100, 100, 100, 0, 0, 0};
    const double hole[] = {40, 40, 40, 60, 60, 60, 60, 60, 60, 40};
    for (int i = 0; i < 5; i++) mesh_vertex(&m, outer[2 * i], outer[2 * i + 1]);
    mesh_end_ring(&m);
    for (int i = 0; i < 5; i++) mesh_vertex(&m, hole[2 * i], hole[2 * i + 1]);
    mesh_end_ring(&m);
    mesh_end_part(&m);
    mesh_end_shape(&m);
    struct settled s = settle(&m, OM_GEOMETRY_POLYGON, false);
    assert_int_equal(s.note[0].fate, OM_SHAPE_FINE);
    assert_int_equal(vertices_of(&s.rings, 0), 8);
    assert_true(ring_area(&s.rings, 0) == 10000);
    assert_true(ring_area(&s.rings, 1) == -400);
    assert_true(om_rings_contain(&s.rings, 0, (struct om_pos){0, 0}));
    assert_false(om_rings_contain(&s.rings, 0, (struct om_pos){100, 50}));
    assert_false(om_rings_contain(&s.rings, 0, (struct om_pos){50, 50}));
    settled_free(&s);
    mesh_deinit(&m);
}

static void plain_line_drops_repeats_and_refuses_a_point(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 16);
    const double line[] = {1.1, 1.2, 1.9, 1.3, 5, 5, 1.5, 1.5};
    const double point[] = {7.1, 7.2, 7.3, 7.4};
    mesh_polygon(&m, 4, line);
    mesh_polygon(&m, 2, point);
    struct settled s = settle(&m, OM_GEOMETRY_LINE, false);
    assert_int_equal(s.note[0].fate, OM_SHAPE_FINE);
    assert_int_equal(vertices_of(&s.rings, 0), 3);
    assert_int_equal(s.note[1].fate, OM_SHAPE_REFUSED);
    assert_int_equal(vertices_of(&s.rings, 1), 0);
    settled_free(&s);
    mesh_deinit(&m);
}

static void repair_bow_tie_becomes_two_triangles(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 16);
    const double xy[] = {MIDDLE,       MIDDLE, MIDDLE + 100, MIDDLE + 100,
                         MIDDLE + 100, MIDDLE, MIDDLE,       MIDDLE + 100};
    mesh_polygon(&m, 4, xy);
    struct settled s = settle(&m, OM_GEOMETRY_POLYGON, false);
    assert_int_equal(s.note[0].fate, OM_SHAPE_REPAIRED);
    assert_string_equal(s.note[0].text,
                        "self-intersection at 0.0000042,-0.0000042");
    assert_int_equal(s.rings.shape_part[1], 2);
    assert_true(shape_area(&s.rings, 0) == 5000);
    assert_valid(&s.rings, 0);
    settled_free(&s);
    mesh_deinit(&m);
}

static void repair_refuses_what_is_no_polygon(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 64);
    const double nan_xy[] = {1, 1, 9, NAN, 5, 9};
    const double inf_xy[] = {1, 1, INFINITY, 3, 5, 9};
    const double off_xy[] = {1, 1, -2, 3, 5, 9};
    const double two[] = {1, 1, 50, 50};
    const double flat[] = {0, 0, 10, 10, 20, 20, 30, 30};
    const double tiny[] = {4.1, 4.1, 4.9, 4.2, 4.5, 4.8};
    mesh_polygon(&m, 3, nan_xy);
    mesh_polygon(&m, 3, inf_xy);
    mesh_polygon(&m, 3, off_xy);
    mesh_polygon(&m, 2, two);
    mesh_polygon(&m, 4, flat);
    mesh_polygon(&m, 3, tiny);
    mesh_polygon(&m, 0, NULL);
    mesh_end_shape(&m);
    for (int shared = 0; shared < 2; shared++) {
        struct settled s = settle(&m, OM_GEOMETRY_POLYGON, shared);
        for (size_t i = 0; i < m.count; i++) {
            assert_int_equal(s.note[i].fate, OM_SHAPE_REFUSED);
            assert_true(s.note[i].text[0] != '\0');
            assert_int_equal(vertices_of(&s.rings, i), 0);
            assert_false(om_rings_contain(&s.rings, i, (struct om_pos){4, 4}));
        }
        settled_free(&s);
    }
    mesh_deinit(&m);
}

/* A polygon of n sides around the middle; `jitter` 0: a circle, x and y of each
 * vertex stretched on their own: they tangle; together: spikes that do not. */
static void add_star(struct mesh *m, size_t n, double radius, double jitter,
                     bool together, uint64_t *seed)
{
    for (size_t k = 0; k < n; k++) {
        const double turn = 2 * acos(-1) * (double)k / (double)n;
        const double u = mesh_between(seed, 1 - jitter, 1);
        const double v = together ? u : mesh_between(seed, 1 - jitter, 1);
        mesh_vertex(m, MIDDLE + radius * u * cos(turn),
                    MIDDLE + radius * v * sin(turn));
    }
    mesh_end_ring(m);
}

/* Teeth up and down across a line that leads back through all of them. */
static void add_teeth(struct mesh *m, size_t crossings)
{
    for (size_t k = 0; k <= crossings; k++)
        mesh_vertex(m, MIDDLE + 1000.0 * (double)k,
                    MIDDLE + (k % 2 ? 5000 : -5000));
    mesh_vertex(m, MIDDLE + 1000.0 * (double)crossings + 500, MIDDLE - 7);
    mesh_vertex(m, MIDDLE - 500, MIDDLE + 7);
    mesh_end_ring(m);
    mesh_end_part(m);
    mesh_end_shape(m);
}

static void bounded_sides_may_cross_a_thousand_times(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 40000);
    uint64_t seed = 5;
    add_teeth(&m, 40);
    add_teeth(&m, OM_LIMIT_SHAPE_CROSSINGS);
    add_teeth(&m, OM_LIMIT_SHAPE_CROSSINGS + 1);
    add_star(&m, 12000, 2e6, 0.5, false, &seed);
    mesh_end_part(&m);
    mesh_end_shape(&m);
    for (int shared = 0; shared < 2; shared++) {
        struct settled s = settle(&m, OM_GEOMETRY_POLYGON, shared);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(s.note[i].fate, OM_SHAPE_REPAIRED);
            assert_false(s.note[i].costly);
            assert_true(s.note[i].cost_ns > 0);
            if (!i) assert_valid(&s.rings, i);
        }
        for (size_t i = 2; i < 4; i++) {
            assert_int_equal(s.note[i].fate, OM_SHAPE_REFUSED);
            assert_true(s.note[i].costly);
            assert_non_null(strstr(s.note[i].text, "more than 1000 times"));
            assert_int_equal(vertices_of(&s.rings, i), 0);
        }
        settled_free(&s);
    }
    mesh_deinit(&m);
}

/* Copies of one square: no side crosses another, each lies on all others. */
static void bounded_sides_on_each_other_are_counted(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 40000);
    const size_t copies[] = {20, 2000};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < copies[i]; k++) {
            for (int c = 0; c < 4; c++)
                mesh_vertex(&m, MIDDLE + (c == 1 || c == 2 ? 900 : 0),
                            MIDDLE + (c > 1 ? 900 : 0));
            mesh_end_ring(&m);
            mesh_end_part(&m);
        }
        mesh_end_shape(&m);
    }
    struct settled s = settle(&m, OM_GEOMETRY_POLYGON, false);
    assert_int_equal(s.note[0].fate, OM_SHAPE_REPAIRED);
    assert_int_equal(vertices_of(&s.rings, 0), 4);
    assert_int_equal(s.note[1].fate, OM_SHAPE_REFUSED);
    assert_true(s.note[1].costly);
    settled_free(&s);
    mesh_deinit(&m);
}

/* What was found valid at a cost is not looked at again, as it came and as it
 * was put on the grid; another is. */
static void bounded_costly_shapes_are_looked_at_once(void **state)
{
    (void)state;
    enum { SPIKES = 3001 };
    struct mesh m, again;
    mesh_init(&m, SPIKES + 120);
    uint64_t seed = 31;
    add_star(&m, SPIKES, 3e7, 0.5, true, &seed);
    mesh_end_part(&m);
    mesh_end_shape(&m);
    // Two squares that touch at a corner: only GEOS calls them valid.
    for (int k = 0; k < 2; k++) {
        for (int c = 0; c < 4; c++)
            mesh_vertex(&m, MIDDLE + 900.0 * k + (c == 1 || c == 2 ? 900 : 0),
                        MIDDLE + 900.0 * k + (c > 1 ? 900 : 0));
        mesh_end_ring(&m);
        mesh_end_part(&m);
    }
    mesh_end_shape(&m);
    for (int round = 0; round < 3; round++) {
        struct settled s = settle(&m, OM_GEOMETRY_POLYGON, false);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(s.note[i].fate, OM_SHAPE_FINE);
            assert_int_equal(s.note[i].cost_ns > 0, round != 1);
        }
        if (round == 1) {
            mesh_init(&again, SPIKES + 120);
            for (size_t i = 0; i < 2; i++) {
                const size_t ring = s.rings.part_ring[s.rings.shape_part[i]];
                const size_t end = s.rings.part_ring[s.rings.shape_part[i + 1]];
                for (size_t r = ring; r < end; r++) {
                    for (size_t v = s.rings.ring_vertex[r];
                         v < s.rings.ring_vertex[r + 1]; v++)
                        mesh_vertex(&again, s.rings.vertex[v].x,
                                    s.rings.vertex[v].y);
                    mesh_end_ring(&again);
                    mesh_end_part(&again);
                }
                mesh_end_shape(&again);
            }
            struct settled t = settle(&again, OM_GEOMETRY_POLYGON, false);
            for (size_t i = 0; i < 2; i++) {
                assert_int_equal(t.note[i].fate, OM_SHAPE_FINE);
                assert_int_equal(t.note[i].cost_ns, 0);
            }
            settled_free(&t);
            mesh_deinit(&again);
            // All of it a few cells to the east is another shape.
            for (size_t v = 0; v < m.vertices; v++) m.x[v] += 3;
        }
        settled_free(&s);
    }
    mesh_deinit(&m);
}

static void bounded_long_valid_shapes_are_taken(void **state)
{
    (void)state;
    enum { CIRCLE = 40000, SPIKES = 12000, COAST = 60000, COMB = 4001 };
    struct mesh m;
    mesh_init(&m, 400000);
    uint64_t seed = 9;
    size_t given[6], shape = 0;
    // A donut, the hole the other way round.
    add_star(&m, CIRCLE, 2e6, 0, true, &seed);
    add_star(&m, CIRCLE, 1e6, 0, true, &seed);
    given[shape++] = 2 * CIRCLE;
    mesh_end_part(&m);
    mesh_end_shape(&m);
    add_star(&m, SPIKES, 3e7, 0.5, true, &seed);
    given[shape++] = SPIKES;
    mesh_end_part(&m);
    mesh_end_shape(&m);
    // A coast of many bays, and its islands, which are more rings than are
    // compared one by one.
    add_star(&m, COAST, 4e7, 0.0004, true, &seed);
    mesh_end_part(&m);
    for (int i = 0; i < 300; i++) {
        const double x = MIDDLE + 5e7 + 3000.0 * i;
        for (int c = 0; c < 4; c++)
            mesh_vertex(&m, x + (c == 1 || c == 2 ? 900 : 0),
                        MIDDLE + (c > 1 ? 900 : 0));
        mesh_end_ring(&m);
        mesh_end_part(&m);
    }
    given[shape++] = COAST + 4 * 300;
    mesh_end_shape(&m);
    // A lake, and its islands as holes.
    add_star(&m, COAST, 4e7, 0.0004, true, &seed);
    for (int i = 0; i < 400; i++) {
        const double x = MIDDLE + 3000.0 * (i % 20), y = MIDDLE + 3000.0 * i;
        for (int c = 0; c < 4; c++)
            mesh_vertex(&m, x + (c == 1 || c == 2 ? 900 : 0),
                        y + (c > 1 ? 900 : 0));
        mesh_end_ring(&m);
    }
    given[shape++] = COAST + 4 * 400;
    mesh_end_part(&m);
    mesh_end_shape(&m);
    // A comb whose teeth all lie above each other, whichever way one sweeps.
    for (size_t k = 0; k < COMB; k++)
        mesh_vertex(&m, MIDDLE + 40.0 * (double)k + (k % 2 ? 3e6 : 0),
                    MIDDLE - 40.0 * (double)k + (k % 2 ? 3e6 : 0));
    mesh_vertex(&m, MIDDLE - 1e6, MIDDLE - 40.0 * COMB - 1e6);
    mesh_end_ring(&m);
    given[shape++] = COMB + 1;
    mesh_end_part(&m);
    mesh_end_shape(&m);
    // Rings that meet at one vertex, which only GEOS calls valid.
    for (int k = 0; k < 40; k++) {
        const double turn = 2 * acos(-1) * k / 40;
        mesh_vertex(&m, MIDDLE, MIDDLE);
        mesh_vertex(&m, MIDDLE + 9e4 * cos(turn), MIDDLE + 9e4 * sin(turn));
        mesh_vertex(&m, MIDDLE + 9e4 * cos(turn + 0.1),
                    MIDDLE + 9e4 * sin(turn + 0.1));
        mesh_end_ring(&m);
        mesh_end_part(&m);
    }
    given[shape++] = 120;
    mesh_end_shape(&m);
    for (size_t i = 0; i < m.vertices; i++) m.x[i] = floor(m.x[i]);
    for (size_t i = 0; i < m.vertices; i++) m.y[i] = floor(m.y[i]);
    struct settled s = settle(&m, OM_GEOMETRY_POLYGON, false);
    for (size_t i = 0; i < shape; i++) {
        if (s.note[i].fate) print_message("%zu: %s\n", i, s.note[i].text);
        assert_int_equal(s.note[i].fate, OM_SHAPE_FINE);
        assert_int_equal(vertices_of(&s.rings, i), given[i]);
    }
    settled_free(&s);
    mesh_deinit(&m);
}

struct edge {
    struct om_pos a, b;
};

static int by_edge(const void *one, const void *two)
{
    return memcmp(one, two, sizeof(struct edge));
}

static size_t edges_without_reverse(const struct om_rings *r)
{
    const size_t rings = r->part_ring[r->shape_part[r->count]];
    const size_t n = r->ring_vertex[rings];
    struct edge *edge = calloc(n + 1, sizeof *edge);
    size_t made = 0, single = 0;
    for (size_t k = 0; k < rings; k++) {
        const size_t first = r->ring_vertex[k], end = r->ring_vertex[k + 1];
        for (size_t i = first; i < end; i++)
            edge[made++] = (struct edge){
                r->vertex[i], r->vertex[i + 1 < end ? i + 1 : first]};
    }
    qsort(edge, made, sizeof *edge, by_edge);
    for (size_t i = 0; i < made; i++) {
        const struct edge back = {edge[i].b, edge[i].a};
        single += !bsearch(&back, edge, made, sizeof *edge, by_edge);
    }
    free(edge);
    return single;
}

static void shared_partition_keeps_every_inner_edge_twice(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const struct mesh_plan plan = {.cols = 9,
                                       .rows = 8,
                                       .bends = seed % 12,
                                       .x = MIDDLE + 0.3,
                                       .y = 1.7e9 + 0.123,
                                       .step = seed % 3 == 0   ? 60.0
                                               : seed % 3 == 1 ? 4000.0
                                                               : 3e6,
                                       .t_junctions = seed % 2,
                                       .seed = seed * 77};
        struct mesh m;
        mesh_init(&m, 20000);
        mesh_partition(&m, &plan);
        struct settled s = settle(&m, OM_GEOMETRY_POLYGON, true);
        for (size_t i = 0; i < m.count; i++) {
            if (s.note[i].fate != OM_SHAPE_FINE)
                print_message("seed %d: %s\n", (int)seed, s.note[i].text);
            if (plan.step > 100)
                assert_int_equal(s.note[i].fate, OM_SHAPE_FINE);
            assert_valid(&s.rings, i);
        }
        // Only the rim is left: its vertices are those of the outer sides.
        const size_t single = edges_without_reverse(&s.rings);
        const size_t rim = 2 * (plan.cols + plan.rows) * (plan.bends + 1);
        if (!plan.t_junctions && plan.step > 100) assert_int_equal(single, rim);
        assert_true(single <= rim);
        settled_free(&s);
        mesh_deinit(&m);
    }
}

static void shared_vertices_round_alike_in_all_levels(void **state)
{
    (void)state;
    struct mesh m;
    mesh_init(&m, 64);
    const double a[] = {10.5, 10.5, 500.25, 20.75, 480.5, 300.125, 12.5, 280};
    mesh_polygon(&m, 4, a);
    struct settled one = settle(&m, OM_GEOMETRY_POLYGON, true);
    struct settled two = settle(&m, OM_GEOMETRY_POLYGON, false);
    assert_int_equal(vertices_of(&one.rings, 0), 4);
    assert_memory_equal(one.rings.vertex, two.rings.vertex,
                        4 * sizeof(struct om_pos));
    settled_free(&one);
    settled_free(&two);
    mesh_deinit(&m);
}

static void random_shapes_come_out_valid(void **state)
{
    (void)state;
    uint64_t seed = 42;
    struct mesh m;
    mesh_init(&m, 60000);
    for (int i = 0; i < 600; i++) {
        const double side = (double)(1 << (mesh_random(&seed) % 16));
        const size_t parts = 1 + mesh_random(&seed) % 3;
        for (size_t p = 0; p < parts; p++) {
            const size_t rings = 1 + mesh_random(&seed) % 3;
            for (size_t r = 0; r < rings; r++) {
                const size_t n = mesh_random(&seed) % 9;
                for (size_t k = 0; k < n; k++)
                    mesh_vertex(&m, 1e9 + mesh_between(&seed, 0, side),
                                1e9 + mesh_between(&seed, 0, side));
                mesh_end_ring(&m);
            }
            mesh_end_part(&m);
        }
        mesh_end_shape(&m);
    }
    for (int shared = 0; shared < 2; shared++) {
        struct settled s = settle(&m, OM_GEOMETRY_POLYGON, shared);
        size_t refused = 0;
        for (size_t i = 0; i < m.count; i++) {
            refused += s.note[i].fate == OM_SHAPE_REFUSED;
            assert_true((vertices_of(&s.rings, i) == 0) ==
                        (s.note[i].fate == OM_SHAPE_REFUSED));
            if (vertices_of(&s.rings, i)) assert_valid(&s.rings, i);
        }
        assert_true(refused < m.count / 2);
        settled_free(&s);
    }
    mesh_deinit(&m);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    const struct mesh_plan plan = {.cols = 3,
                                   .rows = 3,
                                   .bends = 4,
                                   .x = 1e9,
                                   .y = 1e9,
                                   .step = 4000,
                                   .t_junctions = true,
                                   .seed = 5};
    struct mesh m;
    mesh_init(&m, 4000);
    mesh_partition(&m, &plan);
    const double tie[] = {0, 0, 100, 100, 100, 0, 0, 100};
    mesh_polygon(&m, 4, tie);
    const struct om_shapes view = mesh_view(&m);
    struct om_shape_note *note = calloc(m.count, sizeof *note);
    for (int shared = 0; shared < 2; shared++) {
        om_status st = OM_E_MEMORY;
        for (size_t n = 1; st; n++) {
            struct om_arena arena = {0};
            struct om_rings rings;
            const size_t live = om_alloc_live();
            om_alloc_fail_after(n, false);
            st = om_shapes_settle(&view, OM_GEOMETRY_POLYGON, shared, &arena,
                                  &rings, note);
            om_alloc_fail_after(0, false);
            assert_true(st == OM_OK || st == OM_E_MEMORY);
            om_arena_deinit(&arena);
            assert_int_equal(om_alloc_live(), live);
        }
    }
    free(note);
    mesh_deinit(&m);
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
        cmocka_unit_test(plain_rectangle_is_only_rounded),
        cmocka_unit_test(plain_courtyard_keeps_its_hole_and_turns),
        cmocka_unit_test(plain_line_drops_repeats_and_refuses_a_point),
        cmocka_unit_test(repair_bow_tie_becomes_two_triangles),
        cmocka_unit_test(repair_refuses_what_is_no_polygon),
        cmocka_unit_test(bounded_sides_may_cross_a_thousand_times),
        cmocka_unit_test(bounded_sides_on_each_other_are_counted),
        cmocka_unit_test(bounded_costly_shapes_are_looked_at_once),
        cmocka_unit_test(bounded_long_valid_shapes_are_taken),
        cmocka_unit_test(shared_partition_keeps_every_inner_edge_twice),
        cmocka_unit_test(shared_vertices_round_alike_in_all_levels),
        cmocka_unit_test(random_shapes_come_out_valid),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_geos, close_geos);
}
