/* run.c - a question to all layers, and the best of what they answer.
 *
 * DESIGN
 * Each part of each layer is asked for the forms that have most in common with
 * the question (candidates.c), each of them is laid beside it (align.c), and
 * the best are looked up for rows (entries.c). Rows count only if they live, if
 * they lie in the box, and if the asker may see their layer. What is worth the
 * same is ordered by distance, if a place is given, then by the order of the
 * sources, then by id, so that an answer never depends on how files are cut.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/utf8.h"
#include "engine/live/stack_internal.h"
#include "engine/policy/policy.h"
#include "engine/search/shelf_internal.h"

/* Below this share of what a perfect answer is worth nothing is answered. */
#define SCORE_MIN 0.5F
/* Share of what is asked besides units that a form must have of its own, where
 * more than a short name is asked. */
#define OWN_MIN 0.4F
#define OWN_LEAST 3.0F
/* How far below the best of its index a form may be to be looked up. */
#define SCORE_SPAN 0.3F
/* What a form loses that is not asked for in full, and what each number that
 * it does not have costs, in weights of a character. */
#define PART 0.04F
#define MISSING 2.0F
/* What a number gains that was typed in another place (13号 before the road).
 */
#define LOOSE 1.8F
/* Of what a row's units add: those that say it themselves are before it. */
#define CREDITED 0.9999F
/* Rows of one form, and of one question, that are looked at. */
#define FORM_ROWS 512
#define ROWS_MOST 6000
#define HITS_MOST 2048
/* Scores that differ by less are equal where a place is given. */
#define SCORE_STEP 0.01

/* A row, or the group of rows it stands for. */
struct found {
    const struct om_search_source *source;
    const struct om_layer *layer;
    size_t part;
    uint32_t row, last_row;  // of the same group in this form
    size_t rows;
    uint64_t key;
    float score;
    double away;
    enum om_search_match match;
};

struct running {
    struct om_search *search;
    const struct om_snapshot *snapshot;
    const struct om_search_ask *ask;
    struct om_arena *arena;
    struct om_search_answer *out;
    struct om__question question;
    struct om__aligner *aligner;
    struct om__unit_names *names;
    struct om_text_reader reader[8];  // by column, more or less
    struct found *found;
    size_t count, rows;
    // the layer and part at hand
    const struct om_search_source *source;
    const struct om_layer *layer;
    size_t part;
};

static struct om_text_reader *reader_of(struct running *r, size_t column)
{
    return &r->reader[column % (sizeof r->reader / sizeof *r->reader)];
}

const char *om_search_match_name(enum om_search_match match)
{
    static const char *const NAME[] = {"id",   "exact",  "part",
                                       "typo", "pinyin", "initials"};
    return NAME[match];
}

/* ---- rows ---- */

/* The column of a layer that says in which unit of a level a row lies: of a
 * layer of units the row's own id, or the unit above. OM_NO_FIELD: none. */
