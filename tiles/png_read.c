// png_read.c - pictures back into pixels.
#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/png.h"

/* Everything the reader holds, on the heap or the caller's: libpng leaves by
 * longjmp. */
struct reader {
    png_structp png;
    png_infop info;
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

static void leave(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void *take_memory(png_structp png, png_alloc_size_t bytes)
{
    (void)png;
    return om_alloc(bytes);
}

static void give_memory(png_structp png, void *block)
{
    (void)png;
    om_free(block);
}

/* The only function that libpng may leave by longjmp; see png.c. */
static om_status read_rows(struct reader *r, unsigned width, unsigned height,
                           uint8_t *rgba)
{
    if (setjmp(png_jmpbuf(r->png))) return OM_E_FORMAT;
    png_set_user_limits(r->png, width, height);
    png_set_read_fn(r->png, r, give_bytes);
    png_read_info(r->png, r->info);
    if (png_get_image_width(r->png, r->info) != width ||
        png_get_image_height(r->png, r->info) != height ||
        png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE)
        return OM_E_FORMAT;
    png_set_expand(r->png);
    png_set_strip_16(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_add_alpha(r->png, 255, PNG_FILLER_AFTER);
    png_read_update_info(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != (size_t)width * 4)
        return OM_E_FORMAT;
    for (unsigned y = 0; y < height; y++)
        png_read_row(r->png, rgba + (size_t)y * width * 4, NULL);
    return OM_OK;
}

om_status om_png_read(const uint8_t *png, size_t len, unsigned width,
                      unsigned height, uint8_t *rgba)
{
    struct reader r = {.bytes = png, .len = len};
    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, leave, ignore,
                                     NULL, take_memory, give_memory);
    if (!r.png) return OM_E_MEMORY;
    r.info = png_create_info_struct(r.png);
    const om_status st =
        r.info ? read_rows(&r, width, height, rgba) : OM_E_MEMORY;
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return st;
}
