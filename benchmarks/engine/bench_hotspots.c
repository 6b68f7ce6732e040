// bench_hotspots.c - counting, Gi* with its correction, and DBSCAN, on a city;
// what hotspots.sh needs to hold spdep, SciPy and scikit-learn against it.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "engine/stat/cluster.h"
#include "engine/stat/fdr.h"
#include "engine/stat/hotspots.h"

#define EPS_M 100.0
#define LEAST 50
/* Cells of this side make about a million over the city. */
#define CELL_M 50.0
#define REPEAT 200

struct bench {
    struct om_city *city;
    struct om_snapshot *snapshot;
    const struct om_layer *layer;
    struct om_selection *all;
};

static void must(om_status st, const char *what)
{
    if (!st) return;
    fprintf(stderr, "%s: %s\n", what, om_status_text(st));
    exit(1);
}

static FILE *dump(const char *name)
{
    char path[512];
    const char *folder = getenv("BENCH_DUMP");
    if (!folder) return NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "wb");
}

static void put(FILE *file, const void *bytes, size_t size, size_t n)
{
    if (file && fwrite(bytes, size, n, file) != n) exit(1);
}

/* Values, links and answers: n, links, then the arrays. */
static void dump_gistar(const char *name, const struct om_graph *g,
                        const double *value, const double *z, const double *q,
                        double seconds)
{
    FILE *file = dump(name);
    const uint64_t head[] = {g->count, g->first[g->count]};
    if (!file) return;
    put(file, &seconds, sizeof seconds, 1);
    put(file, head, sizeof *head, 2);
    put(file, value, sizeof *value, g->count);
    put(file, g->first, sizeof *g->first, g->count + 1);
    put(file, g->to, sizeof *g->to, head[1]);
    put(file, z, sizeof *z, g->count);
    put(file, q, sizeof *q, g->count);
    fclose(file);
}

static void count(const struct bench *b, const struct om_zones *zones,
                  size_t slices, const char *name, struct om_census *out)
{
    int64_t bound[64], least, most;
    bool any;
    must(om_census_times(b->layer, b->all, &least, &most, &any), "times");
    for (size_t t = 0; t <= slices; t++)
        bound[t] = least + (most + 1 - least) * (int64_t)t / (int64_t)slices;
    const struct om_census_ask ask = {.layer = b->layer,
                                      .selection = b->all,
                                      .areas = zones,
                                      .weight_column = OM_NO_FIELD,
                                      .slices = slices > 1 ? slices : 0,
                                      .bound = bound,
                                      .kind_column = OM_NO_FIELD};
    must(om_census_make(&ask, out), name);
    om_census_deinit(out);
    const double begun = bench_now();
    must(om_census_make(&ask, out), name);
    const double s = bench_now() - begun;
    bench_row(name, 1, s, b->layer->rows, 0,
              om_hash64(out->count, zones->count * sizeof *out->count, 0), 0);
}

static void gistar(const struct om_zones *zones, const struct om_graph *graph,
                   const double *value, const char *name, const char *file,
                   size_t repeat, double target_s)
{
    const size_t n = zones->count;
    double *z = malloc((3 * n + 1) * sizeof *z), *p = z + n, *q = z + 2 * n;
    struct bench_samples samples = {0};
    for (size_t k = 0; k <= repeat; k++) {
        const double begun = bench_now();
        must(om_gistar(graph, value, z, NULL), name);
        om_normal_ps(z, n, p);
        must(om_fdr_q(p, n, q), name);
        if (k) bench_add(&samples, bench_now() - begun);
    }
    const double half = bench_percentile(&samples, 0.5);
    bench_row(name, repeat, half * (double)repeat, n, 0,
              om_hash64(q, n * sizeof *q, 0), target_s);
    dump_gistar(file, graph, value, z, q, half);
    bench_free(&samples);
    free(z);
}

