// extract.c - columns, positions and rings back into the arrays of a batch.
#include "engine/layer/extract.h"

#include <string.h>

#include "data/base/buf.h"

struct extracting {
    const struct om_segment *segment;
    const struct om_schema *own;
    const uint32_t *row;  // [rows] ascending
    size_t rows;
    bool dense;  // they lie close enough to be touched as one range
    struct om_arena *arena;
};

static bool schema_agrees(const struct om_segment *segment,
                          const struct om_schema *own)
{
    const struct om_schema *have = om_segment_schema(segment);
    if (own->count > have->count || own->geometry != have->geometry)
        return false;
    for (size_t i = 0; i < own->count; i++)
        if (own->field[i].type != have->field[i].type ||
            strcmp(own->field[i].name, have->field[i].name) != 0)
            return false;
    return true;
}

/* The numbers of the rows that live, in the batch's arena. */
static om_status list_rows(struct extracting *e, size_t from, size_t to,
                           const uint32_t *rows, const uint32_t *dead,
                           size_t dead_count)
{
    const size_t limit = om_segment_rows(e->segment);
    if (!rows && (from > to || to > limit)) return OM_E_RANGE;
    const size_t count = rows ? to : to - from;
    uint32_t *list = om_arena_alloc(e->arena, (count + 1) * sizeof *list);
    if (!list) return OM_E_MEMORY;
    size_t d = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t row = rows ? rows[i] : from + i;
        if (row >= limit) return OM_E_RANGE;
        while (d < dead_count && dead[d] < row) d++;
        if (d < dead_count && dead[d] == row) continue;
        list[e->rows++] = (uint32_t)row;
    }
    e->row = list;
    e->dense = !rows;
    return OM_OK;
}

/* A column with all rows that are wanted checked. */
static om_status touch_column(const struct extracting *e, size_t column,
                              const struct om_column **out)
{
    const struct om_segment *s = e->segment;
    if (e->rows == 0) return om_segment_column(s, column, 0, 0, out);
    if (e->dense)
        return om_segment_column(s, column, e->row[0], e->row[e->rows - 1] + 1,
                                 out);
    for (size_t i = 0; i < e->rows; i++)
        OM_TRY(om_segment_column(s, column, e->row[i], e->row[i] + 1, out));
    return OM_OK;
}

/* Which rows have a value; *out NULL if all have. */
static om_status take_valid(const struct extracting *e,
                            const struct om_column *c, const uint64_t **out)
{
    *out = NULL;
    if (!c->valid) return OM_OK;
    uint64_t *valid =
        om_arena_calloc(e->arena, e->rows / 64 + 1, sizeof *valid);
    if (!valid) return OM_E_MEMORY;
    size_t have = 0;
    for (size_t i = 0; i < e->rows; i++) {
        if (!om_column_valid(c, e->row[i])) continue;
        om_bit_set(valid, i);
        have++;
    }
    if (have < e->rows) *out = valid;
    return OM_OK;
}

static om_status take_numbers(const struct extracting *e,
                              const struct om_column *c,
                              struct om_batch_column *out)
{
    int64_t *value = om_arena_alloc(e->arena, (e->rows + 1) * sizeof *value);
    if (!value) return OM_E_MEMORY;
    for (size_t i = 0; i < e->rows; i++)
        value[i] = om_column_valid(c, e->row[i])
                       ? om_column_integer(c, e->row[i])
                       : 0;
    out->integer = value;
    return OM_OK;
}

static om_status take_reals(const struct extracting *e,
                            const struct om_column *c,
                            struct om_batch_column *out)
{
    double *value = om_arena_alloc(e->arena, (e->rows + 1) * sizeof *value);
    if (!value) return OM_E_MEMORY;
    const double *stored = c->data;
    for (size_t i = 0; i < e->rows; i++)
        value[i] = om_column_valid(c, e->row[i]) ? stored[e->row[i]] : 0;
    out->real = value;
    return OM_OK;
}

static om_status take_texts(const struct extracting *e, size_t column,
                            struct om_batch_column *out)
{
    struct om_text_reader reader = {0};
    struct om_buf bytes;
    om_buf_init(&bytes, 0);
    om_status st = OM_E_MEMORY;
    char *copy = NULL;
    uint32_t *offset = om_arena_alloc(e->arena, (e->rows + 1) * sizeof *offset);
    if (!offset) goto done;
    st = OM_OK;
    offset[0] = 0;
    for (size_t i = 0; i < e->rows && !st; i++) {
        const char *text;
        size_t len;
        st = om_segment_text(e->segment, column, e->row[i], &reader, &text,
                             &len);
        if (!st && len) st = om_buf_add(&bytes, text, len);
        if (!st && bytes.len > UINT32_MAX) st = OM_E_LIMIT;
        offset[i + 1] = (uint32_t)bytes.len;
    }
    if (st) goto done;
    copy = om_arena_alloc(e->arena, bytes.len + 1);
    if (!copy) {
        st = OM_E_MEMORY;
        goto done;
    }
    if (bytes.len) memcpy(copy, bytes.bytes, bytes.len);
    out->offset = offset;
    out->bytes = copy;
done:
    om_buf_deinit(&bytes);
    om_text_reader_deinit(&reader);
    return st;
}

