// live.c - the writer of a city: its queue, its threads, its life.
#include "engine/live/live.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "engine/live/live_internal.h"
#include "engine/live/replay_internal.h"

/* DESIGN
 * One thread, the committer, owns what is newest: the states of all layers,
 * the journal, the map of changes. It takes what is queued as one group and
 *
 *   (1) checks each write against the newest state and the writes before it
 *       in the group (stage.c),
 *   (2) makes everything that is needed to publish: runs, lists of dead rows,
 *       the snapshot (commit.c) - all that can fail but the disk,
 *   (3) appends to the journal and makes it durable,
 *   (4) raises the map of changes, swaps the snapshot, tells the listener and
 *       answers.
 *
 * So what is acknowledged is durable and visible, what is refused left no
 * trace, and after (3) nothing can go wrong. A lone write is committed at once;
 * while many are on their way a group waits a little for as many as the last
 * one had, since one fsync costs the same for one row and for a thousand.
 *
 * Whatever else changes the state - another process' commit, a compaction that
 * is finished, runs that were merged, an overlay - is prepared elsewhere from a
 * snapshot, and put in by a job that runs on the committer between two groups
 * and only brings it up to date. */

#define GROUP_MS 5
#define QUEUE_ROWS 200000
#define COMPACT_ROWS 200000
#define KEEP_ENTRIES 2000000
/* Fewer rows are a group of a dozen milliseconds. */
#define BULK_ROWS 4096
#define TICK_MS 200

void (*om__live_die)(const char *step);

size_t om__live_layer(const struct om__base *base, const char *name)
{
    for (size_t i = 0; i < base->manifest.layers; i++)
        if (!strcmp(base->manifest.layer[i].name, name)) return i;
    return OM_NO_FIELD;
}

struct timespec om__live_in_ms(long ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* ---- the committer ---- */

static void run_jobs(struct om_live *live)
{
    for (;;) {
        pthread_mutex_lock(&live->lock);
        struct om__job *job = live->job;
        if (job) live->job = job->next;
        pthread_mutex_unlock(&live->lock);
        if (!job) return;
        job->status = job->run(live, job->ctx, &job->err);
        pthread_mutex_lock(&live->lock);
        job->done = true;
        pthread_cond_broadcast(&live->finished);
        pthread_mutex_unlock(&live->lock);
    }
}

/* Do writes of many rows still have to wait? So many seconds. */
static double pause_many(struct om_live *live)
{
    const double left_s = live->stopping ? 0 : live->many_due_s - om_seconds();
    live->queue.paused = left_s > 0;
    return left_s > 0 ? left_s : 0;
}

/* Wait for something to do; then for as many writes as the last group had,
 * though not long. */
static void wait_for_work(struct om_live *live, size_t expected)
{
    struct om__queue *queue = &live->queue;
    const double pause_s = pause_many(live);
    if (!om__queue_ready(queue) && !live->job && !live->stopping) {
        const double most_s = TICK_MS / 1e3;
        const struct timespec tick = om__live_in_ms(
            pause_s > 0 && pause_s < most_s ? (long)(pause_s * 1e3) + 1
                                            : TICK_MS);
        pthread_cond_timedwait(&live->wake, &live->lock, &tick);
        pause_many(live);
    }
    if (!om__queue_ready(queue) || expected < 2) return;
    const struct timespec end = om__live_in_ms(live->options.group_ms);
    while (om__queue_ready(queue) < expected && !om__queue_is_full(queue) &&
           !om__queue_bulk(queue) && !live->stopping && !live->job)
        if (pthread_cond_timedwait(&live->wake, &live->lock, &end)) break;
    pause_many(live);
}

/* Whoever writes many rows goes no faster than they can go into files. */
static void slow_down(struct om_live *live)
{
    pthread_mutex_lock(&live->lock);
    const size_t rows = om__queue_many_taken(&live->queue);
    pthread_mutex_unlock(&live->lock);
    if (!rows || live->options.no_compaction) return;
    live->many_due_s =
        om_seconds() + om__live_pause_s(atomic_load(&live->in_memory),
                                        live->options.compact_rows, rows);
}

static void *commit_thread(void *arg)
{
    struct om_live *live = arg;
    size_t expected = 0;
    om_thread_prompt();
    for (;;) {
        pthread_mutex_lock(&live->lock);
        wait_for_work(live, expected);
        size_t writes;
        struct om_write *list = om__queue_take(&live->queue, &writes);
        struct om_write *bulk = om__queue_bulk(&live->queue);
        const bool end = live->stopping && !list && !bulk && !live->job;
        pthread_mutex_unlock(&live->lock);
        if (end) return NULL;
        run_jobs(live);
        if (list) om__live_commit(live, list);
        if (bulk && om__bulk_step(live, bulk)) {
            pthread_mutex_lock(&live->lock);
            om__queue_bulk_take(&live->queue);
            pthread_mutex_unlock(&live->lock);
            om__bulk_finish(live, bulk);
        }
        slow_down(live);
        // Some leave and some come: what came together comes together again.
        expected = list ? writes : 0;
        om__live_tidy(live);
    }
}

om_status om__live_run(struct om_live *live,
                       om_status (*run)(struct om_live *live, void *ctx,
                                        struct om_err *err),
                       void *ctx, struct om_err *err)
{
    struct om__job job = {.run = run, .ctx = ctx};
    pthread_mutex_lock(&live->lock);
    if (live->stopping) {
        pthread_mutex_unlock(&live->lock);
        return om_fail(err, OM_E_STOPPED, 0, "the writer is stopping");
    }
    struct om__job **end = &live->job;
    while (*end) end = &(*end)->next;
    *end = &job;
    pthread_cond_signal(&live->wake);
    while (!job.done) pthread_cond_wait(&live->finished, &live->lock);
    pthread_mutex_unlock(&live->lock);
    if (job.status && err) *err = job.err;
    return job.status;
}

/* ---- the queue ---- */

om_status om_live_write(struct om_live *live, struct om_write *write)
{
    if (atomic_load(&live->lost)) return OM_E_IO;
    om_status st = OM_OK;
    pthread_mutex_lock(&live->lock);
    const size_t rows = om__queue_rows(&live->queue);
    if (live->stopping)
        st = OM_E_STOPPED;
    else if (rows && rows + write->batch->rows > live->options.queue_rows)
        st = OM_E_BUSY;
    if (!st) {
        om__queue_add(&live->queue, write);
        pthread_cond_signal(&live->wake);
    }
    pthread_mutex_unlock(&live->lock);
    return st;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t end;
    bool done;
};

static void wake_waiter(void *ctx, struct om_write *write)
{
    struct waiter *w = ctx;
    (void)write;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->end);
    pthread_mutex_unlock(&w->lock);
}

