/* Grouped counts and sums, against counting every row.
 *
 * Plan
 *   group_*   by category, unit, flag, number, text, hour, day, month; over
 *             the whole layer, boxes and filters; counts of units of two
 *             levels add up to each other and to the rows
 *   error_*   what cannot be grouped or summed; sums that do not fit
 *   fault_*   the n-th allocation fails
 */
#include "tests/engine/query_pair.h"

#include <math.h>
#include <time.h>

#include "data/base/thread.h"
#include "data/model/time.h"

/* The test's own groups: names and figures, unsorted. */
struct mine {
    char id[220];
    bool null;
    uint64_t count;
    int64_t residents;
    long double weight;
};
static struct mine mine[20000];
static size_t mine_count;

static struct mine *mine_of(const char *id, bool null)
{
    for (size_t i = 0; i < mine_count; i++)
        if (mine[i].null == null && !strcmp(mine[i].id, id)) return &mine[i];
    assert_true(mine_count < sizeof mine / sizeof *mine);
    struct mine *m = &mine[mine_count++];
    *m = (struct mine){.null = null};
    snprintf(m->id, sizeof m->id, "%s", id);
    return m;
}

enum { BY_STEP = 100 };

/* The name of a row's group; false for NULL. Written without the engine's
 * code: steps through gmtime. */
static bool name_of(const struct truth *t, int by, char out[220])
{
    char text[64];
    out[0] = '\0';
    if (by >= BY_STEP) {
        const time_t local = (time_t)(t->at + ZONE_S);
        struct tm tm;
        gmtime_r(&local, &tm);
        const int step = by - BY_STEP;
        strftime(text, sizeof text,
                 step == OM_STEP_HOUR  ? "%Y-%m-%dT%H:00:00+08:00"
                 : step == OM_STEP_DAY ? "%Y-%m-%dT00:00:00+08:00"
                                       : "%Y-%m-01T00:00:00+08:00",
                 &tm);
        strcpy(out, text);
        return true;
    }
    switch (by) {
        case COL_ID:
            strcpy(out, t->id);
            return true;
        case COL_KIND:
            if (t->kind >= 0) strcpy(out, KIND[t->kind]);
            return t->kind >= 0;
        case COL_RESIDENTS:
            sprintf(out, "%lld", (long long)t->residents);
            return !t->residents_null;
        case COL_FLAG:
            strcpy(out, t->flag ? "true" : "false");
            return true;
        case COL_TEXT:
            sample_text(t, out);
            return true;
        case COL_GRID:
            if (t->grid != OM_NO_UNIT) sprintf(out, "g%02u", t->grid);
            return t->grid != OM_NO_UNIT;
        default:
            if (t->grid != OM_NO_UNIT) sprintf(out, "t%u", t->grid % TOWNS);
            return t->grid != OM_NO_UNIT;
    }
}

static struct om_box box_now;
static bool boxed(const struct truth *t)
{
    return t->pos.x >= box_now.x0 && t->pos.x <= box_now.x1 &&
           t->pos.y >= box_now.y0 && t->pos.y <= box_now.y1;
}
static bool many_shops(const struct truth *t)
{
    return !t->residents_null && t->residents >= 40 && t->kind == 0;
}

static void count_mine(const struct sample *s, int by, wanted *want)
{
    mine_count = 0;
    if (by == COL_GRID || by == COL_TOWN)
        for (unsigned i = 0; i < (by == COL_GRID ? GRIDS : TOWNS); i++) {
            char id[8];
            sprintf(id, by == COL_GRID ? "g%02u" : "t%u", i);
            mine_of(id, false);
        }
    for (size_t p = 0; p < s->parts; p++)
        for (size_t r = 0; r < om_segment_rows(s->part[p].segment); r++) {
            const struct truth *t = &s->truth[p][r];
            char id[220];
            if (t->dead || !want(t)) continue;
            const bool has = name_of(t, by, id);
            struct mine *m = mine_of(has ? id : "", !has);
            m->count++;
            m->residents += t->residents;
            m->weight += t->weight;
        }
}

