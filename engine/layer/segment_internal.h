// segment_internal.h - the parts of an open segment and its meta section.
#ifndef OM_ENGINE_LAYER_SEGMENT_INTERNAL_H
#define OM_ENGINE_LAYER_SEGMENT_INTERNAL_H

#include "engine/layer/directory_internal.h"
#include "engine/layer/file_internal.h"
#include "engine/layer/segment.h"

/** Rows of one compressed block of text: one read costs some microseconds,
 *  and zstd finds enough repetition. */
#define OM__TEXT_ROWS 128
/** Most digits of a numbered text: they fit 64 bits with room to spare. */
#define OM__NUMBER_DIGITS 18
/** Stored levels of cells. */
#define OM__LEVELS 8
/** No time field, in the file. */
#define OM__NO_FIELD UINT32_MAX

/* The meta section: this, then the columns, then the runs of the directory. */
struct om__meta {
    uint64_t rows;
    struct om_box box;
    uint32_t geometry;
    uint32_t columns;
    uint32_t id_field, time_field;
    uint64_t segment;  // unit files: header_check of the segment's file
    uint64_t entries;  // of the directory's table
    uint32_t runs;
    uint32_t levels;
    uint32_t level[OM__LEVELS];
};
struct om__meta_column {
    char name[OM_LIMIT_NAME_BYTES];
    char prefix[OM_LIMIT_NAME_BYTES];
    uint32_t type, coding;
    uint32_t width, digits;
    int64_t base;
    uint64_t nulls;
    uint64_t words;
};

/* A column and the sections it lies in. */
struct om__part {
    struct om_column column;
    const struct om__file *file;
    struct om__view data, valid, block_min, block_max, sum;
    struct om__view word_offset, word_bytes;
    struct om__view text_offset, text_bytes;
};

struct om__level {
    struct om_cells cells;
    struct om__view code, start, mean_x, mean_y;
};

struct om_segment {
    _Atomic size_t refs;
    uint64_t serial;
    char *path, *units_path;
    struct om__file file, units;  // units.header NULL: none
    struct om_schema schema;
    size_t own_columns;  // the rest are unit columns
    size_t rows;
    struct om_box box;
    struct om__part *part;  // [schema.count]
    struct om__view keys;
    struct om__directory directory;  // its table is in the view below
    struct om__view table;
    struct om__view id_bucket, id_mark, id_row;
    unsigned id_bits;  // 1 << id_bits buckets
    size_t levels;
    struct om__level level[OM__LEVELS];
    struct om__view shape_part, part_ring, ring_vertex, vertex, box_of;
    struct om_rings rings;
};

/** A segment of a file that is open already, such as one in memory. Takes
 *  `file`, also on an error. */
om_status om__segment_take(struct om__file *file, struct om_segment **out,
                           struct om_err *err) OM_MUST_USE;
/** Unit columns for a segment that has none and that nobody else knows yet.
 *  Takes `units`, also on an error. */
om_status om__segment_take_units(struct om_segment *segment,
                                 struct om__file *units,
                                 struct om_err *err) OM_MUST_USE;

/** Hash of an id: the upper `bits` are its bucket, the next 16 its mark. */
uint64_t om__id_hash(const char *id, size_t len);
/** Bits of the bucket's number for so many rows. */
unsigned om__id_bits(size_t rows);
static inline size_t om__id_bucket(uint64_t hash, unsigned bits)
{
    return bits ? (size_t)(hash >> (64 - bits)) : 0;
}
static inline uint16_t om__id_mark(uint64_t hash, unsigned bits)
{
    return (uint16_t)(hash << bits >> 48);
}

/** Bytes that hold a number from 0 to `largest`: 1, 2, 4 or 8. */
static inline unsigned om__width_for(uint64_t largest)
{
    return largest <= UINT8_MAX    ? 1
           : largest <= UINT16_MAX ? 2
           : largest <= UINT32_MAX ? 4
                                   : 8;
}

/** Open the columns of a file into `part` and `field`; checks the meta
 *  section against the sections. */
om_status om__columns_open(const struct om__file *file, size_t rows,
                           const struct om__meta_column *meta, size_t count,
                           struct om__part *part,
                           struct om_field *field) OM_MUST_USE;
/** The meta section, touched, its counts checked against its length. */
om_status om__meta_get(const struct om__file *file,
                       const struct om__meta **meta,
                       const struct om__meta_column **column,
                       const struct om__run **run) OM_MUST_USE;

#endif
