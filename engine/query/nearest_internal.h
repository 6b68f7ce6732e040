// nearest_internal.h - the best K so far, worst on top.
#ifndef OM_ENGINE_QUERY_NEAREST_INTERNAL_H
#define OM_ENGINE_QUERY_NEAREST_INTERNAL_H

#include "engine/query/nearest.h"

/* A heap of hits whose top is the one to give way next. Ties are settled by
 * id, so ids are read, but only for equal distances. */
struct om__best {
    const struct om_layer *layer;
    size_t id_field;
    struct om_hit *hit;  // [want]
    size_t want, count;
    struct om_text_reader reader[2];
    om_status status;  // of reading ids; sticks
};
/** The largest distance that can still get in. */
double om__best_limit_m(const struct om__best *best);
/** Offer a hit. */
void om__best_offer(struct om__best *best, struct om_hit hit);
/** Sort by distance, then id; the heap is used up. */
void om__best_sort(struct om__best *best);

/** Search one part of points, or of shapes (nearest_shape.c). */
om_status om__nearest_shapes(const struct om_place *place,
                             const struct om__chosen *chosen,
                             const struct om_segment *segment, size_t part,
                             struct om__best *best) OM_MUST_USE;

#endif
