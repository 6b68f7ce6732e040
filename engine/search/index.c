// index.c - open an index and read it.
#include "engine/search/index.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/segment_internal.h"
#include "engine/search/index_internal.h"

struct om__search_meta om__search_meta(const struct om_segment *segment,
                                       size_t column,
                                       const struct om_fold *fold)
{
    struct om__search_meta meta;
    memset(&meta, 0, sizeof meta);
    meta.version = OM__SEARCH_VERSION;
    meta.column = (uint32_t)column;
    meta.segment = segment->file.header->header_check;
    meta.rows = segment->rows;
    meta.fold = fold->hash;
    return meta;
}

/* Section `kind` as `count` numbers of `width` bytes. */
static om_status view(const struct om__file *file, enum om__section_kind kind,
                      uint32_t number, unsigned width, struct om__view *out,
                      size_t *count)
{
    if (!om__file_view(file, kind, number, out) || out->len % width != 0)
        return OM_E_DAMAGED;
    out->width = width;
    *count = out->len / width;
    return OM_OK;
}

static void set_rule(struct om__view *v, enum om__rule rule, uint64_t limit)
{
    v->rule = rule;
    v->limit = limit;
}

static om_status open_forms(struct om_search_index *x, size_t rows)
{
    size_t n, tokens, numbers;
    OM_TRY(view(&x->file, OM__SECTION_FORM_TOKEN_AT, 0, 4, &x->token_at, &n));
    if (n != x->forms + 1) return OM_E_DAMAGED;
    OM_TRY(view(&x->file, OM__SECTION_FORM_ENTRY_AT, 0, 4, &x->entry_at, &n));
    if (n != x->forms + 1) return OM_E_DAMAGED;
    OM_TRY(view(&x->file, OM__SECTION_FORM_NUMBER_AT, 0, 4, &x->number_at, &n));
    if (n != x->forms + 1) return OM_E_DAMAGED;
    OM_TRY(view(&x->file, OM__SECTION_FORM_TOKEN, 0, 2, &x->token, &tokens));
    OM_TRY(view(&x->file, OM__SECTION_ENTRY_ROW, 0, 4, &x->row, &n));
    if (n != x->entries) return OM_E_DAMAGED;
    OM_TRY(
        view(&x->file, OM__SECTION_ENTRY_NUMBER, 0, 4, &x->number, &numbers));
    set_rule(&x->token_at, OM__RULE_OFFSET, tokens);
    set_rule(&x->entry_at, OM__RULE_OFFSET, x->entries);
    set_rule(&x->number_at, OM__RULE_OFFSET, numbers);
    set_rule(&x->row, OM__RULE_BELOW, rows);
    return OM_OK;
}

static om_status open_lists(struct om_search_index *x)
{
    for (uint32_t k = 0; k < OM_GRAM_KINDS; k++) {
        size_t grams, n, bytes;
        OM_TRY(view(&x->file, OM__SECTION_GRAM, k, 4, &x->gram[k], &grams));
        OM_TRY(view(&x->file, OM__SECTION_POSTS_AT, k, 8, &x->posts_at[k], &n));
        OM_TRY(view(&x->file, OM__SECTION_POSTS, k, 1, &x->posts[k], &bytes));
        if (n != grams + 1) return OM_E_DAMAGED;
        set_rule(&x->gram[k], OM__RULE_RISING, UINT32_MAX);
        x->gram[k].strict = true;
        set_rule(&x->posts_at[k], OM__RULE_OFFSET, bytes);
    }
    return OM_OK;
}

/* What the file says of itself against what it ought to be. */
static om_status check_meta(struct om_search_index *x,
                            const struct om_segment *segment, size_t column,
                            const struct om_fold *fold)
{
    struct om__view v;
    struct om__search_meta meta;
    const struct om__search_meta want = om__search_meta(segment, column, fold);
    if (!om__file_view(&x->file, OM__SECTION_META, 0, &v) ||
        v.len != sizeof meta)
        return OM_E_VERSION;
    OM_TRY(om__view_touch(&x->file, &v, 0, v.len));
    memcpy(&meta, v.bytes, sizeof meta);
    if (meta.version != want.version || meta.column != want.column ||
        meta.segment != want.segment || meta.rows != want.rows ||
        meta.fold != want.fold)
        return OM_E_VERSION;
    if (meta.forms > UINT32_MAX || meta.entries > UINT32_MAX)
        return OM_E_DAMAGED;
    x->forms = (size_t)meta.forms;
    x->entries = (size_t)meta.entries;
    return OM_OK;
}

