// bench.c - timing, percentiles, and the points that benchmarks run on.
#include "benchmarks/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "data/model/pos.h"

static void processor_name(char *out, size_t room)
{
    snprintf(out, room, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon) continue;
        snprintf(out, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file) fclose(file);
}

void bench_head(const char *what)
{
    char processor[128];
    processor_name(processor, sizeof processor);
    printf("# %s | %s, %ld cores | %s\n", what, processor,
           sysconf(_SC_NPROCESSORS_ONLN), __VERSION__);
    printf("%-44s %12s %12s %12s %12s %14s %16s  %s\n", "work", "operations",
           "each", "p99", "rows", "bytes", "hash", "target");
}

void bench_add(struct bench_samples *samples, double seconds)
{
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 1024;
        samples->seconds =
            realloc(samples->seconds, samples->room * sizeof(double));
        if (!samples->seconds) abort();
    }
    samples->seconds[samples->count++] = seconds;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_percentile(struct bench_samples *samples, double p)
{
    if (samples->count == 0) return 0;
    qsort(samples->seconds, samples->count, sizeof(double), by_size);
    size_t at = (size_t)(p * (double)samples->count);
    if (at >= samples->count) at = samples->count - 1;
    return samples->seconds[at];
}

void bench_free(struct bench_samples *samples)
{
    free(samples->seconds);
    *samples = (struct bench_samples){0};
}

static void duration(char *out, size_t room, double s)
{
    if (s < 0)
        snprintf(out, room, "-");
    else if (s < 1e-6)
        snprintf(out, room, "%.1f ns", s * 1e9);
    else if (s < 1e-3)
        snprintf(out, room, "%.2f us", s * 1e6);
    else if (s < 1)
        snprintf(out, room, "%.3f ms", s * 1e3);
    else
        snprintf(out, room, "%.3f s", s);
}

static void row(const char *name, uint64_t operations, double each, double p99,
                uint64_t rows, uint64_t bytes, uint64_t hash, double judged,
                double target)
{
    char t_each[32], t_p99[32], t_target[32] = "";
    duration(t_each, sizeof t_each, each);
    duration(t_p99, sizeof t_p99, p99);
    duration(t_target, sizeof t_target, target);
    printf("%-44s %12llu %12s %12s %12llu %14llu %016llx  ", name,
           (unsigned long long)operations, t_each, t_p99,
           (unsigned long long)rows, (unsigned long long)bytes,
           (unsigned long long)hash);
    if (target > 0)
        printf("%s (%s)\n", judged <= target ? "met" : "MISSED", t_target);
    else
        printf("\n");
    fflush(stdout);
}

void bench_row(const char *name, uint64_t operations, double seconds,
               uint64_t rows, uint64_t bytes, uint64_t hash, double target_s)
{
    const double each = operations ? seconds / (double)operations : 0;
    row(name, operations, each, -1, rows, bytes, hash, each, target_s);
}

void bench_row_samples(const char *name, struct bench_samples *samples,
                       uint64_t rows, uint64_t bytes, uint64_t hash,
                       double target_s)
{
    const double p50 = bench_percentile(samples, 0.5),
                 p99 = bench_percentile(samples, 0.99);
    row(name, samples->count, p50, p99, rows, bytes, hash, p99, target_s);
}

void bench_ratio(const char *name, const char *peer, double own_s,
                 double peer_s)
{
    printf("%-44s %.2f times as fast as %s\n", name,
           own_s > 0 ? peer_s / own_s : 0, peer);
}

uint64_t bench_peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t bench_random(uint64_t *state)
{
    // source: Steele, Lea, Flood (2014), SplittableRandom's mix of 64 bits.
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return (double)(bench_random(state) >> 11) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    const double u = 1.0 - uniform(state), v = uniform(state);
    return sqrt(-2.0 * log(u)) * cos(2.0 * OM_PI * v);
}

#define CLUSTERS 3000
#define WEST 113.52
#define EAST 114.26
#define SOUTH 22.65
#define NORTH 23.15
#define DEG_PER_KM (1.0 / 111.0)

void bench_points(uint64_t *morton, size_t n)
{
    static double lon[CLUSTERS], lat[CLUSTERS], spread_deg[CLUSTERS];
    uint64_t state = 7;
    for (size_t i = 0; i < CLUSTERS; i++) {
        lon[i] = WEST + (EAST - WEST) * uniform(&state);
        lat[i] = SOUTH + (NORTH - SOUTH) * uniform(&state);
        spread_deg[i] =
            (0.2 + 1.8 * uniform(&state) * uniform(&state)) * DEG_PER_KM;
    }
    for (size_t i = 0; i < n;) {
        double x = WEST + (EAST - WEST) * uniform(&state);
        double y = SOUTH + (NORTH - SOUTH) * uniform(&state);
        if (uniform(&state) > 0.05) {
            const size_t c = bench_random(&state) % CLUSTERS;
            x = lon[c] + spread_deg[c] * normal(&state);
            y = lat[c] + spread_deg[c] * normal(&state);
        }
        struct om_pos pos;
        if (om_pos_from_lonlat(x, y, &pos)) continue;
        const uint64_t stack = 1 + bench_random(&state) % 13;  // 7 on average
        for (uint64_t k = 0; k < stack && i < n; k++)
            morton[i++] = om_morton(pos);
    }
}
