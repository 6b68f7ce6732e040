// picture.c - asks about pictures, read and made.
#include "web/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "web/picture_internal.h"

#define CHOROPLETH "choropleth:"

/* An ask being read. */
struct reading {
    const struct om_snapshot *snapshot;
    const struct om_picture_ask *ask;
    struct om_picture_bound *out;
    const char **option;
    struct om_err *err;
};

static om_status bad(struct reading *r, const char *option, om_status st,
                     const char *format, ...) OM_PRINTF(4, 5);
static om_status bad(struct reading *r, const char *option, om_status st,
                     const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (r->option) *r->option = option;
    return om_fail(r->err, st, 0, "%s", text);
}

/* Options that a kind of picture does not know. */
static om_status refuse(struct reading *r, const char *what, bool filters,
                        bool rows, bool units, bool base)
{
    const struct om_picture_ask *a = r->ask;
    const struct {
        const char *name, *value;
        bool fine;
    } option[] = {{"filter", a->filter, filters},
                  {"datetime", a->datetime, filters},
                  {"by", a->by, rows},
                  {"stat", a->stat, units},
                  {"layer", a->layer, units},
                  {"column", a->column, units},
                  {"per", a->per, units},
                  {"with_filter", a->with_filter, units},
                  {"with_datetime", a->with_datetime, units},
                  {"ramp", a->ramp, units},
                  {"labels", a->labels, base}};
    for (size_t i = 0; i < sizeof option / sizeof *option; i++)
        if (option[i].value && !option[i].fine)
            return bad(r, option[i].name, OM_E_FORMAT, "%s has no %s", what,
                       option[i].name);
    return OM_OK;
}

static om_status read_palette(struct reading *r, const char *word,
                              const char *option)
{
    if (om_palette_from_name(word, &r->out->palette)) return OM_OK;
    return bad(r, option, option ? OM_E_FORMAT : OM_E_NOTFOUND,
               "palette is dark or light");
}

static om_status read_column(struct reading *r, const char *option,
                             const char *name, bool number, size_t *out)
{
    const struct om_layer *layer = r->out->layer;
    *out = OM_NO_FIELD;
    if (!name) return OM_OK;
    *out = om_schema_find(&layer->schema, name);
    if (*out == OM_NO_FIELD)
        return bad(r, option, OM_E_FORMAT, "%s has no column '%.60s'",
                   layer->name, name);
    const enum om_type type = layer->schema.field[*out].type;
    const bool is_number = type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
                           type == OM_TYPE_BOOLEAN;
    if (number && !is_number)
        return bad(r, option, OM_E_TYPE, "column '%.60s' is %s, not a number",
                   name, om_type_name(type));
    if (!number && (type == OM_TYPE_TIME || *out == layer->schema.id_field))
        return bad(r, option, OM_E_TYPE,
                   "rows cannot be told apart by column '%.60s'", name);
    return OM_OK;
}

static om_status read_condition(struct reading *r, const char *option,
                                const char *text, struct om_filter **out)
{
    if (!text) return OM_OK;
    const om_status st =
        om_filter_parse(text, strlen(text), r->out->layer,
                        r->snapshot->manifest->zone_s, out, r->err);
    if (st && r->option) *r->option = option;
    return st;
}

static om_status read_window(struct reading *r, const char *option,
                             const char *text, struct om_window *out)
{
    if (!text) return OM_OK;
    if (om_time_parse_interval(text, strlen(text),
                               r->snapshot->manifest->zone_s, &out->from_s,
                               &out->to_s))
        return bad(r, option, OM_E_FORMAT,
                   "%s is FROM/TO, each a date or time, or ..", option);
    out->set = true;
    return OM_OK;
}

