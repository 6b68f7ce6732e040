// publish_city.c - what the release's city.json says: a list of what may be
// said, filled in from the city.
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "web/matters.h"
#include "web/publish_internal.h"
#include "web/publish_said.h"

#define HOUR_S 3600

/* Of an object of city.json the members that a shape lists; others are the
 * city's own and no fault. What is listed and is not what it should be is left
 * out. out: NULL where there is no such object */
static om_status take_listed(struct om__release *release, const char *path,
                             const struct om_json *object,
                             const struct om__said_shape *shape,
                             struct om_json **out, struct om_err *err)
{
    const struct om__said_from from = {"city.json", release->left_out,
                                       &release->words};
    struct om_json *listed = om_json_object();
    *out = NULL;
    if (!listed) return OM_E_MEMORY;
    om_status st = OM_OK;
    for (const struct om__said_member *m = shape->member; m->key && !st; m++) {
        const struct om_json *value = om_json_get(object, m->key);
        if (value) st = om_json_set_take(listed, m->key, om_json_copy(value));
    }
    if (!st) st = om__said_take(&from, path, listed, shape, out, err);
    om_json_free(listed);
    return st;
}

/* ---- members of a layer ---- */

/* How a layer is called and drawn; of those that name a column, only where the
 * column goes out, too. */
static bool says_too_much(const struct om__publish_layer *what,
                          const struct om_json *clean, const char *key)
{
    const char *column = om_json_text(om_json_get(clean, key), NULL);
    return column && om_schema_find(&what->schema, column) == OM_NO_FIELD;
}

static om_status add_layer(struct om__release *release, struct om_json *layers,
                           const struct om__publish_layer *what,
                           struct om_err *err)
{
    static const char *const by[] = {"base_by", "base_label", "picture_by"};
    struct om_json *clean = NULL;
    struct om_json *one = om_json_object();
    OM_TRY(om_json_add_take(layers, one));
    OM_TRY(om_json_set_take(one, "name", om_json_of_text(what->layer->name)));
    OM_TRY(om_json_set_take(one, "class", om_json_of_text("public")));
    om_status st = take_listed(release, what->layer->name, what->member,
                               &om__said_layer, &clean, err);
    for (size_t i = 0; i < om_json_count(clean) && !st; i++) {
        const char *key = "";
        const struct om_json *value = om_json_member(clean, i, &key);
        bool hidden = false;
        for (size_t k = 0; k < sizeof by / sizeof *by; k++)
            hidden |= !strcmp(by[k], key) && says_too_much(what, clean, key);
        if (!hidden) st = om_json_set_take(one, key, om_json_copy(value));
    }
    om_json_free(clean);
    return st;
}

/* ---- how one gets to a centre ---- */

static const struct om__publish_layer *published(
    const struct om__publish_plan *plan, const char *layer)
{
    for (size_t i = 0; i < plan->layers; i++)
        if (!strcmp(plan->layer[i].layer->name, layer)) return &plan->layer[i];
    return NULL;
}

static bool goes_out(const struct om__publish_layer *layer,
                     const struct om_json *one, const char *key)
{
    const char *column = om_json_text(om_json_get(one, key), "");
    return layer && om_schema_find(&layer->schema, column) != OM_NO_FIELD;
}

/* The city's `service` member without the people it speaks of. */
static om_status add_service(struct om__release *release, struct om_json *top,
                             struct om_err *err)
{
    const struct om__publish_plan *plan = release->plan;
    const struct om_json *service =
        om_json_get(plan->snapshot->manifest->document, "service");
    const char *centres = om_json_text(om_json_get(service, "layer"), "");
    const struct om__publish_layer *layer = published(plan, centres);
    struct om_json *clean = NULL, *out = om_json_object();
    if (!layer) {
        om_json_free(out);
        return OM_OK;
    }
    OM_TRY(om_json_set_take(top, "service", out));
    om_status st = take_listed(release, "service", service, &om__said_service,
                               &clean, err);
    for (size_t i = 0; i < om_json_count(clean) && !st; i++) {
        const char *key = "";
        const struct om_json *value = om_json_member(clean, i, &key);
        if (!strcmp(key, "capacity") && !goes_out(layer, clean, key)) continue;
        if (!strcmp(key, "roads") &&
            !published(plan, om_json_text(om_json_get(value, "layer"), "")))
            continue;
        if (!strcmp(key, "water") && !published(plan, om_json_text(value, "")))
            continue;
        st = om_json_set_take(out, key, om_json_copy(value));
    }
    om_json_free(clean);
    return st;
}

