/* trace.c - from directed edges to valid polygons.
 *
 * DESIGN
 * What rounding, simplifying and clipping leave behind are borders that touch
 * or fold onto themselves, but never cross. So three steps make them valid:
 *   1. edges that come in both directions are no border: they cancel;
 *   2. from each edge we go on along the first edge counterclockwise of where
 *      we came from, which is the other side of the same piece of inside: a
 *      place where two pieces only touch separates them;
 *   3. a walk that comes through a place twice is cut there: what is cut off
 *      is a hole that touches the border.
 * Rings that are left are simple and meet in single places. Their direction
 * says which are holes.
 */
#include <stdlib.h>
#include <string.h>

#include "tiles/vector/vector_internal.h"

#define NONE UINT32_MAX

om__wide om__ring_area2(const struct om__xy *at, size_t n)
{
    om__wide sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct om__xy a = at[i], b = at[i + 1 < n ? i + 1 : 0];
        sum += (om__wide)(a.x - at[0].x) * (b.y - at[0].y) -
               (om__wide)(b.x - at[0].x) * (a.y - at[0].y);
    }
    return sum;
}

static int compare_places(struct om__xy a, struct om__xy b)
{
    if (a.x != b.x) return a.x < b.x ? -1 : 1;
    if (a.y != b.y) return a.y < b.y ? -1 : 1;
    return 0;
}

/* ---- 1. cancelling ---- */

static bool backward(const struct om__edge *e)
{
    return compare_places(e->to, e->from) < 0;
}

/* By its ends whatever the direction. */
static int by_ends(const void *a, const void *b)
{
    const struct om__edge *e = a, *f = b;
    const bool be = backward(e), bf = backward(f);
    const int first =
        compare_places(be ? e->to : e->from, bf ? f->to : f->from);
    if (first) return first;
    return compare_places(be ? e->from : e->to, bf ? f->from : f->to);
}

static int by_start(const void *a, const void *b)
{
    const struct om__edge *e = a, *f = b;
    const int first = compare_places(e->from, f->from);
    return first ? first : compare_places(e->to, f->to);
}

static size_t cancel(struct om__edge *edge, size_t n)
{
    size_t kept = 0;
    qsort(edge, n, sizeof *edge, by_ends);
    for (size_t i = 0, end; i < n; i = end) {
        int net = 0;
        size_t one[2] = {0, 0};
        for (end = i; end < n && !by_ends(&edge[i], &edge[end]); end++) {
            net += backward(&edge[end]) ? -1 : 1;
            one[backward(&edge[end])] = end;
        }
        if (net && compare_places(edge[i].from, edge[i].to))
            edge[kept++] = edge[one[net < 0]];
    }
    return kept;
}

/* ---- 2. walking ---- */

static om__wide cross(struct om__xy a, struct om__xy b)
{
    return (om__wide)a.x * b.y - (om__wide)a.y * b.x;
}

static struct om__xy minus(struct om__xy a, struct om__xy b)
{
    return (struct om__xy){a.x - b.x, a.y - b.y};
}

/* In which half turn counterclockwise of `back` is `d`: the first, straight
 * on, the second; back itself is the very last. */
static int half_turn(struct om__xy back, struct om__xy d)
{
    const om__wide c = cross(d, back);
    if (c) return c > 0 ? 0 : 2;
    const om__wide along = (om__wide)back.x * d.x + (om__wide)back.y * d.y;
    return along < 0 ? 1 : 3;
}

/* Is `d` met before `e` when turning counterclockwise from `back`? */
static bool met_before(struct om__xy back, struct om__xy d, struct om__xy e)
{
    const int hd = half_turn(back, d), he = half_turn(back, e);
    if (hd != he) return hd < he;
    return cross(e, d) > 0;
}

