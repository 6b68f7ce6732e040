// balance.c - the Gini coefficient of a burden.
#include "engine/coverage/balance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

om_status om_balance_of(const double *value, size_t n, struct om_balance *out)
{
    *out = (struct om_balance){
        .n = n, .mean = NAN, .gini = NAN, .max_over_mean = NAN};
    if (!n) return OM_OK;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(value[i]) || value[i] < 0) return OM_E_RANGE;
        if (value[i] > value[out->most]) out->most = i;
        if (value[i] < value[out->least]) out->least = i;
    }
    double *sorted = om_alloc_array(n, sizeof *sorted);
    if (!sorted) return OM_E_MEMORY;
    memcpy(sorted, value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    double spread = 0;
    for (size_t i = 0; i < n; i++) {
        out->sum += sorted[i];
        spread += (2.0 * (double)(i + 1) - (double)n - 1.0) * sorted[i];
    }
    om_free(sorted);
    out->mean = out->sum / (double)n;
    if (out->sum <= 0) return OM_OK;
    out->gini = spread / ((double)n * out->sum);
    out->max_over_mean = value[out->most] / out->mean;
    return OM_OK;
}
