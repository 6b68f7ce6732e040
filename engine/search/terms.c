/* terms.c - the kinds of a city, by all that they are called.
 *
 * DESIGN
 * A hydrant has no name: it is a value of a column. So values are searched like
 * names, with titles and other words that city.json gives them. They are few
 * (some hundreds) and change hardly ever, so the list is made of the
 * dictionaries of the columns and kept until a segment comes or goes
 * (om__shelf_terms). What somebody may not see is not known here: who answers
 * looks the column up in the layer as it is seen (things.c).
 */
#include "engine/search/terms_internal.h"

#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/json.h"
#include "engine/policy/policy.h"

/* Parts that a value is put together of. */
#define PARTS_MOST 4

struct om__terms {
    atomic_size_t refs;
    struct om_arena arena;
    size_t count, room;
    struct om__term *term;
};

uint64_t om__terms_of(const struct om_snapshot *snapshot)
{
    const struct om_manifest *m = snapshot->manifest;
    uint64_t hash = om_hash64(&m->sequence, sizeof m->sequence, m->id);
    for (size_t l = 0; l < snapshot->layers; l++) {
        const struct om_layer *layer = &snapshot->layer[l];
        hash = om_hash64(layer->name, strlen(layer->name), hash);
        for (size_t p = 0; p < layer->parts; p++) {
            const uint64_t serial = om_segment_serial(layer->part[p].segment);
            hash = om_hash64(&serial, sizeof serial, hash);
        }
    }
    return hash;
}

/* ---- words ---- */

struct words {
    const struct om_fold *fold;
    struct om_arena *arena;
    size_t count;
    struct om__term_word word[OM__TERM_WORDS];
};

/* Numbers are no part of a kind. */
static om_status add_word(struct words *w, const char *text)
{
    struct om_search_text folded;
    if (!text || w->count == OM__TERM_WORDS) return OM_OK;
    om_search_fold(w->fold, text, strlen(text), &folded);
    if (folded.numbers || folded.tokens < 2 || folded.tokens > OM__TERM_TOKENS)
        return OM_OK;
    for (size_t i = 0; i < w->count; i++)
        if (w->word[i].tokens == folded.tokens &&
            !memcmp(w->word[i].token, folded.token,
                    folded.tokens * sizeof *folded.token))
            return OM_OK;
    uint16_t *token =
        om_arena_alloc(w->arena, folded.tokens * sizeof *folded.token);
    if (!token) return OM_E_MEMORY;
    memcpy(token, folded.token, folded.tokens * sizeof *token);
    w->word[w->count++] = (struct om__term_word){token, folded.tokens};
    return OM_OK;
}

