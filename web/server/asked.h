// asked.h - questions whose parameters come as a form in the body: what is
// asked of a person's place stands in no address, and so in no log and no
// history.
#ifndef OM_WEB_SERVER_ASKED_H
#define OM_WEB_SERVER_ASKED_H

#include "web/server/server_internal.h"

/** Bytes of the form; as many as an address may have. */
#define OM__ASKED_BYTES OM_ADDRESS_BYTES
#define OM__ASKED_TYPE "application/x-www-form-urlencoded"

/**
 * begin, take and drop of a route that asks (om__route.asks): the body becomes
 * the request's parameters, read as strictly as those of an address, before
 * the route answers (om__asked_read).
 *
 * A form is sent by pages of other origins, an opaque one included, without
 * asking first (CORS); the route changes nothing, so that they may.
 *
 * returns  OM_E_FORMAT  parameters in the address, another Content-Type (415),
 *                       no well-formed form, a parameter that is not known
 * threads  one at a time has the request
 * test     tests/web/asked.test.mjs
 */
om_status om__begin_asked(struct om__request *request);
om_status om__take_asked(struct om__request *request, const void *bytes,
                         size_t len);
void om__drop_asked(struct om__request *request);
/** Once, before the handler. */
om_status om__asked_read(struct om__request *request) OM_MUST_USE;

#endif
