/* tiling.c - squares and hexagons as absolute arithmetic.
 *
 * DESIGN
 * A cell is two whole numbers. Squares are floors of x and y. Hexagons are in
 * rows, odd rows shifted half a cell east (points up, offset coordinates); the
 * one that holds a place is that of the nearest middle, found among the rows
 * on both sides. The area is marked cell by cell: first those that its border
 * crosses, by cutting edges until they are shorter than a cell and testing the
 * few cells around; then, row by row, those whose middle is inside, by the
 * parity of the border's crossings of the middle line. A cell that no border
 * crosses is inside or outside as a whole, so its middle speaks for it.
 */
#include "engine/stat/tiling.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/stat/tiling_internal.h"

#define ROOT3 1.73205080756887729353

void om_tiling_deinit(struct om_tiling *tiling)
{
    om_free(tiling->number);
    om_free(tiling->place);
    *tiling = (struct om_tiling){0};
}

double om_tiling_latitude(struct om_box box)
{
    double lon_deg, lat_deg;
    om_world_to_lonlat(box.x0, ((double)box.y0 + box.y1) / 2, &lon_deg,
                       &lat_deg);
    return round(lat_deg);
}

/* Distance of rows. */
static double pitch(const struct om_tiling *t)
{
    return t->shape == OM_SHAPE_SQUARE ? t->side : t->side * ROOT3 / 2;
}

static bool odd(int64_t row)
{
    return row & 1;
}

void om_tiling_middle(const struct om_tiling *t, int64_t col, int64_t row,
                      double *x, double *y)
{
    const double shift = t->shape == OM_SHAPE_HEXAGON && odd(row) ? 1.0 : 0.5;
    *x = ((double)col + shift) * t->side;
    *y = ((double)row + 0.5) * pitch(t);
}

/* The nearest middle among the row that the place is in and those beside. */
static void hexagon_of(const struct om_tiling *t, double x, double y,
                       int64_t *col, int64_t *row)
{
    const int64_t at = (int64_t)floor(y / pitch(t));
    double least = INFINITY;
    for (int64_t r = at - 1; r <= at + 1; r++) {
        const double shift = odd(r) ? 0.5 : 0.0;
        const int64_t c = (int64_t)floor(x / t->side - shift);
        double mx, my;
        om_tiling_middle(t, c, r, &mx, &my);
        const double d = (x - mx) * (x - mx) + (y - my) * (y - my);
        if (d > least) continue;
        // Equally near ones: the later in rows, then in columns.
        least = d;
        *col = c;
        *row = r;
    }
}

void om_tiling_cell(const struct om_tiling *t, double x, double y, int64_t *col,
                    int64_t *row)
{
    if (t->shape == OM_SHAPE_HEXAGON) {
        hexagon_of(t, x, y, col, row);
        return;
    }
    *col = (int64_t)floor(x / t->side);
    *row = (int64_t)floor(y / t->side);
}

void om_tiling_place(const struct om_tiling *t, size_t i, int64_t *col,
                     int64_t *row)
{
    *col = t->col0 + (int64_t)(t->place[i] % t->cols);
    *row = t->row0 + (int64_t)(t->place[i] / t->cols);
}

size_t om_tiling_corners(const struct om_tiling *t, int64_t col, int64_t row,
                         double x[6], double y[6])
{
    double mx, my;
    om_tiling_middle(t, col, row, &mx, &my);
    const double half = t->side / 2;
    if (t->shape == OM_SHAPE_SQUARE) {
        const double east[] = {-1, 1, 1, -1}, south[] = {-1, -1, 1, 1};
        for (int k = 0; k < 4; k++) {
            x[k] = mx + east[k] * half;
            y[k] = my + south[k] * half;
        }
        return 4;
    }
    // Radius of the corners: side / sqrt(3); those left and right are half as
    // high.
    const double r = t->side / ROOT3;
    const double east[] = {0, 1, 1, 0, -1, -1};
    const double south[] = {-1, -0.5, 0.5, 1, 0.5, -0.5};
    for (int k = 0; k < 6; k++) {
        x[k] = mx + east[k] * half;
        y[k] = my + south[k] * r;
    }
    return 6;
}

