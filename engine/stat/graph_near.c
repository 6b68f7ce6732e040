// graph_near.c - graphs from distances: bands and nearest ones.
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/stat/graph.h"
#include "engine/stat/near.h"

#define GRAIN 1024
/* Metres to which distances are rounded where nearest ones are chosen, so that
 * places which are equally far but for rounding count as such. */
#define NEAREST_STEP_M 1e-4
/* Places that a bucket of a search for nearest ones should hold. */
#define NEAREST_A_BUCKET 3.0

static int by_number(const void *a, const void *b)
{
    const uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return (p > q) - (p < q);
}

/* ---- within a distance ---- */

struct band_job {
    const struct om__near *near;
    double radius_m;
    size_t reach;         // buckets
    size_t *first;        // [count + 1] how many, then where
    uint32_t *to;         // NULL: count only
    atomic_size_t links;  // counted so far
};

static void visit_bucket(const struct band_job *job, size_t at, size_t bucket,
                         size_t *found)
{
    const struct om__near *near = job->near;
    const uint32_t self = near->index[at];
    for (size_t k = near->first[bucket]; k < near->first[bucket + 1]; k++) {
        if (k == at ||
            !om__near_within(&near->site[at], &near->site[k], job->radius_m))
            continue;
        if (job->to) job->to[job->first[self] + *found] = near->index[k];
        ++*found;
    }
}

static om_status band_stretch(void *ctx, size_t from, size_t end, size_t lane)
{
    (void)lane;
    struct band_job *job = ctx;
    const struct om__near *near = job->near;
    for (size_t at = from; at < end; at++) {
        const size_t col = om__near_col(near, near->site[at].x);
        const size_t row = om__near_row(near, near->site[at].y);
        const size_t west = col > job->reach ? col - job->reach : 0;
        const size_t north = row > job->reach ? row - job->reach : 0;
        size_t found = 0;
        for (size_t r = north; r <= row + job->reach && r < near->rows; r++)
            for (size_t c = west; c <= col + job->reach && c < near->cols; c++)
                visit_bucket(job, at, r * near->cols + c, &found);
        const uint32_t self = near->index[at];
        if (job->to)
            qsort(job->to + job->first[self], found, sizeof *job->to,
                  by_number);
        else
            job->first[self + 1] = found;
        // Known to be too many long before all are counted.
        if (!job->to &&
            atomic_fetch_add(&job->links, found) + found > OM_GRAPH_LINKS_MOST)
            return OM_E_COST;
    }
    return OM_OK;
}

static om_status band_run(struct band_job *job, struct om_graph *g)
{
    const size_t n = job->near->count;
    OM_TRY(om_parallel(n, GRAIN, band_stretch, job));
    for (size_t i = 0; i < n; i++) g->first[i + 1] += g->first[i];
    if (g->first[n] > OM_GRAPH_LINKS_MOST) return OM_E_COST;
    g->to = om_alloc_array(g->first[n] + 1, sizeof *g->to);
    if (!g->to) return OM_E_MEMORY;
    job->to = g->to;
    return om_parallel(n, GRAIN, band_stretch, job);
}

om_status om_graph_band(const struct om_centres *places, double radius_m,
                        struct om_graph *out)
{
    *out = (struct om_graph){0};
    if (!(radius_m >= 0 && radius_m <= OM_NEAR_RADIUS_MOST_M))
        return OM_E_RANGE;
    struct om__near near;
    OM_TRY(om__near_init(&near, places->x, places->y, places->count, radius_m));
    struct om_graph g = {.count = places->count};
    g.first = om_calloc(g.count + 1, sizeof *g.first);
    om_status st = g.first ? OM_OK : OM_E_MEMORY;
    struct band_job job = {
        .near = &near, .radius_m = radius_m, .first = g.first};
    if (!st && g.count) {
        job.reach = (size_t)(radius_m * (1 + OM__NEAR_DOUBT) /
                             (near.side * near.least_m)) +
                    1;
        st = band_run(&job, &g);
    }
    om__near_deinit(&near);
    if (st)
        om_graph_deinit(&g);
    else
        *out = g;
    return st;
}

/* ---- nearest ---- */

struct found {
    double m;  // a whole number of steps
    uint32_t index;
};

struct nearest_job {
    const struct om__near *near;
    size_t k;
    uint32_t *to;        // [count * k]
    struct found *heap;  // [lanes * k] largest first
};

static bool farther(struct found a, struct found b)
{
    return a.m != b.m ? a.m > b.m : a.index > b.index;
}

static void sift_down(struct found *heap, size_t n)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) return;
        if (child + 1 < n && farther(heap[child + 1], heap[child])) child++;
        if (!farther(heap[child], heap[at])) return;
        const struct found swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

