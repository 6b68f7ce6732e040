// patrol.h - were the visits made that are owed: every house in every calendar
// month, by the table of its level.
#ifndef OM_ENGINE_COVERAGE_PATROL_H
#define OM_ENGINE_COVERAGE_PATROL_H

#include "engine/coverage/duty.h"
#include "engine/filter/filter.h"
#include "engine/units.h"

/* THE RULES
 *  1. A calendar month of the city's zone is cut into as many equal parts as
 *     the level is owed visits. One visit falls due at the end of each part,
 *     so of a running month only the parts that are over are due.
 *  2. The table in force when the month begins holds for all of it; before
 *     the first table nothing is owed.
 *  3. A level that began within the month owes the parts it holds whole;
 *     visits count from the day it began. Before it began the level is not
 *     known (a register keeps no history): nothing is judged, and visits of
 *     then are neither done nor extra. One that began after the window leaves
 *     the target unjudged.
 *  4. Visits of one target on one day count once. A visit pays in the month it
 *     is made in, the earliest part first, whether it came in that part or
 *     not: visits made before they are due are `ahead`, those beyond the
 *     month's duty `extra`, and neither makes up for another month.
 *  5. What is due and not done is missed, unless an unverified visit (its
 *     track is not known) may have been it: then it is doubtful. A target
 *     without a miss and with such a visit is unjudged.
 *  6. A target is overdue since the first part that is not paid, in the
 *     earliest month after which nobody came. One that was visited since the
 *     month ended has missed it, but is not overdue. */

/** Months of one question: bounds its memory. OM_E_COST. */
#define OM_PATROL_MONTHS_MOST 60
/** Visits of targets that do not exist: so many are listed. */
#define OM_PATROL_LOST_LISTED 16

struct om_patrol_spec {
    const struct om_snapshot *snapshot;
    const struct om_duty *duty;
    // By target of the duty: rows that are judged (borrowed); NULL: none of
    // that target. [duty->targets]
    struct om_selection *const *selection;
    int64_t from_s, to_s;  // half open
    int64_t at_s;  // the moment of judging; what came later is not known
};

enum om_patrol_state {
    OM_PATROL_OVERDUE,   // somebody should go
    OM_PATROL_MISSED,    // missed, but visited since
    OM_PATROL_UNJUDGED,  // level not known, or done perhaps
    OM_PATROL_NOT_DUE,   // nothing outstanding yet
    OM_PATROL_DONE,      // all of the window's duty
    OM_PATROL_NO_DUTY,   // nothing is owed
    OM_PATROL_STATES
};
/** "overdue", "missed", "unjudged", "not_due", "done", "no_duty". */
const char *om_patrol_state_name(enum om_patrol_state state);

/** No visit, not overdue. */
#define OM_NEVER INT64_MIN

/* One row of the register. done <= due <= owed; visits are days with a visit
 * in the window. */
struct om_patrol_row {
    uint32_t row;  // in its part
    uint16_t part;
    uint8_t target;      // of the duty
    uint8_t level;       // of the target; target's levels: not known
    uint8_t state;       // enum om_patrol_state
    bool judged;         // in at least one month
    uint16_t owed, due;  // in the whole window; so far
    uint16_t done, ahead, extra, doubtful, visits;
    int64_t last_s;     // last visit before at_s, OM_NEVER: none
    int64_t overdue_s;  // since then; OM_NEVER: not overdue
};

/* What the visits themselves are like, before at_s. */
struct om_patrol_visits {
    uint64_t rows;       // of the layer, live
    uint64_t later;      // not before at_s, or without a time
    uint64_t elsewhere;  // of layers that are owed none
    uint64_t lost;       // of a target that does not exist
    uint64_t refused;    // of targets, in the window: verified is false
    uint64_t in_window;  // of targets, in the window, all others
    uint64_t doubtful;   // of these, verified is NULL
    uint64_t repeated;   // of these, not the first of target and day
    size_t losts;        // the first of the lost, in Morton order,
                         // then by id, whatever the parts
    struct om_patrol_lost {
        size_t part, row;
    } lost_row[OM_PATROL_LOST_LISTED];
};

struct om_patrol {
    size_t count;
    struct om_patrol_row *row;  // by target, part, row
    size_t months;
    struct om_patrol_visits visits;
    struct om_arena arena;
};

/**
 * Judge rows of the register.
 *
 * returns  OM_E_RANGE (from is not before to), OM_E_COST (too many months),
 *          OM_E_NOTFOUND (city.json names no visits or targets; err says),
 *          OM_E_DAMAGED, OM_E_MEMORY
 * owns     om_patrol_deinit
 * threads  result does not depend on their number
 * cost     4.1 M visits of 986,000 targets: 0.2 s on two cores
 * test     tests/engine/test_patrol.c, test_patrol_sums.c  bench
 * benchmarks/engine/bench_coverage.c
 */
om_status om_patrol_judge(const struct om_patrol_spec *spec,
                          struct om_patrol *out,
                          struct om_err *err) OM_MUST_USE;
void om_patrol_deinit(struct om_patrol *patrol);

/* Sums over rows of one target and level, in one unit. Whole numbers, so that
 * they do not mind the order. */
struct om_patrol_sum {
    uint64_t rows, state[OM_PATROL_STATES], never;
    uint64_t owed, due, done, ahead, extra, doubtful, visits;
    int64_t overdue_s;  // seconds of all that are overdue
};
/* One sum for each unit (and last for rows in none), target and level (and
 * last for levels not known): at (unit * slots + slot_of[target] + level). */
struct om_patrol_sums {
    size_t units, slots;
    size_t slot_of[OM_DUTY_TARGETS_MOST];
    struct om_patrol_sum *sum;
    struct om_arena arena;
};
/**
 * Sum what was judged by the units of a level.
 * returns  OM_E_NOTFOUND (a target has no column of the level), OM_E_DAMAGED,
 *          OM_E_MEMORY
 * owns     om_patrol_sums_deinit
 */
om_status om_patrol_add_up(const struct om_patrol_spec *spec,
                           const struct om_patrol *patrol,
                           const struct om_units *units,
                           struct om_patrol_sums *out) OM_MUST_USE;
void om_patrol_sums_deinit(struct om_patrol_sums *sums);
void om_patrol_sum_add(struct om_patrol_sum *to,
                       const struct om_patrol_sum *more);
/** What is due and neither done nor doubtful. */
static inline uint64_t om_patrol_missed(const struct om_patrol_sum *s)
{
    return s->due - s->done - s->doubtful;
}

/** Visits that fall due in [lo, hi) of a month [start, end) with n owed: the
 *  parts that lie in it whole; *first is the number of the first. */
int64_t om_patrol_due(int64_t start, int64_t end, int n, int64_t lo, int64_t hi,
                      int64_t *first);

#endif
