// write_roads.c - highways, border roads by rank, streets; and the water.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/road_net.h"
#include "data/synth/shapes.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define COURSE_STEP_M 120.0
#define STREET_STEP_M 8.0
#define STREET_LEAST_M 1.0

struct roads {
    const struct om__city *city;
    struct om__shapes *shapes;
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

static void begin_line(struct roads *r)
{
    om__shapes_begin(r->shapes);
    om__shapes_part(r->shapes);
    om__shapes_ring(r->shapes);
}

static om_status highways(struct roads *r)
{
    for (size_t i = 0; i < OM__HIGHWAYS; i++) {
        struct om__xy *p = NULL;
        size_t n = 0;
        OM_TRY(om__course_points(&OM__HIGHWAY[i], COURSE_STEP_M, &p, &n));
        begin_line(r);
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
        begin_line(r);
        for (size_t k = 0; k < n; k++)
            om__shapes_point(r->shapes, om__plane_corner(p[k]));
        om_free(p);
        char name[OM__NAME_BYTES];
        char *end = om__name_road(name, (uint32_t)(97 + 31 * i));
        *om__put(end, "大道") = '\0';
        OM_TRY(add_road(r, "trunk", name));
    }
}

static void name_road(const struct roads *r, unsigned rank, uint32_t cell,
                      const char *what, char *name)
{
    const struct om__city *city = r->city;
    const uint32_t number =
        city->village[city->village_of[cell]].base_name * 3 + rank * 7 +
        city->quarter_of[cell] % 5;
    char *end = om__name_road(name, number);
    *om__put(end, what) = '\0';
}

static om_status border_roads(struct roads *r, const struct om__road_net *net)
{
    static const char *const KIND[] = {"", "residential", "secondary",
                                       "primary", "primary"};
    for (uint32_t i = 0; i < net->chains; i++) {
        const struct om__chain *chain = &net->chain[i];
        if (!chain->road) continue;
        begin_line(r);
        for (uint32_t k = 0; k < chain->n; k++)
            om__shapes_point(
                r->shapes, r->city->mesh.corner[net->corner[chain->first + k]]);
        char name[OM__NAME_BYTES];
        name_road(r, chain->rank, chain->left, chain->rank >= 3 ? "大道" : "路",
                  name);
        OM_TRY(add_road(r, KIND[chain->rank], name));
    }
    return OM_OK;
}

static om_status bridges(struct roads *r, const struct om__road_net *net)
{
    for (uint32_t i = 0; i < net->bridges; i++) {
        const struct om__bridge *bridge = &net->bridge[i];
        begin_line(r);
        for (int k = 0; k < 4; k++)
            om__shapes_point(r->shapes, om__plane_corner(bridge->at[k]));
        char name[OM__NAME_BYTES];
        name_road(r, 5, bridge->left, "桥", name);
        OM_TRY(add_road(r, bridge->wide ? "primary" : "secondary", name));
    }
    return OM_OK;
}

/* A stretch of street on dry land. */
static om_status add_street(struct roads *r, uint32_t number,
                            struct om__xy from, struct om__xy to)
{
    if (om__distance(from, to) < STREET_LEAST_M) return OM_OK;
    const struct om__street *street = &r->city->street[number];
    begin_line(r);
    om__shapes_point(r->shapes, om__plane_corner(from));
    om__shapes_point(r->shapes, om__plane_corner(to));
    char name[OM__NAME_BYTES];
    *om__name_street(r->city, name, street->quarter, street->row) = '\0';
    return add_road(r, "residential", name);
}

/* No street crosses water: there it is cut in two. */
static om_status streets(struct roads *r, const struct om__road_net *net)
{
    for (uint32_t i = 0; i < r->city->streets; i++) {
        if (!r->city->street[i].used) continue;
        const struct om__xy from = net->street[i][0], to = net->street[i][1];
        const double length = om__distance(from, to);
        const uint32_t steps = (uint32_t)(length / STREET_STEP_M) + 1;
        struct om__xy begun = from, last = from;
        bool dry = false;
        for (uint32_t k = 0; k <= steps; k++) {
            const double t = (double)k / steps;
            const struct om__xy at = {from.x + t * (to.x - from.x),
                                      from.y + t * (to.y - from.y)};
            const bool wet = om__wet(r->city, at);
            if (dry && wet) OM_TRY(add_street(r, i, begun, last));
            if (!dry && !wet) begun = at;
            dry = !wet;
            last = at;
        }
        if (dry) OM_TRY(add_street(r, i, begun, to));
    }
    return OM_OK;
}

om_status om__write_roads(const struct om__city *city, struct om_err *err)
{
    if (!om__city_wants(city, "road")) return OM_OK;
    struct om__shapes s = {0};
    struct om__road_net net = {0};
    struct roads r = {.city = city, .shapes = &s, .err = err};
    om_status st = om__shapes_open(&s, city, "road", OM__SHAPES_LINE,
                                   "id,kind,name", city->streets, err);
    if (!st) st = highways(&r);
    if (!st) st = trunks(&r);
    if (!st) st = om__road_net_make(city, &net);
    if (!st) st = border_roads(&r, &net);
    if (!st) st = bridges(&r, &net);
    if (!st) st = streets(&r, &net);
    om__road_net_deinit(&net);
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
