/* Sums by cell and day, against adding up every row.
 *
 * Plan
 *   days_*    every pair of cell and day has what its rows add up to, in one
 *             part and in three with dead rows; filters and windows; counts of
 *             a cell are those by day of its box; the days of a zone; kinds of
 *             rows, each as if alone, others left out
 *   error_*   no time, no number, no net (too many days: tiles/test_days.c)
 *   fault_*   the n-th allocation fails
 */
#include "tests/engine/query_pair.h"

#include <math.h>

#include "data/model/time.h"
#include "engine/query/days.h"

/* A net over the sample's clusters: some 70 m a cell. */
static struct om_day_net net_of(unsigned exponent)
{
    const struct om_pos a = at_degrees(113.69, 23.09),
                        b = at_degrees(113.79, 22.99);
    return (struct om_day_net){
        .exponent = exponent,
        .column0 = a.x >> exponent,
        .row0 = a.y >> exponent,
        .columns = (b.x >> exponent) - (a.x >> exponent) + 1,
        .rows = (b.y >> exponent) - (a.y >> exponent) + 1};
}

/* The cell of a row, UINT32_MAX: not in the net. */
static uint32_t cell_of(const struct om_day_net *n, struct om_pos pos)
{
    const int64_t column = (int64_t)(pos.x >> n->exponent) - n->column0;
    const int64_t row = (int64_t)(pos.y >> n->exponent) - n->row0;
    if (column < 0 || column >= n->columns || row < 0 || row >= n->rows)
        return UINT32_MAX;
    return (uint32_t)(row * n->columns + column);
}

static bool flagged(const struct truth *t)
{
    return t->flag;
}
static bool in_may(const struct truth *t)
{
    return t->at >= FIRST_S + 120 * 86400 && t->at < FIRST_S + 151 * 86400;
}

/* What a pair should have: told by a table of all pairs. */
static void check(const struct sample *s, const struct om_day_net *net,
                  int column, wanted *want, const struct om_days *days)
{
    const size_t cells = (size_t)net->columns * net->rows, span = days->days;
    double *sum = calloc(cells * span + 1, sizeof *sum);
    bool *any = calloc(cells * span + 1, sizeof *any);
    size_t pairs = 0;
    for (size_t p = 0; p < s->parts; p++)
        for (size_t i = 0; i < om_segment_rows(s->part[p].segment); i++) {
            const struct truth *t = &s->truth[p][i];
            const uint32_t cell = cell_of(net, t->pos);
            if (t->dead || !want(t) || cell == UINT32_MAX) continue;
            if (column == COL_RESIDENTS && t->residents_null) continue;
            const int64_t day = (t->at + ZONE_S) / 86400 - days->first;
            assert_true(day >= 0 && day < (int64_t)span);
            const size_t at = cell * span + (size_t)day;
            sum[at] += column == COL_RESIDENTS ? (double)t->residents
                       : column == COL_WEIGHT  ? t->weight
                                               : 1.0;
            pairs += !any[at];
            any[at] = true;
        }
    assert_int_equal(days->count, pairs);
    assert_true(pairs > 50);
    for (size_t i = 0; i < days->count; i++) {
        const struct om_day_sum *d = &days->sum[i];
        const size_t at = d->cell * span + d->day;
        assert_true(d->cell < cells && d->day < span && any[at]);
        assert_true(fabs(d->sum - sum[at]) <= 1e-9 * (1.0 + fabs(sum[at])));
        any[at] = false;
        if (!i) continue;
        const struct om_day_sum *b = d - 1;
        assert_true(b->cell < d->cell ||
                    (b->cell == d->cell && b->day < d->day));
    }
    free(sum);
    free(any);
}

static void ask(const struct om_query *q, const struct om_day_net *net,
                int column, struct om_days *out)
{
    assert_int_equal(
        om_query_days(q, net, ZONE_S, column < 0 ? OM_NO_FIELD : (size_t)column,
                      out),
        OM_OK);
}

