/* png.c - PNG written: libpng writes the container, libdeflate the pixels.
 *
 * DESIGN
 * libpng's own deflate is three times slower than libdeflate's level 1 on a
 * heat tile (0.5 against 0.16 ms). So libpng writes the header, the palette
 * and the frame of every chunk, and IDAT's content is made here: rows with
 * the filter 'up' (PNG 1.2, 6.4), or none for drawings; 4 bits a pixel up to 16
 * colours. libpng
 * counts only IDATs of its own making, so png_write_end is not called; IEND
 * is written as the chunk it is.
 */
#include <libdeflate.h>
#include <setjmp.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "tiles/png_internal.h"

#define LEVEL 1
#define FILTER_NONE 0
#define FILTER_UP 2
/* Larger pictures are put together from tiles. */
#define SIDE_MAX 16384

/* Everything the writer holds, on the heap: libpng leaves by longjmp. */
struct writer {
    struct om__png to;
    struct libdeflate_compressor *deflate;
    struct om_buf *out;
    unsigned width, height, colours, depth;
    const uint8_t (*rgba)[4];  // the palette; NULL: true colour
    bool plain;                // rows as they are
    size_t row_bytes;          // packed, without the filter byte
    uint8_t *filtered;         // [height * (1 + row_bytes)]
    uint8_t *packed[2];        // this row and the one before
    uint8_t *compressed;
    size_t compressed_room, compressed_len;
};

OM_CLONES
static void pack_nibbles(const uint8_t *index, size_t width, uint8_t *out)
{
    for (size_t i = 0; i < width / 2; i++)
        out[i] = (uint8_t)(index[2 * i] << 4 | index[2 * i + 1]);
    if (width % 2) out[width / 2] = (uint8_t)(index[width - 1] << 4);
}

OM_CLONES
static void subtract(const uint8_t *row, const uint8_t *above, size_t n,
                     uint8_t *out)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(row[i] - above[i]);
}

OM_CLONES
static uint8_t largest(const uint8_t *index, size_t n)
{
    uint8_t most = 0;
    for (size_t i = 0; i < n; i++) most = index[i] > most ? index[i] : most;
    return most;
}

/* Pack and filter all rows, then compress them. */
static om_status make_pixels(struct writer *w, const uint8_t *index)
{
    uint8_t *out = w->filtered;
    const size_t pitch = w->rgba ? w->width : w->row_bytes;
    memset(w->packed[1], 0, w->row_bytes);
    for (unsigned y = 0; y < w->height; y++) {
        const uint8_t *row = index + (size_t)y * pitch;
        uint8_t *now = w->packed[y & 1], *above = w->packed[~y & 1];
        if (w->depth == 4)
            pack_nibbles(row, w->width, now);
        else
            memcpy(now, row, w->row_bytes);
        *out++ = w->plain ? FILTER_NONE : FILTER_UP;
        if (w->plain)
            memcpy(out, now, w->row_bytes);
        else
            subtract(now, above, w->row_bytes, out);
        out += w->row_bytes;
    }
    w->compressed_len = libdeflate_zlib_compress(
        w->deflate, w->filtered, (size_t)(out - w->filtered), w->compressed,
        w->compressed_room);
    return w->compressed_len ? OM_OK : OM_E_INTERNAL;
}

static om_status writer_init(struct writer *w)
{
    w->row_bytes = !w->rgba        ? (size_t)w->width * 4
                   : w->depth == 4 ? (w->width + 1) / 2
                                   : w->width;
    const size_t bytes = w->height * (w->row_bytes + 1);
    w->deflate = libdeflate_alloc_compressor(LEVEL);
    if (!w->deflate) return OM_E_MEMORY;
    w->compressed_room = libdeflate_zlib_compress_bound(w->deflate, bytes);
    w->filtered = om_alloc(bytes);
    w->packed[0] = om_alloc(w->row_bytes);
    w->packed[1] = om_alloc(w->row_bytes);
    w->compressed = om_alloc(w->compressed_room);
    if (!w->filtered || !w->packed[0] || !w->packed[1] || !w->compressed)
        return OM_E_MEMORY;
    return om__png_init_write(&w->to, w->out);
}

static void writer_deinit(struct writer *w)
{
    om__png_deinit(&w->to);
    if (w->deflate) libdeflate_free_compressor(w->deflate);
    om_free(w->filtered);
    om_free(w->packed[0]);
    om_free(w->packed[1]);
    om_free(w->compressed);
}

static void write_header(struct writer *w)
{
    const uint8_t(*rgba)[4] = w->rgba;
    png_color colour[256];
    png_byte alpha[256];
    unsigned last = 0;  // trailing opaque entries need no alpha
    for (unsigned i = 0; i < w->colours; i++) {
        colour[i] = (png_color){rgba[i][0], rgba[i][1], rgba[i][2]};
        alpha[i] = rgba[i][3];
        if (alpha[i] != 255) last = i + 1;
    }
    png_set_IHDR(w->to.png, w->to.info, w->width, w->height, (int)w->depth,
                 rgba ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB_ALPHA,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    if (rgba) png_set_PLTE(w->to.png, w->to.info, colour, (int)w->colours);
    if (last) png_set_tRNS(w->to.png, w->to.info, alpha, (int)last, NULL);
    png_write_info(w->to.png, w->to.info);
}

/* The only function that libpng may leave by longjmp: it has no locals that
 * change after setjmp, everything is in *w. */
static om_status write_chunks(struct writer *w)
{
    if (setjmp(png_jmpbuf(w->to.png))) return om__png_why(&w->to);
    write_header(w);
    png_write_chunk(w->to.png, (png_const_bytep) "IDAT", w->compressed,
                    w->compressed_len);
    png_write_chunk(w->to.png, (png_const_bytep) "IEND", NULL, 0);
    return OM_OK;
}

static om_status write_image(struct writer *w, const uint8_t *pixel)
{
    const size_t before = w->out->len;
    om_status st = writer_init(w);
    if (!st) st = make_pixels(w, pixel);
    if (!st) st = write_chunks(w);
    if (st) w->out->len = before;
    writer_deinit(w);
    return st;
}

static bool is_size(unsigned width, unsigned height)
{
    return width && height && width <= SIDE_MAX && height <= SIDE_MAX;
}

static om_status write_palette(struct writer *w, const uint8_t *index)
{
    if (!is_size(w->width, w->height) || !w->colours || w->colours > 256)
        return OM_E_RANGE;
    if (largest(index, (size_t)w->width * w->height) >= w->colours)
        return OM_E_RANGE;
    w->depth = w->colours <= 16 ? 4 : 8;
    return write_image(w, index);
}

om_status om_png_palette(const uint8_t *index, unsigned width, unsigned height,
                         const uint8_t (*rgba)[4], unsigned colours,
                         struct om_buf *png)
{
    struct writer w = {.out = png,
                       .width = width,
                       .height = height,
                       .colours = colours,
                       .rgba = rgba};
    return write_palette(&w, index);
}

om_status om_png_drawing(const uint8_t *index, unsigned width, unsigned height,
                         const uint8_t (*rgba)[4], unsigned colours,
                         struct om_buf *png)
{
    struct writer w = {.out = png,
                       .width = width,
                       .height = height,
                       .colours = colours,
                       .rgba = rgba,
                       .plain = true};
    return write_palette(&w, index);
}

om_status om_png_rgba(const uint8_t *rgba, unsigned width, unsigned height,
                      struct om_buf *png)
{
    if (!is_size(width, height)) return OM_E_RANGE;
    struct writer w = {
        .out = png, .width = width, .height = height, .depth = 8};
    return write_image(&w, rgba);
}
