// journal_rows.c - entries and rows as the tables have them; a row's last.
#include <assert.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/city/journal_internal.h"

#define HAS_OLD 1u
#define HAS_NEW 2u
#define REACH_WORDS 8

// ---- one entry ----

static bool reaches(const struct om_entry *entry)
{
    static const struct om_box NONE = {0, 0, 0, 0};
    return memcmp(&entry->old_box, &NONE, sizeof NONE) != 0 ||
           memcmp(&entry->new_box, &NONE, sizeof NONE) != 0;
}

static void reach_pack(const struct om_entry *entry,
                       uint8_t out[REACH_WORDS * 4])
{
    const struct om_box *o = &entry->old_box, *n = &entry->new_box;
    const uint32_t value[REACH_WORDS] = {o->x0, o->y0, o->x1, o->y1,
                                         n->x0, n->y0, n->x1, n->y1};
    for (size_t i = 0; i < REACH_WORDS * 4; i++)
        out[i] = (uint8_t)(value[i / 4] >> 8 * (i % 4));
}

static void reach_unpack(const uint8_t in[REACH_WORDS * 4],
                         struct om_entry *entry)
{
    uint32_t v[REACH_WORDS] = {0};
    for (size_t i = 0; i < REACH_WORDS * 4; i++)
        v[i / 4] |= (uint32_t)in[i] << 8 * (i % 4);
    entry->old_box = (struct om_box){v[0], v[1], v[2], v[3]};
    entry->new_box = (struct om_box){v[4], v[5], v[6], v[7]};
}

static unsigned parts_of(const struct om_entry *entry)
{
    return (entry->old_row ? HAS_OLD : 0) | (entry->new_row ? HAS_NEW : 0);
}

static uint64_t entry_mark(int64_t layer, unsigned has,
                           const struct om_entry *e)
{
    const uint64_t value[] = {e->sequence,
                              (uint64_t)e->kind,
                              (uint64_t)layer,
                              (uint64_t)e->at_ms,
                              (uint64_t)e->clock_s,
                              e->old_cell,
                              e->new_cell,
                              e->commit,
                              has};
    uint8_t reach[REACH_WORDS * 4];
    reach_pack(e, reach);
    uint64_t hash = om_hash64(value, sizeof value, 0);
    hash = om_hash64(reach, sizeof reach, hash);
    hash = om_hash64(e->id, e->id_len, hash);
    return om_hash64(e->who, e->who ? strlen(e->who) : 0, hash);
}

static om_status bind_cell(struct om_db_row *row, int i, uint64_t cell)
{
    return cell == OM_NO_CELL ? om_db_set_null(row, i)
                              : om_db_set_integer(row, i, (int64_t)cell);
}

om_status om__journal_entry_bind(struct om_db_row *row, int64_t layer,
                                 const struct om_entry *e)
{
    // Borrowed until the statement is reset, which is after it has run.
    static _Thread_local uint8_t reach[REACH_WORDS * 4];
    const unsigned has = parts_of(e);
    const bool who = e->who && e->who[0];
    OM_TRY(om_db_set_integer(row, 1, (int64_t)e->sequence));
    OM_TRY(om_db_set_integer(row, 2, e->kind));
    OM_TRY(om_db_set_integer(row, 3, layer));
    OM_TRY(om_db_set_text(row, 4, e->id ? e->id : "", e->id ? e->id_len : 0));
    OM_TRY(om_db_set_integer(row, 5, e->at_ms));
    OM_TRY(om_db_set_integer(row, 6, e->clock_s));
    OM_TRY(bind_cell(row, 7, e->old_cell));
    OM_TRY(bind_cell(row, 8, e->new_cell));
    if (reaches(e)) {
        reach_pack(e, reach);
        OM_TRY(om_db_set_bytes(row, 9, reach, sizeof reach));
    } else {
        OM_TRY(om_db_set_null(row, 9));
    }
    OM_TRY(
        om_db_set_text(row, 10, who ? e->who : NULL, who ? strlen(e->who) : 0));
    OM_TRY(om_db_set_integer(row, 11, (int64_t)e->commit));
    OM_TRY(om_db_set_integer(row, 12, has));
    return om_db_set_integer(row, 13, (int64_t)entry_mark(layer, has, e));
}

