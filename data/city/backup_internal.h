// backup_internal.h - what writing and restoring a backup agree on.
#ifndef OM_DATA_CITY_BACKUP_INTERNAL_H
#define OM_DATA_CITY_BACKUP_INTERNAL_H

#include "data/base/buf.h"
#include "data/city/backup.h"
#include "data/city/tar.h"

/* DESIGN
 * Members of the archive, in this order: `onemap-backup`, a line of JSON that
 * says what this is; city.json; the files that it names; journal.db; what else
 * lies in the city's folder (models, legends, roles ...); `onemap-backup-sums`,
 * a line "SUM BYTES NAME" for each file before it and "end FILES" at last.
 * Frames of zstd hold OM__BACKUP_CHUNK of the archive each, so any tar and zstd
 * can read it. */
#define OM__BACKUP_HEAD "onemap-backup"
#define OM__BACKUP_SUMS "onemap-backup-sums"
#define OM__BACKUP_VERSION 2
/* Of version 1 the last member was called as a file of every release is, none
 * of which came back. */
#define OM__BACKUP_SUMS_1 "checksums.txt"
#define OM__BACKUP_CHUNK ((size_t)4 << 20)
#define OM__BACKUP_PATH_BYTES 4096
/** Seed of the sums; a sum of a long file is that of its sums. */
#define OM__BACKUP_SEED 0

/** Check the file of a layer as `care` says; what may pass is logged and
 *  counted. bytes NULL: it is not there. returns OM_E_DAMAGED */
om_status om__backup_check(const struct om_backup_care *care, const char *name,
                           const uint8_t *bytes, size_t len, uint64_t *damaged,
                           struct om_err *err) OM_MUST_USE;

/* Sum of a file that comes in pieces: XXH3 of each stretch of a chunk, seeded
 * with the one before. Zero is the beginning. */
struct om__backup_sum {
    uint64_t value;
    uint8_t *held;  // [OM__BACKUP_CHUNK], by the caller
    size_t len;
};
void om__backup_sum_add(struct om__backup_sum *sum, const void *bytes,
                        size_t len);
uint64_t om__backup_sum_end(struct om__backup_sum *sum);

#endif
