/* still_changes.c - how a layer differs from how it was told.
 *
 * DESIGN
 * Parts that both stacks have differ by their dead rows; of other parts rows
 * are met by a hash of their id, so many at a time as memory is given for. Two
 * rows are the same if a hash over all that is watched is.
 */
#include "engine/policy/still_changes.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "engine/snapshot_internal.h"

/* Rows that are compared at a time: 32 bytes each. */
#define AT_A_TIME ((size_t)4 << 20)
#define NONE OM__STILL_NONE

struct item {
    uint64_t id, unit, body;  // hashes
    uint64_t cell;            // that it is counted in, from 1; 0: in none
    uint32_t part, row;
};

struct list {
    size_t count, room;
    struct item *item;
};

/* ---- rows as hashes ---- */

struct reading {
    const struct om_segment *segment;
    struct om_text_reader id, unit, text;
    const struct om_column *column[OM_LIMIT_COLUMNS];
    const uint64_t *key;
};

static void reading_deinit(struct reading *r)
{
    om_text_reader_deinit(&r->id);
    om_text_reader_deinit(&r->unit);
    om_text_reader_deinit(&r->text);
}

static bool is_text(const struct om_segment *segment, size_t column)
{
    const enum om_type type = om_segment_schema(segment)->field[column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static om_status reading_init(const struct om__watch *w,
                              const struct om_segment *segment,
                              struct reading *out)
{
    const size_t rows = om_segment_rows(segment);
    *out = (struct reading){.segment = segment};
    for (size_t i = 0; i < w->columns; i++)
        if (!is_text(segment, w->column[i]))
            OM_TRY(om_segment_column(segment, w->column[i], 0, rows,
                                     &out->column[i]));
    return w->places ? om_segment_keys(segment, 0, rows, &out->key) : OM_OK;
}

static om_status hash_text(const struct reading *r, size_t column, size_t row,
                           struct om_text_reader *reader, uint64_t *out)
{
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(r->segment, column, row, reader, &text, &len));
    *out = text ? om_hash64(text, len, 1) : 0;
    return OM_OK;
}

static om_status hash_value(const struct om__watch *w, struct reading *r,
                            size_t i, size_t row, uint64_t *out)
{
    const struct om_column *c = r->column[i];
    if (!c) return hash_text(r, w->column[i], row, &r->text, out);
    const uint64_t value = c->coding == OM_CODING_REAL
                               ? om_column_stored(c, row)
                               : (uint64_t)om_column_integer(c, row);
    *out = om_column_valid(c, row) ? om_hash64(&value, sizeof value, 2) : 0;
    return OM_OK;
}

static om_status read_item(const struct om__watch *w, struct reading *r,
                           size_t part, size_t row, struct item *out)
{
    uint64_t body = w->places ? r->key[row] : 0;
    *out = (struct item){
        .cell = w->places ? (r->key[row] >> (64 - 2 * OM_CROWD_LEVEL)) + 1 : 0,
        .part = (uint32_t)part,
        .row = (uint32_t)row};
    if (w->unit_field != OM_NO_FIELD)
        OM_TRY(hash_text(r, w->unit_field, row, &r->unit, &out->unit));
    for (size_t i = 0; i < w->columns; i++) {
        uint64_t one;
        OM_TRY(hash_value(w, r, i, row, &one));
        body = om_hash64(&one, sizeof one, body);
    }
    out->body = om_hash64(&out->unit, sizeof out->unit, body);
    return OM_OK;
}

/* ---- what differs ---- */

static size_t same_part(const struct om__stack *in,
                        const struct om_segment *segment)
{
    size_t p = 0;
    while (p < in->parts && in->part[p].segment != segment) p++;
    return p;
}

static om_status list_add(struct list *list, const struct item *item)
{
    if (list->count == list->room) {
        const size_t room = list->room ? 2 * list->room : 256;
        struct item *grown = om_realloc(list->item, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        list->item = grown;
        list->room = room;
    }
    list->item[list->count++] = *item;
    return OM_OK;
}

/* A living row of the one stack that may not be in the other; only ids whose
 * hash falls to `turn` of `turns`. */
static om_status take_row(const struct om__watch *w, struct reading *r,
                          size_t part, size_t row, size_t turn, size_t turns,
                          struct list *out)
{
    uint64_t id;
    struct item item;
    OM_TRY(hash_text(r, w->own.id_field, row, &r->id, &id));
    if (id % turns != turn) return OM_OK;
    OM_TRY(read_item(w, r, part, row, &item));
    item.id = id;
    return list_add(out, &item);
}

/* Rows that live in part `p` of `from` and not in `to`. */
static om_status take_part(const struct om__watch *w,
                           const struct om__stack *from,
                           const struct om__stack *to, size_t p, size_t turn,
                           size_t turns, struct list *out)
{
    const struct om_part *part = &from->part[p];
    const size_t same = same_part(to, part->segment);
    struct reading r;
    if (same < to->parts && to->part[same].dead_count == 0) return OM_OK;
    om_status st = reading_init(w, part->segment, &r);
    if (same < to->parts) {
        const struct om_part *other = &to->part[same];
        for (size_t i = 0; i < other->dead_count && !st; i++)
            if (!om__part_is_dead(part, other->dead[i]))
                st = take_row(w, &r, p, other->dead[i], turn, turns, out);
    } else {
        const size_t rows = om_segment_rows(part->segment);
        size_t dead = 0;
        for (size_t row = 0; row < rows && !st; row++) {
            while (dead < part->dead_count && part->dead[dead] < row) dead++;
            if (dead < part->dead_count && part->dead[dead] == row) continue;
            st = take_row(w, &r, p, row, turn, turns, out);
            if (row % 4096 == 0 && om_cancelled()) st = OM_E_STOPPED;
        }
    }
    reading_deinit(&r);
    return st;
}

static om_status take_all(const struct om__watch *w,
                          const struct om__stack *from,
                          const struct om__stack *to, size_t turn, size_t turns,
                          struct list *out)
{
    out->count = 0;
    for (size_t p = 0; p < from->parts; p++)
        OM_TRY(take_part(w, from, to, p, turn, turns, out));
    return OM_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static uint64_t all_columns(const struct om__watch *w)
{
    const size_t n = w->columns ? w->columns : 1;
    return n < OM__WATCH_COLUMNS ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* Which columns of two rows differ. */
static om_status compare(const struct om__watch *w, const struct item *old,
                         const struct item *fresh, uint64_t *out)
{
    struct reading a, b = {0};
    om_status st = reading_init(w, w->told->part[old->part].segment, &a);
    if (!st) st = reading_init(w, w->now->part[fresh->part].segment, &b);
    *out = 0;
    for (size_t i = 0; i < w->columns && !st; i++) {
        uint64_t x, y = 0;
        st = hash_value(w, &a, i, old->row, &x);
        if (!st) st = hash_value(w, &b, i, fresh->row, &y);
        const size_t bit = i < OM__WATCH_COLUMNS ? i : OM__WATCH_COLUMNS - 1;
        if (!st && x != y) *out |= UINT64_C(1) << bit;
    }
    reading_deinit(&a);
    reading_deinit(&b);
    return st;
}

static om_status add_change(struct om__watch *w, const struct item *old,
                            const struct item *fresh)
{
    if (w->count == w->room) {
        const size_t room = w->room ? 2 * w->room : 256;
        struct om__change *grown = om_realloc(w->change, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        w->change = grown;
        w->room = room;
    }
    struct om__change c = {.id = old ? old->id : fresh->id,
                           .old_part = old ? old->part : NONE,
                           .old_row = old ? old->row : 0,
                           .old_unit = old ? old->unit : fresh->unit,
                           .new_part = fresh ? fresh->part : NONE,
                           .new_row = fresh ? fresh->row : 0,
                           .new_unit = fresh ? fresh->unit : old->unit,
                           .old_cell = old ? old->cell : 0,
                           .new_cell = fresh ? fresh->cell : 0,
                           .columns = all_columns(w)};
    if (old && fresh && old->unit == fresh->unit) {
        OM_TRY(compare(w, old, fresh, &c.columns));
        // It has moved within its unit: of all that is told nothing differs.
        if (!c.columns) c.columns = all_columns(w);
    }
    w->change[w->count++] = c;
    return OM_OK;
}

/* Rows that both have are as they were, or have changed; the others came or
 * went. */
static om_status meet(struct om__watch *w, struct list *left, struct list *came)
{
    size_t i = 0, k = 0;
    if (left->count) qsort(left->item, left->count, sizeof *left->item, by_id);
    if (came->count) qsort(came->item, came->count, sizeof *came->item, by_id);
    while (i < left->count || k < came->count) {
        const struct item *a = i < left->count ? &left->item[i] : NULL;
        const struct item *b = k < came->count ? &came->item[k] : NULL;
        const bool both = a && b && a->id == b->id;
        if (both && a->body == b->body) {
            i++, k++;
            continue;
        }
        const bool first = !b || (a && a->id <= b->id);
        OM_TRY(add_change(w, first ? a : NULL, !first || both ? b : NULL));
        i += first;
        k += !first || both;
    }
    return OM_OK;
}

/* Rows of parts that the other stack has not. */
static size_t alone(const struct om__stack *from, const struct om__stack *to)
{
    size_t rows = 0;
    for (size_t p = 0; p < from->parts; p++)
        if (same_part(to, from->part[p].segment) == to->parts)
            rows += om__part_rows(&from->part[p]);
    return rows;
}

om_status om__changes_find(struct om__watch *w)
{
    struct list left = {0}, came = {0};
    const size_t rows = alone(w->told, w->now) + alone(w->now, w->told);
    const size_t turns = 1 + rows / AT_A_TIME;
    om_status st = OM_OK;
    for (size_t turn = 0; turn < turns && !st; turn++) {
        st = take_all(w, w->told, w->now, turn, turns, &left);
        if (!st) st = take_all(w, w->now, w->told, turn, turns, &came);
        if (!st) st = meet(w, &left, &came);
    }
    om_free(left.item);
    om_free(came.item);
    return st;
}
