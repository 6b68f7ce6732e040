// changes.c - a sparse quadtree a layer, read while it grows.
#include "engine/live/changes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"

/* DESIGN
 * Readers ask at every request, so they take no lock. Nodes lie in blocks of
 * four siblings, blocks in chunks that never move; nothing is ever removed: a
 * layer that is new as a whole gets a sequence above all in its tree. Sequences
 * only rise. A reader that meets the writer half way sees old or new numbers,
 * which is all the same to it: the writer publishes the snapshot afterwards.
 *
 * Sequence and time of a node belong together (equal sequence, equal bytes of
 * a tile that carries the time). So while the time is being changed the
 * sequence has a mark, and who reads both looks at the sequence twice.
 *
 * A lookup table of (level, cell) was tried in thought: it answers a tile with
 * one look-up instead of 18 steps, but boxes that are no tiles (a tile with its
 * margin) only level by level.
 */

#define CHANGING (UINT64_C(1) << 63)
#define CHUNK_BLOCKS 1024
#define CHUNKS 128  // 131,072 blocks, 21 MB a layer
#define BOX_CELLS 64

struct value {
    _Atomic uint64_t sequence;
    _Atomic int64_t at_s;
};

/* any: newest of the node and all below; whole: newest of what concerned the
 * node as a whole. child: block of its children, 0: none. */
struct node {
    struct value any, whole;
    _Atomic uint32_t child;
};

struct block {
    struct node node[4];
};

struct layer {
    struct layer *next;
    _Atomic(struct layer *) told;  // without quiet changes; NULL: the same
    char name[OM_LIMIT_NAME_BYTES];
    struct value base;
    struct node root;
    uint32_t blocks;  // used; number 0 is nobody's
    _Atomic(struct block *) chunk[CHUNKS];
};

struct om_changes {
    _Atomic(struct layer *) first;
};

/* What a question has found so far. */
struct newest {
    uint64_t sequence;
    int64_t at_s;
};

/* A box of cells, both ends included. */
struct span {
    uint32_t x0, y0, x1, y1;
};

static void raise_value(struct value *v, uint64_t sequence, int64_t at_s)
{
    if (atomic_load_explicit(&v->sequence, memory_order_relaxed) >= sequence)
        return;
    atomic_store_explicit(&v->sequence, sequence | CHANGING,
                          memory_order_relaxed);
    atomic_store_explicit(&v->at_s, at_s, memory_order_release);
    atomic_store_explicit(&v->sequence, sequence, memory_order_release);
}

static uint64_t sequence_of(const struct value *v)
{
    return atomic_load_explicit(&v->sequence, memory_order_acquire) & ~CHANGING;
}

static void take_newer(const struct value *v, struct newest *best)
{
    for (;;) {
        const uint64_t sequence =
            atomic_load_explicit(&v->sequence, memory_order_acquire);
        if ((sequence & ~CHANGING) <= best->sequence) return;
        if (sequence & CHANGING) continue;
        const int64_t at_s =
            atomic_load_explicit(&v->at_s, memory_order_acquire);
        if (atomic_load_explicit(&v->sequence, memory_order_relaxed) !=
            sequence)
            continue;
        *best = (struct newest){sequence, at_s};
        return;
    }
}

static struct layer *find_layer(const struct om_changes *changes,
                                const char *name)
{
    struct layer *layer =
        atomic_load_explicit(&changes->first, memory_order_acquire);
    while (layer && strcmp(layer->name, name)) layer = layer->next;
    return layer;
}

static struct block *block_at(const struct layer *layer, uint32_t number)
{
    struct block *chunk = atomic_load_explicit(
        &layer->chunk[number / CHUNK_BLOCKS], memory_order_acquire);
    return &chunk[number % CHUNK_BLOCKS];
}

/* The children of a node, made if need be; NULL: no more room. */
static struct block *grow(struct layer *layer, struct node *node)
{
    const uint32_t known =
        atomic_load_explicit(&node->child, memory_order_relaxed);
    if (known) return block_at(layer, known);
    const uint32_t number = layer->blocks;
    if (number >= CHUNKS * CHUNK_BLOCKS) return NULL;
    if (!atomic_load_explicit(&layer->chunk[number / CHUNK_BLOCKS],
                              memory_order_relaxed)) {
        struct block *chunk = om_calloc(CHUNK_BLOCKS, sizeof *chunk);
        if (!chunk) return NULL;
        atomic_store_explicit(&layer->chunk[number / CHUNK_BLOCKS], chunk,
                              memory_order_release);
    }
    layer->blocks = number + 1;
    atomic_store_explicit(&node->child, number, memory_order_release);
    return block_at(layer, number);
}

om_status om_changes_new(struct om_changes **out)
{
    *out = om_calloc(1, sizeof **out);
    return *out ? OM_OK : OM_E_MEMORY;
}

static void free_layer(struct layer *layer)
{
    for (size_t i = 0; layer && i < CHUNKS; i++) om_free(layer->chunk[i]);
    om_free(layer);
}

