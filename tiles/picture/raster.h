// raster.h - how much of each pixel a shape covers, exactly.
#ifndef OM_TILES_PICTURE_RASTER_H
#define OM_TILES_PICTURE_RASTER_H

#include "data/base/arena.h"
#include "tiles/picture/view.h"

/** Cover of a whole pixel in the sums below: 2 * 256 * 256. */
#define OM_RASTER_FULL 131072

/* Sums of signed cover. Lines of closed outlines are added in any order, then
 * swept once. Rows and pixels outside the window cost next to nothing. */
struct om_raster {
    unsigned width, height;
    uint32_t *sum;              // [height * (width + 2)], zero between sweeps
    struct om_raster_row *row;  // [height] what of it was touched
    unsigned first_row, end_row;
    uint8_t *cover;  // [width]
};

/** An empty raster of a window. owns: memory of the arena. */
om_status om_raster_init(struct om_raster *raster, unsigned width,
                         unsigned height, struct om_arena *arena) OM_MUST_USE;
/**
 * Add a directed line, in 1/256 pixel from the window's corner. Cover is
 * positive right of a line that goes up (y falling): outlines that run
 * clockwise on the map cover their inside.
 *
 * A pixel's share depends on the line alone and not on the window; a line and
 * its reverse cancel to the last bit.
 * cost     some 5 ns, and some 3 ns for each pixel it passes
 */
void om_raster_line(struct om_raster *raster, struct om_spot from,
                    struct om_spot to);

/** Pixels [x, x + n) of row y and their cover, 0 to 255. */
typedef void om_raster_fn(void *ctx, unsigned y, unsigned x, unsigned n,
                          const uint8_t *cover);
/** Hand over what is covered, row by row, and be empty again. Outlines that
 *  lie over each other cover once; holes that run the other way are holes. */
void om_raster_sweep(struct om_raster *raster, om_raster_fn *take, void *ctx);
/** Total cover of all pixels in units of OM_RASTER_FULL (tests); stays. */
int64_t om_raster_total(const struct om_raster *raster);

#endif
