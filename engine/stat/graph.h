// graph.h - who is whose neighbour, among units or cells.
#ifndef OM_ENGINE_STAT_GRAPH_H
#define OM_ENGINE_STAT_GRAPH_H

#include "engine/units.h"

/* Neighbours of each of `count` areas: to[first[i]] .. to[first[i + 1] - 1],
 * rising, without i itself. Contiguity and distance bands are symmetric,
 * nearest ones need not be. Zero is a valid empty graph. */
struct om_graph {
    size_t count;
    size_t *first;  // [count + 1]
    uint32_t *to;   // [first[count]]
};
void om_graph_deinit(struct om_graph *graph);

/** Neighbours of all areas together, 4 bytes each: bounds memory. OM_E_COST. */
#define OM_GRAPH_LINKS_MOST ((size_t)1 << 26)

static inline size_t om_graph_degree(const struct om_graph *g, size_t i)
{
    return g->first[i + 1] - g->first[i];
}

/* Who touches counts, and how: a shared corner is enough (queen), or a stretch
 * of border is needed (rook). */
enum om_touch { OM_TOUCH_CORNER, OM_TOUCH_SIDE };

/**
 * Neighbours by touching. Exact: units are noded when they are imported, so
 * that those that touch share vertices, and those that share a border share
 * its edges.
 *
 * shapes   out->count is units->count; i is the index in `units`
 * returns  OM_E_MEMORY, OM_E_COST
 * owns     om_graph_deinit; on an error *out is empty
 * cost     a sort of the vertices: 2,934 grids in some 20 ms
 * test     tests/engine/test_graph.c   bench benchmarks/engine/bench_hotspots.c
 */
om_status om_graph_touching(const struct om_units *units, enum om_touch touch,
                            struct om_graph *out) OM_MUST_USE;

/* Places of areas, in grid cells; of units their centroids. */
struct om_centres {
    size_t count;
    const double *x, *y;
};

/**
 * Neighbours within `radius_m` of each other, ground metres between places,
 * closed. Does not look across the date line.
 *
 * returns  OM_E_RANGE (radius not finite, below 0 or above
 *          OM_NEAR_RADIUS_MOST_M), OM_E_COST, OM_E_MEMORY
 * cost     linear in the neighbours
 */
om_status om_graph_band(const struct om_centres *places, double radius_m,
                        struct om_graph *out) OM_MUST_USE;
/**
 * The k nearest of each, by ground metres rounded to 0.1 mm, equal ones by
 * index; all others where there are no more than k. Does not look across the
 * date line.
 */
om_status om_graph_nearest(const struct om_centres *places, size_t k,
                           struct om_graph *out) OM_MUST_USE;

/**
 * The graph of the areas that `keep` marks, numbered anew in their order.
 * shapes   keep [graph->count]
 */
om_status om_graph_subset(const struct om_graph *graph, const bool *keep,
                          struct om_graph *out) OM_MUST_USE;

/** A graph from pairs `from << 32 | to`, repeated ones counted once.
 *  shapes  pair [n], content lost */
om_status om__graph_from_pairs(size_t count, uint64_t *pair, size_t n,
                               struct om_graph *out) OM_MUST_USE;

#endif