/* First edge that starts at a place; edges sorted by start. */
static size_t first_from(const struct om__edge *edge, size_t n,
                         struct om__xy at)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (compare_places(edge[mid].from, at) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The edge that goes on behind `e`; NONE where the border is open, which
 * clipped and noded edges never are. */
static uint32_t next_edge(const struct om__edge *edge, size_t n,
                          const bool *used, size_t e)
{
    const struct om__xy at = edge[e].to, back = minus(edge[e].from, at);
    uint32_t best = NONE;
    for (size_t i = first_from(edge, n, at);
         i < n && !compare_places(edge[i].from, at); i++) {
        if (used[i]) continue;
        if (best == NONE ||
            met_before(back, minus(edge[i].to, at), minus(edge[best].to, at)))
            best = (uint32_t)i;
    }
    return best;
}

/* ---- 3. rings ---- */

struct ring {
    size_t first, n;  // in `at`
    om__wide area2;
    uint32_t outer;  // of a hole: the ring it lies in
};
struct tracer {
    const struct om__edge *edge;  // sorted by start
    size_t edges;
    bool *used;
    uint32_t *start;    // of each edge: number of its first place
    uint32_t *depth;    // of each place: where on the stack, NONE: not
    uint32_t *stack;    // places of the walk, as edges that start there
    struct om__xy *at;  // of the rings
    size_t places;
    struct ring *ring;
    size_t rings;
};

/* What lies on the stack from `from` on becomes a ring. */
static void cut_off(struct tracer *t, size_t from, size_t to)
{
    struct ring *r = &t->ring[t->rings];
    *r = (struct ring){.first = t->places, .n = to - from, .outer = NONE};
    for (size_t i = from; i < to; i++) {
        t->at[t->places + i - from] = t->edge[t->stack[i]].from;
        t->depth[t->start[t->stack[i]]] = NONE;
    }
    r->area2 = om__ring_area2(t->at + r->first, r->n);
    if (r->n < 3 || !r->area2) return;
    t->places += r->n;
    t->rings++;
}

static void walk(struct tracer *t, size_t e)
{
    size_t depth = 0;
    while (e != NONE) {
        t->used[e] = true;
        const uint32_t place = t->start[e];
        if (t->depth[place] != NONE) {
            const size_t from = t->depth[place];
            cut_off(t, from, depth);
            depth = from;
        }
        t->depth[place] = (uint32_t)depth;
        t->stack[depth++] = (uint32_t)e;
        const uint32_t next = next_edge(t->edge, t->edges, t->used, e);
        if (next == NONE) break;
        e = next;
    }
    // The walk has come back to where it began: the rest is a ring.
    if (depth && !compare_places(t->edge[t->stack[depth - 1]].to,
                                 t->edge[t->stack[0]].from)) {
        cut_off(t, 0, depth);
    } else {
        for (size_t i = 0; i < depth; i++)
            t->depth[t->start[t->stack[i]]] = NONE;
    }
}

/* Is the middle of a hole's edge inside a ring? Edges do not meet but in
 * places, so that it is not on one; in halves of units. */
static bool holds(const struct tracer *t, const struct ring *outer,
                  const struct ring *hole)
{
    const struct om__xy *h = t->at + hole->first, *r = t->at + outer->first;
    const struct om__xy p = {h[0].x + h[1].x, h[0].y + h[1].y};
    bool inside = false;
    for (size_t i = 0, k = outer->n - 1; i < outer->n; k = i++) {
        const struct om__xy a = {2 * r[i].x, 2 * r[i].y};
        const struct om__xy b = {2 * r[k].x, 2 * r[k].y};
        if ((a.y > p.y) == (b.y > p.y)) continue;
        const om__wide side = (om__wide)(b.x - a.x) * (p.y - a.y) -
                              (om__wide)(p.x - a.x) * (b.y - a.y);
        if ((side > 0) == (b.y > a.y)) inside = !inside;
    }
    return inside;
}

static void find_outers(struct tracer *t)
{
    size_t outers = 0, only = 0;
    for (size_t i = 0; i < t->rings; i++)
        if (t->ring[i].area2 > 0) {
            outers++;
            only = i;
        }
    for (size_t i = 0; i < t->rings; i++) {
        struct ring *hole = &t->ring[i];
        if (hole->area2 > 0) continue;
        if (outers == 1) hole->outer = (uint32_t)only;
        for (size_t k = 0; outers > 1 && k < t->rings; k++) {
            const struct ring *o = &t->ring[k];
            if (o->area2 <= 0 || o->area2 < -hole->area2) continue;
            if (hole->outer != NONE && t->ring[hole->outer].area2 < o->area2)
                continue;
            if (holds(t, o, hole)) hole->outer = (uint32_t)k;
        }
    }
}

static void copy_ring(const struct tracer *t, const struct ring *r,
                      struct om__rings *out)
{
    memcpy(out->at + out->places, t->at + r->first, r->n * sizeof *out->at);
    out->places += r->n;
    out->end[out->rings++] = (uint32_t)out->places;
}

static om_status arrange(struct tracer *t, struct om_arena *arena,
                         struct om__rings *out)
{
    if (!t->rings) return OM_OK;
    find_outers(t);
    *out = (struct om__rings){
        .at = om_arena_alloc(arena, t->places * sizeof *out->at),
        .end = om_arena_alloc(arena, t->rings * sizeof *out->end)};
    if (!out->at || !out->end) return OM_E_MEMORY;
    for (size_t i = 0; i < t->rings; i++) {
        if (t->ring[i].area2 <= 0) continue;
        copy_ring(t, &t->ring[i], out);
        for (size_t k = 0; k < t->rings; k++)
            if (t->ring[k].outer == i) copy_ring(t, &t->ring[k], out);
    }
    return OM_OK;
}

om_status om__edges_trace(struct om__edge *edge, size_t n,
                          struct om_arena *arena, struct om__rings *out)
{
    *out = (struct om__rings){0};
    if (n) n = cancel(edge, n);
    if (n < 3) return OM_OK;
    if (n >= NONE) return OM_E_LIMIT;
    qsort(edge, n, sizeof *edge, by_start);
    struct tracer t = {
        .edge = edge,
        .edges = n,
        .used = om_arena_calloc(arena, n, sizeof *t.used),
        .start = om_arena_alloc(arena, n * sizeof *t.start),
        .depth = om_arena_alloc(arena, n * sizeof *t.depth),
        .stack = om_arena_alloc(arena, n * sizeof *t.stack),
        .at = om_arena_alloc(arena, n * sizeof *t.at),
        .ring = om_arena_alloc(arena, (n / 3 + 2) * sizeof *t.ring),
    };
    if (!t.used || !t.start || !t.depth || !t.stack || !t.at || !t.ring)
        return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const bool same = i && !compare_places(edge[i].from, edge[i - 1].from);
        t.start[i] = same ? t.start[i - 1] : (uint32_t)i;
        t.depth[i] = NONE;
    }
    for (size_t i = 0; i < n; i++)
        if (!t.used[i]) walk(&t, i);
    return arrange(&t, arena, out);
}

