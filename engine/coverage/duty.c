// duty.c - the member "duty" of city.json, read once and checked.
#include "engine/coverage/duty.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"

#define PATH_BYTES 160

/* Where we are in the document, for messages. */
struct place {
    const struct om_snapshot *snapshot;
    struct om_arena *arena;
    struct om_duty *duty;
    struct om_err *err;
    char path[PATH_BYTES];  // "duty.targets[0]"
};

static struct place inside(const struct place *p, const char *name)
{
    struct place in = *p;
    snprintf(in.path, sizeof in.path, "%.60s.%.30s", p->path, name);
    return in;
}

static struct place element(const struct place *p, size_t i)
{
    struct place in = *p;
    snprintf(in.path, sizeof in.path, "%.80s[%zu]", p->path, i);
    return in;
}

static om_status wrong(const struct place *p, const char *member,
                       om_status status, const char *what, const char *value)
{
    return om_fail(p->err, status, 0, "city.json: %s%s%s: %s%s%.60s%s", p->path,
                   member ? "." : "", member ? member : "", what,
                   value ? " '" : "", value ? value : "", value ? "'" : "");
}

om_status om_duty_lacks(const char *member, const char *what,
                        struct om_err *err)
{
    return om_fail(err, OM_E_NOTFOUND, 0,
                   "city.json: duty.%s is not there: it says %s", member, what);
}

/* A text member; *out NULL if it is not there. */
static om_status get_text(const struct place *p, const struct om_json *object,
                          const char *member, const char **out)
{
    const struct om_json *value = om_json_get(object, member);
    *out = NULL;
    if (!value) return OM_OK;
    if (om_json_kind(value) != OM_JSON_TEXT)
        return wrong(p, member, OM_E_FORMAT, "is not a text", NULL);
    *out = om_json_text(value, "");
    return OM_OK;
}

static om_status need_text(const struct place *p, const struct om_json *object,
                           const char *member, const char **out)
{
    OM_TRY(get_text(p, object, member, out));
    return *out ? OM_OK : wrong(p, member, OM_E_FORMAT, "is not there", NULL);
}

/* The layer that a member names; NULL, and noted, if the city does not hold
 * it: a city may be imported layer by layer. */
