// service_say.h - what the figures of service and sites say, in English and
// Chinese.
#ifndef OM_WEB_SERVICE_SAY_H
#define OM_WEB_SERVICE_SAY_H

#include "engine/reach/areas.h"
#include "web/service_plan.h"

/* Units and those a level above them, by which they are called. */
struct om__upper {
    const struct om_units *units;
    struct om_units above;
    uint32_t *parent;  // [units->count], NULL: there is no level above
};
om_status om__upper_read(struct om_coverage *q, const struct om_units *units,
                         struct om__upper *out) OM_MUST_USE;
void om__upper_deinit(struct om__upper *upper);

/** What a tally says of unit `u` (upper NULL: of all of `name`). */
void om__say_unit(const struct om__service *s, const struct om__upper *upper,
                  size_t u, const char *name, const struct om_tally *tally,
                  struct om_buf *en, struct om_buf *zh);
/** What an area without service says; m is from its heaviest position. */
void om__say_area(const struct om__service *s, const struct om__upper *upper,
                  size_t u, const struct om_area *area, double m,
                  struct om_buf *en, struct om_buf *zh);
/** What a new site brings. rank from 1; before: weight near before it. */
void om__say_site(const struct om__service *s, const struct om__upper *upper,
                  size_t u, size_t rank, int64_t gain, int64_t before,
                  int64_t all, struct om_nearness near, struct om_buf *en,
                  struct om_buf *zh);

#endif
