// trend.c - the Mann-Kendall test.
#include "engine/stat/trend.h"

#include <math.h>

#include "engine/stat/fdr.h"

/* 1 where b is above a, -1 where it is below, 0 where they are equal. */
static int compare(double a, double b)
{
    const double scale = fmax(1, fmax(fabs(a), fabs(b)));
    if (fabs(b - a) <= OM_TREND_TIE * scale) return 0;
    return b > a ? 1 : -1;
}

/* How often a value occurs, counted at its first place; 0 at others. */
static size_t ties_at(const double *value, size_t n, size_t stride, size_t i)
{
    size_t ties = 0;
    for (size_t j = 0; j < n; j++) {
        if (compare(value[j * stride], value[i * stride]) != 0) continue;
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
        for (size_t j = i + 1; j < n; j++)
            t.s += compare(value[i * stride], value[j * stride]);
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
