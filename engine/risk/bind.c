/* bind.c - from what somebody asks to a risk.
 *
 * DESIGN
 * A layer's field is a model of one term, so that a click on either is
 * explained by the same code. Faults of a model are told with the path of the
 * member, faults of an option with its name; both come out of the same checks,
 * which is why a model is checked by binding it to nothing but itself.
 */
#include "engine/risk/bind.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/risk/bind_internal.h"

#define HOUR_S 3600
#define PATH_BYTES 96

int64_t om_risk_now(const struct om_snapshot *snapshot)
{
    const int64_t now_s = om_snapshot_now(snapshot);
    return snapshot->manifest->clock_s ? now_s : now_s / HOUR_S * HOUR_S;
}

/* ---- the options ------------------------------------------------------- */

om_status om__bind_bad(struct om__binder *b, const char *option,
                       om_status status, const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->option = option;
    return om_fail(b->err, status, 0, "%s", text);
}

static om_status read_real(struct om__binder *b, const char *option,
                           const char *text, double min, double max,
                           const char *unit, double *out)
{
    if (!text) return OM_OK;
    char *end;
    const size_t len = strlen(text);
    const bool plain =
        len && strspn(text, "0123456789+-.eE") == len && *text != '+';
    const double value = plain ? strtod(text, &end) : NAN;
    if (!plain || *end || isnan(value))
        return om__bind_bad(b, option, OM_E_FORMAT,
                            "%s: '%.40s' is not a number", option, text);
    if (!(value >= min && value <= max))
        return om__bind_bad(b, option, OM_E_RANGE,
                            "%s: %.40s is not in [%g, %g] %s", option, text,
                            min, max, unit);
    *out = value;
    return OM_OK;
}

static om_status read_times(struct om__binder *b)
{
    const struct om_risk_ask *ask = b->ask;
    struct om_risk_bound *bound = b->bound;
    const int32_t zone_s = b->snapshot->manifest->zone_s;
    const int64_t now_s = ask->now_s ? ask->now_s : om_risk_now(b->snapshot);
    bound->at_s = now_s;
    if (ask->at &&
        om_time_parse(ask->at, strlen(ask->at), zone_s, &bound->at_s))
        return om__bind_bad(
            b, "at", OM_E_FORMAT,
            "at: '%.40s' is not a date or time (2023-06-26T18:00)", ask->at);
    if (!ask->datetime || !*ask->datetime) return OM_OK;
    const om_status st =
        om_time_parse_interval(ask->datetime, strlen(ask->datetime), zone_s,
                               &bound->window.from_s, &bound->window.to_s);
    if (st == OM_E_RANGE)
        return om__bind_bad(b, "datetime", st,
                            "datetime: from is not before to");
    if (st)
        return om__bind_bad(
            b, "datetime", OM_E_FORMAT,
            "datetime is a date, a month or FROM/TO (ISO 8601; .. "
            "leaves a side open)");
    bound->window.set = true;
    // Last month's map is the map as it was at the end of last month.
    if (!ask->at && bound->window.to_s < now_s)
        bound->at_s = bound->window.to_s;
    return OM_OK;
}

static om_status read_options(struct om__binder *b)
{
    const struct om_risk_ask *ask = b->ask;
    if (ask->kernel) {
        if (!om_kernel_from_name(ask->kernel, &b->kernel))
            return om__bind_bad(
                b, "kernel", OM_E_FORMAT,
                "kernel is one of: quartic gaussian epanechnikov");
        b->kernel_set = true;
    }
    OM_TRY(read_real(b, "bandwidth", ask->bandwidth, OM_BANDWIDTH_MIN_M,
                     OM_BANDWIDTH_MAX_M, "metres", &b->bandwidth_m));
    OM_TRY(read_real(b, "halflife", ask->halflife, OM_HALF_LIFE_MIN_DAYS,
                     OM_HALF_LIFE_MAX_DAYS, "days", &b->half_life_days));
    if (ask->weight && b->bound->model)
        return om__bind_bad(b, "weight", OM_E_FORMAT,
                            "weight: a model says itself what its rows weigh");
    b->bound->standard = !ask->kernel && !ask->bandwidth && !ask->halflife &&
                         !ask->weight && !ask->per;
    return read_times(b);
}

/* ---- the terms --------------------------------------------------------- */

