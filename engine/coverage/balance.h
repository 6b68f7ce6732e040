// balance.h - is a burden spread evenly? Gini and max over mean.
#ifndef OM_ENGINE_COVERAGE_BALANCE_H
#define OM_ENGINE_COVERAGE_BALANCE_H

#include <stddef.h>

#include "data/base/status.h"

struct om_balance {
    size_t n;
    double sum, mean;
    double gini;           // 0: all the same, (n - 1) / n: one has all
    double max_over_mean;  // 1: all the same
    size_t most, least;    // index of the largest and smallest, the first of
                           // equals
};

/**
 * Measure the balance of values that are not negative.
 *
 * The Gini coefficient is the mean difference of all pairs over twice the
 * mean, not corrected for small n: sum((2 i - n - 1) x_i) / (n sum(x)) over
 * the sorted values, i from 1. It is NAN for no values, and where their sum is
 * 0, as is max over mean.
 *
 * returns  OM_E_RANGE (a value is negative or not finite), OM_E_MEMORY
 * cost     O(n log n)
 * source   Sen (1973), On Economic Inequality, 2.8; R's ineq::Gini
 * test     tests/engine/test_balance.c
 */
om_status om_balance_of(const double *value, size_t n,
                        struct om_balance *out) OM_MUST_USE;

#endif
