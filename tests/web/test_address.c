/* Request targets.
 *
 * Plan
 *   path_*     what a path becomes, and what is refused
 *   query_*    parameters, decoded once
 *   round_*    any text survives encoding and parsing
 *   tile_*     the numbers of a tile
 *   host_*     what links may be built from
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/server/address.h"

static char scratch[OM_ADDRESS_BYTES * 2];

static om_status parse(const char *target, struct om_address *out)
{
    // A heap copy without a NUL, so that a sanitizer sees reading beyond it.
    const size_t len = strlen(target);
    char *copy = malloc(len ? len : 1), *room = malloc(len + 1);
    memcpy(copy, target, len);
    struct om_err err = {0};
    const om_status st = om_address_parse(copy, len, room, out, &err);
    if (st) assert_true(err.text[0]);
    if (!st && len + 1 <= sizeof scratch) {
        // The texts move to memory that outlives this call.
        memcpy(scratch, room, len + 1);
        for (size_t i = 0; i < out->segments; i++)
            out->segment[i] = scratch + (out->segment[i] - room);
        for (size_t i = 0; i < out->params; i++) {
            out->param[i].name = scratch + (out->param[i].name - room);
            // One without '=' has its empty value elsewhere.
            const uintptr_t at = (uintptr_t)out->param[i].value;
            if (at >= (uintptr_t)room && at <= (uintptr_t)room + len)
                out->param[i].value = scratch + (out->param[i].value - room);
        }
    }
    free(copy);
    free(room);
    return st;
}

static void path_is_split_and_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        size_t segments;
        const char *segment[4];
        bool slash;
    } row[] = {
        {"/", 0, {0}, false},
        {"/?", 0, {0}, false},
        {"/health", 1, {"health"}, false},
        {"/health/", 1, {"health"}, true},
        {"/tiles/heat:address/3/1/2.png",
         // five segments; the last is looked at below
         5,
         {"tiles", "heat:address", "3", "1"},
         false},
        {"/tiles/heat%3Aaddress.json",
         2,
         {"tiles", "heat:address.json"},
         false},
        {"/collections/%E7%BD%91%E6%A0%BC", 2, {"collections", "网格"}, false},
        {"/collections/网格", 2, {"collections", "网格"}, false},
        {"/a+b", 1, {"a+b"}, false},
        {"/...", 1, {"..."}, false},
        {"/a%2eb", 1, {"a.b"}, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct om_address a;
        assert_int_equal(parse(row[i].target, &a), OM_OK);
        assert_int_equal(a.segments, row[i].segments);
        assert_int_equal(a.slash, row[i].slash);
        for (size_t s = 0; s < a.segments && s < 4; s++)
            assert_string_equal(a.segment[s], row[i].segment[s]);
    }
}

static void path_that_could_mean_two_things_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "health",       "*",           "http://host/health",
        "//",      "//health",     "/a//b",       "/.",
        "/..",     "/a/../b",      "/a/./b",      "/%2e%2e/b",
        "/%2E/b",  "/.%2e",        "/a%00b",      "/a%2fb",
        "/a%2Fb",  "/a%5cb",       "/a\\b",       "/a#b",
        "/a%23#",  "/%",           "/%4",         "/%zz",
        "/%4g",    "/a%",          "/a\tb",       "/a%0ab",
        "/a%7f",   "/a%1b",        "/\x01",       "/%c0%af",
        "/%ff",    "/%e7%bd",      "/%ed%a0%80",  "/%f4%90%80%80",
        "/%c2%80", "/a?b=%00",     "/a?b=%c0%80", "/a?b=%0a",
        "/a?b=%",  "/a?b=1#c",     "/a?=1",       "/a?b=1&b=2",
        "/a?b&b",  "/a?%62=1&b=2",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct om_address a;
        if (parse(bad[i], &a) != OM_E_FORMAT) fail_msg("taken: %s", bad[i]);
        // Where only the query is at fault, all before it is as it should be.
        const bool query = !strncmp(bad[i], "/a?", 3);
        assert_int_equal(a.query, query ? OM_E_FORMAT : OM_OK);
        if (query) assert_int_equal(a.segments, 1);
        if (query) assert_int_equal(a.params, 0);
    }
}

static void path_with_a_raw_nul_is_refused(void **state)
{
    (void)state;
    struct om_address a;
    assert_int_equal(om_address_parse("/a\0b", 4, scratch, &a, NULL),
                     OM_E_FORMAT);
}

static void sizes_are_limited(void **state)
{
    (void)state;
    struct om_address a;
    static char long_target[OM_ADDRESS_BYTES + 2];
    memset(long_target, 'a', sizeof long_target - 1);
    long_target[0] = '/';
    assert_int_equal(parse(long_target, &a), OM_E_LIMIT);
    long_target[OM_ADDRESS_BYTES] = '\0';
    assert_int_equal(parse(long_target, &a), OM_OK);
    assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12", &a), OM_OK);
    assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13", &a), OM_E_LIMIT);
    char many[1024] = "/a?x=";
    for (int i = 0; i < OM_ADDRESS_PARAMS; i++) {
        char p[16];
        snprintf(p, sizeof p, "&p%d=1", i);
        strcat(many, p);
    }
    assert_int_equal(parse(many, &a), OM_E_LIMIT);
}

static void query_is_decoded_once(void **state)
{
    (void)state;
    struct om_address a;
    assert_int_equal(
        parse("/s?filter=level+%3D+%27strict%27+AND+a%2Bb%3D1&&bbox=1,2,3,4"
              "&f=&text=%25%34%31&%E5%90%8D=%E8%8E%9E%E5%9F%8E&slash=%2F%5C&",
              &a),
        OM_OK);
    assert_int_equal(a.params, 6);
    assert_string_equal(om_address_param(&a, "filter")->value,
                        "level = 'strict' AND a+b=1");
    assert_string_equal(om_address_param(&a, "bbox")->value, "1,2,3,4");
    assert_string_equal(om_address_param(&a, "f")->value, "");
    assert_string_equal(om_address_param(&a, "text")->value, "%41");
    assert_string_equal(om_address_param(&a, "名")->value, "莞城");
    assert_string_equal(om_address_param(&a, "slash")->value, "/\\");
    assert_int_equal(om_address_param(&a, "slash")->len, 2);
    assert_null(om_address_param(&a, "Filter"));
}

static void query_of_many_equal_signs_keeps_the_rest(void **state)
{
    (void)state;
    struct om_address a;
    assert_int_equal(parse("/s?filter=a=1&x==&y", &a), OM_OK);
    assert_string_equal(om_address_param(&a, "filter")->value, "a=1");
    assert_string_equal(om_address_param(&a, "x")->value, "=");
    assert_string_equal(om_address_param(&a, "y")->value, "");
}

/* Texts of random characters, percent-encoded at random, come back. */
static void round_trip_of_random_texts(void **state)
{
    (void)state;
    static const char *const piece[] = {"a", "Z", "9",  "~", "东", "莞", "𠮷",
                                        "é", " ", "+",  "&", "=",  "%",  "?",
                                        "#", "'", "\"", "<", ";",  ":"};
    uint64_t random = 42;
    for (int round = 0; round < 2000; round++) {
        char text[128] = "", target[512] = "/p?v=";
        for (int i = 0; i < 12; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            strcat(text,
                   piece[(random >> 33) % (sizeof piece / sizeof *piece)]);
        }
        for (const char *c = text; *c; c++) {
            char escaped[4];
            random = random * 6364136223846793005u + 1442695040888963407u;
            const bool must = strchr(" +&%#", *c) != NULL;
            if (*c == ' ' && random >> 63)
                snprintf(escaped, sizeof escaped, "+");
            else if (must || random >> 62 == 0)
                snprintf(escaped, sizeof escaped, "%%%02X", (unsigned char)*c);
            else
                snprintf(escaped, sizeof escaped, "%c", *c);
            strcat(target, escaped);
        }
        struct om_address a;
        assert_int_equal(parse(target, &a), OM_OK);
        assert_string_equal(a.param[0].value, text);
    }
}

