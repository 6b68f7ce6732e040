// route.c - the table of addresses: what is known, and who answers it.
#include <string.h>

#include "data/base/log.h"
#include "web/server/asked.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/media.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/route.h"
#include "web/server/worlds.h"
#include "web/server/writes.h"

#define FILTER_PARAMS "filter filter-lang filter-crs datetime "
#define FIELD_PARAMS                                                   \
    "filter filter-lang datetime at kernel bandwidth halflife weight " \
    "per "
/* How a map is drawn: beside what, as what, in which colours. */
/* A question that is asked by a form. */
#define ASKED                                                 \
    .method = "POST", .asks = true, .bodies = OM__ASKED_TYPE, \
    .body_max = OM__ASKED_BYTES, .begin = om__begin_asked,    \
    .take = om__take_asked, .drop = om__drop_asked

#define LOOK_PARAMS "with_filter with_datetime form ramp "
#define TILE_PARAMS          \
    FIELD_PARAMS LOOK_PARAMS \
        "palette properties labels lang by stat layer column size "
#define ITEM_PARAMS                                                 \
    OM__PLACE_PARAMS                                                \
    "bbox-crs datetime limit filter filter-lang filter-crs sortby " \
    "properties crs "
#define GEOJSON "application/geo+json"
#define PNG "image/png"
#define XML "application/xml"

