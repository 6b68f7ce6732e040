// jobs.h - workers, and the requests that wait for them.
#ifndef OM_WEB_SERVER_JOBS_H
#define OM_WEB_SERVER_JOBS_H

#include "web/server/server_internal.h"

om_status om__jobs_new(struct om_server *server, unsigned workers,
                       struct om__jobs **out) OM_MUST_USE;
void om__jobs_free(struct om__jobs *jobs);
/** Hand over a request whose connection is suspended. OM_E_BUSY: no room. */
om_status om__jobs_add(struct om__jobs *jobs, struct om__request *request);
size_t om__jobs_waiting(struct om__jobs *jobs);
/* Requests that workers are at, and those given up because their client left,
 * before or while a worker was at them. */
struct om__jobs_stats {
    size_t running;
    uint64_t given_up;
};
struct om__jobs_stats om__jobs_stats(struct om__jobs *jobs);
/** The request is about to do heavy work. True: not here; it has been marked
 *  for the worker of such work and its handler returns OM_OK without answer.
 *  False: it is there, go on. */
bool om__wait_heavy(struct om__request *request);
/** The same for the worker that writes files to be taken away, which may take
 *  minutes: nothing else waits for it. */
bool om__wait_filing(struct om__request *request);

/** Hash of the address that a connection comes from. */
uint64_t om__address_of(struct MHD_Connection *connection);
/** Hash of a client's address; 0 for this machine, unless a url says that a
 *  proxy is there, which tells whom it speaks for. */
uint64_t om__client_of(const struct om__request *request);
/** Has the client of a suspended connection left? What nobody waits for need
 *  not be finished. */
bool om__client_gone(const struct om__request *request);

#endif
