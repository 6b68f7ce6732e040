/* cluster.c - DBSCAN over square buckets.
 *
 * DESIGN
 * Points at one place are one site with a weight. Sites lie in buckets whose
 * diagonal is at most eps, so that
 * (1) all sites of a bucket are within eps of each other: a bucket of `least`
 *     points is all core, and core sites of one bucket are of one cluster;
 * (2) whoever is within eps of a site lies within `reach` buckets of it.
 * So sites are tested one by one only in thin buckets, and clusters are united
 * bucket by bucket: a pair needs one pair of core sites within eps, and none
 * where both are of one cluster already, which near buckets nearly always are
 * by the time that far ones are looked at. We rejected a tree and a query per
 * point (what scikit-learn does): its cost is the number of pairs.
 */
#include "engine/stat/cluster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/shape/shape.h"
#include "engine/stat/near.h"

#define GRAIN 512

struct bucket {
    uint64_t key;    // row * width + column
    uint32_t first;  // of its sites; the next bucket's is its end
    uint32_t cores;  // core sites, at its beginning after order_cores
    uint64_t weight;
};

struct work {
    double eps_m;
    uint64_t least;
    size_t points, sites, buckets;
    uint64_t *code;  // [points] sorted
    uint32_t *row;   // [points] beside it
    uint64_t *scratch;
    uint32_t *row_scratch;
    // Sites, in the order of buckets.
    struct om__near_site *site;
    uint32_t *first_point;  // [sites] in `code`; weight[] of them follow
    uint32_t *weight;
    bool *core;
    uint32_t *label;        // [sites]
    struct bucket *bucket;  // [buckets + 1]
    uint32_t *near_first;   // [rows of reach][buckets] first bucket within it
    uint32_t *parent;       // [buckets] union-find
    uint64_t reach, width;
};

static void free_work(struct work *w)
{
    om_free(w->code);
    om_free(w->row);
    om_free(w->scratch);
    om_free(w->row_scratch);
    om_free(w->site);
    om_free(w->first_point);
    om_free(w->weight);
    om_free(w->core);
    om_free(w->label);
    om_free(w->bucket);
    om_free(w->near_first);
    om_free(w->parent);
}

/* ---- sites in buckets ---- */

static om_status sort_points(struct work *w, const struct om_pos *pos)
{
    const size_t n = w->points;
    w->code = om_alloc_array(n + 1, sizeof *w->code);
    w->row = om_alloc_array(n + 1, sizeof *w->row);
    w->scratch = om_alloc_array(n + 1, sizeof *w->scratch);
    w->row_scratch = om_alloc_array(n + 1, sizeof *w->row_scratch);
    if (!w->code || !w->row || !w->scratch || !w->row_scratch)
        return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        w->code[i] = om_morton(pos[i]);
        w->row[i] = (uint32_t)i;
    }
    OM_TRY(om_sort_keys(w->code, w->row, w->scratch, w->row_scratch, n));
    for (size_t i = 0; i < n; i++)
        w->sites += !i || w->code[i] != w->code[i - 1];
    return OM_OK;
}

/* Width of a bucket in grid cells, and how far eps reaches. */
struct frame {
    double side;
    uint32_t x0, y0;
};

static struct frame lay_out(struct work *w)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < w->points; i++) {
        const struct om_pos p = om_morton_pos(w->code[i]);
        om_box_widen(&box, (struct om_box){p.x, p.y, p.x, p.y});
    }
    double least = INFINITY, most = 0;
    // Cells are largest at the equator and smallest at the far end.
    const double half = OM_POS_SIDE / 2;
    const double at[] = {box.y0, box.y1, fmin(fmax(box.y0, half), box.y1)};
    for (int k = 0; k < 3; k++) {
        struct om__near_site s;
        om__near_site_init(&s, box.x0, at[k]);
        least = fmin(least, fmin(s.x_m, s.y_m));
        most = fmax(most, fmax(s.x_m, s.y_m));
    }
    // A little less, so that rounding cannot make a diagonal too long.
    const double side =
        fmax(floor(w->eps_m * (1 - OM__NEAR_DOUBT) / (sqrt(2.0) * most)), 1);
    w->reach = (uint64_t)(w->eps_m * (1 + OM__NEAR_DOUBT) / (least * side)) + 1;
    w->width = (uint64_t)((box.x1 - box.x0) / side) + 1 + 2 * w->reach;
    return (struct frame){side, box.x0, box.y0};
}

