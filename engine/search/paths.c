/* paths.c - rows laid beside a question together with the names above them.
 *
 * DESIGN
 * 虎门镇上角社区 is the path of a village whose own text is 上角社区. While
 * units are typed as they are called, what a row's units add is credited to it
 * (rows.c). Where a character is wrong, missing or in the wrong place, also
 * across two names (虎门上镇角社区), or where letters are initials, the path is
 * put together and laid beside the question as an address is.
 *
 * Layers of few names (units, centres, roads) are looked through whole: rows
 * are chosen by the weight of what sounds alike in their path, in any
 * order, which is an upper bound of what laying them beside the question can
 * give. What large layers have found already is laid anew. All this is left out
 * where something fits as it is.
 */
#include <string.h>

#include "engine/search/bag_internal.h"
#include "engine/search/run_internal.h"

/* Indexes of more forms are not looked through. */
#define SMALL_FORMS 65536
/* Rows of one index, of one form, and of one whose number nobody asked for. */
#define INDEX_ROWS 200
#define FORM_ROWS 64
#define UNNUMBERED_ROWS 2
/* Rows of one source that are laid beside a question: many shops of a village
 * promise as much as the village itself. */
#define MOST 12
/* Rows of large layers that are laid anew. */
#define MOST_AGAIN 24
/* What a name is worth at least that is typed whole but for one fault: half of
 * 梅基村 is wrong in 梅山村, and what else should it be? */
#define NEARLY 0.6F
/* What is found better than this fits as it is. */
#define FITS 0.99F
/* So does a house whose numbers were asked for, found better than this. */
#define HOUSE_FITS 0.9F

struct path {
    float promise;
    const struct om_search_source *source;
    const struct om_layer *layer;
    size_t part;
    uint32_t row;
    struct om__mask held;         // atoms that name what it lies in
    size_t tokens, own, numbers;  // own: where the row's own text begins
    uint16_t token[OM_SEARCH_TOKENS];
    uint32_t number[OM_SEARCH_NUMBERS];
};

/* The rows that promise most. */
struct paths {
    struct om__running *run;
    struct om__question question;  // optional: what the path at hand says
    enum om__reading reading;
    struct om__bag bag;
    size_t aboves;
    const struct om__unit *unit_above[OM__ABOVE];
    size_t rows;  // of the index at hand that were considered
    size_t count;
    struct path path[MOST];
};

/* ---- the path of a row ---- */

/* Note where the question names a unit that the row lies in. */
static void hold(const struct om__question *q, size_t level, const char *id,
                 size_t len, struct path *path)
{
    for (size_t m = 0; m < q->mentions; m++) {
        const struct om__mention *mention = &q->mention[m];
        if (mention->level == level &&
            (level == OM__LEVEL_ABOVE ||
             (mention->unit_len == len && !memcmp(mention->unit, id, len))))
            om__mask_atoms(&path->held, mention->from, mention->to);
    }
}

static bool says(const uint16_t *text, size_t len, const uint16_t *name,
                 size_t n)
{
    for (size_t at = 0; at + n <= len; at++)
        if (!memcmp(text + at, name, n * sizeof *name)) return true;
    return false;
}

static void put(struct path *path, const struct om__unit *unit,
                const uint16_t *text, size_t len)
{
    if (!unit || !unit->tokens || says(text, len, unit->token, unit->tokens) ||
        path->tokens + unit->tokens + len > OM_SEARCH_TOKENS)
        return;
    memcpy(path->token + path->tokens, unit->token,
           unit->tokens * sizeof *unit->token);
    path->tokens += unit->tokens;
}

/* Names of what a row lies in, the largest first, then its text; not of the
 * finest level, which names its grids after what is around them. */
static om_status make_path(struct paths *p, uint32_t row, const uint16_t *text,
                           size_t len, struct path *out)
{
    struct om__running *r = p->run;
    const struct om_manifest *m = r->snapshot->manifest;
    out->tokens = 0;
    out->held = (struct om__mask){0};
    hold(&p->question, OM__LEVEL_ABOVE, NULL, 0, out);
    for (size_t i = 0; i < p->aboves; i++)
        put(out, p->unit_above[i], text, len);
    for (size_t l = m->levels; l-- > 1;) {
        const char *id;
        size_t id_len;
        const size_t column = om__unit_column(r->layer, m->level[l]);
        if (column == OM_NO_FIELD) continue;
        OM_TRY(om_segment_text(r->layer->part[r->part].segment, column, row,
                               om__run_reader(r, column), &id, &id_len));
        if (!id) continue;
        hold(&p->question, l, id, id_len, out);
        put(out, om__unit_names_find(r->names, l, id, id_len), text, len);
    }
    memcpy(out->token + out->tokens, text, len * sizeof *text);
    out->own = out->tokens;
    out->tokens += len;
    out->source = r->source;
    out->layer = r->layer;
    out->part = r->part;
    out->row = row;
    return OM_OK;
}

