/* frame.c - a raster's cells, and where they lie on our grid.
 *
 * DESIGN
 * PROJ takes most of a microsecond a place, and a raster has millions. Between
 * two projections of the same ground places bend by some mm over a kilometre,
 * so that we ask for knots that far apart and go straight between them.
 */
#include "data/source/frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/source/crs.h"

#define KNOT_M 1000.0
/* Knots are moved apart until there are no more than that. */
#define KNOTS_MOST ((size_t)4 << 20)
/* Places along a side of the box that say how far it reaches. */
#define SIDE_PLACES 65
/* What the sphere of om_world_ground_m is short of the ellipsoid, and more. */
#define MARGIN_SPARE 1.01
/* A city may lie a little beside its zone. */
#define AREA_SPARE_DEG 6.0

/* Cells of our grid to easting, northing; NaN where there is none. */
static om_status from_grid(struct om__crs *crs, double *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) om_world_to_lonlat(x[i], y[i], &x[i], &y[i]);
    return om__crs_from_lonlat(crs, 0, x, y, n);
}

static om_status to_grid(struct om__crs *crs, double *x, double *y, size_t n)
{
    OM_TRY(om__crs_to_lonlat(crs, 0, x, y, n));
    for (size_t i = 0; i < n; i++) {
        const double lon = x[i], lat = y[i];
        if (om_pos_world(lon, lat, &x[i], &y[i])) x[i] = y[i] = NAN;
    }
    return OM_OK;
}

/* The box in the projection: west, south, east, north. */
static om_status reach_of(struct om__crs *crs, const struct om_box *box,
                          double margin_m, double out[4])
{
    // Ground metres shrink poleward.
    const double ground = fmin(om_world_ground_m(box->y0),
                               om_world_ground_m((double)box->y1 + 1.0));
    const double margin = MARGIN_SPARE * margin_m / ground;
    const double x0 = fmax(box->x0 - margin, 0.0);
    const double y0 = fmax(box->y0 - margin, 0.0);
    const double x1 = fmin(box->x1 + 1.0 + margin, OM_POS_SIDE);
    const double y1 = fmin(box->y1 + 1.0 + margin, OM_POS_SIDE);
    const size_t n = (size_t)SIDE_PLACES * SIDE_PLACES;
    double *x = om_calloc(2 * n, sizeof *x);
    if (!x) return OM_E_MEMORY;
    double *y = x + n;
    for (size_t i = 0; i < n; i++) {
        x[i] = x0 + (x1 - x0) * (double)(i % SIDE_PLACES) / (SIDE_PLACES - 1);
        y[i] = y0 + (y1 - y0) * (double)(i / SIDE_PLACES) / (SIDE_PLACES - 1);
    }
    om_status st = from_grid(crs, x, y, n);
    out[0] = out[1] = INFINITY;
    out[2] = out[3] = -INFINITY;
    for (size_t i = 0; i < n && !st; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) st = OM_E_CRS;
        out[0] = fmin(out[0], x[i]);
        out[1] = fmin(out[1], y[i]);
        out[2] = fmax(out[2], x[i]);
        out[3] = fmax(out[3], y[i]);
    }
    om_free(x);
    return st;
}

static om_status lay_cells(const double reach[4], struct om_frame *f,
                           struct om_err *err)
{
    const double cell = f->cell_m;
    const double west = floor(reach[0] / cell), north = ceil(reach[3] / cell);
    const double columns = fmax(ceil(reach[2] / cell) - west, 1.0);
    const double rows = fmax(north - floor(reach[1] / cell), 1.0);
    if (!(columns * rows <= OM_LIMIT_RASTER_CELLS))
        return om_fail(
            err, OM_E_LIMIT, 0,
            "--cell %g: %.0f x %.0f cells over %.0f x %.0f km are more than "
            "%.0f million (give --cell %.2g or more, or a smaller --bbox)",
            cell, columns, rows, (reach[2] - reach[0]) / 1000.0,
            (reach[3] - reach[1]) / 1000.0, OM_LIMIT_RASTER_CELLS / 1e6,
            1.1 * cell * sqrt(columns * rows / OM_LIMIT_RASTER_CELLS));
    f->west_m = west * cell;
    f->north_m = north * cell;
    f->columns = (size_t)columns;
    f->rows = (size_t)rows;
    return OM_OK;
}

/* The last one is at the frame's edge or beyond it. */
static size_t knots_of(size_t cells, size_t step)
{
    return (cells + step - 1) / step + 1;
}

static om_status ask_knots(struct om__crs *crs, struct om_frame *f)
{
    f->step = f->cell_m < KNOT_M ? (size_t)(KNOT_M / f->cell_m) : 1;
    while (knots_of(f->columns, f->step) * knots_of(f->rows, f->step) >
           KNOTS_MOST)
        f->step *= 2;
    f->knot_columns = knots_of(f->columns, f->step);
    f->knot_rows = knots_of(f->rows, f->step);
    const size_t n = f->knot_columns * f->knot_rows;
    f->knot_x = om_calloc(n, sizeof *f->knot_x);
    f->knot_y = om_calloc(n, sizeof *f->knot_y);
    if (!f->knot_x || !f->knot_y) return OM_E_MEMORY;
    const double apart = (double)f->step * f->cell_m;
    for (size_t i = 0; i < n; i++) {
        f->knot_x[i] = f->west_m + (double)(i % f->knot_columns) * apart;
        f->knot_y[i] = f->north_m - (double)(i / f->knot_columns) * apart;
    }
    OM_TRY(to_grid(crs, f->knot_x, f->knot_y, n));
    for (size_t i = 0; i < n; i++)
        if (!isfinite(f->knot_x[i]) || !isfinite(f->knot_y[i])) return OM_E_CRS;
    return OM_OK;
}

