// ways_internal.h - ways from one place, and outlines of what they reach.
#ifndef OM_ENGINE_REACH_WAYS_INTERNAL_H
#define OM_ENGINE_REACH_WAYS_INTERNAL_H

#include "data/base/arena.h"
#include "engine/layer/segment.h"
#include "engine/reach/roads_internal.h"
#include "engine/reach/ways.h"

/** Are the speeds and reach of a travel numbers to count with? OM_E_RANGE */
om_status om__travel_check(const struct om_travel *travel) OM_MUST_USE;
/** Snap one place. */
om_status om__travel_snap(const struct om_travel *travel, struct om_pos at,
                          struct om_snap *out) OM_MUST_USE;
/**
 * The way from a place to another by what om_roads_within found of the first.
 * Exact where it costs at most the limit that was asked for; centre 0, or
 * UINT32_MAX where there is none.
 */
struct om_way om__way_between(const struct om_roads *roads,
                              const struct om_within *within,
                              struct om_snap from, double foot,
                              struct om_snap to);

/* Values at the nodes of a square lattice, row by row from the north. */
struct om__lattice {
    size_t side;
    double x0, y0, dx, dy;  // cells of the grid
    double *value;          // [side * side]
};
/**
 * Where values are at most `level`, as one polygon; values of the outermost
 * nodes must lie above it. Outer rings clockwise as seen on the map; rings of
 * less than `least` meshes are left out.
 * owns     out lies in `arena`
 * source   Lorensen and Cline, Marching Cubes (1987), in the plane; two inside
 *          corners that face each other are not joined
 */
om_status om__contour_make(const struct om__lattice *lattice, double level,
                           double least, struct om_arena *arena,
                           struct om_rings *out) OM_MUST_USE;

#endif