const struct om__route om__routes[] = {
    {.name = "start",
     .summary = "Landing page: a page for people, links for programs",
     .path = "",
     .params = "f",
     .forms = "json html",
     .answer = om__get_start,
     .data = true,
     .page = true},
    {.name = "analyst",
     .summary = "The analyst's page",
     .path = "analyst",
     .params = "lang map",
     .media = "text/html",
     .answer = om__get_page,
     .page = true},
    {.name = "community",
     .summary = "The residents' map: what is done where, and how to get there",
     .path = "community",
     .params = "lang theme map",
     .media = "text/html",
     .answer = om__get_page,
     .page = true},
    {.name = "embed",
     .summary = "The residents' map for a frame in another site",
     .path = "embed",
     .params = "layer town village center zoom lang theme",
     .media = "text/html",
     .answer = om__get_embed,
     .page = true},
    {.name = "embed",
     .summary = "Script that makes frames of <one-map> elements",
     .path = "embed.js",
     .params = "v",
     .media = "text/javascript",
     .answer = om__get_embed_script},
    {.name = "wall",
     .summary = "The command centre's wall",
     .path = "wall",
     .params = "lang wall bezel map motion replay id drive",
     .media = "text/html",
     .answer = om__get_page,
     .page = true},
    {.name = "sheet",
     .summary = "The overdue visits of a unit, or any list of rows, to be "
                "printed",
     .path = "sheet",
     .params = "unit layer lang list",
     .media = "text/html",
     .answer = om__get_page,
     .page = true},
    {.name = "pages",
     .summary = "Files of the pages",
     .path = "pages/{file}",
     .params = "v",
     .media = "application/octet-stream",
     .answer = om__get_file},
    {.name = "pages",
     .summary = "Files of the pages",
     .path = "pages/{folder}/{file}",
     .params = "v",
     .media = "application/octet-stream",
     .answer = om__get_file},
    {.name = "health",
     .summary = "Is the process alive?",
     .path = "health",
     .params = "",
     .anyone = true,
     .answer = om__get_health},
    {.name = "ready",
     .summary = "Can it be asked, and written to?",
     .path = "ready",
     .params = "",
     .answer = om__get_ready},
    {.name = "metrics",
     .summary = "Figures for Prometheus",
     .path = "metrics",
     .params = "",
     .media = "text/plain",
     .answer = om__get_metrics},
    {.name = "changes",
     .summary = "What changes, as it does: layers and cells. Events for a "
                "listener, JSON with since for a poller",
     .path = "changes",
     .params = "layers since f wall",
     .media = "text/event-stream application/json",
     .answer = om__get_changes,
     .data = true},
    {.name = "drive",
     .summary = "Press a key of a wall that listens (changes?wall=), or send "
                "its map to a unit or a place",
     .path = "walls/{wall}",
     .params = "press level unit lon lat",
     .method = "POST",
     .answer = om__post_wall,
     .data = true},
    {.name = "positions",
     .summary = "How many of those who are followed are connected, by unit",
     .path = "positions",
     .params = "by",
     .inside = true,
     .answer = om__get_positions,
     .queued = true,
     .data = true},
    {.name = "fixes",
     .summary = "Positions of those on duty, a line each: worker, lon, lat, "
                "at, on_duty",
     .path = "positions",
     .params = "",
     .method = "POST",
     .bodies = "application/x-ndjson application/ndjson application/jsonl "
               "application/json",
     .body_max = OM__FIXES_BYTES,
     .begin = om__begin_positions,
     .take = om__take_positions,
     .drop = om__drop_positions,
     .answer = om__post_positions,
     .data = true},
    {.name = "conformance",
     .summary = "Conformance classes of OGC API that are met",
     .path = "conformance",
     .params = "f",
     .forms = "json",
     .answer = om__get_conformance,
     .data = true,
     .keep = true},
    {.name = "api",
     .summary = "This document",
     .path = "api",
     .params = "f",
     .forms = "openapi json",
     .answer = om__get_api,
     .data = true,
     .keep = true},
    {.name = "tile",
     .summary = "A tile: vector (mvt, pbf), picture (png, @2x.png), or sums by "
                "cell and day (days)",
     .path = "tiles/{name}/{z}/{x}/{y}.{extension}",
     .answer = om__get_tile,
     .params = TILE_PARAMS,
     .media = "application/vnd.mapbox-vector-tile image/png "
              "application/vnd.onemap.days",
     .data = true,
     .keep = true},
    {.name = "tilejson",
     .summary = "TileJSON 3.0 of a map",
     .path = "tiles/{name}.json",
     .answer = om__get_tilejson,
     .params = TILE_PARAMS "f",
     .data = true,
     .keep = true},
    {.name = "metadata",
     .summary = "Metadata of a map's vector tiles as GDAL reads it",
     .path = "tiles/{name}/metadata.json",
     .answer = om__get_metadata,
     .params = "filter filter-lang datetime properties by",
     .data = true,
     .keep = true},
    {.name = "style",
     .summary = "MapLibre style of a map over the city's base",
     .path = "styles/{name}.json",
     .answer = om__get_style,
     .params = TILE_PARAMS,
     .data = true,
     .keep = true},
    {.name = "catalog",
     .summary = "Layers and maps: source, rhythm, class, counts, links",
     .path = "catalog",
     .params = "f lang",
     .forms = "json",
     .answer = om__get_catalog,
     .data = true,
     .keep = true},
    {.name = "tilematrixsets",
     .summary = "The tile matrix sets",
     .path = "tileMatrixSets",
     .params = "f",
     .forms = "json",
     .answer = om__get_matrix_sets,
     .data = true,
     .keep = true},
    {.name = "tilematrixset",
     .summary = "One tile matrix set",
     .path = "tileMatrixSets/{tileMatrixSet}",
     .params = "f",
     .forms = "json",
     .answer = om__get_matrix_set,
     .data = true,
     .keep = true},
    {.name = "wmts",
     .summary = "WMTS 1.0.0 by keys and values",
     .path = "wmts",
     .answer = om__get_wmts,
     .params = "Service Request Version AcceptVersions Layer Style Format "
               "TileMatrixSet TileMatrix TileRow TileCol Time I J "
               "InfoFormat " FIELD_PARAMS,
     .media = XML " " PNG " application/json",
     .data = true,
     .keep = true,
     .columns = true},
    {.name = "wmtscapabilities",
     .summary = "WMTS 1.0.0 capabilities",
     .path = "wmts/1.0.0/WMTSCapabilities.xml",
     .answer = om__get_wmts_capabilities,
     .params = "",
     .media = XML,
     .data = true,
     .keep = true},
    {.name = "wmtstile",
     .summary = "A WMTS tile",
     .path = "wmts/1.0.0/{name}/{style}/{tileMatrixSet}/{tileMatrix}/{tileRow}/"
             "{tileCol}.png",
     .answer = om__get_wmts_tile,
     .params = FIELD_PARAMS,
     .media = PNG,
     .data = true,
     .keep = true,
     .columns = true},
    {.name = "wmtstile",
     .summary = "A WMTS tile of a month, or of all",
     .path = "wmts/1.0.0/{name}/{style}/{time}/{tileMatrixSet}/{tileMatrix}/"
             "{tileRow}/{tileCol}.png",
     .answer = om__get_wmts_tile,
     .params = FIELD_PARAMS,
     .media = PNG,
     .data = true,
     .keep = true,
     .columns = true},
    {.name = "wmtsinfo",
     .rows = true,
     .summary = "What is under a pixel of a WMTS tile",
     .path = "wmts/1.0.0/{name}/{style}/{tileMatrixSet}/{tileMatrix}/{tileRow}/"
             "{tileCol}/{j}/{i}.json",
     .answer = om__get_wmts_info,
     .params = FIELD_PARAMS,
     .data = true,
     .columns = true},
    {.name = "wmtsinfo",
     .rows = true,
     .summary = "What is under a pixel of a WMTS tile of a month, or of all",
     .path = "wmts/1.0.0/{name}/{style}/{time}/{tileMatrixSet}/{tileMatrix}/"
             "{tileRow}/{tileCol}/{j}/{i}.json",
     .answer = om__get_wmts_info,
     .params = FIELD_PARAMS,
     .data = true,
     .columns = true},
    {.name = "legend",
     .summary = "Legend of a picture",
     .path = "legend/{name}.json",
     .answer = om__get_legend,
     .params = FIELD_PARAMS LOOK_PARAMS
     "palette lang scale labels by stat layer column",
     .data = true},
    {.name = "legend",
     .summary = "Legend of a picture, drawn",
     .path = "legend/{name}.png",
     .answer = om__get_legend_png,
     .params = FIELD_PARAMS LOOK_PARAMS
     "palette lang scale labels by stat layer column",
     .media = PNG,
     .data = true,
     .keep = true},
    {.name = "map",
     .summary = "One large picture of several maps: a report, a wall",
     .path = "map.png",
     .answer = om__get_map,
     .params =
         "layers opacity bbox center zoom width height bezel scale "
         "palette lang legend labels filter filter-lang datetime by stat layer "
         "column per at kernel bandwidth halflife weight " LOOK_PARAMS,
     .media = "image/png",
     .queued = true,
     .data = true,
     .keep = true},
    {.name = "value",
     .rows = true,
     .summary = "The number under a pixel, with why",
     .path = "value",
     .answer = om__get_value,
     .params = FIELD_PARAMS "name lon lat z",
     .queued = true,
     .data = true,
     .keep = true},
    {.name = "density",
     .rows = true,
     .summary = "The field of a heat map as a Cloud Optimised GeoTIFF, float32",
     .path = "density/{name}.tif",
     .answer = om__get_density,
     .params = FIELD_PARAMS "bbox cell",
     .media = "image/tiff",
     .queued = true,
     .data = true},
    {.name = "stats",
     .summary = "Counts, sums, shares and rates of a layer by unit, column or "
                "step of time",
     .path = "stats/{layer}",
     .answer = om__get_stats,
     .params = OM__PLACE_PARAMS "by filter filter-lang datetime sum share per "
                                "series",
     .queued = true,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "nearest",
     .rows = true,
     .summary = "The rows of a layer that are nearest to a place",
     .path = "nearest/{layer}",
     .answer = om__get_nearest,
     .params = "lon lat k mode minutes filter filter-lang datetime properties",
     .media = "application/geo+json",
     .queued = true,
     .data = true},
    {.name = "nearest_here",
     .rows = true,
     .summary = "The rows that are nearest to a person, whose place is in the "
                "body and in no address",
     .path = "nearest/{layer}",
     .params = "lon lat k mode minutes filter filter-lang datetime properties",
     ASKED,
     .answer = om__get_nearest,
     .media = "application/geo+json",
     .queued = true,
     .data = true},
    {.name = "reach",
     .summary = "Where one gets from a place in so many minutes, as a polygon",
     .path = "reach",
     .answer = om__get_reach,
     .params = "lon lat minutes mode",
     .media = "application/geo+json",
     .queued = true,
     .data = true,
     .keep = true},
    {.name = "reach_here",
     .summary = "Where a person gets in so many minutes, whose place is in the "
                "body and in no address",
     .path = "reach",
     .params = "lon lat minutes mode",
     ASKED,
     .answer = om__get_reach,
     .media = "application/geo+json",
     .queued = true,
     .data = true},
    {.name = "search",
     .rows = true,
     .summary = "Names and addresses by what somebody types; with lon and lat "
                "of equals the nearest first",
     .path = "search",
     .answer = om__get_search,
     .params = "q limit layers lon lat bbox",
     .queued = true,
     .data = true},
    {.name = "search_typed",
     .rows = true,
     .summary = "Names and addresses by what a person types, which is in the "
                "body and in no address",
     .path = "search",
     .params = "q limit layers lon lat bbox",
     ASKED,
     .answer = om__get_search,
     .queued = true,
     .data = true},
    {.name = "reverse",
     .rows = true,
     .summary = "What is at a place: the nearest address, the building around "
                "it, its units, and who is on duty there",
     .path = "reverse",
     .answer = om__get_reverse,
     .params = "lon lat",
     .queued = true,
     .data = true},
    {.name = "hotspots",
     .summary = "Where a layer is unusual, by unit, and how sure that is",
     .path = "hotspots/{layer}",
     .params = "f units stat per exposure rate weight neighbours step compare "
               "each floor moments confidence eps min limit filter filter-lang "
               "datetime",
     .forms = "json csv geojson",
     .answer = om__get_hotspots,
     .queued = true,
     .data = true,
     .keep = true},
    // Each kind knows its own parameters, and waits for the heavy worker.
    {.name = "coverage",
     .summary = "Coverage of the city by its grid workers and services",
     .path = "coverage/{kind}",
     .params = "f filter filter-lang datetime",
     .answer = om__get_coverage,
     .queued = true,
     .data = true,
     .keep = true,
     .columns = true},
    {.name = "collections",
     .summary = "The layers",
     .path = "collections",
     .params = "f",
     .forms = "json",
     .answer = om__get_collections,
     .data = true,
     .keep = true},
    {.name = "collection",
     .summary = "One layer: extent, columns, links",
     .path = "collections/{layer}",
     .params = "f",
     .forms = "json",
     .answer = om__get_collection,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "queryables",
     .summary = "Columns of a layer as a JSON Schema",
     .path = "collections/{layer}/queryables",
     .params = "f",
     .forms = "schema json",
     .answer = om__get_queryables,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "tilesets",
     .summary = "Vector tilesets of a layer",
     .path = "collections/{layer}/tiles",
     .params = "f",
     .forms = "json",
     .answer = om__get_tilesets,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "tileset",
     .summary = "A vector tileset of a layer",
     .path = "collections/{layer}/tiles/{tileMatrixSet}",
     .params = "f",
     .forms = "json",
     .answer = om__get_tileset,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "tilesets",
     .summary = "Picture tilesets of a layer",
     .path = "collections/{layer}/map/tiles",
     .params = "f",
     .forms = "json",
     .answer = om__get_tilesets,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "tileset",
     .summary = "A picture tileset of a layer",
     .path = "collections/{layer}/map/tiles/{tileMatrixSet}",
     .params = "f",
     .forms = "json",
     .answer = om__get_tileset,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "tilesettile",
     .summary = "A vector tile by row and column",
     .path = "collections/{layer}/tiles/{tileMatrixSet}/{tileMatrix}/{tileRow}/"
             "{tileCol}",
     .params = "f filter filter-lang datetime properties by",
     .forms = "mvt",
     .answer = om__get_tileset_tile,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "tilesettile",
     .summary = "A picture tile by row and column",
     .path = "collections/{layer}/map/tiles/{tileMatrixSet}/{tileMatrix}/"
             "{tileRow}/{tileCol}",
     .params = "f filter filter-lang datetime palette by",
     .forms = "png",
     .answer = om__get_tileset_tile,
     .data = true,
     .counts = true,
     .keep = true},
    {.name = "items",
     .rows = true,
     .summary = "Rows of a layer, a page at a time",
     .path = "collections/{layer}/items",
     .answer = om__get_items,
     .params = ITEM_PARAMS "f next",
     .forms = "geojson json csv fgb gpkg",
     .queued = true,
     .data = true,
     .columns = true},
    {.name = "download",
     .rows = true,
     .summary = "All rows that match as one file: geojson, csv, fgb, gpkg",
     .path = "collections/{layer}/items.{format}",
     .answer = om__get_download,
     .params = ITEM_PARAMS,
     .media = "application/geo+json text/csv application/flatgeobuf "
              "application/geopackage+sqlite3",
     .queued = true,
     .data = true,
     .columns = true},
    {.name = "item",
     .rows = true,
     .summary = "One row of a layer",
     .path = "collections/{layer}/items/{id}",
     .params = "f crs",
     .forms = "geojson json",
     .answer = om__get_item,
     .queued = true,
     .data = true},
    {.name = "create",
     .summary = "Write rows: all of them, or with partial=true those that are "
                "good; with upsert=true in the place of rows of the same id",
     .path = "collections/{layer}/items",
     .params = "partial upsert",
     .method = "POST",
     .bodies = GEOJSON " application/json application/x-ndjson "
                       "application/ndjson application/jsonl text/csv",
     .body_max = OM__BODY_BYTES,
     .begin = om__begin_items,
     .take = om__write_take,
     .drop = om__write_drop,
     .answer = om__write_rows,
     .data = true},
    {.name = "replace",
     .summary = "Write a row, new or in the place of the old",
     .path = "collections/{layer}/items/{id}",
     .params = "",
     .method = "PUT",
     .bodies = GEOJSON " application/json",
     .body_max = OM__ROW_BYTES,
     .begin = om__begin_put,
     .take = om__write_take,
     .drop = om__write_drop,
     .answer = om__write_rows,
     .data = true},
    {.name = "update",
     .summary = "Change what the body names of a row: a merge patch",
     .path = "collections/{layer}/items/{id}",
     .params = "",
     .method = "PATCH",
     .bodies = "application/merge-patch+json " GEOJSON " application/json",
     .body_max = OM__ROW_BYTES,
     .begin = om__begin_patch,
     .take = om__write_take,
     .drop = om__write_drop,
     .answer = om__write_rows,
     .data = true},
    {.name = "delete",
     .summary = "Remove a row",
     .path = "collections/{layer}/items/{id}",
     .params = "",
     .method = "DELETE",
     .begin = om__begin_delete,
     .drop = om__write_drop,
     .answer = om__delete_row,
     .data = true},
};
const size_t om__routes_count = sizeof om__routes / sizeof *om__routes;