static void middle_of(const struct om_box *box, double *lon, double *lat)
{
    om_world_to_lonlat(((double)box->x0 + box->x1) / 2.0,
                       ((double)box->y0 + box->y1) / 2.0, lon, lat);
}

/* EPSG code of the UTM zone of the box's middle. */
static void name_utm(const struct om_box *box, char *out, size_t room)
{
    double lon, lat;
    middle_of(box, &lon, &lat);
    const int zone = (int)fmin(floor((lon + 180.0) / 6.0), 59.0) + 1;
    snprintf(out, room, "EPSG:%d", (lat < 0.0 ? 32700 : 32600) + zone);
}

/* Is the box's middle anywhere near the area that the projection is made for?
 * Further away metres are none. */
static bool is_near(const struct om__crs *crs, const struct om_box *box)
{
    double west, south, east, north, lon, lat;
    if (!om__crs_area(crs, &west, &south, &east, &north)) return true;
    middle_of(box, &lon, &lat);
    return lon >= west - AREA_SPARE_DEG && lon <= east + AREA_SPARE_DEG &&
           lat >= south - AREA_SPARE_DEG && lat <= north + AREA_SPARE_DEG;
}

static om_status frame_fill(struct om__crs *crs, struct om_box box,
                            double margin_m, struct om_frame *f,
                            struct om_err *err)
{
    double reach[4];
    snprintf(f->name, sizeof f->name, "%s", om__crs_name(crs));
    if (!om__crs_is_metres(crs))
        return om_fail(err, OM_E_CRS, 0,
                       "--crs: %s has no metres (give a projection such as "
                       "EPSG:4547)",
                       f->crs);
    om_status st = is_near(crs, &box) ? OM_OK : OM_E_CRS;
    if (!st) st = reach_of(crs, &box, margin_m, reach);
    if (!st) st = lay_cells(reach, f, err);
    if (!st) st = ask_knots(crs, f);
    if (st == OM_E_CRS)
        return om_fail(err, st, 0,
                       "--crs: %s does not reach all around the rows (give "
                       "another, or a smaller --bbox)",
                       f->crs);
    if (st == OM_E_MEMORY) return om_fail(err, st, 0, "frame: out of memory");
    return st;
}

om_status om_frame_init(const char *crs, struct om_box box, double margin_m,
                        double cell_m, struct om_frame *out, struct om_err *err)
{
    *out = (struct om_frame){.cell_m = cell_m};
    if (!(cell_m > 0.0) || !isfinite(cell_m))
        return om_fail(err, OM_E_RANGE, 0, "--cell: not above 0 metres");
    if (box.x0 > box.x1 || box.y0 > box.y1 || !(margin_m >= 0.0))
        return om_fail(err, OM_E_RANGE, 0, "frame: no box to cover");
    if (crs)
        snprintf(out->crs, sizeof out->crs, "%s", crs);
    else
        name_utm(&box, out->crs, sizeof out->crs);
    struct om__crs *opened;
    struct om_err why = {0};
    om_status st = om__crs_open(out->crs, &opened, &why);
    if (st) return om_fail(err, st, 0, "--crs: %s", why.text);
    st = frame_fill(opened, box, margin_m, out, err);
    om__crs_close(opened);
    if (st) om_frame_deinit(out);
    return st;
}

void om_frame_deinit(struct om_frame *frame)
{
    om_free(frame->knot_x);
    om_free(frame->knot_y);
    frame->knot_x = frame->knot_y = NULL;
}

/* The knot before a place, but for the last. */
static inline size_t knot_before(double at, size_t knots)
{
    const size_t i = (size_t)at;
    return i < knots - 2 ? i : knots - 2;
}

void om_frame_places(const struct om_frame *frame, double column0, double row0,
                     size_t columns, size_t rows, double *x, double *y)
{
    const double per = 1.0 / (double)frame->step;
    for (size_t r = 0; r < rows; r++) {
        const double v = (row0 + (double)r) * per;
        const size_t k = knot_before(v, frame->knot_rows);
        const double t = v - (double)k;
        const double *north_x = frame->knot_x + k * frame->knot_columns;
        const double *north_y = frame->knot_y + k * frame->knot_columns;
        const double *south_x = north_x + frame->knot_columns;
        const double *south_y = north_y + frame->knot_columns;
        for (size_t c = 0; c < columns; c++) {
            const double u = (column0 + (double)c) * per;
            const size_t i = knot_before(u, frame->knot_columns);
            const double s = u - (double)i;
            const double a = (1.0 - s) * (1.0 - t), b = s * (1.0 - t);
            const double d = (1.0 - s) * t, e = s * t;
            *x++ = a * north_x[i] + b * north_x[i + 1] + d * south_x[i] +
                   e * south_x[i + 1];
            *y++ = a * north_y[i] + b * north_y[i + 1] + d * south_y[i] +
                   e * south_y[i + 1];
        }
    }
}
