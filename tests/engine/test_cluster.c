/* DBSCAN and hulls.
 *
 * Plan
 *   golden_*    agrees with scikit-learn (tests/golden/clusters.txt)
 *   oracle_*    every pair of points by the geodesic: cores, clusters, borders
 *   property_*  order of points and number of threads change nothing
 *   hull_*      holds all its points, has no needless corner
 *   odd_*       none, one, stacks, all of one cluster, eps below a cell
 *   fault_*     an allocation fails
 */
#include <math.h>

#include "engine/query/ground.h"
#include "engine/shape/exact.h"
#include "engine/stat/cluster.h"
#include "engine/stat/near.h"
#include "tests/engine/stat_sample.h"

static void golden_clusters_are_those_of_scikit_learn(void **state)
{
    (void)state;
    struct om_pos pos[512];
    int core[512], label[512], near[512];
    char line[256];
    size_t n = 0;
    FILE *file = golden_open("clusters.txt");
    while (golden_line(file, line, sizeof line)) {
        double lon, lat;
        assert_int_equal(sscanf(line, "point %lf %lf %d %d %d", &lon, &lat,
                                &core[n], &label[n], &near[n]),
                         5);
        assert_int_equal(om_pos_from_lonlat(lon, lat, &pos[n++]), OM_OK);
    }
    fclose(file);
    struct om_clusters c;
    assert_int_equal(om_clusters_find(pos, n, 60, 5, &c), OM_OK);
    assert_int_equal(c.count, 4);
    uint32_t name[8];
    memset(name, 0xff, sizeof name);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(c.core[i], core[i]);
        assert_int_equal(c.of[i] == OM_NOISE, label[i] < 0);
        if (near[i] < 0) continue;
        if (name[near[i]] == UINT32_MAX) name[near[i]] = c.of[i];
        assert_int_equal(c.of[i], name[near[i]]);
    }
    om_clusters_deinit(&c);
}

/* Heaps of several densities, stacks, chains and noise. */
static size_t make_points(struct om_pos *pos, size_t n, uint64_t *seed)
{
    double hx = 0, hy = 0, spread = 1;
    for (size_t i = 0; i < n; i++) {
        if (i % 40 == 0) {
            hx = mesh_between(seed, 0, 2e5);
            hy = mesh_between(seed, 0, 2e5);
            spread = mesh_between(seed, 1e3, 2e4);
        }
        const uint64_t how = mesh_random(seed) % 10;
        double x = hx + spread * (mesh_unit(seed) - mesh_unit(seed));
        double y = hy + spread * (mesh_unit(seed) - mesh_unit(seed));
        if (how == 0) x = mesh_between(seed, 0, 2e5);
        if (how == 1) y = hy + 5e3;  // a street
        pos[i] = (struct om_pos){(uint32_t)(3.5e9 + x), (uint32_t)(1.86e9 + y)};
        if (how > 6 && i) pos[i] = pos[i - 1];
    }
    return n;
}

static bool within(struct om_pos a, struct om_pos b, double eps_m)
{
    return om_ground_m(a, b) <= eps_m;
}

/* Spread label `of` over all core points that can be reached from i. */
static void flood(const struct om_pos *pos, size_t n, double eps_m,
                  const bool *core, uint32_t *label, size_t i, uint32_t of)
{
    size_t *stack = calloc(n, sizeof *stack), top = 0;
    label[i] = of;
    stack[top++] = i;
    while (top) {
        const size_t at = stack[--top];
        for (size_t j = 0; j < n; j++)
            if (core[j] && label[j] == OM_NOISE &&
                within(pos[at], pos[j], eps_m)) {
                label[j] = of;
                stack[top++] = j;
            }
    }
    free(stack);
}

