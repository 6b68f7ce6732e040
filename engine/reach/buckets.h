// buckets.h - straight stretches by the squares of the map they pass through.
#ifndef OM_ENGINE_REACH_BUCKETS_H
#define OM_ENGINE_REACH_BUCKETS_H

#include "data/base/status.h"
#include "data/model/pos.h"

struct om__stretch {
    struct om_pos a, b;
};

/* Squares of 2^shift cells over the box of all stretches; those that pass
 * through square i are item[start[i]] to item[start[i + 1]], ascending. */
struct om__buckets {
    unsigned shift;
    uint32_t col0, row0, cols, rows;  // in squares; 0 columns: empty
    uint32_t *start;                  // [cols * rows + 1]
    uint32_t *item;
};

/** Squares of 2^shift cells, or larger ones where that would be many times
 *  more squares than stretches. owns: om__buckets_deinit */
om_status om__buckets_make(const struct om__stretch *stretch, size_t count,
                           unsigned shift, struct om__buckets *out) OM_MUST_USE;
void om__buckets_deinit(struct om__buckets *buckets);

/* Squares that a box meets, clipped to those there are; col > col_end: none. */
struct om__squares {
    int64_t col, col_end, row, row_end;  // half open
};
static inline struct om__squares om__squares_of(const struct om__buckets *b,
                                                struct om_box box)
{
    struct om__squares s = {(int64_t)(box.x0 >> b->shift) - b->col0,
                            (int64_t)(box.x1 >> b->shift) - b->col0 + 1,
                            (int64_t)(box.y0 >> b->shift) - b->row0,
                            (int64_t)(box.y1 >> b->shift) - b->row0 + 1};
    if (s.col < 0) s.col = 0;
    if (s.row < 0) s.row = 0;
    if (s.col_end > b->cols) s.col_end = b->cols;
    if (s.row_end > b->rows) s.row_end = b->rows;
    return s;
}

#endif
