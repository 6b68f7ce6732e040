// forms.c - each form once, found by a hash of its tokens.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/search/index_internal.h"

#define SLOTS_FIRST 1024

static uint64_t hash_of(const uint16_t *token, size_t tokens)
{
    return om_hash64(token, tokens * sizeof *token, 0);
}

static om_status grow_slots(struct om__forms *f)
{
    const size_t slots = f->slots ? f->slots * 2 : SLOTS_FIRST;
    uint32_t *slot = om_calloc(slots, sizeof *slot);
    if (!slot) return OM_E_MEMORY;
    for (size_t i = 0; i < f->count; i++) {
        const uint32_t from = f->start[i];
        size_t at =
            hash_of(f->token + from, f->start[i + 1] - from) & (slots - 1);
        while (slot[at]) at = (at + 1) & (slots - 1);
        slot[at] = (uint32_t)i + 1;
    }
    om_free(f->slot);
    f->slot = slot;
    f->slots = slots;
    return OM_OK;
}

static om_status make_room(struct om__forms *f, size_t tokens)
{
    if (f->count + 1 >= f->room) {
        const size_t room = f->room ? f->room * 2 : SLOTS_FIRST;
        uint32_t *start = om_realloc(f->start, (room + 1) * sizeof *start);
        if (!start) return OM_E_MEMORY;
        f->start = start;
        uint8_t *numbers = om_realloc(f->numbers, room);
        if (!numbers) return OM_E_MEMORY;
        f->numbers = numbers;
        if (!f->room) f->start[0] = 0;
        f->room = room;
    }
    if (f->tokens + tokens > f->token_room) {
        const size_t room = (f->tokens + tokens) * 2;
        uint16_t *token = om_realloc(f->token, room * sizeof *token);
        if (!token) return OM_E_MEMORY;
        f->token = token;
        f->token_room = room;
    }
    if (f->tokens + tokens > UINT32_MAX) return OM_E_LIMIT;
    return f->count * 2 >= f->slots ? grow_slots(f) : OM_OK;
}

om_status om__forms_find(struct om__forms *f, const struct om_search_text *text,
                         uint32_t *out)
{
    OM_TRY(make_room(f, text->tokens));
    const size_t bytes = text->tokens * sizeof *text->token;
    size_t at = hash_of(text->token, text->tokens) & (f->slots - 1);
    for (; f->slot[at]; at = (at + 1) & (f->slots - 1)) {
        const uint32_t i = f->slot[at] - 1;
        if (f->start[i + 1] - f->start[i] != text->tokens) continue;
        if (memcmp(f->token + f->start[i], text->token, bytes) != 0) continue;
        *out = i;
        return OM_OK;
    }
    memcpy(f->token + f->tokens, text->token, bytes);
    f->tokens += text->tokens;
    f->numbers[f->count] = (uint8_t)text->numbers;
    f->slot[at] = (uint32_t)f->count + 1;
    *out = (uint32_t)f->count++;
    f->start[f->count] = (uint32_t)f->tokens;
    return OM_OK;
}

void om__forms_deinit(struct om__forms *f)
{
    om_free(f->start);
    om_free(f->numbers);
    om_free(f->token);
    om_free(f->slot);
    *f = (struct om__forms){0};
}
