// squeeze.h - a script without what no browser needs.
#ifndef OM_WEB_SERVER_SQUEEZE_H
#define OM_WEB_SERVER_SQUEEZE_H

#include "data/base/buf.h"

/**
 * Append a script without remarks, indents and blanks that part nothing. Lines
 * stay lines where a statement may end, so that semicolons may be left out as
 * before; names, texts, templates and regular expressions stay as they are.
 *
 * What it takes for a regular expression is a slash behind an operator, an
 * opening bracket or `return`: not one at the beginning of a statement behind
 * a closing brace, which our scripts have none of.
 *
 * returns  OM_E_MEMORY, OM_E_LIMIT (of `out`)
 * threads  any     cost  O(len)
 * test     tests/web/test_squeeze.c; tests/web/community.test.mjs compares the
 *          syntax trees of what is served
 */
om_status om__script_squeeze(const char *script, size_t len,
                             struct om_buf *out) OM_MUST_USE;

#endif
