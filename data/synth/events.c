// events.c - the rhythm of the year, and one hazard report from its number.
#include "data/synth/events.h"

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/table.h"

#define HOUR_S 3600
#define HOURS (OM__DAYS * 24)
#define MINUTE_S 60

/* MADE UP: shares of reports by hour of a working day, and of the week from
 * Monday. Workers walk in the morning and the afternoon. */
static const double BY_HOUR[24] = {.15, .1,  .08, .08, .1,  .2,  .5,  1.1,
                                   2.4, 3.6, 3.4, 2.2, 1.3, 1.9, 3.2, 3.5,
                                   3.1, 2.2, 1.4, 1.3, 1.2, .9,  .5,  .25};
static const double BY_WEEKDAY[7] = {1.12, 1.08, 1.05, 1.05, 1.02, .72, .6};

/* Chinese New Year was on 22 January 2023, day 21 of the year counted from 0:
 * the city empties a week before and fills a week after. */
static double by_season(unsigned day)
{
    const int from = (int)day - 21;
    if (from >= -2 && from <= 6) return 0.18;
    if (from > -10 && from < -2) return 0.18 + 0.82 * (-2 - from) / 8.0;
    if (from > 6 && from < 15) return 0.18 + 0.82 * (from - 6) / 9.0;
    return 1 + 0.0009 * (double)day;  // and slowly more
}

static om_status make_rhythm(struct om__city *city)
{
    city->rhythm = om_alloc_array(HOURS + 1, sizeof *city->rhythm);
    if (!city->rhythm) return OM_E_MEMORY;
    double sum = 0;
    for (unsigned h = 0; h < HOURS; h++) {
        const unsigned day = h / 24;
        struct om__dice dice =
            om__dice(city->seed, OM__FOR_HAZARD, UINT64_C(1) << 42 | h);
        city->rhythm[h] = sum;
        // The first of January 2023 was a Sunday.
        sum += BY_HOUR[h % 24] * BY_WEEKDAY[(day + 6) % 7] * by_season(day) *
               om__dice_between(&dice, 0.88, 1.12);
    }
    city->rhythm[HOURS] = sum;
    return OM_OK;
}

int64_t om__rhythm_at(const struct om__city *city, unsigned from_day,
                      unsigned to_day, double u)
{
    const double *sum = city->rhythm;
    const double a = sum[from_day * 24], b = sum[to_day * 24];
    const double want = a + u * (b - a);
    unsigned low = from_day * 24, high = to_day * 24 - 1;
    while (low < high) {
        const unsigned middle = (low + high + 1) / 2;
        if (sum[middle] <= want)
            low = middle;
        else
            high = middle - 1;
    }
    const double part = (want - sum[low]) / (sum[low + 1] - sum[low]);
    return OM__YEAR_S + (int64_t)low * HOUR_S + (int64_t)(part * (HOUR_S - 1));
}

/* More where there is more to find, and where workers walk more. */
static om_status make_background(struct om__city *city)
{
    city->background = om_alloc_array(city->grids, sizeof *city->background);
    if (!city->background) return OM_E_MEMORY;
    double sum = 0;
    for (uint32_t g = 0; g < city->grids; g++) {
        const struct om__grid *grid = &city->grid[g];
        const double risk =
            1 + 0.5 * om__noise(city->seed, 41, grid->middle, 5000);
        sum +=
            (grid->houses + 0.4 * grid->premises) * risk * (double)grid->walk;
        city->background[g] = sum;
    }
    return OM_OK;
}

static om_status add_visits(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct om__city *city = ctx;
    for (size_t i = first; i < end; i++)
        city->visited[i + 1] = om__visits_made(city, i);
    return OM_OK;
}

/* A plain city: reports follow the visits, and nothing else. */
static om_status make_visited(struct om__city *city)
{
    const size_t n = (size_t)city->rentals + city->premises;
    city->visited = om_calloc(n + 1, sizeof *city->visited);
    if (!city->visited) return OM_E_MEMORY;
    OM_TRY(om_parallel(n, 4096, add_visits, city));
    for (size_t i = 0; i < n; i++) city->visited[i + 1] += city->visited[i];
    return OM_OK;
}

static uint64_t block_size(const struct om__city *city, uint64_t block)
{
    const uint64_t left = city->count.hazard - block * OM__HAZARD_BLOCK;
    return left < OM__HAZARD_BLOCK ? left : OM__HAZARD_BLOCK;
}

/* The share of a block's reports that is still open, up to a factor. */
static double open_weight(const struct om__city *city, size_t block,
                          size_t blocks)
{
    const double u = ((double)block + 0.5) / (double)blocks;
    const int64_t at = om__rhythm_at(city, 0, OM__DAYS, u);
    const double days = (double)(OM__CLOCK_S - at) / OM__DAY_S;
    return 0.012 + 0.6 * om__exp(-days / 6);
}

