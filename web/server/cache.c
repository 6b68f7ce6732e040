/* cache.c - finished answers; one that is asked for once pushes nothing out.
 *
 * DESIGN
 * A crawler, an export or a wall that pans over the whole city asks for every
 * tile once. Under 'least recently used' each of them pushes out a tile that
 * people look at. So an answer begins in a short queue of newcomers and is
 * kept only if it is asked for again before it reaches the end; what falls out
 * is remembered by its hash for a while, and if it comes back it goes straight
 * to those who stay. Those who stay go round in a queue and lose a life each
 * time they reach its end. No list is rearranged on a hit.
 * source: Yang et al., FIFO queues are all you need for cache eviction, SOSP
 * 2023 (S3-FIFO)
 *
 * Invariants: (1) bytes is the sum over both queues and at most max_bytes
 * after every call; (2) an entry is in one bucket and in one queue.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "web/server/server_internal.h"

/* What an entry costs beside its bytes: the two responses with their headers,
 * as malloc sees them. Measured roughly; it bounds the count of tiny ones. */
#define ENTRY_BYTES 2048
#define BUCKETS_MIN 1024
/* Of all bytes, what newcomers may hold, as the paper has it. */
#define NEWCOMERS 0.1
/* Rounds that an entry asked for again and again survives without. */
#define LIVES_MOST 3

struct entry {
    struct entry *next;    // in the bucket
    struct entry *behind;  // in its queue: came later
    struct om__answer *answer;
    uint64_t hash;
    size_t bytes, key_len;
    uint8_t lives;  // asked for since it came, or since its last round
    bool stays;     // is in the queue of stayers
    char key[];
};

struct queue {
    struct entry *first, *last;  // first: came before all others
    size_t bytes;
};

struct om__cache {
    pthread_mutex_t lock;
    struct entry **bucket;
    uint64_t *gone;  // [buckets] hashes of newcomers that fell out, by hash
    size_t buckets;  // a power of two
    struct queue newcomers, stayers;
    size_t max_bytes, entries;
    uint64_t hits, misses, evictions, invalidated;
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
    // One bucket for every small tile that fits: chains stay short, and as
    // many that are gone are remembered as are there.
    cache->buckets = BUCKETS_MIN;
    while (cache->buckets * 2 * ENTRY_BYTES < max_bytes) cache->buckets *= 2;
    cache->bucket = om_calloc(cache->buckets, sizeof *cache->bucket);
    cache->gone = om_calloc(cache->buckets, sizeof *cache->gone);
    if (!cache->bucket || !cache->gone) {
        om_free(cache->bucket);
        om_free(cache->gone);
        om_free(cache);
        return OM_E_MEMORY;
    }
    cache->max_bytes = max_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return OM_OK;
}

static void push(struct queue *q, struct entry *e)
{
    e->behind = NULL;
    *(q->last ? &q->last->behind : &q->first) = e;
    q->last = e;
    q->bytes += e->bytes;
}

