// write_words.c - what else people call values of columns: a member of a layer
// in city.json that the search reads (engine/search/terms_internal.h).
#include <string.h>

#include "data/base/buf.h"
#include "data/synth/write_internal.h"

/* Values of one column lie side by side. words: `|` between them; what the
 * value is called in the first place is in write_titles.c. */
static const struct value {
    const char *layer, *column, *value, *words;
} VALUE[] = {
    {"facility", "kind", "bin",
     "垃圾箱|果皮箱|rubbish bin|trash can|litter bin"},
    {"facility", "kind", "bus_stop",
     "公交车站|公交站台|公共汽车站|bus station"},
    {"facility", "kind", "camera",
     "监控|监控摄像头|视频监控|探头|天眼|CCTV|surveillance camera"},
    {"facility", "kind", "charging_point",
     "充电站|充电点|EV charger|charger|charging station"},
    {"facility", "kind", "distribution_box", "配电柜|电箱|变电箱|electric box"},
    {"facility", "kind", "elevator", "升降机|elevator"},
    {"facility", "kind", "extinguisher", "灭火瓶|灭火筒|extinguisher"},
    {"facility", "kind", "hydrant", "消防栓|消防龙头|fire hydrant"},
    {"facility", "kind", "manhole",
     "窨井盖|窨井|沙井盖|下水道井盖|manhole cover"},
    {"facility", "kind", "street_lamp", "街灯|street light|lamp post"},
    {"premises", "kind", "shop", "小档口|小商店|小店|商铺|small shop"},
    {"premises", "kind", "workshop", "作坊|小加工厂|small workshop"},
    {"premises", "kind", "entertainment", "娱乐场所|KTV|网吧|棋牌室"},
    {"business", "kind", "catering", "餐饮业|餐馆|餐厅|饭店|restaurant"},
    {"business", "kind", "logistics", "物流业|货运|快递|delivery"},
    {"business", "kind", "manufacturing", "制造业|工厂|factory"},
    {"business", "kind", "retail", "零售业|商店|store"},
    {"business", "kind", "service", "服务业|居民服务"},
    {"organisation", "kind", "volunteer", "志愿者|义工|volunteering"},
    {"organisation", "kind", "charity", "慈善|慈善互助|互助"},
    {"organisation", "kind", "elderly_care", "养老|敬老|长者服务|elderly care"},
    {"organisation", "kind", "youth", "青年|少年|young people"},
    {"organisation", "kind", "culture", "文艺|文化活动"},
    {"organisation", "kind", "sports", "体育健身|健身|运动|fitness"},
    {"organisation", "kind", "residents", "议事会|居民自治"},
    {"organisation", "kind", "skills", "培训|职业培训|skills training"},
    {"appeal", "kind", "micro_project", "民生微实事|微实事|微项目"},
    {"appeal", "kind", "education", "教育诉求|入学诉求"},
    {"appeal", "kind", "environment", "环境诉求|环保投诉|污染投诉|pollution"},
    {"appeal", "kind", "housing", "住房诉求|住房投诉"},
    {"appeal", "kind", "medical", "医疗诉求|医疗投诉"},
    {"appeal", "kind", "noise", "噪声|噪音投诉|噪音扰民|noise complaints"},
    {"appeal", "kind", "social_security", "社保诉求|社保投诉"},
    {"appeal", "kind", "traffic", "交通诉求|堵车|交通投诉"},
    {"appeal", "kind", "wages", "拖欠工资|讨薪"},
    {"appeal", "kind", "water_power", "水电诉求|停水|停电|power cut"},
    {"tip", "kind", "fire", "火灾隐患|消防隐患|火警"},
    {"tip", "kind", "illegal_parking", "违章停车|乱停车"},
    {"tip", "kind", "rubbish", "垃圾乱倒|乱倒垃圾|垃圾堆放|dumped rubbish"},
    {"tip", "kind", "building_works", "违建|违章建筑|乱搭建"},
    {"tip", "kind", "road_damage", "路面破损|坑洼|pothole"},
    {"tip", "kind", "drainage", "排水不畅|积水|内涝|下水道堵塞|flooding"},
    {"tip", "kind", "gas", "燃气泄漏|煤气泄漏|gas leak"},
};

/* A list of the words between the bars. */
static void add_list(struct om_buf *out, const char *words)
{
    om_buf_add_text(out, "[");
    for (const char *at = words; *at;) {
        const size_t len = strcspn(at, "|");
        om_buf_add_json_text(out, at, len);
        at += len;
        if (*at++ != '|') break;
        om_buf_add_text(out, ", ");
    }
    om_buf_add_text(out, "]");
}

void om__add_words(struct om_buf *out, const char *layer)
{
    const char *column = NULL;
    for (size_t i = 0; i < sizeof VALUE / sizeof *VALUE; i++) {
        const struct value *v = &VALUE[i];
        if (strcmp(v->layer, layer) != 0) continue;
        if (!column) om_buf_add_text(out, ", \"value_words\": {");
        if (!column || strcmp(column, v->column) != 0)
            om_buf_addf(out, "%s\"%s\": {", column ? "}, " : "", v->column);
        else
            om_buf_add_text(out, ", ");
        column = v->column;
        om_buf_addf(out, "\"%s\": ", v->value);
        add_list(out, v->words);
    }
    if (column) om_buf_add_text(out, "}}");
}
