/* Moments, dates and intervals.
 *
 * Plan
 *   days_*      day numbers against the C library, and there and back
 *   parse_*     what is read, and what is refused
 *   interval_*  FROM/TO
 *   format_*    written and read again
 *   moment_*    the forms that files use (data/source/moment.h)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "data/model/time.h"
#include "data/source/moment.h"

#define ZONE_S OM_TIME_ZONE_S
#define REFUSED INT64_MIN

static void days_are_those_of_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -200000; day < 200000; day += 37) {
        const time_t t = (time_t)(day * 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(
            om_time_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1,
                         (unsigned)tm.tm_mday),
            day);
    }
    for (int64_t day = -1000000; day < 1000000; day += 11) {
        int64_t year;
        unsigned month, in_month;
        om_time_date(day, &year, &month, &in_month);
        assert_int_equal(om_time_days(year, month, in_month), day);
    }
}

static int64_t parse(const char *text)
{
    int64_t utc_s = 0;
    return om_time_parse(text, strlen(text), ZONE_S, &utc_s) ? REFUSED : utc_s;
}

static void parse_reads_the_usual_forms(void **state)
{
    (void)state;
    assert_int_equal(parse("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parse("1970-01-01"), -ZONE_S);
    assert_int_equal(parse("2023-06-26T14:05:31+08:00"), 1687759531);
    assert_int_equal(parse("2023-06-26T14:05:31"), 1687759531);
    assert_int_equal(parse("2023-06-26 06:05:31.999Z"), 1687759531);
    assert_int_equal(parse("2023/6/26 14:05"), 1687759500);
    assert_int_equal(parse("20230626140531"), 1687759531);
    assert_int_equal(parse("20230626"), 1687708800);
    assert_int_equal(parse("2023-06-26T24:00:00"), parse("2023-06-27"));
    assert_int_equal(parse("2024-02-29"), parse("2024-02-28") + 86400);
    assert_int_equal(parse("2023-06-26T14:05:31-0330"), 1687800931);
}

static void parse_refuses_what_is_no_moment(void **state)
{
    (void)state;
    static const char *const TEXT[] = {"",
                                       "2023",
                                       "2023-06",
                                       "2023-13-01",
                                       "2023-02-29",
                                       "2023-06-31",
                                       "2023-06-26T",
                                       "2023-06-26T25:00",
                                       "2023-06-26T12:60",
                                       "2023-06-26T24:01",
                                       "2023-06-26X",
                                       "x2023-06-26",
                                       "2023-06-26T12:00+",
                                       "2023-06-26T12:00+25:00",
                                       "2023-06/26",
                                       "2023-06-26T12:00:00 ",
                                       "26/06/2023"};
    for (size_t i = 0; i < sizeof TEXT / sizeof *TEXT; i++)
        if (parse(TEXT[i]) != REFUSED) fail_msg("taken: %s", TEXT[i]);
}

static void assert_interval(const char *text, int64_t from_s, int64_t to_s)
{
    int64_t from, to;
    if (om_time_parse_interval(text, strlen(text), ZONE_S, &from, &to))
        fail_msg("refused: %s", text);
    assert_int_equal(from, from_s);
    assert_int_equal(to, to_s);
}

static void interval_has_its_last_day_in_it(void **state)
{
    (void)state;
    const int64_t june = parse("2023-06-01"), july = parse("2023-07-01");
    assert_interval("2023-06", june, july);
    assert_interval("2023-06-01/2023-06-30", june, july);
    assert_interval("2023-06/2023-06", june, july);
    assert_interval("2023-06-01/..", june, INT64_MAX);
    assert_interval("../2023-06-30", INT64_MIN, july);
    assert_interval("/2023-06-30", INT64_MIN, july);
    assert_interval("2023-06-01T00:00:00/2023-07-01T00:00:00", june, july);
    assert_interval("2023/06/01", june, june + 86400);
    assert_interval("2023/06/01/2023/06/30", june, july);
    int64_t from, to;
    assert_int_equal(
        om_time_parse_interval("2023-08/2023-06", 15, ZONE_S, &from, &to),
        OM_E_RANGE);
    assert_int_equal(om_time_parse_interval("x/y", 3, ZONE_S, &from, &to),
                     OM_E_FORMAT);
}

static void format_reads_back(void **state)
{
    (void)state;
    static const int32_t ZONE[] = {0, ZONE_S, -12600, 20700};
    char text[OM_TIME_TEXT_BYTES];
    for (int64_t t = -INT64_C(60000000000); t < INT64_C(200000000000);
         t += INT64_C(1234567891))
        for (size_t z = 0; z < 4; z++) {
            const size_t len = om_time_format(t, ZONE[z], text);
            assert_int_equal(len, strlen(text));
            assert_int_equal(parse(text), t);
        }
    om_time_format(1687759531, ZONE_S, text);
    assert_string_equal(text, "2023-06-26T14:05:31+08:00");
    om_time_format(0, 0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
}

static int64_t moment(const char *text, enum om_date_order order)
{
    int64_t utc_s = 0;
    return om_moment_parse(text, strlen(text), order, ZONE_S, &utc_s) ? REFUSED
                                                                      : utc_s;
}

static void moment_reads_what_files_hold(void **state)
{
    (void)state;
    const int64_t want = parse("2023-06-05"), at = parse("2023-06-05T08:07:00");
    assert_int_equal(moment("5/6/2023", OM_DATE_DMY), want);
    assert_int_equal(moment("6/5/2023", OM_DATE_MDY), want);
    assert_int_equal(moment("05/06/2023 8:07", OM_DATE_DMY), at);
    assert_int_equal(moment("5.6.2023", OM_DATE_DMY), want);
    assert_int_equal(moment("2023-6-5", OM_DATE_YMD), want);
    assert_int_equal(moment("2023.06.05 08:07", OM_DATE_YMD), at);
    assert_int_equal(moment("2023年6月5日", OM_DATE_YMD), want);
    assert_int_equal(moment("2023年06月05日 8:07:00", OM_DATE_YMD), at);
    assert_int_equal(moment("1687759531", OM_DATE_YMD), 1687759531);
    assert_int_equal(moment("1687759531999", OM_DATE_YMD), 1687759531);
    assert_int_equal(moment("5/6/2023", OM_DATE_YMD), REFUSED);
    assert_int_equal(moment("13/13/2023", OM_DATE_DMY), REFUSED);
    assert_int_equal(moment("5/6/23", OM_DATE_DMY), REFUSED);
    assert_int_equal(moment("2023-6-5 ", OM_DATE_YMD), REFUSED);
    assert_int_equal(moment("12345", OM_DATE_YMD), REFUSED);
    assert_int_equal(moment("", OM_DATE_YMD), REFUSED);
    assert_int_equal(om_moment_epoch(-1500000000000), -1500000000);
    assert_int_equal(om_moment_epoch(-1500000000001), -1500000001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_those_of_the_c_library),
        cmocka_unit_test(parse_reads_the_usual_forms),
        cmocka_unit_test(parse_refuses_what_is_no_moment),
        cmocka_unit_test(interval_has_its_last_day_in_it),
        cmocka_unit_test(format_reads_back),
        cmocka_unit_test(moment_reads_what_files_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
