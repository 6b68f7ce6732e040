// interval.h - how sure a share or a rate is: 95 % intervals.
#ifndef OM_ENGINE_STAT_INTERVAL_H
#define OM_ENGINE_STAT_INTERVAL_H

#include <stdint.h>

/* Both ends belong to it. NaN where nothing is known. */
struct om_bounds {
    double low, high;
};

/**
 * Wilson's score interval of `hits` of `of`; NaN of nothing.
 *
 * units    shares, in [0, 1]
 * source   Wilson (1927), J. Am. Stat. Assoc. 22, 209-212
 * test     tests/engine/test_interval.c
 */
struct om_bounds om_interval_share(uint64_t hits, uint64_t of);
/**
 * Garwood's exact interval of the mean of a Poisson count; above 64 Byar's
 * approximation of it, which is within 0.02 % there.
 *
 * units    counts
 * cost     at most some 60 sums of 65 terms
 * source   Garwood (1936), Biometrika 28, 437-442; Breslow and Day (1987),
 *          IARC Sci. Publ. 82, p. 69
 * test     tests/engine/test_interval.c
 */
struct om_bounds om_interval_count(uint64_t count);

#endif
