/* write_models.c - what is exposed in the city, and the risk models it ships.
 *
 * DESIGN
 * Four models, as a fire service or an analyst would state them. None is about
 * who people are: what counts is what was found, how grave it was, how long
 * ago, and the state of houses. Grades weigh 1, 3, 9, 27 because a grave fault
 * is not twice a light one. What is still open counts again. A report fades,
 * by a half-life of the time that such a fault takes to come back. Rates are
 * per what can burn or call, so that a crowded quarter is not red for being
 * crowded.
 *
 * Bandwidths grow as the city shrinks, so that a kernel holds enough houses
 * to speak of; what holds too few is unknown, and says so.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/file.h"
#include "data/city/roles_text.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define PATH_BYTES 4096
/* Metres at full scale, and the bounds at others. */
#define BANDWIDTH_M 800.0
#define BANDWIDTH_LEAST_M 300.0
#define BANDWIDTH_MOST_M 6000.0
#define BANDWIDTH_STEP_M 50.0
#define UNITS_LEAST 5.0

#define GRADES                                                         \
    "\"severity\": {\"column\": \"severity\", \"values\": {\"1\": 1, " \
    "\"2\": 3, \"3\": 9, \"4\": 27}}"
#define FIRE "department IN ('消防救援', '供电', '燃气')"

/* A "$" in a text is the bandwidth, times `wide`, a "#" behind it the units by
 * which small numbers are shrunk: some half of what a kernel holds on average.
 * On the city of full scale the reddest 5 % then hold half as many of next
 * month's events again, at a tenth less of them per house. */
