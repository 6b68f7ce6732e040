// bind.h - from a model or a layer, and what somebody changed about it, to a
// risk that can be evaluated.
#ifndef OM_ENGINE_RISK_BIND_H
#define OM_ENGINE_RISK_BIND_H

#include "engine/risk/model.h"
#include "engine/risk/risk.h"

/* What is asked for, as typed; NULL: not given. Names of options are those of
 * addresses; the command line's --where is `filter`, --time `datetime`,
 * --half-life `halflife`. */
struct om_risk_ask {
    const char *name;      // of a model or a point layer; a layer wins
    const char *filter;    // CQL2 that every row of every term must match, too
    const char *datetime;  // FROM/TO on every term's time
    const char *at;        // the moment that decay is relative to; later rows
                           // do not count. Default: the end of datetime or
                           // the city's clock, whichever is earlier
    const char *kernel, *bandwidth, *halflife;  // days; of all terms
    const char *weight;  // a number column; of a layer's field only
    const char *per;     // area, or an exposure that city.json names
    // What it is compared with: another filter and period of the same map. Both
    // then take one legend, whichever of them is asked about.
    const char *with_filter, *with_datetime;
    int64_t now_s;  // what is now, UTC; 0: om_risk_now
};

/* What a term or an exposure selects. */
struct om_risk_rows {
    const struct om_model_term *from;  // NULL: a layer's field, an exposure
    const char *own;  // filter of the model or of city.json, may be NULL
    const char *since, *until;  // time columns of the model; rows count from
                                // the one to the other
    struct om_filter *filter;   // with what was asked for; may be NULL
    struct om_window window;
    struct om_selection *selection;  // NULL until ready
};

/* An ask made into a risk: holds what `risk` borrows, but for the snapshot. */
struct om_risk_bound {
    struct om_risk risk;  // its specs have selections once it is ready
    char name[OM_LIMIT_NAME_BYTES];
    const struct om_model *model;   // NULL: a layer's field
    const struct om_layer *layer;   // of the first term
    struct om_risk_rows *term;      // [risk.terms]
    struct om_risk_rows *exposed;   // [risk.exposures]
    const struct om_exposure *per;  // the first; NULL: per area
    const char *unit;               // 每千栋出租屋, 每平方公里
    const char *unit_en;            // per 1,000 rental houses, per km2
    struct om_risk_ask ask;         // copied
    struct om_window window;        // as asked
    int64_t at_s;                   // as asked, or by default
    bool dated;                     // the value depends on at_s
    bool standard;    // as the model is, or a layer's plain field: nothing was
                      // asked for but filter, datetime and at
    bool filtered;    // by a filter, or a window that is no period, or compared
    bool compared;    // with another: the legend is of all times
    char period[16];  // what the legend is of: "now", "2023" or "2023-05"
    // All that is computed, as one text: asks that mean the same have the
    // same. `field` is that without filter, window and moment: what a legend
    // belongs to.
    const char *canonical, *field;
    struct om_models *models;  // held
    struct om_arena arena;
};

/** That there is nothing of a name: OM_E_NOTFOUND, always in these words. */
om_status om_risk_nothing(const char *name, struct om_err *err) OM_MUST_USE;
/**
 * Make a risk of an ask: read and check every option, parse the filters.
 *
 * `option` (may be NULL) becomes the option that was wrong, a literal such as
 * "bandwidth", or NULL where none was.
 * returns  OM_E_NOTFOUND  neither a point layer nor a model is called so, or
 *                         the model is broken (err says why)
 *          OM_E_FORMAT, OM_E_RANGE, OM_E_TYPE and what filters return: an
 *                         option; err speaks of it
 *          OM_E_MEMORY
 * owns     *out: om_risk_bound_free. The snapshot must stay held.
 * cost     tens of microseconds: the filters' texts
 * test     tests/web/risk.test.mjs
 */
om_status om_risk_bind(const struct om_snapshot *snapshot,
                       struct om_models *models, const struct om_risk_ask *ask,
                       struct om_risk_bound **out, const char **option,
                       struct om_err *err) OM_MUST_USE;
/**
 * The same map as its legend sees it: without a filter, of all times unless
 * the window is a period, at the default moment (at: at the one asked for).
 * What a legend is made from; what an ad-hoc filter is a share of.
 */
om_status om_risk_bind_whole(const struct om_snapshot *snapshot,
                             const struct om_risk_bound *bound, bool at,
                             struct om_risk_bound **out,
                             struct om_err *err) OM_MUST_USE;
/** The same with the bound's own filter: what of all times a filter leaves. */
om_status om_risk_bind_filtered(const struct om_snapshot *snapshot,
                                const struct om_risk_bound *bound,
                                struct om_risk_bound **out,
                                struct om_err *err) OM_MUST_USE;
/** What a bound is compared with, as a map of its own (bound->compared).
 * Options are those of its ask: with_filter, with_datetime. The same as
 * om_risk_bind. */
om_status om_risk_bind_other(const struct om_snapshot *snapshot,
                             const struct om_risk_bound *bound,
                             struct om_risk_bound **out, const char **option,
                             struct om_err *err) OM_MUST_USE;
/**
 * Select the rows of all terms and exposures, and find the mean that small
 * numbers are shrunk to; after it `risk` can be evaluated, by any number of
 * threads. `cache` may be NULL; `fields` are those it is evaluated with.
 * returns  what om_select and om_risk_totals return
 */
om_status om_risk_ready(struct om_risk_bound *bound,
                        struct om_selections *cache,
                        struct om_fields *fields) OM_MUST_USE;
/** NULL is fine. */
void om_risk_bound_free(struct om_risk_bound *bound);
/** The city's now: its clock, else the machine's, to the hour. */
int64_t om_risk_now(const struct om_snapshot *snapshot);

#endif
