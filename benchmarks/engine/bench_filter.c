/* bench_filter.c - a new filter over 12 M rows until any tile can be counted:
 * bitmap and rank directory, nothing kept from before.
 *
 * Usage: bench_filter [ROWS]. The rows have an id, a category of 19 words, a
 * time of half a year, a severity and an address as compressed text, in the
 * order of clustered positions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/bench.h"
#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/filter/filter.h"
#include "engine/layer/build.h"

#define REPEATS 15
#define FIRST_TIME_S INT64_C(1672502400)  // 2023-01-01 in the city's zone
#define TIMES_S (181 * 86400)

enum { ID, KIND, REPORTED, SEVERITY, DEPTH, ADDRESS, COLUMNS };

static const struct om_schema SCHEMA = {.geometry = OM_GEOMETRY_POINT,
                                        .count = COLUMNS,
                                        .field = {{"id", OM_TYPE_TEXT},
                                                  {"kind", OM_TYPE_CATEGORY},
                                                  {"reported", OM_TYPE_TIME},
                                                  {"severity", OM_TYPE_INTEGER},
                                                  {"depth", OM_TYPE_REAL},
                                                  {"address", OM_TYPE_TEXT}},
                                        .id_field = ID,
                                        .time_field = REPORTED};

/* One batch of made-up rows and the arrays it lies in. */
struct filler {
    uint64_t seed;
    size_t made;
    uint64_t source[OM_LIMIT_BATCH_ROWS];
    struct om_pos pos[OM_LIMIT_BATCH_ROWS];
    int64_t time[OM_LIMIT_BATCH_ROWS], severity[OM_LIMIT_BATCH_ROWS];
    uint64_t valid[OM_LIMIT_BATCH_ROWS / 64];
    double depth[OM_LIMIT_BATCH_ROWS];
    uint32_t id[OM_LIMIT_BATCH_ROWS + 1], kind[OM_LIMIT_BATCH_ROWS + 1];
    uint32_t address[OM_LIMIT_BATCH_ROWS + 1];
    char id_bytes[OM_LIMIT_BATCH_ROWS * 12];
    char kind_bytes[OM_LIMIT_BATCH_ROWS * 12];
    char address_bytes[OM_LIMIT_BATCH_ROWS * 80];
};

static void fill_row(struct filler *f, size_t i, uint64_t morton)
{
    const uint64_t r = bench_random(&f->seed);
    f->source[i] = f->made + i + 1;
    f->pos[i] = om_morton_pos(morton);
    f->time[i] = FIRST_TIME_S + (int64_t)(r % TIMES_S);
    f->severity[i] = (int64_t)(r >> 40) % 4 + 1;
    f->depth[i] = (double)(r >> 44);
    if (r >> 60) om_bit_set(f->valid, i);
    f->id[i + 1] = f->id[i] + (uint32_t)sprintf(f->id_bytes + f->id[i],
                                                "A%09zu", f->made + i);
    f->kind[i + 1] =
        f->kind[i] + (uint32_t)sprintf(f->kind_bytes + f->kind[i], "kind %02u",
                                       (unsigned)(r >> 32) % 19);
    f->address[i + 1] =
        f->address[i] + (uint32_t)sprintf(f->address_bytes + f->address[i],
                                          "东城街道主山社区%u路%u号%u栋%u室",
                                          (unsigned)(morton >> 40) % 997,
                                          (unsigned)(morton >> 30) % 300,
                                          (unsigned)(morton >> 24) % 20,
                                          (unsigned)(r >> 20) % 3000);
}

static om_status build(const char *path, size_t rows)
{
    struct om_builder *builder = NULL;
    struct filler *f = om_calloc(1, sizeof *f);
    uint64_t *morton = om_alloc_array(rows, sizeof *morton);
    om_status st =
        f && morton ? om_builder_new(&SCHEMA, &builder) : OM_E_MEMORY;
    if (!st) bench_points(morton, rows);
    while (!st && f->made < rows) {
        const size_t left = rows - f->made;
        const size_t n =
            left < OM_LIMIT_BATCH_ROWS ? left : OM_LIMIT_BATCH_ROWS;
        memset(f->valid, 0, sizeof f->valid);
        for (size_t i = 0; i < n; i++) fill_row(f, i, morton[f->made + i]);
        const struct om_batch_column column[COLUMNS] = {
            {.offset = f->id, .bytes = f->id_bytes},
            {.offset = f->kind, .bytes = f->kind_bytes},
            {.integer = f->time},
            {.integer = f->severity, .valid = f->valid},
            {.real = f->depth},
            {.offset = f->address, .bytes = f->address_bytes}};
        const struct om_batch batch = {.rows = n,
                                       .source_row = f->source,
                                       .pos = f->pos,
                                       .column = column};
        st = om_builder_add(builder, &batch);
        f->made += n;
    }
    if (!st) st = om_builder_write(builder, path, NULL, NULL);
    om_builder_free(builder);
    om_free(morton);
    om_free(f);
    return st;
}

