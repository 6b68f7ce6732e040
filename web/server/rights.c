/* rights.c - what whoever asks may see of the city.
 *
 * DESIGN
 * A request works on a snapshot that has nothing in it but what its role and
 * area leave (engine/policy/policy.h). Those of the newest snapshot are kept,
 * one for all who see the same.
 */
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "engine/policy/policy.h"
#include "engine/policy/still.h"
#include "web/server/hub.h"
#include "web/server/positions.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/writes.h"

/* Snapshots that are kept: more than roles and areas that ask at a time. */
#define LENSES 256
#define PATH_BYTES 4096
/* Of what was told last: a line a unit. */
#define STEPS_BYTES ((size_t)64 << 20)

struct lens {
    uint64_t key;
    struct om_snapshot *whole, *still, *seen;
};

struct om__lenses {
    struct om_server *server;
    pthread_mutex_t lock;  // guards all but the thread's own
    size_t next;
    struct lens lens[LENSES];
    struct om_snapshot *still;    // what persons are told of; NULL: the newest
    atomic_uint_fast64_t stills;  // how many there have been
    pthread_cond_t wake;
    bool stopping, keeping;
    pthread_t keeper;
    struct om_still_figures figures;
    uint64_t sequence;  // up to which the still has looked
    uint64_t looks;     // how often it has
    // The keeper's.
    struct om_steps *steps;    // what was told of where those followed are
    uint64_t least;            // that they are steps of
    struct om_snapshot *from;  // that the still was made from
    double made_s;
};

/* ---- the still (engine/policy/still.h) ---- */

/* Beside the tracks, which tell more: a city that keeps none begins anew. */
static bool steps_path(const struct om__lenses *lenses, char out[PATH_BYTES])
{
    char folder[PATH_BYTES];
    return !om_path_join(folder, sizeof folder, lenses->server->city_path,
                         "tracks") &&
           om_file_exists(folder) &&
           !om_path_join(out, PATH_BYTES, folder, "told");
}

static bool keeps_tracks(const struct om_snapshot *snapshot)
{
    struct om__positions_about about;
    return om__positions_about(snapshot, &about) && about.retention_days > 0;
}

static void read_steps(struct om__lenses *lenses)
{
    char path[PATH_BYTES];
    struct om_buf bytes = {0};
    if (!steps_path(lenses, path) || !om_file_exists(path)) return;
    om_status st = om_file_read(path, STEPS_BYTES, &bytes, NULL);
    if (!st) st = om_steps_read(lenses->steps, bytes.bytes, bytes.len);
    if (st)
        om_log(OM_LOG_WARN, "rights",
               "what was told of positions is told anew: tracks/told: %s",
               om_status_text(st));
    om_buf_deinit(&bytes);
}

/* Before it is told. */
static void write_steps(struct om__lenses *lenses,
                        const struct om_snapshot *snapshot)
{
    char path[PATH_BYTES];
    struct om_buf bytes = {0};
    struct om_err err = {0};
    struct om__writes *writes = lenses->server->writes;
    if (!writes || om__writes_reads_only(writes) || !keeps_tracks(snapshot))
        return;
    // The folder is made with the first fix that is kept.
    if (!steps_path(lenses, path)) return;
    om_status st = om_steps_write(lenses->steps, &bytes);
    if (!st) st = om_file_write_whole(path, bytes.bytes, bytes.len, &err);
    if (st)
        om_log(OM_LOG_ERROR, "rights", "tracks/told: %s",
               err.text[0] ? err.text : om_status_text(st));
    om_buf_deinit(&bytes);
}

/* Roles that count with larger numbers are told in larger steps. */
static om_status make_steps(struct om__lenses *lenses, uint64_t least)
{
    if (lenses->steps && lenses->least == least) return OM_OK;
    om_steps_free(lenses->steps);
    lenses->steps = NULL;
    OM_TRY(om_steps_new(least, OM__SEEN_S, &lenses->steps));
    lenses->least = least;
    read_steps(lenses);
    return OM_OK;
}

static void renew(struct om__lenses *lenses)
{
    struct om_server *server = lenses->server;
    struct om_snapshot *newest = om_city_snapshot(server->city);
    struct om_snapshot *still = NULL;
    struct om_still_figures figures;
    const uint64_t least = om__guard_least(server->guard);
    // Who is connected is a matter of time as well.
    if (!newest || (newest == lenses->from && !om_steps_layer(newest))) {
        om_snapshot_unref(newest);
        return;
    }
    // Only this thread changes it.
    om_status st = make_steps(lenses, least);
    if (!st)
        st = om_still_next(lenses->still, newest, least, lenses->steps, &still,
                           &figures);
    if (st) {
        om_log(OM_LOG_ERROR, "rights", "counts of persons stay as told: %s",
               om_status_text(st));
        om_snapshot_unref(newest);
        return;
    }
    if (figures.moved) write_steps(lenses, newest);
    pthread_mutex_lock(&lenses->lock);
    const bool first = !lenses->still;
    struct om_snapshot *old = lenses->still;
    lenses->still = still;
    // Answers stay good where nothing is told that was not.
    if (!figures.same) atomic_fetch_add(&lenses->stills, 1);
    lenses->figures = figures;
    lenses->sequence = newest->sequence;
    pthread_mutex_unlock(&lenses->lock);
    if (figures.moved && !first)
        om__hub_moved(server->hub, om_steps_layer(newest)->name,
                      newest->sequence);
    om_snapshot_unref(old);
    om_snapshot_unref(lenses->from);
    lenses->from = newest;
}