/* How many of each block of reports are still open: the younger the more,
 * exact in sum. */
static om_status share_open(struct om__city *city)
{
    const uint64_t n = city->count.hazard;
    const size_t blocks = (size_t)((n - 1) / OM__HAZARD_BLOCK + 1);
    const uint64_t open = n - city->count.hazard_done;
    city->open = om_alloc_array(blocks, 1);
    if (!city->open) return OM_E_MEMORY;
    double total = 0, sum = 0;
    for (size_t b = 0; b < blocks; b++) total += open_weight(city, b, blocks);
    uint64_t given = 0;
    for (size_t b = 0; b < blocks; b++) {
        sum += open_weight(city, b, blocks);
        const uint64_t upto = (uint64_t)(sum / total * (double)open);
        const uint64_t size = block_size(city, b);
        city->open[b] = (uint8_t)(upto - given < size ? upto - given : size);
        given += city->open[b];
    }
    // What was rounded away or did not fit goes to the youngest with room.
    for (size_t b = blocks; b-- > 0 && given < open;)
        while (city->open[b] < block_size(city, b) && given < open) {
            city->open[b]++;
            given++;
        }
    return OM_OK;
}

om_status om__events_make(struct om__city *city)
{
    OM_TRY(make_rhythm(city));
    OM_TRY(city->plain ? make_visited(city) : make_background(city));
    return share_open(city);
}

/* Is report i among the open ones of its block? Selection sampling, repeated
 * from the start of the block: 64 draws at most. */
static bool is_open(const struct om__city *city, uint64_t i)
{
    const uint64_t block = i / OM__HAZARD_BLOCK;
    uint64_t left = block_size(city, block);
    uint32_t want = city->open[block];
    struct om__dice dice =
        om__dice(city->seed, OM__FOR_HAZARD, UINT64_C(1) << 43 | block);
    for (uint64_t k = block * OM__HAZARD_BLOCK;; k++, left--) {
        const bool open =
            want > 0 && om__dice_below(&dice, (uint32_t)left) < want;
        if (k == i) return open;
        want -= open;
    }
}

/* The hotspot that makes this report, or -1. */
static int hot(const struct om__city *city, int64_t at_s, double r)
{
    for (int k = 0; k < OM__HOTSPOTS; k++) {
        const struct om__hotspot *spot = &city->hotspot[k];
        if (at_s < spot->from_s) continue;
        double share = spot->share;
        if (spot->emerging)  // from nothing to twice its share
            share *= 2.0 * (double)(at_s - spot->from_s) /
                     (double)(spot->to_s - spot->from_s);
        if (r < share) return k;
        r -= share;
    }
    return -1;
}

static uint32_t background_grid(const struct om__city *city, double u)
{
    const double want = u * city->background[city->grids - 1];
    uint32_t low = 0, high = city->grids - 1;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (city->background[middle] > want)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A report of a plain city is made on one of all visits. */
static void place_plainly(const struct om__city *city, struct om__hazard *h,
                          struct om__dice *dice)
{
    const uint32_t n = city->rentals + city->premises;
    const uint64_t visits = city->visited[n];
    const uint64_t want = (uint64_t)(om__dice_real(dice) * (double)visits);
    uint32_t low = 0, high = n - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (city->visited[middle + 1] > want)
            high = middle;
        else
            low = middle + 1;
    }
    const bool rental = low < city->rentals;
    h->object = om__dice_below(dice, OM__OBJECTS);
    h->target = rental ? OM__TARGET_RENTAL : OM__TARGET_PREMISES;
    h->target_row = rental ? low : low - city->rentals;
    h->house =
        rental ? city->rental_house[low] : city->premises_house[h->target_row];
    h->worker = om__grid_worker(city, om__grid_of_house(city, h->house), dice);
}

