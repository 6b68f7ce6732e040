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
#include <time.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/risk/bind_internal.h"

#define DAY_S 86400.0
#define HOUR_S 3600
#define PATH_BYTES 96

/* What is being bound, and how. */
struct binder {
    const struct om_snapshot *snapshot;
    const struct om_exposures *exposures;
    const struct om_risk_ask *ask;
    struct om_risk_bound *bound;
    struct om_err *err;
    const char *option;  // that was wrong
    bool kernel_set;
    enum om_kernel kernel;
    double bandwidth_m;     // 0: not asked for
    double half_life_days;  // 0: not asked for
};

int64_t om_risk_now(const struct om_manifest *city)
{
    if (city->clock_s) return city->clock_s;
    return (int64_t)time(NULL) / HOUR_S * HOUR_S;
}

/* ---- the options ------------------------------------------------------- */

static om_status bad(struct binder *b, const char *option, om_status status,
                     const char *format, ...) OM_PRINTF(4, 5);
static om_status bad(struct binder *b, const char *option, om_status status,
                     const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->option = option;
    return om_fail(b->err, status, 0, "%s", text);
}

static om_status read_real(struct binder *b, const char *option,
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
        return bad(b, option, OM_E_FORMAT, "%s: '%.40s' is not a number",
                   option, text);
    if (!(value >= min && value <= max))
        return bad(b, option, OM_E_RANGE, "%s: %.40s is not in [%g, %g] %s",
                   option, text, min, max, unit);
    *out = value;
    return OM_OK;
}

static om_status read_times(struct binder *b)
{
    const struct om_risk_ask *ask = b->ask;
    struct om_risk_bound *bound = b->bound;
    const int32_t zone_s = b->snapshot->manifest->zone_s;
    const int64_t now_s = om_risk_now(b->snapshot->manifest);
    bound->at_s = now_s;
    if (ask->at &&
        om_time_parse(ask->at, strlen(ask->at), zone_s, &bound->at_s))
        return bad(b, "at", OM_E_FORMAT,
                   "at: '%.40s' is not a date or time (2023-06-26T18:00)",
                   ask->at);
    if (!ask->datetime || !*ask->datetime) return OM_OK;
    const om_status st =
        om_time_parse_interval(ask->datetime, strlen(ask->datetime), zone_s,
                               &bound->window.from_s, &bound->window.to_s);
    if (st == OM_E_RANGE)
        return bad(b, "datetime", st, "datetime: from is not before to");
    if (st)
        return bad(b, "datetime", OM_E_FORMAT,
                   "datetime is a date, a month or FROM/TO (ISO 8601; .. "
                   "leaves a side open)");
    bound->window.set = true;
    // Last month's map is the map as it was at the end of last month.
    if (!ask->at && bound->window.to_s < now_s)
        bound->at_s = bound->window.to_s;
    return OM_OK;
}

static om_status read_options(struct binder *b)
{
    const struct om_risk_ask *ask = b->ask;
    if (ask->kernel) {
        if (!om_kernel_from_name(ask->kernel, &b->kernel))
            return bad(b, "kernel", OM_E_FORMAT,
                       "kernel is one of: quartic gaussian epanechnikov");
        b->kernel_set = true;
    }
    OM_TRY(read_real(b, "bandwidth", ask->bandwidth, OM_BANDWIDTH_MIN_M,
                     OM_BANDWIDTH_MAX_M, "metres", &b->bandwidth_m));
    OM_TRY(read_real(b, "halflife", ask->halflife, OM_HALF_LIFE_MIN_DAYS,
                     OM_HALF_LIFE_MAX_DAYS, "days", &b->half_life_days));
    if (ask->weight && b->bound->model)
        return bad(b, "weight", OM_E_FORMAT,
                   "weight: a model says itself what its rows weigh");
    b->bound->standard = !ask->kernel && !ask->bandwidth && !ask->halflife &&
                         !ask->weight && !ask->per;
    return read_times(b);
}

/* ---- one term ---------------------------------------------------------- */

/* Where a part comes from: a member of a model or city.json, or the options
 * that ask for a layer's field (path NULL). */