/* Shape, size, and the box of all cells that a box of places may touch. */
static om_status begin(enum om_tile_shape shape, double size_m,
                       struct om_box box, struct om_tiling *t)
{
    if (!(size_m >= OM_TILING_SIZE_LEAST_M && size_m <= OM_TILING_SIZE_MOST_M))
        return OM_E_RANGE;
    *t = (struct om_tiling){.shape = shape, .size_m = size_m};
    if (box.x0 > box.x1) return OM_OK;
    t->latitude_deg = om_tiling_latitude(box);
    const double at = t->latitude_deg * OM_RAD_PER_DEG;
    t->side = size_m / (OM_POS_CELL_M * cos(at));
    int64_t col1, row1;
    om_tiling_cell(t, box.x0, box.y0, &t->col0, &t->row0);
    om_tiling_cell(t, (double)box.x1 + 1, (double)box.y1 + 1, &col1, &row1);
    // Hexagons of the rows between may begin earlier or end later.
    t->col0 -= 1;
    t->row0 -= 1;
    t->cols = (size_t)(col1 - t->col0) + 2;
    t->rows = (size_t)(row1 - t->row0) + 2;
    size_t cells;
    if (!om_mul_size(t->cols, t->rows, &cells) || cells > OM_TILING_CELLS_MOST)
        return OM_E_COST;
    t->number = om_alloc_array(cells, sizeof *t->number);
    if (!t->number) return OM_E_MEMORY;
    for (size_t i = 0; i < cells; i++) t->number[i] = OM_NO_UNIT;
    return OM_OK;
}

/* Number the cells that are marked with anything but OM_NO_UNIT. */
static om_status number_cells(struct om_tiling *t)
{
    const size_t cells = t->cols * t->rows;
    for (size_t i = 0; i < cells; i++) t->count += t->number[i] != OM_NO_UNIT;
    t->place = om_alloc_array(t->count + 1, sizeof *t->place);
    if (!t->place) return OM_E_MEMORY;
    uint32_t next = 0;
    for (size_t i = 0; i < cells; i++)
        if (t->number[i] != OM_NO_UNIT) {
            t->place[next] = (uint32_t)i;
            t->number[i] = next++;
        }
    return OM_OK;
}

static om_status end(om_status st, struct om_tiling *t, struct om_tiling *out)
{
    if (!st && t->number) st = number_cells(t);
    if (st)
        om_tiling_deinit(t);
    else
        *out = *t;
    return st;
}

om_status om_tiling_of_units(enum om_tile_shape shape, double size_m,
                             const struct om_units *units,
                             struct om_tiling *out)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < units->count; i++)
        om_box_widen(&box, units->rings.box[units->unit[i].row]);
    *out = (struct om_tiling){0};
    struct om_tiling t = {0};
    om_status st = begin(shape, size_m, box, &t);
    for (size_t i = 0; i < units->count && !st; i++)
        st = om__tiling_mark(&t, &units->rings, units->unit[i].row);
    return end(st, &t, out);
}

om_status om_tiling_of_box(enum om_tile_shape shape, double size_m,
                           struct om_box box, struct om_tiling *out)
{
    *out = (struct om_tiling){0};
    struct om_tiling t = {0};
    om_status st = begin(shape, size_m, box, &t);
    if (!st && box.x0 <= box.x1) {
        struct om_pos corner[4] = {{box.x0, box.y0},
                                   {box.x1, box.y0},
                                   {box.x1, box.y1},
                                   {box.x0, box.y1}};
        const uint32_t one[] = {0, 1}, four[] = {0, 4};
        const struct om_rings rings = {1, one, one, four, corner, &box};
        st = om__tiling_mark(&t, &rings, 0);
    }
    return end(st, &t, out);
}

static size_t neighbours_of(const struct om_tiling *t, enum om_touch touch,
                            size_t i, uint32_t to[8])
{
    int64_t col, row;
    om_tiling_place(t, i, &col, &row);
    const bool hexagon = t->shape == OM_SHAPE_HEXAGON;
    size_t n = 0;
    for (int dr = -1; dr <= 1; dr++)
        for (int dc = -1; dc <= 1; dc++) {
            if (!dr && !dc) continue;
            // Beside a shifted row lie its own column and the next.
            if (hexagon && dr && dc == (odd(row) ? -1 : 1)) continue;
            if (!hexagon && touch == OM_TOUCH_SIDE && dr && dc) continue;
            const uint32_t at = om_tiling_at(t, col + dc, row + dr);
            if (at != OM_NO_UNIT) to[n++] = at;
        }
    return n;
}

om_status om_graph_tiling(const struct om_tiling *tiling, enum om_touch touch,
                          struct om_graph *out)
{
    struct om_graph g = {.count = tiling->count};
    *out = (struct om_graph){0};
    g.first = om_calloc(g.count + 1, sizeof *g.first);
    g.to = om_alloc_array(g.count * 8 + 1, sizeof *g.to);
    if (!g.first || !g.to) {
        om_graph_deinit(&g);
        return OM_E_MEMORY;
    }
    size_t n = 0;
    for (size_t i = 0; i < g.count; i++) {
        uint32_t to[8];
        const size_t k = neighbours_of(tiling, touch, i, to);
        memcpy(g.to + n, to, k * sizeof *to);
        n += k;
        g.first[i + 1] = n;
    }
    *out = g;
    return OM_OK;
}
