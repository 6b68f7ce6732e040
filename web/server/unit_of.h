// unit_of.h - one unit of a level, and what meets it.
#ifndef OM_WEB_SERVER_UNIT_OF_H
#define OM_WEB_SERVER_UNIT_OF_H

#include "engine/query/query.h"

struct om__unit_of {
    const struct om_layer *units;
    struct om_hit hit;
    struct om_box box;  // around it
    bool found;
};

/** The unit of that id. It holds as long as the snapshot. threads: any. cost:
 *  microseconds. returns OM_E_NOTFOUND, OM_E_DAMAGED, OM_E_MEMORY */
om_status om__unit_find(const struct om_snapshot *city, const char *level,
                        const char *id, struct om__unit_of *out) OM_MUST_USE;
/** Does a box meet the unit's shape? True, too, where that cannot be read.
 *  cost: 10 us near it, nothing beside its box */
bool om__unit_meets(const struct om_snapshot *city, struct om__unit_of *unit,
                    struct om_box box);

#endif
