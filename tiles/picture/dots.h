// dots.h - a tile of days of points: what lies in each of its pixels on each
// day, so that whoever has it can draw any period without asking again.
#ifndef OM_TILES_PICTURE_DOTS_H
#define OM_TILES_PICTURE_DOTS_H

#include "engine/query/days.h"
#include "tiles/picture/picture.h"

/* The tile of a picture of points: its pixels, and those around it from which
 * the largest dots reach into it. */
struct om_dots_tile {
    const struct om_picture *picture;
    struct om_view view;
    struct om_day_net net;
    struct om_box box;  // whose rows it holds
};
/** OM_E_TYPE: not a picture of points; OM_E_RANGE: pixels are no squares of
 *  positions. Borrows the picture. */
om_status om_dots_tile_init(const struct om_picture *picture,
                            const struct om_view *view,
                            struct om_dots_tile *out) OM_MUST_USE;
/** A hash of what it shows beside the rows in its box. */
uint64_t om_dots_tile_look(const struct om_dots_tile *tile);
/**
 * Count the rows that match and lie in the tile's box, by class of the picture,
 * pixel and day. query: its place is set here.
 * returns  as om_query_days_of_kinds
 * owns     *out: om_days_deinit
 */
om_status om_dots_tile_count(const struct om_dots_tile *tile,
                             const struct om_query *query, int32_t zone_s,
                             struct om_arena *arena,
                             struct om_days *out) OM_MUST_USE;
/**
 * Write it. ARCHITECTURE.md ("A tile of days") has the form. Nothing is
 * appended where nothing is.
 * returns  what sticks to `out`
 * test     tests/web/dots.test.mjs
 */
om_status om_dots_tile_write(const struct om_dots_tile *tile,
                             const struct om_days *days,
                             struct om_buf *out) OM_MUST_USE;

#endif
