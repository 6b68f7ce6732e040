/* Visits owed, made and overdue, by cases worked out by hand.
 *
 * Plan
 *   months_*   calendar months of a zone, leap days
 *   ids_*      rows by id, numbered and not, dead ones
 *   rule_*     each rule of patrol.h
 *   visits_*   those to nobody
 *
 * Registers that nobody made up are in test_patrol_sums.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/coverage/idmap.h"
#include "engine/coverage/months.h"
#include "tests/engine/patrol_sample.h"

/* A house of a level with visits, judged for a window at a moment: owed, due,
 * done, ahead, extra. */
struct rule_case {
    const char *level, *since, *visits, *from, *to, *at;
    int want[5];
    enum om_patrol_state state;
};

static void add_case(struct town *t, const struct rule_case *c, size_t i)
{
    char id[32], copy[512];
    snprintf(id, sizeof id, "H%zu", i);
    add_house(t, id, c->level, c->since);
    snprintf(copy, sizeof copy, "%s", c->visits);
    for (char *at = strtok(copy, " "); at; at = strtok(NULL, " "))
        add_visit(t, id, at);
}

static void check_case(struct town *t, const struct rule_case *c, size_t i)
{
    char id[32];
    snprintf(id, sizeof id, "H%zu", i);
    struct om_patrol p = judge(t, c->from, c->to, c->at);
    const struct om_patrol_row *r = row_of(t, &p, id);
    const int got[] = {r->owed, r->due, r->done, r->ahead, r->extra};
    for (int k = 0; k < 5; k++)
        if (got[k] != c->want[k]) {
            print_error("case %zu: %d %d %d %d %d\n", i, got[0], got[1], got[2],
                        got[3], got[4]);
            fail();
        }
    assert_int_equal(r->state, c->state);
    om_patrol_deinit(&p);
}

static void check(const struct rule_case *c, size_t n)
{
    struct town t;
    begin(&t);
    for (size_t i = 0; i < n; i++) add_case(&t, &c[i], i);
    build(&t, false);
    for (size_t i = 0; i < n; i++) check_case(&t, &c[i], i);
    end(&t);
}
#define CHECK(cases) check(cases, sizeof cases / sizeof *cases)

/* --- months ------------------------------------------------------------ */

static void months_begin_at_the_citys_midnight(void **state)
{
    (void)state;
    const int64_t before = duty_at("2023-04-30T23:59:59+08:00");
    struct om_month m = om_month_of(before, 8 * 3600);
    assert_int_equal(m.end_s, before + 1);
    assert_int_equal(m.end_s - m.start_s, 30 * 86400);
    m = om_month_of(before + 1, 8 * 3600);
    assert_int_equal(m.start_s, before + 1);
    assert_int_equal(m.end_s - m.start_s, 31 * 86400);
    m = om_month_of(duty_at("2024-02-10"), 8 * 3600);
    assert_int_equal(m.end_s - m.start_s, 29 * 86400);
    m = om_month_of(duty_at("2023-12-31T23:59:59+08:00"), 8 * 3600);
    assert_int_equal(m.end_s, duty_at("2024-01-01"));
    m = om_month_of(-1, 0);
    assert_int_equal(m.end_s, 0);
}

static void months_are_cut_to_the_window(void **state)
{
    (void)state;
    struct om_month m[3];
    size_t n;
    assert_int_equal(om_months_cut(duty_at("2023-01-15"), duty_at("2023-03-02"),
                                   8 * 3600, 3, m, &n),
                     OM_OK);
    assert_int_equal(n, 3);
    assert_int_equal(m[0].lo_s, duty_at("2023-01-15"));
    assert_int_equal(m[1].lo_s, m[1].start_s);
    assert_int_equal(m[1].hi_s, m[1].end_s);
    assert_int_equal(m[2].hi_s, duty_at("2023-03-02"));
    assert_int_equal(om_months_cut(0, 0, 0, 3, m, &n), OM_E_RANGE);
    assert_int_equal(om_months_cut(0, 200 * 86400, 0, 3, m, &n), OM_E_COST);
}

