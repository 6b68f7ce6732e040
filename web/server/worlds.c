/* worlds.c - what heat maps need beside the layers: models and the city's area.
 *
 * DESIGN
 * Models are read once a commit, so that a tile, its legend and its value are
 * of the same model even while somebody edits the file. The city's area is
 * made when a statistic first asks for it, by the worker that needs it.
 */
#include "data/base/alloc.h"
#include "data/base/log.h"
#include "engine/risk/region.h"
#include "web/server/server_internal.h"

struct world {
    struct om__world public;  // first: what callers hold
    atomic_size_t refs;
    uint64_t sequence;
    pthread_mutex_t lock;  // guards the two below
    bool region_made;
    struct om_partition *region;
};

struct om__worlds {
    char *city;
    pthread_mutex_t lock;
    struct world *newest;
};

om_status om__worlds_new(const char *city, struct om__worlds **out)
{
    struct om__worlds *worlds = om_calloc(1, sizeof *worlds);
    if (!worlds) return OM_E_MEMORY;
    worlds->city = om_strdup(city);
    if (!worlds->city) {
        om_free(worlds);
        return OM_E_MEMORY;
    }
    pthread_mutex_init(&worlds->lock, NULL);
    *out = worlds;
    return OM_OK;
}

void om__world_unref(struct om__world *world)
{
    struct world *w = (struct world *)world;
    if (!w || atomic_fetch_sub(&w->refs, 1) > 1) return;
    om_models_unref(w->public.models);
    om_partition_free(w->region);
    pthread_mutex_destroy(&w->lock);
    om_free(w);
}

void om__worlds_free(struct om__worlds *worlds)
{
    if (!worlds) return;
    om__world_unref(worlds->newest ? &worlds->newest->public : NULL);
    pthread_mutex_destroy(&worlds->lock);
    om_free(worlds->city);
    om_free(worlds);
}

static om_status make(const struct om__worlds *worlds,
                      const struct om_snapshot *snapshot, struct world **out)
{
    struct om_err err = {0};
    struct world *w = om_calloc(1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    const om_status st =
        om_models_read(worlds->city, snapshot, &w->public.models, &err);
    if (st) {
        om_log(OM_LOG_WARN, "models", "%s", err.text);
        om_free(w);
        return st;
    }
    const struct om_models *models = w->public.models;
    if (models->exposures_status)
        om_log(OM_LOG_WARN, "models", "city.json: %s",
               models->exposures_err.text);
    for (size_t i = 0; i < models->count; i++)
        if (!models->entry[i].model)
            om_log(OM_LOG_WARN, "models", "%s", models->entry[i].err.text);
    atomic_init(&w->refs, 1);
    pthread_mutex_init(&w->lock, NULL);
    w->sequence = snapshot->sequence;
    *out = w;
    return OM_OK;
}

om_status om__worlds_reload(struct om__worlds *worlds,
                            const struct om_snapshot *snapshot,
                            struct om_err *err)
{
    struct world *w = NULL;
    om_status st = make(worlds, snapshot, &w);
    if (st) return om_fail(err, st, 0, "the models cannot be read");
    const struct om_models *models = w->public.models;
    if (models->exposures_status)
        st = om_fail(err, models->exposures_status, 0, "city.json: %s",
                     models->exposures_err.text);
    for (size_t i = 0; i < models->count && !st; i++)
        if (!models->entry[i].model)
            st = om_fail(err, models->entry[i].err.code, 0, "%s",
                         models->entry[i].err.text);
    struct world *old = w;
    if (!st) {
        pthread_mutex_lock(&worlds->lock);
        old = worlds->newest;
        worlds->newest = w;
        pthread_mutex_unlock(&worlds->lock);
    }
    om__world_unref(old ? &old->public : NULL);
    return st;
}

om_status om__request_world(struct om__request *r)
{
    struct om__worlds *worlds = r->server->worlds;
    om_status st = OM_OK;
    struct world *w;
    if (r->world) return OM_OK;
    pthread_mutex_lock(&worlds->lock);
    w = worlds->newest;
    if (w && w->sequence == r->snapshot->sequence) {
        atomic_fetch_add(&w->refs, 1);
    } else {
        w = NULL;
        st = make(worlds, r->snapshot, &w);
        // A request that is late must not put an old one in the new one's
        // place.
        if (!st &&
            (!worlds->newest || worlds->newest->sequence < w->sequence)) {
            om__world_unref(worlds->newest ? &worlds->newest->public : NULL);
            atomic_fetch_add(&w->refs, 1);
            worlds->newest = w;
        }
    }
    pthread_mutex_unlock(&worlds->lock);
    r->world = w ? &w->public : NULL;
    return st;
}

struct om__world *om__world_ref(struct om__world *world)
{
    atomic_fetch_add(&((struct world *)world)->refs, 1);
    return world;
}

om_status om__world_heat(struct om__world *world, struct om_server *server,
                         struct om_snapshot *snapshot,
                         struct om_heat_world *out)
{
    struct world *w = (struct world *)world;
    om_status st = OM_OK;
    pthread_mutex_lock(&w->lock);
    if (!w->region_made) st = om_risk_region_new(snapshot, &w->region);
    if (!st) w->region_made = true;
    pthread_mutex_unlock(&w->lock);
    *out = (struct om_heat_world){.snapshot = snapshot,
                                  .selections = server->selections,
                                  .fields = server->fields,
                                  .legends = server->legends,
                                  .region = w->region};
    return st;
}
