/* Heat tiles, cold: 12 M points, distinct tiles of zooms 8 to 18.
 *
 *     bench_heat [CITY LAYER | ROWS] [TILES]
 *
 * Without arguments: the layer address of the city BENCH_CITY, else clustered
 * points, and enough tiles a zoom that there are 10,000 of them.
 *
 * Times are of the processor, as one core's work is what the target is about;
 * what the clock on the wall said is printed below them (other work on the
 * machine shows there). Every tile is asked for once, from a place where points
 * are (a random row), so dense places come as often as people do. Before each
 * tile the field's cache is emptied, and its counters are printed. Filtered
 * tiles use what the filter's first tile prepared; that first cost is a row of
 * its own. One run drops the mapped pages of the layer before each tile too.
 *
 * In the folder BENCH_DUMP two fields are left for benchmarks/peers.py, and the
 * list of tiles for benchmarks/web/city.sh.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "tests/engine/field_sample.h"
#include "tiles/heat.h"

#define ZOOM_FIRST 8
#define ZOOM_LAST 18
#define TARGET_S 0.002

struct bench {
    const struct om_layer *layer;
    struct om_fields *fields;
    struct om_field_spec spec;
    struct om_legend legend;
    size_t tiles;  // a zoom
    bool flush;    // empty the cache before each tile
    bool drop;     // and the mapped pages of the layer
    FILE *list;    // of the tiles, or NULL
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Distinct tiles of a zoom around random rows, as z-order codes. */
static size_t pick_tiles(const struct bench *b, unsigned z, uint64_t *code)
{
    const struct om_segment *s = b->layer->part[0].segment;
    const size_t rows = om_segment_rows(s);
    const uint64_t *key;
    if (om_segment_keys(s, 0, rows, &key)) return 0;
    uint64_t state = z;
    for (size_t i = 0; i < b->tiles; i++)
        code[i] = key[bench_random(&state) % rows] >> (64 - 2 * z);
    qsort(code, b->tiles, sizeof *code, compare_u64);
    size_t n = 0;
    for (size_t i = 0; i < b->tiles; i++)
        if (!n || code[n - 1] != code[i]) code[n++] = code[i];
    // Out of order again: neighbours in time are not neighbours in place.
    for (size_t i = n; i > 1; i--) {
        const size_t k = bench_random(&state) % i;
        const uint64_t held = code[k];
        code[k] = code[i - 1];
        code[i - 1] = held;
    }
    return n;
}

struct totals {
    struct bench_samples cpu, wall;
    uint64_t bytes, hash;
};

static void run_zoom(const struct bench *b, unsigned z, const char *what,
                     struct totals *all)
{
    uint64_t *code = malloc(b->tiles * sizeof *code);
    const size_t n = pick_tiles(b, z, code);
    struct bench_samples one = {0}, *samples = &one;
    struct om_arena arena = {0};
    struct om_buf png = {0};
    uint64_t bytes = 0, hash = 0;
    for (size_t i = 0; i < n; i++) {
        const struct om_field_window w = {
            .z = z,
            .x = om_morton_squeeze(code[i]),
            .y = om_morton_squeeze(code[i] >> 1),
            .side_px = OM_TILE_SIDE_PX,
        };
        om_buf_clear(&png);
        om_arena_reset(&arena);
        if (b->flush) om_fields_clear(b->fields);
        if (b->drop) om_segment_drop_pages(b->layer->part[0].segment);
        if (b->list) fprintf(b->list, "%u/%u/%u\n", z, w.x, w.y);
        const double t = bench_now(), cpu = cpu_now();
        if (om_heat_tile(b->fields, &b->spec, &w, &b->legend, &arena, &png))
            exit(1);
        const double took = cpu_now() - cpu;
        bench_add(&all->wall, bench_now() - t);
        bench_add(samples, took);
        bench_add(&all->cpu, took);
        bytes += png.len;
        hash ^= om_hash64(png.bytes, png.len, code[i]);
    }
    char name[96];
    snprintf(name, sizeof name, "%s z%u", what, z);
    bench_row_samples(name, samples, n, bytes, hash, b->drop ? 0 : TARGET_S);
    all->bytes += bytes;
    all->hash = om_hash64(&hash, sizeof hash, all->hash);
    bench_free(samples);
    om_arena_deinit(&arena);
    om_buf_deinit(&png);
    free(code);
}

