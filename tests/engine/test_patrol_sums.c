/* Visits owed, made and overdue in registers that nobody made up.
 *
 * Plan
 *   oracle_*   random registers against a slow judge that shares no code
 *   sums_*     by units and levels, the register comes back
 *   overdue_*  what is overdue as a layer of its own
 *   fault_*    what is missing or too much; failing allocations
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/model/time.h"
#include "engine/coverage/overdue.h"
#include "tests/engine/patrol_sample.h"
#include "tests/rounds.h"

/* --- oracle ------------------------------------------------------------ */

static const char *const LEVELS[] = {"low", "mid", "high", "none", "other"};

/* Visits a month by the document above, or -1. */
static int owed_in(bool shop, const char *level, const char *month)
{
    if (!level) return -1;
    if (shop) {
        if (strcmp(month, "2023-02") < 0) return 0;
        return !strcmp(level, "A") ? 1 : !strcmp(level, "B") ? 3 : -1;
    }
    const bool second = strcmp(month, "2024-01") >= 0;
    if (!strcmp(level, "other")) return -1;  // no table knows it
    if (strcmp(month, "2023-01") < 0) return 0;
    if (!strcmp(level, "low")) return second ? 2 : 1;
    if (!strcmp(level, "mid")) return second ? 3 : 2;
    if (!strcmp(level, "high")) return 4;
    return !strcmp(level, "none") && !second ? 0 : -1;
}

static void month_text(int64_t at_s, char out[8])
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(at_s, 8 * 3600, text);
    snprintf(out, 8, "%.7s", text);
}

struct expected {
    int owed, due, done, ahead, extra, unknown, visits;
    int64_t overdue_s, last_s;
    bool judged;
};

/* Distinct days, as texts, of the visits of a target in [lo, hi). */
static int days_of(const struct town *t, bool shop, const char *id, int64_t lo,
                   int64_t hi, int64_t at_s, int verified,
                   char days[64][OM_TIME_TEXT_BYTES], int n)
{
    for (size_t i = 0; i < t->visit.count; i++) {
        char day[OM_TIME_TEXT_BYTES];
        if (!t->visit.valid[i][VISIT_LAYER] || !t->visit.valid[i][TARGET] ||
            !t->visit.valid[i][AT] || strcmp(t->visit.text[i][TARGET], id) ||
            strcmp(t->visit.text[i][VISIT_LAYER], shop ? "shop" : "house"))
            continue;
        const int is = t->visit.valid[i][VERIFIED]
                           ? (int)t->visit.number[i][VERIFIED]
                           : -1;
        const int64_t when = t->visit.number[i][AT];
        if (is != verified || when < lo || when >= hi || when >= at_s) continue;
        om_time_format(when, 8 * 3600, day);
        day[10] = '\0';
        bool known = false;
        for (int k = 0; k < n; k++) known = known || !strcmp(days[k], day);
        if (!known && n < 64) memcpy(days[n++], day, sizeof day);
    }
    return n;
}

static int64_t last_of(const struct town *t, bool shop, const char *id,
                       int64_t at_s)
{
    int64_t last = OM_NEVER;
    for (size_t i = 0; i < t->visit.count; i++)
        if (t->visit.valid[i][VISIT_LAYER] && t->visit.valid[i][TARGET] &&
            t->visit.valid[i][AT] && !strcmp(t->visit.text[i][TARGET], id) &&
            !strcmp(t->visit.text[i][VISIT_LAYER], shop ? "shop" : "house") &&
            t->visit.valid[i][VERIFIED] && t->visit.number[i][VERIFIED] &&
            t->visit.number[i][AT] < at_s && t->visit.number[i][AT] > last)
            last = t->visit.number[i][AT];
    return last;
}

/* Midnight of the day a moment lies in. */
static int64_t midnight(int64_t at_s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(at_s, 8 * 3600, text);
    text[10] = '\0';
    return duty_at(text);
}

