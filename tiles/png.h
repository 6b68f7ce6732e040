// png.h - PNG through libpng, which only the files tiles/png*.c know.
#ifndef OM_TILES_PNG_H
#define OM_TILES_PNG_H

#include <stdbool.h>

#include "data/base/buf.h"

/**
 * Write an 8-bit palette image with transparency.
 * shapes   index [height x width], each below colours; rgba [colours]
 * returns  OM_E_RANGE (an index beyond the palette), OM_E_MEMORY
 * cost     0.2 ms for 256 x 256; benchmarks/tiles/bench_heat.c
 */
om_status om_png_palette(const uint8_t *index, unsigned width, unsigned height,
                         const uint8_t (*rgba)[4], unsigned colours,
                         struct om_buf *png) OM_MUST_USE;
/** The same for drawings: even areas, sharp edges, letters. Rows are stored as
 *  they are, which makes such pictures a quarter smaller. */
om_status om_png_drawing(const uint8_t *index, unsigned width, unsigned height,
                         const uint8_t (*rgba)[4], unsigned colours,
                         struct om_buf *png) OM_MUST_USE;
/** Write an image of 8-bit red, green, blue, alpha [height x width x 4]. */
om_status om_png_rgba(const uint8_t *rgba, unsigned width, unsigned height,
                      struct om_buf *png) OM_MUST_USE;
/**
 * Read a picture of a known size back as red, green, blue, alpha.
 * shapes   rgba [height x width x 4]
 * returns  OM_E_FORMAT (not a PNG, or of another size), OM_E_MEMORY
 */
om_status om_png_read(const uint8_t *png, size_t len, unsigned width,
                      unsigned height, uint8_t *rgba) OM_MUST_USE;

/* A picture written as its rows come: of any height, in little memory. */
struct om_png_rows;
/** Begin. opaque: opacity is not written. owns: *out with om_png_rows_free;
 *  `png` stays the caller's and grows. */
om_status om_png_rows_begin(unsigned width, unsigned height, bool opaque,
                            struct om_buf *png,
                            struct om_png_rows **out) OM_MUST_USE;
/** The next rows, premultiplied red, green, blue, alpha [rows x width]; they
 *  are changed on the way. */
om_status om_png_rows_add(struct om_png_rows *rows, uint8_t (*pixel)[4],
                          unsigned count) OM_MUST_USE;
/** After the last row. */
om_status om_png_rows_end(struct om_png_rows *rows) OM_MUST_USE;
/** NULL is fine. */
void om_png_rows_free(struct om_png_rows *rows);

#endif
