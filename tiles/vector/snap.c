/* snap.c - onto the coarse grid of a zoom without borders that cross.
 *
 * DESIGN
 * Snap rounding (Hobby 1999; Guibas and Marimont 1998): every vertex goes to
 * the middle of the unit it lies in, and so does every edge that passes
 * through a unit with a vertex. Edges that did not cross before do not cross
 * afterwards; they may touch or coincide, in vertices only, which trace.c
 * makes valid. Units are half open, the tests exact: in integers, whatever the
 * zoom. An edge has the same way in both directions and for all shapes, so
 * what shares a border goes on sharing it.
 *
 * For one shape with few vertices that does not touch itself after plain
 * rounding there is a short way: most buildings.
 */
#include <stdlib.h>
#include <string.h>

#include "tiles/vector/vector_internal.h"

/* Rings up to this many vertices are checked pair by pair. */
#define FEW 12
/* And whose sides leave room in 64 bits for products. */
#define FEW_SIDE (1 << 28)

/* Hot units in square buckets of 2^shift units, row by row. */
struct om__hot {
    unsigned z;
    int64_t west, north;  // of bucket 0
    unsigned shift;
    size_t cols, rows;
    uint32_t *start;  // [cols * rows + 1] into at
    struct om__xy *at;
};

/* ---- does an edge pass through a unit? ---- */

/* num / den at which the edge is somewhere, 0 its start, 1 its end. */
struct moment {
    om__wide num, den;
    bool open;  // just not there
};

static int compare_moments(const struct moment *a, const struct moment *b)
{
    const om__wide left = a->num * b->den, right = b->num * a->den;
    return (left > right) - (left < right);
}

/* Narrow [enter, leave] to where the edge is in [low, high) of one axis. */
static bool narrow(int64_t from, int64_t step, int64_t low, int64_t high,
                   struct moment *enter, struct moment *leave)
{
    if (!step) return low <= from && from < high;
    struct moment in, out;
    if (step > 0) {
        in = (struct moment){low - from, step, false};
        out = (struct moment){high - from, step, true};
    } else {
        in = (struct moment){from - high, -step, true};
        out = (struct moment){from - low, -step, false};
    }
    const int later = compare_moments(&in, enter);
    if (later > 0 || (later == 0 && in.open)) *enter = in;
    const int sooner = compare_moments(&out, leave);
    if (sooner < 0 || (sooner == 0 && out.open)) *leave = out;
    return true;
}

bool om__edge_passes(struct om__xy a, struct om__xy b, struct om__xy low,
                     int64_t side)
{
    // Numbers are below 2^36, their products fit 128 bits by far.
    struct moment enter = {0, 1, false}, leave = {1, 1, false};
    if (!narrow(a.x, b.x - a.x, low.x, low.x + side, &enter, &leave) ||
        !narrow(a.y, b.y - a.y, low.y, low.y + side, &enter, &leave))
        return false;
    const int order = compare_moments(&enter, &leave);
    return order < 0 || (order == 0 && !enter.open && !leave.open);
}

/* ---- hot units ---- */

static struct om__xy corner_of(struct om_pos pos, unsigned z)
{
    return (struct om__xy){om__corner_of(pos.x, z), om__corner_of(pos.y, z)};
}

static size_t bucket_of(const struct om__hot *hot, struct om__xy at)
{
    const size_t col = (size_t)((at.x - hot->west) >> hot->shift);
    const size_t row = (size_t)((at.y - hot->north) >> hot->shift);
    return row * hot->cols + col;
}

static void lay_out(struct om__hot *hot, const struct om_pos *pos, size_t n)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < n; i++)
        om_box_widen(&box,
                     (struct om_box){pos[i].x, pos[i].y, pos[i].x, pos[i].y});
    const struct om__xy low =
        corner_of((struct om_pos){box.x0, box.y0}, hot->z);
    const struct om__xy high =
        corner_of((struct om_pos){box.x1, box.y1}, hot->z);
    hot->west = low.x;
    hot->north = low.y;
    const uint64_t w = (uint64_t)(high.x - low.x),
                   h = (uint64_t)(high.y - low.y);
    // About two to a bucket; a few are one bucket.
    while (((w >> hot->shift) + 1) * ((h >> hot->shift) + 1) > n / 2 + 1 &&
           ((w | h) >> hot->shift) > 0)
        hot->shift++;
    hot->cols = (size_t)(w >> hot->shift) + 1;
    hot->rows = (size_t)(h >> hot->shift) + 1;
}

