// unit_names.c - what the units of a city are called.

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/search/provinces_internal.h"
#include "engine/search/search_internal.h"

/* Digits of a code of GB/T 2260, with which those of units begin. */
#define CODE_DIGITS 6

struct om__unit_names {
    atomic_size_t refs;
    struct om_arena arena;
    size_t count, room;
    struct om__unit *unit;  // by level, then id
    size_t aboves;
    struct om__unit above[OM__ABOVE];
};

uint64_t om__unit_names_of(const struct om_snapshot *snapshot)
{
    uint64_t hash = snapshot->manifest->levels;
    for (size_t l = 0; l < snapshot->manifest->levels; l++) {
        const struct om_layer *layer =
            om_snapshot_units(snapshot, snapshot->manifest->level[l]);
        const uint64_t serial = layer ? layer->serial : 0;
        hash = om_hash64(&serial, sizeof serial, hash);
    }
    return om_hash64(snapshot->manifest->name, strlen(snapshot->manifest->name),
                     hash);
}

static int by_level_and_id(const void *a, const void *b)
{
    const struct om__unit *x = a, *y = b;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    return strcmp(x->id ? x->id : "", y->id ? y->id : "");
}

/* The stem is what is left without what it ends in, two characters at least. A
 * name with numbers, or a long one, is none that a question mentions. */
static void fold_name(const struct om_fold *fold, struct om__unit *u)
{
    struct om_search_text text;
    om_search_fold(fold, u->name, u->name_len, &text);
    if (text.numbers || text.tokens > OM__UNIT_TOKENS) return;
    memcpy(u->token, text.token, text.tokens * sizeof *u->token);
    u->tokens = u->stem = text.tokens;
    while (u->stem > 2 && om_token_is_suffix(u->token[u->stem - 1])) u->stem--;
}

static om_status add_unit(struct om__unit_names *units,
                          const struct om_fold *fold,
                          const struct om_segment *segment, size_t level,
                          size_t row, size_t id, size_t name,
                          struct om_text_reader *reader)
{
    struct om__unit *u = &units->unit[units->count];
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(segment, id, row, reader, &text, &len));
    if (!text) return OM_OK;
    *u = (struct om__unit){.level = level, .id_len = len};
    u->id = om_arena_text(&units->arena, text, len);
    OM_TRY(om_segment_text(segment, name, row, reader, &text, &len));
    u->name = om_arena_text(&units->arena, text ? text : "", text ? len : 0);
    u->name_len = text ? len : 0;
    if (!u->id || !u->name) return OM_E_MEMORY;
    fold_name(fold, u);
    units->count++;
    return OM_OK;
}

