/* Samples of a layer, and its box.
 *
 * Plan
 *   few_*    no more rows than asked for: all that live, each once
 *   parts_*  the same rows and the same box, whatever parts they lie in and
 *            what has died beside
 *   stack_*  rows on one spot are all taken rather than none
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/live/run.h"
#include "engine/query/sample.h"

#define ROWS 30000
#define PARTS 3

static uint64_t seed = 5;
static uint64_t dice(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % n;
}

static const struct om_schema SCHEMA = {.geometry = OM_GEOMETRY_POINT,
                                        .id_field = 0,
                                        .count = 1,
                                        .field = {{"id", OM_TYPE_TEXT}},
                                        .time_field = OM_NO_FIELD};

/* A part of the rows that `which` names. */
static struct om_segment *part_of(const struct om_pos *pos,
                                  const uint32_t *which, size_t n)
{
    struct om_batch batch = {.rows = n};
    const struct om_batch *list = &batch;
    struct om_arena *a = &batch.arena;
    struct om_segment *out;
    struct om_batch_column column = {0};
    uint32_t *offset = om_arena_calloc(a, n + 1, sizeof *offset);
    char *bytes = om_arena_calloc(a, n + 1, 8);
    struct om_pos *at = om_arena_calloc(a, n + 1, sizeof *at);
    uint64_t *source = om_arena_calloc(a, n + 1, sizeof *source);
    for (size_t i = 0; i < n; i++) {
        const int len = sprintf(bytes + offset[i], "%u", which[i]);
        offset[i + 1] = offset[i] + (uint32_t)len;
        at[i] = pos[which[i]];
        source[i] = i + 1;
    }
    column.offset = offset;
    column.bytes = bytes;
    batch.column = &column;
    batch.pos = at;
    batch.source_row = source;
    assert_int_equal(om_run_new(&SCHEMA, &list, 1, NULL, &out, NULL), OM_OK);
    om_arena_deinit(a);
    return out;
}

/* The same living rows as one part, and as several with dead ones. */
struct pair {
    struct om_layer whole, parts;
    struct om_part one, part[PARTS];
    uint32_t *dead[PARTS];
};

static void pair_init(struct pair *p, const struct om_pos *pos, size_t n,
                      unsigned die)
{
    uint32_t *alive = calloc(n + 1, sizeof *alive);
    uint32_t *of = calloc(n + 1, sizeof *of);
    bool *dead = calloc(n + 1, sizeof *dead);
    struct om_text_reader reader = {0};
    size_t living = 0;
    for (size_t i = 0; i < n; i++) {
        dead[i] = die && dice(die) == 0;
        if (!dead[i]) alive[living++] = (uint32_t)i;
    }
    *p = (struct pair){.one = {.segment = part_of(pos, alive, living)}};
    p->whole = (struct om_layer){
        .schema = SCHEMA, .parts = 1, .part = &p->one, .rows = living};
    p->parts = (struct om_layer){
        .schema = SCHEMA, .parts = PARTS, .part = p->part, .rows = living};
    for (size_t k = 0; k < PARTS; k++) {
        size_t rows = 0;
        for (size_t i = 0; i < n; i++)
            if (i * 2654435761u % 97 % PARTS == k) of[rows++] = (uint32_t)i;
        struct om_segment *s = part_of(pos, of, rows);
        uint32_t *gone = p->dead[k] = calloc(rows + 1, sizeof *gone);
        size_t count = 0;
        for (size_t row = 0; row < rows; row++) {
            const char *text;
            size_t len;
            assert_int_equal(om_segment_text(s, 0, row, &reader, &text, &len),
                             OM_OK);
            char id[8] = "";
            memcpy(id, text, len);
            if (dead[strtoul(id, NULL, 10)]) gone[count++] = (uint32_t)row;
        }
        p->part[k] = (struct om_part){s, gone, count};
    }
    om_text_reader_deinit(&reader);
    free(alive);
    free(of);
    free(dead);
}

static void pair_deinit(struct pair *p)
{
    om_segment_unref(p->one.segment);
    for (size_t k = 0; k < PARTS; k++) {
        om_segment_unref(p->part[k].segment);
        free(p->dead[k]);
    }
}

struct seen {
    const struct om_layer *layer;
    uint64_t *key;
    size_t count;
};

static om_status note(void *ctx, size_t part, size_t row)
{
    struct seen *s = ctx;
    const uint64_t *key;
    OM_TRY(om_segment_keys(s->layer->part[part].segment, row, row + 1, &key));
    assert_true(s->count < ROWS);
    s->key[s->count++] = key[row];
    return OM_OK;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t take(const struct om_layer *layer, uint64_t most, uint64_t *key)
{
    struct om_sample sample;
    struct seen seen = {.layer = layer, .key = key};
    assert_int_equal(om_sample_init(layer, most, &sample), OM_OK);
    assert_int_equal(om_sample_each(layer, &sample, note, &seen), OM_OK);
    assert_int_equal(seen.count, sample.rows);
    if (seen.count) qsort(key, seen.count, sizeof *key, by_number);
    return seen.count;
}

static struct om_pos pos[ROWS];
static uint64_t key[2][ROWS];

static void spread(void)
{
    for (size_t i = 0; i < ROWS; i++)
        pos[i] = (struct om_pos){(uint32_t)(3490000000u + dice(1u << 22)),
                                 (uint32_t)(1860000000u + dice(1u << 22))};
}

static void few_rows_are_all_taken(void **state)
{
    (void)state;
    struct pair p;
    spread();
    pair_init(&p, pos, 500, 4);
    assert_int_equal(take(&p.whole, 500, key[0]), p.whole.rows);
    assert_int_equal(take(&p.parts, 500, key[1]), p.whole.rows);
    assert_memory_equal(key[0], key[1], p.whole.rows * sizeof **key);
    pair_deinit(&p);
}

static void parts_make_no_other_sample_or_box(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct pair p;
        spread();
        // Those at the rim die now and then.
        pos[0].x = 1000;
        pos[1].y = 4000000000u;
        pair_init(&p, pos, ROWS, round % 3 ? 2u * (unsigned)round : 0);
        for (uint64_t most = 100; most < ROWS; most *= 3) {
            const size_t n = take(&p.whole, most, key[0]);
            assert_int_equal(take(&p.parts, most, key[1]), n);
            assert_memory_equal(key[0], key[1], n * sizeof **key);
            assert_true(n >= most / 4 && n <= 4 * most);
        }
        const struct om_box a = om_layer_box(&p.whole),
                            b = om_layer_box(&p.parts),
                            seen = om_segment_box(p.one.segment);
        assert_memory_equal(&a, &b, sizeof a);
        assert_memory_equal(&a, &seen, sizeof a);
        pair_deinit(&p);
    }
}

static void stack_is_taken_rather_than_nothing(void **state)
{
    (void)state;
    struct pair p;
    for (size_t i = 0; i < ROWS; i++)
        pos[i] = (struct om_pos){3490000000u, 1860000000u};
    pair_init(&p, pos, ROWS, 3);
    assert_int_equal(take(&p.parts, 64, key[0]), p.whole.rows);
    pair_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_rows_are_all_taken),
        cmocka_unit_test(parts_make_no_other_sample_or_box),
        cmocka_unit_test(stack_is_taken_rather_than_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
