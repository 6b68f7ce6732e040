/* style_routes.c - MapLibre style documents: a map over the city's own base.
 *
 * A style names no sprite and no glyphs: MapLibre writes labels with the
 * fonts of the machine, and nothing is ever loaded from elsewhere. Colours of
 * categories are those of Okabe and Ito (2008), which people who confuse red
 * and green can tell apart.
 */
#include <string.h>

#include "tiles/vector/vector.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/maps.h"
#include "web/server/params.h"
#include "web/server/reply.h"

/* What is the document's own and not the tiles'. */
#define OWN "palette v"
/* Categories with a colour of their own; the rest shares the last. */
#define COLOURS 8

/* A dress. */
struct dress {
    const char *land, *water, *building, *road, *text, *halo, *line, *fill;
    const char *category[COLOURS];
};
static const struct dress DRESS[] = {
    {"#efede7",
     "#cfe0ea",
     "#e4e0d6",
     "#ffffff",
     "#17202c",
     "#f6f7f9",
     "#5a6878",
     "#0072b2",
     {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
      "#a39300", "#6b7686"}},
    {"#141e2c",
     "#0c1826",
     "#1a2636",
     "#25334a",
     "#e7edf5",
     "#0b111b",
     "#93a4ba",
     "#56b4e9",
     {"#56b4e9", "#e69f00", "#2fc79a", "#e59ac4", "#f0e442", "#5c9ded",
      "#ff8a4c", "#93a4ba"}},
};

struct style {
    const struct om__request *request;
    const struct om__map *map;
    const struct dress *dress;
    struct om_buf *out;
};

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

/* ,"NAME":{"type":..,"url":"BASE/tiles/NAME.json QUERY"} */
static void add_source(const struct style *s, const char *name, bool raster,
                       bool query)
{
    struct om_buf url = {0};
    om__add_base_url(s->request, &url);
    om_buf_add_text(&url, "/tiles/");
    om_buf_add_text(&url, name);
    om_buf_add_text(&url, ".json");
    const size_t plain = url.len;
    if (query) om__query_add(s->request, OWN, &url);
    // Pictures have colours of their own for either dress.
    if (raster)
        om_buf_addf(&url, "%cpalette=%s", url.len > plain ? '&' : '?',
                    s->dress == DRESS ? "light" : "dark");
    om_buf_add_text(s->out, ",");
    add_text(s->out, name);
    om_buf_addf(s->out, ":{\"type\":\"%s\",", raster ? "raster" : "vector");
    if (raster) om_buf_addf(s->out, "\"tileSize\":%d,", OM_TILE_SIDE_PX);
    om_buf_add_text(s->out, "\"url\":");
    om_buf_add_json_text(s->out, (const char *)url.bytes, url.len);
    om_buf_add_text(s->out, "}");
    if (url.status) s->out->status = url.status;
    om_buf_deinit(&url);
}

/* ,{"id":"NAME KIND","type":..,"source":"NAME","source-layer":LAYER, */
static void begin_layer(const struct style *s, const char *name,
                        const char *kind, const char *type, const char *layer)
{
    om_buf_addf(s->out,
                ",\n{\"id\":\"%s %s\",\"type\":\"%s\",\"source\":", name, kind,
                type);
    add_text(s->out, name);
    if (!layer) return;
    // A layer of data called cells makes the tile's own cells_.
    om_buf_addf(s->out, ",\"source-layer\":\"%s%s\"", layer,
                layer != name && !strcmp(layer, name) ? "_" : "");
}

/* ---- the base */

static bool is_base(const struct om_layer *layer, const char *kind)
{
    return layer->meta && !strcmp(layer->meta->base, kind) &&
           layer->schema.geometry != OM_GEOMETRY_POINT && layer->rows;
}

