// write_events.c - hazard, visit, check, appeal, tip.
#include "data/synth/events.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define ROW_BYTES 640
#define CHECK_SWING 0.6

/* Days of the year on which the months begin, the clock last. */
static const unsigned MONTH_DAY[OM__MONTHS + 1] = {0,   31,  59,      90,
                                                   120, 151, OM__DAYS};

static char *put_target(char *at, const struct om__hazard *h)
{
    static const char *const NAME[] = {"", "rental", "premises", "building"};
    static const char LETTER[] = {0, 'R', 'P', 'B'};
    at = om__put_text(at, NAME[h->target]);
    if (h->target == OM__TARGET_NONE) {
        *at++ = ',';
        return at;
    }
    return om__put_id(at, LETTER[h->target], (uint64_t)h->target_row + 1, 7);
}

static om_status hazard_rows(const struct om__city *city, uint64_t first,
                             uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const STATUS[] = {"reported", "accepted", "dispatched",
                                         "resolved", "verified"};
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        struct om__hazard h;
        om__hazard_get(city, i, &h);
        const struct om__village *village = om__village_of_house(city, h.house);
        const char *department =
            OM__DEPARTMENT[OM__OBJECT[h.object].department];
        at = om__put_place(at, om__house_door(city, h.house, (uint32_t)i & 7));
        at = om__put_id(at, 'H', i + 1, 7);
        at = om__put_text(at, department);
        at = om__put_text(at, OM__OBJECT[h.object].name);
        at = om__put(at, OM__PROBLEM[h.problem]);
        at = om__put_number(at, h.severity);
        at = om__put_text(at, STATUS[h.status]);
        for (int k = 0; k < OM__STEPS; k++) at = om__put_time(at, h.at_s[k]);
        at = om__put_time(at, h.due_s);
        at = om__put_number(at, h.returned);
        at = om__put_text(at, city->town[village->town].fact->name);
        at = om__put(at, department);
        at = put_target(at, &h);
        at = om__put_id(at, 'G', (uint64_t)h.worker + 1, 5);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

/* One visit of a rental or premises in a month. */
static char *put_visit(char *at, const struct om__city *city, bool rental,
                       uint64_t row, unsigned month, unsigned turn,
                       struct om__dice *dice)
{
    const uint32_t house =
        rental ? city->rental_house[row] : city->premises_house[row];
    const uint32_t grid = om__grid_of_house(city, house);
    at = om__put_place(at,
                       rental ? om__house_address(city, house, 0)
                              : om__house_door(city, house, (uint32_t)row & 7));
    at = om__put_id(at, 'V', month + 1, 1);
    at = om__put_digits(at, turn + 1, 1);
    *at++ = rental ? 'R' : 'P';
    at = om__put_digits(at, row + 1, 7);
    at = om__put_text(at, rental ? "rental" : "premises");
    at = om__put_id(at, rental ? 'R' : 'P', row + 1, 7);
    at =
        om__put_id(at, 'G', (uint64_t)om__grid_worker(city, grid, dice) + 1, 5);
    at = om__put_time(
        at, om__rhythm_at(city, MONTH_DAY[month], MONTH_DAY[month + 1],
                          om__dice_real(dice)));
    at = om__put_number(at, 5 + om__dice_below(dice, 8));
    const double r = om__dice_real(dice);
    at = om__put_number(at, r < 0.83 ? 0 : r < 0.95 ? 1 : r < 0.99 ? 2 : 3);
    *at++ = '\n';
    return at;
}

#define VISITS_MOST (OM__MONTHS * 5)
#define VISIT_BYTES 160

/* All visits of rental or premises number i, from `at` on: VISITS_MOST rows at
 * most. Gives the new end. */
static char *put_visits(char *at, const struct om__city *city, uint64_t i,
                        uint64_t *visits)
{
    const bool rental = i < city->rentals;
    const uint64_t row = rental ? i : i - city->rentals;
    const uint32_t house =
        rental ? city->rental_house[row] : city->premises_house[row];
    const double walk = (double)city->grid[om__grid_of_house(city, house)].walk;
    struct om__dice dice = om__dice(city->seed, OM__FOR_VISIT, i);
    // A house is owed 1 to 4 visits a month; some are not made, and where
    // workers walk much there is one more now and then.
    const unsigned owed =
        rental ? (unsigned)om__rental_level(city, (uint32_t)row) + 1 : 1;
    double done = 0.66 + 0.2 * walk;
    if (done > 0.97) done = 0.97;
    if (!rental) done *= 0.32;
    for (unsigned month = 0; month < OM__MONTHS; month++) {
        unsigned turns = 0;
        for (unsigned k = 0; k < owed; k++)
            turns += om__dice_chance(&dice, done);
        if (rental && om__dice_chance(&dice, 0.06 * walk)) turns++;
        for (unsigned k = 0; k < turns; k++)
            at = put_visit(at, city, rental, row, month, k, &dice);
        *visits += turns;
    }
    return at;
}

uint32_t om__visits_made(const struct om__city *city, uint64_t i)
{
    // Visits follow from the dice, which writing them rolls.
    char rows[VISITS_MOST * VISIT_BYTES];
    uint64_t visits = 0;
    put_visits(rows, city, i, &visits);
    return (uint32_t)visits;
}

static om_status visit_rows(const struct om__city *city, uint64_t first,
                            uint64_t end, struct om_buf *out, uint64_t *rows)
{
    for (uint64_t i = first; i < end; i++) {
        OM_TRY(om_buf_reserve(out, VISITS_MOST * VISIT_BYTES));
        char *at = (char *)out->bytes + out->len;
        out->len = (size_t)(put_visits(at, city, i, rows) - (char *)out->bytes);
    }
    return OM_OK;
}

static om_status check_rows(const struct om__city *city, uint64_t first,
                            uint64_t end, struct om_buf *out, uint64_t *rows)
{
    const uint64_t n = (uint64_t)city->workers * OM__MONTHS;
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        const uint32_t worker = (uint32_t)(i / OM__MONTHS);
        const struct om__grid *grid =
            &city->grid[om__worker_grid(city, worker)];
        const uint64_t upto = om__jittered(city->seed, OM__FOR_CHECK, i + 1, n,
                                           city->count.check, CHECK_SWING);
        const uint64_t from = om__jittered(city->seed, OM__FOR_CHECK, i, n,
                                           city->count.check, CHECK_SWING);
        at = om__put_place(at, grid->middle);
        at = om__put_id(at, 'K', i + 1, 6);
        at = om__put_id(at, 'G', (uint64_t)worker + 1, 5);
        at = om__put_text(at, "2023-");
        at = om__put_digits(at, i % OM__MONTHS + 1, 2);
        at = om__put_number(at, upto - from);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

static uint32_t any_house(const struct om__city *city, struct om__dice *dice)
{
    return om__dice_below(dice, city->houses);
}

/* The micro-projects come first; they began in April 2020. */
#define PROJECTS_SINCE_S INT64_C(1585670400)

static om_status appeal_rows(const struct om__city *city, uint64_t first,
                             uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const KIND[] = {
        "housing", "noise",     "water_power", "traffic", "social_security",
        "medical", "education", "environment", "wages"};
    static const char *const CHANNEL[] = {"hotline", "code", "window"};
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        struct om__dice dice = om__dice(city->seed, OM__FOR_APPEAL, i);
        const bool project = i < city->count.appeal_project;
        const uint32_t house = any_house(city, &dice);
        const double u = om__dice_real(&dice), r = om__dice_real(&dice);
        const int64_t opened =
            project ? PROJECTS_SINCE_S +
                          (int64_t)(u * (double)(OM__CLOCK_S - OM__DAY_S -
                                                 PROJECTS_SINCE_S))
                    : om__rhythm_at(city, 0, OM__DAYS, u);
        const double days = project ? 20 + 100 * r : 0.1 + 12 * r * r;
        const int64_t closed = opened + (int64_t)(days * OM__DAY_S);
        const bool open = closed >= OM__CLOCK_S || om__dice_chance(&dice, 0.02);
        at = om__put_place(
            at, om__house_door(city, house, om__dice_below(&dice, 8)));
        at = om__put_id(at, 'Q', i + 1, 6);
        at = om__put_text(
            at, project ? "micro_project" : KIND[om__dice_below(&dice, 9)]);
        const double way = om__dice_real(&dice);
        at = om__put_text(at, CHANNEL[way < 0.6 ? 0 : way < 0.88 ? 1 : 2]);
        at = om__put_text(at, open ? "open" : "closed");
        at = om__put_time(at, opened);
        at = om__put_time(at, open ? 0 : closed);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

static om_status tip_rows(const struct om__city *city, uint64_t first,
                          uint64_t end, struct om_buf *out, uint64_t *rows)
{
    static const char *const KIND[] = {
        "fire", "illegal_parking", "rubbish",  "building_works",
        "gas",  "road_damage",     "drainage", "other"};
    static const char *const STATUS[] = {"received", "accepted", "rejected",
                                         "done"};
    OM_TRY(om_buf_reserve(out, (size_t)(end - first) * ROW_BYTES));
    char *at = (char *)out->bytes + out->len;
    for (uint64_t i = first; i < end; i++) {
        struct om__dice dice = om__dice(city->seed, OM__FOR_TIP, i);
        const double u =
            ((double)i + om__dice_real(&dice)) / (double)city->count.tip;
        const uint32_t house = any_house(city, &dice);
        const int64_t when = om__rhythm_at(city, 0, OM__DAYS, u);
        const bool fresh = OM__CLOCK_S - when < 2 * OM__DAY_S;
        const double r = om__dice_real(&dice);
        at = om__put_place(
            at, om__house_door(city, house, om__dice_below(&dice, 8)));
        at = om__put_id(at, 'T', i + 1, 6);
        at = om__put_text(at, KIND[om__dice_below(&dice, 8)]);
        at = om__put_text(at, STATUS[fresh      ? om__dice_below(&dice, 2)
                                     : r < 0.12 ? 2
                                     : r < 0.15 ? 1
                                                : 3]);
        at = om__put_time(at, when);
        *at++ = '\n';
        ++*rows;
    }
    out->len = (size_t)(at - (char *)out->bytes);
    return OM_OK;
}

om_status om__write_events(const struct om__city *city, struct om_err *err)
{
    const struct om__table table[] = {
        {"hazard",
         "id,department,item,severity,status,reported,accepted,dispatched,"
         "resolved,verified,due,returned,handler,target_layer,target_id,worker",
         city->count.hazard, hazard_rows},
        {"visit", "id,target_layer,target_id,worker,at,checks_done,found",
         (uint64_t)city->rentals + city->premises, visit_rows},
        {"check", "id,worker,month,count", (uint64_t)city->workers * OM__MONTHS,
         check_rows},
        {"appeal", "id,kind,channel,status,opened,closed",
         city->count.appeal_project + city->count.appeal_call, appeal_rows},
        {"tip", "id,kind,status,at", city->count.tip, tip_rows},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        OM_TRY(om__table_write(city, &table[i], err));
    return OM_OK;
}
