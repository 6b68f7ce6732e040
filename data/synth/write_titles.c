/* write_titles.c - what values of columns are called: members of a layer in
 * city.json.
 *
 * DESIGN
 * Values are codes (lenient) or Chinese (消防救援); value_titles says codes in
 * Chinese, value_titles_en both in English. A value that is put together (a
 * thing and what is wrong with it, a town and its department) has its parts
 * listed, not each of the hundreds of values.
 */
#include <string.h>

#include "data/base/buf.h"
#include "data/synth/facts.h"
#include "data/synth/write_internal.h"

/* A code and what it is called; ends in NULL. */
struct term {
    const char *code, *zh, *en;
};

static const struct term USE[] = {{"residential", "住宅", "residential"},
                                  {"mixed", "商住混合", "mixed"},
                                  {"commercial", "商业", "commercial"},
                                  {"industrial", "工业", "industrial"},
                                  {"public", "公共", "public"},
                                  {"farm", "农用", "farm"},
                                  {0}};
static const struct term LEVEL[] = {{"lenient", "宽管型", "lenient"},
                                    {"warning", "警示型", "warning"},
                                    {"strict", "严管型", "strict"},
                                    {"prohibited", "禁租型", "prohibited"},
                                    {0}};
static const struct term GRADE[] = {
    {"A", "A级", "grade A"},
    {"B", "B级", "grade B"},
    {"C", "C级", "grade C"},
    {"D", "D级", "grade D"},
    {0},
};
static const struct term PREMISES[] = {
    {"shop", "小商铺", "shop"},
    {"workshop", "小作坊", "workshop"},
    {"entertainment", "小娱乐场所", "entertainment"},
    {0},
};
static const struct term FACILITY[] = {
    {"bin", "垃圾桶", "bin"},
    {"bus_stop", "公交站", "bus stop"},
    {"camera", "摄像头", "camera"},
    {"charging_point", "充电桩", "charging point"},
    {"distribution_box", "配电箱", "distribution box"},
    {"elevator", "电梯", "lift"},
    {"extinguisher", "灭火器", "fire extinguisher"},
    {"hydrant", "消火栓", "hydrant"},
    {"manhole", "井盖", "manhole"},
    {"street_lamp", "路灯", "street lamp"},
    {0},
};
static const struct term BUSINESS[] = {
    {"catering", "餐饮", "catering"},
    {"logistics", "物流", "logistics"},
    {"manufacturing", "制造", "manufacturing"},
    {"other", "其他", "other"},
    {"retail", "零售", "retail"},
    {"service", "服务", "services"},
    {0},
};
static const struct term ORGANISATION[] = {
    {"charity", "公益慈善", "charity"},
    {"culture", "文化", "culture"},
    {"elderly_care", "养老服务", "care of the elderly"},
    {"residents", "居民议事", "residents' council"},
    {"skills", "技能培训", "skills"},
    {"sports", "体育", "sports"},
    {"volunteer", "志愿服务", "volunteers"},
    {"youth", "青少年", "youth"},
    {0},
};
static const struct term APPEAL[] = {
    {"education", "教育", "education"},
    {"environment", "环境", "environment"},
    {"housing", "住房", "housing"},
    {"medical", "医疗", "health care"},
    {"micro_project", "民生微项目", "micro-project"},
    {"noise", "噪音", "noise"},
    {"social_security", "社保", "social security"},
    {"traffic", "交通", "traffic"},
    {"wages", "欠薪", "unpaid wages"},
    {"water_power", "水电", "water and power"},
    {0},
};
static const struct term CHANNEL[] = {{"hotline", "热线", "hotline"},
                                      {"code", "扫码", "scanned code"},
                                      {"window", "窗口", "window"},
                                      {0}};
static const struct term APPEAL_STATUS[] = {
    {"open", "办理中", "open"}, {"closed", "已办结", "closed"}, {0}};
static const struct term TIP[] = {
    {"building_works", "违规施工", "building works"},
    {"drainage", "排水", "drainage"},
    {"fire", "消防", "fire"},
    {"gas", "燃气", "gas"},
    {"illegal_parking", "违停", "illegal parking"},
    {"other", "其他", "other"},
    {"road_damage", "道路破损", "road damage"},
    {"rubbish", "垃圾", "rubbish"},
    {0},
};
static const struct term TIP_STATUS[] = {{"received", "已接收", "received"},
                                         {"accepted", "已受理", "accepted"},
                                         {"done", "已办结", "done"},
                                         {"rejected", "不予受理", "rejected"},
                                         {0}};
static const struct term SEVERITY[] = {{"1", "低", "low"},
                                       {"2", "一般", "moderate"},
                                       {"3", "较高", "serious"},
                                       {"4", "高", "high"},
                                       {0}};
static const struct term STATUS[] = {
    {"reported", "上报", "reported"},   {"accepted", "受理", "accepted"},
    {"dispatched", "分派", "assigned"}, {"resolved", "处置", "resolved"},
    {"verified", "核查", "verified"},   {0}};
static const struct term TARGET[] = {{"building", "建筑物", "building"},
                                     {"rental", "出租屋", "rental house"},
                                     {"premises", "三小场所", "small premises"},
                                     {0}};
