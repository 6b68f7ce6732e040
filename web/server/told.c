/* told.c - changed cells, coalesced.
 *
 * DESIGN
 * However much is written between two tellings, one telling is bounded: a
 * layer's cells are a hash set of at most OM__TOLD_CELLS codes, and one more
 * lifts all of them by a level, where four become one, until they fit. A lift
 * happens exactly when the cells of that level are too many, so the level is
 * that of the whole set whatever the order in which it came. A shape is all
 * cells that its box meets.
 */
#include "web/server/told.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/live/audience.h"
#include "engine/live/changes.h"

/* As many as there may be, and a shape of as many. */
#define SLOTS (2 * OM__TOLD_CELLS + 24)

void om__told_deinit(struct om__told *told)
{
    om_free(told->layer);
    *told = (struct om__told){0};
}

void om__told_clear(struct om__told *told)
{
    told->first = told->last = told->after = 0;
    told->everything = false;
    told->layers = 0;
}

static struct om__told_layer *layer_of(struct om__told *told, const char *name,
                                       enum om__told_kind kind, uint64_t quiet)
{
    for (size_t i = 0; i < told->layers; i++)
        if (told->layer[i].kind == kind && told->layer[i].quiet == quiet &&
            !strcmp(told->layer[i].name, name))
            return &told->layer[i];
    if (told->layers == OM__TOLD_LAYERS) return NULL;
    if (told->layers == told->room) {
        const size_t room = told->room ? 2 * told->room : 4;
        struct om__told_layer *grown =
            om_realloc(told->layer, room * sizeof *grown);
        if (!grown) return NULL;
        told->layer = grown;
        told->room = room;
    }
    struct om__told_layer *layer = &told->layer[told->layers++];
    *layer = (struct om__told_layer){
        .level = OM_CHANGE_LEVEL, .kind = kind, .quiet = quiet};
    strncpy(layer->name, name, sizeof layer->name - 1);
    return layer;
}

static void put(struct om__told_layer *layer, uint64_t code)
{
    size_t at = om_hash64(&code, sizeof code, 0) % SLOTS;
    while (layer->slot[at] && layer->slot[at] != code + 1)
        at = (at + 1) % SLOTS;
    if (layer->slot[at]) return;
    layer->slot[at] = code + 1;
    layer->count++;
}

static void lift(struct om__told_layer *layer)
{
    uint64_t code[SLOTS];
    size_t n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (layer->slot[i]) code[n++] = layer->slot[i] - 1;
    memset(layer->slot, 0, sizeof layer->slot);
    layer->count = 0;
    layer->level--;
    for (size_t i = 0; i < n; i++) put(layer, code[i] >> 2);
}

static void add_cell(struct om__told_layer *layer, uint64_t code)
{
    put(layer, code >> 2 * (OM_CHANGE_LEVEL - layer->level));
    while (layer->count > OM__TOLD_CELLS) lift(layer);
}

/* Cells of level 18, both ends included. */
static void add_box(struct om__told_layer *layer, struct om_box box)
{
    for (;; lift(layer)) {
        const unsigned up = OM_CHANGE_LEVEL - layer->level;
        const struct om_box b = {box.x0 >> up, box.y0 >> up, box.x1 >> up,
                                 box.y1 >> up};
        if ((uint64_t)(b.x1 - b.x0 + 1) * (b.y1 - b.y0 + 1) > OM__TOLD_CELLS)
            continue;
        for (uint32_t y = b.y0; y <= b.y1; y++)
            for (uint32_t x = b.x0; x <= b.x1; x++)
                put(layer, om_morton((struct om_pos){x, y}));
        break;
    }
    while (layer->count > OM__TOLD_CELLS) lift(layer);
}

static void add_place(struct om__told_layer *layer, uint64_t cell,
                      struct om_box box)
{
    if (cell == OM_NO_CELL) return;
    if (box.x0 || box.y0 || box.x1 || box.y1)
        add_box(layer, box);
    else
        add_cell(layer, cell);
}

void om__told_add_box(struct om__told_layer *layer, struct om_box box)
{
    const unsigned shift = 32 - OM_CHANGE_LEVEL;
    if (box.x0 > box.x1 || box.y0 > box.y1) return;
    add_box(layer, (struct om_box){box.x0 >> shift, box.y0 >> shift,
                                   box.x1 >> shift, box.y1 >> shift});
}

/* The whole world is one cell of level 0. */
void om__told_add_world(struct om__told_layer *layer)
{
    memset(layer->slot, 0, sizeof layer->slot);
    layer->count = 0;
    layer->level = 0;
    put(layer, 0);
}

