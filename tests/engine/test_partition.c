// test_partition.c - point in polygon, covers and the join, against brute
// force.
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
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/shape/shape.h"
#include "tests/engine/mesh.h"

/* Plan
 *   contain_*     one owner each, on vertices and edges too; GEOS elsewhere
 *   cover_*       runs say the truth about every position
 *   partition_*   find and join equal brute force: clean, overlapping, garbage
 *   tree_*        search equals a scan
 *   fault_*       failing allocations
 */

struct world {
    struct mesh mesh;
    struct om_arena arena;
    struct om_rings rings;
};

static void settle(struct world *w, bool shared)
{
    struct om_shape_note *note = calloc(w->mesh.count + 1, sizeof *note);
    const struct om_shapes view = mesh_view(&w->mesh);
    assert_int_equal(om_shapes_settle(&view, OM_GEOMETRY_POLYGON, shared,
                                      &w->arena, &w->rings, note),
                     OM_OK);
    free(note);
}

static struct world partition_world(double step, size_t bends, uint64_t seed)
{
    const struct mesh_plan plan = {.cols = 7,
                                   .rows = 6,
                                   .bends = bends,
                                   .x = 3.4e9 + 0.7,
                                   .y = 1.8e9 + 0.2,
                                   .step = step,
                                   .t_junctions = seed % 2 == 0,
                                   .seed = seed};
    struct world w = {0};
    mesh_init(&w.mesh, 20000);
    mesh_partition(&w.mesh, &plan);
    settle(&w, true);
    return w;
}

/* Polygons at random, over each other: small ones have many vertices on the
 * same positions. */
static struct world garbage_world(double side, size_t count, uint64_t seed)
{
    struct world w = {0};
    mesh_init(&w.mesh, 20000);
    for (size_t i = 0; i < count; i++) {
        const size_t n = 3 + mesh_random(&seed) % 6;
        for (size_t k = 0; k < n; k++)
            mesh_vertex(&w.mesh, 4096 + mesh_between(&seed, 0, side),
                        8192 + mesh_between(&seed, 0, side));
        mesh_end_ring(&w.mesh);
        mesh_end_part(&w.mesh);
        mesh_end_shape(&w.mesh);
    }
    settle(&w, false);
    return w;
}

static void world_free(struct world *w)
{
    mesh_deinit(&w->mesh);
    om_arena_deinit(&w->arena);
}

static struct om_box box_of(const struct om_rings *r)
{
    struct om_box all = {UINT32_MAX, UINT32_MAX, 0, 0};
    for (size_t i = 0; i < r->count; i++) {
        if (r->box[i].x0 > r->box[i].x1) continue;
        if (r->box[i].x0 < all.x0) all.x0 = r->box[i].x0;
        if (r->box[i].y0 < all.y0) all.y0 = r->box[i].y0;
        if (r->box[i].x1 > all.x1) all.x1 = r->box[i].x1;
        if (r->box[i].y1 > all.y1) all.y1 = r->box[i].y1;
    }
    return all;
}

static uint32_t brute(const struct om_rings *r, struct om_pos p)
{
    for (size_t i = 0; i < r->count; i++)
        if (om_rings_contain(r, i, p)) return (uint32_t)i;
    return OM_NO_UNIT;
}

static size_t owners(const struct om_rings *r, struct om_pos p)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++) n += om_rings_contain(r, i, p);
    return n;
}

static size_t all_vertices(const struct om_rings *r)
{
    return r->ring_vertex[r->part_ring[r->shape_part[r->count]]];
}

/* A position inside the box, on a vertex, or on or beside an edge. */
static struct om_pos probe(const struct om_rings *r, struct om_box box,
                           uint64_t *seed)
{
    const size_t n = all_vertices(r);
    const struct om_pos v = r->vertex[mesh_random(seed) % n];
    const struct om_pos u = r->vertex[mesh_random(seed) % n];
    switch (mesh_random(seed) % 4) {
        case 0:
            return v;
        case 1:
            return (struct om_pos){v.x + (uint32_t)(mesh_random(seed) % 3) - 1,
                                   v.y + (uint32_t)(mesh_random(seed) % 3) - 1};
        case 2:
            return (struct om_pos){v.x, u.y};
        default:
            return (struct om_pos){
                box.x0 + (uint32_t)(mesh_unit(seed) * (box.x1 - box.x0 + 1.0)),
                box.y0 + (uint32_t)(mesh_unit(seed) * (box.y1 - box.y0 + 1.0))};
    }
}

