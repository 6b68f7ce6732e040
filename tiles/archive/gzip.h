// gzip.h - bytes as they lie in archives.
#ifndef OM_TILES_ARCHIVE_GZIP_H
#define OM_TILES_ARCHIVE_GZIP_H

#include "data/base/buf.h"

/** Append `bytes` gzipped, at a level for what is written once and read often.
 *  threads: any. */
om_status om_archive_gzip(const void *bytes, size_t len,
                          struct om_buf *out) OM_MUST_USE;

#endif
