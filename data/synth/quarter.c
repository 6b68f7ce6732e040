// quarter.c - quarters of the grids: what they are, where buildings may stand.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/city_internal.h"
#include "data/synth/grow.h"
#include "data/synth/members.h"
#include "data/synth/units_internal.h"

#define QUARTER_CELLS 18.0  // in a usual one
#define KIND_NOISE_M 1700.0
#define EDGE_M 5.0  // left free along the border of a quarter for its road

/* How lots lie in each kind of quarter. MADE UP, after aerial pictures. */
static const struct pattern {
    double width, wider, depth, street, between;  // m
    double kept;                                  // share of lots in use
} PATTERN[OM__KINDS] = {
    [OM__KIND_FARM] = {40, 30, 16, 5, 260, 0.35},
    [OM__KIND_VILLAGE] = {10.5, 4, 12, 4, 1.5, 0.97},
    [OM__KIND_FACTORY] = {46, 50, 44, 12, 8, 0.9},
    [OM__KIND_TOWER] = {44, 16, 34, 9, 14, 0.9},
    [OM__KIND_CENTRE] = {24, 14, 22, 10, 6, 0.95},
    [OM__KIND_PUBLIC] = {56, 40, 44, 10, 30, 0.6},
};

static unsigned rank_of(const void *ctx, uint32_t a, uint32_t b)
{
    const struct om__city *city = ctx;
    if (city->quarter_of[a] == city->quarter_of[b]) return 0;
    if (city->town_of[a] != city->town_of[b]) return 4;
    if (city->village_of[a] != city->village_of[b]) return 3;
    return city->grid_of[a] != city->grid_of[b] ? 2 : 1;
}

static enum om__kind kind_of(const struct om__city *city,
                             const struct om__quarter *q, double urban,
                             double water, struct om__dice *dice)
{
    const struct om__village *village =
        &city->village[city->grid[q->grid].village];
    const struct om__town *town = &city->town[village->town];
    const double to_core =
        om__distance(q->middle, village->core) / village->reach_m;
    const double to_centre = om__distance(q->middle, town->core) /
                             (1000 * sqrt(town->fact->area_km2 / 3.14159265));
    const double trade = om__noise(city->seed, 21, q->middle, KIND_NOISE_M);
    const double r = om__dice_real(dice);
    if (water > 0.5) return OM__KIND_WATER;
    if (urban < 0.13) return r < 0.75 ? OM__KIND_HILL : OM__KIND_FARM;
    if (to_core < 0.33 + 0.25 * urban && r < 0.9) return OM__KIND_VILLAGE;
    if (urban < 0.27) return r < 0.35 ? OM__KIND_HILL : OM__KIND_FARM;
    if (to_centre < 0.32)
        return r < 0.35   ? OM__KIND_TOWER
               : r < 0.68 ? OM__KIND_CENTRE
               : r < 0.9  ? OM__KIND_VILLAGE
                          : OM__KIND_PUBLIC;
    if (trade > 0.05 && r < 0.8) return OM__KIND_FACTORY;
    return r < 0.16   ? OM__KIND_TOWER
           : r < 0.50 ? OM__KIND_VILLAGE
           : r < 0.74 ? OM__KIND_FACTORY
           : r < 0.83 ? OM__KIND_CENTRE
           : r < 0.90 ? OM__KIND_PUBLIC
                      : OM__KIND_HILL;
}

static void describe(struct om__city *city, uint32_t q, const uint32_t *cell,
                     uint32_t cells)
{
    struct om__quarter *quarter = &city->quarter[q];
    struct om__dice dice = om__dice(city->seed, OM__FOR_QUARTER, q);
    double x = 0, y = 0, urban = 0, water = 0;
    for (uint32_t i = 0; i < cells; i++) {
        const struct om__xy p = om__mesh_middle(&city->mesh, cell[i]);
        x += p.x;
        y += p.y;
        urban += (double)city->urban[cell[i]];
        water += city->cover[cell[i]] & OM__COVER_WATER ? 1 : 0;
    }
    quarter->middle = (struct om__xy){x / cells, y / cells};
    for (uint32_t i = 0; i < cells; i++) {
        const double d = om__distance(quarter->middle,
                                      om__mesh_middle(&city->mesh, cell[i]));
        if (d > quarter->reach_m) quarter->reach_m = d;
    }
    quarter->reach_m += city->mesh.step_m;
    const struct om__village *village =
        &city->village[city->grid[quarter->grid].village];
    const double to_core =
        om__distance(quarter->middle, village->core) / village->reach_m;
    quarter->settled =
        (float)(urban / cells - 0.35 * (to_core < 2 ? to_core : 2));
    quarter->kind =
        (uint8_t)kind_of(city, quarter, urban / cells, water / cells, &dice);
    // Streets follow a slow turn over the city, and a whim.
    const double turn = 2.2 * om__noise(city->seed, 22, quarter->middle, 4200) +
                        om__dice_between(&dice, -0.25, 0.25);
    om__turn(turn, &quarter->turn[0], &quarter->turn[1]);
}