static void offer(struct found *heap, size_t k, size_t *n, struct found f)
{
    if (*n == k) {
        if (!farther(heap[0], f)) return;
        heap[0] = f;
        sift_down(heap, k);
        return;
    }
    size_t at = (*n)++;
    heap[at] = f;
    while (at && farther(heap[at], heap[(at - 1) / 2])) {
        const struct found swap = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

static void offer_bucket(const struct nearest_job *job, size_t at,
                         size_t bucket, struct found *heap, size_t *n)
{
    const struct om__near *near = job->near;
    for (size_t i = near->first[bucket]; i < near->first[bucket + 1]; i++) {
        if (i == at) continue;
        // Certainly beyond the farthest of those found: not worth the geodesic.
        const double m2 = om__near_m2(&near->site[at], &near->site[i]);
        const double far_m = heap[0].m * NEAREST_STEP_M + NEAREST_STEP_M;
        if (*n == job->k && far_m < OM_NEAR_RADIUS_MOST_M &&
            m2 > far_m * far_m * (1 + OM__NEAR_DOUBT))
            continue;
        const double m = om__near_exact_m(&near->site[at], &near->site[i]);
        const struct found f = {round(m / NEAREST_STEP_M), near->index[i]};
        offer(heap, job->k, n, f);
    }
}

/* The buckets of a ring `step` away from (col, row), those that there are. */
static bool offer_ring(const struct nearest_job *job, size_t at, size_t step,
                       struct found *heap, size_t *n)
{
    const struct om__near *near = job->near;
    const long col = (long)om__near_col(near, near->site[at].x);
    const long row = (long)om__near_row(near, near->site[at].y);
    const long s = (long)step, cols = (long)near->cols, rows = (long)near->rows;
    bool any = false;
    for (long r = row - s; r <= row + s; r++) {
        if (r < 0 || r >= rows) continue;
        const bool edge = r == row - s || r == row + s;
        for (long c = col - s; c <= col + s; c += edge || !s ? 1 : 2 * s) {
            if (c < 0 || c >= cols) continue;
            any = true;
            offer_bucket(job, at, (size_t)(r * cols + c), heap, n);
        }
    }
    return any;
}

static om_status nearest_stretch(void *ctx, size_t from, size_t end,
                                 size_t lane)
{
    const struct nearest_job *job = ctx;
    const struct om__near *near = job->near;
    struct found *heap = job->heap + lane * job->k;
    for (size_t at = from; at < end; at++) {
        size_t n = 0;
        for (size_t step = 0;; step++) {
            // Whatever is `step` buckets away is at least step - 1 sides far.
            const double least_m = step ? ((double)step - 1) * near->side *
                                              near->least_m *
                                              (1 - OM__NEAR_DOUBT)
                                        : 0;
            if (n == job->k && least_m > (heap[0].m + 1) * NEAREST_STEP_M)
                break;
            if (!offer_ring(job, at, step, heap, &n)) break;
        }
        uint32_t *to = job->to + near->index[at] * job->k;
        for (size_t i = 0; i < n; i++) to[i] = heap[i].index;
        qsort(to, n, sizeof *to, by_number);
    }
    return OM_OK;
}

static double nearest_side_m(const struct om_centres *p)
{
    double west = INFINITY, east = -INFINITY, north = INFINITY,
           south = -INFINITY;
    for (size_t i = 0; i < p->count; i++) {
        west = fmin(west, p->x[i]);
        east = fmax(east, p->x[i]);
        north = fmin(north, p->y[i]);
        south = fmax(south, p->y[i]);
    }
    struct om__near_site site;
    om__near_site_init(&site, west, (north + south) / 2);
    const double area = (east - west) * (south - north);
    const double side = sqrt(area * NEAREST_A_BUCKET / (double)p->count);
    return fmax(side, (east - west + south - north) / (double)p->count) *
               site.x_m +
           1e-3;
}

om_status om_graph_nearest(const struct om_centres *places, size_t k,
                           struct om_graph *out)
{
    *out = (struct om_graph){0};
    const size_t n = places->count;
    if (n && k > n - 1) k = n - 1;
    size_t links;
    if (!om_mul_size(n, k, &links) || links > OM_GRAPH_LINKS_MOST)
        return OM_E_COST;
    struct om_graph g = {.count = n};
    struct om__near near = {0};
    struct nearest_job job = {.near = &near, .k = k};
    g.first = om_calloc(n + 1, sizeof *g.first);
    g.to = om_alloc_array(links + 1, sizeof *g.to);
    job.heap = om_alloc_array(om_threads() * (k + 1), sizeof *job.heap);
    om_status st = g.first && g.to && job.heap ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < n && !st; i++) g.first[i + 1] = g.first[i] + k;
    if (!st && links) {
        st = om__near_init(&near, places->x, places->y, n,
                           nearest_side_m(places));
        job.to = g.to;
        if (!st) st = om_parallel(n, GRAIN, nearest_stretch, &job);
    }
    om__near_deinit(&near);
    om_free(job.heap);
    if (st)
        om_graph_deinit(&g);
    else
        *out = g;
    return st;
}
