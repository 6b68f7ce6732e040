// buckets.c - counted, then filled, row by row of squares.
#include "engine/reach/buckets.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/exact.h"

#define SQUARES_PER_STRETCH 4
#define SQUARES_LEAST 4096

static bool lay_out(struct om__buckets *b, struct om_box box, unsigned shift,
                    size_t count)
{
    for (b->shift = shift; b->shift < 32; b->shift++) {
        b->col0 = box.x0 >> b->shift;
        b->row0 = box.y0 >> b->shift;
        b->cols = (box.x1 >> b->shift) - b->col0 + 1;
        b->rows = (box.y1 >> b->shift) - b->row0 + 1;
        if ((uint64_t)b->cols * b->rows <=
            SQUARES_PER_STRETCH * (uint64_t)count + SQUARES_LEAST)
            return true;
    }
    return false;
}

/* Columns that the stretch passes in one row of squares, rounded outward. */
static void columns_in(const struct om__buckets *b, struct om__stretch s,
                       struct om__squares all, int64_t row, int64_t *first,
                       int64_t *end)
{
    *first = all.col;
    *end = all.col_end;
    if (all.row_end - all.row == 1 || all.col_end - all.col == 1) return;
    const double side = (double)(UINT32_C(1) << b->shift);
    const double top = (double)(b->row0 + row) * side, low = top + side;
    const double dy = (double)s.b.y - s.a.y;
    const double per = ((double)s.b.x - s.a.x) / dy;
    const double x0 = s.a.x + (top - 1 - s.a.y) * per;
    const double x1 = s.a.x + (low + 1 - s.a.y) * per;
    const double west = floor((fmin(x0, x1) - 1) / side) - b->col0;
    const double east = floor((fmax(x0, x1) + 1) / side) - b->col0;
    if (west > (double)*first) *first = (int64_t)west;
    if (east + 1 < (double)*end) *end = (int64_t)east + 1;
}

/* Counts where `at` is NULL, else puts the number of each stretch. */
static void enter(struct om__buckets *b, const struct om__stretch *stretch,
                  size_t count, uint32_t *at)
{
    for (size_t i = 0; i < count; i++) {
        const struct om__squares all =
            om__squares_of(b, om__edge_box(stretch[i].a, stretch[i].b));
        for (int64_t row = all.row; row < all.row_end; row++) {
            int64_t first, end;
            columns_in(b, stretch[i], all, row, &first, &end);
            for (int64_t col = first; col < end; col++) {
                const size_t square = (size_t)row * b->cols + (size_t)col;
                if (at)
                    b->item[at[square]++] = (uint32_t)i;
                else
                    b->start[square + 1]++;
            }
        }
    }
}

om_status om__buckets_make(const struct om__stretch *stretch, size_t count,
                           unsigned shift, struct om__buckets *out)
{
    *out = (struct om__buckets){.shift = shift};
    if (count == 0) return OM_OK;
    if (count >= UINT32_MAX) return OM_E_LIMIT;
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < count; i++)
        om_box_widen(&box, om__edge_box(stretch[i].a, stretch[i].b));
    if (!lay_out(out, box, shift, count)) return OM_E_LIMIT;
    const size_t squares = (size_t)out->cols * out->rows;
    out->start = om_calloc(squares + 1, sizeof *out->start);
    if (!out->start) return OM_E_MEMORY;
    enter(out, stretch, count, NULL);
    uint64_t total = 0;
    for (size_t i = 0; i < squares; i++) {
        total += out->start[i + 1];
        out->start[i + 1] = (uint32_t)total;
    }
    uint32_t *at = om_alloc_array(squares, sizeof *at);
    out->item = total > UINT32_MAX
                    ? NULL
                    : om_alloc_array((size_t)total + 1, sizeof *out->item);
    if (!at || !out->item) {
        om_free(at);
        om__buckets_deinit(out);
        return total > UINT32_MAX ? OM_E_LIMIT : OM_E_MEMORY;
    }
    memcpy(at, out->start, squares * sizeof *at);
    enter(out, stretch, count, at);
    om_free(at);
    return OM_OK;
}

void om__buckets_deinit(struct om__buckets *buckets)
{
    om_free(buckets->start);
    om_free(buckets->item);
    *buckets = (struct om__buckets){0};
}
