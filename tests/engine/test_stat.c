/* Gi*, false discovery, Moran's I, rates, trends.
 *
 * Plan
 *   golden_*    agree with R (tests/golden/stat.txt) to 1e-6
 *   oracle_*    Gi* and q by the textbook formula over a full matrix
 *   property_*  order of areas and number of threads change nothing
 *   odd_*       nothing varies, nobody near, everybody near, nothing exposed
 *   fault_*     an allocation fails: a status comes back, nothing leaks
 */
#include <math.h>

#include "engine/stat/fdr.h"
#include "engine/stat/gistar.h"
#include "engine/stat/moran.h"
#include "engine/stat/rates.h"
#include "engine/stat/trend.h"
#include "tests/engine/stat_sample.h"

#define UNITS 42
#define WANTED 13

/* The lattice of the golden table. */
static double value[UNITS], cases[UNITS], exposure[UNITS];
static double want[UNITS][WANTED], whole[6];
static struct om_graph lattice;

static size_t numbers(const char *text, double *out, size_t most)
{
    char *end;
    size_t n = 0;
    for (const char *at = text; n < most; at = end) {
        const double v = strtod(at, &end);
        if (end == at) break;
        out[n++] = v;
    }
    return n;
}

static int read_lattice(void **state)
{
    (void)state;
    char line[1024];
    uint64_t pair[UNITS * 8];
    size_t pairs = 0;
    FILE *file = golden_open("stat.txt");
    while (golden_line(file, line, sizeof line)) {
        double v[WANTED + 4];
        if (!strncmp(line, "global ", 7)) {
            assert_int_equal(numbers(line + 7, whole, 6), 6);
        } else if (!strncmp(line, "unit ", 5)) {
            assert_int_equal(numbers(line + 5, v, WANTED + 4), WANTED + 4);
            const size_t i = (size_t)v[0];
            value[i] = v[1];
            cases[i] = v[2];
            exposure[i] = v[3];
            memcpy(want[i], v + 4, sizeof want[i]);
        } else if (!strncmp(line, "links ", 6)) {
            const size_t n = numbers(line + 6, v, 9);
            for (size_t k = 1; k < n; k++)
                pair[pairs++] = (uint64_t)v[0] << 32 | (uint64_t)v[k];
        }
    }
    fclose(file);
    assert_true(pairs > 200);
    return om__graph_from_pairs(UNITS, pair, pairs, &lattice);
}

static int drop_lattice(void **state)
{
    (void)state;
    om_graph_deinit(&lattice);
    return 0;
}

static void golden_gistar_is_that_of_spdep(void **state)
{
    (void)state;
    double z[UNITS], p[UNITS], q[UNITS];
    struct om_moments m;
    assert_int_equal(om_gistar(&lattice, value, z, &m), OM_OK);
    for (size_t i = 0; i < UNITS; i++) p[i] = om_normal_p(z[i]);
    assert_int_equal(om_fdr_q(p, UNITS, q), OM_OK);
    for (size_t i = 0; i < UNITS; i++) {
        assert_close(z[i], want[i][0]);
        assert_close(p[i], want[i][1]);
        assert_close(q[i], want[i][2]);
    }
    assert_int_equal(m.n, UNITS);
}

static void golden_moran_is_that_of_spdep(void **state)
{
    (void)state;
    struct om_moran_local total[UNITS], held[UNITS];
    struct om_moran m;
    assert_int_equal(om_moran_local(&lattice, value, OM_MORAN_TOTAL, total),
                     OM_OK);
    assert_int_equal(
        om_moran_local(&lattice, value, OM_MORAN_CONDITIONAL, held), OM_OK);
    for (size_t i = 0; i + 1 < UNITS; i++) {
        const double t[] = {total[i].i, total[i].expected, total[i].variance,
                            total[i].z};
        for (int k = 0; k < 4; k++) assert_close(t[k], want[i][3 + k]);
        assert_close(held[i].i, want[i][3]);
        assert_close(held[i].expected, want[i][7]);
        assert_close(held[i].variance, want[i][8]);
        assert_close(held[i].z, want[i][9]);
    }
    // The last one has no neighbours.
    assert_true(isnan(total[UNITS - 1].z) && isnan(held[UNITS - 1].z));
    assert_int_equal(held[UNITS - 1].quadrant, OM_QUADRANT_NONE);
    assert_int_equal(held[0].quadrant, OM_QUADRANT_HH);
    assert_int_equal(om_moran_global(&lattice, value, &m), OM_OK);
    assert_int_equal(m.n, UNITS - 1);
    assert_close(m.i, whole[0]);
    assert_close(m.expected, whole[1]);
    assert_close(m.variance, whole[2]);
    assert_close(m.z, whole[3]);
}

