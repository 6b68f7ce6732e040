// csv.c - one pass over bytes; quotes are looked for only where they can be.
#include "data/source/csv.h"

#include <string.h>

#include "data/base/clones.h"
#include "data/base/limits.h"

char om_csv_delimiter(const char *text, size_t len)
{
    static const char CANDIDATE[] = {',', ';', '\t'};
    char best = ',';
    size_t most = 1;
    if (len == 0) return best;
    for (size_t i = 0; i < sizeof CANDIDATE; i++) {
        size_t fields;
        om_csv_row(text, text + len, CANDIDATE[i], NULL, 0, &fields);
        if (fields <= most) continue;
        most = fields;
        best = CANDIDATE[i];
    }
    return best;
}

/* The closing quote of the field whose content starts at `at`, or NULL if
 * there is none near enough. *doubled tells whether doubled ones were met. */
static const char *closing_quote(const char *at, const char *end, bool *doubled)
{
    const size_t left = (size_t)(end - at);
    const char *limit =
        at + (left < OM_LIMIT_TEXT_BYTES ? left : OM_LIMIT_TEXT_BYTES);
    *doubled = false;
    while (at < limit) {
        const char *quote = memchr(at, '"', (size_t)(limit - at));
        if (!quote) return NULL;
        if (quote + 1 == end || quote[1] != '"') return quote;
        *doubled = true;
        at = quote + 2;
    }
    return NULL;
}

/* A quoted field from its opening quote on. returns where it ends (at a
 * delimiter, line end or `end`), or NULL if the quote opens nothing. */
static const char *quoted_field(const char *at, const char *end, char delimiter,
                                struct om_csv_field *out)
{
    bool doubled;
    const char *close = closing_quote(at + 1, end, &doubled);
    if (!close) return NULL;
    const char *stop = close + 1;
    while (stop < end && *stop != delimiter && *stop != '\n') stop++;
    const char *last = stop;
    if (last > close + 1 && last[-1] == '\r' && (stop == end || *stop == '\n'))
        last--;
    const bool tail = last != close + 1;
    out->at = at + 1;
    out->len = (uint32_t)((tail ? last : close) - (at + 1));
    out->quoted = doubled || tail ? OM_CSV_ESCAPED : OM_CSV_QUOTED;
    return stop;
}

/* First delimiter or line end at or after `at`, eight bytes at a time: the
 * usual trick of finding a zero byte in a word. */
static const char *plain_end(const char *at, const char *end, char delimiter)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    const uint64_t find = ones * (uint8_t)delimiter,
                   line = ones * (uint8_t)'\n';
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        const uint64_t a = word ^ find, b = word ^ line;
        const uint64_t hit = (((a - ones) & ~a) | ((b - ones) & ~b)) & tops;
        if (hit) break;
        at += 8;
    }
    while (at < end && *at != delimiter && *at != '\n') at++;
    return at;
}

const char *om_csv_row(const char *at, const char *end, char delimiter,
                       struct om_csv_field *field, size_t room, size_t *fields)
{
    const char *start = at;
    size_t n = 0;
    for (;;) {
        struct om_csv_field f = {.at = at};
        const char *stop = NULL;
        if (at < end && *at == '"') stop = quoted_field(at, end, delimiter, &f);
        if (!stop) {
            stop = plain_end(at, end, delimiter);
            const char *last = stop;
            if (last > at && last[-1] == '\r' && (stop == end || *stop == '\n'))
                last--;
            const size_t len = (size_t)(last - at);
            f = (struct om_csv_field){
                at, len > UINT32_MAX ? UINT32_MAX : (uint32_t)len,
                OM_CSV_PLAIN};
        }
        if (n < room) field[n] = f;
        n++;
        if (stop < end && *stop == delimiter) {
            at = stop + 1;
            continue;
        }
        const bool blank = n == 1 && f.len == 0 && f.quoted == OM_CSV_PLAIN;
        *fields = blank && (stop == start || stop == start + 1) ? 0 : n;
        return stop < end ? stop + 1 : end;
    }
}

OM_CLONES
static size_t count_byte(const char *at, size_t len, char byte)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) n += at[i] == byte;
    return n;
}

/* The end of the bytes in [at, end) that hold `rows` line ends or are `bytes`
 * long, not yet at the end of a row. */
static const char *rough_end(const char *at, const char *end, size_t bytes,
                             size_t rows)
{
    const size_t STEP = 16384;
    const char *stop = (size_t)(end - at) > bytes ? at + bytes : end;
    while (at < stop) {
        const size_t step =
            (size_t)(stop - at) < STEP ? (size_t)(stop - at) : STEP;
        const size_t lines = count_byte(at, step, '\n');
        if (lines < rows) {
            rows -= lines;
            at += step;
            continue;
        }
        while (rows) rows -= *at++ == '\n';
        return at;
    }
    return stop;
}

/* Step over whole rows from `at` by their quotes alone: returns the first row
 * start at or after `goal`. */
static const char *row_after(const char *at, const char *goal, const char *end,
                             char delimiter)
{
    const char *from = at;  // start of a row or behind a quoted field
    for (;;) {
        const char *reach = goal < end ? goal : end;
        const char *quote =
            from < reach ? memchr(from, '"', (size_t)(reach - from)) : NULL;
        if (!quote) break;
        const bool opens =
            quote == at || quote[-1] == delimiter || quote[-1] == '\n';
        struct om_csv_field ignored;
        const char *stop =
            opens ? quoted_field(quote, end, delimiter, &ignored) : NULL;
        from = stop ? stop : quote + 1;
    }
    // `at` is outside of quotes now, but quotes may open in the rest of its
    // row.
    at = from > goal ? from : goal;
    if (at >= end) return end;
    if (at[-1] == '\n') return at;
    size_t fields;
    if (at[-1] == delimiter)
        return om_csv_row(at, end, delimiter, NULL, 0, &fields);
    const char *stop = plain_end(at, end, delimiter);
    if (stop + 1 >= end) return end;
    return *stop == '\n'
               ? stop + 1
               : om_csv_row(stop + 1, end, delimiter, NULL, 0, &fields);
}

const char *om_csv_stretch(const char *at, const char *end, char delimiter,
                           size_t bytes, size_t rows)
{
    const char *goal = rough_end(at, end, bytes, rows);
    return goal >= end ? end : row_after(at, goal, end, delimiter);
}

size_t om_csv_unquote(const struct om_csv_field *field, char *out)
{
    const char *at = field->at, *end = at + field->len;
    size_t n = 0;
    bool inside = true;
    while (at < end) {
        if (inside && *at == '"') {
            at++;
            if (at < end && *at == '"')
                out[n++] = *at++;
            else
                inside = false;
            continue;
        }
        out[n++] = *at++;
    }
    return n;
}

bool om_csv_formula(const char *text, size_t len)
{
    static const char NUMBER[] = "0123456789.,() -";
    for (; len && *text == '\''; len--) text++;
    if (!len) return false;
    if (memchr("=@\t\r\n", *text, 5)) return true;
    if (*text != '+' && *text != '-') return false;
    for (size_t i = 1; i < len; i++)
        if (!memchr(NUMBER, text[i], sizeof NUMBER - 1)) return true;
    return false;
}

size_t om_csv_guard(const char *text, size_t len)
{
    return len && *text == '\'' && om_csv_formula(text, len);
}
