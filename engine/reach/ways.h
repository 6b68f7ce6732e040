// ways.h - from one place: what is nearest along the roads, and how far one
// gets in so many minutes.
#ifndef OM_ENGINE_REACH_WAYS_H
#define OM_ENGINE_REACH_WAYS_H

#include "engine/query/query.h"
#include "engine/reach/service.h"

/* A row and the fastest way to it; NaN where none leads there in time. */
struct om_way_hit {
    struct om_hit hit;
    double m, minutes;
    size_t straight;  // its number by straight distance, from 0
};
struct om_ways {
    size_t count;  // at most query->place.nearest
    struct om_way_hit *hit;
    bool off;  // the place has no road within reach
};

/** Rows that one question looks at, by their straight distance. */
#define OM_WAYS_ROWS_MOST 4000

/**
 * The rows of a layer of points that are nearest in minutes, as om_trips_make
 * measures them (without roads: straight).
 *
 * Rows come by minutes, of equally near ones the straight nearest first, as the
 * query has them, however a layer is divided. Where
 * fewer than asked for are reached within minutes_most, the others follow by
 * straight distance, without a way.
 *
 * query    place is NEAREST: its pos and how many
 * scratch  of the thread, for this network (zero is valid)
 * returns  OM_E_TYPE (not points), OM_E_RANGE (as om_trips_make; minutes_most
 *          not positive), OM_E_MEMORY, or what the query says
 * owns     om_ways_deinit
 * cost     of 597 centres the nearest three: 0.2 ms; grows with the roads that
 *          lie nearer than the last of them
 * source   Papadias et al., Query Processing in Spatial Network Databases,
 *          VLDB 2003, section 4.1 (incremental Euclidean restriction)
 * test     tests/engine/test_ways.c
 */
om_status om_ways_nearest(const struct om_travel *travel,
                          const struct om_query *query, double minutes_most,
                          struct om_within *scratch,
                          struct om_ways *out) OM_MUST_USE;
void om_ways_deinit(struct om_ways *ways);

/* Where one gets within a limit, as one shape. */
struct om_isochrone {
    struct om_rings rings;  // no parts: nowhere
    double area_km2;
    bool off;  // the place has no road within reach
    struct om_arena arena;
};
/**
 * The places from which, or to which, it takes at most so many minutes.
 *
 * Minutes are computed on a lattice of OM_ISOCHRONE_SIDE nodes a side and
 * between nodes by proportion: off a node the border is right to half a mesh
 * or so, and what is smaller than two meshes is left out. Without roads it is
 * a circle.
 *
 * returns  OM_E_RANGE (as om_trips_make; minutes not positive), OM_E_MEMORY
 * owns     om_isochrone_deinit
 * cost     ten minutes on foot: some 10 ms of one core
 */
om_status om_isochrone_make(const struct om_travel *travel, struct om_pos at,
                            double minutes, struct om_within *scratch,
                            struct om_isochrone *out) OM_MUST_USE;
void om_isochrone_deinit(struct om_isochrone *isochrone);
#define OM_ISOCHRONE_SIDE 97

#endif
