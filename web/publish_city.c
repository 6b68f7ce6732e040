// publish_city.c - what the release's city.json says: a list of what may be
// said, filled in from the city.
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "web/publish_internal.h"

#define HOUR_S 3600

/* ---- members of a layer ---- */

/* How a layer is called and drawn; of those that name a column, only where the
 * column goes out, too. */
static const struct {
    const char *key;
    bool column;
} LAYER_MEMBER[] = {
    {"license", false},           {"counted", false},
    {"counted_en", false},        {"base_by", true},
    {"base_classes", false},      {"base_label", true},
    {"picture_by", true},         {"picture_titles", false},
    {"picture_titles_en", false}, {"picture_colours", false},
};

static om_status add_layer(struct om_json *layers,
                           const struct om__publish_layer *what)
{
    struct om_json *one = om_json_object();
    OM_TRY(om_json_add_take(layers, one));
    OM_TRY(om_json_set_take(one, "name", om_json_of_text(what->layer->name)));
    OM_TRY(om_json_set_take(one, "class", om_json_of_text("public")));
    for (size_t i = 0; i < sizeof LAYER_MEMBER / sizeof *LAYER_MEMBER; i++) {
        const char *key = LAYER_MEMBER[i].key;
        const struct om_json *value = om_json_get(what->member, key);
        if (!value) continue;
        if (LAYER_MEMBER[i].column &&
            om_schema_find(&what->schema, om_json_text(value, "")) ==
                OM_NO_FIELD)
            continue;
        OM_TRY(om_json_set_take(one, key, om_json_copy(value)));
    }
    return OM_OK;
}

/* ---- how one gets to a centre ---- */

static const struct om__publish_layer *published(
    const struct om__publish_plan *plan, const char *layer)
{
    for (size_t i = 0; i < plan->layers; i++)
        if (!strcmp(plan->layer[i].layer->name, layer)) return &plan->layer[i];
    return NULL;
}

/* The city's `service` member without the people it speaks of. */
static om_status add_service(const struct om__publish_plan *plan,
                             struct om_json *top)
{
    static const char *const plain[] = {"modes", "straight_factor", "limits_m",
                                        "minutes"};
    const struct om_json *service =
        om_json_get(plan->snapshot->manifest->document, "service");
    const char *centres = om_json_text(om_json_get(service, "layer"), "");
    const struct om__publish_layer *layer = published(plan, centres);
    if (!layer) return OM_OK;
    struct om_json *out = om_json_object();
    OM_TRY(om_json_set_take(top, "service", out));
    OM_TRY(om_json_set_take(out, "layer", om_json_of_text(centres)));
    const char *capacity = om_json_text(om_json_get(service, "capacity"), "");
    if (om_schema_find(&layer->schema, capacity) != OM_NO_FIELD)
        OM_TRY(om_json_set_take(out, "capacity", om_json_of_text(capacity)));
    const struct om_json *roads = om_json_get(service, "roads");
    if (published(plan, om_json_text(om_json_get(roads, "layer"), "")))
        OM_TRY(om_json_set_take(out, "roads", om_json_copy(roads)));
    const char *water = om_json_text(om_json_get(service, "water"), "");
    if (published(plan, water))
        OM_TRY(om_json_set_take(out, "water", om_json_of_text(water)));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        const struct om_json *value = om_json_get(service, plain[i]);
        if (value) OM_TRY(om_json_set_take(out, plain[i], om_json_copy(value)));
    }
    return OM_OK;
}

/* ---- what is searched ---- */

static bool goes_out(const struct om__publish_layer *layer,
                     const struct om_json *one, const char *key)
{
    const char *column = om_json_text(om_json_get(one, key), "");
    return layer && om_schema_find(&layer->schema, column) != OM_NO_FIELD;
}

/* The city's list, of what goes out. Where it has none every name is searched,
 * those of regions, too. */
static om_status add_search(const struct om__publish_plan *plan,
                            struct om_json *top)
{
    const struct om_json *list =
        om_json_get(plan->snapshot->manifest->document, "search");
    struct om_json *out = om_json_list();
    OM_TRY(om_json_set_take(top, "search", out));
    for (size_t i = 0; i < om_json_count(list); i++) {
        const struct om_json *one = om_json_at(list, i);
        const struct om__publish_layer *layer =
            published(plan, om_json_text(om_json_get(one, "layer"), ""));
        if (!goes_out(layer, one, "column")) continue;
        if (om_json_get(one, "group") && !goes_out(layer, one, "group"))
            continue;
        OM_TRY(om_json_add_take(out, om_json_copy(one)));
    }
    return OM_OK;
}

/* ---- the city ---- */

/* What the plan says of its own about the release: pages read such members. */
static om_status add_said(const struct om__publish_plan *plan,
                          struct om_json *top, struct om_err *err)
{
    static const char *const not [] = {
        "onemap", "name",   "synthetic", "zone",      "clock",
        "levels", "layers", "id",        "sequence",  "release",
        "roles",  "duty",   "positions", "exposures", "audit"};
    const struct om_json *said = om_json_get(plan->document, "city");
    for (size_t i = 0; i < om_json_count(said); i++) {
        const char *key = "";
        const struct om_json *value = om_json_member(said, i, &key);
        for (size_t k = 0; k < sizeof not / sizeof *not ; k++)
            if (!strcmp(not [k], key))
                return om_fail(err, OM_E_FORMAT, 0,
                               "publish.json: city.%s is not for a plan to say",
                               key);
        OM_TRY(om_json_set_take(top, key, om_json_copy(value)));
    }
    return OM_OK;
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

static om_status fill(struct om__release *release, struct om_err *err)
{
    const struct om__publish_plan *plan = release->plan;
    const struct om_manifest *city = plan->snapshot->manifest;
    struct om_json *top = release->manifest.document;
    struct om_json *about = om_json_object(), *layers = om_json_list();
    om_status st = om_json_set_take(top, "release", about);
    if (om_json_set_take(top, "layers", layers) || st) return OM_E_MEMORY;
    OM_TRY(om_json_set_take(about, "version", om_json_of_integer(1)));
    const struct om_json *license = om_json_get(city->document, "license");
    const struct om_json *crs = om_json_get(city->document, "crs");
    if (license)
        OM_TRY(om_json_set_take(top, "license", om_json_copy(license)));
    if (crs) OM_TRY(om_json_set_take(top, "crs", om_json_copy(crs)));
    OM_TRY(add_service(plan, top));
    if (om_json_get(city->document, "search")) OM_TRY(add_search(plan, top));
    OM_TRY(add_said(plan, top, err));
    for (size_t i = 0; i < plan->layers; i++)
        OM_TRY(add_layer(layers, &plan->layer[i]));
    return add_levels(release);
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
    if (!m->document) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    const om_status st = fill(release, err);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    return st;
}
