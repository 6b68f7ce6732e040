// settle.c - how much of the city each town has, and room for its buildings.
#include <stdlib.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/city_internal.h"
#include "data/synth/grow.h"

/* DESIGN
 * The lie of the land says where buildings may stand; the census says how many
 * people a town has. Each town is due its part of every total by its people,
 * of buildings less the denser it is: there they are taller. Where the land
 * offers fewer lots than that, the best places become urban villages; where it
 * offers far more, the outermost urban villages become farms and hills. */

#define ROOM_LEAST 1.2  // lots for each building due at scale 1
#define ROOM_MOST 1.5
#define ROOM_AFTER 1.25  // what is left where there were too many
#define TALL_LEAST 0.6
#define TALL_MOST 2.0
#define WORKED 0.25  // factories and offices are given up later than farms

uint32_t om__town_of_quarter(const struct om__city *city, uint32_t quarter)
{
    return city->village[city->grid[city->quarter[quarter].grid].village].town;
}

/* Twice the density is only 2^(3/4) times the buildings on the same land. */
static void weigh_buildings(double *weight)
{
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town_fact *fact = &OM__TOWN_FACT[t];
        weight[t] =
            fact->population * sqrt(sqrt(fact->area_km2 / fact->population));
    }
}

static om_status count_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct om__city *city = ctx;
    for (size_t i = first; i < end; i++)
        city->quarter[i].lots =
            om__quarter_lots(city, &city->quarter[i], 1, NULL, NULL);
    return OM_OK;
}

/* A quarter that may change its kind, and when its turn is. */
struct turn {
    double order;
    uint32_t quarter;
};

static int by_order(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return x->quarter < y->quarter ? -1 : x->quarter > y->quarter;
}

/* What a town has, and what it is due. */
struct need {
    struct om__city *city;
    uint32_t first, end;  // quarters
    double lots, want;
    struct turn *turn;  // [quarters] scratch
};

/* The best places become urban villages until there is room. */
static void grow_villages(struct need *d)
{
    size_t n = 0;
    for (uint32_t i = d->first; i < d->end; i++) {
        const struct om__quarter *q = &d->city->quarter[i];
        const bool worked =
            q->kind == OM__KIND_FACTORY || q->kind == OM__KIND_PUBLIC;
        if (worked || q->kind == OM__KIND_HILL || q->kind == OM__KIND_FARM)
            d->turn[n++] =
                (struct turn){(worked ? WORKED : 0) - (double)q->settled, i};
    }
    qsort(d->turn, n, sizeof *d->turn, by_order);
    for (size_t k = 0; k < n && d->lots < ROOM_LEAST * d->want; k++) {
        struct om__quarter *q = &d->city->quarter[d->turn[k].quarter];
        const uint8_t kind = q->kind;
        q->kind = OM__KIND_VILLAGE;
        const uint32_t lots = om__quarter_lots(d->city, q, 1, NULL, NULL);
        if (lots > q->lots)
            d->lots += lots - q->lots;
        else
            q->kind = kind;
    }
}

/* The outermost urban villages become farms and hills. */
static void thin_villages(struct need *d)
{
    size_t n = 0;
    for (uint32_t i = d->first; i < d->end; i++)
        if (d->city->quarter[i].kind == OM__KIND_VILLAGE)
            d->turn[n++] =
                (struct turn){(double)d->city->quarter[i].settled, i};
    qsort(d->turn, n, sizeof *d->turn, by_order);
    for (size_t k = 0; k < n; k++) {
        const uint32_t i = d->turn[k].quarter;
        struct om__quarter *q = &d->city->quarter[i];
        if (d->lots - q->lots < ROOM_AFTER * d->want) continue;
        d->lots -= q->lots;
        struct om__dice dice =
            om__dice(d->city->seed, OM__FOR_QUARTER, UINT64_C(1) << 40 | i);
        q->kind = om__dice_chance(&dice, 0.6) ? OM__KIND_FARM : OM__KIND_HILL;
    }
}

static om_status settle_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct need *need = ctx;
    for (size_t t = first; t < end; t++) {
        struct need *d = &need[t];
        if (d->lots < ROOM_LEAST * d->want)
            grow_villages(d);
        else if (d->lots > ROOM_MOST * d->want)
            thin_villages(d);
    }
    return OM_OK;
}

om_status om__settle(struct om__city *city)
{
    struct need need[OM__TOWNS];
    double weight[OM__TOWNS], all = 0;
    struct turn *turn = om_alloc_array(city->quarters, sizeof *turn);
    if (!turn) return OM_E_MEMORY;
    om_status st = om_parallel(city->quarters, 16, count_range, city);
    weigh_buildings(weight);
    for (size_t t = 0; t < OM__TOWNS; t++) all += weight[t];
    uint32_t q = 0;
    for (uint32_t t = 0; t < OM__TOWNS; t++) {
        // Only every so manieth row was looked at.
        need[t] = (struct need){.city = city,
                                .first = q,
                                .want = (double)OM__COUNTS.building *
                                        weight[t] / all / city->row_stride,
                                .turn = turn + q};
        for (; q < city->quarters && om__town_of_quarter(city, q) == t; q++)
            need[t].lots += city->quarter[q].lots;
        need[t].end = q;
    }
    if (!st) st = om_parallel(OM__TOWNS, 1, settle_range, need);
    om_free(turn);
    return st;
}

/* People, and what goes with them, only where there are houses. */
static om_status share_people(struct om__city *city)
{
    double weight[OM__TOWNS], room[OM__TOWNS], people = 0;
    uint32_t share[OM__TOWNS], most[OM__TOWNS];
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const bool any = city->town[t].houses > 0;
        weight[t] = any ? OM__TOWN_FACT[t].population : 0;
        most[t] = any ? UINT32_MAX : 0;
        people += weight[t];
    }
    OM_TRY(om__share(weight, OM__TOWNS, city->count.residents, 0, most, share));
    for (size_t t = 0; t < OM__TOWNS; t++) {
        city->town[t].residents = share[t];
        // Every house has an address; what is more goes by people.
        room[t] = weight[t] / people * (double)city->count.address -
                  city->town[t].houses;
        if (room[t] < 0) room[t] = 0;
    }
    OM_TRY(om__share(room, OM__TOWNS, city->count.address - city->houses, 0,
                     most, share));
    const double usual = (double)city->count.address / city->houses;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        struct om__town *town = &city->town[t];
        town->addresses = town->houses + share[t];
        const double tall =
            town->houses ? (double)town->addresses / town->houses / usual : 1;
        town->tall = tall < TALL_LEAST  ? TALL_LEAST
                     : tall > TALL_MOST ? TALL_MOST
                                        : tall;
    }
    return OM_OK;
}

om_status om__share_towns(struct om__city *city)
{
    double weight[OM__TOWNS];
    uint32_t most[OM__TOWNS] = {0}, share[OM__TOWNS];
    weigh_buildings(weight);
    for (uint32_t q = 0; q < city->quarters; q++)
        most[om__town_of_quarter(city, q)] += city->quarter[q].lots;
    OM_TRY(om__share(weight, OM__TOWNS, city->count.building, 0, most, share));
    city->houses = (uint32_t)city->count.building;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        city->town[t].houses = share[t];
        city->town[t].lots = most[t];
        city->town[t].first_house =
            t ? city->town[t - 1].first_house + share[t - 1] : 0;
    }
    return share_people(city);
}
