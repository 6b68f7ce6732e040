// refresh.c - what others commit, and what stands beside the journal.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/committed.h"
#include "engine/live/live_internal.h"
#include "engine/live/replay_internal.h"

/* ---- another process' commit ---- */

struct refresh {
    struct om__stamp stamp;
    struct om__base *base;
    struct om_joiner *joiner;
    struct om__layer_state *state;  // [layers of base]
    bool *kept;                     // as it was: the committer has the newest
    bool *fresh;                    // the rest
};

/* On the committer: what was kept as it is now, the rest up to now. */
static om_status put_in(struct om_live *live, void *ctx, struct om_err *err)
{
    struct refresh *r = ctx;
    const struct om_manifest *m = &r->base->manifest;
    for (size_t i = 0; i < m->layers; i++) {
        const size_t was = om__live_layer(live->base, m->layer[i].name);
        if (!r->kept[i] || was == OM_NO_FIELD) continue;
        om__stack_unref(r->state[i].stack);
        r->state[i] = live->state[was];
        om__stack_ref(r->state[i].stack);
    }
    int64_t clock_s = live->clock_s;
    if (live->journal)
        OM_TRY(
            om__replay(live->journal, m, r->joiner, r->state, &clock_s, err));
    OM_TRY(om__live_journal(live, err));
    // Known to the map before anything is told about it.
    for (size_t i = 0; i < m->layers; i++)
        if (om_changes_reset(live->changes, m->layer[i].name, 0, 0))
            return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    OM_TRY(om__live_note(live, r->base, r->fresh, "", err));
    if (m->clock_s != live->base->manifest.clock_s) live->clock_s = m->clock_s;
    struct om__base *old_base = live->base;
    struct om__layer_state *old_state = live->state;
    live->base = r->base;
    live->state = r->state;
    const om_status st = om__live_publish(live, r->fresh, NULL, &r->stamp, err);
    if (st) {
        live->base = old_base;
        live->state = old_state;
        return st;
    }
    om__live_renew(live, r->fresh);
    r->base = old_base;  // to be freed
    r->state = old_state;
    struct om_joiner *old_joiner = live->joiner;
    live->joiner = r->joiner;
    r->joiner = old_joiner;
    return OM_OK;
}

static om_status prepare(struct om_live *live,
                         const struct om__view_of_layer *view,
                         struct refresh *r, struct om_err *err)
{
    const char *path = live->city->path;
    const struct om_manifest *m = &r->base->manifest;
    struct om_snapshot *files = NULL;
    struct om_journal *journal = NULL;
    r->state = om_calloc(m->layers + 1, sizeof *r->state);
    r->kept = om_calloc(m->layers + 1, sizeof *r->kept);
    r->fresh = om_calloc(m->layers + 1, sizeof *r->fresh);
    om_status st = OM_OK;
    if (!r->state || !r->kept || !r->fresh)
        st = om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (!st)
        st = om__states_open(path, r->base, view->base, view->state, r->state,
                             r->kept, err);
    for (size_t i = 0; i < m->layers && !st; i++) r->fresh[i] = !r->kept[i];
    if (!st && om__units_hash(m, r->state) ==
                   om__units_hash(&view->base->manifest, view->state)) {
        r->joiner = om_joiner_ref(view->joiner);
    } else if (!st) {
        st = om__snapshot_new(r->base, r->state, 0, 0, &files, err);
        if (!st) st = om_joiner_new(files, &r->joiner, err);
    }
    if (!st && om_journal_exists(path)) {
        // Of entries that do not say: never the machine's in such a city.
        int64_t clock_s = m->clock_s;
        st = om_journal_open(path, OM_JOURNAL_READ, 0, &journal, err);
        if (!st)
            st = om__replay(journal, m, r->joiner, r->state, &clock_s, err);
    }
    om_journal_close(journal);
    om_snapshot_unref(files);
    return st;
}

