// reject.h - rows that cannot be taken, each with its reason.
#ifndef OM_DATA_MODEL_REJECT_H
#define OM_DATA_MODEL_REJECT_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

struct om_rejects;

/** Collect rejected rows; `path` NULL keeps only counts and first examples.
 *  The file is CSV: row,id,column,reason,value. */
om_status om_rejects_new(const char *path, struct om_rejects **out,
                         struct om_err *err) OM_MUST_USE;
/**
 * Note one rejected row. `reason` is a short constant text such as
 * "duplicate id"; rows are counted per reason. value may be NULL.
 * threads: any.
 */
om_status om_rejects_add(struct om_rejects *rejects, uint64_t source_row,
                         const char *id, const char *column, const char *reason,
                         const char *value, size_t len);
uint64_t om_rejects_count(const struct om_rejects *rejects);
/** Call `each` with every reason, its count, and the first row that had it. */
void om_rejects_each(const struct om_rejects *rejects,
                     void (*each)(void *ctx, const char *reason, uint64_t count,
                                  uint64_t first_row),
                     void *ctx);
/** Bring the file on disk up to date; the first failure of writing since the
 *  start comes back here. */
om_status om_rejects_flush(struct om_rejects *rejects, struct om_err *err);
/** Flush and close. NULL is fine. */
om_status om_rejects_close(struct om_rejects *rejects, struct om_err *err);

#endif
