/* hotspots_cube.c - emerging hotspots: Gi* in every slice, and its trend.
 *
 * Slices are whole steps counted back from the end of the period, so that the
 * last one is never half full; rows before the first whole one, or before the
 * newest OM_SLICES_MOST of a period without a beginning, are left out and
 * counted. With an exposure each slice is compared with the city's mean of
 * that slice, and a slice in which an area had no exposure says nothing (0).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/stat/emerging.h"
#include "engine/stat/fdr.h"
#include "engine/stat/hotspots_internal.h"
#include "engine/stat/trend.h"

#define GRAIN 256
/* Bins of a cube: each takes some 60 bytes while it is worked on. */
#define BINS_MOST ((size_t)1 << 23)

/* [kinds][slices][areas], and which areas are known. */
struct cube {
    struct om__hunt *hunt;
    size_t slices;
    int64_t *bound;  // [slices + 1]
    struct om_census exposed;
    bool *known;  // [areas]
    double *value, *z, *p, *q;
    int8_t *bin;
    // Known areas only, packed.
    struct om_graph graph;
    bool own;
    double *packed;
};

static void free_cube(struct cube *c)
{
    om_census_deinit(&c->exposed);
    om_free(c->bound);
    om_free(c->known);
    om_free(c->value);
    om_free(c->bin);
    om_free(c->packed);
    if (c->own) om_graph_deinit(&c->graph);
}

/* ---- slices ---- */

static size_t count_slices(const struct om__hunt *hunt,
                           const struct om_stride *step)
{
    return om_stride_count(step, hunt->out->from_s, hunt->out->to_s,
                           hunt->zone_s, OM_SLICES_MOST + 1);
}

static om_status choose_step(struct om__hunt *hunt, size_t *slices)
{
    static const struct om_stride STEP[] = {{0}, {7}, {1}};
    struct om_hotspots *out = hunt->out;
    *slices = 0;
    out->step = hunt->ask->step;
    if (hunt->ask->stepped) *slices = count_slices(hunt, &out->step);
    for (size_t i = 0; i < 3 && !hunt->ask->stepped; i++) {
        out->step = STEP[i];
        *slices = count_slices(hunt, &out->step);
        if (*slices >= OM_SLICES_LEAST) break;
    }
    // Of all times the newest steps: one odd time does not take the others.
    const struct om_window *w = &hunt->ask->window;
    if (*slices > OM_SLICES_MOST && (!w->set || w->from_s == INT64_MIN))
        *slices = OM_SLICES_MOST;
    if (*slices >= OM_SLICES_LEAST && *slices <= OM_SLICES_MOST) return OM_OK;
    return om_fail(hunt->err, OM_E_RANGE, 0,
                   "step: the period holds %s%zu whole steps, and emerging "
                   "hotspots need %d to %d: take a %s step or another period",
                   *slices > OM_SLICES_MOST ? "more than " : "",
                   *slices > OM_SLICES_MOST ? (size_t)OM_SLICES_MOST : *slices,
                   OM_SLICES_LEAST, OM_SLICES_MOST,
                   *slices > OM_SLICES_MOST ? "longer" : "shorter");
}

static om_status plan(struct cube *c)
{
    struct om__hunt *hunt = c->hunt;
    OM_TRY(choose_step(hunt, &c->slices));
    c->bound = om_alloc_array(c->slices + 1, sizeof *c->bound);
    if (!c->bound) return OM_E_MEMORY;
    for (size_t t = 0; t <= c->slices; t++)
        c->bound[t] = om_stride_back(&hunt->out->step, hunt->out->to_s,
                                     hunt->zone_s, c->slices - t);
    hunt->out->slices = c->slices;
    return OM_OK;
}

static om_status check_size(const struct cube *c, size_t kinds)
{
    const size_t n = c->hunt->areas;
    if (!n || kinds * c->slices <= BINS_MOST / n) return OM_OK;
    return om_fail(c->hunt->err, OM_E_COST, 0,
                   "units: %zu areas in %zu slices and %zu kinds are more than "
                   "%zu bins; take larger units, a longer step or one kind",
                   n, c->slices, kinds, BINS_MOST);
}

