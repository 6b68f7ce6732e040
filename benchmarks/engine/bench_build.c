/* bench_build.c - from points in memory to a finished layer file.
 *
 * Points lie as addresses do: stacks of some rows on buildings that stand in
 * clusters. The index is what a heat tile needs: keys, sort, directory, cells.
 * The file has ids, a text of about 60 bytes, a number and a category.
 *
 * usage: bench_build [rows] [path of the file]
 */
#include <geos_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/bench.h"
#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/layer/directory_internal.h"

#define TARGET_S 0.5
#define REPEATS 5

/* Buildings of 7 rows on average, 64 buildings a cluster, in random order. */
static struct om_pos place(uint64_t row)
{
    uint64_t building = row / 7 * 2654435761u % 1700000;
    uint64_t cluster = building / 64 + 1;
    const uint64_t c = bench_random(&cluster);
    const uint64_t b = bench_random(&building);
    return (struct om_pos){
        0xD1000000u + (uint32_t)(c % 6000000 + b % 30000),
        0x6F000000u + (uint32_t)((c >> 32) % 6000000 + (b >> 32) % 30000)};
}

/* --- the peer: the STR tree of GEOS over the same points --- */

static void count_item(void *item, void *ctx)
{
    (void)item;
    ++*(uint64_t *)ctx;
}

static void peer_index(const struct om_pos *pos, size_t rows, double own_s)
{
    initGEOS(NULL, NULL);
    double start = bench_now();
    GEOSSTRtree *tree = GEOSSTRtree_create(16);
    GEOSGeometry **point = malloc(rows * sizeof(GEOSGeometry *));
    if (!tree || !point) exit(1);
    for (size_t i = 0; i < rows; i++) {
        point[i] = GEOSGeom_createPointFromXY(pos[i].x, pos[i].y);
        GEOSSTRtree_insert(tree, point[i], point[i]);
    }
    // The tree is sorted when it is first asked.
    uint64_t found = 0;
    GEOSSTRtree_query(tree, point[0], count_item, &found);
    const double took = bench_now() - start;
    bench_row("GEOS STRtree of the same points", 1, took, rows, rows * 8, found,
              0);
    bench_ratio("index", "GEOS STRtree", own_s, took);
    GEOSSTRtree_destroy(tree);
    for (size_t i = 0; i < rows; i++) GEOSGeom_destroy(point[i]);
    free(point);
    finishGEOS();
}

/* What one building of the index took, step by step. */
struct steps {
    double keys, sort, directory, cells, all;
    uint64_t directory_bytes, cell_bytes, hash;
};

/* key, row: twice as long as pos, the second half is scratch. */
static om_status index_once(const struct om_pos *pos, uint64_t *key,
                            uint32_t *row, size_t rows, struct steps *out)
{
    struct om_arena arena = {0};
    struct om__directory directory = {0};
    const double start = bench_now();
    for (size_t i = 0; i < rows; i++) {
        key[i] = om_morton(pos[i]);
        row[i] = (uint32_t)i;
    }
    const double keyed = bench_now();
    om_status st = om_sort_keys(key, row, key + rows, row + rows, rows);
    const double sorted = bench_now();
    if (!st) st = om__directory_build(key, rows, &directory);
    const double directed = bench_now();
    out->cell_bytes = 0;
    for (unsigned level = 14; level <= 22 && !st; level += 2) {
        struct om_cells cells;
        st = om_cells_build(key, rows, level, &arena, &cells);
        if (!st) out->cell_bytes += cells.count * 16;
    }
    const double end = bench_now();
    out->keys = keyed - start;
    out->sort = sorted - keyed;
    out->directory = directed - sorted;
    out->cells = end - directed;
    out->all = end - start;
    out->directory_bytes = directory.entries * 4;
    if (!st) out->hash = om_hash64(key, rows * 8, om_hash64(row, rows * 4, 0));
    om_free(directory.table);
    om_arena_deinit(&arena);
    return st;
}

