// sorted.h - matching rows in the order of columns, a page at a time.
#ifndef OM_ENGINE_QUERY_SORTED_H
#define OM_ENGINE_QUERY_SORTED_H

#include "engine/query/query.h"

/** Rows of one page: what a page keeps in memory. */
#define OM_SORT_ROWS 100000

/* Texts are ordered bytewise, false before true; rows without a value come
 * last, whichever way the order runs. */
struct om_sort_key {
    size_t column;
    bool descending;
};

/**
 * Visit the first `limit` matching rows in the order of `key`, those that
 * equal in all keys in the order of om_query_each. query->after (or behind)
 * goes on behind that row in this order: it need not match itself. Not for
 * NEAREST.
 *
 * returns  OM_E_RANGE   no key or too many, limit 0 or above OM_SORT_ROWS,
 *                       `behind` of another order
 *          OM_E_NOTFOUND a column that is not there
 *          OM_E_MEMORY, OM_E_DAMAGED, OM_E_UNSUPPORTED (NEAREST)
 * cost     one pass over the matching rows, om_sort_cost_s; memory for `limit`
 * test     tests/engine/test_query_sorted.c
 */
om_status om_query_sorted(const struct om_query *query,
                          const struct om_sort_key *key, size_t keys,
                          bool (*each)(void *ctx, const struct om_hit *hit),
                          void *ctx) OM_MUST_USE;
/**
 * Where a row of the layer stands in an order (keys 0: that of om_query_each).
 * owns     texts lie in the arena
 * returns  OM_E_MEMORY, OM_E_DAMAGED
 */
om_status om_query_stand(const struct om_layer *layer, const struct om_hit *hit,
                         const struct om_sort_key *key, size_t keys,
                         struct om_arena *arena,
                         struct om_behind *out) OM_MUST_USE;
/** About how many seconds of one core a page takes when `rows` match. */
double om_sort_cost_s(const struct om_layer *layer,
                      const struct om_sort_key *key, size_t keys,
                      uint64_t rows);

#endif
