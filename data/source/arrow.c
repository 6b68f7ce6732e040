// arrow.c - the Arrow C data interface: validity bits, offsets, plain arrays.
#include "data/source/arrow.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"

#define DAY_S 86400
/* An integer, a double with 17 digits or a date as text. */
#define NUMBER_BYTES 32

struct om__arrow_child om__arrow_child_of(const char *format)
{
    struct om__arrow_child child = {OM__ARROW_NONE, format[0]};
    if (strcmp(format, "b") == 0) child.kind = OM__ARROW_BOOLEAN;
    if (format[0] && !format[1] && strchr("cCsSiIlL", format[0]))
        child.kind = OM__ARROW_INTEGER;
    if (strcmp(format, "f") == 0 || strcmp(format, "g") == 0)
        child.kind = OM__ARROW_REAL;
    if (strcmp(format, "u") == 0 || strcmp(format, "U") == 0)
        child.kind = OM__ARROW_TEXT;
    if (strcmp(format, "z") == 0 || strcmp(format, "Z") == 0)
        child.kind = OM__ARROW_BINARY;
    if (strcmp(format, "tdD") == 0) child.kind = OM__ARROW_DATE;
    if (strncmp(format, "ts", 2) == 0 && format[2]) {
        child.kind = OM__ARROW_MOMENT;
        child.format = format[2];
    }
    return child;
}

static bool has_value(const struct ArrowArray *a, size_t i)
{
    const uint8_t *bits = a->buffers[0];
    if (a->null_count == 0 || !bits) return true;
    const size_t at = i + (size_t)a->offset;
    return bits[at / 8] >> (at % 8) & 1;
}

static int64_t integer_at(const struct ArrowArray *a, char format, size_t i)
{
    const void *values = a->buffers[1];
    const size_t at = i + (size_t)a->offset;
    switch (format) {
        case 'c':
            return ((const int8_t *)values)[at];
        case 'C':
            return ((const uint8_t *)values)[at];
        case 's':
            return ((const int16_t *)values)[at];
        case 'S':
            return ((const uint16_t *)values)[at];
        case 'i':
            return ((const int32_t *)values)[at];
        case 'I':
            return ((const uint32_t *)values)[at];
        default:
            return ((const int64_t *)values)[at];
    }
}

static bool bit_at(const struct ArrowArray *a, size_t i)
{
    const size_t at = i + (size_t)a->offset;
    return ((const uint8_t *)a->buffers[1])[at / 8] >> (at % 8) & 1;
}

static double real_at(const struct ArrowArray *a, char format, size_t i)
{
    const size_t at = i + (size_t)a->offset;
    return format == 'f' ? (double)((const float *)a->buffers[1])[at]
                         : ((const double *)a->buffers[1])[at];
}

static int64_t moment_at(const struct ArrowArray *a, char unit, size_t i)
{
    const int64_t v = ((const int64_t *)a->buffers[1])[i + (size_t)a->offset];
    const int64_t per_s = unit == 's'   ? 1
                          : unit == 'm' ? 1000
                          : unit == 'u' ? 1000000
                                        : 1000000000;
    return v / per_s - (v % per_s < 0);
}

static int64_t day_at(const struct ArrowArray *a, size_t i)
{
    return ((const int32_t *)a->buffers[1])[i + (size_t)a->offset];
}

/* Bytes of value i of a text or binary child, whose offsets are 32 or, with a
 * capital letter, 64 bits. */
static const char *bytes_at(const struct ArrowArray *a, bool wide, size_t i,
                            size_t *len)
{
    const size_t at = i + (size_t)a->offset;
    int64_t from, to;
    if (wide) {
        from = ((const int64_t *)a->buffers[1])[at];
        to = ((const int64_t *)a->buffers[1])[at + 1];
    } else {
        from = ((const int32_t *)a->buffers[1])[at];
        to = ((const int32_t *)a->buffers[1])[at + 1];
    }
    *len = to > from ? (size_t)(to - from) : 0;
    return (const char *)a->buffers[2] + from;
}

