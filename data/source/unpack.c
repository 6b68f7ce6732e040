// unpack.c - gzip through GDAL's virtual files, UTF-16 through iconv.
#include "data/source/unpack.h"

#include <cpl_vsi.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "data/source/gdal.h"

#define STEP_BYTES ((size_t)1 << 20)
#define PREFIX "/vsigzip/"

static bool is_gzip(const char *path)
{
    const size_t len = strlen(path);
    return len > 3 && strcasecmp(path + len - 3, ".gz") == 0;
}

static om_status read_gzip(const char *path, struct om_buf *out,
                           struct om_err *err)
{
    if (!om_file_exists(path))
        return om_fail(err, OM_E_NOTFOUND, 0, "%s: does not exist", path);
    const size_t room = strlen(path) + sizeof PREFIX;
    char *name = om_alloc(room);
    if (!name) return om_fail(err, OM_E_MEMORY, 0, "%s: out of memory", path);
    snprintf(name, room, PREFIX "%s", path);
    om__gdal_catch();
    VSILFILE *file = VSIFOpenL(name, "rb");
    om_free(name);
    om_status st = file ? OM_OK : OM_E_FORMAT;
    while (!st) {
        st = om_buf_reserve(out, STEP_BYTES);
        if (st) break;
        const size_t n = VSIFReadL(out->bytes + out->len, 1, STEP_BYTES, file);
        out->len += n;
        if (n < STEP_BYTES) break;
    }
    // A damaged or cut file just ends; that it is so is only said.
    if (!st && om__gdal_failed()) st = OM_E_DAMAGED;
    if (file) VSIFCloseL(file);
    om__gdal_release();
    if (st)
        om_fail(err, st, 0, "%s: cannot be unpacked: %s", path,
                om_status_text(st));
    return st;
}

/* The charset that the first bytes tell, or NULL. */
static const char *utf16_mark(const uint8_t *bytes, size_t len)
{
    if (len < 2) return NULL;
    if (bytes[0] == 0xFF && bytes[1] == 0xFE) return "UTF-16LE";
    if (bytes[0] == 0xFE && bytes[1] == 0xFF) return "UTF-16BE";
    return NULL;
}

static om_status convert(const char *path, const char *charset,
                         const uint8_t *bytes, size_t len, struct om_buf *out,
                         struct om_err *err)
{
    const iconv_t way = iconv_open("UTF-8", charset);
    if (way == (iconv_t)-1)
        return om_fail(err, OM_E_UNSUPPORTED, 0, "%s: %s", path, charset);
    om_status st = om_buf_reserve(out, len / 2 * 3 + 3);
    if (!st) {
        char *in = (char *)(uintptr_t)bytes, *to = (char *)out->bytes;
        size_t left = len, room = out->room;
        // What does not convert ends the text: a half character at the end.
        const size_t done = iconv(way, &in, &left, &to, &room);
        out->len = out->room - room;
        if (done == (size_t)-1 && left > 3) st = OM_E_FORMAT;
    }
    iconv_close(way);
    if (st) om_fail(err, st, len, "%s: is not valid %s", path, charset);
    return st;
}

om_status om__unpack_open(const char *path, struct om_map *map,
                          struct om_buf *unpacked, bool *was_utf16,
                          struct om_err *err)
{
    struct om_buf raw = {0};
    om_status st;
    om_buf_init(&raw, OM_LIMIT_UNPACKED_BYTES);
    om_buf_init(unpacked, OM_LIMIT_UNPACKED_BYTES);
    *was_utf16 = false;
    st = is_gzip(path) ? read_gzip(path, &raw, err)
                       : om_map_open(map, path, err);
    if (st) goto done;
    const uint8_t *bytes = raw.len ? raw.bytes : map->bytes;
    const size_t len = raw.len ? raw.len : map->len;
    const char *charset = utf16_mark(bytes, len);
    if (charset) {
        *was_utf16 = true;
        st = convert(path, charset, bytes + 2, len - 2, unpacked, err);
        om_map_close(map);
    } else if (raw.len) {
        om_buf_deinit(unpacked);
        *unpacked = raw;
        raw = (struct om_buf){0};
    }
done:
    om_buf_deinit(&raw);
    return st;
}
