// ground_internal.h - distances from a circle's centre to places between cells.
#ifndef OM_ENGINE_QUERY_GROUND_INTERNAL_H
#define OM_ENGINE_QUERY_GROUND_INTERNAL_H

#include "engine/query/ground.h"

/** Geodesic from the centre to the place (dx, dy) cells away from it. */
double om__circle_offset_m(const struct om_circle *circle, double dx,
                           double dy);
/** Ground metres per cell along x and y, dy rows south of the centre. */
void om__circle_scale(const struct om_circle *circle, double dy, double *x_m,
                      double *y_m);

#endif
