// units_internal.h - the division of cells that all levels share.
#ifndef OM_DATA_SYNTH_UNITS_INTERNAL_H
#define OM_DATA_SYNTH_UNITS_INTERNAL_H

#include "data/synth/city_internal.h"

/** Divide the cells of each parent into regions[parent] regions, numbered
 *  through; label and seed are filled. The same for any number of threads. */
om_status om__units_divide(struct om__city *city, const uint32_t *parent,
                           uint32_t parents, const float *weight,
                           const uint32_t *regions, unsigned purpose,
                           uint32_t *label, uint32_t *seed) OM_MUST_USE;

#endif
