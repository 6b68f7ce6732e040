// still_internal.h - what is told otherwise than it is.
#ifndef OM_ENGINE_POLICY_STILL_INTERNAL_H
#define OM_ENGINE_POLICY_STILL_INTERNAL_H

#include "engine/live/stack_internal.h"
#include "engine/policy/still.h"

/** No such row: it is not told of, or is not there any more. */
#define OM__STILL_NONE UINT32_MAX

/* A row of a layer as it is told, in the still's parts, and as it is, in the
 * newest's. */
struct om__still_row {
    uint32_t told_part, told_row, part, row;
};

/* One layer of a still beside the newest. */
struct om__still_layer {
    const struct om__stack *told, *now;  // the snapshots'
    struct om_schema own;                // without unit columns
    size_t count;
    struct om__still_row *row;  // in order of where they are told
};

/** Is anything of the layer told by stills? */
bool om__still_watches(const struct om_manifest *city,
                       const struct om_layer *layer);
/**
 * Rows of a layer that are told otherwise than they are. Of one that has other
 * columns by now, or is not in the still, there are none: it is told as it is.
 *
 * returns  OM_E_MEMORY, OM_E_DAMAGED, OM_E_STOPPED
 * owns     out->row: om_free
 * cost     that of om_still_next
 */
om_status om__still_differs(const struct om_snapshot *still,
                            const struct om_snapshot *newest,
                            const struct om_layer *layer,
                            struct om__still_layer *out) OM_MUST_USE;

#endif
