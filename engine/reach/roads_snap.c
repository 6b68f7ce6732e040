/* roads_snap.c - from places onto the network.
 *
 * DESIGN
 * Squares of the map around a place are searched ring by ring until no
 * further one can hold a nearer edge. On the plane through the place metres
 * per cell are those of its latitude; what is found is then measured as a
 * geodesic. Only where the straight way meets water are all edges within reach
 * listed, sorted and tried in turn.
 */
#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/query/ground_internal.h"
#include "engine/reach/roads_internal.h"

#define GRAIN 2048

/* A place looking for its edge. */
struct looking {
    const struct om_roads *roads;
    struct om_circle circle;  // only its middle is used
    double x_m, y_m;          // metres per cell there
    double reach_m2;
};
struct found {
    double m2, t;
    uint32_t edge;
};

/* Squared distance on the plane to an edge, and where on it. */
static struct found to_edge(const struct looking *l, uint32_t edge)
{
    const struct om__stretch s = l->roads->line[edge];
    const struct om_pos p = l->circle.pos;
    const double ax = ((double)s.a.x - p.x) * l->x_m;
    const double ay = ((double)s.a.y - p.y) * l->y_m;
    const double ex = ((double)s.b.x - s.a.x) * l->x_m;
    const double ey = ((double)s.b.y - s.a.y) * l->y_m;
    const double t =
        fmin(fmax(-(ax * ex + ay * ey) / (ex * ex + ey * ey), 0.0), 1.0);
    const double dx = ax + t * ex, dy = ay + t * ey;
    return (struct found){dx * dx + dy * dy, t, edge};
}

static bool nearer(struct found a, struct found b)
{
    return a.m2 < b.m2 || (a.m2 == b.m2 && a.edge < b.edge);
}

static void search_square(const struct looking *l, int64_t col, int64_t row,
                          struct found *best)
{
    const struct om__buckets *b = &l->roads->net;
    if (col < 0 || row < 0 || col >= b->cols || row >= b->rows) return;
    const size_t square = (size_t)row * b->cols + (size_t)col;
    for (uint32_t i = b->start[square]; i < b->start[square + 1]; i++) {
        const struct found f = to_edge(l, b->item[i]);
        if (nearer(f, *best)) *best = f;
    }
}

/* Metres from the place to the nearest square outside ring `ring`. */
static double beyond_m(const struct looking *l, int64_t ring)
{
    const double side = (double)(UINT64_C(1) << l->roads->net.shift);
    const double x = fmod(l->circle.pos.x, side),
                 y = fmod(l->circle.pos.y, side);
    const double inset_x = fmin(x, side - x), inset_y = fmin(y, side - y);
    return fmin((inset_x + (double)ring * side) * l->x_m,
                (inset_y + (double)ring * side) * l->y_m);
}

static struct found search(const struct looking *l)
{
    const struct om__buckets *b = &l->roads->net;
    const int64_t col = (int64_t)(l->circle.pos.x >> b->shift) - b->col0;
    const int64_t row = (int64_t)(l->circle.pos.y >> b->shift) - b->row0;
    struct found best = {l->reach_m2, 0, OM_NO_EDGE};
    search_square(l, col, row, &best);
    for (int64_t ring = 1;; ring++) {
        const double m = beyond_m(l, ring - 1);
        if (m * m > best.m2) return best;
        for (int64_t c = col - ring; c <= col + ring; c++) {
            search_square(l, c, row - ring, &best);
            search_square(l, c, row + ring, &best);
        }
        for (int64_t r = row - ring + 1; r < row + ring; r++) {
            search_square(l, col - ring, r, &best);
            search_square(l, col + ring, r, &best);
        }
    }
}

static void foot_of(const struct looking *l, struct found f, double *x,
                    double *y)
{
    const struct om__stretch s = l->roads->line[f.edge];
    *x = s.a.x + f.t * ((double)s.b.x - s.a.x);
    *y = s.a.y + f.t * ((double)s.b.y - s.a.y);
}

static bool dry(const struct looking *l, struct found f)
{
    double x, y;
    foot_of(l, f, &x, &y);
    return om__dry_between(l->roads, l->circle.pos, x, y);
}

