// patrol_internal.h - the visits of all targets, gathered by day.
#ifndef OM_ENGINE_COVERAGE_PATROL_INTERNAL_H
#define OM_ENGINE_COVERAGE_PATROL_INTERNAL_H

#include <stdatomic.h>

#include "engine/coverage/idmap.h"
#include "engine/coverage/months.h"
#include "engine/coverage/patrol.h"

/* Who was visited on which days. A target is numbered through all layers:
 * base[target of the duty] + its number in the idmap. */
struct om__rounds {
    size_t months, targets;
    struct om_month month[OM_PATROL_MONTHS_MOST];
    struct om_idmap map[OM_DUTY_TARGETS_MOST];
    size_t base[OM_DUTY_TARGETS_MOST + 1];
    // [targets * months] a bit for each day of the month
    atomic_uint_least32_t *seen;
    atomic_uint_least32_t *doubted;  // NULL: visits need no verification
    atomic_int_least64_t *last;      // [targets] OM_NEVER: none
};

/**
 * Read all visits before at_s.
 * returns  OM_E_DAMAGED, OM_E_MEMORY, OM_E_LIMIT
 * owns     om__rounds_deinit, also after an error
 */
om_status om__rounds_read(const struct om_patrol_spec *spec,
                          struct om__rounds *out,
                          struct om_patrol_visits *visits) OM_MUST_USE;
void om__rounds_deinit(struct om__rounds *rounds);

#endif
