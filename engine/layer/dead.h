// dead.h - which rows of a segment's file are gone: a small file beside it.
#ifndef OM_ENGINE_LAYER_DEAD_H
#define OM_ENGINE_LAYER_DEAD_H

#include "data/base/arena.h"
#include "engine/layer/segment.h"

/**
 * Write the dead rows of a segment to a file of their own, synced. It remembers
 * which segment it belongs to. On an error `path` does not exist.
 * shapes   row [count]: ascending, unique, below the segment's rows
 * returns  OM_E_RANGE (they are not), OM_E_IO, OM_E_MEMORY
 */
om_status om_dead_write(const char *path, const struct om_segment *segment,
                        const uint32_t *row, size_t count,
                        struct om_err *err) OM_MUST_USE;
/**
 * Read them all, checked: ascending, unique, below the segment's rows, and
 * written for this very segment.
 * returns  OM_E_NOTFOUND, OM_E_VERSION, OM_E_DAMAGED (err names the file),
 *          OM_E_IO, OM_E_MEMORY
 * owns     *row lies in `arena`
 * cost     some 50 us, and a millisecond a million
 * test     tests/engine/test_dead.c
 */
om_status om_dead_read(const char *path, const struct om_segment *segment,
                       struct om_arena *arena, const uint32_t **row,
                       size_t *count, struct om_err *err) OM_MUST_USE;

#endif
