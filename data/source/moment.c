// moment.c - bring a date into the one form that om_time_parse reads.
#include "data/source/moment.h"

#include <stdio.h>
#include <string.h>

#include "data/model/time.h"

/* Seconds since 1970 beyond this are the year 5138; milliseconds below it are
 * 1973: a number is read as what makes it a date people write. */
#define EPOCH_MS_FROM INT64_C(100000000000)
/* The longest moment: a date with separators of three bytes, a clock with a
 * fraction, a zone. */
#define MOMENT_BYTES 64

int64_t om_moment_epoch(int64_t number)
{
    if (number < EPOCH_MS_FROM && number > -EPOCH_MS_FROM) return number;
    const int64_t second = number / 1000;
    return number % 1000 < 0 ? second - 1 : second;
}

struct head {
    const char *at, *end;
};

static bool take_number(struct head *h, unsigned *out, unsigned *digits)
{
    unsigned n = 0, d = 0;
    while (h->at < h->end && *h->at >= '0' && *h->at <= '9' && d < 5) {
        n = n * 10 + (unsigned)(*h->at++ - '0');
        d++;
    }
    *out = n;
    *digits = d;
    return d > 0;
}

static bool take_word(struct head *h, const char *word)
{
    const size_t len = strlen(word);
    if ((size_t)(h->end - h->at) < len || memcmp(h->at, word, len) != 0)
        return false;
    h->at += len;
    return true;
}

/* One of the separators of a date; the same one must follow the month. */
static const char *take_separator(struct head *h)
{
    static const char *const WORD[] = {"-", "/", ".", "年"};
    for (size_t i = 0; i < sizeof WORD / sizeof *WORD; i++)
        if (take_word(h, WORD[i])) return WORD[i];
    return NULL;
}

static bool take_date(struct head *h, enum om_date_order order, unsigned ymd[3])
{
    unsigned part[3], digits[3];
    if (!take_number(h, &part[0], &digits[0])) return false;
    const char *separator = take_separator(h);
    if (!separator || !take_number(h, &part[1], &digits[1])) return false;
    const bool chinese = strcmp(separator, "年") == 0;
    if (!take_word(h, chinese ? "月" : separator)) return false;
    if (!take_number(h, &part[2], &digits[2])) return false;
    if (chinese && !take_word(h, "日")) return false;
    if (digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2) {
        memcpy(ymd, part, sizeof part);
        return true;
    }
    if (order == OM_DATE_YMD || chinese) return false;
    if (digits[0] > 2 || digits[1] > 2 || digits[2] != 4) return false;
    ymd[0] = part[2];
    ymd[1] = order == OM_DATE_DMY ? part[1] : part[0];
    ymd[2] = order == OM_DATE_DMY ? part[0] : part[1];
    return true;
}

static bool all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    return true;
}

static om_status parse_epoch(const char *text, size_t len, int64_t *utc_s)
{
    if (len < 9 || len == 11 || len > 13) return OM_E_FORMAT;
    int64_t n = 0;
    for (size_t i = 0; i < len; i++) n = n * 10 + (text[i] - '0');
    *utc_s = om_moment_epoch(n);
    return OM_OK;
}

om_status om_moment_parse(const char *text, size_t len,
                          enum om_date_order order, int32_t zone_s,
                          int64_t *utc_s)
{
    if (om_time_parse(text, len, zone_s, utc_s) == OM_OK) return OM_OK;
    if (all_digits(text, len)) return parse_epoch(text, len, utc_s);
    struct head h = {text, text + len};
    unsigned ymd[3];
    if (!take_date(&h, order, ymd)) return OM_E_FORMAT;
    char plain[MOMENT_BYTES];
    int n =
        snprintf(plain, sizeof plain, "%04u-%02u-%02u", ymd[0], ymd[1], ymd[2]);
    if (h.at < h.end) {  // a clock, its hour perhaps of one digit
        if (*h.at == ' ' || *h.at == 'T') h.at++;
        const size_t rest = (size_t)(h.end - h.at);
        const bool one = rest >= 2 && h.at[1] == ':';
        if (rest == 0 || (size_t)n + 2 + rest >= sizeof plain)
            return OM_E_FORMAT;
        n += snprintf(plain + n, sizeof plain - (size_t)n, "T%s%.*s",
                      one ? "0" : "", (int)rest, h.at);
    }
    return om_time_parse(plain, (size_t)n, zone_s, utc_s);
}