om_status om__search_index_take(struct om__file *file,
                                const struct om_segment *segment, size_t column,
                                struct om_search_index **out,
                                struct om_err *err)
{
    const struct om_fold *fold;
    struct om_search_index *x = om_calloc(1, sizeof *x);
    om_status st = x ? om_fold_get(&fold, err) : OM_E_MEMORY;
    if (!x) {
        om__file_close(file);
        return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    }
    x->refs = 1;
    x->file = *file;
    *file = (struct om__file){0};
    if (!st) st = check_meta(x, segment, column, fold);
    if (!st) st = open_forms(x, segment->rows);
    if (!st) st = open_lists(x);
    if (st) {
        om_search_index_unref(x);
        return om_fail(err, st, 0, "search index of %s: %s", segment->path,
                       om_status_text(st));
    }
    *out = x;
    return OM_OK;
}

om_status om_search_index_open(const char *path,
                               const struct om_segment *segment, size_t column,
                               struct om_search_index **out, struct om_err *err)
{
    struct om__file file;
    OM_TRY(om__file_open(&file, path, OM__FILE_SEARCH, err));
    return om__search_index_take(&file, segment, column, out, err);
}

struct om_search_index *om_search_index_ref(struct om_search_index *index)
{
    atomic_fetch_add(&index->refs, 1);
    return index;
}

void om_search_index_unref(struct om_search_index *index)
{
    if (!index || atomic_fetch_sub(&index->refs, 1) > 1) return;
    om__file_close(&index->file);
    om_free(index);
}

size_t om_search_index_bytes(const struct om_search_index *index)
{
    return index->file.map.len;
}

bool om_search_index_damaged(const struct om_search_index *index)
{
    return om__file_is_damaged(&index->file);
}

size_t om_search_index_forms(const struct om_search_index *index)
{
    return index->forms;
}

/* Numbers `i` and `i + 1` of a view of offsets. */
static om_status span(const struct om_search_index *x,
                      const struct om__view *offsets, size_t i, size_t *from,
                      size_t *to)
{
    OM_TRY(om__view_touch(&x->file, offsets, i * 4, i * 4 + 8));
    const uint32_t *at = (const void *)offsets->bytes;
    *from = at[i];
    *to = at[i + 1];
    return OM_OK;
}

om_status om_search_index_form(const struct om_search_index *x, size_t form,
                               struct om_form *out)
{
    size_t from, to;
    if (form >= x->forms) return OM_E_DAMAGED;
    OM_TRY(span(x, &x->token_at, form, &from, &to));
    OM_TRY(om__view_touch(&x->file, &x->token, from * 2, to * 2));
    out->token = (const uint16_t *)(const void *)x->token.bytes + from;
    out->tokens = to - from;
    OM_TRY(span(x, &x->entry_at, form, &from, &to));
    OM_TRY(om__view_touch(&x->file, &x->row, from * 4, to * 4));
    out->row = (const uint32_t *)(const void *)x->row.bytes + from;
    out->entries = to - from;
    OM_TRY(span(x, &x->number_at, form, &from, &to));
    OM_TRY(om__view_touch(&x->file, &x->number, from * 4, to * 4));
    out->number = (const uint32_t *)(const void *)x->number.bytes + from;
    out->numbers = out->entries ? (to - from) / out->entries : 0;
    return out->tokens <= OM_SEARCH_TOKENS && out->entries &&
                   out->numbers <= OM_SEARCH_NUMBERS
               ? OM_OK
               : OM_E_DAMAGED;
}

om_status om_search_index_tokens(const struct om_search_index *x,
                                 const uint32_t **at, const uint16_t **token)
{
    const struct om__view *offsets = &x->token_at;
    OM_TRY(om__view_touch(&x->file, offsets, 0, offsets->len));
    OM_TRY(om__view_touch(&x->file, &x->token, 0, x->token.len));
    *at = (const void *)offsets->bytes;
    *token = (const void *)x->token.bytes;
    for (size_t i = 0; i < x->forms; i++)
        if ((*at)[i] > (*at)[i + 1]) return OM_E_DAMAGED;
    return (*at)[x->forms] <= x->token.len / 2 ? OM_OK : OM_E_DAMAGED;
}

om_status om_search_index_posts(const struct om_search_index *x,
                                enum om_gram_kind kind, uint32_t gram,
                                struct om_posts *out)
{
    const struct om__view *grams = &x->gram[kind], *at = &x->posts_at[kind];
    const uint32_t *list = (const void *)grams->bytes;
    size_t low = 0, high = grams->len / 4;
    *out = (struct om_posts){0};
    OM_TRY(om__view_touch(&x->file, grams, 0, grams->len));
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (list[middle] < gram)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == grams->len / 4 || list[low] != gram) return OM_OK;
    OM_TRY(om__view_touch(&x->file, at, low * 8, low * 8 + 16));
    const uint64_t *offset = (const void *)at->bytes;
    const size_t from = (size_t)offset[low], to = (size_t)offset[low + 1];
    OM_TRY(om__view_touch(&x->file, &x->posts[kind], from, to));
    out->at = x->posts[kind].bytes + from;
    out->end = x->posts[kind].bytes + to;
    return OM_OK;
}
