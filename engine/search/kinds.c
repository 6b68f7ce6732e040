/* kinds.c - things by their kind: a hydrant has no name, its kind has.
 *
 * DESIGN
 * What was typed, without the units before or behind it (南城消火栓, hydrants
 * in Nancheng) and without what only says that somebody looks for it (附近的),
 * is compared with every term (terms_match.c). A term that is meant becomes a
 * CQL2 text, and everything else is an ordinary question to the layer as the
 * asker sees it: how many there are, and the nearest. So what they may not see
 * is in neither, and a term without rows of theirs is not found. Answers by
 * kind and those by name are put in one order by what they are worth.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/buf.h"
#include "engine/query/nearest.h"
#include "engine/search/run_internal.h"

/* Terms that are answered, how far below the best, how many are tried, and the
 * rows of one that stands alone or has others beside it. */
#define KINDS_MOST 4
#define KINDS_SPAN 0.2F
#define KINDS_TRIED 12
#define ROWS_ALONE 5
#define ROWS_EACH 2
/* A row is behind its kind. */
#define ROW_STEP 0.001
/* What a kind within a unit is worth, from what score on the best name is
 * before it, and how far above a name a kind must be to stand before what is
 * called exactly as was typed. */
#define WITHIN 0.95F
#define WITHIN_NAMED 0.8
#define ABOVE_EXACT 0.05

struct kind {
    const struct om__term *term;
    const struct om__mention *unit;  // NULL: anywhere
    float worth;
    enum om_search_match match;
};

struct kinds {
    struct om__running *run;
    struct om__terms *terms;
    const struct om__question *question;  // as it is read at the moment
    size_t count;
    struct kind kind[KINDS_TRIED];
    size_t hits, room;
    struct om_search_hit *hit;
};

/* Said before and behind a thing that is looked for; each ends in 0. */
static const uint16_t BEFORE[][12] = {
    u"离我最近的", u"最近的", u"附近的", u"最近",    u"附近",    u"哪里有",
    u"哪儿有",     u"的",     u"查找",   u"nearest", u"closest", u"thenearest",
};
static const uint16_t BEHIND[][12] = {
    u"在哪里", u"在哪儿", u"在哪",   u"有哪些", u"的位置",
    u"附近",   u"分布",   u"nearme", u"nearby",
};

static size_t length_of(const uint16_t *word)
{
    size_t n = 0;
    while (n < 12 && word[n]) n++;
    return n;
}

/* Without what is no part of the thing, as long as two characters are left. */
static void strip(const uint16_t *token, size_t *from, size_t *to)
{
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE; i++) {
        const size_t n = length_of(BEFORE[i]);
        if (*to - *from < n + 2 ||
            memcmp(token + *from, BEFORE[i], n * sizeof *token) != 0)
            continue;
        *from += n;
        i = (size_t)-1;
    }
    for (size_t i = 0; i < sizeof BEHIND / sizeof *BEHIND; i++) {
        const size_t n = length_of(BEHIND[i]);
        if (*to - *from >= n + 2 &&
            !memcmp(token + *to - n, BEHIND[i], n * sizeof *token))
            *to -= n;
    }
}

/* ---- which are meant ---- */

static bool is_better(const struct kind *a, const struct kind *b)
{
    if (a->worth != b->worth) return a->worth > b->worth;
    return !a->term->column[0] && b->term->column[0];
}

static void note(struct kinds *k, const struct kind *kind)
{
    size_t i = 0;
    for (; i < k->count; i++)
        if (k->kind[i].term == kind->term) {
            if (is_better(kind, &k->kind[i])) k->kind[i] = *kind;
            return;
        }
    if (k->count < KINDS_TRIED) {
        k->kind[k->count++] = *kind;
        return;
    }
    size_t worst = 0;
    for (i = 1; i < k->count; i++)
        if (is_better(&k->kind[worst], &k->kind[i])) worst = i;
    if (is_better(kind, &k->kind[worst])) k->kind[worst] = *kind;
}

