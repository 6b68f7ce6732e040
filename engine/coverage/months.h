// months.h - a window of time cut into calendar months of a zone.
#ifndef OM_ENGINE_COVERAGE_MONTHS_H
#define OM_ENGINE_COVERAGE_MONTHS_H

#include "data/base/status.h"

/* A month [start_s, end_s), and what of it lies in the window [lo_s, hi_s). */
struct om_month {
    int64_t start_s, end_s, lo_s, hi_s;
};

/** The month that a moment lies in; lo, hi are its ends. */
struct om_month om_month_of(int64_t utc_s, int32_t zone_s);
/**
 * The months that [from_s, to_s) touches, in order.
 * shapes   out [most]
 * returns  OM_E_RANGE (from is not before to), OM_E_COST (more than `most`)
 */
om_status om_months_cut(int64_t from_s, int64_t to_s, int32_t zone_s,
                        size_t most, struct om_month *out,
                        size_t *count) OM_MUST_USE;

#endif
