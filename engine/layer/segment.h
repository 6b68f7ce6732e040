// segment.h - one immutable, sorted file of rows, mapped: the unit of storage.
#ifndef OM_ENGINE_LAYER_SEGMENT_H
#define OM_ENGINE_LAYER_SEGMENT_H

#include "data/base/arena.h"
#include "data/base/status.h"
#include "data/model/pos.h"
#include "data/model/schema.h"

/* Rows are numbered from 0 in the order of their Morton codes; equal codes are
 * ordered by id. A row of a shape layer has the code of the middle of its box.
 * Header and directories are checked when a segment is opened, every other
 * block when it is first touched (that is why the getters take a range of rows
 * and return a status), everything by om_segment_verify.
 * threads: all functions that take a const segment may run at once. */
struct om_segment;

/** Rows that share one minimum and maximum of each numeric column. */
#define OM_BLOCK_ROWS 4096
/** Rows between two entries of a cumulative sum. */
#define OM_SUM_ROWS 64
/** In no unit, where a number of a unit stands. */
#define OM_NO_UNIT UINT32_MAX

enum om_coding {
    OM_CODING_INTEGER,     // value = base + stored; INTEGER, TIME, BOOLEAN
    OM_CODING_REAL,        // stored double
    OM_CODING_DICTIONARY,  // stored = code; dictionary sorted bytewise, so
                           // that codes compare as their texts do
    OM_CODING_NUMBERED,    // text = prefix + decimal number padded with zeros
                           // to `digits`; value of the number = base + stored
    OM_CODING_BLOCKS,      // compressed text, read through om_segment_text
};

/* A column as it lies in the file. data is [rows] of `width` bytes, unsigned
 * little-endian numbers, except width 8 with OM_CODING_INTEGER (signed, base
 * 0) and OM_CODING_REAL (double). Where valid says NULL, stored is 0. */
struct om_column {
    struct om_field field;
    enum om_coding coding;
    unsigned width;  // bytes: 1, 2, 4, 8; 0 for OM_CODING_BLOCKS
    int64_t base;
    const void *data;
    const uint64_t *valid;  // bit a row, set where there is a value; NULL: all
    uint64_t nulls;
    // Smallest and largest value of each OM_BLOCK_ROWS rows, NULLs left out
    // (min > max where all are NULL). INTEGER: the value; DICTIONARY: the
    // code; NUMBERED: the number. Reals have real_min, real_max instead.
    const int64_t *block_min, *block_max;
    const double *real_min, *real_max;
    // Sum of the values before row i * OM_SUM_ROWS; INTEGER coding except
    // TIME, else NULL. [rows / OM_SUM_ROWS + 2], the last is the total.
    const int64_t *sum;
    // DICTIONARY
    size_t words;                 // entries
    const uint32_t *word_offset;  // [words + 1] into word_bytes
    const char *word_bytes;
    // NUMBERED
    char prefix[OM_LIMIT_NAME_BYTES];
    unsigned digits;
};

/* Non-empty cells of one level of the quadtree, in Morton order: code is the
 * top 2 * level bits, shifted down; rows of cell i are [start[i], start[i +
 * 1]); mean_x and mean_y are the mean position of its rows inside it, in
 * 1/65536 of its side from west and north. */
struct om_cells {
    unsigned level;
    size_t count;
    const uint64_t *code;
    const uint32_t *start;  // [count + 1]
    const uint16_t *mean_x, *mean_y;
};

/* Integer rings of a shape layer, ragged as in batch.h; vertices are rounded
 * positions, no ring repeats its first. box[i] is the box of shape i. */
struct om_rings {
    size_t count;
    const uint32_t *shape_part, *part_ring, *ring_vertex;
    const struct om_pos *vertex;
    const struct om_box *box;
};

/* Remembers the last text block read. Zero is valid; one per thread. */
struct om_text_reader {
    uint64_t serial;  // of the segment that the block is of; 0: none
    size_t column, block;
    char *bytes;  // owned
    size_t room;
    uint32_t *offset;                       // owned
    char number[OM_LIMIT_NAME_BYTES + 24];  // the last numbered text
};

/**
 * Open a segment and, if `units_path` is not NULL, the unit columns that lie
 * beside it; their columns follow the segment's own.
 *
 * returns  OM_E_NOTFOUND, OM_E_IO, OM_E_MEMORY
 *          OM_E_VERSION   another version or byte order
 *          OM_E_DAMAGED   header or directory do not agree with checksums
 *          or with each other; err names file and section
 * owns     *out is counted: om_segment_unref
 * cost     independent of the number of rows
 */