om_status om__hot_new(const struct om_pos *pos, size_t n, unsigned z,
                      struct om_arena *arena, struct om__hot **out)
{
    struct om__hot *hot = om_arena_calloc(arena, 1, sizeof *hot);
    if (!hot) return OM_E_MEMORY;
    if (n >= UINT32_MAX) return OM_E_LIMIT;
    hot->z = z;
    lay_out(hot, pos, n);
    hot->start =
        om_arena_calloc(arena, hot->cols * hot->rows + 1, sizeof *hot->start);
    hot->at = om_arena_alloc(arena, n * sizeof *hot->at);
    if (!hot->start || !hot->at) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        hot->start[bucket_of(hot, corner_of(pos[i], z)) + 1]++;
    for (size_t i = 0; i < hot->cols * hot->rows; i++)
        hot->start[i + 1] += hot->start[i];
    for (size_t i = n; i-- > 0;) {
        const struct om__xy at = corner_of(pos[i], z);
        // Filled from the back: afterwards start is where it belongs, one on.
        hot->at[--hot->start[bucket_of(hot, at) + 1]] = at;
    }
    memmove(hot->start, hot->start + 1,
            hot->cols * hot->rows * sizeof *hot->start);
    hot->start[hot->cols * hot->rows] = (uint32_t)n;
    *out = hot;
    return OM_OK;
}

/* ---- the way of an edge ---- */

struct way {
    const struct om__hot *hot;
    struct om__xy a, b;    // in positions
    struct om__xy qa, qb;  // in units
    struct om_buf *out;
    size_t first;  // in out
};

static void try_bucket(struct way *w, size_t bucket)
{
    const struct om__hot *hot = w->hot;
    const unsigned s = OM__ZOOM_EXACT - hot->z;
    const int64_t half = INT64_C(1) << (s - 1);
    const int64_t x0 = w->qa.x < w->qb.x ? w->qa.x : w->qb.x;
    const int64_t x1 = w->qa.x < w->qb.x ? w->qb.x : w->qa.x;
    const int64_t y0 = w->qa.y < w->qb.y ? w->qa.y : w->qb.y;
    const int64_t y1 = w->qa.y < w->qb.y ? w->qb.y : w->qa.y;
    for (size_t i = hot->start[bucket]; i < hot->start[bucket + 1]; i++) {
        const struct om__xy q = hot->at[i];
        if (q.x < x0 || q.x > x1 || q.y < y0 || q.y > y1) continue;
        if ((q.x == w->qa.x && q.y == w->qa.y) ||
            (q.x == w->qb.x && q.y == w->qb.y))
            continue;
        const struct om__xy low = {(q.x << s) - half, (q.y << s) - half};
        if (om__edge_passes(w->a, w->b, low, 2 * half))
            om_buf_add(w->out, &q, sizeof q);
    }
}

