// compact.c - runs become files, files become one.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/city/committed.h"
#include "engine/layer/dead.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * A layer at a time, by a thread that holds nothing a write or a reader waits
 * for, (3) by one of low priority:
 *
 *   (1) take the city's lock of files, or come back later;
 *   (2) take the layer as it is at some sequence S;
 *   (3) write its runs, and older parts that are not much larger, as one new
 *       part; write which rows of the parts that stay are dead;
 *   (4) commit city.json, which then says that the files hold the journal up
 *       to S (applied), once who needs to know what was before has said so
 *       (`moving`);
 *   (5) between two groups, put the new part in the place of the old ones. Rows
 *       that died since (2) are found in it by their ids. On disk they are
 *       entries after S;
 *   (6) remove files that are not named any more. Who reads them keeps them.
 *
 * A crash before (4) leaves files that nobody names, which the next one
 * removes; after (4) it is done: opening puts the entries after S on top.
 *
 * Which parts: as with runs, older ones as long as each has not more than RATIO
 * times the rows of all newer ones, so there are few and a row is written a few
 * times; the whole layer once what is dead in its oldest part and what is newer
 * than it are together more than a quarter of it. So a layer takes at most
 * 5/4 of its size on disk, and twice that while it is written anew. While rows
 * come faster than that (pace.c) it is more than all of it, and a quarter again
 * once they do not. */

#define RATIO 2
#define RATIO_URGENT 1
#define WHOLE_WHEN 4
#define WHOLE_WHEN_URGENT 1
#define PERIOD_S 1
#define RETRY_S 30

/* One layer on its way into files. */
struct compaction {
    struct om_live *live;
    size_t layer;
    const char *name;
    struct om__view_of_layer view;
    struct om__stack *stack;
    struct om__carry carry;
    size_t from;  // parts from here on become one
    bool patient;
    char path[OM__PATH_BYTES], units_path[OM__PATH_BYTES];  // of their files
    struct om_segment *merged;
    struct om__base *base;  // to be committed, and then the city's
    struct om__stamp stamp;
};

/* ---- which parts ---- */

/* Is what is dead in the oldest part, and newer than it, more than its 1/share?
 */
static bool is_overgrown(const struct om__stack *stack, uint64_t share)
{
    uint64_t newer = 0;
    for (size_t i = 1; i < stack->parts; i++)
        newer += om__part_rows(&stack->part[i]);
    const struct om_part *oldest = &stack->part[0];
    return (newer + oldest->dead_count) * share >
           om_segment_rows(oldest->segment);
}

static size_t choose(const struct om__stack *stack, bool urgent)
{
    uint64_t rows = 0;
    size_t from = stack->files;
    for (size_t i = stack->files; i < stack->parts; i++)
        rows += om__part_rows(&stack->part[i]);
    if (stack->files == 0) return 0;
    if (is_overgrown(stack, urgent ? WHOLE_WHEN_URGENT : WHOLE_WHEN))
        return stack->rows ? 0 : stack->files;
    while (from > 0 && rows) {
        const uint64_t more = om__part_rows(&stack->part[from - 1]);
        if (more > (urgent ? RATIO_URGENT : RATIO) * rows) break;
        rows += more;
        from--;
    }
    return from;
}

/* The first file from which all can be read. One that is damaged stays as it
 * is, for `verify` and whoever restores it, and does not keep new rows from
 * files. It is known for damaged once somebody has met it, a failed compaction
 * included. */
static size_t after_damage(const struct om__stack *stack)
{
    size_t i = stack->files;
    while (i > 0 && !om_segment_damage(stack->part[i - 1].segment)) i--;
    return i;
}

/* Did it get more files than it is to have while others wrote very many rows?
 */
static bool was_rushed(const struct om_live *live,
                       const struct om__stack *stack)
{
    return atomic_load(&live->rushed) && stack->files && stack->rows &&
           is_overgrown(stack, WHOLE_WHEN) && after_damage(stack) == 0;
}

/* ---- when ---- */

/* Is all that the layer is in its files? */
static bool is_clean(const struct om_manifest_layer *meta,
                     const struct om__stack *stack)
{
    if (stack->parts != stack->files || stack->files != meta->parts)
        return false;
    for (size_t i = 0; i < stack->files; i++)
        if (stack->part[i].dead_count != meta->part[i].dead) return false;
    return true;
}

bool om__live_is_clean(const struct om_live *live, size_t layer)
{
    return is_clean(&live->base->manifest.layer[layer],
                    live->state[layer].stack);
}

