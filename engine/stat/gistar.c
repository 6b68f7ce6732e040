// gistar.c - sums over neighbourhoods, in a fixed order.
#include "engine/stat/gistar.h"

#include <math.h>

#include "data/base/thread.h"

#define GRAIN 8192
/* Values that are summed on their own before sums are summed: the order, and
 * so the bits, do not depend on threads, and rounding grows with the blocks. */
#define BLOCK 1024

static double block_sum(const double *value, size_t n, double mean,
                        bool squares)
{
    double total = 0;
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t end = first + BLOCK < n ? first + BLOCK : n;
        double sum = 0;
        for (size_t i = first; i < end; i++) {
            const double d = value[i] - mean;
            sum += squares ? d * d : d;
        }
        total += sum;
    }
    return total;
}

struct om_moments om_moments_of(const double *value, size_t n)
{
    struct om_moments m = {.n = n};
    if (!n) return m;
    double least = value[0], most = value[0];
    for (size_t i = 1; i < n; i++) {
        least = value[i] < least ? value[i] : least;
        most = value[i] > most ? value[i] : most;
    }
    m.sum = block_sum(value, n, 0, false);
    if (least == most) {
        m.mean = least;
        return m;
    }
    m.mean = m.sum / (double)n;
    m.sd = sqrt(block_sum(value, n, m.mean, true) / (double)n);
    return m;
}

/* z of a sum of `w` deviations from the mean of n values. */
static double z_of(double sum, double w, double n, double sd)
{
    const double spread = sd * sqrt((n * w - w * w) / (n - 1));
    return spread > 0 ? sum / spread : 0;
}

struct job {
    const struct om_graph *graph;
    const double *value;
    double *z;
    struct om_moments moments;
};

/* The sum of deviations over an area and its neighbours. */
static double near_sum(const struct om_graph *g, const double *value,
                       double mean, size_t i)
{
    double sum = value[i] - mean;
    for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
        sum += value[g->to[k]] - mean;
    return sum;
}

static om_status stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct job *job = ctx;
    const struct om_graph *g = job->graph;
    const struct om_moments *m = &job->moments;
    for (size_t i = first; i < end; i++) {
        const double w = (double)om_graph_degree(g, i) + 1;
        const double sum = near_sum(g, job->value, m->mean, i);
        job->z[i] = z_of(sum, w, (double)m->n, m->sd);
    }
    return OM_OK;
}

om_status om_gistar(const struct om_graph *graph, const double *value,
                    double *z, struct om_moments *moments)
{
    struct job job = {.graph = graph,
                      .value = value,
                      .z = z,
                      .moments = om_moments_of(value, graph->count)};
    if (moments) *moments = job.moments;
    return om_parallel(graph->count, GRAIN, stretch, &job);
}

static om_status cube_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct job *job = ctx;
    const struct om_graph *g = job->graph;
    const struct om_moments *m = &job->moments;
    for (size_t bin = first; bin < end; bin++) {
        const size_t i = bin % g->count;
        const double *now = job->value + (bin - i);
        double w = (double)om_graph_degree(g, i) + 1;
        double sum = near_sum(g, now, m->mean, i);
        if (bin >= g->count) {  // the slice before
            sum += near_sum(g, now - g->count, m->mean, i);
            w *= 2;
        }
        job->z[bin] = z_of(sum, w, (double)m->n, m->sd);
    }
    return OM_OK;
}

om_status om_gistar_cube(const struct om_graph *graph, const double *value,
                         size_t slices, bool by_slice, double *z)
{
    const size_t n = graph->count;
    if (!by_slice) {
        struct job job = {.graph = graph,
                          .value = value,
                          .z = z,
                          .moments = om_moments_of(value, n * slices)};
        return om_parallel(n * slices, GRAIN, cube_stretch, &job);
    }
    for (size_t t = 0; t < slices; t++)
        OM_TRY(om_gistar(graph, value + t * n, z + t * n, NULL));
    return OM_OK;
}
