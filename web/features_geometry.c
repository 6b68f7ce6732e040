/* features_geometry.c - positions and rings in degrees, as GeoJSON, WKT and
 * arrays.
 *
 * RFC 7946 wants outer rings counter-clockwise and holes clockwise as seen on
 * a map; WKT has no rule but readers like the same. Rings are turned here,
 * since the grid's y grows southward and what lies in a layer may be either.
 */
#include <math.h>
#include <string.h>

#include "web/features_internal.h"

void om__degrees(struct om_buf *buf, double deg)
{
    // Twelve characters at most: -180.0000000
    char text[24];
    const int64_t e7 = llround(deg * 1e7);
    uint64_t rest = (uint64_t)(e7 < 0 ? -e7 : e7);
    size_t at = sizeof text;
    int decimals = 7;
    while (decimals && rest % 10 == 0) {
        rest /= 10;
        decimals--;
    }
    for (int i = 0; i < decimals; i++, rest /= 10)
        text[--at] = (char)('0' + rest % 10);
    if (decimals) text[--at] = '.';
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (e7 < 0) text[--at] = '-';
    om_buf_add(buf, text + at, sizeof text - at);
}

om_status om__rows_pos(const struct om__rows *rows, const struct om_hit *hit,
                       struct om_pos *out)
{
    const uint64_t *key;
    OM_TRY(om_segment_keys(rows->layer->part[hit->part].segment, hit->row,
                           hit->row + 1, &key));
    *out = om_morton_pos(key[hit->row]);
    return OM_OK;
}

/* How coordinates are written, and where to: "[lon,lat]" in brackets, or
 * "lon lat" in parentheses. */
struct pen {
    struct om_buf *buf;
    char open, close, between;
    bool each;                   // brackets around each position
    struct om_project *project;  // NULL: degrees
    bool turned;                 // north before east
    bool nowhere;                // a position has no image in the system
};

static struct pen json_pen(struct om_buf *buf, struct om_project *project)
{
    return (struct pen){
        .buf = buf,
        .open = '[',
        .close = ']',
        .between = ',',
        .each = true,
        .project = project,
        .turned = project && om_project_system(project)->north_first};
}

static struct pen wkt_pen(struct om_buf *buf, struct om_project *project)
{
    return (struct pen){.buf = buf,
                        .open = '(',
                        .close = ')',
                        .between = ' ',
                        .project = project};
}

om_status om__place_out(struct om_project *project, struct om_pos pos,
                        double *x, double *y)
{
    om_pos_to_lonlat(pos, x, y);
    return project ? om_project_from_lonlat(project, x, y, 1) : OM_OK;
}

void om__number_out(struct om_buf *buf, const struct om_project *project,
                    double value)
{
    if (!project || om_project_system(project)->degrees)
        om__degrees(buf, value);
    else
        om_buf_add_fixed(buf, value, om_project_system(project)->decimals);
}

static void put_pos(struct pen *p, struct om_pos pos)
{
    double x, y;
    const om_status st = om__place_out(p->project, pos, &x, &y);
    if (st) p->buf->status = st;
    if (st || !isfinite(x)) {
        p->nowhere = true;
        return;
    }
    if (p->each) om_buf_add_byte(p->buf, (uint8_t)p->open);
    om__number_out(p->buf, p->project, p->turned ? y : x);
    om_buf_add_byte(p->buf, (uint8_t)p->between);
    om__number_out(p->buf, p->project, p->turned ? x : y);
    if (p->each) om_buf_add_byte(p->buf, (uint8_t)p->close);
}

/* Does the ring run counter-clockwise on a map? Twice its area, with y up;
 * coordinates are taken from the first vertex, which keeps doubles exact
 * enough for any ring smaller than the earth. */
static bool runs_left(const struct om_pos *vertex, size_t n)
{
    double twice = 0.0;
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        const double xi = (double)vertex[i].x - vertex[0].x;
        const double yi = (double)vertex[0].y - vertex[i].y;
        const double xj = (double)vertex[j].x - vertex[0].x;
        const double yj = (double)vertex[0].y - vertex[j].y;
        twice += xj * yi - xi * yj;
    }
    return twice > 0.0;
}

