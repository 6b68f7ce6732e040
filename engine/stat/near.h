// near.h - places in square buckets, to find those near each other on the
// ground.
#ifndef OM_ENGINE_STAT_NEAR_H
#define OM_ENGINE_STAT_NEAR_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/** Longest distance within which neighbours are looked for. */
#define OM_NEAR_RADIUS_MOST_M 20000.0
/** Relative error of a squared distance by om__near_m2 up to that, below 75
 *  degrees, with a margin: it grows with (d tan(latitude) / earth's radius)^2,
 *  2e-5 at 20 km and 60 degrees. The geodesic decides within it. */
#define OM__NEAR_DOUBT 2e-4

/* A place, in grid cells, and the ground metres of one cell there. */
struct om__near_site {
    double x, y;
    double x_m, y_m;  // along x and y, on the WGS 84 ellipsoid
};
void om__near_site_init(struct om__near_site *site, double x, double y);

/** Square of the ground distance, within OM__NEAR_DOUBT of it up to
 *  OM_NEAR_RADIUS_MOST_M. */
static inline double om__near_m2(const struct om__near_site *a,
                                 const struct om__near_site *b)
{
    const double dx = (a->x - b->x) * 0.5 * (a->x_m + b->x_m);
    const double dy = (a->y - b->y) * 0.5 * (a->y_m + b->y_m);
    return dx * dx + dy * dy;
}
/** The geodesic between two places, metres. */
double om__near_exact_m(const struct om__near_site *a,
                        const struct om__near_site *b);
/** Is b within radius_m of a (closed)? Exact: the geodesic decides near the
 *  rim. */
static inline bool om__near_within(const struct om__near_site *a,
                                   const struct om__near_site *b,
                                   double radius_m)
{
    const double m2 = om__near_m2(a, b), r2 = radius_m * radius_m;
    if (m2 < r2 * (1 - OM__NEAR_DOUBT)) return true;
    if (m2 > r2 * (1 + OM__NEAR_DOUBT)) return false;
    return om__near_exact_m(a, b) <= radius_m;
}

/* Sites in buckets of `side` grid cells; those of a bucket lie together, in
 * the order of their indices. */
struct om__near {
    size_t count;
    struct om__near_site *site;  // [count] in the order of the buckets
    uint32_t *index;             // [count] what the caller calls it
    double west, north, side;
    size_t cols, rows;
    size_t *first;           // [cols * rows + 1]
    double least_m, most_m;  // ground metres of one cell, over all sites
};
/**
 * Put places into buckets about `side_m` wide on the ground, wider where there
 * would be far more buckets than places.
 * owns     om__near_deinit
 */
om_status om__near_init(struct om__near *near, const double *x, const double *y,
                        size_t count, double side_m) OM_MUST_USE;
void om__near_deinit(struct om__near *near);
/** Bucket column or row of a place that is one of them. */
static inline size_t om__near_col(const struct om__near *near, double x)
{
    const size_t col = (size_t)((x - near->west) / near->side);
    return col < near->cols ? col : near->cols - 1;
}
static inline size_t om__near_row(const struct om__near *near, double y)
{
    const size_t row = (size_t)((y - near->north) / near->side);
    return row < near->rows ? row : near->rows - 1;
}

#endif
