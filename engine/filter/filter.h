// filter.h - CQL2 text, compiled to passes over columns, kept as bitmaps.
#ifndef OM_ENGINE_FILTER_FILTER_H
#define OM_ENGINE_FILTER_FILTER_H

#include "data/base/buf.h"
#include "data/source/project.h"
#include "engine/snapshot.h"

struct om_filter;

/**
 * Parse a CQL2-text expression against a layer's columns, unit columns
 * included: comparison of columns, numbers, texts, times and booleans, AND,
 * OR, NOT, IN, BETWEEN, LIKE (% _ and \ before them), IS NULL, CASEI(...),
 * DATE('...'), TIMESTAMP('...'), INTERVAL('...','..'), all T_ relations,
 * S_INTERSECTS and S_DISJOINT(geom, POLYGON | MULTIPOLYGON |
 * GEOMETRYCOLLECTION of them | POINT | BBOX(west, south, east, north)). No
 * arithmetic, no arrays. Names with other signs than letters, digits, _ : .
 * go in double quotes. NULL follows SQL's three values.
 *
 * A date is a day of the city's clock and equals every moment of it: t <=
 * DATE('2023-01-31') takes all of January 31, t > DATE('2023-01-31') begins
 * with February. Bare texts are read as dates or moments beside a time, as
 * numbers beside a number, so that column = 'value' works for every type.
 *
 * units    coordinates are WGS 84 degrees, longitude first; zone_s is what the
 *          city's clock is ahead of UTC
 * returns  OM_E_FORMAT (err->at: byte), OM_E_NOTFOUND (no such column),
 *          OM_E_TYPE, OM_E_COORD, OM_E_UNSUPPORTED (what CQL2 knows and we do
 *          not), OM_E_LIMIT, OM_E_COST, OM_E_MEMORY; *out is NULL then
 * owns     *out: om_filter_free; keeps no pointer into text or layer
 * threads  a parsed filter may be used by several threads
 * source   OGC 21-065r2, annex B
 * test     tests/engine/test_filter_parse.c, tests/fuzz/fuzz_filter.c
 */
om_status om_filter_parse(const char *text, size_t len,
                          const struct om_layer *layer, int32_t zone_s,
                          struct om_filter **out, struct om_err *err)
    OM_MUST_USE;
/** The same with coordinates in another system, in the order of its authority
 *  (north first where om_system says so). The canonical text is in degrees
 *  all the same. A BBOX of a projected system becomes a polygon whose sides
 *  follow the system's. crs NULL: degrees. */
om_status om_filter_parse_in(const char *text, size_t len,
                             const struct om_layer *layer, int32_t zone_s,
                             struct om_project *crs, struct om_filter **out,
                             struct om_err *err) OM_MUST_USE;
void om_filter_free(struct om_filter *filter);
/** Seconds of one core that its texts take to be read row by row, as they are
 *  estimated: 100 ns a row and condition. What would take longer than
 *  OM_LIMIT_FILTER_SCAN_S was not parsed: OM_E_COST. filter NULL: 0. */
double om_filter_scan_s(const struct om_filter *filter);
/** Canonical text: equal for expressions that differ only in writing (order
 *  of AND, OR and IN, blanks, case of keywords, NOT pushed inward, dates as
 *  UTC seconds, conditions on one number joined). It takes the same rows, but
 *  is not for putting under a NOT: what is never true is FALSE in it, though
 *  it may be unknown. Parses back to itself unless it outgrows
 *  OM_LIMIT_FILTER_BYTES. Borrowed. The cache key. */
const char *om_filter_canonical(const struct om_filter *filter);
/** Names of the columns it mentions, each once. Borrowed. */
size_t om_filter_columns(const struct om_filter *filter,
                         const char *const **names);
/** Does it mention the geometry? */
bool om_filter_uses_geometry(const struct om_filter *filter);

/* Rows of one segment that a filter takes: a bitmap and the count before
 * every 512 bits. Tombstones are already gone. */
