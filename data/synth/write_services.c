// write_services.c - service centres, organisations, activities, workers.
#include "data/synth/matters.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define ROW_BYTES 768
#define HOUR_S 3600

uint64_t om__jittered(uint64_t seed, unsigned purpose, uint64_t i, uint64_t n,
                      uint64_t total, double swing)
{
    if (i == 0) return 0;
    if (i >= n) return total;
    struct om__dice dice = om__dice(seed, purpose, UINT64_C(1) << 42 | i);
    const double each = (double)total / (double)n;
    const double upto =
        each * (double)i + swing * each * om__dice_between(&dice, -0.5, 0.5);
    return (uint64_t)(upto + 0.5);
}

/* What item i of n gets of a total: exact in sum, different from each other. */
static uint64_t part_of(const struct om__city *city, unsigned salt, uint64_t i,
                        uint64_t n, uint64_t total, double swing)
{
    const uint64_t seed = city->seed + salt;
    return om__jittered(seed, OM__FOR_CENTRE, i + 1, n, total, swing) -
           om__jittered(seed, OM__FOR_CENTRE, i, n, total, swing);
}

/* A house in the village, near its core grid; none: its core itself. */
static struct om__xy place_in_village(const struct om__city *city, uint32_t v,
                                      struct om__dice *dice)
{
    const struct om__village *village = &city->village[v];
    const uint32_t start = om__dice_below(dice, village->grids);
    for (uint32_t k = 0; k < village->grids; k++) {
        const struct om__grid *grid =
            &city->grid[village->first_grid + (start + k) % village->grids];
        if (grid->houses == 0) continue;
        return om__house_door(
            city, grid->first_house + om__dice_below(dice, grid->houses), 0);
    }
    return village->core;
}

static char *put_phone(char *at, uint64_t number)
{
    // No subscriber number begins with four zeros.
    at = om__put_text(at, "0769-0000");
    return om__put_digits(at, number % 10000, 4);
}

static om_status centre_rows(const struct om__city *city, uint64_t first,
                             uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const HOURS[] = {
        "\"Mo-Fr 08:30-12:00,14:00-17:30\"",
        "\"Mo-Sa 08:30-12:00,14:00-17:30\"",
        "\"Mo-Fr 09:00-17:30; Sa 09:00-12:00\"",
    };
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) *
                                    (ROW_BYTES + OM__MATTERS_BYTES)));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        const uint32_t v = (uint32_t)i, n = city->villages;
        struct om__dice dice = om__dice(city->seed, OM__FOR_CENTRE, i);
        at = om__put_place(at, place_in_village(city, v, &dice));
        at = om__put_id(at, 'C', i + 1, 4);
        at = om__put_text(at, city->village[v].name);
        at = om__put(at, "党群服务中心");
        at = om__put_number(at,
                            part_of(city, 1, i, n, city->count.windows, 0.7));
        at = om__put_number(at,
                            part_of(city, 2, i, n, city->count.terminals, 0.1));
        at = om__put_number(at, part_of(city, 3, i, n, city->count.staff, 0.7));
        const uint32_t items =
            OM__MATTERS_LEAST +
            om__dice_below(&dice, OM__MATTERS_MOST - OM__MATTERS_LEAST + 1);
        at = om__put_number(at, items);
        at = om__put_text(at, HOURS[om__dice_below(&dice, 3)]);
        at = put_phone(at, i + 1);
        *at++ = ',';
        at = om__put_matters(at, city, i, items);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

static const struct {
    const char *kind, *name;
} ORGANISATION[] = {
    {"volunteer", "志愿服务队"},  {"charity", "慈善互助会"},
    {"elderly_care", "长者之家"}, {"youth", "青年之家"},
    {"culture", "文化站"},        {"sports", "健身协会"},
    {"residents", "居民议事会"},  {"skills", "技能培训中心"},
};
#define ORGANISATIONS (sizeof ORGANISATION / sizeof *ORGANISATION)

static uint32_t village_of_organisation(const struct om__city *city, uint64_t i)
{
    return (uint32_t)(i * city->villages / city->count.organisation);
}

static struct om__xy place_of_organisation(const struct om__city *city,
                                           uint64_t i)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_ORGANISATION, i);
    return place_in_village(city, village_of_organisation(city, i), &dice);
}

