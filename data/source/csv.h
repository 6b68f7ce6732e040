// csv.h - split delimited text into rows and fields, whatever it looks like.
#ifndef OM_DATA_SOURCE_CSV_H
#define OM_DATA_SOURCE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/*
 * RFC 4180, and what real files do beyond it:
 * - a row ends at LF, CRLF or the end; a row without any byte is no row;
 * - a field is quoted if its first byte is a quote and a closing one follows
 *   within OM_LIMIT_TEXT_BYTES; else that quote is a byte like any other;
 * - a doubled quote within is one quote; what follows the closing quote up to
 *   the delimiter belongs to the field as it stands, quotes included.
 * Bytes are not interpreted: UTF-8 and GB18030 never use the bytes of
 * delimiters and quotes within a character.
 */

/* One field: bytes in the file, without the quotes around. */
struct om_csv_field {
    const char *at;
    uint32_t len;
    uint32_t quoted;  // OM_CSV_*
};

#define OM_CSV_PLAIN 0u
/** Was quoted, can be taken as it stands. */
#define OM_CSV_QUOTED 1u
/** Was quoted and needs om_csv_unquote: holds a doubled or a closing quote. */
#define OM_CSV_ESCAPED 2u

/** ',' ';' or tab, whichever splits the first row into most fields. */
char om_csv_delimiter(const char *text, size_t len);

/**
 * One row: its fields into `field` [room]; *fields is how many it has, also
 * those that found no room.
 *
 * `at` < `end`; `end` is the end of the whole file, so that the same bytes
 * are split in the same way wherever work on them began.
 * returns  where the next row starts, at most `end`
 */
const char *om_csv_row(const char *at, const char *end, char delimiter,
                       struct om_csv_field *field, size_t room, size_t *fields);

/**
 * Where a stretch of rows from `at` may end: after the row in which it exceeds
 * `bytes` bytes or has `rows` line ends, whichever comes first.
 * cost     a few bytes a cycle; less where there are many quotes
 */
const char *om_csv_stretch(const char *at, const char *end, char delimiter,
                           size_t bytes, size_t rows);

/** Content of an escaped field into out [len]; returns its length. */
size_t om_csv_unquote(const struct om_csv_field *field, char *out);

/** Would a spreadsheet take the text for a formula? So it begins with = or @, a
 *  tab or the end of a line, or with + or - before more than a number (-3,
 *  +86 769). Apostrophes before that do not count. */
bool om_csv_formula(const char *text, size_t len);
/** 1 where the text has an apostrophe before it that is not its own: what would
 *  be a formula is written so. Else 0. */
size_t om_csv_guard(const char *text, size_t len);

#endif
