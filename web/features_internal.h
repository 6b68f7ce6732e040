// features_internal.h - values and geometries of rows, as text and as numbers.
#ifndef OM_WEB_FEATURES_INTERNAL_H
#define OM_WEB_FEATURES_INTERNAL_H

#include "data/source/sink.h"
#include "web/features.h"

/* Reads the values of rows; keeps a text block a column. */
struct om__rows {
    const struct om_layer *layer;
    int32_t zone_s;
    struct om_project *project;  // NULL: degrees
    size_t *column;              // [columns] what is written; owned
    size_t columns;
    struct om_text_reader *reader;  // [schema's count + 1]; owned. The last
                                    // reads ids
};
om_status om__rows_init(struct om__rows *rows, const struct om_layer *layer,
                        const struct om_features_options *options) OM_MUST_USE;
void om__rows_deinit(struct om__rows *rows);
/** Value of a column; text borrowed until the next call for that column. */
om_status om__rows_value(struct om__rows *rows, const struct om_hit *hit,
                         size_t column, struct om_value *out) OM_MUST_USE;
om_status om__rows_id(struct om__rows *rows, const struct om_hit *hit,
                      const char **text, size_t *len) OM_MUST_USE;

/** Visit the rows of a query in the order that options want. */
om_status om__rows_each(const struct om_query *query,
                        const struct om_features_options *options,
                        bool (*each)(void *ctx, const struct om_hit *hit),
                        void *ctx) OM_MUST_USE;
/** OM_E_STOPPED when `count` is one at which options are asked and say so. */
om_status om__rows_go_on(const struct om_features_options *options,
                         uint64_t count) OM_MUST_USE;

/** Append a value as JSON, or as a field of CSV. */
void om__value_json(struct om_buf *buf, enum om_type type,
                    const struct om_value *value, int32_t zone_s);
void om__value_csv(struct om_buf *buf, enum om_type type,
                   const struct om_value *value, int32_t zone_s);
void om__text_csv(struct om_buf *buf, const char *text, size_t len);
/** The same of a value: no spreadsheet takes it for a formula, and who reads it
 *  again has it as it was (om_csv_guard). */
void om__cell_csv(struct om_buf *buf, const char *text, size_t len);

/** Position of a point row. */
om_status om__rows_pos(const struct om__rows *rows, const struct om_hit *hit,
                       struct om_pos *out) OM_MUST_USE;
/** Where a position is written: degrees, or what `project` makes of them,
 *  east first; NaN: nowhere. */
om_status om__place_out(struct om_project *project, struct om_pos pos,
                        double *x, double *y) OM_MUST_USE;
/** Append one coordinate with the decimals that the system deserves. */
void om__number_out(struct om_buf *buf, const struct om_project *project,
                    double value);
/** Append seven decimals of a degree, trailing zeros cut. */
void om__degrees(struct om_buf *buf, double deg);
/** Append the geometry as a GeoJSON object or as WKT. */
om_status om__geometry_json(struct om_buf *buf, const struct om__rows *rows,
                            const struct om_hit *hit) OM_MUST_USE;
/** One shape as a GeoJSON object; null if it has no parts. closed: polygons. */
om_status om__shape_json(struct om_buf *buf, const struct om_rings *rings,
                         size_t shape, bool closed) OM_MUST_USE;
om_status om__geometry_wkt(struct om_buf *buf, const struct om__rows *rows,
                           const struct om_hit *hit) OM_MUST_USE;
/** The geometry for a sink; arrays in `arena`. lon_deg NULL: none. */
om_status om__geometry_sink(const struct om__rows *rows,
                            const struct om_hit *hit, struct om_arena *arena,
                            struct om_sink_geometry *out) OM_MUST_USE;

#endif
