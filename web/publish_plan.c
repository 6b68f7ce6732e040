/* publish_plan.c - publish.json against the city: allowed is what is listed
 * and not barred.
 *
 * DESIGN
 * Two must agree before anything is public: the city, whose city.json says of a
 * layer that it is of class "public" (or that it is a level of units, whose
 * outlines are), and the plan, which lists layer and columns. Neither is
 * enough: a plan cannot open what the city keeps, and a column that comes with
 * the next import is in no plan. Names of layers are data; what is barred is
 * told by the part that a layer plays in city.json.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/policy.h"
#include "web/publish_said.h"
#include "web/publish_topics.h"

#define PLAN_VERSION 1

om_status om__publish_known(const struct om_json *object, const char *path,
                            const char *const *known, struct om_err *err)
{
    if (om_json_kind(object) != OM_JSON_OBJECT)
        return om_fail(err, OM_E_FORMAT, 0, "publish.json: %s is not an object",
                       *path ? path : "it");
    for (size_t i = 0; i < om_json_count(object); i++) {
        const char *key = "";
        size_t k = 0;
        om_json_member(object, i, &key);
        while (known[k] && strcmp(known[k], key) != 0) k++;
        if (!known[k])
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: there is no member %s%s%.60s", path,
                           *path ? "." : "", key);
    }
    return OM_OK;
}

/* A member that must be of a kind where it is there. */
static om_status of_kind(const struct om_json *object, const char *path,
                         const char *key, enum om_json_kind kind,
                         const char *what, struct om_err *err)
{
    const enum om_json_kind is = om_json_kind(om_json_get(object, key));
    if (is == kind || is == OM_JSON_NONE) return OM_OK;
    return om_fail(err, OM_E_FORMAT, 0, "publish.json: %s%s%s is not %s", path,
                   *path ? "." : "", key, what);
}

static om_status layer_members(const struct om_json *one, size_t i,
                               struct om_err *err)
{
    static const char *const known[] = {"layer", "columns", "filter", "english",
                                        NULL};
    char path[40];
    snprintf(path, sizeof path, "layers[%zu]", i);
    OM_TRY(om__publish_known(one, path, known, err));
    OM_TRY(of_kind(one, path, "layer", OM_JSON_TEXT, "a text", err));
    OM_TRY(of_kind(one, path, "filter", OM_JSON_TEXT, "a text", err));
    OM_TRY(of_kind(one, path, "english", OM_JSON_TEXT, "a text", err));
    OM_TRY(of_kind(one, path, "columns", OM_JSON_LIST, "a list", err));
    if (!om_json_get(one, "layer"))
        return om_fail(err, OM_E_FORMAT, 0, "publish.json: %s names no layer",
                       path);
    const struct om_json *columns = om_json_get(one, "columns");
    for (size_t c = 0; c < om_json_count(columns); c++)
        if (om_json_kind(om_json_at(columns, c)) != OM_JSON_TEXT)
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: %s.columns[%zu] is not a text", path,
                           c);
    return OM_OK;
}

om_status om__publish_members(const struct om_json *document,
                              struct om_err *err)
{
    static const char *const known[] = {
        "publish",   "name",   "name_en",    "city",    "layers",
        "addresses", "limits", "statistics", "english", NULL};
    OM_TRY(om__publish_known(document, "", known, err));
    if (om_json_integer(om_json_get(document, "publish"), 0) != PLAN_VERSION)
        return om_fail(err, OM_E_VERSION, 0,
                       "publish.json: \"publish\" is not %d: this program "
                       "reads plans of that version",
                       PLAN_VERSION);
    OM_TRY(om__said_check(om_json_get(document, "name"), "name", OM__SAID_TITLE,
                          OM_LIMIT_NAME_BYTES - 1, err));
    OM_TRY(om__said_check(om_json_get(document, "name_en"), "name_en",
                          OM__SAID_ASCII, OM_LIMIT_NAME_BYTES - 1, err));
    OM_TRY(om__said_check(om_json_get(document, "name_en"), "name_en",
                          OM__SAID_TITLE, OM_LIMIT_NAME_BYTES - 1, err));
    OM_TRY(of_kind(document, "", "city", OM_JSON_OBJECT, "an object", err));
    OM_TRY(of_kind(document, "", "english", OM_JSON_OBJECT, "an object", err));
    OM_TRY(of_kind(document, "", "layers", OM_JSON_LIST, "a list", err));
    const struct om_json *layers = om_json_get(document, "layers");
    if (om_json_count(layers) > OM__PUBLISH_LAYERS)
        return om_fail(err, OM_E_LIMIT, 0, "publish.json: more than %d layers",
                       OM__PUBLISH_LAYERS);
    for (size_t i = 0; i < om_json_count(layers); i++)
        OM_TRY(layer_members(om_json_at(layers, i), i, err));
    OM_TRY(of_kind(document, "", "addresses", OM_JSON_TEXT, "a text", err));
    return om__topics_members(document, err);
}

