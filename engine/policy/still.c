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
 * Which rows differ is found by comparing the two stacks: parts that both have
 * differ by their dead rows, of other parts rows are met by a hash of their id.
 * Nothing else is remembered, so compaction, imports and a server that only
 * reads need no case of their own.
 */
#include "engine/policy/still.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/hash.h"
#include "engine/policy/policy.h"
#include "engine/policy/still_internal.h"
#include "engine/snapshot_internal.h"

/* Rows that are compared at a time: 32 bytes each. */
#define AT_A_TIME ((size_t)4 << 20)
#define NONE OM__STILL_NONE
/* Columns that are told apart; those behind count as the last. */
#define COLUMNS_MOST 64

struct item {
    uint64_t id, unit, body;  // hashes
    uint64_t cell;            // that it is counted in, from 1; 0: in none
    uint32_t part, row;
};

/* A row that is not as it was told; part NONE: it was not there, or is not. */
struct change {
    uint64_t id, old_unit, new_unit, old_cell, new_cell;
    uint32_t old_part, old_row, new_part, new_row;
    uint64_t columns;  // that differ, a bit each
};

struct list {
    size_t count, room;
    struct item *item;
};

struct work {
    const struct om__stack *told, *now;
    struct om_schema own;  // without unit columns
    size_t unit_field;     // OM_NO_FIELD: all is one unit
    size_t columns;        // that are watched
    size_t column[OM_LIMIT_COLUMNS];
    bool places;   // so is where rows are
    bool follows;  // they move, and that is not looked at
    uint64_t least;
    size_t count, room;
    struct change *change;
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

static om_status reading_init(const struct work *w,
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

static om_status hash_value(const struct work *w, struct reading *r, size_t i,
                            size_t row, uint64_t *out)
{
    const struct om_column *c = r->column[i];
    if (!c) return hash_text(r, w->column[i], row, &r->text, out);
    const uint64_t value = c->coding == OM_CODING_REAL
                               ? om_column_stored(c, row)
                               : (uint64_t)om_column_integer(c, row);
    *out = om_column_valid(c, row) ? om_hash64(&value, sizeof value, 2) : 0;
    return OM_OK;
}

static om_status read_item(const struct work *w, struct reading *r, size_t part,
                           size_t row, struct item *out)
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
static om_status take_row(const struct work *w, struct reading *r, size_t part,
                          size_t row, size_t turn, size_t turns,
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
static om_status take_part(const struct work *w, const struct om__stack *from,
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

static om_status take_all(const struct work *w, const struct om__stack *from,
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

static uint64_t all_columns(const struct work *w)
{
    const size_t n = w->columns ? w->columns : 1;
    return n < COLUMNS_MOST ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* Which columns of two rows differ. */
static om_status compare(const struct work *w, const struct item *old,
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
        const size_t bit = i < COLUMNS_MOST ? i : COLUMNS_MOST - 1;
        if (!st && x != y) *out |= UINT64_C(1) << bit;
    }
    reading_deinit(&a);
    reading_deinit(&b);
    return st;
}

static om_status add_change(struct work *w, const struct item *old,
                            const struct item *fresh)
{
    if (w->count == w->room) {
        const size_t room = w->room ? 2 * w->room : 256;
        struct change *grown = om_realloc(w->change, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        w->change = grown;
        w->room = room;
    }
    struct change c = {.id = old ? old->id : fresh->id,
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
static om_status meet(struct work *w, struct list *left, struct list *came)
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

static om_status find_changes(struct work *w)
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

/* ---- which are held ---- */

struct units {
    size_t count;
    uint64_t *hash;     // sorted
    uint32_t *of;       // union-find
    uint32_t *changed;  // [count][COLUMNS_MOST] rows
    bool *few;          // of a root: a unit of it has a column of few
};

static int by_hash(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t unit_of(const struct units *u, uint64_t hash)
{
    const uint64_t *at =
        bsearch(&hash, u->hash, u->count, sizeof *u->hash, by_hash);
    return (size_t)(at - u->hash);
}

static uint32_t root_of(struct units *u, size_t unit)
{
    uint32_t at = (uint32_t)unit;
    while (u->of[at] != at) at = u->of[at] = u->of[u->of[at]];
    return at;
}

static void units_deinit(struct units *u)
{
    om_free(u->hash);
    om_free(u->of);
    om_free(u->changed);
    om_free(u->few);
}

static om_status units_init(const struct work *w, struct units *u)
{
    *u = (struct units){0};
    u->hash = om_alloc_array(2 * w->count + 1, sizeof *u->hash);
    if (!u->hash) return OM_E_MEMORY;
    for (size_t i = 0; i < w->count; i++) {
        u->hash[2 * i] = w->change[i].old_unit;
        u->hash[2 * i + 1] = w->change[i].new_unit;
    }
    qsort(u->hash, 2 * w->count, sizeof *u->hash, by_hash);
    for (size_t i = 0; i < 2 * w->count; i++)
        if (!u->count || u->hash[u->count - 1] != u->hash[i])
            u->hash[u->count++] = u->hash[i];
    u->of = om_alloc_array(u->count + 1, sizeof *u->of);
    u->changed = om_calloc(u->count * COLUMNS_MOST + 1, sizeof *u->changed);
    u->few = om_calloc(u->count + 1, sizeof *u->few);
    if (!u->of || !u->changed || !u->few) return OM_E_MEMORY;
    for (size_t i = 0; i < u->count; i++) u->of[i] = (uint32_t)i;
    return OM_OK;
}

static void count_change(struct units *u, size_t unit, uint64_t columns)
{
    for (; columns; columns &= columns - 1)
        u->changed[unit * COLUMNS_MOST + (size_t)__builtin_ctzll(columns)]++;
}

static void find_few(const struct work *w, struct units *u)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct change *c = &w->change[i];
        const size_t a = unit_of(u, c->old_unit), b = unit_of(u, c->new_unit);
        count_change(u, a, c->columns);
        if (a == b) continue;
        count_change(u, b, c->columns);
        u->of[root_of(u, a)] = root_of(u, b);
    }
    for (size_t i = 0; i < u->count * COLUMNS_MOST; i++)
        if (u->changed[i] && u->changed[i] < w->least)
            u->few[root_of(u, i / COLUMNS_MOST)] = true;
}

/* ---- cells ---- */

/* A change of how many there are in a cell. */
struct coming {
    uint64_t cell;
    uint32_t change;
};

static int by_cell(const void *a, const void *b)
{
    const struct coming *x = a, *y = b;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static bool is_held(const struct work *w, struct units *u, size_t change)
{
    return u->few[root_of(u, unit_of(u, w->change[change].old_unit))];
}

/* Rows that come and go, sorted by cell. owns: *out */
static om_status find_coming(const struct work *w, struct coming **out,
                             size_t *count)
{
    struct coming *list = om_alloc_array(2 * w->count + 1, sizeof *list);
    size_t n = 0;
    if (!list) return OM_E_MEMORY;
    for (size_t i = 0; i < w->count; i++) {
        const struct change *c = &w->change[i];
        if (c->old_cell == c->new_cell) continue;
        if (c->old_cell) list[n++] = (struct coming){c->old_cell, (uint32_t)i};
        if (c->new_cell) list[n++] = (struct coming){c->new_cell, (uint32_t)i};
    }
    qsort(list, n, sizeof *list, by_cell);
    *out = list;
    *count = n;
    return OM_OK;
}

/* Units wait of which few rows would come or go in a cell; then there may be
 * few in others. */
static om_status find_few_in_cells(const struct work *w, struct units *u)
{
    struct coming *list;
    size_t n;
    bool more = true;
    OM_TRY(find_coming(w, &list, &n));
    while (more) {
        more = false;
        for (size_t from = 0, to; from < n; from = to) {
            size_t told = 0;
            for (to = from; to < n && list[to].cell == list[from].cell; to++)
                told += !is_held(w, u, list[to].change);
            if (!told || told >= w->least) continue;
            more = true;
            for (size_t i = from; i < to; i++)
                u->few[root_of(
                    u, unit_of(u, w->change[list[i].change].old_unit))] = true;
        }
    }
    om_free(list);
    return OM_OK;
}

/* Only those changes stay in the list that are held. */
static om_status keep_held(struct work *w)
{
    struct units u;
    size_t held = 0;
    om_status st = units_init(w, &u);
    if (!st) find_few(w, &u);
    if (!st) st = find_few_in_cells(w, &u);
    for (size_t i = 0; i < w->count && !st; i++)
        if (is_held(w, &u, i)) w->change[held++] = w->change[i];
    units_deinit(&u);
    if (!st) w->count = held;
    return st;
}

/* ---- the stack ---- */

static int by_place(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->old_part != y->old_part)
        return (x->old_part > y->old_part) - (x->old_part < y->old_part);
    return (x->old_row > y->old_row) - (x->old_row < y->old_row);
}

/* Held rows as they were told, as batches; sorted by place. */
static om_status extract_told(const struct work *w, struct om_batch *batch,
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

static om_status make_run(const struct work *w, const struct om_joiner *joiner,
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

static om_status kill_newest(const struct work *w, struct om__stack **out)
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
static om_status hold(struct work *w, const struct om_joiner *joiner,
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
                  struct work *w)
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
    struct work w = {.least = least};
    size_t at = 0;
    if (!told || !same_schema(&told->schema, &layer->schema) ||
        !watch(newest->manifest, layer, &w))
        return OM_OK;
    w.told = stack_of(still, layer->name, NULL);
    w.now = stack_of(newest, layer->name, &at);
    if (!w.told || !w.now || w.told->serial == w.now->serial) return OM_OK;
    struct om__stack *held = NULL;
    om_status st = find_changes(&w);
    const size_t changed = w.count;
    figures->changed += changed;
    if (!st && w.count) st = keep_held(&w);
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
        struct work w = {0};
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
    struct work w = {0};
    return watch(city, layer, &w);
}

static om_status list_rows(const struct work *w, struct om__still_layer *out)
{
    out->row = om_alloc_array(w->count + 1, sizeof *out->row);
    if (!out->row) return OM_E_MEMORY;
    for (; out->count < w->count; out->count++) {
        const struct change *c = &w->change[out->count];
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
    struct work w = {0};
    *out = (struct om__still_layer){0};
    if (!told || !same_schema(&told->schema, &layer->schema) ||
        !watch(newest->manifest, layer, &w))
        return OM_OK;
    out->told = w.told = stack_of(still, layer->name, NULL);
    out->now = w.now = stack_of(newest, layer->name, NULL);
    out->own = w.own;
    if (!w.told || !w.now || w.told->serial == w.now->serial) return OM_OK;
    om_status st = find_changes(&w);
    if (!st && w.count) qsort(w.change, w.count, sizeof *w.change, by_place);
    if (!st) st = list_rows(&w, out);
    om_free(w.change);
    return st;
}