/* --- ids --------------------------------------------------------------- */

static void ids_of_all_kinds_are_found(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct town t;
        char id[32];
        begin(&t);
        for (int i = 0; i < 300; i++) {
            // Numbers in a row; numbers far apart; words.
            snprintf(id, sizeof id,
                     kind == 0   ? "R%07d"
                     : kind == 1 ? "R%07d"
                                 : "house-%d",
                     kind == 1 ? i * 33331 : i);
            add_house(&t, id, "low", NULL);
        }
        build(&t, false);
        struct om_layer *layer = (struct om_layer *)t.duty.target[0].layer;
        const uint32_t dead[] = {7, 42};
        t.city.part[1].dead = dead;
        t.city.part[1].dead_count = 2;
        struct om_idmap map;
        assert_int_equal(om_idmap_make(layer, &map), OM_OK);
        assert_int_equal(map.numbers > 0, kind == 0);
        struct om_text_reader reader = {0};
        for (uint32_t row = 0; row < 300; row++) {
            const char *text;
            size_t len;
            assert_int_equal(om_segment_text(layer->part[0].segment, 0, row,
                                             &reader, &text, &len),
                             OM_OK);
            const bool gone = row == 7 || row == 42;
            assert_int_equal(om_idmap_find(&map, text, len),
                             gone ? OM_NO_ROW : row);
            if (kind < 2)
                assert_int_equal(om_idmap_find(&map, text, len - 1), OM_NO_ROW);
        }
        const char *const not [] = {"",         "R",        "R9999999",
                                    "X0000001", "R000000x", "house-300",
                                    "R00000001"};
        for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
            assert_int_equal(om_idmap_find(&map, not [i], strlen(not [i])),
                             OM_NO_ROW);
        om_text_reader_deinit(&reader);
        om_idmap_deinit(&map);
        end(&t);
    }
}

/* --- rules ------------------------------------------------------------- */

static void rule_1_parts_fall_due_when_they_are_over(void **state)
{
    (void)state;
    static const struct rule_case CASE[] = {
        // February of 28 days in four parts of a week.
        {"high",
         NULL,
         "",
         "2023-02-01",
         "2023-03-01",
         "2023-02-07T23:59:59+08:00",
         {4, 0, 0, 0, 0},
         OM_PATROL_NOT_DUE},
        {"high",
         NULL,
         "",
         "2023-02-01",
         "2023-03-01",
         "2023-02-08",
         {4, 1, 0, 0, 0},
         OM_PATROL_OVERDUE},
        {"high",
         NULL,
         "",
         "2023-02-01",
         "2023-03-01",
         "2023-02-28T23:59:59+08:00",
         {4, 3, 0, 0, 0},
         OM_PATROL_OVERDUE},
        {"high",
         NULL,
         "",
         "2023-02-01",
         "2023-03-01",
         "2023-03-01",
         {4, 4, 0, 0, 0},
         OM_PATROL_OVERDUE},
        // A leap year's February has a day more.
        {"low",
         NULL,
         "",
         "2024-02-01",
         "2024-03-01",
         "2024-02-29T23:59:59+08:00",
         {2, 1, 0, 0, 0},
         OM_PATROL_OVERDUE},
        // 29 days in two parts: noon of the 15th.
        {"low",
         NULL,
         "",
         "2024-02-01",
         "2024-03-01",
         "2024-02-15T11:59:59+08:00",
         {2, 0, 0, 0, 0},
         OM_PATROL_NOT_DUE},
        {"low",
         NULL,
         "",
         "2024-02-01",
         "2024-03-01",
         "2024-02-15T12:00:00+08:00",
         {2, 1, 0, 0, 0},
         OM_PATROL_OVERDUE},
    };
    CHECK(CASE);
}

