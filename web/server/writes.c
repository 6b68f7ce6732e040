/* writes.c - the server as the one who writes its city.
 *
 * DESIGN
 * The engine's committer works on a thread of its own; a request hands its
 * write over while its connection is suspended and is resumed from there. The
 * lock is taken by whoever hands over, for the moment of doing so, and by the
 * end of it all: after om__writes_close nobody waits for the committer, as
 * stopping the HTTP library demands.
 */
#include "web/server/writes.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/committed.h"
#include "web/server/hub.h"
#include "web/server/positions.h"
#include "web/server/rights.h"

/* The committer's thread: the newest sequence is known, listeners are told. */
static void news(void *ctx, const struct om_live_news *what)
{
    struct om_server *server = ctx;
    atomic_store(&server->sequence, what->last);
    struct om__positions *positions = atomic_load(&server->positions);
    if (positions) om__positions_news(positions, what);
    om__hub_news(server->hub, what);
}

static om_status open_live(struct om__writes *writes,
                           const struct om_server_options *o,
                           struct om_err *err)
{
    struct om_err why = {0};
    if (o->read_only || writes->server->release) {
        writes->read_only = writes->reads_only = true;
        snprintf(writes->why, sizeof writes->why, "this server only reads (%s)",
                 o->read_only ? "--read-only" : "it serves a release");
        return OM_OK;
    }
    const struct om_live_options how = {.compact_rows = o->compact_rows,
                                        .keep_entries = o->journal_rows,
                                        .moving = om__lenses_moving,
                                        .moving_ctx = writes->server,
                                        .ahead = writes->server->ahead};
    const om_status st =
        om_live_open(writes->server->city, &how, &writes->live, &why);
    if (!st) {
        om_live_listen(writes->live, news, writes->server);
        // What was committed meanwhile has been noted before we listened.
        struct om_snapshot *now = om_city_snapshot(writes->server->city);
        if (!now) return OM_E_MEMORY;
        const struct om_live_news all = {now->sequence, now->sequence, 0, NULL};
        om_snapshot_unref(now);
        news(writes->server, &all);
        return OM_OK;
    }
    writes->live = NULL;
    writes->reads_only = true;
    // What is there can be read, whatever the disk has done to the journal.
    if (st != OM_E_IO && st != OM_E_DAMAGED)
        return om_fail(err, st, why.at, "%s", why.text);
    // Paths of this machine are for the log only.
    char fault[OM_ERR_TEXT_BYTES];
    if (om_city_journal_fault(writes->server->city, fault))
        snprintf(writes->why, sizeof writes->why,
                 "the city can only be read%s: %.200s",
                 strncmp(fault, OM_COMMITTED_OLDER, strlen(OM_COMMITTED_OLDER))
                     ? ", its journal is damaged"
                     : "",
                 fault);
    else
        snprintf(writes->why, sizeof writes->why,
                 "the city can only be read: %s (the server's log says more)",
                 st == OM_E_DAMAGED ? "its journal is damaged"
                                    : "its disk is full or read-only, and "
                                      "cannot be written to");
    om_log(OM_LOG_ERROR, "serve", "the city can only be read: %s", why.text);
    return OM_OK;
}

/* Requests a second of all, and of one client. */
static double total_of(const struct om_server_options *o)
{
    return o->writes_per_s > 0 ? o->writes_per_s : OM__WRITES_PER_S;
}
static double client_of(const struct om_server_options *o)
{
    return o->client_writes_per_s > 0 ? o->client_writes_per_s
                                      : OM__CLIENT_WRITES_PER_S;
}

void om__writes_set(struct om__writes *writes,
                    const struct om_server_options *o)
{
    atomic_store(&writes->client_limit_set, o->client_writes_per_s > 0);
    om_rates_set(writes->rates, total_of(o), client_of(o));
}

om_status om__writes_new(struct om_server *server,
                         const struct om_server_options *o,
                         struct om__writes **out, struct om_err *err)
{
    struct om__writes *writes = om_calloc(1, sizeof *writes);
    if (!writes) return OM_E_MEMORY;
    writes->server = server;
    writes->client_limit_set = o->client_writes_per_s > 0;
    pthread_rwlock_init(&writes->lock, NULL);
    om_status st = om_rates_new(total_of(o), client_of(o), &writes->rates);
    if (!st) st = open_live(writes, o, err);
    if (st)
        om__writes_free(writes);
    else
        *out = writes;
    return st;
}

void om__writes_close(struct om__writes *writes)
{
    if (!writes) return;
    pthread_rwlock_wrlock(&writes->lock);
    struct om_live *live = writes->live;
    writes->live = NULL;
    snprintf(writes->why, sizeof writes->why, "the server is stopping");
    pthread_rwlock_unlock(&writes->lock);
    if (live) om_live_close(live);
}

void om__writes_free(struct om__writes *writes)
{
    if (!writes) return;
    om__writes_close(writes);
    om_rates_free(writes->rates);
    pthread_rwlock_destroy(&writes->lock);
    om_free(writes);
}

/* Said once, and in /ready as long as it is so. Paths are for the log. */
static void note_untaken(struct om__writes *writes, const char *text)
{
    const char *folder = writes->server->city_path;
    const size_t len = strlen(folder);
    const bool inside = !strncmp(text, folder, len) && text[len] == '/';
    const char *what = inside ? text + len + 1 : text;
    pthread_rwlock_wrlock(&writes->lock);
    const bool same = !strcmp(writes->untaken, what);
    if (!same) snprintf(writes->untaken, sizeof writes->untaken, "%s", what);
    pthread_rwlock_unlock(&writes->lock);
    if (!same && text[0])
        om_log(OM_LOG_WARN, "http", "the new city cannot be read: %s", text);
}

