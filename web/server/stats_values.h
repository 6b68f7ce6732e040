// stats_values.h - counts by a column whose values tell of rows.
#ifndef OM_WEB_SERVER_STATS_VALUES_H
#define OM_WEB_SERVER_STATS_VALUES_H

#include "engine/query/query.h"
#include "web/server/server_internal.h"

/**
 * Counts of request->layer by the values of a column, of which there are so
 * many, are about to be told. Where the values tell of rows (ids, free texts:
 * engine/policy/values.h) they are rows to the audit and to the budget of
 * whoever may not take rows away, who is told of no more than a page of them.
 *
 * returns  OM_E_COST, naming `by`: more than that
 */
om_status om__stats_values_tell(struct om__request *request, size_t by,
                                enum om_step step, size_t groups) OM_MUST_USE;

/**
 * The same of counts of few rows (fewer than a crowd) that whoever asks has
 * chosen one by one: by a place, or by a column whose values tell of rows (an
 * id, a text, a moment). Their counts by kinds are what the rows say.
 */
om_status om__stats_few_tell(struct om__request *request,
                             const struct om_query *query) OM_MUST_USE;

/**
 * Refuse what om__stats_values_tell would refuse, before anything is counted,
 * where a look at the first rows is enough to know.
 *
 * cost     16,384 rows at most
 */
om_status om__stats_values_early(struct om__request *request,
                                 const struct om_query *query, size_t by,
                                 enum om_step step) OM_MUST_USE;

#endif
