// write_manifest.c - city.json to begin a city with, and truth.json.
#include <stdio.h>
#include <string.h>

#include "data/base/file.h"
#include "data/model/time.h"
#include "data/synth/events.h"
#include "data/synth/matters.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define PATH_BYTES 4096

/* Types of columns, one letter before the name: t text, c category,
 * i integer, d time, b boolean. */
static const struct layer {
    const char *name, *title, *title_en, *extension, *geometry, *time;
    const char *unit_level, *department, *rhythm, *columns;
} LAYER[] = {
    {"town", "镇街(园区)", "Town", "fgb", "polygon", "", "town", "民政",
     "yearly", "tid,tname"},
    {"village", "村(社区)", "Village", "fgb", "polygon", "", "village", "民政",
     "yearly", "tid,tname,ctown"},
    {"grid", "综合网格", "Management grid", "fgb", "polygon", "", "grid",
     "政法委网格中心", "monthly", "tid,tcode,tname,cvillage,ctown"},
    {"building", "建筑物", "Building", "fgb", "polygon", "", "", "自然资源",
     "monthly", "tid,cuse,ifloors,ibuilt,iresidents"},
    {"address", "标准地址", "Standard address", "csv", "point", "", "", "公安",
     "daily", "tid,ttext,tbuilding,iresidents"},
    {"rental", "出租屋", "Rental house", "csv", "point", "", "", "公安",
     "daily",
     "tid,tbuilding,taddress,clevel,dlevel_since,bmodel_house,iresidents"},
    {"premises", "三小场所", "Small premises", "csv", "point", "", "",
     "消防救援", "daily", "tid,tname,tbuilding,ckind,cfire_grade,iresidents"},
    {"facility", "实有设施", "Facility", "csv", "point", "", "", "城市管理",
     "weekly", "tid,ckind"},
    {"business", "市场主体", "Business", "csv", "point", "", "", "市场监督管理",
     "daily", "tid,tname,ckind,dopened"},
    {"service_centre", "党群服务中心", "Service centre", "csv", "point", "", "",
     "组织", "monthly",
     "tid,tname,iwindows,iterminals,istaff,iitems,topening_hours,tphone,"
     "tmatters"},
    {"organisation", "社会组织", "Organisation", "csv", "point", "", "", "民政",
     "monthly", "tid,tname,ckind,tphone,topening_hours"},
    {"activity", "活动", "Activity", "csv", "point", "starts", "", "民政",
     "daily", "tid,ttitle,torganisation,dstarts,dends,iplaces,tsignup_url"},
    {"worker", "网格管理员", "Grid worker", "csv", "point", "seen", "",
     "政法委网格中心", "live", "tid,cduty_grid,dseen"},
    {"hazard", "问题隐患", "Hazard", "csv", "point", "reported", "",
     "政法委网格中心", "live",
     "tid,cdepartment,citem,iseverity,cstatus,dreported,daccepted,ddispatched,"
     "dresolved,dverified,ddue,ireturned,chandler,ctarget_layer,ttarget_id,"
     "cworker"},
    {"visit", "巡查", "Visit", "csv", "point", "at", "", "政法委网格中心",
     "live", "tid,ctarget_layer,ttarget_id,cworker,dat,ichecks_done,ifound"},
    {"check", "人口核查", "Population check", "csv", "point", "", "", "公安",
     "monthly", "tid,cworker,cmonth,icount"},
    {"appeal", "民生诉求", "Appeal", "csv", "point", "opened", "", "政务服务",
     "daily", "tid,ckind,cchannel,cstatus,dopened,dclosed"},
    {"tip", "市民报料", "Tip", "csv", "point", "at", "", "政务服务", "live",
     "tid,ckind,cstatus,dat"},
    {"road", "道路", "Road", "fgb", "line", "", "", "交通运输", "yearly",
     "tid,ckind,tname"},
    {"water", "水域", "Water", "fgb", "polygon", "", "", "水务", "yearly",
     "tid,ckind,tname"},
};
#define LAYERS (sizeof LAYER / sizeof *LAYER)

