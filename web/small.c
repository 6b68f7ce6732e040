// small.c - counts of persons by unit, from the coarsest level down.
#include "web/small.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/doers.h"
#include "engine/policy/small.h"

void om_small_units_deinit(struct om_small_units *small)
{
    om_free(small->count);
    om_free(small->made);
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
                            const struct om_units *units, uint64_t *count,
                            uint64_t *nowhere)
{
    struct om_groups groups;
    const size_t by = om_layer_unit_field(query->layer, units->level);
    if (by == OM_NO_FIELD) return OM_E_NOTFOUND;
    OM_TRY(om_query_group(query, by, OM_STEP_NONE, 0, OM_NO_FIELD, &groups));
    for (size_t i = 0; i < groups.count; i++) {
        const struct om_group *g = &groups.group[i];
        const size_t unit =
            g->null ? SIZE_MAX : om_units_find(units, g->id, g->len);
        if (unit != SIZE_MAX)
            count[unit] = g->count;
        else
            *nowhere += g->count;
    }
    om_groups_deinit(&groups);
    return OM_OK;
}

/* Counts of units, and what of each larger unit lies in none of this level's:
 * whoever knows the others knows it, so it counts as one more of them. */
static uint64_t *with_rests(const uint64_t *own, size_t n, const uint32_t *of,
                            const uint64_t *above, size_t families)
{
    uint64_t *count = om_calloc(n + families + 1, sizeof *count);
    if (!count) return NULL;
    memcpy(count, own, n * sizeof *count);
    memcpy(count + n, above, families * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        uint64_t *rest = of[i] < families ? &count[n + of[i]] : NULL;
        if (rest) *rest -= count[i] < *rest ? count[i] : *rest;
    }
    return count;
}

/* A level under the one above: few rows, or few that make the sum. */
static om_status hide_level(const struct om_small_units *above, uint64_t least,
                            struct om_small_units *out)
{
    const size_t n = out->units.count, families = above->units.count;
    const size_t all = n + families;
    uint32_t *of = om_calloc(all + 1, sizeof *of);
    bool *hidden = om_calloc(all + 1, sizeof *hidden);
    uint64_t *count = NULL, *made = NULL;
    om_status st = of && hidden ? OM_OK : OM_E_MEMORY;
    if (!st) st = om_units_parents(&out->units, &above->units, of);
    if (!st) {
        for (size_t f = 0; f < families; f++) of[n + f] = (uint32_t)f;
        count = with_rests(out->count, n, of, above->count, families);
        if (out->made)
            made = with_rests(out->made, n, of, above->made, families);
        if (!count || (out->made && !made)) st = OM_E_MEMORY;
    }
    if (!st) {
        om_small_hide_level(count, NULL, of, all, above->hidden, families,
                            least, hidden);
        if (made)
            om_small_hide_level(made, count, of, all, above->hidden, families,
                                least, hidden);
        memcpy(out->hidden, hidden, n * sizeof *hidden);
        out->nowhere_hidden = true;
    }
    om_free(made);
    om_free(count);
    om_free(of);
    om_free(hidden);
    return st;
}

/* Who makes what is told: rows of a sum, or persons whose doing rows are. Zero:
 * each row is somebody. */
struct makers {
    const struct om_query *rows;
    const struct om_doers *doers;
};

static om_status count_makers(const struct om_query *query,
                              const struct makers *by,
                              const struct om_units *units, uint64_t *made)
{
    return by->doers ? om_doers_by_unit(by->doers, query->layer, units, made)
                     : count_rows(by->rows, units, made, &made[units->count]);
}

/* Numbers told in steps (engine/policy/steps.h) are rounded, and of each level
 * for itself: none follows from others, and none is that of nobody. */
static om_status hide_unstepped(uint64_t least, struct om_small_units *out)
{
    for (size_t i = 0; i < out->units.count; i++)
        out->hidden[i] = out->count[i] < least;
    out->nowhere_hidden = true;
    return OM_OK;
}

