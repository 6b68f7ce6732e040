// change_tree.c - a sparse quadtree, read while it grows.
#include "engine/live/change_tree.h"

#include <stdbool.h>

#include "data/base/alloc.h"

/* DESIGN
 * Readers ask at every request, so they take no lock. Nodes lie in blocks of
 * four siblings, blocks in chunks that never move; nothing is ever removed: a
 * tree that is new as a whole gets a sequence above all in it. Sequences only
 * rise. A reader that meets the writer half way sees old or new numbers, which
 * is all the same to it: the writer publishes the snapshot afterwards.
 *
 * Sequence and time of a node belong together (equal sequence, equal bytes of
 * a tile that carries the time). So while the time is being changed the
 * sequence has a mark, and who reads both looks at the sequence twice.
 *
 * Chunks double: most trees are of one audience (audience.c) and have a few
 * cells, that of a layer has a hundred thousand.
 *
 * A lookup table of (level, cell) was tried in thought: it answers a tile with
 * one look-up instead of 18 steps, but boxes that are no tiles (a tile with its
 * margin) only level by level.
 */

#define CHANGING (UINT64_C(1) << 63)
#define FIRST_BITS 4  // blocks of the first chunk, as a power of two
#define BOX_CELLS 64

struct om__change_block {
    struct om__change_node node[4];
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

static void raise_value(struct om__change_value *v, uint64_t sequence,
                        int64_t at_s)
{
    if (atomic_load_explicit(&v->sequence, memory_order_relaxed) >= sequence)
        return;
    atomic_store_explicit(&v->sequence, sequence | CHANGING,
                          memory_order_relaxed);
    atomic_store_explicit(&v->at_s, at_s, memory_order_release);
    atomic_store_explicit(&v->sequence, sequence, memory_order_release);
}

static uint64_t sequence_of(const struct om__change_value *v)
{
    return atomic_load_explicit(&v->sequence, memory_order_acquire) & ~CHANGING;
}

static void take_newer(const struct om__change_value *v, struct newest *best)
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

/* Of a block: its chunk, and its place there. */
static unsigned chunk_of(uint32_t number, uint32_t *at)
{
    const uint32_t from_first = number + (UINT32_C(1) << FIRST_BITS);
    const unsigned chunk =
        31 - (unsigned)__builtin_clz(from_first) - FIRST_BITS;
    *at = from_first - (UINT32_C(1) << (FIRST_BITS + chunk));
    return chunk;
}

static struct om__change_block *block_at(const struct om__change_tree *tree,
                                         uint32_t number)
{
    uint32_t at;
    const unsigned chunk = chunk_of(number, &at);
    return atomic_load_explicit(&tree->chunk[chunk], memory_order_acquire) + at;
}

/* The children of a node, made if need be; NULL: no more room. */
static struct om__change_block *grow(struct om__change_tree *tree,
                                     struct om__change_node *node)
{
    const uint32_t known =
        atomic_load_explicit(&node->child, memory_order_relaxed);
    if (known) return block_at(tree, known);
    const uint32_t number = tree->blocks + 1;  // 0 is nobody's
    uint32_t at;
    const unsigned n = chunk_of(number, &at);
    if (number > tree->most || n >= OM__CHANGE_CHUNKS) return NULL;
    if (!atomic_load_explicit(&tree->chunk[n], memory_order_relaxed)) {
        struct om__change_block *chunk =
            om_calloc((size_t)1 << (FIRST_BITS + n), sizeof *chunk);
        if (!chunk) return NULL;
        atomic_store_explicit(&tree->chunk[n], chunk, memory_order_release);
    }
    tree->blocks = number;
    atomic_store_explicit(&node->child, number, memory_order_release);
    return block_at(tree, number);
}

void om__change_tree_deinit(struct om__change_tree *tree)
{
    for (size_t i = 0; i < OM__CHANGE_CHUNKS; i++) om_free(tree->chunk[i]);
}

void om__change_tree_renew(struct om__change_tree *tree, uint64_t sequence,
                           int64_t at_s)
{
    raise_value(&tree->base, sequence, at_s);
}

/* ---- writing */

/* A cell of `level` and all above it. */
void om__change_tree_add(struct om__change_tree *tree, unsigned level,
                         uint64_t cell, uint64_t sequence, int64_t at_s)
{
    struct om__change_node *node = &tree->root;
    raise_value(&node->any, sequence, at_s);
    for (unsigned l = 1; l <= level; l++) {
        struct om__change_block *children = grow(tree, node);
        if (!children) break;
        node = &children->node[cell >> 2 * (level - l) & 3];
        raise_value(&node->any, sequence, at_s);
    }
    raise_value(&node->whole, sequence, at_s);
}

/* The way from the root to a cell: nodes, and what is new below each of them
 * and of each as a whole. */
struct way {
    struct om__change_tree *tree;
    unsigned deep;
    struct om__change_node *node[OM_CHANGE_LEVEL + 1];
    uint64_t below[OM_CHANGE_LEVEL + 1], whole[OM_CHANGE_LEVEL + 1];
};

static void way_down(struct way *w, const struct om_change *change)
{
    while (w->deep < OM_CHANGE_LEVEL) {
        struct om__change_block *children = grow(w->tree, w->node[w->deep]);
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
    struct om__change_node *node = w->node[w->deep];
    const uint64_t newest = w->below[w->deep];
    raise_value(&node->any, newest, at_s);
    raise_value(&node->whole, w->whole[w->deep], at_s);
    if (w->deep == 0) return;
    w->deep--;
    if (newest > w->below[w->deep]) w->below[w->deep] = newest;
}

void om__change_tree_add_all(struct om__change_tree *tree,
                             const struct om_change *change, size_t count,
                             int64_t at_s)
{
    struct way w = {.tree = tree};
    if (count == 0) return;
    w.node[0] = &w.tree->root;
    for (size_t i = 0; i < count; i++) {
        way_down(&w, &change[i]);
        const uint64_t differs =
            i + 1 < count ? change[i].cell ^ change[i + 1].cell : 0;
        while (differs >> 2 * (OM_CHANGE_LEVEL - w.deep)) way_up(&w, at_s);
    }
    while (w.deep > 0) way_up(&w, at_s);
    way_up(&w, at_s);
}

void om__change_tree_add_box(struct om__change_tree *tree, struct om_box box,
                             uint64_t sequence, int64_t at_s)
{
    if (box.x0 > box.x1 || box.y0 > box.y1) return;
    unsigned level = OM_CHANGE_LEVEL;
    struct span s;
    for (;; level--) {
        const unsigned shift = 32 - level;
        if (level == 0) {
            om__change_tree_add(tree, 0, 0, sequence, at_s);
            return;
        }
        s = (struct span){box.x0 >> shift, box.y0 >> shift, box.x1 >> shift,
                          box.y1 >> shift};
        if ((uint64_t)(s.x1 - s.x0 + 1) * (s.y1 - s.y0 + 1) <= BOX_CELLS) break;
    }
    for (uint32_t y = s.y0; y <= s.y1; y++)
        for (uint32_t x = s.x0; x <= s.x1; x++)
            om__change_tree_add(tree, level, om_morton((struct om_pos){x, y}),
                                sequence, at_s);
}

/* ---- asking */

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
static void look(const struct om__change_tree *tree,
                 const struct om__change_node *node, unsigned level, uint32_t x,
                 uint32_t y, struct span s, struct newest *best)
{
    take_newer(&node->whole, best);
    const uint32_t child =
        atomic_load_explicit(&node->child, memory_order_acquire);
    if (!child) return;
    const struct om__change_block *children = block_at(tree, child);
    enum meeting meeting[4];
    // Those inside first: what they have saves going down the others.
    for (uint32_t i = 0; i < 4; i++) {
        meeting[i] = meet(s, level + 1, 2 * x + (i & 1), 2 * y + (i >> 1));
        if (meeting[i] == INSIDE) take_newer(&children->node[i].any, best);
    }
    for (uint32_t i = 0; i < 4; i++)
        if (meeting[i] == ACROSS &&
            sequence_of(&children->node[i].any) > best->sequence)
            look(tree, &children->node[i], level + 1, 2 * x + (i & 1),
                 2 * y + (i >> 1), s, best);
}

uint64_t om__change_tree_base(const struct om__change_tree *tree)
{
    return sequence_of(&tree->base);
}

uint64_t om__change_tree_in(const struct om__change_tree *tree,
                            struct om_box box, int64_t *at_s)
{
    struct newest best = {0};
    take_newer(&tree->base, &best);
    const unsigned shift = 32 - OM_CHANGE_LEVEL;
    const struct span s = {box.x0 >> shift, box.y0 >> shift, box.x1 >> shift,
                           box.y1 >> shift};
    const enum meeting meeting = meet(s, 0, 0, 0);
    if (meeting == INSIDE) take_newer(&tree->root.any, &best);
    if (meeting == ACROSS) look(tree, &tree->root, 0, 0, 0, s, &best);
    if (at_s) *at_s = best.at_s;
    return best.sequence;
}
