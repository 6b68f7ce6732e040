/* Ratios of fields.
 *
 * Plan
 *   golden_*  spatstat's ratio of two densities; the area of each kernel
 *   ratio_*   one of a field with itself, scaling, agreement of pixels with the
 *             exact place, what a sum of terms is
 *   floor_*   where the value is unknown, that a lone house is, and how small
 *             numbers are shrunk
 *   fault_*   what is no risk, no memory
 */
#include "data/base/thread.h"
#include "tests/engine/risk_town.h"
#include "tests/rounds.h"

static float value[PIXELS], other[PIXELS], exposure[PIXELS];

/* ---- golden ---- */

struct golden {
    struct field_row cases[64], control[256];
    size_t n_cases, n_controls;
    double place[64][4];
    size_t places;
};

static struct om_pos equator(int x, int y)
{
    return (struct om_pos){(uint32_t)((INT64_C(1) << 31) + x),
                           (uint32_t)((INT64_C(1) << 31) + y)};
}

static void read_golden(struct golden *g)
{
    char line[256];
    FILE *file = fopen("tests/golden/risk.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        int x, y;
        double a, b;
        if (sscanf(line, "case %d %d %lf", &x, &y, &a) == 3)
            g->cases[g->n_cases++] = (struct field_row){
                .pos = equator(x, y), .people = (int64_t)a, .score = a};
        else if (sscanf(line, "control %d %d", &x, &y) == 2)
            g->control[g->n_controls++] =
                (struct field_row){.pos = equator(x, y), .people = 1};
        else if (sscanf(line, "expect %d %d %lf %lf", &x, &y, &a, &b) == 4) {
            double *at = g->place[g->places++];
            at[0] = x + 0.5 + 2147483648.0;
            at[1] = y + 0.5 + 2147483648.0;
            at[2] = a;
            at[3] = b;
        }
    }
    fclose(file);
}

static void golden_ratio_is_that_of_spatstat(void **state)
{
    (void)state;
    static struct golden g;
    read_golden(&g);
    assert_int_equal(g.places, 49);
    struct town cases, controls;
    town_of_rows(&cases, g.cases, g.n_cases);
    town_of_rows(&controls, g.control, g.n_controls);
    struct om_risk_part term = part_of(&cases, 500.0, 1.0);
    term.spec.weight = om_weight_by(FIELD_PEOPLE);
    const struct om_risk_part exposed = part_of(&controls, 500.0, 1.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &term,
                                 .exposures = 1,
                                 .exposure = &exposed,
                                 .scale = 1000.0};
    for (size_t i = 0; i < g.places; i++) {
        struct om_risk_value v;
        const double *at = g.place[i];
        assert_int_equal(om_risk_exact(&risk, at[0], at[1], &v, NULL), OM_OK);
        assert_true(fabs(v.numerator - at[2]) <= 1e-6 * (at[2] + 1.0));
        assert_true(fabs(v.exposure - at[3]) <= 1e-6 * at[3]);
        const double ratio = 1000.0 * at[2] / at[3];
        assert_true(fabs(v.value - ratio) <= 1e-6 * (ratio + 1.0));
    }
    field_layer_free(&cases.l);
    field_layer_free(&controls.l);
}

/* 1 / integral of the squared kernel, by rings. */
static double area_by_rings(double (*shape)(double q))
{
    double one = 0.0, square = 0.0;
    const size_t n = 200000;
    for (size_t i = 0; i < n; i++) {
        const double r = ((double)i + 0.5) / (double)n;
        const double ring = 2.0 * OM_PI * r / (double)n;
        one += ring * shape(r * r);
        square += ring * shape(r * r) * shape(r * r);
    }
    return one * one / square;
}
static double quartic(double q)
{
    return (1.0 - q) * (1.0 - q);
}
static double epanechnikov(double q)
{
    return 1.0 - q;
}
static double gaussian(double q)
{
    return exp(-4.5 * q);
}