static const struct model {
    const char *name;
    double wide, shrink;
    const char *text;
} MODEL[] = {
    {"rental_fire", 1.0, 100,
     "{\n"
     "  \"name\": \"rental_fire\",\n"
     "  \"title\": \"出租屋火灾风险\",\n"
     "  \"title_en\": \"Rental-house fire risk\",\n"
     "  \"about\": \"每千栋出租屋的消防、用电、燃气隐患(按风险等级加权,"
     "45 天减半),加上未处置的隐患、严管和禁租的房屋、市民火情报料。\",\n"
     "  \"about_en\": \"Fire, wiring and gas hazards found on rental houses, "
     "by grade, halved every 45 days, with those still open, houses under "
     "strict control, and citizens' tips of fire; per 1,000 rental houses.\",\n"
     "  \"version\": 1,\n"
     "  \"kernel\": \"quartic\",\n"
     "  \"bandwidth_m\": $,\n"
     "  \"terms\": [\n"
     "    {\"name\": \"found\", \"title\": \"查出的隐患\", \"title_en\": "
     "\"hazards found\",\n"
     "     \"layer\": \"hazard\", \"filter\": \"target_layer = 'rental' "
     "AND " FIRE "\",\n     " GRADES ", \"half_life_days\": 45},\n"
     "    {\"name\": \"open\", \"title\": \"未处置的隐患\", \"title_en\": "
     "\"hazards still open\",\n"
     "     \"layer\": \"hazard\", \"filter\": \"target_layer = 'rental' "
     "AND " FIRE "\",\n     \"until\": \"resolved\", " GRADES
     ", \"half_life_days\": 90, \"factor\": 2},\n"
     "    {\"name\": \"level\", \"title\": \"严管和禁租的房屋\", \"title_en\": "
     "\"houses under strict control\",\n"
     "     \"layer\": \"rental\", \"since\": \"level_since\", \"severity\": "
     "{\"column\": \"level\", "
     "\"values\": {\"warning\": 0.2, \"strict\": 1, \"prohibited\": 3}}},\n"
     "    {\"name\": \"tip\", \"title\": \"市民火情报料\", \"title_en\": "
     "\"citizens' tips of fire\",\n"
     "     \"layer\": \"tip\", \"filter\": \"kind = 'fire' AND status <> "
     "'rejected'\", \"half_life_days\": 30, \"factor\": 3}\n"
     "  ],\n"
     "  \"denominator\": {\"per\": \"house\", \"floor\": 10, \"shrink\": #, "
     "\"half_life_days\": 45}\n"
     "}\n"},
    {"small_premises", 1.0, 100,
     "{\n"
     "  \"name\": \"small_premises\",\n"
     "  \"title\": \"三小场所风险\",\n"
     "  \"title_en\": \"Small-premises risk\",\n"
     "  \"about\": \"每千家小商铺、小作坊、小娱乐场所的消防、用电、燃气和"
     "安全生产隐患(按风险等级加权,60 天减半),加上未处置的隐患和消防分级。\",\n"
     "  \"about_en\": \"Fire, wiring, gas and work-safety hazards found on "
     "shops, workshops and places of entertainment, by grade, halved every 60 "
     "days, with those still open and the fire grade; per 1,000 premises.\",\n"
     "  \"version\": 1,\n"
     "  \"kernel\": \"quartic\",\n"
     "  \"bandwidth_m\": $,\n"
     "  \"terms\": [\n"
     "    {\"name\": \"found\", \"title\": \"查出的隐患\", \"title_en\": "
     "\"hazards found\",\n"
     "     \"layer\": \"hazard\", \"filter\": \"target_layer = 'premises' AND "
     "department IN ('消防救援', '供电', '燃气', '应急管理')\",\n     " GRADES
     ", \"half_life_days\": 60},\n"
     "    {\"name\": \"open\", \"title\": \"未处置的隐患\", \"title_en\": "
     "\"hazards still open\",\n"
     "     \"layer\": \"hazard\", \"filter\": \"target_layer = 'premises' AND "
     "department IN ('消防救援', '供电', '燃气', '应急管理')\",\n     "
     "\"until\": \"resolved\", " GRADES
     ", \"half_life_days\": 90, \"factor\": 2},\n"
     "    {\"name\": \"grade\", \"title\": \"消防分级为丙丁的场所\", "
     "\"title_en\": \"premises of fire grade C and D\",\n"
     "     \"layer\": \"premises\", \"severity\": {\"column\": "
     "\"fire_grade\", \"values\": {\"C\": 0.5, \"D\": 2}}}\n"
     "  ],\n"
     "  \"denominator\": {\"per\": \"premises\", \"floor\": 10, \"shrink\": #, "
     "\"half_life_days\": 60}\n"
     "}\n"},
    {"appeals", 1.5, 3000,
     "{\n"
     "  \"name\": \"appeals\",\n"
     "  \"title\": \"民生诉求和市民报料\",\n"
     "  \"title_en\": \"Appeals and tips\",\n"
     "  \"about\": \"每千名居民的民生诉求和市民报料(60 天减半),"
     "未办结的诉求另计。\",\n"
     "  \"about_en\": \"Appeals and tips of the citizens, halved every 60 "
     "days, open appeals once more; per 1,000 residents.\",\n"
     "  \"version\": 1,\n"
     "  \"kernel\": \"quartic\",\n"
     "  \"bandwidth_m\": $,\n"
     "  \"terms\": [\n"
     "    {\"name\": \"appeal\", \"title\": \"民生诉求\", \"title_en\": "
     "\"appeals\", \"layer\": \"appeal\",\n"
     "     \"half_life_days\": 60},\n"
     "    {\"name\": \"open\", \"title\": \"未办结的诉求\", \"title_en\": "
     "\"appeals still open\", \"layer\": \"appeal\",\n"
     "     \"until\": \"closed\", \"half_life_days\": 60},\n"
     "    {\"name\": \"tip\", \"title\": \"市民报料\", \"title_en\": "
     "\"citizens' tips\", \"layer\": \"tip\",\n"
     "     \"filter\": \"status <> 'rejected'\", \"half_life_days\": 60, "
     "\"factor\": 0.5}\n"
     "  ],\n"
     "  \"denominator\": {\"per\": \"resident\", \"floor\": 100, \"shrink\": "
     "#}\n"
     "}\n"},
    {"overall", 1.0, 1000,
     "{\n"
     "  \"name\": \"overall\",\n"
     "  \"title\": \"总体风险\",\n"
     "  \"title_en\": \"Overall risk\",\n"
     "  \"about\": \"每千个标准地址的全部隐患(按风险等级加权,60 天减半)、"
     "未处置的隐患、民生诉求、严管和禁租的出租屋、消防分级为丙丁的场所。\",\n"
     "  \"about_en\": \"All hazards by grade, halved every 60 days, with those "
     "still open, appeals, rental houses under strict control and premises of "
     "fire grade C and D; per 1,000 addresses.\",\n"
     "  \"version\": 1,\n"
     "  \"kernel\": \"quartic\",\n"
     "  \"bandwidth_m\": $,\n"
     "  \"terms\": [\n"
     "    {\"name\": \"found\", \"title\": \"查出的隐患\", \"title_en\": "
     "\"hazards found\", \"layer\": \"hazard\",\n     " GRADES
     ", \"half_life_days\": 60},\n"
     "    {\"name\": \"open\", \"title\": \"未处置的隐患\", \"title_en\": "
     "\"hazards still open\", \"layer\": \"hazard\",\n"
     "     \"until\": \"resolved\", " GRADES
     ", \"half_life_days\": 90, \"factor\": 2},\n"
     "    {\"name\": \"appeal\", \"title\": \"民生诉求\", \"title_en\": "
     "\"appeals\", \"layer\": \"appeal\",\n"
     "     \"half_life_days\": 60, \"factor\": 3},\n"
     "    {\"name\": \"level\", \"title\": \"严管和禁租的出租屋\", "
     "\"title_en\": \"rental houses under strict control\",\n"
     "     \"layer\": \"rental\", \"since\": \"level_since\", \"severity\": "
     "{\"column\": \"level\", "
     "\"values\": {\"strict\": 2, \"prohibited\": 6}}},\n"
     "    {\"name\": \"grade\", \"title\": \"消防分级为丙丁的场所\", "
     "\"title_en\": \"premises of fire grade C and D\",\n"
     "     \"layer\": \"premises\", \"severity\": {\"column\": "
     "\"fire_grade\", \"values\": {\"C\": 0.5, \"D\": 2}}}\n"
     "  ],\n"
     "  \"denominator\": {\"per\": \"address\", \"floor\": 100, \"shrink\": #, "
     "\"half_life_days\": 60}\n"
     "}\n"},
};