static void days_of_cells_add_up_their_rows(void **state)
{
    (void)state;
    static const int COLUMN[] = {-1, COL_RESIDENTS, COL_WEIGHT};
    static const unsigned EXPONENT[] = {10, 13, 16, 24};
    for (size_t i = 0; i < 2; i++)
        for (size_t e = 0; e < 4; e++)
            for (size_t c = 0; c < 3; c++) {
                const struct om_day_net net = net_of(EXPONENT[e]);
                const struct om_query q = sample_query(&sample[i]);
                struct om_days days;
                if ((uint64_t)net.columns * net.rows > 100000) continue;
                ask(&q, &net, COLUMN[c], &days);
                check(&sample[i], &net, COLUMN[c], every, &days);
                om_days_deinit(&days);
            }
}

static void days_of_a_filter_and_a_window_are_what_they_take(void **state)
{
    (void)state;
    const struct om_day_net net = net_of(16);
    for (size_t i = 0; i < 2; i++) {
        struct om_query q = sample_query(&sample[i]);
        struct om_filter *filter;
        struct om_days days;
        assert_int_equal(om_filter_parse("flag = TRUE", 11, &sample[i].layer,
                                         ZONE_S, &filter, NULL),
                         OM_OK);
        q.filter = filter;
        ask(&q, &net, -1, &days);
        check(&sample[i], &net, -1, flagged, &days);
        om_days_deinit(&days);
        q.filter = NULL;
        q.window = (struct om_window){true, FIRST_S + 120 * 86400,
                                      FIRST_S + 151 * 86400};
        ask(&q, &net, -1, &days);
        assert_int_equal(days.first, om_time_days(2023, 5, 1));
        assert_int_equal(days.days, 31);
        check(&sample[i], &net, -1, in_may, &days);
        om_days_deinit(&days);
        om_filter_free(filter);
    }
}

/* The box of the cell, asked by day. */
static void days_of_a_cell_are_those_of_its_box(void **state)
{
    (void)state;
    const struct om_day_net net = net_of(17);
    const struct sample *s = &sample[1];
    struct om_query q = sample_query(s);
    struct om_days days;
    ask(&q, &net, -1, &days);
    for (size_t i = 0, end; i < days.count; i = end) {
        const uint32_t cell = days.sum[i].cell;
        const uint32_t x = (net.column0 + cell % net.columns) << net.exponent;
        const uint32_t y = (net.row0 + cell / net.columns) << net.exponent;
        const uint32_t side = (1u << net.exponent) - 1;
        struct om_groups groups;
        q.place = (struct om_place){.kind = OM_PLACE_BOX,
                                    .box = {x, y, x + side, y + side}};
        assert_int_equal(om_query_group(&q, OM_NO_FIELD, OM_STEP_DAY, ZONE_S,
                                        OM_NO_FIELD, &groups),
                         OM_OK);
        for (end = i; end < days.count && days.sum[end].cell == cell;) end++;
        assert_int_equal(groups.count, end - i);
        for (size_t g = 0; g < groups.count; g++)
            assert_true(days.sum[i + g].sum == (double)groups.group[g].count);
        om_groups_deinit(&groups);
    }
    om_days_deinit(&days);
}

/* Flagged rows are of kind 0, others of kind 1. */
struct telling {
    const struct sample *sample;
    size_t part;
};
static om_status begin_part(void *ctx, size_t part)
{
    ((struct telling *)ctx)->part = part;
    return OM_OK;
}
static size_t kind_of(const void *ctx, size_t row)
{
    const struct telling *t = ctx;
    return t->sample->truth[t->part][row].flag ? 0 : 1;
}
static bool unflagged(const struct truth *t)
{
    return !t->flag;
}

