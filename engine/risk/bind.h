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
                           // do not count. Default: the city's clock
    const char *kernel, *bandwidth, *halflife;  // days; of all terms
    const char *weight;  // a number column; of a layer's field only
    const char *per;     // area, or an exposure that city.json names
};

/* One term made ready. */
struct om_risk_term {
    const struct om_model_term *from;  // NULL: a layer's field
    struct om_filter *filter;
    struct om_window window;
};

/* A risk made ready: holds what `risk` borrows. Immutable. */
struct om_risk_bound {
    struct om_risk risk;
    char name[OM_LIMIT_NAME_BYTES];
    const struct om_model *model;  // NULL: a layer's field
    const struct om_layer *layer;  // of a layer's field; of a model's first
                                   // term
    struct om_risk_term *term;     // [risk.terms]
    struct om_risk_term *exposed;  // [risk.exposures]
    const struct om_exposure *per;  // the first; NULL: per area
    char unit[OM_LIMIT_NAME_BYTES * 3];     // 每千栋出租屋, 每平方公里
    char unit_en[OM_LIMIT_NAME_BYTES * 3];  // per 1,000 houses, per km2
    struct om_window window;  // as asked
    int64_t at_s;
    bool filtered;  // a filter, or a window that is no period of a legend
    char period[16];  // of the legend: "now", "2023", "2023-05"
    // What is computed as one text, data and moment apart: two asks that mean
    // the same have the same. `field` is the same without filter and time.
    const char *canonical, *field;
    struct om_models *models;  // held
    struct om_arena arena;
};

/**
 * Make an ask ready: read and check every option, parse filters, select rows.
 *
 * `cache` may be NULL. *option (may be NULL) is the option that was wrong, a
 * literal such as "bandwidth", NULL where none was.
 * returns  OM_E_NOTFOUND  neither layer nor model is called so, or the model
 *                         is broken (err says why)
 *          OM_E_RANGE, OM_E_FORMAT, OM_E_TYPE  an option; err speaks of it
 *          what selecting returns
 * owns     *out: om_risk_bound_free; the snapshot must stay held
 * threads  what is made is immutable
 * cost     a selection a term: see om_select
 */
om_status om_risk_bind(const struct om_snapshot *snapshot,
                       struct om_models *models, struct om_selections *cache,
                       const struct om_risk_ask *ask,
                       struct om_risk_bound **out, const char **option,
                       struct om_err *err) OM_MUST_USE;
void om_risk_bound_free(struct om_risk_bound *bound);

#endif
