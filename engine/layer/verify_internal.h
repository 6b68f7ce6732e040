// verify_internal.h - what the parts of a verification share.
#ifndef OM_ENGINE_LAYER_VERIFY_INTERNAL_H
#define OM_ENGINE_LAYER_VERIFY_INTERNAL_H

#include "engine/layer/segment_internal.h"

struct om__verify {
    const struct om_segment *segment;
    struct om_verify *out;
    struct om_err *err;  // the first fault
};

/** Note `bad` faults of a kind, if there are any. */
void om__verify_fault(struct om__verify *v, uint64_t bad, const char *what);
/** Damage becomes a fault and OM_OK, other failures pass through. */
om_status om__verify_take(struct om__verify *v, om_status st,
                          const char *what) OM_MUST_USE;
/** Recompute a column's minima, maxima and sums; order of its words; read all
 *  its texts. */
om_status om__verify_column(struct om__verify *v, size_t column) OM_MUST_USE;

#endif