static const struct term ROAD[] = {{"highway", "高速公路", "expressway"},
                                   {"trunk", "干线", "trunk road"},
                                   {"primary", "主干路", "primary road"},
                                   {"secondary", "次干路", "secondary road"},
                                   {"residential", "支路", "local street"},
                                   {0}};
static const struct term WATER[] = {
    {"canal", "运河", "canal"},
    {"lake", "湖泊", "lake"},
    {"reservoir", "水库", "reservoir"},
    {"river", "河流", "river"},
    {"sea", "海域", "sea"},
    {0},
};

static const struct column {
    const char *layer, *column;
    const struct term *term;
} COLUMN[] = {
    {"building", "use", USE},
    {"rental", "level", LEVEL},
    {"premises", "kind", PREMISES},
    {"premises", "fire_grade", GRADE},
    {"facility", "kind", FACILITY},
    {"business", "kind", BUSINESS},
    {"organisation", "kind", ORGANISATION},
    {"hazard", "severity", SEVERITY},
    {"hazard", "status", STATUS},
    {"hazard", "target_layer", TARGET},
    {"visit", "target_layer", TARGET},
    {"appeal", "kind", APPEAL},
    {"appeal", "channel", CHANNEL},
    {"appeal", "status", APPEAL_STATUS},
    {"tip", "kind", TIP},
    {"tip", "status", TIP_STATUS},
    {"road", "kind", ROAD},
    {"water", "kind", WATER},
};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

/* The first column of a layer from `c` on; NULL: none. */
static const struct column *column_of(const struct column *c, const char *layer)
{
    while (c < COLUMN + COLUMNS && strcmp(c->layer, layer) != 0) c++;
    return c < COLUMN + COLUMNS ? c : NULL;
}

/* A list of members being written; `first` of it. */
struct list {
    struct om_buf *out;
    bool first;
};

static void begin(struct list *l, const char *name)
{
    om_buf_addf(l->out, "%s\"%s\": {", l->first ? "" : ", ", name);
    l->first = true;
}

static void end(struct list *l)
{
    om_buf_add_text(l->out, "}");
    l->first = false;
}

static void add(struct list *l, const char *value, const char *title)
{
    om_buf_addf(l->out, "%s\"%s\": \"%s\"", l->first ? "" : ", ", value, title);
    l->first = false;
}

static void add_codes(struct list *l, const char *layer, bool english)
{
    for (const struct column *c = column_of(COLUMN, layer); c;
         c = column_of(c + 1, layer)) {
        begin(l, c->column);
        for (const struct term *t = c->term; t->code; t++)
            add(l, t->code, english ? t->en : t->zh);
        end(l);
    }
}

static void add_departments(struct list *l)
{
    for (size_t i = 0; i < OM__DEPARTMENTS; i++)
        add(l, OM__DEPARTMENT[i], OM__DEPARTMENT_EN[i]);
}

static void add_towns(struct list *l)
{
    for (size_t i = 0; i < OM__TOWNS; i++)
        add(l, OM__TOWN_FACT[i].name, OM__TOWN_FACT[i].name_en);
}

static void add_items(struct list *l)
{
    for (size_t i = 0; i < OM__OBJECTS; i++)
        add(l, OM__OBJECT[i].name, OM__OBJECT[i].name_en);
    for (size_t i = 0; i < OM__PROBLEMS; i++)
        add(l, OM__PROBLEM[i], OM__PROBLEM_EN[i]);
}

static void add_chinese(struct list *l, const char *layer)
{
    if (!strcmp(layer, "town")) {
        begin(l, "name");
        add_towns(l);
        end(l);
    }
    if (strcmp(layer, "hazard") != 0) return;
    begin(l, "department");
    add_departments(l);
    end(l);
    begin(l, "item");
    add_items(l);
    end(l);
    begin(l, "handler");
    add_towns(l);
    add_departments(l);
    end(l);
}

void om__add_titles(struct om_buf *out, const char *layer)
{
    const bool town = !strcmp(layer, "town");
    const bool codes = column_of(COLUMN, layer) != NULL;
    struct list l = {out, true};
    if (codes) {
        om_buf_add_text(out, ", \"value_titles\": {");
        add_codes(&l, layer, false);
        om_buf_add_text(out, "}");
    }
    if (!codes && !town) return;
    l.first = true;
    om_buf_add_text(out, ", \"value_titles_en\": {");
    add_codes(&l, layer, true);
    add_chinese(&l, layer);
    om_buf_add_text(out, "}");
}

const char *om__department_en(const char *department)
{
    static const char *const OTHER[][2] = {
        {"政法委网格中心", "Grid management centre"},
        {"组织", "Party organisation"},
        {"政务服务", "Government services"}};
    for (size_t i = 0; i < OM__DEPARTMENTS; i++)
        if (!strcmp(OM__DEPARTMENT[i], department)) return OM__DEPARTMENT_EN[i];
    for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER; i++)
        if (!strcmp(OTHER[i][0], department)) return OTHER[i][1];
    return "";
}
