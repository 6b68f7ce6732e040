// place.c - geometry in a filter: BOX, POINT and polygons as WKT.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/pos.h"
#include "engine/filter/filter_internal.h"
#include "engine/shape/shape.h"

/* Parentheses of the deepest geometry read, a multipolygon in a collection,
 * and one to spare. */
#define WKT_DEPTH 5

static bool is_symbol(const struct om__parser *p, char symbol)
{
    const struct om__token *t = &p->lexer.token;
    return t->kind == OM__SYMBOL && t->symbol == symbol;
}

static om_status parse_coordinate(struct om__parser *p, double *out)
{
    struct om__operand value;
    const struct om__token *t = &p->lexer.token;
    if (t->kind != OM__NUMBER && !is_symbol(p, '-') && !is_symbol(p, '+'))
        return om__unexpected(p, "a coordinate");
    OM_TRY(om__parse_operand(p, &value));
    *out = value.literal.real;
    return OM_OK;
}

/* A pair as it is written becomes longitude, latitude. */
static om_status to_lonlat(struct om__parser *p, size_t at, double *first,
                           double *second)
{
    if (!p->crs) return OM_OK;
    const bool north_first = om_project_system(p->crs)->north_first;
    double x = north_first ? *second : *first;
    double y = north_first ? *first : *second;
    OM_TRY(om_project_to_lonlat(p->crs, &x, &y, 1));
    if (!isfinite(x) || !isfinite(y))
        return om_fail(p->err, OM_E_COORD, at,
                       "%g %g is nowhere in that coordinate system", *first,
                       *second);
    *first = x;
    *second = y;
    return OM_OK;
}

/* Numbers between parentheses, with commas or blanks between them. */
static om_status parse_numbers(struct om__parser *p, bool commas, size_t room,
                               double *out, size_t *count)
{
    *count = 0;
    OM_TRY(om__expect(p, '('));
    while (*count < room) {
        OM_TRY(parse_coordinate(p, &out[(*count)++]));
        if (is_symbol(p, ')')) break;
        if (commas) OM_TRY(om__expect(p, ','));
    }
    return om__expect(p, ')');
}

static om_status keep_wkt(struct om_filter *filter, struct om_buf *buf,
                          const char **out)
{
    if (buf->status) return buf->status;
    *out = om_arena_text(&filter->arena, (const char *)buf->bytes, buf->len);
    return *out ? OM_OK : OM_E_MEMORY;
}

/* ---- POINT */

static om_status parse_point(struct om__parser *p, struct om__place *place,
                             struct om_buf *buf)
{
    const size_t at = p->lexer.token.at;
    double xy[3];
    size_t n;
    OM_TRY(om__lex_next(&p->lexer));
    OM_TRY(parse_numbers(p, false, 3, xy, &n));
    if (n < 2) return om_fail(p->err, OM_E_FORMAT, at, "POINT takes lon lat");
    OM_TRY(to_lonlat(p, at, &xy[0], &xy[1]));
    if (om_pos_from_lonlat(xy[0], xy[1], &place->point))
        return om_fail(p->err, OM_E_COORD, at,
                       "POINT(%g %g) is not on the map (longitude first)",
                       xy[0], xy[1]);
    place->kind = OM__PLACE_POINT;
    om_buf_add_text(buf, "POINT(");
    om_buf_add_json_real(buf, xy[0]);
    om_buf_add_byte(buf, ' ');
    om_buf_add_json_real(buf, xy[1]);
    return om_buf_add_byte(buf, ')');
}

/* ---- BBOX, ENVELOPE */

/* Latitude of the map's northern edge, where web mercator is square; a hair
 * less, so that rounding does not put it beyond. */
static double edge_lat_deg(void)
{
    return atan(sinh(OM_PI)) * OM_DEG_PER_RAD - 1e-10;
}

static om_status box_of(double w, double s, double e, double n,
                        struct om_box *out)
{
    struct om_pos north_west, south_east;
    const double edge = edge_lat_deg();
    OM_TRY(om_pos_from_lonlat(w, fmax(fmin(n, edge), -edge), &north_west));
    OM_TRY(om_pos_from_lonlat(e, fmax(fmin(s, edge), -edge), &south_east));
    *out =
        (struct om_box){north_west.x, north_west.y, south_east.x, south_east.y};
    return OM_OK;
}

