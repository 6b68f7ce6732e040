/* reach.c - Dijkstra from many centres at once, and from one within a limit.
 *
 * DESIGN
 * Labels are (cost, centre), compared in that order, in whole ticks: of equal
 * ways the centre with the lowest number wins whatever the order of arcs, and
 * no sum depends on how it was made. A centre sits on an edge, not on a node:
 * it seeds both ends of its edge; what lies on the same edge asks the centres
 * there directly. The heap has four children a node and keeps stale entries,
 * which are skipped when they come up: cheaper here than keeping positions.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/reach/roads_internal.h"

struct entry {
    uint64_t cost;
    uint32_t centre, node;
};
struct heap {
    struct entry *entry;
    size_t count, room;
};

static bool before(struct entry a, struct entry b)
{
    return a.cost != b.cost ? a.cost < b.cost : a.centre < b.centre;
}

static om_status push(struct heap *h, struct entry e)
{
    if (h->count == h->room) {
        const size_t room = h->room * 2 + 256;
        void *more = om_realloc(h->entry, room * sizeof *h->entry);
        if (!more) return OM_E_MEMORY;
        h->entry = more;
        h->room = room;
    }
    size_t i = h->count++;
    while (i > 0 && before(e, h->entry[(i - 1) / 4])) {
        h->entry[i] = h->entry[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    h->entry[i] = e;
    return OM_OK;
}

static struct entry pop(struct heap *h)
{
    const struct entry top = h->entry[0], last = h->entry[--h->count];
    size_t i = 0;
    for (;;) {
        const size_t first = 4 * i + 1;
        const size_t end = first + 4 < h->count ? first + 4 : h->count;
        if (first >= end) break;
        size_t best = first;
        for (size_t c = first + 1; c < end; c++)
            if (before(h->entry[c], h->entry[best])) best = c;
        if (!before(h->entry[best], last)) break;
        h->entry[i] = h->entry[best];
        i = best;
    }
    if (h->count) h->entry[i] = last;
    return top;
}

/* ---- from all centres ---- */

static om_status offer(struct om_reach *r, struct heap *h, struct entry e)
{
    const struct entry old = {r->cost[e.node], r->centre[e.node], 0};
    if (!before(e, old)) return OM_OK;
    r->cost[e.node] = e.cost;
    r->centre[e.node] = e.centre;
    return push(h, e);
}

static om_status run(struct om_reach *r, struct heap *h)
{
    const struct om_roads *roads = r->roads;
    while (h->count) {
        const struct entry e = pop(h);
        if (e.cost != r->cost[e.node] || e.centre != r->centre[e.node])
            continue;
        for (uint32_t i = roads->arc_start[e.node];
             i < roads->arc_start[e.node + 1]; i++) {
            const struct om__arc arc = roads->arc[i];
            OM_TRY(offer(r, h,
                         (struct entry){e.cost + roads->edge[arc.edge].ticks,
                                        e.centre, arc.to}));
        }
    }
    return OM_OK;
}

static om_status seed(struct om_reach *r, struct heap *h, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct om_snap s = r->snap[i];
        if (s.edge == OM_NO_EDGE) continue;
        const struct om_edge e = r->roads->edge[s.edge];
        const uint64_t foot = om__on_foot(s.access, r->foot);
        OM_TRY(
            offer(r, h, (struct entry){foot + s.along, (uint32_t)i, e.from}));
        OM_TRY(offer(
            r, h, (struct entry){foot + e.ticks - s.along, (uint32_t)i, e.to}));
    }
    return OM_OK;
}

struct by_edge {
    uint32_t edge, centre;
};

static int by_edge(const void *a, const void *b)
{
    const struct by_edge *x = a, *y = b;
    if (x->edge != y->edge) return x->edge < y->edge ? -1 : 1;
    return (x->centre > y->centre) - (x->centre < y->centre);
}

static om_status order_centres(struct om_reach *r, size_t count)
{
    struct by_edge *list = om_alloc_array(count + 1, sizeof *list);
    r->order = om_alloc_array(count + 1, sizeof *r->order);
    if (!list || !r->order) {
        om_free(list);
        return OM_E_MEMORY;
    }
    for (size_t i = 0; i < count; i++)
        if (r->snap[i].edge != OM_NO_EDGE)
            list[r->on_edges++] =
                (struct by_edge){r->snap[i].edge, (uint32_t)i};
    qsort(list, r->on_edges, sizeof *list, by_edge);
    for (size_t i = 0; i < r->on_edges; i++) r->order[i] = list[i].centre;
    om_free(list);
    return OM_OK;
}

om_status om_reach_make(const struct om_roads *roads,
                        const struct om_snap *snap, size_t count, double foot,
                        struct om_reach *out)
{
    if (count >= UINT32_MAX) return OM_E_LIMIT;
    if (!(foot >= 0 && isfinite(foot))) return OM_E_RANGE;
    struct heap heap = {0};
    struct om_reach r = {
        .roads = roads, .foot = foot, .nodes = roads->nodes, .snap = snap};
    r.cost = om_alloc_array(r.nodes + 1, sizeof *r.cost);
    r.centre = om_alloc_array(r.nodes + 1, sizeof *r.centre);
    om_status st = r.cost && r.centre ? OM_OK : OM_E_MEMORY;
    if (!st) {
        memset(r.cost, 0xFF, r.nodes * sizeof *r.cost);
        memset(r.centre, 0xFF, r.nodes * sizeof *r.centre);
        st = order_centres(&r, count);
    }
    if (!st) st = seed(&r, &heap, count);
    if (!st) st = run(&r, &heap);
    om_free(heap.entry);
    if (st) {
        om_reach_deinit(&r);
        return st;
    }
    *out = r;
    return OM_OK;
}

