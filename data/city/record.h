// record.h - one row as bytes: what the journal keeps of it.
#ifndef OM_DATA_CITY_RECORD_H
#define OM_DATA_CITY_RECORD_H

#include "data/base/buf.h"
#include "data/model/batch.h"

/* A record holds the position or shape of a row and all its own columns, with
 * their types, in the schema's order, in a byte order of its own (little-
 * endian), beginning with a version. Unit columns are not in it: they follow
 * from the place. */

/** Append row `row` of a batch. */
om_status om_record_add(const struct om_schema *schema,
                        const struct om_batch *batch, size_t row,
                        struct om_buf *out) OM_MUST_USE;

/* Records becoming a batch again, row after row. */
struct om_record_reader;
/** owns: *out with om_record_reader_free. */
om_status om_record_reader_new(const struct om_schema *schema,
                               struct om_record_reader **out) OM_MUST_USE;
/** Add the row of a record. returns OM_E_FORMAT: no record, or of a layer with
 *  other columns or types; nothing is added then. */
om_status om_record_read(struct om_record_reader *reader, const void *bytes,
                         size_t len) OM_MUST_USE;
size_t om_record_rows(const struct om_record_reader *reader);
/** The rows so far as a batch, borrowed until the next call with the reader;
 *  source_row counts from 1. */
om_status om_record_batch(struct om_record_reader *reader,
                          const struct om_batch **out) OM_MUST_USE;
void om_record_reader_reset(struct om_record_reader *reader);
void om_record_reader_free(struct om_record_reader *reader);

#endif
