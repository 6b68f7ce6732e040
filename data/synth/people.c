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
    uint32_t given = 0;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town *town = &city->town[t];
        const uint32_t end = town->first_house + town->houses;
        const double spare = town->addresses - town->houses;
        double total = 0, sum = 0;
        for (uint32_t h = town->first_house; h < end; h++)
            total += address_weight(city, h);
        if (total <= 0) total = 1;
        uint32_t more = 0;
        for (uint32_t h = town->first_house; h < end; h++) {
            sum += address_weight(city, h);
            const uint32_t upto = h + 1 == end
                                      ? (uint32_t)spare
                                      : (uint32_t)(sum / total * spare);
            city->house[h].first_address = given;
            city->house[h].addresses = upto - more + 1;
            given += city->house[h].addresses;
            more = upto;
        }
    }
}

static bool rentable(const struct om__city *city, const struct om__house *h)
{
    return city->quarter[h->quarter].kind == OM__KIND_VILLAGE &&
           (h->use == OM__USE_RESIDENTIAL || h->use == OM__USE_MIXED);
}

static om_status choose_rentals(struct om__city *city)
{
    const uint32_t want = (uint32_t)city->count.rental;
    double weight[OM__TOWNS];
    uint32_t candidates[OM__TOWNS] = {0}, most[OM__TOWNS], share[OM__TOWNS];
    uint64_t all = 0;
    for (uint32_t h = 0, t = 0; h < city->houses; h++) {
        while (h >= city->town[t].first_house + city->town[t].houses) t++;
        candidates[t] += rentable(city, &city->house[h]);
    }
    for (size_t t = 0; t < OM__TOWNS; t++) all += candidates[t];
    const bool any = all < want + OM__TOWNS;  // too few villages: wherever
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const uint32_t houses = city->town[t].houses;
        if (any) candidates[t] = houses;
        weight[t] = candidates[t] ? OM__TOWN_FACT[t].population : 0;
        // One house at least is no rental: somebody owns a home.
        most[t] = candidates[t] && candidates[t] == houses ? houses - 1
                                                           : candidates[t];
    }
    OM_TRY(om__share(weight, OM__TOWNS, want, 0, most, share));
    city->rental_house = om_alloc_array(want, sizeof *city->rental_house);
    if (!city->rental_house) return OM_E_MEMORY;
    for (uint32_t h = 0, t = 0; h < city->houses; h++) {
        while (h >= city->town[t].first_house + city->town[t].houses) t++;
        if (!any && !rentable(city, &city->house[h])) continue;
        struct om__dice dice =
            om__dice(city->seed, OM__FOR_RENTAL, UINT64_C(1) << 40 | h);
        if (om__dice_below(&dice, candidates[t]--) >= share[t]) continue;
        share[t]--;
        city->town[t].rentals++;
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
    if (house->use == OM__USE_MIXED) return 0.75 * house->addresses * r;
    // Who lives where he works.
    return house->use == OM__USE_COMMERCIAL || house->use == OM__USE_INDUSTRIAL
               ? 0.25 * house->addresses * r
               : 0;
}

/* The residents of one pool of a town's houses, rentals or all others, by
 * weight; by addresses where no house of the pool is a home. */
static void share_pool(struct om__city *city, const struct om__town *town,
                       bool rented, double share)
{
    const uint32_t end = town->first_house + town->houses;
    double total[2] = {0}, sum = 0;
    uint32_t last[2] = {OM__NONE, OM__NONE}, given = 0;
    for (uint32_t h = town->first_house; h < end; h++) {
        if ((city->house[h].rental != OM__NO_ROW) != rented) continue;
        const double weight = resident_weight(city, h);
        total[0] += weight;
        total[1] += city->house[h].addresses;
        if (weight > 0) last[0] = h;
        last[1] = h;
    }
    const int by = total[0] > 0 ? 0 : 1;
    for (uint32_t h = town->first_house; h < end; h++) {
        struct om__house *house = &city->house[h];
        if ((house->rental != OM__NO_ROW) != rented) continue;
        sum += by ? house->addresses : resident_weight(city, h);
        const uint32_t upto = h >= last[by]
                                  ? (uint32_t)share
                                  : (uint32_t)(sum / total[by] * share);
        house->residents = upto - given;
        given = upto;
    }
}

/* Residents of rentals and of all others, each exact in sum, and so are those
 * of each town. */
static om_status share_residents(struct om__city *city)
{
    double weight[OM__TOWNS];
    uint32_t most[OM__TOWNS], rented[OM__TOWNS];
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town *town = &city->town[t];
        weight[t] = town->rentals;
        most[t] = town->rentals ? town->residents : 0;
    }
    OM_TRY(om__share(weight, OM__TOWNS, city->count.rental_residents, 0, most,
                     rented));
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town *town = &city->town[t];
        share_pool(city, town, true, rented[t]);
        share_pool(city, town, false, town->residents - rented[t]);
    }
    return OM_OK;
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

/* By people to the towns, by weight to their houses. */
static om_status share_premises(struct om__city *city)
{
    const uint32_t want = (uint32_t)city->count.premises;
    double total[OM__TOWNS] = {0}, weight[OM__TOWNS];
    uint32_t most[OM__TOWNS], share[OM__TOWNS];
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town *town = &city->town[t];
        for (uint32_t k = 0; k < town->houses; k++)
            total[t] += premises_weight(city, town->first_house + k);
        weight[t] = total[t] > 0 ? OM__TOWN_FACT[t].population : 0;
        most[t] = total[t] > 0 ? want : 0;
    }
    OM_TRY(om__share(weight, OM__TOWNS, want, 0, most, share));
    city->premises_house = om_alloc_array(want, sizeof *city->premises_house);
    if (!city->premises_house) return OM_E_MEMORY;
    uint32_t given = 0, before = 0, t = 0;
    double sum = 0;
    for (uint32_t g = 0; g < city->grids; g++) {
        struct om__grid *grid = &city->grid[g];
        grid->first_premises = given;
        for (uint32_t k = 0; k < grid->houses; k++) {
            const uint32_t h = grid->first_house + k;
            while (h >= city->town[t].first_house + city->town[t].houses) {
                before += share[t++];
                sum = 0;
            }
            sum += premises_weight(city, h);
            const bool last =
                h + 1 == city->town[t].first_house + city->town[t].houses;
            const uint32_t upto =
                before +
                (last ? share[t] : (uint32_t)(sum / total[t] * share[t]));
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
    OM_TRY(share_residents(city));
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
