// build.c - gather rows into growing columns.
#include "engine/layer/build.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build_internal.h"

/* Rows to begin with; doubled from there. */
#define FIRST_ROOM 1024

/* Make *block hold `room` elements; what is there stays. */
static om_status grow(void *block, size_t room, size_t bytes)
{
    size_t total;
    void *old, *grown;
    memcpy(&old, block, sizeof old);
    if (!om_mul_size(room, bytes, &total)) return OM_E_MEMORY;
    grown = om_realloc(old, total);
    if (!grown) return OM_E_MEMORY;
    memcpy(block, &grown, sizeof grown);
    return OM_OK;
}

/* The same, at least doubling; *room counts elements. */
static om_status grow_to(void *block, size_t *room, size_t wanted, size_t bytes)
{
    if (wanted <= *room) return OM_OK;
    const size_t doubled = *room * 2 > FIRST_ROOM ? *room * 2 : FIRST_ROOM;
    const size_t more = wanted > doubled ? wanted : doubled;
    OM_TRY(grow(block, more, bytes));
    *room = more;
    return OM_OK;
}

static bool has_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static void free_shapes(struct om__gather_shapes *s)
{
    om_free(s->shape_part);
    om_free(s->part_ring);
    om_free(s->ring_vertex);
    om_free(s->x);
    om_free(s->y);
    *s = (struct om__gather_shapes){0};
}

void om__gather_free(struct om__gather *g)
{
    om_free(g->valid);
    om_free(g->integer);
    om_free(g->real);
    om_free(g->offset);
    om_free(g->bytes);
    *g = (struct om__gather){.field = g->field};
}

om_status om_builder_new(const struct om_schema *schema,
                         struct om_builder **out)
{
    *out = NULL;
    if (schema->count == 0 || schema->count > OM_LIMIT_COLUMNS ||
        schema->id_field >= schema->count ||
        schema->field[schema->id_field].type != OM_TYPE_TEXT)
        return OM_E_TYPE;
    if (schema->time_field != OM_NO_FIELD &&
        (schema->time_field >= schema->count ||
         schema->field[schema->time_field].type != OM_TYPE_TIME))
        return OM_E_TYPE;
    struct om_builder *b = om_calloc(1, sizeof *b);
    if (!b) return OM_E_MEMORY;
    b->schema = *schema;
    b->column = om_calloc(schema->count, sizeof *b->column);
    if (!b->column) {
        om_builder_free(b);
        return OM_E_MEMORY;
    }
    for (size_t i = 0; i < schema->count; i++)
        b->column[i].field = schema->field[i];
    *out = b;
    return OM_OK;
}

void om_builder_free(struct om_builder *builder)
{
    if (!builder) return;
    if (builder->column)
        for (size_t i = 0; i < builder->schema.count; i++)
            om__gather_free(&builder->column[i]);
    om_free(builder->column);
    free_shapes(&builder->shapes);
    om_free(builder->source_row);
    om_free(builder->key);
    for (size_t i = 0; i < builder->notes; i++) {
        om_free(builder->note[i].id);
        om_free(builder->note[i].text);
    }
    om_free(builder->note);
    om_free(builder);
}

static om_status reserve_column(struct om__gather *g, size_t room)
{
    if (g->valid) OM_TRY(grow(&g->valid, room / 64 + 1, sizeof *g->valid));
    if (has_text(g->field.type))
        return grow(&g->offset, room + 1, sizeof *g->offset);
    if (g->field.type == OM_TYPE_REAL)
        return grow(&g->real, room, sizeof *g->real);
    return grow(&g->integer, room, sizeof *g->integer);
}

static om_status reserve_rows(struct om_builder *b, size_t rows)
{
    if (rows <= b->room) return OM_OK;
    if (rows > OM_LIMIT_SEGMENT_ROWS) return OM_E_LIMIT;
    const size_t doubled = b->room * 2 > FIRST_ROOM ? b->room * 2 : FIRST_ROOM;
    const size_t room = rows > doubled ? rows : doubled;
    OM_TRY(grow(&b->source_row, room, sizeof *b->source_row));
    if (b->schema.geometry == OM_GEOMETRY_POINT)
        OM_TRY(grow(&b->key, room, sizeof *b->key));
    for (size_t i = 0; i < b->schema.count; i++)
        OM_TRY(reserve_column(&b->column[i], room));
    b->room = room;
    return OM_OK;
}