static double bandwidth_of(const struct om__binder *b,
                           const struct om_model_term *t)
{
    if (b->bandwidth_m > 0.0) return b->bandwidth_m;
    if (t->bandwidth_m > 0.0) return t->bandwidth_m;
    const struct om_model *m = b->bound->model;
    return m ? m->bandwidth_m : OM_BANDWIDTH_DEFAULT_M;
}

static enum om_kernel kernel_of(const struct om__binder *b, const char *name)
{
    enum om_kernel kernel = OM_KERNEL_QUARTIC;
    if (b->kernel_set) return b->kernel;
    if (!name && b->bound->model) name = b->bound->model->kernel;
    if (name) (void)om_kernel_from_name(name, &kernel);  // was checked
    return kernel;
}

static om_status bind_terms(struct om__binder *b,
                            const struct om_model_term *term, size_t n)
{
    struct om_risk_bound *bound = b->bound;
    struct om_risk_part *part = om_arena_calloc(&bound->arena, n, sizeof *part);
    bound->term = om_arena_calloc(&bound->arena, n, sizeof *bound->term);
    if (!part || !bound->term) return OM_E_MEMORY;
    bound->risk.term = part;
    bound->risk.terms = n;
    bool times = false;
    for (size_t i = 0; i < n; i++) {
        const struct om_model_term *t = &term[i];
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "terms[%zu]", i);
        const struct om__origin o = {.path = bound->model ? path : NULL,
                                     .term = true,
                                     .timed = true,
                                     .may_lack_time = bound->model != NULL};
        // A half-life that was asked for is for the terms that have times.
        const struct om_layer *layer = om_snapshot_layer(b->snapshot, t->layer);
        const bool has_time = layer && layer->schema.time_field != OM_NO_FIELD;
        const bool asked =
            b->half_life_days > 0.0 && (has_time || !bound->model);
        bound->term[i].from = bound->model ? t : NULL;
        OM_TRY(om__bind_part(b, &o, t,
                             asked ? b->half_life_days : t->half_life_days,
                             &part[i], &bound->term[i]));
        part[i].spec.kernel = kernel_of(b, t->kernel);
        part[i].spec.bandwidth_m = bandwidth_of(b, t);
        times |= has_time;
    }
    bound->layer = part[0].spec.layer;
    if (times) return OM_OK;
    if (bound->window.set)
        return om__bind_bad(b, "datetime", OM_E_TYPE,
                            "datetime: no term of the model has times");
    if (b->half_life_days > 0.0)
        return om__bind_bad(b, "halflife", OM_E_TYPE,
                            "halflife: no term of the model has times");
    return OM_OK;
}

/* ---- what is exposed --------------------------------------------------- */

/* The half-life that counts for exposures of the terms' period. */
static om_status shared_half_life(struct om__binder *b, const char *per,
                                  double *out)
{
    const struct om_risk_bound *bound = b->bound;
    const struct om_model *m = bound->model;
    *out = b->half_life_days;
    if (*out > 0.0 || !m) return OM_OK;
    *out = m->per_half_life_days;
    if (*out > 0.0) return OM_OK;
    bool first = true;
    for (size_t i = 0; i < m->terms; i++) {
        const struct om_layer *layer = bound->risk.term[i].spec.layer;
        if (layer->schema.time_field == OM_NO_FIELD) continue;
        const double days = m->term[i].half_life_days;
        if (!first && days != *out) {
            if (b->ask->per)
                return om__bind_bad(
                    b, "per", OM_E_RANGE,
                    "per: the terms' half-lives differ, so that %s "
                    "cannot be counted like them (give halflife)",
                    per);
            return om_fail(b->err, OM_E_RANGE, 0,
                           "denominator.half_life_days: is missing, and the "
                           "terms' half-lives differ (which of them is for "
                           "%s?)",
                           per);
        }
        *out = days;
        first = false;
    }
    return OM_OK;
}

static bool is_seen(const struct om__binder *b, const struct om_exposure *e)
{
    return om_exposure_seen(e, b->snapshot);
}