/* One level under the one above (NULL: the city). */
static om_status make_level(const struct om_query *query,
                            const struct makers *by, const char *level,
                            uint64_t least, const struct om_small_units *above,
                            struct om_small_units *out, struct om_err *err)
{
    OM_TRY(om_units_read(query->snapshot, level, &out->units, err));
    const size_t n = out->units.count;
    // One more than units, for those that lie in none.
    out->count = om_calloc(n + 1, sizeof *out->count);
    out->hidden = om_calloc(n + 1, sizeof *out->hidden);
    const bool made = by->rows || by->doers;
    if (made) out->made = om_calloc(n + 1, sizeof *out->made);
    if (!out->count || !out->hidden || (made && !out->made)) return OM_E_MEMORY;
    OM_TRY(count_rows(query, &out->units, out->count, &out->count[n]));
    if (made) OM_TRY(count_makers(query, by, &out->units, out->made));
    if (query->layer->rights.by_level) return hide_unstepped(least, out);
    if (above) return hide_level(above, least, out);
    om_small_hide(out->count, n + 1, least, out->hidden);
    if (made)
        om_small_hide_level(out->made, out->count, NULL, n + 1, NULL, 0, least,
                            out->hidden);
    out->nowhere_hidden = out->hidden[n];
    return OM_OK;
}

static om_status make(const struct om_query *query, const struct makers *by,
                      const char *level, uint64_t least,
                      struct om_small_units *out, struct om_err *err)
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
        st = make_level(query, by, city->level[l], least,
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

om_status om_small_units_make(const struct om_query *query, const char *level,
                              uint64_t least, struct om_small_units *out,
                              struct om_err *err)
{
    struct om_doers doers = {0};
    const bool done = query->layer->rights.doers;
    const struct makers by = {.doers = done ? &doers : NULL};
    *out = (struct om_small_units){0};
    om_status st = done ? om_doers_find(query, &doers) : OM_OK;
    if (!st) st = make(query, &by, level, least, out, err);
    om_doers_deinit(&doers);
    return st;
}

/* The rows that are something to the sum: few of them make a sum that is
 * theirs. */
static om_status make_makers(const struct om_query *query, size_t sum,
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

om_status om_small_sums_make(const struct om_query *query, size_t sum,
                             const char *level, uint64_t least,
                             struct om_small_units *out, struct om_err *err)
{
    struct om_filter *filter = NULL;
    struct om_query makers;
    *out = (struct om_small_units){0};
    om_status st = make_makers(query, sum, &filter, &makers);
    const struct makers by = {.rows = &makers};
    if (!st) st = make(query, &by, level, least, out, err);
    om_filter_free(filter);
    return st;
}

om_status om_small_sum_few(const struct om_query *query, size_t sum,
                           uint64_t count, bool *few)
{
    const uint64_t least = query->layer->rights.smallest_count;
    const bool truths = query->layer->schema.field[sum].type == OM_TYPE_BOOLEAN;
    struct om_filter *filter = NULL;
    struct om_query makers;
    uint64_t made = 0;
    om_status st = make_makers(query, sum, &filter, &makers);
    if (!st) st = om_query_count(&makers, &made);
    om_filter_free(filter);
    *few = count && (made < least || (truths && count - made < least));
    return st;
}

om_status om_small_doers(const struct om_query *query, uint64_t count,
                         uint64_t *out)
{
    struct om_doers doers;
    *out = count;
    if (!query->layer->rights.doers) return OM_OK;
    OM_TRY(om_doers_find(query, &doers));
    *out = doers.count;
    om_doers_deinit(&doers);
    return OM_OK;
}

size_t om_small_weight(const struct om_layer *layer, const char *name,
                       bool *veiled)
{
    const struct om_schema *s = &layer->schema;
    *veiled = false;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->field[i].name, name) != 0) continue;
        *veiled = layer->rights.veiled[i];
        return !*veiled || layer->rights.summed_column[i] ? i : OM_NO_FIELD;
    }
    return OM_NO_FIELD;
}
