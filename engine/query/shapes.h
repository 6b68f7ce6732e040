// shapes.h - shapes of a layer by their boxes: what drawing them needs.
#ifndef OM_ENGINE_QUERY_SHAPES_H
#define OM_ENGINE_QUERY_SHAPES_H

#include "engine/query/query.h"

/* A shape on its way to be drawn; rings->... [row] is its own. */
struct om_shape_hit {
    size_t part, row;
    const struct om_rings *rings;
};

/**
 * Visit the live shapes whose boxes meet `box`, by rising part and row. The
 * shape itself may miss the box. `each` returning anything but OM_OK ends the
 * visit with it.
 *
 * selection  the rows that count; NULL: all that live
 * returns    OM_E_TYPE on a layer of points; what `each` returned; OM_E_DAMAGED
 * cost       a search in a packed tree that is built once a segment
 * threads    any
 * test       tests/engine/test_query_box.c
 */
om_status om_shapes_each(const struct om_layer *layer,
                         const struct om_selection *selection,
                         struct om_box box,
                         om_status (*each)(void *ctx,
                                           const struct om_shape_hit *hit),
                         void *ctx) OM_MUST_USE;
/** The same in one part. */
om_status om_shapes_each_of(const struct om_layer *layer, size_t part,
                            const struct om_selection *selection,
                            struct om_box box,
                            om_status (*each)(void *ctx,
                                              const struct om_shape_hit *hit),
                            void *ctx) OM_MUST_USE;

#endif
