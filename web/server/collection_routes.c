// collection_routes.c - layers as OGC API collections, and what can be asked.
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "data/source/project.h"
#include "engine/policy/policy.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/maps.h"
#include "web/server/media.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"

/* Values of a category that are listed one by one: what fits a menu. */
#define ENUM_MAX 64
#define PATH_BYTES (OM_LIMIT_NAME_BYTES + 64)
#define REL "http://www.opengis.net/def/rel/ogc/1.0/"

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

/* ,"key":"text" where there is a text. */
static void add_member(struct om_buf *out, const char *key, const char *text)
{
    if (!text[0]) return;
    om_buf_addf(out, ",\"%s\":", key);
    add_text(out, text);
}

bool om__layer_times(const struct om_layer *layer, int64_t *from_s,
                     int64_t *to_s)
{
    const size_t field = layer->schema.time_field;
    *from_s = INT64_MAX;
    *to_s = INT64_MIN;
    if (field == OM_NO_FIELD) return false;
    for (size_t i = 0; i < layer->parts; i++) {
        const struct om_column *c;
        const size_t rows = om_segment_rows(layer->part[i].segment);
        if (!rows ||
            om_segment_column(layer->part[i].segment, field, 0, rows, &c))
            continue;
        for (size_t b = 0; b * OM_BLOCK_ROWS < rows; b++) {
            if (c->block_min[b] > c->block_max[b]) continue;  // all NULL
            if (c->block_min[b] < *from_s) *from_s = c->block_min[b];
            if (c->block_max[b] > *to_s) *to_s = c->block_max[b];
        }
    }
    return *from_s <= *to_s;
}

void om__layer_extent(const struct om__request *r, const struct om_layer *layer,
                      struct om_buf *out)
{
    double b[4];
    int64_t from_s, to_s;
    // The outermost row is somebody's, and may lie outside the area.
    const bool rows = !om__crowds_only(r, layer) && !layer->rights.area;
    const bool somewhere =
        rows ? om_layer_bounds(layer, b) : om__units_bounds(r->snapshot, b);
    const bool sometime = rows && om__layer_times(layer, &from_s, &to_s);
    if (!somewhere && !sometime) return;
    om_buf_add_text(out, ",\"extent\":{");
    if (somewhere)
        om_buf_addf(out,
                    "\"spatial\":{\"crs\":\"%s\","
                    "\"bbox\":[[%.7f,%.7f,%.7f,%.7f]]}",
                    om_system_at(0)->uri, b[0], b[1], b[2], b[3]);
    if (sometime) {
        char from[OM_TIME_TEXT_BYTES], to[OM_TIME_TEXT_BYTES];
        const int32_t zone_s = r->snapshot->manifest->zone_s;
        om_time_format(from_s, zone_s, from);
        om_time_format(to_s, zone_s, to);
        om_buf_addf(out,
                    "%s\"temporal\":{\"trs\":\"http://www.opengis.net/def/uom/"
                    "ISO-8601/0/Gregorian\",\"interval\":[[\"%s\",\"%s\"]]}",
                    somewhere ? "," : "", from, to);
    }
    om_buf_add_text(out, "}");
}

static bool is_unit(const struct om_layer *layer, size_t column)
{
    return column + layer->unit_columns >= layer->schema.count;
}

static void add_columns(const struct om_layer *layer, struct om_buf *out)
{
    const struct om_schema *s = &layer->schema;
    om_buf_addf(out, ",\"geometry\":\"%s\",\"id_column\":",
                om_geometry_name(s->geometry));
    add_text(out, s->field[s->id_field].name);
    om_buf_add_text(out, ",\"time_column\":");
    if (s->time_field == OM_NO_FIELD)
        om_buf_add_text(out, "null");
    else
        add_text(out, s->field[s->time_field].name);
    om_buf_add_text(out, ",\"columns\":[");
    bool first = true;
    for (size_t i = 0; i < s->count; i++) {
        if (s->hidden[i]) continue;
        om_buf_add_text(out, first ? "{\"name\":" : ",{\"name\":");
        first = false;
        add_text(out, s->field[i].name);
        om_buf_addf(out, ",\"type\":\"%s\"%s}", om_type_name(s->field[i].type),
                    is_unit(layer, i) ? ",\"unit\":true" : "");
    }
    om_buf_add_text(out, "]");
}