static void rule_2_the_table_at_the_months_beginning(void **state)
{
    (void)state;
    static const struct rule_case CASE[] = {
        {"mid",
         NULL,
         "",
         "2023-12-01",
         "2024-01-01",
         "2024-03-01",
         {2, 2, 0, 0, 0},
         OM_PATROL_OVERDUE},
        {"mid",
         NULL,
         "",
         "2024-01-01",
         "2024-02-01",
         "2024-03-01",
         {3, 3, 0, 0, 0},
         OM_PATROL_OVERDUE},
        // Before the first table nothing is owed.
        {"mid",
         NULL,
         "2022-12-05",
         "2022-12-01",
         "2023-01-01",
         "2023-03-01",
         {0, 0, 0, 0, 1},
         OM_PATROL_NO_DUTY},
        // A level of no visits, and one that the table of the year leaves out.
        {"none",
         NULL,
         "",
         MAY,
         "2023-06-01",
         {0, 0, 0, 0, 0},
         OM_PATROL_NO_DUTY},
        {"none",
         NULL,
         "",
         "2024-01-01",
         "2024-02-01",
         "2024-03-01",
         {0, 0, 0, 0, 0},
         OM_PATROL_UNJUDGED},
    };
    CHECK(CASE);
}

static void rule_3_a_level_owes_the_parts_it_holds_whole(void **state)
{
    (void)state;
    static const struct rule_case CASE[] = {
        // June has 30 days: of four parts of 7.5 days the third begins on the
        // 16th.
        {"high",
         "2023-06-16",
         "",
         JUNE,
         "2023-07-01",
         {2, 2, 0, 0, 0},
         OM_PATROL_OVERDUE},
        {"high",
         "2023-06-16T00:00:01+08:00",
         "",
         JUNE,
         "2023-07-01",
         {1, 1, 0, 0, 0},
         OM_PATROL_OVERDUE},
        {"low",
         "2023-06-02",
         "",
         JUNE,
         "2023-07-01",
         {0, 0, 0, 0, 0},
         OM_PATROL_NO_DUTY},
        // A visit before the level began does not pay for it; of its day it
        // does.
        {"high",
         "2023-06-16",
         "2023-06-15T23:00 2023-06-16T01:00",
         JUNE,
         "2023-07-01",
         {2, 2, 1, 0, 0},
         OM_PATROL_OVERDUE},
        // Before the level began it is not known.
        {"high",
         "2023-07-01",
         "",
         JUNE,
         "2023-07-01",
         {0, 0, 0, 0, 0},
         OM_PATROL_UNJUDGED},
        {"high",
         "2023-06-20",
         "",
         JUNE,
         "2023-06-10",
         {0, 0, 0, 0, 0},
         OM_PATROL_UNJUDGED},
        {NULL,
         NULL,
         "2023-06-05",
         JUNE,
         "2023-07-01",
         {0, 0, 0, 0, 0},
         OM_PATROL_UNJUDGED},
        {"other",
         NULL,
         "",
         JUNE,
         "2023-07-01",
         {0, 0, 0, 0, 0},
         OM_PATROL_UNJUDGED},
    };
    CHECK(CASE);
}