void om__add_exposures(struct om_buf *out)
{
    om_buf_add_text(
        out,
        "  \"exposures\": {\n"
        "    \"address\": {\"layer\": \"address\", \"floor\": 100, "
        "\"title\": \"标准地址\", \"title_en\": \"addresses\",\n"
        "      \"unit\": \"每千个地址\", \"unit_en\": \"per 1,000 "
        "addresses\"},\n"
        "    \"resident\": {\"layer\": \"address\", \"weight\": "
        "\"residents\", \"floor\": 100, \"title\": \"居民\",\n"
        "      \"title_en\": \"residents\", \"unit\": \"每千名居民\", "
        "\"unit_en\": \"per 1,000 residents\"},\n"
        "    \"house\": {\"layer\": \"rental\", \"floor\": 10, \"title\": "
        "\"出租屋\", \"title_en\": \"rental houses\",\n"
        "      \"unit\": \"每千栋出租屋\", \"unit_en\": \"per 1,000 rental "
        "houses\"},\n"
        "    \"premises\": {\"layer\": \"premises\", \"floor\": 10, "
        "\"title\": \"三小场所\", \"title_en\": \"small premises\",\n"
        "      \"unit\": \"每千家三小场所\", \"unit_en\": \"per 1,000 small "
        "premises\"},\n"
        "    \"visit\": {\"layer\": \"visit\", \"windowed\": true, \"scale\": "
        "1, \"floor\": 10, \"title\": \"巡查\",\n"
        "      \"title_en\": \"visits\", \"unit\": \"每次巡查\", "
        "\"unit_en\": \"per visit\"}\n"
        "  },\n");
}

/* Metres, a round number. Houses within a kernel: as the area, times scale. */
static double bandwidth_m(double scale, double wide)
{
    const double m = wide * BANDWIDTH_M / cbrt(scale);
    const double round = nearbyint(m / BANDWIDTH_STEP_M) * BANDWIDTH_STEP_M;
    return fmin(fmax(round, BANDWIDTH_LEAST_M), BANDWIDTH_MOST_M);
}

/* Units that a kernel of that width holds half of. */
static double units(double scale, double full)
{
    return fmax(nearbyint(full * cbrt(scale)), UNITS_LEAST);
}

static om_status write_model(const struct om__city *city, const char *folder,
                             const struct model *model, struct om_err *err)
{
    char file[OM__NAME_BYTES + 8], path[PATH_BYTES];
    struct om_buf out = {0};
    const char *dollar = strchr(model->text, '$');
    const char *hash = strchr(dollar, '#');
    om_buf_add(&out, model->text, (size_t)(dollar - model->text));
    om_buf_addf(&out, "%g", bandwidth_m(city->scale, model->wide));
    om_buf_add(&out, dollar + 1, (size_t)(hash - dollar) - 1);
    om_buf_addf(&out, "%g", units(city->scale, model->shrink));
    om_buf_add_text(&out, hash + 1);
    snprintf(file, sizeof file, "%s.json", model->name);
    om_status st = out.status;
    if (!st) st = om_path_join(path, sizeof path, folder, file);
    if (!st) st = om_file_write_whole(path, out.bytes, out.len, err);
    om_buf_deinit(&out);
    return st;
}

/* Who may see what of the city: the built-in roles, as a file to begin with. */
static om_status write_roles(const struct om__city *city, struct om_err *err)
{
    char path[PATH_BYTES];
    OM_TRY(om_path_join(path, sizeof path, city->out, "roles.json"));
    return om_file_write_whole(path, OM_ROLES_TEXT, strlen(OM_ROLES_TEXT),
                               err);
}

om_status om__write_models(const struct om__city *city, struct om_err *err)
{
    char folder[PATH_BYTES];
    OM_TRY(om_path_join(folder, sizeof folder, city->out, "models"));
    OM_TRY(om_folder_make(folder, err));
    for (size_t i = 0; i < sizeof MODEL / sizeof *MODEL; i++)
        OM_TRY(write_model(city, folder, &MODEL[i], err));
    return write_roles(city, err);
}
