// status.c - texts of codes, and filling in an error.
#include "data/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *om_status_text(om_status status)
{
    switch (status) {
#define X(name, number, text) \
    case OM_##name:           \
        return text;
        OM_STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}

/* Cut a string that filled its buffer back to a whole UTF-8 character. */
static void trim_partial_utf8(char *text)
{
    size_t end = strlen(text), back = end;
    while (back > 0 && ((unsigned char)text[back - 1] & 0xC0) == 0x80) back--;
    if (back == 0) return;
    const unsigned char lead = (unsigned char)text[back - 1];
    const size_t need = lead >= 0xF0   ? 4
                        : lead >= 0xE0 ? 3
                        : lead >= 0xC0 ? 2
                                       : 1;
    if (end - (back - 1) < need) text[back - 1] = '\0';
}

om_status om_fail(struct om_err *err, om_status code, size_t at,
                  const char *format, ...)
{
    if (!err) return code;
    err->code = code;
    err->at = at;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= (int)sizeof err->text) trim_partial_utf8(err->text);
    return code;
}
