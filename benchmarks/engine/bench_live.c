/* bench_live.c - rows that were just written: runs in memory, taking rows out
 * again, merging.
 *
 * The rows are hazards of the full city (BENCH_CITY), taken out of its segment:
 * 16 columns of their own and three of units.
 */
#include <stdio.h>
#include <stdlib.h>

#include "benchmarks/bench.h"
#include "engine/live/run.h"

static void stop(const char *what, const struct om_err *err)
{
    fprintf(stderr, "bench_live: %s: %s\n", what, err ? err->text : "");
    exit(1);
}

/* n rows from all over the layer, as a batch. */
static void take(const struct om_layer *layer, size_t n, uint64_t *seed,
                 struct om_batch *out)
{
    const size_t all = om_segment_rows(layer->part[0].segment);
    uint32_t *row = malloc(n * sizeof *row);
    if (!row) stop("memory", NULL);
    const size_t step = all / n, at = bench_random(seed) % step;
    for (size_t i = 0; i < n; i++) row[i] = (uint32_t)(i * step + at);
    if (om_segment_extract(layer->part[0].segment, &layer->meta->schema, 0, n,
                           row, NULL, 0, out))
        stop("extract", NULL);
    free(row);
}

static void bench_runs(const struct om_layer *layer,
                       const struct om_joiner *joiner, size_t n, size_t times,
                       double target_s)
{
    struct bench_samples build = {0}, extract = {0};
    uint64_t seed = 4, bytes = 0;
    for (size_t i = 0; i < times; i++) {
        struct om_batch batch;
        const struct om_batch *list = &batch;
        struct om_segment *run;
        struct om_err err;
        double start = bench_now();
        take(layer, n, &seed, &batch);
        bench_add(&extract, bench_now() - start);
        start = bench_now();
        if (om_run_new(&layer->meta->schema, &list, 1, joiner, &run, &err))
            stop("run", &err);
        bench_add(&build, bench_now() - start);
        bytes = om_segment_bytes(run);
        om_segment_unref(run);
        om_arena_deinit(&batch.arena);
    }
    char name[80];
    snprintf(name, sizeof name, "rows out of 1.13 M, %zu", n);
    bench_row_samples(name, &extract, n, 0, 0, 0);
    snprintf(name, sizeof name, "run of %zu rows", n);
    bench_row_samples(name, &build, n, bytes, 0, target_s);
    bench_free(&extract);
    bench_free(&build);
}

int main(void)
{
    const char *path = getenv("BENCH_CITY");
    struct om_city *city;
    struct om_joiner *joiner;
    struct om_err err;
    bench_head("rows that were just written");
    if (!path) {
        puts("needs a full city in BENCH_CITY (make city)");
        return 0;
    }
    if (om_city_open(path, &city, &err)) stop(path, &err);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    const struct om_layer *hazard = om_snapshot_layer(snapshot, "hazard");
    if (!hazard) stop("no layer hazard", NULL);
    const double start = bench_now();
    if (om_joiner_new(snapshot, &joiner, &err)) stop("joiner", &err);
    bench_row("units made ready", 1, bench_now() - start, 0, 0, 0, 0);
    bench_runs(hazard, joiner, 1, 2000, 0.001);
    bench_runs(hazard, joiner, 100, 1000, 0.001);
    bench_runs(hazard, joiner, 1000, 300, 0.002);
    if (!getenv("QUICK")) bench_runs(hazard, joiner, 10000, 30, 0);
    if (!getenv("QUICK")) bench_runs(hazard, joiner, 1000000, 3, 0.5);
    om_joiner_unref(joiner);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
