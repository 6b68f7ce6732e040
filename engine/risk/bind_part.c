// bind_part.c - one term or exposure: its layer, columns, times and filters.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/risk/bind_internal.h"

/* A fault of a part: of the member `member`, or of the option it came by. */
static om_status fault(struct om__binder *b, const struct om__origin *o,
                       const char *member, om_status status, const char *format,
                       ...) OM_PRINTF(5, 6);
static om_status fault(struct om__binder *b, const struct om__origin *o,
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
    return om__bind_bad(b, option, status, "%s: %s", option, text);
}

/* The layer with the columns that the origin may name: what is asked for from
 * outside sees less than models and exposures do. */
static const struct om_layer *named(const struct om__origin *o,
                                    const struct om_layer *layer)
{
    return o->path ? om_layer_open(layer) : layer;
}

static om_status find_layer(struct om__binder *b, const struct om__origin *o,
                            const char *name, const struct om_layer **out)
{
    *out = om_snapshot_layer(b->snapshot, name);
    struct om_err lacks;
    if (!*out && om_snapshot_lacks(b->snapshot, name, &lacks) == OM_E_WITHHELD)
        return fault(b, o, "layer", OM_E_WITHHELD, "%s", lacks.text);
    if (!*out)
        return fault(b, o, "layer", OM_E_NOTFOUND, "there is no layer '%s'",
                     name);
    *out = named(o, *out);
    if ((*out)->schema.geometry != OM_GEOMETRY_POINT)
        return fault(b, o, "layer", OM_E_TYPE, "%s has no points", name);
    return OM_OK;
}

static bool is_number(enum om_type type)
{
    return type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
           type == OM_TYPE_BOOLEAN;
}

static om_status find_weight(struct om__binder *b, const struct om__origin *o,
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

static om_status find_severity(struct om__binder *b, const struct om__origin *o,
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

static om_status parse_asked(struct om__binder *b, const struct om_layer *layer,
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
static om_status join_filters(struct om__binder *b, const char *one,
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

/* Rows that are over by the moment asked for, or have not begun, do not count:
 * `member` is until or since and `name` its column. */
static om_status span_filter(struct om__binder *b, const struct om__origin *o,
                             const struct om_layer *layer, const char *member,
                             const char *name, const char **out)
{
    *out = NULL;
    if (!name || !*name) return OM_OK;
    const size_t column = om_schema_find(&layer->schema, name);
    if (column == OM_NO_FIELD)
        return fault(b, o, member, OM_E_FORMAT, "%s has no column '%.60s'",
                     layer->name, name);
    const enum om_type type = layer->schema.field[column].type;
    if (type != OM_TYPE_TIME)
        return fault(b, o, member, OM_E_TYPE,
                     "the column '%s' is %s, not a time", name,
                     om_type_name(type));
    char moment[OM_TIME_TEXT_BYTES], text[OM_LIMIT_NAME_BYTES * 4];
    om_time_format(b->bound->at_s, 0, moment);
    const int n = snprintf(text, sizeof text,
                           "\"%s\" IS NULL OR \"%s\" %s TIMESTAMP('%s')", name,
                           name, *member == 'u' ? ">" : "<=", moment);
    *out = om_arena_text(&b->bound->arena, text, (size_t)n);
    b->bound->dated = true;
    return *out ? OM_OK : OM_E_MEMORY;
}

static om_status parse_own(struct om__binder *b, const struct om__origin *o,
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
static om_status find_filter(struct om__binder *b, const struct om__origin *o,
                             const struct om_layer *layer,
                             const struct om_model_term *t,
                             struct om_filter **out)
{
    const char *own = t->filter && *t->filter ? t->filter : NULL;
    const char *asked =
        o->term && b->ask->filter && *b->ask->filter ? b->ask->filter : NULL;
    const char *since, *until;
    OM_TRY(span_filter(b, o, layer, "since", t->since, &since));
    OM_TRY(span_filter(b, o, layer, "until", t->until, &until));
    *out = NULL;
    if (own) OM_TRY(parse_own(b, o, layer, own, out));
    if (!asked && !until && !since) return OM_OK;
    om_filter_free(*out);
    *out = NULL;
    OM_TRY(join_filters(b, own, since, &own));
    OM_TRY(join_filters(b, own, until, &own));
    if (!asked) return parse_own(b, o, layer, own, out);
    // Of the layer as whoever asks sees it.
    const struct om_layer *seen = om_snapshot_layer(b->snapshot, layer->name);
    OM_TRY(parse_asked(b, seen ? seen : layer, asked, out));
    if (!own) return OM_OK;
    om_filter_free(*out);
    *out = NULL;
    OM_TRY(join_filters(b, own, asked, &own));
    return parse_asked(b, layer, own, out);
}

static om_status find_times(struct om__binder *b, const struct om__origin *o,
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
    weight->half_life_s = half_life_days * OM__DAY_S;
    b->bound->dated = true;
    return OM_OK;
}

om_status om__bind_part(struct om__binder *b, const struct om__origin *o,
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
    rows->since = t->since;
    rows->until = t->until;
    return find_filter(b, o, spec->layer, t, &rows->filter);
}
