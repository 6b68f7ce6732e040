// record_sample.h - schemas and random batches for tests of records.
#ifndef OM_TESTS_DATA_RECORD_SAMPLE_H
#define OM_TESTS_DATA_RECORD_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include "data/base/arena.h"
#include "data/model/batch.h"

/* Every type, the id in the middle so that no order is taken for granted. */
static inline struct om_schema record_schema(enum om_geometry geometry)
{
    struct om_schema s = {.geometry = geometry, .count = 7};
    static const struct om_field FIELD[] = {
        {"kind", OM_TYPE_CATEGORY}, {"count", OM_TYPE_INTEGER},
        {"id", OM_TYPE_TEXT},       {"weight", OM_TYPE_REAL},
        {"at", OM_TYPE_TIME},       {"open", OM_TYPE_BOOLEAN},
        {"words", OM_TYPE_TEXT}};
    memcpy(s.field, FIELD, sizeof FIELD);
    s.id_field = 2;
    s.time_field = 4;
    return s;
}

static inline uint64_t record_dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void record_column(struct om_batch *b, const struct om_field *f,
                                 struct om_batch_column *c, bool nulls,
                                 uint64_t *dice)
{
    static const char *const WORD[] = {"", "a", "消防", "𠮷 x",
                                       "a longer text, with \"quotes\""};
    static const int64_t NUMBER[] = {0,  1,         -1,        63,
                                     64, INT64_MIN, INT64_MAX, -65};
    static const double REAL[] = {0, -0.0, 1.5, -1e300, 5e-324};
    uint64_t *valid = om_arena_calloc(&b->arena, b->rows / 64 + 1, 8);
    int64_t *integer = om_arena_calloc(&b->arena, b->rows, 8);
    double *real = om_arena_calloc(&b->arena, b->rows, 8);
    uint32_t *offset = om_arena_calloc(&b->arena, b->rows + 1, 4);
    char *bytes = om_arena_calloc(&b->arena, b->rows, 64);
    const bool is_id = strcmp(f->name, "id") == 0;
    for (size_t i = 0; i < b->rows; i++) {
        const uint64_t roll = record_dice(dice);
        const bool has = is_id || !nulls || roll % 3;
        offset[i + 1] = offset[i];
        if (!has) continue;
        om_bit_set(valid, i);
        if (f->type == OM_TYPE_REAL) {
            real[i] = REAL[roll / 8 % 5];
        } else if (f->type == OM_TYPE_BOOLEAN) {
            integer[i] = roll / 8 % 2;
        } else if (f->type == OM_TYPE_TEXT || f->type == OM_TYPE_CATEGORY) {
            char id[32];
            snprintf(id, sizeof id, "H-%zu-%u", i, (unsigned)(roll % 1000));
            const char *text = is_id ? id : WORD[roll / 8 % 5];
            memcpy(bytes + offset[i], text, strlen(text));
            offset[i + 1] += (uint32_t)strlen(text);
        } else {
            integer[i] = NUMBER[roll / 8 % 8];
        }
    }
    const bool text = f->type == OM_TYPE_TEXT || f->type == OM_TYPE_CATEGORY;
    *c = (struct om_batch_column){.valid = nulls ? valid : NULL,
                                  .offset = text ? offset : NULL,
                                  .bytes = text ? bytes : NULL};
    if (f->type == OM_TYPE_REAL)
        c->real = real;
    else if (!text)
        c->integer = integer;
}

static inline void record_shapes(struct om_batch *b, bool line, uint64_t *dice)
{
    uint32_t *part = om_arena_calloc(&b->arena, b->rows + 1, 4);
    uint32_t *ring = om_arena_calloc(&b->arena, b->rows * 3 + 1, 4);
    uint32_t *vertex = om_arena_calloc(&b->arena, b->rows * 9 + 1, 4);
    double *x = om_arena_calloc(&b->arena, b->rows * 9 * 8, 8);
    double *y = om_arena_calloc(&b->arena, b->rows * 9 * 8, 8);
    uint32_t parts = 0, rings = 0, vertices = 0;
    for (size_t i = 0; i < b->rows; i++) {
        const uint32_t n = 1 + (uint32_t)(record_dice(dice) % 3);
        for (uint32_t p = 0; p < n; p++) {
            const uint32_t r = line ? 1 : 1 + (uint32_t)(record_dice(dice) % 3);
            for (uint32_t k = 0; k < r; k++) {
                const uint32_t v = 3 + (uint32_t)(record_dice(dice) % 6);
                for (uint32_t m = 0; m < v; m++) {
                    x[vertices] = (double)(record_dice(dice) % 4294967296u);
                    y[vertices++] = (double)(record_dice(dice) % 1000) / 7;
                }
                vertex[++rings] = vertices;
            }
            ring[++parts] = rings;
        }
        part[i + 1] = parts;
    }
    b->shapes = (struct om_shapes){b->rows, part, ring, vertex, x, y};
}

/* A batch of random rows in its own arena (om_arena_deinit). */
static inline struct om_batch record_batch(const struct om_schema *schema,
                                           size_t rows, bool nulls,
                                           uint64_t seed)
{
    struct om_batch b = {.rows = rows};
    uint64_t dice = seed * 2 + 1;
    uint64_t *number = om_arena_calloc(&b.arena, rows, 8);
    for (size_t i = 0; i < rows; i++) number[i] = i + 1;
    b.source_row = number;
    if (schema->geometry == OM_GEOMETRY_POINT) {
        struct om_pos *pos = om_arena_calloc(&b.arena, rows, sizeof *pos);
        for (size_t i = 0; i < rows; i++)
            pos[i] = (struct om_pos){(uint32_t)record_dice(&dice),
                                     (uint32_t)record_dice(&dice)};
        b.pos = pos;
    } else {
        record_shapes(&b, schema->geometry == OM_GEOMETRY_LINE, &dice);
    }
    struct om_batch_column *column =
        om_arena_calloc(&b.arena, schema->count, sizeof *column);
    for (size_t i = 0; i < schema->count; i++)
        record_column(&b, &schema->field[i], &column[i], nulls, &dice);
    b.column = column;
    return b;
}

#endif
