// sums.h - checksums.txt of a folder, as sha256sum writes and checks it.
#ifndef OM_DATA_CITY_SUMS_H
#define OM_DATA_CITY_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/base/status.h"

#define OM_SUMS_FILE "checksums.txt"

/**
 * Write FOLDER/checksums.txt: a line "SHA256  NAME" for every file below the
 * folder but itself and the two locks of a city, by name. Links and other
 * things that are no files are refused.
 * units    *hash (may be NULL): of the lines, to tell two folders apart
 * returns  OM_E_FORMAT (something there is no file), OM_E_IO, OM_E_MEMORY
 * cost     reads everything: 300 MB a second
 * test     tests/data/test_sums.c
 */
om_status om_sums_write(const char *folder, uint64_t *hash,
                        struct om_err *err) OM_MUST_USE;
/**
 * Check that the folder holds just the files that its checksums.txt names, with
 * those sums. *there false: it has none, and nothing was checked.
 * returns  OM_E_DAMAGED, err naming the first file that is not as it was
 *          written, that is missing or that is not named; OM_E_IO
 */
om_status om_sums_check(const char *folder, bool *there,
                        struct om_err *err) OM_MUST_USE;

#endif
