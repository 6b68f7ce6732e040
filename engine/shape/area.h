// area.h - ground area under an edge; shared by area.c and check.c.
#ifndef OM_ENGINE_SHAPE_AREA_H
#define OM_ENGINE_SHAPE_AREA_H

#include "engine/shape/ringset.h"

/** The signed ground area, km2, between the edge a-b (straight
 *  on the grid, cells) and the parallel through y0; summed over a closed ring
 *  it is the ring's area, positive if clockwise on the map. */
double om__edge_area_km2(struct om__xy a, struct om__xy b, double y0);
/** Ground area of one ring, without sign. */
double om__ring_area_km2(const struct om__xy *vertex, size_t n);

#endif
