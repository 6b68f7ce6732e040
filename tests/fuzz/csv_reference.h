/* csv_reference.h - the rules of csv.h, one character at a time, with no eye
 * on speed: what the fast splitter must agree with. */
#ifndef OM_TESTS_FUZZ_CSV_REFERENCE_H
#define OM_TESTS_FUZZ_CSV_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/limits.h"

/* One row: the content of its fields, each ended by a NUL of its own kind. */
struct reference_row {
    size_t fields;
    size_t start, next;  // bytes of the text
    char *content;       // fields one after the other
    size_t *end;         // [fields] where each ends in content
};

/* Does a quoted field that opens at text[at] close soon enough? */
static bool reference_closes(const char *text, size_t len, size_t at)
{
    size_t limit = at + 1 + OM_LIMIT_TEXT_BYTES;
    if (limit > len) limit = len;
    for (size_t i = at + 1; i < limit; i++) {
        if (text[i] != '"') continue;
        if (i + 1 < len && text[i + 1] == '"') {
            i++;
            continue;
        }
        return true;
    }
    return false;
}

/* The row at `at`; false at the end. Free content and end. */
static bool reference_next(const char *text, size_t len, char delimiter,
                           size_t at, struct reference_row *row)
{
    if (at >= len) return false;
    row->start = at;
    row->fields = 0;
    row->content = malloc(len - at + 1);
    row->end = malloc((len - at + 2) * sizeof *row->end);
    size_t n = 0;
    enum { START, PLAIN, QUOTED, AFTER } state = START;
    bool plain_blank = true;
    for (;; at++) {
        const bool over = at == len;
        const char c = over ? '\n' : text[at];
        if (state == START) {
            if (!over && c == '"' && reference_closes(text, len, at)) {
                state = QUOTED;
                plain_blank = false;
                continue;
            }
            state = PLAIN;
        }
        if (state == QUOTED) {
            if (c == '"' && at + 1 < len && text[at + 1] == '"') {
                row->content[n++] = '"';
                at++;
            } else if (c == '"') {
                state = AFTER;
            } else {
                row->content[n++] = c;
            }
            continue;
        }
        if (c == '\n' || c == delimiter) {
            row->end[row->fields++] = n;
            if (c == delimiter) plain_blank = false;
            state = START;
            if (c == delimiter && !over) continue;
            row->next = over ? len : at + 1;
            const size_t bytes = at - row->start;
            const bool blank =
                plain_blank && (bytes == 0 || (bytes == 1 && n == 0));
            if (blank) row->fields = 0;
            return true;
        }
        // A carriage return before the line end, or at the end of all.
        if (c == '\r' && (at + 1 == len || text[at + 1] == '\n')) continue;
        row->content[n++] = c;
    }
}

#endif
