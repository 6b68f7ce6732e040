/* ground_shape.c - how far is it to a building, a road, a lake?
 *
 * DESIGN
 * The nearest point of an edge is found on the plane that touches the ground
 * half way between the centre and that point (its latitude decides the scale
 * of both axes; three rounds settle it) and the geodesic to it is exact. A
 * nearest point that is off by e metres along the edge changes a distance d by
 * e * e / 2d: within 20 km both are far below a millimetre. Beyond, the point
 * is searched by the geodesic itself.
 */
#include <math.h>

#include "engine/query/ground_internal.h"
#include "engine/shape/shape.h"

#define PLANE_MAX_M 20000.0
#define GOLDEN 0.6180339887498949

/* An edge relative to the centre, in cells. */
struct edge {
    double ax, ay, dx, dy;
};

static struct edge edge_of(const struct om_circle *c, struct om_pos a,
                           struct om_pos b)
{
    return (struct edge){
        .ax = (double)(int32_t)(a.x - c->pos.x),
        .ay = (double)a.y - c->pos.y,
        .dx = (double)(int32_t)(b.x - a.x),
        .dy = (double)b.y - a.y,
    };
}

/* Where along the edge, 0 to 1, it is nearest on a plane of these scales. */
static double nearest_on(const struct edge *e, double x_m, double y_m)
{
    const double dx = e->dx * x_m, dy = e->dy * y_m;
    const double len2 = dx * dx + dy * dy;
    if (len2 == 0.0) return 0.0;
    const double t = -(e->ax * x_m * dx + e->ay * y_m * dy) / len2;
    return fmin(fmax(t, 0.0), 1.0);
}

static double at_m(const struct om_circle *c, const struct edge *e, double t)
{
    return om__circle_offset_m(c, e->ax + t * e->dx, e->ay + t * e->dy);
}

/* Golden section: the distance along an edge has one minimum. */
static double search_m(const struct om_circle *c, const struct edge *e)
{
    double low = 0.0, high = 1.0;
    double p = high - GOLDEN, q = low + GOLDEN;
    double at_p = at_m(c, e, p), at_q = at_m(c, e, q);
    for (int i = 0; i < 50; i++) {
        if (at_p < at_q) {
            high = q, q = p, at_q = at_p;
            p = high - GOLDEN * (high - low), at_p = at_m(c, e, p);
        } else {
            low = p, p = q, at_p = at_q;
            q = low + GOLDEN * (high - low), at_q = at_m(c, e, q);
        }
    }
    return fmin(fmin(at_p, at_q), fmin(at_m(c, e, 0.0), at_m(c, e, 1.0)));
}

/* Is the edge certainly farther than limit_m? */
static bool certainly_beyond(const struct om_circle *c, const struct edge *e,
                             double limit_m)
{
    if (c->far || limit_m > c->radius_m) return false;
    const double t = nearest_on(e, c->x_min_m, c->y_min_m);
    const double x = (e->ax + t * e->dx) * c->x_min_m;
    const double y = (e->ay + t * e->dy) * c->y_min_m;
    const double room_m = limit_m * (1.0 + 1e-8) + 1e-3;
    return x * x + y * y > room_m * room_m;
}

static double edge_m(const struct om_circle *c, const struct edge *e,
                     double limit_m)
{
    if (certainly_beyond(c, e, limit_m)) return INFINITY;
    double t = 0.5;
    for (int i = 0; i < 3; i++) {
        double x_m, y_m;
        om__circle_scale(c, 0.5 * (e->ay + t * e->dy), &x_m, &y_m);
        t = nearest_on(e, x_m, y_m);
    }
    const double m = at_m(c, e, t);
    return m <= PLANE_MAX_M ? m : fmin(m, search_m(c, e));
}

double om_circle_shape_m(const struct om_circle *circle,
                         const struct om_rings *rings, size_t shape,
                         enum om_geometry geometry, double limit_m)
{
    const bool closed = geometry == OM_GEOMETRY_POLYGON;
    if (closed && om_rings_contain(rings, shape, circle->pos)) return 0.0;
    double best_m = INFINITY;
    const uint32_t part_end = rings->shape_part[shape + 1];
    for (uint32_t p = rings->shape_part[shape]; p < part_end; p++)
        for (uint32_t r = rings->part_ring[p]; r < rings->part_ring[p + 1];
             r++) {
            const uint32_t from = rings->ring_vertex[r];
            const uint32_t end = rings->ring_vertex[r + 1];
            if (from == end) continue;
            uint32_t before = closed ? end - 1 : from;
            for (uint32_t v = from; v < end; before = v++) {
                const struct edge e =
                    edge_of(circle, rings->vertex[before], rings->vertex[v]);
                const double m = edge_m(circle, &e, fmin(limit_m, best_m));
                best_m = fmin(best_m, m);
            }
        }
    return best_m;
}
