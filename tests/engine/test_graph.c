/* Neighbours: touching, within a distance, nearest; parts of graphs.
 *
 * Plan
 *   touch_*    corners and sides of an irregular partition, with exclaves,
 *              holes and T-junctions, against every pair of polygons
 *   metric_*   the quick distance is within its doubt of the geodesic
 *   band_*, nearest_*  against every pair of places by the geodesic
 *   subset_*   the graph of some areas
 *   odd_*      none, one, all at one place, too many
 *   fault_*    an allocation fails
 */
#include <geos_c.h>
#include <math.h>

#include "engine/query/ground.h"
#include "engine/stat/near.h"
#include "tests/engine/city_sample.h"
#include "tests/engine/stat_sample.h"

static struct city_sample city;
static struct mesh mesh;
static struct om_units units;

static int make_city(void **state)
{
    (void)state;
    const struct mesh_plan plan = {.cols = 9,
                                   .rows = 7,
                                   .bends = 6,
                                   .x = 3.4e9,
                                   .y = 1.8e9,
                                   .step = 1e6,
                                   .t_junctions = true,
                                   .seed = 5};
    mesh_init(&mesh, 20000);
    mesh_partition(&mesh, &plan);
    // One that touches nobody, and two that meet at one corner only.
    const double far[] = {3.3e9, 1.7e9, 3.31e9, 1.7e9, 3.31e9, 1.71e9};
    const double a[] = {3.2e9, 1.7e9, 3.21e9, 1.7e9, 3.21e9, 1.71e9};
    const double b[] = {3.21e9, 1.71e9, 3.22e9, 1.71e9, 3.22e9, 1.72e9};
    mesh_polygon(&mesh, 3, far);
    mesh_polygon(&mesh, 3, a);
    mesh_polygon(&mesh, 3, b);
    city_begin(&city);
    city_add_units(&city, "grid", &mesh, "G");
    return om_units_read(&city.snapshot, "grid", &units, NULL);
}

static int drop_city(void **state)
{
    (void)state;
    om_units_deinit(&units);
    city_end(&city);
    mesh_deinit(&mesh);
    return 0;
}

static GEOSGeometry *geos_of(size_t unit)
{
    const struct om_rings *r = &units.rings;
    const uint32_t ring = r->part_ring[r->shape_part[units.unit[unit].row]];
    const uint32_t from = r->ring_vertex[ring];
    const unsigned n = r->ring_vertex[ring + 1] - from;
    GEOSCoordSequence *s = GEOSCoordSeq_create(n + 1, 2);
    for (unsigned i = 0; i <= n; i++)
        GEOSCoordSeq_setXY(s, i, r->vertex[from + i % n].x,
                           r->vertex[from + i % n].y);
    return GEOSGeom_createPolygon(GEOSGeom_createLinearRing(s), NULL, 0);
}

static void silent(const char *format, ...)
{
    (void)format;
}

/* What two borders have in common: nothing, points, or a stretch. */
static void touch_is_what_geos_says(void **state)
{
    (void)state;
    struct om_graph corner, side;
    initGEOS(silent, silent);
    assert_int_equal(om_graph_touching(&units, OM_TOUCH_CORNER, &corner),
                     OM_OK);
    assert_int_equal(om_graph_touching(&units, OM_TOUCH_SIDE, &side), OM_OK);
    bool *by_corner = matrix_of(&corner), *by_side = matrix_of(&side);
    GEOSGeometry **g = calloc(units.count, sizeof *g);
    size_t corners_only = 0;
    for (size_t i = 0; i < units.count; i++) g[i] = geos_of(i);
    for (size_t i = 0; i < units.count; i++)
        for (size_t j = 0; j < units.count; j++) {
            if (i == j) continue;
            GEOSGeometry *both = GEOSIntersection(g[i], g[j]);
            double length = 0;
            GEOSLength(both, &length);
            const size_t at = i * units.count + j;
            assert_int_equal(by_corner[at], !GEOSisEmpty(both));
            assert_int_equal(by_side[at], length > 0);
            corners_only += by_corner[at] && !by_side[at];
            GEOSGeom_destroy(both);
        }
    assert_true(corners_only >= 2);
    for (size_t i = 0; i < units.count; i++) GEOSGeom_destroy(g[i]);
    free(g);
    finishGEOS();
    free(by_corner);
    free(by_side);
    om_graph_deinit(&corner);
    om_graph_deinit(&side);
}