static om_status read_filter(struct reading *r)
{
    const struct om_picture_ask *a = r->ask;
    struct om_picture_bound *b = r->out;
    const struct om_layer *layer = b->layer;
    OM_TRY(read_condition(r, "filter", a->filter, &b->filter));
    OM_TRY(read_condition(r, "with_filter", a->with_filter, &b->with_filter));
    OM_TRY(read_window(r, "datetime", a->datetime, &b->window));
    OM_TRY(read_window(r, "with_datetime", a->with_datetime, &b->with_window));
    b->compared = a->with_filter || a->with_datetime;
    if ((b->window.set || b->with_window.set) &&
        layer->schema.time_field == OM_NO_FIELD)
        return bad(r, b->window.set ? "datetime" : "with_datetime", OM_E_FORMAT,
                   "%s has no time column", layer->name);
    return OM_OK;
}

/* ---- kinds ---- */

static om_status read_base(struct reading *r, size_t len)
{
    const char *name = r->ask->name, *labels = r->ask->labels;
    const char *lang = r->ask->lang;
    struct om_picture_bound *b = r->out;
    b->kind = OM_PICTURE_BASE;
    b->map = len == strlen("base");
    b->labels = true;
    OM_TRY(refuse(r, "the base map", false, false, false, b->map));
    if (name[len] == ':') OM_TRY(read_palette(r, name + len + 1, NULL));
    if (labels && strcmp(labels, "yes") != 0 && strcmp(labels, "no") != 0)
        return bad(r, "labels", OM_E_FORMAT, "labels is yes or no");
    b->labels = !labels || !strcmp(labels, "yes");
    if (lang && strcmp(lang, "zh") != 0 && strcmp(lang, "en") != 0)
        return bad(r, "lang", OM_E_FORMAT, "lang is zh or en");
    // Where no names are, it is the same map.
    if (lang && b->labels && !strcmp(lang, "en")) b->language = OM_LANGUAGE_EN;
    return OM_OK;
}

static om_status read_per(struct reading *r)
{
    const char *per = r->ask->per;
    OM_TRY(
        om_exposures_read(r->snapshot->manifest, &r->out->exposures, r->err));
    if (!per || !strcmp(per, "area")) return OM_OK;
    r->out->per = om_exposures_find(&r->out->exposures, per);
    if (r->out->per && om_snapshot_has_layer(r->snapshot, r->out->per->layer))
        return OM_OK;
    struct om_buf known = {0};
    for (size_t i = 0; i < r->out->exposures.count; i++)
        if (om_snapshot_has_layer(r->snapshot,
                                  r->out->exposures.exposure[i].layer))
            om_buf_addf(&known, ", %s", r->out->exposures.exposure[i].name);
    om_buf_add_byte(&known, 0);
    const om_status st = bad(r, "per", OM_E_FORMAT, "per is one of area%s",
                             known.status ? "" : (const char *)known.bytes);
    om_buf_deinit(&known);
    return st;
}

static om_status copy_text(const char *text, char **out)
{
    if (!text) return OM_OK;
    *out = om_strdup(text);
    return *out ? OM_OK : OM_E_MEMORY;
}

/* Coverage is of its own period where none is named. */
static om_status read_coverage(struct reading *r)
{
    struct om_picture_bound *b = r->out;
    const struct om_picture_ask *a = r->ask;
    const bool dated = a->datetime || a->with_datetime;
    const char *wrong = a->layer         ? "layer"
                        : a->per         ? "per"
                        : a->filter      ? "filter"
                        : a->with_filter ? "with_filter"
                                         : NULL;
    if (!wrong && dated && !om__picture_is_dated(a->stat))
        wrong = a->datetime ? "datetime" : "with_datetime";
    if (wrong)
        return bad(r, wrong, OM_E_FORMAT, "a map of %s has no %s", a->stat,
                   wrong);
    OM_TRY(read_window(r, "datetime", a->datetime, &b->window));
    OM_TRY(read_window(r, "with_datetime", a->with_datetime, &b->with_window));
    b->compared = a->with_datetime != NULL;
    OM_TRY(copy_text(a->datetime, &b->time));
    OM_TRY(copy_text(a->with_datetime, &b->with_time));
    return copy_text(a->column, &b->answer_column);
}

