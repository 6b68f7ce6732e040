/* What rows of a field weigh.
 *
 * Plan
 *   sum_*     weights by column, table and age against a loop over the rows
 *   decay_*   closed forms: half after a half-life, nothing from the future
 *   key_*     fields that weigh differently are never mixed up; time alone
 *             prepares nothing anew
 *   fault_*   columns and numbers that cannot be
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/thread.h"
#include "tests/engine/field_sample.h"

#define DAY_S 86400.0
#define NOW_S INT64_C(1687795200)
#define MID 2147483648.0

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

/* Rows around the middle of the world, times before and after NOW_S. */
static struct field_row *make_rows(size_t n, uint64_t seed)
{
    struct field_row *row = calloc(n, sizeof *row);
    for (size_t i = 0; i < n; i++)
        row[i] = (struct field_row){
            .pos = {(uint32_t)(MID + 200000.0 * field_uniform(&seed)),
                    (uint32_t)(MID + 200000.0 * field_uniform(&seed))},
            .people = (int64_t)(field_random(&seed) % 7),
            .score = field_uniform(&seed) - 0.2,
            .kind = (int)(field_random(&seed) % 10),
            .at_s = i % 11 == 3
                        ? FIELD_NO_TIME
                        : NOW_S - (int64_t)((field_uniform(&seed) - 0.1) * 90 *
                                            DAY_S)};
    return row;
}

static const struct om_weight_value KINDS[] = {
    {.text = "c", .weight = 2.5},           {.text = "a", .weight = -1.0},
    {.text = "not there", .weight = 100.0}, {.text = "e", .weight = 0.0},
    {.text = "c", .weight = 77.0},  // the first counts
};
static const struct om_weight_table BY_KIND = {
    .column = FIELD_KIND, .count = 5, .value = KINDS, .otherwise = 0.25};
static const struct om_weight_value PEOPLE[] = {{.integer = 6, .weight = 8.0},
                                                {.integer = 0, .weight = 3.0}};
static const struct om_weight_table BY_PEOPLE = {
    .column = FIELD_PEOPLE, .count = 2, .value = PEOPLE, .otherwise = 1.0};

static double table_says(const struct om_weight_table *t,
                         const struct field_row *r)
{
    if (t == &BY_KIND)
        return r->kind == 2   ? 2.5
               : r->kind == 0 ? -1.0
               : r->kind == 4 ? 0.0
                              : 0.25;
    return r->people == 6 ? 8.0 : r->people == 0 ? 3.0 : 1.0;
}

static double weight_of(const struct om_weighting *w, const struct field_row *r)
{
    double weight = w->column == FIELD_PEOPLE  ? (double)r->people
                    : w->column == FIELD_SCORE ? r->score
                                               : 1.0;
    if (w->table) weight *= table_says(w->table, r);
    if (w->at_s == INT64_MAX) return weight;
    if (r->at_s == FIELD_NO_TIME || r->at_s > w->at_s) return 0.0;
    return w->half_life_s > 0.0
               ? weight * pow(0.5, (double)(w->at_s - r->at_s) / w->half_life_s)
               : weight;
}

static bool in_half(const struct om_segment *s, size_t row)
{
    const struct om_column *c;
    assert_int_equal(om_segment_column(s, FIELD_PEOPLE, row, row + 1, &c),
                     OM_OK);
    return om_column_integer(c, row) % 2 == 0;
}

static struct om_field_spec spec_of(const struct om_layer *layer,
                                    const struct om_selection *selection,
                                    struct om_weighting weight)
{
    return (struct om_field_spec){.layer = layer,
                                  .selection = selection,
                                  .bandwidth_m = 3000.0,
                                  .weight = weight};
}

static const struct om_weight_table *const TABLES[] = {NULL, &BY_KIND,
                                                       &BY_PEOPLE};
static const size_t COLUMNS[] = {OM_NO_FIELD, FIELD_PEOPLE, FIELD_SCORE};
static const double HALF_LIVES[] = {0.0, 3 * DAY_S, 400 * DAY_S};
static const int64_t MOMENTS[] = {INT64_MAX, NOW_S - 40 * 86400, NOW_S,
                                  NOW_S + 90 * 86400};

