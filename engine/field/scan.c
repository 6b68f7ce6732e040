/* scan.c - Epanechnikov's kernel, row by row of places.
 *
 * DESIGN
 * This kernel ends in a kink. No smooth lattice follows it: 14 nodes a
 * bandwidth err by 2.5 % of the peak there, and 56 are needed for 0.7 %. But
 * along a row of places it is a parabola over an interval, so a mass is
 * three coefficients added where the interval begins and taken away where it
 * ends; a sum along the row then gives all places, exactly at their centres
 * (the sweep of Chan et al. (2022), SLAM, turned from places to masses). A mass
 * costs two additions a row that it reaches, however wide the kernel.
 *
 * A fourth lane counts the masses over a place: where there is none, what
 * rounding has left of the coefficients is not looked at.
 */
#include <math.h>

#include "data/base/clones.h"
#include "engine/field/field_internal.h"

/* a + b u + c u^2 in cells from the middle of the row, and how many masses. */
typedef double quad __attribute__((vector_size(32)));

/* Radii are computed for about so many rows, the others lie between. */
#define RADII 1024

struct scan {
    double peak;
    double middle;  // of a row, in cells
    int32_t columns, rows, margin;
    int32_t step;                 // rows from one radius to the next
    double *radius_x, *radius_y;  // by row of the mass, from -margin on
    quad *sum;                    // [rows][columns + 1]
};

/* Parts of a loop with clones have to lie in each of them. */
#define INLINE static inline __attribute__((always_inline))

/* First place whose centre is not before `at`, within [0, n]. */
INLINE int32_t place_from(double at, int32_t n)
{
    at -= 0.5;
    if (!(at > 0.0)) return 0;
    if (!(at < n)) return n;
    const int32_t below = (int32_t)at;
    return below + (below < at);
}

INLINE void add_mass(const struct scan *s, double x, double y, double weight,
                     double rx, double ry)
{
    const double amount = weight * s->peak;
    const double u = x - s->middle, scale = 1.0 / (rx * rx);
    const int32_t first = place_from(y - ry, s->rows);
    const int32_t end = place_from(y + ry, s->rows);
    for (int32_t row = first; row < end; row++) {
        const double dy = (row + 0.5 - y) / ry, left = 1.0 - dy * dy;
        if (!(left > 0.0)) continue;
        const double half = rx * sqrt(left);
        const int32_t from = place_from(x - half, s->columns);
        const int32_t to = place_from(x + half, s->columns);
        if (from >= to) continue;
        const quad add = {amount * (left - u * u * scale),
                          amount * 2.0 * u * scale, -amount * scale, 1.0};
        quad *at = s->sum + (size_t)row * ((size_t)s->columns + 1);
        at[from] += add;
        at[to] -= add;
    }
}

OM_CLONES
static void take(void *ctx, const struct om__batch *b)
{
    const struct scan *s = ctx;
    for (size_t i = 0; i < b->count; i++) {
        const int32_t row = b->row[i] + s->margin;
        const int32_t column = b->column[i] + s->margin;
        if (row < 0 || row >= s->rows + 2 * s->margin || column < 0 ||
            column >= s->columns + 2 * s->margin)
            continue;
        const int32_t k = row / s->step;
        const double part = (double)(row % s->step) / s->step;
        add_mass(s, (double)b->column[i] + (double)b->tx[i],
                 (double)b->row[i] + (double)b->ty[i], (double)b->weight[i],
                 s->radius_x[k] * (1.0 - part) + s->radius_x[k + 1] * part,
                 s->radius_y[k] * (1.0 - part) + s->radius_y[k + 1] * part);
    }
}

static om_status scan_init(struct scan *s, const struct om__field *f,
                           const struct om__block *b)
{
    const double h = f->spec->bandwidth_m;
    double widest = 0.0;
    for (unsigned end = 0; end < 2; end++) {
        const struct om__ground m =
            om__block_cell_m(b, end ? (double)b->rows + 2.0 : -2.0);
        widest = fmax(widest, h / fmin(m.x_m, m.y_m));
    }
    s->peak = f->kernel->peak * 1e6 / (h * h);
    s->middle = (double)b->columns / 2.0;
    s->columns = (int32_t)b->columns;
    s->rows = (int32_t)b->rows;
    s->margin = (int32_t)(1.05 * widest) + 3;
    const size_t around = b->rows + 2 * (size_t)s->margin;
    s->step = (int32_t)(around / RADII) + 1;
    const size_t radii = around / (size_t)s->step + 2;
    s->radius_x = om_arena_alloc(f->arena, radii * sizeof *s->radius_x);
    s->radius_y = om_arena_alloc(f->arena, radii * sizeof *s->radius_y);
    s->sum =
        om_arena_calloc(f->arena, b->rows * (b->columns + 1), sizeof *s->sum);
    if (!s->radius_x || !s->radius_y || !s->sum) return OM_E_MEMORY;
    for (size_t i = 0; i < radii; i++) {
        const struct om__ground m = om__block_cell_m(
            b, (double)i * (double)s->step - (double)s->margin);
        s->radius_x[i] = h / m.x_m;
        s->radius_y[i] = h / m.y_m;
    }
    return OM_OK;
}

om_status om__scan_values(const struct om__field *field,
                          const struct om__block *block, unsigned level,
                          float *out)
{
    struct scan s = {0};
    OM_TRY(scan_init(&s, field, block));
    OM_TRY(om__block_gather(field, block, s.margin, level, take, &s));
    for (size_t row = 0; row < block->rows; row++) {
        const quad *at = s.sum + row * (block->columns + 1);
        quad sum = {0};
        for (size_t column = 0; column < block->columns; column++) {
            sum += at[column];
            const double u = (double)column + 0.5 - s.middle;
            *out++ = sum[3] > 0.5 ? (float)(sum[0] + u * (sum[1] + u * sum[2]))
                                  : 0.0f;
        }
    }
    return OM_OK;
}