/* What an analysis is asked; it reads most of it itself. */
static om_status read_answer(struct reading *r)
{
    struct om_picture_bound *b = r->out;
    const struct om_picture_ask *a = r->ask;
    OM_TRY(copy_text(a->stat, &b->answer));
    if (b->stat == OM_STAT_HOTSPOTS) {
        // Classes are words, and mean the same on either side.
        if (a->column || a->with_filter || a->with_datetime || a->ramp)
            return bad(r,
                       a->column          ? "column"
                       : a->with_filter   ? "with_filter"
                       : a->with_datetime ? "with_datetime"
                                          : "ramp",
                       OM_E_FORMAT, "%s is classes: it has none", a->stat);
        OM_TRY(copy_text(a->per, &b->per_text));
        OM_TRY(copy_text(a->datetime, &b->time));
        OM_TRY(read_filter(r));
        return b->filter ? copy_text(om_filter_canonical(b->filter), &b->where)
                         : OM_OK;
    }
    if (!a->column)
        return bad(r, "column", OM_E_FORMAT,
                   "column is missing: which number of %s is painted", a->stat);
    return read_coverage(r);
}

static om_status read_stat(struct reading *r)
{
    static const char *const name[] = {"count", "sum", "rate"};
    const char *stat = r->ask->stat;
    struct om_picture_bound *b = r->out;
    b->stat = r->ask->per      ? OM_STAT_RATE
              : r->ask->column ? OM_STAT_SUM
                               : OM_STAT_COUNT;
    for (int i = 0; stat && i < 3; i++)
        if (!strcmp(stat, name[i])) {
            b->stat = (enum om_picture_stat)i;
            stat = NULL;
        }
    if (stat)
        return bad(r, "stat", OM_E_FORMAT,
                   "stat is count, sum, rate, a statistic of "
                   "hotspots or a kind of coverage");
    OM_TRY(read_column(r, "column", r->ask->column, true, &b->column));
    if (b->stat == OM_STAT_SUM && b->column == OM_NO_FIELD)
        return bad(r, "column", OM_E_FORMAT, "a sum needs a column");
    if (b->stat == OM_STAT_COUNT && b->column != OM_NO_FIELD)
        return bad(r, "column", OM_E_FORMAT, "a count has no column");
    if (b->stat == OM_STAT_RATE) return read_per(r);
    return r->ask->per
               ? bad(r, "per", OM_E_FORMAT, "only a rate is per something")
               : OM_OK;
}

static bool lacks(const struct reading *r, const char *name)
{
    return om_snapshot_lacks(r->snapshot, name, r->err) == OM_E_WITHHELD;
}

static om_status read_units(struct reading *r)
{
    struct om_picture_bound *b = r->out;
    const char *level = r->ask->name + strlen(CHOROPLETH);
    const char *stat = r->ask->stat ? r->ask->stat : "";
    b->kind = OM_PICTURE_UNITS;
    OM_TRY(refuse(r, "a choropleth", true, false, true, false));
    const char *ramp = r->ask->ramp ? r->ask->ramp : "warm";
    b->cool = !strcmp(ramp, "cool");
    if (!b->cool && strcmp(ramp, "warm") != 0)
        return bad(r, "ramp", OM_E_FORMAT, "ramp is warm or cool");
    if (lacks(r, level)) return OM_E_WITHHELD;
    if (strlen(level) >= sizeof b->level ||
        !om_snapshot_units(r->snapshot, level))
        return bad(r, NULL, OM_E_NOTFOUND, "the city has no such units");
    memcpy(b->level, level, strlen(level) + 1);
    if (om__picture_is_coverage(stat)) {
        b->stat = OM_STAT_COVERAGE;
        return read_answer(r);
    }
    if (!r->ask->layer)
        return bad(r, "layer", OM_E_FORMAT,
                   "layer is missing: whose rows are counted");
    b->layer = om_snapshot_layer(r->snapshot, r->ask->layer);
    if (!b->layer && lacks(r, r->ask->layer)) return OM_E_WITHHELD;
    if (!b->layer)
        return bad(r, "layer", OM_E_FORMAT, "there is no layer '%.60s'",
                   r->ask->layer);
    if (om_layer_unit_field(b->layer, level) == OM_NO_FIELD)
        return bad(r, "layer", OM_E_TYPE, "rows of %s lie in no %s",
                   b->layer->name, level);
    if (om__picture_is_hotspots(stat)) {
        b->stat = OM_STAT_HOTSPOTS;
        return read_answer(r);
    }
    OM_TRY(read_stat(r));
    return read_filter(r);
}

