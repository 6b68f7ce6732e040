// earth.h - constants of nature and of the projections, each with authority.
#ifndef OM_DATA_MODEL_EARTH_H
#define OM_DATA_MODEL_EARTH_H

#define OM_PI 3.14159265358979323846
#define OM_RAD_PER_DEG (OM_PI / 180.0)
#define OM_DEG_PER_RAD (180.0 / OM_PI)

/** WGS 84 semi-major axis. EPSG ellipsoid 7030; exact by definition. */
#define OM_WGS84_A_M 6378137.0
/** WGS 84 inverse flattening. EPSG ellipsoid 7030; exact by definition. */
#define OM_WGS84_RF 298.257223563
#define OM_WGS84_F (1.0 / OM_WGS84_RF)
/** First eccentricity squared. */
#define OM_WGS84_E2 (OM_WGS84_F * (2.0 - OM_WGS84_F))

/** Side of the web mercator square, EPSG:3857, in its metres. */
#define OM_MERCATOR_SIDE_M (2.0 * OM_PI * OM_WGS84_A_M)
/** Cells of our grid along one side of that square: 2^32. */
#define OM_POS_SIDE 4294967296.0
/** One cell of our grid in EPSG:3857 metres: 9.3 mm at the equator. */
#define OM_POS_CELL_M (OM_MERCATOR_SIDE_M / OM_POS_SIDE)

#endif
