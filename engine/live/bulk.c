// bulk.c - a write of very many rows, made ready before its turn comes.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/record.h"
#include "engine/layer/build.h"
#include "engine/live/changes.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * As a group, sixty thousand rows would hold up all others for a quarter of a
 * second. What they will be depends on nobody else, so whoever brings them
 * makes it in his own time: packs for the journal, the run, where each row
 * lies. When it is the write's turn its packs are written a piece at a time,
 * between groups of others, and nothing can be seen of them (data/city/
 * journal_pack.c). Then, in one group, what was in the place of the rows is
 * looked up (look.c), the entries that make the packs count are written, and
 * the run comes on top of the layer.
 *
 * All of this is for the write that most are: rows of which each is new or in
 * the place of another, none twice and none refused. Whatever else it turns out
 * to be, or where the layer has meanwhile got other columns or units, it goes
 * the way of all others (stage.c, commit.c), which knows what to answer. */

/* Bytes of a pack, and of packs that are written at a time: some milliseconds.
 */
#define PACK_BYTES ((size_t)256 << 10)
#define PIECE_BYTES ((size_t)1 << 20)

struct pack {
    struct om_buf bytes, was;
    size_t rows;
    uint64_t number;  // in the journal
};

/* The cells of rows in rising order, where each lies in one. */
struct cells {
    size_t count;
    uint64_t *cell;  // [count]
    uint32_t *row;   // [count]
};

struct om__bulk {
    struct om__base *base;
    struct om_joiner *joiner;
    size_t layer, rows;
    uint64_t *hash;               // [rows] of om__newest
    struct om__where *now, *old;  // [rows]
    enum om_entry_kind *kind;     // [rows]
    uint64_t *quiet;              // [rows]
    struct om__kill *kill;        // [rows]
    struct cells now_cells, old_cells;
    struct om__kill *was;      // [rows] in its place; kill gets sorted
    struct om_change *change;  // [rows], scratch
    uint64_t *veiled;          // [rows], scratch
    struct om_segment *run;
    size_t packs;
    struct pack *pack;
    unsigned journals;  // the opening of the journal in which
    size_t written;     // packs are
};

static void cells_free(struct cells *c)
{
    om_free(c->cell);
    om_free(c->row);
    *c = (struct cells){0};
}

static bool reaches(const struct om__where *where)
{
    const struct om_box *b = &where->box;
    return b->x0 || b->y0 || b->x1 || b->y1;
}

static om_status cells_sort(struct cells *c, const struct om__where *where,
                            size_t rows)
{
    uint64_t *cell = om_alloc_array(rows + 1, sizeof *cell);
    uint32_t *row = om_alloc_array(rows + 1, sizeof *row);
    cells_free(c);
    c->cell = om_alloc_array(rows + 1, sizeof *c->cell);
    c->row = om_alloc_array(rows + 1, sizeof *c->row);
    om_status st = cell && row && c->cell && c->row ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; !st && i < rows; i++) {
        if (where[i].cell == OM_NO_CELL || reaches(&where[i])) continue;
        c->cell[c->count] = where[i].cell;
        c->row[c->count++] = (uint32_t)i;
    }
    if (!st) st = om_sort_keys(c->cell, c->row, cell, row, c->count);
    om_free(cell);
    om_free(row);
    return st;
}

void om__bulk_free(struct om__bulk *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->packs; i++) {
        om_buf_deinit(&b->pack[i].bytes);
        om_buf_deinit(&b->pack[i].was);
    }
    om_free(b->pack);
    om_free(b->hash);
    om_free(b->now);
    om_free(b->old);
    om_free(b->kind);
    om_free(b->quiet);
    om_free(b->kill);
    om_free(b->was);
    om_free(b->change);
    om_free(b->veiled);
    cells_free(&b->now_cells);
    cells_free(&b->old_cells);
    om_segment_unref(b->run);
    om__base_unref(b->base);
    om_joiner_unref(b->joiner);
    om_free(b);
}