void om__told_add(struct om__told *told, const struct om_live_change *change)
{
    if (!told->first) told->first = change->sequence;
    if (change->sequence > told->last) told->last = change->sequence;
    const enum om__told_kind kind = change->moved ? OM__TOLD_MOVED
                                    : change->kind == OM_ENTRY_COMMIT
                                        ? OM__TOLD_OPEN
                                    : change->person ? OM__TOLD_PERSON
                                    : change->unsure ? OM__TOLD_UNSURE
                                                     : OM__TOLD_OPEN;
    struct om__told_layer *layer =
        *change->layer ? layer_of(told, change->layer, kind, change->quiet)
                       : NULL;
    if (!layer) {
        told->everything = true;
        return;
    }
    layer->rows += change->kind != OM_ENTRY_COMMIT && !change->person;
    const bool whole = change->kind == OM_ENTRY_COMMIT;
    if (whole && change->cell == OM_NO_CELL &&
        change->other_cell == OM_NO_CELL) {
        om__told_add_world(layer);
        return;
    }
    add_place(layer, change->cell, change->box);
    add_place(layer, change->other_cell, change->other_box);
}

void om__told_add_steps(struct om__told *told, const char *name,
                        uint64_t sequence)
{
    struct om__told_layer *layer = layer_of(told, name, OM__TOLD_STEPS, 0);
    if (sequence > told->last) told->last = sequence;
    if (!told->first) told->first = sequence;
    if (layer)
        om__told_add_world(layer);
    else
        told->everything = true;
}

void om__told_hide(struct om_live_change *change)
{
    change->unsure = false;
    change->person = true;
}

static const char *names_of(const char *layers)
{
    if (layers && *layers == OM__TOLD_VEILED) layers++;
    if (layers && *layers == OM__TOLD_COARSE) layers++;
    return layers;
}

/* Among names, what follows one: OM__TOLD_AS, ',' or the end. NULL: it is not
 * there. */
static const char *behind_name(const char *names, const char *name)
{
    const size_t len = strlen(name);
    for (const char *at = names; *at; at += *at == ',') {
        const size_t n = strcspn(at, ",=");
        if (n == len && !memcmp(at, name, n)) return at + n;
        at += strcspn(at, ",");
    }
    return NULL;
}

bool om__told_wanted(const char *layers, const char *name)
{
    const char *names = names_of(layers);
    return !names || !*names || behind_name(names, name);
}