/* The bits of a batch behind those of `at` rows. */
static om_status add_valid(struct om_builder *b, struct om__gather *g,
                           const uint64_t *valid, size_t rows)
{
    if (!valid && !g->valid) return OM_OK;
    const size_t at = b->rows;
    if (!g->valid) {
        g->valid = om_alloc_array(b->room / 64 + 1, sizeof *g->valid);
        if (!g->valid) return OM_E_MEMORY;
        memset(g->valid, 0xFF, (at / 64 + 1) * sizeof *g->valid);
    }
    for (size_t i = 0; i < rows; i++) {
        const uint64_t bit = UINT64_C(1) << (at + i) % 64;
        uint64_t *word = &g->valid[(at + i) / 64];
        if (!valid || om_bit(valid, i)) {
            *word |= bit;
        } else {
            *word &= ~bit;
            g->nulls++;
        }
    }
    return OM_OK;
}

static om_status add_texts(struct om_builder *b, struct om__gather *g,
                           const struct om_batch_column *c, size_t rows)
{
    const size_t at = b->rows;
    if (at == 0) g->offset[0] = 0;
    const size_t len = c->offset[rows] - c->offset[0];
    const uint64_t end = g->offset[at];
    // One more: texts that are all empty have an address, too.
    OM_TRY(grow_to(&g->bytes, &g->bytes_room, (size_t)end + len + 1, 1));
    if (len) memcpy(g->bytes + end, c->bytes + c->offset[0], len);
    for (size_t i = 0; i < rows; i++) {
        if (c->offset[i + 1] - c->offset[i] > OM_LIMIT_TEXT_BYTES)
            return OM_E_LIMIT;
        g->offset[at + i + 1] = end + (c->offset[i + 1] - c->offset[0]);
    }
    return OM_OK;
}

/* Ids; a row without one gets its number in the source. */
static om_status add_ids(struct om_builder *b, struct om__gather *g,
                         const struct om_batch_column *c,
                         const struct om_batch *batch)
{
    bool all = true;
    for (size_t i = 0; i < batch->rows; i++)
        all &= c->offset[i + 1] > c->offset[i];
    if (all) return add_texts(b, g, c, batch->rows);
    if (b->rows == 0) g->offset[0] = 0;
    for (size_t i = 0; i < batch->rows; i++) {
        char number[24];
        const char *text = c->bytes + c->offset[i];
        size_t len = c->offset[i + 1] - c->offset[i];
        if (len > OM_LIMIT_TEXT_BYTES) return OM_E_LIMIT;
        if (len == 0) {
            text = number;
            len = (size_t)snprintf(number, sizeof number, "%llu",
                                   (unsigned long long)batch->source_row[i]);
        }
        const uint64_t end = g->offset[b->rows + i];
        OM_TRY(grow_to(&g->bytes, &g->bytes_room, (size_t)end + len, 1));
        memcpy(g->bytes + end, text, len);
        g->offset[b->rows + i + 1] = end + len;
    }
    return OM_OK;
}

static om_status add_column(struct om_builder *b, size_t number,
                            const struct om_batch *batch)
{
    struct om__gather *g = &b->column[number];
    const struct om_batch_column *c = &batch->column[number];
    if (number == b->schema.id_field) return add_ids(b, g, c, batch);
    switch (g->field.type) {
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            OM_TRY(add_texts(b, g, c, batch->rows));
            break;
        case OM_TYPE_REAL:
            memcpy(g->real + b->rows, c->real, batch->rows * sizeof *c->real);
            break;
        case OM_TYPE_BOOLEAN:
            for (size_t i = 0; i < batch->rows; i++)
                g->integer[b->rows + i] = c->integer[i] != 0;
            break;
        case OM_TYPE_INTEGER:
        case OM_TYPE_TIME:
            memcpy(g->integer + b->rows, c->integer,
                   batch->rows * sizeof *c->integer);
            break;
    }
    // Last, because it counts.
    return add_valid(b, g, c->valid, batch->rows);
}

