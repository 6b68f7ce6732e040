// months.c - calendar months of a zone.
#include "engine/coverage/months.h"

#include "data/model/time.h"

#define DAY_S 86400

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct om_month om_month_of(int64_t utc_s, int32_t zone_s)
{
    int64_t year;
    unsigned month, day;
    om_time_date(floor_div(utc_s + zone_s, DAY_S), &year, &month, &day);
    const int64_t start = om_time_days(year, month, 1) * DAY_S - zone_s;
    const int64_t end =
        om_time_days(month == 12 ? year + 1 : year, month % 12 + 1, 1) * DAY_S -
        zone_s;
    return (struct om_month){start, end, start, end};
}

om_status om_months_cut(int64_t from_s, int64_t to_s, int32_t zone_s,
                        size_t most, struct om_month *out, size_t *count)
{
    *count = 0;
    if (from_s >= to_s) return OM_E_RANGE;
    for (int64_t at = from_s; at < to_s; at = out[*count - 1].end_s) {
        if (*count == most) return OM_E_COST;
        struct om_month m = om_month_of(at, zone_s);
        m.lo_s = at;
        if (to_s < m.end_s) m.hi_s = to_s;
        out[(*count)++] = m;
    }
    return OM_OK;
}
