// replay.c - journal entries put on top of what files hold.
#include "engine/live/live_internal.h"
#include "engine/live/replay_internal.h"

#include <pthread.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"

/* DESIGN
 * Entries are taken in rounds: one is read from the journal on a thread of its
 * own while the one before it is looked up, made a run and put on top. So the
 * two share nothing but what `reading` has: it belongs to the thread while that
 * runs, and to us before and after. Many runs are left as they are: merging
 * them takes as long as all the rest, and whoever writes the city does it
 * beside those who ask (tiers.c), or puts them into a file at once. */

/* Some 60 MB of records. */
size_t om__replay_round_rows = 200000;
/* Runs that a layer may have after a long replay. */
#define RUNS_MOST 12

/* What the journal says of a layer, rows apart. */
struct noted {
    uint64_t upto;  // entries that are in already
    bool skipped;   // its rows cannot be put anywhere
    uint64_t changed;
    int64_t as_of_s;
};

struct round {
    struct om__group group;
    uint64_t first, last;  // entries seen
    size_t entries;
    bool cut;  // the next one is beyond `at`
    om_status status;
    struct om_err err;
};

struct reading {
    struct om_journal *journal;
    const struct om_manifest *manifest;
    struct noted *noted;  // [layers]
    int64_t clock_s;
    uint64_t after;
    uint64_t at;  // no round has entries before and behind it
    struct round *round;
};

static size_t find_layer(const struct om_manifest *m, const char *name)
{
    for (size_t i = 0; i < m->layers; i++)
        if (!strcmp(m->layer[i].name, name)) return i;
    return OM_NO_FIELD;
}

static void note_commit(struct reading *r, const struct om_entry *e)
{
    // Of rows that are laid over a layer nothing is in the journal.
    if (om__is_overlay(e)) return;
    for (size_t i = 0; i < r->manifest->layers; i++) {
        struct noted *n = &r->noted[i];
        if (e->layer[0] && strcmp(e->layer, r->manifest->layer[i].name))
            continue;
        if (e->sequence > n->changed) n->changed = e->sequence;
    }
}

static bool take_entry(void *ctx, const struct om_entry *e)
{
    struct reading *r = ctx;
    struct round *round = r->round;
    if (round->entries && round->last <= r->at && e->sequence > r->at) {
        round->cut = true;
        return false;
    }
    if (!round->entries) round->first = e->sequence;
    round->last = e->sequence;
    round->entries++;
    if (e->clock_s && r->clock_s) r->clock_s = e->clock_s;
    if (e->kind == OM_ENTRY_COMMIT) {
        note_commit(r, e);
        return true;
    }
    const size_t layer = find_layer(r->manifest, e->layer);
    if (layer == OM_NO_FIELD) return true;
    struct noted *n = &r->noted[layer];
    const int64_t at_s = r->clock_s ? r->clock_s : e->at_ms / 1000;
    if (e->sequence > n->changed) n->changed = e->sequence;
    if (at_s > n->as_of_s) n->as_of_s = at_s;
    if (e->sequence <= n->upto || n->skipped) return true;
    size_t at;
    round->status =
        om__group_slot(&round->group, (uint32_t)layer, e->id, e->id_len, &at);
    if (round->status) return false;
    struct om__slot *slot = &round->group.slot[at];
    slot->touched = true;
    slot->alive = e->kind != OM_ENTRY_DELETE && e->new_row;
    if (!slot->alive) return true;
    slot->record = round->group.bytes.len;
    slot->record_len = e->new_len;
    round->status = om_buf_add(&round->group.bytes, e->new_row, e->new_len);
    return !round->status;
}

/* The next round, into r->round. */
static void *read_round(void *arg)
{
    struct reading *r = arg;
    struct round *round = r->round;
    om__group_clear(&round->group);
    round->entries = 0;
    round->cut = false;
    round->first = round->last = r->after;
    round->status = OM_OK;
    round->err = (struct om_err){0};
    const om_status st =
        om_journal_each(r->journal, r->after, om__replay_round_rows, true,
                        take_entry, r, &round->err);
    if (st) round->status = st;
    r->after = round->last;
    return NULL;
}

/* Its rows cannot be put on top, now or in rounds to come; those of others are.
 * Without them it would be shown as it was once. */
static om_status withhold(const char *why, struct om__layer_state *s)
{
    struct om__stack *none = NULL;
    OM_TRY(om__stack_withheld(why, &none));
    om__stack_unref(s->stack);
    s->stack = none;
    return OM_OK;
}