static void golden_area_of_a_kernel_is_its_integral(void **state)
{
    (void)state;
    const double km2 = 0.8 * 0.8;
    const double a = om_kernel_area_km2(OM_KERNEL_QUARTIC, 800.0);
    const double b = om_kernel_area_km2(OM_KERNEL_EPANECHNIKOV, 800.0);
    const double c = om_kernel_area_km2(OM_KERNEL_GAUSSIAN, 800.0);
    assert_true(fabs(a / km2 - area_by_rings(quartic)) < 1e-6);
    assert_true(fabs(b / km2 - area_by_rings(epanechnikov)) < 1e-6);
    assert_true(fabs(c / km2 - area_by_rings(gaussian)) < 1e-6);
}

/* What the floor promises: n units scattered at random give a density whose
 * relative standard error is 1 / sqrt(n). */
static void golden_floor_is_a_standard_error(void **state)
{
    (void)state;
    const double h = 500.0, half_m = 700.0;  // all that reaches the middle
    const size_t rounds = test_rounds(400), n = 62;
    const double per_km2 = (double)n / (4.0 * half_m * half_m / 1e6);
    uint64_t seed = 99;
    double sum = 0.0, squares = 0.0;
    for (size_t k = 0; k < rounds; k++) {
        // A Poisson number of points: as many gaps as fit.
        double density = 0.0, sofar = 0.0;
        while ((sofar -= log(field_uniform(&seed) + 1e-300)) < (double)n) {
            const double x = (2.0 * field_uniform(&seed) - 1.0) * half_m;
            const double y = (2.0 * field_uniform(&seed) - 1.0) * half_m;
            const double q = (x * x + y * y) / (h * h);
            if (q < 1.0) density += 3.0 / (OM_PI * h * h) * quartic(q) * 1e6;
        }
        sum += density;
        squares += density * density;
    }
    const double mean = sum / (double)rounds;
    const double sd = sqrt(squares / (double)rounds - mean * mean);
    const double units = per_km2 * om_kernel_area_km2(OM_KERNEL_QUARTIC, h);
    // Of a standard deviation of so many rounds: three times its error.
    const double error = 3.0 / sqrt(2.0 * (double)rounds);
    assert_true(fabs(sd / per_km2 * sqrt(units) - 1.0) < error);
}

/* ---- ratio ---- */

static void ratio_of_a_field_with_itself_is_one(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 4000, 1);
    const struct om_risk_part p = part_of(&t, 600.0, 2.5);
    const struct om_risk risk = {.terms = 1,
                                 .term = &p,
                                 .exposures = 1,
                                 .exposure = &p,
                                 .scale = 1.0,
                                 .floor = 5.0};
    size_t known = 0;
    for (unsigned z = 4; z <= 17; z++) {
        const struct om_field_window w = window_at(CITY_X, CITY_Y, z);
        evaluate(&risk, &w, value, exposure);
        const float least = (float)om_risk_least_exposure(&risk);
        for (size_t i = 0; i < PIXELS; i++) {
            known += isnan(value[i]) ? 0 : 1;
            assert_true(isnan(value[i]) ? exposure[i] <= least
                                        : fabsf(value[i] - 1.0f) < 1e-6f);
        }
    }
    assert_true(known > PIXELS);
    struct om_risk_value v;
    assert_int_equal(om_risk_exact(&risk, CITY_X, CITY_Y, &v, NULL), OM_OK);
    assert_true(fabs(v.value - 1.0) < 1e-12);
    struct om_risk_totals totals;
    assert_int_equal(om_risk_totals(fields, &risk, &totals), OM_OK);
    assert_true(fabs(totals.mean - 1.0) < 1e-12);
    town_deinit(&t);
}

static void ratio_scales_as_its_parts(void **state)
{
    (void)state;
    struct town t, u;
    town_init(&t, 3000, 2);
    town_init(&u, 5000, 3);
    struct om_risk_part term = part_of(&t, 500.0, 1.0);
    struct om_risk_part exposed = part_of(&u, 700.0, 1.0);
    struct om_risk risk = {.terms = 1,
                           .term = &term,
                           .exposures = 1,
                           .exposure = &exposed,
                           .scale = 1000.0,
                           .floor = 10.0};
    const struct om_field_window w = window_at(CITY_X, CITY_Y, 13);
    evaluate(&risk, &w, value, NULL);
    term.factor = 3.0;
    evaluate(&risk, &w, other, NULL);
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(
            isnan(value[i]) == isnan(other[i]) &&
            !(fabsf(other[i] - 3.0f * value[i]) > 1e-6f * fabsf(other[i])));
    // Twice the exposure of every house, and a floor of twice as many units.
    exposed.factor = 2.0;
    risk.floor = 20.0;
    evaluate(&risk, &w, other, NULL);
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(
            isnan(value[i]) == isnan(other[i]) &&
            !(fabsf(other[i] - 1.5f * value[i]) > 1e-6f * fabsf(other[i])));
    town_deinit(&t);
    town_deinit(&u);
}

