/* Fields at places that are no pixels, and the bandwidth by Silverman's rule.
 *
 * Plan
 *   golden_*     values and bandwidths that R gives (tests/golden/field.txt)
 *   agree_*      places, tiles and exact sums show one field
 *   mass_*       values times areas are the weight, whatever the cells
 *   mean_*       a cell wider than the bandwidth holds what lies in it
 *   rule_*       Silverman's rule against a loop in double; threads; its ends
 *   fault_*      places that are none, no memory
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/thread.h"
#include "tests/engine/field_sample.h"
#include "tests/rounds.h"

#define MID 2147483648.0
/* Dongguan's latitude. */
#define CITY_X 3466000000.0
#define CITY_Y 1863000000.0

static struct om_fields *fields;

static int set_up(void **state)
{
    (void)state;
    return (int)om_fields_new((size_t)1 << 30, &fields);
}
static int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    return 0;
}

/* Ground metres of a grid cell, by the radii of curvature. */
static void cell_m(double y, double *east, double *south)
{
    const double psi = (1.0 - 2.0 * y / OM_POS_SIDE) * OM_PI;
    const double lat = atan(sinh(psi)), s = sin(lat);
    const double w2 = 1.0 - OM_WGS84_E2 * s * s;
    *east = OM_POS_CELL_M * cos(lat) / sqrt(w2);
    *south = OM_POS_CELL_M * cos(lat) * (1.0 - OM_WGS84_E2) / pow(w2, 1.5);
}

static struct om_field_spec spec_of(const struct om_layer *layer,
                                    const struct om_selection *selection,
                                    double bandwidth_m, enum om_kernel kernel)
{
    return (struct om_field_spec){.layer = layer,
                                  .selection = selection,
                                  .kernel = kernel,
                                  .bandwidth_m = bandwidth_m,
                                  .weight = OM_WEIGHT_ONE};
}

/* ---- golden ------------------------------------------------------------ */

struct golden {
    struct field_row row[100];
    double expect[100][3], bandwidth[2];
    size_t count;
};

static void read_golden(struct golden *g)
{
    static const char NAME[] = "tests/golden/field.txt";
    FILE *file = fopen(NAME, "r");
    if (!file) {
        char path[600];
        const char *slash = strstr(__FILE__, "tests/engine/");
        snprintf(path, sizeof path, "%.*s%s",
                 slash ? (int)(slash - __FILE__) : 0, __FILE__, NAME);
        file = fopen(path, "r");
    }
    assert_non_null(file);
    char line[300];
    while (fgets(line, sizeof line, file)) {
        double x, y, w, *e = g->expect[g->count];
        sscanf(line, "silverman %lf %lf", &g->bandwidth[0], &g->bandwidth[1]);
        if (sscanf(line, "point %lf %lf %lf expect %lf %lf %lf", &x, &y, &w,
                   &e[0], &e[1], &e[2]) != 6)
            continue;
        g->row[g->count++] = (struct field_row){
            .pos = {(uint32_t)(MID + x), (uint32_t)(MID + y)},
            .people = (int64_t)w};
    }
    fclose(file);
    assert_true(g->count == 20 && g->bandwidth[1] > 0.0);
}

static void golden_values_are_those_of_r(void **state)
{
    (void)state;
    static struct golden g;
    read_golden(&g);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, g.row, g.count), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    static const enum om_kernel KERNEL[] = {
        OM_KERNEL_QUARTIC, OM_KERNEL_EPANECHNIKOV, OM_KERNEL_GAUSSIAN};
    for (size_t k = 0; k < 3; k++) {
        struct om_field_spec spec =
            spec_of(&l.layer, &all, k == 2 ? 3000.0 : 800.0, KERNEL[k]);
        spec.weight.column = FIELD_PEOPLE;
        for (size_t i = 0; i < g.count; i++) {
            double value;
            assert_int_equal(om_field_exact(&spec, g.row[i].pos.x + 0.5,
                                            g.row[i].pos.y + 0.5, &value),
                             OM_OK);
            assert_true(fabs(value / g.expect[i][k] - 1.0) < 1e-6);
        }
    }
    struct om_field_spec spec =
        spec_of(&l.layer, &all, 800.0, OM_KERNEL_QUARTIC);
    double h;
    assert_int_equal(om_field_bandwidth(&spec, &h), OM_OK);
    assert_true(fabs(h / g.bandwidth[0] - 1.0) < 1e-6);
    spec.weight.column = FIELD_PEOPLE;
    assert_int_equal(om_field_bandwidth(&spec, &h), OM_OK);
    assert_true(fabs(h / g.bandwidth[1] - 1.0) < 1e-6);
    field_layer_free(&l);
}

