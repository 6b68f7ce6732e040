// units.c - towns to villages to grids, with exclaves and enclaves.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/city_internal.h"
#include "data/synth/grow.h"
#include "data/synth/members.h"
#include "data/synth/units_internal.h"

#define GRID_CELLS_LEAST 6  // so that a grid is not a single lattice cell
#define EXCLAVE_HOLES 5     // grids of another town inside a town
#define EXCLAVE_EDGES 4     // and at its edge
#define ENCLAVES 6          // small ones, for each of the three levels
#define TRIES 4000

/* One level of division: parents' cells into regions, parents side by side. */
struct division {
    struct om__city *city;
    struct om__grow_field field;
    const struct om__members *members;
    const uint32_t *regions, *first;  // of each parent
    uint32_t *seed;                   // [all regions]
    unsigned purpose;
};

static om_status divide_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct division *d = ctx;
    struct om__grow_scratch scratch = {0};
    om_status st = OM_OK;
    for (size_t p = first; p < end && !st; p++) {
        const uint32_t *cell = d->members->cell + d->members->first[p];
        const uint32_t cells = d->members->first[p + 1] - d->members->first[p];
        st = om__grow(&d->field, cell, cells, d->regions[p], d->first[p],
                      d->city->seed, d->purpose, &scratch,
                      d->seed + d->first[p]);
    }
    om__grow_scratch_deinit(&scratch);
    return st;
}

om_status om__units_divide(struct om__city *city, const uint32_t *parent,
                           uint32_t parents, const float *weight,
                           const uint32_t *regions, unsigned purpose,
                           uint32_t *label, uint32_t *seed)
{
    const uint32_t cells = city->mesh.cells;
    struct om__members members = {0};
    uint32_t *first = om_alloc_array(parents + 1, sizeof *first);
    float *friction = om_alloc_array(cells, sizeof *friction);
    float *cost = om_alloc_array(cells, sizeof *cost);
    om_status st = first && friction && cost ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__members_make(&members, parent, cells, parents);
    if (st) goto done;
    first[0] = 0;
    for (uint32_t p = 0; p < parents; p++) first[p + 1] = first[p] + regions[p];
    for (uint32_t c = 0; c < cells; c++) {
        struct om__dice dice = om__dice(city->seed, OM__FOR_NOISE, c);
        friction[c] = (float)om__dice_between(&dice, 0.6, 1.4);
        // Borders like to lie in rivers and along highways.
        if (city->cover[c] & OM__COVER_WATER) friction[c] *= 3;
        if (city->cover[c] & OM__COVER_ROAD) friction[c] *= 2;
    }
    struct division d = {
        .city = city,
        .field = {&city->mesh, weight, friction, parent, label, cost},
        .members = &members,
        .regions = regions,
        .first = first,
        .seed = seed,
        .purpose = purpose};
    st = om_parallel(parents, 1, divide_range, &d);
done:
    om__members_deinit(&members);
    om_free(first);
    om_free(friction);
    om_free(cost);
    return st;
}

/* Villages of each town: as on record at scale 1, at least two (or as many as
 * it has) below it. */
static om_status count_villages(struct om__city *city, uint32_t *out)
{
    double weight[OM__TOWNS];
    uint32_t most[OM__TOWNS], kept = 0;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const uint32_t all = OM__TOWN_FACT[t].villages;
        const uint32_t least = all < 2 ? all : 2;
        weight[t] = all;
        most[t] = all - least;
        kept += least;
    }
    OM_TRY(
        om__share(weight, OM__TOWNS, city->count.village - kept, 0, most, out));
    for (size_t t = 0; t < OM__TOWNS; t++) {
        out[t] += OM__TOWN_FACT[t].villages - most[t];
        city->town[t].fact = &OM__TOWN_FACT[t];
        city->town[t].villages = out[t];
        city->town[t].first_village =
            t ? city->town[t - 1].first_village + city->town[t - 1].villages
              : 0;
    }
    return OM_OK;
}

