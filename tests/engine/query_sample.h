// query_sample.h - small layers whose every row the test knows by heart.
#ifndef OM_TESTS_ENGINE_QUERY_SAMPLE_H
#define OM_TESTS_ENGINE_QUERY_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "engine/query/query.h"
#include "tests/folder.h"

enum {
    COL_ID,
    COL_KIND,
    COL_RESIDENTS,
    COL_WEIGHT,
    COL_AT,
    COL_FLAG,
    COL_TEXT,
    COL_GRID,
    COL_TOWN,
    COLS
};
static const char *const KIND[] = {"shop",    "workshop",   "餐饮", "a,b",
                                   "q\"uote", "two\nlines", ""};
#define KINDS (sizeof KIND / sizeof *KIND)
#define GRIDS 40u
#define TOWNS 4u

/* A row as the test made it. */
struct truth {
    struct om_pos pos;
    char id[48];
    int kind;  // -1: NULL
    bool residents_null, flag;
    int64_t residents, at;
    double weight;
    uint32_t grid;  // OM_NO_UNIT: none
    bool dead;
};

struct sample {
    char folder[64];
    struct om_layer layer;
    struct om_part *part;
    struct truth **truth;  // [parts][rows], in the order of the segment
    size_t parts;
    struct om_batch_column column[COLS];
};

static uint64_t seed_now = 1;
static inline uint64_t dice(uint64_t n)
{
    uint64_t z = seed_now += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % n;
}
static inline double dice_real(void)
{
    return (double)dice(UINT64_C(1) << 53) / 9007199254740992.0;
}

static inline struct om_pos at_degrees(double lon, double lat)
{
    struct om_pos pos;
    assert_int_equal(om_pos_from_lonlat(lon, lat, &pos), OM_OK);
    return pos;
}

/* Stacks, clusters, even noise, and strays: 0,0, the corners of the world. */
static inline struct om_pos sample_pos(size_t i)
{
    static struct om_pos last;
    const uint64_t how = dice(100);
    if (i < 6) {
        const struct om_pos stray[] = {
            {0, 0},
            {UINT32_MAX, UINT32_MAX},
            {0, UINT32_MAX},
            {UINT32_MAX, 0},
            {UINT32_C(1) << 31, UINT32_C(1) << 31},
            {(UINT32_C(1) << 31) - 1, UINT32_C(1) << 31}};
        return stray[i];
    }
    if (i > 6 && how < 40) return last;
    if (how < 85) {
        const double lon = 113.7 + 0.01 * (double)dice(8);
        const double lat = 23.0 + 0.01 * (double)dice(8);
        last = at_degrees(lon + 0.004 * dice_real() * dice_real(),
                          lat + 0.004 * dice_real() * dice_real());
    } else {
        last = at_degrees(113.5 + 0.8 * dice_real(), 22.7 + 0.5 * dice_real());
    }
    return last;
}

static inline uint32_t sample_grid(struct om_pos pos)
{
    if (pos.x < UINT32_C(1) << 31 || pos.x > UINT32_C(7) << 29)
        return OM_NO_UNIT;
    const uint32_t g = (pos.x >> 18) * 7 + (pos.y >> 18) * 3;
    return g % 41 == 40 ? OM_NO_UNIT : g % 41 % (GRIDS - 1);  // one stays empty
}

static inline void sample_schema(struct om_schema *schema)
{
    static const struct om_field FIELD[] = {
        {"id", OM_TYPE_TEXT},           {"kind", OM_TYPE_CATEGORY},
        {"residents", OM_TYPE_INTEGER}, {"weight", OM_TYPE_REAL},
        {"at", OM_TYPE_TIME},           {"flag", OM_TYPE_BOOLEAN},
        {"text", OM_TYPE_TEXT},
    };
    memset(schema, 0, sizeof *schema);
    schema->geometry = OM_GEOMETRY_POINT;
    schema->count = sizeof FIELD / sizeof *FIELD;
    memcpy(schema->field, FIELD, sizeof FIELD);
    schema->id_field = COL_ID;
    schema->time_field = COL_AT;
}

static inline void sample_text(const struct truth *t, char out[200])
{
    // Long and all different, so that they are not worth a dictionary.
    snprintf(out, 200, "东莞市 %s street, house %llu \"%c\"", t->id,
             (unsigned long long)(om_morton(t->pos) * UINT64_C(2654435761)),
             (char)('A' + t->id[strlen(t->id) - 1] % 26));
}

