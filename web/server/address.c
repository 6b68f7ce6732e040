/* address.c - the strict reader of request targets.
 *
 * DESIGN
 * The HTTP library hands over paths already decoded and cut at %00, so the
 * raw target is taken instead and decoded here, once. One pass splits and
 * decodes at the same time: a decoded byte can then never be mistaken for a
 * separator. Every decoded text is at least one byte shorter than what it
 * came from (its separator), so that scratch of len + 1 bytes holds all of
 * them with their NULs (1).
 */
#include "web/server/address.h"

#include <string.h>

#include "data/base/utf8.h"

struct reader {
    const char *at, *end;
    char *out;  // next free byte of scratch, see (1)
    struct om_err *err;
};

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Control characters of ASCII, and those of Latin-1 as UTF-8 writes them. */
static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f) return true;
        if (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
            return true;
    }
    return false;
}

/* Decode up to a byte of `stops` or the end; NUL-terminate in scratch. */
static om_status decode(struct reader *r, const char *stops, bool query,
                        const char **text, size_t *len)
{
    char *const start = r->out;
    while (r->at < r->end && !strchr(stops, *r->at)) {
        char c = *r->at++;
        if (c == '%') {
            const int high = r->end - r->at >= 2 ? hex(r->at[0]) : -1;
            const int low = high >= 0 ? hex(r->at[1]) : -1;
            if (low < 0)
                return om_fail(r->err, OM_E_FORMAT, 0,
                               "a percent sign in the address is not followed "
                               "by two hexadecimal digits");
            r->at += 2;
            c = (char)(high << 4 | low);
            if (!query && (c == '/' || c == '\\'))
                return om_fail(r->err, OM_E_FORMAT, 0,
                               "an encoded slash in the path");
        } else if (query && c == '+') {
            c = ' ';
        } else if (c == '#' || (!query && c == '\\')) {
            return om_fail(r->err, OM_E_FORMAT, 0,
                           "a character in the address that must be encoded");
        }
        if (!c) return om_fail(r->err, OM_E_FORMAT, 0, "a NUL in the address");
        *r->out++ = c;
    }
    *text = start;
    *len = (size_t)(r->out - start);
    *r->out++ = '\0';
    if (*len && !om_utf8_valid(start, *len))
        return om_fail(r->err, OM_E_FORMAT, 0, "the address is not UTF-8");
    if (has_control(start, *len))
        return om_fail(r->err, OM_E_FORMAT, 0,
                       "a control character in the address");
    return OM_OK;
}

static om_status read_path(struct reader *r, struct om_address *out)
{
    while (r->at < r->end && *r->at == '/') {
        const char *text = "";
        size_t len = 0;
        r->at++;
        OM_TRY(decode(r, "/?", false, &text, &len));
        if (!len) {
            const bool last = r->at == r->end || *r->at == '?';
            if (!last)
                return om_fail(r->err, OM_E_FORMAT, 0,
                               "an empty segment in the path");
            out->slash = out->segments > 0;
            return OM_OK;
        }
        if (!strcmp(text, ".") || !strcmp(text, ".."))
            return om_fail(r->err, OM_E_FORMAT, 0, "a dot segment in the path");
        if (out->segments == OM_ADDRESS_SEGMENTS)
            return om_fail(r->err, OM_E_LIMIT, 0,
                           "the path has too many segments");
        out->segment[out->segments++] = text;
    }
    return OM_OK;
}

static om_status read_query(struct reader *r, struct om_address *out)
{
    while (r->at < r->end) {
        struct om_param p = {.value = ""};
        size_t name_len = 0;
        r->at++;  // '?' or '&'
        OM_TRY(decode(r, "=&", true, &p.name, &name_len));
        if (r->at < r->end && *r->at == '=') {
            r->at++;
            OM_TRY(decode(r, "&", true, &p.value, &p.len));
        }
        if (!name_len && !p.len) continue;  // "a=1&" and "a=1&&b=2"
        if (!name_len)
            return om_fail(r->err, OM_E_FORMAT, 0, "a parameter has no name");
        if (om_address_param(out, p.name))
            return om_fail(r->err, OM_E_FORMAT, 0,
                           "the parameter %.64s is given twice", p.name);
        if (out->params == OM_ADDRESS_PARAMS)
            return om_fail(r->err, OM_E_LIMIT, 0, "too many parameters");
        out->param[out->params++] = p;
    }
    return OM_OK;
}

om_status om_address_parse(const char *target, size_t len, char *scratch,
                           struct om_address *out, struct om_err *err)
{
    *out = (struct om_address){0};
    if (len > OM_ADDRESS_BYTES)
        return om_fail(err, OM_E_LIMIT, 0,
                       "the address is longer than %d bytes", OM_ADDRESS_BYTES);
    if (!len || target[0] != '/')
        return om_fail(err, OM_E_FORMAT, 0,
                       "the address does not begin with a slash");
    if (memchr(target, '\0', len))
        return om_fail(err, OM_E_FORMAT, 0, "a NUL in the address");
    struct reader r = {
        .at = target, .end = target + len, .out = scratch, .err = err};
    OM_TRY(read_path(&r, out));
    out->query = read_query(&r, out);
    if (out->query) out->params = 0;
    return out->query;
}

const struct om_param *om_address_param(const struct om_address *address,
                                        const char *name)
{
    for (size_t i = 0; i < address->params; i++)
        if (!strcmp(address->param[i].name, name)) return &address->param[i];
    return NULL;
}

bool om_digits_read(const char *text, size_t len, uint64_t max, uint64_t *out)
{
    if (!len || len > 19 || (len > 1 && text[0] == '0')) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value > max) return false;
    *out = value;
    return true;
}

om_status om_tile_address_parse(const char *z, const char *x, const char *y,
                                struct om_tile_address *out)
{
    const size_t digits = strspn(y, "0123456789");
    const char *rest = y + digits;
    unsigned scale = 1;
    if (!strncmp(rest, "@2x", 3)) {
        scale = 2;
        rest += 3;
    }
    if (digits && *rest == '@') return OM_E_RANGE;
    if (rest[0] != '.' || !rest[1] || strchr(rest + 1, '.') ||
        strchr(rest + 1, '@'))
        return OM_E_FORMAT;

    uint64_t zoom, col, row;
    if (!om_digits_read(z, strlen(z), UINT32_MAX, &zoom) ||
        !om_digits_read(x, strlen(x), INT64_MAX, &col) ||
        !om_digits_read(y, digits, INT64_MAX, &row))
        return OM_E_FORMAT;
    if (zoom > OM_TILE_ZOOM_MAX) return OM_E_RANGE;
    const uint64_t side = UINT64_C(1) << zoom;
    if (col >= side || row >= side) return OM_E_RANGE;
    *out = (struct om_tile_address){.z = (unsigned)zoom,
                                    .x = (uint32_t)col,
                                    .y = (uint32_t)row,
                                    .scale = scale,
                                    .extension = rest + 1};
    return OM_OK;
}

bool om_host_valid(const char *host)
{
    const char *name =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "0123456789.-_";
    const char *at = host;
    if (*at == '[') {
        const size_t len = strspn(at + 1, "0123456789abcdefABCDEF:.");
        if (len < 2 || len > 45 || at[1 + len] != ']') return false;
        at += len + 2;
    } else {
        const size_t len = strspn(at, name);
        if (!len || len > 253) return false;
        at += len;
    }
    if (!*at) return true;
    uint64_t port;
    return *at == ':' && om_digits_read(at + 1, strlen(at + 1), 65535, &port) &&
           port > 0;
}
