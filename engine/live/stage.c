// stage.c - is a write acceptable, and what will its rows be?
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/city/record.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * Rows are taken one after the other, each seeing those before it: two PUTs of
 * one id in a batch leave the second. What a write has changed in the group is
 * remembered until it is accepted as a whole, and taken back if it is not.
 * Sequences are known before the journal gives them, because it gives them
 * without gaps and only to us. */

#define FAULTS 1000
/* A word on an id in messages. */
#define ID_SHOWN 80

/* One write while it is looked at. */
struct staging {
    struct om_live *live;
    struct om_write *write;
    size_t layer;
    const struct om_manifest_layer *meta;
    const struct om__stack *stack;
    size_t staged_before;
    struct om__looked looked;  // where the rows were; empty: not known
    const struct om__veils_of_layer *veils;  // quiet.c; NULL: none
    bool try_shapes;  // some shape of the write cannot be used: which?
    // PATCH: rows of the stack that are asked for, by part
    struct om_batch *old;  // [parts]
    uint32_t **old_row;    // [parts] which rows
};

static const struct om_schema *own(const struct staging *s)
{
    return &s->meta->schema;
}

/* ---- faults ---- */

static void add_fault(struct staging *s, size_t row, om_status status,
                      const char *id, size_t len, const char *why)
{
    struct om_write *w = s->write;
    const int shown = len < ID_SHOWN ? (int)len : ID_SHOWN;
    w->refused++;
    if (!w->fault) w->fault = om_calloc(FAULTS, sizeof *w->fault);
    if (!w->fault || w->faults == FAULTS) return;
    struct om_write_fault *f = &w->fault[w->faults++];
    f->row = row;
    f->status = status;
    snprintf(f->text, sizeof f->text, "%s%.*s%s%.70s", len ? "'" : "", shown,
             id, len ? "': " : "", why);
}

static void refuse(struct om_write *w, om_status status, const char *text)
{
    w->status = status;
    om_fail(&w->err, status, 0, "%s", text);
}

/* ---- where a row is ---- */

static uint32_t change_cell_of(double v)
{
    const double cell = floor(v / (double)(1u << (32 - OM_CHANGE_LEVEL)));
    const double last = (double)((1u << OM_CHANGE_LEVEL) - 1);
    return (uint32_t)fmin(fmax(cell, 0), last);
}

/* Of a box in cells of level 18. */
static struct om__where where_of(struct om_box box)
{
    const struct om_pos middle = {box.x0 + (box.x1 - box.x0) / 2,
                                  box.y0 + (box.y1 - box.y0) / 2};
    struct om__where out = {.cell = om_morton(middle)};
    if (box.x0 != box.x1 || box.y0 != box.y1) out.box = box;
    return out;
}

struct om__where om__where_in_batch(const struct om_batch *b, size_t row)
{
    if (b->pos) return (struct om__where){.cell = om_change_cell(b->pos[row])};
    const struct om_shapes *s = &b->shapes;
    const uint32_t from = s->ring_vertex[s->part_ring[s->shape_part[row]]];
    const uint32_t to = s->ring_vertex[s->part_ring[s->shape_part[row + 1]]];
    struct om_box box = OM_BOX_NONE;
    for (uint32_t v = from; v < to; v++) {
        const uint32_t x = change_cell_of(s->x[v]), y = change_cell_of(s->y[v]);
        om_box_widen(&box, (struct om_box){x, y, x, y});
    }
    return from < to ? where_of(box) : (struct om__where){.cell = OM_NO_CELL};
}

om_status om__where_in_stack(const struct om__stack *stack,
                             enum om_geometry geometry, struct om__kill at,
                             struct om__where *out)
{
    const struct om_segment *segment = stack->part[at.part].segment;
    if (geometry == OM_GEOMETRY_POINT) {
        const uint64_t *key;
        OM_TRY(om_segment_keys(segment, at.row, at.row + 1, &key));
        *out = (struct om__where){.cell = key[at.row] >>
                                          (64 - 2 * OM_CHANGE_LEVEL)};
        return OM_OK;
    }
    struct om_rings rings;
    OM_TRY(om_segment_rings(segment, at.row, at.row + 1, &rings));
    const unsigned shift = 32 - OM_CHANGE_LEVEL;
    const struct om_box b = rings.box[at.row];
    *out = where_of((struct om_box){b.x0 >> shift, b.y0 >> shift, b.x1 >> shift,
                                    b.y1 >> shift});
    return OM_OK;
}

