// roads.h - a road network made of a layer of lines: where its roads meet,
// what leads onto it, how far it is along it.
#ifndef OM_ENGINE_REACH_ROADS_H
#define OM_ENGINE_REACH_ROADS_H

#include "engine/filter/filter.h"

/* Immutable once made. threads: any number of readers. */
struct om_roads;

/* Lengths along roads are whole ticks, so that sums are exact and equal ways
 * are equal: 2^-20 m, under a micrometre. */
#define OM_TICKS_PER_M 1048576.0
#define OM_NO_TICKS UINT64_MAX
#define OM_NO_EDGE UINT32_MAX

/* What counts as a road, and where roads meet:
 *   - lines that share a vertex (the same cell of the grid) meet there;
 *   - the end of a line that lies within join_m of another line meets it;
 *   - with `cross`, lines meet wherever they cross or a vertex of one lies
 *     within join_m of the other, unless one of them is `apart` (a bridge or
 *     a tunnel: those meet others in shared vertices and at ends only).
 * Pieces of the net shorter than least_m in all (drawn without reaching
 * anything) are left out. */
struct om_road_rules {
    const struct om_selection *usable;  // rows of the layer
    const struct om_selection *apart;   // NULL: none
    bool cross;
    double join_m;   // 0 to 10
    double least_m;  // 0: nothing is left out
    // Polygons of water (NULL: none), and which of its rows.
    const struct om_layer *water;
    const struct om_selection *wet;
};

struct om_road_figures {
    size_t lines, nodes, edges;
    size_t crossings, joined;  // junctions made where no vertex was shared
    size_t pieces;             // of the net that is kept
    double km, largest_km;     // of it, and of its largest piece
    size_t left_out;           // pieces that were too short
    double left_out_km;
};

/**
 * Make the network of a layer of lines.
 *
 * returns  OM_E_TYPE   not lines, or water not polygons
 *          OM_E_RANGE  join_m or least_m
 *          OM_E_LIMIT (2^32 of something), OM_E_MEMORY, OM_E_DAMAGED
 * owns     *out: om_roads_free; keeps nothing of the layers
 * cost     92,000 roads with 360,000 vertices: about 0.4 s
 * test     tests/engine/test_roads.c   bench  benchmarks/engine/bench_reach.c
 */
om_status om_roads_new(const struct om_layer *layer,
                       const struct om_road_rules *rules,
                       struct om_roads **out) OM_MUST_USE;
void om_roads_free(struct om_roads *roads);
struct om_road_figures om_roads_figures(const struct om_roads *roads);

/* Where a place gets onto the network: at `along` ticks from the first end of
 * an edge, `access` ticks away on foot. */
struct om_snap {
    uint32_t edge;  // OM_NO_EDGE: nothing within reach
    uint32_t access;
    uint64_t along;
};
/** Farthest that a snap may reach. */
#define OM_SNAP_MAX_M 4000.0

/**
 * Lead places onto the network: to the nearest point of the nearest edge,
 * straight, without crossing water. Where the straight way to the nearest
 * edge would cross it, the next one is taken. Water in which a place itself
 * lies does not count. Of equally near edges the one with the lowest number.
 *
 * shapes   key [count] Morton codes, any order; out [count]
 * returns  OM_E_RANGE (reach_m not in [0, OM_SNAP_MAX_M]), OM_E_MEMORY
 * cost     1.7 M places: about 1 s on two cores
 */
om_status om_roads_snap(const struct om_roads *roads, const uint64_t *key,
                        size_t count, double reach_m,
                        struct om_snap *out) OM_MUST_USE;

/* Numbers of an edge, for tests and drawings. Nodes are numbered in Morton
 * order. */
struct om_edge {
    uint32_t from, to;
    uint64_t ticks;
};
struct om_edge om_roads_edge(const struct om_roads *roads, uint32_t edge);
struct om_pos om_roads_node(const struct om_roads *roads, uint32_t node);

/* ---- the nearest of many centres, for all of the network at once ---- */

/* What is known of each node: cost of the way to the best centre, and which.
 * Cost is in ticks at the speed of the road: a way on foot to or from it
 * counts `foot` times its length (1 for walkers; more for those who ride and
 * are slower on foot). Of equally near centres the one with the lowest
 * number. */
struct om_reach {
    const struct om_roads *roads;
    double foot;
    size_t nodes;
    uint64_t *cost;    // [nodes], OM_NO_TICKS: no way
    uint32_t *centre;  // [nodes]
    // Centres by the edge they are on: for ways along one edge only.
    const struct om_snap *snap;  // [centres], the caller's
    uint32_t *order;             // centres that are on an edge, by edge
    size_t on_edges;
};
/**
 * Dijkstra from all centres at once (each of centres [0, count)).
 *
 * owns     om_reach_deinit; keeps `snap`
 * cost     O(edges log nodes): 0.2 s for 500,000 edges, one core
 * source   Dijkstra, Numerische Mathematik 1 (1959), 269-271, with a virtual
 *          node before all centres
 */
om_status om_reach_make(const struct om_roads *roads,
                        const struct om_snap *snap, size_t count, double foot,
                        struct om_reach *out) OM_MUST_USE;
void om_reach_deinit(struct om_reach *reach);

/* A way from a place: which centre, what it costs and how long it is. */
struct om_way {
    uint32_t centre;  // UINT32_MAX: none
    uint64_t cost;    // ticks at the speed of the road
    uint64_t ticks;   // its length
};
/** The best way from a place; exact. */
struct om_way om_reach_way(const struct om_reach *reach, struct om_snap at);

/* ---- what one place reaches within a limit ---- */

/* Scratch for om_roads_within: one per thread, reused. Zero is valid. */
struct om_within {
    uint64_t *cost;  // [nodes] OM_NO_TICKS between calls
    uint32_t *node;  // reached, in order
    size_t reached;
    void *heap;
    size_t heap_room, nodes;
};
/** Nodes whose cost from `at` (way onto the road included) is at most limit
 *  ticks: within->node[0 .. reached) with within->cost[node]. The next call
 *  forgets them. */
om_status om_roads_within(const struct om_roads *roads, struct om_snap at,
                          double foot, uint64_t limit,
                          struct om_within *within) OM_MUST_USE;
void om_within_deinit(struct om_within *within);
/** Edges at a node: numbers [*first, *first + return) of om_roads_arc. */
size_t om_roads_arcs(const struct om_roads *roads, uint32_t node,
                     uint32_t *first);
/** The edge of arc number i. */
uint32_t om_roads_arc_edge(const struct om_roads *roads, uint32_t arc);

#endif
