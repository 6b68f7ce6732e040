/* Vector tiles: all of a city, and cold ones at 10,000 addresses.
 *
 *     bench_mvt [CITY [LAYER...]]
 *     bench_mvt CITY @FILE
 *     bench_mvt CITY --tiles LAYER
 *
 * With @FILE it makes the tiles listed there, LAYER/Z/X/Y a line, twice each,
 * and prints for each its line, seconds by the clock on the wall (the better),
 * features of the layer, rows it speaks for, and bytes: for peers on the same
 * tiles. With --tiles it prints the list of those that "cold" are made of, and
 * makes none.
 *
 * The city is BENCH_CITY where none is named; without one there is nothing to
 * measure. Times are of the processor. There is no cache of tiles here: each
 * tile is made from the mapped segment. What tiles share (which shapes a zoom
 * draws, simplified borders, finer cells of shapes) is made first and has rows
 * of its own; the counters of what is shared are printed.
 *
 * "all tiles" are those of zooms 8 to 16 that are not empty. The rows of every
 * zoom are added up and compared with the register: a run in which they differ
 * fails. "1,000 buildings": tiles with 900 to 1,100 of them and nothing else,
 * per 1,000.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "tiles/vector/vector.h"

#define ZOOM_FIRST 8
#define ZOOM_LAST 16
/* Rows picked at each zoom, and tiles kept of those around them: together some
 * 10,000 of zooms 8 to 18. */
#define PICKED 4500
#define KEPT 3000
#define BUILDINGS_PICKED 10000
#define WHOLE_CITY_S 0.005
#define PER_1000_S 0.0005
#define BYTES_MEDIAN 100000

struct bench {
    const struct om_snapshot *snapshot;
    struct om_vectors *vectors;
    struct om_vector_spec spec;
    struct om_arena arena;
    struct om_buf tile;
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *why)
{
    fprintf(stderr, "bench_mvt: %s\n", why);
    exit(1);
}

static double make(struct bench *b, unsigned z, uint32_t x, uint32_t y)
{
    om_buf_clear(&b->tile);
    om_arena_reset(&b->arena);
    const double start = cpu_now();
    if (om_vector_tile(b->vectors, &b->spec, z, x, y, &b->arena, &b->tile))
        fail("a tile cannot be made");
    return cpu_now() - start;
}

/* ---- reading tiles: just enough to count ---- */

static uint64_t read_varint(const uint8_t **at)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint8_t byte = *(*at)++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return v;
    }
}

/* `total` of the meta layer, or the features of the only layer. */
static uint64_t rows_of(const struct om_buf *tile, uint64_t *features)
{
    const uint8_t *at = tile->bytes, *end = tile->bytes + tile->len;
    uint64_t total = 0, count = 0;
    bool meta = false;
    while (at < end) {
        at++;
        const uint64_t len = read_varint(&at);
        const uint8_t *in = at, *stop = at + len;
        bool is_meta = false;
        while (in < stop) {
            const uint64_t tag = read_varint(&in);
            if ((tag & 7) == 0) {
                read_varint(&in);
                continue;
            }
            const uint64_t n = read_varint(&in);
            if (tag >> 3 == 1) is_meta = n == 4 && !memcmp(in, "meta", 4);
            if (tag >> 3 == 2 && !is_meta) count++;
            // The first value of meta is the total.
            if (is_meta && tag >> 3 == 4 && !meta) {
                const uint8_t *value = in + 1;
                total = read_varint(&value);
                meta = true;
            }
            in += n;
        }
        at = stop;
    }
    *features = count;
    return meta ? total : count;
}

/* ---- all tiles of a zoom ---- */

