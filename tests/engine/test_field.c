/* Density fields.
 *
 * Plan
 *   error_*   every value is within 1 % of the peak for a lone stack, 0.5 % of
 *             the city's maximum for a crowd, of the sum point by point
 *   mass_*    what a field adds up to over the ground is the weight put in
 *   seam_*    a pixel is the same through any window, values run on across
 *             edges
 *   pick_*    a filter's field is that of a layer of its rows; weights, parts
 *   scale_*   the maximum is one that is there, and none is above it
 *   fault_*   ranges, types, the world's edges, no memory
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

#define SIDE 256
#define CITY_X 3466000000.0
#define CITY_Y 1863000000.0
#define CELLS_PER_M 107.2  // grid cells a metre at the equator

static struct om_fields *fields;
static float value[4 * SIDE * SIDE], other[4 * SIDE * SIDE];

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

static struct om_field_spec spec_of(const struct om_layer *layer,
                                    const struct om_selection *selection,
                                    double bandwidth_m, enum om_kernel kernel)
{
    return (struct om_field_spec){
        .layer = layer,
        .selection = selection,
        .kernel = kernel,
        .bandwidth_m = bandwidth_m,
        .weight = OM_WEIGHT_ONE,
    };
}

/* The tile of a zoom that a place lies in. */
static struct om_field_window window_at(double x, double y, unsigned z)
{
    return (struct om_field_window){
        .z = z,
        .x = (uint32_t)ldexp(x, (int)z - 32),
        .y = (uint32_t)ldexp(y, (int)z - 32),
        .side_px = SIDE,
    };
}

static void evaluate(const struct om_field_spec *spec,
                     const struct om_field_window *window, float *out)
{
    struct om_arena arena = {0};
    assert_int_equal(om_field_window(fields, spec, window, &arena, out), OM_OK);
    om_arena_deinit(&arena);
}

/* Grid cells a pixel is wide, and the middle of a pixel. */
static double pixel_cells(const struct om_field_window *w)
{
    return ldexp(1.0, 32 - (int)w->z) / w->side_px;
}
static void pixel_place(const struct om_field_window *w, size_t i, double *x,
                        double *y)
{
    const double px = pixel_cells(w);
    *x = ((double)w->x * w->side_px + (double)(i % w->side_px) + 0.5) * px;
    *y = ((double)w->y * w->side_px + (double)(i / w->side_px) + 0.5) * px;
}

static double peak_of(enum om_kernel kernel, double bandwidth_m)
{
    const double km = bandwidth_m / 1000.0;
    const double one = kernel == OM_KERNEL_GAUSSIAN
                           ? 4.5 / (OM_PI * (1.0 - exp(-4.5)))
                       : kernel == OM_KERNEL_QUARTIC ? 3.0 / OM_PI
                                                     : 2.0 / OM_PI;
    return one / (km * km);
}

/* Largest difference between pixels and exact sums, over `tries` pixels near
 * the place. */
static double worst_error(const struct om_field_spec *spec,
                          const struct om_field_window *w, uint64_t *seed,
                          size_t tries)
{
    evaluate(spec, w, value);
    double worst = 0.0;
    for (size_t k = 0; k < tries; k++) {
        const size_t i =
            (size_t)(field_random(seed) % ((uint64_t)w->side_px * w->side_px));
        double x, y, exact;
        pixel_place(w, i, &x, &y);
        assert_int_equal(om_field_exact(spec, x, y, &exact), OM_OK);
        worst = fmax(worst, fabs(exact - (double)value[i]));
    }
    return worst;
}

/* Side of a square of a cell's area on the ellipsoid. */
static double cell_ground_m(double y)
{
    const double psi = (1.0 - 2.0 * y / OM_POS_SIDE) * OM_PI;
    const double s = tanh(psi), w2 = 1.0 - OM_WGS84_E2 * s * s;
    return OM_POS_CELL_M / cosh(psi) * sqrt(1.0 - OM_WGS84_E2) / w2;
}

static double pixel_ground_m(const struct om_field_window *w)
{
    return pixel_cells(w) *
           cell_ground_m(((double)w->y + 0.5) * pixel_cells(w) * SIDE);
}

/* Pixels around a lone stack; beyond what the lattice blurs there is nothing.
 */
