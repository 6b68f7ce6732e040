// service_plan.c - the service member of city.json, read beside the options.
#include "web/service_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_MODE_M_PER_MIN 80.0  // 4.8 km/h, where city.json names no modes

static om_status bad_member(struct om_coverage *q, const char *member,
                            const char *what)
{
    return om_fail(&q->err, OM_E_FORMAT, 0, "city.json: service.%s %s", member,
                   what);
}

/* A member of an object under "service". */
struct member {
    struct om_coverage *q;
    const struct om_json *in;
    char path[80];  // of `in`, with its dot
};

static struct member member_of(struct om_coverage *q, const struct om_json *in,
                               const char *path)
{
    struct member m = {.q = q, .in = in};
    snprintf(m.path, sizeof m.path, "%s", path);
    return m;
}

static om_status bad(const struct member *m, const char *key, const char *what)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", m->path, key);
    return bad_member(m->q, path, what);
}

static om_status read_text(const struct member *m, const char *key,
                           const char **out)
{
    const struct om_json *value = om_json_get(m->in, key);
    if (om_json_kind(value) == OM_JSON_NONE) return OM_OK;
    if (om_json_kind(value) != OM_JSON_TEXT)
        return bad(m, key, "is not a text");
    *out = om_json_text(value, "");
    return OM_OK;
}

static om_status read_real(const struct member *m, const char *key, double min,
                           double max, double *out)
{
    const struct om_json *value = om_json_get(m->in, key);
    if (om_json_kind(value) == OM_JSON_NONE) return OM_OK;
    const double number = om_json_real(value, NAN);
    char what[80];
    snprintf(what, sizeof what, "is not a number in [%g, %g]", min, max);
    if (!(number >= min && number <= max)) return bad(m, key, what);
    *out = number;
    return OM_OK;
}

