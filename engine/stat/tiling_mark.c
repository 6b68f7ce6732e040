// tiling_mark.c - the cells of a tiling that a polygon meets.
#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/stat/tiling_internal.h"

struct point {
    double x, y;
};

/* Is the segment a-b outside of one side of a convex cell as a whole, or the
 * cell on one side of the segment? Else they meet (separating axes). */
static bool meets(const double *x, const double *y, size_t n, struct point a,
                  struct point b)
{
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        // Clockwise on a map whose y grows southward: inside is on the right.
        const double ex = x[i] - x[j], ey = y[i] - y[j];
        const double of_a = ex * (a.y - y[j]) - ey * (a.x - x[j]);
        const double of_b = ex * (b.y - y[j]) - ey * (b.x - x[j]);
        if (of_a < 0 && of_b < 0) return false;
    }
    size_t left = 0, right = 0;
    for (size_t i = 0; i < n; i++) {
        const double side =
            (b.x - a.x) * (y[i] - a.y) - (b.y - a.y) * (x[i] - a.x);
        left += side > 0;
        right += side < 0;
    }
    return left < n && right < n;
}

static void mark_cell(struct om_tiling *t, int64_t col, int64_t row)
{
    if (col < t->col0 || row < t->row0 || col - t->col0 >= (int64_t)t->cols ||
        row - t->row0 >= (int64_t)t->rows)
        return;
    t->number[(size_t)(row - t->row0) * t->cols + (size_t)(col - t->col0)] = 0;
}

/* Cells that a piece of border no longer than a cell crosses. */
static void mark_piece(struct om_tiling *t, struct point a, struct point b)
{
    int64_t col, row, to_col, to_row;
    om_tiling_cell(t, a.x, a.y, &col, &row);
    om_tiling_cell(t, b.x, b.y, &to_col, &to_row);
    mark_cell(t, col, row);
    mark_cell(t, to_col, to_row);
    if (col == to_col && row == to_row) return;  // cells are convex
    for (int64_t r = row - 1; r <= row + 1; r++)
        for (int64_t c = col - 1; c <= col + 1; c++) {
            double x[6], y[6];
            if (om_tiling_at(t, c, r) != OM_NO_UNIT) continue;
            const size_t n = om_tiling_corners(t, c, r, x, y);
            if (meets(x, y, n, a, b)) mark_cell(t, c, r);
        }
}

static void mark_edge(struct om_tiling *t, struct point a, struct point b)
{
    const double long_ = fmax(fabs(b.x - a.x), fabs(b.y - a.y));
    // Half a cell, so that a piece reaches the next cells at most.
    const double pieces = fmax(ceil(long_ / (t->side / 2)), 1);
    struct point from = a;
    for (double k = 1; k <= pieces; k++) {
        const double u = k / pieces;
        const struct point to =
            k == pieces
                ? b
                : (struct point){a.x + (b.x - a.x) * u, a.y + (b.y - a.y) * u};
        mark_piece(t, from, to);
        from = to;
    }
}

/* Where the border crosses the middle line of a row. */
struct crossing {
    int64_t row;
    double x;
};
struct crossings {
    struct crossing *at;
    size_t count, room;
};

static om_status add_crossing(struct crossings *c, int64_t row, double x)
{
    if (c->count == c->room) {
        const size_t room = c->room ? 2 * c->room : 256;
        struct crossing *more = om_realloc(c->at, room * sizeof *more);
        if (!more) return OM_E_MEMORY;
        c->at = more;
        c->room = room;
    }
    c->at[c->count++] = (struct crossing){row, x};
    return OM_OK;
}

/* Lines between vertices are half open at their lower end, so that a vertex on
 * a line is crossed once or not at all. */
static om_status cross_edge(const struct om_tiling *t, struct point a,
                            struct point b, struct crossings *out)
{
    double x, y0, y1;
    om_tiling_middle(t, 0, 0, &x, &y0);
    om_tiling_middle(t, 0, 1, &x, &y1);
    const double pitch = y1 - y0;
    const double top = fmin(a.y, b.y), bottom = fmax(a.y, b.y);
    for (int64_t row = (int64_t)floor((top - y0) / pitch);; row++) {
        const double y = y0 + (double)row * pitch;
        if (y >= bottom) return OM_OK;
        if (y < top) continue;
        OM_TRY(add_crossing(out, row,
                            a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y)));
    }
}

static int by_row(const void *a, const void *b)
{
    const struct crossing *p = a, *q = b;
    if (p->row != q->row) return p->row < q->row ? -1 : 1;
    return (p->x > q->x) - (p->x < q->x);
}

/* Cells whose middle lies between crossings one and two, three and four ... */
static void fill(struct om_tiling *t, struct crossings *c)
{
    if (c->count) qsort(c->at, c->count, sizeof *c->at, by_row);
    for (size_t i = 0; i + 1 < c->count; i += 2) {
        const int64_t row = c->at[i].row;
        double x, y;
        om_tiling_middle(t, 0, row, &x, &y);
        const double from = ceil((c->at[i].x - x) / t->side);
        for (double col = from; x + col * t->side < c->at[i + 1].x; col++)
            mark_cell(t, (int64_t)col, row);
    }
}

om_status om__tiling_mark(struct om_tiling *t, const struct om_rings *r,
                          size_t shape)
{
    struct crossings crossings = {0};
    om_status st = OM_OK;
    const uint32_t end = r->part_ring[r->shape_part[shape + 1]];
    for (uint32_t ring = r->part_ring[r->shape_part[shape]]; ring < end;
         ring++) {
        const uint32_t from = r->ring_vertex[ring];
        const uint32_t upto = r->ring_vertex[ring + 1];
        for (uint32_t i = from; i < upto && !st; i++) {
            const struct om_pos p = r->vertex[i];
            const struct om_pos q = r->vertex[i + 1 < upto ? i + 1 : from];
            const struct point a = {p.x, p.y}, b = {q.x, q.y};
            mark_edge(t, a, b);
            st = cross_edge(t, a, b, &crossings);
        }
    }
    if (!st) fill(t, &crossings);
    om_free(crossings.at);
    return st;
}