static void contain_gives_every_position_of_a_partition_one_owner(void **state)
{
    (void)state;
    uint64_t seed = 77;
    for (uint64_t round = 1; round <= 6; round++) {
        struct world w =
            partition_world(round < 3 ? 90 : 1e5, 1 + round % 5, round);
        const struct om_box box = box_of(&w.rings);
        size_t outside = 0;
        for (int i = 0; i < 4000; i++) {
            const struct om_pos p = probe(&w.rings, box, &seed);
            const size_t n = owners(&w.rings, p);
            assert_true(n <= 1);
            // Away from the rim all neighbours are there.
            const double margin = (box.x1 - box.x0) * 0.12;
            if (p.x > box.x0 + margin && p.x < box.x1 - margin &&
                p.y > box.y0 + margin && p.y < box.y1 - margin)
                assert_int_equal(n, 1);
            else
                outside += n == 0;
        }
        assert_true(outside > 0);
        world_free(&w);
    }
}

static GEOSGeometry *geos_ring_polygon(const struct om_rings *r, size_t ring)
{
    const size_t first = r->ring_vertex[ring];
    const size_t n = r->ring_vertex[ring + 1] - first;
    GEOSCoordSequence *seq = GEOSCoordSeq_create((unsigned)n + 1, 2);
    for (size_t i = 0; i <= n; i++)
        GEOSCoordSeq_setXY(seq, (unsigned)i, r->vertex[first + i % n].x,
                           r->vertex[first + i % n].y);
    return GEOSGeom_createPolygon(GEOSGeom_createLinearRing(seq), NULL, 0);
}

static GEOSGeometry *geos_shape(const struct om_rings *r, size_t shape)
{
    GEOSGeometry *all = NULL;
    for (size_t p = r->shape_part[shape]; p < r->shape_part[shape + 1]; p++)
        for (size_t i = r->part_ring[p]; i < r->part_ring[p + 1]; i++) {
            GEOSGeometry *ring = geos_ring_polygon(r, i);
            GEOSGeometry *sum = all ? GEOSSymDifference(all, ring) : ring;
            if (all) {
                GEOSGeom_destroy(all);
                GEOSGeom_destroy(ring);
            }
            all = sum;
        }
    return all;
}

static void contain_agrees_with_geos_off_the_edges(void **state)
{
    (void)state;
    struct world w = garbage_world(300, 60, 11);
    uint64_t seed = 3;
    const struct om_box box = box_of(&w.rings);
    size_t compared = 0;
    for (size_t s = 0; s < w.rings.count; s++) {
        if (w.rings.box[s].x0 > w.rings.box[s].x1) continue;
        GEOSGeometry *g = geos_shape(&w.rings, s);
        GEOSGeometry *edge = GEOSBoundary(g);
        for (int i = 0; i < 200; i++) {
            const struct om_pos p = probe(&w.rings, box, &seed);
            GEOSGeometry *point = GEOSGeom_createPointFromXY(p.x, p.y);
            if (!GEOSIntersects(edge, point)) {
                assert_int_equal(om_rings_contain(&w.rings, s, p),
                                 GEOSIntersects(g, point));
                compared++;
            }
            GEOSGeom_destroy(point);
        }
        GEOSGeom_destroy(edge);
        GEOSGeom_destroy(g);
    }
    assert_true(compared > 8000);
    world_free(&w);
}

static void check_cover(const struct om_rings *r, size_t shape, unsigned level,
                        uint64_t *seed)
{
    struct om_arena arena = {0};
    struct om_interval *run;
    size_t count;
    assert_int_equal(om_rings_cover(r, shape, level, &arena, &run, &count),
                     OM_OK);
    for (size_t i = 0; i < count; i++) {
        assert_true(run[i].end == 0 ? i + 1 == count
                                    : run[i].first < run[i].end);
        if (i > 0) assert_true(run[i - 1].end <= run[i].first);
        if (i > 0 && run[i - 1].end == run[i].first)
            assert_true(run[i - 1].inside != run[i].inside);
    }
    const struct om_box box = box_of(r);
    for (int k = 0; k < 600; k++) {
        const struct om_pos p = probe(r, box, seed);
        const uint64_t code = om_morton(p);
        const struct om_interval *in = NULL;
        for (size_t i = 0; i < count; i++)
            if (code >= run[i].first && (run[i].end == 0 || code < run[i].end))
                in = &run[i];
        const bool inside = om_rings_contain(r, shape, p);
        if (!in) assert_false(inside);
        if (in && in->inside) assert_true(inside);
        if (level == 32 && in) assert_true(in->inside);
    }
    om_arena_deinit(&arena);
}

