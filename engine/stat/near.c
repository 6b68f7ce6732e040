// near.c - buckets of places, and the metric between them.
#include "engine/stat/near.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/model/earth.h"
#include "data/model/pos.h"
#include "engine/query/ground.h"

/* More buckets than this for each place are only memory. */
#define BUCKETS_A_SITE 4.0

void om__near_site_init(struct om__near_site *site, double x, double y)
{
    double lon_deg, lat_deg;
    om_world_to_lonlat(x, y, &lon_deg, &lat_deg);
    const double sine = sin(lat_deg * OM_RAD_PER_DEG);
    const double cosine = cos(lat_deg * OM_RAD_PER_DEG);
    const double w2 = 1.0 - OM_WGS84_E2 * sine * sine;
    const double across_m = OM_WGS84_A_M / sqrt(w2);  // prime vertical
    const double along_m = across_m * (1.0 - OM_WGS84_E2) / w2;  // meridian
    const double cell_rad = 2.0 * OM_PI / OM_POS_SIDE;
    // Web mercator is conformal on the sphere: dlat = cos(lat) dy.
    *site = (struct om__near_site){.x = x,
                                   .y = y,
                                   .x_m = across_m * cosine * cell_rad,
                                   .y_m = along_m * cosine * cell_rad};
}

double om__near_exact_m(const struct om__near_site *a,
                        const struct om__near_site *b)
{
    double lon[2], lat[2];
    om_world_to_lonlat(a->x, a->y, &lon[0], &lat[0]);
    om_world_to_lonlat(b->x, b->y, &lon[1], &lat[1]);
    return om_ground_lonlat_m(lon[0], lat[0], lon[1], lat[1]);
}

void om__near_deinit(struct om__near *near)
{
    om_free(near->site);
    om_free(near->index);
    om_free(near->first);
    *near = (struct om__near){0};
}

static void measure(struct om__near *near, const double *x, const double *y,
                    double *east, double *south)
{
    *east = near->west = x[0];
    *south = near->north = y[0];
    for (size_t i = 1; i < near->count; i++) {
        near->west = fmin(near->west, x[i]);
        near->north = fmin(near->north, y[i]);
        *east = fmax(*east, x[i]);
        *south = fmax(*south, y[i]);
    }
    // Cells are largest where the equator is nearest, smallest at the far end.
    const double ends[] = {near->north, *south,
                           fmin(fmax(near->north, OM_POS_SIDE / 2), *south)};
    near->least_m = INFINITY;
    for (int k = 0; k < 3; k++) {
        struct om__near_site site;
        om__near_site_init(&site, near->west, ends[k]);
        near->least_m = fmin(near->least_m, fmin(site.x_m, site.y_m));
        near->most_m = fmax(near->most_m, fmax(site.x_m, site.y_m));
    }
}

static void lay_out(struct om__near *near, double east, double south,
                    double side_m)
{
    const double wide = east - near->west, high = south - near->north;
    const double most = BUCKETS_A_SITE * (double)near->count + 16;
    near->side = fmax(side_m / near->most_m, 1e-3);
    if ((wide / near->side + 1) * (high / near->side + 1) > most)
        near->side = fmax(near->side, fmax(sqrt(wide * high / most) * 1.01,
                                           fmax(wide, high) / most * 2));
    near->cols = (size_t)(wide / near->side) + 1;
    near->rows = (size_t)(high / near->side) + 1;
}

static void fill(struct om__near *near, const double *x, const double *y)
{
    size_t *first = near->first;
    const size_t buckets = near->cols * near->rows;
    for (size_t i = 0; i < near->count; i++)
        first[om__near_row(near, y[i]) * near->cols +
              om__near_col(near, x[i])]++;
    size_t sum = 0;
    for (size_t b = 0; b <= buckets; b++) {
        const size_t n = first[b];
        first[b] = sum;
        sum += n;
    }
    for (size_t i = 0; i < near->count; i++) {
        const size_t b =
            om__near_row(near, y[i]) * near->cols + om__near_col(near, x[i]);
        const size_t at = first[b]++;
        om__near_site_init(&near->site[at], x[i], y[i]);
        near->index[at] = (uint32_t)i;
    }
    // Filling has moved every beginning to its end.
    memmove(first + 1, first, buckets * sizeof *first);
    first[0] = 0;
}

om_status om__near_init(struct om__near *near, const double *x, const double *y,
                        size_t count, double side_m)
{
    *near = (struct om__near){.count = count};
    if (!count) return OM_OK;
    double east, south;
    measure(near, x, y, &east, &south);
    lay_out(near, east, south, side_m);
    near->site = om_alloc_array(count, sizeof *near->site);
    near->index = om_alloc_array(count, sizeof *near->index);
    near->first = om_calloc(near->cols * near->rows + 1, sizeof *near->first);
    if (!near->site || !near->index || !near->first) {
        om__near_deinit(near);
        return OM_E_MEMORY;
    }
    fill(near, x, y);
    return OM_OK;
}
