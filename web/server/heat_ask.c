// heat_ask.c - the parameters of a heat map, as tiles, legend and value take
// them.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "web/server/cost.h"
#include "web/server/heat_ask.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
#include "web/server/worlds.h"

/* "heat:NAME", or "heat:NAME.json" without its end. */
static om_status read_name(struct om__request *r, const char *name,
                           char out[OM_LIMIT_NAME_BYTES])
{
    const size_t prefix = sizeof OM__HEAT - 1, len = strlen(name);
    if (len <= prefix || strncmp(name, OM__HEAT, prefix) != 0 ||
        len - prefix >= OM_LIMIT_NAME_BYTES)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there is no such map; heat:LAYER and heat:MODEL are");
    memcpy(out, name + prefix, len - prefix + 1);
    return OM_OK;
}

om_status om__param_palette(struct om__request *r, enum om_palette *out)
{
    const char *name;
    OM_TRY(om__param_word(r, "palette", "dark light", "dark", &name));
    return om_palette_from_name(name, out) ? OM_OK : OM_E_INTERNAL;
}

om_status om__param_lines(struct om__request *r, bool *out)
{
    const char *form;
    OM_TRY(om__param_word(r, "form", "fill lines", "fill", &form));
    *out = !strcmp(form, "lines");
    return OM_OK;
}

/* The legend of a density is its largest value: one that can be found. */
static om_status check_bandwidth(struct om__request *r,
                                 const struct om_risk_bound *bound)
{
    for (size_t i = 0; !bound->risk.exposures && i < bound->risk.terms; i++) {
        const struct om_field_spec *spec = &bound->risk.term[i].spec;
        const double least = om__bandwidth_least_m(spec->layer);
        if (spec->bandwidth_m >= least) continue;
        return om__param_bad(
            r, "bandwidth", OM_E_COST,
            "a bandwidth of %g m over the %llu rows of %s would cost too much; "
            "the smallest that is served is %g m",
            spec->bandwidth_m, (unsigned long long)spec->layer->rows,
            spec->layer->name, least);
    }
    return OM_OK;
}

/* A layer's field where no bandwidth is named has one that can be served. */
static const char *default_bandwidth(const struct om__request *r,
                                     const char *name, char text[32])
{
    const struct om_layer *layer = om_snapshot_layer(r->snapshot, name);
    if (!layer || layer->schema.geometry != OM_GEOMETRY_POINT) return NULL;
    const double least = om__bandwidth_least_m(layer);
    if (least <= OM_BANDWIDTH_DEFAULT_M) return NULL;
    snprintf(text, 32, "%.17g", least);
    return text;
}

/* A model of layers that are not there for who asks is not there, either. */
static om_status check_seen(struct om__request *r, const char *name)
{
    const struct om_models *models = r->world->models;
    if (!om_snapshot_unlists(r->snapshot) || !models ||
        om_snapshot_has_layer(r->snapshot, name))
        return OM_OK;
    const struct om_model_entry *entry = om_models_find(models, name);
    return !entry || om_model_seen(models, entry, r->snapshot)
               ? OM_OK
               : om_risk_nothing(name, &r->err);
}

static om_status bind_ask(struct om__request *r, const char *name,
                          struct om_risk_bound **out)
{
    char least[32];
    const char *option = NULL;
    struct om_risk_ask ask = {
        .name = name,
        .filter = om__param_text(r, "filter"),
        .datetime = om__param_text(r, "datetime"),
        .at = om__param_text(r, "at"),
        .kernel = om__param_text(r, "kernel"),
        .bandwidth = om__param_text(r, "bandwidth"),
        .halflife = om__param_text(r, "halflife"),
        .weight = om__param_text(r, "weight"),
        .per = om__param_text(r, "per"),
        .with_filter = om__param_text(r, "with_filter"),
        .with_datetime = om__param_text(r, "with_datetime"),
        .now_s = r->now_s};
    OM_TRY(check_seen(r, name));
    if (!ask.bandwidth) ask.bandwidth = default_bandwidth(r, name, least);
    const om_status st = om_risk_bind(r->snapshot, r->world->models, &ask, out,
                                      &option, &r->err);
    if (st && option) r->parameter = option;
    return st;
}

/* Does a part look at columns that are hidden? Its filter may: what was asked
 * for was read without them. */
static bool part_hides(const struct om_risk_part *part,
                       const struct om_risk_rows *rows)
{
    const struct om_layer *layer = part->spec.layer;
    const struct om_weighting *weight = &part->spec.weight;
    const struct om_schema *s = &layer->schema;
    const char *const *name = NULL;
    if (layer->rights.crowds) return true;
    if (!layer->rights.veils) return false;
    const bool *veiled = layer->rights.veiled;
    if (weight->column != OM_NO_FIELD && veiled[weight->column]) return true;
    if (weight->table && veiled[weight->table->column]) return true;
    const size_t columns =
        rows->filter ? om_filter_columns(rows->filter, &name) : 0;
    for (size_t i = 0; i < columns; i++) {
        const size_t column = om_schema_find(s, name[i]);
        if (column == OM_NO_FIELD || veiled[column]) return true;
    }
    return false;
}

static bool terms_hide(const struct om_risk_bound *bound)
{
    for (size_t i = 0; i < bound->risk.terms; i++)
        if (part_hides(&bound->risk.term[i], &bound->term[i])) return true;
    return false;
}

