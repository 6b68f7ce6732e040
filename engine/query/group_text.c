// group_text.c - count rows by long texts, which have no codes.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/query/group_internal.h"

/* Groups found so far, and where each one's number stands by its hash. */
struct texts {
    struct om__named_list *list;
    size_t first;    // of this part in the list
    uint32_t *slot;  // [room] number in the list + 1; owned
    size_t room;
};

static om_status grow(struct texts *t)
{
    const size_t room = t->room ? t->room * 2 : 1024;
    uint32_t *slot = om_calloc(room, sizeof *slot);
    if (!slot) return OM_E_MEMORY;
    for (size_t i = t->first; i < t->list->count; i++) {
        const struct om__named *n = &t->list->item[i];
        size_t at = (size_t)om_hash64(n->id, n->len, 0) & (room - 1);
        while (slot[at]) at = (at + 1) & (room - 1);
        slot[at] = (uint32_t)(i + 1);
    }
    om_free(t->slot);
    t->slot = slot;
    t->room = room;
    return OM_OK;
}

static om_status cell_of(struct texts *t, const char *text, size_t len,
                         struct om__cell **out)
{
    if ((t->list->count - t->first) * 2 >= t->room) OM_TRY(grow(t));
    size_t at = (size_t)om_hash64(text, len, 0) & (t->room - 1);
    for (; t->slot[at]; at = (at + 1) & (t->room - 1)) {
        struct om__named *n = &t->list->item[t->slot[at] - 1];
        if (n->len == len && !memcmp(n->id, text, len)) {
            *out = &n->cell;
            return OM_OK;
        }
    }
    if (t->list->count - t->first >= OM_LIMIT_GROUPS) return OM_E_COST;
    OM_TRY(om__named_add(t->list, text, len, false, &(struct om__cell){0}));
    t->slot[at] = (uint32_t)t->list->count;
    *out = &t->list->item[t->list->count - 1].cell;
    return OM_OK;
}

om_status om__group_texts(const struct om__grouping *g,
                          const struct om__chosen *chosen,
                          const struct om__spans *spans,
                          struct om__named_list *out)
{
    const struct om_segment *segment = g->ask->layer->part[g->part].segment;
    struct texts t = {.list = out, .first = out->count};
    struct om_text_reader reader = {0};
    struct om__cell null = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < spans->count; i++) {
        const struct om__span s = spans->span[i];
        const struct om_column *of = NULL;
        if (g->sum_column != OM_NO_FIELD)
            st = om_segment_column(segment, g->sum_column, s.from, s.to, &of);
        if (st) goto done;
        for (size_t row = s.from; row < s.to; row++) {
            if (row % OM__ASK_ROWS == 0 && om_cancelled()) st = OM_E_STOPPED;
            if (st) goto done;
            if (!om__chosen_has(chosen, row)) continue;
            const char *text;
            size_t len;
            struct om__cell *cell = &null;
            st = om_segment_text(segment, g->by_column, row, &reader, &text,
                                 &len);
            if (!st && text) st = cell_of(&t, text, len, &cell);
            if (st) goto done;
            om__cell_add(cell, of, row);
        }
    }
    if (null.count) st = om__named_add(out, "", 0, true, &null);
done:
    om_text_reader_deinit(&reader);
    om_free(t.slot);
    return st;
}
