// roles_text.c - the built-in roles; a synthetic city gets them as a file.
#include "data/city/roles_text.h"

const char OM_ROLES_TEXT[] =
    "{\"roles\": {\n"
    "  \"wall\": {\"layers\": [\"*\"], \"personal\": \"counts\", "
    "\"smallest_cell\": \"grid\",\n"
    "    \"smallest_count\": 10, \"rate_per_s\": 200},\n"
    "  \"analyst\": {\"layers\": [\"*\"], \"personal\": \"counts\", "
    "\"smallest_cell\": \"grid\",\n"
    "    \"smallest_count\": 10, \"rate_per_s\": 200, \"export\": true},\n"
    "  \"officer\": {\"layers\": [\"*\"], \"personal\": \"rows\", "
    "\"area\": [\"town\", \"village\"],\n"
    "    \"smallest_cell\": \"grid\", \"smallest_count\": 10, "
    "\"rate_per_s\": 200, \"export\": true},\n"
    "  \"ingest\": {\"layers\": [], \"personal\": \"none\", "
    "\"rate_per_s\": 5000, \"write\": [\"*\"]},\n"
    "  \"admin\": {\"layers\": [\"*\"], \"personal\": \"rows\", "
    "\"smallest_count\": 1,\n"
    "    \"export\": true, \"operate\": true, \"write\": [\"*\"]}\n"
    "}}\n";
