// commit.c - one group: durable, then visible, then answered.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"
#include "engine/live/replay_internal.h"
#include "engine/policy/policy.h"

int64_t om__live_time(const struct om_live *live, const struct om__fresh *f)
{
    return live->base->manifest.clock_s ? f->clock_s : f->at_ms / 1000;
}

/* ---- overlays ---- */

om_status om__live_lay_over(struct om_segment *run,
                            const struct om__stack *below, size_t id_field,
                            struct om__stack **out)
{
    const size_t rows = om_segment_rows(run);
    struct om__kill *kill = om_alloc_array(rows + 1, sizeof *kill);
    struct om__finder finder = {0};
    struct om_text_reader reader = {0};
    struct om__stack *killed = NULL;
    size_t kills = 0;
    om_status st = kill ? OM_OK : OM_E_MEMORY;
    for (size_t row = 0; row < rows && !st; row++) {
        const char *id;
        size_t len;
        st = om_segment_text(run, id_field, row, &reader, &id, &len);
        if (!st) st = om__stack_find(below, id, len, &finder, &kill[kills]);
        if (!st) kills++;
        if (st == OM_E_NOTFOUND) st = OM_OK;
    }
    if (!st) st = om__stack_kill(below, kill, kills, &killed);
    if (!st)
        st = om__stack_splice(killed, killed->parts, killed->parts, run, NULL,
                              false, out);
    om__stack_unref(killed);
    om_text_reader_deinit(&reader);
    om__finder_deinit(&finder);
    om_free(kill);
    return st;
}

om_status om__live_snapshot(struct om_live *live, struct om__base *base,
                            const struct om__layer_state *state,
                            uint64_t sequence, int64_t clock_s,
                            struct om_snapshot **out, struct om_err *err)
{
    const size_t layers = base->manifest.layers;
    struct om__layer_state *shown = om__states_copy(state, layers);
    om_status st = shown ? OM_OK : OM_E_MEMORY;
    for (struct om__overlay *o = live->overlay; o && !st; o = o->next) {
        const size_t i = om__live_layer(base, o->layer);
        if (i == OM_NO_FIELD) continue;
        if (!o->shown || o->below != shown[i].stack) {
            struct om__stack *fresh = NULL;
            st = om__live_lay_over(o->run, shown[i].stack,
                                   base->manifest.layer[i].schema.id_field,
                                   &fresh);
            if (st) break;
            om__stack_unref(o->below);
            om__stack_unref(o->shown);
            o->below = om__stack_ref(shown[i].stack);
            o->shown = fresh;
        }
        om__stack_unref(shown[i].stack);
        shown[i].stack = om__stack_ref(o->shown);
    }
    if (st)
        om_fail(err, st, 0, "out of memory");
    else
        st = om__snapshot_new(base, shown, sequence, clock_s, out, err);
    if (shown) om__states_free(shown, layers);
    return st;
}

/* ---- what is going to be published ---- */

void om__live_note_layer(struct om__layer_state *s, uint64_t sequence,
                         int64_t at_s)
{
    if (sequence > s->changed) s->changed = sequence;
    if (at_s > s->as_of_s) s->as_of_s = at_s;
}

static om_status prepare(struct om_live *live, struct om__fresh *f,
                         struct om_err *err)
{
    const struct om_manifest *m = &live->base->manifest;
    f->state = om__states_copy(live->state, m->layers);
    if (!f->state) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    f->last = f->first + live->staged_count - 1;
    for (size_t i = 0; i < live->staged_count; i++) {
        const struct om__slot *slot = &live->group.slot[live->staged[i].slot];
        om__live_note_layer(&f->state[slot->layer], f->first + i,
                            om__live_time(live, f));
    }
    for (size_t i = 0; i < m->layers; i++) {
        struct om__layer_state *s = &f->state[i];
        s->upto = f->last;
        if (s->changed < f->first) continue;
        struct om__stack *stack = NULL;
        OM_TRY(om__group_apply(&live->group, (uint32_t)i, &m->layer[i].schema,
                               s->stack, live->joiner, &live->finder, &stack,
                               err));
        om__stack_unref(s->stack);
        s->stack = stack;
    }
    return om__live_snapshot(live, live->base, f->state, f->last,
                             m->clock_s ? f->clock_s : 0, &f->snapshot, err);
}

