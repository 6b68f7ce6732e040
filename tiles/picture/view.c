// view.c - boxes and scales of views.
#include "tiles/picture/view.h"

#include <math.h>

#define POSITIONS ((int64_t)1 << 32)

double om_view_zoom(const struct om_view *view)
{
    return log2((double)view->world / (256.0 * 256.0 * view->ratio));
}

/* First position at or behind 1/256 pixel `at` of the world. */
static int64_t position_of(uint64_t world, int64_t at)
{
    if (at <= 0) return 0;
    if ((uint64_t)at >= world) return POSITIONS;
    __extension__ typedef unsigned __int128 wide;
    return (int64_t)((((wide)(uint64_t)at << 32) + world - 1) / world);
}

struct om_box om_view_box(const struct om_view *view, unsigned margin_px)
{
    const int64_t m = margin_px;
    const int64_t x0 = position_of(view->world, (view->x - m) * 256);
    const int64_t y0 = position_of(view->world, (view->y - m) * 256);
    const int64_t x1 =
        position_of(view->world, (view->x + view->width + m) * 256) - 1;
    const int64_t y1 =
        position_of(view->world, (view->y + view->height + m) * 256) - 1;
    if (x1 < x0 || y1 < y0) return OM_BOX_NONE;
    return (struct om_box){(uint32_t)x0, (uint32_t)y0, (uint32_t)x1,
                           (uint32_t)y1};
}

double om_view_px_per_m(const struct om_view *view)
{
    const double cells_per_px = OM_POS_SIDE * 256.0 / (double)view->world;
    const double middle = (double)view->y + view->height / 2.0;
    const double row = fmin(fmax(middle * cells_per_px, 0.0), OM_POS_SIDE);
    return 1.0 / (cells_per_px * om_world_ground_m(row));
}
