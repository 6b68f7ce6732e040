/* Systems that answers are given in.
 *
 * Plan
 *   names_*   every way of writing a system finds it, others find none
 *   oracle_*  what comes out is what PROJ says, there and back
 *   fault_*   no memory is told
 */
#include <math.h>
#include <proj.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/source/project.h"

static void names_find_their_system(void **state)
{
    (void)state;
    static const char *const SAME[][2] = {
        {"EPSG:4547", "EPSG:4547"},
        {"epsg:4547", "EPSG:4547"},
        {"[EPSG:4547]", "EPSG:4547"},
        {"http://www.opengis.net/def/crs/EPSG/0/4547", "EPSG:4547"},
        {"https://www.opengis.net/def/crs/EPSG/0/4490", "EPSG:4490"},
        {"urn:ogc:def:crs:EPSG::4490", "EPSG:4490"},
        {"urn:ogc:def:crs:EPSG:6.18:3857", "EPSG:3857"},
        {"urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"},
        {"http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84"},
    };
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        const struct om_system *s = om_system_find(SAME[i][0]);
        assert_non_null(s);
        assert_string_equal(s->code, SAME[i][1]);
    }
    static const char *const NONE[] = {
        "",          "4547",
        "EPSG:4548", "EPSG:",
        "[]",        "urn:ogc:def:crs:EPSG::",
        "[EPSG:1]",  "urn:ogc:def:crs:EPSG",
        "https://",  "http://www.opengis.net/def/crs/EPSG/0/45470",
        "GCJ02",     "urn:ogc:def:crs:OGC::4490",
    };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_null(om_system_find(NONE[i]));
    size_t n = 0;
    while (om_system_at(n)) n++;
    assert_int_equal(n, 5);
    assert_string_equal(om_system_at(0)->code, "OGC:CRS84");
}

/* PROJ with the authority's axes: what north_first says is true too. */
static void check_system(PJ_CONTEXT *context, const struct om_system *s)
{
    struct om_project *p = NULL;
    PJ *pj = proj_create_crs_to_crs(context, "OGC:CRS84", s->code, NULL);
    assert_non_null(pj);
    assert_int_equal(om_project_open(s, &p), OM_OK);
    assert_ptr_equal(om_project_system(p), s);
    const double tolerance = s->degrees ? 1e-12 : 1e-6;
    for (double lon = 112.6; lon < 115.5; lon += 0.31)
        for (double lat = 21.9; lat < 24.2; lat += 0.27) {
            double x = lon, y = lat;
            const PJ_COORD out =
                proj_trans(pj, PJ_FWD, proj_coord(lon, lat, 0, 0));
            assert_int_equal(om_project_from_lonlat(p, &x, &y, 1), OM_OK);
            const double east = s->north_first ? out.xy.y : out.xy.x;
            const double north = s->north_first ? out.xy.x : out.xy.y;
            if (fabs(x - east) > tolerance || fabs(y - north) > tolerance)
                fail_msg("%s: %.9f %.9f, PROJ %.9f %.9f", s->code, x, y, east,
                         north);
            assert_int_equal(om_project_to_lonlat(p, &x, &y, 1), OM_OK);
            assert_true(fabs(x - lon) < 1e-10 && fabs(y - lat) < 1e-10);
        }
    om_project_close(p);
    proj_destroy(pj);
}

static void oracle_is_proj_there_and_back(void **state)
{
    (void)state;
    PJ_CONTEXT *context = proj_context_create();
    for (size_t i = 0; om_system_at(i); i++)
        check_system(context, om_system_at(i));
    proj_context_destroy(context);
}

static void oracle_has_no_image_far_away(void **state)
{
    (void)state;
    struct om_project *p = NULL;
    assert_int_equal(om_project_open(om_system_find("EPSG:4547"), &p), OM_OK);
    double x[] = {204, 113.7}, y[] = {0, 22.9};
    assert_int_equal(om_project_from_lonlat(p, x, y, 2), OM_OK);
    assert_true(isnan(x[0]) && isnan(y[0]));
    assert_true(x[1] > 400000 && x[1] < 600000);
    om_project_close(p);
    om_project_close(NULL);
}

static void fault_no_memory_is_told(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_project *p = NULL;
        om_alloc_fail_after(n, true);
        const om_status st = om_project_open(om_system_find("EPSG:4547"), &p);
        om_alloc_fail_after(0, false);
        om_project_close(p);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_find_their_system),
        cmocka_unit_test(oracle_is_proj_there_and_back),
        cmocka_unit_test(oracle_has_no_image_far_away),
        cmocka_unit_test(fault_no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
