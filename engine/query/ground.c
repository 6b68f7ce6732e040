/* ground.c - geodesics, and bounds that spare most of them.
 *
 * DESIGN
 * On a small piece of the ellipsoid a step (dx, dy) of grid cells is
 * sqrt((kx dx)^2 + (ky dy)^2) metres long, where kx and ky depend on the
 * latitude only and both shrink towards the pole. Integrated along a path:
 *   - any path to a place within the circle stays within its latitudes, so
 *     the smallest kx, ky of those latitudes bound the distance from below;
 *   - the straight line on the grid is one path, so the largest bound it from
 *     above.
 * For a circle of 500 m the two differ by a few centimetres: all but a few
 * positions are judged with two multiplications.
 *
 * Large circles would make these bounds useless. There the distance D from the
 * centre to the middle of a box, and the box's own extent R, give D - R and
 * D + R.
 */
#include "engine/query/ground.h"

#include <math.h>

#include "data/source/geodesic.h"
#include "engine/query/ground_internal.h"

/* Gauss's formula errs by under 0.1 mm there (tested against PROJ). */
#define GAUSS_MAX_M 50000.0
#define GAUSS_MAX_LAT_RAD (75.0 * OM_RAD_PER_DEG)
/* Beyond this, bounds by scale are looser than the triangle inequality. */
#define NEAR_MAX_M 100000.0
/* Bounds leave room for the rounding and the error of the formulas. */
#define SLACK 1e-8
#define SLACK_M 1e-3
#define RAD_PER_CELL (2.0 * OM_PI / OM_POS_SIDE)
/* Meridional radius at the equator, the smallest there is. */
#define MERIDIAN_MIN_M (OM_WGS84_A_M * (1.0 - OM_WGS84_E2))

/* Latitude of a place on the grid: the Gudermannian. */
static double lat_of(double y)
{
    return atan(sinh((1.0 - 2.0 * y / OM_POS_SIDE) * OM_PI));
}

/* Metres per radian along the parallel and along the meridian. */
static void radii(double lat_rad, double *parallel_m, double *meridian_m)
{
    const double s = sin(lat_rad);
    const double w2 = 1.0 - OM_WGS84_E2 * s * s;
    const double w = sqrt(w2);
    *parallel_m = OM_WGS84_A_M / w * cos(lat_rad);
    *meridian_m = OM_WGS84_A_M * (1.0 - OM_WGS84_E2) / (w2 * w);
}

/* Metres per cell along x and y. A cell of y is cos(lat) of a cell in
 * radians: that is what mercator does. */
static void scales(double lat_rad, double *x_m, double *y_m)
{
    double parallel_m, meridian_m;
    radii(lat_rad, &parallel_m, &meridian_m);
    *x_m = parallel_m * RAD_PER_CELL;
    *y_m = meridian_m * cos(lat_rad) * RAD_PER_CELL;
}

/* Rapp (1991), eq. 6.67 to 6.70: third order in the differences. */
static double gauss_m(double lat_a, double lat_b, double dlon)
{
    const double mid = 0.5 * (lat_a + lat_b);
    const double b = lat_b - lat_a;
    const double c2 = cos(mid) * cos(mid);
    const double t2 = (1.0 - c2) / c2;
    const double e2 = OM_WGS84_E2 / (1.0 - OM_WGS84_E2) * c2;  // eta squared
    const double v2 = 1.0 + e2;
    // c / V, with c = a / (1 - f) the polar radius of curvature
    const double n = OM_WGS84_A_M / (1.0 - OM_WGS84_F) / sqrt(v2);
    const double east =
        n * cos(mid) * dlon *
        (1.0 + b * b * (1.0 + e2 - 9.0 * e2 * t2 + e2 * e2) / (24.0 * v2 * v2) -
         dlon * dlon * c2 * t2 / 24.0);
    const double north =
        n / v2 * b *
        (1.0 - dlon * dlon * c2 * (2.0 + 3.0 * t2 + 2.0 * e2) / 24.0 +
         b * b * (e2 - t2 * e2 + e2 * e2) / (8.0 * v2 * v2));
    return sqrt(east * east + north * north);
}

/* Vincenty's inverse formula; NaN where it does not converge (nearly
 * antipodal). u is the reduced latitude. */
