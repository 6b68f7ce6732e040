// geos.h - rings into GEOS geometries and back; only shape/ includes it.
#ifndef OM_ENGINE_SHAPE_GEOS_H
#define OM_ENGINE_SHAPE_GEOS_H

#include <geos_c.h>

#include "engine/shape/repair.h"

/** A MultiPolygon of the parts [first, end) of `set`, moved by -origin so that
 *  doubles keep their digits. NULL: GEOS refused (geos->message says why) or
 *  no memory. owns: the caller, GEOSGeom_destroy_r. */
GEOSGeometry *om__geos_polygon(struct om__geos *geos,
                               const struct om__ringset *set, size_t first,
                               size_t end, struct om__xy origin);
/** Append all polygons in `geometry`, however deep, as parts. */
om_status om__geos_take(struct om__geos *geos, const GEOSGeometry *geometry,
                        struct om__xy origin,
                        struct om__ringset *set) OM_MUST_USE;

#endif
