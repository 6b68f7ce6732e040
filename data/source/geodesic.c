// geodesic.c - PROJ's geodesic routines behind a door.
#include "data/source/geodesic.h"

#include <geodesic.h>
#include <pthread.h>

#include "data/model/earth.h"

static struct geod_geodesic wgs84;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_wgs84(void)
{
    geod_init(&wgs84, OM_WGS84_A_M, OM_WGS84_F);
}

double om_geodesic_m(double lon1_deg, double lat1_deg, double lon2_deg,
                     double lat2_deg)
{
    double distance_m, azimuth1_deg, azimuth2_deg;
    pthread_once(&once, make_wgs84);
    geod_inverse(&wgs84, lat1_deg, lon1_deg, lat2_deg, lon2_deg, &distance_m,
                 &azimuth1_deg, &azimuth2_deg);
    return distance_m;
}

void om_geodesic_reach(double lon_deg, double lat_deg, double azimuth_deg,
                       double distance_m, double *to_lon_deg,
                       double *to_lat_deg)
{
    double azimuth_there_deg;
    pthread_once(&once, make_wgs84);
    geod_direct(&wgs84, lat_deg, lon_deg, azimuth_deg, distance_m, to_lat_deg,
                to_lon_deg, &azimuth_there_deg);
}
