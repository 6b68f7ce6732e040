// write_publish.c - publish.json: what of the synthetic city may be public.
#include "data/base/file.h"
#include "data/synth/matters.h"
#include "data/synth/write_internal.h"

#define PATH_BYTES 4096

/* Places that anybody may know of, in the columns that say how to use them. */
static const char PLAN[] =
    "{\n"
    "  \"publish\": 1,\n"
    "  \"name\": \"东莞(合成) 公开版\",\n"
    "  \"name_en\": \"Dongguan (synthetic)\",\n"
    "  \"layers\": [\n"
    "    {\"layer\": \"town\", \"columns\": [\"id\", \"name\"], "
    "\"english\": \"name\"},\n"
    "    {\"layer\": \"village\", \"columns\": [\"id\", \"name\", \"town\"], "
    "\"english\": \"name\"},\n"
    "    {\"layer\": \"grid\", \"columns\": [\"id\", \"name\", \"village\", "
    "\"town\"]},\n"
    "    {\"layer\": \"service_centre\", \"columns\": [\"id\", \"name\", "
    "\"windows\", \"terminals\", \"items\", \"opening_hours\", \"phone\", "
    "\"matters\"], \"english\": \"name\"},\n"
    "    {\"layer\": \"organisation\", \"columns\": [\"id\", \"name\", "
    "\"kind\", \"phone\", \"opening_hours\"], \"english\": \"name\"},\n"
    "    {\"layer\": \"activity\", \"columns\": [\"id\", \"title\", "
    "\"organisation\", \"starts\", \"ends\", \"places\", \"signup_url\"], "
    "\"english\": \"title\"},\n"
    "    {\"layer\": \"road\", \"columns\": [\"id\", \"kind\", \"name\"], "
    "\"english\": \"name\"},\n"
    "    {\"layer\": \"water\", \"columns\": [\"id\", \"kind\", \"name\"], "
    "\"english\": \"name\"}\n"
    "  ],\n"
    "  \"english\": {\n" OM__PLACE_TERMS
    ",\n"
    "    \"党群服务中心\": \"Service Centre\", \"志愿服务队\": "
    "\"Volunteers\",\n"
    "    \"慈善互助会\": \"Charity and Mutual Aid\", \"长者之家\": "
    "\"Home for the Elderly\",\n"
    "    \"青年之家\": \"Youth Club\", \"文化站\": \"Culture Station\", "
    "\"健身协会\": \"Fitness Association\",\n"
    "    \"居民议事会\": \"Residents' Council\", \"技能培训中心\": "
    "\"Skills Training Centre\",\n"
    "    \"消防安全讲座\": \"Fire safety talk\", \"长者义诊\": "
    "\"Free check-up for the elderly\",\n"
    "    \"亲子阅读会\": \"Reading for parents and children\", "
    "\"技能培训班\": \"Skills course\",\n"
    "    \"社区运动会\": \"Community sports day\", \"邻里议事会\": "
    "\"Neighbours' meeting\",\n"
    "    \"青年交流会\": \"Youth exchange\", \"垃圾分类宣传\": "
    "\"Sorting waste: how and why\",\n"
    "    \"防诈骗宣讲\": \"How to avoid fraud\", \"用电安全检查\": "
    "\"Electrical safety check\",\n"
    "    \"书法班\": \"Calligraphy class\", \"就业招聘会\": "
    "\"Job fair\"\n  },\n"
    "  \"addresses\": \"address\",\n"
    "  \"statistics\": [\n"
    "    {\"topic\": \"hazard\", \"title\": \"问题隐患\", \"title_en\": "
    "\"Hazard reports\",\n"
    "     \"layer\": \"hazard\", \"unit\": \"grid\", \"periods\": "
    "[\"2023-04\", \"2023-05\"],\n"
    "     \"approved_by\": \"政法委网格中心\", \"approved_on\": "
    "\"2023-06-12\"},\n"
    "    {\"topic\": \"hazard_serious\", \"title\": \"较高及以上风险隐患\", "
    "\"title_en\": \"Serious hazard reports\",\n"
    "     \"layer\": \"hazard\", \"filter\": \"severity >= 3\", \"unit\": "
    "\"grid\", \"periods\": [\"2023-05\"],\n"
    "     \"approved_by\": \"政法委网格中心\", \"approved_on\": "
    "\"2023-06-12\"},\n"
    "    {\"topic\": \"tip\", \"title\": \"市民报料\", \"title_en\": "
    "\"Citizens' tips\",\n"
    "     \"layer\": \"tip\", \"unit\": \"village\", \"periods\": "
    "[\"2023-W24\", \"2023-W25\"],\n"
    "     \"approved_by\": \"政务服务\", \"approved_on\": "
    "\"2023-06-26\"}\n"
    "  ],\n"
    "  \"city\": {";

om_status om__write_publish(const struct om__city *city, struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf out = {0};
    om_buf_add_text(&out, PLAN);
    om__add_community(&out);
    om_buf_add_text(&out, "}\n}\n");
    om_status st = out.status;
    if (!st) st = om_path_join(path, sizeof path, city->out, "publish.json");
    if (!st) st = om_file_write_whole(path, out.bytes, out.len, err);
    om_buf_deinit(&out);
    return st;
}
