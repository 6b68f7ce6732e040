// slices.c - steps of time in the city's clock.
#include "engine/stat/slices.h"

#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"

#define DAY_S INT64_C(86400)
#define DAYS_MOST 3660

bool om_stride_read(const char *text, struct om_stride *out)
{
    static const struct {
        const char *name;
        unsigned days;
    } NAMED[] = {{"day", 1}, {"week", 7}, {"month", 0}};
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (!strcmp(text, NAMED[i].name)) {
            out->days = NAMED[i].days;
            return true;
        }
    if (!*text || strspn(text, "0123456789") != strlen(text) ||
        strlen(text) > 4)
        return false;
    out->days = (unsigned)strtoul(text, NULL, 10);
    return out->days >= 1 && out->days <= DAYS_MOST;
}

static int64_t floor_days(int64_t s)
{
    return s / DAY_S - (s % DAY_S < 0);
}

int64_t om_day_begin(int64_t utc_s, int32_t zone_s)
{
    return floor_days(utc_s + zone_s) * DAY_S - zone_s;
}

int64_t om_day_end(int64_t utc_s, int32_t zone_s)
{
    return om_day_begin(utc_s + DAY_S - 1, zone_s);
}

static unsigned month_days(int64_t year, unsigned month)
{
    const int64_t next = month == 12 ? om_time_days(year + 1, 1, 1)
                                     : om_time_days(year, month + 1, 1);
    return (unsigned)(next - om_time_days(year, month, 1));
}

int64_t om_stride_back(const struct om_stride *stride, int64_t utc_s,
                       int32_t zone_s, size_t steps)
{
    if (stride->days)
        return utc_s - (int64_t)stride->days * DAY_S * (int64_t)steps;
    const int64_t local = utc_s + zone_s, day_number = floor_days(local);
    int64_t year;
    unsigned month, day;
    om_time_date(day_number, &year, &month, &day);
    const int64_t months = year * 12 + (int64_t)month - 1 - (int64_t)steps;
    year = months / 12 - (months % 12 < 0);
    month = (unsigned)(months - year * 12) + 1;
    const unsigned most = month_days(year, month);
    if (day > most) day = most;
    return om_time_days(year, month, day) * DAY_S +
           (local - day_number * DAY_S) - zone_s;
}

size_t om_stride_count(const struct om_stride *stride, int64_t from_s,
                       int64_t to_s, int32_t zone_s, size_t most)
{
    size_t n = 0;
    while (n < most && om_stride_back(stride, to_s, zone_s, n + 1) >= from_s)
        n++;
    return n;
}
