// metrics.h - requests counted, for /metrics.
#ifndef OM_WEB_SERVER_METRICS_H
#define OM_WEB_SERVER_METRICS_H

#include "web/server/server_internal.h"

om_status om__metrics_new(struct om__metrics **out) OM_MUST_USE;
void om__metrics_free(struct om__metrics *metrics);
/** Count one answered request. route NULL: none matched. */
void om__metrics_add(struct om__metrics *metrics, const struct om__route *route,
                     unsigned status, double seconds);
om_status om__metrics_write(struct om_server *server,
                            struct om_buf *out) OM_MUST_USE;

#endif
