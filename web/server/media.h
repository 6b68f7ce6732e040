// media.h - forms of an answer.
#ifndef OM_WEB_SERVER_MEDIA_H
#define OM_WEB_SERVER_MEDIA_H

#include "web/server/server_internal.h"

/** Content-Type of a form such as "geojson". */
const char *om__media_type(const char *form, size_t len);
/** Choose request->form among the route's by f, else by Accept; 406 if none
 *  fits. */
om_status om__form_choose(struct om__request *request) OM_MUST_USE;
/** Does an Accept or Accept-Encoding header name a type or coding, and take
 *  it? */
bool om__coding_wanted(const char *accept, const char *coding);
bool om__form_is(const struct om__request *request, const char *form);
/** Would anybody get this form at this address, whatever they accept? */
bool om__form_is_first(const struct om__request *request);

#endif
