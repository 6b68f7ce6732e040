// moran.c - Moran's I, local and global.
#include "engine/stat/moran.h"

#include <math.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/stat/gistar.h"

#define GRAIN 8192

struct job {
    const struct om_graph *graph;
    const double *value;
    struct om_moments moments;
    enum om_moran_moments what;
    double b2;  // kurtosis of the values
    struct om_moran_local *out;
};

/* Mean deviation of the neighbours; 0 where there are none. */
static double lag(const struct om_graph *g, const double *value, double mean,
                  size_t i)
{
    double sum = 0;
    for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
        sum += value[g->to[k]] - mean;
    const size_t degree = om_graph_degree(g, i);
    return degree ? sum / (double)degree : 0;
}

static double fourth_moment(const double *value, size_t n, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double d2 = (value[i] - mean) * (value[i] - mean);
        sum += d2 * d2;
    }
    return sum / (double)n;
}

static enum om_quadrant quadrant_of(double deviation, double lag)
{
    if (deviation > 0) return lag > 0 ? OM_QUADRANT_HH : OM_QUADRANT_HL;
    return lag > 0 ? OM_QUADRANT_LH : OM_QUADRANT_LL;
}

/* Weights are row-standardised: their sum is 1 and that of their squares w2.
 */
static void total_moments(const struct job *job, double w2,
                          struct om_moran_local *out)
{
    const double n = (double)job->moments.n;
    const double a = (n - job->b2) / (n - 1);
    const double b = (2 * job->b2 - n) / ((n - 1) * (n - 2));
    out->expected = -1.0 / (n - 1);
    out->variance = a * w2 + b * (1 - w2) - out->expected * out->expected;
}

static void conditional_moments(const struct job *job, double deviation,
                                double w2, struct om_moran_local *out)
{
    const double n = (double)job->moments.n;
    const double m2 = job->moments.sd * job->moments.sd;
    const double d2 = deviation * deviation;
    out->expected = -d2 / ((n - 1) * m2);
    out->variance = d2 / (m2 * m2) * (n / (n - 2)) * (w2 - 1 / (n - 1)) *
                    (m2 - d2 / (n - 1));
}

static void judge(const struct job *job, size_t i)
{
    struct om_moran_local *out = &job->out[i];
    const struct om_moments *m = &job->moments;
    const size_t degree = om_graph_degree(job->graph, i);
    *out = (struct om_moran_local){NAN, NAN, NAN, NAN, OM_QUADRANT_NONE};
    if (!degree || !(m->sd > 0) || m->n < 3) return;
    const double deviation = job->value[i] - m->mean;
    const double near = lag(job->graph, job->value, m->mean, i);
    out->i = deviation / (m->sd * m->sd) * near;
    out->quadrant = quadrant_of(deviation, near);
    if (job->what == OM_MORAN_TOTAL)
        total_moments(job, 1.0 / (double)degree, out);
    else
        conditional_moments(job, deviation, 1.0 / (double)degree, out);
    out->z =
        out->variance > 0 ? (out->i - out->expected) / sqrt(out->variance) : 0;
}

static om_status stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    for (size_t i = first; i < end; i++) judge(ctx, i);
    return OM_OK;
}

om_status om_moran_local(const struct om_graph *graph, const double *value,
                         enum om_moran_moments moments,
                         struct om_moran_local *out)
{
    struct job job = {.graph = graph,
                      .value = value,
                      .moments = om_moments_of(value, graph->count),
                      .what = moments,
                      .out = out};
    const double m2 = job.moments.sd * job.moments.sd;
    if (m2 > 0)
        job.b2 =
            fourth_moment(value, graph->count, job.moments.mean) / (m2 * m2);
    return om_parallel(graph->count, GRAIN, stretch, &job);
}

static bool links_to(const struct om_graph *g, size_t from, uint32_t to)
{
    size_t low = g->first[from], high = g->first[from + 1];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (g->to[middle] == to) return true;
        if (g->to[middle] < to)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Sums over the weights: s1 of pairs, s2 of rows and columns. */
static om_status weight_sums(const struct om_graph *g, double *s1, double *s2)
{
    double *column = om_calloc(g->count + 1, sizeof *column);
    if (!column) return OM_E_MEMORY;
    *s1 = *s2 = 0;
    for (size_t i = 0; i < g->count; i++) {
        const double w = 1.0 / (double)om_graph_degree(g, i);
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++) {
            const uint32_t j = g->to[k];
            column[j] += w;
            *s1 += w * w;
            if (links_to(g, j, (uint32_t)i))
                *s1 += w / (double)om_graph_degree(g, j);
        }
    }
    for (size_t i = 0; i < g->count; i++) {
        const double both = column[i] + (om_graph_degree(g, i) > 0);
        *s2 += both * both;
    }
    om_free(column);
    return OM_OK;
}

om_status om_moran_global(const struct om_graph *graph, const double *value,
                          struct om_moran *out)
{
    *out = (struct om_moran){0, NAN, NAN, NAN, NAN};
    const struct om_moments m = om_moments_of(value, graph->count);
    double s1, s2, cross = 0;
    for (size_t i = 0; i < graph->count; i++) {
        out->n += om_graph_degree(graph, i) > 0;
        cross += (value[i] - m.mean) * lag(graph, value, m.mean, i);
    }
    if (!(m.sd > 0) || out->n < 4) return OM_OK;
    OM_TRY(weight_sums(graph, &s1, &s2));
    const double n = (double)out->n, s0 = n;  // rows sum to 1
    const double z2 = m.sd * m.sd * (double)m.n;
    const double z4 = fourth_moment(value, graph->count, m.mean) * (double)m.n;
    const double k = (double)m.n * z4 / (z2 * z2);  // kurtosis, of all areas
    out->i = n / s0 * cross / z2;
    out->expected = -1.0 / (n - 1);
    const double first = n * (s1 * (n * n - 3 * n + 3) - n * s2 + 3 * s0 * s0);
    const double second = k * (s1 * (n * n - n) - 2 * n * s2 + 6 * s0 * s0);
    out->variance = (first - second) / ((n - 1) * (n - 2) * (n - 3) * s0 * s0) -
                    out->expected * out->expected;
    out->z = out->variance > 0 ? (out->i - out->expected) / sqrt(out->variance)
                               : NAN;
    return OM_OK;
}