static om_status make_villages(struct om__city *city, const float *weight,
                               struct om_err *err)
{
    uint32_t regions[OM__TOWNS];
    OM_TRY(count_villages(city, regions));
    uint32_t cells[OM__TOWNS] = {0};
    for (uint32_t c = 0; c < city->mesh.cells; c++)
        if (city->town_of[c] != OM__NONE) cells[city->town_of[c]]++;
    for (size_t t = 0; t < OM__TOWNS; t++)
        if (cells[t] < regions[t] * 2 * GRID_CELLS_LEAST)
            return om_fail(err, OM_E_FORMAT, t,
                           "town %s is missing or too small for its %u "
                           "villages",
                           OM__TOWN_FACT[t].name, regions[t]);
    city->villages = (uint32_t)city->count.village;
    city->village = om_calloc(city->villages, sizeof *city->village);
    uint32_t *seed = om_alloc_array(city->villages, sizeof *seed);
    om_status st = city->village && seed ? OM_OK : OM_E_MEMORY;
    if (!st)
        st = om__units_divide(city, city->town_of, OM__TOWNS, weight, regions,
                              OM__FOR_VILLAGE, city->village_of, seed);
    for (uint32_t v = 0, t = 0; v < city->villages && !st; v++) {
        while (v >= city->town[t].first_village + city->town[t].villages) t++;
        city->village[v].town = t;
        city->village[v].core = om__mesh_middle(&city->mesh, seed[v]);
    }
    om_free(seed);
    return st;
}

static om_status make_grids(struct om__city *city, const float *weight)
{
    const uint32_t villages = city->villages;
    double *sum = om_calloc(villages, sizeof *sum);
    uint32_t *most = om_calloc(villages, sizeof *most);
    uint32_t *regions = om_calloc(villages, sizeof *regions);
    city->grids = (uint32_t)city->count.grid;
    city->grid = om_calloc(city->grids, sizeof *city->grid);
    uint32_t *seed = om_alloc_array(city->grids, sizeof *seed);
    om_status st =
        sum && most && regions && city->grid && seed ? OM_OK : OM_E_MEMORY;
    if (st) goto done;
    for (uint32_t c = 0; c < city->mesh.cells; c++) {
        const uint32_t v = city->village_of[c];
        if (v == OM__NONE) continue;
        sum[v] += (double)weight[c];
        most[v]++;
    }
    // To the towns by people, within a town by what is built on.
    double town[OM__TOWNS] = {0};
    for (uint32_t v = 0; v < villages; v++)
        town[city->village[v].town] += sum[v];
    for (uint32_t v = 0; v < villages; v++) {
        const uint32_t t = city->village[v].town;
        sum[v] *= OM__TOWN_FACT[t].population / town[t];
        most[v] /= GRID_CELLS_LEAST;
        if (most[v] == 0) most[v] = 1;
    }
    st = om__share(sum, villages, city->grids, 1, most, regions);
    if (!st)
        st = om__units_divide(city, city->village_of, villages, weight, regions,
                              OM__FOR_GRID, city->grid_of, seed);
    for (uint32_t v = 0, g = 0; v < villages && !st; v++)
        for (uint32_t k = 0; k < regions[v]; k++, g++) {
            city->grid[g].village = v;
            city->grid[g].middle = om__mesh_middle(&city->mesh, seed[g]);
        }
    for (uint32_t v = 0; v < villages && !st; v++)
        city->village[v].grids = regions[v];
done:
    om_free(sum);
    om_free(most);
    om_free(regions);
    om_free(seed);
    return st;
}

/* Towns that a grid touches, as bits; bit OM__TOWNS is the outside. */
static uint64_t touched(const struct om__city *city, uint32_t grid)
{
    uint64_t bits = 0;
    for (uint32_t c = 0; c < city->mesh.cells; c++) {
        if (city->grid_of[c] != grid) continue;
        uint32_t near[OM__SIDES];
        om__mesh_neighbours(&city->mesh, c, near);
        for (int k = 0; k < OM__SIDES; k++) {
            const uint32_t g = city->grid_of[near[k]];
            const uint32_t t = g == OM__NONE
                                   ? OM__TOWNS
                                   : city->village[city->grid[g].village].town;
            bits |= UINT64_C(1) << t;
        }
    }
    return bits;
}