static void check(const struct om_groups *g, int sum)
{
    assert_int_equal(g->count, mine_count);
    for (size_t i = 0; i < g->count; i++) {
        const struct om_group *a = &g->group[i];
        char id[220];
        assert_true(a->len < sizeof id);
        memcpy(id, a->id, a->len);
        id[a->len] = '\0';
        const size_t before = mine_count;
        const struct mine *m = mine_of(id, a->null);
        if (mine_count != before) fail_msg("no group '%s'", id);
        assert_int_equal(a->count, m->count);
        if (sum == COL_RESIDENTS) assert_int_equal(a->sum, m->residents);
        if (sum == COL_WEIGHT)
            assert_true(fabsl(a->real_sum - m->weight) < 1e-6L);
        if (!i) continue;
        const struct om_group *b = a - 1;
        assert_false(b->null);
        if (a->null) continue;
        const size_t shared = a->len < b->len ? a->len : b->len;
        const int order = memcmp(b->id, a->id, shared);
        assert_true(order < 0 || (order == 0 && b->len < a->len));
    }
}

static void check_query(const struct sample *s, struct om_query *q, int by,
                        int sum, wanted *want)
{
    struct om_groups groups;
    const size_t column = by >= BY_STEP ? OM_NO_FIELD : (size_t)by;
    const enum om_step step =
        by >= BY_STEP ? (enum om_step)(by - BY_STEP) : OM_STEP_NONE;
    assert_int_equal(
        om_query_group(q, column, step, ZONE_S,
                       sum < 0 ? OM_NO_FIELD : (size_t)sum, &groups),
        OM_OK);
    count_mine(s, by, want);
    check(&groups, sum);
    om_groups_deinit(&groups);
}

static const int BY[] = {COL_KIND,
                         COL_RESIDENTS,
                         COL_FLAG,
                         COL_GRID,
                         COL_TOWN,
                         BY_STEP + OM_STEP_HOUR,
                         BY_STEP + OM_STEP_DAY,
                         BY_STEP + OM_STEP_MONTH};
#define BYS (sizeof BY / sizeof *BY)

static void group_of_the_layer_is_counting_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t b = 0; b < BYS; b++)
            for (int sum = -1; sum < 3; sum++) {
                static const int SUM[] = {COL_RESIDENTS, COL_WEIGHT, COL_FLAG};
                struct om_query q = sample_query(&sample[i]);
                check_query(&sample[i], &q, BY[b], sum < 0 ? -1 : SUM[sum],
                            every);
            }
}

static void group_by_ids_and_texts_names_each_row(void **state)
{
    (void)state;
    const struct sample *s = &sample[1];
    struct om_query q = sample_query(s);
    box_now = (struct om_box){
        s->truth[0][50].pos.x - 400000, s->truth[0][50].pos.y - 400000,
        s->truth[0][50].pos.x + 400000, s->truth[0][50].pos.y + 400000};
    q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = box_now};
    check_query(s, &q, COL_ID, COL_RESIDENTS, boxed);
    check_query(s, &q, COL_TEXT, COL_RESIDENTS, boxed);
    check_query(s, &q, COL_TEXT, COL_WEIGHT, boxed);
    check_query(s, &q, COL_TEXT, -1, boxed);
}

static void group_of_boxes_is_counting_the_rows_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int n = 0; n < 60; n++) {
            const struct sample *s = &sample[i];
            const struct om_pos at =
                s->truth[0][dice(om_segment_rows(s->part[0].segment))].pos;
            const uint32_t reach = (uint32_t)dice(UINT64_C(1) << (n % 26 + 1));
            box_now = (struct om_box){at.x - reach, at.y - reach / 2,
                                      at.x + reach, at.y + reach / 3};
            if (box_now.x0 > box_now.x1 || box_now.y0 > box_now.y1) continue;
            struct om_query q = sample_query(s);
            q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = box_now};
            check_query(s, &q, BY[(size_t)n % BYS],
                        n % 3 ? COL_RESIDENTS : COL_WEIGHT, boxed);
            check_query(s, &q, BY[(size_t)n % BYS], -1, boxed);
        }
}

static void group_of_a_filter_is_counting_what_it_takes(void **state)
{
    (void)state;
    static const char TEXT[] = "residents >= 40 AND kind = 'shop'";
    for (size_t i = 0; i < 2; i++) {
        const struct sample *s = &sample[i];
        struct om_err err = {0};
        struct om_filter *filter = NULL;
        struct om_query q = sample_query(s);
        if (om_filter_parse(TEXT, strlen(TEXT), &s->layer, ZONE_S, &filter,
                            &err))
            fail_msg("%s", err.text);
        q.filter = filter;
        for (size_t b = 0; b < BYS; b++) {
            check_query(s, &q, BY[b], -1, many_shops);
            check_query(s, &q, BY[b], COL_RESIDENTS, many_shops);
        }
        uint64_t count;
        assert_int_equal(om_query_count(&q, &count), OM_OK);
        count_mine(s, COL_FLAG, many_shops);
        uint64_t all = 0;
        for (size_t k = 0; k < mine_count; k++) all += mine[k].count;
        assert_int_equal(count, all);
        om_filter_free(filter);
    }
}

