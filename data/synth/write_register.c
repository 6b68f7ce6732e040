// write_register.c - address, rental, premises, facility, business.
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define ROW_BYTES 512

/* Floors of a tower stand in one staircase up to this many addresses. */
#define STAIRCASE_ADDRESSES 120

/* Residents of address k of a house: a fair share, then one or two trade
 * places with the neighbouring address, so that homes differ. */
static uint32_t residents_of(const struct om__city *city, uint32_t house,
                             uint32_t k)
{
    const struct om__house *h = &city->house[house];
    const uint64_t n = h->addresses, all = h->residents;
    const uint32_t pair = k & ~1u;
    const uint32_t own = (uint32_t)((k + 1) * all / n - k * all / n);
    if (pair + 1 >= n) return own;
    const uint32_t other =
        (uint32_t)(((k ^ 1u) + 1) * all / n - (k ^ 1u) * all / n);
    struct om__dice dice =
        om__dice(city->seed, OM__FOR_ADDRESS, h->first_address + pair);
    const uint32_t first = om__dice_below(&dice, own + other + 1);
    return k == pair ? first : own + other - first;
}

/* Number on the door: floor and room, or the shop on the ground floor. */
static char *put_room(char *at, const struct om__house *h, uint32_t k)
{
    if (h->addresses == 1) return at;
    const uint32_t stairs = 1 + (h->addresses - 1) / STAIRCASE_ADDRESSES;
    const uint32_t per_stair = (h->addresses + stairs - 1) / stairs;
    const uint32_t stair = k / per_stair, rest = k % per_stair;
    const uint32_t per_floor = (per_stair + h->floors - 1u) / h->floors;
    const uint32_t floor = rest / per_floor + 1, room = rest % per_floor + 1;
    if (stairs > 1) {
        at = om__put_digits(at, stair + 1, 1);
        at = om__put(at, "座");
    }
    at = om__put_digits(at, floor, 1);
    at = om__put_digits(at, room, 2);
    return om__put(at,
                   floor == 1 && h->use != OM__USE_RESIDENTIAL ? "铺" : "房");
}

/* 东莞市虎门镇龙塘社区新兴三巷12号302房, without the room. */
static char *put_street_address(char *at, const struct om__city *city,
                                uint32_t house)
{
    const struct om__house *h = &city->house[house];
    const struct om__street *street = &city->street[h->street];
    at = om__put(at, om__village_of_house(city, house)->text);
    at = om__name_street(city, at, street->quarter, street->row);
    at = om__put_digits(at, h->number, 1);
    at = om__put(at, "号");
    const enum om__kind kind = city->quarter[h->quarter].kind;
    if (kind == OM__KIND_TOWER) {
        at = om__name_estate(at, h->quarter);
        at = om__put_digits(at, h->number, 1);
        at = om__put(at, "栋");
    } else if (kind == OM__KIND_FACTORY && h->addresses > 1) {
        at = om__put_digits(at, 1 + house % 6, 1);
        at = om__put(at, "栋");
    }
    return at;
}

static om_status address_rows(const struct om__city *city, uint64_t first,
                              uint64_t end, struct om_buf *out, uint64_t *rows)
{
    for (uint64_t i = first; i < end; i++) {
        const uint32_t house = (uint32_t)i;
        const struct om__house *h = &city->house[house];
        char text[ROW_BYTES];
        const size_t len =
            (size_t)(put_street_address(text, city, house) - text);
        OM_TRY(om_buf_reserve(out, (size_t)h->addresses * (len + 128)));
        char *at = (char *)out->bytes + out->len;
        for (uint32_t k = 0; k < h->addresses; k++) {
            at = om__put_place(at, om__house_address(city, house, k));
            at = om__put_id(at, 'A', (uint64_t)h->first_address + k + 1, 8);
            *at++ = ',';
            memcpy(at, text, len);
            at = put_room(at + len, h, k);
            at = om__put_id(at, 'B', i + 1, 7);
            at = om__put_number(at, residents_of(city, house, k));
            *at++ = '\n';
        }
        out->len = (size_t)(at - (char *)out->bytes);
        *rows += h->addresses;
    }
    return OM_OK;
}

enum om__level om__rental_level(const struct om__city *city, uint32_t rental)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_RENTAL, rental);
    const double r = om__dice_real(&dice);
    return r < 0.66   ? OM__LEVEL_LENIENT
           : r < 0.89 ? OM__LEVEL_WARNING
           : r < 0.98 ? OM__LEVEL_STRICT
                      : OM__LEVEL_PROHIBITED;
}

