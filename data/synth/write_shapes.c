// write_shapes.c - towns, villages, grids, buildings, roads, water.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/members.h"
#include "data/synth/outline.h"
#include "data/synth/shapes.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

static void put_outline(struct om__shapes *s, const struct om__mesh *mesh,
                        const struct om__outline *o)
{
    om__shapes_begin(s);
    for (uint32_t r = 0; r < o->rings; r++) {
        if (!o->hole[r]) om__shapes_part(s);
        om__shapes_ring(s);
        for (uint32_t i = o->first[r]; i < o->first[r + 1]; i++)
            om__shapes_point(s, mesh->corner[o->corner[i]]);
    }
}

typedef void columns_fn(const struct om__city *city, uint32_t unit,
                        struct om__shapes *s);

static void town_columns(const struct om__city *city, uint32_t unit,
                         struct om__shapes *s)
{
    om__shapes_text(s, 0, city->town[unit].fact->code);
    om__shapes_text(s, 1, city->town[unit].fact->name);
}

static void village_columns(const struct om__city *city, uint32_t unit,
                            struct om__shapes *s)
{
    const struct om__village *village = &city->village[unit];
    om__shapes_text(s, 0, village->code);
    om__shapes_text(s, 1, village->name);
    om__shapes_text(s, 2, city->town[village->town].fact->code);
}

static void grid_columns(const struct om__city *city, uint32_t unit,
                         struct om__shapes *s)
{
    const struct om__grid *grid = &city->grid[unit];
    const struct om__village *village = &city->village[grid->village];
    char text[OM__NAME_BYTES * 2];
    om__shapes_text(s, 0, grid->code);
    snprintf(text, sizeof text, "%s-%02u", village->code, grid->number);
    om__shapes_text(s, 1, text);
    snprintf(text, sizeof text, "%s第%u网格", village->name, grid->number);
    om__shapes_text(s, 2, text);
    om__shapes_text(s, 3, village->code);
    om__shapes_text(s, 4, city->town[village->town].fact->code);
}

static om_status write_level(const struct om__city *city, const char *name,
                             const char *columns, const uint32_t *label,
                             uint32_t units, columns_fn *fill,
                             struct om_err *err)
{
    if (!om__city_wants(city, name)) return OM_OK;
    struct om__shapes s = {0};
    struct om__outline outline = {0};
    struct om__members members = {0};
    om_status st =
        om__shapes_open(&s, city, name, OM__SHAPES_MULTI, columns, units, err);
    if (!st) st = om__outline_init(&outline, &city->mesh);
    if (!st) st = om__members_make(&members, label, city->mesh.cells, units);
    for (uint32_t u = 0; u < units && !st; u++) {
        st = om__outline_trace(&outline, &city->mesh, label,
                               members.cell + members.first[u],
                               members.first[u + 1] - members.first[u]);
        if (st) break;
        put_outline(&s, &city->mesh, &outline);
        fill(city, u, &s);
        st = om__shapes_add(&s, err);
    }
    om__members_deinit(&members);
    om__outline_deinit(&outline);
    return om__shapes_close(&s, st, err);
}

om_status om__write_units(const struct om__city *city, struct om_err *err)
{
    OM_TRY(write_level(city, "town", "id,name", city->town_of, OM__TOWNS,
                       town_columns, err));
    OM_TRY(write_level(city, "village", "id,name,town", city->village_of,
                       city->villages, village_columns, err));
    return write_level(city, "grid", "id,code,name,village,town", city->grid_of,
                       city->grids, grid_columns, err);
}

/* A corner of a building in its own frame: across and away from the middle,
 * in halves of width and depth; +y is the street side. */
struct outline_point {
    double x, y;
};
static const struct outline_point BOX[] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
static const struct outline_point ELL[] = {{-1, -1},  {0.1, -1}, {0.1, -0.1},
                                           {1, -0.1}, {1, 1},    {-1, 1}};
static const struct outline_point COURT[] = {
    {-0.5, -0.45}, {-0.5, 0.45}, {0.5, 0.45}, {0.5, -0.45}};

static void put_ring(struct om__shapes *s, const struct om__city *city,
                     const struct om__house *h,
                     const struct outline_point *point, size_t n)
{
    const struct om__quarter *q = &city->quarter[h->quarter];
    const double w = (double)h->width_m / 2, d = (double)h->depth_m / 2;
    om__shapes_ring(s);
    for (size_t i = 0; i < n; i++) {
        // Mirrored when the street is on the other side; then the points are
        // taken backwards, so that the ring turns the same way.
        const size_t k = h->front > 0 ? i : n - 1 - i;
        const double x = point[k].x * w, y = point[k].y * d * h->front;
        om__shapes_point(s, om__plane_corner((struct om__xy){
                                h->at.x + x * q->turn[0] - y * q->turn[1],
                                h->at.y + x * q->turn[1] + y * q->turn[0]}));
    }
}

om_status om__write_buildings(const struct om__city *city, struct om_err *err)
{
    if (!om__city_wants(city, "building")) return OM_OK;
    struct om__shapes s = {0};
    om_status st =
        om__shapes_open(&s, city, "building", OM__SHAPES_POLYGON,
                        "id,use,#floors,#built,#residents", city->houses, err);
    for (uint32_t i = 0; i < city->houses && !st; i++) {
        const struct om__house *h = &city->house[i];
        char id[32];
        *om__put_digits(om__put(id, "B"), i + 1, 7) = '\0';
        om__shapes_begin(&s);
        om__shapes_part(&s);
        if (h->shape == OM__SHAPE_L)
            put_ring(&s, city, h, ELL, sizeof ELL / sizeof *ELL);
        else
            put_ring(&s, city, h, BOX, sizeof BOX / sizeof *BOX);
        if (h->shape == OM__SHAPE_COURT)
            put_ring(&s, city, h, COURT, sizeof COURT / sizeof *COURT);
        om__shapes_text(&s, 0, id);
        om__shapes_text(&s, 1, OM__USE_NAME[h->use]);
        om__shapes_integer(&s, 2, h->floors);
        om__shapes_integer(&s, 3, h->built);
        om__shapes_integer(&s, 4, h->residents);
        st = om__shapes_add(&s, err);
    }
    return om__shapes_close(&s, st, err);
}
