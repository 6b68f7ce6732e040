/* tileset_routes.c - OGC API Tiles: tile matrix sets, the tilesets of layers
 * (vector, and as pictures under map/), and their tiles, row before column.
 */
#include <stdio.h>
#include <string.h>

#include "data/source/project.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/maps.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"

#define REL "http://www.opengis.net/def/rel/ogc/1.0/"
#define PATH_BYTES (OM_LIMIT_NAME_BYTES + 160)

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

/* ---- tile matrix sets */

static void add_set_links(const struct om__request *r,
                          const struct om__matrix_set *set, struct om_buf *out)
{
    char path[96];
    snprintf(path, sizeof path, "/tileMatrixSets/%s", set->id);
    const struct om__link self = {"self", "application/json", set->title, path,
                                  false};
    om__links_add(r, &self, 1, out);
}

om_status om__get_matrix_sets(struct om__request *r)
{
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"tileMatrixSets\":[");
    for (size_t i = 0; om__matrix_set_at(i); i++) {
        const struct om__matrix_set *set = om__matrix_set_at(i);
        om_buf_addf(&out, "%s\n{\"id\":\"%s\",\"title\":", i ? "," : "",
                    set->id);
        add_text(&out, set->title);
        if (set->uri) om_buf_addf(&out, ",\"uri\":\"%s\"", set->uri);
        om_buf_addf(&out, ",\"crs\":\"%s\"", set->crs);
        add_set_links(r, set, &out);
        om_buf_add_byte(&out, '}');
    }
    om_buf_add_text(&out, "]}\n");
    om__needs_nothing(r);  // but of where we are, which is in the key
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

static om_status find_set(struct om__request *r, const char *id,
                          const struct om__matrix_set **out)
{
    *out = om__matrix_set_find(id);
    return *out ? OM_OK
                : om_fail(&r->err, OM_E_NOTFOUND, 0,
                          "there is no tile matrix set of that name; "
                          "/tileMatrixSets lists them");
}