static void rule_4_a_day_counts_once_and_pays_the_earliest_part(void **state)
{
    (void)state;
    static const struct rule_case CASE[] = {
        {"mid",
         NULL,
         "2023-05-03T08:00 2023-05-03T23:59",
         MAY,
         "2023-06-01",
         {2, 2, 1, 0, 0},
         OM_PATROL_OVERDUE},
        {"mid",
         NULL,
         "2023-05-30T23:59:59 2023-05-31T00:00:00",
         MAY,
         "2023-06-01",
         {2, 2, 2, 0, 0},
         OM_PATROL_DONE},
        {"mid",
         NULL,
         "2023-05-03T23:59 2023-05-04T00:01",
         MAY,
         "2023-06-01",
         {2, 2, 2, 0, 0},
         OM_PATROL_DONE},
        // Midnight of the city divides the months, not that of UTC.
        {"low",
         NULL,
         "2023-04-30T15:59:59Z",
         MAY,
         "2023-06-01",
         {1, 1, 0, 0, 0},
         OM_PATROL_OVERDUE},
        {"low",
         NULL,
         "2023-04-30T16:00:00Z",
         MAY,
         "2023-06-01",
         {1, 1, 1, 0, 0},
         OM_PATROL_DONE},
        // Ahead: made, and not due yet. Extra: more than the month's duty.
        {"mid",
         NULL,
         "2023-06-02 2023-06-03",
         JUNE,
         "2023-06-10",
         {2, 0, 0, 2, 0},
         OM_PATROL_DONE},
        {"mid",
         NULL,
         "2023-06-02",
         JUNE,
         "2023-06-10",
         {2, 0, 0, 1, 0},
         OM_PATROL_NOT_DUE},
        {"mid",
         NULL,
         "2023-05-02 2023-05-03 2023-05-30",
         MAY,
         "2023-06-01",
         {2, 2, 2, 0, 1},
         OM_PATROL_DONE},
        // More than owed in April makes up for nothing in May.
        {"low",
         NULL,
         "2023-04-05 2023-04-06",
         "2023-04-01",
         "2023-06-01",
         "2023-06-01",
         {2, 2, 1, 0, 1},
         OM_PATROL_OVERDUE},
        // What comes at `at` or later is not known yet.
        {"low",
         NULL,
         "2023-05-20",
         MAY,
         "2023-05-20",
         {1, 0, 0, 0, 0},
         OM_PATROL_NOT_DUE},
    };
    CHECK(CASE);
}

static void rule_5_unverified_visits_leave_it_unjudged(void **state)
{
    (void)state;
    for (int64_t verified = -1; verified < 2; verified++) {
        struct town t;
        begin(&t);
        add_house(&t, "H1", "low", NULL);
        add_house(&t, "H2", "low", NULL);
        add_visit_at(&t, "house", "H1", duty_at("2023-05-05"),
                     verified < 0 ? DUTY_NONE : verified);
        build(&t, true);
        struct om_patrol p = judge(&t, MAY, "2023-06-01");
        const struct om_patrol_row *r = row_of(&t, &p, "H1");
        assert_int_equal(r->due, 1);
        assert_int_equal(r->done, verified == 1);
        assert_int_equal(r->doubtful, verified < 0);
        assert_int_equal(r->state, verified < 0    ? OM_PATROL_UNJUDGED
                                   : verified == 0 ? OM_PATROL_OVERDUE
                                                   : OM_PATROL_DONE);
        assert_int_equal(p.visits.doubtful, verified < 0);
        assert_int_equal(p.visits.refused, verified == 0);
        om_patrol_deinit(&p);
        end(&t);
    }
}

static void rule_6_overdue_since_the_first_part_not_paid(void **state)
{
    (void)state;
    // Two a month: due on April 16, May 1, at noon of May 16, June 1.
    static const struct {
        const char *visits, *since;
        enum om_patrol_state state;
    } CASE[] = {
        {"", "2023-04-16", OM_PATROL_OVERDUE},
        {"2023-04-02", "2023-05-01", OM_PATROL_OVERDUE},
        {"2023-04-29", "2023-05-01", OM_PATROL_OVERDUE},
        // Visited in May: April is missed, but May is what is overdue.
        {"2023-05-02", "2023-06-01", OM_PATROL_OVERDUE},
        {"2023-05-02 2023-05-03", NULL, OM_PATROL_MISSED},
        // Visited in June, after all that was owed.
        {"2023-06-02", NULL, OM_PATROL_MISSED},
        {"2023-04-02 2023-04-03 2023-05-02 2023-05-03", NULL, OM_PATROL_DONE},
    };
    const size_t n = sizeof CASE / sizeof *CASE;
    struct town t;
    begin(&t);
    for (size_t i = 0; i < n; i++)
        add_case(&t,
                 &(struct rule_case){.level = "mid", .visits = CASE[i].visits},
                 i);
    build(&t, false);
    struct om_patrol p = judge(&t, "2023-04-01", "2023-06-01", "2023-06-27");
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "H%zu", i);
        const struct om_patrol_row *r = row_of(&t, &p, id);
        assert_int_equal(r->overdue_s,
                         CASE[i].since ? duty_at(CASE[i].since) : OM_NEVER);
        assert_int_equal(r->state, CASE[i].state);
    }
    om_patrol_deinit(&p);
    end(&t);
}

