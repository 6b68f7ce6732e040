/* fuzz_time.c - moments and intervals as people write them; the first byte
 * chooses the zone. What is read is written and read as the same again. */
#include <stdlib.h>

#include "data/model/time.h"
#include "data/source/moment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const char *text = (const char *)data + 1;
    const int32_t zone_s = (data[0] % 37 - 18) * 3600;
    int64_t utc_s, again_s, from_s, to_s;
    char out[OM_TIME_TEXT_BYTES];
    if (!om_time_parse(text, size - 1, zone_s, &utc_s)) {
        // Years of four digits are all that there is to read.
        if (utc_s > om_time_days(1, 1, 2) * 86400 &&
            utc_s < om_time_days(9999, 12, 31) * 86400) {
            const size_t len = om_time_format(utc_s, zone_s, out);
            must(len < sizeof out);
            must(!om_time_parse(out, len, 0, &again_s) && again_s == utc_s);
        }
        must(!om_moment_parse(text, size - 1, OM_DATE_YMD, zone_s, &again_s));
        must(again_s == utc_s);
    }
    if (!om_time_parse_interval(text, size - 1, zone_s, &from_s, &to_s))
        must(from_s < to_s);
    for (int order = OM_DATE_YMD; order <= OM_DATE_MDY; order++)
        (void)!om_moment_parse(text, size - 1, (enum om_date_order)order,
                               zone_s, &utc_s);
    return 0;
}
