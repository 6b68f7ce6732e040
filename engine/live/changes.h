// changes.h - where a city last changed: a sequence for every cell of level 18.
#ifndef OM_ENGINE_LIVE_CHANGES_H
#define OM_ENGINE_LIVE_CHANGES_H

#include "data/base/status.h"
#include "data/model/pos.h"

/** Level of the cells: 2^18 x 2^18 of the world, 141 m wide in Dongguan. */
#define OM_CHANGE_LEVEL 18

/* A sparse quadtree a layer: every cell that ever changed, and all above it,
 * with the newest sequence and its time. Memory is bounded: of a layer that
 * changes at more than about 130,000 scattered cells, the rest is remembered
 * coarser, so that a question about it may be answered with too new a
 * sequence, never with too old a one.
 * Who does not see all of a layer is told of what it sees
 * (audience.h).
 * threads: one writer; om_changes_in from any thread at any time. */
struct om_changes;
/** owns: *out with om_changes_free. */
om_status om_changes_new(struct om_changes **out) OM_MUST_USE;
void om_changes_free(struct om_changes *changes);
/** The whole layer is new as of `sequence`; a layer that was not known is from
 *  here on. returns OM_E_MEMORY, only of one that was not. */
om_status om_changes_reset(struct om_changes *changes, const char *layer,
                           uint64_t sequence, int64_t at_s) OM_MUST_USE;
/** The same of a layer that is known, but not for those who only count its rows
 *  (audience.h). */
void om_changes_moved(struct om_changes *changes, const char *layer,
                      uint64_t sequence, int64_t at_s);
/** The same for those who see all of it: it is drawn otherwise. */
void om_changes_looks(struct om_changes *changes, const char *layer,
                      uint64_t sequence, int64_t at_s);
/** A cell (Morton code of level 18) changed. Cannot fail: where there is no
 *  memory a coarser cell is remembered; a layer that is not known is left
 *  alone. */
void om_changes_add(struct om_changes *changes, const char *layer,
                    uint64_t cell, uint64_t sequence, int64_t at_s);
/* A cell and the sequence of its newest change. */
struct om_change {
    uint64_t cell, sequence;
};
/** The same for many cells, in rising order (each may come more than once).
 *  cost: a fifth of that of one by one where they are near each other */
void om_changes_add_all(struct om_changes *changes, const char *layer,
                        const struct om_change *change, size_t count,
                        int64_t at_s);
/** The same as om_changes_add for a cell of a coarser level (0: the world). */
void om_changes_add_coarse(struct om_changes *changes, const char *layer,
                           unsigned level, uint64_t cell, uint64_t sequence,
                           int64_t at_s);
/** A box of positions changed: every cell that it meets or, where that is
 *  more than 64, the cells of a coarser level. */
void om_changes_add_box(struct om_changes *changes, const char *layer,
                        struct om_box box, uint64_t sequence, int64_t at_s);
/** Newest sequence of a change whose cell meets `box` (positions, closed), or
 *  that of the layer as a whole; 0: no such layer. *at_s (may be NULL): its
 *  time. cost: a few steps down the tree; of a tile of level <= 18, 18. */
uint64_t om_changes_in(const struct om_changes *changes, const char *layer,
                       struct om_box box, int64_t *at_s);

/** Sequence of the last change of the layer as a whole; 0: no such layer. */
uint64_t om_changes_whole(const struct om_changes *changes, const char *layer);

/** The cell of a position. */
static inline uint64_t om_change_cell(struct om_pos pos)
{
    return om_morton(pos) >> (64 - 2 * OM_CHANGE_LEVEL);
}

#endif
