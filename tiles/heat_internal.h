// heat_internal.h - what the files of heat maps share.
#ifndef OM_TILES_HEAT_INTERNAL_H
#define OM_TILES_HEAT_INTERNAL_H

#include "tiles/heat.h"

/**
 * heat_coarse.c: a window of a risk whose single rows are not told
 * (risk->coarse_m > 0). Less than `nothing` exposed per km2 is -INFINITY.
 *
 * shapes   value [side * side]
 * cost     nodes of the lattice in and around the window, and 16 products a
 *          pixel
 */
om_status om__risk_coarse(struct om_fields *fields, const struct om_risk *risk,
                          const struct om_field_window *window,
                          const struct om_legend *legend, float nothing,
                          struct om_arena *arena, float *value) OM_MUST_USE;
/** Is the window finer than the lattice, so that it is drawn by it? */
bool om__risk_is_coarse(const struct om_risk *risk,
                        const struct om_field_window *window);

#endif
