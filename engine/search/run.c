/* run.c - a question to all layers, and the best of what they answer.
 *
 * DESIGN
 * Each part of each layer is asked for the forms that have most in common with
 * the question (candidates.c), each of them is laid beside it (align.c), and
 * the best are looked up for rows (entries.c). Rows count only if they live, if
 * they lie in the box, and if the asker may see their layer. What is worth the
 * same is ordered by distance, if a place is given, then by the order of the
 * sources, then by id. What is looked at depends on how files are cut where
 * more forms resemble a question alike than are laid beside it (OM__CANDIDATES
 * of each part): a question of one word that thousands of addresses have.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/utf8.h"
#include "engine/search/run_internal.h"

/* Share of what is asked besides units that a form must have of its own, where
 * more than a short name is asked. */
#define OWN_MIN 0.4F
#define OWN_LEAST 3.0F
/* How far below the best of its index a form may be to be looked up. */
#define SCORE_SPAN 0.3F
/* What a number gains that was typed in another place (13号 before the road).
 */
#define LOOSE 1.8F
/* What a row loses that lies where it is asked for, and of whose name one
 * character is: 白岭山 is hardly a shop in 白岭 with 山 in its name. */
#define LONE 0.7F
#define LONE_TOKENS 3
/* Rows of one form, and of one question, that are looked at. */
#define FORM_ROWS 512
#define ROWS_MOST 6000

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