void om__layer_about(const struct om__request *r, const struct om_layer *layer,
                     struct om_buf *out)
{
    const struct om_manifest_layer *meta = layer->meta;
    om_buf_add_text(out, ",\"title\":");
    add_text(out, meta && meta->title[0] ? meta->title : layer->name);
    if (!meta) return;
    add_member(out, "title_en", meta->title_en);
    add_member(out, "department", meta->department);
    add_member(out, "rhythm", meta->rhythm);
    add_member(out, "base", meta->base);
    add_member(out, "unit_level", meta->unit_level);
    if (om_layer_personal(r->snapshot->manifest, layer->name))
        om_buf_add_text(out, ",\"personal\":true");
    const int64_t as_of = om_snapshot_as_of(r->snapshot, layer);
    if (as_of) {
        char text[OM_TIME_TEXT_BYTES];
        om_time_format(as_of, r->snapshot->manifest->zone_s, text);
        om_buf_addf(out, ",\"as_of\":\"%s\"", text);
    }
}

void om__systems_add(struct om_buf *out)
{
    om_buf_add_text(out, "[");
    for (size_t i = 0; om_system_at(i); i++)
        om_buf_addf(out, "%s\"%s\"", i ? "," : "", om_system_at(i)->uri);
    om_buf_add_text(out, "]");
}

/* What hangs on a layer. %s is its name. */
static const struct om__link SELF[] = {
    {"self", "application/json", NULL, "/collections/%s", false},
};
static const struct om__link ROWS[] = {
    {"items", "application/geo+json", "rows as GeoJSON",
     "/collections/%s/items", false},
};
static const struct om__link FILES[] = {
    {"items", "text/csv", "all rows as CSV", "/collections/%s/items?f=csv",
     false},
    {"items", "application/flatgeobuf", "all rows as FlatGeobuf",
     "/collections/%s/items?f=fgb", false},
    {"items", "application/geopackage+sqlite3", "all rows as GeoPackage",
     "/collections/%s/items?f=gpkg", false},
};
static const struct om__link ASKED[] = {
    {REL "queryables", "application/schema+json", "what can be asked for",
     "/collections/%s/queryables", false},
    {"queryables", "application/schema+json", "what can be asked for",
     "/collections/%s/queryables", false},
    {REL "tilesets-vector", "application/json", "vector tiles",
     "/collections/%s/tiles", false},
    {"tilejson", "application/json", "TileJSON of the vector tiles",
     "/tiles/%s.json", false},
};
static const struct om__link PICTURES[] = {
    {REL "tilesets-map", "application/json", "pictures as tiles",
     "/collections/%s/map/tiles", false},
};

/* No link leads to what is not for whoever asks. */
static void add_links(const struct om__request *r, const struct om_layer *layer,
                      struct om_buf *out)
{
    bool first = true;
    const bool rows = !om__crowds_only(r, layer);
    om_buf_add_text(out, ",\"links\":[");
#define ADD(form) \
    om__links_of(r, form, sizeof form / sizeof *form, layer->name, &first, out)
    ADD(SELF);
    if (rows) ADD(ROWS);
    if (rows && r->who->role->export) ADD(FILES);
    ADD(ASKED);
    if (rows) ADD(PICTURES);
#undef ADD
    om_buf_add_text(out, "]");
}

void om__layer_rows(const struct om__request *r, const struct om_layer *layer,
                    struct om_buf *out)
{
    const struct om_query all = {.snapshot = r->snapshot,
                                 .layer = layer,
                                 .cache = r->server->selections};
    uint64_t rows = layer->rows;
    if (layer->rights.by_level) rows = layer->rights.told[0];
    const bool area = layer->rights.area != NULL;
    const bool known = !area || !om_query_count(&all, &rows);
    const bool few =
        layer->rights.crowds && rows && rows < layer->rights.smallest_count;
    if (known && !few)
        om_buf_addf(out, ",\"rows\":%llu", (unsigned long long)rows);
    else
        om_buf_add_text(out, ",\"rows\":null");
}

static void add_collection(const struct om__request *r,
                           const struct om_layer *layer, struct om_buf *out)
{
    om_buf_add_text(out, "{\"id\":");
    add_text(out, layer->name);
    om__layer_about(r, layer, out);
    // Clients of features (GDAL) take every collection for one but those that
    // say they are rasters, and would ask for rows.
    om_buf_add_text(out, om__crowds_only(r, layer)
                             ? ",\"layerDataType\":\"Coverage\""
                             : ",\"itemType\":\"feature\"");
    om_buf_add_text(out, ",\"crs\":");
    om__systems_add(out);
    om_buf_addf(out, ",\"storageCrs\":\"%s\"", om_system_at(0)->uri);
    om__layer_rows(r, layer, out);
    om__layer_extent(r, layer, out);
    add_columns(layer, out);
    add_links(r, layer, out);
    om_buf_add_text(out, "}");
}