static void cover_says_the_truth_about_every_position(void **state)
{
    (void)state;
    uint64_t seed = 9;
    struct world w = garbage_world(200, 40, 21);
    for (size_t s = 0; s < w.rings.count; s++)
        for (unsigned level = 20; level <= 32; level += 3)
            check_cover(&w.rings, s, level, &seed);
    world_free(&w);
    w = partition_world(1e6, 5, 4);
    for (size_t s = 0; s < w.rings.count; s++)
        check_cover(&w.rings, s, 17, &seed);
    world_free(&w);
}

static int by_key(const void *one, const void *two)
{
    const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;
    return (a > b) - (a < b);
}

static void check_partition(const struct om_rings *r, uint64_t seed, size_t n)
{
    struct om_partition *partition;
    assert_int_equal(om_partition_new(r, &partition), OM_OK);
    const struct om_box box = box_of(r);
    uint64_t *key = calloc(n, sizeof *key);
    uint32_t *unit = calloc(n, sizeof *unit);
    for (size_t i = 0; i < n; i++) {
        struct om_pos p = probe(r, box, &seed);
        if (i % 50 == 0)
            p = (struct om_pos){(uint32_t)mesh_random(&seed),
                                (uint32_t)mesh_random(&seed)};
        key[i] = i % 7 == 3 ? key[i - 1] : om_morton(p);
    }
    key[0] = 0;
    key[1] = UINT64_MAX;
    qsort(key, n, sizeof *key, by_key);
    assert_int_equal(om_partition_join(partition, key, n, unit), OM_OK);
    for (size_t i = 0; i < n; i++) {
        const struct om_pos p = om_morton_pos(key[i]);
        assert_int_equal(unit[i], brute(r, p));
        assert_int_equal(om_partition_find(partition, p), unit[i]);
    }
    // Few rows lie far apart: they are found another way than many.
    for (size_t step = 2; step < n; step *= 3) {
        uint64_t *few = calloc(n / step + 1, sizeof *few);
        uint32_t *same = calloc(n / step + 1, sizeof *same);
        size_t count = 0;
        for (size_t i = step / 2; i < n; i += step) few[count++] = key[i];
        assert_int_equal(om_partition_join(partition, few, count, same), OM_OK);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(same[i], unit[step / 2 + i * step]);
        free(few);
        free(same);
    }
    assert_int_equal(om_partition_join(partition, key, 0, unit), OM_OK);
    free(key);
    free(unit);
    om_partition_free(partition);
}

static void partition_equals_brute_force_when_clean(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w = partition_world(seed % 2 ? 5e4 : 200, seed * 3, seed);
        check_partition(&w.rings, seed, 8000);
        world_free(&w);
    }
}

static void partition_gives_overlaps_to_the_lowest_index(void **state)
{
    (void)state;
    const double sides[] = {6, 40, 1000, 3e5};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct world w = garbage_world(sides[seed % 4], 10 * seed, seed);
        check_partition(&w.rings, seed, 4000);
        world_free(&w);
    }
}

static void partition_stands_150_units_over_one_place(void **state)
{
    (void)state;
    struct world w = garbage_world(1000, 150, 99);
    check_partition(&w.rings, 5, 3000);
    world_free(&w);
}

static void partition_reaches_the_corners_of_the_world(void **state)
{
    (void)state;
    struct world w = {0};
    mesh_init(&w.mesh, 64);
    const double s = OM_POS_SIDE;
    const double all[] = {0, 0, s, 0, s, s / 2, s / 2, s, 0, s};
    const double east[] = {s - 9, 0, s, 0, s, 9};
    mesh_polygon(&w.mesh, 3, east);
    mesh_polygon(&w.mesh, 5, all);
    settle(&w, false);
    check_partition(&w.rings, 3, 4000);
    world_free(&w);
}