static const char *type_of(char letter)
{
    switch (letter) {
        case 'c':
            return "category";
        case 'i':
            return "integer";
        case 'd':
            return "time";
        case 'b':
            return "boolean";
        default:
            return "text";
    }
}

static void add_columns(struct om_buf *out, const char *columns)
{
    for (const char *at = columns; *at;) {
        const size_t len = strcspn(at, ",");
        om_buf_addf(out, "%s\n      {\"name\": \"%.*s\", \"type\": \"%s\"}",
                    at == columns ? "" : ",", (int)len - 1, at + 1,
                    type_of(*at));
        at += len + (at[len] == ',');
    }
}

/* What a row is called in a sentence: "41 reports". */
static void add_counted(struct om_buf *out, const char *layer)
{
    static const struct {
        const char *layer, *counted, *counted_en;
    } COUNTED[] = {
        {"hazard", "条上报", "reports"},
        {"visit", "次巡查", "visits"},
        {"appeal", "件诉求", "appeals"},
        {"tip", "条报料", "tips"},
        {"rental", "栋出租屋", "rental houses"},
        {"premises", "家三小场所", "small premises"},
        {"facility", "个设施", "facilities"},
        {"business", "家市场主体", "businesses"},
        {"address", "条地址", "addresses"},
        {"worker", "名网格管理员", "workers"},
        {"organisation", "个社会组织", "organisations"},
        {"activity", "场活动", "activities"},
        {"check", "次核查", "checks"},
        {"service_centre", "个服务中心", "service centres"},
    };
    for (size_t i = 0; i < sizeof COUNTED / sizeof *COUNTED; i++)
        if (!strcmp(COUNTED[i].layer, layer))
            om_buf_addf(out, ", \"counted\": \"%s\", \"counted_en\": \"%s\"",
                        COUNTED[i].counted, COUNTED[i].counted_en);
}

/* Level of protection: what a city would let out, keep inside, or give to
 * those in charge only (single addresses, levels of houses, tracks). */
static void add_class(struct om_buf *out, const char *layer)
{
    static const char *const PUBLIC[] = {
        "town",     "village", "service_centre", "organisation",
        "activity", "road",    "water"};
    static const char *const RESTRICTED[] = {"address", "rental", "premises",
                                             "worker",  "visit",  "check"};
    const char *class = "internal";
    for (size_t i = 0; i < sizeof PUBLIC / sizeof *PUBLIC; i++)
        if (!strcmp(layer, PUBLIC[i])) class = "public";
    for (size_t i = 0; i < sizeof RESTRICTED / sizeof *RESTRICTED; i++)
        if (!strcmp(layer, RESTRICTED[i])) class = "restricted";
    om_buf_addf(out, ", \"class\": \"%s\"", class);
    // Where somebody is and was, and what a single one has done, is nobody's
    // business but of those in charge; a visit tells the level of its house,
    // too, which is owed so many a month.
    if (!strcmp(layer, "worker") || !strcmp(layer, "visit") ||
        !strcmp(layer, "check"))
        om_buf_add_text(out, ", \"personal\": true");
    // Rows that are many may be one person's doing.
    if (!strcmp(layer, "visit") || !strcmp(layer, "check"))
        om_buf_add_text(out, ", \"person\": \"worker\"");
    if (!strcmp(layer, "check"))
        om_buf_add_text(out,
                        ", \"tells\": {\"by\": [\"month\"], \"sum\": "
                        "[\"count\"], \"share\": \"count >= 50\"}");
    if (!strcmp(layer, "activity")) om_buf_add_text(out, ", \"planned\": true");
    // What many have alike may be counted by; whose it is may not.
    static const struct {
        const char *layer, *columns, *kinds;
    } PERSONAL[] = {
        {"address", "\"residents\"", "\"residents\""},
        {"building", "\"residents\"", "\"residents\""},
        {"rental", "\"level\", \"level_since\", \"residents\"",
         "\"level\", \"level_since\", \"residents\""},
        {"premises", "\"residents\"", "\"residents\""},
        {"hazard", "\"worker\"", ""},
        {"visit", "\"worker\", \"target_id\"", ""},
        {"check", "\"worker\"", ""},
    };
    for (size_t i = 0; i < sizeof PERSONAL / sizeof *PERSONAL; i++)
        if (!strcmp(layer, PERSONAL[i].layer))
            om_buf_addf(out, ", \"personal_columns\": [%s], \"kinds\": [%s]",
                        PERSONAL[i].columns, PERSONAL[i].kinds);
}

