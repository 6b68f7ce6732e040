// encoding.h - text of any encoding to UTF-8. Inside data/source only.
#ifndef OM_DATA_SOURCE_ENCODING_H
#define OM_DATA_SOURCE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "data/base/status.h"

struct om__encoding;

/** What the sampled texts say about themselves, added up one by one. */
struct om__encoding_guess {
    size_t texts;  // that are not ASCII
    size_t not_utf8, not_gb18030;
    size_t hanzi,
        others;  // two-byte characters within GB 2312's hanzi, and not
};
void om__encoding_sample(struct om__encoding_guess *guess, const char *text,
                         size_t len);
/** "UTF-8", "GB18030", or "CP1252" where neither can be. A few broken texts
 *  among many good ones do not change what they are. */
const char *om__encoding_guessed(const struct om__encoding_guess *guess);

/**
 * Open the way from `charset` to UTF-8. GBK, GB2312 and 936 are read as
 * GB18030, which holds them all; a bare number is a Windows code page.
 * returns  OM_E_UNSUPPORTED (iconv knows it not), OM_E_MEMORY
 */
om_status om__encoding_open(const char *charset, struct om__encoding **out,
                            struct om_err *err) OM_MUST_USE;
void om__encoding_close(struct om__encoding *encoding);
/** Is there anything to do? false for UTF-8 and NULL. */
bool om__encoding_converts(const struct om__encoding *encoding);
/** Bytes of UTF-8 that one byte can become at most. */
#define OM_ENCODING_GROWTH 3
/**
 * Convert into out [OM_ENCODING_GROWTH * len]. threads: lanes apart.
 * returns  OM_E_FORMAT (not of that encoding), OM_E_MEMORY
 */
om_status om__encoding_text(struct om__encoding *encoding, size_t lane,
                            const char *text, size_t len, char *out,
                            size_t *out_len) OM_MUST_USE;

#endif
