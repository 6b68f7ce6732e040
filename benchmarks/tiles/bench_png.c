/* bench_png.c - palette PNG of heat tiles, beside libpng as people use it.
 *
 * The pictures are of real fields: 12 M clustered points (or the layer address
 * of the city BENCH_CITY), 1,000 m, zooms 10 to 15, around rows. The peer
 * writes the same indexes, 4 bits a pixel too, with libpng's own filters and
 * zlib: as it comes (level 6) and at level 1. Each picture is read back by
 * libpng and the pixels of all three must be the same.
 */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "tests/engine/field_sample.h"
#include "tiles/heat.h"
#include "tiles/png.h"

#define PICTURES 240
#define ZOOM_FIRST 10
#define ZOOMS 6
#define SIDE OM_TILE_SIDE_PX
#define PIXELS ((size_t)SIDE * SIDE)
#define ROWS_WITHOUT_CITY 3000000

static uint8_t picture[PICTURES][PIXELS];

/* The step of the legend a value falls in, as tiles colour it. */
static uint8_t step_of(const struct om_legend *legend, float value)
{
    uint8_t step = 0;
    while (step < OM_LEGEND_STEPS && value >= legend->from[step]) step++;
    return step < OM_LEGEND_STEPS ? step : OM_LEGEND_STEPS - 1;
}

static void make_pictures(const struct om_layer *layer,
                          struct om_legend *legend)
{
    struct om_fields *fields;
    struct om_arena arena = {0};
    const struct om_selection all = field_all(layer);
    const struct om_field_spec spec = {.layer = layer,
                                       .selection = &all,
                                       .bandwidth_m = 1000,
                                       .weight = OM_WEIGHT_ONE};
    const struct om_segment *segment = layer->part[0].segment;
    const size_t rows = om_segment_rows(segment);
    const uint64_t *key;
    float *value = malloc(PIXELS * sizeof *value);
    if (!value || om_fields_new((size_t)1 << 28, &fields) ||
        om_heat_legend(fields, &spec, NULL, OM_PALETTE_DARK, legend) ||
        om_segment_keys(segment, 0, rows, &key))
        exit(1);
    uint64_t state = 4;
    for (size_t i = 0; i < PICTURES; i++) {
        const unsigned z = ZOOM_FIRST + (unsigned)i % ZOOMS;
        const uint64_t code = key[bench_random(&state) % rows] >> (64 - 2 * z);
        const struct om_field_window w = {.z = z,
                                          .x = om_morton_squeeze(code),
                                          .y = om_morton_squeeze(code >> 1),
                                          .side_px = SIDE};
        if (om_field_window(fields, &spec, &w, &arena, value)) exit(1);
        for (size_t p = 0; p < PIXELS; p++)
            picture[i][p] = step_of(legend, value[p]);
        om_arena_reset(&arena);
    }
    free(value);
    om_arena_deinit(&arena);
    om_fields_free(fields);
}

/* --- the peer --- */

static void add_bytes(png_structp png, png_bytep bytes, size_t len)
{
    if (om_buf_add(png_get_io_ptr(png), bytes, len)) abort();
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void peer_write(const uint8_t *index, const uint8_t (*rgba)[4],
                       int level, struct om_buf *out)
{
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color colour[OM_LEGEND_STEPS];
    png_byte alpha[OM_LEGEND_STEPS];
    if (setjmp(png_jmpbuf(png))) abort();
    for (size_t i = 0; i < OM_LEGEND_STEPS; i++) {
        colour[i] = (png_color){rgba[i][0], rgba[i][1], rgba[i][2]};
        alpha[i] = rgba[i][3];
    }
    png_set_write_fn(png, out, add_bytes, flush_nothing);
    if (level >= 0) png_set_compression_level(png, level);
    png_set_IHDR(png, info, SIDE, SIDE, 4, PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, colour, OM_LEGEND_STEPS);
    png_set_tRNS(png, info, alpha, OM_LEGEND_STEPS, NULL);
    png_write_info(png, info);
    png_set_packing(png);
    for (size_t y = 0; y < SIDE; y++) png_write_row(png, index + y * SIDE);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* Hash of the pixels that a reader sees. */
static uint64_t pixels_of(const struct om_buf *file, uint64_t seed)
{
    static uint8_t seen[PIXELS * 4];
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, file->bytes, file->len))
        exit(1);
    image.format = PNG_FORMAT_RGBA;
    if (image.width != SIDE || image.height != SIDE ||
        !png_image_finish_read(&image, NULL, seen, 0, NULL))
        exit(1);
    return om_hash64(seen, sizeof seen, seed);
}