static void partition_of_nothing_holds_nothing(void **state)
{
    (void)state;
    struct world w = {0};
    mesh_init(&w.mesh, 4);
    settle(&w, true);
    struct om_partition *partition;
    assert_int_equal(om_partition_new(&w.rings, &partition), OM_OK);
    assert_int_equal(om_partition_find(partition, (struct om_pos){5, 5}),
                     OM_NO_UNIT);
    om_partition_free(partition);
    world_free(&w);
}

struct seen {
    uint8_t *hit;
    size_t count;
    uint32_t last;
};

static bool see(void *ctx, uint32_t shape)
{
    struct seen *seen = ctx;
    assert_int_equal(seen->hit[shape], 0);
    assert_true(seen->count == 0 || shape > seen->last);
    seen->hit[shape] = 1;
    seen->last = shape;
    seen->count++;
    return true;
}

static bool stop_at_once(void *ctx, uint32_t shape)
{
    (void)shape;
    ++*(size_t *)ctx;
    return false;
}

static void tree_finds_what_a_scan_finds(void **state)
{
    (void)state;
    uint64_t seed = 5;
    const size_t counts[] = {0, 1, 2, 15, 16, 17, 255, 256, 257, 5000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t n = counts[c];
        struct om_box *box = calloc(n + 1, sizeof *box);
        for (size_t i = 0; i < n; i++) {
            box[i].x0 = (uint32_t)(mesh_random(&seed) % 10000);
            box[i].y0 = (uint32_t)(mesh_random(&seed) % 10000);
            box[i].x1 = box[i].x0 + (uint32_t)(mesh_random(&seed) % 300);
            box[i].y1 = box[i].y0 + (uint32_t)(mesh_random(&seed) % 300);
        }
        struct om_tree *tree;
        assert_int_equal(om_tree_new(box, n, &tree), OM_OK);
        for (int k = 0; k < 50; k++) {
            struct om_box q = {(uint32_t)(mesh_random(&seed) % 10000),
                               (uint32_t)(mesh_random(&seed) % 10000), 0, 0};
            q.x1 = q.x0 + (uint32_t)(mesh_random(&seed) % 2000);
            q.y1 = q.y0 + (uint32_t)(mesh_random(&seed) % 2000);
            struct seen seen = {.hit = calloc(n + 1, 1)};
            om_tree_search(tree, q, see, &seen);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(seen.hit[i],
                                 box[i].x0 <= q.x1 && q.x0 <= box[i].x1 &&
                                     box[i].y0 <= q.y1 && q.y0 <= box[i].y1);
            size_t calls = 0;
            om_tree_search(tree, q, stop_at_once, &calls);
            assert_int_equal(calls, seen.count > 0);
            free(seen.hit);
        }
        om_tree_free(tree);
        free(box);
    }
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    struct world w = garbage_world(500, 20, 7);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        const size_t live = om_alloc_live();
        struct om_partition *partition;
        om_alloc_fail_after(n, false);
        st = om_partition_new(&w.rings, &partition);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        if (st) assert_null(partition);
        om_partition_free(partition);
        assert_int_equal(om_alloc_live(), live);
    }
    st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        const size_t live = om_alloc_live();
        struct om_arena arena = {0};
        struct om_interval *run;
        size_t count;
        om_alloc_fail_after(n, false);
        st = om_rings_cover(&w.rings, 0, 30, &arena, &run, &count);
        om_alloc_fail_after(0, false);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), live);
    }
    st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_tree *tree = NULL;
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_tree_new(w.rings.box, w.rings.count, &tree);
        om_alloc_fail_after(0, false);
        om_tree_free(tree);
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
        cmocka_unit_test(contain_gives_every_position_of_a_partition_one_owner),
        cmocka_unit_test(contain_agrees_with_geos_off_the_edges),
        cmocka_unit_test(cover_says_the_truth_about_every_position),
        cmocka_unit_test(partition_equals_brute_force_when_clean),
        cmocka_unit_test(partition_gives_overlaps_to_the_lowest_index),
        cmocka_unit_test(partition_stands_150_units_over_one_place),
        cmocka_unit_test(partition_reaches_the_corners_of_the_world),
        cmocka_unit_test(partition_of_nothing_holds_nothing),
        cmocka_unit_test(tree_finds_what_a_scan_finds),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_geos, close_geos);
}
