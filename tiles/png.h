// png.h - palette PNG through libpng: the only file that knows it.
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

#endif
