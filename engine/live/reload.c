// reload.c - what files and journal say now becomes a snapshot.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
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
    uint64_t sequence;
    int64_t clock_s;
    bool viewing;
};

static void reload_end(struct reload *r)
{
    if (r->viewing) om_journal_view_end(r->city->journal);
    if (r->base) om__states_free(r->state, r->base->manifest.layers);
    om__base_unref(r->base);
    r->viewing = false;
    r->base = NULL;
    r->state = NULL;
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
    if (!r->old) OM_TRY(begin_journal(r, err));
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
    if (!st) st = om__replay(journal, m, joiner, r->state, &ignored_s, &why);
    if (st == OM_E_DAMAGED) {
        // Better all that can be read, and a word, than nothing.
        if (!r->city->told)
            om_log(OM_LOG_ERROR, "city",
                   "%s: %s; what was written after that is not shown",
                   r->city->path, why.text);
        r->city->told = true;
        st = OM_OK;
    } else if (st && why.code) {
        if (err) *err = why;
    }
    om_joiner_unref(joiner);
    om_snapshot_unref(files);
    return st;
}

static om_status open_journal(struct om_city *city, struct om_err *err)
{
    const om_status st =
        om_journal_open(city->path, OM_JOURNAL_READ, 0, &city->journal, err);
    const uint64_t missing = st ? 0 : om_journal_missing(city->journal);
    if (missing)
        om_log(OM_LOG_ERROR, "city",
               "%s: the last %llu rows that were written are not in the "
               "journal any more",
               city->path, (unsigned long long)missing);
    return st;
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
                   "layer %s is not served and not written to: %s (put the "
                   "file back from a backup, or import the layer again with "
                   "--replace)",
                   layer->name, fault);
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
    if (!city->journal && om_journal_exists(city->path))
        OM_TRY(open_journal(city, err));
    if (city->journal) {
        OM_TRY(om_journal_view(city->journal, err));
        r->viewing = true;
    }
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
    return city->journal ? put_journal(r, err) : OM_OK;
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
    if (!st) tell_withheld(&r);
    if (!st) om__city_publish(city, fresh, &r.stamp);
    if (!st && changed) *changed = true;
    reload_end(&r);
    om_snapshot_unref(r.old);
    return st;
}
