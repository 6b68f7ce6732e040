// cover.h - which units lie in which pixels: whoever has it can colour them
// without asking again.
#ifndef OM_TILES_PICTURE_COVER_H
#define OM_TILES_PICTURE_COVER_H

#include "data/base/buf.h"
#include "tiles/picture/level.h"

/**
 * Write how much of each pixel of a view each unit covers, and their borders,
 * as om_choropleth_draw paints them. ARCHITECTURE.md ("A tile of units") has
 * the form. Nothing is appended where there are no units.
 *
 * returns  OM_E_MEMORY, or what sticks to `out`
 * cost     some 10 ns a pixel, and 100 ns a vertex
 * test     tests/web/days.test.mjs
 */
om_status om_cover_write(const struct om_level *level,
                         const struct om_view *view, struct om_arena *arena,
                         struct om_buf *out) OM_MUST_USE;

#endif
