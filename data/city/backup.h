// backup.h - a whole city as one file, and back.
#ifndef OM_DATA_CITY_BACKUP_H
#define OM_DATA_CITY_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/* What was written or read. */
struct om_backup_report {
    uint64_t files, bytes;  // of the city
    uint64_t packed_bytes;  // of the backup
    uint64_t sequence;      // of city.json
    uint64_t journal_last;  // newest entry of the journal; 0: none
    bool tokens;            // the backup that was read has a list of tokens
    uint64_t damaged;       // files of layers that are damaged or missing
};

/* How files of layers are looked at while they are copied. Zero: not at all. */
struct om_backup_care {
    // Are these bytes what was once written? OM_E_DAMAGED, with words.
    om_status (*check)(const char *name, const uint8_t *bytes, size_t len,
                       struct om_err *err);
    bool damaged;  // go on where they are not, or where the file is missing:
                   // each is logged and counted
};

/**
 * Write a city as it is at one moment into one file: a tar archive in zstd
 * frames, with the sum (XXH3) of every file in its last member. The city may be
 * served, written to and compacted meanwhile, and an import may run; nobody
 * waits for it. Files of layers are checked as `care` says. The file is there
 * whole or not at all, in place of an older one of its name, which stays as it
 * was after any error. Says om_progress.
 *
 * returns  OM_E_NOTFOUND (no city), OM_E_BUSY (the city changes its files
 *          faster than they can be looked at), OM_E_DAMAGED (a file of a layer
 *          is not what was written, or the journal is not sound: what cannot be
 *          restored is no backup), OM_E_IO
 * threads  any; in the process that writes the city too
 * cost     reads every file once; some hundred MB a second
 */
om_status om_backup_write(const char *city, const char *path,
                          const struct om_backup_care *care,
                          struct om_backup_report *out,
                          struct om_err *err) OM_MUST_USE;
/**
 * Make a city out of a backup: in a folder CITY.restoring beside it, which
 * takes the name when every byte is there, checked and synced. A city that had
 * tokens is closed again, whatever becomes of these: tokens true brings back
 * the list as it was, those that were revoked since too; false only the mark
 * that there was one (data/city/tokens.h). Files of layers are checked as
 * `care` says: a backup may be older than that.
 *
 * returns  OM_E_EXISTS (there is something of that name), OM_E_NOTFOUND (no
 *          such file), OM_E_FORMAT (no backup), OM_E_VERSION, OM_E_DAMAGED (cut
 *          off or changed), OM_E_BUSY (another restores there), OM_E_IO;
 *          nothing of CITY is there then
 */
om_status om_backup_restore(const char *path, const char *city, bool tokens,
                            const struct om_backup_care *care,
                            struct om_backup_report *out,
                            struct om_err *err) OM_MUST_USE;

#endif
