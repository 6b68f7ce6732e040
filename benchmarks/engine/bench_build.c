/* bench_build.c - from points in memory to a finished layer file.
 *
 * Points lie as addresses do: stacks of some rows on buildings that stand in
 * clusters. The index is what a heat tile needs: keys, sort, directory, cells.
 * The file has ids, a text of about 60 bytes, a number and a category.
 *
 * usage: bench_build [rows] [path of the file]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/layer/directory_internal.h"

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Buildings of 7 rows on average, 64 buildings a cluster, in random order. */
static struct om_pos place(uint64_t row)
{
    uint64_t building = row / 7 * 2654435761u % 1700000;
    uint64_t cluster = building / 64 + 1;
    const uint64_t c = next(&cluster);
    const uint64_t b = next(&building);
    return (struct om_pos){
        0xD1000000u + (uint32_t)(c % 6000000 + b % 30000),
        0x6F000000u + (uint32_t)((c >> 32) % 6000000 + (b >> 32) % 30000)};
}

static void line(const char *what, size_t rows, double seconds, uint64_t bytes,
                 uint64_t hash)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "%-28s rows %zu  s %.3f  ns/row %.1f  bytes %llu  peak MB %ld  "
        "hash %016llx\n",
        what, rows, seconds, seconds * 1e9 / (double)rows,
        (unsigned long long)bytes, usage.ru_maxrss / 1024,
        (unsigned long long)hash);
    fflush(stdout);
}

static om_status bench_index(size_t rows)
{
    struct om_arena arena = {0};
    struct om__directory directory = {0};
    om_status st = OM_E_MEMORY;
    struct om_pos *pos = om_alloc_array(rows, sizeof *pos);
    uint64_t *key = om_alloc_array(2 * rows, sizeof *key);
    uint32_t *row = om_alloc_array(2 * rows, sizeof *row);
    if (!pos || !key || !row) goto done;
    for (size_t i = 0; i < rows; i++) pos[i] = place(i);
    memset(key, 0, 2 * rows * sizeof *key);  // pages are there, as in a loop
    memset(row, 0, 2 * rows * sizeof *row);
    const double start = om_seconds();
    for (size_t i = 0; i < rows; i++) {
        key[i] = om_morton(pos[i]);
        row[i] = (uint32_t)i;
    }
    const double keyed = om_seconds();
    st = om_sort_keys(key, row, key + rows, row + rows, rows);
    const double sorted = om_seconds();
    if (!st) st = om__directory_build(key, rows, &directory);
    const double directed = om_seconds();
    uint64_t bytes = 0;
    for (unsigned level = 14; level <= 22 && !st; level += 2) {
        struct om_cells cells;
        st = om_cells_build(key, rows, level, &arena, &cells);
        bytes += cells.count * 16;
    }
    const double end = om_seconds();
    line("index: keys", rows, keyed - start, rows * 8, 0);
    line("index: sort", rows, sorted - keyed, rows * 12,
         om_hash64(key, rows * 8, om_hash64(row, rows * 4, 0)));
    line("index: directory", rows, directed - sorted, directory.entries * 4,
         om_hash64(directory.table, directory.entries * 4, 0));
    line("index: five levels of cells", rows, end - directed, bytes, 0);
    line("index: all", rows, end - start, rows * 12 + bytes, 0);
done:
    om_free(directory.table);
    om_free(pos);
    om_free(key);
    om_free(row);
    om_arena_deinit(&arena);
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
        const double before = om_seconds();
        st = add_batch(b, gear, at,
                       left < OM_LIMIT_BATCH_ROWS ? left : OM_LIMIT_BATCH_ROWS);
        adding += om_seconds() - before;
    }
    if (st) goto done;
    line("file: gather, with making", rows, adding, 0, 0);
    const double start = om_seconds();
    st = om_builder_write(b, path, NULL, &err);
    const double end = om_seconds();
    if (st) goto done;
    st = om_segment_open(path, NULL, &s, &err);
    if (st) goto done;
    line("file: write", rows, end - start, om_segment_bytes(s), 0);
    struct om_verify verify;
    const double before = om_seconds();
    st = om_segment_verify(s, &verify, &err);
    line("file: verify", rows, om_seconds() - before, om_segment_bytes(s),
         verify.rows);
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
            code[i] = key[next(&state) % rows] >> shift << shift;
        for (int warm = 0; warm < 2 && !st; warm++) {
            sum = 0;
            const double start = om_seconds();
            for (size_t i = 0; i < LOOKS && !st; i++) {
                size_t from, to;
                st = om_segment_range(
                    s, code[i], code[i] + (UINT64_C(1) << shift), &from, &to);
                sum += to - from;
            }
            char what[64];
            snprintf(what, sizeof what, "range: cells of level %u", level);
            if (warm) line(what, LOOKS, om_seconds() - start, 0, sum);
        }
        om_free(code);
    }
    struct om_text_reader reader = {0};
    uint64_t state = 2, sum = 0;
    const double start = om_seconds();
    for (size_t i = 0; i < LOOKS && !st; i++) {
        char id[32];
        size_t row;
        const int len =
            snprintf(id, sizeof id, "A%09zu", (size_t)(next(&state) % rows));
        st = om_segment_find(s, id, (size_t)len, &reader, &row);
        sum += row;
    }
    line("find: random ids", LOOKS, om_seconds() - start, 0, sum);
    om_text_reader_deinit(&reader);
    om_segment_unref(s);
    return st;
}

int main(int argc, char **argv)
{
    const size_t rows =
        argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 12000000;
    const char *path = argc > 2 ? argv[2] : "bench_build.layer";
    printf("threads %zu\n", om_threads());
    om_status st = bench_index(rows);
    if (!st) st = bench_file(rows, path);
    if (!st) st = bench_look(rows, path);
    unlink(path);
    return st ? 1 : 0;
}
