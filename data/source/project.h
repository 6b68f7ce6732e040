// project.h - the coordinate systems that answers may be asked in.
#ifndef OM_DATA_SOURCE_PROJECT_H
#define OM_DATA_SOURCE_PROJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "data/base/buf.h"

/* One of them. Inside, x is easting or longitude, y northing or latitude,
 * always; `north_first` says that the authority wants it the other way round
 * (GeoJSON by OGC's Part 2, bbox, filters). */
struct om_system {
    const char *code;  // "EPSG:4547"
    const char *uri;   // "http://www.opengis.net/def/crs/EPSG/0/4547"
    const char *name;  // "CGCS2000 / 3-degree Gauss-Kruger CM 114E"
    bool north_first;
    bool degrees;
    int decimals;  // that are written: 1 cm or finer
};

/** The first is OGC:CRS84, which is meant where nothing is said. NULL past the
 *  end. */
const struct om_system *om_system_at(size_t i);
/** By code, URI (http or https), urn:ogc:def:crs:..., or a code in brackets
 *  ([EPSG:4547]); NULL if it is not one of ours. */
const struct om_system *om_system_find(const char *text);

struct om_project;
/**
 * Make a transformation between WGS 84 degrees and a system.
 *
 * returns  OM_E_CRS (PROJ does not know it), OM_E_MEMORY
 * owns     *out: om_project_close
 * threads  one at a time may use it: have one a thread
 * cost     some milliseconds where PROJ is asked, else nothing
 */
om_status om_project_open(const struct om_system *system,
                          struct om_project **out) OM_MUST_USE;
/** NULL is fine. */
void om_project_close(struct om_project *project);
const struct om_system *om_project_system(const struct om_project *project);

/**
 * Transform in place, n pairs. What has no image there becomes NaN.
 *
 * units    x, y = longitude, latitude in WGS 84 degrees; easting, northing of
 *          the system, in its unit
 * returns  OM_E_MEMORY
 * cost     0.2 us a pair where PROJ is asked
 * test     tests/data/test_project.c (against PROJ)
 */
om_status om_project_from_lonlat(struct om_project *project, double *x,
                                 double *y, size_t n) OM_MUST_USE;
om_status om_project_to_lonlat(struct om_project *project, double *x, double *y,
                               size_t n) OM_MUST_USE;
/**
 * Append the outline of a box of the system as POLYGON((lon lat, ...)). Its
 * sides are no meridians: each has 32 edges, which for a box of 70 km stay
 * within 5 cm of it (a side's radius of curvature is some 15,000 km here).
 *
 * units    box: west, south, east, north in the system
 * returns  OM_E_RANGE (no area), OM_E_COORD (beyond the system), OM_E_MEMORY
 */
om_status om_project_box_wkt(struct om_project *project, const double box[4],
                             struct om_buf *out) OM_MUST_USE;

#endif