/* ---- making it ready ---- */

static const struct om_manifest_layer *meta_of(const struct om__bulk *b)
{
    return &b->base->manifest.layer[b->layer];
}

static const char *id_of(const struct om__bulk *b, const struct om_write *w,
                         size_t row, size_t *len)
{
    const struct om_batch_column *c =
        &w->batch->column[meta_of(b)->schema.id_field];
    *len = 0;
    if (c->valid && !om_bit(c->valid, row)) return "";
    *len = c->offset[row + 1] - c->offset[row];
    return c->bytes + c->offset[row];
}

static om_status room(struct om__bulk *b)
{
    b->hash = om_alloc_array(b->rows, sizeof *b->hash);
    b->now = om_alloc_array(b->rows, sizeof *b->now);
    b->old = om_alloc_array(b->rows, sizeof *b->old);
    b->kind = om_alloc_array(b->rows, sizeof *b->kind);
    b->quiet = om_calloc(b->rows, sizeof *b->quiet);
    b->kill = om_alloc_array(b->rows, sizeof *b->kill);
    b->pack = om_calloc(b->rows, sizeof *b->pack);
    b->was = om_alloc_array(b->rows, sizeof *b->was);
    b->change = om_alloc_array(b->rows, sizeof *b->change);
    b->veiled = om_alloc_array(b->rows, sizeof *b->veiled);
    return b->hash && b->now && b->old && b->kind && b->quiet && b->kill &&
                   b->pack && b->was && b->change && b->veiled
               ? OM_OK
               : OM_E_MEMORY;
}

/* Hashes of the rows; *once: none has the id of another, and each has one. */
static om_status hash_rows(struct om__bulk *b, const struct om_write *w,
                           bool *once)
{
    size_t slots = 64;
    while (slots < 2 * b->rows) slots *= 2;
    uint64_t *slot = om_calloc(slots, sizeof *slot);
    if (!slot) return OM_E_MEMORY;
    *once = true;
    for (size_t i = 0; i < b->rows && *once; i++) {
        size_t len;
        const char *id = id_of(b, w, i, &len);
        b->hash[i] = om__newest_hash(meta_of(b)->name, id, len);
        size_t at = (size_t)b->hash[i] & (slots - 1);
        while (slot[at] && slot[at] != b->hash[i]) at = (at + 1) & (slots - 1);
        *once = !slot[at] && len && len <= OM_LIMIT_TEXT_BYTES;
        slot[at] = b->hash[i];
    }
    om_free(slot);
    return OM_OK;
}

static om_status add_row(struct om__bulk *b, const struct om_write *w,
                         size_t row, struct om_buf *record)
{
    struct pack *pack = b->packs ? &b->pack[b->packs - 1] : NULL;
    if (!pack || pack->rows == OM_PACK_ROWS || pack->bytes.len >= PACK_BYTES)
        pack = &b->pack[b->packs++];
    om_buf_clear(record);
    OM_TRY(om_record_add(&meta_of(b)->schema, w->batch, row, record));
    b->now[row] = om__where_in_batch(w->batch, row);
    if (b->now[row].cell == OM_NO_CELL) return OM_E_GEOMETRY;
    struct om_entry e = {.new_row = record->bytes,
                         .new_len = record->len,
                         .new_cell = b->now[row].cell,
                         .new_box = b->now[row].box};
    e.id = id_of(b, w, row, &e.id_len);
    pack->rows++;
    return om_pack_add(&pack->bytes, &e);
}

static om_status make(struct om__bulk *b, const struct om_write *w,
                      bool *usable)
{
    struct om_buf record = {0};
    OM_TRY(room(b));
    OM_TRY(hash_rows(b, w, usable));
    if (!*usable) return OM_OK;
    om_status st = OM_OK;
    for (size_t i = 0; i < b->rows && !st; i++) st = add_row(b, w, i, &record);
    om_buf_deinit(&record);
    if (!st) st = cells_sort(&b->now_cells, b->now, b->rows);
    if (!st)
        st = om_run_new(&meta_of(b)->schema, &w->batch, 1, b->joiner, &b->run,
                        NULL);
    // Some row that the layer cannot take: who is told is found out later.
    *usable = !st && om_segment_rows(b->run) == b->rows;
    return st == OM_E_MEMORY ? st : OM_OK;
}

