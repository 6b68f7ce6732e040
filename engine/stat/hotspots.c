/* hotspots.c - count, compare, test, sort.
 *
 * DESIGN
 * Cases are counted once, by area and kind, and every statistic works on the
 * same numbers. With an exposure what is tested is the standardised rate, for
 * rates of small areas vary most by chance alone and would fill both ends of
 * the list. All tests of one answer are corrected together. How it was a week
 * ago is asked of the same counts, cut by time.
 */
#include "engine/stat/hotspots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/stat/fdr.h"
#include "engine/stat/hotspots_internal.h"

void om_hotspots_deinit(struct om_hotspots *h)
{
    om_free(h->row);
    om_free(h->order);
    om_census_deinit(&h->tally);
    *h = (struct om_hotspots){0};
}

om_status om__hunt_values(const struct om__hunt *hunt, const double *cases,
                          const double *exposure, double *value,
                          struct om_rates *rates)
{
    const size_t n = hunt->areas;
    if (!exposure) {
        memcpy(value, cases, n * sizeof *value);
        return OM_OK;
    }
    switch (hunt->ask->rate) {
        case OM_RATE_STANDARD:
            *rates = om_rates_global(cases, exposure, n, NULL, value);
            return OM_OK;
        case OM_RATE_GLOBAL:
            *rates = om_rates_global(cases, exposure, n, value, NULL);
            return OM_OK;
        case OM_RATE_LOCAL:
            *rates = om_rates_global(cases, exposure, n, NULL, NULL);
            return om_rates_local(hunt->ask->graph, cases, exposure, value);
        case OM_RATE_RAW:
            break;
    }
    *rates = om_rates_global(cases, exposure, n, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        value[i] = exposure[i] > 0 ? cases[i] / exposure[i] : NAN;
    return OM_OK;
}

om_status om__hunt_graph(const struct om__hunt *hunt, const double *value,
                         bool *known, struct om_graph *out, bool *own)
{
    *own = false;
    for (size_t i = 0; i < hunt->areas; i++) {
        known[i] = !isnan(value[i]);
        *own |= !known[i];
    }
    if (*own) return om_graph_subset(hunt->ask->graph, known, out);
    *out = *hunt->ask->graph;
    return OM_OK;
}

/* Known values moved together, in place. */
static void squeeze(const bool *known, size_t n, const double *value,
                    double *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (known[i]) out[at++] = value[i];
}

om_status om__hunt_gistar(const struct om__hunt *hunt, const double *value,
                          double *z, uint32_t *degree)
{
    const size_t n = hunt->areas;
    struct om_graph graph = {0};
    bool own = false, *known = om_alloc_array(n + 1, sizeof *known);
    double *packed = om_alloc_array(2 * n + 1, sizeof *packed);
    om_status st = known && packed ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__hunt_graph(hunt, value, known, &graph, &own);
    if (!st) {
        squeeze(known, n, value, packed);
        st = om_gistar(&graph, packed, packed + n, NULL);
    }
    for (size_t i = 0, at = 0; i < n && !st; i++) {
        z[i] = known[i] ? packed[n + at] : NAN;
        if (degree)
            degree[i] = known[i] ? (uint32_t)om_graph_degree(&graph, at) : 0;
        at += known[i];
    }
    if (own) om_graph_deinit(&graph);
    om_free(known);
    om_free(packed);
    return st;
}

/* The ground as a census of all times. */
static om_status tally_ground(const struct om_zones *zones,
                              struct om_census *out)
{
    *out = (struct om_census){.kinds = 1, .slices = 1, .areas = zones->count};
    out->count = om_alloc_array(zones->count + 1, sizeof *out->count);
    if (!out->count) return OM_E_MEMORY;
    memcpy(out->count, zones->km2, zones->count * sizeof *out->count);
    out->sum = out->count;
    return OM_OK;
}

om_status om__hunt_tally(const struct om__hunt *hunt, bool exposure,
                         size_t slices, const int64_t *bound,
                         struct om_census *out)
{
    const struct om_hotspots_ask *ask = hunt->ask;
    if (exposure && ask->exposure.area) return tally_ground(ask->areas, out);
    struct om_census_ask t = {.areas = ask->areas,
                              .slices = slices,
                              .bound = bound,
                              .kind_column = OM_NO_FIELD};
    if (exposure) {
        t.layer = ask->exposure.layer;
        t.selection = hunt->exposed;
        t.weight_column = ask->exposure.weight_column;
        if (!ask->exposure.windowed) t.slices = 0;
    } else {
        t.layer = ask->layer;
        t.selection = hunt->all;
        t.weight_column = ask->weight_column;
        t.kind_column = ask->kind_column;
    }
    OM_TRY(om_census_make(&t, out));
    const struct om_hotspot_exposure *e = &ask->exposure;
    const size_t cells = out->slices * out->areas;
    for (size_t i = 0; exposure && e->told && i < cells; i++) {
        const bool few = e->few && e->few[i % out->areas];
        out->count[i] = few ? 0 : e->told(out->count[i], e->least) * e->part;
        if (out->sum != out->count) out->sum[i] = out->count[i];
    }
    return OM_OK;
}

/* ---- one moment ---- */

/* Local Moran's I of the areas whose value is known. */
static om_status moran(const struct om__hunt *hunt, const double *value,
                       struct om_moran_local *local, uint32_t *degree,
                       struct om_moran *whole)
{
    const size_t n = hunt->areas;
    struct om_graph graph = {0};
    bool own = false, *known = om_alloc_array(n + 1, sizeof *known);
    double *packed = om_alloc_array(n + 1, sizeof *packed);
    struct om_moran_local *found = om_alloc_array(n + 1, sizeof *found);
    om_status st = known && packed && found ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__hunt_graph(hunt, value, known, &graph, &own);
    if (!st) {
        squeeze(known, n, value, packed);
        st = om_moran_local(&graph, packed, hunt->ask->moments, found);
    }
    if (!st && whole) st = om_moran_global(&graph, packed, whole);
    for (size_t i = 0, at = 0; i < n && !st; i++) {
        const struct om_moran_local none = {NAN, NAN, NAN, NAN,
                                            OM_QUADRANT_NONE};
        local[i] = known[i] ? found[at] : none;
        if (degree)
            degree[i] = known[i] ? (uint32_t)om_graph_degree(&graph, at) : 0;
        at += known[i];
    }
    if (own) om_graph_deinit(&graph);
    om_free(known);
    om_free(packed);
    om_free(found);
    return st;
}

om_status om__hunt_z(const struct om__hunt *hunt, const double *value,
                     double *z)
{
    const size_t n = hunt->areas;
    if (hunt->ask->stat == OM_STAT_EB) {
        memcpy(z, value, n * sizeof *z);
        return OM_OK;
    }
    if (hunt->ask->stat == OM_STAT_GISTAR)
        return om__hunt_gistar(hunt, value, z, NULL);
    struct om_moran_local *local = om_alloc_array(n + 1, sizeof *local);
    if (!local) return OM_E_MEMORY;
    const om_status st = moran(hunt, value, local, NULL, NULL);
    for (size_t i = 0; i < n && !st; i++) z[i] = local[i].z;
    om_free(local);
    return st;
}

/* z, neighbours and what else is told of every area of one kind. */
static om_status test_kind(struct om__hunt *hunt, struct om_hotspot *row,
                           const double *value)
{
    const size_t n = hunt->areas;
    const bool is_moran = hunt->ask->stat == OM_STAT_MORAN;
    struct om_moran *whole = row == hunt->out->row ? &hunt->out->moran : NULL;
    struct om_moran_local *local = om_calloc(n + 1, sizeof *local);
    double *z = om_alloc_array(n + 1, sizeof *z);
    uint32_t *degree = om_alloc_array(n + 1, sizeof *degree);
    om_status st = local && z && degree ? OM_OK : OM_E_MEMORY;
    // Moran's I of the whole goes with Gi* too.
    if (!st && (is_moran || whole))
        st = moran(hunt, value, local, degree, whole);
    if (!st && !is_moran) st = om__hunt_gistar(hunt, value, z, degree);
    for (size_t i = 0; i < n && !st; i++) {
        row[i].moran = local[i];
        row[i].neighbours = degree[i];
        row[i].z = is_moran                        ? local[i].z
                   : hunt->ask->stat == OM_STAT_EB ? value[i]
                                                   : z[i];
    }
    om_free(local);
    om_free(z);
    om_free(degree);
    return st;
}

static void fill_rows(struct om_hotspot *row, size_t n, size_t kind,
                      const double *count, const double *cases,
                      const double *exposure)
{
    for (size_t i = 0; i < n; i++)
        row[i] = (struct om_hotspot){.area = (uint32_t)i,
                                     .kind = (uint32_t)kind,
                                     .count = count[i],
                                     .sum = cases[i],
                                     .exposure = exposure ? exposure[i] : NAN,
                                     .rate = NAN,
                                     .local_rate = NAN,
                                     .z = NAN,
                                     .p = NAN,
                                     .q = NAN,
                                     .trend_z = NAN,
                                     .trend_p = NAN};
}

om_status om__hunt_judge(struct om__hunt *hunt, size_t kind,
                         const double *count, const double *cases,
                         const double *exposure)
{
    const size_t n = hunt->areas;
    struct om_hotspot *row = hunt->out->row + kind * n;
    struct om_rates rates = {0};
    double *work = om_alloc_array(3 * n + 1, sizeof *work);
    if (!work) return OM_E_MEMORY;
    double *value = work, *rate = work + n, *local = work + 2 * n;
    const struct om_moments moments = om_moments_of(cases, n);
    om_status st = om__hunt_values(hunt, cases, exposure, value, &rates);
    fill_rows(row, n, kind, count, cases, exposure);
    if (!st && exposure) {
        om_rates_global(cases, exposure, n, rate, NULL);
        st = om_rates_local(hunt->ask->graph, cases, exposure, local);
    }
    for (size_t i = 0; i < n && !st; i++) {
        row[i].value = value[i];
        row[i].expected = exposure ? rates.mean * exposure[i] : moments.mean;
        row[i].ratio = row[i].expected > 0 ? row[i].sum / row[i].expected : NAN;
        if (!exposure) continue;
        row[i].rate = rate[i];
        row[i].local_rate = local[i];
    }
    if (!st && hunt->ask->stat != OM_STAT_EMERGING)
        st = test_kind(hunt, row, value);
    if (!kind) {
        hunt->out->cases = moments;
        hunt->out->rates = rates;
    }
    om_free(work);
    return st;
}

/* p, q and bins of all rows together. */
static om_status correct(struct om_hotspots *out)
{
    double *p = om_alloc_array(2 * out->count + 1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    double *q = p + out->count;
    for (size_t i = 0; i < out->count; i++) q[i] = out->row[i].z;
    om_normal_ps(q, out->count, p);
    const om_status st = om_fdr_q(p, out->count, q);
    for (size_t i = 0; i < out->count && !st; i++) {
        struct om_hotspot *row = &out->row[i];
        row->p = p[i];
        row->q = q[i];
        row->bin = isnan(row->z) ? 0 : om_fdr_bin(row->z, row->q);
        if (!isnan(row->z)) out->known++;
    }
    static const double ALPHA[3] = {0.1, 0.05, 0.01};
    for (int k = 0; k < 3 && !st; k++)
        out->threshold[k] = om_fdr_threshold(p, q, out->count, ALPHA[k]);
    om_free(p);
    return st;
}

/* Counts of the window, or of any time and none. */
static om_status find_now(struct om__hunt *hunt)
{
    const struct om_hotspots_ask *ask = hunt->ask;
    struct om_census *cases = &hunt->out->tally, exposed = {0};
    const int64_t bound[] = {hunt->out->from_s, hunt->out->to_s};
    const size_t slices = ask->window.set ? 1 : 0;
    om_status st = om__hunt_tally(hunt, false, slices, bound, cases);
    if (!st) st = om__hunt_begin_rows(hunt);
    if (!st && om__hunt_exposed(hunt))
        st = om__hunt_tally(hunt, true, slices, bound, &exposed);
    if (!st && exposed.sum) om__hunt_floor(hunt, exposed.sum);
    for (size_t k = 0; k < hunt->kinds && !st; k++)
        st = om__hunt_judge(hunt, k, om_census_counts(cases, k, 0),
                            om_census_sums(cases, k, 0), exposed.sum);
    om_census_deinit(&exposed);
    return st;
}

/* ---- the period ---- */

/* What `window` leaves open is where the data begin and end, in whole days. */
static om_status find_period(struct om__hunt *hunt)
{
    const struct om_hotspots_ask *ask = hunt->ask;
    struct om_hotspots *out = hunt->out;
    int64_t most = 0;
    if (ask->layer->schema.time_field == OM_NO_FIELD) {
        if (ask->stat != OM_STAT_EMERGING) return OM_OK;
        return om_fail(hunt->err, OM_E_NOTFOUND, 0,
                       "%s has no time column, which emerging hotspots need",
                       ask->layer->name);
    }
    OM_TRY(om_census_times(ask->layer, hunt->all, &hunt->begin_s, &most,
                           &hunt->timed));
    if (hunt->timed) {
        hunt->begin_s = om_day_begin(hunt->begin_s, hunt->zone_s);
        out->from_s = hunt->begin_s;
        out->to_s = om_day_end(most + 1, hunt->zone_s);
    }
    if (!ask->window.set) return OM_OK;
    if (ask->window.from_s != INT64_MIN) out->from_s = ask->window.from_s;
    if (ask->window.to_s != INT64_MAX) out->to_s = ask->window.to_s;
    if (out->to_s < out->from_s) out->to_s = out->from_s;
    return OM_OK;
}

om_status om__hunt_begin_rows(struct om__hunt *hunt)
{
    struct om_hotspots *out = hunt->out;
    hunt->kinds = out->kinds = out->tally.kinds;
    out->kind = out->tally.kind;
    out->rows = (double)out->tally.rows;
    out->outside = (double)out->tally.outside;
    out->count = out->kinds * hunt->areas;
    out->row = om_calloc(out->count + 1, sizeof *out->row);
    out->order = om_alloc_array(out->count + 1, sizeof *out->order);
    return out->row && out->order ? OM_OK : OM_E_MEMORY;
}

/* ---- order ---- */

static int by_significance(const void *a, const void *b)
{
    const struct om_hotspot *p = *(const struct om_hotspot *const *)a;
    const struct om_hotspot *q = *(const struct om_hotspot *const *)b;
    const bool pn = isnan(p->q), qn = isnan(q->q);
    if (pn != qn) return pn ? 1 : -1;
    if (!p->emerging != !q->emerging) return p->emerging ? -1 : 1;
    if (!pn && p->q != q->q) return p->q < q->q ? -1 : 1;
    const double x = fabs(p->z), y = fabs(q->z);
    if (!pn && x != y) return x > y ? -1 : 1;
    if (p->kind != q->kind) return p->kind < q->kind ? -1 : 1;
    return (p->area > q->area) - (p->area < q->area);
}

static om_status sort_rows(struct om_hotspots *out)
{
    const struct om_hotspot **row = om_alloc_array(out->count + 1, sizeof *row);
    if (!row) return OM_E_MEMORY;
    for (size_t i = 0; i < out->count; i++) row[i] = &out->row[i];
    qsort(row, out->count, sizeof *row, by_significance);
    for (size_t i = 0; i < out->count; i++)
        out->order[i] = (uint32_t)(row[i] - out->row);
    om_free(row);
    return OM_OK;
}

static om_status find(struct om__hunt *hunt)
{
    const struct om_hotspots_ask *ask = hunt->ask;
    const struct om_window any = {0};
    OM_TRY(om_select(ask->cache, ask->layer, ask->filter, any, &hunt->all));
    if (ask->exposure.layer)
        OM_TRY(om_select(ask->cache, ask->exposure.layer, ask->exposure.filter,
                         ask->exposure.told ? ask->exposure.cover : any,
                         &hunt->exposed));
    OM_TRY(find_period(hunt));
    if (ask->stat == OM_STAT_EMERGING) {
        OM_TRY(om__hunt_cube(hunt));
        return sort_rows(hunt->out);
    }
    OM_TRY(find_now(hunt));
    OM_TRY(correct(hunt->out));
    OM_TRY(om__hunt_since(hunt));
    return sort_rows(hunt->out);
}

om_status om_hotspots_find(const struct om_hotspots_ask *ask,
                           struct om_hotspots *out, struct om_err *err)
{
    *out = (struct om_hotspots){0};
    struct om__hunt hunt = {.ask = ask,
                            .out = out,
                            .err = err,
                            .zone_s = ask->snapshot->manifest->zone_s,
                            .areas = ask->areas->count};
    const om_status st = find(&hunt);
    om_selection_unref(hunt.all);
    om_selection_unref(hunt.exposed);
    if (st) om_hotspots_deinit(out);
    return st;
}
