/* clip.c - the part of a shape in a tile, on whole units again.
 *
 * DESIGN
 * A polygon is cut by one side of the frame after the other, and each cut
 * leaves a valid polygon on whole units: where an edge crosses the side, the
 * crossing is rounded along it. What runs along the side is split at all places
 * on it, so that trace.c finds what cancels. A crossing depends on its edge
 * alone: shapes that share the edge get the same one.
 *
 * Rounding the crossing turns the edge a little, and where another vertex lies
 * within half a unit of it the two may meet. So edges that were turned are
 * held against all others, and if one meets another, the cut is made again
 * with all edges going through all vertices and crossings whose units they pass
 * (snap rounding, as in snap.c). That is rare, and moves borders by half a
 * unit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tiles/vector/vector_internal.h"

/* A side: keep what is not beyond `bound` on the axis, mirrored or not. Inside
 * this file x is then across the side, growing outward, y along it. */
struct side {
    bool vertical;  // the side is: x is across it
    int64_t sign;
    int64_t bound;  // times sign
};

static struct om__xy to_side(const struct side *s, struct om__xy at)
{
    return s->vertical ? (struct om__xy){s->sign * at.x, at.y}
                       : (struct om__xy){s->sign * at.y, at.x};
}

static struct om__xy from_side(const struct side *s, struct om__xy at)
{
    return s->vertical ? (struct om__xy){s->sign * at.x, at.y}
                       : (struct om__xy){at.y, s->sign * at.x};
}

/* A vertex of a ring that was cut, and the edge of the uncut ring along which
 * it goes on, unless that is the side. */
struct vertex {
    struct om__xy at;
    struct om__xy a, b;
};

struct cut {
    const struct side *side;
    struct om_buf vertices;  // struct vertex, of one ring
    struct om_buf edges;     // struct om__edge
    struct om_buf turned;    // struct om__edge: those that end in a crossing
    struct om_buf way;       // struct om__xy: of one edge
    int64_t *on;             // where places are on the side, sorted, unique
    size_t count;
    const struct om__rings *all;  // edges go by all vertices near them; NULL:
                                  // as they are
};

/* Where the edge crosses the side, to the nearest unit. */
static struct om__xy crossing(struct om__xy a, struct om__xy b, int64_t bound)
{
    // From inside to outside, whichever way the edge goes.
    if (a.x > b.x) {
        const struct om__xy held = a;
        a = b;
        b = held;
    }
    const om__wide num = (om__wide)(b.y - a.y) * (bound - a.x);
    const om__wide den = b.x - a.x;
    om__wide step = 2 * num + den, whole = step / (2 * den);
    if (step % (2 * den) < 0) whole--;
    return (struct om__xy){bound, a.y + (int64_t)whole};
}

static bool same_place(struct om__xy a, struct om__xy b)
{
    return a.x == b.x && a.y == b.y;
}

static bool crosses(struct om__xy a, struct om__xy b, int64_t bound)
{
    return (a.x < bound && b.x > bound) || (a.x > bound && b.x < bound);
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All places on the side. */
static om_status find_on(struct cut *c, const struct om__rings *rings,
                         struct om_arena *arena)
{
    const int64_t bound = c->side->bound;
    c->on = om_arena_alloc(arena, 2 * rings->places * sizeof *c->on);
    if (!c->on) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t r = 0, from = 0; r < rings->rings; from = rings->end[r++])
        for (size_t i = from; i < rings->end[r]; i++) {
            const struct om__xy a = rings->at[i];
            const struct om__xy b =
                rings->at[i + 1 < rings->end[r] ? i + 1 : from];
            if (a.x == bound) c->on[n++] = a.y;
            if (crosses(a, b, bound)) c->on[n++] = crossing(a, b, bound).y;
        }
    if (n) qsort(c->on, n, sizeof *c->on, by_value);
    for (size_t i = 0; i < n; i++)
        if (!i || c->on[i] != c->on[c->count - 1]) c->on[c->count++] = c->on[i];
    return OM_OK;
}

static size_t first_on(const struct cut *c, int64_t y)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (c->on[mid] < y)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void add_edge(struct cut *c, struct om__xy from, struct om__xy to)
{
    const struct om__edge edge = {from_side(c->side, from),
                                  from_side(c->side, to)};
    om_buf_add(&c->edges, &edge, sizeof edge);
}

