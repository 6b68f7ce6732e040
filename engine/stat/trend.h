// trend.h - does a series rise or fall?
#ifndef OM_ENGINE_STAT_TREND_H
#define OM_ENGINE_STAT_TREND_H

#include <stddef.h>
#include <stdint.h>

struct om_trend {
    int64_t s;                   // rises less falls, over all pairs
    double variance, tau, z, p;  // z 0, p 1 where nothing varies
};
/** Values are equal that differ by no more than this share of the larger one,
 *  or of 1: sums that are the same come out a bit apart by their order. */
#define OM_TREND_TIE 1e-9
/**
 * The Mann-Kendall test for a trend, ties (OM_TREND_TIE) taken into account,
 * with the correction for continuity.
 *
 * shapes   value [n], `stride` elements apart
 * cost     O(n^2)
 * source   Mann (1945); Kendall (1975), Rank Correlation Methods, 4.
 * test     tests/engine/test_stat.c, tests/engine/test_emerging.c
 */
struct om_trend om_mann_kendall(const double *value, size_t n, size_t stride);

#endif
