/* What makes a value, and how values are spread.
 *
 * Plan
 *   rows_*    the strongest rows are those that brute force finds, and all of
 *             them are the numerator
 *   spread_*  shares and quantiles of the places, against the places sorted
 *   fault_*   no rows, no places, off the grid, no memory
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/risk/explain.h"
#include "tests/engine/field_sample.h"

#define CITY_X 3500000000.0
#define CITY_Y 1863000000.0
#define CELLS_PER_M 107.2
#define PIXELS ((size_t)256 * 256)

static struct om_fields *fields;

static int set_up(void **state)
{
    (void)state;
    return (int)om_fields_new((size_t)1 << 28, &fields);
}

static int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    return 0;
}

/* Rows within some kilometres, some of them stacked. */
static struct field_row *make_rows(size_t n, uint64_t seed)
{
    struct field_row *row = calloc(n, sizeof *row);
    assert_non_null(row);
    for (size_t i = 0; i < n; i++) {
        const double dx = field_uniform(&seed) - 0.5;
        const double dy = field_uniform(&seed) - 0.5;
        row[i].pos =
            (struct om_pos){(uint32_t)(CITY_X + dx * 4000.0 * CELLS_PER_M),
                            (uint32_t)(CITY_Y + dy * 4000.0 * CELLS_PER_M)};
        if (i % 5 == 4) row[i].pos = row[i - 1].pos;
        row[i].people = (int64_t)(field_random(&seed) % 4);
        row[i].score = field_uniform(&seed);
    }
    return row;
}

static struct om_risk_part part_of(const struct field_layer *l,
                                   const struct om_selection *s, size_t weight,
                                   double bandwidth_m, double factor)
{
    return (struct om_risk_part){.spec = {.layer = &l->layer,
                                          .selection = s,
                                          .kernel = OM_KERNEL_QUARTIC,
                                          .bandwidth_m = bandwidth_m,
                                          .weight = om_weight_by(weight)},
                                 .factor = factor};
}

static void rows_add_up_to_the_numerator(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct field_row *a = make_rows(N, 1), *b = make_rows(N, 2);
    struct field_layer la = {0}, lb = {0};
    // Two parts in one layer: rows are told apart by both numbers.
    assert_int_equal(field_layer_add(&la, a, N / 2), OM_OK);
    assert_int_equal(field_layer_add(&la, a + N / 2, N / 2), OM_OK);
    assert_int_equal(field_layer_add(&lb, b, N), OM_OK);
    const struct om_selection sa = field_all(&la.layer);
    const struct om_selection sb = field_all(&lb.layer);
    const struct om_risk_part term[] = {
        part_of(&la, &sa, FIELD_PEOPLE, 500.0, 2.0),
        part_of(&lb, &sb, FIELD_SCORE, 800.0, 0.5)};
    const struct om_risk risk = {.terms = 2, .term = term, .scale = 1.0};
    static struct om_risk_row row[2 * N];
    uint64_t seed = 3, reached[2];
    for (int k = 0; k < 20; k++) {
        const double x =
            CITY_X + (field_uniform(&seed) - 0.5) * 3000.0 * CELLS_PER_M;
        const double y =
            CITY_Y + (field_uniform(&seed) - 0.5) * 3000.0 * CELLS_PER_M;
        struct om_risk_value v;
        double part[2], sum[2] = {0};
        size_t rows, of[2] = {0};
        assert_int_equal(om_risk_exact(&risk, x, y, &v, part), OM_OK);
        assert_int_equal(
            om_risk_strongest(&risk, x, y, 2 * N, row, &rows, reached), OM_OK);
        for (size_t i = 0; i < rows; i++) {
            sum[row[i].term] += row[i].amount;
            of[row[i].term]++;
            assert_true(row[i].distance_m < term[row[i].term].spec.bandwidth_m);
            assert_true(i == 0 || row[i].amount <= row[i - 1].amount);
        }
        for (int t = 0; t < 2; t++) {
            // The exact sum takes weights as single floats.
            assert_true(fabs(sum[t] - part[t]) <= 1e-6 * part[t]);
            assert_int_equal(of[t], reached[t]);
        }
        // The first ten of all are the ten.
        struct om_risk_row ten[10];
        size_t n;
        assert_int_equal(om_risk_strongest(&risk, x, y, 10, ten, &n, NULL),
                         OM_OK);
        assert_int_equal(n, rows < 10 ? rows : 10);
        assert_memory_equal(ten, row, n * sizeof *ten);
    }
    field_layer_free(&la);
    field_layer_free(&lb);
    free(a);
    free(b);
}

