// answers.c - what was found, the best first, as answers.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/run_internal.h"

/* Scores that differ by less are equal where a place is given. */
#define SCORE_STEP 0.01
/* What is only like what was typed, or has its first letters, is no answer
 * below these: of any letters some name has most. Of addresses and units that
 * were typed wrongly (benchmarks/engine/bench_search*.c) all right answers are
 * above.
 */
#define ALIKE_MIN 0.6F
#define INITIALS_MIN 0.8F
/* The first answer is sure from here on; first letters only if they are all of
 * them, and of one name. */
#define SURE 0.8
#define SURE_INITIALS 0.99

const char *om_search_match_name(enum om_search_match match)
{
    static const char *const NAME[] = {"id",   "exact",  "part",
                                       "typo", "pinyin", "initials"};
    return NAME[match];
}

static om_status text_at(struct om__running *r, const struct om__found *f,
                         size_t column, size_t row, const char **out)
{
    const char *text;
    size_t len;
    *out = NULL;
    if (column == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_text(f->layer->part[f->part].segment, column, row,
                           om__run_reader(r, column), &text, &len));
    if (!text) return OM_OK;
    *out = om_arena_text(r->arena, text, len);
    return *out ? OM_OK : OM_E_MEMORY;
}

/* A unit layer's own columns name the units above; a row of it is its own. */
static om_status units_of(const struct om_snapshot *snapshot,
                          const struct om__unit_names *names,
                          const struct om_layer *layer, size_t part, size_t row,
                          struct om_text_reader *reader, struct om_arena *arena,
                          struct om_search_unit *out)
{
    const struct om_manifest *m = snapshot->manifest;
    for (size_t l = 0; l < m->levels; l++) {
        const size_t column = om__unit_column(layer, m->level[l]);
        const char *text = NULL;
        size_t len;
        if (column == OM_NO_FIELD) continue;
        OM_TRY(om_segment_text(layer->part[part].segment, column, row, reader,
                               &text, &len));
        if (!text) continue;
        const struct om__unit *unit = om__unit_names_find(names, l, text, len);
        out[l].id = om_arena_text(arena, text, len);
        out[l].name = unit ? om_arena_text(arena, unit->name, unit->name_len)
                           : om_arena_text(arena, "", 0);
        if (!out[l].id || !out[l].name) return OM_E_MEMORY;
    }
    return OM_OK;
}

