// grow.h - divide a set of cells into regions that grow from seeds.
#ifndef OM_DATA_SYNTH_GROW_H
#define OM_DATA_SYNTH_GROW_H

#include "data/synth/mesh.h"

/* Scratch of one thread. Zero is a valid empty one. */
struct om__grow_scratch {
    struct om__grow_step *heap;
    uint32_t heap_room;
};
void om__grow_scratch_deinit(struct om__grow_scratch *scratch);

/* What all calls of one level share. label and cost_so_far are written only
 * at the cells of the call, so calls on disjoint sets may run side by side. */
struct om__grow_field {
    const struct om__mesh *mesh;
    const float *weight;     // [cells] regions get about equal sums of it
    const float *friction;   // [cells] what makes borders stay away, 1 plain
    const uint32_t *parent;  // [cells] regions stay within one parent
    uint32_t *label;         // [cells] out
    float *cost_so_far;      // [cells] scratch
};

/**
 * Divide `cell` [cells] of one parent into `regions` regions numbered from
 * `first`. A region is connected unless the parent is not.
 *
 * owns     seed [regions]: out, a cell well inside each region
 * cost     n log n, a few rounds
 */
om_status om__grow(const struct om__grow_field *field, const uint32_t *cell,
                   uint32_t cells, uint32_t regions, uint32_t first,
                   uint64_t seed, unsigned purpose,
                   struct om__grow_scratch *scratch,
                   uint32_t *seed_cell) OM_MUST_USE;

/** Share `total` among n weights, at least `least` each and at most most[i]
 *  (NULL: no bound), whole and exact: largest remainders. */
om_status om__share(const double *weight, size_t n, uint64_t total,
                    uint64_t least, const uint32_t *most,
                    uint32_t *out) OM_MUST_USE;

#endif
