// rates.h - cases per exposed, when some areas have hardly any exposed.
#ifndef OM_ENGINE_STAT_RATES_H
#define OM_ENGINE_STAT_RATES_H

#include "engine/stat/graph.h"

/* What the rates of a city look like: true rates vary by `variance` around
 * `mean`, and what is counted varies by chance (Poisson) on top of it. */
struct om_rates {
    size_t n;  // areas with an exposure
    double cases, exposure;
    double mean;      // b: cases / exposure
    double variance;  // a: never below 0
};

/**
 * Empirical-Bayes rates of all areas, shrunk towards the city's mean the more
 * the less is exposed:  est = b + a (r - b) / (a + b / n).
 *
 * `standard` is (r - b) / sqrt(a + b / n): the rate in units of what it varies
 * by, so that small and large areas compare (Assuncao and Reis). It is what
 * Gi* and Moran's I of rates are made of.
 *
 * shapes   cases, exposure, est, standard [n]; est, standard may be NULL
 * units    exposure 0: no rate; est and standard are NaN and the area counts
 *          nowhere. All else finite and not negative.
 * returns  OM_OK. Where nothing varies and there are no cases, standard is 0.
 * source   Marshall (1991), Applied Statistics 40, 283-294; as EBest of spdep.
 *          Assuncao and Reis (1999), Statistics in Medicine 18, 2147-2162
 * test     tests/engine/test_stat.c
 */
struct om_rates om_rates_global(const double *cases, const double *exposure,
                                size_t n, double *est, double *standard);

/**
 * The same, shrunk towards the mean of an area and its neighbours.
 * shapes   cases, exposure, est [graph->count]
 * returns  OM_E_MEMORY
 * source   Marshall (1991), section 3; as EBlocal of spdep (geoda = FALSE)
 */
om_status om_rates_local(const struct om_graph *graph, const double *cases,
                         const double *exposure, double *est) OM_MUST_USE;

#endif
