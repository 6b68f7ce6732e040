// test_patrol.c - visits owed, made and overdue.
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
#include "engine/coverage/idmap.h"
#include "engine/coverage/months.h"
#include "engine/coverage/overdue.h"
#include "engine/coverage/patrol.h"
#include "tests/engine/duty_sample.h"
#include "tests/rounds.h"

/* Plan
 *   months_*   calendar months of a zone, leap days
 *   ids_*      rows by id, numbered and not, dead ones
 *   rule_*     each rule of patrol.h, by a case worked out by hand
 *   oracle_*   random registers against a slow judge that shares no code
 *   sums_*     by units and levels, the register comes back
 *   overdue_*  what is overdue as a layer of its own
 *   fault_*    what is missing or too much; failing allocations
 */

enum { ID, LEVEL, SINCE };  // columns of houses
enum { VISIT_LAYER = 1, TARGET, AT, VERIFIED };

static const char DUTY[] =
    "{\"duty\":{\"targets\":[{\"layer\":\"house\",\"level\":\"level\","
    "\"since\":\"since\",\"tables\":["
    "{\"from\":\"2024-01-01\",\"visits\":{\"low\":2,\"mid\":3,\"high\":4}},"
    "{\"from\":\"2023-01-01\",\"visits\":{\"low\":1,\"mid\":2,\"high\":4,"
    "\"none\":0}}],\"risk\":{\"high\":8,\"low\":0.5}},"
    "{\"layer\":\"shop\",\"level\":\"level\",\"tables\":[{\"from\":"
    "\"2023-02-01\",\"visits\":{\"A\":1,\"B\":3}}]}],"
    "\"visits\":{\"layer\":\"visit\",\"target_layer\":\"layer\",\"target\":"
    "\"target\",\"at\":\"at\"%s}}}";

struct town {
    struct city_sample city;
    struct duty_rows house, shop, visit;
    struct om_duty duty;
    struct om_selection *selection[2];
};

static void begin(struct town *t)
{
    *t = (struct town){.house = duty_rows(400),
                       .shop = duty_rows(400),
                       .visit = duty_rows(8000)};
    city_begin(&t->city);
    duty_column(&t->house, "level", OM_TYPE_CATEGORY);
    duty_column(&t->house, "since", OM_TYPE_TIME);
    duty_column(&t->shop, "level", OM_TYPE_CATEGORY);
    duty_column(&t->visit, "layer", OM_TYPE_CATEGORY);
    duty_column(&t->visit, "target", OM_TYPE_TEXT);
    duty_column(&t->visit, "at", OM_TYPE_TIME);
    duty_column(&t->visit, "ok", OM_TYPE_BOOLEAN);
}

static void add_house(struct town *t, const char *id, const char *level,
                      const char *since)
{
    const struct om_pos pos = {3400000100u, 1800000100u};
    duty_add(&t->house, pos, id);
    duty_text(&t->house, LEVEL, level);
    duty_number(&t->house, SINCE, since ? duty_at(since) : DUTY_NONE);
}

static void add_visit_at(struct town *t, const char *layer, const char *target,
                         int64_t at_s, int64_t verified)
{
    char id[32];
    const struct om_pos pos = {3400000100u, 1800000100u};
    snprintf(id, sizeof id, "v%zu", t->visit.count);
    duty_add(&t->visit, pos, id);
    duty_text(&t->visit, VISIT_LAYER, layer);
    duty_text(&t->visit, TARGET, target);
    duty_number(&t->visit, AT, at_s);
    duty_number(&t->visit, VERIFIED, verified);
}

static void add_visit(struct town *t, const char *target, const char *at)
{
    add_visit_at(t, "house", target, duty_at(at), 1);
}

/* Write the layers and read the duty. */
static void build(struct town *t, bool verified)
{
    char text[2048];
    duty_units(&t->city, "grid", 4, "g");
    duty_layer(&t->city, "house", &t->house);
    duty_layer(&t->city, "shop", &t->shop);
    duty_layer(&t->city, "visit", &t->visit);
    snprintf(text, sizeof text, DUTY, verified ? ",\"verified\":\"ok\"" : "");
    duty_document(&t->city, text);
    struct om_err err = {0};
    if (om_duty_read(&t->city.snapshot, &t->duty, &err)) {
        print_error("%s\n", err.text);
        fail();
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(om_select(NULL, t->duty.target[i].layer, NULL,
                                   (struct om_window){0}, &t->selection[i]),
                         OM_OK);
}

static void end(struct town *t)
{
    for (size_t i = 0; i < 2; i++) om_selection_unref(t->selection[i]);
    om_duty_deinit(&t->duty);
    om_json_free(t->city.manifest.document);
    city_end(&t->city);
    duty_rows_free(&t->house);
    duty_rows_free(&t->shop);
    duty_rows_free(&t->visit);
}

static struct om_patrol_spec spec_of(struct town *t, const char *from,
                                     const char *to, const char *at)
{
    return (struct om_patrol_spec){.snapshot = &t->city.snapshot,
                                   .duty = &t->duty,
                                   .selection = t->selection,
                                   .from_s = duty_at(from),
                                   .to_s = duty_at(to),
                                   .at_s = duty_at(at)};
}

static struct om_patrol judge(struct town *t, const char *from, const char *to,
                              const char *at)
{
    struct om_patrol p;
    const struct om_patrol_spec spec = spec_of(t, from, to, at);
    assert_int_equal(om_patrol_judge(&spec, &p, NULL), OM_OK);
    return p;
}

/* The row of a house. */
static const struct om_patrol_row *row_of(const struct town *t,
                                          const struct om_patrol *p,
                                          const char *id)
{
    struct om_text_reader reader = {0};
    const struct om_patrol_row *found = NULL;
    for (size_t i = 0; i < p->count && !found; i++) {
        const char *text;
        size_t len;
        const struct om_layer *layer = t->duty.target[p->row[i].target].layer;
        assert_int_equal(om_segment_text(layer->part[p->row[i].part].segment, 0,
                                         p->row[i].row, &reader, &text, &len),
                         OM_OK);
        if (strlen(id) == len && !memcmp(id, text, len)) found = &p->row[i];
    }
    om_text_reader_deinit(&reader);
    assert_non_null(found);
    return found;
}

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

#define MAY "2023-05-01", "2023-06-01"
#define JUNE "2023-06-01", "2023-07-01"

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
        cmocka_unit_test(oracle_agrees_whatever_the_threads),
        cmocka_unit_test(sums_add_up_to_the_register),
        cmocka_unit_test(overdue_is_a_layer_of_days_times_risk),
        cmocka_unit_test(fault_empty_layers_and_windows),
        cmocka_unit_test(fault_members_that_are_not_there),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
