// sample.c - the checks that a wrong coordinate system cannot pass.
#include "data/source/sample.h"

#include <math.h>
#include <string.h>

#include "data/base/log.h"

/* Outside the area of a system by more than this is no edge effect. */
#define AREA_MARGIN_DEG 3.0

void om__extent_add(struct om__extent *extent, double x, double y)
{
    if (!isfinite(x) || !isfinite(y) || (x == 0.0 && y == 0.0)) return;
    if (extent->count == 0) {
        extent->x0 = extent->x1 = x;
        extent->y0 = extent->y1 = y;
    }
    if (extent->count < OM__EXTENT_SOME) {
        extent->some_x[extent->count] = x;
        extent->some_y[extent->count] = y;
    }
    extent->x0 = fmin(extent->x0, x);
    extent->y0 = fmin(extent->y0, y);
    extent->x1 = fmax(extent->x1, x);
    extent->y1 = fmax(extent->y1, y);
    extent->count++;
    if (fabs(x) <= 180.0 && fabs(y) <= 90.0) {
        extent->degrees++;
        return;
    }
    if (extent->count - extent->degrees == 1) {  // the first of its kind
        extent->odd_x = x;
        extent->odd_y = y;
    }
    if (fabs(x) <= 90.0 && fabs(y) <= 180.0) extent->swapped++;
}

bool om__extent_zero_is_missing(const struct om__extent *e)
{
    return !(e->x0 <= 0.0 && e->x1 >= 0.0 && e->y0 <= 0.0 && e->y1 >= 0.0) ||
           e->count == 0;
}

static om_status check_degrees(const struct om__extent *e, const char *path,
                               const struct om__crs *crs, bool said,
                               struct om_err *err)
{
    if (e->swapped * 2 > e->count)
        return om_fail(err, OM_E_CRS, 0,
                       "%s: x and y are swapped: %.10g %.10g is latitude, "
                       "longitude (exchange them, e.g. with --x and --y)",
                       path, e->odd_x, e->odd_y);
    if (e->degrees * 2 >= e->count) return OM_OK;
    return om_fail(err, OM_E_CRS, 0,
                   "%s: %s, but %.10g %.10g are no degrees (give --crs, e.g. "
                   "EPSG:4547)",
                   path, said ? om__crs_name(crs) : "no coordinate system said",
                   e->odd_x, e->odd_y);
}

/* The kept positions through the transformation: most must come out, and then
 * the first that does should be where the system is made for. */
static om_status check_metres(const struct om__extent *e, const char *path,
                              struct om__crs *crs, struct om_err *err)
{
    const size_t n = e->count < OM__EXTENT_SOME ? e->count : OM__EXTENT_SOME;
    double x[OM__EXTENT_SOME], y[OM__EXTENT_SOME];
    memcpy(x, e->some_x, n * sizeof *x);
    memcpy(y, e->some_y, n * sizeof *y);
    if (om__crs_to_lonlat(crs, 0, x, y, n)) return OM_E_MEMORY;
    double west, south, east, north;
    const bool area = om__crs_area(crs, &west, &south, &east, &north);
    size_t failed = 0, outside = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]))
            failed++;
        else if (area && (x[i] < west - AREA_MARGIN_DEG ||
                          x[i] > east + AREA_MARGIN_DEG ||
                          y[i] < south - AREA_MARGIN_DEG ||
                          y[i] > north + AREA_MARGIN_DEG))
            outside++;
    }
    if (failed * 2 > n)
        return om_fail(err, OM_E_CRS, 0,
                       "%s: %.10g %.10g is no place of %s (give another --crs)",
                       path, e->some_x[0], e->some_y[0], om__crs_name(crs));
    if (outside * 2 > n)
        om_log(OM_LOG_WARN, "source",
               "%s: %.10g %.10g becomes %.6f %.6f, outside of the area that "
               "%s is made for (is --crs right?)",
               path, e->some_x[0], e->some_y[0], x[0], y[0], om__crs_name(crs));
    return OM_OK;
}

om_status om__extent_check(const struct om__extent *extent, const char *path,
                           struct om__crs *crs, bool said, struct om_err *err)
{
    if (extent->count == 0) return OM_OK;
    if (om__crs_is_degrees(crs))
        return check_degrees(extent, path, crs, said, err);
    if (extent->degrees * 2 > extent->count)
        return om_fail(err, OM_E_CRS, 0,
                       "%s: %s, but %.10g %.10g are degrees (give --crs, e.g. "
                       "EPSG:4490)",
                       path, om__crs_name(crs), extent->some_x[0],
                       extent->some_y[0]);
    return check_metres(extent, path, crs, err);
}