static void golden_rates_are_those_of_spdep(void **state)
{
    (void)state;
    double est[UNITS], standard[UNITS], local[UNITS];
    const struct om_rates r =
        om_rates_global(cases, exposure, UNITS, est, standard);
    assert_close(r.variance, whole[4]);
    assert_close(r.mean, whole[5]);
    assert_int_equal(om_rates_local(&lattice, cases, exposure, local), OM_OK);
    for (size_t i = 0; i < UNITS; i++) {
        assert_close(est[i], want[i][10]);
        assert_close(standard[i], want[i][11]);
        assert_close(local[i], want[i][12]);
    }
}

static void golden_trends_are_those_of_r(void **state)
{
    (void)state;
    char line[1024];
    size_t series = 0;
    FILE *file = golden_open("stat.txt");
    while (golden_line(file, line, sizeof line)) {
        double v[64], apart[2 * 64];
        if (strncmp(line, "trend ", 6) != 0) continue;
        const size_t n = numbers(line + 6, v, 64) - 5;
        assert_int_equal(n, (size_t)v[0]);
        const struct om_trend t = om_mann_kendall(v + 5, n, 1);
        assert_int_equal(t.s, (int64_t)v[1]);
        assert_close(t.z, v[2]);
        assert_close(t.p, v[3]);
        assert_close(t.tau, v[4]);
        for (size_t i = 0; i < n; i++) {
            apart[2 * i] = v[5 + i];
            apart[2 * i + 1] = -1;
        }
        assert_true(om_mann_kendall(apart, n, 2).z == t.z);
        series++;
    }
    fclose(file);
    assert_int_equal(series, 5);
}

/* ---- oracles ---- */

static void random_values(double *x, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        x[i] = floor(mesh_between(seed, 0, 40)) +
               (mesh_random(seed) % 9 ? 0 : 1000 * mesh_unit(seed));
}

static void oracle_gistar_by_the_matrix(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t round = 0; round < test_rounds(30); round++) {
        const size_t n = 2 + mesh_random(&seed) % 60;
        struct om_graph g = random_graph(n, &seed);
        bool *link = matrix_of(&g);
        double x[64], z[64], sum = 0, squares = 0;
        random_values(x, n, &seed);
        assert_int_equal(om_gistar(&g, x, z, NULL), OM_OK);
        for (size_t i = 0; i < n; i++) {
            sum += x[i];
            squares += x[i] * x[i];
        }
        const double mean = sum / (double)n;
        const double s = sqrt(squares / (double)n - mean * mean);
        for (size_t i = 0; i < n; i++) {
            double w = 0, near = 0;
            for (size_t j = 0; j < n; j++)
                if (i == j || link[i * n + j]) {
                    w += 1;
                    near += x[j];
                }
            const double m = (double)n;
            const double spread = s * sqrt((m * w - w * w) / (m - 1));
            assert_close(z[i], spread > 0 ? (near - mean * w) / spread : 0);
        }
        free(link);
        om_graph_deinit(&g);
    }
}

/* Every slice of a cube as its own copy of the graph, linked to the one
 * before: Gi* of that graph is that of the cube. */
static void oracle_cube_is_a_graph_of_bins(void **state)
{
    (void)state;
    enum { N = 20, T = 5 };
    uint64_t seed = 8, pair[N * T * N * 4];
    struct om_graph g = random_graph(N, &seed), bins;
    bool *link = matrix_of(&g);
    double x[N * T], z[N * T], found[N * T];
    size_t pairs = 0;
    for (size_t t = 0; t < T; t++)
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++) {
                const uint64_t here = t * N + i;
                if (link[i * N + j]) pair[pairs++] = here << 32 | (t * N + j);
                if (t && (i == j || link[i * N + j]))
                    pair[pairs++] = here << 32 | ((t - 1) * N + j);
            }
    assert_int_equal(om__graph_from_pairs(N * T, pair, pairs, &bins), OM_OK);
    random_values(x, N * T, &seed);
    assert_int_equal(om_gistar(&bins, x, z, NULL), OM_OK);
    assert_int_equal(om_gistar_cube(&g, x, T, false, found), OM_OK);
    for (size_t i = 0; i < N * T; i++) assert_close(found[i], z[i]);
    // By slices: as if there were no others.
    assert_int_equal(om_gistar_cube(&g, x, T, true, found), OM_OK);
    for (size_t t = 0; t < T; t++) {
        assert_int_equal(om_gistar(&g, x + t * N, z, NULL), OM_OK);
        for (size_t i = 0; i < N; i++) assert_true(found[t * N + i] == z[i]);
    }
    om_graph_deinit(&bins);
    om_graph_deinit(&g);
    free(link);
}