void om__bulk_make(struct om_live *live, struct om_write *w)
{
    const bool suits = w->kind == OM_WRITE_PUT || w->kind == OM_WRITE_INSERT;
    struct om__view_of_layer view;
    if (!suits || w->unseen || w->batch->rows < live->options.bulk_rows ||
        w->if_sequence || w->bulk)
        return;
    if (w->kind == OM_WRITE_INSERT && om__look_found(w->look)) return;
    if (om__live_view(live, &view, NULL)) return;
    const size_t layer = om__live_layer(view.base, w->layer);
    struct om__bulk *b = NULL;
    bool usable = layer != OM_NO_FIELD && !view.state[layer].stack->fault &&
                  !view.base->manifest.layer[layer].unit_level[0] &&
                  view.base->manifest.layer[layer].schema.count;
    if (usable) b = om_calloc(1, sizeof *b);
    if (b) {
        b->base = om__base_ref(view.base);
        b->joiner = om_joiner_ref(view.joiner);
        b->layer = layer;
        b->rows = w->batch->rows;
        if (make(b, w, &usable)) usable = false;
    }
    om__live_view_end(&view);
    if (usable)
        w->bulk = b;
    else
        om__bulk_free(b);
}

/* ---- written ahead ---- */

static om_status write_piece(struct om_live *live, struct om__bulk *b,
                             struct om_err *err)
{
    size_t bytes = 0, upto = b->written;
    OM_TRY(om_journal_begin(live->journal, err));
    om_status st = OM_OK;
    for (; upto < b->packs && bytes < PIECE_BYTES && !st; upto++) {
        struct pack *pack = &b->pack[upto];
        st = om_journal_pack(live->journal, &pack->bytes, &pack->number, err);
        bytes += pack->bytes.len;
    }
    if (st) {
        om_journal_rollback(live->journal);
        return st;
    }
    OM_TRY(om_journal_commit(live->journal, err));
    b->written = upto;
    live->unsettled_bytes += bytes;
    return OM_OK;
}

static om_status write_ahead(struct om_live *live, struct om__bulk *b,
                             struct om_err *err)
{
    OM_TRY(om__live_journal(live, err));
    pthread_mutex_lock(&live->journal_lock);
    const om_status st = write_piece(live, b, err);
    om__live_look_after(live, st);
    pthread_mutex_unlock(&live->journal_lock);
    b->journals = live->journals;
    return st;
}

bool om__bulk_step(struct om_live *live, struct om_write *w)
{
    struct om__bulk *b = w->bulk;
    // Packs of a journal that was opened again since are gone.
    if (b->written && b->journals != live->journals) b->written = 0;
    if (b->written == 0) {
        om__live_unanswered(w);
        if (om__live_known(live, w)) return true;
    }
    if (b->written == b->packs) return true;
    w->status = write_ahead(live, b, &w->err);
    om__live_step("ahead");
    return w->status != OM_OK;
}

static void drop_packs(struct om_live *live, struct om__bulk *b)
{
    uint64_t *number = NULL;
    if (!b->written || !live->journal || b->journals != live->journals) return;
    number = om_alloc_array(b->written, sizeof *number);
    for (size_t i = 0; number && i < b->written; i++)
        number[i] = b->pack[i].number;
    pthread_mutex_lock(&live->journal_lock);
    const om_status st =
        number ? om_journal_drop_packs(live->journal, number, b->written, NULL)
               : OM_E_MEMORY;
    if (st) om__live_look_after(live, st);
    pthread_mutex_unlock(&live->journal_lock);
    om_free(number);
}