static om_status rental_rows(const struct om__city *city, uint64_t first,
                             uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const LEVEL[] = {"lenient", "warning", "strict",
                                        "prohibited"};
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        const uint32_t house = city->rental_house[i];
        const struct om__house *h = &city->house[house];
        const enum om__level level = om__rental_level(city, (uint32_t)i);
        struct om__dice dice =
            om__dice(city->seed, OM__FOR_RENTAL, UINT64_C(1) << 41 | i);
        at = om__put_place(at, om__house_address(city, house, 0));
        at = om__put_id(at, 'R', i + 1, 7);
        at = om__put_id(at, 'B', (uint64_t)house + 1, 7);
        at = om__put_id(at, 'A', (uint64_t)h->first_address + 1, 8);
        at = om__put_text(at, LEVEL[level]);
        const uint32_t days = om__dice_below(&dice, 540);
        at = om__put_date(at,
                          OM__CLOCK_S - OM__DAY_S - (int64_t)days * OM__DAY_S);
        const bool model =
            level == OM__LEVEL_LENIENT && om__dice_chance(&dice, 0.18);
        at = om__put_text(at, model ? "true" : "false");
        at = om__put_number(at, h->residents);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

static unsigned premises_kind(const struct om__city *city, uint32_t house,
                              struct om__dice *dice)
{
    const double r = om__dice_real(dice);
    if (city->house[house].use == OM__USE_INDUSTRIAL) return r < 0.85 ? 1 : 0;
    return r < 0.82 ? 0 : r < 0.95 ? 1 : 2;
}

static om_status premises_rows(const struct om__city *city, uint64_t first,
                               uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const KIND[] = {"shop", "workshop", "entertainment"};
    static const char *const GRADE[] = {"A", "B", "C", "D"};
    const uint64_t people = city->count.premises_residents;
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        const uint32_t house = city->premises_house[i];
        struct om__dice dice = om__dice(city->seed, OM__FOR_PREMISES, i);
        const unsigned kind = premises_kind(city, house, &dice);
        at = om__put_place(
            at, om__house_door(city, house, om__dice_below(&dice, 8)));
        at = om__put_id(at, 'P', i + 1, 7);
        *at++ = ',';
        at = om__name_company(at, (uint32_t)om__dice_bits(&dice),
                              kind == 1 ? 1 : 0);
        if (kind == 2) at = om__put(at, "娱乐部");
        at = om__put_id(at, 'B', (uint64_t)house + 1, 7);
        at = om__put_text(at, KIND[kind]);
        const double r = om__dice_real(&dice);
        at = om__put_text(at, GRADE[r < 0.42   ? 0
                                    : r < 0.8  ? 1
                                    : r < 0.96 ? 2
                                               : 3]);
        at = om__put_number(at, (i + 1) * people / city->premises -
                                    i * people / city->premises);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

/* House of item i of n, spread evenly over all with a random offset. */
static uint32_t spread_house(const struct om__city *city, uint64_t i,
                             uint64_t n, struct om__dice *dice)
{
    const double at = ((double)i + om__dice_real(dice)) / (double)n;
    const uint32_t h = (uint32_t)(at * city->houses);
    return h < city->houses ? h : city->houses - 1;
}

static om_status facility_rows(const struct om__city *city, uint64_t first,
                               uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const struct {
        const char *name;
        double share;
    } KIND[] = {{"street_lamp", .26},      {"camera", .18},
                {"manhole", .17},          {"hydrant", .06},
                {"extinguisher", .12},     {"bin", .07},
                {"distribution_box", .06}, {"charging_point", .04},
                {"bus_stop", .01},         {"elevator", .03}};
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        struct om__dice dice = om__dice(city->seed, OM__FOR_FACILITY, i);
        const uint32_t house =
            spread_house(city, i, city->count.facility, &dice);
        double r = om__dice_real(&dice);
        unsigned k = 0;
        for (; k + 1 < sizeof KIND / sizeof *KIND && r >= KIND[k].share; k++)
            r -= KIND[k].share;
        // At the kerb: a few metres from a door.
        struct om__xy p = om__house_door(city, house, om__dice_below(&dice, 8));
        p.x += om__dice_between(&dice, -6, 6);
        p.y += om__dice_between(&dice, -6, 6);
        at = om__put_place(at, p);
        at = om__put_id(at, 'F', i + 1, 7);
        at = om__put_text(at, KIND[k].name);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

/* A house where business is done, near a random place in the order. */
static uint32_t trading_house(const struct om__city *city, uint64_t i,
                              uint64_t n, struct om__dice *dice)
{
    uint32_t h = spread_house(city, i, n, dice);
    for (int tries = 0; tries < 24; tries++) {
        const uint8_t use = city->house[h].use;
        if (use == OM__USE_MIXED || use == OM__USE_COMMERCIAL ||
            use == OM__USE_INDUSTRIAL)
            break;
        h = h + 1 < city->houses ? h + 1 : h;
    }
    return h;
}

static om_status business_rows(const struct om__city *city, uint64_t first,
                               uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const KIND[] = {"retail",   "manufacturing", "service",
                                       "catering", "logistics",     "other"};
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        struct om__dice dice = om__dice(city->seed, OM__FOR_BUSINESS, i);
        const uint32_t house =
            trading_house(city, i, city->count.business, &dice);
        const bool factory = city->house[house].use == OM__USE_INDUSTRIAL;
        const uint32_t kind = factory ? 1 : om__dice_below(&dice, 6);
        at = om__put_place(
            at, om__house_door(city, house, om__dice_below(&dice, 8)));
        at = om__put_id(at, 'M', i + 1, 7);
        *at++ = ',';
        at = om__name_company(at, (uint32_t)om__dice_bits(&dice),
                              factory     ? 2
                              : kind == 1 ? 1
                                          : 0);
        at = om__put_text(at, KIND[kind]);
        // Most are young: the square of a uniform, over 25 years.
        const double age = om__dice_real(&dice);
        at = om__put_date(at, OM__CLOCK_S - OM__DAY_S -
                                  (int64_t)(age * age * 25 * 365) * OM__DAY_S);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

om_status om__write_register(const struct om__city *city, struct om_err *err)
{
    const struct om__table table[] = {
        {"address", "id,text,building,residents", city->houses, address_rows},
        {"rental",
         "id,building,address,level,level_since,model_house,residents",
         city->rentals, rental_rows},
        {"premises", "id,name,building,kind,fire_grade,residents",
         city->premises, premises_rows},
        {"facility", "id,kind", city->count.facility, facility_rows},
        {"business", "id,name,kind,opened", city->count.business,
         business_rows},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        OM_TRY(om__table_write(city, &table[i], err));
    return OM_OK;
}
