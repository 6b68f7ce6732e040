// hotspots_internal.h - shared by the files of the hotspot analysis.
#ifndef OM_ENGINE_STAT_HOTSPOTS_INTERNAL_H
#define OM_ENGINE_STAT_HOTSPOTS_INTERNAL_H

#include "engine/stat/hotspots.h"

/* A question under way. */
struct om__hunt {
    const struct om_hotspots_ask *ask;
    struct om_hotspots *out;
    struct om_err *err;
    int32_t zone_s;
    size_t areas, kinds;
    struct om_selection *all, *exposed;  // cases and exposure of any time
    bool timed;                          // some case has a time
    int64_t begin_s;                     // the day of the first
};

/** Are cases compared with anything? */
static inline bool om__hunt_exposed(const struct om__hunt *hunt)
{
    return hunt->ask->exposure.area || hunt->ask->exposure.layer;
}

/** Less exposure than the floor is none. */
static inline void om__hunt_floor(const struct om__hunt *hunt, double *exposure)
{
    for (size_t i = 0; i < hunt->areas; i++)
        if (exposure[i] < hunt->ask->exposure.floor) exposure[i] = 0;
}

/**
 * Make the values that are tested out of cases and exposure (NULL: none).
 * shapes   value [areas]
 */
om_status om__hunt_values(const struct om__hunt *hunt, const double *cases,
                          const double *exposure, double *value,
                          struct om_rates *rates) OM_MUST_USE;
/**
 * Gi* over the areas whose value is known, NaN for the others.
 * shapes   value, z [areas]; degree [areas] may be NULL: neighbours known
 */
om_status om__hunt_gistar(const struct om__hunt *hunt, const double *value,
                          double *z, uint32_t *degree) OM_MUST_USE;
/** The graph of the areas whose value is known; *out borrows the whole graph
 *  where all are (then *own is false). known [areas] is filled. */
om_status om__hunt_graph(const struct om__hunt *hunt, const double *value,
                         bool *known, struct om_graph *out,
                         bool *own) OM_MUST_USE;

/** Tally cases or exposure of any time by slices. exposure: of the exposure.
 */
om_status om__hunt_tally(const struct om__hunt *hunt, bool exposure,
                         size_t slices, const int64_t *bound,
                         struct om_census *out) OM_MUST_USE;

/** z of every area by the statistic that is asked for (not emerging), NaN
 *  where the value is not known. */
om_status om__hunt_z(const struct om__hunt *hunt, const double *value,
                     double *z) OM_MUST_USE;
/** Room for the rows that hunt->out->tally is about. */
om_status om__hunt_begin_rows(struct om__hunt *hunt) OM_MUST_USE;
/** Fill the rows of one kind, all but p, q, bin, and for emerging ones z.
 *  shapes: count, cases, exposure (may be NULL) [areas] */
om_status om__hunt_judge(struct om__hunt *hunt, size_t kind,
                         const double *count, const double *cases,
                         const double *exposure) OM_MUST_USE;

/** Since when (hotspots_since.c) and what it becomes (hotspots_cube.c). */
om_status om__hunt_since(struct om__hunt *hunt) OM_MUST_USE;
om_status om__hunt_cube(struct om__hunt *hunt) OM_MUST_USE;

#endif
