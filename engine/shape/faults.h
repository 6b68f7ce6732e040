// faults.h - where units leave gaps, overlap, or leave their parents: polygons.
#ifndef OM_ENGINE_SHAPE_FAULTS_H
#define OM_ENGINE_SHAPE_FAULTS_H

#include "engine/shape/shape.h"

enum om_fault_kind {
    OM_FAULT_GAP,        // enclosed by units, in none
    OM_FAULT_OVERLAP,    // in two units
    OM_FAULT_OUTSIDE,    // of a unit, outside its parent
    OM_FAULT_UNCOVERED,  // of a parent, in none of the lower units
};

/* One fault: shape i of `shapes`, a single polygon. */
struct om_fault {
    enum om_fault_kind kind;
    // GAP: the units that touch it. OVERLAP: the two. OUTSIDE: the unit, then
    // (in the other level's numbers) its parent. UNCOVERED: the parent.
    const uint32_t *unit;
    size_t units;
    double area_m2;       // on the ellipsoid
    double perimeter_m;   // on the ground
    double width_m;       // mean width: 2 * area / perimeter
    struct om_pos place;  // near its middle
};

struct om_faults {
    size_t count;
    struct om_fault *fault;
    struct om_shapes shapes;  // in cells; crossings are not whole numbers
    struct om_arena arena;
};

/**
 * Gaps and overlaps between the polygons of one level.
 *
 * Exact: a gap is what the polygons enclose (be it that they touch at a point
 * only) and none fills, an overlap the common inside of two, each connected
 * piece on its own; no coordinate is moved. What three
 * polygons share is listed for each of the three pairs. Holes that another
 * unit fills, islands, exclaves and units of several parts are no faults.
 * Areas below a hundredth of a cell are crossings rounded to doubles, not
 * faults.
 *
 * shapes   fault->unit: indices of `rings`, rising; faults: gaps first, each
 *          kind by area, largest first
 * returns  OM_E_MEMORY, OM_E_LIMIT, OM_E_INTERNAL (GEOS)
 * owns     om_faults_deinit
 * cost     a sort of the vertices, and GEOS on what does not agree: 250,000
 *          vertices in 0.1 s
 * test     tests/engine/test_faults.c (GEOS overlay as oracle)
 */
om_status om_faults_find(const struct om_rings *rings,
                         struct om_faults *out) OM_MUST_USE;

/**
 * Where the units of a level leave the units of the next that they are said to
 * lie in, and what of the larger ones no smaller one covers.
 *
 * The levels of a city are rounded to the grid on their own, so that a border
 * of one may lie up to a cell beside the other's: pieces narrower than
 * `slack_m` are left out.
 *
 * shapes   parent [lower->count]: index of `upper` or OM_NO_UNIT
 * owns     om_faults_deinit
 */
om_status om_faults_between(const struct om_rings *lower,
                            const struct om_rings *upper,
                            const uint32_t *parent, double slack_m,
                            struct om_faults *out) OM_MUST_USE;
void om_faults_deinit(struct om_faults *faults);

#endif
