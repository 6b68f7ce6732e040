// still_changes.h - how a layer differs from how it was told.
#ifndef OM_ENGINE_POLICY_STILL_CHANGES_H
#define OM_ENGINE_POLICY_STILL_CHANGES_H

#include "engine/policy/still_internal.h"

/* Columns that are told apart; those behind count as the last. */
#define OM__WATCH_COLUMNS 64

/* A row that is not as it was told; part NONE: it was not there, or is not. */
struct om__change {
    uint64_t id, old_unit, new_unit, old_cell, new_cell;
    uint32_t old_part, old_row, new_part, new_row;
    uint64_t columns;  // that differ, a bit each
};

/* A layer as it was told and as it is, what is watched of it, and what has
 * changed of that. */
struct om__watch {
    const struct om__stack *told, *now;
    struct om_schema own;  // without unit columns
    size_t unit_field;     // OM_NO_FIELD: all is one unit
    size_t columns;        // that are watched
    size_t column[OM_LIMIT_COLUMNS];
    bool places;   // so is where rows are
    bool follows;  // they move, and that is not looked at
    uint64_t least;
    size_t count, room;
    struct om__change *change;
};

/**
 * Fill the list of changes, in no order.
 *
 * returns  OM_E_MEMORY, OM_E_DAMAGED, OM_E_STOPPED
 * owns     w->change, in any case: om_free
 * cost     rows that live in the one stack only, sorted
 */
om_status om__changes_find(struct om__watch *w) OM_MUST_USE;
/**
 * Only those changes stay in the list that are held: fewer than w->least of a
 * column in a unit, or of rows that come to or leave a cell.
 *
 * returns  OM_E_MEMORY: the list is as it was
 * cost     a sort of the changes
 */
om_status om__changes_keep_held(struct om__watch *w) OM_MUST_USE;

#endif