static om_status make_sites(struct work *w, const struct frame *f)
{
    const size_t n = w->sites;
    uint64_t *key = w->scratch;
    uint32_t *order = w->row_scratch, *start;
    uint64_t *key_scratch = om_alloc_array(n + 1, sizeof *key_scratch);
    start = om_alloc_array(2 * n + 2, sizeof *start);
    w->site = om_alloc_array(n + 1, sizeof *w->site);
    w->first_point = om_alloc_array(n + 1, sizeof *w->first_point);
    w->weight = om_alloc_array(n + 1, sizeof *w->weight);
    w->core = om_calloc(n + 1, sizeof *w->core);
    w->label = om_alloc_array(n + 1, sizeof *w->label);
    om_status st = key_scratch && start && w->site && w->first_point &&
                           w->weight && w->core && w->label
                       ? OM_OK
                       : OM_E_MEMORY;
    if (st) goto done;
    size_t s = 0;
    for (size_t i = 0; i < w->points; i++) {
        if (i && w->code[i] == w->code[i - 1]) continue;
        const struct om_pos p = om_morton_pos(w->code[i]);
        const uint64_t col = (uint64_t)((p.x - f->x0) / f->side) + w->reach;
        const uint64_t row = (uint64_t)((p.y - f->y0) / f->side);
        key[s] = row * w->width + col;
        order[s] = (uint32_t)s;
        start[s++] = (uint32_t)i;
    }
    start[s] = (uint32_t)w->points;
    st = om_sort_keys(key, order, key_scratch, start + n + 1, n);
    for (size_t i = 0; i < n && !st; i++) {
        w->first_point[i] = start[order[i]];
        w->weight[i] = start[order[i] + 1] - start[order[i]];
    }
done:
    om_free(key_scratch);
    om_free(start);
    return st;
}

static om_status place_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct work *w = ctx;
    for (size_t i = first; i < end; i++) {
        const struct om_pos p = om_morton_pos(w->code[w->first_point[i]]);
        om__near_site_init(&w->site[i], p.x + 0.5, p.y + 0.5);
    }
    return OM_OK;
}

static om_status make_buckets(struct work *w)
{
    const uint64_t *key = w->scratch;
    for (size_t i = 0; i < w->sites; i++)
        w->buckets += !i || key[i] != key[i - 1];
    w->bucket = om_calloc(w->buckets + 1, sizeof *w->bucket);
    w->parent = om_alloc_array(w->buckets + 1, sizeof *w->parent);
    const uint64_t rows = 2 * w->reach + 1;
    w->near_first =
        om_alloc_array(w->buckets * rows + 1, sizeof *w->near_first);
    if (!w->bucket || !w->parent || !w->near_first) return OM_E_MEMORY;
    size_t b = 0;
    for (size_t i = 0; i < w->sites; i++) {
        if (!i || key[i] != key[i - 1])
            w->bucket[b++] =
                (struct bucket){.key = key[i], .first = (uint32_t)i};
        w->bucket[b - 1].weight += w->weight[i];
    }
    w->bucket[b].first = (uint32_t)w->sites;
    // For each row of the reach a pointer that only moves forward.
    for (uint64_t r = 0; r < rows; r++) {
        uint32_t at = 0;
        for (b = 0; b < w->buckets; b++) {
            // key + (r - reach) rows - reach columns, if there is such a row.
            const uint64_t up = w->reach * (w->width + 1);
            const uint64_t want = w->bucket[b].key + r * w->width;
            while (at < w->buckets && w->bucket[at].key + up < want) at++;
            w->near_first[r * w->buckets + b] = at;
        }
    }
    return om_parallel(w->sites, 4 * GRAIN, place_stretch, w);
}