static om_status read_rows(struct reading *r)
{
    struct om_picture_bound *b = r->out;
    b->kind = OM_PICTURE_ROWS;
    b->layer = om_snapshot_layer(r->snapshot, r->ask->name);
    if (!b->layer) b->layer = om_snapshot_units(r->snapshot, r->ask->name);
    if (!b->layer && lacks(r, r->ask->name)) return OM_E_WITHHELD;
    if (!b->layer)
        return bad(r, NULL, OM_E_NOTFOUND,
                   "there is no such picture; base, labels, " CHOROPLETH
                   "LEVEL, heat:LAYER and names of layers are some");
    OM_TRY(refuse(r, "a picture of a layer", true, true, false, false));
    OM_TRY(read_column(r, "by", r->ask->by, false, &b->by));
    OM_TRY(read_filter(r));
    // Units that are not told apart are borders.
    const char *level = b->layer->meta ? b->layer->meta->unit_level : "";
    if (!*level || r->ask->by || b->filter || b->window.set) return OM_OK;
    b->kind = OM_PICTURE_UNITS;
    b->outline = true;
    snprintf(b->level, sizeof b->level, "%s", level);
    return OM_OK;
}

static void add_canonical(struct reading *r)
{
    struct om_picture_bound *b = r->out;
    struct om_buf *c = &b->canonical;
    om_buf_addf(c, "%d %d %d %d %d %d|%s|%s|", b->kind, b->palette, b->map,
                b->labels, b->language, b->outline, b->level,
                b->layer ? b->layer->name : "");
    om_buf_addf(c, "%zu %zu %d|%s|", b->by, b->column, b->stat,
                b->per ? b->per->name : "");
    om_buf_addf(c, "%s|%s|%s|", b->answer ? b->answer : "",
                b->answer_column ? b->answer_column : "",
                b->per_text ? b->per_text : "");
    if (b->window.set)
        om_buf_addf(c, "%lld/%lld", (long long)b->window.from_s,
                    (long long)b->window.to_s);
    om_buf_add_text(c, "|");
    if (b->filter) om_buf_add_text(c, om_filter_canonical(b->filter));
    om_buf_addf(c, "|%d|", b->cool);
    if (b->compared) om_buf_add_text(c, "with ");
    if (b->with_window.set)
        om_buf_addf(c, "%lld/%lld", (long long)b->with_window.from_s,
                    (long long)b->with_window.to_s);
    if (b->with_filter) om_buf_add_text(c, om_filter_canonical(b->with_filter));
    om_buf_add_byte(c, 0);
}

static bool is_name(const char *name, const char *what, size_t *len)
{
    *len = strlen(what);
    return !strncmp(name, what, *len) && (!name[*len] || name[*len] == ':');
}

om_status om_picture_bind(const struct om_snapshot *snapshot,
                          const struct om_picture_ask *ask,
                          struct om_picture_bound *out, const char **option,
                          struct om_err *err)
{
    struct reading r = {snapshot, ask, out, option, err};
    size_t len;
    *out = (struct om_picture_bound){
        .by = OM_NO_FIELD, .column = OM_NO_FIELD, .now_s = ask->now_s};
    if (option) *option = NULL;
    if (ask->palette) OM_TRY(read_palette(&r, ask->palette, "palette"));
    // A layer called so would be shadowed: no layer may have these names.
    if (is_name(ask->name, "base", &len) || is_name(ask->name, "labels", &len))
        OM_TRY(read_base(&r, len));
    else if (!strncmp(ask->name, CHOROPLETH, strlen(CHOROPLETH)))
        OM_TRY(read_units(&r));
    else
        OM_TRY(read_rows(&r));
    add_canonical(&r);
    return out->canonical.status;
}

