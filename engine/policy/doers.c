/* doers.c - whose doing rows are.
 *
 * DESIGN
 * Ten visits in a grid of one worker are not ten persons: what hides a count is
 * how many are behind it. Whoever was at work in two units is counted in one of
 * them, the finest in which most of his rows lie, so that persons of units add
 * up to those of larger ones and complementary suppression (small.h) holds for
 * them as for rows. So a unit has at least as many persons as are at home in
 * it, and hidden ones together, too.
 */
#include "engine/policy/doers.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/policy/policy.h"

/* ---- which column ---- */

/* Is the first value of a column an id of another layer about persons? */
static om_status names_persons(const struct om_snapshot *whole,
                               const struct om_layer *layer, size_t column,
                               bool *out)
{
    struct om_text_reader reader = {0}, other = {0};
    const char *text = NULL;
    size_t len = 0;
    om_status st = OM_OK;
    for (size_t p = 0; p < layer->parts && !text && !st; p++)
        if (om_segment_rows(layer->part[p].segment))
            st = om_segment_text(layer->part[p].segment, column, 0, &reader,
                                 &text, &len);
    for (size_t i = 0; text && i < whole->layers && !*out && !st; i++) {
        const struct om_layer *about = &whole->layer[i];
        if (!strcmp(about->name, layer->name) ||
            !om_layer_personal(whole->manifest, about->name))
            continue;
        for (size_t p = 0; p < about->parts && !*out && !st; p++) {
            size_t row;
            st = om_segment_find(about->part[p].segment, text, len, &other,
                                 &row);
            *out = !st;
            if (st == OM_E_NOTFOUND) st = OM_OK;
        }
    }
    om_text_reader_deinit(&reader);
    om_text_reader_deinit(&other);
    return st;
}

static bool is_text(const struct om_field *field)
{
    return field->type == OM_TYPE_TEXT || field->type == OM_TYPE_CATEGORY;
}

om_status om_doers_column(const struct om_snapshot *whole,
                          const struct om_layer *layer, size_t *out)
{
    const size_t own = layer->schema.count - layer->unit_columns;
    const char *said = om_layer_person(whole->manifest, layer->name);
    bool found = false;
    *out = OM_NO_FIELD;
    for (size_t i = 0; i < own && !found; i++) {
        const struct om_field *field = &layer->schema.field[i];
        if (i == layer->schema.id_field || !is_text(field)) continue;
        if (said)
            found = !strcmp(field->name, said);
        else if (om_column_personal(whole->manifest, layer->name, field->name))
            OM_TRY(names_persons(whole, layer, i, &found));
        if (found) *out = i;
    }
    return OM_OK;
}

/* ---- texts as hashes ---- */

#define MEMO 16384

struct om_doer_memo {
    uint64_t stored, hash;
    size_t part;  // + 1; 0: free
};

om_status om_doer_texts_init(struct om_doer_texts *t,
                             const struct om_layer *layer, size_t column)
{
    *t = (struct om_doer_texts){.layer = layer, .column = column};
    t->of = om_calloc(layer->parts + 1, sizeof(struct om_column *));
    t->memo = om_calloc(MEMO, sizeof *t->memo);
    if (!t->of || !t->memo) return OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts; p++)
        OM_TRY(om_segment_column(layer->part[p].segment, column, 0,
                                 om_segment_rows(layer->part[p].segment),
                                 &t->of[p]));
    return OM_OK;
}

void om_doer_texts_deinit(struct om_doer_texts *t)
{
    om_free(t->of);
    om_free(t->memo);
    om_text_reader_deinit(&t->reader);
    *t = (struct om_doer_texts){0};
}

static om_status read_text(struct om_doer_texts *t, size_t part, size_t row,
                           uint64_t *out)
{
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(t->layer->part[part].segment, t->column, row,
                           &t->reader, &text, &len));
    *out = text ? om_hash64(text, len, 1) | 1 : 0;
    return OM_OK;
}

om_status om_doer_text(struct om_doer_texts *t, size_t part, size_t row,
                       uint64_t *out)
{
    const struct om_column *c = t->of[part];
    *out = 0;
    if (!om_column_valid(c, row)) return OM_OK;
    if (!c->width) return read_text(t, part, row, out);
    const uint64_t stored = om_column_stored(c, row);
    struct om_doer_memo *memo = &t->memo[(stored + part * 7919) % MEMO];
    if (memo->part != part + 1 || memo->stored != stored) {
        OM_TRY(read_text(t, part, row, &memo->hash));
        memo->part = part + 1;
        memo->stored = stored;
    }
    *out = memo->hash;
    return OM_OK;
}