static bool is_due(const struct om_live *live,
                   const struct om__view_of_layer *view, size_t layer)
{
    const struct om_manifest_layer *meta = &view->base->manifest.layer[layer];
    const struct om__stack *stack = view->state[layer].stack;
    // Rows without their units must not get into files.
    if (stack->fault || om__units_withheld(&view->base->manifest, view->state))
        return false;
    if (is_clean(meta, stack)) return was_rushed(live, stack);
    if (om__live_rows_in_memory(meta, stack) >= live->options.compact_rows)
        return true;
    // A layer that is rarely written to must not hold up the journal.
    return view->sequence > meta->applied + live->options.keep_entries / 2;
}

/* ---- files ---- */

static om_status path_of(const struct compaction *c, const char *file,
                         char out[OM__PATH_BYTES], struct om_err *err)
{
    return om_path_join(out, OM__PATH_BYTES, c->live->city->path, file)
               ? om_fail(err, OM_E_LIMIT, 0, "path too long")
               : OM_OK;
}

static uint64_t living_from(const struct om__stack *stack, size_t from)
{
    uint64_t rows = 0;
    for (size_t i = from; i < stack->parts; i++)
        rows += om__part_rows(&stack->part[i]);
    return rows;
}

static om_status merge(void *ctx, struct om_err *err)
{
    struct compaction *c = ctx;
    const struct om_schema *own =
        &c->view.base->manifest.layer[c->layer].schema;
    return om_run_merge(own, c->stack->part + c->from,
                        c->stack->parts - c->from, c->view.joiner, c->path,
                        om_joiner_levels(c->view.joiner) ? c->units_path : NULL,
                        &c->merged, err);
}

/* The new part of the layer, if it has any row. */
static om_status write_part(struct compaction *c, struct om_manifest_part *out,
                            struct om_err *err)
{
    const unsigned long long commit = c->base->manifest.sequence;
    const bool joined = om_joiner_levels(c->view.joiner) > 0;
    snprintf(out->file, sizeof out->file, "layers/%s-%llu.seg", c->name,
             commit);
    OM_TRY(path_of(c, out->file, c->path, err));
    if (joined)
        snprintf(out->units_file, sizeof out->units_file,
                 "layers/%s-%llu-%zu.units", c->name, commit, c->from);
    OM_TRY(path_of(c, out->units_file, c->units_path, err));
    OM_TRY(c->patient
               ? om__live_patiently(c->live, living_from(c->stack, c->from),
                                    merge, c, err)
               : merge(c, err));
    out->rows = om_segment_rows(c->merged);
    return OM_OK;
}

/* What is dead in a part that stays, if that is not what its file says. */
static om_status write_dead(const struct compaction *c, size_t i,
                            struct om_manifest_part *out, struct om_err *err)
{
    char path[OM__PATH_BYTES];
    const struct om_part *part = &c->stack->part[i];
    if (part->dead_count == out->dead) return OM_OK;
    snprintf(out->dead_file, sizeof out->dead_file, "layers/%s-%llu-%zu.dead",
             c->name, (unsigned long long)c->base->manifest.sequence, i);
    out->dead = part->dead_count;
    OM_TRY(path_of(c, out->dead_file, path, err));
    return om_dead_write(path, part->segment, part->dead, part->dead_count,
                         err);
}

/* The manifest to be: that of the disk with the layer's new parts. */
static om_status write_files(struct compaction *c, struct om_err *err)
{
    struct om_manifest *m = &c->base->manifest;
    struct om_manifest_layer *layer = om_manifest_find(m, c->name);
    if (!layer || layer->parts != c->stack->files)
        return om_fail(err, OM_E_BUSY, 0, "%s has other files by now", c->name);
    m->sequence++;
    struct om_manifest_part *part =
        om_arena_calloc(&m->arena, c->from + 1, sizeof *part);
    if (!part) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (c->from) memcpy(part, layer->part, c->from * sizeof *part);
    layer->part = part;
    layer->parts = c->from;
    om__live_step("begin");
    if (living_from(c->stack, c->from)) {
        OM_TRY(write_part(c, &part[c->from], err));
        layer->parts++;
    }
    om__live_step("part");
    for (size_t i = 0; i < c->from; i++)
        OM_TRY(write_dead(c, i, &part[i], err));
    om__live_step("dead");
    const struct om__layer_state *state = &c->view.state[c->layer];
    pthread_mutex_lock(&c->live->journal_lock);
    if (c->live->journal) om_journal_remember(c->live->journal, m);
    pthread_mutex_unlock(&c->live->journal_lock);
    layer->applied = c->view.sequence;
    if (state->as_of_s) layer->as_of_s = state->as_of_s;
    // What has nothing in memory is in its files up to now, too.
    for (size_t i = 0; i < m->layers; i++) {
        const size_t was = om__live_layer(c->view.base, m->layer[i].name);
        if (was != OM_NO_FIELD && was != c->layer &&
            is_clean(&m->layer[i], c->view.state[was].stack))
            m->layer[i].applied = c->view.sequence;
    }
    return OM_OK;
}

