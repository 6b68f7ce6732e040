// replay.c - journal entries put on top of what files hold.
#include "engine/live/replay_internal.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"

/* Entries that become one run: some 60 MB of records. */
#define ROUND_ROWS 200000

struct replay {
    const struct om_manifest *manifest;
    struct om__layer_state *state;
    struct om__group group;
    int64_t clock_s;
    uint64_t last;   // entry seen
    size_t entries;  // of this round
    om_status status;
};

static size_t find_layer(const struct om_manifest *m, const char *name)
{
    for (size_t i = 0; i < m->layers; i++)
        if (!strcmp(m->layer[i].name, name)) return i;
    return OM_NO_FIELD;
}

static void note_commit(struct replay *r, const struct om_entry *e)
{
    for (size_t i = 0; i < r->manifest->layers; i++) {
        struct om__layer_state *s = &r->state[i];
        if (e->layer[0] && strcmp(e->layer, r->manifest->layer[i].name))
            continue;
        if (e->sequence > s->changed) s->changed = e->sequence;
    }
}

static bool take_entry(void *ctx, const struct om_entry *e)
{
    struct replay *r = ctx;
    r->last = e->sequence;
    r->entries++;
    if (e->clock_s && r->clock_s) r->clock_s = e->clock_s;
    if (e->kind == OM_ENTRY_COMMIT) {
        note_commit(r, e);
        return true;
    }
    const size_t layer = find_layer(r->manifest, e->layer);
    if (layer == OM_NO_FIELD) return true;
    struct om__layer_state *s = &r->state[layer];
    const int64_t at_s = r->clock_s ? r->clock_s : e->at_ms / 1000;
    if (e->sequence > s->changed) s->changed = e->sequence;
    if (at_s > s->as_of_s) s->as_of_s = at_s;
    if (e->sequence <= s->upto || s->stack->fault ||
        r->manifest->layer[layer].schema.count == 0)
        return true;
    size_t at;
    r->status =
        om__group_slot(&r->group, (uint32_t)layer, e->id, e->id_len, &at);
    if (r->status) return false;
    struct om__slot *slot = &r->group.slot[at];
    slot->touched = true;
    slot->alive = e->kind != OM_ENTRY_DELETE && e->new_row;
    if (!slot->alive) return true;
    slot->record = r->group.bytes.len;
    slot->record_len = e->new_len;
    r->status = om_buf_add(&r->group.bytes, e->new_row, e->new_len);
    return !r->status;
}

static om_status apply(struct replay *r, const struct om_joiner *joiner,
                       struct om_err *err)
{
    struct om__finder finder = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < r->manifest->layers && !st; i++) {
        struct om__layer_state *s = &r->state[i];
        struct om__stack *fresh = NULL;
        st = om__group_apply(&r->group, (uint32_t)i,
                             &r->manifest->layer[i].schema, s->stack, joiner,
                             &finder, &fresh, err);
        if (st) break;
        om__stack_unref(s->stack);
        s->stack = fresh;
        st = om__stack_settle(&s->stack, &r->manifest->layer[i].schema, joiner,
                              err);
        if (r->last > s->upto) s->upto = r->last;
    }
    om__finder_deinit(&finder);
    om__group_clear(&r->group);
    return st;
}

static uint64_t least_upto(const struct om__layer_state *state, size_t layers)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < layers; i++)
        if (state[i].upto < least) least = state[i].upto;
    return least;
}

bool om__replay_needed(struct om_journal *journal,
                       const struct om__layer_state *state, size_t layers)
{
    return layers && om_journal_last(journal) > least_upto(state, layers);
}

om_status om__replay(struct om_journal *journal,
                     const struct om_manifest *manifest,
                     const struct om_joiner *joiner,
                     struct om__layer_state *state, int64_t *clock_s,
                     struct om_err *err)
{
    struct replay r = {
        .manifest = manifest, .state = state, .clock_s = *clock_s};
    uint64_t after = least_upto(state, manifest->layers);
    om_status st = OM_OK;
    if (manifest->layers == 0) return OM_OK;
    do {
        r.entries = 0;
        st = om_journal_each(journal, after, ROUND_ROWS, true, take_entry, &r,
                             err);
        if (!st) st = r.status;
        // What comes before damage is shown.
        if ((!st || st == OM_E_DAMAGED) && r.entries) {
            const om_status put = apply(&r, joiner, st ? NULL : err);
            if (put) st = put;
        }
        after = r.last;
    } while (!st && r.entries == ROUND_ROWS);
    om__group_deinit(&r.group);
    *clock_s = r.clock_s;
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    return st;
}
