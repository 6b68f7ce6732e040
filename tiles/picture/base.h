// base.h - the base map: a city's own land, water, roads, buildings, names.
#ifndef OM_TILES_PICTURE_BASE_H
#define OM_TILES_PICTURE_BASE_H

#include "tiles/heat.h"
#include "tiles/picture/label.h"
#include "tiles/picture/level.h"

/* Kinds of roads that look different; a city may name so many. */
#define OM_BASE_CLASSES 5

/* Which words there are where there are two. */
enum om_language { OM_LANGUAGE_ZH, OM_LANGUAGE_EN };

/* A base map of one snapshot. Which layers it is drawn from, the city says in
 * city.json: members of a layer,
 *   "base": "water" | "road" | "building"
 *   "base_by": a category column, "base_classes": [its values, the most
 *              important first]; of roads. Other values are like the last.
 *   "base_label": the column with names; where there is a column called so and
 *              _en, that one has them in English
 * and its units: the coarsest level is the land, that and the next one have
 * borders and names, except levels whose layer has "base": "none". Immutable
 * but for what is made on first use; counted. */
struct om_base;

/**
 * Prepare the base map of a snapshot. font NULL: a map without labels. In
 * English names are in both languages, where they are known in English: signs
 * are Chinese.
 *
 * returns  OM_E_NOTFOUND, OM_E_TYPE (a column of city.json; err says file and
 *          member), OM_E_MEMORY, OM_E_DAMAGED
 * owns     *out: om_base_unref; holds the snapshot; the font must outlive it
 * cost     a full city in some 20 ms
 */
om_status om_base_new(struct om_snapshot *snapshot, struct om_font *font,
                      enum om_language language, struct om_base **out,
                      struct om_err *err) OM_MUST_USE;
/** The same, with the levels of an earlier one (or NULL) where the units are as
 *  they were: of a full city a tenth of the time. */
om_status om_base_renew(struct om_base *older, struct om_snapshot *snapshot,
                        struct om_font *font, enum om_language language,
                        struct om_base **out, struct om_err *err) OM_MUST_USE;
struct om_base *om_base_ref(struct om_base *base);
void om_base_unref(struct om_base *base);
/** Does it have anything but names? */
bool om_base_empty(const struct om_base *base);

/** A level of the snapshot's units, read when it is first asked for.
 *  returns what om_units_read returns; OM_E_LIMIT (too many levels)
 *  owns    *out: om_level_unref */
om_status om_base_level(struct om_base *base, const char *name,
                        struct om_level **out, struct om_err *err) OM_MUST_USE;

/** Where shapes lie that a view of the base map depends on: those that it
 * meets, and if it has labels, all in the squares in which these are placed. */
struct om_box om_base_reach(const struct om_view *view, bool labels);

/** Draw all but the labels; covers the whole canvas. threads: any */
om_status om_base_draw(struct om_base *base, enum om_palette palette,
                       struct om_canvas *canvas,
                       struct om_arena *arena) OM_MUST_USE;
/** Draw the labels. over: something else than the base map, which few hide. */
om_status om_base_labels_draw(struct om_base *base, enum om_palette palette,
                              bool over, struct om_canvas *canvas,
                              struct om_arena *arena) OM_MUST_USE;

/* The labels of one square, shared. */
struct om_base_square;
/** Labels of the square column, row of a scale: what tiles copy from. */
om_status om_base_square(struct om_base *base, uint64_t world, unsigned ratio,
                         int64_t column, int64_t row,
                         struct om_base_square **out) OM_MUST_USE;
/** Labels of a window of their own (om_label_plan_window), out of boxes that
 *  are taken. Not kept: every call places anew. owns: *out, unref it */
om_status om_base_window(struct om_base *base, const struct om_view *view,
                         const struct om_view *home,
                         const struct om_label_box *taken, size_t count,
                         struct om_base_square **out) OM_MUST_USE;
const struct om_labels *om_base_square_labels(
    const struct om_base_square *square);
void om_base_square_unref(struct om_base_square *square);
/** Draw the labels of a square or window that meet the canvas. */
om_status om_base_square_draw(const struct om_base *base,
                              enum om_palette palette,
                              const struct om_base_square *square,
                              struct om_canvas *canvas,
                              struct om_arena *arena) OM_MUST_USE;

#endif
