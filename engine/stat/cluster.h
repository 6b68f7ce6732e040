// cluster.h - DBSCAN on the ground: groups of points that lie densely.
#ifndef OM_ENGINE_STAT_CLUSTER_H
#define OM_ENGINE_STAT_CLUSTER_H

#include "data/base/arena.h"
#include "engine/layer/segment.h"

/** In no cluster. */
#define OM_NOISE UINT32_MAX

struct om_cluster {
    uint64_t points, cores;
    double x, y;      // mean position, grid cells
    double area_km2;  // of its hull, on the ground
};

/* Clusters from the largest to the smallest, equal ones by the Morton code of
 * their first core point. */
struct om_clusters {
    size_t count, points;
    struct om_cluster *cluster;
    uint32_t *of;          // [points] cluster of each, or OM_NOISE
    bool *core;            // [points]
    uint64_t noise;        // points in no cluster
    struct om_rings hull;  // convex hulls, shape i of cluster i; no rings
                           // where all points lie on one line
    struct om_arena arena;
};

/**
 * Find clusters. A point with at least `least` points (itself counted) within
 * eps_m of it, ground metres, closed, is a core point; core points within
 * eps_m of each other are of one cluster. A point that is none but has core
 * points within eps_m belongs to the nearest one's cluster (equally near ones:
 * the one with the lower Morton code), so the answer does not depend on the
 * order of the points. Points at one place are as many points.
 *
 * shapes   pos [n]; any order
 * units    as om_graph_band: not across the date line
 * returns  OM_E_RANGE (eps_m not in (0, OM_NEAR_RADIUS_MOST_M], least 0),
 *          OM_E_MEMORY, OM_E_LIMIT (n beyond 2^32 - 2)
 * owns     om_clusters_deinit
 * threads  parallel; the same whatever their number
 * cost     1.1 M points of a city, 100 m, 50: some 0.3 s on two cores
 * source   Ester, Kriegel, Sander and Xu (1996), KDD-96, 226-231; buckets as
 *          Gan and Tao (2015), SIGMOD, section 2.2
 * test     tests/engine/test_cluster.c   bench
 *          benchmarks/engine/bench_hotspots.c
 */
om_status om_clusters_find(const struct om_pos *pos, size_t n, double eps_m,
                           uint64_t least, struct om_clusters *out) OM_MUST_USE;
void om_clusters_deinit(struct om_clusters *clusters);

/**
 * The convex hull of positions, clockwise on the map, without points on its
 * sides. Exact. Sorts `pos`, each position once.
 * shapes   out has room for n
 * returns  how many corners; below 3 all lie on one line
 */
size_t om_hull(struct om_pos *pos, size_t n, struct om_pos *out);

#endif
