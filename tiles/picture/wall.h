// wall.h - one picture of any size up to a wall of screens.
#ifndef OM_TILES_PICTURE_WALL_H
#define OM_TILES_PICTURE_WALL_H

#include "tiles/picture/key.h"

/** Pixels of one picture, along a side and in all: three walls of 7680 x
 *  2160. */
#define OM_WALL_SIDE_MAX 16384
#define OM_WALL_PIXELS_MAX ((uint64_t)64 << 20)
/** Pictures over each other, screens along a side, pixels behind a bezel. */
#define OM_WALL_PICTURES 8
#define OM_WALL_SCREENS 32
#define OM_WALL_GAP_MAX 512

/* A picture over several screens: the map goes on behind their bezels, so
 * that gap_x pixels between two columns of screens, and gap_y between rows,
 * are not in the picture. What is read (labels, legends, the note) lies whole
 * on one screen; a gap of 0 is a bezel too. */
struct om_wall {
    unsigned width, height;  // of the picture
    unsigned columns, rows;  // of screens, which divide it evenly
    unsigned gap_x, gap_y;
    struct om_view view;      // of the map, bezels included
    struct om_colour ground;  // below all; transparent: none
    size_t pictures;          // lowest first; labels of all come on top
    const struct om_picture *picture[OM_WALL_PICTURES];
    uint8_t clear[OM_WALL_PICTURES];  // per cent of it that is seen through
    struct om_key_style style;
    size_t keys;  // 0: no legend
    struct om_key key[OM_WALL_PICTURES];
    const struct om_key_note *note;  // NULL: none
};

/** Width or height of the map with what lies behind the bezels. */
static inline unsigned om_wall_behind(unsigned side, unsigned screens,
                                      unsigned gap)
{
    return side + (screens - 1) * gap;
}
/** Make the wall's view: `box` as large as fits, in the middle. A scale within
 *  a millionth of a tile's becomes the tile's. OM_E_RANGE: the box has no
 *  size, or would be larger than OM_VIEW_WORLD_MAX. */
om_status om_wall_fit(struct om_wall *wall, struct om_box box,
                      unsigned ratio) OM_MUST_USE;
/** The same around a place at a zoom of design pixels. */
om_status om_wall_centre(struct om_wall *wall, double x, double y, double zoom,
                         unsigned ratio) OM_MUST_USE;

/**
 * Draw the picture as PNG, in strips, on all threads.
 *
 * cancelled  (may be NULL) asked between strips: true gives up, OM_E_STOPPED
 * returns    OM_E_RANGE (screens do not divide the picture), OM_E_MEMORY,
 *            OM_E_LIMIT (a legend or the note is larger than a screen; never
 *            of a wall that is one screen, which shows a part of it)
 * memory     16 bytes a pixel of a strip of 256 rows, and the PNG
 * test       tests/tiles/test_wall.c
 */
om_status om_wall_png(const struct om_wall *wall, bool (*cancelled)(void *ctx),
                      void *ctx, struct om_buf *png) OM_MUST_USE;

#endif
