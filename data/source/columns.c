// columns.c - one loop a type over the texts of a column.
#include "data/source/columns.h"

#include <math.h>
#include <string.h>

#include "data/base/utf8.h"

static const char NO_ID[] = "no id";
static const char NOT_UTF8[] = "text is not valid UTF-8";
static const char NOT_DECODED[] = "text is not of the encoding";
static const char TOO_LONG[] = "text is too long";

/* Why a value of each type could not be read, by om_type. */
static const char *const NOT_READ[] = {"not a text",     "not a text",
                                       "not an integer", "not a number",
                                       "not a time",     "not true or false"};

static bool is_empty(const struct om_csv_field *f)
{
    return !f->at || f->len == 0;
}

/* A bitmap of all rows, made at the first value that is missing. */
static uint64_t *all_valid(struct om__rows *rows)
{
    const size_t words = (rows->n + 63) / 64;
    uint64_t *valid =
        om_arena_alloc(&rows->job->batch.arena, words * sizeof *valid);
    if (valid) memset(valid, 0xFF, words * sizeof *valid);
    return valid;
}

static om_status mark_missing(struct om__rows *rows, uint64_t **valid, size_t i)
{
    if (!*valid) *valid = all_valid(rows);
    if (!*valid) return OM_E_MEMORY;
    (*valid)[i / 64] &= ~(UINT64_C(1) << (i % 64));
    return OM_OK;
}

static bool is_ascii(const char *text, size_t len)
{
    unsigned char any = 0;
    for (size_t i = 0; i < len; i++) any |= (unsigned char)text[i];
    return any < 0x80;
}

/* The content of a field into out; NULL reason if it is good. */
static const char *put_bytes(const struct om__rows *rows,
                             const struct om__reading *how,
                             const struct om_csv_field *f, char *out,
                             size_t *len, om_status *st)
{
    const bool converts = om__encoding_converts(how->encoding);
    *len = 0;
    if (f->len > OM_LIMIT_TEXT_BYTES) return TOO_LONG;
    if (converts && !is_ascii(f->at, f->len)) {
        *st = om__encoding_text(how->encoding, rows->lane, f->at, f->len, out,
                                len);
        if (*st == OM_E_FORMAT) {
            *st = OM_OK;
            *len = 0;
            return NOT_DECODED;
        }
        if (f->quoted == OM_CSV_ESCAPED) {
            const struct om_csv_field again = {out, (uint32_t)*len,
                                               OM_CSV_ESCAPED};
            *len = om_csv_unquote(&again, out);
        }
        return NULL;
    }
    if (!converts && !om_utf8_valid(f->at, f->len)) return NOT_UTF8;
    if (f->quoted == OM_CSV_ESCAPED) {
        *len = om_csv_unquote(f, out);
    } else {
        memcpy(out, f->at, f->len);
        *len = f->len;
    }
    return NULL;
}

/* What was written so that it is no formula is the text without. */
static const char *put_text(const struct om__rows *rows,
                            const struct om__reading *how,
                            const struct om_csv_field *f, char *out,
                            size_t *len, om_status *st)
{
    const char *fault = put_bytes(rows, how, f, out, len, st);
    const size_t guard = fault || *st ? 0 : om_csv_guard(out, *len);
    if (guard) memmove(out, out + guard, *len - guard);
    *len -= guard;
    return fault;
}

