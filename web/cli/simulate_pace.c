/* simulate_pace.c - how soon a step is made, by what a register has come to.
 *
 * Bins of age are narrow where rows are young. Those with few rows are joined
 * with the next, shares that fall with age are pooled with those before them
 * (pool adjacent violators, weighted by rows), and between the means of bins a
 * share grows evenly, from nothing at the beginning.
 */
#include "web/cli/simulate_pace.h"

#include <math.h>

#define BINS_PER_DOUBLING 8
#define NARROW_S 600.0
#define ROWS_LEAST 40

void om__pace_add(struct om__pace *pace, int64_t age_s, size_t made)
{
    const double at = age_s > 0 ? (double)age_s : 0;
    size_t b = (size_t)(BINS_PER_DOUBLING * log2(1 + at / NARROW_S));
    if (b >= OM__PACE_BINS) b = OM__PACE_BINS - 1;
    pace->rows[b] += 1;
    pace->age_s[b] += at;
    for (size_t k = 0; k < made && k < pace->steps; k++) pace->made[b][k] += 1;
}

/* Bin b's rows go to bin `to`, which is not after it. */
static void join(struct om__pace *pace, size_t to, size_t b)
{
    if (to == b) return;
    pace->rows[to] += pace->rows[b];
    pace->age_s[to] += pace->age_s[b];
    for (size_t k = 0; k < pace->steps; k++)
        pace->made[to][k] += pace->made[b][k];
    pace->rows[b] = pace->age_s[b] = 0;
    for (size_t k = 0; k < pace->steps; k++) pace->made[b][k] = 0;
}

static void pool(struct om__pace *pace, size_t k)
{
    double sum[OM__PACE_BINS], rows[OM__PACE_BINS];
    size_t bins[OM__PACE_BINS], pools = 0;
    for (size_t b = 0; b < pace->bins; b++) {
        sum[pools] = pace->made[b][k];
        rows[pools] = pace->rows[b];
        bins[pools++] = 1;
        while (pools > 1 && sum[pools - 2] * rows[pools - 1] >
                                sum[pools - 1] * rows[pools - 2]) {
            pools--;
            sum[pools - 1] += sum[pools];
            rows[pools - 1] += rows[pools];
            bins[pools - 1] += bins[pools];
        }
    }
    for (size_t p = 0, b = 0; p < pools; p++)
        for (size_t i = 0; i < bins[p]; i++, b++)
            pace->made[b][k] = sum[p] / rows[p];
}

void om__pace_fit(struct om__pace *pace)
{
    size_t n = 0;
    for (size_t b = 0; b < OM__PACE_BINS; b++) {
        if (!(pace->rows[b] > 0)) continue;
        join(pace, n, b);
        if (pace->rows[n] >= ROWS_LEAST) n++;
    }
    // The last rows are too few for a bin of their own.
    if (n && n < OM__PACE_BINS && pace->rows[n] > 0) join(pace, n - 1, n);
    pace->bins = n ? n : pace->rows[0] > 0;
    for (size_t k = 0; k < pace->steps; k++) pool(pace, k);
    for (size_t b = 0; b < pace->bins; b++) pace->age_s[b] /= pace->rows[b];
}

double om__pace_share(const struct om__pace *pace, size_t k, double age_s)
{
    double before_s = 0, share = 0;
    for (size_t b = 0; b < pace->bins; b++) {
        const double width_s = pace->age_s[b] - before_s;
        if (age_s < pace->age_s[b] && width_s > 0)
            return share + (pace->made[b][k] - share) *
                               fmax(age_s - before_s, 0) / width_s;
        before_s = pace->age_s[b];
        share = pace->made[b][k];
    }
    return share;
}

double om__pace_age(const struct om__pace *pace, size_t k, double share)
{
    double before_s = 0, before = 0;
    for (size_t b = 0; b < pace->bins; b++) {
        const double here = pace->made[b][k];
        if (here > before && share <= here)
            return before_s + (pace->age_s[b] - before_s) *
                                  fmax(share - before, 0) / (here - before);
        before_s = pace->age_s[b];
        before = here;
    }
    return (double)INFINITY;
}
