// layer_sample.h - made-up rows with everything that a column can hold, and
// the check that a segment gives exactly them back.
#ifndef OM_TESTS_ENGINE_LAYER_SAMPLE_H
#define OM_TESTS_ENGINE_LAYER_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/layer/build.h"
#include "tests/folder.h"

enum {
    SAMPLE_ID,
    SAMPLE_NAME,    // mostly distinct: compressed blocks
    SAMPLE_CODE,    // prefix and number, with NULLs
    SAMPLE_KIND,    // category, with NULLs
    SAMPLE_STREET,  // text that repeats
    SAMPLE_SMALL,   // narrow integer, with NULLs
    SAMPLE_WIDE,    // needs all 64 bits
    SAMPLE_REAL,
    SAMPLE_TIME,
    SAMPLE_FLAG,
    SAMPLE_EMPTY,  // category that is always NULL
    SAMPLE_COLUMNS
};

struct sample_row {
    struct om_pos pos;
    uint64_t source_row;
    char text[SAMPLE_COLUMNS][48];
    bool valid[SAMPLE_COLUMNS];
    int64_t integer[SAMPLE_COLUMNS];
    double real;
};

static inline uint64_t sample_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline struct om_schema sample_schema(void)
{
    return (struct om_schema){.geometry = OM_GEOMETRY_POINT,
                              .count = SAMPLE_COLUMNS,
                              .field = {{"id", OM_TYPE_TEXT},
                                        {"name", OM_TYPE_TEXT},
                                        {"code", OM_TYPE_TEXT},
                                        {"kind", OM_TYPE_CATEGORY},
                                        {"street", OM_TYPE_TEXT},
                                        {"small", OM_TYPE_INTEGER},
                                        {"wide", OM_TYPE_INTEGER},
                                        {"real", OM_TYPE_REAL},
                                        {"at", OM_TYPE_TIME},
                                        {"flag", OM_TYPE_BOOLEAN},
                                        {"empty", OM_TYPE_CATEGORY}},
                              .id_field = SAMPLE_ID,
                              .time_field = SAMPLE_TIME};
}

static inline bool sample_is_text(size_t column)
{
    return column <= SAMPLE_STREET || column == SAMPLE_EMPTY;
}

/* Row i of a sample; stacks of some rows on one position are normal. */
static inline struct sample_row sample_row(uint64_t seed, size_t i)
{
    static const char *const kinds[] = {"shop", "住宅", "works", ""};
    uint64_t s = seed * 1000003 + i;
    uint64_t place = seed * 7919 + i / (1 + i % 5);
    struct sample_row r = {.source_row = i + 1};
    r.pos.x = (uint32_t)(0xD1000000u + sample_random(&place) % 70000);
    r.pos.y = (uint32_t)(0x6F000000u + sample_random(&place) % 70000);
    for (size_t c = 0; c < SAMPLE_COLUMNS; c++) r.valid[c] = true;
    r.valid[SAMPLE_NAME] = sample_random(&s) % 11 != 0;
    r.valid[SAMPLE_CODE] = sample_random(&s) % 7 != 0;
    r.valid[SAMPLE_KIND] = sample_random(&s) % 5 != 0;
    r.valid[SAMPLE_SMALL] = sample_random(&s) % 3 != 0;
    r.valid[SAMPLE_REAL] = sample_random(&s) % 9 != 0;
    r.valid[SAMPLE_EMPTY] = false;
    // Ids out of order, so that ties have to be sorted.
    snprintf(r.text[SAMPLE_ID], 48, "A%zu-%zu", (i * 7919) % 100003, i);
    if (r.valid[SAMPLE_NAME])
        snprintf(r.text[SAMPLE_NAME], 48, "东莞市%llx号%.*s",
                 (unsigned long long)sample_random(&s) % 99991, (int)(i % 9),
                 "abcdefghi");
    if (r.valid[SAMPLE_CODE])
        snprintf(r.text[SAMPLE_CODE], 48, "B44%07llu",
                 (unsigned long long)sample_random(&s) % 1000000);
    if (r.valid[SAMPLE_KIND])
        snprintf(r.text[SAMPLE_KIND], 48, "%s", kinds[sample_random(&s) % 4]);
    snprintf(r.text[SAMPLE_STREET], 48, "street %llu",
             (unsigned long long)sample_random(&s) % 13);
    if (r.valid[SAMPLE_SMALL])
        r.integer[SAMPLE_SMALL] = (int64_t)(sample_random(&s) % 300) - 100;
    r.integer[SAMPLE_WIDE] = (int64_t)sample_random(&s);
    if (r.valid[SAMPLE_REAL])
        r.real = (double)(int64_t)sample_random(&s) / 3.0e7;
    r.integer[SAMPLE_TIME] =
        1672502400 + (int64_t)(sample_random(&s) % 15552000);
    r.integer[SAMPLE_FLAG] = (int64_t)(sample_random(&s) % 2);
    return r;
}

