// flights.h - one rendering, however many ask for it.
#ifndef OM_WEB_SERVER_FLIGHTS_H
#define OM_WEB_SERVER_FLIGHTS_H

#include "web/server/server_internal.h"

om_status om__flights_new(struct om__flights **out) OM_MUST_USE;
void om__flights_free(struct om__flights *flights);
/**
 * Ask for the answer of a key that is dear to make: it is in *answer (counted)
 * if it is kept; else either the caller is to make it, and ends *flight when
 * it is in the cache or has failed, or another does, and the request is marked
 * to be put off (later).
 */
om_status om__flight_begin(struct om__request *request,
                           const struct om_buf *key, struct om__answer **answer,
                           uint64_t *flight) OM_MUST_USE;
/** Those that waited go to the workers. drawn: there is an answer. */
void om__flight_end(struct om_server *server, uint64_t flight, bool drawn);
/** A suspended request waits for its flight; false if that has ended. */
bool om__flight_park(struct om__request *request);
struct om__flight_stats {
    uint64_t drawn, parked;  // ever
};
struct om__flight_stats om__flight_stats(struct om__flights *flights);

#endif
