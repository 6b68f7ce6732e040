/* views.c - fields made ready, each once.
 *
 * DESIGN
 * A page that sets a new filter asks for twenty tiles at the same moment. The
 * first to come makes the view (a pass over the columns, the field's largest
 * value), the others wait for it: its slot is in the table from the beginning,
 * marked as being made. Views that take long are made, and waited for, by the
 * worker of heavy work alone.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "web/server/server_internal.h"

/* Views kept. Their bitmaps are the selections' cache's to bound; this bounds
 * what the views themselves keep alive beyond it. */
#define VIEWS 48

struct made {
    struct om__view view;  // first: what callers hold
    atomic_size_t refs;
    struct om_snapshot *snapshot;
    struct om__world *world;
    pthread_mutex_t lock;  // guards view.heat.spread until it is there
    atomic_bool spread_known;
};

struct slot {
    char *key;
    size_t key_len;
    uint64_t hash, used;
    struct made *made;  // NULL while it is being made
};

struct om__views {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    uint64_t clock;
    size_t count;
    struct slot slot[VIEWS];
};

om_status om__views_new(struct om__views **out)
{
    struct om__views *views = om_calloc(1, sizeof *views);
    if (!views) return OM_E_MEMORY;
    pthread_mutex_init(&views->lock, NULL);
    pthread_cond_init(&views->finished, NULL);
    *out = views;
    return OM_OK;
}

void om__view_unref(struct om__view *view)
{
    struct made *made = (struct made *)view;
    if (!made || atomic_fetch_sub(&made->refs, 1) > 1) return;
    om_heat_view_deinit(&made->view.heat);
    pthread_mutex_destroy(&made->lock);
    om__world_unref(made->world);
    om_snapshot_unref(made->snapshot);
    om_free(made);
}

static void slot_drop(struct om__views *views, size_t i)
{
    om__view_unref(views->slot[i].made ? &views->slot[i].made->view : NULL);
    om_free(views->slot[i].key);
    views->slot[i] = views->slot[--views->count];
}

void om__views_clear(struct om__views *views)
{
    pthread_mutex_lock(&views->lock);
    for (size_t i = views->count; i-- > 0;)
        if (views->slot[i].made) slot_drop(views, i);
    pthread_mutex_unlock(&views->lock);
}

void om__views_free(struct om__views *views)
{
    if (!views) return;
    om__views_clear(views);
    pthread_cond_destroy(&views->finished);
    pthread_mutex_destroy(&views->lock);
    om_free(views);
}

om_status om__view_key(const struct om__request *r,
                       const struct om_risk_bound *bound, struct om_buf *key)
{
    const uint64_t sequence = r->snapshot->sequence;
    om_buf_add(key, &sequence, sizeof sequence);
    om_buf_add(key, bound->name, strlen(bound->name) + 1);
    // The moment counts where rows fade, the period for the legend.
    om_buf_add(key, bound->period, strlen(bound->period) + 1);
    return om_buf_add(key, bound->canonical, strlen(bound->canonical));
}

static struct slot *find(struct om__views *views, const struct om_buf *key,
                         uint64_t hash)
{
    for (size_t i = 0; i < views->count; i++) {
        struct slot *s = &views->slot[i];
        if (s->hash == hash && s->key_len == key->len &&
            !memcmp(s->key, key->bytes, key->len))
            return s;
    }
    return NULL;
}

/* Make room for one more; false while all are being made. */
static bool make_room(struct om__views *views)
{
    if (views->count < VIEWS) return true;
    size_t oldest = VIEWS;
    for (size_t i = 0; i < views->count; i++)
        if (views->slot[i].made &&
            (oldest == VIEWS || views->slot[i].used < views->slot[oldest].used))
            oldest = i;
    if (oldest == VIEWS) return false;
    slot_drop(views, oldest);
    return true;
}

