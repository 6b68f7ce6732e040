/* ways.c - the nearest along the roads, from one place.
 *
 * DESIGN
 * No way is shorter than the straight one. So the rows that are nearest in a
 * straight line are taken, some more than are asked for, and the roads around
 * the place are gone through as far as rows are known to be complete: what
 * costs no more than that has been compared with every row that could be
 * nearer. Where that finds too few, more rows are taken. Nothing is prepared
 * for a layer: rows may come and go, and any filter may choose among them. We
 * rejected distances kept for each centre, which a filter would make useless.
 */
#include "engine/reach/ways.h"

#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/reach/ways_internal.h"

/* Rows taken at first for each that is asked for, and at least. */
#define TAKE_TIMES 4
#define TAKE_LEAST 24
/* How much longer than straight the roads are taken to be at first. */
#define DETOUR 1.6
/* Sums along roads may be this much shorter than the geodesic: rounding. */
#define SLACK 0.999

om_status om__travel_snap(const struct om_travel *travel, struct om_pos at,
                          struct om_snap *out)
{
    const uint64_t key = om_morton(at);
    return om_roads_snap(travel->roads, &key, 1, travel->reach_m, out);
}

static void offer(struct om_way *best, uint64_t cost)
{
    if (cost >= best->cost) return;
    best->cost = cost;
    best->centre = 0;
}

struct om_way om__way_between(const struct om_roads *roads,
                              const struct om_within *within,
                              struct om_snap from, double foot,
                              struct om_snap to)
{
    struct om_way way = {UINT32_MAX, OM_NO_TICKS, OM_NO_TICKS};
    if (from.edge == OM_NO_EDGE || to.edge == OM_NO_EDGE) return way;
    const struct om_edge e = om_roads_edge(roads, to.edge);
    const uint64_t begun = om__on_foot(from.access, foot);
    const uint64_t ended = om__on_foot(to.access, foot);
    if (within->cost[e.from] != OM_NO_TICKS)
        offer(&way, within->cost[e.from] + to.along + ended);
    if (within->cost[e.to] != OM_NO_TICKS)
        offer(&way, within->cost[e.to] + (e.ticks - to.along) + ended);
    if (from.edge == to.edge)
        offer(&way, begun + ended +
                        (to.along > from.along ? to.along - from.along
                                               : from.along - to.along));
    if (way.centre != UINT32_MAX)
        way.ticks = way.cost - begun - ended + from.access + to.access;
    return way;
}

/* Rows that may be nearest, by straight distance. */
struct near {
    struct om_way_hit *hit;
    uint64_t *key;
    struct om_snap *snap;
    size_t count, room;
    const struct om_layer *layer;
    om_status status;
};

static bool take(void *ctx, const struct om_hit *hit)
{
    struct near *n = ctx;
    const uint64_t *key;
    if (n->count == n->room) return false;
    n->status = om_segment_keys(n->layer->part[hit->part].segment, hit->row,
                                hit->row + 1, &key);
    if (n->status) return false;
    n->key[n->count] = key[hit->row];
    n->hit[n->count] = (struct om_way_hit){*hit, NAN, NAN, n->count};
    n->count++;
    return true;
}

static void near_deinit(struct near *n)
{
    om_free(n->hit);
    om_free(n->key);
    om_free(n->snap);
}

static om_status read_near(const struct om_travel *travel,
                           const struct om_query *query, size_t most,
                           struct near *n)
{
    struct om_query q = *query;
    near_deinit(n);
    *n = (struct near){.room = most, .layer = query->layer};
    n->hit = om_alloc_array(most + 1, sizeof *n->hit);
    n->key = om_alloc_array(most + 1, sizeof *n->key);
    if (!n->hit || !n->key) return OM_E_MEMORY;
    q.place.nearest = most;
    OM_TRY(om_query_each(&q, take, n));
    if (n->status || !travel->roads) return n->status;
    n->snap = om_alloc_array(n->count + 1, sizeof *n->snap);
    if (!n->snap) return OM_E_MEMORY;
    return om_roads_snap(travel->roads, n->key, n->count, travel->reach_m,
                         n->snap);
}

static int by_minutes(const void *a, const void *b)
{
    const struct om_way_hit *x = a, *y = b;
    const bool none = isnan(x->minutes), none_y = isnan(y->minutes);
    if (none != none_y) return none ? 1 : -1;
    if (!none && x->minutes != y->minutes)
        return x->minutes < y->minutes ? -1 : 1;
    return (x->straight > y->straight) - (x->straight < y->straight);
}

