// cover_make.c - what each site reaches, by road or straight.
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/query/ground.h"
#include "engine/reach/buckets.h"
#include "engine/reach/cover_internal.h"

#define GRAIN 16
#define SQUARE_SHIFT 13

struct making {
    const struct om_travel *travel;
    const struct om_pos *site;
    const uint64_t *demand;
    const struct om_snap *snap;
    struct om_nearness near;
    const struct om_snap *site_snap;  // by road
    uint32_t *edge_start, *on_edge;   // demands by their edge
    struct om__stretch *point;  // straight: demands as stretches of nothing
    struct om__buckets squares;
    struct lane *lane;
    atomic_uint_fast64_t pairs;
    struct om_cover *out;
};
struct lane {
    struct om_within within;
    uint32_t *list;
    size_t n, room;
};

static om_status add(struct lane *l, uint32_t demand)
{
    if (l->n == l->room) {
        const size_t room = l->room * 2 + 1024;
        void *more = om_realloc(l->list, room * sizeof *l->list);
        if (!more) return OM_E_MEMORY;
        l->list = more;
        l->room = room;
    }
    l->list[l->n++] = demand;
    return OM_OK;
}

static double foot_of(const struct making *m)
{
    return m->travel->m_per_min / m->travel->foot_m_per_min;
}

/* As om_trips_make judges: by the time of the way, or its length. */
static bool near_enough(const struct making *m, uint64_t cost,
                        const struct om_snap *site,
                        const struct om_snap *demand)
{
    if (m->near.minutes)
        return (double)cost / OM_TICKS_PER_M / m->travel->m_per_min <=
               m->near.at_most;
    const double foot = foot_of(m);
    const uint64_t on_foot = (uint64_t)llround((double)site->access * foot) +
                             (uint64_t)llround((double)demand->access * foot);
    return (double)(cost - on_foot + site->access + demand->access) /
               OM_TICKS_PER_M <=
           m->near.at_most;
}

/* The demands of an edge of which at least one end is reached, or which the
 * site itself is on. */
static om_status take_edge(const struct making *m, struct lane *l,
                           uint32_t edge, const struct om_snap *site)
{
    const struct om_edge e = om_roads_edge(m->travel->roads, edge);
    const uint64_t from = l->within.cost[e.from], to = l->within.cost[e.to];
    const double foot = foot_of(m);
    for (uint32_t i = m->edge_start[edge]; i < m->edge_start[edge + 1]; i++) {
        const struct om_snap *d = &m->snap[m->on_edge[i]];
        uint64_t cost = OM_NO_TICKS;
        if (from != OM_NO_TICKS) cost = from + d->along;
        if (to != OM_NO_TICKS && to + e.ticks - d->along < cost)
            cost = to + e.ticks - d->along;
        if (edge == site->edge) {
            const uint64_t between = site->along > d->along
                                         ? site->along - d->along
                                         : d->along - site->along;
            const uint64_t direct =
                between + (uint64_t)llround((double)site->access * foot);
            if (direct < cost) cost = direct;
        }
        if (cost == OM_NO_TICKS) continue;
        cost += (uint64_t)llround((double)d->access * foot);
        if (near_enough(m, cost, site, d)) OM_TRY(add(l, m->on_edge[i]));
    }
    return OM_OK;
}

/* The most a way may cost so that it can still be near: a limit of length is
 * one of cost on the road, plus what the stretches on foot count more. */
static uint64_t cost_limit(const struct making *m)
{
    const double foot = foot_of(m);
    double most_m = m->near.at_most * m->travel->m_per_min;
    if (!m->near.minutes)
        most_m =
            m->near.at_most + fmax(foot - 1, 0) * 2 * (m->travel->reach_m + 1);
    const double ticks = ceil((most_m + 1) * OM_TICKS_PER_M);
    return ticks < 9e18 ? (uint64_t)ticks : (uint64_t)9e18;
}

static om_status by_road(const struct making *m, struct lane *l, size_t s)
{
    const struct om_roads *roads = m->travel->roads;
    const struct om_snap *site = &m->site_snap[s];
    if (site->edge == OM_NO_EDGE) return OM_OK;
    OM_TRY(
        om_roads_within(roads, *site, foot_of(m), cost_limit(m), &l->within));
    for (size_t k = 0; k < l->within.reached; k++) {
        const uint32_t node = l->within.node[k];
        uint32_t arc;
        const size_t arcs = om_roads_arcs(roads, node, &arc);
        for (size_t a = 0; a < arcs; a++) {
            const uint32_t edge = om_roads_arc_edge(roads, arc + (uint32_t)a);
            const struct om_edge e = om_roads_edge(roads, edge);
            // Each edge once: from its first end if that is reached.
            if (node != e.from && l->within.cost[e.from] != OM_NO_TICKS)
                continue;
            if (edge != site->edge) OM_TRY(take_edge(m, l, edge, site));
        }
    }
    return take_edge(m, l, site->edge, site);
}