static double lone_error(const struct om_field_spec *spec,
                         const struct om_field_window *w, double x, double y)
{
    evaluate(spec, w, value);
    const double reach =
        spec->bandwidth_m * 1.8 / cell_ground_m(y) + 2 * pixel_cells(w);
    double worst = 0.0;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        double px, py, exact;
        pixel_place(w, i, &px, &py);
        const bool near = fabs(px - x) < reach && fabs(py - y) < reach;
        if (near && (i % 163 == 0 || reach < 12 * pixel_cells(w))) {
            assert_int_equal(om_field_exact(spec, px, py, &exact), OM_OK);
            worst = fmax(worst, fabs(exact - (double)value[i]));
        } else if (!near) {
            assert_true(value[i] == 0.0f);
        }
    }
    return worst;
}

static void lone_stack(enum om_kernel kernel, double limit)
{
    static const double bandwidths[] = {10.0,  23.0,   75.0,   300.0,
                                        420.0, 1000.0, 2500.0, 20000.0};
    uint64_t seed = 11;
    for (unsigned round = 0; round < test_rounds(4); round++) {
        const double lat_y =
            round % 3 == 2 ? field_uniform(&seed) * OM_POS_SIDE : CITY_Y;
        struct field_row row[400];
        const struct om_pos pos = {
            (uint32_t)(CITY_X + 1e7 * field_uniform(&seed)),
            (uint32_t)fmin(lat_y + 1e7 * field_uniform(&seed), 4294967295.0)};
        const size_t n = round % 2 ? 400 : 1;
        for (size_t i = 0; i < n; i++) row[i] = (struct field_row){.pos = pos};
        struct field_layer l = {0};
        assert_int_equal(field_layer_add(&l, row, n), OM_OK);
        const struct om_selection all = field_all(&l.layer);
        for (size_t b = 0; b < sizeof bandwidths / sizeof *bandwidths; b++)
            for (unsigned z = 6; z <= 20; z++) {
                const struct om_field_spec spec =
                    spec_of(&l.layer, &all, bandwidths[b], kernel);
                const struct om_field_window w = window_at(pos.x, pos.y, z);
                if (pixel_ground_m(&w) > bandwidths[b]) continue;
                const double error =
                    lone_error(&spec, &w, pos.x + 0.5, pos.y + 0.5) /
                    ((double)n * peak_of(kernel, bandwidths[b]));
                if (error > limit)
                    print_message("y %u h %g z %u: %.3f %%\n", pos.y,
                                  bandwidths[b], z, 100.0 * error);
                assert_true(error <= limit);
            }
        field_layer_free(&l);
    }
}

static void error_of_a_lone_stack_is_below_one_percent(void **state)
{
    (void)state;
    lone_stack(OM_KERNEL_QUARTIC, 0.01);
}

static void error_of_a_lone_gaussian_is_below_one_percent(void **state)
{
    (void)state;
    lone_stack(OM_KERNEL_GAUSSIAN, 0.01);
}

static void error_of_a_lone_epanechnikov_is_below_one_percent(void **state)
{
    (void)state;
    lone_stack(OM_KERNEL_EPANECHNIKOV, 0.01);
}

/* A city of clusters of stacks. */
static struct field_row *make_city(size_t n, uint64_t seed)
{
    struct field_row *row = calloc(n, sizeof *row);
    for (size_t i = 0; i < n;) {
        const uint64_t cluster = field_random(&seed) % 60;
        uint64_t place = cluster * 99991 + 5;
        const double cx = field_uniform(&place), cy = field_uniform(&place);
        const double wide = (300 + 2500 * field_uniform(&place)) * CELLS_PER_M;
        double gx = 0.0, gy = 0.0;
        for (int k = 0; k < 6; k++) {
            gx += field_uniform(&seed) - 0.5;
            gy += field_uniform(&seed) - 0.5;
        }
        const struct om_pos pos = {
            (uint32_t)(CITY_X + cx * 20000 * CELLS_PER_M + gx * wide),
            (uint32_t)(CITY_Y + cy * 20000 * CELLS_PER_M + gy * wide)};
        for (uint64_t k = 1 + field_random(&seed) % 13; k && i < n; k--)
            row[i++] =
                (struct field_row){.pos = pos,
                                   .people = (int64_t)(field_random(&seed) % 9),
                                   .score = field_uniform(&seed) - 0.25,
                                   .kind = (int)(field_random(&seed) % 10)};
    }
    return row;
}

