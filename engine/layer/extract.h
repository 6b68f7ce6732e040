// extract.h - rows of a segment as a batch again: the reverse of building.
#ifndef OM_ENGINE_LAYER_EXTRACT_H
#define OM_ENGINE_LAYER_EXTRACT_H

#include "data/model/batch.h"
#include "engine/layer/segment.h"

/**
 * Rows of a segment that are not among `dead` as a batch: position or shape
 * and the layer's own columns, exactly as a builder would have to get them to
 * make the same rows. source_row is the row's number here, from 1.
 *
 * shapes   own: the segment's schema without its unit columns; rows NULL: rows
 *          [from, to), else `to` row numbers (ascending), from is not looked
 *          at; dead [dead_count] ascending
 * returns  OM_E_TYPE   the segment does not begin with these columns
 *          OM_E_RANGE  a row number is not below the segment's rows
 *          OM_E_LIMIT  texts of one column beyond 4 GB: take fewer rows
 *          OM_E_DAMAGED, OM_E_MEMORY; *out is empty then
 * owns     out->arena holds all of it: om_arena_deinit
 * cost     linear in the rows and their bytes; texts that are compressed are
 *          unpacked by blocks of 128 rows
 * test     tests/engine/test_run.c
 */
om_status om_segment_extract(const struct om_segment *segment,
                             const struct om_schema *own, size_t from,
                             size_t to, const uint32_t *rows,
                             const uint32_t *dead, size_t dead_count,
                             struct om_batch *out) OM_MUST_USE;

#endif
