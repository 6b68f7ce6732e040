/* Shapes on the grid of a zoom and in a tile: snapped, cut, valid.
 *
 * Plan
 *   trace_*     borders that fold, pinch and touch become valid polygons
 *   passes_*    edges and half-open units, against steps along the edge
 *   snap_*      valid at every zoom by GEOS, near the original, the same way
 *               in both directions
 *   level_*     partitions: every zoom valid, neighbours share their borders,
 *               nothing is lost or gained inside
 *   clip_*      GEOS' intersection with the frame, and valid
 *   lines_*     GEOS' intersection with the frame
 *   fault_*     no memory
 */
#include "data/base/alloc.h"
#include "engine/shape/shape.h"
#include "tests/engine/mesh.h"
#include "tests/rounds.h"
#include "tests/tiles/tile_shapes.h"

static GEOSContextHandle_t geos;

static void quiet(const char *format, ...)
{
    (void)format;
}

static int set_up(void **state)
{
    (void)state;
    geos = GEOS_init_r();
    GEOSContext_setNoticeHandler_r(geos, quiet);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    GEOS_finish_r(geos);
    return 0;
}

/* ---- tracing ---- */

static void trace(const int (*xy)[2], size_t n, struct om_arena *arena,
                  struct om__rings *out)
{
    struct om__xy at[64];
    uint32_t end = (uint32_t)n;
    for (size_t i = 0; i < n; i++) at[i] = (struct om__xy){xy[i][0], xy[i][1]};
    const struct om__rings rings = {at, &end, 1, n};
    assert_int_equal(om__rings_trace(&rings, arena, out), OM_OK);
    shape_must_be_valid(geos, out);
}

static om__wide area2_of(const struct om__rings *rings)
{
    om__wide sum = 0;
    for (size_t r = 0, from = 0; r < rings->rings; from = rings->end[r++])
        sum += om__ring_area2(rings->at + from, rings->end[r] - from);
    return sum;
}

static void trace_spikes_and_folds_are_gone(void **state)
{
    (void)state;
    static const int spike[][2] = {{0, 0}, {10, 0}, {20, 0}, {10, 0}, {10, 10}};
    static const int line[][2] = {{0, 0}, {5, 0}, {9, 0}, {5, 0}};
    struct om_arena arena = {0};
    struct om__rings out;
    trace(spike, 5, &arena, &out);
    assert_int_equal(out.rings, 1);
    assert_int_equal(out.places, 3);
    assert_true(area2_of(&out) == 100);
    trace(line, 4, &arena, &out);
    assert_int_equal(out.rings, 0);
    om_arena_deinit(&arena);
}

static void trace_a_pinch_is_two_polygons(void **state)
{
    (void)state;
    // Two squares that meet in (10, 10), walked as one ring.
    static const int eight[][2] = {{0, 0},   {10, 0},  {10, 10}, {20, 10},
                                   {20, 20}, {10, 20}, {10, 10}, {0, 10}};
    struct om_arena arena = {0};
    struct om__rings out;
    trace(eight, 8, &arena, &out);
    assert_int_equal(out.rings, 2);
    assert_true(area2_of(&out) == 400);
    om_arena_deinit(&arena);
}

static void trace_a_bay_that_closes_is_a_hole(void **state)
{
    (void)state;
    // A bay whose mouth has shrunk to the place (0, 10).
    static const int bay[][2] = {{0, 0},  {20, 0},  {20, 20}, {0, 20},
                                 {0, 10}, {10, 15}, {10, 5},  {0, 10}};
    struct om_arena arena = {0};
    struct om__rings out;
    trace(bay, 8, &arena, &out);
    assert_int_equal(out.rings, 2);
    assert_true(om__ring_area2(out.at, out.end[0]) == 800);
    assert_true(area2_of(&out) == 700);
    om_arena_deinit(&arena);
}

