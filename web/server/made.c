/* made.c - things made once: views, pictures, the base map, names, worlds.
 *
 * DESIGN
 * A page asks for twenty tiles at the same moment. The first to need a thing
 * makes it, the others find its slot taken and wait; whoever may not wait
 * (a thread of connections, or of lighter work) is put off to a worker.
 *
 * A key says what is meant (its family: the map and its options) and then what
 * it is made from (serials of layers, version of a model, a beat). When the
 * same thing has been made from something newer, the older one goes: a city
 * that is written to all day long keeps one of each. Who has an old snapshot
 * and comes late is served, but puts nothing in the newer one's place.
 *
 * Invariants, all under the lock: (1) a slot without a thing is being made by
 * exactly one thread; (2) at most `most` things are kept; (3) of a family only
 * the newest stay.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "web/server/made.h"
#include "web/server/server_internal.h"

struct slot {
    uint8_t *key;
    size_t key_len, family_len;
    uint64_t hash, newness, used;
    double used_s;
    void *thing;  // NULL while it is being made
};

struct om__made {
    const struct om__made_kind *kind;
    pthread_mutex_t lock;
    pthread_cond_t finished;
    uint64_t clock, hits, misses;
    size_t count, room;
    struct slot *slot;
};

om_status om__made_new(const struct om__made_kind *kind, struct om__made **out)
{
    struct om__made *made = om_calloc(1, sizeof *made);
    if (!made) return OM_E_MEMORY;
    made->kind = kind;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->finished, NULL);
    *out = made;
    return OM_OK;
}

static void drop(struct om__made *made, size_t i)
{
    if (made->slot[i].thing) made->kind->unref(made->slot[i].thing);
    om_free(made->slot[i].key);
    made->slot[i] = made->slot[--made->count];
}

void om__made_clear(struct om__made *made)
{
    pthread_mutex_lock(&made->lock);
    for (size_t i = made->count; i-- > 0;)
        if (made->slot[i].thing) drop(made, i);
    pthread_mutex_unlock(&made->lock);
}

void om__made_free(struct om__made *made)
{
    if (!made) return;
    om__made_clear(made);
    pthread_cond_destroy(&made->finished);
    pthread_mutex_destroy(&made->lock);
    om_free(made->slot);
    om_free(made);
}

void om__made_sweep(struct om__made *made, double idle_s)
{
    const double before_s = om_seconds() - idle_s;
    pthread_mutex_lock(&made->lock);
    for (size_t i = made->count; i-- > 0;)
        if (made->slot[i].thing && made->slot[i].used_s <= before_s)
            drop(made, i);
    pthread_mutex_unlock(&made->lock);
}

struct om__made_stats om__made_stats(struct om__made *made)
{
    pthread_mutex_lock(&made->lock);
    const struct om__made_stats stats = {made->hits, made->misses, made->count};
    pthread_mutex_unlock(&made->lock);
    return stats;
}

static struct slot *find(struct om__made *made, const struct om__made_key *key,
                         uint64_t hash)
{
    for (size_t i = 0; i < made->count; i++) {
        struct slot *s = &made->slot[i];
        if (s->hash == hash && s->key_len == key->text.len &&
            s->family_len == key->family &&
            !memcmp(s->key, key->text.bytes, s->key_len))
            return s;
    }
    return NULL;
}

static bool same_family(const struct slot *a, const struct slot *b)
{
    return a->family_len == b->family_len &&
           !memcmp(a->key, b->key, a->family_len);
}

/* Things above the bound go, the one used longest ago first. What is being
 * made is not counted: there are never more of them than threads. */
static void make_room(struct om__made *made)
{
    for (;;) {
        size_t things = 0, oldest = SIZE_MAX;
        for (size_t i = 0; i < made->count; i++) {
            if (!made->slot[i].thing) continue;
            things++;
            if (oldest == SIZE_MAX ||
                made->slot[i].used < made->slot[oldest].used)
                oldest = i;
        }
        if (things <= made->kind->most) return;
        drop(made, oldest);
    }
}

static om_status claim(struct om__made *made, const struct om__made_key *key,
                       uint64_t hash)
{
    if (made->count == made->room) {
        const size_t room = made->room ? 2 * made->room : 16;
        struct slot *grown = om_realloc(made->slot, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        made->slot = grown;
        made->room = room;
    }
    uint8_t *copy = om_alloc(key->text.len ? key->text.len : 1);
    if (!copy) return OM_E_MEMORY;
    if (key->text.len) memcpy(copy, key->text.bytes, key->text.len);
    made->slot[made->count++] = (struct slot){.key = copy,
                                              .key_len = key->text.len,
                                              .family_len = key->family,
                                              .hash = hash,
                                              .newness = key->newness,
                                              .used = ++made->clock,
                                              .used_s = om_seconds()};
    return OM_OK;
}

/* The thing of our slot is there, or failed. */
static void settle(struct om__made *made, const struct om__made_key *key,
                   uint64_t hash, void *thing)
{
    struct slot *own = find(made, key, hash);
    bool late = false;
    own->thing = thing;
    if (thing) made->kind->ref(thing);
    for (size_t i = made->count; thing && i-- > 0;) {
        struct slot *s = &made->slot[i];
        if (s == own || !s->thing || !same_family(s, own)) continue;
        if (s->newness > own->newness) {
            late = true;
            continue;
        }
        // The last one takes its place: it may be ours.
        const bool moves = own == &made->slot[made->count - 1];
        drop(made, i);
        if (moves) own = &made->slot[i];
    }
    if (!thing || late) drop(made, (size_t)(own - made->slot));
    make_room(made);
}

om_status om__made_get(struct om__made *made, const struct om__made_key *key,
                       struct om__request *waiter, bool heavy,
                       om_status (*make)(void *ctx, void **thing), void *ctx,
                       void **out)
{
    *out = NULL;
    if (key->text.status) return key->text.status;
    const uint64_t hash = om_hash64(key->text.bytes, key->text.len, 0);
    const bool here = !waiter || (heavy ? waiter->on_heavy : waiter->on_worker);
    om_status st = OM_OK;
    bool mine = false;
    pthread_mutex_lock(&made->lock);
    struct slot *slot = find(made, key, hash);
    while (slot && !slot->thing && here) {
        pthread_cond_wait(&made->finished, &made->lock);
        slot = find(made, key, hash);
    }
    if (slot && slot->thing) {
        slot->used = ++made->clock;
        slot->used_s = om_seconds();
        made->hits++;
        made->kind->ref(slot->thing);
        *out = slot->thing;
    } else if (!here) {
        waiter->later = true;
        waiter->heavy = heavy;
    } else {
        made->misses++;
        st = claim(made, key, hash);
        mine = !st;
    }
    pthread_mutex_unlock(&made->lock);
    if (!mine) return st;

    // Others may wait for it: it is made to its end, whoever leaves.
    struct om_cancel *held = om_cancel_swap(NULL);
    st = make(ctx, out);
    om_cancel_swap(held);
    pthread_mutex_lock(&made->lock);
    settle(made, key, hash, st ? NULL : *out);
    pthread_cond_broadcast(&made->finished);
    pthread_mutex_unlock(&made->lock);
    if (st) *out = NULL;
    return st;
}

bool om__made_has(struct om__made *made, const struct om__made_key *key)
{
    if (key->text.status) return false;
    const uint64_t hash = om_hash64(key->text.bytes, key->text.len, 0);
    pthread_mutex_lock(&made->lock);
    const struct slot *slot = find(made, key, hash);
    const bool has = slot && slot->thing;
    pthread_mutex_unlock(&made->lock);
    return has;
}
