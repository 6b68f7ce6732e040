// words.c - the values of a column of categories, over all parts.
#include <stdlib.h>
#include <string.h>

#include "tiles/vector/vector_internal.h"

struct word {
    const char *text;
    size_t len;
};

static int by_bytes(const void *a, const void *b)
{
    const struct word *v = a, *w = b;
    const int order =
        memcmp(v->text, w->text, v->len < w->len ? v->len : w->len);
    return order ? order : (v->len > w->len) - (v->len < w->len);
}

static om_status column_of(const struct om_layer *layer, size_t part,
                           size_t column, const struct om_column **out)
{
    OM_TRY(om_segment_column(layer->part[part].segment, column, 0, 0, out));
    return (*out)->coding == OM_CODING_DICTIONARY ? OM_OK : OM_E_TYPE;
}

static struct word word_of(const struct om_column *c, size_t code)
{
    return (struct word){c->word_bytes + c->word_offset[code],
                         c->word_offset[code + 1] - c->word_offset[code]};
}

/* All words of all parts, sorted, each once. */
static om_status join_words(const struct om_layer *layer, size_t column,
                            struct om_arena *arena, struct word **out,
                            size_t *count)
{
    size_t n = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_column *c;
        OM_TRY(column_of(layer, p, column, &c));
        if (c->words > OM_VECTOR_WORDS) return OM_E_COST;
        n += c->words;
    }
    struct word *word = om_arena_alloc(arena, (n + 1) * sizeof *word);
    if (!word) return OM_E_MEMORY;
    n = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_column *c;
        OM_TRY(column_of(layer, p, column, &c));
        for (size_t i = 0; i < c->words; i++) word[n++] = word_of(c, i);
    }
    qsort(word, n, sizeof *word, by_bytes);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || by_bytes(&word[i], &word[*count - 1]))
            word[(*count)++] = word[i];
    *out = word;
    return *count > OM_VECTOR_WORDS ? OM_E_COST : OM_OK;
}

om_status om__words_read(const struct om_layer *layer, size_t column,
                         struct om_arena *arena, struct om__words *out)
{
    struct word *word;
    OM_TRY(join_words(layer, column, arena, &word, &out->count));
    out->text = om_arena_alloc(arena, (out->count + 1) * sizeof *out->text);
    out->len = om_arena_alloc(arena, (out->count + 1) * sizeof *out->len);
    out->of_code =
        om_arena_alloc(arena, (layer->parts + 1) * sizeof *out->of_code);
    if (!out->text || !out->len || !out->of_code) return OM_E_MEMORY;
    for (size_t i = 0; i < out->count; i++) {
        out->text[i] = word[i].text;
        out->len[i] = word[i].len;
    }
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_column *c;
        OM_TRY(column_of(layer, p, column, &c));
        uint8_t *number = om_arena_alloc(arena, c->words + 1);
        if (!number) return OM_E_MEMORY;
        for (size_t i = 0; i < c->words; i++) {
            const struct word w = word_of(c, i);
            const struct word *found =
                bsearch(&w, word, out->count, sizeof *word, by_bytes);
            number[i] = (uint8_t)(found - word);
        }
        out->of_code[p] = number;
    }
    return OM_OK;
}

om_status om_vector_by_check(const struct om_layer *layer, size_t column)
{
    struct om_arena arena = {0};
    struct word *word;
    size_t count;
    if (column >= layer->schema.count) return OM_E_TYPE;
    const om_status st = join_words(layer, column, &arena, &word, &count);
    om_arena_deinit(&arena);
    return st;
}

size_t om_vector_by(const struct om_layer *layer)
{
    const struct om_schema *schema = &layer->schema;
    for (size_t f = 0; f + layer->unit_columns < schema->count; f++)
        if (schema->field[f].type == OM_TYPE_CATEGORY &&
            f != schema->id_field && !schema->hidden[f] &&
            !om_vector_by_check(layer, f))
            return f;
    return OM_NO_FIELD;
}
