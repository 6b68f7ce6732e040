// bench.h - what all benchmarks share: the head, samples, rows of results.
#ifndef OM_BENCHMARKS_BENCH_H
#define OM_BENCHMARKS_BENCH_H

#include <stddef.h>
#include <stdint.h>

/** Print compiler, flags, processor and data set: once at the start. */
void bench_head(const char *what);

/* Durations of single operations, for percentiles. Zero is empty. */
struct bench_samples {
    double *seconds;
    size_t count, room;
};
void bench_add(struct bench_samples *samples, double seconds);
/** The duration that the share `p` (0 to 1) of all stays under. Sorts. */
double bench_percentile(struct bench_samples *samples, double p);
void bench_free(struct bench_samples *samples);

/**
 * Print one result: how many operations took how long, what they read and a
 * hash of their answers, so that peers and later runs can be held against it.
 * target_s: what DESIGN asks of one operation, 0 if nothing; prints met or
 * missed.
 */
void bench_row(const char *name, uint64_t operations, double seconds,
               uint64_t rows, uint64_t bytes, uint64_t hash, double target_s);
/** The same for samples: p50 and p99; the target is for the p99. */
void bench_row_samples(const char *name, struct bench_samples *samples,
                       uint64_t rows, uint64_t bytes, uint64_t hash,
                       double target_s);
/** "name: N times as fast as peer", from two durations of the same work. */
void bench_ratio(const char *name, const char *peer, double own_s,
                 double peer_s);
/** Largest resident memory of this process so far, in bytes. */
uint64_t bench_peak_bytes(void);

/** Monotonic seconds. */
double bench_now(void);
/** Numbers that are the same on every run: splitmix64. */
uint64_t bench_random(uint64_t *state);

/** n clustered positions over the city's extent, as Morton codes unsorted: a
 *  mixture of 3,000 Gaussian clusters of 0.2 to 2 km and 5 % even noise, seven
 *  rows on one position on average. Same for same n. */
void bench_points(uint64_t *morton, size_t n);

#endif