static void add_layer(struct om_buf *out, const struct layer *layer, bool first)
{
    om_buf_addf(out,
                "%s\n    {\"name\": \"%s\", \"title\": \"%s\", \"title_en\": "
                "\"%s\", \"source\": \"%s.%s\", \"geometry\": \"%s\", "
                "\"id\": \"id\", \"time\": \"%s\", \"unit_level\": \"%s\", "
                "\"department\": \"%s\", \"department_en\": \"%s\", "
                "\"rhythm\": \"%s\", \"columns\": [",
                first ? "" : ",", layer->name, layer->title, layer->title_en,
                layer->name, layer->extension, layer->geometry, layer->time,
                layer->unit_level, layer->department,
                om__department_en(layer->department), layer->rhythm);
    add_columns(out, layer->columns);
    om_buf_add_text(out, "]");
    add_counted(out, layer->name);
    om__add_looks(out, layer->name);
    om__add_titles(out, layer->name);
    om__add_words(out, layer->name);
    add_class(out, layer->name);
    om_buf_add_text(out, "}");
}

/* Who is owed how many visits a month. The levels' 1 to 4 are of the public
 * record; that a small place is owed one, and the weights, are ours. */
static void add_duty(struct om_buf *out)
{
    om_buf_add_text(
        out,
        "  \"duty\": {\n"
        "    \"targets\": [\n"
        "      {\"layer\": \"rental\", \"level\": \"level\", \"since\": "
        "\"level_since\",\n"
        "       \"address\": {\"column\": \"address\", \"layer\": "
        "\"address\", \"text\": \"text\"},\n"
        "       \"tables\": [{\"from\": \"2023-01-01\", \"visits\": "
        "{\"lenient\": 1, \"warning\": 2, \"strict\": 3, \"prohibited\": "
        "4}}],\n"
        "       \"risk\": {\"lenient\": 1, \"warning\": 2, \"strict\": 4, "
        "\"prohibited\": 8}},\n"
        "      {\"layer\": \"premises\", \"level\": \"fire_grade\", "
        "\"label\": \"name\",\n"
        "       \"tables\": [{\"from\": \"2023-01-01\", \"visits\": "
        "{\"A\": 1, \"B\": 1, \"C\": 1, \"D\": 1}}],\n"
        "       \"risk\": {\"A\": 1, \"B\": 2, \"C\": 4, \"D\": 8}}],\n"
        "    \"visits\": {\"layer\": \"visit\", \"target_layer\": "
        "\"target_layer\", \"target\": \"target_id\", \"at\": \"at\"},\n"
        "    \"workers\": {\"layer\": \"worker\", \"unit\": "
        "\"duty_grid\", \"level\": \"grid\"},\n"
        "    \"checks\": {\"layer\": \"check\", \"worker\": \"worker\", "
        "\"month\": \"month\", \"count\": \"count\", \"norm\": 50},\n"
        "    \"reports\": {\"layer\": \"hazard\", \"worker\": "
        "\"worker\"},\n"
        "    \"loads\": [{\"name\": \"addresses\", \"title\": \"地址\", "
        "\"layer\": "
        "\"address\"}, {\"name\": \"residents\", \"title\": \"居民\", "
        "\"layer\": "
        "\"address\", \"sum\": \"residents\"}]},\n"
        "  \"audit\": {\"layers\": [\"address\", \"building\", "
        "\"rental\", \"premises\", \"facility\", \"business\"]},\n");
}

