/* still.c - few changes are held back until they are many.
 *
 * DESIGN
 * A count of ten and more tells of nobody, and neither does the next one; their
 * difference tells of the one row that was written in between, by whoever saw
 * it being written. A slower beat does not help: in most units one row changes
 * in a day. So what is told is a function of rows as they stand in a still, and
 * a unit's rows change in it only ten at a time.
 *
 * A still is not a copy. It is the newest stack of a layer with the newest
 * versions of held rows dead and one run in memory with those that were told.
 * Cells of tiles in which persons are counted are told of beside units, and lie
 * across them: units wait, too, while few would come or go in a cell.
 * Which rows differ is found by comparing the two stacks (still_changes.c), and
 * which of them wait by counting (still_held.c). Nothing else is remembered, so
 * compaction, imports and a server that only reads need no case of their own.
 */
#include "engine/policy/still.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/policy.h"
#include "engine/policy/still_changes.h"
#include "engine/snapshot_internal.h"

#define NONE OM__STILL_NONE

/* ---- the stack ---- */

static int by_place(const void *a, const void *b)
{
    const struct om__change *x = a, *y = b;
    if (x->old_part != y->old_part)
        return (x->old_part > y->old_part) - (x->old_part < y->old_part);
    return (x->old_row > y->old_row) - (x->old_row < y->old_row);
}

/* Held rows as they were told, as batches; sorted by place. */
static om_status extract_told(const struct om__watch *w, struct om_batch *batch,
                              size_t *batches)
{
    uint32_t *row = om_alloc_array(w->count + 1, sizeof *row);
    om_status st = row ? OM_OK : OM_E_MEMORY;
    *batches = 0;
    for (size_t from = 0; from < w->count && !st;) {
        const uint32_t part = w->change[from].old_part;
        size_t n = 0;
        for (; from < w->count && w->change[from].old_part == part; from++)
            if (n < OM_LIMIT_BATCH_ROWS) row[n++] = w->change[from].old_row;
        if (part == NONE) break;
        st = om_segment_extract(w->told->part[part].segment, &w->own, 0, n, row,
                                NULL, 0, &batch[*batches]);
        if (!st) ++*batches;
    }
    om_free(row);
    return st;
}

static om_status make_run(const struct om__watch *w,
                          const struct om_joiner *joiner,
                          struct om_segment **out)
{
    struct om_batch *batch = om_calloc(w->told->parts + 1, sizeof *batch);
    const struct om_batch **each =
        om_calloc(w->told->parts + 1, sizeof(struct om_batch *));
    size_t batches = 0;
    om_status st = batch && each ? OM_OK : OM_E_MEMORY;
    *out = NULL;
    if (!st) st = extract_told(w, batch, &batches);
    for (size_t i = 0; i < batches; i++) each[i] = &batch[i];
    if (!st && batches)
        st = om_run_new(&w->own, each, batches, joiner, out, NULL);
    for (size_t i = 0; i < batches; i++) om_arena_deinit(&batch[i].arena);
    om_free(batch);
    om_free(each);
    return st;
}

static om_status kill_newest(const struct om__watch *w, struct om__stack **out)
{
    struct om__kill *kill = om_alloc_array(w->count + 1, sizeof *kill);
    size_t kills = 0;
    if (!kill) return OM_E_MEMORY;
    for (size_t i = 0; i < w->count; i++)
        if (w->change[i].new_part != NONE)
            kill[kills++] =
                (struct om__kill){w->change[i].new_part, w->change[i].new_row};
    const om_status st = om__stack_kill(w->now, kill, kills, out);
    om_free(kill);
    return st;
}

/* The newest stack with held rows as they were told. */
static om_status hold(struct om__watch *w, const struct om_joiner *joiner,
                      struct om__stack **out)
{
    struct om__stack *without = NULL;
    struct om_segment *run = NULL;
    qsort(w->change, w->count, sizeof *w->change, by_place);
    om_status st = make_run(w, joiner, &run);
    if (!st) st = kill_newest(w, &without);
    if (!st && run)
        st = om__stack_splice(without, without->parts, without->parts, run,
                              NULL, false, out);
    else if (!st)
        *out = om__stack_ref(without);
    om__stack_unref(without);
    om_segment_unref(run);
    return st;
}

/* ---- layers ---- */

static const struct om_json *about_of(const struct om_manifest *city,
                                      const char *layer)
{
    const struct om_json *layers = om_json_get(city->document, "layers");
    for (size_t i = 0; i < om_json_count(layers); i++)
        if (!strcmp(
                om_json_text(om_json_get(om_json_at(layers, i), "name"), ""),
                layer))
            return om_json_at(layers, i);
    return NULL;
}

static bool is_listed(const struct om_json *list, const char *name)
{
    for (size_t i = 0; i < om_json_count(list); i++)
        if (!strcmp(om_json_text(om_json_at(list, i), ""), name)) return true;
    return false;
}

/* Of those who are followed where they are is told otherwise (steps.c), and of
 * their rows only what the register says is looked at. Units are those that
 * they have in charge. */