enum om_search_match om__run_match(const struct om__alignment *a,
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

static om_status add_form(struct om__running *r, enum om__reading reading,
                          const struct om_form *form,
                          const struct om__alignment *alignment)
{
    const struct om__question *q = &r->question;
    const struct om__range range = om__entries_fit(q, alignment, form);
    const float base = alignment->score - (float)range.missing * OM__MISSING +
                       (float)range.loose * LOOSE;
    const enum om_search_match match =
        om__run_match(alignment, q, reading, range.missing > 0);
    size_t rows = 0, told = 0;
    for (size_t i = 0; i < q->atoms; i++) told += alignment->seen[i];
    const bool lone = told == 1 && form->tokens >= LONE_TOKENS;
    for (size_t e = range.from; e < range.to; e++) {
        if (rows++ == FORM_ROWS || r->rows++ >= ROWS_MOST) return OM_OK;
        float credit = 0, amiss = 0;
        // A row of which nothing is asked but where it lies is no answer.
        if (q->mentions && alignment->coverage > 0)
            OM_TRY(om__row_credit(r, reading, form->row[e], alignment, &credit,
                                  &amiss));
        const float score = (base + credit * OM__CREDITED) / q->total[reading] -
                            OM__PART * (1 - alignment->coverage);
        if (score < OM__SCORE_MIN) continue;
        // Who names the wrong unit finds it behind all others.
        if (credit > 0 && lone) amiss += LONE;
        const float less = score - amiss / q->total[reading];
        OM_TRY(om__row_add(r, form->row[e],
                           less > OM__SCORE_MIN ? less : OM__SCORE_MIN, match));
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
        if (!om__row_is_creditable(q, reading, mention, a->seen)) continue;
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

/* No alignment of a form is worth more, what may be credited included: what it
 * cannot stand for is wrong at best, or a number in another place. */
static float worth_most(const struct om__running *r, enum om__reading reading,
                        const struct om_form *form)
{
    const struct om__question *q = &r->question;
    if (!r->bag || reading != OM__READ_SOUNDS) return q->total[reading];
    struct om__mask mask = r->sure;
    om__bag_text(r->bag, q->fold, form->token, form->tokens, &mask);
    const float found = om__mask_weight(&mask, q, reading);
    return found - (q->total[reading] - found) * OM__WRONG + r->loose;
}

static om_status search_index(struct om__running *r,
                              const struct om_search_index *index,
                              enum om__reading reading)
{
    struct om__candidate candidate[OM__CANDIDATES];
    struct ranked ranked[OM__CANDIDATES];
    struct om__alignment alignment[OM__CANDIDATES];
    struct om__question *q = &r->question;
    const float least = OM__SCORE_MIN * q->total[reading];
    const float units = units_weight(q, reading);
    const float own = q->total[reading] - units;
    size_t count, kept = 0;
    OM_TRY(om__candidates_find(index, q, reading, candidate, &count));
    for (size_t i = 0; i < count; i++) {
        struct om__alignment *const a = &alignment[kept];
        struct om_form form;
        OM_TRY(om_search_index_form(index, candidate[i].form, &form));
        if (om__align_most(q, reading, form.tokens) < least) continue;
        const float most = worth_most(r, reading, &form);
        if (most < least || (own > OWN_LEAST && most - units < OWN_MIN * own))
            continue;
        om__align(r->aligner, q, reading, form.token, form.tokens, 0, a);
        const float worth = a->score + hope_of(q, reading, a);
        const float score =
            worth / q->total[reading] - OM__PART * (1 - a->coverage);
        if (score < OM__SCORE_MIN ||
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
static om_status ask_index(struct om__running *r, size_t column, bool *damaged)
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
static om_status search_part(struct om__running *r, size_t column)
{
    bool damaged = false;
    OM_TRY(ask_index(r, column, &damaged));
    if (!damaged) return OM_OK;
    OM_TRY(ask_index(r, column, &damaged));
    return damaged ? OM_E_DAMAGED : OM_OK;
}

/* The question may be an id. */
static om_status search_id(struct om__running *r)
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
        om_segment_find(segment, text, len, om__run_reader(r, column), &row);
    if (st) return st == OM_E_NOTFOUND ? OM_OK : st;
    return om__row_add(r, (uint32_t)row, 2, OM_MATCH_ID);
}

bool om__run_is_wanted(const struct om__running *r,
                       const struct om_layer *layer)
{
    const struct om_search_ask *ask = r->ask;
    if (ask->may && !ask->may(ask->ctx, layer)) return false;
    if (!ask->layer) return true;
    for (size_t i = 0; i < ask->layers; i++)
        if (!strcmp(ask->layer[i], layer->name)) return true;
    return false;
}

/* Groups are rows of a layer of their own, which has no text: by id only. */
static om_status search_group_id(struct om__running *r)
{
    const struct om_layer *layer =
        om_snapshot_layer(r->snapshot, r->source->group_layer);
    if (!layer || !om__run_is_wanted(r, layer)) return OM_OK;
    r->layer = layer;
    for (r->part = 0; r->part < layer->parts; r->part++) OM_TRY(search_id(r));
    return OM_OK;
}

static om_status search_layers(struct om__running *r)
{
    for (size_t s = 0; s < r->out->sources; s++) {
        r->source = &r->out->source[s];
        OM_TRY(search_group_id(r));
        r->layer = om_snapshot_layer(r->snapshot, r->source->layer);
        if (!om__run_is_wanted(r, r->layer)) continue;
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

/* What worth_most needs. */
static om_status make_bag(struct om__running *r)
{
    const struct om__question *q = &r->question;
    r->bag = om_arena_calloc(r->arena, 1, sizeof *r->bag);
    if (!r->bag) return OM_E_MEMORY;
    if (!om__bag_all(r->bag, q, &r->sure)) r->bag = NULL;
    for (size_t i = 0; i < q->atoms; i++) {
        if (q->atom[i].optional) om__mask_atoms(&r->sure, i, i + 1);
        if (q->atom[i].kind == OM__ATOM_NUMBER) r->loose += LOOSE;
    }
    return OM_OK;
}

/* All that the question finds, beside what was found before. */
static om_status search_for_question(struct om__running *r)
{
    om__question_mentions(&r->question, r->names);
    r->sure = (struct om__mask){0};
    r->loose = 0;
    r->rows = 0;
    OM_TRY(make_bag(r));
    OM_TRY(search_layers(r));
    OM_TRY(om__run_paths(r));
    OM_TRY(om__run_nearly(r));
    return om__run_kept(r);
}

/* Where the town has nothing like the house that was typed: its road. */
static om_status search_for_road(struct om__running *r)
{
    const float whole = r->question.total[OM__READ_SOUNDS];
    if (!om__question_read_unnumbered(r->question.fold, r->ask->text,
                                      r->ask->len, &r->question))
        return OM_OK;
    r->share = r->question.total[OM__READ_SOUNDS] / whole;
    return search_for_question(r);
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
    struct om__running *r = om_arena_calloc(arena, 1, sizeof *r);
    if (!out->source || !r) return OM_E_MEMORY;
    OM_TRY(om_search_sources(snapshot, out->source, &out->sources, err));
    r->search = search;
    r->snapshot = snapshot;
    r->ask = ask;
    r->arena = arena;
    r->out = out;
    r->room = OM__HITS_MOST;
    r->share = 1;
    r->found = om_arena_alloc(
        arena, (OM__HITS_MOST + OM__PATHS_ROOM) * sizeof *r->found);
    if (!r->found) return OM_E_MEMORY;
    OM_TRY(om__aligner_new(arena, &r->aligner));
    OM_TRY(om__shelf_names(search, snapshot, &r->names));
    om__question_read(fold, ask->text, ask->len, &r->question);
    om_status st = search_for_question(r);
    if (!st) st = om__run_kinds_find(r);
    if (!st && r->question.translated && !om__run_fits(r)) {
        om__question_read_as_is(fold, ask->text, ask->len, &r->question);
        st = search_for_question(r);
    }
    if (!st && r->bare) st = search_for_road(r);
    if (!st) st = om__run_answer(r);
    if (!st) st = om__run_kinds_answer(r);
    out->sure = !st && om__answer_is_sure(out);
    for (size_t i = 0; i < sizeof r->reader / sizeof *r->reader; i++)
        om_text_reader_deinit(&r->reader[i]);
    om__unit_names_unref(r->names);
    return st;
}