static void add_base_layer(const struct style *s, const struct om_layer *layer,
                           const char *kind)
{
    const bool line = layer->schema.geometry == OM_GEOMETRY_LINE;
    const char *colour = !strcmp(kind, "water")  ? s->dress->water
                         : !strcmp(kind, "road") ? s->dress->road
                                                 : s->dress->building;
    begin_layer(s, layer->name, "base", line ? "line" : "fill", layer->name);
    if (!strcmp(kind, "building")) om_buf_add_text(s->out, ",\"minzoom\":13");
    if (line)
        om_buf_addf(s->out,
                    ",\"paint\":{\"line-color\":\"%s\",\"line-width\":["
                    "\"interpolate\",[\"exponential\",1.6],[\"zoom\"],9,0.4,"
                    "14,1.6,18,9]}}",
                    colour);
    else
        om_buf_addf(s->out, ",\"paint\":{\"fill-color\":\"%s\"}}", colour);
}

static const char *const BASE[] = {"water", "building", "road"};
#define BASES (sizeof BASE / sizeof *BASE)

static void each_base(const struct style *s,
                      void (*each)(const struct style *s,
                                   const struct om_layer *layer,
                                   const char *kind))
{
    const struct om_snapshot *snapshot = s->request->snapshot;
    for (size_t k = 0; k < BASES; k++)
        for (size_t i = 0; i < snapshot->layers; i++) {
            const struct om_layer *layer = &snapshot->layer[i];
            if (is_base(layer, BASE[k]) &&
                (s->map->picture || layer != s->map->layer))
                each(s, layer, BASE[k]);
        }
}

static void add_base_source(const struct style *s, const struct om_layer *layer,
                            const char *kind)
{
    (void)kind;
    add_source(s, layer->name, false, false);
}

/* ---- what the map shows */

/* A colour a category: ["match",["get","kind"],"shop","#..",...,"#.."]. */
static void add_colours(const struct style *s)
{
    const struct om_layer *layer = s->map->layer;
    const size_t by = om_vector_by(layer);
    const struct om_column *c = NULL;
    // The words of other units are not told of.
    const bool known =
        by != OM_NO_FIELD && layer->parts && !s->map->crowds &&
        !layer->rights.area &&
        !om_segment_column(layer->part[0].segment, by, 0, 0, &c) &&
        c->coding == OM_CODING_DICTIONARY && c->words;
    if (!known) {
        om_buf_addf(s->out, "\"%s\"", s->dress->category[0]);
        return;
    }
    om_buf_add_text(s->out, "[\"match\",[\"get\",");
    add_text(s->out, layer->schema.field[by].name);
    om_buf_add_text(s->out, "]");
    for (size_t i = 0; i < c->words && i < COLOURS - 1; i++) {
        om_buf_add_text(s->out, ",");
        om_buf_add_json_text(s->out, c->word_bytes + c->word_offset[i],
                             c->word_offset[i + 1] - c->word_offset[i]);
        om_buf_addf(s->out, ",\"%s\"", s->dress->category[i]);
    }
    om_buf_addf(s->out, ",\"%s\"]", s->dress->category[COLOURS - 1]);
}

/* Rows that are only counted: a disc as large as its number has digits. */
static void add_cells(const struct style *s)
{
    begin_layer(s, s->map->name, "cells", "circle", "cells");
    om_buf_addf(s->out,
                ",\"paint\":{\"circle-color\":\"%s\",\"circle-opacity\":0.6,"
                "\"circle-radius\":[\"interpolate\",[\"linear\"],[\"log10\","
                "[\"max\",1,[\"get\",\"count\"]]],0,2.5,5,13]}}",
                s->dress->fill);
}

static void add_points(const struct style *s)
{
    begin_layer(s, s->map->name, "points", "circle", s->map->name);
    om_buf_addf(s->out,
                ",\"paint\":{\"circle-radius\":[\"interpolate\",[\"linear\"],"
                "[\"zoom\"],10,2,14,3.5,18,6],\"circle-stroke-width\":0.7,"
                "\"circle-stroke-color\":\"%s\",\"circle-color\":",
                s->dress->halo);
    add_colours(s);
    om_buf_add_text(s->out, "}}");
}

static void add_lines(const struct style *s, const char *kind, double width)
{
    begin_layer(s, s->map->name, kind, "line", s->map->name);
    om_buf_addf(s->out,
                ",\"paint\":{\"line-color\":\"%s\",\"line-width\":%.1f}}",
                s->dress->line, width);
}

