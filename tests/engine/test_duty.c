// test_duty.c - the member "duty" of city.json: what is taken, what refused.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/coverage/duty.h"
#include "tests/engine/duty_sample.h"

/* Plan
 *   read_*     a document whole, in parts, and of a city not yet whole
 *   tables_*   which table holds when
 *   bad_*      every mistake names its member
 *   fault_*    failing allocations
 */

static const char WHOLE[] =
    "{\"duty\":{\"targets\":[{\"layer\":\"house\",\"level\":\"level\","
    "\"since\":"
    "\"since\",\"label\":\"level\",\"address\":{\"column\":\"level\",\"layer\":"
    "\"place\",\"text\":\"id\"},\"tables\":[{\"from\":\"2023-05-01\","
    "\"visits\":"
    "{\"b\":3,\"c\":31}},{\"from\":\"2022-01-01\",\"visits\":{\"a\":1,\"b\":2}}"
    "]"
    ",\"risk\":{\"b\":2.5,\"a\":0}}],\"visits\":{\"layer\":\"house\","
    "\"target_layer\":\"level\",\"target\":\"id\",\"at\":\"since\"},"
    "\"workers\":"
    "{\"layer\":\"house\",\"unit\":\"level\",\"level\":\"grid\"},\"checks\":{"
    "\"layer\":\"house\",\"worker\":\"id\",\"month\":\"level\",\"count\":\"n\","
    "\"norm\":50},\"loads\":[{\"name\":\"people\",\"title\":\"人\",\"layer\":"
    "\"house\",\"sum\":\"n\"},{\"name\":\"houses\",\"layer\":\"house\"}]}}";

static void begin(struct city_sample *c)
{
    struct duty_rows house = duty_rows(4);
    const struct om_pos pos = {3400000100u, 1800000100u};
    city_begin(c);
    duty_units(c, "grid", 2, "g");
    duty_column(&house, "level", OM_TYPE_CATEGORY);
    duty_column(&house, "since", OM_TYPE_TIME);
    duty_column(&house, "n", OM_TYPE_INTEGER);
    duty_add(&house, pos, "h1");
    duty_layer(c, "house", &house);
    duty_rows_free(&house);
    city_add_places(c, "place", &pos, 1);
}

static void end(struct city_sample *c)
{
    om_json_free(c->manifest.document);
    city_end(c);
}

static void read_everything(void **state)
{
    (void)state;
    struct city_sample c;
    struct om_duty d;
    begin(&c);
    duty_document(&c, WHOLE);
    assert_int_equal(om_duty_read(&c.snapshot, &d, NULL), OM_OK);
    assert_int_equal(d.targets, 1);
    const struct om_duty_target *t = &d.target[0];
    assert_string_equal(t->layer->name, "house");
    assert_int_equal(t->level, 1);
    assert_int_equal(t->since, 2);
    assert_string_equal(t->address_layer->name, "place");
    assert_int_equal(t->levels, 3);
    assert_int_equal(t->tables, 2);
    for (size_t l = 0; l < 3; l++) {
        const double risk = !strcmp(t->level_name[l], "a")   ? 0
                            : !strcmp(t->level_name[l], "b") ? 2.5
                                                             : 1;
        assert_true(t->risk[l] == risk);
    }
    assert_int_equal(d.visits.target, 0);
    assert_int_equal(d.visits.verified, OM_NO_FIELD);
    assert_true(d.checks.norm == 50);
    assert_null(d.reports.layer);
    assert_int_equal(d.loads, 2);
    assert_string_equal(d.load[0].title, "人");
    assert_int_equal(d.load[1].sum, OM_NO_FIELD);
    assert_string_equal(d.missing, "");
    om_duty_deinit(&d);
    end(&c);
}

