/* write_wall.c - what the synthetic city shows on its wall, and the sources
 * that it has not connected yet: the members "wall" and "awaited" of city.json.
 *
 * DESIGN
 * Pages know no layer by name: here the city says which of its layers and
 * columns are its register, its closed loop, its participation. web/pages/
 * wall/plan.js reads it and does without what is not said.
 */
#include "data/base/buf.h"
#include "data/synth/write_internal.h"

static const char WALL[] =
    "  \"wall\": {\n"
    "      \"map\": {\n"
    "        \"heat\": \"heat:overall\",\n"
    "        \"hazards\": {\"layer\": \"hazard\", \"filter\": "
    "\"severity >= 3 AND resolved IS NULL\", \"risk\": \"severity\", "
    "\"about\": \"item\"},\n"
    "        \"workers\": \"worker\",\n"
    "        \"tour\": {\"layer\": \"hazard\", \"days\": 28, \"each\": "
    "\"department\", \"exposure\": \"hazard\"}},\n"
    "      \"register\": [\n"
    "        {\"layer\": \"address\", \"sum\": \"residents\", "
    "\"title\": \"实有人口\", \"title_en\": \"Residents\"},\n"
    "        {\"layer\": \"address\"}, {\"layer\": \"building\"}, "
    "{\"layer\": \"facility\", \"title\": \"实有设施\", \"title_en\": "
    "\"Facilities\"}, {\"layer\": \"business\"},\n"
    "        {\"layer\": \"grid\"}, {\"layer\": \"worker\", \"title\": "
    "\"网格员\", \"title_en\": \"Grid workers\"}],\n"
    "      \"loop\": {\n"
    "        \"layer\": \"hazard\", \"title\": \"隐患闭环\", "
    "\"title_en\": \"Closed loop\", \"status\": \"status\",\n"
    "        \"steps\": [\n"
    "          {\"value\": \"reported\", \"title\": \"上报\", "
    "\"title_en\": \"Reported\", \"time\": \"reported\", \"waits\": "
    "\"待受理\", \"waits_en\": \"to accept\"},\n"
    "          {\"value\": \"accepted\", \"title\": \"受理\", "
    "\"title_en\": \"Accepted\", \"time\": \"accepted\", \"waits\": "
    "\"待分派\", \"waits_en\": \"to dispatch\"},\n"
    "          {\"value\": \"dispatched\", \"title\": \"分派\", "
    "\"title_en\": \"Dispatched\", \"time\": \"dispatched\", "
    "\"waits\": \"处置中\", \"waits_en\": \"in hand\"},\n"
    "          {\"value\": \"resolved\", \"title\": \"处置\", "
    "\"title_en\": \"Resolved\", \"time\": \"resolved\", \"waits\": "
    "\"待核查\", \"waits_en\": \"to verify\"},\n"
    "          {\"value\": \"verified\", \"title\": \"核查\", "
    "\"title_en\": \"Verified\", \"time\": \"verified\", \"waits\": "
    "\"已核查\", \"waits_en\": \"verified\"}],\n"
    "        \"done\": \"resolved\", \"due\": \"due\", \"by\": "
    "\"department\", \"about\": \"item\", \"risk\": \"severity\", "
    "\"unit\": \"宗\", \"unit_en\": \"reports\"},\n"
    "      \"participation\": [\n"
    "        {\"layer\": \"tip\", \"title\": \"人人拍\", \"title_en\": "
    "\"Citizens' tips\", \"unit\": \"条\"},\n"
    "        {\"layer\": \"appeal\", \"title\": \"民生诉求\", "
    "\"title_en\": \"Appeals\", \"unit\": \"件\", \"by\": \"channel\",\n"
    "         \"titles\": {\"hotline\": \"热线\", \"code\": \"扫码\", "
    "\"window\": \"窗口\"}}],\n"
    "      \"service\": [{\"layer\": \"service_centre\", \"unit\": "
    "\"个\"}, {\"layer\": \"service_centre\", \"sum\": \"windows\", "
    "\"title\": \"窗口\", \"title_en\": \"Windows\"},\n"
    "        {\"layer\": \"service_centre\", \"sum\": \"terminals\", "
    "\"title\": \"自助终端\", \"title_en\": \"Terminals\"}],\n"
    "      \"ranking\": {\n"
    "        \"by\": \"town\", \"layer\": \"hazard\", \"done\": "
    "\"resolved\", \"due\": \"due\",\n"
    "        \"per\": [{\"exposure\": \"visit\", \"scale\": 100, "
    "\"title\": \"每百次巡查\", \"title_en\": \"per 100 visits\"},\n"
    "          {\"exposure\": \"house\", \"scale\": 1000, \"title\": "
    "\"每千栋出租屋\", \"title_en\": \"per 1,000 houses\"}]},\n"
    "      \"replay_hours\": 24\n"
    "  },\n"
    "  \"awaited\": [\n"
    "    {\"title\": \"视频感知\", \"title_en\": \"Video sensing\", "
    "\"department\": \"公安\"},\n"
    "    {\"title\": \"消防物联网\", \"title_en\": \"Fire sensors\", "
    "\"department\": \"消防救援\"},\n"
    "    {\"title\": \"特种设备\", \"title_en\": \"Special "
    "equipment\", \"department\": \"市场监督管理\"}],\n";

void om__add_wall(struct om_buf *out)
{
    om_buf_add_text(out, WALL);
}
