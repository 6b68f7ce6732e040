// moment.h - times as people and their tools write them.
#ifndef OM_DATA_SOURCE_MOMENT_H
#define OM_DATA_SOURCE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/* Which of 03/04/2023's numbers is the day? */
enum om_date_order {
    OM_DATE_YMD,  // only dates that begin with their year
    OM_DATE_DMY,
    OM_DATE_MDY,
};

/**
 * Read a moment: all of om_time_parse, and 2023-6-5, 2023.06.05, 2023年6月5日,
 * each also with a clock (H:MM[:SS]); 5/6/2023 in the order asked for; and
 * bare seconds or milliseconds since 1970 as 9 to 10 or 12 to 13 digits.
 *
 * returns  OM_E_FORMAT
 */
om_status om_moment_parse(const char *text, size_t len,
                          enum om_date_order order, int32_t zone_s,
                          int64_t *utc_s);
/** Seconds since 1970 of a number that may be milliseconds. */
int64_t om_moment_epoch(int64_t number);

#endif
