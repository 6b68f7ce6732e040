// map.c - the map of changes as the journal tells it.
#include "engine/live/live_internal.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"

/* Rows that are noted together, in the order of their sequences. */
#define NOTED_AT_ONCE 512

struct mapping {
    struct om_changes *changes;
    struct om__newest *newest;
    const struct om_manifest *manifest;
    int64_t clock_s;  // 0: the machine's
    uint64_t first;   // sequence of the first hash
    size_t hashes;
    uint64_t hash[NOTED_AT_ONCE];
};

struct om_place_told om__live_place(struct om__where where)
{
    const unsigned shift = 32 - OM_CHANGE_LEVEL;
    const struct om_box b = where.box;
    return (struct om_place_told){
        .cell = where.cell,
        .reach = {b.x0 << shift, b.y0 << shift, b.x1 << shift, b.y1 << shift}};
}

void om__live_map_row(struct om_changes *changes, const char *layer,
                      struct om__where where, uint64_t sequence, int64_t at_s)
{
    const struct om_box b = where.box;
    if (where.cell == OM_NO_CELL) return;
    if (!b.x0 && !b.y0 && !b.x1 && !b.y1)
        om_changes_add(changes, layer, where.cell, sequence, at_s);
    else
        om_changes_add_box(changes, layer, om__live_place(where).reach,
                           sequence, at_s);
}

static void renew(const struct mapping *m, const char *layer, uint64_t sequence,
                  int64_t at_s)
{
    for (size_t i = 0; i < m->manifest->layers; i++) {
        const char *name = m->manifest->layer[i].name;
        // It is known, so it needs no memory.
        if (!layer[0] || !strcmp(layer, name))
            (void)!om_changes_reset(m->changes, name, sequence, at_s);
    }
}

static void note_hashes(struct mapping *m)
{
    om__newest_note_all(m->newest, m->hash, m->hashes, m->first);
    m->hashes = 0;
}

static void note_row(struct mapping *m, const struct om_entry *e)
{
    if (m->hashes == NOTED_AT_ONCE ||
        (m->hashes && e->sequence != m->first + m->hashes))
        note_hashes(m);
    if (!m->hashes) m->first = e->sequence;
    m->hash[m->hashes++] = om__newest_hash(e->layer, e->id, e->id_len);
}

static bool map_entry(void *ctx, const struct om_entry *e)
{
    struct mapping *m = ctx;
    if (m->clock_s && e->clock_s) m->clock_s = e->clock_s;
    const int64_t at_s = m->clock_s ? m->clock_s : e->at_ms / 1000;
    if (e->kind == OM_ENTRY_COMMIT) {
        renew(m, e->layer, e->sequence, at_s);
        if (e->id_len == 0) note_row(m, e);
        return true;
    }
    note_row(m, e);
    const struct om__where old = {e->old_cell, e->old_box};
    const struct om__where fresh = {e->new_cell, e->new_box};
    om__live_map_row(m->changes, e->layer, old, e->sequence, at_s);
    om__live_map_row(m->changes, e->layer, fresh, e->sequence, at_s);
    return true;
}

static bool map_folded(void *ctx, const char *layer, unsigned level,
                       uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    const struct mapping *m = ctx;
    const int64_t at_s = m->clock_s ? m->clock_s : at_ms / 1000;
    if (level == 0)
        renew(m, layer, sequence, at_s);
    else
        om_changes_add_coarse(m->changes, layer, level, cell, sequence, at_s);
    return true;
}

static om_status map_entries(struct mapping *m, struct om_journal *journal,
                             uint64_t after, struct om_err *err)
{
    const om_status st =
        om_journal_each(journal, after, 0, false, map_entry, m, err);
    note_hashes(m);
    return st;
}

om_status om__live_map_journal(struct om_live *live, struct om_journal *journal,
                               uint64_t after, struct om_err *err)
{
    struct mapping m = {.changes = live->changes,
                        .newest = &live->newest,
                        .manifest = &live->base->manifest,
                        .clock_s = live->base->manifest.clock_s};
    return map_entries(&m, journal, after, err);
}

