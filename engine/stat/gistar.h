// gistar.h - Getis-Ord Gi*: where high values, or low ones, lie together.
#ifndef OM_ENGINE_STAT_GISTAR_H
#define OM_ENGINE_STAT_GISTAR_H

#include "engine/stat/graph.h"

/* Mean and standard deviation (divided by n) of values. */
struct om_moments {
    size_t n;
    double sum, mean, sd;  // sd is exactly 0 where all values are equal
};
/** The same whatever the number of threads. shapes: value [n], finite */
struct om_moments om_moments_of(const double *value, size_t n);

/**
 * Gi* of each area: how many standard deviations the sum over it and its
 * neighbours lies from what values thrown at random would give.
 *
 *   z_i = (sum_j x_j - m w_i) / (s sqrt((n w_i - w_i^2) / (n - 1)))
 *
 * with j over i and its neighbours, w_i their number, binary weights. An area
 * without neighbours is judged by itself. Where nothing varies (all values
 * equal, or everybody is a neighbour of i) z is 0: nothing is unusual.
 *
 * shapes   value, z [graph->count]; values finite
 * returns  OM_OK
 * threads  parallel; the same bits whatever their number
 * cost     linear in the links: 1 M cells of 8 neighbours in some 10 ms
 * source   Getis and Ord (1992), Ord and Getis (1995), eq. 14; as localG of
 *          spdep with include.self and style "B"
 * test     tests/engine/test_stat.c   bench benchmarks/engine/bench_hotspots.c
 */
om_status om_gistar(const struct om_graph *graph, const double *value,
                    double *z, struct om_moments *moments) OM_MUST_USE;

/**
 * Gi* in space and time: the neighbours of a bin are those of its area in its
 * time slice and in the slice before it, and the area itself in both (Esri's
 * neighbourhood time step of 1); mean and deviation are those of all bins
 * (Esri's global window: the entire cube).
 *
 * by_slice instead takes each slice for itself, so that what the season does
 * to the whole city is no hotspot (Esri's individual time step, and a
 * neighbourhood time step of 0).
 *
 * shapes   value, z [slices][graph->count]
 * source   Esri, ArcGIS Pro, How Emerging Hot Spot Analysis works
 */
om_status om_gistar_cube(const struct om_graph *graph, const double *value,
                         size_t slices, bool by_slice, double *z) OM_MUST_USE;

#endif