om_status om_segment_open(const char *path, const char *units_path,
                          struct om_segment **out,
                          struct om_err *err) OM_MUST_USE;
struct om_segment *om_segment_ref(struct om_segment *segment);
void om_segment_unref(struct om_segment *segment);

/** A number that no two segments of this process share; cache keys use it. */
uint64_t om_segment_serial(const struct om_segment *segment);
/** The file of which a block was found to be other than what was written, by
 *  whoever read it since it was opened; NULL: none was. Calls that need such a
 *  block return OM_E_DAMAGED, all others go on. */
const char *om_segment_damage(const struct om_segment *segment);
size_t om_segment_rows(const struct om_segment *segment);
/** Schema, unit columns included. Borrowed. */
const struct om_schema *om_segment_schema(const struct om_segment *segment);
/** Box of all rows; for shapes of all their boxes. */
struct om_box om_segment_box(const struct om_segment *segment);
/** Is it one of rows in memory (engine/live/run.h), not of a file? */
bool om_segment_in_memory(const struct om_segment *segment);
/** Bytes of its files. */
uint64_t om_segment_bytes(const struct om_segment *segment);

/** Morton codes; out is indexed by row, only [from, to) is checked. */
om_status om_segment_keys(const struct om_segment *segment, size_t from,
                          size_t to, const uint64_t **out) OM_MUST_USE;
/** Rows of the codes in [code, code_end) as [*from, *to); code_end 0 means
 *  beyond the last code. cost: two loads or a short search each. */
om_status om_segment_range(const struct om_segment *segment, uint64_t code,
                           uint64_t code_end, size_t *from,
                           size_t *to) OM_MUST_USE;
/** A column, its rows [from, to) checked. Borrowed. */
om_status om_segment_column(const struct om_segment *segment, size_t column,
                            size_t from, size_t to,
                            const struct om_column **out) OM_MUST_USE;
/** Text of any TEXT or CATEGORY column; *text NULL for NULL. Borrowed until
 *  the next call with the same reader; not NUL-terminated. */
om_status om_segment_text(const struct om_segment *segment, size_t column,
                          size_t row, struct om_text_reader *reader,
                          const char **text, size_t *len) OM_MUST_USE;
void om_text_reader_deinit(struct om_text_reader *reader);
/** Row of an id. returns OM_E_NOTFOUND. cost: one bucket, one block. */
om_status om_segment_find(const struct om_segment *segment, const char *id,
                          size_t len, struct om_text_reader *reader,
                          size_t *row) OM_MUST_USE;
/** Stored levels of cells (points only), coarse first; count 0 past the end.
 *  All of a level is checked when it is first asked for. */
size_t om_segment_cell_levels(const struct om_segment *segment);
om_status om_segment_cells(const struct om_segment *segment, size_t i,
                           struct om_cells *out) OM_MUST_USE;
/** Rings of shapes [from, to). OM_E_TYPE on a point layer. */
om_status om_segment_rings(const struct om_segment *segment, size_t from,
                           size_t to, struct om_rings *out) OM_MUST_USE;

/* What om_segment_verify recomputed; `bad` counts what did not agree. */
struct om_verify {
    uint64_t blocks, bad_blocks;  // checksummed blocks
    uint64_t rows, bad_order;     // rows out of order or with two equal ids
    uint64_t bad_sums;            // cumulative sums, minima, maxima
    uint64_t bad_cells;           // cells and ranges that columns contradict
    uint64_t bad_ids;             // ids that the lookup does not find
};
/** Check every byte and every derived figure against the columns. Stops at
 *  nothing; err holds the first fault, returns OM_E_DAMAGED if any. */
om_status om_segment_verify(const struct om_segment *segment,
                            struct om_verify *out,
                            struct om_err *err) OM_MUST_USE;

/** Ask the kernel to drop or prefetch the mapped pages (benchmarks). */
void om_segment_drop_pages(const struct om_segment *segment);

/** Value of a numeric column (INTEGER coding or codes) at `row`, unchecked:
 *  touch the rows with om_segment_column first. */
static inline uint64_t om_column_stored(const struct om_column *c, size_t row)
{
    switch (c->width) {
        case 1:
            return ((const uint8_t *)c->data)[row];
        case 2:
            return ((const uint16_t *)c->data)[row];
        case 4:
            return ((const uint32_t *)c->data)[row];
        default:
            return ((const uint64_t *)c->data)[row];
    }
}
static inline int64_t om_column_integer(const struct om_column *c, size_t row)
{
    return c->base + (int64_t)om_column_stored(c, row);
}
static inline bool om_column_valid(const struct om_column *c, size_t row)
{
    return !c->valid || (c->valid[row / 64] >> (row % 64) & 1);
}

#endif