/* All ways to weigh, one after the other; false at the end. */
static bool next_weighting(size_t k, struct om_weighting *out)
{
    if (k >= 3 * 3 * 3 * 4) return false;
    *out = (struct om_weighting){.table = TABLES[k % 3],
                                 .column = COLUMNS[k / 3 % 3],
                                 .half_life_s = HALF_LIVES[k / 9 % 3],
                                 .at_s = MOMENTS[k / 27]};
    if (out->at_s == INT64_MAX) out->half_life_s = 0.0;
    return true;
}

static void sums_agree(size_t n, uint64_t seed)
{
    struct field_row *row = make_rows(n, seed);
    struct field_layer l = {0};
    // Two parts, which may keep their columns in different ways.
    assert_int_equal(field_layer_add(&l, row, n / 9), OM_OK);
    assert_int_equal(field_layer_add(&l, row + n / 9, n - n / 9), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_selection *half = field_select(&l.layer, in_half);
    struct om_weighting w;
    for (size_t k = 0; next_weighting(k, &w); k++)
        for (int some = 0; some < 2; some++) {
            const struct om_field_spec spec =
                spec_of(&l.layer, some ? half : &all, w);
            double expect = 0.0, size = 0.0, field = 0.0, got, value;
            const double x = MID + 100000.5, y = MID + 100000.5;
            for (size_t i = 0; i < n; i++) {
                if (some && row[i].people % 2) continue;
                const double one = weight_of(&w, &row[i]);
                const double east =
                    (row[i].pos.x + 0.5 - x) * OM_POS_CELL_M / 3000.0;
                const double south = (row[i].pos.y + 0.5 - y) * OM_POS_CELL_M *
                                     (1.0 - OM_WGS84_E2) / 3000.0;
                const double left = 1.0 - east * east - south * south;
                expect += one;
                size += fabs(one);
                field += one * (left > 0 ? left * left : 0.0);
            }
            field *= 3.0 / OM_PI / 9.0;
            assert_int_equal(om_field_weight(fields, &spec, &got), OM_OK);
            assert_true(fabs(got - expect) <= 1e-9 * size);
            assert_int_equal(om_field_exact(&spec, x, y, &value), OM_OK);
            assert_true(fabs(value - field) <= 1e-6 * size);
        }
    field_select_free(half);
    field_layer_free(&l);
    free(row);
}

static void sum_is_that_of_a_loop_over_rows(void **state)
{
    (void)state;
    sums_agree(40, 3);    // texts are kept as texts
    sums_agree(4000, 5);  // as a dictionary
}

static void sum_of_two_thirds_null_leaves_them_out(void **state)
{
    (void)state;
    // The only column of the sample that may be NULL is the time.
    struct field_row row[3] = {{.pos = {7, 7}, .at_s = NOW_S},
                               {.pos = {7, 7}, .at_s = FIELD_NO_TIME},
                               {.pos = {7, 7}, .at_s = FIELD_NO_TIME}};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 3), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_weighting w = OM_WEIGHT_ONE;
    double sum;
    struct om_field_spec spec = spec_of(&l.layer, &all, w);
    assert_int_equal(om_field_weight(fields, &spec, &sum), OM_OK);
    assert_true(sum == 3.0);
    spec.weight.at_s = NOW_S;
    assert_int_equal(om_field_weight(fields, &spec, &sum), OM_OK);
    assert_true(sum == 1.0);
    field_layer_free(&l);
}

static void decay_halves_after_a_half_life(void **state)
{
    (void)state;
    struct field_row row[2] = {{.pos = {900, 900}, .at_s = NOW_S},
                               {.pos = {900, 900}, .at_s = NOW_S - 864000}};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 2), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct {
        int64_t at_s;
        double expect;
    } C[] = {{NOW_S, 1.5},
             {NOW_S + 864000, 0.75},
             {NOW_S + 1, 1.5 * exp2(-1.0 / 864000.0)},
             {NOW_S - 1, exp2(1.0 / 864000.0 - 1.0)},  // the newer is to come
             {NOW_S - 864000, 1.0},
             {NOW_S - 864001, 0.0},
             {NOW_S + 8640000, 1.5 * exp2(-10.0)}};
    for (size_t i = 0; i < sizeof C / sizeof *C; i++) {
        const struct om_field_spec spec = spec_of(
            &l.layer, &all,
            (struct om_weighting){OM_NO_FIELD, NULL, 864000.0, C[i].at_s});
        double sum, value, most, weight;
        assert_int_equal(om_field_weight(fields, &spec, &sum), OM_OK);
        assert_true(fabs(sum - C[i].expect) < 1e-6);
        assert_int_equal(om_field_exact(&spec, 900.5, 900.5, &value), OM_OK);
        assert_true(fabs(value - C[i].expect * 3.0 / OM_PI / 9.0) < 1e-6);
        // The window and the scale are multiplied like the sum.
        const struct om_field_window w = {10, 0, 0, 256};
        float *v = malloc(256 * 256 * sizeof *v);
        struct om_arena arena = {0};
        assert_int_equal(om_field_window(fields, &spec, &w, &arena, v), OM_OK);
        assert_int_equal(om_field_scale(fields, &spec, &most, &weight), OM_OK);
        double exact;
        const double px = ldexp(1.0, 32 - 10 - 8);
        assert_int_equal(om_field_exact(&spec, px / 2, px / 2, &exact), OM_OK);
        assert_true(fabs((double)v[0] - exact) < 0.01 * value + 1e-9);
        assert_true(fabs(most - value) < 0.03 * value + 1e-9);
        assert_true(fabs(weight - C[i].expect) < 1e-6);
        om_arena_deinit(&arena);
        free(v);
    }
    field_layer_free(&l);
}