static void days_of_kinds_are_those_of_each_alone(void **state)
{
    (void)state;
    const struct om_day_net net = net_of(16);
    const uint32_t cells = net.columns * net.rows;
    for (size_t i = 0; i < 2; i++) {
        const struct om_query q = sample_query(&sample[i]);
        struct telling telling = {&sample[i], 0};
        struct om_day_kinds kinds = {2, begin_part, kind_of, &telling};
        struct om_days days;
        assert_int_equal(
            om_query_days_of_kinds(&q, &net, ZONE_S, &kinds, &days), OM_OK);
        struct om_days first = days, second = days;
        for (first.count = 0; first.count < days.count; first.count++)
            if (days.sum[first.count].cell >= cells) break;
        second.sum += first.count;
        second.count -= first.count;
        assert_true(first.count && second.count);
        for (size_t k = 0; k < second.count; k++) second.sum[k].cell -= cells;
        check(&sample[i], &net, -1, flagged, &first);
        check(&sample[i], &net, -1, unflagged, &second);
        om_days_deinit(&days);
        // What is of no kind is left out.
        kinds.count = 1;
        assert_int_equal(
            om_query_days_of_kinds(&q, &net, ZONE_S, &kinds, &days), OM_OK);
        check(&sample[i], &net, -1, flagged, &days);
        om_days_deinit(&days);
        kinds.count = 0;
        assert_int_equal(
            om_query_days_of_kinds(&q, &net, ZONE_S, &kinds, &days),
            OM_E_RANGE);
        kinds.count = OM_DAY_KINDS_MOST + 1;
        assert_int_equal(
            om_query_days_of_kinds(&q, &net, ZONE_S, &kinds, &days),
            OM_E_RANGE);
    }
}

static void error_of_what_has_no_days(void **state)
{
    (void)state;
    const struct om_query q = sample_query(&sample[0]);
    const struct om_day_net net = net_of(16);
    struct om_days days;
    assert_int_equal(om_query_days(&q, &net, ZONE_S, COL_KIND, &days),
                     OM_E_TYPE);
    assert_int_equal(om_query_days(&q, &net, ZONE_S, 999, &days),
                     OM_E_NOTFOUND);
    struct om_day_net none = net;
    none.columns = 0;
    assert_int_equal(om_query_days(&q, &none, ZONE_S, OM_NO_FIELD, &days),
                     OM_E_RANGE);
    none = (struct om_day_net){.columns = 1 << 16, .rows = 1 << 16};
    assert_int_equal(om_query_days(&q, &none, ZONE_S, OM_NO_FIELD, &days),
                     OM_E_RANGE);
    struct om_layer timeless = sample[0].layer;
    timeless.schema.time_field = OM_NO_FIELD;
    const struct om_query without = {.layer = &timeless};
    assert_int_equal(om_query_days(&without, &net, ZONE_S, OM_NO_FIELD, &days),
                     OM_E_NOTFOUND);
    assert_null(days.sum);
}

static void days_are_those_of_the_window(void **state)
{
    (void)state;
    static struct sample long_ago;
    const size_t rows[] = {64};
    sample_make(&long_ago, 1, rows, 0);
    struct om_query q = sample_query(&long_ago);
    const struct om_day_net net = net_of(16);
    struct om_days days;
    // An open window does not add any days.
    q.window = (struct om_window){true, INT64_MIN, INT64_MAX};
    ask(&q, &net, -1, &days);
    assert_true(days.days <= 181);
    om_days_deinit(&days);
    // An empty window has no days.
    q.window = (struct om_window){true, 0, 86400};
    ask(&q, &net, -1, &days);
    assert_int_equal(days.days, 0);
    assert_int_equal(days.count, 0);
    sample_free(&long_ago);
}

static om_status ask_once(const struct om_query *q)
{
    const struct om_day_net net = net_of(16);
    struct om_days days;
    const om_status st = om_query_days(q, &net, ZONE_S, OM_NO_FIELD, &days);
    om_days_deinit(&days);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_of_cells_add_up_their_rows),
        cmocka_unit_test(days_of_a_filter_and_a_window_are_what_they_take),
        cmocka_unit_test(days_of_a_cell_are_those_of_its_box),
        cmocka_unit_test(days_of_kinds_are_those_of_each_alone),
        cmocka_unit_test(error_of_what_has_no_days),
        cmocka_unit_test(days_are_those_of_the_window),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
