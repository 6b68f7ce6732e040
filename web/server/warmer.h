// warmer.h - what the first to ask would wait for, made when a server starts.
#ifndef OM_WEB_SERVER_WARMER_H
#define OM_WEB_SERVER_WARMER_H

#include "web/server/server_internal.h"

struct om__warmer;
/** Begin, at low priority, in a thread of its own; nothing to do where the city
 *  is small or has no services. NULL on failure: then somebody waits. */
struct om__warmer *om__warmer_new(struct om_server *server);
/** Stop it, after the thing that it makes (a second). NULL is fine. */
void om__warmer_free(struct om__warmer *warmer);

#endif