/* Of one row everything is known. */
static void rows_have_distance_weight_and_amount(void **state)
{
    (void)state;
    struct field_row one = {.pos = {(uint32_t)CITY_X, (uint32_t)CITY_Y},
                            .people = 3};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, &one, 1), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_risk_part term = part_of(&l, &all, FIELD_PEOPLE, 400., 2.);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    struct om_risk_row row;
    size_t rows;
    // 100 m to the east: the equator's cells, shrunk by the latitude.
    double lon, lat;
    om_world_to_lonlat(CITY_X, CITY_Y, &lon, &lat);
    const double w = 1.0 - 0.00669437999014 * pow(sin(lat * OM_PI / 180), 2);
    const double m_per_cell = 2.0 * OM_PI * 6378137.0 / 4294967296.0 *
                              cos(lat * OM_PI / 180) / sqrt(w);
    const double x = one.pos.x + 0.5 + 100.0 / m_per_cell;
    assert_int_equal(
        om_risk_strongest(&risk, x, one.pos.y + 0.5, 1, &row, &rows, NULL),
        OM_OK);
    assert_int_equal(rows, 1);
    assert_true(fabs(row.distance_m - 100.0) < 1e-4);
    assert_true(row.weight == 6.0);
    const double q = 0.25 * 0.25;
    const double amount = 6.0 * 3.0 / (OM_PI * 0.16) * (1 - q) * (1 - q);
    assert_true(fabs(row.amount - amount) < 1e-4 * amount);
    field_layer_free(&l);
}

/* ---- spread ---- */

struct places {
    float *value;
    double *km2;
    size_t count;
};

static om_status take_place(void *ctx, const struct om_risk_tile *tile)
{
    struct places *p = ctx;
    for (size_t i = 0; i < PIXELS; i++) {
        if (!(tile->place[i / 64] >> (i % 64) & 1)) continue;
        if (p->count % 4096 == 0) {
            p->value = realloc(p->value, (p->count + 4096) * sizeof(float));
            p->km2 = realloc(p->km2, (p->count + 4096) * sizeof(double));
        }
        p->value[p->count] = tile->value[i];
        p->km2[p->count++] = tile->km2[i / 256];
    }
    return OM_OK;
}