/* ---- a raster turned against the grid ---------------------------------- */

#define CELLS 40

struct raster {
    struct om_places places;
    double x[CELLS * CELLS], y[CELLS * CELLS];
    double corner_x[(CELLS + 1) * (CELLS + 1)];
    double corner_y[(CELLS + 1) * (CELLS + 1)];
    float value[CELLS * CELLS];
    double km2[CELLS * CELLS];  // of the quadrangle
};

/* CELLS x CELLS squares of `side_m`, turned by `angle`, around (x, y). The
 * ground is taken as a plane as it is there. */
static void make_raster(struct raster *r, double x, double y, double side_m,
                        double angle)
{
    double east, south;
    cell_m(y, &east, &south);
    for (size_t i = 0; i < (CELLS + 1) * (CELLS + 1); i++) {
        const double u = ((double)(i % (CELLS + 1)) - CELLS / 2.0) * side_m;
        const double v = ((double)(i / (CELLS + 1)) - CELLS / 2.0) * side_m;
        r->corner_x[i] = x + (u * cos(angle) - v * sin(angle)) / east;
        r->corner_y[i] = y + (u * sin(angle) + v * cos(angle)) / south;
    }
    for (size_t i = 0; i < CELLS * CELLS; i++) {
        const size_t a = i / CELLS * (CELLS + 1) + i % CELLS, c = a + CELLS + 1;
        const double *px = r->corner_x, *py = r->corner_y;
        r->x[i] = (px[a] + px[a + 1] + px[c] + px[c + 1]) / 4.0;
        r->y[i] = (py[a] + py[a + 1] + py[c] + py[c + 1]) / 4.0;
        const double cells =
            0.5 * fabs((px[c + 1] - px[a]) * (py[c] - py[a + 1]) -
                       (px[c] - px[a + 1]) * (py[c + 1] - py[a]));
        cell_m(r->y[i], &east, &south);
        r->km2[i] = cells * east * south / 1e6;
    }
    r->places = (struct om_places){CELLS,  CELLS,       r->x,       r->y,
                                   side_m, r->corner_x, r->corner_y};
}

static void evaluate(const struct om_field_spec *spec, struct raster *r)
{
    struct om_arena arena = {0};
    assert_int_equal(
        om_field_places(fields, spec, &r->places, &arena, r->value), OM_OK);
    om_arena_deinit(&arena);
}

/* Clusters of stacks within `wide` grid cells of (x, y). */
static struct field_row *make_rows(size_t n, double x, double y, double wide,
                                   uint64_t seed)
{
    struct field_row *row = calloc(n, sizeof *row);
    for (size_t i = 0; i < n;) {
        uint64_t place = field_random(&seed) % 40 * 977 + 1;
        const double cx = field_uniform(&place) - 0.5;
        const double cy = field_uniform(&place) - 0.5;
        const double spread = 0.02 + 0.3 * field_uniform(&place);
        double gx = 0.0, gy = 0.0;
        for (int k = 0; k < 4; k++) {
            gx += (field_uniform(&seed) - 0.5) / 2.0;
            gy += (field_uniform(&seed) - 0.5) / 2.0;
        }
        const struct om_pos pos = {
            (uint32_t)(x + 2.0 * wide * (0.7 * cx + spread * gx)),
            (uint32_t)(y + 2.0 * wide * (0.7 * cy + spread * gy))};
        for (uint64_t k = 1 + field_random(&seed) % 9; k && i < n; k--)
            row[i++] =
                (struct field_row){.pos = pos,
                                   .people = (int64_t)(field_random(&seed) % 9),
                                   .score = field_uniform(&seed)};
    }
    return row;
}

/* ---- agree ------------------------------------------------------------- */

