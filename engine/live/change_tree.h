// change_tree.h - a sparse quadtree of when cells last changed.
#ifndef OM_ENGINE_LIVE_CHANGE_TREE_H
#define OM_ENGINE_LIVE_CHANGE_TREE_H

#include <stdatomic.h>

#include "engine/live/changes.h"

/* A sequence and its time, which belong together. */
struct om__change_value {
    _Atomic uint64_t sequence;
    _Atomic int64_t at_s;
};

/* any: newest of the node and all below; whole: newest of what concerned the
 * node as a whole. child: block of its children, 0: none. */
struct om__change_node {
    struct om__change_value any, whole;
    _Atomic uint32_t child;
};

/* Chunks of blocks, each twice as large as the one before. */
#define OM__CHANGE_CHUNKS 14
/** Blocks of four nodes, 160 bytes each, that a tree may have. */
#define OM__CHANGE_BLOCKS ((uint32_t)1 << 17)

/* Zero is an empty tree, once `most` is set; owns: om__change_tree_deinit.
 * threads: one that writes, any that ask */
struct om__change_tree {
    struct om__change_value base;  // of all of it
    struct om__change_node root;
    uint32_t blocks, most;  // used; there may be
    _Atomic(struct om__change_block *) chunk[OM__CHANGE_CHUNKS];
};
void om__change_tree_deinit(struct om__change_tree *tree);
/** All of it is new as of `sequence`. */
void om__change_tree_renew(struct om__change_tree *tree, uint64_t sequence,
                           int64_t at_s);
/** As om_changes_add, _add_all, _add_coarse, _add_box and _in. */
void om__change_tree_add(struct om__change_tree *tree, unsigned level,
                         uint64_t cell, uint64_t sequence, int64_t at_s);
void om__change_tree_add_all(struct om__change_tree *tree,
                             const struct om_change *change, size_t count,
                             int64_t at_s);
void om__change_tree_add_box(struct om__change_tree *tree, struct om_box box,
                             uint64_t sequence, int64_t at_s);
uint64_t om__change_tree_in(const struct om__change_tree *tree,
                            struct om_box box, int64_t *at_s);
/** Sequence of the last change of all of it. */
uint64_t om__change_tree_base(const struct om__change_tree *tree);

#endif
