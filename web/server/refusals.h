// refusals.h - tokens that are none: who sends them, how often, and no more.
#ifndef OM_WEB_SERVER_REFUSALS_H
#define OM_WEB_SERVER_REFUSALS_H

#include "web/server/server_internal.h"

/** Wrong tokens a second that one address is told so of, and of all; as many
 *  as come in a minute may come at once. More are told to come back. */
#define OM__WRONG_PER_S 1.0
#define OM__WRONG_TOTAL_PER_S 100.0
#define OM__WRONG_BURST_S 60.0

/* DESIGN in refusals.c. threads: any */
struct om__refusals;
om_status om__refusals_new(struct om__refusals **out) OM_MUST_USE;
/** A request came with a token that lets nobody in (request->wrong_id).
 *  returns  OM_E_RATE: too many did, which the error says */
om_status om__refusals_add(struct om__request *request) OM_MUST_USE;
/** Write down those whose minute is over; all: the others, too. */
void om__refusals_write(struct om_server *server, bool all);
void om__refusals_free(struct om__refusals *refusals);

#endif