/* ---- its turn ---- */

/* Is the layer what the run was made for? */
static bool fits(const struct om_live *live, const struct om__bulk *b,
                 size_t layer)
{
    const struct om_manifest_layer *now = &live->base->manifest.layer[layer];
    return layer == b->layer && live->joiner == b->joiner &&
           !strcmp(now->name, meta_of(b)->name) &&
           now->base_commit == meta_of(b)->base_commit;
}

/* What was in the place of each row. *kills of them are to go. OM_E_EXISTS: not
 * all rows can be taken. */
static om_status look_back(struct om_live *live, const struct om_write *w,
                           const struct om__looked *looked, size_t *kills)
{
    struct om__bulk *b = w->bulk;
    const enum om_geometry geometry = meta_of(b)->schema.geometry;
    const struct om__veils_of_layer *veils = om__veils_at(live, b->layer);
    *kills = 0;
    for (size_t i = 0; i < b->rows; i++) {
        size_t len;
        const char *id = id_of(b, w, i, &len);
        struct om__kill *at = &b->kill[*kills];
        const om_status st =
            om__looked_find(looked, i, id, len, &live->finder, at);
        if (st && st != OM_E_NOTFOUND) return st;
        if (!st && w->kind == OM_WRITE_INSERT) return OM_E_EXISTS;
        b->kind[i] = st ? OM_ENTRY_INSERT : OM_ENTRY_UPDATE;
        b->quiet[i] = veils ? veils->crowds : 0;
        b->old[i] = (struct om__where){.cell = OM_NO_CELL};
        if (st) continue;
        OM_TRY(om__where_in_stack(looked->now, geometry, *at, &b->old[i]));
        if (veils)
            OM_TRY(om__quiet_row(looked->now->part[at->part].segment, at->row,
                                 &meta_of(b)->schema, w, i, veils,
                                 &live->quiet_reader, &b->quiet[i]));
        b->was[i] = *at;
        ++*kills;
    }
    return OM_OK;
}

static om_status fill_was(struct om__bulk *b)
{
    for (size_t p = 0, row = 0; p < b->packs; p++) {
        struct pack *pack = &b->pack[p];
        om_buf_clear(&pack->was);
        for (size_t i = 0; i < pack->rows; i++, row++) {
            const struct om_entry e = {.kind = b->kind[row],
                                       .old_cell = b->old[row].cell,
                                       .old_box = b->old[row].box};
            OM_TRY(om_pack_add_was(&pack->was, &e));
        }
    }
    return OM_OK;
}

/* The layer with the run on top, and the next snapshot. */
static om_status prepare(struct om_live *live, struct om__bulk *b, size_t kills,
                         struct om__fresh *f, struct om_err *err)
{
    const struct om_manifest *m = &live->base->manifest;
    struct om__stack *killed = NULL, *stack = NULL;
    f->state = om__states_copy(live->state, m->layers);
    if (!f->state) return OM_E_MEMORY;
    f->last = f->first + b->rows - 1;
    for (size_t i = 0; i < m->layers; i++) f->state[i].upto = f->last;
    struct om__layer_state *s = &f->state[b->layer];
    om__live_note_layer(s, f->last, om__live_time(live, f));
    om_status st = om__stack_kill(s->stack, b->kill, kills, &killed);
    if (!st)
        st = om__stack_splice(killed, killed->parts, killed->parts, b->run,
                              NULL, false, &stack);
    om__stack_unref(killed);
    OM_TRY(st);
    om__stack_unref(s->stack);
    s->stack = stack;
    return om__live_snapshot(live, live->base, f->state, f->last,
                             m->clock_s ? f->clock_s : 0, &f->snapshot, err);
}

