// ground.h - distances as a surveyor would measure them, and bounds of them.
#ifndef OM_ENGINE_QUERY_GROUND_H
#define OM_ENGINE_QUERY_GROUND_H

#include "data/model/pos.h"
#include "engine/layer/segment.h"

/**
 * Geodesic distance on the WGS 84 ellipsoid.
 *
 * units    WGS 84 degrees in, metres out
 * returns  within 1 mm of the geodesic; symmetric to the last bit
 * cost     about 0.1 us within 50 km, 0.5 us beyond; PROJ for nearly
 *          antipodal pairs
 * source   Gauss's mid-latitude formula to third order (Rapp, Geometric
 *          Geodesy I, 1991, section 6.4) within 50 km below 75 degrees;
 *          else Vincenty, Survey Review 23 (1975), 88-93
 * test     tests/engine/test_query_near.c (against PROJ)
 */
double om_ground_lonlat_m(double lon_a_deg, double lat_a_deg, double lon_b_deg,
                          double lat_b_deg);
/** The same between the centres of two cells. */
double om_ground_m(struct om_pos a, struct om_pos b);

/* All places within radius_m of pos, prepared so that boxes and positions are
 * judged by bounds and the geodesic is computed only near the rim. Within it
 * `scale`s are ground metres per cell, smallest and largest along x and y.
 * Where `far` is set (large, or near a pole) boxes are judged by the triangle
 * inequality from their middle instead. */
struct om_circle {
    struct om_pos pos;
    double lon_rad, lat_rad;
    double radius_m;
    bool far;
    double x_min_m, x_max_m, y_min_m, y_max_m;
    double in_m2, out_m2;  // squares by which positions are judged
    struct om_box box;  // of the whole circle; x0 > x1: crosses the date line
};

enum om_side { OM_SIDE_OUT, OM_SIDE_IN, OM_SIDE_MIXED };

/** Prepare a circle. returns OM_E_RANGE if radius_m is not finite or < 0. */
om_status om_circle_init(struct om_circle *circle, struct om_pos pos,
                         double radius_m) OM_MUST_USE;
/** Geodesic from the circle's centre to the centre of a cell, as
 *  om_ground_m. */
double om_circle_m(const struct om_circle *circle, struct om_pos pos);
/** Never more than the distance to the nearest position of `box`. */
double om_circle_near_m(const struct om_circle *circle, struct om_box box);
/** Where all positions of `box` lie: OUT and IN are certain. */
enum om_side om_circle_side(const struct om_circle *circle, struct om_box box);
/** Is a position within the circle? Exact: om_circle_m <= radius_m. */
bool om_circle_holds(const struct om_circle *circle, struct om_pos pos);
/**
 * Geodesic from the centre to the nearest point of a shape: 0 inside a
 * polygon. Edges are straight on the grid, as they are drawn.
 *
 * limit_m  edges certainly farther are not looked at; what is returned is
 *          exact if it is at most this, else anything above it
 */
double om_circle_shape_m(const struct om_circle *circle,
                         const struct om_rings *rings, size_t shape,
                         enum om_geometry geometry, double limit_m);

#endif
