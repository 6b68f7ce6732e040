// test_workload.c - what there is to do in each unit, and who does it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/coverage/workload.h"
#include "tests/engine/duty_sample.h"

/* Plan
 *   units_*     every figure against a count by hand; levels above add up
 *   workers_*   reports and checks of each, and of nobody
 *   fault_*     layers that are not joined; failing allocations
 */

static const char DUTY[] =
    "{\"duty\":{\"targets\":[{\"layer\":\"house\",\"level\":\"level\","
    "\"tables\":[{\"from\":\"2023-01-01\",\"visits\":{\"a\":1,\"b\":2}}]}],"
    "\"visits\":{\"layer\":\"report\",\"target_layer\":\"kind\",\"target\":"
    "\"worker\",\"at\":\"at\"},\"workers\":{\"layer\":\"worker\",\"unit\":"
    "\"unit\",\"level\":\"grid\"},\"checks\":{\"layer\":\"check\",\"worker\":"
    "\"worker\",\"month\":\"month\",\"count\":\"count\",\"norm\":50},"
    "\"reports\":{\"layer\":\"report\",\"worker\":\"worker\"},\"loads\":["
    "{\"name\":\"houses\",\"layer\":\"house\"},{\"name\":\"people\",\"layer\":"
    "\"house\",\"sum\":\"people\"}]}}";

enum { HOUSES = 300, WORKERS = 12, CHECKS = 40, REPORTS = 500 };

struct town {
    struct city_sample city;
    struct duty_rows house, worker, check, report;
    struct om_duty duty;
    struct om_units grid, village;
    struct om_selection *selection[1];
    struct om_patrol_spec patrol_spec;
    struct om_patrol patrol;
    struct om_patrol_sums sums;
};

static void fill(struct town *t)
{
    uint64_t seed = 9;
    char text[32];
    static const char *const MONTH[] = {"2023-04", "2023-05", "2023-06"};
    t->house = duty_rows(HOUSES);
    t->worker = duty_rows(WORKERS);
    t->check = duty_rows(CHECKS);
    t->report = duty_rows(REPORTS);
    duty_column(&t->house, "level", OM_TYPE_CATEGORY);
    duty_column(&t->house, "people", OM_TYPE_INTEGER);
    for (int i = 0; i < HOUSES; i++) {
        snprintf(text, sizeof text, "h%d", i);
        duty_add(&t->house, duty_pos(&seed), text);
        const uint64_t pick = mesh_random(&seed) % 7;
        duty_text(&t->house, 1, pick == 0 ? NULL : pick < 4 ? "a" : "b");
        if (i % 10) duty_number(&t->house, 2, (int64_t)(pick * 3));
    }
    duty_column(&t->worker, "unit", OM_TYPE_CATEGORY);
    for (int i = 0; i < WORKERS; i++) {
        snprintf(text, sizeof text, "w%02d", i);
        duty_add(&t->worker, duty_pos(&seed), text);
        snprintf(text, sizeof text, "g%03d", i % 3);  // nobody in g003
        duty_text(&t->worker, 1, i == 11 ? NULL : text);
    }
    duty_column(&t->check, "worker", OM_TYPE_CATEGORY);
    duty_column(&t->check, "month", OM_TYPE_CATEGORY);
    duty_column(&t->check, "count", OM_TYPE_INTEGER);
    for (int i = 0; i < CHECKS; i++) {
        snprintf(text, sizeof text, "c%d", i);
        duty_add(&t->check, duty_pos(&seed), text);
        snprintf(text, sizeof text, "w%02d", i % (WORKERS + 1));
        duty_text(&t->check, 1, text);
        duty_text(&t->check, 2, MONTH[mesh_random(&seed) % 3]);
        duty_number(&t->check, 3, (int64_t)(mesh_random(&seed) % 80));
    }
    duty_column(&t->report, "kind", OM_TYPE_CATEGORY);
    duty_column(&t->report, "worker", OM_TYPE_CATEGORY);
    duty_column(&t->report, "at", OM_TYPE_TIME);
    t->report.schema.time_field = 3;
    for (int i = 0; i < REPORTS; i++) {
        snprintf(text, sizeof text, "r%d", i);
        duty_add(&t->report, duty_pos(&seed), text);
        duty_text(&t->report, 1, "other");
        snprintf(text, sizeof text, "w%02d",
                 (int)(mesh_random(&seed) % (WORKERS + 2)));
        duty_text(&t->report, 2, mesh_random(&seed) % 9 ? text : NULL);
        duty_number(&t->report, 3,
                    duty_at("2023-04-15") +
                        (int64_t)(mesh_random(&seed) % (60 * 86400)));
    }
}

