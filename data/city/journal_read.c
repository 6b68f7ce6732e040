// journal_read.c - going through a journal; letting old entries go.
#include <stdio.h>

#include "data/base/hash.h"
#include "data/city/journal_internal.h"

/* Entries that one call of om_journal_trim lets go, and keys: some 20 ms, for
 * which writes wait. */
#define TRIM_ENTRIES 2000
/* Level of the cells of entries. */
#define CELL_LEVEL 18
/* Cells into which the reach of one shape is folded; coarser ones above. */
#define FOLD_CELLS 64

// ---- entries ----

static om_status damaged_entry(const struct om_journal *j, uint64_t sequence,
                               const char *what, struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s: entry %llu %s " OM__JOURNAL_WAY_OUT, j->path,
                   (unsigned long long)sequence, what);
}

static om_status layer_name(struct om_journal *j, int64_t number,
                            const char **out, struct om_err *err)
{
    size_t at = om__journal_layer_at(j, number);
    if (at == SIZE_MAX && j->mode == OM_JOURNAL_READ) {
        OM_TRY(om__journal_layers(j, err));
        at = om__journal_layer_at(j, number);
    }
    *out = at == SIZE_MAX ? NULL : j->layer[at].name;
    return OM_OK;
}

struct visit {
    uint64_t expected, left;  // numbers: the next, and of those to give
    bool rows, ended;
    bool (*each)(void *ctx, const struct om_entry *entry);
    void *ctx;
};

static om_status give(struct om_journal *j, struct visit *v, int64_t layer,
                      struct om_entry *e, struct om_err *err)
{
    if (e->sequence != v->expected)
        return damaged_entry(j, v->expected, "is missing", err);
    OM_TRY(layer_name(j, layer, &e->layer, err));
    if (!e->layer)
        return damaged_entry(j, v->expected, "is of no known layer", err);
    v->expected++;
    v->ended = !v->each(v->ctx, e) || --v->left == 0;
    return OM_OK;
}

static om_status visit_one(struct om_journal *j, struct om_db_row *row,
                           struct visit *v, struct om_err *err)
{
    struct om_entry entry;
    int64_t layer;
    unsigned has;
    const uint64_t sequence = (uint64_t)om_db_integer(row, 0);
    if (sequence < v->expected) return OM_OK;
    if (sequence != v->expected)
        return damaged_entry(j, v->expected, "is missing", err);
    if (!om__journal_entry_read(row, &layer, &has, &entry) ||
        (v->rows &&
         !om__journal_row_read(row, OM__ENTRY_COLUMN_COUNT, has, &entry)))
        return damaged_entry(j, v->expected, "is damaged", err);
    return give(j, v, layer, &entry, err);
}

static om_status visit_packed(struct om_journal *j, struct om_db_row *row,
                              struct visit *v, struct om_err *err)
{
    struct om__unpack u;
    OM_TRY(om__unpack_begin(j, row, &u, err));
    if (u.known && u.last < v->expected) return OM_OK;
    if (!u.known || !u.sound)
        return damaged_entry(j, v->expected, "is damaged", err);
    while (u.left > 0 && !v->ended) {
        if (!om__unpack_next(&u))
            return damaged_entry(j, v->expected, "is damaged", err);
        if (u.entry.sequence < v->expected) continue;
        struct om_entry entry = u.entry;
        if (!v->rows) entry.new_row = NULL;
        if (!v->rows) entry.new_len = 0;
        OM_TRY(give(j, v, u.layer, &entry, err));
    }
    return OM_OK;
}

static om_status visit_entries(struct om_journal *j, struct om_db_row *row,
                               struct visit *v, struct om_err *err)
{
    while (!v->ended) {
        bool more;
        OM_TRY(om_db_step(row, &more, err));
        if (!more && v->expected <= j->now.last)
            return damaged_entry(j, v->expected, "is missing", err);
        if (!more) break;
        OM_TRY(om__journal_is_packed(row) ? visit_packed(j, row, v, err)
                                          : visit_one(j, row, v, err));
    }
    return OM_OK;
}

