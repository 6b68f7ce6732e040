// verify.h - does a city still say the truth? Everything computed again.
#ifndef OM_ENGINE_VERIFY_H
#define OM_ENGINE_VERIFY_H

#include "engine/snapshot.h"

/* What was found for one layer. Every figure with `bad` must be 0. */
struct om_layer_verify {
    const char *layer;
    uint64_t rows;
    struct om_verify files;  // of all segments, summed
    uint64_t bad_units;      // unit columns that the join contradicts
    uint64_t outside;        // living rows in no unit of the finest level
    uint64_t straddling;     // fine units with living rows in two coarse ones
    char first_fault[OM_ERR_TEXT_BYTES];  // empty: none
};

/**
 * Check checksums, order, ids and all derived figures of every segment, join
 * every row with the units again, and compare; see that no id lives in two
 * parts of a layer (files.bad_ids). Goes on after a fault.
 *
 * returns  OM_E_DAMAGED if any layer is bad; OM_E_MEMORY
 * cost     reads everything: seconds for a full city
 * test     tests/engine/test_verify.c
 */
om_status om_snapshot_verify(const struct om_snapshot *snapshot,
                             void (*each)(void *ctx,
                                          const struct om_layer_verify *found),
                             void *ctx) OM_MUST_USE;

#endif
