/* Pictures, cold: base map, units, rows; distinct tiles of zooms 9 to 18.
 *
 *     bench_picture_tiles [TILES]
 *
 * Of the full city in BENCH_CITY; without it there is nothing to draw. Tiles
 * are around random addresses, so dense places come as often as people do.
 * What all tiles of a picture share (classes of roads, counts of units, rows
 * selected) is made before, as a server has it; its cost is a row of its own.
 * Squares of labels are made by the first tile that meets them, and are in the
 * p99 of the base map. Times are of the processor.
 * tiles/mapserver.sh has MapServer beside them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "engine/snapshot.h"
#include "web/picture.h"

#define ZOOM_FIRST 9
#define ZOOM_LAST 18

struct bench {
    struct om_snapshot *snapshot;
    struct om_base *base;
    size_t tiles;  // a zoom
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Code of the tile at zoom z around a random row of the largest layer. */
static uint64_t pick(const struct bench *b, unsigned z, uint64_t *state)
{
    const struct om_layer *layer = &b->snapshot->layer[0];
    for (size_t i = 0; i < b->snapshot->layers; i++)
        if (b->snapshot->layer[i].rows > layer->rows)
            layer = &b->snapshot->layer[i];
    const struct om_segment *s = layer->part[0].segment;
    const uint64_t *key;
    const size_t row = bench_random(state) % om_segment_rows(s);
    if (om_segment_keys(s, row, row + 1, &key)) exit(1);
    return key[row] >> (64 - 2 * z);
}

static void run_zoom(const struct bench *b, const struct om_picture *picture,
                     const char *what, unsigned z)
{
    struct bench_samples samples = {0};
    struct om_arena arena = {0};
    struct om_buf png = {0};
    uint64_t bytes = 0, hash = 0, state = z;
    for (size_t i = 0; i < b->tiles; i++) {
        const uint64_t code = pick(b, z, &state);
        const struct om_view view = om_view_tile(
            z, om_morton_squeeze(code), om_morton_squeeze(code >> 1), 256, 1);
        om_buf_clear(&png);
        om_arena_reset(&arena);
        const double t = cpu_now();
        if (om_picture_png(picture, &view, &arena, &png)) exit(1);
        const double took = cpu_now() - t;
        bench_add(&samples, took);
        bytes += png.len;
        hash = om_hash64(png.bytes, png.len, hash);
    }
    char name[96];
    snprintf(name, sizeof name, "%s z%u", what, z);
    bench_row_samples(name, &samples, b->tiles, bytes / b->tiles, hash, 0);
    bench_free(&samples);
    om_arena_deinit(&arena);
    om_buf_deinit(&png);
}

/* Make one picture, and draw it at every step-th zoom. */
static void run(const struct bench *b, const char *what,
                const struct om_picture_ask *ask, unsigned step)
{
    struct om_picture_bound bound;
    struct om_picture *picture;
    struct om_err err = {0};
    char name[96];
    if (om_picture_bind(b->snapshot, ask, &bound, NULL, &err)) {
        printf("%-44s not in this city: %s\n", what, err.text);
        om_picture_bound_deinit(&bound);
        return;
    }
    const double t = bench_now();
    if (om_picture_make(&bound, b->snapshot, b->base, NULL, &picture, &err)) {
        printf("%s: %s\n", what, err.text);
        exit(1);
    }
    snprintf(name, sizeof name, "%s, made ready", what);
    bench_row(name, 1, bench_now() - t, 0, 0, 0, 0);
    for (unsigned z = ZOOM_FIRST; z <= ZOOM_LAST; z += step)
        run_zoom(b, picture, what, z);
    om_picture_unref(picture);
    om_picture_bound_deinit(&bound);
}

int main(int argc, char **argv)
{
    struct bench b = {.tiles = argc > 1 ? (size_t)atoi(argv[1]) : 200};
    const char *path = getenv("BENCH_CITY");
    struct om_city *city;
    struct om_font *font = NULL;
    struct om_err err = {0};
    bench_head("pictures, cold, of the full city");
    if (!path) {
        printf("no full city (make city): nothing to draw\n");
        return 0;
    }
    if (om_city_open(path, &city, &err)) {
        printf("%s\n", err.text);
        return 1;
    }
    b.snapshot = om_city_snapshot(city);
    if (om_font_open(NULL, &font, &err)) printf("%s\n", err.text);
    const double t = bench_now();
    if (om_base_new(b.snapshot, font, OM_LANGUAGE_ZH, &b.base, &err)) {
        printf("%s\n", err.text);
        return 1;
    }
    bench_row("base map, made ready", 1, bench_now() - t, 0, 0, 0, 0);
    run(&b, "base", &(struct om_picture_ask){.name = "base:light"}, 1);
    run(&b, "choropleth:town",
        &(struct om_picture_ask){.name = "choropleth:town", .layer = "hazard"},
        3);
    run(&b, "choropleth:grid",
        &(struct om_picture_ask){.name = "choropleth:grid", .layer = "hazard"},
        3);
    run(&b, "hazard by grade", &(struct om_picture_ask){.name = "hazard"}, 3);
    run(&b, "address", &(struct om_picture_ask){.name = "address"}, 3);
    run(&b, "building by use", &(struct om_picture_ask){.name = "building"}, 3);
    om_base_unref(b.base);
    om_font_close(font);
    om_snapshot_unref(b.snapshot);
    om_city_close(city);
    return 0;
}
