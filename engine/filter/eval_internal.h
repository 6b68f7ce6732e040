// eval_internal.h - a filter compiled for one segment: passes over its rows.
#ifndef OM_ENGINE_FILTER_EVAL_INTERNAL_H
#define OM_ENGINE_FILTER_EVAL_INTERNAL_H

#include "engine/filter/filter_internal.h"

/** Rows that one call evaluates: a bitmap of 8 KiB, which stays in the first
 *  cache from one condition to the next. A multiple of OM_BLOCK_ROWS. */
#define OM__CHUNK_ROWS 65536
#define OM__CHUNK_WORDS (OM__CHUNK_ROWS / 64)

enum om__pass_kind {
    OM__PASS_CONST,  // value
    OM__PASS_AND,
    OM__PASS_OR,
    OM__PASS_RANGES,  // stored values in one of a few ranges
    OM__PASS_TABLE,   // stored values by a table of one byte each
    OM__PASS_SEARCH,  // stored values in one of many ranges
    OM__PASS_REALS,   // doubles in one of the ranges
    OM__PASS_NULLS,
    OM__PASS_ROWS,    // a list of rows
    OM__PASS_RUNS,    // points in a place: runs of rows, inside or to be tested
    OM__PASS_SHAPES,  // shapes that meet a place
    OM__PASS_PAIR,
    OM__PASS_TEXT,  // texts read row by row
};

/* Rows [from, to); inside: all of them, else each is tested. */
struct om__run {
    size_t from, to;
    bool inside;
};

/* One node, compiled. Lists lie in the plan's arena. */
struct om__pass {
    enum om__pass_kind kind;
    unsigned cost;  // 0 cheapest; AND and OR go by it
    const struct om__node *node;
    bool value;    // CONST
    bool negated;  // NULLS: IS NOT NULL; RUNS, SHAPES: those that do not
    size_t column, other;
    // Ranges of values (INTEGER), codes (DICTIONARY) or numbers (NUMBERED);
    // of reals in the order of om__real_order.
    const struct om__range *range;
    size_t ranges;
    // What the kernels look for: the ranges, or, after inverted, the gaps
    // between them where these are fewer. All in values, not stored numbers.
    const struct om__range *test;
    size_t tests;
    bool inverted;
    const uint8_t *table;  // for values from test[0].lo to the last hi
    const uint32_t *row;
    size_t rows;
    const struct om__run *run;
    size_t runs;
    const struct om_box *box;  // RUNS of a box
    size_t boxes;
    size_t reader;  // TEXT and PAIR of texts: number of its first text reader
    bool texts;     // PAIR of texts
    struct om__pass **child;
    size_t children;
};

struct om__plan {
    struct om_arena arena;
    const struct om_segment *segment;
    struct om__pass *root;
    size_t readers;
    size_t scratch;  // bitmaps a lane needs beside its result
};

/** What one thread needs: scratch bitmaps, text readers, room to fold. */
struct om__lane {
    uint64_t *scratch;
    struct om_text_reader *reader;
    char *folded;
    size_t folded_room;
};

/** Compile a canonical tree for a segment. */
om_status om__plan_init(struct om__plan *plan, const struct om_filter *filter,
                        const struct om__node *root,
                        const struct om_segment *segment) OM_MUST_USE;
void om__plan_deinit(struct om__plan *plan);
/** Numbers of texts as ranges of codes or numbers: texts.c. Sets kind, range
 *  and ranges of the pass; kind stays TEXT where only reading helps. */
om_status om__plan_texts(struct om__plan *plan, struct om__pass *pass,
                         const struct om_column *column) OM_MUST_USE;
/** Does a text satisfy the node (TEXTS, ORDER or LIKE)? NULL is not asked. */
bool om__text_matches(const struct om__node *node, struct om__text text);
/** Runs of rows of a place on a point segment: cover.c. */
om_status om__plan_runs(struct om__plan *plan,
                        struct om__pass *pass) OM_MUST_USE;

om_status om__lane_init(struct om__lane *lane,
                        const struct om__plan *plan) OM_MUST_USE;
void om__lane_deinit(struct om__lane *lane, const struct om__plan *plan);
/**
 * Rows [first, end) that a plan takes, at most OM__CHUNK_ROWS from a multiple
 * of it.
 * shapes   out [(end - first + 63) / 64], bits past the end 0
 */
om_status om__plan_eval(const struct om__plan *plan, struct om__lane *lane,
                        size_t first, size_t end, uint64_t *out) OM_MUST_USE;

/* ---- pass.c: 64 stored values into one word, without branches. `n` values of
 * `width` bytes; out [(n + 63) / 64], bits past the end 0. */

struct om__span {
    uint64_t lo, width;  // lo <= v <= lo + width, unsigned, wrapping
};
#define OM__MAX_SPANS 4

void om__pass_spans(const void *data, unsigned width, size_t n,
                    const struct om__span *span, size_t spans, uint64_t *out);
void om__pass_table(const void *data, unsigned width, size_t n, uint64_t lo,
                    uint64_t entries, const uint8_t *table, uint64_t *out);
void om__pass_reals(const double *data, size_t n, double lo, double hi,
                    uint64_t *out);

/* ---- bitmap.c */

/** A bitmap with room for `rows` rows, words not set. */
om_status om__bitmap_new(size_t rows, struct om_bitmap *out) OM_MUST_USE;
void om__bitmap_deinit(struct om_bitmap *bitmap);
/** Fill words and rank. root NULL: all rows. */
om_status om__bitmap_eval(const struct om_filter *filter,
                          const struct om__node *root,
                          const struct om_segment *segment,
                          struct om_bitmap *out) OM_MUST_USE;
/** `from` without the rows in `dead`; nothing is counted anew. */
om_status om__bitmap_without(const struct om_bitmap *from, const uint32_t *dead,
                             size_t dead_count,
                             struct om_bitmap *out) OM_MUST_USE;
size_t om__bitmap_bytes(size_t rows);

#endif