void om_reach_deinit(struct om_reach *reach)
{
    om_free(reach->cost);
    om_free(reach->centre);
    om_free(reach->order);
    *reach = (struct om_reach){0};
}

/* First of the centres that are on `edge` or a later one. */
static size_t first_on(const struct om_reach *r, uint32_t edge)
{
    size_t low = 0, high = r->on_edges;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (r->snap[r->order[mid]].edge < edge)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void take(struct entry *best, uint64_t cost, uint32_t centre)
{
    const struct entry e = {cost, centre, 0};
    if (before(e, *best)) *best = e;
}

struct om_way om_reach_way(const struct om_reach *r, struct om_snap at)
{
    struct om_way way = {UINT32_MAX, OM_NO_TICKS, OM_NO_TICKS};
    if (at.edge == OM_NO_EDGE) return way;
    const struct om_edge e = r->roads->edge[at.edge];
    const uint64_t foot = om__on_foot(at.access, r->foot);
    struct entry best = {OM_NO_TICKS, UINT32_MAX, 0};
    if (r->cost[e.from] != OM_NO_TICKS)
        take(&best, foot + at.along + r->cost[e.from], r->centre[e.from]);
    if (r->cost[e.to] != OM_NO_TICKS)
        take(&best, foot + (e.ticks - at.along) + r->cost[e.to],
             r->centre[e.to]);
    for (size_t i = first_on(r, at.edge); i < r->on_edges; i++) {
        const struct om_snap s = r->snap[r->order[i]];
        if (s.edge != at.edge) break;
        const uint64_t between =
            s.along > at.along ? s.along - at.along : at.along - s.along;
        take(&best, foot + between + om__on_foot(s.access, r->foot),
             r->order[i]);
    }
    if (best.centre == UINT32_MAX) return way;
    // The length: stretches on foot as they are, not as they cost.
    const struct om_snap to = r->snap[best.centre];
    way.centre = best.centre;
    way.cost = best.cost;
    way.ticks = best.cost - foot - om__on_foot(to.access, r->foot) + at.access +
                to.access;
    return way;
}

/* ---- from one place ---- */

static om_status ready(const struct om_roads *roads, struct om_within *w)
{
    if (w->nodes == roads->nodes && w->cost) {
        for (size_t i = 0; i < w->reached; i++)
            w->cost[w->node[i]] = OM_NO_TICKS;
        w->reached = 0;
        return OM_OK;
    }
    om_within_deinit(w);
    w->cost = om_alloc_array(roads->nodes + 1, sizeof *w->cost);
    w->node = om_alloc_array(roads->nodes + 1, sizeof *w->node);
    if (!w->cost || !w->node) {
        om_within_deinit(w);
        return OM_E_MEMORY;
    }
    memset(w->cost, 0xFF, roads->nodes * sizeof *w->cost);
    w->nodes = roads->nodes;
    return OM_OK;
}

/* Nodes are listed when they are first touched; those are within the limit
 * already, and their cost only falls. */
static om_status touch(struct om_within *w, struct heap *h, uint32_t node,
                       uint64_t cost, uint64_t limit)
{
    if (cost > limit || cost >= w->cost[node]) return OM_OK;
    if (w->cost[node] == OM_NO_TICKS) w->node[w->reached++] = node;
    w->cost[node] = cost;
    return push(h, (struct entry){cost, 0, node});
}

om_status om_roads_within(const struct om_roads *roads, struct om_snap at,
                          double foot, uint64_t limit, struct om_within *w)
{
    OM_TRY(ready(roads, w));
    if (at.edge == OM_NO_EDGE) return OM_OK;
    struct heap h = {.entry = w->heap, .room = w->heap_room};
    const struct om_edge e = roads->edge[at.edge];
    const uint64_t begun = om__on_foot(at.access, foot);
    om_status st = touch(w, &h, e.from, begun + at.along, limit);
    if (!st) st = touch(w, &h, e.to, begun + e.ticks - at.along, limit);
    while (h.count && !st) {
        const struct entry next = pop(&h);
        if (next.cost != w->cost[next.node]) continue;
        for (uint32_t i = roads->arc_start[next.node];
             i < roads->arc_start[next.node + 1] && !st; i++) {
            const struct om__arc arc = roads->arc[i];
            st = touch(w, &h, arc.to, next.cost + roads->edge[arc.edge].ticks,
                       limit);
        }
    }
    w->heap = h.entry;
    w->heap_room = h.room;
    return st;
}

void om_within_deinit(struct om_within *within)
{
    om_free(within->cost);
    om_free(within->node);
    om_free(within->heap);
    *within = (struct om_within){0};
}