static int by_code(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

size_t om__told_cells(const struct om__told_layer *layer, unsigned level,
                      uint64_t code[OM__TOLD_CELLS])
{
    const unsigned up = layer->level > level ? layer->level - level : 0;
    size_t n = 0, count = 0;
    for (size_t i = 0; i < SLOTS && n < OM__TOLD_CELLS; i++)
        if (layer->slot[i]) code[n++] = (layer->slot[i] - 1) >> 2 * up;
    if (n) qsort(code, n, sizeof *code, by_code);
    for (size_t i = 0; i < n; i++)
        if (!count || code[i] != code[count - 1]) code[count++] = code[i];
    return count;
}

static void write_layer(const struct om__told_layer *layer, struct om_buf *out)
{
    uint64_t code[OM__TOLD_CELLS];
    const size_t n = om__told_cells(layer, OM_CHANGE_LEVEL, code);
    om_buf_add_json_text(out, layer->name, strlen(layer->name));
    om_buf_addf(out, ":{\"rows\":%llu,\"level\":%u,\"cells\":[",
                (unsigned long long)layer->rows, layer->level);
    for (size_t i = 0; i < n; i++) {
        const struct om_pos pos = om_morton_pos(code[i]);
        om_buf_add_text(out, i ? ",[" : "[");
        om_buf_add_i64(out, pos.x);
        om_buf_add_byte(out, ',');
        om_buf_add_i64(out, pos.y);
        om_buf_add_byte(out, ']');
    }
    om_buf_add_text(out, "]}");
}

/* That something in it changed, not how much and where. */
static void write_coarse(const struct om__told_layer *layer, struct om_buf *out)
{
    om_buf_add_json_text(out, layer->name, strlen(layer->name));
    om_buf_add_text(out, ":{\"rows\":0,\"level\":0,\"cells\":[[0,0]]}");
}

/* Whoever is told, of one layer. */
struct ear {
    bool veiled, coarse;
    bool audience;  // ... of those who do not see all of it
    struct om_heard heard;
};

static bool is_hidden(const struct ear *ear, const struct om__told_layer *one)
{
    const struct om_heard *h = &ear->heard;
    return ear->audience && !h->crowds && h->veil < OM_VEILS &&
           one->quiet >> h->veil & 1;
}

static bool is_for(const struct ear *ear, const struct om__told_layer *one)
{
    if (one->kind == OM__TOLD_STEPS) return ear->veiled;
    return !(ear->veiled && one->kind == OM__TOLD_MOVED) &&
           !is_hidden(ear, one);
}

/* Is it of what is told without a place? */
static bool is_anywhere(const struct ear *ear, const struct om__told_layer *one)
{
    return one->kind == OM__TOLD_PERSON || one->kind == OM__TOLD_MOVED ||
           (ear->audience && one->kind == OM__TOLD_UNSURE);
}

/* All that is told of a layer: level and cells are those of the union, in
 * whatever order it came. False: nothing. */
static bool unite(const struct om__told *told, const char *name,
                  const struct ear *ear, struct om__told_layer *out)
{
    bool any = false;
    *out = (struct om__told_layer){.level = OM_CHANGE_LEVEL};
    strncpy(out->name, name, sizeof out->name - 1);
    for (size_t i = 0; i < told->layers; i++) {
        const struct om__told_layer *one = &told->layer[i];
        if (strcmp(one->name, name) != 0 || !is_for(ear, one)) continue;
        any = true;
        if (!ear->audience || one->kind != OM__TOLD_UNSURE)
            out->rows += one->rows;
        if (is_anywhere(ear, one)) om__told_add_world(out);
        while (out->level > one->level) lift(out);
        for (size_t s = 0; s < SLOTS; s++) {
            if (!one->slot[s]) continue;
            put(out, (one->slot[s] - 1) >> 2 * (one->level - out->level));
            while (out->count > OM__TOLD_CELLS) lift(out);
        }
    }
    return any;
}

/* Is there a change of the layer, seen or not, of one of these kinds? */
static bool has(const struct om__told *told, const char *name, bool steps,
                bool walks)
{
    for (size_t i = 0; i < told->layers; i++) {
        const enum om__told_kind kind = told->layer[i].kind;
        if ((kind == OM__TOLD_STEPS) == steps &&
            (walks || kind != OM__TOLD_MOVED) &&
            !strcmp(told->layer[i].name, name))
            return true;
    }
    return false;
}

/* Of before they were told apart it is told that there was a change, as "data
 * as of" tells it; from then on crowds hear of each change of the layer that
 * there was one, and all others of what they see. */
static bool unite_heard(const struct om__told *told, const char *name,
                        const struct ear *ear, struct om__told_layer *out)
{
    const struct om_heard *h = &ear->heard;
    const bool any = unite(told, name, ear, out);
    // Nobody wrote: it looks otherwise, to these alone.
    if (h->looks > told->after && h->looks <= told->last) {
        om__told_add_world(out);
        return true;
    }
    if (h->base > told->after && has(told, name, false, !ear->veiled)) {
        out->rows = 0;
        om__told_add_world(out);
        return true;
    }
    // What is newer than what was gathered is told with it.
    if ((any || ear->coarse) && h->sequence > told->after &&
        h->base <= told->after)
        return true;
    return (ear->veiled && has(told, name, true, true)) || (h->crowds && any);
}

static void write_told(const struct om__told_layer *layer, bool coarse,
                       bool *any, struct om_buf *out)
{
    if (*any) om_buf_add_byte(out, ',');
    if (coarse)
        write_coarse(layer, out);
    else
        write_layer(layer, out);
    *any = true;
}

static bool is_first(const struct om__told *told, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!strcmp(told->layer[i].name, told->layer[at].name)) return false;
    return true;
}

/* Those of which nothing is hidden. */
static void write_open(const struct om__told *told, const char *names,
                       struct ear *ear, bool *any, struct om_buf *out)
{
    struct om__told_layer layer;
    for (size_t i = 0; i < told->layers; i++) {
        const char *name = told->layer[i].name;
        const char *as = names && *names ? behind_name(names, name) : "";
        if (!as || *as == OM__TOLD_AS || !is_first(told, i)) continue;
        if (unite(told, name, ear, &layer))
            write_told(&layer, ear->coarse, any, out);
    }
}

bool om__told_write(const struct om__told *told, const char *layers,
                    om__told_heard heard, void *ctx, struct om_buf *out)
{
    const bool veiled = layers && *layers == OM__TOLD_VEILED;
    const bool coarse = layers && layers[veiled] == OM__TOLD_COARSE;
    const char *names = names_of(layers);
    struct ear ear = {.veiled = veiled, .coarse = coarse};
    struct om__told_layer layer;
    bool any = false;
    write_open(told, names, &ear, &any, out);
    ear.audience = true;
    for (const char *at = names; heard && at && *at; at += *at == ',') {
        const size_t n = strcspn(at, ",=");
        char name[OM_LIMIT_NAME_BYTES] = "";
        const bool is = at[n] == OM__TOLD_AS && n < sizeof name;
        memcpy(name, at, is ? n : 0);
        if (is) heard(ctx, name, strtoull(at + n + 1, NULL, 16), &ear.heard);
        if (is && unite_heard(told, name, &ear, &layer))
            write_told(&layer, coarse, &any, out);
        at += strcspn(at, ",");
    }
    return any;
}
