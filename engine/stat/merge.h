// merge.h - cells become regions in which every count is large enough.
#ifndef OM_ENGINE_STAT_MERGE_H
#define OM_ENGINE_STAT_MERGE_H

#include "engine/stat/graph.h"

/* What is to be merged. `levels` may be 0: then cells merge within the whole
 * only. */
struct om_merge {
    size_t cells;
    size_t levels;                  // above the cells, finest first
    const uint32_t *const *parent;  // [levels][cells]: the unit of the level
                                    // that holds the cell; OM_NO_UNIT: none
    const struct om_graph *touching;
    const double *x, *y;  // [cells] their places, in grid cells
    size_t demands;
    const uint64_t *count;  // [demands * cells], a demand's cells together
    const uint64_t *least;  // [demands]: what every region must hold
    // Cells of one number stay together, from which regions are begun: those
    // of an earlier time. [cells]; NULL: each cell is one of its own.
    const uint32_t *together;
};

/**
 * Merge until every region holds the least of every demand.
 *
 * Cells merge with neighbours within their unit of the next level; where all
 * of a unit is not enough, it merges as a whole with another within the level
 * above, and so on up to the whole. Of those that lack something the one that
 * lacks most goes first, to a neighbour that lacks something too, else to the
 * one of which the fewest regions are given up, else to the nearest; equal ones
 * by number. Regions are contiguous but where a unit is not, or has nobody to
 * touch.
 *
 * shapes   region [cells]: numbers from 0, by their first cell
 * returns  OM_E_RANGE  all cells together do not hold the least
 *          OM_E_MEMORY
 * cost     O(cells^2 * demands) at the worst; 2,934 grids in 597 villages in
 *          milliseconds
 * test     tests/engine/test_merge.c
 */
om_status om_merge_regions(const struct om_merge *merge, uint32_t *region,
                           size_t *regions) OM_MUST_USE;

#endif