static void set_numbers(struct path *out, const uint32_t *number, size_t n)
{
    out->numbers = n;
    if (n) memcpy(out->number, number, n * sizeof *number);
}

/* ---- choosing ---- */

/* Numbers that are asked for. */
static void add_numbers(const struct om__question *q, const struct path *path,
                        struct om__mask *out)
{
    for (size_t i = 0; i < q->atoms; i++)
        for (size_t k = 0;
             q->atom[i].kind == OM__ATOM_NUMBER && k < path->numbers; k++)
            if (path->number[k] == q->atom[i].number)
                om__mask_atoms(out, i, i + 1);
}

/* Only what names a unit around the row may be left out. */
static void align(struct paths *p, const struct path *path,
                  struct om__alignment *out)
{
    struct om__question *q = &p->question;
    for (size_t i = 0; i < q->atoms; i++)
        q->atom[i].optional = om__mask_has(&path->held, i);
    om__align(p->run->aligner, q, p->reading, path->token, path->tokens,
              path->own, out);
}

/* A share of what a perfect answer is worth, as scores are. */
static float promise_of(struct paths *p, const struct path *path)
{
    const struct om__question *q = &p->question;
    const uint16_t *own = path->token + path->own;
    const size_t len = path->tokens - path->own;
    size_t asked = 0;
    if (p->reading == OM__READ_INITIALS) {
        struct om__alignment a;
        align(p, path, &a);
        return a.score / q->total[p->reading] - OM__PART * (1 - a.coverage);
    }
    struct om__mask mask = {0};
    om__bag_text(&p->bag, q->fold, path->token, path->tokens, &mask);
    add_numbers(q, path, &mask);
    for (size_t i = 0; i < len; i++)
        asked +=
            p->bag.slot[q->fold->sound[own[i]]] || own[i] == OM_TOKEN_NUMBER;
    return om__mask_weight(&mask, q, p->reading) / q->total[p->reading] -
           OM__PART * (1 - (float)asked / (float)len);
}

static void keep(struct paths *p, const struct path *path)
{
    struct path *to = &p->path[p->count];
    if (p->count == MOST) {
        to = p->path;
        for (size_t i = 1; i < p->count; i++)
            if (p->path[i].promise < to->promise) to = &p->path[i];
        if (path->promise <= to->promise) return;
    } else {
        p->count++;
    }
    *to = *path;
}

static om_status consider(struct paths *p, const struct om_form *form, size_t e)
{
    struct path path;
    bool counts;
    p->rows++;
    OM_TRY(om__row_counts(p->run, form->row[e], NULL, &counts));
    if (!counts) return OM_OK;
    OM_TRY(make_path(p, form->row[e], form->token, form->tokens, &path));
    set_numbers(&path, form->number + e * form->numbers, form->numbers);
    path.promise = promise_of(p, &path);
    if (path.promise >= OM__SCORE_MIN || p->reading == OM__READ_INITIALS)
        keep(p, &path);
    return OM_OK;
}

/* Rows of a form: those whose first number is asked for, or the first ones. */
static om_status consider_form(struct paths *p, const struct om_form *form)
{
    const struct om__question *q = &p->question;
    size_t rows = 0;
    for (size_t i = 0; form->numbers && i < q->atoms; i++) {
        if (q->atom[i].kind != OM__ATOM_NUMBER) continue;
        const struct om__range range =
            om__entries_numbered(form, q->atom[i].number);
        for (size_t e = range.from; e < range.to && rows < FORM_ROWS; e++) {
            OM_TRY(consider(p, form, e));
            rows++;
        }
    }
    const size_t most = form->numbers ? UNNUMBERED_ROWS : FORM_ROWS;
    for (size_t e = 0; !rows && e < form->entries && e < most; e++)
        OM_TRY(consider(p, form, e));
    return OM_OK;
}

static bool says_city(const struct paths *p, const struct om_form *form)
{
    const struct om__unit *city =
        p->aboves ? p->unit_above[p->aboves - 1] : NULL;
    return city && form->tokens > city->tokens &&
           !memcmp(form->token, city->token,
                   city->tokens * sizeof *city->token);
}

static om_status look_through(struct paths *p,
                              const struct om_search_index *index)
{
    const struct om__question *q = &p->question;
    struct om__candidate candidate[OM__CANDIDATES];
    size_t count;
    if (om_search_index_forms(index) > SMALL_FORMS) return OM_OK;
    OM_TRY(p->reading == OM__READ_SOUNDS
               ? om__candidates_scan(index, q, candidate, &count)
               : om__candidates_find(index, q, p->reading, candidate, &count));
    p->rows = 0;
    for (size_t i = 0; i < count && p->rows < INDEX_ROWS; i++) {
        struct om_form form;
        OM_TRY(om_search_index_form(index, candidate[i].form, &form));
        if (!says_city(p, &form)) OM_TRY(consider_form(p, &form));
    }
    return OM_OK;
}

