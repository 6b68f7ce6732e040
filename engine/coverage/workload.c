/* workload.c - counts of work by unit, gathered from their layers.
 *
 * DESIGN
 * Every figure is a grouped count or sum that om_query_group already knows how
 * to take quickly; what is added here is which layers and windows, from
 * city.json, and that workers belong to the unit they are in charge of and not
 * to the one they stand in.
 */
#include "engine/coverage/workload.h"

#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/coverage/audit.h"
#include "engine/coverage/idmap.h"
#include "engine/coverage/months.h"
#include "engine/query/query.h"

#define MONTHS_MOST 600

void om_workload_deinit(struct om_workload *workload)
{
    om_arena_deinit(&workload->arena);
    *workload = (struct om_workload){0};
}

const struct om_workload_column *om_workload_find(const struct om_workload *w,
                                                  const char *name)
{
    for (size_t c = 0; c < w->columns; c++)
        if (!strcmp(w->column[c].name, name)) return &w->column[c];
    return NULL;
}

static om_status add_column(struct om_workload *w, const char *name,
                            const char *level, bool burden, double **value)
{
    if (w->columns == OM_WORKLOAD_COLUMNS_MOST) return OM_E_LIMIT;
    struct om_workload_column *c = &w->column[w->columns];
    snprintf(c->name, sizeof c->name, "%.63s%s%.63s", name, level ? "_" : "",
             level ? level : "");
    c->burden = burden;
    c->value = om_arena_calloc(&w->arena, w->units + 1, sizeof *c->value);
    if (!c->value) return OM_E_MEMORY;
    *value = c->value;
    w->columns++;
    return OM_OK;
}

/* --- counts of layers -------------------------------------------------- */

/* A count (or sum) of a layer by the words of one of its columns. */
struct counting {
    const struct om_layer *layer;
    size_t by, sum;  // sum OM_NO_FIELD: count
    const struct om_filter *filter;
    struct om_window window;
};

static om_status count_groups(const struct om_workload_spec *spec,
                              const struct counting *c, struct om_groups *out)
{
    const struct om_query query = {.snapshot = spec->snapshot,
                                   .layer = c->layer,
                                   .cache = spec->cache,
                                   .filter = c->filter,
                                   .window = c->window};
    return om_query_group(&query, c->by, OM_STEP_NONE,
                          spec->snapshot->manifest->zone_s, c->sum, out);
}

static double figure_of(const struct om_group *g, const struct counting *c)
{
    if (c->sum == OM_NO_FIELD) return (double)g->count;
    return c->layer->schema.field[c->sum].type == OM_TYPE_REAL ? g->real_sum
                                                               : (double)g->sum;
}

static om_status count_units(const struct om_workload_spec *spec,
                             struct counting c, double *value,
                             struct om_err *err)
{
    struct om_groups groups = {0};
    const struct om_units *units = spec->units;
    c.by = om_layer_unit_field(c.layer, units->level);
    if (c.by == OM_NO_FIELD)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "the layer %s is not joined to units of level %s",
                       c.layer->name, units->level);
    const om_status st = count_groups(spec, &c, &groups);
    for (size_t i = 0; i < groups.count && !st; i++) {
        const struct om_group *g = &groups.group[i];
        const size_t u =
            g->null ? SIZE_MAX : om_units_find(units, g->id, g->len);
        value[u == SIZE_MAX ? units->count : u] += figure_of(g, &c);
    }
    om_groups_deinit(&groups);
    return st;
}

static om_status add_loads(const struct om_workload_spec *spec,
                           struct om_workload *w, struct om_err *err)
{
    for (size_t i = 0; i < spec->duty->loads; i++) {
        const struct om_duty_load *load = &spec->duty->load[i];
        double *value;
        OM_TRY(add_column(w, load->name, NULL, true, &value));
        const struct counting c = {.layer = load->layer, .sum = load->sum};
        OM_TRY(count_units(spec, c, value, err));
    }
    return OM_OK;
}

/* --- the register and its visits --------------------------------------- */

static om_status add_register(const struct om_workload_spec *spec,
                              struct om_workload *w)
{
    const struct om_patrol_sums *s = spec->sums;
    for (size_t t = 0; t < spec->duty->targets; t++) {
        const struct om_duty_target *target = &spec->duty->target[t];
        double *all, *value;
        OM_TRY(add_column(w, target->layer->name, NULL, true, &all));
        for (size_t l = 0; l <= target->levels; l++) {
            const bool known = l < target->levels;
            OM_TRY(add_column(w, target->layer->name,
                              known ? target->level_name[l] : "unknown", false,
                              &value));
            bool any = false;
            for (size_t u = 0; u <= w->units; u++) {
                value[u] =
                    (double)s->sum[u * s->slots + s->slot_of[t] + l].rows;
                all[u] += value[u];
                any = any || value[u] > 0;
            }
            if (!known && !any) w->columns--;  // every level is known
        }
    }
    return OM_OK;
}