om_status om_search_units(struct om_search *search,
                          const struct om_snapshot *snapshot,
                          const struct om_layer *layer, size_t part, size_t row,
                          struct om_arena *arena, struct om_search_unit *out)
{
    struct om__unit_names *names;
    struct om_text_reader reader = {0};
    OM_TRY(om__shelf_names(search, snapshot, &names));
    const om_status st =
        units_of(snapshot, names, layer, part, row, &reader, arena, out);
    om_text_reader_deinit(&reader);
    om__unit_names_unref(names);
    return st;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What the texts of a house's first and last room begin with, up to a whole
 * number and character. */
static om_status common_text(struct om__running *r, const struct om__found *f,
                             size_t column, const char **out)
{
    const char *last;
    OM_TRY(text_at(r, f, column, f->row, out));
    OM_TRY(text_at(r, f, column, f->last_row, &last));
    if (!*out || !last) return OM_OK;
    const char *first = *out;
    size_t n = 0;
    while (first[n] && first[n] == last[n]) n++;
    while (n && ((unsigned char)first[n] & 0xC0) == 0x80) n--;
    while (n && (is_digit(first[n - 1]) &&
                 (is_digit(first[n]) || is_digit(last[n]))))
        n--;
    if (n) *out = om_arena_text(r->arena, first, n);
    return *out ? OM_OK : OM_E_MEMORY;
}

static om_status make_hit(struct om__running *r, const struct om__found *f,
                          struct om_search_hit *hit)
{
    const struct om_schema *schema = &f->layer->schema;
    const size_t column = om_schema_find(schema, f->source->column);
    const size_t group = f->source->group[0]
                             ? om_schema_find(schema, f->source->group)
                             : OM_NO_FIELD;
    *hit = (struct om_search_hit){.source = f->source,
                                  .layer = f->layer,
                                  .part = f->part,
                                  .row = f->row,
                                  .pos = om_morton_pos(f->key),
                                  .match = f->match};
    hit->score = f->score > 1 ? 1 : (double)f->score;
    hit->kind = f->source->kind;
    OM_TRY(text_at(r, f, group, f->row, &hit->group_id));
    hit->group = f->rows > 1 && hit->group_id;
    OM_TRY(text_at(r, f, schema->id_field, f->row, &hit->id));
    if (hit->group) hit->id = hit->group_id;
    if (hit->group || !strcmp(f->layer->name, f->source->group_layer))
        hit->kind = f->source->group_layer;
    hit->unit = om_arena_calloc(r->arena, r->snapshot->manifest->levels + 1,
                                sizeof *hit->unit);
    if (!hit->unit) return OM_E_MEMORY;
    OM_TRY(units_of(r->snapshot, r->names, f->layer, f->part, f->row,
                    &r->reader[0], r->arena, hit->unit));
    return hit->group ? common_text(r, f, column, &hit->text)
                      : text_at(r, f, column, f->row, &hit->text);
}

static int by_worth(const void *a, const void *b)
{
    const struct om__found *x = a, *y = b;
    const double p = floor((double)x->score / SCORE_STEP + 0.5);
    const double q = floor((double)y->score / SCORE_STEP + 0.5);
    // Without a place `away` is 0 for all.
    const bool placed = x->away > 0 || y->away > 0;
    if (placed ? p != q : x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->away != y->away) return x->away < y->away ? -1 : 1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

void om__run_order(struct om__running *r, size_t count)
{
    qsort(r->found, count, sizeof *r->found, by_worth);
}

/* Is the answer one that is there already: the same row found another way, the
 * same house, a further piece of the same road? */
static bool is_repeated(const struct om__running *r,
                        const struct om_search_hit *h,
                        const struct om__found *f)
{
    for (size_t i = 0; i < r->out->count; i++) {
        const struct om_search_hit *o = &r->out->hit[i];
        if (o->layer != h->layer) continue;
        if (o->part == h->part && o->row == h->row) return true;
        if (o->group_id && h->group_id && (o->group || h->group) &&
            !strcmp(o->group_id, h->group_id))
            return true;
        if (f->layer->schema.geometry == OM_GEOMETRY_LINE && o->text &&
            h->text && !strcmp(o->text, h->text) &&
            fabs((double)o->pos.x - h->pos.x) < 1 << 18 &&
            fabs((double)o->pos.y - h->pos.y) < 1 << 18)
            return true;
    }
    return false;
}

static bool is_told(const struct om__found *f)
{
    if (f->match == OM_MATCH_INITIALS) return f->score >= INITIALS_MIN;
    return f->match != OM_MATCH_TYPO || f->score >= ALIKE_MIN;
}

/* Is another name worth as much as the first? */
static bool has_rival(const struct om_search_answer *out)
{
    const struct om_search_hit *first = out->hit;
    for (size_t i = 1; i < out->count; i++) {
        const struct om_search_hit *h = &out->hit[i];
        if (first->score - h->score >= SCORE_STEP) return false;
        if (h->term ? h->term != first->term
                    : !h->text || !first->text || strcmp(h->text, first->text))
            return true;
    }
    return false;
}

bool om__answer_is_sure(const struct om_search_answer *out)
{
    if (!out->count) return false;
    const struct om_search_hit *first = out->hit;
    if (first->match == OM_MATCH_ID) return true;
    if (first->match != OM_MATCH_INITIALS) return first->score >= SURE;
    return first->score >= SURE_INITIALS && !has_rival(out);
}

om_status om__run_answer(struct om__running *r)
{
    struct om_search_answer *out = r->out;
    om__run_order(r, r->count);
    out->hit = om_arena_calloc(r->arena, r->ask->limit, sizeof *out->hit);
    if (!out->hit) return OM_E_MEMORY;
    for (size_t i = 0; i < r->count && out->count < r->ask->limit; i++) {
        struct om_search_hit *hit = &out->hit[out->count];
        if (!is_told(&r->found[i])) continue;
        OM_TRY(make_hit(r, &r->found[i], hit));
        if (hit->id && !is_repeated(r, hit, &r->found[i])) out->count++;
    }
    return OM_OK;
}
