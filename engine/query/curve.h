// curve.h - rows of several parts in the order of a layer that is one.
#ifndef OM_ENGINE_QUERY_CURVE_H
#define OM_ENGINE_QUERY_CURVE_H

#include "engine/query/query.h"

/* A row of a layer. */
struct om_row_at {
    uint32_t part, row;
};

/** By part and row, for qsort. */
int om_row_at_compare(const void *a, const void *b);

/**
 * Sort rows of a layer as if all of them were of one part: along the curve,
 * those of one place by id. What is told first is then the same however rows
 * are divided.
 *
 * returns  OM_E_DAMAGED, OM_E_MEMORY
 * cost     nothing for rows of one part that are in order, else O(n log n);
 *          ids are read only where a place has rows of several parts
 * test     tests/tiles/test_live_model.c
 */
om_status om_curve_order(const struct om_layer *layer, struct om_row_at *row,
                         size_t n) OM_MUST_USE;

#endif
