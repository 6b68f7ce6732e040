/* worlds.c - what heat maps need beside the layers: models and the city's area.
 *
 * DESIGN
 * Models are read once a commit of city.json, so that a tile, its legend and
 * its value are of the same model even while somebody edits the file; rows that
 * are written change nothing here. What is read says by a hash whether it is
 * what was read before (version), so that a commit remakes no maps of models
 * that are as they were. What was good stays until something good takes its
 * place: a model that cannot be used is the one that was read before, in every
 * later commit, too. The city's area is made when a statistic first asks
 * for it, by the worker that needs it, and stays while the units do.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "engine/risk/region.h"
#include "web/server/made.h"
#include "web/server/server_internal.h"
#include "web/server/worlds.h"

struct world {
    struct om__world public;  // first: what callers hold
    atomic_size_t refs;
    pthread_mutex_t lock;  // guards the one below
    struct region *region;
};

/* The city's area, counted. */
struct region {
    atomic_size_t refs;
    struct om_partition *partition;
};

struct om__worlds {
    char *city;
    atomic_uint_least64_t reloads;
    pthread_mutex_t lock;    // guards the one below
    struct om_models *last;  // that were read
    struct om__made *worlds, *regions;
};

static void *world_ref(void *thing)
{
    return om__world_ref(thing);
}

static void world_unref(void *thing)
{
    om__world_unref(thing);
}

static void *region_ref(void *thing)
{
    atomic_fetch_add(&((struct region *)thing)->refs, 1);
    return thing;
}

static void region_unref(void *thing)
{
    struct region *region = thing;
    if (!region || atomic_fetch_sub(&region->refs, 1) > 1) return;
    om_partition_free(region->partition);
    om_free(region);
}

static const struct om__made_kind WORLDS = {"worlds", 1, world_ref,
                                            world_unref};
static const struct om__made_kind REGIONS = {"regions", 1, region_ref,
                                             region_unref};

static om_status read_models(struct om__worlds *worlds,
                             const struct om_snapshot *snapshot,
                             struct om_models **out)
{
    struct om_err err = {0};
    pthread_mutex_lock(&worlds->lock);
    const om_status st =
        om_models_reread(worlds->city, snapshot, worlds->last, out, &err);
    if (!st) {
        om_models_unref(worlds->last);
        worlds->last = om_models_ref(*out);
    }
    pthread_mutex_unlock(&worlds->lock);
    if (st) om_log(OM_LOG_WARN, "models", "%s", err.text);
    return st;
}

struct om_models *om__worlds_models(struct om__worlds *worlds)
{
    pthread_mutex_lock(&worlds->lock);
    struct om_models *models =
        worlds->last ? om_models_ref(worlds->last) : NULL;
    pthread_mutex_unlock(&worlds->lock);
    return models;
}

static void tell_faults(const struct om_models *models)
{
    const char *const stays = "; what was before stays";
    if (models->exposures_err.code)
        om_log(OM_LOG_WARN, "models", "city.json: %s%s",
               models->exposures_err.text,
               models->exposures_status ? "" : stays);
    for (size_t i = 0; i < models->count; i++) {
        const struct om_model_entry *e = &models->entry[i];
        if (e->err.code)
            om_log(OM_LOG_WARN, "models", "%s%s", e->err.text,
                   e->model ? stays : "");
    }
}

om_status om__worlds_new(const char *city, const struct om_snapshot *snapshot,
                         struct om__worlds **out)
{
    struct om__worlds *worlds = om_calloc(1, sizeof *worlds);
    if (!worlds) return OM_E_MEMORY;
    pthread_mutex_init(&worlds->lock, NULL);
    worlds->city = om_strdup(city);
    om_status st = worlds->city ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__made_new(&WORLDS, &worlds->worlds);
    if (!st) st = om__made_new(&REGIONS, &worlds->regions);
    struct om_models *models = NULL;
    // A folder that cannot be read is told, and no reason not to begin.
    if (!st && !read_models(worlds, snapshot, &models)) tell_faults(models);
    om_models_unref(models);
    if (st)
        om__worlds_free(worlds);
    else
        *out = worlds;
    return st;
}

void om__world_unref(struct om__world *world)
{
    struct world *w = (struct world *)world;
    if (!w || atomic_fetch_sub(&w->refs, 1) > 1) return;
    om_models_unref(w->public.models);
    region_unref(w->region);
    pthread_mutex_destroy(&w->lock);
    om_free(w);
}

void om__worlds_free(struct om__worlds *worlds)
{
    if (!worlds) return;
    om__made_free(worlds->worlds);
    om__made_free(worlds->regions);
    om_models_unref(worlds->last);
    pthread_mutex_destroy(&worlds->lock);
    om_free(worlds->city);
    om_free(worlds);
}

static uint64_t hash_text(const char *text, uint64_t seed)
{
    return text ? om_hash64(text, strlen(text), seed) : ~seed;
}

