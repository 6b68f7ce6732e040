// repair.h - GEOS behind a door: validity, repair, snapping to the grid.
#ifndef OM_ENGINE_SHAPE_REPAIR_H
#define OM_ENGINE_SHAPE_REPAIR_H

#include <stdbool.h>

#include "engine/shape/ringset.h"
#include "engine/shape/shape.h"

/* One GEOS context; one thread at a time. Zero is valid and closed. */
struct om__geos {
    void *context;
    char message[sizeof(((struct om_shape_note *)0)->text)];  // last error
};
/** Open it if it is not. returns OM_E_MEMORY. */
om_status om__geos_open(struct om__geos *geos) OM_MUST_USE;
void om__geos_close(struct om__geos *geos);

/**
 * Make a valid polygon of the parts of `set` from `from` on, in place.
 *
 * A valid one stays as it is and `note` too. Else it is repaired (structure
 * method: outer rings are united, holes taken away, nothing flat kept), with
 * `snap` rounded to whole numbers such that it stays valid, and `note` says
 * what was wrong; what cannot be repaired is refused and the parts are gone.
 * *changed says whether the parts are others now (or none).
 *
 * returns  OM_E_MEMORY, OM_E_LIMIT
 */
om_status om__geos_repair(struct om__geos *geos, struct om__ringset *set,
                          struct om__mark from, bool snap,
                          struct om_shape_note *note,
                          bool *changed) OM_MUST_USE;

#endif
