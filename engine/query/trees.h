// trees.h - packed trees over shapes, one a segment, built when first asked.
#ifndef OM_ENGINE_QUERY_TREES_H
#define OM_ENGINE_QUERY_TREES_H

#include "engine/query/query.h"

struct om__kept_tree;

/**
 * The tree of a segment of shapes; built once, then shared.
 *
 * owns     *out: give it back with om__tree_release
 * threads  any; two that ask for a new one at once may both build it
 */
om_status om__tree_get(const struct om_segment *segment,
                       struct om__kept_tree **out) OM_MUST_USE;
void om__tree_release(struct om__kept_tree *tree);
const struct om_tree *om__tree_of(const struct om__kept_tree *tree);

#endif