void om_changes_free(struct om_changes *changes)
{
    if (!changes) return;
    for (struct layer *layer = changes->first, *next; layer; layer = next) {
        next = layer->next;
        free_layer(layer->told);
        free_layer(layer);
    }
    om_free(changes);
}

static struct layer *new_layer(const char *name, uint64_t sequence,
                               int64_t at_s)
{
    struct layer *layer = om_calloc(1, sizeof *layer);
    if (!layer) return NULL;
    snprintf(layer->name, sizeof layer->name, "%s", name);
    layer->blocks = 1;
    raise_value(&layer->base, sequence, at_s);
    return layer;
}

om_status om_changes_reset(struct om_changes *changes, const char *name,
                           uint64_t sequence, int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    if (layer) {
        raise_value(&layer->base, sequence, at_s);
        if (layer->told) raise_value(&layer->told->base, sequence, at_s);
        return OM_OK;
    }
    layer = new_layer(name, sequence, at_s);
    if (!layer) return OM_E_MEMORY;
    layer->next = atomic_load_explicit(&changes->first, memory_order_relaxed);
    atomic_store_explicit(&changes->first, layer, memory_order_release);
    return OM_OK;
}

void om_changes_moved(struct om_changes *changes, const char *name,
                      uint64_t sequence, int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    if (layer) raise_value(&layer->base, sequence, at_s);
}

om_status om_changes_tell_apart(struct om_changes *changes, const char *name,
                                uint64_t sequence, int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    if (!layer) return OM_OK;
    struct newest base = {0};
    take_newer(&layer->base, &base);
    if (sequence > base.sequence) base = (struct newest){sequence, at_s};
    if (layer->told) {
        raise_value(&layer->told->base, base.sequence, base.at_s);
        return OM_OK;
    }
    struct layer *told = new_layer(name, base.sequence, base.at_s);
    if (!told) return OM_E_MEMORY;
    atomic_store_explicit(&layer->told, told, memory_order_release);
    return OM_OK;
}

/* A cell of `level` and all above it. */
static void add_cell(struct layer *layer, unsigned level, uint64_t cell,
                     uint64_t sequence, int64_t at_s)
{
    struct node *node = &layer->root;
    raise_value(&node->any, sequence, at_s);
    for (unsigned l = 1; l <= level; l++) {
        struct block *children = grow(layer, node);
        if (!children) break;
        node = &children->node[cell >> 2 * (level - l) & 3];
        raise_value(&node->any, sequence, at_s);
    }
    raise_value(&node->whole, sequence, at_s);
}

void om_changes_add(struct om_changes *changes, const char *name, uint64_t cell,
                    uint64_t sequence, int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    for (; layer; layer = layer->told)
        add_cell(layer, OM_CHANGE_LEVEL, cell, sequence, at_s);
}

/* The way from the root to a cell: nodes, and what is new below each of them
 * and of each as a whole. */
struct way {
    struct layer *layer;
    unsigned deep;
    struct node *node[OM_CHANGE_LEVEL + 1];
    uint64_t below[OM_CHANGE_LEVEL + 1], whole[OM_CHANGE_LEVEL + 1];
};

static void way_down(struct way *w, const struct om_change *change)
{
    while (w->deep < OM_CHANGE_LEVEL) {
        struct block *children = grow(w->layer, w->node[w->deep]);
        if (!children) break;
        const unsigned up = 2 * (OM_CHANGE_LEVEL - ++w->deep);
        w->node[w->deep] = &children->node[change->cell >> up & 3];
        w->below[w->deep] = w->whole[w->deep] = 0;
    }
    uint64_t *below = &w->below[w->deep], *whole = &w->whole[w->deep];
    if (change->sequence > *below) *below = change->sequence;
    if (change->sequence > *whole) *whole = change->sequence;
}

/* Out of the node at hand: all below it is known. */
static void way_up(struct way *w, int64_t at_s)
{
    struct node *node = w->node[w->deep];
    const uint64_t newest = w->below[w->deep];
    raise_value(&node->any, newest, at_s);
    raise_value(&node->whole, w->whole[w->deep], at_s);
    if (w->deep == 0) return;
    w->deep--;
    if (newest > w->below[w->deep]) w->below[w->deep] = newest;
}

static void add_all(struct layer *layer, const struct om_change *change,
                    size_t count, int64_t at_s)
{
    struct way w = {.layer = layer};
    if (count == 0) return;
    w.node[0] = &w.layer->root;
    for (size_t i = 0; i < count; i++) {
        way_down(&w, &change[i]);
        const uint64_t differs =
            i + 1 < count ? change[i].cell ^ change[i + 1].cell : 0;
        while (differs >> 2 * (OM_CHANGE_LEVEL - w.deep)) way_up(&w, at_s);
    }
    while (w.deep > 0) way_up(&w, at_s);
    way_up(&w, at_s);
}

void om_changes_add_all(struct om_changes *changes, const char *name,
                        const struct om_change *change, size_t count,
                        int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    for (; layer; layer = layer->told) add_all(layer, change, count, at_s);
}

