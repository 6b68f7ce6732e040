// positions.h - where those who are on duty were last seen.
#ifndef OM_WEB_SERVER_POSITIONS_H
#define OM_WEB_SERVER_POSITIONS_H

#include "engine/live/live.h"
#include "web/server/tracks.h"

/* What city.json says of positions:
 *     "positions": {"layer": "worker", "seen": "seen", "retention_days": 2}
 * Names are borrowed from the snapshot. */
struct om__positions_about {
    const char *layer;      // whose rows are those that are followed
    const char *seen;       // its column of times
    double retention_days;  // for which tracks are kept
    int64_t kept_s;         // for which a last position is shown: as long, but
                            // at least an hour
};
/** Who was seen within so many seconds is connected. */
#define OM__SEEN_S (5 * 60)

/** False: the city follows nobody. */
bool om__positions_about(const struct om_snapshot *snapshot,
                         struct om__positions_about *out);

/** Rows of a layer that is followed: all of them are laid over the layer every
 *  second. More: nobody is followed, and the log says so. */
#define OM__POSITIONS_ROWS 200000

/* DESIGN in positions.c. */
struct om__positions;

/* The writer of the city; called by the positions' own thread.
 * returns  as om_live_overlay, or OM_E_STOPPED where there is no writer */
typedef om_status om__positions_lay_fn(void *ctx, const char *layer,
                                       const struct om_batch *rows,
                                       const struct om_live_move *move,
                                       size_t moves, struct om_err *err);
struct om__positions_options {
    const char *path;  // of the city
    struct om_city *city;
    om__positions_lay_fn *lay;
    void *ctx;
    unsigned every_ms;  // 0: a second
};
/**
 * Begin to follow, from where the last time ended. A city that follows nobody
 * is fine: nothing is taken then.
 *
 * owns     *out: om__positions_free
 */
om_status om__positions_new(const struct om__positions_options *options,
                            struct om__positions **out,
                            struct om_err *err) OM_MUST_USE;
/** Write what is left and lay no more rows; before the writer is closed. */
void om__positions_stop(struct om__positions *positions);
/** NULL is fine; after the writer is closed. */
void om__positions_free(struct om__positions *positions);
/** Does the city follow somebody? */
bool om__positions_follow(const struct om__positions *positions);

/**
 * Take a fix of somebody on duty.
 *
 * returns  OM_OK         it is their newest; it shows within a second
 *          OM_E_EXISTS   there is one that is as new: kept in the track only
 *          OM_E_NOTFOUND no such row in the layer
 *          OM_E_UNSUPPORTED the city follows nobody
 *          OM_E_BUSY, OM_E_MEMORY
 * threads  any     cost  under a microsecond
 */
om_status om__positions_take(struct om__positions *positions, const char *id,
                             size_t len, struct om_pos pos,
                             int64_t at_s) OM_MUST_USE;
/** What was published; so that rows of the layer that are written meanwhile
 *  are laid under. threads: any; does not block */
void om__positions_news(struct om__positions *positions,
                        const struct om_live_news *news);
/** Somebody's last fix; false: none. Tests. */
bool om__positions_get(struct om__positions *positions, const char *id,
                       size_t len, struct om_pos *pos, int64_t *at_s);

#endif
