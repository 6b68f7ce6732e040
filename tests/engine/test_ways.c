/* From one place: the nearest along the roads, and how far one gets.
 *
 * Plan
 *   nearest_*    against the trips to every single row, sorted: on foot,
 * riding, straight; a filter; rows that no road leads to contour_*    of random
 * fields: every node on its side of the border, simple rings that GEOS calls
 * valid isochrone_*  against the minutes of trips: nothing far within is
 * missing, nothing far beyond is in it; a circle where there are no roads
 *   error_*      what is no number to count with, shapes instead of points
 *   fault_*      the n-th allocation fails
 */
#include "tests/engine/reach_sample.h"

#include "data/base/alloc.h"
#include "engine/reach/ways_internal.h"

#define ROWS 400

static struct city_sample city;
static struct om_pos place[ROWS];
static int64_t kind[ROWS];
static const struct om_layer *rows, *lines;
static struct om_roads *roads;

/* Streets with gaps, a piece that nothing leads to, rows everywhere. */
static int begin(void **state)
{
    (void)state;
    static struct sketch s;
    uint64_t seed = 11;
    s.shapes = s.vertices = 0;
    for (int i = 0; i <= 16; i++)
        for (int j = 0; j < 16; j++) {
            if (mesh_between(&seed, 0, 1) < 0.8)
                sketch_line(&s, 1, 150 * j, 150 * i, 150 * j + 150, 150 * i);
            if (mesh_between(&seed, 0, 1) < 0.8)
                sketch_line(&s, 1, 150 * i, 150 * j, 150 * i, 150 * j + 150);
        }
    sketch_line(&s, 1, 3000, 0, 3000, 900);
    city_begin(&city);
    lines = sketch_add(&city, "road", OM_GEOMETRY_LINE, &s);
    roads = sketch_roads(lines, true, 0.5, NULL);
    for (int i = 0; i < ROWS; i++) {
        place[i] = sketch_pos(mesh_between(&seed, -200, 3400),
                              mesh_between(&seed, -200, 2600));
        kind[i] = i % 7;
    }
    rows = sketch_people(&city, "people", place, kind, ROWS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    om_roads_free(roads);
    city_end(&city);
    return 0;
}

static struct om_travel travel_of(int mode)
{
    return (struct om_travel){.roads = mode == 2 ? NULL : roads,
                              .factor = 1.3,
                              .m_per_min = mode == 1 ? 250 : 80,
                              .foot_m_per_min = 80,
                              .reach_m = 100};
}

/* Minutes from a place to another, by the trips that coverage is made of. */
static double trip_minutes(const struct om_travel *travel, struct om_pos from,
                           struct om_pos to)
{
    const uint64_t key = om_morton(from);
    struct om_trips trips;
    assert_int_equal(om_trips_make(travel, &key, 1, NULL, &to, 1, &trips),
                     OM_OK);
    const double minutes = trips.minutes[0];
    om_trips_deinit(&trips);
    return minutes;
}

static struct om_query query_at(struct om_pos at, size_t k,
                                const struct om_filter *filter)
{
    return (struct om_query){
        .snapshot = &city.snapshot,
        .layer = rows,
        .filter = filter,
        .place = {.kind = OM_PLACE_NEAREST, .pos = at, .nearest = k}};
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of kind k (-1: any); what is not reached within `most` has no way. */
static void compare_nearest(int mode, struct om_pos at, size_t k, int of,
                            double most, size_t *without)
{
    static struct om_within within[3];
    const struct om_travel travel = travel_of(mode);
    struct om_filter *filter = NULL;
    char text[24];
    snprintf(text, sizeof text, "kind = %d", of);
    if (of >= 0)
        assert_int_equal(
            om_filter_parse(text, strlen(text), rows, 0, &filter, NULL), OM_OK);
    const struct om_query query = query_at(at, k, filter);
    struct om_ways ways;
    assert_int_equal(
        om_ways_nearest(&travel, &query, most, &within[mode], &ways), OM_OK);
    double minutes[ROWS];
    size_t n = 0, all = 0;
    for (int i = 0; i < ROWS; i++) {
        if (of >= 0 && kind[i] != of) continue;
        const double took = trip_minutes(&travel, at, place[i]);
        all++;
        if (took <= most) minutes[n++] = took;
    }
    qsort(minutes, n, sizeof *minutes, ascending);
    assert_int_equal(ways.count, all < k ? all : k);
    for (size_t i = 0; i < ways.count; i++) {
        const struct om_way_hit *hit = &ways.hit[i];
        if (i >= n) {
            assert_true(isnan(hit->minutes) && isnan(hit->m));
            if (i > n)
                assert_true(hit->hit.distance_m >= hit[-1].hit.distance_m);
            ++*without;
            continue;
        }
        if (fabs(hit->minutes - minutes[i]) > 1e-6)
            fail_msg("mode %d, number %zu: %.6f, not %.6f", mode, i,
                     hit->minutes, minutes[i]);
        const uint64_t *key;
        assert_int_equal(om_segment_keys(rows->part[0].segment, 0, ROWS, &key),
                         OM_OK);
        const struct om_pos to = om_morton_pos(key[hit->hit.row]);
        assert_true(fabs(trip_minutes(&travel, at, to) - hit->minutes) < 1e-6);
        assert_true(hit->m >= hit->hit.distance_m * 0.999);
    }
    om_ways_deinit(&ways);
    om_filter_free(filter);
    if (k == 1) om_within_deinit(&within[mode]);  // both are to be had
}

static void nearest_is_that_of_all_trips(void **state)
{
    (void)state;
    uint64_t seed = 5;
    size_t without = 0, asked = 0;
    for (int i = 0; i < 60; i++) {
        const struct om_pos at = sketch_pos(mesh_between(&seed, -200, 3200),
                                            mesh_between(&seed, -200, 2600));
        for (int mode = 0; mode < 3; mode++) {
            const size_t k = (size_t[]){1, 3, 20, 200, 1000}[i % 5];
            compare_nearest(mode, at, k, i % 2 ? -1 : i % 7, i % 3 ? 120 : 8,
                            &without);
            asked += k;
        }
    }
    for (int mode = 0; mode < 3; mode++)
        compare_nearest(mode, sketch_pos(0, 0), 1, -1, 120, &without);
    assert_true(without > 100 && without < asked);
}

static void nearest_says_that_one_is_off(void **state)
{
    (void)state;
    struct om_within within = {0};
    struct om_ways ways;
    const struct om_travel travel = travel_of(0);
    const struct om_query far = query_at(sketch_pos(-3000, 0), 3, NULL);
    const struct om_query near = query_at(sketch_pos(10, 10), 3, NULL);
    assert_int_equal(om_ways_nearest(&travel, &far, 60, &within, &ways), OM_OK);
    assert_true(ways.off && ways.count == 3 && isnan(ways.hit[0].minutes));
    om_ways_deinit(&ways);
    assert_int_equal(om_ways_nearest(&travel, &near, 60, &within, &ways),
                     OM_OK);
    assert_false(ways.off);
    om_ways_deinit(&ways);
    om_within_deinit(&within);
}

/* ---- contour ---- */

static void assert_valid(const struct om_rings *r)
{
    const uint32_t vertices = r->ring_vertex[r->part_ring[r->shape_part[1]]];
    double *x = calloc(vertices + 1, sizeof *x);
    double *y = calloc(vertices + 1, sizeof *y);
    for (uint32_t v = 0; v < vertices; v++) {
        x[v] = r->vertex[v].x + 0.5;
        y[v] = r->vertex[v].y + 0.5;
    }
    const struct om_shapes shapes = {
        1, r->shape_part, r->part_ring, r->ring_vertex, x, y};
    struct om_shape_note note;
    struct om_arena arena = {0};
    struct om_rings settled;
    assert_int_equal(om_shapes_settle(&shapes, OM_GEOMETRY_POLYGON, false,
                                      &arena, &settled, &note),
                     OM_OK);
    if (note.fate != OM_SHAPE_FINE) fail_msg("%s", note.text);
    assert_true(fabs(om_rings_area_km2(&settled, 0) - om_rings_area_km2(r, 0)) <
                1e-9);
    om_arena_deinit(&arena);
    free(x);
    free(y);
}

static void contour_has_every_node_on_its_side(void **state)
{
    (void)state;
    uint64_t seed = 3;
    double value[31 * 31];
    size_t holes = 0;
    for (int round = 0; round < 30; round++) {
        const struct om_pos at = sketch_pos(0, 0);
        const struct om__lattice l = {31, at.x, at.y, 2500, 2500, value};
        for (size_t i = 0; i < 31 * 31; i++) {
            const size_t x = i % 31, y = i / 31;
            const bool rim = !x || !y || x == 30 || y == 30;
            // The first is a chessboard: every mesh is a saddle.
            value[i] = rim     ? 2
                       : round ? mesh_between(&seed, 0.2, 1.8)
                               : (double)((x + y) % 2 * 2);
        }
        struct om_arena arena = {0};
        struct om_rings rings;
        assert_int_equal(om__contour_make(&l, 1, 0, &arena, &rings), OM_OK);
        for (size_t i = 0; i < 31 * 31; i++) {
            const struct om_pos p = {at.x + (uint32_t)(i % 31) * 2500,
                                     at.y + (uint32_t)(i / 31) * 2500};
            assert_true(om_rings_contain(&rings, 0, p) == (value[i] <= 1));
        }
        assert_valid(&rings);
        holes += rings.part_ring[rings.shape_part[1]] - rings.shape_part[1];
        om_arena_deinit(&arena);
    }
    assert_true(holes > 20);
}

/* ---- isochrone ---- */

static void isochrone_is_where_trips_are_short(void **state)
{
    (void)state;
    uint64_t seed = 9;
    struct om_within within = {0};
    size_t judged = 0, wrong = 0, in = 0;
    for (int i = 0; i < 12; i++) {
        const struct om_travel travel = travel_of(i % 2);
        const double minutes = i % 2 ? 3 : 8;
        const struct om_pos at = sketch_pos(mesh_between(&seed, 300, 2000),
                                            mesh_between(&seed, 300, 2000));
        struct om_isochrone iso;
        assert_int_equal(om_isochrone_make(&travel, at, minutes, &within, &iso),
                         OM_OK);
        assert_false(iso.off);
        assert_true(iso.area_km2 > 0.02 &&
                    iso.area_km2 < OM_PI * minutes * minutes *
                                       travel.m_per_min * travel.m_per_min /
                                       1e6);
        assert_valid(&iso.rings);
        for (int p = 0; p < 500; p++) {
            const struct om_pos to =
                sketch_pos(mesh_between(&seed, -200, 2600),
                           mesh_between(&seed, -200, 2600));
            const double took = trip_minutes(&travel, to, at);
            const bool inside = om_rings_contain(&iso.rings, 0, to);
            in += inside;
            if (took > 0.8 * minutes && took < 1.2 * minutes) continue;
            judged++;
            wrong += inside != (took <= minutes);
        }
        om_isochrone_deinit(&iso);
    }
    // Minutes jump where the nearest road is another one: the lattice is right
    // to half a mesh there.
    if (wrong * 100 > judged || in < 200)
        fail_msg("%zu of %zu wrong, %zu inside", wrong, judged, in);
    om_within_deinit(&within);
}

static void isochrone_off_the_roads_is_nowhere(void **state)
{
    (void)state;
    struct om_within within = {0};
    struct om_isochrone iso;
    const struct om_travel travel = travel_of(0);
    assert_int_equal(
        om_isochrone_make(&travel, sketch_pos(-4000, 0), 10, &within, &iso),
        OM_OK);
    assert_true(iso.off && iso.area_km2 == 0 && iso.rings.shape_part[1] == 0);
    om_isochrone_deinit(&iso);
    om_within_deinit(&within);
}

static void isochrone_without_roads_is_a_circle(void **state)
{
    (void)state;
    const struct om_travel travel = travel_of(2);
    const struct om_pos at = sketch_pos(500, 500);
    struct om_isochrone iso;
    assert_int_equal(om_isochrone_make(&travel, at, 10, NULL, &iso), OM_OK);
    assert_valid(&iso.rings);
    for (uint32_t v = 0; v < iso.rings.ring_vertex[1]; v++)
        assert_true(fabs(om_ground_m(at, iso.rings.vertex[v]) - 800 / 1.3) < 4);
    om_isochrone_deinit(&iso);
}

/* ---- error and fault ---- */

static void error_for_what_is_no_number(void **state)
{
    (void)state;
    struct om_within within = {0};
    struct om_isochrone iso;
    struct om_ways ways;
    const struct om_query query = query_at(place[0], 3, NULL);
    for (int i = 0; i < 4; i++) {
        const double bad = (double[]){0, -1, NAN, INFINITY}[i];
        struct om_travel travel = travel_of(0), slow = travel;
        slow.m_per_min = bad;
        assert_int_equal(
            om_isochrone_make(&travel, place[0], bad, &within, &iso),
            OM_E_RANGE);
        assert_int_equal(om_isochrone_make(&slow, place[0], 5, &within, &iso),
                         OM_E_RANGE);
        assert_int_equal(om_ways_nearest(&travel, &query, bad, &within, &ways),
                         OM_E_RANGE);
        assert_int_equal(om_ways_nearest(&slow, &query, 5, &within, &ways),
                         OM_E_RANGE);
    }
    const struct om_travel travel = travel_of(0);
    struct om_query shapes = query;
    shapes.layer = lines;
    assert_int_equal(om_ways_nearest(&travel, &shapes, 5, &within, &ways),
                     OM_E_TYPE);
    om_within_deinit(&within);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct om_query query = query_at(place[3], 30, NULL);
    const struct om_travel travel = travel_of(0);
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_within within = {0};
        struct om_isochrone iso = {0};
        struct om_ways ways = {0};
        om_alloc_fail_after(n, false);
        om_status st = om_ways_nearest(&travel, &query, 60, &within, &ways);
        if (!st) st = om_isochrone_make(&travel, place[3], 5, &within, &iso);
        om_alloc_fail_after(0, false);
        om_ways_deinit(&ways);
        om_isochrone_deinit(&iso);
        om_within_deinit(&within);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_is_that_of_all_trips),
        cmocka_unit_test(nearest_says_that_one_is_off),
        cmocka_unit_test(contour_has_every_node_on_its_side),
        cmocka_unit_test(isochrone_is_where_trips_are_short),
        cmocka_unit_test(isochrone_off_the_roads_is_nowhere),
        cmocka_unit_test(isochrone_without_roads_is_a_circle),
        cmocka_unit_test(error_for_what_is_no_number),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("ways", tests, begin, end);
}
