// density.h - a risk or a layer's field as a raster file.
#ifndef OM_WEB_DENSITY_H
#define OM_WEB_DENSITY_H

#include "engine/risk/bind.h"

/* How the raster lies. Zero-initialised: what fits the field. */
struct om_density_shape {
    double cell_m;      // 0: about a sixteenth of the smallest bandwidth
    double cells_most;  // 0: what rasters may have at most
    const char *where;  // as typed, to be noted in the file; may be NULL
    const char *crs;    // NULL: city.json's `crs`, else the UTM zone
    bool boxed;         // cover `box` instead of all rows and the bandwidth
    struct om_box box;  // around them
};

/**
 * Write what was bound as a Cloud Optimised GeoTIFF (data/source/raster.h):
 * float32, NaN where the value is unknown, with unit, description and what it
 * is of. Whole or not at all. Progress is shown.
 *
 * `bound` must be ready (om_risk_ready).
 * returns  OM_E_NOTFOUND  the layers have no rows
 *          OM_E_COST      more cells than cells_most
 *          OM_E_LIMIT, OM_E_CRS and what fields and rasters return; err names
 *          the option of the command line
 *          OM_E_FORMAT  city.json: crs is no text
 * cost     40 M cells a second and core, and the packing
 * test     tests/web/density.test.mjs
 */
om_status om_density_write(struct om_fields *fields,
                           const struct om_snapshot *snapshot,
                           const struct om_risk_bound *bound,
                           const struct om_density_shape *shape,
                           const char *path, struct om_err *err) OM_MUST_USE;

#endif
