// audience.h - what those are told of changes who do not see all of a layer.
#ifndef OM_ENGINE_LIVE_AUDIENCE_H
#define OM_ENGINE_LIVE_AUDIENCE_H

#include "data/model/schema.h"
#include "engine/live/changes.h"

/* DESIGN in audience.c. An audience is all who see the same of a layer: the
 * same columns of it, or no single rows, and of the same unit. It is named by a
 * hash, which is part of the layer's rights (0: sees everything) and the same
 * in every process. It comes into being when somebody of it first asks, with
 * everything new as of then. */
struct om_layer;

/** Sets of hidden columns of one layer that are told apart. */
#define OM_VEILS 64
/** Audiences of a city; with one more, the one whose last question is the
 *  longest ago is forgotten, and begins anew when it asks again. */
#define OM_AUDIENCES 16384

/** Who sees so much of a layer: of its rights (hidden columns, crowds, area).
 *  0: all of it. cost: a hash of names */
uint64_t om_audience_of(const struct om_layer *layer);
/** The unit of a level as audiences know it; never 0. */
uint64_t om_audience_unit(const char *level, const char *unit, size_t len);

/** Let there be the audience of layer->rights.audience from now on, as of
 *  at_s. Where there is no room it is not. threads: any. cost: a look-up */
void om_changes_join(struct om_changes *changes, const struct om_layer *layer,
                     int64_t at_s);
/* What is known of a question of an audience. */
struct om_heard {
    uint64_t sequence;  // of the newest change in the box that it is told of
    uint64_t base;      // up to which it is not known what has changed where
    uint64_t looks;     // at which all of it was new for this audience alone
    int64_t at_s;
    size_t veil;  // number of its hidden columns; OM_VEILS: none
    bool crowds;  // rows are only counted for it
};
/** False: it is not known (it has not joined, or the writer has not heard of it
 *  yet; then at_s is set if it has joined). threads: any. cost: a look-up and
 *  om_changes_in */
bool om_changes_heard(struct om_changes *changes, uint64_t audience,
                      struct om_box box, struct om_heard *out);

/** Begin anew with all of them. */
void om_changes_forget(struct om_changes *changes);

/* ---- the writer's */

/** Who has joined is told of what is written after `sequence`, which is the
 *  newest that anybody has seen. Before what is written is looked at. */
void om_changes_adopt(struct om_changes *changes, uint64_t sequence);
/** All of its layer is new for an audience, if there is such. */
void om_changes_renew(struct om_changes *changes, uint64_t audience,
                      uint64_t sequence, int64_t at_s);
/** Another one where sets of hidden columns may be others. */
uint64_t om_changes_generation(const struct om_changes *changes);
/** Of each column of a schema (hides [schema->count], zeroed) the veils that
 *  hide it; *crowds: those that hide all rows. Returns all there are. */
uint64_t om_changes_veils(struct om_changes *changes, const char *layer,
                          const struct om_schema *schema, uint64_t *hides,
                          uint64_t *crowds);

/* Where a row is: a cell and, unless it is of zeros, a box of positions that it
 * reaches. OM_NO_CELL: nowhere. */
struct om_place_told {
    uint64_t cell;
    struct om_box reach;
};
/* A row as it was and as it is. quiet: veils that hide all that differs. was,
 * now: units (om_audience_unit) that it is in, each as many as `units`; 0: none
 */
struct om_row_told {
    uint64_t sequence, quiet;
    struct om_place_told old, fresh;
    const uint64_t *was, *now;
};
/** Are there audiences of a layer; *areas: of units? */
bool om_changes_told(struct om_changes *changes, const char *layer,
                     bool *areas);
/** Tell those of all units of rows, in any order. cost: 1 us for each audience
 *  and row */
void om_changes_tell(struct om_changes *changes, const char *layer,
                     const struct om_row_told *row, size_t count, int64_t at_s);
/** The same of cells in rising order, as om_changes_add_all; quiet [count]. */
void om_changes_tell_all(struct om_changes *changes, const char *layer,
                         const struct om_change *change, const uint64_t *quiet,
                         size_t count, int64_t at_s);
/** Tell those of a unit. cost: 1 us a row and unit */
void om_changes_tell_units(struct om_changes *changes, const char *layer,
                           const struct om_row_told *row, size_t count,
                           size_t units, int64_t at_s);
/** The same for all that have an area of which it is not known which: they are
 *  told that all of the layer is new. */
void om_changes_tell_areas(struct om_changes *changes, const char *layer,
                           uint64_t sequence, int64_t at_s);

#endif