/* The nearest village of a town that is not in `but`. */
static uint32_t village_beyond(const struct om__city *city, struct om__xy p,
                               uint64_t but)
{
    uint32_t best = OM__NONE;
    double least = 1e300;
    for (uint32_t v = 0; v < city->villages; v++) {
        if (but >> city->village[v].town & 1) continue;
        const double d = om__distance(p, city->village[v].core);
        if (d >= least) continue;
        least = d;
        best = v;
    }
    return best;
}

/* Give whole grids to a village of another town: a hole in one town, another
 * part for the other. */
static void make_exclaves(struct om__city *city)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_EXCLAVE, 0);
    unsigned holes = 0, edges = 0;
    for (int tries = 0; tries < TRIES / 40; tries++) {
        if (holes == EXCLAVE_HOLES && edges == EXCLAVE_EDGES) return;
        const uint32_t g = om__dice_below(&dice, city->grids);
        struct om__grid *grid = &city->grid[g];
        struct om__village *home = &city->village[grid->village];
        if (home->grids < 3) continue;
        const uint64_t own = UINT64_C(1) << home->town;
        const uint64_t bits = touched(city, g);
        const bool hole = bits == own;
        if (hole ? holes == EXCLAVE_HOLES : edges == EXCLAVE_EDGES) continue;
        if (bits >> OM__TOWNS & 1) continue;  // at the rim of the city
        const uint32_t to = village_beyond(city, grid->middle, bits | own);
        if (to == OM__NONE) continue;
        home->grids--;
        city->village[to].grids++;
        grid->village = to;
        *(hole ? &holes : &edges) += 1;
    }
}

/* Cells within `hops` of a cell; false if one of them is of another grid. */
static bool disc(const struct om__city *city, uint32_t cell, unsigned hops,
                 uint32_t *out, size_t *count)
{
    size_t n = 1, begin = 0;
    out[0] = cell;
    for (unsigned hop = 0; hop < hops; hop++) {
        const size_t end = n;
        for (size_t i = begin; i < end; i++) {
            uint32_t near[OM__SIDES];
            om__mesh_neighbours(&city->mesh, out[i], near);
            for (int k = 0; k < OM__SIDES; k++) {
                if (city->grid_of[near[k]] != city->grid_of[cell]) return false;
                bool known = false;
                for (size_t j = 0; j < n && !known; j++)
                    known = out[j] == near[k];
                if (!known) out[n++] = near[k];
            }
        }
        begin = end;
    }
    *count = n;
    return true;
}

/* The nearest other grid that stands to `grid` as the level says: 0 same
 * village, 1 same town but not village, 2 another town. */
static uint32_t relative(const struct om__city *city, uint32_t grid, int level)
{
    const struct om__grid *own = &city->grid[grid];
    const uint32_t town = city->village[own->village].town;
    uint32_t best = OM__NONE;
    double least = 1e300;
    for (uint32_t g = 0; g < city->grids; g++) {
        const struct om__grid *other = &city->grid[g];
        const bool village = other->village == own->village;
        const bool same_town = city->village[other->village].town == town;
        const int stands = village ? 0 : same_town ? 1 : 2;
        const double d = om__distance(own->middle, other->middle);
        if (g == grid || stands != level || d >= least) continue;
        least = d;
        best = g;
    }
    return best;
}

#define DISC_MAX 64

