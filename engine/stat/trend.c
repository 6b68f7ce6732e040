// trend.c - the Mann-Kendall test.
#include "engine/stat/trend.h"

#include <math.h>

#include "engine/stat/fdr.h"

/* How often a value occurs, counted at its first place; 0 at others. */
static size_t ties_at(const double *value, size_t n, size_t stride, size_t i)
{
    size_t ties = 0;
    for (size_t j = 0; j < n; j++) {
        if (value[j * stride] != value[i * stride]) continue;
        if (j < i) return 0;
        ties++;
    }
    return ties;
}

struct om_trend om_mann_kendall(const double *value, size_t n, size_t stride)
{
    struct om_trend t = {0};
    double tied = 0, tied_pairs = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            const double a = value[i * stride], b = value[j * stride];
            t.s += (b > a) - (b < a);
        }
        const double k = (double)ties_at(value, n, stride, i);
        tied += k * (k - 1) * (2 * k + 5);
        tied_pairs += k * (k - 1) / 2;
    }
    const double m = (double)n, pairs = m * (m - 1) / 2;
    t.variance = (m * (m - 1) * (2 * m + 5) - tied) / 18;
    if (t.variance > 0) {
        t.z = (double)(t.s - (t.s > 0) + (t.s < 0)) / sqrt(t.variance);
        t.tau = (double)t.s / sqrt(pairs * (pairs - tied_pairs));
    }
    t.p = om_normal_p(t.z);
    return t;
}