/* Ways to all rows that cost at most `limit`; how many there are. */
static size_t measure(const struct om_travel *travel, struct om_snap from,
                      const struct om_within *within, uint64_t limit,
                      struct near *n)
{
    const double foot = travel->m_per_min / travel->foot_m_per_min;
    size_t reached = 0;
    for (size_t i = 0; i < n->count; i++) {
        const struct om_way way =
            om__way_between(travel->roads, within, from, foot, n->snap[i]);
        n->hit[i].m = n->hit[i].minutes = NAN;
        if (way.centre == UINT32_MAX || way.cost > limit) continue;
        n->hit[i].m = (double)way.ticks / OM_TICKS_PER_M;
        n->hit[i].minutes =
            (double)way.cost / OM_TICKS_PER_M / travel->m_per_min;
        reached++;
    }
    return reached;
}

/* Metres at the speed of the road that one is surely not under who goes
 * straight_m. */
static double least_cost_m(const struct om_travel *travel, double straight_m)
{
    const double foot = travel->m_per_min / travel->foot_m_per_min;
    return straight_m * fmin(1.0, foot) * SLACK;
}

static om_status by_road(const struct om_travel *travel,
                         const struct om_query *query, double minutes_most,
                         struct om_within *scratch, struct near *n, bool *off)
{
    const double foot = travel->m_per_min / travel->foot_m_per_min;
    const double most_m = minutes_most * travel->m_per_min;
    const size_t k = query->place.nearest;
    struct om_snap from;
    size_t take_most = TAKE_TIMES * (k > TAKE_LEAST ? k : TAKE_LEAST);
    OM_TRY(om__travel_snap(travel, query->place.pos, &from));
    *off = from.edge == OM_NO_EDGE;
    double limit_m = 0;
    for (;;) {
        if (take_most > OM_WAYS_ROWS_MOST) take_most = OM_WAYS_ROWS_MOST;
        OM_TRY(read_near(travel, query, take_most, n));
        if (*off || n->count == 0) return OM_OK;
        // Complete: there is no other row whose way costs less.
        const bool all = n->count < take_most;
        const double last_m = n->hit[n->count - 1].hit.distance_m;
        const double complete_m =
            all ? most_m : fmin(most_m, least_cost_m(travel, last_m));
        const double kth_m =
            n->hit[(k < n->count ? k : n->count) - 1].hit.distance_m;
        limit_m = fmin(complete_m, fmax(limit_m, DETOUR * kth_m + 200));
        for (;;) {
            const uint64_t limit = (uint64_t)(limit_m * OM_TICKS_PER_M);
            OM_TRY(om_roads_within(travel->roads, from, foot, limit, scratch));
            if (measure(travel, from, scratch, limit, n) >= k) return OM_OK;
            if (limit_m >= complete_m) break;
            limit_m = fmin(complete_m, 2 * limit_m);
        }
        if (limit_m >= most_m || all || take_most == OM_WAYS_ROWS_MOST)
            return OM_OK;
        take_most *= TAKE_TIMES;
    }
}

static om_status straight(const struct om_travel *travel,
                          const struct om_query *query, double minutes_most,
                          struct near *n)
{
    OM_TRY(read_near(travel, query, query->place.nearest, n));
    for (size_t i = 0; i < n->count; i++) {
        const double m = n->hit[i].hit.distance_m * travel->factor;
        if (m / travel->m_per_min > minutes_most) continue;
        n->hit[i].m = m;
        n->hit[i].minutes = m / travel->m_per_min;
    }
    return OM_OK;
}

om_status om_ways_nearest(const struct om_travel *travel,
                          const struct om_query *query, double minutes_most,
                          struct om_within *scratch, struct om_ways *out)
{
    struct near n = {0};
    *out = (struct om_ways){0};
    OM_TRY(om__travel_check(travel));
    if (!(minutes_most > 0 && isfinite(minutes_most))) return OM_E_RANGE;
    if (query->layer->schema.geometry != OM_GEOMETRY_POINT) return OM_E_TYPE;
    om_status st = travel->roads ? by_road(travel, query, minutes_most, scratch,
                                           &n, &out->off)
                                 : straight(travel, query, minutes_most, &n);
    if (!st) {
        qsort(n.hit, n.count, sizeof *n.hit, by_minutes);
        const size_t k = query->place.nearest;
        out->count = n.count < k ? n.count : k;
        out->hit = n.hit;
        n.hit = NULL;
    }
    near_deinit(&n);
    return st;
}

void om_ways_deinit(struct om_ways *ways)
{
    om_free(ways->hit);
    *ways = (struct om_ways){0};
}