static om_status make_room(struct om__unit_names *units, size_t more)
{
    if (units->count + more <= units->room) return OM_OK;
    const size_t room = (units->count + more) * 2;
    struct om__unit *grown = om_realloc(units->unit, room * sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    units->unit = grown;
    units->room = room;
    return OM_OK;
}

static om_status add_level(struct om__unit_names *units,
                           const struct om_fold *fold,
                           const struct om_layer *layer, size_t level,
                           struct om_text_reader *reader)
{
    const size_t id = layer->schema.id_field;
    size_t name = om_schema_find(&layer->schema, "name");
    if (name == OM_NO_FIELD) name = id;
    for (size_t p = 0; p < layer->parts; p++) {
        const size_t rows = om_segment_rows(layer->part[p].segment);
        OM_TRY(make_room(units, rows));
        for (size_t r = 0; r < rows; r++)
            OM_TRY(add_unit(units, fold, layer->part[p].segment, level, r, id,
                            name, reader));
    }
    return OM_OK;
}

/* What all units lie in: `stem` and what such a name may end in. */
static om_status add_whole(struct om__unit_names *units,
                           const struct om_fold *fold, const char *stem,
                           size_t len, const char *ending)
{
    struct om_search_text folded, end;
    struct om__unit *u = &units->unit[units->count];
    om_search_fold(fold, stem, len, &folded);
    om_search_fold(fold, ending, strlen(ending), &end);
    if (folded.numbers || folded.tokens + end.tokens > OM__UNIT_TOKENS)
        return OM_OK;
    *u = (struct om__unit){.level = OM__LEVEL_ABOVE, .name_len = len};
    u->name = om_arena_text(&units->arena, stem, len);
    if (!u->name) return OM_E_MEMORY;
    u->stem = folded.tokens;
    u->tokens = folded.tokens + end.tokens;
    memcpy(u->token, folded.token, folded.tokens * sizeof *u->token);
    memcpy(u->token + u->stem, end.token, end.tokens * sizeof *u->token);
    units->count++;
    return OM_OK;
}

/* The province that the units' ids begin with; NULL: they are no such codes. */
static const struct om__province *province_of(
    const struct om__unit_names *units)
{
    if (!units->count) return NULL;
    for (const struct om__province *p = om__provinces; p->code[0]; p++) {
        size_t u = 0;
        while (u < units->count && units->unit[u].id_len >= CODE_DIGITS &&
               !strncmp(units->unit[u].id, p->code, 2) &&
               strspn(units->unit[u].id, "0123456789") >= CODE_DIGITS)
            u++;
        if (u == units->count) return p;
    }
    return NULL;
}

/* The city, whose name ends before a bracket and before 市, and its province.
 */
static om_status add_above(struct om__unit_names *units,
                           const struct om_fold *fold,
                           const struct om_snapshot *snapshot)
{
    static const char *const END[] = {"(", "（", " ", "市"};
    const struct om__province *province = province_of(units);
    const char *name = snapshot->manifest->name;
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof END / sizeof *END; i++) {
        const char *end = strstr(name, END[i]);
        if (end && (size_t)(end - name) < len) len = (size_t)(end - name);
    }
    OM_TRY(make_room(units, OM__ABOVE));
    const size_t first = units->count;
    if (province)
        OM_TRY(add_whole(units, fold, province->name, strlen(province->name),
                         province->ending));
    OM_TRY(add_whole(units, fold, name, len, "市"));
    units->aboves = units->count - first;
    memcpy(units->above, units->unit + first,
           units->aboves * sizeof *units->above);
    return OM_OK;
}

om_status om__unit_names_new(const struct om_snapshot *snapshot,
                             struct om__unit_names **out)
{
    const struct om_fold *fold;
    struct om_text_reader reader = {0};
    OM_TRY(om_fold_get(&fold, NULL));
    struct om__unit_names *units = om_calloc(1, sizeof *units);
    if (!units) return OM_E_MEMORY;
    units->refs = 1;
    om_status st = OM_OK;
    for (size_t l = 0; l < snapshot->manifest->levels && !st; l++) {
        const struct om_layer *layer =
            om_snapshot_units(snapshot, snapshot->manifest->level[l]);
        if (layer) st = add_level(units, fold, layer, l, &reader);
    }
    om_text_reader_deinit(&reader);
    if (!st) st = add_above(units, fold, snapshot);
    if (st) {
        om__unit_names_unref(units);
        return st;
    }
    if (units->count)
        qsort(units->unit, units->count, sizeof *units->unit, by_level_and_id);
    *out = units;
    return OM_OK;
}

struct om__unit_names *om__unit_names_ref(struct om__unit_names *units)
{
    atomic_fetch_add(&units->refs, 1);
    return units;
}

void om__unit_names_unref(struct om__unit_names *units)
{
    if (!units || atomic_fetch_sub(&units->refs, 1) > 1) return;
    om_arena_deinit(&units->arena);
    om_free(units->unit);
    om_free(units);
}

size_t om__unit_names_count(const struct om__unit_names *units)
{
    return units->count;
}

const struct om__unit *om__unit_names_at(const struct om__unit_names *units,
                                         size_t i)
{
    return &units->unit[i];
}

size_t om__unit_names_above(const struct om__unit_names *units,
                            const struct om__unit *out[OM__ABOVE])
{
    for (size_t i = 0; i < units->aboves; i++) out[i] = &units->above[i];
    return units->aboves;
}

const struct om__unit *om__unit_names_find(const struct om__unit_names *units,
                                           size_t level, const char *id,
                                           size_t len)
{
    size_t low = 0, high = units->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct om__unit *u = &units->unit[middle];
        int order = u->level < level ? -1 : u->level > level;
        if (!order) order = strncmp(u->id, id, len);
        if (!order && u->id_len > len) order = 1;
        if (!order) return u;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
