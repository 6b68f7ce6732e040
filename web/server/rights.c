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
#include "engine/live/audience.h"
#include "engine/policy/policy.h"
#include "engine/policy/still.h"
#include "engine/policy/still_file.h"
#include "web/server/hub.h"
#include "web/server/positions.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
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
    uint64_t sequence;         // up to which the still has looked
    uint64_t looks;            // how often it has
    pthread_mutex_t renewing;  // one at a time; guards these, and server->told
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

/* Does this process write what is told last, and not only read it? */
static bool is_writer(const struct om__lenses *lenses)
{
    struct om__writes *writes = lenses->server->writes;
    return writes && !om__writes_reads_only(writes);
}

/* The next still after `told`, and before it is told what the next start has to
 * know. held: renewing */
static om_status make_still(struct om__lenses *lenses,
                            const struct om_snapshot *told,
                            struct om_snapshot *newest, bool writer,
                            struct om_err *err)
{
    struct om_server *server = lenses->server;
    struct om_snapshot *still = NULL;
    struct om_still_figures figures;
    const uint64_t least = om__guard_least(server->guard);
    om_status st = make_steps(lenses, least);
    if (!st)
        st = om_still_next(told, server->city, newest, least, lenses->steps,
                           &still, &figures);
    if (st)
        return om_fail(err, st, 0, "counts of persons stay as told: %s",
                       om_status_text(st));
    if (writer) st = om_still_file_write(server->told, still, newest, err);
    // Where nothing was told yet nothing can be kept to.
    if (st && lenses->still) {
        om_snapshot_unref(still);
        return st;
    }
    if (figures.moved) write_steps(lenses, newest);
    pthread_mutex_lock(&lenses->lock);
    const bool first = !lenses->from;
    struct om_snapshot *old = lenses->still;
    lenses->still = still;
    // Answers stay good where nothing is told that was not.
    if (!figures.same || old != told) atomic_fetch_add(&lenses->stills, 1);
    lenses->figures = figures;
    lenses->sequence = newest->sequence;
    pthread_mutex_unlock(&lenses->lock);
    if (figures.moved && !first)
        om__hub_moved(server->hub, om_steps_layer(newest)->name,
                      newest->sequence);
    om_snapshot_unref(old);
    om_snapshot_unref(lenses->from);
    lenses->from = om_snapshot_ref(newest);
    return st;
}

/* What the file says, unless that is told already. */
static om_status read_told(struct om__lenses *lenses, struct om_snapshot **out,
                           struct om_err *err)
{
    struct om_server *server = lenses->server;
    struct om_still_file *file = NULL;
    struct om_city *city = NULL;
    *out = NULL;
    if (lenses->still && !om_still_file_changed(server->told)) return OM_OK;
    OM_TRY(om_still_open(server->city_path, &file, &city, out, err));
    if (!*out && !lenses->still) *out = om_city_snapshot(city);
    om_city_close(city);
    om_still_file_free(server->told);
    server->told = file;
    return OM_OK;
}

/* Of two servers of a city both tell what the one that writes it has told: what
 * lies between stills of their own could be a single row. */
static om_status follow_file(struct om__lenses *lenses, struct om_err *err)
{
    struct om_snapshot *told;
    OM_TRY(read_told(lenses, &told, err));
    const om_status st =
        told ? make_still(lenses, told, told, false, err) : OM_OK;
    om_snapshot_unref(told);
    return st;
}

static om_status look(struct om__lenses *lenses, bool writer,
                      struct om_err *err)
{
    struct om_snapshot *newest = om_city_snapshot(lenses->server->city);
    // Who is connected is a matter of time as well.
    const bool seen = newest == lenses->from && !om_steps_layer(newest);
    const om_status st =
        seen ? OM_OK : make_still(lenses, lenses->still, newest, writer, err);
    om_snapshot_unref(newest);
    return st;
}

/* What the last server told is told on before anything is looked at: a start
 * waits for no rows. */
static om_status go_on(struct om__lenses *lenses, struct om_err *err)
{
    struct om_snapshot *told = om_snapshot_ref(lenses->still);
    const om_status st = make_still(lenses, told, told, false, err);
    om_snapshot_unref(told);
    return st;
}

