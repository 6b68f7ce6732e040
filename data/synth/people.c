// people.c - who lives, rents, trades and walks where; the planted hotspots.
#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/city_internal.h"
#include "data/synth/grow.h"

#define ADDRESSES_MOST 319.0  // before scaling, so that towers stay near 400
#define HOTSPOT_APART_M 4000.0
#define HOTSPOT_TRIES 20000

static uint64_t scaled(uint64_t n, double scale)
{
    const uint64_t rows = (uint64_t)((double)n * scale + 0.5);
    return rows ? rows : 1;
}

void om__city_count(struct om__city *city)
{
    const double s = city->scale;
    const struct om__counts *full = &OM__COUNTS;
    uint64_t villages = 0;
    for (size_t t = 0; t < OM__TOWNS; t++)
        villages += OM__TOWN_FACT[t].villages < 2 ? 1 : 2;
    if (villages < scaled(full->village, s))
        villages = scaled(full->village, s);
    if (villages > full->village) villages = full->village;
    uint64_t grids = 2 * villages;
    if (grids < scaled(full->grid, s)) grids = scaled(full->grid, s);
    if (grids > full->grid) grids = full->grid;
    const double units = (double)villages / (double)full->village;
    city->count = (struct om__counts){
        .village = villages,
        .grid = grids,
        .building = scaled(full->building, s),
        .address = scaled(full->address, s),
        .residents = scaled(full->residents, s),
        .rental = scaled(full->rental, s),
        .rental_residents = scaled(full->rental_residents, s),
        .premises = scaled(full->premises, s),
        .premises_residents = scaled(full->premises_residents, s),
        .facility = scaled(full->facility, s),
        .business = scaled(full->business, s),
        .windows = scaled(full->windows, units),
        .terminals = scaled(full->terminals, units),
        .staff = scaled(full->staff, units),
        .organisation = scaled(full->organisation, s),
        .activity = scaled(full->activity, s),
        .worker = scaled(full->worker, s),
        .hazard = scaled(full->hazard, s),
        .hazard_done = scaled(full->hazard_done, s),
        .check = scaled(full->check, s),
        .appeal_project = scaled(full->appeal_project, s),
        .appeal_call = scaled(full->appeal_call, s),
        .tip = scaled(full->tip, s),
        .wish = scaled(full->wish, s),
    };
}

/* Addresses in proportion: a door in a shed, hundreds in a tower. */
static double address_weight(const struct om__city *city, uint32_t h)
{
    const struct om__house *house = &city->house[h];
    const enum om__kind kind = city->quarter[house->quarter].kind;
    struct om__dice dice =
        om__dice(city->seed, OM__FOR_ADDRESS, UINT64_C(1) << 40 | h);
    const double r = om__dice_real(&dice), floors = house->floors;
    double n = 0;
    if (house->use == OM__USE_RESIDENTIAL || house->use == OM__USE_MIXED)
        n = kind == OM__KIND_TOWER     ? floors * (2 + 9 * r * r)
            : kind == OM__KIND_FACTORY ? floors * (3 + 5 * r)
            : kind == OM__KIND_CENTRE  ? floors * (1 + 3 * r)
                                       : floors * 2.2 * r * r;
    else if (house->use == OM__USE_COMMERCIAL)
        n = floors * 2.5 * r * r;
    else if (house->use == OM__USE_INDUSTRIAL)
        n = 3 * r;
    return n < ADDRESSES_MOST ? n : ADDRESSES_MOST;
}

static void share_addresses(struct om__city *city)
{
    double total = 0, sum = 0;
    for (uint32_t h = 0; h < city->houses; h++)
        total += address_weight(city, h);
    if (total <= 0) total = 1;
    const double spare = (double)(city->count.address - city->houses);
    uint32_t given = 0;
    for (uint32_t h = 0; h < city->houses; h++) {
        sum += address_weight(city, h);
        const bool last = h + 1 == city->houses;
        const uint32_t upto =
            last ? (uint32_t)spare : (uint32_t)(sum / total * spare);
        city->house[h].first_address = given + h;
        city->house[h].addresses = upto - given + 1;
        given = upto;
    }
}

static bool rentable(const struct om__city *city, const struct om__house *h)
{
    return city->quarter[h->quarter].kind == OM__KIND_VILLAGE &&
           (h->use == OM__USE_RESIDENTIAL || h->use == OM__USE_MIXED);
}

