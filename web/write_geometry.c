// write_geometry.c - geometries of GeoJSON (RFC 7946) onto the grid.
#include <string.h>

#include "web/write_internal.h"

static struct om_buf *buf_of(struct om__shape_bufs *s, size_t i)
{
    struct om_buf *const all[] = {&s->shape_part, &s->part_ring,
                                  &s->ring_vertex, &s->x, &s->y};
    return all[i];
}

void om__shapes_clear(struct om__shape_bufs *s)
{
    for (size_t i = 0; i < 5; i++) om_buf_clear(buf_of(s, i));
}

void om__shapes_deinit(struct om__shape_bufs *s)
{
    for (size_t i = 0; i < 5; i++) om_buf_deinit(buf_of(s, i));
}

static uint32_t count_of(const struct om_buf *starts)
{
    return starts->len ? (uint32_t)(starts->len / sizeof(uint32_t) - 1) : 0;
}

struct om_shapes om__shapes_view(const struct om__shape_bufs *s)
{
    return (struct om_shapes){.count = count_of(&s->shape_part),
                              .shape_part = (const void *)s->shape_part.bytes,
                              .part_ring = (const void *)s->part_ring.bytes,
                              .ring_vertex = (const void *)s->ring_vertex.bytes,
                              .x = (const void *)s->x.bytes,
                              .y = (const void *)s->y.bytes};
}

static om_status add_u32(struct om_buf *buf, uint32_t n)
{
    if (!buf->len) {
        const uint32_t zero = 0;
        OM_TRY(om_buf_add(buf, &zero, sizeof zero));
    }
    return om_buf_add(buf, &n, sizeof n);
}

/* Ends of rings, parts and shapes are the counts of what is below them. */
static om_status end_ring(struct om__shape_bufs *s)
{
    return add_u32(&s->ring_vertex, (uint32_t)(s->x.len / sizeof(double)));
}
static om_status end_part(struct om__shape_bufs *s)
{
    return add_u32(&s->part_ring, count_of(&s->ring_vertex));
}
static om_status end_shape(struct om__shape_bufs *s)
{
    return add_u32(&s->shape_part, count_of(&s->part_ring));
}

om_status om__shapes_append(struct om__shape_bufs *to,
                            const struct om__shape_bufs *from)
{
    const struct om_shapes view = om__shapes_view(from);
    if (!view.count) {  // a patch without a geometry
        OM_TRY(end_ring(to));
        OM_TRY(end_part(to));
        return end_shape(to);
    }
    for (uint32_t p = 0; p < view.shape_part[1]; p++) {
        for (uint32_t r = view.part_ring[p]; r < view.part_ring[p + 1]; r++) {
            const uint32_t first = view.ring_vertex[r];
            const size_t bytes =
                (view.ring_vertex[r + 1] - first) * sizeof(double);
            OM_TRY(om_buf_add(&to->x, view.x + first, bytes));
            OM_TRY(om_buf_add(&to->y, view.y + first, bytes));
            OM_TRY(end_ring(to));
        }
        OM_TRY(end_part(to));
    }
    return end_shape(to);
}

om_status om__shapes_set(struct om__shape_bufs *to, const struct om_rings *r)
{
    om__shapes_clear(to);
    for (uint32_t p = r->shape_part[0]; p < r->shape_part[1]; p++) {
        for (uint32_t i = r->part_ring[p]; i < r->part_ring[p + 1]; i++) {
            const uint32_t end = r->ring_vertex[i + 1];
            for (uint32_t v = r->ring_vertex[i]; v < end; v++) {
                const double x = r->vertex[v].x, y = r->vertex[v].y;
                OM_TRY(om_buf_add(&to->x, &x, sizeof x));
                OM_TRY(om_buf_add(&to->y, &y, sizeof y));
            }
            OM_TRY(end_ring(to));
        }
        OM_TRY(end_part(to));
    }
    return end_shape(to);
}

/* Two numbers, or three of which the height is left out. */
static bool read_position(struct om_body *body, const struct om_json *position,
                          double *lon, double *lat)
{
    const size_t n = om_json_count(position);
    bool good = om_json_kind(position) == OM_JSON_LIST && (n == 2 || n == 3);
    for (size_t i = 0; i < n && good; i++)
        good = om_json_kind(om_json_at(position, i)) == OM_JSON_NUMBER;
    if (!good) {
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "a position is a list of two numbers");
        return false;
    }
    *lon = om_json_real(om_json_at(position, 0), 0);
    *lat = om_json_real(om_json_at(position, 1), 0);
    return om__row_position(body, *lon, *lat);
}