/* An older city.json has been put in place of what we committed. Its files may
 * be gone, and rows that the journal let go are in the newer ones. */
static om_status put_newest_back(struct om_live *live, struct refresh *r,
                                 const struct om_manifest *newest,
                                 struct om_err *err)
{
    const char *path = live->city->path;
    struct om_manifest older = {0};
    struct om_err why = {0};
    int lock = -1;
    OM_TRY(om_city_lock(path, &lock, err));
    om_status st = om_manifest_read(path, &older, err);
    const unsigned long long was = older.sequence, now = newest->sequence;
    if (!st && om_committed_is_older(&older, newest)) {
        if (om_committed_merge(&older, newest, &why))
            st = om_fail(err, OM_E_DAMAGED, 0,
                         OM_COMMITTED_OLDER
                         ", of commit %llu, not taken: the "
                         "newest is %llu, and %s (copy %s over it, and edit "
                         "that; do not start again before)",
                         was, now, why.text, OM_COMMITTED_FILE);
        if (!st) st = om_manifest_write(path, &older, err);
        if (!st) {
            om_committed_keep(path, &older);
            om_log(OM_LOG_WARN, "live",
                   OM_COMMITTED_OLDER
                   ", of commit %llu: files are again "
                   "those of commit %llu, all else is as it says",
                   was, now);
        }
    }
    om_manifest_deinit(&older);
    close(lock);
    om__base_unref(r->base);
    r->base = NULL;
    if (!st) st = om__stamp_read(path, &r->stamp, err);
    if (!st) st = om__base_read(path, &r->base, err);
    return st;
}

om_status om_live_refresh(struct om_live *live, bool *changed,
                          struct om_err *err)
{
    struct om_city *city = live->city;
    struct refresh r = {0};
    struct om__view_of_layer view = {0};
    if (changed) *changed = false;
    OM_TRY(om__stamp_read(city->path, &r.stamp, err));
    // Who writes files just now commits himself, or will be gone in a moment.
    if (pthread_mutex_trylock(&live->files_lock)) return OM_OK;
    om_status st = om__stamp_read(city->path, &r.stamp, err);
    pthread_mutex_lock(&city->lock);
    const bool same = om__stamp_same(&r.stamp, &city->stamp);
    pthread_mutex_unlock(&city->lock);
    if (!st && !same) {
        st = om__base_read(city->path, &r.base, err);
        if (!st) st = om__live_view(live, &view, err);
        if (!st &&
            om_committed_is_older(&r.base->manifest, &view.base->manifest))
            st = put_newest_back(live, &r, &view.base->manifest, err);
        if (!st) st = prepare(live, &view, &r, err);
        if (!st) st = om__live_run(live, put_in, &r, err);
        if (!st && changed) *changed = true;
    }
    pthread_mutex_unlock(&live->files_lock);
    om__live_view_end(&view);
    if (r.base) om__states_free(r.state, r.base->manifest.layers);
    om__base_unref(r.base);
    om_joiner_unref(r.joiner);
    om_free(r.kept);
    om_free(r.fresh);
    return st;
}

/* ---- overlays ---- */

struct laying {
    const char *layer;
    struct om_segment *run;  // NULL: none any more
    struct om__overlay *made;
    struct om__moves moves;
};

/* Which layers, for a commit of one. owns: om_free */
static om_status only_layer(const struct om_live *live, const char *name,
                            bool **out, struct om_err *err)
{
    const size_t i = om__live_layer(live->base, name);
    *out = om_calloc(live->base->manifest.layers + 1, sizeof **out);
    if (!*out) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (i != OM_NO_FIELD) (*out)[i] = true;
    return OM_OK;
}

