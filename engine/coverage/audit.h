// audit.h - is a partition kept? Rows in none and in two units, units without
// workers, units that contradict the level above.
#ifndef OM_ENGINE_COVERAGE_AUDIT_H
#define OM_ENGINE_COVERAGE_AUDIT_H

#include "engine/filter/filter.h"
#include "engine/shape/faults.h"
#include "engine/units.h"

/* A row that is in no unit (unit[0] OM_NO_UNIT) or in two. Units are indices
 * of om_units.unit. */
struct om_stray {
    size_t part, row;
    struct om_pos pos;
    uint32_t unit[2];
};

/* How the rows of a layer lie in the units of a level. */
struct om_placing {
    uint64_t rows, in_none, in_two;
    struct om_stray *none, *two;  // the first `limit` of each, in Morton order,
                                  // then by id, whatever the parts
    size_t nones, twos;
};

/**
 * Count the rows of a layer that lie in no unit and in two units of a level.
 *
 * In none is what the layer's unit column says; in two is decided exactly for
 * the rows near an overlap. A row of a shape layer lies where the middle of
 * its box lies, as everywhere.
 *
 * faults   of the level's rings (om_faults_find)
 * limit    of each kind that is listed; SIZE_MAX: all
 * returns  OM_E_NOTFOUND (the layer has no column of the level), OM_E_DAMAGED,
 *          OM_E_MEMORY
 * owns     lists lie in `arena`
 * cost     in none: nothing where the column has no NULL; in two: the rows in
 *          the boxes of overlaps
 */
om_status om_audit_layer(const struct om_snapshot *snapshot,
                         const struct om_units *units,
                         const struct om_layer *layer,
                         const struct om_faults *faults, size_t limit,
                         struct om_arena *arena,
                         struct om_placing *out) OM_MUST_USE;

/* Who works where: rows of a layer of workers by the unit they are in charge
 * of, whatever unit they stand in. */
struct om_manning {
    uint64_t *workers;  // [units->count]
    uint64_t without;   // workers that name no unit
    uint64_t lost;      // workers whose unit does not exist
};
/**
 * Count workers by the unit that a text column names.
 * returns  OM_E_TYPE (the column is no text), OM_E_DAMAGED, OM_E_MEMORY
 * owns     out lies in `arena`
 */
om_status om_audit_workers(const struct om_units *units,
                           const struct om_layer *workers, size_t column,
                           struct om_arena *arena,
                           struct om_manning *out) OM_MUST_USE;

/* What a unit says of its parent, and where it lies. */
struct om_parenting {
    uint32_t *lies;     // [lower->count] in upper; OM_NO_UNIT: in none
    const char **says;  // [lower->count] id, NULL if it says nothing
    bool *contradicts;  // [lower->count] says another than it lies in
    uint64_t orphans, contradictions;
};
/**
 * Compare the column of a unit layer that names the parent with the place.
 *
 * column   of the lower level's layer, or OM_NO_FIELD: only the place
 * returns  OM_E_TYPE, OM_E_DAMAGED, OM_E_MEMORY
 * owns     out lies in `arena`
 */
om_status om_audit_parents(const struct om_units *lower,
                           const struct om_units *upper, size_t column,
                           struct om_arena *arena,
                           struct om_parenting *out) OM_MUST_USE;

/**
 * om_faults_between for the units of two levels, with the numbers of units (a
 * layer's rows are in Morton order, units by id).
 */
om_status om_audit_levels(const struct om_units *lower,
                          const struct om_units *upper, const uint32_t *parent,
                          double slack_m, struct om_faults *out) OM_MUST_USE;
/** om_faults_find likewise. */
om_status om_audit_level(const struct om_units *units,
                         struct om_faults *out) OM_MUST_USE;

#endif
