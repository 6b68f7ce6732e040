// tracks.h - where somebody was, kept for a while: files by hour.
#ifndef OM_WEB_SERVER_TRACKS_H
#define OM_WEB_SERVER_TRACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/base/status.h"

/* One fix as it is kept, 24 bytes in the machine's byte order. Ids are not
 * kept, only their hash: a file by itself names nobody. */
struct om__track_fix {
    uint64_t who;
    int64_t at_s;   // UTC
    uint32_t x, y;  // position on the grid (pos.h)
};

/* DESIGN in tracks.c. */
struct om__tracks;

/**
 * Open CITY/tracks, remove what is older than the retention, and hand the last
 * fixes that are there to `each`, older ones first, several of one person.
 * retention_s 0: nothing is kept on disk, and what is there is removed.
 *
 * returns  OM_E_IO (the folder cannot be made or read), OM_E_MEMORY
 * owns     *out: om__tracks_close
 * cost     what was written since the last note of the last fixes
 */
om_status om__tracks_open(const char *city, int64_t retention_s, int64_t now_s,
                          void (*each)(void *ctx,
                                       const struct om__track_fix *fix),
                          void *ctx, struct om__tracks **out,
                          struct om_err *err) OM_MUST_USE;
/** Close without writing; NULL is fine. */
void om__tracks_close(struct om__tracks *tracks);
/** Keep a fix: in memory until the next write. OM_E_BUSY: the disk has not
 *  taken any for long. threads: any */
om_status om__tracks_add(struct om__tracks *tracks,
                         const struct om__track_fix *fix) OM_MUST_USE;
/**
 * Write what was added, remove files of hours that are older than the
 * retention, and now and then note the last fixes (`last`, one a person,
 * `count`): from there the next start goes on.
 * threads  one at a time
 */
om_status om__tracks_write(struct om__tracks *tracks, int64_t now_s,
                           const struct om__track_fix *last, size_t count,
                           struct om_err *err) OM_MUST_USE;
/** The next write notes and forgets, however short ago the last did. */
void om__tracks_due(struct om__tracks *tracks);

#endif
