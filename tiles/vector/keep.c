/* keep.c - what tiles share, each made once and kept while there is room.
 *
 * DESIGN
 * A page asks for twenty tiles at the same moment. The first to need a thing
 * makes it; the others find its slot taken and wait. Things in use are never
 * dropped. Cells in which rows were written (mend.c) may be thousands: slots
 * are found by a table.
 */
#include <pthread.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "tiles/vector/vector_internal.h"

#define BUCKETS 1024

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

struct om__keep {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    size_t max_bytes;
    uint64_t clock;
    struct slot *slots[BUCKETS];
    struct om_cache_stats stats;
};

static bool has_files(const struct om_layer *layer)
{
    for (size_t p = 0; p < layer->parts; p++)
        if (!om_segment_in_memory(layer->part[p].segment)) return true;
    return false;
}

size_t om__lasting(const struct om_layer *layer, size_t part)
{
    if (!has_files(layer)) return part;
    if (om_segment_in_memory(layer->part[part].segment)) return OM__PASSING;
    size_t number = 0;
    for (size_t p = 0; p < part; p++)
        number += !om_segment_in_memory(layer->part[p].segment);
    return number;
}

void om__layer_key(struct om__layer_key *key, const struct om_layer *layer,
                   const struct om_selection *selection)
{
    memset(key, 0, sizeof *key);  // the name to its last byte
    memcpy(key->name, layer->name, strlen(layer->name));
    for (size_t p = 0; p < layer->parts; p++) {
        if (om__lasting(layer, p) == OM__PASSING) continue;
        const uint64_t part[2] = {
            om_segment_serial(layer->part[p].segment),
            selection ? om_selection_base_serial(selection, p) : 0};
        key->serial = om_hash64(part, sizeof part, key->serial);
    }
}

void om__layer_key_now(struct om__layer_key *key, const struct om_layer *layer,
                       const struct om_selection *selection)
{
    om__layer_key(key, layer, selection);
    key->serial = om_hash64(&layer->serial, sizeof layer->serial, key->serial);
    for (size_t p = 0; selection && p < layer->parts; p++) {
        const uint64_t base = om_selection_base_serial(selection, p);
        key->serial = om_hash64(&base, sizeof base, key->serial);
    }
}

size_t om__written_rows(const struct om_layer *layer)
{
    size_t rows = 0;
    for (size_t p = 0; p < layer->parts; p++)
        rows += om__lasting(layer, p) == OM__PASSING
                    ? om_segment_rows(layer->part[p].segment)
                    : layer->part[p].dead_count;
    return rows;
}

bool om__written(const struct om_layer *layer)
{
    return om__written_rows(layer) > 0;
}

const struct om_segment *om__largest(const struct om_layer *layer)
{
    const struct om_segment *found = NULL;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        if (!found || om_segment_rows(s) > om_segment_rows(found)) found = s;
    }
    return found;
}

om_status om_vectors_new(size_t max_bytes, struct om_vectors **out)
{
    struct om_vectors *v = om_calloc(1, sizeof *v);
    struct om__keep *k = om_calloc(1, sizeof *k);
    if (!v || !k) {
        om_free(v);
        om_free(k);
        return OM_E_MEMORY;
    }
    k->max_bytes = max_bytes;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->finished, NULL);
    *v = (struct om_vectors){.keep = k, .border_vertices = OM__BORDER_VERTICES};
    *out = v;
    return OM_OK;
}

/* Under the lock. */
static void drop(struct om__keep *k, struct slot *slot)
{
    struct slot **at = &k->slots[slot->hash % BUCKETS];
    while (*at != slot) at = &(*at)->next;
    *at = slot->next;
    if (slot->value) slot->kind->free(slot->value);
    k->stats.bytes -= slot->bytes;
    k->stats.entries--;
    om_free(slot);
}

/* Under the lock: the one used longest ago of those that nobody uses. */
static struct slot *oldest(const struct om__keep *k)
{
    struct slot *found = NULL;
    for (size_t b = 0; b < BUCKETS; b++)
        for (struct slot *s = k->slots[b]; s; s = s->next)
            if (s->made && !s->refs && (!found || s->used < found->used))
                found = s;
    return found;
}

static void make_room(struct om__keep *k, size_t max_bytes)
{
    struct slot *slot;
    while (k->stats.bytes > max_bytes && (slot = oldest(k))) drop(k, slot);
}