static om_status add_packs(struct om_live *live, void *ctx,
                           const struct om__fresh *f, struct om_err *err)
{
    const struct om_write *w = ctx;
    const struct om__bulk *b = w->bulk;
    struct om_entry e = {.layer = meta_of(b)->name,
                         .at_ms = f->at_ms,
                         .clock_s = f->clock_s,
                         .who = w->who ? w->who : ""};
    uint64_t next = f->first;
    for (size_t i = 0; i < b->packs; i++) {
        const struct pack *pack = &b->pack[i];
        OM_TRY(om_journal_add_pack(live->journal, &e, pack->number, pack->rows,
                                   &pack->was, err));
        live->unsettled_bytes += pack->was.len;
        if (e.sequence != next)
            return om_fail(err, OM_E_INTERNAL, 0,
                           "the journal gave sequence %llu, not %llu",
                           (unsigned long long)e.sequence,
                           (unsigned long long)next);
        next += pack->rows;
    }
    return OM_OK;
}

static void raise_cells(struct om_live *live, struct om__bulk *b,
                        const struct cells *c, const struct om__fresh *f)
{
    const char *layer = meta_of(b)->name;
    const int64_t at_s = om__live_time(live, f);
    bool areas;
    for (size_t i = 0; i < c->count; i++) {
        b->change[i] = (struct om_change){c->cell[i], f->first + c->row[i]};
        b->veiled[i] = b->quiet[c->row[i]];
    }
    om_changes_add_all(live->changes, layer, b->change, c->count, at_s);
    if (om_changes_told(live->changes, layer, &areas))
        om_changes_tell_all(live->changes, layer, b->change, b->veiled,
                            c->count, at_s);
}

/* A row as audiences are told of it. */
struct row_of {
    const struct om_live *live;
    const struct om_write *write;
    uint64_t first;
};

static om_status row_told(void *ctx, size_t i, struct om__row_written *out)
{
    const struct row_of *of = ctx;
    const struct om__bulk *b = of->write->bulk;
    out->told = (struct om_row_told){.sequence = of->first + i,
                                     .quiet = b->quiet[i],
                                     .old = om__live_place(b->old[i]),
                                     .fresh = om__live_place(b->now[i])};
    out->id = id_of(b, of->write, i, &out->id_len);
    if (b->kind[i] == OM_ENTRY_INSERT) return OM_OK;
    const struct om__kill *at = &b->was[i];
    out->was = of->live->state[b->layer].stack->part[at->part].segment;
    out->was_row = at->row;
    return OM_OK;
}

/* Shapes are compared once they are made. */
static void quiet_shapes(struct om_live *live, const struct om_write *w,
                         const struct om__fresh *f)
{
    struct om__bulk *b = w->bulk;
    if (meta_of(b)->schema.geometry == OM_GEOMETRY_POINT) return;
    for (size_t i = 0; i < b->rows; i++) {
        size_t len;
        const char *id = id_of(b, w, i, &len);
        if (b->kind[i] == OM_ENTRY_INSERT) continue;
        const struct om__kill *at = &b->was[i];
        om__live_quiet_shape(
            live, b->layer, f, id, len,
            live->state[b->layer].stack->part[at->part].segment, at->row,
            &b->quiet[i]);
    }
}

/* As om__live_change for each row, the map of changes cell by cell. */
static void tell_changes(struct om_live *live, const struct om_write *w,
                         const struct om__fresh *f)
{
    struct om__bulk *b = w->bulk;
    const char *layer = meta_of(b)->name;
    const int64_t at_s = om__live_time(live, f);
    struct row_of of = {live, w, f->first};
    bool areas;
    const bool any = om_changes_told(live->changes, layer, &areas);
    if (any) quiet_shapes(live, w, f);
    raise_cells(live, b, &b->old_cells, f);
    raise_cells(live, b, &b->now_cells, f);
    for (size_t i = 0; i < b->rows; i++) {
        const uint64_t sequence = f->first + i;
        const struct om__where *old = reaches(&b->old[i]) ? &b->old[i] : NULL;
        const struct om__where *now = reaches(&b->now[i]) ? &b->now[i] : NULL;
        struct om_row_told told = {.sequence = sequence,
                                   .quiet = b->quiet[i],
                                   .old.cell = OM_NO_CELL,
                                   .fresh.cell = OM_NO_CELL};
        if (old) om__live_map_row(live->changes, layer, *old, sequence, at_s);
        if (now) om__live_map_row(live->changes, layer, *now, sequence, at_s);
        if (old) told.old = om__live_place(*old);
        if (now) told.fresh = om__live_place(*now);
        if (any && (old || now))
            om_changes_tell(live->changes, layer, &told, 1, at_s);
        om__live_list(live, f, i, layer, b->kind[i], b->quiet[i], b->old[i],
                      b->now[i]);
    }
    if (any && areas)
        om__live_tell_rows(live, b->layer, f, row_told, &of, b->rows, at_s);
}

