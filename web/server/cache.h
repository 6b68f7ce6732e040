// cache.h - finished answers, what they depend on, and the cache of them.
#ifndef OM_WEB_SERVER_CACHE_H
#define OM_WEB_SERVER_CACHE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "engine/query/query.h"

struct om__route;

/** The longest ETag, with its NUL. */
#define OM__ETAG_BYTES 32
/** Layers that an answer may name as what it depends on; of more, it depends
 *  on the whole city. */
#define OM__NEEDS_MOST 12
/* What an answer depends on. Zero: nothing that changes. */
struct om__needs {
    bool city;  // anything: every new sequence
    bool beat;  // the moment, to the beat
    size_t layers;
    char layer[OM__NEEDS_MOST][OM_LIMIT_NAME_BYTES];
    struct om_box box[OM__NEEDS_MOST];  // where in each layer
    uint64_t audience[OM__NEEDS_MOST];  // as who is told of it; 0: all
    // As of which sequence and moment the answer is true, if not as of the
    // request's snapshot; 0: as of that
    uint64_t sequence;
    int64_t now_s;
};

/* A finished answer: counted, shared between threads and requests.
 * `unchanged` is what a client gets that has it already. It was made from a
 * snapshot of `sequence`, at `beat`, and is current while nothing that it needs
 * is newer (needs.c); both may be raised when it turns out to be the same
 * still. */
struct om__answer {
    atomic_size_t refs;
    struct MHD_Response *full, *unchanged;
    const struct om__route *route;  // that made it
    char etag[OM__ETAG_BYTES];
    size_t bytes;
    const uint8_t *body;  // of `full`; as sent, so gzipped where it is
    unsigned status;      // 200, or 204 where nothing is an answer
    uint64_t told_rows;   // with ids or texts, on a tile (om__answer_spend)
    atomic_uint_least64_t sequence;
    _Atomic int64_t now_s;
    bool city, beat;  // as in struct om__needs
    size_t layers;
    const char *layer;  // their names, each with its NUL, behind these
    struct om__answer_need {
        struct om_box box;
        uint64_t audience;
    } need[];  // [layers]
};
void om__answer_unref(struct om__answer *answer);

/* Finished answers, bounded in bytes; one that is asked for once pushes out
 * none that is asked for again. Keys are bytes. */
struct om__cache;
struct om__cache_stats {
    uint64_t hits, misses, evictions, entries, bytes;
    uint64_t invalidated;  // found, but not current any more: misses, too
};
om_status om__cache_new(size_t max_bytes, struct om__cache **out) OM_MUST_USE;
void om__cache_free(struct om__cache *cache);
/** The answer, counted for the caller, or NULL. */
struct om__answer *om__cache_get(struct om__cache *cache, const void *key,
                                 size_t len);
/** What om__cache_get gave was not current: it counts as a miss. */
void om__cache_stale(struct om__cache *cache);
/** Keep an answer under a key, too. One that the key has already is replaced
 *  if it was made from something older. Failing to is no error. */
void om__cache_put(struct om__cache *cache, const void *key, size_t len,
                   struct om__answer *answer);
void om__cache_clear(struct om__cache *cache);
struct om__cache_stats om__cache_stats(struct om__cache *cache);

#endif
