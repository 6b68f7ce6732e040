// time.c - civil dates by Hinnant's algorithms, and a small ISO 8601 reader.
#include "data/model/time.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

// source: Howard Hinnant, "chrono-compatible low-level date algorithms",
// days_from_civil and civil_from_days; eras of 400 years starting in March.
int64_t om_time_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400;
    const int64_t of_year =
        (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

void om_time_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t of_era = days - era * 146097;
    const int64_t y =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    const int64_t m = (5 * of_year + 2) / 153;
    *day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

/* A reading head over the text. */
struct head {
    const char *at, *end;
};

static bool take(struct head *h, char c)
{
    if (h->at == h->end || *h->at != c) return false;
    h->at++;
    return true;
}

static bool take_number(struct head *h, int digits, int64_t *out)
{
    if (h->end - h->at < digits) return false;
    int64_t n = 0;
    for (int i = 0; i < digits; i++) {
        const char c = h->at[i];
        if (c < '0' || c > '9') return false;
        n = n * 10 + (c - '0');
    }
    h->at += digits;
    *out = n;
    return true;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap);
}

/* Year and month, and the day unless the text ends after the month (*day 0). */
static bool take_date(struct head *h, int64_t *year, int64_t *month,
                      int64_t *day)
{
    *day = 0;
    if (!take_number(h, 4, year)) return false;
    const char separator =
        h->at < h->end && (*h->at == '-' || *h->at == '/') ? *h->at : 0;
    if (separator) {
        h->at++;
        if (!take_number(h, 2, month) &&
            !(separator == '/' && take_number(h, 1, month)))
            return false;
        if (take(h, separator) && !take_number(h, 2, day) &&
            !(separator == '/' && take_number(h, 1, day)))
            return false;
        if (*day == 0 && h->at != h->end) return false;
    } else if (!take_number(h, 2, month) || !take_number(h, 2, day)) {
        return false;
    }
    if (*month < 1 || *month > 12) return false;
    return h->at[-1] != separator && *day <= month_days(*year, *month);
}

static bool take_clock(struct head *h, int64_t *second)
{
    int64_t hour, minute, sec = 0;
    const bool packed = h->end - h->at >= 6 && h->at[2] != ':';
    if (!take_number(h, 2, &hour)) return false;
    if (!packed && !take(h, ':')) return false;
    if (!take_number(h, 2, &minute)) return false;
    if (packed || take(h, ':')) {
        if (!take_number(h, 2, &sec)) return false;
        if (take(h, '.') || take(h, ','))
            while (h->at < h->end && *h->at >= '0' && *h->at <= '9') h->at++;
    }
    if (hour > 24 || minute > 59 || sec > 60) return false;
    if (hour == 24 && (minute || sec)) return false;
    *second = hour * 3600 + minute * 60 + sec;
    return true;
}

static bool take_zone(struct head *h, int32_t *zone_s)
{
    if (h->at == h->end) return true;
    if (take(h, 'Z') || take(h, 'z')) {
        *zone_s = 0;
        return true;
    }
    const char sign = *h->at++;
    if (sign != '+' && sign != '-') return false;
    int64_t hour, minute = 0;
    if (!take_number(h, 2, &hour)) return false;
    if (h->at < h->end) {
        take(h, ':');
        if (!take_number(h, 2, &minute)) return false;
    }
    if (hour > 18 || minute > 59) return false;
    *zone_s = (int32_t)((hour * 60 + minute) * 60) * (sign == '-' ? -1 : 1);
    return true;
}

/* A moment, and how long the thing named is: 0 for a moment, a day, a month. */
static om_status parse(const char *text, size_t len, int32_t zone_s,
                       int64_t *utc_s, int64_t *span_s)
{
    struct head h = {text, text + len};
    int64_t year, month, day, second = 0;
    if (!take_date(&h, &year, &month, &day)) return OM_E_FORMAT;
    *span_s = day ? DAY_S : DAY_S * month_days(year, month);
    if (h.at < h.end && day) {
        if (!take(&h, 'T') && !take(&h, 't') && !take(&h, ' ') &&
            !(*h.at >= '0' && *h.at <= '9'))
            return OM_E_FORMAT;
        if (!take_clock(&h, &second)) return OM_E_FORMAT;
        *span_s = 0;
    }
    if (!take_zone(&h, &zone_s) || h.at != h.end) return OM_E_FORMAT;
    const int64_t days =
        om_time_days(year, (unsigned)month, (unsigned)(day ? day : 1));
    *utc_s = days * DAY_S + second - zone_s;
    return OM_OK;
}

om_status om_time_parse(const char *text, size_t len, int32_t zone_s,
                        int64_t *utc_s)
{
    int64_t span_s;
    OM_TRY(parse(text, len, zone_s, utc_s, &span_s));
    return span_s > DAY_S ? OM_E_FORMAT : OM_OK;  // a month is no moment
}

static bool is_open(const char *text, size_t len)
{
    return len == 0 || (len == 2 && memcmp(text, "..", 2) == 0);
}

/* The slash between FROM and TO; dates may be written with slashes too. */
static const char *interval_slash(const char *text, size_t len)
{
    const char *found = NULL;
    size_t slashes = 0;
    for (size_t i = 0; i < len; i++) slashes += text[i] == '/';
    if (slashes == 0 || slashes == 2) return NULL;  // a single date
    size_t middle = slashes / 2, seen = 0;
    // FROM or TO open with the other one written 2023/06/26: 1 + 2 slashes.
    if (slashes == 3)
        middle = is_open(text, 0) && (text[0] == '/' || text[0] == '.') ? 0 : 2;
    for (size_t i = 0; i < len && !found; i++)
        if (text[i] == '/' && seen++ == middle) found = text + i;
    return found;
}

om_status om_time_parse_interval(const char *text, size_t len, int32_t zone_s,
                                 int64_t *from_s, int64_t *to_s)
{
    int64_t from = INT64_MIN, to = INT64_MAX, span = 0;
    const char *slash = interval_slash(text, len);
    if (!slash) {
        OM_TRY(parse(text, len, zone_s, &from, &span));
        to = from + (span ? span : 1);
    } else {
        const size_t left = (size_t)(slash - text), right = len - left - 1;
        if (!is_open(text, left))
            OM_TRY(parse(text, left, zone_s, &from, &span));
        if (!is_open(slash + 1, right)) {
            OM_TRY(parse(slash + 1, right, zone_s, &to, &span));
            to += span;
        }
        if (from >= to) return OM_E_RANGE;
    }
    *from_s = from;
    *to_s = to;
    return OM_OK;
}

size_t om_time_format(int64_t utc_s, int32_t zone_s,
                      char out[OM_TIME_TEXT_BYTES])
{
    const int64_t local = utc_s + zone_s;
    int64_t days = local / DAY_S, rest = local % DAY_S, year;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    unsigned month, day;
    om_time_date(days, &year, &month, &day);
    const int n =
        snprintf(out, OM_TIME_TEXT_BYTES - 8, "%04lld-%02u-%02uT%02d:%02d:%02d",
                 (long long)year, month, day, (int)(rest / 3600),
                 (int)(rest / 60 % 60), (int)(rest % 60));
    if (zone_s == 0) return (size_t)(n + snprintf(out + n, 8, "Z"));
    const int zone_min = (zone_s < 0 ? -zone_s : zone_s) / 60;
    return (size_t)(n + snprintf(out + n, 8, "%c%02d:%02d",
                                 zone_s < 0 ? '-' : '+', zone_min / 60 % 100,
                                 zone_min % 60));
}
