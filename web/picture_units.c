/* picture_units.c - one number for each unit: counts, sums, rates.
 *
 * DESIGN
 * Breaks between classes are made from the question without filter and time
 * and scaled by the share of all that is left, so that months can be compared
 * by colour, as the legends of heat maps are (tiles/heat.h). Where two are
 * compared they are made from the numbers of both, and either side has them.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/crowds.h"
#include "web/picture_internal.h"
#include "web/small.h"

/* Who is asked for numbers. */
struct asking {
    const struct om_picture_bound *bound;
    const struct om_snapshot *snapshot;
    const struct om_level *level;
    struct om_selections *cache;
    struct om_err *err;
};

/* Of persons few are not told: they are unknown. Of a sum (column) neither are
 * those that few rows make, as in /stats. */
static om_status hide_few(const struct asking *a, const struct om_query *query,
                          size_t column, double *out)
{
    const struct om_units *units = &a->level->units;
    const uint64_t least = query->layer->rights.smallest_count;
    struct om_small_units small;
    if (column == OM_NO_FIELD)
        OM_TRY(om_small_units_make(query, units->level, least, &small, a->err));
    else
        OM_TRY(om_small_sums_make(query, column, units->level, least, &small,
                                  a->err));
    for (size_t i = 0; i < units->count; i++)
        if (om_small_units_hide(&small, units->unit[i].id,
                                strlen(units->unit[i].id)))
            out[i] = NAN;
    om_small_units_deinit(&small);
    return OM_OK;
}

/* Units outside the area of whoever asks: of them nothing is known. */
static om_status leave_out(const struct asking *a, double *out)
{
    const struct om_units *units = &a->level->units;
    struct om_units seen;
    OM_TRY(om_units_read(a->snapshot, units->level, &seen, a->err));
    for (size_t i = 0; i < units->count; i++)
        if (om_units_find(&seen, units->unit[i].id,
                          strlen(units->unit[i].id)) == SIZE_MAX)
            out[i] = NAN;
    om_units_deinit(&seen);
    return OM_OK;
}

/* Counts of a layer's rows by unit, or sums of a column. */
static om_status by_unit(const struct asking *a, const struct om_layer *layer,
                         const struct om_filter *filter,
                         struct om_window window, size_t column, double *out)
{
    const struct om_units *units = &a->level->units;
    layer = om_layer_by(a->snapshot, layer, units->level);
    const struct om_query query = {.snapshot = a->snapshot,
                                   .layer = layer,
                                   .cache = a->cache,
                                   .filter = filter,
                                   .window = window};
    const size_t by = om_layer_unit_field(layer, units->level);
    struct om_groups groups;
    if (by == OM_NO_FIELD)
        return om_fail(a->err, OM_E_TYPE, 0, "rows of %s lie in no %s",
                       layer->name, units->level);
    memset(out, 0, units->count * sizeof *out);
    OM_TRY(om_query_group(&query, by, OM_STEP_NONE, 0, column, &groups));
    const bool real = column != OM_NO_FIELD &&
                      layer->schema.field[column].type == OM_TYPE_REAL;
    for (size_t i = 0; i < groups.count; i++) {
        const struct om_group *g = &groups.group[i];
        const size_t unit =
            g->null ? SIZE_MAX : om_units_find(units, g->id, g->len);
        if (unit == SIZE_MAX) continue;
        out[unit] = column == OM_NO_FIELD ? (double)g->count
                    : real                ? g->real_sum
                                          : (double)g->sum;
    }
    om_groups_deinit(&groups);
    if (layer->rights.area) OM_TRY(leave_out(a, out));
    if (column != OM_NO_FIELD && layer->rights.veiled[column])
        return hide_few(a, &query, column, out);
    return layer->rights.crowds ? hide_few(a, &query, OM_NO_FIELD, out) : OM_OK;
}

