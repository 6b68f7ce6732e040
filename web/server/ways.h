// ways.h - road networks that stay, and what is asked of them.
#ifndef OM_WEB_SERVER_WAYS_H
#define OM_WEB_SERVER_WAYS_H

#include "engine/reach/ways.h"
#include "web/coverage.h"
#include "web/server/server_internal.h"

/** Longest way that is looked for: half a city by e-bike. */
#define OM__WAYS_MINUTES_MOST 240.0

/* How one gets about, and the network for it. threads: any. */
struct om__ways;

/**
 * The ways of the request's `mode`, a mode of city.json's "service" (NULL
 * parameter: its first). The network is made once, by the worker of heavy work:
 * elsewhere the request is marked to be put off (later) and *out is NULL.
 * returns  OM_E_FORMAT naming the parameter: no such mode; 401 where the roads
 *          are not for who asks
 * owns     *out: om__ways_unref
 */
om_status om__ways_get(struct om__request *request,
                       struct om__ways **out) OM_MUST_USE;
void om__ways_unref(struct om__ways *ways);
/** "mode":..,"name":..,"name_zh":..,"over":..,"m_per_min":.. */
void om__ways_members(const struct om__ways *ways, struct om_buf *out);
/** om_ways_nearest and om_isochrone_make of them. */
om_status om__ways_nearest(struct om__ways *ways, const struct om_query *query,
                           double minutes_most,
                           struct om_ways *out) OM_MUST_USE;
om_status om__ways_isochrone(struct om__ways *ways, struct om_pos at,
                             double minutes,
                             struct om_isochrone *out) OM_MUST_USE;
/** Layers that the ways are made of: what an answer depends on. */
void om__ways_needs(struct om__request *request, const struct om__ways *ways);

om_status om__ways_new(struct om__made **out) OM_MUST_USE;

/* What a question of coverage borrows of a server; zero-initialise. */
struct om__lent {
    struct om_server *server;
    struct om_coverage_lender lender;  // for the question
    void *net, *snaps;
};
void om__lent_init(struct om__lent *lent, struct om_server *server);
/** After the question has been answered. */
void om__lent_deinit(struct om__lent *lent);
/** Where people step onto roads, kept: 16 bytes a position. */
om_status om__snaps_new(struct om__made **out) OM_MUST_USE;

#endif