/* From place to place along the side, by all places on it between them. */
static void run_along(struct cut *c, struct om__xy from, struct om__xy to)
{
    struct om__xy last = from;
    if (from.y < to.y) {
        for (size_t i = first_on(c, from.y + 1);
             i < c->count && c->on[i] <= to.y; i++) {
            const struct om__xy next = {from.x, c->on[i]};
            add_edge(c, last, next);
            last = next;
        }
    } else if (from.y > to.y) {
        for (size_t i = first_on(c, from.y); i-- > 0 && c->on[i] >= to.y;) {
            const struct om__xy next = {from.x, c->on[i]};
            add_edge(c, last, next);
            last = next;
        }
    }
}

/* Does the uncut edge pass through the unit of a place on the side? */
static bool passes(const struct cut *c, const struct vertex *v, int64_t y)
{
    const struct om__xy a = {2 * v->a.x, 2 * v->a.y};
    const struct om__xy b = {2 * v->b.x, 2 * v->b.y};
    const struct om__xy low = {2 * c->side->bound - 1, 2 * y - 1};
    return om__edge_passes(a, b, low, 2);
}

/* The place `n` places beyond `first` on the side. */
static int64_t place_at(const struct cut *c, size_t first, size_t n, bool up)
{
    return c->on[up ? first - n : first + n];
}

/* How many places on the side the edge passes one after the other, leaving the
 * one where it meets the side. */
static size_t count_passed(const struct cut *c, const struct vertex *v,
                           size_t first, bool up)
{
    const size_t most = up ? first : c->count - 1 - first;
    size_t n = 0;
    while (n < most && passes(c, v, place_at(c, first, n + 1, up))) n++;
    return n;
}

/* Places on the side whose units the edge passes through inside. They lie to
 * where the edge goes inward from the side, which the edge itself says and not
 * its rounded end: what it passes outside lies the other way. */
static void find_on_way(struct cut *c, const struct vertex *v, struct om__xy to)
{
    const int64_t bound = c->side->bound;
    const bool starts = v->at.x == bound;
    const int64_t inward = starts ? v->b.y - v->a.y : v->a.y - v->b.y;
    if ((!starts && to.x != bound) || inward == 0) return;
    const bool up = inward < 0;
    const size_t first = first_on(c, starts ? v->at.y : to.y);
    const size_t n = count_passed(c, v, first, up);
    for (size_t i = 0; i < n; i++) {
        const struct om__xy place = {
            bound, place_at(c, first, starts ? i + 1 : n - i, up)};
        om_buf_add(&c->way, &place, sizeof place);
    }
}

/* Vertices inside whose units the edge passes through. */
static void find_near_way(struct cut *c, const struct vertex *v)
{
    const struct om__xy a = {2 * v->a.x, 2 * v->a.y};
    const struct om__xy b = {2 * v->b.x, 2 * v->b.y};
    for (size_t i = 0; i < c->all->places; i++) {
        const struct om__xy p = c->all->at[i];
        if (p.x >= c->side->bound || same_place(p, v->a) || same_place(p, v->b))
            continue;
        const struct om__xy low = {2 * p.x - 1, 2 * p.y - 1};
        if (om__edge_passes(a, b, low, 2)) om_buf_add(&c->way, &p, sizeof p);
    }
    om__way_sort(&c->way, 0, v->a, v->b);
}

static bool is_vertex(const struct vertex *v, struct om__xy at)
{
    return same_place(at, v->a) || same_place(at, v->b);
}

/* From one vertex to the next along the edge that was there. */
static void run_across(struct cut *c, const struct vertex *v, struct om__xy to)
{
    c->way.len = 0;
    if (c->all) {
        find_on_way(c, v, to);
        find_near_way(c, v);
    }
    const struct om__xy *way = (const void *)c->way.bytes;
    const size_t n = c->way.len / sizeof *way;
    const bool turned = n || !is_vertex(v, v->at) || !is_vertex(v, to);
    struct om__xy last = v->at;
    for (size_t i = 0; i <= n; i++) {
        const struct om__xy next = i < n ? way[i] : to;
        if (same_place(last, next)) continue;
        add_edge(c, last, next);
        if (turned) {
            const struct om__edge edge = {from_side(c->side, last),
                                          from_side(c->side, next)};
            om_buf_add(&c->turned, &edge, sizeof edge);
        }
        last = next;
    }
}

static void add_vertex(struct cut *c, struct om__xy at, struct om__xy a,
                       struct om__xy b)
{
    const struct vertex v = {at, a, b};
    om_buf_add(&c->vertices, &v, sizeof v);
}