static void add_wishes(const struct om__city *city, struct om_buf *out)
{
    const uint64_t n = city->villages;
    for (uint64_t v = 0; v < n; v++) {
        const uint64_t from =
            om__jittered(city->seed, OM__FOR_WISH, v, n, city->count.wish, 0.8);
        const uint64_t upto = om__jittered(city->seed, OM__FOR_WISH, v + 1, n,
                                           city->count.wish, 0.8);
        om_buf_addf(out, "%s\n    \"%s\": %llu", v ? "," : "",
                    city->village[v].code, (unsigned long long)(upto - from));
    }
}

static om_status layer_file(const struct om__city *city,
                            const struct layer *layer, char *path, size_t room)
{
    char file[OM__NAME_BYTES + 8];
    snprintf(file, sizeof file, "%s.%s", layer->name, layer->extension);
    return om_path_join(path, room, city->out, file);
}

/* Centres, whom they serve, and how one gets there. Speeds are usual ones: a
 * walker's 4.8 km/h, an e-bike's 15 km/h on average. */
static void add_service(struct om_buf *out)
{
    om_buf_add_text(
        out,
        "  \"service\": {\n    \"layer\": \"service_centre\", "
        "\"capacity\": \"windows\",\n"
        "    \"population\": {\"layer\": \"address\", \"weight\": "
        "\"residents\", \"name\": \"residents\", \"name_zh\": "
        "\"居民\"},\n"
        "    \"roads\": {\"layer\": \"road\", \"crossings\": \"join\", "
        "\"reach_m\": 300},\n    \"water\": \"water\",\n"
        "    \"modes\": {\n      \"walk\": {\"m_per_min\": 80, \"roads\": "
        "\"kind <> 'highway'\", \"name\": \"on foot\", \"name_zh\": "
        "\"步行\"},\n"
        "      \"ebike\": {\"m_per_min\": 250, \"roads\": \"kind <> "
        "'highway'\", \"name\": \"by e-bike\", \"name_zh\": "
        "\"骑电动车\"}},\n"
        "    \"straight_factor\": 1.3, \"limits_m\": [500, 1000], "
        "\"minutes\": 10},\n");
}

/* What can be searched, in the order in which equals are answered. */
static void add_search(struct om_buf *out)
{
    static const char *const NAMED[][2] = {
        {"town", "name"},         {"village", "name"},
        {"grid", "name"},         {"road", "name"},
        {"water", "name"},        {"service_centre", "name"},
        {"organisation", "name"}, {"address", "text"},
        {"premises", "name"},     {"business", "name"},
        {"activity", "title"}};
    om_buf_add_text(out, "  \"search\": [");
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        om_buf_addf(out, "%s\n    {\"layer\": \"%s\", \"column\": \"%s\"",
                    i ? "," : "", NAMED[i][0], NAMED[i][1]);
        if (!strcmp(NAMED[i][0], "address"))
            om_buf_add_text(out,
                            ", \"group\": \"building\", "
                            "\"group_layer\": \"building\"");
        om_buf_add_text(out, "}");
    }
    om_buf_add_text(out, "],\n");
}