static void expect_month(const struct town *t, bool shop, const char *id, int n,
                         int64_t start, int64_t end_, int64_t from, int64_t to,
                         int64_t since, int64_t at_s, struct expected *e)
{
    char days[64][OM_TIME_TEXT_BYTES];
    const int64_t lo = from > since ? from : since;
    const long double length = (long double)(end_ - start) / (n ? n : 1);
    int64_t due_at[32];
    int owed = 0, due = 0;
    for (int k = 0; k < n; k++) {
        const long double begins = (long double)start + k * length;
        const long double ends = begins + length;
        if (begins < (long double)lo - 1e-6L || ends > (long double)to + 1e-6L)
            continue;
        int64_t whole = (int64_t)ends;
        if ((long double)whole < ends - 1e-6L) whole++;
        due_at[owed++] = whole;
        due += whole <= at_s;
    }
    // Days from the one on which the level began, within the window.
    const int64_t first =
        since > from ? (midnight(since) > from ? midnight(since) : from) : from;
    const int seen = days_of(t, shop, id, first, to, at_s, 1, days, 0);
    const int both = days_of(t, shop, id, first, to, at_s, -1, days, seen);
    const int done = seen < due ? seen : due;
    const int paid = seen < owed ? seen : owed;
    const int maybe = both - seen < due - done ? both - seen : due - done;
    e->judged = true;
    e->owed += owed;
    e->due += due;
    e->done += done;
    e->ahead += paid - done;
    e->extra += seen - paid;
    e->unknown += maybe;
    if (done + maybe < due && e->last_s < to && e->overdue_s == OM_NEVER)
        e->overdue_s = due_at[done + maybe];
}

static struct expected expect(const struct town *t, bool shop, const char *id,
                              const char *level, int64_t since, int64_t from,
                              int64_t to, int64_t at_s)
{
    struct expected e = {.overdue_s = OM_NEVER,
                         .last_s = last_of(t, shop, id, at_s)};
    for (int year = 2022; year <= 2024; year++)
        for (int month = 1; month <= 12; month++) {
            char text[48], name[8], days[64][OM_TIME_TEXT_BYTES];
            snprintf(text, sizeof text, "%d-%02d-01", year, month);
            const int64_t start = duty_at(text);
            snprintf(text, sizeof text, "%d-%02d-01",
                     month == 12 ? year + 1 : year, month % 12 + 1);
            const int64_t end_ = duty_at(text);
            const int64_t lo = from > start ? from : start;
            const int64_t hi = to < end_ ? to : end_;
            if (lo >= hi) continue;
            month_text(start, name);
            const int seen = days_of(t, shop, id, lo, hi, at_s, 1, days, 0);
            e.visits += days_of(t, shop, id, lo, hi, at_s, -1, days, seen);
            const int n = owed_in(shop, level, name);
            if (n < 0 || since >= hi || since > at_s) continue;
            expect_month(t, shop, id, n, start, end_, lo, hi, since, at_s, &e);
        }
    return e;
}

static void check_row(const struct town *t, const struct om_patrol_spec *spec,
                      const struct om_patrol_row *r)
{
    const bool shop = r->target == 1;
    const struct duty_rows *rows = shop ? &t->shop : &t->house;
    struct om_text_reader reader = {0};
    const char *text;
    size_t len, i = 0;
    assert_int_equal(
        om_segment_text(t->duty.target[r->target].layer->part[0].segment, 0,
                        r->row, &reader, &text, &len),
        OM_OK);
    while (strlen(rows->text[i][0]) != len ||
           memcmp(rows->text[i][0], text, len) != 0)
        i++;
    om_text_reader_deinit(&reader);
    const char *level = rows->valid[i][LEVEL] ? rows->text[i][LEVEL] : NULL;
    const int64_t since =
        !shop && rows->valid[i][SINCE] ? rows->number[i][SINCE] : INT64_MIN;
    const struct expected e = expect(t, shop, rows->text[i][0], level, since,
                                     spec->from_s, spec->to_s, spec->at_s);
    assert_int_equal(r->owed, e.owed);
    assert_int_equal(r->due, e.due);
    assert_int_equal(r->done, e.done);
    assert_int_equal(r->ahead, e.ahead);
    assert_int_equal(r->extra, e.extra);
    assert_int_equal(r->doubtful, e.unknown);
    assert_int_equal(r->visits, e.visits);
    assert_int_equal(r->judged, e.judged);
    assert_int_equal(r->last_s, e.last_s);
    assert_int_equal(r->overdue_s, e.overdue_s);
}

