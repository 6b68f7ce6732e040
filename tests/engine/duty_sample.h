// duty_sample.h - a city of houses, visits and workers for tests of duties.
#ifndef OM_TESTS_ENGINE_DUTY_SAMPLE_H
#define OM_TESTS_ENGINE_DUTY_SAMPLE_H

#include "engine/coverage/duty.h"
#include "tests/engine/city_sample.h"

#define DUTY_COLUMNS 8
#define DUTY_NONE INT64_MIN

/* Rows of a layer while they are gathered. A text NULL or a number DUTY_NONE
 * is NULL. */
struct duty_rows {
    struct om_schema schema;
    size_t count, room;
    struct om_pos *pos;
    char (*text)[DUTY_COLUMNS][32];
    bool (*valid)[DUTY_COLUMNS];
    int64_t (*number)[DUTY_COLUMNS];
};

static inline void duty_column(struct duty_rows *r, const char *name,
                               enum om_type type)
{
    struct om_field *f = &r->schema.field[r->schema.count++];
    snprintf(f->name, sizeof f->name, "%s", name);
    f->type = type;
}

static inline struct duty_rows duty_rows(size_t room)
{
    struct duty_rows r = {.room = room};
    r.schema.geometry = OM_GEOMETRY_POINT;
    r.schema.time_field = OM_NO_FIELD;
    r.pos = calloc(room + 1, sizeof *r.pos);
    r.text = calloc(room + 1, sizeof *r.text);
    r.valid = calloc(room + 1, sizeof *r.valid);
    r.number = calloc(room + 1, sizeof *r.number);
    duty_column(&r, "id", OM_TYPE_TEXT);
    return r;
}

static inline void duty_rows_free(struct duty_rows *r)
{
    free(r->pos);
    free(r->text);
    free(r->valid);
    free(r->number);
}

static inline void duty_add(struct duty_rows *r, struct om_pos pos,
                            const char *id)
{
    if (r->count == r->room) abort();
    r->pos[r->count] = pos;
    snprintf(r->text[r->count][0], 32, "%s", id);
    r->valid[r->count++][0] = true;
}

static inline void duty_text(struct duty_rows *r, size_t column,
                             const char *text)
{
    if (!text) return;
    snprintf(r->text[r->count - 1][column], 32, "%s", text);
    r->valid[r->count - 1][column] = true;
}

static inline void duty_number(struct duty_rows *r, size_t column, int64_t n)
{
    if (n == DUTY_NONE) return;
    r->number[r->count - 1][column] = n;
    r->valid[r->count - 1][column] = true;
}

static inline bool duty_is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

/* Write the rows as a layer of the city. */
static inline struct om_layer *duty_layer(struct city_sample *c,
                                          const char *name,
                                          const struct duty_rows *r)
{
    struct om_arena arena = {0};
    const size_t n = r->count;
    struct om_batch_column column[DUTY_COLUMNS] = {0};
    uint64_t *source = om_arena_calloc(&arena, n + 1, sizeof *source);
    for (size_t i = 0; i < n; i++) source[i] = i + 1;
    for (size_t k = 0; k < r->schema.count; k++) {
        uint64_t *valid = om_arena_calloc(&arena, n / 64 + 1, 8);
        int64_t *number = om_arena_calloc(&arena, n + 1, 8);
        uint32_t *offset = om_arena_calloc(&arena, n + 1, 4);
        char *bytes = om_arena_calloc(&arena, n + 1, 32);
        for (size_t i = 0; i < n; i++) {
            number[i] = r->number[i][k];
            offset[i + 1] = offset[i];
            if (!r->valid[i][k]) continue;
            om_bit_set(valid, i);
            const size_t len = strlen(r->text[i][k]);
            memcpy(bytes + offset[i], r->text[i][k], len);
            offset[i + 1] += (uint32_t)len;
        }
        column[k].valid = valid;
        if (duty_is_text(r->schema.field[k].type)) {
            column[k].offset = offset;
            column[k].bytes = bytes;
        } else {
            column[k].integer = number;
        }
    }
    const struct om_batch batch = {
        .rows = n, .source_row = source, .pos = r->pos, .column = column};
    struct om_layer *layer = city_add_points(c, name, &r->schema, &batch);
    om_arena_deinit(&arena);
    return layer;
}

static inline void duty_document(struct city_sample *c, const char *text)
{
    om_json_free(c->manifest.document);
    c->manifest.document = NULL;
    assert_int_equal(
        om_json_parse(text, strlen(text), &c->manifest.document, NULL), OM_OK);
}

/* Four units in a row, g000 to g003, 10,000 cells each. */
static inline void duty_units(struct city_sample *c, const char *level,
                              size_t count, const char *prefix)
{
    struct mesh mesh;
    mesh_init(&mesh, 100);
    const double side = 40000.0 / (double)count;
    for (size_t i = 0; i < count; i++) {
        const double x = 3.4e9 + side * (double)i, y = 1.8e9;
        const double ring[] = {x,        y,       x + side, y,
                               x + side, y + 1e4, x,        y + 1e4};
        mesh_polygon(&mesh, 4, ring);
    }
    city_add_units(c, level, &mesh, prefix);
    mesh_deinit(&mesh);
}

static inline struct om_pos duty_pos(uint64_t *seed)
{
    return (struct om_pos){(uint32_t)(3400000000u + mesh_random(seed) % 41000),
                           (uint32_t)(1800000000u + mesh_random(seed) % 10000)};
}

/* "2023-05-01T00:00:00+08:00" as UTC seconds. */
static inline int64_t duty_at(const char *text)
{
    int64_t at_s;
    assert_int_equal(om_time_parse(text, strlen(text), 8 * 3600, &at_s), OM_OK);
    return at_s;
}

#endif
