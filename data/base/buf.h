// buf.h - a growing byte buffer that knows its maximum.
#ifndef OM_DATA_BASE_BUF_H
#define OM_DATA_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/* bytes[0, len) is the content; a buffer of zeros is empty and may grow
 * without limit. The first failure sticks in `status`: writers may append
 * many times and look at it once. */
struct om_buf {
    uint8_t *bytes;
    size_t len;
    size_t room;
    size_t max;  // 0: no limit
    om_status status;
};

/** An empty buffer that refuses to grow beyond `max` bytes. */
void om_buf_init(struct om_buf *buf, size_t max);
/** Free the bytes; the buffer is empty and may be used again. */
void om_buf_deinit(struct om_buf *buf);
/** Empty it, keep the memory, forget a failure. */
void om_buf_clear(struct om_buf *buf);
/** Make room for `more` bytes. returns OM_E_MEMORY or OM_E_LIMIT, sticky. */
om_status om_buf_reserve(struct om_buf *buf, size_t more);
/** Append `len` bytes; like all that append, returns what stuck. */
om_status om_buf_add(struct om_buf *buf, const void *bytes, size_t len);
/** Append a string without its NUL. */
om_status om_buf_add_text(struct om_buf *buf, const char *text);
/** Append one byte. */
om_status om_buf_add_byte(struct om_buf *buf, uint8_t byte);
/** Append what printf would print. */
om_status om_buf_addf(struct om_buf *buf, const char *format, ...)
    OM_PRINTF(2, 3);
/** Decimal digits of an integer, fast. */
om_status om_buf_add_i64(struct om_buf *buf, int64_t value);
/** The sum of any 2^64 integers of 64 bits. */
__extension__ typedef __int128 om_wide;
/** Its digits; beyond 64 bits the nearest double, as JSON. */
om_status om_buf_add_wide(struct om_buf *buf, om_wide value);
/** A JSON string with its quotes, escaped per RFC 8259; bytes that are not
 *  UTF-8 become U+FFFD, so that the output always parses. */
om_status om_buf_add_json_text(struct om_buf *buf, const char *text,
                               size_t len);
/** A finite number as the shortest JSON that reads back the same double;
 *  NaN and infinities become null. */
om_status om_buf_add_json_real(struct om_buf *buf, double value);
/** `value` with `digits` decimals, trailing zeros cut. */
om_status om_buf_add_fixed(struct om_buf *buf, double value, int digits);

#endif