bool om__journal_entry_read(struct om_db_row *row, int64_t *layer,
                            unsigned *has, struct om_entry *out)
{
    size_t len;
    *out = (struct om_entry){.sequence = (uint64_t)om_db_integer(row, 0)};
    const int64_t kind = om_db_integer(row, 1);
    if (kind < OM_ENTRY_INSERT || kind > OM_ENTRY_COMMIT) return false;
    out->kind = (enum om_entry_kind)kind;
    *layer = om_db_integer(row, 2);
    out->id = om_db_text(row, 3, &out->id_len);
    out->at_ms = om_db_integer(row, 4);
    out->clock_s = om_db_integer(row, 5);
    out->old_cell =
        om_db_is_null(row, 6) ? OM_NO_CELL : (uint64_t)om_db_integer(row, 6);
    out->new_cell =
        om_db_is_null(row, 7) ? OM_NO_CELL : (uint64_t)om_db_integer(row, 7);
    const void *reach = om_db_bytes(row, 8, &len);
    if (reach && len == REACH_WORDS * 4)
        reach_unpack(reach, out);
    else if (reach)
        return false;
    const char *who = om_db_text(row, 9, &len);
    out->who = who ? who : "";
    out->commit = (uint64_t)om_db_integer(row, 10);
    *has = (unsigned)om_db_integer(row, 11);
    return out->id &&
           (uint64_t)om_db_integer(row, 12) == entry_mark(*layer, *has, out);
}

static uint64_t row_mark(const struct om_entry *e)
{
    const uint64_t hash =
        om_hash64(e->old_row, e->old_row ? e->old_len : 0, e->sequence);
    return om_hash64(e->new_row, e->new_row ? e->new_len : 0, hash);
}

om_status om__journal_row_bind(struct om_db_row *row, const struct om_entry *e)
{
    OM_TRY(om_db_set_integer(row, 1, (int64_t)e->sequence));
    if (e->old_row)
        OM_TRY(om_db_set_bytes(row, 2, e->old_row, e->old_len));
    else
        OM_TRY(om_db_set_null(row, 2));
    if (e->new_row)
        OM_TRY(om_db_set_bytes(row, 3, e->new_row, e->new_len));
    else
        OM_TRY(om_db_set_null(row, 3));
    return om_db_set_integer(row, 4, (int64_t)row_mark(e));
}

/* A blob of column i: what is not there is NULL, an empty one is not. */
static const void *blob(struct om_db_row *row, int i, size_t *len)
{
    const void *bytes = om_db_bytes(row, i, len);
    return !bytes && !om_db_is_null(row, i) ? "" : bytes;
}

bool om__journal_row_read(struct om_db_row *row, int column, unsigned has,
                          struct om_entry *out)
{
    if (has == 0) return true;
    if (om_db_is_null(row, column + 2)) return false;
    out->old_row = blob(row, column, &out->old_len);
    out->new_row = blob(row, column + 1, &out->new_len);
    return parts_of(out) == has &&
           (uint64_t)om_db_integer(row, column + 2) == row_mark(out);
}

// ---- the last entry of a row, in memory ----

uint64_t om__journal_row_hash(int64_t layer, const char *id, size_t len)
{
    return om_hash64(id, len, (uint64_t)layer);
}

static size_t place(const struct om__journal_rows *rows, uint64_t hash)
{
    size_t i = hash & (rows->room - 1);
    while (rows->slot[i].next && rows->slot[i].hash != hash)
        i = (i + 1) & (rows->room - 1);
    return i;
}

uint64_t om__journal_rows_get(const struct om__journal_rows *rows,
                              uint64_t hash)
{
    return rows->room ? rows->slot[place(rows, hash)].next : 0;
}

/* A new table with room for `count`, and in it what is still of use: so
 * trimming gives memory back. */
