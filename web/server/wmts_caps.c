/* wmts_caps.c - the capabilities of WMTS 1.0.0 (OGC 07-057r7).
 *
 * EPSG:4490 is offered twice, because clients disagree about its axes: with
 * the URN the corner is latitude, longitude (GDAL, OpenLayers, QGIS), with the
 * plain code longitude, latitude (tools made for Tianditu). Both are the same
 * tiles.
 */
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "web/server/documents.h"
#include "web/server/reply.h"
#include "web/server/tile_maker.h"
#include "web/server/wmts.h"

const char *const om__wmts_style[OM__WMTS_STYLES] = {"light", "dark"};

static const struct om__wmts_set SET[] = {
    {"WebMercatorQuad", "urn:ogc:def:crs:EPSG::3857",
     "-20037508.342789244 20037508.342789244",
     "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible", NULL},
    {"CGCS2000Quad", "urn:ogc:def:crs:EPSG::4490", "90 -180", NULL, NULL},
    {"EPSG:4490", "EPSG:4490", "-180 90", NULL, NULL},
};
#define SETS (sizeof SET / sizeof *SET)

bool om__wmts_set_at(size_t i, struct om__wmts_set *out)
{
    if (i >= SETS) return false;
    *out = SET[i];
    out->set = om__matrix_set_at(i ? 1 : 0);
    return true;
}

const struct om__matrix_set *om__wmts_set_find(const char *id)
{
    struct om__wmts_set set;
    if (!strcmp(id, "GoogleMapsCompatible")) id = SET[0].id;
    for (size_t i = 0; om__wmts_set_at(i, &set); i++)
        if (!strcmp(set.id, id)) return set.set;
    return NULL;
}

void om__xml_add(struct om_buf *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '&')
            om_buf_add_text(out, "&amp;");
        else if (c == '<')
            om_buf_add_text(out, "&lt;");
        else if (c == '>')
            om_buf_add_text(out, "&gt;");
        else if (c == '"')
            om_buf_add_text(out, "&quot;");
        else if (c >= 0x20 || c == '\t' || c == '\n')
            om_buf_add_byte(out, c);
    }
}

static void add_base(const struct om__request *r, struct om_buf *out)
{
    struct om_buf url = {0};
    om__add_base_url(r, &url);
    om_buf_add_byte(&url, '\0');
    if (url.status)
        out->status = url.status;
    else
        om__xml_add(out, (const char *)url.bytes);
    om_buf_deinit(&url);
}

static void add_get(const struct om__request *r, const char *path,
                    const char *encoding, struct om_buf *out)
{
    om_buf_add_text(out, "<ows:Get xlink:href=\"");
    add_base(r, out);
    om_buf_addf(out,
                "%s\"><ows:Constraint name=\"GetEncoding\"><ows:AllowedValues>"
                "<ows:Value>%s</ows:Value></ows:AllowedValues>"
                "</ows:Constraint></ows:Get>",
                path, encoding);
}

static void add_service(const struct om__request *r, struct om_buf *out)
{
    static const char *const OPERATION[] = {"GetCapabilities", "GetTile",
                                            "GetFeatureInfo"};
    const struct om_manifest *city = r->snapshot->manifest;
    om_buf_add_text(out, "<ows:ServiceIdentification><ows:Title>");
    om__xml_add(out, city->name[0] ? city->name : "onemap");
    om_buf_add_text(out, "</ows:Title>");
    if (city->synthetic)
        om_buf_add_text(out,
                        "<ows:Abstract>合成数据 synthetic data"
                        "</ows:Abstract>");
    om_buf_add_text(out,
                    "<ows:ServiceType>OGC WMTS</ows:ServiceType>"
                    "<ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion>"
                    "</ows:ServiceIdentification>\n<ows:OperationsMetadata>");
    for (size_t i = 0; i < 3; i++) {
        om_buf_addf(out, "\n<ows:Operation name=\"%s\"><ows:DCP><ows:HTTP>",
                    OPERATION[i]);
        add_get(r, "/wmts?", "KVP", out);
        add_get(r, i ? "/wmts/1.0.0/" : "/wmts/1.0.0/WMTSCapabilities.xml",
                "RESTful", out);
        om_buf_add_text(out, "</ows:HTTP></ows:DCP></ows:Operation>");
    }
    om_buf_add_text(out, "</ows:OperationsMetadata>\n");
}

/* Months from the first to the last row. */
static void add_time(const struct om__request *r, const struct om_layer *layer,
                     struct om_buf *out)
{
    int64_t from_s, to_s, year, last_year;
    unsigned month, last_month, day;
    if (!om__layer_times(layer, &from_s, &to_s)) return;
    const int32_t zone_s = r->snapshot->manifest->zone_s;
    const int64_t day_s = 86400;
    om_time_date((from_s + zone_s) / day_s, &year, &month, &day);
    om_time_date((to_s + zone_s) / day_s, &last_year, &last_month, &day);
    om_buf_add_text(out,
                    "<Dimension><ows:Identifier>Time</ows:Identifier>"
                    "<ows:UOM>ISO8601</ows:UOM><Default>" OM__WMTS_ALL
                    "</Default><Value>" OM__WMTS_ALL "</Value>");
    for (int i = 0; i < OM__WMTS_MONTHS; i++) {
        if (year > last_year || (year == last_year && month > last_month))
            break;
        om_buf_addf(out, "<Value>%04lld-%02u</Value>", (long long)year, month);
        year += month == 12;
        month = month % 12 + 1;
    }
    om_buf_add_text(out, "</Dimension>");
}

