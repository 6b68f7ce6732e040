// text.h - polygons as text, inside shape/ only.
#ifndef OM_ENGINE_SHAPE_TEXT_H
#define OM_ENGINE_SHAPE_TEXT_H

#include "engine/shape/ringset.h"

/* Where the readers put what they read: parts of one shape, on the grid. */
struct om__reading {
    struct om__ringset set;
    size_t ring_start;  // first vertex of the ring at hand
    double first_lon, first_lat, last_lon, last_lat;
    struct om_err *err;  // may be NULL
};

/** Take one position of the ring at hand. at: for the error. returns
 *  OM_E_COORD, OM_E_COST, OM_E_MEMORY. */
om_status om__reading_add(struct om__reading *reading, size_t at,
                          double lon_deg, double lat_deg) OM_MUST_USE;
/** The ring is complete: it must have four positions and be closed. */
om_status om__reading_end_ring(struct om__reading *reading,
                               size_t at) OM_MUST_USE;

om_status om__wkt_read(struct om__reading *reading, const char *text,
                       size_t len) OM_MUST_USE;
om_status om__geojson_read(struct om__reading *reading, const char *text,
                           size_t len) OM_MUST_USE;

#endif
