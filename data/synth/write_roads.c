// write_roads.c - highways, border roads by rank, streets; and the water.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/outline.h"
#include "data/synth/shapes.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define COURSE_STEP_M 120.0

struct roads {
    const struct om__city *city;
    struct om__shapes *shapes;
    const char *kind;
    double share;  // of chains that carry a road
    unsigned rank;
    uint64_t next;
    struct om_err *err;
};

static om_status add_road(struct roads *r, const char *kind, const char *name)
{
    char id[32];
    *om__put_digits(om__put(id, "R"), ++r->next, 7) = '\0';
    om__shapes_text(r->shapes, 0, id);
    om__shapes_text(r->shapes, 1, kind);
    om__shapes_text(r->shapes, 2, name);
    return om__shapes_add(r->shapes, r->err);
}

static om_status highways(struct roads *r)
{
    for (size_t i = 0; i < OM__HIGHWAYS; i++) {
        struct om__xy *p = NULL;
        size_t n = 0;
        OM_TRY(om__course_points(&OM__HIGHWAY[i], COURSE_STEP_M, &p, &n));
        om__shapes_begin(r->shapes);
        om__shapes_part(r->shapes);
        om__shapes_ring(r->shapes);
        for (size_t k = 0; k < n; k++)
            om__shapes_point(r->shapes, om__plane_corner(p[k]));
        om_free(p);
        OM_TRY(add_road(r, "highway", OM__HIGHWAY[i].name));
    }
    return OM_OK;
}

static om_status trunks(struct roads *r)
{
    for (size_t i = 0;; i++) {
        struct om__xy *p = NULL;
        size_t n = 0;
        OM_TRY(om__trunk_points(r->city, i, &p, &n));
        if (n == 0) return OM_OK;
        om__shapes_begin(r->shapes);
        om__shapes_part(r->shapes);
        om__shapes_ring(r->shapes);
        for (size_t k = 0; k < n; k++)
            om__shapes_point(r->shapes, om__plane_corner(p[k]));
        om_free(p);
        char name[OM__NAME_BYTES];
        char *end = om__name_road(name, (uint32_t)(97 + 31 * i));
        *om__put(end, "大道") = '\0';
        OM_TRY(add_road(r, "trunk", name));
    }
}

static unsigned rank_of(const void *ctx, uint32_t a, uint32_t b)
{
    const struct om__city *city = ctx;
    if (city->quarter_of[a] == city->quarter_of[b]) return 0;
    // No roads along the rim of the city, or in the water.
    if (city->quarter_of[a] == OM__NONE || city->quarter_of[b] == OM__NONE)
        return 0;
    if ((city->cover[a] | city->cover[b]) & OM__COVER_WATER) return 0;
    if (city->town_of[a] != city->town_of[b]) return 4;
    if (city->village_of[a] != city->village_of[b]) return 3;
    return city->grid_of[a] != city->grid_of[b] ? 2 : 1;
}

static bool wild(const struct om__city *city, uint32_t cell)
{
    const enum om__kind kind = city->quarter[city->quarter_of[cell]].kind;
    return kind == OM__KIND_HILL || kind == OM__KIND_WATER ||
           kind == OM__KIND_FARM;
}

static om_status border_road(void *ctx, const uint32_t *corner, size_t n,
                             uint32_t left, uint32_t right)
{
    struct roads *r = ctx;
    const struct om__city *city = r->city;
    struct om__dice dice = om__dice(city->seed, OM__FOR_ROAD, corner[0]);
    const bool through_wild = wild(city, left) && wild(city, right);
    if (!om__dice_chance(&dice, through_wild ? r->share * 0.35 : r->share))
        return OM_OK;
    om__shapes_begin(r->shapes);
    om__shapes_part(r->shapes);
    om__shapes_ring(r->shapes);
    for (size_t i = 0; i < n; i++)
        om__shapes_point(r->shapes, city->mesh.corner[corner[i]]);
    char name[OM__NAME_BYTES];
    const uint32_t number =
        city->village[city->village_of[left]].base_name * 3 +
        (uint32_t)r->rank * 7 + city->quarter_of[left] % 5;
    char *end = om__name_road(name, number);
    end = om__put(end, r->rank >= 3 ? "大道" : "路");
    *end = '\0';
    return add_road(r, r->kind, name);
}

static om_status streets(struct roads *r)
{
    for (uint32_t i = 0; i < r->city->streets; i++) {
        const struct om__street *street = &r->city->street[i];
        if (!street->used || om__distance(street->from, street->to) < 1)
            continue;
        om__shapes_begin(r->shapes);
        om__shapes_part(r->shapes);
        om__shapes_ring(r->shapes);
        om__shapes_point(r->shapes, om__plane_corner(street->from));
        om__shapes_point(r->shapes, om__plane_corner(street->to));
        char name[OM__NAME_BYTES];
        *om__name_street(r->city, name, street->quarter, street->row) = '\0';
        OM_TRY(add_road(r, "residential", name));
    }
    return OM_OK;
}