/* ---- what is searched ---- */

/* The city's list, of what goes out. Where it has none every name is searched,
 * those of regions, too. */
static om_status add_search(struct om__release *release, struct om_json *top,
                            struct om_err *err)
{
    const struct om__publish_plan *plan = release->plan;
    const struct om_json *list =
        om_json_get(plan->snapshot->manifest->document, "search");
    struct om_json *out = om_json_list();
    OM_TRY(om_json_set_take(top, "search", out));
    for (size_t i = 0; i < om_json_count(list); i++) {
        const struct om_json *one = om_json_at(list, i);
        const struct om__publish_layer *layer =
            published(plan, om_json_text(om_json_get(one, "layer"), ""));
        struct om_json *clean = NULL;
        if (!goes_out(layer, one, "column")) continue;
        if (om_json_get(one, "group") && !goes_out(layer, one, "group"))
            continue;
        OM_TRY(
            take_listed(release, "search", one, &om__said_search, &clean, err));
        OM_TRY(om_json_add_take(out, clean));
    }
    return OM_OK;
}

/* ---- the city ---- */

/* A layer that the plan's community names must be one of the release. */
static om_status check_layers(const struct om__publish_plan *plan,
                              const struct om_json *community,
                              struct om_err *err)
{
    static const char *const key[] = {"centres", "organisations", "activities"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
        const char *layer = om_json_text(om_json_get(community, key[i]), NULL);
        if (layer && !published(plan, layer))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: city.community.%s: the plan lists no "
                           "layer '%s'",
                           key[i], layer);
    }
    return OM_OK;
}

/* Which words go out, for who reads the report before they do. */
static om_status report_community(struct om__release *release,
                                  const struct om_json *community)
{
    const struct om_json *matters = om_json_get(community, "matters");
    const struct om_json *list = om_json_get(matters, "list");
    size_t aliases = 0;
    for (size_t i = 0; i < om_json_count(list); i++)
        aliases += om_json_count(om_json_get(om_json_at(list, i), "aliases"));
    struct om_json *one = om_json_object();
    const struct {
        const char *key;
        size_t count;
    } COUNT[] = {{"groups", om_json_count(om_json_get(matters, "groups"))},
                 {"matters", om_json_count(list)},
                 {"aliases", aliases}};
    OM_TRY(om_json_set_take(release->report, "community", one));
    for (size_t i = 0; i < sizeof COUNT / sizeof *COUNT; i++)
        OM_TRY(om_json_set_take(one, COUNT[i].key,
                                om_json_of_integer((int64_t)COUNT[i].count)));
    return om_buf_addf(&release->words,
                       "community: %zu matters in %zu groups, with %zu other "
                       "words for them\n",
                       COUNT[1].count, COUNT[0].count, aliases);
}

/* What the plan says of its own about the release: pages read such members. */
static om_status add_said(struct om__release *release, struct om_json *top,
                          struct om_err *err)
{
    const struct om__said_from from = {.file = "publish.json"};
    const struct om_json *said = om_json_get(release->plan->document, "city");
    struct om_json *clean = NULL;
    if (!said) return OM_OK;
    OM_TRY(om__said_take(&from, "city", said, &om__said_city, &clean, err));
    struct om_json *community = om_json_copy(om_json_get(clean, "community"));
    om_json_free(clean);
    if (!community) return OM_OK;
    OM_TRY(om_json_set_take(top, "community", community));
    OM_TRY(check_layers(release->plan, community, err));
    OM_TRY(om_matters_sound(community, err));
    return report_community(release, community);
}