/* The boxes as rings too: what shapes are tested against. */
static om_status box_rings(struct om_filter *filter, struct om__place *place)
{
    struct om_pos *vertex = om_arena_calloc(&filter->arena, 8, sizeof *vertex);
    uint32_t *one = om_arena_calloc(&filter->arena, 3, sizeof *one);
    uint32_t *four = om_arena_calloc(&filter->arena, 3, sizeof *four);
    if (!vertex || !one || !four) return OM_E_MEMORY;
    for (uint32_t i = 0; i < 3; i++) {
        one[i] = i;
        four[i] = 4 * i;
    }
    for (size_t i = 0; i < place->boxes; i++) {
        const struct om_box b = place->box[i];
        vertex[4 * i] = (struct om_pos){b.x0, b.y0};
        vertex[4 * i + 1] = (struct om_pos){b.x0, b.y1};
        vertex[4 * i + 2] = (struct om_pos){b.x1, b.y1};
        vertex[4 * i + 3] = (struct om_pos){b.x1, b.y0};
    }
    place->rings = (struct om_rings){.count = place->boxes,
                                     .shape_part = one,
                                     .part_ring = one,
                                     .ring_vertex = four,
                                     .vertex = vertex,
                                     .box = place->box};
    return OM_OK;
}

/* West, south, east, north, of two corners as they are written. */
static om_status box_corners(struct om__parser *p, size_t at, const double *v,
                             size_t n, double corner[4])
{
    if (n != 4 && n != 6)
        return om_fail(p->err, OM_E_FORMAT, at,
                       "BBOX takes west, south, east, north");
    // With six numbers the third and last are heights, which rows have not.
    const bool turned = p->crs && om_project_system(p->crs)->north_first;
    corner[turned ? 1 : 0] = v[0];
    corner[turned ? 0 : 1] = v[1];
    corner[turned ? 3 : 2] = v[n == 6 ? 3 : 2];
    corner[turned ? 2 : 3] = v[n == 6 ? 4 : 3];
    return OM_OK;
}

/* A box of a projected system is a polygon in degrees. */
static om_status projected_box(struct om__parser *p, size_t at,
                               const double corner[4], struct om__place *place,
                               struct om_buf *buf)
{
    om_status st = om_project_box_wkt(p->crs, corner, buf);
    if (st == OM_E_RANGE || st == OM_E_COORD)
        return om_fail(p->err, OM_E_COORD, at,
                       "BBOX(%g,%g,%g,%g) is no box of that coordinate system",
                       corner[0], corner[1], corner[2], corner[3]);
    if (st) return st;
    place->kind = OM__PLACE_POLYGON;
    st = om_rings_parse((const char *)buf->bytes, buf->len, &p->filter->arena,
                        &place->rings, p->err);
    if (st && p->err) p->err->at = at;
    return st;
}

static om_status parse_box(struct om__parser *p, struct om__place *place,
                           struct om_buf *buf)
{
    const size_t at = p->lexer.token.at;
    double v[6], corner[4];
    size_t n;
    OM_TRY(om__lex_next(&p->lexer));
    OM_TRY(parse_numbers(p, true, 6, v, &n));
    OM_TRY(box_corners(p, at, v, n, corner));
    if (p->crs && !om_project_system(p->crs)->degrees)
        return projected_box(p, at, corner, place, buf);
    const double w = corner[0], s = corner[1], e = corner[2], nn = corner[3];
    om_status st = OM_OK;
    place->kind = OM__PLACE_BOX;
    place->boxes = w > e ? 2 : 1;
    if (!(s <= nn && fabs(s) <= 90 && fabs(nn) <= 90)) st = OM_E_COORD;
    if (!st) st = box_of(w, s, w > e ? 180 : e, nn, &place->box[0]);
    if (!st && w > e) st = box_of(-180, s, e, nn, &place->box[1]);
    if (st)
        return om_fail(p->err, st, at,
                       "BBOX(%g,%g,%g,%g) is not west, south, east, north in "
                       "degrees",
                       w, s, e, nn);
    for (int i = 0; i < 4; i++) {
        om_buf_add_text(buf, i ? "," : "BBOX(");
        om_buf_add_json_real(buf, corner[i]);
    }
    om_buf_add_byte(buf, ')');
    return box_rings(p->filter, place);
}

/* ---- polygons */

static bool is_polygon_name(const struct om__parser *p)
{
    return om__lex_is(&p->lexer, "POLYGON") ||
           om__lex_is(&p->lexer, "MULTIPOLYGON") ||
           om__lex_is(&p->lexer, "GEOMETRYCOLLECTION");
}

/* A position: two numbers; what follows them (a height) is printed as it is
 * and dropped by the reader of the normal form. */
