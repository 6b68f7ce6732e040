// spans.h - sets of rows of one part, as runs; counted or listed.
#ifndef OM_ENGINE_QUERY_SPANS_H
#define OM_ENGINE_QUERY_SPANS_H

#include "engine/filter/filter.h"

/* Rows [from, to). */
struct om__span {
    uint32_t from, to;
};

/* Sorted, disjoint, not touching. Zero is a valid empty set. */
struct om__spans {
    struct om__span *span;  // owned
    size_t count, room;
};
void om__spans_deinit(struct om__spans *spans);
/** Append rows that lie behind all others; runs that touch are joined. */
om_status om__spans_add(struct om__spans *spans, size_t from,
                        size_t to) OM_MUST_USE;
size_t om__spans_rows(const struct om__spans *spans);

/* Which rows of one part count at all: those a selection took, or all but the
 * dead. Borrows from the selection and the part. */
struct om__chosen {
    const struct om_selection *selection;  // NULL: all but the dead
    size_t part, rows;
    const uint64_t *word;  // the selection's bitmap; NULL: all but the dead
    const uint32_t *dead;
    size_t dead_count;
};
void om__chosen_init(struct om__chosen *chosen,
                     const struct om_selection *selection,
                     const struct om_layer *layer, size_t part);
/** Does every row of the part count? */
static inline bool om__chosen_all(const struct om__chosen *c)
{
    return !c->word && !c->dead_count;
}
/** How many of [from, to) count. */
size_t om__chosen_count(const struct om__chosen *chosen, size_t from,
                        size_t to);
/** Rows 64 * w to 64 * w + 63 as bits; those behind the last row are 0. */
uint64_t om__chosen_word(const struct om__chosen *chosen, size_t w);
/** Those of [from, to) among them that count. */
static inline uint64_t om__chosen_bits(const struct om__chosen *c, size_t w,
                                       size_t from, size_t to)
{
    uint64_t bits = om__chosen_word(c, w);
    if (w * 64 < from) bits &= ~UINT64_C(0) << (from - w * 64);
    if (to < w * 64 + 64) bits &= (UINT64_C(1) << (to - w * 64)) - 1;
    return bits;
}
static inline bool om__chosen_has(const struct om__chosen *c, size_t row)
{
    return om__chosen_word(c, row / 64) >> (row % 64) & 1;
}

/* Where a search puts the rows it finds, in rising order: counted (those that
 * count), or listed as runs (all of them). */
struct om__take {
    const struct om__chosen *chosen;
    struct om__spans *list;  // NULL: count
    uint64_t count;
};
om_status om__take_run(struct om__take *take, size_t from,
                       size_t to) OM_MUST_USE;
/** Rows 64 * w + i for the set bits i. */
om_status om__take_bits(struct om__take *take, size_t w,
                        uint64_t bits) OM_MUST_USE;

#endif
