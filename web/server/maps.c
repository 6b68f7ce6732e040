// maps.c - which names have tiles, and what documents say of them.
#include "web/server/maps.h"
#include "web/server/rights.h"
#include "web/server/tile_maker.h"
#include "web/server/worlds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Pixels that a map is opened with, some. */
#define WINDOW_PX 1024.0
/* A tile's 4096 units are a centimetre at 20; shapes are drawn as they are
 * from 17 on. */
#define ZOOM_MAX_SHAPES 17

bool om__listed(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, word, n)) return true;
        at += n;
    }
    return false;
}

static const char *title_of(const struct om_layer *layer)
{
    const struct om_manifest_layer *meta = layer->meta;
    return meta && meta->title[0] ? meta->title : layer->name;
}

/* A level of units whose layer is called otherwise has a name of its own. */
static bool is_level_name(const struct om_snapshot *snapshot,
                          const struct om_layer *layer)
{
    const char *level = layer->meta ? layer->meta->unit_level : "";
    return level[0] && !om_snapshot_layer(snapshot, level) &&
           om_snapshot_units(snapshot, level) == layer;
}

/* Does whoever asks see all that a model is made of? */
static bool all_there(const struct om_snapshot *snapshot,
                      const struct om_model *model)
{
    for (size_t t = 0; t < model->terms; t++)
        if (!om_snapshot_layer(snapshot, model->term[t].layer)) return false;
    return true;
}

/* Heat of a risk model. It is where its first term's rows are. */
static bool model_at(struct om__request *r, size_t i, struct om__map *out)
{
    // Without models a city has the maps of its layers.
    if (om__request_world(r)) return false;
    const struct om_models *models = r->world->models;
    for (size_t k = 0; k < models->count; k++) {
        const struct om_model *model = models->entry[k].model;
        if (!model || !all_there(r->snapshot, model) ||
            !om_model_seen(models, &models->entry[k], r->snapshot) || i-- > 0)
            continue;
        out->title = model->title ? model->title : model->name;
        out->title_en = model->title_en;
        out->layer = om_snapshot_layer(r->snapshot, model->term[0].layer);
        out->crowds = out->layer && om__crowds_only(r, out->layer);
        out->heat = out->picture = true;
        snprintf(out->name, sizeof out->name, OM__HEAT "%s", model->name);
        return out->layer != NULL;
    }
    return false;
}

/* The base map and its labels. */
static const struct {
    const char *name, *title;
} BASE[] = {{"base", "底图 base map"}, {"labels", "注记 labels"}};
#define BASES (sizeof BASE / sizeof *BASE)

static void base_at(size_t i, struct om__map *out)
{
    snprintf(out->name, sizeof out->name, "%s", BASE[i].name);
    out->title = BASE[i].title;
    out->picture = true;
}

bool om__map_at(struct om__request *r, size_t i, struct om__map *out)
{
    const struct om_snapshot *snapshot = r->snapshot;
    *out = (struct om__map){.snapshot = snapshot};
    for (size_t k = 0; k < snapshot->layers; k++) {
        const struct om_layer *layer = &snapshot->layer[k];
        const bool point = layer->schema.geometry == OM_GEOMETRY_POINT;
        const bool level = is_level_name(snapshot, layer);
        const size_t names = 1u + point + level;
        if (i >= names) {
            i -= names;
            continue;
        }
        out->layer = layer;
        out->crowds = om__crowds_only(r, layer);
        out->title = title_of(layer);
        out->title_en = layer->meta ? layer->meta->title_en : NULL;
        out->heat = out->picture = i == 1 && point;
        snprintf(out->name, sizeof out->name, "%s%s", out->heat ? OM__HEAT : "",
                 i == 1 && !point ? layer->meta->unit_level : layer->name);
        return true;
    }
    if (i >= BASES) return model_at(r, i - BASES, out);
    base_at(i, out);
    return true;
}

/* choropleth:LEVEL and base:dark, which no list names. */
static bool find_unlisted(struct om__request *r, const char *name,
                          struct om__map *out)
{
    static const char CHOROPLETH[] = "choropleth:";
    const size_t len = sizeof CHOROPLETH - 1;
    *out = (struct om__map){.snapshot = r->snapshot, .picture = true};
    if (strlen(name) >= sizeof out->name) return false;
    for (size_t i = 0; i < BASES; i++) {
        const size_t n = strlen(BASE[i].name);
        if (strncmp(name, BASE[i].name, n) != 0 || name[n] != ':') continue;
        out->title = BASE[i].title;
        strcpy(out->name, name);
        return true;
    }
    if (strncmp(name, CHOROPLETH, len) != 0) return false;
    out->layer = om_snapshot_units(r->snapshot, name + len);
    if (!out->layer) return false;
    out->crowds = om__crowds_only(r, out->layer);
    out->title = title_of(out->layer);
    strcpy(out->name, name);
    return true;
}

