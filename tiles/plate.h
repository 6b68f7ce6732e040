// plate.h - pictures in degrees made of pictures in web mercator.
#ifndef OM_TILES_PLATE_H
#define OM_TILES_PLATE_H

#include "data/base/arena.h"
#include "data/base/buf.h"

/* A tile z/row/col in degrees is 360 / 2^z degrees wide and high, rows counted
 * from latitude 90: its columns of pixels are those of the mercator tiles of
 * the same z and column, only rows lie elsewhere. */

/** No row: beyond the mercator square. */
#define OM_PLATE_NONE UINT32_MAX

/**
 * For every row of pixels of a tile in degrees, the row of mercator pixels
 * (counted over the whole world at z, `side_px` a tile) that holds the
 * latitude of its centre.
 *
 * shapes   out [side_px]
 * source   EPSG guidance note 7-2, method 1024
 * test     tests/tiles/test_plate.c
 */
void om_plate_rows(unsigned z, uint32_t row, unsigned side_px, uint32_t *out);

/* One mercator picture: PNG as om_png_palette and om_png_rgba write it. */
struct om_plate_part {
    uint32_t row;  // of the tile
    const uint8_t *png;
    size_t len;
};
/**
 * Put a tile in degrees together. `part` holds every mercator tile (of the
 * same z and column) that om_plate_rows names; rows beyond are transparent.
 * Written with a palette if 256 colours are enough, else in true colour.
 *
 * returns  OM_E_FORMAT (a part is no such picture), OM_E_NOTFOUND (a part is
 *          missing), OM_E_MEMORY
 * cost     about a millisecond
 */
om_status om_plate_tile(unsigned z, uint32_t row, unsigned side_px,
                        const struct om_plate_part *part, size_t parts,
                        struct om_arena *arena, struct om_buf *png) OM_MUST_USE;

#endif
