// buf.c - growing bytes, and the few number and text forms that all writers
// use.
#include "data/base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/utf8.h"

void om_buf_init(struct om_buf *buf, size_t max)
{
    *buf = (struct om_buf){.max = max};
}

void om_buf_deinit(struct om_buf *buf)
{
    om_free(buf->bytes);
    *buf = (struct om_buf){.max = buf->max};
}

void om_buf_clear(struct om_buf *buf)
{
    buf->len = 0;
    buf->status = OM_OK;
}

om_status om_buf_reserve(struct om_buf *buf, size_t more)
{
    if (buf->status) return buf->status;
    if (more <= buf->room - buf->len) return OM_OK;
    if (more > SIZE_MAX - buf->len || (buf->max && buf->len + more > buf->max))
        return buf->status = OM_E_LIMIT;
    size_t room = buf->room < SIZE_MAX / 2 ? buf->room * 2 : SIZE_MAX;
    if (room < 256) room = 256;
    if (room < buf->len + more) room = buf->len + more;
    if (buf->max && room > buf->max) room = buf->max;
    uint8_t *bytes = om_realloc(buf->bytes, room);
    if (!bytes) return buf->status = OM_E_MEMORY;
    buf->bytes = bytes;
    buf->room = room;
    return OM_OK;
}

om_status om_buf_add(struct om_buf *buf, const void *bytes, size_t len)
{
    OM_TRY(om_buf_reserve(buf, len));
    if (len) memcpy(buf->bytes + buf->len, bytes, len);
    buf->len += len;
    return OM_OK;
}

om_status om_buf_add_text(struct om_buf *buf, const char *text)
{
    return om_buf_add(buf, text, strlen(text));
}

om_status om_buf_add_byte(struct om_buf *buf, uint8_t byte)
{
    return om_buf_add(buf, &byte, 1);
}

om_status om_buf_addf(struct om_buf *buf, const char *format, ...)
{
    if (buf->status) return buf->status;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    om_status st = n < 0 ? OM_E_INTERNAL : om_buf_reserve(buf, (size_t)n + 1);
    if (!st) {
        vsnprintf((char *)buf->bytes + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    return st;
}

om_status om_buf_add_i64(struct om_buf *buf, int64_t value)
{
    char text[24], *end = text + sizeof text, *at = end;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0) *--at = '-';
    return om_buf_add(buf, at, (size_t)(end - at));
}

om_status om_buf_add_wide(struct om_buf *buf, om_wide value)
{
    return value < INT64_MIN || value > INT64_MAX
               ? om_buf_add_json_real(buf, (double)value)
               : om_buf_add_i64(buf, (int64_t)value);
}

om_status om_buf_add_json_text(struct om_buf *buf, const char *text, size_t len)
{
    static const char HEX[] = "0123456789abcdef";
    om_buf_add_byte(buf, '"');
    size_t plain = 0;  // start of the run that needs no escape
    for (size_t i = 0; i < len;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t width = om_utf8_next(text + i, len - i);
        if (width && c >= 0x20 && c != '"' && c != '\\') {
            i += width;
            continue;
        }
        om_buf_add(buf, text + plain, i - plain);
        if (!width)
            om_buf_add_text(buf, "\xEF\xBF\xBD");
        else if (c == '"' || c == '\\')
            om_buf_add(buf, (char[2]){'\\', (char)c}, 2);
        else if (c == '\n')
            om_buf_add_text(buf, "\\n");
        else
            om_buf_add(buf,
                       (char[6]){'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]},
                       6);
        plain = ++i;
    }
    om_buf_add(buf, text + plain, len - plain);
    return om_buf_add_byte(buf, '"');
}

om_status om_buf_add_json_real(struct om_buf *buf, double value)
{
    if (!isfinite(value)) return om_buf_add_text(buf, "null");
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return om_buf_add_text(buf, text);
}

om_status om_buf_add_fixed(struct om_buf *buf, double value, int digits)
{
    if (!isfinite(value)) return om_buf_add_text(buf, "null");
    char text[400];
    int n = snprintf(text, sizeof text, "%.*f", digits, value);
    if (digits > 0) {
        while (n > 0 && text[n - 1] == '0') n--;
        if (n > 0 && text[n - 1] == '.') n--;
    }
    if (n == 2 && text[0] == '-' && text[1] == '0')
        return om_buf_add_byte(buf, '0');
    return om_buf_add(buf, text, (size_t)n);
}
