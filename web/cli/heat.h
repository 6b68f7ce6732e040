// heat.h - what verbs of heat maps have in common: the options that change a
// map, and the city opened and bound to them.
#ifndef OM_WEB_CLI_HEAT_H
#define OM_WEB_CLI_HEAT_H

#include "web/cli/verb.h"
#include "web/heat_view.h"

/* For a table of options; ask is a struct om_risk_ask. */
#define OM__HEAT_OPTIONS(ask)                                            \
    {"--where", &(ask).filter, NULL}, {"--time", &(ask).datetime, NULL}, \
        {"--at", &(ask).at, NULL}, {"--kernel", &(ask).kernel, NULL},    \
        {"--bandwidth", &(ask).bandwidth, NULL},                         \
        {"--half-life", &(ask).halflife, NULL},                          \
        {"--weight", &(ask).weight, NULL},                               \
    {                                                                    \
        "--per", &(ask).per, NULL                                        \
    }

struct om__heat {
    const char *verb, *city_path;  // fill before opening
    struct om_city *city;
    struct om_models *models;
    struct om_heat_world world;
    struct om_legends *legends;   // world's
    struct om_fields *fields;     // world's
    struct om_selections *cache;  // world's
    struct om_partition *region;  // world's
    struct om_err err;
};

/** Open the city with its models. Returns an exit status; what is wrong has
 *  been said. */
int om__heat_open(struct om__heat *h);
/** Bind an ask. owns: om_risk_bound_free. The same. */
int om__heat_bind(struct om__heat *h, const struct om_risk_ask *ask,
                  struct om_risk_bound **out);
/** Say why the work failed: h->err, or the status' own text. */
int om__heat_fail(struct om__heat *h, om_status status);
void om__heat_close(struct om__heat *h);

#endif
