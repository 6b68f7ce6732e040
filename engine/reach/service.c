// service.c - ways from positions to centres, and their sums by unit.
#include "engine/reach/service.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/reach/near.h"
#include "engine/reach/ways_internal.h"

#define GRAIN 8192

static bool positive(double x)
{
    return x > 0 && isfinite(x);
}

om_status om__travel_check(const struct om_travel *t)
{
    if (!positive(t->m_per_min)) return OM_E_RANGE;
    if (!t->roads) return positive(t->factor) ? OM_OK : OM_E_RANGE;
    if (!positive(t->foot_m_per_min) || !positive(t->reach_m))
        return OM_E_RANGE;
    return t->reach_m <= OM_SNAP_MAX_M ? OM_OK : OM_E_RANGE;
}

static om_status trips_init(struct om_trips *t, size_t count, bool roads)
{
    *t = (struct om_trips){.count = count};
    t->centre = om_alloc_array(count + 1, sizeof *t->centre);
    t->m = om_alloc_array(count + 1, sizeof *t->m);
    t->minutes = om_alloc_array(count + 1, sizeof *t->minutes);
    if (roads) t->snap = om_alloc_array(count + 1, sizeof *t->snap);
    return t->centre && t->m && t->minutes && (t->snap || !roads) ? OM_OK
                                                                  : OM_E_MEMORY;
}

static om_status go_straight(const struct om_travel *travel,
                             const uint64_t *key, const struct om_pos *centre,
                             size_t centres, struct om_trips *t)
{
    struct om_near *near = NULL;
    OM_TRY(om_near_new(centre, centres, &near));
    const om_status st = om_near_join(near, key, t->count, t->centre, t->m);
    om_near_free(near);
    for (size_t i = 0; i < t->count && !st; i++) {
        if (t->centre[i] == OM_NO_PLACE) t->centre[i] = OM_TRIP_CUT;
        t->m[i] *= travel->factor;
        t->minutes[i] = t->m[i] / travel->m_per_min;
    }
    return st;
}

struct going {
    const struct om_reach *reach;
    double m_per_min;
    struct om_trips *trips;
};

static om_status go_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct going *g = ctx;
    struct om_trips *t = g->trips;
    for (size_t i = first; i < end; i++) {
        const struct om_way way = om_reach_way(g->reach, t->snap[i]);
        t->centre[i] = way.centre;
        t->m[i] = t->minutes[i] = INFINITY;
        if (way.centre == UINT32_MAX) {
            const bool off = t->snap[i].edge == OM_NO_EDGE;
            t->centre[i] = off ? OM_TRIP_OFF : OM_TRIP_CUT;
            continue;
        }
        t->m[i] = (double)way.ticks / OM_TICKS_PER_M;
        t->minutes[i] = (double)way.cost / OM_TICKS_PER_M / g->m_per_min;
    }
    return OM_OK;
}

static om_status snap_centres(const struct om_travel *travel,
                              const struct om_pos *centre, size_t centres,
                              struct om_snap *snap)
{
    uint64_t *key = om_alloc_array(centres + 1, sizeof *key);
    if (!key) return OM_E_MEMORY;
    for (size_t i = 0; i < centres; i++) key[i] = om_morton(centre[i]);
    const om_status st =
        om_roads_snap(travel->roads, key, centres, travel->reach_m, snap);
    om_free(key);
    return st;
}

static om_status go_by_road(const struct om_travel *travel,
                            const struct om_pos *centre, size_t centres,
                            struct om_trips *t)
{
    struct om_reach reach = {0};
    struct om_snap *snap = om_alloc_array(centres + 1, sizeof *snap);
    om_status st = snap ? OM_OK : OM_E_MEMORY;
    if (!st) st = snap_centres(travel, centre, centres, snap);
    for (size_t i = 0; i < centres && !st; i++)
        t->centres_off += snap[i].edge == OM_NO_EDGE;
    if (!st)
        st = om_reach_make(travel->roads, snap, centres,
                           travel->m_per_min / travel->foot_m_per_min, &reach);
    struct going g = {&reach, travel->m_per_min, t};
    if (!st) st = om_parallel(t->count, GRAIN, go_range, &g);
    om_reach_deinit(&reach);
    om_free(snap);
    return st;
}

om_status om_trips_make(const struct om_travel *travel, const uint64_t *key,
                        size_t count, const struct om_snap *snap,
                        const struct om_pos *centre, size_t centres,
                        struct om_trips *out)
{
    OM_TRY(om__travel_check(travel));
    if (centres >= OM_TRIP_CUT) return OM_E_LIMIT;
    struct om_trips t;
    om_status st = trips_init(&t, count, travel->roads != NULL);
    if (!st && travel->roads && snap)
        for (size_t i = 0; i < count; i++) t.snap[i] = snap[i];
    if (!st && travel->roads && !snap)
        st = om_roads_snap(travel->roads, key, count, travel->reach_m, t.snap);
    if (!st)
        st = travel->roads ? go_by_road(travel, centre, centres, &t)
                           : go_straight(travel, key, centre, centres, &t);
    if (st)
        om_trips_deinit(&t);
    else
        *out = t;
    return st;
}

void om_trips_deinit(struct om_trips *trips)
{
    om_free(trips->centre);
    om_free(trips->m);
    om_free(trips->minutes);
    om_free(trips->snap);
    *trips = (struct om_trips){0};
}

/* ---- sums by unit ---- */

struct tallying {
    const struct om_crowd *crowd;
    const struct om_trips *trips;
    const struct om_nearness *near;
    size_t nears;
    size_t *begin;    // [units + 2] positions of unit u
    uint32_t *order;  // positions by unit, ascending within one
    struct om_tally *out;
};

