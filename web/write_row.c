// write_row.c - one row: its values, what is wrong with it, and keeping it.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/base/utf8.h"
#include "data/model/time.h"
#include "engine/shape/shape.h"
#include "web/write_internal.h"

void om__row_clear(struct om_body *body)
{
    memset(body->cell, 0, body->schema.count * sizeof *body->cell);
    memset(body->given, 0, sizeof body->given);
    body->geometry_given = false;
    body->has_id = body->bad = false;
    body->id_len = 0;
    body->id[0] = '\0';
    body->pos = (struct om_pos){0, 0};
    om__shapes_clear(&body->shape);
    body->scratch.len = 0;
}

void om__row_begin(struct om_body *body)
{
    om__row_clear(body);
    body->rows++;
}

/* Well-formed, whatever the text was cut from; itself cut at a character. */
static void put_text(char *out, size_t room, const char *text)
{
    const size_t len = strlen(text);
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        const size_t step = om_utf8_next(text + i, len - i);
        if (n + (step ? step : 1) >= room) break;
        if (step)
            memcpy(out + n, text + i, step);
        else
            out[n] = '?';
        n += step ? step : 1;
        i += step ? step : 1;
    }
    out[n] = '\0';
}

void om__row_fault(struct om_body *body, om_status status, const char *field,
                   const char *format, ...)
{
    if (!body->bad) body->refused++;
    body->bad = true;
    if (body->faults == OM_BODY_FAULTS) return;
    struct om_body_fault *f = &body->fault[body->faults++];
    char text[sizeof f->reason * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *f = (struct om_body_fault){.row = body->rows, .status = status};
    put_text(f->id, sizeof f->id, body->has_id ? body->id : "");
    put_text(f->field, sizeof f->field, field);
    put_text(f->reason, sizeof f->reason, text);
}

void om__row_id(struct om_body *body, const char *text, size_t len)
{
    const char *field = body->schema.field[body->schema.id_field].name;
    const char *named = body->rules->id;
    if (body->has_id) {
        if (len != body->id_len || memcmp(text, body->id, len) != 0)
            om__row_fault(body, OM_E_FORMAT, field,
                          "the Feature's id and this column differ");
        return;
    }
    if (!len) {
        om__row_fault(body, OM_E_FORMAT, field, "the id is empty");
        return;
    }
    if (len >= sizeof body->id) {
        om__row_fault(body, OM_E_LIMIT, field,
                      "the id is longer than %zu bytes", sizeof body->id - 1);
        return;
    }
    // Each row has an address, and none that could mean another.
    bool good = om_utf8_valid(text, len) && !(len == 1 && *text == '.') &&
                !(len == 2 && !memcmp(text, "..", 2));
    for (size_t i = 0; i < len && good; i++) {
        const unsigned char c = (unsigned char)text[i];
        good = c >= ' ' && c != '/' && c != '\\' && c != 0x7F;
    }
    memcpy(body->id, text, len);
    body->id[len] = '\0';
    body->id_len = len;
    if (!good) {
        om__row_fault(body, OM_E_FORMAT, field,
                      "an id has no slash and no control character");
        return;
    }
    body->has_id = true;
    if (named && strcmp(named, body->id) != 0)
        om__row_fault(body, OM_E_FORMAT, field,
                      "the id is not the one of the address");
}

bool om__row_position(struct om_body *body, double lon, double lat)
{
    struct om_pos pos;
    if (om_pos_from_lonlat(lon, lat, &pos)) {
        om__row_fault(body, OM_E_COORD, "geometry",
                      "%.9g,%.9g is no longitude, latitude on the map", lon,
                      lat);
        return false;
    }
    const struct om_box *box = &body->rules->extent;
    if (body->rules->bounded && (pos.x < box->x0 || pos.x > box->x1 ||
                                 pos.y < box->y0 || pos.y > box->y1)) {
        double west, south, east, north;
        om_pos_to_lonlat((struct om_pos){box->x0, box->y0}, &west, &north);
        om_pos_to_lonlat((struct om_pos){box->x1, box->y1}, &east, &south);
        om__row_fault(body, OM_E_COORD, "geometry",
                      "%.6f,%.6f lies outside of the city "
                      "(%.3f,%.3f,%.3f,%.3f)",
                      lon, lat, west, south, east, north);
        return false;
    }
    body->pos = pos;
    return true;
}

/* Could the engine use the shape? It repairs what it can; a line or polygon
 * that is nothing on the grid is refused here, where the row is known. What
 * goes on is the shape as repaired, so that the committer, for whom others
 * wait, need not do it again. */
static om_status settle_shape(struct om_body *body)
{
    if (body->shapes_ns > OM_LIMIT_BODY_SHAPES_NS) {
        om__row_fault(body, OM_E_COST, "geometry",
                      "the shapes before it took too long to check: send fewer "
                      "at once, or valid ones");
        return OM_OK;
    }
    struct om_arena arena = {0};
    struct om_rings rings;
    struct om_shape_note note = {0};
    const struct om_shapes shapes = om__shapes_view(&body->shape);
    om_status st = om_shapes_settle(&shapes, body->schema.geometry, false,
                                    &arena, &rings, &note);
    body->shapes_ns += note.cost_ns;
    if (!st && note.fate == OM_SHAPE_REFUSED)
        om__row_fault(body, note.costly ? OM_E_COST : OM_E_GEOMETRY, "geometry",
                      "the shape cannot be used%s%s", note.text[0] ? ": " : "",
                      note.text);
    else if (!st && note.fate == OM_SHAPE_REPAIRED)
        st = om__shapes_set(&body->shape, &rings);
    om_arena_deinit(&arena);
    return st;
}

/* What has not happened yet is no report: a wrong year, or month and day in the
 * wrong order. */
static void check_times(struct om_body *body)
{
    const struct om_body_rules *rules = body->rules;
    for (size_t c = 0; c < body->schema.count; c++) {
        const struct om__cell *cell = &body->cell[c];
        if (!rules->happened[c] || !cell->set ||
            cell->integer <= rules->latest_s)
            continue;
        char at[OM_TIME_TEXT_BYTES], clock[OM_TIME_TEXT_BYTES];
        om_time_format(cell->integer, rules->zone_s, at);
        om_time_format(rules->clock_s, rules->zone_s, clock);
        om__row_fault(body, OM_E_RANGE, body->schema.field[c].name,
                      "%s is later than the city's clock, %s", at, clock);
    }
}

/* What JSON's readers would not read back as it is. */
static void check_integers(struct om_body *body)
{
    for (size_t c = 0; c < body->schema.count; c++) {
        const struct om__cell *cell = &body->cell[c];
        if (body->schema.field[c].type != OM_TYPE_INTEGER || !cell->set ||
            (cell->integer >= -OM_LIMIT_INTEGER &&
             cell->integer <= OM_LIMIT_INTEGER))
            continue;
        om__row_fault(body, OM_E_RANGE, body->schema.field[c].name,
                      "%lld is beyond 2^53: not exact in JSON",
                      (long long)cell->integer);
    }
}

static om_status keep_cell(struct om_body *body, size_t c)
{
    const struct om__cell *cell = &body->cell[c];
    struct om__taken *to = &body->column[c];
    OM_TRY(om_buf_add_byte(&to->valid, cell->set));
    switch (body->schema.field[c].type) {
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY: {
            uint32_t at = (uint32_t)to->bytes.len;
            if (!body->taken) OM_TRY(om_buf_add(&to->number, &at, sizeof at));
            if (to->bytes.len + cell->len > UINT32_MAX) return OM_E_LIMIT;
            if (cell->len)
                OM_TRY(om_buf_add(&to->bytes, cell->text, cell->len));
            at = (uint32_t)to->bytes.len;
            return om_buf_add(&to->number, &at, sizeof at);
        }
        case OM_TYPE_REAL:
            return om_buf_add(&to->number, &cell->real, sizeof cell->real);
        default:
            return om_buf_add(&to->number, &cell->integer,
                              sizeof cell->integer);
    }
}

om_status om__row_end(struct om_body *body)
{
    const struct om_schema *schema = &body->schema;
    const bool patch = body->rules->patch;
    if (!body->has_id && !body->bad) {
        if (body->rules->id)
            om__row_id(body, body->rules->id, strlen(body->rules->id));
        else
            om__row_fault(body, OM_E_FORMAT,
                          schema->field[schema->id_field].name,
                          "the row has no id");
    }
    if (!body->geometry_given && !patch && !body->bad)
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "the row has no geometry");
    check_times(body);
    check_integers(body);
    const bool point = schema->geometry == OM_GEOMETRY_POINT;
    if (!body->bad && !point && body->geometry_given)
        OM_TRY(settle_shape(body));
    if (body->bad || body->taken == OM_BODY_ROWS) return OM_OK;
    struct om__cell *id = &body->cell[schema->id_field];
    *id = (struct om__cell){.set = true, .text = body->id, .len = body->id_len};
    for (size_t c = 0; c < schema->count; c++) OM_TRY(keep_cell(body, c));
    OM_TRY(om_buf_add(&body->source_row, &body->rows, sizeof body->rows));
    if (point)
        OM_TRY(om_buf_add(&body->place, &body->pos, sizeof body->pos));
    else
        OM_TRY(om__shapes_append(&body->shapes, &body->shape));
    body->taken++;
    return OM_OK;
}

