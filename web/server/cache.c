// cache.c - finished answers, least recently used first out.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "web/server/server_internal.h"

/* What an entry costs beside its bytes: the two responses with their headers,
 * as malloc sees them. Measured roughly; it bounds the count of tiny ones. */
#define ENTRY_BYTES 2048
#define BUCKETS_MIN 1024

struct entry {
    struct entry *next;           // in the bucket
    struct entry *newer, *older;  // by last use
    struct om__answer *answer;
    uint64_t hash;
    size_t bytes, key_len;
    char key[];
};

struct om__cache {
    pthread_mutex_t lock;
    struct entry **bucket;
    size_t buckets;  // a power of two
    struct entry *newest, *oldest;
    size_t max_bytes, bytes, entries;
    atomic_uint_least64_t hits, misses;
};

void om__answer_unref(struct om__answer *answer)
{
    if (!answer || atomic_fetch_sub(&answer->refs, 1) > 1) return;
    if (answer->full) MHD_destroy_response(answer->full);
    if (answer->unchanged) MHD_destroy_response(answer->unchanged);
    om_free(answer);
}

om_status om__cache_new(size_t max_bytes, struct om__cache **out)
{
    struct om__cache *cache = om_calloc(1, sizeof *cache);
    if (!cache) return OM_E_MEMORY;
    // One bucket for every small tile that fits: chains stay short.
    cache->buckets = BUCKETS_MIN;
    while (cache->buckets * 2 * ENTRY_BYTES < max_bytes) cache->buckets *= 2;
    cache->bucket = om_calloc(cache->buckets, sizeof *cache->bucket);
    if (!cache->bucket) {
        om_free(cache);
        return OM_E_MEMORY;
    }
    cache->max_bytes = max_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return OM_OK;
}

static void unlink_use(struct om__cache *cache, struct entry *e)
{
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(struct om__cache *cache, struct entry *e)
{
    e->older = cache->newest;
    *(e->older ? &e->older->newer : &cache->oldest) = e;
    cache->newest = e;
}

static struct entry **find(struct om__cache *cache, const void *key, size_t len,
                           uint64_t hash)
{
    struct entry **at = &cache->bucket[hash & (cache->buckets - 1)];
    while (*at && ((*at)->hash != hash || (*at)->key_len != len ||
                   memcmp((*at)->key, key, len) != 0))
        at = &(*at)->next;
    return at;
}

static void drop(struct om__cache *cache, struct entry **at)
{
    struct entry *e = *at;
    *at = e->next;
    unlink_use(cache, e);
    cache->bytes -= e->bytes;
    cache->entries--;
    om__answer_unref(e->answer);
    om_free(e);
}

struct om__answer *om__cache_get(struct om__cache *cache, const void *key,
                                 size_t len)
{
    const uint64_t hash = om_hash64(key, len, 0);
    struct om__answer *answer = NULL;
    pthread_mutex_lock(&cache->lock);
    struct entry *e = *find(cache, key, len, hash);
    if (e) {
        if (e != cache->newest) {
            unlink_use(cache, e);
            link_newest(cache, e);
        }
        answer = e->answer;
        atomic_fetch_add(&answer->refs, 1);
    }
    pthread_mutex_unlock(&cache->lock);
    atomic_fetch_add(answer ? &cache->hits : &cache->misses, 1);
    return answer;
}

void om__cache_put(struct om__cache *cache, const void *key, size_t len,
                   struct om__answer *answer)
{
    struct entry *e = om_alloc(sizeof *e + len);
    if (!e) return;
    *e = (struct entry){.answer = answer,
                        .hash = om_hash64(key, len, 0),
                        .bytes = answer->bytes + len + ENTRY_BYTES,
                        .key_len = len};
    memcpy(e->key, key, len);
    atomic_fetch_add(&answer->refs, 1);

    pthread_mutex_lock(&cache->lock);
    struct entry **at = find(cache, key, len, e->hash);
    if (*at) drop(cache, at);
    at = &cache->bucket[e->hash & (cache->buckets - 1)];
    e->next = *at;
    *at = e;
    link_newest(cache, e);
    cache->bytes += e->bytes;
    cache->entries++;
    while (cache->bytes > cache->max_bytes && cache->oldest) {
        const struct entry *old = cache->oldest;
        drop(cache, find(cache, old->key, old->key_len, old->hash));
    }
    pthread_mutex_unlock(&cache->lock);
}

void om__cache_clear(struct om__cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->oldest) {
        const struct entry *old = cache->oldest;
        drop(cache, find(cache, old->key, old->key_len, old->hash));
    }
    pthread_mutex_unlock(&cache->lock);
}

void om__cache_free(struct om__cache *cache)
{
    if (!cache) return;
    om__cache_clear(cache);
    pthread_mutex_destroy(&cache->lock);
    om_free(cache->bucket);
    om_free(cache);
}

struct om__cache_stats om__cache_stats(struct om__cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    const struct om__cache_stats stats = {
        .hits = cache->hits,
        .misses = cache->misses,
        .entries = cache->entries,
        .bytes = cache->bytes,
    };
    pthread_mutex_unlock(&cache->lock);
    return stats;
}