static void rule_windows_of_parts_of_months(void **state)
{
    (void)state;
    static const struct rule_case CASE[] = {
        // The parts that lie in the window whole: the second to third of four.
        {"high",
         NULL,
         "2023-06-05 2023-06-10 2023-06-29",
         "2023-06-08T12:00",
         "2023-06-23T12:00",
         "2023-07-01",
         {2, 2, 1, 0, 0},
         OM_PATROL_MISSED},
    };
    CHECK(CASE);
}

/* --- visits that are paid to nobody ------------------------------------ */

static void visits_to_nobody_are_counted_and_listed(void **state)
{
    (void)state;
    struct town t;
    begin(&t);
    add_house(&t, "H1", "low", NULL);
    add_house(&t, "H2", "low", NULL);
    add_visit(&t, "H1", "2023-05-05");
    add_visit(&t, "H9", "2023-05-05");
    add_visit_at(&t, "house", NULL, duty_at("2023-05-05"), 1);
    add_visit_at(&t, "road", "H1", duty_at("2023-05-05"), 1);
    add_visit_at(&t, NULL, "H1", duty_at("2023-05-05"), 1);
    add_visit_at(&t, "house", "H1", DUTY_NONE, 1);
    add_visit(&t, "H1", "2023-07-05");
    add_visit(&t, "H2", "2023-05-05");
    add_visit(&t, "H1", "2023-05-05T12:00");
    build(&t, false);
    // H2 is gone, and so is the visit that came twice to H1.
    const uint32_t dead_house[] = {1}, dead_visit[] = {8};
    t.city.part[1].dead = dead_house;
    t.city.part[1].dead_count = 1;
    t.city.part[3].dead = dead_visit;
    t.city.part[3].dead_count = 1;
    om_selection_unref(t.selection[0]);
    assert_int_equal(om_select(NULL, t.duty.target[0].layer, NULL,
                               (struct om_window){0}, &t.selection[0]),
                     OM_OK);
    struct om_patrol p = judge(&t, MAY, "2023-06-01");
    assert_int_equal(p.count, 1);
    assert_int_equal(p.row[0].done, 1);
    assert_int_equal(p.visits.rows, 8);
    assert_int_equal(p.visits.lost, 3);
    assert_int_equal(p.visits.losts, 3);
    assert_int_equal(p.visits.elsewhere, 2);
    assert_int_equal(p.visits.later, 2);
    assert_int_equal(p.visits.in_window, 1);
    assert_int_equal(p.visits.repeated, 0);
    for (size_t i = 1; i < p.visits.losts; i++)
        assert_true(p.visits.lost_row[i - 1].row < p.visits.lost_row[i].row);
    om_patrol_deinit(&p);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_begin_at_the_citys_midnight),
        cmocka_unit_test(months_are_cut_to_the_window),
        cmocka_unit_test(ids_of_all_kinds_are_found),
        cmocka_unit_test(rule_1_parts_fall_due_when_they_are_over),
        cmocka_unit_test(rule_2_the_table_at_the_months_beginning),
        cmocka_unit_test(rule_3_a_level_owes_the_parts_it_holds_whole),
        cmocka_unit_test(rule_4_a_day_counts_once_and_pays_the_earliest_part),
        cmocka_unit_test(rule_5_unverified_visits_leave_it_unjudged),
        cmocka_unit_test(rule_6_overdue_since_the_first_part_not_paid),
        cmocka_unit_test(rule_windows_of_parts_of_months),
        cmocka_unit_test(visits_to_nobody_are_counted_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