static int by_distance(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return nearer(*x, *y) ? -1 : nearer(*y, *x) ? 1 : 0;
}

/* All edges within reach in turn, until one can be walked to. */
static om_status search_dry(const struct looking *l, struct found *out)
{
    const double reach_m = sqrt(l->reach_m2);
    const double dx = reach_m / l->x_m + 1, dy = reach_m / l->y_m + 1;
    const struct om_pos p = l->circle.pos;
    const struct om_box box = {
        p.x > dx ? p.x - (uint32_t)dx : 0, p.y > dy ? p.y - (uint32_t)dy : 0,
        p.x < UINT32_MAX - dx ? p.x + (uint32_t)dx : UINT32_MAX,
        p.y < UINT32_MAX - dy ? p.y + (uint32_t)dy : UINT32_MAX};
    const struct om__buckets *b = &l->roads->net;
    const struct om__squares q = om__squares_of(b, box);
    size_t room = 0, n = 0;
    for (int64_t row = q.row; row < q.row_end; row++)
        for (int64_t col = q.col; col < q.col_end; col++) {
            const size_t s = (size_t)row * b->cols + (size_t)col;
            room += b->start[s + 1] - b->start[s];
        }
    struct found *list = om_alloc_array(room + 1, sizeof *list);
    if (!list) return OM_E_MEMORY;
    for (int64_t row = q.row; row < q.row_end; row++)
        for (int64_t col = q.col; col < q.col_end; col++) {
            const size_t s = (size_t)row * b->cols + (size_t)col;
            for (uint32_t i = b->start[s]; i < b->start[s + 1]; i++) {
                const struct found f = to_edge(l, b->item[i]);
                if (f.m2 <= l->reach_m2) list[n++] = f;
            }
        }
    qsort(list, n, sizeof *list, by_distance);
    out->edge = OM_NO_EDGE;
    for (size_t i = 0; i < n && out->edge == OM_NO_EDGE; i++)
        if (dry(l, list[i])) *out = list[i];
    om_free(list);
    return OM_OK;
}

static struct om_snap snap_to(const struct looking *l, struct found f)
{
    if (f.edge == OM_NO_EDGE) return (struct om_snap){OM_NO_EDGE, 0, 0};
    double x, y;
    foot_of(l, f, &x, &y);
    const double m = om__circle_offset_m(&l->circle, x - l->circle.pos.x,
                                         y - l->circle.pos.y);
    const double along = f.t * (double)l->roads->edge[f.edge].ticks;
    return (struct om_snap){f.edge, (uint32_t)llround(m * OM_TICKS_PER_M),
                            (uint64_t)llround(along)};
}

struct snapping {
    const struct om_roads *roads;
    const uint64_t *key;
    double reach_m;
    struct om_snap *out;
};

static om_status snap_one(const struct snapping *s, size_t i)
{
    struct looking l = {.roads = s->roads, .reach_m2 = s->reach_m * s->reach_m};
    OM_TRY(om_circle_init(&l.circle, om_morton_pos(s->key[i]), 0));
    om__circle_scale(&l.circle, 0, &l.x_m, &l.y_m);
    struct found f = search(&l);
    if (f.edge != OM_NO_EDGE && !dry(&l, f)) OM_TRY(search_dry(&l, &f));
    s->out[i] = snap_to(&l, f);
    return OM_OK;
}

static om_status snap_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct snapping *s = ctx;
    for (size_t i = first; i < end; i++) {
        if (i > first && s->key[i] == s->key[i - 1])
            s->out[i] = s->out[i - 1];
        else
            OM_TRY(snap_one(s, i));
    }
    return OM_OK;
}

om_status om_roads_snap(const struct om_roads *roads, const uint64_t *key,
                        size_t count, double reach_m, struct om_snap *out)
{
    if (!(reach_m >= 0 && reach_m <= OM_SNAP_MAX_M)) return OM_E_RANGE;
    if (roads->edges == 0) {
        for (size_t i = 0; i < count; i++)
            out[i] = (struct om_snap){OM_NO_EDGE, 0, 0};
        return OM_OK;
    }
    struct snapping s = {roads, key, reach_m, out};
    return om_parallel(count, GRAIN, snap_range, &s);
}