om_status om_journal_each(struct om_journal *j, uint64_t after, uint64_t limit,
                          bool rows,
                          bool (*each)(void *ctx, const struct om_entry *entry),
                          void *ctx, struct om_err *err)
{
    // A packed entry may begin before.
#define FROM                                                             \
    " WHERE e.sequence>=coalesce((SELECT max(sequence) FROM entry WHERE" \
    " sequence<=?1),?1) ORDER BY e.sequence"
    static const char PLAIN[] =
        "SELECT " OM__ENTRY_COLUMNS " FROM entry e" FROM;
    static const char WITH_ROWS[] =
        "SELECT " OM__ENTRY_COLUMNS
        ",r.old,r.new,r.mark FROM entry e"
        " LEFT JOIN row r ON r.sequence=e.sequence" FROM;
#undef FROM
    const bool viewed = j->viewed;
    struct om_db_row *row = NULL;
    OM_TRY(om_journal_view(j, err));
    if (after < j->now.floor) after = j->now.floor;
    struct visit v = {.expected = after + 1,
                      .left = limit ? limit : UINT64_MAX,
                      .rows = rows,
                      .each = each,
                      .ctx = ctx};
    om_status st = om_db_prepare(j->db, rows ? WITH_ROWS : PLAIN, &row, err);
    if (!st) st = om_db_set_integer(row, 1, (int64_t)v.expected);
    if (!st) st = visit_entries(j, row, &v, err);
    om__unpack_end(j);
    om_db_finish(row);
    if (!viewed) om_journal_view_end(j);
    return st;
}

// ---- cells of entries that go ----

static uint64_t cell_mark(int64_t layer, unsigned level, uint64_t cell,
                          uint64_t sequence, int64_t at_ms)
{
    const uint64_t value[] = {(uint64_t)layer, level, cell, sequence,
                              (uint64_t)at_ms};
    return om_hash64(value, sizeof value, 0);
}

struct fold {
    struct om_journal *journal;
    struct om_db_row *row;
    struct om_err *err;
    om_status st;
    uint64_t end, last;
    int64_t number;  // of the layer
};

static void fold_cell(struct fold *f, unsigned level, uint64_t cell,
                      const struct om_entry *e)
{
    const int64_t value[] = {
        f->number,
        level,
        (int64_t)cell,
        (int64_t)e->sequence,
        e->at_ms,
        (int64_t)cell_mark(f->number, level, cell, e->sequence, e->at_ms)};
    for (int i = 0; !f->st && i < 6; i++)
        f->st = om_db_set_integer(f->row, i + 1, value[i]);
    if (!f->st) f->st = om_db_do(f->row, f->err);
}

/* The cells of a box, of the finest level at which they are few. */
static void fold_box(struct fold *f, uint64_t cell, struct om_box box,
                     const struct om_entry *e)
{
    if (cell == OM_NO_CELL) return;
    if (box.x1 == 0 && box.y1 == 0) {
        fold_cell(f, CELL_LEVEL, cell, e);
        return;
    }
    unsigned up = 0;
    while (up < CELL_LEVEL &&
           ((uint64_t)(box.x1 >> up) - (box.x0 >> up) + 1) *
                   ((uint64_t)(box.y1 >> up) - (box.y0 >> up) + 1) >
               FOLD_CELLS)
        up++;
    for (uint32_t y = box.y0 >> up; y <= box.y1 >> up; y++)
        for (uint32_t x = box.x0 >> up; x <= box.x1 >> up; x++)
            fold_cell(f, CELL_LEVEL - up, om_morton((struct om_pos){x, y}), e);
}

