// crs.h - from any coordinate system that PROJ knows to WGS 84, and back.
// Inside data/source only; project.h is the door for others.
#ifndef OM_DATA_SOURCE_CRS_H
#define OM_DATA_SOURCE_CRS_H

#include <stdbool.h>
#include <stddef.h>

#include "data/base/status.h"

struct om__crs;

/**
 * `definition`: EPSG:4547 (or 4547), WKT, PROJJSON, a PROJ string, GCJ02 or
 * BD09; NULL is WGS 84. The network is never asked for grids.
 *
 * returns  OM_E_CRS (unknown), OM_E_MEMORY
 * owns     *out: om__crs_close
 */
om_status om__crs_open(const char *definition, struct om__crs **out,
                       struct om_err *err) OM_MUST_USE;
void om__crs_close(struct om__crs *crs);

/**
 * Transform in place. x, y are easting, northing or longitude, latitude
 * whatever the authority's axis order; out come WGS 84 degrees. What cannot be
 * transformed becomes NaN.
 *
 * threads  any, as long as no two use the same `lane`
 *          (below OM_LIMIT_THREADS + 1)
 * returns  OM_E_MEMORY
 */
om_status om__crs_to_lonlat(struct om__crs *crs, size_t lane, double *x,
                            double *y, size_t n) OM_MUST_USE;
/** The way back: longitude, latitude in; easting, northing out. Not for GCJ02
 *  and BD09 (OM_E_UNSUPPORTED): what leaves here is never shifted. */
om_status om__crs_from_lonlat(struct om__crs *crs, size_t lane, double *x,
                              double *y, size_t n) OM_MUST_USE;
/** Does it take degrees? */
bool om__crs_is_degrees(const struct om__crs *crs);
/** Is it a projection whose units are metres? */
bool om__crs_is_metres(const struct om__crs *crs);
/** A short name for messages. */
const char *om__crs_name(const struct om__crs *crs);
/** The area it is made for, in degrees; false if not known. */
bool om__crs_area(const struct om__crs *crs, double *west, double *south,
                  double *east, double *north);

#endif
