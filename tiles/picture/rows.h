// rows.h - rows of a layer, points or shapes, drawn by class.
#ifndef OM_TILES_PICTURE_ROWS_H
#define OM_TILES_PICTURE_ROWS_H

#include "tiles/picture/classes.h"

/* What to draw; borrows all. */
struct om_rows_spec {
    const struct om_layer *layer;
    const struct om_selection *selection;
    const struct om_classes *classes;
    enum om_palette palette;
};

/** Diameter of the dots of a layer of points, in 1/2 pixel of design: as large
 *  as their number leaves room for at this scale; 0: less than a pixel, then a
 *  pixel shows the class that most of its rows have, and by its opacity how
 *  many they are. */
unsigned om_rows_dot(const struct om_rows_spec *spec,
                     const struct om_view *view);
/* What that follows from beside how many rows there are: pixels of the box of
 * all rows, and the largest dot of the scale. */
struct om_rows_room {
    double area_px;
    unsigned dot_most;
};
struct om_rows_room om_rows_room(const struct om_rows_spec *spec,
                                 const struct om_view *view);
/** Pixels beyond its own that a dot reaches. */
unsigned om_rows_dot_reach_px(unsigned dot, unsigned ratio);
/** Opacity of a pixel that stands for few (step 0) or many rows. */
#define OM_ROWS_WEIGHTS 8
uint8_t om_rows_weight(unsigned step);
/** Opacity of polygons; what is around dots. */
#define OM_ROWS_FILL 190
struct om_colour om_rows_edge(enum om_palette palette);
/** What a view shares with all others of its scale, whatever rows lie in it:
 *  sizes and opacities, which follow from how many rows there are in all, in
 *  steps. */
uint64_t om_rows_look(const struct om_rows_spec *spec,
                      const struct om_view *view);
/** Pixels around a view whose rows it shows a part of: what is drawn of a row
 *  reaches so far beyond the pixel that it lies on or, of a shape, beyond those
 *  that it covers. */
unsigned om_rows_reach_px(const struct om_rows_spec *spec,
                          const struct om_view *view);
/** How many rows drawing a view looks at, at most. */
uint64_t om_rows_cost(const struct om_rows_spec *spec,
                      const struct om_view *view);
/**
 * Draw the rows of a layer. Points are dots; lines and polygons are drawn as
 * they are where they are large enough, else as points.
 *
 * returns  OM_E_TYPE, OM_E_MEMORY, OM_E_DAMAGED
 * threads  any, with an arena each
 * cost     some 5 ns for each row in view; a layer of one class without a
 *          filter is read from its stored cells where it is dense
 */
om_status om_rows_draw(const struct om_rows_spec *spec,
                       struct om_canvas *canvas,
                       struct om_arena *arena) OM_MUST_USE;

#endif
