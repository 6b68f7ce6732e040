// coverage_service_internal.h - what the answers of coverage service share.
#ifndef OM_WEB_COVERAGE_SERVICE_INTERNAL_H
#define OM_WEB_COVERAGE_SERVICE_INTERNAL_H

#include <math.h>

#include "web/service_say.h"

#define OM__SERVICE_COLUMNS (20 + 4 * OM_TALLY_LIMITS)

/* One answer in the making. */
struct om__service_answer {
    struct om_coverage *q;
    struct om__service s;
    struct om_trips trips;
    const char *level;      // NULL: the city as one
    struct om_units units;  // of the level
    struct om__upper upper;
    uint32_t *unit;          // [crowd.count]
    struct om_tally *tally;  // [units + 1]
    double *access;          // [crowd.count], NULL without a capacity
    double *ratio;           // [centres]
    uint64_t rows;           // of the list of rows: at most so many
    struct om_table_column column[OM__SERVICE_COLUMNS];
    char names[OM__SERVICE_COLUMNS][40];
    size_t columns;
    struct om_table *table;
};

/** Add a column; `of` fills the %s of its name. */
void om__service_column(struct om__service_answer *a, enum om_type type,
                        const char *format, const char *of);
/** count, share, sum and sum_share of each limit. */
void om__service_near_columns(struct om__service_answer *a);
/** What each centre offers. shapes out [centres] */
om_status om__service_capacity(const struct om__service_answer *a,
                               double *out) OM_MUST_USE;

// Lists (coverage_service_lists.c): the columns, then the rows.
void om__service_row_columns(struct om__service_answer *a);
om_status om__service_put_rows(struct om__service_answer *a,
                               const struct om_selection *among) OM_MUST_USE;
void om__service_area_columns(struct om__service_answer *a);
om_status om__service_put_areas(struct om__service_answer *a) OM_MUST_USE;
void om__service_centre_columns(struct om__service_answer *a);
om_status om__service_put_centres(struct om__service_answer *a) OM_MUST_USE;

/* To the millimetre (or a thousandth of a minute): what is said of ways. */
static inline double om__thousandths(double x)
{
    return isfinite(x) ? round(x * 1000) / 1000 : NAN;
}

static inline double om__share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

#endif
