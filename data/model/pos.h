// pos.h - a position: a cell of the 2^32 x 2^32 web mercator grid.
#ifndef OM_DATA_MODEL_POS_H
#define OM_DATA_MODEL_POS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"
#include "data/model/earth.h"

/* x grows eastward from longitude -180, y grows southward from the northern
 * edge, as XYZ tiles do: the tile z/x/y holds exactly the positions whose top
 * z bits of x and y are its numbers. A cell is half open; its size is under
 * 1 cm anywhere. */
struct om_pos {
    uint32_t x, y;
};

/* Half-open box of positions would not reach the last row and column, so the
 * ends are inclusive: x0 <= x <= x1, y0 <= y <= y1 (y grows southward). */
struct om_box {
    uint32_t x0, y0, x1, y1;
};

/** A box of nothing, to be widened: x0 > x1. */
#define OM_BOX_NONE ((struct om_box){UINT32_MAX, UINT32_MAX, 0, 0})
static inline void om_box_widen(struct om_box *box, struct om_box with)
{
    if (with.x0 < box->x0) box->x0 = with.x0;
    if (with.y0 < box->y0) box->y0 = with.y0;
    if (with.x1 > box->x1) box->x1 = with.x1;
    if (with.y1 > box->y1) box->y1 = with.y1;
}

/**
 * Position of a longitude and latitude.
 *
 * units    WGS 84 degrees, x = lon, y = lat; longitude 180 is the last column
 * returns  OM_E_COORD if not finite, |lon| > 180, or |lat| beyond the square
 *          (atan(sinh(pi)), about 85.05)
 * cost     two transcendental calls
 */
om_status om_pos_from_lonlat(double lon_deg, double lat_deg,
                             struct om_pos *out);
/** The same without rounding, in grid cells from the north-west corner; for
 *  geometry that still has to be noded. */
om_status om_pos_world(double lon_deg, double lat_deg, double *x, double *y);
/** Longitude and latitude of the centre of a cell. Never fails. */
void om_pos_to_lonlat(struct om_pos pos, double *lon_deg, double *lat_deg);
/** The same for any place on the grid, in cells. */
void om_world_to_lonlat(double x, double y, double *lon_deg, double *lat_deg);
/** Ground metres per grid cell at row y (in cells): the mercator scale
 *  removed, on the sphere of EPSG:3857's radius. Shared by fields and boxes;
 *  distances that users see are geodesics (engine/query/ground.h). */
double om_world_ground_m(double y);

/** Morton code: bit 2k is bit k of x, bit 2k+1 is bit k of y. */
static inline uint64_t om_morton_spread(uint32_t v)
{
    uint64_t s = v;
    s = (s | s << 16) & UINT64_C(0x0000FFFF0000FFFF);
    s = (s | s << 8) & UINT64_C(0x00FF00FF00FF00FF);
    s = (s | s << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    s = (s | s << 2) & UINT64_C(0x3333333333333333);
    return (s | s << 1) & UINT64_C(0x5555555555555555);
}
static inline uint32_t om_morton_squeeze(uint64_t s)
{
    s &= UINT64_C(0x5555555555555555);
    s = (s | s >> 1) & UINT64_C(0x3333333333333333);
    s = (s | s >> 2) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    s = (s | s >> 4) & UINT64_C(0x00FF00FF00FF00FF);
    s = (s | s >> 8) & UINT64_C(0x0000FFFF0000FFFF);
    return (uint32_t)(s | s >> 16);
}
static inline uint64_t om_morton(struct om_pos pos)
{
    return om_morton_spread(pos.x) | om_morton_spread(pos.y) << 1;
}
static inline struct om_pos om_morton_pos(uint64_t code)
{
    return (struct om_pos){om_morton_squeeze(code),
                           om_morton_squeeze(code >> 1)};
}

#endif