static om_status put_overlay(struct om_live *live, void *ctx,
                             struct om_err *err)
{
    struct laying *l = ctx;
    bool *which;
    OM_TRY(only_layer(live, l->layer, &which, err));
    om_status st = om__live_note(live, live->base, which, OM__OVERLAID, err);
    if (!st) {
        struct om__overlay **at = &live->overlay;
        while (*at && strcmp((*at)->layer, l->layer)) at = &(*at)->next;
        struct om__overlay *old = *at;
        if (l->made) {
            l->made->next = old ? old->next : NULL;
            *at = l->made;
        } else if (old) {
            *at = old->next;
        }
        l->made = old;  // to be freed
        st = om__live_publish(live, which, &l->moves, NULL, err);
    }
    om_free(which);
    return st;
}

static void overlay_free(struct om__overlay *o)
{
    if (!o) return;
    om_segment_unref(o->run);
    om__stack_unref(o->below);
    om__stack_unref(o->shown);
    om_free(o);
}

static om_status make_overlay(const struct om__view_of_layer *view,
                              const char *layer, const struct om_batch *rows,
                              struct om__overlay **out, struct om_err *err)
{
    const size_t i = om__live_layer(view->base, layer);
    if (i == OM_NO_FIELD)
        return om_fail(err, OM_E_NOTFOUND, 0, "no layer %s", layer);
    if (view->state[i].stack->fault)
        return om_fail(err, OM_E_WITHHELD, 0, "layer %s is not served: %s",
                       layer, view->state[i].stack->fault);
    if (rows->rows == 0) return OM_OK;
    const struct om_schema *own = &view->base->manifest.layer[i].schema;
    struct om__overlay *o = om_calloc(1, sizeof *o);
    if (!o) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    *out = o;
    snprintf(o->layer, sizeof o->layer, "%s", layer);
    OM_TRY(om_run_new(own, &rows, 1, view->joiner, &o->run, err));
    // Most likely still right when it is put in.
    o->below = om__stack_ref(view->state[i].stack);
    const om_status st =
        om__live_lay_over(o->run, o->below, own->id_field, &o->shown);
    return st ? om_fail(err, st, 0, "%s", om_status_text(st)) : OM_OK;
}

om_status om_live_overlay(struct om_live *live, const char *layer,
                          const struct om_batch *rows, struct om_err *err)
{
    return om_live_overlay_moved(live, layer, rows, NULL, 0, err);
}

om_status om_live_overlay_moved(struct om_live *live, const char *layer,
                                const struct om_batch *rows,
                                const struct om_live_move *move, size_t moves,
                                struct om_err *err)
{
    struct om__view_of_layer view = {0};
    struct laying l = {.layer = layer, .moves = {.move = move, .count = moves}};
    om_status st = om__live_view(live, &view, err);
    if (!st) st = make_overlay(&view, layer, rows, &l.made, err);
    if (!st) st = om__live_run(live, put_overlay, &l, err);
    overlay_free(l.made);
    om__live_view_end(&view);
    return st;
}

/* ---- layers that look otherwise ---- */

struct touching {
    const char *layer;
    uint64_t audience;
};

/* Of an audience alone the journal gets a sequence that is about nobody. */
static om_status put_touch(struct om_live *live, void *ctx, struct om_err *err)
{
    const struct touching *t = ctx;
    const struct om__moves looks = {.looks = true, .audience = t->audience};
    bool *which;
    if (om__live_layer(live->base, t->layer) == OM_NO_FIELD)
        return om_fail(err, OM_E_NOTFOUND, 0, "no layer %s", t->layer);
    OM_TRY(only_layer(live, t->layer, &which, err));
    const bool *all = t->audience ? NULL : which;
    om_status st = om__live_note(live, live->base, all, OM__TOUCHED, err);
    if (!st) st = om__live_publish(live, all, &looks, NULL, err);
    om_free(which);
    return st;
}

om_status om_live_touch(struct om_live *live, const char *layer,
                        uint64_t audience, struct om_err *err)
{
    struct touching t = {layer, audience};
    return om__live_run(live, put_touch, &t, err);
}