/* A list of positions as a ring; of polygons without its last, repeated one. */
static om_status read_ring(struct om_body *body, const struct om_json *list,
                           bool closed)
{
    const size_t n = om_json_count(list);
    const size_t least = closed ? 4 : 2;
    double first_lon = 0, first_lat = 0, lon = 0, lat = 0;
    if (om_json_kind(list) != OM_JSON_LIST || n < least) {
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      closed ? "a ring has at least four positions"
                             : "a line has at least two positions");
        return OM_OK;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_position(body, om_json_at(list, i), &lon, &lat)) return OM_OK;
        if (i == 0) {
            first_lon = lon;
            first_lat = lat;
        }
        if (closed && i == n - 1) break;
        double x, y;
        OM_TRY(om_pos_world(lon, lat, &x, &y));
        OM_TRY(om_buf_add(&body->shape.x, &x, sizeof x));
        OM_TRY(om_buf_add(&body->shape.y, &y, sizeof y));
    }
    if (closed && (lon != first_lon || lat != first_lat))
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "a ring ends where it begins");
    return end_ring(&body->shape);
}

static om_status read_part(struct om_body *body, const struct om_json *list,
                           bool polygon)
{
    if (!polygon) {
        OM_TRY(read_ring(body, list, false));
        return body->bad ? OM_OK : end_part(&body->shape);
    }
    const size_t rings = om_json_count(list);
    if (om_json_kind(list) != OM_JSON_LIST || !rings) {
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "a polygon is a list of rings");
        return OM_OK;
    }
    for (size_t i = 0; i < rings && !body->bad; i++)
        OM_TRY(read_ring(body, om_json_at(list, i), true));
    return body->bad ? OM_OK : end_part(&body->shape);
}

static om_status read_parts(struct om_body *body, const struct om_json *list,
                            bool polygon)
{
    const size_t parts = om_json_count(list);
    if (om_json_kind(list) != OM_JSON_LIST || !parts) {
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "coordinates is an empty list, or none");
        return OM_OK;
    }
    for (size_t i = 0; i < parts && !body->bad; i++)
        OM_TRY(read_part(body, om_json_at(list, i), polygon));
    return OM_OK;
}

/* How deep the numbers of coordinates lie in lists; 1: a position. */
static size_t depth_of(const struct om_json *at)
{
    size_t depth = 0;
    for (; om_json_kind(at) == OM_JSON_LIST; at = om_json_at(at, 0)) depth++;
    return depth;
}

/* What a patch leaves out of a geometry stays as it is (RFC 7396). Of a type
 * alone nothing changes; coordinates alone are replaced, and say by their depth
 * whether they are of one part. True: nothing is to be read. */
static bool patch_geometry(const struct om_body *body,
                           const struct om_json *geometry, const char *single,
                           const char *multi, const char **type)
{
    if (!body->rules->patch || om_json_kind(geometry) != OM_JSON_OBJECT)
        return false;
    const struct om_json *at = om_json_get(geometry, "coordinates");
    const struct om_json *given = om_json_get(geometry, "type");
    if (om_json_kind(at) == OM_JSON_NONE)
        return om_json_kind(given) == OM_JSON_NONE || !strcmp(*type, single) ||
               (body->schema.geometry != OM_GEOMETRY_POINT &&
                !strcmp(*type, multi));
    const size_t depth = (size_t)body->schema.geometry + 1;
    if (om_json_kind(given) == OM_JSON_NONE)
        *type = depth_of(at) > depth ? multi : single;
    return false;
}

om_status om__row_geometry(struct om_body *body, const struct om_json *geometry)
{
    static const char *const SINGLE[] = {"Point", "LineString", "Polygon"};
    static const char *const MULTI[] = {"MultiPoint", "MultiLineString",
                                        "MultiPolygon"};
    const enum om_geometry want = body->schema.geometry;
    const char *type = om_json_text(om_json_get(geometry, "type"), "");
    const struct om_json *at = om_json_get(geometry, "coordinates");
    if (patch_geometry(body, geometry, SINGLE[want], MULTI[want], &type))
        return OM_OK;
    const bool multi = !strcmp(type, MULTI[want]);
    if (om_json_kind(geometry) != OM_JSON_OBJECT ||
        (!multi && strcmp(type, SINGLE[want]) != 0)) {
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "the layer has %ss, this is %s%.40s",
                      om_geometry_name(want), type[0] ? "a " : "none", type);
        return OM_OK;
    }
    body->geometry_given = true;
    double lon, lat;
    if (want == OM_GEOMETRY_POINT) {
        if (multi && om_json_count(at) != 1)
            om__row_fault(body, OM_E_GEOMETRY, "geometry",
                          "a row has one point, not %zu", om_json_count(at));
        else
            read_position(body, multi ? om_json_at(at, 0) : at, &lon, &lat);
        return OM_OK;
    }
    const bool polygon = want == OM_GEOMETRY_POLYGON;
    OM_TRY(multi ? read_parts(body, at, polygon)
                 : read_part(body, at, polygon));
    return body->bad ? OM_OK : end_shape(&body->shape);
}