static om_status cut_ring(struct cut *c, const struct om__xy *at, size_t n)
{
    const int64_t bound = c->side->bound;
    c->vertices.len = 0;
    for (size_t i = 0; i < n; i++) {
        const struct om__xy a = at[i], b = at[i + 1 < n ? i + 1 : 0];
        if (a.x <= bound) add_vertex(c, a, a, b);
        if (crosses(a, b, bound)) add_vertex(c, crossing(a, b, bound), a, b);
    }
    OM_TRY(c->vertices.status);
    const struct vertex *v = (const void *)c->vertices.bytes;
    const size_t kept = c->vertices.len / sizeof *v;
    for (size_t i = 0; i < kept; i++) {
        const struct om__xy to = v[i + 1 < kept ? i + 1 : 0].at;
        if (v[i].at.x == bound && to.x == bound)
            run_along(c, v[i].at, to);
        else
            run_across(c, &v[i], to);
    }
    return c->edges.status;
}

/* ---- edges that meet where they should not ---- */

static int turn(struct om__xy a, struct om__xy b, struct om__xy c)
{
    const om__wide t = (om__wide)(b.x - a.x) * (c.y - a.y) -
                       (om__wide)(c.x - a.x) * (b.y - a.y);
    return (t > 0) - (t < 0);
}

static bool apart(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (a < b ? b : a) < (c < d ? c : d) ||
           (c < d ? d : c) < (a < b ? a : b);
}

/* Does the place lie on the edge, given that it is in line with it? */
static bool within(const struct om__edge *e, struct om__xy p)
{
    return !apart(e->from.x, e->to.x, p.x, p.x) &&
           !apart(e->from.y, e->to.y, p.y, p.y);
}

static bool has_end(const struct om__edge *e, struct om__xy p)
{
    return same_place(e->from, p) || same_place(e->to, p);
}

/* Do two edges meet but in ends that they share? What is the same edge, in
 * whatever direction, does not: it cancels. */
static bool clash(const struct om__edge *e, const struct om__edge *f)
{
    if (apart(e->from.x, e->to.x, f->from.x, f->to.x) ||
        apart(e->from.y, e->to.y, f->from.y, f->to.y) ||
        (has_end(e, f->from) && has_end(e, f->to)))
        return false;
    const int a = turn(e->from, e->to, f->from),
              b = turn(e->from, e->to, f->to);
    const int c = turn(f->from, f->to, e->from),
              d = turn(f->from, f->to, e->to);
    if (a * b < 0 && c * d < 0) return true;
    return (!a && within(e, f->from) && !has_end(e, f->from)) ||
           (!b && within(e, f->to) && !has_end(e, f->to)) ||
           (!c && within(f, e->from) && !has_end(f, e->from)) ||
           (!d && within(f, e->to) && !has_end(f, e->to));
}

static bool any_clash(const struct cut *c)
{
    const struct om__edge *turned = (const void *)c->turned.bytes;
    const struct om__edge *edge = (const void *)c->edges.bytes;
    for (size_t i = 0; i < c->turned.len / sizeof *turned; i++)
        for (size_t k = 0; k < c->edges.len / sizeof *edge; k++)
            if (clash(&turned[i], &edge[k])) return true;
    return false;
}

/* ---- one cut ---- */

static om_status cut_rings(struct cut *c, const struct om__rings *rings)
{
    om_buf_clear(&c->edges);
    om_buf_clear(&c->turned);
    for (size_t r = 0, from = 0; r < rings->rings; from = rings->end[r++])
        OM_TRY(cut_ring(c, rings->at + from, rings->end[r] - from));
    return c->turned.status ? c->turned.status : c->way.status;
}

static om_status cut_off(const struct om__rings *rings, const struct side *side,
                         struct om_arena *arena, struct om__rings *out)
{
    struct cut c = {.side = side};
    struct om__rings turned = *rings;
    turned.at = om_arena_alloc(arena, rings->places * sizeof *turned.at);
    if (!turned.at) return OM_E_MEMORY;
    for (size_t i = 0; i < rings->places; i++)
        turned.at[i] = to_side(side, rings->at[i]);
    om_status st = find_on(&c, &turned, arena);
    if (!st) st = cut_rings(&c, &turned);
    if (!st && any_clash(&c)) {
        c.all = &turned;
        st = cut_rings(&c, &turned);
    }
    if (!st)
        st = om__edges_trace((struct om__edge *)(void *)c.edges.bytes,
                             c.edges.len / sizeof(struct om__edge), arena, out);
    om_buf_deinit(&c.vertices);
    om_buf_deinit(&c.edges);
    om_buf_deinit(&c.turned);
    om_buf_deinit(&c.way);
    return st;
}