static bool exposures_hide(const struct om_risk_bound *bound)
{
    for (size_t i = 0; i < bound->risk.exposures; i++)
        if (part_hides(&bound->risk.exposure[i], &bound->exposed[i]))
            return true;
    return false;
}

static bool exposures_of_crowds(const struct om_risk_bound *bound)
{
    for (size_t i = 0; i < bound->risk.exposures; i++)
        if (bound->risk.exposure[i].spec.layer->rights.crowds) return true;
    return false;
}

bool om__heat_personal(const struct om_risk_bound *bound)
{
    return terms_hide(bound) || exposures_hide(bound);
}

double om__heat_coarse_m(const struct om_risk_bound *bound)
{
    const struct om_risk *risk = &bound->risk;
    double least_m = INFINITY;
    if (!om__heat_personal(bound)) return 0;
    for (size_t i = 0; i < risk->terms; i++)
        least_m = fmin(least_m, risk->term[i].spec.bandwidth_m);
    for (size_t i = 0; i < risk->exposures; i++)
        least_m = fmin(least_m, risk->exposure[i].spec.bandwidth_m);
    return least_m / 2;
}

static om_status refuse_choice(struct om__request *r, const char *name)
{
    if (!om__param_text(r, name)) return OM_OK;
    return om__param_bad(r, name, OM_E_UNSUPPORTED,
                         "%s: the map weighs what is about single persons, and "
                         "is shown as it ships",
                         name);
}

/* Cases of a month or a year: those of any other days would be as many answers
 * of what is exposed as somebody thinks of. */
static om_status check_period(struct om__request *r,
                              const struct om_risk_bound *bound)
{
    if (!bound->window.set || strcmp(bound->period, "now") != 0) return OM_OK;
    return om__param_bad(r, "datetime", OM_E_UNSUPPORTED,
                         "datetime: the map weighs what is about single "
                         "persons, and is shown of one whole month (2023-05), "
                         "one year or all time");
}

/* A kernel mixes what is single only if nobody chooses which rows it holds, and
 * only where it holds many: where the floor leaves fewer unknown. Whoever knows
 * the cases learns of what is exposed from each step, so that nobody chooses
 * cases either, by which each place would have any number of steps. */
static om_status check_personal(struct om__request *r,
                                const struct om_risk_bound *bound)
{
    static const char *const choosing[] = {
        "filter", "with_filter",   "weight",    "halflife",
        "at",     "with_datetime", "bandwidth", "kernel"};
    const bool terms = terms_hide(bound), exposures = exposures_hide(bound);
    if (!terms && !exposures) return OM_OK;
    const uint64_t least =
        r->snapshot->layers ? bound->layer->rights.smallest_count : 0;
    if (!bound->risk.exposures || bound->risk.floor < (double)least)
        return om__rows_refused(r, "what the map weighs");
    for (size_t i = 0; i < sizeof choosing / sizeof *choosing; i++)
        OM_TRY(refuse_choice(r, choosing[i]));
    if (terms) OM_TRY(refuse_choice(r, "per"));
    // Persons' doing is not told by when it was done.
    if (terms || exposures_of_crowds(bound))
        return refuse_choice(r, "datetime");
    return check_period(r, bound);
}

/* A field tells where its rows are, to the metre where the bandwidth is small.
 */
static om_status check_allowed(struct om__request *r,
                               const struct om_risk_bound *bound)
{
    for (size_t i = 0; i < bound->risk.terms; i++)
        OM_TRY(om__rows_allowed(r, bound->risk.term[i].spec.layer));
    return check_personal(r, bound);
}

/* What it is compared with is a question, too. */
static om_status check_other(struct om__request *r,
                             const struct om_risk_bound *bound)
{
    struct om_risk_bound *other = NULL;
    const char *option = NULL;
    if (!bound->compared) return OM_OK;
    om_status st =
        om_risk_bind_other(r->snapshot, bound, &other, &option, &r->err);
    if (st && option) r->parameter = option;
    if (!st) st = check_allowed(r, other);
    om_risk_bound_free(other);
    return st;
}

om_status om__request_heat(struct om__request *r, const char *name,
                           struct om_risk_bound **out)
{
    char plain[OM_LIMIT_NAME_BYTES];
    const char *lang = om__param_text(r, "filter-lang");
    *out = NULL;
    OM_TRY(read_name(r, name, plain));
    if (lang && strcmp(lang, "cql2-text") != 0 && strcmp(lang, "cql-text") != 0)
        return om__param_bad(r, "filter-lang", OM_E_UNSUPPORTED,
                             "filter-lang is cql2-text");
    OM_TRY(om__request_world(r));
    OM_TRY(bind_ask(r, plain, out));
    r->layer = (*out)->layer;
    om_status st = check_allowed(r, *out);
    if (!st) st = check_other(r, *out);
    if (!st) st = check_bandwidth(r, *out);
    if (!st) return OM_OK;
    // A model that is not drawn for who asks is none.
    if (st == OM_E_NOTFOUND && r->who->asked && (*out)->model)
        st = om_risk_nothing(plain, &r->err);
    om_risk_bound_free(*out);
    *out = NULL;
    return st;
}
