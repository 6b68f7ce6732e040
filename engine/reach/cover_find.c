/* cover_find.c - the best K sites of many, most of which are never measured.
 *
 * DESIGN
 * What a site can cover at most is cheap to know, what it covers is not. Sites
 * are measured in the order of the former, in batches, and after each batch
 * the best K of those known are chosen. No site that could at most cover what
 * the least of the chosen ones covers alone can gain by taking its place: once
 * all that are left are such, the choice is one that no exchange with any site
 * betters, the same property as if all had been measured.
 */
#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/reach/cover_internal.h"

#define BATCH 512

struct ranked {
    int64_t at_most;
    uint32_t site;
};
struct finding {
    const struct om_travel *travel;
    const struct om_pos *site;
    const uint64_t *demand;
    const struct om_snap *snap;
    const int64_t *weight;
    struct om_nearness near;
    struct ranked *rank;  // [sites]
    int64_t *at_most;     // [sites]
    struct om_cover cover;
    size_t known;
    uint64_t work;  // that is left
};

static int by_at_most(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->at_most != y->at_most) return x->at_most > y->at_most ? -1 : 1;
    return (x->site > y->site) - (x->site < y->site);
}

static om_status rank_sites(struct finding *f)
{
    const size_t n = f->cover.sites;
    f->cover.list = om_calloc(n + 1, sizeof *f->cover.list);
    f->cover.n = om_calloc(n + 1, sizeof *f->cover.n);
    f->rank = om_alloc_array(n + 1, sizeof *f->rank);
    f->at_most = om_alloc_array(n + 1, sizeof *f->at_most);
    if (!f->cover.list || !f->cover.n || !f->rank || !f->at_most)
        return OM_E_MEMORY;
    OM_TRY(om__cover_at_most(f->site, n, f->demand, f->weight, f->cover.demands,
                             om__cover_radius_m(f->travel, f->near),
                             f->at_most));
    for (size_t s = 0; s < n; s++)
        f->rank[s] = (struct ranked){f->at_most[s], (uint32_t)s};
    qsort(f->rank, n, sizeof *f->rank, by_at_most);
    return OM_OK;
}

/* Measure the next sites in rank, up to `end`. */
static om_status measure(struct finding *f, size_t end)
{
    const size_t first = f->known, n = end - first;
    struct om_cover some = {0};
    struct om_pos *site = om_alloc_array(n + 1, sizeof *site);
    if (!site) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) site[i] = f->site[f->rank[first + i].site];
    om_status st = om_cover_make(f->travel, site, n, f->demand, f->snap,
                                 f->cover.demands, f->near, &some);
    if (!st && f->cover.pairs + some.pairs > OM_LIMIT_COVER_PAIRS)
        st = OM_E_COST;
    for (size_t i = 0; i < n && !st; i++) {
        const uint32_t s = f->rank[first + i].site;
        f->cover.list[s] = some.list[i];
        f->cover.n[s] = some.n[i];
        some.list[i] = NULL;
    }
    if (!st) {
        f->cover.pairs += some.pairs;
        f->known = end;
    }
    om_cover_deinit(&some);
    om_free(site);
    return st;
}

/* Sites in rank that could still better a choice. */
static size_t hopeful(const struct finding *f, int64_t least)
{
    size_t end = f->known;
    while (end < f->cover.sites && f->rank[end].at_most > least) end++;
    return end;
}

static om_status find(struct finding *f, size_t k, struct om_choice *out)
{
    size_t end = hopeful(f, 0);
    // Fewer demands than sites are measured from the demands, all at once.
    const bool few = f->travel->roads && f->cover.demands < end;
    if (end > BATCH && !few) end = BATCH;
    for (size_t batch = BATCH;; batch *= 2) {
        int64_t least;
        OM_TRY(measure(f, end));
        om_choice_deinit(out);
        OM_TRY(om__cover_choose(&f->cover, f->weight, f->at_most, k, out,
                                &f->work, &least));
        end = hopeful(f, least);
        if (end == f->known) return OM_OK;
        if (end - f->known > batch) end = f->known + batch;
    }
}

om_status om_cover_find(const struct om_travel *travel,
                        const struct om_pos *site, size_t sites,
                        const uint64_t *demand, const struct om_snap *snap,
                        const int64_t *weight, size_t demands,
                        struct om_nearness near, size_t k,
                        struct om_choice *out)
{
    *out = (struct om_choice){0};
    if (!(near.at_most >= 0 && isfinite(near.at_most))) return OM_E_RANGE;
    struct finding f = {.travel = travel,
                        .site = site,
                        .demand = demand,
                        .snap = snap,
                        .weight = weight,
                        .near = near,
                        .work = OM_LIMIT_COVER_WORK,
                        .cover = {.sites = sites, .demands = demands}};
    // A travel that cannot be is found out before its numbers are used.
    om_status st = measure(&f, 0);
    if (!st) st = rank_sites(&f);
    if (!st) st = find(&f, k, out);
    out->measured = f.known;
    om_cover_deinit(&f.cover);
    om_free(f.rank);
    om_free(f.at_most);
    if (st) om_choice_deinit(out);
    out->tired = st == OM_E_COST && !f.work;
    return st;
}
