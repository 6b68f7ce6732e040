// level.h - a level of units ready to be drawn: shapes, names, borders.
#ifndef OM_TILES_PICTURE_LEVEL_H
#define OM_TILES_PICTURE_LEVEL_H

#include "engine/units.h"
#include "tiles/picture/borders.h"

/* Immutable, counted. */
struct om_level {
    struct om_units units;
    uint32_t *unit_of_row;  // [rows of the layer]
    struct om_borders borders;
    struct om_tree *tree;  // over the rows' boxes
    double side_cells;     // of a square as large as the mean unit
    uint64_t serial;       // of the layer, as of any snapshot that has the same
};

/** Read a level: the units that whoever has the snapshot sees. returns what om_units_read returns. owns: *out with
 *  om_level_unref; holds of the snapshot what it needs. cost: grids some 60 ms */
om_status om_level_new(const struct om_snapshot *snapshot, const char *name,
                       struct om_level **out, struct om_err *err) OM_MUST_USE;
struct om_level *om_level_ref(struct om_level *level);
void om_level_unref(struct om_level *level);
/** Pixels along the side of a mean unit. */
double om_level_side_px(const struct om_level *level,
                        const struct om_view *view);
/** Call `each` with every unit whose box meets the box, by rising row. */
void om_level_each(const struct om_level *level, struct om_box box,
                   void (*each)(void *ctx, size_t unit), void *ctx);

#endif
