// group_internal.h - tables that groups are counted in.
#ifndef OM_ENGINE_QUERY_GROUP_INTERNAL_H
#define OM_ENGINE_QUERY_GROUP_INTERNAL_H

#include "engine/query/ask_internal.h"

/* What is known of one group. */
struct om__cell {
    uint64_t count;
    om_wide sum;
    struct om__real_sum real;
};
static inline void om__cell_merge(struct om__cell *to,
                                  const struct om__cell *from)
{
    to->count += from->count;
    to->sum += from->sum;
    om__real_add(&to->real, from->real.sum);
    om__real_add(&to->real, from->real.lost);
}

/* Groups by number: an open table that grows. Zero is a valid empty one. */
struct om__table {
    int64_t *key;           // owned
    struct om__cell *cell;  // owned; count 0: free
    size_t room, count;
};
/** The cell of `key`, made if it is new. returns OM_E_COST beyond
 *  OM_LIMIT_GROUPS. *out is valid until the next call. A new cell counts as
 *  taken once its count is not 0. */
om_status om__table_get(struct om__table *table, int64_t key,
                        struct om__cell **out) OM_MUST_USE;
void om__table_deinit(struct om__table *table);

/* A finished group of one part, named. */
struct om__named {
    const char *id;  // in the arena of the list
    size_t len;
    bool null;
    struct om__cell cell;
};
struct om__named_list {
    struct om__named *item;  // owned
    size_t count, room;
    struct om_arena arena;
};
om_status om__named_add(struct om__named_list *list, const char *id, size_t len,
                        bool null, const struct om__cell *cell) OM_MUST_USE;
void om__named_deinit(struct om__named_list *list);

/* How the rows of one part are grouped. */
struct om__grouping {
    const struct om__ask *ask;
    size_t part, by_column, sum_column;  // OM_NO_FIELD: no sum
    enum om_step step;
    int32_t zone_s;
    bool every;  // list groups without rows too
};
/** Count one part by numbers or codes (group_number.c), or by long texts
 *  (group_text.c), and add its groups to the list. */
om_status om__group_part(const struct om__grouping *g,
                         struct om__named_list *out) OM_MUST_USE;
om_status om__group_texts(const struct om__grouping *g,
                          const struct om__chosen *chosen,
                          const struct om__spans *spans,
                          struct om__named_list *out) OM_MUST_USE;

/** Add one row's value of the summed column (NULL: nothing). */
static inline void om__cell_add(struct om__cell *cell,
                                const struct om_column *of, size_t row)
{
    cell->count++;
    if (!of || !om_column_valid(of, row)) return;
    if (of->coding == OM_CODING_REAL)
        om__real_add(&cell->real, ((const double *)of->data)[row]);
    else
        cell->sum += om_column_integer(of, row);
}

#endif