static void error_in_a_city_is_below_half_a_percent(void **state)
{
    (void)state;
    const size_t n = 200000;  // more than is read row by row
    struct field_row *row = make_city(n, 3);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    uint64_t seed = 5;
    static const double bandwidths[] = {40.0, 300.0, 1000.0};
    for (size_t b = 0; b < 3; b++)
        for (int kernel = 0; kernel < OM_KERNELS; kernel++) {
            const struct om_field_spec spec =
                spec_of(&l.layer, &all, bandwidths[b], (enum om_kernel)kernel);
            double most, sum;
            assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
            for (unsigned z = 6; z <= 18; z++) {
                const struct om_field_window w =
                    window_at((double)row[7].pos.x, (double)row[7].pos.y, z);
                if (pixel_ground_m(&w) > bandwidths[b]) continue;
                const double e = worst_error(&spec, &w, &seed, 100) / most;
                if (e > 0.005)
                    print_message("h %g kernel %d z %u: %.3f %%\n",
                                  bandwidths[b], kernel, z, 100.0 * e);
                assert_true(e <= 0.005);
            }
        }
    field_layer_free(&l);
    free(row);
}

static double mass_of(const struct om_field_window *w, const float *v)
{
    double sum = 0.0;
    for (size_t i = 0; i < (size_t)w->side_px * w->side_px; i++) {
        double x, y;
        pixel_place(w, i, &x, &y);
        const double km = pixel_cells(w) * cell_ground_m(y) / 1000.0;
        sum += (double)v[i] * km * km;
    }
    return sum;
}

static void mass_is_the_weight_put_in(void **state)
{
    (void)state;
    const size_t n = 60000;
    struct field_row *row = make_city(n, 9);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    static const double bandwidths[] = {10.0, 100.0, 300.0, 2000.0};
    for (size_t b = 0; b < 4; b++)
        for (int kernel = 0; kernel < OM_KERNELS; kernel++)
            for (unsigned z = 5; z <= 9; z++) {
                const struct om_field_spec spec = spec_of(
                    &l.layer, &all, bandwidths[b], (enum om_kernel)kernel);
                // The city may lie across tiles: all around its middle.
                const struct om_field_window mid =
                    window_at(CITY_X + 1e6, CITY_Y + 1e6, z);
                double sum = 0.0, share = mid.z ? 1.0 : 0.0;
                for (int k = 0; k < 9; k++) {
                    struct om_field_window w = mid;
                    w.x += (uint32_t)(k % 3 - 1);
                    w.y += (uint32_t)(k / 3 - 1);
                    evaluate(&spec, &w, value);
                    sum += mass_of(&w, value);
                }
                // Values at centres add up only if the kernel is sampled.
                const double px = pixel_ground_m(&mid);
                if (px < bandwidths[b] && px > bandwidths[b] / 4) continue;
                assert_true(fabs(sum / (double)n - share) < 0.005);
            }
    field_layer_free(&l);
    free(row);
}

static void seam_is_none_between_512_and_256(void **state)
{
    (void)state;
    const size_t n = 80000;
    struct field_row *row = make_city(n, 21);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    for (unsigned z = 7; z <= 17; z++) {
        const struct om_field_spec spec =
            spec_of(&l.layer, &all, 300.0, OM_KERNEL_QUARTIC);
        struct om_field_window big =
            window_at((double)row[3].pos.x, (double)row[3].pos.y, z);
        big.side_px = 2 * SIDE;
        evaluate(&spec, &big, other);
        for (uint32_t k = 0; k < 4; k++) {
            const struct om_field_window w = {z + 1, 2 * big.x + (k & 1),
                                              2 * big.y + (k >> 1), SIDE};
            evaluate(&spec, &w, value);
            for (size_t r = 0; r < SIDE; r++)
                assert_memory_equal(
                    value + r * SIDE,
                    other + ((k >> 1) * SIDE + r) * 2 * SIDE + (k & 1) * SIDE,
                    SIDE * sizeof *value);
        }
    }
    field_layer_free(&l);
    free(row);
}

/* Across an edge the field bends no more than inside: second differences over
 * the seam stay among those beside it. */