static void spread_counts_area_below_a_value(void **state)
{
    (void)state;
    struct field_row *row = make_rows(3000, 5);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 3000), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_risk_part term = part_of(&l, &all, FIELD_SCORE, 700., 1.);
    const struct om_risk_part exposed =
        part_of(&l, &all, OM_NO_FIELD, 700., 1.);
    struct om_risk risk = {.terms = 1,
                           .term = &term,
                           .exposures = 1,
                           .exposure = &exposed,
                           .scale = 1.0,
                           .floor = 20.0};
    for (int per_area = 0; per_area < 2; per_area++) {
        if (per_area) risk.exposures = 0;
        const unsigned zoom = om_risk_zoom(&risk, 0.0);
        struct places p = {0};
        struct om_risk_spread *s = NULL;
        assert_int_equal(
            om_risk_sweep(fields, &risk, NULL, zoom, take_place, &p), OM_OK);
        assert_int_equal(om_risk_spread_new(fields, &risk, NULL, zoom, &s),
                         OM_OK);
        double area = 0.0;
        for (size_t i = 0; i < p.count; i++) area += p.km2[i];
        assert_true(fabs(s->area_km2 - area) < 1e-9 * area);
        assert_true(per_area ? s->unknown_km2 == 0.0 : s->unknown_km2 > 0.0);
        for (int k = 0; k <= 40; k++) {
            const double v = s->least + (s->most - s->least) * k / 40.0;
            double below = 0.0;
            for (size_t i = 0; i < p.count; i++)
                if ((double)p.value[i] < v) below += p.km2[i];
            const double share = om_risk_spread_below(s, v);
            assert_true(fabs(share - below / area) < 0.02);
            if (k % 10 || k == 0) continue;
            const double back = om_risk_spread_quantile(s, share);
            assert_true(fabs(back - v) <= 0.01 * v);
        }
        assert_true(om_risk_spread_below(s, s->least) == 0.0);
        assert_true(om_risk_spread_below(s, s->most * 1.01) == 1.0);
        assert_true(om_risk_spread_quantile(s, 0.0) == s->least);
        assert_true(om_risk_spread_quantile(s, 1.0) <= s->most);
        assert_true(isnan(om_risk_spread_below(s, NAN)));
        om_risk_spread_free(s);
        free(p.value);
        free(p.km2);
    }
    field_layer_free(&l);
    free(row);
}

/* ---- faults ---- */

static bool take_none(const struct om_segment *segment, size_t row)
{
    (void)segment;
    (void)row;
    return false;
}

static void fault_of_nothing_is_nothing(void **state)
{
    (void)state;
    struct field_row *row = make_rows(50, 6);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 50), OM_OK);
    struct om_selection *none = field_select(&l.layer, take_none);
    const struct om_risk_part term = part_of(&l, none, FIELD_SCORE, 700., 1.);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    struct om_risk_row ten[10];
    uint64_t reached = 7;
    size_t rows = 7;
    assert_int_equal(
        om_risk_strongest(&risk, CITY_X, CITY_Y, 10, ten, &rows, &reached),
        OM_OK);
    assert_int_equal(rows, 0);
    assert_int_equal(reached, 0);
    assert_int_equal(
        om_risk_strongest(&risk, -1.0, CITY_Y, 10, ten, &rows, NULL),
        OM_E_COORD);
    assert_int_equal(
        om_risk_strongest(&risk, NAN, CITY_Y, 10, ten, &rows, NULL),
        OM_E_COORD);
    struct om_risk_spread *s = NULL;
    assert_int_equal(om_risk_spread_new(fields, &risk, NULL, 12, &s), OM_OK);
    assert_true(s->area_km2 == 0.0);
    assert_true(isnan(om_risk_spread_below(s, 1.0)));
    assert_true(isnan(om_risk_spread_quantile(s, 0.5)));
    om_risk_spread_free(s);
    field_select_free(none);
    field_layer_free(&l);
    free(row);
}

static void fault_any_allocation_may_fail(void **state)
{
    (void)state;
    struct field_row *row = make_rows(200, 7);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 200), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_risk_part term = part_of(&l, &all, FIELD_SCORE, 700., 1.);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    struct om_risk_row ten[10];
    size_t rows;
    for (size_t n = 1;; n++) {
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, true);
        const om_status st =
            om_risk_strongest(&risk, CITY_X, CITY_Y, 10, ten, &rows, NULL);
        om_alloc_fail_after(0, false);
        assert_int_equal(om_alloc_live(), live);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 1000);
    }
    field_layer_free(&l);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_add_up_to_the_numerator),
        cmocka_unit_test(rows_have_distance_weight_and_amount),
        cmocka_unit_test(spread_counts_area_below_a_value),
        cmocka_unit_test(fault_of_nothing_is_nothing),
        cmocka_unit_test(fault_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
