// heat.c - city, models and options of the verbs that are about heat maps.
#include "web/cli/heat.h"

#include <string.h>

#include "engine/risk/region.h"

/* Of one command: whatever it prepares may stay. */
#define FIELDS_BYTES ((size_t)1 << 30)
#define SELECTIONS_BYTES ((size_t)256 << 20)

int om__heat_fail(struct om__heat *h, om_status status)
{
    if (!h->err.text[0])
        om_fail(&h->err, status, 0, "%s", om_status_text(status));
    return om__verb_fail(h->verb, &h->err);
}

int om__heat_open(struct om__heat *h)
{
    om_status st = om_city_open(h->city_path, &h->city, &h->err);
    if (st) return om__heat_fail(h, st);
    h->world.snapshot = om_city_snapshot(h->city);
    st = om_models_read(h->city_path, h->world.snapshot, &h->models, &h->err);
    if (!st) st = om_fields_new(FIELDS_BYTES, &h->fields);
    if (!st) st = om_selections_new(SELECTIONS_BYTES, &h->cache);
    if (!st) st = om_legends_new(h->city_path, &h->legends);
    if (!st) st = om_risk_region_new(h->world.snapshot, &h->region);
    if (st) return om__heat_fail(h, st);
    h->world.fields = h->fields;
    h->world.selections = h->cache;
    h->world.legends = h->legends;
    h->world.region = h->region;
    return OM_EXIT_DONE;
}

/* What the command line calls an option of an ask. */
static const char *typed(const char *option)
{
    static const char *const NAME[][2] = {
        {"filter", "where"}, {"datetime", "time"}, {"halflife", "half-life"}};
    for (size_t i = 0; i < sizeof NAME / sizeof *NAME; i++)
        if (!strcmp(NAME[i][0], option)) return NAME[i][1];
    return option;
}

int om__heat_bind(struct om__heat *h, const struct om_risk_ask *ask,
                  struct om_risk_bound **out)
{
    const char *option;
    const om_status st =
        om_risk_bind(h->world.snapshot, h->models, ask, out, &option, &h->err);
    if (!st) return OM_EXIT_DONE;
    if (!option) return om__heat_fail(h, st);
    // The option is named in front, as the user typed it.
    const char *text = h->err.text;
    const size_t len = strlen(option);
    if (!strncmp(text, option, len) && !strncmp(text + len, ": ", 2))
        text += len + 2;
    return om__verb_usage(h->verb, "--%s: %s", typed(option), text);
}

void om__heat_close(struct om__heat *h)
{
    om_partition_free(h->region);
    om_legends_free(h->legends);
    om_selections_free(h->cache);
    om_fields_free(h->fields);
    om_models_unref(h->models);
    om_snapshot_unref(h->world.snapshot);
    om_city_close(h->city);
}
