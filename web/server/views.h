// views.h - heat maps made ready.
#ifndef OM_WEB_SERVER_VIEWS_H
#define OM_WEB_SERVER_VIEWS_H

#include "web/server/server_internal.h"

/* Immutable, but for what om__view_spread finds; counted; holds a snapshot. */
struct om__view {
    struct om_heat_view heat;
};
om_status om__views_new(struct om__views **out) OM_MUST_USE;
void om__views_free(struct om__views *views);
/**
 * The view of a bound. Not ready and not on a worker that may make it (a heavy
 * one is made by one worker only): sets request->later and gives NULL. owns
 * *out: om__view_unref
 */
om_status om__view_get(struct om__request *request,
                       const struct om_risk_bound *bound,
                       struct om__view **out) OM_MUST_USE;
void om__view_unref(struct om__view *view);
void om__views_clear(struct om__views *views);
/** Let go of what nobody has asked for for long: it may hold files that have
 *  been replaced. */
void om__views_sweep(struct om__views *views);
/** The table of them, for /metrics. */
struct om__made *om__views_table(struct om__views *views);
/** Find out how values are spread, once a beat. Without them (heat.spread
 *  NULL) where the city is too wide for the bandwidth. False: not on a worker
 *  that may; request->later is set. */
bool om__view_spread(struct om__request *request, struct om__view *view,
                     om_status *status);
/** Does the map move with time alone, or with figures of the whole city? Then
 *  it does so on the beat. */
bool om__view_moves(const struct om_risk_bound *bound);
/** Note what the map depends on: in a window (NULL: everywhere). */
void om__view_needs(struct om__request *request,
                    const struct om_risk_bound *bound,
                    const struct om_field_window *window);
/** What a map takes from the whole city, as a hash; puts off as om__view_get
 *  does. */
om_status om__view_figures(struct om__request *request,
                           const struct om_risk_bound *bound,
                           uint64_t *hash) OM_MUST_USE;
/** Canonical text of what is asked, the models' version included: part of a
 *  key. */
om_status om__view_key(const struct om__request *request,
                       const struct om_risk_bound *bound,
                       struct om_buf *key) OM_MUST_USE;

#endif