om_status om_live_write_wait(struct om_live *live, struct om_write *write)
{
    struct waiter w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                       false};
    write->done = wake_waiter;
    write->ctx = &w;
    OM_TRY(om_live_write(live, write));
    pthread_mutex_lock(&w.lock);
    while (!w.done) pthread_cond_wait(&w.end, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.end);
    return write->status;
}

/* ---- questions ---- */

om_status om_live_row_sequence(struct om_live *live, const char *layer,
                               const char *id, size_t len, uint64_t *out)
{
    struct om_snapshot *snapshot = om_city_snapshot(live->city);
    const struct om_layer *l = om_snapshot_layer(snapshot, layer);
    struct om__finder finder = {0};
    struct om__kill place;
    om_status st = OM_E_NOTFOUND;
    if (l)
        st = om__stack_find(om__snapshot_of(snapshot)
                                ->state[l->meta - snapshot->manifest->layer]
                                .stack,
                            id, len, &finder, &place);
    om__finder_deinit(&finder);
    if (!st) *out = om__newest_of(&live->newest, layer, id, len);
    om_snapshot_unref(snapshot);
    return st;
}

void om_live_listen(struct om_live *live,
                    void (*news)(void *ctx, const struct om_live_news *news),
                    void *ctx)
{
    pthread_mutex_lock(&live->lock);
    live->news = news;
    live->news_ctx = ctx;
    pthread_mutex_unlock(&live->lock);
}

struct telling {
    bool (*each)(void *ctx, const struct om_live_change *change);
    void *ctx;
};

static bool tell_entry(void *ctx, const struct om_entry *e)
{
    const struct telling *t = ctx;
    if (!strcmp(e->layer, OM__NOBODY)) return true;
    const struct om_live_change change = {.sequence = e->sequence,
                                          .layer = e->layer,
                                          .cell = e->new_cell,
                                          .other_cell = e->old_cell,
                                          .kind = e->kind,
                                          .unsure = e->kind != OM_ENTRY_COMMIT,
                                          .moved = om__is_overlay(e),
                                          .box = e->new_box,
                                          .other_box = e->old_box};
    return t->each(t->ctx, &change);
}

om_status om_live_changes(struct om_live *live, uint64_t after, size_t limit,
                          bool (*each)(void *ctx,
                                       const struct om_live_change *change),
                          void *ctx, struct om_err *err)
{
    struct telling t = {each, ctx};
    om_status st = OM_OK;
    pthread_mutex_lock(&live->reader_lock);
    const char *path = live->city->path;
    if (!live->reader && om_journal_exists(path))
        st = om_journal_open(path, OM_JOURNAL_READ, 0, &live->reader, err);
    if (!st && live->reader) {
        st = om_journal_view(live->reader, err);
        if (!st && after < om_journal_floor(live->reader))
            st = om_fail(err, OM_E_NOTFOUND, 0,
                         "changes after %llu are not kept any more",
                         (unsigned long long)after);
        if (!st)
            st = om_journal_each(live->reader, after, limit, false, tell_entry,
                                 &t, err);
        om_journal_view_end(live->reader);
    }
    pthread_mutex_unlock(&live->reader_lock);
    return st;
}