static double vincenty_m(double lat_a, double lat_b, double dlon)
{
    const double f = OM_WGS84_F, polar_m = OM_WGS84_A_M * (1.0 - f);
    const double ua = atan((1.0 - f) * tan(lat_a));
    const double ub = atan((1.0 - f) * tan(lat_b));
    const double sa = sin(ua), ca = cos(ua), sb = sin(ub), cb = cos(ub);
    double lambda = dlon;
    for (int i = 0; i < 60; i++) {
        const double sl = sin(lambda), cl = cos(lambda);
        const double p = cb * sl, q = ca * sb - sa * cb * cl;
        const double ss = sqrt(p * p + q * q);
        if (ss == 0.0) return 0.0;
        const double cs = sa * sb + ca * cb * cl;
        const double sigma = atan2(ss, cs);
        const double sin_az = ca * cb * sl / ss;
        const double c2a = 1.0 - sin_az * sin_az;
        // Along the equator the middle term has no meaning and no weight.
        const double cm = c2a > 1e-15 ? cs - 2.0 * sa * sb / c2a : 0.0;
        const double c = f / 16.0 * c2a * (4.0 + f * (4.0 - 3.0 * c2a));
        const double old = lambda;
        lambda =
            dlon + (1.0 - c) * f * sin_az *
                       (sigma + c * ss * (cm + c * cs * (2.0 * cm * cm - 1.0)));
        if (fabs(lambda) > OM_PI) return NAN;
        if (fabs(lambda - old) > 1e-13) continue;
        const double u2 = c2a *
                          (OM_WGS84_A_M * OM_WGS84_A_M - polar_m * polar_m) /
                          (polar_m * polar_m);
        const double a =
            1.0 +
            u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)));
        const double b =
            u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)));
        const double inner =
            cs * (2.0 * cm * cm - 1.0) -
            b / 6.0 * cm * (4.0 * ss * ss - 3.0) * (4.0 * cm * cm - 3.0);
        return polar_m * a * (sigma - b * ss * (cm + b / 4.0 * inner));
    }
    return NAN;
}

/* Distance for latitudes in radians and a difference of longitude, any sign,
 * already brought within half a turn. */
static double ground_m(double lon_a, double lat_a, double lat_b, double dlon)
{
    const double turn = fabs(dlon);
    const double mid = 0.5 * (lat_a + lat_b);
    const double rough_x = turn * cos(mid), rough_y = lat_b - lat_a;
    const double rough = rough_x * rough_x + rough_y * rough_y;
    const double gauss_rad = GAUSS_MAX_M / OM_WGS84_A_M;
    if (rough < gauss_rad * gauss_rad && fabs(mid) < GAUSS_MAX_LAT_RAD)
        return gauss_m(lat_a, lat_b, turn);
    const double m = vincenty_m(lat_a, lat_b, turn);
    if (!isnan(m)) return m;
    return om_geodesic_m(lon_a * OM_DEG_PER_RAD, lat_a * OM_DEG_PER_RAD,
                         (lon_a + dlon) * OM_DEG_PER_RAD,
                         lat_b * OM_DEG_PER_RAD);
}

double om_ground_lonlat_m(double lon_a_deg, double lat_a_deg, double lon_b_deg,
                          double lat_b_deg)
{
    const double dlon_deg = remainder(lon_b_deg - lon_a_deg, 360.0);
    return ground_m(lon_a_deg * OM_RAD_PER_DEG, lat_a_deg * OM_RAD_PER_DEG,
                    lat_b_deg * OM_RAD_PER_DEG, dlon_deg * OM_RAD_PER_DEG);
}

double om_ground_m(struct om_pos a, struct om_pos b)
{
    // The difference of longitude is exact and wraps at the date line.
    const double dlon = (double)(int32_t)(b.x - a.x) * RAD_PER_CELL;
    const double lon_a = (a.x + 0.5) * RAD_PER_CELL - OM_PI;
    return ground_m(lon_a, lat_of(a.y + 0.5), lat_of(b.y + 0.5), dlon);
}

/* `at` plus or minus `by` cells, kept on the grid. */
static uint32_t shifted(uint32_t at, double by)
{
    const double to = floor(at + by);
    if (to <= 0.0) return 0;
    return to >= OM_POS_SIDE - 1.0 ? UINT32_MAX : (uint32_t)to;
}

static struct om_box box_around(const struct om_circle *c)
{
    struct om_box box = {0, 0, UINT32_MAX, UINT32_MAX};
    if (c->far) return box;
    const double reach_m = c->radius_m + SLACK_M;
    const double dx = reach_m * (1.0 + SLACK) / c->x_min_m + 1.0;
    const double dy = reach_m * (1.0 + SLACK) / c->y_min_m + 1.0;
    box.y0 = shifted(c->pos.y, -dy);
    box.y1 = shifted(c->pos.y, dy);
    if (dx < OM_POS_SIDE / 2.0 - 2.0) {
        box.x0 = c->pos.x - (uint32_t)dx;
        box.x1 = c->pos.x + (uint32_t)dx;
    }
    return box;
}

om_status om_circle_init(struct om_circle *circle, struct om_pos pos,
                         double radius_m)
{
    if (!isfinite(radius_m) || radius_m < 0.0) return OM_E_RANGE;
    struct om_circle c = {.pos = pos, .radius_m = radius_m};
    c.lon_rad = (pos.x + 0.5) * RAD_PER_CELL - OM_PI;
    c.lat_rad = lat_of(pos.y + 0.5);
    const double reach = (radius_m + 1.0) / MERIDIAN_MIN_M;
    const double high = fabs(c.lat_rad) + reach;
    const double low = fmax(fabs(c.lat_rad) - reach, 0.0);
    c.far = radius_m > NEAR_MAX_M || high > 86.0 * OM_RAD_PER_DEG;
    if (!c.far) {
        scales(high, &c.x_min_m, &c.y_min_m);
        scales(low, &c.x_max_m, &c.y_max_m);
        const double in_m = fmax(radius_m - SLACK_M, 0.0) / (1.0 + SLACK);
        const double out_m = (radius_m + SLACK_M) / (1.0 - SLACK);
        c.in_m2 = in_m * in_m;
        c.out_m2 = out_m * out_m;
    }
    c.box = box_around(&c);
    *circle = c;
    return OM_OK;
}