static inline void sample_rows(struct truth *t, size_t part, size_t rows,
                               size_t stray)
{
    for (size_t i = 0; i < rows; i++) {
        t[i] = (struct truth){.pos = sample_pos(i + stray)};
        // Ids in another order than rows, so that ties are really settled.
        snprintf(t[i].id, sizeof t[i].id, "r%zu-%06zu", part,
                 (i * 7919) % 999983);
        t[i].kind = (int)dice(KINDS + 1) - 1;
        t[i].residents_null = dice(10) == 0;
        t[i].residents = t[i].residents_null ? 0 : (int64_t)dice(500) - 20;
        t[i].weight = dice_real() * 1000 - 300;
        t[i].at = 1672502400 + (int64_t)dice(180 * 86400);
        t[i].flag = dice(3) == 0;
        t[i].grid = sample_grid(t[i].pos);
    }
}

/* Feed rows to a builder as one batch. */
static inline void sample_feed(struct om_builder *builder,
                               const struct truth *t, size_t rows)
{
    struct om_pos *pos = calloc(rows, sizeof *pos);
    uint64_t *source = calloc(rows, sizeof *source);
    uint64_t *valid[2] = {calloc(rows / 64 + 1, 8), calloc(rows / 64 + 1, 8)};
    int64_t *integer[3];
    for (int c = 0; c < 3; c++) integer[c] = calloc(rows, 8);
    double *real = calloc(rows, 8);
    uint32_t *offset[3];
    char *bytes[3];
    for (int c = 0; c < 3; c++) {
        offset[c] = calloc(rows + 1, 4);
        bytes[c] = calloc(rows, 200);
    }
    for (size_t i = 0; i < rows; i++) {
        pos[i] = t[i].pos;
        source[i] = i + 1;
        integer[0][i] = t[i].residents;
        integer[1][i] = t[i].at;
        integer[2][i] = t[i].flag;
        real[i] = t[i].weight;
        if (!t[i].residents_null) om_bit_set(valid[0], i);
        if (t[i].kind >= 0) om_bit_set(valid[1], i);
        char long_text[200];
        sample_text(&t[i], long_text);
        const char *text[3] = {t[i].id, t[i].kind < 0 ? "" : KIND[t[i].kind],
                               long_text};
        for (int c = 0; c < 3; c++) {
            const size_t len = strlen(text[c]);
            memcpy(bytes[c] + offset[c][i], text[c], len);
            offset[c][i + 1] = offset[c][i] + (uint32_t)len;
        }
    }
    const struct om_batch_column column[] = {
        {.offset = offset[0], .bytes = bytes[0]},
        {.valid = valid[1], .offset = offset[1], .bytes = bytes[1]},
        {.valid = valid[0], .integer = integer[0]},
        {.real = real},
        {.integer = integer[1]},
        {.integer = integer[2]},
        {.offset = offset[2], .bytes = bytes[2]},
    };
    const struct om_batch batch = {
        .rows = rows, .source_row = source, .pos = pos, .column = column};
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    for (int c = 0; c < 3; c++) {
        free(integer[c]);
        free(offset[c]);
        free(bytes[c]);
    }
    free(valid[0]);
    free(valid[1]);
    free(real);
    free(pos);
    free(source);
}

static inline void sample_units(const char *path,
                                const struct om_segment *segment,
                                const struct truth *t, size_t rows)
{
    uint32_t *grid = calloc(rows + 1, 4), *town = calloc(rows + 1, 4);
    for (size_t i = 0; i < rows; i++) {
        grid[i] = t[i].grid;
        town[i] = t[i].grid == OM_NO_UNIT ? OM_NO_UNIT : t[i].grid % TOWNS;
    }
    char grid_ids[GRIDS * 8], town_ids[TOWNS * 8];
    uint32_t grid_offset[GRIDS + 1], town_offset[TOWNS + 1];
    for (uint32_t i = 0; i <= GRIDS; i++) {
        grid_offset[i] = i * 3;
        if (i < GRIDS) sprintf(grid_ids + i * 3, "g%02u", i);
    }
    for (uint32_t i = 0; i <= TOWNS; i++) {
        town_offset[i] = i * 2;
        if (i < TOWNS) sprintf(town_ids + i * 2, "t%u", i);
    }
    const struct om_unit_column column[] = {
        {"grid", grid, GRIDS, grid_offset, grid_ids},
        {"town", town, TOWNS, town_offset, town_ids}};
    struct om_err err = {0};
    const om_status st = om_units_write(path, segment, column, 2, &err);
    if (st) fail_msg("%s", err.text);
    free(grid);
    free(town);
}