/* ---- homes ---- */

/* Somebody's rows in one unit. */
struct stay {
    uint64_t person, unit, rows;  // rows 0: free
    struct om_doer_home first;
};

struct finding {
    struct om_doer_texts person, unit;
    bool units;  // rows lie in some
    size_t slots, used;
    struct stay *slot;
    om_status status;
};

static struct stay *slot_of(struct stay *slot, size_t slots, uint64_t person,
                            uint64_t unit)
{
    size_t at = (size_t)((person ^ unit * 3) >> 7) & (slots - 1);
    while (slot[at].rows &&
           (slot[at].person != person || slot[at].unit != unit))
        at = (at + 1) & (slots - 1);
    return &slot[at];
}

static om_status make_room(struct finding *f)
{
    if (2 * (f->used + 1) < f->slots) return OM_OK;
    const size_t slots = f->slots ? 2 * f->slots : 8192;
    struct stay *grown = om_calloc(slots, sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    for (size_t i = 0; i < f->slots; i++)
        if (f->slot[i].rows)
            *slot_of(grown, slots, f->slot[i].person, f->slot[i].unit) =
                f->slot[i];
    om_free(f->slot);
    f->slot = grown;
    f->slots = slots;
    return OM_OK;
}

static om_status add_row(struct finding *f, const struct om_hit *hit)
{
    uint64_t person, unit = 0;
    OM_TRY(om_doer_text(&f->person, hit->part, hit->row, &person));
    if (f->units) OM_TRY(om_doer_text(&f->unit, hit->part, hit->row, &unit));
    OM_TRY(make_room(f));
    struct stay *stay = slot_of(f->slot, f->slots, person, unit);
    if (!stay->rows) {
        *stay = (struct stay){
            person, unit, 0, {(uint32_t)hit->part, (uint32_t)hit->row}};
        f->used++;
    }
    stay->rows++;
    return OM_OK;
}

static bool take_row(void *ctx, const struct om_hit *hit)
{
    struct finding *f = ctx;
    f->status = add_row(f, hit);
    return !f->status;
}

/* By person, where most rows are first. */
static int by_person(const void *one, const void *two)
{
    const struct stay *a = one, *b = two;
    if (a->person != b->person) return a->person < b->person ? -1 : 1;
    if (a->rows != b->rows) return a->rows > b->rows ? -1 : 1;
    return (a->unit > b->unit) - (a->unit < b->unit);
}

static om_status take_homes(struct finding *f, struct om_doers *out)
{
    size_t n = 0;
    for (size_t i = 0; i < f->slots; i++)
        if (f->slot[i].rows) f->slot[n++] = f->slot[i];
    if (n) qsort(f->slot, n, sizeof *f->slot, by_person);
    out->home = om_alloc_array(n + 1, sizeof *out->home);
    if (!out->home) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (!i || f->slot[i].person != f->slot[i - 1].person)
            out->home[out->count++] = f->slot[i].first;
    return OM_OK;
}

/* The column of the finest units that the rows lie in. */
static size_t finest_of(const struct om_query *query)
{
    const struct om_manifest *city = query->snapshot->manifest;
    size_t column = OM_NO_FIELD;
    for (size_t l = 0; l < city->levels && column == OM_NO_FIELD; l++)
        column = om_layer_unit_field(query->layer, city->level[l]);
    return column;
}

om_status om_doers_find(const struct om_query *query, struct om_doers *out)
{
    const struct om_layer *layer = query->layer;
    const size_t finest = finest_of(query);
    struct finding f = {.units = finest != OM_NO_FIELD};
    *out = (struct om_doers){0};
    om_status st =
        om_doer_texts_init(&f.person, layer, layer->rights.doer_column);
    if (!st && f.units) st = om_doer_texts_init(&f.unit, layer, finest);
    if (!st) st = om_query_each(query, take_row, &f);
    if (!st) st = f.status;
    if (!st) st = take_homes(&f, out);
    om_doer_texts_deinit(&f.person);
    om_doer_texts_deinit(&f.unit);
    om_free(f.slot);
    return st;
}

void om_doers_deinit(struct om_doers *doers)
{
    om_free(doers->home);
    *doers = (struct om_doers){0};
}

om_status om_doers_by_unit(const struct om_doers *doers,
                           const struct om_layer *layer,
                           const struct om_units *units, uint64_t *count)
{
    struct om_arena arena = {0};
    struct om_unit_rows *rows = om_calloc(layer->parts + 1, sizeof *rows);
    om_status st = rows ? OM_OK : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++)
        st = om_units_rows(units, layer, p, &arena, &rows[p]);
    for (size_t i = 0; i < doers->count && !st; i++) {
        const struct om_doer_home *home = &doers->home[i];
        const uint32_t unit = om_unit_of_row(&rows[home->part], home->row);
        count[unit == OM_NO_UNIT ? units->count : unit]++;
    }
    om_free(rows);
    om_arena_deinit(&arena);
    return st;
}

