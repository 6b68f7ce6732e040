// read_png.h - a PNG's pixels as libpng reads them: the oracle of the writer.
#ifndef OM_TESTS_TILES_READ_PNG_H
#define OM_TESTS_TILES_READ_PNG_H

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/buf.h"

/* RGBA of all pixels, or NULL if libpng objects. owns: the caller, free(). */
static inline uint8_t *read_png(const struct om_buf *png, unsigned *width,
                                unsigned *height)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, png->bytes, png->len))
        return NULL;
    image.format = PNG_FORMAT_RGBA;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    if (!png_image_finish_read(&image, NULL, pixels, 0, NULL) ||
        PNG_IMAGE_FAILED(image)) {
        free(pixels);
        return NULL;
    }
    *width = image.width;
    *height = image.height;
    return pixels;
}

static inline uint32_t png_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static inline uint32_t png_crc(const uint8_t *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

/* What pngcheck looks at: signature, order of chunks, their lengths and
 * checksums, and nothing after the end. The order as one letter a chunk. */
static inline bool png_chunks(const struct om_buf *png, char *order,
                              size_t room)
{
    static const uint8_t signature[] = {137, 80, 78, 71, 13, 10, 26, 10};
    size_t at = 8, n = 0;
    if (png->len < 8 || memcmp(png->bytes, signature, 8) != 0) return false;
    while (at + 12 <= png->len && n + 1 < room) {
        const uint8_t *chunk = png->bytes + at;
        const uint32_t len = png_u32(chunk);
        if (len > png->len - at - 12) return false;
        if (png_crc(chunk + 4, len + 4) != png_u32(chunk + 8 + len))
            return false;
        order[n++] = (char)chunk[4];
        at += 12 + (size_t)len;
    }
    order[n] = '\0';
    return at == png->len;
}

#endif
