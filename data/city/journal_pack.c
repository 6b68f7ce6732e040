// journal_pack.c - rows that came together, many in one entry.
#include <string.h>

#include "data/base/hash.h"
#include "data/city/journal_internal.h"

/* DESIGN
 * A row in a table costs SQLite a microsecond; in a blob next to nothing. So
 * the rows of a large write are packed, some hundred into one blob, and one
 * entry stands for all of them: it has the number of the first, and the others
 * follow without a gap.
 *
 * What a row will be is known before its turn comes, what it was only then. The
 * first is in the pack, which is written ahead, in groups of its own between
 * those of others: nobody looks at a pack that no entry names, and who opens
 * the journal for writing removes it. The second is in the entry, without which
 * there are no rows. So a write of any size is there as a whole or not at all,
 * and nobody waits for more of it than for its entries. */

#define IS_THERE 1u  // there was a row: it is changed
#define REACHES 2u   // a box follows the cell
#define HAS_CELL 4u
#define CELL_BYTES 5  // 36 bits

static om_status put_number(struct om_buf *out, uint64_t value, size_t bytes)
{
    uint8_t at[8];
    for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
    return om_buf_add(out, at, bytes);
}

static om_status put_length(struct om_buf *out, uint64_t value)
{
    uint8_t at[10];
    size_t n = 0;
    for (; value > 0x7f; value >>= 7) at[n++] = (uint8_t)(value | 0x80);
    at[n++] = (uint8_t)value;
    return om_buf_add(out, at, n);
}

static om_status put_place(struct om_buf *out, unsigned flags, uint64_t cell,
                           struct om_box box)
{
    const bool reaches = box.x0 || box.y0 || box.x1 || box.y1;
    if (reaches) flags |= REACHES;
    if (cell != OM_NO_CELL) flags |= HAS_CELL;
    om_buf_add_byte(out, (uint8_t)flags);
    if (cell != OM_NO_CELL) put_number(out, cell, CELL_BYTES);
    if (reaches) {
        put_number(out, box.x0, 4);
        put_number(out, box.y0, 4);
        put_number(out, box.x1, 4);
        put_number(out, box.y1, 4);
    }
    return out->status;
}

om_status om_pack_add(struct om_buf *pack, const struct om_entry *e)
{
    put_length(pack, e->id_len);
    put_length(pack, e->new_len);
    put_place(pack, 0, e->new_cell, e->new_box);
    om_buf_add(pack, e->id, e->id_len);
    return om_buf_add(pack, e->new_row, e->new_len);
}

om_status om_pack_add_was(struct om_buf *was, const struct om_entry *e)
{
    return put_place(was, e->kind == OM_ENTRY_UPDATE ? IS_THERE : 0,
                     e->old_cell, e->old_box);
}

// ---- writing ----

static uint64_t pack_mark(uint64_t id, const void *bytes, size_t len)
{
    return om_hash64(bytes, len, om_hash64(&id, sizeof id, len));
}

static uint64_t packed_mark(int64_t layer, const struct om_entry *e,
                            uint64_t pack, uint64_t rows, const void *was,
                            size_t len)
{
    const uint64_t value[] = {e->sequence,
                              OM__PACKED,
                              (uint64_t)layer,
                              (uint64_t)e->at_ms,
                              (uint64_t)e->clock_s,
                              pack,
                              rows,
                              len};
    const uint64_t hash =
        om_hash64(was, len, om_hash64(value, sizeof value, 0));
    return om_hash64(e->who, e->who ? strlen(e->who) : 0, hash);
}

static om_status write_pack(struct om_journal *j, const void *bytes, size_t len,
                            uint64_t id, struct om_err *err)
{
    struct om_db_row *row;
    OM_TRY(om__journal_statement(j, OM__ADD_PACK, &row, err));
    OM_TRY(om_db_set_integer(row, 1, (int64_t)id));
    OM_TRY(om_db_set_bytes(row, 2, bytes, len));
    OM_TRY(om_db_set_integer(row, 3, (int64_t)pack_mark(id, bytes, len)));
    return om_db_do(row, err);
}

