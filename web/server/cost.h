// cost.h - what a question will cost, estimated within microseconds.
#ifndef OM_WEB_SERVER_COST_H
#define OM_WEB_SERVER_COST_H

#include "web/server/server_internal.h"

/** Seconds of one core that the legend of a layer's field takes. */
double om__legend_cost_s(const struct om_layer *layer, double bandwidth_m);
/** Seconds of one core until a view is ready. */
double om__view_cost_s(const struct om_risk_bound *bound);
/** Seconds of one core until its values are known all over the city. */
double om__spread_cost_s(const struct om_risk_bound *bound);
/** Smallest bandwidth (a round number) whose legend is made. */
double om__bandwidth_least_m(const struct om_layer *layer);

#endif
