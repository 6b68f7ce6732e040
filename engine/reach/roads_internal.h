// roads_internal.h - what the files that make and ask a network share.
#ifndef OM_ENGINE_REACH_ROADS_INTERNAL_H
#define OM_ENGINE_REACH_ROADS_INTERNAL_H

#include <math.h>

#include "engine/reach/buckets.h"
#include "engine/reach/roads.h"

struct om__arc {
    uint32_t to, edge;
};

struct om_roads {
    size_t nodes, edges;
    struct om_pos *node;        // [nodes] in Morton order
    struct om__stretch *line;   // [edges] from its first node to its other
    struct om_edge *edge;       // [edges] by (from, to); from < to
    uint32_t *arc_start;        // [nodes + 1]
    struct om__arc *arc;        // [2 * edges]
    struct om__buckets net;     // over `line`
    struct om__stretch *shore;  // edges of water, polygon after polygon
    uint32_t *shore_of;         // [shores] which polygon
    size_t *shore_end;          // [waters] shores of polygon w end there
    size_t shores, waters;
    struct om__buckets bank;  // over `shore`
    struct om_road_figures figures;
};

/** A stretch on foot, in ticks at the speed of the road. */
static inline uint64_t om__on_foot(uint32_t access, double foot)
{
    return (uint64_t)llround((double)access * foot);
}

/* Lines cut into straight stretches, before they are joined. */
enum { OM__A_ENDS = 1, OM__B_ENDS = 2, OM__APART = 4 };
struct om__lines {
    struct om__stretch *stretch;
    uint8_t *mark;  // whether a or b is an end of its line; apart
    size_t count, room, lines;
};
om_status om__lines_read(const struct om_layer *layer,
                         const struct om_road_rules *rules,
                         struct om__lines *out) OM_MUST_USE;
void om__lines_deinit(struct om__lines *lines);

/* Stretches cut where others meet them, and short links from ends that miss
 * the line they end at. */
struct om__noded {
    struct om__stretch *piece;
    size_t count, room;
    size_t crossings, joined;
};
om_status om__lines_node(const struct om__lines *lines,
                         const struct om_road_rules *rules,
                         struct om__noded *out) OM_MUST_USE;
void om__noded_deinit(struct om__noded *noded);

/** Nodes, edges, arcs and pieces of the noded lines. */
om_status om__graph_make(const struct om__noded *noded, double least_m,
                         struct om_roads *roads) OM_MUST_USE;
/** The shores of a layer of water. */
om_status om__shores_read(const struct om_layer *water,
                          const struct om_selection *wet,
                          struct om_roads *roads) OM_MUST_USE;
/** May one walk straight from a place to another? Not across water, except
 *  the one that the first place lies in. */
bool om__dry_between(const struct om_roads *roads, struct om_pos from,
                     double to_x, double to_y);

#endif