bool om__arrow_wkb(const struct ArrowArray *array, size_t child, size_t i,
                   const uint8_t **wkb, size_t *len)
{
    const struct ArrowArray *a = array->children[child];
    *len = 0;
    if (!has_value(a, i)) return false;
    *wkb = (const uint8_t *)bytes_at(a, false, i, len);
    return *len > 0;
}

/* One value as people write it. */
static int print_value(const struct ArrowArray *a, struct om__arrow_child how,
                       size_t i, char out[NUMBER_BYTES])
{
    char time[OM_TIME_TEXT_BYTES];
    switch (how.kind) {
        case OM__ARROW_BOOLEAN:
            return snprintf(out, NUMBER_BYTES, "%s",
                            bit_at(a, i) ? "true" : "false");
        case OM__ARROW_INTEGER:
            return snprintf(out, NUMBER_BYTES, "%" PRId64,
                            integer_at(a, how.format, i));
        case OM__ARROW_REAL: {
            const double v = real_at(a, how.format, i);
            // A whole number is a key more often than a measure.
            if (v == floor(v) && fabs(v) < 1e15)
                return snprintf(out, NUMBER_BYTES, "%.0f", v);
            const int n = snprintf(out, NUMBER_BYTES, "%.15g", v);
            double back;
            if (!om_number_real(out, (size_t)n, &back) && back == v) return n;
            return snprintf(out, NUMBER_BYTES, "%.17g", v);
        }
        case OM__ARROW_DATE:
            om_time_format(day_at(a, i) * DAY_S, 0, time);
            return snprintf(out, NUMBER_BYTES, "%.10s", time);
        case OM__ARROW_MOMENT:
            om_time_format(moment_at(a, how.format, i), 0, time);
            return snprintf(out, NUMBER_BYTES, "%.31s", time);
        case OM__ARROW_NONE:
        case OM__ARROW_TEXT:
        case OM__ARROW_BINARY:
            break;
    }
    return 0;
}

bool om__arrow_is_code(const struct ArrowArray *array, size_t child,
                       struct om__arrow_child how, size_t i)
{
    const struct ArrowArray *a = array->children[child];
    return has_value(a, i) && !om__integer_fits(integer_at(a, how.format, i));
}

om_status om__arrow_fields(const struct ArrowArray *array, size_t child,
                           struct om__arrow_child how, struct om_arena *arena,
                           struct om_csv_field *field)
{
    const struct ArrowArray *a = array->children[child];
    const size_t n = (size_t)array->length;
    const bool text = how.kind == OM__ARROW_TEXT;
    char *print = text ? NULL : om_arena_alloc(arena, n * NUMBER_BYTES);
    if (!text && !print) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        field[i] = (struct om_csv_field){0};
        if (!has_value(a, i)) continue;
        if (text) {
            size_t len;
            field[i].at = bytes_at(a, how.format == 'U', i, &len);
            field[i].len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
        } else {
            field[i].at = print + i * NUMBER_BYTES;
            field[i].len =
                (uint32_t)print_value(a, how, i, print + i * NUMBER_BYTES);
        }
    }
    return OM_OK;
}

/* Can the values be taken as they are? */
static bool agrees(enum om_type type, enum om__arrow_kind kind)
{
    switch (type) {
        case OM_TYPE_INTEGER:
            return kind == OM__ARROW_INTEGER || kind == OM__ARROW_BOOLEAN;
        case OM_TYPE_REAL:
            return kind == OM__ARROW_REAL || kind == OM__ARROW_INTEGER;
        case OM_TYPE_BOOLEAN:
            return kind == OM__ARROW_BOOLEAN;
        case OM_TYPE_TIME:
            return kind == OM__ARROW_DATE || kind == OM__ARROW_MOMENT ||
                   kind == OM__ARROW_INTEGER;
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            break;
    }
    return false;
}