struct origin {
    const char *path;
    bool term;   // asked filters hold
    bool timed;  // the asked window and decay hold, where there are times
    bool may_lack_time;  // a window over rows without times takes them all
};

/* A fault of a part: of the member `member`, or of the option it came by. */
static om_status fault(struct binder *b, const struct origin *o,
                       const char *member, om_status status, const char *format,
                       ...) OM_PRINTF(5, 6);
static om_status fault(struct binder *b, const struct origin *o,
                       const char *member, om_status status, const char *format,
                       ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (o->path)
        return om_fail(b->err, status, 0, "%s.%s: %s", o->path, member, text);
    const char *option =
        !strcmp(member, "half_life_days") ? "halflife" : member;
    return bad(b, option, status, "%s: %s", option, text);
}

static om_status find_layer(struct binder *b, const struct origin *o,
                            const char *name, const struct om_layer **out)
{
    *out = om_snapshot_layer(b->snapshot, name);
    if (!*out)
        return fault(b, o, "layer", OM_E_NOTFOUND, "there is no layer '%s'",
                     name);
    if ((*out)->schema.geometry != OM_GEOMETRY_POINT)
        return fault(b, o, "layer", OM_E_TYPE, "%s has no points", name);
    return OM_OK;
}

static bool is_number(enum om_type type)
{
    return type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
           type == OM_TYPE_BOOLEAN;
}

static om_status find_weight(struct binder *b, const struct origin *o,
                             const struct om_layer *layer, const char *name,
                             size_t *out)
{
    *out = OM_NO_FIELD;
    if (!name || !*name) return OM_OK;
    const size_t column = om_schema_find(&layer->schema, name);
    if (column == OM_NO_FIELD)
        return fault(b, o, "weight", OM_E_FORMAT, "%s has no column '%.60s'",
                     layer->name, name);
    const enum om_type type = layer->schema.field[column].type;
    if (!is_number(type))
        return fault(b, o, "weight", OM_E_TYPE,
                     "the column '%s' is %s, not a number", name,
                     om_type_name(type));
    *out = column;
    return OM_OK;
}

/* A listed value as the column has it. */
static bool read_value(enum om_type type, const char *text,
                       struct om_weight_value *out)
{
    out->text = text;
    if (type == OM_TYPE_BOOLEAN) {
        out->integer = !strcmp(text, "true");
        return out->integer || !strcmp(text, "false");
    }
    if (type != OM_TYPE_INTEGER) return true;
    char *end;
    out->integer = strtoll(text, &end, 10);
    return end != text && !*end;
}

static om_status find_severity(struct binder *b, const struct origin *o,
                               const struct om_layer *layer,
                               const struct om_severity *s,
                               const struct om_weight_table **out)
{
    *out = NULL;
    if (!s->column) return OM_OK;
    const size_t column = om_schema_find(&layer->schema, s->column);
    if (column == OM_NO_FIELD)
        return fault(b, o, "severity.column", OM_E_FORMAT,
                     "%s has no column '%s'", layer->name, s->column);
    const enum om_type type = layer->schema.field[column].type;
    if (type == OM_TYPE_REAL || type == OM_TYPE_TIME)
        return fault(b, o, "severity.column", OM_E_TYPE,
                     "the column '%s' is %s; a table lists texts, whole "
                     "numbers, true and false",
                     s->column, om_type_name(type));
    struct om_arena *arena = &b->bound->arena;
    struct om_weight_table *table = om_arena_calloc(arena, 1, sizeof *table);
    struct om_weight_value *value =
        om_arena_calloc(arena, s->count, sizeof *value);
    if (!table || !value) return OM_E_MEMORY;
    for (size_t i = 0; i < s->count; i++) {
        if (!read_value(type, s->value[i], &value[i]))
            return fault(b, o, "severity.values", OM_E_TYPE,
                         "'%.40s' is no value of the column '%s', which is %s",
                         s->value[i], s->column, om_type_name(type));
        value[i].weight = s->weight[i];
    }
    *table = (struct om_weight_table){.column = column,
                                      .count = s->count,
                                      .value = value,
                                      .otherwise = s->otherwise};
    *out = table;
    return OM_OK;
}

