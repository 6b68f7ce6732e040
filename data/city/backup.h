// backup.h - a whole city as one file, and back.
#ifndef OM_DATA_CITY_BACKUP_H
#define OM_DATA_CITY_BACKUP_H

#include <stdbool.h>

#include "data/base/status.h"

/* What was written or read. */
struct om_backup_report {
    uint64_t files, bytes;  // of the city
    uint64_t packed_bytes;  // of the backup
    uint64_t sequence;      // of city.json
    uint64_t journal_last;  // newest entry of the journal; 0: none
    bool tokens;            // the backup that was read has a list of tokens
};

/**
 * Write a city as it is at one moment into one file: a tar archive in zstd
 * frames, with the sum (XXH3) of every file in its last member. The city may be
 * served, written to and compacted meanwhile, and an import may run; nobody
 * waits for it. The file is there whole or not at all, in place of an older
 * one of its name. Says om_progress.
 *
 * returns  OM_E_NOTFOUND (no city), OM_E_BUSY (the city changes its files
 *          faster than they can be looked at), OM_E_DAMAGED (the journal is not
 *          sound: what cannot be restored is no backup), OM_E_IO
 * threads  any; in the process that writes the city too
 * cost     reads every file once; some hundred MB a second
 */
om_status om_backup_write(const char *city, const char *path,
                          struct om_backup_report *out,
                          struct om_err *err) OM_MUST_USE;
/**
 * Make a city out of a backup: in a folder CITY.restoring beside it, which
 * takes the name when every byte is there, checked and synced. A city that had
 * tokens is closed again, whatever becomes of these: tokens true brings back
 * the list as it was, those that were revoked since too; false only the mark
 * that there was one (data/city/tokens.h).
 *
 * returns  OM_E_EXISTS (there is something of that name), OM_E_NOTFOUND (no
 *          such file), OM_E_FORMAT (no backup), OM_E_VERSION, OM_E_DAMAGED (cut
 *          off or changed), OM_E_BUSY (another restores there), OM_E_IO;
 *          nothing of CITY is there then
 */
om_status om_backup_restore(const char *path, const char *city, bool tokens,
                            struct om_backup_report *out,
                            struct om_err *err) OM_MUST_USE;

#endif
