// changes.h - where a city last changed: a sequence for every cell of level 18.
#ifndef OM_ENGINE_LIVE_CHANGES_H
#define OM_ENGINE_LIVE_CHANGES_H

#include "data/base/status.h"
#include "data/model/pos.h"

/** Level of the cells: 2^18 x 2^18 of the world, 141 m wide in Dongguan. */
#define OM_CHANGE_LEVEL 18

/* A sparse quadtree a layer: every cell that ever changed, and all above it,
 * with the newest sequence and its time. */
struct om_changes;
om_status om_changes_new(struct om_changes **out) OM_MUST_USE;
void om_changes_free(struct om_changes *changes);
/** The whole layer is new as of `sequence`. */
om_status om_changes_reset(struct om_changes *changes, const char *layer,
                           uint64_t sequence, int64_t at_s) OM_MUST_USE;
/** A cell (Morton code of level 18) changed; for shapes every cell that its
 *  box meets is added, or, where that is many, a coarser one. */
om_status om_changes_add(struct om_changes *changes, const char *layer,
                         uint64_t cell, uint64_t sequence,
                         int64_t at_s) OM_MUST_USE;
/** Newest sequence of a change whose cell meets `box` (closed), or that of the
 *  layer as a whole; 0: no such layer. *at_s (may be NULL): its time. cost: a
 *  few steps down the tree; a tile of level <= 18 is one look-up.
 *  threads: one writer, any readers. */
uint64_t om_changes_in(const struct om_changes *changes, const char *layer,
                       struct om_box box, int64_t *at_s);

#endif