static om_status find_exposure(struct om__binder *b, const char *per, size_t i,
                               const struct om_exposure **out)
{
    *out = om_exposures_find(b->exposures, per);
    if (*out && (!b->ask->per || is_seen(b, *out))) return OM_OK;
    *out = NULL;
    struct om_buf known = {0};
    om_buf_add_text(&known, "area");
    for (size_t k = 0; k < b->exposures->count; k++)
        if (is_seen(b, &b->exposures->exposure[k]))
            om_buf_addf(&known, " %s", b->exposures->exposure[k].name);
    om_buf_add_byte(&known, 0);
    om_status st = known.status;
    if (!st && b->ask->per)
        st = om__bind_bad(b, "per", OM_E_FORMAT, "per is one of: %s",
                          (char *)known.bytes);
    else if (!st && b->bound->model->pers == 1)
        st = om_fail(b->err, OM_E_NOTFOUND, 0,
                     "denominator: '%s' is none of what the city.json says is "
                     "exposed (%s)",
                     per, (char *)known.bytes);
    else if (!st)
        st = om_fail(b->err, OM_E_NOTFOUND, 0,
                     "denominator.per[%zu]: '%s' is none of what the city.json "
                     "says is exposed (%s)",
                     i, per, (char *)known.bytes);
    om_buf_deinit(&known);
    return st;
}

static om_status bind_exposure(struct om__binder *b,
                               const struct om_model_per *per, size_t i,
                               struct om_risk_part *part,
                               struct om_risk_rows *rows)
{
    const struct om_exposure *e;
    double half_life_days = 0.0;
    OM_TRY(find_exposure(b, per->per, i, &e));
    if (i == 0) b->bound->per = e;
    if (e->windowed) OM_TRY(shared_half_life(b, e->name, &half_life_days));
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "exposures.%s", e->name);
    const struct om__origin o = {.path = path, .timed = e->windowed};
    const struct om_model_term t = {.layer = e->layer,
                                    .filter = e->filter,
                                    .weight = e->weight,
                                    .factor = per->factor};
    OM_TRY(om__bind_part(b, &o, &t, half_life_days, part, rows));
    const struct om_model *m = b->bound->model;
    double most = 0.0;
    for (size_t k = 0; k < b->bound->risk.terms; k++)
        most = fmax(most, b->bound->risk.term[k].spec.bandwidth_m);
    const bool own = m && m->per_bandwidth_m > 0.0 && !(b->bandwidth_m > 0.0);
    part->spec.bandwidth_m = own ? m->per_bandwidth_m : most;
    part->spec.kernel = kernel_of(b, m ? m->per_kernel : NULL);
    return OM_OK;
}

static const char *unit_text(struct om__binder *b, const char *own,
                             const char *exposure, const char *format,
                             const char *name)
{
    if (own) return own;
    if (exposure) return exposure;
    char text[OM_LIMIT_NAME_BYTES * 2];
    const int n =
        snprintf(text, sizeof text, format, b->bound->risk.scale, name);
    return om_arena_text(&b->bound->arena, text, (size_t)n);
}

static om_status bind_exposures(struct om__binder *b)
{
    struct om_risk_bound *bound = b->bound;
    const struct om_model *m = bound->model;
    const struct om_model_per asked = {.per = b->ask->per, .factor = 1.0};
    const struct om_model_per *per = b->ask->per ? &asked : m ? m->per : NULL;
    size_t n = b->ask->per ? strcmp(b->ask->per, "area") != 0 : m ? m->pers : 0;
    bound->risk.scale = 1.0;
    bound->unit = "每平方公里";
    bound->unit_en = "per km2";
    if (n == 0) return OM_OK;
    struct om_risk_part *part = om_arena_calloc(&bound->arena, n, sizeof *part);
    bound->exposed = om_arena_calloc(&bound->arena, n, sizeof *bound->exposed);
    if (!part || !bound->exposed) return OM_E_MEMORY;
    bound->risk.exposure = part;
    bound->risk.exposures = n;
    for (size_t i = 0; i < n; i++)
        OM_TRY(bind_exposure(b, &per[i], i, &part[i], &bound->exposed[i]));
    const bool own = m && !b->ask->per;  // what the model says of it holds
    bound->risk.scale = own && m->scale != 0 ? m->scale : bound->per->scale;
    bound->risk.floor = own && m->floor != 0 ? m->floor : bound->per->floor;
    bound->risk.shrink = own ? m->shrink : 0.0;
    const bool same_scale = bound->risk.scale == bound->per->scale;
    bound->unit = unit_text(
        b, own ? m->per_unit : NULL, same_scale ? bound->per->unit : NULL,
        "每 %g %s", bound->per->title ? bound->per->title : bound->per->name);
    bound->unit_en = unit_text(
        b, own ? m->per_unit_en : NULL, same_scale ? bound->per->unit_en : NULL,
        "per %g %s",
        bound->per->title_en ? bound->per->title_en : bound->per->name);
    return bound->unit && bound->unit_en ? OM_OK : OM_E_MEMORY;
}