static void trace_holes_find_their_outer_rings(void **state)
{
    (void)state;
    // Two nested frames: the inner one lies in the hole of the outer one.
    static const struct om__xy at[] = {
        {0, 0},   {0, 9},   {9, 9},   {9, 0},    // hole of a
        {-9, -9}, {20, -9}, {20, 20}, {-9, 20},  // a
        {2, 2},   {7, 2},   {7, 7},   {2, 7},    // b
        {3, 3},   {3, 5},   {5, 5},   {5, 3},    // hole of b
        {30, 0},  {35, 0},  {35, 5}};            // c
    uint32_t end[] = {4, 8, 12, 16, 19};
    const struct om__rings rings = {(struct om__xy *)(uintptr_t)at, end, 5, 19};
    struct om_arena arena = {0};
    struct om__rings out;
    assert_int_equal(om__rings_trace(&rings, &arena, &out), OM_OK);
    assert_int_equal(out.rings, 5);
    shape_must_be_valid(geos, &out);
    assert_true(area2_of(&out) == 2 * (841 - 81 + 25 - 4) + 25);
    om_arena_deinit(&arena);
}

/* ---- edges and units ---- */

static void passes_is_what_small_steps_see(void **state)
{
    (void)state;
    uint64_t seed = 9;
    size_t hits = 0;
    for (size_t round = 0; round < test_rounds(20000); round++) {
        const struct om__xy a = {(int64_t)(mesh_random(&seed) % 64),
                                 (int64_t)(mesh_random(&seed) % 64)};
        const struct om__xy b = {(int64_t)(mesh_random(&seed) % 64),
                                 (int64_t)(mesh_random(&seed) % 64)};
        const struct om__xy low = {(int64_t)(mesh_random(&seed) % 8) * 8,
                                   (int64_t)(mesh_random(&seed) % 8) * 8};
        // Where it crosses the lines of the sides, and between those places.
        bool seen = false;
        double t[12] = {0.0, 1.0};
        size_t n = 2;
        const double dx = (double)(b.x - a.x), dy = (double)(b.y - a.y);
        for (int k = 0; k < 2; k++) {
            if (dx != 0) t[n++] = ((double)(low.x + 8 * k - a.x)) / dx;
            if (dy != 0) t[n++] = ((double)(low.y + 8 * k - a.y)) / dy;
        }
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n; k++) {
                const double m = (t[i] + t[k]) / 2;
                if (m < 0 || m > 1) continue;
                const double x = (double)a.x + m * dx, y = (double)a.y + m * dy;
                // Crossings themselves are left to the middles: a hair off.
                if (x >= (double)low.x + 1e-9 && x < (double)low.x + 8 - 1e-9 &&
                    y >= (double)low.y + 1e-9 && y < (double)low.y + 8 - 1e-9)
                    seen = true;
            }
        const bool passes = om__edge_passes(a, b, low, 8);
        if (seen) assert_true(passes);
        hits += passes;
        // The other direction passes the same units.
        assert_int_equal(om__edge_passes(b, a, low, 8), passes);
    }
    assert_true(hits > 100);
}

static void passes_ends_belong_to_west_and_north(void **state)
{
    (void)state;
    const struct om__xy low = {8, 8};
    const struct {
        struct om__xy a, b;
        bool passes;
    } edge[] = {
        {{8, 0}, {8, 99}, true},     // along the western side
        {{16, 0}, {16, 99}, false},  // along the eastern one
        {{0, 8}, {99, 8}, true},     // northern
        {{0, 16}, {99, 16}, false},  // southern
        {{0, 16}, {16, 0}, true},    // through (8, 8)
        {{8, 24}, {24, 8}, false},   // through (16, 16)
        {{0, 8}, {8, 16}, false},    // through (8, 16), which is not in it
        {{0, 0}, {8, 8}, true},      // ends in the corner that is in it
        {{16, 16}, {20, 20}, false}, {{10, 10}, {10, 10}, true},
    };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
        assert_int_equal(om__edge_passes(edge[i].a, edge[i].b, low, 8),
                         edge[i].passes);
}

/* ---- snapping ---- */

/* A ring that winds around a middle, with bays. */
static size_t star(uint64_t *seed, double x, double y, double radius, size_t n,
                   struct om_pos *at)
{
    for (size_t i = 0; i < n; i++) {
        const double angle = 6.283185307179586 * (double)i / (double)n;
        const double r = radius * mesh_between(seed, 0.15, 1.0);
        at[i] = (struct om_pos){(uint32_t)(x + r * cos(angle)),
                                (uint32_t)(y + r * sin(angle))};
    }
    return n;
}