om_status om__write_manifest(const struct om__city *city, struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf out = {0};
    om_buf_add_text(&out,
                    "{\n  \"onemap\": 1,\n  \"name\": \"东莞(合成)\",\n"
                    "  \"name_en\": \"Dongguan (synthetic)\",\n"
                    "  \"synthetic\": true,\n  \"license\": \"CC0-1.0\",\n  "
                    "\"zone\": \"+08:00\",\n"
                    "  \"clock\": \"2023-06-26T24:00:00+08:00\",\n"
                    "  \"crs\": \"EPSG:4547\",\n"
                    "  \"levels\": [\"grid\", \"village\", \"town\"],\n");
    add_duty(&out);
    om_buf_add_text(&out,
                    "  \"positions\": {\"layer\": \"worker\", \"seen\": "
                    "\"seen\", \"retention_days\": 2},\n");
    om__add_exposures(&out);
    add_service(&out);
    om_buf_add_text(&out, "  ");
    om__add_community(&out);
    om_buf_add_text(&out, ",\n");
    om__add_wall(&out);
    add_search(&out);
    om_buf_add_text(&out, "  \"english\": {\n" OM__PLACE_TERMS "\n  },\n");
    om_buf_addf(&out, "  \"scale\": %g,\n  \"seed\": %llu,\n  \"wishes\": {",
                city->scale, (unsigned long long)city->seed);
    add_wishes(city, &out);
    om_buf_add_text(&out, "},\n  \"layers\": [");
    bool first = true;
    om_status st = OM_OK;
    for (size_t i = 0; i < LAYERS && !st; i++) {
        st = layer_file(city, &LAYER[i], path, sizeof path);
        if (st || !om_file_exists(path)) continue;
        add_layer(&out, &LAYER[i], first);
        first = false;
    }
    om_buf_add_text(&out, "]\n}\n");
    if (!st) st = out.status;
    if (!st) st = om_path_join(path, sizeof path, city->out, "city.json");
    if (!st) st = om_file_write_whole(path, out.bytes, out.len, err);
    om_buf_deinit(&out);
    return st;
}

bool om__layer_known(const char *name, size_t len)
{
    for (size_t i = 0; i < LAYERS; i++)
        if (strlen(LAYER[i].name) == len && !memcmp(LAYER[i].name, name, len))
            return true;
    return false;
}

static void add_hotspot(const struct om__city *city, struct om_buf *out, int k,
                        uint64_t planted)
{
    const struct om__hotspot *spot = &city->hotspot[k];
    const struct om__corner at = om__plane_corner(spot->at);
    const struct om__grid *grid =
        &city->grid[om__grid_of_house(city, spot->house[0])];
    char from[OM_TIME_TEXT_BYTES], to[OM_TIME_TEXT_BYTES];
    om_time_format(spot->from_s, OM_TIME_ZONE_S, from);
    om_time_format(spot->to_s, OM_TIME_ZONE_S, to);
    om_buf_addf(out,
                "%s\n    {\"lon\": %.7f, \"lat\": %.7f, \"radius_m\": %.0f, "
                "\"from\": \"%s\", \"to\": \"%s\", \"emerging\": %s, "
                "\"department\": \"%s\", \"object\": \"%s\", \"grid\": \"%s\", "
                "\"reports\": %llu}",
                k ? "," : "", at.lon_e7 * 1e-7, at.lat_e7 * 1e-7,
                spot->radius_m, from, to, spot->emerging ? "true" : "false",
                OM__DEPARTMENT[OM__OBJECT[spot->object].department],
                OM__OBJECT[spot->object].name, grid->code,
                (unsigned long long)planted);
}

om_status om__write_truth(const struct om__city *city, struct om_err *err)
{
    uint64_t planted[OM__HOTSPOTS] = {0};
    for (uint64_t i = 0; i < city->count.hazard; i++) {
        struct om__hazard h;
        om__hazard_get(city, i, &h);
        if (h.hotspot >= 0) planted[h.hotspot]++;
    }
    struct om_buf out = {0};
    om_buf_add_text(&out,
                    "{\n  \"note\": \"What was planted. Never imported: "
                    "analysis is checked against it.\",\n  \"hotspots\": [");
    for (int k = 0; k < OM__HOTSPOTS && !city->plain; k++)
        add_hotspot(city, &out, k, planted[k]);
    om_buf_add_text(&out, "],\n  \"walk\": {");
    // The bias: reports grow with it, and so do visits.
    for (uint32_t g = 0; g < city->grids; g++)
        om_buf_addf(&out, "%s\n    \"%s\": %.3f", g ? "," : "",
                    city->grid[g].code, (double)city->grid[g].walk);
    om_buf_add_text(&out, "}\n}\n");
    char path[PATH_BYTES];
    om_status st = out.status;
    if (!st) st = om_path_join(path, sizeof path, city->out, "truth.json");
    if (!st) st = om_file_write_whole(path, out.bytes, out.len, err);
    om_buf_deinit(&out);
    return st;
}
