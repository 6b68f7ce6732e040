// group_internal.h - rows that are written together: the last state of each id.
#ifndef OM_ENGINE_LIVE_GROUP_INTERNAL_H
#define OM_ENGINE_LIVE_GROUP_INTERNAL_H

#include "data/base/buf.h"
#include "engine/live/run.h"
#include "engine/live/stack_internal.h"

/** Rows up to which the newest runs are made again with each group: it costs
 *  some 0.2 ms. Larger ones are merged by a thread of their own. */
#define OM__FRESH_ROWS 256

/* Where a row is on the map: its cell of level 18 and, of a shape that reaches
 * further, the box in such cells (zeros: only the cell). */
struct om__where {
    uint64_t cell;  // OM_NO_CELL: no row
    struct om_box box;
};

/* One id of one layer. */
struct om__slot {
    uint64_t hash;
    uint32_t layer, next;
    size_t id, id_len;      // in the group's bytes
    bool located;           // the next two are known
    bool in_base;           // the stack has a living row,
    struct om__kill place;  // here
    bool touched;           // written by this group; the rest says how
    bool alive;
    size_t record, record_len;  // in the group's bytes
    uint64_t sequence;          // of its newest entry in the group; 0: none
    struct om__where was;       // of the row as it was before the group,
    struct om__where where;     // and as it is now
    uint64_t quiet;             // veils that hide all that differs between them
    bool drawn;                 // its shape was given
};

/* Zero is a valid empty group. */
struct om__group {
    struct om_buf bytes;
    size_t slots, room;
    struct om__slot *slot;
    size_t heads;  // power of two
    uint32_t *head;
};

void om__group_clear(struct om__group *group);
void om__group_deinit(struct om__group *group);
/** The slot of an id, made if need be; slots move when one is made. */
om_status om__group_slot(struct om__group *group, uint32_t layer,
                         const char *id, size_t len, size_t *out) OM_MUST_USE;
/** Look once where the stack has the row of a slot. */
om_status om__group_locate(struct om__slot *slot, const char *id,
                           const struct om__stack *stack,
                           struct om__finder *finder) OM_MUST_USE;
/**
 * The stack of a layer after the group: what was touched dies below, what is
 * alive comes in a run on top, together with the small runs that are there.
 * own: the layer's own columns. *out: the old one with a reference more if the
 * group says nothing of the layer.
 *
 * returns  OM_E_WITHHELD  files of the layer are damaged, and where its rows
 *                         are is not known
 *          OM_E_DAMAGED   a record of the group makes no sense
 *          OM_E_MEMORY
 */
om_status om__group_apply(struct om__group *group, uint32_t layer,
                          const struct om_schema *own,
                          const struct om__stack *old,
                          const struct om_joiner *joiner,
                          struct om__finder *finder, struct om__stack **out,
                          struct om_err *err) OM_MUST_USE;
/** Merge runs of a stack until it has few (tiers.c); *stack is replaced. */
om_status om__stack_settle(struct om__stack **stack,
                           const struct om_schema *own,
                           const struct om_joiner *joiner,
                           struct om_err *err) OM_MUST_USE;

#endif
