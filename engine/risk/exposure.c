// exposure.c - what is exposed in a city, from its city.json.
#include <string.h>

#include "engine/risk/model.h"
#include "engine/risk/read_internal.h"

#define TEXT_BYTES 120
#define NAME_BYTES (OM_LIMIT_NAME_BYTES - 1)
/* Where the city names none: a standard error of 32 %, rates per 1,000. */
#define FLOOR_DEFAULT 10.0
#define SCALE_DEFAULT 1000.0
#define UNITS_MOST 1e9
#define SCALE_LEAST 1e-6

static void read_one(struct om__reader *all, const char *name,
                     const struct om_json *value, struct om_exposure *out)
{
    struct om__reader r = om__read_object(all, value, name);
    om__read_known(&r,
                   "layer filter weight windowed scale floor unit unit_en "
                   "title title_en");
    if (!*r.status && (!om_manifest_name_ok(name) || !strcmp(name, "area")))
        om__read_fail(all, name, OM_E_FORMAT,
                      "cannot name an exposure (letters, digits, _ and - "
                      "only, and not area)");
    char *copy = om_arena_text(r.arena, name, strlen(name));
    if (!copy && !*r.status)
        *r.status = om_fail(r.err, OM_E_MEMORY, 0, "out of memory");
    *out = (struct om_exposure){
        .name = copy,
        .layer = om__read_needed(&r, "layer", NAME_BYTES),
        .filter = om__read_text(&r, "filter", OM_LIMIT_FILTER_BYTES),
        .weight = om__read_text(&r, "weight", NAME_BYTES),
        .windowed = om__read_truth(&r, "windowed", false),
        .scale = om__read_real(&r, "scale", SCALE_LEAST, UNITS_MOST, "",
                               SCALE_DEFAULT),
        .floor = om__read_real(&r, "floor", 1.0, UNITS_MOST, "(units)",
                               FLOOR_DEFAULT),
        .unit = om__read_text(&r, "unit", TEXT_BYTES),
        .unit_en = om__read_text(&r, "unit_en", TEXT_BYTES),
        .title = om__read_text(&r, "title", TEXT_BYTES),
        .title_en = om__read_text(&r, "title_en", TEXT_BYTES),
    };
}

om_status om_exposures_read(const struct om_manifest *city,
                            struct om_exposures *out, struct om_err *err)
{
    *out = (struct om_exposures){0};
    om_status st = OM_OK;
    struct om__reader top = {.object = city->document,
                             .arena = &out->arena,
                             .err = err,
                             .status = &st};
    const struct om_json *value = om_json_get(top.object, "exposures");
    if (!value) return OM_OK;
    struct om__reader all = om__read_object(&top, value, "exposures");
    const size_t n = om_json_count(all.object);
    if (!st && n > OM_MODEL_EXPOSURES_MOST)
        om__read_fail(&top, "exposures", OM_E_LIMIT,
                      "has %zu members; %d can be", n, OM_MODEL_EXPOSURES_MOST);
    for (size_t i = 0; i < n && !st; i++) {
        const char *name = "";
        const struct om_json *one = om_json_member(all.object, i, &name);
        read_one(&all, name, one, &out->exposure[i]);
        out->count++;
    }
    if (st) om_exposures_deinit(out);
    return st;
}

om_status om_exposures_copy(const struct om_exposures *from,
                            struct om_exposures *out)
{
    struct om_exposures copy = {.count = from->count};
    for (size_t i = 0; i < from->count; i++) {
        struct om_exposure *e = &copy.exposure[i];
        *e = from->exposure[i];
        const char **const text[] = {&e->name,   &e->layer,   &e->filter,
                                     &e->weight, &e->unit,    &e->unit_en,
                                     &e->title,  &e->title_en};
        for (size_t t = 0; t < sizeof text / sizeof *text; t++) {
            if (!*text[t]) continue;
            *text[t] = om_arena_text(&copy.arena, *text[t], strlen(*text[t]));
            if (*text[t]) continue;
            om_exposures_deinit(&copy);
            return OM_E_MEMORY;
        }
    }
    *out = copy;
    return OM_OK;
}

void om_exposures_deinit(struct om_exposures *exposures)
{
    om_arena_deinit(&exposures->arena);
    *exposures = (struct om_exposures){0};
}

const struct om_exposure *om_exposures_find(const struct om_exposures *e,
                                            const char *name)
{
    for (size_t i = 0; i < e->count; i++)
        if (!strcmp(e->exposure[i].name, name)) return &e->exposure[i];
    return NULL;
}
