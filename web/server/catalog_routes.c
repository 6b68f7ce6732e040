/* catalog_routes.c - /catalog: every layer with where it comes from, how often,
 * who may see it, how much there is, and in which ways it can be had.
 *
 * What the city says of a layer beyond what this program reads stands in its
 * city.json: `class` (level of protection) and `license` of a layer, `license`
 * of the city; `value_titles` and `value_titles_en`, what values of its columns
 * are called. Who names a language gets the names of the units in it, too.
 */
#include <stdio.h>
#include <string.h>

#include "data/json.h"
#include "data/model/time.h"
#include "engine/policy/policy.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/maps.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/tile_maker.h"
#include "web/server/unit_names.h"

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

static void add_member(struct om_buf *out, const char *key, const char *text)
{
    om_buf_addf(out, ",\"%s\":", key);
    if (text && *text)
        add_text(out, text);
    else
        om_buf_add_text(out, "null");
}

static const char *license_of(const struct om_manifest *city,
                              const struct om_json *layer)
{
    const char *own = om_json_text(om_json_get(layer, "license"), "");
    return *own ? own
                : om_json_text(om_json_get(city->document, "license"), "");
}

static void add_source(const struct om__request *r,
                       const struct om_layer *layer, struct om_buf *out)
{
    const struct om_manifest *city = r->snapshot->manifest;
    const struct om_manifest_layer *meta = layer->meta;
    const struct om_json *document = om_manifest_about(city, layer->name);
    add_member(out, "department", meta ? meta->department : NULL);
    add_member(out, "department_en",
               om_json_text(om_json_get(document, "department_en"), NULL));
    add_member(out, "rhythm", meta ? meta->rhythm : NULL);
    add_member(out, "class",
               om_json_text(om_json_get(document, "class"), NULL));
    add_member(out, "license", license_of(city, document));
    om_buf_addf(out, ",\"synthetic\":%s", city->synthetic ? "true" : "false");
    const int64_t as_of = om_snapshot_as_of(r->snapshot, layer);
    char text[OM_TIME_TEXT_BYTES] = "";
    if (as_of) om_time_format(as_of, city->zone_s, text);
    add_member(out, "as_of", text);
}

/* Ways to a layer or map; %s is its name. */
static const struct om__link LAYER[] = {
    {"collection", "application/json", "description", "/collections/%s", false},
    {"queryables", "application/schema+json", "columns",
     "/collections/%s/queryables", false},
};
static const struct om__link ROWS[] = {
    {"items", "application/geo+json", "rows, a page at a time",
     "/collections/%s/items", false},
};
static const struct om__link FILES[] = {
    {"download", "application/geo+json", "GeoJSON",
     "/collections/%s/items.geojson", false},
    {"download", "text/csv", "CSV", "/collections/%s/items.csv", false},
    {"download", "application/flatgeobuf", "FlatGeobuf",
     "/collections/%s/items.fgb", false},
    {"download", "application/geopackage+sqlite3", "GeoPackage",
     "/collections/%s/items.gpkg", false},
};
static const struct om__link VECTOR[] = {
    {"tilejson", "application/json", "vector tiles", "/tiles/%s.json", false},
    {"style", "application/json", "MapLibre style", "/styles/%s.json", false},
    {"tiles", "application/vnd.mapbox-vector-tile", "vector tiles",
     "/tiles/%s/{z}/{x}/{y}.mvt", true},
};
static const struct om__link PICTURE[] = {
    {"tilejson", "application/json", "pictures", "/tiles/%s.json?f=png", false},
    {"tiles", "image/png", "pictures", "/tiles/%s/{z}/{x}/{y}.png", true},
};
static const struct om__link PICTURE_STYLE[] = {
    {"style", "application/json", "MapLibre style", "/styles/%s.json", false},
};
static const struct om__link HEAT[] = {
    {"legend", "application/json", "legend", "/legend/%s.json", false},
};

#define ADD_LINKS(form) \
    om__links_of(r, form, sizeof form / sizeof *form, map->name, first, out)

/* Does the map have tiles of a kind? */
static bool has_tiles(struct om__request *r, const struct om__map *map,
                      const char *extension)
{
    const struct om_address none = {0}, saved = r->address;
    r->address = none;
    const om_status st = om__tile_check(r, map->name, extension);
    r->address = saved;
    r->err = (struct om_err){0};
    return !st;
}