void om_changes_add_coarse(struct om_changes *changes, const char *name,
                           unsigned level, uint64_t cell, uint64_t sequence,
                           int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    for (; layer && level <= OM_CHANGE_LEVEL; layer = layer->told)
        add_cell(layer, level, cell, sequence, at_s);
}

static void add_box(struct layer *layer, struct om_box box, uint64_t sequence,
                    int64_t at_s)
{
    if (box.x0 > box.x1 || box.y0 > box.y1) return;
    unsigned level = OM_CHANGE_LEVEL;
    struct span s;
    for (;; level--) {
        const unsigned shift = 32 - level;
        if (level == 0) {
            add_cell(layer, 0, 0, sequence, at_s);
            return;
        }
        s = (struct span){box.x0 >> shift, box.y0 >> shift, box.x1 >> shift,
                          box.y1 >> shift};
        if ((uint64_t)(s.x1 - s.x0 + 1) * (s.y1 - s.y0 + 1) <= BOX_CELLS) break;
    }
    for (uint32_t y = s.y0; y <= s.y1; y++)
        for (uint32_t x = s.x0; x <= s.x1; x++)
            add_cell(layer, level, om_morton((struct om_pos){x, y}), sequence,
                     at_s);
}

void om_changes_add_box(struct om_changes *changes, const char *name,
                        struct om_box box, uint64_t sequence, int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    for (; layer; layer = layer->told) add_box(layer, box, sequence, at_s);
}

void om_changes_quiet(struct om_changes *changes, const char *name,
                      uint64_t cell, struct om_box box, uint64_t sequence,
                      int64_t at_s)
{
    struct layer *layer = find_layer(changes, name);
    if (!layer) return;
    if (box.x0 || box.y0 || box.x1 || box.y1)
        add_box(layer, box, sequence, at_s);
    else
        add_cell(layer, OM_CHANGE_LEVEL, cell, sequence, at_s);
}

enum meeting { APART, ACROSS, INSIDE };

/* How the cell x, y of `level` lies to the box of cells of level 18. */
static enum meeting meet(struct span s, unsigned level, uint32_t x, uint32_t y)
{
    const unsigned shift = OM_CHANGE_LEVEL - level;
    const uint32_t x0 = x << shift, y0 = y << shift;
    const uint32_t x1 = x0 + (1u << shift) - 1, y1 = y0 + (1u << shift) - 1;
    if (x1 < s.x0 || x0 > s.x1 || y1 < s.y0 || y0 > s.y1) return APART;
    return x0 >= s.x0 && x1 <= s.x1 && y0 >= s.y0 && y1 <= s.y1 ? INSIDE
                                                                : ACROSS;
}

/* A node that lies across the border of the box. */
static void look(const struct layer *layer, const struct node *node,
                 unsigned level, uint32_t x, uint32_t y, struct span s,
                 struct newest *best)
{
    take_newer(&node->whole, best);
    const uint32_t child =
        atomic_load_explicit(&node->child, memory_order_acquire);
    if (!child) return;
    const struct block *children = block_at(layer, child);
    enum meeting meeting[4];
    // Those inside first: what they have saves going down the others.
    for (uint32_t i = 0; i < 4; i++) {
        meeting[i] = meet(s, level + 1, 2 * x + (i & 1), 2 * y + (i >> 1));
        if (meeting[i] == INSIDE) take_newer(&children->node[i].any, best);
    }
    for (uint32_t i = 0; i < 4; i++)
        if (meeting[i] == ACROSS &&
            sequence_of(&children->node[i].any) > best->sequence)
            look(layer, &children->node[i], level + 1, 2 * x + (i & 1),
                 2 * y + (i >> 1), s, best);
}

uint64_t om_changes_whole(const struct om_changes *changes, const char *name)
{
    struct newest base = {0};
    const struct layer *layer = find_layer(changes, name);
    if (layer) take_newer(&layer->base, &base);
    return base.sequence;
}

static uint64_t newest_in(const struct layer *layer, struct om_box box,
                          int64_t *at_s)
{
    struct newest best = {0};
    if (layer) {
        take_newer(&layer->base, &best);
        const unsigned shift = 32 - OM_CHANGE_LEVEL;
        const struct span s = {box.x0 >> shift, box.y0 >> shift,
                               box.x1 >> shift, box.y1 >> shift};
        const enum meeting meeting = meet(s, 0, 0, 0);
        if (meeting == INSIDE) take_newer(&layer->root.any, &best);
        if (meeting == ACROSS) look(layer, &layer->root, 0, 0, 0, s, &best);
    }
    if (at_s) *at_s = best.at_s;
    return best.sequence;
}

uint64_t om_changes_in(const struct om_changes *changes, const char *name,
                       struct om_box box, int64_t *at_s)
{
    return newest_in(find_layer(changes, name), box, at_s);
}

uint64_t om_changes_told_in(const struct om_changes *changes, const char *name,
                            struct om_box box, int64_t *at_s)
{
    const struct layer *layer = find_layer(changes, name);
    const struct layer *told =
        layer ? atomic_load_explicit(&layer->told, memory_order_acquire) : NULL;
    return newest_in(told ? told : layer, box, at_s);
}
