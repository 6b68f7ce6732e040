/* Tiles of days beside the pictures that they stand for.
 *
 *     bench_days [TILES]
 *
 * Of the layer hazard of the full city in BENCH_CITY, half a year, 800 m: a
 * tile of days at zooms 9 to 16 around random rows, and what the same tile
 * costs where each of 180 steps of seven days is asked for as a picture of 512
 * pixels. Bytes are as HTTP sends them, packed. Times are of the processor and
 * hold no HTTP; selections of the steps are made before, as a server has them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "data/model/time.h"
#include "engine/snapshot.h"
#include "tiles/days.h"
#include "tiles/heat.h"
#include "web/server/reply.h"

#define DAY_S 86400
#define STEPS 180
#define STEP_DAYS 7
/* 2022-12-29, as the page's half year of a city that ends on 2023-06-26. */
#define FIRST_DAY 19355
#define ZONE_S (8 * 3600)

struct bench {
    struct om_snapshot *snapshot;
    const struct om_layer *layer;
    struct om_fields *fields;
    struct om_selections *selections;
    struct om_field_spec spec;
    struct om_legend legend;
    size_t tiles;
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(om_status st)
{
    if (!st) return;
    printf("failed: %s\n", om_status_text(st));
    exit(1);
}

static struct om_window window_of(int64_t day, int64_t days)
{
    const int64_t from_s = (FIRST_DAY + day) * DAY_S - ZONE_S;
    return (struct om_window){true, from_s, from_s + days * DAY_S};
}

static uint64_t pick(const struct bench *b, unsigned z, uint64_t *state)
{
    const struct om_segment *s = b->layer->part[0].segment;
    const uint64_t *key;
    const size_t row = bench_random(state) % om_segment_rows(s);
    must(om_segment_keys(s, row, row + 1, &key));
    return key[row] >> (64 - 2 * z);
}

static double days_of(const struct bench *b, unsigned z, uint64_t code,
                      uint64_t *bytes, uint64_t *rows)
{
    struct om_days_tile tile;
    struct om_days days;
    struct om_buf out = {0}, packed = {0};
    const double t = cpu_now();
    must(om_days_tile_init(&b->spec, z, om_morton_squeeze(code),
                           om_morton_squeeze(code >> 1), &tile));
    const struct om_query query = {
        .snapshot = b->snapshot,
        .layer = b->layer,
        .cache = b->selections,
        .place = {.kind = OM_PLACE_BOX, .box = tile.box},
        .window = window_of(0, STEPS)};
    must(om_query_days(&query, &tile.net, ZONE_S, OM_NO_FIELD, &days));
    must(om_days_write(&tile, &days, &out));
    must(om__gzip_once(&out, &packed));
    const double took = cpu_now() - t;
    *bytes += packed.len;
    for (size_t i = 0; i < days.count; i++) *rows += (uint64_t)days.sum[i].sum;
    om_buf_deinit(&out);
    om_buf_deinit(&packed);
    om_days_deinit(&days);
    return took;
}

static double pictures_of(const struct bench *b, unsigned z, uint64_t code,
                          uint64_t *bytes)
{
    const struct om_field_window window = {.z = z,
                                           .x = om_morton_squeeze(code),
                                           .y = om_morton_squeeze(code >> 1),
                                           .side_px = 2 * OM_TILE_SIDE_PX};
    struct om_arena arena = {0};
    struct om_buf png = {0};
    double took = 0.0;
    for (int64_t day = 0; day < STEPS; day++) {
        struct om_selection *taken;
        must(om_select(b->selections, b->layer, NULL, window_of(day, STEP_DAYS),
                       &taken));
        struct om_field_spec spec = b->spec;
        spec.selection = taken;
        om_arena_reset(&arena);
        om_buf_clear(&png);
        const double t = cpu_now();
        must(om_heat_tile(b->fields, &spec, &window, &b->legend, &arena, &png));
        took += cpu_now() - t;
        *bytes += png.len;
        om_selection_unref(taken);
    }
    om_arena_deinit(&arena);
    om_buf_deinit(&png);
    return took;
}

static void run_zoom(const struct bench *b, unsigned z)
{
    struct bench_samples days = {0}, pictures = {0};
    uint64_t bytes = 0, picture_bytes = 0, rows = 0, state = z;
    char name[96];
    double sum[2] = {0};
    for (size_t i = 0; i < b->tiles; i++) {
        const uint64_t code = pick(b, z, &state);
        double took = days_of(b, z, code, &bytes, &rows);
        bench_add(&days, took);
        sum[0] += took;
        took = pictures_of(b, z, code, &picture_bytes);
        bench_add(&pictures, took);
        sum[1] += took;
    }
    snprintf(name, sizeof name, "tile of days, z%u", z);
    bench_row_samples(name, &days, rows, bytes / b->tiles, 0, 0);
    snprintf(name, sizeof name, "its %d pictures, z%u", STEPS, z);
    bench_row_samples(name, &pictures, 0, picture_bytes / b->tiles, 0, 0);
    snprintf(name, sizeof name, "tile of days, z%u (%.1f %% of the bytes)", z,
             100.0 * (double)bytes / (double)picture_bytes);
    bench_ratio(name, "its pictures", sum[0], sum[1]);
    bench_free(&days);
    bench_free(&pictures);
}

int main(int argc, char **argv)
{
    struct bench b = {.tiles = argc > 1 ? (size_t)atoi(argv[1]) : 4};
    const char *path = getenv("BENCH_CITY");
    struct om_city *city;
    struct om_err err = {0};
    bench_head("tiles of days, of the full city");
    if (!path) {
        printf("no full city (make city): nothing to count\n");
        return 0;
    }
    if (om_city_open(path, &city, &err)) {
        printf("%s\n", err.text);
        return 1;
    }
    b.snapshot = om_city_snapshot(city);
    b.layer = om_snapshot_layer(b.snapshot, "hazard");
    if (!b.layer) return 1;
    must(om_fields_new((size_t)1 << 30, &b.fields));
    must(om_selections_new((size_t)1 << 28, &b.selections));
    struct om_selection *all;
    must(om_select(b.selections, b.layer, NULL, (struct om_window){0}, &all));
    b.spec = (struct om_field_spec){.layer = b.layer,
                                    .selection = all,
                                    .bandwidth_m = OM_BANDWIDTH_DEFAULT_M,
                                    .weight = OM_WEIGHT_ONE};
    must(om_heat_legend(b.fields, &b.spec, b.selections, OM_PALETTE_DARK,
                        &b.legend));
    // A step has a 26th of the rows: its colours begin that much lower.
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        b.legend.from[i] *= (float)STEP_DAYS / STEPS;
    for (unsigned z = 9; z <= 16; z++) run_zoom(&b, z);
    printf("peak memory %.0f MB\n", (double)bench_peak_bytes() / 1e6);
    om_selection_unref(all);
    om_selections_free(b.selections);
    om_fields_free(b.fields);
    om_snapshot_unref(b.snapshot);
    om_city_close(city);
    return 0;
}