static void read_nothing_and_what_is_not_imported_yet(void **state)
{
    (void)state;
    struct city_sample c;
    struct om_duty d;
    begin(&c);
    assert_int_equal(om_duty_read(&c.snapshot, &d, NULL), OM_OK);
    assert_true(d.targets == 0 && !d.visits.layer && isnan(d.checks.norm));
    om_duty_deinit(&d);
    duty_document(
        &c,
        "{\"duty\":{\"targets\":[{\"layer\":\"shop\",\"level\":\"x\","
        "\"tables\":"
        "[]}],\"visits\":{\"layer\":\"visit\"},\"loads\":[{\"name\":\"a\","
        "\"layer\":\"nowhere\"}]}}");
    assert_int_equal(om_duty_read(&c.snapshot, &d, NULL), OM_OK);
    assert_true(d.targets == 0 && !d.visits.layer && d.loads == 0);
    assert_string_equal(d.missing, "shop, visit, nowhere");
    om_duty_deinit(&d);
    end(&c);
}

static void tables_hold_from_their_dates(void **state)
{
    (void)state;
    static const struct {
        const char *month;
        int a, b, c;
    } WANT[] = {{"2021-12-01", 0, 0, 0},
                {"2022-01-01", 1, 2, -1},
                {"2023-04-01", 1, 2, -1},
                {"2023-05-01", -1, 3, 31},
                {"2030-01-01", -1, 3, 31}};
    struct city_sample c;
    struct om_duty d;
    begin(&c);
    duty_document(&c, WHOLE);
    assert_int_equal(om_duty_read(&c.snapshot, &d, NULL), OM_OK);
    const struct om_duty_target *t = &d.target[0];
    for (size_t i = 0; i < sizeof WANT / sizeof *WANT; i++)
        for (size_t l = 0; l < 3; l++) {
            const char *level = t->level_name[l];
            const int want = level[0] == 'a'   ? WANT[i].a
                             : level[0] == 'b' ? WANT[i].b
                                               : WANT[i].c;
            assert_int_equal(om_duty_visits(t, l, duty_at(WANT[i].month)),
                             want);
        }
    om_duty_deinit(&d);
    end(&c);
}

/* A target with one member replaced. */
#define TARGET(members)                                       \
    "{\"duty\":{\"targets\":[{\"layer\":\"house\",\"level\":" \
    "\"level\"," members "}]}}"
#define TABLES "\"tables\":[{\"from\":\"2023-01-01\",\"visits\":{\"a\":1}}]"

