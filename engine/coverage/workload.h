// workload.h - what there is to do in each unit, and how many do it.
#ifndef OM_ENGINE_COVERAGE_WORKLOAD_H
#define OM_ENGINE_COVERAGE_WORKLOAD_H

#include "engine/coverage/patrol.h"

/** Columns of a workload: loads, targets and their levels, visits, reports,
 *  checks. */
#define OM_WORKLOAD_COLUMNS_MOST 256

/* One figure of every unit. */
struct om_workload_column {
    char name[2 * OM_LIMIT_NAME_BYTES];  // "addresses", "rental",
                                         // "rental_strict", "owed" ..
    bool burden;    // of its own, and not a part of another column
    double *value;  // [units + 1]; the last is of rows in no unit
};

struct om_workload {
    size_t units;
    uint64_t *workers;       // [units]
    uint64_t without, lost;  // workers of no unit, of one that is not there
    size_t columns;
    struct om_workload_column column[OM_WORKLOAD_COLUMNS_MOST];
    size_t months;
    struct om_arena arena;
};

struct om_workload_spec {
    const struct om_snapshot *snapshot;
    struct om_selections *cache;  // may be NULL
    const struct om_duty *duty;
    const struct om_units *units;
    // Units of the level that workers are in charge of: the same level, or a
    // finer one that lies in it.
    const struct om_units *worker_units;
    const struct om_patrol_sums *sums;  // by `units`; NULL: no visits
    int64_t from_s, to_s;               // of reports, and the months of checks
};

/**
 * Count what city.json calls a load, the register by level, visits owed and
 * made, reports and checks, by the units of a level.
 *
 * returns  OM_E_NOTFOUND, OM_E_TYPE (err names the layer), OM_E_LIMIT,
 *          OM_E_DAMAGED, OM_E_MEMORY
 * owns     om_workload_deinit
 * cost     counts by unit are those of om_query_group
 */
om_status om_workload_count(const struct om_workload_spec *spec,
                            struct om_workload *out,
                            struct om_err *err) OM_MUST_USE;
void om_workload_deinit(struct om_workload *workload);
/** Column by name, or NULL. */
const struct om_workload_column *om_workload_find(
    const struct om_workload *workload, const char *name);

/* What one worker is known to have done; indices are rows of the layer of
 * workers, numbered through its parts as in om_idmap. */
struct om_worker_figures {
    size_t rows;
    uint32_t *unit;                    // of worker_units, OM_NO_UNIT: none
    double *reports, *checks;          // NULL: city.json names none
    double lost_reports, lost_checks;  // of workers that are not there
    struct om_arena arena;
};
/** The same for each worker: the unit, reports and checks. */
om_status om_workload_workers(const struct om_workload_spec *spec,
                              struct om_worker_figures *out,
                              struct om_err *err) OM_MUST_USE;
void om_worker_figures_deinit(struct om_worker_figures *figures);

#endif