static void *keep_still(void *ctx)
{
    struct om__lenses *lenses = ctx;
    pthread_mutex_lock(&lenses->lock);
    while (!lenses->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&lenses->wake, &lenses->lock, &until);
        if (lenses->stopping ||
            om_seconds() - lenses->made_s < lenses->server->persons_s)
            continue;
        pthread_mutex_unlock(&lenses->lock);
        renew(lenses);
        lenses->made_s = om_seconds();
        pthread_mutex_lock(&lenses->lock);
        lenses->looks++;
    }
    pthread_mutex_unlock(&lenses->lock);
    return NULL;
}

om_status om__lenses_new(struct om_server *server, struct om__lenses **out)
{
    struct om__lenses *lenses = om_calloc(1, sizeof *lenses);
    if (!lenses) return OM_E_MEMORY;
    lenses->server = server;
    pthread_mutex_init(&lenses->lock, NULL);
    pthread_cond_init(&lenses->wake, NULL);
    *out = lenses;
    return OM_OK;
}

om_status om__lenses_start(struct om__lenses *lenses)
{
    renew(lenses);
    lenses->made_s = om_seconds();
    if (!lenses->still) return OM_E_MEMORY;
    lenses->keeping =
        !pthread_create(&lenses->keeper, NULL, keep_still, lenses);
    return lenses->keeping ? OM_OK : OM_E_MEMORY;
}

void om__lenses_stop(struct om__lenses *lenses)
{
    if (!lenses || !lenses->keeping) return;
    pthread_mutex_lock(&lenses->lock);
    lenses->stopping = true;
    pthread_cond_signal(&lenses->wake);
    pthread_mutex_unlock(&lenses->lock);
    pthread_join(lenses->keeper, NULL);
    lenses->keeping = false;
}

void om__lenses_metrics(struct om__lenses *lenses, struct om_buf *out)
{
    pthread_mutex_lock(&lenses->lock);
    const struct om_still_figures f = lenses->figures;
    const uint64_t sequence = lenses->sequence, looks = lenses->looks;
    pthread_mutex_unlock(&lenses->lock);
    om_buf_addf(out,
                "# HELP onemap_persons_sequence Up to where counts of persons "
                "have been looked at.\n"
                "# TYPE onemap_persons_sequence gauge\n"
                "onemap_persons_sequence %llu\n"
                "# HELP onemap_persons_looks How often they have been.\n"
                "# TYPE onemap_persons_looks counter\n"
                "onemap_persons_looks %llu\n"
                "# HELP onemap_persons_held Rows told as they were, since few "
                "have changed around them.\n"
                "# TYPE onemap_persons_held gauge\n"
                "onemap_persons_held %llu\n",
                (unsigned long long)sequence, (unsigned long long)looks,
                (unsigned long long)f.held);
}

static struct om_snapshot *still_now(struct om__lenses *lenses)
{
    pthread_mutex_lock(&lenses->lock);
    struct om_snapshot *still =
        lenses->still ? om_snapshot_ref(lenses->still) : NULL;
    pthread_mutex_unlock(&lenses->lock);
    return still;
}

/* ---- lenses ---- */

static void let_go(struct lens *lens)
{
    om_snapshot_unref(lens->seen);
    om_snapshot_unref(lens->still);
    om_snapshot_unref(lens->whole);
    *lens = (struct lens){0};
}

void om__lenses_free(struct om__lenses *lenses)
{
    if (!lenses) return;
    om__lenses_stop(lenses);
    for (size_t i = 0; i < LENSES; i++) let_go(&lenses->lens[i]);
    om_snapshot_unref(lenses->still);
    om_snapshot_unref(lenses->from);
    om_steps_free(lenses->steps);
    pthread_cond_destroy(&lenses->wake);
    pthread_mutex_destroy(&lenses->lock);
    om_free(lenses);
}

void om__lenses_sweep(struct om__lenses *lenses,
                      const struct om_snapshot *newest)
{
    pthread_mutex_lock(&lenses->lock);
    for (size_t i = 0; i < LENSES; i++)
        if (lenses->lens[i].whole != newest ||
            lenses->lens[i].still != lenses->still)
            let_go(&lenses->lens[i]);
    pthread_mutex_unlock(&lenses->lock);
}