static int64_t integral_at(const struct ArrowArray *a,
                           struct om__arrow_child how,
                           const struct om__reading *reading, size_t i)
{
    if (how.kind == OM__ARROW_BOOLEAN) return bit_at(a, i);
    if (how.kind == OM__ARROW_DATE)
        return day_at(a, i) * DAY_S - reading->zone_s;
    if (how.kind == OM__ARROW_MOMENT) return moment_at(a, how.format, i);
    const int64_t v = integer_at(a, how.format, i);
    return reading->type == OM_TYPE_TIME ? om_moment_epoch(v) : v;
}

/* Validity as bits of our own words; NULL if every row has a value. */
static om_status copy_valid(struct om__rows *rows, const struct ArrowArray *a,
                            uint64_t **out)
{
    *out = NULL;
    if (a->null_count == 0 || !a->buffers[0]) return OM_OK;
    uint64_t *valid = om_arena_calloc(&rows->job->batch.arena,
                                      (rows->n + 63) / 64, sizeof *valid);
    if (!valid) return OM_E_MEMORY;
    for (size_t i = 0; i < rows->n; i++)
        if (has_value(a, i)) om_bit_set(valid, i);
    *out = valid;
    return OM_OK;
}

static om_status check_integer(struct om__rows *rows, size_t c, size_t i,
                               int64_t value)
{
    char text[NUMBER_BYTES];
    if (om__integer_fits(value)) return OM_OK;
    const int n = snprintf(text, sizeof text, "%" PRId64, value);
    return om__rows_reject(rows, i, rows->schema->field[c].name, OM__TOO_FAR,
                           text, (size_t)n);
}

static om_status copy_values(struct om__rows *rows, size_t c,
                             const struct om__reading *reading,
                             const struct ArrowArray *a,
                             struct om__arrow_child how)
{
    struct om_arena *arena = &rows->job->batch.arena;
    uint64_t *valid;
    OM_TRY(copy_valid(rows, a, &valid));
    if (reading->type != OM_TYPE_REAL) {
        int64_t *integer = om_arena_alloc(arena, rows->n * sizeof *integer);
        if (!integer) return OM_E_MEMORY;
        rows->column[c] =
            (struct om_batch_column){.valid = valid, .integer = integer};
        for (size_t i = 0; i < rows->n; i++) {
            integer[i] = valid && !om_bit(valid, i)
                             ? 0
                             : integral_at(a, how, reading, i);
            if (reading->type == OM_TYPE_INTEGER)
                OM_TRY(check_integer(rows, c, i, integer[i]));
        }
        return OM_OK;
    }
    double *real = om_arena_alloc(arena, rows->n * sizeof *real);
    if (!real) return OM_E_MEMORY;
    rows->column[c] = (struct om_batch_column){.valid = valid, .real = real};
    for (size_t i = 0; i < rows->n; i++) {
        real[i] = 0.0;
        if (valid && !om_bit(valid, i)) continue;
        const double v = how.kind == OM__ARROW_REAL
                             ? real_at(a, how.format, i)
                             : (double)integer_at(a, how.format, i);
        if (isfinite(v))
            real[i] = v;
        else
            OM_TRY(om__rows_reject(rows, i, rows->schema->field[c].name,
                                   "number is not finite", NULL, 0));
    }
    return OM_OK;
}

om_status om__arrow_column(struct om__rows *rows, size_t c,
                           const struct om__reading *reading,
                           const struct ArrowArray *array, size_t child,
                           struct om__arrow_child how)
{
    if (agrees(reading->type, how.kind))
        return copy_values(rows, c, reading, array->children[child], how);
    struct om_arena *arena = &rows->job->batch.arena;
    struct om_csv_field *field = om_arena_alloc(arena, rows->n * sizeof *field);
    if (!field) return OM_E_MEMORY;
    OM_TRY(om__arrow_fields(array, child, how, arena, field));
    return om__column_read(rows, c, reading, field, 1);
}