static void agree_lone(enum om_kernel kernel)
{
    static const double BANDWIDTHS[] = {10.0, 63.0, 800.0, 20000.0};
    static const double PARTS[] = {1.0, 2.3, 4.0, 16.0, 60.0};
    static struct raster r;
    uint64_t seed = 3;
    for (size_t b = 0; b < 4; b++)
        for (size_t p = 0; p < 5; p++) {
            const double h = BANDWIDTHS[b], side = h / PARTS[p];
            const struct field_row row = {
                .pos = {(uint32_t)(CITY_X + 1e6 * field_uniform(&seed)),
                        (uint32_t)(CITY_Y + 1e6 * field_uniform(&seed))}};
            struct field_layer l = {0};
            assert_int_equal(field_layer_add(&l, &row, 1), OM_OK);
            const struct om_selection all = field_all(&l.layer);
            const struct om_field_spec spec =
                spec_of(&l.layer, &all, h, kernel);
            make_raster(&r, row.pos.x + 0.5 + side * 20 * field_uniform(&seed),
                        row.pos.y + 0.5, side, field_uniform(&seed) - 0.5);
            evaluate(&spec, &r);
            double peak, exact, worst = 0.0;
            assert_int_equal(
                om_field_exact(&spec, row.pos.x + 0.5, row.pos.y + 0.5, &peak),
                OM_OK);
            for (size_t i = 0; i < CELLS * CELLS; i++) {
                assert_int_equal(om_field_exact(&spec, r.x[i], r.y[i], &exact),
                                 OM_OK);
                worst = fmax(worst, fabs((double)r.value[i] - exact));
            }
            // The Gaussian ends in a step, which factors soften by half of it.
            if (worst > 0.01 * peak)
                print_message("kernel %d h %g side %g: %.3f %%\n", kernel, h,
                              side, 100.0 * worst / peak);
            assert_true(worst <= 0.01 * peak);
            field_layer_free(&l);
        }
}

static void agree_with_the_exact_sum_of_a_lone_point(void **state)
{
    (void)state;
    for (int k = 0; k < OM_KERNELS; k++) agree_lone((enum om_kernel)k);
}

static void agree_with_tiles_and_sums_in_a_crowd(void **state)
{
    (void)state;
    const size_t n = 120000;
    struct field_row *row = make_rows(n, CITY_X, CITY_Y, 1e6, 7);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    static struct raster r;
    static float tile[256 * 256];
    for (int k = 0; k < OM_KERNELS; k++)
        for (unsigned z = 11; z <= 17; z++) {
            const struct om_field_spec spec =
                spec_of(&l.layer, &all, 300.0, (enum om_kernel)k);
            const struct om_field_window w = {
                z, (uint32_t)ldexp(row[5].pos.x, (int)z - 32),
                (uint32_t)ldexp(row[5].pos.y, (int)z - 32), 256};
            struct om_arena arena = {0};
            assert_int_equal(om_field_window(fields, &spec, &w, &arena, tile),
                             OM_OK);
            om_arena_deinit(&arena);
            double most, sum, exact, worst = 0.0, apart = 0.0;
            assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
            // Places in the middle of pixels of the tile.
            const double px = ldexp(1.0, 24 - (int)z);
            double east, south;
            cell_m(CITY_Y, &east, &south);
            for (size_t i = 0; i < CELLS * CELLS; i++) {
                r.x[i] =
                    ((double)w.x * 256 + (double)(i % CELLS) * 6 + 0.5) * px;
                r.y[i] =
                    ((double)w.y * 256 + (double)(i / CELLS) * 6 + 0.5) * px;
            }
            r.places = (struct om_places){CELLS,     CELLS, r.x, r.y,
                                          px * east, NULL,  NULL};
            if (r.places.cell_m > 300.0) continue;
            evaluate(&spec, &r);
            for (size_t i = 0; i < CELLS * CELLS; i += 7) {
                assert_int_equal(om_field_exact(&spec, r.x[i], r.y[i], &exact),
                                 OM_OK);
                worst = fmax(worst, fabs((double)r.value[i] - exact));
                const float t = tile[i / CELLS * 6 * 256 + i % CELLS * 6];
                apart = fmax(apart, fabs((double)(r.value[i] - t)));
            }
            if (worst > 0.005 * most || apart > 0.01 * most)
                print_message("kernel %d z %u: %.3f %% %.3f %%\n", k, z,
                              100.0 * worst / most, 100.0 * apart / most);
            assert_true(worst <= 0.005 * most && apart <= 0.01 * most);
        }
    field_layer_free(&l);
    free(row);
}

