// map.c - the map of changes as the journal tells it.
#include "engine/live/live_internal.h"

#include <string.h>

struct mapping {
    struct om_changes *changes;
    struct om__newest *newest;
    const struct om_manifest *manifest;
    int64_t clock_s;  // 0: the machine's
};

void om__live_map_row(struct om_changes *changes, const char *layer,
                      struct om__where where, uint64_t sequence, int64_t at_s)
{
    const unsigned shift = 32 - OM_CHANGE_LEVEL;
    const struct om_box b = where.box;
    if (where.cell == OM_NO_CELL) return;
    if (!b.x0 && !b.y0 && !b.x1 && !b.y1)
        om_changes_add(changes, layer, where.cell, sequence, at_s);
    else
        om_changes_add_box(changes, layer,
                           (struct om_box){b.x0 << shift, b.y0 << shift,
                                           b.x1 << shift, b.y1 << shift},
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

static bool map_entry(void *ctx, const struct om_entry *e)
{
    struct mapping *m = ctx;
    if (m->clock_s && e->clock_s) m->clock_s = e->clock_s;
    const int64_t at_s = m->clock_s ? m->clock_s : e->at_ms / 1000;
    if (e->kind == OM_ENTRY_COMMIT) {
        renew(m, e->layer, e->sequence, at_s);
        if (e->id_len == 0)
            om__newest_note(m->newest, e->layer, "", 0, e->sequence);
        return true;
    }
    om__newest_note(m->newest, e->layer, e->id, e->id_len, e->sequence);
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

om_status om__live_map_journal(struct om_live *live, struct om_journal *journal,
                               uint64_t after, struct om_err *err)
{
    struct mapping m = {live->changes, &live->newest, &live->base->manifest,
                        live->base->manifest.clock_s};
    return om_journal_each(journal, after, 0, false, map_entry, &m, err);
}

om_status om__live_map(struct om_live *live, struct om_journal *journal,
                       struct om_err *err)
{
    const struct om_manifest *manifest = &live->base->manifest;
    struct om_city *city = live->city;
    // An earlier writer's may still be asked by somebody: it stays, and rises.
    if (!city->made && om_changes_new(&city->made))
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    live->changes = city->made;
    const uint64_t floor = journal ? om_journal_floor(journal) : live->sequence;
    om__newest_forget(&live->newest, floor);
    for (size_t i = 0; i < manifest->layers; i++) {
        const struct om_manifest_layer *layer = &manifest->layer[i];
        const uint64_t base =
            layer->base_commit < floor ? layer->base_commit : floor;
        const int64_t at_s =
            layer->as_of_s ? layer->as_of_s : manifest->clock_s;
        if (om_changes_reset(live->changes, layer->name, base, at_s))
            return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    om_status st = OM_OK;
    if (journal) {
        om__newest_expect(&live->newest, om_journal_last(journal) - floor);
        struct mapping m = {live->changes, &live->newest, manifest,
                            manifest->clock_s};
        st = om_journal_each_cell(journal, map_folded, &m, err);
        if (!st) st = om__live_map_journal(live, journal, 0, err);
    }
    if (!st) atomic_store(&city->changes, live->changes);
    return st;
}