static bool is_named(const struct om_manifest *m, const char *file)
{
    for (size_t i = 0; i < m->layers; i++)
        for (size_t p = 0; p < m->layer[i].parts; p++) {
            const struct om_manifest_part *part = &m->layer[i].part[p];
            if (!strcmp(part->file, file) || !strcmp(part->units_file, file) ||
                !strcmp(part->dead_file, file))
                return true;
        }
    return false;
}

/* Remove what city.json does not name; with the lock of files. Not being able
 * to is no error: the files cost room, not answers. */
static void sweep(const struct om_live *live, const struct om_manifest *m)
{
    char folder[OM__PATH_BYTES], path[OM__PATH_BYTES], file[OM__PATH_BYTES];
    if (om_path_join(folder, sizeof folder, live->city->path, "layers")) return;
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        if (om_path_join(file, sizeof file, "layers", entry->d_name)) continue;
        if (is_named(m, file)) continue;
        if (!om_path_join(path, sizeof path, live->city->path, file))
            unlink(path);
    }
    closedir(dir);
}

/* ---- putting it in ---- */

static om_status put_in(struct om_live *live, void *ctx, struct om_err *err)
{
    struct compaction *c = ctx;
    const size_t i = om__live_layer(live->base, c->name);
    if (i == OM_NO_FIELD || live->base != c->view.base)
        return om_fail(err, OM_E_BUSY, 0, "%s was replaced meanwhile", c->name);
    struct om__stack *fresh = NULL;
    om_status st = om__carry_end(&c->carry, live->state[i].stack, &fresh);
    if (st) return om_fail(err, st, 0, "%s: %s", c->name, om_status_text(st));
    struct om__stack *old_stack = live->state[i].stack;
    struct om__base *old_base = live->base;
    live->state[i].stack = fresh;
    live->base = c->base;
    st = om__live_publish(live, NULL, NULL, &c->stamp, err);
    if (st) {
        live->state[i].stack = old_stack;
        live->base = old_base;
        om__stack_unref(fresh);
        return st;
    }
    om__stack_unref(old_stack);
    c->base = old_base;  // to be let go
    return OM_OK;
}

/* ---- one layer ---- */

/* Nobody merges runs of the layer until `release`, but those that come. */
static om_status reserve(struct compaction *c, struct om_err *err)
{
    struct om_live *live = c->live;
    pthread_mutex_lock(&live->lock);
    while (live->merging_layer == c->layer && !live->stopping)
        pthread_cond_wait(&live->work, &live->lock);
    live->busy_layer = c->layer;
    live->busy_all = true;
    pthread_mutex_unlock(&live->lock);
    OM_TRY(om__live_view(live, &c->view, err));
    c->stack = c->view.state[c->layer].stack;
    pthread_mutex_lock(&live->lock);
    live->busy_last =
        c->stack->parts ? c->stack->part[c->stack->parts - 1].segment : NULL;
    live->busy_all = false;
    pthread_mutex_unlock(&live->lock);
    return OM_OK;
}

static void release(struct compaction *c)
{
    struct om_live *live = c->live;
    pthread_mutex_lock(&live->lock);
    live->busy_layer = OM_NO_FIELD;
    live->busy_last = NULL;
    pthread_mutex_unlock(&live->lock);
    om__carry_deinit(&c->carry);
    om__live_view_end(&c->view);
    om_segment_unref(c->merged);
    om__base_unref(c->base);
}

static om_status write_layer(struct compaction *c, struct om_err *err)
{
    struct om_live *live = c->live;
    const struct om_manifest_layer *meta =
        &c->view.base->manifest.layer[c->layer];
    if (is_clean(meta, c->stack) && !was_rushed(live, c->stack)) return OM_OK;
    const size_t sound = after_damage(c->stack);
    const bool urgent = om__live_is_urgent(live);
    c->from = choose(c->stack, urgent);
    if (urgent && choose(c->stack, false) < c->from)
        atomic_store(&live->rushed, true);
    if (c->from < sound) c->from = sound;
    OM_TRY(om__base_read(live->city->path, &c->base, err));
    if (c->base->manifest.sequence != c->view.base->manifest.sequence)
        return om_fail(err, OM_E_BUSY, 0, "city.json is another one by now");
    OM_TRY(write_files(c, err));
    om__carry_begin(&c->carry, c->stack, c->from, c->stack->parts, c->merged,
                    true, meta->schema.id_field);
    OM_TRY(om__carry_catch_up(live, &c->carry, c->name, err));
    if (live->options.moving)
        OM_TRY(live->options.moving(live->options.moving_ctx,
                                    &c->base->manifest, err));
    OM_TRY(om_manifest_write(live->city->path, &c->base->manifest, err));
    om__live_step("commit");
    OM_TRY(om__stamp_written(live->city->path, c->base->manifest.sequence,
                             &c->stamp, err));
    om_committed_keep(live->city->path, &c->base->manifest);
    OM_TRY(om__live_run(live, put_in, c, err));
    om__live_step("in");
    sweep(live, &live->base->manifest);
    om__live_step("end");
    atomic_fetch_add(&live->figures.compactions, 1);
    return OM_OK;
}