static void ratio_without_exposures_is_the_sum_of_the_terms(void **state)
{
    (void)state;
    struct town t, u;
    town_init(&t, 3000, 4);
    town_init(&u, 2000, 5);
    struct om_risk_part term[] = {part_of(&t, 500.0, 2.0),
                                  part_of(&u, 900.0, -0.5)};
    const struct om_risk risk = {.terms = 2, .term = term, .scale = 1.0};
    const struct om_field_window w = window_at(CITY_X, CITY_Y, 12);
    evaluate(&risk, &w, value, NULL);
    struct om_arena arena = {0};
    assert_int_equal(om_field_window(fields, &term[0].spec, &w, &arena, other),
                     OM_OK);
    assert_int_equal(
        om_field_window(fields, &term[1].spec, &w, &arena, exposure), OM_OK);
    om_arena_deinit(&arena);
    for (size_t i = 0; i < PIXELS; i++)
        assert_float_equal(value[i], 2.0f * other[i] - 0.5f * exposure[i],
                           1e-5f * (1.0f + fabsf(value[i])));
    double part[2];
    struct om_risk_value v;
    assert_int_equal(om_risk_exact(&risk, CITY_X, CITY_Y, &v, part), OM_OK);
    assert_true(fabs(part[0] + part[1] - v.value) < 1e-9 * fabs(v.value));
    assert_true(v.exposure == 0.0 && part[1] < 0.0);
    town_deinit(&t);
    town_deinit(&u);
}

/* The error of a ratio is that of its parts, carried through: a part may err
 * by 0.5 % of its largest value in the window. */
static void ratio_of_a_pixel_is_the_exact_one(void **state)
{
    (void)state;
    struct town t, u;
    town_init(&t, 6000, 6);
    town_init(&u, 20000, 7);
    const struct om_risk_part term = part_of(&t, 500.0, 1.0);
    const struct om_risk_part exposed = part_of(&u, 500.0, 1.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &term,
                                 .exposures = 1,
                                 .exposure = &exposed,
                                 .scale = 1.0,
                                 .floor = 30.0};
    double most_t, most_u, sum;
    assert_int_equal(om_field_scale(fields, &term.spec, &most_t, &sum), OM_OK);
    assert_int_equal(om_field_scale(fields, &exposed.spec, &most_u, &sum),
                     OM_OK);
    uint64_t seed = 8;
    size_t known = 0;
    for (unsigned z = 11; z <= 16; z++) {
        const struct om_field_window w = window_at(CITY_X, CITY_Y, z);
        evaluate(&risk, &w, value, exposure);
        for (size_t k = 0; k < test_rounds(60); k++) {
            const size_t i = (size_t)(field_random(&seed) % PIXELS);
            double x, y;
            struct om_risk_value v;
            pixel_place(&w, i, &x, &y);
            assert_int_equal(om_risk_exact(&risk, x, y, &v, NULL), OM_OK);
            if (isnan(v.value) || isnan(value[i])) continue;
            known++;
            const double bound =
                0.005 * (most_t + v.value * most_u) / v.exposure;
            assert_true(fabs((double)value[i] - v.value) <= bound);
        }
    }
    assert_true(known > 100 / (400 / test_rounds(400)));
    town_deinit(&t);
    town_deinit(&u);
}

