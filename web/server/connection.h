// connection.h - between the HTTP library and the routes.
#ifndef OM_WEB_SERVER_CONNECTION_H
#define OM_WEB_SERVER_CONNECTION_H

#include "web/server/server_internal.h"

void *om__uri_seen(void *server, const char *uri, struct MHD_Connection *c);
enum MHD_Result om__access(void *server, struct MHD_Connection *connection,
                           const char *url, const char *method,
                           const char *version, const char *upload,
                           size_t *upload_len, void **request);
void om__completed(void *server, struct MHD_Connection *connection,
                   void **request, enum MHD_RequestTerminationCode code);
void om__connection_changed(void *server, struct MHD_Connection *connection,
                            void **watch, enum MHD_ConnectionNotificationCode);
/** Give the answer of a request the time that so many bytes need, besides. */
void om__answer_allow(struct om__request *request, uint64_t bytes);
/** Cut connections that are past their deadlines, and answers of longer than
 *  OM__SWEEP_S to tokens that have ended. */
void om__watch_sweep(struct om_server *server);

/** Into request->address, unless it was read; err says what is wrong. Of what
 *  is answered as it was kept it is not needed. */
om_status om__request_address(struct om__request *request) OM_MUST_USE;

#endif
