// utf8.h - is it UTF-8, and where does the next character start?
#ifndef OM_DATA_BASE_UTF8_H
#define OM_DATA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of the well-formed character at `text` (1 to 4), 0 if it is not
 *  well formed (overlong, surrogate, beyond U+10FFFF, cut). len >= 1.
 *  source: Unicode 15, table 3-7. */
size_t om_utf8_next(const char *text, size_t len);
/** Is all of it well-formed UTF-8? */
bool om_utf8_valid(const char *text, size_t len);

#endif