/* Vertex i of a ring in the direction it should run. */
struct turned {
    const struct om_pos *vertex;
    size_t count;
    bool reverse;
};
static struct turned ring_of(const struct om_rings *rings, uint32_t ring,
                             bool closed, bool left)
{
    const uint32_t from = rings->ring_vertex[ring];
    const size_t n = rings->ring_vertex[ring + 1] - from;
    struct turned t = {rings->vertex + from, n, false};
    if (closed && n) t.reverse = runs_left(t.vertex, n) != left;
    return t;
}
static struct om_pos vertex_of(const struct turned *t, size_t i)
{
    return t->vertex[t->reverse ? t->count - 1 - i : i];
}

static void put_ring(struct pen *p, const struct turned *ring, bool closed)
{
    om_buf_add_byte(p->buf, (uint8_t)p->open);
    for (size_t i = 0; i < ring->count; i++) {
        if (i) om_buf_add_byte(p->buf, ',');
        put_pos(p, vertex_of(ring, i));
    }
    if (closed && ring->count) {
        om_buf_add_byte(p->buf, ',');
        put_pos(p, vertex_of(ring, 0));
    }
    om_buf_add_byte(p->buf, (uint8_t)p->close);
}

/* One part: a polygon's rings in brackets of their own, a line's bare. */
static void put_part(struct pen *p, const struct om_rings *rings, uint32_t part,
                     bool closed)
{
    if (closed) om_buf_add_byte(p->buf, (uint8_t)p->open);
    const uint32_t first = rings->part_ring[part];
    for (uint32_t r = first; r < rings->part_ring[part + 1]; r++) {
        if (r > first) om_buf_add_byte(p->buf, ',');
        const struct turned ring = ring_of(rings, r, closed, r == first);
        put_ring(p, &ring, closed);
    }
    if (closed) om_buf_add_byte(p->buf, (uint8_t)p->close);
}

static void put_shape(struct pen *p, const struct om_rings *rings, size_t shape,
                      bool closed)
{
    const uint32_t first = rings->shape_part[shape];
    const uint32_t end = rings->shape_part[shape + 1];
    if (end - first > 1) om_buf_add_byte(p->buf, (uint8_t)p->open);
    for (uint32_t part = first; part < end; part++) {
        if (part > first) om_buf_add_byte(p->buf, ',');
        put_part(p, rings, part, closed);
    }
    if (end - first > 1) om_buf_add_byte(p->buf, (uint8_t)p->close);
}

/* "Polygon", "MULTIPOLYGON" ...; NULL for a shape without parts. */
static const char *shape_type(const struct om_rings *rings, size_t shape,
                              bool closed, bool wkt)
{
    const uint32_t parts =
        rings->shape_part[shape + 1] - rings->shape_part[shape];
    if (!parts) return NULL;
    if (closed)
        return parts > 1 ? wkt ? "MULTIPOLYGON" : "MultiPolygon"
               : wkt     ? "POLYGON"
                         : "Polygon";
    return parts > 1 ? wkt ? "MULTILINESTRING" : "MultiLineString"
           : wkt     ? "LINESTRING"
                     : "LineString";
}

static om_status rings_of(const struct om__rows *rows, const struct om_hit *hit,
                          struct om_rings *out)
{
    return om_segment_rings(rows->layer->part[hit->part].segment, hit->row,
                            hit->row + 1, out);
}

/* Where a position has no image, the row has no geometry. */
static om_status finish(struct pen *p, size_t start, const char *otherwise)
{
    if (!p->nowhere || p->buf->status) return p->buf->status;
    p->buf->len = start;
    return om_buf_add_text(p->buf, otherwise);
}

static om_status shape_json(struct pen *p, const struct om_rings *rings,
                            size_t shape, bool closed)
{
    const char *type = shape_type(rings, shape, closed, false);
    if (!type) return om_buf_add_text(p->buf, "null");
    const size_t start = p->buf->len;
    om_buf_addf(p->buf, "{\"type\":\"%s\",\"coordinates\":", type);
    put_shape(p, rings, shape, closed);
    om_buf_add_byte(p->buf, '}');
    return finish(p, start, "null");
}

om_status om__shape_json(struct om_buf *buf, const struct om_rings *rings,
                         size_t shape, bool closed)
{
    struct pen pen = json_pen(buf, NULL);
    return shape_json(&pen, rings, shape, closed);
}