static om_status count(struct cube *c)
{
    struct om__hunt *hunt = c->hunt;
    OM_TRY(check_size(c, 1));
    const int64_t early[] = {hunt->out->from_s, c->bound[0]};
    OM_TRY(om__hunt_tally(hunt, false, c->slices, c->bound, &hunt->out->tally));
    OM_TRY(check_size(c, hunt->out->tally.kinds));
    if (early[0] < early[1]) {
        struct om_census before;
        OM_TRY(om__hunt_tally(hunt, false, 1, early, &before));
        hunt->out->early = before.rows;
        om_census_deinit(&before);
    }
    hunt->out->from_s = c->bound[0];
    if (!om__hunt_exposed(hunt)) return OM_OK;
    return om__hunt_tally(hunt, true, c->slices, c->bound, &c->exposed);
}

/* ---- totals over all slices ---- */

static void add_slices(const struct om_census *t, const double *from,
                       size_t kind, double *out)
{
    memset(out, 0, t->areas * sizeof *out);
    for (size_t s = 0; s < t->slices; s++)
        for (size_t i = 0; i < t->areas; i++)
            out[i] += from[(kind * t->slices + s) * t->areas + i];
}

static om_status judge_totals(struct cube *c)
{
    struct om__hunt *hunt = c->hunt;
    const struct om_census *cases = &hunt->out->tally;
    const size_t n = hunt->areas;
    double *sum = om_alloc_array(3 * n + 1, sizeof *sum);
    om_status st = sum ? OM_OK : OM_E_MEMORY;
    const bool exposed = c->exposed.sum != NULL;
    if (!st && exposed) {
        add_slices(&c->exposed, c->exposed.sum, 0, sum + 2 * n);
        om__hunt_floor(hunt, sum + 2 * n);
    }
    for (size_t i = 0; i < n && !st; i++)
        c->known[i] = !exposed || sum[2 * n + i] > 0;
    for (size_t k = 0; k < hunt->kinds && !st; k++) {
        add_slices(cases, cases->count, k, sum);
        add_slices(cases, cases->sum, k, sum + n);
        st =
            om__hunt_judge(hunt, k, sum, sum + n, exposed ? sum + 2 * n : NULL);
    }
    om_free(sum);
    return st;
}

/* ---- every slice ---- */

static om_status fill_values(struct cube *c, size_t kind)
{
    const struct om__hunt *hunt = c->hunt;
    for (size_t t = 0; t < c->slices; t++) {
        double *value = c->value + (kind * c->slices + t) * hunt->areas;
        const double *exposure =
            !c->exposed.sum
                ? NULL
                : om_census_sums(&c->exposed, 0, c->exposed.slices > 1 ? t : 0);
        struct om_rates rates;
        OM_TRY(om__hunt_values(hunt, om_census_sums(&hunt->out->tally, kind, t),
                               exposure, value, &rates));
        const double mean =
            hunt->ask->rate == OM_RATE_STANDARD || !exposure ? 0 : rates.mean;
        for (size_t i = 0; i < hunt->areas; i++)
            if (c->known[i] && isnan(value[i])) value[i] = mean;
    }
    return OM_OK;
}

static om_status test_kind(struct cube *c, size_t kind)
{
    const struct om__hunt *hunt = c->hunt;
    const size_t n = hunt->areas, m = c->graph.count;
    double *z = c->z + kind * c->slices * n;
    const double *value = c->value + kind * c->slices * n;
    double *packed = c->packed, *found = c->packed + m * c->slices;
    size_t at = 0;
    for (size_t bin = 0; bin < c->slices * n; bin++)
        if (c->known[bin % n]) packed[at++] = value[bin];
    OM_TRY(om_gistar_cube(&c->graph, packed, c->slices, hunt->ask->by_slice,
                          found));
    at = 0;
    for (size_t bin = 0; bin < c->slices * n; bin++)
        z[bin] = c->known[bin % n] ? found[at++] : NAN;
    return OM_OK;
}

static om_status test_bins(struct cube *c)
{
    const size_t all = c->hunt->kinds * c->slices * c->hunt->areas;
    for (size_t k = 0; k < c->hunt->kinds; k++) {
        OM_TRY(fill_values(c, k));
        OM_TRY(test_kind(c, k));
    }
    om_normal_ps(c->z, all, c->p);
    OM_TRY(om_fdr_q(c->p, all, c->q));
    for (size_t i = 0; i < all; i++)
        c->bin[i] = (int8_t)(isnan(c->z[i]) ? 0 : om_fdr_bin(c->z[i], c->q[i]));
    static const double ALPHA[3] = {0.1, 0.05, 0.01};
    for (int k = 0; k < 3; k++)
        c->hunt->out->threshold[k] =
            om_fdr_threshold(c->p, c->q, all, ALPHA[k]);
    return OM_OK;
}

