/* bench_live.c - rows that were just written: runs in memory, taking rows out
 * again, putting them into files, and the first field after them.
 *
 * The rows are hazards of the full city (BENCH_CITY), taken out of its segment:
 * 16 columns of their own and three of units. A write here is a row that dies
 * in the base and comes again in a run. Fields are asked cold: their layer has
 * just been written to, nothing but the base's cells is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/live_rows.h"
#include "engine/field/field.h"

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

/* The layer less 10,000 rows and with them again, as one part in files: what a
 * compaction of the base does. */
static void bench_merge(const struct om_layer *base,
                        const struct om_joiner *joiner)
{
    static uint32_t dead[10000];
    char folder[] = "/tmp/om-bench-XXXXXX", path[64], units[64], name[120];
    struct om_part part[2];
    struct om_layer layer;
    struct om_segment *merged;
    struct om_err err;
    if (!mkdtemp(folder)) stop("folder", NULL);
    snprintf(path, sizeof path, "%s/a.seg", folder);
    snprintf(units, sizeof units, "%s/a.units", folder);
    write_rows(base, joiner, 10000, dead, part, &layer);
    const double start = bench_now();
    if (om_run_merge(&base->meta->schema, part, 2, joiner, path, units, &merged,
                     &err))
        stop("merge", &err);
    snprintf(name, sizeof name, "%s with 10,000 writes into files", base->name);
    bench_row(name, 1, bench_now() - start, base->rows,
              om_segment_bytes(merged), 0, 0);
    om_segment_unref(merged);
    om_segment_unref(part[1].segment);
    unlink(path);
    unlink(units);
    rmdir(folder);
}

struct question {
    const char *name, *layer, *filter;
    const char *weight;  // column, NULL: rows
    double half_life_s;
    unsigned z;
};
static const struct question QUESTION[] = {
    {"hazard, all, z10", "hazard", NULL, NULL, 0, 10},
    {"hazard, all, z14", "hazard", NULL, NULL, 0, 14},
    {"hazard, filter, z10", "hazard", "severity >= 2", NULL, 0, 10},
    {"hazard, filter, z14", "hazard", "severity >= 2", NULL, 0, 14},
    {"hazard, 45 days, z10", "hazard", NULL, "severity", 45 * 86400.0, 10},
    {"hazard, 45 days, z14", "hazard", NULL, "severity", 45 * 86400.0, 14},
    {"address, all, z10", "address", NULL, NULL, 0, 10},
    {"address, all, z14", "address", NULL, NULL, 0, 14},
    {"address, filter, z10", "address", "residents > 2", NULL, 0, 10},
    {"address, filter, z14", "address", "residents > 2", NULL, 0, 14},
    {"address, residents, z14", "address", NULL, "residents", 0, 14}};

struct caches {
    struct om_selections *selections;
    struct om_fields *fields;
};

static double ask(const struct om_snapshot *snapshot,
                  const struct om_layer *layer, const struct question *q,
                  struct caches *c)
{
    static float value[256 * 256];
    struct om_filter *filter = NULL;
    struct om_selection *selection;
    struct om_arena arena = {0};
    struct om_pos at;
    if (om_pos_from_lonlat(113.75, 23.02, &at)) stop("position", NULL);
    if (q->filter && om_filter_parse(q->filter, strlen(q->filter), layer,
                                     8 * 3600, &filter, NULL))
        stop(q->filter, NULL);
    const double start = bench_now();
    if (om_select(c->selections, layer, filter, (struct om_window){0},
                  &selection))
        stop("select", NULL);
    struct om_field_spec spec = {.layer = layer,
                                 .selection = selection,
                                 .kernel = OM_KERNEL_QUARTIC,
                                 .bandwidth_m = OM_BANDWIDTH_DEFAULT_M,
                                 .weight = OM_WEIGHT_ONE};
    if (q->weight) spec.weight.column = om_schema_find(&layer->schema, q->weight);
    if (q->half_life_s > 0.0) {
        spec.weight.half_life_s = q->half_life_s;
        spec.weight.at_s = om_snapshot_now(snapshot);
    }
    if (om_field_window(c->fields, &spec,
                        &(struct om_field_window){.z = q->z,
                                                  .x = at.x >> (32 - q->z),
                                                  .y = at.y >> (32 - q->z),
                                                  .side_px = 256},
                        &arena, value))
        stop(q->name, NULL);
    const double took_s = bench_now() - start;
    om_arena_deinit(&arena);
    om_selection_unref(selection);
    om_filter_free(filter);
    return took_s;
}

static void bench_fields(const struct om_snapshot *snapshot,
                         const struct om_joiner *joiner)
{
    static uint32_t dead[10000];
    struct caches c;
    if (om_selections_new((size_t)1 << 30, &c.selections) ||
        om_fields_new((size_t)1 << 30, &c.fields))
        stop("caches", NULL);
    for (size_t q = 0; q < sizeof QUESTION / sizeof *QUESTION; q++) {
        const struct om_layer *base =
            om_snapshot_layer(snapshot, QUESTION[q].layer);
        const size_t writes[] = {0, 1, 10000};
        if (!base) stop(QUESTION[q].layer, NULL);
        for (size_t k = 0; k < 3; k++) {
            struct bench_samples s = {0};
            char name[80];
            ask(snapshot, base, &QUESTION[q], &c);
            for (size_t i = 0; i < 40; i++) {
                struct om_part part[2] = {{0}};
                struct om_layer layer = *base;
                if (writes[k])
                    write_rows(base, joiner, writes[k], dead, part, &layer);
                bench_add(&s, ask(snapshot, &layer, &QUESTION[q], &c));
                om_segment_unref(part[1].segment);
            }
            snprintf(name, sizeof name, "%s, %zu writes", QUESTION[q].name,
                     writes[k]);
            bench_row_samples(name, &s, base->rows, 0, 0, 0);
            bench_free(&s);
        }
    }
    om_fields_free(c.fields);
    om_selections_free(c.selections);
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
    bench_runs(hazard, joiner, 10000, 30, 0);
    bench_runs(hazard, joiner, 1000000, 3, 0.5);
    bench_merge(hazard, joiner);
    bench_merge(om_snapshot_layer(snapshot, "address"), joiner);
    bench_fields(snapshot, joiner);
    om_joiner_unref(joiner);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
