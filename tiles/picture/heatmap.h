// heatmap.h - a heat map on a canvas of any scale.
#ifndef OM_TILES_PICTURE_HEATMAP_H
#define OM_TILES_PICTURE_HEATMAP_H

#include "tiles/heat.h"
#include "tiles/picture/canvas.h"

/**
 * Paint a risk or density over a canvas. At the scale of a tile every pixel is
 * the tile's; between scales it is the nearest of the next finer one.
 *
 * returns  as om_risk_window
 * cost     some 2 ms for 256 x 256 pixels, up to four times that between
 *          scales
 */
om_status om_heatmap_draw(struct om_fields *fields, const struct om_risk *risk,
                          const struct om_legend *legend,
                          struct om_canvas *canvas,
                          struct om_arena *arena) OM_MUST_USE;

/** First pixel of the world behind `px` (along either side) that is painted
 *  from another window: pieces that end there evaluate none twice. */
int64_t om_heatmap_next(const struct om_view *view, int64_t px);

#endif
