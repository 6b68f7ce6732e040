// cover.c - what lies on the land: sea, rivers, lakes, highways, how urban.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/city_internal.h"

#define URBAN_NOISE_M 2600.0
#define HILL_NOISE_M 7000.0
#define HIGHWAY_HALF_M 45.0
#define TRUNK_STEP_M 60.0
#define TRUNK_SWING_M 900.0
#define TRUNK_NOISE_M 2500.0
#define TRUNK_LONGEST_M 16000.0

om_status om__course_points(const struct om__course *course, double step_m,
                            struct om__xy **out, size_t *count)
{
    struct om__xy knot[16] = {{0, 0}};
    double length = 0;
    const unsigned n = (unsigned)course->points;
    for (unsigned i = 0; i < n; i++) {
        knot[i] = om__plane_from_deg(course->at[i][0], course->at[i][1]);
        if (i) length += om__distance(knot[i - 1], knot[i]);
    }
    const size_t points = (size_t)(length / step_m) + 2;
    struct om__xy *p = om_alloc_array(points, sizeof *p);
    if (!p) return OM_E_MEMORY;
    for (size_t i = 0; i < points; i++)
        p[i] =
            om__curve_at(knot, n, (double)i / (double)(points - 1) * (n - 1));
    *out = p;
    *count = points;
    return OM_OK;
}

/* Two towns are joined when no third lies within the circle over the line
 * between them (Gabriel, 1969): a net without needless parallels. */
static bool joined(size_t a, size_t b, struct om__xy *from, struct om__xy *to)
{
    struct om__xy p[OM__TOWNS];
    for (size_t t = 0; t < OM__TOWNS; t++)
        p[t] = om__plane_from_deg(OM__TOWN_FACT[t].lon_deg,
                                  OM__TOWN_FACT[t].lat_deg);
    const struct om__xy middle = {(p[a].x + p[b].x) / 2, (p[a].y + p[b].y) / 2};
    const double reach = om__distance(p[a], p[b]) / 2;
    if (reach > TRUNK_LONGEST_M / 2) return false;
    for (size_t t = 0; t < OM__TOWNS; t++)
        if (t != a && t != b && om__distance(p[t], middle) < reach)
            return false;
    *from = p[a];
    *to = p[b];
    return true;
}

om_status om__trunk_points(const struct om__city *city, size_t i,
                           struct om__xy **out, size_t *count)
{
    struct om__xy from = {0, 0}, to = {0, 0};
    size_t pairs = 0;
    bool found = false;
    *out = NULL;
    *count = 0;
    for (size_t a = 0; a < OM__TOWNS && !found; a++)
        for (size_t b = a + 1; b < OM__TOWNS && !found; b++)
            found = joined(a, b, &from, &to) && pairs++ == i;
    if (!found) return OM_OK;
    const double length = om__distance(from, to);
    const size_t n = (size_t)(length / TRUNK_STEP_M) + 2;
    struct om__xy *p = om_alloc_array(n, sizeof *p);
    if (!p) return OM_E_MEMORY;
    for (size_t k = 0; k < n; k++) {
        const double t = (double)k / (double)(n - 1);
        const struct om__xy at = {from.x + t * (to.x - from.x),
                                  from.y + t * (to.y - from.y)};
        // A swing to one side, none at the ends.
        const double swing = TRUNK_SWING_M * 4 * t * (1 - t) *
                             om__noise(city->seed, 16, at, TRUNK_NOISE_M);
        p[k] = (struct om__xy){at.x - (to.y - from.y) / length * swing,
                               at.y + (to.x - from.x) / length * swing};
    }
    *out = p;
    *count = n;
    return OM_OK;
}

/* Where a horizontal line through p crosses the coast, p is at sea if it lies
 * west of it. South of the last point everything west of 114 is open water. */
bool om__cover_at_sea(const struct om__city *city, struct om__xy p)
{
    (void)city;
    struct om__xy knot[16] = {{0, 0}};
    const unsigned n = (unsigned)OM__COAST.points;
    for (unsigned i = 0; i < n; i++)
        knot[i] = om__plane_from_deg(OM__COAST.at[i][0], OM__COAST.at[i][1]);
    if (p.y > knot[0].y) return p.x < knot[0].x;
    for (unsigned i = 0; i + 1 < n; i++) {
        if (p.y < knot[i + 1].y) continue;
        const double t = (knot[i].y - p.y) / (knot[i].y - knot[i + 1].y);
        return p.x < knot[i].x + t * (knot[i + 1].x - knot[i].x);
    }
    return p.x < knot[n - 1].x;
}