static void key_tells_weights_apart(void **state)
{
    (void)state;
    const size_t n = 3000;
    struct field_row *row = make_rows(n, 9);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_weighting w;
    // Twice through the same cache, then each through a fresh one.
    double cached[3 * 3 * 3 * 4], again;
    for (size_t k = 0; next_weighting(k, &w); k++) {
        const struct om_field_spec spec = spec_of(&l.layer, &all, w);
        assert_int_equal(om_field_weight(fields, &spec, &cached[k]), OM_OK);
    }
    for (size_t k = 0; next_weighting(k, &w); k++) {
        const struct om_field_spec spec = spec_of(&l.layer, &all, w);
        assert_int_equal(om_field_weight(fields, &spec, &again), OM_OK);
        assert_true(again == cached[k]);
        struct om_fields *fresh;
        assert_int_equal(om_fields_new(1 << 20, &fresh), OM_OK);
        om_threads_set(k % 3 + 1);
        assert_int_equal(om_field_weight(fresh, &spec, &again), OM_OK);
        om_threads_set(0);
        assert_true(again == cached[k]);
        om_fields_free(fresh);
    }
    // A table is its content, not its address.
    struct om_weight_value value[] = {{.text = "c", .weight = 1.0}};
    struct om_weight_table table = {
        .column = FIELD_KIND, .count = 1, .value = value};
    w = OM_WEIGHT_ONE;
    w.table = &table;
    double one, two;
    const struct om_field_spec spec = spec_of(&l.layer, &all, w);
    assert_int_equal(om_field_weight(fields, &spec, &one), OM_OK);
    value[0].weight = 2.0;
    assert_int_equal(om_field_weight(fields, &spec, &two), OM_OK);
    assert_true(one > 0.0 && two == 2.0 * one);
    field_layer_free(&l);
    free(row);
}

static void key_of_a_later_beat_finds_what_is_prepared(void **state)
{
    (void)state;
    struct field_row *row = make_rows(500, 13);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 500), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    om_fields_clear(fields);
    const struct om_cache_stats before = om_fields_stats(fields);
    double sum, last = INFINITY;
    for (int beat = 0; beat < 20; beat++) {
        const struct om_field_spec spec =
            spec_of(&l.layer, &all,
                    (struct om_weighting){OM_NO_FIELD, NULL, 10 * DAY_S,
                                          NOW_S + 90 * 86400 + 30 * beat});
        assert_int_equal(om_field_weight(fields, &spec, &sum), OM_OK);
        assert_true(sum < last);
        last = sum;
    }
    const struct om_cache_stats after = om_fields_stats(fields);
    assert_int_equal(after.misses - before.misses, 1);
    assert_int_equal(after.hits - before.hits, 19);
    field_layer_free(&l);
    free(row);
}

