// cover.h - which places reach which people, and the K places that together
// reach most.
#ifndef OM_ENGINE_REACH_COVER_H
#define OM_ENGINE_REACH_COVER_H

#include "engine/reach/service.h"

/* Demands (people at positions) that each site reaches: list[s][0 .. n[s]),
 * ascending. */
struct om_cover {
    size_t sites, demands;
    uint32_t **list;  // [sites], each owned
    uint32_t *n;      // [sites]
    uint64_t pairs;
};
/** Most pairs of a site and a demand: bounds memory (4 bytes each). */
#define OM_LIMIT_COVER_PAIRS UINT64_C(120000000)
/** Most pairs, and sites times chosen ones, that a choice may look at: bounds
 *  time, some 10 s on two cores. */
#define OM_LIMIT_COVER_WORK UINT64_C(10000000000)

/**
 * List what each site reaches: demands whose way to it (as om_trips_make
 * finds ways) is near.
 *
 * snap     of the demands, NULL where travel has no roads
 * returns  OM_E_COST (above OM_LIMIT_COVER_PAIRS), OM_E_RANGE, OM_E_MEMORY
 * owns     om_cover_deinit
 * cost     by road: 30,000 sites, 10 minutes on foot: about 3 s on two cores
 * test     tests/engine/test_cover.c
 */
om_status om_cover_make(const struct om_travel *travel,
                        const struct om_pos *site, size_t sites,
                        const uint64_t *demand, const struct om_snap *snap,
                        size_t demands, struct om_nearness near,
                        struct om_cover *out) OM_MUST_USE;
void om_cover_deinit(struct om_cover *cover);

/* K sites, in the order of what each adds to those before it. */
struct om_choice {
    size_t count;     // at most k: sites that add nothing are not taken
    uint32_t *site;   // [count]
    int64_t *gain;    // [count] weight that it adds to those before it
    int64_t total;    // weight covered by all
    int64_t bound;    // no k sites cover more: total / bound is how good this
                      // choice is at least
    size_t swaps;     // of the interchange
    size_t measured;  // sites whose reach was measured (om_cover_find)
    bool tired;       // after OM_E_COST: it was OM_LIMIT_COVER_WORK
};
/**
 * Choose K sites that cover the most weight: greedy, then interchange (the
 * best exchange of one chosen site for another, until none gains).
 *
 * shapes   weight [cover->demands], none negative
 * returns  OM_E_MEMORY, OM_E_RANGE (a negative weight, a sum beyond 63 bits),
 *          OM_E_COST (above OM_LIMIT_COVER_WORK)
 *          deterministic: of equal gains the site with the lowest number
 * owns     om_choice_deinit
 * cost     O(pairs) for each site and each swap
 * source   maximal covering: Church & ReVelle, Papers of the Regional Science
 *          Association 32 (1974), 101-118; greedy is at least 1 - 1/e of the
 *          best (Nemhauser, Wolsey & Fisher, Math. Programming 14 (1978),
 *          265-294); interchange: Teitz & Bart, Operations Research 16
 *          (1968), 955-961
 */
om_status om_cover_choose(const struct om_cover *cover, const int64_t *weight,
                          size_t k, struct om_choice *out) OM_MUST_USE;
void om_choice_deinit(struct om_choice *choice);

/**
 * The two together, without measuring what cannot matter: sites whose straight
 * surroundings hold too little to take anybody's place are left out.
 *
 * returns  as om_cover_make (snap as there) and om_cover_choose; no exchange
 *          of a chosen site for any other gains
 * owns     om_choice_deinit
 * cost     1.2 M demands, 37,000 sites, K = 10: 0.2 s
 */
om_status om_cover_find(const struct om_travel *travel,
                        const struct om_pos *site, size_t sites,
                        const uint64_t *demand, const struct om_snap *snap,
                        const int64_t *weight, size_t demands,
                        struct om_nearness near, size_t k,
                        struct om_choice *out) OM_MUST_USE;

/**
 * Two-step floating catchment areas: what a centre offers, shared by all whom
 * it reaches, summed over the centres that reach each.
 *
 * shapes   capacity, ratio (out; may be NULL) [cover->sites]; weight, access
 *          (out) [cover->demands]
 * units    ratio: capacity per weight in reach, 0 where nobody is; access:
 *          the sum of the ratios of the sites that reach the demand
 * source   Luo & Wang, Environment and Planning B 30 (2003), 865-884
 */
void om_cover_access(const struct om_cover *cover, const double *capacity,
                     const int64_t *weight, double *ratio, double *access);

/**
 * Places to choose from: of each square of `side` cells the position with the
 * most weight (then rows, then the first), in the order of positions.
 *
 * shapes   position [crowd->count] out, *count of them are set
 */
om_status om_cover_places(const struct om_crowd *crowd, uint32_t side,
                          uint32_t *position, size_t *count) OM_MUST_USE;

#endif