/* ---- the journal ---- */

om_status om__live_journal(struct om_live *live, struct om_err *err)
{
    if (atomic_load(&live->lost))
        return om_fail(err, OM_E_IO, 0,
                       "the disk of the journal failed; nothing is taken "
                       "until it is well again");
    if (!live->journal) {
        struct om_journal *journal = NULL;
        OM_TRY(om_journal_open(live->city->path, OM_JOURNAL_WRITE,
                               live->sequence + 1, &journal, err));
        pthread_mutex_lock(&live->journal_lock);
        live->journal = journal;
        live->journals++;
        pthread_mutex_unlock(&live->journal_lock);
        // If it cannot be now, the keeper does.
        if (!om__live_remembered(live)) (void)!om__live_remember(live, NULL);
    }
    return OM_OK;
}

static om_status add_commit(struct om_live *live, const char *layer,
                            const char *id, uint64_t commit, int64_t at_ms,
                            struct om_err *err)
{
    struct om_entry entry = {.kind = OM_ENTRY_COMMIT,
                             .layer = layer,
                             .id = id,
                             .id_len = strlen(id),
                             .old_cell = OM_NO_CELL,
                             .new_cell = OM_NO_CELL,
                             .at_ms = at_ms,
                             .clock_s = live->clock_s,
                             .who = "",
                             .commit = commit};
    return om_journal_add(live->journal, &entry, err);
}

static om_status add_rows(struct om_live *live, void *ctx,
                          const struct om__fresh *f, struct om_err *err)
{
    (void)ctx;
    for (size_t i = 0; i < live->staged_count; i++) {
        const struct om__staged *s = &live->staged[i];
        const struct om__slot *slot = &live->group.slot[s->slot];
        struct om_entry entry = {
            .kind = s->kind,
            .layer = live->base->manifest.layer[slot->layer].name,
            .id = (const char *)live->group.bytes.bytes + slot->id,
            .id_len = slot->id_len,
            .new_row =
                s->record_len ? live->group.bytes.bytes + s->record : NULL,
            .new_len = s->record_len,
            .old_cell = s->old.cell,
            .new_cell = s->fresh.cell,
            .old_box = s->old.box,
            .new_box = s->fresh.box,
            .at_ms = f->at_ms,
            .clock_s = f->clock_s,
            .who = s->write->who ? s->write->who : ""};
        OM_TRY(om_journal_add(live->journal, &entry, err));
        live->unsettled_bytes += entry.new_len + entry.id_len + 64;
        if (entry.sequence != f->first + i)
            return om_fail(err, OM_E_INTERNAL, 0,
                           "the journal gave sequence %llu, not %llu",
                           (unsigned long long)entry.sequence,
                           (unsigned long long)(f->first + i));
    }
    return OM_OK;
}

static om_status add_keys(struct om_live *live, const struct om_write *list,
                          const struct om__fresh *f, struct om_err *err)
{
    for (const struct om_write *w = list; w; w = w->next) {
        if (!w->key || w->status || w->repeated || w->taken == 0) continue;
        struct om_journal_key key = {.request_hash = w->request_hash,
                                     .first = w->first,
                                     .last = w->last,
                                     .taken = (uint32_t)w->taken,
                                     .created = (uint32_t)w->created,
                                     .refused = (uint32_t)w->refused,
                                     .at_ms = f->at_ms};
        if ((size_t)snprintf(key.key, sizeof key.key, "%s", w->key) >=
            sizeof key.key)
            return om_fail(err, OM_E_LIMIT, 0, "an idempotency key too long");
        OM_TRY(om_journal_key_add(live->journal, &key, err));
    }
    return OM_OK;
}