static om_status straight(const struct making *m, struct lane *l, size_t s)
{
    double most_m = m->near.at_most;
    if (m->near.minutes) most_m *= m->travel->m_per_min;
    const double factor = m->travel->factor;
    struct om_circle circle;
    OM_TRY(om_circle_init(&circle, m->site[s], most_m / factor * (1 + 1e-9)));
    struct om_box box = circle.box;
    if (box.x0 > box.x1) box = (struct om_box){0, box.y0, UINT32_MAX, box.y1};
    const struct om__squares q = om__squares_of(&m->squares, box);
    for (int64_t row = q.row; row < q.row_end; row++)
        for (int64_t col = q.col; col < q.col_end; col++) {
            const size_t square = (size_t)row * m->squares.cols + (size_t)col;
            for (uint32_t i = m->squares.start[square];
                 i < m->squares.start[square + 1]; i++) {
                const uint32_t d = m->squares.item[i];
                const struct om_pos at = m->point[d].a;
                if (!om_circle_holds(&circle, at)) continue;
                // The same sum as that of a trip, so that both agree.
                const double way_m = om_ground_m(at, m->site[s]) * factor;
                const bool near =
                    m->near.minutes
                        ? way_m / m->travel->m_per_min <= m->near.at_most
                        : way_m <= m->near.at_most;
                if (near) OM_TRY(add(l, d));
            }
        }
    return OM_OK;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static om_status make_range(void *ctx, size_t first, size_t end, size_t lane)
{
    struct making *m = ctx;
    struct lane *l = &m->lane[lane];
    for (size_t s = first; s < end; s++) {
        l->n = 0;
        OM_TRY(m->travel->roads ? by_road(m, l, s) : straight(m, l, s));
        if (atomic_fetch_add(&m->pairs, l->n) + l->n > OM_LIMIT_COVER_PAIRS)
            return OM_E_COST;
        if (l->n) qsort(l->list, l->n, sizeof *l->list, ascending);
        uint32_t *list = om_alloc_array(l->n + 1, sizeof *list);
        if (!list) return OM_E_MEMORY;
        if (l->n) memcpy(list, l->list, l->n * sizeof *list);
        m->out->list[s] = list;
        m->out->n[s] = (uint32_t)l->n;
    }
    return OM_OK;
}

/* Demands by the edge they are on. */
static om_status prepare_roads(struct making *m)
{
    const size_t edges = om_roads_figures(m->travel->roads).edges;
    const size_t demands = m->out->demands;
    m->edge_start = om_calloc(edges + 2, sizeof *m->edge_start);
    m->on_edge = om_alloc_array(demands + 1, sizeof *m->on_edge);
    if (!m->edge_start || !m->on_edge) return OM_E_MEMORY;
    uint32_t *start = m->edge_start;
    for (size_t i = 0; i < demands; i++)
        if (m->snap[i].edge != OM_NO_EDGE) start[m->snap[i].edge + 2]++;
    for (size_t e = 2; e < edges + 2; e++) start[e] += start[e - 1];
    for (size_t i = 0; i < demands; i++)
        if (m->snap[i].edge != OM_NO_EDGE)
            m->on_edge[start[m->snap[i].edge + 1]++] = (uint32_t)i;
    return OM_OK;
}

static om_status prepare_straight(struct making *m)
{
    const size_t n = m->out->demands;
    m->point = om_alloc_array(n + 1, sizeof *m->point);
    if (!m->point) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const struct om_pos p = om_morton_pos(m->demand[i]);
        m->point[i] = (struct om__stretch){p, p};
    }
    return om__buckets_make(m->point, n, SQUARE_SHIFT, &m->squares);
}

static void making_deinit(struct making *m)
{
    for (size_t i = 0; m->lane && i < om_threads(); i++) {
        om_within_deinit(&m->lane[i].within);
        om_free(m->lane[i].list);
    }
    om_free(m->lane);
    om_free(m->edge_start);
    om_free(m->on_edge);
    om_free(m->point);
    om__buckets_deinit(&m->squares);
}

static bool positive(double x)
{
    return x > 0 && isfinite(x);
}

static om_status check(const struct om_travel *t, struct om_nearness near)
{
    if (!(near.at_most >= 0 && isfinite(near.at_most))) return OM_E_RANGE;
    if (!positive(t->m_per_min)) return OM_E_RANGE;
    if (!t->roads) return positive(t->factor) ? OM_OK : OM_E_RANGE;
    return positive(t->foot_m_per_min) && positive(t->reach_m) ? OM_OK
                                                               : OM_E_RANGE;
}

