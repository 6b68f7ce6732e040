// searcher.h - the indexes of the city, and a thread that makes large ones.
#ifndef OM_WEB_SERVER_SEARCHER_H
#define OM_WEB_SERVER_SEARCHER_H

#include "web/server/server_internal.h"

/** writable: they may be kept in the city's folder. */
om_status om__searcher_new(struct om_server *server, bool writable,
                           struct om__searcher **out) OM_MUST_USE;
/** Stop what is being made. NULL is fine. */
void om__searcher_free(struct om__searcher *searcher);
/** Make what is missing, soon. */
void om__searcher_wake(struct om__searcher *searcher);
struct om_search *om__searcher_search(struct om__searcher *searcher);

#endif
