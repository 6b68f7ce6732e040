/* What legends of /map.png say of the question.
 *
 * Plan
 *   period_*   open and closed ends, none, in both languages
 *   filter_*   whole in its lines, or cut with "…"; never within a letter
 *   method_*   kernel and bandwidths of fields and models
 *   all_*      whatever is asked at once has its lines
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/server/map_caption.h"

static struct om_key key;

static void ask(struct om__map_caption asked, enum om_language language)
{
    key = (struct om_key){.items = 1};
    if (!asked.opacity) asked.opacity = 100;
    om__map_caption(&asked, language, 30, &key);
}

static void period_of_open_and_closed_ends(void **state)
{
    (void)state;
    static const struct {
        const char *datetime, *zh, *en;
    } want[] = {
        {"2023-05-28/2023-06-26", "时段 2023-05-28 至 2023-06-26",
         "Period: 2023-05-28 to 2023-06-26"},
        {"2023-05/..", "时段 2023-05 起", "Period: from 2023-05"},
        {"../2023-05", "时段 至 2023-05", "Period: until 2023-05"},
        {"2023-05", "时段 2023-05", "Period: 2023-05"},
        {"../..", "时段 全部", "Period: all times"},
        {NULL, "时段 全部", "Period: all times"},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct om__map_caption a = {.datetime = want[i].datetime,
                                          .timed = true};
        ask(a, OM_LANGUAGE_ZH);
        assert_int_equal(key.abouts, 1);
        assert_string_equal(key.about[0], want[i].zh);
        ask(a, OM_LANGUAGE_EN);
        assert_string_equal(key.about[0], want[i].en);
    }
    ask((struct om__map_caption){.timed = false}, OM_LANGUAGE_ZH);
    assert_int_equal(key.abouts, 0);
}

static bool is_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        const size_t more = *at < 0x80   ? 0
                            : *at < 0xC0 ? 9
                            : *at < 0xE0 ? 1
                            : *at < 0xF0 ? 2
                                         : 3;
        at++;
        for (size_t i = 0; i < more; i++, at++)
            if ((*at & 0xC0) != 0x80) return false;
    }
    return true;
}

/* Append a text without its spaces. */
static void add_letters(char *out, const char *text)
{
    out += strlen(out);
    for (; *text; text++)
        if (*text != ' ') *out++ = *text;
    *out = '\0';
}

static void filter_is_whole_or_cut_between_letters(void **state)
{
    (void)state;
    static const char *const piece[] = {"a", "消防", " ", "🏠", ",", "é", "'"};
    uint32_t seed = 5;
    for (int k = 0; k < 3000; k++) {
        char filter[2048] = "", read[4096] = "";
        const size_t pieces = 1 + (size_t)k % 200;
        for (size_t i = 0; i < pieces; i++) {
            seed = seed * 1664525u + 1013904223u;
            strcat(filter, piece[(seed >> 16) % 7]);
        }
        ask((struct om__map_caption){.filter = filter}, OM_LANGUAGE_EN);
        assert_true(key.abouts >= 1 && key.abouts <= 4);
        for (size_t i = 0; i < key.abouts; i++) {
            assert_true(is_utf8(key.about[i]));
            strcat(read, key.about[i]);
        }
        // Without the spaces that lines end with, it is what was asked.
        char wanted[2200] = "Filter:", got[4096] = "";
        add_letters(wanted, filter);
        add_letters(got, read);
        const char *cut = strstr(got, "\u2026");
        const size_t len = cut ? (size_t)(cut - got) : strlen(got);
        assert_memory_equal(got, wanted, len);
        if (!cut) assert_int_equal(len, strlen(wanted));
    }
}

static void method_of_fields_and_models(void **state)
{
    (void)state;
    struct om_risk_part term[3] = {
        {.spec = {.kernel = OM_KERNEL_QUARTIC, .bandwidth_m = 800}},
        {.spec = {.kernel = OM_KERNEL_QUARTIC, .bandwidth_m = 400}},
        {.spec = {.kernel = OM_KERNEL_GAUSSIAN, .bandwidth_m = 800}}};
    struct om_risk_bound heat = {.risk = {.terms = 1, .term = term}};
    const struct om__map_caption a = {.heat = &heat};
    ask(a, OM_LANGUAGE_ZH);
    assert_string_equal(key.about[0], "四次核,带宽 800 米");
    heat.risk.terms = 2;
    ask(a, OM_LANGUAGE_EN);
    assert_string_equal(key.about[0], "quartic kernel, bandwidth 800, 400 m");
    heat.risk.terms = 3;
    ask(a, OM_LANGUAGE_ZH);
    assert_string_equal(key.about[0], "带宽 800、400 米");
}

static void all_that_is_asked_has_its_lines(void **state)
{
    (void)state;
    static char filter[400];
    memset(filter, 'x', sizeof filter - 1);
    struct om_risk_part term = {
        .spec = {.kernel = OM_KERNEL_GAUSSIAN, .bandwidth_m = 1600}};
    struct om_risk_bound heat = {.risk = {.terms = 1, .term = &term},
                                 .ask = {.weight = "severity"}};
    ask((struct om__map_caption){.filter = filter,
                                 .datetime = "2023-06",
                                 .with_filter = filter,
                                 .with_datetime = "2023-05",
                                 .halflife = "30",
                                 .heat = &heat,
                                 .opacity = 60},
        OM_LANGUAGE_ZH);
    assert_int_equal(key.abouts, OM_KEY_ABOUTS);
    assert_string_equal(key.about[5], "与此同一图例:2023-05");
    assert_string_equal(key.about[10], "高斯核,带宽 1600 米");
    assert_string_equal(key.about[11], "权重 severity");
    assert_string_equal(key.about[12], "半衰期 30 天");
    assert_string_equal(key.about[13], "不透明度 60 %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(period_of_open_and_closed_ends),
        cmocka_unit_test(filter_is_whole_or_cut_between_letters),
        cmocka_unit_test(method_of_fields_and_models),
        cmocka_unit_test(all_that_is_asked_has_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
