/* keep.c - what tiles share, each made once and kept while there is room.
 *
 * DESIGN
 * A page asks for twenty tiles at the same moment. The first to need a thing
 * makes it; the others find its slot taken and wait. Things in use are never
 * dropped, and there are some hundreds at most, so that a list will do.
 */
#include <pthread.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "tiles/vector/vector_internal.h"

struct slot {
    const struct om__keep_kind *kind;
    uint64_t hash;
    size_t key_len, bytes, refs;
    uint64_t used;
    bool made;
    void *value;
    struct slot *next;
    unsigned char key[];
};

struct om_vectors {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    size_t max_bytes;
    uint64_t clock;
    struct slot *slots;
    struct om_cache_stats stats;
};

void om__layer_key(struct om__layer_key *key, const struct om_layer *layer)
{
    memset(key, 0, sizeof *key);  // the name to its last byte
    memcpy(key->name, layer->name, strlen(layer->name));
    key->serial = layer->serial;
}

om_status om_vectors_new(size_t max_bytes, struct om_vectors **out)
{
    struct om_vectors *v = om_calloc(1, sizeof *v);
    if (!v) return OM_E_MEMORY;
    v->max_bytes = max_bytes;
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->finished, NULL);
    *out = v;
    return OM_OK;
}

/* Under the lock. */
static void drop(struct om_vectors *v, struct slot *slot)
{
    struct slot **at = &v->slots;
    while (*at != slot) at = &(*at)->next;
    *at = slot->next;
    if (slot->value) slot->kind->free(slot->value);
    v->stats.bytes -= slot->bytes;
    v->stats.entries--;
    om_free(slot);
}

/* Under the lock: the one used longest ago of those that nobody uses. */
static struct slot *oldest(const struct om_vectors *v)
{
    struct slot *found = NULL;
    for (struct slot *s = v->slots; s; s = s->next)
        if (s->made && !s->refs && (!found || s->used < found->used)) found = s;
    return found;
}

static void make_room(struct om_vectors *v, size_t max_bytes)
{
    struct slot *slot;
    while (v->stats.bytes > max_bytes && (slot = oldest(v))) drop(v, slot);
}

void om_vectors_clear(struct om_vectors *v)
{
    struct slot *slot;
    pthread_mutex_lock(&v->lock);
    while ((slot = oldest(v))) drop(v, slot);
    pthread_mutex_unlock(&v->lock);
}

void om_vectors_free(struct om_vectors *v)
{
    if (!v) return;
    om_vectors_clear(v);
    pthread_cond_destroy(&v->finished);
    pthread_mutex_destroy(&v->lock);
    om_free(v);
}

struct om_cache_stats om_vectors_stats(const struct om_vectors *vectors)
{
    struct om_vectors *v = (struct om_vectors *)(uintptr_t)vectors;
    pthread_mutex_lock(&v->lock);
    const struct om_cache_stats stats = v->stats;
    pthread_mutex_unlock(&v->lock);
    return stats;
}

static struct slot *find(struct om_vectors *v, const struct om__keep_kind *kind,
                         const void *key, size_t key_len, uint64_t hash)
{
    for (struct slot *s = v->slots; s; s = s->next)
        if (s->kind == kind && s->hash == hash && s->key_len == key_len &&
            !memcmp(s->key, key, key_len))
            return s;
    return NULL;
}

bool om__keep_has(struct om_vectors *v, const struct om__keep_kind *kind,
                  const void *key, size_t key_len)
{
    const uint64_t hash = om_hash64(key, key_len, 0);
    pthread_mutex_lock(&v->lock);
    const struct slot *slot = find(v, kind, key, key_len, hash);
    const bool has = slot && slot->made;
    pthread_mutex_unlock(&v->lock);
    return has;
}

/* Under the lock: a slot that says that we make it. */
static struct slot *claim(struct om_vectors *v,
                          const struct om__keep_kind *kind, const void *key,
                          size_t key_len, uint64_t hash)
{
    struct slot *slot = om_calloc(1, sizeof *slot + key_len);
    if (!slot) return NULL;
    slot->kind = kind;
    slot->hash = hash;
    slot->key_len = key_len;
    memcpy(slot->key, key, key_len);
    slot->refs = 1;
    slot->next = v->slots;
    v->slots = slot;
    v->stats.entries++;
    return slot;
}

om_status om__keep_get(struct om_vectors *v, const struct om__keep_kind *kind,
                       const void *key, size_t key_len, void *ask,
                       struct om__kept *out)
{
    const uint64_t hash = om_hash64(key, key_len, 0);
    *out = (struct om__kept){0};
    pthread_mutex_lock(&v->lock);
    struct slot *slot = find(v, kind, key, key_len, hash);
    while (slot && !slot->made) {
        pthread_cond_wait(&v->finished, &v->lock);
        slot = find(v, kind, key, key_len, hash);
    }
    const bool mine = !slot;
    if (mine)
        slot = claim(v, kind, key, key_len, hash);
    else
        slot->refs++;
    if (slot) slot->used = ++v->clock;
    mine ? v->stats.misses++ : v->stats.hits++;
    pthread_mutex_unlock(&v->lock);
    if (!slot) return OM_E_MEMORY;

    om_status st = OM_OK;
    if (mine) {
        void *value = NULL;
        size_t bytes = 0;
        st = kind->make(ask, &value, &bytes);
        pthread_mutex_lock(&v->lock);
        if (st) {
            drop(v, slot);
        } else {
            slot->value = value;
            slot->made = true;
            slot->bytes = bytes;
            v->stats.bytes += bytes;
            make_room(v, v->max_bytes);
        }
        pthread_cond_broadcast(&v->finished);
        pthread_mutex_unlock(&v->lock);
    }
    if (!st) *out = (struct om__kept){slot->value, slot};
    return st;
}

void om__keep_release(struct om_vectors *v, struct om__kept *kept)
{
    struct slot *slot = kept->slot;
    if (!slot) return;
    pthread_mutex_lock(&v->lock);
    slot->refs--;
    make_room(v, v->max_bytes);
    pthread_mutex_unlock(&v->lock);
    *kept = (struct om__kept){0};
}