/* q[i] is the least of p * n / rank over all p that are not smaller. */
static void oracle_q_by_definition(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t round = 0; round < test_rounds(40); round++) {
        double p[80], q[80];
        const size_t n = mesh_random(&seed) % 80;
        double tests = 0;
        for (size_t i = 0; i < n; i++) {
            p[i] = mesh_random(&seed) % 7
                       ? floor(mesh_unit(&seed) * 20) / 20 * mesh_unit(&seed)
                       : NAN;
            tests += !isnan(p[i]);
        }
        assert_int_equal(om_fdr_q(p, n, q), OM_OK);
        for (size_t i = 0; i < n; i++) {
            double least = 1;
            for (size_t j = 0; j < n && !isnan(p[i]); j++) {
                double rank = 0;
                if (isnan(p[j]) || p[j] < p[i]) continue;
                for (size_t k = 0; k < n; k++) rank += p[k] <= p[j];
                least = fmin(least, p[j] * tests / rank);
            }
            if (isnan(p[i]))
                assert_true(isnan(q[i]));
            else
                assert_close(q[i], least);
        }
    }
    assert_int_equal(om_fdr_bin(3, 0.01), 3);
    assert_int_equal(om_fdr_bin(-3, 0.05), -2);
    assert_int_equal(om_fdr_bin(3, 0.051), 1);
    assert_int_equal(om_fdr_bin(-3, 0.1001), 0);
    const double p[] = {0.001, 0.02, 0.5}, q[] = {0.003, 0.03, 0.5};
    assert_true(om_fdr_threshold(p, q, 3, 0.05) == 0.02);
    assert_true(om_fdr_threshold(p, q, 3, 0.001) == 0);
}

/* ---- properties ---- */

static void property_order_changes_nothing(void **state)
{
    (void)state;
    enum { N = 300 };
    uint64_t seed = 21, *pair = calloc(8 * N, sizeof *pair);
    struct om_graph g = random_graph(N, &seed), turned;
    double x[N], y[N], z[N], w[N];
    uint32_t to[N];
    size_t pairs = 0;
    random_values(x, N, &seed);
    for (uint32_t i = 0; i < N; i++) to[i] = i;
    for (size_t i = N; i-- > 1;) {
        const size_t j = mesh_random(&seed) % (i + 1);
        const uint32_t swap = to[i];
        to[i] = to[j];
        to[j] = swap;
    }
    for (size_t i = 0; i < N; i++) {
        y[to[i]] = x[i];
        for (size_t k = g.first[i]; k < g.first[i + 1]; k++)
            pair[pairs++] = (uint64_t)to[i] << 32 | to[g.to[k]];
    }
    assert_int_equal(om__graph_from_pairs(N, pair, pairs, &turned), OM_OK);
    assert_int_equal(om_gistar(&g, x, z, NULL), OM_OK);
    assert_int_equal(om_gistar(&turned, y, w, NULL), OM_OK);
    for (size_t i = 0; i < N; i++) assert_true(fabs(z[i] - w[to[i]]) < 1e-9);
    free(pair);
    om_graph_deinit(&g);
    om_graph_deinit(&turned);
}

static void property_threads_change_nothing(void **state)
{
    (void)state;
    enum { N = 40000 };
    uint64_t seed = 77;
    struct om_graph g = random_graph(N, &seed);
    double *x = calloc(N, sizeof *x), *z = calloc(2 * N, sizeof *z);
    struct om_moran_local *m = calloc(2 * N, sizeof *m);
    random_values(x, N, &seed);
    for (size_t k = 0; k < 2; k++) {
        om_threads_set(k ? 3 : 1);
        assert_int_equal(om_gistar(&g, x, z + k * N, NULL), OM_OK);
        assert_int_equal(om_moran_local(&g, x, OM_MORAN_CONDITIONAL, m + k * N),
                         OM_OK);
    }
    om_threads_set(0);
    assert_memory_equal(z, z + N, N * sizeof *z);
    for (size_t i = 0; i < N; i++)
        assert_true(m[i].z == m[N + i].z || isnan(m[i].z));
    free(x);
    free(z);
    free(m);
    om_graph_deinit(&g);
}

/* ---- odd ---- */

