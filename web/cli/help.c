// help.c - what `onemap help` prints, one text a verb.
#include <stddef.h>
#include <string.h>

#include "web/cli/verb.h"

static const struct {
    const char *verb, *text;
} HELP[] = {
    {"",
     "onemap - one city, one map: an index over millions of addresses that "
     "answers\n"
     "and draws.\n"
     "\n"
     "  onemap synth OUT                   the synthetic city as open files\n"
     "  onemap import CITY LAYER SOURCE    bring a file into a city\n"
     "  onemap import CITY --all FOLDER    every layer of a folder, as one "
     "commit\n"
     "  onemap info CITY [LAYER]           what a city holds\n"
     "  onemap verify CITY                 check every byte and every total\n"
     "  onemap query CITY LAYER            rows, counts and sums\n"
     "  onemap tile CITY NAME Z/X/Y        one tile to a file\n"
     "  onemap serve CITY                  tiles, answers and pages over HTTP\n"
     "  onemap help VERB                   more of one verb\n"
     "\n"
     "All verbs take --quiet (no progress) and --help. Exit status: 0 done, 1 "
     "the\n"
     "work failed or found faults, 2 the command line is wrong.\n"},
    {"synth",
     "onemap synth OUT [--scale 1] [--seed 7] [--only LAYER,...] [--towns "
     "FILE]\n"
     "\n"
     "Write a synthetic city as open files: one a layer (LAYER.fgb or "
     "LAYER.csv),\n"
     "city.json to begin a city with, truth.json (what was planted, never "
     "imported)\n"
     "and dirt/ (small spoilt files).\n"
     "\n"
     "  --scale S      0.001 to 10; 1 is the full city\n"
     "  --seed N       another seed is another city; the same seed the same "
     "bytes\n"
     "  --only A,B     only these layers\n"
     "  --towns FILE   town outlines to use instead of its own\n"},
    {"import",
     "onemap import CITY LAYER SOURCE [options]\n"
     "onemap import CITY --all FOLDER\n"
     "\n"
     "Bring a file that GDAL reads (or a CSV table) into a city as one layer, "
     "or all\n"
     "layers of a folder that synth or export wrote, as one commit: all or "
     "nothing.\n"
     "\n"
     "  --as unit:LEVEL      polygons become a level of the city's units\n"
     "  --source-layer N     layer of the source, by name or number\n"
     "  --crs CRS            EPSG:4547, GCJ02, BD09 ...; default: what the "
     "file says\n"
     "  --encoding NAME      GBK ...; default: recognised\n"
     "  --x FIELD --y FIELD  columns of a table that hold the position\n"
     "  --id FIELD           stable key of a row; default: id, or the row "
     "number\n"
     "  --time FIELD         the time that --time of queries uses\n"
     "  --map COLUMN=FIELD   name a column otherwise (repeat for more); only "
     "these\n"
     "                       and the id are taken then; COLUMN=FIELD:TYPE sets "
     "a type\n"
     "  --replace            instead of the rows the layer has\n"
     "  --append             besides the rows the layer has\n"
     "  --rejects FILE       rows not taken, as CSV: row, id, column, reason, "
     "value\n"},
    {"info",
     "onemap info CITY [LAYER]\n"
     "\n"
     "Layers with counts, extent, columns, units, bytes and 'data as of'.\n"},
    {"verify",
     "onemap verify CITY\n"
     "\n"
     "Check all checksums and the order, and compute all totals again from "
     "the\n"
     "columns. Exit status 1 and a clear word where something is off.\n"},
    {"query",
     "onemap query CITY LAYER [where] [what] [--out FILE]\n"
     "\n"
     "Where (one of):\n"
     "  --id ID  --bbox W,S,E,N  --within FILE|WKT\n"
     "  --near LON,LAT --radius M  --near LON,LAT --nearest K\n"
     "and\n"
     "  --where CQL2     e.g. \"severity >= 3 AND status = 'reported'\"\n"
     "  --time FROM/TO   half open; a date as TO includes that day\n"
     "What:\n"
     "  --count  --sum COLUMN  --by UNIT|COLUMN|hour|day|month\n"
     "  --format geojson|csv|fgb|gpkg  --limit N\n"},
    {"tile",
     "onemap tile CITY NAME Z/X/Y --out FILE [options]\n"
     "\n"
     "Write one tile; NAME is heat:LAYER.\n"
     "\n"
     "  --format png  --scale 2  --where CQL2  --time FROM/TO\n"
     "  --kernel quartic|gaussian  --bandwidth M  --weight COLUMN\n"
     "  --palette dark|light\n"},
    {"serve",
     "onemap serve CITY [--listen 127.0.0.1:8080] [--config FILE] [--pages "
     "FOLDER]\n"
     "             [--url URL] [--threads N]\n"
     "\n"
     "Serve tiles, answers and pages over HTTP, on this machine only unless "
     "--listen\n"
     "says otherwise (port 0: any free one; the address is printed). --url is "
     "how\n"
     "clients reach the server where a proxy stands before it. --config is a "
     "JSON\n"
     "object with members listen, pages, url, threads, workers, cache_mib. "
     "Another\n"
     "process may import --replace meanwhile; stops on SIGTERM or SIGINT after "
     "the\n"
     "requests under way.\n"},
};

const char *om__help_of(const char *verb)
{
    for (size_t i = 0; i < sizeof HELP / sizeof *HELP; i++)
        if (!strcmp(HELP[i].verb, verb)) return HELP[i].text;
    return NULL;
}