static om_status parse_asked(struct binder *b, const struct om_layer *layer,
                             const char *text, struct om_filter **out)
{
    struct om_err why = {0};
    const om_status st = om_filter_parse(
        text, strlen(text), layer, b->snapshot->manifest->zone_s, out, &why);
    if (!st) return OM_OK;
    b->option = "filter";
    om_fail(b->err, st, why.at, b->bound->model ? "%s (layer %s)" : "%s",
            why.text[0] ? why.text : om_status_text(st), layer->name);
    // An unknown column is a mistake in the question, not a missing page.
    return st == OM_E_NOTFOUND ? OM_E_FORMAT : st;
}

/* "(a) AND (b)", either of which may be NULL. */
static om_status join_filters(struct binder *b, const char *one,
                              const char *two, const char **out)
{
    *out = one ? one : two;
    if (!one || !two) return OM_OK;
    struct om_buf both = {0};
    om_buf_addf(&both, "(%s) AND (%s)", one, two);
    char *copy = both.status ? NULL
                             : om_arena_text(&b->bound->arena,
                                             (char *)both.bytes, both.len);
    om_buf_deinit(&both);
    *out = copy;
    return copy ? OM_OK : OM_E_MEMORY;
}

/* Rows that are over by the moment asked for do not count. */
static om_status until_filter(struct binder *b, const struct origin *o,
                              const struct om_layer *layer, const char *until,
                              const char **out)
{
    *out = NULL;
    if (!until || !*until) return OM_OK;
    const size_t column = om_schema_find(&layer->schema, until);
    if (column == OM_NO_FIELD)
        return fault(b, o, "until", OM_E_FORMAT, "%s has no column '%.60s'",
                     layer->name, until);
    const enum om_type type = layer->schema.field[column].type;
    if (type != OM_TYPE_TIME)
        return fault(b, o, "until", OM_E_TYPE,
                     "the column '%s' is %s, not a time", until,
                     om_type_name(type));
    char moment[OM_TIME_TEXT_BYTES], text[OM_LIMIT_NAME_BYTES * 4];
    om_time_format(b->bound->at_s, 0, moment);
    const int n = snprintf(text, sizeof text,
                           "\"%s\" IS NULL OR \"%s\" > TIMESTAMP('%s')", until,
                           until, moment);
    *out = om_arena_text(&b->bound->arena, text, (size_t)n);
    b->bound->dated = true;
    return *out ? OM_OK : OM_E_MEMORY;
}

static om_status parse_own(struct binder *b, const struct origin *o,
                           const struct om_layer *layer, const char *own,
                           struct om_filter **out)
{
    struct om_err why = {0};
    const om_status st = om_filter_parse(
        own, strlen(own), layer, b->snapshot->manifest->zone_s, out, &why);
    if (!st) return OM_OK;
    return fault(b, o, "filter", st == OM_E_NOTFOUND ? OM_E_FORMAT : st, "%s",
                 why.text[0] ? why.text : om_status_text(st));
}

/* The model's filter and the one asked for: each read alone, so that a fault
 * is told of the right one, then as one. */
static om_status find_filter(struct binder *b, const struct origin *o,
                             const struct om_layer *layer,
                             const struct om_model_term *t,
                             struct om_filter **out)
{
    const char *own = t->filter && *t->filter ? t->filter : NULL;
    const char *asked =
        o->term && b->ask->filter && *b->ask->filter ? b->ask->filter : NULL;
    const char *until;
    OM_TRY(until_filter(b, o, layer, t->until, &until));
    *out = NULL;
    if (own) OM_TRY(parse_own(b, o, layer, own, out));
    if (!asked && !until) return OM_OK;
    om_filter_free(*out);
    *out = NULL;
    OM_TRY(join_filters(b, own, until, &own));
    if (!asked) return parse_own(b, o, layer, own, out);
    OM_TRY(parse_asked(b, layer, asked, out));
    if (!own) return OM_OK;
    om_filter_free(*out);
    *out = NULL;
    OM_TRY(join_filters(b, own, asked, &own));
    return parse_asked(b, layer, own, out);
}