static struct om_snapshot *find(struct om__lenses *lenses, uint64_t key,
                                const struct om_snapshot *whole,
                                const struct om_snapshot *still)
{
    struct om_snapshot *seen = NULL;
    pthread_mutex_lock(&lenses->lock);
    for (size_t i = 0; i < LENSES && !seen; i++)
        if (lenses->lens[i].key == key && lenses->lens[i].whole == whole &&
            lenses->lens[i].still == still)
            seen = om_snapshot_ref(lenses->lens[i].seen);
    pthread_mutex_unlock(&lenses->lock);
    return seen;
}

/* In the place of an older one of the same key, if there is one. */
static void keep(struct om__lenses *lenses, uint64_t key,
                 struct om_snapshot *whole, struct om_snapshot *still,
                 struct om_snapshot *seen)
{
    pthread_mutex_lock(&lenses->lock);
    size_t at = 0;
    while (at < LENSES &&
           (!lenses->lens[at].whole || lenses->lens[at].key != key))
        at++;
    if (at == LENSES) at = lenses->next++ % LENSES;
    let_go(&lenses->lens[at]);
    lenses->lens[at] = (struct lens){key, om_snapshot_ref(whole),
                                     still ? om_snapshot_ref(still) : NULL,
                                     om_snapshot_ref(seen)};
    pthread_mutex_unlock(&lenses->lock);
}

om_status om__rights_look(struct om_server *server, const struct om__who *who,
                          struct om_snapshot *whole, struct om_snapshot **out)
{
    struct om_snapshot *still = still_now(server->lenses);
    om_status st = OM_OK;
    *out = find(server->lenses, who->key, whole, still);
    const bool found = *out != NULL;
    if (!found)
        st = om_snapshot_restrict(whole, who->role, who->token.level,
                                  who->token.unit, still, out, NULL);
    if (!st && !found) keep(server->lenses, who->key, whole, still, *out);
    om_snapshot_unref(still);
    return st;
}

uint64_t om__rights_still(const struct om__request *r)
{
    if (!om__rights_veil(r)) return 0;
    return r->whole ? r->still : atomic_load(&r->server->lenses->stills);
}

om_status om__rights_take(struct om__request *r, struct om_snapshot *whole)
{
    struct om_snapshot *seen = NULL;
    om_status st = whole ? OM_OK : OM_E_MEMORY;
    // Before the still itself: what is newer may have an older number.
    r->still = atomic_load(&r->server->lenses->stills);
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

bool om__rights_veil(const struct om__request *r)
{
    const struct om_role *role = r->who ? r->who->role : NULL;
    return role && role->personal != OM_PERSONAL_ROWS && role != &OM_ROLE_LOCAL;
}

uint64_t om__rights_changed(const struct om__request *r, const char *layer,
                            struct om_box box, int64_t *at_s)
{
    return om__rights_veil(r)
               ? om_city_told_at(r->server->city, layer, box, at_s)
               : om_city_changed_at(r->server->city, layer, box, at_s);
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

bool om__rights_unsaid(const struct om__request *r, om_status st)
{
    if (!om_snapshot_hides_layers(r->snapshot)) return false;
    return st == OM_E_NOTFOUND || st == OM_E_FORMAT || st == OM_E_TYPE ||
           st == OM_E_LIMIT || st == OM_E_RANGE;
}

om_status om__rows_allowed(struct om__request *r, const struct om_layer *layer)
{
    if (!om__crowds_only(r, layer)) return OM_OK;
    // To the byte as a layer that is not there (om__request_layer).
    if (r->who->asked)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there is no layer of that name");
    r->error_status = MHD_HTTP_UNAUTHORIZED;
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "rows of %s are about single persons: those in charge see "
                   "them, with a token; counts by unit are at /stats/%s",
                   layer->name, layer->name);
}

static om_status spend(struct om__request *r, uint64_t rows)
{
    if (!r->who->rows || !rows) return OM_OK;
    const double wait_s =
        om_rates_spend(r->who->rows, r->who->id, (double)rows, om_seconds());
    if (wait_s <= 0) return OM_OK;
    r->retry_after_s = (unsigned)fmin(ceil(wait_s), 86400);
    return om_fail(&r->err, OM_E_RATE, 0,
                   "too many rows of this token, which is for looking at them "
                   "and not for taking them away; the next are told in %u s",
                   r->retry_after_s);
}

om_status om__rows_spend(struct om__request *r, uint64_t rows)
{
    return r->on_heavy ? OM_OK : spend(r, rows);
}

/* What a client has already is told to nobody anew. */
om_status om__answer_spend(struct om__request *r)
{
    struct om__answer *answer = r->shared;
    if (answer) r->told_rows = answer->told_rows;
    if (!answer || r->part || r->head || r->status == MHD_HTTP_NOT_MODIFIED)
        return OM_OK;
    const om_status st = spend(r, answer->told_rows);
    if (!st) return OM_OK;
    om__answer_unref(answer);
    r->shared = NULL;
    r->response = NULL;
    return st;
}