static om_status take_column(const struct extracting *e, size_t column,
                             struct om_batch_column *out)
{
    const struct om_column *c;
    OM_TRY(touch_column(e, column, &c));
    OM_TRY(take_valid(e, c, &out->valid));
    switch (c->field.type) {
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            return take_texts(e, column, out);
        case OM_TYPE_REAL:
            return take_reals(e, c, out);
        case OM_TYPE_INTEGER:
        case OM_TYPE_TIME:
        case OM_TYPE_BOOLEAN:
            return take_numbers(e, c, out);
    }
    return OM_E_TYPE;
}

static om_status take_positions(const struct extracting *e,
                                struct om_batch *out)
{
    struct om_pos *pos = om_arena_alloc(e->arena, (e->rows + 1) * sizeof *pos);
    if (!pos) return OM_E_MEMORY;
    for (size_t i = 0; i < e->rows; i++) {
        const uint32_t row = e->row[i];
        const uint64_t *key;
        OM_TRY(om_segment_keys(e->segment, row, row + (size_t)1, &key));
        pos[i] = om_morton_pos(key[row]);
    }
    out->pos = pos;
    return OM_OK;
}

/* Rings of the rows, touched, and how much of everything there is. */
static om_status count_shapes(const struct extracting *e, struct om_rings *r,
                              size_t *parts, size_t *rings, size_t *vertices)
{
    *parts = *rings = *vertices = 0;
    for (size_t i = 0; i < e->rows; i++) {
        const uint32_t row = e->row[i];
        OM_TRY(om_segment_rings(e->segment, row, row + (size_t)1, r));
        const uint32_t first = r->shape_part[row], end = r->shape_part[row + 1];
        const uint32_t ring = r->part_ring[first], ring_end = r->part_ring[end];
        *parts += end - first;
        *rings += ring_end - ring;
        *vertices += r->ring_vertex[ring_end] - r->ring_vertex[ring];
    }
    return *vertices > UINT32_MAX ? OM_E_LIMIT : OM_OK;
}

static om_status take_shapes(const struct extracting *e, struct om_batch *out)
{
    struct om_rings r = {0};
    size_t parts, rings, vertices;
    OM_TRY(count_shapes(e, &r, &parts, &rings, &vertices));
    uint32_t *shape_part =
        om_arena_alloc(e->arena, (e->rows + 1) * sizeof *shape_part);
    uint32_t *part_ring =
        om_arena_alloc(e->arena, (parts + 1) * sizeof *part_ring);
    uint32_t *ring_vertex =
        om_arena_alloc(e->arena, (rings + 1) * sizeof *ring_vertex);
    double *x = om_arena_alloc(e->arena, (vertices + 1) * sizeof *x);
    double *y = om_arena_alloc(e->arena, (vertices + 1) * sizeof *y);
    if (!shape_part || !part_ring || !ring_vertex || !x || !y)
        return OM_E_MEMORY;
    uint32_t part_at = 0, ring_at = 0, vertex_at = 0;
    for (size_t i = 0; i < e->rows; i++) {
        const uint32_t row = e->row[i];
        shape_part[i] = part_at;
        for (size_t p = r.shape_part[row]; p < r.shape_part[row + 1]; p++) {
            part_ring[part_at++] = ring_at;
            for (size_t g = r.part_ring[p]; g < r.part_ring[p + 1]; g++) {
                ring_vertex[ring_at++] = vertex_at;
                for (size_t v = r.ring_vertex[g]; v < r.ring_vertex[g + 1];
                     v++) {
                    x[vertex_at] = r.vertex[v].x;
                    y[vertex_at++] = r.vertex[v].y;
                }
            }
        }
    }
    shape_part[e->rows] = part_at;
    part_ring[part_at] = ring_at;
    ring_vertex[ring_at] = vertex_at;
    out->shapes = (struct om_shapes){.count = e->rows,
                                     .shape_part = shape_part,
                                     .part_ring = part_ring,
                                     .ring_vertex = ring_vertex,
                                     .x = x,
                                     .y = y};
    return OM_OK;
}

static om_status take_all(struct extracting *e, struct om_batch *out)
{
    struct om_batch_column *column =
        om_arena_calloc(e->arena, e->own->count, sizeof *column);
    uint64_t *source =
        om_arena_alloc(e->arena, (e->rows + 1) * sizeof *source);
    if (!column || !source) return OM_E_MEMORY;
    out->rows = e->rows;
    out->column = column;
    out->source_row = source;
    for (size_t i = 0; i < e->rows; i++) source[i] = (uint64_t)e->row[i] + 1;
    for (size_t c = 0; c < e->own->count; c++)
        OM_TRY(take_column(e, c, &column[c]));
    return e->own->geometry == OM_GEOMETRY_POINT ? take_positions(e, out)
                                                 : take_shapes(e, out);
}

om_status om_segment_extract(const struct om_segment *segment,
                             const struct om_schema *own, size_t from,
                             size_t to, const uint32_t *rows,
                             const uint32_t *dead, size_t dead_count,
                             struct om_batch *out)
{
    *out = (struct om_batch){0};
    struct extracting e = {
        .segment = segment, .own = own, .arena = &out->arena};
    om_status st = schema_agrees(segment, own) ? OM_OK : OM_E_TYPE;
    if (!st) st = list_rows(&e, from, to, rows, dead, dead_count);
    if (!st) st = take_all(&e, out);
    if (!st) return OM_OK;
    om_arena_deinit(&out->arena);
    *out = (struct om_batch){0};
    return st;
}