static om_status choose_rentals(struct om__city *city)
{
    uint32_t want = (uint32_t)city->count.rental, candidates = 0;
    for (uint32_t h = 0; h < city->houses; h++)
        candidates += rentable(city, &city->house[h]);
    const bool any = candidates < want;  // too few villages: wherever
    if (any) candidates = city->houses;
    city->rental_house = om_alloc_array(want, sizeof *city->rental_house);
    if (!city->rental_house) return OM_E_MEMORY;
    for (uint32_t h = 0; h < city->houses && city->rentals < want; h++) {
        if (!any && !rentable(city, &city->house[h])) continue;
        struct om__dice dice =
            om__dice(city->seed, OM__FOR_RENTAL, UINT64_C(1) << 40 | h);
        if (om__dice_below(&dice, candidates--) >= want - city->rentals)
            continue;
        city->house[h].rental = city->rentals;
        city->rental_house[city->rentals++] = h;
    }
    return OM_OK;
}

static double resident_weight(const struct om__city *city, uint32_t h)
{
    const struct om__house *house = &city->house[h];
    struct om__dice dice =
        om__dice(city->seed, OM__FOR_HOUSE, UINT64_C(1) << 41 | h);
    const double r = om__dice_between(&dice, 0.3, 1.7);
    const enum om__kind kind = city->quarter[house->quarter].kind;
    if (house->use == OM__USE_RESIDENTIAL)
        return (house->addresses + 0.5) * r *
               (kind == OM__KIND_FACTORY ? 2.5 : 1);
    return house->use == OM__USE_MIXED ? 0.6 * house->addresses * r : 0;
}

/* Residents of rentals and of all others, each exact in sum. */
static void share_residents(struct om__city *city)
{
    const double all = (double)city->count.residents;
    const double rented = (double)city->count.rental_residents;
    double total[2] = {0}, sum[2] = {0};
    uint32_t given[2] = {0}, last[2] = {OM__NONE, OM__NONE};
    for (uint32_t h = 0; h < city->houses; h++) {
        const double weight = resident_weight(city, h);
        const int pool = city->house[h].rental != OM__NO_ROW;
        total[pool] += weight;
        if (weight > 0) last[pool] = h;
    }
    const double share[2] = {all - rented, rented};
    for (uint32_t h = 0; h < city->houses; h++) {
        const int pool = city->house[h].rental != OM__NO_ROW;
        sum[pool] += resident_weight(city, h);
        uint32_t upto = given[pool];
        if (h == last[pool])
            upto = (uint32_t)share[pool];
        else if (last[pool] != OM__NONE && h < last[pool])
            upto = (uint32_t)(sum[pool] / total[pool] * share[pool]);
        city->house[h].residents = upto - given[pool];
        given[pool] = upto;
    }
}

static double premises_weight(const struct om__city *city, uint32_t h)
{
    const struct om__house *house = &city->house[h];
    const enum om__kind kind = city->quarter[house->quarter].kind;
    switch (house->use) {
        case OM__USE_MIXED:
            return kind == OM__KIND_CENTRE ? 3 : 1.4;
        case OM__USE_COMMERCIAL:
            return 2.5;
        case OM__USE_INDUSTRIAL:
            return 0.8;
        case OM__USE_RESIDENTIAL:
            return kind == OM__KIND_VILLAGE ? 0.08 : 0.2;
        default:
            return 0;
    }
}

static om_status share_premises(struct om__city *city)
{
    const uint32_t want = (uint32_t)city->count.premises;
    city->premises_house = om_alloc_array(want, sizeof *city->premises_house);
    if (!city->premises_house) return OM_E_MEMORY;
    double total = 0, sum = 0;
    for (uint32_t h = 0; h < city->houses; h++)
        total += premises_weight(city, h);
    if (total <= 0) total = 1;
    uint32_t given = 0;
    for (uint32_t g = 0; g < city->grids; g++) {
        struct om__grid *grid = &city->grid[g];
        grid->first_premises = given;
        for (uint32_t k = 0; k < grid->houses; k++) {
            const uint32_t h = grid->first_house + k;
            sum += premises_weight(city, h);
            const uint32_t upto =
                h + 1 == city->houses ? want : (uint32_t)(sum / total * want);
            while (given < upto) city->premises_house[given++] = h;
        }
        grid->premises = given - grid->first_premises;
    }
    city->premises = given;
    return OM_OK;
}

