// service_plan.h - what `coverage service` and `coverage site` are told: by
// the city's service member, by options; and what both make of it.
#ifndef OM_WEB_SERVICE_PLAN_H
#define OM_WEB_SERVICE_PLAN_H

#include "engine/reach/cover.h"
#include "web/coverage_internal.h"

/* The member of city.json (all of it may be absent, then options say it):
 *
 *   "service": {
 *     "layer": "service_centre",           centres
 *     "capacity": "windows",               a number column of theirs
 *     "population": {"layer": "address", "weight": "residents",
 *                    "name": "residents", "name_zh": "居民"},
 *     "roads": {"layer": "road", "crossings": "join" | "vertices",
 *               "apart": CQL2 of bridges and tunnels, "join_m": 0.5,
 *               "least_m": 0, "reach_m": 300},
 *     "water": "water",                    polygons not to be walked across
 *     "modes": {"walk": {"m_per_min": 80, "roads": CQL2 of usable roads,
 *                        "name": "on foot", "name_zh": "步行"}, ...},
 *     "straight_factor": 1.3,
 *     "limits_m": [500, 1000], "minutes": 10 }
 *
 * The first mode is the one that leads to and from the roads. */
#define OM__SERVICE_LIMITS (OM_TALLY_LIMITS - 1)
#define OM__SERVICE_FLAGS "rows areas centres"

struct om__service {
    const struct om_layer *centres, *people, *roads, *water;
    size_t weight, capacity;  // columns, or OM_NO_FIELD
    const char *mode, *mode_en, *mode_zh, *people_en, *people_zh;
    const char *usable, *apart;  // CQL2, or NULL
    bool cross;
    double join_m, least_m, reach_m, factor, m_per_min, foot_m_per_min;
    struct om_nearness near[OM_TALLY_LIMITS];  // metres, then minutes
    size_t nears;                              // the last is the minutes
    // Made by om__service_prepare.
    struct om_crowd crowd;
    struct om_pos *centre;  // [centre_count], rows of `centres` in order
    uint32_t *centre_row;
    size_t *centre_part;
    size_t centre_count;
    struct om_roads *net;        // NULL: straight
    bool lent;                   // the network is somebody else's
    const struct om_snap *snap;  // [crowd.count] of people, lent, or NULL
    struct om_travel travel;
    char over[40];  // "road", "straight x 1.3"
};

/** Read options and city.json. What is wrong is in q->err and q->wrong. */
om_status om__service_read(struct om_coverage *q,
                           struct om__service *out) OM_MUST_USE;
/** The same of roads and mode alone (options over, mode, reach, factor). */
om_status om__service_read_ways(struct om_coverage *q,
                                struct om__service *out) OM_MUST_USE;
/** Make the network of s->roads; *out is NULL if it has no usable road.
 *  cost: 0.4 s for 92,000 roads   owns: om_roads_free */
om_status om__service_net(struct om_coverage *q, const struct om__service *s,
                          struct om_roads **out) OM_MUST_USE;
/** s->travel and s->over, along s->net or straight. */
void om__service_travel(struct om__service *s);
/** The people of `s`, as the option `among` wants them. */
om_status om__service_people(struct om_coverage *q,
                             struct om__service *s) OM_MUST_USE;
/** Gather people, centres and roads; decide over what. owns:
 *  om__service_deinit, also after a failure */
om_status om__service_prepare(struct om_coverage *q,
                              struct om__service *s) OM_MUST_USE;
void om__service_deinit(struct om__service *s);

/** The unit of `units` that each position lies in. shapes unit [crowd] */
om_status om__service_units(const struct om__service *s,
                            const struct om_units *units,
                            uint32_t *unit) OM_MUST_USE;
/** What a limit is called in columns: "500m", "10min". */
void om__service_near_name(struct om_nearness near, char out[24]);
/** Members of every answer: over what, how fast, the roads. */
void om__service_members(const struct om__service *s, struct om_buf *out);
/** Text of a column of a row, "" where there is none; ends in NUL. */
om_status om__service_text(const struct om_layer *layer, size_t part,
                           size_t row, size_t column,
                           struct om_text_reader *reader,
                           struct om_buf *out) OM_MUST_USE;
/** Column "name" of a layer, OM_NO_FIELD if it has none of text. */
size_t om__service_name_field(const struct om_layer *layer);

#endif
