// coverage_workload.h - a question of workload, between its files.
#ifndef OM_WEB_COVERAGE_WORKLOAD_H
#define OM_WEB_COVERAGE_WORKLOAD_H

#include "engine/coverage/balance.h"
#include "engine/coverage/workload.h"
#include "web/coverage_patrol.h"

struct om__subject {
    const char *id, *name;
    const char *unit;  // of a worker: the unit in charge
    uint64_t workers;  // who share the unit's work; 0: nobody
    uint32_t in;       // index of the unit whose work is shared
    uint32_t worker;   // of a worker: its row
    uint32_t rank;     // by load, 1 the most loaded; 0: no workers, or hidden
    double load;       // of the measure, for one worker; NAN: not known
    bool few;          // how many they are is not told
};

/* A burden over subjects. What falls to a worker has two means: that of all
 * workers, and balance.mean, of subjects that count alike. */
struct om__spread {
    struct om_balance balance;  // most and least are subjects
    double per_worker;          // NAN: nobody
};

struct om__workload {
    struct om_coverage *question;
    struct om__patrol_question patrol;
    struct om_units units, worker_units;
    struct om_patrol_sums sums;
    struct om_workload_spec spec;
    struct om_workload work;
    struct om_worker_figures figures;  // rows 0: subjects are units
    struct om__subject *subject;
    size_t subjects;
    size_t measure;  // column
    // What is hidden (patrol.veil): how many workers they are; and of columns
    // that follow from what is hidden of each (NULL: it does not). [units + 1]
    bool *few_workers;
    const bool *few[OM_WORKLOAD_COLUMNS_MOST];
    const bool *few_did[OM_WORKLOAD_COLUMNS_MOST];  // of what workers did:
                                                    // whose they are few
    bool of_houses[OM_WORKLOAD_COLUMNS_MOST];  // a zero tells of each house ...
    uint64_t *houses;                          // [units + 1] ... that there is
    size_t marked;
    double norm;  // checks that one worker owes in the months begun; or NAN
    struct om__spread balance;  // of the measure, whole city
    struct om_arena arena;
    struct om_buf text, text_en;
};

/** Find what is hidden of units from who asks: few_workers and few. */
om_status om__workload_hide(struct om__workload *workload) OM_MUST_USE;
/** Id or name, whichever people know the subject by. */
const char *om__subject_called(const struct om__subject *subject);
/** What a column is called in Chinese: as city.json or the layer's title has
 *  it. */
void om__workload_title(const struct om__workload *workload, size_t column,
                        char *out, size_t room);
/** Balance of a column over the subjects that `in` (by unit; may be NULL)
 *  puts into group `group`. */
om_status om__workload_balance(struct om__workload *workload, size_t column,
                               const uint32_t *in, uint32_t group,
                               struct om__spread *out) OM_MUST_USE;
/** The table of balances: the city, then each unit of the largest level. */
om_status om__workload_write_balances(struct om__workload *workload)
    OM_MUST_USE;

#endif