void om_picture_bound_deinit(struct om_picture_bound *bound)
{
    om_free(bound->answer);
    om_free(bound->answer_column);
    om_free(bound->where);
    om_free(bound->time);
    om_free(bound->per_text);
    om_free(bound->with_time);
    om_filter_free(bound->filter);
    om_filter_free(bound->with_filter);
    om_exposures_deinit(&bound->exposures);
    om_buf_deinit(&bound->canonical);
    *bound = (struct om_picture_bound){0};
}

/* ---- making ---- */

bool om_picture_quick(const struct om_picture_bound *bound)
{
    return bound->kind == OM_PICTURE_BASE;
}

bool om_picture_heavy(const struct om_picture_bound *bound)
{
    return bound->stat == OM_STAT_HOTSPOTS || bound->stat == OM_STAT_COVERAGE;
}

/* Units of the ground, or those of an area alone. */
static om_status get_level(const struct om_snapshot *snapshot, const char *name,
                           struct om_base *base, struct om_level **out,
                           struct om_err *err)
{
    const struct om_layer *units = om_snapshot_units(snapshot, name);
    return units && units->rights.area ? om_level_new(snapshot, name, out, err)
                                       : om_base_level(base, name, out, err);
}

static om_status make_units(const struct om_picture_bound *b,
                            struct om_snapshot *snapshot, struct om_base *base,
                            struct om_selections *cache,
                            struct om_picture **out, struct om_err *err)
{
    struct om_level *level;
    struct om_unit_classes classes = {.outline = b->outline};
    OM_TRY(get_level(snapshot, b->level, base, &level, err));
    om_status st = OM_OK;
    if (om_picture_heavy(b))
        st = om__picture_answer(b, snapshot, level, cache, &classes, err);
    else if (!b->outline)
        st = om__picture_units(b, snapshot, level, cache, &classes, err);
    if (!st && b->cool) om_unit_classes_cool(&classes);
    if (!st)
        st = om_picture_units_take(base, level, &classes, b->palette, out);
    else
        om_unit_classes_deinit(&classes);
    om_level_unref(level);
    return st;
}

static om_status make_rows(const struct om_picture_bound *b,
                           struct om_snapshot *snapshot,
                           struct om_selections *cache, struct om_picture **out,
                           struct om_err *err)
{
    struct om_classes classes;
    struct om_selection *selection;
    om_status st = om_classes_of(snapshot, b->layer, b->by, &classes, err);
    if (st == OM_E_TYPE && err && !err->code)
        om_fail(err, st, 0,
                "rows cannot be told apart by that column: it has "
                "too many values");
    if (st) return st;
    st = om_select(cache, b->layer, b->filter, b->window, &selection);
    if (st) {
        om_classes_deinit(&classes);
        return st;
    }
    st = om_picture_rows_take(snapshot, b->layer, selection, &classes,
                              b->palette, out);
    om_selection_unref(selection);
    return st;
}

om_status om_picture_make(const struct om_picture_bound *bound,
                          struct om_snapshot *snapshot, struct om_base *base,
                          struct om_selections *cache, struct om_picture **out,
                          struct om_err *err)
{
    switch (bound->kind) {
        case OM_PICTURE_BASE:
            return om_picture_base(base, bound->palette, bound->map,
                                   bound->labels, out);
        case OM_PICTURE_UNITS:
            return make_units(bound, snapshot, base, cache, out, err);
        case OM_PICTURE_ROWS:
            return make_rows(bound, snapshot, cache, out, err);
        case OM_PICTURE_HEAT:
            break;  // not made here
    }
    return OM_E_INTERNAL;
}
