/* Distances on the ellipsoid.
 *
 * Plan
 *   golden_*  published distances
 *   there_*   reaching out and measuring agree
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/model/earth.h"
#include "data/source/geodesic.h"

static void golden_distances(void **state)
{
    (void)state;
    // A quarter of the equator is a quarter of its circle.
    assert_true(fabs(om_geodesic_m(0, 0, 90, 0) - OM_PI / 2 * OM_WGS84_A_M) <
                1e-6);
    // Pole to equator: Karney (2013), the quarter meridian of WGS 84.
    assert_true(fabs(om_geodesic_m(113, 90, 113, 0) - 10001965.729) < 1e-3);
    // GeographicLib's own example: JFK to LHR.
    assert_true(fabs(om_geodesic_m(-73.8, 40.6, -0.5, 51.6) - 5551759.400) <
                1e-3);
    assert_true(om_geodesic_m(113.7, 23, 113.7, 23) == 0.0);
    assert_true(isnan(om_geodesic_m(NAN, 23, 113.7, 23)));
}

static void there_and_measured_agree(void **state)
{
    (void)state;
    for (int azimuth = 0; azimuth < 360; azimuth += 7)
        for (double m = 0.5; m < 2e7; m *= 9) {
            double lon, lat;
            om_geodesic_reach(113.7, 23, azimuth, m, &lon, &lat);
            const double back_m = om_geodesic_m(113.7, 23, lon, lat);
            assert_true(fabs(back_m - m) < 1e-7);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_distances),
        cmocka_unit_test(there_and_measured_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