static void ratio_at_places_is_that_of_pixels(void **state)
{
    (void)state;
    struct town t, u;
    town_init(&t, 3000, 9);
    town_init(&u, 9000, 10);
    const struct om_risk_part term = part_of(&t, 500.0, 1.0);
    const struct om_risk_part exposed = part_of(&u, 500.0, 1.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &term,
                                 .exposures = 1,
                                 .exposure = &exposed,
                                 .scale = 1.0,
                                 .floor = 30.0};
    const struct om_field_window w = window_at(CITY_X, CITY_Y, 13);
    evaluate(&risk, &w, value, exposure);
    static double x[PIXELS], y[PIXELS];
    for (size_t i = 0; i < PIXELS; i++) pixel_place(&w, i, &x[i], &y[i]);
    const struct om_places places = {
        .columns = SIDE, .rows = SIDE, .x = x, .y = y};
    struct om_arena arena = {0};
    assert_int_equal(
        om_risk_places(fields, &risk, &places, &arena, other, NULL), OM_OK);
    om_arena_deinit(&arena);
    size_t known = 0;
    for (size_t i = 0; i < PIXELS; i++) {
        if (isnan(value[i]) || isnan(other[i])) continue;
        known++;
        assert_true(fabsf(value[i] - other[i]) < 0.01f * (1.0f + value[i]));
    }
    assert_true(known > 1000);
    town_deinit(&t);
    town_deinit(&u);
}

/* ---- floor ---- */

static void floor_cuts_where_units_are_too_few(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 3000, 11);
    const struct om_risk_part p = part_of(&t, 500.0, 1.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &p,
                                 .exposures = 1,
                                 .exposure = &p,
                                 .scale = 1.0,
                                 .floor = 40.0};
    const double area = om_kernel_area_km2(OM_KERNEL_QUARTIC, 500.0);
    assert_true(fabs(om_risk_least_exposure(&risk) * area - 40.0) < 1e-9);
    uint64_t seed = 12;
    size_t unknown = 0;
    for (size_t k = 0; k < 300; k++) {
        const double x =
            CITY_X + 9000.0 * (field_uniform(&seed) - 0.3) * CELLS_PER_M;
        const double y =
            CITY_Y + 5000.0 * (field_uniform(&seed) - 0.5) * CELLS_PER_M;
        struct om_risk_value v;
        assert_int_equal(om_risk_exact(&risk, x, y, &v, NULL), OM_OK);
        assert_true(fabs(v.exposed - v.exposure * area) <= 1e-9 * v.exposed);
        assert_true(isnan(v.value) == (v.exposed < 40.0));
        unknown += isnan(v.value) ? 1 : 0;
    }
    assert_true(unknown > 30 && unknown < 270);
    town_deinit(&t);
}

/* Beside a town of 2,000 houses with a report each stands one house with 500:
 * the ratio would be 500 there. */
static void floor_keeps_a_lone_house_from_being_red(void **state)
{
    (void)state;
    const size_t n = 2001;
    struct field_row *house = calloc(n, sizeof *house);
    struct field_row *report = calloc(n, sizeof *report);
    assert_true(house && report);
    uint64_t seed = 13;
    for (size_t i = 0; i < n; i++) {
        const bool lone = i == n - 1;
        const double east = lone ? 5000.0 : 500.0 * normal(&seed);
        const double south = lone ? 0.0 : 500.0 * normal(&seed);
        house[i].pos =
            (struct om_pos){(uint32_t)(CITY_X + east * CELLS_PER_M),
                            (uint32_t)(CITY_Y + south * CELLS_PER_M)};
        house[i].people = 1;
        report[i] = house[i];
        report[i].people = lone ? 500 : 1;
    }
    struct town houses, reports;
    town_of_rows(&houses, house, n);
    town_of_rows(&reports, report, n);
    struct om_risk_part term = part_of(&reports, 600.0, 1.0);
    term.spec.weight = om_weight_by(FIELD_PEOPLE);
    const struct om_risk_part exposed = part_of(&houses, 600.0, 1.0);
    struct om_risk risk = {.terms = 1,
                           .term = &term,
                           .exposures = 1,
                           .exposure = &exposed,
                           .scale = 1.0,
                           .floor = 0.0};
    const double x = house[n - 1].pos.x + 0.5, y = house[n - 1].pos.y + 0.5;
    struct om_risk_value v;
    assert_int_equal(om_risk_exact(&risk, x, y, &v, NULL), OM_OK);
    assert_true(fabs(v.value - 500.0) < 1e-6);
    assert_true(fabs(v.exposed - 5.0 / 3.0) < 1e-6);  // 3/pi * 5 pi / 9
    risk.floor = 10.0;
    assert_int_equal(om_risk_exact(&risk, x, y, &v, NULL), OM_OK);
    assert_true(isnan(v.value));
    for (unsigned z = 10; z <= 15; z++) {
        const struct om_field_window at = window_at(x, y, z);
        const struct om_field_window town = window_at(CITY_X, CITY_Y, z);
        evaluate(&risk, &at, value, NULL);
        evaluate(&risk, &town, other, NULL);
        for (size_t i = 0; i < PIXELS; i++)
            assert_true(!(value[i] > 1.05f) && !(other[i] > 1.05f));
    }
    town_deinit(&houses);
    town_deinit(&reports);
}