static om_status bench_index(size_t rows)
{
    om_status st = OM_E_MEMORY;
    struct om_pos *pos = om_alloc_array(rows, sizeof *pos);
    uint64_t *key = om_alloc_array(2 * rows, sizeof *key);
    uint32_t *row = om_alloc_array(2 * rows, sizeof *row);
    if (!pos || !key || !row) goto done;
    for (size_t i = 0; i < rows; i++) pos[i] = place(i);
    memset(key, 0, 2 * rows * sizeof *key);  // pages are there, as in a loop
    memset(row, 0, 2 * rows * sizeof *row);
    struct steps best = {.all = 1e9};
    for (int i = 0; i < REPEATS; i++) {
        struct steps now = {0};
        st = index_once(pos, key, row, rows, &now);
        if (st) goto done;
        if (now.all < best.all) best = now;
    }
    bench_row("index: keys", 1, best.keys, rows, rows * 8, 0, 0);
    bench_row("index: sort", 1, best.sort, rows, rows * 12, best.hash, 0);
    bench_row("index: directory", 1, best.directory, rows, best.directory_bytes,
              0, 0);
    bench_row("index: five levels of cells", 1, best.cells, rows,
              best.cell_bytes, 0, 0);
    bench_row("index from memory, best of 5", 1, best.all, rows,
              rows * 12 + best.directory_bytes + best.cell_bytes, best.hash,
              TARGET_S);
    peer_index(pos, rows, best.all);
done:
    om_free(pos);
    om_free(key);
    om_free(row);
    return st;
}

enum { COLUMN_ID, COLUMN_TEXT, COLUMN_RESIDENTS, COLUMN_KIND, COLUMNS };

/* Memory of one batch, used again and again. */
struct gear {
    uint64_t source[OM_LIMIT_BATCH_ROWS];
    struct om_pos pos[OM_LIMIT_BATCH_ROWS];
    int64_t residents[OM_LIMIT_BATCH_ROWS];
    uint32_t offset[3][OM_LIMIT_BATCH_ROWS + 1];
    char id[OM_LIMIT_BATCH_ROWS * 16];
    char text[OM_LIMIT_BATCH_ROWS * 96];
    char kind[OM_LIMIT_BATCH_ROWS * 16];
};

static om_status add_batch(struct om_builder *b, struct gear *g, size_t first,
                           size_t rows)
{
    static const char *const kinds[] = {"residential", "mixed", "commercial",
                                        "industrial"};
    size_t at[3] = {0};
    for (size_t i = 0; i < rows; i++) {
        const size_t row = first + i;
        const size_t building = row / 7;
        g->source[i] = row + 1;
        g->pos[i] = place(row);
        g->residents[i] = (int64_t)(row * 31 % 7);
        at[0] += (size_t)sprintf(g->id + at[0], "A%09zu", row);
        at[1] += (size_t)sprintf(g->text + at[1],
                                 "东莞市厚街镇河田社区%zu路%zu号%zu栋%zu室",
                                 building % 977, building % 499, building % 37,
                                 100 + row % 7 * 100 + row % 11);
        at[2] += (size_t)sprintf(g->kind + at[2], "%s", kinds[building % 4]);
        for (size_t c = 0; c < 3; c++) g->offset[c][i + 1] = (uint32_t)at[c];
    }
    const struct om_batch_column column[COLUMNS] = {
        [COLUMN_ID] = {.offset = g->offset[0], .bytes = g->id},
        [COLUMN_TEXT] = {.offset = g->offset[1], .bytes = g->text},
        [COLUMN_RESIDENTS] = {.integer = g->residents},
        [COLUMN_KIND] = {.offset = g->offset[2], .bytes = g->kind}};
    const struct om_batch batch = {
        .rows = rows, .source_row = g->source, .pos = g->pos, .column = column};
    return om_builder_add(b, &batch);
}