static void check(const struct om_pos *pos, size_t n, double eps_m,
                  uint64_t least)
{
    struct om_clusters c;
    assert_int_equal(om_clusters_find(pos, n, eps_m, least, &c), OM_OK);
    bool *core = calloc(n + 1, sizeof *core);
    uint32_t *label = calloc(n + 1, sizeof *label), labels = 0;
    uint32_t *name = calloc(n + 1, sizeof *name);
    for (size_t i = 0; i < n; i++) {
        uint64_t near = 0;
        for (size_t j = 0; j < n; j++) near += within(pos[i], pos[j], eps_m);
        core[i] = near >= least;
        label[i] = OM_NOISE;
        assert_int_equal(c.core[i], core[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (core[i] && label[i] == OM_NOISE)
            flood(pos, n, eps_m, core, label, i, labels++);
    assert_int_equal(c.count, labels);
    memset(name, 0xff, (n + 1) * sizeof *name);
    uint64_t noise = 0;
    for (size_t i = 0; i < n; i++) {
        if (core[i]) {  // one name a label
            if (name[label[i]] == UINT32_MAX) name[label[i]] = c.of[i];
            assert_int_equal(name[label[i]], c.of[i]);
            continue;
        }
        // A border point is with a core point that none is much nearer than.
        double least_m = INFINITY, mine_m = INFINITY;
        for (size_t j = 0; j < n; j++) {
            if (!core[j]) continue;
            const double m = om_ground_m(pos[i], pos[j]);
            if (m > eps_m) continue;
            least_m = fmin(least_m, m);
            if (c.of[j] == c.of[i]) mine_m = fmin(mine_m, m);
        }
        assert_int_equal(c.of[i] == OM_NOISE, isinf(least_m) != 0);
        if (c.of[i] != OM_NOISE)
            assert_true(mine_m <= least_m * (1 + OM__NEAR_DOUBT));
        noise += c.of[i] == OM_NOISE;
    }
    assert_true(c.noise == noise);
    uint64_t points = noise;
    for (size_t k = 0; k < c.count; k++) {
        points += c.cluster[k].points;
        if (k) assert_true(c.cluster[k].points <= c.cluster[k - 1].points);
        assert_true(c.cluster[k].cores >= 1);
    }
    assert_true(points == n);
    free(core);
    free(label);
    free(name);
    om_clusters_deinit(&c);
}

static void oracle_every_pair_of_points(void **state)
{
    (void)state;
    uint64_t seed = 12;
    for (size_t turn = 0; turn < test_rounds(25); turn++) {
        struct om_pos pos[300];
        const size_t n = make_points(pos, 1 + mesh_random(&seed) % 300, &seed);
        check(pos, n, mesh_between(&seed, 5, 300), 1 + mesh_random(&seed) % 20);
    }
}

static void property_order_and_threads_change_nothing(void **state)
{
    (void)state;
    enum { N = 4000 };
    uint64_t seed = 9;
    struct om_pos *pos = calloc(N, sizeof *pos), *turned = calloc(N, 8);
    uint32_t *to = calloc(N, sizeof *to);
    make_points(pos, N, &seed);
    for (uint32_t i = 0; i < N; i++) to[i] = i;
    for (size_t i = N; i-- > 1;) {
        const size_t j = mesh_random(&seed) % (i + 1);
        const uint32_t swap = to[i];
        to[i] = to[j];
        to[j] = swap;
    }
    for (size_t i = 0; i < N; i++) turned[to[i]] = pos[i];
    struct om_clusters a, b;
    om_threads_set(1);
    assert_int_equal(om_clusters_find(pos, N, 40, 8, &a), OM_OK);
    om_threads_set(3);
    assert_int_equal(om_clusters_find(turned, N, 40, 8, &b), OM_OK);
    om_threads_set(0);
    assert_true(a.count > 5 && a.count == b.count && a.noise == b.noise);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(a.of[i], b.of[to[i]]);
        assert_int_equal(a.core[i], b.core[to[i]]);
    }
    assert_memory_equal(a.cluster, b.cluster, a.count * sizeof *a.cluster);
    om_clusters_deinit(&a);
    om_clusters_deinit(&b);
    free(pos);
    free(turned);
    free(to);
}

static void hull_holds_its_points(void **state)
{
    (void)state;
    uint64_t seed = 44;
    for (size_t turn = 0; turn < test_rounds(200); turn++) {
        struct om_pos pos[40], hull[40];
        const size_t n = 3 + mesh_random(&seed) % 37;
        const uint32_t side = turn % 3 ? UINT32_MAX : 6;
        for (size_t i = 0; i < n; i++)
            pos[i] = (struct om_pos){(uint32_t)mesh_between(&seed, 0, side),
                                     (uint32_t)mesh_between(&seed, 0, side)};
        const size_t corners = om_hull(pos, n, hull);
        for (size_t k = 0; k < corners && corners > 2; k++) {
            const struct om_pos a = hull[k], b = hull[(k + 1) % corners];
            // A real corner, and everything on the right: clockwise.
            assert_true(om__turn(a, b, hull[(k + 2) % corners]) > 0);
            for (size_t i = 0; i < n; i++)
                assert_true(om__turn(a, b, pos[i]) >= 0);
        }
    }
    struct om_pos line[] = {{1, 1}, {3, 3}, {2, 2}, {3, 3}}, out[4];
    assert_int_equal(om_hull(line, 4, out), 2);
    assert_int_equal(om_hull(line, 1, out), 1);
    assert_int_equal(om_hull(line, 0, out), 0);
}

static void hull_of_a_cluster(void **state)
{
    (void)state;
    struct om_pos pos[] = {{3500000000u, 1860000000u},
                           {3500010000u, 1860000000u},
                           {3500010000u, 1860010000u},
                           {3500000000u, 1860010000u},
                           {3500005000u, 1860005000u}};
    struct om_clusters c;
    assert_int_equal(om_clusters_find(pos, 5, 200, 1, &c), OM_OK);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.hull.ring_vertex[1], 4);
    const double side_m = 10000 * om_world_ground_m(1860005000.0);
    assert_true(fabs(c.cluster[0].area_km2 * 1e6 / (side_m * side_m) - 1) <
                0.01);
    assert_close(c.cluster[0].x, 3500005000.5);
    om_clusters_deinit(&c);
}

static void odd_sets(void **state)
{
    (void)state;
    struct om_clusters c;
    struct om_pos pos[2000];
    for (size_t i = 0; i < 2000; i++)
        pos[i] = (struct om_pos){3500000000u, 1860000000u};
    assert_int_equal(om_clusters_find(pos, 0, 10, 1, &c), OM_OK);
    assert_int_equal(c.count, 0);
    om_clusters_deinit(&c);
    check(pos, 1, 10, 1);
    check(pos, 1, 10, 2);
    check(pos, 300, 10, 300);  // a stack is as many points
    check(pos, 300, 10, 301);
    pos[7].x += 1;
    check(pos, 50, 0.004, 2);  // eps below a cell of the grid
    check(pos, 50, 0.02, 50);
    pos[8] = (struct om_pos){0, 0};
    pos[9] = (struct om_pos){UINT32_MAX, UINT32_MAX};
    check(pos, 50, 15000, 5);
    assert_int_equal(om_clusters_find(pos, 5, 0, 1, &c), OM_E_RANGE);
    assert_int_equal(om_clusters_find(pos, 5, NAN, 1, &c), OM_E_RANGE);
    assert_int_equal(om_clusters_find(pos, 5, 1e9, 1, &c), OM_E_RANGE);
    assert_int_equal(om_clusters_find(pos, 5, 10, 0, &c), OM_E_RANGE);
}

static void fault_memory(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct om_pos pos[200];
    make_points(pos, 200, &seed);
    const size_t live = om_alloc_live();
    for (size_t k = 1; k < 200; k++) {
        struct om_clusters c;
        om_alloc_fail_after(k, false);
        const om_status st = om_clusters_find(pos, 200, 50, 4, &c);
        om_alloc_fail_after(0, false);
        om_clusters_deinit(&c);
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail_msg("never enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_clusters_are_those_of_scikit_learn),
        cmocka_unit_test(oracle_every_pair_of_points),
        cmocka_unit_test(property_order_and_threads_change_nothing),
        cmocka_unit_test(hull_holds_its_points),
        cmocka_unit_test(hull_of_a_cluster),
        cmocka_unit_test(odd_sets),
        cmocka_unit_test(fault_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
