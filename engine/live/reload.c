// reload.c - what files and journal say now becomes a snapshot.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/committed.h"
#include "engine/live/replay_internal.h"

/* DESIGN
 * What the journal has and the files have not is put on top in every process
 * that opens the city (engine/live/replay.c). city.json and journal are two
 * things that are read one after the other, so city.json is looked at again
 * once the journal is held: entries are let go only after a commit that has
 * taken them in. */

/* A city that is committed to again and again while it is being opened. */
#define TRIES 10

/* Something that is being built. */
struct reload {
    struct om_city *city;
    struct om_snapshot *old;  // may be NULL
    struct om__stamp stamp;
    struct om__base *base;
    struct om__layer_state *state;
    struct om__layer_state *then;  // as of city->at, once the journal is on top
    uint64_t sequence;
    int64_t clock_s;
    bool viewing, older;
    struct om_err fault;  // of the journal; code OM_OK: none
};

static void reload_end(struct reload *r)
{
    if (r->viewing) om_journal_view_end(r->city->journal);
    if (r->base) om__states_free(r->state, r->base->manifest.layers);
    if (r->then) om__states_free(r->then, r->base->manifest.layers);
    om__base_unref(r->base);
    r->viewing = false;
    r->base = NULL;
    r->state = r->then = NULL;
}

static void note_fault(struct reload *r, const struct om_err *why)
{
    if (!r->fault.code) r->fault = *why;
}

static void give_up_journal(struct reload *r)
{
    om_journal_view_end(r->city->journal);
    om_journal_close(r->city->journal);
    r->city->journal = NULL;
    r->viewing = false;
}

/* What was let go of in the journal still tells when a layer changed. */
struct folded {
    const struct om_manifest *manifest;
    struct om__layer_state *state;
    bool own_clock;
};

static bool note_folded(void *ctx, const char *layer, unsigned level,
                        uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    const struct folded *f = ctx;
    (void)level;
    (void)cell;
    for (size_t i = 0; i < f->manifest->layers; i++) {
        struct om__layer_state *s = &f->state[i];
        if (layer[0] && strcmp(layer, f->manifest->layer[i].name)) continue;
        if (sequence > s->changed) s->changed = sequence;
        if (!f->own_clock && at_ms / 1000 > s->as_of_s)
            s->as_of_s = at_ms / 1000;
    }
    return true;
}

/* The first look at a journal. Numbers of commits (manifest.sequence) are
 * those of the journal only up to where it begins; the entries that note later
 * ones raise what is cut here. */
static om_status begin_journal(struct reload *r, struct om_err *err)
{
    struct om_journal *journal = r->city->journal;
    const struct om_manifest *m = &r->base->manifest;
    const uint64_t floor = om_journal_floor(journal);
    for (size_t i = 0; i < m->layers; i++)
        if (r->state[i].changed > floor) r->state[i].changed = floor;
    struct folded f = {m, r->state, m->clock_s != 0};
    return om_journal_each_cell(journal, note_folded, &f, err);
}

/* Put the journal on top. */
static om_status put_journal(struct reload *r, struct om_err *err)
{
    struct om_journal *journal = r->city->journal;
    const struct om_manifest *m = &r->base->manifest;
    const int64_t clock_s = om_journal_clock(journal);
    if (m->clock_s && clock_s > m->clock_s) r->clock_s = clock_s;
    if (!r->old) {
        struct om_err why = {0};
        const om_status begun = begin_journal(r, &why);
        if (begun == OM_E_DAMAGED) {
            note_fault(r, &why);
        } else if (begun) {
            if (err) *err = why;
            return begun;
        }
    }
    r->sequence = om_journal_last(journal);
    if (om_journal_commit_noted(journal) < m->sequence && r->old &&
        r->base != om__snapshot_of(r->old)->base)
        r->sequence++;  // nobody has noted the commit yet
    if (!om__replay_needed(journal, r->state, m->layers)) return OM_OK;
    struct om_snapshot *files = NULL;
    struct om_joiner *joiner = NULL;
    om_status st =
        om__snapshot_new(r->base, r->state, r->sequence, 0, &files, err);
    if (!st) st = om__city_joiner(r->city, files, &joiner, err);
    int64_t ignored_s = r->clock_s;
    struct om_err why = {0};
    if (!st)
        st = om__replay_past(journal, m, joiner, r->state, &ignored_s,
                             r->city->at,
                             r->city->at && !r->old ? &r->then : NULL, &why);
    if (st == OM_E_DAMAGED) {
        // Better all that is sure, and a word, than nothing.
        note_fault(r, &why);
        st = OM_OK;
    } else if (st && why.code) {
        if (err) *err = why;
    }
    om_joiner_unref(joiner);
    om_snapshot_unref(files);
    return st;
}

