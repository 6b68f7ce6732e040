// idmap.h - which row has this id: for joining millions of them at once.
#ifndef OM_ENGINE_COVERAGE_IDMAP_H
#define OM_ENGINE_COVERAGE_IDMAP_H

#include "data/base/arena.h"
#include "engine/snapshot.h"

/** No row has the id. */
#define OM_NO_ROW UINT32_MAX

/* The live rows of a layer by their ids. A row is numbered through the parts:
 * base[part] + row. Ids that are a prefix and a number ("R0000012") are looked
 * up in a table by that number, all others by hash and text. */
struct om_idmap {
    size_t rows;         // of all parts, the dead included
    const size_t *base;  // [parts + 1]
    size_t prefix_len, digits;
    char prefix[OM_LIMIT_NAME_BYTES];
    uint64_t number_min;
    size_t numbers;       // 0: by hash
    uint32_t *by_number;  // [numbers]
    size_t slots;         // a power of two, 0: by number
    struct om_idmap_slot {
        uint64_t hash;
        const char *text;
        uint32_t len, row;  // OM_NO_ROW: free
    } * slot;
    struct om_arena arena;
};

/**
 * returns  OM_E_LIMIT (more than 2^32 - 2 rows), OM_E_DAMAGED, OM_E_MEMORY
 * owns     om_idmap_deinit
 * threads  looking up: any
 * cost     numbered ids 2 ns a row, others 0.2 us
 */
om_status om_idmap_make(const struct om_layer *layer,
                        struct om_idmap *out) OM_MUST_USE;
void om_idmap_deinit(struct om_idmap *map);
/** Number of the row with this id, or OM_NO_ROW. */
uint32_t om_idmap_find(const struct om_idmap *map, const char *id, size_t len);

#endif
