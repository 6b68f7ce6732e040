// replay_internal.h - journal entries put on top of what files hold.
#ifndef OM_ENGINE_LIVE_REPLAY_INTERNAL_H
#define OM_ENGINE_LIVE_REPLAY_INTERNAL_H

#include "engine/live/group_internal.h"
#include "engine/snapshot_internal.h"

/** Layer of the first entry of a journal, which only says which commit it
 *  begins at: no layer can be called so. */
#define OM__NOBODY "."

/** Entries that become one run; tests make it small. */
extern size_t om__replay_round_rows;

/**
 * Bring states up to the end of the journal: entries after state.upto are put
 * in as whole new rows, so it does not matter what was there before. clock_s
 * (of the city, 0: none) moves on with them. A layer in whose files ids cannot
 * be looked up is withheld from then on, and others go on.
 *
 * returns  OM_E_DAMAGED (all that comes before the damage is in),
 *          OM_E_MEMORY, OM_E_IO; states are then somewhere in between, but
 *          whole
 * cost     some 700,000 rows a second, on two cores
 */
om_status om__replay(struct om_journal *journal,
                     const struct om_manifest *manifest,
                     const struct om_joiner *joiner,
                     struct om__layer_state *state, int64_t *clock_s,
                     struct om_err *err) OM_MUST_USE;
/** The same; *then is what the states were at the sequence `at`, or NULL where
 *  nothing came behind it. owns: *then, om__states_free */
om_status om__replay_past(struct om_journal *journal,
                          const struct om_manifest *manifest,
                          const struct om_joiner *joiner,
                          struct om__layer_state *state, int64_t *clock_s,
                          uint64_t at, struct om__layer_state **then,
                          struct om_err *err) OM_MUST_USE;
/** Has the journal anything after state.upto? */
bool om__replay_needed(struct om_journal *journal,
                       const struct om__layer_state *state, size_t layers);

#endif