static void by_units(const struct bench *b)
{
    struct om_zones zones;
    struct om_graph graph;
    struct om_census census;
    const struct om_near_spec near = {0};
    must(om_zones_read(b->snapshot, b->snapshot->manifest->level[0], b->layer,
                       &zones, NULL),
         "units");
    double begun = bench_now();
    must(om_zones_graph(&zones, &near, &graph), "neighbours");
    bench_row("neighbours of units, exact", 1, bench_now() - begun, zones.count,
              0, graph.first[zones.count], 0);
    count(b, &zones, 25, "count by unit and 25 slices of time", &census);
    om_census_deinit(&census);
    count(b, &zones, 1, "count by unit", &census);
    gistar(&zones, &graph, census.sum, "Gi* and FDR of units", "gistar_units",
           REPEAT, 2e-3);
    om_census_deinit(&census);
    om_graph_deinit(&graph);
    om_zones_deinit(&zones);
}

static void by_cells(const struct bench *b)
{
    struct om_zones zones;
    struct om_graph graph;
    struct om_census census;
    const struct om_near_spec near = {0};
    char units[32];
    snprintf(units, sizeof units, "square:%g", CELL_M);
    double begun = bench_now();
    must(om_zones_read(b->snapshot, units, b->layer, &zones, NULL), "cells");
    bench_row("cells over the city", 1, bench_now() - begun, zones.count, 0, 0,
              0);
    begun = bench_now();
    must(om_zones_graph(&zones, &near, &graph), "neighbours");
    bench_row("neighbours of cells", 1, bench_now() - begun, zones.count, 0,
              graph.first[zones.count], 0);
    count(b, &zones, 1, "count by cell", &census);
    gistar(&zones, &graph, census.sum, "Gi* and FDR of cells", "gistar_cells",
           20, 60e-3 * (double)zones.count / 1e6);
    om_census_deinit(&census);
    om_graph_deinit(&graph);
    om_zones_deinit(&zones);
}

static void clusters(const struct bench *b)
{
    struct om_clusters c;
    const size_t rows = om_segment_rows(b->layer->part[0].segment);
    const uint64_t *key;
    must(om_segment_keys(b->layer->part[0].segment, 0, rows, &key), "keys");
    struct om_pos *pos = malloc((rows + 1) * sizeof *pos);
    for (size_t i = 0; i < rows; i++) pos[i] = om_morton_pos(key[i]);
    must(om_clusters_find(pos, rows, EPS_M, LEAST, &c), "clusters");
    om_clusters_deinit(&c);
    const double begun = bench_now();
    must(om_clusters_find(pos, rows, EPS_M, LEAST, &c), "clusters");
    const double s = bench_now() - begun;
    bench_row("DBSCAN, 100 m, 50 points, with hulls", 1, s, rows, 0,
              c.count << 32 | c.noise, 1.0);
    FILE *file = dump("dbscan");
    const double head[] = {s, EPS_M, LEAST, (double)rows};
    put(file, head, sizeof *head, 4);
    put(file, key, sizeof *key, rows);
    put(file, c.of, sizeof *c.of, rows);
    put(file, c.core, sizeof *c.core, rows);
    if (file) fclose(file);
    om_clusters_deinit(&c);
    free(pos);
}

int main(void)
{
    const char *path = getenv("BENCH_CITY"), *name = getenv("BENCH_LAYER");
    struct bench b = {0};
    struct om_err err = {0};
    bench_head("hotspots");
    if (!path) {
        printf("no BENCH_CITY: nothing measured\n");
        return 0;
    }
    if (om_city_open(path, &b.city, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    b.snapshot = om_city_snapshot(b.city);
    b.layer = om_snapshot_layer(b.snapshot, name ? name : "hazard");
    if (!b.layer || !b.snapshot->manifest->levels) return 1;
    must(om_select(NULL, b.layer, NULL, (struct om_window){0}, &b.all), "rows");
    by_units(&b);
    by_cells(&b);
    clusters(&b);
    om_selection_unref(b.all);
    om_snapshot_unref(b.snapshot);
    om_city_close(b.city);
    return 0;
}