static void group_does_not_depend_on_threads(void **state)
{
    (void)state;
    const size_t threads[] = {1, 2, 5};
    for (size_t n = 0; n < 3; n++) {
        om_threads_set(threads[n]);
        struct om_query q = sample_query(&sample[0]);
        check_query(&sample[0], &q, COL_KIND, -1, every);
        check_query(&sample[0], &q, COL_RESIDENTS, COL_RESIDENTS, every);
        check_query(&sample[0], &q, COL_GRID, COL_WEIGHT, every);
    }
    om_threads_set(0);
}

/* Every grid belongs to one town here, so towns are sums of their grids. */
static void group_of_towns_is_that_of_their_grids(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct om_query q = sample_query(&sample[i]);
        struct om_groups grid, town;
        assert_int_equal(om_query_group(&q, COL_GRID, OM_STEP_NONE, ZONE_S,
                                        COL_RESIDENTS, &grid),
                         OM_OK);
        assert_int_equal(om_query_group(&q, COL_TOWN, OM_STEP_NONE, ZONE_S,
                                        COL_RESIDENTS, &town),
                         OM_OK);
        uint64_t count[TOWNS + 1] = {0}, all = 0;
        for (size_t g = 0; g < grid.count; g++) {
            const struct om_group *a = &grid.group[g];
            const size_t t =
                a->null
                    ? TOWNS
                    : (size_t)((a->id[1] - '0') * 10 + a->id[2] - '0') % TOWNS;
            count[t] += a->count;
            all += a->count;
        }
        assert_int_equal(town.count, TOWNS + 1);
        for (size_t t = 0; t <= TOWNS; t++)
            assert_int_equal(town.group[t].count, count[t]);
        assert_int_equal(all, sample[i].layer.rows);
        om_groups_deinit(&grid);
        om_groups_deinit(&town);
    }
}

/* Enough rows for several stretches, so that threads really share the work. */
static void group_of_many_rows_is_put_together_from_all_threads(void **state)
{
    (void)state;
    static struct sample many;
    const size_t rows[] = {300000};
    sample_make(&many, 1, rows, 0);
    om_threads_set(4);
    struct om_query q = sample_query(&many);
    check_query(&many, &q, COL_GRID, -1, every);
    check_query(&many, &q, COL_GRID, COL_RESIDENTS, every);
    check_query(&many, &q, COL_KIND, COL_WEIGHT, every);
    check_query(&many, &q, BY_STEP + OM_STEP_MONTH, -1, every);
    om_threads_set(0);
    sample_free(&many);
}

static void error_of_columns_that_do_not_do(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    struct om_groups g;
    assert_int_equal(
        om_query_group(&q, COL_WEIGHT, OM_STEP_NONE, 0, OM_NO_FIELD, &g),
        OM_E_TYPE);
    assert_int_equal(
        om_query_group(&q, COL_KIND, OM_STEP_DAY, 0, OM_NO_FIELD, &g),
        OM_E_TYPE);
    assert_int_equal(om_query_group(&q, COLS, OM_STEP_NONE, 0, OM_NO_FIELD, &g),
                     OM_E_NOTFOUND);
    assert_int_equal(
        om_query_group(&q, COL_KIND, OM_STEP_NONE, 0, COL_TEXT, &g), OM_E_TYPE);
}

static size_t by_now;

static om_status ask_once(const struct om_query *q)
{
    struct om_groups groups = {0};
    const om_status st =
        om_query_group(q, by_now, OM_STEP_NONE, 0, COL_RESIDENTS, &groups);
    om_groups_deinit(&groups);
    return st;
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    const size_t by[] = {COL_KIND, COL_RESIDENTS, COL_ID};
    for (size_t b = 0; b < 3; b++) {
        by_now = by[b];
        pair_faults(ask_once);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_of_the_layer_is_counting_every_row),
        cmocka_unit_test(group_by_ids_and_texts_names_each_row),
        cmocka_unit_test(group_of_boxes_is_counting_the_rows_inside),
        cmocka_unit_test(group_of_a_filter_is_counting_what_it_takes),
        cmocka_unit_test(group_does_not_depend_on_threads),
        cmocka_unit_test(group_of_towns_is_that_of_their_grids),
        cmocka_unit_test(group_of_many_rows_is_put_together_from_all_threads),
        cmocka_unit_test(error_of_columns_that_do_not_do),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