struct zoom {
    struct bench_samples took;
    uint64_t *bytes;
    size_t tiles;
    uint64_t rows, sum, features, hash;
};

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void add_tile(struct bench *b, struct zoom *zoom, unsigned z, uint32_t x,
                     uint32_t y)
{
    const double took = make(b, z, x, y);
    if (!b->tile.len) return;
    uint64_t features;
    zoom->rows += rows_of(&b->tile, &features);
    zoom->features += features;
    bench_add(&zoom->took, took);
    zoom->bytes[zoom->tiles++] = b->tile.len;
    zoom->sum += b->tile.len;
    zoom->hash ^=
        om_hash64(b->tile.bytes, b->tile.len, om_morton((struct om_pos){x, y}));
}

static void print_zoom(const char *layer, unsigned z, struct zoom *zoom,
                       bool exact, uint64_t rows)
{
    char name[96];
    if (!zoom->tiles) return;
    qsort(zoom->bytes, zoom->tiles, sizeof *zoom->bytes, compare_u64);
    snprintf(name, sizeof name, "mvt %s, all tiles of z%u", layer, z);
    bench_row_samples(name, &zoom->took, zoom->tiles, zoom->sum, zoom->hash,
                      z <= 10 ? WHOLE_CITY_S : 0);
    const uint64_t median = zoom->bytes[zoom->tiles / 2];
    const uint64_t most = zoom->bytes[zoom->tiles - 1];
    printf(
        "  bytes: median %llu (%s), largest %llu (%s); slowest %.3f ms; %llu "
        "features\n",
        (unsigned long long)median, median <= BYTES_MEDIAN ? "met" : "MISSED",
        (unsigned long long)most, most <= OM_VECTOR_BYTES ? "met" : "MISSED",
        1e3 * bench_percentile(&zoom->took, 1.0),
        (unsigned long long)zoom->features);
    if (exact && zoom->rows != rows)
        fail("rows of a zoom are not the register's");
}

static void sweep(struct bench *b, const char *layer, bool points)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t p = 0; p < b->spec.layer->parts; p++)
        om_box_widen(&box, om_segment_box(b->spec.layer->part[p].segment));
    for (unsigned z = ZOOM_FIRST; z <= ZOOM_LAST; z++) {
        const uint32_t x0 = box.x0 >> (32 - z), x1 = box.x1 >> (32 - z);
        const uint32_t y0 = box.y0 >> (32 - z), y1 = box.y1 >> (32 - z);
        struct zoom zoom = {0};
        zoom.bytes = malloc(((size_t)(x1 - x0) + 1) * (y1 - y0 + 1) * 8);
        if (!zoom.bytes) fail("no memory");
        // What the zoom's tiles share is made by the first.
        const double first = make(b, z, x0, y0);
        if (first > 0.001) printf("  made for z%u: %.1f ms\n", z, 1e3 * first);
        if (z == ZOOM_FIRST) make(b, z, x0 + (x1 > x0), y0);
        for (uint32_t y = y0; y <= y1; y++)
            for (uint32_t x = x0; x <= x1; x++) add_tile(b, &zoom, z, x, y);
        print_zoom(layer, z, &zoom, points, b->spec.selection->count);
        bench_free(&zoom.took);
        free(zoom.bytes);
    }
}

/* ---- cold tiles at distinct addresses ---- */

static size_t pick_tiles(const struct bench *b, unsigned z, size_t n,
                         uint64_t *code)
{
    const struct om_segment *s = b->spec.layer->part[0].segment;
    const size_t rows = om_segment_rows(s);
    const uint64_t *key;
    if (om_segment_keys(s, 0, rows, &key)) fail("no keys");
    uint64_t state = z;
    for (size_t i = 0; i < n; i++)
        code[i] = key[bench_random(&state) % rows] >> (64 - 2 * z);
    qsort(code, n, sizeof *code, compare_u64);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || code[kept - 1] != code[i]) code[kept++] = code[i];
    for (size_t i = kept; i > 1; i--) {
        const size_t k = bench_random(&state) % i;
        const uint64_t held = code[k];
        code[k] = code[i - 1];
        code[i - 1] = held;
    }
    return kept < KEPT ? kept : KEPT;
}

