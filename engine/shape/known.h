// known.h - which costly polygons were just found valid: not again.
#ifndef OM_ENGINE_SHAPE_KNOWN_H
#define OM_ENGINE_SHAPE_KNOWN_H

#include <stdbool.h>

#include "engine/shape/ringset.h"

/* DESIGN
 * A written shape is looked at three times: for who sends it, before it is
 * journalled, and when it becomes a row. The last two are on the committer's
 * thread, for whom all writers wait. So what the close look or GEOS has called
 * valid is remembered for a while, by a hash under a number of this process
 * alone, so that nobody can send another shape that passes for it. */

/** A number for the parts of `set` from `from` on, as rounded. cost: one pass
 */
uint64_t om__shape_mark(const struct om__ringset *set, struct om__mark from);
/** Was the shape of this mark noted, and not pushed out since by one of many
 *  others? threads: any */
bool om__shape_known(uint64_t mark);
void om__shape_note(uint64_t mark);

#endif
