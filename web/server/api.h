// api.h - what /api says of parameters.
#ifndef OM_WEB_SERVER_API_H
#define OM_WEB_SERVER_API_H

#include "web/server/server_internal.h"

/* What is known of a parameter by its name, whatever route it is of. */
struct om__api_param {
    const char *name;
    const char *schema;  // members of a JSON Schema
    const char *about;   // a sentence
};
/** Number i; NULL past the end. */
const struct om__api_param *om__api_param_at(size_t i);
/** By name, or NULL. */
const struct om__api_param *om__api_param(const char *name, size_t len);

#endif
