// question.c - city, layer, filter and time of a verb that asks.
#include "web/cli/question.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"

int om__question_fail(struct om__question *q, om_status status)
{
    if (!q->err.text[0])
        om_fail(&q->err, status, 0, "%s", om_status_text(status));
    return om__verb_fail(q->verb, &q->err);
}

int om__question_open(struct om__question *q)
{
    const om_status st = om_city_open(q->city_path, &q->city, &q->err);
    if (st) return om__question_fail(q, st);
    q->snapshot = om_city_snapshot(q->city);
    return OM_EXIT_DONE;
}

static int read_where(struct om__question *q)
{
    if (!q->where) return OM_EXIT_DONE;
    const om_status st =
        om_filter_parse(q->where, strlen(q->where), q->layer,
                        q->snapshot->manifest->zone_s, &q->filter, &q->err);
    if (!st) return OM_EXIT_DONE;
    return om__verb_usage(q->verb, "--where: %s",
                          q->err.text[0] ? q->err.text : om_status_text(st));
}

static int read_time(struct om__question *q)
{
    if (!q->time) return OM_EXIT_DONE;
    if (om_time_parse_interval(q->time, strlen(q->time),
                               q->snapshot->manifest->zone_s, &q->window.from_s,
                               &q->window.to_s))
        return om__verb_usage(q->verb,
                              "--time: '%s' is not FROM/TO, each a date or "
                              "time (2023-01-01/2023-06-30)",
                              q->time);
    if (q->layer->schema.time_field == OM_NO_FIELD)
        return om__verb_usage(q->verb, "--time: %s has no time column",
                              q->layer->name);
    q->window.set = true;
    return OM_EXIT_DONE;
}

int om__question_layer(struct om__question *q, const char *layer, bool points)
{
    q->layer = om_snapshot_layer(q->snapshot, layer);
    if (!q->layer) {
        if (om_snapshot_lacks(q->snapshot, layer, &q->err) == OM_E_WITHHELD)
            return om__verb_fail(q->verb, &q->err);
        om_fail(&q->err, OM_E_NOTFOUND, 0,
                "no layer '%s' (onemap info %s lists them)", layer,
                q->city_path);
        return om__verb_fail(q->verb, &q->err);
    }
    if (points && q->layer->schema.geometry != OM_GEOMETRY_POINT) {
        om_fail(&q->err, OM_E_TYPE, 0, "%s is not a layer of points", layer);
        return om__verb_fail(q->verb, &q->err);
    }
    const int status = read_where(q);
    return status ? status : read_time(q);
}

int om__question_number(const struct om__question *q, const char *option,
                        const char *name, size_t *column)
{
    const struct om_schema *schema = &q->layer->schema;
    *column = om_schema_find(schema, name);
    if (*column == OM_NO_FIELD)
        return om__verb_usage(q->verb, "%s: %s has no column '%s'", option,
                              q->layer->name, name);
    const enum om_type type = schema->field[*column].type;
    if (type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
        type == OM_TYPE_BOOLEAN)
        return OM_EXIT_DONE;
    return om__verb_usage(q->verb, "%s: column '%s' is %s, not a number",
                          option, name, om_type_name(type));
}

int om__question_real(const struct om__question *q, const char *option,
                      const char *text, double min, double max,
                      const char *what, double *out)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end || !(value >= min) || !(value <= max))
        return om__verb_usage(q->verb, "%s: '%s' is not %s", option, text,
                              what);
    *out = value;
    return OM_EXIT_DONE;
}

void om__question_close(struct om__question *q)
{
    om_filter_free(q->filter);
    om_snapshot_unref(q->snapshot);
    om_city_close(q->city);
    q->filter = NULL;
    q->snapshot = NULL;
    q->city = NULL;
}