static om_status organisation_rows(const struct om__city *city, uint64_t first,
                                   uint64_t end, struct om_buf *out,
                                   uint64_t *rows)
{
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        const uint32_t v = village_of_organisation(city, i);
        const size_t kind = i % ORGANISATIONS;
        at = om__put_place(at, place_of_organisation(city, i));
        at = om__put_id(at, 'O', i + 1, 5);
        at = om__put_text(at, city->village[v].name);
        at = om__put(at, ORGANISATION[kind].name);
        at = om__put_text(at, ORGANISATION[kind].kind);
        at = put_phone(at, 5000 + i);
        at = om__put_text(at, "Mo-Sa 09:00-18:00");
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

static om_status activity_rows(const struct om__city *city, uint64_t first,
                               uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const TITLE[] = {
        "消防安全讲座", "长者义诊",     "亲子阅读会", "技能培训班",
        "社区运动会",   "邻里议事会",   "青年交流会", "垃圾分类宣传",
        "防诈骗宣讲",   "用电安全检查", "书法班",     "就业招聘会",
    };
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        struct om__dice dice = om__dice(city->seed, OM__FOR_ACTIVITY, i);
        const uint32_t host =
            om__dice_below(&dice, (uint32_t)city->count.organisation);
        // From March to the end of July: some are still to come.
        const int64_t day = 59 + om__dice_below(&dice, 150);
        const int64_t starts = OM__YEAR_S + day * OM__DAY_S +
                               (9 + om__dice_below(&dice, 11)) * HOUR_S;
        const int64_t hours = 1 + om__dice_below(&dice, 3);
        at = om__put_place(at, place_of_organisation(city, host));
        at = om__put_id(at, 'E', i + 1, 5);
        at = om__put_text(at, TITLE[om__dice_below(&dice, 12)]);
        at = om__put_id(at, 'O', (uint64_t)host + 1, 5);
        at = om__put_time(at, starts);
        at = om__put_time(at, starts + hours * HOUR_S);
        at = om__put_number(at, 10 + 5 * om__dice_below(&dice, 19));
        at = om__put_text(at, "https://example.invalid/activity/");
        at = om__put_digits(at, i + 1, 1);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

uint32_t om__worker_grid(const struct om__city *city, uint32_t worker)
{
    uint32_t low = 0, high = city->grids - 1;
    while (low < high) {  // the last grid that begins at or before the worker
        const uint32_t middle = (low + high + 1) / 2;
        if (city->grid[middle].first_worker <= worker)
            low = middle;
        else
            high = middle - 1;
    }
    while (low > 0 && city->grid[low].workers == 0) low--;
    return low;
}

static om_status worker_rows(const struct om__city *city, uint64_t first,
                             uint64_t end, struct om_buf *out, uint64_t *rows)
{
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        const struct om__grid *grid =
            &city->grid[om__worker_grid(city, (uint32_t)i)];
        struct om__dice dice = om__dice(city->seed, OM__FOR_WORKER, i);
        struct om__xy p = grid->middle;
        if (grid->houses)
            p = om__house_door(
                city, grid->first_house + om__dice_below(&dice, grid->houses),
                0);
        // Last seen on the last day, mostly in its working hours.
        const uint32_t ago = 6 * HOUR_S + om__dice_below(&dice, 9 * HOUR_S);
        at = om__put_place(at, p);
        at = om__put_id(at, 'G', i + 1, 5);
        at = om__put_text(at, grid->code);
        at = om__put_time(at, OM__CLOCK_S - ago);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

om_status om__write_services(const struct om__city *city, struct om_err *err)
{
    const struct om__table table[] = {
        {"service_centre",
         "id,name,windows,terminals,staff,items,opening_hours,phone,"
         "matters",
         city->villages, centre_rows},
        {"organisation", "id,name,kind,phone,opening_hours",
         city->count.organisation, organisation_rows},
        {"activity", "id,title,organisation,starts,ends,places,signup_url",
         city->count.activity, activity_rows},
        {"worker", "id,duty_grid,seen", city->workers, worker_rows},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        OM_TRY(om__table_write(city, &table[i], err));
    return OM_OK;
}