struct om_bitmap {
    size_t rows, count;
    const uint64_t *word;  // [(rows + 63) / 64], bits past the end are 0
    const uint32_t *rank;  // [rows / 512 + 2]: set bits before row 512 * i
};

/* What filter and window take of one segment, its dead rows too. `serial` is
 * the same as long as segment, filter and window are: what is made of it lives
 * on while rows die. 0: all rows. */
struct om_selection_base {
    uint64_t serial;
    const struct om_bitmap *bitmap;
};

/* What a filter and a time window select from a layer: one bitmap a part.
 * all set: no filter, no tombstones, bitmaps and bases absent (NULL).
 * living set: nothing but the tombstones is missing.
 * Immutable, counted. */
struct om_selection {
    bool all, living;
    uint64_t count;  // rows selected
    size_t parts;
    struct om_bitmap *part;
    const struct om_selection_base *base;  // [parts]; NULL: as the bitmaps
    uint64_t serial;  // unique in this process; cache keys
};

/* A cache of selections, least recently used first out. threads: any. */
struct om_selections;
om_status om_selections_new(size_t max_bytes, struct om_selections **out)
    OM_MUST_USE;
void om_selections_free(struct om_selections *cache);

/* A time window, half open, over the layer's time column. Zero-initialise and
 * leave `set` false for all times. */
struct om_window {
    bool set;
    int64_t from_s, to_s;
};

/**
 * Select rows. filter NULL: all. `cache` NULL: computed, not kept. Rows
 * without a time are in no window; to_s INT64_MAX is open. Two threads that
 * ask for the same get one computation.
 *
 * returns  OM_E_NOTFOUND if a window is set and the layer has no time column,
 *          or if a column of the filter is not there
 *          OM_E_DAMAGED, OM_E_MEMORY
 * owns     *out counted: om_selection_unref
 * threads  any, also with one cache
 * cost     12 M rows, two conditions: a few milliseconds on two cores
 *          (bench_filter); tombstones: a copy of the bitmap
 * test     tests/engine/test_filter_eval.c, tests/engine/test_select.c
 * bench    benchmarks/engine/bench_filter.c
 */
om_status om_select(struct om_selections *cache, const struct om_layer *layer,
                    const struct om_filter *filter, struct om_window window,
                    struct om_selection **out) OM_MUST_USE;
struct om_selection *om_selection_ref(struct om_selection *selection);
void om_selection_unref(struct om_selection *selection);
/** The serial of what is taken of a part; 0 where that is all its rows. */
static inline uint64_t om_selection_base_serial(const struct om_selection *s,
                                                size_t part)
{
    if (s->all || s->living) return 0;
    return s->base ? s->base[part].serial : s->serial;
}
/** Was the row taken before rows died? */
static inline bool om_selection_base_has(const struct om_selection *s,
                                         size_t part, size_t row)
{
    if (s->all || s->living) return true;
    const struct om_bitmap *b = s->base ? s->base[part].bitmap : &s->part[part];
    return b->word[row / 64] >> (row % 64) & 1;
}
/** Selected rows among [from, to) of a part. cost: two ranks. */
size_t om_selection_count(const struct om_selection *selection, size_t part,
                          size_t from, size_t to);
/** Set bits among [from, to) of a bitmap. cost: two ranks */
size_t om_bitmap_count(const struct om_bitmap *bitmap, size_t from, size_t to);
static inline bool om_selection_has(const struct om_selection *s, size_t part,
                                    size_t row)
{
    return s->all || (s->part[part].word[row / 64] >> (row % 64) & 1);
}
/* Hits and misses since start, bytes held. */
struct om_cache_stats {
    uint64_t hits, misses, entries, bytes;
};
struct om_cache_stats om_selections_stats(const struct om_selections *cache);
/** Forget everything (benchmarks). */
void om_selections_clear(struct om_selections *cache);

#endif