/* The journal as far as it can be used: one that is not there, is another's or
 * cannot be made sense of is a fault, and files are shown without it. */
static om_status open_journal(struct reload *r, struct om_err *err)
{
    struct om_city *city = r->city;
    const uint64_t known = r->base->manifest.journal;
    struct om_err why = {0};
    om_status st = OM_OK;
    // Another one may have come into its place.
    if (city->journal &&
        (city->fault[0] ||
         (known && om_journal_identity(city->journal) != known)))
        give_up_journal(r);
    if (!city->journal && om_journal_exists(city->path))
        st = om_journal_open(city->path, OM_JOURNAL_READ, 0, &city->journal,
                             &why);
    if (st == OM_E_DAMAGED) note_fault(r, &why);
    if (st && st != OM_E_DAMAGED && st != OM_E_NOTFOUND) {
        if (err) *err = why;
        return st;
    }
    if (!city->journal) return OM_OK;
    r->viewing = true;
    st = om_journal_view(city->journal, &why);
    if (st == OM_E_DAMAGED) {
        note_fault(r, &why);
        give_up_journal(r);
        st = OM_OK;
    }
    if (st && err) *err = why;
    return st;
}

/* Is it the one that city.json knows? What is in an older copy of it is sure;
 * what is in another is not ours. */
static void check_journal(struct reload *r)
{
    struct om_journal *j = r->city->journal;
    const struct om_manifest *m = &r->base->manifest;
    struct om_err why = {0};
    if (om_journal_check(r->city->path, m, j, &why)) note_fault(r, &why);
    if (!j) return;
    const unsigned long long missing = om_journal_missing(j);
    if (missing) {
        om_fail(&why, OM_E_DAMAGED, 0,
                "%s/journal.db: the newest %llu writes that were acknowledged "
                "are missing (restore a backup, or go on without them: onemap "
                "verify CITY --accept-loss)",
                r->city->path, missing);
        note_fault(r, &why);
    }
    if (m->journal && om_journal_identity(j) != m->journal) give_up_journal(r);
}

static bool any_withheld(const struct om_manifest *m,
                         const struct om__layer_state *state)
{
    bool any = false;
    for (size_t i = 0; i < m->layers && !any; i++)
        any = state[i].stack && state[i].stack->fault;
    return any;
}

/* Each layer once: that it is not served, and why; and when it is again. */
static void tell_withheld(const struct reload *r)
{
    const struct om_manifest *m = &r->base->manifest;
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_manifest_layer *layer = &m->layer[i];
        const struct om_manifest_layer *was =
            r->old ? om_manifest_find(r->old->manifest, layer->name) : NULL;
        const bool told = was && om__snapshot_of(r->old)
                                     ->state[was - r->old->manifest->layer]
                                     .stack->fault;
        const char *fault = r->state[i].stack->fault;
        if (fault && !told)
            om_log(OM_LOG_ERROR, "city",
                   "layer %s is not served and not written to: %s (%s)",
                   layer->name, fault,
                   r->older ? "bring the newest city.json back"
                            : "put the file back from a backup, or import the "
                              "layer again with --replace");
        if (fault && !told && layer->unit_level[0])
            om_log(OM_LOG_ERROR, "city",
                   "no layer takes rows until then, and those that are in the "
                   "journal only have no %s",
                   layer->unit_level);
        if (told && !fault)
            om_log(OM_LOG_INFO, "city", "layer %s is served again",
                   layer->name);
    }
}

/* Said once. */
static void tell_fault(const struct reload *r)
{
    struct om_city *city = r->city;
    pthread_mutex_lock(&city->lock);
    const bool told = !strcmp(city->fault, r->fault.text);
    memcpy(city->fault, r->fault.text, sizeof city->fault);
    pthread_mutex_unlock(&city->lock);
    if (!told && r->fault.code)
        om_log(OM_LOG_ERROR, "city",
               "%s; what is sure is shown, and nothing is written",
               r->fault.text);
}

