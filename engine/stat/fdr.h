// fdr.h - from z to p, from p to q: significance when many are tested at once.
#ifndef OM_ENGINE_STAT_FDR_H
#define OM_ENGINE_STAT_FDR_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/** Two-sided p of a standard normal z; NaN of NaN. */
double om_normal_p(double z);
/** The same of many. shapes: z, p [n]. threads: parallel */
void om_normal_ps(const double *z, size_t n, double *p);

/**
 * Benjamini-Hochberg q of each p: the smallest false discovery rate at which
 * it is still among the discoveries. NaN is no test: it is left out and gets
 * NaN.
 *
 * shapes   p, q [n]; q may be p
 * returns  OM_E_MEMORY, OM_E_LIMIT (n beyond 2^32 - 1)
 * cost     a radix sort
 * source   Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, 289-300;
 *          as p.adjust(p, "BH") of R
 * test     tests/engine/test_stat.c
 */
om_status om_fdr_q(const double *p, size_t n, double *q) OM_MUST_USE;

/** The Gi_Bin of ArcGIS: 3, 2, 1 for hot at 99, 95, 90 % (q <= 0.01, 0.05,
 *  0.1), -3 to -1 for cold, 0 for neither. */
int om_fdr_bin(double z, double q);
/** The largest p with q <= alpha, below which all is discovery; 0: none. */
double om_fdr_threshold(const double *p, const double *q, size_t n,
                        double alpha);

#endif
