// coverage_workload_few.c - which figures of work are not told. Those of units
// with few workers are about single persons, and those of few houses about
// each.
#include <string.h>

#include "web/coverage_workload.h"
#include "web/small.h"

/* The load that a column is of, or NULL. */
static const struct om_duty_load *load_named(const struct om_duty *duty,
                                             const char *name)
{
    for (size_t i = 0; i < duty->loads; i++)
        if (!strcmp(duty->load[i].name, name)) return &duty->load[i];
    return NULL;
}

/* Does a column tell of levels that are hidden? */
static bool tells_levels(const struct om_duty *duty, const char *name)
{
    static const char *const OWED[] = {"owed", "due", "done"};
    for (size_t i = 0; i < sizeof OWED / sizeof *OWED; i++)
        if (!strcmp(OWED[i], name)) return true;
    for (size_t t = 0; t < duty->targets; t++) {
        const struct om_layer *layer = duty->target[t].layer;
        const size_t len = strlen(layer->name);
        if (layer->rights.veiled[duty->target[t].level] &&
            !strncmp(layer->name, name, len) && name[len] == '_')
            return true;
    }
    return false;
}

/* Units of which a hidden column's sum is not told: as /stats has it. */
static om_status hide_load(struct om__workload *w,
                           const struct om_duty_load *load, bool *few)
{
    const struct om_query query = {.snapshot = w->question->snapshot,
                                   .layer = load->layer,
                                   .cache = w->question->selections};
    struct om_small_units small = {0};
    if (!load->layer->rights.summed_column[load->sum]) {
        memset(few, true, w->units.count * sizeof *few);
        return OM_OK;
    }
    OM_TRY(om_small_sums_make(&query, load->sum, w->units.level,
                              w->patrol.veil.least, &small, &w->question->err));
    memcpy(few, small.hidden, w->units.count * sizeof *few);
    om_small_units_deinit(&small);
    return OM_OK;
}

/* Reports, visits and checks are what the workers of a unit did: where they are
 * few, each; checks are told in tens, too. */
static om_status hide_doings(struct om__workload *w)
{
    static const char *const DID[] = {"reports", "done", "checks"};
    const struct om_layer *checks = w->patrol.duty.checks.layer;
    if (!w->patrol.veil.persons) return OM_OK;
    bool *few = om_arena_calloc(&w->arena, w->units.count + 1, sizeof *few);
    if (!few) return OM_E_MEMORY;
    for (size_t u = 0; u < w->units.count; u++)
        few[u] = w->few_workers[u] || !w->work.workers[u];
    for (size_t c = 0; c < w->work.columns; c++)
        for (size_t i = 0; i < sizeof DID / sizeof *DID; i++)
            if (!strcmp(w->work.column[c].name, DID[i])) w->few_did[c] = few;
    for (size_t c = 0; c < w->work.columns; c++)
        if (checks && checks->rights.crowds &&
            !strcmp(w->work.column[c].name, "checks"))
            w->few[c] = few;
    return OM_OK;
}

static om_status hide_columns(struct om__workload *w, bool *few_targets)
{
    const struct om_duty *duty = &w->patrol.duty;
    for (size_t c = 0; c < w->work.columns; c++) {
        const char *name = w->work.column[c].name;
        const struct om_duty_load *load = load_named(duty, name);
        if (!load) {
            if (!tells_levels(duty, name)) continue;
            w->few[c] = few_targets;
            w->of_houses[c] = true;
            continue;
        }
        if (load->sum == OM_NO_FIELD || !load->layer->rights.veiled[load->sum])
            continue;
        bool *few = om_arena_calloc(&w->arena, w->units.count + 1, sizeof *few);
        if (!few) return OM_E_MEMORY;
        OM_TRY(hide_load(w, load, few));
        w->few[c] = few;
    }
    return OM_OK;
}

static uint64_t targets_in(const struct om__workload *w, size_t unit)
{
    uint64_t rows = 0;
    for (size_t s = 0; s < w->sums.slots; s++)
        rows += w->sums.sum[unit * w->sums.slots + s].rows;
    return rows;
}

om_status om__workload_hide(struct om__workload *w)
{
    const struct om__veil *veil = &w->patrol.veil;
    const size_t n = w->units.count + 1;
    uint64_t *count = om_arena_calloc(&w->arena, n, sizeof *count);
    bool *few_targets = om_arena_calloc(&w->arena, n, sizeof *few_targets);
    w->few_workers = om_arena_calloc(&w->arena, n, sizeof *w->few_workers);
    if (!count || !few_targets || !w->few_workers) return OM_E_MEMORY;
    if (veil->persons) {
        memcpy(count, w->work.workers, (n - 1) * sizeof *count);
        count[n - 1] = w->work.without + w->work.lost;
        OM_TRY(om__veil_units(w->question, veil, &w->units, count,
                              w->few_workers));
    }
    OM_TRY(hide_doings(w));
    if (!veil->levels) return OM_OK;
    w->houses = om_arena_calloc(&w->arena, n, sizeof *w->houses);
    if (!w->houses) return OM_E_MEMORY;
    for (size_t u = 0; u < n; u++) count[u] = w->houses[u] = targets_in(w, u);
    OM_TRY(om__veil_units(w->question, veil, &w->units, count, few_targets));
    return hide_columns(w, few_targets);
}