static om_status add_term(struct om__terms *t, const struct om__term *term,
                          const struct words *w)
{
    if (!w->count) return OM_OK;
    if (t->count == t->room) {
        const size_t room = t->room ? t->room * 2 : 256;
        struct om__term *grown = om_realloc(t->term, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        t->term = grown;
        t->room = room;
    }
    struct om__term_word *word =
        om_arena_alloc(&t->arena, w->count * sizeof *word);
    if (!word) return OM_E_MEMORY;
    memcpy(word, w->word, w->count * sizeof *word);
    t->term[t->count] = *term;
    t->term[t->count].words = w->count;
    t->term[t->count++].word = word;
    return OM_OK;
}

/* A copy that lives as long as the list; NULL stays NULL. */
static om_status keep(struct om__terms *t, const char *text, const char **out)
{
    *out =
        text && text[0] ? om_arena_text(&t->arena, text, strlen(text)) : NULL;
    return !text || !text[0] || *out ? OM_OK : OM_E_MEMORY;
}

/* ---- values ---- */

/* A column, and what is said of its values. */
struct told {
    const char *layer, *column;
    const struct om_json *zh, *en, *words;
};

/* What city.json says of a column of a layer; of the one that its pictures are
 * coloured by, in `pictured` if not in `all`. */
static const struct om_json *said_of(const struct om_json *about,
                                     const char *all, const char *pictured,
                                     const char *column)
{
    const struct om_json *said = om_json_get(om_json_get(about, all), column);
    if (om_json_kind(said) == OM_JSON_OBJECT || !pictured) return said;
    const char *by = om_json_text(om_json_get(about, "picture_by"), "");
    return strcmp(by, column) ? NULL : om_json_get(about, pictured);
}

static struct told told_of(const struct om_snapshot *snapshot,
                           const struct om_layer *layer, const char *column)
{
    const struct om_json *about = om_manifest_about(snapshot->manifest, layer->name);
    return (struct told){
        .layer = layer->name,
        .column = column,
        .zh = said_of(about, "value_titles", "picture_titles", column),
        .en = said_of(about, "value_titles_en", "picture_titles_en", column),
        .words = said_of(about, "value_words", NULL, column)};
}

/* What a value is called, put together of the titles of its parts (a thing and
 * what is wrong with it), a blank between them. False: it has none. */
static bool title_of(const struct om_json *titles, const char *value,
                     size_t parts, struct om_buf *out)
{
    const size_t len = strlen(value), before = out->len;
    char part[OM_LIMIT_NAME_BYTES * 2];
    if (len >= sizeof part) return false;
    for (size_t n = len; n > 0; n--) {
        if (n < len && (parts == 1 || ((uint8_t)value[n] & 0xC0) == 0x80))
            continue;
        memcpy(part, value, n);
        part[n] = '\0';
        const char *title = om_json_text(om_json_get(titles, part), NULL);
        if (!title) continue;
        if (before) om_buf_add_text(out, " ");
        om_buf_add_text(out, title);
        if (n == len || title_of(titles, value + n, parts - 1, out))
            return out->status == OM_OK;
        out->len = before;
    }
    return false;
}

static om_status keep_title(struct om__terms *t, const struct om_json *titles,
                            const char *value, const char **out)
{
    struct om_buf text = {0};
    *out = NULL;
    om_status st = OM_OK;
    if (om_json_kind(titles) == OM_JSON_OBJECT &&
        title_of(titles, value, PARTS_MOST, &text)) {
        *out = om_arena_text(&t->arena, (const char *)text.bytes, text.len);
        if (!*out) st = OM_E_MEMORY;
    }
    if (text.status) st = text.status;
    om_buf_deinit(&text);
    return st;
}

static om_status add_value(struct om__terms *t, const struct om_fold *fold,
                           const struct told *told, const char *text,
                           size_t len)
{
    struct words w = {.fold = fold, .arena = &t->arena};
    struct om__term term = {0};
    const char *value = om_arena_text(&t->arena, text, len);
    if (!value) return OM_E_MEMORY;
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->term[i].value, value) &&
            !strcmp(t->term[i].layer, told->layer) &&
            !strcmp(t->term[i].column, told->column))
            return OM_OK;
    const struct om_json *also = om_json_get(told->words, value);
    term.value = value;
    OM_TRY(keep(t, told->layer, &term.layer));
    OM_TRY(keep(t, told->column, &term.column));
    OM_TRY(keep_title(t, told->zh, value, &term.title));
    OM_TRY(keep_title(t, told->en, value, &term.title_en));
    OM_TRY(add_word(&w, term.title));
    OM_TRY(add_word(&w, term.title_en));
    OM_TRY(add_word(&w, value));
    for (size_t i = 0; i < om_json_count(also); i++)
        OM_TRY(add_word(&w, om_json_text(om_json_at(also, i), NULL)));
    return add_term(t, &term, &w);
}

static om_status add_dictionary(struct om__terms *t, const struct om_fold *fold,
                                const struct told *told,
                                const struct om_segment *segment, size_t field)
{
    const struct om_column *column;
    OM_TRY(om_segment_column(segment, field, 0, 0, &column));
    if (column->coding != OM_CODING_DICTIONARY ||
        column->words > OM__TERM_VALUES)
        return OM_OK;
    for (size_t i = 0; i < column->words; i++)
        OM_TRY(add_value(t, fold, told,
                         column->word_bytes + column->word_offset[i],
                         column->word_offset[i + 1] - column->word_offset[i]));
    return OM_OK;
}