static void seam_does_not_show(void **state)
{
    (void)state;
    const size_t n = 120000;
    struct field_row *row = make_city(n, 33);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_field_spec spec =
        spec_of(&l.layer, &all, 1000.0, OM_KERNEL_QUARTIC);
    for (unsigned z = 11; z <= 17; z++) {
        const struct om_field_window a =
            window_at((double)row[3].pos.x, (double)row[3].pos.y, z);
        const struct om_field_window b = {z, a.x + 1, a.y, SIDE};
        evaluate(&spec, &a, value);
        evaluate(&spec, &b, other);
        double inside = 0.0, across = 0.0;
        for (size_t r = 0; r < SIDE; r++) {
            const float *v = value + r * SIDE, *w = other + r * SIDE;
            for (size_t c = 200; c < 254; c++)
                inside = fmax(inside, fabs((double)v[c] - 2.0 * v[c + 1] +
                                           (double)v[c + 2]));
            across = fmax(across,
                          fabs((double)v[254] - 2.0 * v[255] + (double)w[0]));
            across =
                fmax(across, fabs((double)v[255] - 2.0 * w[0] + (double)w[1]));
        }
        assert_true(across <= 1.5 * inside + 1e-3);
    }
    field_layer_free(&l);
    free(row);
}

static bool is_kind_a(const struct om_segment *s, size_t row)
{
    const struct om_column *c;
    assert_int_equal(om_segment_column(s, FIELD_KIND, row, row + 1, &c), OM_OK);
    return om_column_stored(c, row) == 0;
}

static bool is_most(const struct om_segment *s, size_t row)
{
    const struct om_column *c;
    assert_int_equal(om_segment_column(s, FIELD_KIND, row, row + 1, &c), OM_OK);
    return om_column_stored(c, row) < 7;
}