static void distinct(struct bench *b, const char *layer)
{
    uint64_t *code = malloc(PICKED * sizeof *code);
    struct bench_samples all = {0};
    uint64_t bytes = 0, hash = 0;
    const struct om_cache_stats before = om_vectors_stats(b->vectors);
    for (unsigned z = ZOOM_FIRST; z <= 18 && code; z++) {
        const size_t n = pick_tiles(b, z, PICKED, code);
        struct bench_samples one = {0};
        uint64_t zoom_bytes = 0, zoom_hash = 0;
        for (size_t i = 0; i < n; i++) {
            const uint32_t x = om_morton_squeeze(code[i]);
            const uint32_t y = om_morton_squeeze(code[i] >> 1);
            const double took = make(b, z, x, y);
            bench_add(&one, took);
            bench_add(&all, took);
            zoom_bytes += b->tile.len;
            zoom_hash ^= om_hash64(b->tile.bytes, b->tile.len, code[i]);
        }
        char name[96];
        snprintf(name, sizeof name, "mvt %s, cold z%u", layer, z);
        bench_row_samples(name, &one, n, zoom_bytes, zoom_hash, 0);
        printf("  %.0f tiles a second of one core\n",
               1.0 / bench_percentile(&one, 0.5));
        bytes += zoom_bytes;
        hash = om_hash64(&zoom_hash, sizeof zoom_hash, hash);
        bench_free(&one);
    }
    char name[96];
    snprintf(name, sizeof name, "mvt %s, cold, all", layer);
    bench_row_samples(name, &all, all.count, bytes, hash, 0);
    const struct om_cache_stats after = om_vectors_stats(b->vectors);
    printf(
        "  %zu distinct tiles; no cache of tiles; what tiles share: %llu "
        "made, %llu times found\n",
        all.count, (unsigned long long)(after.misses - before.misses),
        (unsigned long long)(after.hits - before.hits));
    bench_free(&all);
    free(code);
}

/* ---- a thousand buildings ---- */

static void per_thousand(struct bench *b, const char *layer)
{
    uint64_t *code = malloc(BUILDINGS_PICKED * sizeof *code);
    struct bench_samples took = {0};
    uint64_t rows = 0, bytes = 0, hash = 0;
    for (unsigned z = 15; z <= 16 && code; z++) {
        const size_t n = pick_tiles(b, z, BUILDINGS_PICKED, code);
        for (size_t i = 0; i < n && took.count < 500; i++) {
            const uint32_t x = om_morton_squeeze(code[i]);
            const uint32_t y = om_morton_squeeze(code[i] >> 1);
            const double seconds = make(b, z, x, y);
            uint64_t features;
            rows_of(&b->tile, &features);
            if (features < 900 || features > 1100) continue;
            bench_add(&took, seconds * 1000.0 / (double)features);
            rows += features;
            bytes += b->tile.len;
            hash ^= om_hash64(b->tile.bytes, b->tile.len, code[i]);
        }
    }
    char name[96];
    snprintf(name, sizeof name, "mvt %s, per 1,000 rows", layer);
    if (took.count)
        bench_row_samples(name, &took, rows, bytes, hash, PER_1000_S);
    bench_free(&took);
    free(code);
}

static void run_layer(struct bench *b, const char *name)
{
    const struct om_layer *layer = om_snapshot_layer(b->snapshot, name);
    struct om_selection *selection = NULL;
    if (!layer) return;
    if (om_select(NULL, layer, NULL, (struct om_window){0}, &selection))
        fail("no selection");
    b->spec = (struct om_vector_spec){.layer = layer,
                                      .selection = selection,
                                      .name = name,
                                      .by = om_vector_by(layer),
                                      .zone_s = 8 * 3600};
    const bool points = layer->schema.geometry == OM_GEOMETRY_POINT;
    om_vectors_clear(b->vectors);
    sweep(b, name, points);
    if (layer->rows > 1000000) distinct(b, name);
    if (!strcmp(name, "building")) per_thousand(b, name);
    om_selection_unref(selection);
}

