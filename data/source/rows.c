// rows.c - positions for rows, and rejected rows taken out in place.
#include "data/source/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"

/* A value is shown to be recognised; the rejects file is no copy. */
#define VALUE_MAX 200
#define POSITION_BYTES 64

om_status om__rows_begin(struct om__rows *rows, struct om__job *job,
                         const struct om_schema *schema, size_t n, size_t lane)
{
    struct om_arena *arena = &job->batch.arena;
    *rows =
        (struct om__rows){.job = job, .schema = schema, .n = n, .lane = lane};
    rows->keep = om_arena_alloc(arena, n);
    rows->number = om_arena_alloc(arena, n * sizeof *rows->number);
    rows->column = om_arena_calloc(arena, schema->count, sizeof *rows->column);
    if (!rows->keep || !rows->number || !rows->column) return OM_E_MEMORY;
    memset(rows->keep, 1, n);
    for (size_t i = 0; i < n; i++) rows->number[i] = i;
    if (schema->geometry == OM_GEOMETRY_POINT) {
        rows->x = om_arena_alloc(arena, n * sizeof *rows->x);
        rows->y = om_arena_alloc(arena, n * sizeof *rows->y);
        if (!rows->x || !rows->y) return OM_E_MEMORY;
    }
    return OM_OK;
}

om_status om__job_note(struct om__job *job, uint64_t row, const char *id,
                       const char *column, const char *reason,
                       const char *value, size_t len)
{
    struct om_arena *arena = &job->batch.arena;
    struct om__note *note = om_arena_calloc(arena, 1, sizeof *note);
    if (!note) return OM_E_MEMORY;
    note->row = row;
    note->id = id;
    note->column = column;
    note->reason = reason;
    if (value) {
        note->len = len > VALUE_MAX ? VALUE_MAX : len;
        note->value = om_arena_text(arena, value, note->len);
        if (!note->value) return OM_E_MEMORY;
    }
    if (job->last_note)
        job->last_note->next = note;
    else
        job->first_note = note;
    job->last_note = note;
    return OM_OK;
}

om_status om__rows_reject(struct om__rows *rows, size_t i, const char *column,
                          const char *reason, const char *value, size_t len)
{
    if (!rows->keep[i]) return OM_OK;
    rows->keep[i] = 0;
    const char *id = NULL;
    if (rows->has_ids) {
        const struct om_batch_column *c = &rows->column[rows->schema->id_field];
        const uint32_t from = c->offset[i], to = c->offset[i + 1];
        id = om_arena_text(&rows->job->batch.arena, c->bytes + from, to - from);
        if (!id) return OM_E_MEMORY;
    }
    return om__job_note(rows->job, rows->number[i], id, column, reason, value,
                        len);
}

static om_status reject_place(struct om__rows *rows, size_t i,
                              const char *reason, double x, double y)
{
    char text[POSITION_BYTES];
    const int n = snprintf(text, sizeof text, "%.15g %.15g", x, y);
    return om__rows_reject(rows, i, "geometry", reason, text,
                           n > 0 && (size_t)n < sizeof text ? (size_t)n : 0);
}

static const char OFF_MAP[] = "position is not on the map";

static om_status place_points(struct om__rows *rows, struct om__crs *crs)
{
    struct om_arena *arena = &rows->job->batch.arena;
    struct om_pos *pos = om_arena_alloc(arena, rows->n * sizeof *pos);
    if (!pos) return OM_E_MEMORY;
    for (size_t i = 0; i < rows->n; i++) {
        const double x = rows->x[i], y = rows->y[i];
        if (!isfinite(x) || !isfinite(y))
            OM_TRY(reject_place(rows, i, "coordinate is not finite", x, y));
        else if (x == 0.0 && y == 0.0 && rows->zero_is_missing)
            OM_TRY(reject_place(rows, i, "position 0,0", x, y));
    }
    OM_TRY(om__crs_to_lonlat(crs, rows->lane, rows->x, rows->y, rows->n));
    for (size_t i = 0; i < rows->n; i++) {
        if (om_pos_from_lonlat(rows->x[i], rows->y[i], &pos[i]) == OM_OK)
            continue;
        pos[i] = (struct om_pos){0, 0};
        OM_TRY(reject_place(rows, i, OFF_MAP, rows->x[i], rows->y[i]));
    }
    rows->job->batch.pos = pos;
    return OM_OK;
}

static om_status place_shapes(struct om__rows *rows, struct om__crs *crs)
{
    struct om__ragged *s = &rows->shapes;
    const size_t vertices =
        s->ring_vertex[s->part_ring[s->shape_part[rows->n]]];
    OM_TRY(om__crs_to_lonlat(crs, rows->lane, s->x, s->y, vertices));
    for (size_t i = 0; i < rows->n; i++) {
        const uint32_t first = s->ring_vertex[s->part_ring[s->shape_part[i]]];
        const uint32_t end = s->ring_vertex[s->part_ring[s->shape_part[i + 1]]];
        for (uint32_t v = first; v < end && rows->keep[i]; v++) {
            double x = 0.0, y = 0.0;
            if (om_pos_world(s->x[v], s->y[v], &x, &y))
                OM_TRY(reject_place(rows, i, OFF_MAP, s->x[v], s->y[v]));
            s->x[v] = x;
            s->y[v] = y;
        }
    }
    return OM_OK;
}

