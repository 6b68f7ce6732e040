// houses.c - buildings and streets: which lots are built on, and with what.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/city_internal.h"

#define STRIDE_MOST 8

const char *const OM__USE_NAME[OM__USES] = {
    [OM__USE_RESIDENTIAL] = "residential", [OM__USE_MIXED] = "mixed",
    [OM__USE_COMMERCIAL] = "commercial",   [OM__USE_INDUSTRIAL] = "industrial",
    [OM__USE_PUBLIC] = "public",           [OM__USE_FARM] = "farm",
};

/* What stands in each kind of quarter. MADE UP. */
static const struct habit {
    double use[OM__USES];  // shares
    unsigned floors_least, floors_more;
    double court, ell;  // shares of shapes
    double fill;        // of the lot, each way
    unsigned built_from, built_to;
} HABIT[OM__KINDS] = {
    [OM__KIND_FARM] = {{.4, 0, 0, 0, 0, .6}, 1, 2, 0, .1, .6, 1980, 2015},
    [OM__KIND_VILLAGE] =
        {{.70, .25, .03, .01, .01, 0}, 2, 5, .005, .06, .93, 1985, 2018},
    [OM__KIND_FACTORY] =
        {{.14, .03, .05, .78, 0, 0}, 1, 5, .08, .14, .82, 1992, 2020},
    [OM__KIND_TOWER] =
        {{.86, .06, .06, 0, .02, 0}, 9, 24, .02, .2, .58, 1998, 2022},
    [OM__KIND_CENTRE] =
        {{.10, .42, .43, 0, .05, 0}, 3, 14, .06, .14, .85, 1988, 2021},
    [OM__KIND_PUBLIC] = {{0, 0, .1, 0, .9, 0}, 1, 6, .2, .3, .6, 1985, 2021},
};

/* Lots and street rows of a quarter, counted. */
struct counting {
    struct om__quarter *quarter;
    uint32_t row;
};

static void count_lot(void *ctx, const struct om__lot *lot)
{
    struct counting *c = ctx;
    if (c->row != lot->row) c->quarter->streets++;
    c->row = lot->row;
}

struct shrunk {
    struct om__city *city;
    double shrink;
};

static om_status count_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct shrunk *s = ctx;
    for (size_t q = first; q < end; q++) {
        struct counting c = {&s->city->quarter[q], OM__NONE};
        c.quarter->streets = 0;
        c.quarter->lots =
            om__quarter_lots(s->city, c.quarter, s->shrink, count_lot, &c);
    }
    return OM_OK;
}

/* Lots get smaller until there are enough of them for the scale. */
static om_status make_room(struct om__city *city, double *shrink)
{
    struct shrunk s = {city, city->scale > 1 ? 1 / sqrt(city->scale) : 1};
    for (int round = 0; round < 8; round++) {
        OM_TRY(om_parallel(city->quarters, 16, count_range, &s));
        double lots = 0;
        for (uint32_t q = 0; q < city->quarters; q++)
            lots += city->quarter[q].lots;
        *shrink = s.shrink;
        if (lots >= (double)city->count.building) return OM_OK;
        if (lots < 1) break;
        s.shrink *= sqrt(lots / (1.1 * (double)city->count.building));
    }
    return OM_E_INTERNAL;
}

/* Buildings of each quarter in proportion to its lots, exact in sum for each
 * town. */
static void share_houses(struct om__city *city)
{
    uint64_t before = 0;
    uint32_t house = 0, street = 0, last = OM__NONE;
    for (uint32_t q = 0; q < city->quarters; q++) {
        struct om__quarter *quarter = &city->quarter[q];
        const uint32_t t = om__town_of_quarter(city, q);
        const struct om__town *town = &city->town[t];
        if (t != last) before = 0;
        last = t;
        before += quarter->lots;
        const uint32_t end =
            town->first_house +
            (town->lots ? (uint32_t)(before * town->houses / town->lots) : 0);
        quarter->first_house = house;
        quarter->houses = end - house;
        house = end;
        quarter->first_street = street;
        street += quarter->streets;
        struct om__grid *grid = &city->grid[quarter->grid];
        if (q == grid->first_quarter) grid->first_house = quarter->first_house;
        grid->houses += quarter->houses;
    }
    city->streets = street;
}

struct building {
    struct om__city *city;
    struct om__quarter *quarter;
    uint32_t left_lots, left_houses, next, street, row;
    uint32_t floors_more;  // in this town
    struct om__dice dice;
};

