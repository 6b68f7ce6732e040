/* feed.c - a ring of jobs between the readers and the one who asks.
 *
 * DESIGN
 * (1) Jobs are numbered as they are taken; number n lives in slot n % SLOTS.
 * (2) A slot goes empty -> busy -> ready -> empty. Only the worker that took
 *     it touches a busy one, only the consumer a ready one.
 * (3) Taking is serial, under `taking`; making is not. The consumer hands out
 *     slots in order, so the result does not depend on the threads.
 * Without a single thread to be had, the consumer does the work itself.
 */
#include "data/source/feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/base/thread.h"
#include "data/source/source.h"

#define SLOTS_MAX (OM_LIMIT_THREADS + 2)

enum state { EMPTY, BUSY, READY };

struct worker {
    struct om__feed *feed;
    size_t lane;
    pthread_t thread;
};

struct om__feed {
    struct om__reader reader;
    struct om_rejects *rejects;
    pthread_mutex_t taking;  // held while a stretch is taken
    pthread_mutex_t lock;    // guards state and stop
    pthread_cond_t changed;
    enum state state[SLOTS_MAX];
    struct om__job job[SLOTS_MAX];
    size_t slots;
    size_t next_take;  // guarded by `taking`
    bool no_more;      // guarded by `taking`
    bool stop;
    size_t next_give;    // the consumer's
    struct om_err fail;  // the consumer's
    _Atomic uint64_t read;
    size_t workers;
    struct worker worker[OM_LIMIT_THREADS];
};

static void clear_job(struct om__job *job)
{
    struct om_batch *batch = &job->batch;
    om_arena_reset(&batch->arena);
    *batch = (struct om_batch){.arena = batch->arena};
    job->first_note = job->last_note = NULL;
    job->rows = 0;
    job->end = job->id_from_row = false;
    job->status = OM_OK;
    job->err = (struct om_err){0};
}

static void set_state(struct om__feed *feed, size_t slot, enum state state)
{
    pthread_mutex_lock(&feed->lock);
    feed->state[slot] = state;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
}

/* Wait until the slot has the state, or the feed stops. */
static bool wait_for(struct om__feed *feed, size_t slot, enum state state)
{
    pthread_mutex_lock(&feed->lock);
    while (feed->state[slot] != state && !feed->stop)
        pthread_cond_wait(&feed->changed, &feed->lock);
    const bool stop = feed->stop;
    pthread_mutex_unlock(&feed->lock);
    return !stop;
}

/* One stretch from the source to a ready slot. false: nothing more to do. */
static bool work(struct om__feed *feed, size_t lane)
{
    pthread_mutex_lock(&feed->taking);
    const size_t slot = feed->next_take % feed->slots;
    if (feed->no_more || !wait_for(feed, slot, EMPTY)) {
        pthread_mutex_unlock(&feed->taking);
        return false;
    }
    struct om__job *job = &feed->job[slot];
    clear_job(job);
    job->status = feed->reader.take(feed->reader.self, job);
    feed->next_take++;
    feed->no_more = job->end || job->status;
    set_state(feed, slot, BUSY);
    pthread_mutex_unlock(&feed->taking);
    if (!job->status && !job->end)
        job->status = feed->reader.make(feed->reader.self, job, lane);
    set_state(feed, slot, READY);
    return true;
}

static void *run(void *arg)
{
    const struct worker *worker = arg;
    while (work(worker->feed, worker->lane)) {
    }
    return NULL;
}

om_status om__feed_open(const struct om__reader *reader,
                        struct om_rejects *rejects, struct om__feed **out)
{
    struct om__feed *feed = om_calloc(1, sizeof *feed);
    if (!feed) return OM_E_MEMORY;
    feed->reader = *reader;
    feed->rejects = rejects;
    pthread_mutex_init(&feed->taking, NULL);
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->changed, NULL);
    const size_t threads = om_threads();
    feed->slots = threads + 2;
    for (size_t i = 0; i < threads; i++) {
        struct worker *worker = &feed->worker[i];
        *worker = (struct worker){.feed = feed, .lane = i};
        if (pthread_create(&worker->thread, NULL, run, worker)) break;
        feed->workers++;
    }
    *out = feed;
    return OM_OK;
}