/* One place, or a line of them, is the same field. */
static void agree_with_themselves_in_any_block(void **state)
{
    (void)state;
    const size_t n = 60000;
    struct field_row *row = make_rows(n, CITY_X, CITY_Y, 4e5, 31);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    static struct raster r;
    make_raster(&r, CITY_X, CITY_Y, 90.0, 0.3);
    for (int k = 0; k < OM_KERNELS; k++) {
        const struct om_field_spec spec =
            spec_of(&l.layer, &all, 500.0, (enum om_kernel)k);
        evaluate(&spec, &r);
        double most, sum;
        assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
        for (size_t i = 0; i < CELLS * CELLS; i += 37) {
            struct om_arena arena = {0};
            const struct om_places one = {1,    1,    &r.x[i], &r.y[i],
                                          90.0, NULL, NULL};
            float value;
            assert_int_equal(
                om_field_places(fields, &spec, &one, &arena, &value), OM_OK);
            om_arena_deinit(&arena);
            if (k == OM_KERNEL_EPANECHNIKOV)
                assert_true(fabs((double)(value - r.value[i])) < 1e-4 * most);
            else  // the same nodes
                assert_true(value == r.value[i]);
        }
    }
    field_layer_free(&l);
    free(row);
}

/* ---- mass -------------------------------------------------------------- */

static double mass_of(const struct raster *r)
{
    double sum = 0.0;
    for (size_t i = 0; i < CELLS * CELLS; i++)
        sum += (double)r->value[i] * r->km2[i];
    return sum;
}

static void mass_is_the_weight_in_cells_of_any_size(void **state)
{
    (void)state;
    static struct raster r;
    const size_t n = 8000;
    for (int round = 0; round < 3; round++) {
        // A crowd, one point, all rows in one place.
        struct field_row *row = make_rows(n, CITY_X, CITY_Y, 3e5, 11);
        const size_t rows = round == 1 ? 1 : n;
        for (size_t i = 0; round == 2 && i < n; i++) row[i].pos = row[0].pos;
        struct field_layer l = {0};
        assert_int_equal(field_layer_add(&l, row, rows), OM_OK);
        const struct om_selection all = field_all(&l.layer);
        const double x = round ? row[0].pos.x : CITY_X;
        const double y = round ? row[0].pos.y : CITY_Y;
        for (int k = 0; k < OM_KERNELS; k++)
            for (int b = 0; b < 4; b++) {
                static const double WIDE[] = {60.0, 400.0, 900.0, 2000.0};
                const double h = WIDE[b];
                // All around the rows, and at least 5 cells a bandwidth or
                // cells wider than it.
                const double reach = (round ? 0.0 : 7000.0) + 1.2 * h;
                const double side = 2.0 * reach / CELLS;
                const double grown =
                    side <= h && side > h / 5 ? 1.01 * h : side;
                struct om_field_spec spec =
                    spec_of(&l.layer, &all, h, (enum om_kernel)k);
                spec.weight.column = FIELD_SCORE;
                double weight;
                assert_int_equal(om_field_weight(fields, &spec, &weight),
                                 OM_OK);
                for (int turn = 0; turn < 2; turn++) {
                    make_raster(&r, x, y, grown, turn * 0.4);
                    evaluate(&spec, &r);
                    const double mass = mass_of(&r);
                    if (fabs(mass / weight - 1.0) > 0.005)
                        print_message("round %d kernel %d h %g side %g: %g\n",
                                      round, k, h, grown, mass / weight);
                    assert_true(fabs(mass / weight - 1.0) <= 0.005);
                }
            }
        field_layer_free(&l);
        free(row);
    }
}

/* ---- mean -------------------------------------------------------------- */