static void add_tile_links(struct om__request *r, const struct om__map *map,
                           bool *first, struct om_buf *out)
{
    const bool pictures = has_tiles(r, map, "png");
    if (has_tiles(r, map, "mvt")) ADD_LINKS(VECTOR);
    if (pictures && map->picture) ADD_LINKS(PICTURE_STYLE);
    if (pictures && map->heat) ADD_LINKS(HEAT);
    if (pictures) ADD_LINKS(PICTURE);
}

/* A member as it stands in city.json; nothing where it does not. */
static void add_json(const char *name, const struct om_json *value,
                     struct om_buf *out)
{
    if (om_json_kind(value) == OM_JSON_NONE) return;
    om_buf_addf(out, ",\n\"%s\":", name);
    if (om_json_write(value, false, out)) om_buf_add_text(out, "null");
}

/* How a layer looks and what its rows are called, as city.json says. */
static void add_looks(const struct om_json *document, struct om_buf *out)
{
    static const char *const LOOK[] = {"counted",           "counted_en",
                                       "picture_by",        "picture_titles",
                                       "picture_titles_en", "picture_colours"};
    for (size_t i = 0; i < sizeof LOOK / sizeof *LOOK; i++)
        add_json(LOOK[i], om_json_get(document, LOOK[i]), out);
}

static bool is_listed(const struct om_json *list, const char *name)
{
    for (size_t i = 0; i < om_json_count(list); i++)
        if (!strcmp(om_json_text(om_json_at(list, i), ""), name)) return true;
    return false;
}

/* Can whoever asks neither see a column nor count or add it up? */
static bool is_veiled_column(const struct om__request *r,
                             const struct om_layer *layer, size_t f)
{
    const struct om_schema *s = &layer->schema;
    const char *name = s->field[f].name;
    if (f == s->id_field || f + layer->unit_columns >= s->count) return false;
    if (om__crowds_only(r, layer))
        return f != s->time_field &&
               !is_listed(om_json_get(layer->rights.tells, "by"), name) &&
               !is_listed(om_json_get(layer->rights.tells, "sum"), name);
    const enum om_type type = s->field[f].type;
    const bool number = type == OM_TYPE_INTEGER || type == OM_TYPE_REAL;
    return s->hidden[f] && !(number && layer->rights.summed_column[f]) &&
           !(layer->rights.counted_column[f] &&
             om_column_kinds(r->snapshot->manifest, layer->name, name));
}

static bool is_dropped(const struct om__request *r, const struct om_json *value)
{
    const struct om_json *layer = om_json_get(value, "layer");
    return om__names_unseen(r, om_json_text(value, "")) ||
           om__names_unseen(r, om_json_text(layer, ""));
}

/* Does a member of an object that speaks of a layer name such a column? */
static bool names_veiled(const struct om__request *r,
                         const struct om_json *object, const char *key,
                         const struct om_json *value)
{
    const char *name = om_json_text(value, NULL);
    const struct om_layer *layer = om_snapshot_layer(
        r->snapshot, om_json_text(om_json_get(object, "layer"), ""));
    if (!name || !layer || !strcmp(key, "layer")) return false;
    for (size_t f = 0; f < layer->schema.count; f++)
        if (!strcmp(layer->schema.field[f].name, name))
            return is_veiled_column(r, layer, f);
    return false;
}

/* Is it about a column of persons, for a role that is told nothing of them?
 * Then the values beside it are such as well. */
static bool is_untold(const struct om__request *r, const struct om_json *object)
{
    bool any = false;
    if (r->who->role->personal != OM_PERSONAL_NONE) return false;
    for (size_t i = 0; i < om_json_count(object) && !any; i++) {
        const char *key = "";
        const struct om_json *one = om_json_member(object, i, &key);
        any = names_veiled(r, object, key, one);
    }
    return any;
}

/* A value, without what speaks of layers that are not there for this role, and
 * of columns that are nothing to it. */
