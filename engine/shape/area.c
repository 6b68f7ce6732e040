// area.c - area on the ellipsoid of rings whose edges are straight on the map.
#include "engine/shape/area.h"

#include <math.h>

#include "data/model/earth.h"
#include "engine/shape/shape.h"

/* DESIGN
 * The area between the equator and latitude phi per radian of longitude is
 *     S(phi) = b^2/2 * (sin(phi) / (1 - e^2 sin^2(phi)) + artanh(e sin(phi)) /
 * e) (Snyder 1987, Map Projections, eq. 3-12, times the squared authalic
 * radius). A ring's area is the integral of S along it. The sphere of web
 * mercator has sin(phi) = tanh(Y), Y being the northing in radii, and an edge
 * is straight in Y, so the integral of one edge is smooth: three Gauss points
 * in pieces of at most MAX_PIECE radii. S is taken from a near parallel, which
 * changes nothing for a closed ring and keeps small polygons' digits. */

/* Of the height of an edge, in earth radii: 6 km. The error of three points
 * falls with its sixth power. */
#define MAX_PIECE 1e-3
#define MAX_PIECES 4096
#define RADIANS_PER_CELL (2.0 * OM_PI / OM_POS_SIDE)

static double strip_m2(double y)
{
    const double sine = tanh(OM_PI - y * RADIANS_PER_CELL);
    const double b = OM_WGS84_A_M * (1.0 - OM_WGS84_F);
    const double e = sqrt(OM_WGS84_E2);
    return b * b / 2.0 *
           (sine / (1.0 - OM_WGS84_E2 * sine * sine) + atanh(e * sine) / e);
}

static double mean_strip(double y, double height, double base)
{
    // Gauss-Legendre, three points on [0, 1].
    const double off = sqrt(0.15);
    return (5.0 * (strip_m2(y + height * (0.5 - off)) - base) +
            8.0 * (strip_m2(y + height * 0.5) - base) +
            5.0 * (strip_m2(y + height * (0.5 + off)) - base)) /
           18.0;
}

double om__edge_area_km2(struct om__xy a, struct om__xy b, double y0)
{
    if (a.x == b.x) return 0.0;
    const double height = b.y - a.y;
    const double wanted = fabs(height) * RADIANS_PER_CELL / MAX_PIECE + 1.0;
    const int pieces = wanted > MAX_PIECES ? MAX_PIECES : (int)wanted;
    const double base = strip_m2(y0), step = height / pieces;
    double mean = 0.0;
    for (int i = 0; i < pieces; i++)
        mean += mean_strip(a.y + i * step, step, base);
    return mean / pieces * (b.x - a.x) * RADIANS_PER_CELL * 1e-6;
}

double om__ring_area_km2(const struct om__xy *vertex, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += om__edge_area_km2(vertex[i], vertex[i + 1 < n ? i + 1 : 0],
                                 vertex[0].y);
    return fabs(sum);
}

double om_rings_area_km2(const struct om_rings *rings, size_t shape)
{
    double sum = 0.0;
    for (uint32_t p = rings->shape_part[shape];
         p < rings->shape_part[shape + 1]; p++)
        for (uint32_t r = rings->part_ring[p]; r < rings->part_ring[p + 1];
             r++) {
            const uint32_t from = rings->ring_vertex[r];
            const uint32_t end = rings->ring_vertex[r + 1];
            for (uint32_t i = from; i < end; i++) {
                const struct om_pos a = rings->vertex[i];
                const struct om_pos b =
                    rings->vertex[i + 1 < end ? i + 1 : from];
                sum += om__edge_area_km2((struct om__xy){a.x, a.y},
                                         (struct om__xy){b.x, b.y},
                                         rings->vertex[from].y);
            }
        }
    return fabs(sum);
}