/* A model that weighs what whoever asks does not see is none to them. */
static bool is_drawn(struct om__request *r, const struct om__map *map)
{
    const struct om_address none = {0}, saved = r->address;
    const char *of = map->name + (sizeof OM__HEAT - 1);
    if (!map->heat || om_snapshot_has_layer(r->snapshot, of)) return true;
    r->address = none;
    const om_status st = om__tile_check(r, map->name, "png");
    r->address = saved;
    r->err = (struct om_err){0};
    r->error_status = 0;
    r->parameter = NULL;
    return st != OM_E_NOTFOUND;
}

om_status om__map_find(struct om__request *r, const char *name,
                       struct om__map *out)
{
    for (size_t i = 0; om__map_at(r, i, out); i++)
        if (!strcmp(out->name, name)) {
            if (r->who->asked && !is_drawn(r, out)) break;
            r->layer = out->layer;
            return OM_OK;
        }
    if (find_unlisted(r, name, out)) return OM_OK;
    // LAYER, heat:LAYER, choropleth:LEVEL
    const char *of = strchr(name, ':');
    if (om_snapshot_lacks(r->snapshot, of ? of + 1 : name, &r->err) ==
        OM_E_WITHHELD)
        return OM_E_WITHHELD;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "there is no map of that name; /catalog lists them");
}

bool om__units_bounds(const struct om_snapshot *snapshot, double bounds[4])
{
    bool any = false;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        double b[4];
        if (!layer->meta || !layer->meta->unit_level[0] ||
            !om_layer_bounds(layer, b))
            continue;
        for (int k = 0; k < 4; k++)
            bounds[k] = !any    ? b[k]
                        : k < 2 ? fmin(bounds[k], b[k])
                                : fmax(bounds[k], b[k]);
        any = true;
    }
    return any;
}

void om__map_bounds(const struct om__map *map, double bounds[4])
{
    const double edge = atan(sinh(OM_PI)) * OM_DEG_PER_RAD;
    const bool rows = map->layer && !map->crowds && !map->layer->rights.area;
    if (rows && om_layer_bounds(map->layer, bounds)) return;
    // The base map is where the units are.
    if (!rows && om__units_bounds(map->snapshot, bounds)) return;
    bounds[0] = -180;
    bounds[1] = -edge;
    bounds[2] = 180;
    bounds[3] = edge;
}

unsigned om__map_zoom(const double bounds[4])
{
    const double span = fmax(bounds[2] - bounds[0], bounds[3] - bounds[1]);
    const double zoom =
        log2(360.0 * WINDOW_PX / OM_TILE_SIDE_PX / fmax(span, 1e-6));
    return (unsigned)fmin(fmax(floor(zoom), 0), 16);
}

unsigned om__map_zoom_max(const struct om__map *map)
{
    return map->picture || map->layer->schema.geometry == OM_GEOMETRY_POINT
               ? OM_TILE_ZOOM_MAX
               : ZOOM_MAX_SHAPES;
}

void om__attribution_add(const struct om__request *r, const struct om__map *map,
                         struct om_buf *out)
{
    const struct om_manifest *city = r->snapshot->manifest;
    const char *text = city->synthetic ? "合成数据 synthetic data"
                       : map->layer && map->layer->meta
                           ? map->layer->meta->department
                           : "";
    om_buf_add_json_text(out, text, strlen(text));
}

void om__query_add(const struct om__request *r, const char *drop,
                   struct om_buf *out)
{
    const char *query = strchr(r->target, '?');
    char sign = '?';
    while (query && *query) {
        const char *at = query + 1;
        const size_t len = strcspn(at, "&"), key = strcspn(at, "=&");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(key < 63 ? key : 63), at);
        if (len && !om__listed(drop, name)) {
            om_buf_add_byte(out, (uint8_t)sign);
            om_buf_add(out, at, len);
            sign = '&';
        }
        query = at + len;
    }
}

om_status om__map_check(struct om__request *r, const char *name,
                        const char *extension, const char *drop)
{
    const struct om_address saved = r->address;
    size_t kept = 0;
    for (size_t i = 0; i < saved.params; i++)
        if (!om__listed(drop, saved.param[i].name))
            r->address.param[kept++] = saved.param[i];
    r->address.params = kept;
    const om_status st = om__tile_check(r, name, extension);
    r->address = saved;
    return st;
}

om_status om__tile_with(struct om__request *r, const char *name,
                        const struct om_tile_address *tile,
                        const struct om_param *param, size_t params)
{
    const struct om_address saved = r->address;
    memcpy(r->address.param, param, params * sizeof *param);
    r->address.params = params;
    const om_status st = om__tile_answer(r, name, tile);
    r->address = saved;
    return st;
}
