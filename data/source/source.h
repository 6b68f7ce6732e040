// source.h - read any file of the world as batches of rows.
#ifndef OM_DATA_SOURCE_SOURCE_H
#define OM_DATA_SOURCE_SOURCE_H

#include "data/model/batch.h"
#include "data/model/reject.h"

struct om_source;

/* A column of the layer and the field of the source it comes from. type -1:
 * as the source says. */
struct om_source_map {
    const char *column, *field;
    int type; // enum om_type, or -1
};

/* Strings are borrowed for the call of om_source_open only; NULL: not given.
 */
struct om_source_options {
    const char *path;         // file, or anything GDAL opens
    const char *source_layer; // name or number; default: the only one
    const char *crs;          // EPSG:4547, WKT, GCJ02, BD09; default: the file's
    const char *encoding;     // GBK ...; default: recognised
    const char *x, *y;        // columns of a table that hold the position
    const char *id, *time;    // fields
    const struct om_source_map *map;
    size_t maps;
    int32_t zone_s;           // of times written without a zone
    struct om_rejects *rejects; // may be NULL
};

/**
 * Open a source and find out its schema.
 *
 * Point, line or polygon by the geometry of the layer; a table needs x and y
 * or a WKT column. All coordinates become WGS 84 and then the grid of pos.h.
 *
 * returns  OM_E_NOTFOUND, OM_E_FORMAT (not readable), OM_E_CRS (unknown, or
 *          not said: err tells to give --crs), OM_E_LIMIT
 * owns     *out: om_source_close
 */
om_status om_source_open(const struct om_source_options *options,
                         struct om_source **out, struct om_err *err)
    OM_MUST_USE;
/** What the rows will look like. Borrowed. */
const struct om_schema *om_source_schema(const struct om_source *source);
/** Rows the source says it has; 0 unknown. */
uint64_t om_source_rows(const struct om_source *source);
/**
 * The next rows, at most OM_LIMIT_BATCH_ROWS; batch->rows 0 at the end. The
 * batch's arena is reset first, so one batch can be used again and again.
 * Rows that cannot be taken go to the rejects.
 */
om_status om_source_next(struct om_source *source, struct om_batch *batch,
                         struct om_err *err) OM_MUST_USE;
/** Rows read so far, rejected ones included. */
uint64_t om_source_read(const struct om_source *source);
void om_source_close(struct om_source *source);
void om_batch_deinit(struct om_batch *batch);

#endif