om_status om__quarters_make(struct om__city *city)
{
    const uint32_t cells = city->mesh.cells;
    float *weight = om_alloc_array(cells, sizeof *weight);
    double *sum = om_calloc(city->grids, sizeof *sum);
    uint32_t *size = om_calloc(city->grids, sizeof *size);
    uint32_t *regions = om_calloc(city->grids, sizeof *regions);
    uint32_t *seed = NULL;
    struct om__members members = {0};
    om_status st = weight && sum && size && regions ? OM_OK : OM_E_MEMORY;
    if (st) goto done;
    for (uint32_t c = 0; c < cells; c++) {
        weight[c] = 0.2f + city->urban[c];
        const uint32_t g = city->grid_of[c];
        if (g == OM__NONE) continue;
        sum[g] += (double)weight[c];
        size[g]++;
    }
    uint32_t quarters = 0;
    for (uint32_t g = 0; g < city->grids; g++) {
        const uint32_t most = size[g] / 4;
        regions[g] = (uint32_t)(sum[g] / (QUARTER_CELLS * 0.6) + 0.5);
        if (regions[g] > most) regions[g] = most;
        if (regions[g] == 0) regions[g] = 1;
        city->grid[g].first_quarter = quarters;
        city->grid[g].quarters = regions[g];
        city->grid[g].weight = sum[g];
        quarters += regions[g];
    }
    city->quarters = quarters;
    city->quarter = om_calloc(quarters, sizeof *city->quarter);
    seed = om_alloc_array(quarters, sizeof *seed);
    if (!city->quarter || !seed) st = OM_E_MEMORY;
    if (!st)
        st = om__units_divide(city, city->grid_of, city->grids, weight, regions,
                              OM__FOR_QUARTER, city->quarter_of, seed);
    if (!st) st = om__members_make(&members, city->quarter_of, cells, quarters);
    for (uint32_t g = 0; g < city->grids && !st; g++)
        for (uint32_t k = 0; k < regions[g]; k++) {
            const uint32_t q = city->grid[g].first_quarter + k;
            city->quarter[q].grid = g;
            describe(city, q, members.cell + members.first[q],
                     members.first[q + 1] - members.first[q]);
        }
    if (!st) st = om__mesh_smooth(&city->mesh, rank_of, city, city->seed);
done:
    om__members_deinit(&members);
    om_free(weight);
    om_free(sum);
    om_free(size);
    om_free(regions);
    om_free(seed);
    return st;
}

/* Is the place in the quarter, dry, and off the highway? */
static bool free_place(const struct om__city *city, uint32_t quarter,
                       struct om__xy p)
{
    const uint32_t cell = om__mesh_find(&city->mesh, p);
    return cell != OM__NO_CELL && city->quarter_of[cell] == quarter &&
           city->cover[cell] == 0;
}

static struct om__xy turned(const struct om__quarter *q, double x, double y)
{
    return (struct om__xy){q->middle.x + x * q->turn[0] - y * q->turn[1],
                           q->middle.y + x * q->turn[1] + y * q->turn[0]};
}

static bool lot_fits(const struct om__city *city, uint32_t number,
                     const struct om__quarter *q, double x, double y,
                     double half_w, double half_d)
{
    // The middle first: it throws out most.
    if (!free_place(city, number, turned(q, x, y))) return false;
    for (int k = 0; k < 4; k++) {
        const double sx = k & 1 ? half_w : -half_w;
        const double sy = k & 2 ? half_d : -half_d;
        if (!free_place(city, number, turned(q, x + sx, y + sy))) return false;
    }
    return true;
}

/* Both sides of one stretch of street. */
static uint32_t lot_pair(const struct om__city *city,
                         const struct om__quarter *q,
                         const struct pattern *pattern, struct om__lot *lot,
                         double x, double depth, struct om__dice *dice,
                         om__lot_fn *emit, void *ctx)
{
    uint32_t n = 0;
    const uint32_t number = (uint32_t)(q - city->quarter);
    const uint32_t first = lot->number;
    for (int side = -1; side <= 1; side += 2) {
        const bool kept = om__dice_chance(dice, pattern->kept);
        const double y = lot->street_y + side * (pattern->street + depth) / 2;
        if (!kept || !lot_fits(city, number, q, x, y, lot->width_m / 2 + EDGE_M,
                               depth / 2 + EDGE_M))
            continue;
        n++;
        if (!emit) continue;
        lot->at = turned(q, x, y);
        lot->side = side;
        lot->number = first + (side > 0);
        lot->depth_m = depth;
        emit(ctx, lot);
    }
    lot->number = first;
    return n;
}

uint32_t om__quarter_lots(const struct om__city *city,
                          const struct om__quarter *quarter, double shrink,
                          om__lot_fn *emit, void *ctx)
{
    const struct pattern *pattern = &PATTERN[quarter->kind];
    if (pattern->width <= 0) return 0;
    const uint32_t number = (uint32_t)(quarter - city->quarter);
    struct om__dice dice = om__dice(city->seed, OM__FOR_LOT, number);
    const double depth = pattern->depth * shrink;
    const double pitch = pattern->street + 2 * depth + pattern->between;
    const double reach = quarter->reach_m;
    uint32_t n = 0;
    struct om__lot lot = {0};
    for (double y = -reach; y < reach; y += pitch, lot.row++) {
        if (lot.row % city->row_stride != number % city->row_stride) continue;
        lot.number = 1;
        lot.street_y = y;
        const double half = reach * reach - y * y;
        if (half <= 0) continue;
        const double span = sqrt(half);
        for (double x = -span; x < span;) {
            lot.width_m = shrink * (pattern->width +
                                    pattern->wider * om__dice_real(&dice));
            x += lot.width_m / 2;
            n += lot_pair(city, quarter, pattern, &lot, x, depth, &dice, emit,
                          ctx);
            x += lot.width_m / 2;
            lot.number += 2;
        }
    }
    return n;
}