static void sum_has_no_row_beyond_the_most_that_one_weighs(void **state)
{
    (void)state;
    const double score[] = {1e300, 2.0, -1e300, 3.5e13, -7.0, 1e12};
    enum { ROWS = sizeof score / sizeof *score };
    struct field_row row[ROWS];
    struct field_layer l = {0};
    double want = 0, sum;
    for (size_t i = 0; i < ROWS; i++) {
        row[i] = (struct field_row){
            .pos = {5 + (uint32_t)i, 5}, .score = score[i], .at_s = NOW_S};
        want += fmax(fmin(score[i], OM_FIELD_ROW_MOST), -OM_FIELD_ROW_MOST);
    }
    assert_int_equal(field_layer_add(&l, row, ROWS), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_weighting w = {FIELD_SCORE, NULL, 0, INT64_MAX};
    const struct om_field_spec spec = spec_of(&l.layer, &all, w);
    assert_int_equal(om_field_weight(fields, &spec, &sum), OM_OK);
    assert_true(fabs(sum - want) <= 1e-6 * fabs(want));
    field_layer_free(&l);
}

static void fault_of_weights_is_said(void **state)
{
    (void)state;
    struct field_row row[] = {{.pos = {5, 5}, .score = 1e300, .at_s = NOW_S},
                              {.pos = {6, 5}, .score = -1e300, .at_s = NOW_S}};
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 2), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    struct om_weight_value value[] = {{.text = "a", .weight = NAN}};
    struct om_weight_table table = {
        .column = FIELD_KIND, .count = 1, .value = value};
    double sum;
#define REFUSED(status, ...)                                            \
    do {                                                                \
        const struct om_weighting w = {__VA_ARGS__};                    \
        const struct om_field_spec spec = spec_of(&l.layer, &all, w);   \
        assert_int_equal(om_field_weight(fields, &spec, &sum), status); \
        assert_int_equal(om_field_bandwidth(&spec, &sum), status);      \
    } while (0)
    REFUSED(OM_E_NOTFOUND, 99, NULL, 0, INT64_MAX);
    REFUSED(OM_E_TYPE, FIELD_KIND, NULL, 0, INT64_MAX);
    REFUSED(OM_E_TYPE, FIELD_AT, NULL, 0, INT64_MAX);
    REFUSED(OM_E_RANGE, OM_NO_FIELD, NULL, -1.0, NOW_S);
    REFUSED(OM_E_RANGE, OM_NO_FIELD, NULL, NAN, NOW_S);
    REFUSED(OM_E_RANGE, OM_NO_FIELD, NULL, INFINITY, NOW_S);
    REFUSED(OM_E_RANGE, OM_NO_FIELD, NULL, DAY_S, INT64_MAX);
    REFUSED(OM_E_RANGE, OM_NO_FIELD, &table, 0, INT64_MAX);
    value[0].weight = 1.0;
    table.otherwise = INFINITY;
    REFUSED(OM_E_RANGE, OM_NO_FIELD, &table, 0, INT64_MAX);
    table.otherwise = 0.0;
    table.column = FIELD_SCORE;
    REFUSED(OM_E_TYPE, OM_NO_FIELD, &table, 0, INT64_MAX);
    table.column = 99;
    REFUSED(OM_E_NOTFOUND, OM_NO_FIELD, &table, 0, INT64_MAX);
    l.layer.schema.time_field = OM_NO_FIELD;
    REFUSED(OM_E_NOTFOUND, OM_NO_FIELD, NULL, 0, NOW_S);
#undef REFUSED
    field_layer_free(&l);
}

static void fault_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    struct field_row *row = make_rows(300, 17);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 30), OM_OK);
    assert_int_equal(field_layer_add(&l, row + 30, 270), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_field_spec spec = spec_of(
        &l.layer, &all,
        (struct om_weighting){FIELD_PEOPLE, &BY_PEOPLE, DAY_S * 50, NOW_S});
    om_threads_set(1);
    om_status st = OM_E_MEMORY;
    const size_t live = om_alloc_live();
    for (size_t k = 1; st; k++) {
        struct om_fields *f = NULL;
        double sum, h;
        om_alloc_fail_after(k, false);
        st = om_fields_new(1 << 20, &f);
        if (!st) st = om_field_weight(f, &spec, &sum);
        if (!st) st = om_field_exact(&spec, MID, MID, &sum);
        if (!st) st = om_field_bandwidth(&spec, &h);
        om_alloc_fail_after(0, false);
        om_fields_free(f);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 1000);
    }
    om_threads_set(0);
    field_layer_free(&l);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_is_that_of_a_loop_over_rows),
        cmocka_unit_test(sum_of_two_thirds_null_leaves_them_out),
        cmocka_unit_test(decay_halves_after_a_half_life),
        cmocka_unit_test(key_tells_weights_apart),
        cmocka_unit_test(key_of_a_later_beat_finds_what_is_prepared),
        cmocka_unit_test(sum_has_no_row_beyond_the_most_that_one_weighs),
        cmocka_unit_test(fault_of_weights_is_said),
        cmocka_unit_test(fault_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
