// tiling_internal.h - shared by tiling.c and tiling_mark.c.
#ifndef OM_ENGINE_STAT_TILING_INTERNAL_H
#define OM_ENGINE_STAT_TILING_INTERNAL_H

#include "engine/stat/tiling.h"

/** Mark (0 instead of OM_NO_UNIT) the cells of the box that meet polygon
 *  `shape`. returns OM_E_MEMORY */
om_status om__tiling_mark(struct om_tiling *tiling,
                          const struct om_rings *rings,
                          size_t shape) OM_MUST_USE;

#endif
