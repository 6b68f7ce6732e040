// route.h - the table of routes, and the way of a request through it.
#ifndef OM_WEB_SERVER_ROUTE_H
#define OM_WEB_SERVER_ROUTE_H

#include "web/server/server_internal.h"

/** Refuse parameters that are not among the blank-separated names. */
om_status om__params_check(struct om__request *request,
                           const char *names) OM_MUST_USE;
/** Is it a parameter of the request's route (and not a column)? */
bool om__param_known(const struct om__request *request, const char *name);
/** Does this server answer it? Where a release is served nothing writes. */
bool om__route_there(const struct om_server *server,
                     const struct om__route *route);
/** The route of an address and method; method NULL: GET. A release has none
 *  that writes or follows anybody. */
const struct om__route *om__route_find(const struct om_server *server,
                                       const struct om_address *address,
                                       const char *method);
/** "GET, HEAD, OPTIONS" and the like; empty if there is nothing. */
void om__route_methods(const struct om_server *server,
                       const struct om_address *address, char *out,
                       size_t room);
/** What comes before any handler: parameters, snapshot, form; then the
 *  route's begin. */
om_status om__request_begin(struct om__request *request) OM_MUST_USE;
/** Call submit, and finish, with what goes around them. */
om_status om__request_submit(struct om__request *request) OM_MUST_USE;
void om__request_finish(struct om__request *request);
/** Run the route's handler and make sure that there is an answer after it,
 *  unless it asked to be run on a worker (later). */
void om__request_answer(struct om__request *request);
/** The key of the request's address, under which its answer is kept. */
om_status om__request_key(const struct om__request *request,
                          struct om_buf *key);
/** Take the newest snapshot, and with it the moment; what hung on an older one
 *  (layer, world) is let go. */
om_status om__request_renew(struct om__request *request) OM_MUST_USE;

#endif