static void bad_members_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names;
        om_status code;
    } BAD[] = {
        {"{\"duty\":3}", "duty: is not an object", OM_E_FORMAT},
        {"{\"duty\":{\"targets\":{}}}", "duty.targets: is not a list",
         OM_E_FORMAT},
        {"{\"duty\":{\"targets\":[{}]}}", "duty.targets[0].layer", OM_E_FORMAT},
        {"{\"duty\":{\"targets\":[{\"layer\":7}]}}", "duty.targets[0].layer",
         OM_E_FORMAT},
        {"{\"duty\":{\"targets\":[{\"layer\":\"grid\",\"level\":\"id\"}]}}",
         "is not a layer of points", OM_E_TYPE},
        {TARGET("\"since\":\"nix\"," TABLES), "duty.targets[0].since",
         OM_E_NOTFOUND},
        {TARGET("\"since\":\"n\"," TABLES), "duty.targets[0].since", OM_E_TYPE},
        {TARGET("\"label\":\"n\"," TABLES), "duty.targets[0].label", OM_E_TYPE},
        {TARGET("\"x\":1"), "duty.targets[0].tables", OM_E_FORMAT},
        {TARGET("\"tables\":[]"), "duty.targets[0].tables", OM_E_FORMAT},
        {TARGET("\"tables\":[{\"visits\":{}}]"),
         "duty.targets[0].tables[0].from", OM_E_FORMAT},
        {TARGET("\"tables\":[{\"from\":\"soon\",\"visits\":{}}]"),
         "duty.targets[0].tables[0].from", OM_E_FORMAT},
        {TARGET("\"tables\":[{\"from\":\"2023-01-01\"}]"),
         "duty.targets[0].tables[0].visits", OM_E_FORMAT},
        {TARGET("\"tables\":[{\"from\":\"2023-01-01\",\"visits\":{\"a\":-1}}]"),
         "duty.targets[0].tables[0].visits", OM_E_RANGE},
        {TARGET("\"tables\":[{\"from\":\"2023-01-01\",\"visits\":{\"a\":1.5}}"
                "]"),
         "duty.targets[0].tables[0].visits", OM_E_RANGE},
        {TARGET("\"tables\":[{\"from\":\"2023-01-01\",\"visits\":{\"a\":32}}]"),
         "duty.targets[0].tables[0].visits", OM_E_RANGE},
        {TARGET("\"tables\":[{\"from\":\"2023-01-01\",\"visits\":{}},{\"from\":"
                "\"2023-01-01\",\"visits\":{}}]"),
         "two tables of one date", OM_E_FORMAT},
        {TARGET(TABLES ",\"risk\":[]"), "duty.targets[0].risk", OM_E_FORMAT},
        {TARGET(TABLES ",\"risk\":{\"z\":1}"), "no table has a level 'z'",
         OM_E_FORMAT},
        {TARGET(TABLES ",\"risk\":{\"a\":-2}"), "duty.targets[0].risk",
         OM_E_RANGE},
        {TARGET(TABLES ",\"address\":{\"column\":\"id\",\"layer\":\"place\","
                       "\"text\":\"nix\"}"),
         "duty.targets[0].address.text", OM_E_NOTFOUND},
        {"{\"duty\":{\"visits\":{\"layer\":\"house\",\"target_layer\":"
         "\"level\",\"target\":\"id\",\"at\":\"n\"}}}",
         "duty.visits.at", OM_E_TYPE},
        {"{\"duty\":{\"visits\":{\"layer\":\"house\",\"target_layer\":"
         "\"level\",\"target\":\"id\"}}}",
         "duty.visits.at", OM_E_FORMAT},
        {"{\"duty\":{\"visits\":{\"layer\":\"house\",\"target_layer\":"
         "\"level\",\"target\":\"id\",\"at\":\"since\",\"verified\":\"n\"}}}",
         "duty.visits.verified", OM_E_TYPE},
        {"{\"duty\":{\"workers\":{\"layer\":\"house\",\"unit\":\"n\",\"level\":"
         "\"grid\"}}}",
         "duty.workers.unit", OM_E_TYPE},
        {"{\"duty\":{\"checks\":{\"layer\":\"house\",\"worker\":\"id\","
         "\"month\":\"level\",\"count\":\"n\",\"norm\":0}}}",
         "duty.checks.norm", OM_E_RANGE},
        {"{\"duty\":{\"reports\":{\"layer\":\"house\"}}}", "duty.reports.layer",
         OM_E_TYPE},
        {"{\"duty\":{\"loads\":[{\"layer\":\"house\"}]}}", "duty.loads[0].name",
         OM_E_FORMAT},
        {"{\"duty\":{\"loads\":[{\"name\":\"x\",\"layer\":\"house\",\"sum\":"
         "\"level\"}]}}",
         "duty.loads[0].sum", OM_E_TYPE},
    };
    struct city_sample c;
    begin(&c);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct om_duty d;
        struct om_err err = {0};
        duty_document(&c, BAD[i].text);
        const om_status st = om_duty_read(&c.snapshot, &d, &err);
        if (st != BAD[i].code || !strstr(err.text, BAD[i].names) ||
            strncmp(err.text, "city.json: duty", 15) != 0) {
            print_error("%zu: %d %s\n", i, (int)st, err.text);
            fail();
        }
    }
    end(&c);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    struct city_sample c;
    begin(&c);
    duty_document(&c, WHOLE);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_duty d;
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_duty_read(&c.snapshot, &d, NULL);
        om_alloc_fail_after(0, false);
        assert_true(!st || st == OM_E_MEMORY);
        om_duty_deinit(&d);
        assert_int_equal(om_alloc_live(), live);
    }
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_everything),
        cmocka_unit_test(read_nothing_and_what_is_not_imported_yet),
        cmocka_unit_test(tables_hold_from_their_dates),
        cmocka_unit_test(bad_members_are_named),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
