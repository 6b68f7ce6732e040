// crowd.h - the positions where rows of a layer stand, each once: towers hold
// hundreds of addresses and are asked about once.
#ifndef OM_ENGINE_REACH_CROWD_H
#define OM_ENGINE_REACH_CROWD_H

#include "engine/filter/filter.h"

/* Positions in the order of the rows: ascending keys within a part. The rows
 * at position i are the selected ones of its part between first[i] and the
 * next position. Zero is a valid empty one. */
struct om_crowd {
    size_t count;
    uint64_t *key;    // Morton code
    uint32_t *rows;   // selected rows there
    int64_t *weight;  // and the sum of their weights
    uint32_t *first;  // first of them
    size_t parts;
    size_t *part_end;  // [parts] positions of part p end there
    uint64_t total_rows;
    int64_t total_weight;
};

/**
 * Gather the selected rows of a point layer by position.
 *
 * weight   an integer column, NULL in it weighs 0; OM_NO_FIELD: each row
 *          weighs 1
 * returns  OM_E_TYPE   not a layer of points, or not an integer column
 *          OM_E_RANGE  a weight below 0
 *          OM_E_DAMAGED, OM_E_MEMORY
 * owns     om_crowd_deinit
 * cost     12 M rows: about 50 ms on two cores
 * test     tests/engine/test_reach.c
 */
om_status om_crowd_read(const struct om_layer *layer,
                        const struct om_selection *selection, size_t weight,
                        struct om_crowd *out) OM_MUST_USE;
void om_crowd_deinit(struct om_crowd *crowd);
/** The part that position i is of. */
size_t om_crowd_part(const struct om_crowd *crowd, size_t i);

#endif