static om_status add_levels(struct om__release *release)
{
    const struct om__publish_plan *plan = release->plan;
    const struct om_manifest *city = plan->snapshot->manifest;
    for (size_t i = 0; i < city->levels; i++)
        for (size_t l = 0; l < plan->layers; l++)
            if (!strcmp(plan->layer[l].layer->meta->unit_level, city->level[i]))
                OM_TRY(
                    om_manifest_add_level(&release->manifest, city->level[i]));
    return OM_OK;
}

/* A short text of city.json. */
static om_status add_short(struct om__release *release, struct om_json *top,
                           const char *key, struct om_err *err)
{
    const struct om__said_from from = {"city.json", release->left_out,
                                       &release->words};
    const struct om_json *value =
        om_json_get(release->plan->snapshot->manifest->document, key);
    struct om_json *out = NULL;
    if (!value) return OM_OK;
    OM_TRY(om__said_take(&from, key, value, &om__said_short, &out, err));
    return out ? om_json_set_take(top, key, out) : OM_OK;
}

static om_status add_all(struct om__release *release, struct om_err *err)
{
    const struct om__publish_plan *plan = release->plan;
    const struct om_manifest *city = plan->snapshot->manifest;
    struct om_json *top = release->manifest.document;
    struct om_json *about = om_json_object(), *layers = om_json_list();
    om_status st = om_json_set_take(top, "release", about);
    if (om_json_set_take(top, "layers", layers) || st) return OM_E_MEMORY;
    OM_TRY(om_json_set_take(about, "version", om_json_of_integer(1)));
    OM_TRY(add_short(release, top, "license", err));
    OM_TRY(add_short(release, top, "crs", err));
    OM_TRY(add_service(release, top, err));
    if (om_json_get(city->document, "search"))
        OM_TRY(add_search(release, top, err));
    OM_TRY(add_said(release, top, err));
    for (size_t i = 0; i < plan->layers; i++)
        OM_TRY(add_layer(release, layers, &plan->layer[i], err));
    return add_levels(release);
}

om_status om__publish_about(struct om__release *release, struct om_err *err)
{
    release->left_out = om_json_list();
    OM_TRY(om_json_set_take(release->report, "left_out", release->left_out));
    const om_status st = add_all(release, err);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    return st;
}

/* In English: of the plan's own name the plan's, else the city's. */
static om_status add_english(const struct om__publish_plan *plan,
                             struct om_json *top)
{
    const bool own = om_json_get(plan->document, "name") != NULL;
    const struct om_json *from = own || om_json_get(plan->document, "name_en")
                                     ? plan->document
                                     : plan->snapshot->manifest->document;
    const struct om_json *name = om_json_get(from, "name_en");
    const char *text = om_json_text(name, "");
    if (om__said_fault(OM__SAID_ASCII, text, OM_LIMIT_NAME_BYTES - 1))
        return OM_OK;
    return om_json_set_take(top, "name_en", om_json_of_text(text));
}

om_status om__publish_city(struct om__release *release, struct om_err *err)
{
    const struct om_snapshot *s = release->plan->snapshot;
    struct om_manifest *m = &release->manifest;
    const char *name = om_json_text(
        om_json_get(release->plan->document, "name"), s->manifest->name);
    if (strlen(name) >= sizeof m->name)
        return om_fail(err, OM_E_LIMIT, 0, "publish.json: name is too long");
    *m = (struct om_manifest){.synthetic = s->manifest->synthetic,
                              .release = true,
                              .zone_s = s->manifest->zone_s,
                              .sequence = release->sequence};
    snprintf(m->name, sizeof m->name, "%s", name);
    // The clock moves with what is written: to the hour and no finer.
    if (s->clock_s) m->clock_s = s->clock_s - s->clock_s % HOUR_S;
    m->document = om_json_object();
    if (!m->document || add_english(release->plan, m->document))
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    return OM_OK;
}