static void random_town(struct town *t, uint64_t seed, bool words)
{
    char id[32];
    const int64_t day_0 = duty_at("2022-11-01");
    begin(t);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, words ? "h-%d" : "H%05d", i);
        duty_add(&t->house, duty_pos(&seed), id);
        if (mesh_random(&seed) % 9)
            duty_text(&t->house, LEVEL, LEVELS[mesh_random(&seed) % 5]);
        if (mesh_random(&seed) % 3)
            duty_number(&t->house, SINCE,
                        day_0 + (int64_t)(mesh_random(&seed) % (450 * 86400)));
        snprintf(id, sizeof id, "S%d", i);
        duty_add(&t->shop, duty_pos(&seed), id);
        duty_text(&t->shop, LEVEL, mesh_random(&seed) % 2 ? "A" : "B");
    }
    for (int i = 0; i < 1500; i++) {
        const bool shop = mesh_random(&seed) % 3 == 0;
        const int which = (int)(mesh_random(&seed) % 42);
        if (shop)
            snprintf(id, sizeof id, "S%d", which);
        else
            snprintf(id, sizeof id, words ? "h-%d" : "H%05d", which);
        const int64_t verified = (int64_t)(mesh_random(&seed) % 8);
        char visit[32];
        snprintf(visit, sizeof visit, "V%06d", i);
        duty_add(&t->visit, duty_pos(&seed), visit);
        duty_text(&t->visit, VISIT_LAYER, shop ? "shop" : "house");
        duty_text(&t->visit, TARGET, id);
        duty_number(&t->visit, AT,
                    day_0 + (int64_t)(mesh_random(&seed) % (500 * 86400)));
        duty_number(&t->visit, VERIFIED,
                    verified > 1 ? 1
                    : verified   ? 0
                                 : DUTY_NONE);
    }
    build(t, true);
}

static void oracle_agrees_whatever_the_threads(void **state)
{
    (void)state;
    static const char *const WINDOW[][3] = {
        {"2023-05-01", "2023-06-01", "2023-06-27"},
        {"2023-05-01", "2023-06-01", "2023-05-17T13:00"},
        {"2022-12-01", "2024-03-01", "2024-02-20T01:02:03"},
        {"2023-01-10T07:00", "2023-04-20T09:30", "2023-04-12"},
        {"2023-12-01", "2024-02-01", "2024-06-01"},
        {"2023-05-01", "2023-06-01", "2023-04-01"}};
    const size_t rounds = test_rounds(6);
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        struct town t;
        random_town(&t, seed * 77, seed % 2);
        for (size_t w = 0; w < sizeof WINDOW / sizeof *WINDOW; w++) {
            const struct om_patrol_spec spec =
                spec_of(&t, WINDOW[w][0], WINDOW[w][1], WINDOW[w][2]);
            struct om_patrol one, many;
            om_threads_set(1);
            assert_int_equal(om_patrol_judge(&spec, &one, NULL), OM_OK);
            om_threads_set(4);
            assert_int_equal(om_patrol_judge(&spec, &many, NULL), OM_OK);
            om_threads_set(0);
            assert_int_equal(one.count, 80);
            for (size_t i = 0; i < one.count; i++) {
                check_row(&t, &spec, &one.row[i]);
                assert_memory_equal(&one.row[i], &many.row[i], sizeof *one.row);
            }
            assert_int_equal(one.visits.lost, many.visits.lost);
            assert_int_equal(one.visits.repeated, many.visits.repeated);
            om_patrol_deinit(&one);
            om_patrol_deinit(&many);
        }
        end(&t);
    }
}

