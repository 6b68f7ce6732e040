// write.h - rows that somebody sends: bodies of requests read into a batch.
#ifndef OM_WEB_WRITE_H
#define OM_WEB_WRITE_H

#include "data/model/batch.h"
#include "engine/snapshot.h"

enum om_body_form {
    OM_BODY_GEOJSON,  // one document: a Feature or a FeatureCollection
    OM_BODY_LINES,    // a Feature a line (NDJSON)
    OM_BODY_CSV,      // a table with a head, of points
};

/** Rows of one body: one batch. */
#define OM_BODY_ROWS OM_LIMIT_BATCH_ROWS
/** Bytes of a GeoJSON document: it is held in memory while it is read. */
#define OM_BODY_DOCUMENT_BYTES ((size_t)8 << 20)
/** Bytes of a row in lines or a table, which come and go. */
#define OM_BODY_ROW_BYTES ((size_t)OM_LIMIT_TEXT_BYTES)
/** Faults that are told one by one; the others are counted. */
#define OM_BODY_FAULTS 100
/** Bytes of an id with its NUL. */
#define OM_BODY_ID_BYTES 256

/* What rows must be. Borrowed for the life of the body. */
struct om_body_rules {
    const struct om_layer *layer;
    int32_t zone_s;  // of times without a zone
    bool bounded;    // positions must lie in `extent`
    struct om_box extent;
    // Times of these own columns must not be after latest_s, which is a little
    // later than clock_s, the city's.
    bool happened[OM_LIMIT_COLUMNS];
    int64_t latest_s, clock_s;
    const bool *unseen;  // columns that are not there for whoever writes, of
                         // all of the layer; NULL: none
    const char *id;      // that the address names; NULL: rows bring their own
    bool patch;          // one Feature with only what is to change
};

/* Why a row was not taken. */
struct om_body_fault {
    uint64_t row;  // of the body, from 1
    om_status status;
    char id[OM_BODY_ID_BYTES];        // "" unknown
    char field[OM_LIMIT_NAME_BYTES];  // column, member or "geometry"; "": all
    char reason[160];
};

struct om_body;

/**
 * Begin to read a body against the rules of a layer.
 *
 * Strict: a member or column that the layer has not is refused by name, a
 * value of another type too. Texts are texts, numbers numbers, times ISO 8601
 * texts (without a zone: the city's), truths true or false; null and a member
 * that is not there are no value. Columns of units, which follow from the
 * place, are passed over, so that rows can be sent as they were got. Tables
 * are read as `import` does: lon and lat (or x and y and the like), an empty
 * field is no value.
 *
 * The id stands in the Feature's id, in the column of the id, or in both
 * alike. Every row needs a geometry of the layer's kind, in OGC:CRS84.
 *
 * returns  OM_E_UNSUPPORTED  a table of lines or polygons
 *          OM_E_MEMORY
 * owns     *out: om_body_free
 * threads  one at a time
 */
om_status om_body_new(const struct om_body_rules *rules, enum om_body_form form,
                      struct om_body **out, struct om_err *err) OM_MUST_USE;
/**
 * Take the next bytes. What a row lacks is noted and reading goes on; an error
 * here ends it.
 *
 * returns  OM_E_FORMAT  not such a document, a table without a usable head
 *          OM_E_LIMIT   more than OM_BODY_ROWS rows or OM_BODY_DOCUMENT_BYTES,
 *                       a row of more than OM_BODY_ROW_BYTES
 *          OM_E_MEMORY
 * cost     lines and tables: memory for two rows of the longest besides the
 *          rows taken; about 4 us a row of ten members
 */
om_status om_body_add(struct om_body *body, const void *bytes, size_t len,
                      struct om_err *err) OM_MUST_USE;
/** The body is complete. OM_E_FORMAT also where it has no row at all. */
om_status om_body_end(struct om_body *body, struct om_err *err) OM_MUST_USE;
void om_body_free(struct om_body *body);

/** Rows that were taken, after om_body_end. Borrowed; source_row counts the
 *  rows of the body from 1. Own columns only. */
const struct om_batch *om_body_batch(const struct om_body *body);
/** Own columns of the layer, as the batch has them. Borrowed. */
const struct om_schema *om_body_schema(const struct om_body *body);
/** Rows of the body, good or bad. */
uint64_t om_body_rows(const struct om_body *body);
/** It was a document of one Feature, not a collection. */
bool om_body_is_feature(const struct om_body *body);
/** Rows that were refused, and the first OM_BODY_FAULTS reasons. */
uint64_t om_body_refused(const struct om_body *body);
size_t om_body_faults(const struct om_body *body,
                      const struct om_body_fault **out);
/** Id of a row of the batch. Borrowed, not NUL-terminated. */
const char *om_body_id(const struct om_body *body, size_t row, size_t *len);
/** Of a patch: which columns it names [schema's count], and whether it has a
 *  geometry. Without one the row's place in the batch means nothing. */
const bool *om_body_given(const struct om_body *body, bool *geometry);

/** Where rows of a city may lie: the box of its units and a margin; false
 *  where there are no units. */
bool om_body_extent(const struct om_snapshot *snapshot, struct om_box *out);

#endif