/* Visit the buckets within reach of bucket b, itself too. */
#define EACH_NEAR(w, b, r, at)                                     \
    for (uint64_t r = 0; r <= 2 * (w)->reach; r++)                 \
        for (size_t at = (w)->near_first[r * (w)->buckets + (b)];  \
             at < (w)->buckets &&                                  \
             (w)->bucket[at].key + (w)->reach * (w)->width <=      \
                 (w)->bucket[b].key + r * (w)->width + (w)->reach; \
             at++)

/* ---- core sites ---- */

/* Are there `least` points within eps of site i of bucket b? */
static bool is_core(const struct work *w, size_t b, size_t i)
{
    uint64_t found = w->bucket[b].weight;  // (1)
    EACH_NEAR(w, b, r, at)
    {
        if (at == b) continue;
        const uint32_t end = w->bucket[at + 1].first;
        for (uint32_t k = w->bucket[at].first; k < end; k++) {
            if (!om__near_within(&w->site[i], &w->site[k], w->eps_m)) continue;
            found += w->weight[k];
            if (found >= w->least) return true;
        }
    }
    return found >= w->least;
}

static om_status core_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct work *w = ctx;
    for (size_t b = first; b < end; b++) {
        const bool all = w->bucket[b].weight >= w->least;
        for (size_t i = w->bucket[b].first; i < w->bucket[b + 1].first; i++) {
            w->core[i] = all || is_core(w, b, i);
            w->bucket[b].cores += w->core[i];
        }
    }
    return OM_OK;
}

/* ---- clusters ---- */

static uint32_t root_of(struct work *w, uint32_t b)
{
    while (w->parent[b] != b) b = w->parent[b] = w->parent[w->parent[b]];
    return b;
}

/* Where the core sites of a bucket lie. */
struct extent {
    double west, north, east, south;
};

static struct extent core_extent(const struct work *w, size_t b)
{
    struct extent e = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = w->bucket[b].first; i < w->bucket[b + 1].first; i++) {
        if (!w->core[i]) continue;
        e.west = fmin(e.west, w->site[i].x);
        e.east = fmax(e.east, w->site[i].x);
        e.north = fmin(e.north, w->site[i].y);
        e.south = fmax(e.south, w->site[i].y);
    }
    return e;
}

/* Have two buckets core sites within eps of each other? */
static bool joined(const struct work *w, size_t a, size_t b)
{
    const struct extent e = core_extent(w, b);
    for (size_t i = w->bucket[a].first; i < w->bucket[a + 1].first; i++) {
        if (!w->core[i]) continue;
        struct om__near_site near = w->site[i];
        near.x = fmin(fmax(near.x, e.west), e.east);
        near.y = fmin(fmax(near.y, e.north), e.south);
        if (om__near_m2(&w->site[i], &near) >
            w->eps_m * w->eps_m * (1 + 4 * OM__NEAR_DOUBT))
            continue;
        for (size_t k = w->bucket[b].first; k < w->bucket[b + 1].first; k++)
            if (w->core[k] &&
                om__near_within(&w->site[i], &w->site[k], w->eps_m))
                return true;
    }
    return false;
}

/* Unite buckets: those side by side first, then the others (DESIGN). */
static om_status unite(struct work *w)
{
    for (size_t b = 0; b < w->buckets; b++) w->parent[b] = (uint32_t)b;
    for (int pass = 0; pass < 2; pass++)
        for (size_t b = 0; b < w->buckets; b++) {
            if (om_cancelled()) return OM_E_STOPPED;
            if (!w->bucket[b].cores) continue;
            EACH_NEAR(w, b, r, at)
            {
                if (at <= b || !w->bucket[at].cores) continue;
                const uint64_t step = w->bucket[at].key - w->bucket[b].key;
                const bool beside = step == 1 || step - w->width + 1 <= 2;
                if (beside != !pass) continue;
                const uint32_t p = root_of(w, (uint32_t)b);
                const uint32_t q = root_of(w, (uint32_t)at);
                if (p == q || !joined(w, b, at)) continue;
                w->parent[p > q ? p : q] = p < q ? p : q;
            }
        }
    return OM_OK;
}

/* The bucket of the core site nearest to site i, OM_NOISE if none is within
 * eps. */
