// wall_internal.h - what stands on the screens of a wall: panels and labels.
#ifndef OM_TILES_PICTURE_WALL_INTERNAL_H
#define OM_TILES_PICTURE_WALL_INTERNAL_H

#include "tiles/picture/wall.h"

/* A panel: some of the wall's keys, or (keys 0) its note. */
struct om__panel {
    struct om_label_box box;  // pixels of the world
    size_t first, keys;
};
#define OM__PANELS (OM_WALL_PICTURES + 1)

/** The pixels of the world that a screen shows. */
struct om_label_box om__wall_screen(const struct om_wall *wall, unsigned column,
                                    unsigned row);
/**
 * Find room for legends and note, each on one screen: the legends below left,
 * the note below right, elsewhere where they have no room there. A wall
 * without bezels takes what is too large, too, and shows a part of it.
 *
 * returns  OM_E_LIMIT: something is larger than a screen
 */
om_status om__wall_panels(const struct om_wall *wall, struct om_arena *arena,
                          struct om__panel panel[OM__PANELS],
                          size_t *panels) OM_MUST_USE;

/* The labels of one row of screens, each placed within its screen. */
struct om__screen_labels {
    const struct om_picture *picture;  // whose labels; NULL: no labels
    size_t count;
    struct om__screen_window {
        struct om_view view, home;
        struct om_base_square *labels;
    } * window;  // [count]
};
/** Place the labels of a row of screens. Zero is a valid empty value; what it
 *  held is let go of. */
om_status om__screen_labels_make(const struct om_wall *wall, unsigned row,
                                 const struct om__panel *panel, size_t panels,
                                 struct om__screen_labels *out) OM_MUST_USE;
void om__screen_labels_deinit(struct om__screen_labels *labels);
om_status om__screen_labels_draw(const struct om__screen_labels *labels,
                                 struct om_canvas *canvas,
                                 struct om_arena *arena) OM_MUST_USE;

#endif
