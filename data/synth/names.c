// names.c - made-up names of villages, streets, estates and firms.
#include <stdio.h>
#include <string.h>

#include "data/synth/city_internal.h"

/* MADE UP throughout: common characters, put together by number. No names of
 * persons are ever made. */
static const char *const VILLAGE_A[] = {
    "大", "小", "上", "下", "新", "旧", "东", "西", "南", "北", "龙", "石",
    "沙", "水", "黄", "白", "赤", "金", "竹", "松", "梅", "莲", "古", "长",
    "横", "牛", "凤", "鹤", "官", "温", "霞", "清", "福", "平", "永", "双",
};
static const char *const VILLAGE_B[] = {
    "岭", "塘", "坑",   "涌",   "洲",   "岗", "田", "井", "桥",
    "头", "湖", "门",   "背",   "朗",   "边", "围", "基", "潭",
    "溪", "陂", "浦",   "角",   "坡",   "沥", "澳", "园", "屋",
    "寮", "排", "村尾", "河口", "山下", "滩", "尾", "湾", "坊",
};
static const char *const ROAD_A[] = {
    "振", "东", "建", "人", "新", "和", "富", "康", "文", "华", "金",
    "银", "长", "永", "兴", "福", "安", "泰", "民", "光", "育", "创",
    "科", "汇", "景", "迎", "沿", "环", "丰", "宏", "瑞", "锦",
};
static const char *const ROAD_B[] = {
    "兴", "盛", "设", "民", "华", "平", "康", "明", "昌", "达", "业",
    "宁", "安", "乐", "荣", "源", "利", "春", "阳", "辉", "富", "泰",
    "祥", "丰", "河", "堤", "园", "城", "山", "田", "港", "塘",
};
static const char *const ESTATE[] = {"花园", "新城", "华府", "名苑",
                                     "雅居", "公馆", "家园", "湾畔"};
static const char *const TRADE[] = {
    "便利店", "餐饮店", "服装店", "五金店", "药店",   "理发店",
    "水果店", "手机店", "粮油店", "快餐店", "修理店", "文具店",
};
static const char *const WORK[] = {
    "电子", "五金", "塑胶", "模具", "制衣", "鞋材",
    "家具", "纸品", "玩具", "印刷", "机械", "包装",
};

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof *(list)))

static char *put(char *out, const char *text)
{
    const size_t len = strlen(text);
    memcpy(out, text, len);
    return out + len;
}

char *om__name_number(char *out, uint32_t n)
{
    static const char *const DIGIT[] = {"",   "一", "二", "三", "四",
                                        "五", "六", "七", "八", "九"};
    if (n >= 100) {
        out = put(put(out, DIGIT[n / 100 % 10]), "百");
        if (n % 100 && n % 100 < 10) out = put(out, "零");
    }
    const uint32_t tens = n / 10 % 10;
    if (tens > 1 || (tens == 1 && n >= 100)) out = put(out, DIGIT[tens]);
    if (tens > 0) out = put(out, "十");
    return put(out, DIGIT[n % 10]);
}

char *om__name_road(char *out, uint32_t number)
{
    out = put(out, ROAD_A[number % COUNT(ROAD_A)]);
    return put(out, ROAD_B[number / COUNT(ROAD_A) % COUNT(ROAD_B)]);
}

char *om__name_estate(char *out, uint32_t number)
{
    out = om__name_road(out, number * 7 + 3);
    return put(out, ESTATE[number % COUNT(ESTATE)]);
}

char *om__name_company(char *out, uint32_t number, uint32_t kind)
{
    out = om__name_road(out, number);
    if (kind == 0) return put(out, TRADE[(number >> 12) % COUNT(TRADE)]);
    out = put(out, WORK[(number >> 12) % COUNT(WORK)]);
    return put(out, kind == 1 ? "加工厂" : "有限公司");
}

char *om__name_street(const struct om__city *city, char *out, uint32_t quarter,
                      uint32_t row)
{
    const struct om__quarter *q = &city->quarter[quarter];
    const struct om__village *village =
        &city->village[city->grid[q->grid].village];
    out = om__name_road(
        out,
        village->base_name +
            37 * (quarter - city->grid[village->first_grid].first_quarter));
    if (q->kind == OM__KIND_FACTORY) out = put(out, "工业");
    if (row > 0 || q->kind == OM__KIND_VILLAGE)
        out = om__name_number(out, row + 1);
    switch (q->kind) {
        case OM__KIND_VILLAGE:
            return put(out, "巷");
        case OM__KIND_FARM:
            return put(out, "围路");
        case OM__KIND_TOWER:
        case OM__KIND_CENTRE:
            return put(out, "街");
        default:
            return put(out, "路");
    }
}

void om__name_villages(struct om__city *city)
{
    const uint32_t names = COUNT(VILLAGE_A) * COUNT(VILLAGE_B);
    struct om__dice dice = om__dice(city->seed, OM__FOR_NAME, 0);
    const uint32_t start = om__dice_below(&dice, names);
    // 385 has no divisor in common with 36 x 36, so no name comes twice.
    for (uint32_t v = 0; v < city->villages; v++) {
        struct om__village *village = &city->village[v];
        const uint32_t n = (start + v * 385) % names;
        const char *town = city->town[village->town].fact->name;
        const size_t town_len = strlen(town);
        const bool street =
            town_len > 6 && !strcmp(town + town_len - 6, "街道");
        struct om__dice own = om__dice(city->seed, OM__FOR_NAME, 1 + v);
        const char *suffix =
            street || om__dice_chance(&own, 0.6) ? "社区" : "村";
        snprintf(village->name, sizeof village->name, "%s%s%s",
                 VILLAGE_A[n % COUNT(VILLAGE_A)],
                 VILLAGE_B[n / COUNT(VILLAGE_A)], suffix);
        snprintf(village->text, sizeof village->text, "东莞市%s%s", town,
                 village->name);
        village->base_name = (uint32_t)om__dice_bits(&own) & 0x3FF;
    }
}
