// field.h - the density field of a layer: one surface, any window of it.
#ifndef OM_ENGINE_FIELD_FIELD_H
#define OM_ENGINE_FIELD_FIELD_H

#include "engine/filter/filter.h"

enum om_kernel { OM_KERNEL_QUARTIC, OM_KERNEL_GAUSSIAN };

/* Which field. value at a place = sum over selected rows of
 * weight * K(distance / bandwidth) in units per ground square kilometre.
 * weight_column OM_NO_FIELD: every row weighs 1. */
struct om_field_spec {
    const struct om_layer *layer;
    const struct om_selection *selection;
    enum om_kernel kernel;
    double bandwidth_m;  // ground metres; the Gaussian's is 3 sigma, cut there
    size_t weight_column;
};

/* Cells of a window: `side` x `side` pixels of the tile z/x/y, row 0 north. */
struct om_field_window {
    unsigned z;
    uint32_t x, y;
    unsigned side_px;  // 256 or 512
};

/** Smallest and largest bandwidth that is computed. OM_E_RANGE outside. */
#define OM_BANDWIDTH_MIN_M 10.0
#define OM_BANDWIDTH_MAX_M 20000.0
/** Where a user gives none: about ten minutes' walk. */
#define OM_BANDWIDTH_DEFAULT_M 800.0

struct om_fields;  // caches of what filters and weights have been prepared
om_status om_fields_new(size_t max_bytes, struct om_fields **out) OM_MUST_USE;
void om_fields_free(struct om_fields *fields);

/**
 * Evaluate a window.
 *
 * Neighbouring windows continue each other: a pixel depends only on its place
 * and zoom, never on the window it is asked through. Where a pixel is wider
 * than the bandwidth it holds the mean over the pixel, else the value at its
 * centre.
 *
 * shapes   value [side * side], row by row
 * units    weight per km2 on the ground
 * returns  OM_E_RANGE, OM_E_TYPE (weight not a number), OM_E_MEMORY,
 *          OM_E_DAMAGED
 * threads  any, with an arena each
 * cost     p99 under 2 ms for 256 px with colour and PNG, any zoom
 */
om_status om_field_window(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_field_window *window,
                          struct om_arena *arena, float *value) OM_MUST_USE;
/** The exact sum at one place, point by point in double: what a pixel means.
 *  `at` in grid cells as in batch.h. */
om_status om_field_exact(const struct om_field_spec *spec, double x, double y,
                         double *value) OM_MUST_USE;
/** Largest value anywhere (at the evaluation grid's nodes) and sum of the
 *  weights: what a legend needs. Kept in `fields`. */
om_status om_field_scale(struct om_fields *fields,
                         const struct om_field_spec *spec, double *max_value,
                         double *weight_sum) OM_MUST_USE;
/** Sum of the weights of the selected rows alone. */
om_status om_field_weight(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          double *weight_sum) OM_MUST_USE;
struct om_cache_stats om_fields_stats(const struct om_fields *fields);
void om_fields_clear(struct om_fields *fields);

#endif
