// node.h - give edges that shapes share the same vertices, before rounding.
#ifndef OM_ENGINE_SHAPE_NODE_H
#define OM_ENGINE_SHAPE_NODE_H

#include "engine/shape/ringset.h"

/**
 * Insert into every edge of the rings the vertices, of whatever shape, that
 * lie on it or so near that rounding could carry them across, and make
 * vertices that round to the same cell the same. `set` holds the same shapes,
 * parts and rings afterwards.
 *
 * returns  OM_E_MEMORY, OM_E_LIMIT
 * cost     O(n log n) for edges that are short against the whole
 */
om_status om__ringset_node(struct om__ringset *set) OM_MUST_USE;

#endif