/* Ten houses at a rate of four times the mean, shrunk by ten at the mean. */
static void floor_shrinks_small_numbers_to_the_mean(void **state)
{
    (void)state;
    struct town t, u;
    town_init(&t, 3000, 24);
    town_init(&u, 5000, 25);
    const struct om_risk_part term = part_of(&t, 600.0, 1.0);
    const struct om_risk_part exposed = part_of(&u, 600.0, 1.0);
    struct om_risk risk = {.terms = 1,
                           .term = &term,
                           .exposures = 1,
                           .exposure = &exposed,
                           .scale = 1000.0,
                           .floor = 5.0};
    const double area = om_kernel_area_km2(OM_KERNEL_QUARTIC, 600.0);
    struct om_risk_totals totals;
    assert_int_equal(om_risk_totals(fields, &risk, &totals), OM_OK);
    const struct om_field_window w = window_at(CITY_X, CITY_Y, 13);
    evaluate(&risk, &w, value, exposure);
    risk.shrink = 50.0;
    risk.mean = totals.mean;
    evaluate(&risk, &w, other, NULL);
    for (size_t i = 0; i < PIXELS; i++) {
        assert_true(isnan(value[i]) == isnan(other[i]));
        if (isnan(value[i])) continue;
        const double units = (double)exposure[i] * area;
        const double shrunk =
            ((double)value[i] * units + totals.mean * 50.0) / (units + 50.0);
        assert_true(fabs((double)other[i] - shrunk) < 1e-4 * shrunk);
    }
    struct om_risk_value plain, shrunk;
    assert_int_equal(om_risk_exact(&risk, CITY_X, CITY_Y, &shrunk, NULL),
                     OM_OK);
    risk.shrink = 0.0;
    assert_int_equal(om_risk_exact(&risk, CITY_X, CITY_Y, &plain, NULL), OM_OK);
    const double want = (plain.value * plain.exposed + totals.mean * 50.0) /
                        (plain.exposed + 50.0);
    assert_true(fabs(shrunk.value - want) < 1e-9 * want);
    town_deinit(&t);
    town_deinit(&u);
}

static void floor_is_unknown_where_nothing_is(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 100, 14);
    const struct om_risk_part p = part_of(&t, 500.0, 1.0);
    const struct om_risk risk = {
        .terms = 1, .term = &p, .exposures = 1, .exposure = &p, .scale = 1.0};
    const struct om_field_window w = window_at(CITY_X / 2, CITY_Y, 12);
    evaluate(&risk, &w, value, exposure);
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(isnan(value[i]) && exposure[i] == 0.0f);
    struct om_selection none = {.all = true};  // a layer without rows
    struct om_risk_part empty = p;
    empty.spec.selection = &none;
    const struct om_risk nothing = {.terms = 1,
                                    .term = &p,
                                    .exposures = 1,
                                    .exposure = &empty,
                                    .scale = 1.0};
    struct om_risk_totals totals;
    assert_int_equal(om_risk_totals(fields, &nothing, &totals), OM_OK);
    assert_true(isnan(totals.mean) && totals.numerator == 100.0);
    town_deinit(&t);
}

/* ---- faults ---- */