/* One segment of a path against one of a route: text around what is free. */
static bool fits(const char *part, size_t len, const char *segment)
{
    if (len == 1 && *part == '*') return true;
    const char *open = memchr(part, '{', len);
    const size_t whole = strlen(segment);
    if (!open) return whole == len && !memcmp(part, segment, len);
    const size_t before = (size_t)(open - part);
    size_t after = 0;
    while (part[len - 1 - after] != '}') after++;
    return whole > before + after && !memcmp(part, segment, before) &&
           !memcmp(part + len - after, segment + whole - after, after);
}

static bool matches(const char *path, const struct om_address *address)
{
    for (size_t i = 0; i < address->segments; i++) {
        const size_t len = strcspn(path, "/");
        if (!len || !fits(path, len, address->segment[i])) return false;
        path += len;
        if (*path == '/') path++;
    }
    return !*path;
}

bool om__route_there(const struct om_server *server,
                     const struct om__route *route)
{
    const bool writes = route->method && !route->asks;
    return !server->release || !(writes || route->inside);
}

const struct om__route *om__route_find(const struct om_server *server,
                                       const struct om_address *address,
                                       const char *method)
{
    if (address->slash) return NULL;
    for (size_t i = 0; i < om__routes_count; i++) {
        const struct om__route *route = &om__routes[i];
        const bool same =
            method ? route->method != NULL && !strcmp(route->method, method)
                   : !route->method;
        if (same && om__route_there(server, route) &&
            matches(route->path, address))
            return route;
    }
    return NULL;
}