static void snap_stars_are_valid_at_every_zoom(void **state)
{
    (void)state;
    uint64_t seed = 17;
    struct om_arena arena = {0};
    for (size_t round = 0; round < test_rounds(300); round++) {
        struct om_pos at[200];
        const size_t n = 3 + mesh_random(&seed) % 197;
        const double radius = exp2(mesh_between(&seed, 4, 22));
        uint32_t end = (uint32_t)star(&seed, 3.4e9, 1.8e9, radius, n, at);
        struct om__xy exact[200];
        for (size_t i = 0; i < n; i++)
            exact[i] = (struct om__xy){at[i].x, at[i].y};
        const struct om__rings whole = {exact, &end, 1, n};
        GEOSGeometry *g = shape_polygon(geos, &whole);
        const bool valid = GEOSisValid_r(geos, g) == 1;
        const double area = shape_area(geos, g);
        GEOSGeom_destroy_r(geos, g);
        if (!valid) continue;  // rounding made a small one touch itself
        for (unsigned z = 0; z <= 22; z++) {
            struct om__rings out;
            om_arena_reset(&arena);
            assert_int_equal(
                om__polygon_snap(at, &end, 1, z, NULL, &arena, &out), OM_OK);
            shape_must_be_valid(geos, &out);
            // No more than half a diagonal of a unit along the border.
            const double unit = ldexp(1.0, 20 - (int)z);
            const double got = (double)area2_of(&out) / 2 * unit * unit;
            double border = 0;
            for (size_t i = 0; i < n; i++)
                border += hypot((double)at[i].x - (double)at[(i + 1) % n].x,
                                (double)at[i].y - (double)at[(i + 1) % n].y);
            const double most =
                z >= 20 ? 1e-9 * area : 0.71 * unit * (border + 8 * unit);
            assert_true(fabs(got - area) <= most);
        }
    }
    om_arena_deinit(&arena);
}

static void snap_routes_are_the_same_both_ways(void **state)
{
    (void)state;
    uint64_t seed = 23;
    struct om_arena arena = {0};
    struct om_pos at[400];
    size_t found = 0;
    for (size_t i = 0; i < 400; i++)
        at[i] = (struct om_pos){(uint32_t)(mesh_random(&seed) % 20000),
                                (uint32_t)(mesh_random(&seed) % 20000)};
    for (unsigned z = 9; z < 20; z++) {
        struct om__hot *hot;
        assert_int_equal(om__hot_new(at, 400, z, &arena, &hot), OM_OK);
        for (size_t round = 0; round < 300; round++) {
            const struct om_pos a = at[mesh_random(&seed) % 400];
            const struct om_pos b = at[mesh_random(&seed) % 400];
            struct om_buf there = {0}, back = {0};
            assert_int_equal(om__hot_route(hot, a, b, &there), OM_OK);
            assert_int_equal(om__hot_route(hot, b, a, &back), OM_OK);
            assert_int_equal(there.len, back.len);
            const size_t n = there.len / sizeof(struct om__xy);
            const struct om__xy *f = (const void *)there.bytes;
            const struct om__xy *r = (const void *)back.bytes;
            for (size_t i = 0; i < n; i++)
                assert_memory_equal(&f[i], &r[n - 1 - i], sizeof *f);
            // And all of them: each place is asked by itself.
            const int64_t unit = INT64_C(1) << (20 - z);
            size_t passed = 0;
            struct om__xy seen[400];
            for (size_t i = 0; i < 400; i++) {
                const struct om__xy q = {om__corner_of(at[i].x, z),
                                         om__corner_of(at[i].y, z)};
                const struct om__xy qa = {om__corner_of(a.x, z),
                                          om__corner_of(a.y, z)};
                const struct om__xy qb = {om__corner_of(b.x, z),
                                          om__corner_of(b.y, z)};
                bool again =
                    !memcmp(&q, &qa, sizeof q) || !memcmp(&q, &qb, sizeof q);
                for (size_t k = 0; k < passed; k++)
                    again |= !memcmp(&q, &seen[k], sizeof q);
                if (again ||
                    !om__edge_passes((struct om__xy){a.x, a.y},
                                     (struct om__xy){b.x, b.y},
                                     (struct om__xy){q.x * unit - unit / 2,
                                                     q.y * unit - unit / 2},
                                     unit))
                    continue;
                seen[passed++] = q;
            }
            assert_int_equal(passed, n);
            found += n;
            om_buf_deinit(&there);
            om_buf_deinit(&back);
        }
        om_arena_reset(&arena);
    }
    assert_true(found > 100);
    om_arena_deinit(&arena);
}