/* A few cells in the middle of one grid belong to another. */
static void make_enclaves(struct om__city *city, int level)
{
    struct om__dice dice =
        om__dice(city->seed, OM__FOR_EXCLAVE, 1 + (uint64_t)level);
    unsigned made = 0;
    for (int tries = 0; tries < TRIES && made < ENCLAVES; tries++) {
        const uint32_t c = om__dice_below(&dice, city->mesh.cells);
        const unsigned hops = 1 + om__dice_below(&dice, 2);
        if (city->grid_of[c] == OM__NONE) continue;
        uint32_t around[DISC_MAX], part[DISC_MAX];
        size_t n = 0;
        if (!disc(city, c, hops + 2, around, &n)) continue;
        const uint32_t to = relative(city, city->grid_of[c], level);
        if (to == OM__NONE || !disc(city, c, hops, part, &n)) continue;
        // One cell of the ring is left out, so that it is no round blob.
        for (size_t i = 0; i + 1 < n; i++) city->grid_of[part[i]] = to;
        made++;
    }
}

/* Grids in the order of their villages again, and what follows from them. */
static om_status renumber(struct om__city *city)
{
    uint32_t *fresh = om_alloc_array(city->grids, sizeof *fresh);
    struct om__grid *grid = om_calloc(city->grids, sizeof *grid);
    om_status st = fresh && grid ? OM_OK : OM_E_MEMORY;
    if (st) goto done;
    uint32_t next = 0;
    for (uint32_t v = 0; v < city->villages; v++) {
        struct om__village *village = &city->village[v];
        village->first_grid = next;
        village->grids = 0;
        for (uint32_t g = 0; g < city->grids; g++) {
            if (city->grid[g].village != v) continue;
            grid[next] = city->grid[g];
            grid[next].number = ++village->grids;
            fresh[g] = next++;
        }
    }
    memcpy(city->grid, grid, city->grids * sizeof *grid);
    for (uint32_t c = 0; c < city->mesh.cells; c++) {
        uint32_t *g = &city->grid_of[c];
        if (*g == OM__NONE) continue;
        *g = fresh[*g];
        city->village_of[c] = city->grid[*g].village;
        city->town_of[c] = city->village[city->village_of[c]].town;
    }
done:
    om_free(fresh);
    om_free(grid);
    return st;
}

static void name_units(struct om__city *city)
{
    const double cell_m2 = om__mesh_cell_m2(&city->mesh);
    double best[OM__TOWNS] = {0};
    for (uint32_t c = 0; c < city->mesh.cells; c++) {
        const uint32_t v = city->village_of[c];
        if (v == OM__NONE) continue;
        city->village[v].reach_m += cell_m2;
        const uint32_t t = city->town_of[c];
        if ((double)city->urban[c] <= best[t]) continue;
        best[t] = (double)city->urban[c];
        city->town[t].core = om__mesh_middle(&city->mesh, c);
    }
    for (uint32_t v = 0; v < city->villages; v++) {
        struct om__village *village = &city->village[v];
        const struct om__town *town = &city->town[village->town];
        village->reach_m = sqrt(village->reach_m / 3.14159265);
        snprintf(village->code, sizeof village->code, "%s%03u",
                 town->fact->code, v - town->first_village + 1);
        for (uint32_t k = 0; k < village->grids; k++) {
            struct om__grid *grid = &city->grid[village->first_grid + k];
            snprintf(grid->code, sizeof grid->code, "%s%03u", village->code,
                     grid->number);
        }
    }
    om__name_villages(city);
}

om_status om__units_make(struct om__city *city, struct om_err *err)
{
    const uint32_t cells = city->mesh.cells;
    float *weight = om_alloc_array(cells, sizeof *weight);
    if (!weight) return OM_E_MEMORY;
    // Villages follow area more than people; grids the reverse.
    for (uint32_t c = 0; c < cells; c++) weight[c] = 0.25f + city->urban[c];
    om_status st = make_villages(city, weight, err);
    for (uint32_t c = 0; c < cells; c++) {
        const float u = city->urban[c];
        weight[c] = city->cover[c] & OM__COVER_WATER ? 0.03f : 0.04f + u * u;
    }
    if (!st) st = make_grids(city, weight);
    if (!st) {
        if (!city->towns_file) make_exclaves(city);
        for (int level = 0; level < (city->towns_file ? 2 : 3); level++)
            make_enclaves(city, level);
        st = renumber(city);
    }
    if (!st) name_units(city);
    om_free(weight);
    return st;
}
