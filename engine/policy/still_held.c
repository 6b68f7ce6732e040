/* still_held.c - which changes are held back.
 *
 * DESIGN
 * Units between which rows have moved are told together or not at all
 * (union-find): a row that leaves one and comes to the other is told of in
 * both. They wait while one of them has few changes of a column, or while few
 * rows would come to or leave a cell.
 */
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/policy/still_changes.h"

struct units {
    size_t count;
    uint64_t *hash;     // sorted
    uint32_t *of;       // union-find
    uint32_t *changed;  // [count][OM__WATCH_COLUMNS] rows
    bool *few;          // of a root: a unit of it has a column of few
};

static int by_hash(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t unit_of(const struct units *u, uint64_t hash)
{
    const uint64_t *at =
        bsearch(&hash, u->hash, u->count, sizeof *u->hash, by_hash);
    return (size_t)(at - u->hash);
}

static uint32_t root_of(struct units *u, size_t unit)
{
    uint32_t at = (uint32_t)unit;
    while (u->of[at] != at) at = u->of[at] = u->of[u->of[at]];
    return at;
}

static void units_deinit(struct units *u)
{
    om_free(u->hash);
    om_free(u->of);
    om_free(u->changed);
    om_free(u->few);
}

static om_status units_init(const struct om__watch *w, struct units *u)
{
    *u = (struct units){0};
    u->hash = om_alloc_array(2 * w->count + 1, sizeof *u->hash);
    if (!u->hash) return OM_E_MEMORY;
    for (size_t i = 0; i < w->count; i++) {
        u->hash[2 * i] = w->change[i].old_unit;
        u->hash[2 * i + 1] = w->change[i].new_unit;
    }
    qsort(u->hash, 2 * w->count, sizeof *u->hash, by_hash);
    for (size_t i = 0; i < 2 * w->count; i++)
        if (!u->count || u->hash[u->count - 1] != u->hash[i])
            u->hash[u->count++] = u->hash[i];
    u->of = om_alloc_array(u->count + 1, sizeof *u->of);
    u->changed =
        om_calloc(u->count * OM__WATCH_COLUMNS + 1, sizeof *u->changed);
    u->few = om_calloc(u->count + 1, sizeof *u->few);
    if (!u->of || !u->changed || !u->few) return OM_E_MEMORY;
    for (size_t i = 0; i < u->count; i++) u->of[i] = (uint32_t)i;
    return OM_OK;
}

static void count_change(struct units *u, size_t unit, uint64_t columns)
{
    for (; columns; columns &= columns - 1)
        u->changed[unit * OM__WATCH_COLUMNS +
                   (size_t)__builtin_ctzll(columns)]++;
}

static void find_few(const struct om__watch *w, struct units *u)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct om__change *c = &w->change[i];
        const size_t a = unit_of(u, c->old_unit), b = unit_of(u, c->new_unit);
        count_change(u, a, c->columns);
        if (a == b) continue;
        count_change(u, b, c->columns);
        u->of[root_of(u, a)] = root_of(u, b);
    }
    for (size_t i = 0; i < u->count * OM__WATCH_COLUMNS; i++)
        if (u->changed[i] && u->changed[i] < w->least)
            u->few[root_of(u, i / OM__WATCH_COLUMNS)] = true;
}

/* ---- cells ---- */

/* A change of how many there are in a cell. */
struct coming {
    uint64_t cell;
    uint32_t change;
};

static int by_cell(const void *a, const void *b)
{
    const struct coming *x = a, *y = b;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static bool is_held(const struct om__watch *w, struct units *u, size_t change)
{
    return u->few[root_of(u, unit_of(u, w->change[change].old_unit))];
}

/* Rows that come and go, sorted by cell. owns: *out */
static om_status find_coming(const struct om__watch *w, struct coming **out,
                             size_t *count)
{
    struct coming *list = om_alloc_array(2 * w->count + 1, sizeof *list);
    size_t n = 0;
    if (!list) return OM_E_MEMORY;
    for (size_t i = 0; i < w->count; i++) {
        const struct om__change *c = &w->change[i];
        if (c->old_cell == c->new_cell) continue;
        if (c->old_cell) list[n++] = (struct coming){c->old_cell, (uint32_t)i};
        if (c->new_cell) list[n++] = (struct coming){c->new_cell, (uint32_t)i};
    }
    qsort(list, n, sizeof *list, by_cell);
    *out = list;
    *count = n;
    return OM_OK;
}

/* Units wait of which few rows would come or go in a cell; then there may be
 * few in others. */
static om_status find_few_in_cells(const struct om__watch *w, struct units *u)
{
    struct coming *list;
    size_t n;
    bool more = true;
    OM_TRY(find_coming(w, &list, &n));
    while (more) {
        more = false;
        for (size_t from = 0, to; from < n; from = to) {
            size_t told = 0;
            for (to = from; to < n && list[to].cell == list[from].cell; to++)
                told += !is_held(w, u, list[to].change);
            if (!told || told >= w->least) continue;
            more = true;
            for (size_t i = from; i < to; i++)
                u->few[root_of(
                    u, unit_of(u, w->change[list[i].change].old_unit))] = true;
        }
    }
    om_free(list);
    return OM_OK;
}

om_status om__changes_keep_held(struct om__watch *w)
{
    struct units u;
    size_t held = 0;
    om_status st = units_init(w, &u);
    if (!st) find_few(w, &u);
    if (!st) st = find_few_in_cells(w, &u);
    for (size_t i = 0; i < w->count && !st; i++)
        if (is_held(w, &u, i)) w->change[held++] = w->change[i];
    units_deinit(&u);
    if (!st) w->count = held;
    return st;
}