static void mean_of_a_wide_cell_is_what_lies_in_it(void **state)
{
    (void)state;
    static struct raster r;
    const size_t n = 3000;
    struct field_row *row = make_rows(n, CITY_X, CITY_Y, 3e5, 23);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const double side = 400.0, angle = 0.35;
    make_raster(&r, CITY_X, CITY_Y, side, angle);
    for (int k = 0; k < OM_KERNELS; k++) {
        // Kernels small beside the cell: counting rows comes close, and those
        // that no edge cuts are exact.
        const double h = 10.0;
        const struct om_field_spec spec =
            spec_of(&l.layer, &all, h, (enum om_kernel)k);
        evaluate(&spec, &r);
        double east, south, most = 0.0, least = 0.0;
        static double sure[CELLS * CELLS], maybe[CELLS * CELLS];
        memset(sure, 0, sizeof sure);
        memset(maybe, 0, sizeof maybe);
        cell_m(CITY_Y, &east, &south);
        for (size_t i = 0; i < n; i++) {
            const double dx = (row[i].pos.x + 0.5 - CITY_X) * east;
            const double dy = (row[i].pos.y + 0.5 - CITY_Y) * south;
            const double u =
                (dx * cos(angle) + dy * sin(angle)) / side + CELLS / 2.0;
            const double v =
                (dy * cos(angle) - dx * sin(angle)) / side + CELLS / 2.0;
            const double near = 1.1 * h / side;
            const bool cut = floor(u - near) != floor(u + near) ||
                             floor(v - near) != floor(v + near);
            for (int c = 0; c < 4; c++) {
                const double p = floor(u + (c & 1 ? near : -near));
                const double q = floor(v + (c & 2 ? near : -near));
                if (p < 0 || q < 0 || p >= CELLS || q >= CELLS) continue;
                if (cut)
                    maybe[(size_t)q * CELLS + (size_t)p] = 1.0;
                else if (c == 0)
                    sure[(size_t)q * CELLS + (size_t)p] += 1.0;
            }
        }
        size_t seen = 0;
        for (size_t i = 0; i < CELLS * CELLS; i++) {
            const double got = (double)r.value[i] * r.km2[i];
            if (maybe[i] > 0.0) {
                assert_true(got >= sure[i] * 0.999 - 1e-6);
                continue;
            }
            seen += sure[i] > 0.0;
            most = fmax(most, got - sure[i]);
            least = fmin(least, got - sure[i]);
            assert_true(fabs(got - sure[i]) <= 1e-3 * sure[i]);
        }
        assert_true(seen > 20);
    }
    field_layer_free(&l);
    free(row);
}

/* A lone kernel cut by edges: against its integral over the cell. */
static void mean_of_a_lone_kernel_is_its_integral(void **state)
{
    (void)state;
    static struct raster r;
    const struct field_row row = {.pos = {(uint32_t)CITY_X, (uint32_t)CITY_Y}};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, &row, 1), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    uint64_t seed = 8;
    for (size_t round = 0; round < test_rounds(12); round++)
        for (int k = 0; k < OM_KERNELS; k++) {
            const double h = 500.0,
                         side = h * (1.01 + 2.0 * field_uniform(&seed));
            const struct om_field_spec spec =
                spec_of(&l.layer, &all, h, (enum om_kernel)k);
            // The raster is turned by so little that the table of quadrants,
            // which stands straight, does not mind.
            make_raster(&r, row.pos.x + side * 300 * field_uniform(&seed),
                        row.pos.y + side * 300 * field_uniform(&seed), side,
                        0.02 * field_uniform(&seed));
            evaluate(&spec, &r);
            double peak, total = 0.0;
            assert_int_equal(
                om_field_exact(&spec, row.pos.x + 0.5, row.pos.y + 0.5, &peak),
                OM_OK);
            for (size_t i = 0; i < CELLS * CELLS; i++) {
                if (r.value[i] == 0.0f) continue;
                double sum = 0.0, one;
                const size_t a = i / CELLS * (CELLS + 1) + i % CELLS;
                for (int s = 0; s < 24 * 24; s++) {
                    const double p = (s % 24 + 0.5) / 24,
                                 q = (s / 24 + 0.5) / 24;
                    const size_t c = a + CELLS + 1;
                    const double x =
                        (1 - q) *
                            ((1 - p) * r.corner_x[a] + p * r.corner_x[a + 1]) +
                        q * ((1 - p) * r.corner_x[c] + p * r.corner_x[c + 1]);
                    const double y =
                        (1 - q) *
                            ((1 - p) * r.corner_y[a] + p * r.corner_y[a + 1]) +
                        q * ((1 - p) * r.corner_y[c] + p * r.corner_y[c + 1]);
                    assert_int_equal(om_field_exact(&spec, x, y, &one), OM_OK);
                    sum += one / (24.0 * 24.0);
                }
                total += (double)r.value[i] * r.km2[i];
                assert_true(fabs((double)r.value[i] - sum) < 0.01 * peak);
            }
            assert_true(fabs(total - 1.0) < 0.005);
        }
    field_layer_free(&l);
}

