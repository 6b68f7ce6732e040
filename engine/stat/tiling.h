// tiling.h - squares or hexagons over a city, where its own units are not
// wanted.
#ifndef OM_ENGINE_STAT_TILING_H
#define OM_ENGINE_STAT_TILING_H

#include "engine/stat/graph.h"

enum om_tile_shape { OM_SHAPE_SQUARE, OM_SHAPE_HEXAGON };

/** Cells in the box of a tiling, 4 bytes each. More are OM_E_COST. */
#define OM_TILING_CELLS_MOST ((size_t)1 << 22)
/** Sizes, ground metres. */
#define OM_TILING_SIZE_LEAST_M 1.0
#define OM_TILING_SIZE_MOST_M 100000.0

/* An absolute tiling of the web mercator square from its north-western corner:
 * which cell a place lies in depends on shape, size and `latitude_deg` only,
 * never on what is asked. `size_m` is the side of a square, or the distance
 * between opposite sides of a hexagon (points up; that of neighbours' centres,
 * too), in ground metres at `latitude_deg`, a whole degree; a degree away it
 * is some 0.8 % (at 23 degrees) off.
 *
 * Cells are numbered in rows from the north, each row from the west; a cell is
 * listed if it meets the area. Zero is a valid empty tiling. */
struct om_tiling {
    enum om_tile_shape shape;
    double size_m, latitude_deg;
    double side;         // size_m in grid cells
    size_t count;        // cells that are listed
    int64_t col0, row0;  // of the box
    size_t cols, rows;   // of the box
    uint32_t *number;    // [cols * rows] of a cell, or OM_NO_UNIT
    uint32_t *place;     // [count] col + row * cols of cell i
};
void om_tiling_deinit(struct om_tiling *tiling);

/** Whole degree of latitude nearest to the middle of a box. */
double om_tiling_latitude(struct om_box box);

/**
 * The cells that meet polygons (share more than a border point with them, or
 * are crossed by their border), whether anything happened there or not.
 *
 * units    whose union is the area
 * returns  OM_E_RANGE (size), OM_E_COST (more than OM_TILING_CELLS_MOST in the
 *          box), OM_E_MEMORY
 * owns     om_tiling_deinit
 * cost     linear in cells and vertices
 * test     tests/engine/test_tiling.c
 */
om_status om_tiling_of_units(enum om_tile_shape shape, double size_m,
                             const struct om_units *units,
                             struct om_tiling *out) OM_MUST_USE;
/** The cells that meet a box of positions. */
om_status om_tiling_of_box(enum om_tile_shape shape, double size_m,
                           struct om_box box,
                           struct om_tiling *out) OM_MUST_USE;

/** Column and row of the cell that a place, in grid cells, lies in: always
 *  exactly one. Borders belong to the cell east or south of them. */
void om_tiling_cell(const struct om_tiling *tiling, double x, double y,
                    int64_t *col, int64_t *row);
/** Index of the listed cell, or OM_NO_UNIT. */
static inline uint32_t om_tiling_at(const struct om_tiling *t, int64_t col,
                                    int64_t row)
{
    if (col < t->col0 || row < t->row0 || col - t->col0 >= (int64_t)t->cols ||
        row - t->row0 >= (int64_t)t->rows)
        return OM_NO_UNIT;
    return t
        ->number[(size_t)(row - t->row0) * t->cols + (size_t)(col - t->col0)];
}
/** Column and row of listed cell i. */
void om_tiling_place(const struct om_tiling *tiling, size_t i, int64_t *col,
                     int64_t *row);
/** Middle of a cell, in grid cells. */
void om_tiling_middle(const struct om_tiling *tiling, int64_t col, int64_t row,
                      double *x, double *y);
/** Corners of a cell, clockwise on the map. returns how many: 4 or 6. */
size_t om_tiling_corners(const struct om_tiling *tiling, int64_t col,
                         int64_t row, double x[6], double y[6]);

/** Neighbours by touching: 8 or 4 of a square, 6 of a hexagon; those that are
 *  listed. */
om_status om_graph_tiling(const struct om_tiling *tiling, enum om_touch touch,
                          struct om_graph *out) OM_MUST_USE;

#endif
