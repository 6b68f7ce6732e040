/* stats_crowds.c - what /stats tells of persons.
 *
 * DESIGN
 * Of a layer about persons, and of columns about persons in others, there are
 * four kinds of question that nobody can choose so that they single somebody
 * out. Any other is refused, as two of them would be subtracted.
 *   by=UNIT            how many are where; of a column that is hidden, with sum
 *   by=COLUMN          how many of each kind of a hidden column there are,
 * where its values are not persons (engine/policy/persons.h) by=, sum=, share=
 * of a layer about persons by columns that city.json names
 *                      ("tells"), in the whole city
 *   filter=COLUMN='X'  the same of one group of them, also by what is summed
 * Of all of them few are not told (engine/policy/small.h): few rows; few rows
 * that make a sum, as the others are nothing to it; few that match a share, or
 * that do not.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/policy/doers.h"
#include "engine/policy/persons.h"
#include "engine/policy/small.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/server/stats_rates.h"
#include "web/small.h"

bool om__crowd_hides(const struct om_layer *layer, size_t column)
{
    return layer->rights.crowds ||
           (column != OM_NO_FIELD && layer->rights.veiled[column]);
}

size_t om__crowd_column(const struct om_layer *layer, const char *name)
{
    const struct om_schema *s = &layer->schema;
    for (size_t i = 0; name && i < s->count; i++)
        if (!strcmp(s->field[i].name, name) &&
            (!layer->rights.veiled[i] || layer->rights.counted_column[i]))
            return i;
    return OM_NO_FIELD;
}

size_t om__crowd_summed(const struct om_layer *layer, const char *name)
{
    const size_t column = om__crowd_column(layer, name);
    const struct om_layer_rights *rights = &layer->rights;
    return column == OM_NO_FIELD || !rights->veiled[column] ||
                   rights->summed_column[column]
               ? column
               : OM_NO_FIELD;
}

static bool is_unit(const struct om_layer *layer, size_t column)
{
    return column != OM_NO_FIELD &&
           column + layer->unit_columns >= layer->schema.count;
}

bool om__crowd_too_fine(const struct om__request *r,
                        const struct om_layer *layer, const char *level)
{
    const char *finest = layer->rights.smallest_cell;
    const struct om_manifest *city = r->snapshot->manifest;
    for (size_t l = 0; finest && l < city->levels; l++) {
        if (!strcmp(city->level[l], finest)) return false;
        if (!strcmp(city->level[l], level)) return true;
    }
    return false;
}

/* ---- what may be asked ---- */

/* Is a name among those of a member of "tells"? */
static bool is_named(const struct om_layer *layer, const char *member,
                     const char *name)
{
    const struct om_json *list = om_json_get(layer->rights.tells, member);
    for (size_t i = 0; i < om_json_count(list); i++)
        if (!strcmp(om_json_text(om_json_at(list, i), ""), name)) return true;
    return false;
}

/* Is it COLUMN = 'VALUE' and nothing else, of a column that may be counted by?
 */
static bool is_one_group(const struct om_layer *layer, const char *filter)
{
    char name[OM_LIMIT_NAME_BYTES];
    const char *at = filter + strspn(filter, " ");
    const bool quoted = *at == '"';
    at += quoted;
    const size_t len = strcspn(at, quoted ? "\"" : " =");
    if (!len || len >= sizeof name) return false;
    snprintf(name, sizeof name, "%.*s", (int)len, at);
    at += len;
    if (quoted && *at++ != '"') return false;
    at += strspn(at, " ");
    if (*at++ != '=') return false;
    at += strspn(at, " ");
    if (*at++ != '\'') return false;
    at += strcspn(at, "'");
    if (*at++ != '\'') return false;
    return !at[strspn(at, " ")] && is_named(layer, "by", name);
}

/* Of a layer about persons, what city.json says besides counts by unit. */
static bool is_counted(struct om__request *r)
{
    const struct om_layer *layer = r->layer;
    const char *by = om__param_text(r, "by"), *sum = om__param_text(r, "sum");
    const char *filter = om__param_text(r, "filter");
    const char *share = om__param_text(r, "share");
    const char *told =
        om_json_text(om_json_get(layer->rights.tells, "share"), NULL);
    if (!layer->rights.tells) return false;
    // Words of other places than one's own would be told of.
    if (layer->rights.area) return false;
    if (filter && !is_one_group(layer, filter)) return false;
    if (share && (!told || strcmp(share, told) != 0)) return false;
    if (sum && !is_named(layer, "sum", sum)) return false;
    if (!by || is_named(layer, "by", by)) return !(by && filter);
    return filter && !sum && !share && is_named(layer, "sum", by);
}

