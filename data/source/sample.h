// sample.h - do the first coordinates fit the coordinate system? Inside
// data/source only.
#ifndef OM_DATA_SOURCE_SAMPLE_H
#define OM_DATA_SOURCE_SAMPLE_H

#include "data/source/crs.h"

/** Positions that are kept to be tried. */
#define OM__EXTENT_SOME 64

/* What the first positions look like, added up one by one. */
struct om__extent {
    size_t count;           // finite ones that are not 0,0
    size_t degrees;         // |x| <= 180 and |y| <= 90
    size_t swapped;         // |x| <= 90 and 90 < |y| <= 180
    double x0, y0, x1, y1;  // of those counted
    double some_x[OM__EXTENT_SOME], some_y[OM__EXTENT_SOME];  // the first ones
    double odd_x, odd_y;  // one that is not within degrees
};

void om__extent_add(struct om__extent *extent, double x, double y);
/** Is a position of exactly 0,0 out of place among these? */
bool om__extent_zero_is_missing(const struct om__extent *extent);
/**
 * Degrees that are no degrees, metres that are degrees, axes swapped, and
 * positions that the system cannot transform: each more than half of them is
 * an error that says what to give.
 * `said`: the file or the user named the system; else it is taken for WGS 84.
 */
om_status om__extent_check(const struct om__extent *extent, const char *path,
                           struct om__crs *crs, bool said,
                           struct om_err *err) OM_MUST_USE;

#endif
