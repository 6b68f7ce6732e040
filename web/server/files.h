// files.h - the files of the pages.
#ifndef OM_WEB_SERVER_FILES_H
#define OM_WEB_SERVER_FILES_H

#include "web/server/server_internal.h"

om_status om__files_new(struct om_server *server, const char *folder,
                        struct om__files **out, struct om_err *err) OM_MUST_USE;
void om__files_free(struct om__files *files);

#endif