double om_circle_m(const struct om_circle *circle, struct om_pos pos)
{
    const double dlon = (double)(int32_t)(pos.x - circle->pos.x) * RAD_PER_CELL;
    return ground_m(circle->lon_rad, circle->lat_rad, lat_of(pos.y + 0.5),
                    dlon);
}

/* Columns between two positions the shorter way round. */
static uint32_t columns(uint32_t a, uint32_t b)
{
    const uint32_t d = a - b;
    return d < -d ? d : -d;
}

/* Fewest and most columns and rows from the centre to a box. */
struct reach {
    double near_x, far_x, near_y, far_y;
};
static struct reach reach_of(const struct om_circle *c, struct om_box box)
{
    const struct om_pos p = c->pos;
    const uint32_t west = columns(box.x0, p.x), east = columns(box.x1, p.x);
    const uint32_t wide = box.x1 - box.x0;
    struct reach r = {0};
    r.near_x = p.x - box.x0 <= wide ? 0.0 : (double)(west < east ? west : east);
    const uint32_t opposite = p.x + UINT32_C(0x80000000);
    r.far_x = opposite - box.x0 <= wide ? OM_POS_SIDE / 2.0
                                        : (double)(west > east ? west : east);
    const double north = (double)box.y0 - p.y, south = (double)box.y1 - p.y;
    r.near_y = fmax(fmax(north, -south), 0.0);
    r.far_y = fmax(-north, south);
    return r;
}

static double norm(double x, double y)
{
    return sqrt(x * x + y * y);
}

double om__circle_offset_m(const struct om_circle *circle, double dx, double dy)
{
    return ground_m(circle->lon_rad, circle->lat_rad,
                    lat_of(circle->pos.y + 0.5 + dy), dx * RAD_PER_CELL);
}

void om__circle_scale(const struct om_circle *circle, double dy, double *x_m,
                      double *y_m)
{
    scales(lat_of(circle->pos.y + 0.5 + dy), x_m, y_m);
}

/* Most metres from the middle of a box to anything in it. */
static double extent_m(struct om_box box)
{
    double x_m, y_m;
    const double north = lat_of(box.y0), south = lat_of(box.y1 + 1.0);
    const double low =
        north * south <= 0.0 ? 0.0 : fmin(fabs(north), fabs(south));
    scales(low, &x_m, &y_m);
    return norm(x_m * ((double)box.x1 - box.x0 + 2.0),
                y_m * ((double)box.y1 - box.y0 + 2.0)) /
           2.0;
}

static double middle_m(const struct om_circle *c, struct om_box box)
{
    const struct om_pos middle = {box.x0 + (box.x1 - box.x0) / 2,
                                  box.y0 + (box.y1 - box.y0) / 2};
    return om_circle_m(c, middle);
}

double om_circle_near_m(const struct om_circle *circle, struct om_box box)
{
    double m;
    if (circle->far) {
        m = middle_m(circle, box) - extent_m(box) * (1.0 + SLACK);
    } else {
        const struct reach r = reach_of(circle, box);
        m = norm(r.near_x * circle->x_min_m, r.near_y * circle->y_min_m);
    }
    return fmax(m * (1.0 - SLACK) - SLACK_M, 0.0);
}

enum om_side om_circle_side(const struct om_circle *circle, struct om_box box)
{
    double low_m, high_m;
    if (circle->far) {
        const double m = middle_m(circle, box), extent = extent_m(box);
        low_m = m - extent * (1.0 + SLACK);
        high_m = m + extent;
    } else {
        const struct reach r = reach_of(circle, box);
        low_m = norm(r.near_x * circle->x_min_m, r.near_y * circle->y_min_m);
        high_m = norm(r.far_x * circle->x_max_m, r.far_y * circle->y_max_m);
    }
    if (low_m * (1.0 - SLACK) - SLACK_M > circle->radius_m) return OM_SIDE_OUT;
    if (high_m * (1.0 + SLACK) + SLACK_M <= circle->radius_m) return OM_SIDE_IN;
    return OM_SIDE_MIXED;
}

bool om_circle_holds(const struct om_circle *circle, struct om_pos pos)
{
    if (!circle->far) {
        const double dx = (double)columns(pos.x, circle->pos.x);
        const double dy = (double)pos.y - (double)circle->pos.y;
        const double x = dx * circle->x_min_m, y = dy * circle->y_min_m;
        if (x * x + y * y > circle->out_m2) return false;
        const double u = dx * circle->x_max_m, v = dy * circle->y_max_m;
        if (u * u + v * v < circle->in_m2) return true;
    }
    return om_circle_m(circle, pos) <= circle->radius_m;
}