om_status om__rows_place(struct om__rows *rows, struct om__crs *crs)
{
    return rows->schema->geometry == OM_GEOMETRY_POINT
               ? place_points(rows, crs)
               : place_shapes(rows, crs);
}

/* The arrays of the batch are ours until it is handed out: const is for those
 * who get it. */
static void squeeze_column(const struct om__rows *rows,
                           struct om_batch_column *c)
{
    uint64_t *valid = (uint64_t *)c->valid;
    int64_t *integer = (int64_t *)c->integer;
    double *real = (double *)c->real;
    uint32_t *offset = (uint32_t *)c->offset;
    char *bytes = (char *)c->bytes;
    size_t to = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (!rows->keep[i]) continue;
        if (valid) {
            const uint64_t bit = om_bit(valid, i);
            valid[to / 64] &= ~(UINT64_C(1) << (to % 64));
            valid[to / 64] |= bit << (to % 64);
        }
        if (integer) integer[to] = integer[i];
        if (real) real[to] = real[i];
        if (offset) {
            const uint32_t from = offset[i], len = offset[i + 1] - from;
            memmove(bytes + at, bytes + from, len);
            offset[to] = at;
            at += len;
        }
        to++;
    }
    if (offset) offset[to] = at;
}

static void squeeze_shapes(const struct om__rows *rows)
{
    const struct om__ragged *s = &rows->shapes;
    size_t to = 0;
    uint32_t part = 0, ring = 0, vertex = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const uint32_t part_from = s->shape_part[i];
        const uint32_t part_end = s->shape_part[i + 1];
        if (!rows->keep[i]) continue;
        s->shape_part[to++] = part;
        for (uint32_t p = part_from; p < part_end; p++) {
            const uint32_t ring_from = s->part_ring[p];
            const uint32_t ring_end = s->part_ring[p + 1];
            s->part_ring[part++] = ring;
            for (uint32_t r = ring_from; r < ring_end; r++) {
                const uint32_t from = s->ring_vertex[r];
                const uint32_t len = s->ring_vertex[r + 1] - from;
                memmove(s->x + vertex, s->x + from, len * sizeof *s->x);
                memmove(s->y + vertex, s->y + from, len * sizeof *s->y);
                s->ring_vertex[ring++] = vertex;
                vertex += len;
            }
        }
    }
    s->shape_part[to] = part;
    s->part_ring[part] = ring;
    s->ring_vertex[ring] = vertex;
}

static om_status reject_later(struct om__rows *rows, size_t field)
{
    const struct om_batch_column *c = &rows->column[field];
    for (size_t i = 0; i < rows->n; i++) {
        if (c->integer[i] <= rows->latest_s || !rows->keep[i] ||
            (c->valid && !om_bit(c->valid, i)))
            continue;
        char at[OM_TIME_TEXT_BYTES];
        const size_t len = om_time_format(c->integer[i], rows->zone_s, at);
        OM_TRY(om__rows_reject(rows, i, rows->schema->field[field].name,
                               "later than the city's clock", at, len));
    }
    return OM_OK;
}

om_status om__rows_finish(struct om__rows *rows)
{
    struct om_batch *batch = &rows->job->batch;
    const bool points = rows->schema->geometry == OM_GEOMETRY_POINT;
    for (size_t c = 0; rows->happened && c < rows->schema->count; c++)
        if (rows->happened[c]) OM_TRY(reject_later(rows, c));
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) kept += rows->keep[i];
    if (kept < rows->n) {
        struct om_pos *pos = (struct om_pos *)batch->pos;
        for (size_t i = 0, to = 0; i < rows->n; i++) {
            if (!rows->keep[i]) continue;
            rows->number[to] = rows->number[i];
            if (pos) pos[to] = pos[i];
            to++;
        }
        for (size_t c = 0; c < rows->schema->count; c++)
            squeeze_column(rows, &rows->column[c]);
        if (!points) squeeze_shapes(rows);
    }
    batch->rows = kept;
    batch->source_row = rows->number;
    batch->column = rows->column;
    if (!points) {
        const struct om__ragged *s = &rows->shapes;
        batch->shapes = (struct om_shapes){.count = kept,
                                           .shape_part = s->shape_part,
                                           .part_ring = s->part_ring,
                                           .ring_vertex = s->ring_vertex,
                                           .x = s->x,
                                           .y = s->y};
    }
    return OM_OK;
}
