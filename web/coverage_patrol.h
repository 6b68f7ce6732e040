// coverage_patrol.h - a question of patrols, between its files.
#ifndef OM_WEB_COVERAGE_PATROL_H
#define OM_WEB_COVERAGE_PATROL_H

#include "engine/coverage/patrol.h"
#include "web/coverage_few.h"

struct om__patrol_question {
    struct om_coverage *question;
    struct om_duty duty;
    struct om_filter *filter[OM_DUTY_TARGETS_MOST];
    struct om_selection *selection[OM_DUTY_TARGETS_MOST];
    struct om_patrol_spec spec;
    struct om_patrol patrol;
    struct om__veil veil;
    struct om_arena arena;
};

/**
 * Read the options layer, where, month, time and at, and judge.
 * owns     om__patrol_close, also after an error
 */
om_status om__patrol_open(struct om_coverage *question,
                          struct om__patrol_question *out) OM_MUST_USE;
/** The same, but a city without targets or visits is fine: nothing is judged
 *  then. workers: the answer is of them, too. */
om_status om__patrol_open_any(struct om_coverage *question, bool workers,
                              struct om__patrol_question *out) OM_MUST_USE;
void om__patrol_close(struct om__patrol_question *patrol);
/** The window and moment that month, time and at mean; without them the
 *  last month that ended by `at`, which is the city's clock. */
om_status om__patrol_window(struct om_coverage *question,
                            const struct om_duty *duty, int64_t *from_s,
                            int64_t *to_s, int64_t *at_s) OM_MUST_USE;
/** JSON members: window, moment, visits, totals; of a list what its rows come
 *  to, those beyond its limit too (NULL: none). owns: `out`, ends in NUL. */
om_status om__patrol_members(struct om__patrol_question *patrol,
                             const struct om_patrol_sum *listed,
                             struct om_buf *out) OM_MUST_USE;
/** Write the field of overdue risk to the file that `raster` names, if it was
 *  given. */
om_status om__patrol_field(struct om__patrol_question *patrol) OM_MUST_USE;
/** Sums as a table: a line a unit of `level`, or its levels apart (the flag
 *  levels); by_level: a line a level of the register. */
om_status om__patrol_table(struct om__patrol_question *patrol,
                           const char *level, bool by_level) OM_MUST_USE;
/** The rows themselves, those to go to first. */
om_status om__patrol_list(struct om__patrol_question *patrol) OM_MUST_USE;
/** Done of done and missed, weighted by the risk of levels (or not); NAN where
 *  nothing is judged due. shapes: sum [slots] */
double om__patrol_share(const struct om__patrol_question *patrol,
                        const struct om_patrol_sums *sums,
                        const struct om_patrol_sum *sum, bool weighted);
/** Overdue days times risk, summed. */
double om__patrol_risk(const struct om__patrol_question *patrol,
                       const struct om_patrol_sums *sums,
                       const struct om_patrol_sum *sum);

#endif
