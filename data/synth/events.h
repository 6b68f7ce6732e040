// events.h - when and where things are reported.
#ifndef OM_DATA_SYNTH_EVENTS_H
#define OM_DATA_SYNTH_EVENTS_H

#include "data/synth/city_internal.h"

#define OM__HAZARD_BLOCK 64  // reports among which the open ones are drawn

enum om__step {
    OM__STEP_REPORTED,
    OM__STEP_ACCEPTED,
    OM__STEP_DISPATCHED,
    OM__STEP_RESOLVED,
    OM__STEP_VERIFIED,
    OM__STEPS
};
enum om__target {
    OM__TARGET_NONE,
    OM__TARGET_RENTAL,
    OM__TARGET_PREMISES,
    OM__TARGET_BUILDING
};

struct om__hazard {
    uint32_t house, worker;
    unsigned object, problem, severity, returned;
    enum om__step status;
    int64_t at_s[OM__STEPS];  // 0: not yet
    int64_t due_s;
    enum om__target target;
    uint32_t target_row;
    int hotspot;  // or -1
};

/** The tables that events are drawn from. Allocates in city. */
om_status om__events_make(struct om__city *city) OM_MUST_USE;
/** Report number i. Reports are in the order of their times, roughly. */
void om__hazard_get(const struct om__city *city, uint64_t i,
                    struct om__hazard *out);
/** How often rental i, or premises i - rentals, was visited: as many rows as
 *  the layer of visits has of it. */
uint32_t om__visits_made(const struct om__city *city, uint64_t i);
/** The moment at share u of the events between two days of the year. */
int64_t om__rhythm_at(const struct om__city *city, unsigned from_day,
                      unsigned to_day, double u);

#endif