static void add_resource(const struct om__request *r, const struct om__map *map,
                         const char *type, const char *format, const char *rest,
                         bool time, struct om_buf *out)
{
    om_buf_addf(out,
                "<ResourceURL format=\"%s\" resourceType=\"%s\" template=\"",
                format, type);
    add_base(r, out);
    om_buf_add_text(out, "/wmts/1.0.0/");
    om__xml_add(out, map->name);
    om_buf_addf(out, "/{Style}%s/{TileMatrixSet}/{TileMatrix}/{TileRow}/%s\"/>",
                time ? "/{Time}" : "", rest);
}

static void add_style(const struct om__request *r, const struct om__map *map,
                      int i, struct om_buf *out)
{
    om_buf_addf(out, "<Style%s><ows:Identifier>%s</ows:Identifier>",
                i ? "" : " isDefault=\"true\"", om__wmts_style[i]);
    if (map->layer) {
        om_buf_add_text(out, "<LegendURL format=\"image/png\" xlink:href=\"");
        add_base(r, out);
        om_buf_addf(out, "/legend/%s.png?palette=%s\"/>", map->name,
                    om__wmts_style[i]);
    }
    om_buf_add_text(out, "</Style>");
}

static void add_layer(const struct om__request *r, const struct om__map *map,
                      struct om_buf *out)
{
    double b[4];
    struct om__wmts_set set;
    const bool time = map->layer && !map->crowds &&
                      map->layer->schema.time_field != OM_NO_FIELD;
    om__map_bounds(map, b);
    om_buf_add_text(out, "\n<Layer><ows:Title>");
    om__xml_add(out, map->title);
    if (map->heat) om_buf_add_text(out, " (热力 heat)");
    om_buf_addf(out,
                "</ows:Title><ows:WGS84BoundingBox><ows:LowerCorner>%.7f %.7f"
                "</ows:LowerCorner><ows:UpperCorner>%.7f %.7f</ows:UpperCorner>"
                "</ows:WGS84BoundingBox><ows:Identifier>",
                b[0], b[1], b[2], b[3]);
    om__xml_add(out, map->name);
    om_buf_add_text(out, "</ows:Identifier>");
    for (int i = 0; i < OM__WMTS_STYLES; i++) add_style(r, map, i, out);
    om_buf_add_text(out, "<Format>image/png</Format>");
    if (map->layer)
        om_buf_add_text(out, "<InfoFormat>application/json</InfoFormat>");
    if (time) add_time(r, map->layer, out);
    for (size_t i = 0; om__wmts_set_at(i, &set); i++)
        om_buf_addf(out,
                    "<TileMatrixSetLink><TileMatrixSet>%s</TileMatrixSet>"
                    "</TileMatrixSetLink>",
                    set.id);
    add_resource(r, map, "tile", "image/png", "{TileCol}.png", time, out);
    if (map->layer)
        add_resource(r, map, "FeatureInfo", "application/json",
                     "{TileCol}/{J}/{I}.json", time, out);
    om_buf_add_text(out, "</Layer>");
}

static void add_set(const struct om__wmts_set *set, struct om_buf *out)
{
    om_buf_addf(out,
                "\n<TileMatrixSet><ows:Identifier>%s</ows:Identifier>"
                "<ows:SupportedCRS>%s</ows:SupportedCRS>",
                set->id, set->crs);
    if (set->scales)
        om_buf_addf(out, "<WellKnownScaleSet>%s</WellKnownScaleSet>",
                    set->scales);
    for (unsigned z = set->set->first; z <= set->set->last; z++)
        om_buf_addf(out,
                    "\n<TileMatrix><ows:Identifier>%u</ows:Identifier>"
                    "<ScaleDenominator>%.17g</ScaleDenominator><TopLeftCorner>"
                    "%s</TopLeftCorner><TileWidth>%d</TileWidth><TileHeight>%d"
                    "</TileHeight><MatrixWidth>%llu</MatrixWidth><MatrixHeight>"
                    "%llu</MatrixHeight></TileMatrix>",
                    z, om__matrix_scale(set->set, z), set->corner,
                    OM_TILE_SIDE_PX, OM_TILE_SIDE_PX,
                    (unsigned long long)om__matrix_width(z),
                    (unsigned long long)om__matrix_height(set->set, z));
    om_buf_add_text(out, "</TileMatrixSet>");
}

om_status om__wmts_capabilities(struct om__request *r)
{
    static const struct om__head HEAD = {
        .type = "application/xml", .cache = OM__CACHE_DATA, .compress = true};
    struct om_buf out = {0};
    struct om__map map;
    struct om__wmts_set set;
    om_buf_addf(
        &out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<Capabilities xmlns=\"http://www.opengis.net/wmts/1.0\" "
        "xmlns:ows=\"http://www.opengis.net/ows/1.1\" "
        "xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.0.0\" "
        "updateSequence=\"%llu\">\n",
        (unsigned long long)r->snapshot->sequence);
    add_service(r, &out);
    om_buf_add_text(&out, "<Contents>");
    for (size_t i = 0; om__map_at(r, i, &map); i++) {
        const struct om_address none = {0}, saved = r->address;
        r->address = none;
        const om_status st = om__tile_check(r, map.name, "png");
        r->address = saved;
        r->err = (struct om_err){0};
        if (!st) add_layer(r, &map, &out);
    }
    r->layer = NULL;  // it is about all of them
    for (size_t i = 0; om__wmts_set_at(i, &set); i++) add_set(&set, &out);
    om_buf_add_text(&out, "\n</Contents>\n<ServiceMetadataURL xlink:href=\"");
    add_base(r, &out);
    om_buf_add_text(&out,
                    "/wmts/1.0.0/WMTSCapabilities.xml\"/>\n</Capabilities>\n");
    return om__reply_kept(r, &out, &HEAD, NULL, 0);
}