om_status om__get_matrix_set(struct om__request *r)
{
    const struct om__matrix_set *set;
    struct om_buf out = {0};
    OM_TRY(find_set(r, r->address.segment[1], &set));
    om_buf_addf(&out, "{\"id\":\"%s\",\"title\":", set->id);
    add_text(&out, set->title);
    if (set->uri) om_buf_addf(&out, ",\"uri\":\"%s\"", set->uri);
    om_buf_addf(&out, ",\"crs\":\"%s\",\"orderedAxes\":%s", set->crs,
                set->axes);
    if (set->scales)
        om_buf_addf(&out, ",\"wellKnownScaleSet\":\"%s\"", set->scales);
    add_set_links(r, set, &out);
    om_buf_add_text(&out, ",\"tileMatrices\":[");
    for (unsigned z = set->first; z <= set->last; z++)
        om_buf_addf(&out,
                    "%s\n{\"id\":\"%u\",\"scaleDenominator\":%.17g,"
                    "\"cellSize\":%.17g,\"cornerOfOrigin\":\"topLeft\","
                    "\"pointOfOrigin\":%s,\"tileWidth\":%d,\"tileHeight\":%d,"
                    "\"matrixWidth\":%llu,\"matrixHeight\":%llu}",
                    z > set->first ? "," : "", z, om__matrix_scale(set, z),
                    om__matrix_cell(set, z), set->origin, OM_TILE_SIDE_PX,
                    OM_TILE_SIDE_PX, (unsigned long long)om__matrix_width(z),
                    (unsigned long long)om__matrix_height(set, z));
    om_buf_add_text(&out, "]}\n");
    om__needs_nothing(r);
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

/* ---- tilesets */

/* Has whoever asks tiles of the layer? */
static om_status check_tiles(struct om__request *r, bool map)
{
    return om__map_check(r, r->layer->name, map ? "png" : "mvt", "f v");
}

/* Of which kind a request is about: .../map/tiles has pictures. */
static bool is_map(const struct om__request *r)
{
    return !strcmp(r->address.segment[2], "map");
}

/* Pictures come in every set, vector tiles in web mercator. */
static bool has_set(const struct om__matrix_set *set, bool map)
{
    return map || !set->degrees;
}

static void add_tileset_links(const struct om__request *r,
                              const struct om__matrix_set *set, bool map,
                              struct om_buf *out)
{
    char self[PATH_BYTES], item[PATH_BYTES + 64], scheme[96];
    const char *type = map ? "image/png" : "application/vnd.mapbox-vector-tile";
    snprintf(self, sizeof self, "/collections/%s%s/tiles/%s", r->layer->name,
             map ? "/map" : "", set->id);
    snprintf(item, sizeof item, "%s/{tileMatrix}/{tileRow}/{tileCol}?f=%s",
             self, map ? "png" : "mvt");
    snprintf(scheme, sizeof scheme, "/tileMatrixSets/%s", set->id);
    const struct om__link link[] = {
        {"self", "application/json", NULL, self, false},
        {REL "tiling-scheme", "application/json", set->title, scheme, false},
        {"item", type, "tiles", item, true},
    };
    om__links_add(r, link, sizeof link / sizeof *link, out);
}

static void add_tileset_head(const struct om__request *r,
                             const struct om__matrix_set *set, bool map,
                             struct om_buf *out)
{
    const struct om_manifest_layer *meta = r->layer->meta;
    om_buf_add_text(out, "{\"title\":");
    add_text(out, meta && meta->title[0] ? meta->title : r->layer->name);
    om_buf_addf(out,
                ",\"dataType\":\"%s\",\"crs\":\"%s\",\"tileMatrixSetId\":"
                "\"%s\"",
                map ? "map" : "vector", set->crs, set->id);
    if (set->uri) om_buf_addf(out, ",\"tileMatrixSetURI\":\"%s\"", set->uri);
    add_tileset_links(r, set, map, out);
}

om_status om__get_tilesets(struct om__request *r)
{
    struct om_buf out = {0};
    char path[PATH_BYTES];
    bool first = true;
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    const bool map = is_map(r);
    OM_TRY(check_tiles(r, map));
    snprintf(path, sizeof path, "/collections/%s%s/tiles", r->layer->name,
             map ? "/map" : "");
    const struct om__link self = {"self", "application/json", NULL, path,
                                  false};
    om_buf_add_text(&out, "{\"tilesets\":[");
    for (size_t i = 0; om__matrix_set_at(i); i++) {
        if (!has_set(om__matrix_set_at(i), map)) continue;
        om_buf_add_text(&out, first ? "\n" : ",\n");
        first = false;
        add_tileset_head(r, om__matrix_set_at(i), map, &out);
        om_buf_add_byte(&out, '}');
    }
    om_buf_add_text(&out, "]");
    om__links_add(r, &self, 1, &out);
    om_buf_add_text(&out, "}\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

static void add_limits(const struct om__matrix_set *set, const double b[4],
                       struct om_buf *out)
{
    om_buf_add_text(out, ",\"tileMatrixSetLimits\":[");
    for (unsigned z = set->first; z <= set->last; z++) {
        const struct om__tile_limits l = om__matrix_limits(set, z, b);
        om_buf_addf(out,
                    "%s\n{\"tileMatrix\":\"%u\",\"minTileRow\":%llu,"
                    "\"maxTileRow\":%llu,\"minTileCol\":%llu,\"maxTileCol\":"
                    "%llu}",
                    z > set->first ? "," : "", z, (unsigned long long)l.row0,
                    (unsigned long long)l.row1, (unsigned long long)l.col0,
                    (unsigned long long)l.col1);
    }
    om_buf_add_text(out, "]");
}

static void add_layer(const struct om_layer *layer, struct om_buf *out)
{
    const struct om_schema *s = &layer->schema;
    om_buf_addf(out,
                ",\"layers\":[{\"id\":\"%s\",\"dataType\":\"vector\","
                "\"geometryDimension\":%d,\"propertiesSchema\":{\"type\":"
                "\"object\",\"properties\":{",
                layer->name, (int)s->geometry);
    bool first = true;
    for (size_t i = 0; i < s->count; i++) {
        if (s->hidden[i]) continue;
        if (!first) om_buf_add_byte(out, ',');
        first = false;
        add_text(out, s->field[i].name);
        om_buf_addf(out, ":{%s}", om__type_schema(s->field[i].type));
    }
    om_buf_add_text(out, "}}}]");
}

om_status om__get_tileset(struct om__request *r)
{
    struct om_buf out = {0};
    const struct om__matrix_set *set;
    struct om__map map;
    double b[4];
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    const bool pictures = is_map(r);
    OM_TRY(find_set(r, r->address.segment[pictures ? 4 : 3], &set));
    if (!has_set(set, pictures))
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "vector tiles come in WebMercatorQuad only");
    OM_TRY(check_tiles(r, pictures));
    OM_TRY(om__map_find(r, r->layer->name, &map));
    om__map_bounds(&map, b);
    add_tileset_head(r, set, pictures, &out);
    if (!pictures) add_layer(r->layer, &out);
    om_buf_addf(&out,
                ",\"boundingBox\":{\"lowerLeft\":[%.7f,%.7f],\"upperRight\":"
                "[%.7f,%.7f],\"crs\":\"%s\"},\"centerPoint\":{\"coordinates\":"
                "[%.7f,%.7f],\"crs\":\"%s\",\"tileMatrix\":\"%u\"}",
                b[0], b[1], b[2], b[3], om_system_at(0)->uri, (b[0] + b[2]) / 2,
                (b[1] + b[3]) / 2, om_system_at(0)->uri, om__map_zoom(b));
    add_limits(set, b, &out);
    om_buf_add_text(&out, ",\"attribution\":");
    om__attribution_add(r, &map, &out);
    om_buf_add_text(&out, "}\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

/* ---- tiles */

om_status om__matrix_tile_read(const struct om__matrix_set *set, const char *z,
                               const char *row, const char *col,
                               struct om_tile_address *out)
{
    uint64_t zoom, y, x;
    if (!om_digits_read(z, strlen(z), UINT32_MAX, &zoom) ||
        !om_digits_read(row, strlen(row), INT64_MAX, &y) ||
        !om_digits_read(col, strlen(col), INT64_MAX, &x))
        return OM_E_FORMAT;
    if (zoom < set->first || zoom > set->last ||
        x >= om__matrix_width((unsigned)zoom) ||
        y >= om__matrix_height(set, (unsigned)zoom))
        return OM_E_RANGE;
    *out = (struct om_tile_address){.z = (unsigned)zoom,
                                    .x = (uint32_t)x,
                                    .y = (uint32_t)y,
                                    .scale = 1,
                                    .extension = "png"};
    return OM_OK;
}

om_status om__get_tileset_tile(struct om__request *r)
{
    const char *const *segment = r->address.segment;
    const bool map = is_map(r);
    const char *const *at = segment + (map ? 4 : 3);
    const struct om__matrix_set *set;
    struct om_tile_address tile;
    struct om_param param[OM_ADDRESS_PARAMS];
    size_t params = 0;
    OM_TRY(om__request_layer(r, segment[1]));
    OM_TRY(find_set(r, at[0], &set));
    if (!has_set(set, map))
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "vector tiles come in WebMercatorQuad only");
    const om_status st = om__matrix_tile_read(set, at[1], at[2], at[3], &tile);
    if (st) {
        r->error_status =
            st == OM_E_RANGE ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST;
        return om_fail(&r->err, st, 0,
                       "a tile is tileMatrix/tileRow/tileCol with numbers of "
                       "the tile matrix set");
    }
    for (size_t i = 0; i < r->address.params; i++)
        if (!om__listed("f", r->address.param[i].name))
            param[params++] = r->address.param[i];
    if (!map) tile.extension = "mvt";
    return set->degrees ? om__plate_answer(r, segment[1], &tile, param, params)
                        : om__tile_with(r, segment[1], &tile, param, params);
}