/* With `journal_lock`. */
static om_status write_group(struct om_live *live, const struct om_write *list,
                             const struct om__fresh *f,
                             om_status (*add)(struct om_live *live, void *ctx,
                                              const struct om__fresh *fresh,
                                              struct om_err *err),
                             void *ctx, struct om_err *err)
{
    OM_TRY(om_journal_begin(live->journal, err));
    om_status st = OM_OK;
    if (live->begins)
        st = add_commit(live, OM__NOBODY, "", live->base->manifest.sequence,
                        f->at_ms, err);
    if (!st) st = add(live, ctx, f, err);
    if (!st) st = add_keys(live, list, f, err);
    if (st) {
        om_journal_rollback(live->journal);
        return st;
    }
    const double start = om_seconds();
    st = om_journal_commit(live->journal, err);
    atomic_store(&live->figures.fsync_ns,
                 (uint64_t)((om_seconds() - start) * 1e9));
    return st;
}

void om__live_look_after(struct om_live *live, om_status st)
{
    atomic_store(&live->figures.journal_bytes, om_journal_bytes(live->journal));
    if (st && om_journal_failed(live->journal)) {
        // Only opening it again tells what is on the disk (om__live_recover).
        om_journal_close(live->journal);
        live->journal = NULL;
        atomic_store(&live->lost, true);
    }
    atomic_store(&live->figures.failing, st != OM_OK);
}

om_status om__live_durable(struct om_live *live, const struct om_write *list,
                           const struct om__fresh *f,
                           om_status (*add)(struct om_live *live, void *ctx,
                                            const struct om__fresh *fresh,
                                            struct om_err *err),
                           void *ctx, struct om_err *err)
{
    const om_status made = om__live_journal(live, err);
    if (made) {
        atomic_store(&live->figures.failing, true);
        return made;
    }
    pthread_mutex_lock(&live->journal_lock);
    const om_status st = write_group(live, list, f, add, ctx, err);
    om__live_look_after(live, st);
    pthread_mutex_unlock(&live->journal_lock);
    return st;
}

/* ---- publication ---- */

static void tell(struct om_live *live, uint64_t first, uint64_t last,
                 size_t count)
{
    pthread_mutex_lock(&live->lock);
    void (*news)(void *, const struct om_live_news *) = live->news;
    void *ctx = live->news_ctx;
    pthread_mutex_unlock(&live->lock);
    const struct om_live_news what = {first, last, count, live->change};
    if (news) news(ctx, &what);
}

/* Runs have come: perhaps there are enough of them to be merged. */
static void wake_merger(struct om_live *live)
{
    bool many = false;
    for (size_t i = 0; i < live->base->manifest.layers && !many; i++)
        many = om__live_many_runs(live->state[i].stack);
    if (!many) return;
    pthread_mutex_lock(&live->lock);
    pthread_cond_broadcast(&live->work);
    pthread_mutex_unlock(&live->lock);
}

