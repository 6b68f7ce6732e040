// directory_internal.h - where in the sorted keys does a code begin?
#ifndef OM_ENGINE_LAYER_DIRECTORY_INTERNAL_H
#define OM_ENGINE_LAYER_DIRECTORY_INTERNAL_H

#include "data/base/status.h"
#include "engine/layer/file_internal.h"

/** Runs of one directory: enough for a city on a seam of the Morton curve and
 *  a few stray points, few enough to stay in two cache lines' worth of search.
 */
#define OM__RUNS 32

/* A stretch of keys without large gaps, and the table over it: table[i] is
 * the first row whose key is at least first + (i << shift). */
struct om__run {
    uint64_t first;  // a multiple of 1 << shift, at most the first key
    uint64_t last;   // the last key
    uint32_t row, row_end;
    uint32_t table, buckets;  // table[buckets + 1] begins at entry `table`
    uint32_t shift, unused;
};

/* The runs and, end to end, their tables. */
struct om__directory {
    uint32_t runs;
    struct om__run run[OM__RUNS];
    size_t entries;
    uint32_t *table;  // owned by the builder
};

/** Build over sorted keys; about a quarter entry a row. owns: the caller frees
 *  out->table with om_free. */
om_status om__directory_build(const uint64_t *key, size_t rows,
                              struct om__directory *out) OM_MUST_USE;
/** Do the runs lie in order within `rows` rows and `entries` entries? */
bool om__directory_is_sound(const struct om__directory *directory, size_t rows);
/** The first run that has a key of at least `code`; NULL if none has. Its
 *  `first` may lie before the last key of the run before. */
const struct om__run *om__directory_run(const struct om__directory *directory,
                                        uint64_t code);

#endif