/* ---- patches ---- */

/* A row of a batch as a batch of its own, column by column; nothing copied. */
struct one_row {
    struct om_batch batch;
    struct om_batch_column column[OM_LIMIT_COLUMNS];
    uint64_t valid[OM_LIMIT_COLUMNS];
};

static void take_column(struct one_row *one, const struct om_batch *from,
                        size_t row, size_t c)
{
    const struct om_batch_column *f = &from->column[c];
    struct om_batch_column *to = &one->column[c];
    one->valid[c] = !f->valid || om_bit(f->valid, row);
    *to = (struct om_batch_column){
        .valid = &one->valid[c],
        .integer = f->integer ? f->integer + row : NULL,
        .real = f->real ? f->real + row : NULL,
        .offset = f->offset ? f->offset + row : NULL,
        .bytes = f->bytes};
}

static void take_place(struct one_row *one, const struct om_batch *from,
                       size_t row)
{
    one->batch.pos = from->pos ? from->pos + row : NULL;
    one->batch.shapes = from->shapes;
    one->batch.shapes.count = 1;
    if (!from->pos)
        one->batch.shapes.shape_part = from->shapes.shape_part + row;
}

static void drop_old(struct staging *s)
{
    for (size_t p = 0; s->old && p < s->stack->parts; p++) {
        om_arena_deinit(&s->old[p].arena);
        om_free(s->old_row[p]);
    }
    om_free(s->old);
    om_free(s->old_row);
    s->old = NULL;
    s->old_row = NULL;
}

static const char *id_of(const struct staging *s, size_t row, size_t *len)
{
    const struct om_batch_column *c =
        &s->write->batch->column[own(s)->id_field];
    *len = 0;
    if (c->valid && !om_bit(c->valid, row)) return "";
    *len = c->offset[row + 1] - c->offset[row];
    return c->bytes + c->offset[row];
}

static int by_row(const void *a, const void *b)
{
    const uint32_t ra = *(const uint32_t *)a, rb = *(const uint32_t *)b;
    return (ra > rb) - (ra < rb);
}

/* All rows that a write is laid over, as the stack has them, taken out part by
 * part: one by one would unpack a block of texts for each. */
static om_status read_old(struct staging *s)
{
    struct om_live *live = s->live;
    const size_t parts = s->stack->parts;
    s->old = om_calloc(parts + 1, sizeof *s->old);
    s->old_row = om_calloc(parts + 1, sizeof *s->old_row);
    size_t *count = om_calloc(parts + 1, sizeof *count);
    om_status st = s->old && s->old_row && count ? OM_OK : OM_E_MEMORY;
    for (size_t row = 0; row < s->write->batch->rows && !st; row++) {
        size_t len, at;
        const char *id = id_of(s, row, &len);
        if (len == 0) continue;
        st = om__group_slot(&live->group, (uint32_t)s->layer, id, len, &at);
        if (st) break;
        struct om__slot *slot = &live->group.slot[at];
        st = om__group_locate(slot, id, s->stack, &live->finder);
        if (st || slot->touched || !slot->in_base) continue;
        const uint32_t p = slot->place.part;
        if (!s->old_row[p])
            s->old_row[p] =
                om_alloc_array(s->write->batch->rows, sizeof(uint32_t));
        if (!s->old_row[p])
            st = OM_E_MEMORY;
        else
            s->old_row[p][count[p]++] = slot->place.row;
    }
    for (size_t p = 0; p < parts && !st; p++) {
        if (count[p] == 0) continue;
        uint32_t *row = s->old_row[p];
        qsort(row, count[p], sizeof *row, by_row);
        size_t n = 1;
        for (size_t i = 1; i < count[p]; i++)
            if (row[i] != row[n - 1]) row[n++] = row[i];
        st = om_segment_extract(s->stack->part[p].segment, own(s), 0, n, row,
                                NULL, 0, &s->old[p]);
    }
    om_free(count);
    return st;
}