enum way { OWN, LIBPNG_DEFAULT, LIBPNG_1, WAYS };

/* returns the hash of all pixels as read back. */
static uint64_t run(const char *name, enum way way,
                    const struct om_legend *legend, double *p50)
{
    struct bench_samples samples = {0};
    struct om_buf file = {0};
    uint64_t bytes = 0, hash = 0;
    for (int round = 0; round < 3; round++) {
        hash = bytes = 0;
        for (size_t i = 0; i < PICTURES; i++) {
            om_buf_clear(&file);
            const double start = bench_now();
            if (way != OWN)
                peer_write(picture[i], legend->rgba, way == LIBPNG_1 ? 1 : -1,
                           &file);
            else if (om_png_palette(picture[i], SIDE, SIDE, legend->rgba,
                                    OM_LEGEND_STEPS, &file))
                exit(1);
            if (round) bench_add(&samples, bench_now() - start);
            bytes += file.len;
            hash = pixels_of(&file, hash);
        }
    }
    bench_row_samples(name, &samples, (uint64_t)PICTURES * PIXELS, bytes, hash,
                      0);
    *p50 = bench_percentile(&samples, 0.5);
    bench_free(&samples);
    om_buf_deinit(&file);
    return hash;
}

static void make_layer(struct field_layer *made, size_t rows)
{
    uint64_t *key = malloc(rows * sizeof *key);
    struct field_row *row = calloc(rows, sizeof *row);
    if (!key || !row) exit(1);
    bench_points(key, rows);
    for (size_t i = 0; i < rows; i++)
        row[i] = (struct field_row){.pos = om_morton_pos(key[i])};
    if (field_layer_add(made, row, rows)) exit(1);
    free(key);
    free(row);
}

int main(void)
{
    struct field_layer made = {0};
    struct om_city *city = NULL;
    struct om_snapshot *snapshot = NULL;
    const struct om_layer *layer = NULL;
    const char *path = getenv("BENCH_CITY");
    bench_head("palette PNG of heat tiles, 256 x 256 (rows: pixels)");
    if (path && !om_city_open(path, &city, NULL)) {
        snapshot = om_city_snapshot(city);
        layer = om_snapshot_layer(snapshot, "address");
    }
    if (!layer) {
        make_layer(&made, ROWS_WITHOUT_CITY);
        layer = &made.layer;
    }
    struct om_legend legend;
    make_pictures(layer, &legend);
    double p50[WAYS];
    uint64_t hash[WAYS];
    hash[OWN] = run("PNG", OWN, &legend, &p50[OWN]);
    hash[LIBPNG_DEFAULT] = run("libpng as it comes", LIBPNG_DEFAULT, &legend,
                               &p50[LIBPNG_DEFAULT]);
    hash[LIBPNG_1] = run("libpng level 1", LIBPNG_1, &legend, &p50[LIBPNG_1]);
    bench_ratio("PNG", "libpng as it comes (medians)", p50[OWN],
                p50[LIBPNG_DEFAULT]);
    bench_ratio("PNG", "libpng level 1 (medians)", p50[OWN], p50[LIBPNG_1]);
    const bool same =
        hash[OWN] == hash[LIBPNG_DEFAULT] && hash[OWN] == hash[LIBPNG_1];
    printf("  pixels read back are %s in all three\n",
           same ? "the same" : "NOT the same");
    field_layer_free(&made);
    if (snapshot) om_snapshot_unref(snapshot);
    om_city_close(city);
    return same ? 0 : 1;
}