struct length {
    double m;
    uint32_t rows;
};

static int by_length(const void *a, const void *b)
{
    const struct length *x = a, *y = b;
    return (x->m > y->m) - (x->m < y->m);
}

static void add_position(const struct tallying *t, size_t i,
                         struct om_tally *out)
{
    const uint64_t rows = t->crowd->rows[i];
    const int64_t weight = t->crowd->weight[i];
    const uint32_t centre = t->trips->centre[i];
    out->rows += rows;
    out->weight += weight;
    if (centre == OM_TRIP_OFF) {
        out->rows_off += rows;
        out->weight_off += weight;
    } else if (centre == OM_TRIP_CUT) {
        out->rows_cut += rows;
        out->weight_cut += weight;
    }
    for (size_t k = 0; k < t->nears; k++) {
        if (!om_is_near(t->trips, i, t->near[k])) continue;
        out->rows_near[k] += rows;
        out->weight_near[k] += weight;
    }
    const double m = t->trips->m[i];
    if (isinf(m) || (out->farthest != SIZE_MAX && m <= out->max_m)) return;
    out->max_m = m;
    out->farthest = i;
}

/* Below this many qsort is as fast. */
#define RADIX_LEAST 65536

/* Lengths are not negative: their bits rise as they do. */
static om_status sort_all(struct length *length, size_t n)
{
    uint64_t *key = om_alloc_array(n, 2 * sizeof *key);
    uint32_t *slot = om_alloc_array(n, 2 * sizeof *slot);
    struct length *sorted = om_alloc_array(n, sizeof *sorted);
    om_status st = key && slot && sorted ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < n && !st; i++) {
        memcpy(&key[i], &length[i].m, sizeof *key);
        slot[i] = (uint32_t)i;
    }
    if (!st) st = om_sort_keys(key, slot, key + n, slot + n, n);
    if (!st) {
        for (size_t i = 0; i < n; i++) sorted[i] = length[slot[i]];
        memcpy(length, sorted, n * sizeof *sorted);
    }
    om_free(key);
    om_free(slot);
    om_free(sorted);
    return st;
}

/* Mean and lower median of sorted lengths. */
static void describe(const struct length *length, size_t n,
                     struct om_tally *out)
{
    uint64_t rows = 0, half = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        rows += length[i].rows;
        sum += length[i].m * length[i].rows;
    }
    if (rows == 0) return;
    out->mean_m = sum / (double)rows;
    for (size_t i = 0; i < n; i++) {
        half += length[i].rows;
        if (2 * half < rows) continue;
        out->median_m = length[i].m;
        return;
    }
}

static const struct om_tally NOTHING = {
    .mean_m = NAN, .median_m = NAN, .max_m = NAN, .farthest = SIZE_MAX};

/* Positions order[0 .. n), or 0 .. n themselves. */
static om_status tally(const struct tallying *t, const uint32_t *order,
                       size_t n, struct om_tally *out)
{
    struct length *length = om_alloc_array(n + 1, sizeof *length);
    if (!length) return OM_E_MEMORY;
    size_t lengths = 0;
    *out = NOTHING;
    for (size_t k = 0; k < n; k++) {
        const size_t i = order ? order[k] : k;
        add_position(t, i, out);
        if (isinf(t->trips->m[i])) continue;
        length[lengths++] = (struct length){t->trips->m[i], t->crowd->rows[i]};
    }
    om_status st = OM_OK;
    // Units are sorted in parallel already; all of them together are not.
    if (!order && lengths >= RADIX_LEAST)
        st = sort_all(length, lengths);
    else
        qsort(length, lengths, sizeof *length, by_length);
    describe(length, lengths, out);
    om_free(length);
    return st;
}

static om_status tally_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct tallying *t = ctx;
    for (size_t u = first; u < end; u++)
        OM_TRY(tally(t, t->order + t->begin[u], t->begin[u + 1] - t->begin[u],
                     &t->out[u]));
    return OM_OK;
}

/* Counting sort: units keep their positions in order. */
static om_status order_by_unit(struct tallying *t, const uint32_t *unit,
                               size_t units)
{
    const size_t n = t->crowd->count;
    t->begin = om_calloc(units + 2, sizeof *t->begin);
    t->order = om_alloc_array(n + 1, sizeof *t->order);
    if (!t->begin || !t->order) return OM_E_MEMORY;
    if (units == 0) return OM_OK;
    for (size_t i = 0; i < n; i++)
        if (unit[i] < units) t->begin[unit[i] + 2]++;
    for (size_t u = 2; u < units + 2; u++) t->begin[u] += t->begin[u - 1];
    for (size_t i = 0; i < n; i++)
        if (unit[i] < units) t->order[t->begin[unit[i] + 1]++] = (uint32_t)i;
    return OM_OK;
}

om_status om_trips_tally(const struct om_crowd *crowd,
                         const struct om_trips *trips, const uint32_t *unit,
                         size_t units, const struct om_nearness *near,
                         size_t nears, struct om_tally *out)
{
    if (nears > OM_TALLY_LIMITS) return OM_E_LIMIT;
    struct tallying t = {.crowd = crowd,
                         .trips = trips,
                         .near = near,
                         .nears = nears,
                         .out = out};
    om_status st = order_by_unit(&t, unit, units);
    if (!st) st = om_parallel(units, 1, tally_range, &t);
    if (!st) st = tally(&t, NULL, crowd->count, &out[units]);
    om_free(t.begin);
    om_free(t.order);
    return st;
}
