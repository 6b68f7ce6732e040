// frame.h - a raster's cells: squares of a projection in metres, and where
// they lie on our grid.
#ifndef OM_DATA_SOURCE_FRAME_H
#define OM_DATA_SOURCE_FRAME_H

#include <stddef.h>

#include "data/base/limits.h"
#include "data/model/pos.h"

/* Squares of cell_m, row 0 north. The north-west corner is a multiple of
 * cell_m both ways, so that frames of one cell size and projection fit each
 * other. Immutable. */
struct om_frame {
    char crs[OM_LIMIT_NAME_BYTES];  // as given: "EPSG:4547"
    char name[96];                  // "CGCS2000 / 3-degree Gauss-Kruger ..."
    double west_m, north_m, cell_m;
    size_t columns, rows;
    // Where cells lie, for om_frame_places: knots every `step` cells.
    size_t step, knot_columns, knot_rows;
    double *knot_x, *knot_y;  // owned
};

/**
 * The cells that cover a box of positions and a margin around it.
 *
 * units    crs: what PROJ knows and has metres (EPSG:4547); NULL: the UTM zone
 *          of the box's middle. margin_m is on the ground, cell_m in the
 *          projection.
 * returns  OM_E_CRS     unknown, not in metres, or it does not reach that far
 *          OM_E_RANGE   cell_m not above 0 or not finite; no box
 *          OM_E_LIMIT   more than OM_LIMIT_RASTER_CELLS
 *          OM_E_MEMORY; err names the option that is to blame (--crs, --cell)
 * owns     *out: om_frame_deinit
 * cost     1 us a knot; knots are 1 km apart or one cell, if that is more
 * test     tests/data/test_raster.c
 */
om_status om_frame_init(const char *crs, struct om_box box, double margin_m,
                        double cell_m, struct om_frame *out,
                        struct om_err *err) OM_MUST_USE;
void om_frame_deinit(struct om_frame *frame);

/**
 * Places (column0 + i, row0 + k) in cells from the frame's north-west corner,
 * i < columns, k < rows: corners for whole numbers, middles for halves.
 *
 * shapes   x, y [rows * columns]
 * units    our grid's cells
 * threads  any
 * cost     a few ns a place; between knots, within 1 cm of what PROJ says where
 *          these are 1 km apart
 */
void om_frame_places(const struct om_frame *frame, double column0, double row0,
                     size_t columns, size_t rows, double *x, double *y);

#endif