struct om_live_stats om_live_stats(struct om_live *live)
{
    struct om__figures *f = &live->figures;
    struct om_live_stats out = {
        .written = atomic_load(&f->written),
        .refused = atomic_load(&f->refused),
        .groups = atomic_load(&f->groups),
        .compactions = atomic_load(&f->compactions),
        .journal_bytes = atomic_load(&f->journal_bytes),
        .last_fsync_s = (double)atomic_load(&f->fsync_ns) * 1e-9,
        .compacting_s = (double)atomic_load(&f->compacting_ns) * 1e-9,
        .failing = atomic_load(&f->failing)};
    struct om_snapshot *snapshot = om_city_snapshot(live->city);
    for (size_t i = 0; i < snapshot->manifest->layers; i++) {
        const struct om__stack *stack =
            om__snapshot_of(snapshot)->state[i].stack;
        for (size_t p = 0; p < stack->parts; p++) {
            if (p >= stack->files)
                out.delta_rows += om__part_rows(&stack->part[p]);
            out.dead_rows += stack->part[p].dead_count;
        }
    }
    om_snapshot_unref(snapshot);
    return out;
}

/* ---- life ---- */

static void set_defaults(struct om_live_options *o)
{
    if (o->group_ms == 0) o->group_ms = GROUP_MS;
    if (o->queue_rows == 0) o->queue_rows = QUEUE_ROWS;
    if (o->compact_rows == 0) o->compact_rows = COMPACT_ROWS;
    if (o->keep_entries == 0) o->keep_entries = KEEP_ENTRIES;
    if (o->bulk_rows == 0) o->bulk_rows = BULK_ROWS;
}

static void init_locks(struct om_live *live)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&live->lock, NULL);
    pthread_mutex_init(&live->journal_lock, NULL);
    pthread_mutex_init(&live->reader_lock, NULL);
    pthread_mutex_init(&live->files_lock, NULL);
    pthread_mutex_init(&live->newest.lock, NULL);
    pthread_cond_init(&live->wake, &monotonic);
    pthread_cond_init(&live->finished, &monotonic);
    pthread_cond_init(&live->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Commits of others since the last writer are noted in the journal. */
static om_status note_commits(struct om_live *live, struct om_err *err)
{
    if (!live->journal) return OM_OK;
    const struct om_manifest *m = &live->base->manifest;
    const uint64_t noted = om_journal_commit_noted(live->journal);
    bool *which = om_calloc(m->layers + 1, sizeof *which), any = false;
    if (!which) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < m->layers; i++) {
        which[i] = m->layer[i].base_commit > noted;
        any |= which[i];
    }
    om_status st = OM_OK;
    if (any) {
        st = om__live_note(live, live->base, which, "", err);
        if (!st) st = om__live_publish(live, which, NULL, NULL, err);
        if (!st) om__live_renew(live, which);
    }
    om_free(which);
    return st;
}

/* The map is made while the journal is looked through by who will write it:
 * both read all of it. */
struct mapping {
    struct om_live *live;
    om_status status;
    struct om_err err;
};

static void *map_thread(void *arg)
{
    struct mapping *m = arg;
    // The city's own journal: who refreshes the city is us from now on.
    m->status = om__live_map(m->live, m->live->city->journal, &m->err);
    return NULL;
}

static om_status open_journal(struct om_live *live, struct om_err *err)
{
    struct mapping m = {.live = live};
    pthread_t thread;
    const bool known =
        om__live_map_taken(live, live->options.ahead, live->city->journal);
    const bool beside = !known && live->city->journal &&
                        !pthread_create(&thread, NULL, map_thread, &m);
    om_status st = OM_OK;
    if (live->city->journal)
        st = om_journal_open(live->city->path, OM_JOURNAL_WRITE, 0,
                             &live->journal, err);
    if (beside)
        pthread_join(thread, NULL);
    else if (!known)
        map_thread(&m);
    if (!st && m.status) {
        st = m.status;
        if (err) *err = m.err;
    }
    if (!st && live->journal) live->sequence = om_journal_last(live->journal);
    live->journals += live->journal != NULL;
    live->begins =
        !live->journal ||
        (om_journal_commit_noted(live->journal) == 0 &&
         om_journal_last(live->journal) == om_journal_floor(live->journal));
    return st;
}