/* --- sums -------------------------------------------------------------- */

static void sums_add_up_to_the_register(void **state)
{
    (void)state;
    struct town t;
    random_town(&t, 5, false);
    const struct om_patrol_spec spec =
        spec_of(&t, "2023-05-01", "2023-07-01", "2023-06-27");
    struct om_patrol p;
    struct om_units units;
    struct om_patrol_sums sums;
    assert_int_equal(om_patrol_judge(&spec, &p, NULL), OM_OK);
    assert_int_equal(om_units_read(&t.city.snapshot, "grid", &units, NULL),
                     OM_OK);
    assert_int_equal(om_patrol_add_up(&spec, &p, &units, &sums), OM_OK);
    assert_int_equal(sums.slots, 4 + 1 + 2 + 1);
    uint64_t level[16] = {0}, register_of[16] = {0};
    struct om_patrol_sum all = {0};
    for (size_t u = 0; u <= units.count; u++)
        for (size_t s = 0; s < sums.slots; s++) {
            level[s] += sums.sum[u * sums.slots + s].rows;
            om_patrol_sum_add(&all, &sums.sum[u * sums.slots + s]);
        }
    for (size_t i = 0; i < 40; i++) {
        static const char *const KNOWN[] = {"low", "mid", "high", "none"};
        size_t l = 4;
        for (size_t k = 0; k < 4; k++)
            if (t.house.valid[i][LEVEL] &&
                !strcmp(t.house.text[i][LEVEL], KNOWN[k]))
                l = k;
        for (size_t k = 0; k < 4 && l < 4; k++)
            if (!strcmp(t.duty.target[0].level_name[k], KNOWN[l])) {
                l = k;
                break;
            }
        register_of[sums.slot_of[0] + l]++;
        register_of[sums.slot_of[1] + (t.shop.text[i][LEVEL][0] != 'A')]++;
    }
    for (size_t s = 0; s < sums.slots; s++)
        assert_int_equal(level[s], register_of[s]);
    uint64_t due = 0, states = 0;
    int64_t overdue_s = 0;
    for (size_t i = 0; i < p.count; i++) {
        due += p.row[i].due;
        if (p.row[i].overdue_s != OM_NEVER)
            overdue_s += spec.at_s - p.row[i].overdue_s;
    }
    for (size_t s = 0; s < OM_PATROL_STATES; s++) states += all.state[s];
    assert_int_equal(all.rows, 80);
    assert_int_equal(states, 80);
    assert_int_equal(all.due, due);
    assert_int_equal(all.overdue_s, overdue_s);
    assert_int_equal(all.done + all.doubtful + om_patrol_missed(&all), all.due);
    om_patrol_sums_deinit(&sums);
    om_units_deinit(&units);
    om_patrol_deinit(&p);
    end(&t);
}

/* --- overdue ----------------------------------------------------------- */

