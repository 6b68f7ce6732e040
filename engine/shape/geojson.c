// geojson.c - the polygons of a GeoJSON text, RFC 7946.
#include <string.h>

#include "data/json.h"
#include "engine/shape/text.h"

/* Collections inside collections: bounds the stack. */
#define MAX_DEPTH 16

static om_status fail(const struct om__reading *reading, const char *what)
{
    return om_fail(reading->err, OM_E_FORMAT, 0, "GeoJSON: %s", what);
}

static om_status read_ring(struct om__reading *reading,
                           const struct om_json *ring)
{
    if (om_json_kind(ring) != OM_JSON_LIST)
        return fail(reading, "a ring must be a list of positions");
    const size_t n = om_json_count(ring);
    for (size_t i = 0; i < n; i++) {
        const struct om_json *position = om_json_at(ring, i);
        const struct om_json *lon = om_json_at(position, 0);
        const struct om_json *lat = om_json_at(position, 1);
        if (om_json_kind(position) != OM_JSON_LIST ||
            om_json_kind(lon) != OM_JSON_NUMBER ||
            om_json_kind(lat) != OM_JSON_NUMBER)
            return fail(reading, "a position must be two numbers");
        OM_TRY(om__reading_add(reading, 0, om_json_real(lon, 0),
                               om_json_real(lat, 0)));
    }
    return om__reading_end_ring(reading, 0);
}

static om_status read_polygon(struct om__reading *reading,
                              const struct om_json *rings)
{
    if (om_json_kind(rings) != OM_JSON_LIST)
        return fail(reading, "coordinates must be a list of rings");
    const size_t n = om_json_count(rings);
    for (size_t i = 0; i < n; i++)
        OM_TRY(read_ring(reading, om_json_at(rings, i)));
    return n ? om__ringset_end_part(&reading->set) : OM_OK;
}

static om_status read_value(struct om__reading *reading,
                            const struct om_json *value, int depth);

static om_status read_each(struct om__reading *reading,
                           const struct om_json *list, int depth)
{
    if (om_json_kind(list) != OM_JSON_LIST)
        return fail(reading, "a collection must have a list");
    if (depth == MAX_DEPTH) return fail(reading, "nested too deeply");
    const size_t n = om_json_count(list);
    for (size_t i = 0; i < n; i++)
        OM_TRY(read_value(reading, om_json_at(list, i), depth + 1));
    return OM_OK;
}

static om_status read_value(struct om__reading *reading,
                            const struct om_json *value, int depth)
{
    const char *type = om_json_text(om_json_get(value, "type"), "");
    const struct om_json *coordinates = om_json_get(value, "coordinates");
    if (strcmp(type, "Polygon") == 0) return read_polygon(reading, coordinates);
    if (strcmp(type, "MultiPolygon") == 0) {
        if (om_json_kind(coordinates) != OM_JSON_LIST)
            return fail(reading, "coordinates must be a list of polygons");
        const size_t n = om_json_count(coordinates);
        for (size_t i = 0; i < n; i++)
            OM_TRY(read_polygon(reading, om_json_at(coordinates, i)));
        return OM_OK;
    }
    if (strcmp(type, "GeometryCollection") == 0)
        return read_each(reading, om_json_get(value, "geometries"), depth);
    if (strcmp(type, "FeatureCollection") == 0)
        return read_each(reading, om_json_get(value, "features"), depth);
    if (strcmp(type, "Feature") == 0) {
        const struct om_json *geometry = om_json_get(value, "geometry");
        if (om_json_kind(geometry) == OM_JSON_NULL) return OM_OK;
        if (depth == MAX_DEPTH) return fail(reading, "nested too deeply");
        return read_value(reading, geometry, depth + 1);
    }
    return fail(reading,
                "a Polygon, a MultiPolygon, or a Feature or collection of "
                "them is expected");
}

om_status om__geojson_read(struct om__reading *reading, const char *text,
                           size_t len)
{
    struct om_json *document;
    OM_TRY(om_json_parse(text, len, &document, reading->err));
    const om_status st = read_value(reading, document, 0);
    om_json_free(document);
    return st;
}
