// heat_view.h - a heat map made ready: rows selected, totals and legend known.
#ifndef OM_WEB_HEAT_VIEW_H
#define OM_WEB_HEAT_VIEW_H

#include "engine/risk/bind.h"
#include "engine/risk/explain.h"
#include "tiles/legend.h"

/* What maps of a city are made with. Borrowed. */
struct om_heat_world {
    struct om_snapshot *snapshot;
    struct om_snapshot *whole;  // of which `snapshot` is what somebody sees:
                                // legends are of it; NULL: the same
    struct om_selections *selections;  // may be NULL
    struct om_fields *fields;
    struct om_legends *legends;
    const struct om_partition *region;  // the city's area, or NULL
    uint64_t epoch;                     // as in om_legends_get
};

/* What a view takes from the whole city, and every place of it shows: it may
 * be kept while rows come and go, so that a map does not change far from them.
 */
struct om_heat_figures {
    double mean;                   // that small numbers are shrunk to
    double scale;                  // what is left of the legend's whole
    double focus;                  // of it, that what is left lies denser
    struct om_legend_data legend;  // of the whole that it is a part of
};

/* Ready; immutable, but for `spread`, which comes when it is asked for. */
struct om_heat_view {
    struct om_risk_bound *bound;   // owned
    struct om_risk_totals totals;  // of what is shown
    struct om_heat_figures figures;
    struct om_legend painted[2];    // by enum om_palette
    struct om_risk_spread *spread;  // owned; NULL: not yet
};

/**
 * Make a bound ready and find its legend. Takes the bound, also on failure.
 *
 * A filter, or a window that is no period, takes the legend of the whole,
 * scaled by what it leaves: of the weight, for densities; of the mean, for
 * risks. Of two that are compared it is the mean of what both leave. What a
 * filter leaves of a density may lie closer together than all does (a town):
 * its legend ends where its own largest value does, but where that is of
 * persons. known    figures to take instead of finding them; NULL: find them
 * owns     om_heat_view_deinit
 * cost     selections, weights, and the largest value where none is stored,
 *          and of what a filter leaves (0.2 s of a million rows)
 */
om_status om_heat_view_init(const struct om_heat_world *world,
                            struct om_risk_bound *take,
                            const struct om_heat_figures *known,
                            struct om_heat_view *out,
                            struct om_err *err) OM_MUST_USE;
void om_heat_view_deinit(struct om_heat_view *view);
/** How values are spread over the city, at its evaluation places. OM_E_COST:
 *  too wide for the bandwidth. owns: om_risk_spread_free */
om_status om_heat_view_spread(const struct om_heat_world *world,
                              const struct om_heat_view *view,
                              struct om_risk_spread **out) OM_MUST_USE;

#endif
