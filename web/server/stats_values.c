// stats_values.c - counts by a column whose values tell of rows.
#include "web/server/stats_values.h"

#include <stdio.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/filter/filter.h"
#include "engine/policy/role.h"
#include "engine/policy/values.h"
#include "web/server/guard.h"
#include "web/server/params.h"
#include "web/server/rights.h"

/* Rows that are looked at before all are passed over. */
#define EARLY_ROWS 16384
/* Slots of distinct values: twice as many as may be told of, and more. */
#define SLOTS 4096

/* groups: how many, 0: nobody has counted */
static om_status too_many(struct om__request *r, size_t groups)
{
    char values[64];
    if (groups)
        snprintf(values, sizeof values, "%zu", groups);
    else
        snprintf(values, sizeof values, "more than %d", OM__LOOK_ROWS);
    r->told_rows = OM__LOOK_ROWS + 1;  // asked for: the audit notes it
    return om__param_bad(r, "by", OM_E_COST,
                         "by %.64s tells of %s values, as a list of rows does; "
                         "who may not take rows away is told of %d at once: "
                         "fewer by filter, bbox or datetime",
                         om__param_text(r, "by"), values, OM__LOOK_ROWS);
}

/* ---- before it is counted ---- */

struct looking {
    const struct om_layer *layer;
    size_t by, count;
    struct om_text_reader reader;
    om_status status;
    uint64_t slot[SLOTS];  // hashes of values; 0: none
};

static om_status hash_value(struct looking *l, const struct om_hit *hit,
                            uint64_t *out)
{
    const struct om_segment *segment = l->layer->part[hit->part].segment;
    const enum om_type type = l->layer->schema.field[l->by].type;
    const struct om_column *column;
    const char *text = NULL;
    size_t len = 0;
    *out = 1;
    if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY) {
        OM_TRY(
            om_segment_text(segment, l->by, hit->row, &l->reader, &text, &len));
        if (text) *out = om_hash64(text, len, 0) | 2;
        return OM_OK;
    }
    OM_TRY(om_segment_column(segment, l->by, hit->row, hit->row + 1, &column));
    if (!om_column_valid(column, hit->row)) return OM_OK;
    const void *value =
        type == OM_TYPE_REAL
            ? (const void *)((const double *)column->data + hit->row)
            : NULL;
    const int64_t whole = value ? 0 : om_column_integer(column, hit->row);
    *out = om_hash64(value ? value : &whole, sizeof whole, 0) | 2;
    return OM_OK;
}

static bool look(void *ctx, const struct om_hit *hit)
{
    struct looking *l = ctx;
    uint64_t hash;
    l->status = hash_value(l, hit, &hash);
    if (l->status) return false;
    size_t at = hash % SLOTS;
    while (l->slot[at] && l->slot[at] != hash) at = (at + 1) % SLOTS;
    l->count += !l->slot[at];
    l->slot[at] = hash;
    return l->count <= OM__LOOK_ROWS;
}

om_status om__stats_values_early(struct om__request *r,
                                 const struct om_query *query, size_t by,
                                 enum om_step step)
{
    bool lists = false;
    if (by == OM_NO_FIELD || step != OM_STEP_NONE || r->who->role->export)
        return OM_OK;
    OM_TRY(om_column_lists(r->layer, by, &lists));
    if (!lists) return OM_OK;
    struct looking *l = om_calloc(1, sizeof *l);
    if (!l) return OM_E_MEMORY;
    l->layer = r->layer;
    l->by = by;
    struct om_query first = *query;
    first.limit = EARLY_ROWS;
    om_status st = om_query_each(&first, look, l);
    if (!st) st = l->status;
    const bool many = l->count > OM__LOOK_ROWS;
    om_text_reader_deinit(&l->reader);
    om_free(l);
    return st ? st : many ? too_many(r, 0) : OM_OK;
}

/* ---- what is told ---- */

/* Are rows chosen by what tells them apart? */
static om_status is_chosen(struct om__request *r, const struct om_query *query,
                           bool *out)
{
    const char *const *name = NULL;
    const struct om_layer *layer = r->layer;
    *out = query->place.kind != OM_PLACE_ALL;
    if (!query->filter) return OM_OK;
    *out = *out || om_filter_uses_geometry(query->filter);
    const size_t names = om_filter_columns(query->filter, &name);
    for (size_t i = 0; i < names && !*out; i++) {
        const size_t column = om_schema_find(&layer->schema, name[i]);
        if (column != OM_NO_FIELD) OM_TRY(om_column_lists(layer, column, out));
    }
    return OM_OK;
}

om_status om__stats_few_tell(struct om__request *r,
                             const struct om_query *query)
{
    bool chosen = false;
    uint64_t count = 0;
    if (om__crowds_only(r, r->layer)) return OM_OK;
    OM_TRY(is_chosen(r, query, &chosen));
    if (!chosen) return OM_OK;
    OM_TRY(om_query_count(query, &count));
    if (count < OM_CROWD && count > r->told_rows) r->told_rows = count;
    return OM_OK;
}

om_status om__stats_values_tell(struct om__request *r, size_t by,
                                enum om_step step, size_t groups)
{
    bool lists = false;
    r->told_rows = 0;
    if (step != OM_STEP_NONE) return OM_OK;
    OM_TRY(om_column_lists(r->layer, by, &lists));
    if (!lists) return OM_OK;
    r->told_rows = groups;
    if (r->who->role->export || groups <= OM__LOOK_ROWS) return OM_OK;
    return too_many(r, groups);
}