double om__worker_zeal(const struct om__city *city, uint32_t worker)
{
    struct om__dice dice =
        om__dice(city->seed, OM__FOR_WORKER, UINT64_C(1) << 40 | worker);
    return om__exp(0.45 * om__dice_normal(&dice));
}

/* Workers by how much there is to do; a grid may have none at small scale. */
static om_status share_workers(struct om__city *city)
{
    const uint32_t grids = city->grids;
    double *weight = om_alloc_array(grids, sizeof *weight);
    uint32_t *share = om_alloc_array(grids, sizeof *share);
    om_status st = weight && share ? OM_OK : OM_E_MEMORY;
    for (uint32_t g = 0; g < grids && !st; g++)
        weight[g] = city->grid[g].houses + 1.0;
    const uint64_t least = city->count.worker >= grids ? 1 : 0;
    if (!st)
        st = om__share(weight, grids, city->count.worker, least, NULL, share);
    uint32_t next = 0;
    for (uint32_t g = 0; g < grids && !st; g++) {
        struct om__grid *grid = &city->grid[g];
        grid->first_worker = next;
        grid->workers = share[g];
        next += share[g];
        double zeal = 0;
        for (uint32_t k = 0; k < share[g]; k++)
            zeal += om__worker_zeal(city, grid->first_worker + k);
        zeal = share[g] ? zeal / share[g] : 1;
        // Zeal varies by grid as well: the bias that analysis must remove.
        struct om__dice dice =
            om__dice(city->seed, OM__FOR_WORKER, UINT64_C(1) << 41 | g);
        grid->walk = (float)(zeal * om__exp(0.35 * om__dice_normal(&dice)));
    }
    city->workers = next;
    om_free(weight);
    om_free(share);
    return st;
}

om_status om__people_make(struct om__city *city)
{
    share_addresses(city);
    OM_TRY(choose_rentals(city));
    share_residents(city);
    OM_TRY(share_premises(city));
    return share_workers(city);
}

static bool apart(const struct om__city *city, size_t n, struct om__xy p,
                  double least)
{
    for (size_t i = 0; i < n; i++)
        if (om__distance(city->hotspot[i].at, p) < least) return false;
    return true;
}

static om_status gather(struct om__city *city, struct om__hotspot *spot)
{
    for (int fill = 0; fill < 2; fill++) {
        uint32_t n = 0;
        for (uint32_t h = 0; h < city->houses; h++) {
            const double d = om__distance(city->house[h].at, spot->at);
            if (d > spot->radius_m) continue;
            if (fill) spot->house[n] = h;
            n++;
        }
        if (fill) continue;
        spot->houses = n;
        spot->house = om_alloc_array(n, sizeof *spot->house);
        if (!spot->house) return OM_E_MEMORY;
    }
    return OM_OK;
}

om_status om__hotspots_make(struct om__city *city)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_HOTSPOT, 0);
    for (size_t i = 0; i < OM__HOTSPOTS; i++) {
        struct om__hotspot *spot = &city->hotspot[i];
        uint32_t h = 0;
        for (int tries = 0; tries < HOTSPOT_TRIES; tries++) {
            h = om__dice_below(&dice, city->houses);
            const enum om__kind kind =
                city->quarter[city->house[h].quarter].kind;
            if (kind != OM__KIND_VILLAGE && kind != OM__KIND_FACTORY &&
                kind != OM__KIND_CENTRE)
                continue;
            if (apart(city, i, city->house[h].at, HOTSPOT_APART_M)) break;
        }
        spot->at = city->house[h].at;
        spot->radius_m = om__dice_between(&dice, 220, 420);
        spot->object = om__dice_below(&dice, OM__OBJECTS);
        spot->emerging = i >= OM__HOTSPOTS_STEADY;
        spot->from_s = OM__YEAR_S;
        spot->to_s = OM__CLOCK_S;
        spot->share = om__dice_between(&dice, 0.0009, 0.0022);
        if (spot->emerging) {
            // Three weeks and two weeks before the clock.
            spot->from_s = OM__CLOCK_S - (i == OM__HOTSPOTS_STEADY ? 21 : 14) *
                                             (int64_t)OM__DAY_S;
            spot->share = 0.006;
        }
        OM_TRY(gather(city, spot));
    }
    return OM_OK;
}