static om_status add_visits(const struct om_workload_spec *spec,
                            struct om_workload *w)
{
    const struct om_patrol_sums *s = spec->sums;
    double *owed, *due, *done;
    OM_TRY(add_column(w, "owed", NULL, true, &owed));
    OM_TRY(add_column(w, "due", NULL, false, &due));
    OM_TRY(add_column(w, "done", NULL, false, &done));
    for (size_t u = 0; u <= w->units; u++)
        for (size_t k = 0; k < s->slots; k++) {
            const struct om_patrol_sum *sum = &s->sum[u * s->slots + k];
            owed[u] += (double)sum->owed;
            due[u] += (double)sum->due;
            done[u] += (double)sum->done;
        }
    return OM_OK;
}

/* --- reports and checks ------------------------------------------------ */

static struct counting reports_of(const struct om_workload_spec *spec)
{
    return (struct counting){
        .layer = spec->duty->reports.layer,
        .by = spec->duty->reports.worker,
        .sum = OM_NO_FIELD,
        .window = {.set = true, .from_s = spec->from_s, .to_s = spec->to_s}};
}

/* "month" IN ('2023-05','2023-06'): the months that the window touches. */
static om_status months_filter(const struct om_workload_spec *spec,
                               struct om_filter **out, size_t *months,
                               struct om_err *err)
{
    const int32_t zone_s = spec->snapshot->manifest->zone_s;
    const struct om_duty_checks *c = &spec->duty->checks;
    struct om_buf text = {0};
    *months = 0;
    om_buf_addf(&text, "\"%s\" IN (", c->layer->schema.field[c->month].name);
    for (int64_t at = spec->from_s; at < spec->to_s && *months < MONTHS_MOST;) {
        char word[OM_TIME_TEXT_BYTES];
        om_time_format(at, zone_s, word);
        om_buf_addf(&text, "%s'%.7s'", *months ? "," : "", word);
        at = om_month_of(at, zone_s).end_s;
        ++*months;
    }
    om_buf_add_byte(&text, ')');
    om_status st = text.status;
    if (!st)
        st = om_filter_parse((const char *)text.bytes, text.len, c->layer,
                             zone_s, out, err);
    om_buf_deinit(&text);
    return st;
}

static om_status add_reports(const struct om_workload_spec *spec,
                             struct om_workload *w, struct om_err *err)
{
    double *value;
    if (!spec->duty->reports.layer) return OM_OK;
    OM_TRY(add_column(w, "reports", NULL, true, &value));
    return count_units(spec, reports_of(spec), value, err);
}

static om_status add_checks(const struct om_workload_spec *spec,
                            struct om_workload *w, struct om_err *err)
{
    double *value;
    struct om_filter *filter = NULL;
    const struct om_duty_checks *checks = &spec->duty->checks;
    if (!checks->layer) return OM_OK;
    OM_TRY(add_column(w, "checks", NULL, true, &value));
    om_status st = months_filter(spec, &filter, &w->months, err);
    const struct counting c = {
        .layer = checks->layer, .sum = checks->count, .filter = filter};
    if (!st) st = count_units(spec, c, value, err);
    om_filter_free(filter);
    return st;
}

/* --- workers ----------------------------------------------------------- */

static om_status count_workers(const struct om_workload_spec *spec,
                               struct om_workload *w)
{
    struct om_manning m;
    const struct om_duty_workers *workers = &spec->duty->workers;
    w->workers = om_arena_calloc(&w->arena, w->units + 1, sizeof *w->workers);
    if (!w->workers) return OM_E_MEMORY;
    if (!workers->layer) return OM_OK;
    OM_TRY(om_audit_workers(spec->worker_units, workers->layer, workers->unit,
                            &w->arena, &m));
    w->without = m.without;
    w->lost = m.lost;
    const size_t n = spec->worker_units->count;
    uint32_t *unit = om_arena_calloc(&w->arena, n + 1, sizeof *unit);
    if (!unit) return OM_E_MEMORY;
    if (!strcmp(spec->worker_units->level, spec->units->level))
        for (size_t i = 0; i < n; i++) unit[i] = (uint32_t)i;
    else
        OM_TRY(om_units_parents(spec->worker_units, spec->units, unit));
    for (size_t i = 0; i < n; i++)
        if (unit[i] != OM_NO_UNIT) w->workers[unit[i]] += m.workers[i];
    return OM_OK;
}