/* A damaged index was noticed before, or is by the next question. */
static om_status look_through_part(struct paths *p, size_t column)
{
    struct om__running *r = p->run;
    struct om_search_index *index;
    const struct om_segment *segment = r->layer->part[r->part].segment;
    OM_TRY(om__shelf_get(r->search, segment, column, &index));
    if (!index) return OM_OK;
    const om_status st = look_through(p, index);
    const bool damaged = st == OM_E_DAMAGED && om_search_index_damaged(index);
    om_search_index_unref(index);
    if (damaged) om__shelf_drop(r->search, segment, column);
    return damaged ? OM_OK : st;
}

/* ---- laying beside ---- */

static om_status lay(struct paths *p, const struct path *path)
{
    struct om__running *r = p->run;
    const struct om__question *q = &p->question;
    struct om__alignment a;
    unsigned missing = 0;
    align(p, path, &a);
    if (a.coverage <= 0) return OM_OK;
    for (size_t k = 0; k < path->numbers; k++)
        missing +=
            a.number[k] >= 0 && q->atom[a.number[k]].number != path->number[k];
    float score = OM__CREDITED * (a.score - (float)missing * OM__MISSING) /
                      q->total[p->reading] -
                  OM__PART * (1 - a.coverage);
    if (a.faults == 1 && a.coverage > 0.999F && !missing && score < NEARLY)
        score = NEARLY;
    if (score < OM__SCORE_MIN) return OM_OK;
    r->source = path->source;
    r->layer = path->layer;
    r->part = path->part;
    return om__row_add(r, path->row, score,
                       om__run_match(&a, q, p->reading, missing > 0));
}

/* What was found of large layers; rows of groups say themselves where they
 * are. */
static om_status lay_again(struct paths *p, size_t found)
{
    struct om__running *r = p->run;
    const struct om__question *q = &r->question;
    struct om_search_text text;
    struct path path;
    size_t laid = 0;
    for (size_t i = 0; i < found && laid < MOST_AGAIN; i++) {
        const struct om__found f = r->found[i];
        const char *own;
        size_t len;
        if (f.source->group[0] || f.match == OM_MATCH_ID) continue;
        r->source = f.source;
        r->layer = f.layer;
        r->part = f.part;
        const size_t column =
            om_schema_find(&r->layer->schema, f.source->column);
        OM_TRY(om_segment_text(r->layer->part[r->part].segment, column, f.row,
                               om__run_reader(r, column), &own, &len));
        if (!own) continue;
        om_search_fold(q->fold, own, len, &text);
        OM_TRY(make_path(p, f.row, text.token, text.tokens, &path));
        set_numbers(&path, text.number, text.numbers);
        OM_TRY(lay(p, &path));
        laid++;
    }
    return OM_OK;
}

static om_status run_source(struct paths *p)
{
    struct om__running *r = p->run;
    const size_t column = om_schema_find(&r->layer->schema, r->source->column);
    p->count = 0;
    for (r->part = 0; r->part < r->layer->parts; r->part++)
        OM_TRY(look_through_part(p, column));
    for (size_t i = 0; i < p->count; i++) OM_TRY(lay(p, &p->path[i]));
    return OM_OK;
}

static om_status run_reading(struct paths *p, enum om__reading reading)
{
    struct om__running *r = p->run;
    p->reading = reading;
    for (size_t s = 0; s < r->out->sources; s++) {
        r->source = &r->out->source[s];
        r->layer = om_snapshot_layer(r->snapshot, r->source->layer);
        if (om__run_is_wanted(r, r->layer)) OM_TRY(run_source(p));
    }
    return OM_OK;
}

bool om__run_fits(const struct om__running *r)
{
    const struct om__question *q = &r->question;
    bool numbered = false;
    for (size_t i = 0; i < q->atoms; i++)
        numbered = numbered || q->atom[i].kind == OM__ATOM_NUMBER;
    for (size_t i = 0; i < r->count; i++) {
        const struct om__found *f = &r->found[i];
        const bool house = numbered && f->source->group[0];
        if (house ? f->score >= HOUSE_FITS
                  : f->score >= FITS && f->match != OM_MATCH_INITIALS)
            return true;
    }
    return false;
}

om_status om__run_paths(struct om__running *r)
{
    if (om__run_fits(r)) return OM_OK;
    struct paths *p = om_arena_calloc(r->arena, 1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    p->run = r;
    p->question = r->question;
    p->aboves = om__unit_names_above(r->names, p->unit_above);
    om__bag_heard(&p->bag, &r->question);
    const size_t found = r->count;
    r->room = OM__HITS_MOST + OM__PATHS_ROOM;
    for (int k = 0; k < OM__READINGS; k++) {
        if (!r->question.reads[k]) continue;
        OM_TRY(run_reading(p, (enum om__reading)k));
    }
    om__run_order(r, found);
    p->reading = r->question.reads[OM__READ_SOUNDS] ? OM__READ_SOUNDS
                                                    : OM__READ_INITIALS;
    return lay_again(p, found);
}