/* ---- the whole --------------------------------------------------------- */

static om_status copy_ask(struct om_risk_bound *bound,
                          const struct om_risk_ask *ask)
{
    const char *const from[] = {
        ask->filter,      ask->datetime,     ask->at,     ask->kernel,
        ask->bandwidth,   ask->halflife,     ask->weight, ask->per,
        ask->with_filter, ask->with_datetime};
    struct om_risk_ask *to = &bound->ask;
    const char **const copy[] = {
        &to->filter,      &to->datetime,     &to->at,     &to->kernel,
        &to->bandwidth,   &to->halflife,     &to->weight, &to->per,
        &to->with_filter, &to->with_datetime};
    to->name = bound->name;
    to->now_s = ask->now_s;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        if (!from[i]) continue;
        *copy[i] = om_arena_text(&bound->arena, from[i], strlen(from[i]));
        if (!*copy[i]) return OM_E_MEMORY;
    }
    return OM_OK;
}

static om_status bind_all(struct om__binder *b)
{
    struct om_risk_bound *bound = b->bound;
    const struct om_model *m = bound->model;
    OM_TRY(copy_ask(bound, b->ask));
    OM_TRY(read_options(b));
    const struct om_model_term plain = {
        .layer = bound->name, .weight = b->ask->weight, .factor = 1.0};
    OM_TRY(bind_terms(b, m ? m->term : &plain, m ? m->terms : 1));
    OM_TRY(bind_exposures(b));
    const bool period = om__bind_period(
        &bound->window, b->snapshot->manifest->zone_s, bound->period);
    bound->compared = b->ask->with_filter || b->ask->with_datetime;
    if (bound->compared) strcpy(bound->period, "now");
    bound->filtered =
        (b->ask->filter && *b->ask->filter) || !period || bound->compared;
    bound->canonical = om__bind_describe(bound, true);
    bound->field = om__bind_describe(bound, false);
    return bound->canonical && bound->field ? OM_OK : OM_E_MEMORY;
}

om_status om__bind(const struct om_snapshot *snapshot,
                   const struct om_exposures *exposures,
                   const struct om_model *model, const struct om_risk_ask *ask,
                   struct om_risk_bound **out, const char **option,
                   struct om_err *err)
{
    *out = NULL;
    struct om_risk_bound *bound = om_calloc(1, sizeof *bound);
    if (!bound) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    struct om__binder b = {.snapshot = snapshot,
                           .exposures = exposures,
                           .ask = ask,
                           .bound = bound,
                           .err = err};
    snprintf(bound->name, sizeof bound->name, "%s",
             model ? model->name : ask->name);
    bound->model = model;
    const om_status st = bind_all(&b);
    if (option) *option = b.option;
    if (!st) {
        *out = bound;
        return OM_OK;
    }
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    om_risk_bound_free(bound);
    return st;
}

om_status om_risk_nothing(const char *name, struct om_err *err)
{
    return om_fail(err, OM_E_NOTFOUND, 0,
                   "there is no layer and no model '%.60s'", name);
}

