// nonsense.h - texts that no place of the sample city is meant by.
#ifndef OM_TESTS_ENGINE_NONSENSE_H
#define OM_TESTS_ENGINE_NONSENSE_H

#include "tests/engine/perturb.h"

/* Letters and characters at random, from the seed PERTURB_SEED; and names that
 * are of other cities. */
enum nonsense { LETTERS, HAN, ELSEWHERE, NONSENSES };
static const char *const NONSENSE[] = {"random letters", "random Han",
                                       "other cities"};

static const char *const OTHER_PLACE[] = {
    "天安门",
    "上海市南京路",
    "北京市朝阳区建国路88号",
    "故宫博物院",
    "颐和园",
    "广州塔",
    "广州市天河区体育西路",
    "深圳市南山区科技园",
    "深圳湾公园",
    "上海外滩",
    "陆家嘴环路1000号",
    "杭州西湖",
    "杭州市余杭区文一西路969号",
    "成都市春熙路",
    "宽窄巷子",
    "重庆解放碑",
    "洪崖洞",
    "西安钟楼",
    "兵马俑",
    "武汉市黄鹤楼",
    "长江大桥",
    "南京夫子庙",
    "苏州拙政园",
    "厦门鼓浪屿",
    "福州三坊七巷",
    "青岛栈桥",
    "大连星海广场",
    "哈尔滨中央大街",
    "沈阳故宫",
    "长沙橘子洲",
    "岳麓山",
    "桂林市漓江",
    "昆明市滇池",
    "大理古城",
    "丽江古城",
    "拉萨布达拉宫",
    "乌鲁木齐国际大巴扎",
    "呼和浩特市回民区",
    "香港维多利亚港",
    "澳门大三巴牌坊",
    "台北101大楼",
    "珠海渔女",
    "佛山市顺德区",
    "惠州西湖",
    "汕头小公园",
    "天津之眼",
    "郑州市二七塔",
    "济南趵突泉",
    "合肥市包公园",
    "南昌滕王阁",
    "贵阳甲秀楼",
    "海口骑楼老街",
    "三亚亚龙湾",
    "Times Square",
    "Eiffel Tower",
    "Hong Kong International Airport",
    "Shanghai Nanjing Road",
    "Beijing Chaoyang",
    "London Bridge",
    "Golden Gate Bridge",
};
#define OTHER_PLACES (sizeof OTHER_PLACE / sizeof *OTHER_PLACE)

/* One such text; of those elsewhere the next. shapes: out [64] */
static void nonsense(enum nonsense kind, size_t i, uint64_t *random, char *out)
{
    if (kind == ELSEWHERE) {
        snprintf(out, 64, "%s", OTHER_PLACE[i % OTHER_PLACES]);
        return;
    }
    const uint64_t n = (kind == LETTERS ? 4 : 2) +
                       perturb_random(random, kind == LETTERS ? 7 : 5);
    char *at = out;
    for (uint64_t k = 0; k < n; k++)
        at = perturb_put(at, kind == LETTERS
                                 ? 'a' + (uint32_t)perturb_random(random, 26)
                                 : 0x4E00 + (uint32_t)perturb_random(
                                                random, 0x9FA5 - 0x4E00));
    *at = '\0';
}

#endif
