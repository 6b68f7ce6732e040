// units.h - the units of one level as statistics need them: ids, names,
// shapes, places, and which unit a row of another layer lies in.
#ifndef OM_ENGINE_UNITS_H
#define OM_ENGINE_UNITS_H

#include "engine/shape/shape.h"
#include "engine/snapshot.h"

struct om_unit {
    const char *id, *name;  // end in NUL; the name of a unit without is ""
    size_t row;             // in the unit layer, and shape in `rings`
    double x, y;            // centroid by area, in grid cells
    struct om_pos inside;   // a position that belongs to the unit
    double area_km2;        // on the ground
};

/* All units of a level, by id, bytewise: the order of om_query_group by the
 * level's column, empty units included. */
struct om_units {
    const struct om_layer *layer;  // of the units
    char level[OM_LIMIT_NAME_BYTES];
    size_t count;
    struct om_unit *unit;
    struct om_rings rings;  // of the layer, indexed by om_unit.row
    struct om_arena arena;
};

/**
 * Read the units of a level.
 *
 * returns  OM_E_NOTFOUND (the city has no such level; err lists those it
 *          has), OM_E_MEMORY, OM_E_DAMAGED
 * owns     om_units_deinit; the snapshot must stay held
 * threads  what is read is immutable
 * cost     linear in the vertices: 2,934 grids in some 20 ms
 * test     tests/engine/test_units.c
 */
om_status om_units_read(const struct om_snapshot *snapshot, const char *level,
                        struct om_units *out, struct om_err *err) OM_MUST_USE;
void om_units_deinit(struct om_units *units);
/** Index of the unit called so, SIZE_MAX if there is none. cost: log n */
size_t om_units_find(const struct om_units *units, const char *id, size_t len);

/* Which unit each row of a part of a layer lies in: the stored code of the
 * layer's unit column, and what the codes mean. */
struct om_unit_rows {
    const struct om_column *column;
    const uint32_t *unit_of;  // [column->words]: index into om_units.unit
};
/**
 * The unit column of `level` in one part of a layer, all its rows checked.
 *
 * returns  OM_E_NOTFOUND (the layer has no such column), OM_E_DAMAGED,
 *          OM_E_MEMORY
 * owns     unit_of lies in `arena`
 */
om_status om_units_rows(const struct om_units *units,
                        const struct om_layer *layer, size_t part,
                        struct om_arena *arena,
                        struct om_unit_rows *out) OM_MUST_USE;
/** Index of the unit that a row lies in, OM_NO_UNIT if in none. */
static inline uint32_t om_unit_of_row(const struct om_unit_rows *u, size_t row)
{
    return om_column_valid(u->column, row)
               ? u->unit_of[om_column_stored(u->column, row)]
               : OM_NO_UNIT;
}

/**
 * The unit of `upper` in which each unit of `units` lies (by om_unit.inside).
 * shapes   parent [units->count]; OM_NO_UNIT where there is none
 */
om_status om_units_parents(const struct om_units *units,
                           const struct om_units *upper,
                           uint32_t *parent) OM_MUST_USE;

#endif