static double far_apart(const float *a, const float *b, size_t n)
{
    double worst = 0.0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

static void same_as_layer_of(const struct field_row *row, size_t n, int kinds,
                             bool (*take)(const struct om_segment *, size_t))
{
    struct field_row *picked = calloc(n, sizeof *picked);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (row[i].kind < kinds) picked[count++] = row[i];
    struct field_layer whole = {0}, part = {0};
    // In two segments, so that several parts are added up too.
    assert_int_equal(field_layer_add(&whole, row, n / 3), OM_OK);
    assert_int_equal(field_layer_add(&whole, row + n / 3, n - n / 3), OM_OK);
    assert_int_equal(field_layer_add(&part, picked, count), OM_OK);
    struct om_selection *some = field_select(&whole.layer, take);
    const struct om_selection all = field_all(&part.layer);
    assert_int_equal(some->count, count);
    static const double bandwidths[] = {60.0, 300.0, 1000.0};
    for (size_t b = 0; b < 3; b++)
        for (unsigned z = 7; z <= 17; z += 2) {
            const struct om_field_spec filtered =
                spec_of(&whole.layer, some, bandwidths[b], OM_KERNEL_QUARTIC);
            const struct om_field_spec built =
                spec_of(&part.layer, &all, bandwidths[b], OM_KERNEL_QUARTIC);
            const struct om_field_window w =
                window_at((double)row[3].pos.x, (double)row[3].pos.y, z);
            double most, sum, most2, sum2;
            evaluate(&filtered, &w, value);
            evaluate(&built, &w, other);
            assert_int_equal(om_field_scale(fields, &built, &most, &sum),
                             OM_OK);
            assert_int_equal(om_field_scale(fields, &filtered, &most2, &sum2),
                             OM_OK);
            assert_true(sum == sum2);
            assert_true(fabs(most / most2 - 1.0) < 0.01);
            assert_true(far_apart(value, other, SIDE * SIDE) < 0.006 * most);
        }
    field_select_free(some);
    field_layer_free(&whole);
    field_layer_free(&part);
    free(picked);
}

static void pick_is_the_field_of_a_layer_of_its_rows(void **state)
{
    (void)state;
    const size_t n = 240000;
    struct field_row *row = make_city(n, 41);
    same_as_layer_of(row, n, 1, is_kind_a);
    same_as_layer_of(row, n, 7, is_most);
    free(row);
}

/* A row that weighs n is n rows. */
static void pick_by_weight_repeats_rows(void **state)
{
    (void)state;
    const size_t n = 70000;
    struct field_row *row = make_city(n, 51);
    struct field_row *repeated = calloc(9 * n, sizeof *repeated);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (int64_t k = 0; k < row[i].people; k++) repeated[count++] = row[i];
    struct field_layer weighted = {0}, plain = {0};
    assert_int_equal(field_layer_add(&weighted, row, n), OM_OK);
    assert_int_equal(field_layer_add(&plain, repeated, count), OM_OK);
    const struct om_selection all = field_all(&weighted.layer);
    const struct om_selection all2 = field_all(&plain.layer);
    for (unsigned z = 7; z <= 17; z += 2) {
        struct om_field_spec a =
            spec_of(&weighted.layer, &all, 300.0, OM_KERNEL_QUARTIC);
        a.weight.column = FIELD_PEOPLE;
        const struct om_field_spec b =
            spec_of(&plain.layer, &all2, 300.0, OM_KERNEL_QUARTIC);
        const struct om_field_window w =
            window_at((double)row[3].pos.x, (double)row[3].pos.y, z);
        double most, sum, weight;
        evaluate(&a, &w, value);
        evaluate(&b, &w, other);
        assert_int_equal(om_field_scale(fields, &b, &most, &sum), OM_OK);
        assert_int_equal(om_field_weight(fields, &a, &weight), OM_OK);
        assert_true(weight == (double)count && sum == (double)count);
        assert_true(far_apart(value, other, SIDE * SIDE) < 0.005 * most);
    }
    field_layer_free(&weighted);
    field_layer_free(&plain);
    free(repeated);
    free(row);
}

static void pick_of_negative_weights_stays_exact(void **state)
{
    (void)state;
    const size_t n = 20000;
    struct field_row *row = make_city(n, 61);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_field_spec spec =
        spec_of(&l.layer, &all, 500.0, OM_KERNEL_QUARTIC);
    spec.weight.column = FIELD_SCORE;
    double most, sum;
    assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
    uint64_t seed = 2;
    const struct om_field_window w =
        window_at((double)row[3].pos.x, (double)row[3].pos.y, 13);
    assert_true(worst_error(&spec, &w, &seed, 200) < 0.005 * most);
    field_layer_free(&l);
    free(row);
}

static void scale_is_the_largest_value_there_is(void **state)
{
    (void)state;
    const size_t n = 100000;
    struct field_row *row = make_city(n, 71);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    static const double bandwidths[] = {10.0, 300.0, 5000.0};
    for (size_t b = 0; b < 3; b++) {
        const struct om_field_spec spec =
            spec_of(&l.layer, &all, bandwidths[b], OM_KERNEL_QUARTIC);
        double most, sum, again;
        assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
        assert_true(sum == (double)n);
        om_fields_clear(fields);
        om_threads_set(1);
        assert_int_equal(om_field_scale(fields, &spec, &again, &sum), OM_OK);
        om_threads_set(0);
        assert_true(most == again);
        double seen = 0.0;
        for (size_t i = 0; i < n; i += b == 2 ? 401 : 37) {
            double exact;
            assert_int_equal(om_field_exact(&spec, row[i].pos.x + 0.5,
                                            row[i].pos.y + 0.5, &exact),
                             OM_OK);
            seen = fmax(seen, exact);
        }
        // Nodes may miss the very top by a little.
        assert_true(most > 0.97 * seen);
    }
    field_layer_free(&l);
    free(row);
}

static void fault_of_ranges_and_types_is_said(void **state)
{
    (void)state;
    const struct field_row row = {.pos = {7, 9}};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, &row, 1), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_field_window w = {.z = 3, .side_px = SIDE};
    struct om_field_spec spec =
        spec_of(&l.layer, &all, 300.0, OM_KERNEL_QUARTIC);
    struct om_arena arena = {0};
#define REFUSED(status) \
    assert_int_equal(om_field_window(fields, &spec, &w, &arena, value), status)
    static const double bad[] = {0.0, -1.0, 9.99, 20001.0, NAN, INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        spec.bandwidth_m = bad[i];
        REFUSED(OM_E_RANGE);
    }
    spec.bandwidth_m = 300.0;
    spec.weight.column = FIELD_KIND;
    REFUSED(OM_E_TYPE);
    spec.weight.column = 99;
    REFUSED(OM_E_NOTFOUND);
    spec.weight.column = OM_NO_FIELD;
    w.side_px = 255;
    REFUSED(OM_E_RANGE);
    w = (struct om_field_window){.z = 3, .x = 8, .side_px = SIDE};
    REFUSED(OM_E_RANGE);
    w = (struct om_field_window){.z = 23, .side_px = SIDE};
    REFUSED(OM_E_RANGE);
#undef REFUSED
    double v;
    assert_int_equal(om_field_exact(&spec, NAN, 5.0, &v), OM_E_COORD);
    assert_int_equal(om_field_exact(&spec, -1.0, 5.0, &v), OM_E_COORD);
    om_arena_deinit(&arena);
    field_layer_free(&l);
}

