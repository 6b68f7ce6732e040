// number.c - numbers from text: exact, and fast for those that people write.
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/source/number.h"

/* A double holds integers up to 2^53 and powers of ten up to 1e22 exactly, so
 * that one multiplication or division of the two rounds once: correctly.
 * source: Clinger (1990), How to read floating point numbers accurately. */
#define EXACT_INTEGER (UINT64_C(1) << 53)
#define EXACT_POWER 22
#define MANTISSA_DIGITS 19
/* Longest number that is read; more digits say nothing any more. */
#define NUMBER_BYTES 120

static const double POWER[EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void trim(const char **text, size_t *len)
{
    while (*len && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*len)--;
    }
    while (*len && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
        (*len)--;
}

om_status om_number_integer(const char *text, size_t len, int64_t *out)
{
    trim(&text, &len);
    const char *at = text, *end = text + len;
    const bool minus = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end || !is_digit(*at)) return OM_E_FORMAT;
    const uint64_t max = (uint64_t)INT64_MAX + (minus ? 1 : 0);
    uint64_t n = 0;
    for (; at < end && is_digit(*at); at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (n > (max - digit) / 10) return OM_E_RANGE;
        n = n * 10 + digit;
    }
    if (at < end && *at == '.')
        for (at++; at < end && *at == '0';) at++;
    if (at != end) return OM_E_FORMAT;
    *out = minus ? (int64_t)(0 - n) : (int64_t)n;
    return OM_OK;
}

/* strtod on a copy that ends, for what the fast way cannot do. */
static om_status slow_real(const char *text, size_t len, double *out)
{
    char copy[NUMBER_BYTES];
    if (len >= sizeof copy) return OM_E_FORMAT;
    memcpy(copy, text, len);
    copy[len] = '\0';
    char *stop;
    const double value = strtod(copy, &stop);
    if (stop != copy + len) return OM_E_FORMAT;
    if (!isfinite(value)) return OM_E_RANGE;
    *out = value;
    return OM_OK;
}

om_status om_number_real(const char *text, size_t len, double *out)
{
    trim(&text, &len);
    const char *at = text, *end = text + len;
    const bool minus = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    uint64_t mantissa = 0;
    int digits = 0, decimals = 0;
    bool point = false;
    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*at)) break;
        if (digits++ < MANTISSA_DIGITS)
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        decimals += point;
    }
    if (digits == 0) return OM_E_FORMAT;
    const bool exponent = at < end && (*at == 'e' || *at == 'E');
    if (at < end && !exponent) return OM_E_FORMAT;
    if (exponent || digits > MANTISSA_DIGITS || mantissa > EXACT_INTEGER ||
        decimals > EXACT_POWER)
        return slow_real(text, len, out);
    const double value = (double)mantissa / POWER[decimals];
    *out = minus ? -value : value;
    return OM_OK;
}

om_status om_number_boolean(const char *text, size_t len, int64_t *out)
{
    static const char *const NO[] = {"false", "f", "0", "no", "n", "否"};
    static const char *const YES[] = {"true", "t", "1", "yes", "y", "是"};
    trim(&text, &len);
    for (size_t i = 0; i < sizeof NO / sizeof *NO; i++) {
        const bool no =
            len == strlen(NO[i]) && strncasecmp(text, NO[i], len) == 0;
        const bool yes =
            len == strlen(YES[i]) && strncasecmp(text, YES[i], len) == 0;
        if (!no && !yes) continue;
        *out = yes;
        return OM_OK;
    }
    return OM_E_FORMAT;
}
