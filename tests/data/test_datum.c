/* GCJ-02 and BD-09.
 *
 * Plan
 *   golden_*   forward and inverse agree with tests/golden/datum.txt
 *   inverse_*  there and back is where it was, all over the box
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/model/earth.h"
#include "data/source/datum.h"
#include "data/source/geodesic.h"

/* 1 cm is what the product promises; this is a thousandth of it. */
#define BACK_M 1e-5

static FILE *open_golden(void)
{
    static const char NAME[] = "tests/golden/datum.txt";
    FILE *file = fopen(NAME, "r");
    if (file) return file;
    // The program may run from its own folder: up from this source file.
    char path[600];
    const char *slash = strstr(__FILE__, "tests/data/");
    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - __FILE__) : 0,
             __FILE__, NAME);
    return fopen(path, "r");
}

static void golden_values_forward_and_back(void **state)
{
    (void)state;
    FILE *file = open_golden();
    assert_non_null(file);
    char line[300], word[100];
    double lon = 0, lat = 0, x, y, tolerance_deg = 0;
    int bd09 = 0, cases = 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "operation %99s", word) == 1)
            bd09 = strcmp(word, "bd09") == 0;
        if (sscanf(line, "tolerance %lf", &x) == 1) tolerance_deg = x;
        if (sscanf(line, "accept %lf %lf", &x, &y) == 2) {
            lon = x;
            lat = y;
        }
        if (sscanf(line, "expect %lf %lf", &x, &y) != 2) continue;
        double to_lon = lon, to_lat = lat;
        (bd09 ? om_datum_to_bd09 : om_datum_to_gcj02)(&to_lon, &to_lat);
        if (fabs(to_lon - x) > tolerance_deg ||
            fabs(to_lat - y) > tolerance_deg)
            fail_msg("%.9f %.9f became %.13f %.13f", lon, lat, to_lon, to_lat);
        (bd09 ? om_datum_from_bd09 : om_datum_from_gcj02)(&x, &y, 1);
        assert_true(om_geodesic_m(x, y, lon, lat) < 0.001);
        cases++;
    }
    fclose(file);
    assert_true(cases >= 30);
}

static void inverse_returns_all_over_the_box(void **state)
{
    (void)state;
    for (double lon = 72.7; lon < 137.4; lon += 0.53)
        for (double lat = 1.4; lat < 55.4; lat += 0.47) {
            double x = lon, y = lat;
            om_datum_to_gcj02(&x, &y);
            om_datum_from_gcj02(&x, &y, 1);
            assert_true(om_geodesic_m(x, y, lon, lat) < BACK_M);
            x = lon;
            y = lat;
            om_datum_to_bd09(&x, &y);
            om_datum_from_bd09(&x, &y, 1);
            assert_true(om_geodesic_m(x, y, lon, lat) < BACK_M);
        }
}

static void inverse_leaves_what_is_no_place(void **state)
{
    (void)state;
    double lon[] = {NAN, 0.0, 500.0}, lat[] = {23.0, 0.0, INFINITY};
    om_datum_from_gcj02(lon, lat, 3);
    om_datum_from_bd09(lon, lat, 3);
    assert_true(isnan(lon[0]) && lat[0] == 23.0);
    assert_true(lon[1] == 0.0 && lat[1] == 0.0);
    assert_true(lon[2] == 500.0 && isinf(lat[2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_values_forward_and_back),
        cmocka_unit_test(inverse_returns_all_over_the_box),
        cmocka_unit_test(inverse_leaves_what_is_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
