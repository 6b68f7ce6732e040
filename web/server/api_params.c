// api_params.c - what parameters mean, by their names, for /api.
#include <string.h>

#include "web/server/api.h"
#include "web/server/item_ask.h"

#define LITERAL_(n) #n
#define LITERAL(n) LITERAL_(n)

static const struct om__api_param PARAM[] = {
    {"bbox",
     "\"type\":\"array\",\"minItems\":4,\"maxItems\":6,\"items\":{\"type\":"
     "\"number\"}",
     "Box: west, south, east, north, in degrees unless bbox-crs says "
     "otherwise. Rows that meet it are taken."},
    {"bbox-crs", "\"type\":\"string\",\"format\":\"uri\"",
     "Coordinate system of bbox, one that the collection lists."},
    {"crs", "\"type\":\"string\",\"format\":\"uri\"",
     "Coordinate system of the answer, one that the collection lists; GeoJSON "
     "follows its order of axes, files have east before north."},
    {"datetime", "\"type\":\"string\"",
     "A date, a month, a moment, or FROM/TO (ISO 8601; .. leaves a side "
     "open)."},
    {"limit",
     "\"type\":\"integer\",\"minimum\":1,\"maximum\":" LITERAL(
         OM__LIMIT_MAX) ",\"default\":" LITERAL(OM__LIMIT_DEFAULT),
     "Rows of a page. Larger numbers mean the largest; a sorted page has at "
     "most " LITERAL(OM__LIMIT_SORTED) " rows."},
    {"filter", "\"type\":\"string\"", "Condition in CQL2 text."},
    {"with_filter", "\"type\":\"string\"",
     "What a map is compared with: another condition in CQL2 text. Both have "
     "one "
     "legend, made from both."},
    {"with_datetime", "\"type\":\"string\"",
     "What a map is compared with: another period, as in datetime. Both have "
     "one legend, made from both."},
    {"form", "\"type\":\"string\",\"enum\":[\"fill\",\"lines\"]",
     "A heat map as areas, or as lines of equal value that leave what lies "
     "below to be read."},
    {"ramp", "\"type\":\"string\",\"enum\":[\"warm\",\"cool\"]",
     "Colours of a choropleth of numbers; cool below a heat map."},
    {"filter-lang",
     "\"type\":\"string\",\"enum\":[\"cql2-text\",\"cql-text\"],\"default\":"
     "\"cql2-text\"",
     "Language of filter."},
    {"filter-crs", "\"type\":\"string\",\"format\":\"uri\"",
     "Coordinate system of geometries in filter."},
    {"sortby", "\"type\":\"string\"",
     "Columns, comma-separated, each with + (rising, the default) or - before "
     "it. Rows without a value come last."},
    {"properties", "\"type\":\"string\"",
     "Columns of the answer, comma-separated."},
    {"next", "\"type\":\"string\"", "Where to go on: what the link gave."},
    {"by", "\"type\":\"string\"", "A unit, a column, or a step of time."},
    {"sum", "\"type\":\"string\"", "Column to sum."},
    {"share", "\"type\":\"string\"",
     "A filter: which part of the rows matches it too, with its 95 % "
     "interval."},
    {"series", "\"type\":\"string\",\"enum\":[\"day\"]",
     "Of each unit the counts or sums of every day, in one answer; not told of "
     "persons."},
    {"kernel",
     "\"type\":\"string\",\"enum\":[\"quartic\",\"gaussian\",\"epanechnikov\"]",
     "Kernel of a heat map."},
    {"bandwidth", "\"type\":\"number\",\"minimum\":10,\"maximum\":20000",
     "Where the kernel ends, metres on the ground; a Gaussian's sigma is a "
     "third "
     "of it."},
    {"weight", "\"type\":\"string\"", "Column that rows weigh."},
    {"cell", "\"type\":\"number\",\"minimum\":1,\"maximum\":10000",
     "Metres that a cell of a raster is wide; about a sixteenth of the "
     "bandwidth if it is not said."},
    {"halflife", "\"type\":\"number\",\"minimum\":0,\"exclusiveMinimum\":true",
     "Days after which a row counts half."},
    {"at", "\"type\":\"string\"",
     "The moment that half-lives are relative to; later rows do not count."},
    {"per", "\"type\":\"string\"",
     "area, or what the city says is exposed: address, resident, house, "
     "visit."},
    {"palette", "\"type\":\"string\",\"enum\":[\"dark\",\"light\"]",
     "Colours for a dark or a light page."},
    {"lon", "\"type\":\"number\",\"minimum\":-180,\"maximum\":180",
     "Longitude in degrees."},
    {"lat", "\"type\":\"number\",\"minimum\":-90,\"maximum\":90",
     "Latitude in degrees."},
    {"z", "\"type\":\"integer\",\"minimum\":0,\"maximum\":22", "Zoom."},
    {"x", "\"type\":\"integer\",\"minimum\":0", "Column of a tile."},
    {"y", "\"type\":\"integer\",\"minimum\":0", "Row of a tile."},
    {"tileMatrixSet",
     "\"type\":\"string\",\"enum\":[\"WebMercatorQuad\",\"CGCS2000Quad\"]",
     "A tile matrix set."},
    {"tileMatrix", "\"type\":\"string\"", "A tile matrix: the zoom."},
    {"tileRow", "\"type\":\"integer\",\"minimum\":0", "Row of a tile."},
    {"tileCol", "\"type\":\"integer\",\"minimum\":0", "Column of a tile."},
    {"extension",
     "\"type\":\"string\",\"enum\":[\"mvt\",\"pbf\",\"png\",\"days\"]",
     "Kind of the tile; y@2x.png is twice as fine. days: what lies in each "
     "cell on each day, of the density of a layer."},
    {"format",
     "\"type\":\"string\",\"enum\":[\"geojson\",\"csv\",\"fgb\",\"gpkg\"]",
     "Format of the file."},
    {"layer", "\"type\":\"string\"", "Name of a layer."},
    {"name", "\"type\":\"string\"",
     "Name of a map: a layer, a unit, or heat: and a layer or model."},
    {"id", "\"type\":\"string\"", "Id of a row."},
    {"style", "\"type\":\"string\",\"enum\":[\"light\",\"dark\"]",
     "Colours for a light or a dark page."},
    {"time", "\"type\":\"string\"", "all, a month, or a date."},
    {"i", "\"type\":\"integer\",\"minimum\":0,\"maximum\":255",
     "Column of a pixel."},
    {"j", "\"type\":\"integer\",\"minimum\":0,\"maximum\":255",
     "Row of a pixel."},
    {"v", "\"type\":\"integer\",\"minimum\":0",
     "Sequence of the data that is expected (Data-Sequence): if it is the "
     "present one, the answer may be kept for ever."},
    {"labels", "\"type\":\"string\",\"enum\":[\"yes\",\"no\"]",
     "Names on the base map."},
    {"lang", "\"type\":\"string\",\"enum\":[\"zh\",\"en\"]",
     "Language of words; on the base map en writes names in both, where they "
     "are known in English; the catalog has the units' names in it."},
    {"stat", "\"type\":\"string\"",
     "What is shown of a unit: count, sum or rate; which statistic of a "
     "hotspot."},
    {"column", "\"type\":\"string\"", "Column that is summed."},
    {"size", "\"type\":\"integer\",\"enum\":[256,512]",
     "Side of a picture in pixels."},
    {"file", "\"type\":\"string\"", "Name of a file."},
    {"folder", "\"type\":\"string\"", "Name of a folder."},
    {"kind",
     "\"type\":\"string\",\"enum\":[\"partition\",\"workload\",\"patrol\","
     "\"service\",\"site\"]",
     "Which question."},
    {"list", "\"type\":\"string\"",
     "Address of rows, /collections/LAYER/items?... or "
     "/coverage/patrol?rows=true&..."},
    {"units", "\"type\":\"string\"",
     "A level of units, hex:METRES or square:METRES."},
    {"exposure", "\"type\":\"string\"",
     "LAYER or LAYER:COLUMN that cases are divided by, in the same period if "
     "it has times; the layer itself: shares of all its rows."},
    {"rate", "\"type\":\"string\",\"enum\":[\"standard\",\"raw\",\"eb\"]",
     "Which rate is tested: in standard errors, as it is, or shrunk by "
     "empirical Bayes."},
    {"neighbours", "\"type\":\"string\"",
     "contiguity, rook, band:METRES or nearest:K."},
    {"step", "\"type\":\"string\"",
     "day, week, month or a number of days: slices of emerging hotspots, and "
     "how far back new ones are looked for."},
    {"compare", "\"type\":\"string\",\"enum\":[\"cube\",\"slice\"]",
     "Emerging hotspots: slices are compared with the whole period, or with "
     "themselves."},
    {"each", "\"type\":\"string\"",
     "A category column: each of its values is tested on its own, all "
     "corrected together."},
    {"floor", "\"type\":\"number\",\"minimum\":0",
     "Exposure below which a rate is unknown."},
    {"moments", "\"type\":\"string\",\"enum\":[\"conditional\",\"total\"]",
     "Moments by which local Moran's I is judged."},
    {"confidence", "\"type\":\"integer\",\"enum\":[90,95,99]",
     "Per cent from which on something counts as significant."},
    {"eps", "\"type\":\"number\"",
     "DBSCAN: metres within which points are neighbours."},
    {"min", "\"type\":\"integer\",\"minimum\":1",
     "DBSCAN: points within eps, itself counted, that make a core point."},
    {"month", "\"type\":\"string\"", "A month, YYYY-MM."},
    {"mode", "\"type\":\"string\"", "Way of going, a mode of city.json."},
    {"reach", "\"type\":\"number\"", "Metres to the nearest road."},
    {"q", "\"type\":\"string\",\"maxLength\":512",
     "What somebody typed: part of an address or a name, with wrong or missing "
     "characters, in pinyin, by initials, in English, or an id; or a kind of "
     "thing (消火栓, hydrants in Humen)."},
    {"k", "\"type\":\"integer\",\"minimum\":1", "How many."},
    {"layers", "\"type\":\"string\"", "Names of layers, comma-separated."},
    {"opacity", "\"type\":\"string\"",
     "Per cent, 0 to 100, of each of the layers, or one of all."},
    {"since", "\"type\":\"integer\",\"minimum\":0",
     "Sequence after which changes are told (Data-Sequence, or next of the "
     "answer before)."},
    {"minutes", "\"type\":\"number\"", "What is near, in minutes."},
    {"within", "\"type\":\"string\"",
     "A polygon as WKT or GeoJSON in degrees, longitude first, its sides "
     "straight on a web map: rows that lie in it; of /coverage/site what is "
     "near, in metres."},
    {"near", "\"type\":\"string\"",
     "LON,LAT in degrees, with radius: rows not farther away."},
    {"radius", "\"type\":\"number\",\"minimum\":1,\"maximum\":200000",
     "Metres on the ground around near."},
    {"Service", "\"type\":\"string\",\"enum\":[\"WMTS\"]",
     "The service. Keys in any case."},
    {"Request",
     "\"type\":\"string\",\"enum\":[\"GetCapabilities\",\"GetTile\","
     "\"GetFeatureInfo\"]",
     "The operation."},
    {"Version", "\"type\":\"string\",\"enum\":[\"1.0.0\"]", "The version."},
    {"Layer", "\"type\":\"string\"", "Name of a map."},
    {"Style", "\"type\":\"string\",\"enum\":[\"light\",\"dark\"]",
     "Colours for a light or a dark page."},
    {"Time", "\"type\":\"string\"", "all, a month, or a date."},
};

const struct om__api_param *om__api_param_at(size_t i)
{
    return i < sizeof PARAM / sizeof *PARAM ? &PARAM[i] : NULL;
}

const struct om__api_param *om__api_param(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof PARAM / sizeof *PARAM; i++)
        if (strlen(PARAM[i].name) == len && !memcmp(PARAM[i].name, name, len))
            return &PARAM[i];
    return NULL;
}
