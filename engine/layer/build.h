// build.h - gather rows, sort them, and write a segment.
#ifndef OM_ENGINE_LAYER_BUILD_H
#define OM_ENGINE_LAYER_BUILD_H

#include "data/model/batch.h"
#include "data/model/reject.h"
#include "engine/layer/segment.h"

struct om_builder;

/** Begin a layer. Unit columns are not part of `schema`: they get files of
 *  their own. owns: *out with om_builder_free. */
om_status om_builder_new(const struct om_schema *schema,
                         struct om_builder **out) OM_MUST_USE;
/** Copy the rows of a batch. The batch stays the caller's. */
om_status om_builder_add(struct om_builder *builder,
                         const struct om_batch *batch) OM_MUST_USE;
/** Has the layer a row of this id elsewhere? Called on several threads. */
typedef om_status om_taken_fn(void *ctx, const char *id, size_t len,
                              bool *taken);
/** Rows whose id is taken are duplicates too, when appending. ctx is borrowed
 *  until the rows are written. */
void om_builder_taken(struct om_builder *builder, om_taken_fn *taken,
                      void *ctx);
/**
 * Sort, code the columns, and write `path` whole (it is synced; it appears in
 * the city only through the manifest). Of rows with equal ids the first in the
 * source is kept, the others go to `rejects` (may be NULL), as do shapes that
 * cannot be repaired. Ids of source rows, if the layer has none, are their row
 * numbers.
 *
 * returns  OM_E_MEMORY, OM_E_IO, OM_E_LIMIT (OM_LIMIT_SEGMENT_ROWS);
 *          `path` does not exist then
 * cost     12 M rows: see benchmarks/engine/bench_build.c
 */
om_status om_builder_write(struct om_builder *builder, const char *path,
                           struct om_rejects *rejects,
                           struct om_err *err) OM_MUST_USE;
/** The shapes of this layer are units: they share edges and are noded
 *  together (om_shapes_settle). */
void om_builder_set_shared(struct om_builder *builder, bool shared);
/** After a successful write: rows that were written, shapes that were repaired,
 *  and a call with source row, id and note for each of those. */
size_t om_builder_rows(const struct om_builder *builder);
size_t om_builder_repaired(const struct om_builder *builder);
void om_builder_each_note(const struct om_builder *builder,
                          void (*each)(void *ctx, uint64_t source_row,
                                       const char *id, const char *note),
                          void *ctx);
void om_builder_free(struct om_builder *builder);

/* A unit column: for each row of a segment the ordinal of its unit in `ids`,
 * or OM_NO_UNIT. ids are sorted bytewise and unique. */
struct om_unit_column {
    char name[OM_LIMIT_NAME_BYTES];
    const uint32_t *unit;  // [rows]
    size_t ids;
    const uint32_t *id_offset;  // [ids + 1]
    const char *id_bytes;
};
/** Write the unit columns of a segment to a file of their own. It remembers
 *  which segment it belongs to: om_segment_open refuses any other pair. On an
 *  error `path` does not exist. */
om_status om_units_write(const char *path, const struct om_segment *segment,
                         const struct om_unit_column *column, size_t columns,
                         struct om_err *err) OM_MUST_USE;

/**
 * Sort n keys and the row numbers beside them by key; stable.
 * shapes   key, row [n]; scratch_key, scratch_row [n], content lost
 * cost     LSD radix sort over the bytes that differ, all cores
 */
om_status om_sort_keys(uint64_t *key, uint32_t *row, uint64_t *scratch_key,
                       uint32_t *scratch_row, size_t n) OM_MUST_USE;

/** A cell's mean_x of om_cells: `count` rows whose offsets from the cell's west
 *  (in positions) add up to `sum`. The same for mean_y from the north. */
uint16_t om_cells_mean(uint64_t sum, uint64_t count, unsigned level);
/** Cells of one level over sorted keys, into memory of the caller's arena. */
om_status om_cells_build(const uint64_t *key, size_t rows, unsigned level,
                         struct om_arena *arena,
                         struct om_cells *out) OM_MUST_USE;

#endif