om_status om_journal_pack(struct om_journal *j, const struct om_buf *pack,
                          uint64_t *id, struct om_err *err)
{
    if (!j->grouped || j->broken)
        return om_fail(err, OM_E_INTERNAL, 0, "there is no group at hand");
    *id = j->pack_next++;
    const om_status st = write_pack(j, pack->bytes, pack->len, *id, err);
    j->broken = st != OM_OK;
    return st ? om__journal_fault(j, st, err) : OM_OK;
}

static om_status write_packed(struct om_journal *j, const struct om_entry *e,
                              uint64_t pack, uint64_t rows,
                              const struct om_buf *was, struct om_err *err)
{
    struct om_db_row *row;
    size_t layer;
    const bool who = e->who && e->who[0];
    OM_TRY(om__journal_layer_add(j, e->layer, &layer, err));
    const int64_t number = j->layer[layer].number;
    const uint64_t mark =
        packed_mark(number, e, pack, rows, was->bytes, was->len);
    OM_TRY(om__journal_statement(j, OM__ADD_ENTRY, &row, err));
    OM_TRY(om_db_set_integer(row, 1, (int64_t)e->sequence));
    OM_TRY(om_db_set_integer(row, 2, OM__PACKED));
    OM_TRY(om_db_set_integer(row, 3, number));
    OM_TRY(om_db_set_text(row, 4, "", 0));
    OM_TRY(om_db_set_integer(row, 5, e->at_ms));
    OM_TRY(om_db_set_integer(row, 6, e->clock_s));
    OM_TRY(om_db_set_null(row, 7));
    OM_TRY(om_db_set_null(row, 8));
    OM_TRY(om_db_set_bytes(row, 9, was->bytes, was->len));
    OM_TRY(
        om_db_set_text(row, 10, who ? e->who : NULL, who ? strlen(e->who) : 0));
    OM_TRY(om_db_set_integer(row, 11, (int64_t)pack));
    OM_TRY(om_db_set_integer(row, 12, (int64_t)rows));
    OM_TRY(om_db_set_integer(row, 13, (int64_t)mark));
    return om_db_do(row, err);
}

om_status om_journal_add_pack(struct om_journal *j, struct om_entry *e,
                              uint64_t pack, size_t rows,
                              const struct om_buf *was, struct om_err *err)
{
    if (!j->grouped || j->broken)
        return om_fail(err, OM_E_INTERNAL, 0, "there is no group at hand");
    if (rows == 0 || rows > OM_PACK_ROWS || pack < j->pack_first ||
        pack >= j->pack_next)
        return om_fail(err, OM_E_INTERNAL, 0, "this is no pack of the journal");
    if (strlen(e->layer) >= OM_LIMIT_NAME_BYTES)
        return om_fail(err, OM_E_LIMIT, 0, "a layer's name is too long");
    e->sequence = j->now.last + 1;
    const om_status st = write_packed(j, e, pack, rows, was, err);
    j->broken = st != OM_OK;
    if (st) return om__journal_fault(j, st, err);
    om__journal_note(j, e);
    j->now.last += rows;
    return OM_OK;
}

om_status om_journal_drop_packs(struct om_journal *j, const uint64_t *id,
                                size_t count, struct om_err *err)
{
    struct om_db_row *row = NULL;
    OM_TRY(om_journal_begin(j, err));
    om_status st =
        om_db_prepare(j->db, "DELETE FROM pack WHERE id=?", &row, err);
    for (size_t i = 0; i < count && !st; i++) {
        st = om_db_set_integer(row, 1, (int64_t)id[i]);
        if (!st) st = om_db_do(row, err);
    }
    om_db_finish(row);
    if (!st) return om_journal_commit(j, err);
    st = om__journal_fault(j, st, err);
    om_journal_rollback(j);
    return st;
}

// ---- reading ----

static uint64_t take_number(struct om__bytes *b, size_t bytes)
{
    uint64_t value = 0;
    if (b->bad || (size_t)(b->end - b->at) < bytes) {
        b->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) value |= (uint64_t)b->at[i] << 8 * i;
    b->at += bytes;
    return value;
}

static uint64_t take_length(struct om__bytes *b)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        const uint64_t byte = take_number(b, 1);
        value |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    b->bad = true;
    return 0;
}

static const void *take_bytes(struct om__bytes *b, uint64_t len)
{
    const uint8_t *at = b->at;
    if (b->bad || len > (uint64_t)(b->end - b->at)) {
        b->bad = true;
        return NULL;
    }
    b->at += len;
    return at;
}