static struct entry *pop(struct queue *q)
{
    struct entry *e = q->first;
    q->first = e->behind;
    if (!q->first) q->last = NULL;
    q->bytes -= e->bytes;
    return e;
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

/* It is out of its queue already. */
static void drop(struct om__cache *cache, struct entry *e)
{
    *find(cache, e->key, e->key_len, e->hash) = e->next;
    cache->entries--;
    om__answer_unref(e->answer);
    om_free(e);
}

static uint64_t *gone_slot(struct om__cache *cache, uint64_t hash)
{
    // Other bits than those that choose the bucket.
    return &cache->gone[(hash >> 32) & (cache->buckets - 1)];
}

static void evict_newcomer(struct om__cache *cache)
{
    struct entry *e = pop(&cache->newcomers);
    if (e->lives) {
        e->lives = 0;
        e->stays = true;
        push(&cache->stayers, e);
        return;
    }
    *gone_slot(cache, e->hash) = e->hash;
    cache->evictions++;
    drop(cache, e);
}

static void evict_stayer(struct om__cache *cache)
{
    struct entry *e = pop(&cache->stayers);
    if (e->lives) {
        e->lives--;
        push(&cache->stayers, e);
        return;
    }
    cache->evictions++;
    drop(cache, e);
}

static void make_room(struct om__cache *cache)
{
    const size_t newcomers = (size_t)((double)cache->max_bytes * NEWCOMERS);
    while (cache->newcomers.bytes + cache->stayers.bytes > cache->max_bytes) {
        if (cache->newcomers.bytes > newcomers || !cache->stayers.first)
            evict_newcomer(cache);
        else
            evict_stayer(cache);
    }
}

struct om__answer *om__cache_get(struct om__cache *cache, const void *key,
                                 size_t len)
{
    const uint64_t hash = om_hash64(key, len, 0);
    struct om__answer *answer = NULL;
    pthread_mutex_lock(&cache->lock);
    struct entry *e = *find(cache, key, len, hash);
    if (e) {
        if (e->lives < LIVES_MOST) e->lives++;
        answer = e->answer;
        atomic_fetch_add(&answer->refs, 1);
        cache->hits++;
    } else {
        cache->misses++;
    }
    pthread_mutex_unlock(&cache->lock);
    return answer;
}

void om__cache_stale(struct om__cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->hits--;
    cache->misses++;
    cache->invalidated++;
    pthread_mutex_unlock(&cache->lock);
}

/* Was `a` made from something newer than `b`? */
static bool is_newer(const struct om__answer *a, const struct om__answer *b)
{
    const uint64_t of_a = a->sequence, of_b = b->sequence;
    return of_a > of_b || (of_a == of_b && a->now_s > b->now_s);
}

/* Another answer under the same key; the entry stays where it is in its queue,
 * so that a tile that people look at is one after every write. */
static void replace(struct om__cache *cache, struct entry *e,
                    struct om__answer *answer)
{
    const size_t bytes = answer->bytes + e->key_len + ENTRY_BYTES;
    struct queue *q = e->stays ? &cache->stayers : &cache->newcomers;
    q->bytes += bytes - e->bytes;
    e->bytes = bytes;
    om__answer_unref(e->answer);
    atomic_fetch_add(&answer->refs, 1);
    e->answer = answer;
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

    pthread_mutex_lock(&cache->lock);
    // Two that made the same answer: the first one's stays.
    struct entry **at = find(cache, key, len, e->hash);
    if (*at) {
        if (is_newer(answer, (*at)->answer)) {
            replace(cache, *at, answer);
            make_room(cache);
        }
        om_free(e);
    } else {
        *at = e;
        atomic_fetch_add(&answer->refs, 1);
        cache->entries++;
        uint64_t *gone = gone_slot(cache, e->hash);
        e->stays = *gone == e->hash;
        push(e->stays ? &cache->stayers : &cache->newcomers, e);
        if (e->stays) *gone = 0;
        make_room(cache);
    }
    pthread_mutex_unlock(&cache->lock);
}

void om__cache_clear(struct om__cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->newcomers.first) drop(cache, pop(&cache->newcomers));
    while (cache->stayers.first) drop(cache, pop(&cache->stayers));
    memset(cache->gone, 0, cache->buckets * sizeof *cache->gone);
    pthread_mutex_unlock(&cache->lock);
}

void om__cache_free(struct om__cache *cache)
{
    if (!cache) return;
    om__cache_clear(cache);
    pthread_mutex_destroy(&cache->lock);
    om_free(cache->bucket);
    om_free(cache->gone);
    om_free(cache);
}

struct om__cache_stats om__cache_stats(struct om__cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    const struct om__cache_stats stats = {
        .hits = cache->hits,
        .misses = cache->misses,
        .evictions = cache->evictions,
        .invalidated = cache->invalidated,
        .entries = cache->entries,
        .bytes = cache->newcomers.bytes + cache->stayers.bytes,
    };
    pthread_mutex_unlock(&cache->lock);
    return stats;
}