/* Append `count` offsets [1, count] of a ragged array, moved to `base`. */
static om_status add_offsets(uint32_t **out, size_t *room, size_t at,
                             const uint32_t *offset, size_t count)
{
    OM_TRY(grow_to(out, room, at + count + 1, sizeof **out));
    if (at == 0) (*out)[0] = 0;
    const uint64_t base = (*out)[at];
    if (count > 0 && base + (offset[count] - offset[0]) > UINT32_MAX)
        return OM_E_LIMIT;
    for (size_t i = 1; i <= count; i++)
        (*out)[at + i] = (uint32_t)(base + (offset[i] - offset[0]));
    return OM_OK;
}

static om_status add_shapes(struct om_builder *b, const struct om_shapes *in)
{
    struct om__gather_shapes *s = &b->shapes;
    const size_t part = b->rows ? s->shape_part[b->rows] : 0;
    const size_t ring = b->rows ? s->part_ring[part] : 0;
    const size_t vertex = b->rows ? s->ring_vertex[ring] : 0;
    const uint32_t part0 = in->shape_part[0];
    const size_t parts = in->shape_part[in->count] - part0;
    const uint32_t ring0 = in->part_ring[part0];
    const size_t rings = in->part_ring[part0 + parts] - ring0;
    const uint32_t vertex0 = in->ring_vertex[ring0];
    const size_t vertices = in->ring_vertex[ring0 + rings] - vertex0;
    OM_TRY(add_offsets(&s->shape_part, &s->shape_room, b->rows, in->shape_part,
                       in->count));
    OM_TRY(add_offsets(&s->part_ring, &s->part_room, part,
                       in->part_ring + part0, parts));
    OM_TRY(add_offsets(&s->ring_vertex, &s->ring_room, ring,
                       in->ring_vertex + ring0, rings));
    OM_TRY(grow_to(&s->x, &s->x_room, vertex + vertices, sizeof *s->x));
    OM_TRY(grow_to(&s->y, &s->y_room, vertex + vertices, sizeof *s->y));
    if (vertices == 0) return OM_OK;
    memcpy(s->x + vertex, in->x + vertex0, vertices * sizeof *s->x);
    memcpy(s->y + vertex, in->y + vertex0, vertices * sizeof *s->y);
    return OM_OK;
}

om_status om_builder_add(struct om_builder *builder,
                         const struct om_batch *batch)
{
    struct om_builder *b = builder;
    if (batch->rows == 0) return OM_OK;
    OM_TRY(reserve_rows(b, b->rows + batch->rows));
    memcpy(b->source_row + b->rows, batch->source_row,
           batch->rows * sizeof *b->source_row);
    if (b->schema.geometry == OM_GEOMETRY_POINT) {
        for (size_t i = 0; i < batch->rows; i++)
            b->key[b->rows + i] = om_morton(batch->pos[i]);
    } else {
        if (batch->shapes.count != batch->rows) return OM_E_RANGE;
        OM_TRY(add_shapes(b, &batch->shapes));
    }
    size_t nulls[OM_LIMIT_COLUMNS];
    for (size_t i = 0; i < b->schema.count; i++) nulls[i] = b->column[i].nulls;
    for (size_t i = 0; i < b->schema.count; i++) {
        const om_status st = add_column(b, i, batch);
        if (!st) continue;
        for (size_t k = 0; k <= i; k++) b->column[k].nulls = nulls[k];
        return st;
    }
    b->rows += batch->rows;
    return OM_OK;
}

void om_builder_taken(struct om_builder *builder, om_taken_fn *taken, void *ctx)
{
    builder->taken = taken;
    builder->taken_ctx = ctx;
}

void om_builder_set_shared(struct om_builder *builder, bool shared)
{
    builder->shared = shared;
}

void om__builder_set_block_bytes(struct om_builder *builder, size_t bytes)
{
    builder->block_bytes = bytes;
}

size_t om_builder_rows(const struct om_builder *builder)
{
    return builder->written;
}

size_t om_builder_repaired(const struct om_builder *builder)
{
    return builder->notes;
}

void om_builder_each_note(const struct om_builder *builder,
                          void (*each)(void *ctx, uint64_t source_row,
                                       const char *id, const char *note),
                          void *ctx)
{
    for (size_t i = 0; i < builder->notes; i++)
        each(ctx, builder->note[i].source_row, builder->note[i].id,
             builder->note[i].text);
}