static size_t charge_field(const struct om_manifest *city,
                           const struct om_layer *layer)
{
    const struct om_json *workers =
        om_json_get(om_json_get(city->document, "duty"), "workers");
    const char *unit = om_json_text(om_json_get(workers, "unit"), "");
    if (strcmp(om_json_text(om_json_get(workers, "layer"), ""), layer->name))
        return OM_NO_FIELD;
    for (size_t i = 0; i < layer->schema.count; i++)
        if (!strcmp(layer->schema.field[i].name, unit) &&
            (layer->schema.field[i].type == OM_TYPE_TEXT ||
             layer->schema.field[i].type == OM_TYPE_CATEGORY))
            return i;
    return OM_NO_FIELD;
}

/* What is watched of a layer; false: nothing is. */
static bool watch(const struct om_manifest *city, const struct om_layer *layer,
                  struct om__watch *w)
{
    const struct om_json *about = about_of(city, layer->name);
    const struct om_json *listed = om_json_get(about, "personal_columns");
    const char *followed = om_json_text(
        om_json_get(om_json_get(city->document, "positions"), "layer"), "");
    const size_t own = layer->schema.count - layer->unit_columns;
    const bool all = om_json_true(om_json_get(about, "personal"), false);
    w->follows = !strcmp(followed, layer->name);
    w->own = layer->schema;
    w->own.count = own;
    w->places =
        all && !w->follows && layer->schema.geometry == OM_GEOMETRY_POINT;
    w->unit_field = w->follows ? charge_field(city, layer) : OM_NO_FIELD;
    for (size_t l = 0; l < city->levels && w->unit_field == OM_NO_FIELD; l++)
        if (!w->follows)
            w->unit_field = om_layer_unit_field(layer, city->level[l]);
    for (size_t i = 0; i < own; i++)
        if (i != layer->schema.id_field &&
            !(w->follows && i == layer->schema.time_field) &&
            (all || is_listed(listed, layer->schema.field[i].name)))
            w->column[w->columns++] = i;
    return (all || (w->columns && !w->follows)) && layer->parts;
}

static bool same_schema(const struct om_schema *a, const struct om_schema *b)
{
    bool same = a->count == b->count && a->geometry == b->geometry &&
                a->id_field == b->id_field;
    for (size_t i = 0; same && i < a->count; i++)
        same = !strcmp(a->field[i].name, b->field[i].name) &&
               a->field[i].type == b->field[i].type;
    return same;
}

static const struct om__stack *stack_of(const struct om_snapshot *snapshot,
                                        const char *layer, size_t *at)
{
    const struct om_manifest *city = snapshot->manifest;
    for (size_t i = 0; i < city->layers; i++)
        if (!strcmp(city->layer[i].name, layer)) {
            if (at) *at = i;
            return om__snapshot_of(snapshot)->state[i].stack;
        }
    return NULL;
}

/* One layer of the next still, in the place of the newest one. */
static om_status hold_layer(const struct om_snapshot *still,
                            struct om_city *city,
                            const struct om_snapshot *newest,
                            const struct om_layer *layer, uint64_t least,
                            struct om_joiner **joiner,
                            struct om__layer_state *state,
                            struct om_still_figures *figures)
{
    const struct om_layer *told = om_snapshot_layer(still, layer->name);
    struct om__watch w = {.least = least};
    size_t at = 0;
    if (!told || !same_schema(&told->schema, &layer->schema) ||
        !watch(newest->manifest, layer, &w))
        return OM_OK;
    w.told = stack_of(still, layer->name, NULL);
    w.now = stack_of(newest, layer->name, &at);
    if (!w.told || !w.now || w.told->serial == w.now->serial) return OM_OK;
    struct om__stack *held = NULL;
    om_status st = om__changes_find(&w);
    const size_t changed = w.count;
    figures->changed += changed;
    if (!st && w.count) st = om__changes_keep_held(&w);
    figures->held += w.count;
    if (!st && w.count && !*joiner)
        st = om__city_lend_joiner(city, newest, joiner);
    if (!st && w.count) st = hold(&w, *joiner, &held);
    om_free(w.change);
    // Where nothing else has changed it is the same layer, whoever moved.
    if (!st && !held && w.follows && !changed)
        held = om__stack_ref((struct om__stack *)(uintptr_t)w.told);
    if (st || !held) return st;
    om__stack_unref(state[at].stack);
    state[at].stack = held;
    return OM_OK;
}

/* ---- those who are followed ---- */

static const struct om__rights *steps_of(const struct om_snapshot *still)
{
    const struct om__rights *own =
        still ? om__snapshot_of(still)->rights : NULL;
    return own && own->levels ? own : NULL;
}

/* Are rows that were made of the older layer good for the newest? */
static bool still_fit(const struct om__rights *old,
                      const struct om_layer *newest)
{
    const struct om_layer *layer =
        old ? om_snapshot_layer(old->level[0], newest->name) : NULL;
    return layer && same_schema(&layer->schema, &newest->schema) &&
           layer->schema.time_field == newest->schema.time_field;
}

