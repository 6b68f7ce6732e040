// crowds.h - how much is exposed, where that is persons who are only counted.
#ifndef OM_WEB_CROWDS_H
#define OM_WEB_CROWDS_H

#include "engine/filter/filter.h"

/**
 * Rates compare cases with what is exposed: visits, say, that a city keeps as
 * personal. Whoever only counts them is told an estimate. Windows that differ by
 * an hour would tell of one visit, so what is counted are the whole months that
 * a window touches, up to now; that is rounded, and the window has its part of
 * it by its length. So all that is told follows from rounded counts of months.
 *
 * shapes   *cover: the window to count; *part: of the count, 0 to 1. Without a
 *          window all of it
 * test     tests/web/rights.test.mjs
 */
void om_crowd_cover(const struct om_window *asked, int64_t now_s,
                    int32_t zone_s, struct om_window *cover, double *part);
/** A count to the nearest multiple of `least`; less than that is 0. */
double om_crowd_round(double count, uint64_t least);

#endif