static om_status bench_file(size_t rows, const char *path)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                                     .count = COLUMNS,
                                     .field = {{"id", OM_TYPE_TEXT},
                                               {"text", OM_TYPE_TEXT},
                                               {"residents", OM_TYPE_INTEGER},
                                               {"kind", OM_TYPE_CATEGORY}},
                                     .id_field = COLUMN_ID,
                                     .time_field = OM_NO_FIELD};
    struct om_builder *b = NULL;
    struct om_segment *s = NULL;
    struct om_err err = {0};
    double adding = 0;
    om_status st = OM_E_MEMORY;
    struct gear *gear = om_calloc(1, sizeof *gear);
    if (!gear) goto done;
    st = om_builder_new(&schema, &b);
    for (size_t at = 0; at < rows && !st; at += OM_LIMIT_BATCH_ROWS) {
        const size_t left = rows - at;
        const double before = bench_now();
        st = add_batch(b, gear, at,
                       left < OM_LIMIT_BATCH_ROWS ? left : OM_LIMIT_BATCH_ROWS);
        adding += bench_now() - before;
    }
    if (st) goto done;
    bench_row("file: gather, with making the rows", 1, adding, rows, 0, 0, 0);
    const double start = bench_now();
    st = om_builder_write(b, path, NULL, &err);
    const double end = bench_now();
    if (st) goto done;
    st = om_segment_open(path, NULL, &s, &err);
    if (st) goto done;
    bench_row("file: sort, code, write, sync", 1, end - start, rows,
              om_segment_bytes(s), 0, 0);
    struct om_verify verify;
    const double before = bench_now();
    st = om_segment_verify(s, &verify, &err);
    bench_row("file: verify", 1, bench_now() - before, verify.rows,
              om_segment_bytes(s), 0, 0);
done:
    if (st) fprintf(stderr, "%s\n", err.text);
    om_segment_unref(s);
    om_builder_free(b);
    om_free(gear);
    return st;
}

/* Ranges of random cells, and rows of random ids, of the file just written. */
static om_status bench_look(size_t rows, const char *path)
{
    enum { LOOKS = 1000000 };
    struct om_segment *s;
    OM_TRY(om_segment_open(path, NULL, &s, NULL));
    om_status st = OM_OK;
    const uint64_t *key;
    st = om_segment_keys(s, 0, rows, &key);
    for (unsigned level = 12; level <= 28 && !st; level += 4) {
        uint64_t state = 1, sum = 0;
        uint64_t *code = om_alloc_array(LOOKS, sizeof *code);
        if (!code) break;
        const unsigned shift = 64 - 2 * level;
        for (size_t i = 0; i < LOOKS; i++)
            code[i] = key[bench_random(&state) % rows] >> shift << shift;
        for (int warm = 0; warm < 2 && !st; warm++) {
            sum = 0;
            const double start = bench_now();
            for (size_t i = 0; i < LOOKS && !st; i++) {
                size_t from, to;
                st = om_segment_range(
                    s, code[i], code[i] + (UINT64_C(1) << shift), &from, &to);
                sum += to - from;
            }
            char what[64];
            snprintf(what, sizeof what, "range: cells of level %u", level);
            if (warm)
                bench_row(what, LOOKS, bench_now() - start, sum, 0,
                          om_hash64(&sum, sizeof sum, 0), 0);
        }
        om_free(code);
    }
    struct om_text_reader reader = {0};
    uint64_t state = 2, sum = 0;
    const double start = bench_now();
    for (size_t i = 0; i < LOOKS && !st; i++) {
        char id[32];
        size_t row;
        const int len = snprintf(id, sizeof id, "A%09zu",
                                 (size_t)(bench_random(&state) % rows));
        st = om_segment_find(s, id, (size_t)len, &reader, &row);
        sum += row;
    }
    bench_row("find: random ids", LOOKS, bench_now() - start, LOOKS, 0,
              om_hash64(&sum, sizeof sum, 0), 0);
    om_text_reader_deinit(&reader);
    om_segment_unref(s);
    return st;
}

int main(int argc, char **argv)
{
    const size_t rows =
        argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 12000000;
    const char *path = argc > 2 ? argv[2] : "bench_build.tmp";
    bench_head("index and layer file from memory");
    printf("%zu threads\n", om_threads());
    om_status st = bench_index(rows);
    if (!st) st = bench_file(rows, path);
    if (!st) st = bench_look(rows, path);
    unlink(path);
    printf("peak memory of this benchmark, peer included: %.0f MB\n",
           (double)bench_peak_bytes() / 1e6);
    return st ? 1 : 0;
}
