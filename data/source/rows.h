// rows.h - rows of one stretch while they are made into a batch. Inside
// data/source only.
#ifndef OM_DATA_SOURCE_ROWS_H
#define OM_DATA_SOURCE_ROWS_H

#include "data/source/crs.h"
#include "data/source/feed.h"

/* The same shape as om_shapes, still to be written. */
struct om__ragged {
    uint32_t *shape_part, *part_ring, *ring_vertex;
    double *x, *y;
};

/* All arrays live in the job's arena. A rejected row keeps its place until
 * om__rows_finish takes it out of every array. */
struct om__rows {
    struct om__job *job;
    const struct om_schema *schema;
    size_t n;
    size_t lane;
    uint8_t *keep;                   // [n] 0: rejected
    uint64_t *number;                // [n] row within the stretch, from 0
    double *x, *y;                   // [n] of points, source coordinates
    struct om__ragged shapes;        // of lines and polygons
    struct om_batch_column *column;  // [schema's count]
    bool has_ids;                    // the id column can be shown in rejects
    bool zero_is_missing;            // reject positions of exactly 0,0
    const bool *happened;            // [schema's count] columns in which
    int64_t latest_s;                // later times are rejected; NULL: none
    int32_t zone_s;                  // in which those are shown
};

/** Room for `n` rows in the job's arena, all kept, numbered from 0. */
om_status om__rows_begin(struct om__rows *rows, struct om__job *job,
                         const struct om_schema *schema, size_t n,
                         size_t lane) OM_MUST_USE;
/** Reject row i, unless it is rejected already. `reason` and `column` must
 *  outlive the source; the value is copied. */
om_status om__rows_reject(struct om__rows *rows, size_t i, const char *column,
                          const char *reason, const char *value,
                          size_t len) OM_MUST_USE;
/** A note about a row of the stretch that is not among `rows`. */
om_status om__job_note(struct om__job *job, uint64_t row, const char *id,
                       const char *column, const char *reason,
                       const char *value, size_t len) OM_MUST_USE;
/** Source coordinates to positions on the grid; rejects what has none. */
om_status om__rows_place(struct om__rows *rows,
                         struct om__crs *crs) OM_MUST_USE;
/** Reject what is later than it may be, take rejected rows out and fill in the
 *  job's batch. */
om_status om__rows_finish(struct om__rows *rows) OM_MUST_USE;

#endif
