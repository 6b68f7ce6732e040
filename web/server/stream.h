// stream.h - listeners to changes.
#ifndef OM_WEB_SERVER_STREAM_H
#define OM_WEB_SERVER_STREAM_H

#include "web/server/server_internal.h"

om_status om__stream_new(struct om_server *server,
                         struct om__hub **out) OM_MUST_USE;
/** Tell of layers that another process changed as a whole. */
void om__stream_commit(struct om_server *server,
                       const struct om_snapshot *before,
                       const struct om_snapshot *after);
/** Let the hub remember the newest changes that the journal has. */
void om__stream_recall(struct om_server *server);

#endif