/* Atoms [from, to) as a kind; `unit`: of which it is asked. */
static void try_words(struct kinds *k, const uint16_t *token, size_t from,
                      size_t to, const struct om__mention *unit)
{
    if (to < from + 2 || to - from > OM__TERM_TOKENS) return;
    for (size_t i = 0; i < om__terms_count(k->terms); i++) {
        struct kind kind = {.term = om__terms_at(k->terms, i), .unit = unit};
        kind.worth = om__term_worth(k->question->fold, kind.term, token + from,
                                    to - from, &kind.match);
        if (unit) kind.worth *= WITHIN;
        if (kind.worth > OM__SCORE_MIN) note(k, &kind);
    }
}

static void try_span(struct kinds *k, size_t from, size_t to,
                     const struct om__mention *unit)
{
    const struct om__question *q = k->question;
    uint16_t token[OM_SEARCH_TOKENS];
    for (size_t i = 0; i < q->atoms; i++) {
        if (q->atom[i].kind == OM__ATOM_NUMBER && i >= from && i < to) return;
        token[i] = q->atom[i].token;
    }
    size_t a = from, b = to;
    strip(token, &a, &b);
    // hydrants in Humen
    if (to < q->atoms && b >= a + 4 && token[b - 2] == 'i' &&
        token[b - 1] == 'n')
        b -= 2;
    try_words(k, token, from, to, unit);
    if (a != from || b != to) try_words(k, token, a, b, unit);
}

/* The unit that stands at `at`, or (behind) before it; the longest name, of
 * namesakes the largest unit. */
static const struct om__mention *unit_at(const struct om__question *q,
                                         size_t at, bool behind)
{
    const struct om__mention *best = NULL;
    for (size_t m = 0; m < q->mentions; m++) {
        const struct om__mention *one = &q->mention[m];
        if ((behind ? one->to : one->from) != at || one->from == one->to)
            continue;
        if (!best || one->to - one->from > best->to - best->from) best = one;
    }
    return best;
}

static void try_units(struct kinds *k)
{
    const struct om__question *q = k->question;
    const struct om__mention *unit = NULL, *one;
    try_span(k, 0, q->atoms, NULL);
    for (size_t at = 0; at < q->atoms && (one = unit_at(q, at, false));) {
        if (one->level != OM__LEVEL_ABOVE) unit = one;
        // 洪梅镇路灯: 路 may end the unit's name, and begins the lamp's.
        for (at = one->stem; at <= one->to && at < q->atoms; at++)
            try_span(k, at, q->atoms, unit);
        at = one->to;
    }
    one = unit_at(q, q->atoms, true);
    if (one && one->from)
        try_span(k, 0, one->from, one->level == OM__LEVEL_ABOVE ? NULL : one);
}

/* ---- the question that each of them is ---- */

static void add_name(struct om_buf *out, const char *name)
{
    om_buf_add_text(out, "\"");
    for (; *name; name++) {
        if (*name == '"') om_buf_add_text(out, "\"");
        om_buf_add_byte(out, (uint8_t)*name);
    }
    om_buf_add_text(out, "\"");
}

