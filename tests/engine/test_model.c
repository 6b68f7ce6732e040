/* Risk models and what is exposed, as texts.
 *
 * Plan
 *   read_*    what a model says is what is read; defaults
 *   hash_*    what is computed changes the hash, words about it do not
 *   broken_*  a table of models that are none, each with its message
 *   city_*    exposures of city.json, good and broken
 *   fault_*   no memory
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
#include "engine/risk/model.h"

#define TERM "{\"layer\": \"hazard\"}"
#define TERMS "\"terms\": [" TERM "]"
#define AREA ", \"denominator\": \"area\""
#define WIDTH "\"bandwidth_m\": 800, "

static struct om_model *parse(const char *text)
{
    struct om_model *model = NULL;
    struct om_err err = {0};
    if (om_model_parse(text, strlen(text), "fire", &model, &err))
        fail_msg("%s: %s", text, err.text);
    return model;
}

static void read_gives_what_the_text_says(void **state)
{
    (void)state;
    struct om_model *m = parse(
        "{\"name\": \"fire\", \"title\": \"火\", \"title_en\": \"Fire\", "
        "\"about\": \"x\", \"version\": 3, \"kernel\": \"gaussian\", "
        "\"bandwidth_m\": 600, \"terms\": [{\"name\": \"a\", \"layer\": "
        "\"hazard\", \"filter\": \"x = 1\", \"since\": \"begun\", \"until\": "
        "\"closed\", "
        "\"weight\": \"n\", \"severity\": {\"column\": \"s\", \"values\": "
        "{\"1\": 2, \"二\": 0.5}, \"otherwise\": 0.25}, \"factor\": 2, "
        "\"half_life_days\": 30, \"kernel\": \"epanechnikov\", "
        "\"bandwidth_m\": 250}, " TERM
        "], \"denominator\": {\"per\": "
        "[{\"per\": \"house\"}, {\"per\": \"shop\", \"factor\": 3}], "
        "\"floor\": 12, \"shrink\": 7, \"scale\": 10000, \"kernel\": "
        "\"quartic\", \"bandwidth_m\": 900, \"half_life_days\": 60, "
        "\"unit\": \"每万\", \"unit_en\": \"per 10,000\"}}");
    assert_string_equal(m->name, "fire");
    assert_string_equal(m->title, "火");
    assert_string_equal(m->title_en, "Fire");
    assert_int_equal(m->version, 3);
    assert_string_equal(m->kernel, "gaussian");
    assert_int_equal(m->terms, 2);
    const struct om_model_term *t = &m->term[0];
    assert_string_equal(t->name, "a");
    assert_string_equal(t->layer, "hazard");
    assert_string_equal(t->filter, "x = 1");
    assert_string_equal(t->since, "begun");
    assert_string_equal(t->until, "closed");
    assert_string_equal(t->weight, "n");
    assert_string_equal(t->kernel, "epanechnikov");
    assert_true(t->factor == 2 && t->half_life_days == 30);
    assert_true(t->bandwidth_m == 250);
    assert_string_equal(t->severity.column, "s");
    assert_int_equal(t->severity.count, 2);
    assert_string_equal(t->severity.value[1], "二");
    assert_true(t->severity.weight[1] == 0.5 && t->severity.otherwise == 0.25);
    const struct om_model_term *plain = &m->term[1];
    assert_true(plain->factor == 1 && plain->half_life_days == 0);
    assert_true(!plain->filter && !plain->until && !plain->weight);
    assert_true(!plain->severity.column && !plain->kernel);
    assert_int_equal(m->pers, 2);
    assert_string_equal(m->per[1].per, "shop");
    assert_true(m->per[0].factor == 1 && m->per[1].factor == 3);
    assert_true(m->floor == 12 && m->shrink == 7 && m->scale == 10000);
    assert_true(m->per_bandwidth_m == 900 && m->per_half_life_days == 60);
    assert_string_equal(m->per_kernel, "quartic");
    assert_string_equal(m->per_unit_en, "per 10,000");
    om_model_free(m);
}

static void read_knows_what_is_left_out(void **state)
{
    (void)state;
    struct om_model *m = parse("{" WIDTH TERMS AREA "}");
    assert_string_equal(m->name, "fire");
    assert_string_equal(m->kernel, "quartic");
    assert_int_equal(m->version, 1);
    assert_int_equal(m->pers, 0);
    assert_string_equal(m->term[0].name, "");
    om_model_free(m);
    m = parse("{" WIDTH TERMS ", \"denominator\": \"house\"}");
    assert_int_equal(m->pers, 1);
    assert_string_equal(m->per[0].per, "house");
    om_model_free(m);
}

static uint64_t hash_of(const char *text)
{
    struct om_model *m = parse(text);
    const uint64_t hash = m->hash;
    om_model_free(m);
    return hash;
}

static void hash_is_of_what_is_computed(void **state)
{
    (void)state;
    const uint64_t plain = hash_of("{" WIDTH TERMS AREA "}");
    // Words, blanks and the order of members mean nothing.
    assert_true(hash_of("{\"denominator\": \"area\"," WIDTH
                        "\"title\": \"x\", \"about_en\": \"y\",  " TERMS
                        "}") == plain);
    assert_true(hash_of("{\"denominator\": {\"per\": \"area\"}, \"version\": "
                        "1, \"kernel\": \"quartic\", " WIDTH TERMS
                        "}") == plain);
    const char *const other[] = {
        "{\"bandwidth_m\": 801, " TERMS AREA "}",
        "{" WIDTH TERMS ", \"denominator\": \"house\"}",
        "{\"version\": 2, " WIDTH TERMS AREA "}",
        "{\"kernel\": \"gaussian\", " WIDTH TERMS AREA "}",
        "{" WIDTH "\"terms\": [" TERM ", " TERM "]" AREA "}",
        "{" WIDTH "\"terms\": [{\"layer\": \"hazards\"}]" AREA "}",
        "{" WIDTH
        "\"terms\": [{\"layer\": \"hazard\", \"filter\": \"a=1\"}]" AREA "}",
        "{" WIDTH "\"terms\": [{\"layer\": \"hazard\", \"since\": \"a\"}]" AREA
        "}",
        "{" WIDTH "\"terms\": [{\"layer\": \"hazard\", \"until\": \"a\"}]" AREA
        "}",
        "{" WIDTH "\"terms\": [{\"layer\": \"hazard\", \"weight\": \"a\"}]" AREA
        "}",
        "{" WIDTH "\"terms\": [{\"layer\": \"hazard\", \"factor\": 2}]" AREA
        "}",
        "{" WIDTH
        "\"terms\": [{\"layer\": \"hazard\", \"half_life_days\": 2}]" AREA "}",
        "{" WIDTH
        "\"terms\": [{\"layer\": \"hazard\", \"severity\": "
        "{\"column\": \"s\", \"values\": {\"1\": 1}}}]" AREA "}",
        "{" WIDTH
        "\"terms\": [{\"layer\": \"hazard\", \"severity\": "
        "{\"column\": \"s\", \"values\": {\"1\": 2}}}]" AREA "}",
        "{" WIDTH TERMS
        ", \"denominator\": {\"per\": \"house\", \"floor\": 2}}",
        "{" WIDTH TERMS
        ", \"denominator\": {\"per\": \"house\", \"shrink\": 2}}",
        "{" WIDTH TERMS
        ", \"denominator\": {\"per\": \"house\", \"scale\": 2}}",
    };
    const size_t n = sizeof other / sizeof *other;
    for (size_t i = 0; i < n; i++) {
        const uint64_t hash = hash_of(other[i]);
        if (hash == plain) fail_msg("%s hashes alike", other[i]);
        for (size_t k = 0; k < i; k++) assert_true(hash != hash_of(other[k]));
    }
}

static const struct {
    const char *text, *says;
    om_status status;
} BROKEN[] = {
    {"", "not JSON", OM_E_FORMAT},
    {"{", "not JSON", OM_E_FORMAT},
    {"{\"terms\": 1, \"terms\": 2}", "not JSON", OM_E_FORMAT},
    {"[]", "is not an object", OM_E_FORMAT},
    {"{}", "terms: is missing", OM_E_FORMAT},
    {"{" TERMS AREA "}",
     "terms[0].bandwidth_m: is missing here and in the "
     "model",
     OM_E_FORMAT},
    {"{" WIDTH TERMS "}", "denominator: is missing", OM_E_FORMAT},
    {"{" WIDTH TERMS AREA ", \"colour\": 1}",
     "colour: there is no such member; known are name ", OM_E_FORMAT},
    {"{" WIDTH TERMS AREA ", \"name\": \"water\"}",
     "name: 'water' is not its file's name", OM_E_FORMAT},
    {"{" WIDTH TERMS AREA ", \"name\": \"a/b\"}",
     "name: 'a/b' cannot name a model", OM_E_FORMAT},
    {"{" WIDTH TERMS AREA ", \"name\": 7}", "name: is not a text", OM_E_FORMAT},
    {"{" WIDTH TERMS AREA ", \"version\": 0}",
     "version: 0 is not between 1 and", OM_E_RANGE},
    {"{" WIDTH TERMS AREA ", \"kernel\": \"box\"}",
     "kernel: 'box' is none; there are quartic", OM_E_RANGE},
    {"{\"bandwidth_m\": -5, " TERMS AREA "}",
     "bandwidth_m: -5 is not between 10 and 20000 (metres)", OM_E_RANGE},
    {"{\"bandwidth_m\": 0, " TERMS AREA "}", "bandwidth_m: 0 is not between 10",
     OM_E_RANGE},
    {"{\"bandwidth_m\": \"800\", " TERMS AREA "}",
     "bandwidth_m: is not a number", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": []" AREA "}", "terms: is not a list of terms",
     OM_E_FORMAT},
    {"{" WIDTH "\"terms\": {}" AREA "}", "terms: is not a list of terms",
     OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [1]" AREA "}", "terms[0]: is not an object",
     OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [" TERM ", {}]" AREA "}",
     "terms[1].layer: is missing", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"\"}]" AREA "}",
     "terms[0].layer: is empty", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"halflife_days\": 3}]" AREA "}",
     "terms[0].halflife_days: there is no such member", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"half_life_days\": 0}]" AREA
     "}",
     "terms[0].half_life_days: 0 is not between", OM_E_RANGE},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"half_life_days\": -1}]" AREA
     "}",
     "terms[0].half_life_days: -1 is not between", OM_E_RANGE},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"factor\": 0}]" AREA "}",
     "terms[0].factor: 0 is not between", OM_E_RANGE},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"factor\": -2}]" AREA "}",
     "terms[0].factor: -2 is not between", OM_E_RANGE},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"bandwidth_m\": 1e9}]" AREA "}",
     "terms[0].bandwidth_m: 1e+09 is not between", OM_E_RANGE},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"kernel\": \"x\"}]" AREA "}",
     "terms[0].kernel: 'x' is none", OM_E_RANGE},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"severity\": 3}]" AREA "}",
     "terms[0].severity: is not an object", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"severity\": {\"values\": "
     "{\"1\": 1}}}]" AREA "}",
     "terms[0].severity.column: is missing", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"severity\": {\"column\": "
     "\"s\"}}]" AREA "}",
     "terms[0].severity.values: is missing", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"severity\": {\"column\": "
     "\"s\", \"values\": {}}}]" AREA "}",
     "terms[0].severity.values: has 0 members", OM_E_LIMIT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"severity\": {\"column\": "
     "\"s\", \"values\": {\"4\": \"x\"}}}]" AREA "}",
     "terms[0].severity.values.4: is not a number", OM_E_FORMAT},
    {"{" WIDTH "\"terms\": [{\"layer\": \"a\", \"severity\": {\"column\": "
     "\"s\", \"values\": {\"4\": -1}}}]" AREA "}",
     "terms[0].severity.values.4: -1 is not between", OM_E_RANGE},
    {"{" WIDTH TERMS ", \"denominator\": \"\"}", "denominator: is empty",
     OM_E_FORMAT},
    {"{" WIDTH TERMS ", \"denominator\": 5}", "denominator: is not an object",
     OM_E_FORMAT},
    {"{" WIDTH TERMS ", \"denominator\": {}}", "denominator.per: is missing",
     OM_E_FORMAT},
    {"{" WIDTH TERMS ", \"denominator\": {\"per\": []}}",
     "denominator.per: is neither a name nor a list", OM_E_FORMAT},
    {"{" WIDTH TERMS ", \"denominator\": {\"per\": [{\"per\": \"area\"}]}}",
     "denominator.per[0].per: area cannot be added", OM_E_FORMAT},
    {"{" WIDTH TERMS ", \"denominator\": {\"per\": [{\"per\": \"a\", "
     "\"factor\": 0}]}}",
     "denominator.per[0].factor: 0 is not between", OM_E_RANGE},
    {"{" WIDTH TERMS ", \"denominator\": {\"per\": \"a\", \"floor\": 0}}",
     "denominator.floor: 0 is not between 1", OM_E_RANGE},
    {"{" WIDTH TERMS ", \"denominator\": {\"per\": \"a\", \"shrink\": -1}}",
     "denominator.shrink: -1 is not between 0", OM_E_RANGE},
    {"{" WIDTH TERMS ", \"denominator\": {\"per\": \"a\", \"scale\": 0}}",
     "denominator.scale: 0 is not between", OM_E_RANGE},
};

static void broken_models_say_member_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
        struct om_model *model = NULL;
        struct om_err err = {0};
        const char *text = BROKEN[i].text;
        const om_status st =
            om_model_parse(text, strlen(text), "fire", &model, &err);
        if (st != BROKEN[i].status || model ||
            !strstr(err.text, BROKEN[i].says))
            fail_msg("%s: status %d, '%s', not %d, '%s'", text, st, err.text,
                     BROKEN[i].status, BROKEN[i].says);
    }
}

static void broken_models_may_be_too_large(void **state)
{
    (void)state;
    struct om_model *model = NULL;
    struct om_err err = {0};
    char *text = calloc(1, OM_MODEL_BYTES_MOST + 1024);
    assert_non_null(text);
    assert_int_equal(
        om_model_parse(text, OM_MODEL_BYTES_MOST + 1, "fire", &model, &err),
        OM_E_LIMIT);
    strcpy(text, "{" WIDTH "\"terms\": [");
    for (int i = 0; i < 17; i++) strcat(text, i ? ", " TERM : TERM);
    strcat(text, "]" AREA "}");
    assert_int_equal(om_model_parse(text, strlen(text), "fire", &model, &err),
                     OM_E_LIMIT);
    assert_non_null(strstr(err.text, "terms: has 17 terms; 16 can be"));
    strcpy(text, "{\"a0\": 0");
    for (int i = 1; i < 200; i++)
        sprintf(text + strlen(text), ", \"a%d\": %d", i, i);
    strcat(text, "}");
    assert_int_equal(om_model_parse(text, strlen(text), "fire", &model, &err),
                     OM_E_LIMIT);
    memset(text, 0, OM_MODEL_BYTES_MOST);
    strcpy(text, "{" WIDTH TERMS AREA ", \"title\": \"");
    memset(text + strlen(text), 'x', 200);
    strcat(text, "\"}");
    assert_int_equal(om_model_parse(text, strlen(text), "fire", &model, &err),
                     OM_E_LIMIT);
    assert_non_null(strstr(err.text, "title: is longer than"));
    free(text);
}

static om_status exposures(const char *text, struct om_exposures *out,
                           struct om_err *err)
{
    struct om_manifest city = {0};
    assert_int_equal(om_json_parse(text, strlen(text), &city.document, NULL),
                     OM_OK);
    const om_status st = om_exposures_read(&city, out, err);
    om_json_free(city.document);
    return st;
}

static void city_says_what_is_exposed(void **state)
{
    (void)state;
    struct om_exposures e;
    struct om_err err = {0};
    assert_int_equal(exposures("{\"name\": \"x\"}", &e, &err), OM_OK);
    assert_int_equal(e.count, 0);
    assert_null(om_exposures_find(&e, "house"));
    om_exposures_deinit(&e);
    assert_int_equal(
        exposures(
            "{\"exposures\": {\"house\": {\"layer\": \"rental\", "
            "\"filter\": \"a = 1\", \"weight\": \"n\", \"scale\": 100, "
            "\"floor\": 20, \"unit\": \"每百\", \"unit_en\": \"per 100\", "
            "\"title\": \"屋\", \"title_en\": \"houses\"}, \"visit\": "
            "{\"layer\": \"visit\", \"windowed\": true}}}",
            &e, &err),
        OM_OK);
    const struct om_exposure *house = om_exposures_find(&e, "house");
    const struct om_exposure *visit = om_exposures_find(&e, "visit");
    assert_true(house && visit && e.count == 2);
    assert_string_equal(house->layer, "rental");
    assert_string_equal(house->filter, "a = 1");
    assert_string_equal(house->weight, "n");
    assert_true(house->scale == 100 && house->floor == 20 && !house->windowed);
    assert_string_equal(house->unit_en, "per 100");
    assert_true(visit->scale == 1000 && visit->floor == 10 && visit->windowed);
    assert_null(visit->filter);
    om_exposures_deinit(&e);
}

static void city_may_be_wrong_about_it(void **state)
{
    (void)state;
    static const char *const BAD[][2] = {
        {"{\"exposures\": []}", "exposures: is not an object"},
        {"{\"exposures\": {\"house\": 1}}",
         "exposures.house: is not an object"},
        {"{\"exposures\": {\"house\": {}}}",
         "exposures.house.layer: is missing"},
        {"{\"exposures\": {\"area\": {\"layer\": \"a\"}}}",
         "exposures.area: cannot name an exposure"},
        {"{\"exposures\": {\"a b\": {\"layer\": \"a\"}}}",
         "exposures.a b: cannot name an exposure"},
        {"{\"exposures\": {\"a\": {\"layer\": \"a\", \"windowed\": 1}}}",
         "exposures.a.windowed: is neither true nor false"},
        {"{\"exposures\": {\"a\": {\"layer\": \"a\", \"floor\": 0.5}}}",
         "exposures.a.floor: 0.5 is not between 1"},
        {"{\"exposures\": {\"a\": {\"layer\": \"a\", \"size\": 1}}}",
         "exposures.a.size: there is no such member"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct om_exposures e;
        struct om_err err = {0};
        assert_int_not_equal(exposures(BAD[i][0], &e, &err), OM_OK);
        if (!strstr(err.text, BAD[i][1]))
            fail_msg("%s: '%s', not '%s'", BAD[i][0], err.text, BAD[i][1]);
        assert_int_equal(e.count, 0);
    }
}

static void fault_any_allocation_may_fail(void **state)
{
    (void)state;
    const char *text =
        "{\"name\": \"fire\", " WIDTH
        "\"terms\": [{\"layer\": \"a\", "
        "\"severity\": {\"column\": \"s\", \"values\": {\"1\": 1}}}], "
        "\"denominator\": {\"per\": [{\"per\": \"house\"}]}}";
    const size_t live = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_model *model = NULL;
        struct om_err err = {0};
        om_alloc_fail_after(n, true);
        const om_status st =
            om_model_parse(text, strlen(text), "fire", &model, &err);
        om_alloc_fail_after(0, false);
        om_model_free(model);
        assert_int_equal(om_alloc_live(), live);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_gives_what_the_text_says),
        cmocka_unit_test(read_knows_what_is_left_out),
        cmocka_unit_test(hash_is_of_what_is_computed),
        cmocka_unit_test(broken_models_say_member_and_reason),
        cmocka_unit_test(broken_models_may_be_too_large),
        cmocka_unit_test(city_says_what_is_exposed),
        cmocka_unit_test(city_may_be_wrong_about_it),
        cmocka_unit_test(fault_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
