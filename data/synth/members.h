// members.h - the cells of each label, listed.
#ifndef OM_DATA_SYNTH_MEMBERS_H
#define OM_DATA_SYNTH_MEMBERS_H

#include <stdint.h>

#include "data/base/status.h"

/* Cells of label i: cell[first[i]] to cell[first[i + 1]], ascending. */
struct om__members {
    uint32_t *first, *cell;
};
/** label [cells]: below `labels`, or anything above it for no label.
 *  owns: om__members_deinit */
om_status om__members_make(struct om__members *members, const uint32_t *label,
                           uint32_t cells, uint32_t labels) OM_MUST_USE;
void om__members_deinit(struct om__members *members);

#endif