/* Of such a layer: counts by unit, or what is counted. */
static om_status check_layer(struct om__request *r)
{
    static const char *const never[] = {"datetime", "bbox", "within", "near",
                                        "radius",   "per",  "series"};
    static const char *const more[] = {"filter", "share", "sum"};
    const struct om_layer *layer = r->layer;
    const char *by = om__param_text(r, "by");
    const bool unit = is_unit(layer, om__crowd_column(layer, by));
    bool plain = !by || unit;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (om__param_text(r, never[i])) return om__rows_allowed(r, layer);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        plain = plain && !om__param_text(r, more[i]);
    if (!plain && !is_counted(r)) return om__rows_allowed(r, layer);
    if (unit && om__crowd_too_fine(r, layer, by))
        return om__rows_refused(r, "counts by so small a unit");
    return OM_OK;
}

/* Of other layers with columns about persons: kinds in the whole city, or sums
 * over units, and not both at once. */
static om_status check_columns(struct om__request *r, size_t by, size_t sum)
{
    static const char *const singling[] = {"filter", "datetime", "bbox",
                                           "within", "near",     "radius",
                                           "share",  "per",      "series"};
    const struct om_layer *layer = r->layer;
    const bool unit = is_unit(layer, by);
    for (size_t i = 0; i < sizeof singling / sizeof *singling; i++)
        if (om__param_text(r, singling[i]))
            return om__rows_refused(r, "counts so chosen");
    if (by != OM_NO_FIELD && !unit && sum != OM_NO_FIELD)
        return om__rows_refused(r, "sums by such a column");
    if (by != OM_NO_FIELD && !unit && !layer->rights.veiled[by])
        return om__rows_refused(r, "sums by such a column");
    bool singles = false;
    if (by != OM_NO_FIELD && !unit)
        OM_TRY(om_column_singles(r->whole, om_layer_open(layer), by, &singles));
    if (singles) return om__rows_refused(r, "counts of each of them");
    if (unit && om__crowd_too_fine(r, layer, om__param_text(r, "by")))
        return om__rows_refused(r, "counts by so small a unit");
    return OM_OK;
}

om_status om__crowd_check(struct om__request *r)
{
    const struct om_layer *layer = r->layer;
    const size_t by = om__crowd_column(layer, om__param_text(r, "by"));
    const size_t sum = om__crowd_summed(layer, om__param_text(r, "sum"));
    if (layer->rights.crowds) return check_layer(r);
    if (!om__crowd_hides(layer, by) && !om__crowd_hides(layer, sum))
        return OM_OK;
    return check_columns(r, by, sum);
}

void om__crowd_open(struct om__request *r)
{
    const size_t by = om__crowd_column(r->layer, om__param_text(r, "by"));
    const size_t sum = om__crowd_summed(r->layer, om__param_text(r, "sum"));
    if (om__crowd_hides(r->layer, by) || om__crowd_hides(r->layer, sum))
        r->layer = om_layer_open(r->layer);
    if (is_unit(r->layer, by))
        r->layer = om_layer_by(r->snapshot, r->layer, om__param_text(r, "by"));
}

/* ---- what is told ---- */

static om_status hide_units(struct om__request *r, const struct om_query *query,
                            const char *level, size_t sum,
                            const struct om_groups *groups, bool *hidden)
{
    const uint64_t least = query->layer->rights.smallest_count;
    struct om_small_units small = {0};
    if (sum == OM_NO_FIELD)
        OM_TRY(om_small_units_make(query, level, least, &small, &r->err));
    else
        OM_TRY(om_small_sums_make(query, sum, level, least, &small, &r->err));
    for (size_t i = 0; i < groups->count; i++) {
        const struct om_group *g = &groups->group[i];
        hidden[i] = hidden[i] ||
                    om_small_units_hide(&small, g->null ? NULL : g->id, g->len);
    }
    om_small_units_deinit(&small);
    return OM_OK;
}

/* How many of each group match a share; 0 where there is none. */
static void find_hits(const struct om_groups *groups,
                      const struct om_groups *hits, uint64_t *out)
{
    for (size_t i = 0, h = 0; i < groups->count; i++) {
        const struct om_group *g = &groups->group[i];
        out[i] = 0;
        for (; h < hits->count; h++) {
            const struct om_group *m = &hits->group[h];
            const size_t len = g->len < m->len ? g->len : m->len;
            int order = g->null || m->null ? (int)m->null - (int)g->null
                                           : memcmp(m->id, g->id, len);
            if (!order && !g->null)
                order = (m->len > g->len) - (m->len < g->len);
            if (order < 0) continue;
            if (!order) out[i] = m->count;
            break;
        }
    }
}

