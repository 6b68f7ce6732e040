// slices.h - steps of time, counted back from an end.
#ifndef OM_ENGINE_STAT_SLICES_H
#define OM_ENGINE_STAT_SLICES_H

#include "data/base/arena.h"
#include "data/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* How long a step is: days, or months of the calendar. */
struct om_stride {
    unsigned days;  // 0: a month
};
/** "day", "week", "month", or a number of days from 1 to 3660. */
bool om_stride_read(const char *text, struct om_stride *out);
/** `steps` before a moment, in the city's clock: a month before March 31 is
 *  the last of February. */
int64_t om_stride_back(const struct om_stride *stride, int64_t utc_s,
                       int32_t zone_s, size_t steps);
/** How many whole steps fit into [from_s, to_s), counted back from to_s; at
 *  most `most`. */
size_t om_stride_count(const struct om_stride *stride, int64_t from_s,
                       int64_t to_s, int32_t zone_s, size_t most);
/** First midnight of the city's clock that is not before a moment. */
int64_t om_day_end(int64_t utc_s, int32_t zone_s);
/** Last midnight that is not after it. */
int64_t om_day_begin(int64_t utc_s, int32_t zone_s);

#endif