static void overdue_is_a_layer_of_days_times_risk(void **state)
{
    (void)state;
    struct town t;
    random_town(&t, 5, false);
    const struct om_patrol_spec spec =
        spec_of(&t, "2023-05-01", "2023-07-01", "2023-06-27");
    struct om_patrol p;
    struct om_overdue overdue;
    assert_int_equal(om_patrol_judge(&spec, &p, NULL), OM_OK);
    assert_int_equal(om_overdue_make(&spec, &p, t.city.folder, &overdue, NULL),
                     OM_OK);
    double want = 0, got = 0;
    size_t rows = 0;
    for (size_t i = 0; i < p.count; i++) {
        const struct om_patrol_row *r = &p.row[i];
        const struct om_duty_target *target = &t.duty.target[r->target];
        if (r->overdue_s == OM_NEVER) continue;
        rows++;
        want +=
            target->risk[r->level] * (double)(spec.at_s - r->overdue_s) / 86400;
    }
    const struct om_column *c;
    assert_true(rows > 10);
    assert_int_equal(overdue.layer.rows, rows);
    assert_int_equal(overdue.all->count, rows);
    assert_int_equal(
        om_segment_column(overdue.part.segment, overdue.weight, 0, rows, &c),
        OM_OK);
    for (size_t i = 0; i < rows; i++) got += ((const double *)c->data)[i];
    assert_true(got > want * (1 - 1e-12) && got < want * (1 + 1e-12));
    assert_true(overdue.sum > want * (1 - 1e-12));
    om_overdue_free(&overdue);
    struct om_err err = {0};
    assert_int_equal(
        om_overdue_make(&spec, &p, "/nowhere/at/all", &overdue, &err), OM_E_IO);
    om_overdue_free(&overdue);
    om_status st = OM_E_MEMORY;
    om_threads_set(1);
    for (size_t n = 1; st; n++) {
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_overdue_make(&spec, &p, t.city.folder, &overdue, NULL);
        om_alloc_fail_after(0, false);
        assert_true(!st || st == OM_E_MEMORY);
        om_overdue_free(&overdue);
        assert_int_equal(om_alloc_live(), live);
    }
    om_threads_set(0);
    om_patrol_deinit(&p);
    end(&t);
}

/* --- faults ------------------------------------------------------------ */

static void fault_empty_layers_and_windows(void **state)
{
    (void)state;
    struct town t;
    begin(&t);
    build(&t, false);
    struct om_patrol p = judge(&t, MAY, "2023-06-01");
    assert_int_equal(p.count, 0);
    assert_int_equal(p.visits.rows, 0);
    om_patrol_deinit(&p);
    struct om_err err = {0};
    struct om_patrol_spec spec =
        spec_of(&t, "2023-06-01", "2023-05-01", "2023-06-01");
    assert_int_equal(om_patrol_judge(&spec, &p, &err), OM_E_RANGE);
    spec = spec_of(&t, "1990-06-01", "2023-05-01", "2023-06-01");
    assert_int_equal(om_patrol_judge(&spec, &p, &err), OM_E_COST);
    assert_non_null(strstr(err.text, "months"));
    end(&t);
}

static void fault_members_that_are_not_there(void **state)
{
    (void)state;
    struct town t;
    begin(&t);
    add_house(&t, "H1", "low", NULL);
    build(&t, false);
    struct om_err err = {0};
    struct om_patrol p;
    struct om_patrol_spec spec = spec_of(&t, MAY, "2023-06-01");
    t.duty.visits.layer = NULL;
    assert_int_equal(om_patrol_judge(&spec, &p, &err), OM_E_NOTFOUND);
    assert_non_null(strstr(err.text, "duty.visits"));
    t.duty.targets = 0;
    assert_int_equal(om_patrol_judge(&spec, &p, &err), OM_E_NOTFOUND);
    assert_non_null(strstr(err.text, "duty.targets"));
    end(&t);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    struct town t;
    random_town(&t, 3, true);
    const struct om_patrol_spec spec =
        spec_of(&t, "2023-05-01", "2023-07-01", "2023-06-27");
    struct om_units units;
    assert_int_equal(om_units_read(&t.city.snapshot, "grid", &units, NULL),
                     OM_OK);
    om_threads_set(1);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_patrol p = {0};
        struct om_patrol_sums sums = {0};
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_patrol_judge(&spec, &p, NULL);
        if (!st) st = om_patrol_add_up(&spec, &p, &units, &sums);
        om_alloc_fail_after(0, false);
        assert_true(!st || st == OM_E_MEMORY);
        om_patrol_deinit(&p);
        om_patrol_sums_deinit(&sums);
        assert_int_equal(om_alloc_live(), live);
    }
    om_threads_set(0);
    om_units_deinit(&units);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_agrees_whatever_the_threads),
        cmocka_unit_test(sums_add_up_to_the_register),
        cmocka_unit_test(overdue_is_a_layer_of_days_times_risk),
        cmocka_unit_test(fault_empty_layers_and_windows),
        cmocka_unit_test(fault_members_that_are_not_there),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
