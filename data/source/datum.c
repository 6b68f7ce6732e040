// datum.c - the published offset formulas and their inversion by iteration.
#include "data/source/datum.h"

#include <math.h>

#include "data/model/earth.h"

/* Krasovsky 1940, as the formula uses it. */
#define KRASOVSKY_A_M 6378245.0
#define KRASOVSKY_E2 0.00669342162296594323

/* The formula's origin and the box in which it applies. */
#define ORIGIN_LON_DEG 105.0
#define ORIGIN_LAT_DEG 35.0
#define WEST_DEG 72.004
#define EAST_DEG 137.8347
#define SOUTH_DEG 0.8293
#define NORTH_DEG 55.8271

/* Baidu's second step. */
#define BD_LON_SHIFT_DEG 0.0065
#define BD_LAT_SHIFT_DEG 0.006
#define BD_PI (OM_PI * 3000.0 / 180.0)

/* A step below this is 0.01 mm. The map's slope is under 0.02, so four rounds
 * come there; the cap only stops what is not a number. */
#define STEP_DEG 1e-10
#define ROUNDS 30

bool om_datum_in_china(double lon_deg, double lat_deg)
{
    return lon_deg >= WEST_DEG && lon_deg <= EAST_DEG && lat_deg >= SOUTH_DEG &&
           lat_deg <= NORTH_DEG;
}

static double wave(double a, double period1, double b, double period2)
{
    return (a * sin(period1) + b * sin(period2)) * 2.0 / 3.0;
}

static void offset(double lon_deg, double lat_deg, double *dlon, double *dlat)
{
    const double x = lon_deg - ORIGIN_LON_DEG, y = lat_deg - ORIGIN_LAT_DEG;
    const double root = sqrt(fabs(x)), both = x * y;
    const double shared = wave(20.0, 6.0 * x * OM_PI, 20.0, 2.0 * x * OM_PI);
    const double north_m =
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * both + 0.2 * root +
        shared + wave(20.0, y * OM_PI, 40.0, y / 3.0 * OM_PI) +
        wave(160.0, y / 12.0 * OM_PI, 320.0, y * OM_PI / 30.0);
    const double east_m =
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * both + 0.1 * root + shared +
        wave(20.0, x * OM_PI, 40.0, x / 3.0 * OM_PI) +
        wave(150.0, x / 12.0 * OM_PI, 300.0, x / 30.0 * OM_PI);
    const double phi = lat_deg * OM_RAD_PER_DEG;
    const double s = sin(phi), w2 = 1.0 - KRASOVSKY_E2 * s * s, w = sqrt(w2);
    *dlat = north_m * OM_DEG_PER_RAD /
            (KRASOVSKY_A_M * (1.0 - KRASOVSKY_E2) / (w2 * w));
    *dlon = east_m * OM_DEG_PER_RAD / (KRASOVSKY_A_M / w * cos(phi));
}

void om_datum_to_gcj02(double *lon_deg, double *lat_deg)
{
    if (!om_datum_in_china(*lon_deg, *lat_deg)) return;
    double dlon, dlat;
    offset(*lon_deg, *lat_deg, &dlon, &dlat);
    *lon_deg += dlon;
    *lat_deg += dlat;
}

static void gcj02_to_bd09(double *lon_deg, double *lat_deg)
{
    const double x = *lon_deg, y = *lat_deg;
    const double z = hypot(x, y) + 2e-5 * sin(y * BD_PI);
    const double theta = atan2(y, x) + 3e-6 * cos(x * BD_PI);
    *lon_deg = z * cos(theta) + BD_LON_SHIFT_DEG;
    *lat_deg = z * sin(theta) + BD_LAT_SHIFT_DEG;
}

void om_datum_to_bd09(double *lon_deg, double *lat_deg)
{
    if (!om_datum_in_china(*lon_deg, *lat_deg)) return;
    om_datum_to_gcj02(lon_deg, lat_deg);
    gcj02_to_bd09(lon_deg, lat_deg);
}

/* Fixed point of guess -> guess + (wanted - forward(guess)). */
static void invert(void (*forward)(double *, double *), double *lon_deg,
                   double *lat_deg)
{
    const double lon = *lon_deg, lat = *lat_deg;
    double x = lon, y = lat;
    for (int round = 0; round < ROUNDS; round++) {
        double fx = x, fy = y;
        forward(&fx, &fy);
        const double dx = lon - fx, dy = lat - fy;
        x += dx;
        y += dy;
        if (!(fabs(dx) > STEP_DEG) && !(fabs(dy) > STEP_DEG)) break;
    }
    *lon_deg = x;
    *lat_deg = y;
}

void om_datum_from_gcj02(double *lon_deg, double *lat_deg, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (om_datum_in_china(lon_deg[i], lat_deg[i]))
            invert(om_datum_to_gcj02, &lon_deg[i], &lat_deg[i]);
}

void om_datum_from_bd09(double *lon_deg, double *lat_deg, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (om_datum_in_china(lon_deg[i], lat_deg[i]))
            invert(om_datum_to_bd09, &lon_deg[i], &lat_deg[i]);
}
