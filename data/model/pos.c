// pos.c - spherical web mercator, forward and back.
#include "data/model/pos.h"

#include <math.h>

om_status om_pos_world(double lon_deg, double lat_deg, double *x, double *y)
{
    if (!isfinite(lon_deg) || !isfinite(lat_deg)) return OM_E_COORD;
    if (fabs(lon_deg) > 180.0 || fabs(lat_deg) > 90.0) return OM_E_COORD;
    // asinh(tan) is the inverse Gudermannian, exact to the last bits near 0.
    const double north = asinh(tan(lat_deg * OM_RAD_PER_DEG)) / OM_PI;
    if (!(fabs(north) <= 1.0)) return OM_E_COORD;
    *x = (lon_deg / 360.0 + 0.5) * OM_POS_SIDE;
    *y = (0.5 - north / 2.0) * OM_POS_SIDE;
    return OM_OK;
}

static uint32_t cell(double at)
{
    if (at <= 0.0) return 0;
    return at >= OM_POS_SIDE ? UINT32_MAX : (uint32_t)at;
}

om_status om_pos_from_lonlat(double lon_deg, double lat_deg, struct om_pos *out)
{
    double x, y;
    OM_TRY(om_pos_world(lon_deg, lat_deg, &x, &y));
    *out = (struct om_pos){cell(x), cell(y)};
    return OM_OK;
}

void om_world_to_lonlat(double x, double y, double *lon_deg, double *lat_deg)
{
    *lon_deg = (x / OM_POS_SIDE - 0.5) * 360.0;
    *lat_deg =
        atan(sinh((1.0 - 2.0 * y / OM_POS_SIDE) * OM_PI)) * OM_DEG_PER_RAD;
}

void om_pos_to_lonlat(struct om_pos pos, double *lon_deg, double *lat_deg)
{
    om_world_to_lonlat(pos.x + 0.5, pos.y + 0.5, lon_deg, lat_deg);
}

double om_world_ground_m(double y)
{
    return OM_POS_CELL_M / cosh((1.0 - 2.0 * y / OM_POS_SIDE) * OM_PI);
}
