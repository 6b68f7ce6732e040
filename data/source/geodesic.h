// geodesic.h - the length of the shortest path on the WGS 84 ellipsoid.
#ifndef OM_DATA_SOURCE_GEODESIC_H
#define OM_DATA_SOURCE_GEODESIC_H

/**
 * Length of the geodesic between two places.
 *
 * units    degrees in, metres on the WGS 84 ellipsoid out; NaN in, NaN out
 * threads  any
 * cost     about a microsecond: for far distances and checks, not inner loops
 * source   Karney (2013), Algorithms for geodesics, through PROJ; error below
 *          15 nm
 * test     tests/data/test_geodesic.c
 */
double om_geodesic_m(double lon1_deg, double lat1_deg, double lon2_deg,
                     double lat2_deg);
/**
 * The place `distance_m` away in the direction `azimuth_deg` (clockwise from
 * north). Longitudes come out in [-180, 180].
 */
void om_geodesic_reach(double lon_deg, double lat_deg, double azimuth_deg,
                       double distance_m, double *to_lon_deg,
                       double *to_lat_deg);

#endif