/* ---- clipping ---- */

static struct om__frame random_frame(uint64_t *seed, int64_t x, int64_t y,
                                     int64_t reach)
{
    struct om__frame f = {
        x - reach + (int64_t)(mesh_random(seed) % (uint64_t)(2 * reach)),
        y - reach + (int64_t)(mesh_random(seed) % (uint64_t)(2 * reach)), 0, 0};
    f.east = f.west + 1 + (int64_t)(mesh_random(seed) % (uint64_t)reach);
    f.south = f.north + 1 + (int64_t)(mesh_random(seed) % (uint64_t)reach);
    return f;
}

static GEOSGeometry *frame_of(const struct om__frame *f)
{
    const struct om__xy at[] = {{f->west, f->north},
                                {f->east, f->north},
                                {f->east, f->south},
                                {f->west, f->south}};
    uint32_t end = 4;
    const struct om__rings rings = {(struct om__xy *)(uintptr_t)at, &end, 1, 4};
    return shape_polygon(geos, &rings);
}

static void clip_is_the_intersection(void **state)
{
    (void)state;
    uint64_t seed = 5;
    struct om_arena arena = {0};
    size_t some = 0;
    for (size_t round = 0; round < test_rounds(3000); round++) {
        struct om_pos at[60];
        // Small coordinates: vertices on the frame, and edges that pass each
        // other by less than a unit, are common.
        const int64_t reach =
            3 + (int64_t)(mesh_random(&seed) % (round % 2 ? 60 : 12));
        const size_t n = 3 + mesh_random(&seed) % 57;
        uint32_t end =
            (uint32_t)star(&seed, 1e6, 1e6, (double)reach * 1024, n, at);
        struct om__rings whole, out;
        om_arena_reset(&arena);
        assert_int_equal(
            om__polygon_snap(at, &end, 1, 10, NULL, &arena, &whole), OM_OK);
        const struct om__frame f = random_frame(&seed, 977, 977, reach);
        assert_int_equal(om__polygon_clip(&whole, &f, &arena, &out), OM_OK);
        shape_must_be_valid(geos, &out);
        for (size_t i = 0; i < out.places; i++) {
            assert_in_range(out.at[i].x, f.west, f.east);
            assert_in_range(out.at[i].y, f.north, f.south);
        }
        GEOSGeometry *g = shape_polygon(geos, &whole), *box = frame_of(&f);
        GEOSGeometry *both = GEOSIntersection_r(geos, g, box);
        const double want = shape_area(geos, both);
        double border = 0;
        GEOSLength_r(geos, both, &border);
        // Crossings move by half a unit, along sides of the frame.
        const double got = (double)area2_of(&out) / 2;
        assert_true(fabs(got - want) <= 0.75 * (border + 4));
        some += out.rings > 0;
        GEOSGeom_destroy_r(geos, g);
        GEOSGeom_destroy_r(geos, box);
        GEOSGeom_destroy_r(geos, both);
    }
    assert_true(some > test_rounds(3000) / 10);
    om_arena_deinit(&arena);
}

/* Edges that meet after they were turned are made to go by all places on the
 * side whose units they pass, whichever end of them is on it and whichever way
 * they go. Found by trying out small polygons; what comes out is valid and lies
 * along what was there. */