static om_status find_times(struct binder *b, const struct origin *o,
                            const struct om_layer *layer, double half_life_days,
                            bool until, struct om_weighting *weight,
                            struct om_window *window)
{
    const bool has_time = layer->schema.time_field != OM_NO_FIELD;
    const struct om_risk_bound *bound = b->bound;
    if (!o->timed) return OM_OK;
    if (!has_time) {
        if (o->may_lack_time && half_life_days == 0) return OM_OK;
        if (half_life_days != 0)
            return fault(b, o, "half_life_days", OM_E_TYPE,
                         "the layer %s has no time column", layer->name);
        if (bound->window.set)
            return fault(b, o, "datetime", OM_E_TYPE,
                         "the layer %s has no time column", layer->name);
        if (b->ask->at)
            return fault(b, o, "at", OM_E_TYPE,
                         "the layer %s has no time column", layer->name);
        return OM_OK;
    }
    *window = bound->window;
    if (half_life_days == 0 && !b->ask->at && !until) return OM_OK;
    weight->at_s = bound->at_s;
    weight->half_life_s = half_life_days * DAY_S;
    b->bound->dated = true;
    return OM_OK;
}

static om_status bind_part(struct binder *b, const struct origin *o,
                           const struct om_model_term *t, double half_life_days,
                           struct om_risk_part *part, struct om_risk_rows *rows)
{
    part->factor = t->factor;
    struct om_field_spec *spec = &part->spec;
    spec->weight = OM_WEIGHT_ONE;
    OM_TRY(find_layer(b, o, t->layer, &spec->layer));
    OM_TRY(find_weight(b, o, spec->layer, t->weight, &spec->weight.column));
    OM_TRY(find_severity(b, o, spec->layer, &t->severity, &spec->weight.table));
    OM_TRY(find_times(b, o, spec->layer, half_life_days, t->until && *t->until,
                      &spec->weight, &rows->window));
    rows->own = t->filter;
    rows->until = t->until;
    return find_filter(b, o, spec->layer, t, &rows->filter);
}

/* ---- the terms --------------------------------------------------------- */

static double bandwidth_of(const struct binder *b,
                           const struct om_model_term *t)
{
    if (b->bandwidth_m > 0.0) return b->bandwidth_m;
    if (t->bandwidth_m > 0.0) return t->bandwidth_m;
    const struct om_model *m = b->bound->model;
    return m ? m->bandwidth_m : OM_BANDWIDTH_DEFAULT_M;
}

static enum om_kernel kernel_of(const struct binder *b, const char *name)
{
    enum om_kernel kernel = OM_KERNEL_QUARTIC;
    if (b->kernel_set) return b->kernel;
    if (!name && b->bound->model) name = b->bound->model->kernel;
    if (name) (void)om_kernel_from_name(name, &kernel);  // was checked
    return kernel;
}

static om_status bind_terms(struct binder *b, const struct om_model_term *term,
                            size_t n)
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
        const struct origin o = {.path = bound->model ? path : NULL,
                                 .term = true,
                                 .timed = true,
                                 .may_lack_time = bound->model != NULL};
        // A half-life that was asked for is for the terms that have times.
        const struct om_layer *layer = om_snapshot_layer(b->snapshot, t->layer);
        const bool has_time = layer && layer->schema.time_field != OM_NO_FIELD;
        const bool asked =
            b->half_life_days > 0.0 && (has_time || !bound->model);
        bound->term[i].from = bound->model ? t : NULL;
        OM_TRY(bind_part(b, &o, t,
                         asked ? b->half_life_days : t->half_life_days,
                         &part[i], &bound->term[i]));
        part[i].spec.kernel = kernel_of(b, t->kernel);
        part[i].spec.bandwidth_m = bandwidth_of(b, t);
        times |= has_time;
    }
    bound->layer = part[0].spec.layer;
    if (times) return OM_OK;
    if (bound->window.set)
        return bad(b, "datetime", OM_E_TYPE,
                   "datetime: no term of the model has times");
    if (b->half_life_days > 0.0)
        return bad(b, "halflife", OM_E_TYPE,
                   "halflife: no term of the model has times");
    return OM_OK;
}

