/* cover_bound.c - upper bounds of what sites cover, without a way measured.
 *
 * DESIGN
 * No way is shorter than the straight one. Weights are added up on squares of
 * a raster, rows of it cumulatively; a circle around a site is, row by row, a
 * run of squares that holds at least the circle, and its weight two look-ups.
 */
#include <math.h>

#include "data/base/alloc.h"
#include "engine/query/ground.h"
#include "engine/reach/cover_internal.h"

/* Squares along the radius: the circle's rim is overestimated by about one. */
#define RADIUS_SQUARES 16.0
#define SQUARES_MOST (1u << 22)

struct raster {
    struct om_box box;
    unsigned shift;  // squares of 2^shift cells
    uint32_t cols, rows;
    int64_t *before;  // [rows * (cols + 1)] weight west of each square
};

static void lay_out(struct raster *r, double side_cells)
{
    r->shift = 0;
    while (r->shift < 31 && (double)(UINT64_C(2) << r->shift) <= side_cells)
        r->shift++;
    for (;; r->shift++) {
        r->cols = (r->box.x1 >> r->shift) - (r->box.x0 >> r->shift) + 1;
        r->rows = (r->box.y1 >> r->shift) - (r->box.y0 >> r->shift) + 1;
        if ((uint64_t)r->cols * r->rows <= SQUARES_MOST || r->shift == 31)
            return;
    }
}

static int64_t *at(const struct raster *r, uint32_t row, uint32_t col)
{
    return &r->before[(size_t)row * (r->cols + 1u) + col];
}

static om_status fill(struct raster *r, const uint64_t *demand,
                      const int64_t *weight, size_t demands)
{
    r->before = om_calloc((size_t)r->rows * (r->cols + 1u), sizeof *r->before);
    if (!r->before) return OM_E_MEMORY;
    for (size_t i = 0; i < demands; i++) {
        const struct om_pos p = om_morton_pos(demand[i]);
        *at(r, (p.y >> r->shift) - (r->box.y0 >> r->shift),
            (p.x >> r->shift) - (r->box.x0 >> r->shift) + 1) += weight[i];
    }
    for (uint32_t row = 0; row < r->rows; row++)
        for (uint32_t col = 1; col <= r->cols; col++)
            *at(r, row, col) += *at(r, row, col - 1);
    return OM_OK;
}

/* Weight of the columns [west, east] of positions in a row of squares. */
static int64_t run(const struct raster *r, uint32_t row, double west,
                   double east)
{
    const double side = (double)(UINT64_C(1) << r->shift);
    const double col0 = (double)(r->box.x0 >> r->shift);
    const double first = floor(west / side) - col0;
    const double last = floor(east / side) - col0;
    if (last < 0 || first > r->cols - 1.0) return 0;
    const uint32_t from = first > 0 ? (uint32_t)first : 0;
    const uint32_t to = last < r->cols - 1.0 ? (uint32_t)last : r->cols - 1;
    return *at(r, row, to + 1) - *at(r, row, from);
}

static int64_t circle_weight(const struct raster *r, struct om_circle *c)
{
    const double side = (double)(UINT64_C(1) << r->shift);
    const double row0 = (double)(r->box.y0 >> r->shift);
    // Far from the plane, or over the date line: all there is.
    const bool all = c->far || c->box.x0 > c->box.x1;
    int64_t sum = 0;
    for (uint32_t row = 0; row < r->rows; row++) {
        const double top = (row0 + row) * side, low = top + side;
        if (all) {
            sum += *at(r, row, r->cols);
            continue;
        }
        if (low <= c->box.y0 || top > c->box.y1) continue;
        const double y = c->pos.y;
        const double away = (y < top ? top - y : y >= low ? y - low : 0);
        const double dy = fmax(away - 1, 0) * c->y_min_m;
        const double reach = c->radius_m + 1;
        const double dx = sqrt(fmax(reach * reach - dy * dy, 0)) / c->x_min_m;
        sum += run(r, row, c->pos.x - dx - 2, c->pos.x + dx + 2);
    }
    return sum;
}

double om__cover_radius_m(const struct om_travel *t, struct om_nearness near)
{
    const double m = near.minutes ? near.at_most * t->m_per_min : near.at_most;
    if (!t->roads) return m / t->factor;
    // Those who are faster on foot than on the road get farther.
    const double foot = t->m_per_min / t->foot_m_per_min;
    return near.minutes && foot < 1 ? m / foot : m;
}

om_status om__cover_at_most(const struct om_pos *site, size_t sites,
                            const uint64_t *demand, const int64_t *weight,
                            size_t demands, double radius_m, int64_t *at_most)
{
    struct raster r = {.box = OM_BOX_NONE};
    for (size_t s = 0; s < sites; s++) at_most[s] = 0;
    if (demands == 0) return OM_OK;
    for (size_t i = 0; i < demands; i++) {
        const struct om_pos p = om_morton_pos(demand[i]);
        om_box_widen(&r.box, (struct om_box){p.x, p.y, p.x, p.y});
    }
    const double cell_m =
        om_world_ground_m(r.box.y0 + (double)(r.box.y1 - r.box.y0) / 2.0);
    lay_out(&r, fmin(radius_m / RADIUS_SQUARES / cell_m, 1e9));
    om_status st = fill(&r, demand, weight, demands);
    // A permille over all rounding, and of scales that differ.
    const double wide_m = radius_m * 1.0001 + 1.0;
    for (size_t s = 0; s < sites && !st; s++) {
        struct om_circle circle;
        st = om_circle_init(&circle, site[s], wide_m);
        if (!st) at_most[s] = circle_weight(&r, &circle);
    }
    om_free(r.before);
    return st;
}
