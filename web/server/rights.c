/* rights.c - what whoever asks may see of the city.
 *
 * DESIGN
 * A request works on a snapshot that has nothing in it but what its role and
 * area leave (engine/policy/policy.h). Those of the newest snapshot are kept,
 * one for all who see the same.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/policy.h"
#include "web/server/server_internal.h"

/* Snapshots that are kept: more than roles and areas that ask at a time. */
#define LENSES 256

struct lens {
    uint64_t key;
    struct om_snapshot *whole, *seen;
};

struct om__lenses {
    pthread_mutex_t lock;
    size_t next;
    struct lens lens[LENSES];
};

om_status om__lenses_new(struct om__lenses **out)
{
    struct om__lenses *lenses = om_calloc(1, sizeof *lenses);
    if (!lenses) return OM_E_MEMORY;
    pthread_mutex_init(&lenses->lock, NULL);
    *out = lenses;
    return OM_OK;
}

static void let_go(struct lens *lens)
{
    om_snapshot_unref(lens->seen);
    om_snapshot_unref(lens->whole);
    *lens = (struct lens){0};
}

void om__lenses_free(struct om__lenses *lenses)
{
    if (!lenses) return;
    for (size_t i = 0; i < LENSES; i++) let_go(&lenses->lens[i]);
    pthread_mutex_destroy(&lenses->lock);
    om_free(lenses);
}

void om__lenses_sweep(struct om__lenses *lenses,
                      const struct om_snapshot *newest)
{
    pthread_mutex_lock(&lenses->lock);
    for (size_t i = 0; i < LENSES; i++)
        if (lenses->lens[i].whole != newest) let_go(&lenses->lens[i]);
    pthread_mutex_unlock(&lenses->lock);
}

static struct om_snapshot *find(struct om__lenses *lenses, uint64_t key,
                                const struct om_snapshot *whole)
{
    struct om_snapshot *seen = NULL;
    pthread_mutex_lock(&lenses->lock);
    for (size_t i = 0; i < LENSES && !seen; i++)
        if (lenses->lens[i].key == key && lenses->lens[i].whole == whole)
            seen = om_snapshot_ref(lenses->lens[i].seen);
    pthread_mutex_unlock(&lenses->lock);
    return seen;
}

/* In the place of an older one of the same key, if there is one. */
static void keep(struct om__lenses *lenses, uint64_t key,
                 struct om_snapshot *whole, struct om_snapshot *seen)
{
    pthread_mutex_lock(&lenses->lock);
    size_t at = 0;
    while (at < LENSES && (!lenses->lens[at].whole || lenses->lens[at].key != key))
        at++;
    if (at == LENSES) at = lenses->next++ % LENSES;
    let_go(&lenses->lens[at]);
    lenses->lens[at] = (struct lens){key, om_snapshot_ref(whole),
                                     om_snapshot_ref(seen)};
    pthread_mutex_unlock(&lenses->lock);
}

om_status om__rights_look(struct om_server *server, const struct om__who *who,
                          struct om_snapshot *whole, struct om_snapshot **out)
{
    *out = find(server->lenses, who->key, whole);
    if (*out) return OM_OK;
    OM_TRY(om_snapshot_restrict(whole, who->role, who->token.level,
                                who->token.unit, out, NULL));
    keep(server->lenses, who->key, whole, *out);
    return OM_OK;
}

om_status om__rights_take(struct om__request *r, struct om_snapshot *whole)
{
    struct om_snapshot *seen = NULL;
    om_status st = whole ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__rights_look(r->server, r->who, whole, &seen);
    om_snapshot_unref(r->snapshot);
    om_snapshot_unref(r->whole);
    r->whole = st ? NULL : whole;
    r->snapshot = seen;
    if (st) om_snapshot_unref(whole);
    return st;
}

void om__rights_drop(struct om__request *r)
{
    om_snapshot_unref(r->snapshot);
    om_snapshot_unref(r->whole);
    r->snapshot = r->whole = NULL;
}

bool om__crowds_only(const struct om__request *r, const struct om_layer *layer)
{
    (void)r;
    return layer->rights.crowds;
}

om_status om__rows_refused(struct om__request *r, const char *what)
{
    // Who has shown a token has shown the wrong one: it is not there.
    if (r->who->asked)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no such thing");
    r->error_status = MHD_HTTP_UNAUTHORIZED;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "%s are about single persons: those in charge see them, "
                   "with a token",
                   what);
}

om_status om__rows_allowed(struct om__request *r, const struct om_layer *layer)
{
    if (!om__crowds_only(r, layer)) return OM_OK;
    if (r->who->asked) return om__rows_refused(r, layer->name);
    r->error_status = MHD_HTTP_UNAUTHORIZED;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "rows of %s are about single persons: those in charge see "
                   "them, with a token; counts by unit are at /stats/%s",
                   layer->name, layer->name);
}