/* Is the column of the row as it is written, and not as it was? */
static bool is_given(const struct om_write *w, size_t row, size_t column)
{
    const uint64_t *valid = w->batch->column[column].valid;
    if (w->kind == OM_WRITE_PATCH) return w->given && w->given[column];
    return !w->unseen[column] || !valid || om_bit(valid, row);
}

/* The record of the row `row` of a write laid over what the id had. */
static om_status patch(struct staging *s, size_t row,
                       const struct om__slot *slot, struct om_buf *out,
                       struct om__where *where)
{
    const struct om_write *w = s->write;
    struct om_record_reader *reader = NULL;
    struct one_row *one = om_calloc(1, sizeof *one);
    const struct om_batch *old = NULL;
    size_t old_row = 0;
    om_status st = one ? OM_OK : OM_E_MEMORY;
    if (!st && slot->touched) {
        st = om_record_reader_new(own(s), &reader);
        if (!st)
            st = om_record_read(reader,
                                s->live->group.bytes.bytes + slot->record,
                                slot->record_len);
        if (!st) st = om_record_batch(reader, &old);
    } else if (!st) {
        const uint32_t p = slot->place.part;
        old = &s->old[p];
        const uint32_t *found = bsearch(&slot->place.row, s->old_row[p],
                                        old->rows, sizeof *found, by_row);
        if (found)
            old_row = (size_t)(found - s->old_row[p]);
        else
            st = OM_E_INTERNAL;
    }
    if (!st) {
        one->batch = (struct om_batch){.rows = 1, .column = one->column};
        const uint64_t number = 1;
        one->batch.source_row = &number;
        for (size_t c = 0; c < own(s)->count; c++)
            if (c != own(s)->id_field && is_given(w, row, c))
                take_column(one, w->batch, row, c);
            else
                take_column(one, old, old_row, c);
        if (w->geometry_given || w->kind == OM_WRITE_PUT)
            take_place(one, w->batch, row);
        else
            take_place(one, old, old_row);
        *where = om__where_in_batch(&one->batch, 0);
        st = om_record_add(own(s), &one->batch, 0, out);
    }
    om_record_reader_free(reader);
    om_free(one);
    return st;
}

/* ---- rows ---- */

/* Would a run take the shape of this record? */
static om_status try_shape(const struct staging *s, const void *record,
                           size_t len, struct om_err *why)
{
    struct om_record_reader *reader = NULL;
    struct om_segment *run = NULL;
    const struct om_batch *batch;
    om_status st = om_record_reader_new(own(s), &reader);
    if (!st) st = om_record_read(reader, record, len);
    if (!st) st = om_record_batch(reader, &batch);
    if (!st) st = om_run_new(own(s), &batch, 1, NULL, &run, why);
    om_segment_unref(run);
    om_record_reader_free(reader);
    return st;
}

