// ogr.h - a layer of GDAL being opened and read. Inside data/source only.
#ifndef OM_DATA_SOURCE_OGR_H
#define OM_DATA_SOURCE_OGR_H

#include <gdal.h>
#include <ogr_api.h>

#include "data/source/arrow.h"
#include "data/source/kind.h"

#define OM__NO_CHILD SIZE_MAX

/* An open layer. Fields are those of the layer, and last the feature number
 * (FID), under the name that makes it an id where it is one. */
struct om__ogr {
    struct om_source *source;
    char *path;
    GDALDatasetH dataset;
    OGRLayerH layer;
    bool is_result;  // of ExecuteSQL
    bool is_text;    // CSV: all fields are texts to be guessed
    bool is_shape;   // Shapefile: texts are raw bytes
    bool is_osm_areas;
    struct om__field *field;
    size_t fields;
    struct ArrowArrayStream stream;
    struct ArrowArray first;  // read for the sample, not yet taken
    size_t *child;            // [fields] of the Arrow arrays
    struct om__arrow_child *how;
    size_t geometry_child;  // OM__NO_CHILD: from x and y
    size_t x, y;            // fields
    size_t osm_way;         // field of the id of ways that are areas
};

/** Open file and layer, list the fields. */
om_status om__ogr_open_layer(const struct om_source_options *options,
                             struct om__ogr *ogr,
                             struct om_err *err) OM_MUST_USE;
/** Start the Arrow stream and match its children with the fields. */
om_status om__ogr_open_stream(struct om__ogr *ogr,
                              struct om_err *err) OM_MUST_USE;
/** The next record batch; array->release NULL at the end. */
om_status om__ogr_read(struct om__ogr *ogr, struct ArrowArray *array,
                       struct om_err *err) OM_MUST_USE;
/** Start the stream, look at the first rows, and settle geometry, columns,
 *  encoding and coordinate system of the source. */
om_status om__ogr_learn(const struct om_source_options *options,
                        struct om__ogr *ogr, struct om_err *err) OM_MUST_USE;
void om__ogr_free(struct om__ogr *ogr);

#endif
