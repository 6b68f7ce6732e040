// unpack.h - a text file as bytes, mapped or unpacked. Inside data/source only.
#ifndef OM_DATA_SOURCE_UNPACK_H
#define OM_DATA_SOURCE_UNPACK_H

#include <stdbool.h>

#include "data/base/buf.h"
#include "data/base/file.h"

/**
 * Map `path`; or, if its name ends in .gz, unpack it, or, if it begins with the
 * mark of UTF-16, convert it, into `unpacked`, and leave `map` closed.
 * returns  OM_E_LIMIT beyond OM_LIMIT_UNPACKED_BYTES
 */
om_status om__unpack_open(const char *path, struct om_map *map,
                          struct om_buf *unpacked, bool *was_utf16,
                          struct om_err *err) OM_MUST_USE;

#endif