static void tile_numbers_are_strict(void **state)
{
    (void)state;
    struct om_tile_address t;
    assert_int_equal(om_tile_address_parse("0", "0", "0.png", &t), OM_OK);
    assert_int_equal(
        om_tile_address_parse("22", "4194303", "4194303@2x.png", &t), OM_OK);
    assert_int_equal(t.z, 22);
    assert_int_equal(t.x, 4194303);
    assert_int_equal(t.y, 4194303);
    assert_int_equal(t.scale, 2);
    assert_string_equal(t.extension, "png");

    static const struct {
        const char *z, *x, *y;
        om_status status;
    } bad[] = {
        {"23", "0", "0.png", OM_E_RANGE},
        {"31", "0", "0.png", OM_E_RANGE},
        {"0", "1", "0.png", OM_E_RANGE},
        {"3", "8", "0.png", OM_E_RANGE},
        {"3", "0", "8.png", OM_E_RANGE},
        {"-1", "0", "0.png", OM_E_FORMAT},
        {"+1", "0", "0.png", OM_E_FORMAT},
        {"01", "0", "0.png", OM_E_FORMAT},
        {"1e1", "0", "0.png", OM_E_FORMAT},
        {"0x1", "0", "0.png", OM_E_FORMAT},
        {" 1", "0", "0.png", OM_E_FORMAT},
        {"", "0", "0.png", OM_E_FORMAT},
        {"١", "0", "0.png", OM_E_FORMAT},
        {"1", "", "0.png", OM_E_FORMAT},
        {"1", "00", "0.png", OM_E_FORMAT},
        {"1", "0", "00.png", OM_E_FORMAT},
        {"1", "0", ".png", OM_E_FORMAT},
        {"1", "0", "0", OM_E_FORMAT},
        {"1", "0", "0.", OM_E_FORMAT},
        {"1", "0", "0.png.", OM_E_FORMAT},
        {"1", "0", "0.tar.gz", OM_E_FORMAT},
        {"1", "0", "0@999x.png", OM_E_RANGE},
        {"1", "0", "0@-2x.png", OM_E_RANGE},
        {"1", "0", "0@2x@2x.png", OM_E_RANGE},
        {"1", "0", "0@1x.png", OM_E_RANGE},
        {"1", "0", "@2x.png", OM_E_FORMAT},
        {"1", "0000000000000000000000000000000000000000", "0.png", OM_E_FORMAT},
        {"1", "18446744073709551616", "0.png", OM_E_FORMAT},
        {"4294967296", "0", "0.png", OM_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (om_tile_address_parse(bad[i].z, bad[i].x, bad[i].y, &t) !=
            bad[i].status)
            fail_msg("%s/%s/%s", bad[i].z, bad[i].x, bad[i].y);
}

static void host_is_a_name_and_perhaps_a_port(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost",      "127.0.0.1:8080",
                                       "map.example.cn", "[::1]",
                                       "[::1]:80",       "a_b-c.d:65535"};
    static const char *const bad[] = {
        "",    ":80",      "a:",  "a:0",  "a:65536", "a:080", "a b",   "a/b",
        "a@b", "<script>", "a\"", "[::1", "[]",      "[x]:1", "a:1:2", "名"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!om_host_valid(good[i])) fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (om_host_valid(bad[i])) fail_msg("taken: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_is_split_and_decoded),
        cmocka_unit_test(path_that_could_mean_two_things_is_refused),
        cmocka_unit_test(path_with_a_raw_nul_is_refused),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(query_is_decoded_once),
        cmocka_unit_test(query_of_many_equal_signs_keeps_the_rest),
        cmocka_unit_test(round_trip_of_random_texts),
        cmocka_unit_test(tile_numbers_are_strict),
        cmocka_unit_test(host_is_a_name_and_perhaps_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