static void add_seen(const struct om__request *r, const struct om_json *value,
                     struct om_buf *out)
{
    const enum om_json_kind kind = om_json_kind(value);
    const bool object = kind == OM_JSON_OBJECT;
    bool first = true;
    if (!object && kind != OM_JSON_LIST) {
        if (om_json_write(value, false, out)) om_buf_add_text(out, "null");
        return;
    }
    om_buf_add_text(out, object ? "{" : "[");
    for (size_t i = 0; i < om_json_count(value); i++) {
        const char *key = NULL;
        const struct om_json *one =
            object ? om_json_member(value, i, &key) : om_json_at(value, i);
        if (is_dropped(r, one) || (key && om__names_unseen(r, key))) continue;
        if (object && names_veiled(r, value, key, one)) continue;
        if (om_json_kind(one) == OM_JSON_OBJECT && is_untold(r, one))
            continue;
        if (!first) om_buf_add_text(out, ",");
        first = false;
        if (key) add_text(out, key);
        if (key) om_buf_add_text(out, ":");
        add_seen(r, one, out);
    }
    om_buf_add_text(out, object ? "}" : "]");
}

/* What values of columns are called, of columns that are something to who asks:
 * {"level": {"lenient": "宽管型", ...}, ...}. */
static void add_titles(const struct om__request *r,
                       const struct om_layer *layer, const char *member,
                       const struct om_json *document, struct om_buf *out)
{
    const struct om_json *all = om_json_get(document, member);
    bool first = true;
    if (om_json_kind(all) != OM_JSON_OBJECT) return;
    om_buf_addf(out, ",\n\"%s\":{", member);
    for (size_t i = 0; i < om_json_count(all); i++) {
        const char *column = "";
        const struct om_json *titles = om_json_member(all, i, &column);
        const size_t f = om_schema_find(&layer->schema, column);
        if (f == OM_NO_FIELD || is_veiled_column(r, layer, f)) continue;
        om_buf_add_text(out, first ? "" : ",");
        first = false;
        add_text(out, column);
        om_buf_add_byte(out, ':');
        add_seen(r, titles, out);
    }
    om_buf_add_byte(out, '}');
}

/* What whoever asks does not get of a layer: its rows, or some of its columns.
 */
static void add_withheld(const struct om__request *r,
                         const struct om_layer *layer, struct om_buf *out)
{
    bool columns = false;
    for (size_t i = 0; i < layer->schema.count; i++)
        columns =
            columns || (layer->schema.hidden[i] && !layer->rights.unlisted[i]);
    if (om__crowds_only(r, layer))
        om_buf_add_text(out, ",\"rows_withheld\":true");
    if (columns) om_buf_add_text(out, ",\"columns_withheld\":true");
}

static void add_layer(struct om__request *r, const struct om_layer *layer,
                      struct om_buf *out)
{
    struct om__map one, *map = &one;
    bool links = true, *first = &links;
    const struct om_manifest_layer *meta = layer->meta;
    om_buf_add_text(out, "{\"name\":");
    add_text(out, layer->name);
    add_member(out, "title", meta ? meta->title : NULL);
    add_member(out, "title_en", meta ? meta->title_en : NULL);
    add_member(out, "unit_level", meta ? meta->unit_level : NULL);
    const size_t time = layer->schema.time_field;
    add_member(out, "time",
               time == OM_NO_FIELD ? NULL : layer->schema.field[time].name);
    add_source(r, layer, out);
    const struct om_json *document =
        om_manifest_about(r->snapshot->manifest, layer->name);
    add_looks(document, out);
    add_titles(r, layer, "value_titles", document, out);
    add_titles(r, layer, "value_titles_en", document, out);
    om_buf_addf(out, ",\"geometry\":\"%s\",\"parts\":%zu,\"columns\":%zu",
                om_geometry_name(layer->schema.geometry), layer->parts,
                om_schema_shown(&layer->schema));
    om__layer_rows(r, layer, out);
    om_buf_add_text(out, ",\"crs\":");
    om__systems_add(out);
    add_withheld(r, layer, out);
    om__layer_extent(r, layer, out);
    om_buf_add_text(out, ",\"links\":[");
    for (size_t i = 0; om__map_at(r, i, map); i++)
        if (map->layer == layer && !map->picture &&
            !strcmp(map->name, layer->name)) {
            const bool rows = !om__crowds_only(r, layer);
            ADD_LINKS(LAYER);
            if (rows) ADD_LINKS(ROWS);
            if (rows && r->who->role->export) ADD_LINKS(FILES);
            add_tile_links(r, map, first, out);
        }
    om_buf_add_text(out, "]}");
}

