// table.h - CSV files written by all cores, the same bytes by however many.
#ifndef OM_DATA_SYNTH_TABLE_H
#define OM_DATA_SYNTH_TABLE_H

#include <string.h>

#include "data/base/buf.h"
#include "data/base/status.h"
#include "data/synth/city_internal.h"

/* Rows of a table come in chunks; a chunk is made by one thread into its own
 * buffer and written when those before it are. */
#define OM__TABLE_ROWS 4096

struct om__table {
    const char *name;    // LAYER; the file is OUT/LAYER.csv
    const char *header;  // columns, after lon,lat
    uint64_t items;      // what is chunked: rows, or houses that have rows
    /* Append the rows of items [first, end) to `out`; *rows counts them. */
    om_status (*rows)(const struct om__city *city, uint64_t first, uint64_t end,
                      struct om_buf *out, uint64_t *rows);
};

/** Write one table. Does nothing if `--only` leaves it out. */
om_status om__table_write(const struct om__city *city,
                          const struct om__table *table,
                          struct om_err *err) OM_MUST_USE;

enum om__level {
    OM__LEVEL_LENIENT,
    OM__LEVEL_WARNING,
    OM__LEVEL_STRICT,
    OM__LEVEL_PROHIBITED
};
/** The management level of a rental. */
enum om__level om__rental_level(const struct om__city *city, uint32_t rental);

/** Is the layer wanted (--only)? */
bool om__city_wants(const struct om__city *city, const char *layer);

/* A row in the making: bytes go to `at`, where the caller has made room. The
 * place is written as it is, each other field after a comma. */
static inline char *om__put(char *at, const char *text)
{
    const size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}
static inline char *om__put_text(char *at, const char *text)
{
    *at++ = ',';
    return om__put(at, text);
}
char *om__put_digits(char *at, uint64_t value, unsigned least);
static inline char *om__put_number(char *at, uint64_t value)
{
    *at++ = ',';
    return om__put_digits(at, value, 1);
}
/** A letter and a number of at least `digits` digits. */
static inline char *om__put_id(char *at, char letter, uint64_t number,
                               unsigned digits)
{
    *at++ = ',';
    *at++ = letter;
    return om__put_digits(at, number, digits);
}
/** "lon,lat" with seven decimals. */
char *om__put_place(char *at, struct om__xy p);
/** 2023-06-26T14:05:31+08:00; nothing for a time of 0. */
char *om__put_time(char *at, int64_t utc_s);
/** 2023-06-26 */
char *om__put_date(char *at, int64_t utc_s);

/** Entrance number `k` of a house: on its street side. */
struct om__xy om__house_door(const struct om__city *city, uint32_t house,
                             uint32_t k);
/** The entrance that an address of the house has. */
struct om__xy om__house_address(const struct om__city *city, uint32_t house,
                                uint32_t k);
uint32_t om__grid_of_house(const struct om__city *city, uint32_t house);
const struct om__village *om__village_of_house(const struct om__city *city,
                                               uint32_t house);
/** A worker of the grid, or the nearest one if it has none. */
uint32_t om__grid_worker(const struct om__city *city, uint32_t grid,
                         struct om__dice *dice);

#endif
