// serve_config.h - the configuration file of onemap serve.
#ifndef OM_WEB_CLI_SERVE_CONFIG_H
#define OM_WEB_CLI_SERVE_CONFIG_H

#include "data/base/status.h"
#include "data/json.h"
#include "web/server/server.h"

/** Longest beat, in seconds. */
#define OM__BEAT_S_MAX 86400

/**
 * Members of the configuration that the command line has not set, into *o.
 *
 * returns  OM_E_NOTFOUND, OM_E_IO, OM_E_FORMAT: it is no JSON object, has a
 *          member that is no setting, or one of another type or range than the
 *          setting has; err names file and member, and *o is as it was
 * owns     *document: om_json_free, also after an error; texts of *o are its
 * threads  any
 */
om_status om__serve_config_read(const char *path, struct om_json **document,
                                struct om_server_options *o,
                                struct om_err *err) OM_MUST_USE;

#endif
