// write_line.c - a Feature as programs write it, read without a document.
#include <string.h>

#include "data/base/utf8.h"
#include "data/model/time.h"
#include "data/source/number.h"
#include "web/write_internal.h"

/* DESIGN
 * Nearly all rows of a batch are a Feature of a point, with texts without
 * escapes, numbers, truths and nulls, each member once. Such a row is read in
 * one pass, in a fifth of the time that a document of it takes. Whatever else
 * it is - another order of things, an escape, an unknown member, a value of
 * another type, no JSON at all - is left to write_json.c, which knows all of it
 * and the words for what is wrong; so this file never refuses a row, and what
 * it takes the other would have taken with the same values (fuzz_body.c). */

/* Whole numbers up to so many digits fit into 64 bits. */
#define DIGITS_SURE 18

struct scan {
    const char *at, *end;
};

struct text {
    const char *at;
    size_t len;
};

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' ||
                              *s->at == '\r' || *s->at == '\n'))
        s->at++;
}

/* The next character that is no blank, if it is `c`. */
static bool take(struct scan *s, char c)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

static bool take_word(struct scan *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

/* A text without escapes; it points into the line. */
static bool take_text(struct scan *s, struct text *out)
{
    if (!take(s, '"')) return false;
    const char *from = s->at;
    unsigned char high = 0;
    while (s->at < s->end && *s->at != '"') {
        const unsigned char c = (unsigned char)*s->at;
        if (c < ' ' || c == '\\') return false;
        high |= c;
        s->at++;
    }
    if (s->at == s->end) return false;
    *out = (struct text){from, (size_t)(s->at - from)};
    s->at++;
    return high < 0x80 || om_utf8_valid(out->at, out->len);
}

static size_t take_digits(struct scan *s)
{
    const char *from = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
    return (size_t)(s->at - from);
}

/* A number by JSON's grammar; how many digits if it is whole, else 0. */
static bool take_number(struct scan *s, struct text *out, size_t *whole)
{
    skip_blanks(s);
    const char *from = s->at;
    if (s->at < s->end && *s->at == '-') s->at++;
    const char *first = s->at;
    *whole = take_digits(s);
    if (*whole == 0 || (*whole > 1 && *first == '0')) return false;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        *whole = 0;
        if (take_digits(s) == 0) return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        *whole = 0;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
        if (take_digits(s) == 0) return false;
    }
    *out = (struct text){from, (size_t)(s->at - from)};
    return true;
}

static bool whole_of(struct text number, size_t digits, int64_t *out)
{
    if (!digits || digits > DIGITS_SURE) return false;
    const bool minus = *number.at == '-';
    int64_t value = 0;
    for (size_t i = minus; i < number.len; i++)
        value = 10 * value + (number.at[i] - '0');
    *out = minus ? -value : value;
    return true;
}

static bool take_integer(struct scan *s, int64_t *out)
{
    struct text number;
    size_t whole;
    return take_number(s, &number, &whole) && whole_of(number, whole, out);
}

/* A whole number is one first: -0 is 0. */
static bool take_real(struct scan *s, double *out)
{
    struct text number;
    size_t whole;
    int64_t integer;
    if (!take_number(s, &number, &whole)) return false;
    if (!whole) return !om_number_real(number.at, number.len, out);
    if (!whole_of(number, whole, &integer)) return false;
    *out = (double)integer;
    return true;
}

static bool is_null(struct scan *s)
{
    skip_blanks(s);
    return take_word(s, "null", 4);
}

/* A value of a column of this type. */
static bool take_value(struct om_body *body, struct scan *s, enum om_type type,
                       struct om__cell *cell)
{
    struct text text;
    *cell = (struct om__cell){0};
    if (is_null(s)) return true;
    cell->set = true;
    switch (type) {
        case OM_TYPE_INTEGER:
            return take_integer(s, &cell->integer);
        case OM_TYPE_REAL:
            return take_real(s, &cell->real);
        case OM_TYPE_BOOLEAN:
            cell->integer = take_word(s, "true", 4);
            return cell->integer || take_word(s, "false", 5);
        default:
            break;
    }
    if (!take_text(s, &text) || text.len > OM_LIMIT_TEXT_BYTES) return false;
    if (type == OM_TYPE_TIME)
        return !om_time_parse(text.at, text.len, body->rules->zone_s,
                              &cell->integer);
    cell->text = text.at;
    cell->len = text.len;
    return true;
}

