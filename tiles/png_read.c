// png_read.c - pictures back into pixels.
#include <setjmp.h>
#include <string.h>

#include "tiles/png_internal.h"

/* Everything the reader holds, on the heap or the caller's: libpng leaves by
 * longjmp. */
struct reader {
    struct om__png from;
    const uint8_t *bytes;
    size_t len, at;
};

static void give_bytes(png_structp png, png_bytep out, size_t len)
{
    struct reader *r = png_get_io_ptr(png);
    if (r->len - r->at < len) png_error(png, "the file ends");
    memcpy(out, r->bytes + r->at, len);
    r->at += len;
}

/* The only function that libpng may leave by longjmp; see png.c. */
static om_status read_rows(struct reader *r, unsigned width, unsigned height,
                           uint8_t *rgba)
{
    if (setjmp(png_jmpbuf(r->from.png))) return OM_E_FORMAT;
    png_set_user_limits(r->from.png, width, height);
    png_set_read_fn(r->from.png, r, give_bytes);
    png_read_info(r->from.png, r->from.info);
    if (png_get_image_width(r->from.png, r->from.info) != width ||
        png_get_image_height(r->from.png, r->from.info) != height ||
        png_get_interlace_type(r->from.png, r->from.info) != PNG_INTERLACE_NONE)
        return OM_E_FORMAT;
    png_set_expand(r->from.png);
    png_set_strip_16(r->from.png);
    png_set_gray_to_rgb(r->from.png);
    png_set_add_alpha(r->from.png, 255, PNG_FILLER_AFTER);
    png_read_update_info(r->from.png, r->from.info);
    if (png_get_rowbytes(r->from.png, r->from.info) != (size_t)width * 4)
        return OM_E_FORMAT;
    for (unsigned y = 0; y < height; y++)
        png_read_row(r->from.png, rgba + (size_t)y * width * 4, NULL);
    return OM_OK;
}

om_status om_png_read(const uint8_t *png, size_t len, unsigned width,
                      unsigned height, uint8_t *rgba)
{
    struct reader r = {.bytes = png, .len = len};
    om_status st = om__png_init_read(&r.from);
    if (!st) st = read_rows(&r, width, height, rgba);
    om__png_deinit(&r.from);
    return st;
}