static void fault_is_none_at_the_edges_of_the_world(void **state)
{
    (void)state;
    const uint32_t last = UINT32_MAX;
    const struct field_row row[] = {
        {.pos = {0, 0}},
        {.pos = {last, 0}},
        {.pos = {0, last}},
        {.pos = {last, last}},
        {.pos = {UINT32_C(1) << 31, UINT32_C(1) << 31}},
    };
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 5), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    static const double bandwidths[] = {10.0, 1000.0, 20000.0};
    for (size_t b = 0; b < 3; b++)
        for (unsigned z = 0; z <= 22; z++)
            for (size_t i = 0; i < 5; i++) {
                const struct om_field_spec spec =
                    spec_of(&l.layer, &all, bandwidths[b], OM_KERNEL_QUARTIC);
                struct om_field_window w =
                    window_at(row[i].pos.x, row[i].pos.y, z);
                evaluate(&spec, &w, value);
                double sum = 0.0;
                for (size_t k = 0; k < SIDE * SIDE; k++) {
                    assert_true(isfinite(value[k]) && value[k] >= 0.0f);
                    sum += (double)value[k];
                }
                // At some zooms the pixel centres miss a small kernel.
                if (pixel_ground_m(&w) > bandwidths[b]) assert_true(sum > 0.0);
            }
    field_layer_free(&l);
}

static void fault_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    if (test_for_races()) skip();
    const size_t n = 3000;
    struct field_row *row = make_city(n, 81);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    struct om_selection *some = field_select(&l.layer, is_kind_a);
    const struct om_field_window w =
        window_at((double)row[3].pos.x, (double)row[3].pos.y, 12);
    const struct om_field_spec spec =
        spec_of(&l.layer, some, 300.0, OM_KERNEL_QUARTIC);
    om_threads_set(1);
    om_status st = OM_E_MEMORY;
    const size_t live = om_alloc_live();
    for (size_t k = 1; st; k++) {
        struct om_fields *f = NULL;
        struct om_arena arena = {0};
        double most, sum;
        om_alloc_fail_after(k, false);
        st = om_fields_new(1 << 20, &f);
        if (!st) st = om_field_window(f, &spec, &w, &arena, value);
        if (!st) st = om_field_scale(f, &spec, &most, &sum);
        if (!st) st = om_field_exact(&spec, CITY_X, CITY_Y, &sum);
        om_alloc_fail_after(0, false);
        om_arena_deinit(&arena);
        om_fields_free(f);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 1000);
    }
    om_threads_set(0);
    field_select_free(some);
    field_layer_free(&l);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_of_a_lone_stack_is_below_one_percent),
        cmocka_unit_test(error_of_a_lone_gaussian_is_below_one_percent),
        cmocka_unit_test(error_of_a_lone_epanechnikov_is_below_one_percent),
        cmocka_unit_test(error_in_a_city_is_below_half_a_percent),
        cmocka_unit_test(mass_is_the_weight_put_in),
        cmocka_unit_test(seam_is_none_between_512_and_256),
        cmocka_unit_test(seam_does_not_show),
        cmocka_unit_test(pick_is_the_field_of_a_layer_of_its_rows),
        cmocka_unit_test(pick_by_weight_repeats_rows),
        cmocka_unit_test(pick_of_negative_weights_stays_exact),
        cmocka_unit_test(scale_is_the_largest_value_there_is),
        cmocka_unit_test(fault_of_ranges_and_types_is_said),
        cmocka_unit_test(fault_is_none_at_the_edges_of_the_world),
        cmocka_unit_test(fault_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