om_status om_workload_count(const struct om_workload_spec *spec,
                            struct om_workload *out, struct om_err *err)
{
    *out = (struct om_workload){.units = spec->units->count, .months = 1};
    om_status st = count_workers(spec, out);
    if (!st) st = add_loads(spec, out, err);
    if (!st && spec->sums) st = add_register(spec, out);
    if (!st && spec->sums) st = add_visits(spec, out);
    if (!st) st = add_reports(spec, out, err);
    if (!st) st = add_checks(spec, out, err);
    if (st) om_workload_deinit(out);
    return st;
}

/* --- each worker ------------------------------------------------------- */

static om_status count_by_worker(const struct om_workload_spec *spec,
                                 const struct counting *c,
                                 const struct om_idmap *map, double *value,
                                 double *lost)
{
    struct om_groups groups = {0};
    const om_status st = count_groups(spec, c, &groups);
    for (size_t i = 0; i < groups.count && !st; i++) {
        const struct om_group *g = &groups.group[i];
        const uint32_t row =
            g->null ? OM_NO_ROW : om_idmap_find(map, g->id, g->len);
        if (row == OM_NO_ROW)
            *lost += figure_of(g, c);
        else
            value[row] += figure_of(g, c);
    }
    om_groups_deinit(&groups);
    return st;
}

static om_status read_units(const struct om_workload_spec *spec,
                            const struct om_idmap *map,
                            struct om_worker_figures *out)
{
    const struct om_duty_workers *workers = &spec->duty->workers;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t p = 0; p < workers->layer->parts && !st; p++) {
        const struct om_segment *s = workers->layer->part[p].segment;
        for (size_t row = 0; row < om_segment_rows(s) && !st; row++) {
            const char *text;
            size_t len, unit = SIZE_MAX;
            st = om_segment_text(s, workers->unit, row, &reader, &text, &len);
            if (!st && text)
                unit = om_units_find(spec->worker_units, text, len);
            out->unit[map->base[p] + row] =
                unit == SIZE_MAX ? OM_NO_UNIT : (uint32_t)unit;
        }
    }
    om_text_reader_deinit(&reader);
    return st;
}

static om_status read_figures(const struct om_workload_spec *spec,
                              const struct om_idmap *map,
                              struct om_worker_figures *out, struct om_err *err)
{
    const struct om_duty *duty = spec->duty;
    const size_t n = map->rows + 1;
    OM_TRY(read_units(spec, map, out));
    if (duty->reports.layer && duty->reports.worker != OM_NO_FIELD) {
        const struct counting c = reports_of(spec);
        out->reports = om_arena_calloc(&out->arena, n, sizeof *out->reports);
        if (!out->reports) return OM_E_MEMORY;
        OM_TRY(
            count_by_worker(spec, &c, map, out->reports, &out->lost_reports));
    }
    if (!duty->checks.layer) return OM_OK;
    struct om_filter *filter = NULL;
    size_t months;
    out->checks = om_arena_calloc(&out->arena, n, sizeof *out->checks);
    if (!out->checks) return OM_E_MEMORY;
    om_status st = months_filter(spec, &filter, &months, err);
    const struct counting c = {.layer = duty->checks.layer,
                               .by = duty->checks.worker,
                               .sum = duty->checks.count,
                               .filter = filter};
    if (!st)
        st = count_by_worker(spec, &c, map, out->checks, &out->lost_checks);
    om_filter_free(filter);
    return st;
}

om_status om_workload_workers(const struct om_workload_spec *spec,
                              struct om_worker_figures *out, struct om_err *err)
{
    struct om_idmap map = {0};
    *out = (struct om_worker_figures){0};
    if (!spec->duty->workers.layer)
        return om_duty_lacks("workers", "which layer holds the workers", err);
    OM_TRY(om_idmap_make(spec->duty->workers.layer, &map));
    out->rows = map.rows;
    out->unit = om_arena_calloc(&out->arena, map.rows + 1, sizeof *out->unit);
    om_status st = out->unit ? OM_OK : OM_E_MEMORY;
    if (!st) st = read_figures(spec, &map, out, err);
    om_idmap_deinit(&map);
    if (st) om_worker_figures_deinit(out);
    return st;
}

void om_worker_figures_deinit(struct om_worker_figures *figures)
{
    om_arena_deinit(&figures->arena);
    *figures = (struct om_worker_figures){0};
}