static om_status get_layer(const struct place *p, const struct om_json *object,
                           const struct om_layer **out)
{
    const char *name;
    OM_TRY(need_text(p, object, "layer", &name));
    *out = om_snapshot_layer(p->snapshot, name);
    if (*out) *out = om_layer_listed(om_layer_open(*out));
    if (*out) return OM_OK;
    if (om_snapshot_lacks(p->snapshot, name, p->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    char *missing = p->duty->missing;
    const size_t len = strlen(missing), room = sizeof p->duty->missing;
    snprintf(missing + len, room - len, "%s%.60s", len ? ", " : "", name);
    return OM_OK;
}

static bool is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static bool is_number(enum om_type type)
{
    return type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
           type == OM_TYPE_BOOLEAN;
}

/* What a column must be. */
enum wanted { TEXT, NUMBER, TIME, BOOLEAN };

static bool suits(enum om_type type, enum wanted wanted)
{
    switch (wanted) {
        case TEXT:
            return is_text(type);
        case NUMBER:
            return is_number(type);
        case TIME:
            return type == OM_TYPE_TIME;
        default:
            return type == OM_TYPE_BOOLEAN;
    }
}

static om_status find_column(const struct place *p,
                             const struct om_layer *layer, const char *member,
                             const char *name, enum wanted wanted, size_t *out)
{
    static const char *const WANTED[] = {"no text", "no number", "no time",
                                         "no boolean"};
    *out = om_schema_find(&layer->schema, name);
    if (*out == OM_NO_FIELD)
        return wrong(p, member, OM_E_NOTFOUND, "the layer has no column", name);
    if (!suits(layer->schema.field[*out].type, wanted))
        return wrong(p, member, OM_E_TYPE, WANTED[wanted], name);
    return OM_OK;
}

/* The column that a member names; OM_NO_FIELD if it is not there and need not
 * be. */
static om_status get_column(const struct place *p, const struct om_json *object,
                            const struct om_layer *layer, const char *member,
                            enum wanted wanted, bool need, size_t *out)
{
    const char *name;
    *out = OM_NO_FIELD;
    if (need)
        OM_TRY(need_text(p, object, member, &name));
    else
        OM_TRY(get_text(p, object, member, &name));
    return name ? find_column(p, layer, member, name, wanted, out) : OM_OK;
}

/* --- tables ------------------------------------------------------------ */

static om_status level_number(const struct place *p,
                              struct om_duty_target *target, const char *name,
                              size_t *out)
{
    for (size_t i = 0; i < target->levels; i++) {
        *out = i;
        if (!strcmp(target->level_name[i], name)) return OM_OK;
    }
    if (target->levels == OM_DUTY_LEVELS_MOST)
        return wrong(p, NULL, OM_E_LIMIT, "has more levels than 32", NULL);
    *out = target->levels++;
    target->level_name[*out] = om_arena_text(p->arena, name, strlen(name));
    target->risk[*out] = 1;
    return target->level_name[*out] ? OM_OK : OM_E_MEMORY;
}

static om_status read_table(const struct place *p, const struct om_json *object,
                            struct om_duty_target *target,
                            struct om_duty_table *out)
{
    const char *from;
    memset(out->visits, -1, sizeof out->visits);
    OM_TRY(need_text(p, object, "from", &from));
    if (om_time_parse(from, strlen(from), p->snapshot->manifest->zone_s,
                      &out->from_s))
        return wrong(p, "from", OM_E_FORMAT, "is not a date:", from);
    const struct om_json *visits = om_json_get(object, "visits");
    if (om_json_kind(visits) != OM_JSON_OBJECT)
        return wrong(p, "visits", OM_E_FORMAT,
                     "is not an object of levels and visits a month", NULL);
    for (size_t i = 0; i < om_json_count(visits); i++) {
        const char *name;
        size_t level;
        const struct om_json *value = om_json_member(visits, i, &name);
        const int64_t n = om_json_integer(value, -1);
        if (n < 0 || n > OM_DUTY_VISITS_MOST)
            return wrong(p, "visits", OM_E_RANGE,
                         "not a whole number from 0 to 31 at", name);
        OM_TRY(level_number(p, target, name, &level));
        out->visits[level] = (int8_t)n;
    }
    return OM_OK;
}

static int by_date(const void *one, const void *two)
{
    const struct om_duty_table *p = one, *q = two;
    return (p->from_s > q->from_s) - (p->from_s < q->from_s);
}

static om_status read_tables(const struct place *p,
                             const struct om_json *object,
                             struct om_duty_target *target)
{
    const struct om_json *list = om_json_get(object, "tables");
    const size_t n = om_json_count(list);
    if (om_json_kind(list) != OM_JSON_LIST || !n)
        return wrong(p, "tables", OM_E_FORMAT, "is not a list of dated tables",
                     NULL);
    if (n > OM_DUTY_TABLES_MOST)
        return wrong(p, "tables", OM_E_LIMIT, "has more tables than 64", NULL);
    struct om_duty_table *table = om_arena_calloc(p->arena, n, sizeof *table);
    if (!table) return OM_E_MEMORY;
    const struct place here = inside(p, "tables");
    for (size_t i = 0; i < n; i++) {
        const struct place at = element(&here, i);
        OM_TRY(read_table(&at, om_json_at(list, i), target, &table[i]));
    }
    qsort(table, n, sizeof *table, by_date);
    for (size_t i = 1; i < n; i++)
        if (table[i].from_s == table[i - 1].from_s)
            return wrong(p, "tables", OM_E_FORMAT, "has two tables of one date",
                         NULL);
    target->tables = n;
    target->table = table;
    return OM_OK;
}

static om_status read_risk(const struct place *p, const struct om_json *object,
                           struct om_duty_target *target)
{
    const struct om_json *risk = om_json_get(object, "risk");
    if (!risk) return OM_OK;
    if (om_json_kind(risk) != OM_JSON_OBJECT)
        return wrong(p, "risk", OM_E_FORMAT,
                     "is not an object of levels and weights", NULL);
    for (size_t i = 0; i < om_json_count(risk); i++) {
        const char *name;
        size_t level = 0;
        const double weight = om_json_real(om_json_member(risk, i, &name), NAN);
        if (!isfinite(weight) || weight < 0)
            return wrong(p, "risk", OM_E_RANGE, "not a weight of 0 or more at",
                         name);
        while (level < target->levels &&
               strcmp(target->level_name[level], name) != 0)
            level++;
        if (level == target->levels)
            return wrong(p, "risk", OM_E_FORMAT, "no table has a level", name);
        target->risk[level] = weight;
    }
    return OM_OK;
}

/* --- members ----------------------------------------------------------- */

static om_status read_address(const struct place *p,
                              const struct om_json *object,
                              struct om_duty_target *target)
{
    const struct om_json *address = om_json_get(object, "address");
    target->address = target->address_text = OM_NO_FIELD;
    if (!address) return OM_OK;
    const struct place here = inside(p, "address");
    OM_TRY(get_column(&here, address, target->layer, "column", TEXT, true,
                      &target->address));
    OM_TRY(get_layer(&here, address, &target->address_layer));
    if (!target->address_layer) target->address = OM_NO_FIELD;
    if (!target->address_layer) return OM_OK;
    return get_column(&here, address, target->address_layer, "text", TEXT, true,
                      &target->address_text);
}

static om_status read_target(const struct place *p,
                             const struct om_json *object,
                             struct om_duty_target *target)
{
    OM_TRY(get_layer(p, object, &target->layer));
    if (!target->layer) return OM_OK;
    if (target->layer->schema.geometry != OM_GEOMETRY_POINT)
        return wrong(p, "layer", OM_E_TYPE,
                     "is not a layer of points:", target->layer->name);
    OM_TRY(get_column(p, object, target->layer, "level", TEXT, true,
                      &target->level));
    OM_TRY(get_column(p, object, target->layer, "since", TIME, false,
                      &target->since));
    OM_TRY(get_column(p, object, target->layer, "label", TEXT, false,
                      &target->label));
    OM_TRY(read_address(p, object, target));
    OM_TRY(read_tables(p, object, target));
    return read_risk(p, object, target);
}

static om_status read_targets(const struct place *p, const struct om_json *list,
                              struct om_duty *duty)
{
    const struct place here = inside(p, "targets");
    if (!list) return OM_OK;
    if (om_json_kind(list) != OM_JSON_LIST)
        return wrong(&here, NULL, OM_E_FORMAT, "is not a list", NULL);
    if (om_json_count(list) > OM_DUTY_TARGETS_MOST)
        return wrong(&here, NULL, OM_E_LIMIT, "has more than 16 entries", NULL);
    for (size_t i = 0; i < om_json_count(list); i++) {
        const struct place at = element(&here, i);
        struct om_duty_target *target = &duty->target[duty->targets];
        *target = (struct om_duty_target){0};
        OM_TRY(read_target(&at, om_json_at(list, i), target));
        if (!target->layer) continue;
        for (size_t k = 0; k < duty->targets; k++)
            if (duty->target[k].layer == target->layer)
                return wrong(&at, "layer", OM_E_FORMAT,
                             "is listed twice:", target->layer->name);
        duty->targets++;
    }
    return OM_OK;
}

static om_status read_visits(const struct place *p, const struct om_json *o,
                             struct om_duty_visits *out)
{
    if (!o) return OM_OK;
    const struct place here = inside(p, "visits");
    OM_TRY(get_layer(&here, o, &out->layer));
    const struct om_layer *l = out->layer;
    if (!l) return OM_OK;
    OM_TRY(get_column(&here, o, l, "target_layer", TEXT, true,
                      &out->target_layer));
    OM_TRY(get_column(&here, o, l, "target", TEXT, true, &out->target));
    OM_TRY(get_column(&here, o, l, "at", TIME, true, &out->at));
    return get_column(&here, o, l, "verified", BOOLEAN, false, &out->verified);
}

static om_status read_workers(const struct place *p, const struct om_json *o,
                              struct om_duty_workers *out)
{
    if (!o) return OM_OK;
    const struct place here = inside(p, "workers");
    OM_TRY(get_layer(&here, o, &out->layer));
    if (!out->layer) return OM_OK;
    OM_TRY(get_column(&here, o, out->layer, "unit", TEXT, true, &out->unit));
    return need_text(&here, o, "level", &out->level);
}

static om_status read_checks(const struct place *p, const struct om_json *o,
                             struct om_duty_checks *out)
{
    out->norm = NAN;
    if (!o) return OM_OK;
    const struct place here = inside(p, "checks");
    OM_TRY(get_layer(&here, o, &out->layer));
    const struct om_layer *l = out->layer;
    if (!l) return OM_OK;
    OM_TRY(get_column(&here, o, l, "worker", TEXT, true, &out->worker));
    OM_TRY(get_column(&here, o, l, "month", TEXT, true, &out->month));
    OM_TRY(get_column(&here, o, l, "count", NUMBER, true, &out->count));
    const struct om_json *norm = om_json_get(o, "norm");
    if (!norm) return OM_OK;
    out->norm = om_json_real(norm, NAN);
    return isfinite(out->norm) && out->norm > 0
               ? OM_OK
               : wrong(&here, "norm", OM_E_RANGE, "is not above 0", NULL);
}

static om_status read_reports(const struct place *p, const struct om_json *o,
                              struct om_duty_reports *out)
{
    out->worker = OM_NO_FIELD;
    if (!o) return OM_OK;
    const struct place here = inside(p, "reports");
    OM_TRY(get_layer(&here, o, &out->layer));
    if (!out->layer) return OM_OK;
    if (out->layer->schema.time_field == OM_NO_FIELD)
        return wrong(&here, "layer", OM_E_TYPE,
                     "has no time column:", out->layer->name);
    return get_column(&here, o, out->layer, "worker", TEXT, false,
                      &out->worker);
}

static om_status read_loads(const struct place *p, const struct om_json *list,
                            struct om_duty *duty)
{
    const struct place here = inside(p, "loads");
    if (!list) return OM_OK;
    if (om_json_kind(list) != OM_JSON_LIST)
        return wrong(&here, NULL, OM_E_FORMAT, "is not a list", NULL);
    if (om_json_count(list) > OM_DUTY_TARGETS_MOST)
        return wrong(&here, NULL, OM_E_LIMIT, "has more than 16 entries", NULL);
    for (size_t i = 0; i < om_json_count(list); i++) {
        const struct om_json *o = om_json_at(list, i);
        const struct place at = element(&here, i);
        struct om_duty_load *load = &duty->load[duty->loads];
        OM_TRY(need_text(&at, o, "name", &load->name));
        OM_TRY(get_text(&at, o, "title", &load->title));
        OM_TRY(get_layer(&at, o, &load->layer));
        if (!load->layer) continue;
        OM_TRY(
            get_column(&at, o, load->layer, "sum", NUMBER, false, &load->sum));
        duty->loads++;
    }
    return OM_OK;
}

static om_status read_duty(const struct place *p, const struct om_json *o,
                           struct om_duty *duty)
{
    if (om_json_kind(o) != OM_JSON_OBJECT)
        return wrong(p, NULL, OM_E_FORMAT, "is not an object", NULL);
    OM_TRY(read_targets(p, om_json_get(o, "targets"), duty));
    OM_TRY(read_visits(p, om_json_get(o, "visits"), &duty->visits));
    OM_TRY(read_workers(p, om_json_get(o, "workers"), &duty->workers));
    OM_TRY(read_checks(p, om_json_get(o, "checks"), &duty->checks));
    OM_TRY(read_reports(p, om_json_get(o, "reports"), &duty->reports));
    return read_loads(p, om_json_get(o, "loads"), duty);
}

om_status om_duty_read(const struct om_snapshot *snapshot, struct om_duty *out,
                       struct om_err *err)
{
    *out = (struct om_duty){.checks.norm = NAN, .reports.worker = OM_NO_FIELD};
    const struct om_json *duty =
        om_json_get(snapshot->manifest->document, "duty");
    if (!duty) return OM_OK;
    const struct place here = {snapshot, &out->arena, out, err, "duty"};
    const om_status st = read_duty(&here, duty, out);
    if (st) om_duty_deinit(out);
    return st;
}

void om_duty_deinit(struct om_duty *duty)
{
    om_arena_deinit(&duty->arena);
    *duty = (struct om_duty){0};
}

int om_duty_visits(const struct om_duty_target *target, size_t level,
                   int64_t month_s)
{
    const struct om_duty_table *in_force = NULL;
    for (size_t i = 0; i < target->tables; i++)
        if (target->table[i].from_s <= month_s) in_force = &target->table[i];
    return in_force ? in_force->visits[level] : 0;
}