void om__route_methods(const struct om_server *server,
                       const struct om_address *address, char *out, size_t room)
{
    struct om_buf text = {.bytes = (uint8_t *)out, .room = room, .max = room};
    for (size_t i = 0; i < om__routes_count && !address->slash; i++) {
        const struct om__route *route = &om__routes[i];
        if (!om__route_there(server, route) || !matches(route->path, address))
            continue;
        om_buf_add_text(&text, text.len ? ", " : "");
        om_buf_add_text(&text, route->method ? route->method : "GET, HEAD");
    }
    if (text.len) om_buf_add_text(&text, ", OPTIONS");
    om_buf_add_byte(&text, '\0');
    if (text.status) out[0] = '\0';
}

/* Is `word` one of the blank-separated words? */
static bool listed(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, word, n)) return true;
        at += n;
    }
    return false;
}

bool om__param_known(const struct om__request *r, const char *name)
{
    return listed(r->route->params, name) ||
           (r->route->data && !strcmp(name, "v"));
}

om_status om__params_check(struct om__request *r, const char *names)
{
    for (size_t i = 0; i < r->address.params; i++) {
        const char *name = r->address.param[i].name;
        if (listed(names, name)) continue;
        // What an answer is kept under, on any address of data.
        if (r->route->data && !strcmp(name, "v")) continue;
        return om__param_bad(r, name, OM_E_FORMAT,
                             "there is no parameter %.64s here%s%s", name,
                             *names ? "; known are " : "", names);
    }
    return OM_OK;
}

