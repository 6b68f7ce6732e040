// tell.c - what was written, told to audiences by what they see of it.
#include <string.h>

#include "data/base/alloc.h"
#include "engine/live/live_internal.h"

/* Levels of units that rows are told by. */
#define LEVELS_MOST 16
#define AT_ONCE 256

/* Units of the levels that a layer's rows are joined with, in one order. */
struct units {
    const struct om_schema *schema;
    size_t from, count;  // columns
    struct om_text_reader text;
};

static struct units units_of(const struct om_layer *layer)
{
    const size_t n =
        layer->unit_columns < LEVELS_MOST ? layer->unit_columns : LEVELS_MOST;
    return (struct units){.schema = &layer->schema,
                          .from = layer->schema.count - layer->unit_columns,
                          .count = n};
}

static om_status read_units(struct units *u, const struct om_segment *segment,
                            size_t row, uint64_t out[LEVELS_MOST])
{
    for (size_t i = 0; i < u->count; i++) {
        const char *text;
        size_t len;
        OM_TRY(
            om_segment_text(segment, u->from + i, row, &u->text, &text, &len));
        out[i] = text ? om_audience_unit(u->schema->field[u->from + i].name,
                                         text, len)
                      : 0;
    }
    return OM_OK;
}

/* Rows on their way to those of units. */
struct telling {
    struct om_live *live;
    const struct om_layer *layer;
    struct units units;
    int64_t at_s;
    size_t count;
    struct om_row_told row[AT_ONCE];
    uint64_t was[AT_ONCE][LEVELS_MOST], now[AT_ONCE][LEVELS_MOST];
};

static struct telling *begin(struct om_live *live, const struct om_layer *layer,
                             int64_t at_s)
{
    struct telling *t = om_alloc(sizeof *t);
    if (!t) return NULL;
    t->live = live;
    t->layer = layer;
    t->units = units_of(layer);
    t->at_s = at_s;
    t->count = 0;
    return t;
}

static void flush(struct telling *t)
{
    om_changes_tell_units(t->live->changes, t->layer->name, t->row, t->count,
                          t->units.count, t->at_s);
    t->count = 0;
}

/* A row that was at `row` of a segment (NULL: nowhere), and is in another. */
static om_status add(struct telling *t, const struct om_row_told *told,
                     const struct om_segment *was, size_t was_row,
                     const struct om_segment *now, size_t now_row)
{
    if (t->count == AT_ONCE) flush(t);
    struct om_row_told *row = &t->row[t->count];
    *row = *told;
    row->was = memset(t->was[t->count], 0, sizeof *t->was);
    row->now = memset(t->now[t->count], 0, sizeof *t->now);
    if (was) OM_TRY(read_units(&t->units, was, was_row, t->was[t->count]));
    if (now) OM_TRY(read_units(&t->units, now, now_row, t->now[t->count]));
    t->count++;
    return OM_OK;
}

/* Where it cannot be found out all of them are told. */
static void end(struct telling *t, om_status st, uint64_t last)
{
    if (!st) flush(t);
    if (st)
        om_changes_tell_areas(t->live->changes, t->layer->name, last, t->at_s);
    om_text_reader_deinit(&t->units.text);
    om_free(t);
}

static const struct om_segment *newest_run(const struct om__stack *stack)
{
    return stack->parts ? stack->part[stack->parts - 1].segment : NULL;
}

void om__live_quiet_shape(struct om_live *live, size_t layer,
                          const struct om__fresh *f, const char *id,
                          size_t id_len, const struct om_segment *was,
                          size_t was_row, uint64_t *quiet)
{
    const struct om__veils_of_layer *veils = om__veils_at(live, layer);
    const struct om_segment *run = newest_run(f->state[layer].stack);
    const uint64_t crowds = veils ? veils->crowds : 0;
    bool same = false;
    size_t row;
    if (!(*quiet & ~crowds)) return;
    om_status st = om_segment_find(run, id, id_len, &live->quiet_reader, &row);
    if (!st) st = om__same_shape(was, was_row, run, row, &same);
    if (st || !same) *quiet &= crowds;
}

/* ---- a group ---- */

void om__live_quiet_shapes(struct om_live *live, const struct om__fresh *f)
{
    for (size_t i = 0; i < live->group.slots; i++) {
        struct om__slot *slot = &live->group.slot[i];
        if (!slot->touched || !slot->drawn || !slot->alive || !slot->in_base)
            continue;
        const struct om__stack *was = live->state[slot->layer].stack;
        om__live_quiet_shape(live, slot->layer, f,
                             (const char *)live->group.bytes.bytes + slot->id,
                             slot->id_len, was->part[slot->place.part].segment,
                             slot->place.row, &slot->quiet);
    }
}

static struct om_row_told told_of(const struct om__slot *slot)
{
    return (struct om_row_told){.sequence = slot->sequence,
                                .quiet = slot->quiet,
                                .old = om__live_place(slot->was),
                                .fresh = om__live_place(slot->where)};
}

static bool is_told(const struct om__slot *slot, size_t layer)
{
    return slot->layer == layer && slot->touched &&
           (slot->in_base || slot->alive);
}

