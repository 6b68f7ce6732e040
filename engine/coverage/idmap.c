// idmap.c - rows by id, all of a layer in memory.
#include "engine/coverage/idmap.h"

#include <string.h>

#include "data/base/hash.h"

/* A table by number may have this many entries a row; ids that are sparser
 * are hashed. */
#define SPARSE 8
/* More digits than this do not fit a 64-bit number. */
#define DIGITS_MOST 18

/* Call `each` for the live rows of a part. */
#define EACH_LIVE(part, row, rows)                                        \
    for (size_t row = 0, om_dead = 0; row < (rows); row++)                \
        if (om_dead < (part)->dead_count && (part)->dead[om_dead] == row) \
            om_dead++;                                                    \
        else

static om_status number_parts(const struct om_layer *layer,
                              struct om_idmap *map)
{
    size_t *base = om_arena_calloc(&map->arena, layer->parts + 1, sizeof *base);
    if (!base) return OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts; p++)
        base[p + 1] = base[p] + om_segment_rows(layer->part[p].segment);
    map->base = base;
    map->rows = base[layer->parts];
    return map->rows >= OM_NO_ROW ? OM_E_LIMIT : OM_OK;
}

/* --- by number --------------------------------------------------------- */

/* Are the ids of all parts numbers behind one prefix, and dense enough? */
static om_status find_numbers(const struct om_layer *layer,
                              struct om_idmap *map, bool *numbered)
{
    uint64_t low = UINT64_MAX, high = 0;
    *numbered = false;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        const struct om_column *c;
        OM_TRY(om_segment_column(segment, layer->schema.id_field, 0, rows, &c));
        if (c->coding != OM_CODING_NUMBERED || c->digits > DIGITS_MOST)
            return OM_OK;
        const size_t len = strlen(c->prefix);
        if (p && (len != map->prefix_len || c->digits != map->digits ||
                  memcmp(c->prefix, map->prefix, len) != 0))
            return OM_OK;
        memcpy(map->prefix, c->prefix, len + 1);
        map->prefix_len = len;
        map->digits = c->digits;
        for (size_t row = 0; row < rows; row++) {
            const uint64_t n = (uint64_t)om_column_integer(c, row);
            low = n < low ? n : low;
            high = n > high ? n : high;
        }
    }
    if (low > high || high - low >= (uint64_t)map->rows * SPARSE + 64)
        return OM_OK;
    map->number_min = low;
    map->numbers = (size_t)(high - low) + 1;
    *numbered = true;
    return OM_OK;
}

static om_status fill_numbers(const struct om_layer *layer,
                              struct om_idmap *map)
{
    map->by_number =
        om_arena_alloc(&map->arena, map->numbers * sizeof *map->by_number);
    if (!map->by_number) return OM_E_MEMORY;
    memset(map->by_number, 0xFF, map->numbers * sizeof *map->by_number);
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_part *part = &layer->part[p];
        const size_t rows = om_segment_rows(part->segment);
        const struct om_column *c;
        OM_TRY(om_segment_column(part->segment, layer->schema.id_field, 0, rows,
                                 &c));
        EACH_LIVE(part, row, rows)
        {
            const uint64_t n = (uint64_t)om_column_integer(c, row);
            map->by_number[n - map->number_min] =
                (uint32_t)(map->base[p] + row);
        }
    }
    return OM_OK;
}

/* --- by hash ----------------------------------------------------------- */

static void put(struct om_idmap *map, const char *text, size_t len,
                uint32_t row)
{
    const uint64_t hash = om_hash64(text, len, 0);
    size_t at = (size_t)hash & (map->slots - 1);
    while (map->slot[at].row != OM_NO_ROW) at = (at + 1) & (map->slots - 1);
    map->slot[at] = (struct om_idmap_slot){hash, text, (uint32_t)len, row};
}

static om_status hash_part(const struct om_layer *layer, size_t p,
                           struct om_idmap *map, struct om_text_reader *reader)
{
    const struct om_part *part = &layer->part[p];
    const size_t rows = om_segment_rows(part->segment);
    EACH_LIVE(part, row, rows)
    {
        const char *text;
        size_t len;
        OM_TRY(om_segment_text(part->segment, layer->schema.id_field, row,
                               reader, &text, &len));
        const char *copy = om_arena_text(&map->arena, text ? text : "", len);
        if (!copy) return OM_E_MEMORY;
        put(map, copy, len, (uint32_t)(map->base[p] + row));
    }
    return OM_OK;
}

static om_status fill_hash(const struct om_layer *layer, struct om_idmap *map)
{
    map->slots = 16;
    while (map->slots < 2 * map->rows) map->slots *= 2;
    map->slot = om_arena_calloc(&map->arena, map->slots, sizeof *map->slot);
    if (!map->slot) return OM_E_MEMORY;
    for (size_t i = 0; i < map->slots; i++) map->slot[i].row = OM_NO_ROW;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t p = 0; p < layer->parts && !st; p++)
        st = hash_part(layer, p, map, &reader);
    om_text_reader_deinit(&reader);
    return st;
}

om_status om_idmap_make(const struct om_layer *layer, struct om_idmap *out)
{
    bool numbered = false;
    *out = (struct om_idmap){0};
    om_status st = number_parts(layer, out);
    if (!st) st = find_numbers(layer, out, &numbered);
    if (!st) st = numbered ? fill_numbers(layer, out) : fill_hash(layer, out);
    if (st) om_idmap_deinit(out);
    return st;
}

void om_idmap_deinit(struct om_idmap *map)
{
    om_arena_deinit(&map->arena);
    *map = (struct om_idmap){0};
}

static uint32_t find_number(const struct om_idmap *map, const char *id,
                            size_t len)
{
    if (len != map->prefix_len + map->digits ||
        memcmp(id, map->prefix, map->prefix_len) != 0)
        return OM_NO_ROW;
    uint64_t n = 0;
    for (size_t i = map->prefix_len; i < len; i++) {
        const unsigned digit = (unsigned)((unsigned char)id[i] - '0');
        if (digit > 9) return OM_NO_ROW;
        n = n * 10 + digit;
    }
    n -= map->number_min;  // below the smallest: beyond the largest
    return n < map->numbers ? map->by_number[n] : OM_NO_ROW;
}

uint32_t om_idmap_find(const struct om_idmap *map, const char *id, size_t len)
{
    if (map->numbers) return find_number(map, id, len);
    if (!map->slots) return OM_NO_ROW;
    const uint64_t hash = om_hash64(id, len, 0);
    for (size_t at = (size_t)hash & (map->slots - 1);
         map->slot[at].row != OM_NO_ROW; at = (at + 1) & (map->slots - 1)) {
        const struct om_idmap_slot *s = &map->slot[at];
        if (s->hash == hash && s->len == len && !memcmp(s->text, id, len))
            return s->row;
    }
    return OM_NO_ROW;
}
