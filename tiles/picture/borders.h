// borders.h - the borders of units as lines, each drawn once.
#ifndef OM_TILES_PICTURE_BORDERS_H
#define OM_TILES_PICTURE_BORDERS_H

#include "tiles/picture/canvas.h"

/* Lines that two neighbours share are one line here. Immutable. */
struct om_borders {
    size_t lines;
    uint32_t *first;  // [lines + 1] into vertex
    struct om_pos *vertex;
    struct om_box *box;  // [lines]
};

/** The borders of polygons that may share edges: of shapes whose unit_of_row
 *  [rings->count] is not OM_NO_UNIT. owns: om_borders_deinit. cost: linear in
 *  the vertices; 2,934 grids some 30 ms */
om_status om_borders_init(struct om_borders *borders,
                          const struct om_rings *rings,
                          const uint32_t *unit_of_row) OM_MUST_USE;
void om_borders_deinit(struct om_borders *borders);
/** Add those that meet the canvas to its raster. */
void om_borders_draw(const struct om_borders *borders, struct om_canvas *canvas,
                     const struct om_stroke *stroke);

#endif
