// batch.h - rows in flight: from a source into a layer, column by column.
#ifndef OM_DATA_MODEL_BATCH_H
#define OM_DATA_MODEL_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/arena.h"
#include "data/model/pos.h"
#include "data/model/schema.h"

/* One column. Which array is set follows from the field's type:
 *   INTEGER, TIME, BOOLEAN (0 or 1)   integer [rows]
 *   REAL                              real [rows]
 *   TEXT, CATEGORY                    offset [rows + 1] into bytes; UTF-8
 * valid has one bit a row (bit i % 64 of word i / 64), set where there is a
 * value; NULL pointer: every row has one. Where there is none, the number is
 * 0 and the text empty. */
struct om_batch_column {
    const uint64_t *valid;
    const int64_t *integer;
    const double *real;
    const uint32_t *offset;
    const char *bytes;
};

/* Lines and polygons, ragged: shape i has parts [shape_part[i],
 * shape_part[i+1]), a part has rings (a polygon's first is its outer one, the
 * rest holes; a line has one), a ring has vertices. x, y in cells of the grid
 * of pos.h, not yet rounded: edges that two shapes share must be noded before
 * they are snapped. Rings of polygons repeat no first vertex. */
struct om_shapes {
    size_t count;
    const uint32_t *shape_part;   // [count + 1]
    const uint32_t *part_ring;    // [parts + 1]
    const uint32_t *ring_vertex;  // [rings + 1]
    const double *x, *y;          // [vertices]
};

struct om_batch {
    size_t rows;                 // at most OM_LIMIT_BATCH_ROWS
    const uint64_t *source_row;  // [rows] number in the source, from 1
    const struct om_pos *pos;    // [rows] of points, else NULL
    struct om_shapes shapes;     // of lines and polygons
    const struct om_batch_column *column;  // [schema's count]
    struct om_arena arena;                 // holds all of the above
};

static inline bool om_bit(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}
static inline void om_bit_set(uint64_t *bits, size_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

#endif
