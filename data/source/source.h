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
    int type;  // enum om_type, or -1
};

/* Strings and `schema` are borrowed for the call of om_source_open only; NULL:
 * not given. `rejects` must live until om_source_close. */
struct om_source_options {
    const char *path;          // file, or anything GDAL opens
    const char *source_layer;  // name or number; default: the only one
    const char *crs;        // EPSG:4547, WKT, GCJ02, BD09; default: the file's
    const char *encoding;   // GBK ...; default: recognised
    const char *x, *y;      // columns of a table that hold the position
    const char *id, *time;  // fields
    const struct om_source_map *map;
    size_t maps;
    int32_t zone_s;  // of times written without a zone
    // Rows with a later time in one of these columns of `schema`, which has to
    // be given, are rejected; NULL: none are.
    const bool *happened;  // [schema's count]
    int64_t latest_s;
    struct om_rejects *rejects;      // may be NULL
    const struct om_schema *schema;  // columns and types are exactly these
};

/**
 * Open a source and find out its schema.
 *
 * Point, line or polygon by the geometry of the layer; a table needs x and y
 * (or lon, lat and the like) or a WKT column. Files ending in .gz or .zip are
 * read as they are. All coordinates become WGS 84 and then the grid of pos.h;
 * x is easting or longitude whatever the authority's axis order.
 *
 * Columns: with `schema` exactly those, each from the field that `map` names or
 * that has its name. Else one for each field; the id is called "id" unless
 * another field is. Types of text files are those that the first 100,000 rows
 * fit: codes that look like numbers (leading zeros, more than 15 digits) are
 * text, texts that repeat are categories. The id is `id`, or the field called
 * id, fid, objectid, ogc_fid, gid, osm_id or @id, or the row's number.
 *
 * Rejected, each with row, column, reason and value: a row with the wrong
 * number of fields, without id, without or with an empty geometry or one of
 * another kind, with a coordinate that is not finite or not on the map, with a
 * value that its column cannot hold, with bytes that are not of the encoding,
 * with a time of what has happened after latest_s;
 * and a point at exactly 0,0, which stands for "not known", unless the first
 * rows lie on both sides of it. An empty value is no value.
 *
 * returns  OM_E_NOTFOUND (file, layer or field), OM_E_FORMAT (not readable),
 *          OM_E_CRS (unknown, not said, or evidently another one; swapped axes:
 *          err tells what to give), OM_E_LIMIT, OM_E_UNSUPPORTED, OM_E_MEMORY
 * owns     *out: om_source_close
 * threads  one source, one thread; it reads ahead on om_threads() of its own,
 *          and what it gives does not depend on how many
 * cost     about 0.25 us of one core a row of address text (104 bytes, four
 *          columns) as CSV, 0.6 us as FlatGeobuf or GeoPackage
 * test     tests/data/test_source.c, test_source_csv.c
 */
om_status om_source_open(const struct om_source_options *options,
                         struct om_source **out,
                         struct om_err *err) OM_MUST_USE;
/** What the rows will look like. Borrowed. */
const struct om_schema *om_source_schema(const struct om_source *source);
/** Rows the source says it has, of a text file about; 0 unknown. */
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