/* ---- classes ---- */

/* The level at which a trend counts is that at which a bin does. */
static double trend_alpha(int least)
{
    return least >= 3 ? 0.01 : least == 2 ? 0.05 : 0.1;
}

static void classify(const struct cube *c, struct om_hotspot *row,
                     const double *z, const int8_t *bin)
{
    const struct om__hunt *hunt = c->hunt;
    const size_t n = hunt->areas, slices = c->slices;
    const int least = hunt->ask->least;
    const struct om_trend trend = om_mann_kendall(z, slices, n);
    const bool moves = trend.p <= trend_alpha(least);
    row->trend_z = trend.z;
    row->trend_p = trend.p;
    row->emerging = om_emerging_class(bin, slices, n, least,
                                      moves ? (trend.z > 0 ? 1 : -1) : 0);
    for (size_t t = 0; t < slices; t++) {
        row->hot += bin[t * n] >= least;
        row->cold += bin[t * n] <= -least;
    }
    const size_t since = om_emerging_since(bin, slices, n, least);
    if (since == slices) return;
    row->since_s = c->bound[since];
    row->first = since + 1 == slices;
    row->open = since == 0;
}

static om_status classify_stretch(void *ctx, size_t first, size_t end,
                                  size_t lane)
{
    (void)lane;
    const struct cube *c = ctx;
    const size_t n = c->hunt->areas;
    for (size_t i = first; i < end; i++) {
        struct om_hotspot *row = &c->hunt->out->row[i];
        const size_t kind = i / n, area = i % n;
        if (!c->known[area]) continue;
        const size_t at = kind * c->slices * n + area;
        const size_t last = at + (c->slices - 1) * n;
        row->z = c->z[last];
        row->p = c->p[last];
        row->q = c->q[last];
        row->bin = c->bin[last];
        row->value = c->value[last];
        classify(c, row, c->z + at, c->bin + at);
    }
    return OM_OK;
}

static void count_neighbours(struct cube *c)
{
    const size_t n = c->hunt->areas;
    for (size_t i = 0; i < c->hunt->out->count; i++)
        c->hunt->out->known += c->known[i % n];
    for (size_t area = 0, at = 0; area < n; area++) {
        if (!c->known[area]) continue;
        for (size_t k = 0; k < c->hunt->kinds; k++)
            c->hunt->out->row[k * n + area].neighbours =
                (uint32_t)om_graph_degree(&c->graph, at);
        at++;
    }
}

static om_status make_room(struct cube *c)
{
    const size_t all = c->hunt->kinds * c->slices * c->hunt->areas;
    c->value = om_alloc_array(4 * all + 1, sizeof *c->value);
    c->bin = om_alloc_array(all + 1, sizeof *c->bin);
    c->packed =
        om_alloc_array(2 * c->slices * c->hunt->areas + 1, sizeof *c->packed);
    if (!c->value || !c->bin || !c->packed) return OM_E_MEMORY;
    c->z = c->value + all;
    c->p = c->value + 2 * all;
    c->q = c->value + 3 * all;
    return OM_OK;
}

/* The graph of the areas that are known. */
static om_status choose_graph(struct cube *c)
{
    for (size_t i = 0; i < c->hunt->areas; i++) c->own |= !c->known[i];
    c->graph = *c->hunt->ask->graph;
    if (!c->own) return OM_OK;
    c->graph = (struct om_graph){0};
    return om_graph_subset(c->hunt->ask->graph, c->known, &c->graph);
}

static om_status run(struct cube *c)
{
    OM_TRY(plan(c));
    OM_TRY(count(c));
    OM_TRY(om__hunt_begin_rows(c->hunt));
    c->known = om_alloc_array(c->hunt->areas + 1, sizeof *c->known);
    if (!c->known) return OM_E_MEMORY;
    OM_TRY(judge_totals(c));
    OM_TRY(choose_graph(c));
    OM_TRY(make_room(c));
    OM_TRY(test_bins(c));
    count_neighbours(c);
    return om_parallel(c->hunt->out->count, GRAIN, classify_stretch, c);
}

om_status om__hunt_cube(struct om__hunt *hunt)
{
    struct cube cube = {.hunt = hunt};
    const om_status st = run(&cube);
    free_cube(&cube);
    return st;
}
