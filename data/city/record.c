// record.c - rows to bytes and back.
#include "data/city/record.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/utf8.h"

/* DESIGN
 *   byte      version
 *   4 bytes   hash of the schema: geometry, names and types of the columns
 *   bits      one a column, in whole bytes: there is a value
 *   place     point: x, y of 4 bytes. Shapes: number of parts; of each its
 *             rings; of each its vertices; then all x, then all y, as doubles
 *   values    of the columns that have one: integers and times zigzag, as
 *             varints; reals 8 bytes; booleans 1; texts length and bytes
 * All little-endian; varints are LEB128, the shortest.
 * (1) There is one record of a row: what is read, written again, is the same
 *     bytes. So everything that would not come back is refused: longer
 *     varints, bits beyond the last column, bytes after the last value.
 * (2) A row that fails leaves the reader as it was: all arrays are cut back to
 *     what `rows` and the offsets of the last good row say. */

#define VERSION 1
#define VARINT_BYTES 10
#define WORLD 4294967296.0

static uint32_t schema_hash(const struct om_schema *schema)
{
    uint64_t hash = om_hash64(NULL, 0, (uint64_t)schema->geometry);
    for (size_t i = 0; i < schema->count; i++) {
        const char *name = schema->field[i].name;
        hash = om_hash64(name, strlen(name),
                         hash ^ (uint64_t)schema->field[i].type);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static bool is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

// ---- writing ----

static void put_fixed(struct om_buf *out, uint64_t value, size_t bytes)
{
    uint8_t at[8];
    for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
    om_buf_add(out, at, bytes);
}

static void put_varint(struct om_buf *out, uint64_t value)
{
    uint8_t at[VARINT_BYTES];
    size_t n = 0;
    while (value > 0x7f) {
        at[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    at[n++] = (uint8_t)value;
    om_buf_add(out, at, n);
}

static void put_real(struct om_buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_fixed(out, bits, 8);
}

static void put_shape(struct om_buf *out, const struct om_shapes *s, size_t row)
{
    const uint32_t part = s->shape_part[row], parts = s->shape_part[row + 1];
    put_varint(out, parts - part);
    for (uint32_t p = part; p < parts; p++)
        put_varint(out, s->part_ring[p + 1] - s->part_ring[p]);
    const uint32_t ring = s->part_ring[part], rings = s->part_ring[parts];
    for (uint32_t r = ring; r < rings; r++)
        put_varint(out, s->ring_vertex[r + 1] - s->ring_vertex[r]);
    const uint32_t from = s->ring_vertex[ring], to = s->ring_vertex[rings];
    for (uint32_t v = from; v < to; v++) put_real(out, s->x[v]);
    for (uint32_t v = from; v < to; v++) put_real(out, s->y[v]);
}

static void put_value(struct om_buf *out, enum om_type type,
                      const struct om_batch_column *column, size_t row)
{
    if (is_text(type)) {
        const uint32_t from = column->offset[row];
        const uint32_t len = column->offset[row + 1] - from;
        put_varint(out, len);
        om_buf_add(out, column->bytes + from, len);
    } else if (type == OM_TYPE_REAL) {
        put_real(out, column->real[row]);
    } else if (type == OM_TYPE_BOOLEAN) {
        om_buf_add_byte(out, column->integer[row] != 0);
    } else {
        const int64_t value = column->integer[row];
        put_varint(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
    }
}

om_status om_record_add(const struct om_schema *schema,
                        const struct om_batch *batch, size_t row,
                        struct om_buf *out)
{
    uint8_t has[OM_LIMIT_COLUMNS / 8] = {0};
    for (size_t i = 0; i < schema->count; i++) {
        const uint64_t *valid = batch->column[i].valid;
        if (!valid || om_bit(valid, row)) has[i / 8] |= (uint8_t)(1 << i % 8);
    }
    om_buf_add_byte(out, VERSION);
    put_fixed(out, schema_hash(schema), 4);
    om_buf_add(out, has, (schema->count + 7) / 8);
    if (schema->geometry == OM_GEOMETRY_POINT) {
        put_fixed(out, batch->pos[row].x, 4);
        put_fixed(out, batch->pos[row].y, 4);
    } else {
        put_shape(out, &batch->shapes, row);
    }
    for (size_t i = 0; i < schema->count; i++)
        if (has[i / 8] >> i % 8 & 1)
            put_value(out, schema->field[i].type, &batch->column[i], row);
    return out->status;
}

// ---- reading ----

struct column {
    struct om_buf valid;   // words
    struct om_buf number;  // integers or reals
    struct om_buf offset, bytes;
};

struct om_record_reader {
    struct om_schema schema;
    uint32_t hash;
    size_t rows;
    struct om_buf source_row, pos;
    struct om_buf shape_part, part_ring, ring_vertex, x, y;
    struct column *column;
    struct om_batch_column *view;
    struct om_batch batch;
};

/* Bytes that are still to be read; `bad` sticks. */
struct cursor {
    const uint8_t *at, *end;
    bool bad;
};

static const uint8_t *take(struct cursor *c, size_t len)
{
    if (c->bad || len > (size_t)(c->end - c->at)) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *at = c->at;
    c->at += len;
    return at;
}

static uint64_t take_fixed(struct cursor *c, size_t bytes)
{
    const uint8_t *at = take(c, bytes);
    uint64_t value = 0;
    for (size_t i = 0; at && i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static uint64_t take_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *at = take(c, 1);
        if (!at) return 0;
        value |= (uint64_t)(*at & 0x7f) << shift;
        if (*at & 0x80) continue;
        // (1): no zeros at its end, no bits beyond the 64th.
        if ((*at == 0 && shift > 0) || (shift == 63 && *at > 1)) c->bad = true;
        return value;
    }
    c->bad = true;
    return 0;
}

/* A count of things that take at least `bytes` each of what is left, so that a
 * wrong one cannot ask for memory without end. */
static uint32_t take_count(struct cursor *c, size_t bytes)
{
    const uint64_t count = take_varint(c);
    if (count > (uint64_t)(c->end - c->at) / bytes || count > UINT32_MAX)
        c->bad = true;
    return c->bad ? 0 : (uint32_t)count;
}

static double take_real(struct cursor *c)
{
    const uint64_t bits = take_fixed(c, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) c->bad = true;
    return value;
}

static uint32_t last_of(const struct om_buf *offsets)
{
    uint32_t value;
    memcpy(&value, offsets->bytes + offsets->len - sizeof value, sizeof value);
    return value;
}

/* Append the offset that ends a stretch of `count`. */
static om_status add_offset(struct om_buf *offsets, uint32_t count)
{
    const uint64_t next = (uint64_t)last_of(offsets) + count;
    if (next > UINT32_MAX) return OM_E_LIMIT;
    const uint32_t value = (uint32_t)next;
    return om_buf_add(offsets, &value, sizeof value);
}

static om_status read_point(struct om_record_reader *r, struct cursor *c)
{
    struct om_pos pos;
    pos.x = (uint32_t)take_fixed(c, 4);
    pos.y = (uint32_t)take_fixed(c, 4);
    return om_buf_add(&r->pos, &pos, sizeof pos);
}

static om_status read_axis(struct om_buf *out, struct cursor *c, uint64_t count)
{
    for (uint64_t i = 0; i < count && !c->bad; i++) {
        const double value = take_real(c);
        if (value < 0 || value > WORLD) c->bad = true;
        OM_TRY(om_buf_add(out, &value, sizeof value));
    }
    return OM_OK;
}

static om_status read_shape(struct om_record_reader *r, struct cursor *c)
{
    const bool line = r->schema.geometry == OM_GEOMETRY_LINE;
    const uint32_t parts = take_count(c, 1);
    OM_TRY(add_offset(&r->shape_part, parts));
    uint64_t rings = 0, vertices = 0;
    for (uint32_t i = 0; i < parts && !c->bad; i++) {
        const uint32_t n = take_count(c, 1);
        if (n == 0 || (line && n != 1)) c->bad = true;
        rings += n;
        OM_TRY(add_offset(&r->part_ring, n));
    }
    for (uint64_t i = 0; i < rings && !c->bad; i++) {
        const uint32_t n = take_count(c, 2 * sizeof(double));
        if (n == 0) c->bad = true;
        vertices += n;
        OM_TRY(add_offset(&r->ring_vertex, n));
    }
    if (parts == 0) c->bad = true;
    OM_TRY(read_axis(&r->x, c, vertices));
    return read_axis(&r->y, c, vertices);
}

static om_status read_text(struct column *column, struct cursor *c)
{
    const uint64_t len = take_varint(c);
    if (len > OM_LIMIT_TEXT_BYTES) c->bad = true;
    const uint8_t *text = take(c, (size_t)len);
    if (!text) return OM_E_FORMAT;
    if (!om_utf8_valid((const char *)text, (size_t)len)) c->bad = true;
    OM_TRY(add_offset(&column->offset, (uint32_t)len));
    return om_buf_add(&column->bytes, text, (size_t)len);
}

static om_status read_number(struct om_buf *out, enum om_type type,
                             struct cursor *c)
{
    if (type == OM_TYPE_REAL) {
        const double value = take_real(c);
        return om_buf_add(out, &value, sizeof value);
    }
    int64_t value;
    if (type == OM_TYPE_BOOLEAN) {
        value = (int64_t)take_fixed(c, 1);
        if (value > 1) c->bad = true;
    } else {
        const uint64_t zigzag = take_varint(c);
        value = (int64_t)(zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0));
    }
    return om_buf_add(out, &value, sizeof value);
}

/* The value of a column of row r->rows, or the absence of one. */
static om_status read_value(struct om_record_reader *r, size_t field, bool has,
                            struct cursor *c)
{
    const enum om_type type = r->schema.field[field].type;
    struct column *column = &r->column[field];
    const uint64_t none = 0;
    if (r->rows % 64 == 0)
        OM_TRY(om_buf_add(&column->valid, &none, sizeof none));
    if (has) {
        om_bit_set((uint64_t *)(void *)column->valid.bytes, r->rows);
        return is_text(type) ? read_text(column, c)
                             : read_number(&column->number, type, c);
    }
    return is_text(type) ? add_offset(&column->offset, 0)
                         : om_buf_add(&column->number, &none, sizeof none);
}

static om_status read_row(struct om_record_reader *r, struct cursor *c)
{
    const size_t count = r->schema.count;
    if (take_fixed(c, 1) != VERSION) return OM_E_FORMAT;
    if (take_fixed(c, 4) != r->hash) return OM_E_FORMAT;
    const uint8_t *has = take(c, (count + 7) / 8);
    if (!has || (count % 8 && has[count / 8] >> count % 8)) return OM_E_FORMAT;
    const size_t id = r->schema.id_field;
    if (id < count && !(has[id / 8] >> id % 8 & 1)) return OM_E_FORMAT;
    OM_TRY(r->schema.geometry == OM_GEOMETRY_POINT ? read_point(r, c)
                                                   : read_shape(r, c));
    for (size_t i = 0; i < count && !c->bad; i++)
        OM_TRY(read_value(r, i, has[i / 8] >> i % 8 & 1, c));
    if (c->bad || c->at != c->end) return OM_E_FORMAT;
    const uint64_t number = r->rows + 1;
    return om_buf_add(&r->source_row, &number, sizeof number);
}

static void cut(struct om_buf *buf, size_t len)
{
    if (buf->len > len) buf->len = len;
    buf->status = OM_OK;
}

/* Offset number `i` of an array of them. */
static size_t offset_at(const struct om_buf *offsets, size_t i)
{
    uint32_t value = 0;
    if (offsets->len >= (i + 1) * sizeof value)
        memcpy(&value, offsets->bytes + i * sizeof value, sizeof value);
    return value;
}

/* (2) */
static void cut_to(struct om_record_reader *r, size_t rows)
{
    cut(&r->source_row, rows * sizeof(uint64_t));
    cut(&r->pos, rows * sizeof(struct om_pos));
    const size_t parts = offset_at(&r->shape_part, rows);
    const size_t rings = offset_at(&r->part_ring, parts);
    const size_t vertices = offset_at(&r->ring_vertex, rings);
    cut(&r->shape_part, (rows + 1) * sizeof(uint32_t));
    cut(&r->part_ring, (parts + 1) * sizeof(uint32_t));
    cut(&r->ring_vertex, (rings + 1) * sizeof(uint32_t));
    cut(&r->x, vertices * sizeof(double));
    cut(&r->y, vertices * sizeof(double));
    for (size_t i = 0; i < r->schema.count; i++) {
        struct column *column = &r->column[i];
        cut(&column->valid, (rows + 63) / 64 * sizeof(uint64_t));
        if (rows % 64) {
            // The bit of the row that failed.
            uint64_t *word =
                (uint64_t *)(void *)column->valid.bytes + rows / 64;
            *word &= (UINT64_C(1) << rows % 64) - 1;
        }
        cut(&column->number, rows * sizeof(int64_t));
        cut(&column->bytes, offset_at(&column->offset, rows));
        cut(&column->offset, (rows + 1) * sizeof(uint32_t));
    }
    r->rows = rows;
}

om_status om_record_read(struct om_record_reader *r, const void *bytes,
                         size_t len)
{
    if (r->rows >= OM_LIMIT_BATCH_ROWS) return OM_E_LIMIT;
    struct cursor c = {bytes, (const uint8_t *)bytes + len, false};
    om_status st = read_row(r, &c);
    // What stopped short because of the bytes is not a lack of memory.
    if (st && st != OM_E_MEMORY && c.bad) st = OM_E_FORMAT;
    if (st)
        cut_to(r, r->rows);
    else
        r->rows++;
    return st;
}

om_status om_record_reader_new(const struct om_schema *schema,
                               struct om_record_reader **out)
{
    static const uint32_t ZERO = 0;
    struct om_record_reader *r = om_calloc(1, sizeof *r);
    if (!r) return OM_E_MEMORY;
    r->schema = *schema;
    r->hash = schema_hash(schema);
    r->column = om_calloc(schema->count, sizeof *r->column);
    r->view = om_calloc(schema->count, sizeof *r->view);
    om_status st = r->column && r->view ? OM_OK : OM_E_MEMORY;
    for (struct om_buf *const *offsets =
             (struct om_buf *const[]){&r->shape_part, &r->part_ring,
                                      &r->ring_vertex, NULL};
         !st && *offsets; offsets++)
        st = om_buf_add(*offsets, &ZERO, sizeof ZERO);
    for (size_t i = 0; !st && i < schema->count; i++)
        st = om_buf_add(&r->column[i].offset, &ZERO, sizeof ZERO);
    if (st)
        om_record_reader_free(r);
    else
        *out = r;
    return st;
}

size_t om_record_rows(const struct om_record_reader *r)
{
    return r->rows;
}

om_status om_record_batch(struct om_record_reader *r,
                          const struct om_batch **out)
{
    const bool points = r->schema.geometry == OM_GEOMETRY_POINT;
    for (size_t i = 0; i < r->schema.count; i++) {
        const struct column *column = &r->column[i];
        const enum om_type type = r->schema.field[i].type;
        struct om_batch_column *view = &r->view[i];
        *view = (struct om_batch_column){0};
        view->valid = (const void *)column->valid.bytes;
        if (is_text(type)) {
            view->offset = (const void *)column->offset.bytes;
            view->bytes =
                column->bytes.bytes ? (const void *)column->bytes.bytes : "";
        } else if (type == OM_TYPE_REAL) {
            view->real = (const void *)column->number.bytes;
        } else {
            view->integer = (const void *)column->number.bytes;
        }
    }
    r->batch = (struct om_batch){.rows = r->rows, .column = r->view};
    r->batch.source_row = (const void *)r->source_row.bytes;
    if (points)
        r->batch.pos = (const void *)r->pos.bytes;
    else
        r->batch.shapes = (struct om_shapes){
            .count = r->rows,
            .shape_part = (const void *)r->shape_part.bytes,
            .part_ring = (const void *)r->part_ring.bytes,
            .ring_vertex = (const void *)r->ring_vertex.bytes,
            .x = (const void *)r->x.bytes,
            .y = (const void *)r->y.bytes};
    *out = &r->batch;
    return OM_OK;
}

void om_record_reader_reset(struct om_record_reader *r)
{
    cut_to(r, 0);
}

void om_record_reader_free(struct om_record_reader *r)
{
    if (!r) return;
    for (size_t i = 0; r->column && i < r->schema.count; i++) {
        om_buf_deinit(&r->column[i].valid);
        om_buf_deinit(&r->column[i].number);
        om_buf_deinit(&r->column[i].offset);
        om_buf_deinit(&r->column[i].bytes);
    }
    om_buf_deinit(&r->source_row);
    om_buf_deinit(&r->pos);
    om_buf_deinit(&r->shape_part);
    om_buf_deinit(&r->part_ring);
    om_buf_deinit(&r->ring_vertex);
    om_buf_deinit(&r->x);
    om_buf_deinit(&r->y);
    om_free(r->column);
    om_free(r->view);
    om_free(r);
}