/* Mark the cells of a band along a curve of close points. */
static void mark_band(struct om__city *city, const struct om__xy *p, size_t n,
                      double half_m, uint8_t bit)
{
    const int across = (int)(half_m / (city->mesh.step_m / 3));
    for (size_t i = 0; i + 1 < n; i++) {
        const double dx = p[i + 1].x - p[i].x, dy = p[i + 1].y - p[i].y;
        const double len = sqrt(dx * dx + dy * dy);
        if (len <= 0) continue;
        for (int k = -across; k <= across; k++) {
            const double off = across ? half_m * k / across : 0;
            const uint32_t cell = om__mesh_raw(
                &city->mesh, (struct om__xy){p[i].x - dy / len * off,
                                             p[i].y + dx / len * off});
            if (cell != OM__NO_CELL) city->cover[cell] |= bit;
        }
    }
}

static om_status mark_course(struct om__city *city,
                             const struct om__course *course, double half_m,
                             uint8_t bit)
{
    struct om__xy *p = NULL;
    size_t n = 0;
    OM_TRY(om__course_points(course, city->mesh.step_m / 3, &p, &n));
    mark_band(city, p, n, half_m, bit);
    om_free(p);
    return OM_OK;
}

static om_status mark_trunks(struct om__city *city)
{
    for (size_t i = 0;; i++) {
        struct om__xy *p = NULL;
        size_t n = 0;
        OM_TRY(om__trunk_points(city, i, &p, &n));
        if (n == 0) return OM_OK;
        mark_band(city, p, n, 0, OM__COVER_ROAD);
        om_free(p);
    }
}

static bool in_lake(struct om__xy p)
{
    for (size_t i = 0; i < OM__LAKES; i++) {
        const struct om__course *lake = &OM__LAKE[i];
        const struct om__xy m =
            om__plane_from_deg(lake->at[0][0], lake->at[0][1]);
        if (om__distance(p, m) < lake->half_width_m) return true;
    }
    return false;
}

/* 0 to 1: full near the middle of a populous town, less with distance, torn
 * by noise, low on hills. */
static double urban_at(const struct om__city *city, struct om__xy p)
{
    double best = 0;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town_fact *fact = &OM__TOWN_FACT[t];
        const struct om__xy m =
            om__plane_from_deg(fact->lon_deg, fact->lat_deg);
        const double reach = sqrt(fact->area_km2 * 1e6 / 3.14159265);
        const double crowd = fact->population / fact->area_km2 / 9000;
        const double d = om__distance(p, m) / reach;
        if (d > 3) continue;
        const double here =
            (0.28 + 0.5 * (crowd > 1 ? 1 : crowd)) * om__exp(-0.9 * d * d) +
            0.3 * om__exp(-9 * d * d);
        if (here > best) best = here;
    }
    const double rough = om__noise(city->seed, 1, p, URBAN_NOISE_M);
    const double hill = om__noise(city->seed, 2, p, HILL_NOISE_M);
    double urban = best + 0.28 * rough;
    if (hill > 0.18) urban -= 1.4 * (hill - 0.18);
    return urban < 0.02 ? 0.02 : urban > 1 ? 1 : urban;
}

static om_status urban_rows(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct om__city *city = ctx;
    for (size_t i = first; i < end; i++) {
        const struct om__xy p = om__mesh_middle(&city->mesh, (uint32_t)i);
        city->urban[i] = (float)urban_at(city, p);
        if (in_lake(p)) city->cover[i] |= OM__COVER_WATER;
        if (om__cover_at_sea(city, p))
            city->cover[i] |= OM__COVER_WATER | OM__COVER_SEA;
    }
    return OM_OK;
}

om_status om__cover_make(struct om__city *city)
{
    const size_t cells = city->mesh.cells;
    city->town_of = om_alloc_array(cells, sizeof *city->town_of);
    city->village_of = om_alloc_array(cells, sizeof *city->village_of);
    city->grid_of = om_alloc_array(cells, sizeof *city->grid_of);
    city->quarter_of = om_alloc_array(cells, sizeof *city->quarter_of);
    city->urban = om_alloc_array(cells, sizeof *city->urban);
    city->cover = om_calloc(cells, 1);
    if (!city->town_of || !city->village_of || !city->grid_of ||
        !city->quarter_of || !city->urban || !city->cover)
        return OM_E_MEMORY;
    memset(city->town_of, 0xFF, cells * sizeof *city->town_of);
    memset(city->village_of, 0xFF, cells * sizeof *city->village_of);
    memset(city->grid_of, 0xFF, cells * sizeof *city->grid_of);
    memset(city->quarter_of, 0xFF, cells * sizeof *city->quarter_of);
    OM_TRY(om_parallel(cells, 4096, urban_rows, city));
    for (size_t i = 0; i < OM__WATERS; i++)
        OM_TRY(mark_course(city, &OM__WATER[i], OM__WATER[i].half_width_m,
                           OM__COVER_WATER));
    for (size_t i = 0; i < OM__HIGHWAYS; i++)
        OM_TRY(
            mark_course(city, &OM__HIGHWAY[i], HIGHWAY_HALF_M, OM__COVER_ROAD));
    return mark_trunks(city);
}