static unsigned take_place(struct om__bytes *b, uint64_t *cell,
                           struct om_box *box)
{
    const unsigned flags = (unsigned)take_number(b, 1);
    *cell = flags & HAS_CELL ? take_number(b, CELL_BYTES) : OM_NO_CELL;
    *box = (struct om_box){0};
    if (flags & REACHES) {
        box->x0 = (uint32_t)take_number(b, 4);
        box->y0 = (uint32_t)take_number(b, 4);
        box->x1 = (uint32_t)take_number(b, 4);
        box->y1 = (uint32_t)take_number(b, 4);
    }
    return flags;
}

bool om__unpack_next(struct om__unpack *u)
{
    struct om_entry *e = &u->entry;
    if (u->left == 0 || !u->sound) return false;
    const uint64_t id_len = take_length(&u->pack);
    const uint64_t row_len = take_length(&u->pack);
    take_place(&u->pack, &e->new_cell, &e->new_box);
    e->id = take_bytes(&u->pack, id_len);
    e->new_row = take_bytes(&u->pack, row_len);
    e->id_len = (size_t)id_len;
    e->new_len = (size_t)row_len;
    const unsigned was = take_place(&u->was, &e->old_cell, &e->old_box);
    e->kind = was & IS_THERE ? OM_ENTRY_UPDATE : OM_ENTRY_INSERT;
    e->sequence++;
    u->left--;
    const bool ended = u->pack.at == u->pack.end && u->was.at == u->was.end;
    u->sound = !u->pack.bad && !u->was.bad && (u->left > 0 || ended);
    return u->sound;
}

bool om__journal_is_packed(struct om_db_row *row)
{
    return om_db_integer(row, 1) == OM__PACKED;
}

static struct om__bytes bytes_of(const void *at, size_t len)
{
    return (struct om__bytes){at, (const uint8_t *)at + len, !at};
}

/* The entry; false: it is not what was written. */
static bool read_head(struct om_db_row *row, struct om__unpack *u,
                      uint64_t *pack)
{
    struct om_entry *e = &u->entry;
    size_t len, who_len;
    *u = (struct om__unpack){0};
    e->sequence = (uint64_t)om_db_integer(row, 0);
    u->layer = om_db_integer(row, 2);
    e->at_ms = om_db_integer(row, 4);
    e->clock_s = om_db_integer(row, 5);
    const void *was = om_db_bytes(row, 8, &len);
    e->who = om_db_text(row, 9, &who_len);
    if (!e->who) e->who = "";
    *pack = (uint64_t)om_db_integer(row, 10);
    const uint64_t rows = (uint64_t)om_db_integer(row, 11);
    if (rows == 0 || rows > OM_PACK_ROWS || !was) return false;
    u->left = rows;
    u->last = e->sequence + rows - 1;
    u->was = bytes_of(was, len);
    return (uint64_t)om_db_integer(row, 12) ==
           packed_mark(u->layer, e, *pack, rows, was, len);
}

om_status om__unpack_begin(struct om_journal *j, struct om_db_row *row,
                           struct om__unpack *u, struct om_err *err)
{
    uint64_t pack;
    bool more = false;
    size_t len;
    u->known = read_head(row, u, &pack);
    u->entry.sequence--;  // before the first
    if (!u->known) return OM_OK;
    struct om_db_row *found;
    OM_TRY(om__journal_statement(j, OM__GET_PACK, &found, err));
    om_db_reset(found);
    OM_TRY(om_db_set_integer(found, 1, (int64_t)pack));
    const om_status st = om_db_step(found, &more, err);
    if (st == OM_E_DAMAGED) return OM_OK;
    OM_TRY(st);
    const void *bytes = more ? om_db_bytes(found, 0, &len) : NULL;
    if (!bytes) return OM_OK;
    u->pack = bytes_of(bytes, len);
    u->sound = (uint64_t)om_db_integer(found, 1) == pack_mark(pack, bytes, len);
    return OM_OK;
}

void om__unpack_end(struct om_journal *j)
{
    if (j->statement[OM__GET_PACK]) om_db_reset(j->statement[OM__GET_PACK]);
}
