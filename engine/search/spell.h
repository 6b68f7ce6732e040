// spell.h - a text as plainly as it can be written, for who looks for numbers.
#ifndef OM_ENGINE_SEARCH_SPELL_H
#define OM_ENGINE_SEARCH_SPELL_H

#include <stdbool.h>

#include "data/base/buf.h"

/**
 * Append a text with every writing of the same thing as one: letters small and
 * of common width (NFKC, folded); numbers in ASCII digits, whichever script,
 * frame or style they are written in (４, ๔, ⑭, ⅩⅣ, 𝟒), but those that are
 * characters of Han (十四), which stay; dashes and minus signs as '-'; blanks
 * of any width as ' '; no marks.
 *
 * *unseen  it has characters that nobody sees (of no width, of direction,
 *          variants, private or none): they are left out, may be NULL
 * returns  OM_E_FORMAT (not UTF-8), OM_E_MEMORY, OM_E_UNSUPPORTED (no ICU data)
 * threads  any     cost  some 100 ns a character
 * test     tests/web/test_said.c
 */
om_status om_text_spell(const char *text, size_t len, struct om_buf *out,
                        bool *unseen) OM_MUST_USE;

#endif