/* The truth in the order of the segment, by ids. */
static inline void sample_order(const struct om_segment *segment,
                                const struct truth *from, struct truth *to,
                                size_t rows)
{
    struct om_text_reader reader = {0};
    for (size_t i = 0; i < rows; i++) {
        size_t row;
        assert_int_equal(om_segment_find(segment, from[i].id,
                                         strlen(from[i].id), &reader, &row),
                         OM_OK);
        assert_true(row < rows);
        to[row] = from[i];
    }
    om_text_reader_deinit(&reader);
}

static inline void sample_part(struct sample *s, size_t part, size_t rows)
{
    char path[128], units[128];
    snprintf(path, sizeof path, "%.60s/%zu.seg", s->folder, part);
    snprintf(units, sizeof units, "%.60s/%zu.units", s->folder, part);
    struct om_schema *schema = calloc(1, sizeof *schema);
    sample_schema(schema);
    struct truth *made = calloc(rows + 1, sizeof *made);
    s->truth[part] = calloc(rows + 1, sizeof **s->truth);
    sample_rows(made, part, rows, part ? 6 : 0);
    struct om_builder *builder;
    struct om_err err = {0};
    assert_int_equal(om_builder_new(schema, &builder), OM_OK);
    for (size_t i = 0; i < rows; i += 20000)
        sample_feed(builder, made + i, rows - i < 20000 ? rows - i : 20000);
    om_status st = om_builder_write(builder, path, NULL, &err);
    if (st) fail_msg("%s", err.text);
    om_builder_free(builder);
    struct om_segment *bare;
    st = om_segment_open(path, NULL, &bare, &err);
    if (st) fail_msg("%s", err.text);
    assert_int_equal(om_segment_rows(bare), rows);
    sample_order(bare, made, s->truth[part], rows);
    sample_units(units, bare, s->truth[part], rows);
    om_segment_unref(bare);
    st = om_segment_open(path, units, &s->part[part].segment, &err);
    if (st) fail_msg("%s", err.text);
    free(made);
    free(schema);
}

/* `dead_share`: one row in so many is gone; 0: none. */
static inline void sample_make(struct sample *s, size_t parts,
                               const size_t *rows, size_t dead_share)
{
    memset(s, 0, sizeof *s);
    assert_true(test_folder("om-query", s->folder, sizeof s->folder));
    s->parts = parts;
    s->part = calloc(parts, sizeof *s->part);
    s->truth = calloc(parts, sizeof *s->truth);
    for (size_t p = 0; p < parts; p++) {
        sample_part(s, p, rows[p]);
        s->layer.rows += rows[p];
        if (!dead_share) continue;
        uint32_t *dead = calloc(rows[p] + 1, sizeof *dead);
        size_t n = 0;
        for (size_t i = 0; i < rows[p]; i++)
            if (dice(dead_share) == 0) {
                dead[n++] = (uint32_t)i;
                s->truth[p][i].dead = true;
            }
        s->part[p].dead = dead;
        s->part[p].dead_count = n;
        s->layer.rows -= n;
    }
    strcpy(s->layer.name, "sample");
    s->layer.schema = *om_segment_schema(s->part[0].segment);
    s->layer.unit_columns = 2;
    s->layer.parts = parts;
    s->layer.part = s->part;
    s->layer.serial = 4711 + parts;
    assert_int_equal(s->layer.schema.count, COLS);
}

static inline void sample_free(struct sample *s)
{
    char path[128];
    for (size_t p = 0; p < s->parts; p++) {
        om_segment_unref(s->part[p].segment);
        free((void *)(uintptr_t)s->part[p].dead);
        free(s->truth[p]);
        snprintf(path, sizeof path, "%.60s/%zu.seg", s->folder, p);
        unlink(path);
        snprintf(path, sizeof path, "%.60s/%zu.units", s->folder, p);
        unlink(path);
    }
    rmdir(s->folder);
    free(s->part);
    free(s->truth);
}

static inline struct om_query sample_query(const struct sample *s)
{
    return (struct om_query){.layer = &s->layer};
}

/* A predicate of the test's own over all live rows. */
typedef bool sample_test(const struct truth *t, const void *ctx);
static inline uint64_t sample_count(const struct sample *s, sample_test *test,
                                    const void *ctx)
{
    uint64_t n = 0;
    for (size_t p = 0; p < s->parts; p++)
        for (size_t i = 0; i < om_segment_rows(s->part[p].segment); i++)
            n += !s->truth[p][i].dead && test(&s->truth[p][i], ctx);
    return n;
}

#endif
