// duty.h - who is owed how many visits, and where visits, workers and checks
// are kept: the member "duty" of city.json.
#ifndef OM_ENGINE_COVERAGE_DUTY_H
#define OM_ENGINE_COVERAGE_DUTY_H

#include "data/base/arena.h"
#include "engine/snapshot.h"

/** Targets, dated tables and levels a city may name: a register has a few. */
#define OM_DUTY_TARGETS_MOST 16
#define OM_DUTY_TABLES_MOST 64
#define OM_DUTY_LEVELS_MOST 32
/** Visits a month: one a day at most, since visits of a day count once. */
#define OM_DUTY_VISITS_MOST 31

/* A table of visits a month, in force for the months that begin on or after
 * from_s, until the next. */
struct om_duty_table {
    int64_t from_s;
    int8_t visits[OM_DUTY_LEVELS_MOST];  // by level; -1: not in the table
};

/* A layer whose rows are owed visits. Columns are numbers of its schema,
 * OM_NO_FIELD where city.json names none. */
struct om_duty_target {
    const struct om_layer *layer;
    size_t level, since;  // what a row's level is, and since when
    size_t label;         // what people call a row
    size_t address;       // id of a row in address_layer
    const struct om_layer *address_layer;
    size_t address_text;  // column of address_layer
    size_t levels;
    const char *level_name[OM_DUTY_LEVELS_MOST];  // as the column has it
    double risk[OM_DUTY_LEVELS_MOST];             // weight of a visit; 1
    size_t tables;
    const struct om_duty_table *table;  // by date
};

/* Members that city.json may leave out: layer NULL. */
struct om_duty_visits {
    const struct om_layer *layer;
    size_t target_layer, target, at;
    size_t verified;  // true: counts; false: does not; NULL: unknown
};
struct om_duty_workers {
    const struct om_layer *layer;
    size_t unit;        // column that names the unit in charge
    const char *level;  // of these units
};
struct om_duty_checks {
    const struct om_layer *layer;
    size_t worker, month, count;
    double norm;  // checks a worker and month; NAN: none
};
struct om_duty_reports {
    const struct om_layer *layer;
    size_t worker;  // or OM_NO_FIELD
};

struct om_duty {
    size_t targets;
    struct om_duty_target target[OM_DUTY_TARGETS_MOST];
    struct om_duty_visits visits;
    struct om_duty_workers workers;
    struct om_duty_checks checks;
    struct om_duty_reports reports;
    size_t loads;  // layers whose rows are work of a unit: addresses ..
    struct om_duty_load {
        const char *name;   // what the column of a result is called
        const char *title;  // what people call it; may be NULL
        const struct om_layer *layer;
        size_t sum;  // number column, or OM_NO_FIELD: rows are counted
    } load[OM_DUTY_TARGETS_MOST];
    char missing[256];  // layers that are named and not in the city: "a, b"
    struct om_arena arena;
};

/**
 * Read what city.json says of duties, all of it checked against the layers:
 *
 *   "duty": {
 *     "targets": [
 *       {"layer": "rental", "level": "level", "since": "level_since",
 *        "label": "name", "address": {"column": "address",
 *        "layer": "address", "text": "text"},
 *        "tables": [{"from": "2023-01-01",
 *                    "visits": {"lenient": 1, "strict": 3}}],
 *        "risk": {"lenient": 1, "strict": 4}}],
 *     "visits": {"layer": "visit", "target_layer": "target_layer",
 *                "target": "target_id", "at": "at", "verified": "gps_ok"},
 *     "workers": {"layer": "worker", "unit": "duty_grid", "level": "grid"},
 *     "checks": {"layer": "check", "worker": "worker", "month": "month",
 *                "count": "count", "norm": 50},
 *     "reports": {"layer": "hazard", "worker": "worker"},
 *     "loads": [{"name": "residents", "title": "居民", "layer": "address",
 *                "sum": "residents"}]}
 *
 * Of a target since, label, address and risk may be missing; of visits
 * verified. A city may be imported layer by layer: what names a layer that is
 * not there is as if it were not there, and `missing` says so.
 *
 * returns  OM_E_FORMAT, OM_E_NOTFOUND, OM_E_TYPE, OM_E_RANGE, OM_E_LIMIT (err
 *          names the member), OM_E_MEMORY
 * owns     om_duty_deinit; the snapshot must stay held
 * test     tests/engine/test_duty.c
 */
om_status om_duty_read(const struct om_snapshot *snapshot, struct om_duty *out,
                       struct om_err *err) OM_MUST_USE;
void om_duty_deinit(struct om_duty *duty);

/** Say that city.json lacks a member that a question needs. */
om_status om_duty_lacks(const char *member, const char *what,
                        struct om_err *err);
/** Visits a month that level `level` is owed in the month that begins at
 *  month_s: 0 before the first table, -1 if the table has no such level. */
int om_duty_visits(const struct om_duty_target *target, size_t level,
                   int64_t month_s);

#endif
