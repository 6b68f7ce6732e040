// raster.h - a raster of floats as a Cloud Optimised GeoTIFF.
#ifndef OM_DATA_SOURCE_RASTER_H
#define OM_DATA_SOURCE_RASTER_H

#include "data/source/frame.h"

struct om_raster;

/* What the file says about itself; any may be NULL. */
struct om_raster_note {
    const char *key, *value;  // key: upper case, as GDAL's are
};
struct om_raster_about {
    const char *unit;         // of the band: "per km2"
    const char *description;  // of the band, one line
    const struct om_raster_note *note;
    size_t notes;
};

/**
 * Begin a file of one band: float32, NaN where nothing is known. What is
 * written goes to a plain file beside `path` first, so that the raster may be
 * larger than memory; the wanted file is made of it at the end: tiled, packed
 * (deflate), with overviews that are means, and renamed into place. Until then
 * `path` is as it was.
 *
 * returns  OM_E_IO, OM_E_MEMORY, OM_E_UNSUPPORTED (no such driver in GDAL)
 * owns     *out: om_raster_close or om_raster_discard. The frame is copied as
 *          far as needed.
 * threads  one at a time
 * source   OGC 21-026, Cloud Optimized GeoTIFF
 * test     tests/data/test_raster.c
 */
om_status om_raster_open(const char *path, const struct om_frame *frame,
                         const struct om_raster_about *about,
                         struct om_raster **out,
                         struct om_err *err) OM_MUST_USE;
/** Rows [row0, row0 + rows), each frame->columns long. Rows that are never
 *  written are unknown. Cheapest in stretches of OM_RASTER_TILE rows. */
om_status om_raster_write(struct om_raster *raster, size_t row0, size_t rows,
                          const float *value, struct om_err *err) OM_MUST_USE;
/** Make the file. Frees the raster; on an error nothing is left. */
om_status om_raster_close(struct om_raster *raster,
                          struct om_err *err) OM_MUST_USE;
/** Give up: nothing is left. NULL is fine. */
void om_raster_discard(struct om_raster *raster);

/** Side of a tile in the file. */
#define OM_RASTER_TILE 512

#endif