static void run_all(struct bench *b, const char *what)
{
    struct totals all = {0};
    const struct om_cache_stats before = om_fields_stats(b->fields);
    for (unsigned z = ZOOM_FIRST; z <= ZOOM_LAST; z++)
        run_zoom(b, z, what, &all);
    char name[96];
    snprintf(name, sizeof name, "%s all", what);
    bench_row_samples(name, &all.cpu, b->layer->rows, all.bytes, all.hash,
                      TARGET_S);
    snprintf(name, sizeof name, "%s all, wall clock", what);
    bench_row_samples(name, &all.wall, b->layer->rows, all.bytes, all.hash,
                      TARGET_S);
    const struct om_cache_stats after = om_fields_stats(b->fields);
    printf(
        "  %zu distinct tiles; cache of prepared filters: %llu hits, %llu "
        "misses\n",
        all.cpu.count, (unsigned long long)(after.hits - before.hits),
        (unsigned long long)(after.misses - before.misses));
    bench_free(&all.cpu);
    bench_free(&all.wall);
}

static void legend_of(struct bench *b, const struct om_selection *all)
{
    struct om_field_spec whole = b->spec;
    whole.selection = all;
    const double t = bench_now();
    if (om_heat_legend(b->fields, &whole, NULL, OM_PALETTE_DARK, &b->legend))
        exit(1);
    bench_row("legend (once a layer, kernel, bandwidth)", 1, bench_now() - t,
              b->layer->rows, 0,
              om_hash64(b->legend.from, sizeof b->legend.from, 0), 0.1);
}

static bool take_tenth(const struct om_segment *s, size_t row)
{
    (void)s;
    return (row * UINT64_C(0x9E3779B97F4A7C15)) >> 60 == 0;
}
static bool take_half(const struct om_segment *s, size_t row)
{
    (void)s;
    return (row * UINT64_C(0x9E3779B97F4A7C15)) >> 63 == 0;
}

static void run_filter(struct bench *b, const char *name,
                       bool (*take)(const struct om_segment *, size_t))
{
    struct om_selection *some = field_select(b->layer, take);
    b->spec.selection = some;
    double best = 1e9, sum;
    for (int i = 0; i < 5; i++) {
        om_fields_clear(b->fields);
        const double t = bench_now();
        if (om_field_weight(b->fields, &b->spec, &sum)) exit(1);
        const double took = bench_now() - t;
        if (took < best) best = took;
    }
    char text[96];
    snprintf(text, sizeof text, "prepare %s", name);
    bench_row(text, 1, best, some->count, om_fields_stats(b->fields).bytes, 0,
              0.010);
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        b->legend.from[i] *= (float)(sum / (double)b->layer->rows);
    run_all(b, name);
    field_select_free(some);
}

static void make_layer(struct field_layer *l, size_t rows)
{
    uint64_t *key = malloc(rows * sizeof *key);
    struct field_row *row = calloc(rows, sizeof *row);
    bench_points(key, rows);
    uint64_t state = 3;
    for (size_t i = 0; i < rows; i++)
        row[i] = (struct field_row){.pos = om_morton_pos(key[i]),
                                    .people = (int64_t)(i % 5),
                                    .kind = (int)(bench_random(&state) % 10)};
    free(key);
    const double t = bench_now();
    if (field_layer_add(l, row, rows)) exit(1);
    printf("layer of %zu rows built in %.1f s\n", rows, bench_now() - t);
    free(row);
}

/* --- for the peer that is not in C --- */

static FILE *dump_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) exit(1);
    return file;
}

/* A window of the Gaussian field, its place and how long it took. */
static void dump_field(const struct bench *b, const char *folder, unsigned z,
                       uint64_t key)
{
    const struct om_field_window w = {
        .z = z,
        .x = om_morton_squeeze(key >> (64 - 2 * z)),
        .y = om_morton_squeeze(key >> (65 - 2 * z)),
        .side_px = OM_TILE_SIDE_PX};
    struct om_field_spec spec = b->spec;
    spec.kernel = OM_KERNEL_GAUSSIAN;
    static float value[OM_TILE_SIDE_PX * OM_TILE_SIDE_PX];
    struct om_arena arena = {0};
    struct bench_samples took = {0};
    for (int i = 0; i < 21; i++) {
        om_arena_reset(&arena);
        om_fields_clear(b->fields);
        const double t = bench_now();
        if (om_field_window(b->fields, &spec, &w, &arena, value)) exit(1);
        bench_add(&took, bench_now() - t);
    }
    char name[64];
    snprintf(name, sizeof name, "field-z%u.f32", z);
    FILE *file = dump_file(folder, name);
    fwrite(value, sizeof value, 1, file);
    fclose(file);
    snprintf(name, sizeof name, "field-z%u.txt", z);
    file = dump_file(folder, name);
    fprintf(file, "%u %u %u %g %.9f\n", z, w.x, w.y, spec.bandwidth_m,
            bench_percentile(&took, 0.5));
    fclose(file);
    bench_free(&took);
    om_arena_deinit(&arena);
}

