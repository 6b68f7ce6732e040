// lists.c - which forms have a gram: sorted pairs, packed.
#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "engine/search/index_internal.h"

/* Pairs of gram and form, in the order of the forms. */
struct pairs {
    size_t count, room;
    uint64_t *gram;
    uint32_t *form;
};

static om_status add(struct pairs *p, uint32_t gram, uint32_t form)
{
    if (p->count == p->room) {
        const size_t room = p->room ? p->room * 2 : 4096;
        uint64_t *grams = om_realloc(p->gram, room * sizeof *grams);
        if (!grams) return OM_E_MEMORY;
        p->gram = grams;
        uint32_t *forms = om_realloc(p->form, room * sizeof *forms);
        if (!forms) return OM_E_MEMORY;
        p->form = forms;
        p->room = room;
    }
    p->gram[p->count] = gram;
    p->form[p->count++] = form;
    return OM_OK;
}

static om_status add_sounds(struct pairs *p, const struct om_fold *fold,
                            const uint16_t *token, size_t tokens, uint32_t form)
{
    uint16_t before = OM_SOUND_BEGIN;
    for (size_t i = 0; i < tokens; i++) {
        const uint16_t sound =
            token[i] == OM_TOKEN_NUMBER ? 0 : fold->sound[token[i]];
        if (before && sound)
            OM_TRY(add(p, om_gram_sounds(before, sound), form));
        before = sound;
    }
    return OM_OK;
}

static om_status add_initials(struct pairs *p, const struct om_fold *fold,
                              const uint16_t *token, size_t tokens,
                              uint32_t form)
{
    int a = -1, b = -1;
    for (size_t i = 0; i < tokens; i++) {
        // A number stands for itself: what is around it goes on.
        if (token[i] == OM_TOKEN_NUMBER) continue;
        const int c = om_token_initial(fold, token[i]);
        if (a >= 0 && b >= 0 && c >= 0)
            OM_TRY(add(p, om_gram_initials(a, b, c), form));
        a = b;
        b = c;
    }
    return OM_OK;
}

static om_status put_step(struct om_buf *out, uint32_t step)
{
    while (step >= 0x80) {
        om_buf_add_byte(out, (uint8_t)(step | 0x80));
        step >>= 7;
    }
    return om_buf_add_byte(out, (uint8_t)step);
}

/* Sorted pairs as lists: each the steps from one form to the next. */
static om_status pack(const struct pairs *p, struct om__lists *out)
{
    uint32_t last = 0;
    for (size_t i = 0; i < p->count; i++) {
        const bool fresh = i == 0 || p->gram[i] != p->gram[i - 1];
        if (fresh) {
            out->gram[out->grams] = (uint32_t)p->gram[i];
            out->posts_at[out->grams++] = out->posts.len;
        } else if (p->form[i] == last) {
            continue;
        }
        OM_TRY(put_step(&out->posts, p->form[i] - (fresh ? 0 : last)));
        last = p->form[i];
    }
    out->posts_at[out->grams] = out->posts.len;
    return OM_OK;
}

static om_status sort_and_pack(struct pairs *p, struct om__lists *out)
{
    uint64_t *scratch_key = om_alloc_array(p->count + 1, sizeof *scratch_key);
    uint32_t *scratch_row = om_alloc_array(p->count + 1, sizeof *scratch_row);
    om_status st = scratch_key && scratch_row ? OM_OK : OM_E_MEMORY;
    if (!st && p->count)
        st = om_sort_keys(p->gram, p->form, scratch_key, scratch_row, p->count);
    om_free(scratch_key);
    om_free(scratch_row);
    if (st) return st;
    size_t grams = 0;
    for (size_t i = 0; i < p->count; i++)
        grams += i == 0 || p->gram[i] != p->gram[i - 1];
    out->gram = om_alloc_array(grams + 1, sizeof *out->gram);
    out->posts_at = om_alloc_array(grams + 1, sizeof *out->posts_at);
    return out->gram && out->posts_at ? pack(p, out) : OM_E_MEMORY;
}

om_status om__lists_make(const struct om_fold *fold,
                         const struct om__forms *forms, const uint32_t *order,
                         enum om_gram_kind kind, struct om__lists *out)
{
    struct pairs p = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < forms->count && !st; i++) {
        const uint32_t f = order[i];
        const uint16_t *token = forms->token + forms->start[f];
        const size_t n = forms->start[f + 1] - forms->start[f];
        st = kind == OM_GRAM_SOUNDS
                 ? add_sounds(&p, fold, token, n, (uint32_t)i)
                 : add_initials(&p, fold, token, n, (uint32_t)i);
    }
    if (!st) st = sort_and_pack(&p, out);
    om_free(p.gram);
    om_free(p.form);
    return st;
}

void om__lists_deinit(struct om__lists *lists)
{
    om_free(lists->gram);
    om_free(lists->posts_at);
    om_buf_deinit(&lists->posts);
    *lists = (struct om__lists){0};
}