static void fault_ranges_are_told(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 50, 22);
    const struct om_risk_part good = part_of(&t, 400.0, 1.0);
    struct om_risk_part bad[2] = {good, good};
    struct om_risk risk = {.terms = 0, .term = &good, .scale = 1.0};
    assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    risk.terms = 1;
    assert_int_equal(om_risk_check(&risk), OM_OK);
    const double wrong[] = {0.0, -1.0, NAN, INFINITY};
    for (size_t i = 0; i < 4; i++) {
        risk.scale = wrong[i];
        assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    }
    risk.scale = 1.0;
    for (size_t i = 1; i < 4; i++) {
        risk.floor = wrong[i];
        assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    }
    risk.floor = 0.0;
    for (size_t i = 1; i < 4; i++) {
        risk.shrink = wrong[i];
        assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    }
    risk.shrink = 0.0;
    risk.exposures = 1;
    risk.exposure = bad;
    for (size_t i = 0; i < 4; i++) {
        bad[0].factor = wrong[i];
        assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    }
    bad[0] = good;
    risk.exposures = 2;
    assert_int_equal(om_risk_check(&risk), OM_OK);
    bad[1].spec.bandwidth_m = 401.0;
    assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    bad[1] = good;
    bad[1].spec.kernel = OM_KERNEL_GAUSSIAN;
    assert_int_equal(om_risk_check(&risk), OM_E_RANGE);
    struct om_arena arena = {0};
    const struct om_field_window w = window_at(CITY_X, CITY_Y, 12);
    assert_int_equal(om_risk_window(fields, &risk, &w, &arena, value, exposure),
                     OM_E_RANGE);
    struct om_risk_value v;
    assert_int_equal(om_risk_exact(&risk, CITY_X, CITY_Y, &v, NULL),
                     OM_E_RANGE);
    struct sum s = {0};
    assert_int_equal(om_risk_sweep(fields, &risk, NULL, 12, add_tile, &s),
                     OM_E_RANGE);
    risk.exposures = 1;
    assert_int_equal(om_risk_sweep(fields, &risk, NULL, 23, add_tile, &s),
                     OM_E_RANGE);
    om_arena_deinit(&arena);
    town_deinit(&t);
}

static void fault_any_allocation_may_fail(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 300, 23);
    struct om_risk_part p = part_of(&t, 400.0, 1.0);
    p.spec.weight = om_weight_by(FIELD_SCORE);
    const struct om_risk risk = {.terms = 1,
                                 .term = &p,
                                 .exposures = 1,
                                 .exposure = &p,
                                 .scale = 1.0,
                                 .floor = 1.0};
    om_threads_set(1);
    for (size_t n = 1;; n++) {
        om_fields_clear(fields);
        const size_t live = om_alloc_live();
        struct sum s = {0};
        om_alloc_fail_after(n, true);
        const om_status st =
            om_risk_sweep(fields, &risk, NULL, 13, add_tile, &s);
        om_alloc_fail_after(0, false);
        om_fields_clear(fields);
        assert_int_equal(om_alloc_live(), live);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 10000);
        if (n > 60) n += n / 4;  // the rest is the same for every tile
    }
    om_threads_set(0);
    town_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_ratio_is_that_of_spatstat),
        cmocka_unit_test(golden_area_of_a_kernel_is_its_integral),
        cmocka_unit_test(golden_floor_is_a_standard_error),
        cmocka_unit_test(ratio_of_a_field_with_itself_is_one),
        cmocka_unit_test(ratio_scales_as_its_parts),
        cmocka_unit_test(ratio_without_exposures_is_the_sum_of_the_terms),
        cmocka_unit_test(ratio_of_a_pixel_is_the_exact_one),
        cmocka_unit_test(ratio_at_places_is_that_of_pixels),
        cmocka_unit_test(floor_cuts_where_units_are_too_few),
        cmocka_unit_test(floor_keeps_a_lone_house_from_being_red),
        cmocka_unit_test(floor_shrinks_small_numbers_to_the_mean),
        cmocka_unit_test(floor_is_unknown_where_nothing_is),
        cmocka_unit_test(fault_ranges_are_told),
        cmocka_unit_test(fault_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