/* ---- what is exposed --------------------------------------------------- */

/* The half-life that counts for exposures of the terms' period. */
static om_status shared_half_life(struct binder *b, const char *per,
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
                return bad(b, "per", OM_E_RANGE,
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

static om_status find_exposure(struct binder *b, const char *per, size_t i,
                               const struct om_exposure **out)
{
    *out = om_exposures_find(b->exposures, per);
    if (*out) return OM_OK;
    struct om_buf known = {0};
    om_buf_add_text(&known, "area");
    for (size_t k = 0; k < b->exposures->count; k++)
        om_buf_addf(&known, " %s", b->exposures->exposure[k].name);
    om_buf_add_byte(&known, 0);
    om_status st = known.status;
    if (!st && b->ask->per)
        st = bad(b, "per", OM_E_FORMAT, "per is one of: %s",
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

static om_status bind_exposure(struct binder *b, const struct om_model_per *per,
                               size_t i, struct om_risk_part *part,
                               struct om_risk_rows *rows)
{
    const struct om_exposure *e;
    double half_life_days = 0.0;
    OM_TRY(find_exposure(b, per->per, i, &e));
    if (i == 0) b->bound->per = e;
    if (e->windowed) OM_TRY(shared_half_life(b, e->name, &half_life_days));
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "exposures.%s", e->name);
    const struct origin o = {.path = path, .timed = e->windowed};
    const struct om_model_term t = {.layer = e->layer,
                                    .filter = e->filter,
                                    .weight = e->weight,
                                    .factor = per->factor};
    OM_TRY(bind_part(b, &o, &t, half_life_days, part, rows));
    const struct om_model *m = b->bound->model;
    double most = 0.0;
    for (size_t k = 0; k < b->bound->risk.terms; k++)
        most = fmax(most, b->bound->risk.term[k].spec.bandwidth_m);
    const bool own = m && m->per_bandwidth_m > 0.0 && !(b->bandwidth_m > 0.0);
    part->spec.bandwidth_m = own ? m->per_bandwidth_m : most;
    part->spec.kernel = kernel_of(b, m ? m->per_kernel : NULL);
    return OM_OK;
}

static const char *unit_text(struct binder *b, const char *own,
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

static om_status bind_exposures(struct binder *b)
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

/* ---- the texts --------------------------------------------------------- */

/* "2023-05" or "2023" where the window is that month or year of the city's
 * clock, "now" where there is none; false where it is something else. */
static bool name_period(const struct om_window *w, int32_t zone_s, char out[16])
{
    snprintf(out, 16, "now");
    if (!w->set) return true;
    const int64_t day = (int64_t)DAY_S;
    const bool open = w->from_s == INT64_MIN || w->to_s == INT64_MAX;
    if (open || (w->from_s + zone_s) % day || (w->to_s + zone_s) % day)
        return false;
    int64_t y0, y1;
    unsigned m0, m1, d0, d1;
    om_time_date((w->from_s + zone_s) / day, &y0, &m0, &d0);
    om_time_date((w->to_s + zone_s) / day, &y1, &m1, &d1);
    if (d0 != 1 || d1 != 1 || y0 < 1 || y0 > 9999) return false;
    const int64_t months = (y1 - y0) * 12 + (int64_t)m1 - (int64_t)m0;
    if (months == 1)
        snprintf(out, 16, "%04d-%02u", (int)y0, m0);
    else if (months == 12 && m0 == 1)
        snprintf(out, 16, "%04d", (int)y0);
    else
        return false;
    return true;
}

static void add_part(struct om_buf *out, const struct om_risk_part *p,
                     const struct om_risk_rows *rows, bool whole)
{
    const struct om_weighting *w = &p->spec.weight;
    om_buf_addf(out, "%s %u %.17g %.17g %.17g", p->spec.layer->name,
                (unsigned)p->spec.kernel, p->spec.bandwidth_m, p->factor,
                w->half_life_s);
    om_buf_addf(out, " w%zd", (ssize_t)w->column);
    if (w->table) {
        om_buf_addf(out, " t%zu %.17g", w->table->column, w->table->otherwise);
        for (size_t i = 0; i < w->table->count; i++)
            om_buf_addf(out, " %s=%.17g", w->table->value[i].text,
                        w->table->value[i].weight);
    }
    if (!whole) {
        om_buf_addf(out, " u%s f%s\n", rows->until ? rows->until : "",
                    rows->own ? rows->own : "");
        return;
    }
    om_buf_addf(out, " @%lld %d %lld %lld f%s\n", (long long)w->at_s,
                rows->window.set, (long long)rows->window.from_s,
                (long long)rows->window.to_s,
                rows->filter ? om_filter_canonical(rows->filter) : "");
}

static const char *describe(struct om_risk_bound *bound, bool whole)
{
    struct om_buf out = {0};
    om_buf_addf(&out, "%.17g %.17g %.17g\n", bound->risk.scale,
                bound->risk.floor, bound->risk.shrink);
    for (size_t i = 0; i < bound->risk.terms; i++)
        add_part(&out, &bound->risk.term[i], &bound->term[i], whole);
    om_buf_add_text(&out, "/\n");
    for (size_t i = 0; i < bound->risk.exposures; i++)
        add_part(&out, &bound->risk.exposure[i], &bound->exposed[i], whole);
    char *copy = out.status
                     ? NULL
                     : om_arena_text(&bound->arena, (char *)out.bytes, out.len);
    om_buf_deinit(&out);
    return copy;
}

/* ---- the whole --------------------------------------------------------- */

static om_status copy_ask(struct om_risk_bound *bound,
                          const struct om_risk_ask *ask)
{
    const char *const from[] = {ask->filter, ask->datetime,  ask->at,
                                ask->kernel, ask->bandwidth, ask->halflife,
                                ask->weight, ask->per};
    struct om_risk_ask *to = &bound->ask;
    const char **const copy[] = {&to->filter, &to->datetime,  &to->at,
                                 &to->kernel, &to->bandwidth, &to->halflife,
                                 &to->weight, &to->per};
    to->name = bound->name;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        if (!from[i]) continue;
        *copy[i] = om_arena_text(&bound->arena, from[i], strlen(from[i]));
        if (!*copy[i]) return OM_E_MEMORY;
    }
    return OM_OK;
}

static om_status bind_all(struct binder *b)
{
    struct om_risk_bound *bound = b->bound;
    const struct om_model *m = bound->model;
    OM_TRY(copy_ask(bound, b->ask));
    OM_TRY(read_options(b));
    const struct om_model_term plain = {
        .layer = bound->name, .weight = b->ask->weight, .factor = 1.0};
    OM_TRY(bind_terms(b, m ? m->term : &plain, m ? m->terms : 1));
    OM_TRY(bind_exposures(b));
    const bool period = name_period(
        &bound->window, b->snapshot->manifest->zone_s, bound->period);
    bound->filtered = (b->ask->filter && *b->ask->filter) || !period;
    bound->canonical = describe(bound, true);
    bound->field = describe(bound, false);
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
    struct binder b = {.snapshot = snapshot,
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
    if (entry && !entry->model)
        return om_fail(err, OM_E_NOTFOUND, 0, "%s", entry->err.text);
    if (!layer && !entry)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "there is no layer and no model '%.60s'", ask->name);
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

om_status om_risk_bind_whole(const struct om_snapshot *snapshot,
                             const struct om_risk_bound *bound, bool at,
                             struct om_risk_bound **out, struct om_err *err)
{
    struct om_risk_ask ask = bound->ask;
    struct om_window window = bound->window;
    char period[16];
    ask.filter = NULL;
    if (!at) ask.at = NULL;
    if (!name_period(&window, snapshot->manifest->zone_s, period))
        ask.datetime = NULL;
    return om_risk_bind(snapshot, bound->models, &ask, out, NULL, err);
}

static om_status select_rows(struct om_risk_part *part,
                             struct om_risk_rows *rows,
                             struct om_selections *cache)
{
    if (rows->selection) return OM_OK;
    OM_TRY(om_select(cache, part->spec.layer, &OM_POLICY_ALL, rows->filter,
                     rows->window, &rows->selection));
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