/* v: the sequence that the asker believes in. If it is the one that is
 * answered from, the answer may be kept for ever. */
static om_status read_version(struct om__request *r)
{
    const struct om_param *p = om_address_param(&r->address, "v");
    uint64_t v = 0;
    if (!p) return OM_OK;
    if (!om_digits_read(p->value, p->len, INT64_MAX, &v))
        return om__param_bad(r, "v", OM_E_FORMAT,
                             "v is a sequence, a whole number");
    r->versioned = v == r->snapshot->sequence;
    return OM_OK;
}

om_status om__request_renew(struct om__request *r)
{
    om__world_unref(r->world);
    r->versioned = false;
    r->world = NULL;
    r->layer = NULL;
    OM_TRY(om__rights_take(r, om_city_snapshot(r->server->city)));
    r->now_s = om__beat(r->server, om_snapshot_now(r->snapshot));
    return OM_OK;
}

/* Pages open whatever others have hung on their address (where a link was
 * forwarded, campaigns); what is a page's own it reads itself. */
static bool is_page(const struct om__request *r)
{
    return r->route->page && (!r->route->forms || om__form_is(r, "html"));
}

static om_status check_query(struct om__request *r)
{
    if (r->address.query) return r->address.query;
    // Which columns there are is known when the layer is.
    if (!r->route->columns) OM_TRY(om__params_check(r, r->route->params));
    return r->route->data ? read_version(r) : OM_OK;
}

