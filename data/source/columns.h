// columns.h - texts of a column into values of its type. Inside data/source
// only.
#ifndef OM_DATA_SOURCE_COLUMNS_H
#define OM_DATA_SOURCE_COLUMNS_H

#include "data/source/csv.h"
#include "data/source/encoding.h"
#include "data/source/moment.h"
#include "data/source/number.h"
#include "data/source/rows.h"

/* How the texts of one column are to be read. A field whose `at` is NULL or
 * that is empty has no value. */
struct om__reading {
    enum om_type type;
    enum om_date_order order;
    int32_t zone_s;
    struct om__encoding *encoding;  // NULL: UTF-8
};

/** Why a row with an integer beyond OM_LIMIT_INTEGER is rejected. */
#define OM__TOO_FAR "an integer beyond 2^53"
static inline bool om__integer_fits(int64_t value)
{
    return value >= -OM_LIMIT_INTEGER && value <= OM_LIMIT_INTEGER;
}

/** Column `c` of `rows` from field[i * stride]. Texts that cannot be read
 *  reject their rows; in the id column so do empty ones. */
om_status om__column_read(struct om__rows *rows, size_t c,
                          const struct om__reading *how,
                          const struct om_csv_field *field,
                          size_t stride) OM_MUST_USE;

/** A coordinate of every row from field[i * stride] into out [n]; a row
 *  without one is rejected under the field's `name`. */
om_status om__position_read(struct om__rows *rows, const char *name,
                            const struct om_csv_field *field, size_t stride,
                            double *out) OM_MUST_USE;

/* What the values of a column have in common so far. */
struct om__guess {
    size_t values;  // not empty
    bool not_integer, not_real, not_boolean;
    bool not_time[3];  // by om_date_order
    bool coded;        // leading zero, plus sign or too many digits: a code
    size_t distinct;
    uint64_t *seen;  // hashes, open addressing
};
om_status om__guess_open(struct om__guess *guess) OM_MUST_USE;
void om__guess_close(struct om__guess *guess);
void om__guess_add(struct om__guess *guess, const char *text, size_t len);
/** The type, and with OM_TYPE_TIME the order of its dates. */
enum om_type om__guess_type(const struct om__guess *guess,
                            enum om_date_order *order);
/** TEXT, or CATEGORY if values repeat. */
enum om_type om__guess_text(const struct om__guess *guess);

#endif
