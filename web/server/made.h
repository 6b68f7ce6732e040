// made.h - things made once, kept while they are the newest.
#ifndef OM_WEB_SERVER_MADE_H
#define OM_WEB_SERVER_MADE_H

#include "web/server/server_internal.h"

/* A kind of thing: counted, and how many of them are kept. */
struct om__made_kind {
    const char *name;
    size_t most;
    void *(*ref)(void *thing);
    void (*unref)(void *thing);
};
/* Which thing: the first `family` bytes say what is meant, the rest what it is
 * made from; `newness` grows with that. */
struct om__made_key {
    struct om_buf text;
    size_t family;
    uint64_t newness;
};
struct om__made_stats {
    uint64_t hits, misses, count;
};
om_status om__made_new(const struct om__made_kind *kind,
                       struct om__made **out) OM_MUST_USE;
void om__made_free(struct om__made *made);
/**
 * The thing of a key, made by `make` if it is not there; one thread makes it,
 * others wait. `waiter`: only a worker may make it or wait (a heavy thing: the
 * worker of heavy work); elsewhere the request is marked to be put off (later)
 * and *out is NULL. NULL: whoever asks.
 * returns  what `make` says; OM_E_MEMORY
 * owns     *out: kind->unref
 * test     tests/web/test_made.c
 */
om_status om__made_get(struct om__made *made, const struct om__made_key *key,
                       struct om__request *waiter, bool heavy,
                       om_status (*make)(void *ctx, void **thing), void *ctx,
                       void **out) OM_MUST_USE;
/** Is it there? */
bool om__made_has(struct om__made *made, const struct om__made_key *key);
void om__made_clear(struct om__made *made);
/** Let go of what was last asked for so many seconds ago. */
void om__made_sweep(struct om__made *made, double idle_s);
/** Seconds after which a view or a picture is forgotten. */
#define OM__IDLE_THING_S 120.0
struct om__made_stats om__made_stats(struct om__made *made);

#endif
