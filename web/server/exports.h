// exports.h - files to be taken away.
#ifndef OM_WEB_SERVER_EXPORTS_H
#define OM_WEB_SERVER_EXPORTS_H

#include "web/server/server_internal.h"

struct om__exports;
om_status om__exports_new(struct om_server *server,
                          struct om__exports **out) OM_MUST_USE;
void om__exports_free(struct om__exports *exports);
/* A file that was written for somebody, still there for whoever asks for the
 * rest of it. */
struct om__export {
    const char *form;         // "csv"
    const char *name;         // as which it is saved
    const char *content_crs;  // of rows; NULL: it has none
    uint64_t matched;
};
/**
 * Answer with the file of `key`: all of it, the range that is asked for, or
 * 304. false: there is none (yet).
 */
bool om__export_reply(struct om__request *request, const struct om_buf *key,
                      const struct om__export *about);
/** Path under which to write a file for `key`; then om__export_keep. */
om_status om__export_path(struct om__request *request, const char *form,
                          char *path, size_t room) OM_MUST_USE;
/** Take over a file that was written; it is unlinked at once, and gone when
 *  nobody reads it and others need the room. */
om_status om__export_keep(struct om__request *request, const struct om_buf *key,
                          const char *path, uint64_t rows) OM_MUST_USE;
/** Bytes that may still be written, at most what one file may have. */
uint64_t om__export_room(struct om_server *server);

#endif