static uint32_t border_of(const struct work *w, size_t b, size_t i)
{
    uint32_t best = OM_NOISE;
    double least = INFINITY;
    uint64_t least_code = 0;
    EACH_NEAR(w, b, r, at)
    {
        if (!w->bucket[at].cores) continue;
        for (size_t k = w->bucket[at].first; k < w->bucket[at + 1].first; k++) {
            if (!w->core[k]) continue;
            const double m2 = om__near_m2(&w->site[i], &w->site[k]);
            const uint64_t code = w->code[w->first_point[k]];
            if (m2 > least || (m2 == least && code > least_code) ||
                !om__near_within(&w->site[i], &w->site[k], w->eps_m))
                continue;
            least = m2;
            least_code = code;
            best = (uint32_t)at;
        }
    }
    return best;
}

static om_status label_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct work *w = ctx;
    for (size_t b = first; b < end; b++)
        for (size_t i = w->bucket[b].first; i < w->bucket[b + 1].first; i++) {
            const uint32_t of = w->core[i] ? (uint32_t)b : border_of(w, b, i);
            // parent holds roots by now.
            w->label[i] = of == OM_NOISE ? OM_NOISE : w->parent[of];
        }
    return OM_OK;
}

/* ---- the answer ---- */

struct rank {
    uint64_t points, code;
    uint32_t root;
};

static int by_size(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    if (p->points != q->points) return p->points > q->points ? -1 : 1;
    return (p->code > q->code) - (p->code < q->code);
}

/* Roots become numbers from the largest cluster on: parent[root] = number. */
static om_status number_clusters(struct work *w, struct om_clusters *out)
{
    struct rank *rank = om_calloc(w->buckets + 1, sizeof *rank);
    if (!rank) return OM_E_MEMORY;
    for (size_t b = 0; b < w->buckets; b++)
        rank[b] = (struct rank){0, UINT64_MAX, (uint32_t)b};
    for (size_t i = 0; i < w->sites; i++) {
        if (w->label[i] == OM_NOISE) {
            out->noise += w->weight[i];
            continue;
        }
        struct rank *r = &rank[w->label[i]];
        const uint64_t code = w->code[w->first_point[i]];
        r->points += w->weight[i];
        if (w->core[i] && code < r->code) r->code = code;
    }
    qsort(rank, w->buckets, sizeof *rank, by_size);
    while (out->count < w->buckets && rank[out->count].points) {
        w->parent[rank[out->count].root] = (uint32_t)out->count;
        out->count++;
    }
    om_free(rank);
    return OM_OK;
}

static om_status write_points(struct work *w, struct om_clusters *out)
{
    out->of = om_arena_calloc(&out->arena, w->points + 1, sizeof *out->of);
    out->core = om_arena_calloc(&out->arena, w->points + 1, sizeof *out->core);
    out->cluster =
        om_arena_calloc(&out->arena, out->count + 1, sizeof *out->cluster);
    if (!out->of || !out->core || !out->cluster) return OM_E_MEMORY;
    for (size_t i = 0; i < w->sites; i++) {
        const uint32_t of =
            w->label[i] == OM_NOISE ? OM_NOISE : w->parent[w->label[i]];
        w->label[i] = of;
        for (size_t k = 0; k < w->weight[i]; k++) {
            const uint32_t point = w->row[w->first_point[i] + k];
            out->of[point] = of;
            out->core[point] = w->core[i];
        }
    }
    return OM_OK;
}

/* Positions of all clusters, each cluster's together; start [count + 1]. */
static om_status gather(const struct work *w, struct om_clusters *out,
                        struct om_pos **pos, size_t **start)
{
    *pos = om_alloc_array(w->sites + 1, sizeof **pos);
    *start = om_calloc(out->count + 2, sizeof **start);
    if (!*pos || !*start) return OM_E_MEMORY;
    for (size_t i = 0; i < w->sites; i++)
        if (w->label[i] != OM_NOISE) (*start)[w->label[i] + 2]++;
    for (size_t c = 0; c < out->count; c++) (*start)[c + 2] += (*start)[c + 1];
    for (size_t i = 0; i < w->sites; i++) {
        if (w->label[i] == OM_NOISE) continue;
        struct om_cluster *c = &out->cluster[w->label[i]];
        const struct om_pos p = om_morton_pos(w->code[w->first_point[i]]);
        c->points += w->weight[i];
        c->cores += w->core[i] ? w->weight[i] : 0;
        c->x += (double)w->weight[i] * (p.x + 0.5);
        c->y += (double)w->weight[i] * (p.y + 0.5);
        (*pos)[(*start)[w->label[i] + 1]++] = p;
    }
    return OM_OK;
}