/* Names that have tiles and are no layers: heat, levels of units. */
static void add_map(struct om__request *r, const struct om__map *map,
                    struct om_buf *out)
{
    bool links = true;
    om_buf_addf(out, "{\"name\":\"%s\",\"title\":", map->name);
    add_text(out, map->title);
    add_member(out, "title_en", map->title_en);
    om_buf_addf(out, ",\"kind\":\"%s\"",
                map->heat      ? "heat"
                : map->picture ? "base"
                               : "unit");
    if (map->layer) om_buf_addf(out, ",\"layer\":\"%s\"", map->layer->name);
    om_buf_add_text(out, ",\"links\":[");
    add_tile_links(r, map, &links, out);
    om_buf_add_text(out, "]}");
}

/* What the city's layers are to it, as city.json says: pages know no names. */
static void add_roles(const struct om__request *r, struct om_buf *out)
{
    static const char *const ROLE[] = {"wall",      "duty",      "service",
                                       "exposures", "positions", "awaited"};
    const struct om_json *city = r->snapshot->manifest->document;
    for (size_t i = 0; i < sizeof ROLE / sizeof *ROLE; i++) {
        const struct om_json *role = om_json_get(city, ROLE[i]);
        if (om_json_kind(role) == OM_JSON_NONE || is_dropped(r, role)) continue;
        om_buf_addf(out, ",\n\"%s\":", ROLE[i]);
        add_seen(r, role, out);
    }
}

static void add_city(const struct om__request *r, struct om_buf *out)
{
    static const struct om__link LINK[] = {
        {"self", "application/json", NULL, "/catalog", false},
        {"data", "application/json", "OGC API Features", "/collections", false},
        {"service-desc", "application/vnd.oai.openapi+json;version=3.0",
         "OpenAPI 3.0", "/api", false},
        {"wmts", "application/xml", "WMTS 1.0.0",
         "/wmts/1.0.0/WMTSCapabilities.xml", false},
    };
    const struct om_manifest *city = r->snapshot->manifest;
    const int64_t as_of = om_snapshot_as_of(r->snapshot, NULL);
    char text[OM_TIME_TEXT_BYTES] = "";
    om_buf_add_text(out, "{\"title\":");
    add_text(out, city->name[0] ? city->name : "onemap");
    add_member(out, "title_en",
               om_json_text(om_json_get(city->document, "name_en"), NULL));
    om_buf_addf(out, ",\"synthetic\":%s,\"sequence\":%llu",
                city->synthetic ? "true" : "false",
                (unsigned long long)r->snapshot->sequence);
    if (as_of) om_time_format(as_of, city->zone_s, text);
    add_member(out, "as_of", text);
    add_member(out, "license", license_of(city, NULL));
    om__links_add(r, LINK, sizeof LINK / sizeof *LINK, out);
    add_roles(r, out);
}

om_status om__get_catalog(struct om__request *r)
{
    struct om_buf out = {0};
    struct om__map map;
    bool first = true;
    const char *lang;
    OM_TRY(om__param_word(r, "lang", "zh en", "", &lang));
    add_city(r, &out);
    if (*lang) {
        om_buf_add_text(&out, ",\n\"names\":");
        const om_status st = om__unit_names_add(r, *lang == 'e', &out);
        if (st) om_buf_deinit(&out);
        if (st) return st;
    }
    om_buf_add_text(&out, ",\n\"layers\":[");
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        om_buf_add_text(&out, i ? ",\n" : "\n");
        add_layer(r, &r->snapshot->layer[i], &out);
    }
    om_buf_add_text(&out, "],\n\"maps\":[");
    for (size_t i = 0; om__map_at(r, i, &map); i++) {
        if (!map.picture && !strcmp(map.name, map.layer->name)) continue;
        if (!has_tiles(r, &map, "mvt") && !has_tiles(r, &map, "png")) continue;
        om_buf_add_text(&out, first ? "\n" : ",\n");
        first = false;
        add_map(r, &map, &out);
    }
    om_buf_add_text(&out, "]}\n");
    r->layer = NULL;  // it is about all of them
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}