static void clip_goes_by_places_on_the_side(void **state)
{
    (void)state;
    static const struct {
        struct om__frame frame;
        uint32_t n;
        struct om__xy at[5];
        size_t places;
        struct om__xy want[6];
    } shape[] = {
        {{-100, -100, 100, 10},
         4,
         {{1, 9}, {0, 10}, {0, 1}, {2, 14}},
         4,
         {{0, 1}, {1, 9}, {1, 10}, {0, 10}}},
        {{-100, -100, 100, 10},
         4,
         {{0, 14}, {1, 0}, {2, 21}, {1, 5}},
         3,
         {{0, 10}, {1, 5}, {1, 10}}},
        {{-100, -100, 7, 100},
         4,
         {{15, 2}, {3, 1}, {8, 0}, {5, 1}},
         3,
         {{5, 1}, {7, 0}, {7, 1}}},
        {{-100, -100, 9, 100},
         5,
         {{5, 0}, {10, 0}, {8, 2}, {15, 3}, {4, 2}},
         6,
         {{4, 2}, {5, 0}, {9, 0}, {9, 1}, {9, 2}, {8, 2}}},
        {{-100, -100, 11, 100},
         5,
         {{23, 3}, {4, 1}, {46, 0}, {20, 2}, {7, 1}},
         3,
         {{7, 1}, {11, 1}, {11, 2}}},
        {{-100, -100, 100, 11},
         5,
         {{2, 0}, {5, 5}, {2, 3}, {4, 35}, {1, 36}},
         3,
         {{2, 0}, {5, 5}, {2, 3}}},
        {{-100, 3, 100, 100},
         5,
         {{1, 9}, {3, 5}, {4, 18}, {0, 9}, {4, 2}},
         3,
         {{0, 9}, {3, 5}, {4, 18}}},
        {{-100, 2, 100, 100},
         5,
         {{3, 2}, {1, 3}, {4, 3}, {0, 4}, {3, 0}},
         3,
         {{0, 4}, {1, 3}, {4, 3}}},
    };
    struct om_arena arena = {0};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        struct om__xy at[5];
        uint32_t end = shape[i].n;
        memcpy(at, shape[i].at, sizeof at);
        const struct om__rings whole = {at, &end, 1, shape[i].n};
        struct om__rings out;
        assert_int_equal(
            om__polygon_clip(&whole, &shape[i].frame, &arena, &out), OM_OK);
        shape_must_be_valid(geos, &out);
        assert_int_equal(out.places, shape[i].places);
        assert_memory_equal(out.at, shape[i].want, out.places * sizeof *out.at);
    }
    om_arena_deinit(&arena);
}

/* What is cut along one line fits together again: no gap, no overlap. */
static void clip_halves_fit_together(void **state)
{
    (void)state;
    uint64_t seed = 29;
    struct om_arena arena = {0};
    for (size_t round = 0; round < test_rounds(2000); round++) {
        struct om_pos at[40];
        const size_t n = 3 + mesh_random(&seed) % 37;
        uint32_t end = (uint32_t)star(&seed, 1e6, 1e6, 30 * 1024, n, at);
        struct om__rings whole, west, east;
        om_arena_reset(&arena);
        assert_int_equal(
            om__polygon_snap(at, &end, 1, 10, NULL, &arena, &whole), OM_OK);
        const int64_t line = 977 - 20 + (int64_t)(mesh_random(&seed) % 40);
        const struct om__frame w = {-9999, -9999, line, 9999};
        const struct om__frame e = {line, -9999, 9999, 9999};
        assert_int_equal(om__polygon_clip(&whole, &w, &arena, &west), OM_OK);
        assert_int_equal(om__polygon_clip(&whole, &e, &arena, &east), OM_OK);
        const double whole2 = (double)area2_of(&whole);
        assert_true(fabs((double)(area2_of(&west) + area2_of(&east)) -
                         whole2) <= 2.0 * (double)(n + 1) * 30);
    }
    om_arena_deinit(&arena);
}

static void clip_of_everything_is_the_frame(void **state)
{
    (void)state;
    const struct om__xy at[] = {
        {-100000, -100000}, {100000, -100001}, {99999, 100000}, {-100000, 9}};
    uint32_t end = 4;
    const struct om__rings whole = {(struct om__xy *)(uintptr_t)at, &end, 1, 4};
    const struct om__frame f = {-64, -64, 4160, 4160};
    struct om_arena arena = {0};
    struct om__rings out;
    assert_int_equal(om__polygon_clip(&whole, &f, &arena, &out), OM_OK);
    assert_int_equal(out.rings, 1);
    shape_must_be_valid(geos, &out);
    const struct om__frame far = {200000, 0, 200001, 1};
    assert_int_equal(om__polygon_clip(&whole, &far, &arena, &out), OM_OK);
    assert_int_equal(out.rings, 0);
    om_arena_deinit(&arena);
}

