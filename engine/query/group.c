// group.c - grouped counts: each part on its own, then put together by name.
#include <stdlib.h>
#include <string.h>

#include "engine/query/group_internal.h"

static int by_name(const void *a, const void *b)
{
    const struct om__named *p = a, *q = b;
    if (p->null != q->null) return p->null ? 1 : -1;
    const size_t shared = p->len < q->len ? p->len : q->len;
    const int order = shared ? memcmp(p->id, q->id, shared) : 0;
    return order ? order : (p->len > q->len) - (p->len < q->len);
}

/* Sort the list and put groups of one name together. */
static void unite(struct om__named_list *list)
{
    if (!list->count) return;
    qsort(list->item, list->count, sizeof *list->item, by_name);
    size_t kept = 0;
    for (size_t i = 1; i < list->count; i++) {
        if (by_name(&list->item[kept], &list->item[i]))
            list->item[++kept] = list->item[i];
        else
            om__cell_merge(&list->item[kept].cell, &list->item[i].cell);
    }
    list->count = kept + 1;
}

static om_status hand_over(struct om__named_list *list, struct om_groups *out)
{
    if (list->count > OM_LIMIT_GROUPS) return OM_E_COST;
    struct om_group *group =
        om_arena_calloc(&list->arena, list->count + 1, sizeof *group);
    if (!group) return OM_E_MEMORY;
    for (size_t i = 0; i < list->count; i++) {
        const struct om__named *n = &list->item[i];
        group[i] = (struct om_group){.id = n->id,
                                     .len = n->len,
                                     .null = n->null,
                                     .count = n->cell.count,
                                     .sum = n->cell.sum,
                                     .real_sum = om__real_get(&n->cell.real)};
    }
    *out = (struct om_groups){list->count, group, list->arena};
    list->arena = (struct om_arena){0};
    return OM_OK;
}

/* Which column, and may it be grouped and summed so? */
static om_status check(const struct om_schema *schema, size_t *by_column,
                       enum om_step step, size_t sum_column)
{
    if (step != OM_STEP_NONE && *by_column == OM_NO_FIELD)
        *by_column = schema->time_field;
    if (*by_column >= schema->count) return OM_E_NOTFOUND;
    const enum om_type by = schema->field[*by_column].type;
    if (by == OM_TYPE_REAL) return OM_E_TYPE;
    if (step != OM_STEP_NONE && by != OM_TYPE_TIME) return OM_E_TYPE;
    if (sum_column == OM_NO_FIELD) return OM_OK;
    if (sum_column >= schema->count) return OM_E_NOTFOUND;
    const enum om_type of = schema->field[sum_column].type;
    return of == OM_TYPE_INTEGER || of == OM_TYPE_REAL || of == OM_TYPE_BOOLEAN
               ? OM_OK
               : OM_E_TYPE;
}

/* Rows in memory were not given the units of a level that is withheld. */
static bool rows_without_units(const struct om_query *query, size_t by_column)
{
    const struct om_layer *layer = query->layer;
    bool any = false;
    if (!query->snapshot ||
        om_snapshot_lacks(query->snapshot, layer->schema.field[by_column].name,
                          NULL) != OM_E_WITHHELD)
        return false;
    for (size_t p = 0; p < layer->parts && !any; p++)
        any = om_segment_in_memory(layer->part[p].segment);
    return any;
}

/* Units that no part's dictionary has: rows in memory name only those that
 * they lie in, and a layer may have no others. */
static om_status add_units(const struct om_query *query, size_t by_column,
                           struct om__named_list *list)
{
    const struct om_layer *layer = query->layer;
    const struct om_layer *units =
        query->snapshot ? om_snapshot_units(query->snapshot,
                                            layer->schema.field[by_column].name)
                        : NULL;
    if (!units && rows_without_units(query, by_column)) return OM_E_WITHHELD;
    if (!units || units->parts != 1) return OM_OK;
    const struct om_segment *segment = units->part[0].segment;
    const size_t rows = om_segment_rows(segment);
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_column *c;
        OM_TRY(om_segment_column(layer->part[p].segment, by_column, 0, 0, &c));
        if (c->words >= rows) return OM_OK;
    }
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t row = 0; row < rows && !st; row++) {
        const char *id;
        size_t len;
        st = om_segment_text(segment, units->schema.id_field, row, &reader, &id,
                             &len);
        if (!st)
            st = om__named_add(list, id, len, false, &(struct om__cell){0});
    }
    om_text_reader_deinit(&reader);
    return st;
}

om_status om_query_group(const struct om_query *query, size_t by_column,
                         enum om_step step, int32_t zone_s, size_t sum_column,
                         struct om_groups *out)
{
    *out = (struct om_groups){0};
    const struct om_layer *layer = query->layer;
    OM_TRY(check(&layer->schema, &by_column, step, sum_column));
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    struct om__named_list list = {0};
    struct om__grouping g = {
        .ask = &ask,
        .by_column = by_column,
        .sum_column = sum_column,
        .step = step,
        .zone_s = zone_s,
        .every = by_column + layer->unit_columns >= layer->schema.count,
    };
    om_status st = OM_OK;
    for (g.part = 0; g.part < layer->parts && !st; g.part++)
        st = om__group_part(&g, &list);
    if (!st && g.every) st = add_units(query, by_column, &list);
    if (!st) {
        unite(&list);
        st = hand_over(&list, out);
    }
    om__named_deinit(&list);
    om__ask_deinit(&ask);
    return st;
}

void om_groups_deinit(struct om_groups *groups)
{
    om_arena_deinit(&groups->arena);
    *groups = (struct om_groups){0};
}
