/* Names in English.
 *
 * Plan
 *   terms_*   the longest at the end, one after another, behind what is left;
 *             a number in them, written in digits
 *   spells_*  syllables joined, apostrophes, spellings of one's own, letters
 *             and digits, what is no letter
 *   sounds_*  as it is typed: a blank between syllables, runs of letters whole,
 *             the second reading where it is asked for
 *   any_*     whatever bytes come, what goes out is printable ASCII without
 *             two blanks side by side
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/search/roman.h"
#include "engine/search/text.h"
#include "engine/search/variants.h"

static const struct om_term TERM[] = {
    {"社区", "Community"}, {"村", "Village"},
    {"镇", "Town"},        {"街道", "Subdistrict"},
    {"大道", "Avenue"},    {"道", "Way"},
    {"涌", "chong"},       {"党群服务中心", "Service Centre"},
    {"中心", "Centre"},    {"书法班", "Calligraphy class"},
    {"第#网格", "Grid #"}, {"#号", "No. #"}};
#define TERMS (sizeof TERM / sizeof *TERM)

static void said(const char *name, const char *want)
{
    struct om_buf out = {0};
    struct om_err err = {0};
    assert_int_equal(om_romanise(name, strlen(name), TERM, TERMS, &out, &err),
                     OM_OK);
    assert_int_equal(out.len, strlen(want));
    if (out.len) assert_memory_equal(out.bytes, want, out.len);
    om_buf_deinit(&out);
}

static void terms_are_taken_off_the_end(void **state)
{
    (void)state;
    said("松屋社区党群服务中心", "Songwu Community Service Centre");
    said("虎门镇", "Humen Town");
    said("东城街道", "Dongcheng Subdistrict");
    said("宏康大道", "Hongkang Avenue");
    said("书法班", "Calligraphy class");
    said("社区中心", "Community Centre");
    // Not in the middle: 下村尾 is a name.
    said("下村尾社区", "Xiacunwei Community");
}

static void terms_with_a_number(void **state)
{
    (void)state;
    said("第12网格", "Grid 12");
    said("松屋社区第1网格", "Songwu Community Grid 1");
    said("网格", "Wangge");
    said("第网格", "Diwangge");
    said("12网格", "12 Wangge");
    said("7号", "No. 7");
    said("号", "Hao");
    said("松屋社区12号", "Songwu Community No. 12");
}

static void spells_what_is_left(void **state)
{
    (void)state;
    said("松山湖", "Songshanhu");
    said("长安镇", "Zhang'an Town");  // one reading a character
    said("麻涌镇", "Machong Town");
    said("西安", "Xi'an");
    said("", "");
    said("第十二网格", "Dishi'erwangge");
    said("CBD中心", "CBD Centre");
    said("东莞(合成)", "Dongguan Hecheng");
    said("１号", "1 Hao");
    said("東莞", "Dongguan");
}

static void sounds(const char *text, bool other, const char *want)
{
    struct om_buf out = {0};
    struct om_err err = {0};
    assert_int_equal(om_spell(text, strlen(text), other, &out, &err), OM_OK);
    om_buf_add_byte(&out, 0);
    assert_string_equal(out.bytes, want);
    om_buf_deinit(&out);
}

static void sounds_as_it_is_typed(void **state)
{
    (void)state;
    sounds("居住证", false, "ju zhu zheng");
    sounds("電子ＩＤ卡(12345)", false, "dian zi id ka 12345");
    sounds("", false, "");
    sounds("()", false, "");
    char first[8] = "", second[8] = "";
    struct om_buf out = {0};
    struct om_err err = {0};
    assert_int_equal(om_spell("长", 3, false, &out, &err), OM_OK);
    memcpy(first, out.bytes, out.len);
    om_buf_clear(&out);
    assert_int_equal(om_spell("长", 3, true, &out, &err), OM_OK);
    memcpy(second, out.bytes, out.len);
    om_buf_deinit(&out);
    assert_true(!strcmp(first, "chang") || !strcmp(first, "zhang"));
    assert_true(!strcmp(second, "chang") || !strcmp(second, "zhang"));
    assert_string_not_equal(first, second);
}

static void any_bytes_are_fine(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 20000; round++) {
        char name[24];
        struct om_buf out = {0};
        struct om_err err = {0};
        for (size_t i = 0; i < sizeof name; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            name[i] = (char)(seed >> 40);
        }
        assert_int_equal(
            om_romanise(name, (size_t)(round % 25), TERM, TERMS, &out, &err),
            OM_OK);
        for (size_t i = 0; i < out.len; i++) {
            assert_true(out.bytes[i] >= ' ' && out.bytes[i] < 127);
            assert_true(out.bytes[i] != ' ' ||
                        (i && i + 1 < out.len && out.bytes[i + 1] != ' '));
        }
        om_buf_deinit(&out);
    }
}

/* Whatever is folded to a character of the set, and nothing else. */
static void variants_are_those_that_fold_so(void **state)
{
    (void)state;
    static const char TEXT[] = "居住证医疗abc1、";
    struct om_characters set = {0};
    struct om_buf out = {0};
    struct om_err err;
    const struct om_fold *fold;
    assert_int_equal(om_fold_get(&fold, &err), OM_OK);
    om_characters_add(&set, TEXT, strlen(TEXT));
    if (om_variants_add(&set, &out, &err)) fail_msg("%s", err.text);
    assert_int_equal(om_buf_add_byte(&out, 0), OM_OK);
    const char *pairs = (const char *)out.bytes;
    assert_non_null(strstr(pairs, "證证"));
    assert_non_null(strstr(pairs, "醫医"));
    assert_non_null(strstr(pairs, "療疗"));
    assert_int_equal(strlen(pairs) % 6, 0);
    for (const char *at = pairs; *at; at += 6) {
        struct om_search_text a, b;
        om_search_fold(fold, at, 3, &a);
        om_search_fold(fold, at + 3, 3, &b);
        assert_int_equal(a.token[0], b.token[0]);
        assert_memory_not_equal(at, at + 3, 3);
        char plain[4] = {at[3], at[4], at[5], 0};
        assert_non_null(strstr(TEXT, plain));
    }
    om_buf_deinit(&out);
    set = (struct om_characters){0};
    om_characters_add(&set, "plain \xE8", 7);
    assert_int_equal(om_variants_add(&set, &out, &err), OM_OK);
    assert_int_equal(out.len, 0);
    om_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_taken_off_the_end),
        cmocka_unit_test(terms_with_a_number),
        cmocka_unit_test(spells_what_is_left),
        cmocka_unit_test(sounds_as_it_is_typed),
        cmocka_unit_test(any_bytes_are_fine),
        cmocka_unit_test(variants_are_those_that_fold_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
