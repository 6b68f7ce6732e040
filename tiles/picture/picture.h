// picture.h - a picture of something, ready to be drawn in any window.
#ifndef OM_TILES_PICTURE_PICTURE_H
#define OM_TILES_PICTURE_PICTURE_H

#include "tiles/picture/base.h"
#include "tiles/picture/choropleth.h"
#include "tiles/picture/quant.h"
#include "tiles/picture/rows.h"

enum om_picture_kind {
    OM_PICTURE_BASE,
    OM_PICTURE_UNITS,
    OM_PICTURE_ROWS,
    OM_PICTURE_HEAT
};

/* What all windows of a picture share: rows selected, classes, colours.
 * Immutable, counted. threads: any. */
struct om_picture {
    enum om_picture_kind kind;
    enum om_palette palette;
    struct om_base *base;            // held; of BASE and UNITS
    bool map, labels;                // BASE: which of the two
    struct om_level *level;          // UNITS
    struct om_unit_classes units;    // UNITS
    struct om_snapshot *snapshot;    // held; of ROWS
    const struct om_layer *layer;    // ROWS
    struct om_selection *selection;  // ROWS
    struct om_classes classes;       // ROWS
    struct om_quant *quant;          // NULL of HEAT
    // HEAT: borrows all; whoever made it keeps it
    struct om_fields *fields;
    const struct om_risk *risk;
    const struct om_legend *legend;
    const char *title, *title_en, *unit, *unit_en;
};

/** The base map, its labels, or both. owns: refs base itself */
om_status om_picture_base(struct om_base *base, enum om_palette palette,
                          bool map, bool labels,
                          struct om_picture **out) OM_MUST_USE;
/** Units by class. Takes the classes over, also on failure. */
om_status om_picture_units_take(struct om_base *base, struct om_level *level,
                                struct om_unit_classes *classes,
                                enum om_palette palette,
                                struct om_picture **out) OM_MUST_USE;
/** Rows of a layer by class. Takes the classes over, also on failure. */
om_status om_picture_rows_take(struct om_snapshot *snapshot,
                               const struct om_layer *layer,
                               struct om_selection *selection,
                               struct om_classes *classes,
                               enum om_palette palette,
                               struct om_picture **out) OM_MUST_USE;
/** A heat map, to be drawn between others. The picture borrows everything. */
struct om_picture om_picture_heat(struct om_fields *fields,
                                  const struct om_risk *risk,
                                  const struct om_legend *legend);
struct om_picture *om_picture_ref(struct om_picture *picture);
/** NULL is fine. */
void om_picture_unref(struct om_picture *picture);

/** Draw it onto what the canvas has. `map` and `labels` (of a base map) may be
 *  asked for one after the other, with something between them. */
om_status om_picture_draw(const struct om_picture *picture, bool map,
                          bool labels, struct om_canvas *canvas,
                          struct om_arena *arena) OM_MUST_USE;
/** A window as PNG, in the picture's own colours. */
om_status om_picture_png(const struct om_picture *picture,
                         const struct om_view *view, struct om_arena *arena,
                         struct om_buf *png) OM_MUST_USE;
/**
 * Does a window show nothing but the rows in and around it, in a manner that
 * all windows of its scale share? Then *box is where these rows lie, and *look
 * a hash of the manner: while both are as they were, so is the picture. Shapes
 * lie where their boxes do. False of whatever is not rows.
 * test     tests/tiles/test_picture.c, test_labels.c
 */
bool om_picture_local(const struct om_picture *picture,
                      const struct om_view *view, struct om_box *box,
                      uint64_t *look);
/**
 * What a window of units shows beside their borders: a hash of the colours of
 * classes and of the class of each unit in it. While it and the units are as
 * they were, so is the picture. Units that were counted anew change it where
 * one got into another class, or everywhere if the classes are others. False of
 * whatever is not units.
 */
bool om_picture_units_look(const struct om_picture *picture,
                           const struct om_view *view, uint64_t *look);
/** How rows are drawn at any scale: a hash of classes, colours, sizes and
 *  opacities. While it is as it was, another row changes no pixel but around
 *  its place; once it is another, any may be. 0 of whatever is not rows. */
uint64_t om_picture_look(const struct om_picture *picture);
/** The rows of a picture of rows. Borrows all of the picture. */
struct om_rows_spec om_picture_rows(const struct om_picture *picture);
/** Which rows it tells apart, and in which colours: a hash. */
uint64_t om_picture_classes(const struct om_picture *picture);
/** Rows that drawing a window looks at: what it costs. */
uint64_t om_picture_rows_in(const struct om_picture *picture,
                            const struct om_view *view);

#endif
