// sample.h - some rows of a layer, the same ones whatever parts they lie in.
#ifndef OM_ENGINE_QUERY_SAMPLE_H
#define OM_ENGINE_QUERY_SAMPLE_H

#include "engine/snapshot.h"

/* Which rows: those that live in one of `every` cells of level 18, drawn by the
 * cell's number. `every` is a power of two. */
struct om_sample {
    uint64_t every, rows;
};

/**
 * Choose about `most` of a layer's living rows: all of them if there are no
 * more, else at least a quarter of as many; where rows stand close together it
 * may be a multiple. What is chosen follows from where rows lie and how many
 * they are, not from how a layer is divided or what has died in it, and is the
 * same until they become some twice as many.
 *
 * returns  OM_E_DAMAGED
 * cost     a search for every cell that has rows
 * test     tests/engine/test_sample.c
 */
om_status om_sample_init(const struct om_layer *layer, uint64_t most,
                         struct om_sample *out) OM_MUST_USE;
/** Visit the rows, part by part. returns what `each` returned, OM_E_DAMAGED */
om_status om_sample_each(const struct om_layer *layer,
                         const struct om_sample *sample,
                         om_status (*each)(void *ctx, size_t part, size_t row),
                         void *ctx) OM_MUST_USE;

#endif
