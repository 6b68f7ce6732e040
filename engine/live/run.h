// run.h - small segments in memory: how rows that were just written are kept.
#ifndef OM_ENGINE_LIVE_RUN_H
#define OM_ENGINE_LIVE_RUN_H

#include "data/model/batch.h"
#include "engine/snapshot.h"

/* The levels of units of one snapshot, ready to be asked; made once for each
 * set of units. threads: immutable. */
struct om_joiner;
/** owns: *out with om_joiner_unref; keeps what it needs. A city without units:
 *  a joiner without levels. */
om_status om_joiner_new(const struct om_snapshot *snapshot,
                        struct om_joiner **out, struct om_err *err) OM_MUST_USE;
struct om_joiner *om_joiner_ref(struct om_joiner *joiner);
void om_joiner_unref(struct om_joiner *joiner);
/** Unit columns (names, in the order of a segment's) of Morton codes. */
size_t om_joiner_levels(const struct om_joiner *joiner);

/**
 * A segment in memory of the rows of batches: the same thing as one in a file
 * (same sections, same readers), sorted, coded, joined with the units.
 *
 * returns  OM_E_EXISTS  two rows have one id
 *          OM_E_GEOMETRY  a shape cannot be used (err->at: row)
 *          OM_E_MEMORY, OM_E_LIMIT
 * owns     *out: om_segment_unref
 * cost     100 rows well under a millisecond; a million in half a second
 * threads  any
 */
om_status om_run_new(const struct om_schema *schema,
                     const struct om_batch *const *batch, size_t batches,
                     const struct om_joiner *joiner, struct om_segment **out,
                     struct om_err *err) OM_MUST_USE;

/**
 * Rows [from, to) of a segment that are not among `dead` (sorted), as a batch
 * in the arena: the reverse of building. Own columns only.
 * rows, NULL: all of [from, to); else those row numbers (sorted), `to` of them.
 */
om_status om_segment_extract(const struct om_segment *segment,
                             const struct om_schema *own, size_t from,
                             size_t to, const uint32_t *rows,
                             const uint32_t *dead, size_t dead_count,
                             struct om_batch *out) OM_MUST_USE;

/** One segment of the living rows of several, newer ones last; in memory
 *  (path NULL), or as segment and units files. */
om_status om_run_merge(const struct om_schema *schema,
                       const struct om_part *part, size_t parts,
                       const struct om_joiner *joiner, const char *path,
                       const char *units_path, struct om_segment **out,
                       struct om_err *err) OM_MUST_USE;

#endif
