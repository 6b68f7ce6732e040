// field_sample.h - layers of made-up points, built the way an import does, for
// the tests and benchmarks of fields and heat tiles.
#ifndef OM_TESTS_ENGINE_FIELD_SAMPLE_H
#define OM_TESTS_ENGINE_FIELD_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "engine/field/field.h"
#include "engine/layer/build.h"
#include "tests/folder.h"

enum {
    FIELD_ID,
    FIELD_KIND,
    FIELD_PEOPLE,
    FIELD_SCORE,
    FIELD_AT,
    FIELD_COLUMNS
};

struct field_row {
    struct om_pos pos;
    int64_t people;
    double score;
    int kind;      // 0 to 9
    int64_t at_s;  // FIELD_NO_TIME: NULL
};
#define FIELD_NO_TIME INT64_MIN

static inline struct om_schema field_schema(void)
{
    return (struct om_schema){.geometry = OM_GEOMETRY_POINT,
                              .count = FIELD_COLUMNS,
                              .field = {{"id", OM_TYPE_TEXT},
                                        {"kind", OM_TYPE_CATEGORY},
                                        {"people", OM_TYPE_INTEGER},
                                        {"score", OM_TYPE_REAL},
                                        {"at", OM_TYPE_TIME}},
                              .id_field = FIELD_ID,
                              .time_field = FIELD_AT};
}

static inline uint64_t field_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}
static inline double field_uniform(uint64_t *state)
{
    return (double)(field_random(state) >> 11) / 9007199254740992.0;
}

static inline om_status field_batch(struct om_builder *b,
                                    const struct field_row *row, size_t n,
                                    size_t first)
{
    struct om_batch batch = {.rows = n};
    struct om_arena *a = &batch.arena;
    uint64_t *source = om_arena_alloc(a, n * sizeof *source);
    struct om_pos *pos = om_arena_alloc(a, n * sizeof *pos);
    struct om_batch_column *col =
        om_arena_calloc(a, FIELD_COLUMNS, sizeof *col);
    uint32_t *id_at = om_arena_alloc(a, (n + 1) * sizeof *id_at);
    char *id = om_arena_alloc(a, n * 12 + 1);
    uint32_t *kind_at = om_arena_alloc(a, (n + 1) * sizeof *kind_at);
    char *kind = om_arena_alloc(a, n + 1);
    int64_t *people = om_arena_alloc(a, n * sizeof *people);
    double *score = om_arena_alloc(a, n * sizeof *score);
    int64_t *at = om_arena_alloc(a, n * sizeof *at);
    uint64_t *known = om_arena_calloc(a, n / 64 + 1, sizeof *known);
    om_status st = OM_E_MEMORY;
    if (source && pos && col && id_at && id && kind_at && kind && people &&
        score && at && known) {
        id_at[0] = kind_at[0] = 0;
        for (size_t i = 0; i < n; i++) {
            source[i] = first + i + 1;
            pos[i] = row[i].pos;
            people[i] = row[i].people;
            score[i] = row[i].score;
            at[i] = row[i].at_s == FIELD_NO_TIME ? 0 : row[i].at_s;
            if (row[i].at_s != FIELD_NO_TIME) om_bit_set(known, i);
            char text[16];
            snprintf(text, sizeof text, "A%09zu", first + i);
            memcpy(id + 10 * i, text, 10);
            id_at[i + 1] = (uint32_t)(10 * (i + 1));
            kind[i] = (char)('a' + row[i].kind);
            kind_at[i + 1] = (uint32_t)(i + 1);
        }
        col[FIELD_ID] = (struct om_batch_column){.offset = id_at, .bytes = id};
        col[FIELD_KIND] =
            (struct om_batch_column){.offset = kind_at, .bytes = kind};
        col[FIELD_PEOPLE].integer = people;
        col[FIELD_SCORE].real = score;
        col[FIELD_AT].integer = at;
        col[FIELD_AT].valid = known;
        batch.source_row = source;
        batch.pos = pos;
        batch.column = col;
        st = om_builder_add(b, &batch);
    }
    om_arena_deinit(a);
    return st;
}

/* Write rows as a segment and open it; the file's name is gone at once. */
static inline om_status field_segment(const struct field_row *row, size_t n,
                                      struct om_segment **out)
{
    static uint64_t first;  // ids differ between segments
    char folder[512], path[600];
    if (!test_folder("onemap-field", folder, sizeof folder)) return OM_E_IO;
    snprintf(path, sizeof path, "%s/segment", folder);
    struct om_schema schema = field_schema();
    struct om_builder *b = NULL;
    om_status st = om_builder_new(&schema, &b);
    for (size_t at = 0; !st && at < n; at += OM_LIMIT_BATCH_ROWS)
        st = field_batch(
            b, row + at,
            n - at < OM_LIMIT_BATCH_ROWS ? n - at : OM_LIMIT_BATCH_ROWS,
            first + at);
    first += n;
    if (!st) st = om_builder_write(b, path, NULL, NULL);
    om_builder_free(b);
    if (!st) st = om_segment_open(path, NULL, out, NULL);
    unlink(path);
    rmdir(folder);
    return st;
}

/* A layer of segments, with nothing dead. */
struct field_layer {
    struct om_layer layer;
    struct om_part part[4];
};

static inline om_status field_layer_add(struct field_layer *l,
                                        const struct field_row *row, size_t n)
{
    static uint64_t serial;
    struct om_segment *segment;
    const om_status st = field_segment(row, n, &segment);
    if (st) return st;
    l->part[l->layer.parts++] = (struct om_part){.segment = segment};
    l->layer.part = l->part;
    l->layer.schema = *om_segment_schema(segment);
    l->layer.rows += n;
    l->layer.serial = ++serial;
    return OM_OK;
}

static inline void field_layer_free(struct field_layer *l)
{
    for (size_t i = 0; i < l->layer.parts; i++)
        om_segment_unref(l->part[i].segment);
    *l = (struct field_layer){0};
}

/* Everything, without going through a filter. */
static inline struct om_selection field_all(const struct om_layer *layer)
{
    return (struct om_selection){.all = true, .count = layer->rows};
}

/* The rows that `take` takes, as a filter would select them. */
static inline struct om_selection *field_select(
    const struct om_layer *layer,
    bool (*take)(const struct om_segment *s, size_t row))
{
    static uint64_t serial = UINT64_C(1) << 40;
    struct om_selection *s = calloc(1, sizeof *s);
    s->parts = layer->parts;
    s->serial = ++serial;
    s->part = calloc(s->parts, sizeof *s->part);
    for (size_t p = 0; p < s->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        uint64_t *word = calloc(rows / 64 + 1, sizeof *word);
        uint32_t *rank = calloc(rows / 512 + 2, sizeof *rank);
        size_t count = 0;
        for (size_t row = 0; row < rows; row++) {
            if (row % 512 == 0) rank[row / 512] = (uint32_t)count;
            if (!take(segment, row)) continue;
            om_bit_set(word, row);
            count++;
        }
        for (size_t i = (rows + 511) / 512; i < rows / 512 + 2; i++)
            rank[i] = (uint32_t)count;
        s->part[p] = (struct om_bitmap){rows, count, word, rank};
        s->count += count;
    }
    return s;
}

static inline void field_select_free(struct om_selection *s)
{
    for (size_t p = 0; p < s->parts; p++) {
        free((void *)(uintptr_t)s->part[p].word);
        free((void *)(uintptr_t)s->part[p].rank);
    }
    free(s->part);
    free(s);
}

#endif