static bool fold_entry(void *ctx, const struct om_entry *e)
{
    struct fold *f = ctx;
    if (e->sequence > f->end) return false;
    const size_t layer = om__journal_layer_named(f->journal, e->layer);
    f->number = f->journal->layer[layer].number;
    if (e->kind == OM_ENTRY_COMMIT) {
        fold_cell(f, 0, 0, e);
    } else {
        fold_box(f, e->old_cell, e->old_box, e);
        fold_box(f, e->new_cell, e->new_box, e);
    }
    if (!f->st) f->last = e->sequence;
    return !f->st;
}

static om_status run_with(struct om_journal *j, const char *sql, int64_t value,
                          struct om_err *err)
{
    struct om_db_row *row = NULL;
    om_status st = om_db_prepare(j->db, sql, &row, err);
    if (!st) st = om_db_set_integer(row, 1, value);
    if (!st) st = om_db_do(row, err);
    om_db_finish(row);
    return st;
}

static om_status trim_entries(struct om_journal *j, uint64_t end,
                              struct om_err *err)
{
    struct fold f = {.journal = j, .err = err, .end = end};
    f.last = j->now.floor;
    OM_TRY(om__journal_statement(j, OM__FOLD_CELL, &f.row, err));
    OM_TRY(om_journal_each(j, j->now.floor, 0, false, fold_entry, &f, err));
    OM_TRY(f.st);
    OM_TRY(run_with(j,
                    "DELETE FROM pack WHERE id IN (SELECT noted FROM entry"
                    " WHERE kind=4 AND sequence<=?)",
                    (int64_t)f.last, err));
    OM_TRY(run_with(j, "DELETE FROM entry WHERE sequence<=?", (int64_t)f.last,
                    err));
    OM_TRY(
        run_with(j, "DELETE FROM row WHERE sequence<=?", (int64_t)f.last, err));
    j->now.floor = f.last;
    return om__journal_meta_write(j, err);
}

/* Up to the end of an entry: one that is packed goes as a whole. */
static om_status whole_entries(struct om_journal *j, uint64_t *end,
                               struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more = false;
    om_status st = om_db_prepare(j->db,
                                 "SELECT sequence,sequence+has-1 FROM entry"
                                 " WHERE sequence=(SELECT max(sequence) FROM"
                                 " entry WHERE sequence<=?) AND kind=4",
                                 &row, err);
    if (!st) st = om_db_set_integer(row, 1, (int64_t)*end);
    if (!st) st = om_db_step(row, &more, err);
    if (!st && more && (uint64_t)om_db_integer(row, 1) > *end)
        *end = (uint64_t)om_db_integer(row, 0) - 1;
    om_db_finish(row);
    return st;
}

static om_status trim_some(struct om_journal *j, uint64_t sequence, bool *more,
                           struct om_err *err)
{
    if (sequence > j->now.last) sequence = j->now.last;
    if (sequence <= j->now.floor) return OM_OK;
    *more = sequence - j->now.floor > TRIM_ENTRIES;
    if (*more) sequence = j->now.floor + TRIM_ENTRIES;
    OM_TRY(whole_entries(j, &sequence, err));
    return sequence > j->now.floor ? trim_entries(j, sequence, err) : OM_OK;
}

om_status om_journal_trim(struct om_journal *j, uint64_t sequence,
                          int64_t keys_before_ms, bool *more,
                          struct om_err *err)
{
    *more = false;
    OM_TRY(om_journal_begin(j, err));
    om_status st = trim_some(j, sequence, more, err);
    if (!st)
        st = run_with(j,
                      "DELETE FROM key WHERE key IN (SELECT key FROM key"
                      " WHERE at_ms<? LIMIT 2000)",
                      keys_before_ms, err);
    if (st) {
        st = om__journal_fault(j, st, err);
        om_journal_rollback(j);
        return st;
    }
    return om_journal_commit(j, err);
}

