// descent.h - down the quadtree over edges: what covers and partitions share.
#ifndef OM_ENGINE_SHAPE_DESCENT_H
#define OM_ENGINE_SHAPE_DESCENT_H

#include <stdbool.h>

#include "engine/layer/segment.h"

/* An edge and the units it bounds: unit [unit_first, unit_end) of the list.
 * Edges that shapes share are there once; a unit that has the same edge twice
 * is not bounded by it. */
struct om__edge {
    struct om_pos a, b;
    uint32_t unit_first, unit_end;
};
struct om__edges {
    struct om__edge *edge;
    uint32_t *unit;
    size_t count;
};
/** Edges of the shapes [first, end), numbered from 0. owns: edges_deinit. */
om_status om__edges_gather(const struct om_rings *rings, size_t first,
                           size_t end, struct om__edges *out) OM_MUST_USE;
void om__edges_deinit(struct om__edges *edges);

/* A square of positions: its first Morton code and its level, 0 to 32. */
struct om__cell {
    uint64_t code;
    unsigned level;
};
static inline struct om_box om__cell_box(struct om__cell cell)
{
    const struct om_pos p = om_morton_pos(cell.code);
    const uint32_t side =
        cell.level == 0 ? UINT32_MAX
                        : (uint32_t)((UINT64_C(1) << (32 - cell.level)) - 1);
    return (struct om_box){p.x, p.y, p.x + side, p.y + side};
}
/** Code after the last of the cell; 0 beyond the last of all. */
static inline uint64_t om__cell_end(struct om__cell cell)
{
    return cell.level == 0 ? 0
                           : cell.code + (UINT64_C(1) << (64 - 2 * cell.level));
}
/** Smallest cell that holds the box. */
struct om__cell om__cell_around(struct om_box box);

/* What is known of a cell: the edges that meet its closed box and the units
 * that hold its first position. Without edges they hold all of it. */
struct om__known {
    struct om__cell cell;
    const uint32_t *edge;  // [edges], numbers
    size_t edges;
    const uint32_t *in;  // [ins], ascending
    size_t ins;
};

/* Receives the leaves in Morton order; they tile the root. */
struct om__visitor {
    /** May the cell stay whole? Asked only where there are edges. */
    bool (*enough)(void *ctx, const struct om__known *known);
    om_status (*leaf)(void *ctx, const struct om__known *known);
    void *ctx;
};

/**
 * Divide `root` until every cell has no edges or is `enough`.
 *
 * units    number of units; in: those that hold the root's first position
 * returns  OM_E_MEMORY, or what the visitor returned
 */
om_status om__descend(const struct om__edges *edges, size_t units,
                      struct om__cell root, const uint32_t *in, size_t ins,
                      const struct om__visitor *visitor) OM_MUST_USE;

#endif
