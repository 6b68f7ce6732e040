// coverage_internal.h - what the kinds of coverage share.
#ifndef OM_WEB_COVERAGE_INTERNAL_H
#define OM_WEB_COVERAGE_INTERNAL_H

#include "engine/coverage/duty.h"
#include "engine/units.h"
#include "web/coverage.h"

// One file each: web/coverage_KIND.c.
om_status om__coverage_partition(struct om_coverage *question) OM_MUST_USE;
om_status om__coverage_workload(struct om_coverage *question) OM_MUST_USE;
om_status om__coverage_patrol(struct om_coverage *question) OM_MUST_USE;
om_status om__coverage_service(struct om_coverage *question) OM_MUST_USE;
om_status om__coverage_site(struct om_coverage *question) OM_MUST_USE;

/** Text of an option, NULL if it was not given. */
const char *om__coverage_text(const struct om_coverage *question,
                              const char *name);
/** Was the flag given? */
bool om__coverage_flag(const struct om_coverage *question, const char *name);
/** Note that an option is wrong; returns `status`. */
om_status om__coverage_bad(struct om_coverage *question, const char *option,
                           om_status status, const char *format, ...)
    OM_PRINTF(4, 5);
/** A finite number in [min, max]; untouched if not given. */
om_status om__coverage_real(struct om_coverage *question, const char *name,
                            double min, double max, double *out) OM_MUST_USE;
/** A whole number in [min, max]; untouched if not given. */
om_status om__coverage_whole(struct om_coverage *question, const char *name,
                             uint64_t min, uint64_t max,
                             uint64_t *out) OM_MUST_USE;
/** The level that `by` names, the finest if it was not given. OM_E_NOTFOUND
 *  naming the levels there are. Borrowed from the manifest. */
om_status om__coverage_level(struct om_coverage *question,
                             const char **out) OM_MUST_USE;
/** Are the rows of the layer kept from who asks? */
bool om__coverage_hides(const struct om_coverage *question,
                        const struct om_layer *layer);
/** OM_E_NOTFOUND, and question->refused is the layer, where they are. */
om_status om__coverage_allowed(struct om_coverage *question,
                               const struct om_layer *layer) OM_MUST_USE;
/** Note a layer that the answer is of; NULL is none. A kind that tells one
 *  must tell all. */
void om__coverage_look(struct om_coverage *question,
                       const struct om_layer *layer);
/** A layer by the option that names it, or by a member of city.json (what:
 *  "duty.targets[0].layer"); points: it must be of points. Its rows must not
 *  be hidden. */
om_status om__coverage_layer(struct om_coverage *question, const char *option,
                             const char *name, bool points,
                             const struct om_layer **out) OM_MUST_USE;
/** The filter `where` (HTTP: filter) against a layer; NULL if not given. */
om_status om__coverage_where(struct om_coverage *question,
                             const struct om_layer *layer,
                             struct om_filter **out) OM_MUST_USE;
/** A moment: a date or date and time in the city's zone. Untouched if not
 *  given. */
om_status om__coverage_moment(struct om_coverage *question, const char *name,
                              int64_t *utc_s) OM_MUST_USE;
/** Log the layers that city.json names in its duties and that are not there. */
void om__coverage_missing(const struct om_duty *duty);
/** "" for one, "s" for any other number: "1 gap", "2 gaps". */
static inline const char *om__plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}
/** One row more is about to be told. False: there are as many as may be told at
 *  once, and the list ends. */
bool om__coverage_tell(struct om_coverage *question);
/** Begin the answer's table. */
om_status om__coverage_table(struct om_coverage *question,
                             const struct om_table_column *column,
                             size_t columns, const char *members,
                             struct om_table **out) OM_MUST_USE;

#endif