static om_status add_slot(struct telling *t, const struct om__slot *slot,
                          const struct om__stack *was,
                          const struct om_segment *run)
{
    const struct om_row_told told = told_of(slot);
    const char *id = (const char *)t->live->group.bytes.bytes + slot->id;
    const struct om_segment *before =
        slot->in_base ? was->part[slot->place.part].segment : NULL;
    size_t row = 0;
    if (slot->alive)
        OM_TRY(om_segment_find(run, id, slot->id_len, &t->units.text, &row));
    return add(t, &told, before, slot->place.row, slot->alive ? run : NULL,
               row);
}

static void tell_units(struct om_live *live, size_t at,
                       const struct om__fresh *f, const struct om_layer *layer,
                       int64_t at_s)
{
    const struct om_segment *run = newest_run(f->state[at].stack);
    struct telling *t = begin(live, layer, at_s);
    om_status st = OM_OK;
    if (!t) {
        om_changes_tell_areas(live->changes, layer->name, f->last, at_s);
        return;
    }
    for (size_t i = 0; i < live->group.slots && !st; i++)
        if (is_told(&live->group.slot[i], at))
            st = add_slot(t, &live->group.slot[i], live->state[at].stack, run);
    end(t, st, f->last);
}

void om__live_tell_group(struct om_live *live, const struct om__fresh *f,
                         int64_t at_s)
{
    const struct om_manifest *m = &live->base->manifest;
    for (size_t i = 0; i < m->layers; i++) {
        const struct om_layer *layer =
            om_snapshot_layer(f->snapshot, m->layer[i].name);
        bool areas;
        if (f->state[i].changed < f->first || !layer ||
            !om_changes_told(live->changes, layer->name, &areas))
            continue;
        for (size_t s = 0; s < live->group.slots; s++) {
            if (!is_told(&live->group.slot[s], i)) continue;
            const struct om_row_told told = told_of(&live->group.slot[s]);
            om_changes_tell(live->changes, layer->name, &told, 1, at_s);
        }
        if (areas) tell_units(live, i, f, layer, at_s);
    }
}

/* ---- many rows at once ---- */

void om__live_tell_rows(struct om_live *live, size_t at,
                        const struct om__fresh *f,
                        om_status (*row)(void *ctx, size_t i,
                                         struct om__row_written *out),
                        void *ctx, size_t count, int64_t at_s)
{
    const struct om_layer *layer =
        om_snapshot_layer(f->snapshot, live->base->manifest.layer[at].name);
    const struct om_segment *run = newest_run(f->state[at].stack);
    struct telling *t = layer ? begin(live, layer, at_s) : NULL;
    om_status st = OM_OK;
    if (!t) {
        om_changes_tell_areas(
            live->changes, live->base->manifest.layer[at].name, f->last, at_s);
        return;
    }
    for (size_t i = 0; i < count && !st; i++) {
        struct om__row_written w = {0};
        size_t now = 0;
        st = row(ctx, i, &w);
        if (!st)
            st = om_segment_find(run, w.id, w.id_len, &t->units.text, &now);
        if (!st) st = add(t, &w.told, w.was, w.was_row, run, now);
    }
    end(t, st, f->last);
}

/* ---- those who walk ---- */

static void find_units(const struct om_joiner *joiner, struct om_pos pos,
                       size_t levels, uint64_t out[LEVELS_MOST])
{
    for (size_t l = 0; l < levels; l++) {
        size_t len;
        const char *id = om_joiner_unit(joiner, l, pos, &len);
        out[l] = id ? om_audience_unit(om_joiner_level(joiner, l), id, len) : 0;
    }
}

static void tell_move(struct om_live *live, const char *layer,
                      const struct om_live_move *move, uint64_t quiet,
                      uint64_t sequence, int64_t at_s)
{
    const size_t n = om_joiner_levels(live->joiner);
    const size_t levels = n < LEVELS_MOST ? n : LEVELS_MOST;
    uint64_t was[LEVELS_MOST], now[LEVELS_MOST];
    find_units(live->joiner, move->other, levels, was);
    find_units(live->joiner, move->pos, levels, now);
    const struct om_row_told told = {.sequence = sequence,
                                     .quiet = quiet,
                                     .old.cell = om_change_cell(move->other),
                                     .fresh.cell = om_change_cell(move->pos),
                                     .was = was,
                                     .now = now};
    om_changes_tell(live->changes, layer, &told, 1, at_s);
    om_changes_tell_units(live->changes, layer, &told, 1, levels, at_s);
}

void om__live_tell_moves(struct om_live *live, size_t at,
                         const struct om__moves *moved, uint64_t sequence,
                         int64_t at_s)
{
    const char *layer = live->base->manifest.layer[at].name;
    const struct om__veils_of_layer *veils = om__veils_at(live, at);
    bool areas;
    // Where somebody came from is not always known.
    if (!moved->count) {
        om_changes_moved(live->changes, layer, sequence, at_s);
        return;
    }
    om_changes_looks(live->changes, layer, sequence, at_s);
    if (!om_changes_told(live->changes, layer, &areas)) return;
    for (size_t i = 0; i < moved->count; i++)
        tell_move(live, layer, &moved->move[i], veils ? veils->crowds : 0,
                  sequence, at_s);
}