/* ---- rule -------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The rule in the plane that the ground is at CITY_Y, for rows close by. */
static double rule_of(const struct field_row *row, size_t n, bool weighted)
{
    double east, south, w = 0, mx = 0, my = 0, sd = 0, below = 0;
    cell_m(row[0].pos.y, &east, &south);
    double(*at)[2] = calloc(n, sizeof *at);
    for (size_t i = 0; i < n; i++) {
        const double one = weighted ? row[i].score : 1.0;
        w += one;
        mx += one * row[i].pos.x * east;
        my += one * row[i].pos.y * south;
    }
    for (size_t i = 0; i < n; i++) {
        at[i][0] =
            hypot(row[i].pos.x * east - mx / w, row[i].pos.y * south - my / w);
        at[i][1] = weighted ? row[i].score : 1.0;
        sd += at[i][1] * at[i][0] * at[i][0];
    }
    qsort(at, n, sizeof *at, by_size);
    size_t i = 0;
    while (2.0 * (below += at[i][1]) < w) i++;
    const double median =
        2.0 * below == w ? (at[i][0] + at[i + 1][0]) / 2.0 : at[i][0];
    free(at);
    return 0.9 * fmin(sqrt(sd / w), sqrt(1.0 / log(2.0)) * median) *
           pow(w, -0.2);
}

static double bandwidth_of(const struct field_row *row, size_t n, size_t column,
                           om_status expect)
{
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n / 3), OM_OK);
    assert_int_equal(field_layer_add(&l, row + n / 3, n - n / 3), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_field_spec spec = spec_of(&l.layer, &all, 0.0, OM_KERNEL_QUARTIC);
    spec.weight.column = column;
    double h = -1.0, again;
    assert_int_equal(om_field_bandwidth(&spec, &h), expect);
    for (size_t threads = 1; !expect && threads < 4; threads++) {
        om_threads_set(threads);
        assert_int_equal(om_field_bandwidth(&spec, &again), OM_OK);
        assert_true(again == h);
    }
    om_threads_set(0);
    field_layer_free(&l);
    return h;
}

static void rule_is_that_of_a_loop_in_double(void **state)
{
    (void)state;
    static const size_t COUNTS[] = {3, 10, 11, 1000, 150001};
    for (size_t c = 0; c < 5; c++) {
        const size_t n = COUNTS[c];
        struct field_row *row = make_rows(n, CITY_X, CITY_Y, 2e4, 41 + c);
        for (size_t i = 0; i < n; i++)
            row[i].pos.x += (uint32_t)i % 977;  // not all in stacks
        assert_true(fabs(bandwidth_of(row, n, OM_NO_FIELD, OM_OK) /
                             rule_of(row, n, false) -
                         1.0) < 2e-5);
        assert_true(fabs(bandwidth_of(row, n, FIELD_SCORE, OM_OK) /
                             rule_of(row, n, true) -
                         1.0) < 2e-5);
        free(row);
    }
}

static void rule_knows_where_it_ends(void **state)
{
    (void)state;
    struct field_row row[9] = {0};
    for (size_t i = 0; i < 9; i++)
        row[i] = (struct field_row){.pos = {(uint32_t)CITY_X, (uint32_t)CITY_Y},
                                    .score = 1.0,
                                    .people = 0};
    // All in one place, nothing weighs, weights below zero.
    bandwidth_of(row, 9, OM_NO_FIELD, OM_E_RANGE);
    bandwidth_of(row, 3, OM_NO_FIELD, OM_E_RANGE);
    bandwidth_of(row, 9, FIELD_PEOPLE, OM_E_NOTFOUND);
    row[0].pos.x += 100000;
    row[0].score = -1.0;
    bandwidth_of(row, 9, FIELD_SCORE, OM_E_RANGE);
    // Two places: the centre is between them, both are as far.
    double east, south;
    cell_m(CITY_Y, &east, &south);
    const double h = bandwidth_of(row, 2 + 1, OM_NO_FIELD, OM_OK);
    const double far = 100000 * east;
    assert_true(fabs(h - 0.9 *
                             fmin(far * sqrt(2.0) / 3.0,
                                  sqrt(1.0 / log(2.0)) * far / 3.0) *
                             pow(3.0, -0.2)) < 1e-4 * h);
    // More than half in the mean itself: Dm is 0, SD alone counts.
    row[0].score = 1.0;
    row[1].pos.x -= 100000;
    const double sd = far * sqrt(2.0 / 9.0);
    const double lone = bandwidth_of(row, 9, OM_NO_FIELD, OM_OK);
    assert_true(fabs(lone - 0.9 * sd * pow(9.0, -0.2)) < 1e-4 * lone);
    // Nothing selected.
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 9), OM_OK);
    struct om_selection none = field_all(&l.layer);
    none.count = 0;
    const struct om_field_spec spec =
        spec_of(&l.layer, &none, 0.0, OM_KERNEL_QUARTIC);
    double b;
    assert_int_equal(om_field_bandwidth(&spec, &b), OM_E_NOTFOUND);
    field_layer_free(&l);
}

