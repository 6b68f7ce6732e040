// field.h - the density field of a layer: one surface, any window of it.
#ifndef OM_ENGINE_FIELD_FIELD_H
#define OM_ENGINE_FIELD_FIELD_H

#include "engine/filter/filter.h"

enum om_kernel {
    OM_KERNEL_QUARTIC,
    OM_KERNEL_GAUSSIAN,
    OM_KERNEL_EPANECHNIKOV
};
#define OM_KERNELS 3
/** "quartic", "gaussian", "epanechnikov"; the reverse is false if there is no
 *  such kernel. */
const char *om_kernel_name(enum om_kernel kernel);
bool om_kernel_from_name(const char *name, enum om_kernel *out);

/* What one value of a column weighs. */
struct om_weight_value {
    const char *text;  // of a TEXT or CATEGORY column; NUL-terminated
    int64_t integer;   // of an INTEGER or BOOLEAN (0, 1) column
    double weight;
};
/* A table of severities: the first entry that has a row's value counts. */
struct om_weight_table {
    size_t column;
    size_t count;  // at most OM_LIMIT_WEIGHT_VALUES
    const struct om_weight_value *value;
    double otherwise;  // of any other value and of NULL, as SQL's ELSE
};

/* Rows that weigh more weigh so much, or so little: one odd row does not take
 * the map of all others. Weights count in steps of 1e-12 (with decay: of what
 * the newest rows weigh). */
#define OM_FIELD_ROW_MOST 1e13

/* What a row weighs: its number in `column`, times what `table` says, times
 * 2^(-age / half-life), where the age is from the row's time to at_s. As in a
 * sum of SQL's, a row whose number is NULL is left out (NaN is never stored: an
 * import rejects such rows). Once at_s is set, rows that are later, and rows
 * without a time, weigh 0. Begin with OM_WEIGHT_ONE. */
struct om_weighting {
    size_t column;  // INTEGER, REAL or BOOLEAN; OM_NO_FIELD: 1
    const struct om_weight_table *table;  // NULL: 1; borrowed with the spec
    double half_life_s;                   // 0: no decay; else at_s is needed
    int64_t at_s;                         // UTC; INT64_MAX: no such moment
};
/** Every row weighs 1. */
#define OM_WEIGHT_ONE \
    ((struct om_weighting){.column = OM_NO_FIELD, .at_s = INT64_MAX})
/** Every row weighs its number in `column` (OM_NO_FIELD: 1). */
static inline struct om_weighting om_weight_by(size_t column)
{
    return (struct om_weighting){.column = column, .at_s = INT64_MAX};
}
/**
 * Can the layer's rows be weighed so?
 * returns  OM_E_NOTFOUND  no such column; at_s, and the layer has no time
 *          OM_E_TYPE      column is no number; table's column is neither text
 *                         nor integer
 *          OM_E_RANGE     a weight is not finite; half-life below 0, not
 *                         finite, or without at_s
 *          OM_E_LIMIT     too many values in the table
 */
om_status om_weighting_check(const struct om_layer *layer,
                             const struct om_weighting *weight) OM_MUST_USE;

/* Which field. value at a place = sum over selected rows of
 * weight * K(distance / bandwidth) in units per ground square kilometre. */
struct om_field_spec {
    const struct om_layer *layer;
    const struct om_selection *selection;
    enum om_kernel kernel;
    double bandwidth_m;  // ground metres; the Gaussian's is 3 sigma, cut there
    struct om_weighting weight;
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
/** Where the rows lie that a window may show anything of: the window and the
 *  kernel's reach around it. Rows elsewhere do not change a pixel of it.
 *  test tests/engine/test_field.c */
struct om_box om_field_reach(const struct om_field_spec *spec,
                             const struct om_field_window *window);
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

/* A block of places, columns x rows of them, row by row. x, y are on the grid,
 * in cells (batch.h). A place stands for a square of `cell_m` on the ground;
 * where that is wider than the bandwidth the block's corners are needed:
 * [(rows + 1) * (columns + 1)], those around place (row, column) at (row,
 * column), (row, column + 1) and so on. */
struct om_places {
    size_t columns, rows;
    const double *x, *y;
    double cell_m;  // 0: a point
    const double *corner_x, *corner_y;
};
/**
 * Evaluate at any places: those of a raster in another projection, or one. On
 * the lattice that tiles of the same field use, so that all of them agree
 * within the error of a tile. Where a cell is wider than the bandwidth: the
 * mean over the quadrangle of its corners, which hold all the weight between
 * them.
 *
 * Meant for places that lie close together: what lies between them is computed
 * too. Values may differ in the last bits with the block they are asked in.
 *
 * shapes   value [rows * columns]
 * units    weight per km2 on the ground
 * returns  as om_field_window; OM_E_COORD a place is not finite or not on the
 *          grid, or a cell is turned over; OM_E_RANGE also where corners are
 *          needed and not there
 * threads  any, with an arena each
 */
om_status om_field_places(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_places *places,
                          struct om_arena *arena, float *value) OM_MUST_USE;

/**
 * The bandwidth by Silverman's rule, as ArcGIS' Kernel Density states it:
 * 0.9 * min(SD, sqrt(1 / ln 2) * Dm) * n^-0.2; SD: standard distance from the
 * mean centre, Dm: median distance from it, both weighted; n: sum of the
 * weights. Where Dm is 0, SD alone counts. The spec's kernel and bandwidth are
 * not looked at.
 *
 * units    ground metres
 * returns  OM_E_NOTFOUND  no row weighs anything
 *          OM_E_RANGE     all that weighs is in one place; a weight is
 *                         negative
 * cost     12 M rows below 0.2 s on two cores (bench_density)
 * source   Silverman (1986), p. 47, eq. 3.31; Esri, How Kernel Density works
 */
om_status om_field_bandwidth(const struct om_field_spec *spec,
                             double *bandwidth_m) OM_MUST_USE;

struct om_cache_stats om_fields_stats(const struct om_fields *fields);
void om_fields_clear(struct om_fields *fields);

#endif
