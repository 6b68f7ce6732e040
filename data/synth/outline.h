// outline.h - rings around unions of mesh cells, and chains of their borders.
#ifndef OM_DATA_SYNTH_OUTLINE_H
#define OM_DATA_SYNTH_OUTLINE_H

#include "data/synth/city_internal.h"

/* Rings of one region. Corners of ring r: corner[first[r]] to
 * corner[first[r + 1]], not closed. Outer rings are counter-clockwise and are
 * followed by their holes (clockwise). */
struct om__outline {
    uint32_t *corner;  // numbers of mesh corners
    uint32_t *first;   // [rings + 1]
    bool *hole;        // [rings]
    uint32_t rings, room_corners, room_rings;
    uint32_t *next;  // [2 * cells] scratch, OM__NONE everywhere between calls
};
om_status om__outline_init(struct om__outline *outline,
                           const struct om__mesh *mesh) OM_MUST_USE;
void om__outline_deinit(struct om__outline *outline);
/** Rings around `cell` [cells], which are all the cells with label[] ==
 *  label[cell[0]]. */
om_status om__outline_trace(struct om__outline *outline,
                            const struct om__mesh *mesh, const uint32_t *label,
                            const uint32_t *cell, uint32_t cells) OM_MUST_USE;

/**
 * Borders as lines: maximal chains of border edges whose rank is `rank`,
 * split where three borders meet. each is called with mesh corners.
 */
typedef om_status om__chain_fn(void *ctx, const uint32_t *corner, size_t n,
                               uint32_t left_cell, uint32_t right_cell);
om_status om__outline_chains(const struct om__mesh *mesh, om__border_fn *border,
                             const void *border_ctx, unsigned rank,
                             om__chain_fn *each, void *ctx) OM_MUST_USE;

#endif