/* ---- by a column ---- */

/* A row: what it has in the column, and whose doing it is. */
struct sign {
    uint64_t value, person;
};

struct signing {
    struct om_doer_texts person, text;
    const struct om_layer *layer;
    size_t column;
    bool texts;  // the column is of texts, else of whole numbers
    struct om_buf signs;
    om_status status;
};

static uint64_t sign_of_number(int64_t number)
{
    return om_hash64(&number, sizeof number, 2) | 1;
}

static om_status read_sign(struct signing *s, const struct om_hit *hit,
                           struct sign *out)
{
    const struct om_column *c;
    const struct om_segment *segment = s->layer->part[hit->part].segment;
    OM_TRY(om_doer_text(&s->person, hit->part, hit->row, &out->person));
    if (s->texts)
        return om_doer_text(&s->text, hit->part, hit->row, &out->value);
    OM_TRY(om_segment_column(segment, s->column, hit->row, hit->row + 1, &c));
    out->value = om_column_valid(c, hit->row)
                     ? sign_of_number(om_column_integer(c, hit->row))
                     : 0;
    return OM_OK;
}

static bool take_sign(void *ctx, const struct om_hit *hit)
{
    struct signing *s = ctx;
    struct sign sign;
    s->status = read_sign(s, hit, &sign);
    if (!s->status) s->status = om_buf_add(&s->signs, &sign, sizeof sign);
    return !s->status;
}

static int by_sign(const void *one, const void *two)
{
    const struct sign *a = one, *b = two;
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    return (a->person > b->person) - (a->person < b->person);
}

/* Signs are sorted, each once. */
static uint64_t persons_of(const struct sign *sign, size_t n, uint64_t value)
{
    size_t low = 0, high = n, from;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sign[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    for (from = low; low < n && sign[low].value == value;) low++;
    return low - from;
}

static uint64_t sign_of_group(const struct om_group *g, enum om_type type)
{
    if (g->null) return 0;
    if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY)
        return om_hash64(g->id, g->len, 1) | 1;
    if (type == OM_TYPE_BOOLEAN)
        return sign_of_number(g->len == 4 && !memcmp(g->id, "true", 4));
    return sign_of_number(strtoll(g->id, NULL, 10));
}

om_status om_doers_by_column(const struct om_query *query, size_t column,
                             const struct om_groups *groups, uint64_t *count)
{
    const struct om_layer *layer = query->layer;
    const enum om_type type = layer->schema.field[column].type;
    struct signing s = {.layer = layer,
                        .column = column,
                        .texts = is_text(&layer->schema.field[column])};
    for (size_t i = 0; i < groups->count; i++)
        count[i] = groups->group[i].count > 0;
    if (type == OM_TYPE_REAL || type == OM_TYPE_TIME) return OM_OK;
    om_buf_init(&s.signs, SIZE_MAX);
    om_status st =
        om_doer_texts_init(&s.person, layer, layer->rights.doer_column);
    if (!st && s.texts) st = om_doer_texts_init(&s.text, layer, column);
    if (!st) st = om_query_each(query, take_sign, &s);
    if (!st) st = s.status;
    struct sign *sign = (struct sign *)(void *)s.signs.bytes;
    size_t n = s.signs.len / sizeof *sign, kept = 0;
    if (!st && n) qsort(sign, n, sizeof *sign, by_sign);
    for (size_t i = 0; i < n && !st; i++)
        if (!kept || by_sign(&sign[i], &sign[kept - 1])) sign[kept++] = sign[i];
    for (size_t i = 0; i < groups->count && !st; i++)
        count[i] =
            persons_of(sign, kept, sign_of_group(&groups->group[i], type));
    om_doer_texts_deinit(&s.person);
    om_doer_texts_deinit(&s.text);
    om_buf_deinit(&s.signs);
    return st;
}