static struct om__frame box_of(const struct om__rings *rings)
{
    struct om__frame b = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    for (size_t i = 0; i < rings->places; i++) {
        const struct om__xy at = rings->at[i];
        if (at.x < b.west) b.west = at.x;
        if (at.x > b.east) b.east = at.x;
        if (at.y < b.north) b.north = at.y;
        if (at.y > b.south) b.south = at.y;
    }
    return b;
}

om_status om__polygon_clip(const struct om__rings *rings,
                           const struct om__frame *frame,
                           struct om_arena *arena, struct om__rings *out)
{
    const struct om__frame b = box_of(rings);
    const struct {
        bool needed, none;
        struct side side;
    } cut[] = {
        {b.west < frame->west, b.east < frame->west, {true, -1, -frame->west}},
        {b.east > frame->east, b.west > frame->east, {true, 1, frame->east}},
        {b.north < frame->north,
         b.south < frame->north,
         {false, -1, -frame->north}},
        {b.south > frame->south,
         b.north > frame->south,
         {false, 1, frame->south}},
    };
    *out = *rings;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        if (cut[i].none) *out = (struct om__rings){0};
    for (size_t i = 0; i < sizeof cut / sizeof *cut && out->rings; i++) {
        if (!cut[i].needed) continue;
        const struct om__rings whole = *out;
        OM_TRY(cut_off(&whole, &cut[i].side, arena, out));
    }
    return OM_OK;
}

/* ---- lines ---- */

/* Narrow [*enter, *leave] to where low <= from + t * step <= high. */
static bool narrow(double from, double step, double low, double high,
                   double *enter, double *leave)
{
    if (step == 0.0) return low <= from && from <= high;
    const double a = (low - from) / step, b = (high - from) / step;
    *enter = fmax(*enter, fmin(a, b));
    *leave = fmin(*leave, fmax(a, b));
    return *enter <= *leave;
}

struct line_clip {
    const struct om__frame *frame;
    struct om__rings *out;
    size_t first;  // place of the run under construction
};

static void end_run(struct line_clip *c)
{
    struct om__rings *out = c->out;
    if (out->places - c->first < 2)
        out->places = c->first;
    else
        out->end[out->rings++] = (uint32_t)out->places;
    c->first = out->places;
}

static void add_place(struct line_clip *c, struct om__xy at)
{
    struct om__rings *out = c->out;
    if (out->places > c->first) {
        const struct om__xy last = out->at[out->places - 1];
        if (last.x == at.x && last.y == at.y) return;
    }
    out->at[out->places++] = at;
}

static void clip_edge(struct line_clip *c, struct om__xy a, struct om__xy b)
{
    const struct om__frame *f = c->frame;
    const double dx = (double)(b.x - a.x), dy = (double)(b.y - a.y);
    double enter = 0.0, leave = 1.0;
    if (!narrow((double)a.x, dx, (double)f->west, (double)f->east, &enter,
                &leave) ||
        !narrow((double)a.y, dy, (double)f->north, (double)f->south, &enter,
                &leave)) {
        end_run(c);
        return;
    }
    if (enter > 0.0) {
        end_run(c);
        add_place(c, (struct om__xy){a.x + llround(enter * dx),
                                     a.y + llround(enter * dy)});
    } else {
        add_place(c, a);
    }
    if (leave < 1.0) {
        add_place(c, (struct om__xy){a.x + llround(leave * dx),
                                     a.y + llround(leave * dy)});
        end_run(c);
    } else {
        add_place(c, b);
    }
}

om_status om__lines_clip(const struct om__rings *lines,
                         const struct om__frame *frame, struct om_arena *arena,
                         struct om__rings *out)
{
    *out = (struct om__rings){0};
    if (!lines->places) return OM_OK;
    // An edge gives two places and one run at most.
    out->at = om_arena_alloc(arena, 2 * lines->places * sizeof *out->at);
    out->end = om_arena_alloc(arena, lines->places * sizeof *out->end);
    if (!out->at || !out->end) return OM_E_MEMORY;
    struct line_clip c = {.frame = frame, .out = out};
    for (size_t r = 0, from = 0; r < lines->rings; from = lines->end[r++]) {
        for (size_t i = from; i + 1 < lines->end[r]; i++)
            clip_edge(&c, lines->at[i], lines->at[i + 1]);
        end_run(&c);
    }
    return OM_OK;
}