static void place_hazard(const struct om__city *city, struct om__hazard *h,
                         struct om__dice *dice)
{
    uint32_t grid;
    if (city->plain) {
        place_plainly(city, h, dice);
        return;
    }
    h->target = OM__TARGET_NONE;
    if (h->hotspot >= 0) {
        const struct om__hotspot *spot = &city->hotspot[h->hotspot];
        h->house = spot->house[om__dice_below(dice, spot->houses)];
        h->object = om__dice_chance(dice, 0.7)
                        ? spot->object
                        : om__dice_below(dice, OM__OBJECTS);
        grid = om__grid_of_house(city, h->house);
    } else {
        grid = background_grid(city, om__dice_real(dice));
        const struct om__grid *g = &city->grid[grid];
        h->object = om__dice_below(dice, OM__OBJECTS);
        if (g->premises && om__dice_chance(dice, 0.3)) {
            h->target = OM__TARGET_PREMISES;
            h->target_row =
                g->first_premises + om__dice_below(dice, g->premises);
            h->house = city->premises_house[h->target_row];
        } else {
            h->house = g->houses
                           ? g->first_house + om__dice_below(dice, g->houses)
                           : 0;
        }
    }
    const struct om__house *house = &city->house[h->house];
    if (h->target == OM__TARGET_NONE) {
        const double r = om__dice_real(dice);
        if (house->rental != OM__NO_ROW && r < 0.8) {
            h->target = OM__TARGET_RENTAL;
            h->target_row = house->rental;
        } else if (r < 0.6) {
            h->target = OM__TARGET_BUILDING;
            h->target_row = h->house;
        }
    }
    h->worker = om__grid_worker(city, grid, dice);
}

/* The five steps of a report that is done, squeezed in before the clock. */
static void finish(struct om__hazard *h, const int64_t wait_s[OM__STEPS],
                   struct om__dice *dice)
{
    const int64_t room = OM__CLOCK_S - 1 - h->at_s[0];
    int64_t total = 0;
    for (int k = 1; k < OM__STEPS; k++) total += wait_s[k];
    const bool verified = om__dice_chance(dice, 0.94);
    const int64_t until = verified ? total : total - wait_s[OM__STEP_VERIFIED];
    const double squeeze = until > room ? (double)room / (double)until : 1;
    int64_t after = 0;
    for (int k = 1; k < OM__STEPS; k++) {
        if (k == OM__STEP_VERIFIED && !verified) break;
        after += wait_s[k];
        h->at_s[k] = h->at_s[0] + (int64_t)((double)after * squeeze);
        h->status = (enum om__step)k;
    }
}

static void step_hazard(struct om__hazard *h, bool open, struct om__dice *dice)
{
    static const double DAYS_TO_RESOLVE[] = {0, 4.5, 3, 1.6, 0.7};
    static const int DAYS_DUE[] = {0, 15, 7, 3, 1};
    const double slow = h->returned ? 1.8 : 1;
    // Skewed waits: the square of a uniform, so that most are short.
    const double a = om__dice_real(dice), b = om__dice_real(dice);
    const double c = om__dice_real(dice), d = om__dice_real(dice);
    const int64_t wait_s[OM__STEPS] = {
        0, (int64_t)(MINUTE_S * (2 + 90 * a * a)),
        (int64_t)(MINUTE_S * (5 + 600 * b * b)),
        (int64_t)(OM__DAY_S * slow * DAYS_TO_RESOLVE[h->severity] *
                  (0.05 + 3 * c * c)),
        (int64_t)(HOUR_S * (1 + 70 * d * d))};
    h->due_s = h->at_s[0] + (int64_t)DAYS_DUE[h->severity] * OM__DAY_S;
    h->status = OM__STEP_REPORTED;
    if (!open) {
        finish(h, wait_s, dice);
        return;
    }
    // Open ones stop somewhere before the resolution.
    const double r = om__dice_real(dice);
    const int upto = r < 0.08 ? 0 : r < 0.25 ? 1 : 2;
    for (int k = 1; k <= upto; k++) {
        const int64_t at = h->at_s[k - 1] + wait_s[k];
        if (at >= OM__CLOCK_S) break;
        h->at_s[k] = at;
        h->status = (enum om__step)k;
    }
}

void om__hazard_get(const struct om__city *city, uint64_t i,
                    struct om__hazard *out)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_HAZARD, i);
    *out = (struct om__hazard){0};
    const double u =
        ((double)i + om__dice_real(&dice)) / (double)city->count.hazard;
    out->at_s[0] = om__rhythm_at(city, 0, OM__DAYS, u);
    out->hotspot = hot(city, out->at_s[0], om__dice_real(&dice));
    if (city->plain) out->hotspot = -1;
    place_hazard(city, out, &dice);
    out->problem = om__dice_below(&dice, OM__PROBLEMS);
    const int usual = (int)OM__OBJECT[out->object].severity;
    const double r = om__dice_real(&dice);
    int severity = r < 0.45 ? 1 : r < 0.85 ? usual : usual - 1;
    if (r > 0.985) severity = usual + 1;
    out->severity = (unsigned)(severity < 1 ? 1 : severity > 4 ? 4 : severity);
    const double back = om__dice_real(&dice);
    out->returned = back < 0.915 ? 0 : back < 0.985 ? 1 : back < 0.997 ? 2 : 3;
    step_hazard(out, is_open(city, i), &dice);
}
