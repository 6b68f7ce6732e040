// bind_internal.h - the parts of binding: terms, texts, a model by itself.
#ifndef OM_ENGINE_RISK_BIND_INTERNAL_H
#define OM_ENGINE_RISK_BIND_INTERNAL_H

#include "engine/risk/bind.h"

#define OM__DAY_S 86400

/* What is being bound, and how. */
struct om__binder {
    const struct om_snapshot *snapshot;
    const struct om_exposures *exposures;
    const struct om_risk_ask *ask;
    struct om_risk_bound *bound;
    struct om_err *err;
    const char *option;  // that was wrong
    bool kernel_set;
    enum om_kernel kernel;
    double bandwidth_m;     // 0: not asked for
    double half_life_days;  // 0: not asked for
};

/** A fault of an option; returns `status`. */
om_status om__bind_bad(struct om__binder *b, const char *option,
                       om_status status, const char *format, ...)
    OM_PRINTF(4, 5);

/* ---- bind_part.c ------------------------------------------------------- */

/* Where a part comes from: a member of a model or city.json, or the options
 * that ask for a layer's field (path NULL). */
struct om__origin {
    const char *path;
    bool term;   // asked filters hold
    bool timed;  // the asked window and decay hold, where there are times
    bool may_lack_time;  // a window over rows without times takes them all
};

/** Find layer, columns and times of a part and parse its filters. */
om_status om__bind_part(struct om__binder *b, const struct om__origin *o,
                        const struct om_model_term *t, double half_life_days,
                        struct om_risk_part *part,
                        struct om_risk_rows *rows) OM_MUST_USE;

/* ---- bind_text.c ------------------------------------------------------- */

/** "2023-05" or "2023" where the window is that month or year of the city's
 *  clock, "now" where there is none; false where it is something else. */
bool om__bind_period(const struct om_window *window, int32_t zone_s,
                     char out[16]);
/** What is computed as a text, in the bound's arena: with filters, windows and
 *  moment, or (not whole) what a legend belongs to. NULL: no memory. */
const char *om__bind_describe(struct om_risk_bound *bound, bool whole);

/* ---- bind.c ------------------------------------------------------------ */

/** om_risk_bind of one model (NULL: of the layer that `ask` names). */
om_status om__bind(const struct om_snapshot *snapshot,
                   const struct om_exposures *exposures,
                   const struct om_model *model, const struct om_risk_ask *ask,
                   struct om_risk_bound **out, const char **option,
                   struct om_err *err) OM_MUST_USE;

#endif
