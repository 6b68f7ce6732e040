// small.c - counts of persons by unit, from the coarsest level down.
#include "web/small.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/small.h"

void om_small_units_deinit(struct om_small_units *small)
{
    om_free(small->count);
    om_free(small->hidden);
    om_units_deinit(&small->units);
    *small = (struct om_small_units){0};
}

bool om_small_units_hide(const struct om_small_units *small, const char *id,
                         size_t len)
{
    if (!id) return small->nowhere_hidden;
    const size_t unit = om_units_find(&small->units, id, len);
    return unit == SIZE_MAX || small->hidden[unit];
}

static om_status count_rows(const struct om_query *query,
                            struct om_small_units *out)
{
    struct om_groups groups;
    const size_t by = om_layer_unit_field(query->layer, out->units.level);
    if (by == OM_NO_FIELD) return OM_E_NOTFOUND;
    OM_TRY(om_query_group(query, by, OM_STEP_NONE, 0, OM_NO_FIELD, &groups));
    for (size_t i = 0; i < groups.count; i++) {
        const struct om_group *g = &groups.group[i];
        const size_t unit =
            g->null ? SIZE_MAX : om_units_find(&out->units, g->id, g->len);
        if (unit != SIZE_MAX)
            out->count[unit] = g->count;
        else
            out->nowhere += g->count;
    }
    om_groups_deinit(&groups);
    return OM_OK;
}

/* What of each larger unit lies in none of this level's: whoever knows the
 * others knows it, so it counts as one more of them. */
static void add_rests(const struct om_small_units *above,
                      const struct om_small_units *own, uint64_t *count,
                      uint32_t *of)
{
    const size_t n = own->units.count, families = above->units.count;
    for (size_t f = 0; f < families; f++) {
        count[n + f] = above->count[f];
        of[n + f] = (uint32_t)f;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t *rest = of[i] < families ? &count[n + of[i]] : NULL;
        if (rest) *rest -= count[i] < *rest ? count[i] : *rest;
    }
}

/* A level under the one above. */
static om_status hide_level(const struct om_small_units *above, uint64_t least,
                            struct om_small_units *out)
{
    const size_t n = out->units.count, all = n + above->units.count;
    uint64_t *count = om_calloc(all + 1, sizeof *count);
    uint32_t *of = om_calloc(all + 1, sizeof *of);
    bool *hidden = om_calloc(all + 1, sizeof *hidden);
    om_status st = count && of && hidden ? OM_OK : OM_E_MEMORY;
    if (!st) st = om_units_parents(&out->units, &above->units, of);
    if (!st) {
        memcpy(count, out->count, n * sizeof *count);
        add_rests(above, out, count, of);
        om_small_hide_level(count, of, all, above->hidden, above->units.count,
                            least, hidden);
        memcpy(out->hidden, hidden, n * sizeof *hidden);
        out->nowhere_hidden = true;
    }
    om_free(count);
    om_free(of);
    om_free(hidden);
    return st;
}

/* One level under the one above (NULL: the city). */
static om_status make_level(const struct om_query *query, const char *level,
                            uint64_t least, const struct om_small_units *above,
                            struct om_small_units *out, struct om_err *err)
{
    OM_TRY(om_units_read(query->snapshot, level, &out->units, err));
    const size_t n = out->units.count;
    // One more than units, for those that lie in none.
    out->count = om_calloc(n + 1, sizeof *out->count);
    out->hidden = om_calloc(n + 1, sizeof *out->hidden);
    if (!out->count || !out->hidden) return OM_E_MEMORY;
    OM_TRY(count_rows(query, out));
    if (above) return hide_level(above, least, out);
    out->count[n] = out->nowhere;
    om_small_hide(out->count, n + 1, least, out->hidden);
    out->nowhere_hidden = out->hidden[n];
    return OM_OK;
}

om_status om_small_units_make(const struct om_query *query, const char *level,
                              uint64_t least, struct om_small_units *out,
                              struct om_err *err)
{
    const struct om_manifest *city = query->snapshot->manifest;
    struct om_small_units above = {0};
    om_status st = OM_E_NOTFOUND;
    *out = (struct om_small_units){0};
    for (size_t l = city->levels; l-- > 0;) {
        struct om_small_units next = {0};
        // A level that the rows do not lie in is told of by nobody.
        if (om_layer_unit_field(query->layer, city->level[l]) == OM_NO_FIELD)
            continue;
        st = make_level(query, city->level[l], least,
                        above.units.count ? &above : NULL, &next, err);
        om_small_units_deinit(&above);
        above = next;
        if (st || !strcmp(city->level[l], level)) break;
        st = OM_E_NOTFOUND;
    }
    if (st)
        om_small_units_deinit(&above);
    else
        *out = above;
    return st;
}

size_t om_small_weight(const struct om_layer *layer, const char *name,
                       bool *veiled)
{
    const struct om_schema *s = &layer->schema;
    *veiled = false;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->field[i].name, name) != 0) continue;
        *veiled = layer->rights.veiled[i];
        return !*veiled || layer->rights.counted_column[i] ? i : OM_NO_FIELD;
    }
    return OM_NO_FIELD;
}

om_status om_small_makers(const struct om_query *query, size_t sum,
                          struct om_filter **filter, struct om_query *out)
{
    char text[2 * OM_LIMIT_NAME_BYTES + 16];
    const struct om_layer *open = om_layer_open(query->layer);
    const struct om_field *field = &open->schema.field[sum];
    const char *zero = field->type == OM_TYPE_BOOLEAN ? "= true" : "<> 0";
    snprintf(text, sizeof text, "\"%s\" %s", field->name, zero);
    *out = *query;
    out->layer = open;
    OM_TRY(om_filter_parse(text, strlen(text), open, 0, filter, NULL));
    out->filter = *filter;
    return OM_OK;
}