static om_status run_filter(const struct om_layer *layer, const char *text,
                            struct om_window window, struct om_selection **out)
{
    struct om_filter *filter = NULL;
    struct om_err err = {0};
    om_status st = OM_OK;
    if (text)
        st =
            om_filter_parse(text, strlen(text), layer, 8 * 3600, &filter, &err);
    if (!st) st = om_select(NULL, layer, filter, window, out);
    if (st) fprintf(stderr, "%s: %s\n", text, err.text);
    om_filter_free(filter);
    return st;
}

static om_status measure(const struct om_layer *layer, const char *name,
                         const char *text, struct om_window window, int repeats,
                         double target_s)
{
    double best = 1e9;
    uint64_t hash = 0, bytes = 0;
    // The first round checks the blocks it touches; a new filter on an open
    // city finds them checked.
    for (int i = 0; i <= repeats; i++) {
        struct om_selection *s;
        const double start = bench_now();
        const om_status st = run_filter(layer, text, window, &s);
        if (st) return st;
        const double took = bench_now() - start;
        if (i > 0 && took < best) best = took;
        bytes = (s->part[0].rows + 63) / 64 * 8;
        hash = om_hash64(s->part[0].word, (size_t)bytes, s->count);
        om_selection_unref(s);
    }
    const uint64_t rows = layer->rows;
    bench_row(name, 1, best, rows, bytes, hash, target_s);
    printf("    %.3f ns a row on %zu threads\n", best * 1e9 / (double)rows,
           om_threads());
    return OM_OK;
}

static om_status measure_all(const struct om_layer *layer)
{
    const struct om_window none = {0};
    const struct om_window month = {true, FIRST_TIME_S + 59 * 86400,
                                    FIRST_TIME_S + 90 * 86400};
    static const struct {
        const char *name, *text;
        bool window;
        int repeats;
        double target_s;
    } CASE[] = {
        {"category and time window", "kind = 'kind 07'", true, REPEATS, 0.010},
        {"category", "kind = 'kind 07'", false, REPEATS, 0.010},
        {"time window", NULL, true, REPEATS, 0.010},
        {"category, severity and time",
         "kind IN ('kind 03','kind 07') AND severity >= 3 AND reported >= "
         "DATE('2023-03-01') AND reported < DATE('2023-04-01')",
         false, REPEATS, 0.010},
        {"ten of 19 categories (table)",
         "kind IN ('kind 00','kind 02','kind 04','kind 06','kind 08',"
         "'kind 10','kind 12','kind 14','kind 16','kind 18')",
         false, REPEATS, 0},
        {"real in a range", "depth BETWEEN 100000 AND 200000", false, REPEATS,
         0.010},
        {"LIKE on a dictionary", "CASEI(kind) LIKE CASEI('%D 1_')", false,
         REPEATS, 0},
        {"id", "id = 'A000123456'", false, REPEATS, 0},
        {"box of a tenth", "S_INTERSECTS(geom,BBOX(113.7,22.9,113.9,23.05))",
         false, REPEATS, 0},
        {"polygon",
         "S_INTERSECTS(geom,POLYGON((113.6 22.8,114 22.9,114.1 23.1,113.8 "
         "23.0,113.6 22.8)))",
         false, REPEATS, 0},
        {"LIKE on text, one day of one category",
         "address LIKE '%7路%8室' AND kind = 'kind 07' AND reported = "
         "DATE('2023-03-01')",
         false, 3, 0},
        {"LIKE on text, all rows", "address LIKE '%7路%8室'", false, 1, 0},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++)
        OM_TRY(measure(layer, CASE[i].name, CASE[i].text,
                       CASE[i].window ? month : none, CASE[i].repeats,
                       CASE[i].target_s));
    return OM_OK;
}

int main(int argc, char **argv)
{
    const size_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 12000000;
    const char *tmp = getenv("TMPDIR");
    char path[256];
    struct om_segment *segment = NULL;
    bench_head("filters: bitmap and rank directory from the columns");
    snprintf(path, sizeof path, "%s/bench_filter.%ld", tmp ? tmp : "/tmp",
             (long)getpid());
    const double start = bench_now();
    om_status st = build(path, rows);
    if (!st) st = om_segment_open(path, NULL, &segment, NULL);
    unlink(path);  // the mapping keeps it
    printf("    %zu rows built in %.1f s\n", rows, bench_now() - start);
    if (!st) {
        struct om_part part = {.segment = segment};
        struct om_layer layer = {.name = "bench",
                                 .parts = 1,
                                 .part = &part,
                                 .rows = om_segment_rows(segment),
                                 .schema = *om_segment_schema(segment)};
        st = measure_all(&layer);
    }
    om_segment_unref(segment);
    if (st) fprintf(stderr, "bench_filter: %s\n", om_status_text(st));
    return st != OM_OK;
}
