// series.h - how much of what there is in each unit on each day.
#ifndef OM_ENGINE_QUERY_SERIES_H
#define OM_ENGINE_QUERY_SERIES_H

#include "engine/query/days.h"
#include "engine/units.h"

/** Units times days: as many numbers are held and told at most. */
#define OM_SERIES_MOST ((size_t)2 << 20)

/* Zero is a valid empty one. */
struct om_series {
    int64_t first;     // days since 1970-01-01 by the clock of the zone
    uint32_t days;     // 0: there is nothing
    uint64_t earlier;  // rows before the first day, left out
    size_t units;      // as in om_units, and one more for rows in none of them
    om_wide *sum;      // [units * days], a unit's days beside each other; owned
};

/**
 * Sum `sum_column` (OM_NO_FIELD: count) of the rows that match by unit and by
 * day of the layer's time in the zone: of any days from the first to the last
 * they add up to what om_query_group tells of them. Rows without a time are
 * left out; those without a number in the column add nothing.
 *
 * returns  OM_E_NOTFOUND  the layer has no time, or no column of the level
 *          OM_E_TYPE      the column holds no whole numbers
 *          OM_E_COST      more than OM_DAYS_MOST days, or OM_SERIES_MOST
 *                         numbers, from where the window begins; of one that
 *                         does not say where the newest days are told
 *          and as om_query_count; *out is empty then
 * owns     om_series_deinit
 * threads  any
 * cost     some 10 ns a row, 16 bytes a number
 * test     tests/engine/test_query_series.c
 */
om_status om_query_series(const struct om_query *query,
                          const struct om_units *units, int32_t zone_s,
                          size_t sum_column, struct om_series *out) OM_MUST_USE;
void om_series_deinit(struct om_series *series);

#endif
