// journal_rows.c - entries and rows as the tables have them.
#include <string.h>

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

void om__journal_note(struct om_journal *j, const struct om_entry *e)
{
    if (e->kind == OM_ENTRY_COMMIT && e->commit > j->now.noted)
        j->now.noted = e->commit;
    if (e->clock_s) j->now.clock_s = e->clock_s;
}
