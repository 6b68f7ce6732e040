// still.h - the city as those see it who only count persons.
#ifndef OM_ENGINE_POLICY_STILL_H
#define OM_ENGINE_POLICY_STILL_H

#include "engine/policy/steps.h"
#include "engine/snapshot.h"

/** Zoom of the cells in which tiles count persons (tiles/vector/crowd.c): some
 *  4 km. */
#define OM_CROWD_LEVEL 13

/* DESIGN in still.c. A still is a snapshot in which what is about single
 * persons has not changed yet in units where it has changed for few. */

/** The finest level of units holds its changes back; so do all that are put
 *  together of them. */
struct om_still_figures {
    uint64_t changed;  // rows that are not as they were told
    uint64_t held;     // of them, as they were
    bool same;         // nothing is told of persons that was not before
    bool moved;        // what is told of those who are followed is another
};

/**
 * The next still: of layers about persons and of those that have columns about
 * persons (city.json), rows that changed since the last one stand as they were
 * in each unit of the finest level in which a column has changed for fewer than
 * `least` rows (a row that came or went has changed in all of them; one that
 * went from unit to unit binds these together), or of which fewer than `least`
 * would come or go in a cell of persons' tiles. All else is as in `newest`.
 *
 * So of any two stills of one server each count or sum, by whatever units or in
 * cells of tiles and at whatever times, differs by what at least `least` rows
 * have changed, or not at all.
 *
 * Of the layer that `positions` of city.json names rows move all the time: of
 * these the still has what the register says of them, in units that they have
 * in charge, and beside it how many are where, in steps (steps.h).
 *
 * still    NULL: the first is `newest` itself
 * city     whose snapshot `newest` is
 * steps    what was told last of those who are followed; NULL: nobody is
 * returns  OM_E_MEMORY, OM_E_DAMAGED, OM_E_STOPPED (given up)
 * owns     *out: om_snapshot_unref; the others stay the caller's
 * threads  any; one at a time of a server
 * cost     microseconds a row that changed; where files were written anew
 *          (compaction), a microsecond for each of their rows and 32 bytes for
 *          some millions of them at a time
 * test     tests/web/still.test.mjs
 */
om_status om_still_next(const struct om_snapshot *still, struct om_city *city,
                        struct om_snapshot *newest, uint64_t least,
                        struct om_steps *steps, struct om_snapshot **out,
                        struct om_still_figures *figures) OM_MUST_USE;

#endif