static uint8_t pick_use(const struct habit *habit, double r)
{
    for (unsigned u = 0; u < OM__USES; u++) {
        if (r < habit->use[u]) return (uint8_t)u;
        r -= habit->use[u];
    }
    return OM__USE_RESIDENTIAL;
}

static void build(struct building *b, const struct om__lot *lot)
{
    const struct habit *habit = &HABIT[b->quarter->kind];
    struct om__house *h = &b->city->house[b->next];
    struct om__dice dice = om__dice(b->city->seed, OM__FOR_HOUSE, b->next);
    const double fill = habit->fill * om__dice_between(&dice, 0.88, 1.03);
    const double shape = om__dice_real(&dice);
    *h = (struct om__house){
        .at = lot->at,
        .width_m = (float)(lot->width_m * fill),
        .depth_m = (float)(lot->depth_m * fill),
        .quarter = (uint32_t)(b->quarter - b->city->quarter),
        .street = b->street,
        .rental = OM__NO_ROW,
        .number = (uint16_t)lot->number,
        .front = (int8_t)-lot->side,
        .use = pick_use(habit, om__dice_real(&dice)),
        .built = (uint16_t)(habit->built_from +
                            om__dice_below(&dice, habit->built_to -
                                                      habit->built_from + 1))};
    h->floors = (uint8_t)(habit->floors_least +
                          om__dice_below(&dice, b->floors_more + 1));
    h->shape = shape < habit->court                ? OM__SHAPE_COURT
               : shape < habit->court + habit->ell ? OM__SHAPE_L
                                                   : OM__SHAPE_BOX;
    if (h->use == OM__USE_INDUSTRIAL && b->quarter->kind == OM__KIND_FACTORY)
        h->floors = (uint8_t)(1 + om__dice_below(&dice, 5));
    b->next++;
}

static void take_lot(void *ctx, const struct om__lot *lot)
{
    struct building *b = ctx;
    const struct om__quarter *q = b->quarter;
    // The foot of the lot on the middle of its street.
    const double dx = lot->at.x - q->middle.x, dy = lot->at.y - q->middle.y;
    const double x = dx * q->turn[0] + dy * q->turn[1];
    const struct om__xy foot = {
        q->middle.x + x * q->turn[0] - lot->street_y * q->turn[1],
        q->middle.y + x * q->turn[1] + lot->street_y * q->turn[0]};
    if (b->row != lot->row) {
        if (b->row != OM__NONE) b->street++;
        b->row = lot->row;
        b->city->street[b->street] =
            (struct om__street){foot, foot, (uint32_t)(q - b->city->quarter),
                                (uint16_t)lot->row, 0};
    }
    struct om__street *street = &b->city->street[b->street];
    street->to = foot;
    // Selection sampling: exactly as many as the quarter is due.
    const uint32_t left = b->left_lots--;
    if (om__dice_below(&b->dice, left) >= b->left_houses) return;
    b->left_houses--;
    street->used = 1;
    build(b, lot);
}

static om_status build_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct shrunk *s = ctx;
    for (size_t q = first; q < end; q++) {
        struct om__quarter *quarter = &s->city->quarter[q];
        const double tall =
            s->city->town[om__town_of_quarter(s->city, (uint32_t)q)].tall;
        const unsigned more = HABIT[quarter->kind].floors_more;
        struct building b = {.city = s->city,
                             .quarter = quarter,
                             .floors_more = (uint32_t)(more * tall + 0.5),
                             .left_lots = quarter->lots,
                             .left_houses = quarter->houses,
                             .next = quarter->first_house,
                             .street = quarter->first_street,
                             .row = OM__NONE,
                             .dice = om__dice(s->city->seed, OM__FOR_HOUSE,
                                              UINT64_C(1) << 40 | q)};
        om__quarter_lots(s->city, quarter, s->shrink, take_lot, &b);
    }
    return OM_OK;
}

om_status om__houses_make(struct om__city *city)
{
    struct shrunk s = {.city = city};
    // A small city is built along some of its streets, not thinly along all.
    const double stride = 0.5 / city->scale;
    city->row_stride = stride < 1             ? 1
                       : stride > STRIDE_MOST ? STRIDE_MOST
                                              : (uint32_t)stride;
    OM_TRY(om__settle(city));
    OM_TRY(make_room(city, &s.shrink));
    OM_TRY(om__share_towns(city));
    share_houses(city);
    city->house = om_alloc_array(city->houses, sizeof *city->house);
    city->street = om_calloc(city->streets, sizeof *city->street);
    if (!city->house || !city->street) return OM_E_MEMORY;
    return om_parallel(city->quarters, 16, build_range, &s);
}