/* Of a city whose journal (may be NULL) begins behind `floor`. */
static om_status map_city(struct om_changes *changes, struct om__newest *newest,
                          const struct om_manifest *manifest,
                          struct om_journal *journal, uint64_t floor,
                          struct om_err *err)
{
    struct mapping m = {.changes = changes,
                        .newest = newest,
                        .manifest = manifest,
                        .clock_s = manifest->clock_s};
    om__newest_forget(newest, floor);
    for (size_t i = 0; i < manifest->layers; i++) {
        const struct om_manifest_layer *layer = &manifest->layer[i];
        const uint64_t base =
            layer->base_commit < floor ? layer->base_commit : floor;
        const int64_t at_s =
            layer->as_of_s ? layer->as_of_s : manifest->clock_s;
        if (om_changes_reset(changes, layer->name, base, at_s))
            return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    if (!journal) return OM_OK;
    om__newest_expect(newest, om_journal_last(journal) - floor);
    OM_TRY(om_journal_each_cell(journal, map_folded, &m, err));
    return map_entries(&m, journal, 0, err);
}

om_status om__live_map(struct om_live *live, struct om_journal *journal,
                       struct om_err *err)
{
    struct om_city *city = live->city;
    // An earlier writer's may still be asked by somebody: it stays, and rises.
    if (!city->made && om_changes_new(&city->made))
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    live->changes = city->made;
    om_changes_forget(live->changes);
    OM_TRY(map_city(live->changes, &live->newest, &live->base->manifest,
                    journal,
                    journal ? om_journal_floor(journal) : live->sequence, err));
    atomic_store(&city->changes, live->changes);
    return OM_OK;
}

/* ---- while the city is being opened ---- */

struct om_live_ahead {
    char path[OM__PATH_BYTES];
    struct om__base *base;
    struct om_journal *journal;
    struct om_changes *changes;
    struct om__newest newest;
    uint64_t last;  // entry that is in the map
    om_status status;
    pthread_t thread;
};

/* What is wrong is said by who opens the city. */
static void *map_ahead(void *arg)
{
    struct om_live_ahead *a = arg;
    om_status st = om__base_read(a->path, &a->base, NULL);
    if (!st)
        st = om_journal_open(a->path, OM_JOURNAL_READ, 0, &a->journal, NULL);
    if (!st) st = om_changes_new(&a->changes);
    if (!st) st = om_journal_view(a->journal, NULL);
    if (!st) {
        a->last = om_journal_last(a->journal);
        st = map_city(a->changes, &a->newest, &a->base->manifest, a->journal,
                      om_journal_floor(a->journal), NULL);
        om_journal_view_end(a->journal);
    }
    a->status = st;
    return NULL;
}

struct om_live_ahead *om_live_ahead(const char *city)
{
    struct om_live_ahead *a = NULL;
    if (om_journal_exists(city)) a = om_calloc(1, sizeof *a);
    if (!a) return NULL;
    pthread_mutex_init(&a->newest.lock, NULL);
    if (snprintf(a->path, sizeof a->path, "%s", city) < (int)sizeof a->path &&
        !pthread_create(&a->thread, NULL, map_ahead, a))
        return a;
    pthread_mutex_destroy(&a->newest.lock);
    om_free(a);
    return NULL;
}

void om_live_ahead_end(struct om_live_ahead *a)
{
    if (!a) return;
    if (a->path[0]) pthread_join(a->thread, NULL);
    om_journal_close(a->journal);
    om__base_unref(a->base);
    om_changes_free(a->changes);
    om_free(a->newest.slot);
    pthread_mutex_destroy(&a->newest.lock);
    om_free(a);
}

bool om__live_map_taken(struct om_live *live, struct om_live_ahead *a,
                        struct om_journal *journal)
{
    struct om_city *city = live->city;
    if (!a || !a->path[0]) return false;
    pthread_join(a->thread, NULL);
    a->path[0] = '\0';
    const struct om_manifest *m = a->base ? &a->base->manifest : NULL;
    if (a->status || city->made || !journal ||
        m->id != live->base->manifest.id ||
        m->sequence != live->base->manifest.sequence ||
        om_journal_identity(journal) != om_journal_identity(a->journal))
        return false;
    city->made = live->changes = a->changes;
    live->newest.slot = a->newest.slot;
    live->newest.room = a->newest.room;
    live->newest.used = a->newest.used;
    live->newest.floor = a->newest.floor;
    a->changes = NULL;
    a->newest.slot = NULL;
    if (om__live_map_journal(live, journal, a->last, NULL)) return false;
    atomic_store(&city->changes, live->changes);
    return true;
}
