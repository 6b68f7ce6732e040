// stats_series.h - counts by unit and by day: a picture of any period of them
// follows without asking again.
#ifndef OM_WEB_SERVER_STATS_SERIES_H
#define OM_WEB_SERVER_STATS_SERIES_H

#include "web/server/stats_rates.h"

/** Is series=day asked for? It then costs a pass over the rows. */
bool om__stats_series_asked(const struct om__request *request);
/**
 * The whole answer: of each unit that has anything its counts, or sums of a
 * column of whole numbers, day after day of the city's zone. Refused of
 * persons, by whatever they are counted.
 *
 * test     tests/web/days.test.mjs
 */
om_status om__stats_series_write(struct om__request *request,
                                 const struct om_query *query, size_t by,
                                 size_t sum, struct om_buf *out) OM_MUST_USE;

#endif
