// arrow.h - one Arrow record batch of GDAL into rows. Inside data/source only.
#ifndef OM_DATA_SOURCE_ARROW_H
#define OM_DATA_SOURCE_ARROW_H

#include <ogr_recordbatch.h>

#include "data/source/columns.h"

/* How the values of one child lie in memory. */
enum om__arrow_kind {
    OM__ARROW_NONE,  // nothing that could be a column
    OM__ARROW_BOOLEAN,
    OM__ARROW_INTEGER,
    OM__ARROW_REAL,
    OM__ARROW_TEXT,
    OM__ARROW_BINARY,
    OM__ARROW_DATE,   // days since 1970, of the local calendar
    OM__ARROW_MOMENT  // UTC
};

struct om__arrow_child {
    enum om__arrow_kind kind;
    char format;  // the letter that tells the width
};

/** From the format string of the Arrow C data interface. */
struct om__arrow_child om__arrow_child_of(const char *format);

/** Is value i of a child of integers beyond OM_LIMIT_INTEGER? */
bool om__arrow_is_code(const struct ArrowArray *array, size_t child,
                       struct om__arrow_child how, size_t i);
/** Texts of a child: field[i] borrows from the array or lives in the arena;
 *  `at` NULL where there is no value. Of all kinds but binary. */
om_status om__arrow_fields(const struct ArrowArray *array, size_t child,
                           struct om__arrow_child how, struct om_arena *arena,
                           struct om_csv_field *field) OM_MUST_USE;
/** Column c from a child: directly where the types agree, else by its text. */
om_status om__arrow_column(struct om__rows *rows, size_t c,
                           const struct om__reading *reading,
                           const struct ArrowArray *array, size_t child,
                           struct om__arrow_child how) OM_MUST_USE;
/** Geometry of row i; false if there is none. */
bool om__arrow_wkb(const struct ArrowArray *array, size_t child, size_t i,
                   const uint8_t **wkb, size_t *len);

#endif
