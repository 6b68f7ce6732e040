// wkt.c - POLYGON, MULTIPOLYGON and GEOMETRYCOLLECTION of them, strictly.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/shape/text.h"

/* Longest number we read; doubles need 24 characters. */
#define NUMBER_BYTES 48
/* Collections inside collections: bounds the stack. */
#define MAX_DEPTH 16

struct wkt {
    struct om__reading *reading;
    const char *text;
    size_t len, at;
};

static om_status unexpected(const struct wkt *w, const char *wanted)
{
    return om_fail(w->reading->err, OM_E_FORMAT, w->at,
                   "WKT: %s expected at byte %zu", wanted, w->at);
}

static void skip_blanks(struct wkt *w)
{
    while (w->at < w->len && (w->text[w->at] == ' ' || w->text[w->at] == '\t' ||
                              w->text[w->at] == '\r' || w->text[w->at] == '\n'))
        w->at++;
}

static bool take_symbol(struct wkt *w, char symbol)
{
    skip_blanks(w);
    if (w->at >= w->len || w->text[w->at] != symbol) return false;
    w->at++;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The word here, if it is this one whatever its case. */
static bool take_word(struct wkt *w, const char *word)
{
    skip_blanks(w);
    const size_t n = strlen(word);
    if (w->len - w->at < n) return false;
    for (size_t i = 0; i < n; i++) {
        const char c = w->text[w->at + i];
        if (!is_letter(c) || (c & ~0x20) != word[i]) return false;
    }
    if (w->at + n < w->len && is_letter(w->text[w->at + n])) return false;
    w->at += n;
    return true;
}

static bool at_number(struct wkt *w)
{
    skip_blanks(w);
    if (w->at >= w->len) return false;
    const char c = w->text[w->at];
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

static om_status take_number(struct wkt *w, double *out)
{
    char copy[NUMBER_BYTES];
    size_t n = 0;
    if (!at_number(w)) return unexpected(w, "a number");
    while (w->at + n < w->len && w->text[w->at + n] &&
           strchr("0123456789+-.eE", w->text[w->at + n])) {
        if (n + 1 == sizeof copy) return unexpected(w, "a shorter number");
        copy[n] = w->text[w->at + n];
        n++;
    }
    copy[n] = '\0';
    char *end;
    *out = strtod(copy, &end);
    if (end != copy + n) return unexpected(w, "a number");
    w->at += n;
    return OM_OK;
}

/* Two numbers; a height and a measure may follow and are dropped. */
static om_status read_position(struct wkt *w)
{
    double lon, lat, more;
    skip_blanks(w);
    const size_t at = w->at;
    OM_TRY(take_number(w, &lon));
    OM_TRY(take_number(w, &lat));
    for (int i = 0; i < 2 && at_number(w); i++) OM_TRY(take_number(w, &more));
    return om__reading_add(w->reading, at, lon, lat);
}

static om_status read_ring(struct wkt *w)
{
    if (!take_symbol(w, '(')) return unexpected(w, "'('");
    do OM_TRY(read_position(w));
    while (take_symbol(w, ','));
    if (!take_symbol(w, ')')) return unexpected(w, "',' or ')'");
    return om__reading_end_ring(w->reading, w->at);
}

static om_status read_polygon(struct wkt *w)
{
    if (take_word(w, "EMPTY")) return OM_OK;
    if (!take_symbol(w, '(')) return unexpected(w, "'('");
    do OM_TRY(read_ring(w));
    while (take_symbol(w, ','));
    if (!take_symbol(w, ')')) return unexpected(w, "',' or ')'");
    return om__ringset_end_part(&w->reading->set);
}

static om_status read_geometry(struct wkt *w, int depth)
{
    const bool polygon = take_word(w, "POLYGON");
    const bool multi = !polygon && take_word(w, "MULTIPOLYGON");
    if (!polygon && !multi && !take_word(w, "GEOMETRYCOLLECTION"))
        return unexpected(
            w, "POLYGON, MULTIPOLYGON or GEOMETRYCOLLECTION of them");
    if (!take_word(w, "ZM") && !take_word(w, "Z")) (void)take_word(w, "M");
    if (polygon) return read_polygon(w);
    if (take_word(w, "EMPTY")) return OM_OK;
    if (depth == MAX_DEPTH) return unexpected(w, "less nesting");
    if (!take_symbol(w, '(')) return unexpected(w, "'('");
    do OM_TRY(multi ? read_polygon(w) : read_geometry(w, depth + 1));
    while (take_symbol(w, ','));
    return take_symbol(w, ')') ? OM_OK : unexpected(w, "',' or ')'");
}

om_status om__wkt_read(struct om__reading *reading, const char *text,
                       size_t len)
{
    struct wkt w = {.reading = reading, .text = text, .len = len};
    OM_TRY(read_geometry(&w, 0));
    skip_blanks(&w);
    return w.at == len ? OM_OK : unexpected(&w, "the end");
}