static void add_names(const struct style *s)
{
    begin_layer(s, s->map->name, "names", "symbol", s->map->name);
    om_buf_addf(s->out,
                ",\"layout\":{\"text-field\":[\"get\",\"name\"],\"text-font\":["
                "\"Noto Sans CJK SC "
                "Regular\"],\"text-size\":12},\"paint\":{\"text-color\":\"%s\","
                "\"text-halo-color\":"
                "\"%s\",\"text-halo-width\":1.2}}",
                s->dress->text, s->dress->halo);
}

static void add_polygons(const struct style *s)
{
    const struct om_layer *layer = s->map->layer;
    const bool unit = layer->meta && layer->meta->unit_level[0];
    begin_layer(s, s->map->name, "areas", "fill", s->map->name);
    om_buf_addf(s->out, ",\"paint\":{\"fill-opacity\":%s,\"fill-color\":",
                unit ? "0.06" : "0.5");
    if (unit)
        om_buf_addf(s->out, "\"%s\"", s->dress->fill);
    else
        add_colours(s);
    om_buf_add_text(s->out, "}}");
    add_lines(s, "borders", unit ? 1.2 : 0.5);
    const size_t name = om_schema_find(&layer->schema, "name");
    if (unit && name != OM_NO_FIELD) add_names(s);
}

/* The base map is its layers, and nothing over them. */
static bool is_base_map(const struct style *s)
{
    return !strncmp(s->map->name, "base", 4) && !s->map->layer;
}

static void add_map(const struct style *s)
{
    if (is_base_map(s)) return;
    if (s->map->picture) {
        begin_layer(s, s->map->name, "picture", "raster", NULL);
        om_buf_add_text(s->out, ",\"paint\":{\"raster-opacity\":0.85}}");
        return;
    }
    switch (s->map->layer->schema.geometry) {
        case OM_GEOMETRY_POINT:
            add_points(s);
            break;
        case OM_GEOMETRY_LINE:
            add_lines(s, "lines", 1.6);
            break;
        case OM_GEOMETRY_POLYGON:
            add_polygons(s);
            break;
    }
    add_cells(s);
}

static void add_document(const struct style *s)
{
    const struct om_snapshot *snapshot = s->request->snapshot;
    double b[4];
    om__map_bounds(s->map, b);
    om_buf_add_text(s->out, "{\"version\":8,\"name\":");
    add_text(s->out, s->map->title);
    om_buf_addf(s->out,
                ",\"metadata\":{\"onemap:map\":\"%s\",\"onemap:sequence\":%llu,"
                "\"onemap:synthetic\":%s},\"center\":[%.6f,%.6f],\"zoom\":%u,\n"
                "\"sources\":{",
                s->map->name, (unsigned long long)snapshot->sequence,
                snapshot->manifest->synthetic ? "true" : "false",
                (b[0] + b[2]) / 2, (b[1] + b[3]) / 2, om__map_zoom(b));
    const size_t start = s->out->len;
    each_base(s, add_base_source);
    if (!is_base_map(s)) add_source(s, s->map->name, s->map->picture, true);
    // Instead of a comma, if there are sources at all.
    if (!s->out->status && s->out->len > start) s->out->bytes[start] = '\n';
    om_buf_addf(s->out,
                "},\n\"layers\":[\n{\"id\":\"land\",\"type\":\"background\","
                "\"paint\":{\"background-color\":\"%s\"}}",
                s->dress->land);
    each_base(s, add_base_layer);
    add_map(s);
    om_buf_add_text(s->out, "]}\n");
}

om_status om__get_style(struct om__request *r)
{
    const char *segment = r->address.segment[1], *palette;
    char *name = om_arena_text(&om__lane(r->server)->arena, segment,
                               strlen(segment) - strlen(".json"));
    struct om__map map;
    struct om_buf out = {0};
    if (!name) return OM_E_MEMORY;
    OM_TRY(om__map_find(r, name, &map));
    OM_TRY(om__param_word(r, "palette", "light dark", "light", &palette));
    OM_TRY(om__map_check(r, name, map.picture ? "png" : "mvt",
                         map.picture ? "v" : OWN));
    const struct style style = {.request = r,
                                .map = &map,
                                .dress = &DRESS[!strcmp(palette, "dark")],
                                .out = &out};
    add_document(&style);
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}