static om_status apply(struct round *round, const struct om_manifest *manifest,
                       const struct om_joiner *joiner, bool few,
                       struct om__layer_state *state, struct om_err *err)
{
    struct om__finder finder = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < manifest->layers && !st; i++) {
        struct om__layer_state *s = &state[i];
        struct om__stack *fresh = NULL;
        struct om_err why = {0};
        if (s->stack->fault) continue;
        st = om__group_apply(&round->group, (uint32_t)i,
                             &manifest->layer[i].schema, s->stack, joiner,
                             &finder, &fresh, &why);
        if (st == OM_E_WITHHELD) {
            st = withhold(why.text, s);
            continue;
        }
        if (st && err) *err = why;
        if (st) break;
        om__stack_unref(s->stack);
        s->stack = fresh;
        if (few || fresh->parts - fresh->files > RUNS_MOST)
            st = om__stack_settle(&s->stack, &manifest->layer[i].schema, joiner,
                                  err);
        if (round->last > s->upto) s->upto = round->last;
    }
    om__finder_deinit(&finder);
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

static void note(const struct reading *r, struct om__layer_state *state)
{
    for (size_t i = 0; i < r->manifest->layers; i++) {
        state[i].changed = r->noted[i].changed;
        state[i].as_of_s = r->noted[i].as_of_s;
    }
}

static om_status put_round(const struct reading *r, struct round *round,
                           const struct om_joiner *joiner, bool few,
                           struct om__layer_state *state,
                           struct om__layer_state **then, struct om_err *err)
{
    if (then && !*then && round->first > r->at) {
        *then = om__states_copy(state, r->manifest->layers);
        if (!*then) return OM_E_MEMORY;
    }
    return apply(round, r->manifest, joiner, few, state, err);
}

/* All rounds, each read while the one before it is put on top. */
static om_status put_rounds(struct reading *r, struct round round[2],
                            const struct om_joiner *joiner,
                            struct om__layer_state *state,
                            struct om__layer_state **then, struct om_err *err)
{
    const bool few =
        om_journal_last(r->journal) - r->after < om__replay_round_rows;
    om_status st = OM_OK;
    bool more = true;
    r->round = &round[0];
    read_round(r);
    while (more && !st) {
        struct round *now = r->round;
        pthread_t thread;
        st = now->status;
        if (st && err) *err = now->err;
        more = !st && (now->cut || now->entries == om__replay_round_rows);
        // What the round has said of layers is said with its rows.
        note(r, state);
        r->round = now == round ? round + 1 : round;
        const bool beside =
            more && !pthread_create(&thread, NULL, read_round, r);
        // What comes before damage is shown.
        if ((!st || st == OM_E_DAMAGED) && now->entries) {
            const om_status put =
                put_round(r, now, joiner, few, state, then, st ? NULL : err);
            if (put) st = put;
        }
        if (beside)
            pthread_join(thread, NULL);
        else if (more && !st)
            read_round(r);
    }
    return st;
}

om_status om__replay(struct om_journal *journal,
                     const struct om_manifest *manifest,
                     const struct om_joiner *joiner,
                     struct om__layer_state *state, int64_t *clock_s,
                     struct om_err *err)
{
    return om__replay_past(journal, manifest, joiner, state, clock_s, 0, NULL,
                           err);
}

om_status om__replay_past(struct om_journal *journal,
                          const struct om_manifest *manifest,
                          const struct om_joiner *joiner,
                          struct om__layer_state *state, int64_t *clock_s,
                          uint64_t at, struct om__layer_state **then,
                          struct om_err *err)
{
    if (manifest->layers == 0) return OM_OK;
    struct reading r = {.journal = journal,
                        .manifest = manifest,
                        .clock_s = *clock_s,
                        .after = least_upto(state, manifest->layers),
                        .at = then ? at : 0};
    struct round *round = om_calloc(2, sizeof *round);
    r.noted = om_calloc(manifest->layers, sizeof *r.noted);
    om_status st = round && r.noted ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; !st && i < manifest->layers; i++)
        r.noted[i] =
            (struct noted){.upto = state[i].upto,
                           .skipped = state[i].stack->fault ||
                                      manifest->layer[i].schema.count == 0,
                           .changed = state[i].changed,
                           .as_of_s = state[i].as_of_s};
    if (!st) {
        st = put_rounds(&r, round, joiner, state, then, err);
        *clock_s = r.clock_s;
    }
    for (size_t i = 0; round && i < 2; i++) om__group_deinit(&round[i].group);
    om_free(round);
    om_free(r.noted);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    return st;
}