static om_status wkt_position(struct om__parser *p, struct om_buf *buf)
{
    const size_t at = p->lexer.token.at;
    double xy[2] = {0, 0}, more = 0;
    OM_TRY(parse_coordinate(p, &xy[0]));
    OM_TRY(parse_coordinate(p, &xy[1]));
    OM_TRY(to_lonlat(p, at, &xy[0], &xy[1]));
    om_buf_add_json_real(buf, xy[0]);
    om_buf_add_byte(buf, ' ');
    om_buf_add_json_real(buf, xy[1]);
    while (!is_symbol(p, ',') && !is_symbol(p, ')')) {
        OM_TRY(parse_coordinate(p, &more));
        om_buf_add_byte(buf, ' ');
        om_buf_add_json_real(buf, more);
    }
    return buf->status;
}

/* One token of WKT, or a position, printed in its normal form. */
static om_status wkt_token(struct om__parser *p, unsigned *depth,
                           struct om_buf *buf)
{
    const struct om__token *t = &p->lexer.token;
    if (is_symbol(p, '(') || is_symbol(p, ')') || is_symbol(p, ',')) {
        if (t->symbol == '(' && ++*depth > WKT_DEPTH)
            return om_fail(p->err, OM_E_FORMAT, t->at,
                           "too many parentheses in a geometry");
        if (t->symbol == ')') --*depth;
        om_buf_add_byte(buf, (uint8_t)t->symbol);
        return om__lex_next(&p->lexer);
    }
    if (is_polygon_name(p)) {
        for (size_t i = 0; i < t->text.len; i++)
            om_buf_add_byte(buf, (uint8_t)(t->text.bytes[i] & ~0x20));
        return om__lex_next(&p->lexer);
    }
    return wkt_position(p, buf);
}

static om_status parse_polygon(struct om__parser *p, struct om__place *place,
                               struct om_buf *buf)
{
    const size_t at = p->lexer.token.at;
    unsigned depth = 0;
    OM_TRY(wkt_token(p, &depth, buf));
    if (!is_symbol(p, '(')) return om__unexpected(p, "'('");
    do OM_TRY(wkt_token(p, &depth, buf));
    while (depth);
    if (buf->status) return buf->status;
    place->kind = OM__PLACE_POLYGON;
    const om_status st =
        om_rings_parse((const char *)buf->bytes, buf->len, &p->filter->arena,
                       &place->rings, p->err);
    // Its position is one in the normal form; ours is where the geometry is.
    if (st && p->err) p->err->at = at;
    return st;
}

static om_status parse_place(struct om__parser *p, struct om__place *place)
{
    struct om_buf buf = {0};
    om_status st;
    if (om__lex_is(&p->lexer, "BBOX") || om__lex_is(&p->lexer, "ENVELOPE")) {
        st = parse_box(p, place, &buf);
    } else if (om__lex_is(&p->lexer, "POINT")) {
        st = parse_point(p, place, &buf);
        if (!st && p->filter->geometry == OM_GEOMETRY_LINE)
            st = om_fail(p->err, OM_E_UNSUPPORTED, p->lexer.token.at,
                         "a line has no inside: compare it with a POLYGON or "
                         "BBOX");
    } else if (is_polygon_name(p)) {
        st = parse_polygon(p, place, &buf);
    } else {
        st = om__unexpected(p,
                            "a geometry (POLYGON, MULTIPOLYGON, "
                            "GEOMETRYCOLLECTION of them, POINT or BBOX)");
    }
    if (!st) st = keep_wkt(p->filter, &buf, &place->wkt);
    om_buf_deinit(&buf);
    return st;
}

static om_status parse_geometry_name(struct om__parser *p)
{
    const struct om__token *t = &p->lexer.token;
    if (t->kind != OM__NAME && t->kind != OM__QUOTED)
        return om__unexpected(p, "the geometry (geom)");
    if (!om__bind_is_geometry(p, t->text))
        return om_fail(p->err, OM_E_NOTFOUND, t->at,
                       "'%.*s' is not the geometry: it is called geom",
                       (int)(t->text.len < 40 ? t->text.len : 40),
                       t->text.bytes);
    return om__lex_next(&p->lexer);
}

om_status om__parse_spatial(struct om__parser *p, bool disjoint,
                            struct om__node **out)
{
    struct om__node *node = om__node_new(p->filter, OM__PLACE);
    struct om__place *place =
        om_arena_calloc(&p->filter->arena, 1, sizeof *place);
    if (!node || !place) return OM_E_MEMORY;
    OM_TRY(om__expect(p, '('));
    const bool name_first = !p->lexer.token.call;
    if (name_first) {
        OM_TRY(parse_geometry_name(p));
        OM_TRY(om__expect(p, ','));
    }
    OM_TRY(parse_place(p, place));
    if (!name_first) {
        OM_TRY(om__expect(p, ','));
        OM_TRY(parse_geometry_name(p));
    }
    OM_TRY(om__expect(p, ')'));
    node->place = place;
    node->negated = disjoint;
    p->filter->uses_geometry = true;
    *out = node;
    return OM_OK;
}