static om_status parse(const char *text, size_t len, struct om_json **out,
                       struct om_err *err)
{
    struct om_err why = {0};
    const om_status st = om_json_parse(text, len, out, &why);
    return st ? om_fail(err, st, why.at, "publish.json: %s", why.text) : st;
}

om_status om_publish_check(const char *text, size_t len, struct om_err *err)
{
    struct om_json *document = NULL;
    om_status st = parse(text, len, &document, err);
    if (!st) st = om__publish_members(document, err);
    om_json_free(document);
    return st;
}

/* ---- what is barred ---- */

static bool names(const struct om_json *object, const char *key,
                  const char *layer)
{
    return !strcmp(om_json_text(om_json_get(object, key), ""), layer);
}

/* Has the layer a part in the duties of those who go about? Whom they owe
 * visits, where they were, whom they counted, who they are. */
static bool in_duty(const struct om_json *duty, const char *layer)
{
    static const char *const part[] = {"visits", "workers", "checks"};
    const struct om_json *targets = om_json_get(duty, "targets");
    for (size_t i = 0; i < om_json_count(targets); i++)
        if (names(om_json_at(targets, i), "layer", layer)) return true;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (names(om_json_get(duty, part[i]), "layer", layer)) return true;
    return false;
}

const char *om__publish_barred(const struct om_snapshot *snapshot,
                               const char *layer)
{
    const struct om_json *city = snapshot->manifest->document;
    const struct om_json *member = om_manifest_about(snapshot->manifest, layer);
    if (om_json_true(om_json_get(member, "personal"), false))
        return "city.json marks it as personal";
    if (!strcmp(om_json_text(om_json_get(member, "class"), ""), "restricted"))
        return "city.json says that it is of class restricted";
    if (names(om_json_get(city, "positions"), "layer", layer))
        return "it holds where those on duty are";
    if (in_duty(om_json_get(city, "duty"), layer))
        return "it has a part in the duties of single workers and houses "
               "(city.json: duty)";
    if (!om_snapshot_layer(snapshot, layer) && om_json_get(city, layer))
        return "it is a member of city.json, and those are not published";
    return NULL;
}

bool om__publish_personal(const struct om_snapshot *snapshot, const char *layer,
                          const char *column)
{
    const struct om_manifest *city = snapshot->manifest;
    const char *person = om_layer_person(city, layer);
    return om_column_personal(city, layer, column) ||
           (person && !strcmp(person, column));
}

bool om__publish_holds_addresses(const struct om_snapshot *snapshot,
                                 const char *layer)
{
    const struct om_json *city = snapshot->manifest->document;
    const struct om_json *targets =
        om_json_get(om_json_get(city, "duty"), "targets");
    // A weight would make residents of them.
    const struct om_json *exposure =
        om_json_get(om_json_get(city, "exposures"), "address");
    if (names(exposure, "layer", layer) && !om_json_get(exposure, "weight"))
        return true;
    for (size_t i = 0; i < om_json_count(targets); i++)
        if (names(om_json_get(om_json_at(targets, i), "address"), "layer",
                  layer))
            return true;
    return false;
}

/* ---- layers ---- */

static om_status take_layer(const struct om_snapshot *snapshot,
                            const struct om_json *one, size_t i,
                            struct om__publish_layer *out, struct om_err *err)
{
    const char *name = om_json_text(om_json_get(one, "layer"), "");
    const char *barred = om__publish_barred(snapshot, name);
    if (barred)
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: layers[%zu]: %.60s can never be public: "
                       "%s",
                       i, name, barred);
    out->layer = om_snapshot_layer(snapshot, name);
    if (!out->layer && om_snapshot_lacks(snapshot, name, err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!out->layer)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "publish.json: layers[%zu]: the city has no layer "
                       "'%.60s'",
                       i, name);
    out->member = om_manifest_about(snapshot->manifest, name);
    const char *class = om_json_text(om_json_get(out->member, "class"), "");
    if (strcmp(class, "public") && !out->layer->meta->unit_level[0])
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: layers[%zu]: %.60s is not public: its "
                       "class in city.json is '%.20s' (rows of class public "
                       "and outlines of units can be)",
                       i, name, class);
    return OM_OK;
}

static bool wanted(const struct om_json *columns, const char *name)
{
    for (size_t i = 0; i < om_json_count(columns); i++)
        if (!strcmp(om_json_text(om_json_at(columns, i), ""), name))
            return true;
    return false;
}

/* What may be told of units whose layer is not public. */
static bool of_outline(const struct om_snapshot *snapshot,
                       const struct om_layer *layer, const char *column)
{
    const struct om_schema *s = &layer->schema;
    const struct om_manifest *m = snapshot->manifest;
    if (om_schema_find(s, column) == s->id_field || !strcmp(column, "name"))
        return true;
    for (size_t l = 0; l < m->levels; l++)
        if (!strcmp(m->level[l], column)) return true;
    return false;
}

