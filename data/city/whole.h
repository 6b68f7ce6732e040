// whole.h - a folder that is there with all that is in it, or not at all.
#ifndef OM_DATA_CITY_WHOLE_H
#define OM_DATA_CITY_WHOLE_H

#include <stdbool.h>

#include "data/base/status.h"

#define OM_WHOLE_PATH_BYTES 4096

/* A folder being made beside the one it is to become. Zero is none. */
struct om_whole {
    char name[OM_WHOLE_PATH_BYTES];    // that it is to get
    char folder[OM_WHOLE_PATH_BYTES];  // where it is made: NAME.ENDING
    int fd;                            // holds its lock while begun
    bool begun;
};

/**
 * Begin an empty folder NAME.ENDING, ours alone until om_whole_end. What a
 * process that died has left there is removed.
 * returns  OM_E_BUSY (another process is at it), OM_E_LIMIT, OM_E_IO
 * owns     om_whole_end, also after a failure
 */
om_status om_whole_begin(const char *name, const char *ending,
                         struct om_whole *out, struct om_err *err) OM_MUST_USE;
/**
 * Sync the folder and give it its name. replace: in one step in the place of
 * the folder that has it, which is then removed; whoever holds files of that
 * open keeps them.
 * returns  OM_E_EXISTS       the name is taken, and replace is not set
 *          OM_E_UNSUPPORTED  the file system cannot swap two names
 *          OM_E_IO; all is as it was then
 */
om_status om_whole_commit(struct om_whole *whole, bool replace,
                          struct om_err *err) OM_MUST_USE;
/** Remove what was begun and not committed. */
void om_whole_end(struct om_whole *whole);

#endif
