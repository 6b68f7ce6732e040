// days_internal.h - days of the clock of a zone, and which of them rows have.
#ifndef OM_ENGINE_QUERY_DAYS_INTERNAL_H
#define OM_ENGINE_QUERY_DAYS_INTERNAL_H

#include "engine/query/ask_internal.h"
#include "engine/query/days.h"

#define OM__DAY_S 86400

/** Days since 1970-01-01 of a time, by the clock of the zone. */
static inline int64_t om__day_of(int64_t time_s, int32_t zone_s)
{
    const int64_t at = time_s + zone_s;
    return at / OM__DAY_S - (at % OM__DAY_S < 0);
}
/** The first day that a row of the layer, whether it counts or not, may have in
 *  the question's window, and how many there are to the last; 0: none.
 *  Of a window that says no beginning the newest `most`: one odd time does not
 *  take the days of all others. returns OM_E_COST beyond `most` else */
om_status om__days_span(const struct om__ask *ask, int32_t zone_s,
                        uint32_t most, int64_t *first,
                        uint32_t *days) OM_MUST_USE;

#endif