om_status om__write_roads(const struct om__city *city, struct om_err *err)
{
    static const struct {
        unsigned rank;
        const char *kind;
        double share;
    } LEVEL[] = {{4, "primary", 0.9},
                 {3, "primary", 0.85},
                 {2, "secondary", 0.8},
                 {1, "residential", 0.75}};
    if (!om__city_wants(city, "road")) return OM_OK;
    struct om__shapes s = {0};
    struct roads r = {.city = city, .shapes = &s, .err = err};
    om_status st = om__shapes_open(&s, city, "road", OM__SHAPES_LINE,
                                   "id,kind,name", city->streets, err);
    if (!st) st = highways(&r);
    if (!st) st = trunks(&r);
    for (size_t i = 0; i < sizeof LEVEL / sizeof *LEVEL && !st; i++) {
        r.kind = LEVEL[i].kind;
        r.share = LEVEL[i].share;
        r.rank = LEVEL[i].rank;
        st = om__outline_chains(&city->mesh, rank_of, city, LEVEL[i].rank,
                                border_road, &r);
    }
    if (!st) st = streets(&r);
    return om__shapes_close(&s, st, err);
}

/* A band along a curve: down the left bank and back up the right one. */
static void put_band(struct om__shapes *s, const struct om__city *city,
                     const struct om__course *course, const struct om__xy *p,
                     size_t n)
{
    om__shapes_begin(s);
    om__shapes_part(s);
    om__shapes_ring(s);
    for (size_t k = 0; k < 2 * n; k++) {
        const size_t i = k < n ? k : 2 * n - 1 - k;
        const double side = k < n ? -1 : 1;
        const struct om__xy a = p[i ? i - 1 : 0], b = p[i + 1 < n ? i + 1 : i];
        const double dx = b.x - a.x, dy = b.y - a.y;
        const double len = sqrt(dx * dx + dy * dy);
        const double wide =
            course->half_width_m *
            (1 + 0.25 * om__noise(city->seed, side > 0 ? 31 : 32, p[i], 900));
        om__shapes_point(s, om__plane_corner((struct om__xy){
                                p[i].x - side * dy / len * wide,
                                p[i].y + side * dx / len * wide}));
    }
}

#define SHORE_POINTS 96

static void put_lake(struct om__shapes *s, const struct om__city *city,
                     const struct om__course *lake)
{
    const struct om__xy m = om__plane_from_deg(lake->at[0][0], lake->at[0][1]);
    om__shapes_begin(s);
    om__shapes_part(s);
    om__shapes_ring(s);
    for (int i = 0; i < SHORE_POINTS; i++) {
        double c, d;
        om__turn(2 * 3.14159265358979 * i / SHORE_POINTS, &c, &d);
        const double r = lake->half_width_m;
        const struct om__xy rim = {m.x + r * c, m.y + r * d};
        const double reach =
            r * (0.95 + 0.35 * om__noise(city->seed, 33, rim, 0.7 * r));
        om__shapes_point(s, om__plane_corner((struct om__xy){m.x + reach * c,
                                                             m.y + reach * d}));
    }
}

/* The estuary between the city's coast, from south to north, and the other
 * bank, from north to south. */
static om_status put_sea(struct om__shapes *s)
{
    struct om__xy *coast = NULL, *bank = NULL;
    size_t n = 0, m = 0;
    OM_TRY(om__course_points(&OM__COAST, COURSE_STEP_M, &coast, &n));
    const om_status st =
        om__course_points(&OM__FAR_SHORE, COURSE_STEP_M, &bank, &m);
    if (!st) {
        om__shapes_begin(s);
        om__shapes_part(s);
        om__shapes_ring(s);
        for (size_t i = n; i-- > 0;)
            om__shapes_point(s, om__plane_corner(coast[i]));
        for (size_t i = 0; i < m; i++)
            om__shapes_point(s, om__plane_corner(bank[i]));
    }
    om_free(coast);
    om_free(bank);
    return st;
}

static om_status add_water(struct om__shapes *s, uint64_t number,
                           const struct om__course *course, struct om_err *err)
{
    char id[32];
    *om__put_digits(om__put(id, "W"), number, 4) = '\0';
    om__shapes_text(s, 0, id);
    om__shapes_text(s, 1, course->kind);
    om__shapes_text(s, 2, course->name);
    return om__shapes_add(s, err);
}

om_status om__write_water(const struct om__city *city, struct om_err *err)
{
    if (!om__city_wants(city, "water")) return OM_OK;
    struct om__shapes s = {0};
    uint64_t next = 0;
    om_status st =
        om__shapes_open(&s, city, "water", OM__SHAPES_POLYGON, "id,kind,name",
                        OM__WATERS + OM__LAKES + 1, err);
    if (!st) st = put_sea(&s);
    if (!st) st = add_water(&s, ++next, &OM__COAST, err);
    for (size_t i = 0; i < OM__WATERS && !st; i++) {
        struct om__xy *p = NULL;
        size_t n = 0;
        st = om__course_points(&OM__WATER[i], COURSE_STEP_M, &p, &n);
        if (st) break;
        put_band(&s, city, &OM__WATER[i], p, n);
        om_free(p);
        st = add_water(&s, ++next, &OM__WATER[i], err);
    }
    for (size_t i = 0; i < OM__LAKES && !st; i++) {
        put_lake(&s, city, &OM__LAKE[i]);
        st = add_water(&s, ++next, &OM__LAKE[i], err);
    }
    return om__shapes_close(&s, st, err);
}
