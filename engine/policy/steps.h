// steps.h - how many are where of those who are followed, told in steps.
#ifndef OM_ENGINE_POLICY_STEPS_H
#define OM_ENGINE_POLICY_STEPS_H

#include "data/base/buf.h"
#include "engine/live/run.h"
#include "engine/snapshot.h"

/* DESIGN in steps.c. Of each unit of each level, and of the city, what was told
 * last of the layer that `positions` of city.json names: how many are there,
 * and how many of them are connected. */
struct om_steps;

/**
 * step       how many must have come or gone until another count is told; at
 *            least 1
 * seen_s     who was seen within so many seconds is connected
 * owns       *out: om_steps_free
 */
om_status om_steps_new(uint64_t step, int64_t seen_s,
                       struct om_steps **out) OM_MUST_USE;
void om_steps_free(struct om_steps *steps);

/**
 * Look at the newest snapshot: of each unit where `step` have come or gone
 * since it was counted for what is told, another count is told from here on.
 * Units that were read and not yet counted since keep what they have: a start
 * does not know yet who is where.
 *
 * *changed   something that is told is another, or of other units
 * returns    OM_E_MEMORY, OM_E_DAMAGED; what is told is as before
 * threads    one
 * cost       some 50 ms for 10,000 rows, 2,934 grids, 597 villages, 33 towns
 * test       tests/web/steps.test.mjs
 */
om_status om_steps_next(struct om_steps *steps, struct om_snapshot *newest,
                        bool *changed) OM_MUST_USE;
/** Does the newest snapshot follow anybody? Then its layer; else NULL. */
const struct om_layer *om_steps_layer(const struct om_snapshot *snapshot);
/** What is told of the whole city: rows of the layer, and those connected. */
void om_steps_all(const struct om_steps *steps, uint64_t told[2]);
/**
 * Rows that come to what is told of a level, in the middle of its units; those
 * that are connected have the column of times, and no other column has a value.
 * A snapshot of that layer alone.
 *
 * level    index into the manifest's levels, less than om_steps_levels
 * owns     *out: om_snapshot_unref
 * joiner   of the snapshot's units
 * cost     that of a run of as many rows
 */
om_status om_steps_rows(const struct om_steps *steps,
                        struct om_snapshot *newest,
                        const struct om_joiner *joiner, size_t level,
                        struct om_snapshot **out) OM_MUST_USE;
size_t om_steps_levels(const struct om_steps *steps);
/** The finest level whose units have `step` on average, else the coarsest: for
 *  what asks for no units. */
size_t om_steps_middle(const struct om_steps *steps);

/** What is to be known at the next start. It tells how many are where to the
 *  last one: not for others' eyes. */
om_status om_steps_write(const struct om_steps *steps,
                         struct om_buf *out) OM_MUST_USE;
/** returns OM_E_FORMAT: it is none; nothing is known then, as before */
om_status om_steps_read(struct om_steps *steps, const uint8_t *bytes,
                        size_t len) OM_MUST_USE;

#endif