static om_status visit_cells(struct om_journal *j, struct om_db_row *row,
                             bool (*each)(void *ctx, const char *layer,
                                          unsigned level, uint64_t cell,
                                          uint64_t sequence, int64_t at_ms),
                             void *ctx, struct om_err *err)
{
    for (bool more = true;;) {
        const char *name;
        OM_TRY(om_db_step(row, &more, err));
        if (!more) return OM_OK;
        const int64_t layer = om_db_integer(row, 0);
        const unsigned level = (unsigned)om_db_integer(row, 1);
        const uint64_t cell = (uint64_t)om_db_integer(row, 2);
        const uint64_t sequence = (uint64_t)om_db_integer(row, 3);
        const int64_t at_ms = om_db_integer(row, 4);
        OM_TRY(layer_name(j, layer, &name, err));
        if (!name || level > CELL_LEVEL ||
            (uint64_t)om_db_integer(row, 5) !=
                cell_mark(layer, level, cell, sequence, at_ms))
            return om_fail(err, OM_E_DAMAGED, 0,
                           "%s: its table 'cell' is "
                           "damaged " OM__JOURNAL_WAY_OUT,
                           j->path);
        if (!each(ctx, name, level, cell, sequence, at_ms)) return OM_OK;
    }
}

om_status om_journal_each_cell(struct om_journal *j,
                               bool (*each)(void *ctx, const char *layer,
                                            unsigned level, uint64_t cell,
                                            uint64_t sequence, int64_t at_ms),
                               void *ctx, struct om_err *err)
{
    struct om_db_row *row = NULL;
    om_status st = om_db_prepare(j->db, "SELECT * FROM cell", &row, err);
    if (!st) st = visit_cells(j, row, each, ctx, err);
    om_db_finish(row);
    return st;
}

// ---- checking ----

static bool any_entry(void *ctx, const struct om_entry *entry)
{
    (void)ctx;
    (void)entry;
    return true;
}

static bool any_cell(void *ctx, const char *layer, unsigned level,
                     uint64_t cell, uint64_t sequence, int64_t at_ms)
{
    (void)ctx;
    (void)layer;
    (void)level;
    (void)cell;
    (void)sequence;
    (void)at_ms;
    return true;
}

static om_status verify_pages(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more = false;
    size_t len;
    om_status st = om_db_prepare(j->db, "PRAGMA integrity_check(1)", &row, err);
    if (!st) st = om_db_step(row, &more, err);
    const char *text = !st && more ? om_db_text(row, 0, &len) : NULL;
    if (!st && (!text || len != 2 || text[0] != 'o' || text[1] != 'k'))
        st = om_fail(err, OM_E_DAMAGED, 0, "%s: %s", j->path,
                     text ? text : "no answer of its check");
    om_db_finish(row);
    return st;
}

static om_status verify_keys(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row = NULL;
    om_status st = om_db_prepare(j->db, "SELECT key FROM key", &row, err);
    for (bool more = true; !st;) {
        struct om_journal_key key;
        bool found;
        size_t len;
        st = om_db_step(row, &more, err);
        if (st || !more) break;
        const char *text = om_db_text(row, 0, &len);
        st = om_journal_key_find(j, text ? text : "", &key, &found, err);
    }
    om_db_finish(row);
    return st;
}

om_status om_journal_verify(struct om_journal *j, struct om_err *err)
{
    const bool viewed = j->viewed;
    OM_TRY(om_journal_view(j, err));
    om_status st = verify_pages(j, err);
    if (!st) st = om_journal_each(j, 0, 0, true, any_entry, NULL, err);
    if (!st) st = om_journal_each_cell(j, any_cell, NULL, err);
    if (!st) st = verify_keys(j, err);
    if (!st && j->missing)
        st = om_fail(err, OM_E_DAMAGED, 0,
                     "%s: the newest %llu writes that were acknowledged are "
                     "missing",
                     j->path, (unsigned long long)j->missing);
    if (!viewed) om_journal_view_end(j);
    return st;
}
