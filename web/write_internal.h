// write_internal.h - a row on its way in. Inside web/write*.c only.
#ifndef OM_WEB_WRITE_INTERNAL_H
#define OM_WEB_WRITE_INTERNAL_H

#include "data/json.h"
#include "data/source/csv.h"
#include "web/write.h"

/* One value of the row at hand; texts are borrowed until it is kept. */
struct om__cell {
    bool set;  // there is a value
    int64_t integer;
    double real;
    const char *text;
    size_t len;
};

/* A column of the rows that were taken. */
struct om__taken {
    struct om_buf number;  // int64_t, double, or uint32_t offsets [rows + 1]
    struct om_buf bytes;
    struct om_buf valid;  // a byte a row
};

/* Lines and polygons, as in om_shapes. */
struct om__shape_bufs {
    struct om_buf shape_part, part_ring, ring_vertex;  // uint32_t
    struct om_buf x, y;                                // double
};

struct om_body {
    const struct om_body_rules *rules;
    enum om_body_form form;
    struct om_schema schema;
    // The row at hand.
    struct om__cell cell[OM_LIMIT_COLUMNS];
    bool given[OM_LIMIT_COLUMNS];
    bool geometry_given;
    char id[OM_BODY_ID_BYTES];
    size_t id_len;
    bool has_id, bad;
    struct om_pos pos;
    struct om__shape_bufs shape;
    uint64_t shapes_ns;  // what shapes have cost (OM_LIMIT_BODY_SHAPES_NS)
    // Taken.
    uint64_t rows, refused;
    size_t taken;
    struct om__taken column[OM_LIMIT_COLUMNS];
    struct om_buf source_row, place;
    struct om__shape_bufs shapes;
    struct om_batch batch;
    struct om_buf scratch;  // unquoted texts of a row
    size_t faults;
    struct om_body_fault fault[OM_BODY_FAULTS];
    bool is_feature, ended;
    // What has come and is not read yet.
    struct om_buf pending;
    size_t read;    // of pending
    size_t looked;  // up to here there is no line end
    // A table.
    bool head_read;
    char delimiter;
    size_t fields, lon, lat;
    size_t to[OM_LIMIT_COLUMNS * 2];  // column of a field; see write_csv.c
    struct om_csv_field *field;       // [fields + 1]
};

// write_row.c
/** Forget the row at hand; begin: and count the next. */
void om__row_clear(struct om_body *body);
void om__row_begin(struct om_body *body);
/** Refuse the row at hand, and say why; only the first reason for a field
 *  counts as one more. */
void om__row_fault(struct om_body *body, om_status status, const char *field,
                   const char *format, ...) OM_PRINTF(4, 5);
/** The id of the row; a fault if it has another already. */
void om__row_id(struct om_body *body, const char *text, size_t len);
/** A position of the row in degrees: of a point layer the row's own. False:
 *  it cannot be used, that is noted. */
bool om__row_position(struct om_body *body, double lon, double lat);
/** Keep the row at hand if nothing was wrong with it. */
om_status om__row_end(struct om_body *body) OM_MUST_USE;
om_status om__rows_end(struct om_body *body) OM_MUST_USE;

// write_geometry.c
/** The geometry of the row at hand out of GeoJSON. */
om_status om__row_geometry(struct om_body *body,
                           const struct om_json *geometry) OM_MUST_USE;
void om__shapes_clear(struct om__shape_bufs *shapes);
om_status om__shapes_append(struct om__shape_bufs *to,
                            const struct om__shape_bufs *from) OM_MUST_USE;
/** Put a shape on the grid in the place of what is there. */
om_status om__shapes_set(struct om__shape_bufs *to,
                         const struct om_rings *rings) OM_MUST_USE;
struct om_shapes om__shapes_view(const struct om__shape_bufs *shapes);
void om__shapes_deinit(struct om__shape_bufs *shapes);

// write_json.c
om_status om__document_read(struct om_body *body, const char *text, size_t len,
                            struct om_err *err) OM_MUST_USE;
/** One line: a Feature. */
om_status om__line_read(struct om_body *body, const char *text,
                        size_t len) OM_MUST_USE;

// write_line.c
/** Take a Feature that is written as most are: the row at hand, id and place
 *  checked; om__row_end is next. False: nothing was taken, and whether it is a
 *  row at all is for om_json_parse to say. */
bool om__line_take(struct om_body *body, const char *text,
                   size_t len) OM_MUST_USE;

// write_csv.c
/** Read what is complete of the pending bytes; `end`: all of them. */
om_status om__table_read(struct om_body *body, bool end,
                         struct om_err *err) OM_MUST_USE;

#endif