static om_status rows_move(struct om__journal_rows *rows, uint64_t floor,
                           uint64_t count)
{
    struct om__journal_rows moved = {.room = 1024};
    while (moved.room / 4 * 3 < count) moved.room *= 2;
    moved.slot = om_calloc(moved.room, sizeof *moved.slot);
    if (!moved.slot) return OM_E_MEMORY;
    for (size_t i = 0; i < rows->room; i++) {
        const struct om__journal_slot *slot = &rows->slot[i];
        if (slot->next <= floor + 1) continue;
        moved.slot[place(&moved, slot->hash)] = *slot;
        moved.used++;
    }
    om_free(rows->slot);
    *rows = moved;
    return OM_OK;
}

static om_status rows_grow(struct om__journal_rows *rows, uint64_t floor)
{
    uint64_t living = 0;
    for (size_t i = 0; i < rows->room; i++)
        living += rows->slot[i].next > floor + 1;
    // Half as many again, so that the next time is far.
    return rows_move(rows, floor, living + living / 2 + 1);
}

om_status om__journal_rows_put(struct om__journal_rows *rows, uint64_t floor,
                               uint64_t hash, uint64_t next, uint64_t *before)
{
    // Room first: what is there can always be changed back.
    size_t i = rows->room ? place(rows, hash) : 0;
    if (!rows->room || !rows->slot[i].next) {
        if (rows->used + 1 > rows->room / 4 * 3) OM_TRY(rows_grow(rows, floor));
        i = place(rows, hash);
    }
    struct om__journal_slot *slot = &rows->slot[i];
    *before = slot->next;
    if (!slot->next) rows->used++;
    *slot = (struct om__journal_slot){hash, next};
    return OM_OK;
}

static om_status undo_room(struct om_journal *j)
{
    if (j->undos < j->undo_room) return OM_OK;
    const size_t room = j->undo_room ? j->undo_room * 2 : 256;
    void *grown = om_realloc(j->undo, room * sizeof *j->undo);
    if (!grown) return OM_E_MEMORY;
    j->undo = grown;
    j->undo_room = room;
    return OM_OK;
}

static om_status index_entry(struct om_journal *j, size_t layer,
                             const struct om_entry *e,
                             struct om__journal_undo *undo)
{
    *undo = (struct om__journal_undo){.layer = SIZE_MAX};
    if (e->kind == OM_ENTRY_COMMIT) {
        undo->layer = layer;
        undo->next = j->layer[layer].commit;
        j->layer[layer].commit = e->sequence;
        return OM_OK;
    }
    undo->hash = om__journal_row_hash(j->layer[layer].number, e->id, e->id_len);
    return om__journal_rows_put(&j->rows, j->now.floor, undo->hash,
                                e->sequence + 1, &undo->next);
}

om_status om__journal_note(struct om_journal *j, size_t layer,
                           const struct om_entry *e)
{
    struct om__journal_undo undo;
    assert(layer < j->layers);
    if (e->kind == OM_ENTRY_COMMIT && e->commit > j->now.noted)
        j->now.noted = e->commit;
    if (e->clock_s) j->now.clock_s = e->clock_s;
    if (!j->indexed) return OM_OK;
    OM_TRY(undo_room(j));
    OM_TRY(index_entry(j, layer, e, &undo));
    j->undo[j->undos++] = undo;
    return OM_OK;
}

void om__journal_index_drop(struct om_journal *j)
{
    om_free(j->rows.slot);
    j->rows = (struct om__journal_rows){0};
    for (size_t i = 0; i < j->layers; i++) j->layer[i].commit = 0;
    j->indexed = j->indexed_in_group = false;
}

void om__journal_undo(struct om_journal *j)
{
    // One that was made in this group knows no way back.
    if (j->indexed_in_group) om__journal_index_drop(j);
    for (size_t i = j->indexed ? j->undos : 0; i-- > 0;) {
        const struct om__journal_undo *u = &j->undo[i];
        uint64_t before;
        if (u->layer != SIZE_MAX)
            j->layer[u->layer].commit = u->next;
        else if (om__journal_rows_put(&j->rows, j->now.floor, u->hash,
                                      u->next ? u->next : 1, &before))
            om__journal_index_drop(j);
    }
    j->undos = 0;
}

struct indexing {
    struct om_journal *journal;
    om_status st;
};