/* What is told of those who are followed, beside the rows of the still. */
static om_status add_steps(const struct om_snapshot *still,
                           struct om_city *city, struct om_snapshot *newest,
                           struct om_steps *steps, struct om_joiner **joiner,
                           struct om__rights *out, bool *changed)
{
    const struct om_layer *layer = om_steps_layer(newest);
    const struct om__rights *old = steps_of(still);
    *changed = false;
    if (!layer || !om_layer_personal(newest->manifest, layer->name))
        return OM_OK;
    OM_TRY(om_steps_next(steps, newest, changed));
    const size_t levels = om_steps_levels(steps);
    const bool same =
        !*changed && old && old->levels == levels && still_fit(old, layer);
    *changed = !same;
    out->level = om_calloc(levels + 1, sizeof(struct om_snapshot *));
    if (!out->level) return OM_E_MEMORY;
    om_steps_all(steps, out->all);
    out->middle = om_steps_middle(steps);
    if (!same && !*joiner) OM_TRY(om__city_lend_joiner(city, newest, joiner));
    for (; out->levels < levels; out->levels++) {
        struct om_snapshot **at = &out->level[out->levels];
        if (same)
            *at = om_snapshot_ref(old->level[out->levels]);
        else
            OM_TRY(om_steps_rows(steps, newest, *joiner, out->levels, at));
    }
    return OM_OK;
}

/* ---- all of it ---- */

/* Is anything that is told of persons another than it was? */
static bool same_told(const struct om_snapshot *a, const struct om_snapshot *b)
{
    bool same = a->layers == b->layers;
    for (size_t i = 0; same && i < a->layers; i++) {
        struct om__watch w = {0};
        const struct om_layer *x = &a->layer[i], *y = &b->layer[i];
        same = !strcmp(x->name, y->name) &&
               (x->serial == y->serial || !watch(b->manifest, y, &w));
    }
    return same;
}

om_status om_still_next(const struct om_snapshot *still, struct om_city *city,
                        struct om_snapshot *newest, uint64_t least,
                        struct om_steps *steps, struct om_snapshot **out,
                        struct om_still_figures *figures)
{
    const struct om__snapshot *s = om__snapshot_of(newest);
    const size_t layers = newest->manifest->layers;
    struct om_joiner *joiner = NULL;
    *figures = (struct om_still_figures){0};
    struct om__rights *own = om_calloc(1, sizeof *own);
    struct om__layer_state *state = om__states_copy(s->state, layers);
    om_status st = own && state ? OM_OK : OM_E_MEMORY;
    if (own) atomic_init(&own->refs, 1);
    for (size_t i = 0; still && i < newest->layers && !st; i++)
        st = hold_layer(still, city, newest, &newest->layer[i], least, &joiner,
                        state, figures);
    if (!st && steps)
        st = add_steps(still, city, newest, steps, &joiner, own,
                       &figures->moved);
    if (!st)
        st = om__snapshot_new(s->base, state, newest->sequence, newest->clock_s,
                              out, NULL);
    if (!st) {
        om__snapshot_of(*out)->rights = own;
        figures->same = still && !figures->moved && same_told(still, *out);
    } else {
        om__rights_unref(own);
    }
    if (state) om__states_free(state, layers);
    om_joiner_unref(joiner);
    return st;
}

/* ---- for who keeps it (still_file.c) ---- */

bool om__still_watches(const struct om_manifest *city,
                       const struct om_layer *layer)
{
    struct om__watch w = {0};
    return watch(city, layer, &w);
}

static om_status list_rows(const struct om__watch *w,
                           struct om__still_layer *out)
{
    out->row = om_alloc_array(w->count + 1, sizeof *out->row);
    if (!out->row) return OM_E_MEMORY;
    for (; out->count < w->count; out->count++) {
        const struct om__change *c = &w->change[out->count];
        out->row[out->count] = (struct om__still_row){c->old_part, c->old_row,
                                                      c->new_part, c->new_row};
    }
    return OM_OK;
}

om_status om__still_differs(const struct om_snapshot *still,
                            const struct om_snapshot *newest,
                            const struct om_layer *layer,
                            struct om__still_layer *out)
{
    const struct om_layer *told = om_snapshot_layer(still, layer->name);
    struct om__watch w = {0};
    *out = (struct om__still_layer){0};
    if (!told || !same_schema(&told->schema, &layer->schema) ||
        !watch(newest->manifest, layer, &w))
        return OM_OK;
    out->told = w.told = stack_of(still, layer->name, NULL);
    out->now = w.now = stack_of(newest, layer->name, NULL);
    out->own = w.own;
    if (!w.told || !w.now || w.told->serial == w.now->serial) return OM_OK;
    om_status st = om__changes_find(&w);
    if (!st && w.count) qsort(w.change, w.count, sizeof *w.change, by_place);
    if (!st) st = list_rows(&w, out);
    om_free(w.change);
    return st;
}