/* ---- fault ------------------------------------------------------------- */

static void fault_of_places_is_said(void **state)
{
    (void)state;
    static struct raster r;
    const struct field_row row = {.pos = {(uint32_t)CITY_X, (uint32_t)CITY_Y}};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, &row, 1), OM_OK);
    struct om_selection all = field_all(&l.layer);
    struct om_field_spec spec =
        spec_of(&l.layer, &all, 300.0, OM_KERNEL_EPANECHNIKOV);
    struct om_arena arena = {0};
#define GIVES(status) \
    assert_int_equal( \
        om_field_places(fields, &spec, &r.places, &arena, r.value), status)
    make_raster(&r, CITY_X, CITY_Y, 100.0, 0.1);
    GIVES(OM_OK);
    spec.bandwidth_m = 0.0;
    GIVES(OM_E_RANGE);
    spec.bandwidth_m = 300.0;
    r.places.cell_m = NAN;
    GIVES(OM_E_RANGE);
    r.places.cell_m = 500.0;
    r.places.corner_x = NULL;
    GIVES(OM_E_RANGE);
    r.places.corner_x = r.corner_x;
    r.corner_x[3] = r.corner_x[900];  // turned over
    GIVES(OM_E_COORD);
    r.x[7] = NAN;
    GIVES(OM_E_COORD);
    r.x[7] = -1.0;
    GIVES(OM_E_COORD);
    r.places.rows = 0;
    GIVES(OM_OK);
    make_raster(&r, CITY_X, CITY_Y, 100.0, 0.1);
    all.count = 0;  // a window with nothing in it
    GIVES(OM_OK);
    for (size_t i = 0; i < CELLS * CELLS; i++) assert_true(r.value[i] == 0.0f);
#undef GIVES
    om_arena_deinit(&arena);
    field_layer_free(&l);
}

static void fault_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    static struct raster r;
    const size_t n = 400;
    struct field_row *row = make_rows(n, CITY_X, CITY_Y, 1e5, 81);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    om_threads_set(1);
    for (int k = 0; k < 4; k++) {
        om_status st = OM_E_MEMORY;
        const size_t live = om_alloc_live();
        struct om_field_spec spec =
            spec_of(&l.layer, &all, 300.0,
                    k == 3 ? OM_KERNEL_QUARTIC : (enum om_kernel)k);
        spec.weight.column = FIELD_PEOPLE;
        make_raster(&r, CITY_X, CITY_Y, k == 3 ? 400.0 : 30.0, 0.1);
        for (size_t i = 1; st; i++) {
            struct om_fields *f = NULL;
            struct om_arena arena = {0};
            om_alloc_fail_after(i, false);
            st = om_fields_new(1 << 20, &f);
            if (!st) st = om_field_places(f, &spec, &r.places, &arena, r.value);
            om_alloc_fail_after(0, false);
            om_arena_deinit(&arena);
            om_fields_free(f);
            assert_true(st == OM_OK || st == OM_E_MEMORY);
            assert_int_equal(om_alloc_live(), live);
            assert_true(i < 1000);
        }
    }
    om_threads_set(0);
    field_layer_free(&l);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_values_are_those_of_r),
        cmocka_unit_test(agree_with_the_exact_sum_of_a_lone_point),
        cmocka_unit_test(agree_with_tiles_and_sums_in_a_crowd),
        cmocka_unit_test(agree_with_themselves_in_any_block),
        cmocka_unit_test(mass_is_the_weight_in_cells_of_any_size),
        cmocka_unit_test(mean_of_a_wide_cell_is_what_lies_in_it),
        cmocka_unit_test(mean_of_a_lone_kernel_is_its_integral),
        cmocka_unit_test(rule_is_that_of_a_loop_in_double),
        cmocka_unit_test(rule_knows_where_it_ends),
        cmocka_unit_test(fault_of_places_is_said),
        cmocka_unit_test(fault_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
