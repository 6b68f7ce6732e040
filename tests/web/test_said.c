/* Texts that go into a release as somebody wrote them.
 *
 * Plan
 *   writings_*  numbers of houses, telephones and people, in every writing that
 *               there is, are refused where they are told
 *   ordinary_*  what centres and figures are rightly called is not
 *   unseen_*    nothing that nobody sees is in any of them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "web/publish_said.h"

static void refused(enum om__said kind, const char *const *text,
                    const char *says)
{
    for (; *text; text++) {
        const char *fault = om__said_fault(kind, *text, 120);
        if (!fault || !strstr(fault, says))
            fail_msg("'%s': %s, not: %s", *text, fault ? fault : "right", says);
    }
}

static void right(enum om__said kind, const char *const *text)
{
    for (; *text; text++) {
        const char *fault = om__said_fault(kind, *text, 120);
        if (fault) fail_msg("'%s' %s", *text, fault);
    }
}

static void writings_of_houses(void **state)
{
    static const char *const HOUSE[] = {"一路14号",      "一路１４号",
                                        "一路14 號",     "14　号",
                                        "𝟏𝟒号",          "⑭号",
                                        "⒕号",           "㉑栋",
                                        "١٤号",          "१४号",
                                        "ⅩⅣ号",          "⁵号",
                                        "二〇三室",      "十四號",
                                        "壹拾肆号",      "3幢",
                                        "3棟",           "廿一号",
                                        "14弄",          "14之2号",
                                        "两单元",        "No. 14",
                                        "no14",          "№ 14",
                                        "Ｎｏ．１４",    "NO：14",
                                        "Room 203",      "Rm.5",
                                        "#14",           "＃１４",
                                        "Flat 2",        "Block-7",
                                        "Building 3",    "14-2",
                                        "14–2",          "１４－２",
                                        "14 — 2",        "⑭-②",
                                        "１４−２",       "东城路14",
                                        "东城路⑭",       "兴华大道 14",
                                        "三巷5",         "Xinghua Rd 14",
                                        "14 Xinghua Rd", "14, Xing Hua Road",
                                        "5 High St.",    NULL};
    static const char *const STREET[] = {
        "东城路14号",          "东城路１４",     "东城街 ⑭", "14 Xinghua Rd",
        "Xinghua Road, No 14", "Xinghua Ave 14", NULL};
    (void)state;
    refused(OM__SAID_TITLE, HOUSE, "names a house");
    refused(OM__SAID_WORDS, STREET, "names a house");
}

static void writings_of_numbers(void **state)
{
    static const char *const NUMBER[] = {"13800000000",
                                         "138 0000 0000",
                                         "138-0000-0000",
                                         "１３８００００",
                                         "１３8ooo0000",
                                         "①③⑧⓪⓪⓪⓪",
                                         "⑬⑧⓪⓪⓪⓪",
                                         "➀➂➇➀➀➀➀",
                                         "𝟙𝟛𝟠𝟘𝟘𝟘𝟘",
                                         "٠١٢٣٤٥٦",
                                         "०१२३४५६",
                                         "¹³⁸⁰⁰⁰⁰",
                                         "1.3.8.0.0.0.0",
                                         "Ⅰ Ⅲ Ⅷ Ⅰ Ⅰ Ⅰ Ⅰ",
                                         "a1b3c8d0e0f0g0",
                                         "1３⑧0٠𝟘0",
                                         NULL};
    static const char *const HAN[] = {"一三八〇〇〇〇", "壹叁捌零零零零",
                                      "一3八0〇０零", NULL};
    static const char *const ASCII[] = {"Call 13800000000", "1 3 8 0 0 0 0",
                                        NULL};
    (void)state;
    refused(OM__SAID_WORDS, NUMBER, "six digits");
    refused(OM__SAID_TITLE, NUMBER, "six digits");
    refused(OM__SAID_TITLE, HAN, "six digits");
    refused(OM__SAID_ASCII, ASCII, "six digits");
}

static void unseen_characters(void **state)
{
    static const char *const UNSEEN[] = {"14\u200b号",
                                         "1\u200d4",
                                         "1\u2060"
                                         "38",
                                         "一\u00ad路",
                                         "a\ufeff",
                                         "1\ufe0f",
                                         "a\U000e0031",
                                         "a\ue000",
                                         "a\u2800",
                                         "a\u115f",
                                         "a\U0001ffff",
                                         NULL};
    static const enum om__said KIND[] = {OM__SAID_TEXT, OM__SAID_WORDS,
                                         OM__SAID_TITLE};
    (void)state;
    for (size_t k = 0; k < sizeof KIND / sizeof *KIND; k++)
        refused(KIND[k], UNSEEN, "nobody sees");
}

static void ordinary_titles(void **state)
{
    static const char *const TITLE[] = {"东莞(合成) 公开版",
                                        "较高及以上风险隐患",
                                        "问题隐患",
                                        "12345热线",
                                        "24小时自助服务",
                                        "24/7 self-service",
                                        "7×24小时",
                                        "10分钟服务圈",
                                        "9-12岁儿童",
                                        "6-8月",
                                        "2023年5月",
                                        "5-8年",
                                        "23—24 年度",
                                        "9-12 years",
                                        "COVID-19",
                                        "5G",
                                        "三楼服务大厅",
                                        "3楼大厅",
                                        "第3层",
                                        "万江街道",
                                        "街道一站式服务",
                                        "百千万工程",
                                        "第十四届运动会",
                                        "Hazard reports",
                                        "Serious hazard reports",
                                        "Citizens' tips",
                                        "North St service centre",
                                        "Dongguan (synthetic)",
                                        "政法委网格中心",
                                        "村(社区)",
                                        "居民議事會",
                                        "hazard_serious",
                                        "Ⅱ级",
                                        "①",
                                        NULL};
    static const char *const WORDS[] = {
        "1号窗口",   "3号线",    "12345",         "9点-17点",  "14周岁",
        "一号通办",  "三孩登记", "养老金(60岁)",  "Form No. 14", "CC0-1.0",
        "EPSG:4547", "C级",      "living permit", NULL};
    static const char *const ASCII[] = {"Grid #",
                                        "No. #",
                                        "Rd",
                                        "St",
                                        "Lane",
                                        "(synthetic)",
                                        "Home for the Elderly",
                                        NULL};
    (void)state;
    right(OM__SAID_TITLE, TITLE);
    right(OM__SAID_WORDS, WORDS);
    right(OM__SAID_ASCII, ASCII);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writings_of_houses),
        cmocka_unit_test(writings_of_numbers),
        cmocka_unit_test(unseen_characters),
        cmocka_unit_test(ordinary_titles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
