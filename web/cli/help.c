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
     "After the verb all take --quiet (no progress) and --help. Exit status: "
     "0 done,\n"
     "1 the work failed or found faults, 2 the command line is wrong.\n"},
    {"synth",
     "onemap synth OUT [--scale 1] [--seed 7] [--only LAYER,...] [--towns "
     "FILE]\n"
     "\n"
     "Write a synthetic city as open files: one a layer (LAYER.fgb or "
     "LAYER.csv),\n"
     "city.json to begin a city with, truth.json (what was planted, never "
     "imported)\n"
     "and dirt/ (small spoilt files); the last two only without --only.\n"
     "\n"
     "  --scale S      0.001 to 10; 1 is the full city\n"
     "  --seed N       another seed is another city; the same seed the same "
     "bytes\n"
     "  --only A,B     only these layers, with the bytes of the whole city\n"
     "  --towns FILE   outlines of the 33 towns (any vector file, WGS 84) "
     "instead of\n"
     "                 its own\n"},
    {"import",
     "onemap import CITY LAYER SOURCE [options]\n"
     "onemap import CITY --all FOLDER [--replace | --append]\n"
     "\n"
     "Bring a file that GDAL reads (or a CSV table) into a city as one layer, "
     "or all\n"
     "layers that the city.json of a folder names (as synth writes it) as one "
     "commit:\n"
     "all or nothing.\n"
     "\n"
     "  --as unit:LEVEL      polygons become a level of the city's units\n"
     "  --source-layer N     layer of the source, by name or number\n"
     "  --crs CRS            EPSG:4547, GCJ02, BD09 ...; default: what the "
     "file says,\n"
     "                       else WGS 84 if the coordinates can be degrees\n"
     "  --encoding NAME      GBK ...; default: recognised\n"
     "  --x FIELD --y FIELD  columns of a table that hold the position; "
     "default: those\n"
     "                       called x and y, lon and lat and the like, or WKT\n"
     "  --id FIELD           stable key of a row; default: id, fid, objectid, "
     "ogc_fid,\n"
     "                       gid, osm_id or @id, else the row's number\n"
     "  --time FIELD         the time that --time of queries uses; default: "
     "the first\n"
     "  --map COLUMN=FIELD   call a field otherwise (repeat for more); :TYPE "
     "behind it\n"
     "                       sets its type: text, category, integer, real, "
     "time,\n"
     "                       boolean\n"
     "  --replace            instead of the rows the layer has\n"
     "  --append             besides the rows the layer has (not for units)\n"
     "  --rejects FILE       rows not taken, as CSV: row, id, column, reason, "
     "value;\n"
     "                       default: CITY/rejects/LAYER-SEQUENCE.csv\n"
     "\n"
     "CGCS2000 is EPSG:4490, or 4547 and 4526 in metres; GCJ02 and BD09 are "
     "those of\n"
     "web maps. Times without a zone are the city's, dates as 2023-06-26 and "
     "as people\n"
     "write them. .gz and .zip are read as they are.\n"},
    {"info",
     "onemap info CITY [LAYER]\n"
     "\n"
     "The city: its layers with rows, bytes and titles, levels of units, 'data "
     "as of'.\n"
     "A layer: rows, geometry, extent, level of units, segments, bytes, "
     "columns.\n"},
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
     "  --time FROM/TO   half open; a date as TO includes that day, '..' is "
     "open;\n"
     "                   a date or month (2023-06) alone is all of it\n"
     "What:\n"
     "  --count  --sum COLUMN  --by UNIT|COLUMN|hour|day|month\n"
     "  --limit N        at most so many rows\n"
     "  --format geojson|csv|fgb|gpkg\n"
     "                   default: of FILE's name, else geojson for rows and "
     "csv for\n"
     "                   groups; a count or sum alone is printed bare; fgb and "
     "gpkg\n"
     "                   are for rows and need --out\n"},
    {"tile",
     "onemap tile CITY NAME Z/X/Y --out FILE [options]\n"
     "\n"
     "Write one tile; NAME is heat:LAYER, of a layer of points.\n"
     "\n"
     "  --scale 1|2                 256 or 512 pixels\n"
     "  --where CQL2  --time FROM/TO\n"
     "  --kernel quartic|gaussian   default quartic\n"
     "  --bandwidth M               10 to 20000 metres on the ground, default "
     "800\n"
     "  --weight COLUMN             a number; default: every row weighs 1\n"
     "  --palette dark|light        default dark\n"
     "  --format png                the only one\n"},
    {"serve",
     "onemap serve CITY [--listen 127.0.0.1:8080] [--config FILE] [--pages "
     "FOLDER]\n"
     "             [--url URL] [--threads N]\n"
     "\n"
     "Serve tiles, answers and pages over HTTP, on this machine only unless "
     "--listen\n"
     "says otherwise (port 0: any free one; the address is printed). --url is "
     "how\n"
     "clients reach the server where a proxy stands before it. --threads (2) "
     "answer\n"
     "requests. --pages is found beside the program if not given. --config is "
     "a JSON\n"
     "object with members listen, pages, url, threads, workers (2, for what "
     "takes\n"
     "long), cache_mib (256); the command line goes before it. Another process "
     "may\n"
     "import --replace meanwhile; stops on SIGTERM or SIGINT after the "
     "requests under\n"
     "way.\n"},
};

const char *om__help_of(const char *verb)
{
    for (size_t i = 0; i < sizeof HELP / sizeof *HELP; i++)
        if (!strcmp(HELP[i].verb, verb)) return HELP[i].text;
    return NULL;
}
