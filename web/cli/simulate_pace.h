// simulate_pace.h - how soon a step is made, by what a register has come to.
#ifndef OM_WEB_CLI_SIMULATE_PACE_H
#define OM_WEB_CLI_SIMULATE_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

#define OM__PACE_STEPS 8
#define OM__PACE_BINS 160

/* Of rows of one age at the register's clock, how many have made which step.
 * Zero is empty. test: tests/web/test_simulate_pace.c */
struct om__pace {
    size_t steps;
    size_t bins;  // once fitted: of them, those with rows enough
    double rows[OM__PACE_BINS], age_s[OM__PACE_BINS];  // sums; fitted: means
    double made[OM__PACE_BINS][OM__PACE_STEPS];        // counts; fitted: shares
};

/** One row: its age, and how many of its steps it has made. */
void om__pace_add(struct om__pace *pace, int64_t age_s, size_t made);
/** Make shares of the counts: none falls with age. Once, after the last row. */
void om__pace_fit(struct om__pace *pace);
/** The share of rows that have made step `k` (from 0) at an age. */
double om__pace_share(const struct om__pace *pace, size_t k, double age_s);
/** The age, in seconds, at which the share of step `k` reaches `share`;
 *  infinity: it does not within the register. */
double om__pace_age(const struct om__pace *pace, size_t k, double share);

#endif