/* The column of a name, those of units behind the layer's own. Who writes many
 * rows has their members in one order, so the one after the last is looked at
 * first. */
static size_t column_of(const struct om_schema *schema, struct text name,
                        size_t after)
{
    for (size_t i = 0; i < schema->count; i++) {
        const size_t c = (after + i) % schema->count;
        const char *known = schema->field[c].name;
        if (!strncmp(known, name.at, name.len) && !known[name.len]) return c;
    }
    return OM_NO_FIELD;
}

static bool take_column(struct om_body *body, struct scan *s, size_t c)
{
    struct text unit;
    const struct om_schema *own = &body->schema;
    if (c >= own->count) return is_null(s) || take_text(s, &unit);
    // An id of null is for the other to speak about.
    return take_value(body, s, own->field[c].type, &body->cell[c]) &&
           (c != own->id_field || body->cell[c].text);
}

static bool take_properties(struct om_body *body, struct scan *s)
{
    const struct om_schema *all = &body->rules->layer->schema;
    bool seen[OM_LIMIT_COLUMNS] = {false};
    size_t next = 0;
    if (!take(s, '{')) return false;
    if (take(s, '}')) return true;
    do {
        struct text name;
        if (!take_text(s, &name) || !take(s, ':')) return false;
        const size_t c = column_of(all, name, next);
        if (c == OM_NO_FIELD || seen[c]) return false;
        if (c < body->schema.count && body->schema.hidden[c]) return false;
        seen[c] = true;
        if (!take_column(body, s, c)) return false;
        next = c + 1;
    } while (take(s, ','));
    return take(s, '}');
}

static bool is(struct text text, const char *word)
{
    return text.len == strlen(word) && !memcmp(text.at, word, text.len);
}

static bool take_point(struct scan *s, double *lon, double *lat)
{
    bool type = false, place = false;
    if (!take(s, '{')) return false;
    do {
        struct text name, kind;
        if (!take_text(s, &name) || !take(s, ':')) return false;
        if (is(name, "type") && !type) {
            if (!take_text(s, &kind) || !is(kind, "Point")) return false;
            type = true;
        } else if (is(name, "coordinates") && !place) {
            if (!take(s, '[') || !take_real(s, lon) || !take(s, ',') ||
                !take_real(s, lat) || !take(s, ']'))
                return false;
            place = true;
        } else {
            return false;
        }
    } while (take(s, ','));
    return type && place && take(s, '}');
}

/* What a line says, before anything is done about it. */
struct feature {
    bool type, has_id, place, properties;
    struct text id;
    double lon, lat;
};

static bool take_member(struct om_body *body, struct scan *s, struct feature *f)
{
    struct text name, word;
    bool *seen = NULL;
    if (!take_text(s, &name) || !take(s, ':')) return false;
    if (is(name, "type"))
        seen = &f->type;
    else if (is(name, "id"))
        seen = &f->has_id;
    else if (is(name, "geometry"))
        seen = &f->place;
    else if (is(name, "properties"))
        seen = &f->properties;
    if (!seen || *seen) return false;
    *seen = true;
    if (seen == &f->type) return take_text(s, &word) && is(word, "Feature");
    if (seen == &f->has_id) return take_text(s, &f->id);
    if (seen == &f->place) return take_point(s, &f->lon, &f->lat);
    return take_properties(body, s);
}

bool om__line_take(struct om_body *body, const char *text, size_t len)
{
    struct scan s = {text, text + len};
    struct feature f = {0};
    if (body->rules->patch || body->schema.geometry != OM_GEOMETRY_POINT)
        return false;
    om__row_clear(body);
    if (!take(&s, '{')) return false;
    do {
        if (!take_member(body, &s, &f)) return false;
    } while (take(&s, ','));
    if (!take(&s, '}')) return false;
    skip_blanks(&s);
    const struct om__cell id = body->cell[body->schema.id_field];
    if (s.at != s.end || !f.type || !f.place) return false;
    body->rows++;
    body->geometry_given = true;
    if (f.has_id) om__row_id(body, f.id.at, f.id.len);
    if (id.set) om__row_id(body, id.text, id.len);
    om__row_position(body, f.lon, f.lat);
    return true;
}