/* ---- rings that may be good already ---- */

static int by_place(const void *a, const void *b)
{
    return compare_places(*(const struct om__xy *)a, *(const struct om__xy *)b);
}

/* Does no place come twice? Small rings are compared by pairs. */
static bool all_distinct(const struct om__xy *at, size_t n, struct om__xy *room)
{
    if (n <= 16) {
        for (size_t i = 1; i < n; i++)
            for (size_t k = 0; k < i; k++)
                if (at[i].x == at[k].x && at[i].y == at[k].y) return false;
        return true;
    }
    memcpy(room, at, n * sizeof *room);
    qsort(room, n, sizeof *room, by_place);
    for (size_t i = 1; i < n; i++)
        if (!compare_places(room[i - 1], room[i])) return false;
    return true;
}

static bool good_already(const struct om__rings *rings, struct om__xy *room)
{
    // Only the plainest shape: with holes or parts, whose is whose has to be
    // found, too.
    return rings->rings == 1 && rings->places >= 3 &&
           all_distinct(rings->at, rings->places, room);
}

om_status om__rings_trace(const struct om__rings *rings, struct om_arena *arena,
                          struct om__rings *out)
{
    const size_t n = rings->places;
    *out = (struct om__rings){0};
    if (n < 3) return OM_OK;
    struct om__edge *edge = om_arena_alloc(arena, n * sizeof *edge);
    if (!edge) return OM_E_MEMORY;
    if (good_already(rings, (struct om__xy *)(void *)edge)) {
        *out = *rings;
        return OM_OK;
    }
    size_t edges = 0;
    for (size_t r = 0, from = 0; r < rings->rings; from = rings->end[r++])
        for (size_t i = from; i < rings->end[r]; i++)
            edge[edges++] = (struct om__edge){
                rings->at[i], rings->at[i + 1 < rings->end[r] ? i + 1 : from]};
    return om__edges_trace(edge, edges, arena, out);
}