/* With files_lock and the city's lock. */
static om_status compact_layer(struct om_live *live, size_t layer,
                               const char *name, bool patient,
                               struct om_err *err)
{
    struct compaction c = {
        .live = live, .layer = layer, .name = name, .patient = patient};
    const double start = om_seconds();
    om_status st = reserve(&c, err);
    if (!st) st = write_layer(&c, err);
    release(&c);
    atomic_fetch_add(&live->figures.compacting_ns,
                     (uint64_t)((om_seconds() - start) * 1e9));
    return st;
}

/* All layers that are due, or all that have anything in memory. */
static om_status compact_all(struct om_live *live, bool all, struct om_err *err)
{
    struct om__stamp stamp;
    struct om__view_of_layer view = {0};
    om_status st = om__stamp_read(live->city->path, &stamp, err);
    pthread_mutex_lock(&live->city->lock);
    const bool same = om__stamp_same(&stamp, &live->city->stamp);
    pthread_mutex_unlock(&live->city->lock);
    if (!st && !same)
        st = om_fail(err, OM_E_BUSY, 0, "another process has just committed");
    if (!st) st = om__live_view(live, &view, err);
    if (!st && om__units_withheld(&view.base->manifest, view.state))
        st = om_fail(err, OM_E_WITHHELD, 0,
                     "rows cannot be given their units: a level of them is "
                     "not served");
    if (!st && !live->swept) {
        sweep(live, &view.base->manifest);
        live->swept = true;
    }
    for (size_t i = 0; !st && i < view.base->manifest.layers; i++) {
        const char *name = view.base->manifest.layer[i].name;
        if (view.state[i].stack->fault) continue;
        if (all || is_due(live, &view, i))
            st = compact_layer(live, i, name, !all, err);
    }
    om__live_view_end(&view);
    return st;
}

static om_status compact(struct om_live *live, bool all, struct om_err *err)
{
    int lock = -1;
    pthread_mutex_lock(&live->files_lock);
    om_status st = om_city_lock(live->city->path, &lock, err);
    if (!st) st = compact_all(live, all, err);
    if (lock >= 0) close(lock);
    pthread_mutex_unlock(&live->files_lock);
    return st;
}

om_status om_live_compact(struct om_live *live, struct om_err *err)
{
    return compact(live, true, err);
}

/* Looks at the newest snapshot, so that nobody is asked for nothing. With an
 * overlay a layer may look due that is not: it is asked again. */
static bool anything_due(struct om_live *live)
{
    struct om_snapshot *snapshot = om_city_snapshot(live->city);
    const struct om__snapshot *s = om__snapshot_of(snapshot);
    const struct om__view_of_layer view = {
        .base = s->base, .state = s->state, .sequence = snapshot->sequence};
    bool any = false;
    for (size_t i = 0; i < s->base->manifest.layers && !any; i++)
        any = is_due(live, &view, i);
    om_snapshot_unref(snapshot);
    return any;
}

void *om__live_keep_thread(void *arg)
{
    struct om_live *live = arg;
    struct om_cancel cancel = {.given_up = om__live_given_up, .ctx = live};
    om_status said = OM_OK;
    double not_before_s = 0;
    om_cancel_swap(&cancel);
    for (;;) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_sec += PERIOD_S;
        pthread_mutex_lock(&live->lock);
        while (!live->stopping &&
               !pthread_cond_timedwait(&live->work, &live->lock, &at)) {
        }
        const bool stop = live->stopping;
        pthread_mutex_unlock(&live->lock);
        if (stop) return NULL;
        if (!om__live_remembered(live)) (void)!om__live_remember(live, NULL);
        if (live->options.no_compaction || !anything_due(live)) continue;
        if (om_seconds() < not_before_s) continue;
        struct om_err err = {0};
        const uint64_t before = atomic_load(&live->figures.compactions);
        const om_status st = compact(live, false, &err);
        // An overlay looked like rows, or it went wrong: not at once again.
        if (atomic_load(&live->figures.compactions) == before &&
            st != OM_E_BUSY)
            not_before_s = om_seconds() + RETRY_S;
        if (st && st != said && st != OM_E_BUSY && st != OM_E_STOPPED)
            om_log(OM_LOG_ERROR, "live", "writing layers to files: %s",
                   err.text);
        said = st;
    }
}