/* Fill m->out; sites and demands as m has them. */
static om_status make(struct making *m)
{
    struct om_cover *out = m->out;
    out->list = om_calloc(out->sites + 1, sizeof *out->list);
    out->n = om_calloc(out->sites + 1, sizeof *out->n);
    m->lane = om_calloc(om_threads(), sizeof *m->lane);
    om_status st = out->list && out->n && m->lane ? OM_OK : OM_E_MEMORY;
    if (!st) st = m->travel->roads ? prepare_roads(m) : prepare_straight(m);
    if (!st) st = om_parallel(out->sites, GRAIN, make_range, m);
    out->pairs = atomic_load(&m->pairs);
    making_deinit(m);
    if (st) om_cover_deinit(out);
    return st;
}

/* Lists of sites by demand into lists of demands by site. */
static om_status turn_over(const struct om_cover *from, struct om_cover *out)
{
    out->list = om_calloc(out->sites + 1, sizeof *out->list);
    out->n = om_calloc(out->sites + 1, sizeof *out->n);
    if (!out->list || !out->n) return OM_E_MEMORY;
    for (size_t d = 0; d < from->sites; d++)
        for (uint32_t i = 0; i < from->n[d]; i++) out->n[from->list[d][i]]++;
    for (size_t s = 0; s < out->sites; s++) {
        out->list[s] = om_alloc_array(out->n[s] + 1u, sizeof(uint32_t));
        if (!out->list[s]) return OM_E_MEMORY;
        out->n[s] = 0;
    }
    for (size_t d = 0; d < from->sites; d++)
        for (uint32_t i = 0; i < from->n[d]; i++) {
            const uint32_t s = from->list[d][i];
            out->list[s][out->n[s]++] = (uint32_t)d;
        }
    out->pairs = from->pairs;
    return OM_OK;
}

/* Ways are as long one way as the other: from the side that has fewer. */
static om_status make_by_road(struct making *m)
{
    struct om_cover *out = m->out, turned = {0};
    struct om_snap *snap = om_alloc_array(out->sites + 1, sizeof *snap);
    uint64_t *key = om_alloc_array(out->sites + 1, sizeof *key);
    om_status st = snap && key ? OM_OK : OM_E_MEMORY;
    for (size_t s = 0; s < out->sites && !st; s++)
        key[s] = om_morton(m->site[s]);
    if (!st)
        st = om_roads_snap(m->travel->roads, key, out->sites,
                           m->travel->reach_m, snap);
    m->site_snap = snap;
    if (!st && out->demands >= out->sites) {
        st = make(m);
    } else if (!st) {
        turned =
            (struct om_cover){.sites = out->demands, .demands = out->sites};
        m->site_snap = m->snap;
        m->snap = snap;
        m->out = &turned;
        st = make(m);
        if (!st) st = turn_over(&turned, out);
        if (st) om_cover_deinit(out);
    }
    om_cover_deinit(&turned);
    om_free(snap);
    om_free(key);
    return st;
}

/* Straight surroundings hold up to some three times what ways reach. */
#define STRAIGHT_PER_WAY 4

/* Hopeless from the start? Only what could be too many is looked at. */
static om_status check_pairs(const struct making *m)
{
    const size_t sites = m->out->sites, demands = m->out->demands;
    if (demands == 0 || sites <= OM_LIMIT_COVER_PAIRS / demands) return OM_OK;
    int64_t *one = om_alloc_array(demands, sizeof *one);
    int64_t *at_most = om_alloc_array(sites, sizeof *at_most);
    om_status st = one && at_most ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < demands && !st; i++) one[i] = 1;
    if (!st)
        st = om__cover_at_most(m->site, sites, m->demand, one, demands,
                               om__cover_radius_m(m->travel, m->near), at_most);
    uint64_t pairs = 0;
    for (size_t s = 0; s < sites && !st; s++) pairs += (uint64_t)at_most[s];
    if (!st && pairs / STRAIGHT_PER_WAY > OM_LIMIT_COVER_PAIRS) st = OM_E_COST;
    om_free(one);
    om_free(at_most);
    return st;
}

om_status om_cover_make(const struct om_travel *travel,
                        const struct om_pos *site, size_t sites,
                        const uint64_t *demand, const struct om_snap *snap,
                        size_t demands, struct om_nearness near,
                        struct om_cover *out)
{
    *out = (struct om_cover){.sites = sites, .demands = demands};
    OM_TRY(check(travel, near));
    if (sites >= UINT32_MAX || demands >= UINT32_MAX) return OM_E_LIMIT;
    struct making m = {.travel = travel,
                       .site = site,
                       .demand = demand,
                       .snap = snap,
                       .near = near,
                       .out = out};
    OM_TRY(check_pairs(&m));
    return travel->roads ? make_by_road(&m) : make(&m);
}

void om_cover_deinit(struct om_cover *cover)
{
    for (size_t s = 0; cover->list && s < cover->sites; s++)
        om_free(cover->list[s]);
    om_free(cover->list);
    om_free(cover->n);
    *cover = (struct om_cover){0};
}
