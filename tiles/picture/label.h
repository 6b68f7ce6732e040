// label.h - names on a map, where they stand, and that they do not collide.
#ifndef OM_TILES_PICTURE_LABEL_H
#define OM_TILES_PICTURE_LABEL_H

#include "tiles/picture/canvas.h"
#include "tiles/picture/font.h"

/** Side of the squares of the world in which labels are placed together, in
 *  pixels of design. No label leaves its square, so that what stands in one
 *  depends on nothing outside it: any picture that meets the square shows the
 *  same labels. */
#define OM_LABEL_SQUARE_PX 2048

/* A label that wants a place. Lower rank first, then larger weight, then by
 * text and order of adding. */
struct om_label_wish {
    unsigned rank;
    double weight;
    struct om_face face;
    unsigned ink;      // what it is drawn with: index of the style's inks
    int near_px;       // no second label of the same text so near
    const char *text;  // borrowed until placed
    size_t len;
};

/* Glyph of a placed label: its pen, in pixels of the world. */
struct om_label_glyph {
    uint32_t glyph;
    unsigned turn;  // clockwise, 1/256
    int64_t x, y;
};
struct om_label_box {
    int64_t x0, y0, x1, y1;  // pixels of the world, half open
};
struct om_label {
    const char *text;
    size_t len;
    struct om_face face;
    unsigned ink;
    size_t glyphs;
    const struct om_label_glyph *glyph;
    size_t boxes;
    const struct om_label_box *box;  // [boxes]; a turned label has one a glyph
    struct om_label_box bounds;      // of glyphs and halo
};
/* The labels of a square. */
struct om_labels {
    size_t count;
    struct om_label *label;  // by rank: first is most important
};

struct om_label_plan;
/**
 * Begin to plan the square `column`, `row` of a scale.
 * owns     *out and all that is placed lie in the arena
 */
om_status om_label_plan_new(struct om_font *font, uint64_t world,
                            unsigned ratio, int64_t column, int64_t row,
                            struct om_arena *arena,
                            struct om_label_plan **out) OM_MUST_USE;
/**
 * Begin to plan a window of its own: a screen of a wall. No label leaves
 * `view`, which is no larger than a square. Places in `home`, which holds the
 * view, are its own too: what stands behind a bezel is named beside it.
 */
om_status om_label_plan_window(struct om_font *font, const struct om_view *view,
                               const struct om_view *home,
                               struct om_arena *arena,
                               struct om_label_plan **out) OM_MUST_USE;
/** The square or window as a view, for searching what lies in it. */
const struct om_view *om_label_plan_view(const struct om_label_plan *plan);
/** Whose places are named here: the view, or what holds it. */
const struct om_view *om_label_plan_home(const struct om_label_plan *plan);
/** Keep labels out of a box. */
om_status om_label_plan_block(struct om_label_plan *plan,
                              const struct om_label_box *box) OM_MUST_USE;
/** Wish for a label around a place of the plan's view, in 1/256 pixel. It may
 *  move by up to slack_px to stay inside the square. Texts of more than
 *  `most` letters stand on two lines, those with a line break, too. */
om_status om_label_plan_point(struct om_label_plan *plan,
                              const struct om_label_wish *wish,
                              struct om_spot at, int slack_px,
                              size_t most) OM_MUST_USE;
/** Wish for a label along a line, at most one for each every_px of it. */
om_status om_label_plan_line(struct om_label_plan *plan,
                             const struct om_label_wish *wish,
                             const struct om_pos *vertex, size_t count,
                             int every_px) OM_MUST_USE;
/** Place what was wished for, in order of importance. */
om_status om_label_plan_place(struct om_label_plan *plan,
                              struct om_labels *out) OM_MUST_USE;

/* What labels are drawn with. */
struct om_label_ink {
    struct om_colour text, halo;
    unsigned halo_width;  // 1/16 pixel of design
};
/** Draw the labels that meet the canvas. */
om_status om_labels_draw(struct om_font *font, const struct om_labels *labels,
                         const struct om_label_ink *ink,
                         struct om_canvas *canvas,
                         struct om_arena *arena) OM_MUST_USE;

#endif