static uint64_t hash_number(double number, uint64_t seed)
{
    return om_hash64(&number, sizeof number, seed);
}

/* Of all that maps are made from or speak of. */
static uint64_t version_of(const struct om_models *models)
{
    uint64_t hash = models->count;
    for (size_t i = 0; i < models->count; i++) {
        const struct om_model_entry *e = &models->entry[i];
        const struct om_model *m = e->model;
        hash = hash_text(e->name, hash);
        if (!m) continue;
        hash = om_hash64(&m->hash, sizeof m->hash, hash);
        hash = hash_text(m->title, hash_text(m->title_en, hash));
        hash = hash_text(m->per_unit, hash_text(m->per_unit_en, hash));
        for (size_t t = 0; t < m->terms; t++) {
            hash = hash_text(m->term[t].title, hash);
            hash = hash_text(m->term[t].title_en, hash);
        }
    }
    for (size_t i = 0; i < models->exposures.count; i++) {
        const struct om_exposure *e = &models->exposures.exposure[i];
        hash = hash_text(e->name, hash_text(e->layer, hash));
        hash = hash_text(e->filter, hash_text(e->weight, hash));
        hash = hash_text(e->unit, hash_text(e->unit_en, hash));
        hash = hash_text(e->title, hash_text(e->title_en, hash));
        hash = hash_number(e->scale, hash_number(e->floor, hash + e->windowed));
    }
    return hash;
}

struct asking {
    struct om__worlds *worlds;
    const struct om_snapshot *snapshot;
};

static om_status make_world(void *ctx, void **out)
{
    const struct asking *a = ctx;
    struct world *w = om_calloc(1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    const om_status st = read_models(a->worlds, a->snapshot, &w->public.models);
    if (st) {
        om_free(w);
        return st;
    }
    tell_faults(w->public.models);
    atomic_init(&w->refs, 1);
    pthread_mutex_init(&w->lock, NULL);
    w->public.version = version_of(w->public.models);
    *out = w;
    return OM_OK;
}

om_status om__worlds_reload(struct om__worlds *worlds,
                            const struct om_snapshot *snapshot,
                            struct om_err *err)
{
    struct om_models *models = NULL;
    om_status st = read_models(worlds, snapshot, &models);
    if (st) return om_fail(err, st, 0, "the models cannot be read");
    st = om_models_fault(models, err);
    om_models_unref(models);
    // Whoever asks next reads them again.
    if (!st) atomic_fetch_add(&worlds->reloads, 1);
    return st;
}

om_status om__request_world(struct om__request *r)
{
    struct om__worlds *worlds = r->server->worlds;
    if (r->world) return OM_OK;
    struct asking ask = {worlds, r->whole};
    const uint64_t from[] = {r->snapshot->manifest->sequence, worlds->reloads};
    struct om__made_key key = {.newness = from[0] + from[1]};
    void *thing = NULL;
    om_buf_add(&key.text, from, sizeof from);
    const om_status st = om__made_get(worlds->worlds, &key, NULL, false,
                                      make_world, &ask, &thing);
    om_buf_deinit(&key.text);
    r->world = thing;
    return st;
}

struct om__world *om__world_ref(struct om__world *world)
{
    atomic_fetch_add(&((struct world *)world)->refs, 1);
    return world;
}

static om_status make_region(void *ctx, void **out)
{
    struct region *region = om_calloc(1, sizeof *region);
    if (!region) return OM_E_MEMORY;
    atomic_init(&region->refs, 1);
    const om_status st = om_risk_region_new(ctx, &region->partition);
    if (st)
        om_free(region);
    else
        *out = region;
    return st;
}

uint64_t om__units_serial(const struct om_snapshot *snapshot)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        if (layer->meta && layer->meta->unit_level[0])
            hash = om_hash64(&layer->serial, sizeof layer->serial, hash);
    }
    return hash;
}

static om_status find_region(struct world *w, struct om__worlds *worlds,
                             struct om_snapshot *snapshot)
{
    struct om__made_key key = {.newness = snapshot->manifest->sequence};
    const uint64_t serial = om__units_serial(snapshot);
    void *thing = NULL;
    om_buf_add(&key.text, &serial, sizeof serial);
    const om_status st = om__made_get(worlds->regions, &key, NULL, false,
                                      make_region, snapshot, &thing);
    om_buf_deinit(&key.text);
    w->region = thing;
    return st;
}

om_status om__world_heat(struct om__world *world, struct om__request *r,
                         struct om_heat_world *out)
{
    struct om_server *server = r->server;
    struct world *w = (struct world *)world;
    om_status st = OM_OK;
    pthread_mutex_lock(&w->lock);
    if (!w->region) st = find_region(w, server->worlds, r->whole);
    *out = (struct om_heat_world){
        .snapshot = r->snapshot,
        .whole = r->whole,
        .selections = server->selections,
        .fields = server->fields,
        .legends = server->legends,
        .region = w->region ? w->region->partition : NULL};
    pthread_mutex_unlock(&w->lock);
    return st;
}
