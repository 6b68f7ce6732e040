// positions.h - where those who are on duty were last seen.
#ifndef OM_WEB_SERVER_POSITIONS_H
#define OM_WEB_SERVER_POSITIONS_H

#include "engine/snapshot.h"

/* What city.json says of positions:
 *     "positions": {"layer": "worker", "seen": "seen", "retention_days": 2}
 * Names are borrowed from the snapshot. */
struct om__positions_about {
    const char *layer;     // whose rows are those that are followed
    const char *seen;      // its column of times
    double retention_days; // for which tracks are kept
};
/** False: the city follows nobody. */
bool om__positions_about(const struct om_snapshot *snapshot,
                         struct om__positions_about *out);

#endif