om_status om__get_collections(struct om__request *r)
{
    static const struct om__link self = {"self", "application/json", NULL,
                                         "/collections", false};
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"crs\":");
    om__systems_add(&out);
    om__links_add(r, &self, 1, &out);
    om_buf_add_text(&out, ",\"collections\":[");
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        om_buf_add_text(&out, i ? ",\n" : "\n");
        add_collection(r, &r->snapshot->layer[i], &out);
    }
    om_buf_add_text(&out, "]}\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

om_status om__get_collection(struct om__request *r)
{
    struct om_buf out = {0};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    add_collection(r, r->layer, &out);
    om_buf_add_text(&out, "\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

/* ---- queryables */

const char *om__type_schema(enum om_type type)
{
    switch (type) {
        case OM_TYPE_INTEGER:
            return "\"type\":\"integer\"";
        case OM_TYPE_REAL:
            return "\"type\":\"number\"";
        case OM_TYPE_BOOLEAN:
            return "\"type\":\"boolean\"";
        case OM_TYPE_TIME:
            return "\"type\":\"string\",\"format\":\"date-time\"";
        default:
            return "\"type\":\"string\"";
    }
}

/* The values of a category, if a menu can hold them. Those of several parts
 * may be listed only where they are the same dictionary: one part. */
static om_status add_enum(const struct om_layer *layer, size_t column,
                          struct om_buf *out)
{
    const struct om_column *c;
    if (layer->schema.field[column].type != OM_TYPE_CATEGORY ||
        layer->parts != 1)
        return OM_OK;
    OM_TRY(om_segment_column(layer->part[0].segment, column, 0, 0, &c));
    if (c->coding != OM_CODING_DICTIONARY || !c->words || c->words > ENUM_MAX)
        return OM_OK;
    for (size_t i = 0; i < c->words; i++) {
        om_buf_add_text(out, i ? "," : ",\"enum\":[");
        om_buf_add_json_text(out, c->word_bytes + c->word_offset[i],
                             c->word_offset[i + 1] - c->word_offset[i]);
    }
    return om_buf_add_text(out, "]");
}

static om_status add_property(const struct om__request *r,
                              const struct om_layer *layer, size_t column,
                              struct om_buf *out)
{
    const struct om_schema *s = &layer->schema;
    om_buf_add_text(out, ",\n");
    add_text(out, s->field[column].name);
    om_buf_add_text(out, ":{\"title\":");
    add_text(out, s->field[column].name);
    om_buf_addf(out, ",%s", om__type_schema(s->field[column].type));
    if (column == s->id_field) om_buf_add_text(out, ",\"x-ogc-role\":\"id\"");
    if (column == s->time_field)
        om_buf_add_text(out, ",\"x-ogc-role\":\"primary-instant\"");
    // The words of other units are not told of.
    if (!om__crowds_only(r, layer) && !layer->rights.area)
        OM_TRY(add_enum(layer, column, out));
    return om_buf_add_text(out, "}");
}

om_status om__get_queryables(struct om__request *r)
{
    static const struct om__head HEAD = {.type = "application/schema+json",
                                         .cache = OM__CACHE_DATA,
                                         .compress = true};
    static const char *const GEOMETRY[] = {
        "point", "multilinestring-or-linestring", "multipolygon-or-polygon"};
    struct om_buf out = {0}, url = {0};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    om__add_base_url(r, &url);
    om_buf_addf(&url, "/collections/%s/queryables", r->layer->name);
    om_buf_add_text(&out,
                    "{\"$schema\":\"https://json-schema.org/draft/2020-12/"
                    "schema\",\"$id\":");
    om_buf_add_json_text(&out, (const char *)url.bytes, url.len);
    om_buf_add_text(&out, ",\"type\":\"object\"");
    om__layer_about(r, r->layer, &out);
    om_buf_addf(&out,
                ",\"additionalProperties\":false,\"properties\":{\n"
                "\"geom\":{\"title\":\"geometry\",\"format\":\"geometry-%s\","
                "\"x-ogc-role\":\"primary-geometry\"}",
                GEOMETRY[r->layer->schema.geometry]);
    om_status st = url.status;
    for (size_t i = 0; i < r->layer->schema.count && !st; i++)
        if (!r->layer->schema.hidden[i])
            st = add_property(r, r->layer, i, &out);
    om_buf_add_text(&out, "}}\n");
    om_buf_deinit(&url);
    if (!st)
        return om__reply_kept(
            r, &out, om__form_is(r, "json") ? &om__head_json : &HEAD, NULL, 0);
    om_buf_deinit(&out);
    return st;
}
