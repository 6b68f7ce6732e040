// risk.h - risk at a place: a sum of density fields over the density of what
// is exposed, and where too little is exposed to say: unknown.
#ifndef OM_ENGINE_RISK_RISK_H
#define OM_ENGINE_RISK_RISK_H

#include "engine/field/field.h"

struct om_partition;

/* One field and what it counts for. */
struct om_risk_part {
    struct om_field_spec spec;
    double factor;
};

/* What is asked. With x a place,
 *   numerator(x) = sum of factor * field over `term`          per km2
 *   exposure(x)  = sum of factor * field over `exposure`      per km2
 *   value(x)     = scale * numerator / exposure
 * and without exposures value = numerator, per km2.
 *
 * Small numbers are shrunk where `shrink` is set: to what is exposed at a place
 * so many units are added that fare as the city does on average (`mean`),
 *   value(x) = (scale * numerator + mean * k) / (exposure + k),
 * k the density of `shrink` units in A (below): the mean of a Poisson rate
 * whose prior is a gamma distribution worth `shrink` units. Where houses are
 * many it changes nothing; ten houses have to try hard to be red.
 *
 * The floor is a number of exposed units (houses, residents, visits). A field
 * of density d rests on n = d * A of them, where A = 1 / integral of the
 * squared kernel is the area that the kernel speaks of (quartic: 5/9 of its
 * disc): for units scattered at random the variance of the estimate is d / A,
 * so its relative standard error is 1 / sqrt(n). Where n is below the floor
 * the value is unknown: NaN. A floor of 10 leaves standard errors of 32 % and
 * less, and a lone house can never be the reddest place.
 *
 * Invariants (om_risk_check): one term at least; factors finite, those of
 * exposures above 0; all exposures share kernel and bandwidth. Borrows
 * everything. */
struct om_risk {
    size_t terms;
    const struct om_risk_part *term;
    size_t exposures;  // 0: per area
    const struct om_risk_part *exposure;
    double scale;   // 1000: per 1,000 exposed units; 1 where there are none
    double floor;   // units; 0 where there are none: unknown is 0 / 0 only
    double shrink;  // units; 0: not at all
    double mean;    // of om_risk_totals; needed by shrink alone
    double coarse_m;  // ground metres: maps tell of it no more than steps of
                      // their legend so far apart; 0: all of it
};

/** OM_E_RANGE unless the invariants hold; what the fields say of their specs
 *  comes when they are evaluated. */
om_status om_risk_check(const struct om_risk *risk) OM_MUST_USE;

/** The area in km2 that a kernel speaks of: 1 / integral of its square. */
double om_kernel_area_km2(enum om_kernel kernel, double bandwidth_m);
/** Exposure per km2 below which the value is unknown. 0 without exposures. */
double om_risk_least_exposure(const struct om_risk *risk);

/**
 * Evaluate a window of tiles (field.h says which places its pixels are).
 *
 * shapes   value [side * side]: NaN where unknown; exposure [side * side], may
 *          be NULL: per km2. Unknown with an exposure of 0 is where nothing
 *          is at all, such as beyond the city.
 * returns  as om_field_window, and OM_E_RANGE as om_risk_check
 * threads  any, with an arena each
 * cost     that of the terms' and exposures' windows
 * test     tests/engine/test_risk.c, test_risk_sweep.c
 */
om_status om_risk_window(struct om_fields *fields, const struct om_risk *risk,
                         const struct om_field_window *window,
                         struct om_arena *arena, float *value,
                         float *exposure) OM_MUST_USE;
/** The same at any places (om_field_places). shapes: [rows * columns] */
om_status om_risk_places(struct om_fields *fields, const struct om_risk *risk,
                         const struct om_places *places, struct om_arena *arena,
                         float *value, float *exposure) OM_MUST_USE;

/* A value and what makes it. */
struct om_risk_value {
    double value;      // NaN: unknown
    double numerator;  // per km2
    double exposure;   // per km2; 0 without exposures
    double exposed;    // units behind it: exposure * A; 0 without exposures
};
/** The exact value at a place (grid cells), point by point in double.
 *  shapes: part [terms], the factor * field of each term, may be NULL. */
om_status om_risk_exact(const struct om_risk *risk, double x, double y,
                        struct om_risk_value *out, double *part) OM_MUST_USE;

/* Totals over the whole city. */
struct om_risk_totals {
    double numerator, exposure;  // factor * sum of weights
    double mean;  // scale * numerator / exposure: the value where relative
                  // risk is 1; NaN where that is 0 / 0 or there is no exposure
};
om_status om_risk_totals(struct om_fields *fields, const struct om_risk *risk,
                         struct om_risk_totals *out) OM_MUST_USE;

/* ---- the whole city ---------------------------------------------------- */

/* A sweep evaluates every pixel of one zoom whose tiles hold anything: the
 * evaluation places. They are the same whoever asks, since tiles are. */
struct om_risk_tile {
    struct om_field_window window;  // 256 px
    const float *value, *exposure;  // [256 * 256]; of no exposures NULL
    // Bit p: pixel p is an evaluation place: it lies in a unit of the city,
    // and its value is known. Without units: its value is known and, per area,
    // not 0.
    const uint64_t *place;
    const uint64_t *inside;  // bit p: in a unit; all, where there are no units
    const double *km2;       // [256], ground area of a pixel of each row
};
/** Zoom whose pixels are at most `cell_m` wide on the ground in the middle of
 *  the city; cell_m 0: an eighth of the smallest bandwidth. */
unsigned om_risk_zoom(const struct om_risk *risk, double cell_m);
/**
 * Visit the tiles of a zoom by their Morton code, one at a time.
 *
 * `units` (may be NULL) says what belongs to the city. `take` returning
 * anything but OM_OK ends the sweep with it.
 *
 * returns  OM_E_COST  more than OM_RISK_TILES_MOST tiles hold something
 *          what windows and `take` return
 * threads  windows are evaluated on all threads; `take` is called by the
 *          caller's, in order
 */
#define OM_RISK_TILES_MOST 4096
om_status om_risk_sweep(struct om_fields *fields, const struct om_risk *risk,
                        const struct om_partition *units, unsigned zoom,
                        om_status (*take)(void *ctx,
                                          const struct om_risk_tile *tile),
                        void *ctx) OM_MUST_USE;

#endif
