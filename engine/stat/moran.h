// moran.h - Moran's I of the whole and of each area: who is like, or unlike,
// his neighbours.
#ifndef OM_ENGINE_STAT_MORAN_H
#define OM_ENGINE_STAT_MORAN_H

#include "engine/stat/graph.h"

/* Quadrant of an area's deviation and of its neighbours' mean deviation. */
enum om_quadrant {
    OM_QUADRANT_NONE,  // no neighbours, or nothing varies
    OM_QUADRANT_HH,    // high among high
    OM_QUADRANT_LL,
    OM_QUADRANT_HL,  // high among low
    OM_QUADRANT_LH,
};

struct om_moran_local {
    double i, expected, variance, z;  // NaN without neighbours or variation
    enum om_quadrant quadrant;
};

/* What an area's I is compared with: all values thrown at random over the
 * areas, or all but its own, which stays where it is. The first is what was
 * published first; its I is a product of two random numbers, so that far out
 * p is much too small (measured: false alarms in 12 of 20 cities without
 * hotspots where 1 was promised, against 0 of 20). */
enum om_moran_moments { OM_MORAN_CONDITIONAL, OM_MORAN_TOTAL };

/**
 * Local Moran's I with row-standardised weights. An area of exactly the mean
 * value has I = 0 and z = 0.
 *
 * shapes   value, out [graph->count]
 * source   Anselin (1995), Geographical Analysis 27, eqs. 7, 12, 13 (total);
 *          Sokal, Oden and Thomson (1998), Geographical Analysis 30,
 *          appendix 2 (conditional); as localmoran of spdep, whose default is
 *          conditional
 * test     tests/engine/test_stat.c
 */
om_status om_moran_local(const struct om_graph *graph, const double *value,
                         enum om_moran_moments moments,
                         struct om_moran_local *out) OM_MUST_USE;

struct om_moran {
    size_t n;                         // areas with neighbours
    double i, expected, variance, z;  // NaN where fewer than 4, or no variation
};
/**
 * Global Moran's I with row-standardised weights under randomisation. Areas
 * without neighbours do not count in n, as in spdep.
 * source   Cliff and Ord (1981), Spatial Processes, eq. 2.8 and p. 46; as
 *          moran.test of spdep
 */
om_status om_moran_global(const struct om_graph *graph, const double *value,
                          struct om_moran *out) OM_MUST_USE;

#endif
