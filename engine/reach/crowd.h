// crowd.h - the positions where rows of a layer stand, each once: towers hold
// hundreds of addresses and are asked about once.
#ifndef OM_ENGINE_REACH_CROWD_H
#define OM_ENGINE_REACH_CROWD_H

#include "engine/filter/filter.h"

/* Positions by ascending keys, each once, whatever parts its rows lie in: the
 * first of them is the one with the lowest id. Zero is a valid empty one. */
struct om_crowd {
    size_t count;
    uint64_t *key;    // Morton code
    uint32_t *rows;   // selected rows there
    int64_t *weight;  // and the sum of their weights
    uint32_t *first;  // first of them, and the part that it is in
    uint32_t *part;
    uint64_t total_rows;
    int64_t total_weight;
};

/** What a row weighs at most: a layer's rows add up to 63 bits. */
#define OM_CROWD_ROW_MOST 1000000000

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
/**
 * Visit the rows of position i that `among` has, by their ids. returns
 * OM_E_DAMAGED, OM_E_MEMORY, what `each` returned
 */
om_status om_crowd_rows(const struct om_crowd *crowd, size_t i,
                        const struct om_layer *layer,
                        const struct om_selection *among,
                        om_status (*each)(void *ctx, size_t part, size_t row),
                        void *ctx) OM_MUST_USE;

#endif