static om_status exposed(const struct asking *a, struct om_window window,
                         double *out)
{
    const struct om_exposure *e = a->bound->per;
    const struct om_layer *layer = om_snapshot_layer(a->snapshot, e->layer);
    struct om_filter *filter = NULL;
    if (!layer &&
        om_snapshot_lacks(a->snapshot, e->layer, a->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!layer)
        return om_fail(a->err, OM_E_NOTFOUND, 0,
                       "city.json: exposures.%s.layer: there is no layer '%s'",
                       e->name, e->layer);
    size_t column = OM_NO_FIELD;
    if (e->weight) {
        bool veiled;
        column = om_small_weight(layer, e->weight, &veiled);
        if (veiled) layer = om_layer_open(layer);
        if (column == OM_NO_FIELD)
            return om_fail(a->err, OM_E_NOTFOUND, 0,
                           "city.json: exposures.%s.weight: %s has no column "
                           "'%s'",
                           e->name, e->layer, e->weight);
    }
    if (e->filter)
        OM_TRY(om_filter_parse(e->filter, strlen(e->filter), layer,
                               a->snapshot->manifest->zone_s, &filter, a->err));
    const struct om_window none = {0};
    const struct om_layer_rights *rights = &layer->rights;
    const bool estimated = rights->crowds;
    double part = 1;
    if (!e->windowed) window = none;
    if (estimated) {
        const struct om_window asked = window;
        om_crowd_cover(&asked, om_snapshot_now(a->snapshot),
                       a->snapshot->manifest->zone_s, &window, &part);
    }
    const om_status st = by_unit(a, layer, filter, window, column, out);
    for (size_t i = 0; estimated && !st && i < a->level->units.count; i++)
        out[i] = om_crowd_round(out[i], rights->smallest_count) * part;
    om_filter_free(filter);
    return st;
}

/* Make counts or sums a rate: unknown where too little is exposed. */
static om_status make_rate(const struct asking *a, struct om_window window,
                           double *value)
{
    const struct om_units *units = &a->level->units;
    const struct om_exposure *e = a->bound->per;
    if (!e) {
        for (size_t i = 0; i < units->count; i++)
            value[i] = units->unit[i].area_km2 > 0.0
                           ? value[i] / units->unit[i].area_km2
                           : NAN;
        return OM_OK;
    }
    double *per = om_alloc_array(units->count + 1, sizeof *per);
    if (!per) return OM_E_MEMORY;
    const om_status st = exposed(a, window, per);
    for (size_t i = 0; i < units->count && !st; i++)
        value[i] = per[i] > 0.0 && per[i] >= e->floor
                       ? value[i] / per[i] * (e->scale > 0.0 ? e->scale : 1.0)
                       : NAN;
    om_free(per);
    return st;
}

/* The numbers under a filter and window, and what they add up to. */
static om_status numbers(const struct asking *a, const struct om_filter *filter,
                         struct om_window window, double *value, double *total)
{
    const struct om_picture_bound *b = a->bound;
    OM_TRY(by_unit(a, b->layer, filter, window, b->column, value));
    *total = 0.0;
    for (size_t i = 0; i < a->level->units.count; i++)
        if (!isnan(value[i])) *total += value[i];
    return b->stat == OM_STAT_RATE ? make_rate(a, window, value) : OM_OK;
}

static void name_it(const struct asking *a, struct om_unit_classes *out)
{
    const struct om_picture_bound *b = a->bound;
    const struct om_manifest_layer *meta = b->layer->meta;
    const char *title = meta && meta->title[0] ? meta->title : b->layer->name;
    const char *title_en =
        meta && meta->title_en[0] ? meta->title_en : b->layer->name;
    snprintf(out->title, sizeof out->title, "%s", title);
    snprintf(out->title_en, sizeof out->title_en, "%s", title_en);
    const char *unit = "数量", *unit_en = "count";
    if (b->stat == OM_STAT_SUM)
        unit = unit_en = b->layer->schema.field[b->column].name;
    if (b->stat == OM_STAT_RATE) {
        unit = b->per && b->per->unit ? b->per->unit : "每平方公里";
        unit_en = b->per && b->per->unit_en ? b->per->unit_en : "per km²";
    }
    snprintf(out->unit, sizeof out->unit, "%s", unit);
    snprintf(out->unit_en, sizeof out->unit_en, "%s", unit_en);
}

/* Both sides of a comparison: classes are made from all their numbers. */
static om_status compared(const struct asking *a, double *value, size_t *scaled)
{
    const struct om_picture_bound *b = a->bound;
    const size_t units = a->level->units.count;
    double total;
    OM_TRY(numbers(a, b->filter, b->window, value, &total));
    *scaled = 2 * units;
    return numbers(a, b->with_filter, b->with_window, value + units, &total);
}

/* One side: as much of the classes of all rows as it leaves. */
static om_status alone(const struct asking *a, double *value, size_t *at,
                       double *share)
{
    const struct om_picture_bound *b = a->bound;
    const struct om_window none = {0};
    const size_t units = a->level->units.count;
    double total, whole;
    OM_TRY(numbers(a, b->filter, b->window, value, &total));
    if (!b->filter && !b->window.set) return OM_OK;
    *at = units;
    OM_TRY(numbers(a, NULL, none, value + units, &whole));
    if (whole > 0.0) *share = total / whole;
    return OM_OK;
}

om_status om__picture_units(const struct om_picture_bound *bound,
                            const struct om_snapshot *snapshot,
                            const struct om_level *level,
                            struct om_selections *cache,
                            struct om_unit_classes *out, struct om_err *err)
{
    const struct asking a = {bound, snapshot, level, cache, err};
    const size_t units = level->units.count;
    double *value = om_alloc_array(2 * units + 1, sizeof *value);
    size_t scaled = units, at = 0;
    double share = 1.0;
    if (!value) return OM_E_MEMORY;
    om_status st = bound->compared ? compared(&a, value, &scaled)
                                   : alone(&a, value, &at, &share);
    const bool counts =
        bound->stat != OM_STAT_RATE &&
        (bound->column == OM_NO_FIELD ||
         bound->layer->schema.field[bound->column].type != OM_TYPE_REAL);
    const struct om_unit_numbers now = {value, units, counts};
    const struct om_unit_numbers all = {value + at, scaled, counts};
    if (!st) st = om_unit_classes_of(&now, &all, share, out);
    if (!st) name_it(&a, out);
    om_free(value);
    return st;
}
