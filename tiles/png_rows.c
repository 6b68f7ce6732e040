/* png_rows.c - large pictures, written row by row.
 *
 * DESIGN
 * A wall of screens is 50 MB of pixels: it is painted and packed in strips.
 * libdeflate packs only whole buffers, so here libpng packs with zlib, at a
 * level that is quick; even areas and fields are both small under one of two
 * filters, which libpng picks for every row.
 */
#include <setjmp.h>
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/png_internal.h"

#define LEVEL 2

struct om_png_rows {
    struct om__png to;
    unsigned width;
    bool opaque;
    // Arguments of the step at hand: what setjmp must not lose is here.
    uint8_t (*pixel)[4];
    unsigned count;
};

static om_status write_head(struct om_png_rows *r, unsigned height)
{
    if (setjmp(png_jmpbuf(r->to.png))) return om__png_why(&r->to);
    png_set_compression_level(r->to.png, LEVEL);
    png_set_filter(r->to.png, PNG_FILTER_TYPE_BASE,
                   PNG_FILTER_NONE | PNG_FILTER_UP);
    png_set_IHDR(r->to.png, r->to.info, r->width, height, 8,
                 r->opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    png_write_info(r->to.png, r->to.info);
    return OM_OK;
}

om_status om_png_rows_begin(unsigned width, unsigned height, bool opaque,
                            struct om_buf *png, struct om_png_rows **out)
{
    *out = NULL;
    struct om_png_rows *r = om_calloc(1, sizeof *r);
    if (!r) return OM_E_MEMORY;
    r->width = width;
    r->opaque = opaque;
    om_status st = om__png_init_write(&r->to, png);
    if (!st) st = write_head(r, height);
    if (st) {
        om_png_rows_free(r);
        return st;
    }
    *out = r;
    return OM_OK;
}

/* Premultiplied to plain, in place; three bytes a pixel if opaque. */
static void make_plain(struct om_png_rows *r)
{
    const size_t n = (size_t)r->width * r->count;
    uint8_t *to = r->pixel[0];
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = r->pixel[i];
        const unsigned a = p[3];
        uint8_t rgba[4] = {p[0], p[1], p[2], p[3]};
        for (int k = 0; k < 3 && a && a < 255; k++)
            rgba[k] = (uint8_t)((p[k] * 255u + a / 2) / a);
        const size_t bytes = r->opaque ? 3 : 4;
        memcpy(to, rgba, bytes);
        to += bytes;
    }
}

static om_status write_rows(struct om_png_rows *r)
{
    if (setjmp(png_jmpbuf(r->to.png))) return om__png_why(&r->to);
    const size_t pitch = (size_t)r->width * (r->opaque ? 3 : 4);
    for (unsigned y = 0; y < r->count; y++)
        png_write_row(r->to.png, r->pixel[0] + y * pitch);
    return OM_OK;
}

om_status om_png_rows_add(struct om_png_rows *rows, uint8_t (*pixel)[4],
                          unsigned count)
{
    rows->pixel = pixel;
    rows->count = count;
    make_plain(rows);
    return write_rows(rows);
}

om_status om_png_rows_end(struct om_png_rows *rows)
{
    if (setjmp(png_jmpbuf(rows->to.png))) return om__png_why(&rows->to);
    png_write_end(rows->to.png, rows->to.info);
    return OM_OK;
}

void om_png_rows_free(struct om_png_rows *rows)
{
    if (!rows) return;
    om__png_deinit(&rows->to);
    om_free(rows);
}
