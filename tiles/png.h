// png.h - PNG through libpng: png.c and png_read.c are the only files that
// know it.
#ifndef OM_TILES_PNG_H
#define OM_TILES_PNG_H

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

#endif
