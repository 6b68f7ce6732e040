// features.h - rows on their way out: GeoJSON, CSV, FlatGeobuf, GeoPackage.
#ifndef OM_WEB_FEATURES_H
#define OM_WEB_FEATURES_H

#include "data/source/project.h"
#include "engine/query/sorted.h"

enum om_features_format {
    OM_FEATURES_GEOJSON,
    OM_FEATURES_CSV,
    OM_FEATURES_FGB,
    OM_FEATURES_GPKG,
};
/** "geojson", "csv", "fgb", "gpkg"; false if there is no such format. */
bool om_features_format_from_name(const char *name,
                                  enum om_features_format *out);

/* How rows are written. Zero-initialise for: every column, GeoJSON. */
struct om_features_options {
    enum om_features_format format;  // GEOJSON or CSV where bytes are streamed
    int32_t zone_s;                  // of the times, as in the manifest
    // Columns to write, in this order; NULL: all. The GeoJSON id is written
    // whether or not its column is.
    const size_t *column;
    size_t columns;
    bool distance;  // add distance_m, metres (RADIUS and NEAREST)
    // System of the coordinates; NULL: WGS 84 longitude, latitude. GeoJSON has
    // them in the authority's order, all others east before north. A place
    // that the system has no image of is written as no geometry.
    struct om_project *project;
    // Asked now and then while rows are written; true: stop (OM_E_STOPPED).
    bool (*give_up)(void *ctx);
    void *give_up_ctx;
    // Visits the rows instead of om_query_each, in an order of its own; NULL:
    // Morton order.
    const struct om_sort_key *sort;
    size_t sort_keys;
    uint64_t max_bytes;  // of a text file; 0: no limit. OM_E_LIMIT
};

/* Takes bytes as they come. Another status than OM_OK stops the writing and is
 * handed on. */
typedef om_status om_features_take_fn(void *ctx, const void *bytes, size_t len);

struct om_features;

/**
 * Begin a FeatureCollection (RFC 7946: longitude, latitude, seven decimals,
 * polygons right-handed) or a table (CSV by RFC 4180 in UTF-8 with a byte
 * order mark; lon and lat first for points (x and y in a projected system),
 * WKT first for shapes; NULL is
 * nothing, an empty text ""). Text that a spreadsheet would take for a formula
 * is written as it is: the table gives back what came in.
 *
 * returns  OM_E_UNSUPPORTED (format is a file's: see om_features_save),
 *          OM_E_MEMORY, or what `take` said
 * owns     *out: om_features_free. Keeps layer, options' columns and ctx.
 * cost     about a microsecond a row; bytes are handed on by some 64 KiB
 */
om_status om_features_begin(const struct om_layer *layer,
                            const struct om_features_options *options,
                            om_features_take_fn *take, void *ctx,
                            struct om_features **out) OM_MUST_USE;
/** Write one row. */
om_status om_features_add(struct om_features *features,
                          const struct om_hit *hit) OM_MUST_USE;
/** The same with further properties: JSON members such as "\"minutes\":6.1",
 *  or NULL. CSV has no place for them. */
om_status om_features_add_with(struct om_features *features,
                               const struct om_hit *hit,
                               const char *members) OM_MUST_USE;
/**
 * Write the end and hand on what is left. `members` (may be NULL) is JSON text
 * such as "\"numberMatched\":12,\"links\":[]", put after the features of a
 * FeatureCollection; CSV ignores it.
 */
om_status om_features_end(struct om_features *features,
                          const char *members) OM_MUST_USE;
/** Rows written so far. */
uint64_t om_features_count(const struct om_features *features);
/** NULL is fine. */
void om_features_free(struct om_features *features);

/**
 * All rows of a query in one go. *written and *last (may be NULL) are the
 * number of rows and the last of them, from which to go on (om_query.after).
 */
om_status om_features_write(const struct om_query *query,
                            const struct om_features_options *options,
                            om_features_take_fn *take, void *ctx,
                            uint64_t *written, struct om_hit *last) OM_MUST_USE;
/**
 * The same to a file, of any format. It is there whole or not at all: an older
 * file of that name stays until the new one is complete.
 */
om_status om_features_save(const struct om_query *query,
                           const struct om_features_options *options,
                           const char *path, uint64_t *written,
                           struct om_err *err) OM_MUST_USE;
/** One row as a GeoJSON Feature of its own, appended to `out`. */
om_status om_features_one(const struct om_layer *layer,
                          const struct om_features_options *options,
                          const struct om_hit *hit,
                          struct om_buf *out) OM_MUST_USE;

/* Grouped counts as a table. */
struct om_groups_options {
    enum om_features_format format;  // CSV, or GEOJSON for a JSON table
    bool no_mark;                    // CSV without a byte order mark
    bool sum;                        // there is a sum
    bool real;                       // and it is of a real column
    // Name of a group's id, or NULL if it has none; may be NULL.
    const char *(*name)(void *ctx, const struct om_group *group, size_t *len);
    void *name_ctx;
};
/**
 * Append groups as CSV (id,name,count[,sum]) or as a JSON array of objects
 * with these members; the NULL group has an empty id, null in JSON.
 */
om_status om_groups_write(const struct om_groups *groups,
                          const struct om_groups_options *options,
                          struct om_buf *out) OM_MUST_USE;

#endif
