// owner.h - what is in a city is for its owner only.
#ifndef OM_DATA_CITY_OWNER_H
#define OM_DATA_CITY_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "data/base/status.h"

/**
 * Take from group and others what they may do with a city's folder, and with
 * all folders and files in it; links are not followed. What goes away meanwhile
 * is passed over, and so is what is not ours to change.
 * close    false: only look
 * units    *open: folders and files that others could enter, read or write
 * returns  OM_E_IO (the folder cannot be read); OM_E_UNSUPPORTED: some could
 *          not be closed, err names the first
 * cost     one look at each file
 * test     tests/web/owner.test.mjs
 */
om_status om_owner_only(const char *city, bool close, uint64_t *open,
                        struct om_err *err) OM_MUST_USE;
/**
 * The same for who opens a city that is there, with a line in the log if
 * anything was open, under `area`. A city that cannot be closed is no error.
 */
void om_owner_look(const char *city, bool close, const char *area);

#endif
