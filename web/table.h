// table.h - the result of an analysis as rows: CSV, JSON, GeoJSON.
#ifndef OM_WEB_TABLE_H
#define OM_WEB_TABLE_H

#include "data/base/buf.h"
#include "data/model/batch.h"
#include "data/model/schema.h"
#include "engine/layer/segment.h"
#include "web/features.h"

enum om_table_format {
    OM_TABLE_CSV,      // RFC 4180, UTF-8 with a byte order mark, no geometry
    OM_TABLE_JSON,     // {members, "rows":[{..},..]}, no geometry
    OM_TABLE_GEOJSON,  // a FeatureCollection; members beside its features
};
/** "csv", "json", "geojson"; false if there is no such format. */
bool om_table_format_from_name(const char *name, enum om_table_format *out);

/* A column of a result. Values are put in the order of the columns. */
struct om_table_column {
    const char *name;
    enum om_type type;
};

struct om_table;
/**
 * Begin a table. `members` (may be NULL) is JSON text without braces, such as
 * "\"stat\":\"gistar\",\"units\":2934", what is known of the whole before its
 * rows; CSV leaves it out.
 *
 * returns  OM_E_MEMORY, or what `take` said
 * owns     *out: om_table_free. Keeps `column` and ctx.
 * cost     under a microsecond a row; bytes are handed on by some 64 KiB
 */
om_status om_table_begin(enum om_table_format format,
                         const struct om_table_column *column, size_t columns,
                         int32_t zone_s, const char *members,
                         om_features_take_fn *take, void *ctx,
                         struct om_table **out) OM_MUST_USE;
/** Values of the row at hand, one a column, left to right; a row begins with
 *  its first value and ends with its last. A text NULL or a real that is not
 *  finite is null. JSON text goes into JSON as it is (a list, an object). A
 *  failure sticks until om_table_end. */
void om_table_text(struct om_table *table, const char *text, size_t len);
void om_table_word(struct om_table *table, const char *text);
void om_table_integer(struct om_table *table, int64_t value);
void om_table_real(struct om_table *table, double value);
void om_table_time(struct om_table *table, int64_t utc_s);
void om_table_truth(struct om_table *table, bool value);
void om_table_json(struct om_table *table, const char *text, size_t len);
void om_table_null(struct om_table *table);
/** Geometry of the next row, before its first value: a place in grid cells, or
 *  a polygon. Without it a feature has none. */
void om_table_at(struct om_table *table, double x, double y);
void om_table_shape(struct om_table *table, const struct om_rings *rings,
                    size_t shape);
/** The same for a polygon whose vertices are not whole numbers, such as where
 *  borders cross; 1,1 is the place that rings have as 1,1. */
void om_table_polygon(struct om_table *table, const struct om_shapes *shapes,
                      size_t shape);
/** Write the end and hand on what is left; what stuck comes out here.
 *  `members` (may be NULL): what is known of the whole after its rows. */
om_status om_table_end(struct om_table *table, const char *members) OM_MUST_USE;
uint64_t om_table_rows(const struct om_table *table);
/** NULL is fine. */
void om_table_free(struct om_table *table);

/* A place for a verb's result: a file that is there whole or not at all, or
 * standard output where `path` is NULL. */
struct om_table_file;
om_status om_table_file_new(const char *path, struct om_table_file **out,
                            struct om_err *err) OM_MUST_USE;
/** An om_features_take_fn; ctx is the om_table_file. */
om_status om_table_file_take(void *file, const void *bytes, size_t len);
/** Put the file in its place. On an error nothing is left. */
om_status om_table_file_commit(struct om_table_file *file,
                               struct om_err *err) OM_MUST_USE;
/** Without a commit before it: removes what was written. NULL is fine. */
void om_table_file_free(struct om_table_file *file);

#endif