static om_status make(struct om__request *r, struct om_risk_bound **bound,
                      struct made **out)
{
    struct om_heat_world world;
    struct made *made = om_calloc(1, sizeof *made);
    if (!made) return OM_E_MEMORY;
    made->refs = 1;
    made->snapshot = om_snapshot_ref(r->snapshot);
    made->world = om__world_ref(r->world);
    pthread_mutex_init(&made->lock, NULL);
    om_status st = om__world_heat(r->world, r->server, r->snapshot, &world);
    if (!st) {
        st = om_heat_view_init(&world, *bound, &made->view.heat, &r->err);
        *bound = NULL;
    }
    if (st)
        om__view_unref(&made->view);
    else
        *out = made;
    return st;
}

bool om__view_spread(struct om__request *r, struct om__view *view,
                     om_status *status)
{
    struct made *made = (struct made *)view;
    struct om_heat_view *heat = &view->heat;
    *status = OM_OK;
    if (atomic_load(&made->spread_known)) return true;
    if (om__spread_cost_s(heat->bound) > OM__HEAVY_S && om__wait_heavy(r))
        return false;
    pthread_mutex_lock(&made->lock);
    if (!atomic_load(&made->spread_known)) {
        struct om_heat_world world;
        om_status st =
            om__world_heat(made->world, r->server, made->snapshot, &world);
        if (!st) st = om_heat_view_spread(&world, heat, &heat->spread);
        if (st == OM_E_COST) st = OM_OK;
        if (!st) atomic_store(&made->spread_known, true);
        *status = st;
    }
    pthread_mutex_unlock(&made->lock);
    return true;
}

/* The slot is ours to fill; the lock is not held. */
static om_status fill(struct om__request *r, struct om_risk_bound **bound,
                      const struct om_buf *key, uint64_t hash,
                      struct made **out)
{
    struct om__views *views = r->server->views;
    struct made *made = NULL;
    struct om_cancel *held = om_cancel_swap(NULL);  // others may wait for it
    const om_status st = make(r, bound, &made);
    om_cancel_swap(held);
    pthread_mutex_lock(&views->lock);
    struct slot *slot = find(views, key, hash);
    slot->made = made;
    if (made)
        atomic_fetch_add(&made->refs, 1);
    else
        slot_drop(views, (size_t)(slot - views->slot));
    pthread_cond_broadcast(&views->finished);
    pthread_mutex_unlock(&views->lock);
    *out = made;
    return st;
}

/* Look a view up, waiting while another thread makes it. On OM_OK without a
 * view the slot has been taken for the caller to fill. */
static om_status claim(struct om__request *r, const struct om_buf *key,
                       uint64_t hash, bool heavy, struct made **out)
{
    struct om__views *views = r->server->views;
    const bool here = heavy ? r->on_heavy : r->on_worker;
    om_status st = OM_OK;
    pthread_mutex_lock(&views->lock);
    struct slot *slot = find(views, key, hash);
    while (slot && !slot->made && here) {
        pthread_cond_wait(&views->finished, &views->lock);
        slot = find(views, key, hash);
    }
    if (slot && slot->made) {
        slot->used = ++views->clock;
        atomic_fetch_add(&slot->made->refs, 1);
        *out = slot->made;
    } else if (!here) {
        r->later = true;
        r->heavy = heavy;
    } else if (!make_room(views)) {
        st = OM_E_BUSY;
    } else {
        char *copy = om_alloc(key->len ? key->len : 1);
        if (copy) {
            memcpy(copy, key->bytes, key->len);
            views->slot[views->count++] = (struct slot){.key = copy,
                                                        .key_len = key->len,
                                                        .hash = hash,
                                                        .used = ++views->clock};
        } else {
            st = OM_E_MEMORY;
        }
    }
    pthread_mutex_unlock(&views->lock);
    return st;
}

om_status om__view_get(struct om__request *r, struct om_risk_bound **bound,
                       struct om__view **out)
{
    struct om_buf key = {0};
    struct made *made = NULL;
    *out = NULL;
    om_status st = om__view_key(r, *bound, &key);
    if (st) goto done;
    const uint64_t hash = om_hash64(key.bytes, key.len, 0);
    const bool heavy = om__view_cost_s(*bound) > OM__HEAVY_S;
    st = claim(r, &key, hash, heavy, &made);
    if (!st && !made && !r->later) st = fill(r, bound, &key, hash, &made);
    if (made) *out = &made->view;
done:
    om_buf_deinit(&key);
    return st;
}
