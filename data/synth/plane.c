// plane.c - metres and degrees, value noise, curves.
#include "data/synth/plane.h"

#include "data/model/earth.h"
#include "data/synth/dice.h"

/* 1 - e2 sin^2(lat) at 22.9 degrees; the sine is written out so that no
 * call is needed for a constant. */
#define SIN_LAT 0.38912
#define COS_LAT 0.92119
#define FLATNESS (1.0 - OM_WGS84_E2 * SIN_LAT * SIN_LAT)

double om__plane_lon_m(void)
{
    return OM_RAD_PER_DEG * OM_WGS84_A_M * COS_LAT / sqrt(FLATNESS);
}

double om__plane_lat_m(void)
{
    return OM_RAD_PER_DEG * OM_WGS84_A_M * (1.0 - OM_WGS84_E2) /
           (FLATNESS * sqrt(FLATNESS));
}

struct om__xy om__plane_from_deg(double lon_deg, double lat_deg)
{
    return (struct om__xy){(lon_deg - OM__PLANE_LON_DEG) * om__plane_lon_m(),
                           (lat_deg - OM__PLANE_LAT_DEG) * om__plane_lat_m()};
}

struct om__corner om__plane_corner(struct om__xy p)
{
    const double lon = OM__PLANE_LON_DEG + p.x / om__plane_lon_m();
    const double lat = OM__PLANE_LAT_DEG + p.y / om__plane_lat_m();
    return (struct om__corner){(int32_t)(lon * 1e7 + 0.5),
                               (int32_t)(lat * 1e7 + 0.5)};
}

struct om__xy om__plane_from_corner(struct om__corner c)
{
    return om__plane_from_deg(c.lon_e7 * 1e-7, c.lat_e7 * 1e-7);
}

static double lattice(uint64_t seed, unsigned layer, int64_t i, int64_t j)
{
    const uint64_t key = (uint64_t)i * UINT64_C(0x1000003) ^
                         (uint64_t)j * UINT64_C(0xC2B2AE3D27D4EB4F);
    struct om__dice dice =
        om__dice(seed ^ (uint64_t)layer << 40, OM__FOR_NOISE, key);
    return om__dice_between(&dice, -1, 1);
}

static double value_noise(uint64_t seed, unsigned layer, double x, double y)
{
    const double fx = floor(x), fy = floor(y);
    const int64_t i = (int64_t)fx, j = (int64_t)fy;
    const double u = x - fx, v = y - fy;
    const double su = u * u * (3 - 2 * u), sv = v * v * (3 - 2 * v);
    const double a = lattice(seed, layer, i, j);
    const double b = lattice(seed, layer, i + 1, j);
    const double c = lattice(seed, layer, i, j + 1);
    const double d = lattice(seed, layer, i + 1, j + 1);
    return (a * (1 - su) + b * su) * (1 - sv) + (c * (1 - su) + d * su) * sv;
}

double om__noise(uint64_t seed, unsigned layer, struct om__xy p, double size_m)
{
    const double x = p.x / size_m, y = p.y / size_m;
    return (2 * value_noise(seed, layer, x, y) +
            value_noise(seed, layer + 1000, 2.03 * x + 17, 2.03 * y - 5)) /
           3;
}

struct om__xy om__curve_at(const struct om__xy *point, unsigned n, double t)
{
    if (t < 0) t = 0;
    if (t > n - 1) t = n - 1;
    unsigned i = (unsigned)t;
    if (i + 1 >= n) i = n - 2;
    const double u = t - i;
    const struct om__xy *p1 = &point[i], *p2 = &point[i + 1];
    const struct om__xy *p0 = i ? p1 - 1 : p1, *p3 = i + 2 < n ? p2 + 1 : p2;
    const double a = -0.5 * u + u * u - 0.5 * u * u * u;
    const double b = 1 - 2.5 * u * u + 1.5 * u * u * u;
    const double c = 0.5 * u + 2 * u * u - 1.5 * u * u * u;
    const double d = -0.5 * u * u + 0.5 * u * u * u;
    return (struct om__xy){a * p0->x + b * p1->x + c * p2->x + d * p3->x,
                           a * p0->y + b * p1->y + c * p2->y + d * p3->y};
}

double om__exp(double x)
{
    // exp(x) = (exp(x / 1024))^1024: ten squarings of a short series.
    if (x < -700) return 0;
    const double t = x / 1024;
    double e = 1 + t * (1 + t / 2 * (1 + t / 3 * (1 + t / 4 * (1 + t / 5))));
    for (int i = 0; i < 10; i++) e *= e;
    return e;
}

void om__turn(double rad, double *cosine, double *sine)
{
    // A sixteenth of the angle by series, then doubled four times.
    const double t = rad / 16, t2 = t * t;
    double c = 1 - t2 / 2 * (1 - t2 / 12 * (1 - t2 / 30 * (1 - t2 / 56)));
    double s = t * (1 - t2 / 6 * (1 - t2 / 20 * (1 - t2 / 42 * (1 - t2 / 72))));
    for (int i = 0; i < 4; i++) {
        const double doubled = c * c - s * s;
        s = 2 * c * s;
        c = doubled;
    }
    *cosine = c;
    *sine = s;
}
