/* bench_density.c - a whole city as a raster: the field of all hazards and of
 * all addresses at 50 m cells, and the bandwidth by Silverman's rule.
 *
 * The city is the full synthetic one in BENCH_CITY. A round is what a user
 * waits for once the city is open: selection of everything, weights, all
 * cells; pages are warm. Values, cells and the rows' eastings and northings
 * are left in the folder BENCH_DUMP for the peers (benchmarks/peers.py,
 * benchmarks/peers_field.R), which show the same cells by their own ways.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "data/source/project.h"
#include "engine/field/raster.h"

#define CELL_M 50.0
#define ROUNDS 7
#define CRS "EPSG:4547"

static void stop(const char *what)
{
    fprintf(stderr, "bench_density: %s\n", what);
    exit(1);
}

struct bench {
    const struct om_layer *layer;
    struct om_selection *all;
    struct om_fields *fields;
    struct om_frame frame;
    float *value;
};

static struct om_field_spec spec_of(const struct bench *b, double bandwidth_m,
                                    enum om_kernel kernel)
{
    return (struct om_field_spec){.layer = b->layer,
                                  .selection = b->all,
                                  .kernel = kernel,
                                  .bandwidth_m = bandwidth_m,
                                  .weight = OM_WEIGHT_ONE};
}

/* Half of the rounds' time is below. The first touches pages. */
static double run(struct bench *b, const char *name,
                  const struct om_field_spec *spec, double target_s)
{
    struct bench_samples samples = {0};
    const size_t cells = b->frame.columns * b->frame.rows;
    for (int round = 0; round <= ROUNDS; round++) {
        om_fields_clear(b->fields);
        const double start = bench_now();
        if (om_field_raster(b->fields, spec, &b->frame, 0, b->frame.rows,
                            b->value))
            stop("raster");
        if (round) bench_add(&samples, bench_now() - start);
    }
    const double median_s = bench_percentile(&samples, 0.5);
    bench_row(name, 1, median_s, b->layer->rows, cells * sizeof *b->value,
              om_hash64(b->value, cells * sizeof *b->value, 0), target_s);
    bench_free(&samples);
    return median_s;
}

static double mass_share(const struct bench *b, double weight)
{
    double sum = 0.0;
    for (size_t i = 0; i < b->frame.columns * b->frame.rows; i++)
        sum += (double)b->value[i];
    return sum * CELL_M * CELL_M / 1e6 / weight;
}

static void dump(const char *name, const void *bytes, size_t len)
{
    const char *folder = getenv("BENCH_DUMP");
    char path[600];
    if (!folder) return;
    snprintf(path, sizeof path, "%s/density-%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file))
        stop("cannot write the dump");
}

/* Eastings and northings of all rows, as doubles side by side. */
static void dump_rows(const struct bench *b, const char *name)
{
    if (!getenv("BENCH_DUMP")) return;
    struct om_project *project;
    if (om_project_open(om_system_find(CRS), &project)) stop(CRS);
    double *at = malloc(b->layer->rows * 2 * sizeof *at);
    double *x = at, *y = at + b->layer->rows;
    size_t n = 0;
    for (size_t p = 0; at && p < b->layer->parts; p++) {
        const struct om_segment *s = b->layer->part[p].segment;
        const uint64_t *key;
        if (om_segment_keys(s, 0, om_segment_rows(s), &key)) stop("keys");
        for (size_t i = 0; i < om_segment_rows(s); i++, n++)
            om_pos_to_lonlat(om_morton_pos(key[i]), &x[n], &y[n]);
    }
    if (!at || om_project_from_lonlat(project, x, y, n)) stop("project");
    char file[100];
    snprintf(file, sizeof file, "%s.xy", name);
    dump(file, at, 2 * n * sizeof *at);
    om_project_close(project);
    free(at);
}

static void dump_values(const struct bench *b, const char *name,
                        const char *kernel, double bandwidth_m, double took_s)
{
    char file[100], text[300];
    snprintf(file, sizeof file, "%s-%s.f32", name, kernel);
    dump(file, b->value, b->frame.columns * b->frame.rows * sizeof *b->value);
    snprintf(file, sizeof file, "%s-%s.txt", name, kernel);
    const int len =
        snprintf(text, sizeof text, "%zu %zu %.3f %.3f %g %g %.9f\n",
                 b->frame.columns, b->frame.rows, b->frame.west_m,
                 b->frame.north_m, b->frame.cell_m, bandwidth_m, took_s);
    dump(file, text, (size_t)len);
}

static void bench_layer(const struct om_snapshot *snapshot, const char *name,
                        double target_s)
{
    struct bench b = {.layer = om_snapshot_layer(snapshot, name)};
    struct om_err err = {0};
    char line[100];
    if (!b.layer) stop(name);
    if (om_fields_new((size_t)1 << 30, &b.fields) ||
        om_select(NULL, b.layer, NULL, (struct om_window){0}, &b.all))
        stop("no memory");
    struct om_field_spec spec = spec_of(&b, 800.0, OM_KERNEL_QUARTIC);
    struct om_box box;
    if (om_field_box(&spec, &box) ||
        om_frame_init(CRS, box, 800.0, CELL_M, &b.frame, &err))
        stop(err.text);
    const size_t cells = b.frame.columns * b.frame.rows;
    b.value = malloc(cells * sizeof *b.value);
    dump_rows(&b, name);
    static const double BANDWIDTHS[] = {800.0, 300.0};
    for (int k = 0; k < OM_KERNELS; k++)
        for (size_t i = 0; i < 2; i++) {
            spec = spec_of(&b, BANDWIDTHS[i], (enum om_kernel)k);
            snprintf(line, sizeof line, "%s, %s %g m, %zu x %zu", name,
                     om_kernel_name((enum om_kernel)k), BANDWIDTHS[i],
                     b.frame.columns, b.frame.rows);
            const double took =
                run(&b, line, &spec, k == OM_KERNEL_QUARTIC ? target_s : 0.0);
            printf("  integral / weight %.6f\n",
                   mass_share(&b, (double)b.layer->rows));
            if (i == 0)
                dump_values(&b, name, om_kernel_name((enum om_kernel)k),
                            BANDWIDTHS[i], took);
        }
    double h, start = bench_now();
    if (om_field_bandwidth(&spec, &h)) stop("bandwidth");
    start = bench_now();
    if (om_field_bandwidth(&spec, &h)) stop("bandwidth");
    snprintf(line, sizeof line, "%s, Silverman's bandwidth: %.3f m", name, h);
    bench_row(line, 1, bench_now() - start, b.layer->rows, 0, 0, 0.2);
    snprintf(line, sizeof line, "%.9f\n", h);
    char file[100];
    snprintf(file, sizeof file, "%s-silverman.txt", name);
    dump(file, line, strlen(line));
    free(b.value);
    om_frame_deinit(&b.frame);
    om_selection_unref(b.all);
    om_fields_free(b.fields);
}

int main(void)
{
    const char *path = getenv("BENCH_CITY");
    bench_head("a whole city as a raster of 50 m cells");
    if (!path) {
        puts("  needs a full city: make city");
        return 0;
    }
    struct om_city *city;
    struct om_err err = {0};
    if (om_city_open(path, &city, &err)) stop(err.text);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    bench_layer(snapshot, "hazard", 0.1);
    bench_layer(snapshot, "address", 0.3);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