static om_status prepare(struct om__request *r)
{
    if (!r->route)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is nothing here");
    if (r->route->data && !r->snapshot) OM_TRY(om__request_renew(r));
    om__needs_forget(r);
    const om_status form = r->route->forms ? om__form_choose(r) : OM_OK;
    if (form || is_page(r)) return form;
    return check_query(r);
}

om_status om__request_begin(struct om__request *r)
{
    r->begun = true;
    OM_TRY(prepare(r));
    return r->route->begin ? r->route->begin(r) : OM_OK;
}

/* Which file it is: for the log only, as it is a path of this machine. */
static void tell_damage(const struct om_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->layers; i++)
        for (size_t p = 0; p < snapshot->layer[i].parts; p++) {
            const char *file =
                om_segment_damage(snapshot->layer[i].part[p].segment);
            if (file)
                om_log(OM_LOG_ERROR, "city",
                       "%s is not what was written; what needs it is not "
                       "answered (restore a backup, or import the layer again)",
                       file);
        }
}

/* A status that has become the answer. */
static void tell(struct om__request *r, om_status st)
{
    om__reply_problem(r, st);
    if (r->status == MHD_HTTP_INTERNAL_SERVER_ERROR)
        om_log(OM_LOG_ERROR, "http", "%s: %s",
               r->route ? r->route->name : "none",
               r->err.text[0] ? r->err.text : om_status_text(st));
    if (st == OM_E_DAMAGED && r->snapshot) tell_damage(r->snapshot);
}

om_status om__request_submit(struct om__request *r)
{
    // After a successful call the request may be gone.
    om_status (*submit)(struct om__request *) = r->submit;
    r->submit = NULL;
    return submit(r);
}

void om__request_finish(struct om__request *r)
{
    struct om__lane *lane = om__lane(r->server);
    const om_status st = lane ? r->finish(r) : OM_E_MEMORY;
    if (lane) om_arena_reset(&lane->arena);
    if (st) tell(r, st);
}

static om_status answer(struct om__request *r)
{
    if (!r->begun) OM_TRY(prepare(r));
    if (r->route->asks) OM_TRY(om__asked_read(r));
    return r->route->answer(r);
}

void om__request_answer(struct om__request *r)
{
    r->later = false;
    struct om__lane *lane = om__lane(r->server);
    const om_status st = lane ? answer(r) : OM_E_MEMORY;
    if (lane) om_arena_reset(&lane->arena);
    if (!st) return;
    r->later = false;
    r->submit = NULL;
    tell(r, st);
}

om_status om__request_key(const struct om__request *r, struct om_buf *key)
{
    const char *host = r->host ? r->host : "";
    om_buf_add_byte(key, (uint8_t)(r->gzip | r->who->asked << 1));
    const uint64_t still = om__rights_still(r);
    om_buf_add(key, &r->who->key, sizeof r->who->key);
    om_buf_add(key, &still, sizeof still);
    om_buf_add(key, host, strlen(host) + 1);
    return om_buf_add(key, r->target, r->target_len);
}
