/* matrix_sets.c - the tile matrix sets: web mercator, and degrees of CGCS2000
 * as Tianditu and others number them (from 1, two tiles wide and one high).
 *
 * Both are 2^n tiles wide at n, so that a column of tiles spans the same
 * longitudes in both.
 */
#include <math.h>
#include <string.h>

#include "web/server/maps.h"

#define TMS "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
#define CRS "http://www.opengis.net/def/crs/EPSG/0/"
/* Metres of a pixel on OGC's screen (17-083r4, 6.1.1.1). */
#define PIXEL_M 0.00028

static const struct om__matrix_set SET[] = {
    {.id = "WebMercatorQuad",
     .title = "Google Maps Compatible for the World",
     .uri = TMS "WebMercatorQuad",
     .crs = CRS "3857",
     .scales = "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
     .axes = "[\"X\",\"Y\"]",
     .origin = "[-20037508.342789244,20037508.342789244]",
     .first = 0,
     .last = OM_TILE_ZOOM_MAX},
    {.id = "CGCS2000Quad",
     .title = "CGCS2000 degrees, numbered as Tianditu does",
     .crs = CRS "4490",
     .axes = "[\"Lat\",\"Lon\"]",
     .origin = "[90,-180]",
     .first = 1,
     .last = OM_TILE_ZOOM_MAX,
     .degrees = true},
};
#define SETS (sizeof SET / sizeof *SET)

const struct om__matrix_set *om__matrix_set_at(size_t i)
{
    return i < SETS ? &SET[i] : NULL;
}

const struct om__matrix_set *om__matrix_set_find(const char *id)
{
    for (size_t i = 0; i < SETS; i++)
        if (!strcmp(SET[i].id, id)) return &SET[i];
    return NULL;
}

uint64_t om__matrix_width(unsigned z)
{
    return UINT64_C(1) << z;
}

uint64_t om__matrix_height(const struct om__matrix_set *set, unsigned z)
{
    return UINT64_C(1) << (set->degrees ? z - 1 : z);
}

double om__matrix_cell(const struct om__matrix_set *set, unsigned z)
{
    const double side = set->degrees ? 360.0 : OM_MERCATOR_SIDE_M;
    return ldexp(side / OM_TILE_SIDE_PX, -(int)z);
}

double om__matrix_scale(const struct om__matrix_set *set, unsigned z)
{
    const double metres = set->degrees ? OM_MERCATOR_SIDE_M / 360.0 : 1.0;
    return om__matrix_cell(set, z) * metres / PIXEL_M;
}

static uint64_t clip(double tile, uint64_t count)
{
    if (!(tile > 0)) return 0;
    return tile >= (double)count ? count - 1 : (uint64_t)tile;
}

struct om__tile_limits om__matrix_limits(const struct om__matrix_set *set,
                                         unsigned z, const double b[4])
{
    const uint64_t width = om__matrix_width(z);
    const uint64_t height = om__matrix_height(set, z);
    double north, south;
    if (set->degrees) {
        north = (90.0 - b[3]) / 180.0;
        south = (90.0 - b[1]) / 180.0;
    } else {
        north = 0.5 - asinh(tan(b[3] * OM_RAD_PER_DEG)) / (2 * OM_PI);
        south = 0.5 - asinh(tan(b[1] * OM_RAD_PER_DEG)) / (2 * OM_PI);
    }
    return (struct om__tile_limits){
        .row0 = clip(north * (double)height, height),
        .row1 = clip(south * (double)height, height),
        .col0 = clip((b[0] + 180) / 360 * (double)width, width),
        .col1 = clip((b[2] + 180) / 360 * (double)width, width)};
}
