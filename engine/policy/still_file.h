// still_file.h - what was told last of persons, past the end of a server.
#ifndef OM_ENGINE_POLICY_STILL_FILE_H
#define OM_ENGINE_POLICY_STILL_FILE_H

#include "engine/snapshot.h"

/** Its name in the city's folder. */
#define OM_STILL_FILE "told"
#define OM_STILL_PATH_BYTES 4096

/* DESIGN in still_file.c. The file CITY/told (mode 0600) says of each layer of
 * which stills tell how rows were told last that have changed since. It holds
 * rows about persons as the journal does, also of some that are gone by now.
 * threads: one at a time */
struct om_still_file;

/**
 * Open a city, and the still that was told last of it, by whatever process. A
 * file that is not there, damaged, or of other files of the city is none, and
 * a word about it logged: rows are told as they are then.
 *
 * owns     *file: om_still_file_free; *city: om_city_close; *still (NULL: none
 *          is known): om_snapshot_unref
 * returns  those of om_city_open
 * cost     that of om_city_open, and 10 us a row in the file
 * test     tests/engine/test_still_file.c, tests/web/restart.test.mjs
 */
om_status om_still_open(const char *path, struct om_still_file **file,
                        struct om_city **city, struct om_snapshot **still,
                        struct om_err *err) OM_MUST_USE;
void om_still_file_free(struct om_still_file *file);

/**
 * What is going to be told, before it is. Where neither the still nor the rows
 * have changed nothing is written.
 *
 * still    made of `newest` (om_still_next), which is published: the journal
 *          has all of it
 * cost     that of finding what is held (om_still_next), 2 us for each of
 *          these, and two syncs
 * returns  OM_E_IO, ...: the file is as before, and the still must not be told
 */
om_status om_still_file_write(struct om_still_file *file,
                              const struct om_snapshot *still,
                              const struct om_snapshot *newest,
                              struct om_err *err) OM_MUST_USE;
/** The next file is good for the city as this manifest says, too: before that
 *  is committed, and with an om_still_file_write in between. */
om_status om_still_file_expect(struct om_still_file *file,
                               const struct om_manifest *next) OM_MUST_USE;
/** Does what was written fit the files that the manifest names? Not so once
 *  another process has put in rows. */
bool om_still_file_fits(const struct om_still_file *file,
                        const struct om_manifest *now);
/** Is the file another than was read or written here? */
bool om_still_file_changed(const struct om_still_file *file);
/** The city's folder. */
const char *om_still_file_city(const struct om_still_file *file);
/** Is there one? */
bool om_still_file_exists(const struct om_still_file *file);

#endif
