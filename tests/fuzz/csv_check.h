// csv_check.h - compare the splitter with the reference on one text.
#ifndef OM_TESTS_FUZZ_CSV_CHECK_H
#define OM_TESTS_FUZZ_CSV_CHECK_H

#include "data/source/csv.h"
#include "tests/fuzz/csv_reference.h"

/* NULL, or what differs. */
static const char *csv_row_differs(const struct reference_row *want,
                                   const char *at, const char *end,
                                   char delimiter, const char **next)
{
    enum { ROOM = 64 };
    struct om_csv_field field[ROOM];
    size_t fields, from = 0;
    *next = om_csv_row(at, end, delimiter, field, ROOM, &fields);
    if (fields != want->fields) return "number of fields";
    for (size_t f = 0; f < fields && f < ROOM; f++) {
        const size_t len = want->end[f] - from;
        char *text = malloc(field[f].len + 1u);
        size_t n = field[f].len;
        if (field[f].quoted == OM_CSV_ESCAPED)
            n = om_csv_unquote(&field[f], text);
        else
            memcpy(text, field[f].at, n);
        const bool same =
            n == len && memcmp(text, want->content + from, n) == 0;
        free(text);
        if (!same) return "content of a field";
        from = want->end[f];
    }
    return NULL;
}

/* Every row as the reference has it, and every stretch ends where one does. */
static const char *csv_differs(const char *text, size_t len, char delimiter,
                               size_t bytes, size_t rows)
{
    const char *end = text + len, *at = text, *why = NULL;
    const char *stretch = text;
    struct reference_row row;
    size_t from = 0;
    while (!why && reference_next(text, len, delimiter, from, &row)) {
        if (at == stretch)
            stretch = om_csv_stretch(at, end, delimiter, bytes, rows);
        const char *next = end;
        why = csv_row_differs(&row, at, end, delimiter, &next);
        if (!why && next != text + row.next) why = "end of a row";
        if (!why && next > stretch) why = "a stretch that ends within a row";
        if (!why && next <= at) why = "no way forward";
        at = next;
        from = row.next;
        free(row.content);
        free(row.end);
    }
    if (!why && at != end) why = "the end";
    return why;
}

#endif