om_status om_risk_bind(const struct om_snapshot *snapshot,
                       struct om_models *models, const struct om_risk_ask *ask,
                       struct om_risk_bound **out, const char **option,
                       struct om_err *err)
{
    static const struct om_exposures NONE;
    *out = NULL;
    if (option) *option = NULL;
    const struct om_layer *layer = om_snapshot_layer(snapshot, ask->name);
    const struct om_model_entry *entry =
        layer || !models ? NULL : om_models_find(models, ask->name);
    if (!layer && om_snapshot_lacks(snapshot, ask->name, err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (entry && !entry->model)
        return om_fail(
            err,
            entry->err.code == OM_E_WITHHELD ? OM_E_WITHHELD : OM_E_NOTFOUND, 0,
            "%s", entry->err.text);
    if (!layer && !entry) return om_risk_nothing(ask->name, err);
    if (layer && layer->schema.geometry != OM_GEOMETRY_POINT)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "heat is of points, and the layer %s has none",
                       layer->name);
    if (models && models->exposures_status && ask->per)
        return om_fail(err, models->exposures_status, 0, "%s",
                       models->exposures_err.text);
    OM_TRY(om__bind(snapshot, models ? &models->exposures : &NONE,
                    entry ? entry->model : NULL, ask, out, option, err));
    (*out)->models = models ? om_models_ref(models) : NULL;
    return OM_OK;
}

/* As a legend sees a map: of all times or a period, not compared. */
static om_status bind_as_legend(const struct om_snapshot *snapshot,
                                const struct om_risk_bound *bound,
                                const char *filter, const char *at,
                                struct om_risk_bound **out, struct om_err *err)
{
    struct om_risk_ask ask = bound->ask;
    struct om_window window = bound->window;
    char period[16];
    ask.with_filter = ask.with_datetime = NULL;
    ask.filter = filter;
    ask.at = at;
    if (bound->compared ||
        !om__bind_period(&window, snapshot->manifest->zone_s, period))
        ask.datetime = NULL;
    return om_risk_bind(snapshot, bound->models, &ask, out, NULL, err);
}

om_status om_risk_bind_whole(const struct om_snapshot *snapshot,
                             const struct om_risk_bound *bound, bool at,
                             struct om_risk_bound **out, struct om_err *err)
{
    return bind_as_legend(snapshot, bound, NULL, at ? bound->ask.at : NULL, out,
                          err);
}

om_status om_risk_bind_filtered(const struct om_snapshot *snapshot,
                                const struct om_risk_bound *bound,
                                struct om_risk_bound **out, struct om_err *err)
{
    return bind_as_legend(snapshot, bound, bound->ask.filter, NULL, out, err);
}

om_status om_risk_bind_other(const struct om_snapshot *snapshot,
                             const struct om_risk_bound *bound,
                             struct om_risk_bound **out, const char **option,
                             struct om_err *err)
{
    struct om_risk_ask ask = bound->ask;
    const char *wrong = NULL;
    ask.filter = ask.with_filter;
    ask.datetime = ask.with_datetime;
    ask.with_filter = ask.with_datetime = NULL;
    const om_status st =
        om_risk_bind(snapshot, bound->models, &ask, out, &wrong, err);
    if (!st) (*out)->compared = true;
    if (wrong && !strcmp(wrong, "filter")) wrong = "with_filter";
    if (wrong && !strcmp(wrong, "datetime")) wrong = "with_datetime";
    if (option) *option = wrong;
    return st;
}

static om_status select_rows(struct om_risk_part *part,
                             struct om_risk_rows *rows,
                             struct om_selections *cache)
{
    if (rows->selection) return OM_OK;
    OM_TRY(om_select(cache, part->spec.layer, rows->filter, rows->window,
                     &rows->selection));
    part->spec.selection = rows->selection;
    return OM_OK;
}

om_status om_risk_ready(struct om_risk_bound *bound,
                        struct om_selections *cache, struct om_fields *fields)
{
    // The parts are the bound's own; only `risk` shows them as const.
    struct om_risk_part *term =
        (struct om_risk_part *)(uintptr_t)bound->risk.term;
    struct om_risk_part *exposure =
        (struct om_risk_part *)(uintptr_t)bound->risk.exposure;
    for (size_t i = 0; i < bound->risk.terms; i++)
        OM_TRY(select_rows(&term[i], &bound->term[i], cache));
    for (size_t i = 0; i < bound->risk.exposures; i++)
        OM_TRY(select_rows(&exposure[i], &bound->exposed[i], cache));
    if (!(bound->risk.shrink > 0.0)) return om_risk_check(&bound->risk);
    struct om_risk_totals totals;
    OM_TRY(om_risk_totals(fields, &bound->risk, &totals));
    bound->risk.mean = totals.mean;
    return OM_OK;
}

void om_risk_bound_free(struct om_risk_bound *bound)
{
    if (!bound) return;
    for (size_t i = 0; bound->term && i < bound->risk.terms; i++) {
        om_filter_free(bound->term[i].filter);
        om_selection_unref(bound->term[i].selection);
    }
    for (size_t i = 0; bound->exposed && i < bound->risk.exposures; i++) {
        om_filter_free(bound->exposed[i].filter);
        om_selection_unref(bound->exposed[i].selection);
    }
    om_models_unref(bound->models);
    om_arena_deinit(&bound->arena);
    om_free(bound);
}