void om_vectors_clear(struct om_vectors *vectors)
{
    struct om__keep *k = vectors->keep;
    struct slot *slot;
    pthread_mutex_lock(&k->lock);
    while ((slot = oldest(k))) drop(k, slot);
    pthread_mutex_unlock(&k->lock);
}

void om_vectors_free(struct om_vectors *vectors)
{
    if (!vectors) return;
    om_vectors_clear(vectors);
    pthread_cond_destroy(&vectors->keep->finished);
    pthread_mutex_destroy(&vectors->keep->lock);
    om_free(vectors->keep);
    om_free(vectors);
}

struct om_cache_stats om_vectors_stats(const struct om_vectors *vectors)
{
    struct om__keep *k = vectors->keep;
    pthread_mutex_lock(&k->lock);
    const struct om_cache_stats stats = k->stats;
    pthread_mutex_unlock(&k->lock);
    return stats;
}

static struct slot *find(struct om__keep *k, const struct om__keep_kind *kind,
                         const void *key, size_t key_len, uint64_t hash)
{
    for (struct slot *s = k->slots[hash % BUCKETS]; s; s = s->next)
        if (s->kind == kind && s->hash == hash && s->key_len == key_len &&
            !memcmp(s->key, key, key_len))
            return s;
    return NULL;
}

bool om__keep_has(struct om_vectors *vectors, const struct om__keep_kind *kind,
                  const void *key, size_t key_len)
{
    struct om__keep *k = vectors->keep;
    const uint64_t hash = om_hash64(key, key_len, 0);
    pthread_mutex_lock(&k->lock);
    const struct slot *slot = find(k, kind, key, key_len, hash);
    const bool has = slot && slot->made;
    pthread_mutex_unlock(&k->lock);
    return has;
}

/* Under the lock: a slot that says that we make it. */
static struct slot *claim(struct om__keep *k, const struct om__keep_kind *kind,
                          const void *key, size_t key_len, uint64_t hash)
{
    struct slot *slot = om_calloc(1, sizeof *slot + key_len);
    if (!slot) return NULL;
    slot->kind = kind;
    slot->hash = hash;
    slot->key_len = key_len;
    memcpy(slot->key, key, key_len);
    slot->refs = 1;
    slot->next = k->slots[hash % BUCKETS];
    k->slots[hash % BUCKETS] = slot;
    k->stats.entries++;
    return slot;
}

om_status om__keep_get(struct om_vectors *vectors,
                       const struct om__keep_kind *kind, const void *key,
                       size_t key_len, void *ask, struct om__kept *out)
{
    struct om__keep *k = vectors->keep;
    const uint64_t hash = om_hash64(key, key_len, 0);
    *out = (struct om__kept){0};
    pthread_mutex_lock(&k->lock);
    struct slot *slot = find(k, kind, key, key_len, hash);
    while (slot && !slot->made) {
        pthread_cond_wait(&k->finished, &k->lock);
        slot = find(k, kind, key, key_len, hash);
    }
    const bool mine = !slot;
    if (mine)
        slot = claim(k, kind, key, key_len, hash);
    else
        slot->refs++;
    if (slot) slot->used = ++k->clock;
    mine ? k->stats.misses++ : k->stats.hits++;
    pthread_mutex_unlock(&k->lock);
    if (!slot) return OM_E_MEMORY;

    om_status st = OM_OK;
    if (mine) {
        void *value = NULL;
        size_t bytes = 0;
        // Others may wait for it.
        struct om_cancel *held = om_cancel_swap(NULL);
        st = kind->make(ask, &value, &bytes);
        om_cancel_swap(held);
        pthread_mutex_lock(&k->lock);
        if (st) {
            drop(k, slot);
        } else {
            slot->value = value;
            slot->made = true;
            slot->bytes = bytes;
            k->stats.bytes += bytes;
            make_room(k, k->max_bytes);
        }
        pthread_cond_broadcast(&k->finished);
        pthread_mutex_unlock(&k->lock);
    }
    if (!st) *out = (struct om__kept){slot->value, slot};
    return st;
}

void om__keep_release(struct om_vectors *vectors, struct om__kept *kept)
{
    struct slot *slot = kept->slot;
    if (!slot) return;  // nothing was kept, perhaps by nobody
    struct om__keep *k = vectors->keep;
    pthread_mutex_lock(&k->lock);
    slot->refs--;
    make_room(k, k->max_bytes);
    pthread_mutex_unlock(&k->lock);
    *kept = (struct om__kept){0};
}
