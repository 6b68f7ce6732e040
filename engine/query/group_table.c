// group_table.c - groups by number, and the list of finished groups.
#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/query/group_internal.h"

void om__table_deinit(struct om__table *table)
{
    om_free(table->key);
    om_free(table->cell);
    *table = (struct om__table){0};
}

static size_t slot_of(const struct om__table *t, int64_t key)
{
    // A good mixer; neighbouring numbers must not end up side by side.
    uint64_t h = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 32;
    size_t i = (size_t)h & (t->room - 1);
    while (t->cell[i].count && t->key[i] != key) i = (i + 1) & (t->room - 1);
    return i;
}

static om_status grow(struct om__table *t)
{
    struct om__table more = {.room = t->room ? t->room * 2 : 1024};
    more.key = om_alloc_array(more.room, sizeof *more.key);
    more.cell = om_calloc(more.room, sizeof *more.cell);
    if (!more.key || !more.cell) {
        om__table_deinit(&more);
        return OM_E_MEMORY;
    }
    for (size_t i = 0; i < t->room; i++) {
        if (!t->cell[i].count) continue;
        const size_t to = slot_of(&more, t->key[i]);
        more.key[to] = t->key[i];
        more.cell[to] = t->cell[i];
    }
    more.count = t->count;
    om__table_deinit(t);
    *t = more;
    return OM_OK;
}

om_status om__table_get(struct om__table *table, int64_t key,
                        struct om__cell **out)
{
    if (table->count * 2 >= table->room) OM_TRY(grow(table));
    const size_t i = slot_of(table, key);
    if (!table->cell[i].count) {
        if (table->count >= OM_LIMIT_GROUPS) return OM_E_COST;
        table->count++;
        table->key[i] = key;
    }
    *out = &table->cell[i];
    return OM_OK;
}

om_status om__named_add(struct om__named_list *list, const char *id, size_t len,
                        bool null, const struct om__cell *cell)
{
    if (list->count == list->room) {
        const size_t room = list->room ? list->room * 2 : 256;
        struct om__named *item =
            om_realloc(list->item, room * sizeof *list->item);
        if (!item) return OM_E_MEMORY;
        list->item = item;
        list->room = room;
    }
    const char *text = om_arena_text(&list->arena, id ? id : "", len);
    if (!text) return OM_E_MEMORY;
    list->item[list->count++] = (struct om__named){text, len, null, *cell};
    return OM_OK;
}

void om__named_deinit(struct om__named_list *list)
{
    om_free(list->item);
    om_arena_deinit(&list->arena);
    *list = (struct om__named_list){0};
}