static size_t unit_column(const struct om_layer *layer, const char *level)
{
    if (layer->meta && !strcmp(layer->meta->unit_level, level))
        return layer->schema.id_field;
    const size_t column = om_schema_find(&layer->schema, level);
    if (column == OM_NO_FIELD) return OM_NO_FIELD;
    const enum om_type type = layer->schema.field[column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY ? column
                                                            : OM_NO_FIELD;
}

/* The unit of a level that a row lies in, as it was read last. */
struct lying {
    size_t level;
    const char *text;  // NULL: in none
    size_t len;
};

static om_status read_unit(struct running *r, uint32_t row, size_t level,
                           struct lying *out)
{
    if (level == out->level) return OM_OK;
    const size_t column =
        unit_column(r->layer, r->snapshot->manifest->level[level]);
    *out = (struct lying){.level = level};
    return column == OM_NO_FIELD
               ? OM_OK
               : om_segment_text(r->layer->part[r->part].segment, column, row,
                                 reader_of(r, column), &out->text, &out->len);
}

/* A name is said as a whole by the row's own text or by its unit: 东 of 东城 is
 * not half of 东莞. */
static bool is_whole(const struct om__mention *mention, const uint8_t *seen)
{
    for (size_t i = mention->from; i < mention->stem; i++)
        if (seen[i] != seen[mention->from]) return false;
    return true;
}

/* Does a form leave out anything that a mention says? */
static bool is_creditable(const struct om__question *q,
                          enum om__reading reading,
                          const struct om__mention *mention,
                          const uint8_t *seen)
{
    if (!is_whole(mention, seen)) return false;
    for (size_t i = mention->from; i < mention->to; i++)
        if (!seen[i] && om__atom_optional(&q->atom[i], reading)) return true;
    return false;
}

/* What a row's units add to a question that names them. */
static om_status credit_of(struct running *r, enum om__reading reading,
                           uint32_t row, const struct om__alignment *alignment,
                           float *out)
{
    const struct om__question *q = &r->question;
    struct lying in = {.level = OM__LEVEL_ABOVE};
    uint8_t seen[OM_SEARCH_TOKENS];
    memcpy(seen, alignment->seen, sizeof seen);
    *out = 0;
    for (size_t m = 0; m < q->mentions; m++) {
        const struct om__mention *mention = &q->mention[m];
        if (!is_creditable(q, reading, mention, alignment->seen)) continue;
        if (mention->level != OM__LEVEL_ABOVE) {
            OM_TRY(read_unit(r, row, mention->level, &in));
            if (!in.text || in.len != mention->unit_len ||
                memcmp(in.text, mention->unit, in.len) != 0)
                continue;
        }
        float add = 0;
        for (size_t i = mention->from; i < mention->to; i++) {
            if (seen[i] || !om__atom_optional(&q->atom[i], reading)) continue;
            seen[i] = 1;
            add += om__atom_weight(&q->atom[i], reading);
        }
        if (add > mention->loss) *out += add - mention->loss;
    }
    return OM_OK;
}

static double away_from(const struct om_search_ask *ask, struct om_pos pos)
{
    if (!ask->near) return 0;
    const double dx = (double)pos.x - ask->at.x, dy = (double)pos.y - ask->at.y;
    return sqrt(dx * dx + dy * dy);
}

static bool lies_in(struct om_box box, struct om_pos pos)
{
    return pos.x >= box.x0 && pos.x <= box.x1 && pos.y >= box.y0 &&
           pos.y <= box.y1;
}

static om_status add_row(struct running *r, uint32_t row, float score,
                         enum om_search_match match)
{
    const struct om_part *part = &r->layer->part[r->part];
    const uint64_t *key;
    bool seen;
    if (om__part_is_dead(part, row)) return OM_OK;
    OM_TRY(om_row_seen(r->layer, r->part, row, &seen));
    if (!seen) return OM_OK;
    OM_TRY(om_segment_keys(part->segment, row, row + 1, &key));
    const struct om_pos pos = om_morton_pos(key[row]);
    if (r->ask->boxed && !lies_in(r->ask->box, pos)) return OM_OK;
    struct found *last = r->count ? &r->found[r->count - 1] : NULL;
    // Rooms of one house follow each other.
    if (r->source->group[0] && last && last->layer == r->layer &&
        last->part == r->part && last->key == key[row] &&
        last->score == score) {
        last->last_row = row;
        last->rows++;
        return OM_OK;
    }
    if (r->count == HITS_MOST) return OM_OK;
    r->found[r->count++] = (struct found){.source = r->source,
                                          .layer = r->layer,
                                          .part = r->part,
                                          .row = row,
                                          .last_row = row,
                                          .rows = 1,
                                          .key = key[row],
                                          .score = score,
                                          .away = away_from(r->ask, pos),
                                          .match = match};
    return OM_OK;
}

/* ---- forms ---- */

struct ranked {
    uint32_t form, at;  // at: of its alignment
    float score;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->form < y->form ? -1 : x->form > y->form;
}

static enum om_search_match match_of(const struct om__alignment *a,
                                     const struct om__question *q,
                                     enum om__reading reading, bool missing)
{
    if (reading == OM__READ_INITIALS) return OM_MATCH_INITIALS;
    for (size_t i = 0; i < q->atoms; i++)
        if (q->atom[i].kind == OM__ATOM_LETTER && i + 1 < q->atoms &&
            q->atom[i + 1].kind == OM__ATOM_LETTER && a->seen[i])
            return OM_MATCH_PINYIN;
    if (a->faults) return OM_MATCH_TYPO;
    return a->coverage > 0.999F && !missing ? OM_MATCH_EXACT : OM_MATCH_PART;
}

static om_status add_form(struct running *r, enum om__reading reading,
                          const struct om_form *form,
                          const struct om__alignment *alignment)
{
    const struct om__question *q = &r->question;
    const struct om__range range = om__entries_fit(q, alignment, form);
    const float base = alignment->score - (float)range.missing * MISSING +
                       (float)range.loose * LOOSE;
    const enum om_search_match match =
        match_of(alignment, q, reading, range.missing > 0);
    size_t rows = 0;
    for (size_t e = range.from; e < range.to; e++) {
        if (rows++ == FORM_ROWS || r->rows++ >= ROWS_MOST) return OM_OK;
        float credit = 0;
        // A row of which nothing is asked but where it lies is no answer.
        if (q->mentions && alignment->coverage > 0)
            OM_TRY(credit_of(r, reading, form->row[e], alignment, &credit));
        const float score = (base + credit * CREDITED) / q->total[reading] -
                            PART * (1 - alignment->coverage);
        if (score >= SCORE_MIN) OM_TRY(add_row(r, form->row[e], score, match));
    }
    return OM_OK;
}

/* What is in optional atoms may still be credited to a row, and numbers may be
 * found in another place. */
static float hope_of(const struct om__question *q, enum om__reading reading,
                     const struct om__alignment *a)
{
    float hope = 0;
    bool credited[OM_SEARCH_TOKENS] = {false};
    for (size_t m = 0; m < q->mentions && a->coverage > 0; m++) {
        const struct om__mention *mention = &q->mention[m];
        if (!is_creditable(q, reading, mention, a->seen)) continue;
        for (size_t i = mention->from; i < mention->to; i++)
            credited[i] = om__atom_optional(&q->atom[i], reading);
    }
    for (size_t i = 0; i < q->atoms; i++) {
        if (a->seen[i]) continue;
        if (credited[i]) hope += om__atom_weight(&q->atom[i], reading);
        if (q->atom[i].kind == OM__ATOM_NUMBER) hope += LOOSE;
    }
    return hope;
}

/* What names units in a question weighs. */
static float units_weight(const struct om__question *q,
                          enum om__reading reading)
{
    float sum = 0;
    for (size_t i = 0; i < q->atoms; i++)
        if (om__atom_optional(&q->atom[i], reading))
            sum += om__atom_weight(&q->atom[i], reading);
    return sum;
}

static om_status search_index(struct running *r,
                              const struct om_search_index *index,
                              enum om__reading reading)
{
    struct om__candidate candidate[OM__CANDIDATES];
    struct ranked ranked[OM__CANDIDATES];
    struct om__alignment alignment[OM__CANDIDATES];
    struct om__question *q = &r->question;
    const float least = SCORE_MIN * q->total[reading];
    const float units = units_weight(q, reading);
    const float own = q->total[reading] - units;
    size_t count, kept = 0;
    OM_TRY(om__candidates_find(index, q, reading, candidate, &count));
    for (size_t i = 0; i < count; i++) {
        struct om__alignment *const a = &alignment[kept];
        struct om_form form;
        OM_TRY(om_search_index_form(index, candidate[i].form, &form));
        if (om__align_most(q, reading, form.tokens) < least) continue;
        om__align(r->aligner, q, reading, form.token, form.tokens, a);
        const float worth = a->score + hope_of(q, reading, a);
        const float score =
            worth / q->total[reading] - PART * (1 - a->coverage);
        if (score < SCORE_MIN ||
            (own > OWN_LEAST && worth - units < OWN_MIN * own))
            continue;
        ranked[kept] =
            (struct ranked){candidate[i].form, (uint32_t)kept, score};
        kept++;
    }
    qsort(ranked, kept, sizeof *ranked, by_score);
    for (size_t i = 0; i < kept; i++) {
        struct om_form form;
        if (ranked[i].score < ranked[0].score - SCORE_SPAN) break;
        OM_TRY(om_search_index_form(index, ranked[i].form, &form));
        OM_TRY(add_form(r, reading, &form, &alignment[ranked[i].at]));
    }
    return OM_OK;
}

/* Ask the index of a part. *damaged: it was not what was written, and what it
 * said does not count. */
static om_status ask_index(struct running *r, size_t column, bool *damaged)
{
    struct om_search_index *index = NULL;
    const struct om_segment *segment = r->layer->part[r->part].segment;
    const size_t found = r->count;
    OM_TRY(om__shelf_get(r->search, segment, column, &index));
    if (!index) {
        r->out->complete = false;
        return OM_OK;
    }
    om_status st = OM_OK;
    for (int k = 0; k < OM__READINGS && !st; k++)
        if (r->question.reads[k])
            st = search_index(r, index, (enum om__reading)k);
    *damaged = st == OM_E_DAMAGED && om_search_index_damaged(index);
    om_search_index_unref(index);
    if (!*damaged) return st;
    r->count = found;
    om__shelf_drop(r->search, segment, column);
    return OM_OK;
}

/* A damaged index is made again: now, or soon where it is large. */
static om_status search_part(struct running *r, size_t column)
{
    bool damaged = false;
    OM_TRY(ask_index(r, column, &damaged));
    if (!damaged) return OM_OK;
    OM_TRY(ask_index(r, column, &damaged));
    return damaged ? OM_E_DAMAGED : OM_OK;
}

/* The question may be an id. */
static om_status search_id(struct running *r)
{
    const char *text = r->ask->text;
    size_t len = r->ask->len;
    while (len && text[len - 1] == ' ') len--;
    while (len && text[0] == ' ') text++, len--;
    if (!len || len >= OM_LIMIT_NAME_BYTES) return OM_OK;
    const struct om_segment *segment = r->layer->part[r->part].segment;
    const size_t column = r->layer->schema.id_field;
    size_t row;
    const om_status st =
        om_segment_find(segment, text, len, reader_of(r, column), &row);
    if (st) return st == OM_E_NOTFOUND ? OM_OK : st;
    return add_row(r, (uint32_t)row, 2, OM_MATCH_ID);
}

static bool is_wanted(const struct running *r, const struct om_layer *layer)
{
    const struct om_search_ask *ask = r->ask;
    if (ask->may && !ask->may(ask->ctx, layer)) return false;
    if (!ask->layer) return true;
    for (size_t i = 0; i < ask->layers; i++)
        if (!strcmp(ask->layer[i], layer->name)) return true;
    return false;
}

/* Groups are rows of a layer of their own, which has no text: by id only. */
static om_status search_group_id(struct running *r)
{
    const struct om_layer *layer =
        om_snapshot_layer(r->snapshot, r->source->group_layer);
    if (!layer || !is_wanted(r, layer)) return OM_OK;
    r->layer = layer;
    for (r->part = 0; r->part < layer->parts; r->part++) OM_TRY(search_id(r));
    return OM_OK;
}

static om_status search_layers(struct running *r)
{
    for (size_t s = 0; s < r->out->sources; s++) {
        r->source = &r->out->source[s];
        OM_TRY(search_group_id(r));
        r->layer = om_snapshot_layer(r->snapshot, r->source->layer);
        if (!is_wanted(r, r->layer)) continue;
        const size_t column =
            om_schema_find(&r->layer->schema, r->source->column);
        for (r->part = 0; r->part < r->layer->parts; r->part++) {
            OM_TRY(search_part(r, column));
            OM_TRY(search_id(r));
        }
    }
    om__shelf_tidy(r->search);
    return OM_OK;
}

/* ---- answers ---- */

static om_status text_at(struct running *r, const struct found *f,
                         size_t column, size_t row, const char **out)
{
    const char *text;
    size_t len;
    *out = NULL;
    if (column == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_text(f->layer->part[f->part].segment, column, row,
                           reader_of(r, column), &text, &len));
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
        const size_t column = unit_column(layer, m->level[l]);
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
static om_status common_text(struct running *r, const struct found *f,
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

static om_status make_hit(struct running *r, const struct found *f,
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
    const struct found *x = a, *y = b;
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

/* Is the answer one that is there already: the same row found another way, the
 * same house, a further piece of the same road? */
static bool is_repeated(const struct running *r, const struct om_search_hit *h,
                        const struct found *f)
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

static om_status answer(struct running *r)
{
    struct om_search_answer *out = r->out;
    qsort(r->found, r->count, sizeof *r->found, by_worth);
    out->hit = om_arena_calloc(r->arena, r->ask->limit, sizeof *out->hit);
    if (!out->hit) return OM_E_MEMORY;
    for (size_t i = 0; i < r->count && out->count < r->ask->limit; i++) {
        struct om_search_hit *hit = &out->hit[out->count];
        OM_TRY(make_hit(r, &r->found[i], hit));
        if (hit->id && !is_repeated(r, hit, &r->found[i])) out->count++;
    }
    return OM_OK;
}

static om_status check_ask(const struct om_search_ask *ask, struct om_err *err)
{
    if (ask->limit < 1 || ask->limit > OM_SEARCH_LIMIT)
        return om_fail(err, OM_E_RANGE, 0, "limit is 1 to %d", OM_SEARCH_LIMIT);
    if (ask->len > OM_SEARCH_BYTES)
        return om_fail(err, OM_E_LIMIT, 0, "a question has at most %d bytes",
                       OM_SEARCH_BYTES);
    if (!om_utf8_valid(ask->text, ask->len))
        return om_fail(err, OM_E_FORMAT, 0, "the question is not UTF-8");
    return OM_OK;
}

om_status om_search_run(struct om_search *search,
                        const struct om_snapshot *snapshot,
                        const struct om_search_ask *ask, struct om_arena *arena,
                        struct om_search_answer *out, struct om_err *err)
{
    const struct om_fold *fold;
    memset(out, 0, sizeof *out);
    out->complete = true;
    OM_TRY(check_ask(ask, err));
    OM_TRY(om_fold_get(&fold, err));
    out->source = om_arena_calloc(arena, OM_SEARCH_LAYERS, sizeof *out->source);
    struct running *r = om_arena_calloc(arena, 1, sizeof *r);
    if (!out->source || !r) return OM_E_MEMORY;
    OM_TRY(om_search_sources(snapshot, out->source, &out->sources, err));
    r->search = search;
    r->snapshot = snapshot;
    r->ask = ask;
    r->arena = arena;
    r->out = out;
    r->found = om_arena_alloc(arena, HITS_MOST * sizeof *r->found);
    if (!r->found) return OM_E_MEMORY;
    OM_TRY(om__aligner_new(arena, &r->aligner));
    OM_TRY(om__shelf_names(search, snapshot, &r->names));
    om__question_read(fold, ask->text, ask->len, &r->question);
    om__question_mentions(&r->question, r->names);
    om_status st = search_layers(r);
    if (!st) st = answer(r);
    for (size_t i = 0; i < sizeof r->reader / sizeof *r->reader; i++)
        om_text_reader_deinit(&r->reader[i]);
    om__unit_names_unref(r->names);
    return st;
}
