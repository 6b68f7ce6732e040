// stats_rates.h - what /stats says besides counts: shares and rates of groups,
// and how sure they are.
#ifndef OM_WEB_SERVER_STATS_RATES_H
#define OM_WEB_SERVER_STATS_RATES_H

#include "engine/risk/model.h"
#include "web/server/server_internal.h"
#include "web/small.h"

/* share=FILTER: of the rows of a group, which part matches that too.
 * per=EXPOSURE: rows of a group for each of what is exposed there, as
 * `exposures` of city.json names it. */
struct om__stats_rates {
    bool share, per;
    struct om_filter *both, *exposed_filter;
    struct om_groups hits, exposed;
    uint64_t hits_all;
    double exposed_all;
    bool real;      // what is exposed is a sum of a real column
    bool weighted;  // or of any
    bool crowds;    // of a column about persons: of few units it is not told
    bool doers;     // of somebody's doing: the same of units of few
    struct om_small_units few;
    const struct om_exposure *exposure;
    struct om_exposures exposures;
    double scale;
    uint64_t least;  // what is exposed is told to the nearest multiple
    double part;     // ... and this much of it (web/crowds.h); least 0: all
};

/**
 * Answer the two parameters for the groups of `query` by column `by` (of no
 * step of time; OM_NO_FIELD: only for all rows). What is exposed is grouped by
 * its own column of that name, in the query's box, and in its period if it is
 * windowed. What is exposed by a column about persons (residents) is added up
 * over units only, and not told of those that have few.
 *
 * returns  OM_OK, also where neither was asked for; what was written wrong is
 *          in the request
 * owns     om__stats_rates_deinit, also after a failure
 */
om_status om__stats_rates_read(struct om__request *request,
                               const struct om_query *query, size_t by,
                               enum om_step step,
                               struct om__stats_rates *out) OM_MUST_USE;
void om__stats_rates_deinit(struct om__stats_rates *rates);
/** Was either asked for? It then costs passes like a filter's. */
bool om__stats_rates_asked(const struct om__request *request);
/** Members of the whole: what rates are per, 95 % intervals of all rows. */
void om__stats_rates_add_all(const struct om__stats_rates *rates,
                             uint64_t count, struct om_buf *out);
/** Members of a group. cost: two binary searches */
void om__stats_rates_add(const struct om__stats_rates *rates,
                         const struct om_group *group, struct om_buf *out);

// stats_crowds.c: what is told of persons
/** Is it about persons, so that what is small is not told? */
bool om__crowd_hides(const struct om_layer *layer, size_t column);
/** A column, also one that is hidden but may be counted by. */
size_t om__crowd_column(const struct om_layer *layer, const char *name);
/** The same of those that may be added up. */
size_t om__crowd_summed(const struct om_layer *layer, const char *name);
/** Is a level finer than the finest that persons of the layer are counted by?
 */
bool om__crowd_too_fine(const struct om__request *request,
                        const struct om_layer *layer, const char *level);
/** May the question of /stats be asked of request->layer by whoever asks? */
om_status om__crowd_check(struct om__request *request) OM_MUST_USE;
/** Where it is about persons the layer as it was told last stands for it. */
void om__crowd_open(struct om__request *request);
/** Which groups are not told.     shapes   hidden [groups->count] */
om_status om__crowd_hide(struct om__request *request,
                         const struct om_query *query, size_t by, size_t sum,
                         const struct om__stats_rates *rates,
                         const struct om_groups *groups,
                         bool *hidden) OM_MUST_USE;
/** Is the whole not told, being few or nearly all? */
om_status om__crowd_few(const struct om_query *query, size_t sum,
                        const struct om__stats_rates *rates, uint64_t count,
                        bool *few) OM_MUST_USE;

#endif