om_status om__live_room(struct om_live *live, size_t count)
{
    if (count <= live->change_room) return OM_OK;
    struct om_live_change *grown =
        om_realloc(live->change, 2 * count * sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    live->change = grown;
    live->change_room = 2 * count;
    return OM_OK;
}

void om__live_list(struct om_live *live, const struct om__fresh *f, size_t i,
                   const char *layer, enum om_entry_kind kind, uint64_t quiet,
                   struct om__where old, struct om__where now)
{
    live->change[i] = (struct om_live_change){.sequence = f->first + i,
                                              .quiet = quiet,
                                              .layer = layer,
                                              .cell = now.cell,
                                              .other_cell = old.cell,
                                              .kind = kind,
                                              .box = now.box,
                                              .other_box = old.box};
}

/* `note` after the rows can be seen: who has asked in between has an older
 * number beside newer content, and his If-Match fails. The other way round he
 * would overwrite what he has not seen. */
void om__live_show(struct om_live *live, struct om__fresh *f, size_t count,
                   void (*note)(struct om_live *live, void *ctx,
                                uint64_t first),
                   void *ctx)
{
    om__live_step("told");
    om__states_free(live->state, live->base->manifest.layers);
    live->state = f->state;
    f->state = NULL;
    om__live_weigh(live);
    wake_merger(live);
    live->sequence = f->last;
    live->begins = false;
    live->clock_s = f->clock_s;
    om__city_publish(live->city, f->snapshot, NULL);
    f->snapshot = NULL;
    note(live, ctx, f->first);
    atomic_fetch_add(&live->figures.groups, 1);
    atomic_fetch_add(&live->figures.written, count);
    tell(live, f->first, f->last, count);
}

static void note_rows(struct om_live *live, void *ctx, uint64_t first)
{
    (void)ctx;
    for (size_t i = 0; i < live->staged_count; i++) {
        const struct om__slot *slot = &live->group.slot[live->staged[i].slot];
        om__newest_note(&live->newest,
                        live->base->manifest.layer[slot->layer].name,
                        (const char *)live->group.bytes.bytes + slot->id,
                        slot->id_len, first + i);
    }
}

static void publish_group(struct om_live *live, struct om__fresh *f)
{
    const int64_t at_s = om__live_time(live, f);
    om__live_quiet_shapes(live, f);
    for (size_t i = 0; i < live->staged_count; i++) {
        const struct om__staged *s = &live->staged[i];
        const struct om__slot *slot = &live->group.slot[s->slot];
        const char *layer = live->base->manifest.layer[slot->layer].name;
        om__live_map_row(live->changes, layer, s->old, f->first + i, at_s);
        om__live_map_row(live->changes, layer, s->fresh, f->first + i, at_s);
        om__live_list(live, f, i, layer, s->kind, slot->quiet, s->old,
                      s->fresh);
    }
    om__live_tell_group(live, f, at_s);
    om__live_show(live, f, live->staged_count, note_rows, NULL);
}

/* ---- groups ---- */

void om__live_answer(struct om_live *live, struct om_write *list)
{
    for (struct om_write *w = list, *next; w; w = next) {
        next = w->next;
        w->next = NULL;
        struct om_write_fault *fault = w->fault;
        if (!w->repeated)
            atomic_fetch_add(&live->figures.refused,
                             w->status ? w->batch->rows : w->refused);
        if (w->done) w->done(w->ctx, w);
        om_free(fault);  // the write may be gone
    }
}

static void fail_all(struct om_write *list, om_status st,
                     const struct om_err *err)
{
    for (struct om_write *w = list; w; w = w->next) {
        if (w->status || w->repeated) continue;
        w->status = st;
        w->err = *err;
        w->taken = w->created = 0;
        w->first = w->last = 0;
    }
}

/* Is there a write with the same key before `w` in the list? */
static bool key_is_under_way(const struct om_write *list,
                             const struct om_write *w)
{
    for (const struct om_write *e = list; w->key && e != w; e = e->next)
        if (e->key && !strcmp(e->key, w->key)) return true;
    return false;
}

/* Stage writes up to one that must see the answer of an earlier one. */
static struct om_write *stage(struct om_live *live, struct om_write *list,
                              int64_t *clock_s)
{
    struct om_write *before = NULL;
    for (struct om_write *w = list; w; before = w, w = w->next) {
        if (before && key_is_under_way(list, w)) {
            before->next = NULL;
            return w;
        }
        om__live_stage(live, w);
        om_live_look_end(w);
        // Writers beside each other may come in any order: it goes on only.
        if (w->taken && !w->repeated && *clock_s && w->clock_s > *clock_s)
            *clock_s = w->clock_s;
    }
    return NULL;
}

static void commit(struct om_live *live, struct om_write *list, int64_t clock_s)
{
    struct om__fresh f = {.first = live->sequence + 1 + live->begins,
                          .at_ms = om_now_ms(),
                          .clock_s = clock_s};
    struct om_err err = {0};
    om_status st = prepare(live, &f, &err);
    om__live_step("staged");
    if (!st) st = om__live_room(live, live->staged_count);
    if (!st) st = om__live_durable(live, list, &f, add_rows, NULL, &err);
    if (st) {
        if (!err.text[0]) om_fail(&err, st, 0, "%s", om_status_text(st));
        om_log(OM_LOG_ERROR, "live", "%zu rows were not written: %s",
               live->staged_count, err.text);
        fail_all(list, st, &err);
    } else {
        om__live_step("durable");
        publish_group(live, &f);
        om__live_step("visible");
    }
    if (f.state) om__states_free(f.state, live->base->manifest.layers);
    om_snapshot_unref(f.snapshot);
}

void om__live_commit(struct om_live *live, struct om_write *list)
{
    while (list) {
        om__group_clear(&live->group);
        live->staged_count = 0;
        om_changes_adopt(live->changes, live->sequence);
        int64_t clock_s = live->clock_s;
        struct om_write *rest = stage(live, list, &clock_s);
        if (live->staged_count) commit(live, list, clock_s);
        om__live_answer(live, list);
        list = rest;
    }
}

/* ---- what is not a group of rows ---- */

static om_status note_all(struct om_live *live, const struct om_manifest *m,
                          const bool *which, const char *id, struct om_err *err)
{
    const int64_t at_ms = om_now_ms();
    OM_TRY(om_journal_begin(live->journal, err));
    om_status st = OM_OK;
    if (live->begins)
        st = add_commit(live, OM__NOBODY, "", live->base->manifest.sequence,
                        at_ms, err);
    else if (!which)
        st = add_commit(live, OM__NOBODY, "",
                        om_journal_commit_noted(live->journal), at_ms, err);
    for (size_t i = 0; which && i < m->layers && !st; i++)
        if (which[i])
            st =
                add_commit(live, m->layer[i].name, id, m->sequence, at_ms, err);
    if (st) {
        om_journal_rollback(live->journal);
        return st;
    }
    return om_journal_commit(live->journal, err);
}

om_status om__live_note(struct om_live *live, const struct om__base *base,
                        const bool *which, const char *id, struct om_err *err)
{
    OM_TRY(om__live_journal(live, err));
    pthread_mutex_lock(&live->journal_lock);
    const om_status st = note_all(live, &base->manifest, which, id, err);
    om__live_look_after(live, st);
    if (!st) live->begins = false;
    pthread_mutex_unlock(&live->journal_lock);
    return st;
}

/* A layer is another as a whole; one about persons, who walked, for those who
 * see these. */
static size_t list_whole(struct om_live *live, size_t layer, uint64_t sequence,
                         int64_t at_s, const struct om__moves *moved,
                         size_t count)
{
    const char *name = live->base->manifest.layer[layer].name;
    const bool looks = moved && moved->looks;
    const bool walked =
        moved && !looks && om_layer_personal(&live->base->manifest, name);
    const size_t moves = walked && moved->count ? moved->count : 1;
    // A layer that is not known needs memory; without it is coarser: all of it
    // is asked for at the snapshot, which is never too old.
    if (looks)
        om_changes_looks(live->changes, name, sequence, at_s);
    else if (walked)
        om__live_tell_moves(live, layer, moved, sequence, at_s);
    else
        (void)!om_changes_reset(live->changes, name, sequence, at_s);
    for (size_t i = 0; i < moves; i++) {
        const struct om_live_move *move =
            walked && moved->count ? &moved->move[i] : NULL;
        live->change[count++] = (struct om_live_change){
            .sequence = sequence,
            .layer = name,
            .cell = move ? om_change_cell(move->pos) : OM_NO_CELL,
            .other_cell = move ? om_change_cell(move->other) : OM_NO_CELL,
            .kind = OM_ENTRY_COMMIT,
            .moved = walked};
    }
    return count;
}

om_status om__live_publish(struct om_live *live, const bool *which,
                           const struct om__moves *moved,
                           const struct om__stamp *stamp, struct om_err *err)
{
    const struct om_manifest *m = &live->base->manifest;
    uint64_t sequence = live->sequence;
    om_changes_adopt(live->changes, sequence);
    if (live->journal) {
        pthread_mutex_lock(&live->journal_lock);
        sequence = om_journal_last(live->journal);
        pthread_mutex_unlock(&live->journal_lock);
    } else if (which) {
        sequence = m->sequence > sequence ? m->sequence : sequence + 1;
    }
    size_t count = 0;
    for (size_t i = 0; which && i < m->layers; i++) count += which[i];
    OM_TRY(om__live_room(live, count + 1 + (moved ? moved->count : 0)));
    for (size_t i = 0; i < m->layers; i++) {
        live->state[i].upto = live->journal ? sequence : live->state[i].upto;
        if (which && which[i])
            om__live_note_layer(&live->state[i], sequence, 0);
    }
    struct om_snapshot *snapshot = NULL;
    OM_TRY(om__live_snapshot(live, live->base, live->state, sequence,
                             live->clock_s, &snapshot, err));
    count = 0;
    for (size_t i = 0; which && i < m->layers; i++) {
        if (!which[i]) continue;
        count = list_whole(live, i, sequence,
                           om_snapshot_as_of(snapshot, &snapshot->layer[i]),
                           moved, count);
    }
    const uint64_t audience = moved ? moved->audience : 0;
    if (audience)
        om_changes_renew(live->changes, audience, sequence,
                         om_snapshot_as_of(snapshot, NULL));
    const uint64_t before = live->sequence;
    live->sequence = sequence;
    om__live_weigh(live);
    om__city_publish(live->city, snapshot, stamp);
    if (count || audience) tell(live, before + 1, sequence, count);
    return OM_OK;
}

void om__live_renew(struct om_live *live, const bool *which)
{
    const struct om_manifest *m = &live->base->manifest;
    for (size_t i = 0; i < m->layers; i++)
        if (which[i])
            om__newest_note(&live->newest, m->layer[i].name, "", 0,
                            live->sequence);
}

void om__live_recover(struct om_live *live)
{
    struct om_journal *fresh = NULL;
    struct om_err err = {0};
    om_status st = om_journal_open(live->city->path, OM_JOURNAL_WRITE,
                                   live->sequence + 1, &fresh, &err);
    if (st) return;
    // What failed may be there all the same: all of the group or nothing.
    const struct om_manifest *m = &live->base->manifest;
    st = om__live_map_journal(live, fresh, live->sequence, &err);
    if (!st)
        st = om__replay(fresh, m, live->joiner, live->state, &live->clock_s,
                        &err);
    if (st) {
        om_journal_close(fresh);
        return;
    }
    // Whoever listens is told of whole layers: which rows is not worth the
    // code.
    bool *which = om_calloc(m->layers + 1, sizeof *which);
    for (size_t i = 0; which && i < m->layers; i++)
        which[i] = live->state[i].changed > live->sequence;
    pthread_mutex_lock(&live->journal_lock);
    live->journal = fresh;
    live->journals++;
    pthread_mutex_unlock(&live->journal_lock);
    st = which ? om__live_publish(live, which, NULL, NULL, &err) : OM_E_MEMORY;
    if (!st) om__live_renew(live, which);
    om_free(which);
    if (st) {
        pthread_mutex_lock(&live->journal_lock);
        live->journal = NULL;
        pthread_mutex_unlock(&live->journal_lock);
        om_journal_close(fresh);
        return;
    }
    atomic_store(&live->lost, false);
    atomic_store(&live->figures.failing, false);
    om_log(OM_LOG_INFO, "live", "the disk takes writes again");
}