/* ---- distances ---- */

static void metric_is_within_its_doubt(void **state)
{
    (void)state;
    uint64_t seed = 2;
    double worst = 0;
    for (size_t i = 0; i < test_rounds(200000); i++) {
        const double y = mesh_between(&seed, 0.19, 0.81) * OM_POS_SIDE;
        struct om__near_site a, b;
        om__near_site_init(&a, 3e9, y);
        const double reach = OM_NEAR_RADIUS_MOST_M / a.x_m / 1.5;
        om__near_site_init(&b, 3e9 + mesh_between(&seed, -reach, reach),
                           y + mesh_between(&seed, -reach, reach));
        const double m = om__near_exact_m(&a, &b);
        if (m > OM_NEAR_RADIUS_MOST_M) continue;
        worst = fmax(worst, fabs(om__near_m2(&a, &b) / (m * m) - 1));
    }
    if (worst > OM__NEAR_DOUBT / 2) fail_msg("errs by %g", worst);
}

struct places {
    size_t n;
    double *x, *y;
};

/* Scattered, in heaps and on a lattice, 23 degrees north. */
static struct places make_places(size_t n, uint64_t *seed)
{
    struct places p = {n, calloc(n + 1, sizeof *p.x),
                       calloc(n + 1, sizeof *p.y)};
    const int how = (int)(mesh_random(seed) % 3);
    for (size_t i = 0; i < n; i++) {
        p.x[i] = 3.5e9 + mesh_between(seed, 0, 4e5);
        p.y[i] = 1.86e9 + mesh_between(seed, 0, 4e5);
        if (how == 1 && i && mesh_random(seed) % 2) {
            p.x[i] = p.x[i / 2];
            p.y[i] = p.y[i / 2];
        }
        if (how == 2) {
            p.x[i] = 3.5e9 + 2e4 * (double)(i % 12);
            p.y[i] = 1.86e9 + 2e4 * (double)(i / 12);
        }
    }
    return p;
}

static double metres(const struct places *p, size_t i, size_t j)
{
    double lon[2], lat[2];
    om_world_to_lonlat(p->x[i], p->y[i], &lon[0], &lat[0]);
    om_world_to_lonlat(p->x[j], p->y[j], &lon[1], &lat[1]);
    return om_ground_lonlat_m(lon[0], lat[0], lon[1], lat[1]);
}

static void band_is_every_pair_within(void **state)
{
    (void)state;
    uint64_t seed = 31;
    for (size_t turn = 0; turn < test_rounds(30); turn++) {
        struct places p = make_places(mesh_random(&seed) % 150, &seed);
        const double radius_m = turn % 5 ? mesh_between(&seed, 0, 3000) : 0;
        const struct om_centres places = {p.n, p.x, p.y};
        struct om_graph g;
        assert_int_equal(om_graph_band(&places, radius_m, &g), OM_OK);
        bool *link = matrix_of(&g);
        for (size_t i = 0; i < p.n; i++)
            for (size_t j = 0; j < p.n; j++)
                if (i != j)
                    assert_int_equal(link[i * p.n + j],
                                     metres(&p, i, j) <= radius_m);
        free(link);
        om_graph_deinit(&g);
        free(p.x);
        free(p.y);
    }
}

