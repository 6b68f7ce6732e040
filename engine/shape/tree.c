// tree.c - packed tree of boxes: levels of 16, no pointers.
#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/exact.h"
#include "engine/shape/shape.h"

/* DESIGN
 * The boxes come in Morton order of their middles, so packing 16 neighbours
 * into a node already gives nodes that overlap little; nothing is sorted.
 * Level 0 holds the boxes of the shapes, level k + 1 one box for 16 of level
 * k. Each side of the boxes is an array of its own: a node's 16 tests are
 * loads of four short runs that the compiler can do at once. */

#define NODE 16
/* 16^8 = 2^32 boxes; one level more for the root. */
#define MAX_LEVELS 9

struct om_tree {
    size_t count;
    unsigned levels;
    size_t at[MAX_LEVELS + 1];  // where each level begins in the arrays
    uint32_t *x0, *y0, *x1, *y1;
};

struct search {
    const struct om_tree *tree;
    struct om_box box;
    bool (*each)(void *ctx, uint32_t shape);
    void *ctx;
};

static size_t lay_out(struct om_tree *tree, size_t count)
{
    size_t total = 0, n = count;
    tree->count = count;
    for (;;) {
        tree->at[tree->levels++] = total;
        total += n;
        if (n <= 1 || tree->levels == MAX_LEVELS) break;
        n = (n + NODE - 1) / NODE;
    }
    tree->at[tree->levels] = total;
    return total;
}

static void join_level(struct om_tree *tree, unsigned level)
{
    const size_t from = tree->at[level - 1], end = tree->at[level];
    for (size_t node = 0; node < tree->at[level + 1] - end; node++) {
        const size_t first = from + node * NODE;
        const size_t stop = first + NODE < end ? first + NODE : end;
        struct om_box box = {UINT32_MAX, UINT32_MAX, 0, 0};
        for (size_t i = first; i < stop; i++) {
            if (tree->x0[i] < box.x0) box.x0 = tree->x0[i];
            if (tree->y0[i] < box.y0) box.y0 = tree->y0[i];
            if (tree->x1[i] > box.x1) box.x1 = tree->x1[i];
            if (tree->y1[i] > box.y1) box.y1 = tree->y1[i];
        }
        tree->x0[end + node] = box.x0;
        tree->y0[end + node] = box.y0;
        tree->x1[end + node] = box.x1;
        tree->y1[end + node] = box.y1;
    }
}

om_status om_tree_new(const struct om_box *box, size_t count,
                      struct om_tree **out)
{
    if (count > UINT32_MAX) return OM_E_LIMIT;
    struct om_tree *tree = om_calloc(1, sizeof *tree);
    if (!tree) return OM_E_MEMORY;
    const size_t total = lay_out(tree, count);
    tree->x0 = om_alloc_array(total, 4 * sizeof *tree->x0);
    if (!tree->x0) {
        om_free(tree);
        return OM_E_MEMORY;
    }
    tree->y0 = tree->x0 + total;
    tree->x1 = tree->y0 + total;
    tree->y1 = tree->x1 + total;
    for (size_t i = 0; i < count; i++) {
        tree->x0[i] = box[i].x0;
        tree->y0[i] = box[i].y0;
        tree->x1[i] = box[i].x1;
        tree->y1[i] = box[i].y1;
    }
    for (unsigned level = 1; level < tree->levels; level++)
        join_level(tree, level);
    *out = tree;
    return OM_OK;
}

void om_tree_free(struct om_tree *tree)
{
    if (!tree) return;
    om_free(tree->x0);
    om_free(tree);
}

/* One bit for each of the entries [first, first + n) that meets the box. */
static uint32_t meeting(const struct om_tree *tree, struct om_box box,
                        size_t first, size_t n)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t e = first + i;
        const uint32_t meets =
            (uint32_t)(tree->x0[e] <= box.x1) & (box.x0 <= tree->x1[e]) &
            (tree->y0[e] <= box.y1) & (box.y0 <= tree->y1[e]);
        bits |= meets << i;
    }
    return bits;
}

/* Entries of one node at `level`, then down into those that meet. */
static bool descend(const struct search *s, unsigned level, size_t node)
{
    const struct om_tree *tree = s->tree;
    const size_t size = tree->at[level + 1] - tree->at[level];
    const size_t first = node * NODE;
    const size_t n = size - first < NODE ? size - first : NODE;
    uint32_t bits = meeting(tree, s->box, tree->at[level] + first, n);
    for (; bits; bits &= bits - 1) {
        const size_t entry = first + (size_t)__builtin_ctz(bits);
        const bool go_on = level == 0 ? s->each(s->ctx, (uint32_t)entry)
                                      : descend(s, level - 1, entry);
        if (!go_on) return false;
    }
    return true;
}

void om_tree_search(const struct om_tree *tree, struct om_box box,
                    bool (*each)(void *ctx, uint32_t shape), void *ctx)
{
    if (tree->count == 0) return;
    const struct search s = {tree, box, each, ctx};
    descend(&s, tree->levels - 1, 0);
}
