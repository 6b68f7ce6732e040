// shape.h - polygons and lines on the integer grid: repaired, noded, exact.
#ifndef OM_ENGINE_SHAPE_SHAPE_H
#define OM_ENGINE_SHAPE_SHAPE_H

#include "data/base/arena.h"
#include "data/model/batch.h"
#include "engine/layer/segment.h"

/* What happened to one shape on its way onto the grid. */
enum om_shape_fate {
    OM_SHAPE_FINE,
    OM_SHAPE_REPAIRED,  // taken, but changed: note says how
    OM_SHAPE_REFUSED,   // cannot be used: empty, not finite, collapses
};

struct om_shape_note {
    enum om_shape_fate fate;
    char text[120];  // "self-intersection at 113.7,23.0", from GEOS
    bool costly;  // refused because it would take too long to check or repair
    uint64_t cost_ns;  // of one core, beyond the fast path: an estimate
};

/**
 * Check, repair and round shapes. Polygons that are not valid are repaired
 * (GEOSMakeValid, area kept), unless that would take long: sides that cross
 * each other more than OM_LIMIT_SHAPE_CROSSINGS times; edges that shapes share,
 * fully or in part, get the same vertices before rounding, so that no sliver
 * opens between neighbours (noded when `shared` is set: unit layers).
 *
 * Every vertex goes to the cell it lies in. Outer rings come out clockwise as
 * seen on the map, holes the other way, as vector tiles want them.
 *
 * shapes   note [shapes->count]; out: rings of the shapes that were not
 *          refused keep their index, a refused one has no parts and a box
 *          that meets nothing (x0 > x1)
 * returns  OM_E_MEMORY, OM_E_LIMIT, OM_E_INTERNAL (GEOS)
 * owns     out lies in `arena`
 * cost     O(vertices log vertices); valid rectangles take a fast path. One
 *          shape, whatever it is: bounded (om__polygon_tangle)
 */
om_status om_shapes_settle(const struct om_shapes *shapes,
                           enum om_geometry geometry, bool shared,
                           struct om_arena *arena, struct om_rings *out,
                           struct om_shape_note *note) OM_MUST_USE;

/** Is the position inside the polygon `shape`? Exact in integers; a position
 *  on an edge belongs to exactly one of two polygons that share the edge.
 *  cost: linear in its vertices */
bool om_rings_contain(const struct om_rings *rings, size_t shape,
                      struct om_pos pos);
/** Do shape `a` of `ra` and polygon `b` of `rb` share a point? Exact; closed
 *  (touching counts). geometry: of ra. */
bool om_rings_intersect(const struct om_rings *ra, size_t a,
                        enum om_geometry geometry, const struct om_rings *rb,
                        size_t b);
/** A polygon from lon/lat rings as WKT or GeoJSON text (POLYGON,
 *  MULTIPOLYGON, GeometryCollection of them, Feature, FeatureCollection),
 *  settled onto the grid as one shape: parts that overlap are united. WKT may
 *  have Z and M, which are dropped. returns OM_E_FORMAT, OM_E_COORD, OM_E_COST
 *  (more than OM_LIMIT_QUERY_VERTICES, or than OM_LIMIT_SHAPE_CROSSINGS between
 *  its sides, or too costly to check otherwise), OM_E_GEOMETRY (empty, or
 *  smaller than a cell of the grid). */
om_status om_rings_parse(const char *text, size_t len, struct om_arena *arena,
                         struct om_rings *out, struct om_err *err) OM_MUST_USE;
/** Ground area of a polygon on the WGS 84 ellipsoid (authalic), km2. */
double om_rings_area_km2(const struct om_rings *rings, size_t shape);

/* Sorted, disjoint runs of Morton codes that cover a polygon: inside, every
 * position belongs to it; on a boundary run each must be tested. */
struct om_interval {
    uint64_t first, end;  // half open; end 0: to the last code
    bool inside;
};
/** Cover of one polygon, down to cells of `finest_level` at the boundary. */
om_status om_rings_cover(const struct om_rings *rings, size_t shape,
                         unsigned finest_level, struct om_arena *arena,
                         struct om_interval **out, size_t *count) OM_MUST_USE;

struct om_partition;
/**
 * Prepare polygons for joining: cells of the whole level, each with the one
 * unit it lies in or the short list of edges that cross it.
 * owns     *out: om_partition_free; keeps nothing of `rings`
 */
om_status om_partition_new(const struct om_rings *rings,
                           struct om_partition **out) OM_MUST_USE;
void om_partition_free(struct om_partition *partition);
/** Shape that holds the position, OM_NO_UNIT if none. Where shapes overlap,
 *  the one with the lowest index. cost: one search, few edges. */
uint32_t om_partition_find(const struct om_partition *partition,
                           struct om_pos pos);
/**
 * The same for all rows of sorted Morton codes at once: a merge.
 * shapes   key [n] ascending; unit [n] out
 * cost     12 M rows, 2,934 shapes: under 100 ms on two cores
 */
om_status om_partition_join(const struct om_partition *partition,
                            const uint64_t *key, size_t n,
                            uint32_t *unit) OM_MUST_USE;

/* Gaps, overlaps and the like between the shapes of one level. */
struct om_partition_report {
    uint64_t edges, shared_edges;  // directed edges, those with their reverse
    uint64_t overlaps;             // pairs of shapes whose insides meet
    double overlap_km2;
    uint64_t gaps;  // holes of the union that no shape fills
    double gap_km2;
};
om_status om_partition_check(const struct om_rings *rings,
                             struct om_partition_report *out) OM_MUST_USE;

struct om_tree;
/** Packed tree over the boxes of a segment's shapes. Built once per segment,
 *  about 0.1 s for 1.7 M. owns: om_tree_free. */
om_status om_tree_new(const struct om_box *box, size_t count,
                      struct om_tree **out) OM_MUST_USE;
void om_tree_free(struct om_tree *tree);
/** Call `each` with every shape whose box meets `box`, in rising order of
 *  index within a node; false from it stops. */
void om_tree_search(const struct om_tree *tree, struct om_box box,
                    bool (*each)(void *ctx, uint32_t shape), void *ctx);

#endif