/* Rows as a batch; om_arena_deinit of its arena, also after an error. */
static inline om_status sample_batch(const struct sample_row *row, size_t n,
                                     struct om_batch *batch)
{
    *batch = (struct om_batch){.rows = n};
    struct om_arena *a = &batch->arena;
    uint64_t *source = om_arena_calloc(a, n, sizeof *source);
    struct om_pos *pos = om_arena_calloc(a, n, sizeof *pos);
    struct om_batch_column *col =
        om_arena_calloc(a, SAMPLE_COLUMNS, sizeof *col);
    if (!source || !pos || !col) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        source[i] = row[i].source_row;
        pos[i] = row[i].pos;
    }
    for (size_t c = 0; c < SAMPLE_COLUMNS; c++) {
        uint64_t *valid = om_arena_calloc(a, n / 64 + 1, sizeof *valid);
        int64_t *integer = om_arena_calloc(a, n, sizeof *integer);
        double *real = om_arena_calloc(a, n, sizeof *real);
        uint32_t *offset = om_arena_calloc(a, n + 1, sizeof *offset);
        char *bytes = om_arena_calloc(a, n, 48);
        if (!valid || !integer || !real || !offset || !bytes)
            return OM_E_MEMORY;
        bool all = true;
        for (size_t i = 0; i < n; i++) {
            const struct sample_row *r = &row[i];
            if (r->valid[c])
                om_bit_set(valid, i);
            else
                all = false;
            integer[i] = r->integer[c];
            real[i] = r->real;
            const size_t len = strlen(r->text[c]);
            memcpy(bytes + offset[i], r->text[c], len);
            offset[i + 1] = offset[i] + (uint32_t)len;
        }
        col[c] = (struct om_batch_column){.valid = all ? NULL : valid};
        if (sample_is_text(c)) {
            col[c].offset = offset;
            col[c].bytes = bytes;
        } else if (c == SAMPLE_REAL) {
            col[c].real = real;
        } else {
            col[c].integer = integer;
        }
    }
    batch->source_row = source;
    batch->pos = pos;
    batch->column = col;
    return OM_OK;
}

/* Give rows to a builder in batches of at most `step`. */
static inline om_status sample_add(struct om_builder *b,
                                   const struct sample_row *row, size_t rows,
                                   size_t step)
{
    om_status st = OM_OK;
    for (size_t from = 0; from < rows && !st; from += step) {
        struct om_batch batch;
        st = sample_batch(row + from, rows - from < step ? rows - from : step,
                          &batch);
        if (!st) st = om_builder_add(b, &batch);
        om_arena_deinit(&batch.arena);
    }
    return st;
}

static inline int sample_compare(const void *a, const void *b)
{
    const struct sample_row *x = a, *y = b;
    const uint64_t i = om_morton(x->pos), k = om_morton(y->pos);
    if (i != k) return i < k ? -1 : 1;
    return strcmp(x->text[SAMPLE_ID], y->text[SAMPLE_ID]);
}

/* Does row i of the segment hold exactly `row`? OM_E_INTERNAL: no. */
static inline om_status sample_row_equal(const struct om_segment *s, size_t i,
                                         const struct sample_row *row,
                                         struct om_text_reader *reader)
{
    const uint64_t *key;
    OM_TRY(om_segment_keys(s, i, i + 1, &key));
    if (key[i] != om_morton(row->pos)) return OM_E_INTERNAL;
    for (size_t c = 0; c < SAMPLE_COLUMNS; c++) {
        const struct om_column *col;
        OM_TRY(om_segment_column(s, c, i, i + 1, &col));
        if (om_column_valid(col, i) != row->valid[c]) return OM_E_INTERNAL;
        if (sample_is_text(c)) {
            const char *text;
            size_t len;
            OM_TRY(om_segment_text(s, c, i, reader, &text, &len));
            if ((text != NULL) != row->valid[c]) return OM_E_INTERNAL;
            if (text && (len != strlen(row->text[c]) ||
                         memcmp(text, row->text[c], len) != 0))
                return OM_E_INTERNAL;
        } else if (c == SAMPLE_REAL) {
            const double *real = col->data;
            if (memcmp(&real[i], &row->real, sizeof *real) != 0)
                return OM_E_INTERNAL;
        } else if (row->valid[c] &&
                   om_column_integer(col, i) != row->integer[c]) {
            return OM_E_INTERNAL;
        }
    }
    return OM_OK;
}

/* A path in a new folder under $TMPDIR; sample_remove takes both away. */
static inline void sample_path(char out[256], const char *name)
{
    char folder[200];
    if (!test_folder("onemap", folder, sizeof folder)) abort();
    snprintf(out, 256, "%s/%s", folder, name);
}
static inline void sample_remove(const char *path)
{
    char folder[256];
    unlink(path);
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
}

#endif