/* Rows of units that the edge has in columns [x0, x1], widened by rounding. */
static void rows_between(const struct way *w, int64_t x0, int64_t x1,
                         int64_t *y0, int64_t *y1)
{
    const struct om__xy a = w->qa.x <= w->qb.x ? w->qa : w->qb;
    const struct om__xy b = w->qa.x <= w->qb.x ? w->qb : w->qa;
    double from = (double)a.y, to = (double)b.y;
    if (b.x > a.x) {
        const double slope = (double)(b.y - a.y) / (double)(b.x - a.x);
        // Ends are rounded by up to half a unit each: the slope is not exact,
        // but the line stays within a unit and a half of the edge.
        if (x0 - 1 > a.x) from = (double)a.y + slope * (double)(x0 - 1 - a.x);
        if (x1 + 1 < b.x) to = (double)a.y + slope * (double)(x1 + 1 - a.x);
    }
    *y0 = (int64_t)(from < to ? from : to) - 3;
    *y1 = (int64_t)(from < to ? to : from) + 3;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static void try_buckets(struct way *w)
{
    const struct om__hot *hot = w->hot;
    const int64_t x0 = w->qa.x < w->qb.x ? w->qa.x : w->qb.x;
    const int64_t x1 = w->qa.x < w->qb.x ? w->qb.x : w->qa.x;
    const int64_t cols = (int64_t)hot->cols - 1, rows = (int64_t)hot->rows - 1;
    const int64_t c0 = clamp((x0 - hot->west) >> hot->shift, 0, cols);
    const int64_t c1 = clamp((x1 - hot->west) >> hot->shift, 0, cols);
    for (int64_t c = c0; c <= c1; c++) {
        const int64_t first = hot->west + (c << hot->shift);
        int64_t y0, y1;
        rows_between(w, first, first + (INT64_C(1) << hot->shift) - 1, &y0,
                     &y1);
        const int64_t r0 = clamp((y0 - hot->north) >> hot->shift, 0, rows);
        const int64_t r1 = clamp((y1 - hot->north) >> hot->shift, 0, rows);
        for (int64_t r = r0; r <= r1; r++)
            try_bucket(w, (size_t)(r * (cols + 1) + c));
    }
}

void om__way_sort(struct om_buf *way, size_t first, struct om__xy a,
                  struct om__xy b)
{
    struct om__xy *found = (struct om__xy *)(void *)way->bytes + first;
    const size_t n = way->len / sizeof *found - first;
    const int64_t right = (b.x > a.x) - (b.x < a.x);
    const int64_t down = (b.y > a.y) - (b.y < a.y);
    for (size_t i = 1; i < n; i++) {  // few
        const struct om__xy q = found[i];
        size_t k = i;
        for (; k > 0; k--) {
            const struct om__xy p = found[k - 1];
            if ((p.x - q.x) * right + (p.y - q.y) * down <= 0) break;
            found[k] = p;
        }
        found[k] = q;
    }
    size_t kept = n ? 1 : 0;
    for (size_t i = 1; i < n; i++)
        if (found[i].x != found[kept - 1].x || found[i].y != found[kept - 1].y)
            found[kept++] = found[i];
    way->len = (first + kept) * sizeof *found;
}

om_status om__hot_route(const struct om__hot *hot, struct om_pos a,
                        struct om_pos b, struct om_buf *out)
{
    struct way w = {.hot = hot,
                    .a = {a.x, a.y},
                    .b = {b.x, b.y},
                    .qa = corner_of(a, hot->z),
                    .qb = corner_of(b, hot->z),
                    .out = out,
                    .first = out->len / sizeof(struct om__xy)};
    try_buckets(&w);
    if (!out->status) om__way_sort(out, w.first, w.a, w.b);
    return out->status;
}

/* ---- polygons ---- */

static void add_place(struct om_buf *out, size_t ring_first, struct om__xy at)
{
    const size_t n = out->len / sizeof at;
    const struct om__xy *all = (const struct om__xy *)(const void *)out->bytes;
    if (n > ring_first && all[n - 1].x == at.x && all[n - 1].y == at.y) return;
    om_buf_add(out, &at, sizeof at);
}

static int64_t turn(struct om__xy a, struct om__xy b, struct om__xy c)
{
    return (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
}

static bool between(int64_t v, int64_t a, int64_t b)
{
    return a < b ? a <= v && v <= b : b <= v && v <= a;
}

static bool edges_meet(struct om__xy a, struct om__xy b, struct om__xy c,
                       struct om__xy d)
{
    const int64_t abc = turn(a, b, c), abd = turn(a, b, d);
    const int64_t cda = turn(c, d, a), cdb = turn(c, d, b);
    if (((abc > 0) != (abd > 0)) && abc && abd && ((cda > 0) != (cdb > 0)) &&
        cda && cdb)
        return true;
    return (!abc && between(c.x, a.x, b.x) && between(c.y, a.y, b.y)) ||
           (!abd && between(d.x, a.x, b.x) && between(d.y, a.y, b.y)) ||
           (!cda && between(a.x, c.x, d.x) && between(a.y, c.y, d.y)) ||
           (!cdb && between(b.x, c.x, d.x) && between(b.y, c.y, d.y));
}

/* Is it a simple clockwise ring as it stands? */
static bool plainly_simple(const struct om__xy *at, size_t n)
{
    int64_t area2 = 0;
    bool convex = true;
    if (n < 3) return false;
    for (size_t i = 0; i < n; i++) {
        const struct om__xy a = at[i], b = at[(i + 1) % n], c = at[(i + 2) % n];
        area2 += turn(at[0], a, b);
        const int64_t t = turn(a, b, c);
        convex &= t > 0;
        if (!t && (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y) < 0)
            return false;  // straight back
    }
    if (area2 <= 0) return false;
    if (convex && n <= 4) return true;
    for (size_t i = 0; i + 2 < n; i++)
        for (size_t k = i + 2; k < n; k++) {
            if (i == 0 && k == n - 1) continue;
            if (edges_meet(at[i], at[i + 1], at[k], at[(k + 1) % n]))
                return false;
        }
    return true;
}

/* The short way: one ring of few vertices. */
static bool snap_few(const struct om_pos *pos, size_t n, unsigned z,
                     struct om_arena *arena, struct om__rings *out)
{
    struct om__xy at[FEW];
    size_t kept = 0;
    const struct om__xy first = corner_of(pos[0], z);
    for (size_t i = 0; i < n; i++) {
        const struct om__xy q = corner_of(pos[i], z);
        if (llabs(q.x - first.x) > FEW_SIDE || llabs(q.y - first.y) > FEW_SIDE)
            return false;
        if (kept && at[kept - 1].x == q.x && at[kept - 1].y == q.y) continue;
        at[kept++] = q;
    }
    while (kept > 1 && at[kept - 1].x == at[0].x && at[kept - 1].y == at[0].y)
        kept--;
    if (kept < 3) {
        *out = (struct om__rings){0};
        return true;
    }
    if (!plainly_simple(at, kept)) return false;
    struct om__xy *copy =
        om_arena_alloc(arena, kept * sizeof *copy + sizeof(uint32_t));
    if (!copy) return false;
    memcpy(copy, at, kept * sizeof *copy);
    uint32_t *end = (uint32_t *)(void *)(copy + kept);
    *end = (uint32_t)kept;
    *out = (struct om__rings){copy, end, 1, kept};
    return true;
}

/* At zooms whose units are positions or parts of them nothing moves. */
static om_status take_over(const struct om_pos *pos, const uint32_t *end,
                           size_t rings, unsigned z, struct om_arena *arena,
                           struct om__rings *out)
{
    const size_t n = end[rings - 1];
    *out = (struct om__rings){
        .at = om_arena_alloc(arena, n * sizeof *out->at),
        .end = om_arena_alloc(arena, rings * sizeof *out->end),
        .rings = rings,
        .places = n};
    if (!out->at || !out->end) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) out->at[i] = corner_of(pos[i], z);
    memcpy(out->end, end, rings * sizeof *end);
    return OM_OK;
}

static om_status snap_ring(const struct om_pos *pos, size_t n,
                           const struct om__hot *hot, struct om_buf *out)
{
    const size_t first = out->len / sizeof(struct om__xy);
    for (size_t i = 0; i < n; i++) {
        const struct om_pos a = pos[i], b = pos[i + 1 < n ? i + 1 : 0];
        add_place(out, first, corner_of(a, hot->z));
        OM_TRY(om__hot_route(hot, a, b, out));
    }
    const struct om__xy *at = (const struct om__xy *)(const void *)out->bytes;
    size_t end = out->len / sizeof *at;
    while (end > first + 1 && at[end - 1].x == at[first].x &&
           at[end - 1].y == at[first].y)
        end--;
    out->len = end * sizeof *at;
    return out->status;
}

om_status om__polygon_snap(const struct om_pos *pos, const uint32_t *end,
                           size_t rings, unsigned z, const struct om__hot *hot,
                           struct om_arena *arena, struct om__rings *out)
{
    *out = (struct om__rings){0};
    if (!rings || !end[rings - 1]) return OM_OK;
    if (z >= OM__ZOOM_EXACT) return take_over(pos, end, rings, z, arena, out);
    if (!hot && rings == 1 && end[0] <= FEW &&
        snap_few(pos, end[0], z, arena, out))
        return OM_OK;
    struct om__hot *own = NULL;
    if (!hot) {
        OM_TRY(om__hot_new(pos, end[rings - 1], z, arena, &own));
        hot = own;
    }
    struct om_buf places = {0};
    struct om__rings snapped = {
        .end = om_arena_alloc(arena, rings * sizeof *snapped.end)};
    om_status st = snapped.end ? OM_OK : OM_E_MEMORY;
    for (size_t r = 0, from = 0; !st && r < rings; from = end[r++]) {
        st = snap_ring(pos + from, end[r] - from, hot, &places);
        snapped.end[snapped.rings++] =
            (uint32_t)(places.len / sizeof(struct om__xy));
    }
    if (!st) {
        snapped.places = places.len / sizeof(struct om__xy);
        snapped.at = om_arena_alloc(arena, places.len ? places.len : 1);
        if (snapped.at)
            memcpy(snapped.at, places.bytes, places.len);
        else
            st = OM_E_MEMORY;
    }
    om_buf_deinit(&places);
    return st ? st : om__rings_trace(&snapped, arena, out);
}
