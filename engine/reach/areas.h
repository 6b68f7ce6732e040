// areas.h - positions on a map of squares, squares that touch as areas.
#ifndef OM_ENGINE_REACH_AREAS_H
#define OM_ENGINE_REACH_AREAS_H

#include "engine/reach/crowd.h"

struct om_area {
    size_t shape;  // in the rings
    size_t positions, squares;
    uint64_t rows;
    int64_t weight;
    size_t heaviest;  // position of most weight (then rows, then the first)
};

/* Areas by weight, heaviest first (then rows, then north-west first). */
struct om_areas {
    size_t count;
    struct om_area *area;
    uint32_t *area_of;  // [crowd->count] index into area; OM_NO_UNIT: none
    struct om_rings rings;
    struct om_arena arena;
};

/** Grid cells along a side of so many metres of ground at row y. */
uint32_t om_areas_side(double side_m, uint32_t y);

/**
 * The squares in which chosen positions lie, united where they share a side.
 *
 * Squares lie on one absolute net, multiples of `side` cells from the corner
 * of the map: another choice of positions gives the same squares.
 *
 * shapes   chosen [crowd->count]
 * returns  OM_E_RANGE (side is 0), OM_E_MEMORY
 *          areas are valid polygons, outer rings clockwise on the map
 * owns     om_areas_deinit
 * cost     O(n log n)
 */
om_status om_areas_make(const struct om_crowd *crowd, const bool *chosen,
                        uint32_t side, struct om_areas *out) OM_MUST_USE;
void om_areas_deinit(struct om_areas *areas);

#endif