om_status om__geometry_json(struct om_buf *buf, const struct om__rows *rows,
                            const struct om_hit *hit)
{
    struct pen pen = json_pen(buf, rows->project);
    if (rows->layer->schema.geometry == OM_GEOMETRY_POINT) {
        struct om_pos pos;
        const size_t start = buf->len;
        OM_TRY(om__rows_pos(rows, hit, &pos));
        om_buf_add_text(buf, "{\"type\":\"Point\",\"coordinates\":");
        put_pos(&pen, pos);
        om_buf_add_byte(buf, '}');
        return finish(&pen, start, "null");
    }
    const bool closed = rows->layer->schema.geometry == OM_GEOMETRY_POLYGON;
    struct om_rings rings;
    OM_TRY(rings_of(rows, hit, &rings));
    return shape_json(&pen, &rings, hit->row, closed);
}

om_status om__geometry_wkt(struct om_buf *buf, const struct om__rows *rows,
                           const struct om_hit *hit)
{
    const bool closed = rows->layer->schema.geometry == OM_GEOMETRY_POLYGON;
    struct pen pen = wkt_pen(buf, rows->project);
    struct om_rings rings;
    OM_TRY(rings_of(rows, hit, &rings));
    const char *type = shape_type(&rings, hit->row, closed, true);
    if (!type) return OM_OK;
    const size_t start = buf->len;
    om_buf_add_text(buf, type);
    om_buf_add_byte(buf, ' ');
    put_shape(&pen, &rings, hit->row, closed);
    return finish(&pen, start, "");
}

static om_status sink_point(const struct om__rows *rows,
                            const struct om_hit *hit, struct om_arena *arena,
                            struct om_sink_geometry *out)
{
    double *at = om_arena_alloc(arena, 2 * sizeof *at);
    struct om_pos pos;
    if (!at) return OM_E_MEMORY;
    OM_TRY(om__rows_pos(rows, hit, &pos));
    OM_TRY(om__place_out(rows->project, pos, &at[0], &at[1]));
    if (!isfinite(at[0])) return OM_OK;
    out->lon_deg = &at[0];
    out->lat_deg = &at[1];
    return OM_OK;
}

om_status om__geometry_sink(const struct om__rows *rows,
                            const struct om_hit *hit, struct om_arena *arena,
                            struct om_sink_geometry *out)
{
    const enum om_geometry geometry = rows->layer->schema.geometry;
    *out = (struct om_sink_geometry){0};
    if (geometry == OM_GEOMETRY_POINT) return sink_point(rows, hit, arena, out);
    struct om_rings rings;
    OM_TRY(rings_of(rows, hit, &rings));
    const uint32_t first = rings.shape_part[hit->row];
    const uint32_t parts = rings.shape_part[hit->row + 1] - first;
    if (!parts) return OM_OK;
    const uint32_t ring0 = rings.part_ring[first];
    const uint32_t ring_count = rings.part_ring[first + parts] - ring0;
    const uint32_t vertex0 = rings.ring_vertex[ring0];
    const size_t vertices = rings.ring_vertex[ring0 + ring_count] - vertex0;
    uint32_t *part_ring =
        om_arena_alloc(arena, (parts + 1) * sizeof *part_ring);
    uint32_t *ring_vertex =
        om_arena_alloc(arena, (ring_count + 1) * sizeof *ring_vertex);
    double *lon_deg = om_arena_alloc(arena, vertices * sizeof *lon_deg);
    double *lat_deg = om_arena_alloc(arena, vertices * sizeof *lat_deg);
    if (!part_ring || !ring_vertex || !lon_deg || !lat_deg) return OM_E_MEMORY;
    const bool closed = geometry == OM_GEOMETRY_POLYGON;
    size_t n = 0;
    for (uint32_t p = 0; p < parts; p++) {
        part_ring[p] = rings.part_ring[first + p] - ring0;
        const uint32_t end = rings.part_ring[first + p + 1];
        for (uint32_t r = rings.part_ring[first + p]; r < end; r++) {
            const bool outer = r == rings.part_ring[first + p];
            const struct turned ring = ring_of(&rings, r, closed, outer);
            ring_vertex[r - ring0] = (uint32_t)n;
            for (size_t i = 0; i < ring.count; i++, n++)
                om_pos_to_lonlat(vertex_of(&ring, i), &lon_deg[n], &lat_deg[n]);
        }
    }
    part_ring[parts] = ring_count;
    ring_vertex[ring_count] = (uint32_t)n;
    if (rows->project)
        OM_TRY(om_project_from_lonlat(rows->project, lon_deg, lat_deg, n));
    for (size_t i = 0; i < n; i++)
        if (!isfinite(lon_deg[i])) return OM_OK;
    *out = (struct om_sink_geometry){parts, part_ring, ring_vertex, lon_deg,
                                     lat_deg};
    return OM_OK;
}