/* The newest of the city, and what a writer needs beside it. */
static om_status take_over(struct om_live *live, struct om_err *err)
{
    struct om_city *city = live->city;
    pthread_mutex_lock(&city->refreshing);
    om_status st = om__city_reload(city, NULL, err);
    if (!st && city->fault[0])
        st = om_fail(err, OM_E_DAMAGED, 0, "%s", city->fault);
    if (!st) atomic_store(&city->written, true);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    if (!st) st = om__city_joiner(city, snapshot, &live->joiner, err);
    pthread_mutex_unlock(&city->refreshing);
    if (!st) {
        const struct om__snapshot *s = om__snapshot_of(snapshot);
        live->base = om__base_ref(s->base);
        live->state = om__states_copy(s->state, s->base->manifest.layers);
        live->sequence = snapshot->sequence;
        live->clock_s = snapshot->clock_s;
        atomic_store(&live->remembered, s->base->manifest.journal);
        live->remembered_last = s->base->manifest.journal_last;
        if (!live->state) st = om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    om_snapshot_unref(snapshot);
    if (!st) om__live_weigh(live);
    if (!st) st = open_journal(live, err);
    if (!st) st = note_commits(live, err);
    return st;
}

static om_status start_threads(struct om_live *live, struct om_err *err)
{
    live->committing =
        !pthread_create(&live->committer, NULL, commit_thread, live);
    if (live->committing)
        live->merging =
            !pthread_create(&live->merger, NULL, om__live_merge_thread, live);
    if (live->merging)
        live->keeping =
            !pthread_create(&live->keeper, NULL, om__live_keep_thread, live);
    return live->keeping ? OM_OK
                         : om_fail(err, OM_E_MEMORY, 0, "no thread to be had");
}

om_status om_live_open(struct om_city *city,
                       const struct om_live_options *options,
                       struct om_live **out, struct om_err *err)
{
    struct om_live *live = om_calloc(1, sizeof *live);
    if (!live) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    live->city = city;
    live->lock_fd = -1;
    live->busy_layer = live->merging_layer = OM_NO_FIELD;
    if (options) live->options = *options;
    set_defaults(&live->options);
    init_locks(live);
    om_status st = om_journal_lock(city->path, &live->lock_fd, err);
    if (!st) st = take_over(live, err);
    live->options.ahead = NULL;
    if (!st) st = start_threads(live, err);
    if (st)
        om_live_close(live);
    else
        *out = live;
    return st;
}

bool om__live_given_up(void *arg)
{
    return atomic_load(&((struct om_live *)arg)->leaving);
}

static void stop_threads(struct om_live *live)
{
    atomic_store(&live->leaving, true);
    pthread_mutex_lock(&live->lock);
    live->stopping = true;
    pthread_cond_broadcast(&live->wake);
    pthread_cond_broadcast(&live->work);
    pthread_mutex_unlock(&live->lock);
    // The two in the background first: they may wait for a job.
    if (live->keeping) pthread_join(live->keeper, NULL);
    if (live->merging) pthread_join(live->merger, NULL);
    if (live->committing) pthread_join(live->committer, NULL);
}

void om_live_close(struct om_live *live)
{
    if (!live) return;
    stop_threads(live);
    if (live->journal && !atomic_load(&live->figures.failing))
        (void)!om_journal_checkpoint(live->journal, NULL);
    // So that an older copy in its place is found out.
    if (live->journal && !atomic_load(&live->figures.failing) &&
        live->sequence > live->remembered_last)
        (void)!om__live_remember(live, NULL);
    om_journal_close(live->journal);
    om_journal_close(live->reader);
    // Who still reads finds the layers' numbers; the map stays until the city
    // is closed.
    atomic_store(&live->city->changes, NULL);
    atomic_store(&live->city->written, false);
    while (live->overlay) {
        struct om__overlay *o = live->overlay;
        live->overlay = o->next;
        om_segment_unref(o->run);
        om__stack_unref(o->below);
        om__stack_unref(o->shown);
        om_free(o);
    }
    if (live->base) om__states_free(live->state, live->base->manifest.layers);
    om__base_unref(live->base);
    om_joiner_unref(live->joiner);
    om__group_deinit(&live->group);
    om__finder_deinit(&live->finder);
    om__veils_deinit(&live->veils);
    om_text_reader_deinit(&live->quiet_reader);
    om_free(live->staged);
    om_free(live->undo);
    om_free(live->change);
    if (live->lock_fd >= 0) close(live->lock_fd);
    pthread_mutex_destroy(&live->lock);
    pthread_mutex_destroy(&live->journal_lock);
    pthread_mutex_destroy(&live->reader_lock);
    pthread_mutex_destroy(&live->files_lock);
    pthread_mutex_destroy(&live->newest.lock);
    om_free(live->newest.slot);
    pthread_cond_destroy(&live->wake);
    pthread_cond_destroy(&live->finished);
    pthread_cond_destroy(&live->work);
    om_free(live);
}