static void odd_values_that_do_not_vary(void **state)
{
    (void)state;
    double x[UNITS], z[UNITS];
    struct om_moran_local local[UNITS];
    struct om_moran m;
    for (size_t i = 0; i < UNITS; i++) x[i] = 0.1;
    assert_int_equal(om_gistar(&lattice, x, z, NULL), OM_OK);
    assert_int_equal(om_moran_local(&lattice, x, OM_MORAN_TOTAL, local), OM_OK);
    assert_int_equal(om_moran_global(&lattice, x, &m), OM_OK);
    for (size_t i = 0; i < UNITS; i++)
        assert_true(z[i] == 0 && isnan(local[i].z));
    assert_true(isnan(m.z));
    assert_true(om_mann_kendall(x, UNITS, 1).z == 0);
    assert_true(om_mann_kendall(x, UNITS, 1).p == 1);
    assert_true(om_mann_kendall(x, 1, 1).p == 1);
}

static void odd_graphs(void **state)
{
    (void)state;
    struct om_graph none = {0}, one, all;
    uint64_t pair[] = {UINT64_C(0) << 32 | 1, UINT64_C(1) << 32 | 0};
    double x[] = {4, 9}, z[2];
    struct om_moran m;
    assert_int_equal(om_gistar(&none, NULL, NULL, NULL), OM_OK);
    assert_int_equal(om_fdr_q(NULL, 0, NULL), OM_OK);
    assert_int_equal(om_moran_global(&none, NULL, &m), OM_OK);
    assert_true(isnan(m.i));
    assert_int_equal(om__graph_from_pairs(1, pair, 0, &one), OM_OK);
    assert_int_equal(om_gistar(&one, x, z, NULL), OM_OK);
    assert_true(z[0] == 0);
    // Everybody is a neighbour: the sum is always that of all.
    assert_int_equal(om__graph_from_pairs(2, pair, 2, &all), OM_OK);
    assert_int_equal(om_gistar(&all, x, z, NULL), OM_OK);
    assert_true(z[0] == 0 && z[1] == 0);
    om_graph_deinit(&one);
    om_graph_deinit(&all);
}

static void odd_exposures(void **state)
{
    (void)state;
    double e[UNITS], est[UNITS], standard[UNITS], local[UNITS];
    memcpy(e, exposure, sizeof e);
    e[4] = 0;
    const struct om_rates r = om_rates_global(cases, e, UNITS, est, standard);
    assert_true(r.n == UNITS - 1);
    assert_int_equal(om_rates_local(&lattice, cases, e, local), OM_OK);
    assert_true(isnan(est[4]) && isnan(standard[4]) && isnan(local[4]));
    assert_true(!isnan(local[5]));
    memset(e, 0, sizeof e);  // nothing at all
    const struct om_rates none = om_rates_global(cases, e, UNITS, est, NULL);
    assert_true(none.n == 0);
    assert_true(isnan(est[0]));
    const double zero[UNITS] = {0};  // no cases
    om_rates_global(zero, exposure, UNITS, est, standard);
    assert_int_equal(om_rates_local(&lattice, zero, exposure, local), OM_OK);
    for (size_t i = 0; i < UNITS; i++)
        assert_true(est[i] == 0 && standard[i] == 0 && local[i] == 0);
}

static void fault_memory(void **state)
{
    (void)state;
    double p[UNITS], q[UNITS];
    struct om_moran m;
    const size_t live = om_alloc_live();
    for (size_t i = 0; i < UNITS; i++) p[i] = (double)i / UNITS;
    for (size_t k = 1; k < 20; k++) {
        struct om_graph part = {0};
        bool keep[UNITS] = {true, false, true};
        om_alloc_fail_after(k, false);
        om_status st = om_fdr_q(p, UNITS, q);
        if (!st) st = om_rates_local(&lattice, cases, exposure, q);
        if (!st) st = om_moran_global(&lattice, value, &m);
        if (!st) st = om_graph_subset(&lattice, keep, &part);
        om_alloc_fail_after(0, false);
        om_graph_deinit(&part);
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail_msg("never enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_gistar_is_that_of_spdep),
        cmocka_unit_test(golden_moran_is_that_of_spdep),
        cmocka_unit_test(golden_rates_are_those_of_spdep),
        cmocka_unit_test(golden_trends_are_those_of_r),
        cmocka_unit_test(oracle_gistar_by_the_matrix),
        cmocka_unit_test(oracle_cube_is_a_graph_of_bins),
        cmocka_unit_test(oracle_q_by_definition),
        cmocka_unit_test(property_order_changes_nothing),
        cmocka_unit_test(property_threads_change_nothing),
        cmocka_unit_test(odd_values_that_do_not_vary),
        cmocka_unit_test(odd_graphs),
        cmocka_unit_test(odd_exposures),
        cmocka_unit_test(fault_memory),
    };
    return cmocka_run_group_tests(tests, read_lattice, drop_lattice);
}