static void renew(struct om__lenses *lenses)
{
    const bool writer = is_writer(lenses);
    struct om_err err = {0};
    pthread_mutex_lock(&lenses->renewing);
    const om_status st = !lenses->from && lenses->still ? go_on(lenses, &err)
                         : !writer && om_still_file_exists(lenses->server->told)
                             ? follow_file(lenses, &err)
                             : look(lenses, writer, &err);
    if (st) om_log(OM_LOG_ERROR, "rights", "%s", err.text);
    lenses->made_s = om_seconds();
    pthread_mutex_unlock(&lenses->renewing);
}

om_status om__lenses_moving(void *ctx, const struct om_manifest *next,
                            struct om_err *err)
{
    struct om_server *server = ctx;
    struct om__lenses *lenses = server->lenses;
    pthread_mutex_lock(&lenses->renewing);
    struct om_snapshot *newest = om_city_snapshot(server->city);
    om_status st = om_still_file_expect(server->told, next);
    // Where nothing was told yet the first still is made for both.
    if (!st && lenses->still)
        st = make_still(lenses, lenses->still, newest, true, err);
    om_snapshot_unref(newest);
    pthread_mutex_unlock(&lenses->renewing);
    return st;
}

/* Another process has put rows into files: what was told of those that were
 * there is in nobody's hands but ours. */
static bool was_moved(struct om__lenses *lenses)
{
    struct om_snapshot *newest = om_city_snapshot(lenses->server->city);
    pthread_mutex_lock(&lenses->renewing);
    const bool moved =
        is_writer(lenses) &&
        !om_still_file_fits(lenses->server->told, newest->manifest);
    pthread_mutex_unlock(&lenses->renewing);
    om_snapshot_unref(newest);
    return moved;
}

/* Is it time for the next one? */
static bool is_due(struct om__lenses *lenses)
{
    pthread_mutex_lock(&lenses->renewing);
    const double made_s = lenses->made_s;
    pthread_mutex_unlock(&lenses->renewing);
    return om_seconds() - made_s >= lenses->server->persons_s ||
           was_moved(lenses);
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
        if (lenses->stopping) continue;
        pthread_mutex_unlock(&lenses->lock);
        const bool due = is_due(lenses);
        if (due) renew(lenses);
        pthread_mutex_lock(&lenses->lock);
        lenses->looks += due;
    }
    pthread_mutex_unlock(&lenses->lock);
    return NULL;
}

om_status om__lenses_new(struct om_server *server, struct om__lenses **out)
{
    struct om__lenses *lenses = om_calloc(1, sizeof *lenses);
    if (!lenses) return OM_E_MEMORY;
    lenses->server = server;
    if (server->still) lenses->still = om_snapshot_ref(server->still);
    atomic_init(&lenses->stills, server->still != NULL);
    pthread_mutex_init(&lenses->lock, NULL);
    pthread_mutex_init(&lenses->renewing, NULL);
    pthread_cond_init(&lenses->wake, NULL);
    *out = lenses;
    return OM_OK;
}

om_status om__lenses_start(struct om__lenses *lenses)
{
    renew(lenses);
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
    pthread_mutex_destroy(&lenses->renewing);
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

uint64_t om__rights_audience(const struct om__request *r,
                             const struct om_layer *layer)
{
    om_city_join(r->server->city, r->snapshot, layer);
    return layer->rights.audience;
}

uint64_t om__rights_changed(const struct om__request *r,
                            const struct om_layer *layer, struct om_box box,
                            int64_t *at_s)
{
    struct om_heard heard;
    const uint64_t audience = om__rights_audience(r, layer);
    if (!audience)
        return om_city_changed_at(r->server->city, layer->name, box, at_s);
    const uint64_t sequence =
        om_city_heard(r->server->city, layer->name, audience, box, &heard);
    if (at_s) *at_s = heard.at_s;
    return sequence;
}

bool om__names_unseen(const struct om__request *r, const char *text)
{
    const size_t heat = sizeof OM__HEAT - 1;
    if (!strncmp(text, OM__HEAT, heat)) text += heat;
    return om_snapshot_layer(r->whole, text) &&
           !om_snapshot_layer(r->snapshot, text);
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
    const struct om_role *role = r->who->role;
    // By the role's words, whether or not the city has what they leave out.
    const bool lists =
        !role->layers.all || role->without.count || role->columns_of;
    if (!lists && !om_snapshot_hides_layers(r->snapshot)) return false;
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

bool om__rows_open(const struct om_layer *layer)
{
    const struct om_manifest_layer *meta = layer->meta;
    return meta && (meta->unit_level[0] || !strcmp(meta->base, "water") ||
                    !strcmp(meta->base, "road"));
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