static om_status give_notes(struct om__feed *feed, const struct om__job *job,
                            uint64_t base)
{
    if (!feed->rejects) return OM_OK;
    for (const struct om__note *n = job->first_note; n; n = n->next)
        OM_TRY(om_rejects_add(feed->rejects, base + n->row + 1, n->id,
                              n->column, n->reason, n->value, n->len));
    return OM_OK;
}

/* Row numbers as the id of rows that have none. */
static om_status number_rows(struct om_batch *batch, size_t field)
{
    static const size_t DIGITS_MAX = 20;
    uint32_t *offset =
        om_arena_alloc(&batch->arena, (batch->rows + 1) * sizeof *offset);
    char *bytes = om_arena_alloc(&batch->arena, batch->rows * DIGITS_MAX);
    if (!offset || !bytes) return OM_E_MEMORY;
    uint32_t at = 0;
    for (size_t i = 0; i < batch->rows; i++) {
        offset[i] = at;
        char digit[20];
        size_t n = sizeof digit;
        uint64_t v = batch->source_row[i];
        do {
            digit[--n] = (char)('0' + v % 10);
        } while (v /= 10);
        memcpy(bytes + at, digit + n, sizeof digit - n);
        at += (uint32_t)(sizeof digit - n);
    }
    offset[batch->rows] = at;
    struct om_batch_column *column =
        (struct om_batch_column *)batch->column + field;
    *column = (struct om_batch_column){.offset = offset, .bytes = bytes};
    return OM_OK;
}

/* Make a ready job's rows count from the start of the source, and hand its
 * batch over. */
static om_status give(struct om__feed *feed, struct om__job *job,
                      struct om_batch *out)
{
    const uint64_t base = atomic_load(&feed->read);
    OM_TRY(give_notes(feed, job, base));
    struct om_batch *batch = &job->batch;
    // The rows' numbers are ours to write: they live in the batch's arena.
    uint64_t *row = (uint64_t *)batch->source_row;
    for (size_t i = 0; i < batch->rows; i++) row[i] += base + 1;
    if (job->id_from_row && batch->rows)
        OM_TRY(number_rows(batch, job->id_field));
    atomic_store(&feed->read, base + job->rows);
    const struct om_batch swap = *out;
    *out = *batch;
    *batch = (struct om_batch){.arena = swap.arena};
    return OM_OK;
}

om_status om__feed_next(struct om__feed *feed, struct om_batch *batch,
                        struct om_err *err)
{
    batch->rows = 0;
    while (!feed->fail.code) {
        const size_t slot = feed->next_give % feed->slots;
        if (feed->workers == 0 && feed->state[slot] == EMPTY)
            (void)work(feed, 0);
        (void)wait_for(feed, slot, READY);
        struct om__job *job = &feed->job[slot];
        if (job->end && !job->status) {  // stays ready: every later call ends
            om_arena_reset(&batch->arena);
            *batch = (struct om_batch){.arena = batch->arena};
            return OM_OK;
        }
        om_status st = job->status;
        if (!st) st = give(feed, job, batch);
        if (st) {
            feed->fail = job->err;
            if (!feed->fail.code)
                om_fail(&feed->fail, st, 0, "%s", om_status_text(st));
            break;
        }
        feed->next_give++;
        set_state(feed, slot, EMPTY);
        if (batch->rows) return OM_OK;
    }
    batch->rows = 0;
    if (err) *err = feed->fail;
    return feed->fail.code;
}

uint64_t om__feed_read(const struct om__feed *feed)
{
    return atomic_load(&feed->read);
}

void om__feed_close(struct om__feed *feed)
{
    if (!feed) return;
    pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
    for (size_t i = 0; i < feed->workers; i++)
        pthread_join(feed->worker[i].thread, NULL);
    for (size_t i = 0; i < feed->slots; i++) {
        if (feed->job[i].stretch)
            feed->reader.drop(feed->reader.self, &feed->job[i]);
        om_arena_deinit(&feed->job[i].batch.arena);
    }
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
    pthread_mutex_destroy(&feed->taking);
    om_free(feed);
}

void om_batch_deinit(struct om_batch *batch)
{
    om_arena_deinit(&batch->arena);
    *batch = (struct om_batch){0};
}
