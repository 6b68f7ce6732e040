/* Sums by unit and day, against adding up every row.
 *
 * Plan
 *   series_*  every pair of unit and day has what its rows add up to, in one
 *             part and in three with dead rows; so under a filter, in a window;
 *             any period of it adds up to the groups of that period
 *   error_*   no time, no such units, no whole number
 *   fault_*   the n-th allocation fails
 */
#include "tests/engine/query_pair.h"

#include "engine/query/series.h"

/* The units of the sample, as if they had been read: by id. */
static struct om_unit unit[GRIDS];
static char id[GRIDS][8];
static struct om_units units = {.level = "grid", .count = GRIDS, .unit = unit};

static bool flagged(const struct truth *t)
{
    return t->flag;
}
static bool in_may(const struct truth *t)
{
    return t->at >= FIRST_S + 120 * 86400 && t->at < FIRST_S + 151 * 86400;
}

static void ask(const struct om_query *q, int column, struct om_series *out)
{
    assert_int_equal(
        om_query_series(q, &units, ZONE_S,
                        column < 0 ? OM_NO_FIELD : (size_t)column, out),
        OM_OK);
    assert_int_equal(out->units, GRIDS + 1);
}

static void check(const struct sample *s, int column, wanted *want,
                  const struct om_series *series)
{
    const size_t n = series->units * series->days;
    om_wide *sum = calloc(n + 1, sizeof *sum);
    size_t rows = 0;
    for (size_t p = 0; p < s->parts; p++)
        for (size_t i = 0; i < om_segment_rows(s->part[p].segment); i++) {
            const struct truth *t = &s->truth[p][i];
            if (t->dead || !want(t)) continue;
            const int64_t day = (t->at + ZONE_S) / 86400 - series->first;
            assert_true(day >= 0 && day < (int64_t)series->days);
            const size_t in = t->grid == OM_NO_UNIT ? GRIDS : t->grid;
            sum[in * series->days + (size_t)day] +=
                column == COL_RESIDENTS ? t->residents
                : column == COL_FLAG    ? t->flag
                                        : 1;
            rows++;
        }
    assert_true(rows > 50);
    assert_memory_equal(series->sum, sum, n * sizeof *sum);
    free(sum);
}

static void series_of_units_add_up_their_rows(void **state)
{
    (void)state;
    static const int COLUMN[] = {-1, COL_RESIDENTS, COL_FLAG};
    for (size_t i = 0; i < 2; i++)
        for (size_t c = 0; c < 3; c++) {
            const struct om_query q = sample_query(&sample[i]);
            struct om_series series;
            ask(&q, COLUMN[c], &series);
            check(&sample[i], COLUMN[c], every, &series);
            om_series_deinit(&series);
        }
}

static void series_of_a_filter_and_a_window_are_what_they_take(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct om_query q = sample_query(&sample[i]);
        struct om_filter *filter;
        struct om_series series;
        assert_int_equal(om_filter_parse("flag = TRUE", 11, &sample[i].layer,
                                         ZONE_S, &filter, NULL),
                         OM_OK);
        q.filter = filter;
        ask(&q, COL_RESIDENTS, &series);
        check(&sample[i], COL_RESIDENTS, flagged, &series);
        om_series_deinit(&series);
        q.filter = NULL;
        q.window = (struct om_window){true, FIRST_S + 120 * 86400,
                                      FIRST_S + 151 * 86400};
        ask(&q, -1, &series);
        assert_int_equal(series.days, 31);
        check(&sample[i], -1, in_may, &series);
        om_series_deinit(&series);
        q.window = (struct om_window){true, 0, 86400};
        ask(&q, -1, &series);
        assert_int_equal(series.days, 0);
        assert_null(series.sum);
        om_filter_free(filter);
    }
}

/* Days [a, b) of a unit, against the same question of that period alone. */
static void check_period(const struct om_series *series, size_t a, size_t b)
{
    struct om_query q = sample_query(&sample[1]);
    struct om_groups groups;
    const int64_t midnight_s = series->first * 86400 - ZONE_S;
    q.window = (struct om_window){true, midnight_s + (int64_t)a * 86400,
                                  midnight_s + (int64_t)b * 86400};
    assert_int_equal(om_query_group(&q, COL_GRID, OM_STEP_NONE, ZONE_S,
                                    COL_RESIDENTS, &groups),
                     OM_OK);
    assert_int_equal(groups.count, GRIDS + 1);
    for (size_t u = 0; u <= GRIDS; u++) {
        om_wide sum = 0;
        for (size_t d = a; d < b; d++) sum += series->sum[u * series->days + d];
        assert_int_equal(sum, groups.group[u].sum);
    }
    om_groups_deinit(&groups);
}

static void series_of_any_period_is_what_groups_tell_of_it(void **state)
{
    (void)state;
    const struct om_query q = sample_query(&sample[1]);
    struct om_series series;
    ask(&q, COL_RESIDENTS, &series);
    for (int i = 0; i < 40; i++) {
        const size_t a = (size_t)dice(series.days);
        check_period(&series, a, a + 1 + (size_t)dice(series.days - a));
    }
    om_series_deinit(&series);
}

static void error_of_what_has_no_series(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    struct om_series series;
    assert_int_equal(om_query_series(&q, &units, ZONE_S, COL_WEIGHT, &series),
                     OM_E_TYPE);
    assert_int_equal(om_query_series(&q, &units, ZONE_S, COL_KIND, &series),
                     OM_E_TYPE);
    assert_int_equal(om_query_series(&q, &units, ZONE_S, COLS, &series),
                     OM_E_NOTFOUND);
    struct om_units others = units;
    snprintf(others.level, sizeof others.level, "district");
    assert_int_equal(om_query_series(&q, &others, ZONE_S, OM_NO_FIELD, &series),
                     OM_E_NOTFOUND);
    struct om_layer timeless = sample[0].layer;
    timeless.schema.time_field = OM_NO_FIELD;
    q.layer = &timeless;
    assert_int_equal(om_query_series(&q, &units, ZONE_S, OM_NO_FIELD, &series),
                     OM_E_NOTFOUND);
    assert_null(series.sum);
}

static om_status ask_once(const struct om_query *q)
{
    struct om_series series;
    const om_status st =
        om_query_series(q, &units, ZONE_S, OM_NO_FIELD, &series);
    om_series_deinit(&series);
    return st;
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    pair_faults(ask_once);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    for (size_t i = 0; i < GRIDS; i++) {
        snprintf(id[i], sizeof id[i], "g%02zu", i);
        unit[i] = (struct om_unit){.id = id[i], .name = ""};
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_of_units_add_up_their_rows),
        cmocka_unit_test(series_of_a_filter_and_a_window_are_what_they_take),
        cmocka_unit_test(series_of_any_period_is_what_groups_tell_of_it),
        cmocka_unit_test(error_of_what_has_no_series),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