/* One try: OM_E_BUSY if city.json changed meanwhile. */
static om_status build(struct reload *r, struct om_err *err)
{
    struct om_city *city = r->city;
    OM_TRY(om__stamp_read(city->path, &r->stamp, err));
    const bool same = r->old && om__stamp_same(&r->stamp, &city->stamp);
    if (same)
        r->base = om__base_ref(om__snapshot_of(r->old)->base);
    else
        OM_TRY(om__base_read(city->path, &r->base, err));
    const struct om_manifest *m = &r->base->manifest;
    // Whoever serves what is public must never find the city in its place.
    if (r->old && r->old->manifest->release && !m->release)
        return om_fail(err, OM_E_EXISTS, 0,
                       "%s was a release and is none now: it is not taken over",
                       city->path);
    r->fault = (struct om_err){0};
    struct om_err why = {0};
    const om_status newest = om_committed_check(city->path, m, &why);
    r->older = newest == OM_E_DAMAGED;
    if (newest && !r->older) {
        if (err) *err = why;
        return newest;
    }
    // What is open is newer: better that, than files that are not there.
    if (r->older && r->old && !city->fault[0])
        return om_fail(err, OM_E_DAMAGED, 0, "%s", why.text);
    if (r->older) note_fault(r, &why);
    OM_TRY(open_journal(r, err));
    struct om__stamp again;
    OM_TRY(om__stamp_read(city->path, &again, err));
    if (!om__stamp_same(&again, &r->stamp)) return OM_E_BUSY;
    const struct om__snapshot *old = r->old ? om__snapshot_of(r->old) : NULL;
    r->state = om_calloc(m->layers, sizeof *r->state);
    if (!r->state) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    const om_status st =
        om__states_open(city->path, r->base, old ? old->base : NULL,
                        old ? old->state : NULL, r->state, NULL, err);
    // A file that is not there may be one that a commit has just replaced.
    if ((st == OM_E_NOTFOUND || any_withheld(m, r->state)) &&
        !om__stamp_read(city->path, &again, NULL) &&
        !om__stamp_same(&again, &r->stamp))
        return OM_E_BUSY;
    if (st) return st;
    r->clock_s = m->clock_s;
    r->sequence = m->sequence;
    check_journal(r);
    if (city->journal) return put_journal(r, err);
    // Numbers that a journal has given are not given again.
    const uint64_t known = om_journal_known_last(m);
    if (known > r->sequence) r->sequence = known;
    return OM_OK;
}

/* Numbers rise in one process, and what is new as a whole has the newest. */
static void settle_numbers(struct reload *r)
{
    const struct om_manifest *m = &r->base->manifest;
    if (!r->old) return;
    // Another city in the folder of the old one has nothing in common with it.
    const bool same_city = r->old->manifest->id == m->id;
    if (r->sequence < r->old->sequence) r->sequence = r->old->sequence;
    bool replaced = false;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < m->layers; i++) {
            const struct om_manifest_layer *was =
                same_city ? om_manifest_find(r->old->manifest, m->layer[i].name)
                          : NULL;
            const struct om__layer_state *state =
                was ? &om__snapshot_of(r->old)
                           ->state[was - r->old->manifest->layer]
                    : NULL;
            const bool mended =
                state && state->stack->fault && !r->state[i].stack->fault;
            if (was && was->base_commit == m->layer[i].base_commit &&
                om__same_files(was, &m->layer[i]) && !mended)
                continue;
            if (state && !mended &&
                was->base_commit == m->layer[i].base_commit &&
                m->layer[i].applied > was->applied)
                continue;  // only written to other files
            replaced = true;
            if (round == 1) r->state[i].changed = r->sequence;
        }
        if (!replaced) return;
        if (round == 0 && r->sequence == r->old->sequence) r->sequence++;
    }
}

/* The city as it was at an older sequence: with the manifest of now. */
static om_status keep_then(const struct reload *r, struct om_err *err)
{
    if (!r->city->at || r->old) return OM_OK;
    return om__snapshot_new(r->base, r->then ? r->then : r->state, r->city->at,
                            r->clock_s, &r->city->then, err);
}

om_status om__city_reload(struct om_city *city, bool *changed,
                          struct om_err *err)
{
    struct reload r = {.city = city,
                       .old = city->snapshot ? om_city_snapshot(city) : NULL};
    struct om_snapshot *fresh = NULL;
    om_status st = OM_E_BUSY;
    for (int i = 0; i < TRIES && st == OM_E_BUSY; i++) {
        reload_end(&r);
        st = build(&r, err);
    }
    if (st == OM_E_BUSY)
        om_fail(err, st, 0, "%s is committed to all the time", city->path);
    if (!st) settle_numbers(&r);
    if (!st)
        st = om__snapshot_new(r.base, r.state, r.sequence, r.clock_s, &fresh,
                              err);
    if (!st) st = keep_then(&r, err);
    if (!st) tell_withheld(&r);
    if (!st) tell_fault(&r);
    if (!st) om__city_publish(city, fresh, &r.stamp);
    if (!st && changed) *changed = true;
    reload_end(&r);
    om_snapshot_unref(r.old);
    return st;
}