static om_status read_texts(struct om__rows *rows, size_t c,
                            const struct om__reading *how,
                            const struct om_csv_field *field, size_t stride)
{
    struct om_arena *arena = &rows->job->batch.arena;
    const char *name = rows->schema->field[c].name;
    const bool is_id = c == rows->schema->id_field;
    const size_t growth =
        om__encoding_converts(how->encoding) ? OM_ENCODING_GROWTH : 1;
    size_t total = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct om_csv_field *f = &field[i * stride];
        if (!is_empty(f) && f->len <= OM_LIMIT_TEXT_BYTES)
            total += f->len * growth;
    }
    if (total > UINT32_MAX) return OM_E_LIMIT;
    uint32_t *offset = om_arena_alloc(arena, (rows->n + 1) * sizeof *offset);
    char *bytes = om_arena_alloc(arena, total);
    uint64_t *valid = NULL;
    if (!offset || !bytes) return OM_E_MEMORY;
    rows->column[c].offset = offset;
    rows->column[c].bytes = bytes;
    size_t at = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct om_csv_field *f = &field[i * stride];
        offset[i] = (uint32_t)at;
        offset[i + 1] = (uint32_t)at;  // complete for a reject in between
        if (is_empty(f)) {
            if (is_id) OM_TRY(om__rows_reject(rows, i, name, NO_ID, NULL, 0));
            if (!is_id) OM_TRY(mark_missing(rows, &valid, i));
            continue;
        }
        size_t len;
        om_status st = OM_OK;
        const char *why = put_text(rows, how, f, bytes + at, &len, &st);
        if (st) return st;
        if (why) OM_TRY(om__rows_reject(rows, i, name, why, f->at, f->len));
        at += len;
        offset[i + 1] = (uint32_t)at;
    }
    rows->column[c].valid = valid;
    if (is_id) rows->has_ids = true;
    return OM_OK;
}

static om_status read_value(const struct om__reading *how, const char *text,
                            size_t len, int64_t *integer, double *real)
{
    switch (how->type) {
        case OM_TYPE_INTEGER:
            OM_TRY(om_number_integer(text, len, integer));
            return om__integer_fits(*integer) ? OM_OK : OM_E_RANGE;
        case OM_TYPE_REAL:
            return om_number_real(text, len, real);
        case OM_TYPE_BOOLEAN:
            return om_number_boolean(text, len, integer);
        case OM_TYPE_TIME:
            return om_moment_parse(text, len, how->order, how->zone_s, integer);
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            break;
    }
    return OM_E_INTERNAL;
}

static om_status read_values(struct om__rows *rows, size_t c,
                             const struct om__reading *how,
                             const struct om_csv_field *field, size_t stride)
{
    struct om_arena *arena = &rows->job->batch.arena;
    const bool is_real = how->type == OM_TYPE_REAL;
    int64_t *integer = NULL;
    double *real = NULL;
    uint64_t *valid = NULL;
    if (is_real)
        real = om_arena_alloc(arena, rows->n * sizeof *real);
    else
        integer = om_arena_alloc(arena, rows->n * sizeof *integer);
    if (!real && !integer) return OM_E_MEMORY;
    for (size_t i = 0; i < rows->n; i++) {
        const struct om_csv_field *f = &field[i * stride];
        int64_t number = 0;
        double value = 0.0;
        if (is_empty(f)) {
            OM_TRY(mark_missing(rows, &valid, i));
        } else {
            const om_status st =
                read_value(how, f->at, f->len, &number, &value);
            const bool far = st == OM_E_RANGE && how->type == OM_TYPE_INTEGER;
            if (st)
                OM_TRY(om__rows_reject(rows, i, rows->schema->field[c].name,
                                       far ? OM__TOO_FAR : NOT_READ[how->type],
                                       f->at, f->len));
            if (st) number = 0, value = 0.0;
        }
        if (is_real)
            real[i] = value;
        else
            integer[i] = number;
    }
    rows->column[c] = (struct om_batch_column){
        .valid = valid, .integer = integer, .real = real};
    return OM_OK;
}

om_status om__column_read(struct om__rows *rows, size_t c,
                          const struct om__reading *how,
                          const struct om_csv_field *field, size_t stride)
{
    if (how->type == OM_TYPE_TEXT || how->type == OM_TYPE_CATEGORY)
        return read_texts(rows, c, how, field, stride);
    return read_values(rows, c, how, field, stride);
}

om_status om__position_read(struct om__rows *rows, const char *name,
                            const struct om_csv_field *field, size_t stride,
                            double *out)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct om_csv_field *f = &field[i * stride];
        out[i] = NAN;
        if (f->len == 0)
            OM_TRY(om__rows_reject(rows, i, name, "no position", NULL, 0));
        else if (om_number_real(f->at, f->len, &out[i]))
            OM_TRY(om__rows_reject(rows, i, name, "position is not a number",
                                   f->at, f->len));
    }
    return OM_OK;
}