/* A layer that a member names. */
static om_status member_layer(const struct member *m, const char *key,
                              enum om_geometry geometry,
                              const struct om_layer **out)
{
    const char *name = NULL;
    OM_TRY(read_text(m, key, &name));
    if (!name) return OM_OK;
    *out = om_snapshot_layer(m->q->snapshot, name);
    if (!*out &&
        om_snapshot_lacks(m->q->snapshot, name, &m->q->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!*out) return bad(m, key, "names a layer that the city does not have");
    if ((*out)->schema.geometry != geometry)
        return bad(m, key, "names a layer of another geometry");
    return om__coverage_allowed(m->q, *out);
}

static size_t whole_number(const struct om_layer *layer, const char *column)
{
    const size_t field = om_schema_find(&layer->schema, column);
    return field != OM_NO_FIELD &&
                   layer->schema.field[field].type == OM_TYPE_INTEGER
               ? field
               : OM_NO_FIELD;
}

/* A column that the asker does not see is weighed for the city as a whole, in
 * the city's own question: with places, bounds or minutes of one's choice
 * differences would tell of single rows. */
static om_status weigh_hidden(struct om_coverage *q, const char *weight,
                              struct om__service *s)
{
    const char *layer = s->people->name;
    if (q->options || s->people->rights.area)
        return om_fail(&q->err, OM_E_FORMAT, 0,
                       "'%.60s' of %s is only added up for the city as a "
                       "whole: ask without parameters, or for "
                       "people=%s, which counts rows",
                       weight, layer, layer);
    s->people = om_layer_open(s->people);
    s->weight = whole_number(s->people, weight);
    return OM_OK;
}

static om_status read_people(struct om_coverage *q, const struct om_json *plan,
                             struct om__service *s)
{
    const struct member m =
        member_of(q, om_json_get(plan, "population"), "population.");
    const char *named = om__coverage_text(q, "people");
    const char *weight = NULL, *option = om__coverage_text(q, "weight");
    s->people_en = "people";
    s->people_zh = "人";
    if (named) {
        OM_TRY(om__coverage_layer(q, "people", named, true, &s->people));
    } else {
        OM_TRY(member_layer(&m, "layer", OM_GEOMETRY_POINT, &s->people));
        OM_TRY(read_text(&m, "weight", &weight));
        OM_TRY(read_text(&m, "name", &s->people_en));
        OM_TRY(read_text(&m, "name_zh", &s->people_zh));
    }
    if (!s->people)
        return om__coverage_bad(q, "people", OM_E_FORMAT,
                                "who is to be served? city.json has no "
                                "service.population.layer: name a layer of "
                                "points");
    s->weight = OM_NO_FIELD;
    if (option) weight = option;
    if (!weight) return OM_OK;
    s->weight = whole_number(s->people, weight);
    if (s->weight != OM_NO_FIELD) return OM_OK;
    if (!option &&
        whole_number(om_layer_open(s->people), weight) != OM_NO_FIELD)
        return weigh_hidden(q, weight, s);
    return option ? om__coverage_bad(q, "weight", OM_E_FORMAT,
                                     "%s has no whole-number column '%.60s'",
                                     s->people->name, weight)
                  : bad(&m, "weight", "names no whole-number column");
}

static om_status read_centres(struct om_coverage *q, const struct om_json *plan,
                              struct om__service *s)
{
    const struct member m = member_of(q, plan, "");
    const char *named = om__coverage_text(q, "layer");
    const char *capacity = NULL;
    s->capacity = OM_NO_FIELD;
    if (named) return om__coverage_layer(q, "layer", named, true, &s->centres);
    OM_TRY(member_layer(&m, "layer", OM_GEOMETRY_POINT, &s->centres));
    if (!s->centres)
        return om__coverage_bad(q, "layer", OM_E_FORMAT,
                                "which centres? city.json has no "
                                "service.layer: name a layer of points");
    OM_TRY(read_text(&m, "capacity", &capacity));
    if (!capacity) return OM_OK;
    s->capacity = om_schema_find(&s->centres->schema, capacity);
    if (s->capacity == OM_NO_FIELD ||
        s->centres->schema.field[s->capacity].type != OM_TYPE_INTEGER)
        return bad(&m, "capacity", "names no whole-number column");
    return OM_OK;
}

static om_status read_roads(struct om_coverage *q, const struct om_json *plan,
                            struct om__service *s)
{
    const struct member top = member_of(q, plan, "");
    const struct member m = member_of(q, om_json_get(plan, "roads"), "roads.");
    const char *crossings = "vertices";
    OM_TRY(member_layer(&m, "layer", OM_GEOMETRY_LINE, &s->roads));
    OM_TRY(member_layer(&top, "water", OM_GEOMETRY_POLYGON, &s->water));
    OM_TRY(read_text(&m, "crossings", &crossings));
    s->cross = !strcmp(crossings, "join");
    if (!s->cross && strcmp(crossings, "vertices") != 0)
        return bad(&m, "crossings", "is neither \"join\" nor \"vertices\"");
    OM_TRY(read_text(&m, "apart", &s->apart));
    s->join_m = 0.5;
    s->reach_m = 300;
    OM_TRY(read_real(&m, "join_m", 0, 10, &s->join_m));
    OM_TRY(read_real(&m, "least_m", 0, 1e6, &s->least_m));
    OM_TRY(read_real(&m, "reach_m", 1, OM_SNAP_MAX_M, &s->reach_m));
    OM_TRY(om__coverage_real(q, "reach", 1, OM_SNAP_MAX_M, &s->reach_m));
    s->factor = 1.3;
    OM_TRY(read_real(&top, "straight_factor", 1, 10, &s->factor));
    return om__coverage_real(q, "factor", 1, 10, &s->factor);
}

static void list_modes(const struct om_json *modes, char *out, size_t room)
{
    out[0] = '\0';
    for (size_t i = 0; i < om_json_count(modes); i++) {
        const char *key = "";
        om_json_member(modes, i, &key);
        const size_t len = strlen(out);
        snprintf(out + len, room - len, "%s%s", i ? ", " : "", key);
    }
}

static om_status read_mode(struct om_coverage *q, const struct om_json *plan,
                           struct om__service *s)
{
    const struct om_json *modes = om_json_get(plan, "modes");
    const char *first = "walk", *asked = om__coverage_text(q, "mode");
    s->m_per_min = s->foot_m_per_min = NO_MODE_M_PER_MIN;
    const struct om_json *foot = om_json_member(modes, 0, &first);
    s->mode = asked ? asked : first;
    s->mode_en = s->mode_zh = "";
    const struct om_json *mode = om_json_get(modes, s->mode);
    const bool bare = !om_json_count(modes) && !strcmp(s->mode, "walk");
    if (!mode && !bare) {
        char known[160];
        list_modes(modes, known, sizeof known);
        return om__coverage_bad(q, "mode", OM_E_FORMAT,
                                "there is no mode '%.40s'; there is %s",
                                s->mode, known[0] ? known : "walk");
    }
    char path[80];
    snprintf(path, sizeof path, "modes.%.40s.", s->mode);
    const struct member m = member_of(q, mode, path);
    snprintf(path, sizeof path, "modes.%.40s.", first);
    const struct member f = member_of(q, foot, path);
    OM_TRY(read_real(&m, "m_per_min", 1, 10000, &s->m_per_min));
    OM_TRY(read_real(&f, "m_per_min", 1, 10000, &s->foot_m_per_min));
    OM_TRY(read_text(&m, "roads", &s->usable));
    OM_TRY(read_text(&m, "name", &s->mode_en));
    return read_text(&m, "name_zh", &s->mode_zh);
}

static om_status add_limit(struct om_coverage *q, struct om__service *s,
                           double m)
{
    if (!(m >= 1 && m <= 1e6))
        return om__coverage_bad(q, "limits", OM_E_RANGE,
                                "%g is not in [1, 1000000] metres", m);
    if (s->nears == OM__SERVICE_LIMITS)
        return om__coverage_bad(q, "limits", OM_E_RANGE, "more than %d limits",
                                OM__SERVICE_LIMITS);
    s->near[s->nears++] = (struct om_nearness){false, m};
    return OM_OK;
}

static om_status read_limits(struct om_coverage *q, const struct om_json *plan,
                             struct om__service *s)
{
    const struct member m = member_of(q, plan, "");
    const struct om_json *list = om_json_get(plan, "limits_m");
    const char *text = om__coverage_text(q, "limits");
    if (text) {
        for (const char *at = text;; at++) {
            char *end;
            const double value = strtod(at, &end);
            if (end == at || (*end && *end != ','))
                return om__coverage_bad(q, "limits", OM_E_FORMAT,
                                        "'%.40s' is not a list of metres such "
                                        "as 500,1000",
                                        text);
            OM_TRY(add_limit(q, s, value));
            if (!*(at = end)) break;
        }
    } else if (om_json_kind(list) == OM_JSON_LIST) {
        if (om_json_count(list) > OM__SERVICE_LIMITS)
            return bad(&m, "limits_m", "has too many limits");
        for (size_t i = 0; i < om_json_count(list); i++) {
            const double value = om_json_real(om_json_at(list, i), NAN);
            if (!(value >= 1 && value <= 1e6))
                return bad(&m, "limits_m",
                           "is not a list of metres from 1 to 1000000");
            OM_TRY(add_limit(q, s, value));
        }
    } else if (om_json_kind(list) != OM_JSON_NONE) {
        return bad(&m, "limits_m", "is not a list");
    } else {
        OM_TRY(add_limit(q, s, 500));
        OM_TRY(add_limit(q, s, 1000));
    }
    double minutes = 10;
    OM_TRY(read_real(&m, "minutes", 0.1, 1440, &minutes));
    OM_TRY(om__coverage_real(q, "minutes", 0.1, 1440, &minutes));
    s->near[s->nears++] = (struct om_nearness){true, minutes};
    return OM_OK;
}

static om_status read_over(struct om_coverage *q, struct om__service *out)
{
    const char *over = om__coverage_text(q, "over");
    if (!over) return OM_OK;
    if (!strcmp(over, "straight")) {
        out->roads = NULL;
        return OM_OK;
    }
    if (strcmp(over, "road") != 0)
        return om__coverage_bad(q, "over", OM_E_FORMAT,
                                "'%.40s' is neither road nor straight", over);
    if (!out->roads)
        return om__coverage_bad(q, "over", OM_E_NOTFOUND,
                                "the city has no roads (city.json: "
                                "service.roads.layer)");
    return OM_OK;
}

static om_status find_plan(struct om_coverage *q, const struct om_json **out)
{
    *out = om_json_get(q->snapshot->manifest->document, "service");
    if (om_json_kind(*out) == OM_JSON_NONE ||
        om_json_kind(*out) == OM_JSON_OBJECT)
        return OM_OK;
    return om_fail(&q->err, OM_E_FORMAT, 0,
                   "city.json: service is not an object");
}

om_status om__service_read_ways(struct om_coverage *q, struct om__service *out)
{
    const struct om_json *plan;
    *out = (struct om__service){0};
    OM_TRY(find_plan(q, &plan));
    OM_TRY(read_roads(q, plan, out));
    OM_TRY(read_mode(q, plan, out));
    return read_over(q, out);
}

om_status om__service_read(struct om_coverage *q, struct om__service *out)
{
    const struct om_json *plan;
    *out = (struct om__service){0};
    OM_TRY(find_plan(q, &plan));
    OM_TRY(read_centres(q, plan, out));
    OM_TRY(read_people(q, plan, out));
    OM_TRY(read_roads(q, plan, out));
    OM_TRY(read_mode(q, plan, out));
    OM_TRY(read_limits(q, plan, out));
    q->timeless = true;
    om__coverage_look(q, out->centres);
    om__coverage_look(q, out->people);
    om__coverage_look(q, out->roads);
    om__coverage_look(q, out->water);
    return read_over(q, out);
}

void om__service_near_name(struct om_nearness near, char out[24])
{
    snprintf(out, 24, "%g%s", near.at_most, near.minutes ? "min" : "m");
}

size_t om__service_name_field(const struct om_layer *layer)
{
    const size_t field = om_schema_find(&layer->schema, "name");
    if (field == OM_NO_FIELD) return OM_NO_FIELD;
    const enum om_type type = layer->schema.field[field].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY ? field
                                                            : OM_NO_FIELD;
}

om_status om__service_text(const struct om_layer *layer, size_t part,
                           size_t row, size_t column,
                           struct om_text_reader *reader, struct om_buf *out)
{
    const char *text = NULL;
    size_t len = 0;
    om_buf_clear(out);
    if (column != OM_NO_FIELD)
        OM_TRY(om_segment_text(layer->part[part].segment, column, row, reader,
                               &text, &len));
    if (text) om_buf_add(out, text, len);
    return om_buf_add_byte(out, 0);
}