/* ---- tiles that somebody else makes, too ---- */

static om_status choose(struct bench *b, const char *name,
                        struct om_selection **selection)
{
    const struct om_layer *layer = om_snapshot_layer(b->snapshot, name);
    if (!layer) return OM_E_NOTFOUND;
    if (b->spec.layer == layer) return OM_OK;
    om_selection_unref(*selection);
    *selection = NULL;
    OM_TRY(om_select(NULL, layer, NULL, (struct om_window){0}, selection));
    b->spec = (struct om_vector_spec){.layer = layer,
                                      .selection = *selection,
                                      .name = layer->name,
                                      .by = om_vector_by(layer),
                                      .zone_s = 8 * 3600};
    return OM_OK;
}

static void run_list(struct bench *b, const char *path)
{
    FILE *list = fopen(path, "r");
    struct om_selection *selection = NULL;
    char line[256], layer[64];
    unsigned z, x, y;
    if (!list) fail("no such list");
    while (fgets(line, sizeof line, list)) {
        if (sscanf(line, "%63[^/]/%u/%u/%u", layer, &z, &x, &y) != 4 ||
            choose(b, layer, &selection))
            continue;
        double seconds = 1e9;
        for (int i = 0; i < 2; i++) {
            const double start = bench_now();
            make(b, z, x, y);
            const double took = bench_now() - start;
            if (took < seconds) seconds = took;
        }
        uint64_t features;
        const uint64_t rows = rows_of(&b->tile, &features);
        printf("%s/%u/%u/%u %.9f %llu %llu %zu\n", layer, z, x, y, seconds,
               (unsigned long long)features, (unsigned long long)rows,
               b->tile.len);
    }
    om_selection_unref(selection);
    fclose(list);
}

static void print_tiles(struct bench *b, const char *layer)
{
    uint64_t *code = malloc(PICKED * sizeof *code);
    b->spec.layer = om_snapshot_layer(b->snapshot, layer);
    if (!code || !b->spec.layer) fail("no such layer");
    for (unsigned z = ZOOM_FIRST; z <= 18; z++) {
        const size_t n = pick_tiles(b, z, PICKED, code);
        for (size_t i = 0; i < n; i++)
            printf("%s/%u/%u/%u\n", layer, z, om_morton_squeeze(code[i]),
                   om_morton_squeeze(code[i] >> 1));
    }
    free(code);
}

int main(int argc, char **argv)
{
    static const char *const layers[] = {"address",  "building", "hazard",
                                         "business", "grid",     "town",
                                         "road",     "water"};
    const char *path = argc > 1 ? argv[1] : getenv("BENCH_CITY");
    struct om_city *city = NULL;
    struct bench b = {0};
    const bool listed = argc > 2 && argv[2][0] == '@';
    const bool tiles = argc > 3 && !strcmp(argv[2], "--tiles");
    const bool measured = !listed && !tiles;
    if (measured) bench_head("vector tiles");
    if (!path) {
        printf("no city (make city), nothing to measure\n");
        return 0;
    }
    if (om_city_open(path, &city, NULL)) fail("no such city");
    struct om_snapshot *snapshot = om_city_snapshot(city);
    b.snapshot = snapshot;
    if (om_vectors_new((size_t)1 << 30, &b.vectors)) fail("no memory");
    if (listed)
        run_list(&b, argv[2] + 1);
    else if (tiles)
        print_tiles(&b, argv[3]);
    else if (argc > 2)
        for (int i = 2; i < argc; i++) run_layer(&b, argv[i]);
    else
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            run_layer(&b, layers[i]);
    if (measured)
        printf("peak memory %.0f MB\n", (double)bench_peak_bytes() / 1e6);
    om_vectors_free(b.vectors);
    om_arena_deinit(&b.arena);
    om_buf_deinit(&b.tile);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
