// fdr.c - Benjamini-Hochberg over sorted bits of p.
#include "engine/stat/fdr.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"

#define GRAIN 8192

double om_normal_p(double z)
{
    return erfc(fabs(z) * 0.70710678118654752440);  // sqrt(1/2)
}

struct ps {
    const double *z;
    double *p;
};

static om_status ps_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct ps *job = ctx;
    for (size_t i = first; i < end; i++) job->p[i] = om_normal_p(job->z[i]);
    return OM_OK;
}

void om_normal_ps(const double *z, size_t n, double *p)
{
    struct ps job = {z, p};
    // Nothing in it can fail, and it is too quick to be given up.
    struct om_cancel *held = om_cancel_swap(NULL);
    const om_status st = om_parallel(n, GRAIN, ps_stretch, &job);
    om_cancel_swap(held);
    (void)st;
}

/* From the largest p down: q is the smallest p * tests / rank so far. */
static void step_up(const uint64_t *key, const uint32_t *row, size_t tests,
                    double *q)
{
    double least = 1.0;
    for (size_t rank = tests; rank > 0; rank--) {
        double p;
        memcpy(&p, &key[rank - 1], sizeof p);
        const double here = p * (double)tests / (double)rank;
        if (here < least) least = here;
        q[row[rank - 1]] = least;
    }
}

om_status om_fdr_q(const double *p, size_t n, double *q)
{
    if (n > UINT32_MAX) return OM_E_LIMIT;
    uint64_t *key = om_alloc_array(2 * n + 1, sizeof *key);
    uint32_t *row = om_alloc_array(2 * n + 1, sizeof *row);
    om_status st = key && row ? OM_OK : OM_E_MEMORY;
    size_t tests = 0;
    for (size_t i = 0; i < n && !st; i++) {
        if (isnan(p[i])) continue;
        // Bits of doubles that are not negative sort as the doubles do.
        const double positive = fabs(p[i]);
        memcpy(&key[tests], &positive, sizeof positive);
        row[tests++] = (uint32_t)i;
    }
    if (!st) st = om_sort_keys(key, row, key + n, row + n, tests);
    if (!st) {
        for (size_t i = 0; i < n; i++)
            if (isnan(p[i])) q[i] = NAN;
        step_up(key, row, tests, q);
    }
    om_free(key);
    om_free(row);
    return st;
}

int om_fdr_bin(double z, double q)
{
    const int bin = q <= 0.01 ? 3 : q <= 0.05 ? 2 : q <= 0.1 ? 1 : 0;
    return z > 0 ? bin : z < 0 ? -bin : 0;
}

double om_fdr_threshold(const double *p, const double *q, size_t n,
                        double alpha)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        if (q[i] <= alpha && p[i] > most) most = p[i];
    return most;
}