/* A byte a row as a bit a row; NULL where every row has a value. */
static om_status pack_valid(struct om_body *body, const struct om_buf *bytes,
                            const uint64_t **out)
{
    *out = NULL;
    if (!body->taken || !memchr(bytes->bytes, 0, body->taken)) return OM_OK;
    uint64_t *bits = om_arena_calloc(&body->batch.arena,
                                     (body->taken + 63) / 64, sizeof *bits);
    if (!bits) return OM_E_MEMORY;
    for (size_t i = 0; i < body->taken; i++)
        if (bytes->bytes[i]) om_bit_set(bits, i);
    *out = bits;
    return OM_OK;
}

om_status om__rows_end(struct om_body *body)
{
    struct om_batch *batch = &body->batch;
    const struct om_schema *schema = &body->schema;
    struct om_batch_column *column =
        om_arena_calloc(&batch->arena, schema->count, sizeof *column);
    if (!column) return OM_E_MEMORY;
    for (size_t c = 0; c < schema->count; c++) {
        const struct om__taken *from = &body->column[c];
        const void *number = from->number.bytes;
        const enum om_type type = schema->field[c].type;
        OM_TRY(pack_valid(body, &from->valid, &column[c].valid));
        if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY) {
            column[c].offset = number;
            column[c].bytes =
                from->bytes.bytes ? (const char *)from->bytes.bytes : "";
        } else if (type == OM_TYPE_REAL) {
            column[c].real = number;
        } else {
            column[c].integer = number;
        }
    }
    batch->rows = body->taken;
    batch->column = column;
    batch->source_row = (const void *)body->source_row.bytes;
    if (schema->geometry == OM_GEOMETRY_POINT)
        batch->pos = (const void *)body->place.bytes;
    else
        batch->shapes = om__shapes_view(&body->shapes);
    return OM_OK;
}