static om_status make_hulls(const struct work *w, struct om_clusters *out)
{
    struct om_pos *pos = NULL, *corner;
    size_t *start = NULL, corners = 0;
    const size_t n = out->count;
    om_status st = gather(w, out, &pos, &start);
    uint32_t *part = om_arena_calloc(&out->arena, n + 1, sizeof *part);
    uint32_t *ring = om_arena_calloc(&out->arena, n + 1, sizeof *ring);
    uint32_t *vertex = om_arena_calloc(&out->arena, n + 1, sizeof *vertex);
    struct om_box *box = om_arena_calloc(&out->arena, n + 1, sizeof *box);
    corner = om_arena_alloc(&out->arena, (w->sites + 1) * sizeof *corner);
    if (!part || !ring || !vertex || !box || !corner) st = OM_E_MEMORY;
    uint32_t rings = 0;
    for (size_t c = 0; c < n && !st; c++) {
        if (om_cancelled()) st = OM_E_STOPPED;
        const size_t k =
            om_hull(pos + start[c], start[c + 1] - start[c], corner + corners);
        box[c] = OM_BOX_NONE;
        for (size_t i = 0; i < k; i++) {
            const struct om_pos p = corner[corners + i];
            om_box_widen(&box[c], (struct om_box){p.x, p.y, p.x, p.y});
        }
        if (k > 2) {
            corners += k;
            vertex[++rings] = (uint32_t)corners;
            ring[rings] = rings;
        }
        part[c + 1] = rings;
        out->cluster[c].x /= (double)out->cluster[c].points;
        out->cluster[c].y /= (double)out->cluster[c].points;
    }
    if (!st) {
        out->hull = (struct om_rings){n, part, ring, vertex, corner, box};
        for (size_t c = 0; c < n; c++)
            if (part[c + 1] > part[c])
                out->cluster[c].area_km2 = om_rings_area_km2(&out->hull, c);
    }
    om_free(pos);
    om_free(start);
    return st;
}

static om_status find(struct work *w, const struct om_pos *pos,
                      struct om_clusters *out)
{
    OM_TRY(sort_points(w, pos));
    const struct frame frame = lay_out(w);
    OM_TRY(make_sites(w, &frame));
    OM_TRY(make_buckets(w));
    OM_TRY(om_parallel(w->buckets, GRAIN, core_stretch, w));
    OM_TRY(unite(w));
    for (size_t b = 0; b < w->buckets; b++)
        w->parent[b] = root_of(w, (uint32_t)b);
    OM_TRY(om_parallel(w->buckets, GRAIN, label_stretch, w));
    OM_TRY(number_clusters(w, out));
    OM_TRY(write_points(w, out));
    return make_hulls(w, out);
}

om_status om_clusters_find(const struct om_pos *pos, size_t n, double eps_m,
                           uint64_t least, struct om_clusters *out)
{
    *out = (struct om_clusters){.points = n};
    if (!(eps_m > 0 && eps_m <= OM_NEAR_RADIUS_MOST_M) || !least)
        return OM_E_RANGE;
    if (n >= UINT32_MAX - 1) return OM_E_LIMIT;
    if (!n) return OM_OK;
    struct work w = {.eps_m = eps_m, .least = least, .points = n};
    const om_status st = find(&w, pos, out);
    free_work(&w);
    if (st) om_clusters_deinit(out);
    return st;
}

void om_clusters_deinit(struct om_clusters *clusters)
{
    om_arena_deinit(&clusters->arena);
    *clusters = (struct om_clusters){0};
}