static void begin(struct town *t)
{
    *t = (struct town){0};
    city_begin(&t->city);
    fill(t);
    duty_units(&t->city, "grid", 4, "g");
    duty_units(&t->city, "village", 2, "v");
    duty_layer(&t->city, "house", &t->house);
    duty_layer(&t->city, "worker", &t->worker);
    duty_layer(&t->city, "check", &t->check);
    duty_layer(&t->city, "report", &t->report);
    duty_document(&t->city, DUTY);
    const struct om_snapshot *s = &t->city.snapshot;
    assert_int_equal(om_duty_read(s, &t->duty, NULL), OM_OK);
    assert_int_equal(om_units_read(s, "grid", &t->grid, NULL), OM_OK);
    assert_int_equal(om_units_read(s, "village", &t->village, NULL), OM_OK);
    assert_int_equal(om_select(NULL, t->duty.target[0].layer, NULL,
                               (struct om_window){0}, &t->selection[0]),
                     OM_OK);
    t->patrol_spec = (struct om_patrol_spec){.snapshot = s,
                                             .duty = &t->duty,
                                             .selection = t->selection,
                                             .from_s = duty_at("2023-05-01"),
                                             .to_s = duty_at("2023-06-01"),
                                             .at_s = duty_at("2023-06-01")};
    assert_int_equal(om_patrol_judge(&t->patrol_spec, &t->patrol, NULL), OM_OK);
}

static void end(struct town *t)
{
    om_patrol_deinit(&t->patrol);
    om_selection_unref(t->selection[0]);
    om_units_deinit(&t->grid);
    om_units_deinit(&t->village);
    om_duty_deinit(&t->duty);
    om_json_free(t->city.manifest.document);
    city_end(&t->city);
    duty_rows_free(&t->house);
    duty_rows_free(&t->worker);
    duty_rows_free(&t->check);
    duty_rows_free(&t->report);
}

static struct om_workload_spec spec_of(struct town *t,
                                       const struct om_units *units)
{
    assert_int_equal(
        om_patrol_add_up(&t->patrol_spec, &t->patrol, units, &t->sums), OM_OK);
    return (struct om_workload_spec){.snapshot = &t->city.snapshot,
                                     .duty = &t->duty,
                                     .units = units,
                                     .worker_units = &t->grid,
                                     .sums = &t->sums,
                                     .from_s = t->patrol_spec.from_s,
                                     .to_s = t->patrol_spec.to_s};
}

/* Which of `n` units in a row a position lies in; n: in none. */
static size_t unit_at(struct om_pos pos, size_t n)
{
    const size_t u = (pos.x - 3400000000u) / (40000 / n);
    return u < n ? u : n;
}

/* Sum over rows of one unit of what `figure` says of a row. */
static double by_hand(const struct duty_rows *r, size_t n, size_t unit,
                      double (*figure)(const struct duty_rows *, size_t))
{
    double sum = 0;
    for (size_t i = 0; i < r->count; i++)
        if (unit_at(r->pos[i], n) == unit) sum += figure(r, i);
    return sum;
}
static double one(const struct duty_rows *r, size_t i)
{
    (void)r;
    (void)i;
    return 1;
}
static double people(const struct duty_rows *r, size_t i)
{
    return (double)r->number[i][2];
}
static double level_a(const struct duty_rows *r, size_t i)
{
    return !strcmp(r->text[i][1], "a");
}
static double level_unknown(const struct duty_rows *r, size_t i)
{
    return !r->valid[i][1];
}
static double owed(const struct duty_rows *r, size_t i)
{
    return !r->valid[i][1] ? 0 : r->text[i][1][0] == 'a' ? 1 : 2;
}
static double checked_in_may(const struct duty_rows *r, size_t i)
{
    return strcmp(r->text[i][2], "2023-05") ? 0 : (double)r->number[i][3];
}
static double reported_in_may(const struct duty_rows *r, size_t i)
{
    return r->number[i][3] >= duty_at("2023-05-01") &&
           r->number[i][3] < duty_at("2023-06-01");
}

