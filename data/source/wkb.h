// wkb.h - well-known binary into ragged arrays. Inside data/source only.
#ifndef OM_DATA_SOURCE_WKB_H
#define OM_DATA_SOURCE_WKB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/model/schema.h"
#include "data/source/rows.h"

/* How much there is in front of a shape; also how much there is in all. */
struct om__wkb_size {
    size_t parts, rings, vertices;
};

/** What the geometry is by its first bytes: false if it is none of ours. */
bool om__wkb_kind(const uint8_t *wkb, size_t len, enum om_geometry *out);
/** The first vertex, for a look at the coordinates; false if there is none. */
bool om__wkb_first(const uint8_t *wkb, size_t len, double *x, double *y);
/** A point, or a multipoint of one. returns NULL, or the reason against. */
const char *om__wkb_point(const uint8_t *wkb, size_t len, double *x, double *y);
/**
 * Check a line or polygon and add its size to `size`; with `out`, also write
 * it at the place that `size` was (shape_part is the caller's). Rings of
 * polygons are written without their last, repeated vertex; holes and parts
 * that have no area for want of vertices are left out. Z and M are skipped.
 * What is left out is written on the way: beyond what was counted `out` has
 * room for len / 16 + 1 vertices and len / 4 + 1 rings and parts.
 * returns NULL, or the reason against; `size` is unchanged then.
 */
const char *om__wkb_shape(const uint8_t *wkb, size_t len, enum om_geometry want,
                          struct om__wkb_size *size, struct om__ragged *out);

#endif