static void dump(struct bench *b, const char *folder)
{
    const struct om_segment *s = b->layer->part[0].segment;
    const size_t rows = om_segment_rows(s);
    const uint64_t *key;
    if (om_segment_keys(s, 0, rows, &key)) exit(1);
    FILE *file = dump_file(folder, "field-keys.u64");
    if (fwrite(key, sizeof *key, rows, file) != rows) exit(1);
    fclose(file);
    dump_field(b, folder, 10, key[rows / 2]);
    dump_field(b, folder, 14, key[rows / 2]);
}

/* The unfiltered field from nothing, and once more from unmapped pages. */
static void run_bare(struct bench *b, const char *name, const char *folder)
{
    b->flush = true;
    b->list = folder ? dump_file(folder, "tiles.txt") : NULL;
    run_all(b, name);
    if (b->list) fclose(b->list);
    b->list = NULL;
    struct totals all = {0};
    const size_t tiles = b->tiles;
    b->tiles = 100;
    b->drop = true;
    char text[96];
    snprintf(text, sizeof text, "%s, pages dropped", name);
    for (unsigned z = ZOOM_FIRST; z <= ZOOM_LAST; z += 2)
        run_zoom(b, z, text, &all);
    b->tiles = tiles;
    b->flush = b->drop = false;
    bench_free(&all.cpu);
    bench_free(&all.wall);
}

static void run_bandwidth(struct bench *b, double bandwidth_m,
                          const char *folder)
{
    const struct om_selection all = field_all(b->layer);
    b->spec = (struct om_field_spec){.layer = b->layer,
                                     .selection = &all,
                                     .bandwidth_m = bandwidth_m,
                                     .weight = OM_WEIGHT_ONE};
    char name[64];
    legend_of(b, &all);
    if (folder) dump(b, folder);
    snprintf(name, sizeof name, "heat %g m", bandwidth_m);
    run_bare(b, name, folder);
    snprintf(name, sizeof name, "heat %g m, half of the rows", bandwidth_m);
    legend_of(b, &all);
    run_filter(b, name, take_half);
    snprintf(name, sizeof name, "heat %g m, 1 in 16", bandwidth_m);
    legend_of(b, &all);
    run_filter(b, name, take_tenth);
}

int main(int argc, char **argv)
{
    struct field_layer made = {0};
    struct om_city *city = NULL;
    struct om_snapshot *snapshot = NULL;
    struct bench b = {.tiles = 3600};
    const char *path = argc > 1 ? NULL : getenv("BENCH_CITY");
    const char *layer = "address";
    bench_head("heat tiles");
    if (argc > 2 && strspn(argv[1], "0123456789") != strlen(argv[1])) {
        path = argv[1];
        layer = argv[2];
        if (argc > 3) b.tiles = strtoul(argv[3], NULL, 10);
    }
    if (path) {
        if (om_city_open(path, &city, NULL)) return 1;
        snapshot = om_city_snapshot(city);
        b.layer = om_snapshot_layer(snapshot, layer);
    } else {
        make_layer(&made, argc > 1 ? strtoul(argv[1], NULL, 10) : 12000000);
        b.layer = &made.layer;
        if (argc > 2) b.tiles = strtoul(argv[2], NULL, 10);
    }
    if (!b.layer || om_fields_new((size_t)1 << 30, &b.fields)) return 1;
    run_bandwidth(&b, OM_BANDWIDTH_DEFAULT_M, getenv("BENCH_DUMP"));
    run_bandwidth(&b, 300.0, NULL);
    printf("peak memory %.0f MB\n", (double)bench_peak_bytes() / 1e6);
    om_fields_free(b.fields);
    field_layer_free(&made);
    if (snapshot) om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