static om_status room_for_one(struct om_live *live)
{
    if (live->staged_count == live->staged_room) {
        const size_t room = live->staged_room ? 2 * live->staged_room : 256;
        struct om__staged *grown =
            om_realloc(live->staged, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        live->staged = grown;
        live->staged_room = room;
    }
    if (live->undo_count == live->undo_room) {
        const size_t room = live->undo_room ? 2 * live->undo_room : 256;
        struct om__undo *grown = om_realloc(live->undo, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        live->undo = grown;
        live->undo_room = room;
    }
    return OM_OK;
}

/* Is the kind of the write one that this row can take? A fault if not. */
static bool may_write(struct staging *s, size_t row,
                      const struct om__slot *slot, bool exists, const char *id,
                      size_t len)
{
    const struct om_write *w = s->write;
    if (exists && w->kind == OM_WRITE_INSERT) {
        add_fault(s, row, OM_E_EXISTS, id, len, "there is a row with this id");
        return false;
    }
    const bool needs = w->kind == OM_WRITE_PATCH || w->kind == OM_WRITE_DELETE;
    if (!exists && needs) {
        add_fault(s, row, OM_E_NOTFOUND, id, len, "no row has this id");
        return false;
    }
    if (w->if_sequence && w->if_sequence[row]) {
        const uint64_t now =
            slot->sequence
                ? slot->sequence
                : om__newest_of(&s->live->newest, s->meta->name, id, len);
        if (!exists || now != w->if_sequence[row]) {
            add_fault(s, row, OM_E_EXISTS, id, len, "changed meanwhile");
            return false;
        }
    }
    return true;
}

/* Make the record of the row as it will be; a fault if that cannot be. */
static om_status make_record(struct staging *s, size_t row,
                             const struct om__slot *slot, const char *id,
                             size_t len, bool exists, struct om__where *where,
                             bool *ok)
{
    struct om_buf *bytes = &s->live->group.bytes;
    const size_t before = bytes->len;
    const bool patching = s->write->kind == OM_WRITE_PATCH;
    om_status st;
    *ok = false;
    if (patching || (exists && s->write->unseen)) {
        st = patch(s, row, slot, bytes, where);
    } else {
        st = om_record_add(own(s), s->write->batch, row, bytes);
        if (!st) *where = om__where_in_batch(s->write->batch, row);
    }
    struct om_err why = {0};
    if (!st && where->cell == OM_NO_CELL)
        st = om_fail(&why, OM_E_GEOMETRY, 0, "no geometry");
    const bool shape = own(s)->geometry != OM_GEOMETRY_POINT &&
                       (!patching || s->write->geometry_given);
    if (!st && shape && s->try_shapes)
        st = try_shape(s, bytes->bytes + before, bytes->len - before, &why);
    *ok = !st;
    if (!st || st == OM_E_MEMORY) return st;
    bytes->len = before;
    bytes->status = OM_OK;
    add_fault(s, row, st, id, len, why.text[0] ? why.text : om_status_text(st));
    return OM_OK;
}

/* Where the stack has the row of the slot, as the write knows or by its id. */
static om_status locate(struct staging *s, size_t row, struct om__slot *slot,
                        const char *id)
{
    struct om__finder *finder = &s->live->finder;
    if (slot->located || !s->looked.look)
        return om__group_locate(slot, id, s->stack, finder);
    const om_status st = om__looked_find(&s->looked, row, id, slot->id_len,
                                         finder, &slot->place);
    if (st && st != OM_E_NOTFOUND) return st;
    slot->in_base = !st;
    slot->located = true;
    return OM_OK;
}

/* Which veils hide all that differs from what was there before the group?
 * Columns that a patch does not give are as they were staged. */
static om_status find_quiet(struct staging *s, size_t row,
                            const struct om__slot *slot, uint64_t *out)
{
    const struct om_write *w = s->write;
    const bool over = slot->touched && w->kind == OM_WRITE_PATCH;
    *out = 0;
    if (!s->veils) return OM_OK;
    *out = s->veils->crowds;
    if (w->kind == OM_WRITE_DELETE || !slot->in_base) return OM_OK;
    OM_TRY(om__quiet_row(s->stack->part[slot->place.part].segment,
                         slot->place.row, own(s), w, row, s->veils,
                         &s->live->quiet_reader, out));
    if (over) *out &= slot->quiet;
    return OM_OK;
}

static om_status stage_row(struct staging *s, size_t row)
{
    struct om_live *live = s->live;
    const struct om_write *w = s->write;
    size_t len, at;
    const char *id = id_of(s, row, &len);
    if (len == 0 || len > OM_LIMIT_TEXT_BYTES) {
        add_fault(s, row, OM_E_FORMAT, "", 0, "no id, or one that is too long");
        return OM_OK;
    }
    OM_TRY(room_for_one(live));
    OM_TRY(om__group_slot(&live->group, (uint32_t)s->layer, id, len, &at));
    struct om__slot *slot = &live->group.slot[at];
    OM_TRY(locate(s, row, slot, id));
    const bool exists = slot->touched ? slot->alive : slot->in_base;
    bool ok;
    if (!may_write(s, row, slot, exists, id, len)) return OM_OK;
    struct om__staged staged = {.write = s->write, .slot = at};
    staged.old.cell = staged.fresh.cell = OM_NO_CELL;
    if (slot->touched)
        staged.old = slot->where;
    else if (slot->in_base)
        OM_TRY(om__where_in_stack(s->stack, own(s)->geometry, slot->place,
                                  &staged.old));
    if (w->kind != OM_WRITE_DELETE) {
        staged.record = live->group.bytes.len;
        OM_TRY(make_record(s, row, slot, id, len, exists, &staged.fresh, &ok));
        if (!ok) return OM_OK;
        staged.record_len = live->group.bytes.len - staged.record;
    }
    staged.kind = w->kind == OM_WRITE_DELETE ? OM_ENTRY_DELETE
                  : exists                   ? OM_ENTRY_UPDATE
                                             : OM_ENTRY_INSERT;
    uint64_t quiet;
    OM_TRY(find_quiet(s, row, slot, &quiet));
    live->undo[live->undo_count++] = (struct om__undo){at, *slot};
    if (!slot->touched) slot->was = staged.old;
    slot->touched = true;
    slot->quiet = quiet;
    slot->drawn |=
        !w->batch->pos && (w->kind != OM_WRITE_PATCH || w->geometry_given);
    slot->alive = w->kind != OM_WRITE_DELETE;
    slot->record = staged.record;
    slot->record_len = staged.record_len;
    slot->where = staged.fresh;
    live->staged[live->staged_count++] = staged;
    slot->sequence = live->sequence + live->begins + live->staged_count;
    return OM_OK;
}

/* Take back what the write has put into the group. */
static void take_back(struct staging *s)
{
    struct om_live *live = s->live;
    while (live->undo_count > 0) {
        const struct om__undo *u = &live->undo[--live->undo_count];
        struct om__slot *slot = &live->group.slot[u->slot];
        const uint32_t next = slot->next;
        *slot = u->before;
        slot->next = next;
    }
    live->staged_count = s->staged_before;
}

static om_status stage_rows(struct staging *s)
{
    struct om_write *w = s->write;
    s->live->undo_count = 0;
    w->refused = w->faults = 0;
    for (size_t row = 0; row < w->batch->rows; row++) OM_TRY(stage_row(s, row));
    return OM_OK;
}

/* Shapes of what was staged, tried together: one at a time only if that
 * fails. */
static om_status try_shapes(struct staging *s)
{
    const struct om_live *live = s->live;
    if (own(s)->geometry == OM_GEOMETRY_POINT || s->try_shapes) return OM_OK;
    struct om_record_reader *reader = NULL;
    struct om_segment *run = NULL;
    const struct om_batch *batch;
    size_t rows = 0;
    om_status st = om_record_reader_new(own(s), &reader);
    for (size_t i = s->staged_before; i < live->staged_count && !st; i++) {
        const struct om__staged *g = &live->staged[i];
        const struct om__slot *slot = &live->group.slot[g->slot];
        // A later row of the same id stands for it.
        if (g->record_len == 0 || slot->record != g->record) continue;
        rows++;
        st = om_record_read(reader, live->group.bytes.bytes + g->record,
                            g->record_len);
    }
    if (!st && rows) {
        st = om_record_batch(reader, &batch);
        if (!st) st = om_run_new(own(s), &batch, 1, NULL, &run, NULL);
    }
    om_segment_unref(run);
    om_record_reader_free(reader);
    return st;
}

bool om__live_known(struct om_live *live, struct om_write *w)
{
    struct om_journal_key key = {0};
    bool found = false;
    if (!w->key || !live->journal) return false;
    pthread_mutex_lock(&live->journal_lock);
    const om_status st =
        om_journal_key_find(live->journal, w->key, &key, &found, &w->err);
    pthread_mutex_unlock(&live->journal_lock);
    if (st) {
        w->status = st;
        return true;
    }
    if (!found) return false;
    if (key.request_hash != w->request_hash) {
        refuse(w, OM_E_EXISTS,
               "this idempotency key was used for another request");
        return true;
    }
    w->repeated = true;
    w->first = key.first;
    w->last = key.last;
    w->taken = key.taken;
    w->refused = key.refused;
    w->created = key.created;
    return true;
}

/* Rows are given their units when they are written: not without the units. */
static om_status units_known(struct om_live *live, struct om_write *w)
{
    const struct om_manifest *m = &live->base->manifest;
    for (size_t i = 0; i < m->layers; i++) {
        const char *fault = live->state[i].stack->fault;
        if (m->layer[i].unit_level[0] && fault)
            return om_fail(&w->err, OM_E_WITHHELD, 0,
                           "rows cannot be given their %s: %s",
                           m->layer[i].unit_level, fault);
    }
    return OM_OK;
}

om_status om__live_find(struct om_live *live, struct om_write *w, size_t *layer)
{
    *layer = om__live_layer(live->base, w->layer);
    if (*layer == OM_NO_FIELD)
        return om_fail(&w->err, OM_E_NOTFOUND, 0, "no layer %s", w->layer);
    const struct om_manifest_layer *meta = &live->base->manifest.layer[*layer];
    const char *fault = live->state[*layer].stack->fault;
    if (fault)
        return om_fail(&w->err, OM_E_WITHHELD, 0, "layer %s is not served: %s",
                       w->layer, fault);
    if (meta->unit_level[0])
        return om_fail(&w->err, OM_E_UNSUPPORTED, 0,
                       "%s is a level of units: those change only as a whole "
                       "(onemap import --replace)",
                       w->layer);
    if (meta->schema.count == 0)
        return om_fail(&w->err, OM_E_UNSUPPORTED, 0,
                       "layer %s has no columns yet: import it first",
                       w->layer);
    return units_known(live, w);
}

void om__live_unanswered(struct om_write *w)
{
    w->status = OM_OK;
    w->err = (struct om_err){0};
    w->repeated = false;
    w->first = w->last = 0;
    w->taken = w->refused = w->created = w->faults = 0;
    w->fault = NULL;
}

void om__live_stage(struct om_live *live, struct om_write *w)
{
    struct staging s = {
        .live = live, .write = w, .staged_before = live->staged_count};
    om__live_unanswered(w);
    if (om__live_known(live, w)) return;
    om_status st = om__live_find(live, w, &s.layer);
    if (!st) {
        s.meta = &live->base->manifest.layer[s.layer];
        s.stack = live->state[s.layer].stack;
        s.veils = om__veils_at(live, s.layer);
    }
    if (!st && w->look) st = om__looked_init(&s.looked, w->look, s.stack);
    if (!st && (w->kind == OM_WRITE_PATCH || w->unseen)) st = read_old(&s);
    if (!st) st = stage_rows(&s);
    if (!st) {
        st = try_shapes(&s);
        if (st == OM_E_GEOMETRY) {
            take_back(&s);
            s.try_shapes = true;
            st = stage_rows(&s);
        }
    }
    drop_old(&s);
    om__looked_deinit(&s.looked);
    if (st == OM_E_DAMAGED)
        st = om_fail(&w->err, OM_E_WITHHELD, 0,
                     "%s: its files are damaged where this is to be written "
                     "(onemap verify says what)",
                     w->layer);
    if (st && !w->err.text[0])
        om_fail(&w->err, st, 0, "%s: %s", w->layer, om_status_text(st));
    w->status = st;
    if (!st && w->refused && !w->partial) {
        const struct om_write_fault *f = w->fault;
        w->status = f ? om_fail(&w->err, f->status, f->row, "row %zu: %s",
                                f->row + 1, f->text)
                      : om_fail(&w->err, OM_E_MEMORY, 0, "out of memory");
    }
    if (w->status) take_back(&s);
    const size_t rows = live->staged_count - s.staged_before;
    w->taken = rows;
    w->created = 0;
    if (!rows) return;
    for (size_t i = s.staged_before; i < live->staged_count; i++)
        w->created += live->staged[i].kind == OM_ENTRY_INSERT;
    w->first = live->sequence + live->begins + s.staged_before + 1;
    w->last = w->first + rows - 1;
}