/* The columns that are listed, and the id, without which there are no rows. */
static om_status take_columns(const struct om_snapshot *snapshot,
                              const struct om_json *one, size_t i,
                              struct om__publish_layer *out, struct om_err *err)
{
    const bool is_public =
        !strcmp(om_json_text(om_json_get(out->member, "class"), ""), "public");
    const struct om_schema *s = &out->layer->schema;
    const size_t own = s->count - out->layer->unit_columns;
    const struct om_json *columns = om_json_get(one, "columns");
    for (size_t c = 0; c < om_json_count(columns); c++) {
        const char *name = om_json_text(om_json_at(columns, c), "");
        if (om_schema_find(s, name) >= own)
            return om_fail(err, OM_E_NOTFOUND, 0,
                           "publish.json: layers[%zu]: %s has no column "
                           "'%.60s' of its own",
                           i, out->layer->name, name);
        if (om__publish_personal(snapshot, out->layer->name, name))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: layers[%zu]: column '%.60s' of %s "
                           "can never be public: city.json says that it is "
                           "about single persons",
                           i, name, out->layer->name);
        if (!is_public && !of_outline(snapshot, out->layer, name))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: layers[%zu]: %s is not public: its "
                           "outlines can be, with id, name and the units that "
                           "they lie in, and column '%.60s' is none of these",
                           i, out->layer->name, name);
    }
    out->schema.geometry = s->geometry;
    out->schema.time_field = OM_NO_FIELD;
    for (size_t c = 0; c < own; c++) {
        if (c != s->id_field && !wanted(columns, s->field[c].name)) continue;
        const size_t at = out->schema.count++;
        out->column[at] = c;
        out->schema.field[at] = s->field[c];
        if (c == s->id_field) out->schema.id_field = at;
        if (c == s->time_field) out->schema.time_field = at;
    }
    char path[40];
    snprintf(path, sizeof path, "layers[%zu]", i);
    return om__publish_english(one, path, out, err);
}

static om_status take_filter(const struct om_snapshot *snapshot,
                             const struct om_json *one, size_t i,
                             struct om__publish_layer *out, struct om_err *err)
{
    const char *text = om_json_text(om_json_get(one, "filter"), "");
    struct om_err why = {0};
    if (!*text) return OM_OK;
    const om_status st =
        om_filter_parse(text, strlen(text), out->layer,
                        snapshot->manifest->zone_s, &out->filter, &why);
    if (st)
        return om_fail(err, st, 0, "publish.json: layers[%zu].filter: %s", i,
                       why.text[0] ? why.text : om_status_text(st));
    const char *const *name;
    const size_t columns = om_filter_columns(out->filter, &name);
    for (size_t c = 0; c < columns; c++)
        if (om__publish_personal(snapshot, out->layer->name, name[c]))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: layers[%zu].filter speaks of %.60s, "
                           "which city.json says is about single persons",
                           i, name[c]);
    return OM_OK;
}

static om_status take_layers(struct om__publish_plan *plan, struct om_err *err)
{
    const struct om_json *list = om_json_get(plan->document, "layers");
    const size_t count = om_json_count(list);
    plan->layer = om_calloc(count + 1, sizeof *plan->layer);
    if (!plan->layer) return OM_E_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct om_json *one = om_json_at(list, i);
        struct om__publish_layer *out = &plan->layer[i];
        plan->layers = i + 1;
        OM_TRY(take_layer(plan->snapshot, one, i, out, err));
        for (size_t before = 0; before < i; before++)
            if (plan->layer[before].layer == out->layer)
                return om_fail(err, OM_E_FORMAT, 0,
                               "publish.json: layers[%zu]: %s is listed twice",
                               i, out->layer->name);
        OM_TRY(take_columns(plan->snapshot, one, i, out, err));
        OM_TRY(take_filter(plan->snapshot, one, i, out, err));
    }
    return OM_OK;
}

om_status om__publish_plan_read(const char *text, size_t len,
                                const struct om_snapshot *snapshot,
                                struct om__publish_plan *out,
                                struct om_err *err)
{
    *out = (struct om__publish_plan){.snapshot = snapshot};
    OM_TRY(parse(text, len, &out->document, err));
    OM_TRY(om__publish_members(out->document, err));
    OM_TRY(om__publish_terms(out, err));
    return take_layers(out, err);
}

void om__publish_plan_deinit(struct om__publish_plan *plan)
{
    for (size_t i = 0; i < plan->layers; i++)
        om_filter_free(plan->layer[i].filter);
    om_free(plan->layer);
    om_free(plan->term);
    om_json_free(plan->document);
    *plan = (struct om__publish_plan){0};
}
