// time.h - UTC seconds inside, ISO 8601 with +08:00 outside.
#ifndef OM_DATA_MODEL_TIME_H
#define OM_DATA_MODEL_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/** Bytes that om_time_format needs, with the NUL. */
#define OM_TIME_TEXT_BYTES 40
/** Seconds that the city's clock is ahead of UTC when city.json is silent
 *  (China Standard Time, no daylight saving). */
#define OM_TIME_ZONE_S (8 * 3600)

/** Days from 1970-01-01 of a proleptic Gregorian date. month 1 to 12. */
int64_t om_time_days(int64_t year, unsigned month, unsigned day);
/** The date of a day number. */
void om_time_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/**
 * Read a moment: YYYY-MM-DD, optionally followed by T or a blank and
 * HH:MM[:SS[.frac]], optionally by Z or +HH:MM; also YYYY/MM/DD and
 * YYYYMMDD[HHMMSS]. 24:00 is the end of its day. No zone: `zone_s` ahead of
 * UTC. A fraction of a second is cut.
 *
 * returns  OM_E_FORMAT (not such a text, or no such date)
 */
om_status om_time_parse(const char *text, size_t len, int32_t zone_s,
                        int64_t *utc_s);
/**
 * Read FROM/TO, half open [from, to); '..' or nothing leaves a side open
 * (INT64_MIN, INT64_MAX). A single date or month (YYYY-MM) means all of it;
 * a date as TO of an interval includes that day.
 */
om_status om_time_parse_interval(const char *text, size_t len, int32_t zone_s,
                                 int64_t *from_s, int64_t *to_s);
/** "2023-06-26T14:05:31+08:00"; "Z" for zone 0. returns the length. */
size_t om_time_format(int64_t utc_s, int32_t zone_s,
                      char out[OM_TIME_TEXT_BYTES]);

#endif
