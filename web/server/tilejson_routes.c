// tilejson_routes.c - TileJSON 3.0 of a map, and its metadata as GDAL reads it.
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/maps.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/tile_maker.h"
#include "web/vector.h"

/* What is the document's own and not the tiles'. */
#define OWN "f v"

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

/* ,"key":"BASE/before NAME after QUERY" */
static void add_url(const struct om__request *r, const char *before,
                    const char *name, const char *after, struct om_buf *out)
{
    struct om_buf url = {0};
    om__add_base_url(r, &url);
    om_buf_add_text(&url, before);
    om_buf_add_text(&url, name);
    om_buf_add_text(&url, after);
    om__query_add(r, OWN, &url);
    om_buf_add_json_text(out, (const char *)url.bytes, url.len);
    if (url.status) out->status = url.status;
    om_buf_deinit(&url);
}

om_status om__vector_layers_add(struct om__request *r,
                                const struct om__map *map, struct om_buf *out)
{
    struct om_vector_ask ask;
    const char *list = om__param_text(r, "properties");
    om_vector_ask_begin(&ask, r->layer);
    if (list) OM_TRY(om_vector_ask_properties(&ask, r->layer, list, &r->err));
    ask.nameless = om__vector_nameless(r, &ask);
    const struct om_vector_spec spec =
        om_vector_ask_spec(&ask, r->snapshot, r->layer, NULL, map->name);
    om_buf_add_byte(out, '[');
    om_vector_layers_write(&spec, map->title, om__map_zoom_max(map), out);
    return om_buf_add_byte(out, ']');
}

static void add_place(const struct om__map *map, struct om_buf *out)
{
    double b[4];
    om__map_bounds(map, b);
    om_buf_addf(out,
                ",\"minzoom\":0,\"maxzoom\":%u,\"bounds\":[%.6f,%.6f,%.6f,"
                "%.6f],\"center\":[%.6f,%.6f,%u]",
                om__map_zoom_max(map), b[0], b[1], b[2], b[3],
                (b[0] + b[2]) / 2, (b[1] + b[3]) / 2, om__map_zoom(b));
}

static void add_city(const struct om__request *r, struct om_buf *out)
{
    const struct om_manifest *city = r->snapshot->manifest;
    char text[OM_TIME_TEXT_BYTES];
    const int64_t as_of = om_snapshot_as_of(r->snapshot, r->layer);
    om_buf_addf(out, ",\"sequence\":%llu,\"synthetic\":%s",
                (unsigned long long)r->snapshot->sequence,
                city->synthetic ? "true" : "false");
    if (!as_of) return;
    om_time_format(as_of, city->zone_s, text);
    om_buf_addf(out, ",\"as_of\":\"%s\"", text);
}

/* "NAME.json" without its end, in the lane's arena. */
static char *stem_of(struct om__request *r, const char *segment)
{
    return om_arena_text(&om__lane(r->server)->arena, segment,
                         strlen(segment) - strlen(".json"));
}

om_status om__get_tilejson(struct om__request *r)
{
    const char *name = stem_of(r, r->address.segment[1]), *form;
    struct om__map map;
    struct om_buf out = {0};
    if (!name) return OM_E_MEMORY;
    OM_TRY(om__map_find(r, name, &map));
    OM_TRY(
        om__param_word(r, "f", "mvt png", map.picture ? "png" : "mvt", &form));
    OM_TRY(om__map_check(r, name, form, OWN));
    const bool vector = !strcmp(form, "mvt");

    om_buf_add_text(&out, "{\"tilejson\":\"3.0.0\",\"name\":");
    add_text(&out, map.name);
    om_buf_add_text(&out, ",\"description\":");
    add_text(&out, map.title);
    om_buf_addf(&out,
                ",\"version\":\"1.0.0\",\"scheme\":\"xyz\",\"format\":\"%s\","
                "\"tiles\":[",
                vector ? "pbf" : "png");
    add_url(r, "/tiles/", name,
            vector ? "/{z}/{x}/{y}.mvt" : "/{z}/{x}/{y}.png", &out);
    om_buf_add_text(&out, "]");
    if (map.heat || (!vector && map.layer)) {
        om_buf_add_text(&out, ",\"legend\":");
        add_url(r, "/legend/", name, ".json", &out);
    }
    om_buf_add_text(&out, ",\"vector_layers\":");
    const om_status st = vector ? om__vector_layers_add(r, &map, &out)
                                : om_buf_add_text(&out, "[]");
    if (st) {
        om_buf_deinit(&out);
        return st;
    }
    om_buf_add_text(&out, ",\"attribution\":");
    om__attribution_add(r, &map, &out);
    add_place(&map, &out);
    add_city(r, &out);
    om_buf_add_text(&out, "}\n");
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

/* metadata.json as it lies in MBTiles and beside folders of tiles: GDAL's MVT
 * driver asks for it first. All values are texts, the layers JSON in a text. */
om_status om__get_metadata(struct om__request *r)
{
    struct om__map map;
    struct om_buf out = {0}, layers = {0};
    double b[4];
    OM_TRY(om__map_find(r, r->address.segment[1], &map));
    OM_TRY(om__map_check(r, map.name, "mvt", OWN));
    om__map_bounds(&map, b);
    om_buf_add_text(&out, "{\"name\":");
    add_text(&out, map.name);
    om_buf_add_text(&out, ",\"description\":");
    add_text(&out, map.title);
    om_buf_add_text(&out, ",\"attribution\":");
    om__attribution_add(r, &map, &out);
    om_buf_addf(&out,
                ",\"version\":\"2\",\"type\":\"overlay\",\"format\":\"pbf\","
                "\"minzoom\":\"0\",\"maxzoom\":\"%u\","
                "\"bounds\":\"%.6f,%.6f,%.6f,%.6f\","
                "\"center\":\"%.6f,%.6f,%u\",\"json\":",
                om__map_zoom_max(&map), b[0], b[1], b[2], b[3],
                (b[0] + b[2]) / 2, (b[1] + b[3]) / 2, om__map_zoom(b));
    om_buf_add_text(&layers, "{\"vector_layers\":");
    const om_status st = om__vector_layers_add(r, &map, &layers);
    om_buf_add_text(&layers, "}");
    om_buf_add_json_text(&out, (const char *)layers.bytes, layers.len);
    om_buf_add_text(&out, "}\n");
    if (layers.status) out.status = layers.status;
    om_buf_deinit(&layers);
    if (st) {
        om_buf_deinit(&out);
        return st;
    }
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}
