// rates.c - empirical-Bayes rates, global and local.
#include "engine/stat/rates.h"

#include <math.h>

#include "data/base/alloc.h"

static struct om_rates sum_up(const double *cases, const double *exposure,
                              size_t n)
{
    struct om_rates r = {0};
    for (size_t i = 0; i < n; i++) {
        if (!(exposure[i] > 0)) continue;
        r.n++;
        r.cases += cases[i];
        r.exposure += exposure[i];
    }
    if (!r.n) return r;
    r.mean = r.cases / r.exposure;
    double s2 = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(exposure[i] > 0)) continue;
        const double d = cases[i] / exposure[i] - r.mean;
        s2 += exposure[i] * d * d;
    }
    const double chance = r.mean / (r.exposure / (double)r.n);
    r.variance = fmax(s2 / r.exposure - chance, 0);
    return r;
}

struct om_rates om_rates_global(const double *cases, const double *exposure,
                                size_t n, double *est, double *standard)
{
    const struct om_rates r = sum_up(cases, exposure, n);
    for (size_t i = 0; i < n; i++) {
        const bool known = exposure[i] > 0;
        const double spread = r.variance + r.mean / exposure[i];
        const double d = known ? cases[i] / exposure[i] - r.mean : NAN;
        if (est)
            est[i] = !known       ? NAN
                     : spread > 0 ? r.mean + r.variance * d / spread
                                  : r.mean;
        if (standard)
            standard[i] = !known ? NAN : spread > 0 ? d / sqrt(spread) : 0;
    }
    return r;
}

/* Sums over an area and its neighbours. */
struct near {
    double cases, exposure, count, s2;
};

static struct near near_sums(const struct om_graph *g, const double *cases,
                             const double *exposure, const double *s2, size_t i)
{
    struct near sum = {0};
    for (size_t k = g->first[i]; k <= g->first[i + 1]; k++) {
        const size_t j = k < g->first[i + 1] ? g->to[k] : i;
        if (!(exposure[j] > 0)) continue;
        sum.cases += cases[j];
        sum.exposure += exposure[j];
        sum.count += 1;
        if (s2) sum.s2 += s2[j];
    }
    return sum;
}

om_status om_rates_local(const struct om_graph *graph, const double *cases,
                         const double *exposure, double *est)
{
    const size_t n = graph->count;
    // Each area's deviation from its own neighbourhood's mean, weighted.
    double *s2 = om_calloc(n + 1, sizeof *s2);
    if (!s2) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (!(exposure[i] > 0)) continue;
        const struct near near = near_sums(graph, cases, exposure, NULL, i);
        const double d = cases[i] / exposure[i] - near.cases / near.exposure;
        s2[i] = exposure[i] * d * d;
    }
    for (size_t i = 0; i < n; i++) {
        est[i] = NAN;
        if (!(exposure[i] > 0)) continue;
        const struct near near = near_sums(graph, cases, exposure, s2, i);
        const double mean = near.cases / near.exposure;
        const double chance = mean / (near.exposure / near.count);
        const double a = fmax(near.s2 / near.exposure - chance, 0);
        const double spread = a + mean / exposure[i];
        const double d = cases[i] / exposure[i] - mean;
        est[i] = spread > 0 ? mean + d * a / spread : mean;
    }
    om_free(s2);
    return OM_OK;
}