static bool is_unit(const struct om_manifest *m, const char *column)
{
    for (size_t l = 0; l < m->levels; l++)
        if (!strcmp(m->level[l], column)) return true;
    return false;
}

/* Does any part have more values than kinds have? */
static om_status is_register(const struct om_layer *layer, size_t field,
                             bool *out)
{
    *out = false;
    for (size_t p = 0; p < layer->parts && !*out; p++) {
        const struct om_column *column;
        OM_TRY(om_segment_column(layer->part[p].segment, field, 0, 0, &column));
        *out = column->coding != OM_CODING_DICTIONARY ||
               column->words > OM__TERM_VALUES;
    }
    return OM_OK;
}

static om_status add_column(struct om__terms *t, const struct om_fold *fold,
                            const struct om_snapshot *snapshot,
                            const struct om_layer *layer, size_t field)
{
    const char *name = layer->schema.field[field].name;
    bool many;
    const struct om_manifest *city = snapshot->manifest;
    if (layer->schema.field[field].type != OM_TYPE_CATEGORY ||
        is_unit(city, name) || om_layer_personal(city, layer->name))
        return OM_OK;
    if (om_column_personal(city, layer->name, name) &&
        !om_column_kinds(city, layer->name, name))
        return OM_OK;
    OM_TRY(is_register(layer, field, &many));
    if (many) return OM_OK;
    const struct told told = told_of(snapshot, layer, name);
    for (size_t p = 0; p < layer->parts; p++)
        OM_TRY(add_dictionary(t, fold, &told, layer->part[p].segment, field));
    return OM_OK;
}

static om_status add_layer(struct om__terms *t, const struct om_fold *fold,
                           const struct om_snapshot *snapshot,
                           const struct om_layer *layer)
{
    struct words w = {.fold = fold, .arena = &t->arena};
    struct om__term term = {.column = "", .value = ""};
    OM_TRY(keep(t, layer->name, &term.layer));
    if (layer->meta) {
        OM_TRY(keep(t, layer->meta->title, &term.title));
        OM_TRY(keep(t, layer->meta->title_en, &term.title_en));
    }
    OM_TRY(add_word(&w, term.title));
    OM_TRY(add_word(&w, term.title_en));
    OM_TRY(add_word(&w, layer->name));
    OM_TRY(add_term(t, &term, &w));
    for (size_t f = 0; f < layer->schema.count; f++) {
        if (f == layer->schema.id_field) continue;
        // Of a column that cannot be read nothing is found by kind; whoever
        // asks for the layer hears of it.
        const om_status st = add_column(t, fold, snapshot, layer, f);
        if (st && st != OM_E_DAMAGED) return st;
    }
    return OM_OK;
}

om_status om__terms_new(const struct om_snapshot *snapshot,
                        struct om__terms **out)
{
    const struct om_fold *fold;
    om_status st = OM_OK;
    OM_TRY(om_fold_get(&fold, NULL));
    struct om__terms *t = om_calloc(1, sizeof *t);
    if (!t) return OM_E_MEMORY;
    t->refs = 1;
    for (size_t l = 0; l < snapshot->layers && !st; l++)
        st = add_layer(t, fold, snapshot, &snapshot->layer[l]);
    if (st) {
        om__terms_unref(t);
        return st;
    }
    *out = t;
    return OM_OK;
}

struct om__terms *om__terms_ref(struct om__terms *terms)
{
    atomic_fetch_add(&terms->refs, 1);
    return terms;
}

void om__terms_unref(struct om__terms *terms)
{
    if (!terms || atomic_fetch_sub(&terms->refs, 1) > 1) return;
    om_arena_deinit(&terms->arena);
    om_free(terms->term);
    om_free(terms);
}

size_t om__terms_count(const struct om__terms *terms)
{
    return terms->count;
}

const struct om__term *om__terms_at(const struct om__terms *terms, size_t i)
{
    return &terms->term[i];
}
