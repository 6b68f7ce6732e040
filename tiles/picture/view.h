// view.h - the window of a picture: which pixels of the world at which scale.
#ifndef OM_TILES_PICTURE_VIEW_H
#define OM_TILES_PICTURE_VIEW_H

#include <stdint.h>

#include "data/model/pos.h"

/* At a scale the whole world is `world` / 256 pixels wide, and every pixel of
 * it has a number of its own, from the north-west corner. A view is a window
 * of these pixels. What is drawn is rounded on that grid, never on the view:
 * a pixel is the same in every view that shows it. */
struct om_view {
    uint64_t world;          // width of the world in 1/256 pixel
    int64_t x, y;            // number of the first pixel
    unsigned width, height;  // pixels
    unsigned ratio;          // pixels for one of design: 2 for dense screens
};

/** Largest world: deepest tiles of 1024 pixels. Keeps sums in 64 bits. */
#define OM_VIEW_WORLD_MAX (UINT64_C(1) << 40)
/** Pixels along a side of a view. */
#define OM_VIEW_SIDE_MAX 16384

/* Coordinates in 1/256 pixel from the view's corner. */
struct om_spot {
    int64_t x, y;
};

/** The view of tile z/x/y, `side_px` pixels wide. */
static inline struct om_view om_view_tile(unsigned z, uint32_t x, uint32_t y,
                                          unsigned side_px, unsigned ratio)
{
    return (struct om_view){.world = (uint64_t)side_px << z << 8,
                            .x = (int64_t)x * side_px,
                            .y = (int64_t)y * side_px,
                            .width = side_px,
                            .height = side_px,
                            .ratio = ratio};
}

/** Where a position lies: a rounding of the world's scale, then a shift. */
static inline int64_t om_view_scale(uint64_t world, uint32_t cell)
{
    __extension__ typedef unsigned __int128 wide;
    return (int64_t)((wide)cell * world >> 32);
}
static inline struct om_spot om_view_spot(const struct om_view *view,
                                          struct om_pos pos)
{
    return (struct om_spot){om_view_scale(view->world, pos.x) - view->x * 256,
                            om_view_scale(view->world, pos.y) - view->y * 256};
}

/** Zoom at which a tile of 256 design pixels has this scale. */
double om_view_zoom(const struct om_view *view);
/** All positions within `margin_px` of the view; x0 > x1 if there are none. */
struct om_box om_view_box(const struct om_view *view, unsigned margin_px);
/** Pixels in one metre on the ground at the middle of the view. */
double om_view_px_per_m(const struct om_view *view);

#endif