static void check_level(struct town *t, const struct om_units *units, size_t n)
{
    const struct {
        const char *name;
        const struct duty_rows *rows;
        double (*figure)(const struct duty_rows *, size_t);
    } COLUMN[] = {{"houses", &t->house, one},
                  {"people", &t->house, people},
                  {"house", &t->house, one},
                  {"house_a", &t->house, level_a},
                  {"house_unknown", &t->house, level_unknown},
                  {"owed", &t->house, owed},
                  {"due", &t->house, owed},
                  {"reports", &t->report, reported_in_may},
                  {"checks", &t->check, checked_in_may}};
    const struct om_workload_spec spec = spec_of(t, units);
    struct om_workload w;
    struct om_err err = {0};
    assert_int_equal(om_workload_count(&spec, &w, &err), OM_OK);
    for (size_t c = 0; c < sizeof COLUMN / sizeof *COLUMN; c++) {
        const struct om_workload_column *column =
            om_workload_find(&w, COLUMN[c].name);
        assert_non_null(column);
        for (size_t u = 0; u <= n; u++)
            if (column->value[u] !=
                by_hand(COLUMN[c].rows, n, u, COLUMN[c].figure)) {
                print_error("%s of %zu: %g\n", column->name, u,
                            column->value[u]);
                fail();
            }
    }
    // 12 workers, one of them of no unit: 4, 4, 3 and none.
    const uint64_t by_grid[] = {4, 4, 3, 0}, by_village[] = {8, 3};
    for (size_t u = 0; u < n; u++)
        assert_int_equal(w.workers[u], n == 4 ? by_grid[u] : by_village[u]);
    assert_int_equal(w.without, 1);
    om_workload_deinit(&w);
    om_patrol_sums_deinit(&t->sums);
}

static void units_every_figure_by_hand(void **state)
{
    (void)state;
    struct town t;
    begin(&t);
    check_level(&t, &t.grid, 4);
    check_level(&t, &t.village, 2);
    end(&t);
}

static void workers_what_each_has_done(void **state)
{
    (void)state;
    struct town t;
    struct om_worker_figures f;
    begin(&t);
    const struct om_workload_spec spec = spec_of(&t, &t.grid);
    assert_int_equal(om_workload_workers(&spec, &f, NULL), OM_OK);
    assert_int_equal(f.rows, WORKERS);
    double lost_reports = 0, lost_checks = 0, reports = 0, checks = 0;
    struct om_text_reader reader = {0};
    for (size_t row = 0; row < f.rows; row++) {
        const char *id;
        size_t len;
        double want_reports = 0, want_checks = 0;
        assert_int_equal(
            om_segment_text(t.city.part[3].segment, 0, row, &reader, &id, &len),
            OM_OK);
        for (size_t i = 0; i < t.report.count; i++)
            if (!strncmp(t.report.text[i][2], id, len))
                want_reports += reported_in_may(&t.report, i);
        for (size_t i = 0; i < t.check.count; i++)
            if (!strncmp(t.check.text[i][1], id, len))
                want_checks += checked_in_may(&t.check, i);
        assert_true(f.reports[row] == want_reports);
        assert_true(f.checks[row] == want_checks);
        reports += want_reports;
        checks += want_checks;
    }
    om_text_reader_deinit(&reader);
    // What is left is of workers that are not there.
    for (size_t i = 0; i < t.report.count; i++)
        lost_reports += reported_in_may(&t.report, i);
    for (size_t i = 0; i < t.check.count; i++)
        lost_checks += checked_in_may(&t.check, i);
    assert_true(f.lost_reports == lost_reports - reports);
    assert_true(f.lost_checks == lost_checks - checks);
    om_worker_figures_deinit(&f);
    om_patrol_sums_deinit(&t.sums);
    end(&t);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    struct town t;
    begin(&t);
    const struct om_workload_spec spec = spec_of(&t, &t.village);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_workload w = {0};
        struct om_worker_figures f = {0};
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_workload_count(&spec, &w, NULL);
        if (!st) st = om_workload_workers(&spec, &f, NULL);
        om_alloc_fail_after(0, false);
        assert_true(!st || st == OM_E_MEMORY);
        om_workload_deinit(&w);
        om_worker_figures_deinit(&f);
        assert_int_equal(om_alloc_live(), live);
    }
    om_patrol_sums_deinit(&t.sums);
    end(&t);
}

static void fault_layers_that_are_not_joined(void **state)
{
    (void)state;
    struct town t;
    struct om_workload w;
    struct om_err err = {0};
    begin(&t);
    struct om_workload_spec spec = spec_of(&t, &t.grid);
    t.city.layer[2].unit_columns = 0;
    t.duty.load[0].layer = &t.city.layer[0];  // the grids themselves
    assert_int_equal(om_workload_count(&spec, &w, &err), OM_E_NOTFOUND);
    assert_non_null(strstr(err.text, "grid"));
    om_patrol_sums_deinit(&t.sums);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_every_figure_by_hand),
        cmocka_unit_test(workers_what_each_has_done),
        cmocka_unit_test(fault_every_allocation_may_fail),
        cmocka_unit_test(fault_layers_that_are_not_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
