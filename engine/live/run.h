// run.h - small segments in memory: how rows that were just written are kept.
#ifndef OM_ENGINE_LIVE_RUN_H
#define OM_ENGINE_LIVE_RUN_H

#include "data/model/batch.h"
#include "engine/layer/extract.h"
#include "engine/snapshot.h"

/* The levels of units of one snapshot, ready to be asked; made once for each
 * set of units. threads: immutable, counted. */
struct om_joiner;
/**
 * returns  OM_E_UNSUPPORTED  a level of units is not one whole part
 *          OM_E_MEMORY, OM_E_DAMAGED
 * owns     *out with om_joiner_unref; nothing of the snapshot is kept. A city
 *          without units: a joiner without levels.
 * cost     some 100 ms for 2,934 grids, 597 villages and 33 towns
 */
om_status om_joiner_new(const struct om_snapshot *snapshot,
                        struct om_joiner **out, struct om_err *err) OM_MUST_USE;
struct om_joiner *om_joiner_ref(struct om_joiner *joiner);
void om_joiner_unref(struct om_joiner *joiner);
/** How many unit columns it makes, and their names, in the order in which they
 *  follow a segment's own columns. */
size_t om_joiner_levels(const struct om_joiner *joiner);
const char *om_joiner_level(const struct om_joiner *joiner, size_t level);
/** Id of the unit of a level that has a position, borrowed and not terminated;
 *  NULL: none has. cost: one search */
const char *om_joiner_unit(const struct om_joiner *joiner, size_t level,
                           struct om_pos pos, size_t *len);

/**
 * A segment in memory of the rows of batches: the same thing as one in a file
 * (same sections, same readers), sorted, coded, joined with the units.
 *
 * A unit column's dictionary has the units that occur, or all of the level's
 * where that is shorter.
 *
 * shapes   schema: the layer's own columns; joiner NULL: no unit columns
 * returns  OM_E_EXISTS    two rows have one id (err->at: row of all batches,
 *                         from 0; err->text names the id)
 *          OM_E_GEOMETRY  a shape cannot be used (err->at the same)
 *          OM_E_MEMORY, OM_E_LIMIT
 * owns     *out: om_segment_unref
 * cost     benchmarks/engine/bench_live.c
 * threads  any
 * test     tests/engine/test_run.c
 */
om_status om_run_new(const struct om_schema *schema,
                     const struct om_batch *const *batch, size_t batches,
                     const struct om_joiner *joiner, struct om_segment **out,
                     struct om_err *err) OM_MUST_USE;

/**
 * One segment of the living rows of several.
 *
 * shapes   schema: own columns of all parts; path, units_path NULL: in memory,
 *          else the files that are written (units_path is not written where the
 *          joiner is NULL or has no levels)
 * returns  as om_run_new (OM_E_EXISTS: a living id in two parts), OM_E_IO; no
 *          file is left behind
 * owns     *out, opened: om_segment_unref
 * cost     as building: linear in the rows, twice their bytes of memory
 */
om_status om_run_merge(const struct om_schema *schema,
                       const struct om_part *part, size_t parts,
                       const struct om_joiner *joiner, const char *path,
                       const char *units_path, struct om_segment **out,
                       struct om_err *err) OM_MUST_USE;

#endif
