// service.h - how far people are from the nearest centre, and how many within
// what: by road where there are roads, straight where there are none.
#ifndef OM_ENGINE_REACH_SERVICE_H
#define OM_ENGINE_REACH_SERVICE_H

#include "engine/reach/crowd.h"
#include "engine/reach/roads.h"

/* How one gets about. With roads: along them at m_per_min, to and from them on
 * foot. Without: straight (geodesic) times `factor`, all at m_per_min. */
struct om_travel {
    const struct om_roads *roads;  // NULL: straight
    double factor;                 // of straight ways
    double m_per_min, foot_m_per_min;
    double reach_m;  // to the nearest road
};

/* Instead of a centre. */
#define OM_TRIP_OFF UINT32_MAX        // no road within reach
#define OM_TRIP_CUT (UINT32_MAX - 1)  // on the network, but it leads to none
static inline bool om_trip_goes(uint32_t centre)
{
    return centre < OM_TRIP_CUT;
}

/* The best way from each of many positions: the fastest, which on foot and
 * straight is also the shortest. */
struct om_trips {
    size_t count;
    uint32_t *centre;      // [count] number of the centre, or OM_TRIP_...
    double *m, *minutes;   // [count] length and time; infinity without one
    struct om_snap *snap;  // [count] onto the roads; NULL: straight
    size_t centres_off;    // centres without a road within reach
};
/**
 * Find the best centre for each position.
 *
 * snap     of the positions, made by an earlier call with the same roads and
 *          reach (it is copied); NULL: made here
 * returns  OM_E_RANGE (a speed, factor or reach not positive and finite; a
 *          reach above OM_SNAP_MAX_M), OM_E_LIMIT, OM_E_MEMORY
 * owns     om_trips_deinit
 * threads  the same answer with any number
 * cost     1.7 M positions, 597 centres: 0.4 s straight, 1.5 s by road
 * test     tests/engine/test_reach.c   bench  benchmarks/engine/bench_reach.c
 */
om_status om_trips_make(const struct om_travel *travel, const uint64_t *key,
                        size_t count, const struct om_snap *snap,
                        const struct om_pos *centre, size_t centres,
                        struct om_trips *out) OM_MUST_USE;
void om_trips_deinit(struct om_trips *trips);

/* What counts as near: at most so many metres, or minutes. */
struct om_nearness {
    bool minutes;
    double at_most;
};
#define OM_TALLY_LIMITS 8
static inline bool om_is_near(const struct om_trips *trips, size_t i,
                              struct om_nearness n)
{
    return (n.minutes ? trips->minutes : trips->m)[i] <= n.at_most;
}

/* Numbers of one unit (or the city). Rows and weight as in the crowd. */
struct om_tally {
    uint64_t rows, rows_off, rows_cut, rows_near[OM_TALLY_LIMITS];
    int64_t weight, weight_off, weight_cut, weight_near[OM_TALLY_LIMITS];
    // Of the rows that get to a centre, each row counting once; NaN without
    // any. The median is the lower one.
    double mean_m, median_m, max_m;
    size_t farthest;  // position of max_m, SIZE_MAX without
};
/**
 * Add up by unit.
 *
 * shapes   unit [crowd->count] number of the unit of each position, OM_NO_UNIT
 *          for none (NULL where there are no units); out [units + 1], the last
 * is of all, with or without unit returns  OM_E_LIMIT (more than
 * OM_TALLY_LIMITS), OM_E_MEMORY cost     sorts within units: 1.7 M positions in
 * 0.2 s
 */
om_status om_trips_tally(const struct om_crowd *crowd,
                         const struct om_trips *trips, const uint32_t *unit,
                         size_t units, const struct om_nearness *near,
                         size_t nears, struct om_tally *out) OM_MUST_USE;

#endif