static void lines_are_the_intersection(void **state)
{
    (void)state;
    uint64_t seed = 31;
    struct om_arena arena = {0};
    for (size_t round = 0; round < test_rounds(2000); round++) {
        struct om__xy at[30];
        const size_t n = 2 + mesh_random(&seed) % 28;
        for (size_t i = 0; i < n; i++)
            at[i] = (struct om__xy){(int64_t)(mesh_random(&seed) % 400),
                                    (int64_t)(mesh_random(&seed) % 400)};
        uint32_t end = (uint32_t)n;
        const struct om__rings line = {at, &end, 1, n};
        const struct om__frame f = random_frame(&seed, 200, 200, 190);
        struct om__rings out;
        om_arena_reset(&arena);
        assert_int_equal(om__lines_clip(&line, &f, &arena, &out), OM_OK);
        double length = 0, want = 0;
        for (size_t r = 0, from = 0; r < out.rings; from = out.end[r++]) {
            assert_true(out.end[r] - from >= 2);
            for (size_t i = from; i < out.end[r]; i++) {
                assert_in_range(out.at[i].x, f.west, f.east);
                assert_in_range(out.at[i].y, f.north, f.south);
                if (i == from) continue;
                const double step =
                    hypot((double)(out.at[i].x - out.at[i - 1].x),
                          (double)(out.at[i].y - out.at[i - 1].y));
                assert_true(step > 0);
                length += step;
            }
        }
        GEOSGeometry *box = frame_of(&f);
        for (size_t i = 0; i + 1 < n; i++) {
            GEOSCoordSequence *s = GEOSCoordSeq_create_r(geos, 2, 2);
            GEOSCoordSeq_setXY_r(geos, s, 0, (double)at[i].x, (double)at[i].y);
            GEOSCoordSeq_setXY_r(geos, s, 1, (double)at[i + 1].x,
                                 (double)at[i + 1].y);
            GEOSGeometry *edge = GEOSGeom_createLineString_r(geos, s);
            GEOSGeometry *both = GEOSIntersection_r(geos, edge, box);
            double more = 0;
            GEOSLength_r(geos, both, &more);
            want += more;
            GEOSGeom_destroy_r(geos, edge);
            GEOSGeom_destroy_r(geos, both);
        }
        GEOSGeom_destroy_r(geos, box);
        assert_true(fabs(length - want) <= 1.5 * (double)n);
    }
    om_arena_deinit(&arena);
}

static void fault_no_memory_is_told(void **state)
{
    (void)state;
    uint64_t seed = 41;
    struct om_pos at[150];
    uint32_t end = (uint32_t)star(&seed, 1e6, 1e6, 60 * 1024, 150, at);
    const struct om__frame f = {950, 960, 1000, 990};
    size_t fails = 0;
    for (size_t nth = 1;; nth++) {
        struct om_arena arena = {0};
        struct om__rings whole, out;
        om_alloc_fail_after(nth, true);
        om_status st = om__polygon_snap(at, &end, 1, 10, NULL, &arena, &whole);
        if (!st) st = om__polygon_clip(&whole, &f, &arena, &out);
        om_alloc_fail_after(0, false);
        om_arena_deinit(&arena);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        fails++;
    }
    assert_true(fails > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace_spikes_and_folds_are_gone),
        cmocka_unit_test(trace_a_pinch_is_two_polygons),
        cmocka_unit_test(trace_a_bay_that_closes_is_a_hole),
        cmocka_unit_test(trace_holes_find_their_outer_rings),
        cmocka_unit_test(passes_is_what_small_steps_see),
        cmocka_unit_test(passes_ends_belong_to_west_and_north),
        cmocka_unit_test(snap_stars_are_valid_at_every_zoom),
        cmocka_unit_test(snap_routes_are_the_same_both_ways),
        cmocka_unit_test(clip_is_the_intersection),
        cmocka_unit_test(clip_goes_by_places_on_the_side),
        cmocka_unit_test(clip_halves_fit_together),
        cmocka_unit_test(clip_of_everything_is_the_frame),
        cmocka_unit_test(lines_are_the_intersection),
        cmocka_unit_test(fault_no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