/* Who is behind each group: rows, or those whose doing they are. */
static om_status count_behind(const struct om_query *query, size_t by,
                              const struct om_groups *groups, uint64_t *out)
{
    for (size_t i = 0; i < groups->count; i++) out[i] = groups->group[i].count;
    return query->layer->rights.doers
               ? om_doers_by_column(query, by, groups, out)
               : OM_OK;
}

/* By a number that everybody can multiply: apart, what matches the share that
 * is told and what does not. */
static om_status hide_valued(struct om__request *r,
                             const struct om_query *query, size_t by,
                             const struct om_groups *groups, uint64_t *count,
                             bool *hidden)
{
    const struct om_layer *layer = query->layer;
    const char *told =
        om_json_text(om_json_get(layer->rights.tells, "share"), NULL);
    struct om_arena *arena = &om__lane(r->server)->arena;
    const size_t n = groups->count;
    double *value = om_arena_calloc(arena, n + 1, sizeof *value);
    uint64_t *hits = om_arena_calloc(arena, n + 1, sizeof *hits);
    uint64_t *part = om_arena_calloc(arena, n + 1, sizeof *part);
    struct om_groups matching = {0};
    struct om_filter *both = NULL;
    if (!value || !hits || !part) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        value[i] = groups->group[i].null ? 0 : atof(groups->group[i].id);
    om_status st = OM_OK;
    if (told) {
        struct om_query q = *query;
        st = om_filter_parse(told, strlen(told), layer, 0, &both, NULL);
        q.filter = both;
        if (!st)
            st =
                om_query_group(&q, by, OM_STEP_NONE, 0, OM_NO_FIELD, &matching);
    }
    if (!st) find_hits(groups, &matching, hits);
    for (int side = 0; side < 2 && !st; side++) {
        for (size_t i = 0; i < n; i++)
            part[i] = (hits[i] > 0) == side ? count[i] : 0;
        om_small_hide_valued(part, value, n, layer->rights.smallest_count,
                             hidden);
    }
    om_groups_deinit(&matching);
    om_filter_free(both);
    return st;
}

static bool is_number(enum om_type type)
{
    return type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
           type == OM_TYPE_BOOLEAN;
}

/* Groups of which few match the share, or nearly all. */
static void hide_shares(const struct om__stats_rates *rates,
                        const struct om_groups *groups, uint64_t least,
                        uint64_t *count, bool *hidden)
{
    find_hits(groups, &rates->hits, count);
    om_small_hide(count, groups->count, least, hidden);
    for (size_t i = 0; i < groups->count; i++)
        count[i] = groups->group[i].count - count[i];
    om_small_hide(count, groups->count, least, hidden);
}

static om_status hide_columns(struct om__request *r,
                              const struct om_query *query, size_t by,
                              const struct om__stats_rates *rates,
                              const struct om_groups *groups, bool *hidden)
{
    const struct om_layer *layer = query->layer;
    const uint64_t least = layer->rights.smallest_count;
    uint64_t *count = om_arena_calloc(&om__lane(r->server)->arena,
                                      groups->count + 1, sizeof *count);
    if (!count) return OM_E_MEMORY;
    OM_TRY(count_behind(query, by, groups, count));
    if (is_number(layer->schema.field[by].type))
        OM_TRY(hide_valued(r, query, by, groups, count, hidden));
    om_small_hide(count, groups->count, least, hidden);
    if (rates->share) hide_shares(rates, groups, least, count, hidden);
    return OM_OK;
}

om_status om__crowd_hide(struct om__request *r, const struct om_query *query,
                         size_t by, size_t sum,
                         const struct om__stats_rates *rates,
                         const struct om_groups *groups, bool *hidden)
{
    const struct om_layer *layer = query->layer;
    if (!is_unit(layer, by))
        return hide_columns(r, query, by, rates, groups, hidden);
    return hide_units(r, query, layer->schema.field[by].name, sum, groups,
                      hidden);
}

static bool is_few(uint64_t count, uint64_t least)
{
    return count && count < least;
}

om_status om__crowd_few(const struct om_query *query, size_t sum,
                        const struct om__stats_rates *rates, uint64_t count,
                        bool *few)
{
    const uint64_t least = query->layer->rights.smallest_count;
    bool few_make = false;
    uint64_t persons;
    OM_TRY(om_small_doers(query, count, &persons));
    // What is told in steps has less than one where it has none.
    const bool steps = query->layer->rights.by_level != NULL;
    *few = is_few(count, least) || is_few(persons, least) ||
           (steps && count < least) ||
           (rates->share && (is_few(rates->hits_all, least) ||
                             is_few(count - rates->hits_all, least)));
    // A sum over what everybody sees is no secret.
    if (sum == OM_NO_FIELD || query->filter) return OM_OK;
    OM_TRY(om_small_sum_few(query, sum, count, &few_make));
    *few = *few || few_make;
    return OM_OK;
}