struct other {
    double m;
    size_t index;
};
static int by_metres(const void *a, const void *b)
{
    const struct other *p = a, *q = b;
    if (p->m != q->m) return p->m < q->m ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

static void nearest_are_the_first_by_distance(void **state)
{
    (void)state;
    uint64_t seed = 90;
    for (size_t turn = 0; turn < test_rounds(40); turn++) {
        struct places p = make_places(1 + mesh_random(&seed) % 150, &seed);
        const size_t k = 1 + mesh_random(&seed) % 12;
        const size_t want = k < p.n - 1 ? k : p.n - 1;
        const struct om_centres places = {p.n, p.x, p.y};
        struct om_graph g;
        assert_int_equal(om_graph_nearest(&places, k, &g), OM_OK);
        bool *link = matrix_of(&g);
        struct other *other = calloc(p.n, sizeof *other);
        for (size_t i = 0; i < p.n; i++) {
            size_t n = 0;
            for (size_t j = 0; j < p.n; j++)
                if (j != i)
                    other[n++] =
                        (struct other){round(metres(&p, i, j) * 1e4), j};
            qsort(other, n, sizeof *other, by_metres);
            assert_int_equal(om_graph_degree(&g, i), want);
            for (size_t r = 0; r < want; r++)
                assert_true(link[i * p.n + other[r].index]);
        }
        free(other);
        free(link);
        om_graph_deinit(&g);
        free(p.x);
        free(p.y);
    }
}

static void subset_keeps_links_between_the_kept(void **state)
{
    (void)state;
    uint64_t seed = 4;
    const size_t n = 80;
    struct om_graph g = random_graph(n, &seed), part;
    bool keep[80], *link = matrix_of(&g);
    size_t number[80], kept = 0;
    for (size_t i = 0; i < n; i++) {
        keep[i] = mesh_random(&seed) % 3 > 0;
        number[i] = kept;
        kept += keep[i];
    }
    assert_int_equal(om_graph_subset(&g, keep, &part), OM_OK);
    assert_int_equal(part.count, kept);
    bool *left = matrix_of(&part);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (keep[i] && keep[j])
                assert_int_equal(left[number[i] * kept + number[j]],
                                 link[i * n + j]);
    free(link);
    free(left);
    om_graph_deinit(&g);
    om_graph_deinit(&part);
}

static void odd_places(void **state)
{
    (void)state;
    double x[300], y[300];
    struct om_centres places = {0, x, y};
    struct om_graph g;
    assert_int_equal(om_graph_band(&places, 100, &g), OM_OK);
    assert_int_equal(g.count, 0);
    om_graph_deinit(&g);
    assert_int_equal(om_graph_nearest(&places, 3, &g), OM_OK);
    om_graph_deinit(&g);
    for (size_t i = 0; i < 300; i++) {
        x[i] = 3.5e9;
        y[i] = 1.86e9;
    }
    places.count = 300;  // all at one place
    assert_int_equal(om_graph_nearest(&places, 5, &g), OM_OK);
    for (size_t k = 0; k < 5; k++) assert_int_equal(g.to[k], k + 1);
    om_graph_deinit(&g);
    assert_int_equal(om_graph_band(&places, 0, &g), OM_OK);
    assert_int_equal(om_graph_degree(&g, 7), 299);
    om_graph_deinit(&g);
    assert_int_equal(om_graph_band(&places, -1, &g), OM_E_RANGE);
    assert_int_equal(om_graph_band(&places, NAN, &g), OM_E_RANGE);
    assert_int_equal(om_graph_band(&places, 1e6, &g), OM_E_RANGE);
}

static void odd_too_many(void **state)
{
    (void)state;
    const size_t n = 9000;  // 81 M pairs
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    struct om_graph g;
    for (size_t i = 0; i < n; i++) y[i] = 2e9;
    const struct om_centres places = {n, x, y};
    assert_int_equal(om_graph_nearest(&places, n, &g), OM_E_COST);
    assert_null(g.first);
    free(x);
    free(y);
}

static void fault_memory(void **state)
{
    (void)state;
    double x[40], y[40];
    const struct om_centres places = {40, x, y};
    for (size_t i = 0; i < 40; i++) {
        x[i] = 3.5e9 + 1e4 * (double)(i % 7);
        y[i] = 1.86e9 + 1e4 * (double)(i / 7);
    }
    const size_t live = om_alloc_live();
    for (size_t k = 1; k < 200; k++) {
        struct om_graph g[3] = {0};
        om_alloc_fail_after(k, false);
        om_status st = om_graph_touching(&units, OM_TOUCH_SIDE, &g[0]);
        if (!st) st = om_graph_band(&places, 500, &g[1]);
        if (!st) st = om_graph_nearest(&places, 4, &g[2]);
        om_alloc_fail_after(0, false);
        for (int i = 0; i < 3; i++) om_graph_deinit(&g[i]);
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail_msg("never enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touch_is_what_geos_says),
        cmocka_unit_test(metric_is_within_its_doubt),
        cmocka_unit_test(band_is_every_pair_within),
        cmocka_unit_test(nearest_are_the_first_by_distance),
        cmocka_unit_test(subset_keeps_links_between_the_kept),
        cmocka_unit_test(odd_places),
        cmocka_unit_test(odd_too_many),
        cmocka_unit_test(fault_memory),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