om_status om__writes_refresh(struct om__writes *writes, bool *changed,
                             struct om_err *err)
{
    struct om_err why = {0};
    pthread_rwlock_rdlock(&writes->lock);
    const om_status st =
        writes->live ? om_live_refresh(writes->live, changed, &why)
                     : om_city_refresh(writes->server->city, changed, &why);
    pthread_rwlock_unlock(&writes->lock);
    // Whoever commits just now is soon done.
    if (st != OM_E_BUSY) note_untaken(writes, st ? why.text : "");
    if (st && err) *err = why;
    return st;
}

bool om__writes_untaken(struct om__writes *writes, char *why)
{
    pthread_rwlock_rdlock(&writes->lock);
    snprintf(why, OM_ERR_TEXT_BYTES, "%s", writes->untaken);
    pthread_rwlock_unlock(&writes->lock);
    return why[0] != '\0';
}

void om__writes_look(struct om__writes *writes, struct om_write *write)
{
    pthread_rwlock_rdlock(&writes->lock);
    if (writes->live) om_live_look(writes->live, write);
    pthread_rwlock_unlock(&writes->lock);
}

bool om__writes_ready(struct om__writes *writes, char *why)
{
    pthread_rwlock_rdlock(&writes->lock);
    const bool there = writes->live != NULL;
    const bool failing = there && om_live_stats(writes->live).failing;
    pthread_rwlock_unlock(&writes->lock);
    snprintf(why, OM_ERR_TEXT_BYTES, "%s",
             failing ? "the disk does not take writes" : writes->why);
    return there && !failing;
}

bool om__writes_reads_only(struct om__writes *writes)
{
    return writes->reads_only;
}

om_status om__writes_changes(struct om__writes *writes, uint64_t after,
                             size_t limit,
                             bool (*each)(void *ctx,
                                          const struct om_live_change *change),
                             void *ctx, struct om_err *err)
{
    pthread_rwlock_rdlock(&writes->lock);
    const om_status st = writes->live ? om_live_changes(writes->live, after,
                                                        limit, each, ctx, err)
                                      : OM_E_STOPPED;
    pthread_rwlock_unlock(&writes->lock);
    return st;
}

om_status om__writes_overlay(struct om__writes *writes, const char *layer,
                             const struct om_batch *rows,
                             const struct om_live_move *move, size_t moves,
                             struct om_err *err)
{
    pthread_rwlock_rdlock(&writes->lock);
    const om_status st =
        writes->live
            ? om_live_overlay_moved(writes->live, layer, rows, move, moves, err)
            : OM_E_STOPPED;
    pthread_rwlock_unlock(&writes->lock);
    return st;
}

om_status om__writes_touch(struct om__writes *writes, const char *layer,
                           uint64_t audience, struct om_err *err)
{
    pthread_rwlock_rdlock(&writes->lock);
    const om_status st = writes->live
                             ? om_live_touch(writes->live, layer, audience, err)
                             : OM_E_STOPPED;
    pthread_rwlock_unlock(&writes->lock);
    return st;
}

void om__writes_metrics(struct om__writes *writes, struct om_buf *out)
{
    struct om_live_stats s = {0};
    pthread_rwlock_rdlock(&writes->lock);
    const bool there = writes->live != NULL;
    if (there) s = om_live_stats(writes->live);
    pthread_rwlock_unlock(&writes->lock);
    om_buf_addf(out,
                "# HELP onemap_writable Is this the server that writes?\n"
                "# TYPE onemap_writable gauge\nonemap_writable %d\n"
                "# TYPE onemap_body_bytes gauge\nonemap_body_bytes %llu\n",
                there && !s.failing,
                (unsigned long long)atomic_load(&writes->body_bytes));
    if (!there) return;
    const struct {
        const char *name, *type, *help;
        double value;
    } FIGURE[] = {
        {"rows_written_total", "counter", "Rows written.", (double)s.written},
        {"rows_refused_total", "counter", "Rows refused by the engine.",
         (double)s.refused},
        {"commits_total", "counter", "Groups made durable.", (double)s.groups},
        {"compactions_total", "counter", "Runs written to files.",
         (double)s.compactions},
        {"delta_rows", "gauge", "Rows in memory, beside the files.",
         (double)s.delta_rows},
        {"dead_rows", "gauge", "Rows of files that are gone.",
         (double)s.dead_rows},
        {"journal_bytes", "gauge", "Size of the journal.",
         (double)s.journal_bytes},
        {"commit_seconds", "gauge",
         "How long the last group took to be "
         "durable.",
         s.last_fsync_s},
        {"compacting_seconds_total", "counter", "Time spent on compaction.",
         s.compacting_s},
    };
    for (size_t i = 0; i < sizeof FIGURE / sizeof *FIGURE; i++)
        om_buf_addf(out,
                    "# HELP onemap_%s %s\n# TYPE onemap_%s %s\n"
                    "onemap_%s %.10g\n",
                    FIGURE[i].name, FIGURE[i].help, FIGURE[i].name,
                    FIGURE[i].type, FIGURE[i].name, FIGURE[i].value);
}
