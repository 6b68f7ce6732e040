// sink.h - write rows as FlatGeobuf or GeoPackage, through GDAL.
#ifndef OM_DATA_SOURCE_SINK_H
#define OM_DATA_SOURCE_SINK_H

#include "data/base/status.h"
#include "data/model/schema.h"

struct om_sink;

/* One value of a row on its way out. text is not NUL-terminated. */
struct om_value {
    bool null;
    int64_t integer;  // INTEGER, TIME (UTC s), BOOLEAN
    double real;
    const char *text;
    size_t len;
};

/* A geometry on its way out, ragged as in batch.h (rings not closed). A point
 * has one vertex and no rings; lon_deg NULL: no geometry. WGS 84 degrees, or
 * easting and northing where the file has another system. */
struct om_sink_geometry {
    size_t parts;
    const uint32_t *part_ring, *ring_vertex;
    const double *lon_deg, *lat_deg;
};

/**
 * Create `path` ("fgb" or "gpkg" as `format`) for rows of `schema`. `crs`
 * ("EPSG:4547") is noted in the file; NULL: WGS 84. East comes before north.
 * A file of that name is replaced only when the sink is closed well. Times are
 * written with the zone `zone_s`, in a GeoPackage as UTC. FlatGeobuf gets no
 * spatial index: GDAL would sort all rows again.
 * owns     *out: om_sink_close
 */
om_status om_sink_open(const char *path, const char *format, const char *layer,
                       const struct om_schema *schema, int32_t zone_s,
                       const char *crs, struct om_sink **out, struct om_err *err) OM_MUST_USE;
/** Add one row; value [schema's count]. */
om_status om_sink_add(struct om_sink *sink, const struct om_value *value,
                      const struct om_sink_geometry *geometry,
                      struct om_err *err) OM_MUST_USE;
/** Finish (commit) or, with commit false, remove what was written. */
om_status om_sink_close(struct om_sink *sink, bool commit,
                        struct om_err *err) OM_MUST_USE;

#endif