static bool index_one(void *ctx, const struct om_entry *e)
{
    struct indexing *in = ctx;
    struct om__journal_undo undo;
    in->st = index_entry(
        in->journal, om__journal_layer_named(in->journal, e->layer), e, &undo);
    return !in->st;
}

/* The first who asks pays for all. */
static om_status index_make(struct om_journal *j, struct om_err *err)
{
    struct indexing in = {j, OM_OK};
    if (j->indexed) return OM_OK;
    om_status st =
        rows_move(&j->rows, j->now.floor, j->now.last - j->now.floor);
    if (!st) st = om_journal_each(j, 0, 0, false, index_one, &in, err);
    if (!st) st = in.st;
    j->indexed = true;
    j->indexed_in_group = j->grouped;
    if (st) om__journal_index_drop(j);
    return st;
}

/* One number out of a statement whose parameters are set. */
static om_status ask(struct om_db_row *row, uint64_t *out, struct om_err *err)
{
    bool more;
    OM_TRY(om_db_step(row, &more, err));
    if (more) *out = (uint64_t)om_db_integer(row, 0);
    om_db_reset(row);
    return OM_OK;
}

static om_status ask_file(struct om_journal *j, size_t layer, const char *id,
                          size_t len, uint64_t *out, struct om_err *err)
{
    struct om_db_row *row;
    OM_TRY(om__journal_statement(j, OM__LAST_OF_ROW, &row, err));
    OM_TRY(om_db_set_integer(row, 1, j->layer[layer].number));
    OM_TRY(om_db_set_text(row, 2, id, len));
    return ask(row, out, err);
}

static om_status ask_memory(struct om_journal *j, size_t layer, const char *id,
                            size_t len, uint64_t *out, struct om_err *err)
{
    const int64_t number = j->layer[layer].number;
    const uint64_t next =
        om__journal_rows_get(&j->rows, om__journal_row_hash(number, id, len));
    if (next <= j->now.floor + 1) return OM_OK;
    // Two ids of one hash are not expected, and do no harm.
    struct om_db_row *row;
    bool more, same = false;
    OM_TRY(om__journal_statement(j, OM__GET_ROW, &row, err));
    OM_TRY(om_db_set_integer(row, 1, (int64_t)(next - 1)));
    OM_TRY(om_db_step(row, &more, err));
    if (more) {
        size_t there_len;
        const char *there = om_db_text(row, 1, &there_len);
        same = om_db_integer(row, 0) == number && there && there_len == len &&
               memcmp(there, id, len) == 0;
        om_db_reset(row);
    }
    if (!same) return ask_file(j, layer, id, len, out, err);
    *out = next - 1;
    return OM_OK;
}

/* The newest COMMIT of a layer. */
static om_status commit_of(struct om_journal *j, size_t layer, uint64_t *out,
                           struct om_err *err)
{
    if (layer == SIZE_MAX) return OM_OK;
    if (j->mode == OM_JOURNAL_WRITE) {
        *out = j->layer[layer].commit;
        return OM_OK;
    }
    struct om_db_row *row;
    OM_TRY(om__journal_statement(j, OM__LAST_COMMIT, &row, err));
    OM_TRY(om_db_set_integer(row, 1, j->layer[layer].number));
    return ask(row, out, err);
}

om_status om_journal_row_sequence(struct om_journal *j, const char *layer,
                                  const char *id, size_t id_len, uint64_t *out,
                                  struct om_err *err)
{
    uint64_t last = 0, whole = 0, all = 0;
    OM_TRY(om__journal_look(j, err));
    if (j->mode == OM_JOURNAL_WRITE) OM_TRY(index_make(j, err));
    const size_t at = om__journal_layer_named(j, layer);
    if (at != SIZE_MAX && j->mode == OM_JOURNAL_WRITE)
        OM_TRY(ask_memory(j, at, id, id_len, &last, err));
    else if (at != SIZE_MAX)
        OM_TRY(ask_file(j, at, id, id_len, &last, err));
    OM_TRY(commit_of(j, at, &whole, err));
    OM_TRY(commit_of(j, om__journal_layer_named(j, ""), &all, err));
    if (whole > last) last = whole;
    if (all > last) last = all;
    *out = last > j->now.floor ? last : j->now.floor;
    return OM_OK;
}
