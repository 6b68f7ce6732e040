/* Roles.
 *
 * Plan
 *   builtin_*  the roles of a city without a file
 *   read_*     members and their defaults
 *   error_*    each says which role and member
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/city/roles_text.h"
#include "engine/policy/role.h"

static void builtin_roles(void **state)
{
    (void)state;
    struct om_roles *roles;
    struct om_err err = {0};
    assert_int_equal(om_roles_parse(OM_ROLES_TEXT, strlen(OM_ROLES_TEXT),
                                    "built in", &roles, &err),
                     OM_OK);
    static const struct {
        const char *name;
        enum om_personal personal;
        bool sees, writes, exports, area;
    } want[] = {{"wall", OM_PERSONAL_COUNTS, true, false, false, false},
                {"analyst", OM_PERSONAL_COUNTS, true, false, true, false},
                {"officer", OM_PERSONAL_ROWS, true, false, true, true},
                {"ingest", OM_PERSONAL_NONE, false, true, false, false},
                {"admin", OM_PERSONAL_ROWS, true, true, true, false}};
    assert_int_equal(roles->count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct om_role *role = om_roles_find(roles, want[i].name);
        assert_non_null(role);
        assert_int_equal(role->personal, want[i].personal);
        assert_int_equal(om_role_sees(role, "anything"), want[i].sees);
        assert_int_equal(om_role_writes(role, "anything"), want[i].writes);
        assert_int_equal(role->export, want[i].exports);
        assert_int_equal(role->area.count > 0, want[i].area);
    }
    assert_null(om_roles_find(roles, "mayor"));
    om_roles_unref(roles);
}

static void read_members(void **state)
{
    (void)state;
    static const char text[] =
        "{\"roles\": {\"a\": {\"layers\": [\"x\", \"y\"], \"without\": "
        "[\"y\"], \"columns\": {\"x\": [\"p\"]}, \"smallest_count\": 20, "
        "\"rate_per_s\": 2.5, \"smallest_cell\": \"village\"}, "
        "\"b\": {\"layers\": [\"*\"]}}}";
    struct om_roles *roles;
    assert_int_equal(om_roles_parse(text, strlen(text), "t", &roles, NULL),
                     OM_OK);
    const struct om_role *a = om_roles_find(roles, "a");
    const struct om_role *b = om_roles_find(roles, "b");
    assert_true(om_role_sees(a, "x"));
    assert_false(om_role_sees(a, "y"));
    assert_false(om_role_sees(a, "z"));
    assert_false(om_role_writes(a, "x"));
    assert_int_equal(a->columns_of, 1);
    assert_true(om_names_have(&a->columns[0].shown, "p"));
    assert_false(om_names_have(&a->columns[0].shown, "q"));
    assert_int_equal(a->smallest_count, 20);
    assert_true(a->rate_per_s == 2.5);
    assert_string_equal(a->smallest_cell, "village");
    assert_true(om_role_sees(b, "z"));
    assert_int_equal(b->personal, OM_PERSONAL_NONE);
    assert_int_equal(b->smallest_count, 10);
    assert_false(b->export);
    assert_int_not_equal(a->hash, b->hash);
    om_roles_unref(roles);
}

static void error_members(void **state)
{
    (void)state;
    static const struct {
        const char *role, *says;
    } bad[] = {
        {"1", "roles.r"},
        {"{}", "layers"},
        {"{\"layers\": \"*\"}", "layers"},
        {"{\"layers\": [\"*\", \"x\"]}", "layers"},
        {"{\"layers\": [1]}", "layers"},
        {"{\"layers\": [\"\"]}", "layers"},
        {"{\"layers\": [], \"layer\": []}", "layer"},
        {"{\"layers\": [], \"personal\": \"some\"}", "personal"},
        {"{\"layers\": [], \"smallest_count\": 0}", "smallest_count"},
        {"{\"layers\": [], \"smallest_count\": \"10\"}", "smallest_count"},
        {"{\"layers\": [], \"rate_per_s\": -1}", "rate_per_s"},
        {"{\"layers\": [], \"rate_per_s\": \"1\"}", "rate_per_s"},
        {"{\"layers\": [], \"export\": 1}", "export"},
        {"{\"layers\": [], \"columns\": [\"x\"]}", "columns"},
        {"{\"layers\": [], \"area\": [\"*\"]}", "area"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256];
        struct om_roles *roles;
        struct om_err err = {0};
        snprintf(text, sizeof text, "{\"roles\": {\"r\": %s}}", bad[i].role);
        assert_int_equal(om_roles_parse(text, strlen(text), "f", &roles, &err),
                         OM_E_FORMAT);
        assert_null(roles);
        assert_non_null(strstr(err.text, "f: roles.r"));
        assert_non_null(strstr(err.text, bad[i].says));
    }
    static const char *const whole[] = {"", "{", "[]", "{}", "{\"roles\": {}}",
                                        "{\"roles\": []}",
                                        "{\"roles\": {\"a b\": {}}}"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        struct om_roles *roles;
        struct om_err err = {0};
        assert_int_not_equal(
            om_roles_parse(whole[i], strlen(whole[i]), "f", &roles, &err),
            OM_OK);
        assert_non_null(strstr(err.text, "f: "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builtin_roles),
        cmocka_unit_test(read_members),
        cmocka_unit_test(error_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