static void add_equals(struct om_buf *out, const char *column,
                       const char *value, size_t len)
{
    const bool plain =
        column[strspn(column, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
    if (out->len) om_buf_add_text(out, " AND ");
    if (plain)
        om_buf_add_text(out, column);
    else
        add_name(out, column);
    om_buf_add_text(out, " = '");
    for (size_t i = 0; i < len; i++) {
        if (value[i] == '\'') om_buf_add_text(out, "'");
        om_buf_add_byte(out, (uint8_t)value[i]);
    }
    om_buf_add_text(out, "'");
}

static void add_box(struct om_buf *out, const struct om_box *box)
{
    double west, north, east, south;
    om_pos_to_lonlat((struct om_pos){box->x0, box->y0}, &west, &north);
    om_pos_to_lonlat((struct om_pos){box->x1, box->y1}, &east, &south);
    om_buf_addf(out, "%sS_INTERSECTS(geom, BBOX(%.9f, %.9f, %.9f, %.9f))",
                out->len ? " AND " : "", west, south, east, north);
}

/* Its filter as text; *out NULL: the asker's layer has no such column. */
static om_status filter_of(struct kinds *k, const struct kind *kind,
                           const struct om_layer *layer, char **out)
{
    const struct om_manifest *m = k->run->snapshot->manifest;
    struct om_buf text = {0};
    *out = NULL;
    const struct om__term *term = kind->term;
    if (term->column[0] &&
        om_schema_find(&layer->schema, term->column) == OM_NO_FIELD)
        return OM_OK;
    if (kind->unit) {
        const size_t column =
            om__unit_column(layer, m->level[kind->unit->level]);
        if (column == OM_NO_FIELD) return OM_OK;
        add_equals(&text, layer->schema.field[column].name, kind->unit->unit,
                   kind->unit->unit_len);
    }
    if (term->column[0])
        add_equals(&text, term->column, term->value, strlen(term->value));
    *out = om_arena_text(k->run->arena, (const char *)text.bytes, text.len);
    const om_status st = text.status;
    om_buf_deinit(&text);
    return st ? st : *out ? OM_OK : OM_E_MEMORY;
}

static struct om_pos middle_of(struct om_box box)
{
    return (struct om_pos){box.x0 + (box.x1 - box.x0) / 2,
                           box.y0 + (box.y1 - box.y0) / 2};
}

/* Middle of the unit's shape. */
static om_status unit_middle(struct om__running *r,
                             const struct om__mention *unit, bool *found,
                             struct om_pos *out)
{
    const struct om_layer *layer = om_snapshot_units(
        r->snapshot, r->snapshot->manifest->level[unit->level]);
    *found = false;
    for (size_t p = 0; layer && p < layer->parts && !*found; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        struct om_rings rings;
        size_t row;
        const om_status st =
            om_segment_find(segment, unit->unit, unit->unit_len,
                            om__run_reader(r, layer->schema.id_field), &row);
        if (st == OM_E_NOTFOUND) continue;
        OM_TRY(st);
        OM_TRY(om_segment_rings(segment, row, row + 1, &rings));
        *out = middle_of(rings.box[row]);
        *found = true;
    }
    return OM_OK;
}

/* From where on rows are the nearest. */
static om_status origin_of(struct kinds *k, const struct kind *kind,
                           const struct om_layer *layer, struct om_pos *out)
{
    const struct om_search_ask *ask = k->run->ask;
    bool found = false;
    *out = ask->at;
    if (ask->near) return OM_OK;
    if (kind->unit) OM_TRY(unit_middle(k->run, kind->unit, &found, out));
    if (found) return OM_OK;
    struct om_box box = ask->box;
    for (size_t p = 0; !ask->boxed && p < layer->parts; p++) {
        const struct om_box b = om_segment_box(layer->part[p].segment);
        if (!p) box = b;
        if (b.x0 < box.x0) box.x0 = b.x0;
        if (b.y0 < box.y0) box.y0 = b.y0;
        if (b.x1 > box.x1) box.x1 = b.x1;
        if (b.y1 > box.y1) box.y1 = b.y1;
    }
    *out = middle_of(box);
    return OM_OK;
}

/* ---- answers ---- */

struct gathering {
    struct kinds *kinds;
    const struct kind *kind;
    const struct om_layer *layer;
    const struct om_search_term *term;
    const struct om_search_source *source;
    size_t rows;
    om_status st;
};

static om_status text_of(struct om__running *r, const struct om_layer *layer,
                         size_t part, size_t column, size_t row,
                         const char **out)
{
    const char *text;
    size_t len;
    *out = NULL;
    if (column == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_text(layer->part[part].segment, column, row,
                           om__run_reader(r, column), &text, &len));
    if (!text) return OM_OK;
    *out = om_arena_text(r->arena, text, len);
    return *out ? OM_OK : OM_E_MEMORY;
}

static const char *title_of(const struct om_search_term *term)
{
    if (term->title) return term->title;
    return term->value[0] ? term->value : term->title_en;
}

/* A row of the kind; one without a name is called what it is. */
static om_status add_row(struct gathering *g, const struct om_hit *found)
{
    struct om__running *r = g->kinds->run;
    const struct om_layer *layer = g->layer;
    const uint64_t *keys;
    struct om_search_hit *h = &g->kinds->hit[g->kinds->hits];
    const size_t name = om_schema_find(&layer->schema, g->source->column);
    OM_TRY(om_segment_keys(layer->part[found->part].segment, found->row,
                           found->row + 1, &keys));
    *h = (struct om_search_hit){
        .source = g->source,
        .layer = layer,
        .part = found->part,
        .row = found->row,
        .kind = layer->name,
        .pos = om_morton_pos(keys[found->row]),
        .score = (double)g->kind->worth - ROW_STEP * (double)(g->rows + 1),
        .match = g->kind->match,
        .term = g->term,
        .distance_m = r->ask->near ? found->distance_m : -1};
    OM_TRY(text_of(r, layer, h->part, layer->schema.id_field, h->row, &h->id));
    OM_TRY(text_of(r, layer, h->part, name, h->row, &h->text));
    if (!h->text) h->text = title_of(g->term);
    h->unit = om_arena_calloc(r->arena, r->snapshot->manifest->levels + 1,
                              sizeof *h->unit);
    if (!h->unit) return OM_E_MEMORY;
    OM_TRY(om_search_units(r->search, r->snapshot, layer, h->part, h->row,
                           r->arena, h->unit));
    g->rows++;
    g->kinds->hits++;
    return OM_OK;
}

static bool gather(void *ctx, const struct om_hit *found)
{
    struct gathering *g = ctx;
    g->st = add_row(g, found);
    return !g->st;
}

/* The kind itself, before its rows: it lies where the nearest of them does. */
static om_status add_kind(struct gathering *g, const struct om_search_hit *row,
                          struct om_search_hit *out)
{
    struct om__running *r = g->kinds->run;
    const struct om__mention *m = g->kind->unit;
    *out = (struct om_search_hit){.source = g->source,
                                  .layer = g->layer,
                                  .part = row->part,
                                  .row = row->row,
                                  .kind = g->term->column[0] ? "term" : "layer",
                                  .pos = row->pos,
                                  .score = (double)g->kind->worth,
                                  .match = g->kind->match,
                                  .text = title_of(g->term),
                                  .term = g->term,
                                  .distance_m = row->distance_m};
    out->unit = om_arena_calloc(r->arena, r->snapshot->manifest->levels + 1,
                                sizeof *out->unit);
    if (!out->unit) return OM_E_MEMORY;
    if (m) out->unit[m->level] = row->unit[m->level];
    return OM_OK;
}

static om_status source_of(struct om__running *r, const struct om_layer *layer,
                           const struct om_search_source **out)
{
    struct om_search_source *source =
        om_arena_calloc(r->arena, 1, sizeof *source);
    if (!source) return OM_E_MEMORY;
    memcpy(source->layer, layer->name, sizeof source->layer);
    for (size_t s = 0; s < r->out->sources; s++)
        if (!strcmp(r->out->source[s].layer, layer->name))
            memcpy(source->column, r->out->source[s].column,
                   sizeof source->column);
    *out = source;
    return OM_OK;
}

static om_status ask_layer(struct kinds *k, const struct kind *kind,
                           const struct om_layer *layer, size_t rows,
                           const struct om_filter *filter,
                           struct om_search_term *term)
{
    struct om__running *r = k->run;
    struct gathering g = {
        .kinds = k, .kind = kind, .layer = layer, .term = term};
    struct om_query query = {.snapshot = r->snapshot,
                             .layer = layer,
                             .cache = r->ask->boxed ? NULL : r->ask->cache,
                             .filter = filter};
    OM_TRY(om_query_count(&query, &term->count));
    if (!term->count) return OM_OK;
    OM_TRY(source_of(r, layer, &g.source));
    query.place = (struct om_place){.kind = OM_PLACE_NEAREST, .nearest = rows};
    OM_TRY(origin_of(k, kind, layer, &query.place.pos));
    const size_t at = k->hits++;
    const om_status st = om_query_each(&query, gather, &g);
    OM_TRY(st ? st : g.st);
    if (g.rows) return add_kind(&g, &k->hit[at + 1], &k->hit[at]);
    k->hits = at;
    return OM_OK;
}

static om_status answer_kind(struct kinds *k, const struct kind *kind,
                             size_t rows)
{
    struct om__running *r = k->run;
    const struct om_layer *layer =
        om_snapshot_layer(r->snapshot, kind->term->layer);
    struct om_filter *filter = NULL;
    char *text;
    if (!layer || !om__run_is_wanted(r, layer)) return OM_OK;
    OM_TRY(filter_of(k, kind, layer, &text));
    if (!text) return OM_OK;
    struct om_search_term *term = om_arena_calloc(r->arena, 1, sizeof *term);
    if (!term) return OM_E_MEMORY;
    // The list of terms may be let go of before the answer is.
    const struct om__term *t = kind->term;
    term->column = om_arena_text(r->arena, t->column, strlen(t->column));
    term->value = om_arena_text(r->arena, t->value, strlen(t->value));
    if (t->title)
        term->title = om_arena_text(r->arena, t->title, strlen(t->title));
    if (t->title_en)
        term->title_en =
            om_arena_text(r->arena, t->title_en, strlen(t->title_en));
    term->filter = text;
    term->within = kind->unit != NULL;
    if (!term->column || !term->value) return OM_E_MEMORY;
    struct om_buf whole = {0};
    om_buf_add_text(&whole, text);
    if (r->ask->boxed) add_box(&whole, &r->ask->box);
    om_status st = whole.status;
    if (!st && whole.len)
        st = om_filter_parse((const char *)whole.bytes, whole.len, layer,
                             r->snapshot->manifest->zone_s, &filter, NULL);
    om_buf_deinit(&whole);
    // A column that this asker may not filter by.
    const bool unseen = st == OM_E_NOTFOUND;
    if (!st) st = ask_layer(k, kind, layer, rows, filter, term);
    om_filter_free(filter);
    return unseen ? OM_OK : st;
}

static int by_worth(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    if (is_better(x, y)) return -1;
    if (is_better(y, x)) return 1;
    const int layer = strcmp(x->term->layer, y->term->layer);
    if (layer) return layer;
    const int column = strcmp(x->term->column, y->term->column);
    return column ? column : strcmp(x->term->value, y->term->value);
}

static om_status answer_kinds(struct kinds *k)
{
    size_t meant = 0, answered = 0;
    qsort(k->kind, k->count, sizeof *k->kind, by_worth);
    while (meant < k->count &&
           k->kind[meant].worth >= k->kind[0].worth - KINDS_SPAN)
        meant++;
    k->room = KINDS_MOST * (1 + ROWS_ALONE);
    k->hit = om_arena_calloc(k->run->arena, k->room, sizeof *k->hit);
    if (!k->hit) return OM_E_MEMORY;
    const size_t rows = meant > 1 ? ROWS_EACH : ROWS_ALONE;
    for (size_t i = 0; i < meant && answered < KINDS_MOST; i++) {
        const size_t before = k->hits;
        const om_status st = answer_kind(k, &k->kind[i], rows);
        if (st == OM_E_DAMAGED) k->hits = before;
        if (st && st != OM_E_DAMAGED) return st;
        answered += k->hits > before;
    }
    return OM_OK;
}

static bool is_told(const struct om_search_answer *out,
                    const struct om_search_hit *h)
{
    for (size_t i = 0; h->id && i < out->count; i++) {
        const struct om_search_hit *o = &out->hit[i];
        if (o->id && !o->group && o->layer == h->layer && o->part == h->part &&
            o->row == h->row)
            return true;
    }
    return false;
}

/* Is the next by name before the next by kind? The best name is that has most
 * of a unit and a kind that were typed: the service centre of a village. */
static bool is_before(const struct om_search_hit *named, bool best,
                      const struct om_search_hit *kind)
{
    if (best && kind->term->within &&
        (named->layer == kind->layer || named->score >= WITHIN_NAMED))
        return true;
    const bool exact = named->match <= OM_MATCH_EXACT;
    return named->score >= kind->score - (exact ? ABOVE_EXACT : 0);
}

/* Both lists are in order; of equals those that were found by name are first.
 */
static om_status merge(struct om__running *r, const struct kinds *k)
{
    struct om_search_answer *out = r->out;
    const struct om_search_hit *named = out->hit;
    const size_t names = out->count;
    size_t n = 0, t = 0;
    if (!k->hits) return OM_OK;
    out->hit = om_arena_calloc(r->arena, r->ask->limit, sizeof *out->hit);
    if (!out->hit) return OM_E_MEMORY;
    out->count = 0;
    while (out->count < r->ask->limit && (n < names || t < k->hits)) {
        const bool by_name =
            n < names && (t == k->hits || is_before(&named[n], !n, &k->hit[t]));
        const struct om_search_hit *next = by_name ? &named[n++] : &k->hit[t++];
        if (!is_told(out, next)) out->hit[out->count++] = *next;
    }
    return OM_OK;
}

/* The best first; of equals in the order in which they were found. */
static void order(struct kinds *k)
{
    for (size_t i = 1; i < k->hits; i++)
        for (size_t j = i; j > 0 && k->hit[j - 1].score < k->hit[j].score;
             j--) {
            const struct om_search_hit h = k->hit[j];
            k->hit[j] = k->hit[j - 1];
            k->hit[j - 1] = h;
        }
}

/* What is meant by a way to read the question. */
static om_status read_question(struct om__running *r, struct kinds *k)
{
    const struct om_search_ask *ask = r->ask;
    struct om__question *typed;
    // The question that is asked next is read into the same place.
    struct om__question *read = om_arena_alloc(r->arena, sizeof *read);
    if (!read) return OM_E_MEMORY;
    *read = r->question;
    k->question = read;
    try_units(k);
    if (!read->translated) return OM_OK;
    typed = om_arena_alloc(r->arena, sizeof *typed);
    if (!typed) return OM_E_MEMORY;
    om__question_read_as_is(read->fold, ask->text, ask->len, typed);
    om__question_mentions(typed, r->names);
    k->question = typed;
    try_units(k);
    return OM_OK;
}

om_status om__run_kinds_find(struct om__running *r)
{
    r->kinds = om_arena_calloc(r->arena, 1, sizeof *r->kinds);
    if (!r->kinds) return OM_E_MEMORY;
    r->kinds->run = r;
    OM_TRY(om__shelf_terms(r->search, r->snapshot, &r->kinds->terms));
    om_status st = read_question(r, r->kinds);
    if (!st) st = answer_kinds(r->kinds);
    if (!st) order(r->kinds);
    om__terms_unref(r->kinds->terms);
    r->kinds->terms = NULL;
    return st;
}

om_status om__run_kinds_answer(struct om__running *r)
{
    return merge(r, r->kinds);
}
