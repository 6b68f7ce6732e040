// heat_ask.h - which heat map is asked for.
#ifndef OM_WEB_SERVER_HEAT_ASK_H
#define OM_WEB_SERVER_HEAT_ASK_H

#include "web/server/server_internal.h"

/** Bind "heat:NAME" and the request's parameters. Sets request->layer.
 *  owns: *out with om_risk_bound_free */
om_status om__request_heat(struct om__request *request, const char *name,
                           struct om_risk_bound **out) OM_MUST_USE;
/** Does the map weigh columns that are hidden from whoever asks? Then it is
 *  shown as it ships, and its values by their steps. */
bool om__heat_personal(const struct om_risk_bound *bound);
/** How far apart steps of such a map may be looked at, ground metres: half of
 *  its smallest bandwidth; 0: of another map, anywhere. */
double om__heat_coarse_m(const struct om_risk_bound *bound);
om_status om__param_palette(struct om__request *request,
                            enum om_palette *out) OM_MUST_USE;
/** form: is a heat map drawn as lines? */
om_status om__param_lines(struct om__request *request, bool *out) OM_MUST_USE;

#endif