static void note_rows(struct om_live *live, void *ctx, uint64_t first)
{
    const struct om__bulk *b = ctx;
    om__newest_note_all(&live->newest, b->hash, b->rows, first);
}

static void set_answer(struct om_write *w, const struct om__fresh *f)
{
    const struct om__bulk *b = w->bulk;
    w->taken = b->rows;
    w->first = f->first;
    w->last = f->last;
    for (size_t i = 0; i < b->rows; i++)
        w->created += b->kind[i] == OM_ENTRY_INSERT;
}

static om_status commit(struct om_live *live, struct om_write *w, size_t kills,
                        struct om__fresh *f, struct om_err *err)
{
    struct om__bulk *b = w->bulk;
    OM_TRY(fill_was(b));
    OM_TRY(cells_sort(&b->old_cells, b->old, kills ? b->rows : 0));
    OM_TRY(prepare(live, b, kills, f, err));
    OM_TRY(om__live_room(live, b->rows));
    set_answer(w, f);  // keys tell it
    om__live_step("staged");
    OM_TRY(om__live_durable(live, w, f, add_packs, w, err));
    om__live_step("durable");
    tell_changes(live, w, f);
    om__live_show(live, f, b->rows, note_rows, b);
    om__live_step("visible");
    return OM_OK;
}

/* False: it has to go the way of all others. */
static bool take(struct om_live *live, struct om_write *w)
{
    struct om__looked looked = {0};
    struct om__fresh f = {.first = live->sequence + 1 + live->begins,
                          .at_ms = om_now_ms(),
                          .clock_s = live->clock_s};
    struct om_err err = {0};
    size_t layer, kills;
    om_status st = om__live_find(live, w, &layer);
    if (st) {
        w->status = st;
        return true;
    }
    if (!fits(live, w->bulk, layer)) return false;
    om_changes_adopt(live->changes, live->sequence);
    if (f.clock_s && w->clock_s > f.clock_s) f.clock_s = w->clock_s;
    st = om__looked_init(&looked, w->look, live->state[layer].stack);
    if (!st) st = look_back(live, w, &looked, &kills);
    if (!st) st = commit(live, w, kills, &f, &err);
    om__looked_deinit(&looked);
    if (f.state) om__states_free(f.state, live->base->manifest.layers);
    om_snapshot_unref(f.snapshot);
    if (st == OM_E_EXISTS) return false;
    if (!st) return true;
    om__live_unanswered(w);
    w->status = st;
    if (!err.text[0]) om_fail(&err, st, 0, "%s", om_status_text(st));
    w->err = err;
    om_log(OM_LOG_ERROR, "live", "%zu rows were not written: %s",
           w->batch->rows, err.text);
    return true;
}

void om__bulk_finish(struct om_live *live, struct om_write *w)
{
    const bool answered =
        w->status || w->repeated || om__live_known(live, w) || take(live, w);
    if (!answered || w->status || w->repeated) drop_packs(live, w->bulk);
    if (!answered) {
        om__live_commit(live, w);
        return;
    }
    om_live_look_end(w);
    om__live_answer(live, w);
}
