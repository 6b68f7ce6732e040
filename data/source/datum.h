// datum.h - GCJ-02 and BD-09, the offsets of Chinese web maps, taken out.
#ifndef OM_DATA_SOURCE_DATUM_H
#define OM_DATA_SOURCE_DATUM_H

#include <stdbool.h>
#include <stddef.h>

/**
 * WGS 84 of positions that a web map gave as GCJ-02 (AMap, Tencent) or BD-09
 * (Baidu), in place. Inward only: the product hands nothing out in them.
 *
 * The published formula is the forward one; it is inverted by iteration until
 * a step is below 1e-10 degrees, so that forward(inverse(x)) is x within
 * 0.1 mm. Outside the box in which the offset is defined (72.004 to 137.8347
 * E, 0.8293 to 55.8271 N) positions are what they were. NaN stays NaN.
 *
 * units    degrees, x = longitude
 * threads  any
 * cost     about 4 rounds of the formula
 * source   the "eviltransform" formula as published by
 *          github.com/googollee/eviltransform (MIT)
 * test     tests/data/test_datum.c, tests/golden/datum.txt
 */
void om_datum_from_gcj02(double *lon_deg, double *lat_deg, size_t n);
void om_datum_from_bd09(double *lon_deg, double *lat_deg, size_t n);

/** Is there an offset at all? */
bool om_datum_in_china(double lon_deg, double lat_deg);
/** The forward formulas, for the iteration and for tests. */
void om_datum_to_gcj02(double *lon_deg, double *lat_deg);
void om_datum_to_bd09(double *lon_deg, double *lat_deg);

#endif
